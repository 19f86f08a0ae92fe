//! Tests a fax while its app is being asked for TwiML, and a fax that its app deletes as soon as possible: what can be
//! fetched, what is refused, and how the conversation is reported to have ended.

use std::time::Duration;

use fauxfax::engine::effect::{Effect, Intent};
use fauxfax::engine::input::{CancelFax, DeleteFax, Reset, Restore, TakeSnapshot};
use fauxfax::engine::{ConversationState, Cursor, Engine, FaxFilter};
use fauxfax::model::fax::Status;
use fauxfax::model::refusal::Refusal;
use fauxfax::model::sid::FaxSid;
use fauxfax::model::time::{Pace, Timestamp};
use fauxfax::model::webhook::ExchangeFailure;
use fauxfax::{Document, Emulator, Outcome};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::host::{Host, PATIENCE, settings, setup};
use crate::script::{OWN, Script, call, order, spec};

const RECEIVE: &str = "<Response><Receive action=\"/done\"/></Response>";
const HOUR: Duration = Duration::from_secs(3_600);

/// Checks that a call whose app is still being asked is not a fax yet and can't be changed. The simulation calls this
/// after each step.
pub(crate) fn check(engine: &mut Engine, effects: &[Effect], now: Timestamp) {
    let asked = effects.iter().filter(|effect| matches!(*effect.intent, Intent::AskForTwiml(_)));
    let sids: Vec<FaxSid> =
        asked.filter_map(|effect| effect.fax).filter(|sid| engine.arriving(*sid).is_some()).collect();
    for sid in sids {
        assert_eq!(engine.fax(sid).err(), Some(Refusal::NoFax(sid)), "an arriving call is not a fax yet");
        assert_eq!(engine.handle(DeleteFax(sid), now), Err(Refusal::StillActive(sid)));
        assert_eq!(engine.handle(CancelFax(sid), now), Err(Refusal::TooLateToCancel(sid)));
    }
}

#[test]
fn a_fax_can_be_fetched_but_not_changed_while_its_app_is_asked() {
    for (twiml, listed) in [(RECEIVE, 1), ("<Response><Reject/></Response>", 1), ("<Response/>", 0)] {
        let mut script = Script::default();
        let sid = script.receive(call(2));
        let arriving = script.engine.arriving(sid).expect("its app is being asked");
        assert_eq!((arriving.sid, arriving.to, arriving.from, arriving.rang), (sid, OWN, call(2).from, script.now));
        let listed_now = |script: &Script| script.engine.faxes(&FaxFilter::default(), Cursor::Skip(0), 9).items.len();
        assert_eq!((listed_now(&script), script.engine.fax(sid).err()), (0, Some(Refusal::NoFax(sid))));
        assert_eq!(script.command(DeleteFax(sid)), Err(Refusal::StillActive(sid)));
        assert_eq!(script.command(CancelFax(sid)), Err(Refusal::TooLateToCancel(sid)));
        assert_eq!(script.engine.conversation(sid), ConversationState::Pending);
        script.answer_twiml(twiml, &[]);
        assert_eq!((script.engine.arriving(sid), listed_now(&script)), (None, listed), "{twiml}");
        assert_eq!(script.engine.fax(sid).is_ok(), listed == 1, "only an accepted or rejected call becomes a fax");
        let after = if listed == 0 { Err(Refusal::NoFax(sid)) } else { Err(Refusal::TooLateToCancel(sid)) };
        assert_eq!(script.command(CancelFax(sid)), after, "{twiml}");
    }
}

#[test]
fn a_fax_stays_available_while_the_app_is_retried_and_its_fallback_asked() {
    let mut spec = spec();
    spec.numbers[0].1.voice_fallback_url = Some("http://app/fallback".into());
    let mut script = Script::new(spec);
    let sid = script.receive(call(1));
    script.control(TakeSnapshot("asked".into())).expect("taken");
    script.answer_no_twiml(ExchangeFailure::ConnectionRefused);
    assert!(script.engine.arriving(sid).is_some(), "the fax can be fetched between two attempts");
    script.forward(Duration::ZERO);
    script.answer_no_twiml(ExchangeFailure::ConnectionRefused);
    script.expect_effects(&["ask fallback-url http://app/fallback"]);
    assert!(script.engine.arriving(sid).is_some(), "the fax can be fetched while the fallback is asked");
    script.answer_no_twiml(ExchangeFailure::TotalTimeout);
    assert_eq!(script.engine.arriving(sid), None);
    script.control(Restore("asked".into())).expect("restored");
    assert!(script.engine.arriving(sid).is_some(), "the app is asked again after a restore");
    script.control(Reset { seed: None }).expect("reset");
    assert_eq!((script.engine.arriving(sid), script.engine.conversation(sid)), (None, ConversationState::Unknown));
}

