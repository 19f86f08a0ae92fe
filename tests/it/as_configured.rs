//! Tests configured URLs on the wire: which part is sent and signed, where a relative action leads and with which
//! credential, names under `localhost`, reports about servers that respond oddly, and trusted certificates.

use fauxfax::dialect::twilio::codes::code as code_of;
use fauxfax::dialect::{address, signature};
use fauxfax::engine::input::ReceiveFax;
use fauxfax::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use fauxfax::http::control::event;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::account::TwimlTypes;
use fauxfax::model::time::Pace;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::apps::{Authority, Manner, answering, app};
use crate::host::{Host, TOKEN, settings, setup};
use crate::script::{call, letter};

fn ring(host: &Host) {
    let call = ReceiveFax { document: letter(1), ..call(1) };
    host.world().handle(call).expect("the call rings");
}

fn twiml(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(format!("<Response>{body}</Response>"), "text/xml")
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("recorded")
}

/// Returns the whole journal as text.
fn journal(host: &Host) -> String {
    let events = host.world().read_journal(|journal| journal.events(&EventFilter::default(), JOURNAL_EVENTS_MAX));
    events.iter().map(|event| event::json(event).to_string()).collect()
}

/// Receives a fax at a number whose FaxUrl is `http://127.0.0.1:PORT` followed by `rest`, and checks the signature of
/// the request. Returns the request line, the URL that was signed, and the origin.
async fn sent_to(rest: &str) -> (String, String, String) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let host = Host::new(setup(&format!("{origin}{rest}")));
    ring(&host);
    let (stream, _) = listener.accept().await.expect("a client");
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(stream));
    let (mut first, mut signature, mut length) = (String::new(), String::new(), 0);
    while let Ok(Some(line)) = lines.next_line().await {
        if line.is_empty() {
            break;
        }
        if first.is_empty() {
            first.clone_from(&line);
        }
        if let Some((name, value)) = line.split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "x-twilio-signature" => value.clone_into(&mut signature),
                "content-length" => length = value.parse().expect("a length"),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    tokio::io::AsyncReadExt::read_exact(&mut lines.into_inner(), &mut body).await.expect("the form");
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let normal = address::normal(&format!("{origin}{rest}")).expect("a URL");
    assert_eq!(signature, signature::of_form(TOKEN, &normal, &fields), "{rest}");
    (first, normal, origin)
}

#[tokio::test]
async fn every_character_is_sent_and_signed_as_configured_unless_it_cannot_be_sent() {
    let marks: String = (b'!'..=b'~').filter(|mark| !mark.is_ascii_alphanumeric()).map(char::from).collect();
    let in_path = marks.replace(['?', '#'], "");
    let in_query = marks.replace('#', "");
    let encoded = |text: &str| {
        let table = [('"', "%22"), ('<', "%3C"), ('>', "%3E"), ('`', "%60"), ('\\', "%5C")];
        table.iter().fold(text.to_owned(), |text, (mark, escape)| text.replace(*mark, escape))
    };
    let (first, ..) = sent_to(&format!("/a{in_path}z?q={in_query}")).await;
    assert_eq!(first, format!("POST /a{}z?q={} HTTP/1.1", encoded(&in_path), encoded(&in_query)));
}

#[tokio::test]
async fn dots_escapes_and_non_ascii_letters_are_sent_as_configured() {
    for (configured, sent) in [
        ("/s?n=o'brien", "/s?n=o'brien"),
        ("/a/../b/./c", "/a/../b/./c"),
        ("/%7Ejoe?x=%7E", "/%7Ejoe?x=%7E"),
        ("/a b?c d", "/a%20b?c%20d"),
        ("/caf\u{e9}?n=\u{e9}", "/caf%C3%A9?n=%C3%A9"),
        ("", "/"),
        ("?x=1", "/?x=1"),
        ("/x?#rc=0", "/x"),
    ] {
        let (first, normal, origin) = sent_to(configured).await;
        assert_eq!(first, format!("POST {sent} HTTP/1.1"));
        assert_eq!(normal, format!("{origin}{sent}"));
    }
}

#[test]
fn the_sign_command_signs_a_url_as_configured() {
    let configured = "HTTP://u:p@App.test:80/a b?n=o'brien#rc=1";
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fauxfax"));
    let output = command.args(["sign", "--token", TOKEN, "--param", "A=1", configured]).output().expect("run");
    let form = [("A".to_owned(), "1".to_owned())];
    let expected = signature::of_form(TOKEN, "http://app.test:80/a%20b?n=o'brien", &form);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected);
}

#[tokio::test]
async fn an_explicit_port_is_kept_and_the_host_is_lowercased() {
    let server = MockServer::start().await;
    Mock::given(path("/fax")).respond_with(twiml("<Receive/>")).mount(&server).await;
    let connect_to = vec![format!("app.test=127.0.0.1:{}", server.address().port()).parse().expect("a pair of hosts")];
    let options = ClientOptions { connect_to, ..ClientOptions::default() };
    let host = Host::with(settings(Pace::Max), &options, setup("HTTP://App.TEST:80/fax"));
    ring(&host);
    assert!(host.alerts_at_rest().await.is_empty());
    let request = &requests(&server).await[0];
    assert_eq!(request.headers["host"], "app.test:80");
    let fields: Vec<_> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let signed = signature::of_form(TOKEN, "http://app.test:80/fax", &fields);
    assert_eq!(request.headers["x-twilio-signature"], signed.as_str());
}

