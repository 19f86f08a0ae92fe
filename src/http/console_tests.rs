//! Tests of serving the console: content types, caching, and the headers that isolate its pages.

use std::collections::BTreeSet;
use std::path::Path as FilePath;

use axum::body::to_bytes;
use axum::http::StatusCode;

use super::*;

fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, HeaderValue::from_str(value).unwrap());
    headers
}

/// Returns the paths of all files under `console/`, relative to that folder.
fn on_disk() -> BTreeSet<String> {
    fn walk(folder: &FilePath, root: &FilePath, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                walk(&entry, root, found);
            } else {
                found.insert(entry.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    let root = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("console");
    let mut found = BTreeSet::new();
    walk(&root, &root, &mut found);
    found
}

#[test]
fn every_file_of_the_console_is_embedded() {
    let mut embedded: BTreeSet<String> = files::embedded_paths().map(ToOwned::to_owned).collect();
    embedded.insert("index.html".to_owned());
    assert_eq!(embedded, on_disk());
}

#[tokio::test]
async fn the_shell_names_only_existing_files_and_contains_no_inline_script_or_style() {
    let body = to_bytes(page(HeaderMap::new()).await.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(body.into()).unwrap();
    let assets = format!("/console/assets/{}/", *BUILD);
    let named: Vec<&str> = text.split(&assets).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(named.len() == 3, "{named:?}");
    for path in named {
        assert!(files::find(path).is_some(), "{path}");
    }
    assert!(!text.contains("<style") && !text.contains("style=") && !text.contains(" on"), "{text}");
    assert!(text.matches("<script").count() == text.matches("<script type=\"module\" src=").count());
}

#[tokio::test]
async fn files_of_this_build_are_cached_forever_and_those_of_another_build_are_revalidated() {
    let served = |build: &str| asset(Path((build.to_owned(), "console.js".to_owned())), HeaderMap::new());
    let response = served(&BUILD).await;
    assert_eq!(response.headers()[header::CACHE_CONTROL], IMMUTABLE);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(served("older").await.headers()[header::CACHE_CONTROL], REVALIDATE);
    let missing = asset(Path((BUILD.clone(), "../Cargo.toml".to_owned())), HeaderMap::new()).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_that_the_client_has_is_not_sent_again() {
    let etag = page(HeaderMap::new()).await.headers()[header::ETAG].clone();
    let again = page(headers(header::IF_NONE_MATCH, etag.to_str().unwrap())).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let changed = page(headers(header::IF_NONE_MATCH, "\"other\"")).await;
    assert_eq!(changed.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_page_runs_only_its_own_files_and_cannot_be_framed() {
    let response = secured(page(HeaderMap::new()).await).await;
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    for part in ["default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[tokio::test]
async fn a_client_that_accepts_gzip_gets_the_same_bytes_compressed() {
    use std::io::Read;

    let accepting = |value: &str| file("console.js", &headers(header::ACCEPT_ENCODING, value), REVALIDATE);
    let plain = to_bytes(accepting("identity").into_body(), usize::MAX).await.unwrap();
    let response = accepting("br, gzip;q=0.8");
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
    let packed = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
    assert!(packed.len() * 2 < plain.len(), "{} of {}", packed.len(), plain.len());
    for refusing in ["gzip;q=0", "gzip; q=0.0", "gzip;q=0.000, br", "GZIP;Q=0", "br"] {
        assert!(!accepting(refusing).headers().contains_key(header::CONTENT_ENCODING), "{refusing}");
    }
    for listing in ["GZIP", "gzip;q=0.001", "gzip;q=1"] {
        assert!(accepting(listing).headers().contains_key(header::CONTENT_ENCODING), "{listing}");
    }
}

#[tokio::test]
async fn comments_are_stripped_but_code_is_not() {
    let body = to_bytes(file("console.js", &HeaderMap::new(), REVALIDATE).into_body(), usize::MAX).await.unwrap();
    let text = std::str::from_utf8(&body).unwrap();
    assert!(!text.contains("//!") && text.contains("async function go("));
}

#[test]
fn only_browsers_are_redirected_to_the_console() {
    assert!(wants_html(&headers(header::ACCEPT, "text/html,application/xhtml+xml;q=0.9")));
    assert!(!wants_html(&headers(header::ACCEPT, "application/json")));
    assert!(!wants_html(&HeaderMap::new()));
}
