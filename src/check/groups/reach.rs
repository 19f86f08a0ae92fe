//! Whether the app can be reached, and speaks HTTP and TwiML. Most of these checks only look at the first fax.

use std::future::ready;
use std::time::Duration;

use serde_json::Value;

use crate::check::direct::Closing;
use crate::check::exchange::Exchange;
use crate::check::{Check, Finding, Group, Judged, Profile, Run, Severity, Stop, Turn};
use crate::model::webhook::Purpose;

/// The largest TwiML that is read, in bytes.
const TWIML_BYTES_MAX: u64 = 64 * 1024;
/// The content types that TwiML should have.
const XML_TYPES: [&str; 2] = ["text/xml", "application/xml"];
/// The tolerance for rounding by timers and the journal: a request that was given up at the limit may be recorded as
/// having taken a little less.
const ROUNDING: Duration = Duration::from_millis(20);

const INBOUND: &[Profile] = &[Profile::Inbound];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "reachable",
        code: "R1",
        group: Group::Reach,
        severity: Severity::Must,
        title: "The app accepts connections within 5 s, over https with a valid certificate",
        why: "The service gives up after 5 s and doesn't call a host whose certificate it can't verify, so every fax is lost.",
        fix: "Start the app, check the URL's host and port, and serve the whole certificate chain; trust a test CA with \
              FAUXFAX_TRUST_CA.",
        source: "Twilio: Webhooks, connection overrides (ct); Webhooks security (HTTPS)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(reachable(run)),
    },
    Check {
        id: "twiml",
        code: "R2",
        group: Group::Reach,
        severity: Severity::Must,
        title: "The app responds to an incoming fax with 2xx and TwiML that can be executed",
        why: "Without TwiML that can be executed, nobody takes the call and the sender's machine gets no answer.",
        fix: "Respond 200 with Content-Type text/xml and <Response><Receive action=\"…\"/></Response>.",
        source: "Twilio: TwiML for Programmable Fax; errors 11200, 12100, 12200, 12300",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(twiml(run)),
    },
    Check {
        id: "in-time",
        code: "R3",
        group: Group::Reach,
        severity: Severity::Must,
        title: "The app responds within 15 s, and preferably within 2 s",
        why: "The service gives up after 15 s, and if it repeats the request, the app does its slow work again.",
        fix: "Respond first and do the work afterwards, in a queue or a background task.",
        source: "Twilio: Webhooks, connection overrides (rt, tt); Telnyx: Webhook fundamentals (2 s)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(in_time(run)),
    },
    Check {
        id: "action-reachable",
        code: "R4",
        group: Group::Reach,
        severity: Severity::Must,
        title: "The app accepts the notification that a fax was received",
        why: "Only this notification names the document, so an app that refuses it loses the fax.",
        fix: "Handle POST at the address of the action attribute and respond with 2xx, such as 204.",
        source: "Twilio: TwiML for Programmable Fax, Receive (action)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(action_reachable(run)),
    },
    Check {
        id: "clean-xml",
        code: "R5",
        group: Group::Reach,
        severity: Severity::Should,
        title: "Nothing precedes the TwiML in the response; it is UTF-8 and at most 64 KiB long",
        why: "XML parsers refuse white space before <?xml, many stumble over a byte order mark, and longer TwiML is not read.",
        fix: "Remove what a template or an editor puts before <?xml or <Response>, and write the response as UTF-8.",
        source: "W3C: XML 1.0, section 2.8; Twilio: errors 12100 and 11750",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(ready(clean_xml(run))),
    },
    Check {
        id: "no-redirect",
        code: "R6",
        group: Group::Reach,
        severity: Severity::Warn,
        title: "The app responds at the configured address instead of redirecting",
        why: "A redirect costs time, and 301, 302 and 303 turn the request into a GET without its parameters.",
        fix: "Configure the final address, with the right scheme, host and slash at the end.",
        source: "RFC 9110, section 15.4; Twilio: Webhooks security (the URL is part of the signature)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(ready(no_redirect(run))),
    },
    Check {
        id: "connection-close",
        code: "R7",
        group: Group::Reach,
        severity: Severity::Info,
        title: "The app closes a connection that it was asked to close, without a reset",
        why: "A connection that stays open uses up one of the server's connections, and with a reset the response can be lost.",
        fix: "Honour Connection: close, as HTTP servers do by themselves; look at a proxy or a handler of your own.",
        source: "RFC 9112, section 9.6",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(connection_close(run)),
    },
];

/// Returns the first request to the app.
fn first(run: &Run) -> Result<&Exchange, Stop> {
    run.good(Purpose::FaxUrl)
}

/// Returns the first request to the app if there is a response to it.
fn answered(run: &Run) -> Result<&Exchange, Stop> {
    let first = first(run)?;
    let why = || Stop::not_judged(format!("the app gave {} to the first request", first.outcome()));
    if first.status.is_some() { Ok(first) } else { Err(why()) }
}

