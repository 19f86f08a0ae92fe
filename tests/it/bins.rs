//! Tests TwiML bins, which hold TwiML from the configuration or the control API and replace an app. The emulator reads its
//! own bins without HTTP, and journals each read like any other exchange.

use std::sync::Arc;

use fauxfax::config::{Config, ConfiguredBin, Setting, Settings};
use fauxfax::server::Server;
use fauxfax::{Document, Emulator, Expect, Outcome, Purpose};
use serde_json::{Value, json};
use wiremock::matchers::{body_string_contains, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::gateway::config;
use crate::host::Host;

type Tested = Result<(), Box<dyn std::error::Error>>;

const RECEIVE: &str = "<Response><Receive/></Response>";
const REJECT: &str = "<Response><Reject/></Response>";
const CONTROL: &str = "/_fauxfax/v1";

/// Creates an emulator with this configuration. Its ports are open but not served.
async fn host(config: &Config) -> (Host, Server) {
    let server = Server::bind(config).await.expect("a server");
    (Host { registry: server.registry().clone() }, server)
}

/// Makes a call of the control API, and returns the status and the JSON.
async fn control(host: &Host, method: &str, target: &str, body: &Value) -> (u16, Value) {
    let zeros = "0".repeat(32);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = host.call_as((&format!("AC{zeros}"), &zeros), method, &format!("{CONTROL}{target}"), &body).await;
    let json = if answer.status == 204 { Value::Null } else { answer.json() };
    (answer.status, json)
}

/// Receives a fax with these fields at the default account's number, and returns the conversation.
async fn receive(host: &Host, fields: &Value) -> Value {
    let (status, conversation) = control(host, "POST", "/incoming-faxes?wait=true", fields).await;
    assert_eq!(status, 200, "{conversation}");
    conversation
}

#[tokio::test]
async fn twiml_from_the_configuration_receives_faxes_without_an_app() {
    let (host, server) = host(&Config { fax_twiml: Some(RECEIVE.into()), ..config() }).await;
    let conversation = receive(&host, &json!({ "pages": 2 })).await;
    assert_eq!((&conversation["outcome"], &conversation["fax"]["num_pages"]), (&json!("received"), &json!(2)));
    let exchange = &conversation["webhooks"][0];
    let url = exchange["url"].as_str().expect("a URL");
    assert!(url.starts_with(&format!("http://localhost:{}/twiml/EH", server.address().port())), "{url}");
    assert_eq!(
        (&exchange["purpose"], &exchange["status"], &exchange["body"]),
        (&json!("fax-url"), &json!(200), &json!(RECEIVE)),
        "{exchange}"
    );
    // After a reset, the bin has the same URL.
    assert_eq!(control(&host, "POST", "/reset", &Value::Null).await.0, 200);
    assert_eq!(receive(&host, &json!({})).await["webhooks"][0]["url"], url);
}

#[tokio::test]
async fn a_configured_bin_is_the_voice_url_of_its_numbers() {
    let bin = |name: &str, twiml: &str, numbers: &[&str]| ConfiguredBin {
        name: name.into(),
        twiml: twiml.into(),
        numbers: numbers.iter().map(|number| number.parse().expect("a number")).collect(),
    };
    let twiml_bins = vec![bin("Reject", REJECT, &["+15005550006"]), bin("Receive", RECEIVE, &[])];
    let (host, _server) = host(&Config { twiml_bins, ..config() }).await;
    assert_eq!(receive(&host, &json!({})).await["outcome"], "rejected");
    let (_, list) = control(&host, "GET", "/twiml-bins", &Value::Null).await;
    let shown = |bin: &Value| (bin["name"].clone(), bin["numbers"].clone(), bin["requests"].clone());
    let bins: Vec<_> = list["twiml_bins"].as_array().expect("bins").iter().map(shown).collect();
    assert_eq!(bins, [(json!("Receive"), json!([]), json!(0)), (json!("Reject"), json!(["+15005550006"]), json!(1))]);
}

#[tokio::test]
async fn bins_are_created_changed_served_and_deleted() {
    let (host, _server) = host(&config()).await;
    let (status, bin) = control(&host, "POST", "/twiml-bins", &json!({ "name": "Front desk", "twiml": RECEIVE })).await;
    assert_eq!((status, &bin["name"], &bin["twiml"]), (201, &json!("Front desk"), &json!(RECEIVE)), "{bin}");
    let sid = bin["sid"].as_str().expect("a SID");
    let page = bin["url"].as_str().and_then(|url| url.strip_prefix("http://localhost:8329")).expect("a local URL");
    assert_eq!(page, format!("/twiml/{sid}"));
    assert_eq!(host.text(page).await, (200, RECEIVE.to_owned()));
    let one = format!("/twiml-bins/{sid}");
    let (status, changed) = control(&host, "POST", &one, &json!({ "twiml": REJECT })).await;
    assert_eq!(
        (status, &changed["name"], &changed["twiml"], &changed["requests"]),
        (200, &json!("Front desk"), &json!(REJECT), &json!(1))
    );
    assert_eq!(control(&host, "GET", &one, &Value::Null).await, (200, changed));
    assert_eq!(control(&host, "DELETE", &one, &Value::Null).await.0, 204);
    for (method, target) in [("GET", one.as_str()), ("DELETE", &one), ("GET", "/twiml-bins/EH1")] {
        let (status, problem) = control(&host, method, target, &Value::Null).await;
        assert_eq!((status, &problem["type"]), (404, &json!("urn:fauxfax:problem:not-found")), "{problem}");
    }
    assert_eq!(host.text(page).await.0, 404);
}

#[tokio::test]
async fn twiml_that_cannot_be_executed_is_refused_with_the_reason() {
    let (host, _server) = host(&config()).await;
    for (body, part) in [
        (json!({ "twiml": "<Response><Recieve/></Response>" }), "neither <Receive> nor <Reject>"),
        (json!({ "twiml": "<Response>" }), "can't be parsed"),
        (json!({ "name": "x" }), "twiml: a new bin needs it"),
        (json!({ "name": "", "twiml": RECEIVE }), "name: must have 1 to 255 characters"),
        (json!({ "twiml": RECEIVE, "contents": RECEIVE }), "contents"),
    ] {
        let (status, problem) = control(&host, "POST", "/twiml-bins", &body).await;
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!((400..=422).contains(&status) && detail.contains(part), "{body}: {problem}");
    }
    let (_, list) = control(&host, "GET", "/twiml-bins", &Value::Null).await;
    assert_eq!(list["twiml_bins"], json!([]));
}

#[tokio::test]
async fn a_fax_with_an_action_needs_no_voice_url() {
    let app = MockServer::start().await;
    let notified = Mock::given(path("/received")).and(body_string_contains("FaxStatus=received"));
    notified.respond_with(ResponseTemplate::new(204)).expect(2).mount(&app).await;
    let (host, _server) = host(&config()).await;
    let action = format!("{}/received?a=1&b=2", app.uri());
    for _ in 0..2 {
        let conversation = receive(&host, &json!({ "action": action })).await;
        let purposes: Vec<&Value> = conversation["webhooks"]
            .as_array()
            .expect("exchanges")
            .iter()
            .map(|exchange| &exchange["purpose"])
            .collect();
        assert_eq!(
            (&conversation["outcome"], purposes),
            (&json!("received"), vec![&json!("fax-url"), &json!("action")])
        );
    }
    let (_, list) = control(&host, "GET", "/twiml-bins", &Value::Null).await;
    assert_eq!(list["twiml_bins"].as_array().map(Vec::len), Some(1), "the second fax uses the first one's bin");
    let (status, problem) = control(&host, "POST", "/incoming-faxes", &json!({ "action": "/received" })).await;
    assert!(
        status == 422 && problem["detail"].as_str().is_some_and(|detail| detail.starts_with("action: ")),
        "{problem}"
    );
}

#[tokio::test]
async fn bins_for_actions_are_limited_and_a_refused_call_leaves_no_bin() {
    let (host, _server) = host(&config()).await;
    let refused = json!({ "to": "+15005550099", "action": "http://127.0.0.1:9/refused" });
    assert_eq!(control(&host, "POST", "/incoming-faxes", &refused).await.0, 404);
    let (_, list) = control(&host, "GET", "/twiml-bins", &Value::Null).await;
    assert_eq!(list["twiml_bins"], json!([]));
    assert_eq!(control(&host, "PUT", "/clock", &json!({ "mode": "frozen" })).await.0, 200);
    for run in 0..102 {
        let order = json!({ "action": format!("http://127.0.0.1:9/run?id={run}") });
        assert_eq!(control(&host, "POST", "/incoming-faxes", &order).await.0, 202);
    }
    let (_, list) = control(&host, "GET", "/twiml-bins", &Value::Null).await;
    let bins = list["twiml_bins"].as_array().expect("bins");
    assert_eq!(bins.len(), 100);
    assert!(bins[0]["twiml"].as_str().is_some_and(|twiml| twiml.contains("id=101")), "{}", bins[0]);
}

#[tokio::test]
async fn a_bin_works_below_the_path_of_a_public_url() {
    let public_url = Some("https://fax.example.test/base".into());
    let (host, _server) = host(&Config { public_url, fax_twiml: Some(RECEIVE.into()), ..config() }).await;
    let conversation = receive(&host, &json!({})).await;
    assert_eq!(conversation["outcome"], "received");
    let url = conversation["webhooks"][0]["url"].as_str().expect("a URL");
    assert!(url.starts_with("https://fax.example.test/base/twiml/EH"), "{url}");
    let (_, list) = control(&host, "GET", "/twiml-bins", &Value::Null).await;
    assert_eq!(list["twiml_bins"][0]["numbers"], json!(["+15005550006"]));
}

#[tokio::test]
async fn a_number_uses_a_bin_only_if_its_url_leads_to_this_emulator() {
    let (host, _server) = host(&Config { fax_twiml: Some(RECEIVE.into()), ..config() }).await;
    let (zeros, none) = ("0".repeat(32), Value::Null);
    let sid = format!("AC{zeros}");
    let numbers = format!("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers");
    let listed = host.call_as((&sid, &zeros), "GET", &format!("{numbers}.json"), "").await.json();
    let number = listed["incoming_phone_numbers"][0]["sid"].as_str().expect("a number").to_owned();
    let bin =
        control(&host, "GET", "/twiml-bins", &none).await.1["twiml_bins"][0]["sid"].as_str().expect("a bin").to_owned();
    for (host_name, uses) in
        [("localhost:9999", true), ("fauxfax:8329", true), ("example.com", false), ("handler.twilio.com", false)]
    {
        let form = format!("VoiceUrl=http://{host_name}/twiml/{bin}");
        let changed = host.call_as((&sid, &zeros), "POST", &format!("{numbers}/{number}.json"), &form).await;
        assert_eq!(changed.status, 200, "{host_name}");
        let list = control(&host, "GET", "/twiml-bins", &none).await.1;
        let users = list["twiml_bins"][0]["numbers"].as_array().expect("numbers").len();
        assert_eq!(users == 1, uses, "{host_name}: {list}");
    }
}

#[tokio::test]
async fn the_library_can_also_receive_a_fax_with_an_action() -> Tested {
    let app = MockServer::start().await;
    Mock::given(path("/received")).respond_with(ResponseTemplate::new(204)).expect(1).mount(&app).await;
    let emulator = Emulator::builder().start().await?;
    let account = emulator.account()?;
    account.number("+15017122661")?;
    let conversation = account.receive(Document::pages(1)).action(&format!("{}/received", app.uri())).await?;
    assert_eq!(conversation.outcome, Outcome::Received);
    account.verify(Expect::webhook().purpose(Purpose::Action).times(1))?;
    assert!(account.receive(Document::pages(1)).action("received").await.is_err());
    Ok(())
}

#[test]
fn mistakes_in_configured_bins_are_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    let load = |file: &str, flags: &[(Setting, &str)]| {
        let path = folder.path().join("fauxfax.toml");
        std::fs::write(&path, file).expect("written");
        let settings = Settings::default().with_flag(Setting::Config, [path.to_string_lossy().into_owned()]);
        let flags = flags.iter().fold(settings, |all, (setting, text)| all.with_flag(*setting, [(*text).to_owned()]));
        Config::load(flags, &|_| None)
    };
    std::fs::write(folder.path().join("receive.xml"), RECEIVE).expect("written");
    let of_file = load("fax_twiml = 'receive.xml'\n[[twiml_bins]]\nname = 'a'\ntwiml = 'receive.xml'", &[]);
    let config = of_file.expect("a path is relative to the configuration file's folder");
    assert_eq!(config.fax_twiml.as_deref(), Some(RECEIVE));
    let names: Vec<Arc<str>> =
        config.initial_accounts()[0].twiml_bins.iter().map(|bin| Arc::from(&*bin.name)).collect();
    assert_eq!(names, [Arc::from("a"), Arc::from("fax_twiml")]);

    let bin = |rest: &str| format!("[[twiml_bins]]\nname = 'a'\n{rest}");
    let receive = format!("twiml = '{RECEIVE}'");
    for (file, told) in [
        (
            bin("twiml = '<Response/>'"),
            "twiml must be TwiML, or the path of a file with TwiML (the TwiML has neither <Receive> nor",
        ),
        (bin("twiml = 'missing.xml'"), "or the path of a readable file with TwiML (No such file"),
        (bin(""), "[[twiml_bins]] needs twiml"),
        (
            bin(&format!("{receive}\n[[twiml_bins]]\nname = 'a'\n{receive}")),
            "name must be different from that of the other bins",
        ),
        (bin(&format!("{receive}\nnumbers = ['911']")), "be an E.164 number"),
        (bin(&format!("{receive}\nnumbers = ['+15017122661']")), "which the default account doesn't have"),
        (bin(&format!("{receive}\nnumbers = ['+15005550006', '+15005550006']")), "be listed once, in one bin"),
        (bin(&format!("{receive}\nnumber = '+15005550006'")), "did you mean `numbers`?"),
        (
            format!("fax_url = 'http://localhost/fax'\n{}", bin(&format!("{receive}\nnumbers = ['+15005550006']"))),
            "already has a VoiceUrl",
        ),
    ] {
        let error = load(&file, &[]).expect_err(&file).to_string();
        assert!(error.contains(told), "{file}: {error}");
    }
    let many: String = (0..257).map(|n| format!("[[twiml_bins]]\nname = 'bin {n}'\n{receive}\n")).collect();
    let error = load(&many, &[]).expect_err("too many").to_string();
    assert!(error.contains("there may be at most 256 bins"), "{error}");
    let numbered = bin(&format!("{receive}\nnumbers = ['+15005550006']"));
    let error = load(&numbered, &[(Setting::FaxTwiml, RECEIVE)]).expect_err("two bins").to_string();
    assert!(error.contains("are both for +15005550006"), "{error}");
    let overridden = load("fax_url = 'http://localhost/fax'", &[(Setting::FaxTwiml, RECEIVE)]).expect("the flag wins");
    assert_eq!((overridden.fax_url, overridden.fax_twiml.as_deref()), (None, Some(RECEIVE)));
    let both = load("", &[(Setting::FaxUrl, "http://localhost/fax"), (Setting::FaxTwiml, RECEIVE)]);
    assert!(both.is_err_and(|error| error.to_string().contains("be left out if fax_url is given")));
}
