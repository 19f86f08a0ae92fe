//! The search of the list of faxes: terms such as `status:failed`, `to:+1555*` or `-from:Jack`, all of which must hold.
//! The meaning of each key is in `term.rs`, that of telephone numbers in `number.rs`.

mod number;
mod subject;
mod term;
mod token;

use std::fmt;

pub use self::subject::Subject;
use self::term::{Statuses, Term, Test};
use crate::engine::Entries;
use crate::model::time::Timestamp;

/// The maximum length of a search, in bytes; a search with all keys has about 300.
pub const SEARCH_BYTES_MAX: usize = 1_000;
/// The maximum number of terms in a search, each of which is compared with every fax.
pub const TERMS_MAX: usize = 30;

/// An invalid term of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchError {
    /// The key of the term; empty if there is no such key, or if the whole search is invalid.
    pub key: String,
    /// The reason that it is invalid, and what to write instead.
    pub why: String,
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() { f.write_str(&self.why) } else { write!(f, "{}: {}", self.key, self.why) }
    }
}

impl std::error::Error for SearchError {}

/// A search of faxes and of calls without a fax. The default search finds every fax, but no calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    terms: Vec<Term>,
}

impl Search {
    /// Parses a search. Blanks separate its terms; quotation marks keep blanks and colons within a term.
    ///
    /// # Errors
    /// Returns the first invalid term.
    pub fn parse(text: &str) -> Result<Self, SearchError> {
        let whole = |why: String| SearchError { key: String::new(), why };
        if text.len() > SEARCH_BYTES_MAX {
            return Err(whole(format!("a search has at most {SEARCH_BYTES_MAX} bytes, not {}", text.len())));
        }
        let tokens = token::split(text).map_err(whole)?;
        if tokens.len() > TERMS_MAX {
            return Err(whole(format!("a search has at most {TERMS_MAX} terms, not {}", tokens.len())));
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

    /// Adds the condition that a key has this value, as if it were written as a term.
    ///
    /// # Errors
    /// Returns an error that names the key if the value is invalid.
    pub fn require(&mut self, key: &str, value: &str) -> Result<(), SearchError> {
        self.terms.push(Term::of(false, Test::parse(key, value)?));
        self.sort();
        Ok(())
    }

    /// Adds the condition that this text occurs in the SID, a number, the error's text or its code, as if it were a
    /// quoted term.
    pub fn require_text(&mut self, text: &str) {
        self.terms.push(Term::of(false, Test::words(&[text.to_owned()])));
        self.sort();
    }

    /// Returns the kinds of entries that can match. Calls without a fax are found only by their status.
    #[must_use]
    pub fn entries(&self) -> Entries {
        let statuses = self.terms.iter().filter_map(Term::required_statuses);
        match statuses.reduce(|all, some| all.intersection(&some)) {
            None | Some(Statuses { unanswered: false, .. }) => Entries::Faxes,
            Some(Statuses { unanswered: true, faxes }) if faxes.iter().next().is_none() => Entries::Unanswered,
            Some(Statuses { unanswered: true, .. }) => Entries::Both,
        }
    }

    /// Returns whether the search finds all of its `entries`, because no term narrows it.
    #[must_use]
    pub fn finds_all(&self) -> bool {
        self.terms.iter().all(Term::allows_any_status)
    }

    /// Returns whether all terms hold; `now` is the time of the world's clock, from which relative times such as `5m`
    /// are counted back.
    #[must_use]
    pub fn fits(&self, subject: &Subject<'_>, now: Timestamp) -> bool {
        self.terms.iter().all(|term| term.fits(subject, now))
    }

    /// Moves the terms that are quick to check to the front, since checking stops at the first term that doesn't hold.
    fn sort(&mut self) {
        self.terms.sort_by_key(Term::needs_text);
    }
}

#[cfg(test)]
mod tests;
