//! The web console: its embedded files, and the headers that isolate its pages. No world is read here: the pages use
//! the control API and the REST API like any other client.

mod bundle;
mod files;
mod lean;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use self::files::{BUILD, File, SHELL};
use super::traffic::no_such_resource;
use crate::emulator::Registry;

/// The root of the console's pages.
const BASE: &str = "/console";

/// Only this origin's files may run, nobody may frame a page, and scripts may not turn text into markup.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                                       font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
                                       frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
/// The caching of files whose path contains the build's name: they never change.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// The caching of everything else: browsers ask again each time, and get 304 if nothing has changed.
const REVALIDATE: &str = "no-cache";

/// Returns the console's routes.
pub(super) fn router(registry: &Registry) -> Router {
    Router::new()
        .route("/", get(start))
        .route("/favicon.ico", get(|headers: HeaderMap| async move { file("favicon.svg", &headers, REVALIDATE) }))
        .route(BASE, get(page))
        // `{*path}` doesn't match an empty path.
        .route("/console/", get(page))
        .route("/console/{*path}", get(page))
        .route("/console/assets/{build}/{*path}", get(asset))
        .layer(middleware::map_response(secured))
        .layer(middleware::from_fn_with_state(registry.clone(), browsers_only))
}

/// Lets only browsers reach the redirect at `/`; API clients get the usual 404 there.
async fn browsers_only(State(registry): State<Registry>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/" && !wants_html(request.headers()) {
        return no_such_resource(&registry, request);
    }
    next.run(request).await
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

async fn start(uri: Uri) -> Redirect {
    match uri.query() {
        Some(query) => Redirect::temporary(&format!("{BASE}?{query}")),
        None => Redirect::temporary(BASE),
    }
}

/// Returns the shell, the HTML page that is the same for every path; its script reads the path.
async fn page(headers: HeaderMap) -> Response {
    answer(&SHELL, &headers, REVALIDATE)
}

async fn asset(Path((build, path)): Path<(String, String)>, headers: HeaderMap) -> Response {
    // A page opened before an upgrade asks for files of the older build, and must not cache the newer files under the
    // old name.
    file(&path, &headers, if build == *BUILD { IMMUTABLE } else { REVALIDATE })
}

fn file(path: &str, headers: &HeaderMap, caching: &'static str) -> Response {
    files::find(path).map_or_else(|| StatusCode::NOT_FOUND.into_response(), |file| answer(file, headers, caching))
}

fn answer(file: &File, headers: &HeaderMap, caching: &'static str) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    // If-None-Match compares weakly, so a weak tag matches too (RFC 9110 §13.1.2).
    let same =
        known.is_some_and(|known| known.split(',').any(|each| each.trim().trim_start_matches("W/") == file.etag));
    let head =
        [(header::ETAG, file.etag.as_str()), (header::CACHE_CONTROL, caching), (header::VARY, "accept-encoding")];
    if same {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, file.content_type)];
    if takes_gzip(headers) {
        return (head, content_type, [(header::CONTENT_ENCODING, "gzip")], file.gzipped.clone()).into_response();
    }
    // Cloning `Bytes` shares the memory.
    (head, content_type, file.bytes.clone()).into_response()
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|each| {
        let mut parts = each.split(';').map(str::trim);
        parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip")) && !parts.any(is_zero_weight)
    })
}

/// Returns whether a parameter is a weight of zero, which refuses a coding: `q=0`, `q=0.0` (RFC 9110 §12.4.2).
fn is_zero_weight(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, weight)| {
        name.trim().eq_ignore_ascii_case("q") && weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0)
    })
}

async fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
#[path = "../console_tests.rs"]
mod tests;
