//! Tests that a redirected request is shown with both URLs: the first one, and the one whose response is shown.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use fauxfax::http::control::BASE;
use serde_json::Value;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::host::{Host, setup};
use crate::process::{Running, address, ask, eventually, serve};
use crate::script::{call, letter};

const PAGE: &str = "<!DOCTYPE html><title>Log in</title>";

#[tokio::test]
async fn the_traffic_and_the_call_name_the_url_whose_response_they_show() {
    let app = MockServer::start().await;
    let moved = ResponseTemplate::new(302).insert_header("Location", "/login");
    Mock::given(path("/fax")).respond_with(moved).mount(&app).await;
    Mock::given(path("/login")).respond_with(ResponseTemplate::new(200).set_body_string(PAGE)).mount(&app).await;
    let host = Host::new(setup(&format!("{}/fax", app.uri())));
    let order = fauxfax::engine::input::ReceiveFax { document: letter(1), ..call(1) };
    let ringing = host.world().handle(order).expect("the call rings");
    host.alerts_at_rest().await;
    let expected: (Value, Value) = (format!("{}/fax", app.uri()).into(), format!("{}/login", app.uri()).into());
    let traffic = host.call("GET", &format!("{BASE}/traffic?kind=webhook&text=/login"), "").await.json();
    let request = &traffic["requests"][0];
    assert_eq!((request["url"].clone(), request["redirected_to"].clone()), expected, "{traffic}");
    let unanswered = host.call("GET", &format!("{BASE}/faxes/{}", ringing.sid), "").await.json();
    let request = &unanswered["request"];
    assert_eq!((request["url"].clone(), request["redirected_to"].clone()), expected, "{unanswered}");
    assert_eq!(request["body"], PAGE);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the app of a test runs beside it")]
fn the_log_shows_where_redirects_led() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let app = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = [0; 8 * 1024];
            let read = stream.read(&mut head).expect("a request");
            let response = if head[..read].starts_with(b"POST /fax") {
                "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
            } else {
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
            };
            stream.write_all(response.as_bytes()).expect("sent");
        }
    });
    let home = tempfile::tempdir().expect("a folder");
    let log = home.path().join("log");
    let flags = ["--fax-url", &format!("{app}/fax"), "--pace", "max"];
    let file = std::fs::File::create(&log).expect("a file");
    let _running = Running::start(serve(home.path(), &flags).stderr(file));
    let head = format!("POST {BASE}/incoming-faxes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n");
    ask(address(home.path()), &format!("{head}Connection: close\r\n\r\n{{}}"));
    let expected = format!("→ POST {app}/fax → {app}/login 200 ");
    let is_logged = || std::fs::read_to_string(&log).expect("a log").contains(&expected).then_some(());
    eventually(is_logged, &format!("no line has {expected}"));
}
