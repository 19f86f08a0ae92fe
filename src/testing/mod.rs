//! The emulator as a library for Rust tests. The [crate's front page](crate) is the guide; this module contains the
//! types.
//!
//! | type | meaning |
//! |---|---|
//! | [`Emulator`], [`Builder`] | a running emulator on a port, and the options that it starts with |
//! | [`Account`] | one test's isolated world: numbers, faxes, clock, rules, journal |
//! | [`Number`] | a telephone number of the account, with its webhooks |
//! | [`Receive`], [`Document`], [`Conversation`] | an incoming fax: the call, the document and the outcome |
//! | [`SendFax`] | an outgoing fax, as the app would request it |
//! | [`AccountClock`] | the account's clock |
//! | [`AccountRules`], [`rules`] | rules that make things go wrong on purpose |
//! | [`Expect`] | events that the journal is expected to contain |
//! | [`CheckApp`] | checks of the app under test |
//!
//! The types call the worlds directly instead of over HTTP, with the same effects as the control API. A complete test
//! of an app that receives faxes:
//!
//! ```
//! use fauxfax::{Document, Emulator, Expect, Outcome, Status};
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
//! account.verify(Expect::webhook().status(Status::Received).times(1))?;
//! # Ok(())
//! # }
//! ```

mod account;
mod check;
mod clock;
mod error;
mod expect;
mod receive;
pub mod rules;
mod send;

use std::fmt;
use std::net::SocketAddr;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use self::account::{Account, Number};
pub use self::check::CheckApp;
pub use self::clock::AccountClock;
pub use self::error::Error;
pub use self::expect::Expect;
pub use self::receive::{Conversation, Document, Outcome, Receive};
pub use self::rules::AccountRules;
pub use self::send::SendFax;
use crate::config::Config;
use crate::emulator::{self, AccountSetup};
use crate::model::time::Pace;
use crate::server::{Server, StartError};

/// A running emulator, which stops when dropped.
///
/// One emulator can serve all tests of a program: each test creates its own [`Account`].
#[must_use = "the emulator stops when it is dropped"]
pub struct Emulator {
    registry: emulator::Registry,
    address: SocketAddr,
    /// Stops the server when the sender is dropped.
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

/// The options that an emulator starts with; [`start`](Self::start) opens its port.
///
/// ```
/// use fauxfax::Emulator;
/// use fauxfax::model::time::Pace;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::builder().seed(42).pace(Pace::Times(100.0)).start().await?;
/// # drop(emulator);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing starts before start()"]
pub struct Builder(Config);

impl Emulator {
    /// Returns the default options for tests: a free port on 127.0.0.1, seed 1, and transmissions that take no time.
    pub fn builder() -> Builder {
        // Loopback only, so that a test isn't exposed to the network; port 0, so that tests can run in parallel.
        let config = Config { listen: ([127, 0, 0, 1], 0).into(), pace: Pace::Max, ..Config::default() };
        Builder(config)
    }

    /// Returns the base URL of the REST and control APIs, such as `http://127.0.0.1:49152`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Creates an account: an isolated world with a new SID, a new token and no numbers.
    ///
    /// ```
    /// # use fauxfax::Emulator;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = Emulator::builder().start().await?;
    /// let (first, second) = (emulator.account()?, emulator.account()?);
    /// assert_ne!(first.sid(), second.sid());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::CreateAccount`] if the emulator already holds the maximum number of accounts (10,000), all of which
    /// are in use; an account that has done nothing since it was created makes room.
    pub fn account(&self) -> Result<Account, Error> {
        self.account_as(AccountSetup::default())
    }

