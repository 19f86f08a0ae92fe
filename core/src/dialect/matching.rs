//! Checks testers' expectations: which parts of an event must match, how often and in which order. If an event is
//! missing, those that come closest are reported. Events of every kind are compared as JSON.

use std::borrow::Cow;
use std::ops::Range;

use regex_lite::{Regex, RegexBuilder};
use serde_json::{Map, Value, json};

/// The maximum depth of a pattern; an event has five levels.
const DEPTH_MAX: usize = 10;
/// The maximum number of fields in a pattern; a webhook with all its headers has about fifty.
const FIELDS_MAX: usize = 500;
/// The maximum length of a regular expression, in characters.
const REGEX_CHARS_MAX: usize = 1_000;
/// The maximum size of a compiled regular expression, in bytes. Nested repetition soon exceeds it.
const REGEX_BYTES_MAX: usize = 64 * 1024;
/// A regular expression searches only this many characters at the start of a value, which is enough for the excerpt of
/// a response body in a webhook's event.
const REGEX_TEXT_CHARS_MAX: usize = 8 * 1024;
/// The maximum number of steps in an ordered expectation.
const STEPS_MAX: usize = 100;
/// The maximum number of near misses that are reported.
const CLOSEST_MAX: usize = 3;

/// The reason that a pattern, or another part of an expectation, is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A part has an invalid form.
    #[error("{path}: {why}")]
    Bad {
        /// The path of the part within the pattern.
        path: String,
        /// The requirement that it violates.
        why: String,
    },
    /// A part exceeds a limit.
    #[error("{path}: over the limit of {limit} {what}")]
    Limit {
        /// The path of the part within the pattern.
        path: String,
        /// A plural noun that names what exceeds the limit.
        what: &'static str,
        /// The limit that it exceeds.
        limit: usize,
    },
}

/// The condition for a part of an event.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// Equal to this value.
    Exact(Value),
    /// A string with this prefix.
    Prefix(String),
    /// A string in which this expression matches.
    Regex(Regex),
    /// A string that contains this text.
    Contains(Contained),
    /// An object in which all of these fields match; other fields don't matter.
    Fields(Vec<(String, Self)>),
}

/// A text that a string must contain. White space and soft hyphens are ignored in the text and in the string, and
/// ligatures equal their letters.
#[derive(Debug, Clone)]
pub struct Contained {
    /// The text as it was written.
    text: String,
    /// The characters that are compared.
    folded: String,
}

/// The number of events that must match, as a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The least number, inclusive.
    pub at_least: usize,
    /// The greatest number, inclusive.
    pub at_most: usize,
}

impl Default for Times {
    /// Returns the default: at least one match, without an upper limit.
    fn default() -> Self {
        Self { at_least: 1, at_most: usize::MAX }
    }
}

/// The events that must be found.
#[derive(Debug, Clone)]
pub enum Expectation {
    /// One pattern that must match a number of times.
    Times(Pattern, Times),
    /// Several patterns that must match one after the other.
    InOrder(Vec<Pattern>),
}

/// A field of an event that doesn't match.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The path of the field, such as `data.params.FaxStatus`.
    pub field: String,
    /// The part of the pattern, as it was written.
    pub want: Value,
    /// The event's value; null if it has no such field.
    pub got: Value,
}

/// An event that came close, and its differences.
#[derive(Debug, Clone, PartialEq)]
pub struct NearMiss {
    /// The index of the event among those that were checked.
    pub index: usize,
    /// The fields that don't match.
    pub differs: Vec<Difference>,
}

/// The result of checking an expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whether the expectation is met.
    pub verified: bool,
    /// The indices of the matching events, or of the events that the steps matched.
    pub found: Vec<usize>,
    /// The index of the first step that didn't match.
    pub missing_step: Option<usize>,
    /// The events that came closest, best first, if too few matched or a step matched none.
    pub closest: Vec<NearMiss>,
}

impl Pattern {
    /// Parses a pattern. A scalar or a list must be equal to the value; an object is `{"prefix": …}`,
    /// `{"regex": …}`, `{"contains": …}` or the fields that must match.
    ///
    /// # Errors
    /// Returns the first part that has an invalid form or exceeds a limit.
    pub fn parse(value: &Value) -> Result<Self, PatternError> {
        let mut fields = 0;
        Self::parse_at(value, "match", 0, &mut fields)
    }

