//! The fax that a call will become if its app takes it: clients can fetch it from the question to the FaxUrl on
//! (docs/fidelity.md, "Receiving, TwiML"). It is in no list, and nothing can be done to it.

use super::Engine;
use super::webhooks::WebhookPlan;
use crate::model::fax::Quality;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::Purpose;

/// A fax about which its app is being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arriving {
    /// The SID it will have.
    pub sid: FaxSid,
    /// The caller.
    pub from: Party,
    /// The number called.
    pub to: PhoneNumber,
    /// At which resolution it is sent.
    pub quality: Quality,
    /// When the call began.
    pub rang: Timestamp,
}

impl Engine {
    /// The fax that a call will become, while its app is being asked.
    #[must_use]
    pub fn arriving(&self, sid: FaxSid) -> Option<Arriving> {
        let call = self.world.tables.call(self.world.tables.ordinal(sid)?)?;
        // A rule may hold the first question back; the fallback is asked after it.
        let asking = call.asking.as_ref()?;
        let is_asked = asking.plan == WebhookPlan::Plain || asking.purpose == Purpose::FallbackUrl;
        is_asked.then(|| Arriving { sid, from: call.from.clone(), to: call.to, quality: call.quality, rang: call.rang })
    }

    /// Why a fax can't be had: there is none, or it is arriving and `otherwise` holds.
    pub(super) fn refusal_of(&self, sid: FaxSid, otherwise: Refusal) -> Refusal {
        if self.arriving(sid).is_some() { otherwise } else { Refusal::NoFax(sid) }
    }
}
