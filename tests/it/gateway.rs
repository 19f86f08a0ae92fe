//! Tests the single port on the wire: TLS, the CONNECT requests of three clients, absolute targets, tunnels to other hosts,
//! and refusals. The clients' bytes were recorded from the real libraries.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::config::{Config, ProxyClients};
use fauxfax::emulator::Registry;
use fauxfax::server::ca::{Authority, Identity};
use fauxfax::server::{Server, StateFileError};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const PATIENCE: Duration = Duration::from_secs(20);
/// How three clients ask for a tunnel: Python's `requests` (HTTP/1.0, no Host), https-proxy-agent (`Connection: close`) and
/// curl.
const CONNECTS: [&str; 3] = [
    "CONNECT fax.twilio.com:443 HTTP/1.0\r\n\r\n",
    "CONNECT fax.twilio.com:443 HTTP/1.1\r\nHost: fax.twilio.com\r\nConnection: close\r\n\r\n",
    "CONNECT fax.twilio.com:443 HTTP/1.1\r\nHost: fax.twilio.com:443\r\nUser-Agent: curl/7.88.1\r\nProxy-Connection: Keep-Alive\r\n\r\n",
];

/// The whole response to a CONNECT. PHP's libraries strip exactly these bytes.
const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// An emulator that listens on a free port and runs in a task of the test.
pub(crate) struct Running {
    address: SocketAddr,
    ca: CertificateDer<'static>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), StateFileError>>,
    pub(crate) registry: Registry,
    pub(crate) credential: String,
}

impl Running {
    pub(crate) async fn new(config: Config) -> Self {
        let server = Server::bind(&config).await.expect("a server");
        let address = server.address();
        let ca = server.ca().authority().expect("a CA").certificate().clone();
        let registry = server.registry().clone();
        let (stop, stopped) = oneshot::channel();
        let served = spawn(server.serve(async { drop(stopped.await) }));
        let zeros = "0".repeat(32);
        let credential = format!("Basic {}", BASE64_STANDARD.encode(format!("AC{zeros}:{zeros}")));
        Self { address, ca, stop, served, registry, credential }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Connects with a small receive buffer, so that the client's side holds few unread bytes.
    pub(crate) async fn connect_narrowly(&self, receive_bytes: u32) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(receive_bytes).expect("supported");
        socket.connect(self.address).await.expect("a connection")
    }

    /// Sends a request head, and returns the status line and the connection.
    pub(crate) async fn ask(&self, head: &str) -> (String, TcpStream) {
        let mut stream = self.connect().await;
        stream.write_all(head.as_bytes()).await.expect("sent");
        let head = read_head(&mut stream).await;
        (head.lines().next().unwrap_or_default().to_owned(), stream)
    }

    pub(crate) async fn trusting<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        name: &str,
        stream: S,
    ) -> std::io::Result<TlsStream<S>> {
        trusting(&self.ca, name, stream).await
    }

    /// Builds a GET request with the account's credential. The connection closes after the response.
    pub(crate) fn list(&self, target: &str, host: &str) -> String {
        format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: {}\r\n\r\n",
            self.credential
        )
    }

    /// Stops the server and waits until it has stopped, while other tasks of the test continue.
    pub(crate) async fn end(self) {
        let _ = self.stop.send(());
        tokio::time::timeout(PATIENCE, self.served)
            .await
            .expect("the server stops")
            .expect("no panic")
            .expect("no state to save");
    }
}

#[expect(clippy::disallowed_methods, reason = "the server runs beside its client")]
fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(work)
}

pub(crate) fn config() -> Config {
    Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() }
}

async fn trusting<S: AsyncRead + AsyncWrite + Unpin>(
    ca: &CertificateDer<'static>,
    name: &str,
    stream: S,
) -> std::io::Result<TlsStream<S>> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone()).expect("a root");
    let builder = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into());
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Reads up to the empty line after the headers, or to the end of the connection.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // Reads one byte at a time, so that nothing after the head is taken from the tunnel.
        let Ok(byte) = stream.read_u8().await else { break };
        head.push(byte);
    }
    String::from_utf8(head).expect("text")
}

