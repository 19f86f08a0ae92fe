//! Prints journal events as a timeline of readable lines, with colours on a terminal. Consecutive pages share one line.
//! If a request to an app fails, the first lines of the response's body are shown below it.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::table::{cell, clean, cut};
use super::{out, times};

pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
const REQUEST: Style = AnsiColor::Cyan.on_default();
const STATUS: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const HEAD: Style = Style::new().bold();
/// The response header in which the demo's app reports the result of its signature check.
pub(super) const VERDICT: &str = "x-demo-signature";
/// The webhook parameters that are shown.
const SHOWN: [&str; 6] = ["FaxSid", "FaxStatus", "NumPages", "RemoteStationId", "ErrorCode", "MediaUrl"];
/// The maximum number of characters of a value that are shown on a terminal.
const VALUE_CHARS_MAX: usize = 60;
/// The maximum number of lines of a failed response's body that are shown, enough for most stack traces.
const BODY_LINES_MAX: usize = 20;
/// The maximum number of characters in such a line.
const BODY_LINE_CHARS_MAX: usize = 200;
/// The indentation of the lines that belong to an event: the width of its time and the two spaces after it.
const INDENT: &str = "               ";
/// Returns to the start of a terminal's line and erases it.
const REWRITE: &str = "\r\u{1b}[K";

/// How consecutive pages are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pages {
    /// One line, written when it is known which page is its last.
    Once,
    /// One line that is rewritten with each page, on a terminal.
    Rewritten,
}

/// A timeline, printed with colours if `out` supports them.
pub(super) struct Timeline<W> {
    out: W,
    pages: Pages,
    run: Option<Run>,
    /// The fax that the latest heading named, if headings separate the lines of several faxes.
    headed: Option<Option<String>>,
    /// The advice that was given, which need not be repeated at the end.
    advised: Vec<String>,
    /// The maximum number of characters of a value that are shown; `None` in a pipe, where nothing is cut.
    value_chars_max: Option<usize>,
    /// The number of signatures that the app found valid.
    pub(super) valid: usize,
    /// The number of signatures that the app found invalid.
    pub(super) invalid: usize,
}

/// Consecutive pages of one fax.
struct Run {
    fax: Value,
    first: u64,
    last: u64,
    of: u64,
    at: String,
}

impl<W: Write> Timeline<W> {
    pub(super) fn new(out: W, pages: Pages) -> Self {
        let value_chars_max = out::is_terminal().then_some(VALUE_CHARS_MAX);
        Self { out, pages, run: None, headed: None, advised: Vec::new(), value_chars_max, valid: 0, invalid: 0 }
    }

    /// Returns a timeline of several faxes, in which a heading says where another fax's events begin.
    pub(super) fn of_all(out: W, pages: Pages) -> Self {
        let mut timeline = Self::new(out, pages);
        timeline.headed = Some(None);
        timeline
    }

    /// Prints a heading, after an empty line.
    pub(super) fn heading(&mut self, text: &str) -> std::io::Result<()> {
        self.finish()?;
        writeln!(self.out, "\n{HEAD}{text}{HEAD:#}")
    }

