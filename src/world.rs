//! A world: one account's engine, clock and REST requests behind one lock, and the only functions that read or change
//! them. A world neither performs effects nor sleeps; the driver does that.

mod broken;
pub mod feed;
pub mod journal;
mod no_world;
mod publish;
mod requests;
mod rest;
mod service_origin;
mod twiml_bins;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tokio::sync::{Notify, watch};

pub(crate) use self::broken::message_of;
use self::broken::{Breakage, Trace};
use self::feed::Feed;
pub(crate) use self::no_world::NoWorld;
use self::publish::Published;
use self::requests::RequestLog;
use self::service_origin::ServiceOrigin;
use crate::clock::{Clock, ClockMode, RealTime};
use crate::engine::Canceled;
use crate::engine::admission::{Admission, Gate};
use crate::engine::command::Command;
use crate::engine::effect::{Effect, Generation};
use crate::engine::event::EventKind;
use crate::engine::export::LoadState;
use crate::engine::export::State;
use crate::engine::input::{Claim, HandleAlarms, Note};
use crate::engine::{ConversationState, Discarded, Engine, WorldSpec};
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::time::Timestamp;

/// The maximum number of alarms that the driver handles before it starts the effects that they queued.
const ALARMS_AT_ONCE_MAX: usize = 1_000;

/// A handle on a world; clones share the world.
#[derive(Clone)]
pub struct World(Arc<Shared>);

struct Shared {
    sid: AccountSid,
    signing_key: Arc<[u8]>,
    core: Mutex<Core>,
    /// The engine's admission data, readable without locking `core`, and written only while `core` is locked.
    gate: RwLock<Gate>,
    /// Wakes the driver when there is work for it.
    wake: Notify,
    /// Counts changes, to wake tasks that wait for one.
    changes: watch::Sender<u64>,
    /// Held while a frozen clock is moved, so that two calls never move it concurrently.
    mover: tokio::sync::Mutex<()>,
    breakage: Breakage,
    /// How many changes clients and testers have asked for, including refused ones.
    writes: AtomicU64,
    service_origin: ServiceOrigin,
    /// Where the world publishes its journal; `None` for a temporary world.
    feed: Option<Arc<Feed>>,
}

struct Core {
    engine: Engine,
    requests: RequestLog,
    published: Published,
    /// The real time of the last addition to the feed.
    last_activity: Option<Timestamp>,
    clock: Clock,
    outbox: VecDeque<Effect>,
    /// State that a reset, a restore or a load replaced. The driver frees it, because that would take too long under
    /// the lock.
    discarded: Vec<Discarded>,
    closed: bool,
    /// What the driver is waiting for. `None` from when the driver is woken until it next takes work.
    awaited: Option<Awaited>,
    trace: Trace,
}

/// The next deadline as the driver last saw it, and the clock's mode at that time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Awaited {
    due: Option<Timestamp>,
    mode: ClockMode,
}

/// The reason a clock can't be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The clock is running, so nothing else may move it.
    #[error("the clock is running; freeze it first (PUT /_fauxfax/v1/clock with {{\"mode\":\"frozen\"}})")]
    Running,
    /// The requested time is before the time that the clock shows.
    #[error("the clock already shows a later time and can't move back")]
    Backwards,
    /// The world broke or was removed while its clock was being moved.
    #[error("the account's world broke or was removed; if it broke, repair it with POST /_fauxfax/v1/reset")]
    Gone,
}

/// The work that the driver must do before it next sleeps.
pub(crate) struct Work {
    /// Effects to start, in the order in which the engine asked for them.
    pub(crate) effects: VecDeque<Effect>,
    /// Replaced state, to be freed off the async threads.
    pub(crate) discarded: Vec<Discarded>,
    /// The current generation: effects from older ones are not started.
    pub(crate) generation: Generation,
    /// The real time until the next deadline; `None` if there is none, or if the clock is frozen at an earlier time.
    pub(crate) wait: Option<Duration>,
    /// Whether the world has been closed, so that the driver must end.
    pub(crate) closed: bool,
}

impl World {
    /// Creates a world with a running clock, which publishes its journal in `feed`.
    pub(crate) fn create(spec: WorldSpec, real: RealTime, feed: Arc<Feed>) -> Self {
        Self::begin(spec, real, Some(feed))
    }