#[tokio::test]
async fn a_relative_action_is_sent_with_the_fax_urls_credential() {
    for (redirected, action) in [(false, "/done"), (false, "../done"), (true, "/done"), (true, "done")] {
        let server = MockServer::start().await;
        // `us:p+w` in Base64.
        let basic = || header("authorization", "Basic dXM6cCt3");
        let fax = if redirected { "/a/kept" } else { "/a/fax" };
        let receive = twiml(&format!("<Receive action=\"{action}\"/>"));
        Mock::given(path(fax)).and(basic()).respond_with(receive).with_priority(1).mount(&server).await;
        if redirected {
            let redirect = ResponseTemplate::new(307).insert_header("Location", "kept");
            Mock::given(path("/a/fax")).and(basic()).respond_with(redirect).with_priority(1).mount(&server).await;
        }
        let done = if action == "done" { "/a/done" } else { "/done" };
        let taken = ResponseTemplate::new(200);
        Mock::given(path(done)).and(basic()).respond_with(taken).with_priority(1).expect(1).mount(&server).await;
        let challenge = ResponseTemplate::new(401).insert_header("WWW-Authenticate", "Basic realm=\"fax\"");
        Mock::given(method("POST")).respond_with(challenge).mount(&server).await;
        let host = Host::new(setup(&format!("{}/a/fax", server.uri().replace("http://", "http://us:p%2Bw@"))));
        ring(&host);
        assert!(host.alerts_at_rest().await.is_empty(), "{action}");
        server.verify().await;
        let shown = journal(&host);
        assert!(!shown.contains("p%2Bw") && !shown.contains("p+w") && !shown.contains("dXM6cCt3"), "{shown}");
    }
}

