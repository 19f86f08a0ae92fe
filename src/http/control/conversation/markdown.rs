//! A conversation as Markdown for an issue: one line of facts, the steps, and, in full, each exchange that failed or
//! caused an alert.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::exchange::{Exchange, Pairs};
use super::facts::{Facts, VERSION};
use super::literal::{block, html, span};
use super::step::{step, summary};
use crate::http::control::event::EventView;

/// The maximum length of the document in bytes. GitHub accepts 65,536 characters in an issue, and its author needs room
/// for a description.
const DOCUMENT_BYTES_MAX: usize = 60_000;
/// The maximum length of the list of steps, so that it leaves room for the failed exchanges.
const STEPS_BYTES_MAX: usize = 24_000;
/// The maximum length of a parameter list in bytes; a webhook has at most about 2 KiB of parameters.
const PARAMS_BYTES_MAX: usize = 4_000;
/// The maximum number of characters of one parameter, which fits any media URL.
const VALUE_CHARS_MAX: usize = 1_000;
/// The maximum length of a response body in bytes, which is as much as the journal keeps of a body in ASCII.
const BODY_BYTES_MAX: usize = 4_096;
/// The maximum length of all headers of a request or response in bytes.
const HEADERS_BYTES_MAX: usize = 2_000;
/// The maximum number of characters of an error message or URL.
const TEXT_CHARS_MAX: usize = 500;

/// Writes the document. The events are read twice, so that they need not be held in memory.
pub(super) fn document(facts: &Facts, events: impl Iterator<Item = EventView> + Clone) -> String {
    let mut overview = Overview::default();
    events.clone().for_each(|event| overview.add(&event, &facts.origin));
    let mut text = head(facts, &overview);
    text.push_str("\n**Steps** (UTC)\n\n");
    text.push_str(&overview.steps.text());
    text.push('\n');
    text.push_str(&facts.clock());
    text.push('\n');
    let mut left_out = 0;
    for event in events {
        let Some(exchange) = Exchange::of(&event, &facts.origin) else { continue };
        let complaints = overview.complaints.get(&exchange.seq).map(Vec::as_slice).unwrap_or_default();
        if exchange.error.is_none() && complaints.is_empty() {
            continue;
        }
        let details = details(&exchange, complaints, event.at.get(11..23).unwrap_or_default());
        if text.len() + details.len() > DOCUMENT_BYTES_MAX {
            left_out += 1;
        } else {
            text.push_str(&details);
        }
    }
    if left_out > 0 {
        text.push_str(&format!(
            "\n{left_out} more failed exchanges are left out, because an issue must stay short; the HAR file has them.\n"
        ));
    }
    text
}

/// The results of the first pass over the events.
#[derive(Default)]
struct Overview {
    steps: Steps,
    /// The alerts about each exchange, by the exchange's sequence number.
    complaints: BTreeMap<u64, Vec<String>>,
    /// The sequence number of the latest exchange with each URL, as the journal shows the URL.
    latest: BTreeMap<String, u64>,
    /// The parties, for a call that never became a fax or whose fax has been deleted.
    from: Option<String>,
    to: Option<String>,
    is_inbound: bool,
    /// The latest status and error in the events.
    status: Option<String>,
    error: Option<(Option<u64>, String)>,
    pages: Option<u64>,
    cause: Option<String>,
    advice: Option<String>,
}

