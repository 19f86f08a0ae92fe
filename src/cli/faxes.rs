//! `fauxfax faxes`: lists an account's faxes, newest first, or shows one.

use std::io::Write;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use serde_json::{Value, json};

use super::client::{Client, EXIT_CODES, Target, block_on};
use super::fax::{self, Wanted};
use super::out::{note, stdout};
use super::sids::whole_sid;
use super::table::{self, cell};
use super::timeline::{first_lines, redirected, with_code};
use super::times;
use super::values::{at_least_one, whole_number, words};
use crate::model::fax::{Direction, Status};

/// The word for a call that ended without a fax.
const NOT_ANSWERED: &str = "not-answered";
/// The maximum number of faxes that the emulator returns at once.
const PAGE_MAX: usize = 500;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct FaxesFlags {
    #[command(flatten)]
    target: Target,
    /// Fax or call to show, or the first characters of its SID; if left out, all faxes are listed
    #[arg(value_name = "FX…", conflicts_with_all = ["status", "direction", "search", "limit", "all_accounts"])]
    fax: Option<String>,
    /// List only faxes in this status, or in several, comma-separated; not-answered alone shows more about the calls
    /// that nobody took
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = statuses())]
    status: Vec<String>,
    /// List only faxes in this direction
    #[arg(long, value_name = "DIRECTION", value_parser = words(Direction::ALL, Direction::as_str))]
    direction: Option<String>,
    /// List only faxes that match, such as 'to:+1555* code:34004 pages:>10', or text in the SID, the numbers or the
    /// error
    #[arg(long, value_name = "QUERY")]
    search: Option<String>,
    /// List at most this many faxes
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = at_least_one)]
    limit: usize,
    /// List the faxes of all accounts
    #[arg(long)]
    all_accounts: bool,
    /// Write the document of the fax as PDF to this file; - is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "fax", group = "document")]
    pdf: Option<std::path::PathBuf>,
    /// Write the document of the fax as TIFF to this file; - is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "fax", group = "document")]
    tiff: Option<std::path::PathBuf>,
    /// Write a page of the fax as a picture to this file; - is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "fax", group = "document")]
    png: Option<std::path::PathBuf>,
    /// Number of the page for --png
    #[arg(long, value_name = "N", default_value_t = 1, requires = "png", value_parser = whole_number::<u32>)]
    page: u32,
    /// Print the text on the pages of the fax
    #[arg(long, requires = "fax", group = "document")]
    text: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "document")]
    json: bool,
}

fn statuses() -> PossibleValuesParser {
    PossibleValuesParser::new(all_statuses())
}

fn all_statuses() -> impl Iterator<Item = &'static str> {
    Status::ALL.iter().map(|status| status.as_str()).chain([NOT_ANSWERED])
}

pub(super) fn run(flags: &FaxesFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        let Some(fax) = &flags.fax else { return list(&client, flags).await };
        let sid = whole_sid(&client, fax).await?;
        let wanted = if let Some(path) = &flags.pdf {
            Wanted::Document("pdf", path)
        } else if let Some(path) = &flags.tiff {
            Wanted::Document("tiff", path)
        } else if let Some(path) = &flags.png {
            Wanted::Picture(flags.page, path)
        } else if flags.text {
            Wanted::Text
        } else if flags.json {
            Wanted::Json
        } else {
            Wanted::Conversation
        };
        fax::show(&client, &sid, wanted).await
    })
}

