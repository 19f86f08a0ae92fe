//! A response that is ready immediately, or a future of one.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::{Either, Ready, ready};

use super::reply;
use crate::model::account::Dialect;

/// A response, or a future of one. Most calls need not wait, and skip the allocation of a future.
pub type ResponseFuture = Either<Ready<Response>, Pin<Box<dyn Future<Output = Response> + Send>>>;

/// Wraps a response that is ready.
#[must_use]
pub fn at_once(response: Response) -> ResponseFuture {
    Either::Left(ready(response))
}

/// Wraps a response that takes time; a panic on the way becomes a 500.
pub fn later(answer: impl Future<Output = Response> + Send + 'static) -> ResponseFuture {
    let answer = AssertUnwindSafe(answer).catch_unwind();
    Either::Right(Box::pin(answer.map(|answered| answered.unwrap_or_else(|_| reply::fault(Dialect::Twilio)))))
}
