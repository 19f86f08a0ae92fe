//! Tests that an alert about a response which isn't TwiML says what the response is instead, and what to do about it.

use fauxfax::engine::input::ReceiveFax;
use fauxfax::http::control::BASE;
use serde_json::Value;

use crate::apps::{App, Manner, answering, app};
use crate::host::{Host, setup};
use crate::script::{call, letter};

const XML: &str = "Content-Type: text/xml\r\n";
const HTML: &str = "Content-Type: text/html\r\n";

/// Simulates an incoming fax to a number with this VoiceUrl, and returns the data of all alerts.
async fn alerts(voice_url: &str) -> Vec<Value> {
    let host = Host::new(setup(voice_url));
    let order = ReceiveFax { document: letter(1), ..call(1) };
    host.world().handle(order).expect("the call rings");
    host.alerts_at_rest().await;
    let list = host.call("GET", &format!("{BASE}/events?kind=alert"), "").await.json();
    list["events"].as_array().expect("events").iter().map(|event| event["data"].clone()).collect()
}

/// Returns the only alert about a fax to a number with this app's VoiceUrl.
async fn alert(app: &App) -> Value {
    let alerts = alerts(&format!("{}/fax", app.url)).await;
    let [alert] = alerts.as_slice() else { panic!("expected exactly one alert: {alerts:?}") };
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

#[tokio::test]
async fn each_kind_of_response_that_is_not_twiml_has_advice_of_its_own() {
    for (code, headers, body, cause, advice) in [
        (12_100, HTML, "<!DOCTYPE html><br><p>Log in", "a web page (HTML)", "CSRF"),
        (12_102, HTML, "<html><body>Oops</body></html>", "a web page (HTML)", "CSRF"),
        (12_100, XML, "OK", "plain text", "the simplest is <Response><Receive/></Response>"),
        (12_100, XML, "<!DOCTYPE a [<!ENTITY b \"c\">]><Response/>", "a DOCTYPE", "Remove the DOCTYPE"),
        (12_100, XML, "\n<?xml version=\"1.0\"?><Response/>", "precedes the XML declaration", "spaces before it"),
        (12_100, XML, "<Response><Receive></Response>", "isn't well-formed XML", "close every element"),
        (12_102, XML, "<Error><Code>AccessDenied</Code></Error>", "<Error>", "a storage service or a gateway"),
        (12_102, XML, "<?xml version=\"1.0\"?><Receive/>", "isn't <Response>", "Wrap the verb in <Response>"),
        (12_102, XML, "<response><Receive/></response>", "<response>", "case-sensitive"),
        (12_300, "Content-Type: application/json\r\n", "{\"a\":1}", "JSON", "Respond with TwiML, which is XML"),
    ] {
        assert_says(&alert(&answering(200, headers, body).await).await, code, cause, advice);
    }
    let odd = answering(200, "Content-Type: text/plain\r\n", "<Response><Receive/></Response>").await;
    assert_says(&alert(&odd).await, 12_300, "content type", "Respond with text/xml.");
}

#[tokio::test]
async fn an_unusable_action_is_not_reported_as_an_unanswered_call() {
    let taking = answering(200, XML, "<Response><Receive action=\"javascript:alert(1)\"/></Response>").await;
    assert_says(&alert(&taking).await, 11_100, "The action of <Receive>", "Correct the action");
}

#[tokio::test]
async fn a_response_that_is_nearly_http_is_not_mistaken_for_tls() {
    for (response, cause, advice) in [
        ("HTTP/1.1 200 OK\r\nBad Name: 1\r\nContent-Length: 0\r\n\r\n", "A header", "Correct the headers"),
        ("HTTP/1.1 200 \u{1}\r\nContent-Length: 0\r\n\r\n", "The first line", "reason phrase"),
        ("\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{46}", "The response isn't HTTP", "speaks TLS"),
    ] {
        let alert = alert(&app(Manner::Say(response.as_bytes().to_vec())).await).await;
        assert_says(&alert, 11_206, cause, advice);
        let message = alert["message"].as_str().expect("a message");
        assert_eq!(message.contains("https://"), advice.contains("TLS"), "{message}");
    }
}
