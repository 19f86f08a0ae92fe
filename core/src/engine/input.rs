//! What the commands hold: those of clients, of testers, and the answers of performed effects. Data only.

use std::sync::Arc;

use super::effect::{EffectId, Generation};
use super::event::EventKind;
use super::rule::Rule;
use crate::model::account::AccountChange;
use crate::model::application::ApplicationChange;
use crate::model::fax::Quality;
use crate::model::line::{Line, LineFault};
use crate::model::media::{Document, UnreadableDocument};
use crate::model::number::NumberChange;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::sid::{ApplicationSid, FaxSid, KeySid, MediaSid, NumberSid};
use crate::model::webhook::{Cookie, ExchangeFailure, ExchangeRecord};
use crate::twiml::Reading;

/// Cancels a fax that has not begun to go over the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelFax(pub FaxSid);

/// Deletes an ended fax and its media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteFax(pub FaxSid);

/// Deletes the media of an ended fax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteMedia(pub FaxSid, pub MediaSid);

/// Changes attributes of a number.
#[derive(Debug, Clone)]
pub struct UpdateNumber(pub NumberSid, pub NumberChange);

/// Gives a number back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseNumber(pub NumberSid);

/// A client changes its account: the status only of a subaccount.
#[derive(Debug, Clone)]
pub struct UpdateAccount(pub AccountChange);

/// Creates an API key of this name.
#[derive(Debug, Clone)]
pub struct CreateKey(pub Box<str>);

/// Gives an API key another name, if any is given.
#[derive(Debug, Clone)]
pub struct RenameKey(pub KeySid, pub Option<Box<str>>);

/// Deletes an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteKey(pub KeySid);

/// Verifies a number as caller id; without a name it is called by its digits in national format.
#[derive(Debug, Clone)]
pub struct VerifyCallerId(pub PhoneNumber, pub Option<Box<str>>);

/// Gives a caller id another name, if any is given.
#[derive(Debug, Clone)]
pub struct RenameCallerId(pub NumberSid, pub Option<Box<str>>);

/// Deletes a caller id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteCallerId(pub NumberSid);

/// Creates an application.
#[derive(Debug, Clone)]
pub struct CreateApplication(pub ApplicationChange);

/// Changes attributes of an application.
#[derive(Debug, Clone)]
pub struct UpdateApplication(pub ApplicationSid, pub ApplicationChange);

/// Deletes an application; numbers that name it use their own URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteApplication(pub ApplicationSid);

/// A fax to send; fields as in the Fax API's create.
#[derive(Debug, Clone)]
pub struct CreateFax {
    /// Who is called.
    pub to: Party,
    /// Who calls; none only where `to` is a SIP URI.
    pub from: Option<Party>,
    /// Where the document is fetched.
    pub media_url: Arc<str>,
    /// The vertical resolution.
    pub quality: Quality,
    /// Who is told of status changes.
    pub status_callback: Option<Box<str>>,
    /// Whether the document is kept.
    pub store_media: bool,
    /// How long calls are tried.
    pub ttl_minutes: Option<u32>,
    /// Scheme and host that the client used; links to media are built on it.
    pub origin: Arc<str>,
}

/// A number to buy.
#[derive(Debug, Clone)]
pub struct BuyNumber {
    /// This very number, or any of an area.
    pub wish: NumberRequest,
    /// Its attributes from the start.
    pub change: NumberChange,
}

/// Which number to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberRequest {
    /// This one.
    Number(PhoneNumber),
    /// The first for sale in a North American area code.
    Area(u16),
}

/// A tester changes an account: the status of any.
#[derive(Debug, Clone)]
pub struct ChangeAccount(pub AccountChange);

/// Takes the world back to its configured start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reset {
    /// What ids and draws begin anew from; without one they go on, and no id comes again.
    pub seed: Option<u64>,
}

/// Adds a rule after those there are.
#[derive(Debug, Clone)]
pub struct AddRule(pub Rule);

/// Removes a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropRule(pub u64);

/// Removes all rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropRules;

