//! Whether the app verifies who calls: it must refuse requests that the service has not signed, and accept all that it
//! has signed.

use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::judging::{Wrong, accepted, refused};
use super::leaks::{leak, shows_secret};
use crate::check::activity::Request;
use crate::check::direct::Raw;
use crate::check::{Check, Exchange, Finding, Group, Judged, Profile, Run, Severity, Stop, Turn};
use crate::model::webhook::Purpose;

const BOTH: &[Profile] = Profile::ALL;
const INBOUND: &[Profile] = &[Profile::Inbound];
const SECURITY: &str = "Twilio: Webhooks security; OWASP: Webhook security guidelines";
const CAUSES: &str = "Twilio: error 57012 and its causes; Webhooks security";
const USE_VALIDATOR: &str = "Verify the signature with the service's own library (RequestValidator) before anything else, and \
                             respond 403 if it is wrong.";
/// The virtual time between a request and its replay.
const REPLAY_AFTER: &str = "24h";
/// A query as apps have it in their URLs.
const QUERY: &str = "tenant=7&note=a%20b";
/// A query with a letter beyond ASCII, which few URLs of apps have. Some frameworks show it decoded.
const RARE_QUERY: &str = "tenant=ü%20x";
/// A body that makes a careless form parser fail.
const MALFORMED: &str = "%%%=&FaxSid=%FF%FE&=x&To[0][a]=1&To=2";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "signature-wrong",
        code: "S1",
        group: Group::Caller,
        severity: Severity::Must,
        title: "The app refuses a request whose signature is wrong, and doesn't act on it",
        why: "Otherwise, anyone who knows the URL can invent faxes and change the status of real ones.",
        fix: USE_VALIDATOR,
        source: SECURITY,
        profiles: BOTH,
        turn: Turn::AloneWithProbe,
        run: |run| Box::pin(refused(run, &WRONG, "signature-wrong")),
    },
    Check {
        id: "signature-missing",
        code: "S2",
        group: Group::Caller,
        severity: Severity::Must,
        title: "The app refuses a request without a signature, and doesn't act on it",
        why: "An app that verifies only the signatures that are present accepts every request without one.",
        fix: "Treat a missing signature header like a wrong signature: respond 403.",
        source: SECURITY,
        profiles: BOTH,
        turn: Turn::AloneWithProbe,
        run: |run| Box::pin(refused(run, &WRONG, "signature-missing")),
    },
    Check {
        id: "parameter-changed",
        code: "S3",
        group: Group::Caller,
        severity: Severity::Must,
        title: "The app refuses a request with a parameter that was changed after signing",
        why: "If the signature covers only the URL, anyone can reuse an old one with another status, document or number.",
        fix: "Let the signature cover all parameters of the form, and verify it for each address: FaxUrl, action and \
              StatusCallback.",
        source: SECURITY,
        profiles: BOTH,
        turn: Turn::AloneWithProbe,
        run: |run| Box::pin(refused(run, &WRONG, "parameter-changed")),
    },
    Check {
        id: "other-token",
        code: "S4",
        group: Group::Caller,
        severity: Severity::Must,
        title: "The app refuses a request that is signed with another account's token",
        why: "Anyone can have an account whose numbers and callbacks lead to your URL.",
        fix: "Verify with the one token that belongs to the app's account, and compare AccountSid with it.",
        source: CAUSES,
        profiles: BOTH,
        turn: Turn::AloneWithProbe,
        run: |run| Box::pin(refused(run, &WRONG, "other-token")),
    },
    Check {
        id: "port-in-url",
        code: "S5",
        group: Group::Caller,
        severity: Severity::Should,
        title: "The app accepts a signature for its URL with and without the port",
        why: "Services and proxies differ in whether they sign the port, which is why the service's libraries try both.",
        fix: "Use the service's own library, or try the URL with the port and without it.",
        source: "twilio-python, twilio-node: RequestValidator since 2019",
        profiles: BOTH,
        turn: Turn::Beside,
        run: |run| {
            Box::pin(accepted(run, "signatures for the URL with or without the port", |purpose| {
                other_port(run, purpose)
            }))
        },
    },
    Check {
        id: "parameter-unknown",
        code: "S6",
        group: Group::Caller,
        severity: Severity::Must,
        title: "The app accepts a correctly signed request with a parameter that it doesn't know",
        why: "Services add parameters, and a validator with a fixed list then refuses every request.",
        fix: "Let the signature cover all parameters that came, not a list of known ones; ignore those that you don't know.",
        source: CAUSES,
        profiles: BOTH,
        turn: Turn::Beside,
        run: |run| {
            let effect = json!({ "params": { "add": { "XNewParameter": "1" } } });
            Box::pin(accepted(run, "requests with an unknown parameter", move |_| Some(effect.clone())))
        },
    },
    Check {
        id: "parameter-blank",
        code: "S7",
        group: Group::Caller,
        severity: Severity::Must,
        title: "The app accepts a correctly signed request with an empty value, and one with spaces at its ends",
        why: "Frameworks that trim values or drop empty ones change what was signed, so some faxes are refused.",
        fix: "Verify the signature on the form as it came, before a middleware trims its values or drops empty ones.",
        source: CAUSES,
        profiles: BOTH,
        turn: Turn::Beside,
        run: |run| {
            let effect = json!({ "params": { "set": { "RemoteStationId": " ACME FAX ", "CallerName": "" } } });
            Box::pin(accepted(run, "requests with blank values", move |_| Some(effect.clone())))
        },
    },
    Check {
        id: "order-and-case",
        code: "S8",
        group: Group::Caller,
        severity: Severity::Should,
        title: "The app accepts parameters in any order, and header names in lower case",
        why: "The order of parameters is not promised, and proxies that speak HTTP/2 write all header names in lower case.",
        fix: "Sort the parameters by name before they are hashed, and look headers up regardless of case.",
        source: "RFC 9110, section 5.1; RFC 9113, section 8.2; Twilio: Webhooks security (sorting)",
        profiles: BOTH,
        turn: Turn::Beside,
        run: |run| {
            let effect = json!({ "params": { "order": "reversed" }, "headers": { "lower_case": true } });
            Box::pin(accepted(run, "parameters in another order", move |_| Some(effect.clone())))
        },
    },
    Check {
        id: "query-string",
        code: "S9",
        group: Group::Caller,
        severity: Severity::Should,
        title: "The app accepts a signature for a URL with a query",
        why: "The signature covers the query as it was sent, so an app that drops or re-encodes it refuses the request.",
        fix: "Verify the signature for the URL as it came, with its query, before anything decodes it.",
        source: CAUSES,
        profiles: INBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(query_string(run)),
    },
    Check {
        id: "replayed",
        code: "S11",
        group: Group::Caller,
        severity: Severity::Warn,
        title: "The app accepts an old notification that comes again, but doesn't act on it twice",
        why: "Anyone who has recorded a signed request can send it again, and its signature is as valid as before.",
        fix: "Remember which faxes and idempotency tokens were handled, and respond 2xx to a repeated one without acting.",
        source: "Twilio: Webhooks security (replay protection); OWASP: Webhook security guidelines",
        profiles: INBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(replayed(run)),
    },
    Check {
        id: "get-unsigned",
        code: "S12",
        group: Group::Caller,
        severity: Severity::Should,
        title: "The app responds 4xx to a plain GET of its address, without TwiML",
        why: "An app that gives TwiML to everybody verifies signatures for one method only, and tells scanners what it is.",
        fix: "Accept only the method that you configured, and verify the signature for every method.",
        source: "Twilio: Webhooks security (endpoint security)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(get_unsigned(run)),
    },
    Check {
        id: "no-leak",
        code: "S13",
        group: Group::Caller,
        severity: Severity::Should,
        title: "The app's errors show no stack trace, no path and no secret",
        why: "Anyone can send a malformed request, and a stack trace tells the sender versions, paths and sometimes secrets.",
        fix: "Switch the framework's debug mode off, and respond to errors with a short text of your own.",
        source: "Twilio: Webhooks security (error handling); OWASP: Error handling",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(no_leak(run)),
    },
];

