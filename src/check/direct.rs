//! Requests to the app that the emulator never makes: unsigned, malformed, or with any method. The app is reached only
//! at addresses of this machine or of a private network, unless the user owns the host.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use url::{Position, Url};

use super::exchange::Exchange;
use super::old_tls::{self, HelloReply};
use super::options::{ANSWER_BYTES_MAX, CONNECT_TIME_MAX};
use crate::io::client::{Client, ClientError, ClientOptions};
use crate::io::connect::is_private;
use crate::io::plain;

/// A client that makes single requests to the app.
#[derive(Clone)]
pub(crate) struct Direct {
    client: Client,
    /// A client that refuses invalid certificates, even if `client` accepts them.
    verifying: Client,
    private_only: bool,
    /// The time limit for a response.
    late: Duration,
}

/// A request to make.
#[derive(Debug, Clone, Default)]
pub struct Raw<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The URL.
    pub url: &'a str,
    /// Headers in addition to `Host`.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; empty for none.
    pub body: &'a str,
}

/// How a connection ended that the app was asked to close after its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// The app closed it.
    Clean,
    /// The connection was reset, or broke in another way.
    Broken(String),
    /// The app left it open.
    LeftOpen,
}

impl Direct {
    pub(crate) fn new(options: &ClientOptions, private_only: bool, late: Duration) -> Result<Self, ClientError> {
        let options = ClientOptions { private_only, ..options.clone() };
        let verifying = Client::new(&ClientOptions { insecure: false, ..options.clone() })?;
        Ok(Self { client: Client::new(&options)?, verifying, private_only, late })
    }

    /// Returns the client, which connects to no public address unless the user owns the host.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// Makes a request. A redirect is not followed.
    pub(crate) async fn ask(&self, raw: &Raw<'_>) -> Exchange {
        let begun = Instant::now();
        let mut exchange = Exchange {
            purpose: "direct".to_owned(),
            method: raw.method.to_owned(),
            url: raw.url.to_owned(),
            headers: raw.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: (!raw.body.is_empty()).then(|| raw.body.to_owned()),
            ..Exchange::default()
        };
        let asked = timeout(self.late, self.answer(raw, &mut exchange)).await;
        let late = || Err(format!("no complete response within {} s", self.late.as_secs_f64()));
        exchange.error = asked.unwrap_or_else(|_| late()).err();
        exchange.duration = begun.elapsed();
        exchange
    }

    async fn answer(&self, raw: &Raw<'_>, exchange: &mut Exchange) -> Result<(), String> {
        let (url, request) = request(raw)?;
        let stream = self.client.connect(&url, CONNECT_TIME_MAX).await.map_err(|failure| failure.to_string())?;
        let opened = plain::send(stream, request).await.map_err(|error| of_hyper(&error))?;
        exchange.status = Some(opened.response.status().as_u16());
        exchange.response_headers = readable(opened.response.headers());
        let body = Limited::new(opened.response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| format!("the body did not end within {ANSWER_BYTES_MAX} bytes: {error}"))?;
        exchange.answer = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok(())
    }

    /// Makes a connection, and returns how long it took.
    pub(super) async fn connect(&self, url: &str) -> Result<Duration, String> {
        let begun = Instant::now();
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        self.client.connect(&url, CONNECT_TIME_MAX).await.map_err(|failure| failure.to_string())?;
        Ok(begun.elapsed())
    }

    /// Makes a connection, and fails if the certificate is invalid.
    pub(super) async fn connect_verified(&self, url: &str) -> Result<(), String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        self.verifying.connect(&url, CONNECT_TIME_MAX).await.map(drop).map_err(|failure| failure.to_string())
    }

    /// Begins a handshake in a version of TLS that is too old, and returns how the app responds.
    pub(super) async fn old_hello(&self, url: &str) -> Result<HelloReply, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        if self.client.replaces_tls(&url) {
            return Err("TLS is terminated in front of the app, according to --connect-to".to_owned());
        }
        let mut plain = url.clone();
        // The URL crate allows both changes, because the schemes have hosts. The port is set because the schemes'
        // default ports differ.
        let _ = plain.set_scheme("http");
        let _ = plain.set_port(url.port_or_known_default());
        let mut stream = self.client.connect(&plain, CONNECT_TIME_MAX).await.map_err(|failure| failure.to_string())?;
        let reply = old_tls::hello(&mut stream, url.domain());
        timeout(self.late, reply)
            .await
            .unwrap_or_else(|_| Err(format!("no response within {} s", self.late.as_secs_f64())))
    }

    /// Makes a request with `Connection: close`, and returns how the connection ends. hyper would close the connection
    /// itself, so the request is written by hand.
    pub(super) async fn closing(&self, url: &str, patience: Duration) -> Result<Closing, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let mut stream = self.client.connect(&url, CONNECT_TIME_MAX).await.map_err(|failure| failure.to_string())?;
        let (target, host) = (&url[Position::BeforePath..Position::AfterQuery], authority(&url));
        let head =
            format!("POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        let request = format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
        let (mut read, mut piece) = (0, [0; 16 * 1024]);
        // The response may take its usual time; `patience` limits only what comes after its first bytes.
        let mut limit = self.late;
        while read < ANSWER_BYTES_MAX {
            match timeout(limit, stream.read(&mut piece)).await {
                Ok(Ok(0)) if read == 0 => return Ok(Closing::Broken("it was closed without a response".to_owned())),
                Ok(Ok(0)) => return Ok(Closing::Clean),
                Ok(Ok(count)) => read += count,
                Ok(Err(error)) => return Ok(Closing::Broken(error.to_string())),
                Err(_) if read == 0 => return Err(format!("no response within {} s", self.late.as_secs_f64())),
                Err(_) => return Ok(Closing::LeftOpen),
            }
            limit = patience;
        }
        Err(format!("the response has more than {ANSWER_BYTES_MAX} bytes"))
    }

    /// Refuses a URL whose host is at a public address.
    pub(super) async fn check_private(&self, url: &str) -> Result<(), String> {
        if !self.private_only {
            return Ok(());
        }
        let url = Url::parse(url).map_err(|error| format!("{url:?} is not a URL ({error})"))?;
        let port = url.port_or_known_default().unwrap_or(80);
        let target = self.client.destination(url.host_str().unwrap_or_default(), port);
        let host = target.host.trim_matches(['[', ']']);
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") {
            return Ok(());
        }
        // A name that doesn't resolve is left to the request, which fails with a better reason.
        let Ok(found) = timeout(CONNECT_TIME_MAX, tokio::net::lookup_host((host, target.port))).await else {
            return Ok(());
        };
        match found.into_iter().flatten().find(|address| !is_private(address.ip())) {
            Some(address) => Err(format!("{host} is at the public address {}", address.ip())),
            None => Ok(()),
        }
    }
}

fn request(raw: &Raw<'_>) -> Result<(Url, Request<Full<Bytes>>), String> {
    let url = Url::parse(raw.url).map_err(|error| error.to_string())?;
    let method = Method::from_bytes(raw.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(raw.body.as_bytes())));
    *request.method_mut() = method;
    let target = &url[Position::BeforePath..Position::AfterQuery];
    *request.uri_mut() = target.parse().map_err(|error| format!("{target}: {error}"))?;
    for (name, value) in [("host", authority(&url)), ("accept", "*/*")].iter().chain(raw.headers) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        request.headers_mut().insert(name, HeaderValue::from_str(value).map_err(|error| error.to_string())?);
    }
    Ok((url, request))
}

fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn of_hyper(error: &hyper::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    // hyper's own text is generic; the innermost cause says what happened.
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
