//! Reads the parameters and filters that the REST calls for faxes have in both dialects. Twilio's calls for messages
//! use `StatusCallback` too.

use std::sync::Arc;

use super::error::{ApiError, Reason};
use super::form::Form;
use super::{date, parameter};
use crate::model::phone::Party;
use crate::model::time::Timestamp;

/// SIP user names and passwords must be shorter than this, in characters (Twilio's errors 21221 and 21223).
const SIP_AUTH_LEN_LIMIT: usize = 256;
/// The headers of a SIP URI must be shorter than this, in bytes (Twilio's error 21227).
const SIP_HEADERS_LEN_LIMIT: usize = 1_024;
/// A filter that consists of at least this many digits is a phone number without its `+`, not the name of a SIP caller:
/// extensions have fewer digits.
const DIGITS_OF_NUMBER_MIN: usize = 7;

/// Reads `To`, which is required: a phone number or a SIP URI.
pub(super) fn destination(form: &Form) -> Result<Party, ApiError> {
    let Some(text) = parameter::given(form, "To") else {
        return Err(ApiError::new(Reason::ToMissing, "No 'To' number is specified"));
    };
    // Checked before the address itself, because headers that are too long have their own error code.
    let headers = text.split_once('?').map_or("", |(_, headers)| headers);
    if text.to_ascii_lowercase().starts_with("sip") && headers.len() >= SIP_HEADERS_LEN_LIMIT {
        return Err(ApiError::new(
            Reason::SipHeadersTooLong,
            format!("To: the headers of a SIP URI must be shorter than {SIP_HEADERS_LEN_LIMIT} bytes"),
        ));
    }
    Party::destination(text).ok_or_else(|| ApiError::invalid_to(&parameter::excerpt(text)))
}

/// Reads `From`, whose valid forms depend on the destination.
pub(super) fn caller(form: &Form, to: &Party) -> Result<Option<Party>, ApiError> {
    let Some(text) = parameter::given(form, "From") else { return Ok(None) };
    let from = match to {
        Party::Sip(_) => Party::sip_caller(text),
        Party::Number(_) | Party::Name(_) => text.parse().ok().map(Party::Number),
    };
    from.map(Some).ok_or_else(|| ApiError::invalid_from(&parameter::excerpt(text)))
}

/// Reads `MediaUrl`, which is required.
pub(super) fn media_url_parameter(form: &Form) -> Result<Arc<str>, ApiError> {
    let text = parameter::given(form, "MediaUrl").ok_or_else(|| ApiError::missing("MediaUrl"))?;
    parameter::check_url(text).map_err(|reason| {
        ApiError::new(Reason::MediaUrl, format!("Invalid MediaUrl '{}': {reason}", parameter::excerpt(text)))
    })?;
    Ok(text.into())
}

/// Reads `StatusCallback`, which is optional.
pub(super) fn status_callback(form: &Form) -> Result<Option<Box<str>>, ApiError> {
    let Some(text) = parameter::given(form, "StatusCallback") else { return Ok(None) };
    parameter::check_url(text).map_err(|reason| {
        ApiError::new(
            Reason::StatusCallback,
            format!("Invalid StatusCallback '{}': {reason}", parameter::excerpt(text)),
        )
    })?;
    Ok(Some(text.into()))
}

/// Checks the SIP credential. The emulator doesn't use or keep it, and no error message repeats the password.
pub(super) fn check_sip_auth(form: &Form) -> Result<(), ApiError> {
    let (username, password) = (parameter::given(form, "SipAuthUsername"), parameter::given(form, "SipAuthPassword"));
    for (name, value, too_long, illegal) in [
        ("SipAuthUsername", username, Reason::SipUsernameTooLong, Reason::SipUsernameIllegal),
        ("SipAuthPassword", password, Reason::SipPasswordTooLong, Reason::SipPasswordIllegal),
    ] {
        let value = value.unwrap_or_default();
        if value.chars().count() >= SIP_AUTH_LEN_LIMIT {
            return Err(ApiError::new(too_long, format!("Invalid {name}. Must be fewer than 256 chars")));
        }
        if value.chars().any(char::is_control) {
            return Err(ApiError::new(illegal, format!("Invalid {name}. Illegal chars")));
        }
    }
    if username.is_some() && password.is_none() {
        return Err(ApiError::new(
            Reason::SipPasswordMissing,
            "SipAuthPassword is required when providing SipAuthUsername",
        ));
    }
    Ok(())
}

/// Reads a filter by number, SIP address or the name of a SIP caller.
pub(super) fn party(query: &Form, name: &str) -> Result<Option<Party>, ApiError> {
    let Some(text) = parameter::given(query, name) else { return Ok(None) };
    // A number without its plus would pass as a name, and the list would be empty without any explanation.
    let lacks_plus = text.len() >= DIGITS_OF_NUMBER_MIN && text.bytes().all(|byte| byte.is_ascii_digit());
    let party = Party::sip_caller(text).filter(|_| !lacks_plus);
    party.map(Some).ok_or_else(|| {
        let text = parameter::excerpt(text);
        let forms = "a phone number (with +, written as %2B), a SIP address or the name of a SIP caller";
        ApiError::invalid(name, &format!("'{text}' is not {forms}"))
    })
}

/// Reads a filter by date.
pub(super) fn moment(query: &Form, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = parameter::given(query, name) else { return Ok(None) };
    // A plus that wasn't encoded has become a space, as in `2021-03-01T10:00:00+00:00`.
    let moment = date::parse(text).or_else(|| date::parse(&text.replace(' ', "+")));
    moment.map(Some).ok_or_else(|| {
        ApiError::invalid(name, &format!("'{}' is not a date like 2021-03-01T10:00:00Z", parameter::excerpt(text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &str) -> Result<Option<String>, String> {
        let party = party(&Form::parse(query.as_bytes()).unwrap(), "From");
        party.map(|party| party.map(|party| party.to_string())).map_err(|error| error.message)
    }

    #[test]
    fn a_filter_is_a_number_a_sip_address_or_a_callers_name() {
        for (query, party) in [
            ("From=%2B15017122661", "+15017122661"),
            ("From=sip:kate@example.com", "sip:kate@example.com"),
            ("From=Jack", "Jack"),
            ("From=1001", "1001"),
        ] {
            assert_eq!(filter(query), Ok(Some(party.to_owned())), "{query}");
        }
        assert_eq!(filter("To=%2B15017122661"), Ok(None));
    }

    #[test]
    fn a_filter_by_a_number_without_its_plus_is_refused() {
        for query in ["From=15017122661", "From=+15017122661", "From=442071838750"] {
            let error = filter(query).unwrap_err();
            assert!(error.contains("From") && error.contains("%2B"), "{query}: {error}");
        }
    }
}
