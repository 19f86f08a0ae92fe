//! The reasons that a call to an emulator fails, and how they are read from a response.

use hyper::StatusCode;
use serde_json::Value;

/// The prefix of a control API error's type.
const PROBLEM: &str = "urn:fauxfax:problem:";
/// The name of the problem that `/readyz` reports, which has no type of its own.
const NOT_READY: &str = "not-ready";
/// The beginnings of the texts of `/readyz`, which are not JSON.
const NOT_READY_TEXTS: [&str; 2] = ["broken:", "stopping"];

/// The reason a call to the emulator failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No emulator responded.
    #[error("can't reach an emulator at {url} ({why})")]
    Unreachable {
        /// The emulator's URL.
        url: String,
        /// The connection error, or a note that there was no response in time.
        why: String,
    },
    /// Something other than an emulator responded.
    #[error("{url} is not a fauxfax emulator ({what})")]
    Foreign {
        /// The URL.
        url: String,
        /// The response's status and the name in its `Server` header, or a note that the response isn't HTTP.
        what: String,
    },
    /// The emulator refused the call.
    #[error("{detail}")]
    Refused {
        /// The status of the response.
        status: u16,
        /// The short name of the control API's problem; empty for an error of a REST API.
        name: String,
        /// What is wrong.
        detail: String,
    },
}

/// The API that refused a call; only the control API's problems have a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Control,
    Rest,
}

impl ApiError {
    /// Returns whether the emulator refused the call with this status.
    pub(crate) fn is_status(&self, wanted: u16) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == wanted)
    }

    pub(super) fn unreachable(url: &str, error: &dyn std::error::Error) -> Self {
        // hyper's error wraps the system's, whose message says the most.
        let mut end = error;
        while let Some(source) = end.source() {
            end = source;
        }
        Self::Unreachable { url: url.to_owned(), why: end.to_string() }
    }

    pub(super) fn foreign(url: &str, status: StatusCode, server: Option<&str>) -> Self {
        let from = server.map(|server| format!(" from {server}")).unwrap_or_default();
        Self::Foreign { url: url.to_owned(), what: format!("{}{from}", status.as_u16()) }
    }
}

/// Reads the body of a response whose status is not 2xx; `None` for one that no emulator gives to a control API call.
pub(super) fn refusal(api: Api, status: StatusCode, body: &[u8]) -> Option<ApiError> {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = String::from_utf8_lossy(body).trim().to_owned();
    let (name, detail) = if NOT_READY_TEXTS.iter().any(|word| text.starts_with(word)) {
        (NOT_READY.to_owned(), text)
    } else {
        match api {
            Api::Control => {
                let name = problem["type"].as_str()?.strip_prefix(PROBLEM)?;
                (name.to_owned(), problem["detail"].as_str()?.to_owned())
            }
            Api::Rest => (String::new(), of_rest(status, &problem, text)),
        }
    };
    Some(ApiError::Refused { status: status.as_u16(), name, detail })
}

/// Returns the message of a REST API's error, with its code.
fn of_rest(status: StatusCode, error: &Value, text: String) -> String {
    let message = error["message"].as_str().map(ToOwned::to_owned).or_else(|| of_list(error));
    let message = message.filter(|text| !text.is_empty()).unwrap_or(text);
    let message = if message.is_empty() { format!("the emulator responded {status}") } else { message };
    let code = error["code"].as_u64().map(|code| format!(" (error {code})")).unwrap_or_default();
    format!("{message}{code}")
}

/// Returns the messages of an error that has several, as SignalWire's errors do.
fn of_list(error: &Value) -> Option<String> {
    let errors = error["errors"].as_array()?;
    let detail = |error: &Value| error["detail"].as_str().or(error["message"].as_str()).map(ToOwned::to_owned);
    Some(errors.iter().filter_map(detail).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn detail(api: Api, body: &str) -> Option<String> {
        match refusal(api, StatusCode::NOT_FOUND, body.as_bytes())? {
            ApiError::Refused { detail, .. } => Some(detail),
            ApiError::Unreachable { .. } | ApiError::Foreign { .. } => None,
        }
    }

    #[test]
    fn a_rest_error_keeps_its_code_and_other_servers_are_recognised() {
        let rest = json!({ "code": 21212, "message": "The 'From' number is not valid", "status": 400 }).to_string();
        assert_eq!(detail(Api::Rest, &rest).as_deref(), Some("The 'From' number is not valid (error 21212)"));
        let several = json!({ "errors": [{ "detail": "one" }, { "message": "two" }] }).to_string();
        assert_eq!(detail(Api::Rest, &several).as_deref(), Some("one; two"));
        for foreign in ["<html>404</html>", "", "{\"detail\":\"Not Found\"}", "{\"message\":\"no\"}"] {
            assert_eq!(detail(Api::Control, foreign), None, "{foreign}");
        }
    }

    #[test]
    fn an_emulator_that_is_not_ready_is_still_an_emulator() {
        let error = refusal(Api::Control, StatusCode::SERVICE_UNAVAILABLE, b"stopping\n").expect("a refusal");
        let ApiError::Refused { status: 503, name, detail } = error else { panic!("{error}") };
        assert_eq!((name.as_str(), detail.as_str()), (NOT_READY, "stopping"));
    }
}
