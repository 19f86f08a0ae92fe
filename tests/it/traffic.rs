//! Tests a tester's view of requests: REST requests in the journal with the engine's events, and every request in both
//! directions in the traffic.

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::engine::event::EventKind;
use fauxfax::http;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::account::AccountMode;
use fauxfax::model::time::Pace;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::driving::{asked, host};
use crate::host::{Host, PATIENCE, TOKEN, account, settings, setup};

const CONTROL: &str = "/_fauxfax/v1";

async fn control(host: &Host, method: &str, target: &str) -> Value {
    let (status, _, text) = asked(host, method, &format!("{CONTROL}{target}"), &[("host", "localhost")]).await;
    assert!(status.is_success(), "{method} {target}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn kinds(page: &Value) -> Vec<(u64, &str)> {
    let events = page["events"].as_array().expect("a list").iter();
    events.map(|each| (each["seq"].as_u64().expect("a number"), each["kind"].as_str().expect("a kind"))).collect()
}

/// Reads this many events from a stream that starts after this event, and returns their numbers.
async fn streamed(host: &Host, last_event_id: u64, count: usize) -> Vec<u64> {
    let request = Request::get(format!("{CONTROL}/events")).header(header::HOST, "localhost");
    let request = request.header(header::ACCEPT, "text/event-stream").header("last-event-id", last_event_id);
    let service = http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into());
    let response = service.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let (mut stream, mut ids) = (response.into_body().into_data_stream(), Vec::new());
    while ids.len() < count {
        let piece = tokio::time::timeout(PATIENCE, stream.next()).await.expect("in time").expect("more").expect("read");
        let text = String::from_utf8(piece.to_vec()).expect("text");
        ids.extend(text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse::<u64>().ok()));
    }
    ids
}

#[tokio::test]
async fn requests_and_events_share_one_numbering_on_every_page_and_stream() {
    let host = host(|_| ());
    let world = host.world();
    for round in 0..4 {
        host.call("GET", "/v1/Faxes", "").await;
        world.note(None, EventKind::CallNotAnswered);
        if round == 1 {
            control(&host, "POST", "/reset").await;
        }
    }
    let (asked, event) = ("api.request", "call.not-answered");
    let all = control(&host, "GET", "/events?all=true").await;
    let expected = [
        (1, asked),
        (2, event),
        (3, asked),
        (4, event),
        (5, "world.reset"),
        (6, asked),
        (7, event),
        (8, asked),
        (9, event),
    ];
    assert_eq!(kinds(&all), expected);
    assert_eq!((&all["last_seq"], &all["evicted"], &all["missed"]), (&json!(9), &json!(0), &json!(0)));
    assert_eq!(kinds(&control(&host, "GET", "/events").await), expected[4..], "from the last reset on");
    assert_eq!(kinds(&control(&host, "GET", "/events?since=6&limit=2").await), expected[6..8]);
    assert_eq!(
        kinds(&control(&host, "GET", "/events?since=2&kind=api.request").await),
        [(3, asked), (6, asked), (8, asked)]
    );
    assert_eq!(streamed(&host, 2, 7).await, [3, 4, 5, 6, 7, 8, 9]);
    let ((), ids) = tokio::join!(
        async {
            host.call("GET", "/v1/Faxes", "").await;
            world.note(None, EventKind::CallNotAnswered);
        },
        streamed(&host, 9, 2)
    );
    assert_eq!(ids, [10, 11], "a stream is woken by requests and by events");
    let verdict =
        json!({ "match": { "kind": "api.request", "data": { "path": "/v1/Faxes", "status": 200 } }, "times": 3 });
    let request = Request::post(format!("{CONTROL}/verify")).header(header::HOST, "localhost");
    let service = http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into());
    let response = service.oneshot(request.body(Body::from(verdict.to_string())).expect("a request")).await;
    let body = axum::body::to_bytes(response.expect("an answer").into_body(), usize::MAX).await.expect("a body");
    let verdict: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((&verdict["verified"], &verdict["found"]), (&json!(true), &json!(3)), "{verdict}");
}

/// Returns the value of a field in each of these items of the traffic or of a journal.
fn each<'a>(items: &'a Value, field: &str) -> Vec<&'a Value> {
    items.as_array().expect("a list").iter().map(|item| &item[field]).collect()
}