#[tokio::test]
async fn a_credential_is_sent_to_no_other_origin() {
    let (server, other) = (MockServer::start().await, MockServer::start().await);
    let basic = header("authorization", "Basic dXM6cCt3");
    let action = twiml(&format!("<Receive action=\"{}/done\"/>", other.uri()));
    Mock::given(path("/fax")).and(basic).respond_with(action).with_priority(1).mount(&server).await;
    let challenge = || ResponseTemplate::new(401).insert_header("WWW-Authenticate", "Basic realm=\"fax\"");
    Mock::given(method("POST")).respond_with(challenge()).mount(&server).await;
    Mock::given(method("POST")).respond_with(challenge()).mount(&other).await;
    let host = Host::new(setup(&format!("{}/fax", server.uri().replace("http://", "http://us:p%2Bw@"))));
    ring(&host);
    let codes: Vec<u32> = host.alerts_at_rest().await.iter().map(|alert| code_of(alert.fault)).collect();
    assert_eq!(codes, [11200], "the other origin is not sent the credential");
    let asked = requests(&other).await;
    assert!(asked.len() == 1 && !asked[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_name_under_localhost_leads_to_this_machine() {
    let server = MockServer::start().await;
    Mock::given(path("/fax")).respond_with(twiml("<Receive action=\"/done\"/>")).mount(&server).await;
    Mock::given(path("/done")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let host = Host::new(setup(&format!("http://tenant.app.localhost:{}/fax", server.address().port())));
    ring(&host);
    assert!(host.alerts_at_rest().await.is_empty());
    let names: Vec<_> = requests(&server).await.iter().map(|request| request.headers["host"].clone()).collect();
    let expected = format!("tenant.app.localhost:{}", server.address().port());
    assert!(names.len() == 2 && names.iter().all(|name| name == expected.as_str()), "{names:?}");
}

#[tokio::test]
async fn twiml_as_plain_text_is_accepted_with_a_warning_unless_types_are_strict() {
    for (types, outcome) in [(TwimlTypes::Lenient, "received"), (TwimlTypes::Strict, "not-answered")] {
        for headers in ["Content-Type: text/plain; charset=utf-8\r\n", ""] {
            let app = answering(200, headers, "<Response><Receive/></Response>").await;
            let options = ClientOptions { twiml_types: types, ..ClientOptions::default() };
            let host = Host::with(settings(Pace::Max), &options, setup(&format!("{}/fax", app.url)));
            let ended = host.call("POST", "/_fauxfax/v1/incoming-faxes?wait=true", "{}").await.json();
            assert_eq!(ended["outcome"], outcome, "{ended}");
            let alerts = host.alerts_at_rest().await;
            let told: Vec<_> = alerts.iter().map(|alert| (code_of(alert.fault), alert.level.as_str())).collect();
            assert_eq!(told, [(12300, if outcome == "received" { "warning" } else { "error" })], "{headers}");
        }
    }
}

#[tokio::test]
async fn server_mistakes_are_reported_with_their_remedies() {
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    let compressed =
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Encoding: gzip\r\n\r\n".as_slice(), gzip].concat();
    let many: String = (0..150).map(|n| format!("X-{n}: 1\r\n")).collect();
    let html = "<!DOCTYPE html><html><body><h1>502</h1></body></html>";
    let page = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{html}", html.len());
    let alert = b"\x15\x03\x01\0\x02\x02\x16".to_vec();
    for (manner, code, parts) in [
        (
            Manner::Say(compressed),
            12100,
            ["(Content-Encoding: gzip), and the emulator reads no", "send the response uncompressed"],
        ),
        (
            Manner::Say(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_vec()),
            11215,
            ["302", "without a Location"],
        ),
        (Manner::Say(format!("HTTP/1.1 200 OK\r\n{many}\r\n").into_bytes()), 11206, ["more than 100 headers", "fewer"]),
        (Manner::Say(page.into_bytes()), 12100, ["HTML page", "open the URL"]),
        (Manner::Say(alert), 11206, ["not HTTP/1.1", "https://"]),
        (Manner::Close, 11205, ["ended before the response", "https://"]),
    ] {
        let app = app(manner).await;
        let host = Host::new(setup(&format!("{}/fax", app.url)));
        ring(&host);
        let alerts = host.alerts_at_rest().await;
        let [alert] = &alerts[..] else { panic!("{parts:?}: {alerts:?}") };
        assert_eq!(code_of(alert.fault), code, "{}", alert.message);
        assert!(parts.iter().all(|part| alert.message.contains(part)), "{parts:?}: {}", alert.message);
    }
}

#[tokio::test]
async fn a_compressed_document_or_an_html_page_is_reported_as_such() {
    for (headers, body, part) in [
        (
            "Content-Type: application/pdf\r\nContent-Encoding: gzip\r\n",
            "\u{1f}8\u{8}",
            "make the server send it uncompressed",
        ),
        ("Content-Type: text/html; charset=utf-8\r\n", "<html>Log in</html>", "an HTML page"),
    ] {
        let app = answering(200, headers, body).await;
        let host = Host::new(setup("http://127.0.0.1:9/fax"));
        let form = format!("To=%2B15558675310&From=%2B15005550006&MediaUrl={}/a.pdf", app.url);
        host.api("POST", "/v1/Faxes", "/v1/Faxes", &form).await;
        host.alerts_at_rest().await;
        assert!(journal(&host).contains(part), "{}", journal(&host));
    }
}

#[tokio::test]
async fn a_plain_http_port_behind_an_https_url_is_reported_as_such() {
    for manner in [Manner::Say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec()), Manner::Close] {
        let app = app(manner).await;
        let host = Host::new(setup(&format!("{}/fax", app.url.replace("http://", "https://"))));
        ring(&host);
        let alerts = host.alerts_at_rest().await;
        assert_eq!(code_of(alerts[0].fault), 11220, "{}", alerts[0].message);
        assert!(alerts[0].message.contains("plain HTTP, write http://"), "{}", alerts[0].message);
    }
}

#[tokio::test]
async fn a_certificate_in_trust_ca_need_not_be_a_ca_but_must_have_the_right_name_and_dates() {
    let authority = Authority::new();
    let receive =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 31\r\n\r\n<Response><Receive/></Response>";
    for own in [
        Authority::self_signed(&["localhost"], "any", true),
        Authority::self_signed(&["localhost"], "any", false),
        Authority::self_signed(&[], "localhost", true),
        Authority::self_signed(&[], "localhost", false),
        authority.certificate("localhost", 4096),
    ] {
        let (app, pem) = own.app(Manner::Say(receive.to_vec())).await;
        let told = async |trust_ca: Vec<Vec<u8>>| {
            let options = ClientOptions { trust_ca, ..ClientOptions::default() };
            let host = Host::with(settings(Pace::Max), &options, setup(&format!("{}/fax", app.url)));
            ring(&host);
            host.alerts_at_rest().await
        };
        let alerts = told(vec![pem.into_bytes()]).await;
        assert!(alerts.is_empty(), "{alerts:?}");
        let untrusted = &told(Vec::new()).await[0];
        assert_eq!(code_of(untrusted.fault), 11237, "{}", untrusted.message);
        assert!(untrusted.message.contains("--trust-ca"), "{}", untrusted.message);
    }
    for (own, code, part) in [
        (Authority::self_signed(&["other.test"], "localhost", true), 11235, "subjectAltName"),
        (Authority::self_signed(&[], "other.test", true), 11235, "subjectAltName"),
        (Authority::self_signed_until(&["localhost"], true, 2020), 11236, "make a new one"),
    ] {
        let (app, pem) = own.app(Manner::Say(receive.to_vec())).await;
        let options = ClientOptions { trust_ca: vec![pem.into_bytes()], ..ClientOptions::default() };
        let host = Host::with(settings(Pace::Max), &options, setup(&format!("{}/fax", app.url)));
        ring(&host);
        let alerts = host.alerts_at_rest().await;
        assert_eq!(code_of(alerts[0].fault), code, "trusted, but expired or for another name: {}", alerts[0].message);
        assert!(alerts[0].message.contains(part), "{}", alerts[0].message);
    }
}
