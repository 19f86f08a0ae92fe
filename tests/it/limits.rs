//! Tests limits on what clients can use: the bytes of requests and responses in progress, the memory for importing a
//! state, and unread streams. Also tests that a wait ends when the emulator stops.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use fauxfax::emulator::AccountSetup;
use fauxfax::engine::event::EventKind;
use fauxfax::engine::export::STATE_VERSION;
use fauxfax::engine::journal::JOURNAL_EVENTS_MAX;
use fauxfax::http::control::BASE;
use fauxfax::http::{self, App};
use fauxfax::io::budget::Budget;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::time::Pace;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::ServiceExt;

use crate::gateway::{Running, config};
use crate::host::{Host, settings};

const MIB: u64 = 1024 * 1024;

fn host(budget: &Budget) -> Host {
    let options = ClientOptions { budget: budget.clone(), ..ClientOptions::default() };
    Host::with(settings(Pace::Max), &options, AccountSetup::default())
}

/// Returns the emulator's HTTP service.
fn surface(host: &Host) -> App {
    http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into())
}

/// Makes a call of the control API, and returns the status, the Retry-After header and the body.
async fn call(host: &Host, method: &str, target: &str, body: impl Into<Body>) -> (u16, Option<String>, Vec<u8>) {
    let request = Request::builder().method(method).uri(format!("{BASE}{target}")).header(header::HOST, "localhost");
    let answer = surface(host).oneshot(request.body(body.into()).expect("a request")).await.expect("an answer");
    let again = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let status = answer.status().as_u16();
    (status, again, to_bytes(answer.into_body(), usize::MAX).await.expect("read").to_vec())
}

#[tokio::test]
async fn a_body_for_which_there_is_no_room_waits_until_another_has_ended() {
    let budget = Budget::new(MIB);
    let host = host(&budget);
    let mut other = budget.body(Duration::from_secs(3_600));
    // The first 64 KiB of a body don't count, so this body takes up exactly the whole budget.
    other.add(&vec![0; 17 * 64 * 1024]).await.expect("the whole budget is free");
    assert_eq!(budget.held_bytes(), MIB);
    let order = format!("{{\"match\":{{}}}}{}", " ".repeat(200_000));
    let (answered, ()) = tokio::join!(call(&host, "POST", "/verify", order), async { drop(other) });
    assert_eq!(answered.0, 200);
    assert_eq!((budget.held_bytes(), budget.refused()), (0, 0));
}

#[tokio::test]
async fn unread_responses_take_up_room_until_dropped_and_other_requests_get_503() {
    let budget = Budget::new(MIB);
    let host = host(&budget);
    let request = || {
        let request = Request::get(format!("{BASE}/openapi.json")).header(header::HOST, "localhost");
        request.body(Body::empty()).expect("a request")
    };
    let mut unread = Vec::new();
    let refused = loop {
        let answer = surface(&host).oneshot(request()).await.expect("an answer");
        if answer.status() != 200 {
            break answer;
        }
        unread.push(answer);
        assert!(budget.held_bytes() > 0 && unread.len() < 20, "{} responses are unread", unread.len());
    };
    assert_eq!((refused.status().as_u16(), budget.refused()), (503, 1));
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let (status, _, health) = call(&host, "GET", "/health", Body::empty()).await;
    let health: Value = serde_json::from_slice(&health).expect("JSON");
    assert_eq!((status, &health["body_budget"]["refused"]), (200, &1.into()));
    assert_eq!(health["body_budget"]["held_bytes"], budget.held_bytes());
    drop(unread);
    assert_eq!(budget.held_bytes(), 0);
    assert_eq!(call(&host, "GET", "/openapi.json", Body::empty()).await.0, 200);
}

#[tokio::test]
async fn a_state_over_the_budget_is_refused_immediately_and_the_next_one_is_accepted() {
    let budget = Budget::new(MIB);
    let host = host(&budget);
    let (status, again, _) = call(&host, "PUT", "/state", " ".repeat(2 * 1024 * 1024)).await;
    assert_eq!((status, again), (413, None));
    let (status, _, state) = call(&host, "GET", "/state", Body::empty()).await;
    assert_eq!((status, call(&host, "PUT", "/state", state).await.0), (200, 200));
    assert_eq!(budget.held_bytes(), 0);
}

