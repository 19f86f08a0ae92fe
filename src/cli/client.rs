//! The emulator's APIs, as the subcommands call them, with the exit statuses and the wording of failed calls.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::StatusCode;
use serde_json::Value;

use super::refusal;
pub(super) use super::target::{Endpoint, Target};
pub(super) use crate::client::Body;
use crate::client::{self, ApiError};
use crate::dialect::form;
use crate::io::plain::Opened;
use crate::model::account::Dialect;

/// The meanings of the exit statuses, shown in `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit status:
  0  done
  1  the call was refused, or the result isn't the expected one
  2  incorrect usage
  3  no emulator responded
  4  timed out";

/// The exit status if no emulator could be reached.
const EXIT_UNREACHABLE: u8 = 3;
/// The exit status if the call took too long.
pub(super) const EXIT_TOO_LATE: u8 = 4;
/// The HTTP status of a wait that ended without what it waited for.
const REQUEST_TIMEOUT: u16 = StatusCode::REQUEST_TIMEOUT.as_u16();
/// The value of the User-Agent header.
const USER_AGENT: &str = concat!("fauxfax/", env!("CARGO_PKG_VERSION"));
/// The time limit for a response. The longest calls move a frozen clock past the deadlines of many faxes.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(600);
/// The time limit for a health check.
const HEALTH_TIME_MAX: Duration = Duration::from_secs(10);
/// The reason a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// No emulator responded at the URL.
    #[error("can't reach an emulator at {url} ({why}); start one with: fauxfax serve")]
    Unreachable {
        /// The emulator's URL, as given by the user.
        url: String,
        /// The connection error, or a note that there was no response in time.
        why: String,
    },
    /// Something other than an emulator responded at the URL.
    #[error("{url} is not a fauxfax emulator ({what}); give the emulator's URL with --url or FAUXFAX_URL")]
    Foreign {
        /// The URL, as given by the user.
        url: String,
        /// The response's status and the name in its `Server` header, or a note that the response isn't HTTP.
        what: String,
    },
    /// The emulator responded with status 4xx or 5xx.
    #[error("{sentence}")]
    Refused {
        /// The response's HTTP status.
        status: u16,
        /// What is wrong and what to do, in the words of the command line.
        sentence: String,
    },
    /// What the subcommand waited for didn't happen in time.
    #[error("{0}")]
    TimedOut(String),
}

impl CallError {
    /// Returns the exit status of a subcommand that failed with this error.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unreachable { .. } | Self::Foreign { .. } => ExitCode::from(EXIT_UNREACHABLE),
            Self::Refused { status: REQUEST_TIMEOUT, .. } | Self::TimedOut(_) => ExitCode::from(EXIT_TOO_LATE),
            Self::Refused { .. } => ExitCode::FAILURE,
        }
    }

    /// Returns whether an error is the emulator's refusal with this status.
    pub(super) fn is_status(error: &anyhow::Error, wanted: StatusCode) -> bool {
        matches!(error.downcast_ref(), Some(Self::Refused { status, .. }) if *status == wanted.as_u16())
    }
}

impl From<ApiError> for CallError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Unreachable { url, why } => Self::Unreachable { url, why },
            ApiError::Foreign { url, what } => Self::Foreign { url, what },
            ApiError::Refused { status, name, detail } => {
                Self::Refused { status, sentence: refusal::reworded(&name, &detail) }
            }
        }
    }
}

/// The credential of an account, and the key that signs its webhooks.
pub(super) struct Credential {
    pub(super) sid: String,
    pub(super) token: String,
    /// The key that signs the account's webhooks.
    pub(super) signing_key: String,
}

impl Credential {
    /// Returns the dialect of the API that the account uses.
    pub(super) fn dialect(&self) -> Dialect {
        client::dialect_of(&self.sid)
    }

    /// Returns the path to the account's faxes.
    pub(super) fn faxes_path(&self) -> String {
        client::faxes_path(&self.sid)
    }
}

/// A client of one emulator and one of its accounts.
#[derive(Clone)]
pub(super) struct Client {
    calls: client::Client,
    /// The flags with which another command reaches the same account, with a leading space; empty if none are needed.
    flags: String,
}

/// A response whose body is still arriving.
pub(super) struct Stream(Opened);

impl Client {
    pub(super) fn new(target: &Target) -> anyhow::Result<Self> {
        Ok(Self::of(target.endpoint()?))
    }

    /// Creates a client of this endpoint.
    pub(super) fn of(Endpoint { url, account, control_token, flags }: Endpoint) -> Self {
        let endpoint = client::Endpoint { url, address: None, control_token };
        Self { calls: client::Client::new(endpoint, USER_AGENT, ANSWER_TIME_MAX).with_account(account), flags }
    }

    /// Returns a client of the same emulator for another account, or for all of them with `*`.
    pub(super) fn with_account(&self, account: &str) -> Self {
        Self { calls: self.calls.clone().with_account(Some(account.to_owned())), flags: self.flags.clone() }
    }

