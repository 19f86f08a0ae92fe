//! `fauxfax receive`: makes a simulated fax machine call one of the emulator's numbers, and prints the outcome.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueHint};

use super::client::{Body, Client, EXIT_CODES, Target, block_on};
use super::numbers;
use super::out::{self, stdout};
use super::table::{self, cell};
use super::values::{span, whole_number, words};
use super::{files, refusal, watch};
use crate::io::multipart::Multipart;
use crate::model::fax::Quality;

/// The boundary between the parts of the upload. It is too long to occur in a document by chance.
const BOUNDARY: &str = "fauxfax-7c1d0e6b52fa4c0f9a3e";
/// The outcomes that can be requested for a transmission. Whether a call is answered or rejected is up to the app.
const OUTCOMES: [&str; 2] = ["received", "failed"];

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ReceiveFlags {
    #[command(flatten)]
    target: Target,
    /// Document to fax: PDF, TIFF, PNG or JPEG; test pages if left out
    #[arg(value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Number to call, such as +15005550006; may be left out if the account has a single fax number
    #[arg(long, value_name = "+1…")]
    to: Option<String>,
    /// Number of the calling fax machine
    #[arg(long, value_name = "+1…")]
    from: Option<String>,
    /// VoiceUrl to set on the number before the call, such as http://localhost:3000/fax; the app there responds with
    /// TwiML
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    fax_url: Option<String>,
    /// URL to notify of the fax, like the action attribute of TwiML's Receive; the number needs no VoiceUrl then,
    /// because its app is not asked for TwiML
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, conflicts_with = "fax_url")]
    action: Option<String>,
    /// Number of test pages to send instead of a file
    #[arg(long, value_name = "N", conflicts_with = "file", value_parser = whole_number::<u32>)]
    pages: Option<u32>,
    /// Resolution of the sending machine
    #[arg(long, value_name = "QUALITY", value_parser = words(Quality::ALL, Quality::as_str))]
    quality: Option<String>,
    /// How the transmission ends; whether the call is answered or rejected is up to the app [default: received]
    #[arg(long, value_name = "OUTCOME", value_parser = OUTCOMES)]
    outcome: Option<String>,
    /// Station id of the sending machine, at most 20 characters
    #[arg(long, value_name = "TEXT")]
    station_id: Option<String>,
    /// Print the response as JSON
    #[arg(long)]
    json: bool,
    /// Wait until the call has ended, and show the conversation as it happens
    #[arg(long)]
    wait: bool,
    /// Longest time to wait, such as 30s or 2m
    #[arg(long, value_name = "DURATION", default_value = "30s", requires = "wait", value_parser = span)]
    timeout: Duration,
}

pub(super) fn run(flags: &ReceiveFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        let file = flags.file.as_ref().map(|path| {
            let bytes = files::document(path)?;
            // A part's file name can't contain a quotation mark.
            let name = path.file_name().map(|name| name.to_string_lossy().replace('"', "'")).unwrap_or_default();
            Ok::<_, anyhow::Error>((name, bytes))
        });
        let body = upload(&fields(flags), file.transpose()?);
        // Done before the call is made, which would otherwise use the old URL.
        if let Some(url) = &flags.fax_url {
            numbers::set_fax_url(&client, flags.to.as_deref(), url).await?;
        }
        if flags.wait && !flags.json {
            return watched(&client, body, flags.timeout).await;
        }
        let waits = |value: String| flags.wait.then_some(value);
        let query = [("wait", waits("true".to_owned())), ("timeout", waits(flags.timeout.as_secs_f64().to_string()))];
        let answer = client.control("POST", "/incoming-faxes", &query, Some(body)).await?;
        if flags.json {
            out::even_if_unread(table::json(&answer))?;
        } else {
            let [sid, from, to] = ["fax_sid", "from", "to"].map(|name| cell(&answer[name]));
            let then = format!("follow it with: fauxfax events -f --fax {sid}{}", client.flags());
            writeln!(stdout(), "{sid}: {from} calls {to}; {then}")?;
        }
        Ok(exit_code(!flags.wait || answer["outcome"].as_str().is_some_and(watch::is_success)))
    })
}

/// Makes the call, and prints the conversation as it happens.
async fn watched(client: &Client, body: Body, limit: Duration) -> anyhow::Result<ExitCode> {
    // Checked before the call is made, because the call would hang for as long as the clock stands still.
    if client.control("GET", "/clock", &[], None).await?["mode"] == "frozen" {
        bail!(refusal::frozen());
    }
    let call = client.control("POST", "/incoming-faxes", &[], Some(body)).await?;
    let sid = call["fax_sid"].as_str().context("the response has no fax_sid")?;
    let mut timeline = watch::timeline();
    let outcome = watch::until_settled(client, sid, &call["seq"], limit, &mut timeline).await?;
    // The REST API shows a rejected call as a canceled fax.
    let outcome = if outcome == "canceled" { "rejected" } else { &outcome };
    let fax = client.fax_if_there(sid).await?;
    watch::conclude(client, &mut timeline, (sid, outcome), fax.as_ref())?;
    Ok(exit_code(watch::is_success(outcome)))
}

fn exit_code(is_success: bool) -> ExitCode {
    if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn fields(flags: &ReceiveFlags) -> Vec<(&'static str, String)> {
    let pages = flags.pages.map(|pages| pages.to_string());
    let fields = [
        ("to", flags.to.clone()),
        ("from", flags.from.clone()),
        ("pages", pages),
        ("quality", flags.quality.clone()),
        ("outcome", flags.outcome.clone()),
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
