//! One port for everything: plain HTTP, TLS, and a proxy's CONNECT and absolute targets, told apart by a connection's
//! first byte and a request's target. What the emulator answers goes on to its routes; what it lets through, to `proxy`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, Response};
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ca::Identity;
use super::established::{Established, Plain};
use super::leftover::Lent;
use super::listener::{HEAD_TIMEOUT, Stopping, serve_http, spawn};
use super::peer::Peer;
use super::policy::Route;
use super::proxy::{Proxy, Refused, Target};
use super::tls::{Secured, Terminator, TlsError};
use super::{host, reset};
use crate::http::{self, Answering, AskedHost, Resettable, Scheme, Surface};

/// Read ahead of a tunnel for its first byte; larger reads go past this buffer.
const FIRST_BYTES: usize = 1_024;

/// What all connections share.
pub(super) struct Gateway {
    /// The emulator's routes.
    pub(super) surface: Surface,
    /// What answers a client that wants to go elsewhere.
    pub(super) proxy: Arc<Proxy>,
    /// What ends TLS.
    pub(super) terminator: Arc<Terminator>,
}

/// How the requests of a connection came.
#[derive(Clone)]
struct Came {
    scheme: Scheme,
    /// Whom a CONNECT named, if that is how.
    tunnel: Option<Target>,
    client: SocketAddr,
    stopping: Stopping,
    resettable: Resettable,
    peer: Peer,
    /// How this connection answers a CONNECT.
    established: Established,
}

/// What a connection's first byte says that it speaks.
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
            // A handshake record (RFC 8446 §5.1).
            0x16 => Self::Tls,
            4 | 5 => Self::Socks,
            // The methods of HTTP are words, and empty lines before the first are forgiven (RFC 9112 §2.2).
            b'\r' | b'\n' | b'!'..=b'~' => Self::Http,
            _ => Self::Unknown,
        }
    }
}

impl Gateway {
    /// Serves a connection to its end.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream, client: SocketAddr, mut stopping: Stopping) {
        let mut first = [0];
        let read = tokio::select! {
            biased;
            read = timeout(HEAD_TIMEOUT, stream.peek(&mut first)) => read,
            () = stopping.lingered() => return,
        };
        // A connection that was closed, or never spoke, asked for nothing.
        let Ok(Ok(1)) = read else { return };
        let Ok(local) = stream.local_addr() else { return };
        let (stream, resettable, peer) = reset::resettable(stream);
        let established = Established::default();
        let came = Came { scheme: Scheme::Http, tunnel: None, client, stopping, resettable, peer, established };
        self.speak(stream, first[0], Identity::Machine(local.ip().to_canonical()), came).await;
    }

    async fn speak<I>(self: Arc<Self>, stream: I, first: u8, expected: Identity, came: Came)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let client = came.client;
        match Protocol::of(first) {
            Protocol::Http => self.serve_requests(stream, came).await,
            Protocol::Tls => match self.shake_hands(stream, expected, came.stopping.clone()).await {
                Ok(stream) => self.serve_requests(stream, Came { scheme: Scheme::Https, ..came }).await,
                Err(error) => error.log(client),
            },
            Protocol::Socks => {
                tracing::warn!(%client, "a client speaks SOCKS; this is an HTTP proxy: set HTTPS_PROXY=http://… of this port");
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
            accepted = self.terminator.accept(stream, expected) => accepted,
            () = stopping.lingered() => Err(TlsError::Stopped),
        }
    }

    async fn serve_requests<I>(self: Arc<Self>, stream: I, came: Came)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (client, stopping, peer) = (came.client, came.stopping.clone(), came.peer.clone());
        let established = Established::default();
        let stream = Plain::new(stream, established.clone());
        let came = Arc::new(Came { established, ..came });
        let service = service_fn(move |request| self.answer(request, &came).map(Ok::<_, Infallible>));
        if let Err(error) = serve_http(stream, service, peer, stopping).await {
            if error.is_parse() {
                tracing::warn!(%client, %error, "a client sent what is no HTTP/1.1; it was answered 400");
            } else {
                tracing::debug!(%client, %error, "a connection broke");
            }
        }
    }

    fn answer(self: &Arc<Self>, mut request: Request<Lent<Incoming>>, came: &Came) -> Answering {
        if let Err(fault) = host::check(request.version(), request.headers()) {
            tracing::warn!(client = %came.client, "{fault}; the request was answered 400");
            return http::at_once(Refused::Host(fault).into_response());
        }
        if request.method() == Method::CONNECT {
            let connected = Arc::clone(self).connect(request, came.clone());
            return http::later(connected.map(|answer| answer.unwrap_or_else(Refused::into_response)));
        }
        if request.uri().authority().is_some() {
            match self.proxy.route_of(request.uri(), came.client.ip()) {
                Ok(Route::Here) => {}
                Ok(Route::Through | Route::Offline) => {
                    let proxy = Arc::clone(&self.proxy);
                    let forwarded = async move { proxy.forward(request).await };
                    return http::later(forwarded.map(|answer| answer.unwrap_or_else(Refused::into_response)));
                }
                Err(refused) => return http::at_once(refused.into_response()),
            }
        }
        if came.scheme == Scheme::Https {
            request.extensions_mut().insert(Scheme::Https);
        }
        if let Some(target) = &came.tunnel {
            request.extensions_mut().insert(AskedHost(target.authority(came.scheme)));
        }
        self.surface.answer(request, &came.resettable)
    }

    /// Opens a tunnel: to the emulator itself, or through to the host.
    async fn connect(self: Arc<Self>, request: Request<Lent<Incoming>>, came: Came) -> Result<Response<Body>, Refused> {
        let target = Target::of(request.uri()).ok_or(Refused::NoTarget)?;
        if came.tunnel.is_some() {
            return Err(Refused::Loop(target));
        }
        let permit = self.proxy.permit()?;
        match self.proxy.route_to(&target, came.client.ip())? {
            Route::Here => {
                let came = Came { tunnel: Some(target), ..came.clone() };
                spawn(async move {
                    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
                    self.serve_tunnel(upgraded, came).await;
                    drop(permit);
                });
            }
            Route::Through | Route::Offline => {
                let place = self.proxy.place()?;
                let host = self.proxy.reach(&target).await?;
                let stopping = came.stopping.clone();
                spawn(async move {
                    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
                    super::tunnel::relay(upgraded, host, stopping).await;
                    drop((permit, place));
                });
            }
        }
        Ok(came.established.answer())
    }

    /// Serves what comes through a tunnel. It is boxed, since a tunnel's requests come to the code that opens tunnels.
    fn serve_tunnel(
        self: Arc<Self>,
        upgraded: hyper::upgrade::Upgraded,
        mut came: Came,
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let mut stream = BufReader::with_capacity(FIRST_BYTES, TokioIo::new(upgraded));
            let read = tokio::select! {
                biased;
                read = timeout(HEAD_TIMEOUT, stream.fill_buf()) => read,
                () = came.stopping.lingered() => return,
            };
            let Ok(Ok([first, ..])) = read else { return };
            let first = *first;
            let expected = came.tunnel.as_ref().map_or(Identity::Machine(came.client.ip()), Target::identity);
            self.speak(stream, first, expected, came).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_tells_the_protocol() {
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