/// Sends a request, and reads until the connection ends.
pub(crate) async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    // A TLS connection that ends without a close_notify alert is an error, which doesn't matter here.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn each_librarys_connect_reaches_the_emulator_under_twilios_name() {
    let running = Running::new(config()).await;
    for connect in CONNECTS {
        let (status, stream) = running.ask(connect).await;
        assert_eq!(status, ESTABLISHED.trim_end(), "{connect}");
        let mut tunnel = running.trusting("fax.twilio.com", stream).await.expect("a trusted certificate");
        let answer = exchange(&mut tunnel, &running.list("/v1/Faxes", "fax.twilio.com")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.contains("\"url\":\"https://fax.twilio.com/v1/Faxes?"), "{answer}");
    }
    running.end().await;
}

#[tokio::test]
async fn a_connect_is_answered_with_one_line_and_nothing_else() {
    let running = Running::new(config()).await;
    let answered = async |connect: &str| {
        let mut stream = running.connect().await;
        stream.write_all(connect.as_bytes()).await.expect("sent");
        let mut answer = [0; ESTABLISHED.len()];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), ESTABLISHED, "{connect}");
        stream
    };
    for connect in CONNECTS {
        // The next bytes belong to the tunnel.
        running.trusting("fax.twilio.com", answered(connect).await).await.expect("a handshake right after");
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let through = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", listener.local_addr().expect("an address"));
    let (mut stream, accepted) = tokio::join!(answered(&through), listener.accept());
    accepted.expect("a client").0.write_all(b"220 mail\r\n").await.expect("written");
    let mut greeting = String::new();
    stream.read_to_string(&mut greeting).await.expect("read");
    assert_eq!(greeting, "220 mail\r\n");
    running.end().await;
}

#[tokio::test]
async fn only_the_response_to_an_accepted_connect_lacks_headers() {
    let running = Running::new(config()).await;
    // A REST call, and then a CONNECT on the same connection.
    let mut stream = running.connect().await;
    let list = running.list("/v1/Faxes", "localhost").replace("Connection: close\r\n", "");
    stream.write_all(format!("{list}{}", CONNECTS[2]).as_bytes()).await.expect("sent");
    let head = read_head(&mut stream).await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200 ok\r\n") && head.contains("\r\ndate: "), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    stream.read_exact(&mut body).await.expect("a body");
    let mut answer = [0; ESTABLISHED.len()];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer), ESTABLISHED);
    let mut tunnel = running.trusting("fax.twilio.com", stream).await.expect("a trusted certificate");
    let answer = exchange(&mut tunnel, &running.list("/v1/Faxes", "fax.twilio.com")).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 200 ok\r\n") && answer.contains("\r\ndate: "), "{answer}");
    let refused = "CONNECT fax.twilio.com HTTP/1.1\r\nConnection: close\r\n\r\n";
    let answer = exchange(&mut running.connect().await, refused).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 400") && answer.contains("\r\ndate: "), "{answer}");
    running.end().await;
}

#[tokio::test]
async fn a_request_without_a_host_takes_the_host_of_its_tunnel() {
    let running = Running::new(config()).await;
    for (connect, origin) in [
        ("CONNECT fax.sydney.au1.twilio.com:443 HTTP/1.0\r\n\r\n", "https://fax.sydney.au1.twilio.com"),
        (
            "CONNECT media.twiliocdn.com:8443 HTTP/1.1\r\nHost: media.twiliocdn.com:8443\r\n\r\n",
            "https://media.twiliocdn.com:8443",
        ),
    ] {
        let (_, stream) = running.ask(connect).await;
        let name = connect[8..].split(':').next().expect("a name");
        let mut tunnel = running.trusting(name, stream).await.expect("a trusted certificate");
        let request = format!("GET /v1/Faxes HTTP/1.0\r\nAuthorization: {}\r\n\r\n", running.credential);
        let answer = exchange(&mut tunnel, &request).await;
        assert!(answer.contains(&format!("\"url\":\"{origin}/v1/Faxes?")), "{answer}");
    }
    running.end().await;
}

