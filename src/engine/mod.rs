//! The fax service as a pure state machine: inputs and the time go in; replies, effects and the next deadline come out.
//! Nothing here reads a clock, a socket, a file or the environment.
//!
//! ```text
//!            handle(input, now) ──► Reply or Refusal
//!   shell ─► handle_timeout(now)          poll_effect() ──► Effect ──► performed by the shell ──► Answer ─┐
//!        ▲                                poll_timeout() ─► the next deadline                             │
//!        └────────────────────────────────── handle(Input::Answer) ◄──────────────────────────────────────┘
//! ```
//!
//! The phases of a fax are drawn in `phase.rs`.

mod accounts;
pub mod agenda;
pub mod alerts;
mod applications;
mod arriving;
mod caller_ids;
pub mod canonical;
mod conversation;
mod delivery;
pub mod door;
pub mod effect;
mod founding;
mod inbound;
pub mod input;
pub mod journal;
mod line;
mod numbers;
mod outbound;
pub mod phase;
mod prospect;
pub mod random;
mod register;
mod retention;
mod retry;
pub mod rule;
mod rulebook;
mod snapshot;
pub mod state;
mod tables;
pub mod tally;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::arriving::Arriving;
pub use self::conversation::Conversation;
pub use self::founding::{Founding, Rules};
pub use self::prospect::{Prospect, Unreachable};
pub use self::rulebook::{HeldRule, RULES_MAX};
pub use self::snapshot::{Discarded, SNAPSHOT_NAME_CHARS_MAX, SNAPSHOTS_MAX, SnapshotView};
pub use self::tables::{Cursor, Fax, FaxFilter, Page};

use self::accounts::Keys;
use self::agenda::{Agenda, Alarm, AlarmKind, Ordinal};
use self::alerts::Alerts;
use self::applications::Applications;
use self::caller_ids::CallerIds;
use self::delivery::Outgoing;
use self::effect::{Effect, EffectId, Generation, Intent, IntentKind};
use self::input::{Answer, AnswerOutcome, Command, Control, Input, Reply};
use self::journal::{AlertLevel, Event, EventFilter, EventKind, Journal};
use self::numbers::Numbers;
use self::phase::{Ended, Phase, Processing, is_edge};
use self::random::{Ids, WorldSeed};
use self::retention::Retention;
use self::rulebook::RuleBook;
use self::snapshot::Memory;
use self::tables::{Leg, Tables};
use self::tally::Tally;
use crate::model::account::Account;
use crate::model::fax::Status;
use crate::model::number::IncomingNumber;
use crate::model::phone::PhoneNumber;
use crate::model::refusal::Refusal;
use crate::model::sid::{FaxSid, MediaSid, NumberSid};
use crate::model::time::Timestamp;

/// Alarms handled in one call, so that the world's lock is never held long; the rest are due at once.
const ALARMS_A_CALL_MAX: usize = 1_000;
/// Alarms handled while others wait for the lock: about as long as a call holds it, so that they need not sleep.
const ALARMS_A_TURN_MAX: usize = 4;
/// `Internal failure`.
const CODE_INTERNAL: u32 = 12400;
/// Faxes and calls that may be pending in one world.
pub const PENDING_FAXES_MAX: usize = 100_000;

/// An effect that has been issued and not answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnderWay {
    fax: FaxSid,
    intent: Arc<Intent>,
    /// The same is asked by another effect, whose answer counts; that of this one is journaled only.
    is_echo: bool,
}

