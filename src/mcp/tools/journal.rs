//! The tools about what happened: wait for it, verify it, and list the requests in both directions.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::error::ToolError;
use super::super::tool::{Call, Tool, schema_of};
use super::receive::patience;
use super::{brief, word};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "wait",
        title: "Wait for a fax",
        description: "Waits until a fax has ended and every webhook about it is sent (fax), until it enters a status (fax and status), or \
                      until nothing is in progress (no arguments). Ends at once if that can't happen any more. Use it instead of asking \
                      again and again.",
        schema: schema_of::<Wait>,
        run: |call| Box::pin(async { wait(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
    Tool {
        name: "verify",
        title: "Verify what happened",
        description: "Asserts that events are in the account's journal since the last reset, and shows the closest ones if they aren't. \
                      match is a part of an event, such as {\"kind\":\"webhook.attempt\",\"data\":{\"params\":{\"FaxStatus\":\"received\"}}} or \
                      {\"kind\":\"fax.page\",\"data\":{\"page\":1,\"text\":{\"contains\":\"Jane Doe\"}}}; a value may be {\"prefix\"}, {\"regex\"} \
                      or {\"contains\"}. Kinds: fax.status (data.old, data.new), fax.page, webhook.attempt, api.request, twiml.executed, \
                      call.attempt, document.fetched, alert, rule.fired.",
        schema: schema_of::<Verify>,
        run: |call| Box::pin(async { verify(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
    Tool {
        name: "list_requests",
        title: "List the requests in both directions",
        description: "Lists the newest requests: the app's calls of the API and downloads, also refused ones with the reason, and the \
                      emulator's webhooks to the app. Use it if a call of the app fails, or if a fax doesn't appear. Lists the requests of all \
                      accounts unless account names one, since a call with a wrong credential belongs to none.",
        schema: schema_of::<ListRequests>,
        run: |call| Box::pin(async { requests(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
];

/// The number of requests that are listed if the call doesn't say.
const REQUESTS_DEFAULT: u32 = 20;
/// The largest number of requests that are listed.
const REQUESTS_MAX: u32 = 100;
/// The maximum length of an address, a piece of advice or a difference in a list, in characters.
const LINE_CHARS: usize = 300;
/// The maximum number of an event's differing fields that are shown.
const DIFFERENCES_MAX: usize = 8;

/// The arguments of `wait`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {
    /// SID of a fax; with status alone, any fax counts.
    fax: Option<String>,
    /// Status to wait for, or several separated by commas, such as delivered,failed.
    status: Option<String>,
    /// Seconds to wait at most, 1 to 300; 60 by default.
    timeout: Option<u64>,
}

/// The arguments of `verify`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Verify {
    /// Part of an event; every field given must match. Give this or in_order.
    r#match: Option<Map<String, Value>>,
    /// How many events must match: a number, or an object with at_least and at_most; at least one by default.
    #[serde(default)]
    #[schemars(schema_with = "times")]
    times: Option<Value>,
    /// Parts of events that must occur one after the other.
    in_order: Option<Vec<Map<String, Value>>>,
    /// Only events after this place (seq) of the journal.
    since: Option<u64>,
    /// Also events before the last reset.
    all: Option<bool>,
}

fn times(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "anyOf": [
        { "type": "integer", "minimum": 0 },
        { "type": "object", "properties": { "at_least": { "type": "integer" }, "at_most": { "type": "integer" } } },
    ] })
}

/// The arguments of `list_requests`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListRequests {
    /// Only requests that failed: 4xx, 5xx, no response, or one that could not be used.
    failed: Option<bool>,
    /// Only requests about this fax.
    fax: Option<String>,
    /// Only requests with this text anywhere: path, parameters, response or error.
    text: Option<String>,
    /// Number of requests, 1 to 100; 20 by default.
    limit: Option<u32>,
}

async fn wait(call: &Call, Wait { fax, status, timeout }: Wait) -> Result<Answer, ToolError> {
    let timeout = ("timeout", Some(patience(timeout)?.to_string()));
    let what = match (&fax, &status) {
        (_, Some(_)) => None,
        (Some(_), None) => Some("settled".to_owned()),
        (None, None) => Some("idle".to_owned()),
    };
    let waited = call.client.get("/wait", &[("fax", fax.clone()), ("status", status), ("for", what), timeout]).await?;
    let event = &waited["event"];
    let sid = event["fax_sid"].as_str().map(ToOwned::to_owned).or(fax);
    let status = waited["outcome"].as_str().or(event["data"]["new"].as_str());
    let text = match (&sid, status) {
        (Some(sid), Some(status)) => format!(
            "{sid} is {status}. show_fax shows what happened.\nConsole: {}",
            call.client.console(&format!("/faxes/{sid}"))
        ),
        _ => "Nothing is in progress.".to_owned(),
    };
    Ok(Answer::text(text).with(json!({ "fax": sid, "status": status, "seq": waited["seq"] })))
}

async fn verify(call: &Call, arguments: Verify) -> Result<Answer, ToolError> {
    let order = json!({
        "match": arguments.r#match, "times": arguments.times, "in_order": arguments.in_order, "since": arguments.since,
        "all": arguments.all.unwrap_or(false),
    });
    let verdict = call.client.post("/verify", &order).await?;
    let is_verified = verdict["verified"] == true;
    let mut text = format!("{}: {} found.", if is_verified { "Verified" } else { "NOT verified" }, verdict["found"]);
    if let Some(step) = verdict["missing_step"].as_u64() {
        // Writing to a string never fails.
        let _ = write!(text, " Step {} of in_order was not found.", step + 1);
    }
    if verdict["missed"].as_u64().is_some_and(|missed| missed > 0) {
        let _ =
            write!(text, " {} events could not be checked, because the journal doesn't have them.", verdict["missed"]);
    }
    for closest in verdict["closest"].as_array().into_iter().flatten().filter(|_| !is_verified) {
        let event = &closest["event"];
        let _ = write!(text, "\nClosest: {} (seq {}, {})", word(&event["kind"]), event["seq"], word(&event["fax_sid"]));
        for (field, difference) in closest["differs"].as_object().into_iter().flatten().take(DIFFERENCES_MAX) {
            let (want, got) =
                (brief(&difference["want"].to_string(), LINE_CHARS), brief(&difference["got"].to_string(), LINE_CHARS));
            let _ = write!(text, "\n  {field}: expected {want}, found {got}");
        }
    }
    let data = json!({ "verified": is_verified, "found": verdict["found"], "missed": verdict["missed"] });
    Ok(Answer::text(text).with(data))
}

async fn requests(call: &Call, arguments: ListRequests) -> Result<Answer, ToolError> {
    let limit = arguments.limit.unwrap_or(REQUESTS_DEFAULT);
    if !(1..=REQUESTS_MAX).contains(&limit) {
        return Err(ToolError(format!("limit: must be 1 to {REQUESTS_MAX}, not {limit}")));
    }
    let query = [
        ("status", arguments.failed.unwrap_or(false).then(|| "failed".to_owned())),
        ("fax", arguments.fax),
        ("text", arguments.text),
        ("last", Some(limit.to_string())),
    ];
    let page = call.client.get("/traffic", &query).await?;
    let requests = page["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut text = format!("{} requests, oldest first (← from the app, → to the app).\n", requests.len());
    for request in requests {
        let _ = writeln!(text, "{}", line(request));
    }
    let _ = write!(text, "Console: {}", call.client.console("/traffic"));
    Ok(Answer::text(text))
}

/// Describes a request on one line, and why it failed on a second.
fn line(request: &Value) -> String {
    let arrow = if request["direction"] == "in" { "←" } else { "→" };
    let target = request["url"].as_str().or(request["path"].as_str()).unwrap_or_default();
    let outcome = match (&request["status"], &request["error"]) {
        (Value::Null, error) => word(&error["message"]),
        (status, _) => word(status),
    };
    let code = request["code"].as_u64().map(|code| format!(" {code}")).unwrap_or_default();
    let purpose = request["purpose"].as_str().map(|purpose| format!(" ({purpose})")).unwrap_or_default();
    let fax = request["fax_sid"].as_str().map(|fax| format!(" {fax}")).unwrap_or_default();
    let mut line = format!(
        "{} {arrow} {} {}{purpose} {outcome}{code}{fax}",
        word(&request["at"]),
        word(&request["method"]),
        brief(target, LINE_CHARS),
    );
    let why = [&request["reason"], &request["error"]["message"], &request["answer"]["message"], &request["advice"]];
    let why: Vec<String> = why.iter().filter_map(|why| why.as_str()).map(|why| brief(why, LINE_CHARS)).collect();
    if !why.is_empty() {
        line = format!("{line}\n    {}", why.join("; "));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_call_is_listed_with_its_reason() {
        let request = json!({
            "at": "2030-01-01T00:00:00Z", "direction": "in", "method": "POST", "path": "/v1/Faxes", "status": 400, "code": 21_212,
            "answer": { "message": "The 'From' number is not valid" }, "advice": "Use a number of the account.",
        });
        let expected = "2030-01-01T00:00:00Z ← POST /v1/Faxes 400 21212\n    The 'From' number is not valid; Use a number of the account.";
        assert_eq!(line(&request), expected);
        let request = json!({
            "at": "x", "direction": "out", "method": "POST", "url": "http://app/fax", "purpose": "fax-url", "status": null,
            "error": { "message": "connection refused" }, "fax_sid": "FX1",
        });
        assert_eq!(line(&request), "x → POST http://app/fax (fax-url) connection refused FX1\n    connection refused");
    }
}
