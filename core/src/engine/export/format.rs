//! The tables of a world as lists, as a state has them: each thing once, without the indexes that find it. Reading one,
//! two things with one id are refused.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::engine::agenda::{Agenda, Alarm, Ordinal};
use crate::engine::alerts::Alerts;
use crate::engine::applications::Applications;
use crate::engine::call::Call;
use crate::engine::caller_ids::CallerIds;
use crate::engine::effect::EffectId;
use crate::engine::effects::UnderWay;
use crate::engine::fax::Fax;
use crate::engine::journal::{Alert, Event, EventKind};
use crate::engine::numbers::Numbers;
use crate::engine::register::Register;
use crate::engine::retention::Retention;
use crate::engine::rewind::{Rewindable, Snapshot};
use crate::engine::rulebook::{HeldRule, RULES_MAX, RuleBook};
use crate::engine::tables::Tables;
use crate::engine::webhooks::notice::Outgoing;
use crate::model::application::Application;
use crate::model::credential::{ApiKey, CallerId};
use crate::model::number::IncomingNumber;
use crate::model::sid::{ApplicationSid, FaxSid, KeySid, NumberSid};
use crate::model::time::Timestamp;

/// A part of a state, without the fields that say nothing. A part is made at a time: all of a world as one value would take
/// many times its memory.
pub(in crate::engine) struct Lean<T>(pub(in crate::engine) T);

impl<T: Serialize> Serialize for Lean<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serde_json::to_value(&self.0).map_err(serde::ser::Error::custom)?;
        leave_out_nulls(&mut value);
        value.serialize(serializer)
    }
}

fn leave_out_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(leave_out_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(leave_out_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Writes the parts of a list one after the other.
pub(in crate::engine) fn parts<S: Serializer, T: Serialize>(
    list: impl IntoIterator<Item = T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.into_iter().map(Lean))
}

/// Writes the parts of a map one after the other.
pub(in crate::engine) fn parts_by_name<S: Serializer, K: Serialize, T: Serialize>(
    map: &BTreeMap<K, T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(map.iter().map(|(name, part)| (name, Lean(part))))
}

/// Writes what is small as one part.
pub(in crate::engine) fn whole<S: Serializer, T: Serialize>(part: &T, serializer: S) -> Result<S::Ok, S::Error> {
    Lean(part).serialize(serializer)
}

/// A snapshot as a state has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct World {
    taken: Timestamp,
    tables: Tables,
    #[serde(serialize_with = "whole")]
    numbers: Numbers,
    #[serde(serialize_with = "whole")]
    caller_ids: CallerIds,
    #[serde(serialize_with = "whole")]
    applications: Applications,
    agenda: Agenda,
    #[serde(serialize_with = "parts_by_name")]
    outgoing: BTreeMap<FaxSid, Outgoing>,
    retrying: BTreeMap<Ordinal, FaxSid>,
    alerts: Alerts,
    #[serde(serialize_with = "parts")]
    under_way: Vec<UnderWay>,
    #[serde(serialize_with = "whole")]
    book: RuleBook,
    api_calls: u64,
    next_ordinal: Ordinal,
    next_order: u64,
    not_answered: VecDeque<FaxSid>,
    #[serde(default, skip_serializing_if = "is_zero")]
    ways_back: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl World {
    /// A snapshot, to be written.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let Snapshot { taken, ways_back, world } = snapshot;
        // Each field is named, so that a new one has to be decided on; what is kept for the media follows from the faxes.
        let Rewindable {
            tables,
            numbers,
            caller_ids,
            applications,
            agenda,
            retention: _,
            outgoing,
            retrying,
            alerts,
            under_way,
            book,
            api_calls,
            next_ordinal,
            next_order,
            not_answered,
        } = world.clone();
        Self {
            taken: *taken,
            tables,
            numbers,
            caller_ids,
            applications,
            agenda,
            outgoing,
            retrying,
            alerts,
            under_way: under_way.into_values().collect(),
            book,
            api_calls,
            next_ordinal,
            next_order,
            not_answered,
            ways_back: *ways_back,
        }
    }
}

impl From<World> for Snapshot {
    fn from(world: World) -> Self {
        // Ids of effects are those of one process; only their order is kept.
        let under_way = (0..).map(EffectId::from_number).zip(world.under_way).collect();
        Self {
            taken: world.taken,
            ways_back: world.ways_back,
            world: Rewindable {
                tables: world.tables,
                numbers: world.numbers,
                caller_ids: world.caller_ids,
                applications: world.applications,
                agenda: world.agenda,
                retention: Retention::default(),
                outgoing: world.outgoing,
                retrying: world.retrying,
                alerts: world.alerts,
                under_way,
                book: world.book,
                api_calls: world.api_calls,
                next_ordinal: world.next_ordinal,
                next_order: world.next_order,
                not_answered: world.not_answered,
            },
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "F: Deserialize<'de>, C: Deserialize<'de>"))]
struct WrittenTables<F, C> {
    faxes: F,
    calls: C,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCall {
    ordinal: Ordinal,
    call: Arc<Call>,
}

impl Serialize for Tables {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let calls = self.calls().map(|(ordinal, call)| WrittenCall { ordinal, call: Arc::clone(call) });
        let (faxes, calls): (Vec<_>, Vec<_>) = (self.faxes().map(Lean).collect(), calls.map(Lean).collect());
        WrittenTables { faxes, calls }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Tables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenTables::<Vec<Arc<Fax>>, Vec<WrittenCall>> { faxes, calls } =
            WrittenTables::deserialize(deserializer)?;
        let mut tables = Self::default();
        for fax in faxes {
            free(&tables, fax.ordinal, fax.sid)?;
            tables.insert_fax(Arc::unwrap_or_clone(fax));
        }
        for WrittenCall { ordinal, call } in calls {
            free(&tables, ordinal, call.sid)?;
            tables.insert_call(ordinal, Arc::unwrap_or_clone(call));
        }
        Ok(tables)
    }
}

