//! The routes and handlers of SignalWire's compatibility API. Its root, `/api/laml`, is optional and removed before a
//! path comes here, as is `.json`.

mod faxes;
mod numbers;

use super::rest::{Call, Route};

/// All routes of the API.
pub(super) const ROUTES: &[&[Route]] = &[faxes::ROUTES, numbers::ROUTES];
