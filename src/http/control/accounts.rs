//! The control API's calls to list, create, change and remove accounts, each with its world. `emulator.rs` generates
//! credentials and limits the number of accounts.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::event;
use super::extract::{JsonBody, parse_account};
use super::problem::Problem;
use crate::dialect::attribute::OF_NUMBER;
use crate::dialect::form::Form;
use crate::dialect::parameter;
use crate::dialect::resource;
use crate::emulator::{AccountSetup, CreateWorldError, Registry, World};
use crate::engine::input::ChangeAccount;
use crate::model::account::{AccountChange, AccountStatus, CallbackPolicy, Dialect, Service, check_signing_key};
use crate::model::number::NumberChange;
use crate::model::phone::PhoneNumber;
use crate::model::sid::{AccountSid, Id};

/// The key that holds the telephone number in the JSON of a number or caller id.
const PHONE_NUMBER: &str = "phone_number";

/// An account to create; a missing SID or token is generated.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    sid: Option<String>,
    auth_token: Option<Box<str>>,
    /// The key that signs the webhooks of a SignalWire account; without one, the account's token signs them.
    signing_key: Option<Box<str>>,
    friendly_name: Option<Box<str>>,
    /// The service whose API the account uses, `twilio` or `signalwire`; by default, the one that `sid` belongs to, or
    /// `twilio` if there is no `sid`.
    dialect: Option<String>,
    /// Which statuses trigger the StatusCallback: `all`, `queued-and-final` or `final`.
    callbacks: Option<String>,
    /// How much of the API works: `full`, `test-credentials` (only buying numbers and sending messages; all else gets
    /// error 20008) or `retired` (each fax call gets error 34005).
    service: Option<String>,
    /// Whether the account is in pedantic mode; by default, the emulator's own setting (`serve --pedantic`).
    pedantic: Option<bool>,
    /// URL of the Debugger webhook, which is notified of each alert.
    debugger_url: Option<Box<str>>,
    /// The account's numbers, as objects with REST attributes in snake_case and `phone_number`.
    #[serde(default)]
    numbers: Vec<Map<String, Value>>,
    #[serde(default)]
    caller_ids: Vec<CallerId>,
}

/// A change to an account; fields that are left out stay as they are.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountEdits {
    friendly_name: Option<Box<str>>,
    /// `active`, `suspended` or `closed`; a closed account can't be opened again.
    status: Option<String>,
    /// How much of the API works: `full`, `test-credentials` or `retired`.
    service: Option<String>,
    /// URL of the Debugger webhook; null removes it.
    #[serde(default, deserialize_with = "present")]
    debugger_url: Option<Option<Box<str>>>,
    /// The key that signs the webhooks of a SignalWire account; with null, the account's token signs them.
    #[serde(default, deserialize_with = "present")]
    signing_key: Option<Option<Box<str>>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallerId {
    phone_number: String,
}

/// An account and a summary of its world.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Account")]
pub(super) struct AccountView {
    sid: String,
    /// The AuthToken; null until a client claims the account with one.
    auth_token: Option<Box<str>>,
    /// The key that signs the account's webhooks: the AuthToken, or the signing key of a SignalWire account that has
    /// one; null until the account has either.
    signing_key: Option<Box<str>>,
    friendly_name: Box<str>,
    dialect: &'static str,
    callbacks: &'static str,
    status: &'static str,
    /// SID of the owning account, if this is a subaccount.
    owner: Option<String>,
    service: &'static str,
    /// Whether the account is in pedantic mode.
    pedantic: bool,
    debugger_url: Option<Box<str>>,
    date_created: String,
    /// Number of faxes in the world.
    faxes: usize,
    /// Number of faxes and calls that haven't ended yet.
    pending: usize,
    /// Number of alerts that are kept.
    alerts: usize,
    /// Time of the newest event or REST request, by the system's clock, whatever the account's clock shows; null if
    /// there was none since the emulator started.
    last_activity: Option<String>,
    /// The account's numbers, as the REST API shows them.
    numbers: Vec<Value>,
}

/// All accounts of the emulator.
#[derive(Serialize, JsonSchema)]
pub(super) struct AccountList {
    accounts: Vec<AccountView>,
}

pub(super) async fn list(State(registry): State<Registry>) -> Json<AccountList> {
    Json(AccountList { accounts: registry.worlds().iter().map(|world| view(&registry, world)).collect() })
}

pub(super) async fn show(
    State(registry): State<Registry>,
    Path(sid): Path<String>,
) -> Result<Json<AccountView>, Problem> {
    let sid = parse_account(&sid)?;
    let world = registry.world(sid).ok_or_else(|| Problem::no_account(sid))?;
    Ok(Json(view(&registry, &world)))
}