#[tokio::test]
async fn a_request_that_no_account_took_is_listed_with_the_reason_and_without_its_secrets() {
    let mut settings = settings(Pace::Max);
    settings.options.accounts = AccountMode::Strict;
    let host = Host::with(settings, &ClientOptions::default(), setup("http://127.0.0.1:9/fax"));
    let (own, other) = (account().to_string(), "AC0123456789abcdef0123456789abcdef");
    let numbers = |account: &str| format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json");
    host.call_as((other, "t"), "GET", "/v1/Faxes?AuthToken=s3cret", "").await;
    host.call_as((&own, "wrong"), "POST", "/v1/Faxes", "").await;
    host.call_as((&own, TOKEN), "GET", &numbers(other), "").await;
    host.call("GET", "/v1/Fax", "").await;
    host.call("PUT", &numbers(&own), "").await;
    asked(&host, "GET", "/v1/Faxes", &[("host", "localhost")]).await;
    asked(&host, "GET", "/v1/Faxes", &[("host", "rebound.example")]).await;
    asked(&host, "GET", "/v1/Faxes", &[("host", "localhost"), ("origin", "http://page.example")]).await;
    let media = format!("/fax/{other}/FX{0}/ME{0}?X-Amz-Signature=s3cret", "0".repeat(32));
    asked(&host, "GET", &media, &[("host", "localhost")]).await;
    let traffic = control(&host, "GET", "/traffic").await;
    let told: Vec<_> = traffic["requests"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| {
            let word = |name: &str| each[name].as_str().unwrap_or("-").to_owned();
            (word("reason"), word("method"), each["status"].clone(), each["code"].clone(), word("account_sid"))
        })
        .collect();
    let line = |reason: &str, method: &str, status: u16, code: Option<u32>, account: &str| {
        (reason.to_owned(), method.to_owned(), json!(status), json!(code), account.to_owned())
    };
    let expected = [
        line("unknown-account", "GET", 401, Some(20003), other),
        line("wrong-credential", "POST", 401, Some(20003), &own),
        line("other-account", "GET", 401, Some(20003), other),
        line("unknown-path", "GET", 404, Some(20404), &own),
        line("wrong-method", "PUT", 405, Some(20004), &own),
        line("no-credential", "GET", 401, Some(20003), "-"),
        line("not-allowed", "GET", 421, Some(20006), "-"),
        line("not-allowed", "GET", 403, Some(20006), "-"),
        line("unknown-account", "GET", 404, None, other),
    ];
    assert_eq!(told, expected);
    assert_eq!(traffic["requests"][2]["path"], numbers(other), "the path is listed as requested");
    assert_eq!(traffic["requests"][1]["answer"]["code"], 20003);
    assert!(!traffic.to_string().contains("s3cret"), "{traffic}");
    // All but the web page's request and the download are also in the default account's journal.
    let events = control(&host, "GET", "/events?kind=api.request").await;
    let reasons: Vec<_> =
        events["events"].as_array().expect("a list").iter().map(|each| &each["data"]["reason"]).collect();
    assert_eq!(reasons, expected[..7].iter().map(|line| json!(line.0)).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    assert_eq!(events["events"][0]["data"]["account_sid"], other);
    let rest = control(&host, "GET", "/traffic?since=5&limit=2").await;
    assert_eq!(each(&rest["requests"], "seq"), [6, 7]);
    assert_eq!(each(&control(&host, "GET", "/traffic?last=2").await["requests"], "seq"), [8, 9]);
}

/// Posts JSON to the control API.
async fn posted(host: &Host, target: &str, body: &Value) -> Value {
    let request = Request::post(format!("{CONTROL}{target}")).header(header::HOST, "localhost");
    let service = http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into());
    let response = service.oneshot(request.body(Body::from(body.to_string())).expect("a request")).await;
    let body = axum::body::to_bytes(response.expect("an answer").into_body(), usize::MAX).await.expect("a body");
    serde_json::from_slice(&body).expect("JSON")
}

