//! Records downloads and the requests that were assigned to no world. Also masks and shortens the targets of requests,
//! and measures how long requests take.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;

use super::credential::account_of;
use super::dialects::dialect_of_client;
use super::{asked_path, asked_target, reply};
use crate::dialect::error::ApiError;
use crate::dialect::mask;
use crate::emulator::{NoWorld, Registry};
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::time::Timestamp;
use crate::model::webhook::ActingRule;
use crate::world::journal::{ApiRequest, Excerpt, RequestedService};

/// The maximum number of bytes that are kept of a target; real targets are shorter.
const TARGET_LEN_MAX: usize = 2_048;

/// The time at which a request's head arrived, counted from the creation of the emulator. It is added to the extensions
/// of a request only if the request isn't a REST call: the first extension costs an allocation, and most requests are
/// REST calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived(Duration);

impl Arrived {
    /// Returns the current moment.
    pub(super) fn now(registry: &Registry) -> Self {
        Self(registry.uptime())
    }

    /// Returns the moment at which a request other than a REST call arrived.
    pub(super) fn of(parts: &Parts) -> Self {
        // The router adds the moment to each such request.
        parts.extensions.get().copied().unwrap_or(Self(Duration::ZERO))
    }

    /// Returns the time since the request arrived.
    pub(super) fn elapsed(self, registry: &Registry) -> Duration {
        registry.uptime().saturating_sub(self.0)
    }
}

/// The reason a request was assigned to no world, and the account that it names, if any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unassignable {
    pub(super) account: Option<AccountSid>,
    pub(super) reason: NoWorld,
}

/// The response to a request, as it is recorded.
pub(super) struct ResponseRecord {
    pub(super) status: u16,
    /// Twilio's or SignalWire's error code, if the response has one.
    pub(super) code: Option<u32>,
    /// The body of the response.
    pub(super) body: Excerpt,
    /// Whether the connection is reset instead, as a rule of a tester or of pedantic mode demands.
    pub(super) is_reset: bool,
    /// The rule that changed the response, if one did.
    pub(super) rule: Option<ActingRule>,
}

/// Returns the error as a response to a request that was refused before it reached a world, and records the request.
pub(super) fn refuse(
    registry: &Registry,
    (parts, arrived): (&Parts, Arrived),
    why: Unassignable,
    error: &ApiError,
) -> Response {
    note_refused(registry, (parts, arrived), why, ResponseRecord::with(parts, error));
    reply::error_at(parts, error)
}

/// Records a request that was refused before it reached a world.
pub(super) fn note_refused(registry: &Registry, head: (&Parts, Arrived), why: Unassignable, answered: ResponseRecord) {
    registry.note_refused(request(registry, head, RequestedService::Rest, why, answered));
}

/// Records a request only in the traffic, because it belongs in no journal.
pub(super) fn note(
    registry: &Registry,
    head: (&Parts, Arrived),
    service: RequestedService,
    why: Unassignable,
    answered: ResponseRecord,
) {
    let request = request(registry, head, service, why, answered);
    registry.feed().add_request(request.named, Arc::new(request));
}

/// Records a download of a fax's media.
pub(super) fn note_download(registry: &Registry, parts: &Parts, of: (AccountSid, FaxSid), answered: ResponseRecord) {
    DownloadRecord::new(registry, parts, of, answered).note(registry);
}

/// The record of a download, which is added to the traffic when the download has ended.
pub(super) struct DownloadRecord {
    account: AccountSid,
    arrived: Arrived,
    request: ApiRequest,
}

impl DownloadRecord {
    /// Describes a download that has just been answered.
    pub(super) fn new(
        registry: &Registry,
        parts: &Parts,
        (account, fax): (AccountSid, FaxSid),
        answered: ResponseRecord,
    ) -> Self {
        let arrived = Arrived::of(parts);
        let described = described(registry, (parts, arrived), RequestedService::Media, answered);
        Self { account, arrived, request: ApiRequest { fax: Some(fax), ..described } }
    }

