//! Tests the reasons that checks give if an option is missing, or if the emulator accepts what other callers of the app would
//! not accept.

use std::time::Duration;

use fauxfax::check::{self, CheckResult, Limits, Options, Verdict, list};
use fauxfax::client::Endpoint;
use fauxfax::model::number::NumberChange;
use fauxfax::model::webhook::Method;
use fauxfax::{Account, Emulator};

use crate::checked_app::{CheckedApp, Fault};

const NUMBER: &str = "+15017122661";

async fn started(accepts_any_certificate: bool) -> (Emulator, Account) {
    let emulator =
        Emulator::builder().configure(|config| config.insecure_webhooks = accepts_any_certificate).start().await;
    let emulator = emulator.expect("it starts");
    let account = emulator.account().expect("an account");
    account.number(NUMBER).expect("a number");
    (emulator, account)
}

/// Runs one check of an app, with the options that `change` makes of the usual ones.
async fn result(
    (emulator, account): &(Emulator, Account),
    app: &CheckedApp,
    id: &str,
    change: impl FnOnce(&mut Options),
) -> CheckResult {
    let mut options = Options::new(&app.fax_url(), vec![list::find(id).expect("a check")]);
    options.account = Some(account.sid().to_string());
    change(&mut options);
    let endpoint = Endpoint { url: emulator.url().parse().expect("a URL"), address: None, control_token: None };
    let report = check::run(endpoint, options, &|_| (), std::future::pending()).await.expect("it runs");
    report.results.into_iter().next().expect("a result")
}

async fn app(account: &Account, faults: &[Fault]) -> CheckedApp {
    CheckedApp::start(&account.sid().to_string(), &account.auth_token(), faults).await
}

#[tokio::test]
async fn a_certificate_that_only_the_emulator_accepts_is_worth_a_warning() {
    let place = started(true).await;
    let (sid, token) = (place.1.sid().to_string(), place.1.auth_token());
    let app = CheckedApp::start_tls(&sid, &token, &[]).await;
    for insecure in [false, true] {
        let result = result(&place, &app, "tls", |options| options.client.insecure = insecure).await;
        assert_eq!(result.verdict, Verdict::Warn, "{}", result.seen);
        assert!(
            result.seen.starts_with("the emulator accepts the app's certificate, but others don't: "),
            "{}",
            result.seen
        );
    }
}

#[tokio::test]
async fn a_check_that_needs_an_option_names_it() {
    let place = started(false).await;
    let app = app(&place.1, &[]).await;
    for (id, page, expected) in [
        ("escaped", None, "name a page that lists the received faxes with --probe"),
        (
            "escaped",
            Some("/records"),
            "the page of --probe is application/json, in which nothing has to be escaped; name one in HTML",
        ),
        ("send-callback", None, "give a command that makes the app send a fax with --send"),
        ("tls", None, "the app is called over http"),
    ] {
        let probe = page.map(|page| format!("{}{page}", app.origin));
        let result = result(&place, &app, id, |options| options.probe = probe).await;
        assert_eq!((result.verdict, result.seen.as_str()), (Verdict::NotJudged, expected));
    }
}

#[tokio::test]
async fn an_app_that_downloads_nothing_is_judged_by_its_responses_alone() {
    let place = started(false).await;
    let app = app(&place.1, &[Fault::KeepsNothing]).await;
    let limits = Limits { work: Duration::from_millis(300), long_fax_pages: 2, ..Limits::default() };
    for (id, verdict, expected) in [
        ("media-once", Verdict::Warn, "the app had not downloaded the document 0.3 s after the notification"),
        (
            "media-user-agent",
            Verdict::NotJudged,
            "if it downloads only from hosts that it knows, let it know http://127.0.0.1:",
        ),
        ("media-redirect", Verdict::NotJudged, "the app did not download the first fax's document within 0.3 s"),
        ("many-pages", Verdict::Pass, "the app accepted a fax of 2 pages; it downloads no documents"),
    ] {
        let result = result(&place, &app, id, |options| options.limits = limits).await;
        assert_eq!(result.verdict, verdict, "{id}: {}", result.seen);
        assert!(result.seen.contains(expected), "{id}: {}", result.seen);
    }
}

#[tokio::test]
async fn an_app_that_is_asked_with_get_is_tried_with_post() {
    let place = started(false).await;
    let (sid, token) = (place.1.sid().to_string(), place.1.auth_token());
    let app = CheckedApp::start(&sid, &token, &[Fault::ServesGet]).await;
    let number = place.1.number(NUMBER).expect("a number");
    let change = NumberChange { voice_method: Some(Method::Get), ..NumberChange::default() };
    number.fax_url(&app.fax_url()).expect("changed").changed(change).expect("changed");
    let result = result(&place, &app, "other-method", |_| ()).await;
    assert_eq!((result.verdict, result.seen.as_str()), (Verdict::Pass, "the app accepts POST, too"));
}
