//! An incoming fax in a test: the call, the document, and the resulting conversation with the app.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Account, Error};
use crate::clock::ClockMode;
use crate::dialect::incoming::{IncomingFailure, IncomingFax};
use crate::dialect::twiml_bin::bin_url;
use crate::document::sample;
pub use crate::engine::CallOutcome as Outcome;
use crate::engine::Fax;
use crate::engine::event::EventKind;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::io::render::Renderer;
use crate::model::account::Dialect;
use crate::model::media;
use crate::model::sid::FaxSid;
use crate::model::webhook::ExchangeRecord;
use crate::world::journal::JournalEvent;

/// The document that the calling fax machine sends: generated test pages, or a PDF, TIFF, PNG or JPEG.
#[derive(Debug, Clone)]
pub struct Document(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Pages(u32),
    Bytes(Arc<[u8]>),
}

impl Document {
    /// Generates this many numbered test pages.
    ///
    /// ```
    /// let three_pages = fauxfax::Document::pages(3);
    /// # let _ = three_pages;
    /// ```
    #[must_use]
    pub const fn pages(pages: u32) -> Self {
        Self(Kind::Pages(pages))
    }

    /// Takes a document's bytes; the format is detected from the content when the call is made.
    ///
    /// ```
    /// let letter = fauxfax::Document::bytes(*b"%PDF-1.7 ...");
    /// # let _ = letter;
    /// ```
    #[must_use]
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(Kind::Bytes(bytes.into()))
    }

    /// Reads a document from a file; the format is detected from the content when the call is made.
    ///
    /// # Errors
    /// Returns [`Error::Document`] if the file can't be read.
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

/// A settled conversation: the fax or call has ended, and no webhook about it remains to be sent.
///
/// ```
/// use fauxfax::{Document, Outcome};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = fauxfax::Emulator::builder().start().await?;
/// # let account = emulator.account()?;
/// // No app is listening at the number's URL, so no one takes the call and no fax is created.
/// account.number("+15017122661")?.fax_url("http://127.0.0.1:9/fax")?;
/// let conversation = account.receive(Document::pages(1)).await?;
/// assert_eq!(conversation.outcome, Outcome::NotAnswered);
/// assert!(conversation.fax.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The SID that the webhooks carried as `FaxSid`.
    pub sid: FaxSid,
    /// The fax in its final state; `None` if the call never became a fax, or the fax has been deleted.
    pub fax: Option<Fax>,
    /// The outcome of the call, such as [`Outcome::Received`].
    pub outcome: Outcome,
    /// The journal's events for this fax, oldest first.
    pub events: Vec<JournalEvent>,
}

impl Conversation {
    /// Returns the requests made to the app and its responses, oldest first, including retries.
    ///
    /// ```
    /// use fauxfax::Document;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # let app = wiremock::MockServer::start().await;
    /// # let twiml = "<Response><Receive action='/received'/></Response>";
    /// # let twiml = wiremock::ResponseTemplate::new(200).set_body_raw(twiml, "text/xml");
    /// # wiremock::Mock::given(wiremock::matchers::any()).respond_with(twiml).mount(&app).await;
    /// # account.number("+15017122661")?.fax_url(&app.uri())?;
    /// let conversation = account.receive(Document::pages(1)).await?;
    /// for exchange in conversation.webhooks() {
    ///     println!("{exchange:?}");
    /// }
    /// assert_eq!(conversation.webhooks().count(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn webhooks(&self) -> impl Iterator<Item = &ExchangeRecord> {
        let is_webhook = |event: &&JournalEvent| matches!(event.engine_kind(), Some(EventKind::WebhookAttempt { .. }));
        self.events.iter().filter(is_webhook).filter_map(JournalEvent::exchange).map(|record| &**record)
    }
}

/// A call to be made by a fax machine. It begins when it is awaited, or when [`ring`](Self::ring) is called.
#[must_use = "the call is not made before it is awaited or ring() is called"]
pub struct Receive {
    account: Account,
    document: Document,
    from: Option<String>,
    to: Option<String>,
    station_id: Option<String>,
    failure: Option<(u32, u32)>,
    sid: Option<FaxSid>,
    action: Option<String>,
    patience: Duration,
}

impl Receive {
    pub(super) fn new(account: Account, document: Document) -> Self {
        let patience = account.patience;
        Self {
            account,
            document,
            from: None,
            to: None,
            station_id: None,
            failure: None,
            sid: None,
            action: None,
            patience,
        }
    }

    /// Sets the caller: a number, a SIP URI or a name; `+15558675310` by default.
    pub fn from(mut self, number: &str) -> Self {
        self.from = Some(number.to_owned());
        self
    }

    /// Sets the number called; not needed if the account has exactly one fax number.
    pub fn to(mut self, number: &str) -> Self {
        self.to = Some(number.to_owned());
        self
    }

