//! The fax service as a pure state machine: commands and the time go in; results, effects and the next deadline come
//! out. Nothing here reads a clock, a socket, a file or the environment.
//!
//! ```text
//!           handle(command, now) ──► its result, or a Refusal
//!  shell ─► handle_timeout(now)      poll_effect() ──► Effect ──► performed by the shell ─┐
//!    ▲                               poll_timeout() ─► the next deadline                  │
//!    └──────────────────────── handle(Completion) ◄───────────────────────────────────────┘
//! ```
//!
//! | question | file |
//! |---|---|
//! | What is a fax, and how does its phase change? | `fax.rs`; the phases are drawn in `phase.rs` |
//! | What is a call before it becomes a fax? | `call.rs`, `arriving.rs`; if it never does: `unanswered.rs` |
//! | How is a fax sent? | `outbound.rs` |
//! | How is a fax received? | `inbound.rs` |
//! | How are pages transmitted? | `transmission.rs`; the timing and the far end: `line.rs` |
//! | How is a fax sent to a number of the same world? | `own_numbers.rs` |
//! | Which app is asked or notified, and when is a request retried? | `webhooks/{question,notice,retry}.rs` |
//! | What does the shell have to do, and what was the result? | `effect.rs`, `effects.rs` |
//! | Which commands does the engine accept? | `command.rs`, `input.rs` |
//! | Which queries does a world answer? | `queries.rs`, `entries.rs`, `conversation.rs`, `progress.rs`, `prospect.rs` |
//! | What is due when? | `agenda.rs`; removal of faxes and media: `retention.rs` |
//! | What happened? | `event.rs`, `journal.rs`, `alerts.rs`, `tally.rs` |
//! | How does a tester change what happens? | `rule.rs`, `rulebook.rs`; which rules pedantic mode implies: `pedantic.rs` |
//! | What does a reset or restore replace? | `rewind.rs` |
//! | How is a world written to a file and read again? | `export/`; its log of commands: `export/log/` |
//! | What else does an account have? | `accounts.rs`, `numbers.rs`, `caller_ids.rs`, `applications.rs`, `twiml_bins.rs`, `messages.rs` |
//! | What may an account's callers do? | `admission.rs` |
//! | How are impossible cases handled? | `faults.rs` |
//! | Where do ids and random draws come from? | `random.rs` |

mod accounts;
pub mod admission;
pub mod agenda;
pub mod alerts;
mod applications;
mod arriving;
mod call;
mod caller_ids;
pub mod command;
mod conversation;
pub mod effect;
mod effects;
mod entries;
pub mod event;
pub mod export;
mod faults;
mod fax;
mod inbound;
pub mod input;
pub mod journal;
mod line;
pub mod messages;
mod numbers;
mod ordered_map;
mod outbound;
mod own_numbers;
mod pedantic;
pub mod phase;
mod progress;
mod prospect;
mod queries;
pub mod random;
mod retention;
mod rewind;
pub mod rule;
mod rulebook;
pub(crate) mod spec;
mod tables;
pub mod tally;
mod transmission;
mod twiml_bins;
mod unanswered;
mod webhooks;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub use self::arriving::Arriving;
pub use self::conversation::{CallOutcome, ConversationState};
pub use self::entries::{Entries, Entry};
pub use self::fax::{FailedNotices, Fax};
pub use self::progress::{PageProgress, Progress, Step};
pub use self::prospect::{Prospect, Unreachable};
pub use self::rewind::{Canceled, Discarded, SNAPSHOT_NAME_CHARS_MAX, SNAPSHOTS_MAX, SnapshotView};
pub use self::rulebook::{HeldRule, RULES_MAX};
pub use self::spec::{WorldOptions, WorldSpec};
pub use self::tables::{Cursor, FaxFilter, Page};
pub use self::unanswered::{Cause, UnansweredCall};

use self::accounts::Keys;
use self::agenda::Ordinal;
use self::command::Logged;
use self::effect::{Effect, Generation};
use self::input::{HandleAlarms, Note};
use self::journal::Journal;
use self::random::Ids;
use self::rewind::{Rewindable, Snapshot};
use crate::model::account::Account;
use crate::model::refusal::Refusal;
use crate::model::time::Timestamp;

/// The maximum number of alarms that one call of `handle_timeout` handles, limited so that the world's lock is never
/// held for long; the rest stay due.
const ALARMS_PER_CALL_MAX: usize = 1_000;
/// The maximum number of pending faxes and calls in one world.
pub const PENDING_FAXES_MAX: usize = 100_000;

/// The fax service of one account: its faxes, calls, numbers, rules and journal.
#[derive(Debug)]
pub struct Engine {
    spec: Arc<WorldSpec>,
    account: Account,
    ids: Ids,
    keys: Keys,
    // The part that snapshots contain, and that a reset or restore replaces.
    world: Rewindable,
    journal: Journal,
    effects: VecDeque<Effect>,
    snapshots: BTreeMap<Box<str>, Arc<Snapshot>>,
    generation: Generation,
    next_effect: u64,
    latest: Timestamp,
    discarded: Option<Discarded>,
    // `None` until `record` is called, since a log grows without limit.
    log: Option<Vec<Logged>>,
}

impl Engine {
    /// Creates a world with the numbers, caller ids and TwiML bins of its specification.
    #[must_use]
    pub fn new(spec: WorldSpec, now: Timestamp) -> Self {
        let spec = Arc::new(spec);
        let mut engine = Self {
            account: spec.account.clone(),
            ids: Ids::new(spec.seed, spec.earlier_worlds),
            keys: Keys::default(),
            world: Rewindable::start(&spec),
            journal: Journal::default(),
            effects: VecDeque::new(),
            snapshots: BTreeMap::new(),
            generation: Generation::default(),
            next_effect: 1,
            latest: now,
            discarded: None,
            log: None,
            spec,
        };
        engine.create_configured(now);
        engine
    }

    /// Handles the alarms that are due, in order, up to a fixed limit. If more are due, `poll_timeout` returns a time
    /// that is not after `now`.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        // The result is not needed: `poll_timeout` says whether more alarms are due.
        let _ = self.handle(HandleAlarms { limit: ALARMS_PER_CALL_MAX }, now);
    }

    /// Returns the next effect for the shell to perform, if there is one.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Returns the time at which `handle_timeout` must be called next: the first deadline of a fax, a call, a message,
    /// a webhook or housekeeping.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        // The end of retention is not in the agenda, since it can be derived from the oldest fax.
        let retirement = self.next_retirement();
        self.world.agenda.next().into_iter().chain(retirement).min()
    }

    fn note(&mut self, Note { fax, kind }: Note, now: Timestamp) {
        self.journal.write(now, fax, kind);
    }

    fn take_ordinal(&mut self) -> Ordinal {
        let ordinal = self.world.next_ordinal;
        self.world.next_ordinal += 1;
        ordinal
    }

    fn check_room(&self) -> Result<(), Refusal> {
        if self.world.tables.pending_count() >= PENDING_FAXES_MAX {
            return Err(Refusal::LimitReached { what: "pending faxes", limit: PENDING_FAXES_MAX });
        }
        Ok(())
    }

    /// Advances the engine's time to `now` and returns it. The time never goes back, even if the shell's clock does.
    fn tick(&mut self, now: Timestamp) -> Timestamp {
        self.latest = self.latest.max(now);
        self.latest
    }
}
