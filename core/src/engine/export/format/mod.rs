//! The written form of a world, which contains each value once, in lists, and no indexes. Duplicate ids are refused
//! when a state is read.

pub(super) mod accounts;
mod calls;
pub(super) mod documents;
pub(super) mod effects;
pub(super) mod faxes;
pub(super) mod lines;
pub(super) mod messages;
pub(super) mod numbers;
pub(super) mod rules;
pub(super) mod twiml_bins;
pub(super) mod webhooks;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::accounts::{Application, CallerId, OrderedMap};
use self::calls::{Placed, PlacedCall, UnansweredCall};
use self::effects::UnderWay;
use self::faxes::Fax;
use self::messages::Message;
use self::numbers::Numbers;
use self::rules::RuleBook;
use self::twiml_bins::TwimlBin;
use self::webhooks::{Kept, KeptAlert, Outgoing};
use super::StateError;
use super::form::{ByName, List, Shared, form};
use crate::engine::agenda::{self, AlarmKind, Ordinal};
use crate::engine::alerts::Alerts;
use crate::engine::effect::EffectId;
use crate::engine::event::{Event, EventKind};
use crate::engine::retention::Retention;
use crate::engine::rewind::{Rewindable, Snapshot};
use crate::engine::tables;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;

/// The rewindable part of a world, as in a snapshot.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct World {
    taken: Timestamp,
    tables: Tables,
    numbers: Numbers,
    caller_ids: OrderedMap<CallerId>,
    applications: OrderedMap<Application>,
    // Older states lack this field and the next, which are omitted until a bin or a message is created.
    #[serde(default, skip_serializing_if = "OrderedMap::is_untouched")]
    twiml_bins: OrderedMap<TwimlBin>,
    #[serde(default, skip_serializing_if = "OrderedMap::is_untouched")]
    messages: OrderedMap<Message>,
    agenda: List<Alarm>,
    outgoing: ByName<FaxSid, Outgoing>,
    retrying: ByName<Ordinal, FaxSid>,
    alerts: List<KeptAlert>,
    under_way: List<UnderWay>,
    book: RuleBook,
    api_calls: u64,
    // Older states lack this field, which is omitted until a rule is matched against a download.
    #[serde(default, skip_serializing_if = "is_zero")]
    downloads: u64,
    next_ordinal: Ordinal,
    next_order: u64,
    not_answered: VecDeque<FaxSid>,
    // Older states lack this field, which is omitted until a call ends without a fax.
    #[serde(default, skip_serializing_if = "List::is_empty")]
    unanswered: List<Shared<UnansweredCall>>,
    // Older states lack this field, which is omitted until the first reset.
    #[serde(rename = "ways_back", default, skip_serializing_if = "is_zero")]
    rewinds: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl World {
    /// Converts a snapshot, without copying its faxes and calls.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let Snapshot { taken, rewinds, world } = snapshot;
        // Every field is named, so that adding one forces a decision here; `retention` is derived from the faxes.
        let Rewindable {
            tables,
            numbers,
            caller_ids,
            applications,
            twiml_bins,
            messages,
            agenda,
            retention: _,
            outgoing,
            retrying,
            alerts,
            under_way,
            book,
            api_calls,
            downloads,
            next_ordinal,
            next_order,
            unanswered,
        } = world;
        Self {
            taken: *taken,
            tables: Tables::of(tables),
            numbers: Numbers::of(numbers),
            caller_ids: OrderedMap::of(&caller_ids.register),
            applications: OrderedMap::of(applications),
            twiml_bins: OrderedMap::of(twiml_bins),
            messages: OrderedMap::of(messages),
            agenda: List(agenda.iter().copied().collect()),
            outgoing: ByName(outgoing.clone()),
            retrying: ByName(retrying.clone()),
            alerts: List(alerts.iter().filter_map(|event| kept(event)).collect()),
            under_way: List(under_way.values().cloned().collect()),
            book: RuleBook::of(book),
            api_calls: *api_calls,
            downloads: *downloads,
            next_ordinal: *next_ordinal,
            next_order: *next_order,
            not_answered: unanswered.sids().collect(),
            unanswered: List(unanswered.details().cloned().collect()),
            rewinds: *rewinds,
        }
    }
}

impl TryFrom<World> for Snapshot {
    type Error = StateError;

