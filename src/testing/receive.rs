//! An incoming fax in a test: who calls with what, and the conversation that comes of it. The engine has it.

use std::future::{Future, IntoFuture};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::account::PATIENCE;
use super::{Account, Error};
use crate::clock::ClockMode;
use crate::dialect::incoming::IncomingFax;
use crate::document::sample;
pub use crate::engine::CallOutcome as Outcome;
use crate::engine::Fax;
use crate::engine::event::EventKind;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::io::render::Renderer;
use crate::model::media;
use crate::model::sid::FaxSid;
use crate::model::webhook::ExchangeRecord;
use crate::world::journal::Event;

/// What a fax machine sends.
#[derive(Debug, Clone)]
pub struct Document(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Pages(u32),
    Bytes(Arc<[u8]>),
}

impl Document {
    /// So many generated test pages.
    #[must_use]
    pub const fn pages(pages: u32) -> Self {
        Self(Kind::Pages(pages))
    }

    /// A document, recognised by its content.
    #[must_use]
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(Kind::Bytes(bytes.into()))
    }

    /// A file.
    ///
    /// # Errors
    /// It can't be read.
    pub fn file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| Error::Document(format!("{}: {error}", path.display())))?;
        Ok(Self::bytes(bytes))
    }

    async fn read(self, renderer: &Renderer) -> Result<media::Document, Error> {
        match self.0 {
            Kind::Pages(pages) => sample::document(pages).map_err(|error| Error::Document(error.to_string())),
            Kind::Bytes(bytes) => renderer.probe(bytes).await.map_err(|unreadable| Error::Document(unreadable.reason)),
        }
    }
}

/// A conversation that has settled: the fax has ended and the app has been told.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The SID that the app was told.
    pub sid: FaxSid,
    /// The fax; none where no fax came of the call, or where the app has deleted it.
    pub fax: Option<Fax>,
    /// How it ended.
    pub outcome: Outcome,
    /// What happened, oldest first.
    pub events: Vec<Event>,
}

impl Conversation {
    /// The requests that were made to the app, oldest first.
    pub fn webhooks(&self) -> impl Iterator<Item = &ExchangeRecord> {
        let is_webhook = |event: &&Event| matches!(event.engine_kind(), Some(EventKind::WebhookAttempt { .. }));
        self.events.iter().filter(is_webhook).filter_map(Event::exchange).map(|record| &**record)
    }
}

/// A call that is about to be made; it begins when it is awaited or rung.
#[must_use = "nobody calls before it is awaited"]
pub struct Receive {
    account: Account,
    document: Document,
    from: Option<String>,
    to: Option<String>,
    station_id: Option<String>,
    failure: Option<(u32, u32)>,
    sid: Option<FaxSid>,
    patience: Duration,
}

impl Receive {
    pub(super) fn new(account: Account, document: Document) -> Self {
        Self { account, document, from: None, to: None, station_id: None, failure: None, sid: None, patience: PATIENCE }
    }

    /// Who calls.
    pub fn from(mut self, number: &str) -> Self {
        self.from = Some(number.to_owned());
        self
    }

    /// The number called; may be left out where the account has one fax number.
    pub fn to(mut self, number: &str) -> Self {
        self.to = Some(number.to_owned());
        self
    }

    /// The sending machine's station id, at most 20 characters.
    pub fn station_id(mut self, text: &str) -> Self {
        self.station_id = Some(text.to_owned());
        self
    }

    /// The transmission breaks after so many pages with this code: 34004, an error during transmission, or 34108, the other
    /// end incompatible.
    pub const fn failing(mut self, code: u32, after_pages: u32) -> Self {
        self.failure = Some((code, after_pages));
        self
    }

    /// The SID that the fax shall have.
    pub const fn sid(mut self, sid: FaxSid) -> Self {
        self.sid = Some(sid);
        self
    }

    /// How long the conversation is waited for, instead of ten seconds.
    pub const fn timeout(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Begins the call and doesn't wait: for a frozen clock, which is then advanced or drained.
    ///
    /// # Errors
    /// The call can't be made.
    pub async fn ring(self) -> Result<FaxSid, Error> {
        self.begin().await.map(|(sid, _)| sid)
    }

    async fn begin(self) -> Result<(FaxSid, u64), Error> {
        let fax = IncomingFax {
            to: self.to.as_deref(),
            from: self.from.as_deref(),
            station_id: self.station_id.as_deref(),
            quality: None,
            sid: self.sid,
            failure: self.failure,
        };
        let fax = fax.checked()?;
        let document = self.document.read(&self.account.renderer).await?;
        let order = fax.with_document(document, Arc::clone(&self.account.url));
        let world = &self.account.world;
        let seq = world.read_journal(|journal| journal.last_seq());
        let call = world.handle(order)?;
        Ok((call.sid, seq))
    }

    async fn converse(self) -> Result<Conversation, Error> {
        let (account, patience) = (self.account.clone(), self.patience);
        if account.world.clock_mode() == ClockMode::Frozen {
            return Err(Error::Frozen);
        }
        let (sid, since) = self.begin().await?;
        let ended = tokio::time::timeout(patience, account.world.ended(sid)).await;
        let ended = ended.map_err(|_| Error::TooLate { what: format!("{sid} has not ended"), patience })?;
        let ended = ended.ok_or(Error::Gone)?;
        let filter = EventFilter { since, fax: Some(sid), ..EventFilter::default() };
        let (fax, events) = account.world.read_journal(|journal| {
            (journal.engine().fax(sid).ok().cloned(), journal.events(&filter, JOURNAL_EVENTS_MAX))
        });
        let outcome = ended.outcome().ok_or(Error::NoFax(sid))?;
        Ok(Conversation { sid, fax, outcome, events })
    }
}

impl IntoFuture for Receive {
    type Output = Result<Conversation, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.converse())
    }
}