    /// Returns whether a value matches.
    #[must_use]
    pub fn fits(&self, value: &Value) -> bool {
        match self {
            Self::Exact(want) => same(want, value),
            Self::Prefix(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix.as_str())),
            Self::Regex(regex) => value.as_str().is_some_and(|text| regex.is_match(beginning(text))),
            Self::Contains(wanted) => value.as_str().is_some_and(|text| folded(text).contains(&wanted.folded)),
            Self::Fields(fields) => fields.iter().all(|(name, pattern)| pattern.fits(field(value, name))),
        }
    }

    /// Returns the fields in which a value doesn't match.
    #[must_use]
    pub fn differs(&self, value: &Value) -> Vec<Difference> {
        let mut differences = Vec::new();
        self.compare(value, "", &mut differences);
        differences
    }

    /// Counts the fields in which a value doesn't match, without copying them.
    fn count_differences(&self, value: &Value) -> usize {
        match self {
            Self::Fields(fields) => {
                fields.iter().map(|(name, pattern)| pattern.count_differences(field(value, name))).sum()
            }
            Self::Exact(_) | Self::Prefix(_) | Self::Regex(_) | Self::Contains(_) => usize::from(!self.fits(value)),
        }
    }

    /// Returns whether a value is an event of a `kind` that the pattern doesn't allow.
    fn is_of_another_kind(&self, value: &Value) -> bool {
        let Self::Fields(fields) = self else { return false };
        let kind = fields.iter().find(|(name, _)| name == "kind");
        kind.is_some_and(|(name, pattern)| {
            !matches!(pattern, Self::Fields(_)) && pattern.count_differences(field(value, name)) > 0
        })
    }

    /// Returns the pattern as it was written.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Exact(value) => value.clone(),
            Self::Prefix(prefix) => json!({ "prefix": prefix }),
            Self::Regex(regex) => json!({ "regex": regex.as_str() }),
            Self::Contains(wanted) => json!({ "contains": wanted.text }),
            Self::Fields(fields) => {
                fields.iter().map(|(name, pattern)| (name.clone(), pattern.to_json())).collect::<Map<_, _>>().into()
            }
        }
    }

    fn parse_at(value: &Value, path: &str, depth: usize, fields: &mut usize) -> Result<Self, PatternError> {
        let Value::Object(object) = value else { return Ok(Self::Exact(value.clone())) };
        let limit = |what, limit| PatternError::Limit { path: path.to_owned(), what, limit };
        if depth > DEPTH_MAX {
            return Err(limit("levels", DEPTH_MAX));
        }
        // Counted over the whole pattern, so that nesting doesn't get around the limit.
        *fields += object.len();
        if *fields > FIELDS_MAX {
            return Err(limit("fields", FIELDS_MAX));
        }
        // A field whose name really is `prefix`, `regex` or `contains` can still be matched together with another
        // field.
        let only = object.iter().next().filter(|_| object.len() == 1);
        match only.map(|(name, value)| (name.as_str(), value.as_str())) {
            Some(("prefix", Some(prefix))) => return Ok(Self::Prefix(prefix.to_owned())),
            Some(("regex", Some(regex))) => return Self::parse_regex(regex, path),
            Some(("contains", Some(text))) => return Self::parse_contains(text, path),
            _ => {}
        }
        let parse = |(name, value): (&String, &Value)| {
            Ok((name.clone(), Self::parse_at(value, &format!("{path}.{name}"), depth + 1, fields)?))
        };
        object.iter().map(parse).collect::<Result<_, _>>().map(Self::Fields)
    }

    fn parse_regex(text: &str, path: &str) -> Result<Self, PatternError> {
        let bad = |why: String| PatternError::Bad { path: path.to_owned(), why };
        if text.chars().count() > REGEX_CHARS_MAX {
            return Err(PatternError::Limit { path: path.to_owned(), what: "characters", limit: REGEX_CHARS_MAX });
        }
        let built = RegexBuilder::new(text).size_limit(REGEX_BYTES_MAX).build();
        let built = built.map_err(|error| bad(format!("{error} (at most {REGEX_BYTES_MAX} bytes when compiled)")));
        built.map(Self::Regex)
    }

    fn parse_contains(text: &str, path: &str) -> Result<Self, PatternError> {
        let folded = folded(text);
        if folded.is_empty() {
            // Every string would match.
            let why = "contains must have at least one character other than white space".to_owned();
            return Err(PatternError::Bad { path: path.to_owned(), why });
        }
        Ok(Self::Contains(Contained { text: text.to_owned(), folded }))
    }

    fn compare(&self, value: &Value, path: &str, differences: &mut Vec<Difference>) {
        if let Self::Fields(fields) = self {
            for (name, pattern) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                pattern.compare(field(value, name), &path, differences);
            }
        } else if !self.fits(value) {
            differences.push(Difference { field: path.to_owned(), want: self.to_json(), got: value.clone() });
        }
    }
}

