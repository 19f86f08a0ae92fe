//! Uses the library as an app's tests would: with a webhook app, many tests at once, and an emulator that stops when it is
//! dropped.

use std::time::Duration;

use fauxfax::dialect::twilio::codes::code as code_of;
use fauxfax::model::fax::{Direction, Status};
use fauxfax::{Account, Document, Emulator, Error, Expect, Outcome, rules};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

type Tested = Result<(), Box<dyn std::error::Error>>;

const RECEIVE: &str = "<Response><Receive action=\"/received\"/></Response>";

async fn app() -> MockServer {
    let app = MockServer::start().await;
    let twiml = ResponseTemplate::new(200).set_body_raw(RECEIVE, "text/xml");
    Mock::given(path("/fax")).respond_with(twiml).mount(&app).await;
    Mock::given(path("/received")).respond_with(ResponseTemplate::new(204)).mount(&app).await;
    app
}

fn account(emulator: &Emulator, app: &MockServer) -> Result<Account, Box<dyn std::error::Error>> {
    let account = emulator.account()?;
    account.number("+15017122661")?.fax_url(&format!("{}/fax", app.uri()))?;
    Ok(account)
}

#[tokio::test]
async fn a_fax_is_received_and_the_app_is_notified() -> Tested {
    let (emulator, app) = (Emulator::builder().seed(7).start().await?, app().await);
    let account = account(&emulator, &app)?;
    let conversation = account.receive(Document::pages(2)).from("+15552223333").station_id("ACME").await?;
    assert_eq!(conversation.outcome, Outcome::Received);
    assert_eq!(conversation.fax.as_ref().and_then(|fax| fax.pages()), Some(2));
    assert_eq!(conversation.webhooks().count(), 2);
    account.verify(Expect::of("webhook.attempt").with("data.params.RemoteStationId", "ACME").times(1))?;
    let refused = account.verify(Expect::of("webhook.attempt").with("data.params.RemoteStationId", "OTHER"));
    assert!(refused.is_err_and(|error| error.to_string().contains("found \"ACME\"")));
    account.reset()?;
    assert!(account.newest_fax().is_none());
    Ok(())
}

