//! The document form of rules, as used in the control API, the configuration file and the library. A document becomes a
//! rule once every field has been checked, and a rule can be shown as a document. A rule that clearly can never act is
//! refused.

mod document;
mod pairs;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub use self::document::RuleDocument;

use self::document::{
    ApiDocument, Fraction, HeadersDocument, Integer, LineDocument, MatchDocument, MediaDocument, OutcomeDocument,
    PagesDocument, PagesRange, ParamsDocument, WebhookDocument,
};
use self::pairs::{OrderDocument, Pairs};
use super::json::{self, FieldError};
use crate::engine::rule::check::{METHODS, PURPOSES};
use crate::engine::rule::fault::RuleFault;
use crate::engine::rule::{ApiFault, DownloadFault, LineOverride, Match, Outcome, Rule, RuleEffect, WebhookFault};
use crate::model::account::Dialect;
use crate::model::fax::{Direction, Status};
use crate::model::line::LineFault;
use crate::model::request_edits::{self, HeaderEdits, ParamEdits, RequestEdits};
use crate::model::webhook::{Purpose, Signature};

/// The possible outcomes of a call, as fax statuses.
const OUTCOMES: [Status; 5] = [Status::Delivered, Status::Received, Status::Busy, Status::NoAnswer, Status::Failed];

/// The reason that a document is not a valid rule: the field, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError(FieldError);

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.place.is_empty() { write!(f, "rule: {}", self.0.reason) } else { self.0.fmt(f) }
    }
}

impl From<FieldError> for RuleError {
    fn from(error: FieldError) -> Self {
        Self(error)
    }
}

impl From<RuleFault> for RuleError {
    fn from(RuleFault { field, reason }: RuleFault) -> Self {
        Self(FieldError { place: field, reason, is_unknown: false })
    }
}

fn error<T>(place: impl Into<String>, reason: impl Into<String>) -> Result<T, RuleError> {
    Err(RuleError(FieldError { place: place.into(), reason: reason.into(), is_unknown: false }))
}

/// Reads a rule for a world with this dialect.
///
/// # Errors
/// Returns the first invalid field, or the reason that the rule could never act.
pub fn parse(value: &Value, dialect: Dialect) -> Result<Rule, RuleError> {
    read_rule(json::read::<RuleDocument>(value)?, dialect)
}

/// Returns the rule as a document that [`parse`] reads.
#[must_use]
pub fn json(rule: &Rule) -> Value {
    written(&RuleDocument::from(rule))
}

/// Returns an effect as the value of its field in a document.
#[must_use]
pub fn json_of_effect(effect: &RuleEffect) -> Value {
    written(&RuleDocument::from(effect))[effect.kind().as_str()].take()
}

fn written(document: &RuleDocument) -> Value {
    // This can't fail, because all field names are strings.
    serde_json::to_value(document).unwrap_or_default()
}

/// Returns a warning if a valid rule is to reorder requests that are never reordered.
#[must_use]
pub fn warning(rule: &Rule) -> Option<String> {
    let RuleEffect::Webhook(fault) = &rule.effect else { return None };
    let single = match rule.matches.purpose {
        Some(purpose @ (Purpose::FaxUrl | Purpose::FallbackUrl | Purpose::Action)) => Some(purpose.as_str()),
        Some(Purpose::StatusCallback | Purpose::MediaUrl | Purpose::Debugger) | None => None,
    };
    let single = single.filter(|_| fault.reorder)?;
    Some(format!("reorder has no effect on {single}: only a callback that another one follows can be reordered"))
}

impl From<&Rule> for RuleDocument {
    fn from(rule: &Rule) -> Self {
        Self {
            matches: Some(MatchDocument::from(&rule.matches)),
            after: Some(rule.after).filter(|after| *after > 0).map(Integer),
            times: rule.times.map(Integer),
            chance: rule.chance.map(Fraction),
            enabled: (!rule.enabled).then_some(false),
            ..Self::from(&rule.effect)
        }
    }
}

impl From<&RuleEffect> for RuleDocument {
    /// Returns a document with only this effect.
    fn from(effect: &RuleEffect) -> Self {
        let none = Self::default();
        match effect {
            RuleEffect::Outcome(outcome) => Self { outcome: Some(outcome.into()), ..none },
            RuleEffect::Line(line) => Self { line: Some((*line).into()), ..none },
            RuleEffect::Api(fault) => Self { api: Some((*fault).into()), ..none },
            RuleEffect::Webhook(fault) => Self { webhook: Some(fault.into()), ..none },
            RuleEffect::Media(fault) => Self { media: Some((*fault).into()), ..none },
        }
    }
}

