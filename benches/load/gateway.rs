//! Measures the single port: TLS compared with plain HTTP, a tunnel compared with a direct connection, and the cost of
//! issuing a certificate.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Result;
use crate::client::{Connection, load, load_through, now, request};
use crate::emulator::{Process, credential};
use crate::figures::{ROUNDS, SPAN, ratio};

/// The number of bytes sent through a tunnel per round.
pub(crate) const STREAM_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The number of new host names for which issuing a certificate is timed.
const HOSTS: usize = 200;

/// Compares the bytes per second that arrive from a server through a tunnel with those over a direct connection.
pub(crate) async fn tunnel(report: &impl Fn(&str)) -> Result<()> {
    let emulator = Process::emulator(&[])?;
    let source = Process::source()?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let direct = drained(TcpStream::connect(source.address).await?).await?;
        let mut stream = TcpStream::connect(emulator.address).await?;
        stream.write_all(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", source.address).as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            // One byte at a time, so that all bytes after the head are measured.
            head.push(stream.read_u8().await?);
        }
        let through = drained(stream).await?;
        rounds.push((through / direct, through / 1e6));
    }
    report(&format!("tunnel / direct         {}", ratio(&mut rounds, "MB/s")));
    Ok(())
}

/// Reads `STREAM_BYTES` bytes, and returns the bytes per second.
async fn drained(mut stream: TcpStream) -> Result<f64> {
    let (mut buffer, mut read) = (vec![0; 256 * 1024], 0_u64);
    let started = now();
    while read < STREAM_BYTES {
        match stream.read(&mut buffer).await? {
            0 => return Err("the stream ended early".into()),
            bytes => read += bytes as u64,
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure")]
    Ok(read as f64 / started.elapsed().as_secs_f64())
}

/// Compares `GET` over persistent TLS connections with `GET` over plain ones, and the first handshake for a host name
/// with the second.
pub(crate) async fn tls(report: &impl Fn(&str)) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("fauxfax-load-{}", std::process::id()));
    let measured = tls_in(report, &folder).await;
    let _ = std::fs::remove_dir_all(&folder);
    measured
}

async fn tls_in(report: &impl Fn(&str), folder: &Path) -> Result<()> {
    let emulator = Process::emulator(&["--ca-dir", &folder.display().to_string()])?;
    let address = emulator.address;
    let mut plain = Connection::open(address).await?;
    let pem = plain.ask(&request("GET", "/_fauxfax/v1/ca.pem", address, "", "")).await?.1.to_vec();
    let connector = connector(&pem)?;
    let list = request("GET", "/v1/Faxes?PageSize=1", address, &credential(), "");
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let clear = load(address, &list, 200, SPAN).await?.responses_per_second;
        let open = || async { Ok(Connection::over(shake_hands(&connector, address, "fax.twilio.com").await?)) };
        let secret = load_through(&open, &list, 200, SPAN).await?.responses_per_second;
        rounds.push((secret / clear, secret));
    }
    report(&format!("TLS / plain HTTP        {}", ratio(&mut rounds, "requests/s")));
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for host in 0..HOSTS {
        let host = format!("fax.edge{host}.us1.twilio.com");
        for times in [&mut first, &mut later] {
            let started = now();
            shake_hands(&connector, address, &host).await?;
            times.push(started.elapsed());
        }
    }
    // Because of noise, the later handshakes may be slower than the first; the difference below is then zero.
    let (first, later) = (median(&mut first), median(&mut later));
    report(&format!(
        "a handshake             {} µs with a new host, {} µs with a known one: {} µs for its certificate",
        first.as_micros(),
        later.as_micros(),
        first.saturating_sub(later).as_micros()
    ));
    Ok(())
}

fn connector(pem: &[u8]) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem)?)?;
    let builder = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into());
    let mut config = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    // Resumed sessions would skip the certificate, so every handshake must be a full one.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config).into())
}

async fn shake_hands(
    connector: &TlsConnector,
    address: SocketAddr,
    host: &str,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(connector.connect(ServerName::try_from(host.to_owned())?, stream).await?)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
