//! Records requests: masks and shortens their targets, and logs the requests that belong to no world.

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;

use super::dialects::dialect_of_client;
use super::{asked_path, asked_target, reply};
use crate::dialect::error::ApiError;
use crate::dialect::mask;
use crate::emulator::{NoWorld, Registry, UnassignedRequest};
use crate::model::sid::AccountSid;

/// The maximum number of bytes that are kept of a target; real targets are shorter.
const TARGET_LEN_MAX: usize = 2_048;

/// The reason a request belongs to no world, and the account that it names, if any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unassignable {
    pub(super) account: Option<AccountSid>,
    pub(super) reason: NoWorld,
}

/// Returns the error as a response to a request that belongs to no world, and records the request.
pub(super) fn refuse(registry: &Registry, parts: &Parts, why: Unassignable, error: &ApiError) -> Response {
    let dialect = dialect_of_client(parts);
    note(registry, parts, why, (error.status(dialect), Some(error.code(dialect))));
    reply::error_at(parts, error)
}

/// Records a request that belongs to no world, with the status and error code of its response.
pub(super) fn note(registry: &Registry, parts: &Parts, why: Unassignable, (status, code): (u16, Option<u32>)) {
    let Unassignable { account, reason } = why;
    let (method, path) = (name_of(&parts.method), target(parts));
    registry.unassigned().note(UnassignedRequest { method, path, status, code, account, reason });
}

/// Returns the path and query as the client wrote them, with secrets masked.
pub(super) fn target(parts: &Parts) -> Box<str> {
    let target = asked_target(parts).path_and_query().map_or("", |target| target.as_str());
    // Masked before it is cut, because a secret might not be recognised in half an escape or half a URL.
    let masked = mask::target(target);
    masked.get(..masked.floor_char_boundary(TARGET_LEN_MAX)).unwrap_or_default().into()
}

/// Returns a method's name, without allocating if it is a common one.
pub(super) fn name_of(method: &Method) -> Cow<'static, str> {
    match *method {
        Method::GET => "GET".into(),
        Method::POST => "POST".into(),
        Method::DELETE => "DELETE".into(),
        _ => method.to_string().into(),
    }
}

impl Unassignable {
    /// Returns the reason for a request that names no account.
    pub(super) const fn because(reason: NoWorld) -> Self {
        Self { account: None, reason }
    }
}

/// Returns a 404 for a path without a resource, and records the request.
pub(super) fn no_such_resource(registry: &Registry, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let error = ApiError::not_found(asked_path(&parts));
    refuse(registry, &parts, Unassignable::because(NoWorld::UnknownPath), &error)
}