#[tokio::test]
async fn a_call_may_be_rejected_not_answered_or_failed_and_invalid_input_is_refused() -> Tested {
    let (emulator, app) = (Emulator::builder().start().await?, app().await);
    Mock::given(path("/reject"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("<Response><Reject/></Response>", "text/xml"))
        .mount(&app)
        .await;
    let account = emulator.account()?;
    let number = account.number("+15017122661")?.fax_url(&format!("{}/reject", app.uri()))?;
    assert_eq!(account.receive(Document::pages(1)).await?.outcome, Outcome::Rejected);
    let number = number.fax_url(&format!("{}/nothing", app.uri()))?;
    assert_eq!(account.receive(Document::pages(1)).await?.outcome, Outcome::NotAnswered);
    number.fax_url(&format!("{}/fax", app.uri()))?;
    let failed = account.receive(Document::pages(3)).failing(34004, 1).await?;
    assert_eq!(
        (failed.outcome, failed.fax.and_then(|fax| fax.failure().map(|failure| code_of(failure.fault)))),
        (Outcome::Failed, Some(34004))
    );
    assert!(account.receive(Document::bytes(*b"no document")).await.is_err());
    assert!(account.receive(Document::pages(0)).await.is_err());
    assert!(account.number("nonsense").is_err());
    let refused = account.receive(Document::pages(1)).failing(34999, 0).await.expect_err("no fax ends with that code");
    assert!(refused.to_string().contains("34004 or 34108, not 34999"), "{refused}");
    let refused = account.receive(Document::pages(1)).station_id(&"x".repeat(21)).await.expect_err("21 characters");
    assert!(refused.to_string().contains("at most 20 characters"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_dropped_emulator_frees_its_port() -> Tested {
    let emulator = Emulator::builder().start().await?;
    let address = emulator.url().trim_start_matches("http://").to_owned();
    assert!(tokio::net::TcpStream::connect(&address).await.is_ok());
    emulator.stop().await;
    assert!(tokio::net::TcpStream::connect(&address).await.is_err());
    let again = Emulator::builder().listen(address.parse()?).start().await?;
    drop(again);
    // Dropping the emulator stops it too, though not immediately.
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Runs one of fifty concurrent tests, with its own account and its own frozen clock, which it advances by `number` hours.
async fn isolated(emulator: &Emulator, app: &MockServer, number: u64) -> Tested {
    let account = account(emulator, app)?;
    let clock = account.clock();
    clock.freeze();
    let begun = clock.now();
    let sid = account.receive(Document::pages(1)).ring().await?;
    assert!(account.receive(Document::pages(1)).await.is_err(), "a fax can't be awaited while the clock is frozen");
    clock.drain().await?;
    account.wait_for(sid, Status::Received).await?;
    clock.advance(Duration::from_secs(number * 3_600)).await?;
    let moved = clock.now().since(begun);
    assert!(moved >= Duration::from_secs(number * 3_600) && moved < Duration::from_secs((number + 1) * 3_600));
    account.verify(Expect::of("fax.status").with("data.new", "received").times(1))?;
    if number.is_multiple_of(2) {
        account.reset()?;
        assert!(account.fax(sid).is_err());
    } else {
        assert_eq!(account.fax(sid)?.status(), Status::Received);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_concurrent_tests_on_one_emulator_do_not_interfere() -> Tested {
    let (emulator, app) =
        (Emulator::builder().seed(50).pace(fauxfax::model::time::Pace::Times(100.0)).start().await?, app().await);
    let tests = (0..50).map(|number| isolated(&emulator, &app, number));
    for ended in futures_util::future::join_all(tests).await {
        ended?;
    }
    Ok(())
}

#[tokio::test]
async fn a_rule_acts_as_often_as_requested() -> Tested {
    let (emulator, app) = (Emulator::builder().start().await?, app().await);
    let account = account(&emulator, &app)?;
    account.rules().once(rules::Outcome::Busy)?;
    account.rules().to("+1556*").times(
        1,
        rules::Outcome::Failed(rules::LineFault { fault: rules::Fault::Transmission, after_pages: 0, text: None }),
    )?;
    let mut ends = Vec::new();
    for to in ["+15551112222", "+15551112222", "+15561112222", "+15561112222"] {
        ends.push(sent(&emulator, &account, to).await?);
    }
    assert_eq!(ends, [Status::Busy, Status::Delivered, Status::Failed, Status::Delivered]);
    account.rules().always(rules::Outcome::Busy)?;
    assert_eq!(sent(&emulator, &account, "+15551112222").await?, Status::Busy);
    account.rules().clear()?;
    assert_eq!(sent(&emulator, &account, "+15551112222").await?, Status::Delivered);
    Ok(())
}

#[tokio::test]
async fn a_rule_that_could_never_act_is_refused_with_the_reason() -> Tested {
    let emulator = Emulator::builder().start().await?;
    let account = emulator.account()?;
    let refused = |rule: Result<u64, Error>| rule.expect_err("refused").to_string();
    assert!(refused(account.rules().to("").once(rules::Outcome::Busy)).contains("match.to"));
    assert!(refused(account.rules().chance(0.0).once(rules::Outcome::Busy)).contains("chance"));
    assert!(
        refused(account.rules().direction(Direction::Inbound).once(rules::Outcome::Busy))
            .contains("the rule can't be added: ")
    );
    assert!(account.rules().remove(1).is_err(), "nothing was added");
    Ok(())
}

/// Sends a fax to a number and returns its last status.
async fn sent(emulator: &Emulator, account: &Account, to: &str) -> Result<Status, Box<dyn std::error::Error>> {
    let sid = account.send(to, &format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url())).queue()?;
    account.wait_idle().await?;
    Ok(account.fax(sid)?.status())
}