#[tokio::test]
async fn what_a_rule_does_to_a_call_is_recorded_as_the_client_sees_it() {
    let host = host(|_| ());
    posted(&host, "/rules", &json!({ "api": { "status": 429, "code": 20429 }, "times": 1 })).await;
    let refused = host.call("GET", "/v1/Faxes?marker=refused", "").await.json();
    posted(&host, "/rules", &json!({ "api": { "reset": true }, "times": 1 })).await;
    let request = Request::get("/v1/Faxes?marker=reset").header(header::HOST, "localhost");
    let credential = BASE64_STANDARD.encode(format!("{}:{TOKEN}", account()));
    let request = request.header(header::AUTHORIZATION, format!("Basic {credential}")).body(Body::empty());
    let service = http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into());
    let reset = service.oneshot(request.expect("a request")).await.expect("an answer");
    assert!(axum::body::to_bytes(reset.into_body(), usize::MAX).await.is_err(), "the client gets no response");
    let events = control(&host, "GET", "/events?kind=api.request").await;
    let [first, second] = [0, 1].map(|at| &events["events"][at]["data"]);
    assert_eq!((&first["status"], &first["answer"]), (&json!(429), &refused));
    assert_eq!((&second["status"], &second["answer"]), (&Value::Null, &Value::Null));
    assert!(second["error"].as_str().is_some_and(|error| error.contains("by a rule")), "{second}");
    let failed = control(&host, "GET", "/traffic?status=failed").await;
    assert_eq!(each(&failed["requests"], "status"), [&json!(429), &Value::Null]);
}

#[tokio::test]
async fn a_journal_takes_a_limited_number_of_refused_requests_between_resets_but_the_traffic_takes_all() {
    let host = host(|_| ());
    let own = account().to_string();
    for _ in 0..1_005 {
        host.call_as((&own, "wrong"), "GET", "/v1/Faxes", "").await;
    }
    let journal = || host.world().read_journal(|journal| journal.last_seq());
    assert_eq!(journal(), 1_000);
    let traffic = control(&host, "GET", "/traffic?status=401&limit=2000").await;
    assert_eq!(traffic["requests"].as_array().map(Vec::len), Some(1_005));
    assert_eq!(control(&host, "GET", "/events?limit=1").await["left_out"], 5);
    let expectation = json!({ "match": { "kind": "api.request", "data": { "path": "/v1/Faxes/mine" } }, "times": 0 });
    let verdict = posted(&host, "/verify", &expectation).await;
    assert_eq!(
        (&verdict["verified"], &verdict["missed"]),
        (&json!(true), &json!(5)),
        "the response says how many requests it could not check"
    );
    control(&host, "POST", "/reset").await;
    host.call_as((&own, "wrong"), "GET", "/v1/Faxes", "").await;
    assert_eq!(journal(), 1_002, "the reset, and a refused request after it");
}

#[tokio::test]
async fn a_read_of_an_account_that_nobody_has_used_is_only_in_the_traffic() {
    let host = host(|_| ());
    let other = "AC0123456789abcdef0123456789abcdef";
    assert_eq!(host.call_as((other, "t"), "GET", "/v1/Faxes?PageSize=2", "").await.status, 200);
    let traffic = control(&host, "GET", "/traffic").await;
    let noted = &traffic["requests"][0];
    assert_eq!((&noted["reason"], &noted["account_sid"]), (&json!("account-not-created"), &json!(other)), "{traffic}");
    assert_eq!(
        (&noted["status"], &noted["code"], &noted["params"]),
        (&json!(200), &json!(null), &json!({"PageSize": "2"}))
    );
    assert_eq!(noted["answer"]["faxes"], json!([]));
    host.call_as((other, "t"), "POST", "/v1/Faxes", "").await;
    host.call_as((other, "t"), "GET", "/v1/Faxes", "").await;
    assert_eq!(control(&host, "GET", &format!("/events?account={other}")).await["last_seq"], 2);
    assert_eq!(
        each(&control(&host, "GET", "/traffic").await["requests"], "reason"),
        [&json!("account-not-created"), &json!(null), &json!(null)]
    );
}

