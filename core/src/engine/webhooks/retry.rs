//! Retries of webhooks, as many as the URL's overrides allow. Each is triggered by an alarm and keeps the idempotency
//! token of the first attempt.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::agenda::{Alarm, AlarmKind, Ordinal};
use crate::model::overrides::Overrides;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, ExchangeRecord};

impl Engine {
    /// Sets the alarm for another attempt of the question to a number's app; the result says whether there will be one.
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

    /// Sets the alarm for another attempt of the notice under way; the result says whether there will be one.
    pub(in crate::engine) fn retry_notice(&mut self, sid: FaxSid, record: &ExchangeRecord, now: Timestamp) -> bool {
        // Notices of a deleted fax are not retried.
        let Some(ordinal) = self.world.tables.ordinal(sid) else { return false };
        let Some(notice) = self.world.outgoing.get_mut(&sid).and_then(|outgoing| outgoing.under_way.as_mut()) else {
            return false;
        };
        let Some(next) = next(&notice.url, notice.attempt, record) else { return false };
        Arc::make_mut(notice).attempt = next;
        self.set_retry(ordinal, sid, now);
        true
    }

    /// Handles the alarm: repeats the question or the notice.
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

/// The attempt after the one with this record, if the URL's overrides allow it.
fn next(url: &str, attempt: Attempt, record: &ExchangeRecord) -> Option<Attempt> {
    let next = attempt.next(record.duration_ms);
    let failure = record.failure.as_ref()?;
    Overrides::of(url).0.retries_after(failure, attempt.number, next.spent_ms).then_some(next)
}
