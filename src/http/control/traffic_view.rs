//! The form in which `GET /traffic` returns a request in either direction, with its response. Secrets are masked.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::event::moment;
use super::masked::{pairs, without_passwords};
use super::request;
use crate::dialect::advice::{self, Advice};
use crate::dialect::{mask, sentence};
use crate::emulator::NoWorld;
use crate::engine::event::{Alert, AlertLevel, EventKind};
use crate::model::account::Dialect;
use crate::model::webhook::{ExchangeRecord, Purpose};
use crate::model::words::words;
use crate::world::feed::{Feed, News};
use crate::world::journal::{ApiRequest, JournalEvent, RequestedService};

words!(
    /// The kinds of requests.
    RequestKind {
        /// A client's call to a REST API.
        Rest = "rest",
        /// A client's download of a fax's media.
        Media = "media",
        /// A request for TwiML or a notice to an app.
        Webhook = "webhook",
        /// The request for an outbound fax's document.
        Document = "document",
        /// A webhook that was sent again by a tester.
        Replay = "replay",
    }
);

/// A request in either direction, with its response.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Request")]
pub(super) struct RequestView {
    /// Place in the sequence of all accounts' events, unrelated to the places in any journal. Places ascend, with gaps.
    seq: u64,
    /// Time of the response, by the system's clock.
    at: String,
    /// SID of the account; for a request that reached none, the account that the request names.
    pub(super) account_sid: Option<String>,
    /// SID of the fax or call that the request is about.
    pub(super) fax_sid: Option<String>,
    /// `in` for a request of a client, `out` for a request to an app.
    pub(super) direction: &'static str,
    /// `rest`, `media`, `webhook`, `document` or `replay`.
    pub(super) kind: &'static str,
    /// The purpose of a request to an app, such as `status-callback`.
    purpose: Option<&'static str>,
    pub(super) method: String,
    /// Path and query, with secrets masked.
    path: String,
    /// The whole URL of a request to an app, with secrets masked; null for a request of a client.
    url: Option<String>,
    /// The URL of the last request, if redirects were followed; null otherwise.
    redirected_to: Option<String>,
    /// The parameters. For a client's request, those in the query and the body. For a webhook, those that the emulator
    /// adds to the app's URL or sends in the body, but not those in the URL that the app configured.
    params: Value,
    request_headers: Option<Value>,
    /// The HTTP status of the response; null if there was no response.
    pub(super) status: Option<u16>,
    /// The error code of the response or of the failure.
    pub(super) code: Option<u32>,
    /// Why there is no response or, for a request to an app, why its response is an error or could not be used. Has the
    /// fields `code` and `message`.
    error: Option<Value>,
    response_headers: Option<Value>,
    /// The beginning of the response's body; null if it is empty or a document. A response to a client is JSON, or a
    /// string if it isn't JSON or was cut off; a response of an app is always a string.
    answer: Value,
    /// Length of the response's body in bytes, if it is known.
    answer_bytes: Option<usize>,
    /// Time from the request to the end of the response.
    duration_ms: f64,
    /// Why the request reached no account, as a word from docs/control-api.md.
    reason: Option<&'static str>,
    /// What went wrong, in plain words, if it can be explained.
    cause: Option<String>,
    /// What to do about it.
    advice: Option<String>,
    /// What is unusual about the request or its response, such as a retry, or what a rule or pedantic mode did.
    note: Option<String>,
}

/// Why a request to an app failed.
struct Fault {
    code: u32,
    message: String,
    advice: Advice,
}

impl RequestView {
    /// Returns the view of an entry, if it is a request.
    pub(super) fn of(news: &News, feed: &Feed) -> Option<Self> {
        match news.request() {
            Some(request) => Some(of_client(news, request)),
            None => to_app(news, news.journaled()?, feed),
        }
    }

    /// Returns the address: the URL of a request to an app, or a client's path and query.
    pub(super) fn address(&self) -> &str {
        self.url.as_deref().unwrap_or(&self.path)
    }

    /// Returns whether the response is an error, or there was no usable one.
    pub(super) fn has_failed(&self) -> bool {
        self.error.is_some() || self.status.is_none_or(|status| status >= 400)
    }

    /// Returns the values that a search for a text looks through: parameters, headers, the response and the error.
    pub(super) fn objects(&self) -> impl Iterator<Item = &Value> {
        let headers = self.request_headers.iter().chain(&self.response_headers);
        [&self.params, &self.answer].into_iter().chain(headers).chain(&self.error)
    }

    /// Returns the words that a search for a text looks through.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let optional = [
            self.account_sid.as_deref(),
            self.fax_sid.as_deref(),
            self.redirected_to.as_deref(),
            self.purpose,
            self.reason,
        ];
        optional.into_iter().flatten().chain([self.address()])
    }
}

