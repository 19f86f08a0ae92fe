//! Tests how the emulator treats the past: after a reset nothing earlier counts as current, a wait ends once it can't
//! succeed, and a broken world says so until it is reset or restored.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fauxfax::engine::Engine;
use fauxfax::engine::event::EventKind;
use fauxfax::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use fauxfax::io::client::ClientOptions;
use fauxfax::model::fax::Status;
use fauxfax::model::time::Pace;
use fauxfax::world::World;
use fauxfax::{Emulator, Error};
use serde_json::{Value, json};

use crate::control::Bench;
use crate::host::{Host, PATIENCE, account, settings, setup};

#[tokio::test]
async fn after_a_reset_the_journal_starts_afresh_unless_all_of_it_is_requested() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let before = bench.receive(&account).await["fax_sid"].clone();
    let count = json!({ "match": { "kind": "fax.status", "data": { "new": "received" } }, "times": 1 });
    let verify = format!("/verify?account={account}");
    assert_eq!(bench.ok("POST", &verify, count.clone()).await["verified"], true);
    bench.ok("POST", &format!("/reset?account={account}"), Value::Null).await;
    let number = json!({ "match": { "kind": "fax.status" }, "times": 0 });
    assert_eq!(bench.ok("POST", &verify, number).await["verified"], true, "earlier faxes don't count");
    let events = bench.ok("GET", &format!("/events?account={account}"), Value::Null).await;
    let kinds: Vec<_> =
        events["events"].as_array().expect("a list").iter().map(|event| event["kind"].clone()).collect();
    assert_eq!(kinds, ["world.reset"]);
    assert_eq!(bench.ok("GET", &format!("/webhooks?account={account}"), Value::Null).await["webhooks"], json!([]));
    let after = bench.receive(&account).await["fax_sid"].clone();
    assert_ne!(before, after, "a SID is never reused");
    assert_eq!(bench.ok("POST", &verify, count.clone()).await["verified"], true);
    assert_eq!(bench.ok("POST", &format!("{verify}&all=true"), count).await["verified"], false);
    for call in ["events", "webhooks"] {
        let all = bench.ok("GET", &format!("/{call}?account={account}&all=true"), Value::Null).await.to_string();
        assert!(all.contains(before.as_str().expect("a SID")), "{call}");
    }
    let since = bench.ok("GET", &format!("/events?account={account}&since=0&limit=1"), Value::Null).await;
    assert_eq!(since["events"][0]["seq"], 1, "`since` reaches back beyond the reset");
}

#[tokio::test]
async fn equal_inputs_after_a_reset_have_equal_hashes() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let clock = format!("/clock?account={account}");
    bench.ok("PUT", &clock, json!({ "mode": "frozen" })).await;
    let mut hashes = Vec::new();
    for minute in [0, 10, 20] {
        let to = format!("2100-01-01T00:{minute:02}:00Z");
        bench.ok("POST", &format!("/reset?account={account}"), Value::Null).await;
        bench.ok("POST", &format!("/clock/advance?account={account}"), json!({ "to": to })).await;
        bench.ok("POST", &format!("/incoming-faxes?account={account}"), json!({ "pages": 2 })).await;
        bench.ok("POST", &format!("/clock/drain?account={account}"), Value::Null).await;
        hashes.push(bench.ok("GET", &format!("/events/hash?account={account}"), Value::Null).await);
    }
    assert!(hashes[0]["lines"].as_u64().is_some_and(|lines| lines > 3), "{hashes:?}");
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}

#[tokio::test]
async fn a_wait_for_an_impossible_status_ends_immediately_and_reports_the_faxs_status() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let fax = bench.receive(&account).await["fax_sid"].as_str().expect("a SID").to_owned();
    let wait = |fax: &str, status: &str| format!("/wait?account={account}&fax={fax}&status={status}&timeout=600");
    let (status, problem) = bench.call("GET", &wait(&fax, "failed"), Value::Null).await;
    assert_eq!((status, &problem["fax_status"]), (409, &json!("received")), "{problem}");
    assert_eq!(problem["type"], "urn:fauxfax:problem:status-unreachable");
    assert_eq!(bench.call("GET", &wait(&fax, "delivered"), Value::Null).await.0, 409, "inbound faxes end as received");
    assert_eq!(bench.call("GET", &wait(&fax, "failed,received"), Value::Null).await.0, 200);
    let unknown = format!("FX{}", "0".repeat(32));
    let (status, problem) = bench.call("GET", &wait(&unknown, "received"), Value::Null).await;
    assert_eq!((status, problem.get("fax_status")), (409, None), "{problem}");
    bench.ok("POST", &format!("/reset?account={account}"), Value::Null).await;
    assert_eq!(bench.call("GET", &wait(&fax, "received"), Value::Null).await.0, 409, "the reset has removed the fax");
    let stranger = format!("/wait?account=AC{}&fax={fax}&status=received&timeout=600", "e".repeat(32));
    assert_eq!(bench.call("GET", &stranger, Value::Null).await.0, 409, "the account has no fax at all");
}

#[tokio::test]
async fn a_wait_ends_as_soon_as_its_fax_ends_with_a_different_status() {
    let emulator = Emulator::builder().start().await.expect("the emulator starts");
    let account = emulator.account().expect("an account");
    account.number("+15017122661").expect("a number");
    let fax = account.send("+15005550101", &sample(&emulator)).queue().expect("accepted");
    let ended = account.wait_for(fax, Status::Delivered).await;
    let Err(Error::Unreachable { wanted: Status::Delivered, why, .. }) = ended else { panic!("{ended:?}") };
    assert_eq!(why.status(), Some(Status::Busy));
    account.wait_for(fax, Status::Sending).await.expect("the fax was sending before it ended");
    account.reset().expect("reset");
    assert!(matches!(account.wait_for(fax, Status::Busy).await, Err(Error::Unreachable { .. })));
}

