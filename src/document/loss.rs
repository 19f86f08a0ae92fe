//! Notes of what a document's fax pages lack, so that nothing is lost in silence. It looks for nothing itself.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::page::PageLoss;

/// Losses told of one document; a damaged one could have thousands.
pub const LOSSES_MAX: usize = 20;

/// A list that fonts, images and pages write into; clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct Losses(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    page: Option<u32>,
    seen: BTreeSet<(Option<u32>, String)>,
    losses: Vec<PageLoss>,
}

impl Losses {
    /// The page that what follows concerns.
    pub fn begin_page(&self, page: u32) {
        self.with(|noted| noted.page = Some(page));
    }

    /// Notes a loss on the page that was begun; the same one only once, and no more than `LOSSES_MAX`.
    pub fn note(&self, what: impl Into<String>) {
        let what = what.into();
        self.with(|noted| {
            if noted.losses.len() < LOSSES_MAX && noted.seen.insert((noted.page, what.clone())) {
                noted.losses.push(PageLoss { page: noted.page, what: what.into() });
            }
        });
    }

    /// All that was noted so far; the list is empty then.
    #[must_use]
    pub fn take(&self) -> Vec<PageLoss> {
        self.with(|noted| std::mem::take(&mut noted.losses))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Noted) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
