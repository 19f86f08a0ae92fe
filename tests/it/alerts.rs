//! Tests each alert code: an app misbehaves in the way that the code reports, the Monitor list contains the alert with
//! its request and response, and the fallback URL is asked instead. Other tests are about invalid overrides, failed
//! faxes, the list, and the Debugger's webhook. Responses are checked against Twilio's description of the Monitor API.

use fauxfax::config::Config;
use fauxfax::dialect::twilio::codes::code as code_of;
use fauxfax::engine::event::{Alert, AlertLevel};
use fauxfax::io::client::ClientOptions;
use fauxfax::model::number::NumberChange;
use fauxfax::model::time::Pace;
use serde_json::Value;
use wiremock::matchers::{body_string_contains, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::apps::{App, Authority, Manner, answering, app, closed, full};
use crate::gateway::{Running, config, exchange};
use crate::host::{Host, PATIENCE, account, settings, setup};
use crate::script::{call, letter};

const RECEIVE: &str = "<Response><Receive/></Response>";

/// Receives a fax at a number with this FaxUrl, and checks that the fallback URL is asked and accepts the fax. Returns
/// the host and its alerts.
async fn fallen_back(voice_url: &str, options: &ClientOptions) -> (Host, Vec<Alert>) {
    let fallback = MockServer::start().await;
    let twiml = ResponseTemplate::new(200).set_body_raw(RECEIVE, "text/xml");
    Mock::given(method("POST"))
        .and(path("/fallback"))
        .and(body_string_contains("ErrorCode="))
        .and(body_string_contains("ErrorUrl="))
        .respond_with(twiml)
        .expect(1)
        .mount(&fallback)
        .await;
    let mut setup = setup(voice_url);
    let fallback_url = Some(format!("{}/fallback", fallback.uri()).into());
    setup.numbers[0].1 = NumberChange { voice_fallback_url: fallback_url, ..setup.numbers[0].1.clone() };
    let host = Host::with(settings(Pace::Max), options, setup);
    ring(&host);
    let alerts = host.alerts_at_rest().await;
    let faxes = host.call("GET", "/v1/Faxes", "").await.json();
    assert_eq!(faxes["faxes"][0]["status"], "received", "{voice_url}: the fallback accepts the fax: {faxes}");
    fallback.verify().await;
    (host, alerts)
}

fn ring(host: &Host) {
    let call = fauxfax::engine::input::ReceiveFax { document: letter(1), ..call(1) };
    host.world().handle(call).expect("the call rings");
}

/// Checks that this FaxUrl raises exactly one alert, with this code, and returns the alert as the Monitor API shows it.
async fn fails_with(code: u32, voice_url: &str, options: &ClientOptions) -> Value {
    let (host, alerts) = fallen_back(voice_url, options).await;
    let codes: Vec<u32> = alerts.iter().map(|alert| code_of(alert.fault)).collect();
    assert_eq!(codes, [code], "{voice_url}: {alerts:#?}");
    let list = host.api("GET", "/v1/Alerts", "/v1/Alerts?LogLevel=error", "").await;
    assert_eq!(list["alerts"][0]["error_code"], code.to_string());
    let target = format!("/v1/Alerts/{}", list["alerts"][0]["sid"].as_str().expect("a SID"));
    host.api("GET", "/v1/Alerts/{Sid}", &target, "").await
}

/// Checks that the FaxUrl of this app raises exactly one alert, with this code. `more` is appended to the FaxUrl.
async fn plain(code: u32, app: &App, more: &str) -> Value {
    fails_with(code, &format!("{}/fax{more}", app.url), &ClientOptions::default()).await
}

#[tokio::test]
async fn a_status_of_4xx_or_5xx_is_11200_with_request_and_response() {
    for status in [404, 500, 503] {
        let app = answering(status, "X-Own: a b\r\n", "no fax & here").await;
        let alert = plain(11200, &app, "?a=b").await;
        assert_eq!((&alert["request_method"], &alert["log_level"]), (&"POST".into(), &"error".into()));
        assert_eq!(alert["request_url"], format!("{}/fax?a=b", app.url));
        assert_eq!(alert["response_body"], "no fax & here");
        let text = |key: &str| alert[key].as_str().unwrap_or_default().to_owned();
        assert!(text("response_headers").contains("x-own=a+b"), "{alert}");
        assert!(text("request_variables").contains(&format!("AccountSid={}", account())), "{alert}");
        assert!(text("request_headers").contains("user-agent=TwilioProxy%2F1.1"), "{alert}");
        assert!(text("alert_text").contains(&format!("ErrorCode=11200&httpResponse={status}&url=http")), "{alert}");
        assert!(text("resource_sid").starts_with("FX"), "{alert}");
    }
}

#[tokio::test]
async fn no_packet_within_the_read_timeout_is_11200() {
    plain(11200, &app(Manner::Hang).await, "#rt=100").await;
}

#[tokio::test]
async fn no_connection_within_the_connect_timeout_is_11201() {
    let alert = plain(11201, &full().await, "#ct=200&rc=1").await;
    assert_eq!((&alert["response_body"], &alert["response_headers"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_closed_port_is_11202() {
    plain(11202, &closed().await, "").await;
}

#[tokio::test]
async fn no_complete_response_within_the_total_timeout_is_11203() {
    plain(11203, &app(Manner::Hang).await, "#tt=150").await;
    plain(11203, &app(Manner::Drip).await, "#tt=300").await;
}

#[tokio::test]
async fn a_connection_that_ends_too_early_is_11205() {
    plain(11205, &app(Manner::Close).await, "").await;
    plain(11205, &app(Manner::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf".to_vec())).await, "").await;
}

#[tokio::test]
async fn a_response_that_is_not_http_is_11206() {
    plain(11206, &app(Manner::Say(b"220 smtp.example.test ESMTP\r\n".to_vec())).await, "").await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_11210() {
    // RFC 2606 reserves `.invalid`, so this name never resolves.
    fails_with(11210, "http://nowhere.invalid/fax", &ClientOptions::default()).await;
}

#[tokio::test]
async fn endless_redirects_are_11215() {
    plain(11215, &answering(302, "Location: /again\r\n", "").await, "").await;
    plain(11215, &answering(301, "", "").await, "").await;
}

#[tokio::test]
async fn an_app_without_tls_is_11220() {
    let app = answering(200, "", "").await;
    let url = format!("{}/fax", app.url.replace("http://", "https://"));
    fails_with(11220, &url, &ClientOptions::default()).await;
}

#[tokio::test]
async fn each_certificate_fault_has_its_own_code() {
    let authority = Authority::new();
    let trusting = ClientOptions { trust_ca: vec![authority.pem.clone().into_bytes()], ..ClientOptions::default() };
    let twiml = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{RECEIVE}",
        RECEIVE.len()
    );
    let good = Manner::Say(twiml.into_bytes());
    for (code, name, until_year, options) in [
        (11235, "elsewhere.test", 2090, &trusting),
        (11236, "localhost", 2020, &trusting),
        (11237, "localhost", 2090, &ClientOptions::default()),
    ] {
        let app = authority.app(name, until_year, good.clone()).await;
        fails_with(code, &format!("{}/fax", app.url), options).await;
    }
    let app = authority.app("localhost", 2090, good.clone()).await;
    let insecure = ClientOptions { insecure: true, ..ClientOptions::default() };
    for options in [&trusting, &insecure] {
        let host = Host::with(settings(Pace::Max), options, setup(&format!("{}/fax", app.url)));
        ring(&host);
        assert!(host.alerts_at_rest().await.is_empty(), "a trusted or unchecked certificate raises no alert");
    }
}

#[tokio::test]
async fn each_kind_of_unusable_twiml_has_its_own_code() {
    let xml = "Content-Type: text/xml\r\n";
    for (code, headers, body) in [
        (11750, xml, format!("<Response>{}</Response>", " ".repeat(70_000))),
        (11750, xml, format!("<Response>{}</Response>", " ".repeat(300_000))),
        (11770, xml, String::new()),
        (12100, xml, "<Response><Receive></Response>".to_owned()),
        (12102, xml, "<Fax><Receive/></Fax>".to_owned()),
        (12300, "Content-Type: application/json\r\n", "{\"a\":1}".to_owned()),
        (12300, "", "OK".to_owned()),
        (34106, xml, "<Response></Response>".to_owned()),
    ] {
        plain(code, &answering(200, headers, &body).await, "").await;
    }
}

#[tokio::test]
async fn invalid_overrides_raise_alerts_and_change_nothing() {
    let twiml =
        answering(200, "Content-Type: text/xml\r\n", "<Response><Say/><Receive action=\"ftp://x\"/></Response>");
    let twiml = twiml.await;
    for (fragment, code) in [("rp=never", 11243), ("e=atlantis", 11240), ("e=dublin-ix", 11242)] {
        let host = Host::new(setup(&format!("{}/fax#{fragment}", twiml.url)));
        ring(&host);
        let alerts = host.alerts_at_rest().await;
        let found: Vec<_> = alerts.iter().map(|alert| (code_of(alert.fault), alert.level)).collect();
        let expected = [(code, AlertLevel::Error), (12200, AlertLevel::Warning), (11100, AlertLevel::Error)];
        assert_eq!(found, expected, "the override, the unknown verb and the invalid action");
        let warnings = host.api("GET", "/v1/Alerts", "/v1/Alerts?LogLevel=warning", "").await;
        assert_eq!(warnings["alerts"].as_array().map(Vec::len), Some(1));
        assert_eq!(warnings["alerts"][0]["error_code"], "12200");
    }
}

#[tokio::test]
async fn failed_faxes_raise_alerts_with_their_own_codes() {
    let pdf = MockServer::start().await;
    let document = ResponseTemplate::new(200).set_body_raw(fauxfax::document::sample::test_pages(2), "application/pdf");
    Mock::given(path("/fax.pdf")).respond_with(document).mount(&pdf).await;
    Mock::given(path("/page.html")).respond_with(ResponseTemplate::new(200).set_body_string("<p>")).mount(&pdf).await;
    for (to, document, code) in [
        ("15005550101", "/fax.pdf", 34002),
        ("15005550102", "/fax.pdf", 34003),
        ("15005550103", "/fax.pdf", 34004),
        ("15005550105", "/fax.pdf", 34108),
        ("15558675310", "/page.html", 34004),
        ("15558675310", "/none.pdf", 11200),
    ] {
        let host = Host::new(setup("http://127.0.0.1:9/fax"));
        let form = format!("To=%2B{to}&From=%2B15005550006&MediaUrl={}{document}", pdf.uri());
        let fax = host.api("POST", "/v1/Faxes", "/v1/Faxes", &form).await;
        let codes: Vec<u32> = host.alerts_at_rest().await.iter().map(|alert| code_of(alert.fault)).collect();
        assert_eq!(codes, [code], "{to} {document}");
        let list = host.api("GET", "/v1/Alerts", "/v1/Alerts", "").await;
        assert_eq!(list["alerts"][0]["resource_sid"], fax["sid"]);
    }
}

#[tokio::test]
async fn a_renderer_that_cannot_be_started_raises_a_fax_alert_with_the_systems_reason() {
    let pdf = MockServer::start().await;
    let document = ResponseTemplate::new(200).set_body_raw(fauxfax::document::sample::test_pages(2), "application/pdf");
    Mock::given(path("/fax.pdf")).respond_with(document).mount(&pdf).await;
    let running =
        Running::new(Config { render_program: Some("/nowhere/fauxfax".into()), pace: Pace::Max, ..config() }).await;
    let form = format!("To=%2B15558675310&From=%2B15005550006&MediaUrl={}/fax.pdf", pdf.uri());
    let request = format!(
        "POST /v1/Faxes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{form}",
        running.credential,
        form.len()
    );
    let answer = exchange(&mut running.connect().await, &request).await;
    let fax: Value = serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    let world = running.registry.worlds().into_iter().next().expect("a world");
    tokio::time::timeout(PATIENCE, world.until(|engine| engine.is_idle().then_some(()))).await.expect("it ends");
    let list = running.list("/v1/Alerts", "localhost");
    let answer = exchange(&mut running.connect().await, &list).await;
    let alerts: Value = serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    let alert = &alerts["alerts"][0];
    assert_eq!((&alert["resource_sid"], &alert["error_code"]), (&fax["sid"], &"34004".into()), "{alerts}");
    assert!(alert["alert_text"].as_str().is_some_and(|text| text.contains("No+such+file+or+directory")), "{alert}");
    running.end().await;
}

#[tokio::test]
async fn alerts_are_paginated_filtered_by_date_and_private_to_their_account() {
    let host = Host::new(setup(""));
    for _ in 0..3 {
        ring(&host);
    }
    assert_eq!(host.alerts_at_rest().await.len(), 3, "a number without a FaxUrl raises an alert per call");
    let first = host.api("GET", "/v1/Alerts", "/v1/Alerts?PageSize=2", "").await;
    let next = first["meta"]["next_page_url"].as_str().expect("a next page").to_owned();
    let rest = host.api("GET", "/v1/Alerts", next.strip_prefix("http://localhost:8329").expect("local URL"), "").await;
    let sids = |page: &Value| {
        let alerts = page["alerts"].as_array().cloned().unwrap_or_default();
        alerts.iter().map(|alert| alert["sid"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!((sids(&first).len(), sids(&rest).len()), (2, 1));
    assert!(!sids(&first).contains(&sids(&rest)[0]));
    for (query, found) in [("StartDate=2000-01-01", 3), ("EndDate=2000-01-01", 0), ("LogLevel=notice", 0)] {
        let list = host.api("GET", "/v1/Alerts", &format!("/v1/Alerts?{query}"), "").await;
        assert_eq!(sids(&list).len(), found, "{query}");
    }
    let alert = format!("/v1/Alerts/{}", first["alerts"][0]["sid"].as_str().expect("a SID"));
    let stranger = (&format!("AC{}", "1".repeat(32))[..], "theirs");
    assert_eq!(host.call_as(stranger, "GET", &alert, "").await.error(), (404, 20404));
    assert_eq!(host.call("GET", "/v1/Alerts/NO1", "").await.error(), (404, 20404));
    assert_eq!(host.call("GET", "/v1/Alerts?StartDate=soon", "").await.error(), (400, 20422));
}

#[tokio::test]
async fn the_debugger_webhook_is_notified_and_its_own_failure_raises_no_alert() {
    let app = MockServer::start().await;
    let told = Mock::given(method("POST")).and(path("/debugger"));
    let told =
        told.and(body_string_contains("PayloadType=application%2Fjson")).and(body_string_contains("Level=ERROR"));
    told.respond_with(ResponseTemplate::new(500)).expect(1).mount(&app).await;
    let mut setup = setup("");
    setup.debugger_url = Some(format!("{}/debugger", app.uri()).into());
    let host = Host::new(setup);
    ring(&host);
    let alerts = host.alerts_at_rest().await;
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    let request = &app.received_requests().await.expect("recorded")[0];
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let value = |name: &str| form.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    assert_eq!(value("Sid"), Some(alerts[0].sid.to_string()));
    assert_eq!(value("AccountSid"), Some(account().to_string()));
    let payload: Value = serde_json::from_str(&value("Payload").expect("a payload")).expect("JSON");
    assert_eq!(payload["error_code"], "11100");
    let signature = fauxfax::dialect::signature::of_form("secret", &format!("{}/debugger", app.uri()), &form);
    assert_eq!(request.headers["x-twilio-signature"], signature.as_str());
    tokio::time::timeout(PATIENCE, app.verify()).await.expect("the debugger webhook is notified once");
}
