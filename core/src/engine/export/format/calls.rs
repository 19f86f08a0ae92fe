//! The written form of a call that rings at a number of the world, with its ordinal, and of a call that ended without a
//! fax.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::documents::Document;
use super::effects::{Attempt, Cookie, RuleMark};
use super::faxes::Luck;
use super::lines::{Caller, Line, LineFault};
use super::webhooks::{ExchangeRecord, WebhookPlan};
use crate::engine::agenda::Ordinal;
use crate::engine::call;
use crate::engine::export::form::{Shared, form};
use crate::engine::unanswered::{self, UnansweredCalls};
use crate::model::fault::Fault;
use crate::model::fax::Quality;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{Method, Purpose, Signature};

/// A call with its ordinal, which is not part of the call itself.
pub(in crate::engine::export) struct Placed {
    pub(super) ordinal: Ordinal,
    pub(super) call: Arc<call::Call>,
}

form! {
    struct PlacedCall for Placed {
        ordinal: Ordinal,
        call: Shared<Call>,
    }
}

form! {
    struct Call for call::Call {
        sid: FaxSid,
        caller: Caller,
        from: Party,
        to: PhoneNumber,
        quality: Quality,
        station_id: Box<str>,
        document: Document,
        fault: Option<LineFault>,
        line: Line,
        origin: Arc<str>,
        rang: Timestamp,
        cookies: Vec<Cookie>,
        #[serde(default)]
        twiml_url: Option<Box<str>>,
        asking: Option<Asking>,
        #[serde(default)]
        luck: Luck,
    }
}

form! {
    struct Asking for call::Asking {
        purpose: Purpose,
        url: Box<str>,
        method: Method,
        failed: Option<(Fault, Box<str>)>,
        attempt: Attempt,
        // Renamed in the engine; files keep the old name.
        fate = plan: WebhookPlan,
        signature: Signature,
        #[serde(default)]
        by_rule: Option<RuleMark>,
        token: Option<Box<str>>,
    }
}

form! {
    struct UnansweredCall for unanswered::UnansweredCall {
        sid: FaxSid,
        ordinal: Ordinal,
        from: Party,
        to: Party,
        quality: Quality,
        pages: u32,
        rang: Timestamp,
        ended: Timestamp,
        cause: Cause,
    }
}

form! {
    struct Cause for unanswered::Cause {
        fault: Option<Fault>,
        message: Box<str>,
        record: Option<Shared<ExchangeRecord>>,
    }
}

/// Joins the SIDs of calls that ended without a fax, in the order in which they ended, with the details that are known
/// for some of them. If they don't belong together, the error says why.
pub(super) fn unanswered(
    sids: VecDeque<FaxSid>,
    details: Vec<Arc<unanswered::UnansweredCall>>,
) -> Result<UnansweredCalls, String> {
    let mut by_sid = BTreeMap::new();
    let mut ordinals = BTreeSet::new();
    for call in details {
        if !ordinals.insert(call.ordinal) {
            return Err(format!("two calls have the ordinal {}", call.ordinal));
        }
        let sid = call.sid;
        if by_sid.insert(sid, call).is_some() {
            return Err(format!("two calls have the SID {sid}"));
        }
    }
    let mut calls = UnansweredCalls::default();
    for sid in sids {
        match by_sid.remove(&sid) {
            Some(call) => calls.keep(call),
            None => calls.keep_sid(sid),
        }
    }
    by_sid.pop_first().map_or(Ok(calls), |(sid, _)| Err(format!("world.not_answered lacks the call {sid}")))
}
