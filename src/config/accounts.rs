//! Reads `[[accounts]]` from the configuration file: the accounts that have a world from the start, with their numbers,
//! caller ids and rules.

use std::collections::BTreeSet;
use std::fmt;

use super::error::ConfigError;
use super::given::Given;
use super::parse;
use super::table::Table;
use super::twiml_bins::ConfiguredBin;
use crate::dialect::attribute::{Attribute, Kind, OF_NUMBER};
use crate::dialect::rule;
use crate::engine::rule::Rule;
use crate::model::account::{CallbackPolicy, Dialect, Service};
use crate::model::number::{NumberChange, ReceiveMode};
use crate::model::phone::PhoneNumber;
use crate::model::sid::AccountSid;

const ACCOUNT_KEYS: &[&str] = &[
    "sid",
    "auth_token",
    SIGNING_KEY_KEY,
    "dialect",
    "callbacks",
    "service",
    "pedantic",
    "debugger_url",
    NUMBERS_KEY,
    CALLER_IDS_KEY,
    RULES_KEY,
];
const SIGNING_KEY_KEY: &str = "signing_key";
const NUMBERS_KEY: &str = "numbers";
const CALLER_IDS_KEY: &str = "caller_ids";
const RULES_KEY: &str = "rules";
const PHONE_NUMBER_KEY: &str = "phone_number";

/// An account that has a world from the start.
#[derive(Clone, PartialEq)]
pub struct ConfiguredAccount {
    /// The account's SID; generated on startup if absent.
    pub sid: Option<AccountSid>,
    /// The account's token; generated on startup if absent.
    pub auth_token: Option<Box<str>>,
    /// The key that signs the account's webhooks; the token if absent. Only SignalWire accounts have a separate key.
    pub signing_key: Option<Box<str>>,
    /// The dialect of the API that the account uses, which is also that of the SID.
    pub dialect: Dialect,
    /// The status changes that trigger a StatusCallback; the general setting if absent.
    pub callbacks: Option<CallbackPolicy>,
    /// How much of the Fax API works for this account; the general setting if absent.
    pub service: Option<Service>,
    /// Whether the account is in pedantic mode; the general setting if absent.
    pub pedantic: Option<bool>,
    /// The webhook that each of the account's alerts is sent to.
    pub debugger_url: Option<Box<str>>,
    /// The account's numbers, with the attributes that differ from those of a new number.
    pub numbers: Vec<(PhoneNumber, NumberChange)>,
    /// The verified caller ids, from which the account may send faxes.
    pub caller_ids: Vec<PhoneNumber>,
    /// The account's TwiML bins.
    pub twiml_bins: Vec<ConfiguredBin>,
    /// The account's rules, in the order in which they are matched.
    pub rules: Vec<Rule>,
}

