//! Reads request bodies within size and time limits, and within the budget of bytes in flight. The caller interprets
//! the bodies.

use std::time::Duration;

use axum::BoxError;
use axum::body::HttpBody;
use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::io::budget::{Budget, NoRoom, Pieces, ROOM_WAIT_MAX};

/// How long a client may pause within a body before its request fails.
pub(super) const BODY_IDLE_MAX: Duration = Duration::from_secs(60);
/// How long a whole body may take, however steadily it arrives: otherwise an upload that trickles in would hold its
/// share of the budget forever.
pub(super) const BODY_TIME_MAX: Duration = Duration::from_secs(600);

/// The reason a request body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyFault {
    #[error("the body is over its limit")]
    TooLarge,
    #[error("the body ended too early")]
    Broken,
    #[error(
        "no part of the body arrived for {} s, or all of it took more than {} s",
        BODY_IDLE_MAX.as_secs(),
        BODY_TIME_MAX.as_secs()
    )]
    TooSlow,
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
}

/// The time limits for one body: for each pause, and for the whole body.
#[derive(Debug, Clone, Copy)]
struct Patience {
    idle: Duration,
    total: Duration,
}

const PATIENCE: Patience = Patience { idle: BODY_IDLE_MAX, total: BODY_TIME_MAX };

/// A body that is read frame by frame, with a deadline for each frame and for the whole body.
struct Parts<B> {
    body: B,
    idle: Duration,
    end: Instant,
}

impl<B> Parts<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    fn of(body: B, patience: Patience) -> Self {
        Self { body, idle: patience.idle, end: Instant::now() + patience.total }
    }

    async fn next(&mut self) -> Option<Result<Bytes, BodyFault>> {
        loop {
            let frame = timeout_at(self.end, timeout(self.idle, self.body.frame())).await;
            // The time limit for the whole body has passed, or the one for this frame.
            let Ok(Ok(frame)) = frame else { return Some(Err(BodyFault::TooSlow)) };
            match frame? {
                Ok(frame) => {
                    // A frame without data contains trailers, which no route reads.
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
                Err(_) => return Some(Err(BodyFault::Broken)),
            }
        }
    }
}

/// Reads a body of at most `limit_bytes`. A declared length over the limit is refused before anything is read.
pub(super) async fn read<B>(body: B, limit_bytes: usize, budget: &Budget) -> Result<Pieces, BodyFault>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    read_within(body, limit_bytes, budget, PATIENCE).await
}

async fn read_within<B>(body: B, limit_bytes: usize, budget: &Budget, patience: Patience) -> Result<Pieces, BodyFault>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if body.size_hint().lower() > limit_bytes as u64 {
        return Err(BodyFault::TooLarge);
    }
    let (mut parts, mut read) = (Parts::of(Box::pin(body), patience), budget.body(ROOM_WAIT_MAX));
    while let Some(data) = parts.next().await {
        let data = data?;
        if read.len() + data.len() > limit_bytes {
            return Err(BodyFault::TooLarge);
        }
        read.add(&data).await?;
    }
    Ok(read)
}

/// Turns a body into a stream of data with the time limits of [`read`]. The caller counts the bytes.
pub(super) fn parts<B>(body: B) -> impl Stream<Item = Result<Bytes, BodyFault>> + Send
where
    B: HttpBody<Data = Bytes> + Unpin + Send,
    B::Error: Into<BoxError>,
{
    stream::unfold(Parts::of(body, PATIENCE), |mut parts| async move { Some((parts.next().await?, parts)) })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(3_600);

    async fn length(body: Body, patience: Patience) -> Result<usize, BodyFault> {
        read_within(body, 1_000, &Budget::default(), patience).await.map(|read| read.len())
    }

    #[tokio::test]
    async fn a_body_at_the_limit_is_read_and_one_a_byte_longer_is_not() {
        assert_eq!(length(Body::from(vec![0; 1_000]), PATIENCE).await, Ok(1_000));
        assert_eq!(length(Body::from(vec![0; 1_001]), PATIENCE).await, Err(BodyFault::TooLarge));
        let unannounced = stream::iter([Ok::<_, std::convert::Infallible>(vec![0; 600]), Ok(vec![0; 401])]);
        assert_eq!(length(Body::from_stream(unannounced), PATIENCE).await, Err(BodyFault::TooLarge));
    }

    #[tokio::test]
    async fn a_body_that_stalls_for_too_long_is_abandoned() {
        let stuck = || stream::once(async { Ok::<_, std::convert::Infallible>("x") });
        let stuck = Body::from_stream(futures_util::StreamExt::chain(stuck(), stream::pending()));
        assert_eq!(length(stuck, Patience { idle: SHORT, total: LONG }).await, Err(BodyFault::TooSlow));
    }

    #[tokio::test]
    async fn a_body_that_trickles_in_endlessly_is_abandoned() {
        let drip = stream::unfold((), |()| async {
            crate::driver::pause(Duration::from_millis(1)).await;
            Some((Ok::<_, std::convert::Infallible>(""), ()))
        });
        let dripping = Body::from_stream(drip);
        assert_eq!(length(dripping, Patience { idle: LONG, total: SHORT }).await, Err(BodyFault::TooSlow));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_not_mistaken_for_one_that_is_too_long() {
        let broken = stream::iter([Ok("x"), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))]);
        assert_eq!(length(Body::from_stream(broken), PATIENCE).await, Err(BodyFault::Broken));
    }
}
