//! Trying a webhook again: what its URL's overrides allow, by an alarm, as the same event. It sends nothing.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::agenda::{Alarm, AlarmKind, Ordinal};
use crate::model::overrides::Overrides;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, ExchangeRecord};

impl Engine {
    /// Sets the alarm for another try of the question to a number's app, if there is to be one.
    pub(in crate::engine) fn retry_question(
        &mut self,
        ordinal: Ordinal,
        record: &ExchangeRecord,
        now: Timestamp,
    ) -> bool {
        let Some(call) = self.world.tables.call_mut(ordinal) else { return false };
        let Some(asking) = &mut call.asking else { return false };
        let Some(next) = next(&asking.url, asking.attempt, record) else { return false };
        asking.attempt = next;
        let sid = call.sid;
        self.set_retry(ordinal, sid, now);
        true
    }

    /// Sets the alarm for another try of the message under way, if there is to be one.
    pub(in crate::engine) fn retry_notice(&mut self, sid: FaxSid, record: &ExchangeRecord, now: Timestamp) -> bool {
        // Of a fax that is deleted meanwhile, nothing is told twice.
        let Some(ordinal) = self.world.tables.ordinal(sid) else { return false };
        let Some(notice) = self.world.outgoing.get_mut(&sid).and_then(|outgoing| outgoing.under_way.as_mut()) else {
            return false;
        };
        let Some(next) = next(&notice.url, notice.attempt, record) else { return false };
        Arc::make_mut(notice).attempt = next;
        self.set_retry(ordinal, sid, now);
        true
    }

    /// The alarm: the same is asked or told again.
    pub(in crate::engine) fn retry(&mut self, ordinal: Ordinal) {
        let Some(sid) = self.world.retrying.remove(&ordinal) else { return };
        if self.world.tables.call(ordinal).is_some() {
            self.ask_again(ordinal, false);
        } else {
            self.notify_again(sid);
        }
    }

    fn set_retry(&mut self, ordinal: Ordinal, sid: FaxSid, now: Timestamp) {
        self.world.retrying.insert(ordinal, sid);
        self.world.agenda.set(Alarm { at: now, ordinal, kind: AlarmKind::Retry });
    }
}

/// The try after the one that brought this record.
fn next(url: &str, attempt: Attempt, record: &ExchangeRecord) -> Option<Attempt> {
    let next = attempt.next(record.duration_ms);
    let failure = record.failure.as_ref()?;
    Overrides::of(url).0.retries_after(failure, attempt.number, next.spent_ms).then_some(next)
}
