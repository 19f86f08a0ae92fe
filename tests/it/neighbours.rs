//! Tests the APIs that apps use before and after a fax: look-ups of numbers, and text messages with their callbacks.

use std::time::Duration;

use fauxfax::clock::ClockMode;
use fauxfax::dialect::form::Form;
use fauxfax::dialect::signature;
use fauxfax::emulator::AccountSetup;
use fauxfax::http::control::BASE;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::account::Service;
use fauxfax::model::time::Pace;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::apps::answering;
use crate::host::{Host, PATIENCE, TOKEN, account, settings, setup};

const MESSAGE: &str = "To=%2B15558675310&From=%2B15005550006&Body=Your+fax+was+sent";

fn host() -> Host {
    Host::new(setup("http://127.0.0.1:9/fax"))
}

/// Returns the path of the account's messages, with `rest` before the `.json`.
fn messages(rest: &str) -> String {
    format!("/2010-04-01/Accounts/{}/Messages{rest}.json", account())
}

/// Creates a message, and returns the resource.
async fn created(host: &Host, form: &str) -> Value {
    let answer = host.call("POST", &messages(""), form).await;
    assert_eq!(answer.status, 201, "{:?}", answer.json());
    answer.json()
}

/// Waits until the world is idle.
async fn rest(host: &Host) {
    let world = host.world();
    let idle = world.until(|engine| engine.is_idle().then_some(()));
    tokio::time::timeout(PATIENCE, idle).await.expect("the world becomes idle");
}

