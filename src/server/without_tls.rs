//! In place of `tls.rs` where the feature `tls` is left out: a client that speaks TLS is told off in the log.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::ca::{Identity, LocalCa};
use super::policy::Policy;

/// Why no connection came about.
#[derive(Debug)]
pub(super) enum TlsError {
    Stopped,
    NotBuiltIn,
}

impl TlsError {
    /// Tells a person of what they can put right.
    pub(super) fn log(&self, client: SocketAddr) {
        match self {
            Self::NotBuiltIn => {
                tracing::warn!(%client, "a client speaks TLS, and this emulator was built without (its feature `tls`)");
            }
            Self::Stopped => {}
        }
    }
}

/// What a connection through TLS would be.
pub(super) type Secured<S> = S;

/// What would end TLS connections.
pub(super) struct Terminator;

impl Terminator {
    pub(super) fn new(_: LocalCa, _: Arc<Policy>) -> Self {
        Self
    }

    #[expect(clippy::unused_async, reason = "with TLS it waits")]
    pub(super) async fn accept<S>(&self, _: S, _: Identity) -> Result<Secured<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        Err(TlsError::NotBuiltIn)
    }
}