impl Times {
    /// Parses an exact number, or an object with `at_least`, `at_most` or both.
    ///
    /// # Errors
    /// Fails if the value has any other form.
    pub fn parse(value: &Value) -> Result<Self, PatternError> {
        let bad = || PatternError::Bad {
            path: "times".to_owned(),
            why: "must be a whole number, or an object with at_least and at_most".to_owned(),
        };
        let whole = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
        if let Some(exactly) = whole(value) {
            return Ok(Self { at_least: exactly, at_most: exactly });
        }
        let object = value.as_object().filter(|object| !object.is_empty()).ok_or_else(bad)?;
        let mut times = Self { at_least: 0, at_most: usize::MAX };
        for (name, value) in object {
            let number = whole(value).ok_or_else(bad)?;
            match name.as_str() {
                "at_least" => times.at_least = number,
                "at_most" => times.at_most = number,
                _ => return Err(bad()),
            }
        }
        Ok(times)
    }

    fn holds(self, found: usize) -> bool {
        (self.at_least..=self.at_most).contains(&found)
    }
}

impl Expectation {
    /// Parses `match` and `times`, or `in_order`.
    ///
    /// # Errors
    /// Fails if a part is invalid, if the arguments exclude each other, or if there is neither a match nor a step.
    pub fn parse(
        part: Option<&Value>,
        times: Option<&Value>,
        in_order: Option<&[Value]>,
    ) -> Result<Self, PatternError> {
        match (part, times, in_order) {
            (Some(part), times, None) => {
                let times = times.map(Times::parse).transpose()?.unwrap_or_default();
                Ok(Self::Times(Pattern::parse(part)?, times))
            }
            (None, None, Some(steps)) if !steps.is_empty() => {
                if steps.len() > STEPS_MAX {
                    return Err(PatternError::Limit { path: "in_order".to_owned(), what: "steps", limit: STEPS_MAX });
                }
                steps.iter().map(Pattern::parse).collect::<Result<_, _>>().map(Self::InOrder)
            }
            _ => Err(PatternError::Bad {
                path: "match".to_owned(),
                why: "give match, with times if needed, or in_order with a list of matches".to_owned(),
            }),
        }
    }

    /// Checks events, which must be in the journal's order.
    #[must_use]
    pub fn check(&self, events: &[Value]) -> Verdict {
        self.check_each(events.len(), &|index| Cow::Borrowed(&events[index]))
    }

    /// Does the same as [`Expectation::check`], but creates each event only when it is needed: converting a whole
    /// journal to JSON at once would take many times the memory of the journal itself.
    #[must_use]
    pub fn check_each<'a>(&self, count: usize, event: &dyn Fn(usize) -> Cow<'a, Value>) -> Verdict {
        match self {
            Self::Times(pattern, times) => {
                let found: Vec<usize> = (0..count).filter(|index| pattern.fits(&event(*index))).collect();
                let verified = times.holds(found.len());
                // Near misses explain a missing event. If too many events matched, the matches themselves are
                // explanation enough.
                let too_few = found.len() < times.at_least;
                let closest = if too_few { closest(pattern, 0..count, event) } else { Vec::new() };
                Verdict { verified, found, missing_step: None, closest }
            }
            Self::InOrder(steps) => in_order(steps, count, event),
        }
    }
}