#[tokio::test]
async fn absolute_targets_yield_links_with_their_own_scheme() {
    let running = Running::new(config()).await;
    for origin in ["http://fax.twilio.com", "https://fax.twilio.com", "https://fax.us1.twilio.com"] {
        let mut stream = running.connect().await;
        let answer = exchange(&mut stream, &running.list(&format!("{origin}/v1/Faxes"), "fax.twilio.com")).await;
        assert!(answer.contains(&format!("\"url\":\"{origin}/v1/Faxes?")), "{answer}");
    }
    running.end().await;
}

#[tokio::test]
async fn the_port_serves_tls_as_this_machine_and_as_twilio() {
    let running = Running::new(config()).await;
    for name in ["localhost", "127.0.0.1", "fax.twilio.com", "lookups.sydney.au1.twilio.com", "fauxfax"] {
        let stream = running.connect().await;
        let mut stream = running.trusting(name, stream).await.expect(name);
        let answer = exchange(&mut stream, &running.list("/v1/Faxes", name)).await;
        assert!(answer.contains(&format!("\"url\":\"https://{name}/v1/Faxes?")), "{answer}");
    }
    running.end().await;
}

#[tokio::test]
async fn no_certificate_is_issued_for_a_host_that_is_not_served() {
    let running = Running::new(config()).await;
    for name in ["example.com", "verify.twilio.com", "db.internal"] {
        let refused = running.trusting(name, running.connect().await).await.expect_err(name);
        assert!(refused.to_string().contains("AccessDenied"), "{refused}");
        let (_, tunnel) = running.ask(CONNECTS[1]).await;
        let refused = running.trusting(name, tunnel).await.expect_err(name);
        assert!(refused.to_string().contains("AccessDenied"), "inside a tunnel to Twilio too: {refused}");
    }
    running.end().await;
}

#[tokio::test]
async fn another_hosts_tls_passes_through_with_its_own_certificate() {
    let running = Running::new(config()).await;
    let (theirs, _) = Authority::create(fauxfax::clock::RealTime::start().now()).expect("a CA");
    let (certificate, key) = theirs.sign(&Identity::Machine([127, 0, 0, 1].into())).expect("signed");
    let builder = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into());
    let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate], key).expect("a pair")));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = spawn(async move {
        let mut stream = acceptor.accept(listener.accept().await.expect("a client").0).await.expect("TLS");
        let mut asked = [0; 4];
        stream.read_exact(&mut asked).await.expect("read");
        stream.write_all(&asked).await.expect("written");
        let _ = stream.shutdown().await;
    });
    let (status, stream) = running.ask(&format!("CONNECT localhost:{port} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    assert_eq!(status, ESTABLISHED.trim_end());
    let mut tunnel = trusting(theirs.certificate(), "localhost", stream).await.expect("their own certificate");
    assert_eq!(exchange(&mut tunnel, "ping").await, "ping");
    server.await.expect("no panic");
    running.end().await;
}

#[tokio::test]
async fn a_tunnel_carries_any_bytes_unchanged() {
    let running = Running::new(config()).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let echo = spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let (mut from, mut to) = stream.split();
        tokio::io::copy(&mut from, &mut to).await.expect("echoed")
    });
    // The bytes have no pattern, so a lost or repeated part can't go unnoticed.
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    // The first bytes arrive together with the CONNECT, as an eager client sends them.
    let mut stream = running.connect().await;
    let head = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(&[head.as_bytes(), &bytes[..5_000]].concat()).await.expect("sent");
    assert!(read_head(&mut stream).await.contains(" 200 "));
    let (mut from, mut to) = stream.split();
    let sending = async {
        to.write_all(&bytes[5_000..]).await.expect("sent");
        to.shutdown().await.expect("ended");
    };
    let mut back = Vec::new();
    let (_, read) = tokio::join!(sending, from.read_to_end(&mut back));
    assert_eq!(read.expect("read"), bytes.len());
    assert!(back == bytes);
    assert_eq!(echo.await.expect("no panic"), bytes.len() as u64);
    running.end().await;
}

