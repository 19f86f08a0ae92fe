//! Whether a world that was read holds together: whatever one thing says of another is there. It repairs nothing.

use std::collections::BTreeSet;

use super::StateError;
use crate::engine::PENDING_FAXES_MAX;
use crate::engine::agenda::Ordinal;
use crate::engine::effect::Intent;
use crate::engine::phase::{CallStep, Phase, Processing, ReceivingStep};
use crate::engine::snapshot::Memory;
use crate::engine::tables::{Caller, Fax, Leg};
use crate::model::fax::Status;

/// Leaves out what nobody waits for any more: what was asked twice on purpose, alerts on their way to the Debugger
/// webhook, and alarms and requests of faxes that are gone.
pub(super) fn leave_out_loose_ends(world: &mut Memory) {
    let known = known(world);
    let gone: Vec<_> = world.agenda.iter().filter(|alarm| !known.contains(&alarm.ordinal)).copied().collect();
    for alarm in gone {
        world.agenda.take(&alarm);
    }
    world.retrying.retain(|ordinal, _| known.contains(ordinal));
    let (tables, outgoing) = (&world.tables, &world.outgoing);
    world.under_way.retain(|under_way| {
        let is_waited_for = !under_way.is_echo && !matches!(*under_way.intent, Intent::Report(_));
        is_waited_for && (tables.ordinal(under_way.fax).is_some() || outgoing.contains_key(&under_way.fax))
    });
}

/// Whether everything that is named is there.
pub(super) fn check(world: &Memory) -> Result<(), StateError> {
    check_faxes(world)?;
    let known = known(world);
    for (at, alarm) in world.agenda.iter().enumerate() {
        expect(known.contains(&alarm.ordinal), || (format!("world.agenda[{at}]"), nothing_has(alarm.ordinal)))?;
    }
    for (ordinal, sid) in &world.retrying {
        expect(known.contains(ordinal), || (format!("world.retrying.{ordinal}"), nothing_has(*ordinal)))?;
        let named = world.tables.ordinal(*sid).is_some() || world.outgoing.contains_key(sid);
        expect(named, || (format!("world.retrying.{ordinal}"), format!("there is no fax or call {sid}")))?;
    }
    for (sid, outgoing) in &world.outgoing {
        let own = world.tables.ordinal(*sid).unwrap_or(outgoing.ordinal);
        let place = || format!("world.outgoing.{sid}.ordinal");
        expect(own == outgoing.ordinal, || {
            (place(), format!("is {}, but that of the fax is {own}", outgoing.ordinal))
        })?;
    }
    for (at, under_way) in world.under_way.iter().enumerate() {
        let sid = under_way.fax;
        let named = world.tables.ordinal(sid).is_some() || world.outgoing.contains_key(&sid);
        expect(named, || (format!("world.under_way[{at}].fax"), format!("there is no fax or call {sid}")))?;
    }
    let last = known.last().copied().unwrap_or(0);
    let place = || "world.next_ordinal".to_owned();
    expect(last < world.next_ordinal, || (place(), format!("must be more than {last}, which is in use")))
}

fn check_faxes(world: &Memory) -> Result<(), StateError> {
    let tables = &world.tables;
    expect(tables.pending_count() <= PENDING_FAXES_MAX, || {
        ("world.tables".to_owned(), format!("at most {PENDING_FAXES_MAX} faxes and calls may be pending"))
    })?;
    for (at, fax) in tables.faxes().enumerate() {
        let place = || format!("world.tables.faxes[{at}].phase");
        expect(is_of_its_direction(fax), || (place(), format!("no {} fax is so", fax.direction())))?;
        for ordinal in far_ends(fax) {
            let there = tables.fax(ordinal).is_some() || tables.call(ordinal).is_some();
            expect(there, || (place(), nothing_has(ordinal)))?;
        }
    }
    for (at, (_, call)) in tables.calls().enumerate() {
        if let Caller::Own(ordinal) = call.caller {
            let place = || format!("world.tables.calls[{at}].call.caller");
            expect(tables.fax(ordinal).is_some(), || (place(), nothing_has(ordinal)))?;
        }
    }
    Ok(())
}

/// The faxes and calls that there are, and the faxes that are gone but for what is still to be told of them.
fn known(world: &Memory) -> BTreeSet<Ordinal> {
    let faxes = world.tables.faxes().map(|fax| fax.ordinal);
    let calls = world.tables.calls().map(|(ordinal, _)| ordinal);
    faxes.chain(calls).chain(world.outgoing.values().map(|outgoing| outgoing.ordinal)).collect()
}

fn is_of_its_direction(fax: &Fax) -> bool {
    match (&fax.leg, &fax.phase) {
        (Leg::Outbound(_), Phase::Receiving(_)) => false,
        (Leg::Outbound(_), Phase::Ended(ended)) => ended.status.is_final() && ended.status != Status::Received,
        (Leg::Outbound(_), Phase::Queued | Phase::Processing(_) | Phase::Sending(_))
        | (Leg::Inbound(_), Phase::Receiving(_)) => true,
        (Leg::Inbound(_), Phase::Ended(ended)) => {
            matches!(ended.status, Status::Received | Status::Failed | Status::Canceled)
        }
        (Leg::Inbound(_), Phase::Queued | Phase::Processing(_) | Phase::Sending(_)) => false,
    }
}

/// What a fax says is at the other end.
fn far_ends(fax: &Fax) -> Vec<Ordinal> {
    match &fax.phase {
        Phase::Processing(Processing::Ringing { far, .. }) => vec![*far],
        Phase::Sending(sending) => match &sending.step {
            CallStep::Talking(talk) => talk.far.into_iter().collect(),
            CallStep::Ringing(_) | CallStep::RingingOwn | CallStep::Waiting => Vec::new(),
        },
        Phase::Receiving(receiving) => match &receiving.step {
            ReceivingStep::Rendering(caller, talk) => {
                let own = if let Caller::Own(ordinal) = caller { Some(*ordinal) } else { None };
                own.into_iter().chain(talk.far).collect()
            }
            ReceivingStep::Talking(talk) => talk.far.into_iter().collect(),
            ReceivingStep::Fed => Vec::new(),
        },
        Phase::Queued | Phase::Processing(Processing::Fetching | Processing::Converting(_)) | Phase::Ended(_) => {
            Vec::new()
        }
    }
}

fn nothing_has(ordinal: Ordinal) -> String {
    format!("there is no fax or call with the ordinal {ordinal}")
}

fn expect(holds: bool, otherwise: impl FnOnce() -> (String, String)) -> Result<(), StateError> {
    if holds {
        return Ok(());
    }
    let (place, why) = otherwise();
    Err(StateError::Wrong { place, why })
}
