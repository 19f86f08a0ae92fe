//! The written form of webhooks: waiting notices, the rules' plans for them, and recorded exchanges.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::effects::{Cookie, Notice, RuleMark};
use super::rules::{ActingRule, WebhookFault};
use crate::engine::agenda::Ordinal;
use crate::engine::event;
use crate::engine::export::form::{Form, Shared, form};
use crate::engine::webhooks::{self, notice};
use crate::model::fault::Fault;
use crate::model::fax::Status;
use crate::model::sid::{AlertSid, FaxSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{self, Method, Purpose, Signature};

form! {
    struct Outgoing for notice::Outgoing {
        ordinal: Ordinal,
        queue: VecDeque<Queued>,
        under_way: Option<Shared<Notice>>,
        // Renamed in the engine; files keep the old name.
        told = numbered: u64,
        cookies: Vec<Cookie>,
        #[serde(default)]
        notified_of: Option<Status>,
    }
}

form! {
    struct Queued for notice::Queued {
        notice: Shared<Notice>,
        place: u64,
        // Renamed in the engine; files keep the old name.
        fate = plan: WebhookPlan,
    }
}

form! {
    enum WebhookPlan for webhooks::WebhookPlan {
        Undecided,
        Plain,
        Ruled { not_before: Timestamp, fault: WebhookFault, rule: Option<ActingRule> },
    }
}

form! {
    struct ExchangeRecord for webhook::ExchangeRecord {
        purpose: Purpose,
        method: Method,
        url: String,
        params: Vec<(String, String)>,
        request_headers: Vec<(String, String)>,
        redirected_to: Option<String>,
        status: Option<u16>,
        response_headers: Vec<(String, String)>,
        response_body: String,
        duration_ms: u64,
        failure: Option<ExchangeFailure>,
        #[serde(default)]
        delivery: Delivery,
    }
}

/// The delivery of an exchange. It is omitted for a first attempt on which no rule acted, so a missing field, as in
/// older files, is read as such an attempt.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::engine::export) struct Delivery(Option<Box<UnusualDelivery>>);

impl Form for Delivery {
    type Of = webhook::Delivery;

    fn of(delivery: &webhook::Delivery) -> Self {
        Self((*delivery != webhook::Delivery::FIRST).then(|| Box::new(UnusualDelivery::of(delivery))))
    }

    fn value(self) -> webhook::Delivery {
        self.0.map_or(webhook::Delivery::FIRST, |delivery| (*delivery).value())
    }

    fn is_left_out(&self) -> bool {
        self.0.is_none()
    }
}

form! {
    struct UnusualDelivery for webhook::Delivery {
        attempt: u64,
        after: Option<Fault>,
        signature: Signature,
        by_rule: Option<RuleMark>,
    }
}

form! {
    enum ExchangeFailure for webhook::ExchangeFailure {
        InvalidUrl(why: String),
        HttpStatus(status: u16),
        ConnectTimeout,
        ConnectionRefused,
        ReadTimeout,
        TotalTimeout,
        ConnectionFailure(why: String),
        ProtocolViolation(why: String),
        BadHostName(host: String),
        TooManyRedirects,
        RedirectsNowhere { status: u16, location: Option<String> },
        TlsHandshake(why: String),
        CertificateName(why: String),
        CertificateExpired(why: String),
        CertificateUntrusted(why: String),
        TooLarge { limit: u64 },
    }
}

/// An alert in the world's list; its sequence number, which is meaningless in another world's journal, is omitted.
pub(in crate::engine::export) struct Kept {
    pub(super) at: Timestamp,
    pub(super) fax: Option<FaxSid>,
    pub(super) alert: event::Alert,
}

form! {
    struct KeptAlert for Kept {
        at: Timestamp,
        fax: Option<FaxSid>,
        alert: Alert,
    }
}

form! {
    struct Alert for event::Alert {
        sid: AlertSid,
        place: u64,
        fault: Fault,
        level: event::AlertLevel,
        message: Box<str>,
        record: Option<Shared<ExchangeRecord>>,
    }
}
