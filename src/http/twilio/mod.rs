//! The routes and handlers of `fax.twilio.com`, `api.twilio.com`, `lookups.twilio.com` and `monitor.twilio.com`.

mod accounts;
mod alerts;
mod applications;
mod available;
mod caller_ids;
mod faxes;
mod keys;
mod lookups;
mod messages;
mod numbers;

use super::rest::{Call, Route};

/// All routes of Twilio's APIs.
pub(super) const ROUTES: &[&[Route]] = &[
    faxes::ROUTES,
    accounts::ROUTES,
    numbers::ROUTES,
    available::ROUTES,
    alerts::ROUTES,
    keys::ROUTES,
    caller_ids::ROUTES,
    applications::ROUTES,
    messages::ROUTES,
    lookups::ROUTES,
];
