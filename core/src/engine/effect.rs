//! Effects: work for the shell, described as intents in the engine's own terms and never as finished HTTP requests.
//! Each effect has one completion.

use std::sync::Arc;

use super::event::Event;
use crate::model::account::DocumentPolicy;
use crate::model::fault::{Failure, Fault};
use crate::model::fax::{Direction, MediaType, Quality, Status};
use crate::model::media::Document;
use crate::model::message::{MessageStatus, Sender};
use crate::model::phone::{Party, PhoneNumber};
use crate::model::reception::Reception;
use crate::model::sid::{AccountSid, FaxSid, MediaSid, MessageSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, Cookie, Delivery, Method, Purpose, RuleMark, Signature};

/// The id of an effect, which is never reused in the same world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectId(pub(super) u64);

impl EffectId {
    /// Wraps the number of an effect: one read from a log, or a new one for an effect of a saved state.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Returns the id as a plain number, for logs.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Counts how often a world was reset, restored or loaded; completions from an older generation are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Generation(pub(super) u32);

/// A piece of work that the shell performs once.
#[derive(Debug, Clone)]
pub struct Effect {
    /// The id that the completion must name.
    pub id: EffectId,
    /// The generation that the completion must name.
    pub generation: Generation,
    /// The fax or call that the effect belongs to; effects of different faxes are independent. `None` for a notice
    /// about a message, and for the report of an alert that concerns no fax.
    pub fax: Option<FaxSid>,
    /// The work to do, shared with the engine, which issues it again after a restore.
    pub intent: Arc<Intent>,
}

/// The work that an effect asks the shell to do.
#[derive(Debug, Clone)]
pub enum Intent {
    /// Fetch the document of an outbound fax and convert it to fax pages.
    FetchDocument {
        /// The MediaUrl of the create call.
        url: Arc<str>,
        /// The vertical resolution of the fax pages.
        quality: Quality,
        /// The accepted documents: PDF only, or anything readable.
        documents: DocumentPolicy,
    },
    /// Render the pages of an incoming fax as they are received.
    Render(Box<RenderRequest>),
    /// Ask a number's app what to do with a call.
    AskForTwiml(Box<TwimlRequest>),
    /// Notify an app of a fax's status.
    Deliver(Box<Notice>),
    /// Notify an app of a text message's status.
    NotifyOfMessage(Box<MessageNotice>),
    /// Report an alert to the account's Debugger webhook.
    Report(Box<Report>),
}

impl IntentKind {
    /// Returns the name of the intent in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FetchDocument => "fetch-document",
            Self::Render => "render",
            Self::AskForTwiml => "ask-for-twiml",
            Self::Deliver => "deliver",
            Self::NotifyOfMessage => "notify-of-message",
            Self::Report => "report",
        }
    }
}

impl Intent {
    /// Returns the kind of this intent, without its data.
    #[must_use]
    pub const fn kind(&self) -> IntentKind {
        match self {
            Self::FetchDocument { .. } => IntentKind::FetchDocument,
            Self::Render(_) => IntentKind::Render,
            Self::AskForTwiml(_) => IntentKind::AskForTwiml,
            Self::Deliver(_) => IntentKind::Deliver,
            Self::NotifyOfMessage(_) => IntentKind::NotifyOfMessage,
            Self::Report(_) => IntentKind::Report,
        }
    }

    /// Returns the number of the attempt that this intent makes, and what a rule did to it.
    pub(super) fn delivery(&self) -> Delivery {
        match self {
            Self::AskForTwiml(request) => Delivery::of(request.attempt, request.signature, request.by_rule.clone()),
            Self::Deliver(notice) => Delivery::of(notice.attempt, notice.signature, notice.by_rule.clone()),
            // Rules don't apply to these, and they are not tried again.
            Self::FetchDocument { .. } | Self::Render(_) | Self::NotifyOfMessage(_) | Self::Report(_) => {
                Delivery::FIRST
            }
        }
    }
}

/// The kinds of intents, without their data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentKind {
    /// Fetch the document of an outbound fax.
    FetchDocument,
    /// Render the pages of an incoming fax.
    Render,
    /// Ask an app what to do with a call.
    AskForTwiml,
    /// Notify an app of a fax's status.
    Deliver,
    /// Notify an app of a text message's status.
    NotifyOfMessage,
    /// Report an alert to the Debugger webhook.
    Report,
}

