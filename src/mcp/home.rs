//! What the calls of one MCP server share: the emulator, and the permit for the one check that may run at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::client::Endpoint;
use crate::io::client::ClientOptions;

/// How long a stop waits for a canceled check to put back what it has changed.
const CHECK_END_MAX: Duration = Duration::from_secs(30);

/// The emulator that an MCP server drives.
#[derive(Debug, Clone)]
pub struct Home {
    pub(super) endpoint: Endpoint,
    /// The account to act in if a call names none; the emulator's default account if left out.
    pub(super) account: Option<String>,
    /// How the checks' own requests reach an app.
    pub(super) client: ClientOptions,
    /// Whether the client runs on this machine as the same user, so that it may name files.
    pub(super) is_local: bool,
    /// One permit: a check freezes the account's clock and sets its rules aside, so two would disturb each other.
    turn: Arc<Semaphore>,
}

impl Home {
    /// Describes the emulator that a server drives for a client on this machine.
    #[must_use]
    pub fn local(endpoint: Endpoint, account: Option<String>, client: ClientOptions) -> Self {
        Self { endpoint, account, client, is_local: true, turn: Arc::new(Semaphore::new(1)) }
    }

    /// Describes the emulator that serves the tools itself, over HTTP.
    #[must_use]
    pub fn served(endpoint: Endpoint, client: ClientOptions) -> Self {
        Self { endpoint, account: None, client, is_local: false, turn: Arc::new(Semaphore::new(1)) }
    }

    /// Takes the permit to run a check; `None` if a check is running.
    pub(super) fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turn).try_acquire_owned().ok()
    }

    /// Waits until no check is running any more, within a limit.
    pub(super) async fn settled(&self) {
        // An error means that the semaphore is closed, which never happens.
        if timeout(CHECK_END_MAX, self.turn.acquire()).await.is_err() {
            tracing::warn!("a check was still putting back what it had changed");
        }
    }
}
