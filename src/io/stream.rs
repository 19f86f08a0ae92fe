//! A connection to an app, either plain TCP or TLS.

use tokio::io::{AsyncRead, AsyncWrite};

/// A boxed connection, so that callers need not care about TLS.
pub(crate) type Stream = Box<dyn Duplex>;

/// The operations that the HTTP library needs from a connection.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
