//! An account's numbers: buying, updating and releasing them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Engine;
use super::input::{BuyNumber, NumberRequest, ReleaseNumber, UpdateNumber};
use super::random::WorldSeed;
use crate::model::inventory::{self, Capabilities};
use crate::model::number::{IncomingNumber, NumberAttributes, NumberChange, ReceiveMode};
use crate::model::phone::PhoneNumber;
use crate::model::refusal::Refusal;
use crate::model::sid::NumberSid;
use crate::model::time::Timestamp;

/// The maximum number of phone numbers that one account may own; far more than a test needs.
const NUMBERS_MAX: usize = 100_000;

/// Twilio's magic number that can't be bought (test credentials).
const MAGIC_UNAVAILABLE: PhoneNumber = PhoneNumber::from_digits(15_005_550_000);
/// Twilio's magic number that is invalid.
const MAGIC_INVALID: PhoneNumber = PhoneNumber::from_digits(15_005_550_001);
/// Twilio's magic number that can be bought.
const MAGIC_AVAILABLE: u64 = 15_005_550_006;
/// Twilio's magic area code in which a number is available.
const MAGIC_AREA_FOUND: u16 = 500;
/// Twilio's magic area code in which no number is available.
const MAGIC_AREA_EMPTY: u16 = 533;
/// Further numbers in the magic area code, for sale once its magic number is taken. They begin above the "numbers that
/// behave" (`line.rs`).
const MAGIC_AREA_REST: std::ops::RangeInclusive<u64> = 15_005_550_200..=15_005_559_999;

const ALL_CAPABILITIES: Capabilities = Capabilities { voice: true, sms: true, mms: true, fax: true };

/// The numbers of one account, in the order of purchase.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    in_order: BTreeMap<u64, IncomingNumber>,
    // A hash map, since it is only used for look-ups: iterating over it would reveal the hash order.
    by_sid: HashMap<NumberSid, u64>,
    by_number: BTreeMap<PhoneNumber, u64>,
    pub(super) bought: u64,
}

impl Numbers {
    pub(super) fn get(&self, sid: NumberSid) -> Option<&IncomingNumber> {
        self.by_sid.get(&sid).and_then(|ordinal| self.in_order.get(ordinal))
    }

    pub(super) fn by_number(&self, number: PhoneNumber) -> Option<&IncomingNumber> {
        self.by_number.get(&number).and_then(|ordinal| self.in_order.get(ordinal))
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &IncomingNumber> {
        self.in_order.values().rev()
    }

    pub(super) fn oldest_first(&self) -> impl Iterator<Item = &IncomingNumber> {
        self.in_order.values()
    }

    pub(super) fn remove(&mut self, sid: NumberSid) -> Option<IncomingNumber> {
        let ordinal = self.by_sid.remove(&sid)?;
        let number = self.in_order.remove(&ordinal)?;
        self.by_number.remove(&number.number);
        Some(number)
    }

    pub(super) fn insert(&mut self, number: IncomingNumber) {
        self.by_sid.insert(number.sid, number.ordinal);
        self.by_number.insert(number.number, number.ordinal);
        self.in_order.insert(number.ordinal, number);
    }
}

impl Engine {
    pub(super) fn buy_number(&mut self, order: &BuyNumber, now: Timestamp) -> Result<NumberSid, Refusal> {
        if self.world.numbers.in_order.len() >= NUMBERS_MAX {
            return Err(Refusal::LimitReached { what: "numbers", limit: NUMBERS_MAX });
        }
        let (number, capabilities) = self.for_sale(order.wanted)?;
        let attributes = NumberAttributes::of_new(number).with(&order.change);
        self.check_named_application(&order.change)?;
        // Checked before the number is added, because a refused command must change nothing.
        check(number, capabilities, &attributes)?;
        let seed = *self.ids.seed();
        Ok(self.add_number(&seed, number, capabilities, attributes, now))
    }

    pub(super) fn update_number(
        &mut self,
        UpdateNumber(sid, change): UpdateNumber,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.world.numbers.get(sid).ok_or(Refusal::NoNumber(sid))?;
        self.check_named_application(&change)?;
        // Looked up again, because the application check borrowed the whole engine.
        let Some(number) =
            self.world.numbers.by_sid.get(&sid).and_then(|ordinal| self.world.numbers.in_order.get_mut(ordinal))
        else {
            return Err(Refusal::NoNumber(sid));
        };
        // Checked on a copy, because a refused command must change nothing.
        let attributes = number.attributes.clone().with(&change);
        check(number.number, number.capabilities, &attributes)?;
        number.attributes = attributes;
        number.updated = now;
        Ok(())
    }

