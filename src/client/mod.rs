//! The HTTP client of a running emulator's public APIs, for whatever drives an emulator from outside: the command line,
//! the checks of an app, scenarios, and the tools for assistants. It never retries a call, and a call that is dropped
//! ends its connection.

mod error;

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode, header};
use serde_json::Value;
use tokio::time::timeout;
use url::{Position, Url};

pub use self::error::ApiError;
use self::error::{Api, refusal};
use crate::dialect::form;
use crate::io::connect::reach;
use crate::io::multipart::Multipart;
use crate::io::own::CONTROL_BASE;
use crate::io::plain::{self, Opened};
use crate::model::account::Dialect;

/// The size of the largest response that is read, in bytes. A world's state is the largest response that the APIs send.
const RESPONSE_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// The maximum number of characters of a server's name that an error shows.
const SERVER_CHARS_MAX: usize = 60;
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// An emulator to drive.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The emulator's URL, without a path, as the app reaches it.
    pub url: Url,
    /// Where to connect instead of the URL's host, if this program doesn't reach the emulator as the app does.
    pub address: Option<SocketAddr>,
    /// The token of the control API, if it needs one.
    pub control_token: Option<String>,
}

/// A request body with its content type.
pub(crate) struct Body {
    kind: String,
    bytes: Bytes,
}

/// A client of one emulator, for one of its accounts.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    endpoint: Endpoint,
    /// The account that calls of the control API are about; the emulator's default account if left out.
    account: Option<String>,
    user_agent: &'static str,
    /// The time limit for a response.
    patience: Duration,
}

/// A response with a status of 2xx.
pub(crate) struct Reply {
    url: String,
    status: StatusCode,
    /// The name in the `Server` header, which the emulator doesn't send.
    server: Option<String>,
    pub(crate) bytes: Bytes,
}

impl Client {
    /// Creates a client that names itself as `user_agent` and gives up a call after `patience`.
    pub(crate) const fn new(endpoint: Endpoint, user_agent: &'static str, patience: Duration) -> Self {
        Self { endpoint, account: None, user_agent, patience }
    }

    /// Returns a client of the same emulator for this account; `*` means all accounts, and a blank the default one.
    pub(crate) fn with_account(self, account: Option<String>) -> Self {
        Self { account: account.filter(|account| !account.trim().is_empty()), ..self }
    }

