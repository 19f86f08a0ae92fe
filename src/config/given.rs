//! The settings by name, and the text given for one with its origin: a flag, the environment or the file.

use std::fmt;
use std::path::PathBuf;

use crate::model::words::words;

words!(
    /// A setting, named by its key in `fauxfax.toml`. Its flag and its environment variable are derived from the key.
    Setting {
        /// The file to read. It can't be set in the file itself.
        Config = "config",
        /// The address to serve HTTP on.
        Listen = "listen",
        /// A further address to serve on, meant for HTTPS.
        TlsListen = "tls_listen",
        /// The file that the port is written to once it is known.
        PortFile = "port_file",
        /// The URL that links are built on.
        PublicUrl = "public_url",
        /// Further host names that requests may be addressed to.
        AllowHost = "allow_host",
        /// Origins whose web pages may call the emulator.
        AllowOrigin = "allow_origin",
        /// The token that the control API and the console require.
        ControlToken = "control_token",
        /// The service whose API the built-in account speaks.
        Dialect = "dialect",
        /// The VoiceUrl of the default number.
        FaxUrl = "fax_url",
        /// The StatusCallback of the default number.
        StatusCallback = "status_callback",
        /// The Debugger webhook of the default account.
        DebuggerUrl = "debugger_url",
        /// Hosts to connect to instead of those in URLs.
        ConnectTo = "connect_to",
        /// Certificates that webhooks trust in addition to the public roots.
        TrustCa = "trust_ca",
        /// Whether webhooks accept any certificate.
        InsecureWebhooks = "insecure_webhooks",
        /// Whether webhooks carry a W3C `traceparent` header.
        Traceparent = "traceparent",
        /// How fast telephone time passes compared with real time.
        Pace = "pace",
        /// The seed of all ids and random draws.
        Seed = "seed",
        /// Whether unknown accounts are created or refused. Its flag is `--accounts`; in the file, that key names the
        /// tables of accounts.
        AccountsMode = "accounts_mode",
        /// Which status changes of a fax fire its StatusCallback.
        CallbackPolicy = "callbacks",
        /// Which documents a MediaUrl may lead to.
        DocumentPolicy = "documents",
        /// Which content types TwiML is accepted with.
        TwimlTypes = "twiml_types",
        /// Which headers hold the signature of a SignalWire account's webhooks.
        SignatureHeaders = "signature_headers",
        /// Whether a download of media without a User-Agent header is refused or only warned about.
        MediaUserAgent = "media_user_agent",
        /// Whether stored documents of SignalWire's accounts are shown only with a credential.
        ProtectMedia = "protect_media",
        /// Whether pages of incoming faxes carry the sender's header line.
        HeaderLine = "header_line",
        /// The folder of fonts for PDFs that don't embed theirs.
        FontDir = "font_dir",
        /// How `price` is written in responses.
        Price = "price",
        /// Whether every fax call is refused, as Twilio does since the Fax API was retired.
        Retired = "retired",
        /// The most bytes of media kept in each world.
        MediaBudget = "media_budget",
        /// The most bytes of bodies in flight at once.
        BodyBudget = "body_budget",
        /// The file that the worlds are loaded from at the start and saved to at the end.
        State = "state",
        /// The folder that the local CA is kept in.
        CaDir = "ca_dir",
        /// Whether the proxy lets no request out of this machine.
        Offline = "offline",
        /// Which clients the proxy serves.
        ProxyClients = "proxy_clients",
        /// How lines of the log are written.
        LogFormat = "log_format",
        /// How much is logged, from errors only to everything.
        LogLevel = "log_level",
    }
);

impl Setting {
    /// Its long flag, without the dashes, such as `media-budget`.
    #[must_use]
    pub fn flag(self) -> String {
        if self == Self::AccountsMode { "accounts".to_owned() } else { self.as_str().replace('_', "-") }
    }

    /// Its environment variable, such as `FAUXFAX_MEDIA_BUDGET`.
    #[must_use]
    pub fn variable(self) -> String {
        format!("FAUXFAX_{}", self.flag().replace('-', "_").to_uppercase())
    }

    /// Returns whether it takes several values: the flag is repeated, the variable is split at commas, the file has an
    /// array.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::AllowHost | Self::AllowOrigin | Self::ConnectTo | Self::TrustCa)
    }

    /// Returns whether it names a file or folder. In `fauxfax.toml` a relative path starts at that file's folder.
    #[must_use]
    pub const fn is_path(self) -> bool {
        matches!(self, Self::CaDir | Self::Config | Self::FontDir | Self::PortFile | Self::State | Self::TrustCa)
    }
}

/// A place in a file, displayed as `fauxfax.toml:3:8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path of the file as it was given.
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

/// The source of a value, displayed so that a user finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(Setting),
    /// An environment variable, by its name.
    Environment(String),
    /// A key of the configuration file.
    File {
        /// Where in the file its value is.
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

/// The text of a setting and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The text as it was given, unchecked.
    pub text: String,
    /// Where it was given, for error messages.
    pub origin: Origin,
}
