//! Tests that worlds with thousands of documents that never arrive, or thousands of numbers, still respond in time.

use std::sync::Arc;

use fauxfax::document::sample;
use fauxfax::engine::input::{BuyNumber, CreateFax, NumberRequest};
use fauxfax::model::fax::Status;
use fauxfax::model::number::NumberChange;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::sid::FaxSid;
use serde_json::Value;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::apps::{Manner, app};
use crate::host::{Host, PATIENCE, account, setup};
use crate::script::{FAR, order};

const FLOOD: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_documents_that_never_arrive_do_not_delay_other_faxes() {
    let hangs = app(Manner::Hang).await;
    let good = MockServer::start().await;
    let pdf = ResponseTemplate::new(200).set_body_raw(sample::test_pages(1), "application/pdf");
    Mock::given(path("/a.pdf")).respond_with(pdf).mount(&good).await;
    let host = Host::new(setup(""));
    let world = host.world();
    let media_url: Arc<str> = format!("{}/never.pdf", hangs.url).into();
    for _ in 0..FLOOD {
        let order = CreateFax { media_url: Arc::clone(&media_url), ..order(FAR) };
        world.handle(order).expect("accepted");
    }
    let form = format!("To=%2B15558675310&From=%2B15005550006&MediaUrl={}/a.pdf", good.uri());
    let fax = host.api("POST", "/v1/Faxes", "/v1/Faxes", &form).await;
    let sid: FaxSid = fax["sid"].as_str().and_then(|sid| sid.parse().ok()).expect("a SID");
    let delivered =
        world.until(|engine| engine.fax(sid).is_ok_and(|fax| fax.status() == Status::Delivered).then_some(()));
    tokio::time::timeout(PATIENCE, delivered).await.expect("the fax doesn't wait for the others");
    let page = host.api("GET", "/v1/Faxes", "/v1/Faxes?PageSize=1000", "").await;
    assert_eq!(page["faxes"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(page["faxes"][0]["sid"], fax["sid"]);
    // Closing must cope with abandoning ten thousand pending fetches at once.
    host.registry.close();
}

#[tokio::test]
async fn ten_thousand_numbers_are_listed_page_by_page() {
    let host = Host::new(setup(""));
    let world = host.world();
    for n in 0..FLOOD as u64 {
        let wanted = NumberRequest::Number(PhoneNumber::from_digits(14_155_000_000 + n));
        let order = BuyNumber { wanted, change: NumberChange::default() };
        world.handle(order).expect("bought");
    }
    let root = format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers.json", account());
    let (mut target, mut seen) = (format!("{root}?PageSize=1000"), 0);
    loop {
        let page: Value = host.call("GET", &target, "").await.json();
        seen += page["incoming_phone_numbers"].as_array().map_or(0, Vec::len);
        let Some(next) = page["next_page_uri"].as_str() else { break };
        target = next.to_owned();
    }
    assert_eq!(seen, FLOOD + 1, "the numbers that were bought and the one from the setup");
    let found = host.call("GET", &format!("{root}?PhoneNumber=%2B14155000042"), "").await.json();
    assert_eq!(found["incoming_phone_numbers"].as_array().map(Vec::len), Some(1));
}
