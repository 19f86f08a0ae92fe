//! The stand-in for `tls.rs` if the `tls` feature is off: a connection that speaks TLS is closed, with a warning in the
//! log.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::ca::{Identity, LocalCa};
use super::policy::Policy;

/// The reason a TLS connection failed.
#[derive(Debug)]
pub(super) enum TlsError {
    Stopped,
    NotBuiltIn,
}

impl TlsError {
    /// Logs the error if the user can do something about it.
    pub(super) fn log(&self, client: SocketAddr) {
        match self {
            Self::NotBuiltIn => {
                tracing::warn!(%client, "a client speaks TLS, but this emulator was built without it; rebuild with the feature `tls`");
            }
            Self::Stopped => {}
        }
    }
}

/// A TLS connection, which is never made.
pub(super) type Secured<S> = S;

/// The stand-in for the TLS server, which refuses all connections.
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
