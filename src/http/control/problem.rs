//! Control API errors as `application/problem+json` (RFC 9457).

use std::panic::AssertUnwindSafe;

use axum::extract::{OriginalUri, Request};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use schemars::JsonSchema;
use serde::Serialize;

use crate::emulator::World;
use crate::http::body::BodyFault;
use crate::io::budget::NoRoom;
use crate::model::fax::Status;
use crate::model::refusal::Refusal;
use crate::model::sid::AccountSid;

/// The value of `Retry-After`, in seconds, of every 503.
const RETRY_AFTER_S: &str = "1";

/// The short name of the error for a call that is still waiting when the emulator stops.
const STOPPING: &str = "stopping";

/// A control API error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: u16,
    name: &'static str,
    detail: String,
    fax_status: Option<Status>,
}

/// The JSON of an error.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct ProblemBody {
    /// `urn:fauxfax:problem:` and a short name that programs can match on.
    r#type: String,
    /// The reason phrase of the HTTP status.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, and what to do about it.
    detail: String,
    /// Current status of the fax that the call waited for, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    fax_status: Option<&'static str>,
}

impl Problem {
    /// Creates an error with a status, a short name for programs, and a detail that says what to do.
    pub fn new(status: u16, name: &'static str, detail: impl Into<String>) -> Self {
        Self { status, name, detail: detail.into(), fax_status: None }
    }

    /// Returns what is wrong, and what to do about it.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Adds the current status of the fax that the call is about.
    pub fn of_fax(self, status: Option<Status>) -> Self {
        Self { fax_status: status, ..self }
    }

    /// Returns the error for a world that was removed or has broken while a call waited in it.
    pub fn gone(world: &World) -> Self {
        match world.broken() {
            // A broken world can be repaired, so don't report it as gone.
            Some(why) => Self::refused(&Refusal::WorldBroken(why)),
            None => Self::new(409, "account-gone", format!("account {} was removed meanwhile", world.sid())),
        }
    }

    /// Returns the error for an account that doesn't exist.
    pub fn no_account(account: AccountSid) -> Self {
        let detail = format!("there is no account {account}; POST /_fauxfax/v1/accounts creates one");
        Self::new(404, "account-not-found", detail)
    }

    /// Returns the error for a body that could not be read; `limit` is the message for a body that is too long.
    pub(in crate::http) fn body(fault: BodyFault, limit: impl Into<String>) -> Self {
        match fault {
            BodyFault::TooLarge => Self::new(413, "too-large", limit),
            BodyFault::Broken => Self::new(400, "body-broken", fault.to_string()),
            BodyFault::TooSlow => Self::new(408, "body-too-slow", fault.to_string()),
            BodyFault::NoRoom(no_room) => Self::no_room(no_room),
        }
    }

    /// Returns the error for a body or response that finds no room in the budget of bytes in flight.
    pub fn no_room(no_room: NoRoom) -> Self {
        match no_room {
            NoRoom::InTime => Self::new(503, "busy", no_room.to_string()),
            NoRoom::Ever => Self::new(413, "too-large", no_room.to_string()),
        }
    }

    /// Returns the error for a call whose turn didn't come in time.
    pub fn no_turn() -> Self {
        Self::new(503, "busy", "too many expensive calls are running at once; try again")
    }

    /// Returns the error for a call that is still waiting when the emulator stops.
    pub fn stopping() -> Self {
        Self::new(503, STOPPING, "the emulator is stopping, but the event that this call waits for has not happened")
    }

    /// Returns the error for a command that the engine refused.
    pub fn refused(refusal: &Refusal) -> Self {
        let (status, name) = match refusal {
            Refusal::NumberNotOwned(_) | Refusal::NoNumber(_) => (404, "number-not-found"),
            Refusal::NotAFaxNumber(_) => (409, "not-a-fax-number"),
            Refusal::AmbiguousNumber(0) => {
                let detail = "the account has no fax number; set VoiceReceiveMode=fax on one of its numbers, or name \
                              another account";
                return Self::new(404, "number-not-found", detail);
            }
            Refusal::AmbiguousNumber(_) => (422, "number-ambiguous"),
            Refusal::SidTaken(_) => (409, "sid-taken"),
            Refusal::Unclaimed => {
                let detail = "nobody has claimed this account, so its webhooks can't be signed: claim it first by a \
                              REST call with its SID and any token, or create it with POST /_fauxfax/v1/accounts";
                return Self::new(409, "account-unclaimed", detail);
            }
            Refusal::LimitReached { .. } => (429, "limit-reached"),
            Refusal::NoRule(_) => (404, "rule-not-found"),
            Refusal::NoSnapshot(_) => (404, "snapshot-not-found"),
            Refusal::WorldBroken(_) => (500, "world-broken"),
            Refusal::AccountNotActive(_) | Refusal::ServiceRetired | Refusal::TestCredentials => (403, "not-allowed"),
            Refusal::NoFax(_)
            | Refusal::NoMedia(_)
            | Refusal::NoApplication(_)
            | Refusal::NoTwimlBin(_)
            | Refusal::NoMessage(_)
            | Refusal::NoKey(_)
            | Refusal::NoAlert(_) => (404, "not-found"),
            Refusal::TooLateToCancel(_)
            | Refusal::StillActive(_)
            | Refusal::MessageNotDelivered(_)
            | Refusal::CallerIdExists(_)
            | Refusal::AccountClosed
            | Refusal::NotASubaccount => (409, "conflict"),
            Refusal::InvalidTo(_)
            | Refusal::FromMissing
            | Refusal::InvalidFrom(_)
            | Refusal::FromNotOwned(_)
            | Refusal::SenderNotOwned(_)
            | Refusal::NumberUnavailable(_)
            | Refusal::NumberInvalid(_)
            | Refusal::NoneInArea(_)
            | Refusal::CannotFax(_)
            | Refusal::ApplicationNotOwned(_)
            | Refusal::FallbackWithoutUrl => (422, "refused"),
        };
        Self::new(status, name, refusal.to_string())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::refused(&refusal)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = ProblemBody {
            r#type: format!("urn:fauxfax:problem:{}", self.name),
            title: status.canonical_reason().unwrap_or("Refused"),
            status: self.status,
            detail: self.detail,
            fax_status: self.fax_status.map(Status::as_str),
        };
        let retry = (status == StatusCode::SERVICE_UNAVAILABLE).then_some([(header::RETRY_AFTER, RETRY_AFTER_S)]);
        // Close the connection: the listeners learn of the stop only a moment later, so the client's next call on this
        // connection would be lost.
        let close = (self.name == STOPPING).then_some([(header::CONNECTION, "close")]);
        (status, [(header::CONTENT_TYPE, "application/problem+json")], retry, close, axum::Json(body)).into_response()
    }
}

pub(super) async fn no_such_call(OriginalUri(uri): OriginalUri) -> Problem {
    let detail = format!("the control API has no call {}; docs/control-api.md lists them", uri.path());
    Problem::new(404, "no-such-call", detail)
}

/// Turns a panic in a handler into a 500. The log has the details.
pub(super) async fn of_a_panic(request: Request, next: Next) -> Response {
    AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        let detail = "a fault in the emulator; please report it, with the details in its log";
        Problem::new(500, "internal", detail).into_response()
    })
}

pub(super) async fn wrong_method(method: Method, OriginalUri(uri): OriginalUri) -> Problem {
    Problem::new(405, "wrong-method", format!("the method {method} is not supported by {}", uri.path()))
}
