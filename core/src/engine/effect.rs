//! What the engine wants done: intent in our words, never a rendered request. Performing one yields one answer.

use std::sync::Arc;

use super::event::Event;
use crate::model::account::DocumentPolicy;
use crate::model::fault::{Failure, Fault};
use crate::model::fax::{Direction, MediaType, Quality, Status};
use crate::model::media::Document;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::reception::Reception;
use crate::model::sid::{AccountSid, FaxSid, MediaSid};
use crate::model::webhook::{Attempt, Cookie, Method, Purpose, Signature};

/// Names an effect within a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectId(pub(super) u64);

impl EffectId {
    /// The id with this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The id as an integer, for logs.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// How often the world has been reset; answers of an older generation are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Generation(pub(super) u32);

/// Something to do.
#[derive(Debug, Clone)]
pub struct Effect {
    /// Its name.
    pub id: EffectId,
    /// The generation it belongs to.
    pub generation: Generation,
    /// The fax or call it is for.
    pub fax: FaxSid,
    /// What to do; the engine keeps it too, to issue it again after a restore.
    pub intent: Arc<Intent>,
}

/// What to do.
#[derive(Debug, Clone)]
pub enum Intent {
    /// Fetch the document of an outbound fax and make its fax pages.
    FetchDocument {
        /// Where it is.
        url: Arc<str>,
        /// At which resolution.
        quality: Quality,
        /// What it may be.
        documents: DocumentPolicy,
    },
    /// Make the pages of an incoming fax as they are received.
    Render(Box<RenderRequest>),
    /// Ask a number's app what to do with a call.
    AskForTwiml(Box<TwimlRequest>),
    /// Tell an app of a status.
    Deliver(Box<Notice>),
    /// Tell the account's Debugger webhook of an alert.
    Report(Box<Report>),
}

impl IntentKind {
    /// A word for it, for logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FetchDocument => "fetch-document",
            Self::Render => "render",
            Self::AskForTwiml => "ask-for-twiml",
            Self::Deliver => "deliver",
            Self::Report => "report",
        }
    }
}

impl Intent {
    /// What kind of intent it is.
    #[must_use]
    pub const fn kind(&self) -> IntentKind {
        match self {
            Self::FetchDocument { .. } => IntentKind::FetchDocument,
            Self::Render(_) => IntentKind::Render,
            Self::AskForTwiml(_) => IntentKind::AskForTwiml,
            Self::Deliver(_) => IntentKind::Deliver,
            Self::Report(_) => IntentKind::Report,
        }
    }
}

/// What kind of thing is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentKind {
    /// Fetch a document.
    FetchDocument,
    /// Make the pages of an incoming fax.
    Render,
    /// Ask an app what to do with a call.
    AskForTwiml,
    /// Tell an app of a status.
    Deliver,
    /// Tell a Debugger webhook of an alert.
    Report,
}

/// Pages to be received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderRequest {
    /// What a machine sends, or the file of the fax pages that a fax of this world sends.
    pub document: Document,
    /// At which resolution a machine sends it.
    pub quality: Quality,
    /// How it is received.
    pub reception: Reception,
}

/// A question to a FaxUrl or fallback URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwimlRequest {
    /// `FaxUrl` or `FallbackUrl`.
    pub purpose: Purpose,
    /// Whom to ask.
    pub url: Box<str>,
    /// How.
    pub method: Method,
    /// The caller.
    pub from: Party,
    /// The number called.
    pub to: PhoneNumber,
    /// Asking the fallback: why the FaxUrl failed, and its URL.
    pub failed: Option<(Fault, Box<str>)>,
    /// Cookies set earlier in this call.
    pub cookies: Vec<Cookie>,
    /// Which try it is.
    pub attempt: Attempt,
    /// How it is signed.
    pub signature: Signature,
    /// The same on each try of one event.
    pub idempotency_token: Box<str>,
}

/// A message to an `action` or StatusCallback.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// `Action` or `StatusCallback`.
    pub purpose: Purpose,
    /// Whom to tell.
    pub url: Box<str>,
    /// How.
    pub method: Method,
    /// The status told of.
    pub status: Status,
    /// Which way the fax went.
    pub direction: Direction,
    /// The sender.
    pub from: Party,
    /// The receiver.
    pub to: Party,
    /// The other machine's station id: the TSID of a sender, the CSID of a receiver.
    pub remote_station_id: Option<Box<str>>,
    /// The MediaUrl of the create call.
    pub original_media_url: Option<Arc<str>>,
    /// Pages sent or received, on success.
    pub pages: Option<u32>,
    /// The stored document, if one is kept.
    pub media: Option<(MediaSid, MediaType)>,
    /// The document itself, where `storeMedia="false"` has it delivered instead of kept.
    pub attachment: Option<Document>,
    /// Code and text of a failure.
    pub failure: Option<Failure>,
    /// Scheme and host that the media URL is built on.
    pub origin: Arc<str>,
    /// Cookies set earlier in this fax.
    pub cookies: Vec<Cookie>,
    /// Which try it is.
    pub attempt: Attempt,
    /// How it is signed.
    pub signature: Signature,
    /// The same on each try of one event.
    pub idempotency_token: Box<str>,
}

/// A message to the account's Debugger webhook.
#[derive(Debug, Clone)]
pub struct Report {
    /// Whom to tell.
    pub url: Box<str>,
    /// The owner of the account, where it is a subaccount.
    pub parent: Option<AccountSid>,
    /// The alert, as journaled.
    pub alert: Arc<Event>,
    /// The same whenever the same is told.
    pub idempotency_token: Box<str>,
}
