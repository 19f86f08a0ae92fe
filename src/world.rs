//! A world: one account's engine, clock and REST requests behind one lock, and the ways in. It performs no effect and never
//! sleeps.

mod broken;
pub mod journal;
mod requests;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, TryLockError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

pub(crate) use self::broken::message_of;
use self::broken::{Breakage, Trace};
use self::journal::ApiRequest;
use self::requests::RequestLog;
use crate::clock::{Clock, ClockMode, RealTime};
use crate::engine::Canceled;
use crate::engine::command::Command;
use crate::engine::door::{Door, Terms};
use crate::engine::effect::{Effect, Generation};
use crate::engine::event::EventKind;
use crate::engine::export::LoadState;
use crate::engine::export::State;
use crate::engine::input::{Claim, HandleAlarms, Note};
use crate::engine::{Conversation, Discarded, Engine, Founding};
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::time::Timestamp;

/// How often who finds the world busy lets others go first.
const YIELDS_MAX: usize = 4;
/// Alarms handled while others wait for the lock: about as long as a call holds it, so that they need not sleep.
const ALARMS_PER_TURN_MAX: usize = 4;
/// Turns at the lock that the driver takes before it begins the effects of what they brought.
const TURNS_MAX: usize = 250;

/// A handle on a world; clones are the same world.
#[derive(Clone)]
pub struct World(Arc<Shared>);

struct Shared {
    sid: AccountSid,
    signing_key: Arc<[u8]>,
    is_fresh: bool,
    core: Mutex<Core>,
    /// As `core` has it, to be looked at without its lock; changed under that lock only.
    door: RwLock<Door>,
    /// Rouses the driver.
    wake: Notify,
    /// Counts changes, for who waits for one.
    changes: watch::Sender<u64>,
    /// Held by who moves a frozen clock, so that two never move it at once.
    mover: tokio::sync::Mutex<()>,
    breakage: Breakage,
    /// How often something was done here, refusals included.
    writes: AtomicU64,
}

struct Core {
    engine: Engine,
    requests: RequestLog,
    clock: Clock,
    outbox: VecDeque<Effect>,
    /// What going back has put aside: to free it takes longer than to put it aside.
    discarded: Vec<Discarded>,
    closed: bool,
    /// What the driver sleeps for, as it last looked; none once it has been roused.
    awaited: Option<Awaited>,
    trace: Trace,
}

/// What the driver waits for: the next deadline, by a clock in this mode.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Awaited {
    due: Option<Timestamp>,
    mode: ClockMode,
}

/// Why a clock can't be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// It moves by itself.
    #[error("the clock is running; freeze it first (PUT /_fauxfax/v1/clock with {{\"mode\":\"frozen\"}})")]
    Running,
    /// Time never goes back.
    #[error("the clock stands at a later time already and never goes back")]
    Backwards,
    /// The world has broken, or has been removed, while its clock moved.
    #[error("the account's world has broken or is gone; POST /_fauxfax/v1/reset puts a broken one right")]
    Gone,
}

/// What the driver has to do next.
pub(crate) struct Work {
    /// To be performed.
    pub(crate) effects: VecDeque<Effect>,
    /// To be freed where nobody waits.
    pub(crate) discarded: Vec<Discarded>,
    /// Effects of an older generation need not be begun.
    pub(crate) generation: Generation,
    /// Real time until the next deadline.
    pub(crate) wait: Option<Duration>,
    /// The world is gone.
    pub(crate) closed: bool,
}

impl World {
    /// A new world with a running clock.
    pub(crate) fn found(founding: Founding, real: RealTime) -> Self {
        Self::begin(founding, real, false)
    }

    /// As [`World::found`], for one call that only looks and finds no world of its account.
    pub(crate) fn fresh(founding: Founding, real: RealTime) -> Self {
        Self::begin(founding, real, true)
    }

