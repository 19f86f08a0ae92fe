//! The part of the app in `checked_app` that remembers earlier requests: which requests it fails for, and how it lets others
//! wait while it handles one.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{StatusCode, Uri};
use fauxfax::dialect::form::Form;

use crate::checked_app::{Fault, Shared};
use crate::checked_sender::{STATUSES, pause};

/// How long an app with [`Fault::IsSlowForMany`] takes for each request.
const ONE_AT_A_TIME: Duration = Duration::from_millis(30);

/// What the app remembers of the requests so far.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The faxes that requests for TwiML and status callbacks were about.
    asked: Mutex<BTreeSet<String>>,
    /// Held during a request by an app that handles one request at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Memory {
    /// Returns the faxes that requests for TwiML and status callbacks were about.
    pub(crate) fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Returns the error with which an app responds if one of its faults makes it fail for this rare but valid request.
pub(crate) fn refusal(app: &Shared, uri: &Uri, form: &Form) -> Option<StatusCode> {
    let get = |name: &str| form.get(name).unwrap_or_default();
    let mut asked = app.memory.asked.lock().unwrap_or_else(PoisonError::into_inner);
    let is_known = asked.contains(get("FaxSid"));
    if uri.path() != "/received" {
        asked.insert(get("FaxSid").to_owned());
        let repeated = uri.path() != "/status" && is_known && app.has(Fault::RefusesRepeats);
        return repeated.then_some(StatusCode::CONFLICT);
    }
    let refusals = [
        (Fault::NeedsDocument, get("MediaUrl").is_empty()),
        (Fault::FailsForUnknownFax, !is_known),
        (Fault::KnowsAllStatuses, !STATUSES.contains(&get("FaxStatus"))),
    ];
    let fails = refusals.iter().any(|(fault, applies)| *applies && app.has(*fault));
    fails.then_some(StatusCode::INTERNAL_SERVER_ERROR)
}

/// In an app that handles one request at a time, waits until it is this request's turn.
pub(crate) async fn queue_up(app: &Shared) {
    if app.has(Fault::IsSlowForMany) {
        let _turn = app.memory.turn.lock().await;
        pause(ONE_AT_A_TIME).await;
    }
    if app.has(Fault::BlocksForDownloads) {
        drop(app.memory.turn.lock().await);
    }
}

/// Does work during which the app handles no request.
pub(crate) async fn block(app: &Shared, work: impl Future<Output = ()>) {
    let _turn = app.memory.turn.lock().await;
    work.await;
}
