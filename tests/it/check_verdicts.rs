//! Tests that single checks fail apps for the right reason, and that no check fails an app for what careful apps do: pages
//! that show the time, limits on requests, or a 404 for the fax of somebody else.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::check::{self, CheckResult, Options, Report, Verdict, list};
use fauxfax::client::Endpoint;
use fauxfax::dialect::form;
use fauxfax::{Account, Emulator};
use tokio::time::Instant;

use crate::check::started;
use crate::checked_app::CheckedApp;
use crate::own_app::{Asked, OwnApp, call_later, careful, download_later};

/// The checks of wrong signatures.
const SIGNATURES: [&str; 4] = ["signature-wrong", "signature-missing", "parameter-changed", "other-token"];
/// The number of requests before the checks: the run asks for TwiML and notifies the app to find out which addresses it names,
/// and then the good fax is one request for TwiML and one notification.
const BEFORE_CHECKS: usize = 4;
/// The numbers that the apps here send from and to.
const NUMBERS: (&str, &str) = ("+15017122661", "+15558675310");

/// Runs these checks of an app, with the options that `change` makes of the usual ones.
async fn report(
    (emulator, account): &(Emulator, Account),
    url: &str,
    ids: &[&str],
    change: impl FnOnce(&mut Options),
) -> Report {
    let checks = list::all().filter(|check| ids.contains(&check.id)).collect();
    let mut options = Options::new(url, checks);
    options.account = Some(account.sid().to_string());
    change(&mut options);
    let endpoint = Endpoint { url: emulator.url().parse().expect("a URL"), address: None, control_token: None };
    check::run(endpoint, options, &|_| (), std::future::pending()).await.expect("it runs")
}

/// Runs one check of an app that responds as `handler` says; its page of `--probe` is at `/page` if it has one.
async fn result(
    place: &(Emulator, Account),
    id: &str,
    has_page: bool,
    handler: impl Fn(&Asked) -> Response + Clone + Send + Sync + 'static,
) -> CheckResult {
    let app = OwnApp::start(&place.1, handler).await;
    let page = has_page.then(|| format!("{}/page", app.origin));
    let report = report(place, &app.fax_url(), &[id], |options| options.probe = page).await;
    report.results.into_iter().next().expect("a result")
}

/// A list that an app keeps.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<BTreeSet<String>>>);

impl Kept {
    /// Adds an item, and returns whether it is new.
    fn add(&self, item: String) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(item)
    }

    /// Returns whether an item is in the list.
    fn has(&self, item: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(item)
    }

    fn page(&self) -> String {
        let items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        items.iter().map(|item| format!("<li>{item}\n")).collect()
    }
}

#[tokio::test]
async fn an_app_that_downloads_after_it_has_refused_a_notification_fails() {
    let place = started().await;
    for id in SIGNATURES {
        let handler = |asked: &Asked| {
            if asked.path == "/received" {
                download_later(Duration::from_millis(100), asked.get("MediaUrl"));
            }
            careful(asked)
        };
        let result = result(&place, id, false, handler).await;
        let expected = "the app refused the wrong request (action), but acted on it: a download of the document";
        assert_eq!((result.verdict, result.seen.as_str()), (Verdict::Fail, expected));
    }
}

#[tokio::test]
async fn an_app_that_records_a_request_that_it_refuses_fails() {
    let place = started().await;
    let kept = Kept::default();
    let handler = move |asked: &Asked| {
        if asked.path == "/page" {
            return Html(kept.page()).into_response();
        }
        if asked.path == "/received" {
            kept.add(asked.get("FaxSid"));
        }
        careful(asked)
    };
    let result = result(&place, "signature-wrong", true, handler).await;
    let expected = "the app refused the wrong request (action), but the page of --probe has changed";
    assert_eq!((result.verdict, result.seen.as_str()), (Verdict::Fail, expected));
}

#[tokio::test]
async fn a_page_that_counts_the_seconds_or_shows_the_time_fails_no_app() {
    let place = started().await;
    for id in ["signature-wrong", "signature-missing", "replayed"] {
        let (kept, begun) = (Kept::default(), Instant::now());
        let handler = move |asked: &Asked| {
            if asked.path == "/page" {
                // The page is steady for long enough to look like a page that doesn't change by itself.
                let count = begun.elapsed().as_millis() / 450;
                let clock = format!("<p>as of 14:{:02}:{:02}, up for {count}</p>", count / 60 % 60, count % 60);
                return Html(clock + &kept.page()).into_response();
            }
            if asked.path == "/received" && asked.is_signed && kept.add(asked.get("FaxSid")) {
                download_later(Duration::ZERO, asked.get("MediaUrl"));
            }
            careful(asked)
        };
        let result = result(&place, id, true, handler).await;
        assert_eq!(result.verdict, Verdict::Pass, "{id}: {}", result.seen);
    }
}

