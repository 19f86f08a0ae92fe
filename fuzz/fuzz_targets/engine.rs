//! Drives the engine with arbitrary bytes, each pair of which is one step. Whatever the order of events, the engine
//! never panics, and it settles once every effect is completed.
#![no_main]

use fauxfax::engine::Engine;
use fauxfax::engine::effect::{Effect, Intent};
use fauxfax::engine::command::Command;
use fauxfax::engine::input::{AddRule, Completion, EffectResult, CancelFax, CreateFax, DeleteFax, ReceiveFax, Reset, Restore, TakeSnapshot};
use fauxfax::model::account::Dialect;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::sid::FaxSid;
use fauxfax::model::time::Timestamp;
use fauxfax::model::webhook::ExchangeFailure;
use fauxfax::twiml;
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

use self::spec::{OWN, START, document, spec, record};

#[path = "../../tests/it/spec.rs"]
mod spec;

/// A media budget of two and a half documents, so that the documents of a run exceed it.
const BUDGET_BYTES: u64 = 250;
/// The size of each document, whatever its number of pages.
const PAGE_BYTES: usize = 100;
const RULES: [&str; 4] = [
    r#"{"times":1,"outcome":{"status":"busy"}}"#,
    r#"{"webhook":{"reorder":true,"duplicate":true}}"#,
    r#"{"times":2,"webhook":{"drop":true}}"#,
    r#"{"chance":0.5,"webhook":{"delay_ms":30000}}"#,
];

struct World {
    engine: Engine,
    now: Timestamp,
    effects: Vec<Effect>,
    faxes: Vec<FaxSid>,
}

fuzz_target!(|bytes: &[u8]| {
    let mut world = World::new();
    for pair in bytes.chunks(2).take(500) {
        world.step(pair[0], pair.get(1).copied().unwrap_or(0));
    }
    for _ in 0..50_000 {
        world.take_effects();
        if let Some(effect) = world.effects.pop() {
            // 9 makes the effect succeed: 0 would lose it, 1 would fail its request, and 2 would reject a call.
            world.answer(effect, 9);
        } else if let Some(due) = world.engine.next_work() {
            world.now = world.now.max(due);
            world.engine.handle_timeout(world.now);
        } else {
            assert!(world.engine.is_idle() && world.engine.pending_count() == 0);
            return;
        }
    }
    panic!("the world never settles");
});

impl World {
    fn new() -> Self {
        let mut spec = spec();
        spec.options.media_budget_bytes = BUDGET_BYTES;
        Self { engine: Engine::new(spec, START), now: START, effects: Vec::new(), faxes: Vec::new() }
    }

    fn step(&mut self, kind: u8, detail: u8) {
        let picked = self.faxes.get(usize::from(detail) % self.faxes.len().max(1)).copied();
        match kind % 12 {
            0 | 1 => self.input(order(detail)),
            2 => self.input(call(detail)),
            3..=5 if !self.effects.is_empty() => {
                let effect = self.effects.remove(usize::from(detail) % self.effects.len());
                self.answer(effect, detail % 10);
            }
            6 => {
                self.now = self.now.after(Duration::from_millis(u64::from(detail) * 500));
                self.engine.handle_timeout(self.now);
            }
            7 => picked.into_iter().for_each(|sid| self.input(CancelFax(sid))),
            8 => picked.into_iter().for_each(|sid| self.input(DeleteFax(sid))),
            9 => {
                let value = serde_json::from_str(RULES[usize::from(detail) % RULES.len()]).expect("JSON");
                let rule = fauxfax::dialect::rule::parse(&value, Dialect::Twilio).expect("a rule");
                self.input(AddRule(rule));
            }
            10 => self.input(TakeSnapshot("one".into())),
            11 if detail % 4 == 0 => self.input(Reset { seed: None }),
            11 => self.input(Restore("one".into())),
            _ => {}
        }
        self.take_effects();
    }

    fn input(&mut self, command: impl Command) {
        let generation = self.engine.generation();
        let _ = self.engine.handle(command, self.now);
        // A reset or a restore has abandoned every effect of the previous generation.
        if self.engine.generation() != generation {
            self.effects.clear();
        }
    }

    fn take_effects(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            self.faxes.extend(effect.fax);
            self.effects.push(effect);
        }
    }

    fn answer(&mut self, effect: Effect, luck: u8) {
        let failure = (luck == 1).then_some(ExchangeFailure::TotalTimeout);
        let mut record = Box::new(record(&effect.intent));
        record.failure.clone_from(&failure);
        let outcome = match &*effect.intent {
            _ if luck == 0 => EffectResult::Lost,
            Intent::FetchDocument { .. } => EffectResult::Document { record, document: Ok(document(2, PAGE_BYTES)) },
            Intent::Render(request) => EffectResult::Rendered(Ok(request.document.clone())),
            Intent::AskForTwiml(_) => {
                let body: &[u8] = if luck == 2 { b"<Response><Reject/></Response>" } else { b"<Response><Receive/></Response>" };
                let reading = failure.map_or_else(|| Ok(twiml::interpret(Some("text/xml"), body)), Err);
                EffectResult::Twiml { record, cookies: Vec::new(), base_url: "http://app/fax".into(), reading }
            }
            Intent::Deliver(_) | Intent::NotifyOfMessage(_) | Intent::Report(_) => EffectResult::Delivered { record, cookies: Vec::new() },
        };
        let answer = Completion { effect: effect.id, generation: effect.generation, outcome };
        self.engine.handle(answer, self.now).expect("a completion is never refused");
    }
}

fn order(detail: u8) -> CreateFax {
    let numbers = [OWN.digits(), 15_558_675_310, 15_005_550_101, 15_005_550_102, 15_005_550_104, 15_005_550_107];
    CreateFax {
        status_callback: (detail & 64 == 0).then(|| "http://app/s".into()),
        store_media: detail & 32 == 0,
        ttl_minutes: (detail & 128 != 0).then_some(3),
        ..spec::order(PhoneNumber::from_digits(numbers[usize::from(detail) % numbers.len()]))
    }
}

fn call(detail: u8) -> ReceiveFax {
    spec::call(u32::from(detail % 3) + 1)
}
