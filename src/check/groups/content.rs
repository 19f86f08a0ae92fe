//! Contents that are legal but rare: unusual callers and names, very long and very short faxes, long URLs.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::judging::{accepted, changed};
use crate::check::activity::Request;
use crate::check::conversation::Conversation;
use crate::check::stimulus::Call;
use crate::check::{Check, Exchange, Finding, Group, Judged, Profile, Run, Severity, Stop, Turn};
use crate::io::own::CONTROL_BASE;
use crate::model::webhook::Purpose;

/// A station id with non-ASCII letters and signs, and with the five characters that have a meaning in HTML. It is as long
/// as a station id may be.
const STATION: &str = "<q id=zqx7>\"&'É☎</q>";
/// A part of that station id that stays the same when it is escaped.
const STATION_MARK: &str = "zqx7";
/// A part of that station id that a page contains only if it doesn't escape the station id.
const STATION_RAW: &str = "<q id=zqx7>";
/// The caller ids that stand for an anonymous caller, a SIP address and a caller's bare name.
const CALLERS: [&str; 3] = ["+266696687", "sip:kate@example.com", "anonymous"];
/// The speed at which the document of a long fax is sent, in bytes per second for each of its pages. A download then takes
/// about two seconds, so that an app which stops reading is noticed before everything has been sent.
const BYTES_PER_PAGE_AND_SECOND: u32 = 25_000;
/// How long an app may take for the document of a long fax in addition to the usual time.
const LONG_TIME_MAX: Duration = Duration::from_secs(20);
/// The qualities of faxes other than the usual one, which is fine.
const QUALITIES: [&str; 2] = ["standard", "superfine"];
/// The length of a long URL: a little less than the longest that services allow.
const URL_CHARS: usize = 3_900;
/// The length of a long MediaUrl.
const MEDIA_URL_CHARS: usize = 8 * 1024;

const INBOUND: &[Profile] = &[Profile::Inbound];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "station-id",
        code: "C1",
        group: Group::Contents,
        severity: Severity::Must,
        title: "The app accepts a station id of 20 characters with markup and letters beyond ASCII",
        why: "Everyone can set the station id of a fax machine to any text, and an app that fails on it loses the fax.",
        fix: "Read the form as UTF-8, store RemoteStationId in a Unicode column, and pass it to queries as a parameter.",
        source: "ITU-T T.30, section 5.3.6.2.4 (TSI); OWASP: Webhook security guidelines (payload injection)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(station_id(run)),
    },
    Check {
        id: "odd-callers",
        code: "C2",
        group: Group::Contents,
        severity: Severity::Should,
        title: "The app accepts faxes from an anonymous caller, a SIP address and a bare name",
        why: "From is not always a telephone number, and an app that parses it as one fails for these callers.",
        fix: "Store From as text, and format it as a number only if it is one.",
        source: "Twilio: Calls from strange numbers (+266696687 is ANONYMOUS); Fax resource (SIP)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(odd_callers(run)),
    },
    Check {
        id: "many-pages",
        code: "C3",
        group: Group::Contents,
        severity: Severity::Should,
        title: "The app accepts a fax of 200 pages, and downloads the whole document",
        why: "A limit on pages, bytes or time that suits usual faxes cuts the long ones off, which nobody notices.",
        fix: "Write the download to a file or a store as it comes, without a limit that real faxes exceed, and compare its \
              length with Content-Length.",
        source: "Twilio: Fax resource (NumPages, MediaUrl); RFC 9112, section 8",
        profiles: INBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(many_pages(run)),
    },
    Check {
        id: "resolutions",
        code: "C4",
        group: Group::Contents,
        severity: Severity::Info,
        title: "The app accepts documents of standard and superfine resolution",
        why: "The sender's machine chooses the resolution, so the pages of two faxes differ in height.",
        fix: "Read the size and resolution of each page from the document instead of assuming them.",
        source: "ITU-T T.4, section 2.2; Twilio: Fax resource (Quality)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(resolutions(run)),
    },
    Check {
        id: "zero-pages",
        code: "C5",
        group: Group::Contents,
        severity: Severity::Should,
        title: "The app accepts a notification with NumPages=0",
        why: "A call can end before the first page, and an app that divides by the number of pages fails then.",
        fix: "Treat NumPages=0, and a missing NumPages, as a fax without pages.",
        source: "Twilio: TwiML for Programmable Fax, Receive (NumPages)",
        profiles: Profile::ALL,
        turn: Turn::Beside,
        run: |run| Box::pin(zero_pages(run)),
    },
    Check {
        id: "long-urls",
        code: "C6",
        group: Group::Contents,
        severity: Severity::Info,
        title: "The app accepts a URL of 3,900 characters, and a MediaUrl of 8 KiB",
        why: "Links to media carry signatures and get longer over time; servers and database columns have limits.",
        fix: "Store URLs in columns without a length, and raise the server's limit on the request line if it is below 4 KiB.",
        source: "RFC 9112, section 3 (8000 bytes); Twilio: IncomingPhoneNumbers (VoiceUrl)",
        profiles: INBOUND,
        turn: Turn::Alone,
        run: |run| Box::pin(long_urls(run)),
    },
    Check {
        id: "escaped",
        code: "C7",
        group: Group::Contents,
        severity: Severity::Must,
        title: "The app's page shows a station id with markup as text",
        why: "Everyone can send a fax, so markup in a station id runs scripts in the browser of everyone who opens the list.",
        fix: "Let the template engine escape every value that came with a request, and don't mark any as safe.",
        source: "OWASP: Cross site scripting prevention; Webhook security guidelines (payload injection)",
        profiles: INBOUND,
        turn: Turn::Beside,
        run: |run| Box::pin(escaped(run)),
    },
];

