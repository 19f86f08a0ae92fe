//! Whether the app copes with requests that come twice, late, in another order, many at once, or not at all.

use std::time::Duration;

use futures_util::future;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::judging::changed;
use crate::check::activity::Request;
use crate::check::conversation::Conversation;
use crate::check::effects::{Effects, Moment, Usual};
use crate::check::page::Page;
use crate::check::{Check, Exchange, Finding, Group, Judged, Profile, Run, Severity, Stop, Turn};
use crate::model::webhook::Purpose;
use crate::twiml;

const BOTH: &[Profile] = Profile::ALL;
const INBOUND: &[Profile] = &[Profile::Inbound];
const OUTBOUND: &[Profile] = &[Profile::Outbound];
const AT_LEAST_ONCE: &str = "Twilio: Webhooks, connection overrides (retries; I-Twilio-Idempotency-Token); Telnyx: Webhook \
                             fundamentals (duplicates, order)";
/// How long a notification is held back while its fax is deleted, in milliseconds of virtual time.
const HELD_MS: u64 = 600_000;
/// A span that is long enough for every fax to end, but shorter than [`HELD_MS`].
const UNTIL_ENDED: &str = "5m";
/// The virtual time that passes after a lost callback.
const AFTER_LOSS: &str = "10m";
/// The number of faxes in a burst.
const BURST: usize = 16;
/// How long the requests of a burst are held back, so that all are made at the same moment, in milliseconds of virtual time.
const BURST_HELD_MS: u64 = 1_000;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "notified-twice",
        code: "D1",
        group: Group::Again,
        severity: Severity::Must,
        title: "The app accepts a notification that comes twice, even at the same moment, but acts on it only once",
        why: "Services repeat a notification whose response was lost; an app that doesn't notice stores the fax twice.",
        fix: "Store the FaxSid with its status under a unique key in the same transaction as the record, and respond 2xx if \
              it is there already.",
        source: AT_LEAST_ONCE,
        profiles: BOTH,
        turn: Turn::Alone,
        run: |run| Box::pin(notified_twice(run)),
    },
    Check {
        id: "asked-twice",
        code: "D2",
        group: Group::Again,
        severity: Severity::Must,
        title: "The app gives the same TwiML when it is asked about a fax a second time",
        why: "If the first response is lost, only the second one counts, and refusing it turns the fax away.",
        fix: "Respond to a request for TwiML from what it contains, whether or not the FaxSid is known already.",
        source: AT_LEAST_ONCE,
        profiles: INBOUND,
        turn: Turn::AloneWithProbe,
        run: |run| Box::pin(asked_twice(run)),
    },
    Check {
        id: "out-of-order",
        code: "D3",
        group: Group::Again,
        severity: Severity::Must,
        title: "The app keeps the final status when an earlier one arrives after it",
        why: "Callbacks can overtake each other, and if a delivered fax is shown as sending, somebody will send it again.",
        fix: "Never replace a final status (delivered, received, no-answer, busy, failed, canceled) by one that isn't final.",
        source: "Telnyx: Webhook fundamentals (order of events is not guaranteed)",
        profiles: OUTBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(out_of_order(run)),
    },
    Check {
        id: "notified-late",
        code: "D4",
        group: Group::Again,
        severity: Severity::Should,
        title: "The app copes with a notification of a fax that has been deleted meanwhile",
        why: "The document of such a fax can't be downloaded, and an app that fails over it is notified again and again.",
        fix: "Treat 404 for a document or a fax as an end: note it, and respond 2xx or 404.",
        source: "Twilio: Fax resource (delete); notifications of a deleted fax are still sent",
        profiles: BOTH,
        turn: Turn::Alone,
        run: |run| Box::pin(notified_late(run)),
    },
    Check {
        id: "unknown-fax",
        code: "D5",
        group: Group::Again,
        severity: Severity::Must,
        title: "The app copes with a notification of a fax that it doesn't know",
        why: "Faxes are also sent from the console, by other systems, or before the app has stored them.",
        fix: "Look the FaxSid up without assuming that it is there: create a record, or respond 404.",
        source: "GitHub: Best practices for using webhooks; OWASP: Webhook security guidelines",
        profiles: BOTH,
        turn: Turn::Beside,
        run: |run| Box::pin(unknown_fax(run)),
    },
    Check {
        id: "callback-lost",
        code: "D6",
        group: Group::Again,
        severity: Severity::Warn,
        title: "The app asks for the status of a fax whose callbacks it hasn't received",
        why: "A callback that was lost isn't repeated for long; without asking, the app shows the fax as unfinished for ever.",
        fix: "Ask GET /Faxes/{Sid} for each fax without a final status, every few minutes or when its page is opened.",
        source: "Twilio: Fax resource (fetch); GitHub: Handling failed webhook deliveries",
        profiles: OUTBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(callback_lost(run)),
    },
    Check {
        id: "burst",
        code: "D7",
        group: Group::Again,
        severity: Severity::Should,
        title: "The app responds to sixteen faxes at once, to each within 5 s",
        why: "Faxes held back overnight arrive together in the morning, and the service gives up on slow responses.",
        fix: "Respond before the work is done, and let a queue limit how much is done at once.",
        source: "OWASP: Webhook security guidelines (denial of service)",
        profiles: INBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(burst(run)),
    },
];