async fn events(host: &Host, query: &str) -> Vec<Value> {
    let (status, text) = host.text(&format!("{BASE}/events?account={}&{query}", account())).await;
    assert_eq!(status, 200, "{text}");
    let page: Value = serde_json::from_str(&text).expect("JSON");
    page["events"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_message_is_created_fetched_listed_redacted_and_deleted() {
    let host = host();
    let message = created(&host, MESSAGE).await;
    let sid = message["sid"].as_str().expect("a SID");
    assert!(sid.starts_with("SM") && sid.len() == 34, "{sid}");
    assert_eq!(
        (&message["status"], &message["price"], &message["date_sent"]),
        (&json!("queued"), &Value::Null, &Value::Null)
    );
    let uri = message["uri"].as_str().expect("a URI").to_owned();
    assert_eq!(uri, messages(&format!("/{sid}")));
    rest(&host).await;
    let delivered = host.call("GET", &uri, "").await.json();
    assert_eq!((&delivered["status"], &delivered["price"]), (&json!("delivered"), &json!("-0.00750")));
    assert!(delivered["date_sent"].is_string() && delivered["error_code"].is_null(), "{delivered}");
    let redacted = host.call("POST", &uri, "Body=").await.json();
    assert_eq!((&redacted["body"], &redacted["num_segments"]), (&json!(""), &json!("1")));
    assert_eq!(host.call("DELETE", &uri, "").await.status, 204);
    assert_eq!(host.call("GET", &uri, "").await.error(), (404, 20404));
    assert_eq!(host.call("DELETE", &uri, "").await.error(), (404, 20404));
}

#[tokio::test]
async fn a_list_of_messages_is_paged_newest_first_and_filtered() {
    let host = host();
    for to in ["15558675310", "15558675311", "15558675310"] {
        created(&host, &format!("To=%2B{to}&From=%2B15005550006&Body=x")).await;
    }
    rest(&host).await;
    let first =
        host.call("GET", &format!("/2010-04-01/Accounts/{}/Messages.json?PageSize=2", account()), "").await.json();
    assert_eq!((first["messages"].as_array().map(Vec::len), &first["page_size"]), (Some(2), &json!(2)));
    let next = host.call("GET", first["next_page_uri"].as_str().expect("a second page"), "").await.json();
    assert_eq!((next["messages"].as_array().map(Vec::len), &next["next_page_uri"]), (Some(1), &Value::Null));
    let recipient = |page: &Value, at: usize| page["messages"][at]["to"].clone();
    assert_eq!(recipient(&next, 0), "+15558675310");
    assert_eq!(recipient(&first, 1), "+15558675311");
    let found = |query: &str| {
        let (host, target) = (&host, format!("/2010-04-01/Accounts/{}/Messages.json?{query}", account()));
        async move { host.call("GET", &target, "").await.json()["messages"].as_array().map(Vec::len) }
    };
    assert_eq!(found("To=%2B15558675311").await, Some(1));
    assert_eq!(found("From=%2B15005550006&DateSent%3E=2000-01-01").await, Some(3));
    assert_eq!(found("DateSent=2000-01-01").await, Some(0));
    assert_eq!(
        host.call("GET", &format!("/2010-04-01/Accounts/{}/Messages.json?DateSent=x", account()), "").await.error(),
        (400, 20422)
    );
}

#[tokio::test]
async fn refusals_have_their_documented_codes_and_change_nothing() {
    let mut strict = settings(Pace::Max);
    strict.options.accounts = fauxfax::model::account::AccountMode::Strict;
    let host = Host::with(strict, &ClientOptions::default(), setup("http://127.0.0.1:9/fax"));
    for (form, code) in [
        ("From=%2B15005550006&Body=x", 21604),
        ("To=%2B15558675310&Body=x", 21603),
        ("To=%2B15558675310&From=%2B15005550006", 21602),
        ("To=%2B15005550001&From=%2B15005550006&Body=x", 21211),
        ("To=%2B15558675310&From=%2B15005550001&Body=x", 21212),
        ("To=%2B15558675310&From=%2B15017122661&Body=x", 21606),
    ] {
        assert_eq!(host.call("POST", &messages(""), form).await.error(), (400, code), "{form}");
    }
    assert_eq!(host.call("GET", &messages(""), "").await.json()["messages"], json!([]));
    let unknown = messages("/SM0123456789abcdef0123456789abcdef");
    assert_eq!(host.call("GET", &unknown, "").await.error(), (404, 20404));
    assert_eq!(host.call("GET", &messages("/1"), "").await.error(), (404, 20404));
    assert_eq!(host.call("PUT", &messages(""), "").await.error(), (405, 20004));
}

#[tokio::test]
async fn a_frozen_clock_holds_a_message_in_the_queue() {
    let host = Host::with(settings(Pace::default()), &ClientOptions::default(), setup("http://127.0.0.1:9/fax"));
    let world = host.world();
    world.set_clock_mode(ClockMode::Frozen);
    let uri = created(&host, MESSAGE).await["uri"].as_str().expect("a URI").to_owned();
    let status = async || host.call("GET", &uri, "").await.json()["status"].clone();
    assert_eq!(status().await, "queued");
    assert_eq!(host.call("DELETE", &uri, "").await.error(), (409, 20009));
    world.advance(world.now().after(Duration::from_millis(10))).await.expect("the clock moves");
    assert_eq!(status().await, "sent");
    world.drain().await.expect("the clock moves");
    assert_eq!(status().await, "delivered");
}

#[tokio::test]
async fn each_status_after_the_first_is_posted_signed_and_journaled() {
    let app = MockServer::start().await;
    Mock::given(method("POST")).and(path("/m")).respond_with(ResponseTemplate::new(204)).expect(3).mount(&app).await;
    let host = host();
    let url = format!("{}/m", app.uri());
    let message = created(&host, &format!("{MESSAGE}&StatusCallback={url}")).await;
    rest(&host).await;
    let requests = app.received_requests().await.expect("recorded");
    let form = |request: &Request| Form::parse(&request.body).expect("a form");
    let statuses: Vec<String> =
        requests.iter().map(|request| form(request).get("MessageStatus").unwrap_or_default().to_owned()).collect();
    assert_eq!(statuses, ["sent", "delivered"], "the initial status is only in the response");
    let mut tokens = std::collections::BTreeSet::new();
    for request in &requests {
        let form = form(request);
        let sid = message["sid"].as_str();
        assert_eq!((form.get("MessageSid"), form.get("SmsSid")), (sid, sid));
        assert_eq!((form.get("From"), form.get("To")), (Some("+15005550006"), Some("+15558675310")));
        assert_eq!((form.get("ApiVersion"), form.get("SmsStatus")), (Some("2010-04-01"), form.get("MessageStatus")));
        let params: Vec<_> = form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(request.headers["x-twilio-signature"], signature::of_form(TOKEN, &url, &params).as_str());
        tokens.insert(request.headers["i-twilio-idempotency-token"].to_str().expect("text").to_owned());
    }
    assert_eq!(tokens.len(), 2);
    let attempts = events(&host, "kind=webhook.attempt").await;
    assert_eq!(attempts.len(), 2);
    assert!(attempts.iter().all(|event| event["data"]["purpose"] == "status-callback" && event["fax_sid"].is_null()));
    let (_, text) = host.text(&format!("{BASE}/webhooks?account={}", account())).await;
    let page: Value = serde_json::from_str(&text).expect("JSON");
    let again =
        format!("{BASE}/webhooks/{}/replay?account={}", page["webhooks"][0]["id"].as_str().expect("an id"), account());
    assert_eq!(host.call("POST", &again, "{}").await.status, 200, "the callback can be replayed: {page}");
    let entered = events(&host, "kind=message.status").await;
    let last = &entered.last().expect("three statuses")["data"];
    assert_eq!(
        (entered.len(), last),
        (3, &json!({ "message_sid": message["sid"], "old": "sent", "new": "delivered" }))
    );
    let calls = events(&host, "kind=api.request").await;
    assert_eq!((calls[0]["data"]["method"].as_str(), calls[0]["data"]["status"].as_u64()), (Some("POST"), Some(201)));
}

#[tokio::test]
async fn a_failed_callback_raises_an_alert_about_the_message() {
    let app = answering(500, "", "no").await;
    let host = host();
    let message = created(&host, &format!("{MESSAGE}&StatusCallback={}/m", app.url)).await;
    assert_eq!(host.alerts_at_rest().await.len(), 2, "one alert for each callback");
    let list = host.api("GET", "/v1/Alerts", "/v1/Alerts", "").await;
    for alert in list["alerts"].as_array().expect("a list") {
        assert_eq!((&alert["error_code"], &alert["resource_sid"]), (&json!("11200"), &message["sid"]));
    }
}

#[tokio::test]
async fn test_credentials_may_send_messages_but_not_read_them() {
    let host = Host::new(AccountSetup { service: Some(Service::TestCredentials), ..setup("http://127.0.0.1:9/fax") });
    let message = created(&host, MESSAGE).await;
    let uri = message["uri"].as_str().expect("a URI");
    assert_eq!(host.call("GET", uri, "").await.error(), (403, 20008));
    assert_eq!(host.call("GET", "/v1/PhoneNumbers/%2B15005550006", "").await.error(), (403, 20008));
}

#[tokio::test]
async fn a_number_can_be_looked_up_in_both_api_versions() {
    let host = host();
    for target in
        ["/v1/PhoneNumbers/%2B14155550132", "/v1/PhoneNumbers/+14155550132", "/v1/PhoneNumbers/(415)%20555-0132"]
    {
        let found = host.call("GET", target, "").await.json();
        assert_eq!(
            (&found["phone_number"], &found["country_code"]),
            (&json!("+14155550132"), &json!("US")),
            "{target}"
        );
        assert_eq!(found["national_format"], "(415) 555-0132");
        assert_eq!(found["url"], "http://localhost:8329/v1/PhoneNumbers/+14155550132");
    }
    let abroad = host.call("GET", "/v1/PhoneNumbers/02077651182?CountryCode=GB&Type=carrier", "").await.json();
    assert_eq!((&abroad["phone_number"], &abroad["carrier"]), (&json!("+442077651182"), &Value::Null));
    for bad in ["%2B1415", "hello", "%2B2101234567", "%00", "%FF"] {
        assert_eq!(host.call("GET", &format!("/v1/PhoneNumbers/{bad}"), "").await.error(), (404, 20404), "{bad}");
    }
    let valid = host.call("GET", "/v2/PhoneNumbers/%2B14155550132?Fields=caller_name", "").await.json();
    assert_eq!((&valid["valid"], &valid["validation_errors"]), (&json!(true), &Value::Null));
    let invalid = host.call("GET", "/v2/PhoneNumbers/%2B1415", "").await;
    assert_eq!((invalid.status, &invalid.json()["validation_errors"]), (200, &json!(["TOO_SHORT"])));
    assert_eq!(host.call("POST", "/v1/PhoneNumbers/%2B14155550132", "").await.error(), (405, 20004));
    let wrong = (&*account().to_string(), "wrong");
    assert_eq!(host.call_as(wrong, "GET", "/v1/PhoneNumbers/%2B14155550132", "").await.error(), (401, 20003));
    assert!(!events(&host, "kind=api.request").await.is_empty());
}

#[tokio::test]
async fn a_signalwire_project_has_neither_messages_nor_look_ups() {
    let host = host();
    let project = "831455c6-574e-4d8b-b6ee-2418140bf4cd";
    let messages = format!("/2010-04-01/Accounts/{project}/Messages.json");
    assert_eq!(host.call_as((project, "t"), "GET", &messages, "").await.error(), (404, 20404));
    let looked_up = host.call_as((project, "t"), "GET", "/v1/PhoneNumbers/%2B14155550132", "").await;
    assert_eq!(looked_up.error(), (401, 20003));
}
