//! The configuration of `serve`, which is read and checked once, from four sources in this order of precedence: flags,
//! `FAUXFAX_…` variables, `fauxfax.toml` and the defaults. Besides this module, only clap reads the environment, for
//! some flags of other subcommands.

mod accounts;
mod data_dir;
mod default_account;
mod error;
mod file;
mod given;
mod parse;
mod paths;
mod read;
mod settings;
mod table;
mod twiml_bins;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::accounts::ConfiguredAccount;
pub use self::default_account::DefaultAccount;
pub use self::error::ConfigError;
pub use self::file::{FILE_BYTES_MAX, FILE_NAME};
pub use self::given::{Given, Origin, Place, Setting};
pub use self::parse::{
    AUTH_TOKEN_CHARS_MAX, FRIENDLY_NAME_CHARS_MAX, PACE_TIMES_MAX, PACE_TIMES_MIN, WEBHOOK_URL_CHARS_MAX,
};
pub use self::paths::TrustedCa;
pub(crate) use self::read::{read_bounded, read_regular};
pub use self::settings::{LIST_LEN_MAX, Settings};
pub(crate) use self::table::{Source, Table};
pub use self::twiml_bins::{ConfiguredBin, FAX_TWIML_NAME};

use crate::io::budget::BODY_BUDGET_BYTES_DEFAULT;
use crate::io::client::ConnectTo;
use crate::model::account::{
    AccountMode, CallbackPolicy, Dialect, DocumentPolicy, MediaUserAgent, PriceForm, PriceSign, Service,
    SignatureHeaders, TwimlTypes,
};
use crate::model::number::{NumberChange, ReceiveMode};
use crate::model::phone::PhoneNumber;
use crate::model::reception::HeaderLine;
use crate::model::time::Pace;
use crate::model::words::words;

/// The default port for HTTP: 8-FAX on a telephone keypad.
pub const PORT_DEFAULT: u16 = 8_329;
/// The default limit on media kept per world: 1 GiB.
pub const MEDIA_BUDGET_BYTES_DEFAULT: u64 = 1 << 30;
/// The built-in account's number: Twilio's magic number that can be bought and can make calls.
pub const DEFAULT_NUMBER: PhoneNumber = PhoneNumber::from_digits(15_005_550_006);
/// The size of the largest certificate file that is read, in bytes. A file with all public roots is a quarter of that
/// size.
pub const TRUST_CA_BYTES_MAX: u64 = 1024 * 1024;

/// The local CA's folder within the user's data directory.
const CA_DIR_NAME: &str = "ca";

words!(
    /// The format of log lines.
    LogFormat {
        /// One line of text per event, for people to read.
        Text = "text",
        /// One JSON object per line, for programs to read.
        Json = "json",
    }
);

words!(
    /// The level of detail in the log. Each level includes the levels before it.
    LogLevel {
        /// Failures of the emulator itself.
        Error = "error",
        /// Probable mistakes by the user or the app.
        Warn = "warn",
        /// Notable events of normal operation; the default.
        Info = "info",
        /// Individual steps, such as each webhook.
        Debug = "debug",
        /// Everything that can be logged, for debugging the emulator.
        Trace = "trace",
    }
);

words!(
    /// The clients that the proxy serves.
    ProxyClients {
        /// Programs on this machine only.
        Loopback = "loopback",
        /// Every client that reaches the port.
        Any = "any",
    }
);

