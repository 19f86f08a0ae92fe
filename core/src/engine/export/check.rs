//! Checks that a state being read is consistent: all references resolve, every fax can progress, and every rule is
//! valid.

use std::collections::BTreeSet;

use super::StateError;
use crate::engine::PENDING_FAXES_MAX;
use crate::engine::agenda::{AlarmKind, Ordinal};
use crate::engine::effect::Intent;
use crate::engine::fax::{Fax, Leg};
use crate::engine::phase::Caller;
use crate::engine::phase::{CallStep, Phase, Processing, ReceivingStep, Verdict};
use crate::engine::rewind::Rewindable;
use crate::model::account::Dialect;
use crate::model::fax::Status;
use crate::model::line::{Line, NOISE_PER_MILLE_MAX, RATE_BPS_MAX, RATE_BPS_MIN};
use crate::model::message::{BODY_CHARS_MAX, MEDIA_MAX};
use crate::model::sid::FaxSid;
use crate::model::twiml_bin::{BIN_BYTES_MAX, BIN_NAME_CHARS_MAX};

/// Removes the dispensable parts of a state: deliberately duplicated requests, pending reports to the Debugger webhook,
/// and alarms and requests of faxes, calls and messages that no longer exist.
pub(super) fn leave_out_loose_ends(world: &mut Rewindable) {
    let known = known(world);
    // Messages can't be deleted before their last alarm.
    let of_faxes = world.agenda.iter().filter(|alarm| alarm.kind != AlarmKind::Message);
    let gone: Vec<_> = of_faxes.filter(|alarm| !known.contains(&alarm.ordinal)).copied().collect();
    for alarm in gone {
        world.agenda.take(&alarm);
    }
    world.retrying.retain(|ordinal, _| known.contains(ordinal));
    let (tables, outgoing, messages) = (&world.tables, &world.outgoing, &world.messages);
    world.under_way.retain(|_, under_way| {
        let is_known = |fax: FaxSid| tables.ordinal(fax).is_some() || outgoing.contains_key(&fax);
        match &*under_way.intent {
            Intent::Report(_) => false,
            Intent::NotifyOfMessage(notice) => messages.get(&notice.message).is_some(),
            Intent::FetchDocument { .. } | Intent::Render(_) | Intent::AskForTwiml(_) | Intent::Deliver(_) => {
                !under_way.is_echo && under_way.fax.is_some_and(is_known)
            }
        }
    });
}

/// Checks that all references resolve, that every fax can progress, and that a tester could add each rule.
pub(super) fn check(world: &Rewindable, dialect: Dialect) -> Result<(), StateError> {
    check_rules(world, dialect)?;
    check_faxes(world)?;
    check_sizes(world)?;
    let known = known(world);
    for (at, alarm) in world.agenda.iter().enumerate().filter(|(_, alarm)| alarm.kind != AlarmKind::Message) {
        expect(known.contains(&alarm.ordinal), || (format!("world.agenda[{at}]"), nothing_has(alarm.ordinal)))?;
    }
    for (ordinal, sid) in &world.retrying {
        expect(known.contains(ordinal), || (format!("world.retrying.{ordinal}"), nothing_has(*ordinal)))?;
        let named = world.tables.ordinal(*sid).is_some() || world.outgoing.contains_key(sid);
        expect(named, || (format!("world.retrying.{ordinal}"), format!("there is no fax or call {sid}")))?;
    }
    for (sid, outgoing) in &world.outgoing {
        // A deleted fax has no ordinal in the tables to compare with.
        let own = world.tables.ordinal(*sid).unwrap_or(outgoing.ordinal);
        let place = || format!("world.outgoing.{sid}.ordinal");
        expect(own == outgoing.ordinal, || {
            (place(), format!("is {}, but the ordinal of the fax is {own}", outgoing.ordinal))
        })?;
    }
    for (at, under_way) in world.under_way.values().enumerate() {
        let place = || format!("world.under_way[{at}].fax");
        if let Intent::NotifyOfMessage(_) = &*under_way.intent {
            expect(under_way.fax.is_none(), || (place(), "must be left out of a notice about a message".to_owned()))?;
            continue;
        }
        let Some(sid) = under_way.fax else {
            return Err(StateError::Wrong { place: place(), why: "is missing".to_owned() });
        };
        let named = world.tables.ordinal(sid).is_some() || world.outgoing.contains_key(&sid);
        expect(named, || (place(), format!("there is no fax or call {sid}")))?;
    }
    check_unanswered(world)?;
    // Ordinals are counted from 1, so 0 means that none is in use.
    let last_call = world.unanswered.details().next_back().map_or(0, |call| call.ordinal);
    let last = known.last().copied().unwrap_or(0).max(last_call);
    let place = || "world.next_ordinal".to_owned();
    expect(last < world.next_ordinal, || (place(), format!("must be greater than {last}, which is in use")))?;
    check_phases(world)?;
    check_messages(world)
}

