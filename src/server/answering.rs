//! Limits how long a client may take to read a response: a connection that makes no progress, or takes
//! too long in all, is closed.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client may go without reading any of a response, event streams included. Until then the connection holds
/// the unread bytes: at most [`UNREAD_BYTES_MAX`](super::listener::UNREAD_BYTES_MAX) and one chunk, in addition to what
/// the system buffers ([`SEND_BUFFER_BYTES`](super::SEND_BUFFER_BYTES)).
const ANSWER_IDLE_MAX: Duration = Duration::from_secs(60);
/// How long a client may take to read a whole response, if the response has an end.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(600);

/// The kind of response that is being written on a connection.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// A response with an end, and when it began.
    Finite(Instant),
    /// An event stream, which has no end.
    Endless,
    /// Bytes from a remote host. The tunnel has its own limits.
    Tunnel,
}

/// The kind of response on a connection, shared by the code that responds and the code that writes.
#[derive(Debug, Clone)]
pub(super) struct Answering(Arc<Mutex<Answer>>);

impl Default for Answering {
    fn default() -> Self {
        // The first response sets the kind. Until then only TLS handshakes are written, which have their own time
        // limit.
        Self(Arc::new(Mutex::new(Answer::Endless)))
    }
}

impl Answering {
    /// Notes that a response with an end begins now.
    pub(super) fn finite(&self) {
        self.set(Answer::Finite(Instant::now()));
    }

    /// Notes that an event stream, which has no end, begins now.
    pub(super) fn endless(&self) {
        self.set(Answer::Endless);
    }

    /// Notes that the connection has become a tunnel.
    pub(super) fn tunnel(&self) {
        self.set(Answer::Tunnel);
    }

    fn set(&self, answer: Answer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    fn get(&self) -> Answer {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The watchdog for a connection's writes.
pub(super) struct Watch {
    answering: Answering,
    idle: Duration,
    total: Duration,
    /// The deadline for the pending write; set while the client isn't reading.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Watch {
    pub(super) fn new(answering: Answering) -> Self {
        Self { answering, idle: ANSWER_IDLE_MAX, total: ANSWER_TIME_MAX, alarm: None }
    }

    /// Passes on the result of a write, or an error if the client hasn't read anything for too long or takes too long
    /// to read the whole response.
    #[expect(clippy::disallowed_methods, reason = "the listener limits how long a connection may be silent")]
    pub(super) fn written<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            // The client has read something, so the idle time starts anew.
            self.alarm = None;
            return written;
        }
        let now = Instant::now();
        let idle_until = now + self.idle;
        let until = match self.answering.get() {
            // A tunnel has its own limit, and its pending write has registered the waker.
            Answer::Tunnel => return Poll::Pending,
            Answer::Endless => idle_until,
            Answer::Finite(begun) => idle_until.min(begun + self.total),
        };
        // Set when the client stops reading; later polls must not push it back.
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(until)));
        match alarm.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(3_600);

    fn watch(idle: Duration, total: Duration) -> Watch {
        Watch { idle, total, ..Watch::new(Answering::default()) }
    }

    /// Polls a write that can't proceed.
    async fn stuck(watch: &mut Watch) -> io::Result<()> {
        poll_fn(|context| watch.written(Poll::Pending, context)).await
    }

    async fn is_cut(watch: &mut Watch) -> bool {
        match tokio::time::timeout(10 * SHORT, stuck(watch)).await {
            Ok(cut) => cut.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut),
            Err(_) => false,
        }
    }

    #[tokio::test]
    async fn an_unread_response_or_stream_is_cut_off_but_a_tunnel_is_not() {
        let mut watch = watch(SHORT, LONG);
        assert!(is_cut(&mut watch).await, "a stream");
        watch.alarm = None;
        watch.answering.finite();
        assert!(is_cut(&mut watch).await, "a response");
        watch.alarm = None;
        watch.answering.tunnel();
        assert!(!is_cut(&mut watch).await, "a tunnel");
    }

    #[tokio::test]
    async fn a_response_that_is_read_too_slowly_is_cut_off_but_a_stream_continues() {
        for is_finite in [true, false] {
            let mut watch = watch(LONG, SHORT);
            if is_finite {
                watch.answering.finite();
            }
            let taken = poll_fn(|context| watch.written(Poll::Ready(Ok(1)), context)).await;
            assert_eq!(taken.expect("something is taken"), 1);
            assert_eq!(is_cut(&mut watch).await, is_finite);
        }
    }
}
