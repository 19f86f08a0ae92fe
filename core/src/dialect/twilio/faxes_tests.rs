//! Tests of the Fax API's parameters and resources.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::dialect::twilio::keys_of;
use crate::engine::agenda::Ordinal;
use crate::engine::input::{Completion, EffectResult};
use crate::engine::spec::plain;
use crate::engine::{Cursor, Engine};
use crate::model::account::Dialect;
use crate::model::media::Document;
use crate::model::sid::AccountSid;
use crate::model::webhook::{Delivery, ExchangeRecord, Method, Purpose};

const NOW: i64 = 1_614_592_800; // 2021-03-01T10:00:00Z

fn world() -> Engine {
    let now = Timestamp::from_seconds(NOW);
    Engine::new(plain(now), now)
}

fn view() -> View<'static> {
    View {
        account: AccountSid::from_bytes([0; 16]),
        origin: "https://fax.twilio.com",
        now: Timestamp::from_seconds(NOW),
        signing_key: b"key",
        price: PriceForm::Text.into(),
    }
}

fn form(text: &str) -> Form {
    Form::parse(text.as_bytes()).unwrap()
}

fn order(text: &str) -> Result<CreateFax, ApiError> {
    create_fax(&form(text), "https://fax.twilio.com".into())
}

fn send(world: &mut Engine, text: &str) -> FaxSid {
    world.handle(order(text).unwrap(), Timestamp::from_seconds(NOW)).unwrap()
}

const MINIMAL: &str = "To=%2B15558675310&From=%2B15017122661&MediaUrl=http%3A%2F%2Flocalhost%2Ffax.pdf";

#[test]
fn a_new_fax_is_queued_and_fields_not_yet_known_are_null() {
    let mut world = world();
    let sid = send(&mut world, MINIMAL);
    let resource = serde_json::to_value(FaxResource::of(world.fax(sid).unwrap(), &view())).unwrap();
    let url = format!("https://fax.twilio.com/v1/Faxes/{sid}");
    let expected = json!({
        "sid": sid.to_string(), "account_sid": "AC00000000000000000000000000000000", "api_version": "v1",
        "direction": "outbound", "status": "queued", "from": "+15017122661", "to": "+15558675310", "quality": "fine",
        "media_sid": null, "media_url": null, "num_pages": null, "duration": null, "price": null, "price_unit": null,
        "date_created": "2021-03-01T10:00:00Z", "date_updated": "2021-03-01T10:00:00Z",
        "links": {"media": format!("{url}/Media")}, "url": url,
    });
    assert_eq!(resource, expected);
}

#[test]
fn unset_options_have_the_documented_defaults() {
    let order = order(MINIMAL).unwrap();
    assert_eq!((order.quality, order.store_media, order.ttl_minutes), (Quality::Fine, true, None));
    assert_eq!(order.status_callback, None);
    assert_eq!(&*order.origin, "https://fax.twilio.com");
}

#[test]
fn every_option_is_accepted_as_the_python_library_sends_it() {
    let order = order(
        "To=%2B15558675310&MediaUrl=http%3A%2F%2Flocalhost%2Fa+b.pdf%3Fx%3D1%26y%3D2&Quality=superfine\
         &StatusCallback=http%3A%2F%2Flocalhost%2F%C3%A9&From=%2B15017122661&SipAuthUsername=us+er\
         &SipAuthPassword=p%2Bw%26&StoreMedia=False&Ttl=5",
    )
    .unwrap();
    assert_eq!(&*order.media_url, "http://localhost/a b.pdf?x=1&y=2");
    assert_eq!(order.status_callback.as_deref(), Some("http://localhost/é"));
    assert_eq!((order.quality, order.store_media, order.ttl_minutes), (Quality::Superfine, false, Some(5)));
}

#[test]
fn a_fax_to_a_sip_address_needs_no_caller_and_may_have_a_name_as_caller() {
    let sip = "To=sip%3Akate%40example.com%3Fhatchkey%3D4815162342%3Btransport%3DTCP&MediaUrl=http%3A%2F%2Fh%2Ff";
    assert_eq!(order(sip).unwrap().from, None);
    let named = order(&format!("{sip}&From=Jack")).unwrap();
    assert_eq!(named.from, Some(Party::Name("Jack".into())));
    assert_eq!(named.to.to_string(), "sip:kate@example.com?hatchkey=4815162342;transport=TCP");
    assert_eq!(order(&format!("{sip}&From=J%21ck")).map_err(|error| error.code(Dialect::Twilio)).err(), Some(21212));
}

