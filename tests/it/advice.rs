//! Tests that the control API says why a request or a fax failed and what to do, by the cause and not by the code
//! alone.

use fauxfax::http::control::BASE;
use serde_json::Value;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::host::{Host, setup};
use crate::script::call;

/// Starts an app whose FaxUrl responds with 500 and whose document is damaged. Any other path is a 404.
async fn app() -> MockServer {
    let app = MockServer::start().await;
    Mock::given(path("/fax")).respond_with(ResponseTemplate::new(500)).mount(&app).await;
    let damaged = ResponseTemplate::new(200).set_body_raw(b"%PDF-1.7\nand no more".as_slice(), "application/pdf");
    Mock::given(path("/damaged.pdf")).respond_with(damaged).mount(&app).await;
    app
}

fn host(app: &MockServer) -> Host {
    Host::new(setup(&format!("{}/fax", app.uri())))
}

/// Sends a fax with this document, waits until it has ended, and returns its resource in the control API.
async fn failed(host: &Host, media_url: &str) -> Value {
    let form = format!("To=%2B15558675310&From=%2B15017122661&MediaUrl={media_url}");
    let created = host.call("POST", "/v1/Faxes", &form).await.json();
    host.alerts_at_rest().await;
    let sid = created["sid"].as_str().unwrap_or_else(|| panic!("no fax: {created}"));
    host.call("GET", &format!("{BASE}/faxes/{sid}"), "").await.json()
}

/// Returns the code, the cause and the advice of the only alert.
async fn advice(host: &Host) -> (u64, String, String) {
    host.alerts_at_rest().await;
    let list = host.call("GET", &format!("{BASE}/events?kind=alert"), "").await.json();
    let [alert] = list["events"].as_array().expect("events").as_slice() else {
        panic!("expected exactly one alert: {list}")
    };
    let text = |name: &str| alert["data"][name].as_str().unwrap_or_else(|| panic!("no {name}: {alert}")).to_owned();
    (alert["data"]["code"].as_u64().expect("a code"), text("cause"), text("advice"))
}

#[tokio::test]
async fn the_advice_about_a_damaged_document_is_to_mend_it() {
    let app = app().await;
    let host = host(&app);
    let fax = failed(&host, &format!("{}/damaged.pdf", app.uri())).await;
    let (code, cause, remedy) = advice(&host).await;
    assert_eq!(code, 34_004);
    assert!(cause.starts_with("The document at the MediaUrl can't be turned into fax pages: "), "{cause}");
    assert!(cause.contains("damaged") && remedy.starts_with("Mend the document"), "{cause} {remedy}");
    assert_eq!((&fax["cause"], &fax["advice"]), (&cause.into(), &remedy.into()), "{fax}");
}

#[tokio::test]
async fn the_advice_about_a_missing_document_does_not_mention_twiml() {
    let app = app().await;
    let host = host(&app);
    let fax = failed(&host, &format!("{}/nothing.pdf", app.uri())).await;
    let (code, cause, remedy) = advice(&host).await;
    assert_eq!(code, 11_200);
    assert_eq!(cause, "The server at the MediaUrl responded with 404 to the request for the document.");
    assert!(remedy.contains("path of the MediaUrl") && !remedy.contains("TwiML"), "{remedy}");
    assert_eq!((&fax["cause"], &fax["advice"]), (&cause.into(), &remedy.into()), "{fax}");
}

#[tokio::test]
async fn the_cause_of_a_failed_request_for_twiml_names_the_status_of_the_response() {
    let app = app().await;
    let host = host(&app);
    let order = fauxfax::engine::input::ReceiveFax { document: crate::script::letter(1), ..call(1) };
    host.world().handle(order).expect("the call rings");
    let (code, cause, remedy) = advice(&host).await;
    assert_eq!((code, cause.as_str()), (11_200, "The app responded with 500 to the request for TwiML."));
    assert!(remedy.contains("log"), "{remedy}");
}

#[tokio::test]
async fn a_fax_that_did_not_fail_has_no_advice() {
    let app = MockServer::start().await;
    let document = ResponseTemplate::new(200).set_body_raw(fauxfax::document::sample::test_pages(1), "application/pdf");
    Mock::given(path("/fax.pdf")).respond_with(document).mount(&app).await;
    let fax = failed(&host(&app), &format!("{}/fax.pdf", app.uri())).await;
    assert_eq!((&fax["status"], &fax["cause"], &fax["advice"]), (&"delivered".into(), &Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_refused_rest_call_has_advice_in_its_event() {
    let app = app().await;
    let host = host(&app);
    let refused = host.call("POST", "/v1/Faxes", "From=%2B15017122661&MediaUrl=http://localhost/").await;
    assert_eq!(refused.error(), (400, 21_201));
    let list = host.call("GET", &format!("{BASE}/events?kind=api.request"), "").await.json();
    let data = &list["events"][0]["data"];
    assert_eq!(
        (&data["cause"], &data["advice"]),
        (&"To is missing.".into(), &"Add the parameter To.".into()),
        "{list}"
    );
}
