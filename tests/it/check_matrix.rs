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
const MATRIX: [(Fault, &[&str]); 37] = [
    (Fault::IsDown, &["reachable"]),
    (Fault::Hangs, &["twiml", "in-time"]),
    (Fault::IsSlow, &["in-time", "media-slow"]),
    (Fault::GivesHtml, &["twiml"]),
    (Fault::NamesTwimlHtml, &["twiml"]),
    (Fault::FailsInAction, &["action-reachable"]),
    (Fault::HasByteOrderMark, &["clean-xml"]),
    (Fault::Redirects, &["no-redirect"]),
    (Fault::KeepsOpen, &["connection-close"]),
    (Fault::VerifiesNothing, &["signature-wrong", "signature-missing", "parameter-changed", "other-token"]),
    (Fault::AllowsMissing, &["signature-missing"]),
    (Fault::TrustsNotices, &["signature-wrong", "signature-missing", "parameter-changed", "other-token"]),
    (
        Fault::ActsFirst,
        &[
            "signature-wrong",
            "signature-missing",
            "parameter-changed",
            "other-token",
            "replayed",
            "notified-twice",
            "media-slow",
        ],
    ),
    (Fault::WantsOnePort, &["port-in-url"]),
    (Fault::HasFixedList, &["parameter-unknown"]),
    (Fault::Trims, &["parameter-blank"]),
    (Fault::WantsOrder, &["order-and-case"]),
    (Fault::IgnoresQuery, &["query-string"]),
    (Fault::ActsTwice, &["replayed", "notified-twice"]),
    (Fault::ServesGet, &["get-unsigned"]),
    (Fault::ShowsTraces, &["no-leak"]),
    (Fault::IgnoresProxy, &["proxy-scheme", "proxy-host", "proxy-port"]),
    (Fault::LooksTooEarly, &["notified-twice"]),
    (Fault::RefusesRepeats, &["asked-twice"]),
    (Fault::OverwritesStatus, &["out-of-order"]),
    (Fault::FailsWithoutDocument, &["notified-late", "media-gone", "media-slow"]),
    (Fault::FailsForUnknownFax, &["unknown-fax"]),
    (Fault::NeverAsks, &["callback-lost"]),
    (Fault::IsSlowForMany, &["burst"]),
    (Fault::NeedsDocument, &["received-failed"]),
    (Fault::RetriesForever, &["sent-failed"]),
    (Fault::FailsForCanceled, &["canceled"]),
    (Fault::KnowsAllStatuses, &["status-unknown"]),
    (Fault::BlocksForDownloads, &["media-slow"]),
    (Fault::KeepsHalf, &["media-cut"]),
    (Fault::IgnoresRefusals, &["api-refuses"]),
    (Fault::HammersApi, &["api-refuses"]),
];

/// Checks an app with these faults in an account of its own.
async fn checked(emulator: &Emulator, faults: &[Fault]) -> Report {
    let account = emulator.account().expect("an account");
    account.number("+15017122661").expect("a number");
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), faults).await;
    let has = |some: &[Fault]| some.iter().any(|fault| faults.contains(fault));
    // What an app should not do must have come before the time limit, what it should do has all the time that it needs, and a
    // fault that shows only in something that the app does not do costs the whole limit.
    let acts_too_much = has(&[Fault::ActsTwice, Fault::LooksTooEarly, Fault::RetriesForever]);
    let does_too_little = has(&[Fault::OverwritesStatus, Fault::NeverAsks, Fault::KeepsHalf, Fault::IgnoresRefusals]);
    let waits_for_downloads = has(&[Fault::ActsFirst, Fault::FailsWithoutDocument, Fault::BlocksForDownloads]);
    let slow_ms = if has(&[Fault::IsSlow]) { 0 } else { 5_000 };
    let limits = Limits {
        slow: Duration::from_millis(if waits_for_downloads { 1_000 } else { slow_ms }),
        late: if has(&[Fault::Hangs]) { Duration::from_millis(400) } else { Limits::LATE },
        settle: Duration::from_millis(if acts_too_much { 3_000 } else { 100 }),
        work: Duration::from_secs(if does_too_little { 4 } else { 30 }),
        burst: Duration::from_millis(if has(&[Fault::IsSlowForMany]) { 300 } else { 15_000 }),
        close: Duration::from_millis(if has(&[Fault::KeepsOpen]) { 200 } else { 3_000 }),
        ..Limits::default()
    };
    // Both options cost time, so only the faults that show with them get them.
    let is_shown = faults.is_empty() || has(&[Fault::OverwritesStatus]);
    let sends = is_shown || has(&[Fault::NeverAsks, Fault::RetriesForever, Fault::IgnoresRefusals, Fault::HammersApi]);
    let options = Options {
        account: Some(account.sid().to_string()),
        status_callback: Some(format!("{}/status", app.origin)),
        probe: is_shown.then(|| format!("{}/records", app.origin)),
        send: sends.then(|| format!("curl -fsS -X POST '{}/send?api={}'", app.origin, emulator.url())),
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
