//! A tunnel through to a host: bytes go both ways as they come until both sides have ended. None is looked at or kept.

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional_with_sizes};
use tokio::net::TcpStream;

use super::established::Plain;
use super::listener::Stopping;
use super::reset::Connection;

/// Bytes under way in each direction; larger ones were not faster, nor was splice(2) through a pipe.
const BUFFER_BYTES: usize = 128 * 1024;

/// Joins a client and a host until both have ended or the server stops.
pub(super) async fn relay(client: Upgraded, mut host: TcpStream, mut stopping: Stopping) {
    let copied = async {
        match client.downcast::<TokioIo<Plain<Connection>>>() {
            Ok(parts) => {
                // What the client sent right after its CONNECT, without waiting for leave.
                host.write_all(&parts.read_buf).await?;
                copy(parts.io.into_inner().into_inner(), host).await
            }
            Err(client) => copy(TokioIo::new(client), host).await,
        }
    };
    tokio::select! {
        copied = copied => {
            if let Err(error) = copied {
                tracing::debug!(%error, "a tunnel broke");
            }
        }
        () = stopping.begun() => {}
    }
}

async fn copy(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    mut host: impl AsyncRead + AsyncWrite + Unpin,
) -> std::io::Result<()> {
    copy_bidirectional_with_sizes(&mut client, &mut host, BUFFER_BYTES, BUFFER_BYTES).await.map(drop)
}
