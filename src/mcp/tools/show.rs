//! The tools that show faxes: the list, and one with its conversation.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::error::ToolError;
use super::super::tool::{Call, Tool, schema_of};
use super::{brief, word};
use crate::client::ApiError;

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "list_faxes",
        title: "List and search the faxes",
        description: "Lists faxes, newest first: both directions, and calls that no app took. search narrows it, for example \
                      `status:failed to:+1555* after:10m` or `callbacks:failed`.",
        schema: schema_of::<ListFaxes>,
        run: |call| Box::pin(async { list(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
    Tool {
        name: "show_fax",
        title: "Show a fax and what happened",
        description: "Shows one fax with its conversation: every step, each request to the app with its response, why something failed, \
                      and what to change. Use it after each attempt; for a call that no app took, too.",
        schema: schema_of::<ShowFax>,
        run: |call| Box::pin(async { show(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
];

/// The number of faxes on a page if the call doesn't say.
const FAXES_DEFAULT: u32 = 20;
/// The largest number of faxes on a page.
const FAXES_MAX: u32 = 100;
/// The maximum length of a conversation, in characters. A longer one is cut: its steps come first, then the failed
/// exchanges.
const CONVERSATION_CHARS_MAX: usize = 10_000;
/// The maximum length of an error's text in a list, in characters.
const ERROR_CHARS: usize = 120;

/// The arguments of `list_faxes`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListFaxes {
    /// Terms that must all match, separated by spaces: status:, direction:, from:, to:, code:, error:, pages:, callbacks:,
    /// after:, before:, or bare text.
    search: Option<String>,
    /// Faxes on a page, 1 to 100; 20 by default.
    limit: Option<u32>,
    /// next_page_token of the page before.
    page_token: Option<u64>,
}

/// The arguments of `show_fax`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowFax {
    /// SID of the fax, such as FX…
    fax: String,
}

async fn list(call: &Call, arguments: ListFaxes) -> Result<Answer, ToolError> {
    let limit = arguments.limit.unwrap_or(FAXES_DEFAULT);
    if !(1..=FAXES_MAX).contains(&limit) {
        return Err(ToolError(format!("limit: must be 1 to {FAXES_MAX}, not {limit}")));
    }
    // Without a search, calls that nobody took are listed too, because an assistant looks for them when a fax is
    // missing.
    let status = if arguments.search.is_none() { Some("any".to_owned()) } else { None };
    let query = [
        ("q", arguments.search),
        ("status", status),
        ("limit", Some(limit.to_string())),
        ("page_token", arguments.page_token.map(|token| token.to_string())),
    ];
    let page = call.client.get("/faxes", &query).await?;
    let faxes = page["faxes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut text = format!("{} found, {} shown.\n", page["hits"], faxes.len());
    for fax in faxes {
        // Writing to a string never fails.
        let _ = writeln!(text, "{}", line(fax));
    }
    let console = call.client.console("/faxes");
    let _ = writeln!(text, "Console: {console}");
    let shown: Vec<Value> = faxes.iter().map(facts).collect();
    let next = &page["next_page_token"];
    if !next.is_null() {
        let _ = writeln!(text, "More: page_token {next}");
    }
    Ok(Answer::text(text)
        .with(json!({ "hits": page["hits"], "faxes": shown, "next_page_token": next, "console": console })))
}

async fn show(call: &Call, ShowFax { fax }: ShowFax) -> Result<Answer, ToolError> {
    told(call, &fax, "").await
}

/// Returns a fax with its conversation, below a first line.
pub(super) async fn told(call: &Call, sid: &str, first: &str) -> Result<Answer, ToolError> {
    let sid = path_segment(sid)?;
    // A fax that the app has deleted still has a conversation.
    let fax = match call.client.get(&format!("/faxes/{sid}"), &[]).await {
        Ok(fax) => fax,
        Err(ApiError::Refused { status: 404, .. }) => Value::Null,
        Err(error) => return Err(error.into()),
    };
    let conversation = call.client.file(&format!("/faxes/{sid}/conversation.md"), &[]).await?;
    let conversation = readable(&String::from_utf8_lossy(&conversation));
    let console = call.client.console(&format!("/faxes/{sid}"));
    let mut text = String::new();
    if !first.is_empty() {
        let _ = writeln!(text, "{first}\n");
    }
    let _ = writeln!(text, "{}\nConsole: {console}", conversation.trim_end());
    let mut data = facts(&fax);
    data["sid"] = json!(sid);
    data["console"] = json!(console);
    for name in ["cause", "advice"] {
        if fax[name].is_string() {
            data[name] = fax[name].clone();
        }
    }
    Ok(Answer::text(text).with(data))
}

/// Returns a SID for use in a path. Any other text could turn the request into a different call.
pub(super) fn path_segment(sid: &str) -> Result<&str, ToolError> {
    let sid = sid.trim();
    let is_sid = !sid.is_empty() && sid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_sid {
        return Ok(sid);
    }
    Err(ToolError(format!(
        "fax: must be the SID of a fax, such as FX and 32 hexadecimal digits, not {sid:?}; list_faxes lists them"
    )))
}

/// Returns a conversation without the tags that only GitHub needs, and cut to the limit.
fn readable(markdown: &str) -> String {
    let mut text = String::new();
    for line in markdown.lines() {
        let line = match line.strip_prefix("<summary>").and_then(|line| line.strip_suffix("</summary>")) {
            Some(summary) => format!("**{}**", summary.replace("<code>", "`").replace("</code>", "`")),
            None if matches!(line, "<details>" | "</details>") => continue,
            None => line.to_owned(),
        };
        // The tags leave empty lines behind.
        if !line.is_empty() || !text.ends_with("\n\n") {
            text.push_str(&line);
            text.push('\n');
        }
    }
    match text.char_indices().nth(CONVERSATION_CHARS_MAX) {
        Some((at, _)) => format!("{}\n[cut here; the console has all of it]\n", &text[..at]),
        None => text,
    }
}

/// Describes a fax on one line.
pub(super) fn line(fax: &Value) -> String {
    let pages = match fax["num_pages"].as_u64().or(fax["offered_pages"].as_u64()) {
        Some(1) => ", 1 page".to_owned(),
        Some(pages) => format!(", {pages} pages"),
        None => String::new(),
    };
    let error = word(&fax["error_message"]);
    let error =
        if error.is_empty() { error } else { format!("; {} {}", word(&fax["error_code"]), brief(&error, ERROR_CHARS)) };
    let callbacks = word(&fax["last_failure"]);
    let callbacks = if callbacks.is_empty() { callbacks } else { format!("; callback failed: {callbacks}") };
    format!(
        "{} {} {}: {} to {}{pages}, {}{error}{callbacks}",
        word(&fax["sid"]),
        word(&fax["direction"]),
        word(&fax["status"]),
        word(&fax["from"]),
        word(&fax["to"]),
        word(&fax["date_created"]),
    )
}

/// Returns the facts of a fax that programs need.
pub(super) fn facts(fax: &Value) -> Value {
    let names =
        ["sid", "status", "direction", "from", "to", "num_pages", "error_code", "error_message", "date_created"];
    names.iter().map(|name| ((*name).to_owned(), fax[*name].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_read_without_tags_and_cut_at_the_limit() {
        let markdown = "### Fax\n\n<details>\n<summary>00:00 action: <code>POST http://app</code> → 500</summary>\n\nx\n\n</details>\n";
        assert_eq!(readable(markdown), "### Fax\n\n**00:00 action: `POST http://app` → 500**\n\nx\n\n");
        let long = readable(&"line\n".repeat(CONVERSATION_CHARS_MAX));
        assert!(long.ends_with("[cut here; the console has all of it]\n"));
    }

    #[test]
    fn only_a_sid_becomes_part_of_a_path() {
        assert_eq!(path_segment(" FX01ab "), Ok("FX01ab"));
        for wrong in ["", "../reset", "FX1?x=1", "FX1/pages"] {
            assert!(path_segment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_fax_is_one_line() {
        let fax = json!({
            "sid": "FX1", "direction": "outbound", "status": "failed", "from": "+1", "to": "+2", "num_pages": 2,
            "date_created": "2030-01-01T00:00:00Z", "error_code": 34004, "error_message": "The call dropped",
        });
        let expected = "FX1 outbound failed: +1 to +2, 2 pages, 2030-01-01T00:00:00Z; 34004 The call dropped";
        assert_eq!(line(&fax), expected);
    }
}
