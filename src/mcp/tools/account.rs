//! The tools about an account as a whole: how to point an app at it, and its reset.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::answer::Answer;
use super::super::client::Account;
use super::super::error::ToolError;
use super::super::tool::{Call, Effect, NoArguments, Tool, schema_of};
use super::numbers::line;
use crate::model::account::Dialect;

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "show_account",
        title: "Show the account and how to connect an app",
        description: "Says how to point an app at the emulator: base URL, AccountSid, AuthToken, its numbers with the URLs that they \
                      call, and the console. Call this first.",
        schema: schema_of::<NoArguments>,
        run: |call| Box::pin(show(call)),
        ..Tool::DEFAULT
    },
    Tool {
        name: "reset",
        title: "Reset the account",
        description: "Returns the account to its configured start, or to a snapshot: removes its faxes and rules, and cancels what is in \
                      progress. Use it between two attempts. It can't be undone.",
        effect: Effect::Removes,
        schema: schema_of::<Reset>,
        run: |call| Box::pin(async { reset(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
];

async fn show(call: &Call) -> Result<Answer, ToolError> {
    let NoArguments {} = call.read()?;
    let account = call.client.account().await?;
    let base = call.client.base();
    let (service, api) = match account.dialect() {
        Dialect::Twilio => ("Twilio", format!("{base}/v1/Faxes")),
        Dialect::SignalWire => ("SignalWire", format!("{base}{}", account.faxes_path())),
    };
    let console = call.client.console("");
    let mut text = format!(
        "{service} account {sid}\nBase URL for the app: {base} (faxes: {api})\n{token}\nConsole: {console}\nFaxes: {faxes}, {pending} in \
         progress; alerts: {alerts}\n",
        sid = account.sid,
        token = token_line(&account),
        faxes = account.shown["faxes"],
        pending = account.shown["pending"],
        alerts = account.shown["alerts"],
    );
    if account.numbers().is_empty() {
        text.push_str("Numbers: none; set_number buys one\n");
    }
    for number in account.numbers() {
        // Writing to a string never fails.
        let _ = writeln!(text, "Number: {}", line(number));
    }
    let data = json!({
        "account_sid": account.sid, "auth_token": account.public_token(), "base_url": base, "service": service, "console": console,
        "numbers": account.numbers().iter().map(|number| json!({ "phone_number": number["phone_number"], "fax_url": number["voice_url"] })).collect::<Vec<_>>(),
    });
    Ok(Answer::text(text).with(data))
}

fn token_line(account: &Account) -> String {
    match account.public_token() {
        Some(token) => format!("AuthToken: {token} (signs the webhooks)"),
        None if account.shown["auth_token"].is_null() => {
            "AuthToken: none yet; the first REST call of a client sets it".to_owned()
        }
        None => "AuthToken: as it was configured; it isn't shown here, because it may be a secret. The user finds it on the console's page Connect".to_owned(),
    }
}

/// The arguments of `reset`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reset {
    /// Name of a snapshot to return to; the configured start if left out.
    snapshot: Option<String>,
    /// Seed of ids and random choices from here on, so that an attempt can be repeated exactly.
    seed: Option<u64>,
}

async fn reset(call: &Call, Reset { snapshot, seed }: Reset) -> Result<Answer, ToolError> {
    let start = snapshot.as_ref().map_or_else(|| "its start".to_owned(), |name| format!("snapshot {name:?}"));
    let query = [("snapshot", snapshot), ("seed", seed.map(|seed| seed.to_string()))];
    let done = call.client.control("POST", "/reset", &query, None).await?;
    let (faxes, webhooks, removed) =
        (&done["canceled"]["faxes"], &done["canceled"]["webhooks"], &done["removed"]["faxes"]);
    let text = format!(
        "The account is back at {start}. Removed: {removed} faxes; canceled: {faxes} faxes in progress and {webhooks} webhooks."
    );
    Ok(Answer::text(text)
        .with(json!({ "removed_faxes": removed, "canceled_faxes": faxes, "canceled_webhooks": webhooks })))
}
