//! `fauxfax receive`: makes a simulated fax machine call one of the emulator's numbers, and prints the outcome.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::client::{Body, Client, EXIT_CODES, Target, block_on};
use super::events;
use super::numbers::whole_number;
use super::table::{self, cell};
use crate::dialect::form;
use crate::io::multipart::Multipart;

/// The boundary between the parts of the upload. It is too long to occur in a document by chance.
const BOUNDARY: &str = "fauxfax-7c1d0e6b52fa4c0f9a3e";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ReceiveFlags {
    #[command(flatten)]
    target: Target,
    /// Document to fax: PDF, TIFF, PNG or JPEG; test pages if left out
    file: Option<PathBuf>,
    /// Number to call, such as +15005550006; may be left out if the account has a single fax number
    #[arg(long, value_name = "+1…")]
    to: Option<String>,
    /// Number of the calling fax machine
    #[arg(long, value_name = "+1…")]
    from: Option<String>,
    /// VoiceUrl to set on the number before the call, such as http://localhost:3000/fax; the app there responds with
    /// TwiML
    #[arg(long, value_name = "URL")]
    fax_url: Option<String>,
    /// URL to notify of the fax, like the action attribute of TwiML's Receive; the number needs no VoiceUrl then, because
    /// its app is not asked for TwiML
    #[arg(long, value_name = "URL", conflicts_with = "fax_url")]
    action: Option<String>,
    /// Number of test pages to send instead of a file
    #[arg(long, value_name = "N", conflicts_with = "file", value_parser = whole_number::<u32>)]
    pages: Option<u32>,
    /// Station id of the sending machine, at most 20 characters
    #[arg(long, value_name = "TEXT")]
    station_id: Option<String>,
    /// Print the response as JSON
    #[arg(long)]
    json: bool,
    /// Wait until the call has ended, and show the whole conversation
    #[arg(long)]
    wait: bool,
    /// Longest time to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "wait", value_parser = whole_number::<u32>)]
    timeout: u32,
}

pub(super) fn run(flags: &ReceiveFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        // Done before the call is made, which would otherwise use the old URL.
        if let Some(url) = &flags.fax_url {
            set_fax_url(&client, flags.to.as_deref(), url).await?;
        }
        let file = flags.file.as_ref().map(|path| {
            let bytes = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
            // A part's file name can't contain a quotation mark.
            let name = path.file_name().map(|name| name.to_string_lossy().replace('"', "'")).unwrap_or_default();
            Ok::<_, anyhow::Error>((name, bytes))
        });
        let body = upload(&fields(flags), file.transpose()?);
        let waits = |value: String| flags.wait.then_some(value);
        let query = [("wait", waits("true".to_owned())), ("timeout", waits(flags.timeout.to_string()))];
        let answer = client.control("POST", "/incoming-faxes", &query, Some(body)).await?;
        show(&answer, flags)?;
        // An app may legitimately reject a fax, so a rejection is not a failure.
        let failed = flags.wait && !matches!(answer["outcome"].as_str(), Some("received" | "rejected"));
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

fn show(answer: &Value, flags: &ReceiveFlags) -> anyhow::Result<()> {
    if flags.json {
        return table::json(answer);
    }
    let mut out = anstream::stdout();
    if !flags.wait {
        let [sid, from, to] = ["fax_sid", "from", "to"].map(|name| cell(&answer[name]));
        return Ok(writeln!(out, "{sid}: {from} calls {to}; follow it with: fauxfax events --fax {sid}")?);
    }
    events::conversation(&answer["events"])?;
    let fax = &answer["fax"];
    let end = if fax.is_null() && answer["outcome"] != "not-answered" {
        format!("{}: {}, since deleted by the app", cell(&answer["outcome"]), cell(&answer["fax_sid"]))
    } else if fax.is_null() {
        cell(&answer["outcome"])
    } else {
        let [sid, pages, seconds] = ["sid", "num_pages", "duration"].map(|name| cell(&fax[name]));
        format!("{}: {sid}, pages: {pages}, seconds on the line: {seconds}", cell(&answer["outcome"]))
    };
    Ok(writeln!(out, "{end}")?)
}

fn fields(flags: &ReceiveFlags) -> Vec<(&'static str, String)> {
    let pages = flags.pages.map(|pages| pages.to_string());
    let fields = [
        ("to", flags.to.clone()),
        ("from", flags.from.clone()),
        ("pages", pages),
        ("station_id", flags.station_id.clone()),
        ("action", flags.action.clone()),
    ];
    fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect()
}

fn upload(fields: &[(&str, String)], file: Option<(String, Vec<u8>)>) -> Body {
    let bytes = file.as_ref().map_or(0, |(_, bytes)| bytes.len());
    let body = fields.iter().fold(Multipart::new(BOUNDARY, bytes), |body, (name, value)| body.text(name, value));
    let body = match file {
        Some((name, bytes)) => body.file("file", &name, None, &bytes),
        None => body,
    };
    body.into()
}

/// Sets the called number's VoiceUrl, and makes the number accept faxes.
async fn set_fax_url(client: &Client, to: Option<&str>, url: &str) -> anyhow::Result<()> {
    let credential = client.credential().await?;
    let root = format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers", credential.sid);
    let filter = to.map(|to| form::with_query("", &[("PhoneNumber", to)])).unwrap_or_default();
    let list = client.rest("GET", &format!("{root}.json{filter}"), &credential, None).await?;
    let numbers = list["incoming_phone_numbers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sid = match numbers {
        [only] => only["sid"].as_str(),
        [] => None,
        // The API's filter also matches parts of numbers, so compare whole numbers.
        several => several.iter().find(|number| to.is_some_and(|to| number["phone_number"] == to)).and_then(sid_of),
    };
    let sid = sid.context(
        "--fax-url needs --to, because the account doesn't have exactly one number; pass the number whose VoiceUrl \
         should be set",
    )?;
    let change = form::encode(&[("VoiceUrl", url), ("VoiceReceiveMode", "fax")]);
    client.rest("POST", &format!("{root}/{sid}.json"), &credential, Some(change)).await?;
    Ok(())
}

fn sid_of(number: &Value) -> Option<&str> {
    number["sid"].as_str()
}