pub(super) async fn create(
    State(registry): State<Registry>,
    JsonBody(order): JsonBody<NewAccount>,
) -> Result<(StatusCode, Json<AccountView>), Problem> {
    let setup = setup(order)?;
    let world = registry.create(setup).map_err(|error| match error {
        CreateWorldError::Exists(_) => Problem::new(409, "account-exists", error.to_string()),
        CreateWorldError::TooManyWorlds { .. } => Problem::new(429, "too-many-accounts", error.to_string()),
    })?;
    Ok((StatusCode::CREATED, Json(view(&registry, &world))))
}

pub(super) async fn change(
    State(registry): State<Registry>,
    Path(sid): Path<String>,
    JsonBody(edits): JsonBody<AccountEdits>,
) -> Result<Json<AccountView>, Problem> {
    let sid = parse_account(&sid)?;
    let world = registry.world(sid).ok_or_else(|| Problem::no_account(sid))?;
    let service = service(edits.service.as_deref(), Dialect::of(sid))?;
    if let Some(Some(url)) = &edits.debugger_url {
        parameter::check_url(url).map_err(|reason| bad("debugger_url", &reason))?;
    }
    let status = word(edits.status.as_deref(), "status", AccountStatus::from_word, AccountStatus::ALL)?;
    if let Some(Some(key)) = &edits.signing_key {
        check_key_of(key, Dialect::of(sid))?;
    }
    let (friendly_name, debugger_url, signing_key) = (edits.friendly_name, edits.debugger_url, edits.signing_key);
    let change = AccountChange { friendly_name, status, service, debugger_url, signing_key };
    world.handle(ChangeAccount(change))?;
    Ok(Json(view(&registry, &world)))
}

pub(super) async fn remove(State(registry): State<Registry>, Path(sid): Path<String>) -> Result<StatusCode, Problem> {
    let sid = parse_account(&sid)?;
    // Clients that name no account use the default one, so it must always exist.
    if sid == registry.default_account() {
        let detail = "the default account can't be removed; empty it with POST /_fauxfax/v1/reset";
        return Err(Problem::new(409, "default-account", detail));
    }
    if registry.remove(sid) { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::no_account(sid)) }
}

fn setup(order: NewAccount) -> Result<AccountSetup, Problem> {
    let sid = order.sid.as_deref().map(parse_account).transpose()?;
    if order.auth_token.as_deref().is_some_and(str::is_empty) {
        return Err(bad("auth_token", "may not be empty; leave it out to get a generated one"));
    }
    let dialect = word(order.dialect.as_deref(), "dialect", Dialect::from_word, Dialect::ALL)?;
    if let (Some(dialect), Some(of_sid)) = (dialect, sid.map(Dialect::of))
        && dialect != of_sid
    {
        let (is, would_be) = (of_sid.account_sid_form(), dialect.account_sid_form());
        let why = format!("must be {of_sid}, because sid is {is}; the sid of a {dialect} account is {would_be}");
        return Err(bad("dialect", &why));
    }
    let own_dialect = sid.map(Dialect::of).or(dialect).unwrap_or(Dialect::Twilio);
    if let Some(key) = &order.signing_key {
        check_key_of(key, own_dialect)?;
    }
    let callbacks = word(order.callbacks.as_deref(), "callbacks", CallbackPolicy::from_word, CallbackPolicy::ALL)?;
    let service = service(order.service.as_deref(), own_dialect)?;
    if let Some(url) = &order.debugger_url {
        parameter::check_url(url).map_err(|reason| bad("debugger_url", &reason))?;
    }
    let form = dialect.map(Dialect::id_form).unwrap_or_default();
    // Only the form of this SID matters: it says which dialect's rules apply to the numbers.
    let account = sid.unwrap_or(AccountSid::minted([0; 16], form));
    let numbers = order.numbers.iter().enumerate();
    let numbers = numbers.map(|(at, number)| configured_number(number, &format!("numbers[{at}]"), account));
    let numbers: Vec<(PhoneNumber, NumberChange)> = numbers.collect::<Result<_, _>>()?;
    check_unique("numbers", numbers.iter().map(|(number, _)| number))?;
    let caller_ids = order.caller_ids.iter().enumerate();
    let caller_ids = caller_ids.map(|(at, id)| phone_number(&id.phone_number, &format!("caller_ids[{at}]")));
    let caller_ids: Vec<PhoneNumber> = caller_ids.collect::<Result<_, _>>()?;
    check_unique("caller_ids", &caller_ids)?;
    let (auth_token, signing_key, friendly_name) = (order.auth_token, order.signing_key, order.friendly_name);
    let (owner, debugger_url, twiml_bins, rules) = (None, order.debugger_url, Vec::new(), Vec::new());
    Ok(AccountSetup {
        sid,
        auth_token,
        signing_key,
        friendly_name,
        dialect,
        callbacks,
        service,
        pedantic: order.pedantic,
        owner,
        debugger_url,
        numbers,
        caller_ids,
        twiml_bins,
        rules,
    })
}

