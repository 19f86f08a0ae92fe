//! The written form of an account's attributes, and of its lists: API keys, caller ids, applications.

use std::collections::BTreeMap;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use crate::engine::caller_ids::CallerIds;
use crate::engine::export::StateError;
use crate::engine::export::form::{Form, List, attributes, form};
use crate::engine::ordered_map;
use crate::model::account::{Account, AccountStatus, Dialect, Service, check_signing_key};
use crate::model::phone::PhoneNumber;
use crate::model::sid::{AccountSid, ApplicationSid, KeySid, NumberSid};
use crate::model::time::Timestamp;
use crate::model::webhook::Method;
use crate::model::{application, credential};

/// The account attributes that a state contains: all except the SID, the ordinal, the owner and the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine::export) struct Choices {
    friendly_name: Box<str>,
    dialect: Dialect,
    status: AccountStatus,
    service: Service,
    #[serde(skip_serializing_if = "Option::is_none")]
    debugger_url: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_key: Option<Box<str>>,
    created: Timestamp,
    updated: Timestamp,
}

impl Choices {
    pub(in crate::engine::export) fn of(account: &Account) -> Self {
        // Every field is named, so that adding one forces a decision here.
        let Account {
            sid: _,
            auth_token: _,
            signing_key,
            friendly_name,
            dialect,
            created,
            updated,
            ordinal: _,
            owner: _,
            status,
            service,
            debugger_url,
        } = account.clone();
        Self { friendly_name, dialect, status, service, debugger_url, signing_key, created, updated }
    }

    /// Refuses a dialect that doesn't match the form of the account's SID, and a service or signing key that an account
    /// of that dialect can't have.
    pub(in crate::engine::export) fn check(&self, sid: AccountSid) -> Result<(), StateError> {
        let wrong = |field: &str, why: String| StateError::Wrong { place: format!("account.{field}"), why };
        let of_sid = Dialect::of(sid);
        if self.dialect != of_sid {
            let why = format!("is {}, but account_sid is the id of a {of_sid} account", self.dialect);
            return Err(wrong("dialect", why));
        }
        of_sid.check_service(self.service).map_err(|why| wrong("service", format!("must {why}")))?;
        let Some(key) = &self.signing_key else { return Ok(()) };
        match of_sid {
            Dialect::Twilio => {
                let why = "must be left out of a Twilio account, whose token signs its webhooks";
                Err(wrong("signing_key", why.to_owned()))
            }
            Dialect::SignalWire => check_signing_key(key).map_err(|why| wrong("signing_key", format!("must {why}"))),
        }
    }

    /// Applies these attributes to an account, which keeps its SID, ordinal, owner and token and, if it has one, its
    /// signing key.
    pub(in crate::engine::export) fn made_for(self, account: &Account) -> Account {
        let Self { friendly_name, dialect, status, service, debugger_url, signing_key, created, updated } = self;
        let signing_key = account.signing_key.clone().or(signing_key);
        Account {
            friendly_name,
            dialect,
            status,
            service,
            debugger_url,
            signing_key,
            created,
            updated,
            ..account.clone()
        }
    }
}

/// A list of values in the order of creation, and the ordinal of the last one ever added.
#[derive(Serialize, Deserialize)]
// serde need not add any bounds, since `Form` implies them.
#[serde(deny_unknown_fields, bound = "")]
pub(in crate::engine::export) struct OrderedMap<F: Form> {
    last: u64,
    list: List<F>,
}

/// A value in one of an account's lists, which has a place in the list and an id.
pub(in crate::engine::export) trait Registered: Clone {
    type Id: Eq + Hash;
    fn place(&self) -> (u64, Self::Id);
}

impl Registered for credential::ApiKey {
    type Id = KeySid;
    fn place(&self) -> (u64, KeySid) {
        (self.ordinal, self.sid)
    }
}

impl Registered for credential::CallerId {
    type Id = NumberSid;
    fn place(&self) -> (u64, NumberSid) {
        (self.ordinal, self.sid)
    }
}

impl Registered for application::Application {
    type Id = ApplicationSid;
    fn place(&self) -> (u64, ApplicationSid) {
        (self.ordinal, self.sid)
    }
}

impl<F: Form> Default for OrderedMap<F> {
    fn default() -> Self {
        Self { last: 0, list: List(Vec::new()) }
    }
}

impl<F: Form<Of: Registered>> OrderedMap<F> {
    /// Returns whether no value has ever been added. Such a list isn't written, so that the states of older versions,
    /// which had no such list, stay the same.
    pub(in crate::engine::export) const fn is_untouched(&self) -> bool {
        self.last == 0
    }

    pub(in crate::engine::export) fn of(register: &ordered_map::OrderedMap<<F::Of as Registered>::Id, F::Of>) -> Self {
        // Written in the order of creation, because `value` refuses any other order.
        Self { last: register.last, list: List(register.oldest_first().cloned().collect()) }
    }

    /// Converts the list, or says why it is invalid.
    pub(in crate::engine::export) fn value(
        self,
    ) -> Result<ordered_map::OrderedMap<<F::Of as Registered>::Id, F::Of>, String> {
        let Self { last, list: List(list) } = self;
        let mut register = ordered_map::OrderedMap::default();
        register.last = last;
        let mut before = 0;
        for thing in list {
            let (ordinal, id) = thing.place();
            // The map would silently replace a duplicate.
            if ordinal <= before || register.get(&id).is_some() {
                return Err(format!("number {ordinal} of the list appears twice or out of order"));
            }
            before = ordinal;
            // An edited state may count fewer values than it lists, but no ordinal may be taken twice.
            register.last = register.last.max(ordinal);
            register.insert(ordinal, id, thing);
        }
        Ok(register)
    }
}

/// Rebuilds the caller ids and the index of their numbers, or says why they are invalid.
pub(super) fn caller_ids(written: OrderedMap<CallerId>) -> Result<CallerIds, String> {
    let register = written.value()?;
    let by_number: BTreeMap<_, _> = register.newest_first().map(|held| (held.number, held.sid)).collect();
    if by_number.len() != register.len() {
        return Err("a number appears twice".to_owned());
    }
    Ok(CallerIds { register, by_number })
}

form! {
    struct ApiKey for credential::ApiKey {
        sid: KeySid,
        ordinal: u64,
        secret: Box<str>,
        friendly_name: Box<str>,
        created: Timestamp,
        updated: Timestamp,
    }
}

form! {
    /// A number that the account doesn't own but may send faxes from.
    struct CallerId for credential::CallerId {
        sid: NumberSid,
        ordinal: u64,
        number: PhoneNumber,
        friendly_name: Box<str>,
        created: Timestamp,
        updated: Timestamp,
    }
}

form! {
    struct Application for application::Application {
        sid: ApplicationSid,
        ordinal: u64,
        created: Timestamp,
        updated: Timestamp,
        attributes: ApplicationAttributes,
    }
}

attributes! {
    ApplicationAttributes for application::ApplicationAttributes,
    ApplicationChange for application::ApplicationChange,
    friendly_name: Box<str>,
    api_version: Box<str>,
    voice_url: Box<str>,
    voice_method: Method,
    voice_fallback_url: Box<str>,
    voice_fallback_method: Method,
    status_callback: Box<str>,
    status_callback_method: Method,
    voice_caller_id_lookup: bool,
    sms_url: Box<str>,
    sms_method: Method,
    sms_fallback_url: Box<str>,
    sms_fallback_method: Method,
    sms_status_callback: Box<str>,
    message_status_callback: Box<str>,
}