#[tokio::test]
async fn a_call_is_recorded_with_its_parameters_its_response_and_its_duration() {
    let host = host(|_| ());
    let form = "From=%2B15005550006&To=nonsense&MediaUrl=http%3A%2F%2Fu%3As3cret%40app.test%2Fa.pdf";
    assert_eq!(host.call("POST", "/v1/Faxes", form).await.status, 400);
    let events = control(&host, "GET", "/events?kind=api.request").await;
    let data = &events["events"][0]["data"];
    let params = json!({ "From": "+15005550006", "To": "nonsense", "MediaUrl": "http://u:***@app.test/a.pdf" });
    assert_eq!((&data["params"], &data["status"], &data["code"]), (&params, &json!(400), &json!(21211)), "{data}");
    assert_eq!((&data["answer"]["code"], &data["reason"]), (&json!(21211), &json!(null)));
    assert!(data["duration_ms"].as_f64().is_some_and(|ms| ms > 0.0 && ms < 30_000.0), "{data}");
    assert!(!events.to_string().contains("s3cret"), "{events}");
    let made = host.call("POST", "/v1/Faxes", &form.replace("nonsense", "%2B15558675310")).await.json();
    let found =
        control(&host, "GET", &format!("/traffic?fax={}&direction=in", made["sid"].as_str().expect("a SID"))).await;
    assert_eq!(each(&found["requests"], "answer"), [&made], "the whole response");
    let account = host.call("GET", &format!("/2010-04-01/Accounts/{}.json", account()), "").await.json();
    assert_eq!(account["auth_token"], TOKEN);
    let traffic = control(&host, "GET", "/traffic?text=auth_token").await;
    assert_eq!(traffic["requests"][0]["answer"]["auth_token"], "***", "{traffic}");
}

/// Starts an app that accepts faxes, but responds to their callbacks with an error.
async fn failing_app() -> MockServer {
    let app = MockServer::start().await;
    let twiml = "<Response><Receive action=\"/done\"/></Response>";
    let taken = ResponseTemplate::new(200).set_body_raw(twiml, "text/xml");
    Mock::given(path("/fax")).respond_with(taken).mount(&app).await;
    Mock::given(path("/done"))
        .respond_with(ResponseTemplate::new(500).set_body_string("Traceback: oops"))
        .mount(&app)
        .await;
    app
}

#[tokio::test]
async fn requests_in_both_directions_are_found_by_every_filter() {
    let app = failing_app().await;
    let host = Host::new(setup(&format!("{}/fax", app.uri())));
    let receive = Request::post(format!("{CONTROL}/incoming-faxes?wait=true")).header(header::HOST, "localhost");
    let service = http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into());
    let received = service.oneshot(receive.body(Body::from("{}")).expect("a request")).await.expect("an answer");
    let received = axum::body::to_bytes(received.into_body(), usize::MAX).await.expect("a body");
    let received: Value = serde_json::from_slice(&received).expect("JSON");
    let fax = received["fax_sid"].as_str().expect("a SID");
    host.call("GET", "/v1/Faxes/FX00000000000000000000000000000000", "").await;
    let media = host.call("GET", &format!("/v1/Faxes/{fax}"), "").await.json()["media_url"].clone();
    let media = media.as_str().and_then(|url| url.split_once("localhost:8329")).expect("a URL").1.to_owned();
    assert_eq!(asked(&host, "GET", &media, &[("host", "localhost"), ("user-agent", "app")]).await.0, 200);
    for (filters, kinds, statuses) in [
        ("", vec!["webhook", "webhook", "rest", "rest", "media"], vec![200, 500, 404, 200, 200]),
        ("direction=out", vec!["webhook", "webhook"], vec![200, 500]),
        ("direction=in&method=get&status=2xx", vec!["rest", "media"], vec![200, 200]),
        ("status=failed", vec!["webhook", "rest"], vec![500, 404]),
        ("status=500,404", vec!["webhook", "rest"], vec![500, 404]),
        ("status=5xx", vec!["webhook"], vec![500]),
        ("code=20404", vec!["rest"], vec![404]),
        ("code=11200", vec!["webhook"], vec![500]),
        ("path=/DONE", vec!["webhook"], vec![500]),
        ("path=http*/fax", vec!["webhook"], vec![200]),
        ("path=/fax*http", vec![], vec![]),
        ("text=traceback", vec!["webhook"], vec![500]),
        ("text=Receive%20action", vec!["webhook"], vec![200]),
        ("kind=media", vec!["media"], vec![200]),
        ("kind=rest&last=1", vec!["rest"], vec![200]),
        ("kind=rest&limit=1", vec!["rest"], vec![404]),
        ("account=*&status=404", vec!["rest"], vec![404]),
        ("account=AC00000000000000000000000000000001", vec![], vec![]),
    ] {
        let found = control(&host, "GET", &format!("/traffic?{filters}")).await;
        assert_eq!(
            (each(&found["requests"], "kind"), each(&found["requests"], "status")),
            (
                kinds.iter().map(|kind| json!(kind)).collect::<Vec<_>>().iter().collect(),
                statuses.iter().map(|status| json!(status)).collect::<Vec<_>>().iter().collect()
            ),
            "{filters}"
        );
    }
    let of_fax = control(&host, "GET", &format!("/traffic?fax={fax}&account={}", account())).await;
    assert_eq!(each(&of_fax["requests"], "kind"), ["webhook", "webhook", "rest", "media"]);
    let done = &of_fax["requests"][1];
    assert_eq!((&done["purpose"], &done["params"]["FaxStatus"]), (&json!("action"), &json!("received")));
    assert_eq!((&done["answer"], &done["error"]["code"]), (&json!("Traceback: oops"), &json!(11200)));
    assert!(done["request_headers"].as_object().is_some_and(|headers| headers.len() > 3), "{done}");
    let download = &of_fax["requests"][3];
    assert!(download["answer_bytes"].as_u64().is_some_and(|bytes| bytes > 1_000), "{download}");
    assert_eq!(download["answer"], Value::Null, "a document isn't text");
}