impl From<&Match> for MatchDocument {
    fn from(matches: &Match) -> Self {
        let Match { direction, from, to, pages, method, path, url, purpose } = matches.clone();
        let pages = pages.map(|(least, most)| {
            if least == most {
                return PagesDocument::Exactly(Integer(least));
            }
            // `u32::MAX` stands for a range without a maximum.
            let max = Some(most).filter(|most| *most < u32::MAX).map(Integer);
            PagesDocument::Range(PagesRange { min: Some(Integer(least)), max })
        });
        let direction = direction.map(|direction| direction.as_str().into());
        let purpose = purpose.map(|purpose| purpose.as_str().into());
        Self { direction, from, to, pages, method, path, url, purpose }
    }
}

impl From<&Outcome> for OutcomeDocument {
    fn from(outcome: &Outcome) -> Self {
        let of = |status: Status| Self { status: Some(status.as_str().into()), ..Self::default() };
        match outcome {
            Outcome::Delivered => of(Status::Delivered),
            Outcome::Received => of(Status::Received),
            Outcome::Busy => of(Status::Busy),
            Outcome::NoAnswer => of(Status::NoAnswer),
            Outcome::Failed(LineFault { fault, after_pages, text }) => Self {
                // Twilio's code works for both dialects: a SignalWire rule can have only one code, which means the
                // same in Twilio's API.
                code: Some(Dialect::Twilio.code(*fault)),
                after_pages: Some(Integer(*after_pages)),
                message: text.clone(),
                ..of(Status::Failed)
            },
        }
    }
}

impl From<LineOverride> for LineDocument {
    fn from(line: LineOverride) -> Self {
        let noise = line.noise_per_mille.map(|noise| Fraction(f64::from(noise) / 1_000.0));
        Self { rate_bps: line.rate_bps.map(Integer), noise }
    }
}

impl From<ApiFault> for ApiDocument {
    fn from(fault: ApiFault) -> Self {
        let (status, code) = fault.refusal.unzip();
        let status = status.map(|status| Integer(status.into()));
        Self { status, code: code.flatten().map(Integer), delay_ms: delay(fault.delay_ms), reset: said(fault.reset) }
    }
}

impl From<DownloadFault> for MediaDocument {
    fn from(fault: DownloadFault) -> Self {
        let DownloadFault { delay_ms, bytes_per_second, cut_after_bytes, redirects, status } = fault;
        Self {
            delay_ms: delay(delay_ms),
            bytes_per_second: bytes_per_second.map(Integer),
            cut_after_bytes: cut_after_bytes.map(Integer),
            redirects: Some(redirects).filter(|redirects| *redirects > 0).map(Integer),
            status: status.map(|status| Integer(status.into())),
        }
    }
}

impl From<&ParamEdits> for ParamsDocument {
    fn from(params: &ParamEdits) -> Self {
        let ParamEdits { set, add, remove, pad, order } = params;
        Self {
            remove: listed(remove),
            set: paired(set),
            add: paired(add),
            pad: listed(pad),
            order: OrderDocument::of(order),
        }
    }
}

impl From<&HeaderEdits> for HeadersDocument {
    fn from(headers: &HeaderEdits) -> Self {
        let HeaderEdits { set, remove, lower_case } = headers;
        Self { set: paired(set), remove: listed(remove), lower_case: said(*lower_case) }
    }
}

impl From<&WebhookFault> for WebhookDocument {
    fn from(fault: &WebhookFault) -> Self {
        let edits = fault.edits.as_deref();
        let params = edits.map(|edits| &edits.params).filter(|params| **params != ParamEdits::default());
        let headers = edits.map(|edits| &edits.headers).filter(|headers| **headers != HeaderEdits::default());
        let signature = Some(fault.signature).filter(|signature| *signature != Signature::Good);
        Self {
            delay_ms: delay(fault.delay_ms),
            duplicate: said(fault.duplicate),
            late: said(fault.late),
            reorder: said(fault.reorder),
            drop: said(fault.drop),
            signature: signature.map(|signature| signature.as_str().into()),
            params: params.map(Into::into),
            headers: headers.map(Into::into),
            signed_url: edits.and_then(|edits| edits.signed_url.clone()),
        }
    }
}

