//! An incoming call to one of the world's numbers, and the TwiML request to that number's app. The fax is created
//! later, when the app takes or rejects the call.

use std::sync::Arc;

use super::phase::Caller;
use super::random::Luck;
use super::webhooks::WebhookPlan;
use crate::model::fault::Fault;
use crate::model::fax::Quality;
use crate::model::line::Line;
use crate::model::line::LineFault;
use crate::model::media::Document;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, Cookie, Method, Purpose, RuleMark, Signature};

/// An incoming call to one of the world's numbers, before its fax exists.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) sid: FaxSid,
    pub(super) caller: Caller,
    pub(super) from: Party,
    pub(super) to: PhoneNumber,
    pub(super) quality: Quality,
    pub(super) station_id: Box<str>,
    pub(super) document: Document,
    pub(super) fault: Option<LineFault>,
    pub(super) line: Line,
    pub(super) origin: Arc<str>,
    pub(super) rang: Timestamp,
    pub(super) cookies: Vec<Cookie>,
    /// The URL to ask for TwiML instead of the number's VoiceUrl, if any.
    pub(super) twiml_url: Option<Box<str>>,
    /// The pending TwiML request to the number's app; `None` before the first request.
    pub(super) asking: Option<Asking>,
    pub(super) luck: Luck,
}

/// A request for TwiML to the app of the called number.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    /// `FaxUrl` or, after it failed, `FallbackUrl`.
    pub(super) purpose: Purpose,
    pub(super) url: Box<str>,
    pub(super) method: Method,
    /// In a request to the fallback URL: the fault that made the FaxUrl fail, and the FaxUrl itself.
    pub(super) failed: Option<(Fault, Box<str>)>,
    pub(super) attempt: Attempt,
    pub(super) plan: WebhookPlan,
    pub(super) signature: Signature,
    /// What a rule did to the request, if one acted.
    pub(super) by_rule: Option<RuleMark>,
    /// The idempotency token; `None` before the first attempt.
    pub(super) token: Option<Box<str>>,
}
