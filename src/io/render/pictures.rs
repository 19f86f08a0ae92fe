//! A cache of the page pictures that were shown most recently, limited by size.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::model::media::Document;

/// The maximum number of bytes of pictures that are kept. A page at full width takes about 100 kB.
const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Identifies a picture: a page of a file, drawn at a certain width. The file is identified by its memory address and,
/// since addresses are reused, by the size of the page's coded image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    file: usize,
    bits: u64,
    page: usize,
    width: u32,
}

impl Key {
    pub(super) fn of(document: &Document, page: usize, width: u32) -> Option<Self> {
        let bits = document.sheets.get(page)?.bits.mmr;
        Some(Self { file: Arc::as_ptr(&document.bytes).cast::<u8>() as usize, bits, page, width })
    }
}

/// The pictures shown most recently, the latest at the back.
#[derive(Default)]
pub(super) struct Pictures(Mutex<VecDeque<(Key, Bytes)>>);

impl Pictures {
    pub(super) fn get(&self, key: &Key) -> Option<Bytes> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(own, _)| own == key)?;
        let picture = kept.remove(found)?;
        let png = picture.1.clone();
        kept.push_back(picture);
        Some(png)
    }

    pub(super) fn put(&self, key: Key, png: Bytes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut size = kept.iter().map(|(_, png)| png.len()).sum::<usize>() + png.len();
        kept.push_back((key, png));
        while size > KEPT_BYTES_MAX {
            // The cache can't be empty here, since it exceeds a limit.
            let Some((_, dropped)) = kept.pop_front() else { break };
            size -= dropped.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(page: usize) -> Key {
        Key { file: 1, bits: 2, page, width: 100 }
    }

    #[test]
    fn pictures_are_kept_within_a_limit_and_the_least_recently_shown_is_dropped() {
        let kept = Pictures::default();
        let third = Bytes::from(vec![0; KEPT_BYTES_MAX / 3]);
        (1..=3).for_each(|page| kept.put(key(page), third.clone()));
        assert!(kept.get(&key(1)).is_some());
        kept.put(key(4), third);
        assert!(kept.get(&key(2)).is_none());
        assert!(kept.get(&key(1)).is_some() && kept.get(&key(3)).is_some() && kept.get(&key(4)).is_some());
    }
}