/// Returns a delay as the field of a document; the field is absent if the delay is zero.
fn delay<const MIN: u32, const MAX: u32>(delay_ms: u64) -> Option<Integer<MIN, MAX>> {
    Some(delay_ms).filter(|delay_ms| *delay_ms > 0).map(|delay_ms| Integer(delay_ms.try_into().unwrap_or(u32::MAX)))
}

/// Returns names as the field of a document; the field is absent if there are none.
fn listed(names: &[Box<str>]) -> Option<Box<[Box<str>]>> {
    (!names.is_empty()).then(|| names.into())
}

/// Returns names and values as the field of a document; the field is absent if there are none.
fn paired(pairs: &request_edits::Pairs) -> Option<Pairs> {
    (!pairs.is_empty()).then(|| Pairs(pairs.clone()))
}

/// Returns a flag as the field of a document; the field is absent if the flag is not set.
fn said(flag: bool) -> Option<bool> {
    flag.then_some(true)
}

fn read_rule(document: RuleDocument, dialect: Dialect) -> Result<Rule, RuleError> {
    let RuleDocument { matches, after, times, chance, enabled, outcome, line, api, webhook, media } = document;
    let effect = match (outcome, line, api, webhook, media) {
        (Some(document), None, None, None, None) => RuleEffect::Outcome(read_outcome(document, dialect)?),
        (None, Some(document), None, None, None) => RuleEffect::Line(read_line(&document)),
        (None, None, Some(document), None, None) => RuleEffect::Api(read_api(&document, dialect)?),
        (None, None, None, Some(document), None) => RuleEffect::Webhook(read_webhook(document)?),
        (None, None, None, None, Some(document)) => RuleEffect::Media(read_media(&document)),
        _ => return error("", "give exactly one effect: outcome, line, api, webhook or media"),
    };
    let rule = Rule {
        matches: read_match(matches.unwrap_or_default())?,
        after: after.map_or(0, |after| after.0),
        times: times.map(|times| times.0),
        chance: chance.map(|chance| chance.0),
        enabled: enabled.unwrap_or(true),
        effect,
    };
    rule.check(dialect)?;
    Ok(rule)
}

fn read_match(document: MatchDocument) -> Result<Match, RuleError> {
    let MatchDocument { direction, from, to, pages, method, path, url, purpose } = document;
    Ok(Match {
        direction: word("match.direction", direction.as_deref(), Direction::ALL, Direction::as_str)?,
        from,
        to,
        pages: pages.as_ref().map(page_range),
        method: word("match.method", method.as_deref(), &METHODS, |method| method)?.map(Into::into),
        path,
        url,
        purpose: word("match.purpose", purpose.as_deref(), &PURPOSES, Purpose::as_str)?,
    })
}

/// Returns the least and the greatest number of pages.
fn page_range(document: &PagesDocument) -> (u32, u32) {
    match document {
        PagesDocument::Exactly(pages) => (pages.0, pages.0),
        PagesDocument::Range(PagesRange { min, max }) => {
            (min.map_or(1, |min| min.0), max.map_or(u32::MAX, |max| max.0))
        }
    }
}

fn read_outcome(document: OutcomeDocument, dialect: Dialect) -> Result<Outcome, RuleError> {
    let OutcomeDocument { status, code, after_pages, message } = document;
    let Some(status) = word("outcome.status", status.as_deref(), &OUTCOMES, Status::as_str)? else {
        return error("outcome.status", "is required: delivered, received, busy, no-answer or failed");
    };
    if status != Status::Failed && (code.is_some() || after_pages.is_some() || message.is_some()) {
        let reason = format!("code, after_pages and message are only valid with the status failed, not with {status}");
        return error("outcome", reason);
    }
    // Only a document whose status is `failed` can have a code at this point, so with another status this returns no
    // error.
    let fault = dialect.line_fault(code, after_pages.map_or(0, |pages| pages.0), message);
    let fault = fault.or_else(|why| error("outcome.code", format!("must be {why}")))?;
    Ok(match status {
        Status::Delivered => Outcome::Delivered,
        Status::Received => Outcome::Received,
        Status::Busy => Outcome::Busy,
        Status::NoAnswer => Outcome::NoAnswer,
        // `word` has accepted only the statuses in `OUTCOMES`, so of these only `Failed` occurs.
        Status::Failed
        | Status::Queued
        | Status::Processing
        | Status::Sending
        | Status::Receiving
        | Status::Canceled => Outcome::Failed(fault),
    })
}

