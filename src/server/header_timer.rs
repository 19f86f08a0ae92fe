//! A request-header timeout that reuses one timer per connection. The timer is reset only if it fires too early: nearly
//! all heads arrive in one piece, and registering a timer for each would cost more than reading it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// The timer of one connection, in the form that hyper needs.
#[derive(Clone, Default)]
pub(super) struct HeaderTimer(Alarm);

/// The registered timer; absent until something has waited for it.
type Alarm = Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>;

impl Timer for HeaderTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait { alarm: Arc::clone(&self.0), deadline })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// The time limit of one head.
struct Wait {
    alarm: Alarm,
    deadline: Instant,
}

impl Sleep for Wait {}

impl Future for Wait {
    type Output = ();

    #[expect(clippy::disallowed_methods, reason = "the listener limits how long a connection may be silent")]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline.into();
        let mut alarm = self.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        let alarm = alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // Only an earlier deadline needs a reset now; a later one is set when the timer fires.
        if deadline < alarm.deadline() {
            alarm.as_mut().reset(deadline);
        }
        loop {
            ready!(alarm.as_mut().poll(context));
            if deadline <= alarm.deadline() {
                return Poll::Ready(());
            }
            // It was set for an earlier head, which arrived in time.
            alarm.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const HEAD: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn each_wait_ends_at_its_own_time_even_if_the_alarm_was_set_for_another() {
        let timer = HeaderTimer::default();
        let (begun, mut first) = (timer.now(), timer.sleep(HEAD));
        assert!(first.as_mut().now_or_never().is_none(), "the alarm is set for the first");
        drop(first);
        timer.sleep_until(begun + HEAD * 2).await;
        assert!(timer.now() >= begun + HEAD * 2, "the second has its own time");
        timer.sleep_until(begun + HEAD).await;
        let mut far = timer.sleep_until(begun + Duration::from_secs(3_600));
        assert!(far.as_mut().now_or_never().is_none(), "the alarm is set for an hour");
        timer.sleep(HEAD / 4).await;
    }
}