    /// Returns the emulator's URL, without a trailing slash.
    pub(super) fn base(&self) -> &str {
        self.calls.base()
    }

    /// Returns the flags with which another command reaches the same account, with a leading space; empty if none are
    /// needed.
    pub(super) fn flags(&self) -> &str {
        &self.flags
    }

    /// Returns the token of the control API, if one was given.
    pub(super) fn control_token(&self) -> Option<&str> {
        self.calls.endpoint().control_token.as_deref()
    }

    /// Returns the address of a console page, such as `/faxes/FX…`, for the client's account.
    pub(super) fn console(&self, page: &str) -> String {
        let account = self.calls.account().map(|account| ("account", account));
        form::with_query(&format!("{}/console{page}", self.base()), account.as_slice())
    }

    /// Calls the control API and parses the response. Pairs of `query` without a value are left out.
    pub(super) async fn control(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Option<Body>,
    ) -> anyhow::Result<Value> {
        let reply = self.calls.control(method, path, &given(query), body).await.map_err(CallError::from)?;
        Ok(reply.json().map_err(CallError::from)?)
    }

    /// Opens a stream of the control API's events or requests.
    pub(super) async fn stream(&self, path: &str, query: &[(&str, Option<String>)]) -> anyhow::Result<Stream> {
        Ok(Stream(self.calls.stream(path, &given(query)).await.map_err(CallError::from)?))
    }

    /// Gets a plain-text resource from the control API.
    pub(super) async fn text(&self, path: &str) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&self.file(path, &[]).await?).into_owned())
    }

    /// Gets a resource of the control API that isn't JSON.
    pub(super) async fn file(&self, path: &str, query: &[(&str, Option<String>)]) -> anyhow::Result<Bytes> {
        Ok(self.calls.control("GET", path, &given(query), None).await.map_err(CallError::from)?.bytes)
    }

    /// Calls the REST API with a form and parses the response.
    pub(super) async fn rest(
        &self,
        method: &str,
        target: &str,
        credential: &Credential,
        form: Option<String>,
    ) -> anyhow::Result<Value> {
        let account = (credential.sid.as_str(), credential.token.as_str());
        let reply = self.calls.rest(method, target, account, form).await.map_err(CallError::from)?;
        Ok(reply.json().map_err(CallError::from)?)
    }

    /// Gets a resource from the REST API; `None` if it doesn't exist.
    pub(super) async fn rest_if_there(&self, target: &str, credential: &Credential) -> anyhow::Result<Option<Value>> {
        if_there(self.rest("GET", target, credential, None).await)
    }

    /// Gets a fax from the control API; `None` if it doesn't exist.
    pub(super) async fn fax_if_there(&self, sid: &str) -> anyhow::Result<Option<Value>> {
        if_there(self.control("GET", &format!("/faxes/{sid}"), &[], None).await)
    }

    /// Checks that the emulator is ready: it responds, isn't stopping, and has no broken worlds.
    pub(super) async fn is_ready(&self) -> anyhow::Result<()> {
        let reply = self.calls.clone().within(HEALTH_TIME_MAX).path("/readyz").await.map_err(CallError::from)?;
        if reply.bytes.trim_ascii() == b"ok" { Ok(()) } else { Err(CallError::from(reply.foreign()).into()) }
    }

    /// Reads the selected account's credential from the control API.
    pub(super) async fn credential(&self) -> anyhow::Result<Credential> {
        let sid = self.account_sid().await?;
        let account = self.control("GET", &format!("/accounts/{sid}"), &[], None).await?;
        let token = account["auth_token"]
            .as_str()
            .context("this account has no token yet, because no client has signed in to it")?
            .to_owned();
        let signing_key = account["signing_key"].as_str().unwrap_or(&token).to_owned();
        Ok(Credential { sid, token, signing_key })
    }

    /// Returns the SID of the selected account.
    pub(super) async fn account_sid(&self) -> anyhow::Result<String> {
        if let Some(account) = self.calls.account() {
            return Ok(account.to_owned());
        }
        let health = self.control("GET", "/health", &[], None).await?;
        Ok(health["default_account"].as_str().context("the emulator didn't report a default account")?.to_owned())
    }
}

impl Stream {
    /// Returns the next chunk of the body, or `None` at the end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        while let Some(frame) = self.0.response.body_mut().frame().await {
            if let Ok(data) = frame.context("the emulator has closed the connection")?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

/// Returns the pairs of a query that have a value.
fn given<'a>(query: &'a [(&'a str, Option<String>)]) -> Vec<(&'a str, &'a str)> {
    query.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect()
}

/// Returns the result of a call for something that may not exist.
fn if_there(result: anyhow::Result<Value>) -> anyhow::Result<Option<Value>> {
    match result {
        Err(error) if CallError::is_status(&error, StatusCode::NOT_FOUND) => Ok(None),
        result => result.map(Some),
    }
}

/// Runs a subcommand's async work on a single-threaded runtime.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
