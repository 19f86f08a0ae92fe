//! A world's clock, running or frozen, and the only place that reads real time. It never wakes or waits for anyone.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::time::Timestamp;

/// Real time, read once from the system and counted on from there, so that it never goes back.
#[derive(Debug, Clone, Copy)]
pub struct RealTime {
    started_at: Timestamp,
    started: Instant,
}

impl RealTime {
    /// Begins with the system's date.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one reader of real time")]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
        Self { started_at: Timestamp::from_micros(micros), started: Instant::now() }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.started_at.after(self.uptime())
    }

    /// Time since the start.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Whether a clock's time passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockMode {
    /// It passes as real time does.
    Running,
    /// It moves only when told.
    Frozen,
}

/// The clock of one world.
#[derive(Debug, Clone)]
pub struct Clock {
    real: RealTime,
    mode: ClockMode,
    /// Frozen: the time. Running: the time at `since`.
    at: Timestamp,
    since: Timestamp,
}

impl Clock {
    /// A running clock that shows real time.
    #[must_use]
    pub fn running(real: RealTime) -> Self {
        let now = real.now();
        Self { real, mode: ClockMode::Running, at: now, since: now }
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self.mode {
            ClockMode::Running => self.at.after(self.real.now().since(self.since)),
            ClockMode::Frozen => self.at,
        }
    }

    /// Whether it runs.
    #[must_use]
    pub const fn mode(&self) -> ClockMode {
        self.mode
    }

    /// Lets it run on from what it shows, or stops it there.
    pub fn set_mode(&mut self, mode: ClockMode) {
        self.at = self.now();
        self.since = self.real.now();
        self.mode = mode;
    }

    /// Moves it forward; it never goes back.
    pub fn move_to(&mut self, to: Timestamp) {
        self.at = self.now().max(to);
        self.since = self.real.now();
    }

    /// Real time until it shows `moment`; none where it stands still before that.
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
    fn a_frozen_clock_stands_until_it_is_moved_and_never_goes_back() {
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
    fn a_thawed_clock_goes_on_from_where_it_stood() {
        let mut clock = Clock::running(RealTime::start());
        clock.set_mode(ClockMode::Frozen);
        let later = clock.now().after(Duration::from_secs(3_600));
        clock.move_to(later);
        clock.set_mode(ClockMode::Running);
        let now = clock.now();
        assert!(now >= later && now < later.after(Duration::from_secs(60)));
    }
}
