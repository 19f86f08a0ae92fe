//! Performs the effects that engines ask for: requests to apps (the HTTP client, and the webhooks and document fetches
//! made with it) and the rendering of documents. Nothing here depends on the state of a fax, and nothing is retried.
//! The memory budget for bodies and the writing of files are here, too.

pub mod budget;
#[cfg(feature = "tls")]
mod certificate;
mod challenge;
pub mod client;
pub(crate) mod connect;
pub mod fetch;
pub mod file;
pub(crate) mod multipart;
mod options;
pub mod own;
pub(crate) mod plain;
mod redirect;
pub mod render;
mod stream;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "without_tls.rs"]
mod tls;
pub(crate) mod trial;
mod webhook;

use std::sync::Arc;

pub use self::webhook::Replay;

use self::budget::Budget;
use self::client::{Client, ClientOptions, Exchange, Response};
use self::own::OwnNames;
use self::render::Renderer;
use crate::dialect::mask::MASK;
use crate::engine::Engine;
use crate::engine::effect::{Effect, Intent};
use crate::engine::input::{DocumentFault, EffectResult};
use crate::model::account::Dialect;
use crate::model::media::Document;
use crate::model::reference::without_userinfo;
use crate::model::sid::{AccountSid, FaxSid, TwimlBinSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{Delivery, ExchangeFailure, ExchangeRecord, Method, Purpose};

/// The maximum number of bytes of a response body that the journal keeps.
pub(crate) const EXCERPT_BYTES_MAX: usize = 4 * 1024;
/// The headers whose values are masked in the journal.
const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "set-cookie"];

/// The account on whose behalf requests are made and signed.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The SID of the account.
    pub account: AccountSid,
    /// The account's dialect, which determines the headers and how requests are signed.
    pub dialect: Dialect,
    /// The account's signing key or, if it has none, its token; requests are signed with it.
    pub key: Box<str>,
    /// The key that media URLs are signed with.
    pub media_key: Arc<[u8]>,
    /// The latest time that the engine has seen, by the world's clock.
    pub now: Timestamp,
}

impl Signer {
    /// Returns the signer for a world's account, at the latest time that the engine has seen.
    #[must_use]
    pub fn of(engine: &Engine, media_key: Arc<[u8]>) -> Self {
        let account = engine.account();
        let key = account.webhook_key().unwrap_or_default().into();
        Self { account: account.sid, dialect: account.dialect, key, media_key, now: engine.latest() }
    }
}

/// The performer of the effects that engines ask for, each of which is a request or a rendering.
#[derive(Clone)]
pub struct Performer {
    client: Client,
    renderer: Renderer,
    names: OwnNames,
}

impl Performer {
    /// Creates a performer with this client and renderer, for an emulator with these host names.
    #[must_use]
    pub const fn new(client: Client, renderer: Renderer, names: OwnNames) -> Self {
        Self { client, renderer, names }
    }