/// The fax service of one account.
#[derive(Debug)]
pub struct Engine {
    founding: Arc<Founding>,
    account: Account,
    ids: Ids,
    keys: Keys,
    tables: Tables,
    numbers: Numbers,
    caller_ids: CallerIds,
    applications: Applications,
    agenda: Agenda,
    retention: Retention,
    outgoing: BTreeMap<FaxSid, Outgoing>,
    /// Faxes and calls whose webhook is about to be tried again.
    retrying: BTreeMap<Ordinal, FaxSid>,
    alerts: Alerts,
    book: RuleBook,
    api_calls: u64,
    journal: Journal,
    effects: VecDeque<Effect>,
    under_way: BTreeMap<EffectId, UnderWay>,
    snapshots: BTreeMap<Box<str>, Arc<Memory>>,
    generation: Generation,
    next_effect: u64,
    next_ordinal: Ordinal,
    next_order: u64,
    not_answered: VecDeque<FaxSid>,
    latest: Timestamp,
    discarded: Option<Discarded>,
}

impl Engine {
    /// A world as founded.
    #[must_use]
    pub fn new(founding: Founding, now: Timestamp) -> Self {
        let founding = Arc::new(founding);
        let mut engine = Self {
            account: founding.account.clone(),
            ids: Ids::new(founding.seed, founding.epoch),
            keys: Keys::default(),
            tables: Tables::default(),
            numbers: Numbers::default(),
            caller_ids: CallerIds::default(),
            applications: Applications::default(),
            agenda: Agenda::default(),
            retention: Retention::default(),
            outgoing: BTreeMap::new(),
            retrying: BTreeMap::new(),
            alerts: Alerts::default(),
            book: RuleBook::of(&founding.behaviour),
            api_calls: 0,
            journal: Journal::default(),
            effects: VecDeque::new(),
            under_way: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            generation: Generation::default(),
            next_effect: 1,
            next_ordinal: 1,
            next_order: 1,
            not_answered: VecDeque::new(),
            latest: now,
            discarded: None,
            founding,
        };
        engine.found_numbers(now);
        engine
    }

