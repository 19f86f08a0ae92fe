//! What the calls of one MCP server share: the emulator, and the permit for the one check that may run at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::client::answers;
use super::error::ToolError;
use crate::client::Endpoint;
use crate::io::client::ClientOptions;

/// How long a server that ends waits for a canceled check to put back what it has changed.
const CHECK_END_MAX: Duration = Duration::from_secs(30);

/// An order to start an emulator in place of one that has ended. The reply is its address, or the reason that there is none.
pub type Order = oneshot::Sender<Result<Endpoint, String>>;

/// The emulator that an MCP server drives.
#[derive(Debug, Clone)]
pub struct Home {
    /// Shared by the clones, because another emulator may take its place.
    endpoint: Arc<Mutex<Endpoint>>,
    /// Where to order another emulator when this one has ended; `None` if nobody would start one.
    orders: Option<mpsc::Sender<Order>>,
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
        Self { account, is_local: true, ..Self::served(endpoint, client) }
    }

    /// Lets the tools order another emulator when this one has ended.
    #[must_use]
    pub fn with_orders(self, orders: mpsc::Sender<Order>) -> Self {
        Self { orders: Some(orders), ..self }
    }

    /// Describes the emulator that serves the tools itself, over HTTP.
    #[must_use]
    pub fn served(endpoint: Endpoint, client: ClientOptions) -> Self {
        let (endpoint, turn) = (Arc::new(Mutex::new(endpoint)), Arc::new(Semaphore::new(1)));
        Self { endpoint, orders: None, account: None, client, is_local: false, turn }
    }

    /// Returns the address of the emulator.
    pub(super) fn endpoint(&self) -> Endpoint {
        // A panic while the lock is held can't leave the address half written.
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Called after a tool has failed: if the emulator has ended, orders another one, and returns what to tell the assistant.
    /// The call isn't repeated, since the assistant has to know that everything is gone.
    pub(super) async fn replaced(&self) -> Option<ToolError> {
        let orders = self.orders.as_ref()?;
        let lost = self.endpoint();
        if !matches!(answers(&lost).await, Ok(false)) {
            return None;
        }
        let (order, reply) = oneshot::channel();
        // Fails if another call has already got an emulator, or the server ends.
        orders.send(order).await.ok()?;
        let reply = reply.await.ok()?;
        if let Ok(endpoint) = &reply {
            *self.endpoint.lock().unwrap_or_else(PoisonError::into_inner) = endpoint.clone();
        }
        Some(ToolError::ended(&lost, reply.err().as_deref()))
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