/// A REST call came in: do the rules have it answered otherwise?
#[derive(Debug, Clone)]
pub struct ApiCalled {
    /// Its method.
    pub method: Box<str>,
    /// Its path, without the query.
    pub path: Box<str>,
}

/// Remembers the world under this name, in place of an earlier snapshot of that name.
#[derive(Debug, Clone)]
pub struct TakeSnapshot(pub Box<str>);

/// Takes the world back to a snapshot.
#[derive(Debug, Clone)]
pub struct Restore(pub Box<str>);

/// Removes a snapshot.
#[derive(Debug, Clone)]
pub struct DropSnapshot(pub Box<str>);

/// Gives an unclaimed account its token; the result says whether the token is the account's.
#[derive(Clone)]
pub struct Claim(pub Box<str>);

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Claim(…)")
    }
}

/// The shell saw something happen that the journal tells.
#[derive(Debug, Clone)]
pub struct Note {
    /// To which fax or call.
    pub fax: Option<FaxSid>,
    /// What.
    pub kind: EventKind,
}

/// Handles alarms that are due, in order; the result says whether more are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandleAlarms {
    /// How many at the most, so that a lock is not held long.
    pub limit: usize,
}

/// A fax that a machine sends to a number of the world.
#[derive(Debug, Clone)]
pub struct ReceiveFax {
    /// The number called; may be left out where the world has one fax number.
    pub to: Option<PhoneNumber>,
    /// The caller.
    pub from: Party,
    /// The sender's TSID (T.30 §5.3.6.2.4), at most 20 characters.
    pub station_id: Box<str>,
    /// What it sends.
    pub document: Document,
    /// At which resolution.
    pub quality: Quality,
    /// The SID the fax shall have.
    pub sid: Option<FaxSid>,
    /// How the transmission goes, where it shall not go well.
    pub line_fault: Option<LineFault>,
    /// What the machines agree on.
    pub line: Line,
    /// Scheme and host that links to media are built on.
    pub origin: Arc<str>,
}

/// What came of an effect.
#[derive(Debug, Clone)]
pub struct Completion {
    /// Which effect.
    pub effect: EffectId,
    /// The generation that issued it; an answer of an older one changes nothing.
    pub generation: Generation,
    /// What it brought.
    pub outcome: EffectResult,
}

/// What an effect brought.
#[derive(Debug, Clone)]
pub enum EffectResult {
    /// Of `FetchDocument`.
    Document {
        /// The exchange that fetched it.
        record: Box<ExchangeRecord>,
        /// The file of its fax pages, or why there is none.
        document: Result<Document, DocumentFault>,
    },
    /// Of `Render`: the file of the pages as received.
    Rendered(Result<Document, UnreadableDocument>),
    /// Of `AskForTwiml`.
    Twiml {
        /// The exchange.
        record: Box<ExchangeRecord>,
        /// Cookies the app set.
        cookies: Vec<Cookie>,
        /// Where the answer came from; a relative action is resolved against it.
        base_url: Box<str>,
        /// What the answer says, or why none came.
        reading: Result<Reading, ExchangeFailure>,
    },
    /// Of `Deliver`.
    Delivered {
        /// The exchange.
        record: Box<ExchangeRecord>,
        /// Cookies the app set.
        cookies: Vec<Cookie>,
    },
    /// Of any: performing it failed within the emulator.
    Lost,
}

impl EffectResult {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Document { .. } => "document-fetched",
            Self::Rendered(_) => "rendered",
            Self::Twiml { .. } => "twiml-answered",
            Self::Delivered { .. } => "webhook-answered",
            Self::Lost => "effect-lost",
        }
    }
}

/// Why no document came of a MediaUrl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentFault {
    /// It could not be fetched.
    Fetch(ExchangeFailure),
    /// It could not be read.
    Unreadable(UnreadableDocument),
}

/// A call that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ringing {
    /// The SID that the fax will have if the call is taken.
    pub sid: FaxSid,
    /// The caller.
    pub from: Party,
    /// The number called.
    pub to: PhoneNumber,
}
