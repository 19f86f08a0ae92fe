//! The tool that makes a fax machine call the app's number.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::client::WAIT_MAX_S;
use super::super::error::ToolError;
use super::super::tool::{Call, Effect, Tool, schema_of};
use super::{show, word};
use crate::client::Body;
use crate::io::fetch::DOCUMENT_BYTES_MAX;
use crate::io::multipart::Multipart;

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "receive_fax",
    title: "Receive a fax",
    description: "Simulates an incoming fax: a fax machine calls one of the account's numbers, the app is asked for TwiML, the pages are \
                  transmitted, and the app is notified. Sends test pages unless media_url or file names a document. By default waits for the \
                  end and returns the conversation. Set the app's URL with set_number first.",
    effect: Effect::Adds,
    calls_app: true,
    schema: schema_of::<ReceiveFax>,
    run: |call| Box::pin(async { receive(call, call.read()?).await }),
    ..Tool::DEFAULT
}];

/// How long to wait for the end of a fax if the call doesn't say, in seconds.
pub(super) const WAIT_DEFAULT_S: u64 = 60;
/// The boundary between the parts of an upload, which is too long to occur in a document by chance.
const BOUNDARY: &str = "fauxfax-mcp-6f1d0c5be2a94d7c8e3b";

/// The arguments of `receive_fax`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReceiveFax {
    /// Number to call; the account's only fax number if left out.
    to: Option<String>,
    /// Number that calls, such as +15558675310.
    from: Option<String>,
    /// Number of test pages, 1 by default; instead of media_url and file.
    pages: Option<u32>,
    /// URL of a PDF, TIFF, PNG or JPEG to send.
    media_url: Option<String>,
    /// Path of a PDF, TIFF, PNG or JPEG on this machine to send.
    file: Option<String>,
    /// URL to notify of the fax, in place of the action in the app's TwiML; the app is then not asked.
    action: Option<String>,
    /// How the call ends, to test a failure.
    outcome: Option<Outcome>,
    /// Whether to wait for the end; true by default.
    wait: Option<bool>,
    /// Seconds to wait at most, 1 to 300; 60 by default.
    timeout: Option<u64>,
}

/// How a call ends.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Outcome {
    /// received or failed.
    status: String,
    /// Error code of a failure, such as 34004.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    /// Pages that are transmitted before the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    after_pages: Option<u32>,
}

async fn receive(call: &Call, arguments: ReceiveFax) -> Result<Answer, ToolError> {
    let timeout = patience(arguments.timeout)?;
    let waits = arguments.wait.unwrap_or(true);
    let body = match &arguments.file {
        Some(file) => upload(&arguments, file).await?,
        None => Body::from(&Value::Object(fields(&arguments))),
    };
    let query = [("wait", waits.then(|| "true".to_owned())), ("timeout", waits.then(|| timeout.to_string()))];
    let done = call.client.control("POST", "/incoming-faxes", &query, Some(body)).await?;
    let sid = word(&done["fax_sid"]);
    if waits {
        return show::told(call, &sid, &format!("Outcome: {}", word(&done["outcome"]))).await;
    }
    let console = call.client.console(&format!("/faxes/{sid}"));
    let text = format!(
        "{sid}: {} is calling {}. wait (fax: {sid}) waits for the end, show_fax shows it.\nConsole: {console}",
        word(&done["from"]),
        word(&done["to"]),
    );
    Ok(Answer::text(text).with(json!({ "sid": sid, "from": done["from"], "to": done["to"], "console": console })))
}

/// Returns the fields of the call to the control API.
fn fields(arguments: &ReceiveFax) -> serde_json::Map<String, Value> {
    let fields = json!({
        "to": arguments.to, "from": arguments.from, "pages": arguments.pages, "media_url": arguments.media_url,
        "action": arguments.action, "outcome": arguments.outcome,
    });
    let given = fields.as_object().cloned().unwrap_or_default().into_iter();
    given.filter(|(_, value)| !value.is_null()).collect()
}

/// Reads a document on this machine into an upload.
#[expect(clippy::disallowed_methods, reason = "reading a file blocks; one call reads one file of limited size")]
async fn upload(arguments: &ReceiveFax, file: &str) -> Result<Body, ToolError> {
    let path = file.to_owned();
    let read = tokio::task::spawn_blocking(move || read(Path::new(&path)));
    let bytes = read.await.map_err(|error| ToolError(error.to_string()))?;
    let bytes = bytes.map_err(|why| ToolError(format!("file: can't read {file}: {why}")))?;
    let form = fields(arguments)
        .iter()
        .fold(Multipart::new(BOUNDARY, bytes.len()), |form, (name, value)| form.text(name, &word(value)));
    Ok(form.file("file", "document", None, &bytes).into())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !size.is_file() {
        return Err("it isn't a file".to_owned());
    }
    if size.len() > DOCUMENT_BYTES_MAX {
        return Err(format!("it has more than {DOCUMENT_BYTES_MAX} bytes"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// Returns how long to wait, in seconds.
pub(super) fn patience(seconds: Option<u64>) -> Result<u64, ToolError> {
    let seconds = seconds.unwrap_or(WAIT_DEFAULT_S);
    if (1..=WAIT_MAX_S).contains(&seconds) {
        return Ok(seconds);
    }
    Err(ToolError(format!("timeout: must be 1 to {WAIT_MAX_S} seconds, not {seconds}")))
}
