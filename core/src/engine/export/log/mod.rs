//! A world's command log as text: one command per line, with its time. Replaying the lines in a world with the same
//! start yields the same state and journal.
//!
//! A line is self-contained JSON:
//! `{"fauxfax_log":1,"at":"2026-01-01T00:00:00Z","input":{"cancel-fax":{"fax":"FX…"}}}`. Documents are written as
//! base64. A log contains everything that clients sent, including account tokens, so it must be kept as secret as those
//! tokens.

mod answers;
mod inputs;
mod notes;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::inputs::Input;
use super::form::Form;
pub use super::upgrade::LOG_VERSION;
use super::upgrade::{self, LOG_STEPS};
use crate::engine::command::Logged;
use crate::model::time::Timestamp;

/// The field with the version of the line.
const VERSION: &str = "fauxfax_log";

/// The reason that a line can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The line isn't JSON: it may have been cut off.
    #[error("this is not JSON: {why}")]
    NoJson {
        /// The JSON parser's error, with its column.
        why: String,
    },
    /// The line is JSON, but has no version, or one that isn't a positive whole number.
    #[error("this is not a line of a fauxfax log: it has no version in the field {VERSION}")]
    NoEntry,
    /// A later version of fauxfax wrote the line.
    #[error(
        "a newer fauxfax wrote this: its {VERSION} is {found}, and this one reads up to {LOG_VERSION}; update fauxfax"
    )]
    Newer {
        /// The version that the line names.
        found: u64,
    },
    /// A part of the line is unknown or invalid.
    #[error("{place}: {why}")]
    Wrong {
        /// The path to that part, such as `input.create-fax.quality`.
        place: String,
        /// The reason that the part is unknown or invalid.
        why: String,
    },
}

/// A parsed line, after any upgrade.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(rename = "fauxfax_log")]
    version: u64,
    at: Timestamp,
    input: Input,
}

impl Logged {
    /// Writes the command as one line, without a line break.
    ///
    /// # Errors
    /// Returns the serializer's error.
    pub fn to_line(&self) -> serde_json::Result<String> {
        let Self { at, input } = self;
        serde_json::to_string(&Entry { version: LOG_VERSION, at: *at, input: Input::of(input) })
    }

    /// Reads a log line, upgrading it if its version is older.
    ///
    /// # Errors
    /// Returns the first invalid part.
    pub fn of_line(line: &str) -> Result<Self, LogError> {
        let entry = serde_json::from_str(line).map_err(|error| LogError::NoJson { why: error.to_string() })?;
        let Value::Object(mut entry) = entry else { return Err(LogError::NoEntry) };
        // Versions are counted from 1.
        let version = entry.get(VERSION).and_then(Value::as_u64).filter(|version| *version > 0);
        let version = version.ok_or(LogError::NoEntry)?;
        if version > LOG_VERSION {
            return Err(LogError::Newer { found: version });
        }
        upgrade::upgrade(&mut entry, version, &LOG_STEPS)
            .map_err(|error| LogError::Wrong { place: VERSION.to_owned(), why: error.to_string() })?;
        let Entry { version: _, at, input } = serde_path_to_error::deserialize(Value::Object(entry)).map_err(
            |error: serde_path_to_error::Error<serde_json::Error>| LogError::Wrong {
                place: error.path().to_string(),
                why: error.into_inner().to_string(),
            },
        )?;
        Ok(Self { at, input: input.value() })
    }
}
