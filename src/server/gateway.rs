//! Serves everything on one port: HTTP, TLS, and the requests that proxies receive, which are CONNECTs or have absolute
//! targets. The first byte of a connection and the target of a request distinguish them. Requests for the emulator go
//! to its routes, others to `proxy`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ca::Identity;
use super::established::{Established, Plain};
use super::leftover::ReturnedBody;
use super::listener::{HEAD_TIMEOUT, Stopping, serve_http, spawn};
use super::peer::Peer;
use super::policy::Route;
use super::proxy::{Proxy, Refused, Target};
use super::tls::{Secured, Terminator, TlsError};
use super::{host, reset};
use crate::http::{AbortHandle, App, AskedHost, Scheme};

/// The size of the buffer into which a tunnel's first bytes are read. Larger reads bypass the buffer.
const FIRST_BYTES: usize = 1_024;

/// The state that all connections to a port share.
pub(super) struct Gateway {
    /// The routes for requests to the emulator itself.
    pub(super) surface: App,
    /// Forwards requests and connections for other hosts.
    pub(super) proxy: Arc<Proxy>,
    /// Terminates TLS with the local CA's certificates.
    pub(super) terminator: Arc<Terminator>,
}

/// The way in which a connection's requests reached the emulator.
#[derive(Clone)]
struct Arrival {
    scheme: Scheme,
    /// The target of the CONNECT that the requests came through, if any.
    tunnel: Option<Target>,
    client: SocketAddr,
    stopping: Stopping,
    resettable: AbortHandle,
    peer: Peer,
    /// Marks the response to a CONNECT on this connection, so that `Plain` replaces it.
    established: Established,
}

/// The protocol that a connection speaks, identified by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http,
    Tls,
    Socks,
    Unknown,
}

impl Protocol {
    const fn of(first: u8) -> Self {
        match first {
            // The record type of a handshake (RFC 8446 §5.1).
            0x16 => Self::Tls,
            // The version number that a SOCKS request begins with (version 5: RFC 1928 §3).
            4 | 5 => Self::Socks,
            // HTTP methods are words, and empty lines before the request line are tolerated (RFC 9112 §2.2).
            b'\r' | b'\n' | b'!'..=b'~' => Self::Http,
            _ => Self::Unknown,
        }
    }
}

