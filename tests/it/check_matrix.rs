//! Runs all checks against a careful app and against one careless app for each fault, and compares which checks fail.

use std::collections::BTreeSet;
use std::time::Duration;

use fauxfax::Emulator;
use fauxfax::check::{Endpoint, Limits, Options, Report, Verdict, list};
use futures_util::stream::{self, StreamExt};

use crate::checked_app::{CheckedApp, Fault};

/// The number of apps that are checked at the same time.
const APPS_AT_ONCE: usize = 4;

/// Each fault, the checks that fail or warn because of it, and no others. A new group of checks adds its faults here; a
/// check that no fault makes fail is an error.
const MATRIX: [(Fault, &[&str]); 22] = [
    (Fault::IsDown, &["reachable"]),
    (Fault::Hangs, &["twiml", "in-time"]),
    (Fault::IsSlow, &["in-time"]),
    (Fault::GivesHtml, &["twiml"]),
    (Fault::NamesTwimlHtml, &["twiml"]),
    (Fault::FailsInAction, &["action-reachable"]),
    (Fault::HasByteOrderMark, &["clean-xml"]),
    (Fault::Redirects, &["no-redirect"]),
    (Fault::KeepsOpen, &["connection-close"]),
    (Fault::VerifiesNothing, &["signature-wrong", "signature-missing", "parameter-changed", "other-token"]),
    (Fault::AllowsMissing, &["signature-missing"]),
    (Fault::TrustsNotices, &["signature-wrong", "signature-missing", "parameter-changed", "other-token"]),
    (Fault::ActsFirst, &["signature-wrong", "signature-missing", "parameter-changed", "other-token", "replayed"]),
    (Fault::WantsOnePort, &["port-in-url"]),
    (Fault::HasFixedList, &["parameter-unknown"]),
    (Fault::Trims, &["parameter-blank"]),
    (Fault::WantsOrder, &["order-and-case"]),
    (Fault::IgnoresQuery, &["query-string"]),
    (Fault::ActsTwice, &["replayed"]),
    (Fault::ServesGet, &["get-unsigned"]),
    (Fault::ShowsTraces, &["no-leak"]),
    (Fault::IgnoresProxy, &["proxy-scheme", "proxy-host", "proxy-port"]),
];

/// Checks an app with these faults in an account of its own.
async fn checked(emulator: &Emulator, faults: &[Fault]) -> Report {
    let account = emulator.account().expect("an account");
    account.number("+15017122661").expect("a number");
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), faults).await;
    let limits = Limits {
        slow: Duration::from_secs(if faults.contains(&Fault::IsSlow) { 0 } else { 5 }),
        late: if faults.contains(&Fault::Hangs) { Duration::from_millis(400) } else { Limits::LATE },
        settle: Duration::from_millis(if faults.contains(&Fault::ActsTwice) { 3_000 } else { 100 }),
        close: Duration::from_millis(if faults.contains(&Fault::KeepsOpen) { 200 } else { 3_000 }),
        ..Limits::default()
    };
    let options = Options {
        account: Some(account.sid().to_string()),
        status_callback: Some(format!("{}/status", app.origin)),
        limits,
        ..Options::new(&app.fax_url(), list::all().collect())
    };
    let endpoint = Endpoint { url: emulator.url().parse().expect("a URL"), control_token: None };
    fauxfax::check::run(endpoint, options, &|_| (), std::future::pending()).await.expect("it runs")
}

fn failed(report: &Report) -> BTreeSet<&'static str> {
    report.results.iter().filter(|result| result.wants_a_change()).map(|result| result.check.id).collect()
}

#[tokio::test]
async fn a_careful_app_passes_every_check() {
    let emulator = Emulator::builder().start().await.expect("it starts");
    let report = checked(&emulator, &[]).await;
    for result in &report.results {
        assert_eq!(result.verdict, Verdict::Pass, "{}: {}", result.check.id, result.seen);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_makes_exactly_the_expected_checks_fail() {
    let emulator = Emulator::builder().start().await.expect("it starts");
    let emulator = &emulator;
    let each = stream::iter(MATRIX).map(async |(fault, expected)| {
        let report = checked(emulator, &[fault]).await;
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        let told = |id: &&str| {
            let result = report.results.iter().find(|result| result.check.id == *id);
            result.map(|result| format!("{id} {}: {}", result.verdict, result.seen)).unwrap_or_default()
        };
        let differing: Vec<String> = failed(&report).symmetric_difference(&expected).map(told).collect();
        (!differing.is_empty()).then(|| format!("{fault:?}:\n  {}", differing.join("\n  ")))
    });
    let differing: Vec<Option<String>> = each.buffer_unordered(APPS_AT_ONCE).collect().await;
    let differing: Vec<String> = differing.into_iter().flatten().collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn each_fault_is_in_the_matrix_and_each_check_has_a_fault() {
    let faults: BTreeSet<Fault> = MATRIX.iter().map(|(fault, _)| *fault).collect();
    assert_eq!(faults, Fault::ALL.into_iter().collect());
    let found: BTreeSet<&str> = MATRIX.iter().flat_map(|(_, checks)| checks.iter().copied()).collect();
    let checks: BTreeSet<&str> = list::all().map(|check| check.id).collect();
    assert_eq!(found, checks, "checks without a fault, or faults of checks that don't exist");
}
