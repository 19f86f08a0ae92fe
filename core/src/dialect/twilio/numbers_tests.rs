//! Tests of the parameters and resources of phone numbers.

use super::*;
use crate::dialect::twilio::keys_of;
use crate::model::account::Dialect;
use crate::model::number::NumberAttributes;
use crate::model::number::ReceiveMode;
use crate::model::time::Timestamp;

const ACCOUNT: AccountSid = AccountSid::from_bytes([0; 16]);
const SEED: u64 = 8;

fn form(text: &str) -> Form {
    Form::parse(text.as_bytes()).unwrap()
}

fn number(text: &str, ordinal: u64) -> IncomingNumber {
    let number: PhoneNumber = text.parse().unwrap();
    IncomingNumber {
        sid: NumberSid::from_bytes([u8::try_from(ordinal).unwrap(); 16]),
        ordinal,
        number,
        capabilities: Capabilities::ALL,
        created: Timestamp::from_seconds(1_438_298_344),
        updated: Timestamp::from_seconds(1_438_298_344),
        attributes: NumberAttributes::of_new(number),
    }
}

fn buy(text: &str, kind: Option<NumberKind>) -> Result<BuyNumber, ApiError> {
    buy_number(&form(text), kind, SEED)
}

#[test]
fn a_new_number_has_every_key_and_the_documented_defaults() {
    let shown = serde_json::to_value(NumberResource::of(&number("+18089255327", 1), ACCOUNT, SEED)).unwrap();
    let path = "/2010-04-01/Accounts/AC00000000000000000000000000000000/IncomingPhoneNumbers";
    let sid = "PN01010101010101010101010101010101";
    let expected = serde_json::json!({
        "sid": sid, "account_sid": "AC00000000000000000000000000000000", "friendly_name": "(808) 925-5327",
        "phone_number": "+18089255327", "api_version": "2010-04-01", "address_requirements": "none",
        "address_sid": null, "beta": false, "capabilities": {"voice": true, "sms": true, "mms": true, "fax": true},
        "date_created": "Thu, 30 Jul 2015 23:19:04 +0000", "date_updated": "Thu, 30 Jul 2015 23:19:04 +0000",
        "emergency_status": "Inactive", "emergency_address_sid": null, "emergency_address_status": "unregistered",
        "identity_sid": null, "bundle_sid": null, "origin": "twilio", "status": "in-use", "sms_application_sid": "",
        "sms_fallback_method": "POST", "sms_fallback_url": "", "sms_method": "POST", "sms_url": "",
        "status_callback": "", "status_callback_method": "POST", "trunk_sid": null, "voice_application_sid": "",
        "voice_caller_id_lookup": false, "voice_fallback_method": "POST", "voice_fallback_url": null,
        "voice_method": "POST", "voice_url": null, "voice_receive_mode": "voice", "uri": format!("{path}/{sid}.json"),
        "subresource_uris": {"assigned_add_ons": format!("{path}/{sid}/AssignedAddOns.json")},
    });
    assert_eq!(shown, expected);
}

#[test]
fn a_purchase_names_a_number_or_an_area() {
    let order =
        buy("PhoneNumber=%2B15005550006&FriendlyName=My+Fax&VoiceUrl=http%3A%2F%2Fh%2Ffax&VoiceReceiveMode=fax", None);
    let order = order.unwrap();
    assert_eq!(order.wanted, NumberRequest::Number(PhoneNumber::from_digits(15_005_550_006)));
    let change = NumberChange {
        friendly_name: Some("My Fax".into()),
        voice_url: Some("http://h/fax".into()),
        voice_receive_mode: Some(ReceiveMode::Fax),
        ..NumberChange::default()
    };
    assert_eq!(order.change, change);
    assert_eq!(buy("AreaCode=415", None).unwrap().wanted, NumberRequest::Area(415));
    for (text, code) in [
        ("", 20001),
        ("FriendlyName=x", 20001),
        ("PhoneNumber=5551234", 21421),
        ("PhoneNumber=+15005550006", 21421),
        ("AreaCode=41", 21451),
        ("AreaCode=4155", 21451),
        ("AreaCode=abc", 21451),
    ] {
        assert_eq!(
            buy(text, None).map_err(|error| (error.status(Dialect::Twilio), error.code(Dialect::Twilio))).err(),
            Some((400, code)),
            "{text}"
        );
    }
}

