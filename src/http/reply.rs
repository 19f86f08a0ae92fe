//! Builds responses, with resources and errors as JSON, and reads forms from requests. All REST APIs share these
//! functions.

use std::sync::Arc;

use axum::BoxError;
use axum::body::{Body, HttpBody};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde::Serialize;

use super::AbortHandle;
use super::body::{self, BodyFault};
use super::dialects::dialect_of_client;
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::form::{FORM_BYTES_MAX, Form};
use crate::dialect::signalwire::logs;
use crate::io::budget::{Budget, tied};
use crate::io::own::is_below;
use crate::model::account::Dialect;

/// The value of `Retry-After`, in seconds, after a refusal by a rule or for lack of room.
const RETRY_AFTER_S: &str = "1";

/// The initial capacity of a response's buffer, in bytes; most resources are smaller.
const RESOURCE_BYTES: usize = 1_024;

/// The response to a REST call: a status and, unless the resource was deleted, JSON.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

/// Returns 200 with a resource.
pub(super) fn ok(resource: &impl Serialize) -> Reply {
    Reply { status: StatusCode::OK, body: body(resource) }
}

/// Returns 201 with a resource; twilio-cli accepts no other status for a creation.
pub(super) fn created(resource: &impl Serialize) -> Reply {
    Reply { status: StatusCode::CREATED, body: body(resource) }
}

/// Returns 204; twilio-python accepts no other status for a deletion.
pub(super) const fn no_content() -> Reply {
    Reply { status: StatusCode::NO_CONTENT, body: Vec::new() }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self.status {
            StatusCode::NO_CONTENT => StatusCode::NO_CONTENT.into_response(),
            status => bytes(status, self.body),
        }
    }
}

/// Returns an error with status 405 and the methods that the path supports.
pub(super) fn wrong_method(parts: &Parts, refused: &ApiError, methods: String) -> Response {
    let mut response = error_at(parts, refused);
    let methods = HeaderValue::try_from(methods).expect("methods are words");
    response.headers_mut().insert(header::ALLOW, methods);
    response
}

/// The form of an API's errors: that of its dialect, or that of SignalWire's fax logs.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErrorForm {
    pub(super) dialect: Dialect,
    is_of_logs: bool,
}

impl ErrorForm {
    /// Returns the form of errors for a client that expects this dialect at the request's path.
    pub(super) fn at(parts: &Parts, dialect: Dialect) -> Self {
        Self { dialect, is_of_logs: is_below(parts.uri.path(), logs::ROOT) }
    }

    /// Turns an error into a response of this form.
    pub(super) fn response(self, refused: &ApiError) -> Response {
        error_with(self.dialect, refused, self.body(refused))
    }

    /// Returns the body of the response to an error.
    pub(super) fn body(self, refused: &ApiError) -> Vec<u8> {
        if self.is_of_logs { logs::error_body(refused) } else { refused.body(self.dialect) }
    }
}

/// Returns the error that a tester's rule asks for.
pub(super) fn on_purpose(status: u16, code: u32) -> ApiError {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Refused");
    ApiError::new(Reason::OnPurpose { status, code }, reason)
}

/// Turns an error that a rule asks for into a response. Like Twilio's own, a 429 carries `Retry-After`.
pub(super) fn refused_on_purpose(form: ErrorForm, error: &ApiError) -> Response {
    let mut response = form.response(error);
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    response
}

/// Returns the response to a call in which the emulator itself has failed.
pub(super) fn fault(form: ErrorForm) -> Response {
    let message = "Internal Server Error: a fault in the emulator; please report it, with the details in its log";
    form.response(&ApiError::new(Reason::Internal, message))
}

/// Resets the connection if the listener can do that. Otherwise the body is cut short, which clients also treat as an
/// error.
pub(super) fn reset(connection: &AbortHandle) -> Response {
    connection.reset();
    Response::new(Body::from_stream(futures_util::stream::once(async {
        Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    })))
}

fn body(resource: &impl Serialize) -> Vec<u8> {
    let mut body = Vec::with_capacity(RESOURCE_BYTES);
    serde_json::to_writer(&mut body, resource).expect("resources have text keys only");
    body
}

