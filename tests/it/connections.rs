//! Tests how connections end: for clients that close their sending side, for requests without exactly one valid Host
//! header, and while the emulator stops.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway::{Running, config, exchange, read_head};
use crate::host::PATIENCE;

const LIVEZ: &str = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// A wait that times out long after the client has closed its sending side.
const WAIT: &str = "GET /_fauxfax/v1/wait?status=delivered&timeout=0.3 HTTP/1.1\r\nHost: localhost\r\n\r\n";
const CONNECT: &str = "CONNECT fax.twilio.com:443 HTTP/1.1\r\nHost: fax.twilio.com:443\r\n\r\n";

/// Sends a request, closes the sending side, and reads the response.
async fn half_closed(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream.shutdown().await.expect("half closed");
    let mut answer = Vec::new();
    // A TLS connection that ends without a close_notify alert is an error, which doesn't matter here.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it ends");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads a connection until it ends.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it ends");
    read.expect("the connection is not reset");
    String::from_utf8(answer).expect("text")
}

fn said_to_close(answer: &str) -> bool {
    answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n")
}

#[tokio::test]
async fn a_half_closed_client_gets_its_response() {
    let running = Running::new(config()).await;
    let form = "From=%2B15005550006&To=%2B15558675310&MediaUrl=http://x.test/a";
    let fax = format!(
        "POST /v1/Faxes HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{form}",
        running.credential,
        form.len()
    );
    for (request, status) in [(LIVEZ, "200"), (WAIT, "408"), (&fax, "201")] {
        let answer = half_closed(&mut running.connect().await, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        let stream = running.connect().await;
        let mut secured = running.trusting("localhost", stream).await.expect("TLS");
        let answer = half_closed(&mut secured, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "over TLS: {request}: {answer}");
        let (_, mut tunnel) = running.ask(CONNECT).await;
        let answer = half_closed(&mut tunnel, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "in a tunnel: {request}: {answer}");
    }
    running.end().await;
}

#[tokio::test]
async fn two_requests_from_a_half_closed_client_both_get_responses() {
    let running = Running::new(config()).await;
    let answer = half_closed(&mut running.connect().await, &format!("{WAIT}{LIVEZ}")).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("HTTP/1.1 200 "), "{answer}");
    running.end().await;
}

#[tokio::test]
async fn a_request_without_exactly_one_valid_host_is_refused_however_it_arrives() {
    let running = Running::new(config()).await;
    let app = wiremock::MockServer::start().await;
    let targets = ["/livez", "http://fax.twilio.com/livez", &format!("{}/other", app.uri()), "CONNECT"];
    for hosts in
        ["", "Host: a\r\nHost: a\r\n", "Host: localhost\r\nhost: b\r\n", "Host: a/b\r\n", "Host: \r\n", "Host: u@a\r\n"]
    {
        for target in targets {
            let line =
                if target == "CONNECT" { "CONNECT fax.twilio.com:443".to_owned() } else { format!("GET {target}") };
            let request = format!("{line} HTTP/1.1\r\n{hosts}\r\n");
            let answer = exchange(&mut running.connect().await, &request).await;
            assert!(answer.starts_with("HTTP/1.1 400 ") && said_to_close(&answer), "{request:?}: {answer}");
            assert!(answer.contains("Host header"), "the response says why: {answer}");
            let mut secured = running.trusting("localhost", running.connect().await).await.expect("TLS");
            let answer = exchange(&mut secured, &request).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "over TLS: {request:?}: {answer}");
            let (_, mut tunnel) = running.ask(CONNECT).await;
            let answer = exchange(&mut tunnel, &request).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "in a tunnel: {request:?}: {answer}");
        }
    }
    assert!(app.received_requests().await.is_some_and(|requests| requests.is_empty()), "nothing was passed on");
    let old = exchange(&mut running.connect().await, "GET /livez HTTP/1.0\r\n\r\n").await;
    assert!(old.contains(" 200 "), "HTTP/1.0 needs no Host: {old}");
    running.end().await;
}

