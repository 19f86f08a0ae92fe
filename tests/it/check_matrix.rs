//! Runs all checks against a careful app and against one careless app for each fault, and compares which checks fail.

use std::collections::BTreeSet;
use std::time::Duration;

use fauxfax::ClientOptions;
use fauxfax::Emulator;
use fauxfax::check::{Endpoint, Limits, Options, Report, Verdict, list};
use fauxfax::config::TrustedCa;
use futures_util::stream::{self, StreamExt};

use crate::checked_app::{CheckedApp, Fault};
use crate::checked_tls::trusted;

const FAUXFAX: &str = env!("CARGO_BIN_EXE_fauxfax");
const NUMBER: &str = "+15017122661";
/// The number of apps that are checked at the same time.
const APPS_AT_ONCE: usize = 4;

/// Each fault, the checks that fail or warn because of it, and no others. A new group of checks adds its faults here; a
/// check that no fault makes fail is an error.
const MATRIX: [(Fault, &[&str]); 40] = [
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
    (
        Fault::ActsFirst,
        &["signature-wrong", "signature-missing", "parameter-changed", "other-token", "replayed", "media-once"],
    ),
    (Fault::WantsOnePort, &["port-in-url"]),
    (Fault::HasFixedList, &["parameter-unknown"]),
    (Fault::Trims, &["parameter-blank"]),
    (Fault::WantsOrder, &["order-and-case"]),
    (Fault::IgnoresQuery, &["query-string", "long-urls"]),
    (Fault::ActsTwice, &["replayed"]),
    (Fault::ServesGet, &["get-unsigned"]),
    (Fault::ShowsTraces, &["no-leak"]),
    (Fault::IgnoresProxy, &["proxy-scheme", "proxy-host", "proxy-port"]),
    (Fault::KnowsAsciiOnly, &["station-id"]),
    (Fault::KnowsNumbersOnly, &["odd-callers"]),
    (Fault::KnowsShortFaxesOnly, &["many-pages"]),
    (Fault::CutsDownloads, &["many-pages"]),
    // The document with the long URL has no pages of a fax.
    (Fault::KnowsOneResolution, &["resolutions", "media-once", "long-urls"]),
    (Fault::DividesByPages, &["zero-pages"]),
    (Fault::HasShortColumns, &["long-urls"]),
    (Fault::EscapesNothing, &["escaped"]),
    (Fault::NamesNoAgent, &["media-user-agent"]),
    (Fault::DownloadsFirst, &["media-once"]),
    (Fault::KeepsNothing, &["media-once"]),
    (Fault::IgnoresRedirects, &["media-redirect"]),
    (Fault::DeletesNothing, &["media-deleted"]),
    (Fault::SendsBlindly, &["send-callback"]),
    (Fault::TrustsEveryHost, &["media-host"]),
    (Fault::SpeaksOldTls, &["tls"]),
    (Fault::FailsForGet, &["get-unsigned", "other-method"]),
    (Fault::FailsForHead, &["head-and-options"]),
];

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
    // A fault that shows only in something that the app does not do costs the whole time limit.
    let is_idle = [Fault::KeepsNothing, Fault::IgnoresRedirects, Fault::DeletesNothing]
        .iter()
        .any(|fault| faults.contains(fault));
    let acts_late = [Fault::ActsTwice, Fault::TrustsEveryHost].iter().any(|fault| faults.contains(fault));
    let limits = Limits {
        slow: Duration::from_secs(if faults.contains(&Fault::IsSlow) { 0 } else { 5 }),
        late: if faults.contains(&Fault::Hangs) { Duration::from_millis(400) } else { Limits::LATE },
        settle: Duration::from_millis(if acts_late { 3_000 } else { 100 }),
        work: Duration::from_secs(if is_idle { 4 } else { 30 }),
        close: Duration::from_millis(if faults.contains(&Fault::KeepsOpen) { 200 } else { 3_000 }),
        long_fax_pages: 3,
        ..Limits::default()
    };
    let status_callback = format!("{}/status", app.origin);
    // Both options cost time, so only the checks that need them get them.
    let is_shown = faults.is_empty() || faults.contains(&Fault::EscapesNothing);
    let sends = faults.is_empty() || faults.contains(&Fault::SendsBlindly);
    let callback = if faults.contains(&Fault::SendsBlindly) { "" } else { &status_callback };
    let options = Options {
        account: Some(sid.clone()),
        status_callback: Some(status_callback.clone()),
        probe: is_shown.then(|| format!("{}/inbox", app.origin)),
        send: sends.then(|| sending(emulator, &sid, callback)),
        client: ClientOptions { trust_ca: vec![trusted().into_bytes()], ..ClientOptions::default() },
        limits,
        ..Options::new(&app.fax_url(), list::all().collect())
    };
    let endpoint = Endpoint { url: emulator.url().parse().expect("a URL"), control_token: None };
    fauxfax::check::run(endpoint, options, &|_| (), std::future::pending()).await.expect("it runs")
}

/// Returns a command that sends a fax as the app would, which names this StatusCallback if it is not empty.
fn sending(emulator: &Emulator, account: &str, callback: &str) -> String {
    let url = emulator.url();
    let callback = if callback.is_empty() { String::new() } else { format!("--status-callback {callback}") };
    format!(
        "'{FAUXFAX}' send --url {url} --account {account} --from {NUMBER} --to +15558675310 {callback} \
         {url}/_fauxfax/v1/samples/one-page.pdf & sleep 0"
    )
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
    let each = stream::iter(MATRIX).map(async |(fault, expected)| {
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