impl Gateway {
    /// Serves a connection until it ends.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream, client: SocketAddr, mut stopping: Stopping) {
        let mut first = [0];
        let read = tokio::select! {
            biased;
            // The byte is only peeked at, because TLS and HTTP need it too. This branch is polled first, so that a
            // request that has arrived is answered even while the server stops.
            read = timeout(HEAD_TIMEOUT, stream.peek(&mut first)) => read,
            () = stopping.lingered() => return,
        };
        // The client has closed the connection or sent nothing in time. There was no request, so there is nothing to
        // report.
        let Ok(Ok(1)) = read else { return };
        // The client has reset the connection.
        let Ok(local) = stream.local_addr() else { return };
        let (stream, resettable, peer) = reset::resettable(stream);
        let established = Established::default();
        let arrival = Arrival { scheme: Scheme::Http, tunnel: None, client, stopping, resettable, peer, established };
        self.speak(stream, first[0], Identity::Machine(local.ip().to_canonical()), arrival).await;
    }

    async fn speak<I>(self: Arc<Self>, stream: I, first: u8, expected: Identity, arrival: Arrival)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let client = arrival.client;
        match Protocol::of(first) {
            Protocol::Http => self.serve_requests(stream, arrival).await,
            Protocol::Tls => match self.shake_hands(stream, expected, arrival.stopping.clone()).await {
                Ok(stream) => self.serve_requests(stream, Arrival { scheme: Scheme::Https, ..arrival }).await,
                Err(error) => error.log(client),
            },
            Protocol::Socks => {
                tracing::warn!(%client, "a client speaks SOCKS, but this is an HTTP proxy; set HTTPS_PROXY to the emulator's http:// URL");
            }
            Protocol::Unknown => {
                tracing::warn!(%client, first_byte = first, "a client speaks neither HTTP nor TLS; its connection is closed");
            }
        }
    }

    async fn shake_hands<I>(
        &self,
        stream: I,
        expected: Identity,
        mut stopping: Stopping,
    ) -> Result<Secured<I>, TlsError>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        tokio::select! {
            biased;
            // Polled first, so that a finished handshake counts even while the server stops.
            accepted = self.terminator.accept(stream, expected) => accepted,
            () = stopping.lingered() => Err(TlsError::Stopped),
        }
    }

    async fn serve_requests<I>(self: Arc<Self>, stream: I, arrival: Arrival)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (client, stopping, peer) = (arrival.client, arrival.stopping.clone(), arrival.peer.clone());
        // A new `Established` rather than the one in `arrival`, because each layer (TCP, TLS or a tunnel) writes its
        // own responses to CONNECTs.
        let established = Established::default();
        let stream = Plain::new(stream, established.clone());
        let arrival = Arc::new(Arrival { established, ..arrival });
        let service = service_fn(move |request| {
            let (gateway, arrival) = (Arc::clone(&self), Arc::clone(&arrival));
            async move { Ok::<_, Infallible>(gateway.answer(request, &arrival).await) }
        });
        if let Err(error) = serve_http(stream, service, peer, stopping).await {
            if error.is_parse() {
                tracing::warn!(%client, %error, "a client sent something other than HTTP/1.1; the response was 400");
            } else {
                tracing::debug!(%client, %error, "a connection failed");
            }
        }
    }

    async fn answer(
        self: &Arc<Self>,
        mut request: Request<ReturnedBody<Incoming>>,
        arrival: &Arrival,
    ) -> Response<Body> {
        if let Err(fault) = host::check(request.version(), request.headers()) {
            tracing::warn!(client = %arrival.client, "{fault}; the response was 400");
            return Refused::Host(fault).into_response();
        }
        // CONNECT needs the connection itself, so it can't be routed like other requests.
        if request.method() == Method::CONNECT {
            // Boxed, like a forwarded request, to keep the future of every other request small.
            let connected = Box::pin(Arc::clone(self).connect(request, arrival.clone())).await;
            return connected.unwrap_or_else(Refused::into_response);
        }
        if request.uri().authority().is_some() {
            match self.proxy.route_of(request.uri(), arrival.client.ip()) {
                Ok(Route::Here) => {}
                Ok(Route::Through | Route::Offline) => {
                    let forwarded = Box::pin(self.proxy.forward(request)).await;
                    return forwarded.unwrap_or_else(Refused::into_response);
                }
                Err(refused) => return refused.into_response(),
            }
        }
        if arrival.scheme == Scheme::Https {
            request.extensions_mut().insert(Scheme::Https);
        }
        if let Some(target) = &arrival.tunnel {
            request.extensions_mut().insert(AskedHost(target.authority(arrival.scheme)));
        }
        self.surface.answer(request, &arrival.resettable).await
    }

    /// Opens a tunnel, either to the emulator itself or to the target's host.
    async fn connect(
        self: Arc<Self>,
        request: Request<ReturnedBody<Incoming>>,
        arrival: Arrival,
    ) -> Result<Response<Body>, Refused> {
        let target = Target::of(request.uri()).ok_or(Refused::NoTarget)?;
        // Refused, because tunnels could otherwise be nested endlessly.
        if arrival.tunnel.is_some() {
            return Err(Refused::Loop(target));
        }
        let permit = self.proxy.permit()?;
        match self.proxy.route_of_tunnel(&target, arrival.client.ip())? {
            Route::Here => {
                let arrival = Arrival { tunnel: Some(target), ..arrival.clone() };
                spawn(async move {
                    // The client disconnected before the tunnel was open.
                    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
                    self.serve_tunnel(upgraded, arrival).await;
                    // Held until the tunnel has ended.
                    drop(permit);
                });
            }
            Route::Through | Route::Offline => {
                let place = self.proxy.place()?;
                let host = self.proxy.reach(&target).await?;
                let stopping = arrival.stopping.clone();
                spawn(async move {
                    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
                    super::tunnel::relay(upgraded, host, stopping).await;
                    // Held until the tunnel has ended.
                    drop((permit, place));
                });
            }
        }
        Ok(arrival.established.answer())
    }

    /// Serves the requests that come through a tunnel. Boxed, because one of them could be another CONNECT, so that the
    /// future's type would contain itself.
    fn serve_tunnel(
        self: Arc<Self>,
        upgraded: hyper::upgrade::Upgraded,
        mut arrival: Arrival,
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let mut stream = BufReader::with_capacity(FIRST_BYTES, TokioIo::new(upgraded));
            let read = tokio::select! {
                biased;
                // Polled first, so that a request that has arrived is answered even while the server stops.
                read = timeout(HEAD_TIMEOUT, stream.fill_buf()) => read,
                () = arrival.stopping.lingered() => return,
            };
            // The tunnel was closed, or nothing was sent in time.
            let Ok(Ok([first, ..])) = read else { return };
            let first = *first;
            let expected = arrival.tunnel.as_ref().map_or(Identity::Machine(arrival.client.ip()), Target::identity);
            self.speak(stream, first, expected, arrival).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_identifies_the_protocol() {
        for (first, protocol) in [
            (b'G', Protocol::Http),
            (b'p', Protocol::Http),
            (b'\r', Protocol::Http),
            (0x16, Protocol::Tls),
            (5, Protocol::Socks),
            (4, Protocol::Socks),
            (0x80, Protocol::Unknown),
            (0, Protocol::Unknown),
            (0xff, Protocol::Unknown),
        ] {
            assert_eq!(Protocol::of(first), protocol, "{first}");
        }
    }
}
