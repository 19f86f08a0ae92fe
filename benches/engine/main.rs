//! Measures the engine alone: `cargo bench --bench engine`. The figures are the deadlines handled per second in a
//! frozen world, and the time that snapshots, restores and resets take with a thousand faxes. Each is the median of
//! `ROUNDS` rounds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fauxfax::engine::Engine;
use fauxfax::engine::command::Command;
use fauxfax::engine::effect::Intent;
use fauxfax::engine::input::{Completion, CreateFax, DropSnapshot, EffectResult, Reset, Restore, TakeSnapshot};
use fauxfax::model::media::Document;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::refusal::Refusal;
use fauxfax::model::time::Timestamp;

use self::spec::{START, order, record, spec};

#[path = "../../tests/it/spec.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod spec;

/// The number of rounds per figure, odd so that the median is one of them.
const ROUNDS: usize = 21;

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    let deadlines = median((0..ROUNDS).map(|_| deadlines_per_second()).collect());
    println!("deadlines per second, frozen world of 10000 faxes of 3 pages     {deadlines:.0}");
    for (name, is_pending) in [("ended", false), ("sending, each with a callback in flight", true)] {
        let [take, restore, reset] = state_changes(is_pending);
        println!("at 1000 faxes {name}: snapshot {take:.1} µs, restore {restore:.1} µs, reset {reset:.1} µs");
    }
}

/// Creates a world with `count` faxes whose documents have been fetched. With `has_callback`, each fax has a status
/// callback that is never completed.
fn with_faxes(count: u64, has_callback: bool) -> Engine {
    let mut spec = spec();
    // Room for every document; the tests' budget would evict most of them.
    spec.options.media_budget_bytes = 1 << 30;
    let mut engine = Engine::new(spec, START);
    let bytes: Arc<[u8]> = Arc::from(vec![0; 20_000]);
    for n in 0..count {
        let status_callback = has_callback.then(|| "http://app/status".into());
        let order = CreateFax { status_callback, ..order(PhoneNumber::from_digits(15_550_000_000 + n)) };
        // A microsecond apart, so that no two faxes share a deadline.
        let at = START.after(Duration::from_micros(n));
        engine.handle(order, at).expect("the fax is created");
        engine.handle_timeout(at);
    }
    let mut fetched = count;
    while let Some(effect) = engine.poll_effect() {
        let Intent::FetchDocument { .. } = &*effect.intent else { continue };
        let document = Document::unrendered(3, Arc::clone(&bytes));
        let outcome = EffectResult::Document { record: Box::new(record(&effect.intent)), document: Ok(document) };
        let answer = Completion { effect: effect.id, generation: effect.generation, outcome };
        let at = START.after(Duration::from_micros(fetched));
        fetched += 1;
        engine.handle(answer, at.max(engine.latest())).expect("a completion is never refused");
    }
    engine
}

/// Runs dialling, ringing and three pages of each fax, one deadline at a time, as advancing a frozen clock does.
/// Returns the deadlines per second.
fn deadlines_per_second() -> f64 {
    let mut engine = with_faxes(10_000, false);
    let mut deadlines = 0_u32;
    let began = now();
    while let Some(due) = engine.next_work() {
        deadlines += u32::try_from(engine.deadlines().take_while(|(alarm, _)| alarm.at <= due).count()).unwrap_or(0);
        while engine.next_work().is_some_and(|next| next <= due) {
            engine.handle_timeout(due);
        }
    }
    f64::from(deadlines) / began.elapsed().as_secs_f64()
}

/// Returns the microseconds that a snapshot, a restore and a reset take with a thousand faxes.
fn state_changes(is_pending: bool) -> [f64; 3] {
    let mut taken = Vec::new();
    let mut restored = Vec::new();
    let mut reset = Vec::new();
    for _ in 0..ROUNDS {
        let mut engine = with_faxes(1_000, is_pending);
        let mut at = START;
        while let Some(due) = engine.next_work().filter(|_| !is_pending) {
            at = due;
            engine.handle_timeout(due);
        }
        taken.push(timed(&mut engine, TakeSnapshot("one".into()), at));
        restored.push(timed(&mut engine, Restore("one".into()), at));
        timed(&mut engine, DropSnapshot("one".into()), at);
        reset.push(timed(&mut engine, Reset { seed: None }, at));
    }
    [median(taken), median(restored), median(reset)]
}

/// Returns the microseconds that one command takes.
fn timed<T>(engine: &mut Engine, command: impl Command<Done = Result<T, Refusal>>, at: Timestamp) -> f64 {
    let began = now();
    assert!(engine.handle(command, at).is_ok(), "the command succeeds");
    let span = micros(began.elapsed());
    // Not measured: a world frees the discarded state after it has released its lock, so no other call waits for it.
    drop(engine.take_discarded());
    span
}

fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads real time")]
fn now() -> Instant {
    Instant::now()
}
