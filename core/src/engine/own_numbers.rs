//! A fax from the world to one of its own numbers: the outbound fax calls, the number's app is asked, and both ends
//! share one transmission.

use std::sync::Arc;

use super::Engine;
use super::agenda::Ordinal;
use super::call::Call;
use super::event::CallResult;
use super::faults::never;
use super::phase::Caller;
use super::phase::{CallStep, Phase, Processing, Sending, Transmission};
use super::rule::LineOverride;
use super::unanswered::Cause;
use crate::model::fault::Fault;
use crate::model::fax::Status;
use crate::model::line::Line;
use crate::model::line::LineFault;
use crate::model::media::Document;
use crate::model::phone::PhoneNumber;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;

/// The reaction of a number of this world to a call from an outbound fax.
pub(super) enum FarAnswer {
    /// `<Receive>`: the fax has been created and its pages are being rendered.
    PicksUp,
    /// The pages are rendered, so the transmission to this inbound fax can begin.
    Takes(Ordinal, Transmission),
    /// The receiving fax has failed with this fault.
    Fails(Fault),
    /// `<Reject>`: the caller hears a busy tone (docs/fidelity.md, "Receiving, TwiML").
    Busy,
    /// Nobody answers: the number is in voice mode, has no VoiceUrl, or received no usable TwiML.
    NoAnswer,
}

impl Engine {
    /// Records that a number of this world rings, then asks that number's app.
    pub(super) fn ring_own(
        &mut self,
        (ordinal, calls): (Ordinal, u32),
        number: PhoneNumber,
        document: Document,
        line: LineOverride,
        now: Timestamp,
    ) {
        let far = self.take_ordinal();
        if let Some(fax) = self.world.tables.fax_mut(ordinal) {
            // The status stays the same, so there is no event and no callback.
            fax.phase = match &fax.phase {
                Phase::Sending(_) => Phase::Sending(Box::new(Sending {
                    document: document.clone(),
                    calls,
                    step: CallStep::RingingOwn,
                    rule: None,
                })),
                Phase::Queued | Phase::Processing(_) | Phase::Receiving(_) | Phase::Ended(_) => {
                    Phase::Processing(Processing::Ringing { document: Box::new(document.clone()), far })
                }
            };
        }
        self.call_own_number((ordinal, calls), (far, number), document, line, now);
    }

    /// Places the `calls`th call of an outbound fax to a number of this world.
    pub(super) fn call_own_number(
        &mut self,
        (caller, calls): (Ordinal, u32),
        (far, number): (Ordinal, PhoneNumber),
        document: Document,
        line: LineOverride,
        now: Timestamp,
    ) {
        let Some(fax) = self.world.tables.fax(caller) else {
            never!(self, caller, now, "the calling fax doesn't exist")
        };
        let (own, from, luck) = (fax.sid, fax.from.clone(), fax.luck.of_call(self.seed(), calls));
        // Derived from the calling fax, so that the SID doesn't depend on which of several faxes calls first.
        let sid = self.ids.seed().mint::<FaxSid>("call", own.bytes(), u64::from(calls));
        let (fault, far_line) = self.incoming_line((sid, luck), (&from, number), document.pages, now);
        // A rule on the sending end takes precedence over one on the receiving end.
        let line = if line == LineOverride::default() { far_line } else { line };
        // Looked up again, because the rules borrowed the whole engine in between.
        let Some(fax) = self.world.tables.fax(caller) else {
            never!(self, caller, now, "the calling fax doesn't exist")
        };
        let call = Call {
            sid,
            caller: Caller::Own(caller),
            from: fax.from.clone(),
            to: number,
            quality: fax.quality,
            station_id: fax.from.to_string().into(),
            document,
            fault,
            line: line.over(Line::default()),
            origin: Arc::clone(&fax.origin),
            rang: now,
            cookies: Vec::new(),
            twiml_url: None,
            asking: None,
            luck,
        };
        self.ring(far, call, now);
    }

    /// Ends a call whose caller gave up before the app responded.
    pub(super) fn hang_up(&mut self, far: Ordinal, now: Timestamp) {
        if let Some(call) = self.world.tables.remove_call(far) {
            let message = "the caller hung up before the app responded".into();
            self.close_call(far, &call, Cause { fault: None, message, record: None }, now);
        }
    }

    /// Continues an outbound fax after a number of this world has reacted to its call.
    pub(super) fn far_answered(&mut self, ordinal: Ordinal, answer: &FarAnswer, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else {
            never!(self, ordinal, now, "the far end has reacted, but the calling fax doesn't exist")
        };
        // On its first call, a fax enters `Sending` only after the far end reacts; on a redial it is already there.
        if let Phase::Processing(Processing::Ringing { document, .. }) = &fax.phase {
            let (document, step) = (Document::clone(document), CallStep::RingingOwn);
            let sending = Sending { document, calls: 1, step, rule: None };
            self.enter(ordinal, Phase::Sending(Box::new(sending)), now);
        }
        match answer {
            // The pages follow once rendered.
            FarAnswer::PicksUp => self.write_call(ordinal, CallResult::Connected, None, now),
            FarAnswer::Takes(far, talk) => self.talk(ordinal, &Transmission { far: Some(*far), ..talk.clone() }, now),
            FarAnswer::Fails(fault) => {
                let talk = Transmission { far: None, fault: None, line: Line::default(), pages_done: 0, line_ms: 0 };
                self.broke(ordinal, &talk, &LineFault { fault: *fault, after_pages: 0, text: None }, now);
            }
            FarAnswer::Busy => self.call_failed(ordinal, Status::Busy, now),
            FarAnswer::NoAnswer => self.call_failed(ordinal, Status::NoAnswer, now),
        }
    }
}