fn read_line(document: &LineDocument) -> LineOverride {
    let LineDocument { rate_bps, noise } = document;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000")]
    let noise_per_mille = noise.map(|noise| (noise.0 * 1_000.0).round() as u16);
    LineOverride { rate_bps: rate_bps.map(|rate| rate.0), noise_per_mille }
}

fn read_api(document: &ApiDocument, dialect: Dialect) -> Result<ApiFault, RuleError> {
    let ApiDocument { status, code, delay_ms, reset } = document;
    let (delay_ms, reset) = (delay_ms.map_or(0, |delay| delay.0), reset.unwrap_or(false));
    if code.is_some() && status.is_none() {
        return error("api.code", "needs a status, because the code is part of that error response");
    }
    let refusal = status.map(|status| {
        // This never fails, because the document's type allows only 400 to 599.
        let status = u16::try_from(status.0).unwrap_or(500);
        (status, Some(code.map_or_else(|| dialect.usual_code(status), |code| code.0)))
    });
    Ok(ApiFault { refusal, delay_ms: delay_ms.into(), reset })
}

fn read_webhook(document: WebhookDocument) -> Result<WebhookFault, RuleError> {
    let WebhookDocument { delay_ms, duplicate, late, reorder, drop, signature, params, headers, signed_url } = document;
    let (params, headers) = (params.map(read_params), headers.map(read_headers));
    // A field that changes nothing might be a mistake.
    if params.as_ref().is_some_and(|params| *params == ParamEdits::default()) {
        return error("webhook.params", "changes nothing: give set, add, remove, pad or order");
    }
    if headers.as_ref().is_some_and(|headers| *headers == HeaderEdits::default()) {
        return error("webhook.headers", "changes nothing: give set, remove or lower_case");
    }
    let (params, headers) = (params.unwrap_or_default(), headers.unwrap_or_default());
    let edits = RequestEdits { params, headers, signed_url };
    let signature = word("webhook.signature", signature.as_deref(), Signature::ALL, Signature::as_str)?;
    Ok(WebhookFault {
        delay_ms: delay_ms.map_or(0, |delay| delay.0.into()),
        duplicate: duplicate.unwrap_or(false),
        late: late.unwrap_or(false),
        reorder: reorder.unwrap_or(false),
        drop: drop.unwrap_or(false),
        signature: signature.unwrap_or_default(),
        edits: (!edits.is_empty()).then(|| Arc::new(edits)),
    })
}

fn read_params(document: ParamsDocument) -> ParamEdits {
    let ParamsDocument { remove, set, add, pad, order } = document;
    ParamEdits {
        set: set.unwrap_or_default().0,
        add: add.unwrap_or_default().0,
        remove: remove.unwrap_or_default().into_vec(),
        pad: pad.unwrap_or_default().into_vec(),
        order: OrderDocument::value(order),
    }
}

fn read_headers(document: HeadersDocument) -> HeaderEdits {
    let HeadersDocument { set, remove, lower_case } = document;
    HeaderEdits {
        set: set.unwrap_or_default().0,
        remove: remove.unwrap_or_default().into_vec(),
        lower_case: lower_case.unwrap_or(false),
    }
}

fn read_media(document: &MediaDocument) -> DownloadFault {
    let MediaDocument { delay_ms, bytes_per_second, cut_after_bytes, redirects, status } = document;
    DownloadFault {
        delay_ms: delay_ms.map_or(0, |delay| delay.0.into()),
        bytes_per_second: bytes_per_second.map(|rate| rate.0),
        cut_after_bytes: cut_after_bytes.map(|bytes| bytes.0),
        redirects: redirects.map_or(0, |redirects| redirects.0),
        // This never fails, because the document's type allows only 400 to 599.
        status: status.and_then(|status| u16::try_from(status.0).ok()),
    }
}

/// Looks up the value that a word stands for; `None` if the document doesn't have the field.
fn word<T: Copy>(
    place: &str,
    text: Option<&str>,
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
) -> Result<Option<T>, RuleError> {
    let Some(text) = text else { return Ok(None) };
    let found = all.iter().copied().find(|each| as_str(*each) == text);
    let words = || all.iter().map(|each| as_str(*each)).collect::<Vec<_>>().join(", ");
    found.map_or_else(|| error(place, format!("must be one of {}, not {text:?}", words())), |found| Ok(Some(found)))
}

#[cfg(test)]
mod tests;