/// Returns the purposes of notifications that the app accepts.
pub(super) fn notices(run: &Run) -> Result<Vec<Purpose>, Stop> {
    let notices = [Purpose::Action, Purpose::StatusCallback];
    let accepted: Vec<Purpose> = notices.into_iter().filter(|purpose| run.accepted(*purpose).is_ok()).collect();
    if accepted.is_empty() {
        run.accepted(Purpose::Action)?;
    }
    Ok(accepted)
}

/// Makes a fax that the app is notified of. A rule with this effect changes the notifications.
async fn with_notice(run: &Run, purpose: Purpose, effect: &Value) -> Result<Conversation, Stop> {
    if purpose == Purpose::StatusCallback {
        let order = run.order_of_app()?;
        let order = if effect.is_null() { order } else { order.webhook(purpose, effect) };
        return run.send(order).await;
    }
    run.receive(run.call_with(purpose, effect)).await
}

/// Returns how long to wait for the app to act on a notification. Most apps do nothing visible about a status.
fn work_about(run: &Run, purpose: Purpose) -> Duration {
    let limits = run.options.limits;
    if purpose == Purpose::Action { limits.work } else { limits.settle }
}

/// Returns what the app does about a fax when it is notified once with this purpose, and what it does in any case.
async fn once_and_rest(run: &Run, purpose: Purpose) -> Result<(Effects, Effects), Stop> {
    if purpose == Purpose::Action {
        return Ok((run.usual().await?.notified, Effects::default()));
    }
    let work = work_about(run, purpose);
    // An app may record a fax when it sends it, before any notification.
    let rest = if run.options.send.is_some() {
        let before = Moment::now(run, None).await?;
        let silent = with_notice(run, purpose, &json!({ "drop": true })).await?;
        run.effects_of_one(&silent.fax, &before, work).await?
    } else {
        Effects::default()
    };
    let before = Moment::now(run, None).await?;
    let plain = with_notice(run, purpose, &Value::Null).await?;
    let usual = run.effects_of_one(&plain.fax, &before, work).await?;
    Ok((usual.without(rest), rest))
}

/// A fax of which the app was notified twice.
struct Twice {
    /// What could be seen before the notifications.
    before: Moment,
    fax: String,
    /// The notifications.
    exchanges: Vec<Exchange>,
    /// The notification that the app should have accepted, but did not.
    refusal: Option<Exchange>,
}