impl Overview {
    fn add(&mut self, event: &EventView, origin: &str) {
        let data = &event.data;
        let exchange = Exchange::of(event, origin);
        self.steps.add(event, exchange.as_ref());
        match event.kind {
            "fax.status" => {
                self.status = data["new"].as_str().map(ToOwned::to_owned);
                let message = data["error_message"].as_str().map(ToOwned::to_owned);
                self.error = message.map(|message| (data["error_code"].as_u64(), message));
            }
            "fax.page" => self.pages = data["pages"].as_u64(),
            "alert" => {
                let about = data["request_url"].as_str().and_then(|url| self.latest.get(url));
                if let Some(seq) = about {
                    self.complaints.entry(*seq).or_default().push(complaint(data));
                }
            }
            _ => {}
        }
        if let Some(advice) = data["advice"].as_str() {
            self.cause = data["cause"].as_str().map(ToOwned::to_owned);
            self.advice = Some(advice.to_owned());
        }
        let Some(exchange) = exchange.filter(|exchange| !exchange.is_rest()) else { return };
        self.is_inbound |= exchange.purpose == "fax-url";
        let param = |name: &str| {
            let found = exchange.params.iter().find(|(own, _)| own == name);
            found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        self.from = self.from.take().or_else(|| param("From"));
        self.to = self.to.take().or_else(|| param("To"));
        if let Some(url) = data["url"].as_str() {
            self.latest.insert(url.to_owned(), exchange.seq);
        }
    }
}

/// Returns the message of an alert, as a line of Markdown.
fn complaint(data: &Value) -> String {
    let message = span(data["message"].as_str().unwrap_or_default(), TEXT_CHARS_MAX);
    format!("Alert {}: {message}", data["code"])
}

/// Returns the title, the facts, and a note if events are missing.
fn head(facts: &Facts, overview: &Overview) -> String {
    let status = facts.word("status").or(facts.outcome).or(overview.status.as_deref()).unwrap_or("in progress");
    let told = facts.fax.as_ref().and_then(|fax| Some((fax["error_code"].as_u64(), fax["error_message"].as_str()?)));
    let error = told.or(overview.error.as_ref().map(|(code, message)| (*code, message.as_str())));
    let mut text = format!("### Fax `{}`: {status}\n\n", facts.sid);
    let direction = facts.word("direction").unwrap_or(if overview.is_inbound { "inbound" } else { "outbound" });
    let from = facts.word("from").or(overview.from.as_deref()).unwrap_or("unknown");
    let to = facts.word("to").or(overview.to.as_deref()).unwrap_or("unknown");
    let of_fax = facts.fax.as_ref().and_then(|fax| fax["num_pages"].as_u64());
    let pages = of_fax.or(overview.pages).map_or("no pages known".to_owned(), |pages| match pages {
        1 => "1 page".to_owned(),
        pages => format!("{pages} pages"),
    });
    let error = error.map(|(code, message)| {
        let code = code.map(|code| format!("{code} ")).unwrap_or_default();
        format!(" · error {code}{}", span(message, TEXT_CHARS_MAX))
    });
    text.push_str(&format!(
        "{direction} · from {} to {} · **{status}**{} · {pages} · fauxfax {VERSION}, {} account `{}`\n",
        span(from, TEXT_CHARS_MAX),
        span(to, TEXT_CHARS_MAX),
        error.unwrap_or_default(),
        facts.service,
        facts.account_sid,
    ));
    if facts.fax.is_none() {
        let why = if facts.outcome == Some("not-answered") {
            "The call ended without a fax."
        } else {
            "There is no fax with this SID now: it has been deleted, or the call is still ringing."
        };
        text.push_str(&format!("\n{why}\n"));
    }
    // Cause and advice belong together, so both come from the fax, or both from the latest event that has advice.
    let explained = match facts.word("advice") {
        Some(advice) => [facts.word("cause"), Some(advice)],
        None => [overview.cause.as_deref(), overview.advice.as_deref()],
    };
    for (name, sentences) in ["Cause", "Advice"].into_iter().zip(explained) {
        if let Some(sentences) = sentences {
            text.push_str(&format!("\n{name}: {}\n", span(sentences, TEXT_CHARS_MAX)));
        }
    }
    if let Some(gap) = facts.gap() {
        text.push_str(&format!("\n{gap}\n"));
    }
    text
}

/// The list of steps. If it becomes too long, the steps in the middle are left out.
#[derive(Default)]
struct Steps {
    head: String,
    /// The steps after those of `head`, each with its time.
    tail: VecDeque<(String, String)>,
    tail_bytes: usize,
    left_out: usize,
    /// The date of the latest step in the text.
    day: String,
    /// The pages transmitted since the last step of another kind: the time of the first one, and the page numbers.
    run: Option<PageRun>,
}

struct PageRun {
    at: String,
    first: u64,
    last: u64,
    pages: u64,
}

impl Steps {
    fn add(&mut self, event: &EventView, exchange: Option<&Exchange>) {
        let at = event.at.as_str();
        if event.kind == "fax.page" {
            let (page, pages) = (event.data["page"].as_u64().unwrap_or(1), event.data["pages"].as_u64().unwrap_or(1));
            match &mut self.run {
                Some(run) if page == run.last + 1 => run.last = page,
                _ => {
                    self.end_run();
                    self.run = Some(PageRun { at: at.to_owned(), first: page, last: page, pages });
                }
            }
            return;
        }
        self.end_run();
        self.push(at, exchange.map_or_else(|| step(event), summary));
    }

