//! A connection to an app, whatever it runs over.

use tokio::io::{AsyncRead, AsyncWrite};

/// A connection, in clear or through TLS.
pub(crate) type Stream = Box<dyn Duplex>;

/// What HTTP needs of a connection.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
