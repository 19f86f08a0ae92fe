//! A request and its response, read from the JSON of the event that records them: a request to the app or for a
//! document, or a call that the app made to the REST API.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use crate::dialect::mask;
use crate::http::control::event::EventView;
use crate::io::EXCERPT_BYTES_MAX;

const FORM: &str = "application/x-www-form-urlencoded";

/// A list of names and values, in the order in which they were sent.
pub(super) type Pairs = Vec<(String, String)>;

/// One exchange of a conversation.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) seq: u64,
    /// The purpose of a request by the emulator; `rest-api` for a call by the app.
    pub(super) purpose: String,
    pub(super) method: String,
    /// The absolute URL, with its password and secret parameters masked.
    pub(super) url: String,
    pub(super) params: Pairs,
    pub(super) request_headers: Pairs,
    /// The URL that redirects led to, if there were any.
    pub(super) redirected_to: Option<String>,
    /// The status of the response; `None` if none arrived.
    pub(super) status: Option<u16>,
    pub(super) response_headers: Pairs,
    /// The part of the response's body that the journal keeps.
    pub(super) body: String,
    /// The real time that the exchange took; `None` if unknown.
    pub(super) duration_ms: Option<u64>,
    /// Why the exchange failed, or why its document can't be used.
    pub(super) error: Option<String>,
}

impl Exchange {
    /// Reads the exchange that an event records, if it records one. `origin` is the scheme and host at which the REST
    /// API is called.
    pub(super) fn of(event: &EventView, origin: &str) -> Option<Self> {
        let data = &event.data;
        match event.kind {
            "webhook.attempt" | "webhook.replayed" | "document.fetched" => Some(Self {
                seq: event.seq,
                purpose: word(&data["purpose"]),
                method: word(&data["method"]),
                url: shown(&word(&data["url"])),
                params: pairs(&data["params"]),
                request_headers: pairs(&data["request_headers"]),
                redirected_to: data["redirected_to"].as_str().map(shown),
                status: status(&data["status"]),
                response_headers: pairs(&data["response_headers"]),
                body: word(&data["body"]),
                duration_ms: whole_ms(&data["duration_ms"]),
                error: [&data["error"]["message"], &data["reason"]].iter().find_map(|why| why.as_str()).map(shown),
            }),
            "api.request" => Some(Self {
                seq: event.seq,
                purpose: "rest-api".to_owned(),
                method: word(&data["method"]),
                url: shown(&format!("{origin}{}", word(&data["path"]))),
                params: pairs(&data["params"]),
                request_headers: Vec::new(),
                redirected_to: None,
                status: status(&data["status"]),
                response_headers: Vec::new(),
                body: word(&data["answer"]),
                duration_ms: whole_ms(&data["duration_ms"]),
                error: status(&data["status"]).filter(|status| *status >= 400).map(|status| {
                    let code = data["code"].as_u64().map(|code| format!(" with error {code}")).unwrap_or_default();
                    format!("the emulator responded with {status}{code}")
                }),
            }),
            _ => None,
        }
    }

    /// Returns whether the app made the request, rather than the emulator.
    pub(super) fn is_rest(&self) -> bool {
        self.purpose == "rest-api"
    }

    /// Returns the media type of the request's body, if it has one.
    pub(super) fn request_type(&self) -> Option<&str> {
        let has_body = self.method == "POST" || (self.is_rest() && self.method != "GET" && !self.params.is_empty());
        has_body.then(|| header(&self.request_headers, "content-type").unwrap_or(FORM))
    }

    /// Returns whether the request's body is a form, whose text can be rebuilt from the parameters. Any other body is
    /// multipart, with a file that the journal doesn't keep.
    pub(super) fn is_form(&self) -> bool {
        self.request_type().is_some_and(|media_type| media_type.starts_with(FORM))
    }

    /// Returns the length of the response's body according to its Content-Length.
    pub(super) fn body_bytes(&self) -> Option<u64> {
        header(&self.response_headers, "content-length")?.trim().parse().ok()
    }

    /// Returns a note if the body is, or may be, only the beginning of the one that was sent.
    pub(super) fn cut(&self) -> Option<String> {
        // If a document could be used, the journal keeps no part of its body.
        if self.body.is_empty() {
            return None;
        }
        match self.body_bytes() {
            Some(bytes) if bytes > EXCERPT_BYTES_MAX as u64 => {
                Some(format!("the journal keeps the first {EXCERPT_BYTES_MAX} of {bytes} bytes"))
            }
            Some(_) => None,
            None => (self.body.len() >= EXCERPT_BYTES_MAX && !self.is_rest())
                .then(|| format!("the journal keeps the first {EXCERPT_BYTES_MAX} bytes; there may have been more")),
        }
    }
}