/// The requests that an app must refuse: each check, and the rule's effect that makes a request wrong.
const WRONG: [Wrong; 4] = [
    ("signature-wrong", |_| json!({ "signature": "bad" })),
    ("signature-missing", |_| json!({ "signature": "missing" })),
    ("parameter-changed", tampered),
    ("other-token", |_| json!({ "signature": "other-token" })),
];

/// Returns an effect that makes the signature cover parameters that differ from the ones sent.
fn tampered(purpose: Purpose) -> Value {
    let is_notice = matches!(purpose, Purpose::Action | Purpose::StatusCallback);
    json!({ "signature": if is_notice { "stale" } else { "tampered" } })
}

/// Returns an effect that signs the app's URL without its port, or with the scheme's port if it has none.
fn other_port(run: &Run, purpose: Purpose) -> Option<Value> {
    // The emulator adds the parameters of a GET to the URL that is signed.
    let url = run.accepted(purpose).ok()?.url_without_params();
    let parsed = Url::parse(&url).ok()?;
    // The URL crate drops the scheme's own port, so the text is changed instead.
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let signed = match parsed.port() {
        Some(port) => format!("{scheme}://{}{path}", authority.trim_end_matches(&format!(":{port}"))),
        None => format!("{scheme}://{authority}:{}{path}", parsed.port_or_known_default()?),
    };
    Some(json!({ "signed_url": signed }))
}

