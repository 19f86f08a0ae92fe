//! What is wrong with the configuration, told so that a person finds the place and knows what to write instead.
//! It never shows a secret.

use std::path::PathBuf;

use super::given::{Given, Origin, Place};

/// Characters of a rejected value that are shown again.
const SHOWN_CHARS_MAX: usize = 80;
/// How alike a wrong and a valid word must be for the valid one to be suggested (Jaro-Winkler, 0 to 1).
const LIKENESS_MIN: f64 = 0.8;
/// Shorter parts are in many words.
const PART_LEN_MIN: usize = 4;

/// Why `serve` can't start as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value makes no sense.
    #[error("{origin} must {expected}{}", shown.as_ref().map(|text| format!(", not `{text}`")).unwrap_or_default())]
    Value {
        /// Who said it.
        origin: Origin,
        /// What it must do, as in "be a number".
        expected: String,
        /// What was said; none where that is a secret.
        shown: Option<String>,
    },
    /// A key of the file is unknown, or not known there.
    #[error("{place}: unknown key `{key}` in {table}; {advice}")]
    UnknownKey {
        /// Where the key is.
        place: Place,
        /// The key.
        key: String,
        /// Which table it is in.
        table: &'static str,
        /// The nearest valid key, or all of them.
        advice: String,
    },
    /// A key that a table can't do without is missing.
    #[error("{place}: {table} needs {key}")]
    MissingKey {
        /// Where the table begins.
        place: Place,
        /// The table.
        table: &'static str,
        /// The key.
        key: &'static str,
    },
    /// A table as a whole makes no sense.
    #[error("{place}: {table}: {reason}")]
    Table {
        /// Where the table begins.
        place: Place,
        /// The table.
        table: &'static str,
        /// What is wrong in it.
        reason: String,
    },
    /// The file is not TOML.
    #[error("{place}: {message}")]
    Syntax {
        /// Where it stops being TOML.
        place: Place,
        /// What was expected.
        message: String,
    },
    /// The file can't be read.
    #[error("can't read {}{}: {reason}", path.display(), origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default())]
    Unreadable {
        /// Who named it; none for the default file.
        origin: Option<Origin>,
        /// The file.
        path: PathBuf,
        /// The system's reason, or ours.
        reason: String,
    },
}

impl ConfigError {
    pub(super) fn value(given: &Given, expected: impl Into<String>) -> Self {
        // A URL with userinfo holds a password.
        let is_secret = given.text.contains('@');
        let shown = (!is_secret).then(|| given.text.chars().take(SHOWN_CHARS_MAX).collect());
        Self::Value { origin: given.origin.clone(), expected: expected.into(), shown }
    }

    pub(super) fn unshown(given: &Given, expected: impl Into<String>) -> Self {
        Self::Value { origin: given.origin.clone(), expected: expected.into(), shown: None }
    }
}

/// The valid word that a wrong one was likely meant to be: one it is a part of, or much like.
pub(super) fn nearest<'a>(wrong: &str, valid: &[&'a str]) -> Option<&'a str> {
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
    /// What the text means.
    ///
    /// # Errors
    /// `ConfigError::Value` with what the parser says the text must be.
    pub fn parse<T>(&self, parser: impl Fn(&str) -> Result<T, String>) -> Result<T, ConfigError> {
        parser(&self.text).map_err(|expected| ConfigError::value(self, expected))
    }

    /// As `parse`, for secrets: an error doesn't show the text.
    ///
    /// # Errors
    /// As `parse`.
    pub fn parse_secret<T>(&self, parser: impl Fn(&str) -> Result<T, String>) -> Result<T, ConfigError> {
        parser(&self.text).map_err(|expected| ConfigError::unshown(self, expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::given::Setting;

    #[test]
    fn a_word_is_suggested_only_where_it_is_alike() {
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
