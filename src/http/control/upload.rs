//! Reads the body of an incoming fax: JSON, or multipart with the same fields and a file. Sizes are checked here, as
//! are the names and types of the fields; `incoming.rs` checks the values.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use axum::http::request::Parts;
use multer::{Constraints, Multipart, SizeLimit};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::extract::{bad_field, read_json};
use super::problem::Problem;
use crate::dialect::json::{self, FieldError, ParseError};
use crate::http::body::{self, BodyFault};
use crate::io::budget::{Budget, Hold, ROOM_WAIT_MAX};
use crate::io::fetch::DOCUMENT_BYTES_MAX;
use crate::model::field_words;

/// The maximum size in bytes of a JSON body, and of each text field of a form.
const FIELDS_BYTES_MAX: u64 = 256 * 1024;
/// The names of the form's fields.
const NAMES: [&str; 10] =
    ["to", "from", "pages", "media_url", "station_id", "quality", "sid", "outcome", "action", "file"];

/// The fields of an incoming fax. At most one of `pages`, `media_url` and an uploaded file may be given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IncomingFax")]
pub(super) struct Fields {
    /// The number called; optional if the account has exactly one fax number.
    pub(super) to: Option<String>,
    pub(super) from: Option<String>,
    pub(super) pages: Option<u32>,
    pub(super) media_url: Option<String>,
    pub(super) station_id: Option<String>,
    pub(super) quality: Option<String>,
    pub(super) sid: Option<String>,
    pub(super) outcome: Option<Outcome>,
    /// A URL that is notified of the fax, like the `action` of `<Receive>`; the number's own app is then not asked.
    pub(super) action: Option<String>,
}

/// The intended outcome: a word, or a word with details.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub(super) enum Outcome {
    Word(String),
    Detailed(DetailedOutcome),
}

/// An outcome with details; `code`, `after_pages` and `message` are only valid with the status `failed`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DetailedOutcome {
    pub(super) status: String,
    pub(super) code: Option<u32>,
    pub(super) after_pages: Option<u32>,
    /// Text of the failure, 200 characters at most; by default Twilio's or SignalWire's own.
    pub(super) message: Option<String>,
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Outcome;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word, or an object with status, code, after_pages and message")
            }

            fn visit_str<E>(self, word: &str) -> Result<Outcome, E> {
                Ok(Outcome::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Outcome, A::Error> {
                DetailedOutcome::deserialize(MapAccessDeserializer::new(members)).map(Outcome::Detailed)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A request's fields and its file, if there is one.
pub(super) struct Upload {
    pub(super) fields: Fields,
    /// The document, with its share of the budget of bytes in flight.
    pub(super) file: Option<(Arc<[u8]>, Hold)>,
}

/// Reads the body according to its content type.
pub(super) async fn read(parts: &Parts, body: Body, budget: &Budget) -> Result<Upload, Problem> {
    let content_type =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Media types are case-insensitive.
    if content_type.to_ascii_lowercase().starts_with("multipart/") {
        let boundary = multer::parse_boundary(content_type).map_err(|error| bad_form(&error))?;
        return form(body, boundary, budget).await;
    }
    let limit = usize::try_from(FIELDS_BYTES_MAX).unwrap_or(usize::MAX);
    let read = body::read(body, limit, budget).await.map_err(|fault| {
        let limit = format!(
            "the JSON is over {FIELDS_BYTES_MAX} bytes; send a document as multipart/form-data, in the part file"
        );
        Problem::body(fault, limit)
    })?;
    Ok(Upload { fields: read_json(&read.into_bytes())?, file: None })
}

async fn form(body: Body, boundary: String, budget: &Budget) -> Result<Upload, Problem> {
    let sizes = SizeLimit::new()
        // The limit covers the other fields too, which may come before or after the file.
        .whole_stream(DOCUMENT_BYTES_MAX + FIELDS_BYTES_MAX)
        .per_field(FIELDS_BYTES_MAX)
        .for_field("file", DOCUMENT_BYTES_MAX);
    let constraints = Constraints::new().size_limit(sizes);
    let mut form = Multipart::with_constraints(Box::pin(body::parts(body)), boundary, constraints);
    let mut upload = Upload { fields: Fields::default(), file: None };
    while let Some(mut field) = form.next_field().await.map_err(|error| bad_form(&error))? {
        // A part without a name is refused below, as an unknown field.
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            let mut file = budget.body(ROOM_WAIT_MAX);
            // Each chunk waits for room in the budget before the next one is read, so that a client is slowed down, and
            // refused only if no room is found in time.
            while let Some(chunk) = field.chunk().await.map_err(|error| bad_form(&error))? {
                file.add(&chunk).await.map_err(Problem::no_room)?;
            }
            once(&mut upload.file, &name, file.into_document())?;
        } else {
            let text = field.text().await.map_err(|error| bad_form(&error))?;
            set(&mut upload.fields, &name, text)?;
        }
    }
    Ok(upload)
}

fn set(fields: &mut Fields, name: &str, text: String) -> Result<(), Problem> {
    match name {
        "to" => once(&mut fields.to, name, text),
        "from" => once(&mut fields.from, name, text),
        "pages" => {
            let wrong = || format!("pages: must be {}, not {text:?}", field_words::expected("u32"));
            let pages = text.parse().map_err(|_| Problem::new(422, "bad-field", wrong()))?;
            once(&mut fields.pages, name, pages)
        }
        "media_url" => once(&mut fields.media_url, name, text),
        "station_id" => once(&mut fields.station_id, name, text),
        "quality" => once(&mut fields.quality, name, text),
        "sid" => once(&mut fields.sid, name, text),
        "action" => once(&mut fields.action, name, text),
        "outcome" => {
            // A form has only text fields, so an outcome with details is JSON within such a field.
            let is_object = text.trim_start().starts_with('{');
            let outcome = if is_object { detailed(&text)? } else { Outcome::Word(text) };
            once(&mut fields.outcome, name, outcome)
        }
        other => {
            let near = NAMES.iter().min_by_key(|name| strsim::levenshtein(name, other)).unwrap_or(&"file");
            Err(Problem::new(400, "unknown-field", format!("unknown field {other:?}; did you mean {near}?")))
        }
    }
}

/// Sets a form field. Giving it twice is an error, because one of the two values would be lost.
fn once<T>(field: &mut Option<T>, name: &str, value: T) -> Result<(), Problem> {
    if field.replace(value).is_some() { Err(bad_field(&FieldError::twice(name))) } else { Ok(()) }
}

fn detailed(text: &str) -> Result<Outcome, Problem> {
    let bad = |error: FieldError| bad_field(&error.within("outcome"));
    let value = json::parse(text.as_bytes()).map_err(|error| match error {
        ParseError::NoJson(_) => Problem::new(422, "bad-field", format!("outcome: {error}")),
        ParseError::Twice(error) => bad(error),
    })?;
    json::read(&value).map(Outcome::Detailed).map_err(bad)
}

fn bad_form(error: &multer::Error) -> Problem {
    if let multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } = error {
        let detail =
            format!("a document may have at most {DOCUMENT_BYTES_MAX} bytes, and any other field {FIELDS_BYTES_MAX}");
        return Problem::new(413, "too-large", detail);
    }
    // A fault of the body that multer was reading, such as a timeout, is wrapped in multer's error.
    if let multer::Error::StreamReadFailed(why) = error
        && let Some(fault) = why.downcast_ref::<BodyFault>()
    {
        return Problem::body(*fault, error.to_string());
    }
    Problem::new(400, "bad-form", error.to_string())
}