/// Returns the value of the first header with this name, regardless of case.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Masks the passwords and the secret query parameters of a URL. The journal masks only passwords, since a tester may
/// need the rest; an export is meant for other people, so it has no secrets.
fn shown(url: &str) -> String {
    match mask::target(url) {
        Cow::Borrowed(url) => url.to_owned(),
        Cow::Owned(masked) => masked,
    }
}

fn status(value: &Value) -> Option<u16> {
    u16::try_from(value.as_u64()?).ok()
}

/// Returns a string unchanged, null as an empty string, and any other value as JSON.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Reads the fields of an object; if a name has several values, they are in a list.
fn pairs(value: &Value) -> Pairs {
    let mut pairs = Pairs::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        pairs.extend(values.iter().map(|value| (name.clone(), shown_value(value))));
    }
    pairs
}

/// Returns a parameter's value, with the secrets masked if it is a URL.
fn shown_value(value: &Value) -> String {
    let text = word(value);
    if text.starts_with("http://") || text.starts_with("https://") { shown(&text) } else { text }
}

/// Reads a duration as whole milliseconds. The journal writes those of calls to the REST API with a fraction.
fn whole_ms(value: &Value) -> Option<u64> {
    let ms = Duration::try_from_secs_f64(value.as_f64()? / 1_000.0).ok()?.as_millis();
    u64::try_from(ms).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exchange(kind: &'static str, data: Value) -> Exchange {
        let event = EventView { seq: 1, at: "2026-01-02T03:04:05.000006Z".to_owned(), kind, fax_sid: None, data };
        Exchange::of(&event, "http://localhost:8329").expect("an exchange")
    }

    #[test]
    fn secrets_in_urls_and_in_parameters_that_are_urls_are_masked() {
        let media = "http://localhost:8329/media/x?X-Amz-Signature=abc&X-Amz-Date=1";
        let data =
            json!({ "url": "http://u:pw@h/p?token=abc&x=1", "params": { "MediaUrl": media, "Token?": "a?token=b" } });
        let exchange = exchange("webhook.attempt", data);
        assert_eq!(exchange.url, "http://u:***@h/p?token=***&x=1");
        assert_eq!(exchange.params[0].1, "http://localhost:8329/media/x?X-Amz-Signature=***&X-Amz-Date=1");
        assert_eq!(exchange.params[1].1, "a?token=b", "not a URL");
    }

    #[test]
    fn a_call_is_read_with_the_details_that_its_event_has() {
        let bare =
            exchange("api.request", json!({ "method": "GET", "path": "/v1/Faxes/FX1", "status": 404, "code": 20404 }));
        assert_eq!((bare.url.as_str(), bare.status), ("http://localhost:8329/v1/Faxes/FX1", Some(404)));
        assert_eq!(bare.error.as_deref(), Some("the emulator responded with 404 with error 20404"));
        let data = json!({
            "method": "POST", "path": "/v1/Faxes", "status": 201, "code": null, "duration_ms": 3.2,
            "params": { "To": "+1", "Many": ["a", "b"] }, "answer": { "sid": "FX1" },
        });
        let full = exchange("api.request", data);
        assert_eq!((full.duration_ms, full.body.as_str(), full.error.as_deref()), (Some(3), r#"{"sid":"FX1"}"#, None));
        let many = ("Many".to_owned(), "b".to_owned());
        assert!(full.params.len() == 3 && full.params[2] == many && full.is_form());
    }

    #[test]
    fn a_body_says_if_it_was_cut() {
        let with = |length: Option<&str>, body: usize| {
            let headers = length.map_or(json!({}), |length| json!({ "Content-Length": length }));
            exchange("webhook.attempt", json!({ "response_headers": headers, "body": "x".repeat(body) })).cut()
        };
        assert_eq!(with(Some("5000"), 4096).as_deref(), Some("the journal keeps the first 4096 of 5000 bytes"));
        assert_eq!(with(Some("4096"), 4096), None);
        assert!(with(None, 4096).is_some_and(|note| note.ends_with("there may have been more")));
        assert_eq!((with(None, 4095), with(Some("5000"), 0)), (None, None));
    }

    #[test]
    fn a_multipart_body_has_no_text() {
        let data =
            json!({ "method": "POST", "request_headers": { "content-type": "multipart/form-data; boundary=x" } });
        assert!(!exchange("webhook.attempt", data).is_form());
        let data = json!({ "method": "GET", "params": { "A": "1" } });
        assert_eq!(exchange("webhook.attempt", data).request_type(), None, "a GET has its parameters in the query");
    }
}
