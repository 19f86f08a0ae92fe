//! The time of a world's clock, and the pace of telephone lines.

use std::fmt;
use std::time::Duration;

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// 9999-12-30T22:00:00Z, where the date library's range ends: the last moment that all our formats can express.
const LATEST_MICROS: i64 = 253_402_207_200_000_000;

impl Timestamp {
    /// The last moment that the clock can reach.
    pub const LATEST: Self = Self(LATEST_MICROS);

    /// Creates a moment from microseconds since the epoch, clamped to the years 1970 to 9999.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(0, LATEST_MICROS))
    }

    /// Creates a moment from seconds since the epoch, clamped to the years 1970 to 9999.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// Does the same as [`Self::from_seconds`], for constants: panics, and so fails to compile, outside the years 1970
    /// to 9999.
    #[must_use]
    pub const fn from_const_seconds(seconds: i64) -> Self {
        assert!(seconds >= 0 && seconds <= LATEST_MICROS / 1_000_000, "a moment of the calendar");
        Self(seconds * 1_000_000)
    }

    /// Returns the microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns whole seconds since the epoch, the precision of dates in responses.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Returns the moment `span` later, or the calendar's end if that is sooner.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// Returns the moment `span` earlier, or the calendar's start if that is later.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(micros))
    }

    /// Returns the time elapsed since `earlier`, or zero if `earlier` is later than this moment.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let moment = jiff::Timestamp::from_microsecond(self.0).map_err(serde::ser::Error::custom)?;
        serializer.collect_str(&moment)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let moment: jiff::Timestamp = String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)?;
        Ok(Self::from_micros(moment.as_microsecond()))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000))
    }
}

/// The speed of ringing, transmission and redialing, relative to a real line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// The line is this many times as fast as a real one; zero or less means the speed of a real line.
    Times(f64),
    /// The line takes no time at all.
    Max,
}

impl Pace {
    /// Returns the time that `line_time` takes at this pace.
    #[must_use]
    pub fn scale(self, line_time: Duration) -> Duration {
        match self {
            Self::Times(times) if times > 0.0 => {
                // At an extremely slow pace, the time may exceed what a `Duration` can hold.
                Duration::try_from_secs_f64(line_time.as_secs_f64() / times).unwrap_or(Duration::MAX)
            }
            Self::Times(_) => line_time,
            Self::Max => Duration::ZERO,
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::Times(100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_at_the_end_of_the_calendar() {
        assert_eq!(Timestamp::from_seconds(i64::MAX), Timestamp::LATEST);
        assert_eq!(Timestamp::from_seconds(5).after(Duration::MAX), Timestamp::LATEST);
        assert_eq!(Timestamp::from_seconds(5).before(Duration::from_secs(2)), Timestamp::from_seconds(3));
        assert_eq!(Timestamp::from_seconds(5).before(Duration::MAX), Timestamp::from_seconds(0));
        assert_eq!(Timestamp::from_seconds(5).since(Timestamp::from_seconds(9)), Duration::ZERO);
    }

    #[test]
    fn pace_divides_line_time() {
        let page = Duration::from_secs(30);
        assert_eq!(Pace::default().scale(page), Duration::from_millis(300));
        assert_eq!(Pace::Max.scale(page), Duration::ZERO);
        assert_eq!(Pace::Times(0.5).scale(page), Duration::from_secs(60));
    }
}
