//! The HTTP client with which subcommands call a running emulator's public APIs, and the exit statuses for failed
//! calls. The client never retries a call.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use crate::dialect::form;
use crate::http::control::BASE;
use crate::io::multipart::Multipart;
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
/// The URL of an emulator that was started without options.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:8329";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// The emulator to call, and the account.
#[derive(Debug, Clone, Args)]
pub(super) struct Target {
    /// URL of the running emulator
    #[arg(
        long,
        env = "FAUXFAX_URL",
        hide_env_values = true,
        default_value = DEFAULT_URL,
        value_name = "URL"
    )]
    pub(super) url: String,
    /// AccountSid or SignalWire project id of the account to use; the emulator's default account if left out
    #[arg(long, env = "FAUXFAX_ACCOUNT", hide_env_values = true, value_name = "AC…|UUID")]
    pub(super) account: Option<String>,
    /// Token of the control API, if the emulator was started with --control-token
    #[arg(long, env = "FAUXFAX_CONTROL_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(super) control_token: Option<String>,
}

impl Target {
    /// Creates a target for the default account of the emulator at this URL.
    pub(super) const fn at(url: String, control_token: Option<String>) -> Self {
        Self { url, account: None, control_token }
    }
}

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
    /// The emulator responded with status 4xx or 5xx.
    #[error("{reason} ({})", .status.as_u16())]
    Refused {
        /// The response's HTTP status.
        status: StatusCode,
        /// The reason given in the response body.
        reason: String,
    },
}

impl CallError {
    /// Returns the exit status of a subcommand that failed with this error.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unreachable { .. } => ExitCode::from(EXIT_UNREACHABLE),
            Self::Refused { status: StatusCode::REQUEST_TIMEOUT, .. } => ExitCode::from(EXIT_TOO_LATE),
            Self::Refused { .. } => ExitCode::FAILURE,
        }
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
pub(super) struct Client {
    base: Url,
    account: Option<String>,
    control_token: Option<String>,
}

/// A response whose body is still arriving.
pub(super) struct Stream {
    response: Response<Incoming>,
    /// The connection's task, which ends when the stream is dropped.
    _connection: JoinSet<hyper::Result<()>>,
}

impl Client {
    pub(super) fn new(target: &Target) -> anyhow::Result<Self> {
        let base = Url::parse(&target.url).with_context(|| format!("--url: {} is not a URL", target.url))?;
        // Plain HTTP suffices: the emulator accepts it on the same port as TLS.
        if base.scheme() != "http" || !base.has_host() {
            bail!("--url: the emulator's URL must begin with http://, but {} doesn't", target.url);
        }
        Ok(Self { base, account: target.account.clone(), control_token: target.control_token.clone() })
    }

    /// Returns the emulator's URL, without a trailing slash.
    pub(super) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Calls the control API and parses the response. Pairs of `query` without a value are left out.
    pub(super) async fn control(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Option<Body>,
    ) -> anyhow::Result<Value> {
        value(&self.whole(self.control_request(method, path, query, body)?, ANSWER_TIME_MAX).await?)
    }

    /// Opens the control API's event stream.
    pub(super) async fn events(&self, query: &[(&str, Option<String>)]) -> anyhow::Result<Stream> {
        let mut request = self.control_request("GET", "/events", query, None)?;
        request.headers_mut().insert(header::ACCEPT, header::HeaderValue::from_static("text/event-stream"));
        Ok(self.accepted(request).await?)
    }

    /// Gets a plain-text resource from the control API.
    pub(super) async fn text(&self, path: &str) -> anyhow::Result<String> {
        let bytes = self.whole(self.control_request("GET", path, &[], None)?, ANSWER_TIME_MAX).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
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
        value(&self.whole(request, ANSWER_TIME_MAX).await?)
    }

