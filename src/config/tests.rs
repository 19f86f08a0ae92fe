//! Configuration tests: what each source may set, which source wins, and the error messages.

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

/// Returns the error that a fixture causes, without the path of its folder.
fn error_of(name: &str) -> String {
    let error = of_file(name).expect_err(name).to_string();
    error.replace(&format!("{FIXTURES}/"), "")
}

#[test]
fn the_defaults_apply_without_any_settings() {
    assert_eq!(with_flags(&[]), Ok(Config::default()));
}

#[test]
fn a_file_can_set_everything() {
    let config = of_file("full.toml").expect("valid");
    assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(config.tls_listen.map(|address| address.to_string()).as_deref(), Some("127.0.0.1:8443"));
    assert_eq!(config.ca_dir, Some(format!("{FIXTURES}/ca").into()));
    assert_eq!((config.offline, config.proxy_clients), (true, ProxyClients::Any));
    assert_eq!(config.port_file, Some(format!("{FIXTURES}/port").into()));
    assert!(config.traceparent && config.protect_media && config.pedantic && config.mcp);
    assert_eq!(config.signature_headers, SignatureHeaders::Both);
    assert_eq!(config.state, Some(format!("{FIXTURES}/state.json").into()));
    assert_eq!(config.public_url.as_deref(), Some("https://fax.example.test"));
    assert_eq!(config.allow_hosts, ["fax.example.test", "console.example.test"]);
    assert_eq!(config.connect_to.len(), 1);
    assert_eq!((config.pace, config.seed), (Pace::Times(2.5), Some(42)));
    assert_eq!((config.accounts, config.callbacks), (AccountMode::Strict, CallbackPolicy::QueuedAndFinal));
    assert_eq!((config.documents, config.price), (DocumentPolicy::Strict, PriceForm::Number));
    assert_eq!(config.price_sign, PriceSign::Positive);
    assert_eq!(config.twiml_bins.len(), 1);
    assert_eq!((config.media_budget_bytes, config.insecure_webhooks), (512 << 20, true));
    assert_eq!(config.body_budget_bytes, 64 << 20);
    assert_eq!(config.service, Service::Retired);
    assert_eq!(config.debugger_url.as_deref(), Some("http://127.0.0.1:3000/debugger"));
    assert_eq!((config.log_format, config.log_level), (LogFormat::Json, LogLevel::Debug));
    assert_eq!(config.trust_ca.len(), 1);
    assert_eq!(config.fax_url.as_deref(), Some("http://localhost:3000/fax"));
    let [first, second] = &config.worlds[..] else { panic!("not two accounts: {:?}", config.worlds) };
    assert_eq!(first.sid, "AC0123456789abcdef0123456789abcdef".parse().ok());
    assert_eq!(first.auth_token.as_deref(), Some("a token"));
    assert_eq!((first.dialect, first.callbacks), (Dialect::Twilio, Some(CallbackPolicy::Final)));
    assert_eq!((first.service, first.pedantic), (Some(Service::TestCredentials), Some(false)));
    assert_eq!(first.debugger_url.as_deref(), Some("http://127.0.0.1:3000/alerts"));
    assert_eq!(first.caller_ids, [PhoneNumber::from_digits(15_558_675_310)]);
    assert_eq!((first.rules.len(), first.rules[0].times, first.rules[1].chance), (2, Some(2), Some(0.5)));
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
fn errors_in_the_file_say_where_they_are_and_what_to_write() {
    let expected = [
        ("unknown-key.toml", "unknown-key.toml:3:1: unknown key `pase` in the file; did you mean `pace`?"),
        (
            "unknown-account-key.toml",
            "unknown-account-key.toml:3:1: unknown key `colour` in [[accounts]]; the valid keys are sid, auth_token, \
             signing_key, dialect, callbacks, service, pedantic, debugger_url, numbers, caller_ids, rules",
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
        ("bad-rule.toml", "bad-rule.toml:2:1: [[accounts.rules]]: match: unknown field \"too\"; did you mean to?"),
        ("not-yet.toml", "not-yet.toml:2:1: unknown key `dns_listen` in the file; did you mean `tls_listen`?"),
        ("syntax.toml", "syntax.toml:2:8: key with no value, expected `=`"),
        ("bad-pace.toml", "bad-pace.toml:1:8: pace must be max or a number from 0.001 to 1000000, not `fast`"),
        (
            "bad-mode.toml",
            "bad-mode.toml:1:12: accounts must be an array of tables, written as [[accounts]]; for strict or open \
             mode, set accounts_mode, not `string`",
        ),
        (
            "bad-number.toml",
            "bad-number.toml:3:16: phone_number must be an E.164 number in quotes, such as \"+15017122661\", not \
             `15017122661`",
        ),
        ("no-number.toml", "no-number.toml:3:1: [[accounts.numbers]] needs phone_number"),
        ("same-number.toml", "same-number.toml:4:64: phone_number must be given only once, not `+15017122661`"),
        (
            "other-dialect.toml",
            "other-dialect.toml:3:11: dialect must be twilio, because sid is AC and 32 hexadecimal digits; the sid of \
             a signalwire account is the UUID of a SignalWire project, not `signalwire`",
        ),
        (
            "other-sid.toml",
            "other-sid.toml:2:7: sid must be AC and 32 hexadecimal digits, or the UUID of a SignalWire project, not \
             `831455c6574e4d8bb6ee2418140bf4cd`",
        ),
        (
            "default-dialect.toml",
            "default-dialect.toml:1:11: dialect must be left out, or be twilio, the dialect of the first [[accounts]] \
             table, not `signalwire`",
        ),
        (
            "twilio-signing-key.toml",
            "twilio-signing-key.toml:3:15: signing_key must be left out of an account that uses Twilio's API, which \
             signs webhooks with the auth_token",
        ),
        (
            "bad-token.toml",
            "bad-token.toml:2:14: auth_token must have 1 to 256 characters, none of them a control character",
        ),
        (
            "fallback-alone.toml",
            "fallback-alone.toml:3:24: voice_fallback_url must be used together with voice_url, for which it is the \
             fallback, not `http://localhost:3000/fallback`",
        ),
        (
            "no-default-number.toml",
            "no-default-number.toml:1:11: fax_url must be left out, because the first [[accounts]] table has no number \
             to set it on",
        ),
    ];
    for (name, text) in expected {
        assert_eq!(error_of(name), text);
    }
}

#[test]
fn every_fixture_is_tested() {
    let names = std::fs::read_dir(FIXTURES).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let source = include_str!("tests.rs");
    for name in names {
        let name = name.into_string().expect("UTF-8");
        assert!(source.contains(&name) || name == "ca.pem", "{name}");
    }
}

#[test]
fn a_flag_overrides_the_environment_which_overrides_the_file() {
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
    let error = with_flags(&[(Setting::MediaBudget, "lots")]).expect_err("not a size");
    let expected = "must be a size above 0, such as 1GiB, 512MiB or 1000000 (bytes), not `lots`";
    assert_eq!(error.to_string(), format!("--media-budget {expected}"));
    let variables = |name: &str| (name == "FAUXFAX_MEDIA_BUDGET").then(|| "lots".to_owned());
    let error = Config::load(Settings::default(), &variables).expect_err("not a size");
    assert_eq!(error.to_string(), format!("FAUXFAX_MEDIA_BUDGET {expected}"));
    let error = with_flags(&[(Setting::ConnectTo, "localhost")]).expect_err("no target").to_string();
    assert!(error.starts_with("--connect-to must be FROM=TO, such as localhost=host.docker.internal ("), "{error}");
}

#[test]
fn a_named_file_must_exist_but_the_default_one_need_not() {
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
fn certificates_and_the_port_file_are_checked_immediately() {
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
fn the_default_account_comes_from_twilios_variables_or_is_all_zeros() {
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
    let error = load(Some("831455c6-574e-4d8b-b6ee-2418140bf4cd"), None).expect_err("a SignalWire project");
    let expected = "TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits (that one is the UUID of a SignalWire \
                    project; give --dialect signalwire), not `831455c6-574e-4d8b-b6ee-2418140bf4cd`";
    assert_eq!(error.to_string(), expected);
    let error = load(Some("SKffffffffffffffffffffffffffffffff"), None).expect_err("a key's SID is not an account's");
    assert!(error.to_string().starts_with("TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits, not `SK"));
}

#[test]
fn signalwires_default_account_comes_from_its_variables_or_is_all_zeros() {
    let flags = || said(&[(Setting::Dialect, "signalwire")]);
    let load = |given: &'static [(&str, &str)]| {
        let variables = |name: &str| given.iter().find(|(own, _)| *own == name).map(|(_, text)| (*text).to_owned());
        Config::load(flags(), &variables).map(|config| config.default_account)
    };
    let others = &[("TWILIO_ACCOUNT_SID", "AC1"), ("TWILIO_AUTH_TOKEN", "theirs"), ("SIGNALWIRE_API_TOKEN", "")];
    let account = load(others).expect("Twilio's variables are ignored");
    let token = format!("PT{}", "0".repeat(48));
    assert_eq!(account.sid.to_string(), "00000000-0000-4000-8000-000000000000");
    assert_eq!((&*account.auth_token, account.signing_key), (token.as_str(), None));
    assert!(account.has_default_token);
    let account = load(&[
        ("SIGNALWIRE_PROJECT_ID", "831455c6-574e-4d8b-b6ee-2418140bf4cd"),
        ("SIGNALWIRE_API_TOKEN", "PT1"),
        ("SIGNALWIRE_SIGNING_KEY", "PSK_1"),
    ]);
    let account = account.expect("valid");
    assert_eq!(account.sid.to_string(), "831455c6-574e-4d8b-b6ee-2418140bf4cd");
    assert_eq!((&*account.auth_token, account.signing_key.as_deref()), ("PT1", Some("PSK_1")));
    assert!(!account.has_default_token && !format!("{account:?}").contains("PSK_1"));
    let error = load(&[("SIGNALWIRE_PROJECT_ID", "ACffffffffffffffffffffffffffffffff")]).expect_err("a Twilio SID");
    let expected = "SIGNALWIRE_PROJECT_ID must be the UUID of a SignalWire project (that one is AC and 32 hexadecimal \
                    digits; give --dialect twilio), not `ACffffffffffffffffffffffffffffffff`";
    assert_eq!(error.to_string(), expected);
    let error = with_flags(&[(Setting::Dialect, "signalwhere")]).expect_err("unknown").to_string();
    assert_eq!(error, "--dialect must be twilio or signalwire (did you mean signalwire?), not `signalwhere`");
}

#[test]
fn signalwires_service_cannot_be_retired() {
    let dialect = (Setting::Dialect, "signalwire");
    let error = with_flags(&[dialect, (Setting::Retired, "true")]).expect_err("only Twilio has retired it").to_string();
    assert_eq!(
        error,
        "--retired must be left out, because every account uses SignalWire's API, and SignalWire hasn't retired faxes"
    );
    assert_eq!(with_flags(&[dialect, (Setting::Retired, "false")]).expect("valid").service, Service::Full);
    assert_eq!(
        error_of("signalwire-service.toml"),
        "signalwire-service.toml:3:11: service must be full for a SignalWire account: SignalWire hasn't retired faxes and \
         has no test credentials, not `test-credentials`"
    );
    assert_eq!(
        error_of("signalwire-retired.toml"),
        "signalwire-retired.toml:1:11: retired must be left out, because every account uses SignalWire's API, and \
         SignalWire hasn't retired faxes"
    );
    let both = (Setting::Config, &*format!("{FIXTURES}/both-dialects.toml"));
    let config = with_flags(&[both, (Setting::Retired, "true")]).expect("one account uses Twilio's API");
    assert_eq!(config.service, Service::Retired);
}

#[test]
fn a_file_can_have_accounts_of_both_dialects() {
    let accounts = of_file("both-dialects.toml").expect("valid").initial_accounts();
    let shown: Vec<_> = accounts.iter().map(|account| (account.dialect, account.sid.is_some())).collect();
    let expected = [(Dialect::SignalWire, true), (Dialect::SignalWire, false), (Dialect::Twilio, true)];
    assert_eq!(shown, expected, "from `dialect`, from the general setting, and from `sid`");
    assert_eq!(accounts[0].signing_key.as_deref(), Some("PSK_1"));
    let config = of_file("both-dialects.toml").expect("valid");
    assert_eq!(config.default_signing_key(), Some("PSK_1"));
    assert!(!format!("{config:?}").contains("PSK_1"));
}

#[test]
fn the_default_number_gets_the_configured_urls() {
    let built_in = with_flags(&[(Setting::FaxUrl, "http://localhost:3000/fax")]).expect("valid").initial_accounts();
    let [account] = &built_in[..] else { panic!("expected exactly one account: {built_in:?}") };
    assert_eq!(account.sid, Some(Config::default().default_account.sid));
    let [(number, change)] = &account.numbers[..] else { panic!("expected exactly one number: {account:?}") };
    assert_eq!((number.to_string().as_str(), change.voice_receive_mode), ("+15005550006", Some(ReceiveMode::Fax)));
    assert_eq!(
        (change.voice_url.as_deref(), change.status_callback.as_deref()),
        (Some("http://localhost:3000/fax"), None)
    );

    let configured = of_file("full.toml").expect("valid").initial_accounts();
    assert_eq!(configured.len(), 2, "the built-in account is replaced");
    let change = &configured[0].numbers[0].1;
    assert_eq!(change.voice_url.as_deref(), Some("http://localhost:3000/fax"));
    assert_eq!(change.status_callback.as_deref(), Some("http://127.0.0.1:3000/status"), "only the file sets it");
}

#[test]
fn tokens_do_not_appear_in_logs() {
    let config = of_file("full.toml").expect("valid");
    assert!(!format!("{config:?}").contains("a token"));
}
