//! The queries that a world answers without being changed.

use std::sync::Arc;

use super::Engine;
use super::agenda::{Alarm, AlarmKind};
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
    /// Returns the account that owns the world.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Returns the configured options of the world.
    #[must_use]
    pub fn options(&self) -> &WorldOptions {
        &self.spec.options
    }

    /// Returns the seed of the inventory of numbers for sale, shared by all worlds.
    #[must_use]
    pub fn inventory_seed(&self) -> u64 {
        self.spec.inventory_seed
    }

    /// Returns the seed of this world's draws, which a reset without a seed keeps.
    #[must_use]
    pub const fn seed(&self) -> &WorldSeed {
        self.ids.world()
    }

    /// Returns a counter of the resets and restores. It always exceeds the counters in all states restored so far.
    #[must_use]
    pub const fn rewinds(&self) -> u64 {
        self.ids.rewinds()
    }

    /// Returns the generation in which effects are currently issued.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Returns the latest time at which a command was handled.
    #[must_use]
    pub const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// Returns the first deadline of a fax, a call, a message or a webhook. Housekeeping is not included.
    #[must_use]
    pub fn next_work(&self) -> Option<Timestamp> {
        self.world.agenda.next()
    }

    /// Returns the alarms that are set, in order, each with the SID of its fax or call, if it belongs to one.
    pub fn deadlines(&self) -> impl Iterator<Item = (&Alarm, Option<FaxSid>)> {
        self.world.agenda.iter().map(|alarm| {
            if alarm.kind == AlarmKind::Message {
                return (alarm, None);
            }
            let fax = self.world.tables.fax(alarm.ordinal).map(|fax| fax.sid);
            (alarm, fax.or_else(|| self.world.tables.call(alarm.ordinal).map(|call| call.sid)))
        })
    }

    /// Returns whether no effect is under way or waiting to be polled. Deadlines may still be set.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.world.under_way.is_empty() && self.effects.is_empty()
    }

    /// Returns whether the world is settled and no deadline is set, so that nothing happens without a command.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.is_settled() && self.world.agenda.len() == 0
    }

    /// Returns the fax with this SID.
    ///
    /// # Errors
    /// Returns `NoFax` if the world has no such fax.
    pub fn fax(&self, sid: FaxSid) -> Result<&Fax, Refusal> {
        self.world.tables.ordinal(sid).and_then(|ordinal| self.world.tables.fax(ordinal)).ok_or(Refusal::NoFax(sid))
    }

    /// Returns one page of the faxes that match the filter, newest first.
    #[must_use]
    pub fn faxes(&self, filter: &FaxFilter, cursor: Cursor, limit: usize) -> Page<'_, Fax> {
        self.world.tables.list(filter, cursor, limit)
    }

    /// Returns the fax that has this media.
    ///
    /// # Errors
    /// Returns `NoFax` if the world has no such fax, or `NoMedia` if the fax doesn't have this media.
    pub fn media(&self, fax: FaxSid, media: MediaSid) -> Result<&Fax, Refusal> {
        let fax = self.fax(fax)?;
        media_of(fax, media).map(|_| fax).ok_or(Refusal::NoMedia(media))
    }

    /// Returns the number with this SID, if the account owns it.
    ///
    /// # Errors
    /// Returns `NoNumber` if there is no such number.
    pub fn number(&self, sid: NumberSid) -> Result<&IncomingNumber, Refusal> {
        self.world.numbers.get(sid).ok_or(Refusal::NoNumber(sid))
    }

    /// Returns the account's numbers, newest first.
    pub fn numbers(&self) -> impl Iterator<Item = &IncomingNumber> {
        self.world.numbers.newest_first()
    }

    /// Returns the number with these digits, if the account owns it.
    #[must_use]
    pub fn owned_number(&self, number: PhoneNumber) -> Option<&IncomingNumber> {
        self.world.numbers.by_number(number)
    }

    /// Returns the first `limit` events that match the filter, oldest first.
    #[must_use]
    pub fn events(&self, filter: &EventFilter, limit: usize) -> Vec<Arc<Event>> {
        self.journal.read(filter, limit)
    }

    /// Returns the sequence number of the newest event, or 0 if there has been none.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.journal.last_seq()
    }

    /// Returns the sequence number just before the last reset or restore; `None` if there has been none.
    #[must_use]
    pub const fn last_reset(&self) -> Option<u64> {
        self.journal.last_reset()
    }

    /// Returns the number of events that the journal has dropped to stay within its limits.
    #[must_use]
    pub const fn events_evicted(&self) -> u64 {
        self.journal.evicted()
    }

    /// Returns the event counts since the world's creation.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        self.journal.tally()
    }

    /// Returns the number of alarms that are set.
    #[must_use]
    pub fn deadline_count(&self) -> usize {
        self.world.agenda.len()
    }

    /// Returns the number of effects that have been issued but not completed.
    #[must_use]
    pub fn under_way_count(&self) -> usize {
        self.world.under_way.len()
    }

    /// Returns the number of notices that wait, either for another notice about the same fax or because of a rule.
    #[must_use]
    pub fn waiting_count(&self) -> usize {
        self.world.outgoing.values().map(Outgoing::waiting).sum()
    }

    /// Returns the number of media dropped to stay within the budget.
    #[must_use]
    pub const fn media_evicted(&self) -> u64 {
        self.world.retention.evicted()
    }

    /// Returns the number of bytes of stored media.
    #[must_use]
    pub const fn media_bytes(&self) -> u64 {
        self.world.retention.bytes()
    }

    /// Returns the number of faxes, active or ended.
    #[must_use]
    pub fn fax_count(&self) -> usize {
        self.world.tables.fax_count()
    }

    /// Returns the number of faxes that have not ended, plus the number of ringing calls.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.world.tables.pending_count()
    }
}
