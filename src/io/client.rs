//! The HTTP client for all requests to apps. An exchange is one request and the further requests that redirects and
//! authentication challenges call for, with limits on its time and size. The client keeps no connections alive, ignores
//! the system's proxy settings, and never repeats a request that has failed.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

pub use super::options::{ClientError, ClientOptions, ConnectTo, ConnectToError};
pub(crate) use super::options::{Destination, Protocol};

use super::budget::{Budget, FETCH_ROOM_WAIT_MAX, Hold};
use super::challenge::{self, Credential};
use super::connect::Connector;
use super::redirect::{self, Next};
use super::stream::Stream;
use crate::dialect::address::{normal, normal_or_as_is};
use crate::dialect::twiml_bin::CONTENT_TYPE;
use crate::model::account::{SignatureHeaders, TwimlTypes};
use crate::model::reference::without_userinfo;
use crate::model::request_edits::HeaderEdits;
use crate::model::webhook::{Cookie, ExchangeFailure, Method};

/// The header by which a tunnel or a hosting platform tells an app that the client spoke TLS. Frameworks that are
/// configured to trust the header use it to rebuild the URL.
pub(crate) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// The largest response head, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The maximum number of headers in a response; real apps send about a dozen.
const HEADERS_MAX: usize = 100;
/// The start of the error text for a response that can't be parsed.
const NOT_HTTP: &str = "the response is not HTTP/1.1";
/// The error text for a connection that ended before the response did.
const ENDED_EARLY: &str = "the connection ended before the response did";
/// The longest cookie that is kept, in bytes (RFC 6265 §6.1).
const COOKIE_BYTES_MAX: usize = 4 * 1024;
/// The interval at which the time limit is checked while an exchange waits for room in the budget.
const ROOM_LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// The time limits of an exchange. The default limits are those for documents; docs/fidelity.md, "Webhooks", lists
/// those for webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The time until the TCP connection is established.
    pub connect: Duration,
    /// The time until the first part of the response arrives, and between one part and the next.
    pub read: Duration,
    /// The time from the start of the exchange to the last byte, including redirects.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), read: Duration::from_secs(15), total: Duration::from_secs(15) }
    }
}

/// One request of an exchange, just before it is sent.
#[derive(Debug, Clone, Copy)]
pub struct Hop<'a> {
    /// The URL as it is sent, without userinfo or fragment.
    pub url: &'a str,
    /// Whether the hop carries the request's body. A redirect may have turned the request into a GET without a body.
    pub with_body: bool,
}

/// A function that computes the headers of a hop beyond those that every request has.
pub type HopHeaders<'a> = &'a (dyn Fn(&Hop<'_>) -> Vec<(String, String)> + Send + Sync);

/// A request to make, with the limits of the exchange that it starts.
pub struct Request<'a> {
    /// The method of the first hop.
    pub method: Method,
    /// The URL to request. The userinfo is used to answer a challenge; the fragment is dropped.
    pub url: &'a str,
    /// The content type and the body, if the request has one.
    pub body: Option<(&'a str, Bytes)>,
    /// Cookies set earlier. Each is sent only to the host that set it.
    pub cookies: &'a [Cookie],
    /// The time limits of the exchange.
    pub limits: Limits,
    /// The maximum number of redirects that are followed before the exchange fails.
    pub redirects_max: usize,
    /// The maximum number of bytes of the response body that are read.
    pub body_max_bytes: u64,
    /// The value of the User-Agent header.
    pub user_agent: &'a str,
    /// Computes further headers, such as a signature, for each hop.
    pub headers: HopHeaders<'a>,
    /// The changes that a rule makes to the headers of each hop, if any.
    pub edits: Option<&'a HeaderEdits>,
    /// The response, if the emulator itself provides it. No connection is made then.
    pub here: Option<Response>,
}

/// The result of an exchange: a response, a failure, or both. Both are present if the response was too large, if it was
/// a redirect that could not be followed, or if the exchange failed after a redirect.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The URL that was requested first, without userinfo.
    pub url: String,
    /// The URL of the last hop, without userinfo.
    pub final_url: String,
    /// The URL of the last hop with the user and password used there. Relative references are resolved against this
    /// URL. The engine gets it with an app's TwiML, so the log of the engine's commands contains it, too. The journal
    /// and the log that users see must not contain it.
    pub base_url: String,
    /// Whether a redirect was followed.
    pub redirected: bool,
    /// The headers of the exchange's first request, in the order in which they are sent. The names are in lower case
    /// here, whatever their case on the wire.
    pub request_headers: Vec<(String, String)>,
    /// The last response, even if the exchange failed after it. Challenges that the client answered don't count.
    pub answer: Option<Response>,
    /// The cookies set by all responses of the exchange.
    pub cookies: Vec<Cookie>,
    /// The failure, if any. A response with status 4xx or 5xx is not a failure.
    pub failure: Option<ExchangeFailure>,
    /// The response body's charge to the memory budget.
    pub room: Option<Hold>,
    /// The real time taken by the exchange.
    pub elapsed: Duration,
}

/// A response from an app, or from a bin in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it was read.
    pub body: Arc<[u8]>,
}

