//! Tests the tools of the Model Context Protocol over a pair of streams, with the client of rmcp, the crate that the
//! server uses: what the tools return, their errors, cancellation and progress. tests/mcp tests every tool with the
//! official Python client.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::client::Endpoint;
use fauxfax::mcp::{Handler, Home, serve};
use fauxfax::{Account, ClientOptions, Emulator};
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientConfig, ClientRequest, ContentBlock, ProgressNotificationParam,
    Request, ServerResult,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RunningService};
use rmcp::{ClientHandler, RoleClient, ServiceError, ServiceExt};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::apps::{self, Manner};
use crate::checked_app::CheckedApp;

const NUMBER: &str = "+15017122661";
const RECEIVE: &str = "<Response><Receive action=\"/done\"/></Response>";
/// The size of the streams' buffers in bytes: less than a picture, so that reading and writing alternate.
const BUFFER_BYTES: usize = 64 * 1024;

/// A client that passes the progress reports on to the test.
struct Assistant {
    reports: mpsc::UnboundedSender<ProgressNotificationParam>,
}

impl ClientHandler for Assistant {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::default()
    }

    async fn on_progress(&self, report: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        // The test may have ended.
        let _ = self.reports.send(report);
    }
}

/// An emulator with one account, and an assistant that uses its tools.
struct Bench {
    emulator: Emulator,
    account: Account,
    assistant: RunningService<RoleClient, Assistant>,
    reports: mpsc::UnboundedReceiver<ProgressNotificationParam>,
    serving: JoinHandle<()>,
    stop: Arc<Notify>,
}

impl Bench {
    async fn start() -> Self {
        Self::with(true).await
    }

    #[expect(clippy::disallowed_methods, reason = "the server runs beside the test")]
    async fn with(is_local: bool) -> Self {
        let emulator = Emulator::builder().seed(7).start().await.expect("it starts");
        let account = emulator.account().expect("an account");
        account.number(NUMBER).expect("a number");
        let endpoint = Endpoint { url: emulator.url().parse().expect("a URL"), address: None, control_token: None };
        let home = if is_local {
            Home::local(endpoint, Some(account.sid().to_string()), ClientOptions::default())
        } else {
            Home::served(endpoint, ClientOptions::default())
        };
        let (ours, theirs) = tokio::io::duplex(BUFFER_BYTES);
        let (input, output) = tokio::io::split(theirs);
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let serving = tokio::spawn(serve(Handler::new(home), input, output, async move { stopped.notified().await }));
        let (sender, reports) = mpsc::unbounded_channel();
        let assistant = Assistant { reports: sender }.serve(ours).await.expect("a session");
        Self { emulator, account, assistant, reports, serving, stop }
    }

    async fn call(&self, name: &'static str, arguments: Value) -> CallToolResult {
        let arguments = arguments.as_object().cloned().expect("an object");
        let call = CallToolRequestParams::new(name).with_arguments(arguments);
        self.assistant.call_tool(call).await.expect("a result")
    }

    /// Calls a tool that succeeds, and returns its text and its data.
    async fn told(&self, name: &'static str, arguments: Value) -> (String, Value) {
        let result = self.call(name, arguments).await;
        let text = text(&result);
        assert_eq!(result.is_error, Some(false), "{name}: {text}");
        (text, result.structured_content.unwrap_or_default())
    }

    /// Calls a tool that fails, and returns the reason.
    async fn refused(&self, name: &'static str, arguments: Value) -> String {
        let result = self.call(name, arguments).await;
        let text = text(&result);
        assert_eq!(result.is_error, Some(true), "{name}: {text}");
        text
    }

    /// Starts a call that can be canceled.
    async fn begin(&self, name: &'static str, arguments: Value) -> rmcp::service::RequestHandle<RoleClient> {
        let arguments = arguments.as_object().cloned().expect("an object");
        let call = CallToolRequestParams::new(name).with_arguments(arguments);
        let request = ClientRequest::CallToolRequest(Request::new(call));
        self.assistant.send_cancellable_request(request, PeerRequestOptions::no_options()).await.expect("sent")
    }
}

fn text(result: &CallToolResult) -> String {
    let texts = result.content.iter().filter_map(|block| block.as_text().map(|text| text.text.clone()));
    texts.collect::<Vec<_>>().join("\n")
}

/// Starts an app that accepts every fax.
async fn app() -> MockServer {
    let app = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_raw(RECEIVE, "text/xml")).mount(&app).await;
    app
}

