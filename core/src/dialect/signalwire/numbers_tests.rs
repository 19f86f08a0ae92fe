//! Tests of the parameters and the resource of SignalWire's phone numbers.

use super::*;
use crate::engine::input::NumberRequest;
use crate::model::account::Dialect;
use crate::model::number::{NumberAttributes, ReceiveMode};
use crate::model::phone::PhoneNumber;
use crate::model::sid::{Id, NumberSid};
use crate::model::time::Timestamp;
use crate::model::webhook::Method;

const SEED: u64 = 8;

fn account() -> AccountSid {
    AccountSid::minted([0; 16], IdForm::Uuid)
}

fn form(text: &str) -> Form {
    Form::parse(text.as_bytes()).unwrap()
}

fn number(text: &str, ordinal: u8) -> IncomingNumber {
    let number: PhoneNumber = text.parse().unwrap();
    IncomingNumber {
        sid: NumberSid::minted([ordinal; 16], IdForm::Uuid),
        ordinal: ordinal.into(),
        number,
        capabilities: Capabilities::ALL,
        created: Timestamp::from_seconds(1_438_298_344),
        updated: Timestamp::from_seconds(1_438_298_344),
        attributes: NumberAttributes::of_new(number),
    }
}

#[test]
fn a_new_number_has_every_key_but_no_receive_mode() {
    let shown = serde_json::to_value(NumberResource::of(&number("+18089255327", 1), account(), SEED)).unwrap();
    let (project, sid) = ("00000000-0000-4000-8000-000000000000", "01010101-0101-4101-8101-010101010101");
    let expected = serde_json::json!({
        "sid": sid, "account_sid": project, "account_id": project, "friendly_name": "808-925-5327",
        "phone_number": "+18089255327", "voice_url": null, "voice_method": "POST", "voice_fallback_url": null,
        "voice_fallback_method": "POST", "voice_caller_id_lookup": false, "voice_application_sid": null,
        "status_callback": null, "status_callback_method": "POST", "sms_url": null, "sms_method": "POST",
        "sms_fallback_url": null, "sms_fallback_method": "POST", "sms_application_sid": null,
        "date_created": "Thu, 30 Jul 2015 23:19:04 +0000", "date_updated": "Thu, 30 Jul 2015 23:19:04 +0000",
        "capabilities": {"voice": true, "sms": true, "mms": true, "fax": true}, "beta": false,
        "address_requirements": "none", "address_sid": null, "identity_sid": null, "trunk_sid": null,
        "emergency_status": "inactive", "emergency_address_sid": null, "origin": "signalwire",
        "api_version": "2010-04-01",
        "uri": format!("/api/laml/2010-04-01/Accounts/{project}/IncomingPhoneNumbers/{sid}.json"),
    });
    assert_eq!(shown, expected);
}

#[test]
fn a_purchase_reads_signalwires_attributes_and_ignores_twilios() {
    let text = "PhoneNumber=%2B15005550006&VoiceReceiveMode=fax&VoiceUrl=http://h/fax&VoiceMethod=GET\
                &VoiceApplicationSid=831455c6-574e-4d8b-b6ee-2418140bf4cd&BundleSid=BU1&EmergencyStatus=x&ApiVersion=9";
    let BuyNumber { wanted, change } = buy_number(&form(text), SEED).unwrap();
    assert_eq!(wanted, NumberRequest::Number(PhoneNumber::from_digits(15_005_550_006)));
    let expected = NumberChange {
        voice_receive_mode: Some(ReceiveMode::Fax),
        voice_url: Some("http://h/fax".into()),
        voice_method: Some(Method::Get),
        voice_application_sid: Some("831455c6-574e-4d8b-b6ee-2418140bf4cd".into()),
        ..NumberChange::default()
    };
    assert_eq!(change, expected);
    assert_eq!(buy_number(&form("AreaCode=310"), SEED).unwrap().wanted, NumberRequest::Area(310));
}

#[test]
fn an_update_clears_empty_attributes_and_keeps_absent_ones() {
    let change = update_number(&form("VoiceUrl=&VoiceApplicationSid=")).unwrap();
    assert_eq!((change.voice_url.as_deref(), change.voice_application_sid.as_deref()), (Some(""), Some("")));
    assert_eq!(change.sms_url, None);
}

#[test]
fn each_invalid_parameter_has_its_code_and_is_named() {
    let application = format!("VoiceApplicationSid=AP{}", "0".repeat(32));
    for (bad, code) in [
        ("VoiceReceiveMode=Fax", 21209),
        ("VoiceMethod=PUT", 21209),
        ("VoiceUrl=example.com", 21402),
        ("StatusCallback=ftp://h/", 21402),
        ("VoiceCallerIdLookup=maybe", 10000),
        (application.as_str(), 10000),
    ] {
        let error = update_number(&form(bad)).unwrap_err();
        assert_eq!((error.status(Dialect::SignalWire), error.code(Dialect::SignalWire)), (422, code), "{bad}");
        assert!(error.message.contains(bad.split('=').next().unwrap()), "{}", error.message);
    }
    for (bad, code) in [("", 10000), ("PhoneNumber=555", 21421), ("AreaCode=12", 21451)] {
        let error = buy_number(&form(bad), SEED).unwrap_err();
        assert_eq!((error.status(Dialect::SignalWire), error.code(Dialect::SignalWire)), (422, code), "{bad}");
        assert!(error.message.contains(bad.split('=').next().unwrap()), "{}", error.message);
    }
}

#[test]
fn a_list_is_filtered_by_digits_and_by_the_shown_name() {
    let numbers = [number("+18089255327", 2), number("+15005550006", 1)];
    let shown = |query: &str| {
        let (filter, request) = list_numbers(&form(query)).unwrap();
        let page = request.cut(numbers.iter().filter(|number| filter.shows(number)), |number| number.ordinal);
        serde_json::to_value(NumberList::of(&page, &request, account(), SEED)).unwrap()
    };
    let names = |query: &str| {
        let list = shown(query)["incoming_phone_numbers"].as_array().cloned().unwrap_or_default();
        list.iter().map(|number| number["phone_number"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["+18089255327", "+15005550006"]);
    assert_eq!(names("PhoneNumber=%2B1500"), ["+15005550006"]);
    assert_eq!(names("FriendlyName=808-925-5327"), ["+18089255327"]);
    assert_eq!(names("FriendlyName=(808)+925-5327"), Vec::<String>::new());
    let list = shown("PhoneNumber=5&PageSize=1");
    let path = "/api/laml/2010-04-01/Accounts/00000000-0000-4000-8000-000000000000/IncomingPhoneNumbers";
    assert_eq!(list["uri"], format!("{path}?PhoneNumber=5&Page=0&PageSize=1"));
    let next = list["next_page_uri"].as_str().unwrap();
    assert!(next.starts_with(&format!("{path}?PhoneNumber=5&Page=1&PageSize=1&PageToken=PA")), "{next}");
    for (bad, code) in [("Page=1", 54453), ("PageSize=0", 54454), ("PageToken=x", 21481), ("PhoneNumber=x", 10000)] {
        let refused = list_numbers(&form(bad)).map(drop).map_err(|error| error.code(Dialect::SignalWire));
        assert_eq!(refused, Err(code), "{bad}");
    }
}
