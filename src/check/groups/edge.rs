//! The edge of the app: TLS, and methods other than POST.

use url::Url;

use crate::check::direct::Raw;
use crate::check::old_tls::HelloReply;
use crate::check::{Check, Finding, Group, Judged, Profile, Run, Severity, Stop, Turn};
use crate::model::webhook::Purpose;

/// The methods that browsers, proxies and health checks use.
const BESIDE_POST: [&str; 2] = ["HEAD", "OPTIONS"];

/// The status that RFC 9110, section 9.1, wants for a method that a server doesn't know.
const NOT_IMPLEMENTED: u16 = 501;

const INBOUND: &[Profile] = &[Profile::Inbound];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "tls",
        code: "E1",
        group: Group::Edge,
        severity: Severity::Should,
        title: "The app speaks TLS 1.2 or newer only, with a certificate that everyone can verify",
        why: "TLS 1.0 and 1.1 are broken and banned, and a certificate that only your own settings accept stops the service.",
        fix: "Let the server or the proxy in front of it require TLS 1.2, and serve the whole chain of a public CA.",
        source: "RFC 8996; Twilio: Webhooks security (HTTPS); OWASP: Transport layer security",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(tls(run)),
    },
    Check {
        id: "other-method",
        code: "E2",
        group: Group::Edge,
        severity: Severity::Info,
        title: "The app responds with TwiML or 4xx to the method, GET or POST, that isn't configured",
        why: "VoiceMethod can be GET or POST, and a server error for the other one looks like an outage.",
        fix: "Accept both methods, or respond 405 to the one that you don't use.",
        source: "Twilio: IncomingPhoneNumbers (VoiceMethod); RFC 9110, section 15.5.6",
        profiles: INBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(other_method(run)),
    },
    Check {
        id: "head-and-options",
        code: "E3",
        group: Group::Edge,
        severity: Severity::Info,
        title: "The app responds to HEAD and OPTIONS without a server error",
        why: "Health checks, proxies and scanners use these methods, and server errors raise false alarms.",
        fix: "Respond 405 to methods that you don't handle; most frameworks do so by themselves.",
        source: "RFC 9110, sections 9.3.2, 9.3.7 and 15.5.6",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(head_and_options(run)),
    },
];

async fn tls(run: &Run) -> Judged {
    let first = run.good(Purpose::FaxUrl)?;
    let url = Url::parse(&first.url).map_err(|error| Stop::not_judged(error.to_string()))?;
    if url.scheme() != "https" {
        return Err(Stop::not_judged("the app is called over http"));
    }
    if first.status.is_none() {
        return Err(Stop::not_judged(format!("the app gave {} to the first request", first.outcome())));
    }
    let reply = run.old_hello(&first.url).await?.map_err(Stop::not_judged)?;
    if let HelloReply::Accepts(version) = reply {
        return Ok(Finding::fail(format!("the app accepts {version}"), first));
    }
    Ok(match run.certificate_fault(&first.url).await {
        Some(why) => {
            Finding::warn(format!("the emulator accepts the app's certificate, but others don't: {why}"), first)
        }
        None => Finding::pass("the app refuses TLS 1.1, and its certificate verifies"),
    })
}

async fn other_method(run: &Run) -> Judged {
    run.accepted(Purpose::FaxUrl)?;
    let other = if run.method() == "GET" { "POST" } else { "GET" };
    run.set_method(other).await?;
    let received = run.receive(run.call()).await;
    // Restored even if the fax could not be made, because the checks after this one need the method.
    run.set_method(run.method()).await?;
    let received = received?;
    let exchange = received.of(Purpose::FaxUrl).next().ok_or_else(|| Stop::not_judged("the app was not asked"))?;
    run.meant(exchange).await?;
    Ok(if exchange.is_refused() {
        Finding::pass(format!("the app refuses {other} with {}", exchange.outcome()))
    } else if received.events_of("twiml.executed").next().is_some() {
        Finding::pass(format!("the app accepts {other}, too"))
    } else if exchange.is_accepted() {
        Finding::fail(
            format!("the app {} to {other}, but without TwiML that can be executed", exchange.responded()),
            exchange,
        )
    } else {
        Finding::fail(format!("the app {} to {other}", exchange.responded()), exchange)
    })
}

async fn head_and_options(run: &Run) -> Judged {
    run.accepted(Purpose::FaxUrl)?;
    let mut outcomes = Vec::new();
    for method in BESIDE_POST {
        let exchange = run.ask(&Raw { method, url: &run.options.url, ..Raw::default() }).await?;
        run.meant(&exchange).await?;
        if exchange.status.is_none_or(|status| status >= 500 && status != NOT_IMPLEMENTED) {
            return Ok(Finding::fail(format!("the app {} to {method}", exchange.responded()), &exchange));
        }
        outcomes.push(format!("{} to {method}", exchange.outcome()));
    }
    Ok(Finding::pass(format!("the app responded {}", outcomes.join(" and "))))
}