/// Refuses a list that contains a number twice.
fn check_unique<'a>(list: &str, numbers: impl IntoIterator<Item = &'a PhoneNumber>) -> Result<(), Problem> {
    let mut earlier = BTreeSet::new();
    match numbers.into_iter().enumerate().find(|(_, number)| !earlier.insert(**number)) {
        Some((at, number)) => {
            Err(bad(&format!("{list}[{at}].{PHONE_NUMBER}"), &format!("{number} is given twice; give it once")))
        }
        None => Ok(()),
    }
}

fn check_key_of(key: &str, dialect: Dialect) -> Result<(), Problem> {
    match dialect {
        Dialect::Twilio => {
            Err(bad("signing_key", "must be left out for a Twilio account, whose auth_token signs its webhooks"))
        }
        Dialect::SignalWire => check_signing_key(key).map_err(|why| bad("signing_key", &format!("must {why}"))),
    }
}

/// Parses the service that an account of this dialect is to have.
fn service(text: Option<&str>, dialect: Dialect) -> Result<Option<Service>, Problem> {
    let service = word(text, "service", Service::from_word, Service::ALL)?;
    service
        .map_or(Ok(()), |service| dialect.check_service(service))
        .map_err(|why| bad("service", &format!("must {why}")))?;
    Ok(service)
}

/// Parses a number with REST attributes in snake_case, by the same rules as the REST API.
fn configured_number(
    number: &Map<String, Value>,
    place: &str,
    account: AccountSid,
) -> Result<(PhoneNumber, NumberChange), Problem> {
    let field = |name: &str| format!("{place}.{name}");
    let own = number.get(PHONE_NUMBER).ok_or_else(|| bad(&field(PHONE_NUMBER), "is required"))?;
    let own =
        own.as_str().ok_or_else(|| bad(&field(PHONE_NUMBER), &format!("must be a string, not {}", shown(own))))?;
    let mut given = Vec::new();
    for (key, value) in number.iter().filter(|(key, _)| *key != PHONE_NUMBER) {
        let Some(attribute) = OF_NUMBER.iter().find(|attribute| attribute.name == key) else {
            let near = OF_NUMBER.iter().map(|attribute| attribute.name);
            let near = near.min_by_key(|name| strsim::levenshtein(name, key)).unwrap_or(PHONE_NUMBER);
            return Err(bad(&field(key), &format!("is not an attribute of a number; did you mean {near}?")));
        };
        let text = match value {
            // Null means absent, as in other fields.
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(bad(&field(key), &format!("must be a string, not {}", shown(value))));
            }
        };
        given.push((attribute.parameter, text));
    }
    // Read as a form, so that the REST API's own checks apply.
    let form = Form::of(given.iter().map(|(parameter, text)| (*parameter, text.as_str())));
    let change = resource::number_change(&form, account).map_err(|error| bad(place, &error.message))?;
    Ok((phone_number(own, place)?, change))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn phone_number(text: &str, place: &str) -> Result<PhoneNumber, Problem> {
    text.parse().map_err(|error: crate::model::phone::NotE164| {
        bad(&format!("{place}.{PHONE_NUMBER}"), &format!("{text:?} is {error}"))
    })
}

fn word<T: std::fmt::Display>(
    text: Option<&str>,
    field: &str,
    read: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let words = || all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    read(text).map(Some).ok_or_else(|| bad(field, &format!("{text:?} is not one of {}", words())))
}

/// Reads a present field, even if it is null, as `Some`; with `#[serde(default)]`, `None` then means that the field is
/// missing.
fn present<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Option<Option<Box<str>>>, D::Error> {
    Deserialize::deserialize(field).map(Some)
}

fn bad(field: &str, why: &str) -> Problem {
    Problem::new(422, "bad-field", format!("{field}: {why}"))
}

fn view(registry: &Registry, world: &World) -> AccountView {
    let sid = world.sid();
    let seed = registry.settings().seed;
    let last_activity = world.last_activity();
    world.read(|engine| {
        let account = engine.account();
        let numbers: Vec<Value> = engine.numbers().map(|number| resource::number(number, sid, seed)).collect();
        AccountView {
            sid: sid.to_string(),
            auth_token: account.auth_token.clone(),
            signing_key: account.webhook_key().map(Into::into),
            friendly_name: account.friendly_name.clone(),
            dialect: account.dialect.as_str(),
            callbacks: engine.options().callbacks.as_str(),
            status: account.status.as_str(),
            owner: account.owner.map(|owner| owner.to_string()),
            service: account.service.as_str(),
            pedantic: engine.is_pedantic(),
            debugger_url: account.debugger_url.clone(),
            date_created: event::moment(account.created),
            faxes: engine.fax_count(),
            pending: engine.pending_count(),
            alerts: engine.alert_count(),
            last_activity: last_activity.map(event::moment),
            numbers,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_error_for_a_misspelt_attribute_suggests_the_nearest_one() {
        let number = json!({ "phone_number": "+15017122661", "voice_ulr": "http://app" });
        let refused =
            configured_number(number.as_object().expect("an object"), "numbers[0]", AccountSid::from_bytes([0; 16]));
        assert!(refused.is_err_and(|problem| format!("{problem:?}").contains("voice_url")));
    }
}
