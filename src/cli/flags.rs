//! The flags of `serve`, which `demo` and `exec` accept too, with their help texts. The values remain strings here;
//! `config` merges them with the environment and the file, and parses them.

use clap::ValueHint;
use clap::builder::PossibleValuesParser;

use crate::config::{LogFormat, LogLevel, ProxyClients, Setting, Settings};
use crate::model::account::{
    AccountMode, CallbackPolicy, Dialect, DocumentPolicy, MediaUserAgent, PriceForm, PriceSign, SignatureHeaders,
    TwimlTypes,
};
use crate::model::reception::HeaderLine;

const LISTENING: &str = "Listening";
const YOUR_APP: &str = "Your app";
const SERVICE: &str = "The service";
const UNCHANGED_APPS: &str = "Apps that name twilio.com or signalwire.com";
const CONFIGURATION: &str = "Configuration and log";

/// The flags of `fauxfax serve`. Each has an environment variable and, except `--config`, a key in `fauxfax.toml`; the
/// flag takes precedence.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(about = None, long_about = None)]
pub struct ServeFlags {
    /// Address to serve HTTP and HTTPS on; port 0 picks a free port [default: 127.0.0.1:8329] [env: FAUXFAX_LISTEN]
    #[arg(long, value_name = "ADDR", help_heading = LISTENING)]
    listen: Option<String>,

    /// Second address to serve on, such as 127.0.0.1:443 for apps whose HTTPS calls /etc/hosts directs here; not needed
    /// otherwise, because the port of --listen accepts TLS as well [env: FAUXFAX_TLS_LISTEN]
    #[arg(long, value_name = "ADDR", help_heading = LISTENING)]
    tls_listen: Option<String>,

    /// File to write the port to when the emulator is ready, for scripts that use port 0 [env: FAUXFAX_PORT_FILE]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = LISTENING)]
    port_file: Option<String>,

    /// File from which all worlds are loaded at startup, if it exists and isn't empty, and to which they are saved on a
    /// clean shutdown; it must be writable, and it contains tokens and API key secrets [env: FAUXFAX_STATE]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = LISTENING)]
    state: Option<String>,

    /// Base of links and media URLs, such as http://localhost:8080, for an emulator in Docker or behind a proxy; the
    /// request's origin if left out [env: FAUXFAX_PUBLIC_URL]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = LISTENING)]
    public_url: Option<String>,

    /// Additional host name that requests may be addressed to, such as fax.example.test; repeatable [env:
    /// FAUXFAX_ALLOW_HOST, comma-separated]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Hostname, help_heading = LISTENING)]
    allow_host: Vec<String>,

    /// Origin whose web pages may call the emulator, such as http://localhost:3000; repeatable [env:
    /// FAUXFAX_ALLOW_ORIGIN, comma-separated]
    #[arg(long, value_name = "ORIGIN", value_hint = ValueHint::Url, help_heading = LISTENING)]
    allow_origin: Vec<String>,

    /// Token that protects the control API and the console of an emulator that others can reach; clients send it as a
    /// Bearer token, and the console asks for it once [env: FAUXFAX_CONTROL_TOKEN]
    #[arg(long, value_name = "TOKEN", help_heading = LISTENING)]
    control_token: Option<String>,

