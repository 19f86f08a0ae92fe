//! A world as one document that a person can read, and back: versioned, whole or not at all. It holds the API keys, but
//! no token, no journal and no snapshot; nothing of a document acts before all of it has been understood.

mod sound;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Engine;
use super::accounts::Keys;
use super::input::Canceled;
use super::journal::WayBack;
use super::retention::Retention;
use super::snapshot::Memory;
use crate::model::account::{Account, AccountStatus, Dialect, Service};
use crate::model::credential::ApiKey;
use crate::model::sid::{AccountSid, KeySid};
use crate::model::time::Timestamp;
use crate::model::words::words;

/// The version of the documents that are written, and the newest that is read.
pub const STATE_VERSION: u64 = 1;

/// The largest number that is read: what JSON readers everywhere hold exactly, and far beyond what is ever counted.
const COUNT_MAX: u64 = 1 << 53;

/// The field that tells the version.
const VERSION: &str = "fauxfax_state";
/// The field with the documents by their SHA-256.
const DOCUMENTS: &str = "documents";
const BASE64: &str = "base64";
const SHA256: &str = "sha256";

words!(
    /// How the documents of faxes are written.
    MediaForm {
        /// In the state itself.
        Inline = "inline",
        /// Those that are stored as media only named by their SHA-256, to be found in the world that reads the state.
        Hash = "hash",
    }
);

/// Why a document is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// There is no version in it.
    #[error("this is no state of a fauxfax world: it has no number {VERSION}")]
    NoState,
    /// A later fauxfax wrote it.
    #[error("written by a newer fauxfax: its {VERSION} is {found}, and this one reads up to {STATE_VERSION}")]
    Newer {
        /// Its version.
        found: u64,
    },
    /// Something in it is not understood, or names what is not there.
    #[error("{place}: {why}")]
    Wrong {
        /// Where, as `world.tables.faxes[0].quality`.
        place: String,
        /// What is wrong, for a person.
        why: String,
    },
    /// It names a document by its hash that is not to be had here.
    #[error(
        "{place}: neither the state nor this world has the document with the SHA-256 {hash}; export it with media=inline"
    )]
    NoDocument {
        /// Where it is first named.
        place: String,
        /// Its name.
        hash: String,
    },
}

/// A world to be written down, or one that has been read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    #[serde(rename = "fauxfax_state")]
    version: u64,
    /// Whose world it was.
    pub account_sid: AccountSid,
    /// Whether its clock stood still.
    #[serde(rename = "clock_frozen")]
    pub is_frozen: bool,
    account: Choices,
    keys: Keys,
    world: Memory,
}

/// What a world's account was beside its id and its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choices {
    friendly_name: Box<str>,
    dialect: Dialect,
    status: AccountStatus,
    service: Service,
    debugger_url: Option<Box<str>>,
    created: Timestamp,
    updated: Timestamp,
}

impl Engine {
    /// The world as it is at this moment; a cheap copy, to be written where nobody waits.
    #[must_use]
    pub fn state(&self, is_frozen: bool, now: Timestamp) -> State {
        let Account { friendly_name, dialect, status, service, debugger_url, created, updated, .. } =
            self.account.clone();
        let mut world = self.memory();
        world.taken = world.taken.max(now);
        sound::leave_out_loose_ends(&mut world);
        State {
            version: STATE_VERSION,
            account_sid: self.account.sid,
            is_frozen,
            account: Choices { friendly_name, dialect, status, service, debugger_url, created, updated },
            keys: self.keys.clone(),
            world,
        }
    }

    /// The documents that a state may name by their hash.
    #[must_use]
    pub fn stored_documents(&self) -> Vec<Arc<[u8]>> {
        let media = self.tables.faxes().filter_map(|fax| fax.media.as_ref());
        media.map(|media| Arc::clone(&media.document.bytes)).collect()
    }

    /// Puts a state in the world's place; its token, its journal and its snapshots stay. A clock that stands earlier than
    /// the state's has to be moved to `latest` afterwards.
    pub fn load_state(&mut self, state: State, now: Timestamp) -> Canceled {
        let State { account, keys, world: mut memory, .. } = state;
        let Choices { friendly_name, dialect, status, service, debugger_url, created, updated } = account;
        self.account =
            Account { friendly_name, dialect, status, service, debugger_url, created, updated, ..self.account.clone() };
        self.keys = keys;
        memory.retention = Retention::of(memory.tables.faxes().map(|fax| &**fax));
        let now = self.tick(now.max(memory.taken));
        let canceled = self.go_back(memory, WayBack::State, now);
        self.keep_budget(now);
        canceled
    }
}

impl State {
    /// Whether what it says holds together, as when it is read.
    ///
    /// # Errors
    /// The first thing that doesn't.
    pub fn check(&self) -> Result<(), StateError> {
        sound::check(&self.world)
    }

    /// The API keys in it.
    pub fn keys(&self) -> impl Iterator<Item = KeySid> {
        self.keys.newest_first().map(|key: &ApiKey| key.sid)
    }

