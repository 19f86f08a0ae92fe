//! Follows one fax or call live until it has settled, and reports at the end how it ended and where to read more.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::client::{CallError, Client};
use super::out::{self, Out};
use super::stream::{Message, Messages};
use super::table::cell;
use super::timeline::{BAD, DIM, GOOD, Pages, Timeline, with_code};
use crate::model::fax::Status;

/// The outcome of a call that ended without a fax.
const NOT_ANSWERED: &str = "not-answered";
/// The maximum number of events per page of the journal, which keeps no more events than that.
const EVENTS_PER_PAGE: &str = "10000";

/// Returns a timeline on standard output that continues even when nobody reads it any more.
pub(super) fn timeline() -> Timeline<Out<anstream::Stdout>> {
    let pages = if out::is_terminal() { Pages::Rewritten } else { Pages::Once };
    Timeline::new(out::lasting(), pages)
}

/// Prints the events of a fax after `since` as they happen, until the fax has ended and every webhook about it has been
/// sent. Returns its last status, or `not-answered`.
pub(super) async fn until_settled(
    client: &Client,
    sid: &str,
    since: &Value,
    limit: Duration,
    timeline: &mut Timeline<impl Write>,
) -> anyhow::Result<String> {
    let of_fax = ("fax", Some(sid.to_owned()));
    let query =
        [of_fax.clone(), ("for", Some("settled".to_owned())), ("timeout", Some(limit.as_secs_f64().to_string()))];
    let mut wait = std::pin::pin!(client.control("GET", "/wait", &query, None));
    let mut seq = since.as_u64().unwrap_or(0);
    let mut events = Messages::open(client, "/events", &[of_fax.clone(), ("since", Some(seq.to_string()))]).await?;
    let waited = loop {
        tokio::select! {
            waited = &mut wait => break waited,
            message = events.next() => match message {
                Ok(Some(Message::Item(event))) => {
                    seq = event["seq"].as_u64().unwrap_or(seq);
                    timeline.event(&event)?;
                }
                Ok(Some(Message::Evicted(count))) => out::note(&format!("{count} earlier events have been dropped")),
                // The emulator is stopping or gone, which the wait reports too.
                Ok(None) | Err(_) => break wait.await,
            },
        }
    };
    // The stream may lag behind the wait.
    let query = [of_fax, ("since", Some(seq.to_string())), ("limit", Some(EVENTS_PER_PAGE.to_owned()))];
    let rest = client.control("GET", "/events", &query, None).await;
    for event in rest.iter().flat_map(|page| page["events"].as_array().into_iter().flatten()) {
        timeline.event(event)?;
    }
    timeline.finish()?;
    let waited = waited_for(client, sid, limit, waited).await?;
    Ok(waited["outcome"].as_str().context("the response doesn't contain the fax's status")?.to_owned())
}

/// Returns the result of a wait for a fax. If it timed out, the error says what the fax is doing.
pub(super) async fn waited_for(
    client: &Client,
    sid: &str,
    limit: Duration,
    waited: anyhow::Result<Value>,
) -> anyhow::Result<Value> {
    match waited {
        Err(error) if CallError::is_status(&error, hyper::StatusCode::REQUEST_TIMEOUT) => {
            let doing = doing(client, sid).await?;
            Err(overdue(client, limit, &format!("{sid} {doing}")).await.into())
        }
        waited => waited,
    }
}

/// Returns the error for something that didn't happen within the limit.
pub(super) async fn overdue(client: &Client, limit: Duration, standing: &str) -> CallError {
    let clock = client.control("GET", "/clock", &[], None).await.unwrap_or_default();
    let advice = match clock["mode"].as_str() {
        Some("frozen") => {
            "; the clock is frozen: move it with fauxfax clock advance 5m, or let it run: fauxfax clock run"
        }
        _ => "",
    };
    CallError::TimedOut(format!("Timed out after {} s: {standing}{advice}.", limit.as_secs_f64()))
}

