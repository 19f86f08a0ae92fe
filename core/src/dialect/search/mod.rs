//! Searches in the list of faxes. A search consists of terms, such as `status:failed`, `to:+1555*` or `-from:Jack`, and
//! finds the entries that match all of them.

mod number;
mod subject;
mod term;
mod token;

use std::fmt;

pub use self::subject::Subject;
use self::term::{Statuses, Term, Test};
use crate::engine::Entries;
use crate::model::time::Timestamp;

/// The maximum length of a search, in bytes; a search that uses every key has about 300.
pub const SEARCH_BYTES_MAX: usize = 1_000;
/// The maximum number of terms in a search. Each term is checked for every fax.
pub const TERMS_MAX: usize = 30;

/// The error for an invalid search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchError {
    /// The key of the invalid term; empty if the key is unknown or the error concerns the whole search.
    pub key: String,
    /// The reason for the error, and what to write instead.
    pub why: String,
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() { f.write_str(&self.why) } else { write!(f, "{}: {}", self.key, self.why) }
    }
}

impl std::error::Error for SearchError {}

/// A search for faxes and for calls that ended without a fax. The default search finds every fax, but no such calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    terms: Vec<Term>,
}

impl Search {
    /// Parses a search. Spaces separate its terms, except within a telephone number and between quotation marks, where
    /// colons are literal, too.
    ///
    /// # Errors
    /// Returns an error for the first invalid term, or for a search that is too long or has too many terms.
    pub fn parse(text: &str) -> Result<Self, SearchError> {
        let whole = |why: String| SearchError { key: String::new(), why };
        if text.len() > SEARCH_BYTES_MAX {
            return Err(whole(format!(
                "a search may have at most {SEARCH_BYTES_MAX} bytes, but this one has {}",
                text.len()
            )));
        }
        let tokens = token::split(text).map_err(whole)?;
        if tokens.len() > TERMS_MAX {
            return Err(whole(format!(
                "a search may have at most {TERMS_MAX} terms, but this one has {}",
                tokens.len()
            )));
        }
        let mut search = Self::default();
        let mut rest = tokens.as_slice();
        while let [token, after @ ..] = rest {
            let words = token::number_words(token, after);
            rest = after.get(words.len() - 1..).unwrap_or_default();
            let test = match &token.key {
                None => Test::words(&words),
                Some(key) => Test::parse(&key.to_lowercase(), &words.join(" "))?,
            };
            search.terms.push(Term::of(token.is_negated, test));
        }
        search.sort();
        Ok(search)
    }

    /// Adds a term with this key and value.
    ///
    /// # Errors
    /// Returns an error that names the key if it is unknown or the value is invalid.
    pub fn require(&mut self, key: &str, value: &str) -> Result<(), SearchError> {
        self.terms.push(Term::of(false, Test::parse(key, value)?));
        self.sort();
        Ok(())
    }

    /// Adds this text as a quoted term: it must occur in the SID, in a number, or in the error's message, or equal the
    /// error's code.
    pub fn require_text(&mut self, text: &str) {
        self.terms.push(Term::of(false, Test::words(&[text.to_owned()])));
        self.sort();
    }

    /// Returns the kinds of entries that can match. Calls without a fax match only if a `status` term allows them.
    #[must_use]
    pub fn entries(&self) -> Entries {
        let statuses = self.terms.iter().filter_map(Term::required_statuses);
        match statuses.reduce(|all, some| all.intersection(&some)) {
            None | Some(Statuses { unanswered: false, .. }) => Entries::Faxes,
            Some(Statuses { unanswered: true, faxes }) if faxes.iter().next().is_none() => Entries::Unanswered,
            Some(Statuses { unanswered: true, .. }) => Entries::Both,
        }
    }

    /// Returns whether every entry of the kinds that [`Self::entries`] returns matches, because no term excludes any.
    #[must_use]
    pub fn finds_all(&self) -> bool {
        self.terms.iter().all(Term::allows_any_status)
    }

    /// Returns whether an entry matches every term. Relative times such as `5m` are counted back from `now`, the
    /// world's time.
    #[must_use]
    pub fn fits(&self, subject: &Subject<'_>, now: Timestamp) -> bool {
        self.terms.iter().all(|term| term.fits(subject, now))
    }

    /// Moves the terms that are quick to check to the front, since checking stops at the first term that doesn't match.
    fn sort(&mut self) {
        self.terms.sort_by_key(Term::needs_text);
    }
}

#[cfg(test)]
mod tests;
