//! A client of a running emulator's public APIs, for the subcommands. It retries nothing and hides no refusal.

use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::Args;
use serde_json::Value;

use crate::http::control::BASE;
use crate::io::client::{Client, ClientOptions, Limits, Outcome, Request};
use crate::model::webhook::Method;

/// What the thin clients call themselves.
pub(super) const USER_AGENT: &str = concat!("fauxfax/", env!("CARGO_PKG_VERSION"));
/// Beyond any answer of the APIs.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How much longer than the emulator itself waits a client waits for its answer.
const SLACK: Duration = Duration::from_secs(10);

/// Where the emulator is, and which of its accounts is meant.
#[derive(Debug, Clone, Args)]
pub(super) struct Target {
    /// The running emulator
    #[arg(
        long,
        env = "FAUXFAX_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8329",
        value_name = "URL"
    )]
    pub(super) url: String,
    /// The account; the emulator's default account where none is given
    #[arg(long, env = "FAUXFAX_ACCOUNT", hide_env_values = true, value_name = "AC…")]
    pub(super) account: Option<String>,
    /// The token that guards the emulator's control API, where one does
    #[arg(long, env = "FAUXFAX_CONTROL_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(super) control_token: Option<String>,
}

impl Target {
    /// The default account of the emulator at this URL.
    pub(super) const fn at(url: String, control_token: Option<String>) -> Self {
        Self { url, account: None, control_token }
    }
}

/// A client of one emulator.
pub(super) struct Api {
    client: Client,
    base: String,
    account: Option<String>,
    control_token: Option<String>,
}

/// An account's credential.
pub(super) struct Credential {
    pub(super) sid: String,
    pub(super) token: String,
}

impl Api {
    pub(super) fn new(target: &Target) -> anyhow::Result<Self> {
        let client = Client::new(&ClientOptions { user_agent: Some(USER_AGENT), ..ClientOptions::default() })?;
        let base = target.url.trim_end_matches('/').to_owned();
        Ok(Self { client, base, account: target.account.clone(), control_token: target.control_token.clone() })
    }

    /// Calls the control API; `query` begins with a name, not with `?`.
    pub(super) async fn control(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: Option<(&str, Bytes)>,
        patience: Duration,
    ) -> anyhow::Result<Value> {
        let account = self.account.as_ref().map(|account| format!("account={account}")).unwrap_or_default();
        let query = [query, &account].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("&");
        let url = format!("{}{BASE}{path}?{query}", self.base);
        self.call(method, url.trim_end_matches('?'), None, body, patience).await
    }

    /// Where the emulator is, without a slash at the end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Gets a text of the control API.
    pub(super) async fn text(&self, path: &str) -> anyhow::Result<String> {
        let url = format!("{}{BASE}{path}", self.base);
        let outcome = self.exchange(Method::Get, &url, None, None, Duration::ZERO).await;
        let answer = outcome.answer.as_ref().filter(|_| outcome.failure.is_none());
        let Some(answer) = answer else { return Err(self.unreachable(&outcome)) };
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status >= 400 {
            bail!("{url} answered {}: {text}", answer.status);
        }
        Ok(text)
    }

    /// Calls the REST API.
    pub(super) async fn rest(
        &self,
        method: Method,
        path: &str,
        credential: &Credential,
        form: Option<String>,
    ) -> anyhow::Result<Value> {
        let body = form.map(|form| ("application/x-www-form-urlencoded", Bytes::from(form)));
        self.call(method, &format!("{}{path}", self.base), Some(credential), body, Duration::ZERO).await
    }

    /// Gets a resource of the REST API; none where there is no such resource.
    pub(super) async fn rest_if_there(&self, path: &str, credential: &Credential) -> anyhow::Result<Option<Value>> {
        let url = format!("{}{path}", self.base);
        let (status, value) = self.answer(Method::Get, &url, Some(credential), None, Duration::ZERO).await?;
        if status == 404 { Ok(None) } else { accepted(status, value).map(Some) }
    }

    /// Whether the emulator says that it lives.
    pub(super) async fn alive(&self) -> anyhow::Result<()> {
        let outcome = self.exchange(Method::Get, &format!("{}/livez", self.base), None, None, Duration::ZERO).await;
        match outcome.answer {
            Some(answer) if answer.status == 200 => Ok(()),
            Some(answer) => bail!("{} answered {}", self.base, answer.status),
            None => Err(self.unreachable(&outcome)),
        }
    }

    /// The credential of the account meant.
    pub(super) async fn credential(&self) -> anyhow::Result<Credential> {
        let accounts =
            self.call(Method::Get, &format!("{}{BASE}/health", self.base), None, None, Duration::ZERO).await?;
        let sid = match &self.account {
            Some(account) => account.clone(),
            None => accounts["default_account"].as_str().context("the emulator names no default account")?.to_owned(),
        };
        let url = format!("{}{BASE}/accounts/{sid}", self.base);
        let account = self.call(Method::Get, &url, None, None, Duration::ZERO).await?;
        let token = account["auth_token"].as_str().context("nobody has claimed this account yet")?.to_owned();
        Ok(Credential { sid, token })
    }

    async fn call(
        &self,
        method: Method,
        url: &str,
        credential: Option<&Credential>,
        body: Option<(&str, Bytes)>,
        patience: Duration,
    ) -> anyhow::Result<Value> {
        let (status, value) = self.answer(method, url, credential, body, patience).await?;
        accepted(status, value)
    }

    async fn answer(
        &self,
        method: Method,
        url: &str,
        credential: Option<&Credential>,
        body: Option<(&str, Bytes)>,
        patience: Duration,
    ) -> anyhow::Result<(u16, Value)> {
        let outcome = self.exchange(method, url, credential, body, patience).await;
        let Some(answer) = outcome.answer.as_ref().filter(|_| outcome.failure.is_none()) else {
            return Err(self.unreachable(&outcome));
        };
        let value: Value = if answer.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&answer.body).with_context(|| format!("{url} answered no JSON"))?
        };
        Ok((answer.status, value))
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        credential: Option<&Credential>,
        body: Option<(&str, Bytes)>,
        patience: Duration,
    ) -> Outcome {
        let wait = patience + SLACK;
        let headers = |_: &crate::io::client::Hop<'_>| {
            let basic = credential.map(|credential| {
                format!("Basic {}", STANDARD.encode(format!("{}:{}", credential.sid, credential.token)))
            });
            let bearer = || self.control_token.as_ref().map(|token| format!("Bearer {token}"));
            let authorization = basic.or_else(bearer);
            authorization.map(|value| ("Authorization".to_owned(), value)).into_iter().collect()
        };
        let limits = Limits { read: wait, total: wait, ..Limits::default() };
        let body_max_bytes = ANSWER_BYTES_MAX;
        let request = Request { method, url, body, cookies: &[], limits, body_max_bytes, headers: &headers };
        self.client.exchange(request).await
    }

    fn unreachable(&self, outcome: &Outcome) -> anyhow::Error {
        let why = outcome.failure.as_ref().map_or_else(|| "no answer".to_owned(), ToString::to_string);
        anyhow::anyhow!("can't reach an emulator at {} ({why}); start one with: fauxfax serve", self.base)
    }
}

/// The value, unless its status says that the call was refused.
fn accepted(status: u16, value: Value) -> anyhow::Result<Value> {
    if status < 400 {
        return Ok(value);
    }
    let reason = value["detail"].as_str().or(value["message"].as_str()).unwrap_or("no reason was given");
    bail!("{reason} ({status})")
}

/// Runs a client's work to its end.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