/// Makes a fax of which the app is notified twice.
async fn twice(run: &Run, purpose: Purpose) -> Result<Twice, Stop> {
    if purpose == Purpose::Action {
        let silent = with_notice(run, purpose, &json!({ "drop": true })).await?;
        // Not before the app has been asked for TwiML, because some apps record that.
        let before = Moment::now(run, Some(&silent.fax)).await?;
        let exchanges = run.notify_twice(run.accepted(purpose)?, &silent.fax).await?.to_vec();
        let refusal = exchanges.iter().find(|exchange| !exchange.is_accepted()).cloned();
        return Ok(Twice { before, fax: silent.fax, exchanges, refusal });
    }
    let before = Moment::now(run, None).await?;
    let doubled = with_notice(run, purpose, &json!({ "duplicate": true })).await?;
    let (exchanges, refusal) = (doubled.of(purpose).cloned().collect(), doubled.refusal(purpose).cloned());
    Ok(Twice { before, fax: doubled.fax, exchanges, refusal })
}

/// Returns a finding if the app takes a fax for the first one, whose document it has downloaded, because only their
/// SIDs tell the two apart.
async fn took_for_first(run: &Run, purpose: Purpose) -> Result<Option<Finding>, Stop> {
    let has_tried = |requests: &[Request]| requests.iter().any(Request::is_for_media);
    if purpose != Purpose::Action || !has_tried(&run.requests_about(&run.notified()?.fax).await?) {
        return Ok(None);
    }
    let Some(caller) = run.accepted(purpose)?.param("From") else { return Ok(None) };
    let second = run.receive(run.call_with(purpose, &Value::Null).from(caller)).await?;
    if has_tried(&run.requests_wanted(&second.fax, has_tried).await?) {
        return Ok(None);
    }
    let notice = second.of(purpose).next().filter(|notice| notice.is_accepted());
    Ok(notice.map(|notice| {
        let seen = "the app downloaded the document of the first fax, but not that of a second one from the same caller; it \
                    must tell faxes apart by FaxSid";
        Finding::fail(seen, notice)
    }))
}

async fn notified_twice(run: &Run) -> Judged {
    let mut judged = Vec::new();
    let mut has_effects = false;
    for purpose in notices(run)? {
        if let Some(finding) = took_for_first(run, purpose).await? {
            return Ok(finding);
        }
        let (once, rest) = once_and_rest(run, purpose).await?;
        let Twice { before, fax, exchanges, refusal } = twice(run, purpose).await?;
        if let Some(exchange) = refusal {
            run.meant(&exchange).await?;
            let seen = format!("the app {} to a notification that came twice ({purpose})", exchange.responded());
            return Ok(Finding::fail(seen, &exchange));
        }
        let doubled = run.doubled_effects(&fax, &before, &[(once, rest)]).await?;
        if let (Some(what), Some(exchange)) = (doubled, exchanges.last()) {
            return Ok(Finding::fail(
                format!("the app {what} for a notification that came twice ({purpose})"),
                exchange,
            ));
        }
        has_effects |= once.could_double();
        judged.push(purpose.as_str());
    }
    if !has_effects {
        let why = "the app accepted each notification twice, but did nothing that can be seen; name a page that shows its \
                   faxes with --probe";
        return Err(Stop::not_judged(why));
    }
    Ok(Finding::pass(format!("the app acted once on notifications that came twice ({})", judged.join(", "))))
}

/// Returns what the app did twice about a fax because it was asked twice: what it does when it is asked
/// or, if it handles a fax as often as it was asked, everything.
async fn doubled_by_asking(
    run: &Run,
    fax: &str,
    before: &Moment,
    &Usual { asked, notified, .. }: &Usual,
) -> Result<Option<&'static str>, Stop> {
    let everything = (asked.and(notified), Effects::default());
    run.doubled_effects(fax, before, &[(asked, notified), everything]).await
}