#[test]
fn each_invalid_parameter_has_the_closest_documented_code() {
    let with = |extra: &str| format!("{MINIMAL}&{extra}");
    let long = format!("http://h/{}", "x".repeat(4_000));
    let cases = [
        ("From=%2B15017122661&MediaUrl=http%3A%2F%2Fh%2Ff".to_owned(), 21201, "To"),
        ("To=&From=%2B15017122661&MediaUrl=http%3A%2F%2Fh%2Ff".to_owned(), 21201, "To"),
        ("To=5551234567&MediaUrl=http%3A%2F%2Fh%2Ff".to_owned(), 21211, "To"),
        ("To=+15558675310&MediaUrl=http%3A%2F%2Fh%2Ff".to_owned(), 21211, "%2B"),
        (format!("To=sip:k@h%3Fx={}&MediaUrl=http%3A%2F%2Fh%2Ff", "y".repeat(1_024)), 21227, "To"),
        ("To=%2B15558675310&From=Jack&MediaUrl=http%3A%2F%2Fh%2Ff".to_owned(), 21212, "From"),
        ("To=%2B15558675310&From=%2B15017122661".to_owned(), 20001, "MediaUrl"),
        ("To=%2B15558675310&From=%2B15017122661&MediaUrl=fax.pdf".to_owned(), 21620, "MediaUrl"),
        (with("StatusCallback=%2Fstatus"), 21609, "StatusCallback"),
        (with(&format!("StatusCallback={long}")), 21609, "StatusCallback"),
        (with("Quality=best"), 20422, "Quality"),
        (with("StoreMedia=maybe"), 20422, "StoreMedia"),
        (with("Ttl=0"), 20422, "Ttl"),
        (with("Ttl=-5"), 20422, "Ttl"),
        (with("Ttl=soon"), 20422, "Ttl"),
        (with("Ttl=99999999999"), 20422, "Ttl"),
        (with(&format!("SipAuthUsername={}&SipAuthPassword=x", "u".repeat(256))), 21221, "SipAuthUsername"),
        (with("SipAuthUsername=u%0A&SipAuthPassword=x"), 21222, "SipAuthUsername"),
        (with(&format!("SipAuthPassword={}", "p".repeat(256))), 21223, "SipAuthPassword"),
        (with("SipAuthPassword=secret%00"), 21224, "SipAuthPassword"),
        (with("SipAuthUsername=u"), 21225, "SipAuthPassword"),
    ];
    for (text, code, named) in cases {
        let error = order(&text).unwrap_err();
        assert_eq!((error.status(Dialect::Twilio), error.code(Dialect::Twilio)), (400, code), "{text}");
        assert!(error.message.contains(named), "{}", error.message);
        assert!(!error.message.contains("secret") && error.message.len() < 1_000, "{}", error.message);
    }
}

#[test]
fn an_update_without_a_status_changes_nothing() {
    assert_eq!(update_fax(&form("")), Ok(FaxUpdate::Nothing));
    assert_eq!(update_fax(&form("Status=canceled")), Ok(FaxUpdate::Cancel));
    assert_eq!(update_fax(&form("Status=delivered")).map_err(|error| error.code(Dialect::Twilio)), Err(20422));
}

#[test]
fn a_list_is_filtered_by_parties_and_dates() {
    let (filter, request) = list_faxes(&form(
        "From=%2B15017122661&To=&DateCreatedAfter=2020-01-02&DateCreatedOnOrBefore=2026-11-23T08:09:10Z&PageSize=1",
    ))
    .unwrap();
    assert_eq!(filter.from, Party::destination("+15017122661"));
    assert_eq!(filter.to, None);
    assert_eq!(filter.created_after.map(date::iso).as_deref(), Some("2020-01-02T00:00:00Z"));
    assert_eq!(filter.created_on_or_before.map(date::iso).as_deref(), Some("2026-11-23T08:09:10Z"));
    assert_eq!((request.size, request.cursor()), (1, Cursor::Skip(0)));
    for bad in ["From=+15017122661", "DateCreatedAfter=yesterday", "DateCreatedOnOrBefore=1", "PageSize=x"] {
        let error = list_faxes(&form(bad)).unwrap_err();
        assert_eq!(error.code(Dialect::Twilio), 20422, "{bad}");
        assert!(error.message.contains(bad.split('=').next().unwrap()), "{}", error.message);
    }
}