/// Checks that no call that ended without a fax is listed twice, or has the SID or the ordinal of a fax or of a ringing
/// call. A SID without a call is valid, since the details of old calls are dropped.
fn check_unanswered(world: &Rewindable) -> Result<(), StateError> {
    let tables = &world.tables;
    let mut listed = BTreeSet::new();
    for sid in world.unanswered.sids() {
        expect(listed.insert(sid), || ("world.not_answered".to_owned(), format!("lists the call {sid} twice")))?;
        expect(tables.ordinal(sid).is_none(), || {
            ("world.not_answered".to_owned(), format!("{sid} is also a fax or a ringing call"))
        })?;
    }
    for (at, call) in world.unanswered.details().enumerate() {
        let is_free = tables.fax(call.ordinal).is_none() && tables.call(call.ordinal).is_none();
        expect(is_free, || {
            let place = format!("world.unanswered[{at}].ordinal");
            (place, format!("is {}, which is also the ordinal of a fax or a ringing call", call.ordinal))
        })?;
    }
    Ok(())
}

fn check_rules(world: &Rewindable, dialect: Dialect) -> Result<(), StateError> {
    for (at, held) in world.book.iter().enumerate() {
        held.rule.check(dialect).map_err(|fault| StateError::Wrong {
            place: format!("world.book.rules[{at}] (rule {})", held.id),
            why: fault.to_string(),
        })?;
    }
    Ok(())
}

/// Checks that fax machines can agree on this line. On a line outside these limits, a page could take days.
fn check_line(line: Line, place: impl Fn() -> String) -> Result<(), StateError> {
    let is_line = (RATE_BPS_MIN..=RATE_BPS_MAX).contains(&line.rate_bps) && line.noise_per_mille <= NOISE_PER_MILLE_MAX;
    let why = format!("{RATE_BPS_MIN} to {RATE_BPS_MAX} bit/s and noise of up to {NOISE_PER_MILLE_MAX} per mille");
    expect(is_line, || (place(), format!("is not a valid line: a line has {why}")))
}

/// Returns the line that a calling or transmitting fax uses, or will use once the far end picks up.
fn line_of(fax: &Fax) -> Option<Line> {
    match &fax.phase {
        Phase::Sending(sending) => match &sending.step {
            CallStep::Talking(talk) => Some(talk.line),
            CallStep::Ringing(Verdict::Answer { line, .. }) => Some(*line),
            CallStep::Ringing(Verdict::Busy | Verdict::NoAnswer) | CallStep::RingingOwn | CallStep::Waiting => None,
        },
        Phase::Receiving(receiving) => match &receiving.step {
            ReceivingStep::Rendering(_, talk) | ReceivingStep::Talking(talk) => Some(talk.line),
            ReceivingStep::Fed => None,
        },
        Phase::Queued | Phase::Processing(_) | Phase::Ended(_) => None,
    }
}