    /// The document, of which each fax's stands once, however many faxes share it.
    #[must_use]
    pub fn to_json(&self, media: MediaForm) -> Value {
        let mut document = serde_json::to_value(self).unwrap_or_default();
        let mut documents = BTreeMap::new();
        visit(&mut document, &mut Vec::new(), &mut |fields, _| {
            fields.retain(|_, value| !value.is_null());
            let Some(Value::String(text)) = fields.remove(BASE64) else { return };
            let name = hash(&BASE64_STANDARD.decode(&text).unwrap_or_default());
            fields.insert(SHA256.to_owned(), name.clone().into());
            documents.insert(name, Value::String(text));
        });
        if media == MediaForm::Hash {
            let stored = self.world.tables.faxes().filter_map(|fax| fax.media.as_ref());
            stored.for_each(|media| drop(documents.remove(&hash(&media.document.bytes))));
        }
        document[DOCUMENTS] = documents.into_iter().collect::<Map<_, _>>().into();
        document
    }

    /// Reads a document; `stored` are the documents that it may name without having them.
    ///
    /// # Errors
    /// Anything in it is not understood.
    pub fn of_json(mut document: Value, stored: &[Arc<[u8]>]) -> Result<Self, StateError> {
        let version = document.get(VERSION).and_then(Value::as_u64).ok_or(StateError::NoState)?;
        if version > STATE_VERSION {
            return Err(StateError::Newer { found: version });
        }
        if let Some(place) = beyond_counting(&document, &mut Vec::new()) {
            return Err(StateError::Wrong { place, why: format!("is a number over {COUNT_MAX}") });
        }
        let documents = document.as_object_mut().and_then(|fields| fields.remove(DOCUMENTS));
        bring_documents(&mut document, documents.unwrap_or_default(), stored)?;
        let state: Self = serde_path_to_error::deserialize(document).map_err(|error| {
            let place = error.path().to_string();
            StateError::Wrong { place, why: error.into_inner().to_string() }
        })?;
        sound::check(&state.world)?;
        Ok(state)
    }
}

/// Puts the documents that are named by hash in their places.
fn bring_documents(document: &mut Value, documents: Value, stored: &[Arc<[u8]>]) -> Result<(), StateError> {
    let wrong = |place: String, why: &str| StateError::Wrong { place, why: why.to_owned() };
    let mut known = match documents {
        Value::Null => Map::new(),
        Value::Object(documents) => documents,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(wrong(DOCUMENTS.to_owned(), "must be an object: base64 by SHA-256"));
        }
    };
    for (name, text) in &known {
        let bytes = text.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
        let bytes = bytes.ok_or_else(|| wrong(format!("{DOCUMENTS}.{name}"), "is no base64"))?;
        if hash(&bytes) != *name {
            return Err(wrong(format!("{DOCUMENTS}.{name}"), "is not the document with that SHA-256"));
        }
    }
    let (mut missing, mut named) = (BTreeMap::new(), BTreeSet::new());
    visit(document, &mut Vec::new(), &mut |fields, place| {
        let Some(name) = fields.get(SHA256).and_then(Value::as_str) else { return };
        named.insert(name.to_owned());
        if !known.contains_key(name) {
            missing.entry(name.to_owned()).or_insert_with(|| place.concat());
        }
    });
    if let Some(unused) = known.keys().find(|name| !named.contains(*name)) {
        return Err(wrong(format!("{DOCUMENTS}.{unused}"), "is the document of no fax"));
    }
    for bytes in stored {
        if missing.is_empty() {
            break;
        }
        let name = hash(bytes);
        if missing.remove(&name).is_some() {
            known.insert(name, BASE64_STANDARD.encode(bytes).into());
        }
    }
    if let Some((hash, place)) = missing.into_iter().min_by(|one, other| one.1.cmp(&other.1)) {
        return Err(StateError::NoDocument { place, hash });
    }
    visit(document, &mut Vec::new(), &mut |fields, _| {
        let Some(text) = fields.get(SHA256).and_then(Value::as_str).and_then(|name| known.get(name)).cloned() else {
            return;
        };
        fields.remove(SHA256);
        fields.insert(BASE64.to_owned(), text);
    });
    Ok(())
}

/// Shows each object to `each`, with its place.
fn visit(value: &mut Value, place: &mut Vec<String>, each: &mut impl FnMut(&mut Map<String, Value>, &[String])) {
    match value {
        Value::Object(fields) => {
            each(fields, place);
            for (name, value) in fields {
                place.push(if place.is_empty() { name.clone() } else { format!(".{name}") });
                visit(value, place, each);
                place.pop();
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter_mut().enumerate() {
                place.push(format!("[{at}]"));
                visit(value, place, each);
                place.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The place of a whole number that no world ever counts to, if there is one: adding to it could overflow.
fn beyond_counting(value: &Value, place: &mut Vec<String>) -> Option<String> {
    match value {
        Value::Number(number) => number.as_u64().filter(|number| *number > COUNT_MAX).map(|_| place.concat()),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            place.push(if place.is_empty() { name.clone() } else { format!(".{name}") });
            let found = beyond_counting(value, place);
            place.pop();
            found
        }),
        Value::Array(values) => values.iter().enumerate().find_map(|(at, value)| {
            place.push(format!("[{at}]"));
            let found = beyond_counting(value, place);
            place.pop();
            found
        }),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
