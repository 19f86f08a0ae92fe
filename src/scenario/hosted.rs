//! The documents that the steps send or receive, which the run serves to the emulator on this machine.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;

/// The path below which the documents are served.
const BASE: &str = "/_scenario/documents";

/// Documents by the number in their URLs.
#[derive(Debug, Clone, Default)]
pub struct Hosted {
    /// The address at which the documents are served, such as `http://127.0.0.1:40000`.
    origin: String,
    documents: BTreeMap<usize, Bytes>,
}

impl Hosted {
    /// Returns an empty collection that is served at this address.
    #[must_use]
    pub fn at(origin: &str) -> Self {
        Self { origin: origin.to_owned(), documents: BTreeMap::new() }
    }

    /// Returns whether there are no documents.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// Adds a document, and returns its URL.
    pub(super) fn add(&mut self, bytes: Vec<u8>) -> String {
        let number = self.documents.len();
        self.documents.insert(number, bytes.into());
        format!("{}{BASE}/{number}", self.origin)
    }

    /// Returns the routes that serve the documents.
    pub fn router(self) -> Router {
        Router::new().route(&format!("{BASE}/{{number}}"), get(document)).with_state(self)
    }
}

async fn document(State(hosted): State<Hosted>, Path(number): Path<usize>) -> Response {
    let found = hosted.documents.get(&number).cloned();
    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}
