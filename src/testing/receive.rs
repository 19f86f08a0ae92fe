//! An incoming fax in a test: who calls with what, and the conversation that comes of it. The engine has it.

use std::future::{Future, IntoFuture};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::account::PATIENCE;
use super::{Account, Error};
use crate::clock::ClockMode;
use crate::dialect::twilio::codes;
use crate::document::sample;
use crate::engine::input::{LineFault, ReceiveFax};
use crate::engine::journal::{Event, EventFilter, EventKind, JOURNAL_EVENTS_MAX};
use crate::engine::{self, Engine, Fax};
use crate::io::render::Renderer;
use crate::model::fax::{Quality, Status};
use crate::model::line::Line;
use crate::model::media;
use crate::model::phone::{NotE164, Party};
use crate::model::sid::FaxSid;
use crate::model::webhook::ExchangeRecord;

/// Who calls where nothing is said.
const FROM_DEFAULT: &str = "+15558675310";

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
            Kind::Pages(pages) if (1..=sample::SAMPLE_PAGES_MAX).contains(&pages) => {
                let bytes = sample::test_pages(pages).into();
                Ok(media::Document::unrendered(pages, bytes))
            }
            Kind::Pages(pages) => {
                Err(Error::Document(format!("1 to {} test pages, not {pages}", sample::SAMPLE_PAGES_MAX)))
            }
            Kind::Bytes(bytes) => renderer.probe(bytes).await.map_err(|unreadable| Error::Document(unreadable.reason)),
        }
    }
}

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The fax was received.
    Received,
    /// The transmission failed.
    Failed,
    /// The app's TwiML rejected it.
    Rejected,
    /// No usable TwiML came.
    NotAnswered,
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
    pub events: Vec<Arc<Event>>,
}

impl Conversation {
    /// The requests that were made to the app, oldest first.
    pub fn webhooks(&self) -> impl Iterator<Item = &ExchangeRecord> {
        let is_webhook = |event: &&Arc<Event>| matches!(event.kind, EventKind::WebhookAttempt { .. });
        self.events.iter().filter(is_webhook).filter_map(|event| event.kind.exchange()).map(|record| &**record)
    }
}

/// A call that is about to be made; it begins when it is awaited or rung.
#[must_use = "nobody calls before it is awaited"]
pub struct Receive {
    account: Account,
    document: Document,
    from: String,
    to: Option<String>,
    station_id: Option<String>,
    line_fault: Option<LineFault>,
    sid: Option<FaxSid>,
    patience: Duration,
}

impl Receive {
    pub(super) fn new(account: Account, document: Document) -> Self {
        Self {
            account,
            document,
            from: FROM_DEFAULT.to_owned(),
            to: None,
            station_id: None,
            line_fault: None,
            sid: None,
            patience: PATIENCE,
        }
    }

    /// Who calls.
    pub fn from(mut self, number: &str) -> Self {
        number.clone_into(&mut self.from);
        self
    }

    /// The number called; may be left out where the account has one fax number.
    pub fn to(mut self, number: &str) -> Self {
        self.to = Some(number.to_owned());
        self
    }

    /// The sending machine's station id.
    pub fn station_id(mut self, text: &str) -> Self {
        self.station_id = Some(text.to_owned());
        self
    }

    /// The transmission breaks with this code after so many pages.
    pub fn failing(mut self, code: u32, after_pages: u32) -> Self {
        self.line_fault = codes::line_fault(code).map(|fault| LineFault { fault, after_pages });
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
        let number = |text: &str| text.parse().map_err(|error: NotE164| Error::Number { text: text.to_owned(), error });
        let to = self.to.as_deref().map(number).transpose()?;
        let from = match Party::sip_caller(&self.from) {
            Some(party) => party,
            None => Party::Number(number(&self.from)?),
        };
        let order = ReceiveFax {
            to,
            from,
            station_id: self.station_id.unwrap_or(self.from).into(),
            document: self.document.read(&self.account.renderer).await?,
            quality: Quality::Fine,
            sid: self.sid,
            line_fault: self.line_fault,
            line: Line::default(),
            origin: Arc::clone(&self.account.url),
        };
        let world = &self.account.world;
        let seq = world.read(Engine::last_seq);
        let call = world.handle(order)?;
        Ok((call.sid, seq))
    }

    async fn converse(self) -> Result<Conversation, Error> {
        let (account, patience) = (self.account.clone(), self.patience);
        if account.world.clock_mode() == ClockMode::Frozen {
            return Err(Error::Frozen);
        }
        let (sid, since) = self.begin().await?;
        let is_pending = |stands: &engine::Conversation| *stands == engine::Conversation::Pending;
        let settled =
            account.world.until_open(|engine| Some(engine.conversation(sid)).filter(|stands| !is_pending(stands)));
        let ended = tokio::time::timeout(patience, settled).await;
        let ended = ended.map_err(|_| Error::TooLate { what: format!("{sid} has not ended"), patience })?;
        let ended = ended.ok_or(Error::Gone)?;
        let filter = EventFilter { since, fax: Some(sid), ..EventFilter::default() };
        let (fax, events) =
            account.world.read(|engine| (engine.fax(sid).ok().cloned(), engine.events(&filter, JOURNAL_EVENTS_MAX)));
        let outcome = match ended {
            engine::Conversation::Settled(Status::Received) => Outcome::Received,
            engine::Conversation::Settled(Status::Canceled) => Outcome::Rejected,
            engine::Conversation::Settled(_) => Outcome::Failed,
            engine::Conversation::NotAnswered => Outcome::NotAnswered,
            engine::Conversation::Pending | engine::Conversation::Unknown => return Err(Error::NoFax(sid)),
        };
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
