//! The settings of `serve` as unparsed strings, each with its origin. If several sources give a setting, a flag takes
//! precedence over the environment, and the environment over the file.

use std::collections::BTreeMap;

use super::error::ConfigError;
use super::given::{Given, Origin, Setting};

/// The maximum number of entries in a list setting. A longer list is surely a mistake.
pub const LIST_LEN_MAX: usize = 256;

/// The values given for each setting; the last one counts unless the setting is a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<Setting, Vec<Given>>);

impl Settings {
    /// Adds a flag's values. A flag that wasn't given has no values.
    #[must_use]
    pub fn with_flag(mut self, setting: Setting, texts: impl IntoIterator<Item = String>) -> Self {
        for text in texts {
            self.add(setting, Given { text, origin: Origin::Flag(setting) });
        }
        self
    }

    /// Reads settings from the environment. An empty variable counts as absent.
    #[must_use]
    pub fn of_environment(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut settings = Self::default();
        for setting in Setting::ALL {
            let name = setting.variable();
            let Some(value) = environment(&name).filter(|value| !value.trim().is_empty()) else { continue };
            let texts: Vec<&str> = if setting.is_list() { value.split(',').collect() } else { vec![&value] };
            for text in texts {
                let origin = Origin::Environment(name.clone());
                settings.add(*setting, Given { text: text.trim().to_owned(), origin });
            }
        }
        settings
    }

    /// Adds one value. For a list setting, it becomes a further entry; for others, it replaces the earlier value.
    pub fn add(&mut self, setting: Setting, given: Given) {
        self.0.entry(setting).or_default().push(given);
    }

    /// Fills in missing settings from a source of lower precedence. Lists are not joined.
    #[must_use]
    pub fn or(mut self, weaker: Self) -> Self {
        for (setting, given) in weaker.0 {
            self.0.entry(setting).or_insert(given);
        }
        self
    }

    /// Drops the weaker of two settings that exclude each other. If both come from the same source, both stay.
    #[must_use]
    pub fn keep_stronger(mut self, one: Setting, other: Setting) -> Self {
        let strength = |setting| self.given(setting).map(|given| given.origin.strength());
        let weaker = match (strength(one), strength(other)) {
            (Some(first), Some(second)) if first < second => Some(one),
            (Some(first), Some(second)) if first > second => Some(other),
            _ => None,
        };
        if let Some(weaker) = weaker {
            self.0.remove(&weaker);
        }
        self
    }

    /// Returns the value given for a setting that is not a list.
    #[must_use]
    pub fn given(&self, setting: Setting) -> Option<&Given> {
        self.0.get(&setting)?.last()
    }

    /// Returns the parsed value of a setting that is not a list; `None` if it was not given.
    ///
    /// # Errors
    /// Returns the same error as [`Given::parse`].
    pub fn one<T>(
        &self,
        setting: Setting,
        parser: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        self.given(setting).map(|given| given.parse(parser)).transpose()
    }

    /// Does the same as [`Settings::one`] for a secret, which is left out of the error.
    ///
    /// # Errors
    /// Returns the same error as [`Given::parse`].
    pub fn secret<T>(
        &self,
        setting: Setting,
        parser: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        self.given(setting).map(|given| given.parse_secret(parser)).transpose()
    }

    /// Returns the parsed entries of a list setting.
    ///
    /// # Errors
    /// Returns the same errors as [`Given::parse`], and one if there are more than [`LIST_LEN_MAX`] entries.
    pub fn each<T>(&self, setting: Setting, parser: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, ConfigError> {
        let given = self.0.get(&setting).map(Vec::as_slice).unwrap_or_default();
        if let Some(surplus) = given.get(LIST_LEN_MAX) {
            return Err(ConfigError::unshown(surplus, format!("have at most {LIST_LEN_MAX} entries")));
        }
        given.iter().map(|given| given.parse(&parser)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(settings: &Settings, setting: Setting) -> Vec<String> {
        settings.each(setting, |text| Ok(text.to_owned())).expect("few enough")
    }

    #[test]
    fn a_setting_has_a_flag_a_variable_and_a_key() {
        assert_eq!(Setting::MediaBudget.flag(), "media-budget");
        assert_eq!(Setting::MediaBudget.variable(), "FAUXFAX_MEDIA_BUDGET");
        assert_eq!(Setting::AccountsMode.flag(), "accounts");
        assert_eq!(Setting::AccountsMode.variable(), "FAUXFAX_ACCOUNTS");
        assert_eq!(Setting::AccountsMode.as_str(), "accounts_mode");
    }

    #[test]
    fn a_stronger_source_replaces_whole_lists_and_leaves_other_settings_alone() {
        let flags = Settings::default().with_flag(Setting::AllowHost, ["fax.test".to_owned()]);
        let variables = |name: &str| match name {
            "FAUXFAX_ALLOW_HOST" => Some("a.test, b.test".to_owned()),
            "FAUXFAX_PACE" => Some("max".to_owned()),
            _ => None,
        };
        let environment = Settings::of_environment(&variables);
        assert_eq!(texts(&environment, Setting::AllowHost), ["a.test", "b.test"]);
        let merged = flags.or(environment);
        assert_eq!(texts(&merged, Setting::AllowHost), ["fax.test"]);
        assert_eq!(merged.given(Setting::Pace).map(|given| given.origin.to_string()), Some("FAUXFAX_PACE".to_owned()));
    }

    #[test]
    fn an_empty_variable_counts_as_absent() {
        let environment = Settings::of_environment(&|_| Some(" ".to_owned()));
        assert_eq!(environment, Settings::default());
    }

    #[test]
    fn a_list_setting_has_a_limited_length() {
        let hosts = (0..=LIST_LEN_MAX).map(|n| format!("h{n}.test"));
        let settings = Settings::default().with_flag(Setting::AllowHost, hosts);
        let error = settings.each(Setting::AllowHost, |_| Ok(())).expect_err("one too many");
        assert_eq!(error.to_string(), "--allow-host must have at most 256 entries");
    }
}