async fn reachable(run: &Run) -> Judged {
    let first = first(run)?;
    if first.status.is_some() {
        return Ok(Finding::pass("the emulator has reached the app"));
    }
    Ok(match run.connect(&run.options.url).await {
        Ok(_) => Finding::pass("the app accepts connections"),
        Err(why) => Finding::fail(format!("the app can't be reached: {why}"), first),
    })
}

async fn twiml(run: &Run) -> Judged {
    let first = first(run)?;
    run.still_there(first).await?;
    if !first.is_accepted() {
        let hint = run.signature_hint(first);
        return Ok(Finding::fail(format!("the app {} to an incoming fax{hint}", first.responded()), first));
    }
    let received = run.received()?;
    // An alert about the notification belongs to another check.
    let of_action = |url: &Value| received.of(Purpose::Action).any(|action| *url == action.url.as_str());
    let alert = received.events_of("alert").find(|alert| !of_action(&alert["request_url"]));
    let cause = alert.and_then(|alert| alert["cause"].as_str().or(alert["message"].as_str()));
    if received.events_of("twiml.executed").next().is_none() {
        let cause = cause.unwrap_or("there is no TwiML in it");
        return Ok(Finding::fail(format!("the response can't be executed: {cause}"), first));
    }
    let kind = first.response_header("content-type").unwrap_or_default();
    let is_xml = |kind: &str| XML_TYPES.contains(&kind.split(';').next().unwrap_or_default().trim());
    Ok(match cause {
        _ if !is_xml(&kind.to_ascii_lowercase()) => {
            let kind = if kind.is_empty() { "none" } else { kind };
            Finding::warn(format!("the Content-Type of the TwiML is {kind}, not text/xml"), first)
        }
        Some(cause) => Finding::warn(format!("the TwiML was executed with a warning: {cause}"), first),
        None => Finding::pass("the TwiML was executed"),
    })
}

async fn in_time(run: &Run) -> Judged {
    let first = first(run)?;
    run.still_there(first).await?;
    let limits = run.options.limits;
    let received = run.received()?;
    let slowest = received.exchanges.iter().max_by_key(|exchange| exchange.duration).unwrap_or(first);
    let taken = format!("{} ms ({})", slowest.duration.as_millis(), slowest.purpose);
    if slowest.duration + ROUNDING >= limits.late {
        let seen = format!("the response was not complete within {} s: {taken}", limits.late.as_secs_f64());
        return Ok(Finding::fail(seen, slowest));
    }
    let first = answered(run)?;
    Ok(if slowest.duration > limits.slow {
        Finding::warn(format!("the response took {taken}, more than {} s", limits.slow.as_secs_f64()), slowest)
    } else {
        Finding::pass(format!("the slowest response took {taken}; the first {} ms", first.duration.as_millis()))
    })
}

async fn action_reachable(run: &Run) -> Judged {
    let action = run.good(Purpose::Action)?;
    run.still_there(action).await?;
    Ok(if action.is_accepted() {
        Finding::pass(format!("the app {} to the notification", action.responded()))
    } else {
        Finding::fail(format!("the app {} to the notification of a received fax", action.responded()), action)
    })
}

fn clean_xml(run: &Run) -> Judged {
    let first = answered(run)?;
    if !first.is_accepted() {
        return Err(Stop::not_judged(format!("the app {}, not with TwiML", first.responded())));
    }
    let (text, length) = (&first.answer, first.response_header("content-length"));
    let beginning = text.trim_start();
    let fault = if text.starts_with('\u{feff}') {
        Some("the response begins with a byte order mark")
    } else if beginning.len() < text.len() && !beginning.is_empty() {
        Some("the response begins with white space")
    } else if text.contains(char::REPLACEMENT_CHARACTER) {
        Some("the response is not valid UTF-8")
    } else if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > TWIML_BYTES_MAX) {
        Some("the response has more than 64 KiB")
    } else {
        None
    };
    Ok(fault.map_or_else(|| Finding::pass("the TwiML is clean"), |fault| Finding::fail(fault, first)))
}

fn no_redirect(run: &Run) -> Judged {
    answered(run)?;
    let redirected = run.received()?.exchanges.iter().find(|exchange| exchange.redirected_to.is_some());
    Ok(match redirected {
        Some(exchange) => {
            let to = exchange.redirected_to.as_deref().unwrap_or_default();
            Finding::fail(format!("the app redirected the request ({}) to {to}", exchange.purpose), exchange)
        }
        None => Finding::pass("the app responded without a redirect"),
    })
}

async fn connection_close(run: &Run) -> Judged {
    let first = answered(run)?;
    Ok(match run.closing(&run.options.url).await?.map_err(Stop::not_judged)? {
        Closing::Clean => Finding::pass("the app closed the connection after its response"),
        Closing::LeftOpen => {
            let patience = run.options.limits.close.as_secs_f64();
            Finding::fail(format!("the app had not closed the connection {patience} s after its response"), first)
        }
        Closing::Broken(why) => Finding::fail(format!("the connection broke: {why}"), first),
    })
}
