//! Times and durations as the command line prints them: all times are in UTC and end in `Z`.

use serde_json::Value;

/// The heading of a column of times.
pub(super) const AT: &str = "AT (UTC)";

/// Returns the time of day within an RFC 3339 moment, with milliseconds if it has any: `12:26:01.561Z`.
pub(super) fn of_day(moment: &Value) -> String {
    let text = moment.as_str().unwrap_or_default();
    let time = text.get(11..23).filter(|time| time.as_bytes().get(8) == Some(&b'.')).or_else(|| text.get(11..19));
    time.map(|time| format!("{time}Z")).unwrap_or_default()
}

/// Formats the moments of a column: as times of day if all are on the same day, otherwise with their dates.
pub(super) fn column<'a>(moments: impl Iterator<Item = &'a Value> + Clone) -> Vec<String> {
    let date = |moment: &'a Value| moment.as_str().and_then(|text| text.get(..10)).unwrap_or_default();
    let mut dates = moments.clone().map(date).filter(|date| !date.is_empty());
    let first = dates.next();
    let is_one_day = dates.all(|date| Some(date) == first);
    moments
        .map(|moment| if is_one_day { of_day(moment) } else { format!("{} {}", date(moment), of_day(moment)) })
        .map(|text| text.trim().to_owned())
        .collect()
}

/// Formats the duration of an exchange: `12 ms`, or `< 1 ms` if it took less than a millisecond.
pub(super) fn duration(millis: &Value) -> String {
    match millis.as_f64() {
        None => String::new(),
        Some(millis) if millis < 1.0 => "< 1 ms".to_owned(),
        Some(millis) => format!("{millis:.0} ms"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_name_their_zone_whatever_their_precision() {
        assert_eq!(of_day(&json!("2026-11-30T12:26:01.561234Z")), "12:26:01.561Z");
        assert_eq!(of_day(&json!("2026-11-30T12:26:01Z")), "12:26:01Z");
        assert_eq!((of_day(&Value::Null), of_day(&json!("soon"))), (String::new(), String::new()));
    }

    #[test]
    fn a_column_has_dates_only_if_they_differ() {
        let [first, second, next] =
            ["2026-11-30T12:26:01Z", "2026-11-30T12:27:00Z", "2026-12-01T00:00:00Z"].map(Value::from);
        assert_eq!(column([&first, &second].into_iter()), ["12:26:01Z", "12:27:00Z"]);
        assert_eq!(column([&first, &next].into_iter()), ["2026-11-30 12:26:01Z", "2026-12-01 00:00:00Z"]);
    }

    #[test]
    fn an_exchange_never_takes_zero_time() {
        assert_eq!([json!(0), json!(12), Value::Null].map(|millis| duration(&millis)), ["< 1 ms", "12 ms", ""]);
    }
}
