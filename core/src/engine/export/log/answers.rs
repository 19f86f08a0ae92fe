//! The written form of the results of effects.

use serde::{Deserialize, Serialize};

use crate::engine::export::form::{Form, form};
use crate::engine::export::format::documents::Document;
use crate::engine::export::format::effects::Cookie;
use crate::engine::export::format::webhooks::{ExchangeFailure, ExchangeRecord};
use crate::engine::{effect, input};
use crate::model::fault::Fault;
use crate::model::fax::{MediaType, PageSize};
use crate::model::media;
use crate::model::webhook::Method;
use crate::twiml;

form! {
    struct Completion for input::Completion {
        effect: EffectId,
        generation: Generation,
        outcome: EffectResult,
    }
}

/// The number of an effect, counted from the world's creation.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct EffectId(u64);

impl Form for EffectId {
    type Of = effect::EffectId;

    fn of(id: &effect::EffectId) -> Self {
        Self(id.number())
    }

    fn value(self) -> effect::EffectId {
        effect::EffectId::from_number(self.0)
    }
}

/// How often the world was reset, restored or loaded before the effect was issued.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Generation(u32);

impl Form for Generation {
    type Of = effect::Generation;

    fn of(generation: &effect::Generation) -> Self {
        Self(generation.0)
    }

    fn value(self) -> effect::Generation {
        effect::Generation(self.0)
    }
}

/// The result of a fallible operation.
#[derive(Serialize, Deserialize)]
// serde need not add any bounds, since `Form` implies them.
#[serde(rename_all = "kebab-case", bound = "")]
pub(super) enum Outcome<T: Form, E: Form> {
    Done(T),
    Failed(E),
}

impl<T: Form, E: Form> Form for Outcome<T, E> {
    type Of = Result<T::Of, E::Of>;

    fn of(result: &Self::Of) -> Self {
        match result {
            Ok(done) => Self::Done(T::of(done)),
            Err(why) => Self::Failed(E::of(why)),
        }
    }

    fn value(self) -> Self::Of {
        match self {
            Self::Done(done) => Ok(done.value()),
            Self::Failed(why) => Err(why.value()),
        }
    }
}

form! {
    enum EffectResult for input::EffectResult {
        Document { record: Box<ExchangeRecord>, document: Outcome<Document, DocumentFault> },
        Rendered(document: Outcome<Document, UnreadableDocument>),
        Twiml {
            record: Box<ExchangeRecord>,
            cookies: Vec<Cookie>,
            base_url: Box<str>,
            reading: Outcome<Reading, ExchangeFailure>,
        },
        Delivered { record: Box<ExchangeRecord>, cookies: Vec<Cookie> },
        Lost,
    }
}

form! {
    enum DocumentFault for input::DocumentFault {
        Fetch(failure: ExchangeFailure),
        Unreadable(why: UnreadableDocument),
    }
}

form! {
    struct UnreadableDocument for media::UnreadableDocument {
        reason: String,
    }
}

form! {
    struct Reading for twiml::Reading {
        verb: Outcome<Verb, TwimlError>,
        warnings: Vec<Warning>,
    }
}

form! {
    enum Verb for twiml::Verb {
        Receive(receive: Receive),
        Reject,
    }
}

form! {
    struct Receive for twiml::Receive {
        action: Option<String>,
        method: Method,
        media_type: MediaType,
        page_size: PageSize,
        store_media: bool,
    }
}

form! {
    struct Warning for twiml::Warning {
        fault: Fault,
        text: String,
    }
}

form! {
    enum TwimlError for twiml::TwimlError {
        ContentType(what: String),
        TooLarge,
        Empty,
        Malformed(why: String),
        Compressed { coding: String, fault: Fault },
        Root(name: String),
        HtmlPage { fault: Fault },
        NoVerb,
    }
}
