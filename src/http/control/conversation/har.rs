//! A conversation as HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>), for the network panels of browsers and
//! other tools: one entry per exchange.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::exchange::{Exchange, header};
use super::facts::{Facts, VERSION};
use crate::dialect::{date, form};
use crate::http::control::event::{self, EventView};
use crate::model::time::Timestamp;

/// The media type that Chromium writes for a response without a Content-Type.
const NO_TYPE: &str = "x-unknown";
/// The number that stands for an unknown size or time in HAR.
const UNKNOWN: i64 = -1;

/// Turns events into entries. An entry never starts before the previous one, so the entries are in order.
#[derive(Debug)]
pub(super) struct Entries {
    sid: String,
    origin: String,
    latest: Option<Timestamp>,
}

/// Returns the log without its entries. Browsers require a log to have a page, so the whole conversation is one page.
pub(super) fn log(facts: &Facts, begun: Option<&str>) -> Value {
    let comment = [facts.gap(), Some(facts.clock())].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let parties = facts.word("from").zip(facts.word("to")).map(|(from, to)| format!(" from {from} to {to}"));
    json!({
        "version": "1.2",
        "creator": { "name": "fauxfax", "version": VERSION },
        "comment": comment,
        "pages": [{
            "startedDateTime": begun.unwrap_or("1970-01-01T00:00:00.000000Z"),
            "id": facts.sid,
            "title": format!("Fax {}{}", facts.sid, parties.unwrap_or_default()),
            "pageTimings": { "onContentLoad": UNKNOWN, "onLoad": UNKNOWN },
        }],
    })
}

impl Entries {
    pub(super) fn new(facts: &Facts) -> Self {
        Self { sid: facts.sid.clone(), origin: facts.origin.clone(), latest: None }
    }

    /// Returns the entry of an event; `None` if the event records no exchange.
    pub(super) fn entry(&mut self, event: &EventView) -> Option<Value> {
        let exchange = Exchange::of(event, &self.origin)?;
        let time_ms = exchange.duration_ms.unwrap_or_default();
        let mut entry = json!({
            "pageref": self.sid,
            "startedDateTime": self.begun(&event.at, time_ms),
            "time": time_ms,
            "request": request(&exchange),
            "response": response(&exchange),
            "cache": {},
            "timings": {
                "blocked": UNKNOWN, "dns": UNKNOWN, "connect": UNKNOWN, "ssl": UNKNOWN,
                "send": 0, "wait": time_ms, "receive": 0,
            },
            "_kind": event.kind,
            "_seq": event.seq,
            "_purpose": exchange.purpose,
            "_fax_sid": event.fax_sid,
        });
        if let Some(to) = &exchange.redirected_to {
            entry["comment"] = json!(format!("The response came from {to}, after a redirect."));
        }
        if let Some(error) = &exchange.error {
            entry["_error"] = json!(error);
        }
        Some(entry)
    }

    /// Returns the time at which an exchange began: an event has the time at which its exchange ended.
    fn begun(&mut self, at: &str, time_ms: u64) -> String {
        let Some(ended) = date::parse_exact(at) else { return at.to_owned() };
        let time_us = i64::try_from(time_ms).unwrap_or(i64::MAX).saturating_mul(1_000);
        let begun = Timestamp::from_micros(ended.micros().saturating_sub(time_us));
        // On a frozen clock no time passes during an exchange, so it may seem to begin before an earlier one.
        let begun = self.latest.map_or(begun, |latest| begun.max(latest));
        self.latest = Some(begun);
        event::moment(begun)
    }
}

fn request(exchange: &Exchange) -> Value {
    let mut request = json!({
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": named(&exchange.request_headers),
        "queryString": query(&exchange.url),
        "headersSize": UNKNOWN,
        "bodySize": 0,
    });
    if let Some(media_type) = exchange.request_type() {
        // The format allows either `text` or `params`, and the network panels of browsers show only `text`.
        request["postData"] = if exchange.is_form() {
            let text = form::encode(&exchange.params);
            request["bodySize"] = json!(text.len());
            json!({ "mimeType": media_type, "text": text })
        } else {
            request["bodySize"] = json!(UNKNOWN);
            let comment = "The file that was sent with the parameters is not kept.";
            json!({ "mimeType": media_type, "params": named(&exchange.params), "comment": comment })
        };
    }
    request
}

fn response(exchange: &Exchange) -> Value {
    let headers = &exchange.response_headers;
    let size = exchange.body_bytes().unwrap_or(exchange.body.len() as u64);
    let mut content = json!({ "size": size, "mimeType": content_type(exchange), "text": exchange.body });
    if let Some(note) = exchange.cut() {
        content["comment"] = json!(note);
    }
    let mut response = json!({
        // Like browsers, writes 0 if there was no response.
        "status": exchange.status.unwrap_or_default(),
        "statusText": exchange.status.map_or("", reason_phrase),
        "httpVersion": if exchange.status.is_some() { "HTTP/1.1" } else { "" },
        "cookies": [],
        "headers": named(headers),
        "content": content,
        "redirectURL": header(headers, "location").unwrap_or_default(),
        "headersSize": UNKNOWN,
        "bodySize": exchange.body_bytes().and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(UNKNOWN),
    });
    if exchange.status.is_none() {
        response["_error"] = json!(exchange.error);
    }
    response
}

