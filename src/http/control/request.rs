//! A client's request as JSON, for the journal and for the traffic. Secrets are masked.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::masked::without_passwords;
use crate::dialect::advice::{self, Advice};
use crate::dialect::mask::{self, MASK};
use crate::dialect::sentence;
use crate::emulator::NoWorld;
use crate::model::account::Dialect;
use crate::world::journal::{ApiRequest, Excerpt};

/// The error text for a call whose connection was reset.
pub(super) const RESET: &str = "the connection was reset on purpose, by a rule";

/// Returns the data of the journal's entry for a request.
pub(super) fn data(dialect: Dialect, request: &ApiRequest) -> Value {
    let mut data = json!({
        "method": request.method,
        "path": request.path,
        "params": params(request),
        "status": status(request),
        "code": request.code,
        "error": request.is_reset.then_some(RESET),
        "duration_ms": duration_ms(request),
        "answer": answer(&request.response),
        "answer_bytes": request.response.whole_bytes,
        "reason": request.no_world.map(NoWorld::as_str),
        "account_sid": request.named.map(|sid| sid.to_string()),
    });
    if let Some(note) = note(request) {
        data["note"] = json!(note);
    }
    match (request.no_world, request.code) {
        // One code can have many reasons, and the emulator knows the actual one.
        (Some(reason), _) => {
            data["cause"] = json!(reason.cause());
            data["advice"] = json!(reason.remedy());
        }
        (None, Some(code)) => {
            if let Some(Advice { cause, remedy }) = advice::of_code(code, dialect) {
                data["cause"] = json!(cause);
                data["advice"] = json!(remedy);
            }
        }
        (None, None) => {}
    }
    data
}

/// Returns the status of the response; null if the connection was reset instead.
pub(super) fn status(request: &ApiRequest) -> Option<u16> {
    (!request.is_reset).then_some(request.status)
}

/// Returns a sentence about the rule that changed the response, if one did.
pub(super) fn note(request: &ApiRequest) -> Option<String> {
    request.rule.map(sentence::of_response)
}

