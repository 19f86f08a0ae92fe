//! An outgoing fax in a test: the request that the app would make through the REST API, and the resulting fax.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Account, Error};
use crate::clock::ClockMode;
use crate::engine::Fax;
use crate::engine::input::CreateFax;
use crate::model::fax::Quality;
use crate::model::phone::{NotE164, Party, PhoneNumber};
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::webhook::Method;

/// A fax to be sent. It is created when this value is awaited, or when [`queue`](Self::queue) is called.
///
/// ```
/// use fauxfax::{Expect, Purpose, Quality, Status};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = fauxfax::Emulator::builder().start().await?;
/// # let account = emulator.account()?;
/// # account.number("+15017122661")?;
/// # let document = format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url());
/// # let app = wiremock::MockServer::start().await;
/// # wiremock::Mock::given(wiremock::matchers::any()).respond_with(wiremock::ResponseTemplate::new(204)).mount(&app).await;
/// let fax = account
///     .send("+15558675310", &document)
///     .quality(Quality::Superfine)
///     .status_callback(&format!("{}/status", app.uri()))
///     .await?;
///
/// assert_eq!(fax.status(), Status::Delivered);
/// account.verify(Expect::webhook().purpose(Purpose::StatusCallback).status(Status::Delivered).answered_with(204))?;
/// # Ok(())
/// # }
/// ```
#[must_use = "the fax is not created before this is awaited or queue() is called"]
pub struct SendFax {
    account: Account,
    to: String,
    media_url: String,
    from: Option<String>,
    quality: Quality,
    status_callback: Option<String>,
    ttl_minutes: Option<u32>,
    store_media: bool,
    patience: Duration,
}

impl SendFax {
    pub(super) fn new(account: Account, to: &str, media_url: &str) -> Self {
        Self {
            to: to.to_owned(),
            media_url: media_url.to_owned(),
            from: None,
            quality: Quality::Fine,
            status_callback: None,
            ttl_minutes: None,
            store_media: true,
            patience: account.patience,
            account,
        }
    }

    /// Sets the caller, in E.164 form; by default, the number that the account has owned for the longest time.
    pub fn from(mut self, number: &str) -> Self {
        self.from = Some(number.to_owned());
        self
    }

    /// Sets the vertical resolution; fine by default.
    pub const fn quality(mut self, quality: Quality) -> Self {
        self.quality = quality;
        self
    }

    /// Sets the `StatusCallback`, the URL that is notified of the fax's statuses.
    pub fn status_callback(mut self, url: &str) -> Self {
        self.status_callback = Some(url.to_owned());
        self
    }

    /// Sets the `Ttl`, the number of minutes for which a busy or unanswered call is retried.
    pub const fn ttl_minutes(mut self, minutes: u32) -> Self {
        self.ttl_minutes = Some(minutes);
        self
    }

    /// Sets whether the document is kept as media; true by default.
    pub const fn store_media(mut self, store: bool) -> Self {
        self.store_media = store;
        self
    }

    /// Sets how long to wait for the fax to end; by default, the time limit of the account's handle.
    pub const fn timeout(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Creates the fax without waiting for its end. This is the only way to send a fax while the clock is frozen;
    /// advance or drain the clock afterwards.
    ///
    /// # Errors
    /// Returns [`Error::Number`] if a number is not in E.164 form, or [`Error::Refused`] if the account has no number
    /// to call from or the emulator refuses the fax.
    pub fn queue(self) -> Result<FaxSid, Error> {
        let number = |text: &str| -> Result<PhoneNumber, Error> {
            text.parse().map_err(|error: NotE164| Error::Number { text: text.to_owned(), error })
        };
        let world = &self.account.world;
        let from = match &self.from {
            Some(from) => number(from)?,
            None => {
                // The engine lists numbers newest first.
                let oldest = world.read(|engine| engine.numbers().last().map(|own| own.number));
                oldest.ok_or(Refusal::AmbiguousNumber(0))?
            }
        };
        let order = CreateFax {
            to: Party::Number(number(&self.to)?),
            from: Some(Party::Number(from)),
            media_url: self.media_url.as_str().into(),
            quality: self.quality,
            status_callback: self.status_callback.as_deref().map(Into::into),
            callback_method: Method::Post,
            callback_statuses: None,
            store_media: self.store_media,
            ttl_minutes: self.ttl_minutes,
            origin: Arc::clone(&self.account.url),
        };
        Ok(world.handle(order)?)
    }

    async fn ended(self) -> Result<Fax, Error> {
        let (account, patience) = (self.account.clone(), self.patience);
        // Checked before the fax is created, so that no fax is left behind if the clock is frozen.
        if account.world.clock_mode() == ClockMode::Frozen {
            return Err(Error::Frozen);
        }
        let sid = self.queue()?;
        let ended = tokio::time::timeout(patience, account.world.ended(sid)).await;
        let ended = ended.map_err(|_| Error::TooLate { what: format!("{sid} has not ended"), patience })?;
        ended.ok_or(Error::Gone)?;
        account.fax(sid)
    }
}

impl fmt::Debug for SendFax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFax")
            .field("account", &self.account)
            .field("to", &self.to)
            .field("media_url", &self.media_url)
            .field("from", &self.from)
            .field("quality", &self.quality)
            .field("status_callback", &self.status_callback)
            .field("ttl_minutes", &self.ttl_minutes)
            .field("store_media", &self.store_media)
            .field("patience", &self.patience)
            .finish()
    }
}

impl IntoFuture for SendFax {
    type Output = Result<Fax, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.ended())
    }
}
