//! Journal tests, most of which compare the merged sequence of events and requests with a plain list.

use std::time::Duration;

use super::*;
use crate::clock::RealTime;
use crate::dialect::canonical;
use crate::engine::export::MediaForm;
use crate::engine::input::{Note, Reset, Restore, TakeSnapshot};
use crate::engine::journal::JOURNAL_EVENTS_MAX;
use crate::engine::random::WorldSeed;
use crate::engine::{WorldOptions, WorldSpec};
use crate::model::account::{Account, AccountMode, CallbackPolicy, DocumentPolicy};
use crate::model::media::MediaFault;
use crate::model::refusal::Refusal;
use crate::model::sid::AccountSid;
use crate::model::time::Pace;
use crate::world::World;
use crate::world::feed::Feed;

/// The size of a large event; a few of them fill the engine's journal.
const LARGE_BYTES: usize = 3 * 1024 * 1024;

fn spec() -> WorldSpec {
    let account = Account::new(AccountSid::from_bytes([1; 16]), Some("token".into()), Timestamp::default());
    WorldSpec {
        seed: WorldSeed::of(7, account.sid),
        account,
        earlier_worlds: 0,
        inventory_seed: 7,
        numbers: Vec::new(),
        caller_ids: Vec::new(),
        twiml_bins: Vec::new(),
        rules: Vec::new(),
        options: WorldOptions {
            pace: Pace::Max,
            callbacks: CallbackPolicy::All,
            documents: DocumentPolicy::Lenient,
            accounts: AccountMode::Open,
            is_pedantic: false,
            media_budget_bytes: 1 << 30,
        },
    }
}

fn request(path: &str) -> ApiRequest {
    let (at, method, path) = (Timestamp::default(), "GET".into(), path.into());
    ApiRequest { at, method, path, status: 200, ..ApiRequest::default() }
}

fn large() -> Note {
    let kind = EventKind::MediaWarning { fault: MediaFault::UserAgent, detail: "x".repeat(LARGE_BYTES).into() };
    Note { fax: None, kind }
}

const fn small() -> Note {
    Note { fax: None, kind: EventKind::CallNotAnswered }
}

/// An entry in the plain list that the journal is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    /// The engine's event with this `seq`.
    JournalEvent(u64),
    /// The request recorded with this number.
    Request(u64),
}

/// An engine and its requests, with a plain list of everything that has happened.
struct Sequence {
    engine: Engine,
    requests: RequestLog,
    listed: Vec<Listed>,
    last_reset: u64,
}

impl Sequence {
    fn new() -> Self {
        let engine = Engine::new(spec(), Timestamp::default());
        Self { engine, requests: RequestLog::default(), listed: Vec::new(), last_reset: 0 }
    }

    fn journal(&self) -> Journal<'_> {
        Journal::new(&self.engine, &self.requests)
    }

    fn write(&mut self, note: Note) {
        self.engine.handle(note, Timestamp::default());
        self.catch_up();
    }

    fn ask(&mut self, path: &str) {
        let number = self.requests.total() + 1;
        self.requests.note(&self.engine, request(&format!("{path}{number}")));
        self.listed.push(Listed::Request(number));
        let kept_events = usize::try_from(self.engine.last_seq() - self.engine.events_evicted()).expect("it fits");
        assert!(
            self.requests.mark_count() <= kept_events + 2,
            "there are at most two more runs of requests than kept events"
        );
    }

    fn rewind_to(&mut self, back: impl FnOnce(&mut Engine)) {
        let before = self.listed.len() as u64;
        back(&mut self.engine);
        self.last_reset = before;
        self.catch_up();
    }

    /// Appends the events that the engine has written since the last call.
    fn catch_up(&mut self) {
        let known = self
            .listed
            .iter()
            .rev()
            .find_map(|listed| if let Listed::JournalEvent(seq) = listed { Some(*seq) } else { None });
        self.listed.extend((known.unwrap_or(0) + 1..=self.engine.last_seq()).map(Listed::JournalEvent));
    }

    /// Returns the place of an entry in the list, counted from 1.
    fn place_of(&self, wanted: Listed) -> u64 {
        self.listed.iter().position(|listed| *listed == wanted).expect("a listed entry") as u64 + 1
    }

    /// Compares the journal with the list, starting at each of these places in turn. Must not be called once requests
    /// have been dropped because of their total size, since the list doesn't know of that limit.
    fn check(&self, places: impl IntoIterator<Item = u64>) {
        let (journal, len) = (self.journal(), self.listed.len() as u64);
        assert_eq!(journal.last_seq(), len);
        assert_eq!(journal.last_reset(), self.last_reset);
        let of_engine = match self.engine.events_evicted() {
            0 => 0,
            newest => self.place_of(Listed::JournalEvent(newest)),
        };
        let floor = of_engine.max(len.saturating_sub(JOURNAL_EVENTS_MAX as u64));
        assert_eq!(journal.evicted(), floor);
        for since in places.into_iter().chain([0, floor, len, u64::MAX]) {
            for limit in [1, 7, usize::MAX] {
                let shown = journal.events(&EventFilter { since, ..EventFilter::default() }, limit);
                let first = since.max(floor).min(len);
                let expected =
                    self.listed[usize::try_from(first).expect("it fits")..].iter().zip(first + 1..).take(limit);
                assert!(shown.iter().map(listed).eq(expected.map(|(listed, seq)| (*listed, seq))), "since {since}");
            }
        }
    }
}

