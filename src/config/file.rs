//! Reads `fauxfax.toml`, and refuses unknown keys. Settings stay strings, each with its position in the file, because
//! flags and variables may take precedence over them; accounts and TwiML bins are interpreted here.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::accounts::{self, ConfiguredAccount};
use super::error::ConfigError;
use super::given::Setting;
use super::parse;
use super::read::read_bounded;
use super::settings::Settings;
use super::table::{ACCOUNTS_KEY, Source, Table};
use super::twiml_bins::{self, ConfiguredBin, TWIML_BINS_KEY, is_xml};
use crate::model::account::Dialect;

/// The file that is read if none is named.
pub const FILE_NAME: &str = "fauxfax.toml";
/// The size of the largest file that is read, in bytes. It is enough for thousands of numbers.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The contents of a configuration file: settings as strings, parsed accounts and TwiML bins.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) settings: Settings,
    pub(super) accounts: Vec<ConfiguredAccount>,
    pub(super) twiml_bins: Vec<ConfiguredBin>,
}

/// Reads the named file, or otherwise `fauxfax.toml` in `folder` if it exists.
///
/// `stronger` contains the settings from flags and the environment, which may name the file and take precedence over
/// it.
pub(super) fn read(stronger: &Settings, folder: &Path) -> Result<Contents, ConfigError> {
    let named = stronger.given(Setting::Config);
    let path = named.map_or_else(|| folder.join(FILE_NAME), |given| PathBuf::from(&given.text));
    // Only a named file must exist.
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
    contents(&Source { path, text }, stronger)
}

fn contents(source: &Source, stronger: &Settings) -> Result<Contents, ConfigError> {
    let document = DeTable::parse(&source.text).map_err(|error| {
        let place = source.place(error.span().map_or(0, |span| span.start));
        ConfigError::Syntax { place, message: error.message().to_owned() }
    })?;
    let root = Table { source, name: "the file", start: 0, entries: document.get_ref() };
    contents_of(&root, stronger, &[])
}

/// Reads the settings, accounts and TwiML bins in a table, in which the settings `without` are unknown keys.
pub(super) fn contents_of(root: &Table<'_>, stronger: &Settings, without: &[Setting]) -> Result<Contents, ConfigError> {
    let is_here = |setting: &&Setting| **setting != Setting::Config && !without.contains(setting);
    let settings = || Setting::ALL.iter().filter(is_here);
    let keys: Vec<&str> = settings().map(|setting| setting.as_str()).chain([ACCOUNTS_KEY, TWIML_BINS_KEY]).collect();
    root.check_keys(&keys)?;

    let mut contents = Contents::default();
    for setting in settings() {
        let key = setting.as_str();
        let given = if setting.is_list() { root.list(key)? } else { root.text(key)?.into_iter().collect() };
        for given in given {
            let is_path = setting.is_path() || (*setting == Setting::FaxTwiml && !is_xml(&given.text));
            let given = if is_path { root.source.beside(given) } else { given };
            contents.settings.add(*setting, given);
        }
    }
    let dialect = stronger.given(Setting::Dialect).or(contents.settings.given(Setting::Dialect));
    let dialect = dialect.map(|given| given.parse(parse::dialect)).transpose()?.unwrap_or(Dialect::Twilio);
    contents.accounts = accounts::read(&root.tables(ACCOUNTS_KEY, "[[accounts]]")?, dialect)?;
    contents.twiml_bins = twiml_bins::read(&root.tables(TWIML_BINS_KEY, "[[twiml_bins]]")?)?;
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { path: "etc/fauxfax.toml".into(), text: text.to_owned() }
    }

    fn settings(text: &str) -> Settings {
        contents(&source(text), &Settings::default()).expect("valid").settings
    }

    #[test]
    fn lines_and_characters_are_counted_from_one() {
        let place = source("a = 1\nü = 'é'; x").place(15);
        assert_eq!((place.line, place.column), (2, 8));
        assert_eq!(place.to_string(), "etc/fauxfax.toml:2:8");
    }

    #[test]
    fn numbers_and_booleans_are_read_as_strings() {
        let settings = settings("seed = 1_000\npace = 2.5\ninsecure_webhooks = true\nmedia_budget = 0x10");
        let text = |setting| settings.given(setting).map(|given| given.text.as_str());
        assert_eq!(text(Setting::Seed), Some("1000"));
        assert_eq!(text(Setting::Pace), Some("2.5"));
        assert_eq!(text(Setting::InsecureWebhooks), Some("true"));
        assert_eq!(text(Setting::MediaBudget), Some("16"));
    }

    #[test]
    fn paths_are_relative_to_the_files_folder() {
        let settings = settings("trust_ca = ['ca.pem', '/abs.pem']\nport_file = 'port'");
        let paths = settings.each(Setting::TrustCa, |path| Ok(path.to_owned())).expect("paths");
        assert_eq!(paths, ["etc/ca.pem", "/abs.pem"]);
        assert_eq!(settings.given(Setting::PortFile).map(|given| given.text.as_str()), Some("etc/port"));
    }

    #[test]
    fn a_file_cannot_name_another_file() {
        let error = contents(&source("config = 'x'"), &Settings::default()).expect_err("not in the file");
        assert!(matches!(error, ConfigError::UnknownKey { ref key, .. } if key == "config"), "{error}");
    }

    #[test]
    fn invalid_numbers_in_a_rule_are_refused() {
        for (rule, told) in [
            ("line = { noise = nan }", "line.noise: must be a number, not \"nan\""),
            ("chance = +inf\noutcome = { status = 'busy' }", "chance: must be a number, not \"+inf\""),
            ("chance = 0.000_000\noutcome = { status = 'busy' }", "chance: must be a number greater than 0"),
        ] {
            let text = format!("[[accounts]]\n[[accounts.rules]]\n{rule}");
            let error = contents(&source(&text), &Settings::default()).expect_err(rule).to_string();
            assert!(error.starts_with("etc/fauxfax.toml:2:1: [[accounts.rules]]: ") && error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_boolean_attribute_of_a_number_must_be_true_or_false() {
        let file = |value: &str| {
            let text = format!("[[accounts]]\n[[accounts.numbers]]\nphone_number = '+15017122661'\n{value}");
            contents(&source(&text), &Settings::default())
                .map(|contents| contents.accounts[0].numbers[0].1.voice_caller_id_lookup)
        };
        assert_eq!(file("voice_caller_id_lookup = true"), Ok(Some(true)));
        let error = file("voice_caller_id_lookup = 'yes'").expect_err("it is refused").to_string();
        assert_eq!(error, "etc/fauxfax.toml:4:26: voice_caller_id_lookup must be true or false, not `yes`");
    }
}
