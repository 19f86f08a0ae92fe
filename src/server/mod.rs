//! Starting the emulator on a port: configuration in, a bound listener out. It knows no route and prints nothing.

mod answering;
pub mod ca;
mod established;
mod gateway;
mod head_timer;
mod host;
mod leftover;
mod listener;
mod peer;
pub mod policy;
mod proxy;
mod reset;
mod state;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "without_tls.rs"]
mod tls;
mod tunnel;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use self::ca::{LocalCa, Roots};
use self::gateway::Gateway;
pub use self::leftover::Lent;
use self::listener::BACKLOG;
pub use self::listener::{GRACE, run};
use self::policy::Policy;
use self::proxy::Proxy;
pub use self::state::StateFileError;
use self::tls::Terminator;
use crate::config::{Config, ConfiguredAccount};
use crate::emulator::{AccountSetup, Emulator, FoundError, GuardOptions, Settings};
use crate::engine::Rules;
use crate::http::{self, CaFile, CaFiles};
use crate::io::budget::Budget;
use crate::io::client::{Client, ClientError, ClientOptions};
use crate::io::render::{RenderOptions, Renderer};

/// What waits in a connection for its client. Left to itself the kernel takes up to 4 MB, and a stream of events is drawn
/// as far ahead of a reader that has stopped; on a local network this much is no slower.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// Why the emulator can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error("can't listen on {address}: {error}{}", hint(.error))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The directory of fonts can't be read.
    #[error("can't read the fonts in {}: {error}", .directory.display())]
    Fonts {
        /// The directory.
        directory: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file of `--state` can't be read, or not be understood.
    #[error(transparent)]
    State(#[from] StateFileError),
    /// The client of webhooks can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The configured accounts can't be founded.
    #[error(transparent)]
    Found(#[from] FoundError),
}

/// An emulator whose ports are open; it answers once `serve` runs.
pub struct Server {
    /// The port of everything, and that of TLS if there is one.
    ports: Vec<Port>,
    emulator: Emulator,
    ca: LocalCa,
    proxy: Arc<Proxy>,
    terminator: Arc<Terminator>,
    /// The connections of clients that there may be, on all ports together.
    places: Arc<Semaphore>,
    /// Where the worlds are written at the end.
    state: Option<PathBuf>,
}

struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Founds the configured worlds and opens the ports.
    ///
    /// # Errors
    /// A port is taken, or the configuration doesn't hold together.
    #[expect(clippy::unused_async, reason = "a port needs a runtime, and an async function has one")]
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        let mut ports = vec![Port::open(config.listen)?];
        if let Some(address) = config.tls_listen {
            ports.push(Port::open(address)?);
        }
        let addresses: Vec<SocketAddr> = ports.iter().map(|port| port.address).collect();
        warn_if_open_to_others(config, &addresses);
        let options = ClientOptions {
            connect_to: config.connect_to.clone(),
            trust_ca: config.trust_ca.iter().map(|trusted| trusted.pem.clone()).collect(),
            insecure: config.insecure_webhooks,
            traceparent: config.traceparent,
            own_addresses: addresses.clone(),
            twiml_types: config.twiml_types,
            budget: Budget::new(config.body_budget_bytes),
        };
        let client = Client::new(&options)?;
        // Other traffic of apps goes where it says, untouched.
        let forwarding = Client::new(&ClientOptions { connect_to: Vec::new(), ..options })?;
        let policy = Arc::new(Policy::new(config, &addresses));
        let ca = LocalCa::new(config.ca_dir.clone());
        let mut accounts = config.founding_accounts().into_iter().map(setup);
        let default = accounts.next().unwrap_or_default();
        let renderer = renderer(config)?;
        let (settings, others) = (settings(config), accounts.collect());
        let emulator = Emulator::with_renderer(settings, (client, renderer), default, others, Handle::current())?;
        if let Some(path) = &config.state {
            state::check(path)?;
            state::load(&emulator, path)?;
        }
        let state = config.state.clone();
        let terminator = Arc::new(Terminator::new(ca.clone(), Arc::clone(&policy)));
        let places = listener::places();
        let proxy = Arc::new(Proxy::new(policy, forwarding, Arc::clone(&places)));
        Ok(Self { ports, emulator, ca, proxy, terminator, places, state })
    }

    /// The address that is listened on.
    ///
    /// # Panics
    /// Never: a server has a port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.ports[0].address
    }

    /// The address of `--tls-listen`.
    #[must_use]
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.ports.get(1).map(|port| port.address)
    }

    /// The local CA.
    #[must_use]
    pub const fn ca(&self) -> &LocalCa {
        &self.ca
    }

    /// The emulator.
    #[must_use]
    pub const fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// Ready when nothing is under way in any world: no fax, no webhook.
    pub fn idle(&self) -> impl Future<Output = ()> + use<> {
        let emulator = self.emulator.clone();
        async move {
            for world in emulator.worlds() {
                world.until(|engine| engine.is_idle().then_some(())).await;
            }
        }
    }

    /// Serves until `stop` is ready, then saves the worlds, where a file is set for them, and closes them.
    ///
    /// # Errors
    /// The file can't be written.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), StateFileError> {
        let (stopping, stopped) = watch::channel(false);
        let files = ca_files(&self.ca);
        let serving = self.ports.into_iter().map(|port| {
            let gateway = Arc::new(Gateway {
                surface: http::service_with_ca(self.emulator.clone(), port.address, Some(&files)),
                proxy: Arc::clone(&self.proxy),
                terminator: Arc::clone(&self.terminator),
            });
            let mut stopped = stopped.clone();
            let stop = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
            listener::accept(port.listener, Arc::clone(&self.places), stop, move |stream, peer, stopping| {
                Arc::clone(&gateway).serve(stream, peer, stopping)
            })
        });
        let emulator = self.emulator.clone();
        let stop = async {
            stop.await;
            emulator.announce_stop();
            let _ = stopping.send(true);
        };
        tokio::join!(stop, join_all(serving));
        let saved = self.state.as_ref().map_or(Ok(()), |path| state::save(&self.emulator, path));
        self.emulator.close();
        saved
    }
}

