//! Tests the list of faxes over HTTP: the search and its number of hits, unanswered calls, pages, and lists of all
//! accounts.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fauxfax::emulator::World;
use fauxfax::engine::Engine;
use fauxfax::engine::input::{CreateFax, ReceiveFax};
use fauxfax::model::phone::PhoneNumber;
use serde_json::{Value, json};
use url::form_urlencoded;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::apps;
use crate::control::Bench;
use crate::script::{call, order};

const LETTER: &[u8] = include_bytes!("../../fixtures/documents/two-pages.pdf");
const RECEIVE: &str = "<Response><Receive/></Response>";
/// A number that is always busy.
const BUSY: PhoneNumber = PhoneNumber::from_digits(15_005_550_101);
/// A number of the account whose app takes every call.
const TAKEN: &str = "+15017122661";

/// An emulator with one account, whose faxes are searched.
struct Desk {
    bench: Bench,
    app: MockServer,
    account: String,
}

impl Desk {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let app = MockServer::start().await;
        let twiml = ResponseTemplate::new(200).set_body_raw(RECEIVE, "text/xml");
        Mock::given(path("/fax")).respond_with(twiml).mount(&app).await;
        let crash = ResponseTemplate::new(500).set_body_raw("KeyError: 'FaxSid'", "text/plain");
        Mock::given(path("/crash")).respond_with(crash).mount(&app).await;
        let letter = ResponseTemplate::new(200).set_body_raw(LETTER, "application/pdf");
        Mock::given(path("/letter.pdf")).respond_with(letter).mount(&app).await;
        let mut desk = Self { bench, app, account: String::new() };
        desk.account = desk.open("twilio").await;
        desk
    }

    /// Creates an account with a number whose app takes every call.
    async fn open(&self, dialect: &str) -> String {
        let number = number(TAKEN, &format!("{}/fax", self.app.uri()));
        let account = self.bench.ok("POST", "/accounts", json!({ "dialect": dialect, "numbers": [number] })).await;
        account["sid"].as_str().expect("a SID").to_owned()
    }

    fn world(&self, account: &str) -> World {
        self.bench.registry.world(account.parse().expect("a SID")).expect("a world")
    }

    /// Makes a fax machine call with these details, waits until the call has ended, and returns its SID.
    async fn receive(&self, account: &str, order: Value) -> String {
        let ended = self.bench.ok("POST", &format!("/incoming-faxes?wait=true&account={account}"), order).await;
        ended["fax_sid"].as_str().expect("a SID").to_owned()
    }

    async fn receive_from(&self, from: &str) -> String {
        self.receive(&self.account, json!({ "from": from, "to": TAKEN })).await
    }

    /// Sends this many faxes to the busy number and waits until they have ended.
    async fn send_to_busy(&self, count: usize) {
        let world = self.world(&self.account);
        for _ in 0..count {
            let media_url = format!("{}/letter.pdf", self.app.uri()).into();
            world.handle(CreateFax { media_url, ..order(BUSY) }).expect("accepted");
        }
        self.bench.ok("GET", &format!("/wait?for=idle&account={}", self.account), Value::Null).await;
    }

    /// Lists the account's faxes with these parameters.
    async fn list(&self, params: &[(&str, &str)]) -> Value {
        self.bench.ok("GET", &target(&self.account, params), Value::Null).await
    }

    /// Searches the account's faxes, checks that `hits` is the number of faxes on the page, and returns it.
    async fn hits(&self, name: &str, value: &str) -> usize {
        let page = self.list(&[(name, value), ("limit", "500")]).await;
        let found = page["faxes"].as_array().expect("a list").len();
        assert_eq!((&page["hits"], &page["hits_complete"]), (&json!(found), &json!(true)), "{name}={value}");
        found
    }
}

/// Returns the path and query of a list of this account's faxes.
fn target(account: &str, params: &[(&str, &str)]) -> String {
    let params = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("/faxes?account={account}&{params}")
}