fn in_order<'a>(steps: &[Pattern], count: usize, event: &dyn Fn(usize) -> Cow<'a, Value>) -> Verdict {
    // Each step takes the first event that matches, which leaves the most events for the steps after it.
    let (mut found, mut from) = (Vec::new(), 0);
    for (number, step) in steps.iter().enumerate() {
        let Some(index) = (from..count).find(|index| step.fits(&event(*index))) else {
            // Only events after the previous step could have matched.
            let closest = closest(step, from..count, event);
            return Verdict { verified: false, found, missing_step: Some(number), closest };
        };
        found.push(index);
        from = index + 1;
    }
    Verdict { verified: true, found, missing_step: None, closest: Vec::new() }
}

/// Returns the events of a range that differ least. Events of the wanted kind come first; among events that differ
/// equally, newer ones come first.
fn closest<'a>(pattern: &Pattern, range: Range<usize>, event: &dyn Fn(usize) -> Cow<'a, Value>) -> Vec<NearMiss> {
    let mut nearest: Vec<((bool, usize), NearMiss)> = Vec::new();
    for index in range.rev() {
        let event = event(index);
        // Differences hold copies of the pattern, so they are only made for an event that is among the closest so far.
        let rank = (pattern.is_of_another_kind(&event), pattern.count_differences(&event));
        // Events come newest first, so among equal ranks the newest stays in front.
        let place = nearest.partition_point(|(other, _)| *other <= rank);
        if rank.1 > 0 && place < CLOSEST_MAX {
            nearest.truncate(CLOSEST_MAX - 1);
            nearest.insert(place, (rank, NearMiss { index, differs: pattern.differs(&event) }));
        }
    }
    nearest.into_iter().map(|(_, miss)| miss).collect()
}

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    // A missing field counts as null, so that a pattern can demand that a field is absent.
    value.get(name).unwrap_or(&Value::Null)
}

/// Returns whether two values are equal; 1 equals 1.0.
fn same(want: &Value, got: &Value) -> bool {
    want == got || (want.is_number() && got.is_number() && want.as_f64() == got.as_f64())
}

