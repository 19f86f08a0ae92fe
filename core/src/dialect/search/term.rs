//! The terms of a search: what each key accepts, and which faxes it finds.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::number::{self, NumberPattern};
use super::{SearchError, Subject};
use crate::dialect::{date, duration};
use crate::engine::CallOutcome;
use crate::model::fax::{Direction, Quality, Status, StatusSet};
use crate::model::field_words;
use crate::model::time::Timestamp;

/// The keys of a search.
const KEYS: [&str; 14] = [
    "status",
    "direction",
    "from",
    "to",
    "number",
    "code",
    "pages",
    "callbacks",
    "after",
    "before",
    "quality",
    "sid",
    "error",
    "text",
];
/// The value of `status` that stands for calls without a fax.
const NOT_ANSWERED: &str = CallOutcome::NotAnswered.as_str();
/// The value of `status` that stands for every status, including that of calls without a fax.
const ANY: &str = "any";

/// One term of a search: a test, which may be negated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    is_negated: bool,
    test: Test,
}

/// The test that a term applies to a fax or a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Status(Statuses),
    Direction(Vec<Direction>),
    Quality(Vec<Quality>),
    Code(Vec<u32>),
    Pages(RangeInclusive<u32>),
    /// Whether a callback has failed.
    Callbacks(bool),
    After(Moment),
    Before(Moment),
    From(NumberPattern),
    To(NumberPattern),
    /// The number of either party.
    Number(NumberPattern),
    Sid(String),
    Error(String),
    /// A word or a quoted text, without a key or with the key `text`.
    Text(Phrase),
    /// Several words. They match if their digits, joined together, occur in a number or, unless they form one number,
    /// if each of them matches by itself.
    Run(String, Vec<Phrase>),
}

/// A set of statuses. Calls without a fax count as having a status of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statuses {
    pub(super) faxes: StatusSet,
    pub(super) unanswered: bool,
}

/// A moment, either absolute or relative to the world's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Ago(Duration),
    At(Timestamp),
}

/// Text without a key or with the key `text`, which may also be a number or an error code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    lower: String,
    number: Option<NumberPattern>,
    code: Option<u32>,
}

impl Term {
    pub(super) const fn of(is_negated: bool, test: Test) -> Self {
        Self { is_negated, test }
    }

    /// Returns the statuses that the term requires; `None` if it doesn't require a status.
    pub(super) const fn required_statuses(&self) -> Option<Statuses> {
        if let Self { is_negated: false, test: Test::Status(statuses) } = self { Some(*statuses) } else { None }
    }

    /// Returns whether the term is `status:any` or lists every status.
    pub(super) fn allows_any_status(&self) -> bool {
        self.required_statuses().is_some_and(|statuses| statuses == Statuses::any())
    }

    /// Returns whether checking the term means searching text, which takes longer than comparing values.
    pub(super) const fn needs_text(&self) -> bool {
        matches!(
            self.test,
            Test::From(_)
                | Test::To(_)
                | Test::Number(_)
                | Test::Sid(_)
                | Test::Error(_)
                | Test::Text(_)
                | Test::Run(..)
        )
    }

    pub(super) fn fits(&self, subject: &Subject<'_>, now: Timestamp) -> bool {
        self.test.fits(subject, now) != self.is_negated
    }
}

