//! What goes into the engine: commands of clients, controls of testers, answers of performed effects. Data only.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::effect::{EffectId, Generation};
use super::rule::{ApiFault, Rule};
use crate::model::account::AccountChange;
use crate::model::application::ApplicationChange;
use crate::model::fax::Quality;
use crate::model::line::Line;
use crate::model::media::{Document, UnreadableDocument};
use crate::model::number::NumberChange;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::sid::{ApplicationSid, FaxSid, KeySid, MediaSid, NumberSid};
use crate::model::webhook::{Cookie, ExchangeFailure, ExchangeRecord};
use crate::twiml::Reading;

/// One input.
#[derive(Debug, Clone)]
pub enum Input {
    /// A client asks through a REST API.
    Command(Command),
    /// A tester asks through the control API.
    Control(Control),
    /// An effect came back.
    Answer(Answer),
}

impl Input {
    /// Whether it takes the world back to an earlier state of itself.
    #[must_use]
    pub const fn is_way_back(&self) -> bool {
        matches!(self, Self::Control(Control::Reset { .. } | Control::Restore(_)))
    }

    /// Its name and the fax that it names, for a report of what came last.
    #[must_use]
    pub const fn traced(&self) -> (&'static str, Option<FaxSid>) {
        match self {
            Self::Command(command) => command.traced(),
            Self::Control(control) => (control.name(), None),
            Self::Answer(answer) => (answer.outcome.name(), None),
        }
    }
}

/// What a client may ask.
#[derive(Debug, Clone)]
pub enum Command {
    /// Send a fax.
    CreateFax(Box<CreateFax>),
    /// Cancel a fax that has not begun to go over the line.
    CancelFax(FaxSid),
    /// Delete an ended fax and its media.
    DeleteFax(FaxSid),
    /// Delete the media of an ended fax.
    DeleteMedia(FaxSid, MediaSid),
    /// Buy a number.
    BuyNumber(Box<BuyNumber>),
    /// Change attributes of a number.
    UpdateNumber(NumberSid, Box<NumberChange>),
    /// Give a number back.
    ReleaseNumber(NumberSid),
    /// Change the account itself.
    Account(Box<AccountChange>),
    /// Do something with an API key.
    Key(KeyCommand),
    /// Do something with a caller id.
    CallerId(CallerIdCommand),
    /// Do something with an application.
    Application(ApplicationCommand),
}

impl Command {
    const fn traced(&self) -> (&'static str, Option<FaxSid>) {
        match self {
            Self::CreateFax(_) => ("create-fax", None),
            Self::CancelFax(sid) => ("cancel-fax", Some(*sid)),
            Self::DeleteFax(sid) => ("delete-fax", Some(*sid)),
            Self::DeleteMedia(sid, _) => ("delete-media", Some(*sid)),
            Self::BuyNumber(_) => ("buy-number", None),
            Self::UpdateNumber(..) => ("update-number", None),
            Self::ReleaseNumber(_) => ("release-number", None),
            Self::Account(_) => ("change-account", None),
            Self::Key(_) => ("key", None),
            Self::CallerId(_) => ("caller-id", None),
            Self::Application(_) => ("application", None),
        }
    }
}

impl Control {
    const fn name(&self) -> &'static str {
        match self {
            Self::ReceiveFax(_) => "receive-fax",
            Self::ChangeAccount(_) => "change-account",
            Self::Reset { .. } => "reset",
            Self::AddRule(_) => "add-rule",
            Self::DropRule(_) => "drop-rule",
            Self::DropRules => "drop-rules",
            Self::ApiCalled { .. } => "api-called",
            Self::TakeSnapshot(_) => "take-snapshot",
            Self::Restore(_) => "restore",
            Self::DropSnapshot(_) => "drop-snapshot",
        }
    }
}

impl AnswerOutcome {
    const fn name(&self) -> &'static str {
        match self {
            Self::Document { .. } => "document-fetched",
            Self::Rendered(_) => "rendered",
            Self::Twiml { .. } => "twiml-answered",
            Self::Delivered { .. } => "webhook-answered",
            Self::Lost => "effect-lost",
        }
    }
}

