//! `fauxfax demo`: runs the emulator with a sample app, receives one fax and sends one through the public APIs, and
//! prints a timeline.

pub(super) mod app;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::Value;
use tokio::net::TcpListener;

use self::app::{App, LETTER};
use super::client::{Client, Credential, Endpoint};
use super::flags::ServeFlags;
use super::log::start_log;
use super::output::Output;
use super::serve::{announce, isolated, runtime, standard_output, url};
use super::signals::stop_signal;
use super::timeline::{Pages, Timeline};
use crate::config::{Config, LogLevel};
use crate::dialect::form;
use crate::io::multipart::Multipart;
use crate::model::account::Dialect;
use crate::server::{Server, run as run_listener};

/// The time limit for each step. At the pace of a real line, a two-page fax takes over a minute.
const PATIENCE: Duration = Duration::from_secs(180);
/// The boundary between the parts of the upload, which doesn't occur in the letter.
const BOUNDARY: &str = "fauxfax-demo-5b8f0e2c9d17";
/// The number of the fax machine that the app receives from and sends to.
const FAR_MACHINE: &str = "+15558675310";

#[derive(Debug, Args)]
pub(super) struct DemoFlags {
    /// Exit after the two faxes instead of continuing to serve
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    serve: ServeFlags,
}

pub(super) fn run(flags: DemoFlags) -> anyhow::Result<ExitCode> {
    // The timeline shows every request already, so only warnings are logged.
    let quiet = Config { log_level: LogLevel::Warn, ..Config::default() };
    let mut config = isolated(Config::of_process_over(quiet, flags.serve.into_settings())?);
    let _log = start_log(&config)?;
    let (mut out, _last_lines) = standard_output()?;
    let runtime = runtime()?;
    let told = runtime.block_on(async {
        let stop_signal = stop_signal().context("can't wait for signals")?;
        let app = TcpListener::bind("127.0.0.1:0").await.context("can't start the sample app")?;
        let origin = format!("http://{}", app.local_addr()?);
        // Let the sample app take the call, even if the configuration assigns a bin to the number.
        config.fax_url = Some(format!("{origin}/fax").into());
        config.fax_twiml = None;
        config.twiml_bins.iter_mut().for_each(|bin| bin.numbers.clear());
        let server = Server::bind(&config).await?;
        announce(&config, &server, &mut out)?;
        let control_token = config.control_token.as_deref().map(ToOwned::to_owned);
        let client = Client::of(Endpoint::of(url(server.address()).parse()?, control_token));
        let mut told = None;
        let stop = async {
            let demonstration = async {
                let ended = demonstrate(&client, app, &origin, coloured(out.clone())).await;
                let serves_on = ended.is_ok() && !flags.once;
                told = Some(ended);
                if serves_on {
                    if cfg!(feature = "console") {
                        // Never fails: `Output` drops a line instead.
                        let _ = writeln!(out, "Look around: {}/console  (Ctrl-C ends it)", client.base());
                    }
                    // The emulator keeps serving until a signal arrives.
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = demonstration => {}
                () = stop_signal => {}
            }
        };
        server.serve(stop).await?;
        told.context("the demonstration was interrupted")?
    });
    // Requests to apps may still be in progress, but nobody is waiting for them.
    runtime.shutdown_background();
    Ok(if told? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the output, with colours if the terminal supports them.
fn coloured(out: Output) -> impl Write {
    let choice = anstream::AutoStream::choice(&std::io::stdout());
    let out: Box<dyn Write + Send> = Box::new(out);
    anstream::AutoStream::new(out, choice)
}

/// Receives a fax and sends one. Returns whether both faxes succeeded and all signatures were valid.
async fn demonstrate(client: &Client, listener: TcpListener, origin: &str, out: impl Write) -> anyhow::Result<bool> {
    let mut timeline = Timeline::new(out, Pages::Once);
    // The API responds because the emulator's listener runs concurrently with this function.
    let credential = client.credential().await?;
    let key = credential.signing_key.clone();
    let sample = App { origin: origin.to_owned(), dialect: credential.dialect(), key, refuses: false };
    let app = run_listener(listener, sample.router(), std::future::pending());
    let told = async {
        let received = receive(client, &mut timeline).await?;
        let sent = send(client, &credential, origin, &mut timeline).await?;
        let signed = timeline.invalid == 0 && timeline.valid > 0;
        timeline.heading("In short")?;
        timeline.verdict(received, "a fax of two pages was received")?;
        timeline.verdict(sent, "a fax of two pages was delivered")?;
        let counted = format!("the app found {} signatures valid, {} invalid", timeline.valid, timeline.invalid);
        timeline.verdict(signed, &counted)?;
        let flag = match credential.dialect() {
            Dialect::Twilio => String::new(),
            dialect @ Dialect::SignalWire => format!(" --dialect {dialect}"),
        };
        timeline.say(&format!("\nYour turn: fauxfax serve{flag} --fax-url http://localhost:3000/fax"))?;
        anyhow::Ok(received && sent && signed)
    };
    tokio::select! {
        told = told => told,
        // The sample app has stopped, so no fax can succeed.
        () = app => Ok(false),
    }
}

async fn receive(client: &Client, timeline: &mut Timeline<impl Write>) -> anyhow::Result<bool> {
    timeline.heading(&format!("A fax machine at {FAR_MACHINE} calls the app's number with a letter of two pages"))?;
    let body =
        Multipart::new(BOUNDARY, LETTER.len()).text("from", FAR_MACHINE).file("file", "letter.pdf", None, LETTER);
    let call = client.control("POST", "/incoming-faxes", &[], Some(body.into())).await?;
    let sid = call["fax_sid"].as_str().context("the response has no fax_sid")?;
    let status =
        follow(client, sid, &call["seq"], &["receiving,canceled", "received,failed,canceled"], timeline).await?;
    Ok(status == "received")
}

async fn send(
    client: &Client,
    credential: &Credential,
    origin: &str,
    timeline: &mut Timeline<impl Write>,
) -> anyhow::Result<bool> {
    timeline.heading(&format!("The app sends its letter to {FAR_MACHINE}"))?;
    let (media_url, status_callback) = (format!("{origin}/letter.pdf"), format!("{origin}/fax/status"));
    let order = [
        ("From", "+15005550006"),
        ("To", FAR_MACHINE),
        ("MediaUrl", media_url.as_str()),
        ("StatusCallback", status_callback.as_str()),
    ];
    let path = credential.faxes_path();
    let params = "From=+15005550006 To=+15558675310 MediaUrl=…/letter.pdf StatusCallback=…/fax/status";
    timeline.say(&format!("POST {path}  {params}"))?;
    // Read before the fax is created, so that none of its events is missed.
    let seq = client.control("GET", "/events", &[("limit", Some("0".to_owned()))], None).await?["last_seq"].clone();
    let fax = client.rest("POST", &path, credential, Some(form::encode(&order))).await?;
    let sid = fax["sid"].as_str().context("the response has no sid")?;
    let steps = ["sending,failed", "delivered,failed,busy,no-answer"];
    Ok(follow(client, sid, &seq, &steps, timeline).await? == "delivered")
}

/// Prints a fax's events step by step until it has ended and all webhooks are done. Returns the fax's last status.
async fn follow(
    client: &Client,
    sid: &str,
    since: &Value,
    steps: &[&str],
    timeline: &mut Timeline<impl Write>,
) -> anyhow::Result<String> {
    let mut seq = since.as_u64().unwrap_or(0);
    let mut status = String::new();
    let (of_fax, timeout) = (("fax", Some(sid.to_owned())), ("timeout", Some(PATIENCE.as_secs().to_string())));
    let waits = steps.iter().map(|statuses| {
        let status = ("status", Some((*statuses).to_owned()));
        vec![of_fax.clone(), status, ("since", Some(since.to_string())), timeout.clone()]
    });
    // The last wait is for the webhooks, so that the timeline is complete.
    for wait in waits.chain([vec![("for", Some("idle".to_owned())), timeout.clone()]]) {
        client.control("GET", "/wait", &wait, None).await?;
        let news = client.control("GET", "/events", &[of_fax.clone(), ("since", Some(seq.to_string()))], None).await?;
        for event in news["events"].as_array().into_iter().flatten() {
            timeline.event(event)?;
            seq = event["seq"].as_u64().unwrap_or(seq);
            if let Some(new) = event["data"]["new"].as_str() {
                new.clone_into(&mut status);
            }
        }
        timeline.finish()?;
    }
    Ok(status)
}