    fn end_run(&mut self) {
        let Some(PageRun { at, first, last, pages }) = self.run.take() else { return };
        let which = if first == last { format!("page {first}") } else { format!("pages {first} to {last}") };
        self.push(&at, format!("{which} of {pages} over the line"));
    }

    fn push(&mut self, at: &str, text: String) {
        if self.tail.is_empty() && self.head.len() + text.len() <= STEPS_BYTES_MAX / 2 {
            let line = self.line(at, &text);
            self.head.push_str(&line);
            return;
        }
        self.tail_bytes += text.len();
        self.tail.push_back((at.to_owned(), text));
        while self.tail_bytes > STEPS_BYTES_MAX / 2 {
            let Some((_, text)) = self.tail.pop_front() else { break };
            self.tail_bytes -= text.len();
            self.left_out += 1;
        }
    }

    /// Returns a step's line. The date precedes the time of day if it differs from the date of the previous step.
    fn line(&mut self, at: &str, text: &str) -> String {
        let (day, time) = (at.get(..10).unwrap_or_default(), at.get(11..23).unwrap_or_default());
        if self.day == day {
            return format!("- {time} {text}\n");
        }
        day.clone_into(&mut self.day);
        format!("- {day} {time} {text}\n")
    }

    fn text(mut self) -> String {
        self.end_run();
        let mut text = std::mem::take(&mut self.head);
        if self.left_out > 0 {
            text.push_str(&format!("- … {} steps are left out here …\n", self.left_out));
        }
        for (at, step) in std::mem::take(&mut self.tail) {
            text.push_str(&self.line(&at, &step));
        }
        if text.is_empty() { "- no events\n".to_owned() } else { text }
    }
}

/// Returns a failed exchange in full, folded until the reader opens it.
fn details(exchange: &Exchange, complaints: &[String], at: &str) -> String {
    let Exchange { method, url, purpose, .. } = exchange;
    let status = exchange.status.map_or("no response".to_owned(), |status| status.to_string());
    let title = html(&format!("{method} {url}"), TEXT_CHARS_MAX);
    let mut text = format!("\n<details>\n<summary>{at} {purpose}: {title} → {status}</summary>\n\n");
    if let Some(error) = &exchange.error {
        text.push_str(&format!("{}\n\n", span(error, TEXT_CHARS_MAX)));
    }
    complaints.iter().for_each(|complaint| text.push_str(&format!("{complaint}\n\n")));
    if let Some(to) = &exchange.redirected_to {
        text.push_str(&format!("Redirected to {}.\n\n", span(to, TEXT_CHARS_MAX)));
    }
    let parts = [
        ("Request parameters", lines(&exchange.params, "="), PARAMS_BYTES_MAX, None),
        ("Request headers", lines(&exchange.request_headers, ": "), HEADERS_BYTES_MAX, None),
        ("Response headers", lines(&exchange.response_headers, ": "), HEADERS_BYTES_MAX, None),
        ("Response body", exchange.body.clone(), BODY_BYTES_MAX, exchange.cut()),
    ];
    for (name, content, bytes_max, note) in parts {
        if content.is_empty() {
            continue;
        }
        let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
        text.push_str(&format!("{name}{note}:\n\n{}\n", block(&content, "text", bytes_max)));
    }
    text.push_str("</details>\n");
    text
}

/// Returns one line per pair. Line breaks in values are escaped, since they would look like further pairs.
fn lines(pairs: &Pairs, between: &str) -> String {
    let line = |(name, value): &(String, String)| {
        let mut value: String = value.replace('\r', "\\r").replace('\n', "\\n");
        if let Some((end, _)) = value.char_indices().nth(VALUE_CHARS_MAX) {
            value.truncate(end);
            value.push('…');
        }
        format!("{name}{between}{value}\n")
    };
    pairs.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> Facts {
        Facts {
            sid: "FX1".to_owned(),
            account_sid: "AC1".to_owned(),
            service: "twilio",
            fax: None,
            outcome: None,
            evicted: 0,
            missed: 0,
            is_frozen: false,
            origin: "http://localhost:8329".to_owned(),
        }
    }

    fn written(events: &[(&'static str, Value)]) -> String {
        let event = |(seq, (kind, data)): (usize, &(&'static str, Value))| EventView {
            seq: seq as u64,
            at: "2026-01-02T03:04:05.678900Z".to_owned(),
            kind,
            fax_sid: None,
            data: data.clone(),
        };
        document(&facts(), events.iter().enumerate().map(event))
    }

    fn failed(url: &str, body: &str) -> (&'static str, Value) {
        let data = json!({
            "purpose": "action", "method": "POST", "url": url, "params": { "FaxSid": "FX1" }, "status": 500,
            "body": body, "error": { "message": "the server responded with 500" },
        });
        ("webhook.attempt", data)
    }

    /// Returns the document without code blocks and code spans, as a renderer would interpret it.
    fn outside_code(text: &str) -> String {
        let mut kept = String::new();
        let mut fence: Option<String> = None;
        for line in text.lines() {
            let ticks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fence {
                Some(open) if line == ticks && ticks.len() >= open.len() => fence = None,
                Some(_) => {}
                // A summary is HTML, in which backticks mean nothing.
                None if line.starts_with("<summary>") => {}
                None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
                None => {
                    let mut rest = line;
                    while let Some((before, after)) = rest.split_once('`') {
                        kept.push_str(before);
                        let run = 1 + after.chars().take_while(|c| *c == '`').count();
                        let inside = &after[run - 1..];
                        let close = inside
                            .match_indices(&*"`".repeat(run))
                            .map(|(at, _)| at)
                            .find(|at| !inside[at + run..].starts_with('`') && !inside[..*at].ends_with('`'));
                        rest = &inside[close.expect("a span is closed") + run..];
                    }
                    kept.push_str(rest);
                    kept.push('\n');
                }
            }
        }
        assert_eq!(fence, None, "a block is not closed:\n{text}");
        kept
    }

    #[test]
    fn text_of_the_app_stays_in_code() {
        let hostile = "````\n</details>\n```` @evil | <img src=x onerror=y> \0\r\n`\n``````` [a](b) **b**";
        let url = "http://h/</summary>@evil`|<b>";
        let mut exchange = failed(url, hostile);
        exchange.1["error"]["message"] = json!(hostile);
        exchange.1["params"][hostile] = json!(hostile);
        exchange.1["response_headers"] = json!({ "x": hostile });
        let alert =
            json!({ "code": 11200, "level": "error", "message": hostile, "request_url": url, "advice": hostile });
        let method = json!({ "method": "@EVIL`", "path": "/<b>", "status": 405, "code": 20004 });
        let loss = json!({ "page": null, "what": hostile });
        let text = written(&[exchange, ("alert", alert), ("api.request", method), ("document.loss", loss)]);
        let outside = outside_code(&text);
        for dangerous in ["evil", "<img", "<b>", "[a]", "**b**", "|"] {
            assert!(!outside.contains(dangerous), "{dangerous}: {outside}");
        }
        assert_eq!(text.matches("\n<details>\n").count(), 2);
        // The app's text is in a code element without tags.
        let summaries: Vec<_> = text.lines().filter(|line| line.starts_with("<summary>")).collect();
        assert!(summaries.iter().all(|line| line.matches('<').count() == 4), "{summaries:?}");
        assert!(!text.contains(['\0', '\r']), "{text}");
    }

    #[test]
    fn an_exchange_that_succeeded_but_caused_an_alert_is_shown_in_full() {
        let url = "http://h/fax";
        let asked = |body: &str| {
            let data = json!({ "purpose": "fax-url", "method": "POST", "url": url, "status": 200, "body": body });
            ("webhook.attempt", data)
        };
        let alert = json!({ "code": 12100, "level": "error", "message": "at 1:1", "request_url": url });
        let text = written(&[asked("good"), asked("bad"), ("alert", alert)]);
        assert!(
            text.contains("Alert 12100: `at 1:1`") && text.contains("\nbad\n") && !text.contains("\ngood\n"),
            "{text}"
        );
    }

    #[test]
    fn pages_are_one_step() {
        let page = |page: u64| ("fax.page", json!({ "page": page, "pages": 120 }));
        let pages: Vec<_> = (1..=120).map(page).chain([page(1)]).collect();
        let text = written(&pages);
        assert!(text.contains("- 2026-01-02 03:04:05.678 pages 1 to 120 of 120 over the line\n"), "{text}");
        assert!(text.contains("- 03:04:05.678 page 1 of 120 over the line\n"), "{text}");
    }

    #[test]
    fn a_long_conversation_fits_an_issue_and_says_what_is_left_out() {
        let long = "<`é".repeat(2_000);
        let events: Vec<_> = (0..400).map(|at| failed(&format!("http://h/{at}"), &long)).collect();
        let text = written(&events);
        assert!(text.len() <= DOCUMENT_BYTES_MAX + 200, "{} bytes", text.len());
        let shown = text.matches("<details>").count();
        assert!(
            shown > 3 && text.contains(&format!("\n{} more failed exchanges are left out", 400 - shown)),
            "{shown}"
        );
        assert!(
            text.contains("steps are left out here") && text.contains("http://h/0`") && text.contains("http://h/399`")
        );
        assert!(text.contains("more bytes\n```"), "the body says that it was cut");
        outside_code(&text);
    }

    #[test]
    fn a_line_break_in_a_parameter_does_not_look_like_another_parameter() {
        let mut exchange = failed("http://h/", "");
        exchange.1["params"] = json!({ "A": "1\nFaxStatus=received", "Long": "x".repeat(VALUE_CHARS_MAX + 1) });
        let text = written(&[exchange]);
        assert!(text.contains("A=1\\nFaxStatus=received\n"), "{text}");
        assert!(text.contains(&format!("Long={}…\n", "x".repeat(VALUE_CHARS_MAX))));
    }

    #[test]
    fn the_facts_of_a_call_without_a_fax_come_from_its_events() {
        let data = json!({
            "purpose": "fax-url", "method": "POST", "url": "http://h/", "status": 200,
            "params": { "From": "+15558675310", "To": "+15005550006" },
        });
        let facts = Facts { outcome: Some("not-answered"), evicted: 3, missed: 2, ..facts() };
        let event = EventView { seq: 1, at: String::new(), kind: "webhook.attempt", fax_sid: None, data };
        let text = document(&facts, [event].into_iter());
        assert!(text.starts_with("### Fax `FX1`: not-answered\n"), "{text}");
        assert!(text.contains("inbound · from `+15558675310` to `+15005550006` · **not-answered** · "), "{text}");
        assert!(text.contains("ended without a fax") && text.contains("up to 2 of them may belong"), "{text}");
    }
}
