//! `fauxfax numbers`: shows an account's numbers, buys one, changes one or releases one.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueHint};
use serde_json::{Value, json};

use super::api::ApiFlags;
use super::client::{Client, Credential, EXIT_CODES, block_on};
use super::table::cell;
use super::values::words;
use crate::dialect::form;
use crate::model::number::ReceiveMode;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct NumbersFlags {
    #[command(flatten)]
    api: ApiFlags,
    #[command(subcommand)]
    change: Option<NumbersChange>,
}

#[derive(Debug, Subcommand)]
enum NumbersChange {
    /// Buy a number, which receives faxes unless --mode says otherwise
    Add {
        /// Number to buy, such as +15017122661
        #[arg(value_name = "+1…")]
        number: String,
        #[command(flatten)]
        attributes: Attributes,
    },
    /// Change a number
    Set {
        /// Number to change, such as +15005550006
        #[arg(value_name = "+1…")]
        number: String,
        #[command(flatten)]
        attributes: Attributes,
    },
    /// Release a number
    Remove {
        /// Number to release
        #[arg(value_name = "+1…")]
        number: String,
    },
}

/// The attributes of a number that can be set.
#[derive(Debug, Args)]
struct Attributes {
    /// VoiceUrl, from which TwiML is requested when a fax comes in, such as http://localhost:3000/fax
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    fax_url: Option<String>,
    /// Whether the number receives faxes or voice calls
    #[arg(long, value_name = "MODE", value_parser = words(ReceiveMode::ALL, ReceiveMode::as_str))]
    mode: Option<String>,
    /// Name to show for the number
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

pub(super) fn run(flags: &NumbersFlags) -> anyhow::Result<ExitCode> {
    let shown = block_on(async {
        let client = Client::new(&flags.api.target)?;
        Ok(match &flags.change {
            None => list(&client).await?,
            Some(NumbersChange::Add { number, attributes }) => {
                let mut form = vec![("PhoneNumber", number.as_str())];
                form.extend(attributes.form());
                // A number bought here is for faxes.
                if attributes.mode.is_none() {
                    form.push(("VoiceReceiveMode", ReceiveMode::Fax.as_str()));
                }
                let credential = client.credential().await?;
                let list = of_account(&credential, ".json");
                client.rest("POST", &list, &credential, Some(form::encode(&form))).await?;
                json!({ "numbers": [find(&client, Some(number)).await?] })
            }
            Some(NumbersChange::Set { number, attributes }) => {
                change(&client, Some(number), &attributes.form()).await?;
                json!({ "numbers": [find(&client, Some(number)).await?] })
            }
            Some(NumbersChange::Remove { number }) => {
                let credential = client.credential().await?;
                let sid = cell(&find(&client, Some(number)).await?["sid"]);
                client.rest("DELETE", &of_account(&credential, &format!("/{sid}.json")), &credential, None).await?
            }
        })
    })?;
    if shown.is_null() {
        return Ok(ExitCode::SUCCESS);
    }
    flags.api.show(&shown, ["NUMBER", "MODE", "NAME", "FAX URL"], |shown| {
        let row = |number: &Value| {
            ["phone_number", "voice_receive_mode", "friendly_name", "voice_url"].map(|name| cell(&number[name]))
        };
        shown["numbers"].as_array().into_iter().flatten().map(row).collect()
    })
}

/// Sets a number's VoiceUrl, and makes the number accept faxes. The number may be left out if the account has only one.
pub(super) async fn set_fax_url(client: &Client, number: Option<&str>, url: &str) -> anyhow::Result<()> {
    change(client, number, &[("VoiceUrl", url), ("VoiceReceiveMode", ReceiveMode::Fax.as_str())]).await
}

/// Changes a number over the REST API.
async fn change(client: &Client, number: Option<&str>, form: &[(&str, &str)]) -> anyhow::Result<()> {
    let credential = client.credential().await?;
    let sid = cell(&find(client, number).await?["sid"]);
    client
        .rest("POST", &of_account(&credential, &format!("/{sid}.json")), &credential, Some(form::encode(form)))
        .await?;
    Ok(())
}

/// Returns the account's numbers, as the control API shows them.
async fn list(client: &Client) -> anyhow::Result<Value> {
    let sid = client.account_sid().await?;
    let account = client.control("GET", &format!("/accounts/{sid}"), &[], None).await?;
    Ok(json!({ "numbers": account["numbers"] }))
}

/// Returns the named number, or the only one if none is named, as the control API shows it: SignalWire's REST API
/// leaves the mode out.
async fn find(client: &Client, number: Option<&str>) -> anyhow::Result<Value> {
    let list = list(client).await?;
    let numbers = list["numbers"].as_array().map(Vec::as_slice).unwrap_or_default();
    match (number, numbers) {
        (Some(number), numbers) => {
            let found = numbers.iter().find(|own| own["phone_number"] == number);
            found.cloned().with_context(|| format!("this account has no number {number}; fauxfax numbers lists them"))
        }
        (None, [only]) => Ok(only.clone()),
        (None, []) => bail!("this account has no number; buy one with: fauxfax numbers add +15017122661"),
        (None, several) => bail!("this account has {} numbers; name the one to call with --to", several.len()),
    }
}

fn of_account(credential: &Credential, rest: &str) -> String {
    format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers{rest}", credential.sid)
}

impl Attributes {
    fn form(&self) -> Vec<(&'static str, &str)> {
        let given = [("VoiceUrl", &self.fax_url), ("VoiceReceiveMode", &self.mode), ("FriendlyName", &self.name)];
        given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}