#[tokio::test]
async fn an_unread_stream_takes_up_a_limited_number_of_bytes() {
    /// The system's send buffer for a client. Linux doubles the requested size to allow for bookkeeping.
    const SYSTEM_BYTES: usize = 2 * 128 * 1024;
    /// The process's buffer, plus the piece that found no room in it.
    const PROCESS_BYTES: usize = 64 * 1024 + 32 * 1024;
    const CLIENT_BYTES: u32 = 4 * 1024;
    let running = Running::new(config()).await;
    let world = running.registry.worlds().into_iter().next().expect("a world");
    let fill_the_journal = || {
        for _ in 0..JOURNAL_EVENTS_MAX {
            world.note(None, EventKind::CallNotAnswered);
        }
    };
    fill_the_journal();
    let request = format!("GET {BASE}/events?since=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    let mut client = running.connect_narrowly(CLIENT_BYTES).await;
    client.write_all(request.as_bytes()).await.expect("sent");
    // The client doesn't read, so the stream is produced only until the buffers are full. Filling the journal again evicts
    // the events after that point.
    tokio::time::timeout(Duration::from_millis(500), std::future::pending::<()>()).await.expect_err("it never ends");
    fill_the_journal();
    let (mut taken, gap) = (Vec::new(), b"event: evicted");
    let at = loop {
        client.read_buf(&mut taken).await.expect("the stream goes on");
        if let Some(at) = taken.windows(gap.len()).position(|window| window == gap) {
            break at;
        }
        assert!(taken.len() < 4 * (SYSTEM_BYTES + PROCESS_BYTES), "nothing was dropped");
    };
    assert!(at <= PROCESS_BYTES + SYSTEM_BYTES + 2 * CLIENT_BYTES as usize, "{at} bytes were unread");
    running.end().await;
}

#[tokio::test]
async fn a_wait_ends_when_the_emulator_stops() {
    let running = Running::new(config()).await;
    let mut waiting = running.connect().await;
    let request = format!("GET {BASE}/wait?status=delivered&timeout=60 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    waiting.write_all(request.as_bytes()).await.expect("sent");
    running.end().await;
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("problem:stopping"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

/// Starts the binary and imports this state, which is refused. Returns the resident memory before the import and at its
/// peak, in bytes.
#[cfg(target_os = "linux")]
fn memory_for(state: &[u8]) -> (u64, u64) {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{Command, Stdio};
    let mut emulator = Command::new(env!("CARGO_BIN_EXE_fauxfax"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "error"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut ready = String::new();
    BufReader::new(emulator.stdout.take().expect("a pipe")).read_line(&mut ready).expect("it starts");
    let address = ready.split_whitespace().nth(2).and_then(|url| url.strip_prefix("http://")).expect("a URL");
    let memory = |field: &str| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", emulator.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(field)).expect("a field");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
    };
    let before = memory("VmRSS:");
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    let head = format!(
        "PUT {BASE}/state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        state.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(state)).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    let most = memory("VmHWM:");
    emulator.kill().and_then(|()| emulator.wait()).expect("it ends");
    (before, most)
}

#[cfg(target_os = "linux")]
#[test]
fn importing_a_nonsensical_state_takes_at_most_four_times_its_size_in_memory() {
    let size = 24 << 20;
    let nonsense = ["0,".repeat(size / 2) + "0", "{},".repeat(size / 3) + "{}"];
    let worlds = nonsense.map(|values| format!("\"world\":[{values}]"));
    let document = format!("\"documents\":{{\"x\":\"{}\"}}", "A".repeat(size));
    for rest in worlds.iter().chain([&document]) {
        for version in 1..=STATE_VERSION {
            let state = format!("{{\"fauxfax_state\":{version},{rest}}}");
            let (before, most) = memory_for(state.as_bytes());
            let (taken, sent) = (most - before, state.len() as u64);
            assert!(taken <= 4 * sent, "version {version}: {} MiB for {} MiB", taken >> 20, sent >> 20);
        }
    }
}

#[test]
fn a_budget_below_the_minimum_is_refused() {
    let environment = |name: &str| (name == "FAUXFAX_BODY_BUDGET").then(|| "1000".to_owned());
    let error = fauxfax::config::Config::load(fauxfax::config::Settings::default(), &environment).expect_err("refused");
    assert!(error.to_string().contains("at least 1MiB"), "{error}");
}

#[test]
fn the_library_and_the_configuration_have_the_same_default_budget() {
    let configured = fauxfax::config::Config::default().body_budget_bytes;
    assert_eq!(ClientOptions::default().budget.limit_bytes(), configured);
}
