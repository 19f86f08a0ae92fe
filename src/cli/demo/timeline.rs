//! Prints a conversation as a timeline of readable lines, made from the journal's events, and counts the results of the
//! app's signature checks.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::app::VERDICT;

const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const REQUEST: Style = AnsiColor::Cyan.on_default();
const STATUS: Style = AnsiColor::Yellow.on_default().bold();
const HEAD: Style = Style::new().bold();
/// The webhook parameters that are shown.
const SHOWN: [&str; 6] = ["FaxSid", "FaxStatus", "NumPages", "RemoteStationId", "ErrorCode", "MediaUrl"];
/// The maximum number of characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 60;

/// A timeline, printed with colours if `out` supports them.
pub(super) struct Timeline<W> {
    out: W,
    /// How many signatures the app found valid.
    pub(super) valid: usize,
    /// How many signatures the app found invalid.
    pub(super) invalid: usize,
}

impl<W: Write> Timeline<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, valid: 0, invalid: 0 }
    }

    /// Prints a heading, after an empty line.
    pub(super) fn heading(&mut self, text: &str) -> std::io::Result<()> {
        writeln!(self.out, "\n{HEAD}{text}{HEAD:#}")
    }

    /// Prints a line that belongs to no event.
    pub(super) fn say(&mut self, text: &str) -> std::io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Prints an outcome, with a tick or a cross.
    pub(super) fn verdict(&mut self, is_good: bool, text: &str) -> std::io::Result<()> {
        let (mark, style) = if is_good { ("✓", GOOD) } else { ("✗", BAD) };
        writeln!(self.out, "{style}{mark} {text}{style:#}")
    }

    /// Prints an event from the journal, unless it is irrelevant to the demonstration.
    pub(super) fn event(&mut self, event: &Value) -> std::io::Result<()> {
        // The time of day within an RFC 3339 timestamp, with milliseconds.
        let at = event["at"].as_str().and_then(|at| at.get(11..23)).unwrap_or_default().to_owned();
        let data = &event["data"];
        match event["kind"].as_str().unwrap_or_default() {
            "fax.status" => {
                let new = word(&data["new"]);
                let old = data["old"].as_str().map(|old| format!("{old} → ")).unwrap_or_default();
                writeln!(self.out, "{DIM}{at}{DIM:#}  fax is {old}{STATUS}{new}{STATUS:#}")?;
                if let Some(message) = data["error_message"].as_str() {
                    writeln!(self.out, "{:14}{BAD}{message} ({}){BAD:#}", "", data["error_code"])?;
                }
                Ok(())
            }
            "fax.page" => {
                writeln!(self.out, "{DIM}{at}{DIM:#}  page {} of {} transmitted", data["page"], data["pages"])
            }
            "twiml.executed" => {
                writeln!(self.out, "{DIM}{at}{DIM:#}  the app says {HEAD}<{}>{HEAD:#}", word(&data["verb"]))
            }
            "webhook.attempt" => self.exchange(&at, data),
            "document.fetched" => {
                self.exchange(&at, data)?;
                match data["document"]["pages"].as_u64() {
                    Some(pages) => writeln!(self.out, "{:14}a document of {pages} pages", ""),
                    None => writeln!(self.out, "{:14}{BAD}{}{BAD:#}", "", word(&data["reason"])),
                }
            }
            "alert" => writeln!(self.out, "{DIM}{at}{DIM:#}  {BAD}{} {}{BAD:#}", data["code"], word(&data["message"])),
            _ => Ok(()),
        }
    }

    fn exchange(&mut self, at: &str, data: &Value) -> std::io::Result<()> {
        let (method, url, purpose) = (word(&data["method"]), word(&data["url"]), word(&data["purpose"]));
        writeln!(self.out, "{DIM}{at}{DIM:#}  {REQUEST}{method} {url}{REQUEST:#}  {DIM}({purpose}){DIM:#}")?;
        for name in SHOWN {
            if let Some(value) = data["params"][name].as_str() {
                writeln!(self.out, "{:14}{name}={}", "", cut(value))?;
            }
        }
        match data["response_headers"][VERDICT].as_str() {
            Some("valid") => {
                self.valid += 1;
                writeln!(self.out, "{:14}{GOOD}signature valid, says the app{GOOD:#}", "")?;
            }
            Some(_) => {
                self.invalid += 1;
                writeln!(self.out, "{:14}{BAD}signature INVALID, says the app{BAD:#}", "")?;
            }
            None => {}
        }
        match (data["status"].as_u64(), data["error"]["message"].as_str()) {
            (_, Some(error)) => writeln!(self.out, "{:14}{BAD}{error}{BAD:#}", ""),
            (Some(status), None) => {
                let body = word(&data["body"]);
                // Omit the XML declaration.
                let body = body.split_once("?>").map_or(body, |(_, rest)| rest);
                let tail = if body.is_empty() { String::new() } else { format!("  {}", cut(body)) };
                writeln!(self.out, "{:14}{GOOD}{status}{GOOD:#}{tail}", "")
            }
            (None, None) => Ok(()),
        }
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(VALUE_CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
