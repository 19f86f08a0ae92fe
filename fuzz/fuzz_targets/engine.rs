//! The engine driven by bytes: each one a step. Whatever order things happen in, it never panics, and with every effect
//! answered it comes to rest.
#![no_main]

use fauxfax::engine::effect::{Effect, Intent};
use fauxfax::engine::input::{Answer, AnswerOutcome, Command, Control, CreateFax, Input, ReceiveFax};
use fauxfax::engine::random::WorldSeed;
use fauxfax::engine::{Engine, Founding, Rules};
use fauxfax::model::account::{Account, Accounts, Callbacks, Documents};
use fauxfax::model::fax::{MediaType, Quality};
use fauxfax::model::media::Document;
use fauxfax::model::number::{NumberChange, ReceiveMode};
use fauxfax::model::phone::{Party, PhoneNumber};
use fauxfax::model::sid::{AccountSid, FaxSid};
use fauxfax::model::time::{Pace, Timestamp};
use fauxfax::model::webhook::{ExchangeFailure, ExchangeRecord, Method, Purpose};
use fauxfax::twiml;
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

const START: Timestamp = Timestamp::from_const_seconds(1_767_225_600);
const OWN: PhoneNumber = PhoneNumber::from_digits(15_005_550_006);
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
            world.answer(effect, 9);
        } else if let Some(due) = world.engine.next_work() {
            world.now = world.now.max(due);
            world.engine.handle_timeout(world.now);
        } else {
            assert!(world.engine.is_idle() && world.engine.pending_count() == 0);
            return;
        }
    }
    panic!("the world does not come to rest");
});

impl World {
    fn new() -> Self {
        let sid = AccountSid::from_bytes([0; 16]);
        let change = NumberChange {
            voice_receive_mode: Some(ReceiveMode::Fax),
            voice_url: Some("http://app/fax".into()),
            ..NumberChange::default()
        };
        let founding = Founding {
            account: Account::new(sid, Some("secret".into()), START),
            seed: WorldSeed::of(7, sid),
            inventory_seed: 7,
            numbers: vec![(OWN, change)],
            caller_ids: Vec::new(),
            behaviour: Vec::new(),
            rules: Rules {
                pace: Pace::Times(1.0),
                callbacks: Callbacks::All,
                documents: Documents::Lenient,
                accounts: Accounts::Open,
                media_budget_bytes: 250,
            },
        };
        Self { engine: Engine::new(founding, START), now: START, effects: Vec::new(), faxes: Vec::new() }
    }

    fn step(&mut self, kind: u8, detail: u8) {
        let picked = self.faxes.get(usize::from(detail) % self.faxes.len().max(1)).copied();
        match kind % 12 {
            0 | 1 => self.input(Input::Command(Command::CreateFax(Box::new(order(detail))))),
            2 => self.input(Input::Control(Control::ReceiveFax(Box::new(call(detail))))),
            3..=5 if !self.effects.is_empty() => {
                let effect = self.effects.remove(usize::from(detail) % self.effects.len());
                self.answer(effect, detail % 10);
            }
            6 => {
                self.now = self.now.after(Duration::from_millis(u64::from(detail) * 500));
                self.engine.handle_timeout(self.now);
            }
            7 => picked.into_iter().for_each(|sid| self.input(Input::Command(Command::CancelFax(sid)))),
            8 => picked.into_iter().for_each(|sid| self.input(Input::Command(Command::DeleteFax(sid)))),
            9 => {
                let value = serde_json::from_str(RULES[usize::from(detail) % RULES.len()]).expect("JSON");
                let rule = fauxfax::dialect::rule::parse(&value).expect("a rule");
                self.input(Input::Control(Control::AddRule(Box::new(rule))));
            }
            10 => self.input(Input::Control(Control::TakeSnapshot("one".into()))),
            11 if detail % 4 == 0 => self.input(Input::Control(Control::Reset)),
            11 => self.input(Input::Control(Control::Restore("one".into()))),
            _ => {}
        }
        self.take_effects();
    }

    fn input(&mut self, input: Input) {
        let generation = self.engine.generation();
        let _ = self.engine.handle(input, self.now);
        if self.engine.generation() != generation {
            self.effects.clear();
        }
    }

    fn take_effects(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            self.faxes.push(effect.fax);
            self.effects.push(effect);
        }
    }

    fn answer(&mut self, effect: Effect, luck: u8) {
        let failure = (luck == 1).then_some(ExchangeFailure::TotalTimeout);
        let record = Box::new(record(failure.clone()));
        let outcome = match &*effect.intent {
            _ if luck == 0 => AnswerOutcome::Lost,
            Intent::FetchDocument { .. } => AnswerOutcome::Document { record, document: Ok(document(2)) },
            Intent::AskForTwiml(_) => {
                let body: &[u8] = if luck == 2 { b"<Response><Reject/></Response>" } else { b"<Response><Receive/></Response>" };
                let reading = failure.map_or_else(|| Ok(twiml::interpret(Some("text/xml"), body)), Err);
                AnswerOutcome::Twiml { record, cookies: Vec::new(), base_url: "http://app/fax".into(), reading }
            }
            Intent::Deliver(_) | Intent::Report(_) => AnswerOutcome::Delivered { record, cookies: Vec::new() },
        };
        let answer = Answer { effect: effect.id, generation: effect.generation, outcome };
        self.engine.handle(Input::Answer(answer), self.now).expect("an answer is never refused");
    }
}

fn order(detail: u8) -> CreateFax {
    let numbers = [OWN.digits(), 15_558_675_310, 15_005_550_101, 15_005_550_102, 15_005_550_104, 15_005_550_107];
    CreateFax {
        to: Party::Number(PhoneNumber::from_digits(numbers[usize::from(detail) % numbers.len()])),
        from: Some(Party::Number(OWN)),
        media_url: "http://app/a.pdf".into(),
        quality: Quality::Fine,
        status_callback: (detail & 64 == 0).then(|| "http://app/s".into()),
        store_media: detail & 32 == 0,
        ttl_minutes: (detail & 128 != 0).then_some(3),
        origin: "http://127.0.0.1:8329".into(),
    }
}

fn call(detail: u8) -> ReceiveFax {
    ReceiveFax {
        to: Some(OWN),
        from: Party::Number(PhoneNumber::from_digits(15_558_675_310)),
        station_id: "FAR".into(),
        document: document(u32::from(detail % 3) + 1),
        quality: Quality::Fine,
        sid: None,
        line_fault: None,
        origin: "http://127.0.0.1:8329".into(),
    }
}

fn document(pages: u32) -> Document {
    Document { media_type: MediaType::Pdf, pages, bytes: vec![0; 100].into() }
}

fn record(failure: Option<ExchangeFailure>) -> ExchangeRecord {
    ExchangeRecord {
        purpose: Purpose::Action,
        method: Method::Post,
        url: "http://app/x".to_owned(),
        params: Vec::new(),
        request_headers: Vec::new(),
        redirected_to: None,
        status: Some(200),
        response_headers: Vec::new(),
        response_body: String::new(),
        duration_ms: 0,
        failure,
    }
}