    fn begin(founding: Founding, real: RealTime, is_fresh: bool) -> Self {
        let clock = Clock::running(real);
        let signing_key = founding.seed.sid_bytes("media-url", b"", 0).as_slice().into();
        let sid = founding.account.sid;
        let engine = Engine::new(founding, clock.now());
        let door = Door::of(&engine);
        let core = Mutex::new(Core {
            engine,
            requests: RequestLog::default(),
            clock,
            outbox: VecDeque::new(),
            discarded: Vec::new(),
            closed: false,
            awaited: None,
            trace: Trace::default(),
        });
        let (changes, _) = watch::channel(0);
        let mover = tokio::sync::Mutex::new(());
        let (door, wake, breakage) = (RwLock::new(door), Notify::new(), Breakage::default());
        Self(Arc::new(Shared {
            sid,
            signing_key,
            is_fresh,
            core,
            door,
            wake,
            changes,
            mover,
            breakage,
            writes: AtomicU64::new(0),
        }))
    }

    /// Whose world it is.
    #[must_use]
    pub fn sid(&self) -> AccountSid {
        self.0.sid
    }

    /// Whether it goes with the call that it was made for, since its account has none.
    pub(crate) fn is_fresh(&self) -> bool {
        self.0.is_fresh
    }

    /// The key that media URLs are signed with.
    #[must_use]
    pub fn signing_key(&self) -> &Arc<[u8]> {
        &self.0.signing_key
    }

