//! Tests bad input to the control API: each error names the field or parameter, and says what is wrong with it.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use fauxfax::http::control::{BASE, openapi};
use fauxfax::world::journal::kinds;
use serde_json::{Value, json};

use crate::control::Bench;

const FORM: &str = "multipart/form-data; boundary=b";

/// Makes a call with this exact body, and returns the status and detail of the refusal.
async fn refused(bench: &Bench, method: &str, target: &str, content_type: &str, body: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(format!("{BASE}{target}"));
    let request = request.header(header::HOST, "localhost:8329").header(header::CONTENT_TYPE, content_type);
    let response = bench.send(request.body(Body::from(body.to_owned())).expect("a request")).await;
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let problem: Value =
        serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("{method} {target} {body}: {status}"));
    (status, problem["detail"].as_str().unwrap_or_else(|| panic!("{method} {target} {body}: {problem}")).to_owned())
}

/// Builds a multipart form with these fields and the boundary that `FORM` names.
fn form(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    fields.iter().map(part).chain(["--b--\r\n".to_owned()]).collect()
}

#[tokio::test]
async fn an_error_about_a_json_body_names_its_field() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    for (call, body, told) in [
        (
            "POST /incoming-faxes",
            r#"{"pages":"three"}"#,
            "pages: must be a whole number from 0 to 4294967295, not \"three\"",
        ),
        ("POST /incoming-faxes", r#"{"to":5}"#, "to: must be a string, not 5"),
        (
            "POST /incoming-faxes",
            r#"{"to":null,"pages":-1}"#,
            "pages: must be a whole number from 0 to 4294967295, not -1",
        ),
        (
            "POST /incoming-faxes",
            r#"{"outcome":{"status":"failed","code":"x"}}"#,
            "outcome.code: must be a whole number from 0 to 4294967295, not \"x\"",
        ),
        (
            "POST /incoming-faxes",
            r#"{"outcome":5}"#,
            "outcome: must be a word, or an object with status, code, after_pages and message, not 5",
        ),
        ("POST /incoming-faxes", r#"{"pages":1,"pages":2}"#, "pages: is given twice; give it once"),
        ("POST /incoming-faxes", r#"["+15005550006"]"#, "must be an object, not a list"),
        ("PUT /clock", "{}", "mode: is required"),
        ("PUT /clock", r#"{"mode":true}"#, "mode: must be a string, not true"),
        ("POST /clock/advance", r#"{"seconds":"60"}"#, "seconds: must be a number, not \"60\""),
        ("POST /clock/drain", r#"{"timeout":"60"}"#, "timeout: must be a number, not \"60\""),
        ("POST /rules", r#"{"times":1,"times":2,"outcome":{"status":"busy"}}"#, "times: is given twice; give it once"),
        ("POST /rules", r#"{"webhook":{"drop":true,"drop":false}}"#, "webhook.drop: is given twice; give it once"),
        ("POST /rules", r#"{"fierd":1,"outcome":{"status":"busy"}}"#, "rule: unknown field \"fierd\""),
        ("POST /verify", r#"{"match":{"kind":"a","kind":"b"}}"#, "match.kind: is given twice; give it once"),
        ("POST /verify", r#"{"in_order":{}}"#, "in_order: must be a list, not an object"),
        ("POST /verify", r#"{"all":1}"#, "all: must be true or false, not 1"),
        ("POST /verify", r#"{"match":{},"since":1,"all":true}"#, "all: can't be true together with since"),
        ("POST /explain-signature", r#"{"url":"http://h/"}"#, "give either signature or app_url"),
        (
            "POST /explain-signature",
            r#"{"url":"u","signature":"s","params":[]}"#,
            "params: must be an object, not a list",
        ),
        ("POST /accounts", r#"{"numbers":[{"phone_number":5}]}"#, "numbers[0].phone_number: must be a string, not 5"),
        ("POST /accounts", r#"{"numbers":["+15017122661"]}"#, "numbers[0]: must be an object, not \"+15017122661\""),
        (
            "POST /accounts",
            r#"{"numbers":[{"phone_number":"+15017122661","voice_url":["http://h/"]}]}"#,
            "numbers[0].voice_url: must be a string, not a list",
        ),
        (
            "POST /accounts",
            r#"{"numbers":[{"phone_number":"+15017122661"},{"phone_number":"+15017122661"}]}"#,
            "numbers[1].phone_number: +15017122661 is given twice; give it once",
        ),
        ("POST /accounts", r#"{"caller_ids":[{"phone_number":"911"}]}"#, "caller_ids[0].phone_number: \"911\" is"),
        ("POST /accounts", r#"{"caller_ids":[{}]}"#, "caller_ids[0].phone_number: is required"),
        ("POST /accounts", r#"{"frendly_name":"x"}"#, "unknown field \"frendly_name\"; did you mean friendly_name?"),
        ("POST /accounts", "{", "this is not JSON: EOF while parsing an object at line 1 column 1"),
    ] {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        let answer = refused(&bench, method, &format!("{path}?account={account}"), "application/json", body).await;
        let status = if body == "{" { 400 } else { 422 };
        assert!(answer.0 == status && answer.1.starts_with(told), "{call} {body}: {answer:?}");
    }
}

#[tokio::test]
async fn an_error_about_a_query_names_its_parameter() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let whole = "a whole number from 0 to 18446744073709551615";
    let both = "all: can't be true together with since, which names another start; give one of the two".to_owned();
    for (target, told) in [
        ("/events?since=abc", format!("since: must be {whole}, not \"abc\"")),
        ("/events?limit=-1", format!("limit: must be {whole}, not \"-1\"")),
        ("/events?all=yes", "all: must be true or false, not \"yes\"".to_owned()),
        ("/events?since=1&since=2", "since: is given twice; give it once".to_owned()),
        ("/events?since=1&all=true", both.clone()),
        ("/wait?status=received&since=1&all=true", both.clone()),
        ("/webhooks?since=1&all=true", both),
        (
            "/events?kind=fax.stauts",
            "kind: no event is of the kind \"fax.stauts\"; did you mean fax.status?".to_owned(),
        ),
        ("/events?snice=1", "unknown field \"snice\"; did you mean since?".to_owned()),
        ("/traffic?since=1.5", format!("since: must be {whole}, not \"1.5\"")),
        ("/webhooks?since=x", format!("since: must be {whole}, not \"x\"")),
        ("/wait?for=idle&timeout=soon", "timeout: must be a number, not \"soon\"".to_owned()),
        ("/faxes?page_token=x", format!("page_token: must be {whole}, not \"x\"")),
        ("/state?media=all", "media: must be one of inline, hash, not \"all\"".to_owned()),
    ] {
        let account = if target.starts_with("/traffic") { String::new() } else { format!("&account={account}") };
        assert_eq!(bench.refused("GET", &format!("{target}{account}"), Value::Null).await, (400, told), "{target}");
    }
    let (status, told) = bench.refused("POST", &format!("/reset?seed=one&account={account}"), Value::Null).await;
    assert_eq!((status, told), (400, format!("seed: must be {whole}, not \"one\"")));
    let (status, told) =
        bench.refused("POST", &format!("/incoming-faxes?wait=yes&account={account}"), Value::Null).await;
    assert_eq!((status, told.as_str()), (400, "wait: must be true or false, not \"yes\""));
    let twice = format!("/clock?account={account}&account={account}");
    let told = bench.refused("GET", &twice, Value::Null).await;
    assert_eq!(told, (400, "account: is given twice; give it once".to_owned()));
}

#[tokio::test]
async fn a_duplicate_or_invalid_form_field_is_refused_by_name() {
    let bench = Bench::new().await;
    let target = format!("/incoming-faxes?account={}", bench.account().await);
    for (fields, told) in [
        (&[("pages", "1"), ("pages", "2")][..], "pages: is given twice; give it once"),
        (&[("to", "+15017122661"), ("to", "+15017122661")], "to: is given twice; give it once"),
        (&[("file", "%PDF"), ("file", "%PDF")], "file: is given twice; give it once"),
        (&[("pages", "three")], "pages: must be a whole number from 0 to 4294967295, not \"three\""),
        (
            &[("outcome", r#"{"status":"failed","code":"x"}"#)],
            "outcome.code: must be a whole number from 0 to 4294967295, not \"x\"",
        ),
        (&[("outcome", r#"{"status":"failed","status":"received"}"#)], "outcome.status: is given twice; give it once"),
        (&[("outcome", "{")], "outcome: this is not JSON: "),
    ] {
        let answer = refused(&bench, "POST", &target, FORM, &form(fields)).await;
        assert!(answer.0 == 422 && answer.1.starts_with(told), "{fields:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_listed_rule_can_be_posted_unchanged() {
    let bench = Bench::new().await;
    let target = format!("/rules?account={}", bench.account().await);
    let rule = json!({ "match": { "purpose": "action" }, "chance": 0.5, "webhook": { "reorder": true } });
    bench.ok("POST", &target, rule).await;
    let listed = bench.ok("GET", &target, Value::Null).await["rules"][0].clone();
    assert!(["id", "matched", "fired", "warning"].iter().all(|name| listed.get(name).is_some()), "{listed}");
    let mut again = bench.ok("POST", &target, listed.clone()).await;
    assert_eq!(again["id"], 2, "posting it again adds a second rule");
    for name in ["id", "warning"] {
        again[name] = listed[name].clone();
    }
    assert_eq!(again, listed);
    let openapi = openapi();
    let properties = &openapi["components"]["schemas"]["NewRule"]["properties"];
    assert_eq!((&properties["fired"]["readOnly"], &properties["times"]["readOnly"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn an_invalid_last_event_id_is_refused_and_an_empty_one_counts_as_absent() {
    let bench = Bench::new().await;
    let target = format!("/events?account={}", bench.account().await);
    let ask = async |id: &'static [u8]| {
        let request = Request::builder().uri(format!("{BASE}{target}")).header(header::HOST, "localhost:8329");
        let request = request.header(header::ACCEPT, "text/event-stream").header("last-event-id", id);
        bench.send(request.body(Body::empty()).expect("a request")).await
    };
    for id in [b"".as_slice(), b" ", b"3"] {
        assert_eq!(ask(id).await.status(), 200, "{id:?}");
    }
    for id in [b"abc".as_slice(), b"-1", b"1.5", b"\xff"] {
        let response = ask(id).await;
        assert_eq!(response.status(), 400, "{id:?}");
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        let problem: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(problem["type"], "urn:fauxfax:problem:bad-last-event-id");
        assert!(problem["detail"].as_str().is_some_and(|told| told.contains("Last-Event-ID")), "{problem}");
    }
}

#[tokio::test]
async fn every_kind_of_event_is_documented_and_accepted_and_no_other_is() {
    let bench = Bench::new().await;
    let page = include_str!("../../docs/control-api.md");
    for kind in kinds() {
        assert!(page.contains(&format!("`{kind}`")), "{kind} is not documented");
        bench.ok("GET", &format!("/events?kind={kind}"), Value::Null).await;
    }
    for kind in ["x", "FAX.STATUS"] {
        let (status, told) = bench.refused("GET", &format!("/events?kind={kind}"), Value::Null).await;
        assert!(status == 400 && told.contains("the kinds are") && told.contains("world.reset"), "{kind}: {told}");
    }
}

#[tokio::test]
async fn an_advance_beyond_the_end_of_the_clock_says_where_the_clock_ends() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    bench.ok("PUT", &format!("/clock?account={account}"), json!({ "mode": "frozen" })).await;
    let target = format!("/clock/advance?account={account}");
    for (body, told) in [
        (
            json!({ "to": "12026-01-01T00:00:00Z" }),
            "to: must be an RFC 3339 date and time before 9999-12-30T22:00:00.000000Z, such as",
        ),
        (json!({ "to": "9999-12-31T23:59:59Z" }), "not \"9999-12-31T23:59:59Z\""),
        (json!({ "to": "tomorrow" }), "such as 2026-03-01T00:00:00Z, not \"tomorrow\""),
        (json!({ "to": "9999-12-30T22:00:00Z" }), "to: the clock ends at 9999-12-30T22:00:00.000000Z"),
        (json!({ "seconds": 1e12 }), "seconds: the clock ends at 9999-12-30T22:00:00.000000Z"),
        (json!({ "seconds": 1e30 }), "seconds: must be a number from 0 to 25"),
        (json!({ "seconds": -1 }), "not -1"),
    ] {
        let (status, detail) = bench.refused("POST", &target, body.clone()).await;
        assert!(status == 422 && detail.contains(told), "{body}: {detail}");
    }
}

#[tokio::test]
async fn a_state_with_an_invalid_rule_changes_nothing() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    bench.ok("POST", &format!("/rules?account={account}"), json!({ "api": { "status": 503 } })).await;
    let target = format!("/state?account={account}");
    let mut state = bench.ok("GET", &target, Value::Null).await;
    state["world"]["book"]["rules"][0]["rule"]["effect"]["api"]["refusal"][0] = json!(9_999);
    let told = "world.book.rules[0] (rule 1): api.status: must be a whole number from 400 to 599, \
                not 9999; the world is unchanged";
    assert_eq!(bench.refused("PUT", &target, state).await, (422, told.to_owned()));
}