fn sample(emulator: &Emulator) -> String {
    format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url())
}

#[tokio::test]
async fn a_wait_for_a_status_that_a_restored_fax_already_has_succeeds() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let fax = bench.receive(&account).await["fax_sid"].as_str().expect("a SID").to_owned();
    bench.ok("PUT", &format!("/snapshots/done?account={account}"), Value::Null).await;
    bench.ok("POST", &format!("/reset?account={account}&snapshot=done"), Value::Null).await;
    let wait = format!("/wait?account={account}&fax={fax}&status=received&timeout=600");
    assert_eq!(bench.ok("GET", &wait, Value::Null).await["event"]["fax_sid"], fax);
}

/// Breaks the world with a panic under its lock, as a fault in the emulator would.
fn break_world(world: &World) {
    let broken = catch_unwind(AssertUnwindSafe(|| world.read(|_: &Engine| panic!("planted fault"))));
    assert!(broken.is_err());
}

#[tokio::test]
async fn a_broken_world_says_so_until_a_reset_makes_it_work_again() {
    let bench = Bench::new().await;
    let (broken, other) = (bench.account().await, bench.account().await);
    let world = bench.registry.world(broken.parse().expect("a SID")).expect("a world");
    bench.receive(&broken).await;
    break_world(&world);
    for (method, call) in
        [("GET", "faxes"), ("GET", "events"), ("PUT", "clock"), ("POST", "incoming-faxes"), ("GET", "wait?for=idle")]
    {
        let separator = if call.contains('?') { '&' } else { '?' };
        let body = if method == "PUT" { json!({ "mode": "frozen" }) } else { Value::Null };
        let (status, problem) = bench.call(method, &format!("/{call}{separator}account={broken}"), body).await;
        let detail = problem["detail"].as_str().unwrap_or_default().to_owned();
        assert!(
            status == 500 && detail.contains("planted fault") && detail.contains("/reset"),
            "{call}: {status} {detail}"
        );
    }
    assert_eq!(bench.registry.broken_accounts(), [world.sid()]);
    bench.receive(&other).await;
    bench.ok("POST", &format!("/reset?account={broken}"), Value::Null).await;
    assert!(bench.registry.broken_accounts().is_empty());
    bench.receive(&broken).await;
    let filter = EventFilter { kind: Some("world.broken".into()), ..EventFilter::default() };
    let told = world.read(|engine| engine.events(&filter, JOURNAL_EVENTS_MAX));
    let [event] = &told[..] else { panic!("not journaled exactly once: {told:?}") };
    let EventKind::WorldBroken { why, inputs, seed } = &event.kind else { panic!("{event:?}") };
    assert_eq!((&**why, *seed), ("planted fault", 8));
    assert!(inputs.contains("receive-fax at ") && inputs.contains("webhook-answered"), "{inputs}");
}

#[tokio::test]
async fn a_restored_snapshot_makes_a_broken_world_work_again() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    bench.ok("PUT", &format!("/snapshots/sound?account={account}"), Value::Null).await;
    break_world(&bench.registry.world(account.parse().expect("a SID")).expect("a world"));
    let (status, _) = bench.call("DELETE", &format!("/snapshots/sound?account={account}"), Value::Null).await;
    assert_eq!(status, 500, "deleting a snapshot doesn't repair it");
    bench.ok("POST", &format!("/snapshots/sound?account={account}"), Value::Null).await;
    bench.receive(&account).await;
}

#[tokio::test]
async fn a_rest_client_of_a_broken_world_gets_500_and_readyz_names_the_account() {
    let host = Host::with(settings(Pace::Max), &ClientOptions::default(), setup("http://127.0.0.1:9/fax"));
    assert_eq!(host.call("GET", "/v1/Faxes", "").await.status, 200);
    assert_eq!(host.call("GET", "/readyz", "").await.status, 200);
    break_world(&host.world());
    let answer = host.call("GET", "/v1/Faxes", "").await;
    assert_eq!(answer.error(), (500, 20500));
    assert!(answer.json()["message"].as_str().is_some_and(|message| message.contains("planted fault")));
    let (status, text) = host.text("/readyz").await;
    assert!(status == 503 && text.contains(&account().to_string()), "{status} {text}");
    assert_eq!(host.call("POST", "/_fauxfax/v1/reset", "").await.status, 200);
    assert_eq!(host.call("GET", "/v1/Faxes", "").await.status, 200);
    assert_eq!(host.text("/readyz").await.0, 200);
}

#[tokio::test]
async fn a_status_entered_before_the_given_event_is_reported_as_earlier() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let fax = bench.receive(&account).await["fax_sid"].as_str().expect("a SID").to_owned();
    let wait = format!("/wait?account={account}&fax={fax}&status=received&since=9999&timeout=600");
    let (status, detail) = bench.refused("GET", &wait, Value::Null).await;
    assert!(status == 409 && detail.contains("its status became received before the wait began"), "{detail}");
}

#[tokio::test]
async fn a_wait_in_a_world_that_breaks_ends_with_an_error() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let world = bench.registry.world(account.parse().expect("a SID")).expect("a world");
    let wait = format!("/wait?account={account}&status=received&timeout=600");
    let waiting = bench.call("GET", &wait, Value::Null);
    let breaking = async { break_world(&world) };
    let both = async { tokio::join!(waiting, breaking) };
    let ((status, problem), ()) = tokio::time::timeout(PATIENCE, both).await.expect("the wait ends at once");
    assert_eq!(status, 500, "{problem}");
}
