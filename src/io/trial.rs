//! Webhooks about a fax that no world has. With them, the checks of an app find out which addresses the app names before an
//! emulator calls any. A request is the same as one about a fax of the account, down to its parameters and its signature.

use super::client::Client;
use super::{Signer, webhook};
use crate::engine::effect::{Notice, TwimlRequest};
use crate::engine::input::EffectResult;
use crate::model::fault::{Failure, Fault};
use crate::model::fax::{Direction, Status};
use crate::model::phone::{Party, PhoneNumber};
use crate::model::reference::resolve;
use crate::model::sid::FaxSid;
use crate::model::webhook::{Attempt, Cookie, ExchangeRecord, Method, Purpose, Signature};
use crate::twiml::Verb;

/// A fax that exists only in the requests about it.
pub(crate) struct Trial<'a> {
    /// The client, which should refuse public addresses, because the app may redirect it anywhere.
    pub(crate) client: &'a Client,
    /// The account that the requests name and are signed for.
    pub(crate) signer: &'a Signer,
    /// The SID of the fax.
    pub(crate) fax: FaxSid,
    /// The account's number.
    pub(crate) own: PhoneNumber,
    /// The number at the other end.
    pub(crate) other: PhoneNumber,
}

/// Where a request has led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Led {
    /// The URL that the last redirect led to, or else the one that was requested. It has been requested only if the client
    /// may connect to its host.
    pub(crate) to: String,
    /// What the app's TwiML says about the call; `None` if there is none that can be executed.
    pub(crate) taken: Option<Taken>,
    /// The cookies that the app has set.
    pub(crate) cookies: Vec<Cookie>,
}

/// What TwiML with a `<Receive>` or `<Reject>` says about notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The app wants to be notified at this URL, with this method.
    Action(String, Method),
    /// The app takes the call, but names no action.
    Silently,
    /// The app rejects the call, so that nobody is notified.
    Rejected,
}

impl Trial<'_> {
    /// Asks the app for TwiML, as for an incoming fax.
    pub(crate) async fn ask(&self, url: &str, method: Method) -> Led {
        let request = TwimlRequest {
            purpose: Purpose::FaxUrl,
            url: url.into(),
            method,
            from: Party::Number(self.other),
            to: self.own,
            failed: None,
            cookies: Vec::new(),
            attempt: Attempt::FIRST,
            signature: Signature::Good,
            by_rule: None,
            idempotency_token: self.token(),
        };
        let asked = webhook::ask(self.client, self.signer, self.fax, &request, None).await;
        let EffectResult::Twiml { cookies, base_url, reading, .. } = asked else { return Led::nowhere(url) };
        let verb = reading.ok().and_then(|reading| reading.verb.ok());
        let taken = verb.map(|verb| match verb {
            Verb::Receive(receive) => {
                let action = receive.action.and_then(|action| resolve(&base_url, &action));
                action.map_or(Taken::Silently, |action| Taken::Action(action, receive.method))
            }
            Verb::Reject => Taken::Rejected,
        });
        Led { to: base_url.into(), taken, cookies }
    }

    /// Notifies the app that the fax has ended: an incoming one has failed, so that the app looks for no document, and a sent
    /// one has been delivered, so that the app doesn't send it again.
    pub(crate) async fn notify(&self, url: &str, method: Method, purpose: Purpose, told: Told<'_>) -> Led {
        let (own, other) = (Party::Number(self.own), Party::Number(self.other));
        let is_inbound = told.direction == Direction::Inbound;
        let (from, to) = if is_inbound { (other.clone(), own) } else { (own, other.clone()) };
        let notice = Notice {
            purpose,
            url: url.into(),
            method,
            status: if is_inbound { Status::Failed } else { Status::Delivered },
            direction: told.direction,
            from,
            to,
            remote_station_id: Some(other.to_string().into()),
            original_media_url: told.document.map(Into::into),
            pages: (!is_inbound).then_some(1),
            rate_bps: None,
            media: None,
            media_stored: None,
            attachment: None,
            failure: is_inbound.then(|| Failure::of_call(Fault::Transmission)),
            origin: "".into(),
            cookies: told.cookies,
            attempt: Attempt::FIRST,
            signature: Signature::Good,
            by_rule: None,
            idempotency_token: self.token(),
        };
        let delivered = webhook::deliver(self.client, self.signer, self.fax, &notice, None).await;
        let EffectResult::Delivered { record, cookies } = delivered else { return Led::nowhere(url) };
        let ExchangeRecord { redirected_to, url, .. } = *record;
        Led { to: redirected_to.unwrap_or(url), taken: None, cookies }
    }

    fn token(&self) -> Box<str> {
        format!("check-{}", self.fax).into()
    }
}

/// What a notification is about.
pub(crate) struct Told<'a> {
    /// Whether the fax was sent or received.
    pub(crate) direction: Direction,
    /// The URL of the document that was sent, if one was.
    pub(crate) document: Option<&'a str>,
    /// Cookies that the app has set in earlier exchanges about the fax.
    pub(crate) cookies: Vec<Cookie>,
}

impl Led {
    fn nowhere(url: &str) -> Self {
        Self { to: url.to_owned(), taken: None, cookies: Vec::new() }
    }
}
