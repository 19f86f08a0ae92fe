//! Tests promises of the design about worlds, the claiming of accounts, pace and resets.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use fauxfax::clock::ClockMode;
use fauxfax::emulator::{AccountSetup, CreateWorldError, SignInError, WORLDS_MAX};
use fauxfax::engine::input::{CreateFax, DropRules, ReceiveFax, Reset};
use fauxfax::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use fauxfax::io::client::ClientOptions;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::sid::AccountSid;
use fauxfax::model::time::Pace;

use crate::apps::{Manner, app};
use crate::host::{Host, settings, setup};
use crate::script::{FAR, START, Script, call, letter, order, spec};

const BUSY: PhoneNumber = PhoneNumber::from_digits(15_005_550_101);
/// The number of clients that try to claim one account.
const CLIENTS: usize = 8;

/// Sends a fax to a busy number, and returns how long after each step the next one is due.
fn deadlines(pace: f64) -> Vec<Duration> {
    let mut spec = spec();
    spec.options.pace = Pace::Times(pace);
    let mut script = Script::new(spec);
    script.send(CreateFax { ttl_minutes: Some(5), ..order(BUSY) });
    script.answer_document(1);
    let mut dues = Vec::new();
    for _ in 0..4 {
        let Some(due) = script.engine.next_work() else { break };
        dues.push(due.since(script.now));
        script.forward_to_next();
    }
    dues
}

#[test]
fn pace_scales_ring_line_and_redial_times() {
    let (slow, fast) = (deadlines(1.0), deadlines(10.0));
    assert_eq!(slow.len(), 4);
    assert_eq!(slow, fast.iter().map(|wait| *wait * 10).collect::<Vec<_>>());
    assert!(slow.contains(&Duration::from_secs(60)), "a redial waits a minute of line time: {slow:?}");
}

#[test]
fn pace_scales_neither_a_ttl_nor_retention() {
    // A Ttl of three minutes allows three calls at the pace of a real line, and one at a tenth of that pace.
    for (pace, goes_on) in [(1.0, true), (0.1, false)] {
        let mut spec = spec();
        spec.options.pace = Pace::Times(pace);
        let mut script = Script::new(spec);
        let sid = script.send(CreateFax { ttl_minutes: Some(3), ..order(BUSY) });
        script.answer_document(1);
        script.forward(Duration::from_secs(2 * 60));
        assert_eq!(!script.status(sid).is_final(), goes_on, "at pace {pace}");
        script.forward(Duration::from_secs(2 * 60));
        assert!(script.status(sid).is_final(), "at pace {pace}");
        let kept = script.engine.poll_timeout().map(|due| due.since(START));
        assert_eq!(kept, Some(Duration::from_secs(180 * 24 * 60 * 60)));
    }
}

#[tokio::test]
async fn only_the_built_in_account_starts_with_a_number() {
    let host = Host::new(AccountSetup::default());
    let created = host.registry.create(AccountSetup::default()).expect("there is room");
    let entered = host.registry.enter_unclaimed(AccountSid::from_bytes([9; 16])).expect("open mode");
    for world in [created, entered] {
        assert_eq!(world.read(|engine| engine.numbers().count()), 0);
    }
    let built_in = fauxfax::config::Config::default().initial_accounts();
    assert_eq!(built_in[0].numbers.iter().map(|(number, _)| number.to_string()).collect::<Vec<_>>(), ["+15005550006"]);
}

#[tokio::test]
async fn worlds_are_limited_in_number_and_the_limit_is_reported() {
    let host = Host::new(AccountSetup::default());
    let mut last = None;
    for _ in 1..WORLDS_MAX {
        let world = host.registry.create(AccountSetup::default()).expect("there is room");
        // Two writes mark the world as used, so it isn't removed to make room.
        world.handle(DropRules).expect("dropping no rules succeeds");
        world.handle(DropRules).expect("dropping no rules succeeds");
        last = Some(world.sid());
    }
    let refused = host.registry.create(AccountSetup::default()).err();
    assert_eq!(refused, Some(CreateWorldError::TooManyWorlds { limit: WORLDS_MAX }));
    let stranger = host.registry.sign_in(AccountSid::from_bytes([9; 16]), "token").err();
    assert_eq!(stranger, Some(SignInError::TooManyWorlds { limit: WORLDS_MAX }));
    assert!(host.registry.remove(last.expect("one was created")));
    assert!(host.registry.create(AccountSetup::default()).is_ok(), "removing a world makes room for another");
}