impl Response {
    /// Returns the response that a bin with these contents gives.
    pub(super) fn of_bin(contents: &str) -> Self {
        let headers = vec![("content-type".to_owned(), CONTENT_TYPE.to_owned())];
        Self { status: 200, headers, body: contents.as_bytes().into() }
    }

    /// Returns the value of the first header with this name, ignoring case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the body's content coding (RFC 9110 §8.4), if any. No request asks for a coding unless a rule adds an
    /// Accept-Encoding header.
    pub(super) fn coding(&self) -> Option<&str> {
        let coding = self.header("content-encoding").map(str::trim);
        coding.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
    }

    fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// An HTTP client; clones share its configuration and its memory budget.
#[derive(Clone)]
pub struct Client {
    connector: Connector,
    options: Arc<ClientOptions>,
}

/// How long an exchange has waited for room in the memory budget. That time doesn't count towards the exchange's time
/// limit.
#[derive(Default)]
struct Waits {
    us: AtomicU64,
    is_waiting: AtomicBool,
}

impl Waits {
    fn total(&self) -> Duration {
        Duration::from_micros(self.us.load(Ordering::Relaxed))
    }

    /// Runs work that may wait for room, and adds the time that it takes to the total.
    async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        // Relaxed suffices for all accesses: the exchange and the code that checks its time limit run in the same task.
        self.is_waiting.store(true, Ordering::Relaxed);
        let done = work.await;
        self.is_waiting.store(false, Ordering::Relaxed);
        let us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.us.fetch_add(us, Ordering::Relaxed);
        done
    }
}

