//! Accepts connections and serves HTTP/1.1 on each until it ends or the server stops.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::{Service, ServiceExt};

use super::leftover::{self, ReturnedBody};
use super::peer::Peer;
use super::reset;

/// How long requests in progress may continue after the server is stopped.
pub const GRACE: Duration = Duration::from_secs(5);
/// How long after the stop a response may still begin. A request that takes longer gets a 503 with the reason.
const ANSWER_TIME: Duration = Duration::from_secs(4);
/// How long the server still reads from idle connections after it is stopped, so that a client that sends requests in
/// succession gets a response with `Connection: close` rather than a broken connection.
const LINGER: Duration = Duration::from_millis(50);
/// The number of connections that the system queues for the process to accept; the standard library's default is 128.
pub(super) const BACKLOG: u32 = 1_024;
/// How long to wait for a further connection, once the server is stopped, before the port is closed.
const LAST_ACCEPT: Duration = Duration::from_millis(2);
/// How long a client may take to send the head of a request. A kept-alive connection may be idle for as long.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// The largest request head, in bytes. A list request with every filter is far smaller.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The maximum number of unread bytes of a response that are buffered in the process; no further chunk is produced
/// while the buffer is full. hyper has a single limit for this and for a request's head.
pub(super) const UNREAD_BYTES_MAX: usize = HEAD_BYTES_MAX;
/// The media type of responses without an end.
const EVENT_STREAM: &str = "text/event-stream";
/// The maximum number of simultaneous client connections, if the process may open enough descriptors.
const CONNECTIONS_MAX: usize = 16_384;
/// The percentage of descriptors that are for client connections and for connections that the proxy opens on behalf of
/// clients. The rest is for requests to apps, renderers and files.
const DESCRIPTORS_OF_CLIENTS_PERCENT: u64 = 60;
/// How long to pause after a failed accept. The likely cause is a lack of descriptors, some of which may be freed
/// meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` completes, then gives requests in progress [`GRACE`] to finish.
pub async fn run<S>(listener: TcpListener, service: S, stop: impl Future<Output = ()>)
where
    S: Service<Request<ReturnedBody<Incoming>>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let serve = |stream, _, stopping| {
        let (stream, resettable, peer) = reset::resettable(stream);
        let service = ServiceExt::map_request(service.clone(), move |mut request: Request<ReturnedBody<Incoming>>| {
            request.extensions_mut().insert(resettable.clone());
            request
        });
        let service = TowerToHyperService::new(service);
        async move {
            if let Err(error) = serve_http(stream, service, peer, stopping).await {
                tracing::debug!(%error, "a connection failed");
            }
        }
    };
    accept(listener, places(), stop, serve).await;
}

/// A signal that the server is stopping. The server waits, at most for [`GRACE`], until all clones of the signal have
/// been dropped.
#[derive(Clone)]
pub(super) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Completes when the server begins to stop.
    pub(super) async fn begun(&mut self) {
        // An error means that the server is gone, so it has stopped.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }

    /// Completes a little after the server stops, so that requests already under way can arrive.
    pub(super) async fn lingered(&mut self) {
        self.begun().await;
        pause(LINGER).await;
    }

    /// Completes when it is too late to begin a response.
    async fn out_of_time(&mut self) {
        self.begun().await;
        pause(ANSWER_TIME).await;
    }

    fn has_begun(&self) -> bool {
        *self.0.borrow()
    }
}

/// Returns the permits for client connections, which all ports share.
pub(super) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(connections_max()))
}

/// Accepts connections until `stop` completes, serving each in a task, then gives the tasks [`GRACE`] to finish.
pub(super) async fn accept<C>(
    listener: TcpListener,
    places: Arc<Semaphore>,
    stop: impl Future<Output = ()>,
    serve: impl Fn(TcpStream, SocketAddr, Stopping) -> C,
) where
    C: Future<Output = ()> + Send + 'static,
{
    let (stopping, watched) = watch::channel(false);
    let serve = |(stream, peer): (TcpStream, SocketAddr), place: Option<OwnedSemaphorePermit>| {
        // Responses are written whole, so waiting for more to send would only delay them. A failure is harmless.
        let _ = stream.set_nodelay(true);
        let served = serve(stream, peer, Stopping(watched.clone()));
        spawn(async move {
            // Held for as long as the connection is served.
            let _place = place;
            served.await;
        });
    };
    let mut stop = pin!(stop);
    loop {
        // Connections beyond the limit wait in the system's queue.
        let accepted = tokio::select! {
            accepted = accepted(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((accepted, place)) => serve(accepted, place),
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection; trying again");
                pause(ACCEPT_PAUSE).await;
            }
        }
    }
    // An error means that there are no connections.
    let _ = stopping.send(true);
    // The system may have accepted connections that are queued here with their requests; serve those too.
    let accept_last = async {
        while let Ok(Ok(accepted)) = tokio::time::timeout(LAST_ACCEPT, listener.accept()).await {
            // This may exceed the limit: the system has accepted the connection, which ends soon anyway.
            serve(accepted, None);
        }
    };
    if tokio::time::timeout(LINGER, accept_last).await.is_err() {
        // Clients may keep connecting, so accept only as many as can be queued.
        for _ in 0..BACKLOG {
            let Some(Ok(accepted)) = listener.accept().now_or_never() else { break };
            serve(accepted, None);
        }
    }
    // Closes the port. Only connections hold receivers now, so `closed` completes when the last one ends.
    drop((listener, watched));
    if tokio::time::timeout(GRACE, stopping.closed()).await.is_err() {
        tracing::info!("stopping although clients are still waiting for responses");
    }
}

