//! A client of the emulator's public APIs, for one account. It never retries a call.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, header};
use serde_json::Value;
use tokio::time::timeout;
use url::{Position, Url};

use crate::dialect::form;
use crate::io::connect::reach;
use crate::io::own::CONTROL_BASE;
use crate::io::plain;

/// The time limit for a response. The longest calls move a frozen clock while the app takes its time.
const CALL_TIME_MAX: Duration = Duration::from_secs(120);
/// The size of the largest response that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The value of the User-Agent header.
const USER_AGENT: &str = concat!("fauxfax/", env!("CARGO_PKG_VERSION"), " (check)");
/// The prefix of a control API error's type.
const PROBLEM: &str = "urn:fauxfax:problem:";

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

/// The reason a call to the emulator failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// No emulator responded.
    #[error("can't reach an emulator at {url} ({why})")]
    Unreachable {
        /// The emulator's URL.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// Something other than an emulator responded.
    #[error("{url}: that is not a fauxfax emulator (status {status})")]
    Foreign {
        /// The URL.
        url: String,
        /// The status of the response.
        status: u16,
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

impl ApiError {
    /// Returns whether the emulator refused the call with this status.
    pub(crate) fn is_status(&self, wanted: u16) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == wanted)
    }
}

/// A client of one account of an emulator.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    endpoint: Endpoint,
    /// The account that calls are about. Empty until it is known.
    account: String,
}

impl Api {
    pub(crate) const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, account: String::new() }
    }

    pub(crate) fn with_account(self, account: &str) -> Self {
        Self { account: account.to_owned(), ..self }
    }

    /// Returns the emulator's URL, without a trailing slash.
    pub(super) fn base(&self) -> &str {
        self.endpoint.url.as_str().trim_end_matches('/')
    }

    /// Reads something from the control API.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, ApiError> {
        self.control("GET", path, query, None).await
    }

    /// Posts something to the control API.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.control("POST", path, &[], Some(body)).await
    }

    pub(crate) async fn control(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let account = Some(("account", self.account.as_str())).filter(|(_, account)| !account.is_empty());
        let pairs: Vec<(&str, &str)> = query.iter().copied().chain(account).collect();
        let bearer = self.endpoint.control_token.as_ref().map(|token| format!("Bearer {token}"));
        let body = body.map(|body| ("application/json", body.to_string()));
        self.call(method, &form::with_query(&format!("{CONTROL_BASE}{path}"), &pairs), bearer, body).await
    }

    /// Calls a REST API with a form, as the account.
    pub(crate) async fn rest(
        &self,
        path: &str,
        (user, password): (&str, &str),
        pairs: &[(&str, &str)],
    ) -> Result<Value, ApiError> {
        let basic = STANDARD.encode(format!("{user}:{password}"));
        let body = ("application/x-www-form-urlencoded", form::encode(pairs));
        self.call("POST", path, Some(format!("Basic {basic}")), Some(body)).await
    }

    async fn call(
        &self,
        method: &str,
        target: &str,
        authorization: Option<String>,
        body: Option<(&str, String)>,
    ) -> Result<Value, ApiError> {
        let whole = async {
            let request = self.request(method, target, authorization, body)?;
            let url = &self.endpoint.url;
            let stream = match self.endpoint.address {
                Some(address) => reach(&address.ip().to_string(), address.port()).await,
                None => reach(url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80)).await,
            };
            let stream = stream.map_err(|failure| self.unreachable(&failure.to_string()))?;
            let opened = plain::send(stream, request).await.map_err(|error| self.unreachable(&error.to_string()))?;
            let status = opened.response.status().as_u16();
            let body = Limited::new(opened.response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| self.unreachable(&error.to_string()))?.to_bytes();
            self.read(status, &body)
        };
        let late = || self.unreachable(&format!("no response within {} s", CALL_TIME_MAX.as_secs()));
        timeout(CALL_TIME_MAX, whole).await.map_err(|_| late())?
    }

    fn request(
        &self,
        method: &str,
        target: &str,
        authorization: Option<String>,
        body: Option<(&str, String)>,
    ) -> Result<Request<Full<Bytes>>, ApiError> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, &self.endpoint.url[Position::BeforeHost..Position::AfterPort])
            .header(header::USER_AGENT, USER_AGENT);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let (kind, body) = body.unwrap_or_default();
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        request.body(Full::new(body.into())).map_err(|error| self.unreachable(&error.to_string()))
    }

    /// Reads a response: JSON, or the reason for a refusal.
    fn read(&self, status: u16, body: &[u8]) -> Result<Value, ApiError> {
        let foreign = || ApiError::Foreign { url: self.base().to_owned(), status };
        if body.is_empty() && (200..300).contains(&status) {
            return Ok(Value::Null);
        }
        let json: Value = serde_json::from_slice(body).map_err(|_| foreign())?;
        if (200..300).contains(&status) {
            return Ok(json);
        }
        let name = json["type"].as_str().and_then(|kind| kind.strip_prefix(PROBLEM));
        let detail = json["detail"].as_str().filter(|_| name.is_some()).or(json["message"].as_str());
        let detail = detail.ok_or_else(foreign)?.to_owned();
        Err(ApiError::Refused { status, name: name.unwrap_or_default().to_owned(), detail })
    }

    fn unreachable(&self, why: &str) -> ApiError {
        ApiError::Unreachable { url: self.base().to_owned(), why: why.to_owned() }
    }
}
