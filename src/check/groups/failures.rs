//! Whether the app copes with faxes, downloads and calls of the API that fail.

use std::time::Duration;

use futures_util::future;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::judging::accepted;
use super::repeated::{failed, notices, status};
use crate::check::activity::Request;
use crate::check::conversation::Conversation;
use crate::check::sending::CommandEnd;
use crate::check::stimulus::Call;
use crate::check::{Check, Exchange, Finding, Group, Judged, Profile, Run, Severity, Stop, Turn};
use crate::model::webhook::Purpose;

const BOTH: &[Profile] = Profile::ALL;
const INBOUND: &[Profile] = &[Profile::Inbound];
const OUTBOUND: &[Profile] = &[Profile::Outbound];
const FAX_RESOURCE: &str = "Twilio: Fax resource (status values, ErrorCode); errors 34002 to 34108";
/// The number of further attempts that an app may make after the first one failed.
const RETRIES_MAX: usize = 5;
/// A status that no service has.
const NEW_STATUS: &str = "some-new-status";
/// The speed of a slow download, in bytes per second. At this speed, no document is complete before the cut.
const DRIP_BYTES_PER_SECOND: u64 = 400;
/// How much longer a slow download takes than a response may take, in milliseconds.
const DRIP_BEYOND_MS: u64 = 500;
/// The number of bytes after which a download is cut off, fewer than any document has.
const CUT_AFTER_BYTES: u64 = 500;
/// The time after a response with the status 429 during which another attempt is too soon: half of what `Retry-After`
/// asks for, which leaves room for apps that measure it in other ways.
const TOO_SOON: Duration = Duration::from_millis(500);

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "received-failed",
        code: "F1",
        group: Group::Failures,
        severity: Severity::Must,
        title: "The app accepts the notification of an incoming fax that failed, which has no MediaUrl and no NumPages",
        why: "Every line breaks at times, and an app that expects a document then fails without anybody noticing.",
        fix: "Look at FaxStatus first, and read MediaUrl and NumPages only if it is received.",
        source: "Twilio: TwiML for Programmable Fax, Receive (action); error 34004",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(received_failed(run)),
    },
    Check {
        id: "sent-failed",
        code: "F2",
        group: Group::Failures,
        severity: Severity::Must,
        title: "The app accepts that a fax was busy, not answered or failed, and sends it again five times at most",
        why: "A number that never answers would be called for ever, at the price of a fax each time.",
        fix: "Accept each final status with 2xx, and count the attempts per document; give up after a few, with longer waits \
              in between.",
        source: FAX_RESOURCE,
        profiles: OUTBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(sent_failed(run)),
    },
    Check {
        id: "canceled",
        code: "F3",
        group: Group::Failures,
        severity: Severity::Should,
        title: "The app accepts that a fax was canceled",
        why: "Faxes can be canceled in the console or by another system, without the app having asked for it.",
        fix: "Treat canceled as a final status, and respond 2xx.",
        source: FAX_RESOURCE,
        profiles: OUTBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(canceled(run)),
    },
    Check {
        id: "status-unknown",
        code: "F4",
        group: Group::Failures,
        severity: Severity::Should,
        title: "The app accepts a status that it doesn't know",
        why: "Services add words for a status, and an app with a closed list then fails for each such fax.",
        fix: "Keep an unknown status as text, and treat it as not final.",
        source: "Twilio: Fax resource (status values); Twilio: API versioning (new values are no breaking change)",
        profiles: BOTH,
        turn: Turn::Beside,
        run: |run| Box::pin(status_unknown(run)),
    },
    Check {
        id: "media-gone",
        code: "F5",
        group: Group::Failures,
        severity: Severity::Should,
        title: "The app copes with a document that can't be downloaded any more",
        why: "A MediaUrl is valid for two hours. If the app's queue was down for longer, its download is refused with 403.",
        fix: "Fetch the fax for a new MediaUrl, or note the failure and respond 2xx; try a refused download a few times at most.",
        source: "Twilio: Fax media resource (MediaUrl is valid for two hours)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(media_gone(run)),
    },
    Check {
        id: "media-slow",
        code: "F6",
        group: Group::Failures,
        severity: Severity::Should,
        title: "The app responds in time while a document is downloaded slowly",
        why: "If a response waits for a download, one slow download delays or loses the faxes after it.",
        fix: "Respond first, and download in a queue or a background task with a time limit.",
        source: "Twilio: Webhooks, connection overrides (tt); OWASP: Webhook security guidelines (denial of service)",
        profiles: INBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(media_slow(run)),
    },
    Check {
        id: "media-cut",
        code: "F8",
        group: Group::Failures,
        severity: Severity::Warn,
        title: "The app downloads a document again if the connection closed before its end",
        why: "The beginning of a document often opens like a whole one, so missing pages go unnoticed.",
        fix: "Compare the length with Content-Length, as most HTTP clients do, and try again if the download fails.",
        source: "RFC 9112, section 8",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(media_cut(run)),
    },
    Check {
        id: "api-refuses",
        code: "F7",
        group: Group::Failures,
        severity: Severity::Should,
        title: "The app tries again, or reports the failure, when the API responds 429 or 500, and waits in between",
        why: "An app that ignores the error loses the fax, and one that tries again at once makes the overload worse.",
        fix: "Try again after Retry-After, or with longer and longer waits, five times at most; then report the failure.",
        source: "Twilio: error 20429 and best practices for retries; RFC 6585, section 4",
        profiles: OUTBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(api_refuses(run)),
    },
];