/// Waits for a permit and then for a connection.
async fn accepted(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<((TcpStream, SocketAddr), Option<OwnedSemaphorePermit>)> {
    if places.available_permits() == 0 {
        tracing::warn!(
            connections = connections_max(),
            "the limit on connections has been reached; further clients wait"
        );
    }
    // The semaphore is never closed, so waiting always yields a permit.
    let place = Arc::clone(places).acquire_owned().await.ok();
    Ok((listener.accept().await?, place))
}

/// Returns how many simultaneous client connections the limit on descriptors allows.
fn connections_max() -> usize {
    // If this overflows, the limit is too high to matter.
    let descriptors = descriptors().and_then(|limit| limit.checked_mul(DESCRIPTORS_OF_CLIENTS_PERCENT));
    let of_clients = descriptors.map_or(usize::MAX, |limit| usize::try_from(limit / 100).unwrap_or(usize::MAX));
    // At least one, or no client could ever connect.
    of_clients.clamp(1, CONNECTIONS_MAX)
}

/// Returns how many descriptors this process may open; `None` if there is no limit.
#[cfg(unix)]
fn descriptors() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptors() -> Option<u64> {
    None
}

/// Serves one connection, which may be upgraded. When the server stops, requests in progress are finished.
pub(super) async fn serve_http<I, S>(stream: I, service: S, peer: Peer, mut stopping: Stopping) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: hyper::service::Service<Request<ReturnedBody<Incoming>>, Response = Response<Body>, Error = Infallible> + Send,
    S::Future: Send,
{
    let (stops, answering) = (stopping.clone(), peer.answering().clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let is_connect = request.method() == Method::CONNECT;
        let (mut stops, answering) = (stops.clone(), answering.clone());
        let (request, leftover) = leftover::lend(request);
        let answer = service.call(request);
        async move {
            let mut response = tokio::select! {
                biased;
                // Polled first, so that a finished response is sent even if the time is up.
                response = answer => response?,
                () = stops.out_of_time() => stopped(),
            };
            if let Some(body) = leftover.take() {
                // Boxed, because this rarely needed future would otherwise enlarge that of every request.
                Box::pin(leftover::read(body, &mut response)).await;
            }
            // The response to a CONNECT starts a tunnel, where the header would be meaningless.
            if stops.has_begun() && !is_connect {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            if is_connect {
                answering.tunnel();
            } else if response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == EVENT_STREAM) {
                answering.endless();
            } else {
                answering.finite();
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = http1::Builder::new();
    // A client may close its sending side after its request, as `nc -N` does.
    builder.half_close(true);
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.max_buf_size(UNREAD_BYTES_MAX);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    tokio::select! {
        biased;
        // Polled first, so that a request that has arrived is answered even while the server stops.
        ended = connection.as_mut() => return ended,
        () = stopping.lingered() => {}
        () = peer.gone() => return Ok(()),
    }
    // Finishes the request in progress, to which `out_of_time` sets a limit.
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// Returns the response to a request that could not be handled before the server stops.
fn stopped() -> Response<Body> {
    let mut response = Response::new(Body::from("fauxfax: the emulator is stopping and can't answer this request\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// Runs a connection, or a tunnel that outlives its request, as a task.
#[expect(clippy::disallowed_methods, reason = "the listener runs each connection as a task")]
pub(super) fn spawn(connection: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(connection);
}

#[expect(clippy::disallowed_methods, reason = "the listener waits for descriptors to be freed, and for last requests")]
async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::super::answering::Answering;
    use super::*;

    const PIECE_BYTES: usize = 32 * 1024;
    /// The bytes that the connection itself holds.
    const CONNECTION_BYTES: usize = 1_024;
    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_stream_that_nobody_reads_is_produced_only_up_to_the_limit() {
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        let service = service_fn(move |_: Request<ReturnedBody<Incoming>>| {
            let counted = Arc::clone(&counted);
            let pieces = stream::repeat_with(move || {
                counted.fetch_add(PIECE_BYTES, Ordering::Relaxed);
                Ok::<_, Infallible>(vec![b'x'; PIECE_BYTES])
            });
            let body = Body::from_stream(pieces);
            async {
                Ok::<_, Infallible>(
                    Response::builder().header(header::CONTENT_TYPE, EVENT_STREAM).body(body).expect("a response"),
                )
            }
        });
        let (mut client, server) = duplex(CONNECTION_BYTES);
        let (_stopping, watched) = watch::channel(false);
        let serving = serve_http(server, service, Peer::new(Weak::new(), Answering::default()), Stopping(watched));
        let read = async {
            client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
            let mut taken = 0;
            for wanted in [0, 1_000_000] {
                client.read_exact(&mut vec![0; wanted]).await.expect("there is always more");
                taken += wanted;
                pause(SHORT).await;
                let unread = made.load(Ordering::Relaxed) - taken;
                assert!(unread > 0, "more has been produced than read");
                assert!(unread <= UNREAD_BYTES_MAX + PIECE_BYTES + CONNECTION_BYTES, "{unread} bytes are unread");
            }
        };
        tokio::select! {
            ended = serving => panic!("the connection ended: {ended:?}"),
            () = read => {}
        }
    }
}
