//! Checks whether a rule is valid: its values are within their limits, its parts fit together, and it can act at all.
//! Every rule is checked here, whether it comes from the control API, `fauxfax.toml`, the library or a state.

use std::fmt::Display;

use super::edits::check_edits;
use super::fault::{RuleFault, fault};
use super::{
    ApiFault, DownloadFault, LineOverride, Match, Outcome, Rule, RuleEffect, RuleKind, WebhookFault, is_always_question,
};
use crate::model::account::Dialect;
use crate::model::fault::Fault;
use crate::model::fax::Direction;
use crate::model::line::{LineFault, NOISE_PER_MILLE_MAX, RATE_BPS_MAX, RATE_BPS_MIN};
use crate::model::phone::SIP_URI_LEN_MAX;
use crate::model::webhook::{Purpose, Signature};

/// The maximum number of matches to skip, and of times that a rule may act: far more than the faxes that can be pending
/// in a world.
pub const COUNT_MAX: u32 = 1_000_000;
/// The maximum number of pages that a rule may name; no fax has more.
pub const PAGES_MAX: u32 = 10_000;
/// The longest webhook delay: a day on the world's clock.
pub const WEBHOOK_DELAY_MS_MAX: u32 = 24 * 60 * 60 * 1_000;
/// The longest delay of a REST call, in real time: longer than any client waits.
pub const API_DELAY_MS_MAX: u32 = 10 * 60 * 1_000;
/// The lowest HTTP status that a rule can give a refused REST call, since lower ones are not errors.
pub const API_STATUS_MIN: u32 = 400;
/// The highest HTTP status that a rule can give a refused REST call.
pub const API_STATUS_MAX: u32 = 599;
/// The largest error code that a rule can give a refused REST call, since codes have at most five digits.
pub const API_CODE_MAX: u32 = 99_999;
/// The longest delay of a download, in real time: longer than any client waits.
pub const MEDIA_DELAY_MS_MAX: u32 = API_DELAY_MS_MAX;
/// The lowest speed of a download that a rule slows, in bytes per second: even a small document then takes minutes.
pub const MEDIA_RATE_MIN: u32 = 10;
/// The highest speed of a download that a rule slows, in bytes per second: faster downloads are hardly slower than
/// usual.
pub const MEDIA_RATE_MAX: u32 = 10_000_000;
/// The maximum number of bytes after which a download can be cut off; no document is longer.
pub const MEDIA_CUT_MAX: u32 = 1_000_000_000;
/// The maximum number of redirects of a download: as many as Twilio follows for a webhook. Most clients follow at least
/// as many.
pub const MEDIA_REDIRECTS_MAX: u32 = 10;
/// The maximum number of characters in a failure's text: more than any service or fax machine uses.
pub const MESSAGE_CHARS_MAX: usize = 200;
/// The maximum number of digits in a telephone number (E.164).
const DIGITS_MAX: usize = 15;

/// The HTTP methods of REST calls and downloads that a rule may match.
pub const METHODS: [&str; 6] = ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD"];
/// The HTTP methods of downloads.
const MEDIA_METHODS: [&str; 2] = ["GET", "HEAD"];
/// The purposes of requests that a rule may match.
pub const PURPOSES: [Purpose; 4] = [Purpose::FaxUrl, Purpose::FallbackUrl, Purpose::Action, Purpose::StatusCallback];
/// The faults with which a rule can break a transmission.
const LINE_FAULTS: [Fault; 2] = [Fault::Transmission, Fault::Incompatible];

/// Returns the requirement for a numeric field: a whole number within these limits.
#[must_use]
pub fn whole_number(min: u32, max: u32) -> String {
    format!("a whole number from {min} to {max}")
}

/// Returns the requirement for a field with a fraction, such as a probability.
#[must_use]
pub const fn fraction(may_be_zero: bool) -> &'static str {
    if may_be_zero { "a number from 0 to 1" } else { "a number greater than 0 and at most 1" }
}

/// Returns whether a fraction is within its limits.
#[must_use]
pub fn is_fraction(number: f64, may_be_zero: bool) -> bool {
    (0.0..=1.0).contains(&number) && (may_be_zero || number > 0.0)
}