async fn received_failed(run: &Run) -> Judged {
    run.accepted(Purpose::Action)?;
    let outcome = json!({ "status": "failed", "code": 34004 });
    let received = run.receive(run.call_with(Purpose::Action, &Value::Null).field("outcome", outcome)).await?;
    let exchange = received.of(Purpose::Action).next();
    let exchange = exchange.ok_or_else(|| Stop::not_judged("the app was not notified of a fax that failed"))?;
    run.meant(exchange).await?;
    Ok(if exchange.is_accepted() {
        Finding::pass(format!("the app {} to the notification of a fax that failed", exchange.responded()))
    } else {
        let seen = format!("the app {} to the notification of a fax that failed", exchange.responded());
        Finding::fail(seen, exchange)
    })
}

/// Lists the calls that created a fax or tried to.
async fn creations(run: &Run, since: u64) -> Result<Vec<Request>, Stop> {
    let calls = run.calls_since(since).await?;
    Ok(calls.into_iter().filter(Request::is_creation).collect())
}

async fn sent_failed(run: &Run) -> Judged {
    let mut most = 0;
    for (is_first, outcome) in [(true, "busy"), (false, "no-answer"), (false, "failed")] {
        // The rules also match what the app sends when it tries again. At the limit, the API refuses further attempts.
        let order = run
            .order_of_app()?
            .rule(json!({ "match": { "direction": "outbound" }, "outcome": { "status": outcome } }))
            .rule(json!({
                "match": { "method": "POST", "path": "*/Faxes" }, "after": RETRIES_MAX + 1, "api": { "status": 400 },
            }));
        let since = run.traffic_place().await?;
        let pending = run.queue(order).await?;
        let sent = run.end(&pending).await?;
        // The first attempt is known. Another one may have come already, since the fax has ended.
        let mut attempts = 1;
        loop {
            // An app may wait before it tries again. If it made no attempt after the first status, it isn't given time
            // for that again.
            let may_wait = run.options.send.is_some() && (is_first || most > 0);
            let limit = if may_wait { run.options.limits.work } else { run.options.limits.settle };
            let known = attempts;
            attempts = run.watch(limit, || creations(run, since), |list| list.len() > known).await?.len();
            if attempts == known || attempts > RETRIES_MAX + 1 {
                break;
            }
            run.drain().await?;
        }
        let last = run.finish(pending).await?;
        let exchange = sent.of(Purpose::StatusCallback).next_back();
        let exchange =
            exchange.ok_or_else(|| Stop::not_judged(format!("the app was not notified that a fax was {outcome}")))?;
        if let Some(refused) = last.refusal(Purpose::StatusCallback) {
            run.meant(refused).await?;
            let seen = format!("the app {} to the status {}", refused.responded(), status(refused));
            return Ok(Finding::fail(seen, refused));
        }
        if attempts > RETRIES_MAX + 1 {
            let seen =
                format!("the app sent a fax again more than {RETRIES_MAX} times, each time after the status {outcome}");
            return Ok(Finding::fail(seen, exchange));
        }
        most = most.max(attempts.saturating_sub(1));
    }
    Ok(Finding::pass(format!("the app accepted the statuses and made {most} further attempts at most")))
}

async fn canceled(run: &Run) -> Judged {
    let pending = run.queue(run.order_of_app()?).await?;
    let canceled = run.cancel(&pending.fax).await;
    let ended = run.finish(pending).await?;
    if canceled.is_ok() {
        return accepts_canceled(run, &ended).await;
    }
    // The fax could no longer be canceled, because its document had been converted already. A notification that is
    // changed to say `canceled` looks the same to the app.
    let effect = json!({ "params": { "set": { "FaxStatus": "canceled" } } });
    let is_about_status = |purpose| purpose == Purpose::StatusCallback;
    accepted(run, "the status canceled", |purpose| is_about_status(purpose).then(|| effect.clone())).await
}

