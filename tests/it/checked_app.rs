//! The app that the checks are tested with. Without faults it is careful, and passes them all; each `Fault` makes it careless
//! in one way.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use fauxfax::dialect::form::Form;
use fauxfax::dialect::signature::of_form;
use fauxfax::io::client::{Client, ClientOptions};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::checked_inbox::{self, Record};
use crate::checked_receiver::{self, Memory};
use crate::checked_sender::{self, Sent};
use crate::checked_tls::{Tls, Wire};

/// The largest request that the app reads, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The time that a slow app takes to respond.
const SLOW: Duration = Duration::from_millis(60);
/// The parameters that a validator with a fixed list knows.
const KNOWN: [&str; 16] = [
    "FaxSid",
    "AccountSid",
    "From",
    "To",
    "ApiVersion",
    "RemoteStationId",
    "FaxStatus",
    "Status",
    "OriginalMediaUrl",
    "NumPages",
    "BitRate",
    "MediaUrl",
    "ErrorCode",
    "ErrorMessage",
    "CallerName",
    "ErrorUrl",
];
const TRACEBACK: &str =
    "Traceback (most recent call last):\n  File \"/home/app/app.py\", line 3, in fax\nKeyError: 'To'\n";

/// A fault of the app. A new group of checks adds its faults here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Nothing listens on the app's port.
    IsDown,
    /// The app never responds to an incoming fax.
    Hangs,
    /// The app takes `SLOW` to respond.
    IsSlow,
    /// The app responds with an HTML page.
    GivesHtml,
    /// The app sends its TwiML with the content type of HTML.
    NamesTwimlHtml,
    /// The app fails when it is notified of a fax.
    FailsInAction,
    /// The TwiML begins with a byte order mark.
    HasByteOrderMark,
    /// The app redirects to another address.
    Redirects,
    /// The app leaves connections open.
    KeepsOpen,
    /// The app verifies no signature.
    VerifiesNothing,
    /// The app verifies a signature only if there is one.
    AllowsMissing,
    /// The app verifies the signatures of requests for TwiML, but not those of notifications.
    TrustsNotices,
    /// The app fetches the document before it verifies the signature.
    ActsFirst,
    /// The app accepts a signature only for the URL exactly as it sees it, and not for the same URL with or without a port.
    WantsOnePort,
    /// The app verifies the signature with a fixed list of parameters, and leaves out all others.
    HasFixedList,
    /// The app trims the parameters' values before it verifies the signature.
    Trims,
    /// The app requires `FaxSid` to be the first parameter, where it usually is.
    WantsOrder,
    /// The app ignores the query when it verifies the signature.
    IgnoresQuery,
    /// The app acts on a notification again if it is repeated.
    ActsTwice,
    /// The app responds to every GET with TwiML, without verifying its signature.
    ServesGet,
    /// The app's errors show a stack trace.
    ShowsTraces,
    /// The app does not know that it is behind a proxy.
    IgnoresProxy,
    /// The app fails for station ids with characters beyond ASCII.
    KnowsAsciiOnly,
    /// The app fails for callers whose number doesn't begin with +1.
    KnowsNumbersOnly,
    /// The app fails for faxes with many pages.
    KnowsShortFaxesOnly,
    /// The app stops reading a download after `CUT_BYTES`.
    CutsDownloads,
    /// The app fails for documents that don't have the resolution of fine quality.
    KnowsOneResolution,
    /// The app fails for faxes without pages.
    DividesByPages,
    /// The app fails for URLs that are longer than its database allows.
    HasShortColumns,
    /// The app's page inserts values without escaping them.
    EscapesNothing,
    /// The app sends no User-Agent when it downloads documents.
    NamesNoAgent,
    /// The app downloads the document before it responds.
    DownloadsFirst,
    /// The app downloads no documents.
    KeepsNothing,
    /// The app does not follow redirects of downloads.
    IgnoresRedirects,
    /// The app deletes nothing from the service.
    DeletesNothing,
    /// The app sends faxes without a StatusCallback.
    SendsBlindly,
    /// The app downloads documents from any host.
    TrustsEveryHost,
    /// The app still accepts TLS 1.0.
    SpeaksOldTls,
    /// The app fails for GET.
    FailsForGet,
    /// The app fails for HEAD and OPTIONS.
    FailsForHead,
    /// The app checks whether it has already handled a fax, but doesn't record that it has until some time later.
    LooksTooEarly,
    /// The app refuses a repeated request for the TwiML of a fax.
    RefusesRepeats,
    /// If an earlier status arrives after the final one, the app overwrites the final one.
    OverwritesStatus,
    /// The app fails if it can't download the document.
    FailsWithoutDocument,
    /// The app fails if it is notified of a fax for which it was never asked for TwiML.
    FailsForUnknownFax,
    /// The app never asks the API for the status of a fax.
    NeverAsks,
    /// The app handles one request at a time, and slowly.
    IsSlowForMany,
    /// The app fails if a notification has no `MediaUrl`.
    NeedsDocument,
    /// If a fax fails, the app sends it again, however often that happens.
    RetriesForever,
    /// The app fails for canceled faxes.
    FailsForCanceled,
    /// The app fails for a status that it doesn't know.
    KnowsAllStatuses,
    /// The app handles no request during a download.
    BlocksForDownloads,
    /// If a download breaks off, the app takes what has arrived for the whole document.
    KeepsHalf,
    /// The app doesn't check whether the API has accepted its call.
    IgnoresRefusals,
    /// If the API responds with an error, the app repeats the call at once.
    HammersApi,
    /// The app refuses a request without a signature, but only after it has recorded the fax.
    RecordsFirst,
}

