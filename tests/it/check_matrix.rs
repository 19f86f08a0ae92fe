//! Runs all checks against a careful app and against one careless app for each fault, and compares which checks fail.

use std::collections::BTreeSet;
use std::time::Duration;

use fauxfax::ClientOptions;
use fauxfax::Emulator;
use fauxfax::check::{Limits, Options, Report, Verdict, list};
use fauxfax::client::Endpoint;
use fauxfax::config::TrustedCa;
use futures_util::stream::{self, StreamExt};

use crate::checked_app::{CheckedApp, Fault};
use crate::checked_tls::trusted;

const NUMBER: &str = "+15017122661";
/// The number of apps that are checked at the same time. It may exceed the number of processors, since a run mostly
/// waits.
const APPS_AT_ONCE: usize = 8;

/// Each fault, and exactly those checks that fail or warn because of it. A new group of checks adds its faults here; each
/// check must fail or warn because of at least one fault.
const MATRIX: [(Fault, &[&str]); 56] = [
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
            "media-once",
        ],
    ),
    (Fault::WantsOnePort, &["port-in-url"]),
    (Fault::HasFixedList, &["parameter-unknown"]),
    (Fault::Trims, &["parameter-blank"]),
    (Fault::WantsOrder, &["order-and-case"]),
    (Fault::IgnoresQuery, &["query-string", "long-urls"]),
    (Fault::ActsTwice, &["replayed", "notified-twice"]),
    (Fault::ServesGet, &["get-unsigned"]),
    (Fault::ShowsTraces, &["no-leak"]),
    (Fault::IgnoresProxy, &["proxy-scheme", "proxy-host", "proxy-port"]),
    (Fault::KnowsAsciiOnly, &["station-id"]),
    (Fault::KnowsNumbersOnly, &["odd-callers"]),
    (Fault::KnowsShortFaxesOnly, &["many-pages"]),
    (Fault::CutsDownloads, &["many-pages"]),
    // The check `long-urls` names a sample document instead of a fax, so the app fails for it as well.
    (
        Fault::KnowsOneResolution,
        &["resolutions", "media-once", "long-urls", "notified-late", "media-gone", "media-slow"],
    ),
    (Fault::DividesByPages, &["zero-pages"]),
    (Fault::HasShortColumns, &["long-urls"]),
    (Fault::EscapesNothing, &["escaped"]),
    (Fault::NamesNoAgent, &["media-user-agent"]),
    (Fault::DownloadsFirst, &["media-once", "media-slow"]),
    (Fault::KeepsNothing, &["media-once"]),
    (Fault::IgnoresRedirects, &["media-redirect"]),
    (Fault::DeletesNothing, &["media-deleted"]),
    (Fault::SendsBlindly, &["send-callback"]),
    (Fault::TrustsEveryHost, &["media-host"]),
    (Fault::SpeaksOldTls, &["tls"]),
    (Fault::FailsForGet, &["get-unsigned", "other-method"]),
    (Fault::FailsForHead, &["head-and-options"]),
    (Fault::LooksTooEarly, &["notified-twice"]),
    (Fault::RefusesRepeats, &["asked-twice"]),
    (Fault::OverwritesStatus, &["out-of-order"]),
    (Fault::FailsWithoutDocument, &["notified-late", "media-gone", "media-slow", "media-once"]),
    (Fault::FailsForUnknownFax, &["unknown-fax"]),
    (Fault::NeverAsks, &["callback-lost"]),
    (Fault::IsSlowForMany, &["burst"]),
    (Fault::NeedsDocument, &["received-failed"]),
    (Fault::RetriesForever, &["sent-failed"]),
    (Fault::FailsForCanceled, &["canceled"]),
    (Fault::KnowsAllStatuses, &["status-unknown"]),
    (Fault::BlocksForDownloads, &["media-slow", "media-once"]),
    (Fault::KeepsHalf, &["media-cut"]),
    (Fault::IgnoresRefusals, &["api-refuses"]),
    (Fault::HammersApi, &["api-refuses"]),
    (Fault::RecordsFirst, &["signature-missing"]),
];

/// The faults that make an app do something that it should not do.
const ACTIVE: [Fault; 4] = [Fault::ActsTwice, Fault::TrustsEveryHost, Fault::LooksTooEarly, Fault::RetriesForever];
/// The faults that make an app omit something that it should do.
const IDLE: [Fault; 8] = [
    Fault::KeepsNothing,
    Fault::IgnoresRedirects,
    Fault::DeletesNothing,
    Fault::NamesNoAgent,
    Fault::OverwritesStatus,
    Fault::NeverAsks,
    Fault::KeepsHalf,
    Fault::IgnoresRefusals,
];
/// The faults of apps whose responses wait for downloads.
const WAITING: [Fault; 5] = [
    Fault::ActsFirst,
    Fault::DownloadsFirst,
    Fault::KnowsOneResolution,
    Fault::FailsWithoutDocument,
    Fault::BlocksForDownloads,
];
/// The faults that show only in faxes that the app sends itself.
const SENDING: [Fault; 5] =
    [Fault::SendsBlindly, Fault::NeverAsks, Fault::RetriesForever, Fault::IgnoresRefusals, Fault::HammersApi];

