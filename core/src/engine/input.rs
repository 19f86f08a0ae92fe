//! The data of each command from clients, testers and the shell.

use std::sync::Arc;

use super::effect::{EffectId, Generation};
use super::event::EventKind;
use super::rule::Rule;
use crate::model::account::AccountChange;
use crate::model::application::ApplicationChange;
use crate::model::fax::{Quality, StatusSet};
use crate::model::line::{Line, LineFault};
use crate::model::media::{Document, UnreadableDocument};
use crate::model::message::Sender;
use crate::model::number::NumberChange;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::sid::{ApplicationSid, FaxSid, KeySid, MediaSid, MessageSid, NumberSid, TwimlBinSid};
use crate::model::twiml_bin::TwimlBinChange;
use crate::model::webhook::{Cookie, Delivery, ExchangeFailure, ExchangeRecord, Method};
use crate::twiml::Reading;

/// Cancels a fax that is still queued or processing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelFax(pub FaxSid);

/// Deletes an ended fax together with its media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteFax(pub FaxSid);

/// Deletes the listed faxes that have ended, together with their media, and forgets the listed calls that ended without
/// a fax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteEntries(pub Box<[FaxSid]>);

/// The result of deleting faxes and calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeletedEntries {
    /// The number of faxes that were deleted.
    pub faxes: usize,
    /// The number of calls without a fax that were forgotten.
    pub calls: usize,
    /// The number of faxes and calls that were left because they have not ended.
    pub active: usize,
}

/// Deletes the stored media of an ended fax; the fax itself stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteMedia(pub FaxSid, pub MediaSid);

/// Changes the specified attributes of a number.
#[derive(Debug, Clone)]
pub struct UpdateNumber(pub NumberSid, pub NumberChange);

/// Releases a number, making it available for sale again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseNumber(pub NumberSid);

/// Changes an account on behalf of a client, who may change the status only of a subaccount.
#[derive(Debug, Clone)]
pub struct UpdateAccount(pub AccountChange);

/// Creates an API key with this friendly name.
#[derive(Debug, Clone)]
pub struct CreateKey(pub Box<str>);

/// Renames an API key; without a name, the key stays unchanged.
#[derive(Debug, Clone)]
pub struct RenameKey(pub KeySid, pub Option<Box<str>>);

/// Deletes an API key, which then no longer authenticates requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteKey(pub KeySid);

/// Verifies a number as a caller id. Without a name, the number in national format is the caller id's name.
#[derive(Debug, Clone)]
pub struct VerifyCallerId(pub PhoneNumber, pub Option<Box<str>>);

/// Renames a caller id; without a name, the caller id stays unchanged.
#[derive(Debug, Clone)]
pub struct RenameCallerId(pub NumberSid, pub Option<Box<str>>);

/// Deletes a caller id; faxes can no longer be sent from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteCallerId(pub NumberSid);

/// Creates an application with these attributes.
#[derive(Debug, Clone)]
pub struct CreateApplication(pub ApplicationChange);

/// Changes the specified attributes of an application.
#[derive(Debug, Clone)]
pub struct UpdateApplication(pub ApplicationSid, pub ApplicationChange);

/// Deletes an application; numbers that name it use their own URLs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteApplication(pub ApplicationSid);

/// Creates a TwiML bin with this name and content.
#[derive(Debug, Clone)]
pub struct CreateTwimlBin {
    /// The name that the tester chose for the bin.
    pub name: Box<str>,
    /// The TwiML that the bin returns.
    pub contents: Arc<str>,
}

/// Changes the specified parts of a TwiML bin.
#[derive(Debug, Clone)]
pub struct UpdateTwimlBin(pub TwimlBinSid, pub TwimlBinChange);

/// Deletes a TwiML bin, whose URL is then no longer served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteTwimlBin(pub TwimlBinSid);

/// Counts a request for a TwiML bin; the result is the bin's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeTwimlBin(pub TwimlBinSid);

/// Creates an outbound text message.
#[derive(Debug, Clone)]
pub struct CreateMessage {
    /// The sender; `None` if a messaging service is to choose one.
    pub from: Option<Sender>,
    /// The number that the message is sent to.
    pub to: PhoneNumber,
    /// The text, which may be empty if there are media.
    pub body: Box<str>,
    /// The number of media items.
    pub media: u32,
    /// The messaging service that is to send the message, if any.
    pub messaging_service: Option<Box<str>>,
    /// The URL that is notified of status changes.
    pub status_callback: Option<Box<str>>,
}

