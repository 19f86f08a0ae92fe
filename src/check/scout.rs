//! Finds out where the app would send the emulator, before the emulator is asked to call anything. A running emulator may
//! connect to any host, so the run makes the same requests first, with a client that refuses public addresses: one for TwiML,
//! and a notification to each address that the emulator would notify.
//!
//! An emulator that was started for the run refuses public addresses itself. What an app decides anew for each fax can't be
//! known beforehand; [`Run::stay_private`] stops the run then.

use std::hash::{BuildHasher, RandomState};

use crate::dialect::date;
use crate::io::Signer;
use crate::io::own::CONTROL_BASE;
use crate::io::trial::{Led, Taken, Told, Trial};
use crate::model::fax::Direction;
use crate::model::sid::{FaxSid, Id};
use crate::model::webhook::{Cookie, Method, Purpose};

use super::{Profile, Run, RunError};

/// An address that the emulator would notify.
struct Notified {
    url: String,
    method: Method,
    purpose: Purpose,
    /// What the address is, as the beginning of a sentence.
    name: &'static str,
    cookies: Vec<Cookie>,
}

impl Run {
    /// Refuses an app that would make a running emulator call a public address.
    ///
    /// # Errors
    /// Fails if the app redirects to a public address, or names one.
    pub(super) async fn scout(&self) -> Result<(), RunError> {
        if self.options.owns_host || !self.options.restores {
            return Ok(());
        }
        // Never `None`, because every emulator's account SID has the form that the signer needs.
        let Some(signer) = self.signer() else { return Ok(()) };
        if self.options.profiles.contains(&Profile::Inbound) {
            self.scout_inbound(&signer).await?;
        }
        // An app that sends faxes itself names the address only when it sends one.
        let callback = self.options.status_callback.as_ref().filter(|_| self.options.send.is_none());
        let is_outbound = self.options.profiles.contains(&Profile::Outbound);
        if let Some(url) = callback.filter(|_| is_outbound) {
            let name = "the address of --status-callback";
            let (url, purpose) = (url.clone(), Purpose::StatusCallback);
            let notified = Notified { url, method: Method::Post, purpose, name, cookies: Vec::new() };
            self.notify(self.trial(&signer), notified, Direction::Outbound).await?;
        }
        Ok(())
    }

    async fn scout_inbound(&self, signer: &Signer) -> Result<(), RunError> {
        let Some(trial) = self.trial(signer) else { return Ok(()) };
        // At the limit of requests, the emulator won't be asked to call anything either.
        if self.admit(1).await.is_err() {
            return Ok(());
        }
        let url = self.options.limits.voice_url(&self.options.url);
        let method = Method::from_word(self.method()).unwrap_or_default();
        let Led { to, taken, cookies } = trial.ask(&url, method).await;
        self.refuse_public("the app redirects the request for TwiML to a public address", &to).await?;
        let action = match taken {
            Some(Taken::Action(url, method)) => {
                let name = "the action in the app's TwiML";
                Some(Notified { url, method, purpose: Purpose::Action, name, cookies })
            }
            Some(Taken::Silently) => self.place.status_callback.clone().map(|(url, method)| {
                let name = "the StatusCallback of the number, which is notified because the app's TwiML has no action,";
                Notified { url, method, purpose: Purpose::StatusCallback, name, cookies }
            }),
            Some(Taken::Rejected) | None => None,
        };
        if let Some(action) = action {
            self.notify(Some(trial), action, Direction::Inbound).await?;
        }
        if let Some(url) = self.options.action.clone() {
            let (name, purpose) = ("the address of --action", Purpose::Action);
            let notified = Notified { url, method: Method::Post, purpose, name, cookies: Vec::new() };
            self.notify(self.trial(signer), notified, Direction::Inbound).await?;
        }
        Ok(())
    }

    /// Refuses an address that is public. If it isn't, notifies it, and refuses one that redirects to a public one.
    async fn notify(&self, trial: Option<Trial<'_>>, notified: Notified, direction: Direction) -> Result<(), RunError> {
        let Notified { url, method, purpose, name, cookies } = notified;
        let what = format!("{name} leads to a public address");
        self.refuse_public(&what, &url).await?;
        let Some(trial) = trial else { return Ok(()) };
        if self.admit(1).await.is_err() {
            return Ok(());
        }
        let document = format!("{}{CONTROL_BASE}/samples/one-page.pdf", self.place.api.base());
        let document = Some(document.as_str()).filter(|_| direction == Direction::Outbound);
        let led = trial.notify(&url, method, purpose, Told { direction, document, cookies }).await;
        self.refuse_public(&what, &led.to).await
    }

    async fn refuse_public(&self, what: &str, url: &str) -> Result<(), RunError> {
        let refused = |why: String| RunError::Public(format!("{what}: {why}"));
        self.direct.check_private(url).await.map_err(refused)
    }

    /// Returns a fax of its own for each series of requests. An app that records faxes by their SIDs must not take the first
    /// fax of the run for a repetition.
    fn trial<'a>(&'a self, signer: &'a Signer) -> Option<Trial<'a>> {
        let random = || RandomState::new().hash_one(0);
        let bits = (u128::from(random()) << 64 | u128::from(random())).to_be_bytes();
        let (own, other) = (self.place.number.parse().ok()?, self.next_number().parse().ok()?);
        let fax = FaxSid::minted(bits, self.dialect().id_form());
        Some(Trial { client: self.direct.client(), signer, fax, own, other })
    }

    /// Returns what signs the requests.
    fn signer(&self) -> Option<Signer> {
        let now = self.place.now.as_deref().and_then(date::parse_exact).unwrap_or_default();
        Some(Signer {
            account: self.place.sid.parse().ok()?,
            dialect: self.dialect(),
            key: self.place.signing_key.as_str().into(),
            media_key: Vec::new().into(),
            now,
        })
    }
}
