//! A harness for engine scripts: tests in which a world has neither a clock nor a network, and each line sends a
//! command, completes an effect or lets time pass.

use std::sync::Arc;
use std::time::Duration;

use fauxfax::dialect::twilio::codes::code as code_of;
use fauxfax::engine::command::Command;
use fauxfax::engine::effect::{Effect, Intent};
use fauxfax::engine::event::{Event, EventKind};
use fauxfax::engine::export::LoadState;
use fauxfax::engine::export::State;
use fauxfax::engine::input::{Completion, CreateFax, DocumentFault, EffectResult, ReceiveFax};
use fauxfax::engine::journal::EventFilter;
use fauxfax::engine::{Engine, WorldSpec};
use fauxfax::model::fault::Fault;
use fauxfax::model::fax::Status;
use fauxfax::model::line::LineFault;
use fauxfax::model::media::Document;
use fauxfax::model::sid::FaxSid;
use fauxfax::model::time::Timestamp;
use fauxfax::model::webhook::{Cookie, ExchangeFailure, ExchangeRecord};
use fauxfax::twiml;

pub(crate) use crate::spec::{FAR, OWN, START, call, document, order, record, spec};

/// A world under test.
pub(crate) struct Script {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    /// Issued effects that are not completed yet, in order.
    effects: Vec<Effect>,
    /// Effects of an earlier generation that are not completed yet.
    late: Vec<Effect>,
}

/// Returns the specification of the world that is simulated with this seed: one in four is in pedantic mode.
pub(crate) fn simulated(seed: u64) -> WorldSpec {
    let mut spec = spec();
    spec.options.is_pedantic = seed % 4 == 1;
    spec
}

/// Returns the specification of a world with the same options as another one.
pub(crate) fn spec_like(engine: &Engine) -> WorldSpec {
    WorldSpec { options: *engine.options(), ..spec() }
}

/// Returns a renderable document with this many pages.
pub(crate) fn letter(pages: u32) -> Document {
    Document::unrendered(pages, fauxfax::document::sample::test_pages(pages).into())
}

impl Script {
    pub(crate) fn new(spec: WorldSpec) -> Self {
        Self { engine: Engine::new(spec, START), now: START, effects: Vec::new(), late: Vec::new() }
    }

    pub(crate) fn default() -> Self {
        Self::new(spec())
    }

    /// Handles a command, and takes the effects that it causes.
    pub(crate) fn command<C: Command>(&mut self, command: C) -> C::Done {
        let reply = self.engine.handle(command, self.now);
        self.take_effects();
        reply
    }

    /// Handles a command that may begin a new generation. The effects of the old one are kept for `answer_late`.
    pub(crate) fn control<C: Command>(&mut self, control: C) -> C::Done {
        let generation = self.engine.generation();
        let reply = self.engine.handle(control, self.now);
        if self.engine.generation() != generation {
            self.late.append(&mut self.effects);
        }
        self.take_effects();
        reply
    }

    /// Replaces the world's state.
    pub(crate) fn load(&mut self, state: State) {
        self.engine.handle(LoadState(state), self.now);
        self.late.append(&mut self.effects);
        self.take_effects();
    }

    /// Completes the effects that were under way at a reset, restore or load; a fetch gets a document.
    pub(crate) fn answer_late(&mut self) {
        for effect in std::mem::take(&mut self.late) {
            let record = Box::new(record(&effect.intent));
            let outcome = match &*effect.intent {
                Intent::FetchDocument { .. } => EffectResult::Document { record, document: Ok(document(1, 100)) },
                Intent::Render(_)
                | Intent::AskForTwiml(_)
                | Intent::Deliver(_)
                | Intent::NotifyOfMessage(_)
                | Intent::Report(_) => EffectResult::Delivered { record, cookies: Vec::new() },
            };
            let answer = Completion { effect: effect.id, generation: effect.generation, outcome };
            self.engine.handle(answer, self.now).expect("a completion is never refused");
            self.take_effects();
        }
    }

    /// Creates a fax and lets it leave the queue.
    pub(crate) fn send(&mut self, order: CreateFax) -> FaxSid {
        let Ok(sid) = self.command(order) else { panic!("refused") };
        self.forward(Duration::ZERO);
        sid
    }