fn within(field: &str, number: impl Into<u64> + Display + Copy, min: u32, max: u32) -> Result<(), RuleFault> {
    if (u64::from(min)..=u64::from(max)).contains(&number.into()) {
        return Ok(());
    }
    fault(field, format!("must be {}, not {number}", whole_number(min, max)))
}

impl Rule {
    /// Checks the whole rule, for a world with this dialect.
    ///
    /// # Errors
    /// Returns the first invalid field, or the reason that the rule could never act.
    pub fn check(&self, dialect: Dialect) -> Result<(), RuleFault> {
        within("after", self.after, 0, COUNT_MAX)?;
        self.times.map_or(Ok(()), |times| within("times", times, 1, COUNT_MAX))?;
        if let Some(chance) = self.chance
            && !is_fraction(chance, false)
        {
            return fault("chance", format!("must be {}, not {chance}", fraction(false)));
        }
        check_match(&self.matches)?;
        match &self.effect {
            RuleEffect::Outcome(outcome) => check_outcome(outcome)?,
            RuleEffect::Line(line) => check_line(*line)?,
            RuleEffect::Api(fault) => check_api(*fault)?,
            RuleEffect::Webhook(fault) => check_webhook(fault)?,
            RuleEffect::Media(fault) => check_media(*fault)?,
        }
        check_possible(self, dialect)
    }
}

fn check_match(matches: &Match) -> Result<(), RuleFault> {
    for (name, pattern) in [("from", &matches.from), ("to", &matches.to)] {
        if let Some(pattern) = pattern {
            check_party(name, pattern.as_str())?;
        }
    }
    if let Some((least, most)) = matches.pages {
        check_pages(least, most)?;
    }
    if let Some(method) = matches.method.as_deref().filter(|method| !METHODS.contains(method)) {
        return fault("match.method", format!("must be one of {}, not {method:?}", METHODS.join(", ")));
    }
    if matches.path.as_ref().is_some_and(|path| !path.as_str().starts_with(['/', '*'])) {
        return fault("match.path", "can never match: paths begin with a slash");
    }
    if matches.url.as_ref().is_some_and(|url| !["http", "*"].iter().any(|begin| url.as_str().starts_with(begin))) {
        return fault(
            "match.url",
            "can never match: webhook URLs begin with http; start with an asterisk to match any beginning",
        );
    }
    if let Some(purpose) = matches.purpose.filter(|purpose| !PURPOSES.contains(purpose)) {
        let words = PURPOSES.map(Purpose::as_str).join(", ");
        return fault("match.purpose", format!("must be one of {words}, not {:?}", purpose.as_str()));
    }
    Ok(())
}

/// Checks a range of page counts; `most` is `u32::MAX` for an open range.
fn check_pages(least: u32, most: u32) -> Result<(), RuleFault> {
    if least > most {
        return fault("match.pages", format!("min must be at most max, but {least} is greater than {most}"));
    }
    within("match.pages.min", least, 1, PAGES_MAX)?;
    // A tester who leaves a range open writes no maximum, so the limit doesn't apply.
    if most == u32::MAX { Ok(()) } else { within("match.pages.max", most, 1, PAGES_MAX) }
}

/// Refuses a pattern that can't match any party's address.
fn check_party(name: &str, pattern: &str) -> Result<(), RuleFault> {
    let field = format!("match.{name}");
    if pattern.len() > SIP_URI_LEN_MAX {
        return fault(field, format!("must have at most {SIP_URI_LEN_MAX} characters"));
    }
    let is_number = pattern.starts_with('+');
    let is_digits =
        pattern.chars().all(|c| c.is_ascii_digit() || c == '*') && pattern.contains(|c: char| c.is_ascii_digit());
    // An asterisk at the start may match the plus.
    if is_digits && !pattern.starts_with('*') {
        return fault(field, format!("can never match: numbers begin with a plus, as +{pattern}"));
    }
    if is_number && !pattern[1..].chars().all(|c| c.is_ascii_digit() || c == '*') {
        return fault(field, "can never match: only digits may follow the plus");
    }
    if is_number && pattern.chars().filter(char::is_ascii_digit).count() > DIGITS_MAX {
        return fault(field, format!("can never match: a number has at most {DIGITS_MAX} digits"));
    }
    // Only a sender may have a bare name; the address of a receiver begins with a plus or with `sip`.
    if name == "to" && !is_number && !pattern.starts_with(['*', 's', 'S']) {
        return fault(field, "can never match: a receiver is a number in E.164 or a SIP URI");
    }
    Ok(())
}

