//! Tests downloads of a fax's media: without a `User-Agent` header, after two hours, after a deletion, with a changed
//! URL, and by a client that already has the document. Each refusal is journaled as an event of the fax.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, header};
use fauxfax::emulator::Settings;
use fauxfax::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use fauxfax::http;
use fauxfax::http::control::event;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::account::MediaUserAgent;
use fauxfax::model::time::Pace;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

use crate::host::{Host, settings, setup};

const RULE: &str = "you must specify an HTTP User-Agent header";

/// Starts an emulator with this policy for requests without a User-Agent, receives a fax, and returns the fax as JSON.
async fn received(media_user_agent: MediaUserAgent) -> (Host, Value) {
    let app = MockServer::start().await;
    let twiml = ResponseTemplate::new(200).set_body_raw("<Response><Receive/></Response>", "text/xml");
    Mock::given(path("/fax")).respond_with(twiml).mount(&app).await;
    let settings = Settings { media_user_agent, ..settings(Pace::Max) };
    let host = Host::with(settings, &ClientOptions::default(), setup(&format!("{}/fax", app.uri())));
    let ended = host.call("POST", "/_fauxfax/v1/incoming-faxes?wait=true", "{}").await.json();
    let target = format!("/v1/Faxes/{}", ended["fax_sid"].as_str().expect("a SID"));
    let fax = host.api("GET", "/v1/Faxes/{Sid}", &target, "").await;
    (host, fax)
}

async fn download(host: &Host, url: &str, headers: &[(header::HeaderName, &str)]) -> (u16, HeaderMap) {
    let response = ask(host, Method::GET, url, headers).await;
    (response.status().as_u16(), response.headers().clone())
}

async fn ask(host: &Host, method: Method, url: &str, headers: &[(header::HeaderName, &str)]) -> Response<Body> {
    let target = url.strip_prefix("http://localhost:8329").expect("a URL of the emulator");
    let request = Request::builder().method(method).uri(target).header(header::HOST, "localhost:8329");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
    let service = http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into());
    service.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer")
}

/// Returns the data of the fax's events of this kind.
fn events(host: &Host, fax: &Value, kind: &str) -> Vec<Value> {
    let sid = fax["sid"].as_str().expect("a SID").parse().ok();
    let filter = EventFilter { fax: sid, kind: Some(kind.into()), ..EventFilter::default() };
    let events = host.world().read_journal(|journal| journal.events(&filter, JOURNAL_EVENTS_MAX));
    events.iter().map(|each| event::json(each)["data"].clone()).collect()
}

fn text<'a>(fax: &'a Value, name: &str) -> &'a str {
    fax[name].as_str().expect("a string")
}

const CURL: (header::HeaderName, &str) = (header::USER_AGENT, "curl/8");

#[tokio::test]
async fn a_download_without_a_user_agent_is_served_with_a_warning_that_quotes_the_rule() {
    let (host, fax) = received(MediaUserAgent::Warn).await;
    assert_eq!(download(&host, text(&fax, "media_url"), &[CURL]).await.0, 200);
    assert!(events(&host, &fax, "media.warning").is_empty());
    assert_eq!(download(&host, text(&fax, "media_url"), &[]).await.0, 200);
    let resource = format!("/v1/Faxes/{}/Media/{}", text(&fax, "sid"), text(&fax, "media_sid"));
    assert_eq!(host.call("GET", &resource, "").await.status, 200);
    let warnings = events(&host, &fax, "media.warning");
    assert_eq!(warnings.len(), 2, "the media resource warns as the media URL does");
    assert!(warnings.iter().all(|warning| text(warning, "detail").contains(RULE)), "{warnings:?}");
    assert!(events(&host, &fax, "media.refused").is_empty() && events(&host, &fax, "alert").is_empty());
}

#[tokio::test]
async fn a_download_without_a_required_user_agent_is_refused() {
    let (host, fax) = received(MediaUserAgent::Required).await;
    assert_eq!(download(&host, text(&fax, "media_url"), &[CURL]).await.0, 200);
    for headers in [&[][..], &[(header::USER_AGENT, "")]] {
        assert_eq!(download(&host, text(&fax, "media_url"), headers).await.0, 403);
    }
    let resource = format!("/v1/Faxes/{}/Media/{}", text(&fax, "sid"), text(&fax, "media_sid"));
    assert_eq!(host.call("GET", &resource, "").await.error(), (403, 20403));
    let refused = events(&host, &fax, "media.refused");
    assert_eq!(refused.len(), 3);
    let is_told = |event: &Value| event["reason"] == "no-user-agent" && text(event, "detail").contains(RULE);
    assert!(refused.iter().all(is_told), "{refused:?}");
    assert_eq!(host.call("GET", &format!("/v1/Faxes/{}", text(&fax, "sid")), "").await.status, 200);
}

