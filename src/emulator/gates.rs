//! Limits on control calls that take much memory or time: only a few run concurrently, and the others are queued.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a call waits for its turn before it fails with 503.
const TURN_WAIT_MAX: Duration = Duration::from_secs(30);
/// The maximum number of states that are read or written concurrently; each may contain a whole world as JSON.
const STATES_AT_ONCE: usize = 1;
/// The maximum number of expectations that are concurrently compared with journals.
const VERIFIES_AT_ONCE: usize = 2;

/// The queues for calls that take turns.
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
    /// Waits for a permit to read or write a state; `None` after [`TURN_WAIT_MAX`].
    pub(crate) async fn state(&self) -> Option<OwnedSemaphorePermit> {
        turn(&self.states, TURN_WAIT_MAX).await
    }

    /// Waits for a permit to verify an expectation; `None` after [`TURN_WAIT_MAX`].
    pub(crate) async fn verify(&self) -> Option<OwnedSemaphorePermit> {
        turn(&self.verifies, TURN_WAIT_MAX).await
    }
}

async fn turn(gate: &Arc<Semaphore>, patience: Duration) -> Option<OwnedSemaphorePermit> {
    // The semaphore is never closed, so `None` always means that the time ran out.
    timeout(patience, Arc::clone(gate).acquire_owned()).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_waits_for_its_turn_but_not_forever() {
        let gates = Gates::default();
        let held = gates.state().await.expect("the gate is free");
        assert!(turn(&gates.states, Duration::ZERO).await.is_none(), "one at a time");
        let (next, ()) = tokio::join!(gates.state(), async { drop(held) });
        assert!(next.is_some());
        assert!(gates.verify().await.is_some(), "verification has a gate of its own");
    }
}
