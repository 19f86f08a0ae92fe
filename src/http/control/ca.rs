//! The local CA's certificate, alone or with the public roots, for clients that should trust it. The server provides a
//! function that returns these files.

use std::sync::Arc;

use axum::Extension;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// The certificate file that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaFile {
    /// Only the CA's own certificate.
    Certificate,
    /// The public roots and the CA's certificate, for clients that can read only one file.
    Bundle,
}

/// The media type of a certificate file.
const PEM: &str = "application/x-pem-file";

/// A function that returns a file in PEM, or the reason that there is none.
pub type CaFiles = Arc<dyn Fn(CaFile) -> Result<String, String> + Send + Sync>;

pub(super) async fn certificate(method: Method, files: Option<Extension<CaFiles>>) -> Response {
    answer(&method, files.as_deref(), CaFile::Certificate)
}

pub(super) async fn bundle(method: Method, files: Option<Extension<CaFiles>>) -> Response {
    answer(&method, files.as_deref(), CaFile::Bundle)
}

fn answer(method: &Method, ca: Option<&CaFiles>, file: CaFile) -> Response {
    // HEAD only asks whether there is such a file; a CA must not be created for that.
    if method == Method::HEAD && ca.is_some() {
        return [(header::CONTENT_TYPE, PEM)].into_response();
    }
    match ca.map(|files| files(file)) {
        Some(Ok(pem)) => ([(header::CONTENT_TYPE, PEM)], pem).into_response(),
        Some(Err(why)) => Problem::new(500, "ca-unusable", why).into_response(),
        None => Problem::new(404, "no-ca", "this emulator was built without TLS").into_response(),
    }
}