/// What an app does in one of several right ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Habits {
    /// Whether the app wants GET for every request, and refuses POST.
    pub(crate) takes_get: bool,
    /// Whether the app records a fax when it is asked for TwiML, and again when it is notified.
    pub(crate) records_calls: bool,
}

impl Fault {
    /// Every fault.
    pub(crate) const ALL: [Self; 56] = [
        Self::IsDown,
        Self::Hangs,
        Self::IsSlow,
        Self::GivesHtml,
        Self::NamesTwimlHtml,
        Self::FailsInAction,
        Self::HasByteOrderMark,
        Self::Redirects,
        Self::KeepsOpen,
        Self::VerifiesNothing,
        Self::AllowsMissing,
        Self::TrustsNotices,
        Self::ActsFirst,
        Self::WantsOnePort,
        Self::HasFixedList,
        Self::Trims,
        Self::WantsOrder,
        Self::IgnoresQuery,
        Self::ActsTwice,
        Self::ServesGet,
        Self::ShowsTraces,
        Self::IgnoresProxy,
        Self::KnowsAsciiOnly,
        Self::KnowsNumbersOnly,
        Self::KnowsShortFaxesOnly,
        Self::CutsDownloads,
        Self::KnowsOneResolution,
        Self::DividesByPages,
        Self::HasShortColumns,
        Self::EscapesNothing,
        Self::NamesNoAgent,
        Self::DownloadsFirst,
        Self::KeepsNothing,
        Self::IgnoresRedirects,
        Self::DeletesNothing,
        Self::SendsBlindly,
        Self::TrustsEveryHost,
        Self::SpeaksOldTls,
        Self::FailsForGet,
        Self::FailsForHead,
        Self::LooksTooEarly,
        Self::RefusesRepeats,
        Self::OverwritesStatus,
        Self::FailsWithoutDocument,
        Self::FailsForUnknownFax,
        Self::NeverAsks,
        Self::IsSlowForMany,
        Self::NeedsDocument,
        Self::RetriesForever,
        Self::FailsForCanceled,
        Self::KnowsAllStatuses,
        Self::BlocksForDownloads,
        Self::KeepsHalf,
        Self::IgnoresRefusals,
        Self::HammersApi,
        Self::RecordsFirst,
    ];
}

/// A running app, which stops when dropped.
pub(crate) struct CheckedApp {
    /// The app's origin, without a trailing slash.
    pub(crate) origin: String,
    task: JoinHandle<()>,
}

