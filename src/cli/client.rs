//! The HTTP client with which subcommands call a running emulator's public APIs, and the exit statuses for failed
//! calls. The client never retries a call.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode, header};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::refusal::{self, Api, Refusal};
pub(super) use super::target::{Endpoint, Target};
use crate::dialect::form;
use crate::http::control::BASE;
use crate::io::multipart::Multipart;
use crate::io::plain::{self, Opened};
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
/// The value of the User-Agent header.
const USER_AGENT: &str = concat!("fauxfax/", env!("CARGO_PKG_VERSION"));
/// The size of the largest response that is read, in bytes. A world's state is the largest response that the APIs send.
const ANSWER_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// The time limit for connecting. It suffices because the emulator is on this machine or near it.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// The time limit for a response. The longest calls move a frozen clock past the deadlines of many faxes.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(600);
/// The time limit for a health check.
const HEALTH_TIME_MAX: Duration = Duration::from_secs(10);
/// The maximum number of characters of a server's name that an error shows.
const SERVER_CHARS_MAX: usize = 60;
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

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
        /// The response's status, and the name in its `Server` header.
        what: String,
    },
    /// The emulator responded with status 4xx or 5xx.
    #[error("{}", .refusal.sentence)]
    Refused {
        /// The response's HTTP status.
        status: StatusCode,
        /// The reason given in the response body.
        refusal: Refusal,
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
            Self::Refused { status: StatusCode::REQUEST_TIMEOUT, .. } | Self::TimedOut(_) => {
                ExitCode::from(EXIT_TOO_LATE)
            }
            Self::Refused { .. } => ExitCode::FAILURE,
        }
    }

    /// Returns whether an error is the emulator's refusal with this status.
    pub(super) fn is_status(error: &anyhow::Error, wanted: StatusCode) -> bool {
        matches!(error.downcast_ref(), Some(Self::Refused { status, .. }) if *status == wanted)
    }
}

/// A request body and its content type.
pub(super) struct Body {
    kind: String,
    bytes: Bytes,
}

impl Body {
    /// Creates a body from a string that is already JSON.
    pub(super) fn json(text: impl Into<Bytes>) -> Self {
        Self { kind: JSON.to_owned(), bytes: text.into() }
    }
}

impl From<Multipart> for Body {
    fn from(body: Multipart) -> Self {
        let (kind, bytes) = body.finish();
        Self { kind, bytes: bytes.into() }
    }
}

impl From<&Value> for Body {
    fn from(value: &Value) -> Self {
        Self::json(value.to_string())
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
        self.sid.parse().map_or(Dialect::Twilio, Dialect::of)
    }

    /// Returns the path to the account's faxes.
    pub(super) fn faxes_path(&self) -> String {
        match self.dialect() {
            Dialect::Twilio => "/v1/Faxes".to_owned(),
            Dialect::SignalWire => format!("/api/laml/2010-04-01/Accounts/{}/Faxes", self.sid),
        }
    }
}

/// A client of one emulator and one of its accounts.
#[derive(Clone)]
pub(super) struct Client(Endpoint);

/// A response whose body is still arriving.
pub(super) struct Stream(Opened);

impl Client {
    pub(super) fn new(target: &Target) -> anyhow::Result<Self> {
        Ok(Self(target.endpoint()?))
    }

    /// Creates a client of this endpoint.
    pub(super) const fn of(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }

    /// Returns a client of the same emulator for another account, or for all of them with `*`.
    pub(super) fn with_account(&self, account: &str) -> Self {
        Self(Endpoint { account: Some(account.to_owned()), ..self.0.clone() })
    }

    /// Returns the emulator's URL, without a trailing slash.
    pub(super) fn base(&self) -> &str {
        self.0.url.as_str().trim_end_matches('/')
    }

    /// Returns the flags with which another command reaches the same account, with a leading space; empty if none are
    /// needed.
    pub(super) fn flags(&self) -> &str {
        &self.0.flags
    }

    /// Returns the token of the control API, if one was given.
    pub(super) fn control_token(&self) -> Option<&str> {
        self.0.control_token.as_deref()
    }

    /// Returns the address of a console page, such as `/faxes/FX…`, for the client's account.
    pub(super) fn console(&self, page: &str) -> String {
        let address = format!("{}/console{page}", self.base());
        match &self.0.account {
            Some(account) => form::with_query(&address, &[("account", account.as_str())]),
            None => address,
        }
    }

    /// Calls the control API and parses the response. Pairs of `query` without a value are left out.
    pub(super) async fn control(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Option<Body>,
    ) -> anyhow::Result<Value> {
        let request = self.control_request(method, path, query, body)?;
        let (status, server, bytes) = self.whole(Api::Control, request, ANSWER_TIME_MAX).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        // Every response of the control API that isn't empty is JSON.
        serde_json::from_slice(&bytes).map_err(|_| self.foreign(status, server).into())
    }

