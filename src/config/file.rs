//! Reads `fauxfax.toml`: texts with the place of each, for settings and for tables. Every unknown key is an error.
//! It doesn't know what the texts mean.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::accounts::{self, ConfiguredAccount};
use super::error::{ConfigError, nearest};
use super::settings::{Given, Origin, Place, Setting, Settings};

/// The file that is read where none is named.
pub const FILE_NAME: &str = "fauxfax.toml";
/// The longest file; thousands of numbers fit.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The key of the tables of accounts.
const ACCOUNTS_KEY: &str = "accounts";

/// What a configuration file says.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) settings: Settings,
    pub(super) accounts: Vec<ConfiguredAccount>,
}

/// Reads the file that was named, or `fauxfax.toml` in the folder if it is there.
pub(super) fn read(named: Option<&Given>, folder: &Path) -> Result<Contents, ConfigError> {
    let path = named.map_or_else(|| folder.join(FILE_NAME), |given| PathBuf::from(&given.text));
    if named.is_none() && !path.exists() {
        return Ok(Contents::default());
    }
    let text = read_bounded(&path, FILE_BYTES_MAX).and_then(|bytes| {
        String::from_utf8(bytes).map_err(|error| format!("not UTF-8 after byte {}", error.utf8_error().valid_up_to()))
    });
    let text = text.map_err(|reason| {
        let origin = named.map(|given| given.origin.clone());
        ConfigError::Unreadable { origin, path: path.clone(), reason }
    })?;
    contents(&Source { path, text })
}

/// A whole file, if it is no longer than the limit; else why not.
pub(super) fn read_bounded(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(limit_bytes + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if read as u64 > limit_bytes {
        return Err(format!("longer than {limit_bytes} bytes"));
    }
    Ok(bytes)
}

fn contents(source: &Source) -> Result<Contents, ConfigError> {
    let document = DeTable::parse(&source.text).map_err(|error| {
        let place = source.place(error.span().map_or(0, |span| span.start));
        ConfigError::Syntax { place, message: error.message().to_owned() }
    })?;
    let root = Table { source, name: "the file", start: 0, entries: document.get_ref() };
    let settings = || Setting::ALL.iter().filter(|setting| **setting != Setting::Config);
    let keys: Vec<&str> = settings().map(|setting| setting.as_str()).chain([ACCOUNTS_KEY]).collect();
    root.check_keys(&keys)?;

    let mut contents = Contents::default();
    for setting in settings() {
        let key = setting.as_str();
        let given = if setting.is_list() { root.list(key)? } else { root.text(key)?.into_iter().collect() };
        for given in given {
            let given = if setting.is_path() { source.beside(given) } else { given };
            contents.settings.add(*setting, given);
        }
    }
    contents.accounts = accounts::read(&root.tables(ACCOUNTS_KEY, "[[accounts]]")?)?;
    Ok(contents)
}

/// The file's text.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Place { path: self.path.clone(), line, column: before[line_start..].chars().count() + 1 }
    }

    /// A path of the file, which starts at the file's folder.
    fn beside(&self, given: Given) -> Given {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        Given { text: folder.join(&given.text).to_string_lossy().into_owned(), ..given }
    }
}

