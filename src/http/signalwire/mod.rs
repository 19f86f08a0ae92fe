//! The routes and handlers of SignalWire's compatibility API and fax logs. The compatibility API's root, `/api/laml`,
//! is optional; like `.json`, it is removed before a path is matched here.

mod accounts;
mod applications;
mod available;
mod bins;
mod faxes;
mod logs;
mod numbers;

use super::rest::{Call, Route};

/// All routes of the APIs.
pub(super) const ROUTES: &[&[Route]] = &[
    faxes::ROUTES,
    accounts::ROUTES,
    numbers::ROUTES,
    available::ROUTES,
    applications::ROUTES,
    bins::ROUTES,
    logs::ROUTES,
];
