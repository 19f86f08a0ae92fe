//! A world as one document that a person can read, and back: versioned, whole or not at all. It holds the API keys, but
//! no token, no journal and no snapshot; nothing of a document acts before all of it has been understood.

mod check;
mod form;
mod format;
pub mod log;
mod outline;
mod shelf;
mod upgrade;

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde::ser::{SerializeMap, Serializer as _};
use serde_json::Value;

use self::format::World;
use self::format::accounts::{ApiKey, Choices, OrderedMap};
use self::outline::{Inline, Outline};
use self::upgrade::{STATE_STEPS, Step, Undocumented};
use super::Engine;
use super::accounts::Keys;
use super::event::ResetTo;
use super::retention::Retention;
use super::rewind::Canceled;
use super::rewind::Snapshot;
use crate::model::sid::{AccountSid, KeySid};
use crate::model::time::Timestamp;
use crate::model::words::words;

/// The version of the documents that are written, and the newest that is read.
pub const STATE_VERSION: u64 = 2;

/// The largest number that is read: what JSON readers everywhere hold exactly, and far beyond what is ever counted.
const COUNT_MAX: u64 = 1 << 53;

/// Values in a document of an earlier version, which is held as a whole: a small one takes 40 times its text.
const UPGRADED_VALUES_MAX: usize = 500_000;

/// The field that tells the version.
const VERSION: &str = "fauxfax_state";
/// The field with the documents by their SHA-256.
const DOCUMENTS: &str = "documents";

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
    /// It is not even JSON.
    #[error("this is no JSON: {why}")]
    NoJson {
        /// What is wrong.
        why: String,
    },
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
#[derive(Debug, Clone)]
pub struct State {
    /// Whose world it was.
    pub account_sid: AccountSid,
    /// Whether its clock stood still.
    pub is_frozen: bool,
    account: Choices,
    keys: Keys,
    world: Snapshot,
}

/// Puts a state in the world's place; its token, its journal and its snapshots stay. A clock that stands earlier than the
/// state's has to be moved to `latest` afterwards.
#[derive(Debug, Clone)]
pub struct LoadState(pub State);

/// A state as it is read, after its version and its documents.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenState {
    #[serde(rename = "fauxfax_state")]
    _version: u64,
    account_sid: AccountSid,
    #[serde(rename = "clock_frozen")]
    is_frozen: bool,
    account: Choices,
    keys: OrderedMap<ApiKey>,
    world: World,
    #[serde(default, rename = "documents")]
    _documents: IgnoredAny,
}

impl Engine {
    /// The world as it is at this moment; a cheap copy, to be written where nobody waits.
    #[must_use]
    pub fn state(&self, is_frozen: bool, now: Timestamp) -> State {
        let mut world = self.snapshot();
        world.taken = world.taken.max(now);
        check::leave_out_loose_ends(&mut world.world);
        State {
            account_sid: self.account.sid,
            is_frozen,
            account: Choices::of(&self.account),
            keys: self.keys.clone(),
            world,
        }
    }

    /// The documents that a state may name by their hash.
    #[must_use]
    pub fn stored_documents(&self) -> Vec<Arc<[u8]>> {
        let media = self.world.tables.faxes().filter_map(|fax| fax.media.as_ref());
        media.map(|media| Arc::clone(&media.document.bytes)).collect()
    }

    pub(super) fn load_state(&mut self, LoadState(state): LoadState, now: Timestamp) -> Canceled {
        let State { account, keys, world: mut snapshot, .. } = state;
        self.account = account.made_for(&self.account);
        self.keys = keys;
        snapshot.world.retention = Retention::of(snapshot.world.tables.faxes().map(|fax| &**fax));
        let now = self.tick(now.max(snapshot.taken));
        let canceled = self.rewind_to(snapshot, ResetTo::State, now);
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
        check::check(&self.world.world)
    }

    /// The API keys in it.
    pub fn keys(&self) -> impl Iterator<Item = KeySid> {
        self.keys.newest_first().map(|key| key.sid)
    }

