//! `fauxfax tail`: prints the latest requests of apps to the emulator and of the emulator to apps, one per line, and
//! then each new one as it happens.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::client::{Client, EXIT_CODES, Target, block_on};
use super::out::{Out, note, stdout};
use super::stream::{Message, Messages};
use super::table::{cell, clean};
use super::timeline::{BAD, DIM, first_lines, redirected};
use super::times;
use super::values::whole_number;

/// The number of earlier requests that are printed first.
const BEGINS_WITH: u64 = 10;
const INBOUND: &str = "in";
/// The methods with which apps make requests, including those that the emulator refuses.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// The indentation of the lines that belong to a request.
const INDENT: &str = "               ";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct TailFlags {
    #[command(flatten)]
    target: Target,
    /// Print only requests that failed: with status 4xx or 5xx, or without a response that could be used
    #[arg(long, conflicts_with = "status")]
    failed: bool,
    /// Print only requests whose path contains this text
    #[arg(long, value_name = "TEXT")]
    path: Option<String>,
    /// Print only requests with this method
    #[arg(long, value_name = "METHOD", value_parser = METHODS, ignore_case = true)]
    method: Option<String>,
    /// Print only requests whose response has this status, such as 404 or 4xx
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Print only requests with this error code, such as 21211
    #[arg(long, value_name = "CODE", value_parser = whole_number::<u32>)]
    code: Option<u32>,
    /// Print only requests from apps to the emulator (in), or only those to apps (out)
    #[arg(long, value_name = "DIRECTION", value_parser = [INBOUND, "out"])]
    direction: Option<String>,
    /// Print only requests in which this text occurs
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Print the parameters and the response below each request
    #[arg(long, conflicts_with = "json")]
    body: bool,
    /// Begin with the last N requests
    #[arg(short = 'n', long, value_name = "N", default_value_t = BEGINS_WITH, value_parser = whole_number::<u64>)]
    lines: u64,
    /// Don't wait for new requests; exit after those so far
    #[arg(long)]
    no_follow: bool,
    /// Print JSON, one request per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(flags: &TailFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        let default = cell(&client.control("GET", "/health", &[], None).await?["default_account"]);
        let mut query = filters(flags);
        let mut out = stdout();
        let newest = [query.as_slice(), &[("last", Some(flags.lines.to_string()))]].concat();
        let page = client.control("GET", "/traffic", &newest, None).await?;
        for request in page["requests"].as_array().into_iter().flatten() {
            show(&mut out, request, &default, flags)?;
        }
        if flags.no_follow {
            return Ok(ExitCode::SUCCESS);
        }
        query.push(("since", Some(cell(&page["last_seq"]))));
        let mut stream = Messages::open(&client, "/traffic", &query).await?;
        while let Some(message) = stream.next().await? {
            match message {
                Message::Item(request) => show(&mut out, &request, &default, flags)?,
                Message::Evicted(count) => note(&format!("{count} requests were dropped before they could be read")),
            }
        }
        note("the emulator has stopped");
        Ok(ExitCode::SUCCESS)
    })
}

fn filters(flags: &TailFlags) -> Vec<(&'static str, Option<String>)> {
    vec![
        ("direction", flags.direction.clone()),
        ("method", flags.method.as_deref().map(str::to_ascii_uppercase)),
        ("path", flags.path.clone()),
        ("status", if flags.failed { Some("failed".to_owned()) } else { flags.status.clone() }),
        ("code", flags.code.map(|code| code.to_string())),
        ("text", flags.text.clone()),
    ]
}

fn show(out: &mut Out<anstream::Stdout>, request: &Value, default: &str, flags: &TailFlags) -> anyhow::Result<()> {
    if flags.json {
        writeln!(out, "{request}")?;
    } else {
        writeln!(out, "{}", line(request, default))?;
        if flags.body {
            details(request).iter().try_for_each(|line| writeln!(out, "{INDENT}{line}"))?;
        }
    }
    Ok(out.flush()?)
}

