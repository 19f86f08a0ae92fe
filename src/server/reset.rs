//! Connections that a tester's rule can reset: the client sees RST, as if the server had crashed. [`Peer`] can
//! check a connection's state while nothing is read or written.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::answering::{Answering, Watch};
use super::peer::Peer;
use crate::http::AbortHandle;

/// Wraps a connection. Also returns a handle that resets it and a view of its client.
pub(super) fn resettable(stream: TcpStream) -> (Connection, AbortHandle, Peer) {
    let handle = AbortHandle::default();
    let stream = Arc::new(Mutex::new(stream));
    let answering = Answering::default();
    let peer = Peer::new(Arc::downgrade(&stream), answering.clone());
    (Connection { stream, handle: handle.clone(), watch: Watch::new(answering) }, handle, peer)
}

/// A connection that stops writing once it is to be reset.
pub(super) struct Connection {
    /// Locked only for the duration of a system call. Both users of the lock, the server and [`Peer`], run in one task,
    /// so neither ever waits.
    stream: Arc<Mutex<TcpStream>>,
    handle: AbortHandle,
    watch: Watch,
}

impl Connection {
    fn stream(&self) -> MutexGuard<'_, TcpStream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails once the connection is to be reset, so that nothing more is written.
    fn check(&self) -> io::Result<()> {
        if self.handle.is_reset() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.handle.is_reset() {
            // Closing a socket with zero linger sends RST. Where that isn't supported, it is closed like any other.
            let _ = self.stream().set_zero_linger();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_read(context, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut *self.stream()).poll_write(context, buf);
        self.get_mut().watch.written(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut *self.stream()).poll_write_vectored(context, bufs);
        self.get_mut().watch.written(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut *self.stream()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut *self.stream()).poll_shutdown(context)
    }
}
