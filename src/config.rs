//! The configuration of `serve`, checked and read once: flags, then `FAUXFAX_…` variables, then `fauxfax.toml`, then
//! defaults. Nothing else reads the environment; and this founds no world, opens no port and mints nothing.

mod accounts;
mod data_dir;
mod error;
mod file;
mod parse;
mod paths;
mod settings;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::accounts::ConfiguredAccount;
pub use self::error::ConfigError;
pub use self::file::{FILE_BYTES_MAX, FILE_NAME};
pub use self::parse::{
    ATTRIBUTE_CHARS_MAX, AUTH_TOKEN_CHARS_MAX, FRIENDLY_NAME_CHARS_MAX, PACE_TIMES_MAX, PACE_TIMES_MIN,
};
pub use self::settings::{Given, LIST_LEN_MAX, Origin, Place, Setting, Settings};

use crate::io::client::ConnectTo;
use crate::model::account::{Accounts, Callbacks, Dialect, Documents, PriceForm, Service};
use crate::model::number::{NumberChange, ReceiveMode};
use crate::model::phone::PhoneNumber;
use crate::model::sid::AccountSid;
use crate::model::time::Pace;
use crate::model::words::words;

/// The port where nothing else is said: 8-FAX.
pub const PORT_DEFAULT: u16 = 8_329;
/// Media kept where nothing else is said: 1 GiB.
pub const MEDIA_BUDGET_BYTES_DEFAULT: u64 = 1 << 30;
/// The one number of the built-in account: Twilio's magic number that can be bought and that can call.
pub const DEFAULT_NUMBER: PhoneNumber = PhoneNumber::from_digits(15_005_550_006);
/// The longest file of certificates: all public roots together are a quarter of it.
pub const TRUST_CA_BYTES_MAX: u64 = 1024 * 1024;

/// The folder of the local CA in the user's data directory.
const CA_DIR_NAME: &str = "ca";
/// The environment's name of the built-in account's SID, as the helper libraries have it.
const SID_VARIABLE: &str = "TWILIO_ACCOUNT_SID";
/// The environment's name of the built-in account's token, as the helper libraries have it.
const TOKEN_VARIABLE: &str = "TWILIO_AUTH_TOKEN";
/// The built-in account's token where none is set.
const TOKEN_DEFAULT: &str = "00000000000000000000000000000000";

words!(
    /// How the log is written.
    LogFormat {
        /// Lines for a person.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
);

words!(
    /// How much is logged; each level includes those before it.
    LogLevel {
        /// What the emulator could not do.
        Error = "error",
        /// What is probably a mistake.
        Warn = "warn",
        /// What a user would tell a colleague.
        Info = "info",
        /// Each step.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
);

words!(
    /// Whom the proxy serves.
    ProxyClients {
        /// Programs of this machine.
        Loopback = "loopback",
        /// Anyone who reaches the port.
        Any = "any",
    }
);

/// The account there is where none is configured.
#[derive(Clone, PartialEq, Eq)]
pub struct DefaultAccount {
    /// `TWILIO_ACCOUNT_SID`, else `AC` and 32 zeros.
    pub sid: AccountSid,
    /// `TWILIO_AUTH_TOKEN`, else 32 zeros.
    pub auth_token: Box<str>,
    /// Whether the token is the 32 zeros, and so may be printed.
    pub has_default_token: bool,
}

impl fmt::Debug for DefaultAccount {
    /// All but the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultAccount").field("sid", &self.sid).finish_non_exhaustive()
    }
}

/// A file of certificates that webhooks trust besides the public roots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedCa {
    /// Where it was read.
    pub path: PathBuf,
    /// What was in it; it names at least one certificate in PEM.
    pub pem: Vec<u8>,
}