#[tokio::test]
async fn a_refused_download_is_journaled_as_an_event_of_its_fax() {
    let (host, fax) = received(MediaUserAgent::Warn).await;
    let url = text(&fax, "media_url");
    assert_eq!(download(&host, &format!("{url}0"), &[CURL]).await.0, 403);
    host.call("PUT", "/_fauxfax/v1/clock", "{\"mode\":\"frozen\"}").await;
    // A media URL is valid for two hours.
    host.call("POST", "/_fauxfax/v1/clock/advance", "{\"seconds\":7201}").await;
    assert_eq!(download(&host, url, &[CURL]).await.0, 403);
    let target = format!("/v1/Faxes/{}", text(&fax, "sid"));
    let fresh = host.call("GET", &target, "").await.json();
    assert_eq!(host.call("DELETE", &target, "").await.status, 204);
    assert_eq!(download(&host, text(&fresh, "media_url"), &[CURL]).await.0, 404);
    let told: Vec<_> = events(&host, &fax, "media.refused")
        .iter()
        .map(|event| (event["status"].clone(), event["reason"].clone()))
        .collect();
    let expected = [(403, "bad-signature"), (403, "expired"), (404, "deleted")];
    assert_eq!(told, expected.map(|(status, reason)| (json!(status), json!(reason))));
    assert_eq!(download(&host, "http://localhost:8329/fax/AC1/FX1/ME1", &[CURL]).await.0, 404, "an unknown account");
}

#[tokio::test]
async fn a_client_that_has_the_document_gets_304_and_extra_parameters_are_harmless() {
    let (host, fax) = received(MediaUserAgent::Warn).await;
    let url = format!("{}&download=1", text(&fax, "media_url"));
    let (status, headers) = download(&host, &url, &[CURL]).await;
    let etag = headers[header::ETAG].to_str().expect("text").to_owned();
    assert_eq!(status, 200);
    let (status, headers) = download(&host, &url, &[CURL, (header::IF_NONE_MATCH, &etag)]).await;
    assert_eq!((status, headers[header::ETAG].to_str().expect("text")), (304, etag.as_str()));
    let (status, _) = download(&host, &format!("{url}0"), &[CURL, (header::IF_NONE_MATCH, &etag)]).await;
    assert_eq!(status, 304, "the signature doesn't cover parameters that a client adds");
}

#[tokio::test]
async fn a_download_that_a_client_gives_up_is_journaled_and_the_traffic_has_the_bytes_that_were_sent() {
    let (host, fax) = received(MediaUserAgent::Warn).await;
    let url = text(&fax, "media_url");
    let rule = host.call("POST", "/_fauxfax/v1/rules", "{\"media\":{\"bytes_per_second\":1000}}").await.json();
    let response = ask(&host, Method::HEAD, url, &[CURL]).await;
    let length: usize = response.headers()[header::CONTENT_LENGTH].to_str().expect("text").parse().expect("a number");
    drop(response);
    let mut cut = ask(&host, Method::GET, url, &[CURL]).await.into_body();
    let piece = cut.frame().await.expect("a piece").expect("no failure").into_data().expect("bytes");
    assert_eq!(piece.len(), 100, "a tenth of what is sent per second");
    drop(cut);
    // Now the whole document is downloaded, nearly without pauses.
    let fast = "{\"media\":{\"bytes_per_second\":10000000}}";
    host.call("POST", &format!("/_fauxfax/v1/rules/{}", rule["id"]), fast).await;
    let whole = ask(&host, Method::GET, url, &[CURL]).await.into_body().collect().await.expect("no failure").to_bytes();
    assert_eq!(whole.len(), length);

    let given_up: Vec<_> = events(&host, &fax, "media.warning")
        .into_iter()
        .filter(|warning| warning["reason"] == "given-up")
        .map(|warning| warning["detail"].clone())
        .collect();
    let expected = format!("the client closed the connection after at most 100 of the document's {length} bytes");
    assert_eq!(given_up, [json!(expected)]);
    let traffic = host.call("GET", "/_fauxfax/v1/traffic?kind=media&status=200", "").await.json();
    let sent: Vec<_> =
        traffic["requests"].as_array().expect("a list").iter().map(|each| &each["answer_bytes"]).collect();
    assert_eq!(sent[1..], [&json!(100), &json!(length)]);
}