#[test]
fn a_call_between_owned_numbers_can_be_fetched_at_the_receiving_end() {
    let mut script = Script::default();
    let sent = script.send(order(OWN));
    script.forward(Duration::ZERO);
    script.answer_document(1);
    script.forward_to_next();
    let asked = script.first_effect().fax.expect("it belongs to a call");
    assert!(asked != sent && script.engine.arriving(asked).is_some());
}

#[test]
fn a_fax_deleted_before_its_action_is_notified_still_ends_as_received() {
    let mut script = Script::default();
    let sid = script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    script.expect_effects(&["tell action received http://app/done"]);
    script.command(DeleteFax(sid)).expect("the fax has ended");
    assert_eq!(script.engine.conversation(sid), ConversationState::Pending, "the action is being notified");
    script.answer_ok();
    assert_eq!(script.engine.conversation(sid), ConversationState::Settled(Status::Received));
    script.control(Reset { seed: None }).expect("reset");
    assert_eq!(script.engine.conversation(sid), ConversationState::Unknown, "a reset forgets the fax");
}

/// The test itself plays the app, so that it can make its calls before the app's first response.
#[tokio::test]
async fn rest_reports_a_fax_as_receiving_while_its_app_is_asked() {
    for (answer, status) in [(RECEIVE, Some("receiving")), ("<Response/>", None)] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}/fax", listener.local_addr().expect("an address"));
        let host = Host::with(settings(Pace::Max), &Default::default(), setup(&url));
        let rung = host.call("POST", "/_fauxfax/v1/incoming-faxes", "{}").await.json();
        let sid = rung["fax_sid"].as_str().expect("a SID").to_owned();
        let (mut stream, _) =
            tokio::time::timeout(PATIENCE, listener.accept()).await.expect("asked").expect("a client");
        let target = format!("/v1/Faxes/{sid}");
        let fax = host.api("GET", "/v1/Faxes/{Sid}", &target, "").await;
        assert_eq!((&fax["status"], &fax["direction"]), (&json!("receiving"), &json!("inbound")));
        for null in ["media_sid", "media_url", "num_pages", "duration", "price", "price_unit"] {
            assert_eq!(fax[null], Value::Null, "{null}");
        }
        assert_eq!((&fax["from"], &fax["to"]), (&rung["from"], &rung["to"]));
        let media = host.api("GET", "/v1/Faxes/{FaxSid}/Media", &format!("{target}/Media"), "").await;
        assert_eq!(media["media"], json!([]));
        assert_eq!(host.call("DELETE", &target, "").await.status, 409);
        assert_eq!(host.call("POST", &target, "Status=canceled").await.status, 409);
        assert_eq!(host.call("POST", &target, "").await.json()["status"], "receiving");
        assert_eq!(host.call("GET", &format!("/_fauxfax/v1/faxes/{sid}"), "").await.json()["status"], "receiving");
        assert_eq!(host.call("GET", "/v1/Faxes", "").await.json()["faxes"], json!([]));
        let mut request = [0; 4_096];
        let _ = stream.read(&mut request).await.expect("read");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n", answer.len());
        stream.write_all(format!("{head}{answer}").as_bytes()).await.expect("answered");
        drop((stream, listener));
        host.alerts_at_rest().await;
        let after = host.call("GET", &target, "").await;
        assert_eq!(after.status, if status.is_some() { 200 } else { 404 }, "{answer}");
        assert_eq!(host.call("DELETE", &target, "").await.status, if status.is_some() { 204 } else { 404 });
    }
}

/// Starts an app that accepts each fax, and calls `delete` with a fax's SID when it is notified that the fax was
/// received or delivered.
async fn deleting_app(delete: impl Fn(&str) + Send + Sync + 'static) -> MockServer {
    let app = MockServer::start().await;
    let twiml = ResponseTemplate::new(200).set_body_raw(RECEIVE, "text/xml");
    Mock::given(path("/fax")).respond_with(twiml).mount(&app).await;
    Mock::given(path("/done"))
        .respond_with(move |request: &Request| {
            let fields: Vec<_> = url::form_urlencoded::parse(&request.body).into_owned().collect();
            let field = |name: &str| fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
            if matches!(field("FaxStatus"), Some("received" | "delivered")) {
                delete(field("FaxSid").expect("a SID"));
            }
            ResponseTemplate::new(200)
        })
        .mount(&app)
        .await;
    app
}