impl fmt::Debug for ConfiguredAccount {
    /// Formats the account, but leaves out its token and its signing key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ConfiguredAccount");
        shown.field("sid", &self.sid).field("dialect", &self.dialect).field("callbacks", &self.callbacks);
        shown.field("service", &self.service).field("pedantic", &self.pedantic);
        shown.field("debugger_url", &self.debugger_url);
        shown.field("numbers", &self.numbers).field("caller_ids", &self.caller_ids);
        shown.field("twiml_bins", &self.twiml_bins).field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Returns the accounts in the file, in the order in which they are written.
///
/// Accounts with neither `dialect` nor `sid` get the dialect `general`.
pub(super) fn read(tables: &[Table<'_>], general: Dialect) -> Result<Vec<ConfiguredAccount>, ConfigError> {
    let mut sids = BTreeSet::new();
    tables.iter().map(|table| account(table, general, &mut sids)).collect()
}

fn account(
    table: &Table<'_>,
    general: Dialect,
    sids: &mut BTreeSet<AccountSid>,
) -> Result<ConfiguredAccount, ConfigError> {
    table.check_keys(ACCOUNT_KEYS)?;
    let sid = match table.text("sid")? {
        Some(given) => Some(unique(&given, given.parse(parse::account_sid)?, sids)?),
        None => None,
    };
    let dialect = dialect(table, sid)?.unwrap_or(general);
    let auth_token = table.text("auth_token")?.map(|given| given.parse_secret(parse::auth_token)).transpose()?;
    let signing_key = signing_key(table, dialect)?;
    let callbacks = parse::word(CallbackPolicy::ALL, CallbackPolicy::as_str);
    let callbacks = table.text("callbacks")?.map(|given| given.parse(callbacks)).transpose()?;
    let service = service(table, dialect)?;
    let pedantic = table.text("pedantic")?.map(|given| given.parse(parse::boolean)).transpose()?;
    let debugger_url = table.text("debugger_url")?.map(|given| given.parse(parse::webhook_url)).transpose()?;
    let mut own = BTreeSet::new();
    let numbers = table.tables(NUMBERS_KEY, "[[accounts.numbers]]")?;
    let numbers = numbers.iter().map(|table| number(table, dialect, &mut own)).collect::<Result<_, _>>()?;
    let mut verified = BTreeSet::new();
    let caller_ids = table.tables(CALLER_IDS_KEY, "[[accounts.caller_ids]]")?;
    let caller_ids = caller_ids.iter().map(|table| {
        table.check_keys(&[PHONE_NUMBER_KEY])?;
        phone_number(table, &mut verified)
    });
    let caller_ids = caller_ids.collect::<Result<_, _>>()?;
    let rules = table.tables(RULES_KEY, "[[accounts.rules]]")?;
    let read = |table: &Table<'_>| rule::parse(&table.json(), dialect).map_err(|error| table.wrong(error.to_string()));
    let rules = rules.iter().map(read).collect::<Result<_, _>>()?;
    Ok(ConfiguredAccount {
        sid,
        auth_token,
        signing_key,
        dialect,
        callbacks,
        service,
        pedantic,
        debugger_url,
        numbers,
        caller_ids,
        twiml_bins: Vec::new(),
        rules,
    })
}

/// Returns the dialect that the table names, or otherwise the dialect of the SID. It is an error if they contradict
/// each other.
fn dialect(table: &Table<'_>, sid: Option<AccountSid>) -> Result<Option<Dialect>, ConfigError> {
    let of_sid = sid.map(Dialect::of);
    let Some(given) = table.text("dialect")? else { return Ok(of_sid) };
    let named = given.parse(parse::dialect)?;
    match of_sid {
        Some(of_sid) if of_sid != named => {
            let (is, would_be) = (of_sid.account_sid_form(), named.account_sid_form());
            Err(ConfigError::value(
                &given,
                format!("be {of_sid}, because sid is {is}; the sid of a {named} account is {would_be}"),
            ))
        }
        _ => Ok(Some(named)),
    }
}

fn service(table: &Table<'_>, dialect: Dialect) -> Result<Option<Service>, ConfigError> {
    let Some(given) = table.text("service")? else { return Ok(None) };
    let service = given.parse(parse::word(Service::ALL, Service::as_str))?;
    dialect.check_service(service).map_err(|expected| ConfigError::value(&given, expected))?;
    Ok(Some(service))
}

fn signing_key(table: &Table<'_>, dialect: Dialect) -> Result<Option<Box<str>>, ConfigError> {
    let Some(given) = table.text(SIGNING_KEY_KEY)? else { return Ok(None) };
    match dialect {
        Dialect::Twilio => {
            let why = "be left out of an account that uses Twilio's API, which signs webhooks with the auth_token";
            Err(ConfigError::unshown(&given, why))
        }
        Dialect::SignalWire => given.parse_secret(parse::signing_key).map(Some),
    }
}

fn number(
    table: &Table<'_>,
    dialect: Dialect,
    own: &mut BTreeSet<PhoneNumber>,
) -> Result<(PhoneNumber, NumberChange), ConfigError> {
    let keys: Vec<&str> =
        std::iter::once(PHONE_NUMBER_KEY).chain(OF_NUMBER.iter().map(|attribute| attribute.name)).collect();
    table.check_keys(&keys)?;
    let number = phone_number(table, own)?;
    let mut change = NumberChange::default();
    for attribute in OF_NUMBER {
        if let Some(given) = table.text(attribute.name)? {
            set(&mut change, (attribute, dialect), &given)?;
        }
    }
    let is_set = |url: &Option<Box<str>>| url.as_ref().is_some_and(|url| !url.is_empty());
    if is_set(&change.voice_fallback_url) && !is_set(&change.voice_url) {
        let given = table.required("voice_fallback_url")?;
        return Err(ConfigError::value(&given, "be used together with voice_url, for which it is the fallback"));
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
    is_new.then_some(value).ok_or_else(|| ConfigError::value(given, "be given only once"))
}

/// Sets a number's attribute to the value in the file.
fn set(
    change: &mut NumberChange,
    (attribute, dialect): (&Attribute<NumberChange>, Dialect),
    given: &Given,
) -> Result<(), ConfigError> {
    match attribute.kind {
        Kind::FriendlyName(slot) => *slot(change) = Some(given.parse(parse::friendly_name)?),
        Kind::Url(slot) => *slot(change) = Some(given.parse(parse::webhook_url_or_none)?),
        Kind::Sid(prefix, slot) => *slot(change) = Some(given.parse(parse::sid_or_none(prefix, dialect))?),
        Kind::Word(words, slot) => *slot(change) = Some(given.parse(parse::word(words, |word| word))?.into()),
        Kind::Method(slot) => *slot(change) = Some(given.parse(parse::method)?),
        Kind::Boolean(slot) => *slot(change) = Some(given.parse(parse::true_or_false)?),
        Kind::ReceiveMode(slot) => {
            *slot(change) = Some(given.parse(parse::word(ReceiveMode::ALL, ReceiveMode::as_str))?);
        }
    }
    Ok(())
}
