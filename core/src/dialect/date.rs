//! Dates as the APIs write them and as clients send them, all in UTC.

use std::fmt::Write;

use jiff::civil::{self, DateTime};
use jiff::tz::TimeZone;

use crate::model::time::Timestamp;

/// Formats a moment as in v1 resources: `2015-07-30T20:00:00Z`. twilio-python would not parse any other format.
#[must_use]
pub fn iso(moment: Timestamp) -> String {
    // Without `strftime`, which is slower: a list of faxes formats up to two dates per item.
    let mut text = String::with_capacity("2015-07-30T20:00:00Z".len());
    // Writing to a string never fails.
    let _ = write!(text, "{}Z", civil_utc(moment));
    text
}

/// Formats a moment as in 2010-04-01 resources (RFC 2822 §3.3): `Thu, 30 Jul 2015 23:19:04 +0000`.
#[must_use]
pub fn rfc2822(moment: Timestamp) -> String {
    civil_utc(moment).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Formats a moment as in the default name of a subaccount: `2015-07-30 08:00 pm`.
#[must_use]
pub fn with_meridian(moment: Timestamp) -> String {
    civil_utc(moment).strftime("%Y-%m-%d %I:%M %P").to_string()
}

/// Formats a moment as in pre-signed URLs: `20150730T200000Z`.
#[must_use]
pub fn compact(moment: Timestamp) -> String {
    civil_utc(moment).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Parses a client's date like [`parse_exact`], but drops fractions of a second, which dates in responses don't have.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    parse_exact(text).map(|moment| Timestamp::from_seconds(moment.seconds()))
}

/// Parses a moment to the microsecond. A time without an offset is in UTC, and a date without a time means 00:00 on
/// that day.
#[must_use]
pub fn parse_exact(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // This is tried first, because parsing the string as a civil date would ignore an offset.
    let micros = text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_microsecond).ok().or_else(|| {
        let moment = text.parse::<DateTime>().ok()?;
        Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
    });
    micros.map(Timestamp::from_micros)
}

/// Parses the form that [`compact`] writes.
#[must_use]
pub fn parse_compact(text: &str) -> Option<Timestamp> {
    let moment = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(Timestamp::from_seconds(moment.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second()))
}

// The moment is added to a civil date, because that can't fail. Creating a `jiff::Timestamp` would return a `Result`,
// although every moment is within its range.
fn civil_utc(moment: Timestamp) -> DateTime {
    civil::date(1970, 1, 1).at(0, 0, 0, 0).saturating_add(jiff::SignedDuration::from_secs(moment.seconds()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_api_has_its_date_format() {
        let moment = Timestamp::from_micros(1_438_298_344_999_999);
        assert_eq!(iso(moment), "2015-07-30T23:19:04Z");
        assert_eq!(rfc2822(moment), "Thu, 30 Jul 2015 23:19:04 +0000");
        assert_eq!(compact(moment), "20150730T231904Z");
        assert_eq!(iso(Timestamp::LATEST), "9999-12-30T22:00:00Z");
    }

    #[test]
    fn dates_may_have_an_offset_or_a_fraction_or_lack_a_time() {
        for (text, seconds) in [
            ("2015-07-30T23:19:04Z", 1_438_298_344),
            ("2015-07-31T01:19:04+02:00", 1_438_298_344),
            ("2015-07-30T23:19:04.9Z", 1_438_298_344),
            ("2015-07-30T23:19:04", 1_438_298_344),
            ("2015-07-30 23:19:04", 1_438_298_344),
            ("2015-07-30", 1_438_214_400),
        ] {
            assert_eq!(parse(text), Some(Timestamp::from_seconds(seconds)), "{text}");
        }
        let exact = parse_exact("2015-07-30T23:19:04.123456Z");
        assert_eq!(exact, Some(Timestamp::from_micros(1_438_298_344_123_456)), "to the microsecond");
        for bad in ["", "yesterday", "2015-13-01", "2015-07-30T25:00:00Z", "1438298344"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_compact_date_parses_back() {
        let moment = Timestamp::from_seconds(1_438_298_344);
        assert_eq!(parse_compact(&compact(moment)), Some(moment));
        assert_eq!(parse_compact("2015-07-30T23:19:04Z"), None);
    }
}