/// Describes what a fax is doing, as in `is sending (page 3 of 120)`.
async fn doing(client: &Client, sid: &str) -> anyhow::Result<String> {
    let no_fax = || Ok("is not a fax yet: the app has not taken the call".to_owned());
    let Some(fax) = client.fax_if_there(sid).await? else { return no_fax() };
    let status = cell(&fax["status"]);
    if status == Status::Receiving.as_str() {
        // The API shows even a call that still rings as `receiving`. Only a fax has an event with this status.
        let query = [("fax", Some(sid.to_owned())), ("kind", Some("fax.status".to_owned()))];
        let changes = client.control("GET", "/events", &query, None).await?;
        if changes["events"].as_array().is_none_or(Vec::is_empty) && changes["evicted"] == 0 {
            return no_fax();
        }
    }
    if status == NOT_ANSWERED || Status::from_word(&status).is_some_and(Status::is_final) {
        return Ok(format!("is {status}, but a request to the app about it is under way"));
    }
    let query = [("fax", Some(sid.to_owned())), ("kind", Some("fax.page".to_owned()))];
    let pages = client.control("GET", "/events", &query, None).await?;
    let last = pages["events"].as_array().and_then(|events| events.last());
    let page = last.map(|event| format!(" (page {} of {})", event["data"]["page"], event["data"]["pages"]));
    Ok(format!("is {status}{}", page.unwrap_or_default()))
}

/// Prints how a fax ended: the advice if it failed, its outcome in one line, and the address of its console page.
pub(super) fn conclude(
    client: &Client,
    timeline: &mut Timeline<impl Write>,
    (sid, outcome): (&str, &str),
    fax: Option<&Value>,
) -> anyhow::Result<()> {
    let is_good = is_success(outcome);
    if let Some(fax) = fax.filter(|_| !is_good) {
        timeline.advice(fax)?;
    }
    let style = if is_good { GOOD } else { BAD };
    timeline.say(&format!("{style}{outcome}{style:#}: {}", summary(sid, outcome, fax)))?;
    // The console has no page for a deleted fax.
    let is_gone = fax.is_none() && outcome != NOT_ANSWERED;
    if cfg!(feature = "console") && !is_gone {
        timeline.say(&format!("{DIM}{}{DIM:#}", client.console(&format!("/faxes/{sid}"))))?;
    }
    Ok(())
}

/// Returns whether an outcome counts as a success. `rejected` does, since an app may legitimately reject a fax.
pub(super) fn is_success(outcome: &str) -> bool {
    matches!(outcome, "received" | "delivered" | "rejected")
}

/// Returns a fax's SID with its pages, duration and error, as far as they are known.
pub(super) fn summary(sid: &str, outcome: &str, fax: Option<&Value>) -> String {
    let mut parts = vec![sid.to_owned()];
    let Some(fax) = fax else {
        // A call that nobody took was never a fax.
        if outcome != NOT_ANSWERED {
            parts.push("since deleted".to_owned());
        }
        return parts.join(", ");
    };
    let value = |name: &str| cell(&fax[name]);
    let named = [("pages", value("num_pages")), ("seconds on the line", value("duration"))];
    parts.extend(named.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}: {value}")));
    if let Some(message) = fax["error_message"].as_str() {
        parts.push(with_code(message, &fax["error_code"]));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_summary_leaves_out_missing_values() {
        let sending = json!({ "num_pages": 2, "duration": null });
        assert_eq!(summary("FX1", "sending", Some(&sending)), "FX1, pages: 2");
        assert_eq!(summary("FX1", "rejected", Some(&json!({ "num_pages": null }))), "FX1");
        let failed = json!({ "num_pages": 2, "duration": 12, "error_code": 34002, "error_message": "Callee busy" });
        assert_eq!(
            summary("FX1", "busy", Some(&failed)),
            "FX1, pages: 2, seconds on the line: 12, Callee busy (34002)"
        );
        assert_eq!(summary("FX1", "not-answered", None), "FX1");
        assert_eq!(summary("FX1", "received", None), "FX1, since deleted");
    }
}
