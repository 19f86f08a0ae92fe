//! The entries of the control API's list of faxes. Faxes are shown as in their REST API, and calls without a fax in a
//! similar form. A failed fax or call has the reason, too.

use serde_json::{Value, json};

use super::search::Subject;
use super::view::View;
use super::{advice, date, resource};
use crate::engine::{CallOutcome, Engine, Entry, FailedNotices, UnansweredCall};
use crate::model::account::Dialect;
use crate::model::fault::Fault;
use crate::model::fax::Direction;
use crate::model::sid::FaxSid;
use crate::model::webhook::{ExchangeRecord, Purpose};

/// Returns an entry as the list shows it.
#[must_use]
pub fn entry(engine: &Engine, entry: Entry<'_>, view: &View<'_>) -> Value {
    let shown = match entry {
        Entry::Fax(fax) => resource::fax(engine, fax, view),
        Entry::Unanswered(call) => unanswered(call, view),
    };
    explained(shown, entry, Dialect::of(view.account))
}

/// Returns the fax with this SID, the call that ended without a fax, or the incoming call about which the app is still
/// being asked for TwiML; `None` if no fax or call has this SID.
#[must_use]
pub fn find(engine: &Engine, sid: FaxSid, view: &View<'_>) -> Option<Value> {
    if let Ok(fax) = engine.fax(sid) {
        let mut shown = entry(engine, Entry::Fax(fax), view);
        let media = fax.media.as_ref();
        shown["media_type"] = json!(media.map(|media| media.document.media_type.as_str()));
        return Some(shown);
    }
    if let Some(call) = engine.unanswered_call(sid) {
        return Some(entry(engine, Entry::Unanswered(call), view));
    }
    let mut arriving = resource::find_fax(engine, sid, view).ok()?;
    for field in ["error_code", "error_message", "cause", "advice", "last_failure", "media_type"] {
        arriving[field] = Value::Null;
    }
    arriving["callbacks_failed"] = json!(0);
    Some(arriving)
}

/// Adds the reason for a failure, in the words of the account's dialect, and the failed webhooks: their
/// number and the latest one. The number may be 0; the other fields are null if they don't apply.
fn explained(mut shown: Value, entry: Entry<'_>, dialect: Dialect) -> Value {
    let subject = Subject::of(entry, dialect);
    shown["error_code"] = json!(subject.error_code());
    shown["error_message"] = json!(subject.error_message());
    let advice = match entry {
        Entry::Fax(fax) => fax.failure().map(|failure| advice::of_failure(failure, dialect)),
        Entry::Unanswered(call) => advice::of_unanswered(call, dialect),
    };
    shown["cause"] = json!(advice.as_ref().map(|advice| &advice.cause));
    shown["advice"] = json!(advice.as_ref().map(|advice| &advice.remedy));
    let (failed, last) = match entry {
        Entry::Fax(fax) => (fax.failed_notices().map_or(0, |failed| failed.count), fax.failed_notices().map(notices)),
        Entry::Unanswered(call) => (0, call.cause.record.as_deref().and_then(|record| question(record, call))),
    };
    shown["callbacks_failed"] = json!(failed);
    shown["last_failure"] = json!(last);
    shown
}

/// Summarises the latest failed notice, as in `action 500`.
fn notices(failed: &FailedNotices) -> String {
    in_short(failed.purpose, failed.status, failed.fault)
}

/// Summarises the failed request for TwiML, as in `fax-url 500`; `None` if the caller hung up.
fn question(record: &ExchangeRecord, call: &UnansweredCall) -> Option<String> {
    Some(in_short(record.purpose, record.status, call.cause.fault?))
}

fn in_short(purpose: Purpose, status: Option<u16>, fault: Fault) -> String {
    match status {
        Some(status) if fault == Fault::HttpStatus => format!("{} {status}", purpose.as_str()),
        _ => format!("{} {}", purpose.as_str(), fault.as_str().replace('-', " ")),
    }
}

fn unanswered(call: &UnansweredCall, view: &View<'_>) -> Value {
    let dialect = Dialect::of(view.account);
    json!({
        "sid": call.sid.to_string(),
        "account_sid": view.account.to_string(),
        "direction": Direction::Inbound.as_str(),
        "status": CallOutcome::NotAnswered.as_str(),
        "from": call.from.to_string(),
        "to": call.to.to_string(),
        "quality": call.quality.as_str(),
        "num_pages": null,
        "offered_pages": call.pages,
        "duration": null,
        "media_sid": null,
        "media_url": null,
        "date_created": date::iso(call.rang),
        "date_updated": date::iso(call.ended),
        "request": call.cause.record.as_ref().map(|record| request(record, dialect)),
    })
}

/// Returns the request that decided what became of the call, with the app's response.
fn request(record: &ExchangeRecord, dialect: Dialect) -> Value {
    let error = record.failure.as_ref();
    json!({
        "method": record.method.as_str(),
        "url": record.url,
        "redirected_to": record.redirected_to,
        "status": record.status,
        "duration_ms": record.duration_ms,
        "body": record.response_body,
        "error": error.map(|failure| json!({
            "code": dialect.code(failure.fault()),
            "message": failure.to_string(),
        })),
    })
}
