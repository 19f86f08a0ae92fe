//! A world's driver: performs the effects that the engine asks for and wakes the engine at its deadlines. The driver
//! decides nothing and keeps no fax state.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::task::{Id, JoinSet};
use tracing::Instrument;

use crate::engine::Discarded;
use crate::engine::effect::{Effect, EffectId, Generation, Intent};
use crate::engine::input::{Completion, EffectResult, ServeTwimlBin};
use crate::io::{Performer, Signer};
use crate::world::{World, message_of};

/// The maximum number of one world's effects in progress; the others are queued.
const UNDER_WAY_MAX: usize = 4_096;
/// The maximum number of effects in progress for one host and port, so that a hung app doesn't delay webhooks to other
/// apps.
const UNDER_WAY_PER_HOST_MAX: usize = 1_024;
/// The lane for effects that render a document and thus connect to no host.
const RENDERING: &str = "(rendering)";
/// The longest single sleep. If the deadline is further away, the driver wakes up, checks the deadline and sleeps
/// again.
const SLEEP_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Starts the task that drives a world until the world is closed.
#[expect(clippy::disallowed_methods, reason = "this starts the task that drives a world")]
pub(crate) fn start(runtime: &Handle, world: World, performer: Arc<Performer>) {
    runtime.spawn(supervise(world, performer));
}

/// Runs a world's driver until the world is closed. A panic breaks the world and ends the driver; a new driver starts
/// once the world has been reset or restored.
async fn supervise(world: World, performer: Arc<Performer>) {
    loop {
        // Unwind safe: after a panic the world is broken, and nothing but a reset or restore touches its state.
        let driven = AssertUnwindSafe(drive(world.clone(), Arc::clone(&performer))).catch_unwind().await;
        match driven {
            Ok(Driven::Closed) => return,
            Ok(Driven::Broken) => {}
            Err(panic) => world.break_down(&message_of(&*panic)),
        }
        if !world.healed().await {
            return;
        }
    }
}

/// The reason a driver ended: its world was closed or broke.
enum Driven {
    Closed,
    Broken,
}

/// Drives a world until it is closed or breaks.
#[expect(clippy::disallowed_methods, reason = "each effect runs in a task that the driver owns")]
async fn drive(world: World, performer: Arc<Performer>) -> Driven {
    let mut lanes = Lanes::default();
    // When the driver ends, dropping this set aborts the effects in progress.
    let mut tasks = JoinSet::new();
    let mut begun: HashMap<Id, Begun> = HashMap::new();
    loop {
        if world.broken().is_some() {
            return Driven::Broken;
        }
        let work = world.take_work();
        if work.closed {
            return Driven::Closed;
        }
        if !work.discarded.is_empty() {
            free(work.discarded);
        }
        for effect in work.effects {
            lanes.push(effect);
        }
        // Effects from an older generation were issued before a reset, a restore or a load; `next` drops them.
        while let Some((host, effect)) = lanes.next(work.generation) {
            let begin = Begun { id: effect.id, generation: effect.generation, host };
            // Read anew for each effect: the token and the clock may have changed since the effect was queued.
            let signer = world.read(|engine| Signer::of(engine, Arc::clone(world.signing_key())));
            // If the effect requests one of this world's bins, the bin is read here, which also counts the request. A
            // bin that no longer exists or belongs to a different account is requested over HTTP, like any app.
            let bin = performer.bin_of(&effect.intent).and_then(|bin| world.handle(ServeTwimlBin(bin)).ok());
            let performer = Arc::clone(&performer);
            let fax = effect.fax.map(tracing::field::display);
            let span = tracing::info_span!("effect", fax, does = effect.intent.kind().as_str());
            let handle = tasks.spawn(async move { performer.perform(&signer, effect, bin).await }.instrument(span));
            begun.insert(handle.id(), begin);
        }
        let wait = work.wait.map(|wait| wait.min(SLEEP_MAX));
        tokio::select! {
            Some(ended) = tasks.join_next_with_id() => {
                let (task, outcome) = match ended {
                    Ok((task, outcome)) => (task, outcome),
                    Err(error) => {
                        // The engine still needs a result; otherwise it would wait for this effect forever.
                        tracing::error!(
                            %error,
                            "an effect panicked because of a fault in the emulator; please report it"
                        );
                        (error.id(), EffectResult::Lost)
                    }
                };
                if let Some(Begun { id, generation, host }) = begun.remove(&task) {
                    lanes.done(&host);
                    // Refused only if the world has broken, in which case nobody needs the result.
                    let _ = world.handle(Completion { effect: id, generation, outcome });
                }
            }
            () = world.woken() => {
                // Let calls in progress finish first, so that one iteration starts all their effects.
                tokio::task::yield_now().await;
            }
            () = sleep(wait), if wait.is_some() => {}
        }
    }
}

/// Frees replaced state on the blocking pool: freeing a large state would delay other tasks.
#[expect(clippy::disallowed_methods, reason = "freeing a large state takes a while, and no call waits for the result")]
fn free(discarded: Vec<Discarded>) {
    drop(tokio::task::spawn_blocking(move || drop(discarded)));
}

async fn sleep(wait: Option<Duration>) {
    pause(wait.unwrap_or_default()).await;
}

/// Sleeps in real time, whatever the world's clock shows.
#[expect(clippy::disallowed_methods, reason = "only the driver sleeps until a world's deadline")]
pub(crate) async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}

