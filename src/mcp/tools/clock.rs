//! The tool that shows, freezes and moves an account's clock.

use std::fmt::Write;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::error::ToolError;
use super::super::tool::{Call, Effect, Tool, chosen, one_of, schema_of};
use super::receive::patience;
use super::word;
use crate::model::words::words;

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "clock",
    title: "Show or move the clock",
    description: "Shows the account's virtual clock and what is due next (action read), stops it (freeze), lets it follow real time (run), \
                  moves a frozen clock (advance, with `by` or `to`), or moves it until nothing is due (drain). Media URLs expire after two hours \
                  of this clock, and retries follow it, so that no test has to sleep.",
    effect: Effect::Adds,
    calls_app: true,
    schema: schema_of::<Clock>,
    run: |call| Box::pin(async { clock(call, call.read()?).await }),
    ..Tool::DEFAULT
}];

/// The maximum number of deadlines that are shown.
const DEADLINES_MAX: usize = 5;

/// The arguments of `clock`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Clock {
    /// What to do with the clock; read by default.
    #[serde(default)]
    #[schemars(schema_with = "actions")]
    action: Option<String>,
    /// With advance: how far, such as 90s, 5m, 1h30m or 2d.
    by: Option<String>,
    /// With advance: the moment to move to, such as 2030-01-01T12:00:00Z.
    to: Option<String>,
    /// With advance and drain: seconds of real time to wait for the app at most, 1 to 300; 60 by default.
    timeout: Option<u64>,
}

words!(
    /// What to do with the clock.
    Action {
        /// Show it.
        Read = "read",
        /// Stop it.
        Freeze = "freeze",
        /// Let it follow real time.
        Run = "run",
        /// Move it by or to a time.
        Advance = "advance",
        /// Move it until nothing is due.
        Drain = "drain",
    }
);

fn actions(_: &mut SchemaGenerator) -> Schema {
    one_of(Action::ALL, Action::as_str)
}

async fn clock(call: &Call, Clock { action, by, to, timeout }: Clock) -> Result<Answer, ToolError> {
    let action = match action {
        Some(action) => chosen("action", &action, Action::ALL, Action::as_str)?,
        None => Action::Read,
    };
    if (by.is_some() || to.is_some()) && action != Action::Advance {
        return Err(ToolError::new("by, to: must be left out, unless action is advance"));
    }
    let timeout = patience(timeout)?;
    let set =
        async |mode: &str| call.client.control("PUT", "/clock", &[], Some((&json!({ "mode": mode })).into())).await;
    let clock = match action {
        Action::Read => call.client.get("/clock", &[]).await?,
        Action::Freeze => set("frozen").await?,
        Action::Run => set("running").await?,
        Action::Advance => {
            call.client.post("/clock/advance", &json!({ "by": by, "to": to, "timeout": timeout })).await?
        }
        Action::Drain => call.client.post("/clock/drain", &json!({ "timeout": timeout })).await?,
    };
    let mut text = format!("The clock is {} at {}.", word(&clock["mode"]), word(&clock["now"]));
    let next = clock["next"].as_array().map(Vec::as_slice).unwrap_or_default();
    for due in next.iter().take(DEADLINES_MAX) {
        // Writing to a string never fails.
        let _ = write!(text, "\n{}: {} {}", word(&due["at"]), word(&due["what"]), word(&due["fax_sid"]));
    }
    if next.is_empty() {
        text.push_str("\nNothing is due.");
    } else if next.len() > DEADLINES_MAX {
        let _ = write!(text, "\n… and at least {} more", next.len() - DEADLINES_MAX);
    }
    if let Some(events) = clock["events"].as_array() {
        let _ = write!(text, "\nEvents meanwhile: {}", events.len());
        for event in events.iter().filter(|event| event["kind"] == "fax.status") {
            let _ = write!(text, "\n{} is {}", word(&event["fax_sid"]), word(&event["data"]["new"]));
        }
    }
    let shown: Vec<&Value> = next.iter().take(DEADLINES_MAX).collect();
    Ok(Answer::text(text).with(json!({ "mode": clock["mode"], "now": clock["now"], "next": shown })))
}
