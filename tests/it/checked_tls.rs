//! TLS for the app in `checked_app`: a certificate from an authority that the emulator trusts, and a server that still
//! speaks TLS 1.0.

use std::sync::LazyLock;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::apps::Authority;

/// The last year in which the certificate is valid, far beyond the life of these tests.
const UNTIL_YEAR: i32 = 4096;
/// The offset of the version in a ClientHello, after the headers of the record and the message.
const VERSION_AT: usize = 9;
/// The beginning of a ServerHello in TLS 1.0. The rest is left out, since no test reads it.
const OLD_HELLO: [u8; 11] = [22, 3, 1, 0, 50, 2, 0, 0, 46, 3, 1];

/// The authority that issues the apps' certificates. Making keys takes time, so there is one for all tests of a process.
static AUTHORITY: LazyLock<Authority> = LazyLock::new(Authority::new);

/// A connection to the app.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Returns the authority's certificate in PEM, which the emulator has to trust.
pub(crate) fn trusted() -> String {
    AUTHORITY.pem.clone()
}

/// The app's side of TLS. If `speaks_old`, it also accepts TLS 1.0.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    speaks_old: bool,
}

impl Tls {
    pub(crate) fn new(speaks_old: bool) -> Self {
        let (acceptor, _) = AUTHORITY.certificate("localhost", UNTIL_YEAR).acceptor();
        Self { acceptor, speaks_old }
    }

    /// Performs the handshake. Returns `None` if it fails, or after the beginning of a ServerHello in TLS 1.0.
    pub(crate) async fn accept(&self, mut stream: TcpStream) -> Option<Box<dyn Wire>> {
        let mut start = [0; VERSION_AT + 2];
        if self.speaks_old && stream.peek(&mut start).await.is_ok() && start[VERSION_AT..] < [3, 3][..] {
            let _ = stream.write_all(&OLD_HELLO).await;
            // The rest is read, because closing a connection with unread bytes resets it.
            let _ = stream.read_to_end(&mut Vec::new()).await;
            return None;
        }
        Some(Box::new(self.acceptor.accept(stream).await.ok()?))
    }
}
