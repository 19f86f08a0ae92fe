//! Drains an unread request body after an early response, so that the connection can be reused. Clients send head and
//! body separately; if the connection were closed while the body is on its way, some would lose the response.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The maximum number of bytes that are read to keep a connection: the size of the largest form. For a longer body, a
/// new connection costs less.
const LEFT_BYTES_MAX: usize = 256 * 1024;
/// How long the rest of the body may take to arrive.
const LEFT_TIMEOUT: Duration = Duration::from_secs(2);

/// A request body that is returned when it is dropped before its end.
pub struct ReturnedBody<B> {
    /// Always present until `drop` takes it.
    body: Option<B>,
    back: Option<oneshot::Sender<B>>,
}

/// The receiver of a returned body; `None` if the request had no body.
pub(super) struct Leftover<B>(Option<oneshot::Receiver<B>>);

/// Wraps a request's body so that it can be drained later if the handler doesn't read it to its end.
pub(super) fn lend<B: HttpBody + Unpin>(request: Request<B>) -> (Request<ReturnedBody<B>>, Leftover<B>) {
    let (head, body) = request.into_parts();
    let (back, leftover) = if body.is_end_stream() {
        (None, None)
    } else {
        let (back, leftover) = oneshot::channel();
        (Some(back), Some(leftover))
    };
    (Request::from_parts(head, ReturnedBody { body: Some(body), back }), Leftover(leftover))
}

impl<B: HttpBody> Leftover<B> {
    /// Returns the body if some of it is unread. Returns `None` if the body has ended, or if something is still reading
    /// it, such as a forwarded request.
    pub(super) fn take(self) -> Option<B> {
        self.0.and_then(|mut back| back.try_recv().ok()).filter(|body| !body.is_end_stream())
    }
}

/// Drains the rest of a body. If the rest is too long or takes too long to arrive, the response announces that the
/// connection closes.
pub(super) async fn read<B>(left: B, response: &mut Response<Body>)
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    // A body that announces too large a size is not read at all.
    let fits = left.size_hint().lower() <= LEFT_BYTES_MAX as u64;
    if !fits || !ends(left, LEFT_TIMEOUT).await {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Returns whether the body ended within the limits of size and time.
async fn ends<B>(body: B, within: Duration) -> bool
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let mut body = Limited::new(body, LEFT_BYTES_MAX);
    let to_its_end = async {
        while let Some(frame) = body.frame().await {
            if frame.is_err() {
                return false;
            }
        }
        true
    };
    timeout(within, to_its_end).await.unwrap_or(false)
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for ReturnedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.get_mut().body.as_mut().map_or(Poll::Ready(None), |body| Pin::new(body).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl<B> Drop for ReturnedBody<B> {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // If the connection is gone, nobody is waiting for the body.
            let _ = back.send(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::{FutureExt, stream};

    use super::*;

    /// Returns a body that the client has yet to send, with the sender for its data.
    fn to_come() -> (oneshot::Sender<Bytes>, Body) {
        let (client, coming) = oneshot::channel();
        (client, Body::from_stream(stream::once(coming)))
    }

    fn closes(response: &Response<Body>) -> bool {
        response.headers().get(header::CONNECTION).is_some_and(|value| value == "close")
    }

    #[tokio::test]
    async fn a_response_waits_until_the_unneeded_body_is_drained() {
        let (client, body) = to_come();
        let (request, leftover) = lend(Request::new(body));
        drop(request);
        let mut response = Response::default();
        {
            let mut read = pin!(read(leftover.take().unwrap(), &mut response));
            assert_eq!(read.as_mut().now_or_never(), None, "the body is still to come");
            client.send(Bytes::from_static(b"To=1")).unwrap();
            read.await;
        }
        assert!(!closes(&response));
    }

    #[tokio::test]
    async fn a_body_too_long_to_be_read_closes_the_connection_with_a_header_saying_so() {
        let long = vec![b'x'; LEFT_BYTES_MAX + 1];
        for (body, is_closed) in [(long.clone(), true), (long[1..].to_vec(), false), (Vec::new(), false)] {
            let (request, leftover) = lend(Request::new(Body::from(body)));
            drop(request);
            let mut response = Response::default();
            if let Some(left) = leftover.take() {
                read(left, &mut response).await;
            }
            assert_eq!(closes(&response), is_closed);
        }
    }

    #[tokio::test]
    async fn a_body_that_never_arrives_is_awaited_for_a_limited_time() {
        let (client, body) = to_come();
        assert!(!ends(body, Duration::ZERO).await);
        drop(client);
        let (_, broken_off) = to_come();
        assert!(!ends(broken_off, LEFT_TIMEOUT).await);
    }

    #[tokio::test]
    async fn a_body_that_is_still_being_read_is_not_drained() {
        let (client, body) = to_come();
        let (request, leftover) = lend(Request::new(body));
        assert!(leftover.take().is_none());
        drop((request, client));
    }
}