/// Everything `serve` needs to know, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where HTTP is served; port 0 picks one.
    pub listen: SocketAddr,
    /// Where HTTPS is served besides.
    pub tls_listen: Option<SocketAddr>,
    /// A file the chosen port is written to when the emulator is ready.
    pub port_file: Option<PathBuf>,
    /// What links and media URLs are built on, without a slash at the end; else on what the request used.
    pub public_url: Option<Arc<str>>,
    /// How fast line time passes.
    pub pace: Pace,
    /// The seed of all ids and draws; else one is drawn at start.
    pub seed: Option<u64>,
    /// Which credentials are taken.
    pub accounts: Accounts,
    /// Where requests for a host really go.
    pub connect_to: Vec<ConnectTo>,
    /// Bytes of media kept in each world.
    pub media_budget_bytes: u64,
    /// Further host names of the control API and the console, in lower case.
    pub allow_hosts: Vec<String>,
    /// Which status changes fire a StatusCallback.
    pub callbacks: Callbacks,
    /// The default number's VoiceUrl; `founding_accounts` has it in place.
    pub fax_url: Option<Box<str>>,
    /// The default number's StatusCallback; `founding_accounts` has it in place.
    pub status_callback: Option<Box<str>>,
    /// The default account's Debugger webhook; `founding_accounts` has it in place.
    pub debugger_url: Option<Box<str>>,
    /// What the Fax API does where an account doesn't say otherwise.
    pub service: Service,
    /// What a MediaUrl may lead to.
    pub documents: Documents,
    /// How `price` is written.
    pub price: PriceForm,
    /// Certificates that webhooks trust besides the public roots.
    pub trust_ca: Vec<TrustedCa>,
    /// Whether webhooks take any certificate.
    pub insecure_webhooks: bool,
    /// The folder of the local CA; none where the user has no data directory.
    pub ca_dir: Option<PathBuf>,
    /// Whether the proxy refuses what it would pass through to other machines.
    pub offline: bool,
    /// Whom the proxy serves.
    pub proxy_clients: ProxyClients,
    /// How the log is written.
    pub log_format: LogFormat,
    /// How much is logged.
    pub log_level: LogLevel,
    /// The configured accounts; empty where there is only the built-in one.
    pub worlds: Vec<ConfiguredAccount>,
    /// The account there is where `worlds` is empty.
    pub default_account: DefaultAccount,
}

impl Default for Config {
    /// The documented defaults, whatever the environment says.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, PORT_DEFAULT).into(),
            tls_listen: None,
            port_file: None,
            public_url: None,
            pace: Pace::default(),
            seed: None,
            accounts: Accounts::Open,
            connect_to: Vec::new(),
            media_budget_bytes: MEDIA_BUDGET_BYTES_DEFAULT,
            allow_hosts: Vec::new(),
            callbacks: Callbacks::All,
            fax_url: None,
            status_callback: None,
            debugger_url: None,
            service: Service::Full,
            documents: Documents::Lenient,
            price: PriceForm::Text,
            trust_ca: Vec::new(),
            insecure_webhooks: false,
            ca_dir: None,
            offline: false,
            proxy_clients: ProxyClients::Loopback,
            log_format: LogFormat::Text,
            log_level: LogLevel::Info,
            worlds: Vec::new(),
            default_account: DefaultAccount {
                sid: AccountSid::from_bytes([0; 16]),
                auth_token: TOKEN_DEFAULT.into(),
                has_default_token: true,
            },
        }
    }
}

impl Config {
    /// The configuration of this process: what the flags say, its environment, `fauxfax.toml`, and defaults.
    ///
    /// # Errors
    /// The first value that makes no sense, or a file that can't be read.
    pub fn of_process(flags: Settings) -> Result<Self, ConfigError> {
        Self::load(flags, &variable)
    }

    /// As `of_process`, with defaults of one's own.
    ///
    /// # Errors
    /// As `of_process`.
    pub fn of_process_over(defaults: Self, flags: Settings) -> Result<Self, ConfigError> {
        defaults.load_in(Path::new(""), flags, &variable)
    }

