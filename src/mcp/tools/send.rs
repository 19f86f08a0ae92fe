//! The tool that sends a fax through the REST API, as an app would.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::answer::Answer;
use super::super::error::ToolError;
use super::super::tool::{Call, Effect, Tool, schema_of};
use super::numbers::first_fax_number;
use super::receive::patience;
use super::{show, word};
use crate::http::control::BASE;

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "send_fax",
    title: "Send a fax",
    description: "Sends a fax through the REST API, as an app would. Most numbers answer; +15005550101 is busy, …102 doesn't answer, …103 \
                  fails before any page, …104 after page 1, …105 is incompatible, …106 is slow and noisy, …107 is busy twice. Sends a sample \
                  document unless media_url names one. By default waits for the end and returns the conversation.",
    effect: Effect::Adds,
    calls_app: true,
    schema: schema_of::<SendFax>,
    run: |call| Box::pin(async { send(call, call.read()?).await }),
    ..Tool::DEFAULT
}];

/// The sample document that is sent if none is named.
const SAMPLE: &str = "two-pages.pdf";

/// The arguments of `send_fax`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SendFax {
    /// Number to call, such as +15558675310.
    to: String,
    /// Number of the account to send from; its first fax number if left out.
    from: Option<String>,
    /// URL of a PDF, TIFF, PNG or JPEG to send.
    media_url: Option<String>,
    /// URL to notify of status changes.
    status_callback: Option<String>,
    /// standard, fine or superfine.
    quality: Option<String>,
    /// Whether to wait for the end; true by default.
    wait: Option<bool>,
    /// Seconds to wait at most, 1 to 300; 60 by default.
    timeout: Option<u64>,
}

async fn send(call: &Call, arguments: SendFax) -> Result<Answer, ToolError> {
    let timeout = patience(arguments.timeout)?;
    let waits = arguments.wait.unwrap_or(true);
    let account = call.client.account().await?;
    let from = arguments.from.or_else(|| first_fax_number(&account));
    let from = from.ok_or_else(|| {
        ToolError::new("from: is required, because the account has no fax number; set_number buys one")
    })?;
    if waits && call.client.get("/clock", &[]).await?["mode"] == "frozen" {
        let why = "the clock is frozen, so the fax would never end: call clock with action \"run\" first, or pass wait: false and then \
                   call clock with action \"drain\"";
        return Err(ToolError::new(why));
    }
    let media_url = arguments.media_url.unwrap_or_else(|| format!("{}{BASE}/samples/{SAMPLE}", call.client.own_base()));
    let mut pairs = vec![("From", from.as_str()), ("To", arguments.to.as_str()), ("MediaUrl", media_url.as_str())];
    let optional = [("StatusCallback", &arguments.status_callback), ("Quality", &arguments.quality)];
    pairs.extend(optional.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
    let fax = call.client.rest(&account, "POST", &account.faxes_path(), &pairs).await?;
    let sid = word(&fax["sid"]);
    if waits {
        let query =
            [("fax", Some(sid.clone())), ("for", Some("settled".to_owned())), ("timeout", Some(timeout.to_string()))];
        let ended = call.client.get("/wait", &query).await?;
        return show::told(call, &sid, &format!("Outcome: {}", word(&ended["outcome"]))).await;
    }
    let console = call.client.console(&format!("/faxes/{sid}"));
    let text = format!(
        "{sid} is {}. wait (fax: {sid}) waits for the end, show_fax shows it.\nConsole: {console}",
        word(&fax["status"])
    );
    Ok(Answer::text(text).with(json!({ "sid": sid, "status": fax["status"], "console": console })))
}