#[tokio::test]
async fn an_invalid_filter_is_refused_with_the_valid_values() {
    let host = host(|_| ());
    for (filter, part) in [
        ("direction=inward", "in, out"),
        ("kind=webhok", "did you mean webhook?"),
        ("status=6xx", "neither a status"),
        ("status=404,x", "neither a status"),
        ("last=1&limit=1", "newest"),
        ("code=abc", "code"),
        ("account=AC1", "account"),
        ("sort=new", "sort"),
    ] {
        let target = format!("{CONTROL}/traffic?{filter}");
        let (status, _, text) = asked(&host, "GET", &target, &[("host", "localhost")]).await;
        assert!(status == 400 || status == 422, "{filter}: {status}");
        assert!(text.contains(part), "{filter}: {text}");
    }
}

/// Opens a stream.
async fn opened(host: &Host, target: &str) -> BodyDataStream {
    let request = Request::get(format!("{CONTROL}{target}")).header(header::HOST, "localhost");
    let request = request.header(header::ACCEPT, "text/event-stream").body(Body::empty()).expect("a request");
    let service = http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into());
    let response = service.oneshot(request).await.expect("an answer");
    response.into_body().into_data_stream()
}

/// Reads this many items from a stream.
async fn items(stream: &mut BodyDataStream, count: usize) -> Vec<Value> {
    let mut items = Vec::new();
    while items.len() < count {
        let piece = tokio::time::timeout(PATIENCE, stream.next()).await.expect("in time").expect("more").expect("read");
        let text = String::from_utf8(piece.to_vec()).expect("text");
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        items.extend(data.map(|data| serde_json::from_str::<Value>(data).expect("JSON")));
    }
    items
}

#[tokio::test]
async fn the_traffic_can_be_followed_live() {
    let host = host(|_| ());
    host.call("GET", "/v1/Faxes?Page=0", "").await;
    host.call("GET", "/v1/Faxes?Page=1", "").await;
    let mut stream = opened(&host, "/traffic?last=1&path=/v1/Faxes").await;
    let first = items(&mut stream, 1).await;
    host.call("GET", "/v1/Elsewhere", "").await;
    host.call("GET", "/v1/Faxes?Page=2", "").await;
    let second = items(&mut stream, 1).await;
    let paths: Vec<_> = first.iter().chain(&second).map(|item| item["path"].as_str().expect("a path")).collect();
    assert_eq!(paths, ["/v1/Faxes?Page=1", "/v1/Faxes?Page=2"]);
}