#[tokio::test]
async fn at_the_limit_the_oldest_unused_world_makes_room() {
    let host = Host::new(AccountSetup::default());
    let create = || host.registry.create(AccountSetup::default()).expect("there is room");
    let used = create();
    used.handle(DropRules).expect("dropping no rules succeeds");
    used.handle(DropRules).expect("dropping no rules succeeds");
    let (oldest, next) = (create().sid(), create().sid());
    // There are these three worlds and that of the default account, so the loop reaches the limit.
    for _ in 4..WORLDS_MAX {
        create();
    }
    assert_eq!(host.registry.worlds().len(), WORLDS_MAX);
    let newcomer = host.registry.sign_in(AccountSid::from_bytes([9; 16]), "token").expect("room is made").sid();
    let is_there = |sid| host.registry.world(sid).is_some();
    assert_eq!((is_there(oldest), is_there(next), is_there(used.sid()), is_there(newcomer)), (false, true, true, true));
    assert_eq!(host.registry.worlds().len(), WORLDS_MAX);
    assert!(is_there(host.registry.default_account()), "a configured account stays");
}

#[tokio::test]
async fn a_recreated_world_never_reuses_an_id() {
    let host = Host::new(AccountSetup::default());
    let sid = AccountSid::from_bytes([9; 16]);
    let mut named = std::collections::BTreeSet::new();
    for life in 1..=3 {
        let world = host.registry.sign_in(sid, "token").expect("open mode");
        let Ok(fax) = world.handle(order(FAR)) else { panic!("no fax is created") };
        assert!(named.insert(fax), "life {life}");
        world.handle(Reset { seed: None }).expect("a reset is never refused");
        assert!(host.registry.remove(sid));
    }
    // While one thread keeps deleting the world, others use it and so create it again.
    let named: Vec<_> = std::thread::scope(|scope| {
        let creates = || {
            let send = |_| {
                let world = host.registry.sign_in(sid, "token").ok()?;
                let reply = world.handle(order(FAR));
                reply.ok()
            };
            (0..300).filter_map(send).collect::<Vec<_>>()
        };
        let creators: Vec<_> = (0..3).map(|_| scope.spawn(creates)).collect();
        scope.spawn(|| (0..300).filter(|_| host.registry.remove(sid)).count());
        creators.into_iter().flat_map(|creator| creator.join().expect("no panic")).collect()
    });
    assert_eq!(named.iter().collect::<std::collections::BTreeSet<_>>().len(), named.len(), "{} faxes", named.len());
    let owner = host.registry.create(AccountSetup::default()).expect("there is room");
    let mut subaccounts = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let subaccount = host.registry.create_subaccount(&owner, "branch").expect("there is room").sid();
        assert!(subaccounts.insert(subaccount));
        assert!(host.registry.remove(subaccount));
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test needs simultaneous threads")]
async fn only_one_of_several_simultaneous_clients_claims_an_account() {
    let host = Host::new(AccountSetup::default());
    let (barrier, account) = (Arc::new(Barrier::new(CLIENTS)), AccountSid::from_bytes([9; 16]));
    let clients = (0..CLIENTS).map(|client| {
        let (emulator, barrier) = (host.registry.clone(), Arc::clone(&barrier));
        std::thread::spawn(move || {
            barrier.wait();
            emulator.sign_in(account, &format!("token {client}")).is_ok()
        })
    });
    let accepted = clients.collect::<Vec<_>>().into_iter().filter_map(|client| client.join().ok());
    assert_eq!(accepted.filter(|is_accepted| *is_accepted).count(), 1);
}

#[tokio::test]
async fn a_recreated_account_receives_nothing_from_its_predecessors_requests() {
    let hangs = app(Manner::Hang).await;
    let host = Host::new(AccountSetup::default());
    let create = || host.registry.create(setup(&format!("{}/fax", hangs.url))).expect("there is room");
    let first = create();
    let call = ReceiveFax { document: letter(1), ..call(1) };
    first.handle(call).expect("the call rings");
    first.until(|engine| (engine.under_way_count() > 0).then_some(())).await;
    assert!(host.registry.remove(first.sid()));
    let second = create();
    second.settled().await;
    let events = second.read(|engine| engine.events(&EventFilter::default(), JOURNAL_EVENTS_MAX));
    assert!(events.is_empty() && second.read(|engine| engine.is_idle()), "{events:?}");
}

#[tokio::test]
async fn a_reset_during_an_advance_lets_the_advance_finish() {
    let hangs = app(Manner::Hang).await;
    let options = ClientOptions::default();
    let host = Host::with(settings(Pace::Times(1.0)), &options, setup(&format!("{}/fax", hangs.url)));
    let world = host.world();
    world.set_clock_mode(ClockMode::Frozen);
    let call = ReceiveFax { document: letter(1), ..call(1) };
    world.handle(call).expect("the call rings");
    let to = world.now().after(Duration::from_secs(3_600));
    let resets = async {
        world.until(|engine| (engine.under_way_count() > 0).then_some(())).await;
        world.handle(Reset { seed: None }).expect("a reset is never refused");
    };
    let (advanced, ()) = tokio::join!(world.advance(to), resets);
    assert_eq!((advanced, world.now()), (Ok(()), to));
    assert!(world.read(|engine| engine.is_idle() && engine.fax_count() == 0));
    world.set_clock_mode(ClockMode::Running);
    assert!(world.now() >= to, "a clock that runs again continues from where it was");
}
