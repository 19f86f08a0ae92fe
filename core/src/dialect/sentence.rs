//! Sentences about calls, deliveries and rules, for people who read a journal.

use std::time::Duration;

use super::date;
use crate::engine::event::{CallResult, RuledWebhook};
use crate::engine::rule::{ApiFault, DownloadFault, LineOverride, Outcome, RuleEffect, WebhookFault};
use crate::model::fault::Fault;
use crate::model::line::LineFault;
use crate::model::request_edits::{HeaderEdits, ParamEdits, ParamOrder, RequestEdits};
use crate::model::time::Timestamp;
use crate::model::webhook::{ActingRule, Delivery, RuleMark, Signature};

/// The range of the time of day, to the second, within an RFC 3339 timestamp.
const TIME_OF_DAY: std::ops::Range<usize> = 11..19;
/// The prefix of sentences about pedantic mode.
const PEDANTIC: &str = "pedantic: ";
/// The maximum number of names in each list of a sentence.
const NAMES_MAX: usize = 5;

/// Describes the outcome of a call and what follows, as in `busy, by rule 2; the number is called again at 12:00:05
/// UTC`.
#[must_use]
pub fn of_call(outcome: CallResult, retry_at: Option<Timestamp>, rule: Option<u64>) -> String {
    let said = match outcome {
        CallResult::Connected => "connected",
        CallResult::Busy => "busy",
        CallResult::NoAnswer => "not answered",
        CallResult::Canceled => "hung up, because the fax was canceled",
    };
    let rule = rule.map(|rule| format!(", by rule {rule}")).unwrap_or_default();
    let next = match (outcome, retry_at) {
        (CallResult::Connected | CallResult::Canceled, _) => String::new(),
        (CallResult::Busy | CallResult::NoAnswer, None) => "; the number is not called again".to_owned(),
        (CallResult::Busy | CallResult::NoAnswer, Some(at)) => {
            let at = date::iso(at);
            format!("; the number is called again at {} UTC", at.get(TIME_OF_DAY).unwrap_or(&at))
        }
    };
    format!("{said}{rule}{next}")
}

/// Describes what is unusual about a delivery, as in `held 3 s by rule 2`; `None` if it is a first attempt that
/// neither a rule nor pedantic mode has changed.
#[must_use]
pub fn of_delivery(delivery: &Delivery) -> Option<String> {
    let Delivery { attempt, after, signature, by_rule } = delivery;
    let again = (*attempt > 1).then(|| {
        let after = after.map(|fault| format!(" after {}", failed_attempt(fault))).unwrap_or_default();
        format!("{} attempt{after}", ordinal(*attempt))
    });
    let by_rule = by_rule.as_ref().map(|mark| {
        let marks = marks(mark, *signature).join(", ");
        let rule = match mark.rule {
            Some(ActingRule::Pedantic) => return format!("{PEDANTIC}{marks}"),
            Some(ActingRule::Tester(id)) => format!("rule {id}"),
            None => "a rule".to_owned(),
        };
        // After a list, the rule needs a comma before it; otherwise it would seem to apply only to the last item.
        let comma = if marks.contains(',') { "," } else { "" };
        format!("{marks}{comma} by {rule}")
    });
    let parts: Vec<String> = again.into_iter().chain(by_rule).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Describes what was done to the response to a client, as in `changed on purpose by rule 2`.
#[must_use]
pub fn of_response(rule: ActingRule) -> String {
    const CHANGED: &str = "changed on purpose";
    match rule {
        ActingRule::Tester(id) => format!("{CHANGED} by rule {id}"),
        ActingRule::Pedantic => format!("{PEDANTIC}{CHANGED}"),
    }
}

/// Describes what a rule does when it acts, as in `rule 2 makes the line busy` or
/// `rule 2 drops this webhook (status-callback, sending)`.
#[must_use]
pub fn of_rule(id: u64, effect: &RuleEffect, webhook: Option<&RuledWebhook>) -> String {
    format!("rule {id} {}{}", of_effect(effect), which(webhook))
}

/// Describes what pedantic mode does when it acts, as in `pedantic: sends this webhook twice (action, received)` or
/// `pedantic: refuses the request with 429 (POST /v1/Faxes)`.
#[must_use]
pub fn of_pedantic(effect: &RuleEffect, webhook: Option<&RuledWebhook>, call: Option<&str>) -> String {
    let call = call.map(|call| format!(" ({call})")).unwrap_or_default();
    format!("{PEDANTIC}{}{}{call}", of_effect(effect), which(webhook))
}

fn of_effect(effect: &RuleEffect) -> String {
    match effect {
        RuleEffect::Outcome(outcome) => of_outcome(outcome),
        RuleEffect::Line(line) => of_line(*line),
        RuleEffect::Api(fault) => of_api(*fault),
        RuleEffect::Webhook(fault) => of_webhook(fault),
        RuleEffect::Media(fault) => of_media(*fault),
    }
}

/// Says which webhook a rule acts on, in parentheses; empty if it acts on something else.
fn which(webhook: Option<&RuledWebhook>) -> String {
    webhook.map_or_else(String::new, |RuledWebhook { purpose, status }| match status {
        Some(status) => format!(" ({purpose}, {status})"),
        None => format!(" ({purpose})"),
    })
}

fn of_outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered => "lets the fax be delivered, whatever the number would do".to_owned(),
        Outcome::Received => "lets the fax be received, so that no later rule breaks it".to_owned(),
        Outcome::Busy => "makes the line busy".to_owned(),
        Outcome::NoAnswer => "leaves the call unanswered".to_owned(),
        Outcome::Failed(LineFault { fault: Fault::Incompatible, .. }) => {
            "makes the two machines incompatible".to_owned()
        }
        Outcome::Failed(LineFault { after_pages: 0, .. }) => {
            "breaks the call before the first page is through".to_owned()
        }
        Outcome::Failed(LineFault { after_pages: 1, .. }) => "breaks the call after 1 page".to_owned(),
        Outcome::Failed(LineFault { after_pages, .. }) => format!("breaks the call after {after_pages} pages"),
    }
}