    /// Prints a line that belongs to no event.
    pub(super) fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.finish()?;
        writeln!(self.out, "{text}")
    }

    /// Prints an outcome, with a tick or a cross.
    pub(super) fn verdict(&mut self, is_good: bool, text: &str) -> std::io::Result<()> {
        let (mark, style) = if is_good { ("✓", GOOD) } else { ("✗", BAD) };
        self.say(&format!("{style}{mark} {text}{style:#}"))
    }

    /// Prints the cause of an alert or a failed fax and what to do about it, unless that has been printed before.
    pub(super) fn advice(&mut self, data: &Value) -> std::io::Result<()> {
        for text in ["cause", "advice"].iter().filter_map(|name| data[name].as_str()).map(clean) {
            if !self.advised.contains(&text) {
                self.detail(&text)?;
                self.advised.push(text);
            }
        }
        Ok(())
    }

    /// Ends the line of pages, if one is unfinished.
    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        let Some(run) = self.run.take() else { return Ok(()) };
        let start = if self.pages == Pages::Rewritten { REWRITE } else { "" };
        writeln!(self.out, "{start}{run}")
    }

    /// Prints an event from the journal.
    pub(super) fn event(&mut self, event: &Value) -> std::io::Result<()> {
        let data = &event["data"];
        let at = times::of_day(&event["at"]);
        let kind = event["kind"].as_str().unwrap_or_default();
        if kind == "fax.page" {
            return self.page(&event["fax_sid"], at, data);
        }
        self.finish()?;
        self.head_of(&event["fax_sid"])?;
        match kind {
            "fax.status" => {
                let old = data["old"].as_str().map(|old| format!("{old} → ")).unwrap_or_default();
                self.line(&at, &format!("fax is {old}{STATUS}{}{STATUS:#}", word(&data["new"])))?;
                match data["error_message"].as_str() {
                    Some(message) => self.failure(&with_code(message, &data["error_code"])),
                    None => Ok(()),
                }
            }
            "message.status" => {
                let old = data["old"].as_str().map(|old| format!("{old} → ")).unwrap_or_default();
                let message = word(&data["message_sid"]);
                self.line(&at, &format!("message {message} is {old}{STATUS}{}{STATUS:#}", word(&data["new"])))
            }
            "twiml.executed" => self.line(&at, &format!("the app says {HEAD}<{}>{HEAD:#}", word(&data["verb"]))),
            "webhook.attempt" | "webhook.replayed" => self.exchange(&at, data),
            "document.fetched" => {
                self.exchange(&at, data)?;
                match data["document"]["pages"].as_u64() {
                    Some(1) => self.detail("a document of 1 page"),
                    Some(pages) => self.detail(&format!("a document of {pages} pages")),
                    // If there was no response, the reason is the error that has just been printed.
                    None if data["reason"] == data["error"]["message"] => Ok(()),
                    None => self.failure(&word(&data["reason"])),
                }
            }
            "alert" => {
                let style = if data["level"] == "warning" { STATUS } else { BAD };
                let (code, message) = (&data["code"], word(&data["message"]));
                self.line(&at, &format!("{style}{code} {message}{style:#}"))?;
                self.advice(data)
            }
            "api.request" => {
                self.request(&at, data)?;
                self.advice(data)
            }
            _ => self.line(&at, &other(kind, data)),
        }
    }

    /// Prints a line that begins with a time.
    fn line(&mut self, at: &str, text: &str) -> std::io::Result<()> {
        writeln!(self.out, "{DIM}{at}{DIM:#}  {text}")
    }

    /// Prints a line below an event.
    fn detail(&mut self, text: &str) -> std::io::Result<()> {
        writeln!(self.out, "{INDENT}{text}")
    }

    /// Shortens a value to the number of characters that are shown.
    fn shortened(&self, value: &str) -> String {
        self.value_chars_max.map_or_else(|| value.to_owned(), |most| cut(value, most))
    }

    fn failure(&mut self, text: &str) -> std::io::Result<()> {
        if text.is_empty() { Ok(()) } else { self.detail(&format!("{BAD}{text}{BAD:#}")) }
    }

    /// Prints a heading that names the fax whose events follow, unless the previous events were about the same fax.
    fn head_of(&mut self, fax: &Value) -> std::io::Result<()> {
        let fax = fax.as_str().map(ToOwned::to_owned);
        let Some(headed) = &mut self.headed else { return Ok(()) };
        if fax.is_none() || *headed == fax {
            return Ok(());
        }
        headed.clone_from(&fax);
        let fax = fax.unwrap_or_default();
        writeln!(self.out, "{HEAD}{fax}{HEAD:#}")
    }

    fn page(&mut self, fax: &Value, at: String, data: &Value) -> std::io::Result<()> {
        let (page, of) = (data["page"].as_u64().unwrap_or(0), data["pages"].as_u64().unwrap_or(0));
        let follows = self.run.as_ref().is_some_and(|run| run.fax == *fax && run.last + 1 == page);
        if !follows {
            self.finish()?;
            self.head_of(fax)?;
        }
        let first = self.run.as_ref().map_or(page, |run| run.first);
        let run = Run { fax: fax.clone(), first, last: page, of, at };
        if self.pages == Pages::Rewritten {
            write!(self.out, "{REWRITE}{run}")?;
            self.out.flush()?;
        }
        self.run = Some(run);
        Ok(())
    }

    /// Prints a request of an app to the emulator.
    fn request(&mut self, at: &str, data: &Value) -> std::io::Result<()> {
        let is_good = data["status"].as_u64().is_some_and(|status| status < 400);
        let style = if is_good { GOOD } else { BAD };
        let [method, path] = ["method", "path"].map(|name| word(&data[name]));
        let code = data["code"].as_u64().map(|code| format!(" {code}")).unwrap_or_default();
        let end = format!("{style}{}{code}{style:#}{}", data["status"], took(&data["duration_ms"]));
        self.line(at, &format!("{REQUEST}← {method} {path}{REQUEST:#}  {end}"))
    }

    fn exchange(&mut self, at: &str, data: &Value) -> std::io::Result<()> {
        let [method, url, purpose] = ["method", "url", "purpose"].map(|name| word(&data[name]));
        let note = data["note"].as_str().map(|note| format!("; {}", clean(note))).unwrap_or_default();
        let redirected = redirected(data);
        self.line(at, &format!("{REQUEST}{method} {url}{redirected}{REQUEST:#}  {DIM}({purpose}{note}){DIM:#}"))?;
        for name in SHOWN {
            if let Some(value) = data["params"][name].as_str() {
                self.detail(&format!("{name}={}", self.shortened(&clean(value))))?;
            }
        }
        match data["response_headers"][VERDICT].as_str() {
            Some("valid") => {
                self.valid += 1;
                self.detail(&format!("{GOOD}signature valid, says the app{GOOD:#}"))?;
            }
            Some(_) => {
                self.invalid += 1;
                self.detail(&format!("{BAD}signature INVALID, says the app{BAD:#}"))?;
            }
            None => {}
        }
        self.response(data)
    }

    /// Prints the response to a request: on one line if the request succeeded, or else with the first lines of its
    /// body.
    fn response(&mut self, data: &Value) -> std::io::Result<()> {
        let body = data["body"].as_str().unwrap_or_default();
        let status = data["status"].as_u64();
        let error = data["error"]["message"].as_str();
        if status.is_some_and(|status| status < 400) && error.is_none() {
            // Omit the XML declaration.
            let body = clean(body.split_once("?>").map_or(body, |(_, rest)| rest));
            let tail =
                if body.trim().is_empty() { String::new() } else { format!("  {}", self.shortened(body.trim())) };
            return self.detail(&format!("{GOOD}{}{GOOD:#}{}{tail}", data["status"], took(&data["duration_ms"])));
        }
        match (status, error) {
            (_, Some(error)) => self.failure(&format!("{}{}", clean(error), took(&data["duration_ms"])))?,
            (Some(status), None) => self.failure(&format!("{status}{}", took(&data["duration_ms"])))?,
            (None, None) => {}
        }
        for line in first_lines(body) {
            self.detail(&format!("{DIM}│{DIM:#} {line}"))?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { fax: _, first, last, of, at } = self;
        write!(f, "{DIM}{at}{DIM:#}  ")?;
        if first == last {
            write!(f, "page {last} of {of} transmitted")
        } else {
            write!(f, "pages {first}–{last} of {of} transmitted")
        }
    }
}