/// One table of the file.
pub(super) struct Table<'a> {
    source: &'a Source,
    name: &'static str,
    start: usize,
    entries: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    /// Refuses the first key, in the order of the file, that is not one of these.
    pub(super) fn check_keys(&self, valid: &[&str]) -> Result<(), ConfigError> {
        let unknown = self.entries.keys().filter(|key| !valid.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let place = self.source.place(key.span().start);
        let advice = nearest(key.get_ref(), valid).map_or_else(
            || format!("the keys there are {}", valid.join(", ")),
            |nearest| format!("did you mean `{nearest}`?"),
        );
        Err(ConfigError::UnknownKey { place, key: key.get_ref().to_string(), table: self.name, advice })
    }

    /// A string, number or boolean, as text.
    pub(super) fn text(&self, key: &str) -> Result<Option<Given>, ConfigError> {
        self.entries.get(key).map(|value| self.scalar(key, value)).transpose()
    }

    /// As `text`, for a key the table must have.
    pub(super) fn required(&self, key: &'static str) -> Result<Given, ConfigError> {
        let missing = || ConfigError::MissingKey { place: self.source.place(self.start), table: self.name, key };
        self.text(key)?.ok_or_else(missing)
    }

    /// An array of what `text` takes, or one such value.
    fn list(&self, key: &str) -> Result<Vec<Given>, ConfigError> {
        let Some(value) = self.entries.get(key) else { return Ok(Vec::new()) };
        match value.get_ref().as_array() {
            Some(array) => array.iter().map(|value| self.scalar(key, value)).collect(),
            None => Ok(vec![self.scalar(key, value)?]),
        }
    }

    /// An array of tables; none where the key is missing.
    pub(super) fn tables(&self, key: &str, name: &'static str) -> Result<Vec<Self>, ConfigError> {
        let Some(value) = self.entries.get(key) else { return Ok(Vec::new()) };
        let hint = if key == ACCOUNTS_KEY && value.get_ref().is_str() {
            "; strict or open is said by accounts_mode"
        } else {
            ""
        };
        let wrong = |value| self.mistyped(key, value, format!("be an array of tables, as {name} makes it{hint}"));
        let array = value.get_ref().as_array().ok_or_else(|| wrong(value))?;
        let tables = array.iter().map(|value| {
            let entries = value.get_ref().as_table().ok_or_else(|| wrong(value))?;
            Ok(Self { source: self.source, name, start: value.span().start, entries })
        });
        tables.collect()
    }

    /// The whole table as JSON, for who reads that.
    pub(super) fn json(&self) -> Value {
        json_of_table(self.entries)
    }

    /// The table as a whole makes no sense.
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
            digits.parse::<i64>().map_or_else(|_| Value::from(digits), Value::from)
        }
        DeValue::Float(float) => float.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(boolean) => Value::from(*boolean),
        DeValue::Datetime(datetime) => Value::from(datetime.to_string()),
        DeValue::Array(array) => array.iter().map(|value| json_of(value.get_ref())).collect(),
        DeValue::Table(table) => json_of_table(table),
    }
}

/// The digits of an integer, which TOML may have in base 2, 8 or 16.
fn decimal(integer: &DeInteger<'_>) -> String {
    let number = i128::from_str_radix(integer.as_str(), integer.radix());
    number.map_or_else(|_| integer.to_string(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { path: "etc/fauxfax.toml".into(), text: text.to_owned() }
    }

    fn settings(text: &str) -> Settings {
        contents(&source(text)).expect("valid").settings
    }

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let place = source("a = 1\nü = 'é'; x").place(15);
        assert_eq!((place.line, place.column), (2, 8));
        assert_eq!(place.to_string(), "etc/fauxfax.toml:2:8");
    }

    #[test]
    fn numbers_and_booleans_are_taken_as_their_text() {
        let settings = settings("seed = 1_000\npace = 2.5\ninsecure_webhooks = true\nmedia_budget = 0x10");
        let text = |setting| settings.given(setting).map(|given| given.text.as_str());
        assert_eq!(text(Setting::Seed), Some("1000"));
        assert_eq!(text(Setting::Pace), Some("2.5"));
        assert_eq!(text(Setting::InsecureWebhooks), Some("true"));
        assert_eq!(text(Setting::MediaBudget), Some("16"));
    }

    #[test]
    fn paths_start_at_the_folder_of_the_file() {
        let settings = settings("trust_ca = ['ca.pem', '/abs.pem']\nport_file = 'port'");
        let paths = settings.each(Setting::TrustCa, |path| Ok(path.to_owned())).expect("paths");
        assert_eq!(paths, ["etc/ca.pem", "/abs.pem"]);
        assert_eq!(settings.given(Setting::PortFile).map(|given| given.text.as_str()), Some("etc/port"));
    }

    #[test]
    fn the_file_does_not_name_another() {
        let error = contents(&source("config = 'x'")).expect_err("not in the file");
        assert!(matches!(error, ConfigError::UnknownKey { ref key, .. } if key == "config"), "{error}");
    }

    #[test]
    fn a_file_over_its_limit_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        std::fs::write(&path, "12345").expect("written");
        assert_eq!(read_bounded(&path, 5), Ok(b"12345".to_vec()));
        assert_eq!(read_bounded(&path, 4), Err("longer than 4 bytes".to_owned()));
    }
}
