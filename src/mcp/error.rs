//! The reasons that a tool fails, worded for the assistant that called the tool: they name the tool or argument that
//! helps.

use crate::check::RunError;
use crate::client::{ApiError, Endpoint};
use crate::dialect::json::FieldError;

/// The reason that a tool failed, as a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct ToolError(pub(super) String);

impl ToolError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the error for an account that nobody has signed in to.
    pub(super) fn unclaimed(sid: &str) -> Self {
        Self(format!(
            "account {sid} has no token yet, because no client has signed in to it: let the app make a REST call with it first, or \
             leave account out to use the default account"
        ))
    }

    /// Returns the error for a call that found that the emulator has ended. `why_none` is the reason that no other one could be
    /// started.
    pub(super) fn ended(lost: &Endpoint, why_none: Option<&str>) -> Self {
        let url = lost.url.as_str().trim_end_matches('/');
        let what =
            format!("the emulator at {url} has ended, as it does with the assistant or the terminal that started it");
        Self(match why_none {
            None => format!(
                "{what}; a new one has been started at the same address. The faxes, rules and changed numbers of the old one are \
                 gone: set up what you need, and call the tool again"
            ),
            Some(why) => format!(
                "{what}, and no new one could be started ({why}): start one with `fauxfax serve`, or restart this MCP server"
            ),
        })
    }

    /// Returns the error for a call that the client canceled.
    pub(super) fn canceled() -> Self {
        Self::new("the call was canceled")
    }
}

impl From<FieldError> for ToolError {
    fn from(error: FieldError) -> Self {
        Self(error.to_string())
    }
}

impl From<ApiError> for ToolError {
    fn from(error: ApiError) -> Self {
        Self(match error {
            ApiError::Unreachable { url, why } => format!(
                "no emulator answers at {url} ({why}): start one with `fauxfax serve`, or restart this MCP server with --url and \
                 the emulator's address"
            ),
            ApiError::Foreign { url, what } => format!(
                "what answers at {url} is not a fauxfax emulator ({what}): restart this MCP server with --url and the \
                 emulator's address"
            ),
            ApiError::Refused { name, detail, .. } => refused(&name, &detail),
        })
    }
}

impl From<RunError> for ToolError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Api(error) => error.into(),
            RunError::NotUrl(url) => {
                Self(format!("url: must be an http or https URL, such as http://localhost:3000/fax, not {url:?}"))
            }
            RunError::Public(why) => Self(format!(
                "{why}; only apps on this machine or in a private network are checked. For a host of your own, run in a terminal: \
                 fauxfax check URL --i-own-this-host"
            )),
            RunError::OtherToken { account } => Self(format!(
                "auth_token: account {account} has another token in this emulator, so its signatures would be wrong; leave \
                 auth_token out, or name another account"
            )),
            RunError::NoToken { account } => Self(format!(
                "account {account} has no token yet, because no client has signed in to it; give the app's in auth_token"
            )),
            RunError::Busy { account, pending } => Self(format!(
                "account {account} has {pending} faxes in progress, which the checks would disturb: call wait first, or name \
                 another account"
            )),
            RunError::UnderWay { account, snapshot } => Self(format!(
                "other checks are running in account {account}, or were killed before they could put everything back: wait for them, or \
                 call reset with snapshot {snapshot:?}"
            )),
            RunError::Client(error) => Self(error.to_string()),
        }
    }
}

/// Returns the sentence for a problem of the control API. Unknown problems keep the API's wording, with tools in place
/// of the calls to reset and to list webhooks that it suggests.
fn refused(name: &str, detail: &str) -> String {
    // Keeps the part of a detail that says what is wrong, without the part that says which call to make.
    let what = detail.split("; ").next().unwrap_or(detail);
    let then = |advice: &str| format!("{what}; {advice}");
    match name {
        "clock-frozen" => "the clock is frozen, so the fax would never end: call clock with action \"run\" first, or pass wait: false \
                           and then call clock with action \"drain\""
            .to_owned(),
        "clock-running" => "the clock is running: call clock with action \"freeze\" first".to_owned(),
        "fax-not-found" | "conversation-not-found" => then("list_faxes lists them"),
        "page-not-found" => then("show_fax says how many pages the fax has"),
        "rule-not-found" => then("list_rules lists them"),
        "number-not-found" | "number-ambiguous" => then("list_numbers lists them; name one in `to`"),
        "not-a-fax-number" => then("set_number makes it one"),
        "account-not-found" => then("leave account out to use the default account, or let the app make a REST call with it first"),
        "account-unclaimed" => then("let the app make a REST call with it first"),
        "snapshot-not-found" => then("leave snapshot out to return to the start"),
        "world-broken" => then("repair it with reset"),
        "control-token-needed" => "the emulator requires its control token: restart this MCP server with --control-token, or \
                                   FAUXFAX_CONTROL_TOKEN in its environment"
            .to_owned(),
        _ => detail.replace("POST /_fauxfax/v1/reset", "reset").replace("GET /webhooks", "show_fax"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, detail: &str) -> String {
        let error = ApiError::Refused { status: 409, name: name.to_owned(), detail: detail.to_owned() };
        ToolError::from(error).0
    }

    #[test]
    fn a_refusal_names_the_tool_that_helps_instead_of_a_call() {
        assert_eq!(told("fax-not-found", "there is no fax FX1"), "there is no fax FX1; list_faxes lists them");
        let frozen =
            "the clock is frozen, so the fax would never end: leave out wait=true, then advance or drain the clock";
        assert!(told("clock-frozen", frozen).contains("call clock with action \"run\""));
        assert_eq!(told("bad-search", "q: unknown key \"x\""), "q: unknown key \"x\"");
        assert_eq!(
            told("world-broken", "this world is broken; POST /_fauxfax/v1/reset"),
            "this world is broken; repair it with reset"
        );
    }

    #[test]
    fn a_missing_emulator_is_named_with_the_remedy() {
        let error = ApiError::Unreachable { url: "http://127.0.0.1:1".to_owned(), why: "refused".to_owned() };
        let told = ToolError::from(error).0;
        assert!(told.contains("http://127.0.0.1:1") && told.contains("fauxfax serve"), "{told}");
    }
}