fn of_line(LineOverride { rate_bps, noise_per_mille }: LineOverride) -> String {
    let rate = rate_bps.map(|rate| format!("sets the speed of the line to {rate} bit/s"));
    let noise = noise_per_mille.map(|noise| format!("damages {noise} of 1000 rows"));
    listed(&rate.into_iter().chain(noise).collect::<Vec<_>>(), "leaves the line as it is")
}

fn of_api(ApiFault { refusal, delay_ms, reset }: ApiFault) -> String {
    let delay = (delay_ms > 0).then(|| format!("delays the response by {}", span(delay_ms)));
    let refusal = refusal.map(|(status, code)| match code {
        Some(code) => format!("refuses the request with {status} and code {code}"),
        None => format!("refuses the request with {status}"),
    });
    let reset = reset.then(|| "resets the connection".to_owned());
    listed(&delay.into_iter().chain(refusal).chain(reset).collect::<Vec<_>>(), "lets the request pass unchanged")
}

fn of_media(fault: DownloadFault) -> String {
    let DownloadFault { delay_ms, bytes_per_second, cut_after_bytes, redirects, status } = fault;
    let said = [
        (delay_ms > 0).then(|| format!("delays the download by {}", span(delay_ms))),
        (redirects > 0)
            .then(|| format!("redirects the download {redirects} {}", if redirects == 1 { "time" } else { "times" })),
        bytes_per_second.map(|rate| format!("slows the download to {rate} bytes per second")),
        cut_after_bytes.map(|bytes| format!("cuts the download off after {bytes} bytes")),
        status.map(|status| format!("refuses the download with {status}")),
    ];
    first_named(listed(&said.into_iter().flatten().collect::<Vec<_>>(), "leaves the download as it is"), "the download")
}

