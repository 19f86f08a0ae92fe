//! Checks that every id in a state has the form of the account's dialect. The account's clients could never look up an
//! id of another form.

use std::fmt::Display;

use super::StateError;
use crate::engine::accounts::Keys;
use crate::engine::effect::{Intent, Notice};
use crate::engine::event::EventKind;
use crate::engine::rewind::Rewindable;
use crate::model::account::Dialect;
use crate::model::sid::IdForm;

/// Checks all ids of an account's world and the ids of its API keys.
pub(super) fn check(world: &Rewindable, keys: &Keys, dialect: Dialect) -> Result<(), StateError> {
    let ids = Ids(dialect);
    for (at, key) in keys.oldest_first().enumerate() {
        ids.expect(key.sid.form(), key.sid, || format!("keys.list[{at}].sid"))?;
    }
    ids.check_faxes(world)?;
    ids.check_resources(world)?;
    ids.check_work(world)
}

/// The dialect whose ids are expected.
struct Ids(Dialect);

impl Ids {
    fn check_faxes(&self, world: &Rewindable) -> Result<(), StateError> {
        for (at, fax) in world.tables.faxes().enumerate() {
            let place = || format!("world.tables.faxes[{at}]");
            self.expect(fax.sid.form(), fax.sid, || format!("{}.sid", place()))?;
            if let Some(media) = &fax.media {
                self.expect(media.sid.form(), media.sid, || format!("{}.media.sid", place()))?;
            }
        }
        for (at, (_, call)) in world.tables.calls().enumerate() {
            self.expect(call.sid.form(), call.sid, || format!("world.tables.calls[{at}].call.sid"))?;
        }
        for (at, sid) in world.unanswered.sids().enumerate() {
            self.expect(sid.form(), sid, || format!("world.not_answered[{at}]"))?;
        }
        Ok(())
    }

    fn check_resources(&self, world: &Rewindable) -> Result<(), StateError> {
        for (at, number) in world.numbers.oldest_first().enumerate() {
            self.expect(number.sid.form(), number.sid, || format!("world.numbers.numbers[{at}].sid"))?;
        }
        for (at, held) in world.caller_ids.register.oldest_first().enumerate() {
            self.expect(held.sid.form(), held.sid, || format!("world.caller_ids.list[{at}].sid"))?;
        }
        for (at, application) in world.applications.oldest_first().enumerate() {
            self.expect(application.sid.form(), application.sid, || format!("world.applications.list[{at}].sid"))?;
        }
        for (at, bin) in world.twiml_bins.oldest_first().enumerate() {
            self.expect(bin.sid.form(), bin.sid, || format!("world.twiml_bins.list[{at}].sid"))?;
        }
        for (at, message) in world.messages.oldest_first().enumerate() {
            self.expect(message.sid.form(), message.sid, || format!("world.messages.list[{at}].sid"))?;
        }
        for (at, event) in world.alerts.iter().enumerate() {
            let place = || format!("world.alerts[{at}]");
            if let Some(fax) = event.fax {
                self.expect(fax.form(), fax, || format!("{}.fax", place()))?;
            }
            if let EventKind::Alert(alert) = &event.kind {
                self.expect(alert.sid.form(), alert.sid, || format!("{}.alert.sid", place()))?;
            }
        }
        Ok(())
    }

    /// Checks the ids in effects and notices that wait or are under way.
    fn check_work(&self, world: &Rewindable) -> Result<(), StateError> {
        for (sid, outgoing) in &world.outgoing {
            let place = || format!("world.outgoing.{sid}");
            self.expect(sid.form(), sid, place)?;
            for (at, queued) in outgoing.queue.iter().enumerate() {
                self.check_notice(&queued.notice, || format!("{}.queue[{at}].notice", place()))?;
            }
            if let Some(notice) = &outgoing.under_way {
                self.check_notice(notice, || format!("{}.under_way", place()))?;
            }
        }
        for (ordinal, sid) in &world.retrying {
            self.expect(sid.form(), sid, || format!("world.retrying.{ordinal}"))?;
        }
        for (at, under_way) in world.under_way.values().enumerate() {
            let place = || format!("world.under_way[{at}]");
            if let Some(fax) = under_way.fax {
                self.expect(fax.form(), fax, || format!("{}.fax", place()))?;
            }
            if let Intent::Deliver(notice) = &*under_way.intent {
                self.check_notice(notice, || format!("{}.intent.deliver", place()))?;
            }
            if let Intent::NotifyOfMessage(notice) = &*under_way.intent {
                let place = || format!("{}.intent.notify-of-message.message", place());
                self.expect(notice.message.form(), notice.message, place)?;
            }
        }
        Ok(())
    }

    fn check_notice(&self, notice: &Notice, place: impl Fn() -> String) -> Result<(), StateError> {
        // The media are written as a pair whose first element is the id.
        let media = notice.media.map(|(sid, _)| sid);
        media.map_or(Ok(()), |sid| self.expect(sid.form(), sid, || format!("{}.media[0]", place())))
    }

    fn expect(&self, form: IdForm, id: impl Display, place: impl FnOnce() -> String) -> Result<(), StateError> {
        let Self(dialect) = *self;
        if form == dialect.id_form() {
            return Ok(());
        }
        let theirs = Dialect::of_ids(form);
        let why = format!("{id} is a {theirs} id, but account_sid is a {dialect} account");
        Err(StateError::Wrong { place: place(), why })
    }
}
