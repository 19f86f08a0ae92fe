//! The written form of a call that rings at a number of the world, with its ordinal.

use std::sync::Arc;

use super::documents::Document;
use super::effects::{Attempt, Cookie, RuleMark};
use super::faxes::Luck;
use super::lines::{Caller, Line, LineFault};
use super::webhooks::WebhookPlan;
use crate::engine::agenda::Ordinal;
use crate::engine::call;
use crate::engine::export::form::{Shared, form};
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