    /// Creates an account with a given SID, token, numbers or options; a missing SID or token is generated.
    ///
    /// ```
    /// use fauxfax::emulator::AccountSetup;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// let setup = AccountSetup { auth_token: Some("s3cret".into()), ..AccountSetup::default() };
    /// let account = emulator.account_as(setup)?;
    /// assert_eq!(account.auth_token(), "s3cret");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::CreateAccount`] if the SID is taken, or the emulator already holds 10,000 accounts, none of
    /// which may be dropped.
    pub fn account_as(&self, setup: AccountSetup) -> Result<Account, Error> {
        Ok(Account::new(self.registry.create(setup)?, self.url(), self.registry.clone()))
    }

    /// Returns the default account, which exists from the start and has the configured numbers.
    ///
    /// # Errors
    /// Never fails while the emulator is running: the default account can't be removed.
    pub fn default_account(&self) -> Result<Account, Error> {
        let sid = self.registry.default_account();
        let world = self.registry.world(sid).ok_or(Error::NoAccount(sid))?;
        Ok(Account::new(world, self.url(), self.registry.clone()))
    }

    /// Stops the emulator and waits until its port is closed. Dropping the emulator stops it too, but doesn't wait.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = fauxfax::Emulator::builder().start().await?;
    /// let address = emulator.url().trim_start_matches("http://").to_owned();
    /// emulator.stop().await;
    /// assert!(tokio::net::TcpStream::connect(address).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stop(mut self) {
        self.stop = None;
        if let Some(server) = self.server.take() {
            // Even if the server's task has panicked, the port is closed, which is all that a caller waits for.
            let _ = server.await;
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop = None;
        // The runtime may be gone before the server's task runs again, so the worlds are closed here instead.
        self.registry.announce_stop();
        self.registry.close();
    }
}

impl Builder {
    /// Sets the seed of SIDs, jitter and random draws. It is 1 by default, so that every run of a test is the same.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.0.seed = Some(seed);
        self
    }

    /// Sets the speed of transmissions relative to a real line; by default they take no time.
    pub const fn pace(mut self, pace: Pace) -> Self {
        self.0.pace = pace;
        self
    }

    /// Sets whether accounts are pedantic: they deviate from their usual behaviour, but only in ways in which the real
    /// service may, too. The seed decides when. A test of a correct app passes with any seed. Off by default; an
    /// [`AccountSetup`] may decide otherwise.
    ///
    /// ```
    /// use fauxfax::Emulator;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = Emulator::builder().seed(42).pedantic(true).start().await?;
    /// # drop(emulator);
    /// # Ok(())
    /// # }
    /// ```
    pub const fn pedantic(mut self, pedantic: bool) -> Self {
        self.0.pedantic = pedantic;
        self
    }

    /// Sets the address and port to listen on, instead of a free port on 127.0.0.1.
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.0.listen = address;
        self
    }

    /// Changes any other setting of `fauxfax serve`.
    ///
    /// ```
    /// use fauxfax::Emulator;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let builder = Emulator::builder().configure(|config| config.media_budget_bytes = 10_000_000);
    /// let emulator = builder.start().await?;
    /// # drop(emulator);
    /// # Ok(())
    /// # }
    /// ```
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.0);
        self
    }

    /// Opens the port and serves on the current Tokio runtime until the emulator is stopped or dropped.
    ///
    /// # Errors
    /// Fails if the port is taken, a file named in the settings can't be used, or a configured account can't be
    /// created.
    #[expect(clippy::disallowed_methods, reason = "the emulator of a test runs as a task")]
    pub async fn start(self) -> Result<Emulator, StartError> {
        let config = Config { seed: self.0.seed.or(Some(1)), ..self.0 };
        let server = Server::bind(&config).await?;
        let (address, registry) = (server.address(), server.registry().clone());
        let (stop, stopped) = oneshot::channel();
        let running = Handle::current().spawn(async {
            // The sender is never used, only dropped; dropping it is the signal.
            let served = server.serve(async { drop(stopped.await) }).await;
            if let Err(error) = served {
                tracing::error!(%error, "the worlds could not be saved");
            }
        });
        Ok(Emulator { registry, address, stop: Some(stop), server: Some(running) })
    }
}
