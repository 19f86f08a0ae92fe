//! Starts the emulator: takes a configuration, opens the ports and serves them until it is stopped.

mod answering;
pub mod ca;
mod established;
mod exchange_log;
mod gateway;
mod host;
mod initial_accounts;
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
#[cfg(feature = "mcp")]
mod tools;
#[cfg(not(feature = "mcp"))]
#[path = "without_tools.rs"]
mod tools;
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
use self::exchange_log::ExchangeLog;
use self::gateway::Gateway;
pub use self::leftover::ReturnedBody;
use self::listener::BACKLOG;
pub use self::listener::{GRACE, run};
use self::policy::Policy;
use self::proxy::Proxy;
pub use self::state::StateFileError;
use self::tls::Terminator;
use self::tools::Tools;
use crate::config::Config;
use crate::emulator::{CreateWorldError, GuardOptions, Registry, Settings};
use crate::engine::WorldOptions;
use crate::http::{self, CaFile, CaFiles, Checks};
use crate::io::budget::Budget;
use crate::io::client::{Client, ClientError, ClientOptions};
use crate::io::render::{RenderOptions, Renderer};
use crate::model::account::PriceFormat;

/// The size of a connection's send buffer. By default Linux buffers up to 4 MB, so an event stream would run that far
/// ahead of a reader that has stopped. On a local network the smaller buffer is no slower.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// The reason the emulator can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address can't be listened on, for example because some other program uses it.
    #[error("can't listen on {address}: {error}{}", hint(.error))]
    Listen {
        /// The address as configured.
        address: SocketAddr,
        /// The system error.
        error: io::Error,
    },
    /// The `--font-dir` folder can't be read.
    #[error("can't read the fonts in {}: {error}", .directory.display())]
    Fonts {
        /// The folder as configured.
        directory: PathBuf,
        /// The system error.
        error: io::Error,
    },
    /// The `--state` file can't be used.
    #[error(transparent)]
    State(#[from] StateFileError),
    /// The HTTP client for webhooks can't be created.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The tools of the Model Context Protocol can't be served.
    #[error("--mcp: can't serve the Model Context Protocol: {0}")]
    Tools(String),
    /// A configured account can't be created.
    #[error(transparent)]
    Found(#[from] CreateWorldError),
}

/// An emulator whose ports are open. Connections are accepted once [`Server::serve`] runs.
pub struct Server {
    /// The port of `--listen`, followed by the port of `--tls-listen` if there is one.
    ports: Vec<Port>,
    registry: Registry,
    ca: LocalCa,
    proxy: Arc<Proxy>,
    terminator: Arc<Terminator>,
    tools: Tools,
    /// The permits for client connections, which all ports share.
    places: Arc<Semaphore>,
    /// The file that the worlds are saved to on a clean stop.
    state: Option<PathBuf>,
}

struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Opens the ports and creates the configured worlds.
    ///
    /// # Errors
    /// Fails if a port can't be opened, a file or folder named in the configuration can't be used, or a configured
    /// account can't be created.
    #[expect(clippy::unused_async, reason = "a port needs a runtime, and an async function has one")]
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        // The ports come first: the system may choose their numbers, which the client and the policy need.
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
            private_only: config.private_apps_only,
            twiml_types: config.twiml_types,
            signature_headers: config.signature_headers,
            budget: Budget::new(config.body_budget_bytes),
        };
        let client = Client::new(&options)?;
        let tools = Tools::new(config, addresses[0])?;
        let policy = Arc::new(Policy::new(config, &addresses));
        let ca = LocalCa::new(config.ca_dir.clone());
        let settings = settings(config);
        let origin = config.public_url.clone().unwrap_or_else(|| own_origin(ports[0].address));
        let setup = |(place, account)| initial_accounts::setup(account, place, &origin, settings.seed);
        let mut accounts = config.initial_accounts().into_iter().enumerate().map(setup);
        // The configuration has at least the built-in account, so the default is never used.
        let (default, others) = (accounts.next().unwrap_or_default(), accounts.collect());
        let (renderer, forwarding) = (renderer(config)?, client.clone());
        let registry = Registry::with_renderer(settings, (client, renderer), default, others, Handle::current())?;
        if let Some(path) = &config.state {
            // Checked now, because a failure on stopping would lose the worlds.
            state::check(path)?;
            if state::load(&registry, path)?
                && let Some(flag) = overridden(config)
            {
                tracing::warn!(
                    path = %path.display(),
                    "{flag} has no effect until a reset, because the numbers of the default account are loaded from this file"
                );
            }
        }
        let state = config.state.clone();
        let terminator = Arc::new(Terminator::new(ca.clone(), Arc::clone(&policy)));
        let places = listener::places();
        let proxy = Arc::new(Proxy::new(policy, forwarding, Arc::clone(&places)));
        Ok(Self { ports, registry, ca, proxy, terminator, tools, places, state })
    }

    /// Returns the address of the first port, with the port number that the system chose for port 0.
    ///
    /// # Panics
    /// Never panics: a server always has a port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.ports[0].address
    }

    /// Returns the address of `--tls-listen`, if it was configured.
    #[must_use]
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.ports.get(1).map(|port| port.address)
    }

    /// Returns the local CA, whose files are created when they are first needed.
    #[must_use]
    pub const fn ca(&self) -> &LocalCa {
        &self.ca
    }

    /// Returns the registry of the worlds that the server serves.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Completes once each world has been idle, with no fax in progress and no webhook pending. The worlds are awaited
    /// one after the other.
    pub fn idle(&self) -> impl Future<Output = ()> + use<> {
        let registry = self.registry.clone();
        async move {
            for world in registry.worlds() {
                world.until(|engine| engine.is_idle().then_some(())).await;
            }
        }
    }

    /// Serves until `stop` completes, then saves the worlds if a file is configured, and closes them.
    ///
    /// # Errors
    /// Fails if the state file can't be written, or the worlds of some accounts can't be saved.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), StateFileError> {
        let (stopping, stopped) = watch::channel(false);
        let (files, checks) = (ca_files(&self.ca), Checks::default());
        let serving = self.ports.into_iter().map(|port| {
            let gateway = Arc::new(Gateway {
                surface: http::service_with(self.registry.clone(), port.address, Some(&files), &checks)
                    .with_tools(self.tools.router()),
                proxy: Arc::clone(&self.proxy),
                terminator: Arc::clone(&self.terminator),
            });
            let mut stopped = stopped.clone();
            // An error means that the sender is gone, which counts as a stop.
            let stop = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
            listener::accept(port.listener, Arc::clone(&self.places), stop, move |stream, peer, stopping| {
                Arc::clone(&gateway).serve(stream, peer, stopping)
            })
        });
        let registry = self.registry.clone();
        let stop = async {
            stop.await;
            // Ended first, because runs of checks call this emulator to put everything back.
            checks.end_all().await;
            // Stopped while the emulator still responds, because a running check calls it to put back what it changed.
            self.tools.stop().await;
            // Done before the ports close, so that waiting requests are answered before their connections end.
            registry.announce_stop();
            // Fails only if no port listens any more.
            let _ = stopping.send(true);
        };
        let mut log = ExchangeLog::new(self.registry.clone());
        tokio::select! {
            _ = async { tokio::join!(stop, join_all(serving)) } => {}
            () = log.follow() => {}
        }
        // What the last requests did may not have been read from the feed yet.
        log.catch_up();
        // Saved after the last request and before the worlds are closed, so that the file is complete.
        let saved = self.state.as_ref().map_or(Ok(()), |path| state::save(&self.registry, path));
        self.registry.close();
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