fn of_webhook(fault: &WebhookFault) -> String {
    let WebhookFault { delay_ms, duplicate, late, reorder, drop, signature, edits } = fault;
    let signature = match signature {
        Signature::Good => None,
        Signature::Bad => Some("gives this webhook an invalid signature"),
        Signature::Missing => Some("sends this webhook without a signature"),
        Signature::Stale => Some("gives this webhook the signature of an earlier status"),
        Signature::OtherToken => Some("signs this webhook with another token"),
        Signature::Tampered => Some("signs this webhook and then changes a parameter"),
    };
    let delay = (*delay_ms > 0).then(|| format!("delays this webhook by {}", span(*delay_ms)));
    let others = [
        reorder.then_some("sends this webhook after the next one"),
        duplicate.then_some(if *late {
            "sends this webhook twice, the second time after the next one"
        } else {
            "sends this webhook twice"
        }),
        drop.then_some("drops this webhook"),
        signature,
    ];
    let others = others.into_iter().flatten().map(ToOwned::to_owned);
    let edits = edits.as_ref().map(|edits| format!("changes this webhook: {}", of_edits(edits)));
    let said: Vec<String> = delay.into_iter().chain(others).chain(edits).collect();
    first_named(listed(&said, "lets this webhook pass unchanged"), "this webhook")
}

/// Replaces all mentions of a thing but the first with "it".
fn first_named(text: String, thing: &str) -> String {
    match text.split_once(thing) {
        Some((before, after)) => format!("{before}{thing}{}", after.replace(thing, "it")),
        None => text,
    }
}

