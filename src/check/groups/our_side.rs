//! What the app does with the emulator: how it downloads documents, what it deletes, and what it asks for when it sends.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::judging::changed;
use crate::check::activity::Request;
use crate::check::{Check, Exchange, Finding, Group, Judged, Profile, Run, Severity, Stop, Turn};
use crate::model::account::Dialect;
use crate::model::webhook::Purpose;

/// The time for which a document is held back, to see whether the app responds without it, in milliseconds.
const HELD_MS: u64 = 700;
/// The same time as a duration.
const HELD: Duration = Duration::from_millis(HELD_MS);
/// The two names of this machine. An emulator at one of them can be reached by the other.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

const INBOUND: &[Profile] = &[Profile::Inbound];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "media-user-agent",
        code: "A1",
        group: Group::Calls,
        severity: Severity::Warn,
        title: "The app downloads documents with a User-Agent",
        why: "Twilio's guide requires the header, and a service that insists on it refuses the document.",
        fix: "Give the HTTP client a User-Agent, such as the app's name and version.",
        source: "Twilio: Receive faxes (\"you must specify an HTTP User-Agent header\")",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(user_agent(run)),
    },
    Check {
        id: "media-once",
        code: "A2",
        group: Group::Calls,
        severity: Severity::Warn,
        title: "The app downloads a document once, soon, and after it has responded to the notification",
        why: "MediaUrl is valid for two hours, and a slow download within the request makes the service give up and \
              repeat the notification.",
        fix: "Respond to the notification at once, download the document in a queue or a background task, and keep it.",
        source: "Twilio: Fax resource (MediaUrl expires after two hours); GitHub: Best practices for using webhooks",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(downloaded_once(run)),
    },
    Check {
        id: "media-redirect",
        code: "A3",
        group: Group::Calls,
        severity: Severity::Warn,
        title: "The app follows a redirect of MediaUrl",
        why: "Media hosts redirect to where a document is stored, and an app that doesn't follow the redirect stores an empty document.",
        fix: "Let the HTTP client follow redirects of GET, and check that the final status is 200.",
        source: "RFC 9110, section 15.4; Twilio: Fax Media resource",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(redirect(run)),
    },
    Check {
        id: "media-deleted",
        code: "A4",
        group: Group::Calls,
        severity: Severity::Info,
        title: "The app deletes a fax from the service once it has the document",
        why: "Otherwise the service keeps documents that may be confidential, for 180 days or longer.",
        fix: "Call DELETE /v1/Faxes/{Sid}, or delete its media, after the document is stored; leave it there if you want the service to keep it.",
        source: "Twilio: Fax Media resource (delete); Fax resource (180 days)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(deleted(run)),
    },
    Check {
        id: "send-callback",
        code: "A5",
        group: Group::Calls,
        severity: Severity::Info,
        title: "The app names a StatusCallback when it sends a fax",
        why: "Without one, the app has to ask whether the fax was delivered.",
        fix: "Pass StatusCallback when you create a fax.",
        source: "Twilio: Fax resource (StatusCallback)",
        profiles: &[Profile::Outbound],
        turn: Turn::Beside,
        run: |run| Box::pin(send_callback(run)),
    },
    Check {
        id: "media-host",
        code: "A6",
        group: Group::Calls,
        severity: Severity::Info,
        title: "The app downloads documents only from hosts that it knows",
        why: "An app that downloads from any host can be made to call addresses in its own network, if it ever accepts a \
              request that the service did not make.",
        fix: "Compare MediaUrl's host with those of the service, and in tests with the emulator's; send your token to no \
              other host.",
        source: "OWASP: Server side request forgery prevention; Webhook security guidelines",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(known_host(run)),
    },
];

fn has_download(requests: &[Request]) -> bool {
    requests.iter().any(Request::is_download)
}

async fn user_agent(run: &Run) -> Judged {
    if run.dialect() == Dialect::SignalWire {
        return Err(Stop::not_judged("SignalWire requires no User-Agent"));
    }
    let notified = run.notified()?;
    let requests = run.first_requests(|requests| requests.iter().any(Request::is_for_media)).await?;
    if !requests.iter().any(Request::is_for_media) {
        run.first_download().await?;
    }
    let is_nameless = run.download_faults(&notified.fax).await?.iter().any(|fault| fault == "no-user-agent");
    Ok(if is_nameless {
        Finding::fail("the app downloaded the document without a User-Agent", run.accepted(Purpose::Action)?)
    } else {
        Finding::pass("the app downloaded the document with a User-Agent")
    })
}

async fn downloaded_once(run: &Run) -> Judged {
    let good = run.accepted(Purpose::Action)?;
    let work = run.options.limits.work.as_secs_f64();
    if !has_download(&run.first_requests(has_download).await?) {
        let seen = format!("the app had not downloaded the document {work} s after the notification");
        return Ok(Finding::fail(seen, good));
    }
    if let Some(notice) = response_after_download(run, good).await? {
        let seen = format!(
            "the app downloads the document before it responds: it took {} ms when the document came {} ms later than usual",
            notice.duration.as_millis(),
            HELD_MS
        );
        return Ok(Finding::fail(seen, &notice));
    }
    // The first fax has been known for long enough that a second download of it would have been seen.
    let whole = |request: &&Request| request.is_for_media() && request.status == Some(200);
    let count = run.requests_about(&run.notified()?.fax).await?.iter().filter(whole).count();
    Ok(if count > 1 {
        Finding::fail(format!("the app downloaded the whole document {count} times"), good)
    } else {
        Finding::pass("the app downloaded the document once, after it had responded")
    })
}