impl Client {
    /// Creates a client with these options.
    ///
    /// # Errors
    /// Fails if a trusted certificate can't be read.
    pub fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        let connector = Connector::new(options)?;
        Ok(Self { connector, options: Arc::new(options.clone()) })
    }

    /// Returns the options that the client was created with.
    #[must_use]
    pub fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// Returns whether webhooks carry a W3C `traceparent`.
    #[must_use]
    pub fn has_traceparent(&self) -> bool {
        self.options.traceparent
    }

    /// Returns the policy for TwiML's content types.
    #[must_use]
    pub fn twiml_types(&self) -> TwimlTypes {
        self.options.twiml_types
    }

    /// Returns the choice of headers for a SignalWire account's webhook signature.
    #[must_use]
    pub fn signature_headers(&self) -> SignatureHeaders {
        self.options.signature_headers
    }

    /// Returns the memory budget that response bodies are charged to.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.options.budget
    }

    /// Opens a connection to the URL's host, on which the caller speaks HTTP itself.
    pub(crate) async fn connect(&self, url: &Url, patience: Duration) -> Result<Stream, ExchangeFailure> {
        self.connector.connect(url, patience).await
    }

    /// Returns whether an `https` URL is requested over plain HTTP, according to `--connect-to`.
    pub(crate) fn replaces_tls(&self, url: &Url) -> bool {
        self.connector.replaces_tls(url)
    }

    /// Returns where a connection to a host and port really goes, according to `--connect-to`.
    pub(crate) fn destination<'a>(&'a self, host: &'a str, port: u16) -> Destination<'a> {
        self.connector.destination(host, port)
    }

    /// Makes a request and reads the response. Dropping the future closes the connection.
    pub async fn exchange(&self, request: Request<'_>) -> Exchange {
        let begun = Instant::now();
        let mut outcome = Exchange { url: normal_or_as_is(request.url).into_owned(), ..Exchange::default() };
        outcome.final_url.clone_from(&outcome.url);
        let waits = Waits::default();
        let followed = {
            let mut steps = pin!(self.follow(&request, &waits, &mut outcome));
            let (mut end, mut credited) = (begun + request.limits.total, Duration::ZERO);
            loop {
                if let Ok(followed) = timeout_at(end, &mut steps).await {
                    break followed;
                }
                // The time limit is extended by the time spent waiting for room, because other exchanges hold the room.
                let waited = waits.total();
                if waits.is_waiting.load(Ordering::Relaxed) {
                    // A wait is counted only after it ends, so check again later.
                    end = Instant::now() + ROOM_LOOK_INTERVAL;
                } else if waited > credited {
                    (end, credited) = (end + (waited - credited), waited);
                } else {
                    break Err(ExchangeFailure::TotalTimeout);
                }
            }
        };
        outcome.failure = followed.err();
        outcome.elapsed = begun.elapsed();
        outcome
    }

    async fn follow(
        &self,
        request: &Request<'_>,
        waits: &Waits,
        outcome: &mut Exchange,
    ) -> Result<(), ExchangeFailure> {
        let (mut target, mut credential) = split(request.url)?;
        let mut authorization: Option<String> = None;
        let mut hop = Sent { method: request.method, body: request.body.as_ref() };
        let mut redirects = 0;
        loop {
            outcome.final_url.clone_from(&target.text);
            outcome.base_url = credential.as_ref().map_or_else(|| target.text.clone(), |own| own.within(&target.text));
            let answer = self.ask((request, waits), &target, &hop, authorization.as_deref(), outcome).await?;
            let again = (answer.status == 401 && authorization.is_none())
                // Only one challenge is answered per URL: a server that repeats it has refused the credential.
                .then(|| {
                    let challenges = answer.headers_named("www-authenticate");
                    challenge::answer(challenges, credential.as_ref()?, hop.method, target.path_and_query())
                })
                .flatten();
            if again.is_some() {
                authorization = again;
                continue;
            }
            let next = redirect::next(answer.status, answer.header("location"), &target.text, hop.method);
            // Set before `next?`, so that a redirect that leads nowhere is journaled with its response.
            outcome.answer = Some(answer);
            let Next::Hop { to, method } = next? else { return Ok(()) };
            redirects += 1;
            if redirects > request.redirects_max {
                return Err(ExchangeFailure::TooManyRedirects);
            }
            outcome.redirected = true;
            let (to, own_credential) = split(&to)?;
            let same_origin = to.url.origin() == target.url.origin();
            // The credential is never sent to a different origin.
            credential = own_credential.or(credential.filter(|_| same_origin));
            authorization = authorization.filter(|authorization| same_origin && challenge::is_reusable(authorization));
            let body = hop.body.filter(|_| method == Method::Post);
            (target, hop) = (to, Sent { method, body });
        }
    }

    /// Makes one request on a new connection.
    async fn ask(
        &self,
        (request, waits): (&Request<'_>, &Waits),
        target: &Target,
        sent: &Sent<'_>,
        authorization: Option<&str>,
        outcome: &mut Exchange,
    ) -> Result<Response, ExchangeFailure> {
        let mut headers = headers(request, target, sent, authorization)?;
        if self.connector.replaces_tls(&target.url) {
            headers.push((X_FORWARDED_PROTO, HeaderValue::from_static("https")));
        }
        if let Some(edits) = request.edits {
            edit(&mut headers, edits)?;
        }
        if outcome.request_headers.is_empty() {
            outcome.request_headers = headers.iter().map(readable).collect();
        }
        // A bin's response is returned only now, after the headers have been recorded, so that the journal has them,
        // too.
        if let Some(answer) = &request.here {
            return Ok(answer.clone());
        }
        let stream = self.connector.connect(&target.url, request.limits.connect).await?;
        let message = message(target, sent, headers)?;
        let answer = self.read(stream, message, request, waits).await;
        let (answer, complete, room) = answer.map_err(|failure| target.explained(failure))?;
        outcome.room = Some(room);
        outcome.cookies.extend(cookies(&answer, &target.url));
        if !complete {
            outcome.answer = Some(answer);
            return Err(ExchangeFailure::TooLarge { limit: request.body_max_bytes });
        }
        Ok(answer)
    }

    /// Sends a message and reads the response. Also returns whether the body was read to its end, and the body's charge
    /// to the budget.
    async fn read(
        &self,
        stream: Stream,
        message: hyper::Request<Full<Bytes>>,
        request: &Request<'_>,
        waits: &Waits,
    ) -> Result<(Response, bool, Hold), ExchangeFailure> {
        let patience = request.limits.read;
        let mut builder = http1::Builder::new();
        let is_title_case = !request.edits.is_some_and(|edits| edits.lower_case);
        let builder = builder.title_case_headers(is_title_case).max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|error| failure(&error))?;
        let mut driven = Driven { connection: Box::pin(connection), ended: false };
        let response = driven.while_waiting(patience, sender.send_request(message)).await??;
        let (head, mut body) = response.into_parts();
        let headers = head.headers.iter().map(|(name, value)| readable(&(name.clone(), value.clone()))).collect();
        let limit = usize::try_from(request.body_max_bytes).unwrap_or(usize::MAX);
        let (mut read, mut complete) = (self.budget().body(FETCH_ROOM_WAIT_MAX), true);
        while let Some(frame) = driven.while_waiting(patience, async { Ok(body.frame().await) }).await?? {
            // No caller uses trailers.
            let Ok(data) = frame.map_err(|error| failure(&error))?.into_data() else { continue };
            let wanted = data.len().min(limit - read.len());
            let added = waits.during(read.add(&data[..wanted])).await;
            added.map_err(|no_room| ExchangeFailure::ConnectionFailure(no_room.to_string()))?;
            if data.len() > wanted {
                complete = false;
                break;
            }
        }
        let (body, room) = read.into_document();
        Ok((Response { status: head.status.as_u16(), headers, body }, complete, room))
    }
}

