//! The `[[accounts]]` of the configuration file: which worlds there are at the start, with which numbers.
//! It founds none of them and mints nothing that was left out.

use std::collections::BTreeSet;
use std::fmt;

use super::error::ConfigError;
use super::given::Given;
use super::parse;
use super::table::Table;
use crate::dialect::rule;
use crate::engine::rule::Rule;
use crate::model::account::{Callbacks, Dialect, Service};
use crate::model::number::{NumberChange, ReceiveMode};
use crate::model::phone::PhoneNumber;
use crate::model::sid::{AccountSid, ApplicationSid};

const ACCOUNT_KEYS: &[&str] =
    &["sid", "auth_token", "dialect", "callbacks", "service", "debugger_url", NUMBERS_KEY, CALLER_IDS_KEY, RULES_KEY];
const NUMBERS_KEY: &str = "numbers";
const CALLER_IDS_KEY: &str = "caller_ids";
const RULES_KEY: &str = "rules";
const PHONE_NUMBER_KEY: &str = "phone_number";
/// The settable attributes of a number: the REST parameters in snake_case.
const ATTRIBUTE_KEYS: &[&str] = &[
    "friendly_name",
    "api_version",
    "voice_url",
    "voice_method",
    "voice_fallback_url",
    "voice_fallback_method",
    "status_callback",
    "status_callback_method",
    "voice_application_sid",
    "trunk_sid",
    "voice_caller_id_lookup",
    "voice_receive_mode",
    "sms_url",
    "sms_method",
    "sms_fallback_url",
    "sms_fallback_method",
    "sms_application_sid",
    "address_sid",
    "bundle_sid",
    "identity_sid",
    "emergency_status",
    "emergency_address_sid",
];

