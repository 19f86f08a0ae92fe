//! Writes a world as one readable, versioned document, and reads it back completely or not at all. The document
//! contains the API keys, but no token, journal or snapshots.

mod check;
mod fault;
mod form;
mod format;
mod ids;
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
use self::outline::{Inline, Outline, Version};
use self::upgrade::{STATE_STEPS, Step, Undocumented};
use super::Engine;
use super::accounts::Keys;
use super::event::ResetTo;
use super::retention::Retention;
use super::rewind::Canceled;
use super::rewind::Snapshot;
use crate::model::account::Dialect;
use crate::model::sid::{AccountSid, KeySid};
use crate::model::time::Timestamp;
use crate::model::words::words;

/// The version of written documents, and the newest that can be read.
pub const STATE_VERSION: u64 = 2;

/// The largest number that can be read: every JSON reader represents it exactly, and no counter ever comes close.
const COUNT_MAX: u64 = 1 << 53;

/// The maximum number of values in a document of an earlier version. Such a document is upgraded in memory, where it
/// takes 40 times the size of its text.
const UPGRADED_VALUES_MAX: usize = 500_000;

/// The field with the document's version.
const VERSION: &str = "fauxfax_state";
/// The field with the documents of faxes, by their SHA-256.
const DOCUMENTS: &str = "documents";

words!(
    /// The form in which a state includes its faxes' documents.
    MediaForm {
        /// The state contains the documents as base64.
        Inline = "inline",
        /// The state names stored media only by their SHA-256; the world that loads the state must already have them.
        Hash = "hash",
    }
);

/// The reason that a state can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The document is JSON, but has no version.
    #[error("this is not the state of a fauxfax world: it has no field {VERSION}")]
    NoState,
    /// The document isn't valid JSON.
    #[error("this is not JSON: {why}")]
    NoJson {
        /// The JSON parser's error, with its line and column.
        why: String,
    },
    /// A later version of fauxfax wrote the document.
    #[error(
        "a newer fauxfax wrote this: its {VERSION} is {found}, and this one reads up to {STATE_VERSION}; update fauxfax"
    )]
    Newer {
        /// The version that the document names.
        found: u64,
    },
    /// A part of the state is unknown or invalid, or refers to something that is missing.
    #[error("{place}: {why}")]
    Wrong {
        /// The path to that part, such as `world.tables.faxes[0].quality`.
        place: String,
        /// An explanation of the problem, for people.
        why: String,
    },
    /// The state names a document by its hash, but neither the state nor the world has that document.
    #[error(
        "{place}: neither the state nor this world has the document with the SHA-256 {hash}; export the state with \
         media=inline"
    )]
    NoDocument {
        /// The path of the first field that names the document.
        place: String,
        /// The SHA-256 of the document, in hexadecimal digits.
        hash: String,
    },
}

impl From<serde_path_to_error::Error<serde_json::Error>> for StateError {
    /// Rephrases a parser's error for people.
    fn from(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let (place, why) = fault::of(&error);
        Self::Wrong { place, why }
    }
}

/// Checks the version of a parsed document: a state, or a file with the same version field that contains states.
///
/// # Errors
/// Returns an error if the version is missing or can't be read.
pub fn check_version(document: &Value) -> Result<(), StateError> {
    // The error never occurs, because a `Version` can be read from any value.
    let version = document.get(VERSION).and_then(|version| Version::deserialize(version).ok());
    readable(version.unwrap_or(Version::Missing), STATE_VERSION).map(drop)
}

/// Returns the number of a version if documents of that version can be read; `newest` is the highest such number.
fn readable(version: Version, newest: u64) -> Result<u64, StateError> {
    let wrong = |why: String| Err(StateError::Wrong { place: VERSION.to_owned(), why });
    match version {
        Version::Missing => Err(StateError::NoState),
        Version::Other(shown) => wrong(format!("must be a whole number from 1 to {newest}, not {shown}")),
        Version::Number(0) => wrong("must be at least 1".to_owned()),
        Version::Number(found) if found > newest => Err(StateError::Newer { found }),
        Version::Number(version) => Ok(version),
    }
}

/// A world to be written, or one that has been read.
#[derive(Debug, Clone)]
pub struct State {
    /// The SID of the account that owns the world.
    pub account_sid: AccountSid,
    /// Whether the world's clock was frozen.
    pub is_frozen: bool,
    account: Choices,
    keys: Keys,
    world: Snapshot,
}

/// Replaces the world with a state; the token, journal and snapshots stay. If the world's clock is behind the time of
/// the state, the caller must then move the clock to `Engine::latest`.
#[derive(Debug, Clone)]
pub struct LoadState(pub State);

/// The remaining fields of a state, after its version and documents have been read from the outline.
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
    /// Captures the world's current state: a cheap copy, to be written outside the world's lock.
    #[must_use]
    pub fn state(&self, is_frozen: bool, now: Timestamp) -> State {
        let mut world = self.snapshot();
        // The last command may have been long ago, so deadlines are closer now than they were then.
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

    /// Returns the stored documents, which a state to be read may name by their hashes.
    #[must_use]
    pub fn stored_documents(&self) -> Vec<Arc<[u8]>> {
        let media = self.world.tables.faxes().filter_map(|fax| fax.media.as_ref());
        media.map(|media| Arc::clone(&media.document.bytes)).collect()
    }

    pub(super) fn load_state(&mut self, LoadState(state): LoadState, now: Timestamp) -> Canceled {
        let State { account, keys, world: mut snapshot, .. } = state;
        self.account = account.made_for(&self.account);
        self.keys = keys;
        // Not part of the document, because it is derived from the faxes.
        snapshot.world.retention = Retention::of(snapshot.world.tables.faxes().map(|fax| &**fax));
        // The time must not be before that of the state, because deadlines are postponed by the time that has passed
        // since the state was taken.
        let now = self.tick(now.max(snapshot.taken));
        let canceled = self.rewind_to(snapshot, ResetTo::State, now);
        // The world that wrote the state may have had a larger budget.
        self.keep_budget(now);
        canceled
    }
}