async fn asked_twice(run: &Run) -> Judged {
    let purpose = Purpose::FaxUrl;
    run.accepted(purpose)?;
    let usual = match (&run.options.probe, &run.options.action) {
        // What an app without a page does about a fax shows that it was notified, not that it was asked.
        (None, _) => None,
        (Some(_), None) => Some(run.usual().await?.clone()),
        // The app isn't asked about the usual fax, which has the action of the option.
        (Some(_), Some(_)) => {
            let held = json!({ "delay_ms": HELD_MS });
            Some(run.usual_of(run.call().webhook(Purpose::Action, &held)).await?)
        }
    };
    let before = Moment::now(run, None).await?;
    let twice = run.receive(run.call().webhook(purpose, &json!({ "duplicate": true }))).await?;
    let exchanges: Vec<&Exchange> = twice.of(purpose).collect();
    let [first, .., second] = exchanges.as_slice() else {
        return Err(Stop::not_judged("the emulator asked the app only once"));
    };
    for exchange in [first, second] {
        run.meant(exchange).await?;
        if !exchange.is_accepted() {
            let seen = format!("the app {} when it was asked about a fax twice", exchange.responded());
            return Ok(Finding::fail(seen, exchange));
        }
    }
    let verb = |exchange: &Exchange| {
        let reading = twiml::interpret(exchange.response_header("content-type"), exchange.answer.as_bytes());
        reading.verb.ok().map(|verb| std::mem::discriminant(&verb))
    };
    if verb(first) != verb(second) {
        return Ok(Finding::fail("the app gave other TwiML when it was asked about the same fax again", second));
    }
    let what = match usual {
        Some(usual) if before.page.is_some() => doubled_by_asking(run, &twice.fax, &before, &usual).await?,
        Some(_) | None => None,
    };
    Ok(match what {
        Some(what) => Finding::fail(format!("the app {what} because it was asked about the fax twice"), second),
        None => Finding::pass("the app gave the same TwiML twice"),
    })
}

/// Returns the status that an exchange notifies of.
pub(super) fn status(exchange: &Exchange) -> &str {
    let found = exchange.params.iter().find(|(name, _)| name == "FaxStatus");
    found.map_or("", |(_, value)| value)
}

async fn out_of_order(run: &Run) -> Judged {
    let purpose = Purpose::StatusCallback;
    run.accepted(purpose)?;
    let start = run.probe().await?;
    let plain = with_notice(run, purpose, &Value::Null).await?;
    let last = plain.of(purpose).next_back().map(status).unwrap_or_default().to_owned();
    let usual = match &start {
        Some(start) => run.probe_shows(&last, start).await?,
        None => None,
    };
    let mixed = with_notice(run, purpose, &json!({ "reorder": true })).await?;
    let exchanges: Vec<&Exchange> = mixed.of(purpose).collect();
    if let Some(exchange) = mixed.refusal(purpose) {
        run.meant(exchange).await?;
        let seen = format!("the app {} to callbacks in another order", exchange.responded());
        return Ok(Finding::fail(seen, exchange));
    }
    let after_final = exchanges.iter().rev().take_while(|exchange| status(exchange) != last).count();
    let Some(late) = exchanges.last().filter(|_| after_final > 0 && after_final < exchanges.len()) else {
        let why = "the app is notified of one status only, so that none can overtake another";
        return Err(Stop::not_judged(why));
    };
    let Some(start) = start else {
        let why = "the app accepted callbacks in another order; whether it kept the final status can be seen only on a page \
                   of its own; name one with --probe";
        return Err(Stop::not_judged(why));
    };
    let Some(usual) = usual else {
        let hint =
            if run.options.send.is_some() { "" } else { "; if it shows only faxes that the app sent, give --send" };
        return Err(Stop::not_judged(format!("the page of --probe doesn't show the status {last}{hint}")));
    };
    let shown = usual.count(&last).saturating_sub(start.count(&last));
    let is_kept = |page: &Page| page.count(&last) >= usual.count(&last) + shown;
    let kept = run.probe_until(Instant::now() + run.options.limits.work, is_kept).await?;
    // The late status may be stored in the background, after the final one was seen.
    let is_replaced = run.probe_differs(kept.as_ref()).await? && !run.probe().await?.as_ref().is_some_and(is_kept);
    if kept.is_some() && !is_replaced {
        return Ok(Finding::pass(format!("the app kept the status {last} although {} came after it", status(late))));
    }
    // A page may have room for the newest faxes only, so only a status that should not be there proves anything.
    let shows_late = run.probe().await?.is_some_and(|page| page.count(status(late)) > usual.count(status(late)));
    if !shows_late {
        let why = format!("the page of --probe shows neither {last} nor {} after both had come", status(late));
        return Err(Stop::not_judged(why));
    }
    let seen = format!("the page of --probe shows {} instead of {last} after {} came late", status(late), status(late));
    Ok(Finding::fail(seen, late))
}

