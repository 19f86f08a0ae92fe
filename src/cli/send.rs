//! `fauxfax send`: sends a fax through the REST API as an app would, and prints the outcome. A local file is served to
//! the emulator while the command runs.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::client::{Client, EXIT_CODES, Target, block_on};
use super::events;
use super::numbers::whole_number;
use super::table::{self, cell};
use crate::dialect::form;

/// The statuses in which a fax has ended.
const FINAL: &str = "delivered,failed,busy,no-answer,canceled";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct SendFlags {
    #[command(flatten)]
    target: Target,
    /// Document to send: a local file (PDF, TIFF, PNG or JPEG), or the URL of one
    document: String,
    /// Number of the account to send from, such as +15005550006
    #[arg(long, value_name = "+1…")]
    from: String,
    /// Number to call, such as +15558675310; calls to +15005550101 through +15005550107 go wrong on purpose
    #[arg(long, value_name = "+1…")]
    to: String,
    /// Resolution: standard, fine or superfine; the API's default if left out
    #[arg(long, value_name = "WORD")]
    quality: Option<String>,
    /// URL to notify of the fax's status changes
    #[arg(long, value_name = "URL")]
    status_callback: Option<String>,
    /// Print the fax as JSON
    #[arg(long)]
    json: bool,
    /// Wait until the fax has ended, and show the whole conversation
    #[arg(long)]
    wait: bool,
    /// Longest time to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "wait", value_parser = whole_number::<u32>)]
    timeout: u32,
}

pub(super) fn run(flags: &SendFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        if flags.document.starts_with("http://") || flags.document.starts_with("https://") {
            return send(&client, flags, &flags.document).await;
        }
        let path = Path::new(&flags.document);
        let bytes = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/document", listener.local_addr()?);
        // The document is served while `send` runs.
        tokio::select! {
            sent = send(&client, flags, &url) => sent,
            served = serve_document(&listener, &bytes) => served.map(|()| ExitCode::SUCCESS),
        }
    })
}

async fn send(client: &Client, flags: &SendFlags, media_url: &str) -> anyhow::Result<ExitCode> {
    let credential = client.credential().await?;
    let mut order = vec![("From", flags.from.as_str()), ("To", &flags.to), ("MediaUrl", media_url)];
    order.extend(flags.quality.as_deref().map(|quality| ("Quality", quality)));
    order.extend(flags.status_callback.as_deref().map(|url| ("StatusCallback", url)));
    let fax = client.rest("POST", &credential.faxes_path(), &credential, Some(form::encode(&order))).await?;
    let sid = fax["sid"].as_str().context("the response has no sid")?;
    // A local file must be served until the emulator has fetched it; the fax leaves `processing` only after that.
    let fax_of = |sid: &str| ("fax", Some(sid.to_owned()));
    let what = if flags.wait { ("for", "settled".to_owned()) } else { ("status", format!("sending,{FINAL}")) };
    let query = [fax_of(sid), (what.0, Some(what.1)), ("timeout", Some(flags.timeout.to_string()))];
    let waited = client.control("GET", "/wait", &query, None).await?;
    let outcome = waited["outcome"].as_str().or(waited["event"]["data"]["new"].as_str());
    let outcome = outcome.context("the response doesn't contain the fax's status")?;
    // The app may have deleted the fax as soon as it was notified that the fax had ended.
    let left = client.rest_if_there(&format!("{}/{sid}", credential.faxes_path()), &credential).await?;
    let fax = left.unwrap_or_else(|| json!({ "sid": sid, "status": outcome, "deleted": true }));
    if flags.json {
        table::json(&fax)?;
    } else {
        if flags.wait {
            let page = client.control("GET", "/events", &[fax_of(sid)], None).await?;
            events::conversation(&page["events"])?;
        }
        let [status, pages, seconds] = ["status", "num_pages", "duration"].map(|name| cell(&fax[name]));
        let mut out = anstream::stdout();
        if fax["deleted"] == true {
            writeln!(out, "{status}: {sid}, since deleted by the app")?;
        } else {
            writeln!(out, "{status}: {sid}, pages: {pages}, seconds on the line: {seconds}")?;
        }
    }
    // Without --wait, a fax that has been accepted is a success.
    let failed = flags.wait && outcome != "delivered";
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Responds to every request with the document, until the caller drops this future.
async fn serve_document(listener: &TcpListener, bytes: &[u8]) -> anyhow::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut head = Vec::new();
        // Read to the end of the head, because closing a socket with unread bytes would reset the connection. The limit
        // keeps an endless head from filling the memory.
        while !head.ends_with(b"\r\n\r\n") && head.len() < 64 * 1024 {
            let mut byte = [0; 1_024];
            let read = stream.read(&mut byte).await?;
            if read == 0 {
                break;
            }
            head.extend_from_slice(&byte[..read]);
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
        stream.write_all(answer.as_bytes()).await?;
        stream.write_all(bytes).await?;
        stream.shutdown().await?;
    }
}
