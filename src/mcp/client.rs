//! The client of the emulator's public control and REST APIs, for one account. It never retries a call; dropping a call ends its
//! connection.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, StatusCode, header};
use serde_json::Value;
use tokio::time::timeout;
use url::Position;

use super::error::ToolError;
use crate::check::{ApiError, Endpoint};
use crate::dialect::form;
use crate::http::control::BASE;
use crate::io::connect::reach;
use crate::io::multipart::Multipart;
use crate::io::plain;
use crate::model::account::Dialect;

/// The longest time that a tool waits for a fax, in seconds.
pub(super) const WAIT_MAX_S: u64 = 300;
/// The time limit for a response: more than the longest wait.
const CALL_TIME_MAX: Duration = Duration::from_secs(WAIT_MAX_S + 30);
/// The size of the largest response that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The time limit for finding out whether an emulator answers.
const PROBE_TIME_MAX: Duration = Duration::from_secs(3);
/// The value of the User-Agent header.
const USER_AGENT: &str = concat!("fauxfax/", env!("CARGO_PKG_VERSION"), " (mcp)");
/// The prefix of a control API error's type.
const PROBLEM: &str = "urn:fauxfax:problem:";
/// The tokens of the built-in accounts consist of these characters. Any other token may be a secret.
const BUILT_IN_TOKEN: [char; 3] = ['P', 'T', '0'];

/// A request body with its content type.
pub(super) struct Body {
    kind: String,
    bytes: Bytes,
}

impl From<&Value> for Body {
    fn from(value: &Value) -> Self {
        Self { kind: "application/json".to_owned(), bytes: value.to_string().into() }
    }
}

impl From<Multipart> for Body {
    fn from(form: Multipart) -> Self {
        let (kind, bytes) = form.finish();
        Self { kind, bytes: bytes.into() }
    }
}

/// An account's credential and numbers.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) sid: String,
    token: Option<String>,
    /// The account as the control API shows it.
    pub(super) shown: Value,
}

impl Account {
    /// Returns the dialect of the API that the account uses.
    pub(super) fn dialect(&self) -> Dialect {
        self.sid.parse().map_or(Dialect::Twilio, Dialect::of)
    }

    /// Returns the token if it is a built-in account's, which is no secret.
    pub(super) fn public_token(&self) -> Option<&str> {
        self.token.as_deref().filter(|token| token.chars().all(|character| BUILT_IN_TOKEN.contains(&character)))
    }