impl Drop for CheckedApp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What all requests of an app share.
pub(crate) struct Shared {
    pub(crate) origin: String,
    pub(crate) account: String,
    pub(crate) token: String,
    faults: BTreeSet<Fault>,
    pub(crate) habits: Habits,
    tls: Option<Tls>,
    /// The faxes that the app has handled. If it has acted on a fax twice, the fax is listed twice.
    records: Mutex<Vec<Record>>,
    pub(crate) memory: Memory,
    /// How often `/visits` was read, a page that shows this number.
    visits: AtomicUsize,
    pub(crate) sent: Sent,
    /// The URL of the emulator that the app sends its faxes with.
    api: Mutex<String>,
    pub(crate) client: Client,
    /// Becomes true once the app has sent all its responses, when it goes down.
    is_over: watch::Sender<bool>,
    /// The number of responses that the app still sends before it goes down.
    left: Mutex<usize>,
}

impl CheckedApp {
    /// Starts an app with these faults for an account and its token.
    pub(crate) async fn start(account: &str, token: &str, faults: &[Fault]) -> Self {
        Self::start_for(account, token, faults, usize::MAX).await
    }

    /// Starts an app behind TLS.
    pub(crate) async fn start_tls(account: &str, token: &str, faults: &[Fault]) -> Self {
        let tls = Tls::new(faults.contains(&Fault::SpeaksOldTls));
        Self::serving((account, token), (faults, Habits::default()), usize::MAX, Some(tls)).await
    }

    /// Starts an app with these faults and habits.
    pub(crate) async fn start_with(account: &str, token: &str, faults: &[Fault], habits: Habits) -> Self {
        Self::serving((account, token), (faults, habits), usize::MAX, None).await
    }

    /// Starts an app that goes down after this many responses.
    pub(crate) async fn start_for(account: &str, token: &str, faults: &[Fault], responses: usize) -> Self {
        Self::serving((account, token), (faults, Habits::default()), responses, None).await
    }

    #[expect(clippy::disallowed_methods, reason = "the app is not part of the emulator")]
    async fn serving(
        (account, token): (&str, &str),
        (faults, habits): (&[Fault], Habits),
        responses: usize,
        tls: Option<Tls>,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let origin = match &tls {
            Some(_) => format!("https://localhost:{}", address.port()),
            None => format!("http://{address}"),
        };
        let (is_over, over) = watch::channel(false);
        let shared = Arc::new(Shared {
            origin: origin.clone(),
            account: account.to_owned(),
            token: token.to_owned(),
            faults: faults.iter().copied().collect(),
            habits,
            tls,
            records: Mutex::new(Vec::new()),
            memory: Memory::default(),
            visits: AtomicUsize::new(0),
            sent: Sent::default(),
            api: Mutex::default(),
            client: Client::new(&ClientOptions::default()).expect("a client"),
            is_over,
            left: Mutex::new(responses),
        });
        let is_down = faults.contains(&Fault::IsDown);
        let task = Handle::current().spawn(async move {
            if !is_down {
                shared.serve(listener, over).await;
            }
        });
        Self { origin, task }
    }

    /// Returns the app's address for incoming faxes.
    pub(crate) fn fax_url(&self) -> String {
        format!("{}/fax", self.origin)
    }
}