impl State {
    /// Checks that the state is consistent, as reading does.
    ///
    /// # Errors
    /// Returns the first inconsistency found.
    pub fn check(&self) -> Result<(), StateError> {
        self.account.check(self.account_sid)?;
        let dialect = Dialect::of(self.account_sid);
        ids::check(&self.world.world, &self.keys, dialect)?;
        check::check(&self.world.world, dialect)
    }

    /// Returns the SIDs of the account's API keys.
    pub fn keys(&self) -> impl Iterator<Item = KeySid> {
        self.keys.newest_first().map(|key| key.sid)
    }

    /// Writes the document. Each fax document appears once, however many faxes share it, and only a part of the text is
    /// in memory at a time.
    ///
    /// # Errors
    /// Returns the writer's error.
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
            // Every document has been named by now.
            let mut documents = shelf::written();
            if media == MediaForm::Hash {
                // Documents that are not stored as media, such as those still being sent, stay in the state, because
                // the world that reads it would have no copy.
                let stored = self.world.world.tables.faxes().filter_map(|fax| fax.media.as_ref());
                stored
                    .filter_map(|media| shelf::name(&media.document.bytes))
                    .for_each(|name| drop(documents.remove(&name)));
            }
            fields.serialize_entry(DOCUMENTS, &Inline(&documents))?;
            fields.end()
        })
    }

    /// Returns the document as a value in memory, for small states.
    ///
    /// # Errors
    /// Returns the serializer's error.
    pub fn to_json(&self, media: MediaForm) -> serde_json::Result<Value> {
        let mut text = Vec::new();
        self.write(media, &mut text)?;
        serde_json::from_slice(&text)
    }

    /// Reads a state; `stored` contains the documents that the state may name by their hashes.
    ///
    /// # Errors
    /// Returns the first invalid part.
    pub fn read(text: &[u8], stored: &[Arc<[u8]>]) -> Result<Self, StateError> {
        Self::read_by(&STATE_STEPS, text, stored)
    }

    /// Does the same as [`State::read`], with these upgrade steps.
    fn read_by(steps: &[Step], text: &[u8], stored: &[Arc<[u8]>]) -> Result<Self, StateError> {
        let mut source = serde_json::Deserializer::from_slice(text);
        let outline = serde_path_to_error::deserialize(&mut source);
        let Outline { version, documents } =
            outline.map_err(|error: serde_path_to_error::Error<serde_json::Error>| {
                if error.inner().is_data() {
                    return StateError::from(error);
                }
                StateError::NoJson { why: error.into_inner().to_string() }
            })?;
        // Without this check, trailing content would go unnoticed.
        source.end().map_err(|error| StateError::NoJson { why: error.to_string() })?;
        let version = readable(version, upgrade::newest(steps))?;
        let documents = documents.map_err(|(place, why)| StateError::Wrong { place, why })?;
        // A current document is read from its text, which takes far less memory than a value would.
        let upgraded = if version < upgrade::newest(steps) { Some(upgraded(steps, version, text)?) } else { None };
        let (state, shelf) = shelf::reading(shelf::Read::new(documents, stored), || match upgraded {
            Some(document) => serde_path_to_error::deserialize(document),
            None => serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(text)),
        });
        let WrittenState { _version: _, account_sid, is_frozen, account, keys, world, _documents: _ } =
            state.map_err(|error: serde_path_to_error::Error<serde_json::Error>| match shelf.missing.clone() {
                Some(hash) => StateError::NoDocument { place: error.path().to_string(), hash },
                None => StateError::from(error),
            })?;
        account.check(account_sid)?;
        let keys = keys.value().map_err(|why| StateError::Wrong { place: "keys".to_owned(), why })?;
        let world = Snapshot::try_from(world)?;
        if let Some(unused) = shelf.unused() {
            let why = "doesn't belong to any fax in the state".to_owned();
            return Err(StateError::Wrong { place: format!("{DOCUMENTS}.{unused}"), why });
        }
        let state = Self { account_sid, is_frozen, account, keys, world };
        state.check()?;
        Ok(state)
    }

    /// Does the same as [`State::read`], for a parsed document.
    ///
    /// # Errors
    /// Returns the same errors as [`State::read`].
    pub fn of_json(document: &Value, stored: &[Arc<[u8]>]) -> Result<Self, StateError> {
        Self::read(document.to_string().as_bytes(), stored)
    }
}

/// Upgrades a document of an earlier version. All of it except faxes' documents is held in memory as one value.
fn upgraded(steps: &[Step], version: u64, text: &[u8]) -> Result<Value, StateError> {
    // Each value but the first follows one of these characters, so their count is an upper bound.
    let values = text.iter().filter(|byte| b",[{".contains(byte)).count();
    if values > UPGRADED_VALUES_MAX {
        let why = format!(
            "a state of version {version} may have at most {UPGRADED_VALUES_MAX} values, because it is upgraded in \
             memory, but this one has up to {values}; export it again with fewer faxes, or from the latest fauxfax \
             that reads it"
        );
        return Err(StateError::Wrong { place: VERSION.to_owned(), why });
    }
    let Undocumented(mut document) =
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(text)).map_err(StateError::from)?;
    upgrade::upgrade(&mut document, version, steps)?;
    Ok(Value::Object(document))
}
