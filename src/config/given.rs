//! The settings by name, and a setting's given value with its origin: a flag, the environment or the file.

use std::fmt;
use std::path::PathBuf;

use crate::model::words::words;

words!(
    /// A setting, named by its key in `fauxfax.toml`. Its flag and its environment variable are derived from the key.
    Setting {
        /// The configuration file. It can't be set in the file itself.
        Config = "config",
        /// The address to serve HTTP on.
        Listen = "listen",
        /// An additional address to serve on, intended for HTTPS.
        TlsListen = "tls_listen",
        /// The file that the port is written to once the emulator is ready.
        PortFile = "port_file",
        /// The base of links and media URLs.
        PublicUrl = "public_url",
        /// Additional host names that requests may be addressed to.
        AllowHost = "allow_host",
        /// Origins whose web pages may call the emulator.
        AllowOrigin = "allow_origin",
        /// The token that the control API and the console require.
        ControlToken = "control_token",
        /// Whether the tools of the Model Context Protocol are served at `/mcp`.
        Mcp = "mcp",
        /// The service whose API the built-in account uses.
        Dialect = "dialect",
        /// The VoiceUrl of the default number, from which TwiML is requested.
        FaxUrl = "fax_url",
        /// TwiML that the default number executes, or the path of a file that contains it.
        FaxTwiml = "fax_twiml",
        /// The StatusCallback of the default number, which is notified when a fax has ended and the TwiML named no
        /// action.
        StatusCallback = "status_callback",
        /// The Debugger webhook of the default account, which is notified of alerts.
        DebuggerUrl = "debugger_url",
        /// Hosts to connect to instead of the hosts in URLs.
        ConnectTo = "connect_to",
        /// Certificates that are trusted in requests to apps, in addition to the public roots.
        TrustCa = "trust_ca",
        /// Whether requests to apps accept any certificate, even an invalid one.
        InsecureWebhooks = "insecure_webhooks",
        /// Whether webhooks carry a W3C `traceparent` header.
        Traceparent = "traceparent",
        /// The speed of telephone time relative to real time.
        Pace = "pace",
        /// The seed of all ids and random draws.
        Seed = "seed",
        /// Whether unknown accounts are created or refused. The flag is `--accounts`; in the file, that key names the
        /// account tables.
        AccountsMode = "accounts_mode",
        /// The status changes that trigger a fax's StatusCallback.
        CallbackPolicy = "callbacks",
        /// The kinds of documents that a MediaUrl may lead to.
        DocumentPolicy = "documents",
        /// The content types that TwiML may have.
        TwimlTypes = "twiml_types",
        /// The headers that hold a SignalWire account's webhook signature.
        SignatureHeaders = "signature_headers",
        /// Whether a download of media without a User-Agent header is refused or only warned about.
        MediaUserAgent = "media_user_agent",
        /// Whether the stored documents of SignalWire accounts are served only with the account's credential.
        ProtectMedia = "protect_media",
        /// Whether pages of incoming faxes carry the sender's header line.
        HeaderLine = "header_line",
        /// The font folder for PDFs that don't embed their fonts.
        FontDir = "font_dir",
        /// The form of `price` in responses.
        Price = "price",
        /// The sign of `price` in the responses of Twilio accounts.
        PriceSign = "price_sign",
        /// Whether every fax call is refused, as Twilio does since the Fax API was retired.
        Retired = "retired",
        /// Whether the emulator deviates from its usual behaviour in ways that the real service may.
        Pedantic = "pedantic",
        /// The maximum number of bytes of media kept in each world.
        MediaBudget = "media_budget",
        /// The maximum number of bytes of bodies in flight, in all worlds together.
        BodyBudget = "body_budget",
        /// The file that the worlds are loaded from on startup, and saved to on a clean stop.
        State = "state",
        /// The folder that the local CA is kept in.
        CaDir = "ca_dir",
        /// Whether the proxy refuses requests for other machines instead of passing them through.
        Offline = "offline",
        /// The clients that the proxy serves.
        ProxyClients = "proxy_clients",
        /// The format of log lines.
        LogFormat = "log_format",
        /// The level of detail in the log, from errors only to everything.
        LogLevel = "log_level",
    }
);

impl Setting {
    /// Returns the setting's long flag, without the dashes, such as `media-budget`.
    #[must_use]
    pub fn flag(self) -> String {
        if self == Self::AccountsMode { "accounts".to_owned() } else { self.as_str().replace('_', "-") }
    }

    /// Returns the setting's environment variable, such as `FAUXFAX_MEDIA_BUDGET`.
    #[must_use]
    pub fn variable(self) -> String {
        format!("FAUXFAX_{}", self.flag().replace('-', "_").to_uppercase())
    }

    /// Returns whether the setting takes several values: by repeating the flag, separating the variable's values with
    /// commas, or writing an array in the file.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::AllowHost | Self::AllowOrigin | Self::ConnectTo | Self::TrustCa)
    }

    /// Returns whether the setting names a file or folder. In `fauxfax.toml`, a path is relative to that file's folder.
    #[must_use]
    pub const fn is_path(self) -> bool {
        matches!(self, Self::CaDir | Self::Config | Self::FontDir | Self::PortFile | Self::State | Self::TrustCa)
    }
}

/// A place in a file, displayed as `fauxfax.toml:3:8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path of the file as given.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// The source of a value, displayed so that a user can find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A command-line flag, identified by its setting.
    Flag(Setting),
    /// An environment variable, identified by its name.
    Environment(String),
    /// A key in the configuration file.
    File {
        /// The position of the value in the file.
        place: Place,
        /// The key in the file that the value is given for.
        key: String,
    },
}

impl Origin {
    /// Returns the rank of the source: a flag takes precedence over the environment, and the environment over the file.
    pub(super) const fn strength(&self) -> u8 {
        match self {
            Self::Flag(_) => 2,
            Self::Environment(_) => 1,
            Self::File { .. } => 0,
        }
    }
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

/// A setting's value as given, with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The value as given, unchecked.
    pub text: String,
    /// The origin of the value, for error messages.
    pub origin: Origin,
}