    /// As `of_process`, in an environment of one's own.
    ///
    /// # Errors
    /// As `of_process`.
    pub fn load(flags: Settings, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let ca_dir = data_dir::of(environment).map(|folder| folder.join(CA_DIR_NAME));
        Self { ca_dir, ..Self::default() }.load_in(Path::new(""), flags, environment)
    }

    /// The accounts that have a world from the start, the default one first: those configured, or the built-in one with
    /// its one fax number. `fax_url` and `status_callback` are set at the first number of the first account.
    #[must_use]
    pub fn founding_accounts(&self) -> Vec<ConfiguredAccount> {
        let mut accounts = self.worlds.clone();
        if accounts.is_empty() {
            let is_fax = NumberChange { voice_receive_mode: Some(ReceiveMode::Fax), ..NumberChange::default() };
            accounts.push(ConfiguredAccount {
                sid: Some(self.default_account.sid),
                auth_token: Some(self.default_account.auth_token.clone()),
                dialect: Dialect::Twilio,
                callbacks: None,
                service: None,
                debugger_url: None,
                numbers: vec![(DEFAULT_NUMBER, is_fax)],
                caller_ids: Vec::new(),
            });
        }
        if let Some(account) = accounts.first_mut() {
            account.debugger_url = self.debugger_url.clone().or(account.debugger_url.take());
        }
        if let Some((_, change)) = accounts.first_mut().and_then(|account| account.numbers.first_mut()) {
            if let Some(url) = &self.fax_url {
                change.voice_url = Some(url.clone());
                change.voice_receive_mode = Some(ReceiveMode::Fax);
            }
            change.status_callback = self.status_callback.clone().or(change.status_callback.take());
        }
        accounts
    }

    fn load_in(
        self,
        folder: &Path,
        flags: Settings,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let settings = flags.or(Settings::of_environment(environment));
        let file = file::read(settings.given(Setting::Config), folder)?;
        let settings = settings.or(file.settings);
        check_default_number(&settings, &file.accounts)?;
        let default_account =
            if file.accounts.is_empty() { default_account(environment)? } else { Self::default().default_account };
        Self { worlds: file.accounts, default_account, ..self }.with(&settings)
    }

    fn with(self, settings: &Settings) -> Result<Self, ConfigError> {
        use Setting as S;
        let accounts = parse::word(Accounts::ALL, Accounts::as_str);
        let callbacks = parse::word(Callbacks::ALL, Callbacks::as_str);
        let documents = parse::word(Documents::ALL, Documents::as_str);
        let price = parse::word(PriceForm::ALL, PriceForm::as_str);
        let proxy_clients = parse::word(ProxyClients::ALL, ProxyClients::as_str);
        let log_format = parse::word(LogFormat::ALL, LogFormat::as_str);
        let log_level = parse::word(LogLevel::ALL, LogLevel::as_str);
        let retired = settings.one(S::Retired, parse::boolean)?.unwrap_or(false);
        Ok(Self {
            listen: settings.one(S::Listen, parse::address)?.unwrap_or(self.listen),
            tls_listen: settings.one(S::TlsListen, parse::address)?,
            port_file: settings.one(S::PortFile, paths::port_file)?,
            public_url: settings.one(S::PublicUrl, parse::public_url)?,
            pace: settings.one(S::Pace, parse::pace)?.unwrap_or(self.pace),
            seed: settings.one(S::Seed, parse::seed)?,
            accounts: settings.one(S::AccountsMode, accounts)?.unwrap_or(self.accounts),
            connect_to: settings.each(S::ConnectTo, parse::connect_to)?,
            media_budget_bytes: settings.one(S::MediaBudget, parse::size)?.unwrap_or(self.media_budget_bytes),
            allow_hosts: settings.each(S::AllowHost, parse::host_name)?,
            callbacks: settings.one(S::Callbacks, callbacks)?.unwrap_or(self.callbacks),
            fax_url: settings.one(S::FaxUrl, parse::webhook_url)?,
            status_callback: settings.one(S::StatusCallback, parse::webhook_url)?,
            debugger_url: settings.one(S::DebuggerUrl, parse::webhook_url)?,
            service: if retired { Service::Retired } else { self.service },
            documents: settings.one(S::Documents, documents)?.unwrap_or(self.documents),
            price: settings.one(S::Price, price)?.unwrap_or(self.price),
            trust_ca: settings.each(S::TrustCa, paths::trusted_ca)?,
            insecure_webhooks: settings.one(S::InsecureWebhooks, parse::boolean)?.unwrap_or(self.insecure_webhooks),
            ca_dir: settings.one(S::CaDir, paths::folder)?.or(self.ca_dir),
            offline: settings.one(S::Offline, parse::boolean)?.unwrap_or(self.offline),
            proxy_clients: settings.one(S::ProxyClients, proxy_clients)?.unwrap_or(self.proxy_clients),
            log_format: settings.one(S::LogFormat, log_format)?.unwrap_or(self.log_format),
            log_level: settings.one(S::LogLevel, log_level)?.unwrap_or(self.log_level),
            ..self
        })
    }
}

