//! Tests `/mcp`, the tools over HTTP: who may call them, their sessions and limits, and the documentation beside them.

use std::net::SocketAddr;

use fauxfax::Emulator;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::host::PATIENCE;

/// Both kinds of responses that a client of the protocol accepts.
const ACCEPT: &str = "application/json, text/event-stream";

/// A response over HTTP, read until the server closes the connection.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

async fn ask(url: &Url, request: String) -> Answer {
    let address = url.socket_addrs(|| None).expect("an address")[0];
    let asking = async {
        let mut stream = TcpStream::connect::<SocketAddr>(address).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = tokio::time::timeout(PATIENCE, asking).await.expect("in time");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Gets a resource, and returns its body.
pub(crate) async fn get(url: &Url, target: &str) -> String {
    let host = url.socket_addrs(|| None).expect("an address")[0];
    let answer = ask(url, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn post(url: &Url, target: &str, headers: &[(&str, &str)], message: &Value) -> Answer {
    post_text(url, target, headers, &message.to_string()).await
}

/// Posts a text, which need not be a message of the protocol.
async fn post_text(url: &Url, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let host = url.socket_addrs(|| None).expect("an address")[0];
    let mut head = format!("POST {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in [("Accept", ACCEPT), ("Content-Type", "application/json")].iter().chain(headers) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    ask(url, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await
}

fn initialize() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
    } })
}

fn call(name: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": name, "arguments": arguments } })
}

async fn started(control_token: Option<&str>) -> (Emulator, Url) {
    let token = control_token.map(Box::from);
    let builder = Emulator::builder().configure(|config| {
        config.mcp = true;
        config.control_token = token;
    });
    let emulator = builder.start().await.expect("it starts");
    let url = emulator.url().parse().expect("a URL");
    (emulator, url)
}

/// Opens a session, and returns the header that names it.
async fn session(url: &Url, target: &str) -> String {
    let answer = post(url, target, &[], &initialize()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let head = answer.head.to_ascii_lowercase();
    let session = head.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).expect("a session").to_owned();
    let headers = [("Mcp-Session-Id", session.as_str())];
    let ready = post(url, target, &headers, &json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    assert_eq!(ready.status, 202, "{}", ready.body);
    session
}

#[tokio::test]
async fn a_session_calls_tools_in_the_account_that_its_address_names() {
    let (emulator, url) = started(None).await;
    let account = emulator.account().expect("an account");
    let target = format!("/mcp?account={}", account.sid());
    let session = session(&url, &target).await;
    let answer = post(&url, &target, &[("Mcp-Session-Id", &session)], &call("show_account", &json!({}))).await;
    assert!(
        answer.body.contains(&account.sid().to_string()) && answer.body.contains("\"isError\":false"),
        "{}",
        answer.body
    );
    let own = url.socket_addrs(|| None).expect("an address")[0];
    assert!(
        answer.body.contains(&format!("http://{own}/console?account=")),
        "links have the client's host: {}",
        answer.body
    );
}

#[tokio::test]
async fn a_web_page_a_webhook_and_a_foreign_host_can_not_call_the_tools() {
    let (_emulator, url) = started(None).await;
    for (name, value, status) in [
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("X-Twilio-Signature", "x", 403),
        ("I-Twilio-Idempotency-Token", "x", 403),
    ] {
        let answer = post(&url, "/mcp", &[(name, value)], &initialize()).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
        assert!(answer.body.contains("urn:fauxfax:problem:"), "{}", answer.body);
        assert!(status != 403 || !name.contains("Twilio") || answer.body.contains("may use /mcp"), "{}", answer.body);
    }
    let rebound = "POST /mcp HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(ask(&url, rebound.to_owned()).await.status, 421);
}

#[tokio::test]
async fn the_control_token_guards_the_tools() {
    let (_emulator, url) = started(Some("s3cret")).await;
    assert_eq!(post(&url, "/mcp", &[], &initialize()).await.status, 401);
    assert_eq!(post(&url, "/mcp", &[("Authorization", "Bearer wrong")], &initialize()).await.status, 401);
    let answer = post(&url, "/mcp", &[("Authorization", "Bearer s3cret")], &initialize()).await;
    assert!(answer.status == 200 && answer.body.contains("\"name\":\"fauxfax\""), "{}", answer.body);
}

#[tokio::test]
async fn the_emulator_never_calls_its_own_tools_as_an_app() {
    let (emulator, url) = started(None).await;
    let account = emulator.account().expect("an account");
    account.number("+15017122661").expect("a number").fax_url(&format!("{url}mcp")).expect("a URL");
    let conversation = account.receive(fauxfax::Document::pages(1)).await.expect("it ends");
    assert_eq!(conversation.outcome, fauxfax::Outcome::NotAnswered);
    let error = conversation.webhooks().next().expect("an attempt").failure.clone();
    assert!(format!("{error:?}").contains("/mcp"), "{error:?}");
}

#[tokio::test]
async fn sessions_and_messages_are_limited() {
    let (_emulator, url) = started(None).await;
    let large = json!({ "jsonrpc": "2.0", "id": 1, "method": "x".repeat(70_000) });
    let answer = post(&url, "/mcp", &[], &large).await;
    assert!(answer.status == 413 && answer.body.contains("at most 65536 bytes"), "{}", answer.body);
    for (text, code, words) in [
        ("not JSON", -32700, "not valid JSON"),
        ("[]", -32600, "batch"),
        ("{\"jsonrpc\":\"2.0\"}", -32600, "not a message of JSON-RPC 2.0"),
    ] {
        let answer = post_text(&url, "/mcp", &[], text).await;
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body));
        assert_eq!((answer.status, &body["error"]["code"]), (400, &json!(code)), "{text}: {body}");
        assert!(body["error"]["message"].as_str().expect("text").contains(words), "{text}: {body}");
    }
    for number in 1..=100 {
        assert_eq!(post(&url, "/mcp", &[], &initialize()).await.status, 200, "{number}");
    }
    let answer = post(&url, "/mcp", &[], &initialize()).await;
    assert!(answer.status == 503 && answer.body.contains("100 MCP sessions"), "{}", answer.body);
    for (name, value) in [("Mcp-Protocol-Version", "2025-06-18"), ("Mcp-Session-Id", "\u{fc}")] {
        let answer = post(&url, "/mcp", &[(name, value)], &initialize()).await;
        assert_eq!(answer.status, 503, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn without_the_option_the_answer_says_how_to_turn_it_on() {
    let emulator = Emulator::builder().start().await.expect("it starts");
    let answer = post(&emulator.url().parse().expect("a URL"), "/mcp", &[], &initialize()).await;
    assert!(answer.status == 404 && answer.body.contains("start it with --mcp"), "{}", answer.body);
}

#[tokio::test]
async fn the_documentation_is_open_and_its_links_lead_to_pages() {
    let (_emulator, url) = started(Some("s3cret")).await;
    let overview = get(&url, "/llms.txt").await;
    assert!(overview.starts_with("# fauxfax\n\n> "), "{overview}");
    let links: Vec<&str> = overview.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 30, "{overview}");
    for link in links {
        let target = link.strip_prefix(url.as_str().trim_end_matches('/')).unwrap_or_else(|| panic!("{link}"));
        assert!(get(&url, target).await.starts_with('#'), "{link}");
    }
    assert!(get(&url, "/llms-full.txt").await.contains("<!-- docs/control-api.md -->"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a developer asks for the file to be rewritten")]
fn the_overview_in_the_repository_is_generated_from_the_summary() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/llms.txt");
    let made = fauxfax::docs::overview(|path| {
        Some(path.strip_prefix("docs/").map_or_else(|| format!("../{path}"), ToOwned::to_owned))
    });
    if std::env::var_os("FAUXFAX_WRITE_DOCS").is_some() {
        std::fs::write(path, &made).expect("written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == made, "docs/llms.txt differs from docs/SUMMARY.md; rewrite it with FAUXFAX_WRITE_DOCS=1");
}

#[test]
fn the_description_for_the_registry_names_this_version_and_its_packages() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/packages/mcp/server.json");
    let server: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("the file")).expect("JSON");
    let repository = env!("CARGO_PKG_REPOSITORY");
    assert_eq!(server["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(server["repository"]["url"], repository);
    let owner = repository.split('/').nth(3).expect("an owner");
    assert_eq!(server["name"], format!("io.github.{owner}/fauxfax"));
    assert!(server["description"].as_str().expect("text").len() <= 100, "the registry's limit");
    // What the registry's JSON Schema of 2025-12-11 demands.
    assert!(server["$schema"].as_str().expect("a URL").ends_with("/schemas/2025-12-11/server.schema.json"));
    let name = regex_lite::Regex::new("^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$").expect("a pattern");
    assert!(name.is_match(server["name"].as_str().expect("text")) && server["repository"]["source"].is_string());
    for package in server["packages"].as_array().expect("packages") {
        assert_eq!(package["transport"], json!({ "type": "stdio" }));
        for argument in package["packageArguments"].as_array().expect("arguments") {
            assert!(argument["type"] == "positional" && argument["value"].is_string(), "{argument}");
        }
        for variable in package["environmentVariables"].as_array().expect("variables") {
            assert!(variable["name"].is_string() && variable["isRequired"].is_boolean(), "{variable}");
        }
        let image = format!("ghcr.io/{owner}/fauxfax:{}", env!("CARGO_PKG_VERSION"));
        match package["registryType"].as_str() {
            Some("oci") => assert_eq!(package["identifier"], image.as_str()),
            _ => assert_eq!(
                (&package["identifier"], &package["version"]),
                (&json!("fauxfax"), &json!(env!("CARGO_PKG_VERSION")))
            ),
        }
    }
    for (file, mark) in [
        ("packages/npm/package.json", "\"mcpName\": \"io.github.@owner@/fauxfax\""),
        ("packages/python/README.md", "mcp-name: io.github.@owner@/fauxfax"),
    ] {
        let text = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).expect("the file");
        assert!(text.contains(mark), "{file} must contain {mark}, by which the registry knows the owner");
    }
}