async fn query_string(run: &Run) -> Judged {
    run.accepted(Purpose::FaxUrl)?;
    let usual = asked_with_query(run, QUERY).await?;
    if !usual.is_accepted() {
        let seen = format!("the app {} to a URL with the query ?{QUERY}", usual.responded());
        return Ok(Finding::fail(seen, &usual));
    }
    let rare = asked_with_query(run, RARE_QUERY).await?;
    Ok(if rare.is_accepted() {
        Finding::pass(format!("the app {} to a URL with a query", rare.responded()))
    } else {
        let seen = format!(
            "the app accepted a URL with the query ?{QUERY}, but {} to ?{RARE_QUERY}; does its framework decode the URL?",
            rare.responded()
        );
        Finding::warn(seen, &rare)
    })
}

/// Makes the number ask the app at its URL with this query, and returns that request.
async fn asked_with_query(run: &Run, query: &str) -> Result<Exchange, Stop> {
    let (address, fragment) = run.options.url.split_once('#').unwrap_or((&run.options.url, ""));
    let separator = if address.contains('?') { '&' } else { '?' };
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    run.set_url(&format!("{address}{separator}{query}{fragment}")).await?;
    let received = run.receive(run.call()).await;
    // Restored even if the fax could not be made, because the checks after this one need the address.
    run.set_url(&run.options.url).await?;
    let exchange = received?.of(Purpose::FaxUrl).next().cloned();
    let exchange = exchange.ok_or_else(|| Stop::not_judged("the app was not asked"))?;
    run.meant(&exchange).await?;
    Ok(exchange)
}

async fn replayed(run: &Run) -> Judged {
    run.accepted(Purpose::Action)?;
    let usual = run.usual().await?;
    if usual.notified.is_nothing() {
        let why = "the first notification had no effect that can be seen; name a page that shows it with --probe";
        return Err(Stop::not_judged(why));
    }
    run.advance(REPLAY_AFTER).await?;
    let before = run.steady_probe().await?;
    let first = run.requests_about(&usual.fax).await?;
    let exchange = run.replay(&usual.fax, Purpose::Action).await?;
    run.meant(&exchange).await?;
    let end = Instant::now() + run.options.limits.settle;
    let requests = run.requests_until(end, &usual.fax, |requests| repeated(&first, requests).is_some()).await?;
    if let Some(again) = repeated(&first, &requests) {
        let seen = format!("the app acted on a notification that came again after {REPLAY_AFTER}: {}", again.words());
        return Ok(Finding::fail(seen, &exchange));
    }
    if run.probe_differs(before.as_ref()).await? && changes_again(run, &usual.fax).await? {
        let seen = format!("the page of --probe changed when a notification came again after {REPLAY_AFTER}");
        return Ok(Finding::fail(seen, &exchange));
    }
    Ok(if exchange.is_accepted() {
        Finding::pass("the app accepted the repeated notification without acting on it")
    } else {
        let seen =
            format!("the app {} to a repeated notification, which makes a service try again", exchange.responded());
        Finding::fail(seen, &exchange)
    })
}

