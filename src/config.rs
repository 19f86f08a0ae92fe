//! The configuration of `serve`, checked and read once: flags, then `FAUXFAX_…` variables, then `fauxfax.toml`, then
//! defaults. Nothing else reads the environment; and this founds no world, opens no port and mints nothing.

mod accounts;
mod data_dir;
mod default_account;
mod error;
mod file;
mod given;
mod parse;
mod paths;
mod settings;
mod table;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::accounts::ConfiguredAccount;
pub use self::default_account::DefaultAccount;
pub use self::error::ConfigError;
pub use self::file::{FILE_BYTES_MAX, FILE_NAME};
pub use self::given::{Given, Origin, Place, Setting};
pub use self::parse::{
    ATTRIBUTE_CHARS_MAX, AUTH_TOKEN_CHARS_MAX, FRIENDLY_NAME_CHARS_MAX, PACE_TIMES_MAX, PACE_TIMES_MIN,
};
pub use self::paths::TrustedCa;
pub use self::settings::{LIST_LEN_MAX, Settings};

use crate::io::budget::BODY_BUDGET_BYTES_DEFAULT;
use crate::io::client::ConnectTo;
use crate::model::account::{Accounts, Callbacks, Dialect, Documents, MediaUserAgent, PriceForm, Service, TwimlTypes};
use crate::model::number::{NumberChange, ReceiveMode};
use crate::model::phone::PhoneNumber;
use crate::model::reception::HeaderLine;
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

/// Everything `serve` needs to know, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where HTTP is served; port 0 picks one.
    pub listen: SocketAddr,
    /// Where HTTPS is served besides.
    pub tls_listen: Option<SocketAddr>,
    /// A file the chosen port is written to when the emulator is ready.
    pub port_file: Option<PathBuf>,
    /// A file the worlds are read from at the start, if it is there, and written to at a clean stop.
    pub state: Option<PathBuf>,
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
    /// Bytes of bodies in flight at once.
    pub body_budget_bytes: u64,
    /// Further host names that the emulator answers to, in lower case.
    pub allow_hosts: Vec<String>,
    /// Origins whose web pages may call the emulator, such as `http://localhost:3000`.
    pub allow_origins: Vec<String>,
    /// What guards the control API and the console; without one, nothing guards them.
    pub control_token: Option<Box<str>>,
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
    /// With which content types TwiML is taken.
    pub twiml_types: TwimlTypes,
    /// What comes of a download of media that names no User-Agent.
    pub media_user_agent: MediaUserAgent,
    /// Whether incoming pages carry the sender's header line.
    pub header_line: HeaderLine,
    /// Where fonts are that PDFs don't embed.
    pub font_dir: Option<PathBuf>,
    /// The program that renders a document in a process of its own; the binary gives itself.
    pub render_program: Option<PathBuf>,
    /// How `price` is written.
    pub price: PriceForm,
    /// Certificates that webhooks trust besides the public roots.
    pub trust_ca: Vec<TrustedCa>,
    /// Whether webhooks take any certificate.
    pub insecure_webhooks: bool,
    /// Whether webhooks carry a W3C `traceparent`.
    pub traceparent: bool,
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
            state: None,
            public_url: None,
            pace: Pace::default(),
            seed: None,
            accounts: Accounts::Open,
            connect_to: Vec::new(),
            media_budget_bytes: MEDIA_BUDGET_BYTES_DEFAULT,
            body_budget_bytes: BODY_BUDGET_BYTES_DEFAULT,
            allow_hosts: Vec::new(),
            allow_origins: Vec::new(),
            control_token: None,
            callbacks: Callbacks::All,
            fax_url: None,
            status_callback: None,
            debugger_url: None,
            service: Service::Full,
            documents: Documents::Lenient,
            twiml_types: TwimlTypes::Lenient,
            media_user_agent: MediaUserAgent::Warn,
            header_line: HeaderLine::On,
            font_dir: None,
            render_program: None,
            price: PriceForm::Text,
            trust_ca: Vec::new(),
            insecure_webhooks: false,
            traceparent: false,
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
                rules: Vec::new(),
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
        let twiml_types = parse::word(TwimlTypes::ALL, TwimlTypes::as_str);
        let media_user_agent = parse::word(MediaUserAgent::ALL, MediaUserAgent::as_str);
        let header_line = parse::word(HeaderLine::ALL, HeaderLine::as_str);
        let price = parse::word(PriceForm::ALL, PriceForm::as_str);
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
            seed: settings.one(S::Seed, parse::seed)?,
            accounts: settings.one(S::AccountsMode, accounts)?.unwrap_or(self.accounts),
            connect_to: settings.each(S::ConnectTo, parse::connect_to)?,
            media_budget_bytes: settings.one(S::MediaBudget, parse::size)?.unwrap_or(self.media_budget_bytes),
            body_budget_bytes: settings.one(S::BodyBudget, parse::body_budget)?.unwrap_or(self.body_budget_bytes),
            allow_hosts: settings.each(S::AllowHost, parse::host_name)?,
            allow_origins: settings.each(S::AllowOrigin, parse::origin)?,
            control_token: settings.secret(S::ControlToken, parse::control_token)?,
            callbacks: settings.one(S::Callbacks, callbacks)?.unwrap_or(self.callbacks),
            fax_url: settings.one(S::FaxUrl, parse::webhook_url)?,
            status_callback: settings.one(S::StatusCallback, parse::webhook_url)?,
            debugger_url: settings.one(S::DebuggerUrl, parse::webhook_url)?,
            service: if retired { Service::Retired } else { self.service },
            documents: settings.one(S::Documents, documents)?.unwrap_or(self.documents),
            twiml_types: settings.one(S::TwimlTypes, twiml_types)?.unwrap_or(self.twiml_types),
            media_user_agent: settings.one(S::MediaUserAgent, media_user_agent)?.unwrap_or(self.media_user_agent),
            header_line: settings.one(S::HeaderLine, header_line)?.unwrap_or(self.header_line),
            font_dir: settings.one(S::FontDir, paths::existing_folder)?,
            price: settings.one(S::Price, price)?.unwrap_or(self.price),
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
mod tests;
