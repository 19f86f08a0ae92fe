//! Rewords the emulator's refusals for the command line: where the control API names a call to make, the user is told
//! which subcommand makes it.

use hyper::StatusCode;
use serde_json::Value;

/// The prefix of a control API error's type.
const PROBLEM: &str = "urn:fauxfax:problem:";
/// The texts of `GET /readyz` that are not JSON.
const READINESS: [&str; 2] = ["broken:", "stopping"];

/// The API that refused a call; only the control API's problems have a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Control,
    Rest,
}

/// A refusal, worded for the command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The short name of the problem; empty for an error of the REST API.
    pub(super) name: String,
    /// What is wrong, and what to do.
    pub(super) sentence: String,
}

/// Reads the body of a response with status 4xx or 5xx; `None` if no emulator would respond with it.
pub(super) fn read(api: Api, status: StatusCode, body: &[u8]) -> Option<Refusal> {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = String::from_utf8_lossy(body).trim().to_owned();
    if READINESS.iter().any(|word| text.starts_with(word)) {
        return Some(Refusal { name: "not-ready".to_owned(), sentence: reworded(&text) });
    }
    match api {
        Api::Control => {
            let name = problem["type"].as_str()?.strip_prefix(PROBLEM)?;
            let sentence = sentence(name, problem["detail"].as_str()?);
            Some(Refusal { name: name.to_owned(), sentence })
        }
        Api::Rest => {
            let message = problem["message"].as_str().map(ToOwned::to_owned).or_else(|| of_list(&problem));
            let message = message.filter(|text| !text.is_empty()).unwrap_or(text);
            let message = if message.is_empty() { format!("the emulator responded {status}") } else { message };
            let code = problem["code"].as_u64().map(|code| format!(" (error {code})")).unwrap_or_default();
            Some(Refusal { name: String::new(), sentence: format!("{message}{code}") })
        }
    }
}

/// Returns the messages of an error that has several, as SignalWire's errors do.
fn of_list(problem: &Value) -> Option<String> {
    let errors = problem["errors"].as_array()?;
    let detail = |error: &Value| error["detail"].as_str().or(error["message"].as_str()).map(ToOwned::to_owned);
    Some(errors.iter().filter_map(detail).collect::<Vec<_>>().join("; "))
}

/// Returns the sentence that explains a problem with this name to the user. Unknown problems keep the API's wording.
fn sentence(name: &str, detail: &str) -> String {
    // Keeps the part of a detail that says what is wrong, without the part that says which call to make.
    let what = detail.split("; ").next().unwrap_or(detail);
    let then = |advice: &str| format!("{what}; {advice}");
    match name {
        "clock-running" => "the clock is running; freeze it first: fauxfax clock freeze".to_owned(),
        "clock-frozen" => frozen(),
        "webhook-not-found" => then("list them with: fauxfax webhooks"),
        "rule-not-found" => then("list them with: fauxfax rules"),
        "snapshot-not-found" => then("list them with: fauxfax snapshots"),
        "fax-not-found" => then("list them with: fauxfax faxes"),
        "number-not-found" => then("list them with: fauxfax numbers"),
        "number-ambiguous" => {
            format!("{}; name the one to call with --to: fauxfax numbers lists them", what.replace(" in `to`", ""))
        }
        "not-a-fax-number" => then("change it with: fauxfax numbers set NUMBER --mode fax"),
        "account-not-found" => then("list them with: fauxfax accounts, or create it with: fauxfax accounts create SID"),
        "account-unclaimed" => "nobody has signed in to this account, so its webhooks can't be signed: call the REST \
                                API with its SID and any token first, or create it with: fauxfax accounts create SID"
            .to_owned(),
        "default-account" => {
            then("empty it with: fauxfax reset").replace("; empty it with POST /_fauxfax/v1/reset", "")
        }
        "world-broken" => then("repair it with: fauxfax reset"),
        "no-such-call" | "wrong-method" => {
            format!(
                "the emulator there doesn't know this command: {what}; it may be of another version than this program"
            )
        }
        "control-token-needed" => {
            "the emulator requires its control token: pass it with --control-token or FAUXFAX_CONTROL_TOKEN".to_owned()
        }
        "bad-advance" | "bad-seconds" | "bad-date" => {
            detail.trim_start_matches("to: ").trim_start_matches("seconds: ").to_owned()
        }
        "bad-timeout" => format!("--{detail}"),
        _ => reworded(detail),
    }
}

