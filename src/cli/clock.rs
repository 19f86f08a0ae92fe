//! `fauxfax clock`: shows an account's clock, freezes it, moves it, or lets it run.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::api::ApiFlags;
use super::client::EXIT_CODES;
use super::table::cell;
use super::times;
use crate::dialect::{date, duration};

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ClockFlags {
    #[command(flatten)]
    api: ApiFlags,
    #[command(subcommand)]
    change: Option<ClockChange>,
}

#[derive(Debug, Subcommand)]
enum ClockChange {
    /// Stop the clock; from then on only advance and drain move it
    Freeze,
    /// Let the clock run again, from the time it shows
    Run,
    /// Move a frozen clock by a duration such as 90s, 5m, 1h30m or 180d, or to a date and time, and handle everything
    /// that falls due
    Advance {
        /// How far to move, such as 5m or 1h30m, or a date and time such as 2026-03-01T00:00:00Z
        #[arg(value_name = "DURATION|TIME", allow_hyphen_values = true)]
        to: String,
    },
    /// Move a frozen clock until no work is left
    Drain,
}

pub(super) fn run(flags: &ClockFlags) -> anyhow::Result<ExitCode> {
    let (method, path, body) = match &flags.change {
        None => ("GET", "/clock", None),
        Some(ClockChange::Freeze) => ("PUT", "/clock", Some(json!({ "mode": "frozen" }))),
        Some(ClockChange::Run) => ("PUT", "/clock", Some(json!({ "mode": "running" }))),
        Some(ClockChange::Advance { to }) => ("POST", "/clock/advance", Some(order(to)?)),
        Some(ClockChange::Drain) => ("POST", "/clock/drain", None),
    };
    let clock = flags.api.call(method, path, &[], body.as_ref())?;
    flags.api.show(&clock, ["CLOCK", times::AT, "DUE", "FAX"], |clock| {
        let now = [cell(&clock["mode"]), cell(&clock["now"]), String::new(), String::new()];
        let next = clock["next"].as_array().into_iter().flatten();
        let due = next.map(|due| [String::new(), cell(&due["at"]), cell(&due["kind"]), cell(&due["fax_sid"])]);
        std::iter::once(now).chain(due).collect()
    })
}

/// Returns the request body for a move by a duration or to a moment.
fn order(to: &str) -> anyhow::Result<Value> {
    let why = match duration::parse(to) {
        Ok(span) => return Ok(json!({ "seconds": span.as_secs_f64() })),
        Err(why) => why,
    };
    if date::parse_exact(to).is_none() {
        bail!("{to:?} is {why}; or write a date and time, such as 2026-03-01T00:00:00Z");
    }
    Ok(json!({ "to": to }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_moves_by_a_duration_or_to_a_moment() {
        assert_eq!(order("1h30m").expect("a duration"), json!({ "seconds": 5_400.0 }));
        assert_eq!(order("1w").expect("a duration"), json!({ "seconds": 604_800.0 }));
        let moment = "2026-03-01T00:00:00Z";
        assert_eq!(order(moment).expect("a moment"), json!({ "to": moment }));
        for text in ["-1h", "soon", "inf", ""] {
            let why = order(text).expect_err(text).to_string();
            assert!(why.contains("1h30m") && why.contains("2026-03-01T00:00:00Z"), "{why}");
        }
    }
}