/// A variable of this process's environment.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// The user's data directory for this program; none where the environment names no home.
#[must_use]
pub fn data_dir() -> Option<PathBuf> {
    data_dir::of(&variable)
}

/// Refuses a `fax_url` or `status_callback` that no number could have.
fn check_default_number(settings: &Settings, accounts: &[ConfiguredAccount]) -> Result<(), ConfigError> {
    let given = settings.given(Setting::FaxUrl).or(settings.given(Setting::StatusCallback));
    let has_number = accounts.first().is_none_or(|account| !account.numbers.is_empty());
    match given {
        Some(given) if !has_number => {
            Err(ConfigError::unshown(given, "be left out: the first of [[accounts]] has no number it could be set at"))
        }
        _ => Ok(()),
    }
}

fn default_account(environment: &dyn Fn(&str) -> Option<String>) -> Result<DefaultAccount, ConfigError> {
    let given = |name: &str| {
        let text = environment(name).filter(|text| !text.is_empty())?;
        Some(Given { text, origin: Origin::Environment(name.to_owned()) })
    };
    let own = Config::default().default_account;
    let sid =
        given(SID_VARIABLE).map(|given| given.parse(parse::own("be AC and 32 hexadecimal digits"))).transpose()?;
    let token = given(TOKEN_VARIABLE).map(|given| given.parse_secret(parse::auth_token)).transpose()?;
    Ok(DefaultAccount {
        sid: sid.unwrap_or(own.sid),
        has_default_token: token.is_none(),
        auth_token: token.unwrap_or(own.auth_token),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/config");

    fn said(settings: &[(Setting, &str)]) -> Settings {
        let none = Settings::default();
        settings.iter().fold(none, |said, (setting, text)| said.with_flag(*setting, [(*text).to_owned()]))
    }

    fn with_flags(settings: &[(Setting, &str)]) -> Result<Config, ConfigError> {
        Config::load(said(settings), &|_| None)
    }

    fn of_file(name: &str) -> Result<Config, ConfigError> {
        with_flags(&[(Setting::Config, &format!("{FIXTURES}/{name}"))])
    }

    /// The error that a fixture brings, its folder left out.
    fn error_of(name: &str) -> String {
        let error = of_file(name).expect_err(name).to_string();
        error.replace(&format!("{FIXTURES}/"), "")
    }

    #[test]
    fn nothing_said_is_the_default() {
        assert_eq!(with_flags(&[]), Ok(Config::default()));
    }

    #[test]
    fn a_file_can_say_everything() {
        let config = of_file("full.toml").expect("valid");
        assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
        assert_eq!(config.tls_listen.map(|address| address.to_string()).as_deref(), Some("127.0.0.1:8443"));
        assert_eq!(config.ca_dir, Some(format!("{FIXTURES}/ca").into()));
        assert_eq!((config.offline, config.proxy_clients), (true, ProxyClients::Any));
        assert_eq!(config.port_file, Some(format!("{FIXTURES}/port").into()));
        assert_eq!(config.public_url.as_deref(), Some("https://fax.example.test"));
        assert_eq!(config.allow_hosts, ["fax.example.test", "console.example.test"]);
        assert_eq!(config.connect_to.len(), 1);
        assert_eq!((config.pace, config.seed), (Pace::Times(2.5), Some(42)));
        assert_eq!((config.accounts, config.callbacks), (Accounts::Strict, Callbacks::QueuedAndFinal));
        assert_eq!((config.documents, config.price), (Documents::Strict, PriceForm::Number));
        assert_eq!((config.media_budget_bytes, config.insecure_webhooks), (512 << 20, true));
        assert_eq!(config.service, Service::Retired);
        assert_eq!(config.debugger_url.as_deref(), Some("http://127.0.0.1:3000/debugger"));
        assert_eq!((config.log_format, config.log_level), (LogFormat::Json, LogLevel::Debug));
        assert_eq!(config.trust_ca.len(), 1);
        assert_eq!(config.fax_url.as_deref(), Some("http://localhost:3000/fax"));
        let [first, second] = &config.worlds[..] else { panic!("two accounts: {:?}", config.worlds) };
        assert_eq!(first.sid, "AC0123456789abcdef0123456789abcdef".parse().ok());
        assert_eq!(first.auth_token.as_deref(), Some("a token"));
        assert_eq!((first.dialect, first.callbacks), (Dialect::SignalWire, Some(Callbacks::Final)));
        assert_eq!(first.service, Some(Service::TestCredentials));
        assert_eq!(first.debugger_url.as_deref(), Some("http://127.0.0.1:3000/alerts"));
        assert_eq!(first.caller_ids, [PhoneNumber::from_digits(15_558_675_310)]);
        assert_eq!((second.sid, second.auth_token.as_deref(), second.callbacks), (None, None, None));
        assert!(second.numbers.is_empty() && second.caller_ids.is_empty());
    }

    #[test]
    fn a_number_in_the_file_can_have_every_attribute() {
        let config = of_file("full.toml").expect("valid");
        let (number, change) = config.worlds[0].numbers[0].clone();
        assert_eq!(number, PhoneNumber::from_digits(15_017_122_661));
        let shown = format!("{change:?}");
        assert_eq!(shown.matches("Some(").count(), 22, "{shown}");
        assert_eq!(change.friendly_name.as_deref(), Some("Front desk"));
        assert_eq!(change.voice_receive_mode, Some(ReceiveMode::Fax));
        assert_eq!(change.voice_caller_id_lookup, Some(true));
        assert_eq!(change.status_callback.as_deref(), Some("http://127.0.0.1:3000/status"));
        for text in ["voice_url", "voice_fallback_url", "sms_url", "sms_fallback_url"] {
            assert!(shown.contains(&format!("{text}: Some(\"http://127.0.0.1:3000/{text}\")")), "{text}: {shown}");
        }
    }

    #[test]
    fn errors_in_the_file_say_where_and_what_to_write() {
        let expected = [
            ("unknown-key.toml", "unknown-key.toml:3:1: unknown key `pase` in the file; did you mean `pace`?"),
            (
                "unknown-account-key.toml",
                "unknown-account-key.toml:3:1: unknown key `colour` in [[accounts]]; the keys there are sid, auth_token, \
                 dialect, callbacks, service, debugger_url, numbers, caller_ids",
            ),
            (
                "unknown-number-key.toml",
                "unknown-number-key.toml:5:1: unknown key `voiceurl` in [[accounts.numbers]]; did you mean `voice_url`?",
            ),
            (
                "unknown-caller-id-key.toml",
                "unknown-caller-id-key.toml:3:54: unknown key `phonenumber` in [[accounts.caller_ids]]; did you mean \
                 `phone_number`?",
            ),
            ("not-yet.toml", "not-yet.toml:2:1: unknown key `dns_listen` in the file; did you mean `tls_listen`?"),
            ("syntax.toml", "syntax.toml:2:8: key with no value, expected `=`"),
            ("bad-pace.toml", "bad-pace.toml:1:8: pace must be max or a number from 0.001 to 1000000, not `fast`"),
            (
                "bad-mode.toml",
                "bad-mode.toml:1:12: accounts must be an array of tables, as [[accounts]] makes it; strict or open is \
                 said by accounts_mode, not `string`",
            ),
            (
                "bad-number.toml",
                "bad-number.toml:3:16: phone_number must be an E.164 number in quotes, such as \"+15017122661\", not \
                 `15017122661`",
            ),
            ("no-number.toml", "no-number.toml:3:1: [[accounts.numbers]] needs phone_number"),
            ("same-number.toml", "same-number.toml:4:64: phone_number must be given once only, not `+15017122661`"),
            ("bad-token.toml", "bad-token.toml:2:14: auth_token must have 1 to 256 characters"),
            (
                "fallback-alone.toml",
                "fallback-alone.toml:3:24: voice_fallback_url must stand beside a voice_url, for it is the fallback of \
                 that, not `http://localhost:3000/fallback`",
            ),
            (
                "no-default-number.toml",
                "no-default-number.toml:1:11: fax_url must be left out: the first of [[accounts]] has no number it could \
                 be set at",
            ),
        ];
        for (name, text) in expected {
            assert_eq!(error_of(name), text);
        }
    }

    #[test]
    fn every_fixture_is_tested() {
        let names = std::fs::read_dir(FIXTURES).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let source = include_str!("config.rs");
        for name in names {
            let name = name.into_string().expect("UTF-8");
            assert!(source.contains(&name) || name == "ca.pem", "{name}");
        }
    }

    #[test]
    fn a_flag_beats_the_environment_and_that_beats_the_file() {
        let pace = |flag: Option<&str>, variable: Option<&'static str>| {
            let mut flags = said(&[(Setting::Config, &format!("{FIXTURES}/full.toml"))]);
            flags = flags.with_flag(Setting::Pace, flag.map(str::to_owned));
            let variables = |name: &str| variable.filter(|_| name == "FAUXFAX_PACE").map(str::to_owned);
            Config::load(flags, &variables).map(|config| config.pace)
        };
        assert_eq!(pace(None, None), Ok(Pace::Times(2.5)));
        assert_eq!(pace(None, Some("7")), Ok(Pace::Times(7.0)));
        assert_eq!(pace(Some("max"), Some("7")), Ok(Pace::Max));
    }

    #[test]
    fn an_error_names_the_flag_or_the_variable() {
        let error = with_flags(&[(Setting::MediaBudget, "lots")]).expect_err("no size");
        let expected = "must be a size above 0, such as 1GiB, 512MiB or 1000000 (bytes), not `lots`";
        assert_eq!(error.to_string(), format!("--media-budget {expected}"));
        let variables = |name: &str| (name == "FAUXFAX_MEDIA_BUDGET").then(|| "lots".to_owned());
        let error = Config::load(Settings::default(), &variables).expect_err("no size");
        assert_eq!(error.to_string(), format!("FAUXFAX_MEDIA_BUDGET {expected}"));
        let error = with_flags(&[(Setting::ConnectTo, "localhost")]).expect_err("no target").to_string();
        assert!(error.starts_with("--connect-to must be FROM=TO, such as localhost=host.docker.internal ("), "{error}");
    }

    #[test]
    fn a_file_that_was_named_must_be_there_and_the_default_one_need_not() {
        let error = with_flags(&[(Setting::Config, "no/such.toml")]).expect_err("missing").to_string();
        assert!(error.starts_with("can't read no/such.toml (--config): No such file"), "{error}");
        let folder = tempfile::tempdir().expect("a folder");
        let load = || Config::default().load_in(folder.path(), Settings::default(), &|_| None);
        assert_eq!(load(), Ok(Config::default()));
        std::fs::write(folder.path().join(FILE_NAME), "seed = 7").expect("written");
        assert_eq!(load().map(|config| config.seed), Ok(Some(7)));
        std::fs::write(folder.path().join(FILE_NAME), b"seed = 7 # \xff").expect("written");
        assert!(load().expect_err("not text").to_string().ends_with("fauxfax.toml: not UTF-8 after byte 11"));
    }

    #[test]
    fn certificates_and_the_port_file_are_checked_at_once() {
        let ca = format!("{FIXTURES}/ca.pem");
        let config = with_flags(&[(Setting::TrustCa, &ca)]).expect("valid");
        assert_eq!(config.trust_ca[0].pem, std::fs::read(&ca).expect("readable"));
        let error = with_flags(&[(Setting::TrustCa, "/no/ca.pem")]).expect_err("missing").to_string();
        assert!(error.starts_with("--trust-ca must be a readable file of certificates (No such file"), "{error}");
        let no_ca = with_flags(&[(Setting::TrustCa, &format!("{FIXTURES}/full.toml"))]).expect_err("no certificate");
        assert!(no_ca.to_string().starts_with("--trust-ca must be a file with certificates in PEM"), "{no_ca}");
        for bad in ["/no/such/folder/port", FIXTURES] {
            let error = with_flags(&[(Setting::PortFile, bad)]).expect_err(bad).to_string();
            assert_eq!(error, format!("--port-file must be a file in a folder that exists, not `{bad}`"));
        }
    }

    #[test]
    fn the_default_account_is_twilios_variables_or_zeros() {
        let load = |sid: Option<&'static str>, token: Option<&'static str>| {
            let variables = |name: &str| match name {
                "TWILIO_ACCOUNT_SID" => sid.map(str::to_owned),
                "TWILIO_AUTH_TOKEN" => token.map(str::to_owned),
                _ => None,
            };
            Config::load(Settings::default(), &variables).map(|config| config.default_account)
        };
        let zeros = "0".repeat(32);
        let account = load(None, Some("")).expect("valid");
        assert_eq!((account.sid.to_string(), &*account.auth_token), (format!("AC{zeros}"), zeros.as_str()));
        assert!(account.has_default_token);
        let account = load(Some("ACffffffffffffffffffffffffffffffff"), Some("hunter2")).expect("valid");
        assert_eq!((account.sid.bytes(), &*account.auth_token), (&[255; 16], "hunter2"));
        assert!(!account.has_default_token && !format!("{account:?}").contains("hunter2"));
        let error = load(Some("SKffffffffffffffffffffffffffffffff"), None).expect_err("a key is no account");
        assert!(error.to_string().starts_with("TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits, not `SK"));
    }

    #[test]
    fn the_default_number_gets_the_urls_that_were_said() {
        let built_in =
            with_flags(&[(Setting::FaxUrl, "http://localhost:3000/fax")]).expect("valid").founding_accounts();
        let [account] = &built_in[..] else { panic!("one account: {built_in:?}") };
        assert_eq!(account.sid, Some(Config::default().default_account.sid));
        let [(number, change)] = &account.numbers[..] else { panic!("one number: {account:?}") };
        assert_eq!((number.to_string().as_str(), change.voice_receive_mode), ("+15005550006", Some(ReceiveMode::Fax)));
        assert_eq!(
            (change.voice_url.as_deref(), change.status_callback.as_deref()),
            (Some("http://localhost:3000/fax"), None)
        );

        let configured = of_file("full.toml").expect("valid").founding_accounts();
        assert_eq!(configured.len(), 2, "the built-in account is replaced");
        let change = &configured[0].numbers[0].1;
        assert_eq!(change.voice_url.as_deref(), Some("http://localhost:3000/fax"));
        assert_eq!(change.status_callback.as_deref(), Some("http://127.0.0.1:3000/status"), "said there only");
    }

    #[test]
    fn tokens_are_not_shown_in_a_log() {
        let config = of_file("full.toml").expect("valid");
        assert!(!format!("{config:?}").contains("a token"));
    }
}
