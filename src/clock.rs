//! A world's clock, which is either running or frozen. Only this module reads the system's clocks; elsewhere, time
//! limits are measured with Tokio's clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::time::Timestamp;

/// Real time: the system's date and time, read once, plus the monotonic time since then. Corrections to the system
/// clock can't move this time back.
#[derive(Debug, Clone, Copy)]
pub struct RealTime {
    started_at: Timestamp,
    started: Instant,
}

impl RealTime {
    /// Reads the system's date and time, and starts counting from there.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one reader of real time")]
    pub fn start() -> Self {
        // A system date before 1970 counts as 1970.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // An `i64` counts microseconds for 292,000 years, so the limit is never reached.
        let micros = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
        Self { started_at: Timestamp::from_micros(micros), started: Instant::now() }
    }

    /// Returns the current time, in microseconds since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.started_at.after(self.uptime())
    }

    /// Returns the real time that has passed since [`RealTime::start`].
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The mode of a clock: time either passes or stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockMode {
    /// Time passes at the speed of real time.
    Running,
    /// Time moves only when [`Clock::move_to`] is called.
    Frozen,
}

/// The clock of one world, either running at the speed of real time or frozen.
#[derive(Debug, Clone)]
pub struct Clock {
    real: RealTime,
    mode: ClockMode,
    /// The time shown, if the clock is frozen; the time shown at `since`, if it is running.
    at: Timestamp,
    /// The real time at which `at` was last set.
    since: Timestamp,
}

impl Clock {
    /// Returns a running clock that shows real time.
    #[must_use]
    pub fn running(real: RealTime) -> Self {
        let now = real.now();
        Self { real, mode: ClockMode::Running, at: now, since: now }
    }

    /// Returns the time that the clock shows, in either mode.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self.mode {
            ClockMode::Running => self.at.after(self.real.now().since(self.since)),
            ClockMode::Frozen => self.at,
        }
    }

    /// Returns whether the clock is running or frozen.
    #[must_use]
    pub const fn mode(&self) -> ClockMode {
        self.mode
    }

    /// Freezes the clock, or lets it run from the time that it shows.
    pub fn set_mode(&mut self, mode: ClockMode) {
        // Set before the mode changes, because `now` depends on the mode.
        self.at = self.now();
        self.since = self.real.now();
        self.mode = mode;
    }

    /// Moves the clock forward to `to`. A time earlier than the one shown is ignored.
    pub fn move_to(&mut self, to: Timestamp) {
        self.at = self.now().max(to);
        self.since = self.real.now();
    }

    /// Returns the real time until the clock shows `moment`, or `None` if the clock is frozen at an earlier time.
    #[must_use]
    pub fn until(&self, moment: Timestamp) -> Option<Duration> {
        let wait = moment.since(self.now());
        match self.mode {
            ClockMode::Running => Some(wait),
            ClockMode::Frozen => wait.is_zero().then_some(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_it_is_moved_and_never_back() {
        let mut clock = Clock::running(RealTime::start());
        clock.set_mode(ClockMode::Frozen);
        let then = clock.now();
        assert_eq!(clock.now(), then);
        let later = then.after(Duration::from_secs(3_600));
        assert_eq!(clock.until(later), None);
        clock.move_to(later);
        clock.move_to(then);
        assert_eq!(clock.now(), later);
    }

    #[test]
    fn an_unfrozen_clock_continues_from_the_time_it_showed() {
        let mut clock = Clock::running(RealTime::start());
        clock.set_mode(ClockMode::Frozen);
        let later = clock.now().after(Duration::from_secs(3_600));
        clock.move_to(later);
        clock.set_mode(ClockMode::Running);
        let now = clock.now();
        assert!(now >= later && now < later.after(Duration::from_secs(60)));
    }
}
