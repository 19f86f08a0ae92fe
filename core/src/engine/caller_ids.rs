//! Verified caller ids: numbers that an account may send from without owning them. No verification call is placed.

use std::collections::BTreeMap;

use super::Engine;
use super::event::EventKind;
use super::input::{DeleteCallerId, RenameCallerId, VerifyCallerId};
use super::ordered_map::OrderedMap;
use super::random::WorldSeed;
use crate::model::account::AccountMode;
use crate::model::credential::CallerId;
use crate::model::phone::PhoneNumber;
use crate::model::refusal::Refusal;
use crate::model::sid::NumberSid;
use crate::model::time::Timestamp;

/// The maximum number of caller ids per account; far more than a test needs.
const CALLER_IDS_MAX: usize = 100_000;

/// The caller ids of one account, by SID and by number.
#[derive(Debug, Clone, Default)]
pub(super) struct CallerIds {
    pub(super) register: OrderedMap<NumberSid, CallerId>,
    pub(super) by_number: BTreeMap<PhoneNumber, NumberSid>,
}

impl CallerIds {
    pub(super) fn has(&self, number: PhoneNumber) -> bool {
        self.by_number.contains_key(&number)
    }
}

impl Engine {
    /// Returns the caller id with this SID.
    ///
    /// # Errors
    /// Returns `NoNumber` if there is no such caller id.
    pub fn caller_id(&self, sid: NumberSid) -> Result<&CallerId, Refusal> {
        self.world.caller_ids.register.get(&sid).ok_or(Refusal::NoNumber(sid))
    }

    /// Returns all caller ids of the account, newest first.
    pub fn caller_ids(&self) -> impl Iterator<Item = &CallerId> {
        self.world.caller_ids.register.newest_first()
    }

    pub(super) fn verify_caller_id(
        &mut self,
        VerifyCallerId(number, name): VerifyCallerId,
        now: Timestamp,
    ) -> Result<NumberSid, Refusal> {
        if self.world.caller_ids.has(number) {
            return Err(Refusal::CallerIdExists(number));
        }
        let seed = *self.ids.seed();
        self.add_caller_id(&seed, number, name, now)
    }

    pub(super) fn rename_caller_id(
        &mut self,
        RenameCallerId(sid, name): RenameCallerId,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let caller_id = self.world.caller_ids.register.get_mut(&sid).ok_or(Refusal::NoNumber(sid))?;
        if let Some(name) = name {
            caller_id.friendly_name = name;
            caller_id.updated = now;
        }
        Ok(())
    }

    pub(super) fn delete_caller_id(
        &mut self,
        DeleteCallerId(sid): DeleteCallerId,
        _: Timestamp,
    ) -> Result<(), Refusal> {
        let removed = self.world.caller_ids.register.remove(&sid).ok_or(Refusal::NoNumber(sid))?;
        self.world.caller_ids.by_number.remove(&removed.number);
        Ok(())
    }

    /// Returns whether the account may send from a number. In open account mode it may send from any number, and a
    /// number that it neither owns nor has verified becomes a caller id.
    pub(super) fn may_call_or_adopt(&mut self, number: PhoneNumber, now: Timestamp) -> Result<bool, Refusal> {
        if self.may_call(number) {
            return Ok(true);
        }
        match self.options().accounts {
            AccountMode::Strict => Ok(false),
            AccountMode::Open => {
                let seed = *self.ids.seed();
                self.add_caller_id(&seed, number, None, now)?;
                self.journal.write(now, None, EventKind::CallerIdAdopted { number });
                Ok(true)
            }
        }
    }

    /// Adds a number as a caller id, unless it already is one.
    pub(super) fn add_caller_id(
        &mut self,
        seed: &WorldSeed,
        number: PhoneNumber,
        name: Option<Box<str>>,
        now: Timestamp,
    ) -> Result<NumberSid, Refusal> {
        if self.world.caller_ids.register.len() >= CALLER_IDS_MAX {
            return Err(Refusal::LimitReached { what: "caller ids", limit: CALLER_IDS_MAX });
        }
        if let Some(sid) = self.world.caller_ids.by_number.get(&number) {
            return Ok(*sid);
        }
        // The SID is derived from the number and not from a count, because in open account mode the order in which
        // numbers are adopted may vary between runs.
        let sid = seed.mint::<NumberSid>("caller-id", &number.digits().to_be_bytes(), 0);
        let ordinal = self.world.caller_ids.register.take_ordinal();
        let friendly_name = name.unwrap_or_else(|| number.national_format().into());
        let caller_id = CallerId { sid, ordinal, number, friendly_name, created: now, updated: now };
        self.world.caller_ids.register.insert(ordinal, sid, caller_id);
        self.world.caller_ids.by_number.insert(number, sid);
        Ok(sid)
    }
}
