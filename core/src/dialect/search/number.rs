//! Matches telephone numbers in searches by their digits, whatever punctuation either number is written with.

use crate::model::phone::Party;

/// The punctuation that may occur in a written number, apart from spaces.
const PUNCTUATION: &str = "+()-.";
/// The minimum number of digits in a complete number; a North American number without its country code has ten.
const COMPLETE_DIGITS_MIN: usize = 10;
/// The maximum number of digits in a complete number (E.164 (11/2010) §6).
const COMPLETE_DIGITS_MAX: usize = 15;
/// The minimum number of digits in a word that may be a term of its own, such as an error code. Shorter words are parts
/// of a number.
const OWN_DIGITS_MIN: usize = 5;

/// A pattern for the sender or the receiver of a fax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NumberPattern {
    /// The digits of the party's number contain these digits.
    Digits(String),
    /// The digits of the party's number consist of these parts, with any digits between them.
    DigitsGlob(Vec<String>),
    /// The party's name or address contains this text, regardless of case.
    Text(String),
    /// The party's name or address consists of these parts, with any text between them, regardless of case.
    TextGlob(Vec<String>),
}

/// Returns whether a text looks like a number or a part of one: it has a digit, and otherwise only digits, spaces and
/// punctuation.
pub(super) fn is_written(text: &str) -> bool {
    let is_usual = |c: char| c.is_ascii_digit() || c == ' ' || PUNCTUATION.contains(c);
    text.chars().all(is_usual) && text.contains(|c: char| c.is_ascii_digit())
}

/// Returns whether several words form one number. They do if they begin like a number, or if they have as many digits
/// as a complete number and one of them is too short to be a term of its own.
pub(super) fn is_one(words: &[String]) -> bool {
    let [first, _, ..] = words else { return false };
    let lengths = || words.iter().map(|word| digits(word).len());
    let is_complete = (COMPLETE_DIGITS_MIN..=COMPLETE_DIGITS_MAX).contains(&lengths().sum());
    first.starts_with(['+', '(']) || (is_complete && lengths().any(|length| length < OWN_DIGITS_MIN))
}

/// Returns whether the next word may belong to the number that these words begin.
pub(super) fn may_go_on(words: &[String], next: &str) -> bool {
    let is_complete_alone = |length: usize| length >= COMPLETE_DIGITS_MIN;
    let (so_far, more) = (words.iter().map(|word| digits(word).len()).sum::<usize>(), digits(next).len());
    // North American numbers with their country code have 11 digits.
    let is_american = words.first().is_some_and(|first| first.starts_with("+1"));
    let is_over = is_american && so_far > COMPLETE_DIGITS_MIN
        || is_complete_alone(so_far) && (words.len() == 1 || more >= OWN_DIGITS_MIN)
        || so_far + more > COMPLETE_DIGITS_MAX;
    let is_another = next.starts_with('+') || is_complete_alone(more);
    !(is_over || is_another)
}

/// Returns the digits of a text.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

impl NumberPattern {
    /// Parses a number, a part of one, or any other text; `*` matches anything. `None` if the value is empty or only a
    /// plus.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let parts = || value.split('*');
        let is_glob = value.contains('*');
        if parts().all(|part| part.is_empty() || is_written(part) || part == "+") {
            let parts: Vec<String> = parts().map(digits).collect();
            return match (is_glob, parts.concat().is_empty()) {
                (true, _) => Some(Self::DigitsGlob(parts)),
                (false, false) => Some(Self::Digits(parts.concat())),
                (false, true) => None,
            };
        }
        let lower = value.to_lowercase();
        Some(if is_glob { Self::TextGlob(lower.split('*').map(str::to_owned).collect()) } else { Self::Text(lower) })
    }

    /// Returns whether a party matches.
    pub(super) fn fits(&self, party: &Party) -> bool {
        match self {
            Self::Digits(wanted) => digits_of(party).contains(wanted),
            Self::DigitsGlob(parts) => consists_of(parts, &digits_of(party)),
            Self::Text(wanted) => party.to_string().to_lowercase().contains(wanted),
            Self::TextGlob(parts) => consists_of(parts, &party.to_string().to_lowercase()),
        }
    }
}

fn digits_of(party: &Party) -> String {
    match party {
        Party::Number(number) => number.digits().to_string(),
        Party::Sip(text) | Party::Name(text) => digits(text),
    }
}

/// Returns whether a text begins with the first of these parts, ends with the last, and has the others between them, in
/// order.
fn consists_of(parts: &[String], text: &str) -> bool {
    let [first, inner @ .., last] = parts else { return parts.first().is_some_and(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
        return false;
    };
    inner.iter().all(|part| {
        rest.find(part.as_str()).is_some_and(|at| {
            rest = &rest[at + part.len()..];
            true
        })
    })
}