/// Returns what to do about a fax that would never end because the clock is frozen.
pub(super) fn frozen() -> String {
    "the clock is frozen, so the fax would never end: leave out --wait and move the clock with fauxfax clock advance 5m, or \
     let it run: fauxfax clock run"
        .to_owned()
}

/// Replaces the calls that the control API's texts name with the subcommands that make them.
fn reworded(detail: &str) -> String {
    const CALLS: [(&str, &str); 6] = [
        ("POST /_fauxfax/v1/reset?account=… repairs an account", "repair an account with: fauxfax reset --account …"),
        ("POST /_fauxfax/v1/reset to start it again", "start it again with: fauxfax reset"),
        ("POST /_fauxfax/v1/reset", "fauxfax reset"),
        ("POST /_fauxfax/v1/accounts", "fauxfax accounts create"),
        ("GET /webhooks", "fauxfax webhooks"),
        ("GET /readyz", "fauxfax healthcheck"),
    ];
    CALLS.iter().fold(detail.to_owned(), |text, (call, command)| text.replace(call, command))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(name: &str, detail: &str) -> String {
        let body = json!({ "type": format!("{PROBLEM}{name}"), "status": 409, "detail": detail }).to_string();
        read(Api::Control, StatusCode::CONFLICT, body.as_bytes()).expect("a problem").sentence
    }

    #[test]
    fn a_problem_names_a_subcommand_instead_of_a_call() {
        let running = "the clock is running; freeze it first (PUT /_fauxfax/v1/clock with {\"mode\":\"frozen\"})";
        assert_eq!(told("clock-running", running), "the clock is running; freeze it first: fauxfax clock freeze");
        let webhook = "there is no webhook 7, or it has been dropped from the journal; GET /webhooks lists them";
        assert!(told("webhook-not-found", webhook).ends_with("from the journal; list them with: fauxfax webhooks"));
        let default = "the default account can't be removed; empty it with POST /_fauxfax/v1/reset";
        assert_eq!(
            told("default-account", default),
            "the default account can't be removed; empty it with: fauxfax reset"
        );
        let unknown = "something new; see GET /webhooks";
        assert_eq!(told("something-new", unknown), "something new; see fauxfax webhooks");
        assert_eq!(
            told("bad-timeout", "timeout: must be 0 to 600 seconds, not 900"),
            "--timeout: must be 0 to 600 seconds, not 900"
        );
    }

    #[test]
    fn no_sentence_names_an_api_path_or_a_status() {
        for name in ["clock-frozen", "account-unclaimed", "control-token-needed", "number-ambiguous", "world-broken"] {
            let text = told(name, "what is wrong; POST /_fauxfax/v1/x does it (409)");
            assert!(!text.contains("_fauxfax") && !text.contains("409"), "{name}: {text}");
        }
    }

    #[test]
    fn a_rest_error_keeps_its_code_and_other_servers_are_recognised() {
        let rest = json!({ "code": 21212, "message": "The 'From' number is not valid", "status": 400 }).to_string();
        let read_as =
            |api, body: &str| read(api, StatusCode::NOT_FOUND, body.as_bytes()).map(|refusal| refusal.sentence);
        assert_eq!(read_as(Api::Rest, &rest), Some("The 'From' number is not valid (error 21212)".to_owned()));
        for foreign in ["<html>404</html>", "", "{\"detail\":\"Not Found\"}", "{\"message\":\"no\"}"] {
            assert_eq!(read_as(Api::Control, foreign), None, "{foreign}");
        }
        let broken = "broken: AC1; POST /_fauxfax/v1/reset?account=… repairs an account";
        let told = read_as(Api::Control, broken).expect("the text of /readyz");
        assert_eq!(told, "broken: AC1; repair an account with: fauxfax reset --account …");
    }
}