/// Returns the notification of a fax whose document comes late, if the app responds to it late as well. A busy machine may
/// delay one response by chance, so the app must do so twice.
async fn response_after_download(run: &Run, good: &Exchange) -> Result<Option<Exchange>, Stop> {
    let mut late = None;
    for _ in 0..2 {
        let call = run.call_with(Purpose::Action, &Value::Null).media(&json!({ "delay_ms": HELD_MS }));
        let (conversation, requests) = run.receive_until(call, HELD, has_download).await?;
        let notice = conversation.of(Purpose::Action).next();
        let notice = notice.ok_or_else(|| Stop::not_judged("the app was not notified of the fax"))?;
        run.meant(notice).await?;
        // An app that is always this slow may have responded without the document.
        if notice.duration < HELD || good.duration >= HELD || !has_download(&requests) {
            return Ok(None);
        }
        late = Some(notice.clone());
    }
    Ok(late)
}

async fn redirect(run: &Run) -> Judged {
    run.first_download().await?;
    let call = run.call_with(Purpose::Action, &Value::Null).media(&json!({ "redirects": 1 }));
    let (conversation, requests) = run.receive_until(call, Duration::ZERO, has_download).await?;
    let is_redirected = requests.iter().any(|request| request.status == Some(302));
    if is_redirected && has_download(&requests) {
        return Ok(Finding::pass("the app followed a redirect to the document"));
    }
    let notice = conversation.of(Purpose::Action).next();
    let notice = notice.ok_or_else(|| Stop::not_judged("the app was not notified of the fax"))?;
    run.meant(notice).await?;
    if !is_redirected {
        return Err(Stop::not_judged("the app did not download the document from the MediaUrl of the notification"));
    }
    Ok(Finding::fail("the app did not follow a redirect to the document", notice))
}

async fn deleted(run: &Run) -> Judged {
    run.first_download().await?;
    let requests = run.first_requests(|requests| requests.iter().any(Request::is_deletion)).await?;
    Ok(match requests.iter().find(|request| request.is_deletion()) {
        Some(deletion) => Finding::pass(format!("the app called {}", deletion.words())),
        None => {
            let work = run.options.limits.work.as_secs_f64();
            let seen = format!("the app had deleted neither the fax nor its document after {work} s");
            Finding::fail(seen, run.accepted(Purpose::Action)?)
        }
    })
}

async fn send_callback(run: &Run) -> Judged {
    if run.options.send.is_none() {
        return Err(Stop::not_judged("give a command that makes the app send a fax with --send"));
    }
    let sent = run.sent()?;
    let requests = run.requests_about(&sent.fax).await?;
    let creation = requests.iter().find(|request| request.kind == "rest" && request.method == "POST");
    let creation = creation.ok_or_else(|| Stop::not_judged("the call by which the app sent the fax is not known"))?;
    Ok(match creation.params["StatusCallback"].as_str().filter(|url| !url.is_empty()) {
        Some(url) => Finding::pass(format!("the app is notified at {url}")),
        None => Finding::fail("the app sent a fax without a StatusCallback", &creation.exchange(run.place.api.base())),
    })
}

async fn known_host(run: &Run) -> Judged {
    run.first_download().await?;
    let call = run.call_with(Purpose::Action, &Value::Null);
    let (conversation, requests) = run.receive_until(call, Duration::ZERO, has_download).await?;
    let known = requests.iter().filter(|request| request.is_for_media()).count();
    let notice = conversation.of(Purpose::Action).next();
    let media = notice.and_then(|notice| notice.param("MediaUrl"));
    let media = media.ok_or_else(|| Stop::not_judged("the notification names no document"))?;
    let (other, name) = elsewhere(media).ok_or_else(|| {
        Stop::not_judged(
            "the document's host has no other name to try; let the app use an emulator at localhost or 127.0.0.1",
        )
    })?;
    let (_, exchange): (_, Exchange) =
        changed(run, Purpose::Action, &json!({ "params": { "set": { "MediaUrl": other } } })).await?;
    let count = |requests: &[Request]| requests.iter().filter(|request| request.is_for_media()).count();
    let end = Instant::now() + run.options.limits.settle;
    let requests = run.requests_until(end, &conversation.fax, |requests| count(requests) > known).await?;
    Ok(if count(&requests) > known {
        let seen = format!("the app downloaded a document from {name}, where the service has none");
        Finding::fail(seen, &exchange)
    } else {
        Finding::pass(format!("the app did not download a document from {name}"))
    })
}

/// Returns the URL of the same document under this machine's other name, and that name.
fn elsewhere(media: &str) -> Option<(String, &'static str)> {
    let mut url = Url::parse(media).ok()?;
    let at = NAMES.iter().position(|name| url.host_str() == Some(name))?;
    let other = NAMES[1 - at];
    url.set_host(Some(other)).ok()?;
    Some((url.into(), other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_has_another_name() {
        let other = |url: &str| elsewhere(url).map(|(url, _)| url);
        assert_eq!(other("http://127.0.0.1:8329/fax?X=1").as_deref(), Some("http://localhost:8329/fax?X=1"));
        assert_eq!(other("http://localhost/fax").as_deref(), Some("http://127.0.0.1/fax"));
        assert_eq!(other("http://host.docker.internal/fax"), None);
        assert_eq!(other("no URL"), None);
    }
}