fn listed(event: &JournalEvent) -> (Listed, u64) {
    let listed = match &event.entry {
        Entry::Engine(event) => Listed::JournalEvent(event.seq),
        Entry::Request(request) => {
            let digits = request.path.rsplit('/').next().expect("a part");
            Listed::Request(digits.parse().expect("a number"))
        }
    };
    (listed, event.seq)
}

/// Returns a simple random number generator. Each number is less than the bound that is passed to it.
fn dice(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |bound| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    }
}

#[test]
fn events_and_requests_form_one_sequence_however_they_are_interleaved_and_dropped() {
    for seed in 0..12 {
        let mut roll = dice(seed);
        let mut sequence = Sequence::new();
        sequence.engine.handle(TakeSnapshot("here".into()), Timestamp::default()).expect("taken");
        for _ in 0..400 {
            match roll(12) {
                0..=3 => sequence.ask("/v1/Faxes/"),
                4 => (0..roll(9)).for_each(|_| sequence.ask("/v1/Alerts/")),
                5..=7 => sequence.write(small()),
                8 => (0..roll(9)).for_each(|_| sequence.write(small())),
                9 => sequence.write(large()),
                10 => sequence.rewind_to(|engine| {
                    engine.handle(Reset { seed: None }, Timestamp::default()).expect("reset");
                }),
                _ => sequence.rewind_to(|engine| {
                    engine.handle(Restore("here".into()), Timestamp::default()).expect("restored");
                }),
            }
            let places = [roll(1 + sequence.listed.len() as u64), roll(1 + sequence.listed.len() as u64)];
            sequence.check(places);
        }
        assert!(sequence.engine.events_evicted() > 0, "seed {seed}: the engine has dropped events");
    }
}

#[test]
fn the_newest_ten_thousand_entries_are_returned_whatever_their_source() {
    let max = JOURNAL_EVENTS_MAX as u64;
    let mut sequence = Sequence::new();
    for number in 0..max / 2 {
        sequence.write(small());
        if number % 3 == 0 {
            sequence.ask("/v1/Faxes/");
        }
    }
    sequence.check([max / 4]);
    assert_eq!(sequence.journal().evicted(), 0);
    // Requests alone push the engine's events out of view, although the engine itself drops nothing.
    (0..max).for_each(|_| sequence.ask("/v1/Faxes/"));
    sequence.check([max]);
    assert_eq!(sequence.engine.events_evicted(), 0);
    let shown = sequence.journal().events(&EventFilter::default(), usize::MAX);
    assert!(shown.len() == JOURNAL_EVENTS_MAX && shown.iter().all(|event| event.kind() == API_REQUEST));
    // Events alone push the requests out of view, and the next request frees those no longer shown.
    (0..max + 5).for_each(|_| sequence.write(small()));
    sequence.check([2 * max]);
    sequence.ask("/v1/Faxes/");
    sequence.check([2 * max]);
    assert_eq!(sequence.requests.kept_count(), 1);
}

#[test]
fn requests_are_bounded_by_bytes_and_entries_older_than_a_dropped_one_are_hidden() {
    let mut sequence = Sequence::new();
    let path = format!("/{}/", "x".repeat(REQUEST_BYTES_MAX / 10));
    for _ in 0..30 {
        sequence.write(small());
        sequence.ask(&path);
    }
    let kept = sequence.requests.kept_count();
    assert_eq!(kept, 9, "ten would take a little more than the limit");
    let (journal, dropped) = (sequence.journal(), 30 - kept as u64);
    assert_eq!(journal.evicted(), sequence.place_of(Listed::Request(dropped)));
    let shown = journal.events(&EventFilter::default(), usize::MAX);
    assert_eq!(shown.iter().map(|event| event.seq).collect::<Vec<_>>(), (43..=60).collect::<Vec<_>>());
    assert_eq!(sequence.engine.events_evicted(), 0);
}