/// Starts an emulator that trusts the apps' certificates.
async fn started() -> Emulator {
    let trusted = TrustedCa { path: "apps.pem".into(), pem: trusted().into_bytes() };
    Emulator::builder().configure(|config| config.trust_ca.push(trusted)).start().await.expect("it starts")
}

/// How an app is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// Checks an app with these faults in an account of its own.
async fn checked(emulator: &Emulator, scheme: Scheme, faults: &[Fault]) -> Report {
    let account = emulator.account().expect("an account");
    account.number(NUMBER).expect("a number");
    let (sid, token) = (account.sid().to_string(), account.auth_token());
    let app = match scheme {
        Scheme::Http => CheckedApp::start(&sid, &token, faults).await,
        Scheme::Https => CheckedApp::start_tls(&sid, &token, faults).await,
    };
    let has = |some: &[Fault]| some.iter().any(|fault| faults.contains(fault));
    // `probe` and `send` cost time, so they are given only for the faults that need them.
    let page = match faults {
        [] | [Fault::EscapesNothing] => Some("inbox"),
        [Fault::OverwritesStatus | Fault::RecordsFirst] => Some("records"),
        _ => None,
    };
    let sends = faults.is_empty() || has(&SENDING);
    let options = Options {
        account: Some(sid),
        status_callback: Some(format!("{}/status", app.origin)),
        probe: page.map(|page| format!("{}/{page}", app.origin)),
        send: sends.then(|| format!("curl -fsSk -X POST '{}/send?api={}'", app.origin, emulator.url())),
        client: ClientOptions { trust_ca: vec![trusted().into_bytes()], ..ClientOptions::default() },
        limits: limits(faults),
        ..Options::new(&app.fax_url(), list::all().collect())
    };
    let endpoint = Endpoint { url: emulator.url().parse().expect("a URL"), address: None, control_token: None };
    fauxfax::check::run(endpoint, options, &|_| (), std::future::pending()).await.expect("it runs")
}

/// Returns time limits that fit an app with these faults. A run always waits for the whole of `settle`, so it is long only if
/// the app does something meanwhile that it should not do. A run waits for the whole of `work` only if the app omits
/// something that it should do, so only then is it short.
fn limits(faults: &[Fault]) -> Limits {
    let has = |some: &[Fault]| some.iter().any(|fault| faults.contains(fault));
    let slow_ms = if has(&[Fault::IsSlow]) { 0 } else { 5_000 };
    Limits {
        slow: Duration::from_millis(if has(&WAITING) { 1_000 } else { slow_ms }),
        late: if has(&[Fault::Hangs]) { Duration::from_millis(400) } else { Limits::LATE },
        settle: Duration::from_millis(if has(&ACTIVE) { 3_000 } else { 100 }),
        work: Duration::from_secs(if has(&IDLE) { 4 } else { 30 }),
        burst: Duration::from_millis(if has(&[Fault::IsSlowForMany]) { 300 } else { 15_000 }),
        close: Duration::from_millis(if has(&[Fault::KeepsOpen]) { 200 } else { 3_000 }),
        long_fax_pages: 3,
        ..Limits::default()
    }
}

fn failed(report: &Report) -> BTreeSet<&'static str> {
    report.results.iter().filter(|result| result.wants_a_change()).map(|result| result.check.id).collect()
}

#[tokio::test]
async fn a_careful_app_passes_every_check() {
    let emulator = started().await;
    for (scheme, not_judged) in
        [(Scheme::Http, &["tls"][..]), (Scheme::Https, &["proxy-scheme", "proxy-host", "proxy-port"])]
    {
        let report = checked(&emulator, scheme, &[]).await;
        for result in &report.results {
            let is_judged = !not_judged.contains(&result.check.id);
            let expected = if is_judged { Verdict::Pass } else { Verdict::NotJudged };
            assert_eq!(result.verdict, expected, "{scheme:?} {}: {}", result.check.id, result.seen);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_makes_exactly_the_expected_checks_fail() {
    let emulator = started().await;
    let emulator = &emulator;
    // The longest runs come first, so that none of them is still going on alone at the end.
    let mut rows = MATRIX;
    rows.sort_by_key(|(fault, _)| !(ACTIVE.contains(fault) || IDLE.contains(fault)));
    let each = stream::iter(rows).map(async |(fault, expected)| {
        let scheme = if fault == Fault::SpeaksOldTls { Scheme::Https } else { Scheme::Http };
        let report = checked(emulator, scheme, &[fault]).await;
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
