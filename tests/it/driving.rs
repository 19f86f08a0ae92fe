//! Tests who may control the emulator: requests from web pages of other origins, from webhooks and under foreign host
//! names are refused. Also tests that reading an unknown account creates no world. The tests of webhooks that lead back
//! to the emulator start it on a real port.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use fauxfax::config::Config;
use fauxfax::emulator::GuardOptions;
use fauxfax::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use fauxfax::http;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::sid::AccountSid;
use fauxfax::model::time::Pace;
use fauxfax::{Document, Emulator};
use serde_json::Value;
use tower::ServiceExt;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::host::{Host, PATIENCE, settings, setup};

const RESET: &str = "/_fauxfax/v1/reset";

/// Makes a request to the emulator without a socket, and returns the response's status, headers and text.
pub(crate) async fn asked(
    host: &Host,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder().method(method).uri(target);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let service = http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into());
    let response = service.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
}

/// Creates an emulator whose guard options `change` has modified.
pub(crate) fn host(change: impl FnOnce(&mut GuardOptions)) -> Host {
    let mut settings = settings(Pace::Max);
    change(&mut settings.guard);
    Host::with(settings, &ClientOptions::default(), setup("http://127.0.0.1:9/fax"))
}

#[tokio::test]
async fn a_rebound_host_name_is_refused_everywhere_and_the_error_names_the_remedy() {
    let host = host(|_| ());
    for target in [
        "/v1/Faxes",
        "/2010-04-01/Accounts.json",
        "/v1/Alerts",
        "/metrics",
        "/livez",
        "/readyz",
        "/ca.pem",
        "/console",
        "/_fauxfax/v1/health",
        "/fax/AC1/FX1/ME1",
        "/nowhere",
    ] {
        let (status, _, text) = asked(&host, "GET", target, &[("host", "rebound.example:8329")]).await;
        assert_eq!(status, 421, "{target}: {text}");
        assert!(text.contains("--allow-host rebound.example"), "{target}: {text}");
    }
}

#[tokio::test]
async fn a_web_page_can_neither_send_a_fax_nor_reset_the_emulator() {
    let host = host(|_| ());
    for (target, headers) in [
        ("/v1/Faxes", [("host", "localhost"), ("origin", "http://evil.example")]),
        ("/v1/Faxes", [("host", "localhost"), ("origin", "null")]),
        ("/v1/Faxes", [("host", "localhost"), ("sec-fetch-site", "cross-site")]),
        ("/v1/Faxes", [("host", "localhost"), ("sec-fetch-site", "same-site")]),
        (RESET, [("host", "localhost"), ("origin", "null")]),
        (RESET, [("host", "localhost"), ("sec-fetch-site", "cross-site")]),
    ] {
        let (status, _, text) = asked(&host, "POST", target, &headers).await;
        assert_eq!(status, 403, "{target} {headers:?}: {text}");
        assert!(text.contains("--allow-origin"), "{text}");
    }
    assert_eq!(host.world().read_journal(|journal| journal.last_seq()), 0, "the journal is empty");
}