#[tokio::test]
async fn a_fax_that_its_app_deletes_in_the_action_still_counts_as_received() {
    let world = std::sync::Arc::new(std::sync::OnceLock::<fauxfax::emulator::World>::new());
    let known = std::sync::Arc::clone(&world);
    let app = deleting_app(move |sid| {
        let command = DeleteFax(sid.parse().expect("a SID"));
        let world = known.get().expect("the world is known");
        world.handle(command).expect("the fax has ended");
    })
    .await;
    let host = Host::new(setup(&format!("{}/fax", app.uri())));
    let _ = world.set(host.world());
    let ended = host.call("POST", "/_fauxfax/v1/incoming-faxes?wait=true", "{}").await.json();
    assert_eq!((&ended["outcome"], &ended["fax"]), (&json!("received"), &Value::Null), "{ended}");
    let told: Vec<_> = ended["webhooks"].as_array().expect("webhooks").iter().map(|each| &each["purpose"]).collect();
    assert_eq!(told, [&json!("fax-url"), &json!("action")]);
    let sid = ended["fax_sid"].as_str().expect("a SID");
    assert_eq!(host.call("GET", &format!("/v1/Faxes/{sid}"), "").await.status, 404);
    let waited = host.call("GET", &format!("/_fauxfax/v1/wait?fax={sid}&for=settled"), "").await.json();
    assert_eq!(waited["outcome"], "received");
    let form = "To=%2B15558675310&From=%2B15005550006&MediaUrl=http%3A%2F%2F127.0.0.1%3A9%2Fa.pdf";
    host.call("PUT", "/_fauxfax/v1/clock", "{\"mode\":\"frozen\"}").await;
    let sent = host.api("POST", "/v1/Faxes", "/v1/Faxes", form).await["sid"].as_str().expect("a SID").to_owned();
    assert_eq!(host.call("POST", &format!("/v1/Faxes/{sent}"), "Status=canceled").await.status, 200);
    let waited = host.call("GET", &format!("/_fauxfax/v1/wait?fax={sent}&for=settled"), "").await.json();
    assert_eq!(waited["outcome"], "canceled", "a fax that was sent is canceled, never rejected");
    let unknown = host.call("GET", &format!("/_fauxfax/v1/wait?fax=FX{}&for=settled", "0".repeat(32)), "").await;
    assert_eq!(unknown.status, 409);
}

/// An emulator's address and the encoded credential of an account. They are known only after the app has started,
/// because the account needs the app's URL.
type Place = std::sync::Arc<std::sync::OnceLock<(String, String)>>;

/// Starts an app that deletes each fax over REST as soon as it is notified that the fax was received or delivered.
async fn app_that_deletes_over_rest() -> (MockServer, Place) {
    let place = Place::default();
    let known = std::sync::Arc::clone(&place);
    let app = deleting_app(move |sid| {
        let (host, credential) = known.get().expect("the emulator is known");
        let head = format!(
            "DELETE /v1/Faxes/{sid} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {credential}\r\nConnection: close\r\n\r\n"
        );
        let mut stream = std::net::TcpStream::connect(host).expect("a connection");
        std::io::Write::write_all(&mut stream, head.as_bytes()).expect("sent");
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    });
    (app.await, place)
}

/// Creates an account that uses this app, and gives the app the emulator's address and the account's credential.
fn account_of(
    emulator: &Emulator,
    app: &MockServer,
    place: &Place,
) -> Result<fauxfax::Account, Box<dyn std::error::Error>> {
    let account = emulator.account()?;
    account.number("+15017122661")?.fax_url(&format!("{}/fax", app.uri()))?;
    let pair = format!("{}:{}", account.sid(), account.auth_token());
    let credential = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, pair);
    place.set((account.url().trim_start_matches("http://").to_owned(), credential)).expect("set once");
    Ok(account)
}

#[tokio::test]
async fn the_library_reports_a_deleted_fax_as_received() -> Result<(), Box<dyn std::error::Error>> {
    let (app, place) = app_that_deletes_over_rest().await;
    let emulator = Emulator::builder().start().await?;
    let account = account_of(&emulator, &app, &place)?;
    let conversation = account.receive(Document::pages(1)).await?;
    assert_eq!((conversation.outcome, conversation.fax.is_none()), (Outcome::Received, true));
    assert_eq!(conversation.webhooks().count(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_reports_how_deleted_faxes_ended() -> Result<(), Box<dyn std::error::Error>> {
    let (app, place) = app_that_deletes_over_rest().await;
    let emulator = Emulator::builder().start().await?;
    let account = account_of(&emulator, &app, &place)?;
    let callback = format!("{}/done", app.uri());
    let document = format!("{}/_fauxfax/v1/samples/one-page.pdf", account.url());
    let send = ["send", &document, "--from", "+15017122661", "--to", "+15558675310", "--status-callback", &callback];
    for (arguments, end) in [(&["receive"][..], "received"), (&send[..], "delivered")] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fauxfax"));
        command.args(arguments).args(["--wait", "--url", account.url(), "--account", &account.sid().to_string()]);
        let output = command.output()?;
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{arguments:?}: {told}{}", String::from_utf8_lossy(&output.stderr));
        let last = told.lines().last().unwrap_or_default();
        assert!(last.starts_with(&format!("{end}: FX")) && last.ends_with("since deleted"), "{told}");
        assert!(told.contains(&format!("→ {end}")) && told.matches("/done").count() >= 1, "with its webhooks: {told}");
    }
    assert!(account.newest_fax().is_none());
    Ok(())
}
