//! Reads the default account's TwiML bins from the configuration: `--fax-twiml` and `[[twiml_bins]]`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::error::ConfigError;
use super::given::{Given, Setting};
use super::parse;
use super::read::read_bounded;
use super::settings::Settings;
use super::table::Table;
use crate::dialect::twiml_bin;
use crate::model::number::NumberChange;
use crate::model::phone::PhoneNumber;
use crate::model::twiml_bin::{BIN_BYTES_MAX, BIN_NAME_CHARS_MAX};

/// The name of the bin that `--fax-twiml` creates.
pub const FAX_TWIML_NAME: &str = "fax_twiml";
/// The key of the array of bin tables.
pub(super) const TWIML_BINS_KEY: &str = "twiml_bins";
const NAME_KEY: &str = "name";
const TWIML_KEY: &str = "twiml";
const NUMBERS_KEY: &str = "numbers";
/// The maximum number of bins in the file. More are surely a mistake.
const BINS_MAX: usize = 256;

/// A bin that the default account has from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredBin {
    /// The bin's name, which no other bin in the configuration has.
    pub name: Box<str>,
    /// The TwiML.
    pub twiml: Arc<str>,
    /// The account's numbers whose VoiceUrl is the bin's URL.
    pub numbers: Vec<PhoneNumber>,
}

impl ConfiguredBin {
    /// Returns the bin that `--fax-twiml` creates for the default number.
    pub(super) fn of_fax_twiml(twiml: &Arc<str>, number: Option<PhoneNumber>) -> Self {
        Self { name: FAX_TWIML_NAME.into(), twiml: Arc::clone(twiml), numbers: number.into_iter().collect() }
    }
}

/// Returns the bins in these tables. [`conflict`] checks their numbers.
pub(super) fn read(tables: &[Table<'_>]) -> Result<Vec<ConfiguredBin>, ConfigError> {
    if let Some(surplus) = tables.get(BINS_MAX) {
        return Err(surplus.wrong(format!("there may be at most {BINS_MAX} bins")));
    }
    let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    tables.iter().map(|table| bin(table, &mut names, &mut numbers)).collect()
}

fn bin(
    table: &Table<'_>,
    names: &mut BTreeSet<String>,
    numbers: &mut BTreeSet<PhoneNumber>,
) -> Result<ConfiguredBin, ConfigError> {
    table.check_keys(&[NAME_KEY, TWIML_KEY, NUMBERS_KEY])?;
    let name = table.required(NAME_KEY)?;
    let fits = (1..=BIN_NAME_CHARS_MAX).contains(&name.text.chars().count()) && name.text != FAX_TWIML_NAME;
    if !fits {
        let expected = format!("have 1 to {BIN_NAME_CHARS_MAX} characters, and not be {FAX_TWIML_NAME}");
        return Err(ConfigError::value(&name, expected));
    }
    if !names.insert(name.text.clone()) {
        return Err(ConfigError::value(&name, "be different from that of the other bins"));
    }
    let twiml = table.required(TWIML_KEY)?;
    // A path in the configuration file is relative to that file's folder.
    let twiml = if is_xml(&twiml.text) { twiml } else { table.source.beside(twiml) };
    let of = table.list(NUMBERS_KEY)?.into_iter().map(|given| {
        let number = given.parse(parse::own("be an E.164 number in quotes, such as \"+15017122661\""))?;
        let is_new = numbers.insert(number);
        is_new.then_some(number).ok_or_else(|| ConfigError::value(&given, "be listed once, in one bin"))
    });
    Ok(ConfiguredBin {
        name: name.text.as_str().into(),
        numbers: of.collect::<Result<_, _>>()?,
        twiml: twiml_of(&twiml)?,
    })
}

/// Returns the TwiML of `fax_twiml`, if it is given.
pub(super) fn fax_twiml(settings: &Settings) -> Result<Option<Arc<str>>, ConfigError> {
    let Some(given) = settings.given(Setting::FaxTwiml) else { return Ok(None) };
    if settings.given(Setting::FaxUrl).is_some() {
        return Err(ConfigError::unshown(
            given,
            "be left out if fax_url is given, since a number has only one VoiceUrl",
        ));
    }
    twiml_of(given).map(Some)
}

/// Returns whether a string is TwiML itself and not the path of a file.
pub(super) fn is_xml(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

/// Returns TwiML that the fax engine can interpret, given as XML or as the path of a file.
fn twiml_of(given: &Given) -> Result<Arc<str>, ConfigError> {
    let text = if is_xml(&given.text) { given.text.clone() } else { read_file(given)? };
    let unusable = |error| ConfigError::value(given, format!("be TwiML, or the path of a file with TwiML ({error})"));
    twiml_bin::check(&text).map_err(unusable)?;
    Ok(text.into())
}

fn read_file(given: &Given) -> Result<String, ConfigError> {
    let bytes = read_bounded(Path::new(&given.text), BIN_BYTES_MAX as u64);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()));
    text.map_err(|reason| {
        ConfigError::value(given, format!("be TwiML, or the path of a readable file with TwiML ({reason})"))
    })
}

/// Returns the reason that the default account can't have these bins, if any: a number is not the account's, already
/// has a VoiceUrl, or has two bins.
pub(super) fn conflict(bins: &[ConfiguredBin], numbers: &[(PhoneNumber, NumberChange)]) -> Option<String> {
    let mut taken = BTreeMap::new();
    let of_bins = bins.iter().flat_map(|bin| bin.numbers.iter().map(move |number| (bin, number)));
    of_bins.into_iter().find_map(|(bin, number)| {
        let is_of_flag = &*bin.name == FAX_TWIML_NAME;
        let what = if is_of_flag { FAX_TWIML_NAME.to_owned() } else { format!("the bin {:?}", bin.name) };
        if let Some(other) = taken.insert(*number, what.clone()) {
            return Some(format!("{other} and {what} are both for {number}, but a number has only one VoiceUrl"));
        }
        match numbers.iter().find(|(own, _)| own == number) {
            None => Some(format!("{what} is for {number}, which the default account doesn't have")),
            Some((_, change)) if change.voice_url.as_ref().is_some_and(|url| !url.is_empty()) => {
                Some(format!("{what} is for {number}, which already has a VoiceUrl"))
            }
            Some(_) => None,
        }
    })
}