fn check_faxes(world: &Rewindable) -> Result<(), StateError> {
    let tables = &world.tables;
    // Apart from this, only commands check the limit, so a state could otherwise exceed it.
    expect(tables.pending_count() <= PENDING_FAXES_MAX, || {
        ("world.tables".to_owned(), format!("at most {PENDING_FAXES_MAX} faxes and calls may be pending"))
    })?;
    for (at, fax) in tables.faxes().enumerate() {
        let place = || format!("world.tables.faxes[{at}].phase");
        line_of(fax).map_or(Ok(()), |line| check_line(line, place))?;
        expect(is_of_its_direction(fax), || (place(), format!("is not a phase of an {} fax", fax.direction())))?;
        for ordinal in far_ends(fax) {
            let there = tables.fax(ordinal).is_some() || tables.call(ordinal).is_some();
            expect(there, || (place(), nothing_has(ordinal)))?;
        }
    }
    for (at, (_, call)) in tables.calls().enumerate() {
        check_line(call.line, || format!("world.tables.calls[{at}].call.line"))?;
        if let Caller::Own(ordinal) = call.caller {
            let place = || format!("world.tables.calls[{at}].call.caller");
            expect(tables.fax(ordinal).is_some(), || (place(), nothing_has(ordinal)))?;
        }
    }
    Ok(())
}

/// Checks that exactly one next step is due for each fax that has not ended. An alarm that doesn't fit the phase would
/// break the world, and a phase that waits for nothing would never end.
fn check_phases(world: &Rewindable) -> Result<(), StateError> {
    let tables = &world.tables;
    let movers = Movers::of(world);
    for (at, fax) in tables.faxes().enumerate() {
        let place = || format!("world.tables.faxes[{at}].phase");
        let alarm = world.agenda.of_phase(fax.ordinal).map(|alarm| alarm.kind);
        let needed = alarm_of(&fax.phase);
        expect(alarm == needed, || {
            let word = |alarm: Option<AlarmKind>| alarm.map_or("no alarm", AlarmKind::as_str);
            (place(), format!("fax {} is {}: it needs {} but has {}", fax.sid, fax.status(), word(needed), word(alarm)))
        })?;
        expect(movers.move_on(world, fax), || {
            (place(), format!("fax {} could never end: nothing that it waits for is under way", fax.sid))
        })?;
    }
    for (at, (ordinal, call)) in tables.calls().enumerate() {
        let place = || format!("world.tables.calls[{at}]");
        expect(world.agenda.of_phase(ordinal).is_none(), || {
            (place(), format!("{} is a ringing call, which can't have a fax's alarm", call.sid))
        })?;
        if let Caller::Own(caller) = call.caller {
            expect(tables.fax(caller).is_some_and(|fax| rings(fax, Some(ordinal))), || {
                (place(), format!("fax {caller} is not placing this call"))
            })?;
        }
    }
    Ok(())
}

/// Checks that no bin or message is larger than a client or tester could make it.
fn check_sizes(world: &Rewindable) -> Result<(), StateError> {
    for (at, bin) in world.twiml_bins.oldest_first().enumerate() {
        let place = |field: &str| format!("world.twiml_bins.list[{at}].{field}");
        expect((1..=BIN_NAME_CHARS_MAX).contains(&bin.name.chars().count()), || {
            (place("name"), format!("must have 1 to {BIN_NAME_CHARS_MAX} characters"))
        })?;
        expect(bin.contents.len() <= BIN_BYTES_MAX, || {
            (place("contents"), format!("must have at most {BIN_BYTES_MAX} bytes"))
        })?;
    }
    for (at, message) in world.messages.oldest_first().enumerate() {
        let place = |field: &str| format!("world.messages.list[{at}].{field}");
        expect(message.body.chars().count() <= BODY_CHARS_MAX, || {
            (place("body"), format!("must have at most {BODY_CHARS_MAX} characters"))
        })?;
        let media = usize::try_from(message.media).unwrap_or(usize::MAX);
        expect(media <= MEDIA_MAX, || (place("media"), format!("must be at most {MEDIA_MAX}")))?;
    }
    Ok(())
}

