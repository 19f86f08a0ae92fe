//! Writes the response to a CONNECT as PHP's libraries need it: `HTTP/1.1 200 Connection established` without headers.
//! The libraries strip exactly that line from curl's output; hyper would add a date and, for some clients,
//! `Connection`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::Response;
use hyper::ext::ReasonPhrase;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The response in the form in which it is sent.
const ANSWER: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
/// The response's status line as hyper writes it, without the version.
const MADE: &[u8] = b" 200 Connection established\r\n";
const REASON: ReasonPhrase = ReasonPhrase::from_static(b"Connection established");
/// The length of `HTTP/1.1` or any other version, in bytes.
const VERSION_LEN: usize = 8;

/// A flag, shared by its clones, which says that the next response on a connection is to be replaced by [`ANSWER`].
#[derive(Clone, Default)]
pub(super) struct Established(Arc<AtomicBool>);

impl Established {
    /// Returns the response to a CONNECT, and marks it to be replaced by [`ANSWER`].
    pub(super) fn answer(&self) -> Response<Body> {
        self.0.store(true, Ordering::Release);
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(REASON);
        response
    }
}

/// A connection on which the response to a CONNECT is replaced by a single line.
pub(super) struct Plain<I> {
    io: I,
    established: Established,
    /// The part of [`ANSWER`] that is still to be written.
    rest: &'static [u8],
    /// The length of hyper's head, which is reported as the number of bytes written.
    replaced: usize,
}

impl<I> Plain<I> {
    pub(super) fn new(io: I, established: Established) -> Self {
        Self { io, established, rest: &[], replaced: 0 }
    }

    pub(super) fn into_inner(self) -> I {
        self.io
    }

    fn is_idle(&self) -> bool {
        self.rest.is_empty() && !self.established.0.load(Ordering::Acquire)
    }
}

impl<I: AsyncWrite + Unpin> Plain<I> {
    /// Writes the rest of [`ANSWER`]; once that is done, hyper's head counts as written.
    fn write_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(context, self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest = &self.rest[written..];
        }
        Poll::Ready(Ok(self.replaced))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Plain<I> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buf)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Plain<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if !self.rest.is_empty() {
            return self.write_rest(context);
        }
        if self.is_idle() {
            return Pin::new(&mut self.io).poll_write(context, buf);
        }
        let begin = position(buf, MADE).and_then(|at| at.checked_sub(VERSION_LEN));
        match begin {
            Some(0) => {
                self.established.0.store(false, Ordering::Release);
                // hyper writes a head in one piece, so its end is in this buffer.
                self.replaced = position(buf, b"\r\n\r\n").map_or(buf.len(), |end| end + 4);
                self.rest = ANSWER;
                self.write_rest(context)
            }
            // Responses to earlier requests come first in the buffer.
            Some(begin) => Pin::new(&mut self.io).poll_write(context, &buf[..begin]),
            // The buffer contains only responses to earlier requests.
            None => Pin::new(&mut self.io).poll_write(context, buf),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_idle() {
            return Pin::new(&mut self.io).poll_write_vectored(context, bufs);
        }
        // Writing one buffer is enough: the caller writes the others in later calls.
        let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| buf);
        self.poll_write(context, first)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const HEAD: &[u8] = b"HTTP/1.0 200 Connection established\r\ndate: today\r\n\r\n";

    /// Returns what the other end receives when it accepts `room` bytes at a time.
    async fn arrives(pieces: &[&[u8]], room: usize) -> Vec<u8> {
        let (near, mut far) = tokio::io::duplex(room);
        let established = Established::default();
        let _ = established.answer();
        let mut plain = Plain::new(near, established);
        let writing = async move {
            for piece in pieces {
                plain.write_all(piece).await.expect("written");
            }
            plain.shutdown().await.expect("ended");
        };
        let mut arrived = Vec::new();
        let (read, ()) = tokio::join!(far.read_to_end(&mut arrived), writing);
        read.expect("read");
        arrived
    }

    #[tokio::test]
    async fn hypers_head_is_replaced_however_slowly_the_client_reads() {
        for room in [1, 7, 1_000] {
            assert_eq!(arrives(&[HEAD], room).await, ANSWER, "{room}");
            let before = b"HTTP/1.1 200 OK\r\n\r\n".as_slice();
            let expected = [before, ANSWER, HEAD].concat();
            assert_eq!(arrives(&[before, HEAD, HEAD], room).await, expected, "{room}: once");
            assert_eq!(arrives(&[&[before, HEAD].concat(), HEAD], room).await, expected, "{room}: in one piece");
        }
    }
}
