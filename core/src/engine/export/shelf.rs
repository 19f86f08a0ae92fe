//! The documents of a state while it is written or read, kept on a thread-local shelf. In the state itself, a document
//! only names its bytes by their hash, so that the bytes appear only once, however many faxes share them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::hex;

/// Documents by SHA-256, in hexadecimal digits.
pub(super) type ByHash = BTreeMap<String, Arc<[u8]>>;

thread_local! {
    /// Thread-local, because serde can't pass context to nested values, and one thread writes or reads a state.
    static SHELF: RefCell<Option<Shelf>> = const { RefCell::new(None) };
}

enum Shelf {
    Writing(Written),
    Reading(Read),
}

/// The documents named so far by a state being written.
#[derive(Default)]
struct Written {
    documents: ByHash,
    /// The hashes by the bytes' addresses, so that each document is hashed only once.
    hashes: BTreeMap<usize, String>,
}

/// The documents that a state being read may name.
#[derive(Default)]
pub(super) struct Read {
    /// The documents in the state itself.
    own: ByHash,
    /// The stored documents of the world that loads the state.
    stored: Vec<Arc<[u8]>>,
    stored_by_hash: Option<ByHash>,
    used: BTreeSet<String>,
    /// The first hash that was named but not found, for the error.
    pub(super) missing: Option<String>,
}

impl Written {
    fn name(&mut self, bytes: &Arc<[u8]>) -> String {
        // The state being written keeps all its documents alive, so an address can't come to mean another document.
        let hash = self.hashes.entry(place(bytes)).or_insert_with(|| hash(bytes)).clone();
        self.documents.entry(hash.clone()).or_insert_with(|| Arc::clone(bytes));
        hash
    }
}

impl Read {
    pub(super) fn new(own: ByHash, stored: &[Arc<[u8]>]) -> Self {
        Self { own, stored: stored.to_vec(), ..Self::default() }
    }

    /// Returns the first document in the state that no fax names.
    pub(super) fn unused(&self) -> Option<&str> {
        self.own.keys().find(|name| !self.used.contains(*name)).map(String::as_str)
    }

    fn find(&mut self, name: &str) -> Option<Arc<[u8]>> {
        if let Some(own) = self.own.get(name) {
            self.used.insert(name.to_owned());
            return Some(Arc::clone(own));
        }
        // Hashed only when the state lacks a document, because hashing all documents of a world takes a while.
        let by_hash = || self.stored.iter().map(|bytes| (hash(bytes), Arc::clone(bytes))).collect();
        let found = self.stored_by_hash.get_or_insert_with(by_hash).get(name).cloned();
        if found.is_none() && self.missing.is_none() {
            self.missing = Some(name.to_owned());
        }
        found
    }
}

/// Runs `work` with a shelf that collects the documents being written; `work` can get them from [`written`].
pub(super) fn writing<T>(work: impl FnOnce() -> T) -> T {
    with(Shelf::Writing(Written::default()), work).0
}

/// Runs `work` with a shelf of the documents being read, and returns the shelf.
pub(super) fn reading<T>(shelf: Read, work: impl FnOnce() -> T) -> (T, Read) {
    let (done, shelf) = with(Shelf::Reading(shelf), work);
    // Never another kind of shelf, since `with` returns the one that it was given.
    let Some(Shelf::Reading(read)) = shelf else { return (done, Read::default()) };
    (done, read)
}

/// Returns the documents named so far in the current [`writing`].
pub(super) fn written() -> ByHash {
    SHELF.with_borrow(|shelf| match shelf {
        Some(Shelf::Writing(written)) => written.documents.clone(),
        Some(Shelf::Reading(_)) | None => ByHash::new(),
    })
}

/// Puts a document on the shelf and returns its name; `None` outside of [`writing`], where documents are written
/// inline.
pub(super) fn name(bytes: &Arc<[u8]>) -> Option<String> {
    SHELF.with_borrow_mut(|shelf| match shelf {
        Some(Shelf::Writing(written)) => Some(written.name(bytes)),
        Some(Shelf::Reading(_)) | None => None,
    })
}

/// Returns the document with this name; `None` if it is missing, or outside of [`reading`].
pub(super) fn find(name: &str) -> Option<Arc<[u8]>> {
    SHELF.with_borrow_mut(|shelf| match shelf {
        Some(Shelf::Reading(read)) => read.find(name),
        Some(Shelf::Writing(_)) | None => None,
    })
}

/// Returns the SHA-256 of a document in hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn place(bytes: &Arc<[u8]>) -> usize {
    Arc::as_ptr(bytes).cast::<u8>() as usize
}

fn with<T>(shelf: Shelf, work: impl FnOnce() -> T) -> (T, Option<Shelf>) {
    /// Clears the shelf even if `work` panics.
    struct Cleared;
    impl Drop for Cleared {
        fn drop(&mut self) {
            SHELF.set(None);
        }
    }
    SHELF.set(Some(shelf));
    let _cleared = Cleared;
    let done = work();
    (done, SHELF.take())
}