/// Returns a text without white space and soft hyphens, and with ligatures replaced by their letters, since all three
/// depend on the program that wrote a PDF.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !character.is_whitespace() && *character != '\u{ad}') {
        match character {
            '\u{fb00}' => folded.push_str("ff"),
            '\u{fb01}' => folded.push_str("fi"),
            '\u{fb02}' => folded.push_str("fl"),
            '\u{fb03}' => folded.push_str("ffi"),
            '\u{fb04}' => folded.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => folded.push_str("st"),
            other => folded.push(other),
        }
    }
    folded
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(REGEX_TEXT_CHARS_MAX).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(status: &str) -> Value {
        json!({
            "seq": 7, "kind": "webhook.attempt", "fax_sid": "FX1",
            "data": { "purpose": "action", "status": 204, "params": { "FaxStatus": status, "To": "+15017122661" } },
        })
    }

    fn expect(part: &Value) -> Expectation {
        Expectation::parse(Some(part), None, None).unwrap()
    }

    #[test]
    fn only_the_named_fields_must_match() {
        let events = [webhook("received"), webhook("failed")];
        let part = json!({ "kind": "webhook.attempt", "data": { "params": { "FaxStatus": "received" } } });
        let verdict = expect(&part).check(&events);
        assert_eq!((verdict.verified, verdict.found), (true, vec![0]));
        assert!(expect(&json!({})).check(&events).verified);
    }

    #[test]
    fn strings_match_by_equality_prefix_or_regex() {
        let event = webhook("received");
        for (pattern, fits) in [
            (json!("+15017122661"), true),
            (json!("+1501"), false),
            (json!({ "prefix": "+1501" }), true),
            (json!({ "prefix": "1501" }), false),
            (json!({ "regex": r"^\+1501\d{7}$" }), true),
            (json!({ "regex": r"^1501" }), false),
        ] {
            let part = json!({ "data": { "params": { "To": pattern } } });
            assert_eq!(Pattern::parse(&part).unwrap().fits(&event), fits, "{part}");
        }
        assert!(Pattern::parse(&json!({ "data": { "status": 204.0 } })).unwrap().fits(&event));
    }

    #[test]
    fn a_contained_text_matches_whatever_the_white_space_and_ligatures() {
        let page =
            json!({ "data": { "text": "Dear Jane\nDoe,\nyour of\u{fb01}ce in Düssel\u{ad}dorf", "scan": null } });
        for (wanted, fits) in [
            ("Jane Doe", true),
            ("JaneDoe", true),
            (" Jane\u{a0}Doe, your ", true),
            ("office in Düsseldorf", true),
            ("of\u{fb01}ce", true),
            ("jane doe", false),
            ("Doe Jane", false),
        ] {
            let part = json!({ "data": { "text": { "contains": wanted } } });
            let pattern = Pattern::parse(&part).unwrap();
            assert_eq!(pattern.fits(&page), fits, "{wanted}");
            assert_eq!(pattern.to_json(), part);
            let scan = json!({ "data": { "scan": { "contains": wanted } } });
            assert!(!Pattern::parse(&scan).unwrap().fits(&page), "an unknown text contains nothing");
        }
        let named = json!({ "data": { "contains": "x", "text": null } });
        assert!(Pattern::parse(&named).unwrap().fits(&json!({ "data": { "contains": "x" } })));
    }

    #[test]
    fn the_closest_events_are_reported_field_by_field() {
        let events = [webhook("failed"), json!({ "kind": "fax.status", "data": { "new": "received" } })];
        let part = json!({
            "kind": "webhook.attempt",
            "data": { "purpose": "action", "params": { "FaxStatus": { "prefix": "rec" }, "NumPages": "2" } },
        });
        let verdict = expect(&part).check(&events);
        assert!(!verdict.verified);
        assert_eq!(verdict.closest[0].index, 0);
        let differs: Vec<_> = verdict.closest[0].differs.iter().map(|d| (d.field.as_str(), &d.want, &d.got)).collect();
        let (prefix, two, failed) = (json!({ "prefix": "rec" }), json!("2"), json!("failed"));
        let expected = [("data.params.FaxStatus", &prefix, &failed), ("data.params.NumPages", &two, &Value::Null)];
        assert_eq!(differs, expected);
    }

    #[test]
    fn matches_are_counted() {
        let events = [webhook("received"), webhook("received")];
        let part = json!({ "kind": "webhook.attempt" });
        for (times, verified) in [
            (json!(2), true),
            (json!(1), false),
            (json!(0), false),
            (json!({ "at_least": 2 }), true),
            (json!({ "at_most": 1 }), false),
            (json!({ "at_least": 1, "at_most": 3 }), true),
        ] {
            let expectation = Expectation::parse(Some(&part), Some(&times), None).unwrap();
            assert_eq!(expectation.check(&events).verified, verified, "{times}");
        }
        for bad in [json!(-1), json!(1.5), json!("2"), json!({}), json!({ "atleast": 1 })] {
            assert!(Times::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn other_events_may_occur_between_ordered_steps() {
        let status = |new: &str| json!({ "kind": "fax.status", "data": { "new": new } });
        let events = [status("receiving"), webhook("received"), status("received")];
        let steps = [status("receiving"), status("received")];
        assert!(Expectation::parse(None, None, Some(&steps)).unwrap().check(&events).verified);
        let steps = [status("received"), status("receiving")];
        let verdict = Expectation::parse(None, None, Some(&steps)).unwrap().check(&events);
        assert_eq!((verdict.verified, verdict.found, verdict.missing_step), (false, vec![2], Some(1)));
    }

    #[test]
    fn invalid_or_oversized_patterns_are_refused_with_the_reason() {
        let refused = |value: Value| Pattern::parse(&value).unwrap_err().to_string();
        let bomb = refused(json!({ "data": { "body": { "regex": "((a{100}){100}){100}" } } }));
        assert!(bomb.contains("data.body") && bomb.contains("65536"), "{bomb}");
        assert!(refused(json!({ "x": { "regex": "a".repeat(2_000) } })).contains("1000 characters"));
        assert!(refused(json!({ "x": { "regex": "(" } })).contains("match.x"));
        let blank = refused(json!({ "x": { "contains": " \n" } }));
        assert!(blank.contains("match.x: contains must have"), "{blank}");
        let deep = (0..20).fold(json!(1), |value, _| json!({ "a": value }));
        assert!(refused(deep).contains("10 levels"));
        let wide: Map<String, Value> = (0..600).map(|number| (number.to_string(), json!(1))).collect();
        assert!(refused(wide.into()).contains("500 fields"));
    }
}