/// The configuration of `serve`, with all values checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The address to serve HTTP on. With port 0, the system picks a free port.
    pub listen: SocketAddr,
    /// An additional address to serve on, intended for HTTPS. The port of `listen` accepts HTTPS too.
    pub tls_listen: Option<SocketAddr>,
    /// The file that the port is written to once the emulator is ready.
    pub port_file: Option<PathBuf>,
    /// The file that the worlds are loaded from on startup, if it exists, and saved to on a clean stop.
    pub state: Option<PathBuf>,
    /// The base of links and media URLs, without a trailing slash. If absent, the origin of each request is the base.
    pub public_url: Option<Arc<str>>,
    /// The speed of telephone time relative to real time.
    pub pace: Pace,
    /// The seed of all ids and random draws. If absent, a seed is drawn on startup.
    pub seed: Option<u64>,
    /// Whether unknown accounts are created on first use or refused.
    pub accounts: AccountMode,
    /// Hosts to connect to instead of the hosts in URLs, as `--connect-to` maps them.
    pub connect_to: Vec<ConnectTo>,
    /// The maximum number of bytes of media kept in each world.
    pub media_budget_bytes: u64,
    /// The maximum number of bytes of bodies in flight, in all worlds together.
    pub body_budget_bytes: u64,
    /// Additional host names that requests may be addressed to, in lower case.
    pub allow_hosts: Vec<String>,
    /// Origins whose web pages may call the emulator, such as `http://localhost:3000`.
    pub allow_origins: Vec<String>,
    /// The token that the control API and the console require. If absent, both are open.
    pub control_token: Option<Box<str>>,
    /// Whether the tools of the Model Context Protocol are served at `/mcp`.
    pub mcp: bool,
    /// The status changes that trigger a fax's StatusCallback.
    pub callbacks: CallbackPolicy,
    /// The default number's VoiceUrl, which [`Config::initial_accounts`] applies.
    pub fax_url: Option<Box<str>>,
    /// TwiML that the default number executes instead of asking an app, which [`Config::initial_accounts`] applies.
    pub fax_twiml: Option<Arc<str>>,
    /// The TwiML bins of the default account, which [`Config::initial_accounts`] applies.
    pub twiml_bins: Vec<ConfiguredBin>,
    /// The default number's StatusCallback, which [`Config::initial_accounts`] applies.
    pub status_callback: Option<Box<str>>,
    /// The default account's Debugger webhook, which [`Config::initial_accounts`] applies.
    pub debugger_url: Option<Box<str>>,
    /// How much of the Fax API works, for accounts that don't set this themselves.
    pub service: Service,
    /// The kinds of documents that a MediaUrl may lead to.
    pub documents: DocumentPolicy,
    /// The content types that TwiML may have.
    pub twiml_types: TwimlTypes,
    /// The headers that hold a SignalWire account's webhook signature.
    pub signature_headers: SignatureHeaders,
    /// Whether a download of media without a User-Agent header is refused or only warned about.
    pub media_user_agent: MediaUserAgent,
    /// Whether the stored documents of SignalWire accounts are served only with the account's credential.
    pub protect_media: bool,
    /// Whether pages of incoming faxes carry the sender's header line.
    pub header_line: HeaderLine,
    /// The font folder for PDFs that don't embed their fonts.
    pub font_dir: Option<PathBuf>,
    /// The program that renders documents in a separate process. The binary sets this to its own path. If absent,
    /// documents are rendered on this process's threads.
    pub render_program: Option<PathBuf>,
    /// Whether the emulator deviates from its usual behaviour in ways that the real service may, as the seed decides,
    /// for accounts that don't set this themselves.
    pub pedantic: bool,
    /// The form of `price` in responses.
    pub price: PriceForm,
    /// The sign of `price` in the responses of Twilio accounts.
    pub price_sign: PriceSign,
    /// Certificates that are trusted in requests to apps, in addition to the public roots.
    pub trust_ca: Vec<TrustedCa>,
    /// Whether requests to apps accept any certificate, even an invalid one.
    pub insecure_webhooks: bool,
    /// Whether only apps on this machine or in a private network are called. No setting changes it; `check` sets it.
    pub private_apps_only: bool,
    /// Whether webhooks carry a W3C `traceparent` header.
    pub traceparent: bool,
    /// The local CA's folder. Absent if the user has no data directory and no folder is configured.
    pub ca_dir: Option<PathBuf>,
    /// Whether the proxy refuses requests for other machines instead of passing them through.
    pub offline: bool,
    /// The clients that the proxy serves.
    pub proxy_clients: ProxyClients,
    /// The format of log lines.
    pub log_format: LogFormat,
    /// The level of detail in the log.
    pub log_level: LogLevel,
    /// The configured accounts. Empty if there is only the built-in account.
    pub worlds: Vec<ConfiguredAccount>,
    /// The built-in account, which exists only if `worlds` is empty.
    pub default_account: DefaultAccount,
}