#[test]
fn a_filter_selects_by_fax_and_kind() {
    let mut sequence = Sequence::new();
    let fax = FaxSid::from_bytes([9; 16]);
    sequence.write(Note { fax: Some(fax), kind: EventKind::CallNotAnswered });
    sequence.requests.note(&sequence.engine, ApiRequest { fax: Some(fax), ..request("/1") });
    sequence.requests.note(&sequence.engine, request("/2"));
    sequence.write(small());
    let found = |filter: EventFilter| -> Vec<u64> {
        sequence.journal().events(&filter, usize::MAX).iter().map(|event| event.seq).collect()
    };
    assert_eq!(found(EventFilter { fax: Some(fax), ..EventFilter::default() }), [1, 2]);
    assert_eq!(found(EventFilter { kind: Some("api.request".into()), ..EventFilter::default() }), [2, 3]);
    assert_eq!(found(EventFilter { kind: Some("call.not-answered".into()), since: 1, ..EventFilter::default() }), [4]);
    let purpose = Some(crate::model::webhook::Purpose::Action);
    assert!(found(EventFilter { purpose, ..EventFilter::default() }).is_empty());
}

#[test]
fn a_reset_that_is_the_first_event_still_follows_earlier_requests() {
    let mut sequence = Sequence::new();
    sequence.ask("/v1/Faxes/");
    sequence.ask("/v1/Faxes/");
    sequence.rewind_to(|engine| {
        engine.handle(Reset { seed: None }, Timestamp::default()).expect("reset");
    });
    assert_eq!(sequence.journal().last_reset(), 2);
    // The remembered place of the reset outlives the events and requests around it.
    for _ in 0..20 {
        sequence.write(large());
        sequence.ask("/v1/Faxes/");
    }
    assert!(sequence.engine.events_evicted() > 3);
    assert_eq!(sequence.journal().last_reset(), 2);
}

/// Makes one read-only call and one that changes something, as the REST APIs do.
fn call(world: &World, number: u64) {
    world.read_and_note(|_, at| ((), ApiRequest { at, ..request(&format!("/v1/Faxes/{number}")) }));
    let command = TakeSnapshot(format!("s{}", number % 7).into());
    world.handle_and_note(command, |_, done: Result<(), Refusal>, at| {
        (done.is_ok(), ApiRequest { at, ..request(&format!("/v1/Faxes/{number}")) })
    });
}

#[test]
fn the_command_log_contains_no_requests_and_a_replay_reaches_the_same_state_and_hash() {
    let world = World::create(spec(), RealTime::start(), Arc::new(Feed::new(RealTime::start())));
    world.within(|core| core.engine.record());
    let start = world.now();
    for number in 0..50 {
        call(&world, number);
        world.note(None, EventKind::CallNotAnswered);
        if number % 20 == 10 {
            world.handle(Reset { seed: None }).expect("reset");
        }
    }
    let log = world.within(|core| core.engine.take_log());
    assert_eq!(log.len(), 50 + 50 + 2, "snapshots, notes and resets, but none of the hundred requests");
    let mut again = Engine::new(spec(), start);
    log.into_iter().for_each(|logged| again.replay(logged));
    let listed =
        |engine: &Engine| canonical::hash(&canonical::projection(&engine.events(&EventFilter::default(), 1_000)));
    let state = |engine: &Engine| engine.state(false, engine.latest()).to_json(MediaForm::Hash).expect("JSON");
    world.read(|engine| {
        assert_eq!(listed(&again), listed(engine));
        assert_eq!(state(&again), state(engine));
        assert_eq!(again.last_seq(), engine.last_seq());
    });
    let shown = world.read_journal(|journal| journal.events(&EventFilter::default(), usize::MAX));
    assert_eq!(shown.iter().filter(|event| event.kind() == API_REQUEST).count(), 100);
    assert!(shown.iter().zip(1..).all(|(event, seq)| event.seq == seq), "one by one from 1");
    assert!(shown.windows(2).all(|pair| pair[0].at() <= pair[1].at()), "times never go back");
}

#[test]
fn sequence_numbers_continue_across_a_reset_a_restore_and_a_load() {
    let world = World::create(spec(), RealTime::start(), Arc::new(Feed::new(RealTime::start())));
    let last_seq = || world.read_journal(|journal| journal.last_seq());
    let last_reset = || world.read_journal(|journal| journal.last_reset());
    call(&world, 1);
    world.handle(TakeSnapshot("here".into())).expect("taken");
    let state = world.state();
    let backs: [&dyn Fn(); 3] = [
        &|| drop(world.handle(Reset { seed: None }).expect("reset")),
        &|| drop(world.handle(Restore("here".into())).expect("restored")),
        &|| drop(world.load_state(state.clone())),
    ];
    for back in backs {
        let before = last_seq();
        back();
        assert_eq!((last_reset(), last_seq()), (before, before + 1));
        call(&world, 2);
        assert_eq!((last_reset(), last_seq()), (before, before + 3));
    }
}

#[tokio::test]
async fn a_request_wakes_tasks_that_wait_for_the_journal() {
    let world = World::create(spec(), RealTime::start(), Arc::new(Feed::new(RealTime::start())));
    let asked = world.until_journaled(|journal| (journal.last_seq() > 0).then(|| journal.last_seq()));
    let (asked, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(10), asked), async {
        tokio::task::yield_now().await;
        call(&world, 1);
    });
    assert!(asked.expect("woken in time").expect("the world is open") > 0);
}