/// Returns the body of the response to an error, in the form that the request's client expects.
pub(super) fn error_body(parts: &Parts, refused: &ApiError) -> Vec<u8> {
    ErrorForm::at(parts, dialect_of_client(parts)).body(refused)
}

fn bytes(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Turns an error into the response to a request, in the form that the request's client expects.
pub(super) fn error_at(parts: &Parts, refused: &ApiError) -> Response {
    ErrorForm::at(parts, dialect_of_client(parts)).response(refused)
}

/// Turns an error into a response in the dialect's own form. A 503 carries `Retry-After`, and an authentication error
/// carries a challenge.
pub(super) fn error(dialect: Dialect, error: &ApiError) -> Response {
    error_with(dialect, error, error.body(dialect))
}

fn error_with(dialect: Dialect, error: &ApiError, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(error.status(dialect)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = bytes(status, body);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    if error.reason == Reason::Unauthenticated {
        let challenge = HeaderValue::from_static(dialect.challenge());
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Responses up to this size are not charged to the budget; the limit on connections bounds their total.
const UNCOUNTED_BYTES_MAX: u64 = 64 * 1024;

/// Marks a response whose bytes are accounted for elsewhere: a stored document, or a body that is produced while it
/// is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted;

/// Charges a response's bytes to the budget until they have been sent; returns 503 if there is no room for them.
pub(super) fn charged(form: ErrorForm, response: Response, budget: &Budget) -> Response {
    let bytes = response.body().size_hint().lower();
    // The lower bound for a streamed body is 0, so it passes here; it is charged where it is produced.
    if bytes <= UNCOUNTED_BYTES_MAX || response.extensions().get::<Counted>().is_some() {
        return response;
    }
    match budget.answer(bytes) {
        Ok(room) => {
            let room = Arc::new(room);
            response.map(|body| Body::new(body.map_frame(move |frame| frame.map_data(|data| tied(data, &room)))))
        }
        Err(no_room) => form.response(&ApiError::new(Reason::Overloaded, format!("Service Unavailable: {no_room}"))),
    }
}

/// Reads a form's body, whatever its Content-Type: some real clients send forms without one (docs/fidelity.md, "The
/// surface").
pub(super) async fn form_body<B>(body: B, budget: &Budget) -> Result<Bytes, ApiError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let read = body::read(body, FORM_BYTES_MAX, budget).await.map_err(|fault| match fault {
        BodyFault::TooLarge => ApiError::too_large(FORM_BYTES_MAX),
        BodyFault::Broken => ApiError::new(Reason::InvalidParameter, "The request body ended too early"),
        BodyFault::TooSlow => ApiError::new(Reason::RequestTimeout, format!("Request Timeout: {fault}")),
        BodyFault::NoRoom(_) => ApiError::new(Reason::Overloaded, format!("Service Unavailable: {fault}")),
    })?;
    Ok(read.into_bytes())
}

/// Parses the parameters in a query or body.
pub(super) fn form(bytes: &[u8]) -> Result<Form, ApiError> {
    Form::parse(bytes).map_err(|error| ApiError::new(Reason::InvalidParameter, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn length(body: String) -> Result<usize, ApiError> {
        form_body(Body::from(body), &Budget::default()).await.map(|bytes| bytes.len())
    }

    #[tokio::test]
    async fn a_body_of_256_kb_is_read_and_one_that_is_a_byte_longer_is_413() {
        assert_eq!(length("1".repeat(FORM_BYTES_MAX)).await.unwrap(), FORM_BYTES_MAX);
        let error = length("1".repeat(FORM_BYTES_MAX + 1)).await.unwrap_err();
        assert_eq!((error.status(Dialect::Twilio), error.code(Dialect::Twilio)), (413, 20413));
    }

    #[test]
    fn an_error_is_json_and_a_401_includes_a_challenge() {
        let response = error(Dialect::Twilio, &ApiError::unauthenticated("Authenticate"));
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Basic realm=\"Twilio API\"");
        assert!(!error(Dialect::Twilio, &ApiError::not_found("/")).headers().contains_key(header::WWW_AUTHENTICATE));
    }
}
