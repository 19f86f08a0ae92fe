//! Where a fax stands, and which changes are allowed. It never makes a change.
//!
//! ```text
//! outbound    Queued ──► Processing ──► Sending ──► delivered · failed · busy · no-answer
//!                │           │
//!                ▼           ├──► failed      (no document)
//!             canceled ◄─────┘
//!
//! inbound     (a call rings; no fax yet, but clients can fetch it: `arriving.rs`)
//!                │ <Receive>                  │ <Reject>          │ no usable TwiML
//!                ▼                            ▼                   ▼
//!             Receiving ──► received · failed canceled            no fax, not-answered
//! ```
//!
//! `Processing` and `Sending` have steps of their own, which no client sees: fetching, converting, ringing; ringing,
//! talking, waiting for the next call. A redial within the Ttl stays `Sending`.

use super::agenda::Ordinal;
use crate::model::fault::Failure;
use crate::model::fax::Status;
use crate::model::line::Line;
use crate::model::line::LineFault;
use crate::model::media::Document;

/// Where a fax stands; each variant holds what exists only then. What is large and passes is boxed: most faxes have ended.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// Created; the document has not been asked for.
    Queued,
    /// The document is under way, or the far end rings for the first time.
    Processing(Processing),
    /// Calling or transmitting.
    Sending(Box<Sending>),
    /// Being received.
    Receiving(Box<Receiving>),
    /// Nothing follows.
    Ended(Ended),
}

/// The steps of `Processing`.
#[derive(Debug, Clone)]
pub(super) enum Processing {
    /// The document is being fetched.
    Fetching,
    /// The document is there and being converted.
    Converting(Box<Document>),
    /// A number of this world rings and its app is asked what to do.
    Ringing {
        /// What is sent.
        document: Box<Document>,
        /// The call at the far end.
        far: Ordinal,
    },
}

/// A fax being sent.
#[derive(Debug, Clone)]
pub(super) struct Sending {
    /// What is sent.
    pub(super) document: Document,
    /// Calls begun so far, this one included.
    pub(super) calls: u32,
    /// How far this call is.
    pub(super) step: CallStep,
}

/// The steps of a call.
#[derive(Debug, Clone)]
pub(super) enum CallStep {
    /// A machine elsewhere rings; what it will do is settled.
    Ringing(Verdict),
    /// A number of this world rings.
    RingingOwn,
    /// Pages go over the line.
    Talking(Transmission),
    /// Busy or unanswered; the next call is due later.
    Waiting,
}

/// What the far machine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It takes the fax.
    Answer {
        /// How it breaks, if it does.
        fault: Option<LineFault>,
        /// What the machines agree on.
        line: Line,
    },
    /// It is busy.
    Busy,
    /// It doesn't pick up.
    NoAnswer,
}

/// Pages going over the line, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transmission {
    /// The fax at the far end, where it is one of this world's.
    pub(super) far: Option<Ordinal>,
    /// How it breaks, if it does.
    pub(super) fault: Option<LineFault>,
    /// What the machines agreed on.
    pub(super) line: Line,
    /// Pages through.
    pub(super) pages_done: u32,
    /// Line time so far.
    pub(super) line_ms: u64,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A machine elsewhere.
    Machine,
    /// An outbound fax of this world.
    Own(Ordinal),
}

/// A fax being received.
#[derive(Debug, Clone)]
pub(super) struct Receiving {
    /// What comes in; until its pages have been made, what is sent.
    pub(super) document: Document,
    /// How far it is.
    pub(super) step: ReceivingStep,
}

/// The steps of `Receiving`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReceivingStep {
    /// The pages are being made; then the call goes on.
    Rendering(Caller, Transmission),
    /// Pages come in from a machine elsewhere.
    Talking(Transmission),
    /// Pages come in from a fax of this world, which keeps count.
    Fed,
}

/// How a fax ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// A final status.
    pub(super) status: Status,
    /// Pages of the document; none where it never came.
    pub(super) pages: Option<u32>,
    /// Line time in whole seconds.
    pub(super) duration_s: Option<u32>,
    /// Why it failed, if it did.
    pub(super) failure: Option<Box<Failure>>,
}

impl Sending {
    /// What goes over the line, and how far it is, while pages do.
    pub(super) fn talking(&mut self) -> Option<(&Document, &mut Transmission)> {
        match &mut self.step {
            CallStep::Talking(talk) => Some((&self.document, talk)),
            CallStep::Ringing(_) | CallStep::RingingOwn | CallStep::Waiting => None,
        }
    }
}

impl Receiving {
    /// What comes over the line, and how far it is, while a machine elsewhere sends.
    pub(super) fn talking(&mut self) -> Option<(&Document, &mut Transmission)> {
        match &mut self.step {
            ReceivingStep::Talking(talk) => Some((&self.document, talk)),
            ReceivingStep::Rendering(..) | ReceivingStep::Fed => None,
        }
    }
}

impl Phase {
    /// The status that clients see.
    pub(super) const fn status(&self) -> Status {
        match self {
            Self::Queued => Status::Queued,
            Self::Processing(_) => Status::Processing,
            Self::Sending(_) => Status::Sending,
            Self::Receiving(_) => Status::Receiving,
            Self::Ended(ended) => ended.status,
        }
    }
}
