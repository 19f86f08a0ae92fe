//! Calls the emulator's APIs for the tools, with the account that a tool names. Also builds the links that the user
//! follows.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::timeout;

use super::error::ToolError;
use crate::client::{self, ApiError, Body, Client as Calls, Endpoint};
use crate::dialect::form;
use crate::model::account::Dialect;

/// The longest time that a tool waits for a fax, in seconds.
pub(super) const WAIT_MAX_S: u64 = 300;
/// The time limit for a response: more than the longest wait.
const CALL_TIME_MAX: Duration = Duration::from_secs(WAIT_MAX_S + 30);
/// The time limit for finding out whether an emulator answers.
const PROBE_TIME_MAX: Duration = Duration::from_secs(3);
/// The value of the User-Agent header.
const USER_AGENT: &str = concat!("fauxfax/", env!("CARGO_PKG_VERSION"), " (mcp)");
/// The tokens of the built-in accounts consist of these characters. Any other token may be a secret.
const BUILT_IN_TOKEN: [char; 3] = ['P', 'T', '0'];

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
        client::dialect_of(&self.sid)
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
        client::faxes_path(&self.sid)
    }
}

/// A client of an emulator, for one of its accounts.
#[derive(Debug, Clone)]
pub(super) struct Client {
    calls: Calls,
    /// The base of links for the user, without a trailing slash.
    links: String,
}

impl Client {
    pub(super) fn new(endpoint: Endpoint, links: Option<&str>, account: Option<String>) -> Self {
        let links = links.unwrap_or(endpoint.url.as_str()).trim_end_matches('/').to_owned();
        Self { calls: Calls::new(endpoint, USER_AGENT, CALL_TIME_MAX).with_account(account), links }
    }

    /// Returns the emulator's URL and, if it differs, the address that this program connects to.
    pub(super) const fn endpoint(&self) -> &Endpoint {
        self.calls.endpoint()
    }

    /// Returns the emulator's URL for the user, without a trailing slash.
    pub(super) fn base(&self) -> &str {
        &self.links
    }

    /// Returns the emulator's URL as the emulator itself reaches it, without a trailing slash.
    pub(super) fn own_base(&self) -> &str {
        self.calls.base()
    }

    /// Returns the account that calls are about, if one was named.
    pub(super) fn account_name(&self) -> Option<&str> {
        self.calls.account()
    }

    /// Returns the address of a console page, such as `/faxes/FX…`.
    pub(super) fn console(&self, page: &str) -> String {
        let account = self.calls.account().map(|account| ("account", account));
        form::with_query(&format!("{}/console{page}", self.links), account.as_slice())
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
        self.calls.control(method, path, &given(query), body).await?.json()
    }

    /// Gets a resource of the control API that isn't JSON.
    pub(super) async fn file(&self, path: &str, query: &[(&str, Option<String>)]) -> Result<Bytes, ApiError> {
        Ok(self.calls.control("GET", path, &given(query), None).await?.bytes)
    }

    /// Reads the account from the control API.
    pub(super) async fn account(&self) -> Result<Account, ApiError> {
        let sid = match self.calls.account() {
            Some(account) => account.to_owned(),
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
        let reply = self.calls.rest(method, path, (&account.sid, token), Some(form::encode(pairs))).await?;
        Ok(reply.json()?)
    }
}

/// Returns the pairs of a query that have a value.
fn given<'a>(query: &'a [(&'a str, Option<String>)]) -> Vec<(&'a str, &'a str)> {
    query.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect()
}

/// Returns whether an emulator answers at this address, even if it needs a token.
///
/// # Errors
/// Fails if another program answers there, or if the one that listens there doesn't answer.
pub async fn answers(endpoint: &Endpoint) -> Result<bool, ApiError> {
    let calls = Calls::new(endpoint.clone(), USER_AGENT, CALL_TIME_MAX);
    let health = async { calls.control("GET", "/health", &[], None).await?.json() };
    match timeout(PROBE_TIME_MAX, health).await {
        Ok(Ok(_) | Err(ApiError::Refused { .. })) => Ok(true),
        Ok(Err(ApiError::Unreachable { .. })) => Ok(false),
        Ok(Err(foreign @ ApiError::Foreign { .. })) => Err(foreign),
        // Something listens there, so no other emulator can be started at the address.
        Err(_) => {
            let why = format!("no response within {} s", PROBE_TIME_MAX.as_secs());
            Err(ApiError::Unreachable { url: calls.base().to_owned(), why })
        }
    }
}