impl Default for Config {
    /// Returns the documented defaults, independent of the environment.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, PORT_DEFAULT).into(),
            tls_listen: None,
            port_file: None,
            state: None,
            public_url: None,
            pace: Pace::default(),
            seed: None,
            accounts: AccountMode::Open,
            connect_to: Vec::new(),
            media_budget_bytes: MEDIA_BUDGET_BYTES_DEFAULT,
            body_budget_bytes: BODY_BUDGET_BYTES_DEFAULT,
            allow_hosts: Vec::new(),
            allow_origins: Vec::new(),
            control_token: None,
            mcp: false,
            callbacks: CallbackPolicy::All,
            fax_url: None,
            fax_twiml: None,
            twiml_bins: Vec::new(),
            status_callback: None,
            debugger_url: None,
            service: Service::Full,
            documents: DocumentPolicy::Lenient,
            twiml_types: TwimlTypes::Lenient,
            signature_headers: SignatureHeaders::SignalWire,
            media_user_agent: MediaUserAgent::Warn,
            protect_media: false,
            header_line: HeaderLine::On,
            font_dir: None,
            render_program: None,
            pedantic: false,
            price: PriceForm::Text,
            price_sign: PriceSign::Negative,
            trust_ca: Vec::new(),
            insecure_webhooks: false,
            private_apps_only: false,
            traceparent: false,
            ca_dir: None,
            offline: false,
            proxy_clients: ProxyClients::Loopback,
            log_format: LogFormat::Text,
            log_level: LogLevel::Info,
            worlds: Vec::new(),
            default_account: DefaultAccount::of(Dialect::Twilio),
        }
    }
}

impl Config {
    /// Reads this process's configuration from the flags, the environment, `fauxfax.toml` and the defaults.
    ///
    /// # Errors
    /// Returns an error for the first invalid value, or for a file that can't be read.
    pub fn of_process(flags: Settings) -> Result<Self, ConfigError> {
        Self::load(flags, &variable)
    }

    /// Does the same as [`Config::of_process`], but takes the defaults, including the CA's folder, from `defaults`.
    ///
    /// # Errors
    /// Returns the same errors as [`Config::of_process`].
    pub fn of_process_over(defaults: Self, flags: Settings) -> Result<Self, ConfigError> {
        defaults.load_in(Path::new(""), flags, &variable)
    }

    /// Does the same as [`Config::of_process`], but reads variables from `environment`, for tests.
    ///
    /// # Errors
    /// Returns the same errors as [`Config::of_process`].
    pub fn load(flags: Settings, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let ca_dir = data_dir::of(environment).map(|folder| folder.join(CA_DIR_NAME));
        Self { ca_dir, ..Self::default() }.load_in(Path::new(""), flags, environment)
    }

    /// Returns the accounts that have a world from the start, the default account first: the configured accounts, or
    /// otherwise the built-in account with its one fax number. `debugger_url` and the TwiML bins are set on the first
    /// account, and `fax_url`, `fax_twiml` and `status_callback` on its first number.
    #[must_use]
    pub fn initial_accounts(&self) -> Vec<ConfiguredAccount> {
        let mut accounts = self.worlds.clone();
        if accounts.is_empty() {
            // Without this mode the number would accept voice calls, not faxes.
            let is_fax = NumberChange { voice_receive_mode: Some(ReceiveMode::Fax), ..NumberChange::default() };
            accounts.push(ConfiguredAccount {
                sid: Some(self.default_account.sid),
                auth_token: Some(self.default_account.auth_token.clone()),
                signing_key: self.default_account.signing_key.clone(),
                dialect: Dialect::of(self.default_account.sid),
                callbacks: None,
                service: None,
                pedantic: None,
                debugger_url: None,
                numbers: vec![(DEFAULT_NUMBER, is_fax)],
                caller_ids: Vec::new(),
                twiml_bins: Vec::new(),
                rules: Vec::new(),
            });
        }
        if let Some(account) = accounts.first_mut() {
            // The general URL takes precedence over the account's own.
            account.debugger_url = self.debugger_url.clone().or(account.debugger_url.take());
        }
        if let Some((_, change)) = accounts.first_mut().and_then(|account| account.numbers.first_mut()) {
            if let Some(url) = &self.fax_url {
                change.voice_url = Some(url.clone());
                change.voice_receive_mode = Some(ReceiveMode::Fax);
            }
            if self.fax_twiml.is_some() {
                change.voice_receive_mode = Some(ReceiveMode::Fax);
            }
            change.status_callback = self.status_callback.clone().or(change.status_callback.take());
        }
        if let Some(account) = accounts.first_mut() {
            account.twiml_bins.clone_from(&self.twiml_bins);
            let number = account.numbers.first().map(|(number, _)| *number);
            let of_flag = self.fax_twiml.iter().map(|twiml| ConfiguredBin::of_fax_twiml(twiml, number));
            account.twiml_bins.extend(of_flag);
        }
        accounts
    }

    /// Returns the configured key that signs the default account's webhooks, if there is one.
    #[must_use]
    pub fn default_signing_key(&self) -> Option<&str> {
        let configured = self.worlds.first().map(|account| &account.signing_key);
        configured.unwrap_or(&self.default_account.signing_key).as_deref()
    }

