//! The fax that an incoming call will become if the app takes the call. Clients can fetch it as soon as the FaxUrl is
//! requested (docs/fidelity.md, "Receiving, TwiML"), but it appears in no list and can't be changed.

use super::Engine;
use super::webhooks::WebhookPlan;
use crate::model::fax::Quality;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::Purpose;

/// A fax whose app is being asked whether to receive it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arriving {
    /// The SID that the fax will have.
    pub sid: FaxSid,
    /// The caller's number or name, as the app sees it.
    pub from: Party,
    /// The called number, which belongs to this world.
    pub to: PhoneNumber,
    /// The vertical resolution at which the fax is sent.
    pub quality: Quality,
    /// The time at which the call began to ring.
    pub rang: Timestamp,
}

impl Engine {
    /// Returns the fax that a call will become, from the moment that its app is asked.
    #[must_use]
    pub fn arriving(&self, sid: FaxSid) -> Option<Arriving> {
        let call = self.world.tables.call(self.world.tables.ordinal(sid)?)?;
        // While a rule delays the question to the FaxUrl, the app has not been asked yet. Once the fallback URL is to
        // be asked, the app has already been asked at the FaxUrl.
        let asking = call.asking.as_ref()?;
        let is_asked = asking.plan == WebhookPlan::Plain || asking.purpose == Purpose::FallbackUrl;
        is_asked.then(|| Arriving { sid, from: call.from.clone(), to: call.to, quality: call.quality, rang: call.rang })
    }

    /// Returns the refusal for a SID that names no fax yet: `otherwise` if its fax is arriving, or else `NoFax`.
    pub(super) fn refusal_of(&self, sid: FaxSid, otherwise: Refusal) -> Refusal {
        if self.arriving(sid).is_some() { otherwise } else { Refusal::NoFax(sid) }
    }
}
