//! `fauxfax sign` and `explain-signature`: compute the signature that Twilio or SignalWire would send, and explain why
//! a given signature is invalid. If a key is given, no emulator is needed.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::client::{Body, Client, EXIT_CODES, Target, block_on};
use super::out::{self, stdout};
use super::params::{by_name, pairs};
use super::table;
use crate::dialect::address::normal_or_as_is;
use crate::dialect::explain::{KeyKind, Question, check, explain};
use crate::dialect::signature;

#[derive(Debug, Args)]
pub(super) struct SignFlags {
    /// Complete URL that is called, as configured or as shown by `fauxfax webhooks`
    url: String,
    /// AuthToken of a Twilio account, or signing key of a SignalWire account
    #[arg(long, env = "TWILIO_AUTH_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: String,
    /// Form parameter, such as FaxSid=FX123; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// Whole form as it is sent, instead of --param
    #[arg(long, value_name = "FORM", conflicts_with = "param")]
    body: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ExplainFlags {
    #[command(flatten)]
    target: Target,
    /// Complete URL that was called, as configured or as shown by `fauxfax webhooks`
    called: String,
    /// Signature that the app computed or received
    #[arg(long, value_name = "VALUE")]
    signature: String,
    /// Parameter that was sent, such as FaxSid=FX123; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// Whole body as it was sent, instead of --param
    #[arg(long, value_name = "TEXT", conflicts_with = "param")]
    body: Option<String>,
    /// AuthToken of a Twilio account, or signing key of a SignalWire account; if left out, the running emulator tries
    /// its accounts' keys
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// Print the response as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn sign(flags: &SignFlags) -> anyhow::Result<ExitCode> {
    let params = match &flags.body {
        Some(body) => Question::params_of(body),
        None => pairs(&flags.param)?,
    };
    let value = signature::of_form(&flags.token, &normal_or_as_is(&flags.url), &params);
    writeln!(stdout(), "{value}")?;
    Ok(ExitCode::SUCCESS)
}

/// Explains a signature. The exit status is 0 if the signature is valid.
pub(super) fn explain_signature(flags: &ExplainFlags) -> anyhow::Result<ExitCode> {
    let answer = match &flags.token {
        Some(token) => offline(flags, token)?,
        None => ask(flags)?,
    };
    let valid = answer["valid"].as_bool().context("the response doesn't say whether the signature is valid")?;
    out::even_if_unread(if flags.json { table::json(&answer) } else { explained(&answer, valid) })?;
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn explained(answer: &Value, valid: bool) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = if valid { "none: it is valid".to_owned() } else { text(&answer["mistake"]) };
    let names = ["detail", "header", "key", "expected", "signed"];
    let parts = [("mistake", found)].into_iter().chain(names.map(|name| (name, text(&answer[name]))));
    let lines = ["python", "node", "rust"].map(|name| (name, text(&answer["check"][name])));
    let mut out = stdout();
    for (name, value) in parts.chain(lines) {
        writeln!(out, "{name:<10}{value}")?;
    }
    Ok(())
}

fn ask(flags: &ExplainFlags) -> anyhow::Result<Value> {
    let mut order = json!({ "url": flags.called, "signature": flags.signature });
    match &flags.body {
        Some(body) => order["body"] = json!(body),
        None => {
            let params = pairs(&flags.param)?.into_iter().map(|(name, value)| (name, value.into()));
            order["params"] = by_name(params)?.into();
        }
    }
    block_on(async {
        Client::new(&flags.target)?.control("POST", "/explain-signature", &[], Some(Body::from(&order))).await
    })
}

fn offline(flags: &ExplainFlags, token: &str) -> anyhow::Result<Value> {
    let params = match &flags.body {
        Some(body) => Question::params_of(body),
        None => pairs(&flags.param)?,
    };
    let key_kind = KeyKind::of_params(&params);
    let explanation = explain(&Question {
        url: &flags.called,
        params: params.clone(),
        body: flags.body.as_deref(),
        signature: &flags.signature,
        key: token,
        key_kind,
        others: &[],
    });
    let check = check(&flags.called, &params, key_kind);
    Ok(json!({
        "valid": explanation.mistakes.is_empty(),
        "mistake": explanation.mistakes.first().map(|mistake| mistake.as_str()),
        "mistakes": explanation.mistakes.iter().map(|mistake| mistake.as_str()).collect::<Vec<_>>(),
        "detail": explanation.detail,
        "expected": explanation.expected,
        "signed": explanation.signed,
        "header": key_kind.header(),
        "key": key_kind.name(),
        "check": { "python": check.python, "node": check.node, "rust": check.rust },
    }))
}
