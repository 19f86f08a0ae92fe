//! Retention limits: 180 days for faxes, and a byte budget for media. Active faxes are never removed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Engine;
use super::agenda::Ordinal;
use super::event::EventKind;
use super::fax::Fax;
use crate::model::media::{Document, Media};
use crate::model::sid::{FaxSid, IdForm, MediaSid};
use crate::model::time::Timestamp;

/// The time for which Twilio keeps the data of a fax, counted from its creation: 180 days (Twilio docs: fax).
const RETENTION: Duration = Duration::from_secs(180 * 24 * 60 * 60);
/// The maximum number of faxes that one call of `retire` removes, limited so that the world's lock is never held for
/// long.
const RETIRED_PER_CALL_MAX: usize = 1_000;

/// The stored media, in the order in which they may be dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct Retention {
    /// The media sizes of active faxes, in bytes.
    active: BTreeMap<Ordinal, u64>,
    /// The media sizes of ended faxes, in bytes.
    ended: BTreeMap<Ordinal, u64>,
    bytes: u64,
    evicted: u64,
}

impl Retention {
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Continues the count of dropped media after a reset.
    pub(super) const fn count_on(&mut self, before: &Self) {
        self.evicted = before.evicted;
    }

    /// Returns the record of the media that these faxes have stored.
    pub(super) fn of<'a>(faxes: impl Iterator<Item = &'a Fax>) -> Self {
        let mut kept = Self::default();
        for fax in faxes {
            let Some(media) = &fax.media else { continue };
            kept.store(fax.ordinal, media.document.size_bytes() as u64);
            if fax.status().is_final() {
                kept.release(fax.ordinal);
            }
        }
        kept
    }

    /// Forgets the media of a fax after the fax or its media have been deleted.
    pub(super) fn forget(&mut self, ordinal: Ordinal) {
        let bytes = self.active.remove(&ordinal).or_else(|| self.ended.remove(&ordinal));
        // A fax without media has no entry.
        self.bytes -= bytes.unwrap_or(0);
    }

    fn store(&mut self, ordinal: Ordinal, bytes: u64) {
        self.active.insert(ordinal, bytes);
        self.bytes += bytes;
    }

    /// Makes an ended fax's media eligible for dropping.
    fn release(&mut self, ordinal: Ordinal) {
        if let Some(bytes) = self.active.remove(&ordinal) {
            self.ended.insert(ordinal, bytes);
        }
    }

    /// Removes the record of the oldest ended fax's media, if all stored media together exceed `budget_bytes`, and
    /// returns the ordinal of that fax.
    fn pop_surplus(&mut self, budget_bytes: u64) -> Option<Ordinal> {
        if self.bytes <= budget_bytes {
            return None;
        }
        // Only ended faxes lose their media, so active ones may exceed the budget.
        let (ordinal, bytes) = self.ended.pop_first()?;
        self.bytes -= bytes;
        self.evicted += 1;
        Some(ordinal)
    }
}

impl Engine {
    pub(super) fn store_media(&mut self, ordinal: Ordinal, document: Document, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else { return };
        let sid = self.media_sid(fax.sid);
        let Some(fax) = self.world.tables.fax_mut(ordinal) else { return };
        self.world.retention.store(ordinal, document.size_bytes() as u64);
        fax.media = Some(Box::new(Media { sid, created: now, document }));
        fax.updated = now;
        self.keep_budget(now);
    }

    /// Returns the SID of a fax's media, even before they are stored.
    #[must_use]
    pub fn media_sid(&self, fax: FaxSid) -> MediaSid {
        let seed = match fax.form() {
            IdForm::Prefixed => self.ids.seed(),
            // Clients see this id before the document exists, so it must be derived from the fax alone and outlast a
            // reset.
            IdForm::Uuid => self.seed(),
        };
        seed.mint("media", fax.bytes(), 0)
    }

    pub(super) fn drop_media(&mut self, ordinal: Ordinal, now: Timestamp) {
        self.world.retention.forget(ordinal);
        if let Some(fax) = self.world.tables.fax_mut(ordinal) {
            fax.media = None;
            fax.updated = now;
        }
    }

    pub(super) fn release_media(&mut self, ordinal: Ordinal, now: Timestamp) {
        self.world.retention.release(ordinal);
        self.keep_budget(now);
    }

    /// Removes ended faxes after their 180 days, oldest first.
    pub(super) fn retire(&mut self, now: Timestamp) {
        for _ in 0..RETIRED_PER_CALL_MAX {
            if self.next_retirement().is_none_or(|due| due > now) {
                return;
            }
            let Some(ordinal) = self.world.tables.oldest_fax().map(|fax| fax.ordinal) else { return };
            self.world.tables.remove_fax(ordinal);
            self.world.retention.forget(ordinal);
        }
    }

    /// Returns the time at which the oldest fax is removed; `None` while that fax is active, however old others are.
    pub(super) fn next_retirement(&self) -> Option<Timestamp> {
        let oldest: &Fax = self.world.tables.oldest_fax().filter(|fax| fax.status().is_final())?;
        Some(oldest.created.after(RETENTION))
    }

    pub(super) fn keep_budget(&mut self, now: Timestamp) {
        while let Some(ordinal) = self.world.retention.pop_surplus(self.spec.options.media_budget_bytes) {
            let Some(fax) = self.world.tables.fax_mut(ordinal) else { continue };
            fax.media = None;
            let sid = fax.sid;
            self.journal.write(now, Some(sid), EventKind::MediaEvicted);
        }
    }
}