fn free<E: Error>(tables: &Tables, ordinal: Ordinal, sid: FaxSid) -> Result<(), E> {
    if tables.ordinal(sid).is_some() {
        return Err(E::custom(format!("two faxes or calls have the SID {sid}")));
    }
    if tables.fax(ordinal).is_some() || tables.call(ordinal).is_some() {
        return Err(E::custom(format!("two faxes or calls have the ordinal {ordinal}")));
    }
    Ok(())
}

impl Serialize for Agenda {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        parts(self.iter(), serializer)
    }
}

impl<'de> Deserialize<'de> for Agenda {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut agenda = Self::default();
        for (at, alarm) in Vec::<Alarm>::deserialize(deserializer)?.into_iter().enumerate() {
            agenda.set(alarm);
            if agenda.len() != at + 1 {
                return Err(D::Error::custom(format!("fax or call {} has two alarms for one thing", alarm.ordinal)));
            }
        }
        Ok(agenda)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRules {
    added: u64,
    rules: Vec<HeldRule>,
}

impl Serialize for RuleBook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenRules { added: self.added, rules: self.iter().cloned().collect() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RuleBook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenRules { added, rules } = WrittenRules::deserialize(deserializer)?;
        if rules.len() > RULES_MAX {
            return Err(D::Error::custom(format!("at most {RULES_MAX} rules")));
        }
        let mut book = Self::default();
        book.added = added;
        for held in rules {
            let id = held.id;
            if id == 0 || book.iter().any(|earlier| earlier.id >= id) {
                return Err(D::Error::custom(format!("rule {id} does not follow those before it")));
            }
            book.restore(held);
        }
        Ok(book)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenNumbers {
    bought: u64,
    numbers: Vec<IncomingNumber>,
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut numbers: Vec<_> = self.newest_first().cloned().collect();
        numbers.reverse();
        WrittenNumbers { bought: self.bought, numbers }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenNumbers { bought, numbers } = WrittenNumbers::deserialize(deserializer)?;
        let mut read = Self::default();
        read.bought = bought;
        for number in numbers {
            let is_twice = read.get(number.sid).is_some() || read.by_number(number.number).is_some();
            if is_twice || read.newest_first().next().is_some_and(|last| last.ordinal >= number.ordinal) {
                return Err(D::Error::custom(format!("{} is there twice, or not in its place", number.number)));
            }
            read.bought = read.bought.max(number.ordinal);
            read.insert(number);
        }
        Ok(read)
    }
}

/// What stands in a register by an id of its own.
trait Registered {
    type Id;
    fn place(&self) -> (u64, Self::Id);
}

impl Registered for ApiKey {
    type Id = KeySid;
    fn place(&self) -> (u64, KeySid) {
        (self.ordinal, self.sid)
    }
}

impl Registered for CallerId {
    type Id = NumberSid;
    fn place(&self) -> (u64, NumberSid) {
        (self.ordinal, self.sid)
    }
}

impl Registered for Application {
    type Id = ApplicationSid;
    fn place(&self) -> (u64, ApplicationSid) {
        (self.ordinal, self.sid)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRegister<T> {
    last: u64,
    list: Vec<T>,
}

impl<K: Eq + Hash, T: Serialize + Clone> Serialize for Register<K, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list: Vec<_> = self.newest_first().cloned().collect();
        list.reverse();
        WrittenRegister { last: self.last, list }.serialize(serializer)
    }
}

impl<'de, K: Eq + Hash, T: Deserialize<'de> + Registered<Id = K>> Deserialize<'de> for Register<K, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenRegister { last, list } = WrittenRegister::<T>::deserialize(deserializer)?;
        let mut register = Self::default();
        register.last = last;
        let mut before = 0;
        for thing in list {
            let (ordinal, id) = thing.place();
            if ordinal <= before || register.get(&id).is_some() {
                return Err(D::Error::custom(format!(
                    "number {ordinal} of the list is there twice, or not in its place"
                )));
            }
            before = ordinal;
            register.last = register.last.max(ordinal);
            register.insert(ordinal, id, thing);
        }
        Ok(register)
    }
}

impl Serialize for CallerIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.register.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CallerIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let register = Register::<NumberSid, CallerId>::deserialize(deserializer)?;
        let by_number: BTreeMap<_, _> = register.newest_first().map(|held| (held.number, held.sid)).collect();
        if by_number.len() != register.len() {
            return Err(D::Error::custom("a number is there twice"));
        }
        Ok(Self { register, by_number })
    }
}

/// An alert; its place in the journal of the world it comes from means nothing here.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAlert {
    at: Timestamp,
    fax: Option<FaxSid>,
    alert: Alert,
}

impl Serialize for Alerts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let alerts = self.iter().filter_map(|event| {
            let EventKind::Alert(alert) = &event.kind else { return None };
            Some(WrittenAlert { at: event.at, fax: event.fax, alert: alert.clone() })
        });
        parts(alerts, serializer)
    }
}

impl<'de> Deserialize<'de> for Alerts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut alerts = Self::default();
        for WrittenAlert { at, fax, alert } in VecDeque::deserialize(deserializer)? {
            alerts.keep(Arc::new(Event { seq: 0, at, fax, kind: EventKind::Alert(alert) }));
        }
        Ok(alerts)
    }
}