/// Describes an event whose kind has no format of its own: by the event's sentence, if it has one, or else by its kind
/// and data.
fn other(kind: &str, data: &Value) -> String {
    let text = |name: &str| data[name].as_str().map(clean);
    match kind {
        "document.loss" => match data["page"].as_u64() {
            Some(page) => format!("{BAD}lost on page {page}: {}{BAD:#}", word(&data["what"])),
            None => format!("{BAD}lost: {}{BAD:#}", word(&data["what"])),
        },
        "media.refused" => format!("{BAD}a download of the document was refused: {}{BAD:#}", word(&data["detail"])),
        "media.warning" => format!("a download of the document: {}", word(&data["detail"])),
        "call.attempt" => format!("call {}: {}", data["attempt"], word(&data["what"])),
        "call.not-answered" => format!("{BAD}the call was not answered{BAD:#}"),
        "rule.fired" => {
            text("what").unwrap_or_else(|| format!("rule {} acted ({})", data["rule_id"], word(&data["kind"])))
        }
        _ => text("what").unwrap_or_else(|| {
            let empty = data.as_object().is_none_or(serde_json::Map::is_empty);
            if empty { kind.to_owned() } else { format!("{kind} {}", clean(&data.to_string())) }
        }),
    }
}

/// Returns the first lines of a response's body, without control characters, and the number of further lines.
pub(super) fn first_lines(body: &str) -> Vec<String> {
    let mut lines = body.trim_end().lines().map(|line| cut(&clean(line), BODY_LINE_CHARS_MAX));
    let mut shown: Vec<String> = lines.by_ref().take(BODY_LINES_MAX).collect();
    let rest = lines.count();
    if rest > 0 {
        shown.push(format!("… {rest} more lines"));
    }
    shown
}

/// Returns the URL that redirects led to, as an addition to the request's own URL; empty if there were none.
pub(super) fn redirected(request: &Value) -> String {
    request["redirected_to"].as_str().map(|to| format!(" → {}", clean(to))).unwrap_or_default()
}

/// Returns an error's text with its code.
pub(super) fn with_code(message: &str, code: &Value) -> String {
    let code = if code.is_null() { String::new() } else { format!(" ({})", cell(code)) };
    format!("{}{code}", clean(message))
}

fn took(millis: &Value) -> String {
    let duration = times::duration(millis);
    if duration.is_empty() { duration } else { format!("  {DIM}{duration}{DIM:#}") }
}