/// Returns an incoming fax for which the app gets as many requests as possible.
fn call(run: &Run) -> Call {
    run.call_with(Purpose::Action, &Value::Null)
}

/// Returns the purposes for which the app accepted the good request, so that its responses to unusual ones mean something.
fn judged_by(run: &Run) -> Result<Vec<Purpose>, Stop> {
    let purposes = run.purposes()?;
    let inbound: Vec<Purpose> = purposes.into_iter().filter(|purpose| *purpose != Purpose::StatusCallback).collect();
    if inbound.is_empty() {
        run.accepted(Purpose::FaxUrl)?;
    }
    Ok(inbound)
}

/// Makes the call, and returns a finding if the app did not accept a request about it. `what` describes the fax.
async fn received(run: &Run, call: Call, what: &str) -> Result<Option<Finding>, Stop> {
    let purposes = judged_by(run)?;
    let conversation = run.receive(call).await?;
    refusal(run, &conversation, &purposes, what).await
}

/// Returns a finding if the app did not accept a request with one of these purposes.
async fn refusal(
    run: &Run,
    conversation: &Conversation,
    purposes: &[Purpose],
    what: &str,
) -> Result<Option<Finding>, Stop> {
    let asked = || conversation.exchanges.iter().filter(|each| purposes.iter().any(|one| one.as_str() == each.purpose));
    if let Some(exchange) = asked().find(|exchange| !exchange.is_accepted()) {
        run.meant(exchange).await?;
        let seen = format!("the app {} to {what} ({})", exchange.responded(), exchange.purpose);
        return Ok(Some(Finding::fail(seen, exchange)));
    }
    asked().next().map(|_| None).ok_or_else(|| Stop::not_judged("the app got no request about the fax"))
}

async fn station_id(run: &Run) -> Judged {
    let what = format!("a fax with the station id {STATION}");
    let fault = received(run, call(run).field("station_id", STATION), &what).await?;
    Ok(fault.unwrap_or_else(|| Finding::pass(format!("the app accepted {what}"))))
}