/// The data about an effect in progress that is needed to report its result.
struct Begun {
    id: EffectId,
    generation: Generation,
    host: Arc<str>,
}

/// Queued effects, in one lane per destination host and port. Lanes take turns.
#[derive(Default)]
struct Lanes {
    under_way: usize,
    lanes: BTreeMap<Arc<str>, Lane>,
    /// Lanes that may start an effect, in turn order; each is listed at most once.
    ready: VecDeque<Arc<str>>,
}

#[derive(Default)]
struct Lane {
    under_way: usize,
    waiting: VecDeque<Effect>,
    is_ready: bool,
}

impl Lanes {
    fn push(&mut self, effect: Effect) {
        let intent = Arc::clone(&effect.intent);
        let host = host(&intent);
        let Some(lane) = self.lanes.get_mut(host) else {
            let host = Arc::from(host);
            self.lanes.insert(Arc::clone(&host), Lane { waiting: VecDeque::from([effect]), ..Lane::default() });
            self.make_ready(&host);
            return;
        };
        lane.waiting.push_back(effect);
        // A lane that already had waiting effects is either in `ready` or at its limit; in the second case, `done`
        // makes it ready later.
        if lane.waiting.len() == 1 {
            self.make_ready(&Arc::from(host));
        }
    }

    /// Takes the next effect to start, and drops effects from other generations on the way.
    fn next(&mut self, generation: Generation) -> Option<(Arc<str>, Effect)> {
        while self.under_way < UNDER_WAY_MAX {
            let host = self.ready.pop_front()?;
            // The lane exists: only empty lanes are removed, and a lane in `ready` has waiting effects.
            let Some(lane) = self.lanes.get_mut(&host) else { continue };
            lane.is_ready = false;
            let effect = lane.waiting.pop_front();
            let current = effect.filter(|effect| effect.generation == generation);
            if current.is_some() {
                lane.under_way += 1;
                self.under_way += 1;
            }
            self.make_ready(&host);
            if let Some(effect) = current {
                return Some((host, effect));
            }
        }
        None
    }

    fn done(&mut self, host: &Arc<str>) {
        self.under_way -= 1;
        if let Some(lane) = self.lanes.get_mut(host) {
            lane.under_way -= 1;
        }
        self.make_ready(host);
    }

    /// Gives a lane a turn if it may start an effect, and removes the lane if it is empty.
    fn make_ready(&mut self, host: &Arc<str>) {
        // All callers pass a lane that exists. A missing one would have no effects to start.
        let Some(lane) = self.lanes.get_mut(host) else { return };
        if lane.waiting.is_empty() && lane.under_way == 0 {
            self.lanes.remove(host);
        } else if !lane.is_ready && !lane.waiting.is_empty() && lane.under_way < UNDER_WAY_PER_HOST_MAX {
            lane.is_ready = true;
            self.ready.push_back(Arc::clone(host));
        }
    }
}

/// Returns an effect's destination host and port as spelled in the URL; two spellings of one host get two lanes.
fn host(intent: &Intent) -> &str {
    let url: &str = match intent {
        Intent::FetchDocument { url, .. } => url,
        Intent::Render(_) => return RENDERING,
        Intent::AskForTwiml(request) => &request.url,
        Intent::Deliver(notice) => &notice.url,
        Intent::NotifyOfMessage(notice) => &notice.url,
        Intent::Report(report) => &report.url,
    };
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    // Userinfo ends at the last `@`, because a password may contain unescaped ones.
    authority.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::DocumentPolicy;
    use crate::model::fax::Quality;
    use crate::model::sid::FaxSid;

    fn fetch(id: u64, url: &str) -> Effect {
        let fax = Some(FaxSid::from_bytes([0; 16]));
        let generation = Generation::default();
        let (quality, documents) = (Quality::Fine, DocumentPolicy::Lenient);
        let intent = Intent::FetchDocument { url: url.into(), quality, documents };
        Effect { id: EffectId::from_number(id), generation, fax, intent: Arc::new(intent) }
    }

    #[test]
    fn a_hung_host_does_not_delay_the_others() {
        let mut lanes = Lanes::default();
        for id in 0..2_000 {
            lanes.push(fetch(id, "http://hangs/a.pdf"));
        }
        lanes.push(fetch(9_999, "http://answers/b.pdf"));
        let begun: Vec<_> = std::iter::from_fn(|| lanes.next(Generation::default())).collect();
        assert_eq!(begun.len(), UNDER_WAY_PER_HOST_MAX + 1);
        assert_eq!(begun[1].1.id.number(), 9_999);
        lanes.done(&begun[0].0);
        assert_eq!(lanes.next(Generation::default()).map(|(_, effect)| effect.id.number()), Some(1_024));
    }

    #[test]
    fn a_lane_is_named_after_its_host_and_port_without_credentials() {
        for (url, lane) in [
            ("http://app.test/fax.pdf", "app.test"),
            ("https://app.test:8443/a@b?c#d", "app.test:8443"),
            ("http://user:p@ss@[::1]:80?x=@y", "[::1]:80"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(host(&fetch(1, url).intent), lane, "{url}");
        }
    }

    #[test]
    fn empty_lanes_are_removed() {
        let mut lanes = Lanes::default();
        lanes.push(fetch(1, "http://one/a.pdf"));
        let (host, _) = lanes.next(Generation::default()).expect("one effect waits");
        lanes.done(&host);
        assert!(lanes.lanes.is_empty() && lanes.ready.is_empty());
    }
}
