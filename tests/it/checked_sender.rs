//! The part of the app in `checked_app` that sends faxes: how it calls the REST API, how it follows the status of a fax, and
//! what it does if it isn't notified.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{StatusCode, Uri};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use fauxfax::dialect::form::{self, Form};
use fauxfax::io::client::{Limits, Request, Response};
use fauxfax::model::webhook::Method;
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::checked_app::{Fault, Shared};

/// The number that the app sends from, and the one that it sends to.
const NUMBERS: (&str, &str) = ("+15017122661", "+15558675310");
/// The statuses that a fax can have at the service.
pub(crate) const STATUSES: [&str; 10] = [
    "queued",
    "processing",
    "sending",
    "delivered",
    "receiving",
    "received",
    "no-answer",
    "busy",
    "failed",
    "canceled",
];
/// The maximum number of times that the app tries to send a fax.
const ATTEMPTS_MAX: u32 = 3;
/// The same for an app with [`Fault::HammersApi`].
const ATTEMPTS_OF_HAMMER: u32 = 30;
/// The wait before the second attempt; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(20);
/// The interval at which the app asks the API for the status of a fax that has not ended.
const QUESTION_INTERVAL: Duration = Duration::from_millis(100);
/// The maximum number of times that it asks.
const QUESTIONS_MAX: usize = 100;

/// The faxes that the app has sent or heard of, with the status of each.
#[derive(Debug, Default)]
pub(crate) struct Sent(Mutex<BTreeMap<String, String>>);

impl Sent {
    pub(crate) fn all(&self) -> BTreeMap<String, String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_final(&self, fax: &str) -> bool {
        self.lock().get(fax).is_some_and(|status| is_final(status))
    }
}

fn is_final(status: &str) -> bool {
    matches!(status, "delivered" | "received" | "no-answer" | "busy" | "failed" | "canceled")
}

/// Sends a fax through the emulator that the query names.
pub(crate) async fn send(app: &Arc<Shared>, uri: &Uri) -> StatusCode {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let api = query.get("api").unwrap_or_default().to_owned();
    app.remember_api(&api);
    for attempt in 1..=ATTEMPTS_OF_HAMMER {
        let answer = create(app, &api).await;
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        if status == 201 || app.has(Fault::IgnoresRefusals) {
            return StatusCode::NO_CONTENT;
        }
        if app.has(Fault::HammersApi) {
            continue;
        }
        if status < 500 && status != 429 || attempt == ATTEMPTS_MAX {
            break;
        }
        let asked = answer.and_then(|answer| retry_after(&answer));
        pause(asked.unwrap_or(FIRST_WAIT * 2_u32.pow(attempt - 1))).await;
    }
    StatusCode::BAD_GATEWAY
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let found = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    found.and_then(|(_, value)| value.parse().ok()).map(Duration::from_secs)
}

/// Creates a fax with one call of the REST API, and follows its status in the background.
async fn create(app: &Arc<Shared>, api: &str) -> Option<Response> {
    let document = format!("{api}/_fauxfax/v1/samples/one-page.pdf");
    let callback = format!("{}/status", app.origin);
    let (from, to) = NUMBERS;
    let mut pairs = vec![("From", from), ("To", to), ("MediaUrl", document.as_str())];
    if !app.has(Fault::SendsBlindly) {
        pairs.push(("StatusCallback", &callback));
    }
    let answer = call(app, Method::Post, &format!("{api}/v1/Faxes"), Some(form::encode(&pairs))).await?;
    if answer.status == 201 {
        let fax = sid_and_status(&answer).0;
        app.sent.lock().entry(fax.clone()).or_insert_with(|| "queued".to_owned());
        if !app.has(Fault::NeverAsks) {
            app.in_background(look_after(Arc::clone(app), fax, api.to_owned()));
        }
    }
    Some(answer)
}

/// Asks for the status of a fax from time to time, until it has ended.
async fn look_after(app: Arc<Shared>, fax: String, api: String) {
    for _ in 0..QUESTIONS_MAX {
        pause(QUESTION_INTERVAL).await;
        if app.sent.is_final(&fax) {
            return;
        }
        let url = format!("{api}/v1/Faxes/{fax}");
        let Some(answer) = call(&app, Method::Get, &url, None).await.filter(|answer| answer.status == 200) else {
            return;
        };
        let status = sid_and_status(&answer).1;
        if is_final(&status) {
            app.sent.lock().insert(fax, status);
            return;
        }
    }
}

fn sid_and_status(answer: &Response) -> (String, String) {
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    (text("sid"), text("status"))
}

async fn call(app: &Shared, method: Method, url: &str, body: Option<String>) -> Option<Response> {
    let credential = BASE64_STANDARD.encode(format!("{}:{}", app.account, app.token));
    let request = Request {
        method,
        url,
        body: body.map(|body| ("application/x-www-form-urlencoded", Bytes::from(body))),
        cookies: &[],
        limits: Limits::default(),
        redirects_max: 0,
        body_max_bytes: u64::MAX,
        user_agent: "checked-app/1.0",
        headers: &|_| vec![("authorization".to_owned(), format!("Basic {credential}"))],
        edits: None,
        here: None,
    };
    app.client.exchange(request).await.answer
}

/// Handles a notification of the status of a fax.
pub(crate) fn notified(app: &Arc<Shared>, form: &Form) -> StatusCode {
    let get = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let (fax, status) = (get("FaxSid"), get("FaxStatus"));
    let is_failing = (status == "canceled" && app.has(Fault::FailsForCanceled))
        || (!STATUSES.contains(&status.as_str()) && app.has(Fault::KnowsAllStatuses));
    if is_failing {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    if !app.sent.is_final(&fax) || app.has(Fault::OverwritesStatus) {
        app.sent.lock().insert(fax, status.clone());
    }
    if app.has(Fault::RetriesForever) && matches!(status.as_str(), "busy" | "no-answer" | "failed") {
        let again = Arc::clone(app);
        app.in_background(async move {
            create(&again, &again.api()).await;
        });
    }
    StatusCode::NO_CONTENT
}

/// Waits for some real time.
pub(crate) async fn pause(span: Duration) {
    let mut pause = if span.is_zero() { interval(FIRST_WAIT) } else { interval_at(Instant::now() + span, span) };
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pause.tick().await;
}