/// Adds a rule that delays the next REST call, then makes that call. Returns its connection, on which no response has
/// arrived yet.
async fn delayed(running: &Running, delay_ms: u32) -> TcpStream {
    let rule = format!("{{\"times\":1,\"api\":{{\"delay_ms\":{delay_ms}}}}}");
    let length = rule.len();
    let order = format!(
        "POST /_fauxfax/v1/rules HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{rule}"
    );
    let taken = exchange(&mut running.connect().await, &order).await;
    assert!(taken.starts_with("HTTP/1.1 201 "), "{taken}");
    let call = format!("GET /v1/Faxes HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\r\n", running.credential);
    let mut waiting = running.connect().await;
    waiting.write_all(call.as_bytes()).await.expect("sent");
    waiting
}

#[tokio::test]
async fn a_request_in_progress_when_the_emulator_stops_gets_its_response() {
    let running = Running::new(config()).await;
    let mut waiting = delayed(&running, 300).await;
    let (answer, ()) = tokio::join!(rest(&mut waiting), running.end());
    assert!(answer.starts_with("HTTP/1.1 200 ") && said_to_close(&answer), "{answer}");
}

#[tokio::test]
async fn a_request_that_takes_longer_than_the_stop_gets_503() {
    let running = Running::new(config()).await;
    let mut waiting = delayed(&running, 20_000).await;
    let (answer, ()) = tokio::join!(rest(&mut waiting), running.end());
    assert!(answer.starts_with("HTTP/1.1 503 ") && said_to_close(&answer), "{answer}");
}

#[tokio::test]
async fn a_request_on_a_kept_connection_right_before_the_stop_gets_its_response() {
    let running = Running::new(config()).await;
    let mut kept = running.connect().await;
    kept.write_all(LIVEZ.as_bytes()).await.expect("sent");
    let head = read_head(&mut kept).await;
    assert!(head.starts_with("HTTP/1.1 200") && !said_to_close(&head), "{head}");
    kept.write_all(LIVEZ.as_bytes()).await.expect("sent");
    let (answer, ()) = tokio::join!(rest(&mut kept), running.end());
    assert!(answer.contains("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn clients_that_keep_sending_requests_lose_no_response_and_learn_that_the_connection_closes() {
    let running = Running::new(config()).await;
    let mut kept = Vec::new();
    for _ in 0..16 {
        kept.push(running.connect().await);
    }
    let asking = kept.iter_mut().map(|stream| async {
        loop {
            stream.write_all(LIVEZ.as_bytes()).await.expect("sent");
            let head = read_head(stream).await;
            assert!(head.starts_with("HTTP/1.1 200 "), "closed without notice: {head:?}");
            if said_to_close(&head) {
                return;
            }
            stream.read_exact(&mut [0; b"ok\n".len()]).await.expect("the body");
        }
    });
    tokio::join!(futures_util::future::join_all(asking), running.end());
}

#[tokio::test]
async fn a_request_on_a_connection_not_yet_accepted_at_the_stop_gets_its_response() {
    let running = Running::new(config()).await;
    let address = running.connect().await.peer_addr().expect("an address");
    let mut streams = Vec::new();
    for _ in 0..8 {
        // These calls block the thread, which the emulator shares, so it can't accept the connections yet.
        let mut stream = std::net::TcpStream::connect(address).expect("a connection");
        std::io::Write::write_all(&mut stream, LIVEZ.as_bytes()).expect("sent");
        stream.set_nonblocking(true).expect("supported");
        streams.push(TcpStream::from_std(stream).expect("a stream"));
    }
    let answers = async {
        for stream in &mut streams {
            let answer = rest(stream).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
    };
    tokio::join!(answers, running.end());
}

#[tokio::test]
async fn idle_and_silent_connections_do_not_delay_the_stop() {
    let running = Running::new(config()).await;
    let (mut silent, mut idle) = (running.connect().await, running.connect().await);
    idle.write_all(LIVEZ.as_bytes()).await.expect("sent");
    assert!(read_head(&mut idle).await.starts_with("HTTP/1.1 200"));
    running.end().await;
    assert_eq!(rest(&mut silent).await, "");
    assert!(!rest(&mut idle).await.contains("HTTP/1.1"), "no further request, so no further response");
}