    /// Returns the memory budget that bodies in flight are charged to.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        self.client.budget()
    }

    /// Returns the options of the client that reaches apps.
    #[must_use]
    pub fn client_options(&self) -> &ClientOptions {
        self.client.options()
    }

    /// Returns the renderer that converts documents to pages.
    #[must_use]
    pub const fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    /// Fetches a document for a tester, signed like any other fetch, and counts its pages.
    ///
    /// # Errors
    /// Fails if the document can't be fetched or read.
    pub async fn document(&self, signer: &Signer, url: &str) -> Result<Document, DocumentFault> {
        let (record, fetched) = fetch::document(&self.client, signer, url).await;
        let (bytes, _room) = fetched.map_err(DocumentFault::Fetch)?;
        let read = self.renderer.probe(bytes).await;
        read.map_err(|unreadable| DocumentFault::Unreadable(fetch::explained(unreadable, &record)))
    }

    /// Sends a webhook again, with a new signature.
    pub async fn replay(&self, signer: &Signer, fax: Option<FaxSid>, replay: Replay) -> ExchangeRecord {
        webhook::replay(&self.client, signer, fax, replay).await
    }

    /// Returns the bin that an effect requests in place of an app, if the effect's URL is that of one of this
    /// emulator's bins.
    #[must_use]
    pub fn bin_of(&self, intent: &Intent) -> Option<TwimlBinSid> {
        match intent {
            Intent::AskForTwiml(request) => self.bin_at(&request.url),
            Intent::Deliver(notice) => self.bin_at(&notice.url),
            Intent::FetchDocument { .. } | Intent::Render(_) | Intent::NotifyOfMessage(_) | Intent::Report(_) => None,
        }
    }

    /// Returns the bin that a URL leads to, if its host is one of the emulator's names.
    #[must_use]
    pub fn bin_at(&self, url: &str) -> Option<TwimlBinSid> {
        self.names.bin_at(url)
    }

    /// Performs one effect and returns its result for the engine. `bin` is the content of the bin that the effect
    /// requests, if any, in which case no connection is made.
    pub async fn perform(&self, signer: &Signer, effect: Effect, bin: Option<Arc<str>>) -> EffectResult {
        let here = bin.map(|contents| Response::of_bin(&contents));
        match (&*effect.intent, effect.fax) {
            (Intent::FetchDocument { url, quality, documents }, _) => {
                let (record, fetched) = fetch::document(&self.client, signer, url).await;
                let document = match fetched {
                    // The document may have to wait for a renderer, so `_room` keeps it charged to the budget until it
                    // has been rendered.
                    Ok((bytes, _room)) => {
                        let rendered = self.renderer.to_send(bytes, *quality, *documents).await;
                        rendered.map_err(|reason| DocumentFault::Unreadable(fetch::explained(reason, &record)))
                    }
                    Err(failure) => Err(DocumentFault::Fetch(failure)),
                };
                EffectResult::Document { record, document }
            }
            (Intent::Render(request), _) => EffectResult::Rendered(self.renderer.received((**request).clone()).await),
            (Intent::AskForTwiml(request), Some(fax)) => webhook::ask(&self.client, signer, fax, request, here).await,
            (Intent::Deliver(notice), Some(fax)) => webhook::deliver(&self.client, signer, fax, notice, here).await,
            // The engine issues these two for a fax or call only.
            (Intent::AskForTwiml(_) | Intent::Deliver(_), None) => EffectResult::Lost,
            (Intent::NotifyOfMessage(notice), _) => webhook::notify_of_message(&self.client, signer, notice).await,
            (Intent::Report(report), _) => webhook::report(&self.client, signer, report).await,
        }
    }
}

/// Returns the part of an exchange that the journal keeps. Secret headers are masked, the user and password in a
/// redirect's URL are removed, and the response body is shortened.
fn record(purpose: Purpose, method: Method, params: Vec<(String, String)>, outcome: &Exchange) -> ExchangeRecord {
    let answer = outcome.answer.as_ref();
    let status = answer.map(|answer| answer.status);
    // The client treats a 4xx or 5xx as an ordinary response; the journal treats it as a failure.
    let refused = status.filter(|status| !(200..400).contains(status)).map(ExchangeFailure::HttpStatus);
    // If the body of an error response is too large, the error status is still the failure to report.
    let failure = match (&outcome.failure, refused) {
        (None | Some(ExchangeFailure::TooLarge { .. }), Some(refused)) => Some(refused),
        (failure, _) => failure.clone(),
    };
    ExchangeRecord {
        purpose,
        method,
        url: outcome.url.clone(),
        params,
        request_headers: masked(&outcome.request_headers),
        redirected_to: outcome.redirected.then(|| outcome.final_url.clone()),
        status,
        response_headers: answer.map(|answer| masked(&answer.headers)).unwrap_or_default(),
        response_body: answer.map(|answer| excerpt(&answer.body)).unwrap_or_default(),
        // Exchanges are timed in real time, whatever the world's clock shows.
        duration_ms: u64::try_from(outcome.elapsed.as_millis()).unwrap_or(u64::MAX),
        failure,
        // A placeholder: the engine sets the number of this delivery.
        delivery: Delivery::FIRST,
    }
}

fn masked(headers: &[(String, String)]) -> Vec<(String, String)> {
    let mask = |(name, value): &(String, String)| {
        let secret = SECRET_HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header));
        let value = match name.as_str() {
            _ if secret => MASK.to_owned(),
            // A redirect's URL may contain a user and password.
            "location" => without_userinfo(value),
            _ => value.clone(),
        };
        (name.clone(), value)
    };
    headers.iter().map(mask).collect()
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(EXCERPT_BYTES_MAX)]).into_owned()
}
