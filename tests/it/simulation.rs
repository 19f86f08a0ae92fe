//! Simulates a world for each seed, with random commands, faults, hangs, clock moves, rules, snapshots and resets, and
//! checks it against a small reference model after each step. A failing seed is reported with its last inputs, and
//! should be added to `fixtures/seeds.txt`.

#![expect(
    clippy::needless_pass_by_value,
    clippy::wildcard_enum_match_arm,
    reason = "completing an effect consumes it; the model looks at only a few kinds of events"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use fauxfax::dialect::canonical;
use fauxfax::dialect::rule;
use fauxfax::dialect::twilio::codes::code as code_of;
use fauxfax::engine::command::Command;
use fauxfax::engine::effect::{Effect, Intent};
use fauxfax::engine::event::{Event, EventKind};
use fauxfax::engine::input::{
    AddRule, CancelFax, Completion, CreateFax, DeleteFax, DocumentFault, DropRules, EffectResult, ReceiveFax, Reset,
    Restore, TakeSnapshot,
};
use fauxfax::engine::journal::EventFilter;
use fauxfax::engine::{Cursor, Engine, FaxFilter};
use fauxfax::model::fault::Fault;
use fauxfax::model::fax::Status;
use fauxfax::model::line::LineFault;
use fauxfax::model::media::UnreadableDocument;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::sid::FaxSid;
use fauxfax::model::time::Timestamp;
use fauxfax::model::webhook::ExchangeFailure;
use fauxfax::twiml;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::dice::Dice;
use crate::once::{Ever, Names, is_duplicate, token};
use crate::script::{FAR, OWN, START, call, document, order, record, simulated};
use crate::{replay, state};

/// The number of seeds that ordinary test runs try; set `FAUXFAX_SIM_SEEDS` to try more.
const SEEDS_DEFAULT: u64 = 2_000;
/// About one in this many worlds is exported before it settles, and imported into another engine.
const WRITTEN_DOWN_ONE_IN: usize = 4;
/// For about one in this many worlds, the log is replayed from its lines of text.
const LOG_WRITTEN_ONE_IN: usize = 8;
/// The number of random steps per seed.
const STEPS: u64 = 60;
/// The number of steps within which a world without faults must settle.
const REST_STEPS_MAX: usize = 20_000;
/// The number of characters in an idempotency token, a UUID.
const TOKEN_LEN: usize = 36;
/// The number of inputs reported for a failing seed.
const INPUTS_TOLD: usize = 12;

/// The possible status changes, stated independently of the code under test.
const EDGES: &[(Option<Status>, &[Status])] = &[
    (None, &[Status::Queued, Status::Receiving, Status::Canceled]),
    (Some(Status::Queued), &[Status::Processing, Status::Canceled]),
    (Some(Status::Processing), &[Status::Sending, Status::Failed, Status::Canceled]),
    (Some(Status::Sending), &[Status::Delivered, Status::Failed, Status::Busy, Status::NoAnswer]),
    (Some(Status::Receiving), &[Status::Received, Status::Failed]),
];

/// A fault planted between the engine and the model, to test that the model detects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    Nothing,
    /// The second notice of a fax is never sent.
    SkippedCallback,
    /// The third fax has the SID of the first.
    ReusedSid,
    /// The alarm of the second fax is lost.
    ForgottenAlarm,
}

/// The model's knowledge of a world's faxes. It is copied with each snapshot of the world.
#[derive(Debug, Clone, Default)]
struct Model {
    status: BTreeMap<FaxSid, Status>,
    deleted: BTreeSet<FaxSid>,
    /// Faxes with a StatusCallback.
    with_callback: BTreeSet<FaxSid>,
    /// For each fax, the statuses of which its app must be notified, and the number of notices sent so far.
    owed: BTreeMap<FaxSid, (Vec<Status>, usize)>,
    /// Faxes with a webhook that a rule has changed, so that their notices differ from the usual ones.
    touched: BTreeSet<FaxSid>,
    /// Requests under way, each with its fax and its token or URL.
    asked: Vec<(Option<FaxSid>, String)>,
    /// The names used in this history.
    names: Names,
}

