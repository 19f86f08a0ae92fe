//! The Lookup API, v1 and v2. It says what can be known about a number without a telephone network; everything that
//! Twilio charges for is null.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::numbering::{self, InvalidNumber, Number};
use crate::dialect::form::Form;
use crate::dialect::parameter;

/// A number as v1 shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookupV1 {
    caller_name: Option<()>,
    country_code: Option<&'static str>,
    phone_number: String,
    national_format: String,
    carrier: Option<()>,
    add_ons: Option<()>,
    url: String,
}

impl LookupV1 {
    /// Looks up a number; `None` if it is invalid. `origin` is the scheme and host that the client used.
    #[must_use]
    pub fn of(number: &str, query: &Form, origin: &str) -> Option<Self> {
        let Number { country, e164, national_format, .. } = look_up(number, query).ok()?;
        Some(Self {
            caller_name: None,
            country_code: country,
            url: format!("{origin}/v1/PhoneNumbers/{e164}"),
            phone_number: e164,
            national_format,
            carrier: None,
            add_ons: None,
        })
    }
}

/// A number as v2 shows it, valid or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookupV2 {
    calling_country_code: Option<&'static str>,
    country_code: Option<&'static str>,
    phone_number: String,
    national_format: Option<String>,
    valid: bool,
    validation_errors: Option<[&'static str; 1]>,
    caller_name: Option<()>,
    sim_swap: Option<()>,
    call_forwarding: Option<()>,
    line_status: Option<()>,
    line_type_intelligence: Option<()>,
    identity_match: Option<()>,
    reassigned_number: Option<()>,
    sms_pumping_risk: Option<()>,
    phone_number_quality_score: Option<()>,
    pre_fill: Option<()>,
    url: String,
}

impl LookupV2 {
    /// Looks up a number. `origin` is the scheme and host that the client used.
    #[must_use]
    pub fn of(number: &str, query: &Form, origin: &str) -> Self {
        let (number, fault) = match look_up(number, query) {
            Ok(number) => (Ok(number), None),
            Err(InvalidNumber { fault, shown }) => (Err(shown), Some([fault.as_str()])),
        };
        let (calling_code, country, phone_number, national_format) = match number {
            Ok(Number { calling_code, country, e164, national_format }) => {
                (Some(calling_code), country, e164, Some(national_format))
            }
            Err(shown) => (None, None, shown, None),
        };
        Self {
            calling_country_code: calling_code,
            country_code: country,
            national_format,
            valid: fault.is_none(),
            validation_errors: fault,
            caller_name: None,
            sim_swap: None,
            call_forwarding: None,
            line_status: None,
            line_type_intelligence: None,
            identity_match: None,
            reassigned_number: None,
            sms_pumping_risk: None,
            phone_number_quality_score: None,
            pre_fill: None,
            url: format!("{origin}/v2/PhoneNumbers/{}", in_path(&phone_number)),
            phone_number,
        }
    }
}

fn look_up(number: &str, query: &Form) -> Result<Number, InvalidNumber> {
    numbering::parse(number, parameter::given(query, "CountryCode"))
}

/// Encodes a string for a path, except for a plus at the start, which Twilio leaves unencoded.
fn in_path(text: &str) -> String {
    let (plus, rest) = text.strip_prefix('+').map_or(("", text), |rest| ("+", rest));
    format!("{plus}{}", utf8_percent_encode(rest, NON_ALPHANUMERIC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ORIGIN: &str = "https://lookups.twilio.com";

    fn query(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn v1_has_every_key_and_does_not_find_invalid_numbers() {
        let shown = json!(LookupV1::of("+15108675310", &query("Type=carrier"), ORIGIN));
        let expected = json!({
            "caller_name": null, "country_code": "US", "phone_number": "+15108675310",
            "national_format": "(510) 867-5310", "carrier": null, "add_ons": null,
            "url": "https://lookups.twilio.com/v1/PhoneNumbers/+15108675310",
        });
        assert_eq!(shown, expected);
        let by_country = LookupV1::of("020 7765 1182", &query("CountryCode=GB"), ORIGIN);
        assert_eq!(by_country.map(|found| found.phone_number).as_deref(), Some("+442077651182"));
        assert_eq!(LookupV1::of("+1510", &query(""), ORIGIN), None);
    }

    #[test]
    fn v2_shows_invalid_numbers_with_their_faults() {
        let fields = "caller_name sim_swap call_forwarding line_status line_type_intelligence identity_match \
                      reassigned_number sms_pumping_risk phone_number_quality_score pre_fill";
        let whole = |mut known: Value| {
            let object = known.as_object_mut().expect("an object");
            object.extend(fields.split(' ').map(|name| (name.to_owned(), Value::Null)));
            known
        };
        let valid = json!(LookupV2::of("+14159929960", &query("Fields=line_type_intelligence"), ORIGIN));
        let expected = whole(json!({
            "calling_country_code": "1", "country_code": "US", "phone_number": "+14159929960",
            "national_format": "(415) 992-9960", "valid": true, "validation_errors": null,
            "url": "https://lookups.twilio.com/v2/PhoneNumbers/+14159929960",
        }));
        assert_eq!(valid, expected);
        let invalid = json!(LookupV2::of("+141599299600", &query(""), ORIGIN));
        let expected = whole(json!({
            "calling_country_code": null, "country_code": null, "phone_number": "+141599299600",
            "national_format": null, "valid": false, "validation_errors": ["TOO_LONG"],
            "url": "https://lookups.twilio.com/v2/PhoneNumbers/+141599299600",
        }));
        assert_eq!(invalid, expected);
        let text = json!(LookupV2::of("no number", &query(""), ORIGIN));
        assert_eq!(text["url"], "https://lookups.twilio.com/v2/PhoneNumbers/no%20number");
    }
}