    /// Makes a fax machine call, and returns the SID of the fax.
    pub(crate) fn receive(&mut self, call: ReceiveFax) -> FaxSid {
        let reply = self.engine.handle(call, self.now);
        self.take_effects();
        self.forward(Duration::ZERO);
        match reply {
            Ok(ringing) => ringing.sid,
            other => panic!("not ringing: {other:?}"),
        }
    }

    /// Lets time pass, handling each deadline at its own moment.
    pub(crate) fn forward(&mut self, span: Duration) {
        let to = self.now.after(span);
        while let Some(due) = self.engine.poll_timeout().filter(|due| *due <= to) {
            // A deadline may already be overdue, but time never goes back.
            self.now = due.max(self.now);
            self.engine.handle_timeout(self.now);
            self.take_effects();
        }
        self.now = to;
    }

    /// Lets time pass until the next deadline of work, if there is one.
    pub(crate) fn forward_to_next(&mut self) {
        if let Some(due) = self.engine.next_work() {
            self.forward(due.since(self.now));
        }
    }

    /// Returns whether an effect is under way.
    pub(crate) fn is_asked(&self) -> bool {
        !self.effects.is_empty()
    }

    /// Checks that the next deadline is this many milliseconds from now.
    pub(crate) fn expect_deadline(&self, wait_ms: u64) {
        let wait = self.engine.next_work().map(|due| due.since(self.now));
        assert_eq!(wait, Some(Duration::from_millis(wait_ms)));
    }

    /// Checks that exactly these effects are under way.
    pub(crate) fn expect_effects(&self, expected: &[&str]) {
        let names: Vec<String> = self.effects.iter().map(|effect| name(&effect.intent)).collect();
        assert_eq!(names, expected);
    }

    /// Checks that this is the oldest effect under way.
    pub(crate) fn expect_effects_begin_with(&self, expected: &str) {
        assert_eq!(name(&self.first_effect().intent), expected);
    }

    /// Returns the oldest effect under way.
    pub(crate) fn first_effect(&self) -> &Effect {
        self.effects.first().expect("an effect is under way")
    }

    /// Completes the fetch, which must be the oldest effect, with a document of this many pages.
    pub(crate) fn answer_document(&mut self, pages: u32) {
        self.answer_with(|record| EffectResult::Document { record, document: Ok(document(pages, 100)) });
    }

    /// Fails all fetches under way, in reverse order if `swapped`.
    pub(crate) fn answer_all_documents_with_failure(&mut self, swapped: bool) {
        let is_fetch = |effect: &Effect| matches!(*effect.intent, Intent::FetchDocument { .. });
        let (mut fetches, others) = std::mem::take(&mut self.effects).into_iter().partition::<Vec<_>, _>(is_fetch);
        if swapped {
            fetches.reverse();
        }
        self.effects = others;
        for fetch in fetches {
            // `answer_no_document` completes the oldest effect.
            self.effects.insert(0, fetch);
            self.answer_no_document(DocumentFault::Fetch(ExchangeFailure::ConnectionRefused));
        }
    }

    /// Fails the oldest effect, the fetch of a document.
    pub(crate) fn answer_no_document(&mut self, fault: DocumentFault) {
        self.answer_with(|record| EffectResult::Document { record, document: Err(fault) });
    }

    /// Completes the oldest effect, a request for TwiML, with this TwiML and these cookies.
    pub(crate) fn answer_twiml(&mut self, body: &str, cookies: &[&str]) {
        let cookies: Vec<Cookie> =
            cookies.iter().map(|pair| Cookie { host: "app".into(), pair: (*pair).into() }).collect();
        let reading = Ok(twiml::interpret(Some("text/xml"), body.as_bytes()));
        self.answer_with(|record| {
            let base_url = record.url.as_str().into();
            EffectResult::Twiml { record, cookies, base_url, reading }
        });
    }

    /// Fails the oldest effect, a request for TwiML.
    pub(crate) fn answer_no_twiml(&mut self, failure: ExchangeFailure) {
        self.answer_with(|mut record| {
            record.failure = Some(failure.clone());
            let base_url = record.url.as_str().into();
            EffectResult::Twiml { record, cookies: Vec::new(), base_url, reading: Err(failure) }
        });
    }