/// Returns a finding if the app failed at a request, which it may refuse but must be able to handle.
pub(super) fn failed(exchange: &Exchange, what: &str) -> Option<Finding> {
    let has_failed = exchange.status.is_none_or(|status| status >= 500);
    has_failed.then(|| Finding::fail(format!("the app {} to {what}", exchange.responded()), exchange))
}

async fn notified_late(run: &Run) -> Judged {
    let mut judged = Vec::new();
    for purpose in notices(run)? {
        let held = json!({ "delay_ms": HELD_MS });
        let pending = if purpose == Purpose::StatusCallback {
            run.queue(run.order_of_app()?.webhook(purpose, &held)).await?
        } else {
            run.ring(run.call_with(purpose, &held)).await?
        };
        run.advance(UNTIL_ENDED).await?;
        run.delete(&pending.fax).await?;
        let late = run.finish(pending).await?;
        let exchange = late.of(purpose).next_back();
        let exchange = exchange.ok_or_else(|| Stop::not_judged(format!("the app got no notification ({purpose})")))?;
        run.meant(exchange).await?;
        let what = format!("a notification of a fax that has been deleted ({purpose})");
        if let Some(finding) = late.of(purpose).find_map(|exchange| failed(exchange, &what)) {
            return Ok(finding);
        }
        judged.push(format!("{purpose}: {}", exchange.outcome()));
    }
    Ok(Finding::pass(format!("the app coped with notifications of deleted faxes ({})", judged.join(", "))))
}

/// Returns a SID of the same form that belongs to no fax.
fn other_sid(sid: &str) -> String {
    let other = |digit: char| match digit {
        '0'..='9' | 'a'..='f' => digit.to_digit(16).and_then(|value| char::from_digit(15 - value, 16)).unwrap_or(digit),
        _ => digit,
    };
    sid.chars().map(other).collect()
}

async fn unknown_fax(run: &Run) -> Judged {
    let mut judged = Vec::new();
    for purpose in notices(run)? {
        let good = run.accepted(purpose)?;
        let sid = good.params.iter().find(|(name, _)| name == "FaxSid").map(|(_, sid)| other_sid(sid));
        let sid = sid.ok_or_else(|| Stop::not_judged("the notification has no FaxSid"))?;
        let (_, exchange) = changed(run, purpose, &json!({ "params": { "set": { "FaxSid": sid } } })).await?;
        if let Some(finding) = failed(&exchange, &format!("a notification of a fax that it doesn't know ({purpose})")) {
            return Ok(finding);
        }
        judged.push(format!("{purpose}: {}", exchange.outcome()));
    }
    Ok(Finding::pass(format!("the app coped with notifications of unknown faxes ({})", judged.join(", "))))
}

