//! `fauxfax events`: prints the journal as a table, follows it with `-f`, exports a conversation, or prints the journal's
//! hash.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::client::{Client, EXIT_CODES, Target, block_on};
use super::numbers::whole_number;
use super::table::{self, cell};
use crate::model::sid::FaxSid;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct EventsFlags {
    #[command(flatten)]
    target: Target,
    /// Print the journal's hash, which is the same for runs with the same seed and inputs if the clock is frozen
    #[arg(long, conflicts_with_all = ["since", "all", "fax", "kind", "limit", "follow", "har", "markdown"])]
    hash: bool,
    /// Keep printing new events until the emulator stops
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
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Print at most this many events
    #[arg(long, value_name = "N", conflicts_with = "follow", value_parser = whole_number::<usize>)]
    limit: Option<usize>,
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

pub(super) fn run(flags: &EventsFlags) -> anyhow::Result<ExitCode> {
    let query = [
        ("since", flags.since.map(|since| since.to_string())),
        ("all", flags.all.then(|| "true".to_owned())),
        ("fax", flags.fax.clone()),
        ("kind", flags.kind.clone()),
        ("limit", flags.limit.map(|limit| limit.to_string())),
    ];
    block_on(async {
        let client = Client::new(&flags.target)?;
        if flags.hash {
            return hash(&client).await;
        }
        if let Some((fax, extension)) = flags.export() {
            return export(&client, fax, extension).await;
        }
        if flags.follow {
            return follow(&client, &query, flags.json).await;
        }
        let page = client.control("GET", "/events", &query, None).await?;
        let events = page["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        if flags.json {
            let mut out = anstream::stdout().lock();
            events.iter().try_for_each(|event| writeln!(out, "{event}"))?;
        } else {
            let rows: Vec<_> = events.iter().map(row).collect();
            table::rows(["SEQ", "AT", "KIND", "FAX", "WHAT"], &rows)?;
        }
        if let Some(missed) = page["missed"].as_u64().filter(|missed| *missed > 0) {
            writeln!(anstream::stderr(), "{missed} earlier events have been dropped from the journal")?;
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
    writeln!(anstream::stdout(), "{}", text.trim_end_matches('\n'))?;
    Ok(ExitCode::SUCCESS)
}

async fn hash(client: &Client) -> anyhow::Result<ExitCode> {
    let answer = client.control("GET", "/events/hash", &[], None).await?;
    if answer["evicted"].as_u64().is_some_and(|evicted| evicted > 0) {
        writeln!(anstream::stderr(), "the journal has dropped its oldest events, so this is the hash of the rest")?;
    }
    writeln!(anstream::stdout(), "{}", cell(&answer["hash"]))?;
    Ok(ExitCode::SUCCESS)
}

async fn follow(client: &Client, query: &[(&str, Option<String>)], json: bool) -> anyhow::Result<ExitCode> {
    let mut stream = client.events(query).await?;
    let mut blocks = Blocks::default();
    while let Some(chunk) = stream.next().await? {
        blocks.completed_by(&chunk).iter().try_for_each(|block| show(block, json))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The blocks of an event stream, whose chunks may end anywhere, even within a character.
#[derive(Default)]
struct Blocks {
    /// The beginning of a block that has not arrived completely.
    begun: Vec<u8>,
}

impl Blocks {
    /// Adds a chunk and returns the blocks that are complete now.
    fn completed_by(&mut self, chunk: &[u8]) -> Vec<String> {
        self.begun.extend_from_slice(chunk);
        // An empty line ends a block.
        let Some(end) = self.begun.windows(2).rposition(|pair| pair == b"\n\n") else { return Vec::new() };
        let complete: Vec<u8> = self.begun.drain(..end + 2).collect();
        let complete = String::from_utf8_lossy(&complete);
        complete.split("\n\n").filter(|block| !block.is_empty()).map(ToOwned::to_owned).collect()
    }
}

/// Prints one block of the event stream: an event, a note about dropped events, or nothing for a heartbeat.
fn show(block: &str, json: bool) -> anyhow::Result<()> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    // A heartbeat is a comment without data.
    let Some(data) = field("data:") else { return Ok(()) };
    if field("event:") == Some("evicted") {
        writeln!(anstream::stderr(), "events were dropped from the journal before they could be read: {data}")?;
        return Ok(());
    }
    let mut out = anstream::stdout().lock();
    if json {
        writeln!(out, "{data}")?;
    } else {
        let [seq, at, kind, fax, what] = row(&serde_json::from_str(data)?);
        writeln!(out, "{seq:>5}  {at}  {kind:<17}  {fax}  {what}")?;
    }
    Ok(out.flush()?)
}

fn row(event: &Value) -> [String; 5] {
    // The time of day within an RFC 3339 timestamp, with milliseconds.
    let at = event["at"].as_str().and_then(|at| at.get(11..23)).unwrap_or_default().to_owned();
    [cell(&event["seq"]), at, cell(&event["kind"]), cell(&event["fax_sid"]), what(event)]
}

/// Prints a fax's events as a table.
pub(super) fn conversation(events: &Value) -> anyhow::Result<()> {
    let events = events.as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<_> = events.iter().map(row).map(|[_, at, kind, _, what]| [at, kind, what]).collect();
    table::rows(["AT", "KIND", "WHAT"], &rows)
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
            format!("{} {} {}: {end}{note}", word("purpose"), word("method"), word("url"))
        }
        "call.attempt" => format!("call {}: {}", data["attempt"], word("what")),
        // An emulator of an earlier version doesn't say what the rule does.
        "rule.fired" if data["what"].is_string() => word("what"),
        "document.loss" => match data["page"].as_u64() {
            Some(page) => format!("page {page}: {}", word("what")),
            None => word("what"),
        },
        "api.request" => format!("{} {} {}", word("method"), word("path"), data["status"]),
        "media.refused" => format!("{}: {}", data["status"], word("detail")),
        "media.warning" => word("detail"),
        "twiml.executed" => format!("<{}>", word("verb")),
        "alert" => format!("{} {}", data["code"], word("message")),
        _ => data.as_object().filter(|data| !data.is_empty()).map(|_| data.to_string()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stream_is_read_in_the_same_way_wherever_its_chunks_end() {
        let expected = [": fauxfax", "id: 1\ndata: {\"what\":\"Zoë\"}", "event: evicted\nid: 2\ndata: {}"];
        let whole = expected.map(|block| format!("{block}\n\n")).concat();
        for at in 0..=whole.len() {
            let (first, second) = whole.as_bytes().split_at(at);
            let mut blocks = Blocks::default();
            let read = [blocks.completed_by(first), blocks.completed_by(second)].concat();
            assert_eq!(read, expected, "split at {at}");
        }
        let mut blocks = Blocks::default();
        let read: Vec<String> = whole.as_bytes().iter().flat_map(|byte| blocks.completed_by(&[*byte])).collect();
        assert_eq!(read, expected, "byte by byte");
    }

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
        assert_eq!(told("document.loss", json!({ "page": 2, "what": "an image" })), "page 2: an image");
        assert_eq!(told("document.loss", json!({ "page": null, "what": "a page" })), "a page");
        let refused = json!({ "status": 403, "reason": "expired", "detail": "the URL expired" });
        assert_eq!(told("media.refused", refused), "403: the URL expired");
        assert_eq!(told("media.warning", json!({ "reason": "no-user-agent", "detail": "none" })), "none");
        assert_eq!(told("something.new", json!({ "a": 1 })), r#"{"a":1}"#);
        assert_eq!(told("media.evicted", json!({})), "");
    }
}
