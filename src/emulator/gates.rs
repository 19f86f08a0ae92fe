//! Calls that take much memory or time, of which few are answered at once; the others wait their turn. It answers none.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a call waits for its turn; then it is answered 503.
const TURN_WAIT_MAX: Duration = Duration::from_secs(30);
/// States that are read or written at once.
const STATES_AT_ONCE: usize = 1;
/// Expectations that are compared with journals at once.
const VERIFIES_AT_ONCE: usize = 2;

/// The calls that take turns.
pub(crate) struct Gates {
    states: Arc<Semaphore>,
    verifies: Arc<Semaphore>,
}

impl Default for Gates {
    fn default() -> Self {
        let gate = |at_once| Arc::new(Semaphore::new(at_once));
        Self { states: gate(STATES_AT_ONCE), verifies: gate(VERIFIES_AT_ONCE) }
    }
}

impl Gates {
    /// The turn of a state, until it is dropped; none where it didn't come in time.
    pub(crate) async fn state(&self) -> Option<OwnedSemaphorePermit> {
        turn(&self.states, TURN_WAIT_MAX).await
    }

    /// The turn of an expectation, until it is dropped; none where it didn't come in time.
    pub(crate) async fn verify(&self) -> Option<OwnedSemaphorePermit> {
        turn(&self.verifies, TURN_WAIT_MAX).await
    }
}

async fn turn(gate: &Arc<Semaphore>, patience: Duration) -> Option<OwnedSemaphorePermit> {
    timeout(patience, Arc::clone(gate).acquire_owned()).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_while_others_have_the_turn_waits_for_it_and_not_for_ever() {
        let gates = Gates::default();
        let held = gates.state().await.expect("it is free");
        assert!(turn(&gates.states, Duration::ZERO).await.is_none(), "one at a time");
        let (next, ()) = tokio::join!(gates.state(), async { drop(held) });
        assert!(next.is_some());
        assert!(gates.verify().await.is_some(), "the others have gates of their own");
    }
}
