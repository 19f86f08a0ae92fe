//! Answers: resources and errors as JSON, and forms out of requests. Nothing here knows a resource.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde::Serialize;

use super::Resettable;
use crate::dialect::error::{ApiError, CODE_INVALID_PARAMETER, CODE_UNAUTHENTICATED};
use crate::dialect::form::{FORM_BYTES_MAX, Form};

/// Seconds after which a client that was refused on purpose may come again.
const RETRY_AFTER_S: &str = "1";

/// The error code of an answer, for the journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnsweredCode(pub(super) u32);

/// 200 with a resource.
pub(super) fn ok(resource: &impl Serialize) -> Response {
    json(StatusCode::OK, resource)
}

/// 201 with a resource: twilio-cli takes nothing else for a creation.
pub(super) fn created(resource: &impl Serialize) -> Response {
    json(StatusCode::CREATED, resource)
}

/// 204: twilio-python takes nothing else for a deletion.
pub(super) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// The answer that a rule asks for; a 429 says when to come again.
pub(super) fn on_purpose(status: u16, code: u32) -> Response {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Refused");
    let mut response = ApiError::new(status, code, reason).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS.as_u16() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    response
}

/// No answer: the connection is reset, where a listener can do that, else broken off.
pub(super) fn reset(parts: &Parts) -> Response {
    if let Some(connection) = parts.extensions.get::<Resettable>() {
        connection.reset();
    }
    Response::new(Body::from_stream(futures_util::stream::once(async {
        Err::<bytes::Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    })))
}

fn json(status: StatusCode, resource: &impl Serialize) -> Response {
    bytes(status, serde_json::to_vec(resource).expect("resources have text keys only"))
}

fn bytes(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = bytes(status, self.body());
        if self.code == CODE_UNAUTHENTICATED {
            let challenge = HeaderValue::from_static("Basic realm=\"Twilio API\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(AnsweredCode(self.code));
        response
    }
}

/// The body as a form, whatever type it claims: real clients send forms without one (docs/fidelity.md, "The surface").
pub(super) struct FormBody(pub(super) Form);

impl<S: Send + Sync> FromRequest<S> for FormBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let body = to_bytes(request.into_body(), FORM_BYTES_MAX).await.map_err(|error| {
            if error.into_inner().is::<LengthLimitError>() {
                ApiError::too_large(FORM_BYTES_MAX)
            } else {
                ApiError::bad_request(CODE_INVALID_PARAMETER, "The request body ended too early")
            }
        })?;
        parse(&body).map(Self)
    }
}

/// The query as a form.
pub(super) struct QueryForm(pub(super) Form);

impl<S: Send + Sync> FromRequestParts<S> for QueryForm {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parse(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

fn parse(bytes: &[u8]) -> Result<Form, ApiError> {
    Form::parse(bytes).map_err(|error| ApiError::bad_request(CODE_INVALID_PARAMETER, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn form(body: impl Into<Body>, content_type: Option<&str>) -> Result<Form, ApiError> {
        let mut request = Request::new(body.into());
        if let Some(value) = content_type {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
        }
        FormBody::from_request(request, &()).await.map(|FormBody(form)| form)
    }

    #[tokio::test]
    async fn a_body_is_a_form_whatever_it_claims_to_be() {
        for content_type in
            [None, Some("application/json"), Some("text/plain"), Some("application/x-www-form-urlencoded")]
        {
            let form = form("To=%2B15558675310", content_type).await.unwrap();
            assert_eq!(form.get("To"), Some("+15558675310"), "{content_type:?}");
        }
        assert_eq!(form("", None).await.unwrap().get("To"), None);
    }

    #[tokio::test]
    async fn a_body_over_256_kb_is_413_and_one_of_just_that_is_read() {
        let fits = format!("To={}", "1".repeat(FORM_BYTES_MAX - 3));
        assert!(form(fits.clone(), None).await.is_ok());
        let error = form(fits + "1", None).await.unwrap_err();
        assert_eq!((error.status, error.code), (413, 20413));
    }

    #[test]
    fn an_error_is_json_and_a_401_challenges() {
        let response = ApiError::unauthenticated("Authenticate").into_response();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Basic realm=\"Twilio API\"");
        assert!(!ApiError::not_found("/").into_response().headers().contains_key(header::WWW_AUTHENTICATE));
    }
}
