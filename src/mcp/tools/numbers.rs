//! The tools about an account's numbers: list, buy or change, and release.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::client::Account;
use super::super::error::ToolError;
use super::super::tool::{Call, Effect, NoArguments, Tool, schema_of};
use super::word;
use crate::model::number::ReceiveMode;

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "list_numbers",
        title: "List the numbers",
        description: "Lists the account's numbers, each with the URL that is called when a fax comes in.",
        schema: schema_of::<NoArguments>,
        run: |call| Box::pin(list(call)),
        ..Tool::DEFAULT
    },
    Tool {
        name: "set_number",
        title: "Set a number's app, or buy the number",
        description: "Sets the URL that is requested when a number gets a fax, and that must return TwiML such as \
                      <Response><Receive action=\"/fax/received\"/></Response>. Buys the number if the account doesn't have it. Use it \
                      before receive_fax.",
        effect: Effect::Sets,
        schema: schema_of::<SetNumber>,
        run: |call| Box::pin(async { set(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
    Tool {
        name: "release_number",
        title: "Release a number",
        description: "Releases a number, which then belongs to nobody: faxes to it are no longer received by the app.",
        effect: Effect::Removes,
        schema: schema_of::<ReleaseNumber>,
        run: |call| Box::pin(async { release(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
];

/// The arguments of `set_number`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetNumber {
    /// Number in E.164 form, such as +15017122661; the account's only number if left out.
    number: Option<String>,
    /// URL of the app for incoming faxes, such as http://localhost:3000/fax.
    fax_url: Option<String>,
    /// URL that is notified when an incoming fax has ended and the TwiML named no action.
    status_callback: Option<String>,
    /// Name to show for the number.
    name: Option<String>,
}

/// The arguments of `release_number`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReleaseNumber {
    /// Number in E.164 form, such as +15017122661.
    number: String,
}

async fn list(call: &Call) -> Result<Answer, ToolError> {
    let NoArguments {} = call.read()?;
    let account = call.client.account().await?;
    let lines: Vec<String> = account.numbers().iter().map(line).collect();
    let text =
        if lines.is_empty() { "The account has no number; set_number buys one.".to_owned() } else { lines.join("\n") };
    let numbers: Vec<Value> = account.numbers().iter().map(data).collect();
    Ok(Answer::text(text).with(json!({ "numbers": numbers, "console": call.client.console("/phone-numbers") })))
}

async fn set(call: &Call, arguments: SetNumber) -> Result<Answer, ToolError> {
    let account = call.client.account().await?;
    let known = match &arguments.number {
        Some(number) => account.numbers().iter().find(|own| own["phone_number"] == number.as_str()),
        None => Some(only(&account)?),
    };
    let mut pairs = vec![("VoiceReceiveMode", ReceiveMode::Fax.as_str())];
    let given = [
        ("VoiceUrl", &arguments.fax_url),
        ("StatusCallback", &arguments.status_callback),
        ("FriendlyName", &arguments.name),
    ];
    pairs.extend(given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
    let number = match (known, &arguments.number) {
        (Some(known), _) => {
            let path = of_account(&account, &format!("/{}.json", word(&known["sid"])));
            call.client.rest(&account, "POST", &path, &pairs).await?;
            word(&known["phone_number"])
        }
        (None, number) => {
            let number = number.clone().unwrap_or_default();
            pairs.push(("PhoneNumber", &number));
            call.client.rest(&account, "POST", &of_account(&account, ".json"), &pairs).await?;
            number
        }
    };
    let account = call.client.account().await?;
    let shown = account.numbers().iter().find(|own| own["phone_number"] == number.as_str());
    let shown = shown.ok_or_else(|| ToolError(format!("number {number} has already been released")))?;
    Ok(Answer::text(line(shown)).with(data(shown)))
}

async fn release(call: &Call, ReleaseNumber { number }: ReleaseNumber) -> Result<Answer, ToolError> {
    let account = call.client.account().await?;
    let found = account.numbers().iter().find(|own| own["phone_number"] == number.as_str());
    let found = found.ok_or_else(|| {
        ToolError(format!("number: must be one of the account's, not {number:?}; list_numbers lists them"))
    })?;
    let path = of_account(&account, &format!("/{}.json", word(&found["sid"])));
    call.client.rest(&account, "DELETE", &path, &[]).await?;
    Ok(Answer::text(format!("{number} is released.")))
}

/// Returns the account's only number.
fn only(account: &Account) -> Result<&Value, ToolError> {
    match account.numbers() {
        [only] => Ok(only),
        [] => Err(ToolError::new(
            "number: is required, because the account has no number; give one to buy, such as +15017122661",
        )),
        several => Err(ToolError(format!(
            "number: is required, because the account has {} numbers; list_numbers lists them",
            several.len()
        ))),
    }
}

/// Returns the first number that receives faxes.
pub(super) fn first_fax_number(account: &Account) -> Option<String> {
    let is_fax = |number: &&Value| number["voice_receive_mode"] == ReceiveMode::Fax.as_str();
    account.numbers().iter().find(is_fax).map(|number| word(&number["phone_number"]))
}

/// Describes a number on one line.
pub(super) fn line(number: &Value) -> String {
    let url = word(&number["voice_url"]);
    let url = if url.is_empty() { "no URL; set_number sets it".to_owned() } else { format!("calls {url}") };
    format!("{} ({}): {url}", word(&number["phone_number"]), word(&number["voice_receive_mode"]))
}

fn data(number: &Value) -> Value {
    json!({
        "phone_number": number["phone_number"], "fax_url": number["voice_url"], "mode": number["voice_receive_mode"],
        "name": number["friendly_name"],
    })
}

fn of_account(account: &Account, rest: &str) -> String {
    format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers{rest}", account.sid)
}