/// An account that has a world from the start.
#[derive(Clone, PartialEq)]
pub struct ConfiguredAccount {
    /// Its id; minted where none is given.
    pub sid: Option<AccountSid>,
    /// Its secret; minted where none is given.
    pub auth_token: Option<Box<str>>,
    /// Whose API it speaks.
    pub dialect: Dialect,
    /// Which status changes fire a StatusCallback, where it differs from the general setting.
    pub callbacks: Option<Callbacks>,
    /// What the Fax API does for it, where it differs from the general setting.
    pub service: Option<Service>,
    /// Its Debugger webhook, which is told of each alert.
    pub debugger_url: Option<Box<str>>,
    /// Its numbers, with the attributes that differ from a new number's.
    pub numbers: Vec<(PhoneNumber, NumberChange)>,
    /// Its verified caller ids.
    pub caller_ids: Vec<PhoneNumber>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

impl fmt::Debug for ConfiguredAccount {
    /// All but the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ConfiguredAccount");
        shown.field("sid", &self.sid).field("dialect", &self.dialect).field("callbacks", &self.callbacks);
        shown.field("service", &self.service).field("debugger_url", &self.debugger_url);
        shown.field("numbers", &self.numbers).field("caller_ids", &self.caller_ids);
        shown.field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// The accounts of the file, in its order.
pub(super) fn read(tables: &[Table<'_>]) -> Result<Vec<ConfiguredAccount>, ConfigError> {
    let mut sids = BTreeSet::new();
    tables.iter().map(|table| account(table, &mut sids)).collect()
}

fn account(table: &Table<'_>, sids: &mut BTreeSet<AccountSid>) -> Result<ConfiguredAccount, ConfigError> {
    table.check_keys(ACCOUNT_KEYS)?;
    let sid = match table.text("sid")? {
        Some(given) => Some(unique(&given, given.parse(parse::own("be AC and 32 hexadecimal digits"))?, sids)?),
        None => None,
    };
    let auth_token = table.text("auth_token")?.map(|given| given.parse_secret(parse::auth_token)).transpose()?;
    let dialect =
        table.text("dialect")?.map(|given| given.parse(Dialect::named)).transpose()?.unwrap_or(Dialect::Twilio);
    let callbacks = parse::word(Callbacks::ALL, Callbacks::as_str);
    let callbacks = table.text("callbacks")?.map(|given| given.parse(callbacks)).transpose()?;
    let service = parse::word(Service::ALL, Service::as_str);
    let service = table.text("service")?.map(|given| given.parse(service)).transpose()?;
    let debugger_url = table.text("debugger_url")?.map(|given| given.parse(parse::webhook_url)).transpose()?;
    let mut own = BTreeSet::new();
    let numbers = table.tables(NUMBERS_KEY, "[[accounts.numbers]]")?;
    let numbers = numbers.iter().map(|table| number(table, &mut own)).collect::<Result<_, _>>()?;
    let mut verified = BTreeSet::new();
    let caller_ids = table.tables(CALLER_IDS_KEY, "[[accounts.caller_ids]]")?;
    let caller_ids = caller_ids.iter().map(|table| {
        table.check_keys(&[PHONE_NUMBER_KEY])?;
        phone_number(table, &mut verified)
    });
    let caller_ids = caller_ids.collect::<Result<_, _>>()?;
    let rules = table.tables(RULES_KEY, "[[accounts.rules]]")?;
    let read = |table: &Table<'_>| rule::parse(&table.json()).map_err(|error| table.wrong(error.to_string()));
    let rules = rules.iter().map(read).collect::<Result<_, _>>()?;
    Ok(ConfiguredAccount { sid, auth_token, dialect, callbacks, service, debugger_url, numbers, caller_ids, rules })
}

fn number(table: &Table<'_>, own: &mut BTreeSet<PhoneNumber>) -> Result<(PhoneNumber, NumberChange), ConfigError> {
    let keys: Vec<&str> = [PHONE_NUMBER_KEY].iter().chain(ATTRIBUTE_KEYS).copied().collect();
    table.check_keys(&keys)?;
    let number = phone_number(table, own)?;
    let mut change = NumberChange::default();
    for key in ATTRIBUTE_KEYS {
        if let Some(given) = table.text(key)? {
            set(&mut change, key, &given)?;
        }
    }
    let is_set = |url: &Option<Box<str>>| url.as_ref().is_some_and(|url| !url.is_empty());
    if is_set(&change.voice_fallback_url) && !is_set(&change.voice_url) {
        let given = table.required("voice_fallback_url")?;
        return Err(ConfigError::value(&given, "stand beside a voice_url, for it is the fallback of that"));
    }
    Ok((number, change))
}

fn phone_number(table: &Table<'_>, others: &mut BTreeSet<PhoneNumber>) -> Result<PhoneNumber, ConfigError> {
    let given = table.required(PHONE_NUMBER_KEY)?;
    let number = given.parse(parse::own("be an E.164 number in quotes, such as \"+15017122661\""))?;
    unique(&given, number, others)
}

fn unique<T: Ord + Copy>(given: &Given, value: T, others: &mut BTreeSet<T>) -> Result<T, ConfigError> {
    let is_new = others.insert(value);
    is_new.then_some(value).ok_or_else(|| ConfigError::value(given, "be given once only"))
}

/// Sets the attribute with this key, which is one of `ATTRIBUTE_KEYS`.
fn set(change: &mut NumberChange, key: &str, given: &Given) -> Result<(), ConfigError> {
    let url = || given.parse(parse::webhook_url_or_none).map(Some);
    let method = || given.parse(parse::method).map(Some);
    let text = || given.parse(parse::attribute).map(Some);
    match key {
        "friendly_name" => change.friendly_name = Some(given.parse(parse::friendly_name)?),
        "api_version" => change.api_version = text()?,
        "voice_url" => change.voice_url = url()?,
        "voice_method" => change.voice_method = method()?,
        "voice_fallback_url" => change.voice_fallback_url = url()?,
        "voice_fallback_method" => change.voice_fallback_method = method()?,
        "status_callback" => change.status_callback = url()?,
        "status_callback_method" => change.status_callback_method = method()?,
        "voice_application_sid" => {
            let sid: ApplicationSid = given.parse(parse::own("be AP and 32 hexadecimal digits"))?;
            change.voice_application_sid = Some(sid.to_string().into());
        }
        "trunk_sid" => change.trunk_sid = text()?,
        "voice_caller_id_lookup" => change.voice_caller_id_lookup = Some(given.parse(parse::boolean)?),
        "voice_receive_mode" => {
            change.voice_receive_mode = Some(given.parse(parse::word(ReceiveMode::ALL, ReceiveMode::as_str))?);
        }
        "sms_url" => change.sms_url = url()?,
        "sms_method" => change.sms_method = method()?,
        "sms_fallback_url" => change.sms_fallback_url = url()?,
        "sms_fallback_method" => change.sms_fallback_method = method()?,
        "sms_application_sid" => change.sms_application_sid = text()?,
        "address_sid" => change.address_sid = text()?,
        "bundle_sid" => change.bundle_sid = text()?,
        "identity_sid" => change.identity_sid = text()?,
        "emergency_status" => change.emergency_status = text()?,
        "emergency_address_sid" => change.emergency_address_sid = text()?,
        _ => unreachable!("no attribute has the key {key}"),
    }
    Ok(())
}
