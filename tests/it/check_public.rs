//! Tests that checks in a running emulator find out which addresses the app names before the emulator calls any, and never
//! let it call a public one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Form;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, post};
use fauxfax::check::{self, Options, Profile, RunError, Verdict};
use fauxfax::{Account, Emulator};

use crate::apps::{self, App};
use crate::check::{NUMBER, checked, endpoint, get, options};

/// An address of a public network in which there are no hosts.
const PUBLIC: &str = "http://203.0.113.7/received";

/// The path and the form of a request.
type Sent = (String, Vec<(String, String)>);

/// Starts an emulator that would call public addresses.
async fn started() -> (Emulator, Account) {
    let emulator = Emulator::builder().start().await.expect("it starts");
    let account = emulator.account().expect("an account");
    account.number(NUMBER).expect("a number");
    (emulator, account)
}

fn receive(action: &str) -> Response {
    let twiml = format!("<Response><Receive action=\"{action}\"/></Response>");
    ([(header::CONTENT_TYPE, "text/xml")], twiml).into_response()
}

/// Starts an app whose TwiML names this action, and which redirects away from the paths that say so.
async fn app(action: &'static str) -> App {
    let routes = Router::new()
        .route("/fax", any(async move || receive(action)))
        .route("/moved", post(async || Redirect::temporary("/hop")))
        .route("/hop", post(async || Redirect::to(PUBLIC)))
        .route("/received", any(async || ()))
        .route("/gone", any(async || Redirect::temporary(PUBLIC)));
    apps::routed(routes).await
}

/// Returns the URLs that the emulator has called.
async fn called(emulator: &Emulator, account: &Account) -> Vec<String> {
    let events = get(emulator, "/events", account).await;
    let events = events["events"].as_array().expect("a list").clone();
    let attempts = events.iter().filter(|event| event["kind"] == "webhook.attempt");
    attempts.map(|event| event["data"]["url"].to_string()).collect()
}

async fn refusal(emulator: &Emulator, options: Options) -> String {
    let ended = check::run(endpoint(emulator), options, &|_| (), std::future::pending()).await;
    match ended {
        Err(error @ RunError::Public(_)) => error.to_string(),
        ended => panic!("not refused: {ended:?}"),
    }
}

#[tokio::test]
async fn an_app_that_leads_to_a_public_address_is_refused_before_the_emulator_calls_anything() {
    let (emulator, account) = started().await;
    for (path, action, told) in [
        ("/fax", PUBLIC, "the action in the app's TwiML leads to a public address"),
        ("/fax", "/gone", "the action in the app's TwiML leads to a public address"),
        ("/moved", "/received", "the app redirects the request for TwiML to a public address"),
    ] {
        let app = app(action).await;
        let error = refusal(&emulator, options(&account, &format!("{}{path}", app.url))).await;
        assert!(error.contains(told) && error.contains("203.0.113.7"), "{path} {action}: {error}");
        assert!(error.contains("--i-own-this-host"), "{error}");
        assert_eq!(called(&emulator, &account).await, Vec::<String>::new(), "{path} {action}");
        assert_eq!(get(&emulator, "/clock", &account).await["mode"], "running", "everything was put back");
    }
}

#[tokio::test]
async fn every_address_that_the_emulator_would_notify_is_known_beforehand() {
    let (emulator, account) = started().await;
    let app = app("").await;
    let (fax, gone) = (format!("{}/fax", app.url), Some(format!("{}/gone", app.url)));
    let outbound = Options { profiles: vec![Profile::Outbound], ..options(&account, &fax) };
    for (options, told) in [
        (Options { action: gone.clone(), ..options(&account, &fax) }, "the address of --action"),
        (Options { status_callback: gone, ..outbound }, "the address of --status-callback"),
    ] {
        let error = refusal(&emulator, options).await;
        assert!(error.contains(told) && error.contains("203.0.113.7"), "{error}");
    }
    // Without an action, the number's own StatusCallback is notified.
    let number = account.number(NUMBER).expect("a number");
    let change = fauxfax::model::number::NumberChange { status_callback: Some(PUBLIC.into()), ..Default::default() };
    number.changed(change).expect("changed");
    let error = refusal(&emulator, options(&account, &fax)).await;
    assert!(error.contains("the StatusCallback of the number"), "{error}");
    assert_eq!(called(&emulator, &account).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_app_that_names_a_public_address_only_later_stops_the_run() {
    let (emulator, account) = {
        let emulator = Emulator::builder().configure(|config| config.private_apps_only = true).start().await;
        let emulator = emulator.expect("it starts");
        let account = emulator.account().expect("an account");
        account.number(NUMBER).expect("a number");
        (emulator, account)
    };
    let asked = Arc::new(AtomicUsize::new(0));
    let twiml = move || {
        let is_first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        async move { receive(if is_first { "/received" } else { PUBLIC }) }
    };
    let app = apps::routed(Router::new().route("/fax", post(twiml)).route("/received", post(async || ()))).await;
    let report = checked(&emulator, options(&account, &format!("{}/fax", app.url))).await;
    assert!(report.results.iter().all(|result| result.verdict == Verdict::NotJudged), "{:#}", report.json());
    assert!(report.results[0].seen.contains("redirects to another host"), "{}", report.results[0].seen);
    assert!(report.requests <= 6, "{} requests", report.requests);
}

#[tokio::test]
async fn the_first_request_has_the_parameters_of_the_others_but_is_about_a_fax_of_its_own() {
    let (emulator, account) = started().await;
    let forms: Arc<Mutex<Vec<Sent>>> = Arc::default();
    let kept = |path: &'static str| {
        let forms = Arc::clone(&forms);
        post(async move |Form(form): Form<Vec<(String, String)>>| {
            forms.lock().expect("not poisoned").push((path.to_owned(), form));
            receive("/received")
        })
    };
    let app = apps::routed(Router::new().route("/fax", kept("/fax")).route("/received", kept("/received"))).await;
    let mut options = options(&account, &format!("{}/fax", app.url));
    options.checks.retain(|check| check.id == "twiml");
    checked(&emulator, options).await;
    let forms = forms.lock().expect("not poisoned").clone();
    let paths: Vec<&str> = forms.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/fax", "/received", "/fax", "/received"]);
    let names = |form: &[(String, String)]| form.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&forms[0].1), names(&forms[2].1));
    let value = |at: usize, name: &str| {
        let (_, form): &Sent = &forms[at];
        form.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone())
    };
    let faxes: BTreeSet<Option<String>> = (0..4).map(|at| value(at, "FaxSid")).collect();
    assert_eq!(faxes.len(), 2, "{faxes:?}");
    assert_eq!(value(0, "FaxSid"), value(1, "FaxSid"));
    for name in ["AccountSid", "To", "ApiVersion"] {
        assert_eq!(value(0, name), value(2, name), "{name}");
    }
    assert_eq!((value(1, "FaxStatus").as_deref(), value(1, "MediaUrl")), (Some("failed"), None), "no document is lost");
}