#[tokio::test]
async fn an_app_that_responds_429_has_not_refused_the_request() {
    let place = started().await;
    for id in ["signature-wrong", "parameter-unknown", "odd-callers", "burst"] {
        let count = Arc::new(AtomicUsize::new(0));
        // No signature is verified.
        let handler = move |asked: &Asked| {
            if count.fetch_add(1, Ordering::Relaxed) >= BEFORE_CHECKS {
                return (StatusCode::TOO_MANY_REQUESTS, "slow down").into_response();
            }
            careful(&Asked { is_signed: true, ..copy(asked) })
        };
        let result = result(&place, id, false, handler).await;
        assert_eq!(result.verdict, Verdict::NotJudged, "{id}: {}", result.seen);
        assert!(result.seen.contains("429 because it limits how many requests it accepts"), "{id}: {}", result.seen);
    }
}

fn copy(asked: &Asked) -> Asked {
    Asked {
        origin: asked.origin.clone(),
        method: asked.method.clone(),
        path: asked.path.clone(),
        query: asked.query.clone(),
        form: asked.form.clone(),
        body: asked.body.clone(),
        is_signed: asked.is_signed,
    }
}

/// Returns a command that sends a fax through the emulator for an app, and then tells the app which one it is.
fn send_command((emulator, account): &(Emulator, Account), origin: &str) -> String {
    let (from, to) = NUMBERS;
    let api = emulator.url();
    format!(
        "curl -fsS -u {sid}:{token} {api}/v1/Faxes --data-urlencode From={from} --data-urlencode To={to} \
         -d MediaUrl={api}/_fauxfax/v1/samples/one-page.pdf -d StatusCallback={origin}/status \
         | curl -fsS -H 'Content-Type: application/json' --data-binary @- {origin}/sent",
        sid = account.sid(),
        token = account.auth_token(),
    )
}

/// Returns an app that responds 404 to notifications of faxes that it has not sent, and perhaps verifies no signatures.
fn with_own_faxes_only(verifies: bool) -> impl Fn(&Asked) -> Response + Clone + Send + Sync + 'static {
    let own = Kept::default();
    move |asked: &Asked| {
        if asked.path == "/sent" {
            let answer: serde_json::Value = serde_json::from_str(&asked.body).unwrap_or_default();
            own.add(answer["sid"].as_str().unwrap_or_default().to_owned());
            return StatusCode::NO_CONTENT.into_response();
        }
        let is_trusted = asked.is_signed || (!verifies && asked.path == "/status");
        if asked.path == "/status" && is_trusted && !own.has(&asked.get("FaxSid")) {
            return StatusCode::NOT_FOUND.into_response();
        }
        careful(&Asked { is_signed: is_trusted, ..copy(asked) })
    }
}

#[tokio::test]
async fn an_app_that_knows_only_faxes_that_it_has_sent_is_judged_by_them() {
    let place = started().await;
    let right = ["parameter-unknown", "parameter-blank", "order-and-case", "status-unknown", "canceled", "sent-failed"];
    let app = OwnApp::start(&place.1, with_own_faxes_only(true)).await;
    let command = send_command(&place, &app.origin);
    let ids: Vec<&str> = right.into_iter().chain(SIGNATURES).collect();
    let careful = report(&place, &app.fax_url(), &ids, |options| {
        options.send = Some(command);
        options.limits.work = Duration::from_millis(300);
    })
    .await;
    for result in &careful.results {
        assert_eq!(result.verdict, Verdict::Pass, "{}: {}", result.check.id, result.seen);
    }

    let app = OwnApp::start(&place.1, with_own_faxes_only(false)).await;
    let command = send_command(&place, &app.origin);
    let careless = report(&place, &app.fax_url(), &SIGNATURES, |options| options.send = Some(command)).await;
    for result in &careless.results {
        let expected = "the app responded 204 to the wrong request (status-callback), not with 401 or 403";
        assert_eq!((result.verdict, result.seen.as_str()), (Verdict::Fail, expected), "{}", result.check.id);
    }

    let url = format!("{}/status", app.origin);
    let unsent = report(&place, &app.fax_url(), &["canceled"], |options| options.status_callback = Some(url)).await;
    assert!(unsent.results[0].seen.ends_with("let it send one with --send"), "{}", unsent.results[0].seen);
}

#[tokio::test]
async fn an_app_that_takes_two_faxes_from_one_caller_for_one_fails() {
    let place = started().await;
    let kept = Kept::default();
    let handler = move |asked: &Asked| {
        if asked.path == "/received" && asked.is_signed && kept.add(asked.get("From")) {
            download_later(Duration::ZERO, asked.get("MediaUrl"));
        }
        careful(asked)
    };
    let app = OwnApp::start(&place.1, handler).await;
    let report = report(&place, &app.fax_url(), &["notified-twice"], |options| {
        options.limits.work = Duration::from_secs(1);
    })
    .await;
    let result = &report.results[0];
    let expected = "the app downloaded the document of the first fax, but not that of a second one from the same caller; it \
                    must tell faxes apart by FaxSid";
    assert_eq!((result.verdict, result.seen.as_str()), (Verdict::Fail, expected));
}

