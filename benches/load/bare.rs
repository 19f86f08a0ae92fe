//! The baselines that fauxfax is compared with: a hyper server that returns a constant response, a server that streams
//! bytes, and a loop that makes requests like fauxfax's to apps. Each runs in a separate process.

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::Result;
use crate::gateway::STREAM_BYTES;

/// The number of requests that the bare loop has in flight.
const LOOP_WIDTH: usize = 64;

/// Responds to each request, once its body has been read, with `size` bytes labelled as JSON. Prints the server's
/// address.
pub(crate) fn serve(size: &str) -> Result<()> {
    let body = Bytes::from(vec![b'x'; size.parse()?]);
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", listener.local_addr()?)?;
        out.flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let body = body.clone();
            spawn(async move {
                let service = service_fn(|request: Request<hyper::body::Incoming>| {
                    let body = body.clone();
                    async move {
                        let _ = request.into_body().collect().await;
                        let answer = Response::builder().header("content-type", "application/json");
                        Ok::<_, Infallible>(answer.body(Full::new(body)).unwrap_or_default())
                    }
                });
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

/// Streams `STREAM_BYTES` bytes to every connection. Prints the server's address.
pub(crate) fn source() -> Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()?;
    let piece = vec![0; 256 * 1024];
    for stream in listener.incoming() {
        let mut stream = stream?;
        let mut left = STREAM_BYTES;
        while left > 0 && stream.write_all(&piece).is_ok() {
            left -= piece.len() as u64;
        }
    }
    Ok(())
}

/// Runs through `plan` as many times as `count` says, with a new connection for each request. Each letter of `plan`
/// stands for one request: `g` fetches the document, `q` asks for TwiML, and any other letter posts a callback.
pub(crate) fn webhooks(address: &str, count: &str, plan: &str) -> Result<()> {
    let (address, plan): (Arc<str>, Arc<str>) = (address.into(), plan.into());
    let (count, next) = (count.parse()?, Arc::new(AtomicUsize::new(0)));
    tokio::runtime::Runtime::new()?.block_on(async {
        let loops: Vec<_> = (0..LOOP_WIDTH)
            .map(|_| {
                let (address, plan, next) = (Arc::clone(&address), Arc::clone(&plan), Arc::clone(&next));
                spawn(async move {
                    while next.fetch_add(1, Ordering::Relaxed) < count {
                        for letter in plan.chars() {
                            ask(&address, letter).await?;
                        }
                    }
                    Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
                })
            })
            .collect();
        for each in loops {
            each.await??;
        }
        Ok(())
    })
}

async fn ask(address: &str, letter: char) -> Result<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driven = spawn(connection);
    let (method, path, body) = match letter {
        'g' => ("GET", "/letter.pdf", Full::<Bytes>::default()),
        'q' => ("POST", "/fax", Full::from("x".repeat(300))),
        _ => ("POST", "/status", Full::from("x".repeat(500))),
    };
    let request = Request::builder().method(method).uri(path).header("host", address).header("connection", "close");
    let answer = sender.send_request(request.body(body)?).await?;
    answer.into_body().collect().await?;
    // The connection's task ends once the sender is dropped.
    drop(sender);
    let _ = driven.await;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the baselines run without fauxfax's driver")]
fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future)
}