    fn load_in(
        self,
        folder: &Path,
        flags: Settings,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        // The file is read last, since a flag or a variable may name it.
        let settings = flags.or(Settings::of_environment(environment));
        let file = file::read(&settings, folder)?;
        self.with_file(file, settings, environment)
    }

    /// Reads the configuration from a table of another file, such as the settings of a scenario. Flags, the environment
    /// and `fauxfax.toml` have no effect. The settings `without` are unknown keys.
    ///
    /// # Errors
    /// Returns an error for the first unknown key or invalid value.
    pub(crate) fn of_table(defaults: Self, table: &Table<'_>, without: &[Setting]) -> Result<Self, ConfigError> {
        let none = Settings::default();
        let file = file::contents_of(table, &none, without)?;
        defaults.with_file(file, none, &|_| None)
    }

    fn with_file(
        self,
        file: file::Contents,
        stronger: Settings,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let settings = stronger.or(file.settings).keep_stronger(Setting::FaxUrl, Setting::FaxTwiml);
        check_default_dialect(&settings, &file.accounts)?;
        check_default_number(&settings, &file.accounts)?;
        let default_account = if file.accounts.is_empty() {
            let dialect = settings.one(Setting::Dialect, parse::dialect)?;
            DefaultAccount::read(dialect.unwrap_or(Dialect::of(self.default_account.sid)), environment)?
        } else {
            // Never used, because the accounts in the file replace it.
            Self::default().default_account
        };
        let config =
            Self { worlds: file.accounts, twiml_bins: file.twiml_bins, default_account, ..self }.with(&settings)?;
        config.check_retired(&settings)?;
        config.check_twiml_bins()?;
        Ok(config)
    }

    /// Refuses `retired` if all accounts use SignalWire's API, since only Twilio has retired faxes.
    fn check_retired(&self, settings: &Settings) -> Result<(), ConfigError> {
        let Some(given) = settings.given(Setting::Retired) else { return Ok(()) };
        let can_be = |dialect: Dialect| dialect.check_service(self.service).is_ok();
        let has_one = match &self.worlds[..] {
            [] => can_be(Dialect::of(self.default_account.sid)),
            accounts => accounts.iter().any(|account| can_be(account.dialect)),
        };
        let expected = "be left out, because every account uses SignalWire's API, and SignalWire hasn't retired faxes";
        if has_one { Ok(()) } else { Err(ConfigError::unshown(given, expected)) }
    }

    /// Refuses bins that the default account's numbers can't use.
    fn check_twiml_bins(&self) -> Result<(), ConfigError> {
        let account = self.initial_accounts().into_iter().next();
        let conflict = account.and_then(|account| twiml_bins::conflict(&account.twiml_bins, &account.numbers));
        conflict.map_or(Ok(()), |reason| Err(ConfigError::TwimlBins { reason }))
    }