#[tokio::test]
async fn a_fax_is_received_shown_and_seen_as_a_picture() {
    let (bench, app) = (Bench::start().await, app().await);
    let (number, _) = bench.told("set_number", json!({ "fax_url": format!("{}/fax", app.uri()) })).await;
    assert!(number.contains(&app.uri()), "{number}");
    let (received, data) = bench.told("receive_fax", json!({ "pages": 2, "from": "+15552223333" })).await;
    assert!(received.starts_with("Outcome: received") && received.contains("fax-url `POST"), "{received}");
    let sid = data["sid"].as_str().expect("a SID").to_owned();
    assert!(
        data["console"].as_str().expect("a link").starts_with(&format!("{}/console/faxes/{sid}", bench.emulator.url()))
    );
    let image = bench.call("page_image", json!({ "fax": sid, "page": 2 })).await;
    let ContentBlock::Image(picture) = &image.content[1] else { panic!("{image:?}") };
    assert_eq!(picture.mime_type, "image/png");
    let png = BASE64_STANDARD.decode(&picture.data).expect("base64");
    let decoder = png::Decoder::new(std::io::Cursor::new(&png)).read_info().expect("a picture");
    let (width, height) = (decoder.info().width, decoder.info().height);
    assert!(width >= 800 && width.max(height) <= 1_568, "{width} × {height}");
    let (listed, list) = bench.told("list_faxes", json!({ "search": "status:received" })).await;
    assert!(listed.contains(&sid) && list["hits"] == 1, "{listed}");
}

#[tokio::test]
async fn a_fax_is_sent_with_its_text_and_verified() {
    let bench = Bench::start().await;
    let (sent, data) = bench.told("send_fax", json!({ "to": "+15558675310" })).await;
    assert!(sent.starts_with("Outcome: delivered"), "{sent}");
    let (page, _) = bench.told("page_text", json!({ "fax": data["sid"] })).await;
    assert!(page.starts_with("--- page 1 of 2 ---") && page.contains("--- page 2 of 2 ---"), "{page}");
    let expected = json!({ "match": { "kind": "fax.status", "data": { "new": "delivered" } }, "times": 1 });
    let (verified, _) = bench.told("verify", expected).await;
    assert_eq!(verified, "Verified: 1 found.");
    let (verified, verdict) =
        bench.told("verify", json!({ "match": { "kind": "fax.status", "data": { "new": "busy" } } })).await;
    assert!(verified.starts_with("NOT verified") && verified.contains("data.new: expected \"busy\""), "{verified}");
    assert_eq!(verdict["verified"], false);
}

#[tokio::test]
async fn errors_are_results_that_say_what_to_do() {
    let bench = Bench::start().await;
    for (tool, arguments, told) in [
        ("show_fax", json!({ "fax": "FX00000000000000000000000000000000" }), "list_faxes lists them"),
        ("show_fax", json!({ "fax": "../reset" }), "fax: must be the SID of a fax"),
        ("show_fax", json!({}), "fax: is required"),
        ("page_image", json!({ "fax": "FX1", "page": "two" }), "page: must be"),
        ("list_faxes", json!({ "limit": 1_000 }), "limit: must be 1 to 100, not 1000"),
        ("list_faxes", json!({ "search": "stat:x" }), "unknown key"),
        ("list_faxes", json!({ "serach": "x" }), "search"),
        ("send_fax", json!({ "to": "nonsense" }), "21211"),
        ("receive_fax", json!({ "to": "+15005550009" }), "list_numbers lists them"),
        ("receive_fax", json!({ "file": "/nonexistent/letter.pdf" }), "file: can't read /nonexistent/letter.pdf"),
        ("wait", json!({ "timeout": 0 }), "timeout: must be 1 to 300 seconds"),
        ("add_rule", json!({ "webhook": { "signature": "worse" } }), "webhook.signature: must be"),
        ("add_rule", json!({}), "effect"),
        ("clock", json!({ "action": "advance", "by": "5m" }), "call clock with action \"freeze\" first"),
        ("clock", json!({ "action": "jump" }), "action: must be one of read, freeze, run, advance, drain"),
        ("read_doc", json!({ "path": "how-to/rule.md" }), "docs/how-to/rules.md"),
        ("check", json!({ "url": "localhost/fax" }), "url: must be an http or https URL"),
        (
            "check",
            json!({ "url": "http://localhost/fax", "only": ["signature-mising"] }),
            "did you mean signature-missing?",
        ),
        ("show_account", json!({ "account": 7 }), "account: must be a string, not 7"),
        ("show_account", json!({ "account": "AC00000000000000000000000000009999" }), "leave account out"),
    ] {
        let error = bench.refused(tool, arguments.clone()).await;
        assert!(error.contains(told), "{tool} {arguments}: {error}");
    }
    let unknown = bench.assistant.call_tool(CallToolRequestParams::new("send_faxes")).await;
    let Err(ServiceError::McpError(error)) = unknown else { panic!("{unknown:?}") };
    assert!(error.message.contains("did you mean send_fax?"), "{error:?}");
}