#[test]
fn sub_lists_sell_only_their_own_type_and_only_by_number() {
    let code = |text, kind| buy(text, Some(kind)).map_err(|error| error.code(Dialect::Twilio)).err();
    assert_eq!(code("AreaCode=415", NumberKind::Local), Some(21457));
    assert_eq!(code("", NumberKind::Local), Some(20001));
    assert_eq!(code("PhoneNumber=%2B18005551234", NumberKind::Local), Some(21458));
    assert_eq!(code("PhoneNumber=%2B14155551234", NumberKind::Mobile), Some(21458));
    assert_eq!(code("PhoneNumber=%2B18005551234", NumberKind::TollFree), None);
}

#[test]
fn every_attribute_is_read() {
    let digits = "0123456789abcdef0123456789abcdef";
    let text = format!(
        "FriendlyName=F&ApiVersion=2008-08-01&VoiceUrl=http://h/1&VoiceMethod=get&VoiceFallbackUrl=http://h/2\
         &VoiceFallbackMethod=GET&StatusCallback=http://h/3&StatusCallbackMethod=GET&VoiceApplicationSid=AP{digits}\
         &TrunkSid=TK{digits}&VoiceCallerIdLookup=True&VoiceReceiveMode=fax&SmsUrl=http://h/4&SmsMethod=GET\
         &SmsFallbackUrl=http://h/5&SmsFallbackMethod=GET&SmsApplicationSid=AP{digits}&AddressSid=AD{digits}\
         &BundleSid=BU{digits}&IdentitySid=RI{digits}&EmergencyStatus=Active&EmergencyAddressSid=AD{digits}"
    );
    let change = update_number(&form(&text), ACCOUNT).unwrap();
    let number = number("+18089255327", 1);
    let changed = IncomingNumber { attributes: number.attributes.clone().with(&change), ..number.clone() };
    let [before, after] =
        [&number, &changed].map(|number| serde_json::to_value(NumberResource::of(number, ACCOUNT, SEED)).unwrap());
    let kept = [
        "sid",
        "account_sid",
        "phone_number",
        "address_requirements",
        "beta",
        "capabilities",
        "date_created",
        "date_updated",
        "emergency_address_status",
        "origin",
        "status",
        "uri",
        "subresource_uris",
    ];
    for key in keys_of(&after) {
        assert_eq!(before[key] == after[key], kept.contains(&key), "{key}");
    }
    assert_eq!((&after["voice_url"], &after["voice_method"]), (&"http://h/1".into(), &"GET".into()));
}

#[test]
fn an_empty_value_clears_a_url_in_an_update_and_is_ignored_in_a_purchase() {
    let text = "VoiceUrl=&StatusCallback=&VoiceMethod=&VoiceApplicationSid=&FriendlyName=";
    let change = update_number(&form(text), ACCOUNT).unwrap();
    let cleared = NumberChange {
        voice_url: Some("".into()),
        status_callback: Some("".into()),
        voice_application_sid: Some("".into()),
        ..NumberChange::default()
    };
    assert_eq!(change, cleared);
    assert_eq!(buy(&format!("AreaCode=415&{text}"), None).unwrap().change, NumberChange::default());
}

#[test]
fn each_invalid_attribute_has_the_closest_documented_code() {
    let name = "x".repeat(65);
    for (text, code) in [
        (format!("FriendlyName={name}"), 20002),
        ("VoiceUrl=localhost:3000/fax".to_owned(), 21402),
        ("VoiceFallbackUrl=ftp://h/".to_owned(), 21402),
        ("StatusCallback=h".to_owned(), 21402),
        ("SmsUrl=h".to_owned(), 21402),
        ("VoiceMethod=PUT".to_owned(), 21403),
        ("StatusCallbackMethod=x".to_owned(), 21403),
        ("VoiceReceiveMode=Fax".to_owned(), 20422),
        ("VoiceCallerIdLookup=y".to_owned(), 20422),
        ("ApiVersion=2020".to_owned(), 20422),
        ("EmergencyStatus=on".to_owned(), 20422),
        ("TrunkSid=TK1".to_owned(), 20423),
        ("AccountSid=AC11111111111111111111111111111111".to_owned(), 21473),
    ] {
        let error = update_number(&form(&text), ACCOUNT).unwrap_err();
        assert_eq!((error.status(Dialect::Twilio), error.code(Dialect::Twilio)), (400, code), "{text}");
        assert!(error.message.contains(text.split('=').next().unwrap()), "{}", error.message);
    }
    assert!(update_number(&form(&format!("AccountSid={ACCOUNT}")), ACCOUNT).is_ok());
}

