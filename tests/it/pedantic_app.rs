//! Tests pedantic mode over real connections: what clients, apps and testers see of it, and that a careful app gets along
//! with every seed, while a careless one doesn't.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::emulator::AccountSetup;
use fauxfax::io::client::{Client, ClientOptions, Limits, Request, Response};
use fauxfax::model::webhook::Method;
use fauxfax::{Account, Document, Emulator, Expect, Outcome, Status};
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::checked_app::{CheckedApp, Fault};
use crate::checked_sender::pause;

type Tested = Result<(), Box<dyn std::error::Error>>;

/// The number of seeds with which a careful app must get along.
const SEEDS: u64 = 100;
/// The number of apps that run at the same time.
const APPS_AT_ONCE: usize = 8;
/// The number of faxes that each app receives, and also of those that it sends.
const FAXES_EACH_WAY: usize = 2;
const NUMBER: &str = "+15017122661";
/// The time that an app has to finish its work after its last response.
const WORK_MAX: Duration = Duration::from_secs(10);
/// The interval at which a test checks whether the app has finished.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Makes a request, with this credential if there is one, and returns the response.
async fn exchange(method: Method, url: &str, credential: Option<&str>) -> Response {
    let client = Client::new(&ClientOptions::default()).expect("a client");
    let basic = credential.map(|credential| format!("Basic {}", BASE64_STANDARD.encode(credential)));
    let request = Request {
        method,
        url,
        body: None,
        cookies: &[],
        limits: Limits::default(),
        redirects_max: 0,
        body_max_bytes: u64::MAX,
        user_agent: "test",
        headers: &|_| basic.iter().map(|basic| ("authorization".to_owned(), basic.clone())).collect(),
        edits: None,
        here: None,
    };
    client.exchange(request).await.answer.expect("a response")
}

/// Makes a request without a credential, and returns the status and the JSON of the response.
async fn call(method: Method, url: &str) -> (u16, Value) {
    let answer = exchange(method, url, None).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

async fn get(emulator: &Emulator, path: &str) -> Value {
    let (status, json) = call(Method::Get, &format!("{}/_fauxfax/v1{path}", emulator.url())).await;
    assert_eq!(status, 200, "{path}: {json}");
    json
}

/// Creates an account whose world has this seed.
async fn seeded(emulator: &Emulator, seed: u64) -> Account {
    let number = (
        NUMBER.parse().expect("a number"),
        fauxfax::model::number::NumberChange {
            voice_receive_mode: Some(fauxfax::model::number::ReceiveMode::Fax),
            ..Default::default()
        },
    );
    let account = emulator.account_as(AccountSetup { numbers: vec![number], ..AccountSetup::default() });
    let account = account.expect("an account");
    let reset = format!("{}/_fauxfax/v1/reset?account={}&seed={seed}", emulator.url(), account.sid());
    assert_eq!(call(Method::Post, &reset).await.0, 200);
    account
}

/// Lets an app with these faults receive and send faxes in a world with this seed. Returns what went wrong.
async fn wrongs(emulator: &Emulator, seed: u64, faults: &[Fault]) -> BTreeSet<String> {
    let account = seeded(emulator, seed).await;
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), faults).await;
    account.number(NUMBER).expect("the number").fax_url(&app.fax_url()).expect("a URL");
    let mut wrongs = BTreeSet::new();
    let mut received = Vec::new();
    for _ in 0..FAXES_EACH_WAY {
        let conversation = account.receive(Document::pages(1)).await.expect("a settled call");
        if conversation.outcome == Outcome::Received {
            let sid = conversation.events.iter().find_map(|event| event.fax()).expect("a fax");
            received.push(sid.to_string());
        } else {
            wrongs.insert(format!("an incoming fax ends as {:?}", conversation.outcome));
        }
        let (status, _) = call(Method::Post, &format!("{}/send?api={}", app.origin, emulator.url())).await;
        if status != 204 {
            wrongs.insert(format!("the app can't send: {status}"));
        }
    }
    let idle = format!("/wait?account={}&for=idle", account.sid());
    get(emulator, &idle).await;
    wrongs.extend(wrongs_of_webhooks(&account));
    let mut of_app = wrongs_of_app(&account, &app, &received).await;
    // The app goes on working after its last response, so what is missing may still follow. What it does twice stays wrong.
    let end = tokio::time::Instant::now() + if faults.is_empty() { WORK_MAX } else { WORK_MAX / 20 };
    while !of_app.is_empty() && tokio::time::Instant::now() < end {
        pause(LOOK_INTERVAL).await;
        of_app = wrongs_of_app(&account, &app, &received).await;
    }
    wrongs.extend(of_app);
    wrongs
}