/// Removes the text of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedactMessage(pub MessageSid);

/// Deletes a delivered message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteMessage(pub MessageSid);

/// Creates an outbound fax; most fields are parameters of the dialects' create calls.
#[derive(Debug, Clone)]
pub struct CreateFax {
    /// The number or SIP URI that is called.
    pub to: Party,
    /// The caller, required unless `to` is a SIP URI.
    pub from: Option<Party>,
    /// The URL from which the document is fetched.
    pub media_url: Arc<str>,
    /// The vertical resolution that the document is converted to.
    pub quality: Quality,
    /// The URL that is notified of status changes.
    pub status_callback: Option<Box<str>>,
    /// The HTTP method of requests to `status_callback`.
    pub callback_method: Method,
    /// The statuses that the callback is notified of; `None` selects those in the world's [`CallbackPolicy`].
    ///
    /// [`CallbackPolicy`]: crate::model::account::CallbackPolicy
    pub callback_statuses: Option<StatusSet>,
    /// Whether the document is kept as media of the fax.
    pub store_media: bool,
    /// The number of minutes after creation within which calls may start; `None` if the client specified no Ttl.
    pub ttl_minutes: Option<u32>,
    /// The scheme and host of the client's request, with which the URLs of the fax's media begin.
    pub origin: Arc<str>,
}

/// Buys a number for the account.
#[derive(Debug, Clone)]
pub struct BuyNumber {
    /// The number to buy: a specific one, or any in an area code.
    pub wanted: NumberRequest,
    /// The attributes that the client specified; all others have their defaults.
    pub change: NumberChange,
}

/// The number to buy, or the area to find one in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberRequest {
    /// Exactly this number, in E.164 form.
    Number(PhoneNumber),
    /// The first number for sale with this North American area code.
    Area(u16),
}

/// Changes an account on behalf of a tester, who may change the status of any account.
#[derive(Debug, Clone)]
pub struct ChangeAccount(pub AccountChange);

/// Resets the world to its configured start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reset {
    /// The seed from which ids and random draws start again. Without a seed, no earlier id is used again.
    pub seed: Option<u64>,
}

/// Adds a rule after the existing ones.
#[derive(Debug, Clone)]
pub struct AddRule(pub Rule);

/// Changes the rule with this id, which keeps its counters and its place in the order.
#[derive(Debug, Clone)]
pub struct ChangeRule {
    /// The id of the rule.
    pub id: u64,
    /// The change to the rule.
    pub change: RuleChange,
}

/// A change to a rule.
#[derive(Debug, Clone)]
pub enum RuleChange {
    /// Enables or disables the rule.
    Enabled(bool),
    /// Replaces the rule with another one.
    Replaced(Rule),
}

/// Removes the rule with this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropRule(pub u64);

/// Removes all rules of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropRules;

/// Matches a REST call against the rules, which may refuse it, delay it or reset its connection.
#[derive(Debug, Clone)]
pub struct ApiCalled {
    /// The HTTP method of the request, in capitals.
    pub method: Box<str>,
    /// The path of the request, without its query.
    pub path: Box<str>,
}

/// Matches a download of a fax's media against the rules, which may slow it, cut it off, redirect it or refuse it.
#[derive(Debug, Clone)]
pub struct MediaRequested {
    /// The fax that the media belong to.
    pub fax: FaxSid,
    /// The HTTP method of the request, in capitals.
    pub method: Box<str>,
    /// The path of the request, without its query.
    pub path: Box<str>,
}

/// Takes a snapshot with this name, replacing an earlier snapshot of the same name.
#[derive(Debug, Clone)]
pub struct TakeSnapshot(pub Box<str>);

/// Restores the world from the snapshot with this name.
#[derive(Debug, Clone)]
pub struct Restore(pub Box<str>);

/// Removes the snapshot with this name.
#[derive(Debug, Clone)]
pub struct DropSnapshot(pub Box<str>);