/// Checks a tester's text for a failure.
///
/// # Errors
/// Returns the requirement for the text, worded so that it can follow "must".
pub fn check_message(message: &str) -> Result<(), String> {
    let fits = (1..=MESSAGE_CHARS_MAX).contains(&message.chars().count()) && !message.contains(char::is_control);
    fits.then_some(())
        .ok_or_else(|| format!("have 1 to {MESSAGE_CHARS_MAX} characters, none of them a control character"))
}

fn check_outcome(outcome: &Outcome) -> Result<(), RuleFault> {
    // Only a failure has values that could be invalid.
    let Outcome::Failed(LineFault { fault: broken, after_pages, text }) = outcome else { return Ok(()) };
    within("outcome.after_pages", *after_pages, 0, PAGES_MAX)?;
    if let Some(text) = text {
        check_message(text).or_else(|why| fault("outcome.message", format!("must {why}")))?;
    }
    if LINE_FAULTS.contains(broken) {
        return Ok(());
    }
    let words = LINE_FAULTS.map(Fault::as_str).join(" or ");
    fault("outcome.code", format!("must be the code of a transmission fault ({words}), not {}", broken.as_str()))
}

fn check_line(line: LineOverride) -> Result<(), RuleFault> {
    let LineOverride { rate_bps, noise_per_mille } = line;
    if rate_bps.is_none() && noise_per_mille.is_none() {
        return fault("line", "does nothing: give rate_bps or noise");
    }
    rate_bps.map_or(Ok(()), |rate| within("line.rate_bps", rate, RATE_BPS_MIN, RATE_BPS_MAX))?;
    match noise_per_mille {
        Some(noise) if noise > NOISE_PER_MILLE_MAX => {
            // Testers write noise as a fraction, so the message shows it as one.
            let noise = f64::from(noise) / f64::from(NOISE_PER_MILLE_MAX);
            fault("line.noise", format!("must be {}, not {noise}", fraction(true)))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_api(api: ApiFault) -> Result<(), RuleFault> {
    let ApiFault { refusal, delay_ms, reset } = api;
    if let Some((status, code)) = refusal {
        within("api.status", status, API_STATUS_MIN, API_STATUS_MAX)?;
        code.map_or(Ok(()), |code| within("api.code", code, 1, API_CODE_MAX))?;
    }
    within("api.delay_ms", delay_ms, 0, API_DELAY_MS_MAX)?;
    if reset && refusal.is_some() {
        return fault("api", "a connection that is reset sends no status: give either status or reset");
    }
    if api == ApiFault::default() {
        return fault("api", "does nothing: give status, delay_ms or reset");
    }
    Ok(())
}

fn check_webhook(webhook: &WebhookFault) -> Result<(), RuleFault> {
    within("webhook.delay_ms", webhook.delay_ms, 0, WEBHOOK_DELAY_MS_MAX)?;
    if *webhook == WebhookFault::default() {
        return fault(
            "webhook",
            "does nothing: give delay_ms, duplicate, reorder, drop, signature, params, headers or signed_url",
        );
    }
    if webhook.late && !webhook.duplicate {
        return fault("webhook.late", "does nothing without duplicate, whose second request it holds back");
    }
    if webhook.drop && *webhook != (WebhookFault { drop: true, ..WebhookFault::default() }) {
        return fault("webhook", "a request that is dropped can't have any other effect");
    }
    let Some(edits) = &webhook.edits else { return Ok(()) };
    check_edits(edits)?;
    if edits.signed_url.is_some() && webhook.signature == Signature::Missing {
        return fault("webhook.signed_url", "does nothing without a signature: leave out signed_url or signature");
    }
    Ok(())
}

fn check_media(media: DownloadFault) -> Result<(), RuleFault> {
    let DownloadFault { delay_ms, bytes_per_second, cut_after_bytes, redirects, status } = media;
    within("media.delay_ms", delay_ms, 0, MEDIA_DELAY_MS_MAX)?;
    bytes_per_second.map_or(Ok(()), |rate| within("media.bytes_per_second", rate, MEDIA_RATE_MIN, MEDIA_RATE_MAX))?;
    cut_after_bytes.map_or(Ok(()), |bytes| within("media.cut_after_bytes", bytes, 0, MEDIA_CUT_MAX))?;
    within("media.redirects", redirects, 0, MEDIA_REDIRECTS_MAX)?;
    status.map_or(Ok(()), |status| within("media.status", status, API_STATUS_MIN, API_STATUS_MAX))?;
    if media == DownloadFault::default() {
        return fault("media", "does nothing: give delay_ms, bytes_per_second, cut_after_bytes, redirects or status");
    }
    if status.is_some() && media != (DownloadFault { status, delay_ms, ..DownloadFault::default() }) {
        return fault(
            "media",
            "a download that is refused sends no document: besides status, only delay_ms has an effect",
        );
    }
    Ok(())
}

/// Refuses a rule whose match and effect don't fit together.
fn check_possible(rule: &Rule, dialect: Dialect) -> Result<(), RuleFault> {
    let (matches, kind) = (&rule.matches, rule.effect.kind());
    let is_of_fax = kind != RuleKind::Api;
    // Each condition's name, whether the rule has it, and whether rules of this kind support it; an unsupported
    // condition would never match.
    let given = [
        ("direction", matches.direction.is_some(), is_of_fax),
        ("from", matches.from.is_some(), is_of_fax),
        ("to", matches.to.is_some(), is_of_fax),
        ("pages", matches.pages.is_some(), matches!(kind, RuleKind::Outcome | RuleKind::Line | RuleKind::Media)),
        ("method", matches.method.is_some(), matches!(kind, RuleKind::Api | RuleKind::Media)),
        ("path", matches.path.is_some(), matches!(kind, RuleKind::Api | RuleKind::Media)),
        ("url", matches.url.is_some(), kind == RuleKind::Webhook),
        ("purpose", matches.purpose.is_some(), kind == RuleKind::Webhook),
    ];
    if let Some((name, ..)) = given.iter().find(|(_, is_given, is_allowed)| *is_given && !is_allowed) {
        let reason = format!("can never match: {kind} rules don't support this condition");
        return fault(format!("match.{name}"), reason);
    }
    if let Some(method) = matches.method.as_deref().filter(|method| !MEDIA_METHODS.contains(method))
        && kind == RuleKind::Media
    {
        let reason = format!("can never match: a download is a {}, not a {method}", MEDIA_METHODS.join(" or a "));
        return fault("match.method", reason);
    }
    check_direction(rule)?;
    check_signature(rule, dialect)
}

/// Refuses a rule that names a direction in which its effect or its webhooks don't occur.
fn check_direction(rule: &Rule) -> Result<(), RuleFault> {
    let matches = &rule.matches;
    if let (Some(direction), Some(only)) = (matches.direction, rule.effect.direction())
        && direction != only
    {
        let why = match direction {
            Direction::Inbound => "; whether an incoming fax is received or rejected is up to the app's TwiML",
            Direction::Outbound => "",
        };
        let reason = format!(
            "can never match: only {only} faxes can have that outcome, but this rule matches {direction} faxes{why}"
        );
        return fault("outcome.status", reason);
    }
    let inbound_only = matches!(matches.purpose, Some(Purpose::FaxUrl | Purpose::FallbackUrl | Purpose::Action));
    if inbound_only && matches.direction == Some(Direction::Outbound) {
        return fault("match.purpose", "can never match: only inbound faxes have such a request");
    }
    Ok(())
}

/// Refuses a stale signature for requests that no other request precedes.
fn check_signature(rule: &Rule, dialect: Dialect) -> Result<(), RuleFault> {
    if let (RuleEffect::Webhook(webhook), Some(purpose)) = (&rule.effect, rule.matches.purpose)
        && webhook.signature == Signature::Stale
        && is_always_question(purpose, dialect)
    {
        let reason = format!(
            "stale can never act on a {}: there is no earlier signature to reuse; give bad, missing, other-token or \
             tampered",
            purpose.as_str()
        );
        return fault("webhook.signature", reason);
    }
    Ok(())
}
