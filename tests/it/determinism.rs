//! Tests that the same seed and the same inputs produce the same canonical journal, however long the apps take to respond.
//! The apps' delays are real and differ from run to run; the world's clock is frozen.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fauxfax::clock::ClockMode;
use fauxfax::dialect::canonical;
use fauxfax::document::sample;
use fauxfax::emulator::World;
use fauxfax::engine::input::{CreateFax, ReceiveFax};
use fauxfax::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use fauxfax::engine::random::WorldSeed;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::media::Document;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::time::{Pace, Timestamp};
use rand::Rng;
use wiremock::matchers::{path, path_regex};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::host::{Host, account, settings, setup};
use crate::script::{call, order};

/// The number of runs that are compared.
const RUNS: u64 = 20;
/// Each response takes less than this. The limit is long enough for responses to overtake each other.
const DELAY_MAX_MS: u64 = 12;
/// The virtual time at which all runs begin: the start of the year 2100.
const THE_SAME_MINUTE: Timestamp = Timestamp::from_const_seconds(4_102_444_800);
const HOUR: Duration = Duration::from_secs(3_600);

/// What an app's response depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum App {
    /// On nothing: it is always the same.
    Fair,
    /// On the number of earlier requests: a deliberate dependence on the order of arrival, which the hash must reveal.
    ByArrival,
}

/// The journal of one run, in two forms that can be compared with those of other runs.
struct Run {
    /// The canonical lines, which must be the same in every run.
    lines: Vec<String>,
    /// The hash of the events in the order in which they happened, which depends on the delays.
    as_it_came: String,
}

/// Responds after random delays, which differ for each value of `delays`.
struct Answers {
    app: App,
    count: AtomicU64,
    delays: u64,
}

impl Respond for Answers {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let place = self.count.fetch_add(1, Ordering::SeqCst);
        let odd = self.app == App::ByArrival && place % 2 == 1;
        let verb = if odd { "<Reject/>" } else { "<Receive action=\"/done\"/>" };
        let draw = WorldSeed::of(self.delays, account()).generator("delay", b"", place).next_u64();
        ResponseTemplate::new(200)
            .set_body_raw(format!("<Response>{verb}</Response>"), "text/xml")
            .set_delay(Duration::from_millis(draw % DELAY_MAX_MS))
    }
}

/// Sends six faxes that end in different ways, receives three, and lets an hour pass.
async fn run(app: App, delays: u64) -> Run {
    let server = MockServer::start().await;
    let pdf = ResponseTemplate::new(200).set_body_raw(sample::test_pages(2), "application/pdf");
    let draw = WorldSeed::of(delays, account()).generator("document", b"", 0).next_u64();
    let slow = pdf.set_delay(Duration::from_millis(draw % DELAY_MAX_MS));
    Mock::given(path("/fax.pdf")).respond_with(slow).mount(&server).await;
    Mock::given(path("/gone")).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    Mock::given(path_regex("/(fax|done|status).*"))
        .respond_with(Answers { app, count: AtomicU64::new(0), delays })
        .mount(&server)
        .await;
    let url = |path: &str| Some(format!("{}{path}", server.uri()).into_boxed_str());
    let setup = setup(&format!("{}/fax", server.uri()));
    let host = Host::with(settings(Pace::default()), &ClientOptions::default(), setup);
    let world = host.world();
    world.set_clock_mode(ClockMode::Frozen);
    // The header line of a received page contains the time, so a page received in a different minute can have a different
    // number of bits and take a different time to transmit.
    world.advance(THE_SAME_MINUTE).await.expect("the time is in the future");
    for (to, media, callback) in [
        (15_558_675_310, "/fax.pdf", "/status/1"),
        (15_005_550_101, "/fax.pdf", "/status/2"),
        (15_005_550_104, "/fax.pdf", "/gone#rc=2&rp=5xx"),
        (15_005_550_107, "/fax.pdf", "/status/4"),
        (15_005_550_006, "/fax.pdf", "/status/5"),
        (15_005_550_006, "/gone", "/status/6"),
    ] {
        let media_url = url(media).expect("an address").into();
        let order = CreateFax { media_url, status_callback: url(callback), ..order(PhoneNumber::from_digits(to)) };
        world.handle(order).expect("accepted");
    }
    for pages in [1, 2, 3] {
        let document = Document { bytes: sample::test_pages(pages).into(), ..call(pages).document };
        let call = ReceiveFax { document, ..call(pages) };
        world.handle(call).expect("the call rings");
    }
    world.advance(world.now().after(HOUR)).await.expect("the clock moves");
    journal_of(&world)
}

/// Returns the two forms of a world's journal.
fn journal_of(world: &World) -> Run {
    let events = world.read(|engine| engine.events(&EventFilter::default(), JOURNAL_EVENTS_MAX));
    let lines = canonical::projection(&events);
    assert!(lines.len() > 50, "too few events to compare: {lines:#?}");
    let as_it_came = events.iter().map(|event| format!("{:?} {}", event.fax, event.kind.as_str())).collect::<Vec<_>>();
    Run { lines, as_it_came: canonical::hash(&as_it_came) }
}

impl Run {
    /// Returns the hash of the canonical lines.
    fn canonical(&self) -> String {
        canonical::hash(&self.lines)
    }
}

/// Returns the lines of the first list that the second doesn't have.
fn only<'a>(lines: &'a [String], others: &[String]) -> Vec<&'a String> {
    lines.iter().filter(|line| !others.contains(line)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_runs_with_random_delays_have_the_same_hash() {
    let first = run(App::Fair, 0).await;
    let mut orders = BTreeSet::from([first.as_it_came.clone()]);
    for delays in 1..RUNS {
        let run = run(App::Fair, delays).await;
        let (own, others): (Vec<_>, Vec<_>) = (only(&run.lines, &first.lines), only(&first.lines, &run.lines));
        assert_eq!(run.canonical(), first.canonical(), "run {delays} alone has {own:#?}, run 0 alone {others:#?}");
        orders.insert(run.as_it_came);
    }
    assert!(orders.len() > 1, "the events happened in different orders, so equal hashes prove something");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_dependence_is_detected() {
    let mut hashes = BTreeSet::new();
    for delays in 0..RUNS {
        hashes.insert(run(App::ByArrival, delays).await.canonical());
    }
    assert!(hashes.len() > 1, "a dependence on the order of arrival must change the hash");
}
