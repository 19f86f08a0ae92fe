//! The emulator's APIs, as the checks and scenarios call them: about one account, and mostly with JSON.

use std::time::Duration;

use serde_json::Value;

use crate::client::{ApiError, Client, Endpoint};
use crate::dialect::form;

/// The time limit for a response. The longest calls move a frozen clock while the app responds.
const CALL_TIME_MAX: Duration = Duration::from_secs(120);
/// The value of the User-Agent header.
const USER_AGENT: &str = concat!("fauxfax/", env!("CARGO_PKG_VERSION"), " (check)");

/// A client of one account of an emulator.
#[derive(Debug, Clone)]
pub(crate) struct Api(Client);

impl Api {
    /// Creates a client for the default account.
    pub(crate) const fn new(endpoint: Endpoint) -> Self {
        Self(Client::new(endpoint, USER_AGENT, CALL_TIME_MAX))
    }

    pub(crate) fn with_account(self, account: &str) -> Self {
        Self(self.0.with_account(Some(account.to_owned())))
    }

    /// Returns the emulator's URL, without a trailing slash.
    pub(super) fn base(&self) -> &str {
        self.0.base()
    }

    /// Reads something from the control API.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, ApiError> {
        self.control("GET", path, query, None).await
    }

    /// Posts something to the control API.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.control("POST", path, &[], Some(body)).await
    }

    /// Calls the control API.
    pub(crate) async fn control(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        self.0.control(method, path, query, body.map(Into::into)).await?.json()
    }

    /// Posts a form to a REST API, as the account.
    pub(crate) async fn rest(
        &self,
        path: &str,
        credential: (&str, &str),
        pairs: &[(&str, &str)],
    ) -> Result<Value, ApiError> {
        self.0.rest("POST", path, credential, Some(form::encode(pairs))).await?.json()
    }
}
