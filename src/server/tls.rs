//! TLS of clients: a certificate for the host that a client asks for, made on demand and kept for the next. It shows
//! none for a host that the policy doesn't answer for.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert, ServerSessionMemoryCache, StoresServerSessions};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::ca::{CaError, Identity, LocalCa};
use super::policy::Policy;

/// How long a client may take over the handshake; half a ClientHello is held no longer.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Certificates kept, the least used going first: an app uses a handful of hosts, a scan of names may use thousands.
const LEAVES_MAX: usize = 256;
/// Sessions that can be resumed; each takes about 1 KB.
const SESSIONS_MAX: usize = 1_024;
/// What is spoken inside: clients of the API need no other.
const ALPN: &[u8] = b"http/1.1";

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("the emulator stops")]
    Stopped,
    #[error("a client has not finished its TLS handshake within {} s", HANDSHAKE_MAX.as_secs())]
    TooSlow,
    #[error(
        "a client asks by TLS for {0}, which the emulator doesn't answer for; if it reaches the emulator under that name, use --allow-host with one below .docker.internal, .localhost or .test"
    )]
    NotOurs(String),
    #[error(transparent)]
    Ca(#[from] CaError),
    #[error("TLS with a client as {name} failed: {error}{}", advice(.error))]
    Handshake { name: String, error: io::Error },
    #[error("a client sent no TLS that can be read: {0}")]
    NoHello(io::Error),
    #[error("TLS can't be set up: {0}")]
    Library(#[from] rustls::Error),
}

impl TlsError {
    /// Tells a person of what they can put right.
    pub(super) fn log(&self, client: SocketAddr) {
        match self {
            Self::NotOurs(_) | Self::Ca(_) | Self::TooSlow | Self::Library(_) | Self::Handshake { .. } => {
                tracing::warn!(%client, "{self}");
            }
            Self::Stopped => {}
            Self::NoHello(_) => tracing::warn!(%client, "{self}; its connection is closed"),
        }
    }
}

/// A connection through TLS.
pub(super) type Secured<S> = TlsStream<S>;

/// Ends TLS connections.
pub(super) struct Terminator {
    ca: LocalCa,
    policy: Arc<Policy>,
    provider: Arc<CryptoProvider>,
    sessions: Arc<dyn StoresServerSessions>,
    leaves: Mutex<Leaves>,
}

#[derive(Default)]
struct Leaves {
    by_identity: BTreeMap<Identity, Leaf>,
    uses: u64,
}

struct Leaf {
    config: Arc<ServerConfig>,
    last_use: u64,
}

impl Terminator {
    pub(super) fn new(ca: LocalCa, policy: Arc<Policy>) -> Self {
        Self {
            ca,
            policy,
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            sessions: ServerSessionMemoryCache::new(SESSIONS_MAX),
            leaves: Mutex::default(),
        }
    }

    /// Shakes hands as the host that the client asks for, or as `expected` where it names none.
    pub(super) async fn accept<S>(&self, stream: S, expected: Identity) -> Result<Secured<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        timeout(HANDSHAKE_MAX, self.shake_hands(stream, expected)).await.unwrap_or(Err(TlsError::TooSlow))
    }

    async fn shake_hands<S>(&self, stream: S, expected: Identity) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.map_err(TlsError::NoHello)?;
        let asked = start.client_hello().server_name().map(|name| Identity::Host(name.to_ascii_lowercase().into()));
        let identity = asked.unwrap_or(expected);
        match self.config(&identity) {
            Ok(config) => start.into_stream(config).await.map_err(|error| {
                let name = identity.to_string();
                TlsError::Handshake { name, error }
            }),
            Err(error) => {
                // A client that is only cut off can't tell that from a broken network; this is told it by an alert.
                let _ = start.into_stream(self.refusing()?).await;
                Err(error)
            }
        }
    }

    /// How to answer for an identity, from the last time or with a new certificate.
    pub(super) fn config(&self, identity: &Identity) -> Result<Arc<ServerConfig>, TlsError> {
        if let Identity::Host(host) = identity
            && !self.policy.answers_for(host)
        {
            return Err(TlsError::NotOurs(host.to_string()));
        }
        let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        leaves.uses += 1;
        let now = leaves.uses;
        if let Some(leaf) = leaves.by_identity.get_mut(identity) {
            leaf.last_use = now;
            return Ok(Arc::clone(&leaf.config));
        }
        let authority = self.ca.authority()?;
        let (certificate, key) = authority.sign(identity)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        let mut config = builder.with_single_cert(vec![certificate, authority.certificate().clone()], key)?;
        config.session_storage = Arc::clone(&self.sessions);
        config.alpn_protocols = vec![ALPN.to_vec()];
        let config = Arc::new(config);
        leaves.keep(identity.clone(), Leaf { config: Arc::clone(&config), last_use: now });
        Ok(config)
    }

    /// How to refuse a client: with an alert, for there is no certificate.
    fn refusing(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        Ok(Arc::new(builder.with_cert_resolver(Arc::new(Nobody))))
    }
}

