//! The emulator as a library for Rust tests: started on a port of its own, an account a test, stopped when dropped.
//! It decides nothing that the control API doesn't, and asks the worlds directly instead of over HTTP.
//!
//! ```
//! use fauxfax::{Document, Emulator, Event, Outcome};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let app = axum::Router::new()
//! #     .route("/fax", axum::routing::post(|| async {
//! #         ([("content-type", "text/xml")], "<Response><Receive action=\"/received\"/></Response>")
//! #     }))
//! #     .route("/received", axum::routing::post(|| async {}));
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let app_url = format!("http://{}", listener.local_addr()?);
//! # tokio::runtime::Handle::current().spawn(async move { axum::serve(listener, app).await });
//! let emulator = Emulator::builder().seed(7).start().await?;
//! let account = emulator.account()?;
//! account.number("+15017122661")?.fax_url(&format!("{app_url}/fax"))?;
//!
//! let conversation = account.receive(Document::pages(2)).await?;
//! assert_eq!(conversation.outcome, Outcome::Received);
//! account.verify(Event::of("webhook.attempt").with("data.params.FaxStatus", "received").times(1))?;
//! # Ok(())
//! # }
//! ```

mod account;
mod clock;
mod error;
mod expect;
mod receive;
pub mod rules;

use std::net::SocketAddr;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use self::account::{Account, Number};
pub use self::clock::AccountClock;
pub use self::error::Error;
pub use self::expect::Event;
pub use self::receive::{Conversation, Document, Outcome, Receive};
pub use self::rules::AccountRules;
use crate::config::Config;
use crate::emulator::{self, AccountSetup};
use crate::model::time::Pace;
use crate::server::{Server, StartError};

/// A running emulator; it stops when it is dropped.
#[must_use = "the emulator stops when it is dropped"]
pub struct Emulator {
    registry: emulator::Emulator,
    address: SocketAddr,
    /// Dropped, it stops the server.
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

/// What an emulator starts with.
#[derive(Debug, Clone)]
#[must_use = "nothing starts before start()"]
pub struct Builder(Config);

impl Emulator {
    /// What can be chosen, with defaults for tests: a port that is free, transmissions that take no time.
    pub fn builder() -> Builder {
        let config = Config { listen: ([127, 0, 0, 1], 0).into(), pace: Pace::Max, ..Config::default() };
        Builder(config)
    }

    /// Where the APIs are, as `http://127.0.0.1:49152`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A new account: a world of its own, which no other test sees.
    ///
    /// # Errors
    /// There are too many.
    pub fn account(&self) -> Result<Account, Error> {
        self.account_as(AccountSetup::default())
    }

    /// A new account with a credential, numbers or choices of its own; what is missing is minted.
    ///
    /// # Errors
    /// The SID is taken, or there are too many.
    pub fn account_as(&self, setup: AccountSetup) -> Result<Account, Error> {
        Ok(Account::new(self.registry.found(setup)?, self.url(), self.registry.renderer().clone()))
    }

    /// The account that a client without one of its own would use: the built-in default.
    ///
    /// # Errors
    /// None in practice: the default account stays.
    pub fn default_account(&self) -> Result<Account, Error> {
        let sid = self.registry.default_account();
        let world = self.registry.world(sid).ok_or(Error::NoAccount(sid))?;
        Ok(Account::new(world, self.url(), self.registry.renderer().clone()))
    }

    /// Stops and waits until the port is closed; dropping stops too, but doesn't wait.
    pub async fn stop(mut self) {
        self.stop = None;
        if let Some(server) = self.server.take() {
            // A server that has ended in whatever way has stopped.
            let _ = server.await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop = None;
        self.registry.announce_stop();
        self.registry.close();
    }
}

impl Builder {
    /// What SIDs, jitter and chance follow from; 1 where nothing is said, so that a test sees the same each time.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.0.seed = Some(seed);
        self
    }

    /// How many times faster than a real line a fax goes; at once where nothing is said.
    pub const fn pace(mut self, pace: Pace) -> Self {
        self.0.pace = pace;
        self
    }

    /// Where it listens, instead of a free port of 127.0.0.1.
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.0.listen = address;
        self
    }

    /// Any other setting of `serve`.
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.0);
        self
    }

    /// Opens the port; the emulator runs on the current runtime.
    ///
    /// # Errors
    /// The port is taken, or the configuration doesn't hold together.
    #[expect(clippy::disallowed_methods, reason = "the emulator of a test runs as a task")]
    pub async fn start(self) -> Result<Emulator, StartError> {
        let config = Config { seed: self.0.seed.or(Some(1)), ..self.0 };
        let server = Server::bind(&config).await?;
        let (address, registry) = (server.address(), server.emulator().clone());
        let (stop, stopped) = oneshot::channel();
        let running = Handle::current().spawn(async {
            // Dropping the sender means the same as sending.
            let served = server.serve(async { drop(stopped.await) }).await;
            if let Err(error) = served {
                tracing::error!(%error, "the worlds could not be saved");
            }
        });
        Ok(Emulator { registry, address, stop: Some(stop), server: Some(running) })
    }
}