#[test]
fn a_list_is_filtered_by_name_digits_kind_and_origin() {
    let numbers = [number("+18005551234", 4), number("+442079460958", 3), number("+14155550100", 2)];
    let shown = |query: &str, kind| {
        let (filter, _) = list_numbers(&form(query), kind).unwrap();
        numbers.iter().filter(|number| filter.shows(number, SEED)).map(|number| number.ordinal).collect::<Vec<_>>()
    };
    assert_eq!(shown("Beta=False&FriendlyName=&PhoneNumber=&Origin=twilio&PageSize=", None), [4, 3, 2]);
    assert_eq!(shown("FriendlyName=%28415%29+555-0100", None), [2]);
    assert_eq!(shown("FriendlyName=%28415%29", None), Vec::<u64>::new());
    for (pattern, found) in [
        ("555", vec![4, 2]),
        ("%2B1", vec![4, 2]),
        ("%2B4155", vec![]),
        ("4155*50", vec![2]),
        ("%2B1***5551234", vec![4]),
        ("%2B14155550100", vec![2]),
        ("%2B141555501000", vec![]),
        ("*", vec![4, 3, 2]),
    ] {
        assert_eq!(shown(&format!("PhoneNumber={pattern}"), None), found, "{pattern}");
    }
    assert_eq!(shown("Origin=hosted", None), Vec::<u64>::new());
    assert_eq!(shown("", Some(NumberKind::TollFree)), [4]);
    assert_eq!(shown("", Some(NumberKind::Local)), [3, 2]);
    for bad in ["PhoneNumber=55-1", "Origin=other", "Beta=x", "PageSize=x"] {
        assert_eq!(
            list_numbers(&form(bad), None).map_err(|error| error.code(Dialect::Twilio)).err(),
            Some(20422),
            "{bad}"
        );
    }
}

#[test]
fn a_page_of_numbers_has_only_the_keys_that_sdks_allow() {
    let numbers = [number("+14155550102", 2), number("+14155550101", 1)];
    let (_, request) = list_numbers(&form("PageSize=1&PhoneNumber=%2B1415"), None).unwrap();
    let page = request.cut(numbers.iter(), |number| number.ordinal);
    let list = serde_json::to_value(NumberList::of(&page, &request, None, ACCOUNT, SEED)).unwrap();
    let allowed = [
        "incoming_phone_numbers",
        "page",
        "page_size",
        "start",
        "end",
        "uri",
        "first_page_uri",
        "next_page_uri",
        "previous_page_uri",
    ];
    assert_eq!(keys_of(&list), allowed.into());
    let path = "/2010-04-01/Accounts/AC00000000000000000000000000000000/IncomingPhoneNumbers.json";
    assert_eq!(list["uri"], format!("{path}?PhoneNumber=%2B1415&PageSize=1&Page=0"));
    let next = format!("{path}?PhoneNumber=%2B1415&PageSize=1&Page=1&PageToken=PAPN{:032x}", 2);
    assert_eq!(list["next_page_uri"], next);
    let (_, request) = list_numbers(&form(next.split_once('?').unwrap().1), None).unwrap();
    let page = request.cut(numbers.iter(), |number| number.ordinal);
    assert_eq!(page.items.iter().map(|number| number.ordinal).collect::<Vec<_>>(), [1]);
    let kind = Some(NumberKind::TollFree);
    let list = serde_json::to_value(NumberList::of(&page, &request, kind, ACCOUNT, SEED)).unwrap();
    assert!(list["uri"].as_str().unwrap().contains("/IncomingPhoneNumbers/TollFree.json?"));
}