#[tokio::test]
async fn a_web_page_of_an_allowed_origin_may_read_responses() {
    let host = host(|guard| guard.allow_origins.push("http://localhost:3000".to_owned()));
    let headers = [("host", "localhost:8329"), ("origin", "http://localhost:3000"), ("sec-fetch-site", "same-site")];
    let (status, answered, _) = asked(&host, "GET", "/_fauxfax/v1/health", &headers).await;
    assert_eq!(
        (status.as_u16(), &answered[header::ACCESS_CONTROL_ALLOW_ORIGIN]),
        (200, &"http://localhost:3000".parse().expect("a value"))
    );
    let (_, answered, _) = asked(&host, "GET", "/_fauxfax/v1/health", &[("host", "localhost")]).await;
    assert!(!answered.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn a_control_token_opens_the_control_api_and_a_browser_gets_a_cookie_for_it() {
    let host = host(|guard| guard.control_token = Some("s3cret".into()));
    let (status, answered, text) = asked(&host, "GET", "/_fauxfax/v1/health", &[]).await;
    assert_eq!(status, 401, "{text}");
    assert!(answered[header::WWW_AUTHENTICATE].to_str().expect("text").starts_with("Bearer"), "{answered:?}");
    assert!(text.contains("control-token-needed") && text.contains("FAUXFAX_CONTROL_TOKEN"), "{text}");
    let bearer = [("authorization", "Bearer s3cret")];
    assert_eq!(asked(&host, "GET", "/_fauxfax/v1/health", &bearer).await.0, 200);
    let (status, answered, _) = asked(&host, "POST", "/_fauxfax/v1/console-session", &bearer).await;
    let cookie = answered[header::SET_COOKIE].to_str().expect("text").split(';').next().expect("a pair").to_owned();
    assert_eq!(status, 204);
    assert_eq!(asked(&host, "GET", "/_fauxfax/v1/health", &[("cookie", &cookie)]).await.0, 200);
    assert_eq!(asked(&host, "GET", "/_fauxfax/v1/health", &[("cookie", "fauxfax_control=x")]).await.0, 401);
    assert_eq!(asked(&host, "GET", "/console", &[]).await.0, 200, "the page that asks for the token needs no token");
    assert_eq!(asked(&host, "GET", "/livez", &[]).await.0, 200);
}

#[tokio::test]
async fn reads_of_an_unknown_account_create_no_world() {
    let host = host(|_| ());
    let stranger = AccountSid::from_bytes([0xee; 16]);
    let credential = (stranger.to_string(), "any token");
    for target in [
        "/v1/Faxes".to_owned(),
        format!("/2010-04-01/Accounts/{stranger}.json"),
        format!("/2010-04-01/Accounts/{stranger}/IncomingPhoneNumbers.json"),
        "/v1/Alerts".to_owned(),
    ] {
        let answer = host.call_as((&credential.0, credential.1), "GET", &target, "").await;
        assert_eq!(answer.status, 200, "{target}");
        let other = host.call_as((&credential.0, "another token"), "GET", &target, "").await;
        assert_eq!(other.status, 200, "{target}: a read claims no token");
    }
    assert_eq!(
        host.call_as((&credential.0, "x"), "GET", &format!("/v1/Faxes/FX{}", "0".repeat(32)), "").await.error(),
        (404, 20404)
    );
    for call in ["faxes", "events", "webhooks", "clock", "rules", "snapshots", "state", "events/hash", "wait?for=idle"]
    {
        let separator = if call.contains('?') { '&' } else { '?' };
        let target = format!("/_fauxfax/v1/{call}{separator}account={stranger}");
        assert_eq!(asked(&host, "GET", &target, &[]).await.0, 200, "{target}");
    }
    let verify = format!("/_fauxfax/v1/verify?account={stranger}");
    assert_eq!(asked(&host, "POST", &verify, &[]).await.0, 422, "only the missing body is refused");
    assert!(host.registry.world(stranger).is_none(), "no read creates a world");
    let form = "From=%2B15005550006&To=%2B15558675310&MediaUrl=http%3A%2F%2F127.0.0.1%3A9%2Fa.pdf";
    assert_eq!(host.call_as((&credential.0, "mine"), "POST", "/v1/Faxes", form).await.status, 201);
    assert_eq!(host.call_as((&credential.0, "any token"), "GET", "/v1/Faxes", "").await.status, 401, "another token");
}

#[tokio::test]
async fn a_wait_continues_once_its_world_is_created() {
    let host = host(|_| ());
    let stranger = AccountSid::from_bytes([0xee; 16]);
    let target = format!("/_fauxfax/v1/wait?account={stranger}&status=queued&timeout=20");
    let waiting = asked(&host, "GET", &target, &[]);
    let sent = async {
        // `join!` polls the wait first, so by now it has looked for the world and found none.
        let form = "From=%2B15005550006&To=%2B15558675310&MediaUrl=http%3A%2F%2F127.0.0.1%3A9%2Fa.pdf";
        host.call_as((&stranger.to_string(), "mine"), "POST", "/v1/Faxes", form).await.json()
    };
    let ((status, _, text), fax) = tokio::join!(waiting, sent);
    let waited: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((status.as_u16(), &waited["event"]["fax_sid"]), (200, &fax["sid"]), "{text}");
}

/// Starts an emulator on a port, and an app that responds to `/fax` with what `answer` returns for the emulator's URL.
async fn emulator_with(answer: impl Fn(&str) -> ResponseTemplate) -> (Emulator, MockServer) {
    let emulator = Emulator::builder().start().await.expect("the emulator starts");
    let app = MockServer::start().await;
    Mock::given(path("/fax")).respond_with(answer(&emulator.url())).mount(&app).await;
    (emulator, app)
}

/// Lists the errors of an account's requests to apps.
fn failures(account: &fauxfax::Account) -> Vec<String> {
    account.events().iter().filter_map(|event| Some(event.exchange()?.failure.as_ref()?.to_string())).collect()
}

#[tokio::test]
async fn a_webhook_cannot_reach_the_control_api_via_a_redirect_or_another_name_of_the_emulator() {
    for name in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let (emulator, app) = emulator_with(|url| {
            let port = url.rsplit(':').next().expect("a port");
            ResponseTemplate::new(307).insert_header("location", format!("http://{name}:{port}{RESET}"))
        })
        .await;
        let account = emulator.account().expect("an account");
        account.number("+15017122661").expect("a number").fax_url(&format!("{}/fax", app.uri())).expect("a URL");
        let conversation = account.receive(Document::pages(1)).await.expect("the conversation ends");
        assert_eq!(conversation.outcome, fauxfax::Outcome::NotAnswered, "{name}");
        let failures = failures(&account);
        assert!(failures.iter().any(|failure| failure.contains("control API")), "{name}: {failures:?}");
        assert!(!account.events().iter().any(|event| event.kind() == "world.reset"), "{name}");
    }
}

#[tokio::test]
async fn a_webhook_from_another_emulator_is_recognised_and_refused_by_the_control_api() {
    let target = Emulator::builder().start().await.expect("the emulator starts");
    let bystander = target.account().expect("an account");
    bystander.number("+15017122661").expect("a number");
    let (emulator, app) = emulator_with(|_| ResponseTemplate::new(200)).await;
    drop(app);
    let account = emulator.account().expect("an account");
    let url = format!("{}{RESET}?account={}", target.url(), bystander.sid());
    account.number("+15017122661").expect("a number").fax_url(&url).expect("a URL");
    let conversation = account.receive(Document::pages(1)).await.expect("the conversation ends");
    assert_eq!(conversation.outcome, fauxfax::Outcome::NotAnswered);
    let statuses: Vec<_> = account.events().iter().filter_map(|event| event.exchange()?.status).collect();
    assert_eq!(statuses, [403]);
    assert_eq!(bystander.events().len(), 0, "the bystander's world was not reset");
}

#[tokio::test]
async fn a_sample_document_can_be_fetched_although_webhooks_cannot_reach_the_control_api() {
    let emulator = Emulator::builder().start().await.expect("the emulator starts");
    let account = emulator.account().expect("an account");
    account.number("+15017122661").expect("a number");
    let url = format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url());
    let fax = account.send("+15558675310", &url).queue().expect("the fax is accepted");
    account.wait_for(fax, fauxfax::model::fax::Status::Delivered).await.expect("delivered");
}

