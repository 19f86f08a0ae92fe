//! The part of the app in `checked_app` that receives faxes: what it fails over, whether it acts on a notification once, and
//! how it downloads documents.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{StatusCode, Uri};
use fauxfax::dialect::form::Form;
use fauxfax::io::client::{Limits, Request};
use fauxfax::model::webhook::Method;

use crate::checked_app::{Fault, Shared};
use crate::checked_sender::{STATUSES, pause};

/// The time for which an app that looks too early has not stored yet that it acts.
const UNSTORED: Duration = Duration::from_millis(50);
/// The time that a request takes in an app that handles one after the other.
const ONE_AT_A_TIME: Duration = Duration::from_millis(30);
/// The number of times that the app tries to download a document.
const DOWNLOADS_MAX: usize = 3;

/// What the app has done so far.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// The faxes for which the app was asked.
    asked: Mutex<BTreeSet<String>>,
    /// The faxes that the app has acted on, once for each time.
    handled: Mutex<Vec<String>>,
    /// The place of those who wait for the one at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Inbox {
    pub(crate) fn handled(&self) -> Vec<String> {
        self.handled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn handle(&self, fax: &str) {
        self.handled.lock().unwrap_or_else(PoisonError::into_inner).push(fax.to_owned());
    }
}

/// Returns the response of an app that fails over a rare but right request.
pub(crate) fn refusal(app: &Shared, uri: &Uri, form: &Form) -> Option<StatusCode> {
    let get = |name: &str| form.get(name).unwrap_or_default();
    let mut asked = app.inbox.asked.lock().unwrap_or_else(PoisonError::into_inner);
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
        let _turn = app.inbox.turn.lock().await;
        pause(ONE_AT_A_TIME).await;
    }
    if app.has(Fault::BlocksForDownloads) {
        drop(app.inbox.turn.lock().await);
    }
}

/// Handles the notification of a received fax.
pub(crate) async fn receive(app: &Arc<Shared>, form: &Form) -> StatusCode {
    let get = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let (fax, media) = (get("FaxSid"), get("MediaUrl"));
    let is_known = app.inbox.handled().contains(&fax);
    if is_known && !app.has(Fault::ActsTwice) {
        return StatusCode::NO_CONTENT;
    }
    if app.has(Fault::LooksTooEarly) {
        pause(UNSTORED).await;
    }
    app.inbox.handle(&fax);
    if media.is_empty() {
        return StatusCode::NO_CONTENT;
    }
    if app.has(Fault::BlocksForDownloads) {
        let _turn = app.inbox.turn.lock().await;
        download(app, &media).await;
    } else if app.has(Fault::FailsWithoutDocument) {
        if !download(app, &media).await {
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
    } else {
        let keeper = Arc::clone(app);
        app.in_background(async move {
            download(&keeper, &media).await;
        });
    }
    StatusCode::NO_CONTENT
}

/// Downloads a document. Tries again if the connection closes before its end, but not if it is refused.
pub(crate) async fn download(app: &Shared, url: &str) -> bool {
    for _ in 0..DOWNLOADS_MAX {
        let request = Request {
            method: Method::Get,
            url,
            body: None,
            cookies: &[],
            limits: Limits::default(),
            redirects_max: 5,
            body_max_bytes: u64::MAX,
            user_agent: "checked-app/1.0",
            headers: &|_| Vec::new(),
            edits: None,
            here: None,
        };
        let exchange = app.client.exchange(request).await;
        let is_whole = exchange.failure.is_none();
        match exchange.answer {
            Some(answer) if is_whole => return answer.status == 200,
            _ if app.has(Fault::KeepsHalf) => return true,
            _ => {}
        }
    }
    false
}