/// Returns whether the page of `--probe` changes when a notification comes yet again. If it doesn't, an earlier change
/// had another cause.
async fn changes_again(run: &Run, fax: &str) -> Result<bool, Stop> {
    if run.changes_by_itself().await? {
        return Ok(false);
    }
    let before = run.steady_probe().await?;
    run.replay(fax, Purpose::Action).await?;
    run.probe_differs(before.as_ref()).await
}

/// Returns the last request of a kind, if the app had made such requests before and has now made more of them. Requests of
/// a new kind may still belong to the first notification, such as the deletion after a download.
fn repeated<'a>(before: &[Request], after: &'a [Request]) -> Option<&'a Request> {
    before.iter().find_map(|known| {
        let is_like = |other: &&Request| (&other.kind, &other.method) == (&known.kind, &known.method);
        let more = after.iter().filter(is_like).count() > before.iter().filter(is_like).count();
        after.iter().rfind(is_like).filter(|_| more)
    })
}

async fn get_unsigned(run: &Run) -> Judged {
    run.accepted(Purpose::FaxUrl)?;
    let exchange = run.ask(&Raw { method: "GET", url: &run.options.url, ..Raw::default() }).await?;
    run.meant(&exchange).await?;
    let has_twiml = exchange.answer.contains("<Response");
    Ok(match exchange.status {
        Some(300..500) if !has_twiml => Finding::pass(format!("the app {}", exchange.responded())),
        Some(200..300) if !has_twiml => {
            Finding::warn(format!("the app {} to a plain GET, though without TwiML", exchange.responded()), &exchange)
        }
        _ if has_twiml => Finding::fail("the app gave TwiML to a plain GET without a signature", &exchange),
        _ => Finding::fail(format!("the app {} to a plain GET", exchange.responded()), &exchange),
    })
}

async fn no_leak(run: &Run) -> Judged {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for purpose in run.purposes()?.into_iter().filter(|purpose| *purpose != Purpose::StatusCallback) {
        let removed = ["FaxSid", "AccountSid", "From", "To", "FaxStatus", "Status", "NumPages", "MediaUrl"];
        let effect = json!({ "params": { "remove": removed } });
        let received = run.receive(run.call_with(purpose, &effect)).await?;
        exchanges.extend(received.of(purpose).next().cloned());
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let json = [("content-type", "application/json")];
    for (headers, body) in [(&form, MALFORMED), (&json, "{\"FaxSid\":")] {
        exchanges.push(run.ask(&Raw { method: "POST", url: &run.options.url, headers, body }).await?);
    }
    for exchange in &exchanges {
        run.still_there(exchange).await?;
    }
    if let Ok(Some(page)) = run.page().await
        && shows_secret(&page.answer, run.secret())
    {
        return Ok(Finding::fail("the page of --probe shows the account's token", &page));
    }
    let leaking = exchanges.iter().find_map(|exchange| Some((leak(&exchange.answer, run.secret())?, exchange)));
    Ok(match leaking {
        Some((what, exchange)) => {
            Finding::fail(format!("the response {} to a malformed request shows {what}", exchange.outcome()), exchange)
        }
        None => {
            let outcomes: Vec<String> = exchanges.iter().map(Exchange::outcome).collect();
            Finding::pass(format!(
                "the responses to malformed requests show nothing internal ({})",
                outcomes.join(", ")
            ))
        }
    })
}
