//! An account as a test sees it: its credential, numbers, faxes and journal.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{AccountClock, AccountRules, CheckApp, Document, Error, Expect, Receive, SendFax};
use crate::dialect::explain::{Explanation, KeyKind, Mistake, OtherSecret, Question, changed_delivery, explain};
use crate::emulator::Registry;
use crate::engine::input::{BuyNumber, NumberRequest, Reset, Restore, TakeSnapshot, UpdateNumber};
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::engine::{Engine, Fax, Prospect};
use crate::http::control::event::EventView;
use crate::model::fax::Status;
use crate::model::number::{NumberChange, ReceiveMode};
use crate::model::phone::{NotE164, PhoneNumber};
use crate::model::sid::{AccountSid, FaxSid, NumberSid};
use crate::world::World;
use crate::world::journal;

/// The default time limit for a test's waits: far longer than anything takes at `Pace::Max`, the default pace of tests.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// An account of an emulator: an isolated world with its own numbers, faxes, clock, rules and journal.
///
/// Clones are handles to the same account, which exists until it is removed by the control API or the emulator stops.
#[derive(Clone)]
pub struct Account {
    pub(super) world: World,
    pub(super) url: Arc<str>,
    pub(super) registry: Registry,
    /// The time limit for waits through this handle.
    pub(super) patience: Duration,
}

/// A telephone number of an account, and the webhooks that notify the app of calls to it.
///
/// The methods change the number immediately and return it, so that calls can be chained.
#[derive(Clone)]
pub struct Number {
    world: World,
    sid: NumberSid,
    number: PhoneNumber,
}

impl Account {
    pub(super) fn new(world: World, url: String, registry: Registry) -> Self {
        Self { world, url: url.into(), registry, patience: PATIENCE }
    }

    /// Returns a handle to the same account with this time limit for waits, instead of ten seconds.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// let account = emulator.account()?.with_timeout(Duration::from_secs(60));
    /// account.wait_idle().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_timeout(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Returns the account's SID, the user name of REST calls.
    #[must_use]
    pub fn sid(&self) -> AccountSid {
        self.world.sid()
    }

    /// Returns the account's token, which is the password of REST calls and the key of `X-Twilio-Signature`. Empty
    /// until a client claims the account, if it was created without a token.
    #[must_use]
    pub fn auth_token(&self) -> String {
        self.world.read(|engine| engine.account().auth_token.clone()).unwrap_or_default().into()
    }

    /// Returns the key that signs the account's webhooks: its token, unless it is a SignalWire account with a signing
    /// key.
    #[must_use]
    pub fn signing_key(&self) -> String {
        self.world.read(|engine| engine.account().webhook_key().unwrap_or_default().to_owned())
    }

    /// Returns the base URL of the emulator's APIs, the same as [`Emulator::url`](super::Emulator::url).
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Checks an app that receives this account's webhooks at a URL, and returns a report when awaited.
    pub fn check(&self, url: &str) -> CheckApp {
        CheckApp::new(self.clone(), url)
    }

    /// Returns one of the account's numbers, given in E.164 form. A number that the account doesn't own yet is bought
    /// and set to receive faxes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// let number = account.number("+15017122661")?.fax_url("http://localhost:3000/fax")?;
    /// assert_eq!(number.number().to_string(), "+15017122661");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Number`] if the string is not an E.164 number, or [`Error::Refused`] if the number is not for
    /// sale.
    pub fn number(&self, text: &str) -> Result<Number, Error> {
        let number = text.parse().map_err(|error: NotE164| Error::Number { text: text.to_owned(), error })?;
        let world = self.world.clone();
        // Tests may name the same number again and again.
        if let Some(sid) = world.read(|engine| engine.owned_number(number).map(|own| own.sid)) {
            return Ok(Number { world, sid, number });
        }
        // Without this mode the number would accept voice calls, not faxes.
        let change = NumberChange { voice_receive_mode: Some(ReceiveMode::Fax), ..NumberChange::default() };
        let order = BuyNumber { wanted: NumberRequest::Number(number), change };
        let sid = world.handle(order)?;
        Ok(Number { world, sid, number })
    }

