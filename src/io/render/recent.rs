//! A cache of the most recent renderings, limited by size and number: apps and their tests send the same document again
//! and again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::{Job, Made};

/// The maximum number of bytes of pages that are kept.
const KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The maximum number of documents that are kept.
const KEPT_MAX: usize = 256;

/// Identifies a rendering: the hash of the document, and the job done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    document: [u8; 32],
    job: Job,
}

impl Name {
    pub(super) fn of(bytes: &[u8], job: Job) -> Self {
        Self { document: Sha256::digest(bytes).into(), job }
    }
}

/// The renderings used most recently, the latest at the back.
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
        // Two calls may have done the same job at the same time.
        kept.retain(|(own, _)| *own != name);
        kept.push_back((name, made));
        let mut size: usize = kept.iter().map(|(_, made)| made.size_bytes()).sum();
        while size > KEPT_BYTES_MAX || kept.len() > KEPT_MAX {
            // The cache can't be empty here, since it exceeds a limit.
            let Some((_, dropped)) = kept.pop_front() else { break };
            size -= dropped.size_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Summary;
    use crate::model::fax::Quality;
    use crate::model::page::{CodedBits, FaxPage};

    fn name(n: usize) -> Name {
        Name::of(&n.to_be_bytes(), Job::Probe)
    }

    fn made(bytes: usize) -> Arc<Made> {
        let bits = CodedBits::default();
        let page =
            FaxPage { width: 1_728, height: 1, quality: Quality::Fine, mmr: vec![0; bytes].into(), bits, text: None };
        Arc::new(Made::drawn(vec![page], Summary::default()))
    }

    #[test]
    fn beyond_a_number_of_documents_the_least_recently_used_is_dropped() {
        let recent = Recent::default();
        (0..KEPT_MAX).for_each(|n| recent.put(name(n), made(1)));
        assert!(recent.get(name(0)).is_some());
        recent.put(name(KEPT_MAX), made(1));
        assert!(recent.get(name(1)).is_none());
        assert!(recent.get(name(0)).is_some() && recent.get(name(KEPT_MAX)).is_some());
    }

    #[test]
    fn documents_are_kept_up_to_a_total_size_and_a_document_over_it_is_not_kept() {
        let recent = Recent::default();
        recent.put(name(0), made(KEPT_BYTES_MAX / 9));
        recent.put(name(1), made(KEPT_BYTES_MAX / 9));
        assert!(recent.get(name(0)).is_some() && recent.get(name(1)).is_some());
        recent.put(name(2), made(KEPT_BYTES_MAX / 5));
        assert!(recent.get(name(0)).is_none() && recent.get(name(2)).is_some());
        recent.put(name(3), made(KEPT_BYTES_MAX));
        assert!(recent.get(name(3)).is_none());
    }
}