/// Checks the alarms and notices of messages. Each message that isn't delivered must have an alarm, and there must be
/// no other message alarms. If the app has yet to be notified of a message's statuses, exactly one notice about the
/// message must be under way.
fn check_messages(world: &Rewindable) -> Result<(), StateError> {
    let alarms = world.agenda.iter().filter(|alarm| alarm.kind == AlarmKind::Message);
    let due: BTreeSet<Ordinal> = alarms.map(|alarm| alarm.ordinal).collect();
    let under_way = world.under_way.values().filter_map(|under_way| match &*under_way.intent {
        Intent::NotifyOfMessage(notice) => Some((notice.message, notice.status)),
        Intent::FetchDocument { .. }
        | Intent::Render(_)
        | Intent::AskForTwiml(_)
        | Intent::Deliver(_)
        | Intent::Report(_) => None,
    });
    let mut notices: Vec<_> = under_way.collect();
    for (at, message) in world.messages.oldest_first().enumerate() {
        let place = |field: &str| format!("world.messages.list[{at}].{field}");
        let (sid, status) = (message.sid, message.status);
        expect(status.is_final() != due.contains(&message.ordinal), || {
            (
                place("status"),
                format!("is {status}: a message needs an alarm until it is delivered, and none afterwards"),
            )
        })?;
        let own: Vec<_> = notices.extract_if(.., |(about, _)| *about == sid).map(|(_, status)| status).collect();
        expect(own.iter().eq(message.owed.first()), || {
            (place("owed"), "the first of these statuses, and no other, must have its notice under way".to_owned())
        })?;
        expect(message.owed.is_empty() || message.status_callback.is_some(), || {
            (place("owed"), "must be empty for a message without a status_callback".to_owned())
        })?;
    }
    let known: BTreeSet<Ordinal> = world.messages.oldest_first().map(|message| message.ordinal).collect();
    let stray = due.difference(&known).next();
    expect(stray.is_none(), || {
        (
            "world.agenda".to_owned(),
            format!("there is no message with the ordinal {}", stray.copied().unwrap_or_default()),
        )
    })?;
    expect(notices.is_empty(), || {
        ("world.under_way".to_owned(), "has a notice about a message that doesn't exist".to_owned())
    })
}

/// Returns the alarm that a fax in this phase needs; `None` if the fax has ended, or if a request or the other end of
/// the line moves it on.
const fn alarm_of(phase: &Phase) -> Option<AlarmKind> {
    match phase {
        Phase::Queued => Some(AlarmKind::Start),
        Phase::Processing(Processing::Converting(_)) => Some(AlarmKind::Dial),
        Phase::Sending(sending) => match &sending.step {
            CallStep::Ringing(_) => Some(AlarmKind::RingEnd),
            CallStep::Talking(_) => Some(AlarmKind::Page),
            CallStep::Waiting => Some(AlarmKind::Redial),
            CallStep::RingingOwn => None,
        },
        Phase::Receiving(receiving) => match &receiving.step {
            ReceivingStep::Talking(_) => Some(AlarmKind::Page),
            ReceivingStep::Rendering(..) | ReceivingStep::Fed => None,
        },
        Phase::Processing(Processing::Fetching | Processing::Ringing { .. }) | Phase::Ended(_) => None,
    }
}

/// The faxes that something other than an alarm will move on.
struct Movers {
    /// Faxes whose document is being requested.
    fetched: BTreeSet<FaxSid>,
    /// Faxes whose pages are being rendered.
    rendered: BTreeSet<FaxSid>,
    /// Inbound faxes whose pages come from a fax of this world.
    fed: BTreeSet<Ordinal>,
    /// Outbound faxes that ring at a number of this world, or whose call was taken there.
    ringing: BTreeSet<Ordinal>,
}