    /// Creates a temporary world, which takes the place of a missing one for a single call.
    pub(crate) fn fresh(spec: WorldSpec, real: RealTime) -> Self {
        Self::begin(spec, real, None)
    }

    fn begin(spec: WorldSpec, real: RealTime, feed: Option<Arc<Feed>>) -> Self {
        let clock = Clock::running(real);
        let signing_key = spec.seed.sid_bytes("media-url", b"", 0).as_slice().into();
        let sid = spec.account.sid;
        let engine = Engine::new(spec, clock.now());
        let gate = Gate::of(&engine);
        let core = Mutex::new(Core {
            engine,
            requests: RequestLog::default(),
            published: Published::default(),
            last_activity: None,
            clock,
            outbox: VecDeque::new(),
            discarded: Vec::new(),
            closed: false,
            awaited: None,
            trace: Trace::default(),
        });
        let (changes, _) = watch::channel(0);
        let mover = tokio::sync::Mutex::new(());
        let (gate, wake, breakage) = (RwLock::new(gate), Notify::new(), Breakage::default());
        Self(Arc::new(Shared {
            sid,
            signing_key,
            core,
            gate,
            wake,
            changes,
            mover,
            breakage,
            writes: AtomicU64::new(0),
            service_origin: ServiceOrigin::default(),
            feed,
        }))
    }

    /// Returns the SID of the world's account.
    #[must_use]
    pub fn sid(&self) -> AccountSid {
        self.0.sid
    }

    /// Returns whether this is a temporary world, which is dropped after a single call.
    pub(crate) fn is_fresh(&self) -> bool {
        self.0.feed.is_none()
    }

    /// Returns the key that media URLs are signed with.
    #[must_use]
    pub fn signing_key(&self) -> &Arc<[u8]> {
        &self.0.signing_key
    }