    /// Gets a resource from the REST API; `None` if it doesn't exist.
    pub(super) async fn rest_if_there(&self, target: &str, credential: &Credential) -> anyhow::Result<Option<Value>> {
        match self.rest("GET", target, credential, None).await {
            Ok(value) => Ok(Some(value)),
            Err(error) => match error.downcast_ref() {
                Some(CallError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Checks that the emulator is ready: it responds, isn't stopping, and has no broken worlds.
    pub(super) async fn is_ready(&self) -> anyhow::Result<()> {
        self.whole(self.request("GET", "/readyz", None, None)?, HEALTH_TIME_MAX).await?;
        Ok(())
    }

    /// Reads the selected account's credential from the control API.
    pub(super) async fn credential(&self) -> anyhow::Result<Credential> {
        let health = self.control("GET", "/health", &[], None).await?;
        let sid = match &self.account {
            Some(account) => account.clone(),
            None => {
                health["default_account"].as_str().context("the emulator didn't report a default account")?.to_owned()
            }
        };
        let account = self.control("GET", &format!("/accounts/{sid}"), &[], None).await?;
        let token = account["auth_token"]
            .as_str()
            .context("this account has no token yet, because no client has signed in to it")?
            .to_owned();
        let signing_key = account["signing_key"].as_str().unwrap_or(&token).to_owned();
        Ok(Credential { sid, token, signing_key })
    }

    fn control_request(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Option<Body>,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let account = [("account", self.account.clone())];
        let pairs: Vec<(&str, &str)> =
            query.iter().chain(&account).filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let bearer = self.control_token.as_ref().map(|token| format!("Bearer {token}"));
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
        let authority = &self.base[url::Position::BeforeHost..url::Position::AfterPort];
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

    /// Makes a request and reads the whole body. A response with status 4xx or 5xx is an error.
    async fn whole(&self, request: Request<Full<Bytes>>, limit: Duration) -> anyhow::Result<Bytes> {
        let whole = async {
            let stream = self.accepted(request).await?;
            let body = Limited::new(stream.response.into_body(), ANSWER_BYTES_MAX).collect().await;
            body.map(http_body_util::Collected::to_bytes).map_err(|error| self.unreachable(&*error))
        };
        Ok(timeout(limit, whole).await.map_err(|_| self.silent(limit))??)
    }

    /// Makes a request and returns the response without waiting for the body. A response with status 4xx or 5xx is an
    /// error.
    #[expect(clippy::disallowed_methods, reason = "a connection is a task of its own for as long as the call")]
    async fn accepted(&self, request: Request<Full<Bytes>>) -> Result<Stream, CallError> {
        // A URL has brackets around an IPv6 address, but `connect` expects none.
        let host = self.base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.base.port_or_known_default().unwrap_or(80);
        let connecting = timeout(CONNECT_TIME_MAX, TcpStream::connect((host, port))).await;
        let tcp = connecting.map_err(|_| self.silent(CONNECT_TIME_MAX))?.map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(tcp)).await.map_err(|error| self.unreachable(&error))?;
        // The set aborts the task when it is dropped together with the response.
        let mut running = JoinSet::new();
        running.spawn(connection);
        let response = sender.send_request(request).await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.as_u16() < 400 {
            return Ok(Stream { response, _connection: running });
        }
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Err(CallError::Refused { status, reason: reason_of(&body) })
    }

    fn unreachable(&self, why: &dyn std::error::Error) -> CallError {
        CallError::Unreachable { url: self.base.to_string(), why: why.to_string() }
    }

    fn silent(&self, limit: Duration) -> CallError {
        let why = format!("no response within {} s", limit.as_secs());
        CallError::Unreachable { url: self.base.to_string(), why }
    }
}

impl Stream {
    /// Returns the next chunk of the body, or `None` at the end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        while let Some(frame) = self.response.body_mut().frame().await {
            if let Ok(data) = frame.context("the emulator has closed the connection")?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

/// Parses a response as JSON. An empty body becomes null.
fn value(bytes: &[u8]) -> anyhow::Result<Value> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).context("the response is not JSON; is there an emulator at this URL?")
}

/// Returns the reason that an error response gives: the control API's `detail`, the REST API's `message`, or otherwise
/// the whole body.
fn reason_of(body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let told = problem["detail"].as_str().or(problem["message"].as_str()).map(ToOwned::to_owned);
    let text = || Some(String::from_utf8_lossy(body).trim().to_owned()).filter(|text| !text.is_empty());
    told.or_else(text).unwrap_or_else(|| "no reason was given".to_owned())
}

/// Runs a subcommand's async work on a single-threaded runtime.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