    /// Sets the station id of the sending machine, of at most 20 characters; by default, it is the same as the caller.
    pub fn station_id(mut self, text: &str) -> Self {
        self.station_id = Some(text.to_owned());
        self
    }

    /// Makes the transmission fail after this many pages, with code 34004 (an error during transmission) or 34108 (the
    /// other end is incompatible).
    ///
    /// ```
    /// use fauxfax::{Document, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # let app = wiremock::MockServer::start().await;
    /// # let twiml = "<Response><Receive action='/received'/></Response>";
    /// # let twiml = wiremock::ResponseTemplate::new(200).set_body_raw(twiml, "text/xml");
    /// # wiremock::Mock::given(wiremock::matchers::any()).respond_with(twiml).mount(&app).await;
    /// # account.number("+15017122661")?.fax_url(&app.uri())?;
    /// let conversation = account.receive(Document::pages(3)).failing(34004, 1).await?;
    /// assert_eq!(conversation.outcome, Outcome::Failed);
    /// # Ok(())
    /// # }
    /// ```
    pub const fn failing(mut self, code: u32, after_pages: u32) -> Self {
        self.failure = Some((code, after_pages));
        self
    }

    /// Sets the SID of the fax, instead of one drawn from the seed.
    pub const fn sid(mut self, sid: FaxSid) -> Self {
        self.sid = Some(sid);
        self
    }

    /// Sets the URL to notify of the fax, as `<Receive action>` does. The number's own app is then not asked, so the
    /// number needs no VoiceUrl.
    ///
    /// ```
    /// use fauxfax::{Document, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # let app = wiremock::MockServer::start().await;
    /// # wiremock::Mock::given(wiremock::matchers::any()).respond_with(wiremock::ResponseTemplate::new(200)).mount(&app).await;
    /// account.number("+15017122661")?;
    /// let conversation = account.receive(Document::pages(1)).action(&app.uri()).await?;
    /// assert_eq!(conversation.outcome, Outcome::Received);
    /// # Ok(())
    /// # }
    /// ```
    pub fn action(mut self, url: &str) -> Self {
        self.action = Some(url.to_owned());
        self
    }

    /// Sets how long to wait for the conversation to settle; by default, the time limit of the account's handle.
    pub const fn timeout(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Makes the call without waiting for its end. This is the only way to make a call while the clock is frozen;
    /// advance or drain the clock afterwards.
    ///
    /// ```
    /// use fauxfax::Document;
    /// use fauxfax::Status;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # let app = wiremock::MockServer::start().await;
    /// # let twiml = "<Response><Receive action='/received'/></Response>";
    /// # let twiml = wiremock::ResponseTemplate::new(200).set_body_raw(twiml, "text/xml");
    /// # wiremock::Mock::given(wiremock::matchers::any()).respond_with(twiml).mount(&app).await;
    /// # account.number("+15017122661")?.fax_url(&app.uri())?;
    /// account.clock().freeze();
    /// let fax = account.receive(Document::pages(1)).ring().await?;
    /// account.clock().drain().await?;
    /// assert_eq!(account.fax(fax)?.status(), Status::Received);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::IncomingFax`] or [`Error::Document`] if the call can't be made as described, or
    /// [`Error::Refused`] if the account has no number that accepts it.
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
            failure: self.failure.map(|(code, after_pages)| IncomingFailure {
                code: Some(code),
                after_pages,
                message: None,
            }),
            action: self.action.as_deref(),
        };
        let fax = fax.checked(Dialect::of(self.account.sid()))?;
        let document = self.document.read(self.account.registry.renderer()).await?;
        let (world, url) = (&self.account.world, Arc::clone(&self.account.url));
        let (twiml, order) = (fax.twiml(), fax.with_document(document, Arc::clone(&url)));
        // Read before the call is made, so that none of its events is missed; events of other faxes are filtered out.
        let seq = world.read_journal(|journal| journal.last_seq());
        let call = match twiml {
            Some(twiml) => world.receive_with(twiml, |bin| bin_url(&url, bin), order)?,
            None => world.handle(order)?,
        };
        Ok((call.sid, seq))
    }

    async fn converse(self) -> Result<Conversation, Error> {
        let (account, patience) = (self.account.clone(), self.patience);
        // Checked before the call is made, so that no call is left behind if the clock is frozen.
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

impl fmt::Debug for Receive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receive")
            .field("account", &self.account)
            .field("from", &self.from)
            .field("to", &self.to)
            .field("station_id", &self.station_id)
            .field("failure", &self.failure)
            .field("sid", &self.sid)
            .field("action", &self.action)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl IntoFuture for Receive {
    type Output = Result<Conversation, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.converse())
    }
}