struct Sim {
    dice: Dice,
    planted: Planted,
    engine: Engine,
    now: Timestamp,
    model: Model,
    snapshots: BTreeMap<&'static str, Model>,
    effects: Vec<Effect>,
    late: Vec<Effect>,
    seen: u64,
    created: Vec<FaxSid>,
    ever: Ever,
    hash: Sha256,
    inputs: VecDeque<String>,
}

impl Sim {
    fn new(seed: u64, planted: Planted) -> Self {
        let mut engine = Engine::new(simulated(seed), START);
        engine.record();
        Self {
            dice: Dice(seed),
            planted,
            engine,
            now: START,
            model: Model::default(),
            snapshots: BTreeMap::new(),
            effects: Vec::new(),
            late: Vec::new(),
            seen: 0,
            created: Vec::new(),
            ever: Ever::default(),
            hash: Sha256::new(),
            inputs: VecDeque::new(),
        }
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            self.step();
        }
        if self.created.len().is_multiple_of(WRITTEN_DOWN_ONE_IN) {
            state::survives(&self.engine, self.now);
        }
        self.rest();
    }

    fn step(&mut self) {
        match self.dice.roll(32) {
            0..=5 => self.send(),
            6..=8 => self.receive(),
            9..=17 => self.answer(),
            18..=22 => self.pass(),
            23 => self.cancel(),
            24 | 25 => self.delete(),
            26 => self.answer_late(),
            27 | 28 => self.add_rule(),
            29 => self.take_snapshot(),
            30 => self.restore(),
            _ => match self.dice.roll(4) {
                0 => self.reset(),
                1 => self.load(),
                _ => drop(self.control(DropRules)),
            },
        }
        self.observe();
        self.check();
    }

    fn send(&mut self) {
        let numbers = [
            FAR.digits(),
            OWN.digits(),
            15_005_550_101,
            15_005_550_102,
            15_005_550_103,
            15_005_550_104,
            15_005_550_107,
        ];
        let to = PhoneNumber::from_digits(*self.dice.pick(&numbers).expect("one of them"));
        let status_callback = (self.dice.roll(3) > 0).then(|| "http://app/s".into());
        let ttl_minutes = (self.dice.roll(4) == 0).then_some(3);
        let store_media = self.dice.roll(3) > 0;
        let is_told = status_callback.is_some();
        let fax = CreateFax { status_callback, ttl_minutes, store_media, ..order(to) };
        self.note(&format!("send {to} ttl {ttl_minutes:?}"));
        let reply = self.engine.handle(fax, self.now);
        let Ok(sid) = reply else { panic!("not accepted: {reply:?}") };
        if is_told {
            self.model.with_callback.insert(sid);
        } else {
            self.model.with_callback.remove(&sid);
        }
    }

    fn receive(&mut self) {
        let pages = u32::try_from(self.dice.roll(3)).unwrap_or(0) + 1;
        let line_fault =
            (self.dice.roll(5) == 0).then_some(LineFault { fault: Fault::Transmission, after_pages: 1, text: None });
        self.note(&format!("receive {pages} {line_fault:?}"));
        let fax = ReceiveFax { line_fault, ..call(pages) };
        let reply = self.engine.handle(fax, self.now);
        assert!(reply.is_ok(), "{reply:?}");
    }

    /// Completes a random effect. A `luck` of 0 loses it, 1 fails its request, 2 rejects a call, and the rest succeed.
    fn answer(&mut self) {
        if self.effects.is_empty() {
            return;
        }
        let at = usize::try_from(self.dice.roll(self.effects.len() as u64)).unwrap_or(0);
        let effect = self.effects.remove(at);
        let luck = self.dice.roll(8);
        self.give(effect, luck);
    }

    fn give(&mut self, effect: Effect, luck: u64) {
        self.note(&format!("answer {:?} of {:?} with luck {luck}", effect.intent.kind(), effect.fax));
        // A rule's duplicate of a request has the same token, so only one of the two entries is removed.
        let asked = (effect.fax, token(&effect.intent));
        if let Some(at) = self.model.asked.iter().position(|each| *each == asked) {
            self.model.asked.remove(at);
        }
        let mut record = Box::new(record(&effect.intent));
        let failure = (luck == 1).then_some(ExchangeFailure::ConnectionRefused);
        record.failure.clone_from(&failure);
        let cookies = Vec::new();
        let outcome = match (&*effect.intent, failure) {
            _ if luck == 0 => EffectResult::Lost,
            (Intent::FetchDocument { .. }, Some(failure)) => {
                EffectResult::Document { record, document: Err(DocumentFault::Fetch(failure)) }
            }
            (Intent::FetchDocument { .. }, None) => EffectResult::Document { record, document: Ok(document(2, 100)) },
            (Intent::AskForTwiml(_), failure) => {
                let body = if luck == 2 {
                    "<Response><Reject/></Response>"
                } else {
                    "<Response><Receive action=\"/d\"/></Response>"
                };
                let reading = failure.map_or_else(|| Ok(twiml::interpret(Some("text/xml"), body.as_bytes())), Err);
                EffectResult::Twiml { base_url: record.url.as_str().into(), record, cookies, reading }
            }
            (Intent::Render(_), Some(_)) => {
                EffectResult::Rendered(Err(UnreadableDocument { reason: "no pages".to_owned() }))
            }
            (Intent::Render(request), None) => EffectResult::Rendered(Ok(request.document.clone())),
            (Intent::Deliver(_) | Intent::NotifyOfMessage(_) | Intent::Report(_), _) => {
                EffectResult::Delivered { record, cookies }
            }
        };
        let answer = Completion { effect: effect.id, generation: effect.generation, outcome };
        self.engine.handle(answer, self.now).expect("a completion is never refused");
    }

    /// Completes an effect from before the last reset, restore or load; only the journal may change.
    fn answer_late(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let effect = self.late.remove(0);
        let (before, seq) = (self.model.clone(), self.engine.last_seq());
        let asked = std::mem::take(&mut self.model.asked);
        self.give(effect, 7);
        self.model.asked = asked;
        assert_eq!(self.engine.last_seq(), seq + 1, "a late completion is journaled and dropped");
        assert_eq!(before.asked, self.model.asked);
    }

    /// Lets time pass to the next deadline or beyond it, whatever is under way.
    fn pass(&mut self) {
        let next = self.engine.next_work().map_or(Duration::ZERO, |due| due.since(self.now));
        let span = next + Duration::from_millis([0, 0, 500, 40_000][usize::try_from(self.dice.roll(4)).unwrap_or(0)]);
        self.note(&format!("pass {span:?}"));
        self.now = self.now.after(span);
        self.engine.handle_timeout(self.now);
    }

    fn cancel(&mut self) {
        let Some((sid, status)) = self.pick_fax() else { return };
        let canceled = self.control(CancelFax(sid));
        let may = matches!(status, Status::Queued | Status::Processing);
        assert_eq!(canceled.is_ok(), may, "{sid} {status} {canceled:?}");
    }

    fn delete(&mut self) {
        let Some((sid, status)) = self.pick_fax() else { return };
        let deleted = self.control(DeleteFax(sid));
        assert_eq!(deleted.is_ok(), status.is_final(), "{sid} {status} {deleted:?}");
        if deleted.is_ok() {
            self.model.status.remove(&sid);
            self.model.deleted.insert(sid);
        }
    }

    fn pick_fax(&mut self) -> Option<(FaxSid, Status)> {
        let faxes: Vec<_> = self.model.status.iter().map(|(sid, status)| (*sid, *status)).collect();
        self.dice.pick(&faxes).copied()
    }

    fn add_rule(&mut self) {
        let rules = [
            json!({ "times": 1, "outcome": { "status": "busy" } }),
            json!({ "chance": 0.5, "outcome": { "status": "failed", "after_pages": 1 } }),
            json!({ "times": 2, "line": { "rate_bps": 2400 } }),
            json!({ "times": 1, "webhook": { "duplicate": true, "signature": "tampered" } }),
            json!({ "times": 2, "webhook": { "reorder": true, "params": { "order": "reversed" } } }),
            json!({ "times": 1, "webhook": { "drop": true } }),
            json!({ "chance": 0.3, "webhook": { "delay_ms": 45000, "headers": { "lower_case": true } } }),
        ];
        let rule = rule::parse(self.dice.pick(&rules).expect("one of them"), fauxfax::model::account::Dialect::Twilio)
            .expect("a rule");
        drop(self.control(AddRule(rule)));
    }

    fn take_snapshot(&mut self) {
        let name = *self.dice.pick(&["a", "b"]).expect("one of them");
        self.observe();
        // A call already has its SID before its app is asked, though nobody has seen the SID yet.
        for sid in self.engine.deadlines().filter_map(|(_, fax)| fax) {
            self.model.names.used(&sid.to_string(), &mut self.ever);
        }
        drop(self.control(TakeSnapshot(name.into())));
        self.snapshots.insert(name, self.model.clone());
    }

    fn restore(&mut self) {
        let names: Vec<&'static str> = self.snapshots.keys().copied().collect();
        let Some(name) = self.dice.pick(&names).copied() else { return };
        self.observe();
        assert!(self.control(Restore(name.into())).is_ok());
        self.late.append(&mut self.effects);
        self.model = self.snapshots[name].clone();
        let mut again: Vec<_> = std::iter::from_fn(|| self.engine.poll_effect()).collect();
        let mut tokens: Vec<_> = again.iter().map(|effect| (effect.fax, token(&effect.intent))).collect();
        let mut expected = self.model.asked.clone();
        tokens.sort();
        expected.sort();
        assert_eq!(tokens, expected, "what was under way is issued again, with the same tokens");
        self.effects.append(&mut again);
        self.seen = self.engine.last_seq();
    }

    fn reset(&mut self) {
        self.observe();
        let Ok(canceled) = self.control(Reset { seed: None }) else { panic!("not reset") };
        assert_eq!(canceled.count.faxes, self.model.status.len());
        self.late.append(&mut self.effects);
        self.model = Model::default();
        self.seen = self.engine.last_seq();
        assert!(self.engine.is_idle() && self.engine.fax_count() == 0);
    }

    /// Replaces the world with its own export.
    fn load(&mut self) {
        self.observe();
        self.note("load");
        state::reload(&mut self.engine, self.now);
        self.late.append(&mut self.effects);
        let again: Vec<_> = std::iter::from_fn(|| self.engine.poll_effect()).collect();
        let asked: Vec<_> = again.iter().map(|effect| (effect.fax, token(&effect.intent))).collect();
        assert!(asked.iter().all(|each| self.model.asked.contains(each)), "only requests under way are issued");
        self.model.asked = asked;
        self.effects = again;
        self.seen = self.engine.last_seq();
    }

    fn control<C: Command>(&mut self, control: C) -> C::Done {
        self.note(&format!("{control:?}"));
        self.engine.handle(control, self.now)
    }

    /// Stops all faults, and checks that every fax ends and that every due notification is sent.
    fn rest(&mut self) {
        for _ in 0..REST_STEPS_MAX {
            self.observe();
            self.check();
            if !self.effects.is_empty() {
                let effect = self.effects.remove(0);
                self.give(effect, 7);
            } else if let Some(due) = self.engine.next_work() {
                self.now = self.now.max(due);
                self.engine.handle_timeout(self.now);
            } else {
                break;
            }
        }
        self.observe();
        assert!(self.engine.is_idle() && self.engine.pending_count() == 0, "the world settles");
        for (sid, status) in &self.model.status {
            assert!(status.is_final(), "{sid} stays {status}");
        }
        for (sid, (owed, told)) in &self.model.owed {
            assert!(self.model.touched.contains(sid) || *told == owed.len(), "{sid}: only {told} notices of {owed:?}");
        }
        self.check_list();
        replay::assert_reproduces(&mut self.engine, self.created.len().is_multiple_of(LOG_WRITTEN_ONE_IN));
    }

    /// Updates the model with what the engine has journaled and issued since the last call.
    fn observe(&mut self) {
        let filter = EventFilter { since: self.seen, ..EventFilter::default() };
        for event in self.engine.events(&filter, usize::MAX) {
            assert_eq!(event.seq, self.seen + 1, "seq grows by one");
            self.seen = event.seq;
            self.hash.update(format!("{:?} {:?} {}", event.at, event.fax, shown(&event)));
            self.take_in(&event);
        }
        while let Some(effect) = self.engine.poll_effect() {
            self.issued(effect);
        }
    }

    fn take_in(&mut self, event: &Event) {
        let Some(mut sid) = event.fax else { return };
        match &event.kind {
            EventKind::FaxStatus { old, new, .. } => {
                if old.is_none() {
                    self.created.push(sid);
                }
                if self.planted == Planted::ReusedSid && self.created.len() == 3 && old.is_none() {
                    sid = self.created[0];
                }
                let known = self.model.status.get(&sid).copied();
                assert_eq!(*old, known, "{sid} was {known:?}: no SID is reused and no status skipped");
                assert!(!self.model.deleted.contains(&sid), "{sid} has been deleted");
                self.model.names.used(&sid.to_string(), &mut self.ever);
                let next = EDGES.iter().find(|(from, _)| from == old).map_or(&[][..], |(_, next)| next);
                assert!(next.contains(new), "{sid}: no edge leads from {old:?} to {new}");
                self.model.status.insert(sid, *new);
                let is_outbound =
                    !matches!(new, Status::Receiving | Status::Received) && self.model.with_callback.contains(&sid);
                if is_outbound {
                    self.model.owed.entry(sid).or_default().0.push(*new);
                }
            }
            EventKind::RuleFired { rule, .. } if rule.effect.kind().as_str() == "webhook" => {
                self.model.touched.insert(sid);
            }
            _ => {}
        }
    }

    fn issued(&mut self, effect: Effect) {
        if let Intent::Deliver(notice) = &*effect.intent
            && let Some(fax) = effect.fax
            && let Some((owed, told)) = self.model.owed.get_mut(&fax)
            && !(self.model.touched.contains(&fax) || is_duplicate(notice))
        {
            let is_retry = notice.attempt.number > 1;
            if self.planted == Planted::SkippedCallback && *told == 1 && !is_retry {
                let answer =
                    Completion { effect: effect.id, generation: effect.generation, outcome: EffectResult::Lost };
                self.engine.handle(answer, self.now).expect("a completion is never refused");
                return;
            }
            let place = if is_retry { told.checked_sub(1) } else { Some(*told) };
            let expected = place.and_then(|place| owed.get(place));
            assert_eq!(expected, Some(&notice.status), "{fax}: callbacks come in order without gaps");
            *told += usize::from(!is_retry);
        }
        let token = token(&effect.intent);
        // A ringing call has the SID of the fax that it may become.
        effect.fax.iter().for_each(|fax| self.model.names.used(&fax.to_string(), &mut self.ever));
        // Fetches and renderings have no token.
        if token.len() == TOKEN_LEN {
            self.model.names.used(&token, &mut self.ever);
        }
        self.model.asked.push((effect.fax, token));
        self.effects.push(effect);
    }

    fn check(&mut self) {
        for (sid, status) in &self.model.status {
            let fax = self.engine.fax(*sid).unwrap_or_else(|refusal| panic!("{refusal}, but it is {status}"));
            assert_eq!(fax.status(), *status);
            if let Some(media) = &fax.media {
                self.model.names.used(&media.sid.to_string(), &mut self.ever);
            }
        }
        for sid in &self.model.deleted {
            assert!(self.engine.fax(*sid).is_err(), "{sid} stays deleted");
        }
        crate::arriving::check(&mut self.engine, &self.effects, self.now);
        let mut due: BTreeSet<FaxSid> = self.engine.deadlines().filter_map(|(_, fax)| fax).collect();
        if self.planted == Planted::ForgottenAlarm
            && let Some(victim) = self.created.get(1)
        {
            due.remove(victim);
        }
        let own = fauxfax::model::phone::Party::Number(OWN);
        for (sid, status) in self.model.status.iter().filter(|(_, status)| !status.is_final()) {
            let is_asked = self.effects.iter().any(|effect| effect.fax == Some(*sid));
            let fax = self.engine.fax(*sid).expect("the fax exists");
            // If a fax is sent to the world's own number, one end has nothing to do while it waits for the other.
            let is_loop = fax.to == own;
            assert!(is_asked || is_loop || due.contains(sid), "{sid} is {status}, and nothing will end it");
        }
        if self.dice.roll(8) == 0 {
            self.check_list();
        }
    }

    /// Checks that the pages of the list contain each fax exactly once, the newest first.
    fn check_list(&self) {
        let (mut listed, mut cursor) = (Vec::new(), Cursor::Skip(0));
        loop {
            let page = self.engine.faxes(&FaxFilter::default(), cursor, 3);
            listed.extend(page.items.iter().map(|fax| (fax.ordinal, fax.sid)));
            match page.items.last() {
                Some(last) if page.has_next => cursor = Cursor::Before(last.ordinal),
                _ => break,
            }
        }
        assert!(listed.windows(2).all(|pair| pair[0].0 > pair[1].0), "newest first, none twice");
        let listed: BTreeSet<FaxSid> = listed.into_iter().map(|(_, sid)| sid).collect();
        assert_eq!(listed, self.model.status.keys().copied().collect());
    }

    fn note(&mut self, input: &str) {
        self.inputs.push_back(input.to_owned());
        if self.inputs.len() > INPUTS_TOLD {
            self.inputs.pop_front();
        }
    }
}