#[test]
fn a_page_repeats_its_filters_percent_encoded_and_links_to_the_next() {
    let mut world = world();
    let sids: Vec<String> = (0..3).map(|_| send(&mut world, MINIMAL).to_string()).collect();
    let (filter, request) = list_faxes(&form("To=%2B15558675310&PageSize=2")).unwrap();
    let page = world.faxes(&filter, request.cursor(), request.size);
    let list = serde_json::to_value(FaxList::of(&page, &request, &view())).unwrap();
    let shown: Vec<_> = list["faxes"].as_array().unwrap().iter().map(|fax| fax["sid"].as_str().unwrap()).collect();
    assert_eq!(shown, [&sids[2], &sids[1]]);
    let first = "https://fax.twilio.com/v1/Faxes?To=%2B15558675310&PageSize=2&Page=0";
    assert_eq!(list["meta"]["url"], first);
    let token: Ordinal = 2;
    let next =
        format!("https://fax.twilio.com/v1/Faxes?To=%2B15558675310&PageSize=2&Page=1&PageToken=PAFX{token:032x}");
    assert_eq!(list["meta"]["next_page_url"], next);
    let seven = ["first_page_url", "key", "next_page_url", "page", "page_size", "previous_page_url", "url"];
    assert_eq!(keys_of(&list["meta"]), seven.into());
}

#[test]
fn a_price_is_negative_by_default_and_can_be_a_string_a_number_or_null() {
    let shown = |micros, form: PriceFormat| serde_json::to_value(price(micros, form)).unwrap();
    assert_eq!(shown(14_000, PriceForm::Text.into()), json!("-0.014"));
    assert_eq!(shown(14_000, PriceForm::Number.into()).to_string(), "-0.014");
    assert_eq!(shown(14_000, PriceForm::Absent.into()), Value::Null);
    let positive = |form| PriceFormat { form, sign: PriceSign::Positive };
    assert_eq!(shown(14_000, positive(PriceForm::Number)).to_string(), "0.014");
    assert_eq!(shown(1_400_000, positive(PriceForm::Text)), json!("1.4"));
    assert_eq!(shown(7_000_000, positive(PriceForm::Text)), json!("7"));
}

/// Creates a fax whose document has been fetched.
fn fetched(world: &mut Engine) -> FaxSid {
    let now = Timestamp::from_seconds(NOW + 5);
    let sid = send(world, MINIMAL);
    world.handle_timeout(now);
    let effect = world.poll_effect().expect("a request for the document");
    let record = ExchangeRecord {
        purpose: Purpose::MediaUrl,
        method: Method::Get,
        url: "http://localhost/fax.pdf".to_owned(),
        params: vec![],
        request_headers: vec![],
        redirected_to: None,
        status: Some(200),
        response_headers: vec![],
        response_body: String::new(),
        duration_ms: 1,
        failure: None,
        delivery: Delivery::FIRST,
    };
    let document = Document::unrendered(1, b"%PDF-".as_slice().into());
    let outcome = EffectResult::Document { record: Box::new(record), document: Ok(document) };
    let answer = Completion { effect: effect.id, generation: effect.generation, outcome };
    world.handle(answer, now).expect("a completion is never refused");
    sid
}

#[test]
fn a_media_url_is_signed_anew_on_each_view() {
    let mut world = world();
    let sid = fetched(&mut world);
    let fax = world.fax(sid).unwrap();
    let media_sid = fax.media.as_ref().expect("the document is stored").sid;
    assert_eq!((fax.status(), fax.pages()), (Status::Processing, Some(1)));
    let early = FaxResource::of(fax, &view());
    let late = FaxResource::of(fax, &View { now: view().now.after(Duration::from_secs(1)), ..view() });
    assert_ne!(early.media_url(), late.media_url());
    assert_eq!(early.media, late.media);
    assert!(early.media_url().unwrap().starts_with("https://fax.twilio.com/fax/AC0000"));
    let resource = serde_json::to_value(MediaResource::of(fax, &view())).unwrap();
    let expected = json!({
        "sid": media_sid.to_string(), "fax_sid": sid.to_string(),
        "account_sid": "AC00000000000000000000000000000000", "content_type": "application/pdf",
        "date_created": "2021-03-01T10:00:05Z", "date_updated": "2021-03-01T10:00:05Z",
        "url": format!("https://fax.twilio.com/v1/Faxes/{sid}/Media/{media_sid}"),
    });
    assert_eq!(resource, expected);
    let request = list_media(&form("PageSize=7")).unwrap();
    let list = serde_json::to_value(MediaList::find(&world, sid, &request, &view()).unwrap()).unwrap();
    assert_eq!(list["media"], json!([expected]));
    assert_eq!(list["meta"]["key"], "media");
    assert_eq!(list["meta"]["url"], format!("https://fax.twilio.com/v1/Faxes/{sid}/Media?PageSize=7&Page=0"));
}
