//! An account for one test: its numbers, its faxes, its journal. What happens to them is the engine's business.

use std::sync::Arc;
use std::time::Duration;

use super::{AccountClock, AccountRules, Document, Error, Event, Receive};
use crate::engine::input::{BuyNumber, CreateFax, NumberWish, Reset, UpdateNumber};
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::engine::{Engine, Fax, Prospect};
use crate::http::control::event::EventView;
use crate::io::render::Renderer;
use crate::model::fax::{Quality, Status};
use crate::model::number::{NumberChange, ReceiveMode};
use crate::model::phone::{NotE164, Party, PhoneNumber};
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid, NumberSid};
use crate::world::World;
use crate::world::journal;

/// How long a test waits for something; far beyond what it takes where transmissions take no time.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// An account, a world of its own; clones are the same.
#[derive(Clone)]
pub struct Account {
    pub(super) world: World,
    pub(super) url: Arc<str>,
    pub(super) renderer: Renderer,
}

/// A number of an account.
#[derive(Clone)]
pub struct Number {
    world: World,
    sid: NumberSid,
    number: PhoneNumber,
}

impl Account {
    pub(super) fn new(world: World, url: String, renderer: Renderer) -> Self {
        Self { world, url: url.into(), renderer }
    }

    /// Its SID, the user name of REST calls.
    #[must_use]
    pub fn sid(&self) -> AccountSid {
        self.world.sid()
    }

    /// Its token, the password of REST calls and the key of signatures.
    #[must_use]
    pub fn auth_token(&self) -> String {
        self.world.read(|engine| engine.account().auth_token.clone()).unwrap_or_default().into()
    }

    /// Where the APIs are.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// One of its numbers, bought where it isn't its own yet; it takes faxes.
    ///
    /// # Errors
    /// It is no number, or none that can be bought.
    pub fn number(&self, text: &str) -> Result<Number, Error> {
        let number = text.parse().map_err(|error: NotE164| Error::Number { text: text.to_owned(), error })?;
        let world = self.world.clone();
        if let Some(sid) = world.read(|engine| engine.owned_number(number).map(|own| own.sid)) {
            return Ok(Number { world, sid, number });
        }
        let change = NumberChange { voice_receive_mode: Some(ReceiveMode::Fax), ..NumberChange::default() };
        let order = BuyNumber { wish: NumberWish::Number(number), change };
        let sid = world.handle(order)?;
        Ok(Number { world, sid, number })
    }

    /// A fax machine calls with a document; awaited, it answers with the settled conversation.
    pub fn receive(&self, document: Document) -> Receive {
        Receive::new(self.clone(), document)
    }

    /// Sends a fax as its app would over REST: from the number it has had longest, of the document at an address.
    ///
    /// # Errors
    /// It has no number, `to` is none, or the service refuses.
    pub fn send(&self, to: &str, media_url: &str) -> Result<FaxSid, Error> {
        let number = to.parse().map_err(|error: NotE164| Error::Number { text: to.to_owned(), error })?;
        let from = self.world.read(|engine| engine.numbers().last().map(|own| own.number));
        let order = CreateFax {
            to: Party::Number(number),
            from: Some(Party::Number(from.ok_or(Refusal::AmbiguousNumber(0))?)),
            media_url: media_url.into(),
            quality: Quality::Fine,
            status_callback: None,
            store_media: true,
            ttl_minutes: None,
            origin: Arc::clone(&self.url),
        };
        Ok(self.world.handle(order)?)
    }

    /// A fax as it stands.
    ///
    /// # Errors
    /// There is none.
    pub fn fax(&self, sid: FaxSid) -> Result<Fax, Error> {
        self.world.read(|engine| engine.fax(sid).cloned()).map_err(Error::from)
    }

    /// The newest of its faxes.
    #[must_use]
    pub fn newest_fax(&self) -> Option<Fax> {
        self.world.read(|engine| {
            let newest = engine.faxes(&crate::engine::FaxFilter::default(), crate::engine::Cursor::Skip(0), 1);
            newest.items.first().map(|fax| (*fax).clone())
        })
    }

    /// Waits until a fax has entered a status; at once where it has before, since the last reset.
    ///
    /// # Errors
    /// It has not within ten seconds, or it can no longer enter it: then at once.
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
            match journal.engine().prospect(fax, &[status]) {
                Prospect::Possible => None,
                Prospect::Reached(_) => Some(Ok(())),
                Prospect::Unreachable(why) => Some(Err(Error::Unreachable { fax, wanted: status, why })),
            }
        });
        match tokio::time::timeout(PATIENCE, entered).await {
            Ok(ended) => ended.unwrap_or(Err(Error::Gone)),
            Err(_) => {
                let now = self.world.read(|engine| engine.fax(fax).map(Fax::status));
                let now = now.map_or_else(|refusal| refusal.to_string(), |status| format!("it is {status}"));
                Err(Error::TooLate { what: format!("{fax} has not become {status}, {now}"), patience: PATIENCE })
            }
        }
    }

    /// Waits until nothing is under way and no work is due.
    ///
    /// # Errors
    /// It does not come to rest within ten seconds.
    pub async fn wait_idle(&self) -> Result<(), Error> {
        let rest = self.world.until_open(|engine| engine.is_idle().then_some(()));
        match tokio::time::timeout(PATIENCE, rest).await {
            Ok(rest) => rest.ok_or(Error::Gone),
            Err(_) => {
                let pending = self.world.read(Engine::pending_count);
                let what = format!("no rest: {pending} faxes and calls have not ended");
                Err(Error::TooLate { what, patience: PATIENCE })
            }
        }
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> AccountClock {
        AccountClock(self.world.clone())
    }

    /// Its rules: lets things misbehave on purpose.
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

    /// Its journal since the last reset, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<journal::Event> {
        self.world.read_journal(|journal| {
            let filter = EventFilter { since: journal.last_reset(), ..EventFilter::default() };
            journal.events(&filter, JOURNAL_EVENTS_MAX)
        })
    }

    /// Holds the journal to an expectation.
    ///
    /// # Errors
    /// It doesn't hold; the error tells what came nearest, field by field.
    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is verified")]
    pub fn verify(&self, expected: Event) -> Result<(), Error> {
        let events: Vec<EventView> = self.events().iter().map(EventView::of).collect();
        expected.verify(&events)
    }

    /// Back to the start: its faxes are gone, what was pending is canceled. No SID of before comes again.
    ///
    /// # Errors
    /// None in practice.
    pub fn reset(&self) -> Result<(), Error> {
        self.world.handle(Reset { seed: None })?;
        Ok(())
    }
}

impl Number {
    /// The number.
    #[must_use]
    pub const fn number(&self) -> PhoneNumber {
        self.number
    }

    /// Where its app is asked for TwiML when a fax comes in: its VoiceUrl.
    ///
    /// # Errors
    /// The number is gone.
    pub fn fax_url(self, url: &str) -> Result<Self, Error> {
        self.changed(NumberChange { voice_url: Some(url.into()), ..NumberChange::default() })
    }

    /// Where its app is told how a fax ended when `<Receive>` names no action.
    ///
    /// # Errors
    /// The number is gone.
    pub fn status_callback(self, url: &str) -> Result<Self, Error> {
        self.changed(NumberChange { status_callback: Some(url.into()), ..NumberChange::default() })
    }

    /// Any other attribute.
    ///
    /// # Errors
    /// The number is gone, or can't be so.
    pub fn changed(self, change: NumberChange) -> Result<Self, Error> {
        self.world.handle(UpdateNumber(self.sid, change))?;
        Ok(self)
    }
}
