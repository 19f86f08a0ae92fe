//! A REST API's routes: each path with its area for admission, and a handler for each method.

use axum::http::Method;

use super::Call;
use crate::dialect::error::ApiError;
use crate::engine::admission::{Action, Area};
use crate::http::reply::Reply;

/// A call's handler, which reads or changes worlds and never waits.
pub(in crate::http) type Handler = fn(&Call<'_>) -> Result<Reply, ApiError>;

/// A path, its area for admission, and the handler for each supported method.
pub(in crate::http) struct Route {
    pub(in crate::http) path: &'static str,
    area: Area,
    get: Option<Handler>,
    post: Option<(Action, Handler)>,
    delete: Option<Handler>,
}

impl Route {
    pub(in crate::http) const fn at(path: &'static str, area: Area) -> Self {
        Self { path, area, get: None, post: None, delete: None }
    }

    pub(in crate::http) const fn read(self, handler: Handler) -> Self {
        Self { get: Some(handler), ..self }
    }

    pub(in crate::http) const fn create(self, handler: Handler) -> Self {
        Self { post: Some((Action::Create, handler)), ..self }
    }

    pub(in crate::http) const fn update(self, handler: Handler) -> Self {
        Self { post: Some((Action::Update, handler)), ..self }
    }

    pub(in crate::http) const fn delete(self, handler: Handler) -> Self {
        Self { delete: Some(handler), ..self }
    }

    /// Returns the operation for a method. HEAD runs GET's handler; hyper omits the body.
    pub(in crate::http) fn operation(&self, method: &Method) -> Option<Operation> {
        let (action, handler) = match *method {
            Method::GET | Method::HEAD => (Action::Read, self.get?),
            Method::POST => self.post?,
            Method::DELETE => (Action::Delete, self.delete?),
            _ => return None,
        };
        Some(Operation { area: self.area, action, handler })
    }

    /// Returns the methods that the path supports, in the form of the `Allow` header.
    pub(in crate::http) fn methods(&self) -> String {
        let methods =
            [("GET,HEAD", self.get.is_some()), ("POST", self.post.is_some()), ("DELETE", self.delete.is_some())];
        let taken = methods.into_iter().filter_map(|(name, is_taken)| is_taken.then_some(name));
        taken.collect::<Vec<_>>().join(",")
    }
}

/// The operation that a call performs, and its area for admission.
#[derive(Clone, Copy)]
pub(in crate::http) struct Operation {
    pub(in crate::http) area: Area,
    pub(in crate::http) action: Action,
    pub(in crate::http) handler: Handler,
}