#[tokio::test]
async fn the_events_of_all_accounts_are_one_list_and_one_stream() {
    let host = host(|_| ());
    let (own, other) = (account().to_string(), "AC0123456789abcdef0123456789abcdef");
    host.call_as((other, "t"), "POST", "/v1/Faxes", "").await;
    host.call("GET", "/v1/Faxes", "").await;
    host.call_as((other, "t"), "GET", "/v1/Faxes", "").await;
    control(&host, "POST", "/reset").await;
    let all = control(&host, "GET", "/events?account=*").await;
    assert_eq!(kinds(&all), [(1, "api.request"), (2, "api.request"), (3, "api.request"), (4, "world.reset")]);
    assert_eq!(each(&all["events"], "account_sid"), [other, &own, other, &own]);
    assert_eq!(each(&all["events"], "account_seq"), [1, 1, 2, 2]);
    assert_eq!((&all["last_seq"], &all["evicted"], &all["missed"]), (&json!(4), &json!(0), &json!(0)));
    let rest = control(&host, "GET", "/events?account=*&since=1&kind=api.request&limit=1").await;
    assert_eq!(each(&rest["events"], "seq"), [2]);
    let mut stream = opened(&host, "/events?account=*&since=3").await;
    host.call_as((other, "t"), "GET", "/v1/Faxes", "").await;
    let found = items(&mut stream, 2).await;
    assert_eq!((&found[0]["kind"], &found[1]["account_sid"]), (&json!("world.reset"), &json!(other)));
}

#[tokio::test]
async fn the_traffic_is_guarded_like_the_control_api() {
    let host = host(|guard| guard.control_token = Some("t".into()));
    let target = format!("{CONTROL}/traffic");
    assert_eq!(asked(&host, "GET", &target, &[("host", "localhost")]).await.0, 401);
    assert_eq!(
        asked(&host, "GET", &target, &[("host", "rebound.example"), ("authorization", "Bearer t")]).await.0,
        421
    );
    let (status, _, text) = asked(&host, "GET", &target, &[("host", "localhost"), ("authorization", "Bearer t")]).await;
    assert_eq!(status, 200);
    let page: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(page["last_seq"], 0, "requests to the control API are not listed: {page}");
}

#[tokio::test]
async fn a_response_that_cannot_be_read_as_twiml_counts_as_failed_and_says_where_it_is_wrong() {
    let app = MockServer::start().await;
    let twiml = "<Response>\n<Receive>\n</Response>";
    Mock::given(path("/fax"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(twiml, "text/xml"))
        .mount(&app)
        .await;
    let host = Host::new(setup(&format!("{}/fax", app.uri())));
    host.call("GET", "/v1/Faxes", "").await;
    posted(&host, "/incoming-faxes?wait=true", &json!({ "to": "+15005550006", "pages": 1 })).await;
    let failed = control(&host, "GET", "/traffic?status=failed&code=12100").await;
    let [request] = failed["requests"].as_array().expect("a list").as_slice() else { panic!("{failed}") };
    assert_eq!((&request["kind"], &request["status"]), (&json!("webhook"), &json!(200)));
    assert!(request["error"]["message"].as_str().is_some_and(|text| text.contains(" at 3:")), "{request}");
    assert!(request["cause"].as_str().is_some_and(|text| text.contains("well-formed")), "{request}");
    assert!(request["advice"].is_string(), "{request}");
    let of_client = control(&host, "GET", "/traffic?direction=in").await;
    assert_eq!(of_client["requests"][0]["advice"], Value::Null, "a call that succeeded needs no advice");
}

#[tokio::test]
async fn a_response_with_many_warnings_and_no_verb_still_counts_as_failed() {
    let app = MockServer::start().await;
    let twiml = format!("<Response>{}</Response>", "<Dial/>".repeat(10));
    Mock::given(path("/fax"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(twiml, "text/xml"))
        .mount(&app)
        .await;
    let host = Host::new(setup(&format!("{}/fax", app.uri())));
    posted(&host, "/incoming-faxes?wait=true", &json!({ "to": "+15005550006", "pages": 1 })).await;
    let alerts = control(&host, "GET", "/events?kind=alert").await;
    assert_eq!(alerts["events"].as_array().map(Vec::len), Some(11), "ten warnings, then the error: {alerts}");
    let failed = control(&host, "GET", "/traffic?status=failed").await;
    let [request] = failed["requests"].as_array().expect("a list").as_slice() else { panic!("{failed}") };
    assert_eq!((&request["kind"], &request["status"]), (&json!("webhook"), &json!(200)));
    assert_eq!((&request["code"], &request["error"]["code"]), (&json!(34106), &json!(34106)), "{request}");
    assert!(request["error"]["message"].as_str().is_some_and(|text| text.contains("neither <Receive>")), "{request}");
    assert!(request["advice"].is_string(), "{request}");
}