impl Test {
    /// Parses the value of a key.
    pub(super) fn parse(key: &str, value: &str) -> Result<Self, SearchError> {
        let error = |why: String| SearchError { key: key.to_owned(), why };
        if !KEYS.contains(&key) {
            return Err(unknown_key(key, value));
        }
        if value.trim().is_empty() {
            let hint = "needs a value right after the colon; in a URL, write + as %2B and a space as %20";
            return Err(error(hint.to_owned()));
        }
        let number = || {
            let why = || format!("must be a number, a part of one, or other text, with * as a wildcard, not {value:?}");
            NumberPattern::parse(value).ok_or_else(|| error(why()))
        };
        Ok(match key {
            "status" => Self::Status(Statuses::parse(value).map_err(error)?),
            "direction" => Self::Direction(each(value, Direction::ALL, Direction::as_str).map_err(error)?),
            "quality" => Self::Quality(each(value, Quality::ALL, Quality::as_str).map_err(error)?),
            "code" => {
                let code = |word: &str| {
                    whole(word).ok_or_else(|| format!("must be an error code such as 34004, not {word:?}"))
                };
                Self::Code(value.split(',').map(code).collect::<Result<_, _>>().map_err(error)?)
            }
            "pages" => Self::Pages(pages(value).map_err(error)?),
            "callbacks" => {
                let outcomes =
                    each(value, &[true, false], |failed| if failed { "failed" } else { "ok" }).map_err(error)?;
                match outcomes.as_slice() {
                    [failed] => Self::Callbacks(*failed),
                    _ => return Err(error(format!("must be either failed or ok, not {value:?}"))),
                }
            }
            "after" => Self::After(Moment::parse(value).map_err(error)?),
            "before" => Self::Before(Moment::parse(value).map_err(error)?),
            "from" => Self::From(number()?),
            "to" => Self::To(number()?),
            "number" => Self::Number(number()?),
            "sid" => Self::Sid(value.to_lowercase()),
            "error" => Self::Error(value.to_lowercase()),
            _ => Self::Text(Phrase::of(value)),
        })
    }

    /// Creates the test for a word without a key, or for several words that may form one number.
    pub(super) fn words(words: &[String]) -> Self {
        if let [only] = words {
            return Self::Text(Phrase::of(only));
        }
        // Words such as 000 occur in many numbers, so if the words form a complete number, they are not matched one by
        // one as well.
        let own = if number::is_one(words) { Vec::new() } else { words.iter().map(|word| Phrase::of(word)).collect() };
        Self::Run(number::digits(&words.concat()), own)
    }

    fn fits(&self, subject: &Subject<'_>, now: Timestamp) -> bool {
        let either = |pattern: &NumberPattern| pattern.fits(subject.from()) || pattern.fits(subject.to());
        match self {
            Self::Status(statuses) => statuses.contains(subject.status()),
            Self::Direction(directions) => directions.contains(&subject.direction()),
            Self::Quality(qualities) => qualities.contains(&subject.quality()),
            Self::Code(codes) => subject.error_code().is_some_and(|code| codes.contains(&code)),
            Self::Pages(range) => subject.pages().is_some_and(|pages| range.contains(&pages)),
            Self::Callbacks(failed) => subject.has_failed_callbacks() == *failed,
            Self::After(moment) => subject.entry.created() >= moment.resolved(now),
            Self::Before(moment) => subject.entry.created() < moment.resolved(now),
            Self::From(pattern) => pattern.fits(subject.from()),
            Self::To(pattern) => pattern.fits(subject.to()),
            Self::Number(pattern) => either(pattern),
            Self::Sid(lower) => subject.entry.sid().to_string().to_lowercase().contains(lower),
            Self::Error(lower) => is_in_error(lower, subject),
            Self::Text(phrase) => phrase.fits(subject),
            Self::Run(digits, words) => {
                either(&NumberPattern::Digits(digits.clone()))
                    || (!words.is_empty() && words.iter().all(|word| word.fits(subject)))
            }
        }
    }
}

impl Statuses {
    fn parse(value: &str) -> Result<Self, String> {
        let known: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).chain([NOT_ANSWERED, ANY]).collect();
        let words: Vec<String> = value.split(',').map(|word| word.trim().to_lowercase()).collect();
        if let Some(other) = words.iter().find(|word| !known.contains(&word.as_str())) {
            return Err(not_one_of(other, &known));
        }
        if words.iter().any(|word| word == ANY) {
            return Ok(Self::any());
        }
        let faxes = words.iter().filter_map(|word| Status::from_word(word)).collect();
        Ok(Self { faxes, unanswered: words.iter().any(|word| word == NOT_ANSWERED) })
    }

    /// Returns the set of all statuses.
    fn any() -> Self {
        Self { faxes: Status::ALL.iter().copied().collect(), unanswered: true }
    }

    fn contains(&self, status: Option<Status>) -> bool {
        status.map_or(self.unanswered, |status| self.faxes.contains(status))
    }

    /// Returns the statuses that are in both sets.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        let faxes = self.faxes.iter().filter(|status| other.faxes.contains(*status)).collect();
        Self { faxes, unanswered: self.unanswered && other.unanswered }
    }
}

