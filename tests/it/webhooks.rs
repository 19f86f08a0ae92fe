//! Tests how webhooks are sent: signed anew at each hop, with a fax's cookies, without the fragment, with the
//! credential that a server asks for, and retried as the URL says. Also tests that a misbehaving app harms only itself.

use std::time::Duration;

use fauxfax::dialect::signature;
use fauxfax::dialect::twilio::codes::code as code_of;
use fauxfax::engine::event::EventKind;
use fauxfax::engine::input::ReceiveFax;
use fauxfax::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use fauxfax::io::client::ClientOptions;
use fauxfax::model::fax::Status;
use fauxfax::model::hex;
use fauxfax::model::sid::FaxSid;
use fauxfax::model::time::Pace;
use fauxfax::model::webhook::{Method, Purpose};
use md5::{Digest, Md5};
use wiremock::matchers::{header, header_exists, method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::apps::{Manner, app};
use crate::host::{Host, PATIENCE, TOKEN, settings, setup};
use crate::script::{call, letter};

fn twiml(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(format!("<Response>{body}</Response>"), "text/xml")
}

fn ring(host: &Host) {
    let call = ReceiveFax { document: letter(1), ..call(1) };
    host.world().handle(call).expect("the call rings");
}

fn fields(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

/// Checks that the request's signature covers the form and the URL as sent.
fn assert_signed(server: &MockServer, request: &Request) {
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}{}{query}", server.uri(), request.url.path());
    let expected = signature::of_form(TOKEN, &url, &fields(&request.body));
    assert_eq!(request.headers["x-twilio-signature"], expected.as_str(), "{url}");
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("recorded")
}

#[tokio::test]
async fn cookies_are_returned_within_a_fax_but_not_in_the_next() {
    let server = MockServer::start().await;
    let receive = twiml("<Receive action=\"/done\"/>").append_header("Set-Cookie", "session=one; Path=/; HttpOnly");
    Mock::given(path("/fax")).respond_with(receive).mount(&server).await;
    Mock::given(path("/done"))
        .and(header("cookie", "session=one"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let host = Host::new(setup(&format!("{}/fax", server.uri())));
    for _ in 0..2 {
        ring(&host);
        assert!(host.alerts_at_rest().await.is_empty(), "the action gets the cookie");
    }
    let asked: Vec<_> = requests(&server).await.into_iter().filter(|request| request.url.path() == "/fax").collect();
    assert!(asked.len() == 2 && asked.iter().all(|request| !request.headers.contains_key("cookie")));
}

#[tokio::test]
async fn requests_for_one_fax_are_spans_of_one_trace_if_tracing_is_on() {
    let server = MockServer::start().await;
    Mock::given(path("/fax")).respond_with(twiml("<Receive action=\"/done\"/>")).mount(&server).await;
    Mock::given(path("/done")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let traced = ClientOptions { traceparent: true, ..ClientOptions::default() };
    for options in [ClientOptions::default(), traced] {
        let host = Host::with(settings(Pace::Max), &options, setup(&format!("{}/fax", server.uri())));
        ring(&host);
        assert!(host.alerts_at_rest().await.is_empty());
    }
    let requests = requests(&server).await;
    let value =
        |request: &Request| request.headers.get("traceparent").map(|value| value.to_str().expect("text").to_owned());
    let traces: Vec<_> = requests.iter().map(value).collect();
    let [None, None, Some(asked), Some(told)] = &traces[..] else { panic!("not as set: {traces:?}") };
    let sid = fields(&requests[3].body).into_iter().find(|(name, _)| name == "FaxSid").expect("a SID").1;
    let trace = format!("00-{}-", &sid[2..]);
    assert!(asked.starts_with(&trace) && told.starts_with(&trace) && asked != told, "{traces:?}");
}

#[tokio::test]
async fn each_redirect_hop_is_signed_separately_and_relative_actions_resolve_against_the_last() {
    let server = MockServer::start().await;
    for (from, status, to) in [("/fax", 307, "/a/kept?x=1"), ("/a/kept", 302, "/b/got")] {
        let redirect = ResponseTemplate::new(status).insert_header("Location", to);
        Mock::given(method("POST")).and(path(from)).respond_with(redirect).mount(&server).await;
    }
    Mock::given(method("GET"))
        .and(path("/b/got"))
        .respond_with(twiml("<Receive action=\"done\"/>"))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/b/done"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let host = Host::new(setup(&format!("{}/fax#ct=500", server.uri())));
    ring(&host);
    assert!(host.alerts_at_rest().await.is_empty());
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 4);
    requests.iter().for_each(|request| assert_signed(&server, request));
    let tokens: Vec<_> = requests.iter().map(|request| &request.headers["i-twilio-idempotency-token"]).collect();
    assert!(tokens[0] == tokens[1] && tokens[1] == tokens[2] && tokens[2] != tokens[3], "one token per webhook");
    assert!(requests[2].body.is_empty(), "a 302 leads to a GET without the form");
}

#[tokio::test]
async fn a_urls_credential_is_sent_only_where_it_is_requested() {
    let server = MockServer::start().await;
    // us:p+w in Base64.
    let basic = "Basic dXM6cCt3";
    Mock::given(path("/fax"))
        .and(header("authorization", basic))
        .respond_with(twiml("<Receive/>"))
        .with_priority(1)
        .mount(&server)
        .await;
    let challenge = ResponseTemplate::new(401).insert_header("WWW-Authenticate", "Basic realm=\"fax\"");
    Mock::given(path("/fax")).respond_with(challenge).mount(&server).await;
    let host = Host::new(setup(&format!("{}/fax", server.uri().replace("http://", "http://us:p%2Bw@"))));
    ring(&host);
    assert!(host.alerts_at_rest().await.is_empty());
    let requests = requests(&server).await;
    assert_eq!((requests.len(), requests[0].headers.contains_key("authorization")), (2, false));
    requests.iter().for_each(|request| assert_signed(&server, request));
}

/// A server that requires HTTP Digest (RFC 7616) and computes the expected response itself.
struct DigestServer;

impl Respond for DigestServer {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let challenge = "Digest realm=\"fax\", qop=\"auth,auth-int\", algorithm=MD5, nonce=\"n1\", opaque=\"o\"";
        let refused = ResponseTemplate::new(401).insert_header("WWW-Authenticate", challenge);
        let Some(given) = request.headers.get("authorization").and_then(|value| value.to_str().ok()) else {
            return refused;
        };
        let part = |name: &str| {
            let found = given.split([',', ' ']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            found.unwrap_or_default().trim_matches('"').to_owned()
        };
        let hash = |text: String| hex::encode(Md5::digest(text));
        let secret = hash("us:fax:p+w".to_owned());
        let target = format!("{}?{}", request.url.path(), request.url.query().unwrap_or_default());
        let asked = hash(format!("{}:{target}", request.method));
        let expected = hash(format!("{secret}:n1:{}:{}:auth:{asked}", part("nc"), part("cnonce")));
        let good = part("response") == expected && part("uri") == target && part("opaque") == "o";
        if good { twiml("<Receive/>") } else { refused }
    }
}

#[tokio::test]
async fn a_digest_challenge_is_answered_as_a_real_server_expects() {
    let server = MockServer::start().await;
    Mock::given(path("/fax")).respond_with(DigestServer).expect(2).mount(&server).await;
    let host = Host::new(setup(&format!("{}/fax?a=b", server.uri().replace("http://", "http://us:p%2Bw@"))));
    ring(&host);
    assert!(host.alerts_at_rest().await.is_empty());
    let wrong = Host::new(setup(&format!("{}/fax?a=b", server.uri().replace("http://", "http://us:wrong@"))));
    server.reset().await;
    Mock::given(path("/fax")).respond_with(DigestServer).mount(&server).await;
    ring(&wrong);
    let codes: Vec<u32> = wrong.alerts_at_rest().await.iter().map(|alert| code_of(alert.fault)).collect();
    assert_eq!((codes, requests(&server).await.len()), (vec![11200], 2), "a wrong credential is tried once");
}

#[tokio::test]
async fn requests_for_a_host_can_be_sent_elsewhere_and_still_name_it() {
    let server = MockServer::start().await;
    Mock::given(path("/fax")).and(header("host", "app.test:81")).respond_with(twiml("<Receive/>")).mount(&server).await;
    let connect_to = format!("app.test=127.0.0.1:{}", server.address().port()).parse().expect("two hosts");
    let options = ClientOptions { connect_to: vec![connect_to], ..ClientOptions::default() };
    let host = Host::with(settings(Pace::Max), &options, setup("http://app.test:81/fax"));
    ring(&host);
    assert!(host.alerts_at_rest().await.is_empty());
    let request = &requests(&server).await[0];
    let signed = signature::of_form(TOKEN, "http://app.test:81/fax", &fields(&request.body));
    assert_eq!(request.headers["x-twilio-signature"], signed.as_str());
}

#[tokio::test]
async fn an_app_with_an_https_url_can_be_reached_over_plain_http() {
    let server = MockServer::start().await;
    let url = "https://app.example.com/fax?a=b";
    let named = Mock::given(path("/fax")).and(header("host", "app.example.com"));
    named.respond_with(twiml("<Receive action=\"/received\"/>")).mount(&server).await;
    Mock::given(path("/received")).respond_with(ResponseTemplate::new(204)).mount(&server).await;
    let connect_to = format!("app.example.com:443=http://127.0.0.1:{}", server.address().port());
    let connect_to = vec![connect_to.parse().expect("a host and a URL")];
    let host = Host::with(settings(Pace::Max), &ClientOptions { connect_to, ..ClientOptions::default() }, setup(url));
    ring(&host);
    assert!(host.alerts_at_rest().await.is_empty());
    let requests = requests(&server).await;
    for (request, url) in requests.iter().zip([url, "https://app.example.com/received"]) {
        let signed = signature::of_form(TOKEN, url, &fields(&request.body));
        assert_eq!(request.headers["x-twilio-signature"], signed.as_str(), "{url}");
        assert_eq!(request.headers["x-forwarded-proto"], "https");
    }
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn a_webhook_is_retried_as_its_url_says_with_the_same_token() {
    for (fragment, tries) in
        [("", 1), ("#rc=2", 1), ("#rc=2&rp=5xx", 3), ("#rp=all", 2), ("#rc=0&rp=all", 1), ("#rc=2&rp=4xx", 1)]
    {
        let server = MockServer::start().await;
        Mock::given(path("/fax")).respond_with(ResponseTemplate::new(503)).expect(tries).mount(&server).await;
        let host = Host::new(setup(&format!("{}/fax{fragment}", server.uri())));
        ring(&host);
        let codes: Vec<u32> = host.alerts_at_rest().await.iter().map(|alert| code_of(alert.fault)).collect();
        assert_eq!(codes, [11200], "{fragment}: one alert, after the last try");
        let requests = requests(&server).await;
        let tokens: Vec<_> = requests.iter().map(|request| &request.headers["i-twilio-idempotency-token"]).collect();
        assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]), "{fragment}");
        assert!(requests.iter().all(|request| request.url.fragment().is_none()));
        server.verify().await;
    }
}

#[tokio::test]
async fn a_status_callback_that_fails_once_gets_only_that_status_again() {
    let server = MockServer::start().await;
    let pdf = ResponseTemplate::new(200).set_body_raw(fauxfax::document::sample::test_pages(1), "application/pdf");
    Mock::given(path("/a.pdf")).and(header_exists("x-twilio-signature")).respond_with(pdf).mount(&server).await;
    Mock::given(path("/status")).respond_with(ResponseTemplate::new(502)).up_to_n_times(1).mount(&server).await;
    Mock::given(path("/status")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let host = Host::new(setup("http://127.0.0.1:9/fax"));
    let callback = format!("{}/status%23rp=5xx", server.uri());
    let form =
        format!("To=%2B15558675310&From=%2B15005550006&MediaUrl={}/a.pdf&StatusCallback={callback}", server.uri());
    host.api("POST", "/v1/Faxes", "/v1/Faxes", &form).await;
    assert!(host.alerts_at_rest().await.is_empty(), "the second try succeeds");
    let told: Vec<_> = requests(&server).await.into_iter().filter(|request| request.url.path() == "/status").collect();
    let value = |request: &Request| {
        let status = fields(&request.body).into_iter().find(|(name, _)| name == "FaxStatus");
        status.map(|(_, value)| value).unwrap_or_default()
    };
    let statuses: Vec<String> = told.iter().map(value).collect();
    assert_eq!(statuses, ["queued", "queued", "processing", "sending", "delivered"]);
}

#[tokio::test]
async fn a_misbehaving_app_affects_only_its_own_delivery() {
    let server = MockServer::start().await;
    let pdf = ResponseTemplate::new(200).set_body_raw(fauxfax::document::sample::test_pages(1), "application/pdf");
    Mock::given(path("/a.pdf")).respond_with(pdf).mount(&server).await;
    Mock::given(path("/status")).respond_with(ResponseTemplate::new(200)).expect(4).mount(&server).await;
    let host = Host::new(setup("http://127.0.0.1:9/fax"));
    let mut bad = Vec::new();
    for manner in [Manner::Hang, Manner::Close, Manner::Drip, Manner::Pour] {
        bad.push(app(manner).await);
    }
    let send = async |callback: &str| {
        let form =
            format!("To=%2B15558675310&From=%2B15005550006&MediaUrl={}/a.pdf&StatusCallback={callback}", server.uri());
        host.api("POST", "/v1/Faxes", "/v1/Faxes", &form).await["sid"]
            .as_str()
            .and_then(|sid| sid.parse::<FaxSid>().ok())
    };
    let mut faxes = Vec::new();
    for app in &bad {
        faxes.push(send(&format!("{}/status%23tt=1500", app.url)).await.expect("a SID"));
    }
    faxes.push(send(&format!("{}/status", server.uri())).await.expect("a SID"));
    let world = host.world();
    let delivered = world.until(|engine| {
        faxes.iter().all(|sid| engine.fax(*sid).is_ok_and(|fax| fax.status() == Status::Delivered)).then_some(())
    });
    // Shorter than the total timeout of the callbacks, 1,500 ms.
    let fast = Duration::from_millis(1_400);
    tokio::time::timeout(fast, delivered).await.expect("no fax waits for a callback, hanging or not");
    let codes: Vec<u32> = host.alerts_at_rest().await.iter().map(|alert| code_of(alert.fault)).collect();
    let count = |code: u32| codes.iter().filter(|each| **each == code).count();
    assert_eq!((count(11203), count(11205), count(11200)), (8, 4, 4), "hang and drip, close, pour: {codes:?}");
    tokio::time::timeout(PATIENCE, server.verify()).await.expect("the good callback is notified of every status");
}

#[tokio::test]
async fn an_action_with_a_file_is_sent_and_recorded_as_a_post_whatever_method_the_twiml_names() {
    let server = MockServer::start().await;
    let receive = twiml("<Receive action=\"/done\" method=\"GET\" storeMedia=\"false\"/>");
    Mock::given(path("/fax")).respond_with(receive).mount(&server).await;
    Mock::given(path("/done")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let host = Host::new(setup(&format!("{}/fax", server.uri())));
    ring(&host);
    assert!(host.alerts_at_rest().await.is_empty());
    let sent = requests(&server).await.into_iter().find(|request| request.url.path() == "/done").expect("an action");
    assert_eq!((sent.method.as_str(), sent.url.query()), ("POST", None));
    assert!(sent.headers["content-type"].to_str().expect("text").starts_with("multipart/form-data"));
    let events = host.world().read(|engine| engine.events(&EventFilter::default(), JOURNAL_EVENTS_MAX));
    let records = events.iter().filter_map(|event| event.kind.exchange());
    let methods: Vec<_> =
        records.filter(|record| record.purpose == Purpose::Action).map(|record| record.method).collect();
    assert_eq!(methods, [Method::Post]);
}

#[tokio::test]
async fn a_failed_attempt_and_its_retry_are_journaled_with_their_responses() {
    let server = MockServer::start().await;
    Mock::given(path("/fax"))
        .respond_with(ResponseTemplate::new(503).set_body_string("later"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(path("/fax")).respond_with(twiml("<Reject/>")).mount(&server).await;
    let host = Host::new(setup(&format!("{}/fax#rp=5xx", server.uri())));
    ring(&host);
    assert!(host.alerts_at_rest().await.is_empty());
    let events = host.world().read(|engine| engine.events(&EventFilter::default(), JOURNAL_EVENTS_MAX));
    let attempts: Vec<_> =
        events.iter().filter(|event| matches!(event.kind, EventKind::WebhookAttempt { .. })).collect();
    let records: Vec<_> = attempts.iter().filter_map(|event| event.kind.exchange()).collect();
    let answered: Vec<_> = records.iter().map(|record| (record.status, record.response_body.as_str())).collect();
    assert_eq!(answered, [(Some(503), "later"), (Some(200), "<Response><Reject/></Response>")]);
}
