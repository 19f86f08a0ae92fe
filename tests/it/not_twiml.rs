//! Tests that an alert about a response which isn't TwiML says what the response is instead, and what to do about it.

use fauxfax::engine::input::ReceiveFax;
use fauxfax::http::control::BASE;
use serde_json::Value;

use crate::apps::{App, answering};
use crate::host::{Host, setup};
use crate::script::{call, letter};

const XML: &str = "Content-Type: text/xml\r\n";
const HTML: &str = "Content-Type: text/html\r\n";

/// Lets a fax come in for a number with this FaxUrl, and returns the data of all alerts.
async fn alerts(voice_url: &str) -> Vec<Value> {
    let host = Host::new(setup(voice_url));
    let order = ReceiveFax { document: letter(1), ..call(1) };
    host.world().handle(order).expect("the call rings");
    host.alerts_at_rest().await;
    let list = host.call("GET", &format!("{BASE}/events?kind=alert"), "").await.json();
    list["events"].as_array().expect("events").iter().map(|event| event["data"].clone()).collect()
}

/// Returns the only alert about this app's FaxUrl.
async fn alert(app: &App) -> Value {
    let alerts = alerts(&format!("{}/fax", app.url)).await;
    let [alert] = alerts.as_slice() else { panic!("not one alert: {alerts:?}") };
    alert.clone()
}

fn assert_says(alert: &Value, code: u32, cause: &str, advice: &str) {
    let text = |name: &str| alert[name].as_str().unwrap_or_default();
    assert_eq!(alert["code"], code, "{alert}");
    assert!(text("cause").contains(cause), "{cause}: {alert}");
    assert!(text("advice").contains(advice), "{advice}: {alert}");
}

#[tokio::test]
async fn an_error_status_is_reported_whatever_the_size_of_the_response() {
    for bytes in [140_000, 300_000] {
        let page = format!("<html>{}</html>", " ".repeat(bytes));
        let failing = answering(500, HTML, &page).await;
        assert_says(&alert(&failing).await, 11_200, "The app responded with 500", "your app's log");
        let twiml = format!("<Response><Receive action=\"{}/done\"/></Response>", failing.url);
        let of_action = alert(&answering(200, XML, &twiml).await).await;
        assert_says(&of_action, 11_200, "The app responded with 500 to the webhook", "your app's log");
    }
}

