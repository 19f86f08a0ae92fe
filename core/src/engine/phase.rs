//! The phases of a fax and the transitions between them.
//!
//! ```text
//! outbound    Queued ──► Processing ──► Sending ──► delivered · failed · busy · no-answer
//!                │           │
//!                ▼           ├──► failed      (no document)
//!             canceled ◄─────┘
//!
//! inbound     (a call rings; clients can already fetch the coming fax: `arriving.rs`)
//!                │ <Receive>                  │ <Reject>          │ no usable TwiML
//!                ▼                            ▼                   ▼
//!             Receiving ──► received · failed canceled            no fax, not-answered
//! ```
//!
//! `Processing` and `Sending` have internal steps that no client sees. In `Processing`, the document is fetched and
//! converted, and a number of this world may ring; in `Sending`, a call rings or transmits, or the next one is awaited.
//! A redial within the Ttl stays in `Sending`.

use super::agenda::Ordinal;
use crate::model::fault::Failure;
use crate::model::fax::Status;
use crate::model::line::Line;
use crate::model::line::LineFault;
use crate::model::media::Document;

/// The phase of a fax; each variant holds the data that exists only in that phase. Large, short-lived data is boxed,
/// because most faxes have ended.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// Created; the document has not been requested yet.
    Queued,
    /// The document is being fetched or converted, or a number of this world rings for the first time.
    Processing(Processing),
    /// A call is ringing or transmitting, or the next call is scheduled.
    Sending(Box<Sending>),
    /// An app took the call, and the pages are being rendered or are coming in.
    Receiving(Box<Receiving>),
    /// Final: only the media and the fax itself can still be removed.
    Ended(Ended),
}

/// The steps of `Processing`, which clients don't see.
#[derive(Debug, Clone)]
pub(super) enum Processing {
    /// The MediaUrl has been requested, and the response has not arrived.
    Fetching,
    /// The document has arrived and is being converted.
    Converting(Box<Document>),
    /// A number of this world rings, and its app is being asked what to do.
    Ringing {
        /// The converted document to be sent.
        document: Box<Document>,
        /// The ordinal of the incoming call at the receiving end.
        far: Ordinal,
    },
}

/// The data of a fax in `Sending`.
#[derive(Debug, Clone)]
pub(super) struct Sending {
    /// The converted document that is sent.
    pub(super) document: Document,
    /// The number of calls so far, including the current one.
    pub(super) calls: u32,
    /// The step that the current call has reached.
    pub(super) step: CallStep,
    /// The id of the rule that decided the outcome of the current call, if one did.
    pub(super) rule: Option<u64>,
}

/// The steps of an outbound call.
#[derive(Debug, Clone)]
pub(super) enum CallStep {
    /// An outside machine rings; its reaction is already decided.
    Ringing(Verdict),
    /// A number of this world rings and its app is being asked, or the app took the call and the pages are being
    /// rendered.
    RingingOwn,
    /// The pages are going over the line.
    Talking(Transmission),
    /// The last call was busy or unanswered, and the next one is scheduled.
    Waiting,
}

/// The reaction of an outside machine to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The far end picks up and receives the fax, completely or until the call breaks.
    Answer {
        /// The break in the call, if any.
        fault: Option<LineFault>,
        /// The speed, coding and noise of the call.
        line: Line,
    },
    /// The far end is busy, so the call fails.
    Busy,
    /// The far end doesn't pick up, so the call fails.
    NoAnswer,
}

/// The progress of a transmission, in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transmission {
    /// The fax at the other end, if it is in this world.
    pub(super) far: Option<Ordinal>,
    /// The break in the call, if any.
    pub(super) fault: Option<LineFault>,
    /// The speed, coding and noise of the call.
    pub(super) line: Line,
    /// The number of complete pages so far.
    pub(super) pages_done: u32,
    /// The line time spent so far, in milliseconds.
    pub(super) line_ms: u64,
}

/// The calling end of a call to a number of this world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A machine outside this world, for which a tester has placed the call.
    Machine,
    /// The outbound fax of this world with this ordinal.
    Own(Ordinal),
}

/// The data of a fax in `Receiving`.
#[derive(Debug, Clone)]
pub(super) struct Receiving {
    /// The incoming pages or, until they are rendered, the sent document.
    pub(super) document: Document,
    /// The step that the reception has reached.
    pub(super) step: ReceivingStep,
}

/// The steps of `Receiving`, which clients don't see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReceivingStep {
    /// The received pages are being rendered; the transmission starts afterwards.
    Rendering(Caller, Transmission),
    /// Pages are coming in from an outside machine.
    Talking(Transmission),
    /// Pages are coming in from a fax of this world; the sending end tracks the progress.
    Fed,
}

/// The outcome of a fax that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// The final status of the fax.
    pub(super) status: Status,
    /// The number of pages in the document; `None` if no document was ever available, or if an inbound fax failed
    /// or was rejected.
    pub(super) pages: Option<u32>,
    /// The line time in whole seconds, rounded up; `None` if no call took place, or if the last one was busy,
    /// canceled or rejected.
    pub(super) duration_s: Option<u32>,
    /// The modem rate in bits per second; `None` unless every page got through.
    pub(super) rate_bps: Option<u32>,
    /// The reason for the failure, if the fax failed.
    pub(super) failure: Option<Box<Failure>>,
}

impl Sending {
    /// Returns the document and the progress of the transmission, while pages are on the line.
    pub(super) fn talking(&mut self) -> Option<(&Document, &mut Transmission)> {
        match &mut self.step {
            CallStep::Talking(talk) => Some((&self.document, talk)),
            CallStep::Ringing(_) | CallStep::RingingOwn | CallStep::Waiting => None,
        }
    }
}

impl Receiving {
    /// Returns the pages and the progress of the transmission, while an outside machine sends them.
    pub(super) fn talking(&mut self) -> Option<(&Document, &mut Transmission)> {
        match &mut self.step {
            ReceivingStep::Talking(talk) => Some((&self.document, talk)),
            ReceivingStep::Rendering(..) | ReceivingStep::Fed => None,
        }
    }
}

impl Phase {
    /// Returns the status that clients see.
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