/// A request to render the pages of an incoming fax as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderRequest {
    /// The document from an outside machine, or the finished fax pages of a fax of this world.
    pub document: Document,
    /// The vertical resolution at which the document is sent.
    pub quality: Quality,
    /// The page size, the header line, the noise, and the point at which the call breaks.
    pub reception: Reception,
}

/// A request for TwiML to a FaxUrl or fallback URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwimlRequest {
    /// `FaxUrl` or `FallbackUrl`; it determines which parameters are sent.
    pub purpose: Purpose,
    /// The URL of the app, including any overrides in the fragment.
    pub url: Box<str>,
    /// The HTTP method of the request.
    pub method: Method,
    /// The caller, which is sent as `From`.
    pub from: Party,
    /// The called number, which is sent as `To`.
    pub to: PhoneNumber,
    /// In a request to the fallback URL: the fault that made the FaxUrl fail, and the FaxUrl itself.
    pub failed: Option<(Fault, Box<str>)>,
    /// Cookies that the app set in earlier exchanges about this call.
    pub cookies: Vec<Cookie>,
    /// The number of this attempt and the time spent on earlier ones.
    pub attempt: Attempt,
    /// The signature to send: a valid one, or one that a rule makes invalid on purpose.
    pub signature: Signature,
    /// What a rule does to the request, if one acted.
    pub by_rule: Option<RuleMark>,
    /// The idempotency token, the same for every attempt.
    pub idempotency_token: Box<str>,
}

/// A status notification to an `action` or StatusCallback.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// `Action`, `StatusCallback` or, after a failed action at SignalWire, `FallbackUrl`. It determines which
    /// parameters are sent.
    pub purpose: Purpose,
    /// The URL of the app, including any overrides in the fragment.
    pub url: Box<str>,
    /// The HTTP method of the request.
    pub method: Method,
    /// The status that the app is notified of.
    pub status: Status,
    /// Whether the fax was sent or received.
    pub direction: Direction,
    /// The sender of the fax, which is sent as `From`.
    pub from: Party,
    /// The receiver of the fax, which is sent as `To`.
    pub to: Party,
    /// The other machine's station id: the TSID of a sender, the CSID of a receiver.
    pub remote_station_id: Option<Box<str>>,
    /// The MediaUrl of the create call; outbound faxes only.
    pub original_media_url: Option<Arc<str>>,
    /// The number of pages, once all have been delivered or received.
    pub pages: Option<u32>,
    /// The modem rate in bits per second, once all pages have been delivered or received.
    pub rate_bps: Option<u32>,
    /// The stored document, if it is kept.
    pub media: Option<(MediaSid, MediaType)>,
    /// The time at which that document was stored.
    pub media_stored: Option<Timestamp>,
    /// The document itself, which is posted instead of stored if `storeMedia="false"`.
    pub attachment: Option<Document>,
    /// The reason for the failure, if the fax failed.
    pub failure: Option<Failure>,
    /// The scheme and host with which the media URL begins.
    pub origin: Arc<str>,
    /// Cookies that the app set in earlier exchanges about this fax.
    pub cookies: Vec<Cookie>,
    /// The number of this attempt and the time spent on earlier ones.
    pub attempt: Attempt,
    /// The signature to send: a valid one, or one that a rule makes invalid on purpose.
    pub signature: Signature,
    /// What a rule did to the request, if one acted.
    pub by_rule: Option<RuleMark>,
    /// The idempotency token, the same for every attempt.
    pub idempotency_token: Box<str>,
}

/// A status notification to the StatusCallback of a text message. It is sent once, with a valid signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageNotice {
    /// The message that the notice is about.
    pub message: MessageSid,
    /// The URL of the app.
    pub url: Box<str>,
    /// The status that the app is notified of.
    pub status: MessageStatus,
    /// The sender, sent as `From`.
    pub from: Option<Sender>,
    /// The receiver, sent as `To`.
    pub to: PhoneNumber,
    /// The messaging service that was to send the message, if any.
    pub messaging_service: Option<Box<str>>,
    /// The idempotency token.
    pub idempotency_token: Box<str>,
}

/// An alert to be sent to the account's Debugger webhook.
#[derive(Debug, Clone)]
pub struct Report {
    /// The URL of the Debugger webhook.
    pub url: Box<str>,
    /// The owner of the account, if the account is a subaccount.
    pub parent: Option<AccountSid>,
    /// The alert, as recorded in the journal.
    pub alert: Arc<Event>,
    /// The idempotency token, the same whenever this alert is reported.
    pub idempotency_token: Box<str>,
}
