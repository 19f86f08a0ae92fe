//! Collects losses: the parts of a document that are missing from its fax pages.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::page::PageLoss;

/// The maximum number of losses listed per document; a damaged document could cause thousands.
pub const LOSSES_MAX: usize = 100;
/// The maximum length of a loss's description, which may quote the document and so could be of any length.
const WHAT_BYTES_MAX: usize = 400;

/// A list of losses, shared by the code for fonts, images and pages: all clones refer to the same list.
#[derive(Debug, Clone, Default)]
pub struct Losses(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    page: Option<u32>,
    /// The losses noted so far, so that none is listed twice.
    seen: BTreeSet<(Option<u32>, String)>,
    losses: Vec<PageLoss>,
}

impl Losses {
    /// Sets the page that later losses are attributed to.
    pub fn begin_page(&self, page: u32) {
        self.with(|noted| noted.page = Some(page));
    }

    /// Adds a loss that concerns the current page, or the whole document if no page has begun.
    pub fn note(&self, what: impl Into<String>) {
        let what = what.into();
        self.with(|noted| noted.add(noted.page, what));
    }

    /// Adds a loss that concerns the whole document.
    pub fn note_of_document(&self, what: impl Into<String>) {
        let what = what.into();
        self.with(|noted| noted.add(None, what));
    }

    /// Returns whether the list has a loss of the current page, or of the document if no page has begun.
    #[must_use]
    pub fn has_any_on_page(&self) -> bool {
        self.with(|noted| noted.losses.iter().any(|loss| loss.page == noted.page))
    }

    /// Returns all losses so far and empties the list. A loss that has been returned is not listed again.
    #[must_use]
    pub fn take(&self) -> Vec<PageLoss> {
        self.with(|noted| std::mem::take(&mut noted.losses))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Noted) -> T) -> T {
        // Every change leaves the list consistent, so the list is still usable after a panic elsewhere.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Noted {
    /// Adds a loss unless it was added before. After [`LOSSES_MAX`], one last entry says that there are more.
    fn add(&mut self, page: Option<u32>, mut what: String) {
        what.truncate(what.floor_char_boundary(WHAT_BYTES_MAX));
        if self.losses.len() > LOSSES_MAX || !self.seen.insert((page, what.clone())) {
            return;
        }
        let loss = if self.losses.len() < LOSSES_MAX {
            PageLoss { page, what: what.into() }
        } else {
            PageLoss { page: None, what: format!("only the first {LOSSES_MAX} losses are listed").into() }
        };
        self.losses.push(loss);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_listed_once_per_page_and_an_overflow_is_reported() {
        let losses = Losses::default();
        losses.note("before any page");
        losses.begin_page(2);
        losses.note("an image");
        losses.note("an image");
        losses.note_of_document("a page");
        let listed: Vec<_> = losses.take().iter().map(ToString::to_string).collect();
        assert_eq!(listed, ["document: before any page", "page 2: an image", "document: a page"]);
        for page in 1..=2 * LOSSES_MAX as u32 {
            losses.begin_page(page);
            losses.note("a font");
        }
        let listed = losses.take();
        assert_eq!((listed.len(), listed[LOSSES_MAX].page), (LOSSES_MAX + 1, None));
    }
}