    /// Serve the tools of `fauxfax mcp` over HTTP as well, at /mcp, for coding assistants [default: false] [env:
    /// FAUXFAX_MCP]
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = LISTENING
    )]
    mcp: Option<String>,

    /// Service whose API the built-in account uses: twilio, or signalwire for its compatibility API, with the project
    /// and the keys in SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN and SIGNALWIRE_SIGNING_KEY; other accounts may use
    /// the other service's API [default: twilio] [env: FAUXFAX_DIALECT]
    #[arg(long, value_name = "NAME", value_parser = words(Dialect::ALL, Dialect::as_str), help_heading = YOUR_APP)]
    dialect: Option<String>,

    /// URL from which the default number requests TwiML when a fax comes in, such as http://localhost:3000/fax [env:
    /// FAUXFAX_FAX_URL]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = YOUR_APP)]
    fax_url: Option<String>,

    /// TwiML that the default number executes when a fax comes in, so that receiving needs no app: the XML itself, or a
    /// file that contains it; a Response element with an empty Receive element accepts every fax [env:
    /// FAUXFAX_FAX_TWIML]
    #[arg(long, value_name = "FILE|XML", value_hint = ValueHint::FilePath, help_heading = YOUR_APP)]
    fax_twiml: Option<String>,

    /// URL that the default number notifies when an incoming fax has ended and the TwiML named no action [env:
    /// FAUXFAX_STATUS_CALLBACK]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = YOUR_APP)]
    status_callback: Option<String>,

    /// URL that is notified of each alert of the default account, like Twilio's Debugger webhook [env:
    /// FAUXFAX_DEBUGGER_URL]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = YOUR_APP)]
    debugger_url: Option<String>,

    /// Connect to TO instead of host FROM, such as localhost=host.docker.internal in a container, or
    /// app.example.com:443=http://localhost:3000 for an app that has an https URL but serves plain HTTP; URL, Host
    /// header and signature stay the same; repeatable [env: FAUXFAX_CONNECT_TO, comma-separated]
    #[arg(long, value_name = "FROM=TO", help_heading = YOUR_APP)]
    connect_to: Vec<String>,

    /// PEM file of certificates to trust, in addition to the public roots, when calling your app; repeatable [env:
    /// FAUXFAX_TRUST_CA, comma-separated]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = YOUR_APP)]
    trust_ca: Vec<String>,

    /// Accept any certificate from your app, even an invalid one [default: false] [env: FAUXFAX_INSECURE_WEBHOOKS]
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = YOUR_APP
    )]
    insecure_webhooks: Option<String>,

    /// Add a W3C traceparent header to webhooks; its trace id is derived from the fax's SID [env: FAUXFAX_TRACEPARENT]
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = YOUR_APP
    )]
    traceparent: Option<String>,

    /// Speed of fax transmission: 1 is a real telephone line, 100 is a hundred times faster, max takes no time
    /// [default: 100] [env: FAUXFAX_PACE]
    #[arg(long, value_name = "N|max", help_heading = SERVICE)]
    pace: Option<String>,

    /// Seed for SIDs, jitter and random choices; pass the seed printed by an earlier run to reproduce it; random if
    /// left out [env: FAUXFAX_SEED]
    #[arg(long, value_name = "N", help_heading = SERVICE)]
    seed: Option<String>,

    /// Which accounts may sign in: open creates a world for any well-formed AccountSid, strict accepts configured
    /// accounts only [default: open] [env: FAUXFAX_ACCOUNTS]
    #[arg(long, value_name = "MODE", value_parser = words(AccountMode::ALL, AccountMode::as_str), help_heading = SERVICE)]
    accounts: Option<String>,

    /// Which status changes of an outgoing fax trigger its StatusCallback [default: all] [env: FAUXFAX_CALLBACKS]
    #[arg(long, value_name = "WHICH", value_parser = words(CallbackPolicy::ALL, CallbackPolicy::as_str), help_heading = SERVICE)]
    callbacks: Option<String>,

    /// Which documents MediaUrl may lead to: lenient accepts all that the emulator can read, strict only PDF, as Twilio
    /// does [default: lenient] [env: FAUXFAX_DOCUMENTS]
    #[arg(long, value_name = "MODE", value_parser = words(DocumentPolicy::ALL, DocumentPolicy::as_str), help_heading = SERVICE)]
    documents: Option<String>,

    /// Which Content-Type TwiML must have: lenient accepts any, with a warning if it is an unusual one; strict accepts
    /// only text/xml, application/xml and text/html [default: lenient] [env: FAUXFAX_TWIML_TYPES]
    #[arg(long, value_name = "MODE", value_parser = words(TwimlTypes::ALL, TwimlTypes::as_str), help_heading = SERVICE)]
    twiml_types: Option<String>,

    /// Which headers hold the webhook signatures of SignalWire accounts: signalwire is X-SignalWire-Signature alone,
    /// both adds X-Twilio-Signature with the same value [default: signalwire] [env: FAUXFAX_SIGNATURE_HEADERS]
    #[arg(
        long, value_name = "WHICH", value_parser = words(SignatureHeaders::ALL, SignatureHeaders::as_str),
        help_heading = SERVICE
    )]
    signature_headers: Option<String>,

    /// What to do when media are downloaded without a User-Agent: warn adds a warning to the fax's events, required
    /// responds with 403, as Twilio's guide says [default: warn] [env: FAUXFAX_MEDIA_USER_AGENT]
    #[arg(
        long, value_name = "MODE", value_parser = words(MediaUserAgent::ALL, MediaUserAgent::as_str),
        help_heading = SERVICE
    )]
    media_user_agent: Option<String>,

    /// Serve media of SignalWire accounts only to requests that carry the project id and token, or the token as a
    /// Bearer token, as SignalWire does with "Protect Fax Media URLs" [default: false] [env: FAUXFAX_PROTECT_MEDIA]
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = SERVICE
    )]
    protect_media: Option<String>,

    /// Whether pages of incoming faxes carry the sender's header line: date, station id, numbers, page [default: on]
    /// [env: FAUXFAX_HEADER_LINE]
    #[arg(long, value_name = "WHETHER", value_parser = words(HeaderLine::ALL, HeaderLine::as_str), help_heading = SERVICE)]
    header_line: Option<String>,

    /// Folder of fonts for PDFs that don't embed theirs [env: FAUXFAX_FONT_DIR]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath, help_heading = SERVICE)]
    font_dir: Option<String>,

    /// Type of a fax's price in JSON; twilio-go needs number, none makes it null [default: string] [env: FAUXFAX_PRICE]
    #[arg(long, value_name = "FORM", value_parser = words(PriceForm::ALL, PriceForm::as_str), help_heading = SERVICE)]
    price: Option<String>,

    /// Sign of the price of Twilio accounts' faxes; apps that expect a charge below zero fail with the other sign
    /// [default: negative] [env: FAUXFAX_PRICE_SIGN]
    #[arg(long, value_name = "SIGN", value_parser = words(PriceSign::ALL, PriceSign::as_str), help_heading = SERVICE)]
    price_sign: Option<String>,

    /// Refuse every fax call, as Twilio does today (error 34005) [default: false] [env: FAUXFAX_RETIRED]
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = SERVICE
    )]
    retired: Option<String>,

    /// Deviate from the usual behaviour in ways that the real service may: duplicate callbacks, unknown parameters,
    /// slow and redirected downloads, now and then a 429; the seed decides when [default: false] [env:
    /// FAUXFAX_PEDANTIC]
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = SERVICE
    )]
    pedantic: Option<String>,

    /// Limit on the media that each account keeps in memory, such as 512MiB; beyond it, media of the oldest ended faxes
    /// are dropped [default: 1GiB] [env: FAUXFAX_MEDIA_BUDGET]
    #[arg(long, value_name = "SIZE", help_heading = SERVICE)]
    media_budget: Option<String>,

    /// Limit on the requests, fetched documents and unread responses in memory at any time, such as 64MiB; beyond it,
    /// calls wait and then fail with 503 [default: 256MiB] [env: FAUXFAX_BODY_BUDGET]
    #[arg(long, value_name = "SIZE", help_heading = SERVICE)]
    body_budget: Option<String>,

    /// Folder of the local CA, which is created on first use of TLS [default: fauxfax/ca in the user's data directory]
    /// [env: FAUXFAX_CA_DIR]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = UNCHANGED_APPS)]
    ca_dir: Option<String>,

    /// Refuse proxy connections to hosts that don't belong to Twilio or SignalWire and aren't on this machine, instead
    /// of passing them through [default: false] [env: FAUXFAX_OFFLINE]
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = UNCHANGED_APPS
    )]
    offline: Option<String>,

    /// Which clients may use the emulator as a proxy; loopback: programs on this machine; any: everyone who can reach
    /// the port [default: loopback] [env: FAUXFAX_PROXY_CLIENTS]
    #[arg(
        long, value_name = "WHO", value_parser = words(ProxyClients::ALL, ProxyClients::as_str),
        help_heading = UNCHANGED_APPS
    )]
    proxy_clients: Option<String>,

    /// TOML file with accounts, numbers and any of the settings above [default: ./fauxfax.toml if it exists] [env:
    /// FAUXFAX_CONFIG]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = CONFIGURATION)]
    config: Option<String>,

    /// Log format: lines of text, or one JSON object per line [default: text] [env: FAUXFAX_LOG_FORMAT]
    #[arg(
        long, value_name = "FORM", value_parser = words(LogFormat::ALL, LogFormat::as_str), help_heading = CONFIGURATION
    )]
    log_format: Option<String>,

    /// How much to log, from errors only to everything; exec and demo log only warnings [default: info] [env:
    /// FAUXFAX_LOG_LEVEL]
    #[arg(
        long, value_name = "LEVEL", value_parser = words(LogLevel::ALL, LogLevel::as_str), help_heading = CONFIGURATION
    )]
    log_level: Option<String>,
}

