//! Detects that the client of a connection is gone. A client that has closed only its sending side may still be waiting
//! for a response, but looks like one that is gone, so a time limit decides.

use std::sync::{Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::answering::Answering;

/// The interval between checks of a connection's state.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// How long a half-closed connection is kept: longer than a control API call waits by default. A client that has closed
/// both sides looks the same until something is sent to it.
const HALF_CLOSED_MAX: Duration = Duration::from_secs(60);

/// The client of a connection, as the system sees it.
#[derive(Clone)]
pub(super) struct Peer {
    stream: Weak<Mutex<TcpStream>>,
    answering: Answering,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Open,
    /// The client sends nothing more, but may still read.
    HalfClosed,
    /// The client neither sends nor reads.
    Closed,
}

impl Peer {
    pub(super) const fn new(stream: Weak<Mutex<TcpStream>>, answering: Answering) -> Self {
        Self { stream, answering }
    }

    /// Returns the kind of response that is being written to the client.
    pub(super) const fn answering(&self) -> &Answering {
        &self.answering
    }

    /// Completes when no client is left to respond to: the connection was reset, or has been half closed for
    /// [`HALF_CLOSED_MAX`].
    pub(super) async fn gone(&self) {
        self.gone_after(LOOK_INTERVAL, HALF_CLOSED_MAX).await;
    }

    #[expect(clippy::disallowed_methods, reason = "the listener looks at its connections from time to time")]
    async fn gone_after(&self, interval: Duration, half_closed_max: Duration) {
        let mut half_closed_for = Duration::ZERO;
        loop {
            // Sleep first: most connections end before the first check.
            tokio::time::sleep(interval).await;
            match self.side() {
                Side::Open => {}
                Side::HalfClosed if half_closed_for < half_closed_max => half_closed_for += interval,
                Side::HalfClosed | Side::Closed => return,
            }
        }
    }

    fn side(&self) -> Side {
        // The connection has been dropped.
        let Some(stream) = self.stream.upgrade() else { return Side::Closed };
        let stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
        // A pending future means that the system has reported nothing new.
        match stream.ready(Interest::READABLE | Interest::WRITABLE).now_or_never() {
            None => Side::Open,
            Some(Ok(ready)) if !ready.is_write_closed() => {
                if ready.is_read_closed() {
                    Side::HalfClosed
                } else {
                    Side::Open
                }
            }
            Some(Ok(_) | Err(_)) => Side::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    const SHORT: Duration = Duration::from_millis(2);
    const NEVER: Duration = Duration::from_secs(3_600);

    async fn connected() -> (TcpStream, Arc<Mutex<TcpStream>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        let (server, _) = listener.accept().await.expect("a connection");
        (client, Arc::new(Mutex::new(server)))
    }

    async fn seen(peer: &Peer, side: Side) {
        while peer.side() != side {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_half_closed_client_counts_as_present_for_a_while() {
        let (mut client, server) = connected().await;
        let peer = Peer::new(Arc::downgrade(&server), Answering::default());
        assert_eq!(peer.side(), Side::Open);
        client.write_all(b"unread").await.expect("sent");
        client.shutdown().await.expect("half closed");
        seen(&peer, Side::HalfClosed).await;
        assert!(tokio::time::timeout(10 * SHORT, peer.gone_after(SHORT, NEVER)).await.is_err(), "it may be reading");
        peer.gone_after(SHORT, 2 * SHORT).await;
    }

    #[tokio::test]
    async fn a_client_that_resets_its_connection_is_gone_immediately() {
        let (client, server) = connected().await;
        let peer = Peer::new(Arc::downgrade(&server), Answering::default());
        client.set_zero_linger().expect("supported");
        drop(client);
        seen(&peer, Side::Closed).await;
        peer.gone_after(SHORT, NEVER).await;
    }

    #[tokio::test]
    async fn a_connection_that_was_dropped_has_no_client() {
        let (_client, server) = connected().await;
        let peer = Peer::new(Arc::downgrade(&server), Answering::default());
        drop(server);
        peer.gone_after(SHORT, NEVER).await;
    }
}