impl Port {
    fn open(address: SocketAddr) -> Result<Self, StartError> {
        let failed = |error| StartError::Listen { address, error };
        let listener = listen(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }
}

/// Opens a port whose connections hold only so much for a client that stops reading.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As `TcpListener::bind` has it: elsewhere the option lets two programs take one port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Whoever reaches the control API reads tokens and stored faxes, and makes the emulator call any address.
fn warn_if_open_to_others(config: &Config, listening: &[SocketAddr]) {
    let open = listening.iter().find(|address| !address.ip().to_canonical().is_loopback());
    if let (Some(address), None) = (open, &config.control_token) {
        tracing::warn!(
            %address,
            "anyone who reaches this port can use the control API; guard it with --control-token, or listen on 127.0.0.1"
        );
    }
}

/// What the control API gives of the CA; it is made when first asked for.
fn ca_files(ca: &LocalCa) -> CaFiles {
    let ca = ca.clone();
    Arc::new(move |file| {
        let authority = ca.authority().map_err(|error| error.to_string())?;
        Ok(match file {
            CaFile::Certificate => authority.pem().to_owned(),
            CaFile::Bundle => Roots::of_system().with(authority.certificate()).pem(),
        })
    })
}

fn renderer(config: &Config) -> Result<Renderer, StartError> {
    let options = RenderOptions {
        program: config.render_program.clone(),
        at_once: None,
        font_directory: config.font_dir.clone(),
        header_line: config.header_line,
        ..RenderOptions::default()
    };
    Renderer::new(options)
        .map_err(|error| StartError::Fonts { directory: config.font_dir.clone().unwrap_or_default(), error })
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
        media_user_agent: config.media_user_agent,
        guard: GuardOptions {
            allow_hosts: config.allow_hosts.clone(),
            allow_origins: config.allow_origins.clone(),
            control_token: config.control_token.clone(),
        },
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
        behaviour: account.rules,
    }
}

/// A seed that a person can type again: 32 bits of the randomness the standard library's hash maps start with.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) >> 32
}

fn hint(error: &io::Error) -> &'static str {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; other errors speak for themselves")]
    match error.kind() {
        io::ErrorKind::AddrInUse => " (is another fauxfax running? choose another port with --listen 127.0.0.1:0)",
        io::ErrorKind::PermissionDenied => " (ports below 1024 need privileges; choose another with --listen)",
        _ => "",
    }
}
