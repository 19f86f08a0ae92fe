//! The documents of a state while it is written or read: each stands once, by its hash, however many faxes share it. A
//! document in a state names its bytes; the shelf of the thread has them. It reads and writes none itself.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::hex;

/// Documents by their SHA-256.
pub(super) type ByHash = BTreeMap<String, Arc<[u8]>>;

thread_local! {
    /// serde hands nothing from a state to the documents deep in it, but a state is written or read by one thread.
    static SHELF: RefCell<Option<Shelf>> = const { RefCell::new(None) };
}

enum Shelf {
    Writing(Written),
    Reading(Read),
}

/// What a state that was written names.
#[derive(Default)]
struct Written {
    documents: ByHash,
    /// The hashes, by where the documents lie.
    hashes: BTreeMap<usize, String>,
}

/// What a state that is read may name.
#[derive(Default)]
pub(super) struct Read {
    /// The documents that the state itself has.
    own: ByHash,
    /// Those of the world that it goes to.
    stored: Vec<Arc<[u8]>>,
    stored_by_hash: Option<ByHash>,
    used: BTreeSet<String>,
    /// The first that is nowhere.
    pub(super) missing: Option<String>,
}

impl Written {
    fn name(&mut self, bytes: &Arc<[u8]>) -> String {
        let hash = self.hashes.entry(place(bytes)).or_insert_with(|| hash(bytes)).clone();
        self.documents.entry(hash.clone()).or_insert_with(|| Arc::clone(bytes));
        hash
    }
}

impl Read {
    pub(super) fn new(own: ByHash, stored: &[Arc<[u8]>]) -> Self {
        Self { own, stored: stored.to_vec(), ..Self::default() }
    }

    /// The first document of the state that it names nowhere.
    pub(super) fn unused(&self) -> Option<&str> {
        self.own.keys().find(|name| !self.used.contains(*name)).map(String::as_str)
    }

    fn find(&mut self, name: &str) -> Option<Arc<[u8]>> {
        if let Some(own) = self.own.get(name) {
            self.used.insert(name.to_owned());
            return Some(Arc::clone(own));
        }
        let by_hash = || self.stored.iter().map(|bytes| (hash(bytes), Arc::clone(bytes))).collect();
        let found = self.stored_by_hash.get_or_insert_with(by_hash).get(name).cloned();
        if found.is_none() && self.missing.is_none() {
            self.missing = Some(name.to_owned());
        }
        found
    }
}

/// Does work in which documents are written by their names. What they are is asked by [`written`] before it ends.
pub(super) fn writing<T>(work: impl FnOnce() -> T) -> T {
    with(Shelf::Writing(Written::default()), work).0
}

/// Does work in which documents are read by their names.
pub(super) fn reading<T>(shelf: Read, work: impl FnOnce() -> T) -> (T, Read) {
    let (done, shelf) = with(Shelf::Reading(shelf), work);
    let Some(Shelf::Reading(read)) = shelf else { return (done, Read::default()) };
    (done, read)
}

/// The documents that have been named so far.
pub(super) fn written() -> ByHash {
    SHELF.with_borrow(|shelf| match shelf {
        Some(Shelf::Writing(written)) => written.documents.clone(),
        Some(Shelf::Reading(_)) | None => ByHash::new(),
    })
}

/// The name of a document that is being written; none where it is to be written whole.
pub(super) fn name(bytes: &Arc<[u8]>) -> Option<String> {
    SHELF.with_borrow_mut(|shelf| match shelf {
        Some(Shelf::Writing(written)) => Some(written.name(bytes)),
        Some(Shelf::Reading(_)) | None => None,
    })
}

/// The document of a name.
pub(super) fn find(name: &str) -> Option<Arc<[u8]>> {
    SHELF.with_borrow_mut(|shelf| match shelf {
        Some(Shelf::Reading(read)) => read.find(name),
        Some(Shelf::Writing(_)) | None => None,
    })
}

/// The SHA-256 of a document in hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn place(bytes: &Arc<[u8]>) -> usize {
    Arc::as_ptr(bytes).cast::<u8>() as usize
}

fn with<T>(shelf: Shelf, work: impl FnOnce() -> T) -> (T, Option<Shelf>) {
    /// Takes the shelf away again, whatever becomes of the work.
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
