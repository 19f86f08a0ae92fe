//! The settings of `serve` as texts, each with who said it: a flag, the environment or the file; the strongest wins.
//! It knows neither what a text means nor what holds where nothing is said.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::error::ConfigError;
use crate::model::words::words;

/// Entries of a list setting, more of which is surely a mistake.
pub const LIST_LEN_MAX: usize = 256;

words!(
    /// A setting, by its key in `fauxfax.toml`, of which its flag and its environment twin are made.
    Setting {
        /// Which file is read; never said in the file.
        Config = "config",
        /// Where HTTP is served.
        Listen = "listen",
        /// Where HTTPS is served besides.
        TlsListen = "tls_listen",
        /// A file the chosen port is written to.
        PortFile = "port_file",
        /// What links are built on.
        PublicUrl = "public_url",
        /// Further host names that the emulator answers to.
        AllowHost = "allow_host",
        /// Web pages of other origins that may call the emulator.
        AllowOrigin = "allow_origin",
        /// What guards the control API and the console.
        ControlToken = "control_token",
        /// The default number's VoiceUrl.
        FaxUrl = "fax_url",
        /// The default number's StatusCallback.
        StatusCallback = "status_callback",
        /// The default account's Debugger webhook.
        DebuggerUrl = "debugger_url",
        /// Where requests for a host really go.
        ConnectTo = "connect_to",
        /// Certificates that webhooks trust besides the public ones.
        TrustCa = "trust_ca",
        /// Whether webhooks take any certificate.
        InsecureWebhooks = "insecure_webhooks",
        /// Whether webhooks carry a W3C `traceparent`.
        Traceparent = "traceparent",
        /// How fast line time passes.
        Pace = "pace",
        /// The seed of all ids and draws.
        Seed = "seed",
        /// Which credentials are taken; `accounts` itself names the file's tables, so its flag differs.
        AccountsMode = "accounts_mode",
        /// Which status changes fire a StatusCallback.
        Callbacks = "callbacks",
        /// What a MediaUrl may lead to.
        Documents = "documents",
        /// With which Content-Type an app's TwiML is taken.
        TwimlTypes = "twiml_types",
        /// What comes of a download of media that names no User-Agent.
        MediaUserAgent = "media_user_agent",
        /// Whether incoming pages carry the sender's header line.
        HeaderLine = "header_line",
        /// Where fonts are that PDFs don't embed.
        FontDir = "font_dir",
        /// How `price` is written.
        Price = "price",
        /// Whether each fax call is refused, as today.
        Retired = "retired",
        /// How much media is kept.
        MediaBudget = "media_budget",
        /// How many bytes of bodies may be in flight.
        BodyBudget = "body_budget",
        /// A file the worlds are read from at the start and written to at the end.
        State = "state",
        /// Where the local CA is kept.
        CaDir = "ca_dir",
        /// Whether the proxy lets nothing out of this machine.
        Offline = "offline",
        /// Whom the proxy serves.
        ProxyClients = "proxy_clients",
        /// How the log is written.
        LogFormat = "log_format",
        /// How much is logged.
        LogLevel = "log_level",
    }
);

impl Setting {
    /// Its long flag without the dashes: `media-budget`.
    #[must_use]
    pub fn flag(self) -> String {
        if self == Self::AccountsMode { "accounts".to_owned() } else { self.as_str().replace('_', "-") }
    }

    /// Its environment twin: `FAUXFAX_MEDIA_BUDGET`.
    #[must_use]
    pub fn variable(self) -> String {
        format!("FAUXFAX_{}", self.flag().replace('-', "_").to_uppercase())
    }

    /// Whether it may be said several times, in the environment with commas between.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::AllowHost | Self::AllowOrigin | Self::ConnectTo | Self::TrustCa)
    }

    /// Whether it names a file; in `fauxfax.toml`, such a name starts at that file's folder.
    #[must_use]
    pub const fn is_path(self) -> bool {
        matches!(self, Self::CaDir | Self::Config | Self::FontDir | Self::PortFile | Self::State | Self::TrustCa)
    }
}

/// A place in a file, to be shown as `fauxfax.toml:3:8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag(Setting),
    /// An environment variable, by its name.
    Environment(String),
    /// A key of the configuration file.
    File {
        /// Where its value is.
        place: Place,
        /// The key.
        key: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(setting) => write!(f, "--{}", setting.flag()),
            Self::Environment(name) => f.write_str(name),
            Self::File { place, key } => write!(f, "{place}: {key}"),
        }
    }
}

/// One text and who said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What was said.
    pub text: String,
    /// By whom.
    pub origin: Origin,
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

/// What has been said of each setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<Setting, Vec<Given>>);

impl Settings {
    /// These settings and what a flag says; a flag that was not used says nothing.
    #[must_use]
    pub fn with_flag(mut self, setting: Setting, texts: impl IntoIterator<Item = String>) -> Self {
        for text in texts {
            self.add(setting, Given { text, origin: Origin::Flag(setting) });
        }
        self
    }

    /// What the environment says; an empty variable says nothing.
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

    /// Adds one text: the only one of most settings, one more of a list.
    pub fn add(&mut self, setting: Setting, given: Given) {
        self.0.entry(setting).or_default().push(given);
    }

    /// These settings, and the weaker ones where these say nothing. Lists are not joined.
    #[must_use]
    pub fn or(mut self, weaker: Self) -> Self {
        for (setting, given) in weaker.0 {
            self.0.entry(setting).or_insert(given);
        }
        self
    }

    /// What was said of a setting that is no list.
    #[must_use]
    pub fn given(&self, setting: Setting) -> Option<&Given> {
        self.0.get(&setting)?.last()
    }

    /// The meaning of a setting that is no list; none where nothing was said.
    ///
    /// # Errors
    /// As `Given::parse`.
    pub fn one<T>(
        &self,
        setting: Setting,
        parser: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        self.given(setting).map(|given| given.parse(parser)).transpose()
    }

    /// As `one`, for secrets: an error doesn't show the text.
    ///
    /// # Errors
    /// As `Given::parse`.
    pub fn secret<T>(
        &self,
        setting: Setting,
        parser: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        self.given(setting).map(|given| given.parse_secret(parser)).transpose()
    }

    /// The meaning of each entry of a list setting.
    ///
    /// # Errors
    /// As `Given::parse`, and for more than `LIST_LEN_MAX` entries.
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
    fn the_stronger_source_replaces_a_list_and_leaves_other_settings_to_the_weaker() {
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
    fn an_empty_variable_says_nothing() {
        let environment = Settings::of_environment(&|_| Some(" ".to_owned()));
        assert_eq!(environment, Settings::default());
    }

    #[test]
    fn a_list_is_bounded() {
        let hosts = (0..=LIST_LEN_MAX).map(|n| format!("h{n}.test"));
        let settings = Settings::default().with_flag(Setting::AllowHost, hosts);
        let error = settings.each(Setting::AllowHost, |_| Ok(())).expect_err("one too many");
        assert_eq!(error.to_string(), "--allow-host must have at most 256 entries");
    }
}