    /// Completes the oldest effect, a notification of the app.
    pub(crate) fn answer_ok(&mut self) {
        self.answer_with(|record| EffectResult::Delivered { record, cookies: Vec::new() });
    }

    /// Takes all effects under way, for the test to complete in its own order.
    pub(crate) fn take_asked(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Puts a taken effect back, in front of all others.
    pub(crate) fn put_back(&mut self, effect: Effect) {
        self.effects.insert(0, effect);
    }

    /// Completes this notification of the app.
    pub(crate) fn answer_ok_to(&mut self, effect: Effect) {
        self.put_back(effect);
        self.answer_ok();
    }

    /// Fails the oldest effect, a notification of the app.
    pub(crate) fn answer_failure(&mut self, failure: ExchangeFailure) {
        self.answer_with(|mut record| {
            record.failure = Some(failure);
            EffectResult::Delivered { record, cookies: Vec::new() }
        });
    }

    /// Completes the oldest effect as lost through a fault in the emulator.
    pub(crate) fn answer_lost(&mut self) {
        self.answer_with(|_| EffectResult::Lost);
    }

    pub(crate) fn status(&self, sid: FaxSid) -> Status {
        self.engine.fax(sid).expect("the fax exists").status()
    }

    /// Lists the statuses that a fax has had.
    pub(crate) fn statuses(&self, sid: FaxSid) -> Vec<Status> {
        self.events(Some(sid)).iter().filter_map(|event| event.kind.entered()).collect()
    }

    /// Lists the alert codes so far.
    pub(crate) fn alerts(&self) -> Vec<u32> {
        let code = |event: &Arc<Event>| {
            if let EventKind::Alert(alert) = &event.kind { Some(code_of(alert.fault)) } else { None }
        };
        self.events(None).iter().filter_map(code).collect()
    }

    /// Lists the texts of the alerts so far.
    pub(crate) fn alert_texts(&self) -> Vec<String> {
        let text = |event: &Arc<Event>| {
            if let EventKind::Alert(alert) = &event.kind { Some(alert.message.to_string()) } else { None }
        };
        self.events(None).iter().filter_map(text).collect()
    }

    /// Lists the events of this fax, or all events.
    pub(crate) fn events(&self, fax: Option<FaxSid>) -> Vec<Arc<Event>> {
        self.engine.events(&EventFilter { fax, ..EventFilter::default() }, usize::MAX)
    }

    /// Completes the oldest effect with this result, which must fit the effect.
    fn answer_with(&mut self, outcome: impl FnOnce(Box<ExchangeRecord>) -> EffectResult) {
        let effect = self.effects.remove(0);
        let record = Box::new(record(&effect.intent));
        let answer = Completion { effect: effect.id, generation: effect.generation, outcome: outcome(record) };
        self.engine.handle(answer, self.now).expect("a completion is never refused");
        self.take_effects();
    }

    /// Takes the effects from the engine. A render is completed at once with its document, so scripts never see it.
    fn take_effects(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            let Intent::Render(request) = &*effect.intent else {
                self.effects.push(effect);
                continue;
            };
            let document = Document { media_type: request.reception.media_type, ..request.document.clone() };
            let outcome = EffectResult::Rendered(Ok(document));
            let answer = Completion { effect: effect.id, generation: effect.generation, outcome };
            self.engine.handle(answer, self.now).expect("a completion is never refused");
        }
    }
}

/// Returns a line fault that breaks off the transmission with this fault after this many pages.
pub(crate) const fn broken(fault: Fault, after_pages: u32) -> LineFault {
    LineFault { fault, after_pages, text: None }
}

/// Returns the short form of an effect that `expect_effects` compares, such as `tell action received http://app/done`.
fn name(intent: &Intent) -> String {
    match intent {
        Intent::FetchDocument { url, .. } => format!("fetch {url}"),
        Intent::Render(request) => format!("render {:?}", request.document),
        Intent::AskForTwiml(request) => format!("ask {} {}", request.purpose.as_str(), request.url),
        Intent::Deliver(notice) => format!("tell {} {} {}", notice.purpose.as_str(), notice.status, notice.url),
        Intent::NotifyOfMessage(notice) => format!("tell message {} {}", notice.status, notice.url),
        Intent::Report(report) => format!("tell debugger {}", report.url),
    }
}
