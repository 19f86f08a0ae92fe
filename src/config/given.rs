//! The settings by name, and a text that was given for one: by a flag, the environment or the file, and where.

use std::fmt;
use std::path::PathBuf;

use crate::model::words::words;

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