async fn accepts_canceled(run: &Run, ended: &Conversation) -> Judged {
    let exchange = ended.of(Purpose::StatusCallback).find(|exchange| status(exchange) == "canceled");
    let exchange = exchange.ok_or_else(|| Stop::not_judged("the app was not notified that the fax was canceled"))?;
    run.meant(exchange).await?;
    Ok(if exchange.is_accepted() {
        Finding::pass(format!("the app {} to the status canceled", exchange.responded()))
    } else {
        Finding::fail(format!("the app {} to the status canceled", exchange.responded()), exchange)
    })
}

async fn status_unknown(run: &Run) -> Judged {
    let notices = notices(run)?;
    let effect = |purpose| {
        notices.contains(&purpose).then(|| {
            let has_status =
                run.accepted(purpose).is_ok_and(|good| good.params.iter().any(|(name, _)| name == "Status"));
            let mut set = json!({ "FaxStatus": NEW_STATUS });
            if has_status {
                set["Status"] = NEW_STATUS.into();
            }
            json!({ "params": { "set": set } })
        })
    };
    accepted(run, "a status that no service has", effect).await
}

/// Returns an incoming fax that the app is notified of.
fn call(run: &Run) -> Call {
    run.call_with(Purpose::Action, &Value::Null)
}

/// Returns the exchange of a received fax's notification.
async fn notification(run: &Run, received: &Conversation) -> Result<Exchange, Stop> {
    let exchange = received.of(Purpose::Action).next().cloned();
    let exchange = exchange.ok_or_else(|| Stop::not_judged("the app was not notified of the fax"))?;
    run.meant(&exchange).await?;
    Ok(exchange)
}

/// Returns the reason why an app that downloads nothing isn't judged.
fn no_download() -> Stop {
    Stop::not_judged("the app did not download the document")
}

async fn media_gone(run: &Run) -> Judged {
    run.first_download().await?;
    let has_too_many =
        |requests: &[Request]| requests.iter().filter(|one| one.is_for_media()).count() > RETRIES_MAX + 1;
    let pending = run.ring(call(run).media(&json!({ "status": 403 }))).await?;
    let exchange = notification(run, &run.end(&pending).await?).await?;
    if let Some(finding) = failed(&exchange, "a notification whose document can't be downloaded any more") {
        return Ok(finding);
    }
    let fax = pending.fax.as_str();
    let has_tried = |requests: &[Request]| requests.iter().any(Request::is_for_media);
    if !has_tried(&run.requests_wanted(fax, has_tried).await?) {
        return Err(no_download());
    }
    let end = Instant::now() + run.options.limits.settle;
    let requests = run.requests_until(end, fax, has_too_many).await?;
    run.forget(pending).await;
    Ok(if has_too_many(&requests) {
        let seen = format!("the app tried a download that was refused with 403 again more than {RETRIES_MAX} times");
        Finding::fail(seen, &exchange)
    } else {
        let attempts = requests.iter().filter(|one| one.is_for_media()).count();
        Finding::pass(format!("the app {} and tried the download {attempts} times", exchange.responded()))
    })
}

async fn media_slow(run: &Run) -> Judged {
    run.first_download().await?;
    let first = run.received()?.fax.clone();
    let limits = run.options.limits;
    let drip = u64::try_from(limits.slow.as_millis()).unwrap_or(u64::MAX).saturating_add(DRIP_BEYOND_MS);
    let cut = drip.saturating_mul(DRIP_BYTES_PER_SECOND) / 1_000;
    let slow = json!({ "bytes_per_second": DRIP_BYTES_PER_SECOND, "cut_after_bytes": cut });
    let since = run.last_seq().await?;
    let pending = run.ring(call(run).first_download(&slow)).await?;
    let other = async {
        // Some apps begin the download in the background, after they have responded.
        let begun = run.watch(limits.work, || run.slowed_downloads(since), |count| *count > 0).await?;
        if begun == 0 {
            return Err(no_download());
        }
        run.replay(&first, Purpose::FaxUrl).await
    };
    let (received, other) = future::join(run.end(&pending), other).await;
    run.forget(pending).await;
    let (received, other) = (received?, other?);
    let exchange = notification(run, &received).await?;
    if other.status.is_none() || other.duration > limits.slow {
        let (outcome, taken) = (other.outcome(), other.duration.as_millis());
        let seen = format!("during a slow download, another request took {taken} ms ({outcome})");
        return Ok(Finding::fail(seen, &other));
    }
    if let Some(finding) = failed(&exchange, "a notification whose document is downloaded slowly") {
        return Ok(finding);
    }
    Ok(if exchange.duration > limits.slow {
        let seen = format!("the response waited {} ms for the download", exchange.duration.as_millis());
        Finding::warn(seen, &exchange)
    } else {
        Finding::pass(format!("the app responded within {} ms during a slow download", other.duration.as_millis()))
    })
}