async fn list(client: &Client, flags: &FaxesFlags) -> anyhow::Result<ExitCode> {
    let of_all = flags.all_accounts.then(|| client.with_account("*"));
    let (faxes, has_more) = read(of_all.as_ref().unwrap_or(client), flags).await?;
    if flags.json {
        table::json(&json!({ "faxes": faxes }))?;
    } else if flags.status == [NOT_ANSWERED] {
        faxes.iter().try_for_each(|call| show_call(client, call))?;
    } else {
        show(&faxes, flags.all_accounts)?;
    }
    if has_more {
        note(&format!("older faxes are left out; --limit {} shows more", flags.limit.saturating_mul(10)));
    }
    let is_filtered = !flags.status.is_empty() || flags.direction.is_some() || flags.search.is_some();
    if faxes.is_empty() && !is_filtered && !flags.json {
        note("no faxes yet; make one arrive with: fauxfax receive --wait");
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads faxes page by page up to the limit. Also returns whether there are more.
async fn read(client: &Client, flags: &FaxesFlags) -> anyhow::Result<(Vec<Value>, bool)> {
    let (mut faxes, mut token) = (Vec::new(), None);
    while faxes.len() < flags.limit {
        let query = [
            ("status", Some(statuses_wanted(flags))),
            ("direction", flags.direction.clone()),
            ("q", flags.search.clone()),
            ("limit", Some((flags.limit - faxes.len()).min(PAGE_MAX).to_string())),
            ("page_token", token.take()),
        ];
        let mut page = client.control("GET", "/faxes", &query, None).await?;
        if let Value::Array(list) = page["faxes"].take() {
            faxes.extend(list);
        }
        // A page may be short, even empty, without being the last.
        token = Some(cell(&page["next_page_token"])).filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    Ok((faxes, token.is_some()))
}

/// Returns the statuses to list: by default all, since the emulator leaves out calls that nobody took unless their
/// status is named.
fn statuses_wanted(flags: &FaxesFlags) -> String {
    if flags.status.is_empty() { all_statuses().collect::<Vec<_>>().join(",") } else { flags.status.join(",") }
}

fn show(faxes: &[Value], all_accounts: bool) -> anyhow::Result<()> {
    let at = times::column(faxes.iter().map(|fax| &fax["date_created"]));
    let rows: Vec<[String; 8]> = faxes.iter().zip(at).map(row).collect();
    if !all_accounts {
        return table::rows(["FAX", times::AT, "DIR", "FROM", "TO", "STATUS", "PAGES", "WHY"], &rows);
    }
    let with_account = rows.into_iter().zip(faxes).map(|([sid, at, direction, from, to, status, pages, why], fax)| {
        [sid, cell(&fax["account_sid"]), at, direction, from, to, status, pages, why]
    });
    let head = ["FAX", "ACCOUNT", times::AT, "DIR", "FROM", "TO", "STATUS", "PAGES", "WHY"];
    table::rows(head, &with_account.collect::<Vec<_>>())
}

fn row((fax, at): (&Value, String)) -> [String; 8] {
    let [sid, from, to, status, pages] = ["sid", "from", "to", "status", "num_pages"].map(|name| cell(&fax[name]));
    let direction = if fax["direction"] == Direction::Inbound.as_str() { "←" } else { "→" };
    let message = fax["error_message"].as_str().unwrap_or_default();
    let why = if message.is_empty() { cell(&fax["error_code"]) } else { with_code(message, &fax["error_code"]) };
    [sid, at, direction.to_owned(), from, to, status, pages, why]
}

/// Prints a call that nobody took: the request to the app and its response, what to do, and where to read more.
fn show_call(client: &Client, call: &Value) -> anyhow::Result<()> {
    let mut out = stdout();
    let [sid, from, to] = ["sid", "from", "to"].map(|name| cell(&call[name]));
    writeln!(out, "{sid}  {}  {from} called {to}", times::of_day(&call["date_created"]))?;
    let request = &call["request"];
    if let Some(url) = request["url"].as_str() {
        let end = request["error"]["message"].as_str().map_or_else(|| cell(&request["status"]), table::clean);
        let took = times::duration(&request["duration_ms"]);
        let (method, url) = (cell(&request["method"]), table::clean(url));
        writeln!(out, "    {method} {url}{}: {end}  {took}", redirected(request))?;
        for line in first_lines(request["body"].as_str().unwrap_or_default()) {
            writeln!(out, "    │ {line}")?;
        }
    }
    if let Some(message) = call["error_message"].as_str() {
        writeln!(out, "    {}", with_code(message, &call["error_code"]))?;
    }
    for name in ["cause", "advice"] {
        if let Some(text) = call[name].as_str() {
            writeln!(out, "    {}", table::clean(text))?;
        }
    }
    if cfg!(feature = "console") {
        writeln!(out, "    {}", client.console(&format!("/faxes/{sid}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_which_way_a_fax_went_and_why_it_failed() {
        let fax = json!({
            "sid": "FX1", "direction": "outbound", "from": "+1", "to": "+2", "status": "busy", "num_pages": null,
            "error_code": 34002, "error_message": "Callee busy",
        });
        let expected = ["FX1", "12:00:00Z", "→", "+1", "+2", "busy", "", "Callee busy (34002)"];
        assert_eq!(row((&fax, "12:00:00Z".to_owned())), expected);
        let received = json!({ "direction": "inbound", "status": "received", "num_pages": 2 });
        assert_eq!(row((&received, String::new())), ["", "", "←", "", "", "received", "2", ""]);
    }
}
