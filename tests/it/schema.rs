//! Holds answers of the Fax API to Twilio's own description of it (fixtures/api). It sends no request.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../fixtures/api/twilio_fax_v1.json")).expect("the fixture is JSON")
});

/// Fails unless Twilio describes this answer: its status, and each key with its type, enum, length and form, none
/// missing and none more.
///
/// Two exceptions: a `price` may be a string, as captured from Twilio, and a neighbour page may be null, as in all of
/// its libraries' fixtures.
pub(crate) fn assert_described(method: &str, path: &str, status: u16, body: &str) {
    let operation = &DESCRIPTION["paths"][path][method.to_ascii_lowercase()];
    let answer = &operation["responses"][status.to_string()];
    assert!(answer.is_object(), "{method} {path} is not described to answer {status}: {body}");
    let schema = &answer["content"]["application/json"]["schema"];
    if schema.is_null() {
        assert_eq!(body, "", "{method} {path} is described to have no body");
        return;
    }
    let body: Value = serde_json::from_str(body).expect("the body is JSON");
    check(&body, schema, &format!("{method} {path}"));
}

fn check(value: &Value, schema: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/schemas/")) {
        return check(value, &DESCRIPTION["components"]["schemas"][name], place);
    }
    if value.is_null() {
        let neighbour = place.ends_with(".next_page_url") || place.ends_with(".previous_page_url");
        assert!(neighbour || schema["nullable"] == true, "{place} may not be null");
        return;
    }
    match schema["type"].as_str() {
        Some("object") => check_object(value.as_object(), schema, place),
        Some("array") => {
            let items = value.as_array().unwrap_or_else(|| panic!("{place} is an array: {value}"));
            items.iter().for_each(|item| check(item, &schema["items"], place));
        }
        Some("integer") => assert!(value.is_u64(), "{place} is an integer: {value}"),
        Some("number") if place.ends_with(".price") => {
            let decimal = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert!(decimal.parse::<f64>().is_ok_and(f64::is_finite), "{place} is a decimal: {value}");
        }
        Some("number") => assert!(value.is_number(), "{place} is a number: {value}"),
        Some("string") => check_text(value.as_str(), schema, place),
        other => panic!("{place} is described as {other:?}"),
    }
}

fn check_object(value: Option<&Map<String, Value>>, schema: &Value, place: &str) {
    let object = value.unwrap_or_else(|| panic!("{place} is an object"));
    let Some(properties) = schema["properties"].as_object() else { return };
    let [described, answered]: [BTreeSet<&String>; 2] = [properties.keys().collect(), object.keys().collect()];
    assert_eq!(answered, described, "{place} has the described keys");
    for (key, value) in object {
        check(value, &properties[key], &format!("{place}.{key}"));
    }
}

fn check_text(value: Option<&str>, schema: &Value, place: &str) {
    let text = value.unwrap_or_else(|| panic!("{place} is a string"));
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.iter().any(|word| word == text), "{place} is one of {words:?}: {text}");
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        let prefix = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix("[0-9a-fA-F]{32}$"));
        let digits = text.strip_prefix(prefix.expect("all patterns are of SIDs")).unwrap_or_default();
        assert!(digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{place} fits {pattern}: {text}");
    }
    match schema["format"].as_str() {
        Some("uri") => assert!(url::Url::parse(text).is_ok(), "{place} is absolute: {text}"),
        // twilio-python leaves anything else a string.
        Some("date-time") => {
            let exact = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%SZ", text).is_ok() && text.len() == 20;
            assert!(exact, "{place} is a date: {text}");
        }
        None => {}
        Some(other) => panic!("{place} is described as {other}"),
    }
}

#[test]
#[should_panic(expected = "one of")]
fn an_answer_outside_an_enum_is_noticed() {
    let fax = DESCRIPTION["components"]["schemas"]["fax.v1.fax"]["properties"]["status"].clone();
    check(&Value::from("sent"), &fax, "status");
}

#[test]
#[should_panic(expected = "the described keys")]
fn a_missing_key_is_noticed() {
    assert_described("GET", "/v1/Faxes/{Sid}", 200, r#"{"sid":null}"#);
}
