//! Starting the emulator on a port: configuration in, a bound listener out. It knows no route and prints nothing.

mod listener;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::runtime::Handle;

pub use self::listener::{GRACE, run};
use crate::config::{Config, ConfiguredAccount};
use crate::emulator::{AccountSetup, Emulator, FoundError, Settings};
use crate::engine::Rules;
use crate::http;
use crate::io::client::{Client, ClientError, ClientOptions};

/// Why the emulator can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error("can't listen on {address}: {error}{}", hint(.error))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// The client of webhooks can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The configured accounts can't be founded.
    #[error(transparent)]
    Found(#[from] FoundError),
}

/// An emulator whose port is open; it answers once `serve` runs.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    emulator: Emulator,
}

impl Server {
    /// Founds the configured worlds and opens the port.
    ///
    /// # Errors
    /// The port is taken, or the configuration doesn't hold together.
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        let listen = |error| StartError::Listen { address: config.listen, error };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let client = Client::new(&ClientOptions {
            connect_to: config.connect_to.clone(),
            trust_ca: config.trust_ca.iter().map(|trusted| trusted.pem.clone()).collect(),
            insecure: config.insecure_webhooks,
        })?;
        let mut accounts = config.founding_accounts().into_iter().map(setup);
        let default = accounts.next().unwrap_or_default();
        let emulator = Emulator::new(settings(config), client, default, accounts.collect(), Handle::current())?;
        Ok(Self { listener, address, emulator })
    }

    /// The address that is listened on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The emulator.
    #[must_use]
    pub const fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// Serves until `stop` is ready, then closes the worlds.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let emulator = self.emulator.clone();
        let stop = async move {
            stop.await;
            emulator.announce_stop();
        };
        run(self.listener, http::service(self.emulator.clone(), self.address), stop).await;
        self.emulator.close();
    }
}

fn settings(config: &Config) -> Settings {
    Settings {
        seed: config.seed.unwrap_or_else(random_seed),
        rules: Rules {
            pace: config.pace,
            callbacks: config.callbacks,
            documents: config.documents,
            accounts: config.accounts,
            media_budget_bytes: config.media_budget_bytes,
        },
        price: config.price,
        service: config.service,
        public_url: config.public_url.clone(),
        allow_hosts: config.allow_hosts.clone(),
    }
}

fn setup(account: ConfiguredAccount) -> AccountSetup {
    AccountSetup {
        sid: account.sid,
        auth_token: account.auth_token,
        friendly_name: None,
        dialect: Some(account.dialect),
        callbacks: account.callbacks,
        service: account.service,
        owner: None,
        debugger_url: account.debugger_url,
        numbers: account.numbers,
        caller_ids: account.caller_ids,
    }
}

/// A seed that a person can type again: 32 bits of the randomness the standard library's hash maps start with.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) >> 32
}

fn hint(error: &std::io::Error) -> &'static str {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; other errors speak for themselves")]
    match error.kind() {
        std::io::ErrorKind::AddrInUse => " (is another fauxfax running? choose another port with --listen 127.0.0.1:0)",
        std::io::ErrorKind::PermissionDenied => " (ports below 1024 need privileges; choose another with --listen)",
        _ => "",
    }
}