impl Leaves {
    fn keep(&mut self, identity: Identity, leaf: Leaf) {
        if self.by_identity.len() >= LEAVES_MAX {
            let oldest = self.by_identity.iter().min_by_key(|(_, leaf)| leaf.last_use);
            if let Some(oldest) = oldest.map(|(identity, _)| identity.clone()) {
                self.by_identity.remove(&oldest);
            }
        }
        self.by_identity.insert(identity, leaf);
    }
}

/// Has no certificate for anyone.
#[derive(Debug)]
struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// What to do about a handshake that the client broke off.
fn advice(error: &io::Error) -> &'static str {
    use rustls::AlertDescription as A;
    let alert = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match alert {
        Some(rustls::Error::AlertReceived(A::UnknownCA | A::BadCertificate | A::CertificateUnknown)) => {
            "; it doesn't trust the local CA: `fauxfax ca trust-hint` says how, and `fauxfax exec` sees to it"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn terminator() -> Terminator {
        let config = Config::default();
        Terminator::new(LocalCa::new(None), Arc::new(Policy::new(&config, &[config.listen])))
    }

    fn host(name: &str) -> Identity {
        Identity::Host(name.into())
    }

    #[test]
    fn a_certificate_is_made_once_for_each_host() {
        let terminator = terminator();
        let first = terminator.config(&host("fax.twilio.com")).expect("signed");
        assert!(Arc::ptr_eq(&first, &terminator.config(&host("fax.twilio.com")).expect("kept")));
        assert!(!Arc::ptr_eq(&first, &terminator.config(&host("api.twilio.com")).expect("signed")));
    }

    #[test]
    fn ten_thousand_names_are_answered_and_few_are_kept() {
        let terminator = terminator();
        let name = |n: usize| host(&format!("fax.e{n}.us1.twilio.com"));
        let first = terminator.config(&host("fax.twilio.com")).expect("signed");
        for n in 0..10_000 {
            terminator.config(&name(n)).expect("signed");
            if n % 100 == 0 {
                let used = terminator.config(&host("fax.twilio.com")).expect("kept");
                assert!(Arc::ptr_eq(&first, &used), "what is used stays");
            }
        }
        assert_eq!(terminator.leaves.lock().expect("no panic").by_identity.len(), LEAVES_MAX);
    }

    #[test]
    fn a_host_that_passes_through_gets_no_certificate() {
        let terminator = terminator();
        for name in ["example.com", "verify.twilio.com", "db.internal", "evil.test"] {
            let error = terminator.config(&host(name)).expect_err(name);
            assert!(matches!(error, TlsError::NotOurs(_)), "{error}");
        }
        assert!(terminator.leaves.lock().expect("no panic").by_identity.is_empty());
        assert!(terminator.ca.folder().is_none());
    }
}