fn word(value: &Value) -> String {
    clean(value.as_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(pages: Pages, all: bool, events: &[Value]) -> String {
        let mut text = Vec::new();
        let mut out = anstream::StripStream::new(&mut text);
        let mut timeline = if all { Timeline::of_all(&mut out, pages) } else { Timeline::new(&mut out, pages) };
        events.iter().try_for_each(|event| timeline.event(event)).expect("printed");
        timeline.finish().expect("printed");
        String::from_utf8(text).expect("text")
    }

    fn event(kind: &str, fax: &str, data: &Value) -> Value {
        json!({ "at": "2026-11-30T12:26:01.561000Z", "kind": kind, "fax_sid": fax, "data": data })
    }

    fn page(fax: &str, page: u32) -> Value {
        event("fax.page", fax, &json!({ "page": page, "pages": 120 }))
    }

    #[test]
    fn consecutive_pages_share_a_line_and_others_begin_a_new_one() {
        let status = event("fax.status", "FX1", &json!({ "old": "sending", "new": "delivered" }));
        let events = [page("FX1", 1), page("FX1", 2), page("FX1", 3), page("FX2", 1), page("FX1", 4), status];
        let at = "12:26:01.561Z  ";
        let expected = ["pages 1–3 of 120 transmitted", "page 1 of 120 transmitted", "page 4 of 120 transmitted"];
        let lines = expected.iter().map(|line| format!("{at}{line}\n")).collect::<String>();
        assert_eq!(printed(Pages::Once, false, &events), format!("{lines}{at}fax is sending → delivered\n"));
        let headed = printed(Pages::Once, true, &events);
        assert_eq!(headed.matches("FX1\n").count(), 2, "{headed}");
    }

    #[test]
    fn the_body_of_a_failed_response_is_shown_in_its_first_lines_without_control_characters() {
        let body = (1..=30).map(|line| format!("line {line}\u{1b}[2J\n")).collect::<String>();
        let failed = json!({
            "method": "POST", "url": "http://app/fax", "purpose": "fax-url", "status": 500, "duration_ms": 0, "body": body,
            "error": { "code": 11200, "message": "the server answered 500" }, "note": "second delivery, by rule 2",
        });
        let text = printed(Pages::Once, false, &[event("webhook.attempt", "FX1", &failed)]);
        for part in
            ["(fax-url; second delivery, by rule 2)", "500  < 1 ms", "│ line 1 ", "│ line 20 ", "│ … 10 more lines"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("line 21") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn a_request_that_was_redirected_has_both_urls() {
        let redirected = json!({
            "method": "POST", "url": "http://app/fax", "redirected_to": "http://app/login", "purpose": "fax-url",
            "status": 200, "duration_ms": 3, "body": "<html>",
        });
        let text = printed(Pages::Once, false, &[event("webhook.attempt", "FX1", &redirected)]);
        assert!(text.contains("POST http://app/fax → http://app/login  (fax-url)\n"), "{text}");
    }

    #[test]
    fn a_pipe_gets_the_values_and_the_response_of_an_app_in_full() {
        let (twiml, url) = (format!("<Response>{}</Response>", "x".repeat(90)), format!("http://h/{}", "y".repeat(90)));
        let data = json!({
            "method": "POST", "url": "http://app/fax", "purpose": "action", "status": 200, "duration_ms": 0, "body": twiml,
            "params": { "MediaUrl": url },
        });
        let printed = |most| {
            let mut text = Vec::new();
            let mut timeline = Timeline::new(anstream::StripStream::new(&mut text), Pages::Once);
            timeline.value_chars_max = most;
            timeline.event(&event("webhook.attempt", "FX1", &data)).expect("printed");
            String::from_utf8(text).expect("text")
        };
        let (piped, shown) = (printed(None), printed(Some(VALUE_CHARS_MAX)));
        assert!(piped.contains(&twiml) && piped.contains(&url) && !piped.contains('…'), "{piped}");
        assert_eq!(shown.matches('…').count(), 2, "{shown}");
    }

    #[test]
    fn advice_is_given_once_and_unknown_kinds_are_described_by_their_sentence() {
        let alert = json!({ "code": 11200, "message": "HTTP retrieval failure", "advice": "look at your log" });
        let attempt = json!({ "attempt": 2, "what": "busy; the number is not called again" });
        let events = [
            event("alert", "FX1", &alert),
            event("alert", "FX1", &alert),
            event("call.attempt", "FX1", &attempt),
            event("media.evicted", "FX1", &json!({})),
        ];
        let text = printed(Pages::Once, false, &events);
        assert_eq!(text.matches("look at your log").count(), 1, "{text}");
        assert!(
            text.contains("12:26:01.561Z  call 2: busy; the number is not called again\n")
                && text.contains("media.evicted\n"),
            "{text}"
        );
    }
}