/// Formats a request: its time, direction, method, path or URL, status or error, duration, fax, and the account if it
/// isn't the default one.
fn line(request: &Value, default: &str) -> String {
    let is_inbound = request["direction"] == INBOUND;
    let arrow = if is_inbound { "←" } else { "→" };
    let text = |name: &str| clean(&cell(&request[name]));
    let place = if is_inbound { text("path") } else { text("url") };
    let place = if place.is_empty() { text("path") } else { place };
    let place = format!("{place}{}", redirected(request));
    let status = request["status"].as_u64();
    let error = request["error"]["message"].as_str();
    let end = match (status, error) {
        (Some(status), _) => format!("{status} {}", text("code")).trim_end().to_owned(),
        (None, Some(error)) => clean(error),
        (None, None) => text("reason"),
    };
    let is_failed = status.is_none_or(|status| status >= 400) || !is_inbound && error.is_some();
    let style = if is_failed { BAD } else { anstyle::Style::new() };
    let account = Some(text("account_sid")).filter(|account| account != default).unwrap_or_default();
    let parts = [times::duration(&request["duration_ms"]), text("fax_sid"), account];
    let parts = parts.iter().filter(|part| !part.is_empty()).map(|part| format!("  {part}")).collect::<String>();
    let at = times::of_day(&request["at"]);
    format!("{DIM}{at}{DIM:#}  {style}{arrow} {} {place}  {end}{style:#}{DIM}{parts}{DIM:#}", text("method"))
}

/// Lists the parameters of a request, and the first lines of the response.
fn details(request: &Value) -> Vec<String> {
    let params = request["params"].as_object().into_iter().flatten();
    let params = params.map(|(name, value)| clean(&format!("{name}={}", cell(value))));
    let answer = first_lines(&cell(&request["answer"])).into_iter().map(|line| format!("│ {line}"));
    params.chain(answer).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(request: &Value) -> String {
        anstream::adapter::strip_str(&line(request, "AC1")).to_string()
    }

    #[test]
    fn requests_are_selected_by_each_method_that_apps_use() {
        #[derive(clap::Parser)]
        struct Command {
            #[command(flatten)]
            flags: TailFlags,
        }
        for method in ["get", "HEAD", "POST", "PUT", "patch", "DELETE", "OPTIONS"] {
            let command: Command = clap::Parser::try_parse_from(["tail", "--method", method]).expect(method);
            let query = filters(&command.flags);
            assert!(query.contains(&("method", Some(method.to_ascii_uppercase()))), "{query:?}");
        }
    }

    fn inbound() -> Value {
        json!({
            "at": "2026-11-30T12:26:01.561234Z", "direction": "in", "method": "POST", "path": "/v1/Faxes", "url": null,
            "status": 400, "code": 21211, "duration_ms": 2, "account_sid": "AC1", "fax_sid": null, "error": null,
            "params": { "To": "abc" }, "answer": "{\n  \"code\": 21211\n}",
        })
    }

    #[test]
    fn a_request_to_the_emulator_is_one_line_with_its_code() {
        assert_eq!(plain(&inbound()), "12:26:01.561Z  ← POST /v1/Faxes  400 21211  2 ms");
        assert!(line(&inbound(), "AC1").contains(&BAD.to_string()), "a refused request is red");
    }

    #[test]
    fn a_request_to_an_app_has_its_url_and_fax() {
        let request = json!({
            "at": "2026-11-30T12:26:01.561234Z", "direction": "out", "method": "POST", "path": "/fax",
            "url": "http://localhost:3000/fax", "status": 200, "code": null, "duration_ms": 0, "fax_sid": "FX1",
            "error": null, "account_sid": "AC2",
        });
        assert_eq!(plain(&request), "12:26:01.561Z  → POST http://localhost:3000/fax  200  < 1 ms  FX1  AC2");
        assert!(!line(&request, "AC1").contains(&BAD.to_string()));
        let mut moved = request.clone();
        moved["redirected_to"] = json!("http://localhost:3000/login");
        let both = "→ POST http://localhost:3000/fax → http://localhost:3000/login  200";
        assert!(plain(&moved).contains(both), "{}", plain(&moved));
        let mut refused = request;
        refused["status"] = Value::Null;
        refused["error"] = json!({ "code": 11200, "message": "connection refused" });
        assert!(plain(&refused).contains("/fax  connection refused  < 1 ms"), "{}", plain(&refused));
        assert!(line(&refused, "AC1").contains(&BAD.to_string()));
    }

    #[test]
    fn the_parameters_and_the_response_come_below() {
        assert_eq!(details(&inbound()), ["To=abc", "│ {", "│   \"code\": 21211", "│ }"]);
    }
}
