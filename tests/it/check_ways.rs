//! Tests that the checks judge apps by what they do, whichever of several right ways they do it in: which method they want,
//! and when they record a fax.

use std::time::Duration;

use fauxfax::check::{Options, Profile, Verdict};
use fauxfax::model::number::NumberChange;
use fauxfax::model::webhook::Method;
use fauxfax::{Account, Emulator};

use crate::check::{NUMBER, checked, failed, options, setup, started, verdict};
use crate::checked_app::{CheckedApp, Fault, Habits};

/// The checks that can't judge an app over http that sends no faxes and has no page.
const NOT_JUDGED: [&str; 2] = ["tls", "escaped"];

async fn app(account: &Account, faults: &[Fault], habits: Habits) -> CheckedApp {
    CheckedApp::start_with(&account.sid().to_string(), &account.auth_token(), faults, habits).await
}

#[tokio::test]
async fn a_careful_app_that_wants_get_passes_every_check() {
    let (emulator, account) = started().await;
    let app = app(&account, &[], Habits { takes_get: true, ..Habits::default() }).await;
    let number = account.number(NUMBER).expect("a number");
    let change = NumberChange { voice_method: Some(Method::Get), ..NumberChange::default() };
    number.changed(change).expect("changed");
    let options = Options { profiles: vec![Profile::Inbound], ..options(&account, &app.fax_url()) };
    let report = checked(&emulator, options).await;
    for result in report.results.iter().filter(|result| result.check.profiles.contains(&Profile::Inbound)) {
        let is_judged = !NOT_JUDGED.contains(&result.check.id);
        let expected = if is_judged { Verdict::Pass } else { Verdict::NotJudged };
        assert_eq!(result.verdict, expected, "{}: {}", result.check.id, result.seen);
    }
}

#[tokio::test]
async fn notifications_of_two_faxes_that_come_at_once_by_get_are_told_apart_from_one_that_comes_twice() {
    let (emulator, account) = started().await;
    let number = account.number(NUMBER).expect("a number");
    let change = NumberChange { voice_method: Some(Method::Get), ..NumberChange::default() };
    number.changed(change).expect("changed");
    let habits = Habits { takes_get: true, ..Habits::default() };
    let app = app(&account, &[Fault::LooksTooEarly], habits).await;
    let mut options = options(&account, &app.fax_url());
    options.limits.settle = Duration::from_secs(3);
    options.checks.retain(|check| check.id == "notified-twice");
    let report = checked(&emulator, options).await;
    assert_eq!(failed(&report), ["notified-twice"], "{:#}", report.json());
}

/// Returns a command that makes a SignalWire account send a fax, with its status callback by GET.
fn sends_with_get(emulator: &Emulator, account: &Account, app: &CheckedApp) -> String {
    let (sid, token, url) = (account.sid(), account.auth_token(), emulator.url());
    format!(
        "curl -fsS -u '{sid}:{token}' -d From=%2B15017122661 -d To=%2B15558675310 -d StatusCallbackMethod=GET \
         --data-urlencode 'StatusCallback={}/status' --data-urlencode 'MediaUrl={url}/_fauxfax/v1/samples/one-page.pdf' \
         '{url}/api/laml/2010-04-01/Accounts/{sid}/Faxes'",
        app.origin
    )
}

#[tokio::test]
async fn status_callbacks_by_get_are_judged_like_others() {
    let (emulator, _) = started().await;
    let account = emulator.account_as(setup("831455c6-574e-4d8b-b6ee-2418140bf4cd")).expect("an account");
    account.number(NUMBER).expect("a number");
    for (faults, expected) in [
        (&[][..], &[][..]),
        (&[Fault::TrustsNotices], &["signature-wrong", "signature-missing", "parameter-changed", "other-token"]),
    ] {
        let app = app(&account, faults, Habits { takes_get: true, ..Habits::default() }).await;
        let mut options = Options {
            profiles: vec![Profile::Outbound],
            send: Some(sends_with_get(&emulator, &account, &app)),
            ..options(&account, &app.fax_url())
        };
        let is_about_callbacks = |code: &str| code.starts_with(['S', 'D', 'F', 'C']);
        options.checks.retain(|check| check.profiles.contains(&Profile::Outbound) && is_about_callbacks(check.code));
        // These are about what the app does by itself, which a command can't show.
        options.checks.retain(|check| !["callback-lost", "api-refuses"].contains(&check.id));
        options.limits.work = Duration::from_millis(300);
        let report = checked(&emulator, options).await;
        assert_eq!(failed(&report), expected, "{:#}", report.json());
        if faults.is_empty() {
            for id in
                ["signature-wrong", "parameter-unknown", "port-in-url", "unknown-fax", "status-unknown", "canceled"]
            {
                let result = report.results.iter().find(|result| result.check.id == id).expect("the check");
                assert_eq!(result.verdict, Verdict::Pass, "{id}: {}", result.seen);
            }
        }
    }
}

#[tokio::test]
async fn a_second_record_is_seen_in_an_app_that_also_records_that_it_was_asked() {
    let (emulator, account) = started().await;
    let habits = Habits { records_calls: true, ..Habits::default() };
    for (faults, expected) in [
        (&[Fault::KeepsNothing][..], &[][..]),
        (&[Fault::KeepsNothing, Fault::ActsTwice], &["notified-twice", "asked-twice"]),
    ] {
        let app = app(&account, faults, habits).await;
        for page in ["records", "inbox"] {
            let probe = Some(format!("{}/{page}", app.origin));
            let mut options = Options { probe, ..options(&account, &app.fax_url()) };
            options.checks.retain(|check| ["D1", "D2"].contains(&check.code));
            options.limits.work = Duration::from_millis(500);
            let report = checked(&emulator, options).await;
            assert_eq!(failed(&report), expected, "{page}: {:#}", report.json());
            if expected.is_empty() {
                assert_eq!(verdict(&report, "notified-twice"), Verdict::Pass, "{page}: {:#}", report.json());
            }
        }
    }
}

#[tokio::test]
async fn that_the_run_itself_sends_a_fax_is_nothing_that_the_app_does() {
    let (emulator, account) = started().await;
    let app = app(&account, &[Fault::KeepsNothing], Habits::default()).await;
    let callback = Some(format!("{}/status", app.origin));
    let mut options = Options { status_callback: callback, ..options(&account, &app.fax_url()) };
    options.profiles = vec![Profile::Outbound];
    options.checks.retain(|check| check.code == "D1");
    let report = checked(&emulator, options).await;
    let result = &report.results[0];
    assert_eq!(result.verdict, Verdict::NotJudged, "{}", result.seen);
    assert!(result.seen.contains("did nothing that can be seen"), "{}", result.seen);
}
