//! Checks responses of the REST APIs against Twilio's own descriptions (fixtures/api). Other tests send the requests.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The descriptions, keyed by the beginnings of their paths.
static DESCRIPTIONS: LazyLock<[(&str, Value); 3]> = LazyLock::new(|| {
    let read = |text: &str| serde_json::from_str(text).expect("the fixture is JSON");
    [
        ("/v1/Faxes", read(include_str!("../../fixtures/api/twilio_fax_v1.json"))),
        ("/v1/Alerts", read(include_str!("../../fixtures/api/twilio_monitor_v1_alerts.json"))),
        ("/2010-04-01", read(include_str!("../../fixtures/api/twilio_api_v2010_subset.json"))),
    ]
});

fn description(path: &str) -> &'static Value {
    let found = DESCRIPTIONS.iter().find(|(root, _)| path.starts_with(root));
    &found.unwrap_or_else(|| panic!("{path} is described nowhere")).1
}

/// Panics unless Twilio describes this response: its status, and each key with its type, enum, pattern and format, with no
/// key missing or added.
///
/// The exceptions follow recorded responses or the fixtures of Twilio's libraries: a `price` may be a string, and latitude
/// and longitude are strings; the previous or next page may be null; in 2010-04-01 an unset string is empty and links are
/// relative; a number has `subresource_uris`; a list of available numbers or countries has no paging, and the keys of
/// `capabilities` in it are in mixed case.
pub(crate) fn assert_described(method: &str, path: &str, status: u16, body: &str) {
    let description = description(path);
    let operation = &description["paths"][path][method.to_ascii_lowercase()];
    let answer = &operation["responses"][status.to_string()];
    assert!(answer.is_object(), "{method} {path}: Twilio describes no status {status}: {body}");
    let schema = &answer["content"]["application/json"]["schema"];
    if schema.is_null() {
        assert_eq!(body, "", "{method} {path}: Twilio describes no body");
        return;
    }
    let body: Value = serde_json::from_str(body).expect("the body is JSON");
    check(&body, schema, description, &format!("{method} {path}"));
}

fn check(value: &Value, schema: &Value, description: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/schemas/")) {
        return check(value, &description["components"]["schemas"][name], description, place);
    }
    if value.is_null() {
        let neighbours = [".next_page_url", ".previous_page_url", ".next_page_uri", ".previous_page_uri"];
        let neighbour = neighbours.iter().any(|key| place.ends_with(key));
        assert!(neighbour || schema["nullable"] == true, "{place} is null");
        return;
    }
    match schema["type"].as_str() {
        Some("object") => check_object(value.as_object(), schema, description, place),
        Some("array") => {
            let items = value.as_array().unwrap_or_else(|| panic!("{place} is not an array: {value}"));
            items.iter().for_each(|item| check(item, &schema["items"], description, place));
        }
        Some("boolean") => assert!(value.is_boolean(), "{place} is not a boolean: {value}"),
        Some("integer") => assert!(value.is_u64(), "{place} is not an integer: {value}"),
        Some("number") if [".price", ".latitude", ".longitude"].iter().any(|key| place.ends_with(key)) => {
            let decimal = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert!(decimal.parse::<f64>().is_ok_and(f64::is_finite), "{place} is not a decimal: {value}");
        }
        Some("number") => assert!(value.is_number(), "{place} is not a number: {value}"),
        Some("string") => check_text(value.as_str(), schema, place),
        other => panic!("{place} is described as {other:?}"),
    }
}

fn check_object(value: Option<&Map<String, Value>>, schema: &Value, description: &Value, place: &str) {
    let object = value.unwrap_or_else(|| panic!("{place} is not an object"));
    // Twilio doesn't describe the properties of some objects, such as `subresource_uris`.
    let Some(properties) = schema["properties"].as_object() else { return };
    if place.ends_with(".capabilities") {
        assert!(object.len() == 4 && object.values().all(Value::is_boolean), "{place} is not four booleans");
        return;
    }
    let [described, mut answered]: [BTreeSet<&String>; 2] = [properties.keys().collect(), object.keys().collect()];
    if object.contains_key("voice_receive_mode") {
        answered.retain(|key| described.contains(key) || *key != "subresource_uris");
    }
    if object.contains_key("available_phone_numbers") || object.contains_key("countries") {
        answered = described.clone();
    }
    assert_eq!(answered, described, "{place} does not have the described keys");
    for (key, value) in object.iter().filter(|(key, _)| properties.contains_key(*key)) {
        check(value, &properties[key], description, &format!("{place}.{key}"));
    }
}

fn check_text(value: Option<&str>, schema: &Value, place: &str) {
    let text = value.unwrap_or_else(|| panic!("{place} is not a string"));
    let is_2010 = place.contains(" /2010-04-01");
    if is_2010 && text.is_empty() {
        return;
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.iter().any(|word| word == text), "{place} is not one of {words:?}: {text}");
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        let prefix = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix("[0-9a-fA-F]{32}$"));
        let digits = match prefix.expect("all patterns are of SIDs") {
            "[a-zA-Z]{2}" => text.get(2..),
            prefix => text.strip_prefix(prefix),
        };
        let digits = digits.unwrap_or_default();
        assert!(
            digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()),
            "{place} does not match {pattern}: {text}"
        );
    }
    match schema["format"].as_str() {
        Some("uri") if is_2010 && text.starts_with('/') => {}
        Some("uri") => assert!(url::Url::parse(text).is_ok(), "{place} is not an absolute URL: {text}"),
        // twilio-python parses dates in exactly these two formats.
        Some("date-time") => {
            let exact = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%SZ", text).is_ok() && text.len() == 20;
            assert!(exact, "{place} is not a date: {text}");
        }
        Some("date-time-rfc-2822") => {
            let exact = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S %z", text).is_ok() && text.len() == 31;
            assert!(exact, "{place} is not a date: {text}");
        }
        Some("phone-number") => assert!(text.starts_with('+'), "{place} is not a phone number: {text}"),
        None => {}
        Some(other) => panic!("{place} is described as {other}"),
    }
}

#[test]
#[should_panic(expected = "one of")]
fn a_value_outside_an_enum_is_detected() {
    let description = description("/v1/Faxes");
    let fax = description["components"]["schemas"]["fax.v1.fax"]["properties"]["status"].clone();
    check(&Value::from("sent"), &fax, description, "status");
}

#[test]
#[should_panic(expected = "the described keys")]
fn a_missing_key_is_detected() {
    assert_described("GET", "/v1/Faxes/{Sid}", 200, r#"{"sid":null}"#);
}
