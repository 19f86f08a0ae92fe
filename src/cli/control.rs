//! The thin clients' line to the control API: one call a connection, whole or as a stream. It retries nothing and knows
//! no call's meaning.

use std::process::ExitCode;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use url::Url;

use super::api::{Target, USER_AGENT};
use crate::dialect::form;
use crate::http::control::BASE;

/// What the exit statuses mean, for `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit status:
  0  done
  1  refused, or not as expected
  2  wrong usage
  3  no emulator there
  4  not within the time";

/// Not within the time.
pub(super) const EXIT_TOO_LATE: u8 = 4;
/// No emulator answers.
const EXIT_UNREACHABLE: u8 = 3;
/// The status that says so.
const STATUS_TOO_LATE: u16 = 408;

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// Nobody answers there.
    #[error("can't reach an emulator at {url} ({why}); start one with: fauxfax serve")]
    Unreachable {
        /// Where.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// The emulator said no.
    #[error("{detail} ({status})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
}

impl CallError {
    /// The exit status of a subcommand that ended so.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unreachable { .. } => ExitCode::from(EXIT_UNREACHABLE),
            Self::Refused { status: STATUS_TOO_LATE, .. } => ExitCode::from(EXIT_TOO_LATE),
            Self::Refused { .. } => ExitCode::FAILURE,
        }
    }
}

/// A client of one emulator's control API.
pub(super) struct Control {
    base: Url,
    account: Option<String>,
    control_token: Option<String>,
}

/// An answer whose body still comes.
pub(super) struct Stream {
    response: Response<Incoming>,
    /// The connection; it ends with this.
    _connection: JoinSet<hyper::Result<()>>,
}

impl Control {
    pub(super) fn new(target: &Target) -> anyhow::Result<Self> {
        let base = Url::parse(&target.url).with_context(|| format!("--url: {} is no address", target.url))?;
        if base.scheme() != "http" || !base.has_host() {
            bail!("--url: the address of the emulator begins with http://, unlike {}", target.url);
        }
        Ok(Self { base, account: target.account.clone(), control_token: target.control_token.clone() })
    }

    /// Asks and reads the answer.
    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.call_bytes(method, path, query, body).await
    }

    /// Asks with a body as it is, and reads the answer.
    pub(super) async fn call_bytes(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Bytes,
    ) -> anyhow::Result<Value> {
        let stream = self.open(method, path, query, body, "application/json").await?;
        let bytes = stream.response.into_body().collect().await.map_err(|error| self.unreachable(&error))?.to_bytes();
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).with_context(|| format!("{path} answered no JSON"))
    }

    /// Asks; a refusal is an error, anything else is left to be read.
    pub(super) async fn open(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Bytes,
        accept: &str,
    ) -> anyhow::Result<Stream> {
        let account = [("account", self.account.clone())];
        let pairs: Vec<(&str, &str)> =
            query.iter().chain(&account).filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let target = form::with_query(&format!("{BASE}{path}"), &pairs);
        let authority = &self.base[url::Position::BeforeHost..url::Position::AfterPort];
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, authority)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, accept);
        if let Some(token) = &self.control_token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body))?;
        let host = self.base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.base.port_or_known_default().unwrap_or(80);
        let tcp = TcpStream::connect((host, port)).await.map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(tcp)).await.map_err(|error| self.unreachable(&error))?;
        let mut running = JoinSet::new();
        running.spawn(connection);
        let response = sender.send_request(request).await.map_err(|error| self.unreachable(&error))?;
        let status = response.status().as_u16();
        if status < 400 {
            return Ok(Stream { response, _connection: running });
        }
        let body = response.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("no reason was given").to_owned();
        Err(CallError::Refused { status, detail }.into())
    }

    fn unreachable(&self, why: &dyn std::error::Error) -> CallError {
        CallError::Unreachable { url: self.base.to_string(), why: why.to_string() }
    }
}

impl Stream {
    /// The next piece of the body; none at its end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        while let Some(frame) = self.response.body_mut().frame().await {
            if let Ok(data) = frame.context("the emulator has gone")?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}
