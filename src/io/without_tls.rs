//! The stand-in for `tls.rs` if the `tls` feature is off: every https connection fails with an explanation.

use std::io;

use tokio::net::TcpStream;
use url::Url;

use super::options::ClientError;
use super::stream::Stream;
use crate::model::webhook::ExchangeFailure;

/// The stand-in for the TLS client, which rejects all connections.
#[derive(Clone)]
pub(super) struct Tls;

impl Tls {
    #[expect(clippy::unnecessary_wraps, reason = "with TLS it may fail")]
    pub(super) const fn new(_: &[Vec<u8>], _: bool) -> Result<Self, ClientError> {
        Ok(Self)
    }

    #[expect(clippy::unused_async, reason = "with TLS it waits")]
    pub(super) async fn connect(&self, _: &Url, _: TcpStream) -> Result<Stream, ExchangeFailure> {
        Err(ExchangeFailure::TlsHandshake("this emulator was built without TLS (its feature `tls`)".to_owned()))
    }
}

/// Returns the TLS failure behind an I/O error. Without TLS there never is one.
pub(super) const fn failure(_: &io::Error) -> Option<ExchangeFailure> {
    None
}