    /// Acts as a fax machine that calls one of the account's numbers. Awaiting the result makes the call and returns
    /// the settled [`Conversation`](super::Conversation); [`ring`](Receive::ring) only makes the call. Nothing happens
    /// before one of the two.
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
    /// let conversation = account.receive(Document::pages(3)).from("+15552223333").await?;
    /// assert_eq!(conversation.fax.and_then(|fax| fax.pages()), Some(3));
    /// # Ok(())
    /// # }
    /// ```
    pub fn receive(&self, document: Document) -> Receive {
        Receive::new(self.clone(), document)
    }

    /// Sends the document at a URL to `to`, as the app would through the REST API. Awaiting the result creates the fax
    /// and returns it once it has ended; [`queue`](SendFax::queue) only creates it. Nothing happens before one of the
    /// two.
    ///
    /// ```
    /// use fauxfax::Status;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # account.number("+15017122661")?;
    /// # let document = format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url());
    /// let fax = account.send("+15558675310", &document).await?;
    /// assert_eq!(fax.status(), Status::Delivered);
    /// # Ok(())
    /// # }
    /// ```
    pub fn send(&self, to: &str, media_url: &str) -> SendFax {
        SendFax::new(self.clone(), to, media_url)
    }

    /// Returns a copy of the fax in its current state.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] if the account has no such fax, or a reset has removed it.
    pub fn fax(&self, sid: FaxSid) -> Result<Fax, Error> {
        self.world.read(|engine| engine.fax(sid).cloned()).map_err(Error::from)
    }