async fn odd_callers(run: &Run) -> Judged {
    for caller in CALLERS {
        let fault = received(run, call(run).from(caller), &format!("a fax from {caller}")).await?;
        if let Some(fault) = fault {
            return Ok(fault);
        }
    }
    Ok(Finding::pass(format!("the app accepted faxes from {}", CALLERS.join(", "))))
}

async fn many_pages(run: &Run) -> Judged {
    let purposes = judged_by(run)?;
    // An app that downloads no documents can still be judged by its responses.
    let downloads = run.first_download().await.is_ok();
    let pages = run.options.limits.long_fax_pages;
    let rate = pages.saturating_mul(BYTES_PER_PAGE_AND_SECOND);
    let long = call(run).field("pages", pages).media(&json!({ "bytes_per_second": rate }));
    let is_done = |requests: &[Request]| !downloads || requests.iter().any(Request::is_download);
    let (conversation, requests) = run.receive_until(long, LONG_TIME_MAX, is_done).await?;
    if let Some(fault) = refusal(run, &conversation, &purposes, &format!("a fax of {pages} pages")).await? {
        return Ok(fault);
    }
    if !downloads {
        return Ok(Finding::pass(format!("the app accepted a fax of {pages} pages; it downloads no documents")));
    }
    let notice = conversation.of(Purpose::Action).next();
    let notice = notice.ok_or_else(|| Stop::not_judged("the app was not notified of the fax"))?;
    if !requests.iter().any(Request::is_download) {
        let limit = (run.options.limits.work + LONG_TIME_MAX).as_secs_f64();
        let seen = if downloads_another(run).await? {
            format!("the app had not downloaded a document of {pages} pages after {limit} s, though it did a short one")
        } else {
            "the app downloaded the document of the first fax, but neither a long nor a short one since; it must tell faxes \
             apart by FaxSid"
                .to_owned()
        };
        return Ok(Finding::fail(seen, notice));
    }
    if run.download_faults(&conversation.fax).await?.iter().any(|fault| fault == "given-up") {
        let seen = format!("the app stopped downloading a document of {pages} pages before its end");
        return Ok(Finding::fail(seen, notice));
    }
    Ok(Finding::pass(format!("the app accepted a fax of {pages} pages and downloaded the whole document")))
}

/// Returns whether the app downloads the document of another short fax.
async fn downloads_another(run: &Run) -> Result<bool, Stop> {
    let has_download = |requests: &[Request]| requests.iter().any(Request::is_download);
    let (_, requests) = run.receive_until(call(run), Duration::ZERO, has_download).await?;
    Ok(has_download(&requests))
}

async fn resolutions(run: &Run) -> Judged {
    for quality in QUALITIES {
        let what = format!("a fax of {quality} resolution");
        let fault = received(run, call(run).field("quality", quality), &what).await?;
        if let Some(fault) = fault {
            return Ok(fault);
        }
    }
    Ok(Finding::pass(format!("the app accepted faxes of {} resolution", QUALITIES.join(" and "))))
}

async fn zero_pages(run: &Run) -> Judged {
    if run.accepted(Purpose::StatusCallback).is_err() {
        run.accepted(Purpose::Action)?;
    }
    let effect = json!({ "params": { "set": { "NumPages": "0" } } });
    accepted(run, "notifications with NumPages=0", |purpose| (purpose != Purpose::FaxUrl).then(|| effect.clone())).await
}

