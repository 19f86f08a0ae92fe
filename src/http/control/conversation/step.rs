//! An event as one line of Markdown, worded for a reader who doesn't know the journal.

use super::exchange::Exchange;
use super::literal::span;
use crate::http::control::event::EventView;
use crate::model::media::MediaFault;

/// The maximum number of characters of a text within a line.
const TEXT_CHARS_MAX: usize = 200;

/// Returns the line of an event that records no exchange.
pub(super) fn step(event: &EventView) -> String {
    let data = &event.data;
    let code = |name: &str| span(data[name].as_str().unwrap_or_default(), TEXT_CHARS_MAX);
    match event.kind {
        "fax.status" => {
            let old = data["old"].as_str().map(|old| format!("`{old}` → ")).unwrap_or_default();
            let new = data["new"].as_str().unwrap_or_default();
            let error = data["error_message"].as_str().map(|message| {
                let code = data["error_code"].as_u64().map(|code| format!(" {code}")).unwrap_or_default();
                format!(", error{code} {}", span(message, TEXT_CHARS_MAX))
            });
            format!("status {old}`{new}`{}", error.unwrap_or_default())
        }
        "twiml.executed" => {
            let verb = data["verb"].as_str().unwrap_or_default();
            let action = data["action"].as_str().map(|action| format!(", action {}", span(action, TEXT_CHARS_MAX)));
            format!("the app's response says `<{verb}>`{}", action.unwrap_or_default())
        }
        "call.not-answered" => "the call ended without a fax: **not answered**".to_owned(),
        "alert" => {
            format!("**alert** {}, {}: {}", data["code"], data["level"].as_str().unwrap_or_default(), code("message"))
        }
        "document.loss" => match data["page"].as_u64() {
            Some(page) => format!("missing from page {page}: {}", code("what")),
            None => format!("missing from the document: {}", code("what")),
        },
        "media.refused" => format!("a download of the media was refused with {}: {}", data["status"], code("detail")),
        "media.warning" if data["reason"] == MediaFault::Rule.as_str() => {
            format!("a download of the media: {}", code("detail"))
        }
        "media.warning" => format!("a download of the media would be refused: {}", code("detail")),
        "media.evicted" => "the document was dropped to stay within the media budget".to_owned(),
        "pedantic.acted" => data["what"].as_str().unwrap_or_default().to_owned(),
        "rule.fired" => format!("rule {} acted: {}", data["rule_id"], span(&data.to_string(), TEXT_CHARS_MAX)),
        kind => {
            let is_empty = data.as_object().is_none_or(serde_json::Map::is_empty);
            let details =
                if is_empty { String::new() } else { format!(": {}", span(&data.to_string(), TEXT_CHARS_MAX)) };
            format!("`{kind}`{details}")
        }
    }
}

/// Returns the line of an exchange.
pub(super) fn summary(exchange: &Exchange) -> String {
    let Exchange { method, url, purpose, .. } = exchange;
    let who = if exchange.is_rest() { "the app calls" } else { purpose };
    let request = span(&format!("{method} {url}"), TEXT_CHARS_MAX);
    let status = exchange.status.map_or("no response".to_owned(), |status| status.to_string());
    let took = exchange.duration_ms.map(|ms| format!(" in {ms} ms")).unwrap_or_default();
    let status_of_fax = exchange.params.iter().find(|(name, _)| name == "FaxStatus" && !exchange.is_rest());
    let about = status_of_fax.map(|(_, status)| format!(" ({})", span(status, TEXT_CHARS_MAX))).unwrap_or_default();
    match &exchange.error {
        None => format!("{who} {request}{about} → {status}{took}"),
        Some(error) => format!("{who} {request}{about} → **{status}**{took}: {}", span(error, TEXT_CHARS_MAX)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn line(kind: &'static str, data: Value) -> String {
        let event = EventView { seq: 1, at: String::new(), kind, fax_sid: None, data };
        Exchange::of(&event, "http://own").map_or_else(|| step(&event), |exchange| summary(&exchange))
    }

    #[test]
    fn each_kind_of_event_is_one_line() {
        let failed =
            json!({ "old": "sending", "new": "failed", "error_code": 34004, "error_message": "Connection failed" });
        assert_eq!(line("fax.status", failed), "status `sending` → `failed`, error 34004 `Connection failed`");
        assert_eq!(line("fax.status", json!({ "old": null, "new": "queued" })), "status `queued`");
        assert_eq!(line("twiml.executed", json!({ "verb": "Reject" })), "the app's response says `<Reject>`");
        let asked = json!({ "purpose": "action", "method": "POST", "url": "http://h/", "status": 500, "duration_ms": 3,
            "params": { "FaxStatus": "received" }, "error": { "message": "the server responded with 500" } });
        let expected = "action `POST http://h/` (`received`) → **500** in 3 ms: `the server responded with 500`";
        assert_eq!(line("webhook.attempt", asked), expected);
        let call = json!({ "method": "GET", "path": "/v1/Faxes", "status": 200, "code": null });
        assert_eq!(line("api.request", call), "the app calls `GET http://own/v1/Faxes` → 200");
        assert_eq!(line("media.evicted", json!({})), "the document was dropped to stay within the media budget");
        assert_eq!(line("something.new", json!({ "a": 1 })), "`something.new`: `{\"a\":1}`");
        assert_eq!(line("something.new", json!({})), "`something.new`");
    }
}