fn of_client(news: &News, request: &ApiRequest) -> RequestView {
    let kind = match request.service {
        RequestedService::Rest => RequestKind::Rest,
        RequestedService::Media => RequestKind::Media,
    };
    // A request that no account took may be in the journal of the default account, to which it doesn't belong. So the
    // view shows the account that the request names, if any.
    let account = if request.no_world.is_some() { request.named } else { news.account };
    let dialect = account.map_or(Dialect::Twilio, Dialect::of);
    let of_code = || request.code.and_then(|code| advice::of_code(code, dialect));
    let (cause, remedy) = told(request.no_world.map(refusal).or_else(of_code));
    RequestView {
        seq: news.seq,
        at: moment(news.at),
        account_sid: account.map(|sid| sid.to_string()),
        fax_sid: request.fax.map(|sid| sid.to_string()),
        direction: "in",
        kind: kind.as_str(),
        purpose: None,
        method: request.method.to_string(),
        path: request.path.to_string(),
        url: None,
        redirected_to: None,
        params: request::params(request),
        request_headers: None,
        status: request::status(request),
        code: request.code,
        error: request.is_reset.then(|| json!({ "code": null, "message": request::RESET })),
        response_headers: None,
        answer: request::answer(&request.response),
        answer_bytes: Some(request.response.whole_bytes),
        duration_ms: request::duration_ms(request),
        reason: request.no_world.map(NoWorld::as_str),
        cause,
        advice: remedy,
        note: request::note(request),
    }
}

/// Returns the view of a request to an app; `None` if the event isn't about one.
fn to_app(news: &News, event: &JournalEvent, feed: &Feed) -> Option<RequestView> {
    let kind = event.engine_kind()?;
    let record = kind.exchange()?;
    let fault = Fault::of(record, event.dialect).or_else(|| Fault::of_response(news.seq, record, event.dialect, feed));
    let url = mask::target(&record.url).into_owned();
    let (cause, remedy) = told(fault.as_ref().map(|fault| fault.advice.clone()));
    let kind = match (kind, record.purpose) {
        (EventKind::WebhookReplayed { .. }, _) => RequestKind::Replay,
        (_, Purpose::MediaUrl) => RequestKind::Document,
        _ => RequestKind::Webhook,
    };
    Some(RequestView {
        seq: news.seq,
        at: moment(news.at),
        account_sid: news.account.map(|sid| sid.to_string()),
        fax_sid: event.fax().map(|sid| sid.to_string()),
        direction: "out",
        kind: kind.as_str(),
        purpose: Some(record.purpose.as_str()),
        method: record.method.as_str().to_owned(),
        path: path_of(&url).to_owned(),
        url: Some(url),
        redirected_to: record.redirected_to.as_deref().map(|to| mask::target(to).into_owned()),
        params: without_passwords(pairs(&record.params)),
        request_headers: Some(without_passwords(pairs(&record.request_headers))),
        status: record.status,
        code: fault.as_ref().map(|fault| fault.code),
        error: fault.map(|fault| without_passwords(json!({ "code": fault.code, "message": fault.message }))),
        response_headers: Some(without_passwords(pairs(&record.response_headers))),
        answer: without_passwords(body(record)),
        answer_bytes: None,
        #[expect(
            clippy::cast_precision_loss,
            reason = "a request takes far less than the time after which digits get lost"
        )]
        duration_ms: record.duration_ms as f64,
        reason: None,
        cause,
        advice: remedy,
        note: sentence::of_delivery(&record.delivery),
    })
}

impl Fault {
    /// Returns why a request got no response, or got an error.
    fn of(record: &ExchangeRecord, dialect: Dialect) -> Option<Self> {
        let failure = record.failure.as_ref()?;
        let advice = advice::of_exchange(record, dialect)?;
        Some(Self { code: dialect.code(failure.fault()), message: failure.to_string(), advice })
    }

    /// Returns why a response could not be used, for example because its TwiML can't be read. The reason comes from the
    /// alert about the response. The alerts about a response follow its request in the feed, the warnings first, and
    /// all of them are published together.
    fn of_response(seq: u64, record: &Arc<ExchangeRecord>, dialect: Dialect, feed: &Feed) -> Option<Self> {
        let entries = feed.following(seq, |news| alert_about(record, news).is_some());
        let mut alerts = entries.iter().filter_map(|news| alert_about(record, news));
        alerts.find(|alert| alert.level == AlertLevel::Error).map(|alert| Self {
            code: dialect.code(alert.fault),
            message: alert.message.to_string(),
            advice: advice::of_alert(alert, dialect),
        })
    }
}

/// Returns the alert in an entry, if it is about this exchange.
fn alert_about<'a>(record: &Arc<ExchangeRecord>, news: &'a News) -> Option<&'a Alert> {
    let EventKind::Alert(alert) = news.journaled()?.engine_kind()? else { return None };
    alert.record.as_ref().is_some_and(|own| Arc::ptr_eq(own, record)).then_some(alert)
}

/// Returns why a request belongs to no account, and what to do.
fn refusal(reason: NoWorld) -> Advice {
    Advice { cause: reason.cause().to_owned(), remedy: reason.remedy().to_owned() }
}

fn told(advice: Option<Advice>) -> (Option<String>, Option<String>) {
    let masked = |text: String| mask::passwords(&text).into_owned();
    advice.map(|Advice { cause, remedy }| (masked(cause), masked(remedy))).unzip()
}

fn body(record: &ExchangeRecord) -> Value {
    if record.response_body.is_empty() { Value::Null } else { Value::from(record.response_body.as_str()) }
}

/// Returns the path and query of a URL.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?', '#']).map_or("/", |at| &rest[at..])
}