/// The method and body that are sent in a hop.
struct Sent<'a> {
    method: Method,
    body: Option<&'a (&'a str, Bytes)>,
}

/// The host that a hop connects to, and the resource that it requests.
struct Target {
    /// The URL as it is sent and signed.
    text: String,
    /// The same URL, parsed.
    url: Url,
}

impl Target {
    /// Returns the host and port as written in the URL.
    fn authority(&self) -> &str {
        let (_, rest) = self.text.split_once("://").unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    fn path_and_query(&self) -> &str {
        let begin = self.text.find("://").map_or(0, |scheme| scheme + 3) + self.authority().len();
        &self.text[begin..]
    }

    /// Adds the likely cause to a failure: a port that speaks TLS answers plain HTTP with an alert or by closing the
    /// connection.
    fn explained(&self, mut failure: ExchangeFailure) -> ExchangeFailure {
        let hint = "; if this port speaks TLS, write https:// in the URL";
        if self.url.scheme() == "http"
            && let ExchangeFailure::ProtocolViolation(why) | ExchangeFailure::ConnectionFailure(why) = &mut failure
            && (why.starts_with(NOT_HTTP) && !is_nearly_http(why) || why == ENDED_EARLY)
        {
            why.push_str(hint);
        }
        failure
    }
}

/// Splits a URL into the part that is sent and the credential. An error shows the URL without the credential.
fn split(text: &str) -> Result<(Target, Option<Credential>), ExchangeFailure> {
    let invalid = || ExchangeFailure::InvalidUrl(format!("{:?} is not an http or https URL", without_userinfo(text)));
    let normal = normal(text).ok_or_else(invalid)?;
    let url = Url::parse(&normal).map_err(|_| invalid())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(invalid());
    }
    // Parsed from the original string, since the normalised form has no userinfo.
    let credential = Url::parse(text).ok().as_ref().and_then(Credential::of);
    Ok((Target { text: normal, url }, credential))
}

type HeaderList = Vec<(HeaderName, HeaderValue)>;