fn number(number: &str, voice_url: &str) -> Value {
    json!({ "phone_number": number, "voice_receive_mode": "fax", "voice_url": voice_url })
}

fn sids(page: &Value) -> Vec<String> {
    let faxes = page["faxes"].as_array().expect("a list");
    faxes.iter().map(|fax| fax["sid"].as_str().expect("a SID").to_owned()).collect()
}

#[tokio::test]
async fn numbers_are_found_however_they_are_written() {
    let desk = Desk::new().await;
    for from in ["+15550000001", "+15550000010", "+15558675310"] {
        desk.receive_from(from).await;
    }
    let written = ["+15550000001", "5550000001", "+1 555 000 0001", "(555) 000-0001", "555-000-0001"];
    for text in written {
        for name in ["q", "text", "number"] {
            assert_eq!(desk.hits(name, text).await, 1, "{name}={text}");
        }
    }
    for (q, hits) in [
        ("from:+1555*", 3),
        ("to:+1555*", 0),
        ("number:8675310", 1),
        ("-from:8675310", 2),
        ("-\"+1 555 000 0001\" from:*0010", 1),
        ("+1 555 000 0002", 0),
    ] {
        assert_eq!(desk.hits("q", q).await, hits, "{q}");
    }
    let page = desk.list(&[("q", "5550000001"), ("limit", "1")]).await;
    assert_eq!((&page["total"], &page["hits"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn busy_faxes_are_found_by_their_code_and_the_list_says_why() {
    let desk = Desk::new().await;
    desk.send_to_busy(3).await;
    desk.receive_from("+15550000001").await;
    let broken = json!({ "status": "failed", "code": 34004, "after_pages": 1 });
    desk.receive(&desk.account, json!({ "to": TAKEN, "pages": 2, "outcome": broken })).await;
    for (name, value, hits) in [
        ("q", "34002", 3),
        ("q", "code:34002", 3),
        ("q", "code:34002,34004", 4),
        ("q", "3400", 0),
        ("q", "callee", 3),
        ("q", "error:\"callee busy\"", 3),
        ("q", "status:busy,failed direction:outbound", 3),
        ("q", "-status:busy", 2),
        ("q", "pages:>1 direction:outbound", 3),
        ("q", "pages:1..1 status:received", 1),
        ("q", "to:+15005550101 -code:34002", 0),
        ("text", "34002", 3),
        ("text", "Callee Busy", 3),
        ("status", "failed", 1),
    ] {
        assert_eq!(desk.hits(name, value).await, hits, "{name}={value}");
    }
    let both = desk.list(&[("q", "34002"), ("direction", "inbound")]).await;
    assert_eq!((&both["hits"], &both["total"]), (&json!(0), &json!(5)), "all filters must match");
    let page = desk.list(&[]).await;
    let why = |at: usize| (page["faxes"][at]["error_code"].clone(), page["faxes"][at]["error_message"].clone());
    assert_eq!(why(0), (json!(34004), json!("Error during fax transmission")));
    assert_eq!(why(1), (Value::Null, Value::Null));
    assert_eq!(why(2), (json!(34002), json!("Callee Busy")));
    assert_eq!((&page["hits"], &page["total"]), (&json!(5), &json!(5)));
}

#[tokio::test]
async fn an_empty_filter_counts_as_left_out() {
    let desk = Desk::new().await;
    desk.receive_from("+15550000001").await;
    for name in ["q", "direction", "status", "number", "text", "page_token"] {
        for value in ["", " "] {
            assert_eq!(desk.hits(name, value).await, 1, "{name}={value:?}");
        }
    }
    let get = async |list: &str| desk.bench.ok("GET", &format!("/{list}account={}", desk.account), Value::Null).await;
    let all = get("traffic?").await["requests"].as_array().expect("a list").len();
    assert!(all > 0);
    for name in ["direction", "kind", "method", "path", "status", "code", "fax", "text"] {
        let some = get(&format!("traffic?{name}=&")).await;
        assert_eq!(some["requests"].as_array().expect("a list").len(), all, "{name}");
    }
    let all = get("events?").await;
    for name in ["fax", "kind"] {
        assert_eq!(get(&format!("events?{name}=&")).await["events"], all["events"], "{name}");
    }
}

#[tokio::test]
async fn times_follow_the_worlds_clock() {
    let desk = Desk::new().await;
    desk.receive_from("+15550000001").await;
    let clock = |call: &str| format!("/clock{call}?account={}", desk.account);
    desk.bench.ok("PUT", &clock(""), json!({ "mode": "frozen" })).await;
    desk.bench.ok("POST", &clock("/advance"), json!({ "by": "1h 30m" })).await;
    let refused = desk.bench.refused("POST", &clock("/advance"), json!({ "by": "soon" })).await;
    assert!(refused.0 == 422 && refused.1.starts_with("by: \"soon\" is not a duration: "), "{refused:?}");
    let refused = desk.bench.refused("POST", &clock("/advance"), json!({ "by": "1h", "seconds": 1 })).await;
    assert_eq!(refused, (422, "give one of seconds, by and to".to_owned()));
    for (q, hits) in [("after:1h29m", 0), ("before:1h29m", 1), ("after:1h31m", 1), ("before:1h31m", 0), ("after:7d", 1)]
    {
        assert_eq!(desk.hits("q", q).await, hits, "{q}");
    }
    let created = desk.list(&[]).await["faxes"][0]["date_created"].as_str().expect("a date").to_owned();
    let day = &created[..10];
    for (q, hits) in [
        (format!("after:{created}"), 1),
        (format!("before:{created}"), 0),
        (format!("after:{day}"), 1),
        (format!("before:{day}"), 0),
    ] {
        assert_eq!(desk.hits("q", &q).await, hits, "{q}");
    }
}

#[tokio::test]
async fn a_call_that_nobody_took_is_listed_with_the_reason() {
    let desk = Desk::new().await;
    let closed = apps::closed().await;
    let numbers = [
        number("+15005550001", &format!("{}/crash", desk.app.uri())),
        number("+15005550002", &format!("{}/fax", closed.url)),
        number("+15005550003", ""),
        number(TAKEN, &format!("{}/fax", desk.app.uri())),
    ];
    let account = desk.bench.ok("POST", "/accounts", json!({ "numbers": numbers })).await;
    let account = account["sid"].as_str().expect("a SID").to_owned();
    let mut calls = Vec::new();
    for to in ["+15005550001", "+15005550002", "+15005550003"] {
        calls.push(desk.receive(&account, json!({ "to": to, "from": "+15558675310", "pages": 3 })).await);
    }
    let fax = desk.receive(&account, json!({ "to": TAKEN })).await;
    let list = async |params: &[(&str, &str)]| desk.bench.ok("GET", &target(&account, params), Value::Null).await;
    let page = list(&[("status", "not-answered")]).await;
    assert_eq!((&page["hits"], &page["total"], &page["total_calls"]), (&json!(3), &json!(1), &json!(3)));
    assert_eq!(sids(&page), calls.iter().rev().cloned().collect::<Vec<_>>());
    let [unset, refused, crashed] = [0, 1, 2].map(|at| &page["faxes"][at]);
    let expected = json!({
        "sid": calls[0], "account_sid": account, "direction": "inbound", "status": "not-answered",
        "from": "+15558675310", "to": "+15005550001", "quality": "fine", "num_pages": null, "offered_pages": 3,
        "duration": null, "media_sid": null, "media_url": null, "error_code": 11200,
        "error_message": "the server responded with 500",
        "cause": "The app responded with 500 to the request for TwiML.",
        "advice": "Look at the response in the conversation, and at your app's log for the same moment.",
        "callbacks_failed": 0, "last_failure": "fax-url 500",
        "date_created": crashed["date_created"], "date_updated": crashed["date_updated"],
        "request": {
            "method": "POST", "url": format!("{}/crash", desk.app.uri()), "redirected_to": null,
            "status": 500, "duration_ms": crashed["request"]["duration_ms"], "body": "KeyError: 'FaxSid'",
            "error": { "code": 11200, "message": "the server responded with 500" },
        },
    });
    assert_eq!(*crashed, expected);
    assert_eq!((&refused["error_code"], &refused["request"]["status"]), (&json!(11202), &Value::Null));
    assert_eq!(
        (&refused["last_failure"], &unset["last_failure"]),
        (&json!("fax-url connection refused"), &Value::Null)
    );
    assert!(refused["request"]["error"]["message"].as_str().is_some_and(|why| why.contains("connection refused")));
    assert_eq!((&unset["error_code"], &unset["request"]), (&json!(11100), &Value::Null));
    assert!(unset["error_message"].as_str().is_some_and(|why| why.contains("has no VoiceUrl")), "{unset}");
    // The call on its own looks the same.
    let shown = desk.bench.ok("GET", &format!("/faxes/{}?account={account}", calls[0]), Value::Null).await;
    assert_eq!(shown, *crashed);
    // Calls are listed only if their status is asked for, and then in order with faxes.
    assert_eq!(sids(&list(&[]).await), [fax.as_str()]);
    assert_eq!(list(&[]).await["total"], 1);
    assert_eq!(sids(&list(&[("status", "not-answered,received")]).await)[..2], [fax, calls[2].clone()]);
    for (q, hits) in [
        ("status:not-answered", 3),
        ("status:any", 4),
        ("status:any 11200", 1),
        ("-status:any", 0),
        ("status:not-answered code:11200,11202", 2),
        ("status:not-answered 11202", 1),
        ("status:not-answered to:5550002", 1),
        ("status:not-answered error:VoiceUrl", 1),
        ("-status:not-answered", 1),
        ("11200", 0),
    ] {
        assert_eq!(list(&[("q", q)]).await["hits"], hits, "{q}");
    }
}

#[tokio::test]
async fn a_call_that_nobody_took_lasts_as_long_as_its_world() {
    let desk = Desk::new().await;
    let account = &desk.account;
    let twiml_url = format!("{}/crash", desk.app.uri()).into();
    let order = ReceiveFax { twiml_url: Some(twiml_url), to: TAKEN.parse().ok(), ..call(1) };
    let sid = desk.world(account).handle(order).expect("accepted").sid.to_string();
    desk.bench.ok("GET", &format!("/wait?for=idle&account={account}"), Value::Null).await;
    let unanswered = async || desk.list(&[("status", "not-answered")]).await["faxes"].clone();
    let before = unanswered().await;
    assert_eq!((&before[0]["sid"], &before[0]["error_code"]), (&json!(sid), &json!(11200)));
    let state = desk.bench.ok("GET", &format!("/state?account={account}"), Value::Null).await;
    desk.bench.ok("PUT", &format!("/snapshots/here?account={account}"), Value::Null).await;
    desk.bench.ok("POST", &format!("/reset?account={account}"), Value::Null).await;
    assert_eq!(unanswered().await, json!([]));
    assert_eq!(desk.bench.call("GET", &format!("/faxes/{sid}?account={account}"), Value::Null).await.0, 404);
    desk.bench.ok("POST", &format!("/snapshots/here?account={account}"), Value::Null).await;
    assert_eq!(unanswered().await, before);
    desk.bench.ok("POST", &format!("/reset?account={account}"), Value::Null).await;
    desk.bench.ok("PUT", &format!("/state?account={account}"), state.clone()).await;
    assert_eq!(unanswered().await, before);
    let again = desk.bench.ok("GET", &format!("/state?account={account}"), Value::Null).await;
    assert_eq!(again["world"]["unanswered"], state["world"]["unanswered"]);
    // A state of an earlier version has only the SIDs of such calls.
    let mut old = state.clone();
    old["world"].as_object_mut().expect("an object").remove("unanswered");
    desk.bench.ok("PUT", &format!("/state?account={account}"), old).await;
    assert_eq!(unanswered().await, json!([]));
    // A state is refused if its lists contradict each other.
    let mut torn = state;
    torn["world"]["not_answered"] = json!([]);
    let (status, told) = desk.bench.refused("PUT", &format!("/state?account={account}"), torn).await;
    assert!(status == 422 && told.contains(&format!("world.not_answered lacks the call {sid}")), "{told}");
}

#[tokio::test]
async fn many_calls_are_counted_in_slices_and_paged_without_loss() {
    let desk = Desk::new().await;
    let account = desk.bench.ok("POST", "/accounts", json!({ "numbers": [number("+15005550006", "")] })).await;
    let account = account["sid"].as_str().expect("a SID").to_owned();
    let world = desk.world(&account);
    for _ in 0..2_500 {
        world.handle(call(1)).expect("accepted");
    }
    let (mut seen, mut token) = (BTreeSet::new(), String::new());
    loop {
        let mut params = vec![("status", "not-answered"), ("q", "15005550006"), ("limit", "499")];
        if !token.is_empty() {
            params.push(("page_token", &token));
        }
        let page = desk.bench.ok("GET", &target(&account, &params), Value::Null).await;
        assert_eq!((&page["hits"], &page["hits_complete"]), (&json!(2_500), &json!(true)));
        for sid in sids(&page) {
            assert!(seen.insert(sid), "listed twice");
        }
        let next = &page["next_page_token"];
        if next.is_null() {
            break;
        }
        token = next.to_string();
    }
    assert_eq!(seen.len(), 2_500);
}

#[tokio::test]
async fn pages_of_a_search_lose_and_repeat_nothing_while_faxes_arrive() {
    let desk = Desk::new().await;
    let mut wanted = Vec::new();
    for at in 0..6 {
        wanted.push(desk.receive_from("+15550000001").await);
        desk.receive_from(&format!("+1555867531{at}")).await;
    }
    wanted.reverse();
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    for page in 0.. {
        let text = token.to_string();
        let mut params = vec![("q", "from:5550000001"), ("limit", "2")];
        if !token.is_null() {
            params.push(("page_token", &text));
        }
        let answer = desk.list(&params).await;
        assert_eq!(answer["hits"], 6 + page, "faxes that have arrived since are counted, too");
        seen.extend(sids(&answer));
        desk.receive_from("+15550000001").await;
        token = answer["next_page_token"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn faxes_of_all_accounts_are_listed_newest_first() {
    let desk = Desk::new().await;
    let accounts = [desk.account.clone(), desk.open("twilio").await, desk.open("signalwire").await];
    let mut wanted = Vec::new();
    for at in 0..9 {
        let account = &accounts[at * 2 % 3];
        let from = format!("+1555000000{at}");
        let fax = desk.receive(account, json!({ "to": TAKEN, "from": from })).await;
        wanted.insert(0, (fax, account.clone()));
    }
    let page = desk.bench.ok("GET", &target("*", &[("limit", "500")]), Value::Null).await;
    let listed = |page: &Value| -> Vec<(String, String)> {
        let account = |fax: &Value| fax["account_sid"].as_str().expect("a SID").to_owned();
        sids(page).into_iter().zip(page["faxes"].as_array().expect("a list").iter().map(account)).collect()
    };
    assert_eq!(listed(&page), wanted);
    assert_eq!((&page["total"], &page["hits"], &page["skipped"]), (&json!(9), &json!(9), &json!([])));
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let mut params = vec![("q", "to:+1501*"), ("limit", "2")];
        if !token.is_empty() {
            params.push(("page_token", &token));
        }
        let page = desk.bench.ok("GET", &target("*", &params), Value::Null).await;
        seen.extend(listed(&page));
        // A fax that arrives meanwhile must not appear on a later page.
        desk.receive(&accounts[2], json!({ "to": TAKEN, "from": "+15558675310" })).await;
        match page["next_page_token"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(seen, wanted);
    let from = desk.bench.ok("GET", &target("*", &[("q", "from:5550000008")]), Value::Null).await;
    assert_eq!(listed(&from), wanted[..1]);
}

#[tokio::test]
async fn a_broken_world_is_left_out_of_a_list_of_all_and_named() {
    let desk = Desk::new().await;
    desk.receive_from("+15550000001").await;
    let broken = desk.open("twilio").await;
    desk.receive(&broken, json!({ "to": TAKEN })).await;
    let world = desk.world(&broken);
    let panicked = catch_unwind(AssertUnwindSafe(|| world.read(|_: &Engine| panic!("planted fault"))));
    assert!(panicked.is_err());
    let page = desk.bench.ok("GET", &target("*", &[]), Value::Null).await;
    assert_eq!((&page["total"], &page["hits"], &page["skipped"]), (&json!(1), &json!(1), &json!([broken])));
    assert_eq!(page["faxes"][0]["account_sid"], json!(desk.account));
}

#[tokio::test]
async fn a_call_about_one_account_refuses_an_asterisk_as_the_account() {
    let desk = Desk::new().await;
    let told = "account=*: this call is about one account; name it, or leave account out for the default one";
    for (method, call) in
        [("GET", "/clock"), ("GET", "/wait?for=idle"), ("POST", "/reset"), ("GET", "/state"), ("GET", "/faxes/FX1")]
    {
        let separator = if call.contains('?') { '&' } else { '?' };
        let target = format!("{call}{separator}account=*");
        assert_eq!(desk.bench.refused(method, &target, Value::Null).await, (400, told.to_owned()), "{target}");
    }
}

#[tokio::test]
async fn an_invalid_search_is_refused_with_the_mistake_and_what_to_write() {
    let desk = Desk::new().await;
    for (params, status, told) in [
        (
            [("q", "stauts:failed"), ("limit", "1")],
            422,
            "q: unknown key \"stauts\". Did you mean status? The keys are ",
        ),
        ([("q", "status:faild"), ("limit", "1")], 422, "q: status: \"faild\" is not one of queued, processing, "),
        ([("q", "pages:ten"), ("limit", "1")], 422, "q: pages: must be a number of pages such as 3, >10, "),
        (
            [("q", "after:tomorrow"), ("limit", "1")],
            422,
            "q: after: must be a time ago by the world's clock, such as 5m, ",
        ),
        ([("q", "\"open"), ("limit", "1")], 422, "q: a quotation mark is not closed; "),
        ([("status", "faild"), ("limit", "1")], 422, "status: \"faild\" is not one of queued, "),
        ([("direction", "in"), ("limit", "1")], 422, "direction: \"in\" is not one of inbound, outbound"),
        ([("limit", "501"), ("q", "")], 422, "limit: must be 1 to 500, not 501"),
        ([("page_token", "x"), ("limit", "1")], 400, "page_token: must be a whole number from 0 to "),
    ] {
        let (found, detail) = desk.bench.refused("GET", &target(&desk.account, &params), Value::Null).await;
        assert!(found == status && detail.starts_with(told), "{params:?}: {found} {detail}");
    }
    let (status, told) = desk.bench.refused("GET", &target("*", &[("page_token", "7")]), Value::Null).await;
    let expected = "page_token: must be the next_page_token of a page of all accounts' faxes, not \"7\"";
    assert_eq!((status, told.as_str()), (400, expected));
    // In a URL, an unescaped + is a space.
    let raw = format!("/faxes?account={}&q=to:+1555", desk.account);
    let (status, told) = desk.bench.refused("GET", &raw, Value::Null).await;
    assert!(status == 422 && told.contains("in a URL, write + as %2B"), "{told}");
}