/// Returns the parameters in the query and in the body. The value of a parameter that occurs more than once is a list.
pub(super) fn params(request: &ApiRequest) -> Value {
    let query = request.path.split_once('?').map_or("", |(_, query)| query);
    let form = whole_pairs(&request.form);
    let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(form));
    let mut params = Map::new();
    for (name, value) in pairs {
        let value = match mask::is_secret_name(&name) {
            true if !value.is_empty() => MASK.to_owned(),
            _ => mask::target(&value).into_owned(),
        };
        let value = Value::from(value);
        // JSON sent instead of a form is read as a single parameter, whose name is the JSON.
        let name = mask::json_text(&name);
        match params.get_mut(&*name) {
            None => {
                params.insert(name.to_string(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    without_passwords(params.into())
}

/// Returns the form without the pair at which it was cut off: a secret in half a value might not be recognised. JSON
/// sent instead of a form is not made of pairs, and is returned as far as it was kept.
fn whole_pairs(form: &Excerpt) -> &[u8] {
    if form.is_whole() || matches!(form.bytes.trim_ascii_start(), [b'{' | b'[', ..]) {
        return &form.bytes;
    }
    let end = form.bytes.iter().rposition(|byte| *byte == b'&').unwrap_or_default();
    &form.bytes[..end]
}

/// Returns how long the response took, in milliseconds to three decimals.
#[expect(
    clippy::cast_precision_loss,
    reason = "a request takes far less than the 285 years after which digits get lost"
)]
pub(super) fn duration_ms(request: &ApiRequest) -> f64 {
    request.duration.as_micros() as f64 / 1_000.0
}

/// Returns a response's body: complete JSON as it is, anything else as a string, and an empty body as null.
pub(super) fn answer(body: &Excerpt) -> Value {
    if body.bytes.is_empty() {
        return Value::Null;
    }
    let text = String::from_utf8_lossy(&body.bytes);
    let text = mask::json_text(&text);
    let json = body.is_whole().then(|| serde_json::from_str(&text).ok()).flatten();
    without_passwords(json.unwrap_or_else(|| Value::from(&*text)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::world::journal::EXCERPT_BYTES_MAX;

    fn request(path: &str, form: &[u8], response: &[u8]) -> ApiRequest {
        let (form, response) = (Excerpt::of(form), Excerpt::of(response));
        let duration = Duration::from_micros(1_234);
        ApiRequest { path: path.into(), form, response, duration, ..ApiRequest::default() }
    }

    #[test]
    fn parameters_are_those_of_the_query_and_the_body_with_secrets_masked() {
        let form = b"To=%2B15558675310&MediaUrl=http%3A%2F%2Fu%3AS%40h%2F%3Fsig%3DS&AuthToken=S&x=1&x=2&x=3&Name=%E9";
        let params = params(&request("/v1/Faxes?PageSize=1", form, b""));
        assert_eq!(
            params,
            json!({
                "PageSize": "1",
                "To": "+15558675310",
                "MediaUrl": "http://u:***@h/?sig=***",
                "AuthToken": "***",
                "x": ["1", "2", "3"],
                "Name": "\u{fffd}",
            })
        );
    }

    #[test]
    fn a_pair_at_which_a_long_form_was_cut_off_is_left_out() {
        let form = [b"a=1&secret".as_slice(), &vec![b'x'; EXCERPT_BYTES_MAX]].concat();
        assert_eq!(params(&request("/", &form, b"")), json!({ "a": "1" }));
        // The password in this URL could not be recognised, since its @ is missing.
        let only = [b"MediaUrl=http://user:".as_slice(), &vec![b'x'; EXCERPT_BYTES_MAX]].concat();
        assert_eq!(params(&request("/", &only, b"")), json!({}));
        // JSON is not made of pairs, and its beginning shows that the client didn't send a form.
        let sent = [br#"{"AuthToken":"S","To":""#.as_slice(), &vec![b'1'; EXCERPT_BYTES_MAX]].concat();
        let shown = params(&request("/", &sent, b"")).to_string();
        assert!(shown.starts_with(r#"{"{\"AuthToken\":\"***\",\"To\":\"111"#), "{}", &shown[..60]);
    }

    #[test]
    fn a_response_is_json_if_it_is_whole_and_otherwise_text() {
        let answer = |body: &[u8]| answer(&Excerpt::of(body));
        assert_eq!(answer(br#"{"sid":"AC1","auth_token":"S"}"#), json!({ "sid": "AC1", "auth_token": "***" }));
        assert_eq!(answer(b"<Response/>"), json!("<Response/>"));
        assert_eq!(answer(b""), Value::Null);
        let long = format!(r#"{{"auth_token":"S","x":"{}"}}"#, "y".repeat(EXCERPT_BYTES_MAX));
        let shown = answer(long.as_bytes());
        assert!(shown.as_str().is_some_and(|text| text.starts_with(r#"{"auth_token":"***","x":"yyy"#)), "{shown}");
    }

    #[test]
    fn json_that_was_sent_as_a_form_is_masked_too() {
        let params = params(&request("/", br#"{"AuthToken":"S","To":"+1"}"#, b""));
        assert_eq!(params, json!({ r#"{"AuthToken":"***","To":" 1"}"#: "" }));
    }

    #[test]
    fn a_refused_request_has_the_advice_for_its_reason_and_not_for_its_code() {
        let refused =
            |no_world| data(Dialect::Twilio, &ApiRequest { code: Some(20003), no_world, ..request("/", b"", b"") });
        assert_ne!(refused(Some(NoWorld::OtherDialect))["advice"], refused(Some(NoWorld::NoCredential))["advice"]);
        for reason in NoWorld::ALL {
            assert!(!reason.cause().is_empty() && reason.remedy().ends_with('.'), "{reason:?}");
        }
    }

    #[test]
    fn a_call_whose_connection_was_reset_has_no_status() {
        let data = data(Dialect::Twilio, &ApiRequest { is_reset: true, ..request("/", b"", b"") });
        assert_eq!((&data["status"], &data["error"]), (&Value::Null, &json!(RESET)));
    }

    #[test]
    fn a_duration_is_in_milliseconds() {
        assert_eq!(data(Dialect::Twilio, &request("/", b"", b""))["duration_ms"], json!(1.234));
    }
}