async fn media_cut(run: &Run) -> Judged {
    run.first_download().await?;
    let cut = call(run).first_download(&json!({ "cut_after_bytes": CUT_AFTER_BYTES }));
    let attempts = |requests: &[Request]| requests.iter().filter(|one| one.is_for_media()).count();
    let (received, requests) = run.receive_until(cut, Duration::ZERO, |requests| attempts(requests) > 1).await?;
    let exchange = notification(run, &received).await?;
    if let Some(finding) = failed(&exchange, "a notification whose download was cut off") {
        return Ok(finding);
    }
    Ok(match attempts(&requests) {
        0 => return Err(no_download()),
        1 => {
            let limit = run.options.limits.work.as_secs_f64();
            let seen =
                format!("the app did not download the document again within {limit} s after the connection closed");
            Finding::fail(seen, &exchange)
        }
        _ => Finding::pass("the app downloaded the document again after the connection had closed"),
    })
}

/// What the app did while the API refused its calls.
struct Attempts {
    count: usize,
    /// The time between the first two attempts.
    first_wait: Option<Duration>,
    /// How the command ended; `None` if it was still running.
    command: Option<CommandEnd>,
}

/// Makes the app send while the API refuses this many calls with this status; without a number, it refuses all.
async fn refused(run: &Run, status: u16, times: Option<u32>) -> Result<Attempts, Stop> {
    run.admit(4).await?;
    let mut rule = json!({ "match": { "method": "POST", "path": "*/Faxes" }, "api": { "status": status } });
    if let Some(times) = times {
        rule["times"] = times.into();
    }
    let since = run.traffic_place().await?;
    let rules = run.add_rules(&[rule]).await?;
    let seen = attempts(run, since, times.is_some()).await;
    run.remove_rules(rules).await;
    // If an attempt got through, its fax is brought to its end.
    run.drain().await?;
    seen
}

async fn attempts(run: &Run, since: u64, ends_with_second: bool) -> Result<Attempts, Stop> {
    let limits = run.options.limits;
    let mut command = Box::pin(run.run_command());
    let mut seen = Attempts { count: 0, first_wait: None, command: None };
    let (end, mut quiet_from, mut first_at) = (Instant::now() + limits.send, Instant::now(), None);
    while Instant::now() < end {
        let known = seen.count;
        let looked = run.watch(limits.settle, || creations(run, since), |calls| calls.len() > known);
        tokio::select! {
            calls = looked => {
                let (count, now) = (calls?.len(), Instant::now());
                if count > known {
                    let first = *first_at.get_or_insert(now);
                    seen.first_wait = seen.first_wait.or_else(|| (count > 1).then(|| now.duration_since(first)));
                    (seen.count, quiet_from) = (count, now);
                }
            }
            ended = &mut command, if seen.command.is_none() => {
                (seen.command, quiet_from) = (Some(ended?), Instant::now());
                continue;
            }
        }
        if seen.count > RETRIES_MAX + 1 || (ends_with_second && seen.count > 1 && seen.command.is_some()) {
            break;
        }
        let has_reported = seen.command.as_ref().is_some_and(|command| !command.is_success);
        let quiet = if has_reported { limits.settle } else { limits.work };
        if seen.command.is_some() && quiet_from.elapsed() >= quiet {
            break;
        }
    }
    Ok(seen)
}

async fn api_refuses(run: &Run) -> Judged {
    run.sent()?;
    if run.options.send.is_none() {
        return Err(Stop::not_judged("only a fax that the app sends itself shows this; let it send one with --send"));
    }
    let limited = refused(run, 429, Some(1)).await?;
    let ignored = |seen: &Attempts| seen.count == 1 && seen.command.as_ref().is_none_or(|command| command.is_success);
    if limited.count == 0 {
        return Err(Stop::not_judged("the command of --send made no call of the API"));
    }
    if ignored(&limited) {
        return Ok(Finding::fault(
            "the app took no notice when the API refused a fax with 429: it neither tried again nor failed",
        ));
    }
    if let Some(wait) = limited.first_wait.filter(|wait| *wait < TOO_SOON) {
        let wait = wait.as_millis();
        return Ok(Finding::fault(format!(
            "the app tried again {wait} ms after a 429, though Retry-After asked for 1 s"
        )));
    }
    let broken = refused(run, 500, None).await?;
    if ignored(&broken) {
        return Ok(Finding::fault(
            "the app took no notice when the API responded 500: it neither tried again nor failed",
        ));
    }
    if broken.count > RETRIES_MAX + 1 {
        return Ok(Finding::fault(format!(
            "the app tried again more than {RETRIES_MAX} times while the API responded 500"
        )));
    }
    let told = |seen: &Attempts| match seen.count {
        0 | 1 => "reported it".to_owned(),
        count => format!("made {count} attempts"),
    };
    Ok(Finding::pass(format!(
        "after a 429, the app {}; while the API responded 500, it {}",
        told(&limited),
        told(&broken)
    )))
}
