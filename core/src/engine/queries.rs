//! What can be asked of a world. Nothing here changes it.

use std::sync::Arc;

use super::Engine;
use super::agenda::Alarm;
use super::effect::Generation;
use super::event::Event;
use super::fax::Fax;
use super::journal::EventFilter;
use super::random::WorldSeed;
use super::spec::WorldOptions;
use super::tables::{Cursor, FaxFilter, Page, media_of};
use super::tally::Tally;
use super::webhooks::notice::Outgoing;
use crate::model::account::Account;
use crate::model::number::IncomingNumber;
use crate::model::phone::PhoneNumber;
use crate::model::refusal::Refusal;
use crate::model::sid::{FaxSid, MediaSid, NumberSid};
use crate::model::time::Timestamp;

impl Engine {
    /// The account.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// How the world behaves.
    #[must_use]
    pub fn options(&self) -> &WorldOptions {
        &self.spec.options
    }

    /// The seed of the inventory of numbers for sale.
    #[must_use]
    pub fn inventory_seed(&self) -> u64 {
        self.spec.inventory_seed
    }

    /// The seed of this world's draws, the same before and after a reset.
    #[must_use]
    pub const fn seed(&self) -> &WorldSeed {
        self.ids.world()
    }

    /// How often this world has gone back to an earlier state of itself.
    #[must_use]
    pub const fn ways_back(&self) -> u64 {
        self.ids.ways_back()
    }

    /// The generation that effects are issued in.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// The last time the engine has been told.
    #[must_use]
    pub const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// The first deadline of work; housekeeping left out.
    #[must_use]
    pub fn next_work(&self) -> Option<Timestamp> {
        self.world.agenda.next()
    }

    /// The work that is due, in order, with the fax or call it belongs to.
    pub fn deadlines(&self) -> impl Iterator<Item = (&Alarm, Option<FaxSid>)> {
        self.world.agenda.iter().map(|alarm| {
            let fax = self.world.tables.fax(alarm.ordinal).map(|fax| fax.sid);
            (alarm, fax.or_else(|| self.world.tables.call(alarm.ordinal).map(|call| call.sid)))
        })
    }

    /// Whether nothing is under way and nothing waits to be done.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.world.under_way.is_empty() && self.effects.is_empty()
    }

    /// Whether the world is settled and no work is due, ever.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.is_settled() && self.world.agenda.len() == 0
    }

    /// A fax.
    ///
    /// # Errors
    /// `NoFax`.
    pub fn fax(&self, sid: FaxSid) -> Result<&Fax, Refusal> {
        self.world.tables.ordinal(sid).and_then(|ordinal| self.world.tables.fax(ordinal)).ok_or(Refusal::NoFax(sid))
    }

    /// One page of the faxes, newest first.
    #[must_use]
    pub fn faxes(&self, filter: &FaxFilter, cursor: Cursor, limit: usize) -> Page<'_, Fax> {
        self.world.tables.list(filter, cursor, limit)
    }

    /// The fax and its media.
    ///
    /// # Errors
    /// `NoFax`, `NoMedia`.
    pub fn media(&self, fax: FaxSid, media: MediaSid) -> Result<&Fax, Refusal> {
        let fax = self.fax(fax)?;
        media_of(fax, media).map(|_| fax).ok_or(Refusal::NoMedia(media))
    }

    /// A number.
    ///
    /// # Errors
    /// `NoNumber`.
    pub fn number(&self, sid: NumberSid) -> Result<&IncomingNumber, Refusal> {
        self.world.numbers.get(sid).ok_or(Refusal::NoNumber(sid))
    }

    /// The numbers, newest first.
    pub fn numbers(&self) -> impl Iterator<Item = &IncomingNumber> {
        self.world.numbers.newest_first()
    }

    /// The number with these digits, if the account owns it.
    #[must_use]
    pub fn owned_number(&self, number: PhoneNumber) -> Option<&IncomingNumber> {
        self.world.numbers.by_number(number)
    }

    /// The first `limit` events that fit, oldest first.
    #[must_use]
    pub fn events(&self, filter: &EventFilter, limit: usize) -> Vec<Arc<Event>> {
        self.journal.read(filter, limit)
    }

    /// The place of the newest event.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.journal.last_seq()
    }

    /// The place in the journal just before the world last went back; none where it never has.
    #[must_use]
    pub const fn last_reset(&self) -> Option<u64> {
        self.journal.last_reset()
    }

    /// How many events have been dropped.
    #[must_use]
    pub const fn events_evicted(&self) -> u64 {
        self.journal.evicted()
    }

    /// What has happened since the founding.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        self.journal.tally()
    }

    /// How many deadlines of work are set.
    #[must_use]
    pub fn deadline_count(&self) -> usize {
        self.world.agenda.len()
    }

    /// How many requests to apps are under way.
    #[must_use]
    pub fn under_way_count(&self) -> usize {
        self.world.under_way.len()
    }

    /// How many callbacks wait for the one before them.
    #[must_use]
    pub fn waiting_count(&self) -> usize {
        self.world.outgoing.values().map(Outgoing::waiting).sum()
    }

    /// How many media went to keep within the budget.
    #[must_use]
    pub const fn media_evicted(&self) -> u64 {
        self.world.retention.evicted()
    }

    /// Bytes of media kept.
    #[must_use]
    pub const fn media_bytes(&self) -> u64 {
        self.world.retention.bytes()
    }

    /// How many faxes there are.
    #[must_use]
    pub fn fax_count(&self) -> usize {
        self.world.tables.fax_count()
    }

    /// How many faxes and calls have not ended.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.world.tables.pending_count()
    }
}