    /// Returns the fax whose document is downloaded.
    pub(super) const fn fax(&self) -> Option<FaxSid> {
        self.request.fax
    }

    /// Adds the download to the traffic.
    pub(super) fn note(self, registry: &Registry) {
        registry.feed().add_request(Some(self.account), Arc::new(self.request));
    }

    /// Adds the download, which has ended after this number of bytes, to the traffic.
    pub(super) fn note_after(mut self, registry: &Registry, bytes: usize) {
        self.request.duration = self.arrived.elapsed(registry);
        self.request.response = Excerpt::omitted(bytes);
        self.note(registry);
    }
}

fn request(
    registry: &Registry,
    (parts, arrived): (&Parts, Arrived),
    service: RequestedService,
    why: Unassignable,
    answered: ResponseRecord,
) -> ApiRequest {
    let named = why.account.or_else(|| account_of(&parts.headers));
    ApiRequest { no_world: Some(why.reason), named, ..described(registry, (parts, arrived), service, answered) }
}

/// Returns the record of a request whose body was not read.
fn described(
    registry: &Registry,
    (parts, arrived): (&Parts, Arrived),
    service: RequestedService,
    answered: ResponseRecord,
) -> ApiRequest {
    let ResponseRecord { status, code, body, is_reset, rule } = answered;
    ApiRequest {
        service,
        // Replaced by the time of the journal that takes the request, if one does.
        at: Timestamp::default(),
        fax: None,
        method: name_of(&parts.method),
        path: target(parts),
        status,
        code,
        form: Excerpt::default(),
        response: body,
        duration: arrived.elapsed(registry),
        is_reset,
        rule,
        no_world: None,
        named: None,
    }
}

/// Returns the path and query as the client wrote them, with secrets masked.
pub(super) fn target(parts: &Parts) -> Box<str> {
    let target = asked_target(parts).path_and_query().map_or("", |target| target.as_str());
    // Masked before it is cut, because a secret might not be recognised in half an escape or half a URL.
    let masked = mask::target(target);
    masked.get(..masked.floor_char_boundary(TARGET_LEN_MAX)).unwrap_or_default().into()
}

/// Returns a method's name, without allocating if it is a common one.
pub(super) fn name_of(method: &Method) -> Cow<'static, str> {
    match *method {
        Method::GET => "GET".into(),
        Method::POST => "POST".into(),
        Method::DELETE => "DELETE".into(),
        _ => method.to_string().into(),
    }
}

impl Unassignable {
    /// Returns the reason for a request that names no account.
    pub(super) const fn because(reason: NoWorld) -> Self {
        Self { account: None, reason }
    }
}

impl ResponseRecord {
    /// Describes a response of this status that no rule has changed.
    pub(super) const fn usual(status: u16, code: Option<u32>, body: Excerpt) -> Self {
        Self { status, code, body, is_reset: false, rule: None }
    }

    /// Describes a call whose connection this rule resets.
    pub(super) fn reset(rule: ActingRule) -> Self {
        Self { status: 0, code: None, body: Excerpt::default(), is_reset: true, rule: Some(rule) }
    }

    /// Describes the response to a request that is refused with this error.
    pub(super) fn with(parts: &Parts, error: &ApiError) -> Self {
        let dialect = dialect_of_client(parts);
        let body = Excerpt::of(&reply::error_body(parts, error));
        Self::usual(error.status(dialect), Some(error.code(dialect)), body)
    }
}

/// Returns a 404 for a path without a resource, and records the request.
pub(super) fn no_such_resource(registry: &Registry, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let error = ApiError::not_found(asked_path(&parts));
    let head = (&parts, Arrived::of(&parts));
    refuse(registry, head, Unassignable::because(NoWorld::UnknownPath), &error)
}
