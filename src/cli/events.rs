//! `fauxfax events`: prints the journal as a table, follows it with `-f`, exports a conversation, or prints the
//! journal's hash.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use clap::builder::PossibleValue;
use serde_json::Value;

use super::client::{Client, EXIT_CODES, Target, block_on};
use super::out::{self, note, stdout};
use super::stream::{Message, Messages};
use super::table::{self, cell};
use super::timeline::{Pages, Timeline, redirected};
use super::times;
use super::values::whole_number;
use crate::http::control::event::kinds;
use crate::model::sid::FaxSid;

/// The number of events with which `-f` begins if `--since` and `--all` are left out.
const BEGINS_WITH: usize = 10;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct EventsFlags {
    #[command(flatten)]
    target: Target,
    /// Print the journal's hash, which is the same for runs with the same seed and inputs if the clock is frozen
    #[arg(long, conflicts_with_all = ["since", "all", "fax", "kind", "limit", "follow", "har", "markdown", "all_accounts"])]
    hash: bool,
    /// Keep printing new events until the emulator stops; without --since or --all, begin with the last ten
    #[arg(short, long)]
    follow: bool,
    /// Print only events after this sequence number; after the last reset if left out
    #[arg(long, value_name = "SEQ", value_parser = whole_number::<u64>)]
    since: Option<u64>,
    /// Print events from before the last reset too
    #[arg(long, conflicts_with = "since")]
    all: bool,
    /// Print only events of this fax or call
    #[arg(long, value_name = "FX…")]
    fax: Option<String>,
    /// Print only events of this kind, such as fax.status or webhook.attempt
    #[arg(long, value_name = "KIND", value_parser = Kinds)]
    kind: Option<String>,
    /// Print at most this many events
    #[arg(long, value_name = "N", conflicts_with = "follow", value_parser = whole_number::<usize>)]
    limit: Option<usize>,
    /// Print the events of all accounts, in the order in which they happened
    #[arg(long, conflicts_with_all = ["har", "markdown"])]
    all_accounts: bool,
    /// Print JSON, one event per line
    #[arg(long)]
    json: bool,
    /// Print the conversation of --fax as HAR 1.2, which the network panels of browsers open
    #[arg(long, requires = "fax", conflicts_with_all = ["follow", "since", "all", "kind", "limit", "json", "markdown"])]
    har: bool,
    /// Print the conversation of --fax as Markdown, for an issue
    #[arg(long, visible_alias = "md", requires = "fax")]
    #[arg(conflicts_with_all = ["follow", "since", "all", "kind", "limit", "json"])]
    markdown: bool,
}

/// Accepts any kind of event: the emulator may know more kinds than this program, and it suggests the nearest one if
/// the kind is unknown. Offers only the kinds known here to shell completion.
#[derive(Debug, Clone)]
struct Kinds;

impl clap::builder::TypedValueParser for Kinds {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        clap::builder::StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(kinds().map(PossibleValue::new)))
    }
}

pub(super) fn run(flags: &EventsFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        let client = if flags.all_accounts { client.with_account("*") } else { client };
        if flags.hash {
            return hash(&client).await;
        }
        if let Some((fax, extension)) = flags.export() {
            return export(&client, fax, extension).await;
        }
        if flags.follow {
            return follow(&client, flags).await;
        }
        let page = client.control("GET", "/events", &query(flags), None).await?;
        let events = page["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        if flags.json {
            let mut out = stdout();
            events.iter().try_for_each(|event| writeln!(out, "{event}"))?;
        } else if flags.all_accounts {
            let rows: Vec<_> = events.iter().map(row_of_all).collect();
            table::rows(["SEQ", times::AT, "ACCOUNT", "KIND", "FAX", "WHAT"], &rows)?;
        } else {
            let rows: Vec<_> = events.iter().map(row).collect();
            table::rows(["SEQ", times::AT, "KIND", "FAX", "WHAT"], &rows)?;
        }
        if let Some(missed) = page["missed"].as_u64().filter(|missed| *missed > 0) {
            note(&format!("{missed} earlier events have been dropped from the journal"));
        }
        Ok(ExitCode::SUCCESS)
    })
}

impl EventsFlags {
    /// Returns the fax or call to export, and the extension of the format.
    fn export(&self) -> Option<(&str, &'static str)> {
        let extension = match (self.har, self.markdown) {
            (true, _) => "har",
            (false, true) => "md",
            (false, false) => return None,
        };
        Some((self.fax.as_deref()?, extension))
    }
}

