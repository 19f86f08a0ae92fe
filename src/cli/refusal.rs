//! Rewords the emulator's refusals for the command line: where the control API names a call to make, the user is told
//! which subcommand makes it.

/// Returns the sentence for a refusal with this name. Errors of the REST APIs, which have no name, keep their wording.
pub(super) fn reworded(name: &str, detail: &str) -> String {
    if name.is_empty() { detail.to_owned() } else { sentence(name, detail) }
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
        _ => with_commands(detail),
    }
}

/// Returns what to do about a fax that would never end because the clock is frozen.
pub(super) fn frozen() -> String {
    "the clock is frozen, so the fax would never end: leave out --wait and move the clock with fauxfax clock advance 5m, or \
     let it run: fauxfax clock run"
        .to_owned()
}

/// Replaces the calls that the control API's texts name with the subcommands that make them.
fn with_commands(detail: &str) -> String {
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
    use super::reworded as told;

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
    fn a_rest_error_keeps_its_wording_and_readiness_names_a_subcommand() {
        assert_eq!(told("", "no; see GET /webhooks (error 21212)"), "no; see GET /webhooks (error 21212)");
        let broken = "broken: AC1; POST /_fauxfax/v1/reset?account=… repairs an account";
        assert_eq!(told("not-ready", broken), "broken: AC1; repair an account with: fauxfax reset --account …");
    }
}