impl ServeFlags {
    /// Sets the address to listen on unless a flag specifies one.
    #[must_use]
    pub fn or_listen(mut self, address: &str) -> Self {
        self.listen.get_or_insert_with(|| address.to_owned());
        self
    }

    /// Returns the values of the flags that were given, for [`Config::of_process`](crate::config::Config::of_process).
    #[must_use]
    pub fn into_settings(self) -> Settings {
        Settings::default()
            .with_flag(Setting::Listen, self.listen)
            .with_flag(Setting::TlsListen, self.tls_listen)
            .with_flag(Setting::PortFile, self.port_file)
            .with_flag(Setting::State, self.state)
            .with_flag(Setting::PublicUrl, self.public_url)
            .with_flag(Setting::AllowHost, self.allow_host)
            .with_flag(Setting::AllowOrigin, self.allow_origin)
            .with_flag(Setting::ControlToken, self.control_token)
            .with_flag(Setting::Mcp, self.mcp)
            .with_flag(Setting::Dialect, self.dialect)
            .with_flag(Setting::FaxUrl, self.fax_url)
            .with_flag(Setting::FaxTwiml, self.fax_twiml)
            .with_flag(Setting::StatusCallback, self.status_callback)
            .with_flag(Setting::DebuggerUrl, self.debugger_url)
            .with_flag(Setting::Retired, self.retired)
            .with_flag(Setting::ConnectTo, self.connect_to)
            .with_flag(Setting::TrustCa, self.trust_ca)
            .with_flag(Setting::InsecureWebhooks, self.insecure_webhooks)
            .with_flag(Setting::Traceparent, self.traceparent)
            .with_flag(Setting::Pace, self.pace)
            .with_flag(Setting::Seed, self.seed)
            .with_flag(Setting::AccountsMode, self.accounts)
            .with_flag(Setting::CallbackPolicy, self.callbacks)
            .with_flag(Setting::DocumentPolicy, self.documents)
            .with_flag(Setting::TwimlTypes, self.twiml_types)
            .with_flag(Setting::SignatureHeaders, self.signature_headers)
            .with_flag(Setting::MediaUserAgent, self.media_user_agent)
            .with_flag(Setting::ProtectMedia, self.protect_media)
            .with_flag(Setting::HeaderLine, self.header_line)
            .with_flag(Setting::FontDir, self.font_dir)
            .with_flag(Setting::Price, self.price)
            .with_flag(Setting::PriceSign, self.price_sign)
            .with_flag(Setting::Pedantic, self.pedantic)
            .with_flag(Setting::MediaBudget, self.media_budget)
            .with_flag(Setting::BodyBudget, self.body_budget)
            .with_flag(Setting::CaDir, self.ca_dir)
            .with_flag(Setting::Offline, self.offline)
            .with_flag(Setting::ProxyClients, self.proxy_clients)
            .with_flag(Setting::Config, self.config)
            .with_flag(Setting::LogFormat, self.log_format)
            .with_flag(Setting::LogLevel, self.log_level)
    }
}