fn content_type(exchange: &Exchange) -> &str {
    let is_json = || exchange.is_rest() && exchange.body.starts_with(['{', '[']);
    match header(&exchange.response_headers, "content-type") {
        Some(media_type) => media_type,
        None if is_json() => "application/json",
        None => NO_TYPE,
    }
}

fn reason_phrase(status: u16) -> &'static str {
    let status = axum::http::StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or_default()
}

fn query(url: &str) -> Value {
    let without_fragment = url.split('#').next().unwrap_or_default();
    let query = without_fragment.split_once('?').map_or("", |(_, query)| query);
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    named(&pairs)
}

fn named(pairs: &[(String, String)]) -> Value {
    pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            sid: "FX1".to_owned(),
            account_sid: "AC1".to_owned(),
            service: "twilio",
            fax: Some(json!({ "from": "+15558675310", "to": "+15005550006" })),
            outcome: Some("failed"),
            evicted: 0,
            missed: 0,
            is_frozen: true,
            origin: "http://localhost:8329".to_owned(),
        }
    }

    fn event(kind: &'static str, at: &str, data: Value) -> EventView {
        EventView { seq: 1, at: at.to_owned(), kind, fax_sid: Some("FX1".to_owned()), data }
    }

    fn entry(data: Value) -> Value {
        let event = event("webhook.attempt", "2026-01-02T03:04:05.000006Z", data);
        Entries::new(&facts()).entry(&event).expect("an entry")
    }

    #[test]
    fn a_form_is_exported_as_text_and_a_multipart_body_as_parameters() {
        let entry = entry(json!({
            "purpose": "action", "method": "POST", "url": "http://h/p?a=1&b=%20", "params": { "A b": "ü|`<&" },
            "request_headers": { "Content-Type": "application/x-www-form-urlencoded" },
            "status": 200, "response_headers": { "content-type": "text/plain", "content-length": "5" },
            "body": "\u{fffd}\0`|", "duration_ms": 1_500,
        }));
        let request = &entry["request"];
        assert_eq!(request["queryString"], json!([{ "name": "a", "value": "1" }, { "name": "b", "value": " " }]));
        let form = "application/x-www-form-urlencoded";
        assert_eq!(request["postData"], json!({ "mimeType": form, "text": "A+b=%C3%BC%7C%60%3C%26" }));
        assert_eq!(request["bodySize"], 22);
        let parts = self::entry(json!({
            "method": "POST", "url": "http://h/", "params": { "A": "1" },
            "request_headers": { "content-type": "multipart/form-data; boundary=x" },
        }));
        let data = &parts["request"]["postData"];
        assert!(data.get("text").is_none() && data["params"] == json!([{ "name": "A", "value": "1" }]), "{data}");
        let response = &entry["response"];
        assert_eq!((&response["status"], &response["statusText"]), (&json!(200), &json!("OK")));
        assert_eq!(response["content"], json!({ "size": 5, "mimeType": "text/plain", "text": "\u{fffd}\0`|" }));
        assert_eq!((&entry["time"], &entry["timings"]["wait"]), (&json!(1_500), &json!(1_500)));
        assert_eq!(entry["startedDateTime"], "2026-01-02T03:04:03.500006Z");
    }

    #[test]
    fn an_exchange_without_a_response_has_status_0_and_the_error() {
        let why = "connection refused: nothing listens on that port";
        let entry = entry(json!({
            "purpose": "fax-url", "method": "GET", "url": "http://h/", "status": null, "error": { "message": why },
        }));
        assert_eq!((&entry["response"]["status"], &entry["response"]["_error"]), (&json!(0), &json!(why)));
        assert_eq!((&entry["_error"], &entry["_purpose"]), (&json!(why), &json!("fax-url")));
        assert!(entry["request"].get("postData").is_none());
    }

    #[test]
    fn a_body_that_was_cut_says_so() {
        let entry = entry(json!({
            "method": "GET", "url": "http://h/", "status": 500, "body": "x".repeat(4096),
            "response_headers": { "content-length": "70000" },
        }));
        let content = &entry["response"]["content"];
        assert_eq!(content["size"], 70_000);
        assert_eq!(content["comment"], "the journal keeps the first 4096 of 70000 bytes");
    }

    #[test]
    fn entries_are_in_the_order_of_their_events() {
        let mut entries = Entries::new(&facts());
        let at = "2026-01-02T03:04:05.000000Z";
        let data = |duration_ms: u64| json!({ "method": "GET", "url": "http://h/", "duration_ms": duration_ms });
        let begun = [10, 2_000].map(|ms| {
            let entry = entries.entry(&event("webhook.attempt", at, data(ms))).expect("an entry");
            entry["startedDateTime"].as_str().expect("a time").to_owned()
        });
        assert_eq!(begun, ["2026-01-02T03:04:04.990000Z", "2026-01-02T03:04:04.990000Z"]);
        assert!(entries.entry(&event("fax.status", at, json!({}))).is_none(), "no exchange");
    }

    #[test]
    fn the_log_names_the_clock_and_what_is_missing() {
        let facts = Facts { evicted: 12, missed: 7, ..facts() };
        let log = log(&facts, Some("2026-01-02T03:04:05.000000Z"));
        let comment = log["comment"].as_str().expect("a comment");
        assert!(comment.contains("oldest 12 events, and up to 7 of them") && comment.contains("frozen"), "{comment}");
        assert_eq!(log["pages"][0]["title"], "Fax FX1 from +15558675310 to +15005550006");
    }
}
