//! A table in `fauxfax.toml` whose values are read as strings, each with its position in the file. Unknown keys are
//! errors.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::error::{ConfigError, nearest};
use super::given::{Given, Origin, Place};

/// The key for the array of account tables.
pub(super) const ACCOUNTS_KEY: &str = "accounts";

/// The file's text, and the path to name in errors.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Source {
    /// Returns the line and column at an offset in bytes.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Place { path: self.path.clone(), line, column: before[line_start..].chars().count() + 1 }
    }

    /// Resolves a relative path against the file's folder.
    pub(super) fn beside(&self, given: Given) -> Given {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        Given { text: folder.join(&given.text).to_string_lossy().into_owned(), ..given }
    }
}

/// A table in the file, with the name to use in errors.
pub(crate) struct Table<'a> {
    pub(crate) source: &'a Source,
    pub(crate) name: &'static str,
    pub(crate) start: usize,
    pub(crate) entries: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    /// Refuses the first key, in file order, that is not in `valid`.
    pub(super) fn check_keys(&self, valid: &[&str]) -> Result<(), ConfigError> {
        let unknown = self.entries.keys().filter(|key| !valid.contains(&key.get_ref().as_ref()));
        // The parsed table is sorted by key, but a user reads the file from the top.
        let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let place = self.source.place(key.span().start);
        let advice = nearest(key.get_ref(), valid).map_or_else(
            || format!("the valid keys are {}", valid.join(", ")),
            |nearest| format!("did you mean `{nearest}`?"),
        );
        Err(ConfigError::UnknownKey { place, key: key.get_ref().to_string(), table: self.name, advice })
    }

    /// Returns a string, number or boolean as a string; `None` if the key is missing.
    pub(super) fn text(&self, key: &str) -> Result<Option<Given>, ConfigError> {
        self.entries.get(key).map(|value| self.scalar(key, value)).transpose()
    }

    /// Does the same as [`Table::text`] for a required key.
    pub(super) fn required(&self, key: &'static str) -> Result<Given, ConfigError> {
        let missing = || ConfigError::MissingKey { place: self.source.place(self.start), table: self.name, key };
        self.text(key)?.ok_or_else(missing)
    }

    /// Returns the values of an array of strings, numbers or booleans, or a single such value. Empty if the key is
    /// missing.
    pub(super) fn list(&self, key: &str) -> Result<Vec<Given>, ConfigError> {
        let Some(value) = self.entries.get(key) else { return Ok(Vec::new()) };
        match value.get_ref().as_array() {
            Some(array) => array.iter().map(|value| self.scalar(key, value)).collect(),
            None => Ok(vec![self.scalar(key, value)?]),
        }
    }

    /// Returns an array of tables. Empty if the key is missing.
    pub(super) fn tables(&self, key: &str, name: &'static str) -> Result<Vec<Self>, ConfigError> {
        let Some(value) = self.entries.get(key) else { return Ok(Vec::new()) };
        let hint = if key == ACCOUNTS_KEY && value.get_ref().is_str() {
            "; for strict or open mode, set accounts_mode"
        } else {
            ""
        };
        let wrong = |value| self.mistyped(key, value, format!("be an array of tables, written as {name}{hint}"));
        let array = value.get_ref().as_array().ok_or_else(|| wrong(value))?;
        let tables = array.iter().map(|value| {
            let entries = value.get_ref().as_table().ok_or_else(|| wrong(value))?;
            Ok(Self { source: self.source, name, start: value.span().start, entries })
        });
        tables.collect()
    }

    /// Returns the whole table as JSON, for code that parses JSON, such as the rule parser.
    pub(crate) fn json(&self) -> Value {
        json_of_table(self.entries)
    }

    /// Returns an error about the table as a whole.
    pub(super) fn wrong(&self, reason: String) -> ConfigError {
        ConfigError::Table { place: self.source.place(self.start), table: self.name, reason }
    }

    fn scalar(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Result<Given, ConfigError> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(integer) => decimal(integer),
            DeValue::Float(float) => float.as_str().to_owned(),
            DeValue::Boolean(boolean) => boolean.to_string(),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                return Err(self.mistyped(key, value, "be one string, number or boolean".to_owned()));
            }
        };
        Ok(Given { text, origin: self.origin(key, value) })
    }

    fn mistyped(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: String) -> ConfigError {
        let shown = Some(value.get_ref().type_str().to_owned());
        ConfigError::Value { origin: self.origin(key, value), expected, shown }
    }

    fn origin(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Origin {
        Origin::File { place: self.source.place(value.span().start), key: key.to_owned() }
    }
}

fn json_of_table(table: &DeTable<'_>) -> Value {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), json_of(value.get_ref()))).collect::<Map<_, _>>().into()
}

fn json_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(integer) => {
            let digits = decimal(integer);
            // An integer that doesn't fit is passed on as a string, like NaN below.
            digits.parse::<i64>().map_or_else(|_| Value::from(digits), Value::from)
        }
        DeValue::Float(float) => {
            let number = float.as_str().parse::<f64>().ok().filter(|number| number.is_finite());
            // JSON has neither NaN nor infinity. Passed on as a string, the value is refused and shown as written.
            number.map_or_else(|| Value::from(float.as_str()), Value::from)
        }
        DeValue::Boolean(boolean) => Value::from(*boolean),
        DeValue::Datetime(datetime) => Value::from(datetime.to_string()),
        DeValue::Array(array) => array.iter().map(|value| json_of(value.get_ref())).collect(),
        DeValue::Table(table) => json_of_table(table),
    }
}

/// Returns the decimal digits of an integer, which TOML may write in base 2, 8 or 16.
fn decimal(integer: &DeInteger<'_>) -> String {
    let number = i128::from_str_radix(integer.as_str(), integer.radix());
    number.map_or_else(|_| integer.to_string(), |number| number.to_string())
}