/// Opens a port whose connections buffer only [`SEND_BUFFER_BYTES`] for a client that stops reading.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // `TcpListener::bind` sets this option too. On Windows it would let two programs share a port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Warns if other machines can reach the control API, which reveals tokens and stored faxes and can make the emulator
/// call any address.
fn warn_if_open_to_others(config: &Config, listening: &[SocketAddr]) {
    let open = listening.iter().find(|address| !address.ip().to_canonical().is_loopback());
    if let (Some(address), None) = (open, &config.control_token) {
        tracing::warn!(
            %address,
            "anyone who can reach this port can use the control API; set --control-token, or listen on 127.0.0.1 only"
        );
    }
}

/// Returns a function that reads the CA's files, for the control API. The CA is created when a file is first requested.
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
    if config.render_program.is_some() && !cfg!(target_os = "linux") {
        tracing::info!("this system can't limit the memory that a document takes to render");
    }
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
        options: WorldOptions {
            pace: config.pace,
            callbacks: config.callbacks,
            documents: config.documents,
            accounts: config.accounts,
            is_pedantic: config.pedantic,
            media_budget_bytes: config.media_budget_bytes,
        },
        price: PriceFormat { form: config.price, sign: config.price_sign },
        service: config.service,
        public_url: config.public_url.clone(),
        media_user_agent: config.media_user_agent,
        guard: GuardOptions {
            allow_hosts: config.allow_hosts.clone(),
            allow_origins: config.allow_origins.clone(),
            control_token: config.control_token.clone(),
            protect_media: config.protect_media,
        },
    }
}

/// Returns the first setting of the default number that a loaded state overrides.
fn overridden(config: &Config) -> Option<&'static str> {
    let of_number = [
        (config.fax_url.is_some(), "--fax-url"),
        (config.fax_twiml.is_some(), "--fax-twiml"),
        (config.status_callback.is_some(), "--status-callback"),
    ];
    of_number.into_iter().find(|(is_given, _)| *is_given).map(|(_, flag)| flag)
}

/// Returns the scheme and host under which this machine reaches the emulator.
fn own_origin(address: SocketAddr) -> Arc<str> {
    let ip = address.ip().to_canonical();
    let is_here = ip.is_loopback() || ip.is_unspecified();
    if is_here { format!("http://localhost:{}", address.port()) } else { format!("http://{address}") }.into()
}

/// Draws a seed that a person can type: 32 bits of the randomness that the standard library seeds its hash maps with.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) >> 32
}

fn hint(error: &io::Error) -> &'static str {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; other errors speak for themselves")]
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            " (is another fauxfax running? stop it, or choose a free port with --listen 127.0.0.1:0)"
        }
        io::ErrorKind::PermissionDenied => " (ports below 1024 need privileges; choose another with --listen)",
        _ => "",
    }
}
