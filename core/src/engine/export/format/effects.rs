//! The written form of effects that have been issued but not completed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::documents::Document;
use super::lines::Failure;
use super::messages::Sender;
use super::rules::{ActingRule, RequestEdits};
use crate::engine::export::form::{Form, Shared, form};
use crate::engine::{effect, effects};
use crate::model::account::DocumentPolicy;
use crate::model::fault::Fault;
use crate::model::fax::{Direction, MediaType, PageSize, Quality, Status};
use crate::model::message::MessageStatus;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::reception;
use crate::model::sid::{FaxSid, MediaSid, MessageSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{self, Method, Purpose, Signature};

form! {
    struct UnderWay for effects::UnderWay {
        fax: Option<FaxSid>,
        intent: Shared<Intent>,
        is_echo: bool,
    }
}

/// The work of an effect, tagged with the kind of intent.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Intent {
    FetchDocument {
        url: Arc<str>,
        quality: Quality,
        documents: DocumentPolicy,
    },
    Render(Box<RenderRequest>),
    AskForTwiml(Box<TwimlRequest>),
    Deliver(Box<Notice>),
    NotifyOfMessage(Box<MessageNotice>),
    /// Reports have no written form: a state omits them, since nothing waits for them (`check.rs`).
    #[serde(skip)]
    Report(Box<effect::Report>),
}

impl Form for Intent {
    type Of = effect::Intent;

    fn of(intent: &effect::Intent) -> Self {
        match intent {
            effect::Intent::FetchDocument { url, quality, documents } => {
                Self::FetchDocument { url: Arc::clone(url), quality: *quality, documents: *documents }
            }
            effect::Intent::Render(request) => Self::Render(Form::of(request)),
            effect::Intent::AskForTwiml(request) => Self::AskForTwiml(Form::of(request)),
            effect::Intent::Deliver(notice) => Self::Deliver(Form::of(notice)),
            effect::Intent::NotifyOfMessage(notice) => Self::NotifyOfMessage(Form::of(notice)),
            effect::Intent::Report(report) => Self::Report(report.clone()),
        }
    }

    fn value(self) -> effect::Intent {
        match self {
            Self::FetchDocument { url, quality, documents } => {
                effect::Intent::FetchDocument { url, quality, documents }
            }
            Self::Render(request) => effect::Intent::Render(request.value()),
            Self::AskForTwiml(request) => effect::Intent::AskForTwiml(request.value()),
            Self::Deliver(notice) => effect::Intent::Deliver(notice.value()),
            Self::NotifyOfMessage(notice) => effect::Intent::NotifyOfMessage(notice.value()),
            Self::Report(report) => effect::Intent::Report(report),
        }
    }
}

form! {
    struct RenderRequest for effect::RenderRequest {
        document: Document,
        quality: Quality,
        reception: Reception,
    }
}

form! {
    struct Reception for reception::Reception {
        media_type: MediaType,
        page_size: PageSize,
        header: Header,
        noise: Option<Noise>,
        whole_pages: Option<u32>,
    }
}

form! {
    struct Header for reception::Header {
        at: Timestamp,
        station_id: Box<str>,
        from: Party,
        to: Party,
    }
}

form! {
    struct Noise for reception::Noise {
        seed: u64,
        rows_per_mille: u16,
    }
}

form! {
    /// A request for TwiML to a FaxUrl or fallback URL.
    struct TwimlRequest for effect::TwimlRequest {
        purpose: Purpose,
        url: Box<str>,
        method: Method,
        from: Party,
        to: PhoneNumber,
        failed: Option<(Fault, Box<str>)>,
        cookies: Vec<Cookie>,
        attempt: Attempt,
        signature: Signature,
        #[serde(default)]
        by_rule: Option<RuleMark>,
        idempotency_token: Box<str>,
    }
}

form! {
    struct Notice for effect::Notice {
        purpose: Purpose,
        url: Box<str>,
        method: Method,
        status: Status,
        direction: Direction,
        from: Party,
        to: Party,
        remote_station_id: Option<Box<str>>,
        original_media_url: Option<Arc<str>>,
        pages: Option<u32>,
        #[serde(default)]
        rate_bps: Option<u32>,
        media: Option<(MediaSid, MediaType)>,
        #[serde(default)]
        media_stored: Option<Timestamp>,
        attachment: Option<Document>,
        failure: Option<Failure>,
        origin: Arc<str>,
        cookies: Vec<Cookie>,
        attempt: Attempt,
        signature: Signature,
        #[serde(default)]
        by_rule: Option<RuleMark>,
        idempotency_token: Box<str>,
    }
}

form! {
    struct MessageNotice for effect::MessageNotice {
        message: MessageSid,
        url: Box<str>,
        status: MessageStatus,
        from: Option<Sender>,
        to: PhoneNumber,
        messaging_service: Option<Box<str>>,
        idempotency_token: Box<str>,
    }
}

form! {
    struct Attempt for webhook::Attempt {
        number: u64,
        spent_ms: u64,
        #[serde(default)]
        after: Option<Fault>,
    }
}

form! {
    struct RuleMark for webhook::RuleMark {
        rule: Option<ActingRule>,
        held_ms: u64,
        is_reordered: bool,
        is_duplicate: bool,
        #[serde(default)]
        edits: Option<Shared<RequestEdits>>,
    }
}

form! {
    struct Cookie for webhook::Cookie {
        host: String,
        pair: String,
    }
}
