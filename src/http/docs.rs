//! Serves the embedded documentation as Markdown, for language models: `/llms.txt`, `/llms-full.txt`, and each page
//! below `/docs`. Like `/livez`, it needs no credential, because it says nothing about this instance except its
//! address.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::origin;
use super::traffic::no_such_resource;
use crate::docs;
use crate::emulator::Registry;

/// The root of the pages' paths.
const BASE: &str = "/docs";
const TEXT: &str = "text/plain; charset=utf-8";
const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// Returns the documentation's routes.
pub(super) fn router(registry: &Registry) -> Router {
    Router::new()
        .route("/llms.txt", get(overview))
        .route("/llms-full.txt", get(async || ([(header::CONTENT_TYPE, TEXT)], docs::full())))
        .route("/docs/{*path}", get(page))
        .with_state(registry.clone())
}

async fn overview(State(registry): State<Registry>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let own = origin(&parts, registry.settings().public_url.as_ref());
    // A page at the top of the repository is below /docs too.
    let link = |path: &str| {
        docs::find(path).map(|page| format!("{own}{BASE}/{}", page.path.strip_prefix("docs/").unwrap_or(page.path)))
    };
    ([(header::CONTENT_TYPE, TEXT)], docs::overview(link)).into_response()
}

async fn page(State(registry): State<Registry>, Path(path): Path<String>, request: Request) -> Response {
    // The page docs/README.md comes before the README at the top of the repository.
    let found = docs::find(&format!("docs/{path}")).or_else(|| docs::find(&path));
    match found {
        Some(page) => ([(header::CONTENT_TYPE, MARKDOWN)], page.text).into_response(),
        None => no_such_resource(&registry, request),
    }
}
