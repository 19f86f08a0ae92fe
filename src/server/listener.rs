//! Accepts connections, serves HTTP/1.1 on each until it ends or the server stops. It never looks into a request.

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
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::{Service, ServiceExt};

use super::head_timer::HeadTimer;
use super::leftover::{self, Lent};
use super::peer::Peer;
use super::reset;

/// How long requests that are being served may go on when the server stops.
pub const GRACE: Duration = Duration::from_secs(5);
/// How long after the server was stopped an answer may come; what takes longer is answered that the emulator stops.
const ANSWER_TIME: Duration = Duration::from_secs(4);
/// How long a connection that is idle when the server stops is still listened to: a client that sends one request after
/// another gets an answer that says that the connection closes, and is not cut off.
const LINGER: Duration = Duration::from_millis(50);
/// Connections that the system accepts while none is taken in, as many as the standard library has.
pub(super) const BACKLOG: u32 = 1_024;
/// How long no further connection must have come, once the server stops, until the port is closed.
const LAST_ACCEPT: Duration = Duration::from_millis(2);
/// How long a client may take over the head of a request; a connection that is kept open may idle as long.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a request's head, the longest that are read: a list with every filter is far below.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a response that wait in the process for their client; while there are so many, no further piece is made. The
/// HTTP library has one limit for these and for a head.
pub(super) const UNREAD_BYTES_MAX: usize = HEAD_BYTES_MAX;
/// The media type of answers that have no end.
const EVENT_STREAM: &str = "text/event-stream";
/// Connections of clients at once, where the system has descriptors for more.
const CONNECTIONS_MAX: usize = 16_384;
/// Of the descriptors that there are, connections of clients, and those that the proxy opens for them, take this many in a
/// hundred: the others are for requests to apps, renderers and files.
const DESCRIPTORS_OF_CLIENTS_PERCENT: u64 = 60;
/// The wait after a failed accept: out of descriptors, most likely, and others will be freed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is ready, then lets what is being answered finish within [`GRACE`].
pub async fn run<S>(listener: TcpListener, service: S, stop: impl Future<Output = ()>)
where
    S: Service<Request<Lent<Incoming>>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let serve = |stream, _, stopping| {
        let (stream, resettable, peer) = reset::resettable(stream);
        let service = ServiceExt::map_request(service.clone(), move |mut request: Request<Lent<Incoming>>| {
            request.extensions_mut().insert(resettable.clone());
            request
        });
        let service = TowerToHyperService::new(service);
        async move {
            if let Err(error) = serve_http(stream, service, peer, stopping).await {
                tracing::debug!(%error, "a connection broke");
            }
        }
    };
    accept(listener, places(), stop, serve).await;
}

/// Whether the server stops; who holds one is waited for.
#[derive(Clone)]
pub(super) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Ready when the server stops.
    pub(super) async fn begun(&mut self) {
        // A server that is gone has stopped.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }

    /// Ready when the server stops and what was on its way at that moment has had time to come in.
    pub(super) async fn lingered(&mut self) {
        self.begun().await;
        pause(LINGER).await;
    }

    /// Ready when nothing is waited for any more.
    async fn out_of_time(&mut self) {
        self.begun().await;
        pause(ANSWER_TIME).await;
    }

    fn has_begun(&self) -> bool {
        *self.0.borrow()
    }
}

/// The connections of clients that there may be at once, on all ports together.
pub(super) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(connections_max()))
}

/// Accepts until `stop` is ready, each connection a task; then waits for them within [`GRACE`].
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
        // Answers are small and whole; waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let served = serve(stream, peer, Stopping(watched.clone()));
        spawn(async move {
            let _place = place;
            served.await;
        });
    };
    let mut stop = pin!(stop);
    loop {
        // Who comes when all places are taken waits in the system's queue.
        let accepted = tokio::select! {
            accepted = accepted(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((accepted, place)) => serve(accepted, place),
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection");
                pause(ACCEPT_PAUSE).await;
            }
        }
    }
    let _ = stopping.send(true);
    // The system has accepted connections that wait here, and requests may stand in them.
    let accept_last = async {
        while let Ok(Ok(accepted)) = tokio::time::timeout(LAST_ACCEPT, listener.accept()).await {
            serve(accepted, None);
        }
    };
    if tokio::time::timeout(LINGER, accept_last).await.is_err() {
        // Clients keep coming; those that have come so far are taken in without waiting for more.
        for _ in 0..BACKLOG {
            let Some(Ok(accepted)) = listener.accept().now_or_never() else { break };
            serve(accepted, None);
        }
    }
    drop((listener, watched));
    if tokio::time::timeout(GRACE, stopping.closed()).await.is_err() {
        tracing::info!("stopping while clients are still waiting for answers");
    }
}

/// The next connection, once there is a place for it.
async fn accepted(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<((TcpStream, SocketAddr), Option<OwnedSemaphorePermit>)> {
    if places.available_permits() == 0 {
        tracing::warn!(connections = connections_max(), "as many clients are connected as there may be; others wait");
    }
    // The places are never closed.
    let place = Arc::clone(places).acquire_owned().await.ok();
    Ok((listener.accept().await?, place))
}

/// Connections of clients that there may be at once.
fn connections_max() -> usize {
    let descriptors = descriptors().and_then(|limit| limit.checked_mul(DESCRIPTORS_OF_CLIENTS_PERCENT));
    let of_clients = descriptors.map_or(usize::MAX, |limit| usize::try_from(limit / 100).unwrap_or(usize::MAX));
    of_clients.clamp(1, CONNECTIONS_MAX)
}

/// Descriptors that this process may have; none where it may have any number.
#[cfg(unix)]
fn descriptors() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptors() -> Option<u64> {
    None
}

/// Serves one connection, which may be upgraded; what is being answered when the server stops is finished.
pub(super) async fn serve_http<I, S>(stream: I, service: S, peer: Peer, mut stopping: Stopping) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: hyper::service::Service<Request<Lent<Incoming>>, Response = Response<Body>, Error = Infallible> + Send,
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
                response = answer => response?,
                () = stops.out_of_time() => stopped(),
            };
            if let Some(body) = leftover.take() {
                // Boxed, since every request would carry the room that this takes.
                Box::pin(leftover::read(body, &mut response)).await;
            }
            // A tunnel is no longer a connection of requests.
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
    // A client may end its side once it has sent its request, as `nc -N` does.
    builder.half_close(true);
    builder.timer(HeadTimer::default()).header_read_timeout(HEAD_TIMEOUT);
    builder.max_buf_size(UNREAD_BYTES_MAX);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        () = stopping.lingered() => {}
        () = peer.gone() => return Ok(()),
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// The answer to a request whose own would come too late.
fn stopped() -> Response<Body> {
    let mut response = Response::new(Body::from("fauxfax: the emulator stops before it can answer this\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// Runs a connection, or a tunnel that outlives the request for it.
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
    /// What the connection itself holds.
    const CONNECTION_BYTES: usize = 1_024;
    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn of_a_stream_that_nobody_reads_no_more_is_made_than_may_wait() {
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        let service = service_fn(move |_: Request<Lent<Incoming>>| {
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
                assert!(unread > 0, "it goes on");
                assert!(unread <= UNREAD_BYTES_MAX + PIECE_BYTES + CONNECTION_BYTES, "{unread} bytes are unread");
            }
        };
        tokio::select! {
            ended = serving => panic!("it has no end: {ended:?}"),
            () = read => {}
        }
    }
}
