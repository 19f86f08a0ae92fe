//! The transport over a pair of streams: each message is a line. Writing is left to the protocol's library; lines are read here,
//! because the library drops a line that is too long or no JSON without a response.

use std::io;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rmcp::RoleServer;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, Empty, empty};
use tokio::sync::Notify;

use super::message::{self, Unreadable};

/// The maximum length of a client's message in bytes. Longer ones are refused.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// A client at the other ends of two streams.
///
/// The library drops the future of `receive` whenever it has something to send, so everything that must not get lost is in
/// here.
pub(super) struct Lines<R, W: AsyncWrite> {
    input: BufReader<R>,
    /// The part of the next line that has been read.
    line: Vec<u8>,
    /// Whether the rest of the line is dropped, because it is too long.
    is_dropping: bool,
    output: AsyncRwTransport<RoleServer, Empty, W>,
    /// The response to a message that could not be read, until it has been sent.
    refusal: Option<BoxFuture<'static, io::Result<()>>>,
    ended: Arc<Notify>,
}

/// What comes next from the client.
enum Next {
    /// A whole line, in `Lines::line`.
    Line,
    /// A line that is too long.
    TooLong,
    /// Nothing, because the client has closed its end.
    End,
}

impl<R, W> Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// Creates the transport. `ended` is notified when the client has closed its end.
    pub(super) fn new(input: R, output: W, ended: Arc<Notify>) -> Self {
        let (input, output) = (BufReader::new(input), AsyncRwTransport::new(empty(), output));
        Self { input, line: Vec::new(), is_dropping: false, output, refusal: None, ended }
    }

    async fn next(&mut self) -> Next {
        loop {
            let chunk = match self.input.fill_buf().await {
                // The last line may lack its end.
                Ok([]) if !self.line.is_empty() => return Next::Line,
                Ok([]) => return Next::End,
                Ok(chunk) => chunk,
                Err(error) => {
                    tracing::debug!(%error, "the client can't be read");
                    return Next::End;
                }
            };
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let is_too_long = !self.is_dropping && self.line.len() + part.len() > MESSAGE_BYTES_MAX;
            if is_too_long {
                self.line.clear();
            } else if !self.is_dropping {
                self.line.extend_from_slice(part);
            }
            let was_dropping = self.is_dropping;
            self.is_dropping = (was_dropping || is_too_long) && end.is_none();
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if is_too_long {
                return Next::TooLong;
            }
            if end.is_some() && !was_dropping {
                return Next::Line;
            }
        }
    }

    fn refuse(&mut self, why: Unreadable) {
        self.refusal = Some(self.output.send(why.response()).boxed());
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, item: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        self.output.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(sending) = &mut self.refusal {
                let sent = sending.await;
                self.refusal = None;
                // A client that no longer reads has gone.
                if sent.is_err() {
                    self.ended.notify_one();
                    return None;
                }
            }
            match self.next().await {
                Next::Line => {}
                Next::TooLong => {
                    self.refuse(Unreadable::too_long(MESSAGE_BYTES_MAX));
                    continue;
                }
                Next::End => {
                    self.ended.notify_one();
                    return None;
                }
            }
            let line = std::mem::take(&mut self.line);
            if line.trim_ascii().is_empty() {
                continue;
            }
            match message::read(&line) {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(why) => self.refuse(why),
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.close().await
    }
}