    fn try_from(world: World) -> Result<Self, StateError> {
        let World {
            taken,
            tables,
            numbers,
            caller_ids,
            applications,
            twiml_bins,
            messages,
            agenda: List(agenda),
            outgoing: ByName(outgoing),
            retrying: ByName(retrying),
            alerts: List(alerts),
            under_way: List(under_way),
            book,
            api_calls,
            downloads,
            next_ordinal,
            next_order,
            not_answered,
            unanswered: List(unanswered),
            rewinds,
        } = world;
        let at = |place: &'static str| move |why| StateError::Wrong { place: place.to_owned(), why };
        let world = Rewindable {
            tables: tables.value().map_err(at("world.tables"))?,
            numbers: numbers.value().map_err(at("world.numbers"))?,
            caller_ids: accounts::caller_ids(caller_ids).map_err(at("world.caller_ids"))?,
            applications: applications.value().map_err(at("world.applications"))?,
            twiml_bins: twiml_bins.value().map_err(at("world.twiml_bins"))?,
            messages: messages.value().map_err(at("world.messages"))?,
            agenda: in_order(agenda).map_err(at("world.agenda"))?,
            // Computed from the faxes when the state is loaded.
            retention: Retention::default(),
            outgoing,
            retrying,
            alerts: all_kept(alerts),
            // Effect ids are local to a process; only their order is kept.
            under_way: (0..).map(EffectId::from_number).zip(under_way).collect(),
            book: book.value().map_err(at("world.book"))?,
            api_calls,
            downloads,
            next_ordinal,
            next_order,
            unanswered: calls::unanswered(not_answered, unanswered).map_err(at("world.unanswered"))?,
        };
        Ok(Self { taken, rewinds, world })
    }
}

/// The faxes and calls, without their indexes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    faxes: List<Shared<Fax>>,
    calls: List<PlacedCall>,
}

impl Tables {
    fn of(tables: &tables::Tables) -> Self {
        let calls = tables.calls().map(|(ordinal, call)| Placed { ordinal, call: Arc::clone(call) });
        Self { faxes: List(tables.faxes().cloned().collect()), calls: List(calls.collect()) }
    }

    /// Rebuilds the tables, or says why they are invalid.
    fn value(self) -> Result<tables::Tables, String> {
        let Self { faxes: List(faxes), calls: List(calls) } = self;
        let mut tables = tables::Tables::default();
        for fax in faxes {
            expect_free(&tables, fax.ordinal, fax.sid)?;
            tables.insert_fax(Arc::unwrap_or_clone(fax));
        }
        for Placed { ordinal, call } in calls {
            expect_free(&tables, ordinal, call.sid)?;
            tables.insert_call(ordinal, Arc::unwrap_or_clone(call));
        }
        Ok(tables)
    }
}

fn expect_free(tables: &tables::Tables, ordinal: Ordinal, sid: FaxSid) -> Result<(), String> {
    if tables.ordinal(sid).is_some() {
        return Err(format!("two faxes or calls have the SID {sid}"));
    }
    if tables.fax(ordinal).is_some() || tables.call(ordinal).is_some() {
        return Err(format!("two faxes or calls have the ordinal {ordinal}"));
    }
    Ok(())
}

form! {
    struct Alarm for agenda::Alarm {
        at: Timestamp,
        ordinal: Ordinal,
        kind: AlarmKind,
    }
}

fn in_order(alarms: Vec<agenda::Alarm>) -> Result<agenda::Agenda, String> {
    let mut agenda = agenda::Agenda::default();
    for (at, alarm) in alarms.into_iter().enumerate() {
        agenda.set(alarm);
        // `set` replaces an alarm in the same slot, so a duplicate doesn't lengthen the agenda.
        if agenda.len() != at + 1 {
            return Err(format!("fax, call or message {} has two alarms for the same purpose", alarm.ordinal));
        }
    }
    Ok(agenda)
}

fn kept(event: &Event) -> Option<Kept> {
    // `Alerts` contains no other kind of event.
    let Event { seq: _, at, fax, kind: EventKind::Alert(alert) } = event else { return None };
    Some(Kept { at: *at, fax: *fax, alert: alert.clone() })
}

fn all_kept(list: Vec<Kept>) -> Alerts {
    let mut alerts = Alerts::default();
    for Kept { at, fax, alert } in list {
        // Sequence numbers belong to the journal, which a state doesn't contain.
        alerts.keep(Arc::new(Event { seq: 0, at, fax, kind: EventKind::Alert(alert) }));
    }
    alerts
}