/// Describes the webhooks that the app has refused.
fn wrongs_of_webhooks(account: &Account) -> Vec<String> {
    let events = account.events();
    let exchanges = events.iter().filter_map(|event| event.exchange());
    let refused = exchanges.filter(|record| record.failure.is_some());
    refused.map(|record| format!("{} gets {:?}", record.purpose, record.status)).collect()
}

/// Describes the faxes that the app has not handled, has handled more than once, or shows with a wrong status.
async fn wrongs_of_app(account: &Account, app: &CheckedApp, received: &[String]) -> BTreeSet<String> {
    let (_, records) = call(Method::Get, &format!("{}/records", app.origin)).await;
    let list = |name: &str| records[name].as_array().cloned().unwrap_or_default();
    let mut wrongs = BTreeSet::new();
    for sid in received {
        let times = list("received").iter().filter(|known| *known == sid).count();
        if times != 1 {
            wrongs.insert(format!("the app has handled an incoming fax {times} times"));
        }
        // The app deletes a fax once it has downloaded the document, so even a refused DELETE shows that it has done so.
        let is_deleted =
            Expect::of("api.request").with("data.method", "DELETE").with("data.path", format!("/v1/Faxes/{sid}"));
        if account.verify(is_deleted).is_err() {
            wrongs.insert("the app has not downloaded a document".to_owned());
        }
    }
    let sent: BTreeMap<String, Value> =
        records["sent"].as_object().map(|sent| sent.clone().into_iter().collect()).unwrap_or_default();
    if sent.len() != FAXES_EACH_WAY {
        wrongs.insert(format!("the app has sent {} faxes", sent.len()));
    }
    for status in sent.values().filter(|status| **status != "delivered") {
        wrongs.insert(format!("the app shows {status} for a delivered fax"));
    }
    wrongs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_careful_app_gets_along_with_every_seed() -> Tested {
    let emulator = Emulator::builder().pedantic(true).start().await?;
    let emulator = &emulator;
    let each = stream::iter(0..SEEDS).map(async |seed| (seed, wrongs(emulator, seed, &[]).await));
    let all: Vec<(u64, BTreeSet<String>)> = each.buffer_unordered(APPS_AT_ONCE).collect().await;
    let wrong: Vec<_> = all.iter().filter(|(_, wrongs)| !wrongs.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let acted: usize = get(emulator, "/events?account=*&kind=pedantic.acted&limit=1000").await["events"]
        .as_array()
        .map_or(0, Vec::len);
    assert!(acted > 500, "pedantic mode has acted only {acted} times");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_careless_app_fails_with_some_seed() -> Tested {
    let emulator = Emulator::builder().pedantic(true).start().await?;
    let emulator = &emulator;
    let careless: [(&[Fault], &str); 8] = [
        (&[Fault::ActsTwice], "the app has handled an incoming fax 2 times"),
        (&[Fault::HasFixedList], "gets Some(403)"),
        (&[Fault::Trims], "gets Some(403)"),
        (&[Fault::WantsOrder], "gets Some(400)"),
        (&[Fault::RefusesRepeats], "gets Some(409)"),
        (&[Fault::IgnoresRedirects], "the app has not downloaded a document"),
        (&[Fault::IgnoresRefusals], "the app has sent"),
        // An app that asks for the status finds out that a fax has been delivered after all.
        (&[Fault::OverwritesStatus, Fault::NeverAsks], "for a delivered fax"),
    ];
    let each = stream::iter(careless).map(async |(faults, expected)| {
        for seed in 0..SEEDS {
            let wrongs = wrongs(emulator, seed, faults).await;
            if wrongs.iter().any(|wrong| wrong.contains(expected)) {
                println!("{faults:?}: seed {seed}: {wrongs:?}");
                return None;
            }
        }
        Some(faults)
    });
    let unnoticed: Vec<_> = each.buffer_unordered(APPS_AT_ONCE).filter_map(async |faults| faults).collect().await;
    assert!(unnoticed.is_empty(), "no seed shows {unnoticed:?}");
    Ok(())
}

#[tokio::test]
async fn an_account_may_turn_pedantic_mode_off_although_the_emulator_has_it_on() -> Tested {
    let emulator = Emulator::builder().pedantic(true).start().await?;
    let careful = emulator.account_as(AccountSetup { pedantic: Some(false), ..AccountSetup::default() })?;
    let usual = emulator.account()?;
    let of =
        async |account: &Account| get(&emulator, &format!("/accounts/{}", account.sid())).await["pedantic"].clone();
    assert_eq!((of(&careful).await, of(&usual).await), (json!(false), json!(true)));
    assert_eq!(get(&emulator, "/health").await["pedantic"], json!(true));
    let other = Emulator::builder().start().await?;
    assert_eq!(get(&other, "/health").await["pedantic"], json!(false));
    Ok(())
}

#[tokio::test]
async fn a_refused_call_says_when_to_try_again_and_the_next_one_succeeds() -> Tested {
    let emulator = Emulator::builder().pedantic(true).start().await?;
    let account = seeded(&emulator, 1).await;
    let credential = format!("{}:{}", account.sid(), account.auth_token());
    let (mut refused, mut was_refused) = (0, false);
    for _ in 0..100 {
        let answer = exchange(Method::Get, &format!("{}/v1/Faxes", emulator.url()), Some(&credential)).await;
        let is_refused = matches!(answer.status, 429 | 503);
        assert!(is_refused || answer.status == 200, "{}", answer.status);
        assert!(!(is_refused && was_refused), "two calls in a row are refused");
        if is_refused {
            let again = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
            assert_eq!(again.map(|(_, value)| value.as_str()), Some("1"));
            let json: Value = serde_json::from_slice(&answer.body)?;
            assert_eq!(json["code"], json!(20_000 + i64::from(answer.status)), "{json}");
            refused += 1;
        }
        was_refused = is_refused;
    }
    assert!(refused > 0, "no call was refused");
    account.verify(
        Expect::of("pedantic.acted").with("data.kind", "api").with("data.call", "GET /v1/Faxes").times(refused),
    )?;
    let note = "pedantic: changed on purpose";
    account.verify(Expect::of("api.request").with("data.note", note).times(refused))?;
    let traffic = get(&emulator, &format!("/traffic?account={}&limit=200", account.sid())).await;
    let noted = traffic["requests"].as_array().into_iter().flatten().filter(|request| request["note"] == note).count();
    assert_eq!(noted, refused);
    Ok(())
}

#[tokio::test]
async fn a_frozen_clock_a_wait_and_a_verification_work_as_usual() -> Tested {
    let emulator = Emulator::builder().pedantic(true).start().await?;
    for seed in 0..10 {
        let account = seeded(&emulator, seed).await;
        let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), &[]).await;
        account.clock().freeze();
        let document = format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url());
        let callback = format!("{}/status", app.origin);
        let fax = account.send("+15558675310", &document).status_callback(&callback).queue()?;
        account.clock().drain().await?;
        assert_eq!(account.fax(fax)?.status(), Status::Delivered);
        let waited = get(&emulator, &format!("/wait?account={}&fax={fax}&for=settled", account.sid())).await;
        assert_eq!(waited["outcome"], json!("delivered"), "{waited}");
        account.verify(Expect::webhook().status(Status::Delivered).with("data.delivery", 1).times(1))?;
    }
    Ok(())
}
