//! Terminates clients' TLS: signs a certificate for the host that a client asks for, and keeps it for the next client
//! that asks for the same host. No certificate is signed for a host name that the policy doesn't answer for.

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

/// The time limit for a handshake, so that a client can't hold a connection with half a ClientHello.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// The maximum number of certificates that are kept; beyond it, the least recently used is dropped. An app uses a
/// handful of hosts; a scan may try thousands.
const LEAVES_MAX: usize = 256;
/// The maximum number of sessions that can be resumed; each takes about 1 KB.
const SESSIONS_MAX: usize = 1_024;
/// The only protocol that is offered by ALPN. API clients need no other.
const ALPN: &[u8] = b"http/1.1";

/// The reason a TLS connection failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("the emulator is stopping")]
    Stopped,
    #[error("a client did not finish its TLS handshake within {} s", HANDSHAKE_MAX.as_secs())]
    TooSlow,
    #[error(
        "a client requested a TLS certificate for {0}, but the emulator doesn't answer for that host; to reach the \
         emulator by a name of your own, choose one below .docker.internal, .localhost or .test and set it with \
         --allow-host"
    )]
    NotOurs(String),
    #[error(transparent)]
    Ca(#[from] CaError),
    #[error("a client's TLS handshake for {name} failed: {error}{}", advice(.error))]
    Handshake { name: String, error: io::Error },
    #[error("a client sent no valid TLS handshake: {0}")]
    NoHello(io::Error),
    #[error("TLS can't be set up: {0}")]
    Library(#[from] rustls::Error),
}

impl TlsError {
    /// Logs the error as a warning, unless the emulator is stopping.
    pub(super) fn log(&self, client: SocketAddr) {
        match self {
            Self::NotOurs(_) | Self::Ca(_) | Self::TooSlow | Self::Library(_) | Self::Handshake { .. } => {
                tracing::warn!(%client, "{self}");
            }
            Self::Stopped => {}
            Self::NoHello(_) => tracing::warn!(%client, "{self}; closed its connection"),
        }
    }
}

/// A connection with TLS established.
pub(super) type Secured<S> = TlsStream<S>;

/// Terminates TLS with the local CA's certificates.
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
    /// How many times certificates have been used in total. A certificate's `last_use` is the value of this count at
    /// its last use.
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

    /// Performs the handshake as the host that the client asks for, or as `expected` if the client names no host.
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
                // An alert gives the client the reason; a connection that is merely closed would look like a network
                // failure.
                let _ = start.into_stream(self.refusing()?).await;
                Err(error)
            }
        }
    }

    /// Returns the TLS configuration for an identity, with the certificate kept for it or a new one.
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
        // Still under the lock, so that simultaneous connections to the same host don't each sign a certificate.
        let authority = self.ca.authority()?;
        let (certificate, key) = authority.sign(identity)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        let mut config = builder.with_single_cert(vec![certificate, authority.certificate().clone()], key)?;
        // Shared by all hosts, so that one limit applies to all their sessions.
        config.session_storage = Arc::clone(&self.sessions);
        config.alpn_protocols = vec![ALPN.to_vec()];
        let config = Arc::new(config);
        leaves.keep(identity.clone(), Leaf { config: Arc::clone(&config), last_use: now });
        Ok(config)
    }

    /// Returns a configuration that refuses the client with an alert, since it has no certificate.
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

/// A resolver without a certificate for any client.
#[derive(Debug)]
struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// Returns advice for a handshake that the client aborted.
fn advice(error: &io::Error) -> &'static str {
    use rustls::AlertDescription as A;
    let alert = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match alert {
        Some(rustls::Error::AlertReceived(A::UnknownCA | A::BadCertificate | A::CertificateUnknown)) => {
            "; the client doesn't trust the local CA: run it with `fauxfax exec`, or see `fauxfax ca trust-hint`"
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
    fn a_certificate_is_made_once_per_host() {
        let terminator = terminator();
        let first = terminator.config(&host("fax.twilio.com")).expect("signed");
        assert!(Arc::ptr_eq(&first, &terminator.config(&host("fax.twilio.com")).expect("kept")));
        assert!(!Arc::ptr_eq(&first, &terminator.config(&host("api.twilio.com")).expect("signed")));
    }

    #[test]
    fn ten_thousand_names_get_certificates_but_only_a_few_are_kept() {
        let terminator = terminator();
        let name = |n: usize| host(&format!("fax.e{n}.us1.twilio.com"));
        let first = terminator.config(&host("fax.twilio.com")).expect("signed");
        for n in 0..10_000 {
            terminator.config(&name(n)).expect("signed");
            if n % 100 == 0 {
                let used = terminator.config(&host("fax.twilio.com")).expect("kept");
                assert!(Arc::ptr_eq(&first, &used), "a certificate that is used is kept");
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