#[tokio::test]
async fn an_emulator_that_is_gone_is_an_error_and_not_a_hang() {
    let bench = Bench::start().await;
    let Bench { emulator, account, assistant, .. } = bench;
    drop(account);
    emulator.stop().await;
    let result = assistant.call_tool(CallToolRequestParams::new("show_account")).await.expect("a result");
    assert!(text(&result).contains("no emulator answers at") && result.is_error == Some(true), "{result:?}");
}

#[tokio::test]
async fn a_wait_can_be_canceled() {
    let mut bench = Bench::start().await;
    bench.told("clock", json!({ "action": "freeze" })).await;
    let (_, fax) = bench.told("send_fax", json!({ "to": "+15558675310", "wait": false })).await;
    let waiting = bench.begin("wait", json!({ "fax": fax["sid"], "timeout": 300 })).await;
    waiting.cancel(Some("enough".to_owned())).await.expect("canceled");
    // The server is still there, and has not lost the account.
    let (clock, _) = bench.told("clock", json!({ "action": "drain" })).await;
    assert!(clock.contains("is delivered"), "{clock}");
    assert!(bench.reports.try_recv().is_err(), "a wait has no progress to report");
}

#[tokio::test]
async fn a_check_reports_its_progress_and_its_verdicts() {
    let mut bench = Bench::start().await;
    let (sid, token) = (bench.account.sid().to_string(), bench.account.auth_token());
    let app = CheckedApp::start(&sid, &token, &[]).await;
    let call = json!({ "url": app.fax_url(), "only": ["signature-missing", "twiml"] });
    let running = bench.begin("check", call).await;
    let token = running.progress_token.clone();
    let Ok(ServerResult::CallToolResult(result)) = running.await_response().await else { panic!("no result") };
    assert!(text(&result).starts_with("2 passed, 0 failed"), "{}", text(&result));
    let mut reports = Vec::new();
    while let Ok(report) = bench.reports.try_recv() {
        assert_eq!(report.progress_token, token);
        reports.push((report.progress, report.total));
    }
    assert_eq!(reports.first(), Some(&(0.0, Some(2.0))));
    assert!(reports.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{reports:?}");
}

#[tokio::test]
async fn a_canceled_check_puts_everything_back_and_a_second_one_beside_it_is_refused() {
    let mut bench = Bench::start().await;
    let app = apps::app(Manner::Hang).await;
    bench.told("add_rule", json!({ "outcome": { "status": "busy" } })).await;
    let (before, _) = bench.told("list_rules", json!({})).await;
    let call = json!({ "url": format!("{}/fax", app.url) });
    let running = bench.begin("check", call.clone()).await;
    // The first report means that the account is prepared.
    bench.reports.recv().await.expect("a report");
    let second = bench.refused("check", call).await;
    assert!(second.contains("a check is already running"), "{second}");
    running.cancel(None).await.expect("canceled");
    bench.stop.notify_one();
    bench.serving.await.expect("the server ends only after the check has ended");
    let endpoint = Endpoint { url: bench.emulator.url().parse().expect("a URL"), address: None, control_token: None };
    let rules =
        crate::mcp_http::get(&endpoint.url, &format!("/_fauxfax/v1/rules?account={}", bench.account.sid())).await;
    assert!(before.contains("busy") && rules.contains("\"busy\""), "{rules}");
}

/// Builds a document of some pages, each with 100 lines of at least 90 characters that repeat the page's number.
fn wordy(pages: usize) -> Vec<u8> {
    let numbers = || 0..pages;
    let kids: Vec<String> = numbers().map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let kids = format!("<< /Type /Pages /Kids [{}] /Count {pages} >>", kids.join(" "));
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>".to_vec();
    let mut objects = vec![b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), kids.into_bytes(), font];
    for page in numbers() {
        let line = format!("({}) Tj T* ", format!("p{} ", page + 1).repeat(30));
        let text = format!("BT /F 6 Tf 7 TL 36 750 Td {} ET", line.repeat(100));
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R /Resources << /Font << /F 3 0 R >> >> >>",
                5 + 2 * page
            )
            .into_bytes(),
        );
        objects.push(crate::pdfs::stream("", text.as_bytes()));
    }
    crate::pdfs::file(&objects)
}