#[tokio::test]
async fn a_page_that_shows_the_token_is_a_leak() {
    let place = started().await;
    let token = place.1.auth_token();
    let handler = move |asked: &Asked| {
        if asked.path == "/page" {
            return Html(format!("<!-- connected with {token} -->")).into_response();
        }
        careful(asked)
    };
    let result = result(&place, "no-leak", true, handler).await;
    assert_eq!(
        (result.verdict, result.seen.as_str()),
        (Verdict::Fail, "the page of --probe shows the account's token")
    );
}

#[tokio::test]
async fn an_app_that_sends_a_fax_again_and_again_after_a_while_fails() {
    let place = started().await;
    let (from, to) = NUMBERS;
    let api = place.0.url();
    let credential = BASE64_STANDARD.encode(format!("{}:{}", place.1.sid(), place.1.auth_token()));
    let handler = move |asked: &Asked| {
        if asked.path == "/status" && asked.is_signed && asked.get("FaxStatus") == "busy" {
            let document = format!("{api}/_fauxfax/v1/samples/one-page.pdf");
            let callback = format!("{}/status", asked.origin);
            let body =
                form::encode(&[("From", from), ("To", to), ("MediaUrl", &document), ("StatusCallback", &callback)]);
            let headers =
                format!("Authorization: Basic {credential}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
            call_later(Duration::from_millis(600), "POST", format!("{api}/v1/Faxes"), headers, body);
        }
        if asked.path == "/sent" {
            return StatusCode::NO_CONTENT.into_response();
        }
        careful(asked)
    };
    let app = OwnApp::start(&place.1, handler).await;
    let command = send_command(&place, &app.origin);
    let report = report(&place, &app.fax_url(), &["sent-failed"], |options| options.send = Some(command)).await;
    let result = &report.results[0];
    let expected = "the app sent a fax again more than 5 times, each time after the status busy";
    assert_eq!((result.verdict, result.seen.as_str()), (Verdict::Fail, expected));
}

#[tokio::test]
async fn a_framework_that_decodes_letters_beyond_ascii_in_a_url_is_worth_a_warning_only() {
    let place = started().await;
    let handler = |asked: &Asked| {
        if asked.query.contains("%C3") { StatusCode::FORBIDDEN.into_response() } else { careful(asked) }
    };
    let rare = result(&place, "query-string", false, handler).await;
    assert_eq!(rare.verdict, Verdict::Warn, "{}", rare.seen);
    assert!(rare.seen.ends_with("does its framework decode the URL?"), "{}", rare.seen);
    let handler =
        |asked: &Asked| if asked.query.is_empty() { careful(asked) } else { StatusCode::FORBIDDEN.into_response() };
    let usual = result(&place, "query-string", false, handler).await;
    let expected = "the app responded 403 to a URL with the query ?tenant=7&note=a%20b";
    assert_eq!((usual.verdict, usual.seen.as_str()), (Verdict::Fail, expected));
}

#[tokio::test]
async fn an_app_may_say_that_it_has_not_implemented_a_method() {
    let place = started().await;
    let handler = |asked: &Asked| match asked.method.as_str() {
        "OPTIONS" => StatusCode::NOT_IMPLEMENTED.into_response(),
        _ => careful(asked),
    };
    let result = result(&place, "head-and-options", false, handler).await;
    let expected = "the app responded 405 to HEAD and 501 to OPTIONS";
    assert_eq!((result.verdict, result.seen.as_str()), (Verdict::Pass, expected));
}

#[tokio::test]
async fn an_app_that_goes_down_fails_even_if_a_minor_check_notices_it() {
    let place = started().await;
    let (sid, token) = (place.1.sid().to_string(), place.1.auth_token());
    for id in ["proxy-host", "no-leak"] {
        let app = CheckedApp::start_for(&sid, &token, &[], BEFORE_CHECKS).await;
        let report = report(&place, &app.fax_url(), &[id], |_| ()).await;
        let result = &report.results[0];
        assert_eq!(result.verdict, Verdict::Fail, "{id}: {}", result.seen);
        assert!(result.seen.contains("it went down during this check"), "{id}: {}", result.seen);
    }
}

#[tokio::test]
async fn an_app_that_refuses_the_good_request_is_told_what_may_be_wrong() {
    let place = started().await;
    let result = result(&place, "twiml", false, |_: &Asked| StatusCode::FORBIDDEN.into_response()).await;
    assert!(
        result.seen.starts_with("the app responded 403 to an incoming fax; is the app configured with"),
        "{}",
        result.seen
    );
}
