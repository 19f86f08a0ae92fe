//! Accepts HTTP/1.1 connections and serves each until it ends or the server stops. It never looks into a request.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::Service;

/// How long requests that are being served may go on when the server stops.
pub const GRACE: Duration = Duration::from_secs(5);
/// How long a client may take over the head of a request; a connection that is kept open may idle as long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a request's head, the longest that are read: a list with every filter is far below.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The wait after a failed accept: out of descriptors, most likely, and others will be freed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is ready, then lets what is being answered finish within [`GRACE`].
pub async fn run<S>(listener: TcpListener, service: S, stop: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let connections = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_BYTES_MAX);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                // Answers are small and whole; waiting for more to send would only delay them.
                let _ = stream.set_nodelay(true);
                let service = TowerToHyperService::new(service.clone());
                let connection = connections.watch(builder.serve_connection(TokioIo::new(stream), service));
                spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection broke");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection");
                pause().await;
            }
        }
    }
    if tokio::time::timeout(GRACE, connections.shutdown()).await.is_err() {
        tracing::info!("stopping while clients are still waiting for answers");
    }
}

#[expect(clippy::disallowed_methods, reason = "the listener runs each connection as a task")]
fn spawn(connection: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(connection);
}

#[expect(clippy::disallowed_methods, reason = "the listener waits for descriptors to be freed")]
async fn pause() {
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
