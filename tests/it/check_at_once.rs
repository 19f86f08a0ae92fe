//! Tests that an account has one run of the checks at a time, however and in whatever order runs begin.

use std::time::Duration;

use fauxfax::Emulator;
use fauxfax::check::{self, Options, Progress, Report, RunError, list};
use serde_json::json;
use tokio::sync::Notify;

use crate::apps::{self, Manner};
use crate::check::{endpoint, get, get_any, options, started};
use crate::check_api::call;
use crate::checked_app::CheckedApp;

/// Begins a run, and a second one while the first is under way, which is interrupted then. Returns how they ended.
async fn refused_meanwhile(
    emulator: &Emulator,
    order: &Options,
) -> (Result<Report, RunError>, Result<Report, RunError>) {
    let (begun, stop) = (Notify::new(), Notify::new());
    let progress = |_: Progress<'_>| begun.notify_one();
    let first = check::run(endpoint(emulator), order.clone(), &progress, stop.notified());
    let second = async {
        begun.notified().await;
        let second = check::run(endpoint(emulator), order.clone(), &|_| (), std::future::pending()).await;
        stop.notify_one();
        second
    };
    tokio::join!(first, second)
}

#[tokio::test]
async fn an_account_has_one_run_at_a_time() {
    let (emulator, account) = started().await;
    let app = apps::app(Manner::Hang).await;
    let mut order = options(&account, &format!("{}/fax", app.url));
    order.limits.late = Duration::from_millis(400);
    let (first, second) = refused_meanwhile(&emulator, &order).await;
    assert!(first.expect("it runs").interrupted);
    let error = second.expect_err("another run is under way").to_string();
    assert!(error.contains("fauxfax reset --snapshot fauxfax-check --account"), "{error}");
}

#[tokio::test]
async fn of_runs_that_begin_at_the_same_moment_only_one_gets_the_account() {
    let (emulator, account) = started().await;
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), &[]).await;
    let mut options = options(&account, &app.fax_url());
    options.checks.retain(|check| check.id == "twiml");
    // The ways to run the checks: as a command in another process does, through the library, and through the control
    // API.
    let outside = || check::run(endpoint(&emulator), options.clone(), &|_| (), std::future::pending());
    let library = account.check(&app.fax_url()).only(&["twiml"]);
    let order = json!({ "url": app.fax_url(), "only": ["twiml"] });
    let http = call(&emulator, "POST", &account, order);
    let (one, other, library, http) = tokio::join!(outside(), outside(), async { library.await }, http);
    let refused = |ended: &Result<Report, RunError>| matches!(ended, Err(RunError::UnderWay { .. }));
    let is_refusal = |error: &fauxfax::Error| error.to_string().contains("other checks are running in account");
    let runs = [one.is_ok(), other.is_ok(), library.is_ok(), http.0 == 200];
    assert_eq!(runs.iter().filter(|has_run| **has_run).count(), 1, "{runs:?}");
    assert!(one.is_ok() || refused(&one), "{one:?}");
    assert!(other.is_ok() || refused(&other), "{other:?}");
    assert!(library.as_ref().map_or_else(is_refusal, |_| true), "{library:?}");
    assert!(http.0 == 200 || http.1["type"] == "urn:fauxfax:problem:check-running", "{}", http.1);
    assert_eq!(get(&emulator, "/snapshots", &account).await, json!({ "snapshots": [] }));
    assert_eq!(get(&emulator, "/clock", &account).await["mode"], "running");
}

#[tokio::test]
async fn a_run_that_makes_its_account_has_it_for_itself_too() {
    let (emulator, _) = started().await;
    let sid = format!("AC{}", "6".repeat(32));
    let app = apps::app(Manner::Hang).await;
    let mut order = Options::new(&format!("{}/fax", app.url), list::all().collect());
    (order.account, order.auth_token) = (Some(sid.clone()), Some("secret".to_owned()));
    order.limits.late = Duration::from_millis(400);
    let (first, second) = refused_meanwhile(&emulator, &order).await;
    assert!(first.expect("it runs").interrupted);
    assert!(matches!(second, Err(RunError::UnderWay { .. })), "{second:?}");
    let accounts = get_any(&emulator, "/accounts").await.to_string();
    assert!(!accounts.contains(&sid), "the run has removed the account that it made: {accounts}");
}