    /// Returns the same client with another time limit for responses.
    pub(crate) const fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns the emulator that is called.
    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the account that calls are about, if one was named.
    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Returns the emulator's URL, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        self.endpoint.url.as_str().trim_end_matches('/')
    }

    /// Calls the control API.
    pub(crate) async fn control(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Body>,
    ) -> Result<Reply, ApiError> {
        let request = self.control_request(method, path, query, body)?;
        self.whole(Api::Control, request).await
    }

    /// Opens a stream of events of the control API.
    pub(crate) async fn stream(&self, path: &str, query: &[(&str, &str)]) -> Result<Opened, ApiError> {
        let mut request = self.control_request("GET", path, query, None)?;
        request.headers_mut().insert(header::ACCEPT, header::HeaderValue::from_static("text/event-stream"));
        let opened = self.in_time(self.accepted(Api::Control, request)).await?;
        let kind = opened.response.headers().get(header::CONTENT_TYPE);
        if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            return Ok(opened);
        }
        Err(ApiError::foreign(self.base(), opened.response.status(), server_of(&opened.response).as_deref()))
    }

    /// Calls a REST API as the account with this SID and token. `form` is the body, already encoded.
    pub(crate) async fn rest(
        &self,
        method: &str,
        target: &str,
        (sid, token): (&str, &str),
        form: Option<String>,
    ) -> Result<Reply, ApiError> {
        let basic = format!("Basic {}", STANDARD.encode(format!("{sid}:{token}")));
        let body = form.map(|form| Body { kind: FORM.to_owned(), bytes: form.into() });
        self.whole(Api::Rest, self.request(method, target, Some(basic), body)?).await
    }

    /// Gets a path of the emulator that belongs to no API, such as `/readyz`.
    pub(crate) async fn path(&self, path: &str) -> Result<Reply, ApiError> {
        self.whole(Api::Control, self.request("GET", path, None, None)?).await
    }

    fn control_request(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Body>,
    ) -> Result<Request<Full<Bytes>>, ApiError> {
        let account = self.account().map(|account| ("account", account));
        let pairs: Vec<(&str, &str)> = query.iter().copied().chain(account).collect();
        let bearer = self.endpoint.control_token.as_ref().map(|token| format!("Bearer {token}"));
        self.request(method, &form::with_query(&format!("{CONTROL_BASE}{path}"), &pairs), bearer, body)
    }

    fn request(
        &self,
        method: &str,
        target: &str,
        authorization: Option<String>,
        body: Option<Body>,
    ) -> Result<Request<Full<Bytes>>, ApiError> {
        // hyper's connections don't add a Host header.
        let authority = &self.endpoint.url[Position::BeforeHost..Position::AfterPort];
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, authority)
            .header(header::USER_AGENT, self.user_agent)
            .header(header::ACCEPT, JSON);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(body) = &body {
            request = request.header(header::CONTENT_TYPE, &body.kind);
        }
        let bytes = body.map(|body| body.bytes).unwrap_or_default();
        request.body(Full::new(bytes)).map_err(|error| ApiError::unreachable(self.base(), &error))
    }

    async fn whole(&self, api: Api, request: Request<Full<Bytes>>) -> Result<Reply, ApiError> {
        self.in_time(async {
            let opened = self.accepted(api, request).await?;
            let (status, server) = (opened.response.status(), server_of(&opened.response));
            let body = Limited::new(opened.response.into_body(), RESPONSE_BYTES_MAX).collect().await;
            let bytes = body.map_err(|error| ApiError::unreachable(self.base(), &*error))?.to_bytes();
            Ok(Reply { url: self.base().to_owned(), status, server, bytes })
        })
        .await
    }

    /// Makes a request and returns the response without waiting for the body. A status outside 2xx is an error.
    async fn accepted(&self, api: Api, request: Request<Full<Bytes>>) -> Result<Opened, ApiError> {
        let url = &self.endpoint.url;
        let stream = match self.endpoint.address {
            Some(address) => reach(&address.ip().to_string(), address.port()).await,
            None => reach(url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80)).await,
        };
        let stream = stream.map_err(|failure| self.unreachable(failure.to_string()))?;
        let opened = match plain::send(stream, request).await {
            Ok(opened) => opened,
            Err(error) if error.is_parse() => {
                return Err(ApiError::Foreign { url: self.base().to_owned(), what: "no HTTP".to_owned() });
            }
            Err(error) => return Err(ApiError::unreachable(self.base(), &error)),
        };
        let (status, server) = (opened.response.status(), server_of(&opened.response));
        if status.is_success() {
            return Ok(opened);
        }
        let body = Limited::new(opened.response.into_body(), RESPONSE_BYTES_MAX).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let refused = refusal(api, status, &body).filter(|_| !status.is_redirection());
        Err(refused.unwrap_or_else(|| ApiError::foreign(self.base(), status, server.as_deref())))
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        let late = || self.unreachable(format!("no response within {} s", self.patience.as_secs()));
        timeout(self.patience, call).await.map_err(|_| late())?
    }

    fn unreachable(&self, why: String) -> ApiError {
        ApiError::Unreachable { url: self.base().to_owned(), why }
    }
}

impl Reply {
    /// Parses the body, which is `null` if it is empty. Every response of the APIs that isn't a file is JSON.
    pub(crate) fn json(self) -> Result<Value, ApiError> {
        if self.bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.bytes).map_err(|_| self.foreign())
    }

    /// Returns the error that this response doesn't come from an emulator.
    pub(crate) fn foreign(&self) -> ApiError {
        ApiError::foreign(&self.url, self.status, self.server.as_deref())
    }
}

impl Body {
    /// Creates a body from a text that is already JSON.
    pub(crate) fn json(text: impl Into<Bytes>) -> Self {
        Self { kind: JSON.to_owned(), bytes: text.into() }
    }
}

impl From<&Value> for Body {
    fn from(value: &Value) -> Self {
        Self::json(value.to_string())
    }
}

impl From<Multipart> for Body {
    fn from(form: Multipart) -> Self {
        let (kind, bytes) = form.finish();
        Self { kind, bytes: bytes.into() }
    }
}

/// Returns the dialect of the API that the account with this SID uses.
pub(crate) fn dialect_of(sid: &str) -> Dialect {
    sid.parse().map_or(Dialect::Twilio, Dialect::of)
}

/// Returns the path of an account's faxes in its REST API.
pub(crate) fn faxes_path(sid: &str) -> String {
    match dialect_of(sid) {
        Dialect::Twilio => "/v1/Faxes".to_owned(),
        Dialect::SignalWire => format!("/api/laml/2010-04-01/Accounts/{sid}/Faxes"),
    }
}

fn server_of(response: &Response<Incoming>) -> Option<String> {
    let name = response.headers().get(header::SERVER)?.to_str().ok()?;
    Some(name.chars().take(SERVER_CHARS_MAX).collect())
}
