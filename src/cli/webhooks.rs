//! `fauxfax webhooks`: shows the requests made to the app, and sends one again.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use super::api::ApiFlags;
use super::client::EXIT_CODES;
use super::out;
use super::params::by_name;
use super::table::{self, cell};
use super::times;
use super::values::whole_number;
use crate::dialect::form;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct WebhooksFlags {
    #[command(flatten)]
    api: ApiFlags,
    /// Id of a webhook to show in full, or its first characters; if left out, all webhooks are listed with their ids
    id: Option<String>,
    /// List only webhooks of this fax or call
    #[arg(long, value_name = "FX…", conflicts_with = "id")]
    fax: Option<String>,
    /// List only webhooks with an attempt after this sequence number; after the last reset if left out
    #[arg(long, value_name = "SEQ", conflicts_with = "id", value_parser = whole_number::<u64>)]
    since: Option<u64>,
    /// Also list webhooks from before the last reset
    #[arg(long, conflicts_with_all = ["id", "since"])]
    all: bool,
    /// Send the webhook again, with a new signature
    #[arg(long, requires = "id")]
    replay: bool,
    /// Send the replay to this URL instead
    #[arg(long, value_name = "URL", requires = "replay")]
    to: Option<String>,
    /// Change a parameter of the replay; NAME without a value removes the parameter; repeatable
    #[arg(long, value_name = "NAME=VALUE", requires = "replay")]
    param: Vec<String>,
}

pub(super) fn run(flags: &WebhooksFlags) -> anyhow::Result<ExitCode> {
    let api = &flags.api;
    let Some(id) = &flags.id else {
        let query = [
            ("fax", flags.fax.clone()),
            ("since", flags.since.map(|since| since.to_string())),
            ("all", flags.all.then(|| "true".to_owned())),
        ];
        let list = api.call("GET", "/webhooks", &query, None)?;
        return api.show(&list, ["ID", "FAX", "PURPOSE", "TRIES", "REQUEST"], |list| {
            list["webhooks"].as_array().into_iter().flatten().map(webhook_row).collect()
        });
    };
    let id = whole_id(api, id)?;
    if !flags.replay {
        let webhook = api.call("GET", &format!("/webhooks/{}", form::segment(&id)), &[], None)?;
        table::json(&webhook)?;
        return Ok(ExitCode::SUCCESS);
    }
    let params = by_name(flags.param.iter().map(|pair| match pair.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.into()),
        // Null removes a parameter.
        None => (pair.clone(), Value::Null),
    }))?;
    let mut edits = json!({ "params": params });
    if let Some(url) = &flags.to {
        edits["url"] = json!(url);
    }
    let exchange = api.call("POST", &format!("/webhooks/{}/replay", form::segment(&id)), &[], Some(&edits))?;
    let failed = !exchange["error"].is_null();
    let printed = api.show(&exchange, ["METHOD", "STATUS", "TOOK", "URL", "ERROR"], |exchange| {
        let error = cell(&exchange["error"]["message"]);
        let took = times::duration(&exchange["duration_ms"]);
        vec![[cell(&exchange["method"]), cell(&exchange["status"]), took, cell(&exchange["url"]), error]]
    });
    out::even_if_unread(printed.map(drop))?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn webhook_row(webhook: &Value) -> [String; 5] {
    let attempts = webhook["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let last = attempts.last().map(|attempt| &attempt["exchange"]).unwrap_or(&Value::Null);
    let end = last["error"]["message"].as_str().map_or_else(|| cell(&last["status"]), ToOwned::to_owned);
    let request = format!("{} {}: {end}", cell(&webhook["method"]), cell(&webhook["url"]));
    let [id, fax, purpose] = ["id", "fax_sid", "purpose"].map(|name| cell(&webhook[name]));
    [id, fax, purpose, attempts.len().to_string(), request]
}

/// Returns the whole id of the webhook whose id begins with this text, as tables on narrow terminals show it. An id
/// that is not found is returned unchanged, so that the emulator refuses it.
fn whole_id(api: &ApiFlags, text: &str) -> anyhow::Result<String> {
    let beginning = text.trim_end_matches('…');
    let list = api.call("GET", "/webhooks", &[], None)?;
    let ids = list["webhooks"].as_array().into_iter().flatten().filter_map(|webhook| webhook["id"].as_str());
    let found: Vec<&str> = ids.filter(|id| id.starts_with(beginning)).collect();
    match found[..] {
        // A whole id may be the beginning of another, since some are numbers.
        _ if found.contains(&beginning) => Ok(beginning.to_owned()),
        [only] => Ok(only.to_owned()),
        [] => Ok(beginning.to_owned()),
        _ => bail!("{} webhooks have ids that begin with {beginning}; give more characters", found.len()),
    }
}