#[tokio::test]
async fn the_text_of_a_long_fax_names_the_pages_that_are_left_out() {
    let bench = Bench::start().await;
    let app = app().await;
    bench.told("set_number", json!({ "fax_url": format!("{}/fax", app.uri()) })).await;
    let fax = bench.account.receive(fauxfax::Document::bytes(wordy(4))).await.expect("it ends");
    let (text, _) = bench.told("page_text", json!({ "fax": fax.sid.to_string() })).await;
    assert!(text.contains("--- page 1 of 4 ---\np1 p1") && text.chars().count() <= 16_000, "{}", text.len());
    assert!(
        text.ends_with("[page 2 is cut, and pages 3 to 4 are left out; name one with page]"),
        "{}",
        &text[text.len() - 200..]
    );
    let (one, _) = bench.told("page_text", json!({ "fax": fax.sid.to_string(), "page": 3 })).await;
    assert!(one.starts_with("p3 p3") && !one.contains("left out"), "{one}");
}

#[tokio::test]
async fn only_a_client_on_this_machine_can_name_files() {
    let bench = Bench::start().await;
    let app = app().await;
    bench.told("set_number", json!({ "fax_url": format!("{}/fax", app.uri()) })).await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/documents/two-pages.pdf");
    let (received, data) = bench.told("receive_fax", json!({ "file": file })).await;
    assert_eq!(data["num_pages"], 2, "{received}");
    let served = Bench::with(false).await;
    let error = served.refused("receive_fax", json!({ "file": file })).await;
    assert!(error.starts_with("file: files can be named only to `fauxfax mcp`"), "{error}");
    let properties = |tools: Vec<rmcp::model::Tool>| {
        let tool = tools.into_iter().find(|tool| tool.name == "receive_fax").expect("the tool");
        tool.input_schema["properties"]["file"].is_object()
    };
    assert!(properties(bench.assistant.list_all_tools().await.expect("a list")));
    assert!(!properties(served.assistant.list_all_tools().await.expect("a list")));
}

#[tokio::test]
async fn a_configured_token_is_not_shown() {
    let bench = Bench::start().await;
    // The account was given a token of its own.
    let token = bench.account.auth_token();
    let (shown, data) = bench.told("show_account", json!({})).await;
    assert!(
        !shown.contains(&*token) && shown.contains("it may be a secret") && data["auth_token"].is_null(),
        "{shown}"
    );
    let (_, fax) = bench.told("send_fax", json!({ "to": "+15558675310" })).await;
    let (shown, _) = bench.told("show_fax", json!({ "fax": fax["sid"] })).await;
    assert!(!shown.contains(&*token), "{shown}");
    // The token is needed to connect, so those who may call the control API find it there.
    let url = bench.emulator.url().parse().expect("a URL");
    let target = format!("/_fauxfax/v1/quickstart?account={}", bench.account.sid());
    assert!(crate::mcp_http::get(&url, &target).await.contains(&*token));
}

#[tokio::test]
async fn the_annotations_say_which_tools_change_something() {
    let bench = Bench::start().await;
    let tools = bench.assistant.list_all_tools().await.expect("a list");
    let of = |wanted: fn(&rmcp::model::ToolAnnotations) -> bool| {
        let found = tools.iter().filter(|tool| tool.annotations.as_ref().is_some_and(wanted));
        found.map(|tool| tool.name.as_ref()).collect::<Vec<_>>()
    };
    let destructive = of(|annotations| annotations.destructive_hint == Some(true));
    assert_eq!(destructive, ["reset", "release_number", "remove_rules"]);
    let read_only = of(|annotations| annotations.read_only_hint == Some(true));
    let changing = ["receive_fax", "send_fax", "set_number", "add_rule", "clock", "check"];
    assert!(changing.iter().all(|name| !read_only.contains(name)), "{read_only:?}");
    assert_eq!(read_only.len(), tools.len() - destructive.len() - changing.len());
}
