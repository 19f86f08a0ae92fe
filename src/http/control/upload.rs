//! Reads the body of an incoming fax: JSON, or multipart with the same fields and a file. It checks sizes;
//! `incoming.rs` checks the values.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use axum::http::request::Parts;
use multer::{Constraints, Multipart, SizeLimit};
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::read_json;
use super::problem::Problem;
use crate::http::body::{self, BodyFault};
use crate::io::budget::{Budget, Hold, ROOM_WAIT_MAX};
use crate::io::fetch::DOCUMENT_BYTES_MAX;

/// The longest JSON body, and the longest text field of a form, in bytes.
const FIELDS_BYTES_MAX: u64 = 256 * 1024;
/// The names of the form's fields.
const NAMES: [&str; 9] = ["to", "from", "pages", "media_url", "station_id", "quality", "sid", "outcome", "file"];

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
}

/// The intended outcome: a word, or a word with details.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "outcome must be a word, or an object with status, code, after_pages and message")]
pub(super) enum Outcome {
    Word(String),
    Detailed(DetailedOutcome),
}

/// An outcome with details; `code`, `after_pages` and `message` go with the status `failed`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DetailedOutcome {
    pub(super) status: String,
    pub(super) code: Option<u32>,
    pub(super) after_pages: Option<u32>,
    /// Text of the failure, 200 characters at most; the service's own by default.
    pub(super) message: Option<String>,
}

/// The fields of a request and its file, if it has one.
pub(super) struct Upload {
    pub(super) fields: Fields,
    /// The document, and its share of the budget of bytes in flight.
    pub(super) file: Option<(Arc<[u8]>, Hold)>,
}

/// Reads the body according to its content type.
pub(super) async fn read(parts: &Parts, body: Body, budget: &Budget) -> Result<Upload, Problem> {
    let content_type =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.to_ascii_lowercase().starts_with("multipart/") {
        let boundary = multer::parse_boundary(content_type).map_err(|error| bad_form(&error))?;
        return form(body, boundary, budget).await;
    }
    let limit = usize::try_from(FIELDS_BYTES_MAX).unwrap_or(usize::MAX);
    let read = body::read(body, limit, budget).await.map_err(|fault| {
        let limit =
            format!("the JSON is over {FIELDS_BYTES_MAX} bytes; send a document as multipart/form-data, part file");
        Problem::body(fault, limit)
    })?;
    Ok(Upload { fields: read_json(&read.into_bytes())?, file: None })
}

async fn form(body: Body, boundary: String, budget: &Budget) -> Result<Upload, Problem> {
    let sizes = SizeLimit::new()
        // The other fields may come before or after the file.
        .whole_stream(DOCUMENT_BYTES_MAX + FIELDS_BYTES_MAX)
        .per_field(FIELDS_BYTES_MAX)
        .for_field("file", DOCUMENT_BYTES_MAX);
    let constraints = Constraints::new().size_limit(sizes);
    let mut form = Multipart::with_constraints(Box::pin(body::parts(body)), boundary, constraints);
    let mut upload = Upload { fields: Fields::default(), file: None };
    while let Some(mut field) = form.next_field().await.map_err(|error| bad_form(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            let mut file = budget.body(ROOM_WAIT_MAX);
            // Each chunk takes its room in the budget before the next one is read, so a client is slowed down instead
            // of refused.
            while let Some(chunk) = field.chunk().await.map_err(|error| bad_form(&error))? {
                file.add(&chunk).await.map_err(Problem::no_room)?;
            }
            upload.file = Some(file.into_document());
        } else {
            let text = field.text().await.map_err(|error| bad_form(&error))?;
            set(&mut upload.fields, &name, text)?;
        }
    }
    Ok(upload)
}

fn set(fields: &mut Fields, name: &str, text: String) -> Result<(), Problem> {
    match name {
        "to" => fields.to = Some(text),
        "from" => fields.from = Some(text),
        "pages" => {
            let pages =
                text.parse().map_err(|_| Problem::new(422, "bad-field", format!("pages: {text:?} is no number")))?;
            fields.pages = Some(pages);
        }
        "media_url" => fields.media_url = Some(text),
        "station_id" => fields.station_id = Some(text),
        "quality" => fields.quality = Some(text),
        "sid" => fields.sid = Some(text),
        "outcome" => {
            // A form has only texts, so an outcome with details is JSON within one.
            let is_object = text.trim_start().starts_with('{');
            fields.outcome = Some(if is_object { read_json(text.as_bytes())? } else { Outcome::Word(text) });
        }
        other => {
            let near = NAMES.iter().min_by_key(|name| strsim::levenshtein(name, other)).unwrap_or(&"file");
            return Err(Problem::new(
                400,
                "unknown-field",
                format!("there is no field {other:?}; did you mean {near:?}?"),
            ));
        }
    }
    Ok(())
}

fn bad_form(error: &multer::Error) -> Problem {
    if let multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } = error {
        let detail = format!("a document may have {DOCUMENT_BYTES_MAX} bytes, another field {FIELDS_BYTES_MAX}");
        return Problem::new(413, "too-large", detail);
    }
    if let multer::Error::StreamReadFailed(why) = error
        && let Some(fault) = why.downcast_ref::<BodyFault>()
    {
        return Problem::body(*fault, error.to_string());
    }
    Problem::new(400, "bad-form", error.to_string())
}
