//! The part of the app in `checked_app` that knows what it was asked before: what it fails over, and how it handles several
//! requests at once.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{StatusCode, Uri};
use fauxfax::dialect::form::Form;

use crate::checked_app::{Fault, Shared};
use crate::checked_sender::{STATUSES, pause};

/// The time that a request takes in an app that handles one after the other.
const ONE_AT_A_TIME: Duration = Duration::from_millis(30);

/// What the app remembers of the requests so far.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The faxes for which the app was asked.
    asked: Mutex<BTreeSet<String>>,
    /// The place of those who wait for the one at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Memory {
    /// Returns the faxes for which the app was asked.
    pub(crate) fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Returns the response of an app that fails over a rare but right request.
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

/// Takes the time that an app takes that handles one request after the other.
pub(crate) async fn queue_up(app: &Shared) {
    if app.has(Fault::IsSlowForMany) {
        let _turn = app.memory.turn.lock().await;
        pause(ONE_AT_A_TIME).await;
    }
    if app.has(Fault::BlocksForDownloads) {
        drop(app.memory.turn.lock().await);
    }
}

/// Does work during which an app that handles one request after the other handles none.
pub(crate) async fn block(app: &Shared, work: impl Future<Output = ()>) {
    let _turn = app.memory.turn.lock().await;
    work.await;
}