fn headers(
    request: &Request<'_>,
    target: &Target,
    sent: &Sent<'_>,
    authorization: Option<&str>,
) -> Result<HeaderList, ExchangeFailure> {
    let mut pairs = vec![
        ("host".to_owned(), target.authority().to_owned()),
        ("user-agent".to_owned(), request.user_agent.to_owned()),
        ("accept".to_owned(), "*/*".to_owned()),
        // No connection is reused, so that a failure belongs to exactly one request.
        ("connection".to_owned(), "close".to_owned()),
    ];
    if let Some((content_type, _)) = sent.body {
        pairs.push(("content-type".to_owned(), (*content_type).to_owned()));
    }
    pairs.extend((request.headers)(&Hop { url: &target.text, with_body: sent.body.is_some() }));
    let own = |cookie: &&Cookie| target.url.host_str() == Some(cookie.host.as_str());
    let jar: Vec<&str> = request.cookies.iter().filter(own).map(|cookie| cookie.pair.as_str()).collect();
    if !jar.is_empty() {
        pairs.push(("cookie".to_owned(), jar.join("; ")));
    }
    pairs.extend(authorization.map(|value| ("authorization".to_owned(), value.to_owned())));
    pairs.iter().map(|(name, value)| header(name, value)).collect()
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ExchangeFailure> {
    let invalid = || ExchangeFailure::InvalidUrl(format!("{value:?} is not a valid value for the header {name}"));
    let name = HeaderName::try_from(name).map_err(|_| invalid())?;
    Ok((name, HeaderValue::try_from(value).map_err(|_| invalid())?))
}

/// Makes a rule's changes to the headers of a request.
fn edit(headers: &mut HeaderList, edits: &HeaderEdits) -> Result<(), ExchangeFailure> {
    let HeaderEdits { set, remove, lower_case: _ } = edits;
    let replaced = set.iter().map(|(name, _)| name).chain(remove);
    for name in replaced {
        // A `HeaderName` is in lower case, but the rule has the name as the tester wrote it.
        headers.retain(|(own, _)| !own.as_str().eq_ignore_ascii_case(name));
    }
    for (name, value) in set {
        headers.push(header(name, value)?);
    }
    Ok(())
}

fn message(
    target: &Target,
    sent: &Sent<'_>,
    headers: HeaderList,
) -> Result<hyper::Request<Full<Bytes>>, ExchangeFailure> {
    let body = sent.body.map(|(_, bytes)| bytes.clone()).unwrap_or_default();
    let mut message = hyper::Request::builder()
        .method(sent.method.as_str())
        .uri(target.path_and_query())
        .body(Full::new(body))
        .map_err(|error| ExchangeFailure::InvalidUrl(error.to_string()))?;
    message.headers_mut().extend(headers);
    Ok(message)
}

type Connection = http1::Connection<TokioIo<Stream>, Full<Bytes>>;

/// A connection that must be polled while its response is awaited.
struct Driven {
    connection: Pin<Box<Connection>>,
    ended: bool,
}

impl Driven {
    /// Awaits `work` while polling the connection. The outer error is a timeout, and the inner error is the failure of
    /// `work`.
    async fn while_waiting<T>(
        &mut self,
        patience: Duration,
        work: impl Future<Output = hyper::Result<T>>,
    ) -> Result<Result<T, ExchangeFailure>, ExchangeFailure> {
        let mut work = std::pin::pin!(work);
        let done = async {
            loop {
                tokio::select! {
                    biased;
                    // Polled first, so that a response that has arrived counts even if the connection then fails.
                    done = &mut work => return done.map_err(|error| failure(&error)),
                    // `work` gets the same error, so this result can be ignored.
                    _ = &mut self.connection, if !self.ended => self.ended = true,
                }
            }
        };
        timeout(patience, done).await.map_err(|_| ExchangeFailure::ReadTimeout)
    }
}

fn failure(error: &hyper::Error) -> ExchangeFailure {
    let mut cause: &dyn std::error::Error = error;
    // hyper's own text is generic; the innermost cause says what happened.
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if error.is_parse_too_large() {
        ExchangeFailure::ProtocolViolation(format!(
            "the response has more than {HEADERS_MAX} headers, or a head of more than {HEAD_BYTES_MAX} bytes; send fewer or \
             shorter ones"
        ))
    } else if error.is_parse() {
        ExchangeFailure::ProtocolViolation(format!("{NOT_HTTP}: {cause}"))
    } else if error.is_incomplete_message() {
        ExchangeFailure::ConnectionFailure(ENDED_EARLY.to_owned())
    } else if let Some(error) = cause.downcast_ref::<std::io::Error>().and_then(super::tls::failure) {
        error
    } else {
        ExchangeFailure::ConnectionFailure(cause.to_string())
    }
}

/// Returns whether hyper's text for a parse error says that a response begins like HTTP and that a part of its head is
/// invalid. A TLS alert doesn't begin like HTTP.
fn is_nearly_http(why: &str) -> bool {
    ["status-code", "header", "content-length", "transfer-encoding"].iter().any(|part| why.contains(part))
}

fn cookies(answer: &Response, url: &Url) -> Vec<Cookie> {
    let host = url.host_str().unwrap_or_default();
    let pair = |value: &str| {
        let pair = value.split(';').next().unwrap_or_default().trim();
        let fits = pair.len() <= COOKIE_BYTES_MAX && pair.find('=').is_some_and(|end| end > 0);
        fits.then(|| Cookie { host: host.to_owned(), pair: pair.to_owned() })
    };
    answer.headers_named(header::SET_COOKIE.as_str()).filter_map(pair).collect()
}

fn readable((name, value): &(HeaderName, HeaderValue)) -> (String, String) {
    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
}
