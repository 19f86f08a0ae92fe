//! Apps for tests, on their own ports, some with their own certificates. Most treat every connection in the same way,
//! such as never responding.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// An upper bound on the number of connections that fill the smallest backlog that a listener can ask for.
const BACKLOG_TRIES: usize = 64;
/// The time within which a loopback connection is established unless the kernel drops it.
const LOOPBACK_MAX: Duration = Duration::from_millis(300);

/// A running app, which stops when dropped.
pub(crate) struct App {
    /// The app's address, without a trailing slash.
    pub(crate) url: String,
    task: Option<JoinHandle<()>>,
    /// Connections that keep the port's backlog full.
    _held: Vec<TcpStream>,
    _listener: Option<TcpListener>,
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// How an app treats each connection.
#[derive(Debug, Clone)]
pub(crate) enum Manner {
    /// Reads the request and never responds.
    Hang,
    /// Reads the request and closes the connection.
    Close,
    /// Responds with these bytes and closes the connection.
    Say(Vec<u8>),
    /// Sends an endless response, one byte every 50 ms.
    Drip,
    /// Sends an endless response as fast as the client reads it.
    Pour,
}

/// Starts an app that treats each connection in this manner.
pub(crate) async fn app(manner: Manner) -> App {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let task = serve(listener, move |stream| treat(stream, manner.clone()));
    App { url, task: Some(task), _held: Vec::new(), _listener: None }
}

/// Starts an app that responds to each request with this status, these headers and this body.
pub(crate) async fn answering(status: u16, headers: &str, body: &str) -> App {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} Any\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    app(Manner::Say(text.into_bytes())).await
}

/// Starts an app with these routes.
#[expect(clippy::disallowed_methods, reason = "the app is not part of the emulator")]
pub(crate) async fn routed(routes: axum::Router) -> App {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let task = Handle::current().spawn(async move {
        axum::serve(listener, routes).await.expect("it serves");
    });
    App { url, task: Some(task), _held: Vec::new(), _listener: None }
}

/// Returns an app that has closed its port, so that nothing listens on it.
pub(crate) async fn closed() -> App {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    App { url, task: None, _held: Vec::new(), _listener: None }
}

/// Returns an app to which no further connection can be made: pending connections fill its port's backlog, and the
/// kernel drops any other.
pub(crate) async fn full() -> App {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
    let listener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let mut held = Vec::new();
    while let Ok(stream) = timeout(LOOPBACK_MAX, TcpStream::connect(address)).await {
        held.push(stream.expect("a connection"));
        assert!(held.len() < BACKLOG_TRIES, "the backlog never fills");
    }
    App { url: format!("http://{address}"), task: None, _held: held, _listener: Some(listener) }
}

/// A certificate authority for tests.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The CA's certificate, for clients to trust.
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Issues a certificate for this name that is valid until the end of `until_year`.
    pub(crate) fn certificate(&self, name: &str, until_year: i32) -> Own {
        let key = KeyPair::generate().expect("a key");
        let params = dated(&[name], until_year);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Own { certificate, key }
    }

    /// Makes a self-signed certificate as `openssl req -x509` does. `is_ca` marks it as the certificate of a CA.
    pub(crate) fn self_signed(names: &[&str], common_name: &str, is_ca: bool) -> Own {
        let mut params = dated(names, 4096);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        Own::self_signed(params, is_ca)
    }

    /// Makes a self-signed certificate that is valid until the end of `until_year`.
    pub(crate) fn self_signed_until(names: &[&str], is_ca: bool, until_year: i32) -> Own {
        Own::self_signed(dated(names, until_year), is_ca)
    }

    /// Starts an app behind TLS with a certificate for this name, valid until the end of `until_year`.
    pub(crate) async fn app(&self, name: &str, until_year: i32, manner: Manner) -> App {
        self.certificate(name, until_year).app(manner).await.0
    }
}

/// Returns the parameters of a certificate for these names that is valid until the end of `until_year`.
fn dated(names: &[&str], until_year: i32) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(until_year, 12, 31);
    params
}

/// An app's certificate and its key.
pub(crate) struct Own {
    certificate: Certificate,
    key: KeyPair,
}

impl Own {
    fn self_signed(mut params: CertificateParams, is_ca: bool) -> Self {
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate, key }
    }

    /// Returns the server's side of TLS with this certificate, and the certificate in PEM.
    pub(crate) fn acceptor(self) -> (TlsAcceptor, String) {
        let pem = self.certificate.pem();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.der().clone()], key)
            .expect("the key belongs to the certificate");
        (TlsAcceptor::from(Arc::new(config)), pem)
    }

    /// Starts an app behind TLS with this certificate, and returns the app and the certificate in PEM.
    pub(crate) async fn app(self, manner: Manner) -> (App, String) {
        let (acceptor, pem) = self.acceptor();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let task = serve(listener, move |stream| {
            let (acceptor, manner) = (acceptor.clone(), manner.clone());
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    treat(stream, manner).await;
                }
            }
        });
        let url = format!("https://localhost:{port}");
        (App { url, task: Some(task), _held: Vec::new(), _listener: None }, pem)
    }
}

/// Accepts connections until the task is aborted, and handles each with `treat`.
#[expect(clippy::disallowed_methods, reason = "the app is not part of the emulator")]
fn serve<F>(listener: TcpListener, treat: impl Fn(TcpStream) -> F + Send + 'static) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    Handle::current().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            Handle::current().spawn(treat(stream));
        }
    })
}

/// Reads a request, and responds in this manner.
async fn treat(mut stream: impl AsyncRead + AsyncWrite + Unpin, manner: Manner) {
    read_request(&mut stream).await;
    match manner {
        Manner::Hang => std::future::pending().await,
        Manner::Close => {}
        Manner::Say(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Manner::Drip => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n").await;
            let mut clock = tokio::time::interval(Duration::from_millis(50));
            while stream.write_all(b" ").await.is_ok() {
                clock.tick().await;
            }
        }
        Manner::Pour => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n").await;
            while stream.write_all(&[b' '; 64 * 1024]).await.is_ok() {}
        }
    }
}

/// Reads a request to its end: closing a connection with unread bytes resets it, which could cut off the response.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) {
    let (mut request, mut piece) = (Vec::new(), [0; 16 * 1024]);
    loop {
        // If no byte arrives, the client has closed or reset the connection before the request was complete.
        let Ok(count @ 1..) = stream.read(&mut piece).await else { return };
        request.extend_from_slice(&piece[..count]);
        // 0x16 opens a TLS handshake: a plain app whose URL says https gets a ClientHello, which has no head to wait
        // for.
        let is_tls = request[0] == 0x16;
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            body.len() >= length.unwrap_or(0usize)
        });
        if is_tls || whole {
            return;
        }
    }
}