fn words<T: Copy>(all: &'static [T], as_str: fn(T) -> &'static str) -> PossibleValuesParser {
    PossibleValuesParser::new(all.iter().map(|value| as_str(*value)))
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;
    use crate::config::Config;
    use crate::model::time::Pace;

    fn command() -> Command {
        ServeFlags::augment_args(Command::new("serve"))
    }

    fn settings(arguments: &[&str]) -> Settings {
        let matches = command().try_get_matches_from(["serve"].iter().chain(arguments)).expect("valid flags");
        ServeFlags::from_arg_matches(&matches).expect("the flags of the command").into_settings()
    }

    /// Returns the name of each flag, with its help.
    fn help() -> Vec<(String, String)> {
        let of = |argument: &clap::Arg| {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            (argument.get_long().unwrap_or_default().to_owned(), help.replace('\n', " "))
        };
        command().get_arguments().map(of).collect()
    }

    fn bracketed<'a>(help: &'a str, what: &str) -> Option<&'a str> {
        help.split_once(&format!("[{what}: "))?.1.split(']').next()
    }

    #[test]
    fn each_setting_has_a_flag_whose_help_names_its_variable() {
        let mut flags: Vec<_> = help().into_iter().collect();
        let mut expected: Vec<_> = Setting::ALL.iter().map(|setting| setting.flag()).collect();
        for setting in Setting::ALL {
            let (_, help) = flags.iter().find(|(flag, _)| *flag == setting.flag()).expect("a flag");
            let twin = setting.variable() + if setting.is_list() { ", comma-separated" } else { "" };
            assert_eq!(bracketed(help, "env"), Some(twin.as_str()), "{help}");
        }
        flags.sort();
        expected.sort();
        assert_eq!(flags.into_iter().map(|(flag, _)| flag).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_help_states_the_actual_defaults() {
        let said_otherwise = ["config", "ca-dir"];
        let said = |(flag, _): &(String, String)| !said_otherwise.contains(&flag.as_str());
        let defaults = help().into_iter().filter(said).filter_map(|(flag, help)| {
            let default = bracketed(&help, "default")?.to_owned();
            Some(format!("--{flag}={default}"))
        });
        let defaults: Vec<String> = defaults.collect();
        assert_eq!(defaults.len(), 23);
        let arguments: Vec<&str> = defaults.iter().map(String::as_str).collect();
        assert_eq!(Config::load(settings(&arguments), &|_| None), Ok(Config::default()));
    }

    #[test]
    fn each_flag_changes_its_own_setting() {
        let words = [
            (Setting::AccountsMode, "strict"),
            (Setting::Dialect, "signalwire"),
            (Setting::CallbackPolicy, "final"),
            (Setting::DocumentPolicy, "strict"),
            (Setting::TwimlTypes, "strict"),
            (Setting::SignatureHeaders, "both"),
            (Setting::MediaUserAgent, "required"),
            (Setting::HeaderLine, "off"),
            (Setting::Price, "none"),
            (Setting::PriceSign, "positive"),
            (Setting::ProxyClients, "any"),
            (Setting::LogFormat, "json"),
            (Setting::LogLevel, "debug"),
        ];
        for setting in Setting::ALL {
            let value = words.iter().find(|(of, _)| of == setting).map_or("some text", |(_, word)| *word);
            let expected = Settings::default().with_flag(*setting, [value.to_owned()]);
            assert_eq!(settings(&[&format!("--{}={value}", setting.flag())]), expected);
        }
    }

    #[test]
    fn insecure_webhooks_accepts_a_value_but_does_not_need_one() {
        let config = |arguments: &[&str]| Config::load(settings(arguments), &|_| None).expect("valid");
        assert!(config(&["--insecure-webhooks", "--pace", "max"]).insecure_webhooks);
        assert!(!config(&["--insecure-webhooks=false"]).insecure_webhooks);
        assert_eq!(config(&["--insecure-webhooks", "--pace", "max"]).pace, Pace::Max);
    }

    #[test]
    fn only_list_flags_may_be_repeated() {
        let said_twice = command().try_get_matches_from(["serve", "--pace", "1", "--pace", "2"]);
        assert!(said_twice.is_err());
        let hosts = settings(&["--allow-host", "a.test", "--allow-host", "b.test"]);
        assert_eq!(Config::load(hosts, &|_| None).map(|config| config.allow_hosts.len()), Ok(2));
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }
}