#[tokio::test]
async fn plaintext_requests_to_another_host_are_forwarded() {
    let running = Running::new(config()).await;
    let app = MockServer::start().await;
    let expected = Mock::given(method("POST")).and(path("/hook")).and(body_string("a=1")).and(header("x-mine", "2"));
    expected.respond_with(ResponseTemplate::new(202).set_body_string("taken")).expect(1).mount(&app).await;
    let request = format!(
        "POST {}/hook HTTP/1.1\r\nHost: x\r\nX-Mine: 2\r\nProxy-Connection: close\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=1",
        app.uri()
    );
    let answer = exchange(&mut running.connect().await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 202") && answer.ends_with("taken"), "{answer}");
    running.end().await;
}

#[tokio::test]
async fn connect_to_redirects_forwarded_requests_and_tunnels_but_no_tunnel_to_plain_http() {
    let app = MockServer::start().await;
    Mock::given(path("/hook"))
        .and(header("host", "app.example.com"))
        .respond_with(ResponseTemplate::new(202))
        .mount(&app)
        .await;
    let port = app.address().port();
    let connect_to = [
        format!("app.example.com:443=http://127.0.0.1:{port}"),
        format!("app.example.com:80=127.0.0.1:{port}"),
        format!("tunnel.example.com=127.0.0.1:{port}"),
        "plain.invalid=http://127.0.0.1".to_owned(),
    ];
    let connect_to = connect_to.iter().map(|rule| rule.parse().expect("a rule")).collect();
    // The emulator is offline, so nothing but the app on this machine can respond.
    let running = Running::new(Config { connect_to, offline: true, ..config() }).await;
    for scheme in ["http", "https"] {
        let request = format!("GET {scheme}://app.example.com/hook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = exchange(&mut running.connect().await, &request).await;
        assert!(answer.starts_with("HTTP/1.1 202"), "{scheme}: {answer}");
    }
    let (status, mut tunnel) = running.ask("CONNECT Tunnel.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(status, ESTABLISHED.trim_end());
    let request = "GET /hook HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n";
    assert!(exchange(&mut tunnel, request).await.starts_with("HTTP/1.1 202"));
    // `connect_to` leads this host to an app that expects plain HTTP, but in a tunnel the client speaks TLS. The tunnel is
    // refused, since one to the real host would go past the app unnoticed.
    let refused = "CONNECT plain.invalid:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = exchange(&mut running.connect().await, refused).await;
    assert!(answer.contains(" 403 ") && answer.contains("--connect-to redirects plain.invalid:443"), "{answer}");
    running.end().await;
}

#[tokio::test]
async fn an_unreachable_host_is_502_and_an_invalid_request_is_400() {
    let running = Running::new(config()).await;
    // The listener is dropped right away, so nothing listens on its port.
    let free = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port").local_addr().expect("an address").port();
    for (request, status, part) in [
        (format!("CONNECT 127.0.0.1:{free} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "502", "refused"),
        (format!("GET http://127.0.0.1:{free}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "502", "refused"),
        (
            "CONNECT nowhere.invalid:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
            "502",
            "nowhere.invalid",
        ),
        (
            "CONNECT fax.twilio.com HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
            "400",
            "no host and port",
        ),
        ("nonsense\r\n\r\n".to_owned(), "400", ""),
    ] {
        let answer = exchange(&mut running.connect().await, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(part), "{request}: {answer}");
    }
    running.end().await;
}

#[tokio::test]
async fn a_tunnel_to_the_proxy_itself_is_answered_and_does_not_loop() {
    let running = Running::new(config()).await;
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", running.address);
    let (status, mut stream) = running.ask(&connect).await;
    assert_eq!(status, ESTABLISHED.trim_end());
    let answer = exchange(&mut stream, &running.list("/v1/Faxes", "localhost")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, mut stream) = running.ask(&connect).await;
    let answer = exchange(&mut stream, &connect.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 508") && answer.contains("leads back to this proxy"), "{answer}");
    running.end().await;
}

#[tokio::test]
async fn the_option_offline_leaves_only_the_hosts_that_the_emulator_serves() {
    let running = Running::new(Config { offline: true, ..config() }).await;
    for request in [
        "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET http://example.com/ HTTP/1.0\r\n\r\n",
    ] {
        let answer = exchange(&mut running.connect().await, request).await;
        assert!(answer.contains(" 403 ") && answer.contains("--offline"), "{answer}");
    }
    for request in [
        "CONNECT video.twilio.com:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET http://Verify.Twilio.com./v2/Services HTTP/1.0\r\n\r\n",
        "CONNECT signalwire.com:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let answer = exchange(&mut running.connect().await, request).await.to_ascii_lowercase();
        assert!(answer.contains(" 403 ") && answer.contains("content-type: text/plain"), "{answer}");
        assert!(
            answer.contains("twilio.com") && answer.contains(": this emulator serves only faxes, accounts"),
            "{answer}"
        );
        assert!(answer.contains("at the subdomains of signalwire.com"), "{answer}");
    }
    let (status, _) = running.ask(CONNECTS[0]).await;
    assert_eq!(status, ESTABLISHED.trim_end());
    running.end().await;
}

#[tokio::test]
async fn bytes_of_another_protocol_end_their_own_connection_and_harm_no_other() {
    let running = Running::new(config()).await;
    for bytes in [&[5, 1, 0][..], &[0x80, 0x2e, 1, 3, 1], &[0xff; 64], &[0]] {
        let mut stream = running.connect().await;
        stream.write_all(bytes).await.expect("sent");
        let mut rest = Vec::new();
        // The connection closes, perhaps after a TLS alert.
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok() && rest.len() < 16, "{bytes:?}: {rest:?}");
    }
    // The emulator waits a while for the other half of a ClientHello, but gives up when it is stopped.
    let mut half = running.connect().await;
    half.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).await.expect("sent");
    let answer = exchange(&mut running.connect().await, &running.list("/v1/Faxes", "localhost")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    running.end().await;
    assert_eq!(half.read(&mut [0; 16]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn this_machine_may_use_the_proxy_also_if_proxy_clients_is_any() {
    // A test can connect only from this machine. A unit test of the policy covers other machines.
    let running = Running::new(Config { proxy_clients: ProxyClients::Any, ..config() }).await;
    let (status, _) = running.ask(CONNECTS[2]).await;
    assert_eq!(status, ESTABLISHED.trim_end());
    running.end().await;
}

#[tokio::test]
async fn the_ca_is_created_when_its_certificate_is_first_downloaded_and_not_before() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("ca");
    let server = Server::bind(&Config { ca_dir: Some(folder.clone()), ..config() }).await.expect("a server");
    let address = server.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = spawn(server.serve(async { drop(stopped.await) }));
    let get = |path: &'static str| async move {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let (method, path) = path.split_once(' ').unwrap_or(("GET", path));
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        exchange(&mut stream, &request).await
    };
    assert!(get("HEAD /_fauxfax/v1/ca.pem").await.starts_with("HTTP/1.1 200") && !folder.exists());
    assert!(get("/livez").await.starts_with("HTTP/1.1 200") && !folder.exists());
    let pem = get("/_fauxfax/v1/ca.pem").await;
    assert!(pem.contains("-----BEGIN CERTIFICATE-----") && folder.join("ca.pem").exists(), "{pem}");
    assert_eq!(get("/ca.pem").await.split("\r\n\r\n").nth(1), pem.split("\r\n\r\n").nth(1));
    let bundle = get("/_fauxfax/v1/ca-bundle.pem").await;
    assert!(bundle.matches("BEGIN CERTIFICATE").count() > 50);
    drop(stop);
    served.await.expect("no panic").expect("no state to save");
}

#[tokio::test]
async fn a_second_port_serves_tls_too() {
    let tls_listen = Some(([127, 0, 0, 1], 0).into());
    let server = Server::bind(&Config { tls_listen, ..config() }).await.expect("a server");
    let (address, ca) = (server.tls_address().expect("a second port"), server.ca().authority().expect("a CA"));
    assert_ne!(address, server.address());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = spawn(server.serve(async { drop(stopped.await) }));
    let stream = TcpStream::connect(address).await.expect("a connection");
    let mut stream = trusting(ca.certificate(), "fax.twilio.com", stream).await.expect("TLS");
    let answer = exchange(&mut stream, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(stop);
    served.await.expect("no panic").expect("no state to save");
}