async fn callback_lost(run: &Run) -> Judged {
    if run.options.send.is_none() {
        return Err(Stop::not_judged(
            "an app asks only about faxes that it has sent itself; let it send one with --send",
        ));
    }
    let purpose = Purpose::StatusCallback;
    let order = run.order_of_app()?;
    let place = run.traffic_place().await?;
    let lost = run.send(order.webhook(purpose, &json!({ "drop": true }))).await?;
    run.advance(AFTER_LOSS).await?;
    // Some apps ask when someone looks at the fax. Whether the page can be read doesn't matter here.
    let _ = run.probe().await;
    let fax = lost.fax.as_str();
    let has_asked = |requests: &Vec<_>| requests.iter().any(|request| tells_end(request, fax));
    let asked = run.watch(run.options.limits.work, || run.calls_since(place), has_asked).await?;
    Ok(if has_asked(&asked) {
        Finding::pass("the app asked for the status of a fax whose callbacks were lost")
    } else {
        let limit = run.options.limits.work.as_secs_f64();
        Finding::fault(format!(
            "the app did not ask for a fax within {limit} s after its callbacks were lost; if it asks less often, give it \
             longer with --patience"
        ))
    })
}

/// Returns whether this call told the app that the fax has ended, as one fax or in a list.
fn tells_end(request: &Request, fax: &str) -> bool {
    let is_end = |shown: &Value| {
        shown["sid"] == fax && !matches!(shown["status"].as_str(), Some("queued" | "processing" | "sending") | None)
    };
    let listed = request.answer["faxes"].as_array().map(Vec::as_slice).unwrap_or_default();
    // If a response is too long to be kept whole, its beginning is kept as text.
    let is_in_text = request.answer.as_str().is_some_and(|text| text.contains(fax));
    request.method == "GET" && (is_end(&request.answer) || listed.iter().any(is_end) || is_in_text)
}

async fn burst(run: &Run) -> Judged {
    run.accepted(Purpose::FaxUrl)?;
    // If the checks before this one have used up a limit of the app, this check ends here.
    changed(run, Purpose::FaxUrl, &Value::Null).await?;
    let held = json!({ "delay_ms": BURST_HELD_MS });
    let calls = (0..BURST).map(|_| run.ring(run.call().webhook(Purpose::FaxUrl, &held)));
    let pending = future::try_join_all(calls).await?;
    run.drain().await?;
    let faxes = future::try_join_all(pending.into_iter().map(|pending| run.finish(pending))).await?;
    // If the app doesn't accept a request at other times either, the request says nothing about bursts.
    let purposes = run.purposes()?;
    let of_purpose = |exchange: &&Exchange| purposes.iter().any(|purpose| exchange.purpose == purpose.as_str());
    let exchanges: Vec<&Exchange> = faxes.iter().flat_map(|fax| &fax.exchanges).filter(of_purpose).collect();
    let slowest = exchanges.iter().max_by_key(|exchange| exchange.duration);
    let slowest = slowest.ok_or_else(|| Stop::not_judged("the app was not asked"))?;
    if let Some(exchange) = exchanges.iter().find(|exchange| !exchange.is_accepted()) {
        run.meant(exchange).await?;
        let seen = format!("the app {} to one of {BURST} faxes at once", exchange.responded());
        return Ok(Finding::fail(seen, exchange));
    }
    let (taken, limit) = (slowest.duration.as_millis(), run.options.limits.burst);
    Ok(if slowest.duration > limit {
        let seen = format!("one of {BURST} responses at once took {taken} ms, more than {} s", limit.as_secs_f64());
        Finding::fail(seen, slowest)
    } else {
        Finding::pass(format!("the slowest of {} responses took {taken} ms", exchanges.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_that_belongs_to_no_fax_has_the_same_form() {
        assert_eq!(other_sid("FX0123456789abcdef"), "FXfedcba9876543210");
        assert_eq!(other_sid("831455c6-574e"), "7cebaa39-a8b1");
    }
}