#[tokio::test]
async fn passwords_and_tokens_in_urls_do_not_appear_in_the_journal() {
    let host = host(|_| ());
    let form = "From=%2B15005550006&To=%2B15558675310&MediaUrl=http%3A%2F%2Fuser%3Ap4ssword%40127.0.0.1%3A9%2Fa.pdf\
                &StatusCallback=http%3A%2F%2Fuser%3Ap4ssword%40127.0.0.1%3A9%2Fs";
    assert_eq!(host.call("POST", "/v1/Faxes?AuthToken=t0ken", form).await.status, 201);
    assert_eq!(host.call("GET", "/v1/Faxes?auth_token=t0ken&PageSize=2", "").await.status, 200);
    let world = host.world();
    let idle = world.until(|engine| engine.is_idle().then_some(()));
    tokio::time::timeout(PATIENCE, idle).await.expect("the world becomes idle");
    for call in ["events", "webhooks"] {
        let (_, _, text) = asked(&host, "GET", &format!("/_fauxfax/v1/{call}"), &[]).await;
        assert!(!text.contains("p4ssword"), "{call}: {text}");
        assert!(!text.contains("t0ken"), "{call}: {text}");
        assert!(text.contains("http://user:***@127.0.0.1:9/a.pdf"), "{call}: {text}");
    }
    let filter = EventFilter { kind: Some("api.request".into()), ..EventFilter::default() };
    let calls = world.read_journal(|journal| journal.events(&filter, JOURNAL_EVENTS_MAX));
    assert!(format!("{calls:?}").contains("PageSize=2"), "{calls:?}");
}

#[tokio::test]
async fn a_warning_is_logged_if_others_can_reach_the_listener_and_there_is_no_token() {
    // The warning is a log line, so the program itself must run.
    let start = |arguments: &[&str]| {
        let child = std::process::Command::new(env!("CARGO_BIN_EXE_fauxfax"))
            .args(["serve", "--listen", "0.0.0.0:0"])
            .args(arguments)
            .env_clear()
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn();
        let mut child = child.expect("it starts");
        let mut ready = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().expect("piped"));
        std::io::BufRead::read_line(&mut out, &mut ready).expect("a line");
        // SIGTERM stops the program cleanly, so everything that it logged has been written.
        let stopped = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(stopped.expect("kill").success());
        let told = child.wait_with_output().expect("it ends").stderr;
        (ready, String::from_utf8_lossy(&told).into_owned())
    };
    let (ready, told) = start(&[]);
    assert!(ready.starts_with("fauxfax ready") && told.contains("--control-token"), "{ready}{told}");
    let (ready, told) = start(&["--control-token", "s3cret"]);
    assert!(ready.starts_with("fauxfax ready") && !told.contains("control API"), "{ready}{told}");
    let config = Config::default();
    assert!(config.listen.ip().is_loopback() && config.control_token.is_none());
}
