//! A tunnel to a host: copies bytes both ways until both sides have ended or the tunnel has been idle for too long. It
//! neither inspects nor keeps the bytes.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional_with_sizes};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::established::Plain;
use super::listener::Stopping;
use super::reset::Connection;

/// The size of the buffer for each direction. Neither a larger buffer nor splice(2) through a pipe was faster.
const BUFFER_BYTES: usize = 128 * 1024;
/// How long a tunnel may carry nothing in either direction: longer than a request to a slow service takes. Without a
/// limit, a client that has vanished would keep its tunnel for good.
const TUNNEL_IDLE_MAX: Duration = Duration::from_secs(600);

/// Joins a client and a host until both have ended, the tunnel has been idle for [`TUNNEL_IDLE_MAX`], or the server
/// stops.
pub(super) async fn relay(client: Upgraded, mut host: TcpStream, mut stopping: Stopping) {
    let copied = async {
        match client.downcast::<TokioIo<Plain<Connection>>>() {
            Ok(parts) => {
                // Bytes that the client sent right after its CONNECT, without waiting for the response.
                host.write_all(&parts.read_buf).await?;
                copy(parts.io.into_inner().into_inner(), host, TUNNEL_IDLE_MAX).await
            }
            // Some other kind of connection, such as TLS; `Upgraded` returns the buffered bytes first.
            Err(client) => copy(TokioIo::new(client), host, TUNNEL_IDLE_MAX).await,
        }
    };
    tokio::select! {
        copied = copied => {
            if let Err(error) = copied {
                tracing::debug!(%error, "a tunnel failed");
            }
        }
        // A tunnel may stay open forever, so a stop doesn't wait for it.
        () = stopping.begun() => {}
    }
}

/// Copies both ways until both sides have ended, or nothing has moved for `idle_max`.
async fn copy(
    client: impl AsyncRead + AsyncWrite + Unpin,
    host: impl AsyncRead + AsyncWrite + Unpin,
    idle_max: Duration,
) -> io::Result<()> {
    let last_move = LastMove::default();
    let mut client = Watched { stream: client, last_move: last_move.clone() };
    let mut host = Watched { stream: host, last_move: last_move.clone() };
    tokio::select! {
        copied = copy_bidirectional_with_sizes(&mut client, &mut host, BUFFER_BYTES, BUFFER_BYTES) => copied.map(drop),
        () = last_move.is_over(idle_max) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// The time at which a tunnel last carried a byte; clones share it.
#[derive(Clone)]
struct LastMove(Arc<Mutex<Instant>>);

impl Default for LastMove {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl LastMove {
    fn is_now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Completes when no byte has moved for `idle_max`.
    #[expect(clippy::disallowed_methods, reason = "a tunnel limits how long it may carry nothing")]
    async fn is_over(&self, idle_max: Duration) {
        loop {
            let deadline = *self.0.lock().unwrap_or_else(PoisonError::into_inner) + idle_max;
            if deadline <= Instant::now() {
                return;
            }
            sleep_until(deadline).await;
        }
    }
}

/// One side of a tunnel, wrapped to record when bytes are read from it or written to it.
struct Watched<I> {
    stream: I,
    last_move: LastMove,
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buf);
        if read.is_ready() {
            self.last_move.is_now();
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, buf);
        if written.is_ready() {
            self.last_move.is_now();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    const SHORT: Duration = Duration::from_secs(50);
    const LONG: Duration = Duration::from_secs(3_600);

    /// Returns the kind of error with which copying between two ends stops.
    async fn ended(copied: impl Future<Output = io::Result<()>>) -> io::ErrorKind {
        let copied = tokio::time::timeout(2 * SHORT, copied).await;
        copied.expect("it ends by itself").expect_err("it ends because nothing moves").kind()
    }

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_that_carries_nothing_is_closed() {
        let ((_client, near), (_host, far)) = (duplex(64), duplex(64));
        assert_eq!(ended(copy(near, far, SHORT)).await, io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_with_one_side_ended_and_the_other_silent_is_closed() {
        let ((client, near), (_host, far)) = (duplex(64), duplex(64));
        drop(client);
        assert_eq!(ended(copy(near, far, SHORT)).await, io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_whose_client_reads_nothing_is_closed() {
        let ((_client, near), (mut host, far)) = (duplex(64), duplex(64));
        host.write_all(&[7; 64]).await.expect("written");
        assert_eq!(ended(copy(near, far, SHORT)).await, io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    #[expect(clippy::disallowed_methods, reason = "the silence that is tested")]
    async fn an_occasional_byte_in_either_direction_keeps_a_tunnel_open() {
        let ((mut client, near), (mut host, far)) = (duplex(64), duplex(64));
        let idle_max = 4 * SHORT;
        let talk = async {
            let until = Instant::now() + 3 * idle_max;
            while Instant::now() < until {
                client.write_u8(1).await.expect("written");
                assert_eq!(host.read_u8().await.expect("it is still open"), 1);
                sleep_until(Instant::now() + SHORT).await;
                host.write_u8(2).await.expect("written");
                assert_eq!(client.read_u8().await.expect("it is still open"), 2);
                sleep_until(Instant::now() + SHORT).await;
            }
        };
        tokio::select! {
            copied = copy(near, far, idle_max) => panic!("it was closed: {copied:?}"),
            () = talk => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_that_both_sides_end_is_closed_immediately() {
        let ((client, near), (host, far)) = (duplex(64), duplex(64));
        drop((client, host));
        copy(near, far, LONG).await.expect("it ended");
    }
}