fn shown(event: &Event) -> String {
    match &event.kind {
        EventKind::FaxStatus { old, new, failure } => {
            let error = failure.as_ref().map(|failure| (code_of(failure.fault), failure.text()));
            format!("{old:?} {new} {error:?}")
        }
        EventKind::FaxPage { page, pages, .. } => format!("{page}/{pages}"),
        EventKind::RuleFired { id, .. } => format!("rule {id}"),
        kind => kind.as_str().to_owned(),
    }
}

/// Runs a seed. Returns the plain and canonical hashes of its journal, or the reason for its failure.
fn run(seed: u64, planted: Planted) -> Result<([u8; 32], String), String> {
    let mut sim = Sim::new(seed, planted);
    let ended = catch_unwind(AssertUnwindSafe(|| sim.run()));
    let Err(panic) = ended else {
        let events = sim.engine.events(&EventFilter::default(), usize::MAX);
        return Ok((sim.hash.finalize().into(), canonical::hash(&canonical::projection(&events))));
    };
    let reason = panic.downcast_ref::<String>().cloned();
    let reason = reason.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
    let mut told = format!("seed {seed}: {reason}\n");
    for input in &sim.inputs {
        let _ = writeln!(told, "    {input}");
    }
    Err(told)
}

fn seeds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the environment gives the number of seeds")]
    let said = std::env::var("FAUXFAX_SIM_SEEDS").ok();
    said.map_or(SEEDS_DEFAULT, |said| said.parse().expect("FAUXFAX_SIM_SEEDS is a number"))
}