    /// Opens a stream of the control API's events or requests.
    pub(super) async fn stream(&self, path: &str, query: &[(&str, Option<String>)]) -> anyhow::Result<Stream> {
        let mut request = self.control_request("GET", path, query, None)?;
        request.headers_mut().insert(header::ACCEPT, header::HeaderValue::from_static("text/event-stream"));
        let stream = self.accepted(Api::Control, request).await?;
        let kind = stream.0.response.headers().get(header::CONTENT_TYPE);
        if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            return Ok(stream);
        }
        Err(self.foreign(stream.0.response.status(), server_of(&stream.0.response)).into())
    }

    /// Gets a plain-text resource from the control API.
    pub(super) async fn text(&self, path: &str) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&self.file(path, &[]).await?).into_owned())
    }

    /// Gets a resource of the control API that isn't JSON.
    pub(super) async fn file(&self, path: &str, query: &[(&str, Option<String>)]) -> anyhow::Result<Bytes> {
        let request = self.control_request("GET", path, query, None)?;
        Ok(self.whole(Api::Control, request, ANSWER_TIME_MAX).await?.2)
    }

    /// Calls the REST API with a form and parses the response.
    pub(super) async fn rest(
        &self,
        method: &str,
        target: &str,
        credential: &Credential,
        form: Option<String>,
    ) -> anyhow::Result<Value> {
        let basic = STANDARD.encode(format!("{}:{}", credential.sid, credential.token));
        let body = form.map(|form| Body { kind: FORM.to_owned(), bytes: form.into() });
        let request = self.request(method, target, Some(format!("Basic {basic}")), body)?;
        let (status, server, bytes) = self.whole(Api::Rest, request, ANSWER_TIME_MAX).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|_| self.foreign(status, server).into())
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
        let request = self.request("GET", "/readyz", None, None)?;
        let (status, server, text) = self.whole(Api::Control, request, HEALTH_TIME_MAX).await?;
        if text.trim_ascii() == b"ok" { Ok(()) } else { Err(self.foreign(status, server).into()) }
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
        if let Some(account) = &self.0.account {
            return Ok(account.clone());
        }
        let health = self.control("GET", "/health", &[], None).await?;
        Ok(health["default_account"].as_str().context("the emulator didn't report a default account")?.to_owned())
    }

    fn control_request(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Option<Body>,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let account = [("account", self.0.account.clone())];
        let pairs: Vec<(&str, &str)> =
            query.iter().chain(&account).filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let bearer = self.0.control_token.as_ref().map(|token| format!("Bearer {token}"));
        self.request(method, &form::with_query(&format!("{BASE}{path}"), &pairs), bearer, body)
    }

    fn request(
        &self,
        method: &str,
        target: &str,
        authorization: Option<String>,
        body: Option<Body>,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        // hyper's connections don't add a Host header.
        let authority = &self.0.url[url::Position::BeforeHost..url::Position::AfterPort];
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, authority)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, JSON);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(body) = &body {
            request = request.header(header::CONTENT_TYPE, &body.kind);
        }
        Ok(request.body(Full::new(body.map(|body| body.bytes).unwrap_or_default()))?)
    }

    /// Makes a request and reads the whole body. A response with status 4xx or 5xx is an error. Also returns the status
    /// and the name in the `Server` header.
    async fn whole(
        &self,
        api: Api,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> anyhow::Result<(StatusCode, Option<String>, Bytes)> {
        let whole = async {
            let stream = self.accepted(api, request).await?;
            let (status, server) = (stream.0.response.status(), server_of(&stream.0.response));
            let body = Limited::new(stream.0.response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map(http_body_util::Collected::to_bytes).map_err(|error| self.unreachable(&*error))?;
            Ok::<_, CallError>((status, server, body))
        };
        Ok(timeout(limit, whole).await.map_err(|_| self.silent(limit))??)
    }

    /// Makes a request and returns the response without waiting for the body. A response with status 4xx or 5xx is an
    /// error.
    async fn accepted(&self, api: Api, request: Request<Full<Bytes>>) -> Result<Stream, CallError> {
        // A URL has brackets around an IPv6 address, but `connect` expects none.
        let host = self.0.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.0.url.port_or_known_default().unwrap_or(80);
        let connecting = timeout(CONNECT_TIME_MAX, TcpStream::connect((host, port))).await;
        let tcp = connecting.map_err(|_| self.silent(CONNECT_TIME_MAX))?.map_err(|error| self.unreachable(&error))?;
        let opened = match plain::send(tcp, request).await {
            Ok(opened) => opened,
            Err(error) if error.is_parse() => {
                return Err(CallError::Foreign { url: self.base().to_owned(), what: "no HTTP".to_owned() });
            }
            Err(error) => return Err(self.unreachable(&error)),
        };
        let (status, server) = (opened.response.status(), server_of(&opened.response));
        if status.is_success() {
            return Ok(Stream(opened));
        }
        let body = Limited::new(opened.response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        match refusal::read(api, status, &body) {
            Some(refusal) if !status.is_redirection() => Err(CallError::Refused { status, refusal }),
            _ => Err(self.foreign(status, server)),
        }
    }

    fn foreign(&self, status: StatusCode, server: Option<String>) -> CallError {
        let from = server.map(|server| format!(" from {server}")).unwrap_or_default();
        CallError::Foreign { url: self.base().to_owned(), what: format!("{}{from}", status.as_u16()) }
    }

    fn unreachable(&self, why: &dyn std::error::Error) -> CallError {
        // hyper's error wraps the system's, whose message says the most.
        let mut end = why;
        while let Some(source) = end.source() {
            end = source;
        }
        CallError::Unreachable { url: self.base().to_owned(), why: end.to_string() }
    }

    fn silent(&self, limit: Duration) -> CallError {
        let why = format!("no response within {} s", limit.as_secs());
        CallError::Unreachable { url: self.base().to_owned(), why }
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

/// Returns the name in a response's `Server` header, which the emulator doesn't send.
fn server_of(response: &Response<Incoming>) -> Option<String> {
    let name = response.headers().get(header::SERVER)?.to_str().ok()?;
    Some(name.chars().take(SERVER_CHARS_MAX).collect())
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
