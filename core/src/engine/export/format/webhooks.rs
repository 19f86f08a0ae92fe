//! The written form of what is told to apps: what waits for its turn, what the rules have decided on it, and exchanges.

use std::collections::VecDeque;

use super::effects::{Cookie, Notice};
use super::rules::WebhookFault;
use crate::engine::agenda::Ordinal;
use crate::engine::event;
use crate::engine::export::form::{Shared, form};
use crate::engine::webhooks::{self, notice};
use crate::model::fault::Fault;
use crate::model::sid::{AlertSid, FaxSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{self, Method, Purpose};

form! {
    /// What is still to be told of one fax.
    struct Outgoing for notice::Outgoing {
        ordinal: Ordinal,
        queue: VecDeque<Queued>,
        under_way: Option<Shared<Notice>>,
        told: u64,
        cookies: Vec<Cookie>,
    }
}

form! {
    /// A message that waits, and what the rules have decided on it.
    struct Queued for notice::Queued {
        notice: Shared<Notice>,
        place: u64,
        fate = plan: WebhookPlan,
    }
}

form! {
    /// What the rules have decided on a webhook.
    enum WebhookPlan for webhooks::WebhookPlan {
        Undecided,
        Plain,
        Ruled { not_before: Timestamp, fault: WebhookFault },
    }
}

form! {
    /// One exchange with an app.
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
    }
}

form! {
    /// Why a request brought no usable answer.
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

/// An alert that is kept; its place in the journal of the world it comes from means nothing elsewhere.
pub(in crate::engine::export) struct Kept {
    pub(super) at: Timestamp,
    pub(super) fax: Option<FaxSid>,
    pub(super) alert: event::Alert,
}

form! {
    /// An alert that is kept.
    struct KeptAlert for Kept {
        at: Timestamp,
        fax: Option<FaxSid>,
        alert: Alert,
    }
}

form! {
    /// Something a developer should see.
    struct Alert for event::Alert {
        sid: AlertSid,
        place: u64,
        fault: Fault,
        level: event::AlertLevel,
        message: Box<str>,
        record: Option<Shared<ExchangeRecord>>,
    }
}