    pub(super) fn release_number(&mut self, ReleaseNumber(sid): ReleaseNumber, _: Timestamp) -> Result<(), Refusal> {
        self.world.numbers.remove(sid).ok_or(Refusal::NoNumber(sid))?;
        Ok(())
    }

    /// Adds the world's initial numbers, caller ids and TwiML bins.
    pub(super) fn create_configured(&mut self, now: Timestamp) {
        let spec = Arc::clone(&self.spec);
        for (number, change) in &spec.numbers {
            let attributes = NumberAttributes::of_new(*number).with(change);
            // Drawn from the world's seed, not the ids' seed: a configured number keeps its SID across resets.
            let seed = *self.seed();
            self.add_number(&seed, *number, ALL_CAPABILITIES, attributes, now);
        }
        for number in &spec.caller_ids {
            // Can't fail: the configuration file and control calls, of at most 1 MiB, hold fewer than the limit.
            let seed = *self.seed();
            let _ = self.add_caller_id(&seed, *number, None, now);
        }
        for bin in &spec.twiml_bins {
            self.add_twiml_bin(Some(bin.sid), bin.name.clone(), Arc::clone(&bin.contents), now);
        }
    }

    /// Returns whether the account owns or has verified the number.
    pub(super) fn may_call(&self, number: PhoneNumber) -> bool {
        self.world.numbers.by_number.contains_key(&number) || self.world.caller_ids.has(number)
    }

    fn check_named_application(&self, change: &NumberChange) -> Result<(), Refusal> {
        change.voice_application_sid.as_deref().map_or(Ok(()), |sid| self.check_application(sid))
    }

    fn for_sale(&self, wanted: NumberRequest) -> Result<(PhoneNumber, Capabilities), Refusal> {
        let taken = |number| self.world.numbers.by_number.contains_key(&number);
        match wanted {
            NumberRequest::Number(MAGIC_INVALID) => Err(Refusal::NumberInvalid(MAGIC_INVALID)),
            NumberRequest::Number(number) if number == MAGIC_UNAVAILABLE || taken(number) => {
                Err(Refusal::NumberUnavailable(number))
            }
            NumberRequest::Number(number) => {
                let offer = inventory::offer_of(self.inventory_seed(), number);
                // A number outside the inventory can be bought, too, and has all capabilities.
                Ok((number, offer.map_or(ALL_CAPABILITIES, |offer| offer.capabilities)))
            }
            NumberRequest::Area(MAGIC_AREA_EMPTY) => Err(Refusal::NoneInArea(MAGIC_AREA_EMPTY)),
            NumberRequest::Area(MAGIC_AREA_FOUND) => std::iter::once(MAGIC_AVAILABLE)
                .chain(MAGIC_AREA_REST)
                .map(PhoneNumber::from_digits)
                .find(|number| !taken(*number))
                .map(|number| (number, ALL_CAPABILITIES))
                .ok_or(Refusal::NoneInArea(MAGIC_AREA_FOUND)),
            NumberRequest::Area(area) => inventory::first_in_area(self.inventory_seed(), area, &taken)
                .map(|offer| (offer.number, offer.capabilities))
                .ok_or(Refusal::NoneInArea(area)),
        }
    }

    fn add_number(
        &mut self,
        seed: &WorldSeed,
        number: PhoneNumber,
        capabilities: Capabilities,
        attributes: NumberAttributes,
        now: Timestamp,
    ) -> NumberSid {
        self.world.numbers.bought += 1;
        let ordinal = self.world.numbers.bought;
        let sid = seed.mint::<NumberSid>("number", b"", ordinal);
        let created = now;
        self.world.numbers.insert(IncomingNumber {
            sid,
            ordinal,
            number,
            capabilities,
            created,
            updated: now,
            attributes,
        });
        sid
    }
}

fn check(number: PhoneNumber, capabilities: Capabilities, attributes: &NumberAttributes) -> Result<(), Refusal> {
    if attributes.voice_receive_mode == ReceiveMode::Fax && !capabilities.fax {
        return Err(Refusal::CannotFax(number));
    }
    if !attributes.voice_fallback_url.is_empty() && attributes.voice_url.is_empty() {
        return Err(Refusal::FallbackWithoutUrl);
    }
    Ok(())
}
