//! What was rendered last, within a limit: apps and their tests send the same document over and over. It draws none.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::{Made, Wish};

/// Bytes of pages that are kept.
const KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Documents that are kept.
const KEPT_MAX: usize = 256;

/// Names what was rendered: a document by its hash, and what was wished of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    document: [u8; 32],
    wish: Wish,
}

impl Name {
    pub(super) fn of(bytes: &[u8], wish: Wish) -> Self {
        Self { document: Sha256::digest(bytes).into(), wish }
    }
}

/// What was rendered last, the newest at the back.
#[derive(Default)]
pub(super) struct Recent(Mutex<VecDeque<(Name, Arc<Made>)>>);

impl Recent {
    pub(super) fn get(&self, name: Name) -> Option<Arc<Made>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(own, _)| *own == name)?;
        let entry = kept.remove(found)?;
        let made = Arc::clone(&entry.1);
        kept.push_back(entry);
        Some(made)
    }

    pub(super) fn put(&self, name: Name, made: Arc<Made>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(own, _)| *own != name);
        kept.push_back((name, made));
        let mut size: usize = kept.iter().map(|(_, made)| made.size_bytes()).sum();
        while size > KEPT_BYTES_MAX || kept.len() > KEPT_MAX {
            let Some((_, dropped)) = kept.pop_front() else { break };
            size -= dropped.size_bytes();
        }
    }
}
