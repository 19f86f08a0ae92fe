//! A response that is there at once, or a future of one.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::{Either, Ready, ready};

use super::reply;

/// An answer, or what will become one.
pub type Answering = Either<Ready<Response>, Pin<Box<dyn Future<Output = Response> + Send>>>;

/// An answer for which nothing is waited.
#[must_use]
pub fn at_once(response: Response) -> Answering {
    Either::Left(ready(response))
}

/// An answer that takes a while.
pub fn later(answer: impl Future<Output = Response> + Send + 'static) -> Answering {
    let answer = AssertUnwindSafe(answer).catch_unwind();
    Either::Right(Box::pin(answer.map(|answered| answered.unwrap_or_else(|_| reply::fault()))))
}
