//! `fauxfax send`: sends a fax through the REST API as an app would, and prints the outcome. A local file is served to
//! the emulator while the command runs.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueHint};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::client::{Client, EXIT_CODES, Target, block_on};
use super::out::{self, stdout};
use super::values::{minutes, span, words};
use super::{files, table, watch};
use crate::dialect::form;
use crate::model::fax::{Quality, Status};

/// The statuses in which a fax has ended.
const FINAL: &str = "delivered,failed,busy,no-answer,canceled";
/// The maximum number of requests for the document that are answered at the same time; more have to wait.
const REQUESTS_MAX: usize = 64;
/// The maximum size of the head of a request for the document, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The time limit for a request for the document, from its connection to the end of the response.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct SendFlags {
    #[command(flatten)]
    target: Target,
    /// Document to send: a local file (PDF, TIFF, PNG or JPEG), or the URL of one
    #[arg(value_hint = ValueHint::FilePath)]
    document: String,
    /// Number of the account to send from, such as +15005550006
    #[arg(long, value_name = "+1…")]
    from: String,
    /// Number to call, such as +15558675310; calls to +15005550101 through +15005550107 go wrong on purpose
    #[arg(long, value_name = "+1…")]
    to: String,
    /// Resolution; the API's default if left out
    #[arg(long, value_name = "QUALITY", value_parser = words(Quality::ALL, Quality::as_str))]
    quality: Option<String>,
    /// How long to keep trying to send the fax, in whole minutes, such as 5m or 2h; the API's default if left out
    #[arg(long, value_name = "DURATION", value_parser = minutes)]
    ttl: Option<u64>,
    /// Don't store the document once the fax has been sent
    #[arg(long)]
    no_store_media: bool,
    /// URL to notify of the fax's status changes
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    status_callback: Option<String>,
    /// Print the fax as JSON
    #[arg(long)]
    json: bool,
    /// Wait until the fax has ended, and show the conversation as it happens
    #[arg(long)]
    wait: bool,
    /// Longest time to wait, such as 60s or 2m
    #[arg(long, value_name = "DURATION", default_value = "60s", requires = "wait", value_parser = span)]
    timeout: Duration,
}

pub(super) fn run(flags: &SendFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        if flags.document.starts_with("http://") || flags.document.starts_with("https://") {
            return send(&client, flags, &flags.document, async {}).await;
        }
        let path = Path::new(&flags.document);
        let bytes = files::document(path)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/document", listener.local_addr()?);
        let served = Notify::new();
        // The document is served while `send` runs.
        tokio::select! {
            sent = send(&client, flags, &url, served.notified()) => sent,
            error = serve_document(&listener, &bytes, &served) => Err(error).context("can't serve the document"),
        }
    })
}

/// Sends the document at `media_url`. `served` completes once the emulator has fetched the document from this command,
/// or at once if the document is elsewhere.
async fn send(
    client: &Client,
    flags: &SendFlags,
    media_url: &str,
    served: impl Future<Output = ()>,
) -> anyhow::Result<ExitCode> {
    let credential = client.credential().await?;
    // Read before the fax is created, so that none of its events is missed.
    let seq = client.control("GET", "/events", &[("limit", Some("0".to_owned()))], None).await?["last_seq"].clone();
    let form = form::encode(&order(flags, media_url));
    let fax = client.rest("POST", &credential.faxes_path(), &credential, Some(form)).await?;
    let sid = fax["sid"].as_str().context("the response has no sid")?;
    let watches = flags.wait && !flags.json;
    let mut timeline = watch::timeline();
    let outcome = if watches {
        watch::until_settled(client, sid, &seq, flags.timeout, &mut timeline).await?
    } else if !flags.wait && is_frozen(client).await? {
        // The fax stays in its status until someone moves the clock, so there is nothing else to wait for.
        let fetched = timeout(flags.timeout, served).await;
        fetched.context("the document was not fetched, because the clock is frozen; let it run: fauxfax clock run")?;
        fax["status"].as_str().context("the response has no status")?.to_owned()
    } else {
        // A local file must be served until the emulator has fetched it; the fax leaves `processing` only after that.
        until_fetched(client, flags, sid).await?
    };
    // The app may have deleted the fax as soon as it was notified that the fax had ended.
    if flags.json {
        let left = client.rest_if_there(&format!("{}/{sid}", credential.faxes_path()), &credential).await?;
        let left = left.unwrap_or_else(|| json!({ "sid": sid, "status": outcome, "deleted": true }));
        out::even_if_unread(table::json(&left))?;
        return Ok(exit_code(flags, &outcome));
    }
    let fax = client.fax_if_there(sid).await?;
    if watches {
        watch::conclude(client, &mut timeline, (sid, &outcome), fax.as_ref())?;
        return Ok(exit_code(flags, &outcome));
    }
    let status = fax.as_ref().and_then(|fax| fax["status"].as_str()).unwrap_or(&outcome);
    let has_ended = Status::from_word(status).is_some_and(Status::is_final);
    let then = if has_ended { "show it with: fauxfax faxes" } else { "follow it with: fauxfax events -f --fax" };
    let summary = watch::summary(sid, status, fax.as_ref());
    writeln!(stdout(), "{status}: {summary}; {then} {sid}{}", client.flags())?;
    Ok(ExitCode::SUCCESS)
}

