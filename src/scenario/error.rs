//! The reasons why a file is not a scenario.

use crate::config::{ConfigError, Place};

/// The reason why a file is not a scenario. The message says where the mistake is and what would be right.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BadFile {
    /// The file can't be read, isn't TOML, or has wrong settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A field is wrong.
    #[error("{place}: {reason}")]
    Field {
        /// Where the field is.
        place: Place,
        /// The field, and what is wrong with it.
        reason: String,
    },
    /// `--var` gives a variable that the file doesn't have.
    #[error("--var: {path} has no variable {name:?}; {advice}")]
    UnknownVar {
        /// The file.
        path: String,
        /// The variable.
        name: String,
        /// The variable that was probably meant, or those that the file has.
        advice: String,
    },
}
