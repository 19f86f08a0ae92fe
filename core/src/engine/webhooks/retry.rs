//! Webhook retries, as many as the dialect and the URL's overrides allow. Each retry is triggered by an alarm and has
//! the idempotency token of the first attempt.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::agenda::{Alarm, AlarmKind, Ordinal};
use crate::model::overrides::Overrides;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, ExchangeRecord};

impl Engine {
    /// Sets the alarm for asking a number's app again; returns whether there will be another attempt.
    pub(in crate::engine) fn retry_question(
        &mut self,
        ordinal: Ordinal,
        record: &ExchangeRecord,
        now: Timestamp,
    ) -> bool {
        let dialect = self.account.dialect;
        let Some(call) = self.world.tables.call_mut(ordinal) else { return false };
        let Some(asking) = &mut call.asking else { return false };
        let overrides = Overrides::of(dialect, asking.purpose, &asking.url).0;
        let Some((next, at)) = next(overrides, asking.attempt, record, now) else { return false };
        asking.attempt = next;
        let sid = call.sid;
        self.set_retry(ordinal, sid, at);
        true
    }

    /// Sets the alarm for resending the notice that is under way; returns whether there will be another attempt.
    pub(in crate::engine) fn retry_notice(&mut self, sid: FaxSid, record: &ExchangeRecord, now: Timestamp) -> bool {
        let dialect = self.account.dialect;
        // The fax may have been deleted during the attempt, but its notices are still sent.
        let Some(outgoing) = self.world.outgoing.get_mut(&sid) else { return false };
        let ordinal = outgoing.ordinal;
        let Some(notice) = &mut outgoing.under_way else { return false };
        let overrides = Overrides::of(dialect, notice.purpose, &notice.url).0;
        let Some((next, at)) = next(overrides, notice.attempt, record, now) else { return false };
        Arc::make_mut(notice).attempt = next;
        self.set_retry(ordinal, sid, at);
        true
    }

    /// Handles a retry alarm: sends the question or the notice again.
    pub(in crate::engine) fn retry(&mut self, ordinal: Ordinal) {
        let Some(sid) = self.world.retrying.remove(&ordinal) else { return };
        if self.world.tables.call(ordinal).is_some() {
            self.ask_again(ordinal, false);
        } else {
            self.notify_again(sid);
        }
    }

    fn set_retry(&mut self, ordinal: Ordinal, sid: FaxSid, at: Timestamp) {
        self.world.retrying.insert(ordinal, sid);
        self.world.agenda.set(Alarm { at, ordinal, kind: AlarmKind::Retry });
    }
}

/// Returns the attempt after the recorded one and its time, if the overrides allow another attempt.
fn next(
    overrides: Overrides,
    attempt: Attempt,
    record: &ExchangeRecord,
    now: Timestamp,
) -> Option<(Attempt, Timestamp)> {
    let failure = record.failure.as_ref()?;
    let next = attempt.next(record.duration_ms, failure.fault());
    let at = now.after(Duration::from_millis(overrides.retry_wait_ms));
    overrides.retries_after(failure, attempt.number, next.spent_ms).then_some((next, at))
}
