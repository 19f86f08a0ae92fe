//! The written form of a fax: its data and its phase.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::documents::{Document, Media};
use super::lines::{Caller, Failure, Transmission, Verdict};
use crate::engine::agenda::Ordinal;
use crate::engine::export::form::{Form, form};
use crate::engine::{fax, phase, random};
use crate::model::fault::Fault;
use crate::model::fax::{Quality, Status, StatusSet};
use crate::model::phone::Party;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{Method, Purpose};

form! {
    struct Fax for fax::Fax {
        sid: FaxSid,
        ordinal: Ordinal,
        from: Party,
        to: Party,
        quality: Quality,
        created: Timestamp,
        updated: Timestamp,
        media: Option<Box<Media>>,
        origin: Arc<str>,
        leg: Leg,
        phase: Phase,
        #[serde(default)]
        luck: Luck,
        failed_notices: Option<Box<FailedNotices>>,
    }
}

form! {
    struct FailedNotices for fax::FailedNotices {
        count: u32,
        purpose: Purpose,
        fault: Fault,
        status: Option<u16>,
    }
}

/// The key of random draws. A key of 0 is omitted, and older states have no keys at all, so a missing key is read as 0.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Luck(u64);

impl Form for Luck {
    type Of = random::Luck;

    fn of(luck: &random::Luck) -> Self {
        Self(luck.0)
    }

    fn value(self) -> random::Luck {
        random::Luck(self.0)
    }

    fn is_left_out(&self) -> bool {
        self.0 == 0
    }
}

form! {
    enum Leg for fax::Leg {
        Outbound(order: Box<Order>),
        Inbound(acceptance: Box<Acceptance>),
    }
}

form! {
    struct Order for fax::Order {
        media_url: Arc<str>,
        status_callback: Option<Box<str>>,
        #[serde(default)]
        callback_method: CallbackMethod,
        callback_statuses: Option<Statuses>,
        store_media: bool,
        ttl: Option<Ttl>,
    }
}

/// The method of a StatusCallback. POST is omitted, and older states have no such field, so a missing method is read as
/// POST.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::engine::export) struct CallbackMethod(Method);

impl Form for CallbackMethod {
    type Of = Method;

    fn of(method: &Method) -> Self {
        Self(*method)
    }

    fn value(self) -> Method {
        self.0
    }

    fn is_left_out(&self) -> bool {
        self.0 == Method::default()
    }
}

/// A set of statuses, written as a list.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::engine::export) struct Statuses(Vec<Status>);

impl Form for Statuses {
    type Of = StatusSet;

    fn of(set: &StatusSet) -> Self {
        Self(set.iter().collect())
    }

    fn value(self) -> StatusSet {
        self.0.into_iter().collect()
    }
}

form! {
    struct Ttl for fax::Ttl {
        minutes: u32,
        ends: Timestamp,
    }
}

form! {
    struct Acceptance for fax::Acceptance {
        station_id: Box<str>,
        // Renamed in the engine; files keep the old name.
        told = notify: NotifyTarget,
        store_media: bool,
    }
}

form! {
    enum NotifyTarget for fax::NotifyTarget {
        Action(url: Box<str>, method: Method),
        StatusCallback(url: Box<str>, method: Method),
        Nobody,
    }
}

form! {
    enum Phase for phase::Phase {
        Queued,
        Processing(step: Processing),
        Sending(sending: Box<Sending>),
        Receiving(receiving: Box<Receiving>),
        Ended(ended: Ended),
    }
}

form! {
    enum Processing for phase::Processing {
        Fetching,
        Converting(document: Box<Document>),
        Ringing { document: Box<Document>, far: Ordinal },
    }
}

form! {
    struct Sending for phase::Sending {
        document: Document,
        calls: u32,
        step: CallStep,
        #[serde(default)]
        rule: Option<u64>,
    }
}

form! {
    enum CallStep for phase::CallStep {
        Ringing(verdict: Verdict),
        RingingOwn,
        Talking(talk: Transmission),
        Waiting,
    }
}

form! {
    struct Receiving for phase::Receiving {
        document: Document,
        step: ReceivingStep,
    }
}

form! {
    enum ReceivingStep for phase::ReceivingStep {
        Rendering(caller: Caller, talk: Transmission),
        Talking(talk: Transmission),
        Fed,
    }
}

form! {
    struct Ended for phase::Ended {
        status: Status,
        pages: Option<u32>,
        duration_s: Option<u32>,
        #[serde(default)]
        rate_bps: Option<u32>,
        failure: Option<Box<Failure>>,
    }
}
