//! Serves the tools at `/mcp` over streamable HTTP, on the port of the emulator that they drive. Who may call is decided before a
//! request gets here, as for the control API (`http/guard.rs`).

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use super::handler::Handler;
use super::message::{self, Unreadable};
use crate::io::own::MCP_PATH;

/// The maximum size of a client's message in bytes. Bodies this small aren't charged to the budget of bytes in flight.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// The maximum number of sessions at a time. Each belongs to a client that speaks a version of the protocol before
/// 2026-07-28; later versions have no sessions.
pub(super) const SESSIONS_MAX: usize = 100;
/// How long a session is kept while its client does nothing. A person may come back to an assistant after hours.
const SESSION_IDLE_MAX: Duration = Duration::from_secs(8 * 3_600);
/// The header that names a session.
const SESSION: &str = "mcp-session-id";

/// The tools as a service at `/mcp`.
#[derive(Clone)]
pub struct Http {
    handler: Handler,
    service: StreamableHttpService<Handler, LocalSessionManager>,
    sessions: Arc<LocalSessionManager>,
}

impl Http {
    /// Creates the service.
    #[must_use]
    pub fn new(handler: Handler) -> Self {
        let mut idle = SessionConfig::default();
        idle.keep_alive = Some(SESSION_IDLE_MAX);
        let mut sessions = LocalSessionManager::default();
        sessions.session_config = idle;
        let sessions = Arc::new(sessions);
        // The guard has checked the host and the origin already, by the emulator's own settings.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_max_request_body_bytes(MESSAGE_BYTES_MAX);
        let own = handler.clone();
        let service = StreamableHttpService::new(move || Ok(own.clone()), Arc::clone(&sessions), config);
        Self { handler, service, sessions }
    }

    /// Returns the route.
    pub fn router(&self) -> Router {
        Router::new()
            .route_service(MCP_PATH, self.service.clone())
            .layer(middleware::from_fn(readable))
            .layer(middleware::from_fn_with_state(self.clone(), admit))
    }

    /// Ends all sessions and calls. A check that is running ends before this completes, unless it takes too long.
    pub async fn stop(&self) {
        self.service.config.cancellation_token.cancel();
        self.handler.home().settled().await;
    }
}

/// Refuses to open more sessions than the limit. Sessions that exist are not affected.
async fn admit(State(http): State<Http>, request: Request, next: Next) -> Response {
    if may_open_session(&request) && http.sessions.sessions.read().await.len() >= SESSIONS_MAX {
        let why = format!(
            "there are already {SESSIONS_MAX} MCP sessions, the most that are possible; close one, or try again later\n"
        );
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    }
    next.run(request).await
}

/// Refuses a message that can't be read, with an error of JSON-RPC that gives the reason. The library, which serves all
/// others, would say less, and would blame the media type.
async fn readable(request: Request, next: Next) -> Response {
    let is_json = |kind: &str| kind.to_ascii_lowercase().starts_with("application/json");
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if request.method() != Method::POST || !kind.is_some_and(is_json) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let refused = |status: StatusCode, why: Unreadable| (status, Json(why.response())).into_response();
    // The body's only other error is a client that has gone, which reads no response.
    let Ok(text) = to_bytes(body, MESSAGE_BYTES_MAX).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, Unreadable::too_long(MESSAGE_BYTES_MAX));
    };
    match message::read(&text) {
        Ok(Some(_)) => next.run(Request::from_parts(head, Body::from(text))).await,
        Ok(None) => StatusCode::ACCEPTED.into_response(),
        Err(why) => refused(StatusCode::BAD_REQUEST, why),
    }
}

/// Returns whether a request may open a session. At the limit, a client of a later version is refused too, because only
/// the body of a request shows whether it opens a session, and a client could write anything into a header.
fn may_open_session(request: &Request) -> bool {
    // The service, too, treats a value that isn't text as if there were none.
    let names_session = request.headers().get(SESSION).is_some_and(|session| session.to_str().is_ok());
    request.method() == Method::POST && !names_session
}