    /// Returns the account's newest fax in its current state; `None` if there are no faxes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// assert!(account.newest_fax().is_none());
    /// # account.number("+15017122661")?;
    /// let fax = account.send("+15558675310", "http://localhost:3000/a.pdf").queue()?;
    /// assert_eq!(account.newest_fax().map(|newest| newest.sid), Some(fax));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn newest_fax(&self) -> Option<Fax> {
        self.world.read(|engine| {
            // The engine lists faxes newest first.
            let newest = engine.faxes(&crate::engine::FaxFilter::default(), crate::engine::Cursor::Skip(0), 1);
            newest.items.first().map(|fax| (*fax).clone())
        })
    }

    /// Waits until the fax has entered a status; returns immediately if it has already done so since the last reset.
    ///
    /// ```
    /// use fauxfax::Error;
    /// use fauxfax::Status;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # account.number("+15017122661")?;
    /// # let document = format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url());
    /// let fax = account.send("+15558675310", &document).queue()?;
    /// account.wait_for(fax, Status::Delivered).await?;
    ///
    /// // A fax that was delivered never becomes busy, so this fails without waiting.
    /// let never = account.wait_for(fax, Status::Busy).await;
    /// assert!(matches!(never, Err(Error::Unreachable { .. })));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::TooLate`] after ten seconds, or after the time set by [`with_timeout`](Self::with_timeout),
    /// [`Error::Unreachable`] as soon as the fax can no longer enter the status, and [`Error::Gone`] if the account is
    /// removed or its world breaks meanwhile.
    pub async fn wait_for(&self, fax: FaxSid, status: Status) -> Result<(), Error> {
        let entered = self.world.until_journaled(|journal| {
            let filter = EventFilter {
                since: journal.last_reset(),
                fax: Some(fax),
                kind: Some("fax.status".into()),
                ..EventFilter::default()
            };
            let events = journal.events(&filter, JOURNAL_EVENTS_MAX);
            if events.iter().any(|event| event.entered() == Some(status)) {
                return Some(Ok(()));
            }
            // The journal is bounded and may have dropped the event, but the engine still knows the status.
            match journal.engine().prospect(fax, &[status]) {
                Prospect::Possible => None,
                Prospect::Reached(_) => Some(Ok(())),
                Prospect::Unreachable(why) => Some(Err(Error::Unreachable { fax, wanted: status, why })),
            }
        });
        match tokio::time::timeout(self.patience, entered).await {
            // `None` means that the account was removed or its world broke.
            Ok(ended) => ended.unwrap_or(Err(Error::Gone)),
            Err(_) => {
                let now = self.world.read(|engine| engine.fax(fax).map(Fax::status));
                let now = now.map_or_else(|refusal| refusal.to_string(), |status| format!("it is {status}"));
                Err(Error::TooLate { what: format!("{fax} has not become {status} ({now})"), patience: self.patience })
            }
        }
    }

    /// Waits until every fax and call has ended, no webhook is due and nothing else is pending.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # account.number("+15017122661")?;
    /// # let document = format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url());
    /// account.send("+15558675310", &document).queue()?;
    /// account.wait_idle().await?;
    /// assert!(account.newest_fax().is_some_and(|fax| fax.status().is_final()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::TooLate`] if that takes more than ten seconds, or more than the time set by
    /// [`with_timeout`](Self::with_timeout), and [`Error::Gone`] if the account is removed or its world breaks
    /// meanwhile.
    pub async fn wait_idle(&self) -> Result<(), Error> {
        let rest = self.world.until_open(|engine| engine.is_idle().then_some(()));
        match tokio::time::timeout(self.patience, rest).await {
            Ok(rest) => rest.ok_or(Error::Gone),
            Err(_) => {
                let pending = self.world.read(Engine::pending_count);
                let what = format!("the account is not idle: {pending} faxes and calls have not ended");
                Err(Error::TooLate { what, patience: self.patience })
            }
        }
    }

    /// Returns a handle to the account's clock.
    #[must_use]
    pub fn clock(&self) -> AccountClock {
        AccountClock(self.world.clone())
    }

    /// Starts building a rule that makes something go wrong on purpose.
    ///
    /// ```
    /// # use fauxfax::{Account, Error};
    /// use fauxfax::rules::{Outcome::Busy, WebhookFault};
    ///
    /// # fn misbehave(account: &Account) -> Result<(), Error> {
    /// account.rules().once(Busy)?;
    /// account.rules().to("+1555*").after(1).times(2, Busy)?;
    /// account.rules().always(WebhookFault { duplicate: true, ..WebhookFault::default() })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rules(&self) -> AccountRules {
        AccountRules::new(self.world.clone())
    }

    /// Returns the account's journal since the last reset, oldest first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # use fauxfax::Status;
    /// # account.number("+15017122661")?;
    /// account.send("+15558675310", "http://localhost:3000/a.pdf").queue()?;
    /// assert!(account.events().iter().any(|event| event.entered() == Some(Status::Queued)));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn events(&self) -> Vec<journal::JournalEvent> {
        self.world.read_journal(|journal| {
            let filter = EventFilter { since: journal.last_reset(), ..EventFilter::default() };
            journal.events(&filter, JOURNAL_EVENTS_MAX)
        })
    }

    /// Checks the journal since the last reset against an expectation.
    ///
    /// ```
    /// use fauxfax::{Expect, Status};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// let missing = account.verify(Expect::entered(Status::Delivered));
    /// assert!(missing.is_err_and(|error| error.to_string().starts_with("expected 1 or more")));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::NotVerified`], which compares the closest events field by field.
    #[expect(clippy::needless_pass_by_value, reason = "callers build the expectation in the call itself")]
    pub fn verify(&self, expected: Expect) -> Result<(), Error> {
        let events: Vec<EventView> = self.events().iter().map(EventView::of).collect();
        expected.verify(&events)
    }

    /// Explains why a request's signature is invalid: names the mistake that would produce it, or the rule that spoiled
    /// it on purpose, and gives the valid signature.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// let explained = account.explain_signature("http://localhost:3000/fax", &[("FaxSid", "FX1")], "not a signature");
    /// assert!(!explained.detail.is_empty() && explained.expected.ends_with('='));
    ///
    /// let valid = account.explain_signature("http://localhost:3000/fax", &[("FaxSid", "FX1")], &explained.expected);
    /// assert!(valid.mistakes.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn explain_signature(&self, url: &str, params: &[(&str, &str)], signature: &str) -> Explanation {
        let (key, key_kind) = self.world.read(|engine| {
            let account = engine.account();
            let key = account.webhook_key().unwrap_or_default().to_owned();
            (key, KeyKind::of(account.dialect, account.signing_key.is_some()))
        });
        let other = |owner: &str, secret: String| OtherSecret {
            mistake: Mistake::WrongToken,
            owner: owner.to_owned(),
            secret: secret.into(),
        };
        let others = [
            other("the AccountSid in place of the token", self.sid().to_string()),
            other("the API token, which doesn't sign webhooks", self.auth_token()),
        ];
        let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let explanation =
            explain(&Question { url, params, body: None, signature, key: &key, key_kind, others: &others });
        match self.world.read(|engine| changed_delivery(engine, url, signature)) {
            Some(delivery) => explanation.changed_by_rule(&delivery),
            None => explanation,
        }
    }

    /// Returns the account to its initial state: removes its faxes and cancels pending work. Earlier SIDs are not
    /// reused.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # account.number("+15017122661")?;
    /// account.send("+15558675310", "http://localhost:3000/a.pdf").queue()?;
    /// account.reset()?;
    /// assert!(account.newest_fax().is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Never fails in practice: even a broken world accepts a reset, which repairs it.
    pub fn reset(&self) -> Result<(), Error> {
        self.world.handle(Reset { seed: None })?;
        Ok(())
    }

    /// Saves the account's current state under this name, replacing any earlier snapshot with that name.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// account.number("+15017122661")?;
    /// account.snapshot("with a number")?;
    /// account.send("+15558675310", "http://localhost:3000/a.pdf").queue()?;
    ///
    /// account.restore("with a number")?;
    /// assert!(account.newest_fax().is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Refused`] if the account already has the maximum number of snapshots.
    pub fn snapshot(&self, name: &str) -> Result<(), Error> {
        self.world.handle(TakeSnapshot(name.into())).map_err(Error::from)
    }

    /// Returns the account to a snapshot: restores its faxes, numbers and rules, as well as the work that was pending
    /// then. The clock is not moved.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] if there is no snapshot with this name.
    pub fn restore(&self, name: &str) -> Result<(), Error> {
        self.world.handle(Restore(name.into()))?;
        Ok(())
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Omit the token, because a failed assertion prints this into a CI log.
        f.debug_struct("Account").field("sid", &self.sid()).field("url", &self.url).finish_non_exhaustive()
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.world.sid();
        f.debug_struct("Number")
            .field("number", &self.number)
            .field("sid", &self.sid)
            .field("account", &account)
            .finish()
    }
}

impl Number {
    /// Returns the number in E.164 form.
    #[must_use]
    pub const fn number(&self) -> PhoneNumber {
        self.number
    }

    /// Sets the `VoiceUrl`, from which TwiML is requested when a fax comes in.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] if the account no longer owns the number.
    pub fn fax_url(self, url: &str) -> Result<Self, Error> {
        self.changed(NumberChange { voice_url: Some(url.into()), ..NumberChange::default() })
    }

    /// Sets the `StatusCallback`, which is notified of how a fax ended if the `<Receive>` names no `action`.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] if the account no longer owns the number.
    pub fn status_callback(self, url: &str) -> Result<Self, Error> {
        self.changed(NumberChange { status_callback: Some(url.into()), ..NumberChange::default() })
    }

    /// Sets any other attributes of the number.
    ///
    /// ```
    /// use fauxfax::NumberChange;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// let change = NumberChange { friendly_name: Some("Front desk".into()), ..NumberChange::default() };
    /// account.number("+15017122661")?.changed(change)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Refused`] if the account no longer owns the number, or an attribute is invalid.
    pub fn changed(self, change: NumberChange) -> Result<Self, Error> {
        self.world.handle(UpdateNumber(self.sid, change))?;
        Ok(self)
    }
}