    /// What the world's clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.within(|core| core.clock.now())
    }

    /// Whether the world's clock runs.
    #[must_use]
    pub fn clock_mode(&self) -> ClockMode {
        self.within(|core| core.clock.mode())
    }

    /// Why the world is broken, if it is: nothing but a reset is done with it then.
    #[must_use]
    pub fn broken(&self) -> Option<Arc<str>> {
        self.0.breakage.why()
    }

    /// How often something was done here by a client or a tester, what was refused included.
    pub(crate) fn writes(&self) -> u64 {
        self.0.writes.load(Ordering::Relaxed)
    }

    /// Hands the engine one command.
    ///
    /// # Errors
    /// The engine's refusal; nothing has changed then.
    pub fn handle<T>(&self, command: impl Command<Done = Result<T, Refusal>>) -> Result<T, Refusal> {
        self.mutate(|core, now| self.take(core, command, now))
    }

    /// Hands the engine one command, looks at what came of it, and notes the request that asked for it, at one moment.
    ///
    /// A refusal has changed nothing.
    pub fn handle_and_note<D, T>(
        &self,
        command: impl Command<Done = Result<D, Refusal>>,
        view: impl FnOnce(&Engine, Result<D, Refusal>, Timestamp) -> (T, ApiRequest),
    ) -> T {
        self.mutate(|core, now| {
            let done = self.take(core, command, now);
            let (shown, request) = view(&core.engine, done, now);
            core.requests.note(&core.engine, request);
            shown
        })
    }

    /// Looks at the engine under the world's lock; `view` copies out what it needs.
    pub fn read<T>(&self, view: impl FnOnce(&Engine) -> T) -> T {
        self.within(|core| view(&core.engine))
    }

    /// Looks at the engine and the clock under one lock.
    pub fn read_now<T>(&self, view: impl FnOnce(&Engine, Timestamp) -> T) -> T {
        self.within(|core| view(&core.engine, core.clock.now()))
    }

    /// Looks at the engine and the clock, and notes the request that asked for it, at one moment.
    pub fn read_and_note<T>(&self, view: impl FnOnce(&Engine, Timestamp) -> (T, ApiRequest)) -> T {
        let shown = self.within(|core| {
            let (shown, request) = view(&core.engine, core.clock.now());
            core.requests.note(&core.engine, request);
            shown
        });
        // Nothing is to be done for it, so the driver sleeps on.
        self.tell_waiters();
        shown
    }

    /// Has the engine write something into its journal that the shell saw happen to a fax.
    pub fn note(&self, fax: Option<FaxSid>, kind: EventKind) {
        self.within(|core| core.engine.handle(Note { fax, kind }, core.clock.now()));
        self.tell_waiters();
    }

    /// Gives an unclaimed account its token; the terms of the account if the token is its own.
    pub fn claim(&self, token: &str) -> Option<Terms> {
        {
            let door = self.door();
            if door.is_claimed() {
                return door.opened_by(token);
            }
        }
        self.within(|core| {
            let now = core.clock.now();
            core.engine.handle(Claim(token.into()), now);
            self.renew_door(core);
        });
        self.door().opened_by(token)
    }

    /// On what terms the account is called.
    #[must_use]
    pub fn terms(&self) -> Terms {
        self.door().terms()
    }

    /// Freezes the clock or lets it run.
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

    /// Moves a frozen clock to `to`, one deadline at a time, each time waiting until the world has settled.
    ///
    /// # Errors
    /// The clock is running, or shows a later time.
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

    /// Moves a frozen clock until no work deadline is left.
    ///
    /// # Errors
    /// The clock is running.
    pub async fn drain(&self) -> Result<(), ClockError> {
        let _moving = self.0.mover.lock().await;
        while self.step(Engine::next_work).await? {}
        Ok(())
    }

    /// The world as it is, to be written down.
    #[must_use]
    pub fn state(&self) -> State {
        self.within(|core| core.engine.state(core.clock.mode() == ClockMode::Frozen, core.clock.now()))
    }

    /// Puts a state in the world's place. The clock runs or stands still as the state's did; one that stands earlier moves
    /// to the state's time.
    pub(crate) fn load_state(&self, state: State) -> Canceled {
        let mode = if state.is_frozen { ClockMode::Frozen } else { ClockMode::Running };
        // A world that was loaded holds what somebody kept: it is never one that only its creation has touched.
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

    /// Waits until no effect is under way.
    pub async fn settled(&self) {
        self.until(|engine| engine.is_settled().then_some(())).await;
    }

    /// Waits until `view` finds what it looks for; it is asked again after each change.
    pub async fn until<T>(&self, mut view: impl FnMut(&Engine) -> Option<T>) -> T {
        let mut changes = self.0.changes.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(found) = self.read(&mut view) {
                return found;
            }
            // The sender lives as long as this handle.
            let _ = changes.changed().await;
        }
    }

    /// Waits until a conversation has ended; none where the world is closed or breaks first.
    pub async fn ended(&self, fax: FaxSid) -> Option<Conversation> {
        self.until_open(|engine| Some(engine.conversation(fax)).filter(|stands| *stands != Conversation::Pending)).await
    }

    /// As [`World::until`]; none where the world is closed or breaks first.
    pub async fn until_open<T>(&self, mut view: impl FnMut(&Engine) -> Option<T>) -> Option<T> {
        self.until_journaled(|journal| view(journal.engine())).await
    }

    /// Ready when nobody is inside, as far as can be seen, or after a few turns: who finds the world busy lets other
    /// connections go first, which costs less than to have the thread sleep for the lock.
    pub(crate) async fn quiet(&self) {
        for _ in 0..YIELDS_MAX {
            if !matches!(self.0.core.try_lock(), Err(TryLockError::WouldBlock)) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Handles what is due and takes what is to be performed; nothing while the world is broken.
    pub(crate) fn take_work(&self) -> Work {
        for _ in 0..TURNS_MAX {
            if !self.take_turn() {
                break;
            }
        }
        self.within(|core| {
            core.awaited = Some(core.awaited_now());
            Work {
                effects: std::mem::take(&mut core.outbox),
                discarded: std::mem::take(&mut core.discarded),
                generation: core.engine.generation(),
                wait: core.engine.poll_timeout().and_then(|due| core.clock.until(due)),
                closed: core.closed,
            }
        })
    }

    /// Handles some of what is due; answers whether more is.
    fn take_turn(&self) -> bool {
        let more = self.within(|core| {
            let now = core.clock.now();
            if core.engine.poll_timeout().is_none_or(|due| due > now) {
                return None;
            }
            core.trace.add("timeout", None, now);
            let more = core.engine.handle(HandleAlarms { limit: ALARMS_PER_TURN_MAX }, now);
            core.drain();
            Some(more)
        });
        if more.is_some() {
            self.tell_waiters();
        }
        more.unwrap_or(false)
    }

    /// Waits for the next change.
    pub(crate) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// Ends the world: its driver stops.
    pub(crate) fn close(&self) {
        self.mutate(|core, _| core.closed = true);
    }

    /// Moves to the deadline that `next` names once the world has settled; answers whether there was one.
    async fn step(&self, next: impl Fn(&Engine) -> Option<Timestamp>) -> Result<bool, ClockError> {
        self.until_open(|engine| engine.is_settled().then_some(())).await.ok_or(ClockError::Gone)?;
        self.mutate(|core, _| {
            if core.clock.mode() == ClockMode::Running {
                return Err(ClockError::Running);
            }
            // The driver may have begun what was due at once: time stands until that is over too.
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

    /// The only way to change a world: reads the clock, makes one change, drains all effects, under one lock.
    fn mutate<T>(&self, change: impl FnOnce(&mut Core, Timestamp) -> T) -> T {
        let (result, rouses) = self.within(|core| {
            let now = core.clock.now();
            let result = change(core, now);
            core.drain();
            let discarded = core.engine.take_discarded();
            core.discarded.extend(discarded);
            let rouses = core.rouses(now);
            self.renew_door(core);
            (result, rouses)
        });
        if rouses {
            self.0.wake.notify_one();
        }
        self.tell_waiters();
        result
    }

    /// Hands the engine one command, unless the world is broken; a reset puts a broken one right.
    fn take<T, C>(&self, core: &mut Core, command: C, now: Timestamp) -> Result<T, Refusal>
    where
        C: Command<Done = Result<T, Refusal>>,
    {
        if !C::IS_ANSWER {
            self.count_write();
        }
        if !C::REWINDS
            && let Some(why) = self.0.breakage.why()
        {
            return Err(Refusal::WorldBroken(why));
        }
        core.trace.add(command.name(), command.fax(), now);
        let done = core.engine.handle(command, now);
        if C::REWINDS && done.is_ok() && self.0.breakage.is_broken() {
            self.0.breakage.heal();
            // The driver has stopped in the middle of something and begins anew.
            self.0.wake.notify_one();
        }
        done
    }

    fn count_write(&self) {
        self.0.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs `work` under the world's lock. A panic in it breaks the world and goes on to the caller; the lock is given back
    /// before that, so that it is never poisoned.
    fn within<T>(&self, work: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.lock();
        match catch_unwind(AssertUnwindSafe(|| work(&mut core))) {
            Ok(result) => result,
            Err(panic) => {
                self.breaks(&mut core, &message_of(&*panic));
                drop(core);
                self.tell_waiters();
                resume_unwind(panic)
            }
        }
    }

    /// Has the world break for a reason that was found outside its lock.
    pub(crate) fn break_down(&self, why: &str) {
        let mut core = self.lock();
        self.breaks(&mut core, why);
        drop(core);
        self.tell_waiters();
    }

    /// Ready when the world is not broken, or is closed; answers whether it goes on.
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
            // The sender lives as long as this handle.
            let _ = changes.changed().await;
        }
    }

    /// Notes and journals the first reason; what could be done no longer is.
    fn breaks(&self, core: &mut Core, why: &str) {
        if !self.0.breakage.note(why) {
            return;
        }
        core.outbox.clear();
        let (now, inputs, seed) = (core.clock.now(), core.trace.told(), core.engine.inventory_seed());
        let account = self.0.sid;
        tracing::error!(%account, why, seed, inputs, "a world has broken: a fault of the emulator, please report it");
        let kind = EventKind::WorldBroken { why: why.into(), inputs: inputs.into(), seed };
        core.engine.handle(Note { fax: None, kind }, now);
    }

    /// Who begins to wait after this looks at the world itself first, so nobody misses what nobody was told.
    fn tell_waiters(&self) {
        if self.0.changes.receiver_count() > 0 {
            self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Has who knocks meet the door as the engine has it.
    fn renew_door(&self, core: &Core) {
        if !self.door().is_of(&core.engine) {
            *self.0.door.write().unwrap_or_else(PoisonError::into_inner) = Door::of(&core.engine);
        }
    }

    fn door(&self) -> RwLockReadGuard<'_, Door> {
        self.0.door.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.0.core.lock().unwrap_or_else(|poisoned| {
            // `within` lets go of the lock before a panic passes, so this is a fault of its own; it is told all the same.
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

    /// Whether the driver has to look: there is something to do that it doesn't know of. Once is enough until it has.
    fn rouses(&mut self, now: Timestamp) -> bool {
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