impl Movers {
    fn of(world: &Rewindable) -> Self {
        let tables = &world.tables;
        // The completion of an echo is only journaled, so it moves no fax on.
        let counted = || world.under_way.values().filter(|under_way| !under_way.is_echo);
        let fetches = counted().filter(|under_way| matches!(*under_way.intent, Intent::FetchDocument { .. }));
        let renders = counted().filter(|under_way| matches!(*under_way.intent, Intent::Render(_)));
        let calling = tables.calls().filter_map(|(_, call)| own(call.caller));
        Self {
            fetched: fetches.filter_map(|under_way| under_way.fax).collect(),
            rendered: renders.filter_map(|under_way| under_way.fax).collect(),
            fed: tables.faxes().filter_map(|fax| fed_by(fax)).collect(),
            ringing: calling.chain(tables.faxes().filter_map(|fax| own_caller(fax))).collect(),
        }
    }

    /// Returns whether this fax has ended, or something will move it to its next phase. A fax in a phase with an alarm
    /// is assumed to have that alarm, which `check_phases` has already checked.
    fn move_on(&self, world: &Rewindable, fax: &Fax) -> bool {
        let tables = &world.tables;
        match &fax.phase {
            Phase::Processing(Processing::Fetching) => self.fetched.contains(&fax.sid),
            Phase::Processing(Processing::Ringing { far, .. }) => {
                tables.call(*far).is_some_and(|call| own(call.caller) == Some(fax.ordinal))
            }
            Phase::Sending(sending) => match &sending.step {
                CallStep::RingingOwn => self.ringing.contains(&fax.ordinal),
                CallStep::Talking(talk) => {
                    let is_there = talk.far.is_none_or(|far| tables.fax(far).is_some_and(is_fed));
                    talk.pages_done < sending.document.pages && is_there
                }
                CallStep::Ringing(_) | CallStep::Waiting => true,
            },
            Phase::Receiving(receiving) => match &receiving.step {
                ReceivingStep::Rendering(caller, _) => {
                    let rings = own(*caller).is_none_or(|own| tables.fax(own).is_some_and(|fax| rings(fax, None)));
                    rings && self.rendered.contains(&fax.sid)
                }
                ReceivingStep::Talking(talk) => talk.pages_done < receiving.document.pages,
                ReceivingStep::Fed => self.fed.contains(&fax.ordinal),
            },
            Phase::Queued | Phase::Processing(Processing::Converting(_)) | Phase::Ended(_) => true,
        }
    }
}

const fn own(caller: Caller) -> Option<Ordinal> {
    match caller {
        Caller::Own(ordinal) => Some(ordinal),
        Caller::Machine => None,
    }
}

/// Returns whether an outbound fax rings at a number of this world. A fax that is still processing must ring on this
/// call; a fax that is sending has no ordinal to compare, since the call was taken or is a redial.
fn rings(fax: &Fax, call: Option<Ordinal>) -> bool {
    match &fax.phase {
        Phase::Processing(Processing::Ringing { far, .. }) => call == Some(*far),
        Phase::Sending(sending) => matches!(sending.step, CallStep::RingingOwn),
        Phase::Queued
        | Phase::Processing(Processing::Fetching | Processing::Converting(_))
        | Phase::Receiving(_)
        | Phase::Ended(_) => false,
    }
}

fn is_fed(fax: &Fax) -> bool {
    matches!(&fax.phase, Phase::Receiving(receiving) if matches!(receiving.step, ReceivingStep::Fed))
}

/// Returns the inbound fax of this world to which this one sends its pages.
fn fed_by(fax: &Fax) -> Option<Ordinal> {
    let Phase::Sending(sending) = &fax.phase else { return None };
    let CallStep::Talking(talk) = &sending.step else { return None };
    talk.far
}

/// Returns the outbound fax of this world that calls this inbound one, while the received pages are rendered.
fn own_caller(fax: &Fax) -> Option<Ordinal> {
    let Phase::Receiving(receiving) = &fax.phase else { return None };
    let ReceivingStep::Rendering(Caller::Own(ordinal), _) = &receiving.step else { return None };
    Some(*ordinal)
}

/// Returns the ordinals of all faxes and calls, and of deleted faxes with unsent notices.
fn known(world: &Rewindable) -> BTreeSet<Ordinal> {
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

/// Returns the ordinals of the faxes and calls of this world at the other end of a fax.
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