async fn is_frozen(client: &Client) -> anyhow::Result<bool> {
    Ok(client.control("GET", "/clock", &[], None).await?["mode"] == "frozen")
}

/// Returns the exit status: without `--wait`, a fax that has been accepted is a success.
fn exit_code(flags: &SendFlags, outcome: &str) -> ExitCode {
    if flags.wait && outcome != "delivered" { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Returns the parameters of the REST call.
fn order(flags: &SendFlags, media_url: &str) -> Vec<(&'static str, String)> {
    let given = [
        ("From", Some(flags.from.clone())),
        ("To", Some(flags.to.clone())),
        ("MediaUrl", Some(media_url.to_owned())),
        ("Quality", flags.quality.clone()),
        ("Ttl", flags.ttl.map(|minutes| minutes.to_string())),
        ("StoreMedia", flags.no_store_media.then(|| "false".to_owned())),
        ("StatusCallback", flags.status_callback.clone()),
    ];
    given.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect()
}

/// Waits until the fax's document has been fetched, or with `--wait` until the fax has settled. Returns the fax's
/// status.
async fn until_fetched(client: &Client, flags: &SendFlags, sid: &str) -> anyhow::Result<String> {
    let what = if flags.wait { ("for", "settled".to_owned()) } else { ("status", format!("sending,{FINAL}")) };
    let timeout = ("timeout", Some(flags.timeout.as_secs_f64().to_string()));
    let query = [("fax", Some(sid.to_owned())), (what.0, Some(what.1)), timeout];
    let waited = client.control("GET", "/wait", &query, None).await;
    let waited = watch::waited_for(client, sid, flags.timeout, waited).await?;
    let outcome = waited["outcome"].as_str().or(waited["event"]["data"]["new"].as_str());
    Ok(outcome.context("the response doesn't contain the fax's status")?.to_owned())
}

/// Responds to every request with the document, until the caller drops this future, and notifies `served` each time the
/// document has been sent. Returns only if no connection can be accepted any more.
async fn serve_document(listener: &TcpListener, bytes: &[u8], served: &Notify) -> std::io::Error {
    // Requests don't wait for each other, so a client that connects and sends nothing delays only itself.
    let mut responses = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if responses.len() < REQUESTS_MAX => match accepted {
                Ok((stream, _)) => responses.push(timeout(REQUEST_LIMIT, respond(stream, bytes))),
                Err(error) => return error,
            },
            Some(outcome) = responses.next() => {
                // A client that disconnects early or is too slow concerns only its own request.
                if matches!(outcome, Ok(Ok(()))) {
                    served.notify_one();
                }
            }
        }
    }
}

async fn respond(mut stream: TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let mut head = Vec::new();
    // Read to the end of the head, because closing a socket with unread bytes would reset the connection. The limit
    // keeps an endless head from filling the memory.
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        let mut part = [0; 1_024];
        let read = stream.read(&mut part).await?;
        if read == 0 {
            break;
        }
        head.extend_from_slice(&part[..read]);
    }
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
    stream.write_all(answer.as_bytes()).await?;
    stream.write_all(bytes).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_sends_nothing_delays_no_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = Notify::new();
        let fetched = async {
            let _silent = TcpStream::connect(address).await.unwrap();
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(b"GET /document HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
            let mut response = String::new();
            client.read_to_string(&mut response).await.unwrap();
            served.notified().await;
            response
        };
        let fetched = tokio::select! {
            fetched = timeout(Duration::from_secs(10), fetched) => fetched.expect("the document in time"),
            error = serve_document(&listener, b"the document", &served) => panic!("{error}"),
        };
        assert!(fetched.starts_with("HTTP/1.1 200 OK\r\n") && fetched.ends_with("\r\n\r\nthe document"), "{fetched}");
    }
}
