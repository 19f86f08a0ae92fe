//! The app under test: it serves a letter, responds with TwiML, counts the faxes that were delivered or received, and
//! never responds to `/hang`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::Result;

const LETTER: &[u8] = include_bytes!("../../fixtures/documents/two-pages.pdf");
const TWIML: &str = "<Response><Receive action=\"/done\"/></Response>";

/// Counts the faxes that were delivered or received, and the requests that hang.
#[derive(Default)]
pub(crate) struct Heard {
    ends: AtomicUsize,
    hanging: AtomicUsize,
    news: Notify,
}

impl Heard {
    /// Resets the count of ended faxes; the count of hanging requests is kept.
    pub(crate) fn forget(&self) {
        self.ends.store(0, Ordering::SeqCst);
    }

    /// Waits until this many requests hang.
    pub(crate) async fn hanging(&self, count: usize) {
        while self.hanging.load(Ordering::SeqCst) < count {
            self.news.notified().await;
        }
    }

    /// Waits until this many faxes have ended.
    pub(crate) async fn ends(&self, count: usize) {
        while self.ends.load(Ordering::SeqCst) < count {
            self.news.notified().await;
        }
    }
}

/// Starts the app, and returns its address and counts.
pub(crate) async fn start() -> Result<(SocketAddr, Arc<Heard>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let heard = Arc::new(Heard::default());
    let own = Arc::clone(&heard);
    spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let heard = Arc::clone(&own);
            spawn(async move {
                let service = service_fn(|request| answer(request, &heard));
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Ok((address, heard))
}

async fn answer(
    request: Request<hyper::body::Incoming>,
    heard: &Heard,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let (kind, answer) = match path.as_str() {
        "/hang" => {
            heard.hanging.fetch_add(1, Ordering::SeqCst);
            heard.news.notify_one();
            std::future::pending().await
        }
        "/letter.pdf" => ("application/pdf", Bytes::from_static(LETTER)),
        "/fax" => ("text/xml", Bytes::from_static(TWIML.as_bytes())),
        _ => ("text/plain", Bytes::new()),
    };
    let ends: [&[u8]; 2] = [b"FaxStatus=delivered", b"FaxStatus=received"];
    if ends.iter().any(|end| body.windows(end.len()).any(|window| window == *end)) {
        heard.ends.fetch_add(1, Ordering::SeqCst);
        heard.news.notify_one();
    }
    Ok(Response::builder().header("content-type", kind).body(Full::new(answer)).unwrap_or_default())
}

#[expect(clippy::disallowed_methods, reason = "the app under test is not part of the emulator")]
fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(future);
}
