//! The alarm of a client that never ends a request's head. A connection keeps one alarm and sets it again only when it
//! rings too early: nearly all heads come at once, and to register an alarm for each costs more than to read it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// The time of one connection, as hyper wants it.
#[derive(Clone, Default)]
pub(super) struct HeadTimer(Alarm);

/// What rings, once something has waited for it.
type Alarm = Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>;

impl Timer for HeadTimer {
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

/// A wait for one head.
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
        if deadline < alarm.deadline() {
            alarm.as_mut().reset(deadline);
        }
        loop {
            ready!(alarm.as_mut().poll(context));
            if deadline <= alarm.deadline() {
                return Poll::Ready(());
            }
            // It was set for a head that came in time.
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
    async fn each_wait_ends_at_its_own_time_whatever_the_alarm_was_set_for() {
        let timer = HeadTimer::default();
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
