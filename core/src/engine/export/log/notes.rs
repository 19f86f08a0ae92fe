//! The written form of the events that the shell journals.

use super::answers::{Outcome, Verb};
use crate::engine::event::CallResult;
use crate::engine::export::form::{Shared, form};
use crate::engine::export::format::documents::{PageLoss, PageText};
use crate::engine::export::format::lines::{Failure, Line};
use crate::engine::export::format::rules::{Rule, RuleEffect};
use crate::engine::export::format::webhooks::{Alert, ExchangeRecord};
use crate::engine::{event, input};
use crate::model::fax::Status;
use crate::model::media::MediaFault;
use crate::model::message::MessageStatus;
use crate::model::phone::PhoneNumber;
use crate::model::sid::{FaxSid, MessageSid};
use crate::model::time::Timestamp;
use crate::model::webhook::Purpose;

form! {
    struct Note for input::Note {
        fax: Option<FaxSid>,
        kind: EventKind,
    }
}

form! {
    /// Any kind of event, since the shell may journal any.
    enum EventKind for event::EventKind {
        FaxStatus { old: Option<Status>, new: Status, failure: Option<Failure> },
        FaxPage { page: u32, pages: u32, line: Line, bits: Option<u64>, line_ms: u64, text: Option<PageText> },
        DocumentFetched { record: Shared<ExchangeRecord>, document: Outcome<(u32, usize), Box<str>> },
        DocumentLoss(loss: PageLoss),
        WebhookAttempt { record: Shared<ExchangeRecord> },
        WebhookReplayed { of: Box<str>, record: Shared<ExchangeRecord> },
        TwimlExecuted { verb: Verb },
        CallAttempt { attempt: u32, outcome: CallResult, retry_at: Option<Timestamp>, rule: Option<u64> },
        CallNotAnswered,
        Alert(alert: Alert),
        CallerIdAdopted { number: PhoneNumber },
        MessageStatus { message: MessageSid, old: Option<MessageStatus>, new: MessageStatus },
        MediaEvicted,
        MediaRefused { status: u16, fault: MediaFault, detail: Box<str> },
        MediaWarning { fault: MediaFault, detail: Box<str> },
        AnswerDropped,
        RuleFired { id: u64, rule: Shared<Rule>, webhook: Option<RuledWebhook> },
        PedanticActed { effect: Shared<RuleEffect>, webhook: Option<RuledWebhook>, call: Option<Box<str>> },
        ClockMoved { from: Timestamp, frozen: bool },
        WorldBroken { why: Box<str>, inputs: Box<str>, seed: u64 },
        WorldReset { count: ResetCount, to: ResetTo },
    }
}

form! {
    struct RuledWebhook for event::RuledWebhook {
        purpose: Purpose,
        status: Option<Status>,
    }
}

form! {
    struct ResetCount for event::ResetCount {
        faxes: usize,
        pending: usize,
        effects: usize,
    }
}

form! {
    enum ResetTo for event::ResetTo {
        Start,
        Snapshot(name: Box<str>),
        State,
    }
}
