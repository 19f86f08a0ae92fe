//! Serves the tools over standard input and output, or over any other stream, until the client closes it.

use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{RoleServer, ServiceExt};
use tokio::io::{AsyncRead, AsyncWrite};

use super::handler::Handler;

/// The maximum length of a client's message in bytes. Longer ones are refused.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Serves one client over standard input and output until it closes its end, or `stop` completes. Nothing else may write to
/// standard output.
pub async fn serve_stdio(handler: Handler, stop: impl Future<Output = ()>) {
    let (input, output) = rmcp::transport::stdio();
    serve(handler, input, output, stop).await;
}

/// Serves one client over a pair of streams until it closes its end, or `stop` completes. A check that is running is canceled,
/// and ends before this returns.
pub async fn serve(
    handler: Handler,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
    stop: impl Future<Output = ()>,
) {
    let home = handler.home().clone();
    let transport = AsyncRwTransport::<RoleServer, _, _>::new(input, output).with_max_line_length(MESSAGE_BYTES_MAX);
    let serving = async {
        match handler.serve(transport).await {
            // A panic of the service is logged where it happens.
            Ok(service) => drop(service.waiting().await),
            // A client that closes its end before it has introduced itself wanted nothing.
            Err(error) => tracing::debug!(%error, "no client"),
        }
    };
    tokio::select! {
        () = serving => {}
        () = stop => {}
    }
    home.settled().await;
}