fn kept_seeds() -> Vec<u64> {
    let text = include_str!("../../fixtures/seeds.txt");
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(|line| line.parse().expect("a seed")).collect()
}

#[test]
fn the_model_always_holds_and_a_seed_is_reproducible() {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let all: Vec<u64> = kept_seeds().into_iter().chain(0..seeds()).collect();
    let failed: Vec<String> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..workers)
            .map(|worker| {
                let own: Vec<u64> = all
                    .iter()
                    .copied()
                    .skip(usize::try_from(worker).unwrap_or(0))
                    .step_by(usize::try_from(workers).unwrap_or(1))
                    .collect();
                scope.spawn(move || {
                    let judge = |seed: u64| match (run(seed, Planted::Nothing), run(seed, Planted::Nothing)) {
                        (Ok(first), Ok(second)) if first == second => None,
                        (Ok(_), Ok(_)) => Some(format!("seed {seed}: two runs differ in their journals")),
                        (Err(why), _) | (_, Err(why)) => Some(why),
                    };
                    own.into_iter().filter_map(judge).take(3).collect::<Vec<_>>()
                })
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("no panic outside a seed")).collect()
    });
    assert!(failed.is_empty(), "add these seeds to fixtures/seeds.txt:\n{}", failed.join("\n"));
}

#[test]
fn planted_faults_are_detected_within_a_few_seeds() {
    for planted in [Planted::SkippedCallback, Planted::ReusedSid, Planted::ForgottenAlarm] {
        let caught = (0..20).find_map(|seed| run(seed, planted).err());
        let caught = caught.unwrap_or_else(|| panic!("{planted:?} goes unnoticed"));
        println!("{planted:?}: {}", caught.lines().next().unwrap_or_default());
    }
}