/// What a client may ask of API keys.
#[derive(Debug, Clone)]
pub enum KeyCommand {
    /// Create one of this name.
    Create(Box<str>),
    /// Give one another name, if any is given.
    Rename(KeySid, Option<Box<str>>),
    /// Take one's rights away.
    Delete(KeySid),
}

/// What a client may ask of caller ids.
#[derive(Debug, Clone)]
pub enum CallerIdCommand {
    /// Verify a number; its name is the number in national format where none is given.
    Verify(PhoneNumber, Option<Box<str>>),
    /// Give one another name, if any is given.
    Rename(NumberSid, Option<Box<str>>),
    /// Forget one.
    Delete(NumberSid),
}

/// What a client may ask of applications.
#[derive(Debug, Clone)]
pub enum ApplicationCommand {
    /// Create one.
    Create(Box<ApplicationChange>),
    /// Change one's attributes.
    Update(ApplicationSid, Box<ApplicationChange>),
    /// Forget one; numbers that name it use their own URLs.
    Delete(ApplicationSid),
}

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
    pub wish: NumberWish,
    /// Its attributes from the start.
    pub change: NumberChange,
}

/// Which number to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberWish {
    /// This one.
    Number(PhoneNumber),
    /// The first for sale in a North American area code.
    Area(u16),
}

/// What a tester may ask.
#[derive(Debug, Clone)]
pub enum Control {
    /// A machine calls one of the world's numbers.
    ReceiveFax(Box<ReceiveFax>),
    /// Change the account, its status whoever owns it.
    ChangeAccount(Box<AccountChange>),
    /// Back to the configured start.
    Reset {
        /// What ids and draws begin anew from; without one they go on, and no id comes again.
        seed: Option<u64>,
    },
    /// Let the world behave so, after the rules there are.
    AddRule(Box<Rule>),
    /// Forget a rule.
    DropRule(u64),
    /// Forget all rules.
    DropRules,
    /// A REST call came in: do the rules have it answered otherwise?
    ApiCalled {
        /// Its method.
        method: Box<str>,
        /// Its path, without the query.
        path: Box<str>,
    },
    /// Remember the world under this name, in place of an earlier one of that name.
    TakeSnapshot(Box<str>),
    /// Back to a snapshot.
    Restore(Box<str>),
    /// Forget a snapshot.
    DropSnapshot(Box<str>),
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

/// A transmission that breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineFault {
    /// The 34xxx code it ends with.
    pub code: u32,
    /// How many pages get through.
    pub after_pages: u32,
}

/// What came of an effect.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Which effect.
    pub effect: EffectId,
    /// The generation that issued it; an answer of an older one changes nothing.
    pub generation: Generation,
    /// What it brought.
    pub outcome: AnswerOutcome,
}

/// What an effect brought.
#[derive(Debug, Clone)]
pub enum AnswerOutcome {
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

/// Why no document came of a MediaUrl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentFault {
    /// It could not be fetched.
    Fetch(ExchangeFailure),
    /// It could not be read.
    Unreadable(UnreadableDocument),
}

/// What the engine answers to a command or control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The fax that was created or changed.
    Fax(FaxSid),
    /// The number that was bought or changed.
    Number(NumberSid),
    /// The API key that was created or changed.
    Key(KeySid),
    /// The caller id that was verified or changed.
    CallerId(NumberSid),
    /// The application that was created or changed.
    Application(ApplicationSid),
    /// The rule that was added.
    Rule(u64),
    /// How a REST call is to be answered otherwise, if it is.
    Api(Option<ApiFault>),
    /// A machine is calling.
    Ringing(Ringing),
    /// It is done.
    Done,
    /// The world is back at its start, or at a snapshot.
    Reset(Canceled),
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

/// What a reset or restore took away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Canceled {
    /// How much of it.
    pub count: ResetCount,
    /// The faxes and calls that had not ended, newest first; the first hundred of them.
    pub pending: Vec<FaxSid>,
}

/// How much a reset or restore took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResetCount {
    /// Faxes, ended or not.
    pub faxes: usize,
    /// Faxes and calls that had not ended.
    pub pending: usize,
    /// Requests to customers' apps that were under way or waiting.
    pub effects: usize,
}