/// Describes a rule's changes to a webhook, as in `sets the parameter NumPages; removes the header User-Agent`.
#[must_use]
pub fn of_edits(edits: &RequestEdits) -> String {
    let RequestEdits { params, headers, signed_url } = edits;
    let ParamEdits { set, add, remove, pad, order } = params;
    let HeaderEdits { set: set_headers, remove: removed_headers, lower_case } = headers;
    let pairs = |pairs: &[(Box<str>, Box<str>)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let order = match order {
        ParamOrder::Usual => None,
        ParamOrder::Reversed => Some("reverses the order of the parameters".to_owned()),
        ParamOrder::First(names) => named("puts the parameter", names).map(|text| text + " first"),
    };
    let said = [
        named("removes the parameter", remove),
        named("sets the parameter", &pairs(set)),
        named("adds the parameter", &pairs(add)),
        named("puts spaces around the parameter", pad),
        order,
        named("sets the header", &pairs(set_headers)),
        named("removes the header", removed_headers),
        lower_case.then(|| "writes header names in lower case".to_owned()),
        signed_url.as_ref().map(|url| format!("signs it for {url}")),
    ];
    said.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Appends names to a phrase that ends with a singular noun; `None` if there are no names.
fn named(phrase: &str, names: &[Box<str>]) -> Option<String> {
    let mut shown: Vec<String> = names.iter().take(NAMES_MAX).map(|name| name.to_string()).collect();
    if names.len() > NAMES_MAX {
        shown.push(format!("{} more", names.len() - NAMES_MAX));
    }
    let plural = if names.len() > 1 { "s" } else { "" };
    (!names.is_empty()).then(|| format!("{phrase}{plural} {}", listed(&shown, "")))
}

fn marks(mark: &RuleMark, signature: Signature) -> Vec<String> {
    let RuleMark { rule: _, held_ms, is_reordered, is_duplicate, edits } = mark;
    let signature = match signature {
        Signature::Good => None,
        Signature::Bad => Some("signature spoiled on purpose"),
        Signature::Missing => Some("signature left out on purpose"),
        Signature::Stale => Some("signature of an earlier status on purpose"),
        Signature::OtherToken => Some("signature made with another token on purpose"),
        Signature::Tampered => Some("a parameter changed on purpose after signing"),
    };
    let held = (*held_ms > 0).then(|| format!("held {}", span(*held_ms)));
    let edits = edits.as_ref().map(|edits| format!("changed on purpose ({})", of_edits(edits)));
    let others =
        [is_duplicate.then_some("second delivery, same token"), is_reordered.then_some("sent after the next one")];
    let others = others.into_iter().chain([signature]).flatten().map(ToOwned::to_owned);
    others.chain(edits).chain(held).collect()
}

/// Describes the failure of an attempt, worded to follow "after".
const fn failed_attempt(fault: Fault) -> &'static str {
    if matches!(fault, Fault::ConnectTimeout | Fault::ReadTimeout | Fault::TotalTimeout) {
        "a timeout"
    } else if matches!(fault, Fault::ConnectionRefused) {
        "a refused connection"
    } else if matches!(fault, Fault::ConnectionFailure) {
        "a broken connection"
    } else if matches!(fault, Fault::HttpStatus) {
        "an error status"
    } else if matches!(
        fault,
        Fault::TlsHandshake | Fault::CertificateName | Fault::CertificateExpired | Fault::CertificateUntrusted
    ) {
        "a TLS failure"
    } else {
        "a failed attempt"
    }
}

fn listed(parts: &[String], none: &str) -> String {
    match parts.split_last() {
        None => none.to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}

fn ordinal(number: u64) -> String {
    match (number, number % 10, number % 100) {
        (1, ..) => "first".to_owned(),
        (2, ..) => "second".to_owned(),
        (3, ..) => "third".to_owned(),
        (_, _, 11..=13) => format!("{number}th"),
        (_, 1, _) => format!("{number}st"),
        (_, 2, _) => format!("{number}nd"),
        (_, 3, _) => format!("{number}rd"),
        (..) => format!("{number}th"),
    }
}

fn span(ms: u64) -> String {
    format!("{} s", Duration::from_millis(ms).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fax::Status;
    use crate::model::webhook::{Attempt, Purpose};

    #[test]
    fn a_call_is_described_with_its_rule_and_the_next_call() {
        let at = Timestamp::from_seconds(1_614_600_005);
        assert_eq!(
            of_call(CallResult::Busy, Some(at), Some(2)),
            "busy, by rule 2; the number is called again at 12:00:05 UTC"
        );
        assert_eq!(of_call(CallResult::NoAnswer, None, None), "not answered; the number is not called again");
        assert_eq!(of_call(CallResult::Connected, None, None), "connected");
    }

    #[test]
    fn ordinals_end_as_they_are_spoken() {
        let expected = ["first", "second", "third", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "111th"];
        assert_eq!([1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 111].map(ordinal), expected);
    }

    #[test]
    fn a_delivery_is_described_only_if_it_is_unusual() {
        let mark = |held_ms, is_reordered, is_duplicate| {
            Some(RuleMark { held_ms, is_reordered, is_duplicate, ..RuleMark::of(Some(ActingRule::Tester(2))) })
        };
        let second = Attempt::FIRST.next(5, Fault::ReadTimeout);
        for (attempt, signature, by_rule, note) in [
            (Attempt::FIRST, Signature::Good, None, None),
            (Attempt::FIRST, Signature::Good, mark(0, false, false), None),
            (Attempt::FIRST, Signature::Good, mark(0, false, true), Some("second delivery, same token, by rule 2")),
            (Attempt::FIRST, Signature::Good, mark(3_000, false, false), Some("held 3 s by rule 2")),
            (Attempt::FIRST, Signature::Good, mark(0, true, false), Some("sent after the next one by rule 2")),
            (Attempt::FIRST, Signature::Bad, mark(0, false, false), Some("signature spoiled on purpose by rule 2")),
            (
                Attempt::FIRST,
                Signature::Missing,
                Some(RuleMark::of(None)),
                Some("signature left out on purpose by a rule"),
            ),
            (second, Signature::Good, mark(3_000, true, false), Some("second attempt after a timeout")),
            (
                second,
                Signature::Good,
                Some(RuleMark {
                    edits: Some(RequestEdits::default().add_param("A", "1").pad_param("B").into()),
                    ..RuleMark::of(Some(ActingRule::Tester(2)))
                }),
                Some(
                    "second attempt after a timeout; changed on purpose (adds the parameter A; puts spaces around the \
                     parameter B) by rule 2",
                ),
            ),
            (
                second,
                Signature::Bad,
                mark(500, false, false),
                Some("second attempt after a timeout; signature spoiled on purpose by rule 2"),
            ),
            (
                second,
                Signature::Good,
                Some(RuleMark { is_duplicate: true, is_reordered: true, ..RuleMark::of(Some(ActingRule::Pedantic)) }),
                Some("second attempt after a timeout; pedantic: second delivery, same token"),
            ),
        ] {
            let delivery = Delivery::of(attempt, signature, by_rule);
            assert_eq!(of_delivery(&delivery).as_deref(), note, "{delivery:?}");
            assert_eq!(
                delivery.by_rule.is_some(),
                note.is_some_and(|note| note.contains("rule") || note.contains("pedantic"))
            );
            assert_eq!(delivery.is_pedantic(), note.is_some_and(|note| note.contains("pedantic")));
        }
    }

    #[test]
    fn the_effect_of_a_rule_is_described_in_a_sentence() {
        let (webhook, download) = (WebhookFault::default(), DownloadFault::default());
        let broken = |fault, after_pages| Outcome::Failed(LineFault { fault, after_pages, text: None });
        for (effect, expected) in [
            (Outcome::Busy.into(), "rule 2 makes the line busy"),
            (broken(Fault::Transmission, 1).into(), "rule 2 breaks the call after 1 page"),
            (broken(Fault::Incompatible, 0).into(), "rule 2 makes the two machines incompatible"),
            (
                LineOverride { rate_bps: Some(2_400), noise_per_mille: Some(20) }.into(),
                "rule 2 sets the speed of the line to 2400 bit/s and damages 20 of 1000 rows",
            ),
            (
                ApiFault { refusal: Some((503, Some(20_500))), delay_ms: 1_500, reset: false }.into(),
                "rule 2 delays the response by 1.5 s and refuses the request with 503 and code 20500",
            ),
            (WebhookFault { delay_ms: 3_000, ..webhook.clone() }.into(), "rule 2 delays this webhook by 3 s"),
            (
                WebhookFault { delay_ms: 3_000, duplicate: true, signature: Signature::Bad, ..webhook.clone() }.into(),
                "rule 2 delays this webhook by 3 s, sends it twice and gives it an invalid signature",
            ),
            (
                WebhookFault { signature: Signature::Missing, ..webhook.clone() }.into(),
                "rule 2 sends this webhook without a signature",
            ),
            (WebhookFault { drop: true, ..webhook.clone() }.into(), "rule 2 drops this webhook"),
            (
                WebhookFault { duplicate: true, late: true, ..webhook.clone() }.into(),
                "rule 2 sends this webhook twice, the second time after the next one",
            ),
            (webhook.clone().into(), "rule 2 lets this webhook pass unchanged"),
            (
                WebhookFault { signature: Signature::Tampered, ..webhook.clone() }.into(),
                "rule 2 signs this webhook and then changes a parameter",
            ),
            (
                RequestEdits::default().set_param("A", "1").set_param("B", "2").signed_for("https://h/").into(),
                "rule 2 changes this webhook: sets the parameters A and B; signs it for https://h/",
            ),
            (
                WebhookFault {
                    duplicate: true,
                    signature: Signature::OtherToken,
                    edits: Some(RequestEdits::default().remove_header("User-Agent").lower_case_headers().into()),
                    ..webhook.clone()
                }
                .into(),
                "rule 2 sends this webhook twice, signs it with another token and changes it: removes the header \
                 User-Agent; writes header names in lower case",
            ),
            (
                DownloadFault { bytes_per_second: Some(100), cut_after_bytes: Some(50), redirects: 1, ..download }
                    .into(),
                "rule 2 redirects the download 1 time, slows it to 100 bytes per second and cuts it off after 50 bytes",
            ),
            (
                DownloadFault { delay_ms: 500, status: Some(503), ..download }.into(),
                "rule 2 delays the download by 0.5 s and refuses it with 503",
            ),
        ] {
            assert_eq!(of_rule(2, &effect, None), expected);
        }
        let dropping = WebhookFault { drop: true, ..webhook }.into();
        let named = |purpose, status| of_rule(2, &dropping, Some(&RuledWebhook { purpose, status }));
        let sending = named(Purpose::StatusCallback, Some(Status::Sending));
        assert_eq!(sending, "rule 2 drops this webhook (status-callback, sending)");
        assert_eq!(named(Purpose::FaxUrl, None), "rule 2 drops this webhook (fax-url)");
    }

    #[test]
    fn what_pedantic_mode_does_is_described_with_what_it_acts_on() {
        let refusing = ApiFault { refusal: Some((429, None)), ..ApiFault::default() }.into();
        let told = of_pedantic(&refusing, None, Some("POST /v1/Faxes"));
        assert_eq!(told, "pedantic: refuses the request with 429 (POST /v1/Faxes)");
        let webhook = RuledWebhook { purpose: Purpose::Action, status: Some(Status::Received) };
        let doubling = WebhookFault { duplicate: true, ..WebhookFault::default() }.into();
        let told = of_pedantic(&doubling, Some(&webhook), None);
        assert_eq!(told, "pedantic: sends this webhook twice (action, received)");
    }
}
