//! The cookie that replaces the control token in a browser. The guard has already checked the token.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::emulator::Registry;
use crate::http::guard;

pub(super) async fn open(State(registry): State<Registry>) -> Response {
    match guard::cookie(&registry.settings().guard) {
        Some(cookie) => (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}