async fn long_urls(run: &Run) -> Judged {
    let purposes = judged_by(run)?;
    let mut judged = Vec::new();
    if purposes.contains(&Purpose::FaxUrl) {
        let exchange = asked_at_long_url(run).await?;
        let what = format!("a URL of {URL_CHARS} characters");
        if !exchange.is_accepted() {
            return Ok(Finding::fail(format!("the app {} to {what}", exchange.responded()), &exchange));
        }
        judged.push(what);
    }
    if purposes.contains(&Purpose::Action) {
        let document = format!("{}{CONTROL_BASE}/samples/one-page.pdf?padding=", run.place.api.base());
        let effect = json!({ "params": { "set": { "MediaUrl": padded(document, MEDIA_URL_CHARS) } } });
        let (_, exchange) = changed(run, Purpose::Action, &effect).await?;
        let what = format!("a MediaUrl of {MEDIA_URL_CHARS} characters");
        if !exchange.is_accepted() {
            return Ok(Finding::fail(format!("the app {} to {what}", exchange.responded()), &exchange));
        }
        judged.push(what);
    }
    Ok(Finding::pass(format!("the app accepted {}", judged.join(" and "))))
}

/// Makes the number ask the app at a long URL, and returns that request.
async fn asked_at_long_url(run: &Run) -> Result<Exchange, Stop> {
    let (address, fragment) = run.options.url.split_once('#').unwrap_or((&run.options.url, ""));
    let separator = if address.contains('?') { '&' } else { '?' };
    let long = padded(format!("{address}{separator}padding="), URL_CHARS);
    let long = if fragment.is_empty() { long } else { format!("{long}#{fragment}") };
    run.set_url(&long).await?;
    let received = run.receive(run.call()).await;
    // Restored even if the fax could not be made, because the checks after this one need the address.
    run.set_url(&run.options.url).await?;
    let exchange = received?.of(Purpose::FaxUrl).next().cloned();
    let exchange = exchange.ok_or_else(|| Stop::not_judged("the app was not asked"))?;
    run.meant(&exchange).await?;
    Ok(exchange)
}

fn padded(mut text: String, chars: usize) -> String {
    text.extend(std::iter::repeat_n('x', chars.saturating_sub(text.chars().count())));
    text
}

async fn escaped(run: &Run) -> Judged {
    judged_by(run)?;
    let page = run.page().await?;
    let page = page.ok_or_else(|| Stop::not_judged("name a page that lists the received faxes with --probe"))?;
    let kind = page.response_header("content-type").unwrap_or("of no type");
    if !kind.to_ascii_lowercase().contains("html") {
        let why = format!("the page of --probe is {kind}, in which nothing has to be escaped; name one in HTML");
        return Err(Stop::not_judged(why));
    }
    let conversation = run.receive(call(run).field("station_id", STATION)).await?;
    let end = Instant::now() + run.options.limits.work;
    let shown = run.page_until(end, |page| page.answer.contains(STATION_MARK)).await?;
    let why = "the page of --probe doesn't show the station id of a received fax";
    let shown = shown.ok_or_else(|| Stop::not_judged(why))?;
    Ok(if shown.answer.contains(STATION_RAW) {
        let seen = format!("the page shows the station id of {} as markup: {STATION_RAW}", conversation.fax);
        Finding::fail(seen, &Exchange { answer: around(&shown.answer), ..shown })
    } else {
        Finding::pass("the page shows the station id as text")
    })
}

/// Returns the line of the page that shows the station id.
fn around(text: &str) -> String {
    text.lines().find(|line| line.contains(STATION_MARK)).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_station_id_is_as_long_as_fits_and_an_escaped_one_is_told_from_a_raw_one() {
        assert_eq!(STATION.chars().count(), 20);
        assert!(STATION.contains(STATION_RAW) && STATION.contains(STATION_MARK));
        let escaped = STATION.replace('&', "&amp;").replace('<', "&lt;");
        assert!(escaped.contains(STATION_MARK) && !escaped.contains(STATION_RAW));
    }

    #[test]
    fn padding_makes_a_text_as_long_as_wanted_but_never_shorter() {
        assert_eq!(padded("ab".to_owned(), 4), "abxx");
        assert_eq!(padded("abcde".to_owned(), 4), "abcde");
    }
}
