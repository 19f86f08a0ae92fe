//! Serves the tools over standard input and output, or over any other stream, until the client closes it.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::handler::Handler;
use super::lines::Lines;

/// How long calls in progress may go on once the client has closed its end: long enough for the responses to requests
/// that were piped in, and so short that it hardly delays a client which waits for the end.
const LAST_CALLS_TIME_MAX: Duration = Duration::from_millis(500);

/// Serves one client over standard input and output until it closes its end, or `stop` completes. Nothing else may write to
/// standard output.
pub async fn serve_stdio(handler: Handler, stop: impl Future<Output = ()>) {
    let (input, output) = rmcp::transport::stdio();
    serve(handler, input, output, stop).await;
}

/// Serves one client over a pair of streams until it closes its end, or `stop` completes. A check that is running is
/// canceled; this returns once the check has put back what it changed, or after a time limit.
pub async fn serve(
    handler: Handler,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
    stop: impl Future<Output = ()>,
) {
    let home = handler.home().clone();
    let ended = Arc::new(Notify::new());
    let transport = Lines::new(input, output, Arc::clone(&ended));
    let serving = async {
        match handler.serve(transport).await {
            // A panic of the service is logged where it happens.
            Ok(service) => drop(service.waiting().await),
            // A client that closes its end before it has introduced itself wanted nothing.
            Err(error) => tracing::debug!(%error, "no client"),
        }
    };
    let last_calls = async {
        ended.notified().await;
        let _: Result<(), _> = timeout(LAST_CALLS_TIME_MAX, pending()).await;
    };
    // Dropping the service cancels the calls that are in progress.
    tokio::select! {
        () = serving => {}
        () = last_calls => {}
        () = stop => {}
    }
    home.settled().await;
}
