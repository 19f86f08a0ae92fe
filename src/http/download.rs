//! Applies a tester's `media` rule, or one that pedantic mode implies, to a download of a fax's media: delays, slows,
//! cuts off, redirects or refuses it. All of this happens in real time, while the response is sent, and holds up only
//! the download's own connection.

use std::io;
use std::time::Duration;

use axum::body::{self, Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::traffic::DownloadRecord;
use super::{asked_path, origin, reply};
use crate::dialect::sentence;
use crate::emulator::{Registry, World};
use crate::engine::Engine;
use crate::engine::event::EventKind;
use crate::engine::input::MediaRequested;
use crate::engine::rule::check::MEDIA_REDIRECTS_MAX;
use crate::engine::rule::{DownloadFault, RuleEffect};
use crate::model::media::MediaFault;
use crate::model::sid::FaxSid;
use crate::model::webhook::ActingRule;

/// The query parameter, in the URL of a redirect, that carries the rest of a rule's effect: the number of further
/// redirects, the speed, and the number of bytes before the cut, separated by dots. The signature of a media URL
/// doesn't cover it.
const REST: &str = "X-Fauxfax-Redirect";
/// The number of pieces per second in which a slowed download is sent.
const PIECES_PER_SECOND: u32 = 10;
/// The wait between the last byte and the cut, which gives hyper time to send what has been written: when a body fails,
/// hyper drops whatever it has not sent yet.
const CUT_PAUSE: Duration = Duration::from_millis(100);

/// Returns what a rule does to a download, and which rule that is; a tester's rule is journaled. If the download
/// follows a redirect by a rule, its URL carries the rest of the effect, but not the rule; rules aren't matched again.
pub(super) fn fault_of(
    world: &World,
    parts: &Parts,
    fax: FaxSid,
    document_bytes: usize,
) -> Option<(Option<ActingRule>, DownloadFault)> {
    if let Some(rest) = rest(parts) {
        return Some((None, rest));
    }
    // Only a world with rules for downloads, or in pedantic mode, decides about each download.
    if !world.read(Engine::has_media_rules) {
        return None;
    }
    let (method, path) = (parts.method.as_str().into(), asked_path(parts).into());
    // If no rule matches this download, or the world has broken meanwhile, the download proceeds as usual.
    let (rule, fault) = world.handle(MediaRequested { fax, method, path }).ok().flatten()?;
    match rule {
        ActingRule::Tester(id) => world.note(Some(fax), event(id, fault, document_bytes)),
        // The event `pedantic.acted` suffices: pedantic mode cuts nothing off, so no number of bytes has to be added.
        ActingRule::Pedantic => {}
    }
    Some((Some(rule), fault))
}

/// Answers a download as a rule says; `document` makes the usual response.
pub(super) async fn changed(
    registry: &Registry,
    parts: &Parts,
    fault: DownloadFault,
    document: impl FnOnce() -> Response,
) -> Response {
    if fault.delay_ms > 0 {
        wait(registry, Duration::from_millis(fault.delay_ms)).await;
    }
    if let Some(status) = fault.status {
        return refused(status);
    }
    if fault.redirects > 0 {
        return redirect(registry, parts, fault);
    }
    document()
}

/// Returns whether a response with a document is sent at a rule's speed, or only up to a rule's cut.
pub(super) fn is_paced(fault: DownloadFault, method: &Method, response: &Response) -> bool {
    let is_changed = fault.bytes_per_second.is_some() || fault.cut_after_bytes.is_some();
    is_changed && *method == Method::GET && response.status().is_success()
}

/// Sends a document at a rule's speed and up to the rule's cut. Then the download appears in the traffic, and if the
/// client has given up, the journal gets a warning.
pub(super) async fn paced(
    registry: &Registry,
    world: &World,
    response: Response,
    fault: DownloadFault,
    record: DownloadRecord,
) -> Response {
    let (mut head, whole) = response.into_parts();
    // A document is a single piece in memory, so this neither waits nor fails nor copies.
    let whole = body::to_bytes(whole, usize::MAX).await.unwrap_or_default();
    // hyper can't know the length of a stream.
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let end = End { registry: registry.clone(), world: world.clone(), record: Some(record) };
    Response::from_parts(head, stream_of(Sending::new(&whole, fault, end)))
}

/// Waits in real time, at most until the emulator stops. Returns whether the time has passed.
async fn wait(registry: &Registry, span: Duration) -> bool {
    tokio::select! {
        () = registry.pause(span) => true,
        () = registry.stopping() => false,
    }
}

/// Returns the event that says what a rule does to a download.
fn event(rule: u64, fault: DownloadFault, document_bytes: usize) -> EventKind {
    let what = sentence::of_rule(rule, &RuleEffect::Media(fault), None);
    let size = || format!("{what}; the document has {document_bytes} bytes");
    let detail = fault.cut_after_bytes.map_or_else(|| what.clone(), |_| size()).into();
    match fault.status {
        Some(status) => EventKind::MediaRefused { status, fault: MediaFault::Rule, detail },
        None => EventKind::MediaWarning { fault: MediaFault::Rule, detail },
    }
}

/// Returns an error in the form of S3's errors.
fn refused(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = status.canonical_reason().unwrap_or("Refused");
    let code: String = message.chars().filter(char::is_ascii_alphanumeric).collect();
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let body = format!("{xml}<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

/// Returns a redirect to the same document, with one redirect fewer to follow.
fn redirect(registry: &Registry, parts: &Parts, fault: DownloadFault) -> Response {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let (rate, cut) = (number(fault.bytes_per_second), number(fault.cut_after_bytes));
    let rest = format!("{REST}={}.{rate}.{cut}", fault.redirects - 1);
    let query = parts.uri.query().unwrap_or_default();
    let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with(REST));
    let query = others.chain([rest.as_str()]).collect::<Vec<_>>().join("&");
    let origin = origin(parts, registry.settings().public_url.as_ref());
    let to = format!("{origin}{}?{query}", asked_path(parts));
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

/// Returns what remains of a rule's effect according to the URL; `None` if the URL isn't that of a redirect.
fn rest(parts: &Parts) -> Option<DownloadFault> {
    let query = reply::form(parts.uri.query()?.as_bytes()).ok()?;
    let mut numbers = query.get(REST)?.split('.').map(|number| number.parse::<u32>());
    // A client may have changed the URL, but can only slow or cut off its own download.
    let redirects = numbers.next()?.ok()?.min(MEDIA_REDIRECTS_MAX);
    let bytes_per_second = numbers.next().and_then(Result::ok).filter(|rate| *rate > 0);
    let cut_after_bytes = numbers.next().and_then(Result::ok);
    Some(DownloadFault { redirects, bytes_per_second, cut_after_bytes, ..DownloadFault::default() })
}

/// A document that is being sent at a rule's speed, or up to a cut.
struct Sending {
    /// The length of the whole document.
    whole_bytes: usize,
    /// The number of bytes that have been sent.
    sent_bytes: usize,
    /// The bytes that are still to be sent.
    left: Bytes,
    /// The number of bytes to send at a time.
    piece_bytes: usize,
    /// Whether there is a pause before each piece except the first.
    is_slow: bool,
    is_first: bool,
    /// Whether the connection is closed after the last byte.
    is_cut: bool,
    /// Whether the emulator itself has ended the download.
    has_ended: bool,
    end: End,
}

/// The record of a download, and where to put it when the download ends.
struct End {
    registry: Registry,
    world: World,
    record: Option<DownloadRecord>,
}

fn stream_of(sending: Sending) -> Body {
    Body::from_stream(stream::unfold(Some(sending), |sending| async {
        let mut sending = sending?;
        let piece = sending.next().await?;
        // Nothing follows a failure.
        let rest = piece.is_ok().then_some(sending);
        Some((piece, rest))
    }))
}

impl Sending {
    fn new(whole: &Bytes, fault: DownloadFault, end: End) -> Self {
        let cut = fault.cut_after_bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let cut = cut.filter(|bytes| *bytes < whole.len());
        let piece = fault.bytes_per_second.map(|rate| (rate / PIECES_PER_SECOND).max(1));
        Self {
            whole_bytes: whole.len(),
            sent_bytes: 0,
            left: whole.slice(..cut.unwrap_or(whole.len())),
            piece_bytes: piece.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX),
            is_slow: piece.is_some(),
            is_first: true,
            is_cut: cut.is_some(),
            has_ended: false,
            end,
        }
    }

    /// Returns the next piece, or an error that closes the connection; `None` at the end of the document.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.left.is_empty() {
            if self.is_cut {
                wait(&self.end.registry, CUT_PAUSE).await;
            }
            self.has_ended = true;
            return self.is_cut.then(|| Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let pause = Duration::from_secs(1) / PIECES_PER_SECOND;
        if self.is_slow && !self.is_first && !wait(&self.end.registry, pause).await {
            self.has_ended = true;
            return Some(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.is_first = false;
        let bytes = self.piece_bytes.min(self.left.len());
        self.sent_bytes += bytes;
        Some(Ok(self.left.split_to(bytes)))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let Some(record) = self.end.record.take() else { return };
        // hyper drops a body as soon as the client has closed the connection.
        if !self.has_ended && !self.left.is_empty() {
            let (sent, whole) = (self.sent_bytes, self.whole_bytes);
            let detail =
                format!("the client closed the connection after at most {sent} of the document's {whole} bytes");
            let warning = EventKind::MediaWarning { fault: MediaFault::GivenUp, detail: detail.into() };
            self.end.world.note(record.fax(), warning);
        }
        record.note_after(&self.end.registry, self.sent_bytes);
    }
}
