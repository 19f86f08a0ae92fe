//! Makes one HTTP/1.1 request on a new connection, without following redirects or answering challenges. The command
//! line and the checks of an app use it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

/// A response whose body is still arriving.
pub(crate) struct Opened {
    pub(crate) response: Response<Incoming>,
    /// The connection's task, which ends when this is dropped.
    _connection: JoinSet<hyper::Result<()>>,
}

/// Sends a request on a new connection, and returns the response without waiting for the body.
#[expect(clippy::disallowed_methods, reason = "a connection runs as its own task for as long as the call lasts")]
pub(crate) async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> hyper::Result<Opened>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // Header names are written as the emulator writes them, because there are apps that look for them in this form only.
    let mut builder = http1::Builder::new();
    let (mut sender, connection) = builder.title_case_headers(true).handshake(TokioIo::new(stream)).await?;
    // The set aborts the task when it is dropped together with the response.
    let mut running = JoinSet::new();
    running.spawn(connection);
    Ok(Opened { response: sender.send_request(request).await?, _connection: running })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn header_names_begin_with_capital_letters() {
        let (here, mut there) = duplex(1024);
        let request = Request::builder().header("host", "a").header("x-twilio-signature", "s");
        let request = request.body(Full::default()).expect("a request");
        let server = async {
            let mut head = vec![0; 1024];
            let read = there.read(&mut head).await.expect("a head");
            there.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("written");
            String::from_utf8_lossy(&head[..read]).into_owned()
        };
        let (head, opened) = tokio::join!(server, send(here, request));
        assert_eq!(opened.expect("a response").response.status(), 204);
        assert!(head.contains("\r\nX-Twilio-Signature: s\r\n"), "{head}");
    }
}