async fn export(client: &Client, fax: &str, extension: &str) -> anyhow::Result<ExitCode> {
    // Parsed because it becomes a part of the path.
    let fax: FaxSid = fax.parse().with_context(|| format!("--fax: {fax:?} is not the SID of a fax or call"))?;
    let text = client.text(&format!("/faxes/{fax}/conversation.{extension}")).await?;
    writeln!(stdout(), "{}", text.trim_end_matches('\n'))?;
    Ok(ExitCode::SUCCESS)
}

fn query(flags: &EventsFlags) -> [(&'static str, Option<String>); 5] {
    [
        ("since", flags.since.map(|since| since.to_string())),
        ("all", flags.all.then(|| "true".to_owned())),
        ("fax", flags.fax.clone()),
        ("kind", flags.kind.clone()),
        ("limit", flags.limit.map(|limit| limit.to_string())),
    ]
}

async fn hash(client: &Client) -> anyhow::Result<ExitCode> {
    let answer = client.control("GET", "/events/hash", &[], None).await?;
    if answer["evicted"].as_u64().is_some_and(|evicted| evicted > 0) {
        note("the journal has dropped its oldest events, so this is the hash of the rest");
    }
    writeln!(stdout(), "{}", cell(&answer["hash"]))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the last events, and then each new one until the emulator stops.
async fn follow(client: &Client, flags: &EventsFlags) -> anyhow::Result<ExitCode> {
    let mut query = query(flags);
    if flags.since.is_none() && !flags.all {
        query[0].1 = Some(begin(client, flags).await?.to_string());
    }
    let mut events = Messages::open(client, "/events", &query).await?;
    let mut out = stdout();
    // A timeline names no accounts, so the events of all accounts are printed as lines.
    let as_lines = flags.all_accounts || !out::is_terminal();
    if !flags.json && as_lines {
        let account = if flags.all_accounts { format!("  {:<34}", "ACCOUNT") } else { String::new() };
        writeln!(out, "{:>5}  {:<13}{account}  {:<17}  {:<34}  WHAT", "SEQ", times::AT, "KIND", "FAX")?;
    }
    let mut timeline = Timeline::of_all(stdout(), Pages::Rewritten);
    while let Some(message) = events.next().await? {
        match message {
            Message::Evicted(count) => note(&format!("{count} events were dropped before they could be read")),
            Message::Item(event) if flags.json => writeln!(out, "{event}")?,
            Message::Item(event) if !as_lines => timeline.event(&event)?,
            Message::Item(event) => {
                let [seq, at, account, kind, fax, what] = row_of_all(&event).map(|cell| table::clean(&cell));
                let account = if flags.all_accounts { format!("  {account:<34}") } else { String::new() };
                writeln!(out, "{seq:>5}  {at}{account}  {kind:<17}  {fax:<34}  {what}")?;
            }
        }
        out.flush()?;
    }
    timeline.finish()?;
    note("the emulator has stopped");
    Ok(ExitCode::SUCCESS)
}

/// Returns the place in the journal just before the last few matching events, and prints how many earlier ones are left
/// out.
async fn begin(client: &Client, flags: &EventsFlags) -> anyhow::Result<u64> {
    let query = [("fax", flags.fax.clone()), ("kind", flags.kind.clone()), ("limit", Some("10000".to_owned()))];
    let page = client.control("GET", "/events", &query, None).await?;
    let events = page["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    let left_out = events.len().saturating_sub(BEGINS_WITH);
    if left_out > 0 {
        note(&format!(
            "showing the last {BEGINS_WITH} events, then each new one; \
             --since 0 also shows earlier ones, of which {left_out} came after the last reset"
        ));
    }
    let seq = |event: Option<&Value>| event.and_then(|event| event["seq"].as_u64());
    // Without any matching event, the stream begins after the last event of any kind.
    Ok(seq(events.get(left_out))
        .map_or_else(|| page["last_seq"].as_u64().unwrap_or(0), |first| first.saturating_sub(1)))
}

fn row(event: &Value) -> [String; 5] {
    [cell(&event["seq"]), times::of_day(&event["at"]), cell(&event["kind"]), cell(&event["fax_sid"]), what(event)]
}

/// Returns an event's row for a list of the events of all accounts.
fn row_of_all(event: &Value) -> [String; 6] {
    let [seq, at, kind, fax, what] = row(event);
    [seq, at, cell(&event["account_sid"]), kind, fax, what]
}

/// Returns a short description of an event.
fn what(event: &Value) -> String {
    let data = &event["data"];
    let word = |name: &str| cell(&data[name]);
    match event["kind"].as_str().unwrap_or_default() {
        "fax.status" => {
            let code = data["error_code"].as_u64().map(|code| format!(" ({code} {})", word("error_message")));
            // A new fax has no old status, which leaves a leading space.
            format!("{} → {}{}", word("old"), word("new"), code.unwrap_or_default()).trim_start().to_owned()
        }
        "message.status" => format!("{} {} → {}", word("message_sid"), word("old"), word("new")).replace("  ", " "),
        "fax.page" => format!("page {} of {}", data["page"], data["pages"]),
        "webhook.attempt" | "webhook.replayed" | "document.fetched" => {
            let end = data["error"]["message"].as_str().map_or_else(|| word("status"), ToOwned::to_owned);
            let note = data["note"].as_str().map(|note| format!(" ({note})")).unwrap_or_default();
            format!("{} {} {}{}: {end}{note}", word("purpose"), word("method"), word("url"), redirected(data))
        }
        "call.attempt" => format!("call {}: {}", data["attempt"], word("what")),
        "document.loss" => match data["page"].as_u64() {
            Some(page) => format!("page {page}: {}", word("what")),
            None => word("what"),
        },
        "api.request" => {
            let code = data["code"].as_u64().map(|code| format!(" {code}")).unwrap_or_default();
            format!("{} {} {}{code}", word("method"), word("path"), data["status"])
        }
        "media.refused" => format!("{}: {}", data["status"], word("detail")),
        "media.warning" => word("detail"),
        "twiml.executed" => format!("<{}>", word("verb")),
        "alert" => format!("{} {}", data["code"], word("message")),
        _ if data["what"].is_string() => word("what"),
        _ => data.as_object().filter(|data| !data.is_empty()).map(|_| data.to_string()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_event_has_a_short_description() {
        let told = |kind: &str, data: Value| what(&json!({ "kind": kind, "data": data }));
        assert_eq!(told("fax.status", json!({ "old": "sending", "new": "busy" })), "sending → busy");
        assert_eq!(told("fax.status", json!({ "old": null, "new": "queued" })), "→ queued");
        let entered = json!({ "message_sid": "SM1", "old": null, "new": "queued" });
        assert_eq!(told("message.status", entered), "SM1 → queued");
        let failed =
            json!({ "purpose": "action", "method": "POST", "url": "http://h/", "error": { "message": "refused" } });
        assert_eq!(told("webhook.attempt", failed), "action POST http://h/: refused");
        let note = "second delivery, same token, by rule 2";
        let again = json!({ "purpose": "action", "method": "POST", "url": "http://h/", "status": 204, "note": note });
        assert_eq!(told("webhook.attempt", again), format!("action POST http://h/: 204 ({note})"));
        let call = json!({ "attempt": 2, "outcome": "busy", "what": "busy; the number is not called again" });
        assert_eq!(told("call.attempt", call), "call 2: busy; the number is not called again");
        assert_eq!(told("rule.fired", json!({ "rule_id": 1, "what": "rule 1 drops it" })), "rule 1 drops it");
        let twice =
            json!({ "purpose": "action", "method": "POST", "url": "http://h/", "status": 200, "note": "held 3 s" });
        assert_eq!(told("webhook.attempt", twice), "action POST http://h/: 200 (held 3 s)");
        assert_eq!(told("document.loss", json!({ "page": 2, "what": "an image" })), "page 2: an image");
        assert_eq!(told("document.loss", json!({ "page": null, "what": "a page" })), "a page");
        let refused = json!({ "status": 403, "reason": "expired", "detail": "the URL expired" });
        assert_eq!(told("media.refused", refused), "403: the URL expired");
        assert_eq!(told("media.warning", json!({ "reason": "no-user-agent", "detail": "none" })), "none");
        assert_eq!(told("something.new", json!({ "a": 1 })), r#"{"a":1}"#);
        assert_eq!(told("media.evicted", json!({})), "");
    }
}