    /// Returns the account's numbers, as the control API shows them.
    pub(super) fn numbers(&self) -> &[Value] {
        self.shown["numbers"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the path of the account's faxes in the REST API.
    pub(super) fn faxes_path(&self) -> String {
        match self.dialect() {
            Dialect::Twilio => "/v1/Faxes".to_owned(),
            Dialect::SignalWire => format!("/api/laml/2010-04-01/Accounts/{}/Faxes", self.sid),
        }
    }
}

/// A client of an emulator, for one of its accounts.
#[derive(Debug, Clone)]
pub(super) struct Client {
    endpoint: Endpoint,
    /// The base of links for the user, without a trailing slash.
    links: String,
    /// The account; the emulator's default account if left out.
    account: Option<String>,
}

impl Client {
    pub(super) fn new(endpoint: Endpoint, links: Option<&str>, account: Option<String>) -> Self {
        let links = links.unwrap_or(endpoint.url.as_str()).trim_end_matches('/').to_owned();
        Self { endpoint, links, account: account.filter(|account| !account.trim().is_empty()) }
    }

    /// Returns the emulator's address, as a program on this machine reaches it.
    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the emulator's URL for the user, without a trailing slash.
    pub(super) fn base(&self) -> &str {
        &self.links
    }

    /// Returns the emulator's URL as the emulator itself reaches it, without a trailing slash.
    pub(super) fn own_base(&self) -> &str {
        self.endpoint.url.as_str().trim_end_matches('/')
    }

    /// Returns the account that calls are about, if one was named.
    pub(super) fn account_name(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Returns the address of a console page, such as `/faxes/FX…`.
    pub(super) fn console(&self, page: &str) -> String {
        let account = self.account.as_ref().map(|account| ("account", account.as_str()));
        form::with_query(&format!("{}/console{page}", self.links), account.as_slice())
    }

    /// Returns whether an emulator answers, even if it needs a token. Fails if another program answers.
    pub(super) async fn answers(&self, patience: Duration) -> Result<bool, ApiError> {
        match timeout(patience, self.get("/health", &[])).await {
            Ok(Ok(_) | Err(ApiError::Refused { .. })) => Ok(true),
            Ok(Err(ApiError::Unreachable { .. })) => Ok(false),
            Ok(Err(foreign @ ApiError::Foreign { .. })) => Err(foreign),
            Err(_) => Err(self.unreachable(&format!("no response within {} s", patience.as_secs()))),
        }
    }

    /// Reads something from the control API. Pairs of `query` without a value are left out.
    pub(super) async fn get(&self, path: &str, query: &[(&str, Option<String>)]) -> Result<Value, ApiError> {
        self.control("GET", path, query, None).await
    }

    /// Posts something to the control API.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.control("POST", path, &[], Some(body.into())).await
    }

    /// Calls the control API.
    pub(super) async fn control(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Option<Body>,
    ) -> Result<Value, ApiError> {
        let (status, bytes) = self.control_call(method, path, query, body).await?;
        self.read(status, &bytes)
    }

    /// Gets a resource of the control API that isn't JSON.
    pub(super) async fn file(&self, path: &str, query: &[(&str, Option<String>)]) -> Result<Bytes, ApiError> {
        let (status, bytes) = self.control_call("GET", path, query, None).await?;
        if status.is_success() { Ok(bytes) } else { Err(self.refusal(status, &bytes)) }
    }

    /// Reads the account from the control API.
    pub(super) async fn account(&self) -> Result<Account, ApiError> {
        let sid = match &self.account {
            Some(account) => account.clone(),
            None => self.get("/health", &[]).await?["default_account"].as_str().unwrap_or_default().to_owned(),
        };
        let shown = self.get(&format!("/accounts/{sid}"), &[]).await?;
        Ok(Account { sid, token: shown["auth_token"].as_str().map(ToOwned::to_owned), shown })
    }

    /// Calls the REST API with a form, as the account.
    pub(super) async fn rest(
        &self,
        account: &Account,
        method: &str,
        path: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Value, ToolError> {
        let Some(token) = &account.token else { return Err(ToolError::unclaimed(&account.sid)) };
        let basic = STANDARD.encode(format!("{}:{token}", account.sid));
        let body = Body { kind: "application/x-www-form-urlencoded".to_owned(), bytes: form::encode(pairs).into() };
        let (status, bytes) = self.call(method, path, Some(format!("Basic {basic}")), Some(body)).await?;
        Ok(self.read(status, &bytes)?)
    }

    async fn control_call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Option<Body>,
    ) -> Result<(StatusCode, Bytes), ApiError> {
        let account = [("account", self.account.clone())];
        let pairs: Vec<(&str, &str)> =
            query.iter().chain(&account).filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let bearer = self.endpoint.control_token.as_ref().map(|token| format!("Bearer {token}"));
        self.call(method, &form::with_query(&format!("{BASE}{path}"), &pairs), bearer, body).await
    }

    async fn call(
        &self,
        method: &str,
        target: &str,
        authorization: Option<String>,
        body: Option<Body>,
    ) -> Result<(StatusCode, Bytes), ApiError> {
        let whole = async {
            let request = self.request(method, target, authorization, body)?;
            let url = &self.endpoint.url;
            let stream = reach(url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80)).await;
            let stream = stream.map_err(|failure| self.unreachable(&failure.to_string()))?;
            let opened = plain::send(stream, request).await.map_err(|error| self.unreachable(&error.to_string()))?;
            let status = opened.response.status();
            let body = Limited::new(opened.response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| self.unreachable(&error.to_string()))?.to_bytes();
            Ok((status, body))
        };
        let late = || self.unreachable(&format!("no response within {} s", CALL_TIME_MAX.as_secs()));
        timeout(CALL_TIME_MAX, whole).await.map_err(|_| late())?
    }

    fn request(
        &self,
        method: &str,
        target: &str,
        authorization: Option<String>,
        body: Option<Body>,
    ) -> Result<Request<Full<Bytes>>, ApiError> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, &self.endpoint.url[Position::BeforeHost..Position::AfterPort])
            .header(header::USER_AGENT, USER_AGENT);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(body) = &body {
            request = request.header(header::CONTENT_TYPE, &body.kind);
        }
        let bytes = body.map(|body| body.bytes).unwrap_or_default();
        request.body(Full::new(bytes)).map_err(|error| self.unreachable(&error.to_string()))
    }

    /// Reads a response: JSON, or the reason for a refusal.
    fn read(&self, status: StatusCode, body: &[u8]) -> Result<Value, ApiError> {
        if !status.is_success() {
            return Err(self.refusal(status, body));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(body).map_err(|_| self.foreign(status))
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> ApiError {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let name = json["type"].as_str().and_then(|kind| kind.strip_prefix(PROBLEM));
        let detail = json["detail"].as_str().filter(|_| name.is_some()).map(ToOwned::to_owned);
        let detail = detail.or_else(|| {
            let code = json["code"].as_u64().map(|code| format!(" (error {code})")).unwrap_or_default();
            Some(format!("{}{code}", json["message"].as_str()?))
        });
        let Some(detail) = detail else { return self.foreign(status) };
        ApiError::Refused { status: status.as_u16(), name: name.unwrap_or_default().to_owned(), detail }
    }

    fn foreign(&self, status: StatusCode) -> ApiError {
        ApiError::Foreign { url: self.own_base().to_owned(), status: status.as_u16() }
    }

    fn unreachable(&self, why: &str) -> ApiError {
        ApiError::Unreachable { url: self.own_base().to_owned(), why: why.to_owned() }
    }
}

/// Returns whether an emulator answers at this address, even if it needs a token.
///
/// # Errors
/// Fails if another program answers there.
pub async fn answers(endpoint: &Endpoint) -> Result<bool, ApiError> {
    Client::new(endpoint.clone(), None, None).answers(PROBE_TIME_MAX).await
}
