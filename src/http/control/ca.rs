//! The local CA's certificate, for clients that are to trust it. It makes none; the server says what there is.

use std::sync::Arc;

use axum::Extension;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// A file of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaFile {
    /// The CA's own certificate.
    Certificate,
    /// The public roots and the CA's, for clients that know one file only.
    Bundle,
}

/// Gives a file in PEM, or says why there is none.
pub type CaFiles = Arc<dyn Fn(CaFile) -> Result<String, String> + Send + Sync>;

pub(super) async fn certificate(files: Option<Extension<CaFiles>>) -> Response {
    answer(files.as_deref(), CaFile::Certificate)
}

pub(super) async fn bundle(files: Option<Extension<CaFiles>>) -> Response {
    answer(files.as_deref(), CaFile::Bundle)
}

fn answer(ca: Option<&CaFiles>, file: CaFile) -> Response {
    match ca.map(|files| files(file)) {
        Some(Ok(pem)) => ([(header::CONTENT_TYPE, "application/x-pem-file")], pem).into_response(),
        Some(Err(why)) => Problem::new(500, "ca-unusable", why).into_response(),
        None => Problem::new(404, "no-ca", "this emulator was built without TLS").into_response(),
    }
}