impl Shared {
    #[expect(clippy::disallowed_methods, reason = "the app is not part of the emulator")]
    async fn serve(self: Arc<Self>, listener: TcpListener, mut over: watch::Receiver<bool>) {
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => accepted.expect("a connection").0,
                _ = over.wait_for(|is_over| *is_over) => return,
            };
            let app = Arc::clone(&self);
            let never_closes = self.has(Fault::KeepsOpen);
            Handle::current().spawn(async move {
                let stream: Box<dyn Wire> = match &app.tls {
                    None => Box::new(stream),
                    Some(tls) => match tls.accept(stream).await {
                        Some(stream) => stream,
                        None => return,
                    },
                };
                let service = service_fn(move |request| {
                    let app = Arc::clone(&app);
                    async move { Ok::<_, std::convert::Infallible>(app.respond(request).await) }
                });
                let stream = TokioIo::new(Connection { stream, never_closes });
                let _ = http1::Builder::new().serve_connection(stream, service).await;
            });
        }
    }

    /// Does work that the response doesn't wait for.
    #[expect(clippy::disallowed_methods, reason = "the app is not part of the emulator")]
    pub(crate) fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        Handle::current().spawn(work);
    }

    pub(crate) fn remember_api(&self, url: &str) {
        url.clone_into(&mut self.api.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn api(&self) -> String {
        self.api.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    async fn respond(self: &Arc<Self>, request: Request<hyper::body::Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(Body::new(body), BODY_BYTES_MAX).await.unwrap_or_default();
        let response = self.handle(&parts.method, &parts.uri, &parts.headers, &body).await;
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.is_over.send_replace(true);
        }
        response
    }

    async fn handle(self: &Arc<Self>, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response<Body> {
        let fails = if method == Method::GET { Fault::FailsForGet } else { Fault::FailsForHead };
        if method != Method::POST && self.has(fails) {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        match uri.path() {
            "/records" => {
                let faxes: Vec<String> = self.records().into_iter().map(|record| record.fax).collect();
                return axum::Json(json!({ "received": faxes, "sent": self.sent.all() })).into_response();
            }
            "/inbox" => return checked_inbox::page(self),
            "/visits" => return self.visits.fetch_add(1, Ordering::Relaxed).to_string().into_response(),
            "/send" => return checked_sender::send(self, uri).await.into_response(),
            "/fax" if method != Method::POST && self.has(Fault::ServesGet) => return self.twiml(),
            "/fax" | "/fax/final" | "/received" | "/status" if method == self.method() => {}
            "/fax" | "/fax/final" | "/received" | "/status" => return StatusCode::METHOD_NOT_ALLOWED.into_response(),
            _ => return StatusCode::NOT_FOUND.into_response(),
        }
        if uri.path() == "/fax" {
            if self.has(Fault::Hangs) {
                std::future::pending::<()>().await;
            }
            if self.has(Fault::Redirects) {
                let to = format!("/fax/final{}", uri.query().map(|query| format!("?{query}")).unwrap_or_default());
                return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response();
            }
        }
        if self.has(Fault::IsSlow) {
            tokio::time::interval_at(tokio::time::Instant::now() + SLOW, SLOW).tick().await;
        }
        let takes_get = self.habits.takes_get;
        let query = uri.query().unwrap_or_default().as_bytes();
        let Ok(form) = Form::parse(if takes_get { query } else { body }) else { return self.malformed() };
        let params: Vec<(String, String)> =
            form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let get = |name: &str| form.get(name).unwrap_or_default();
        checked_receiver::queue_up(self).await;
        if self.has(Fault::ActsFirst) && uri.path() != "/fax" {
            checked_inbox::download(self, get("MediaUrl")).await;
        }
        // The signature of a GET covers its URL, which contains the parameters.
        if !self.trusts(uri, headers, if takes_get { Vec::new() } else { params }) {
            let is_unsigned = !headers.contains_key("x-twilio-signature");
            if self.has(Fault::RecordsFirst) && is_unsigned && uri.path() == "/received" {
                self.add_record(Record::of(&form));
            }
            return StatusCode::FORBIDDEN.into_response();
        }
        if get("FaxSid").is_empty() || get("AccountSid") != self.account {
            return self.malformed();
        }
        if self.has(Fault::WantsOrder) && form.iter().next().is_none_or(|(name, _)| name != "FaxSid") {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let refusal = checked_receiver::refusal(self, uri, &form);
        if let Some(status) = refusal.or_else(|| checked_inbox::refusal(self, uri, &form)) {
            return status.into_response();
        }
        match uri.path() {
            "/received" if self.has(Fault::FailsInAction) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            "/received" => checked_inbox::receive(self, &form).await.into_response(),
            "/status" => checked_sender::notified(self, &form).into_response(),
            _ => {
                checked_inbox::ring(self, &form);
                self.twiml()
            }
        }
    }

    /// Returns the method that the app wants.
    fn method(&self) -> Method {
        if self.habits.takes_get { Method::GET } else { Method::POST }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn add_record(&self, record: Record) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    /// Adds a record, unless there is one of the same fax. Returns whether it was added. The lock covers both steps, so that
    /// two notifications at the same moment add one record.
    pub(crate) fn add_record_once(&self, record: Record) -> bool {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = records.iter().all(|known| known.fax != record.fax);
        if is_new {
            records.push(record);
        }
        is_new
    }

    fn twiml(&self) -> Response<Body> {
        if self.has(Fault::GivesHtml) {
            return axum::response::Html("<!DOCTYPE html><html><body>Welcome\u{1b}[2J</body></html>").into_response();
        }
        let mark = if self.has(Fault::HasByteOrderMark) { "\u{feff}" } else { "" };
        let kind = if self.has(Fault::NamesTwimlHtml) { "text/html" } else { "text/xml" };
        let method = self.method();
        let receive = format!("<Receive action=\"/received\" method=\"{method}\"/>");
        let xml = format!("{mark}<?xml version=\"1.0\"?><Response>{receive}</Response>");
        ([(header::CONTENT_TYPE, kind)], xml).into_response()
    }

    fn malformed(&self) -> Response<Body> {
        if self.has(Fault::ShowsTraces) {
            return (StatusCode::INTERNAL_SERVER_ERROR, TRACEBACK).into_response();
        }
        StatusCode::BAD_REQUEST.into_response()
    }

    /// Returns whether the app accepts the request's signature.
    fn trusts(&self, uri: &Uri, headers: &HeaderMap, mut params: Vec<(String, String)>) -> bool {
        let given = headers.get("x-twilio-signature").or_else(|| headers.get("x-signalwire-signature"));
        let given = given.and_then(|value| value.to_str().ok());
        if self.has(Fault::VerifiesNothing)
            || (self.has(Fault::AllowsMissing) && given.is_none())
            || (self.has(Fault::TrustsNotices) && uri.path() != "/fax")
        {
            return true;
        }
        let Some(given) = given else { return false };
        if self.has(Fault::HasFixedList) {
            params.retain(|(name, _)| KNOWN.contains(&name.as_str()));
        }
        if self.has(Fault::Trims) {
            params.iter_mut().for_each(|(_, value)| *value = value.trim().to_owned());
            params.retain(|(_, value)| !value.is_empty());
        }
        self.urls(uri, headers).iter().any(|url| of_form(&self.token, url, &params) == given)
    }

    /// Returns the URLs for which the app accepts a signature: the URL as the app or a proxy in front of it sees it, and the
    /// same one with and without the default port.
    fn urls(&self, uri: &Uri, headers: &HeaderMap) -> Vec<String> {
        let forwarded = |name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).filter(|_| !self.has(Fault::IgnoresProxy))
        };
        let (own_scheme, own_authority) = self.origin.split_once("://").expect("an origin");
        let scheme = forwarded("x-forwarded-proto").unwrap_or(own_scheme);
        let authority = forwarded("x-forwarded-host").unwrap_or(own_authority);
        let target = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let target = if self.has(Fault::IgnoresQuery) { uri.path().to_owned() } else { target };
        let mut urls = vec![format!("{scheme}://{authority}{target}")];
        if !self.has(Fault::WantsOnePort) {
            let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
            let port = if scheme == "https" { 443 } else { 80 };
            urls.extend([format!("{scheme}://{host}{target}"), format!("{scheme}://{host}:{port}{target}")]);
        }
        urls
    }
}

/// A connection that, if `never_closes`, stays open when the server closes it.
struct Connection {
    stream: Box<dyn Wire>,
    never_closes: bool,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.never_closes { Poll::Pending } else { Pin::new(&mut self.stream).poll_shutdown(cx) }
    }
}