impl Moment {
    fn parse(value: &str) -> Result<Self, String> {
        if let Ok(ago) = duration::parse(value) {
            return Ok(Self::Ago(ago));
        }
        date::parse_exact(value).map(Self::At).ok_or_else(|| {
            format!(
                "must be a time ago by the world's clock, such as 5m, 2h, 1h30m or 7d, or a date such as 2026-11-30 or \
                 2026-11-30T12:00:00Z, not {value:?}"
            )
        })
    }

    fn resolved(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(span) => now.before(span),
            Self::At(moment) => moment,
        }
    }
}

impl Phrase {
    fn of(text: &str) -> Self {
        let text = text.trim();
        // In text that isn't a number, `*` is literal, since an error message may contain it.
        let number = NumberPattern::parse(text);
        let number = number.filter(|p| matches!(p, NumberPattern::Digits(_) | NumberPattern::DigitsGlob(_)));
        Self { lower: text.to_lowercase(), number, code: whole(text) }
    }

    fn fits(&self, subject: &Subject<'_>) -> bool {
        let (from, to) = (subject.from(), subject.to());
        self.code.is_some_and(|code| subject.error_code() == Some(code))
            || self.number.as_ref().is_some_and(|number| number.fits(from) || number.fits(to))
            || is_in_error(&self.lower, subject)
            || [from, to].iter().any(|party| party.to_string().to_lowercase().contains(&self.lower))
            || subject.entry.sid().to_string().to_lowercase().contains(&self.lower)
    }
}

fn is_in_error(lower: &str, subject: &Subject<'_>) -> bool {
    subject.error_message().is_some_and(|text| text.to_lowercase().contains(lower))
}

/// Parses a comma-separated list of words, each of which must be the word of one of `all`.
fn each<T: Copy>(value: &str, all: &[T], word: impl Fn(T) -> &'static str) -> Result<Vec<T>, String> {
    let parse = |text: &str| {
        let text = text.trim().to_lowercase();
        let known: Vec<&str> = all.iter().map(|each| word(*each)).collect();
        all.iter().copied().find(|each| word(*each) == text).ok_or_else(|| not_one_of(&text, &known))
    };
    value.split(',').map(parse).collect()
}

/// Parses a number or range of pages, such as `3`, `>10`, `>=10`, `<5`, `<=5`, `1..5`, `3..` or `..5`.
fn pages(value: &str) -> Result<RangeInclusive<u32>, String> {
    let parsed = || {
        if let Some((from, to)) = value.split_once("..") {
            let from = if from.is_empty() { 0 } else { whole(from)? };
            let to = if to.is_empty() { u32::MAX } else { whole(to)? };
            return (value != ".." && from <= to).then_some(from..=to);
        }
        for (sign, range) in [
            (">=", (|n| Some(n..=u32::MAX)) as fn(u32) -> Option<RangeInclusive<u32>>),
            ("<=", |n| Some(0..=n)),
            (">", |n| Some(n.checked_add(1)?..=u32::MAX)),
            ("<", |n| Some(0..=n.checked_sub(1)?)),
        ] {
            if let Some(number) = value.strip_prefix(sign) {
                return range(whole(number)?);
            }
        }
        whole(value).map(|number| number..=number)
    };
    parsed().ok_or_else(|| format!("must be a number of pages such as 3, >10, >=10, <5, <=5 or 1..5, not {value:?}"))
}

/// Parses a whole number; signs are not allowed.
fn whole(text: &str) -> Option<u32> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn not_one_of(word: &str, known: &[&str]) -> String {
    let near = field_words::nearest(word, known).map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("{word:?} is not one of {}{near}", known.join(", "))
}

fn unknown_key(key: &str, value: &str) -> SearchError {
    let near = field_words::nearest(key, &KEYS).map_or_else(String::new, |near| format!("Did you mean {near}? "));
    let why = format!(
        "unknown key {key:?}. {near}The keys are {}. To search for {key}:{value} as text, put it in quotation marks",
        KEYS.join(", ")
    );
    SearchError { key: String::new(), why }
}