    /// Takes one input.
    ///
    /// # Errors
    /// A command or control that can't be taken; nothing has changed then.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Result<Reply, Refusal> {
        let now = self.tick(now);
        match input {
            Input::Command(command) => self.command(command, now),
            Input::Control(Control::ReceiveFax(fax)) => self.receive_fax(*fax, now),
            Input::Control(Control::ChangeAccount(change)) => self.change_account(&change, now),
            Input::Control(Control::Reset { seed }) => Ok(Reply::Reset(self.reset(seed, now))),
            Input::Control(Control::AddRule(rule)) => self.add_rule(*rule),
            Input::Control(Control::DropRule(id)) => self.drop_rule(id),
            Input::Control(Control::DropRules) => Ok(self.drop_rules()),
            Input::Control(Control::ApiCalled { method, path }) => Ok(self.api_called(&method, &path, now)),
            Input::Control(Control::TakeSnapshot(name)) => self.take_snapshot(name),
            Input::Control(Control::Restore(name)) => self.restore_snapshot(&name, now),
            Input::Control(Control::DropSnapshot(name)) => self.drop_snapshot(&name),
            Input::Answer(answer) => {
                self.answer(answer, now);
                Ok(Reply::Done)
            }
        }
    }

    /// Handles the alarms that are due, in order; `poll_timeout` tells whether more are.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.handle_alarms(now, ALARMS_A_CALL_MAX);
    }

    /// As `handle_timeout`, a few alarms only; answers whether more are due.
    pub fn handle_few(&mut self, now: Timestamp) -> bool {
        self.handle_alarms(now, ALARMS_A_TURN_MAX);
        self.poll_timeout().is_some_and(|due| due <= now)
    }

    fn handle_alarms(&mut self, now: Timestamp, limit: usize) {
        let now = self.tick(now);
        for _ in 0..limit {
            let Some(alarm) = self.agenda.pop_due(now) else { break };
            let at = alarm.at;
            self.alarm(alarm, at);
        }
        self.retire(now);
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When `handle_timeout` is next needed: the first deadline of work or of housekeeping.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let retirement = self.next_retirement();
        self.agenda.next().into_iter().chain(retirement).min()
    }

    /// The first deadline of work; housekeeping left out.
    #[must_use]
    pub fn next_work(&self) -> Option<Timestamp> {
        self.agenda.next()
    }

    /// The work that is due, in order, with the fax or call it belongs to.
    pub fn deadlines(&self) -> impl Iterator<Item = (&Alarm, Option<FaxSid>)> {
        self.agenda.iter().map(|alarm| {
            let fax = self.tables.fax(alarm.ordinal).map(|fax| fax.sid);
            (alarm, fax.or_else(|| self.tables.call(alarm.ordinal).map(|call| call.sid)))
        })
    }

    /// Whether nothing is under way and nothing waits to be done.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.under_way.is_empty() && self.effects.is_empty()
    }

    /// Whether the world is settled and no work is due, ever.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.is_settled() && self.agenda.len() == 0
    }

    /// The account.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// How the world behaves.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.founding.rules
    }

    /// The seed of the inventory of numbers for sale.
    #[must_use]
    pub fn inventory_seed(&self) -> u64 {
        self.founding.inventory_seed
    }

    /// The seed of this world's draws, the same before and after a reset.
    #[must_use]
    pub const fn seed(&self) -> &WorldSeed {
        self.ids.world()
    }

    /// How often this world has gone back to an earlier state of itself.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.ids.epoch()
    }

    /// The generation that effects are issued in.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// The last time the engine has been told.
    #[must_use]
    pub const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// A fax.
    ///
    /// # Errors
    /// `NoFax`.
    pub fn fax(&self, sid: FaxSid) -> Result<&Fax, Refusal> {
        self.tables.ordinal(sid).and_then(|ordinal| self.tables.fax(ordinal)).ok_or(Refusal::NoFax(sid))
    }

    /// One page of the faxes, newest first.
    #[must_use]
    pub fn faxes(&self, filter: &FaxFilter, cursor: Cursor, limit: usize) -> Page<'_, Fax> {
        self.tables.list(filter, cursor, limit)
    }

    /// The fax and its media.
    ///
    /// # Errors
    /// `NoFax`, `NoMedia`.
    pub fn media(&self, fax: FaxSid, media: MediaSid) -> Result<&Fax, Refusal> {
        let fax = self.fax(fax)?;
        tables::media_of(fax, media).map(|_| fax).ok_or(Refusal::NoMedia(media))
    }

    /// A number.
    ///
    /// # Errors
    /// `NoNumber`.
    pub fn number(&self, sid: NumberSid) -> Result<&IncomingNumber, Refusal> {
        self.numbers.get(sid).ok_or(Refusal::NoNumber(sid))
    }

    /// The numbers, newest first.
    pub fn numbers(&self) -> impl Iterator<Item = &IncomingNumber> {
        self.numbers.newest_first()
    }

    /// The number with these digits, if the account owns it.
    #[must_use]
    pub fn owned_number(&self, number: PhoneNumber) -> Option<&IncomingNumber> {
        self.numbers.by_number(number)
    }

    /// The first `limit` events that fit, oldest first.
    #[must_use]
    pub fn events(&self, filter: &EventFilter, limit: usize) -> Vec<Arc<Event>> {
        self.journal.read(filter, limit)
    }

    /// The place of the newest event.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.journal.last_seq()
    }

    /// The place in the journal just before the world last went back; 0 where it never has.
    #[must_use]
    pub const fn last_reset(&self) -> u64 {
        self.journal.last_reset()
    }

    /// How many events have been dropped.
    #[must_use]
    pub const fn events_evicted(&self) -> u64 {
        self.journal.evicted()
    }

    /// What has happened since the founding.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        self.journal.tally()
    }

    /// How many deadlines of work are set.
    #[must_use]
    pub fn deadline_count(&self) -> usize {
        self.agenda.len()
    }

    /// How many requests to apps are under way.
    #[must_use]
    pub fn under_way_count(&self) -> usize {
        self.under_way.len()
    }

    /// How many callbacks wait for the one before them.
    #[must_use]
    pub fn waiting_count(&self) -> usize {
        self.outgoing.values().map(Outgoing::waiting).sum()
    }

    /// How many media went to keep within the budget.
    #[must_use]
    pub const fn media_evicted(&self) -> u64 {
        self.retention.evicted()
    }

    /// Bytes of media kept.
    #[must_use]
    pub const fn media_bytes(&self) -> u64 {
        self.retention.bytes()
    }

    /// How many faxes there are.
    #[must_use]
    pub fn fax_count(&self) -> usize {
        self.tables.fax_count()
    }

    /// How many faxes and calls have not ended.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.tables.pending_count()
    }

    /// Writes something into the journal that the shell saw happen.
    pub fn note(&mut self, fax: Option<FaxSid>, kind: EventKind, now: Timestamp) {
        let now = self.tick(now);
        self.journal.write(now, fax, kind);
    }

    fn command(&mut self, command: Command, now: Timestamp) -> Result<Reply, Refusal> {
        match command {
            Command::CreateFax(order) => self.create_fax(*order, now),
            Command::CancelFax(sid) => self.cancel_fax(sid, now),
            Command::DeleteFax(sid) => self.delete_fax(sid),
            Command::DeleteMedia(fax, media) => self.delete_media(fax, media, now),
            Command::BuyNumber(order) => self.buy_number(&order, now).map(Reply::Number),
            Command::UpdateNumber(sid, change) => self.update_number(sid, &change, now).map(Reply::Number),
            Command::ReleaseNumber(sid) => {
                self.numbers.remove(sid).ok_or(Refusal::NoNumber(sid))?;
                Ok(Reply::Done)
            }
            Command::Account(change) => self.update_account(&change, now),
            Command::Key(command) => self.key_command(command, now),
            Command::CallerId(command) => self.caller_id_command(command, now),
            Command::Application(command) => self.application_command(command, now),
        }
    }

    fn alarm(&mut self, alarm: Alarm, now: Timestamp) {
        let ordinal = alarm.ordinal;
        match alarm.kind {
            AlarmKind::Start => self.start(ordinal, now),
            AlarmKind::Dial | AlarmKind::Redial => self.dial(ordinal, now),
            AlarmKind::RingEnd => self.ring_end(ordinal, now),
            AlarmKind::Page => self.page_end(ordinal, now),
            AlarmKind::Retry => self.retry(ordinal),
            AlarmKind::Tell => self.webhook_due(ordinal, now),
        }
    }

    fn answer(&mut self, answer: Answer, now: Timestamp) {
        let known = answer.generation == self.generation;
        let Some(under_way) = known.then(|| self.under_way.remove(&answer.effect)).flatten() else {
            self.journal.write(now, None, EventKind::AnswerDropped);
            return;
        };
        let UnderWay { fax: sid, intent, is_echo } = under_way;
        if is_echo {
            self.echo_answered(sid, answer.outcome, now);
            return;
        }
        match answer.outcome {
            AnswerOutcome::Document { record, document } => self.document_fetched(sid, *record, document, now),
            AnswerOutcome::Rendered(rendered) => {
                let rendered = rendered.map_err(|unreadable| (line::CODE_TRANSMISSION, unreadable.reason));
                self.rendered(sid, rendered, now);
            }
            AnswerOutcome::Twiml { record, cookies, base_url, reading } => {
                self.twiml_answered(sid, *record, cookies, &base_url, reading, now);
            }
            AnswerOutcome::Delivered { record, .. } if intent.kind() == IntentKind::Report => {
                self.reported(sid, *record, now)
            }
            AnswerOutcome::Delivered { record, cookies } => self.delivered(sid, *record, cookies, now),
            AnswerOutcome::Lost => self.lost(sid, intent.kind(), now),
        }
    }

    /// Performing an effect failed within the emulator: what waited for it goes on without.
    fn lost(&mut self, sid: FaxSid, kind: IntentKind, now: Timestamp) {
        let text = "a fault of the emulator; please report it";
        if kind == IntentKind::Report {
            return;
        }
        if kind != IntentKind::Render {
            self.alert(Some(sid), (CODE_INTERNAL, AlertLevel::Error), text, None, now);
        }
        match kind {
            IntentKind::FetchDocument => {
                let Some(ordinal) = self.tables.ordinal(sid) else { return };
                let fetching = |fax: &Fax| matches!(fax.phase, Phase::Processing(Processing::Fetching));
                if !self.tables.fax(ordinal).is_some_and(fetching) {
                    return;
                }
                let error = Some(Box::new((CODE_INTERNAL, text.into())));
                self.end(ordinal, Ended { status: Status::Failed, pages: None, duration_s: None, error }, now);
            }
            IntentKind::Render => self.rendered(sid, Err((CODE_INTERNAL, text.to_owned())), now),
            IntentKind::AskForTwiml => {
                let Some(ordinal) = self.tables.ordinal(sid) else { return };
                self.not_answered(ordinal, now);
            }
            IntentKind::Deliver => self.told(sid, Vec::new(), now),
            IntentKind::Report => {}
        }
    }

    /// Puts a fax into another phase: asserts the edge, writes the event, queues the callback.
    fn enter(&mut self, ordinal: Ordinal, phase: Phase, now: Timestamp) {
        let Some(old) = self.tables.set_phase(ordinal, phase, now) else { return };
        self.entered(ordinal, Some(&old), now);
    }

    /// Ends a fax and takes away its alarm.
    fn end(&mut self, ordinal: Ordinal, ended: Ended, now: Timestamp) {
        self.agenda.clear(ordinal);
        self.enter(ordinal, Phase::Ended(ended), now);
        self.alert_of_call(ordinal, now);
        self.release_media(ordinal, now);
    }

    /// What every change of status brings, founding included.
    fn entered(&mut self, ordinal: Ordinal, before: Option<&Phase>, now: Timestamp) {
        let Some(fax) = self.tables.fax(ordinal) else { return };
        let (sid, old, new) = (fax.sid, before.map(Phase::status), fax.status());
        assert!(is_edge(old, new), "fax {sid} can't go from {old:?} to {new}");
        let error = fax.error().map(|(code, text)| (code, text.into()));
        self.journal.write(now, Some(sid), EventKind::FaxStatus { old, new, error });
        match fax.leg {
            Leg::Outbound(_) => self.tell_status(ordinal, now),
            Leg::Inbound(_) => self.tell_end(ordinal, before, now),
        }
    }

    fn issue(&mut self, fax: FaxSid, intent: Intent) {
        self.issue_again(UnderWay { fax, intent: Arc::new(intent), is_echo: false });
    }

    fn set_alarm(&mut self, ordinal: Ordinal, kind: AlarmKind, line_time_ms: u64, now: Timestamp) {
        let wait = self.founding.rules.pace.scale(std::time::Duration::from_millis(line_time_ms));
        self.agenda.set(Alarm { at: now.after(wait), ordinal, kind });
    }

    fn take_ordinal(&mut self) -> Ordinal {
        let ordinal = self.next_ordinal;
        self.next_ordinal += 1;
        ordinal
    }

    fn check_room(&self) -> Result<(), Refusal> {
        if self.tables.pending_count() >= PENDING_FAXES_MAX {
            return Err(Refusal::LimitReached { what: "pending faxes", limit: PENDING_FAXES_MAX });
        }
        Ok(())
    }

    /// Time as the engine sees it never goes back.
    fn tick(&mut self, now: Timestamp) -> Timestamp {
        self.latest = self.latest.max(now);
        self.latest
    }
}