    /// Returns the time that the world's clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.within(|core| core.clock.now())
    }

    /// Returns the real time of the newest event or REST request; `None` if there was none since the emulator started.
    pub(crate) fn last_activity(&self) -> Option<Timestamp> {
        self.within(|core| core.last_activity)
    }

    /// Returns whether the world's clock is running or frozen.
    #[must_use]
    pub fn clock_mode(&self) -> ClockMode {
        self.within(|core| core.clock.mode())
    }

    /// Returns the reason the world is broken, if it is. A broken world refuses everything but a reset or restore.
    #[must_use]
    pub fn broken(&self) -> Option<Arc<str>> {
        self.0.breakage.why()
    }

    /// Returns how many changes clients and testers have asked for, including refused ones.
    pub(crate) fn writes(&self) -> u64 {
        self.0.writes.load(Ordering::Relaxed)
    }

    /// Gives the engine one command.
    ///
    /// # Errors
    /// Returns the engine's refusal, or [`Refusal::WorldBroken`] if the world is broken. In either case, nothing has
    /// changed.
    pub fn handle<T>(&self, command: impl Command<Done = Result<T, Refusal>>) -> Result<T, Refusal> {
        self.mutate(|core, now| self.take(core, command, now))
    }

    /// Gives the engine one command if `is_wanted` holds for the engine, under one lock, so that nothing can change in
    /// between. Returns `None` if it doesn't hold.
    ///
    /// # Errors
    /// Fails like [`World::handle`].
    pub fn handle_if<T>(
        &self,
        is_wanted: impl FnOnce(&Engine) -> bool,
        command: impl Command<Done = Result<T, Refusal>>,
    ) -> Result<Option<T>, Refusal> {
        self.mutate(|core, now| {
            let wanted = is_wanted(&core.engine).then_some(command);
            wanted.map(|command| self.take(core, command, now)).transpose()
        })
    }

    /// Reads the engine under the world's lock. `view` should copy the data that it needs and return quickly.
    pub fn read<T>(&self, view: impl FnOnce(&Engine) -> T) -> T {
        self.within(|core| view(&core.engine))
    }

    /// Reads the engine and the clock under one lock, so that they are consistent.
    pub fn read_now<T>(&self, view: impl FnOnce(&Engine, Timestamp) -> T) -> T {
        self.within(|core| view(&core.engine, core.clock.now()))
    }

    /// Adds an event from outside the engine, such as a replayed webhook, to the journal.
    pub fn note(&self, fax: Option<FaxSid>, kind: EventKind) {
        // Not done with `mutate`: a note asks for no effect, so there is no need to wake the driver.
        self.within(|core| core.engine.handle(Note { fax, kind }, core.clock.now()));
        self.notify_waiters();
    }

    /// Makes `token` the account's token if the account has none yet. Returns the account's admission if `token` is now
    /// the account's token.
    pub fn claim(&self, token: &str) -> Option<Admission> {
        {
            // Nearly every call returns from this block. The gate is unlocked at the end of the block, so that
            // `refresh_admission` can lock it for writing.
            let gate = self.gate();
            if gate.is_claimed() {
                return gate.opened_by(token);
            }
        }
        self.within(|core| {
            let now = core.clock.now();
            core.engine.handle(Claim(token.into()), now);
            self.refresh_admission(core);
        });
        self.gate().opened_by(token)
    }

    /// Returns the account's current admission, which decides what its callers may do.
    #[must_use]
    pub fn admission(&self) -> Admission {
        self.gate().admission()
    }

    /// Freezes the clock, or lets it run from the time that it shows.
    pub fn set_clock_mode(&self, mode: ClockMode) {
        self.count_write();
        self.mutate(|core, now| {
            if core.clock.mode() != mode {
                core.clock.set_mode(mode);
                let kind = EventKind::ClockMoved { from: now, frozen: mode == ClockMode::Frozen };
                core.engine.handle(Note { fax: None, kind }, now);
            }
        });
    }

    /// Moves a frozen clock to `to`, stopping at each deadline on the way until the world has settled.
    ///
    /// # Errors
    /// Fails if the clock is running or shows a later time, or if the world breaks or is closed meanwhile.
    pub async fn advance(&self, to: Timestamp) -> Result<(), ClockError> {
        let _moving = self.0.mover.lock().await;
        if to < self.now() {
            return Err(ClockError::Backwards);
        }
        while self.step(|engine| engine.poll_timeout().filter(|due| *due <= to)).await? {}
        self.count_write();
        self.mutate(|core, from| {
            core.clock.move_to(to);
            if core.clock.now() > from {
                core.engine.handle(Note { fax: None, kind: EventKind::ClockMoved { from, frozen: true } }, to);
            }
        });
        self.until_open(|engine| engine.is_settled().then_some(())).await.ok_or(ClockError::Gone)
    }

    /// Moves a frozen clock from deadline to deadline until no work is left.
    ///
    /// # Errors
    /// Fails if the clock is running, or if the world breaks or is closed meanwhile.
    pub async fn drain(&self) -> Result<(), ClockError> {
        let _moving = self.0.mover.lock().await;
        while self.step(Engine::next_work).await? {}
        Ok(())
    }

    /// Returns the state of the world, for export to a file.
    #[must_use]
    pub fn state(&self) -> State {
        self.within(|core| core.engine.state(core.clock.mode() == ClockMode::Frozen, core.clock.now()))
    }

    /// Replaces the world's state. The clock takes on the mode of the state's clock, and moves forward to the state's
    /// time if that is later.
    pub(crate) fn load_state(&self, state: State) -> Canceled {
        let mode = if state.is_frozen { ClockMode::Frozen } else { ClockMode::Running };
        // Two writes mark the world as used: a world with a single write may be dropped to make room (see
        // `emulator/registry.rs`).
        self.count_write();
        self.count_write();
        self.mutate(|core, now| {
            core.trace.add("load-state", None, now);
            let canceled = core.engine.handle(LoadState(state), now);
            core.clock.move_to(core.engine.latest());
            core.clock.set_mode(mode);
            canceled
        })
    }

    /// Waits until the world is settled.
    pub async fn settled(&self) {
        self.until(|engine| engine.is_settled().then_some(())).await;
    }

    /// Waits until `view`, which is called immediately and after each change, returns a value.
    pub async fn until<T>(&self, mut view: impl FnMut(&Engine) -> Option<T>) -> T {
        let mut changes = self.0.changes.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(found) = self.read(&mut view) {
                return found;
            }
            // Never fails: the sender lives as long as this handle.
            let _ = changes.changed().await;
        }
    }

    /// Waits until a conversation has ended, and returns its final state; `None` if the world is closed or breaks
    /// first.
    pub async fn ended(&self, fax: FaxSid) -> Option<ConversationState> {
        self.until_open(|engine| Some(engine.conversation(fax)).filter(|stands| *stands != ConversationState::Pending))
            .await
    }

    /// Does the same as [`World::until`], but returns `None` if the world is closed or breaks first.
    pub async fn until_open<T>(&self, mut view: impl FnMut(&Engine) -> Option<T>) -> Option<T> {
        self.until_journaled(|journal| view(journal.engine())).await
    }

    /// Handles the alarms that are due, and takes the effects to start. The driver doesn't call this while the world is
    /// broken.
    pub(crate) fn take_work(&self) -> Work {
        let (work, has_changed) = self.within(|core| {
            let now = core.clock.now();
            let is_due = core.engine.poll_timeout().is_some_and(|due| due <= now);
            if is_due {
                core.trace.add("timeout", None, now);
                core.engine.handle(HandleAlarms { limit: ALARMS_AT_ONCE_MAX }, now);
                core.drain();
            }
            // Set before the lock is released, so that any change after the outbox is emptied wakes the driver.
            core.awaited = Some(core.awaited_now());
            let work = Work {
                effects: std::mem::take(&mut core.outbox),
                discarded: std::mem::take(&mut core.discarded),
                generation: core.engine.generation(),
                wait: core.engine.poll_timeout().and_then(|due| core.clock.until(due)),
                closed: core.closed,
            };
            (work, is_due)
        });
        if has_changed {
            self.notify_waiters();
        }
        work
    }

    /// Waits until the driver is woken.
    pub(crate) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// Closes the world, which ends its driver.
    pub(crate) fn close(&self) {
        self.mutate(|core, _| core.closed = true);
    }

    /// Waits until the world has settled, then moves the clock to the deadline that `next` returns. Returns false if
    /// there is no such deadline.
    async fn step(&self, next: impl Fn(&Engine) -> Option<Timestamp>) -> Result<bool, ClockError> {
        self.until_open(|engine| engine.is_settled().then_some(())).await.ok_or(ClockError::Gone)?;
        self.mutate(|core, _| {
            if core.clock.mode() == ClockMode::Running {
                return Err(ClockError::Running);
            }
            // The driver may have started effects since the wait; wait for those too before moving the clock.
            if !core.engine.is_settled() {
                return Ok(true);
            }
            let Some(due) = next(&core.engine) else { return Ok(false) };
            core.clock.move_to(due);
            let now = core.clock.now();
            core.trace.add("timeout", None, now);
            core.engine.handle_timeout(now);
            Ok(true)
        })
    }

    /// Changes the world: under one lock, reads the clock, makes one change and takes all effects from the engine. Then
    /// wakes the driver if there is work. Except in `take_work`, all changes that may lead to effects are made here.
    fn mutate<T>(&self, change: impl FnOnce(&mut Core, Timestamp) -> T) -> T {
        let (result, wakes_driver) = self.within(|core| {
            let now = core.clock.now();
            let result = change(core, now);
            core.drain();
            let discarded = core.engine.take_discarded();
            core.discarded.extend(discarded);
            let wakes_driver = core.wakes_driver(now);
            self.refresh_admission(core);
            (result, wakes_driver)
        });
        // Done after the lock is released, so that the driver doesn't wake up only to wait for the lock.
        if wakes_driver {
            self.0.wake.notify_one();
        }
        self.notify_waiters();
        result
    }

    /// Gives the engine one command, unless the world is broken. A reset or restore repairs a broken world.
    fn take<T, C>(&self, core: &mut Core, command: C, now: Timestamp) -> Result<T, Refusal>
    where
        C: Command<Done = Result<T, Refusal>>,
    {
        // Results of effects are not counted, since no client or tester asked for those changes.
        if !C::IS_COMPLETION {
            self.count_write();
        }
        if !C::REWINDS
            && let Some(why) = self.0.breakage.why()
        {
            return Err(Refusal::WorldBroken(why));
        }
        // Recorded first, so that a command that makes the engine panic appears in the report.
        core.trace.add(command.name(), command.fax(), now);
        let done = core.engine.handle(command, now);
        if C::REWINDS && done.is_ok() && self.0.breakage.is_broken() {
            self.0.breakage.heal();
            // Wake the driver in any case: it may have been asleep since before the world broke.
            self.0.wake.notify_one();
        }
        done
    }

    fn count_write(&self) {
        // Relaxed: only the count matters; it orders no other access.
        self.0.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs `work` under the world's lock, and publishes what it adds to the journal. A panic in `work` breaks the world
    /// and is passed on to the caller, but only after the lock is released, to avoid poisoning it.
    fn within<T>(&self, work: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.lock();
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut core)));
        if let Err(panic) = &result {
            self.breaks(&mut core, &message_of(&**panic));
        }
        self.publish(&mut core);
        drop(core);
        result.unwrap_or_else(|panic| {
            self.notify_waiters();
            resume_unwind(panic)
        })
    }

    /// Breaks the world because of a panic outside its lock, such as in its driver.
    pub(crate) fn break_down(&self, why: &str) {
        self.within(|core| self.breaks(core, why));
        self.notify_waiters();
    }

    /// Waits until the world is no longer broken, or is closed; returns false if it is closed.
    pub(crate) async fn healed(&self) -> bool {
        let mut changes = self.0.changes.subscribe();
        loop {
            changes.mark_unchanged();
            if self.lock().closed {
                return false;
            }
            if !self.0.breakage.is_broken() {
                return true;
            }
            // Never fails: the sender lives as long as this handle.
            let _ = changes.changed().await;
        }
    }

    /// Breaks the world: records and journals the reason, and drops the effects that haven't started. Only the first
    /// call counts.
    fn breaks(&self, core: &mut Core, why: &str) {
        if !self.0.breakage.note(why) {
            return;
        }
        core.outbox.clear();
        let (now, inputs, seed) = (core.clock.now(), core.trace.summary(), core.engine.inventory_seed());
        let account = self.0.sid;
        tracing::error!(%account, why, seed, inputs, "a world has broken because of a fault in the emulator; please report it");
        let kind = EventKind::WorldBroken { why: why.into(), inputs: inputs.into(), seed };
        core.engine.handle(Note { fax: None, kind }, now);
    }

    /// Wakes the tasks that wait for a change. A task that subscribes later first reads the world, so the count needn't
    /// change while there is no subscriber.
    fn notify_waiters(&self) {
        if self.0.changes.receiver_count() > 0 {
            self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Refreshes the cached admission data if the engine's data has changed.
    fn refresh_admission(&self, core: &Core) {
        if !self.gate().is_of(&core.engine) {
            *self.0.gate.write().unwrap_or_else(PoisonError::into_inner) = Gate::of(&core.engine);
        }
    }

    fn gate(&self) -> RwLockReadGuard<'_, Gate> {
        self.0.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.0.core.lock().unwrap_or_else(|poisoned| {
            // `within` releases the lock before it passes a panic on, so a poisoned lock means a bug in this file.
            // Report that instead of continuing.
            self.0.core.clear_poison();
            let mut core = poisoned.into_inner();
            self.breaks(&mut core, "a thread panicked while it held the world's lock");
            core
        })
    }
}

impl Core {
    fn awaited_now(&self) -> Awaited {
        Awaited { due: self.engine.poll_timeout(), mode: self.clock.mode() }
    }

    /// Returns whether to wake the driver: there is a change that the driver hasn't seen, and it hasn't been woken
    /// since it last took work.
    fn wakes_driver(&mut self, now: Timestamp) -> bool {
        let awaited = self.awaited_now();
        let is_due = awaited.due.is_some_and(|due| due <= now);
        let news = is_due
            || self.closed
            || !self.outbox.is_empty()
            || !self.discarded.is_empty()
            || self.awaited != Some(awaited);
        news && self.awaited.take().is_some()
    }

    fn drain(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            self.outbox.push_back(effect);
        }
    }
}