    /// Writes the document, in which each fax's document stands once, however many faxes share it. A part of it is made at
    /// a time.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, media: MediaForm, out: impl io::Write) -> serde_json::Result<()> {
        shelf::writing(|| {
            let mut serializer = serde_json::Serializer::new(out);
            let mut fields = serializer.serialize_map(None)?;
            fields.serialize_entry(VERSION, &STATE_VERSION)?;
            fields.serialize_entry("account_sid", &self.account_sid)?;
            fields.serialize_entry("clock_frozen", &self.is_frozen)?;
            fields.serialize_entry("account", &self.account)?;
            fields.serialize_entry("keys", &OrderedMap::<ApiKey>::of(&self.keys))?;
            fields.serialize_entry("world", &World::of(&self.world))?;
            let mut documents = shelf::written();
            if media == MediaForm::Hash {
                let stored = self.world.world.tables.faxes().filter_map(|fax| fax.media.as_ref());
                stored
                    .filter_map(|media| shelf::name(&media.document.bytes))
                    .for_each(|name| drop(documents.remove(&name)));
            }
            fields.serialize_entry(DOCUMENTS, &Inline(&documents))?;
            fields.end()
        })
    }

    /// The document as a value, for those that are small.
    #[must_use]
    pub fn to_json(&self, media: MediaForm) -> Value {
        let mut text = Vec::new();
        self.write(media, &mut text).and_then(|()| serde_json::from_slice(&text)).unwrap_or_default()
    }

    /// Reads a document; `stored` are the documents that it may name without having them.
    ///
    /// # Errors
    /// Anything in it is not understood.
    pub fn read(text: &[u8], stored: &[Arc<[u8]>]) -> Result<Self, StateError> {
        Self::read_by(&STATE_STEPS, text, stored)
    }

    /// As [`State::read`], where these steps lead to the version of today.
    fn read_by(steps: &[Step], text: &[u8], stored: &[Arc<[u8]>]) -> Result<Self, StateError> {
        let outline = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(text));
        let Outline { version, documents } =
            outline.map_err(|error: serde_path_to_error::Error<serde_json::Error>| {
                let (place, is_data) = (error.path().to_string(), error.inner().is_data());
                let why = error.into_inner().to_string();
                if is_data { StateError::Wrong { place, why } } else { StateError::NoJson { why } }
            })?;
        let version = version.ok_or(StateError::NoState)?;
        if version == 0 {
            return Err(StateError::Wrong { place: VERSION.to_owned(), why: "the first version is 1".to_owned() });
        }
        if version > upgrade::newest(steps) {
            return Err(StateError::Newer { found: version });
        }
        let documents = documents.map_err(|(place, why)| StateError::Wrong { place, why })?;
        let upgraded = if version < upgrade::newest(steps) { Some(upgraded(steps, version, text)?) } else { None };
        let (state, shelf) = shelf::reading(shelf::Read::new(documents, stored), || match upgraded {
            Some(document) => serde_path_to_error::deserialize(document),
            None => serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(text)),
        });
        let WrittenState { _version: _, account_sid, is_frozen, account, keys, world, _documents: _ } =
            state.map_err(|error: serde_path_to_error::Error<serde_json::Error>| {
                let place = error.path().to_string();
                match shelf.missing.clone() {
                    Some(hash) => StateError::NoDocument { place, hash },
                    None => StateError::Wrong { place, why: error.into_inner().to_string() },
                }
            })?;
        let keys = keys.value().map_err(|why| StateError::Wrong { place: "keys".to_owned(), why })?;
        let world = Snapshot::try_from(world)?;
        if let Some(unused) = shelf.unused() {
            let why = "is the document of no fax".to_owned();
            return Err(StateError::Wrong { place: format!("{DOCUMENTS}.{unused}"), why });
        }
        check::check(&world.world)?;
        Ok(Self { account_sid, is_frozen, account, keys, world })
    }

    /// As [`State::read`], for a document that has been parsed already.
    ///
    /// # Errors
    /// As [`State::read`].
    pub fn of_json(document: &Value, stored: &[Arc<[u8]>]) -> Result<Self, StateError> {
        Self::read(document.to_string().as_bytes(), stored)
    }
}

/// A document of an earlier version as one of today; but for its documents, it is held as one value meanwhile.
fn upgraded(steps: &[Step], version: u64, text: &[u8]) -> Result<Value, StateError> {
    // Each value follows one of these, or is the first.
    let values = text.iter().filter(|byte| b",[{".contains(byte)).count();
    if values > UPGRADED_VALUES_MAX {
        let why = format!("a state of version {version} may have at most {UPGRADED_VALUES_MAX} values");
        return Err(StateError::Wrong { place: VERSION.to_owned(), why });
    }
    let Undocumented(mut document) =
        serde_json::from_slice(text).map_err(|error| StateError::NoJson { why: error.to_string() })?;
    upgrade::upgrade(&mut document, version, steps)?;
    Ok(Value::Object(document))
}
