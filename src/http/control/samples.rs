//! Sample documents built into the emulator, to send or receive.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::BASE;
use super::problem::Problem;
use crate::document::sample;
use crate::emulator::Registry;
use crate::http::origin;

/// The names of the samples, with their numbers of pages.
const SAMPLES: [(&str, u32); 4] =
    [("one-page.pdf", 1), ("two-pages.pdf", 2), ("ten-pages.pdf", 10), ("hundred-pages.pdf", 100)];

/// A sample document.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Sample")]
pub(super) struct SampleView {
    name: &'static str,
    /// URL of the document, which can be used as a MediaUrl.
    url: String,
    content_type: &'static str,
    pages: u32,
}

/// All sample documents.
#[derive(Serialize, JsonSchema)]
pub(super) struct SampleList {
    samples: Vec<SampleView>,
}

pub(super) async fn list(State(registry): State<Registry>, request: Request) -> Json<SampleList> {
    let (parts, _) = request.into_parts();
    let origin = origin(&parts, registry.settings().public_url.as_ref());
    let view = |(name, pages): (&'static str, u32)| SampleView {
        name,
        url: format!("{origin}{BASE}/samples/{name}"),
        content_type: "application/pdf",
        pages,
    };
    Json(SampleList { samples: SAMPLES.map(view).into() })
}

pub(super) async fn show(Path(name): Path<String>) -> Result<Response, Problem> {
    let Some((_, pages)) = SAMPLES.iter().find(|(own, _)| *own == name) else {
        let names = SAMPLES.map(|(name, _)| name).join(", ");
        return Err(Problem::new(
            404,
            "sample-not-found",
            format!("there is no sample {name:?}; the samples are {names}"),
        ));
    };
    Ok(([(header::CONTENT_TYPE, "application/pdf")], sample::test_pages(*pages)).into_response())
}
