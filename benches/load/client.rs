//! Puts load on a server over persistent connections, each of which repeats a request as soon as its response has
//! arrived. Only the status and the length of a response are parsed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

/// The number of connections that send requests concurrently.
pub(crate) const CONNECTIONS: usize = 64;

/// The result of putting load on a server.
pub(crate) struct Load {
    pub(crate) responses_per_second: f64,
}

/// A connection that stays open between requests.
pub(crate) struct Connection<S = TcpStream> {
    stream: S,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, buffer: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request, reads the whole response, and returns its status and body.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            // Until the head is complete, nothing in it is parsed.
            let Some(head_end) = find(&self.buffer, b"\r\n\r\n").map(|at| at + 4) else { continue };
            let head = std::str::from_utf8(&self.buffer[..head_end])?.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).map_or("0", str::trim);
            let end = head_end + length.parse::<usize>()?;
            if self.buffer.len() >= end {
                let status = head.get(9..12).unwrap_or_default().parse()?;
                return Ok((status, &self.buffer[head_end..end]));
            }
        }
    }
}

/// Repeats one request for `span` over `CONNECTIONS` connections. Fails on any status other than `status`.
pub(crate) async fn load(address: SocketAddr, request: &[u8], status: u16, span: Duration) -> Result<Load> {
    load_through(&|| Connection::open(address), request, status, span).await
}

/// Like [`load`], but over connections that `open` creates.
pub(crate) async fn load_through<S, O>(
    open: &impl Fn() -> O,
    request: &[u8],
    status: u16,
    span: Duration,
) -> Result<Load>
where
    S: AsyncRead + AsyncWrite + Unpin,
    O: Future<Output = Result<Connection<S>>>,
{
    let opened = futures_util::future::try_join_all((0..CONNECTIONS).map(|_| open())).await?;
    let started = now();
    let ask_on = |mut connection: Connection<S>| async move {
        let mut answers = 0_u32;
        while started.elapsed() < span {
            let (found, body) = connection.ask(request).await?;
            if found != status {
                return Err(format!("{found} instead of {status}: {}", String::from_utf8_lossy(body)).into());
            }
            answers += 1;
        }
        Result::Ok(answers)
    };
    let all = futures_util::future::try_join_all(opened.into_iter().map(ask_on)).await?;
    let answers: u32 = all.iter().sum();
    Ok(Load { responses_per_second: f64::from(answers) / started.elapsed().as_secs_f64() })
}

/// Formats a request as bytes.
pub(crate) fn request(method: &str, target: &str, address: SocketAddr, headers: &str, body: &str) -> Vec<u8> {
    format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