/// Gives an unclaimed account its token; the result says whether the account now has this token.
#[derive(Clone)]
pub struct Claim(pub Box<str>);

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is a secret, so debug output must not contain it.
        f.write_str("Claim(…)")
    }
}

/// Journals an event that the shell observed, such as a media download.
#[derive(Debug, Clone)]
pub struct Note {
    /// The fax or call that the event concerns, if any.
    pub fax: Option<FaxSid>,
    /// The event to be journaled, with its details.
    pub kind: EventKind,
}

/// Handles due alarms in order; the result says whether more are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandleAlarms {
    /// The maximum number of alarms to handle, limited because the caller holds the world's lock.
    pub limit: usize,
}

/// Places a call from an outside machine that sends a fax to a number of the world.
#[derive(Debug, Clone)]
pub struct ReceiveFax {
    /// The called number, which may be omitted if the world has exactly one fax number.
    pub to: Option<PhoneNumber>,
    /// The caller's number or name, as the app sees it.
    pub from: Party,
    /// The sender's TSID (T.30 §5.3.6.2.4), at most 20 characters.
    pub station_id: Box<str>,
    /// The pages sent by the machine.
    pub document: Document,
    /// The vertical resolution at which the machine sends.
    pub quality: Quality,
    /// The SID for the fax; `None` draws one from the seed.
    pub sid: Option<FaxSid>,
    /// The point and cause of a break in the transmission, if any. It takes precedence over rules.
    pub line_fault: Option<LineFault>,
    /// The speed and coding that the machines agree on, and the noise on the line.
    pub line: Line,
    /// The scheme and host with which the URLs of the fax's media begin.
    pub origin: Arc<str>,
    /// The URL to ask for TwiML instead of the number's VoiceUrl, if any.
    pub twiml_url: Option<Box<str>>,
}

/// Reports that the shell has performed an effect, or failed to.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The id of the completed effect.
    pub effect: EffectId,
    /// The generation in which the effect was issued. A completion from an older generation is only journaled.
    pub generation: Generation,
    /// The result of performing the effect.
    pub outcome: EffectResult,
}

/// The result of an effect, with a variant for each kind of result that an intent can have.
#[derive(Debug, Clone)]
pub enum EffectResult {
    /// The result of `FetchDocument`: the document, already converted to fax pages.
    Document {
        /// The request to the MediaUrl and its response.
        record: Box<ExchangeRecord>,
        /// The document converted to fax pages, or the reason that there are none.
        document: Result<Document, DocumentFault>,
    },
    /// The result of `Render`: the pages as received, or the reason that the document can't be read.
    Rendered(Result<Document, UnreadableDocument>),
    /// The result of `AskForTwiml`: the app's response, already parsed.
    Twiml {
        /// The request to the app and its response.
        record: Box<ExchangeRecord>,
        /// Cookies that the app set in this exchange.
        cookies: Vec<Cookie>,
        /// The URL of the response after redirects; a relative `action` is resolved against it.
        base_url: Box<str>,
        /// The parsed TwiML, or the reason that no usable response was received.
        reading: Result<Reading, ExchangeFailure>,
    },
    /// The result of `Deliver`, `NotifyOfMessage` and `Report`; the contents of the response don't matter.
    Delivered {
        /// The request to the app and its response.
        record: Box<ExchangeRecord>,
        /// Cookies that the app set in this exchange.
        cookies: Vec<Cookie>,
    },
    /// The emulator itself failed to perform the effect.
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

    /// Records the delivery in the exchange, if the result contains one.
    pub(super) fn set_delivery(&mut self, delivery: Delivery) {
        match self {
            Self::Document { record, .. } | Self::Twiml { record, .. } | Self::Delivered { record, .. } => {
                record.delivery = delivery;
            }
            Self::Rendered(_) | Self::Lost => {}
        }
    }
}

/// The reason that a MediaUrl yielded no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentFault {
    /// The request failed, or the response was refused.
    Fetch(ExchangeFailure),
    /// The response was fetched, but it is not a readable document.
    Unreadable(UnreadableDocument),
}

/// A started call, as reported to the tester who placed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ringing {
    /// The SID that the fax will have if an app takes the call.
    pub sid: FaxSid,
    /// The caller's number or name, as the tester specified it.
    pub from: Party,
    /// The called number, which belongs to this world.
    pub to: PhoneNumber,
}
