//! `fauxfax faxes FX…`: shows one fax with its conversation, or downloads its document, a page or its text.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::Value;

use super::client::{CallError, Client};
use super::out::{note, stdout};
use super::table::{self, cell};
use super::timeline::{DIM, HEAD, Pages, Timeline, with_code};
use super::{files, times};

/// The width of a picture in pels: every pel of a fax page.
const PICTURE_PELS: u32 = 1_728;

/// The part of a fax to show.
pub(super) enum Wanted<'a> {
    /// The document in the format with this extension.
    Document(&'static str, &'a Path),
    /// A page as a picture.
    Picture(u32, &'a Path),
    /// The text on the pages.
    Text,
    /// The resource as JSON.
    Json,
    /// The facts about the fax and a timeline.
    Conversation,
}

pub(super) async fn show(client: &Client, sid: &str, wanted: Wanted<'_>) -> anyhow::Result<ExitCode> {
    match wanted {
        Wanted::Document(extension, path) => {
            let bytes = client.file(&format!("/faxes/{sid}/document.{extension}"), &[]).await?;
            files::write(path, &bytes)?;
        }
        Wanted::Picture(page, path) => {
            let width = ("width", Some(PICTURE_PELS.to_string()));
            let picture = client.file(&format!("/faxes/{sid}/pages/{page}.png"), &[width]).await;
            if picture.as_ref().is_err_and(|error| CallError::is_status(error, hyper::StatusCode::NOT_FOUND))
                && let Some(fax) = client.fax_if_there(sid).await?
                && let Some(why) = no_page(&fax, page)
            {
                bail!("{sid} {why}");
            }
            files::write(path, &picture?)?;
        }
        Wanted::Text => text(client, sid).await?,
        Wanted::Json => table::json(&client.control("GET", &format!("/faxes/{sid}"), &[], None).await?)?,
        Wanted::Conversation => conversation(client, sid).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Explains that a fax has no page with this number, if the reason is that it has fewer pages.
fn no_page(fax: &Value, page: u32) -> Option<String> {
    let pages = fax["num_pages"].as_u64()?;
    let has = if pages == 1 { "has 1 page".to_owned() } else { format!("has {pages} pages") };
    match page {
        0 => Some(format!("{has}, counted from 1, so there is no page 0")),
        page if u64::from(page) > pages => Some(format!("{has}, so there is no page {page}")),
        _ => None,
    }
}

/// Prints the text of each page under a heading.
async fn text(client: &Client, sid: &str) -> anyhow::Result<()> {
    let fax = client.control("GET", &format!("/faxes/{sid}"), &[], None).await?;
    let pages = fax["num_pages"].as_u64().unwrap_or(0);
    if pages == 0 {
        bail!("{sid} has no pages, or none yet");
    }
    let mut out = stdout();
    for number in 1..=pages {
        let page = client.control("GET", &format!("/faxes/{sid}/pages/{number}/text"), &[], None).await?;
        if pages > 1 {
            writeln!(out, "{HEAD}page {number} of {pages}{HEAD:#}")?;
        }
        if page["known"] == false {
            note(&format!("the text of page {number} is not known: {}", cell(&page["why"])));
        }
        if page["pictures"] == true {
            note(&format!("pictures cover most of page {number}; words in them may be missing"));
        }
        for line in page["text"].as_str().unwrap_or_default().lines() {
            writeln!(out, "{}", table::clean(line))?;
        }
    }
    Ok(())
}

/// Prints the facts about a fax, and what happened to it. A call that never became a fax, and a deleted fax,
/// have only a timeline.
async fn conversation(client: &Client, sid: &str) -> anyhow::Result<()> {
    let fax = client.fax_if_there(sid).await?;
    let query = [("fax", Some(sid.to_owned())), ("limit", Some("10000".to_owned()))];
    let page = client.control("GET", "/events", &query, None).await?;
    let events = page["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    if fax.is_none() && events.is_empty() {
        bail!("there is no fax {sid}; list them with: fauxfax faxes");
    }
    let mut timeline = Timeline::new(stdout(), Pages::Once);
    timeline.say(&format!("{HEAD}{sid}{HEAD:#}"))?;
    for (name, value) in fax.iter().flat_map(facts) {
        timeline.say(&format!("  {DIM}{name:<21}{DIM:#}{value}"))?;
    }
    timeline.say("")?;
    events.iter().try_for_each(|event| timeline.event(event))?;
    timeline.finish()?;
    match &fax {
        Some(fax) => timeline.advice(fax)?,
        None => timeline.say("This call never became a fax, or the fax has been deleted.")?,
    }
    if let Some(missed) = page["missed"].as_u64().filter(|missed| *missed > 0) {
        note(&format!("{missed} earlier events have been dropped from the journal; some may be about this fax"));
    }
    if cfg!(feature = "console") {
        timeline.say(&format!("{DIM}{}{DIM:#}", client.console(&format!("/faxes/{sid}"))))?;
    }
    Ok(())
}

/// Lists the known facts about a fax.
fn facts(fax: &Value) -> Vec<(&'static str, String)> {
    let error = fax["error_message"].as_str().map(|message| with_code(message, &fax["error_code"]));
    let created = fax["date_created"].as_str().and_then(|at| at.get(..10));
    let created = created.map(|date| format!("{date} {}", times::of_day(&fax["date_created"])));
    let facts = [
        ("status", cell(&fax["status"])),
        ("error", error.unwrap_or_default()),
        ("direction", cell(&fax["direction"])),
        ("from", cell(&fax["from"])),
        ("to", cell(&fax["to"])),
        ("pages", cell(&fax["num_pages"])),
        ("quality", cell(&fax["quality"])),
        ("seconds on the line", cell(&fax["duration"])),
        ("created", created.unwrap_or_default()),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, table::clean(&value))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_is_missing_because_of_its_number_only_if_there_are_fewer() {
        let no_page = |pages: Value, page| no_page(&json!({ "num_pages": pages }), page);
        assert_eq!(no_page(json!(2), 9).as_deref(), Some("has 2 pages, so there is no page 9"));
        assert_eq!(no_page(json!(1), 0).as_deref(), Some("has 1 page, counted from 1, so there is no page 0"));
        assert_eq!((no_page(json!(2), 2), no_page(Value::Null, 2)), (None, None), "its document is gone or unknown");
    }

    #[test]
    fn only_known_facts_about_a_fax_are_listed() {
        let fax = json!({
            "status": "busy", "error_code": 34002, "error_message": "Callee busy", "num_pages": null,
            "date_created": "2026-11-30T12:26:01Z",
        });
        let expected = [("status", "busy"), ("error", "Callee busy (34002)"), ("created", "2026-11-30 12:26:01Z")];
        assert_eq!(facts(&fax), expected.map(|(name, value)| (name, value.to_owned())));
    }
}