    fn with(self, settings: &Settings) -> Result<Self, ConfigError> {
        use Setting as S;
        let accounts = parse::word(AccountMode::ALL, AccountMode::as_str);
        let callbacks = parse::word(CallbackPolicy::ALL, CallbackPolicy::as_str);
        let documents = parse::word(DocumentPolicy::ALL, DocumentPolicy::as_str);
        let twiml_types = parse::word(TwimlTypes::ALL, TwimlTypes::as_str);
        let signature_headers = parse::word(SignatureHeaders::ALL, SignatureHeaders::as_str);
        let media_user_agent = parse::word(MediaUserAgent::ALL, MediaUserAgent::as_str);
        let header_line = parse::word(HeaderLine::ALL, HeaderLine::as_str);
        let price = parse::word(PriceForm::ALL, PriceForm::as_str);
        let price_sign = parse::word(PriceSign::ALL, PriceSign::as_str);
        let proxy_clients = parse::word(ProxyClients::ALL, ProxyClients::as_str);
        let log_format = parse::word(LogFormat::ALL, LogFormat::as_str);
        let log_level = parse::word(LogLevel::ALL, LogLevel::as_str);
        let retired = settings.one(S::Retired, parse::boolean)?.unwrap_or(false);
        Ok(Self {
            listen: settings.one(S::Listen, parse::address)?.unwrap_or(self.listen),
            tls_listen: settings.one(S::TlsListen, parse::address)?,
            port_file: settings.one(S::PortFile, paths::file_to_write)?,
            state: settings.one(S::State, paths::file_to_write)?,
            public_url: settings.one(S::PublicUrl, parse::public_url)?,
            pace: settings.one(S::Pace, parse::pace)?.unwrap_or(self.pace),
            seed: settings.one(S::Seed, parse::seed)?.or(self.seed),
            accounts: settings.one(S::AccountsMode, accounts)?.unwrap_or(self.accounts),
            connect_to: settings.each(S::ConnectTo, parse::connect_to)?,
            media_budget_bytes: settings.one(S::MediaBudget, parse::size)?.unwrap_or(self.media_budget_bytes),
            body_budget_bytes: settings.one(S::BodyBudget, parse::body_budget)?.unwrap_or(self.body_budget_bytes),
            allow_hosts: settings.each(S::AllowHost, parse::host_name)?,
            allow_origins: settings.each(S::AllowOrigin, parse::origin)?,
            control_token: settings.secret(S::ControlToken, parse::control_token)?,
            mcp: settings.one(S::Mcp, parse::boolean)?.unwrap_or(self.mcp),
            callbacks: settings.one(S::CallbackPolicy, callbacks)?.unwrap_or(self.callbacks),
            fax_url: settings.one(S::FaxUrl, parse::webhook_url)?,
            fax_twiml: twiml_bins::fax_twiml(settings)?,
            status_callback: settings.one(S::StatusCallback, parse::webhook_url)?,
            debugger_url: settings.one(S::DebuggerUrl, parse::webhook_url)?,
            service: if retired { Service::Retired } else { self.service },
            documents: settings.one(S::DocumentPolicy, documents)?.unwrap_or(self.documents),
            twiml_types: settings.one(S::TwimlTypes, twiml_types)?.unwrap_or(self.twiml_types),
            signature_headers: settings.one(S::SignatureHeaders, signature_headers)?.unwrap_or(self.signature_headers),
            media_user_agent: settings.one(S::MediaUserAgent, media_user_agent)?.unwrap_or(self.media_user_agent),
            protect_media: settings.one(S::ProtectMedia, parse::boolean)?.unwrap_or(self.protect_media),
            header_line: settings.one(S::HeaderLine, header_line)?.unwrap_or(self.header_line),
            font_dir: settings.one(S::FontDir, paths::existing_folder)?,
            pedantic: settings.one(S::Pedantic, parse::boolean)?.unwrap_or(self.pedantic),
            price: settings.one(S::Price, price)?.unwrap_or(self.price),
            price_sign: settings.one(S::PriceSign, price_sign)?.unwrap_or(self.price_sign),
            trust_ca: settings.each(S::TrustCa, paths::trusted_ca)?,
            insecure_webhooks: settings.one(S::InsecureWebhooks, parse::boolean)?.unwrap_or(self.insecure_webhooks),
            traceparent: settings.one(S::Traceparent, parse::boolean)?.unwrap_or(self.traceparent),
            ca_dir: settings.one(S::CaDir, paths::folder)?.or(self.ca_dir),
            offline: settings.one(S::Offline, parse::boolean)?.unwrap_or(self.offline),
            proxy_clients: settings.one(S::ProxyClients, proxy_clients)?.unwrap_or(self.proxy_clients),
            log_format: settings.one(S::LogFormat, log_format)?.unwrap_or(self.log_format),
            log_level: settings.one(S::LogLevel, log_level)?.unwrap_or(self.log_level),
            ..self
        })
    }
}

/// Reads a variable from this process's environment. Bytes that are not UTF-8 are replaced.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Returns the user's data directory for this program. `None` if the environment names no home directory.
#[must_use]
pub fn data_dir() -> Option<PathBuf> {
    data_dir::of(&variable)
}

/// Refuses a `dialect` that differs from the dialect of the first account, which is the default account.
fn check_default_dialect(settings: &Settings, accounts: &[ConfiguredAccount]) -> Result<(), ConfigError> {
    let (Some(given), Some(first)) = (settings.given(Setting::Dialect), accounts.first()) else { return Ok(()) };
    if given.parse(parse::dialect)? == first.dialect {
        return Ok(());
    }
    let expected = format!("be left out, or be {}, the dialect of the first [[accounts]] table", first.dialect);
    Err(ConfigError::value(given, expected))
}

/// Refuses a `fax_url`, `fax_twiml` or `status_callback` if the first account has no number to set it on.
fn check_default_number(settings: &Settings, accounts: &[ConfiguredAccount]) -> Result<(), ConfigError> {
    let of_number = [Setting::FaxUrl, Setting::FaxTwiml, Setting::StatusCallback];
    let given = of_number.into_iter().find_map(|setting| settings.given(setting));
    let has_number = accounts.first().is_none_or(|account| !account.numbers.is_empty());
    match given {
        Some(given) if !has_number => Err(ConfigError::unshown(
            given,
            "be left out, because the first [[accounts]] table has no number to set it on",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
