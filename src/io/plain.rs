//! Makes one HTTP/1.1 request on a new connection, without following redirects or answering challenges. The command
//! line and the checks of an app use it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

/// A response whose body is still arriving.
pub(crate) struct Opened {
    pub(crate) response: Response<Incoming>,
    /// The connection's task, which ends when this is dropped.
    _connection: JoinSet<hyper::Result<()>>,
}

/// Sends a request on a new connection, and returns the response without waiting for the body.
#[expect(clippy::disallowed_methods, reason = "a connection runs as its own task for as long as the call lasts")]
pub(crate) async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> hyper::Result<Opened>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The set aborts the task when it is dropped together with the response.
    let mut running = JoinSet::new();
    running.spawn(connection);
    Ok(Opened { response: sender.send_request(request).await?, _connection: running })
}
