//! Configuration errors, which say where the mistake is and what to write instead. They never reveal a secret.

use std::path::PathBuf;

use super::given::{Given, Origin, Place};

/// The maximum number of characters of a rejected value that are shown.
const SHOWN_CHARS_MAX: usize = 80;
/// The minimum Jaro-Winkler similarity, from 0 to 1, at which a valid word is suggested for a wrong one.
const LIKENESS_MIN: f64 = 0.8;
/// The minimum length of a wrong word, in bytes, for valid words that contain it to be suggested. Shorter strings occur
/// in too many words.
const PART_LEN_MIN: usize = 4;

/// The reason that a configuration can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A flag, an environment variable or a key has an invalid value.
    #[error("{origin} must {expected}{}", shown.as_ref().map(|text| format!(", not `{text}`")).unwrap_or_default())]
    Value {
        /// The flag, variable or key that specified the value.
        origin: Origin,
        /// The requirement on the value, such as "be a number".
        expected: String,
        /// The value; absent if it is a secret.
        shown: Option<String>,
    },
    /// A key in the file is unknown, or not allowed in its table.
    #[error("{place}: unknown key `{key}` in {table}; {advice}")]
    UnknownKey {
        /// The key's position in the file.
        place: Place,
        /// The key as written, such as `pase`.
        key: String,
        /// The table that the key is in, such as `[[accounts]]`.
        table: &'static str,
        /// A suggestion of the nearest valid key, or a list of all of them.
        advice: String,
    },
    /// A key that its table requires is missing.
    #[error("{place}: {table} needs {key}")]
    MissingKey {
        /// The position in the file where the table begins.
        place: Place,
        /// The table, such as `[[accounts.numbers]]`.
        table: &'static str,
        /// The required key that is missing.
        key: &'static str,
    },
    /// A table is invalid as a whole.
    #[error("{place}: {table}: {reason}")]
    Table {
        /// The position in the file where the table begins.
        place: Place,
        /// The table, such as `[[accounts.rules]]`.
        table: &'static str,
        /// A description of the mistake and of what to write instead.
        reason: String,
    },
    /// The default account's numbers can't use the configured TwiML bins.
    #[error("TwiML bins: {reason}")]
    TwimlBins {
        /// The bin and number concerned.
        reason: String,
    },
    /// The file is not valid TOML.
    #[error("{place}: {message}")]
    Syntax {
        /// The position in the file where the parser stopped.
        place: Place,
        /// The parser's description of the mistake.
        message: String,
    },
    /// The configuration file can't be read.
    #[error("can't read {}{}: {reason}", path.display(), origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default())]
    Unreadable {
        /// The flag or variable that names the file; absent for the default file.
        origin: Option<Origin>,
        /// The path of the file, as given.
        path: PathBuf,
        /// The system's reason, or the limit or encoding that the file violates.
        reason: String,
    },
}

impl ConfigError {
    /// Returns an error that quotes the value, unless the value may contain a password.
    pub(super) fn value(given: &Given, expected: impl Into<String>) -> Self {
        // The userinfo of a URL may contain a password.
        let is_secret = given.text.contains('@');
        let shown = (!is_secret).then(|| given.text.chars().take(SHOWN_CHARS_MAX).collect());
        Self::Value { origin: given.origin.clone(), expected: expected.into(), shown }
    }

    /// Returns an error that doesn't quote the value, for secrets and for values that need no quoting.
    pub(super) fn unshown(given: &Given, expected: impl Into<String>) -> Self {
        Self::Value { origin: given.origin.clone(), expected: expected.into(), shown: None }
    }
}

/// Returns the valid word that was probably meant: one that contains the wrong word or is very similar to it.
pub(super) fn nearest<'a>(wrong: &str, valid: &[&'a str]) -> Option<&'a str> {
    // Flags have hyphens where keys have underscores.
    let wrong = wrong.to_lowercase().replace('-', "_");
    let likeness = |word: &str| {
        let word = word.replace('-', "_");
        let is_part = wrong.len() >= PART_LEN_MIN && word.contains(&wrong);
        if is_part { 1.0 } else { strsim::jaro_winkler(&wrong, &word) }
    };
    let best = valid.iter().copied().map(|word| (likeness(word), word)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= LIKENESS_MIN).then_some(best.1)
}

impl Given {
    /// Parses the given value.
    ///
    /// # Errors
    /// Returns `ConfigError::Value` with the parser's description of a valid value.
    pub fn parse<T>(&self, parser: impl Fn(&str) -> Result<T, String>) -> Result<T, ConfigError> {
        parser(&self.text).map_err(|expected| ConfigError::value(self, expected))
    }

    /// Does the same as [`Given::parse`] for a secret, which is left out of the error.
    ///
    /// # Errors
    /// Returns the same error as [`Given::parse`].
    pub fn parse_secret<T>(&self, parser: impl Fn(&str) -> Result<T, String>) -> Result<T, ConfigError> {
        parser(&self.text).map_err(|expected| ConfigError::unshown(self, expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::given::Setting;

    #[test]
    fn a_word_is_suggested_only_if_it_is_similar() {
        let keys = ["listen", "pace", "public_url", "media_budget"];
        assert_eq!(nearest("pase", &keys), Some("pace"));
        assert_eq!(nearest("public-url", &keys), Some("public_url"));
        assert_eq!(nearest("Media_Buget", &keys), Some("media_budget"));
        assert_eq!(nearest("budget", &keys), Some("media_budget"));
        assert_eq!(nearest("url", &keys), None, "too short a part");
        assert_eq!(nearest("tls_version", &keys), None);
        assert_eq!(nearest("pace", &[]), None);
    }

    #[test]
    fn neither_a_secret_nor_a_password_in_a_url_is_shown() {
        let given = |text: &str| Given { text: text.to_owned(), origin: Origin::Flag(Setting::FaxUrl) };
        let url = ConfigError::value(&given("ftp://me:hunter2@host"), "be a URL");
        assert_eq!(url.to_string(), "--fax-url must be a URL");
        assert_eq!(ConfigError::unshown(&given("hunter2"), "be long").to_string(), "--fax-url must be long");
        let long = ConfigError::value(&given(&"x".repeat(1_000)), "be short").to_string();
        assert_eq!(long, format!("--fax-url must be short, not `{}`", "x".repeat(SHOWN_CHARS_MAX)));
    }
}
