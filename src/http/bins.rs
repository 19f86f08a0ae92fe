//! `/twiml/{id}` and `/laml-bins/{id}`, where anyone may read a TwiML bin without a credential. The emulator reads its
//! own bins within the process (`io/own.rs`).

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;

use super::asked_path;
use super::reply;
use super::traffic::{self, Arrived, Unassignable};
use crate::dialect::error::ApiError;
use crate::dialect::twiml_bin::{CONTENT_TYPE, LAML_BINS, TWIML_BINS, bin_at};
use crate::emulator::{NoWorld, Registry};
use crate::engine::input::ServeTwimlBin;
use crate::model::account::Dialect;
use crate::world::journal::{ApiRequest, Excerpt, RequestedService};

/// Returns the routes at which bins are served.
pub(super) fn routes() -> Router<Registry> {
    let served = |root: &str| Router::new().route(&format!("{root}/{{bin}}"), get(serve).post(serve));
    served(TWIML_BINS).merge(served(LAML_BINS))
}

/// Serves a bin, ignoring the request's parameters.
async fn serve(State(registry): State<Registry>, parts: Parts) -> Response {
    let owner = bin_at(parts.uri.path()).and_then(|sid| Some((sid, registry.owner_of_bin(sid)?)));
    let Some((sid, world)) = owner else {
        let error = ApiError::not_found(asked_path(&parts));
        return traffic::refuse(
            &registry,
            (&parts, Arrived::of(&parts)),
            Unassignable::because(NoWorld::UnknownPath),
            &error,
        );
    };
    let dialect = Dialect::of(world.sid());
    let (method, path) = (traffic::name_of(&parts.method), traffic::target(&parts));
    let served = world.handle_and_note(ServeTwimlBin(sid), |_, served, at| {
        let served = served.map_err(|refusal| ApiError::refused(&refusal, asked_path(&parts), dialect));
        let (status, code, response) = match &served {
            Ok(contents) => (StatusCode::OK.as_u16(), None, Excerpt::of(contents.as_bytes())),
            Err(error) => (error.status(dialect), Some(error.code(dialect)), Excerpt::of(&error.body(dialect))),
        };
        let request = ApiRequest {
            service: RequestedService::Rest,
            at,
            fax: None,
            method,
            path,
            status,
            code,
            // The parameters aren't read.
            form: Excerpt::default(),
            response,
            duration: Arrived::of(&parts).elapsed(&registry),
            is_reset: false,
            rule: None,
            no_world: None,
            named: None,
        };
        (served, request)
    });
    match served {
        Ok(contents) => {
            let mut response = Response::new(Body::from(Bytes::copy_from_slice(contents.as_bytes())));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
            response
        }
        Err(error) => reply::error(dialect, &error),
    }
}
