//! Rules as JSON, as the control API and the configuration file have them: read with every field checked, and shown.
//! A rule that can plainly never act is refused. It applies none.

use std::fmt;

use serde_json::{Map, Value, json};

use super::twilio::codes;
use crate::engine::input::LineFault;
use crate::engine::rule::{
    ApiFault, LineWish, Match, Outcome, Pattern, Rule, RuleEffect, RuleKind, WebhookFault, is_question,
};
use crate::model::fax::{Direction, Status};
use crate::model::phone::SIP_URI_LEN_MAX;
use crate::model::webhook::{Purpose, Signature};

/// Matches that may be skipped, and times that a rule may act: more than any world has faxes pending.
pub const COUNT_MAX: u64 = 1_000_000;
/// Pages that a rule may speak of; no fax has more.
pub const PAGES_MAX: u64 = 10_000;
/// The longest delay of a webhook: a day on the world's clock.
pub const WEBHOOK_DELAY_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// The longest delay of a REST call, in real time: longer than any client waits.
pub const API_DELAY_MS_MAX: u64 = 10 * 60 * 1_000;
/// The slowest and the fastest line: V.27 ter's lowest rate and V.34's highest.
pub const RATE_BPS: (u64, u64) = (2_400, 33_600);

/// `Too Many Requests`.
const CODE_TOO_MANY: u32 = 20429;
/// Codes of failed transmissions.
const METHODS: [&str; 5] = ["GET", "POST", "DELETE", "PUT", "PATCH"];
const PURPOSES: [Purpose; 4] = [Purpose::FaxUrl, Purpose::FallbackUrl, Purpose::Action, Purpose::StatusCallback];
/// How alike a wrong and a valid word must be for the valid one to be suggested (Jaro-Winkler, 0 to 1).
const LIKENESS_MIN: f64 = 0.75;

/// Why a rule is none: the field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    field: String,
    reason: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

fn error<T>(field: impl Into<String>, reason: impl Into<String>) -> Result<T, RuleError> {
    Err(RuleError { field: field.into(), reason: reason.into() })
}

/// Reads a rule.
///
/// # Errors
/// The first field that makes no sense, or why the rule could never act.
pub fn parse(value: &Value) -> Result<Rule, RuleError> {
    let own = Fields::of(value, "rule", &["match", "after", "times", "chance", "outcome", "line", "api", "webhook"])?;
    let effects: Vec<&str> = RuleKind::ALL.iter().map(|kind| kind.as_str()).filter(|kind| own.has(kind)).collect();
    let [kind] = effects[..] else {
        return error("rule", "give exactly one effect: outcome, line, api or webhook");
    };
    let effect = own.get(kind).map_or(error(kind, "is required"), |value| match kind {
        "outcome" => outcome(value).map(RuleEffect::Outcome),
        "line" => line(value).map(RuleEffect::Line),
        "api" => api(value).map(RuleEffect::Api),
        _ => webhook(value).map(RuleEffect::Webhook),
    })?;
    let matches = own.get("match").map(matches).transpose()?.unwrap_or_default();
    let chance = own.number("chance")?;
    if chance.is_some_and(|chance| !(chance > 0.0 && chance <= 1.0)) {
        return error("chance", "above 0 and at most 1; with 0 the rule would never act");
    }
    let rule = Rule {
        matches,
        after: own.integer("after", 0, COUNT_MAX)?.unwrap_or(0),
        times: own.integer("times", 1, COUNT_MAX)?,
        chance,
        effect,
    };
    check_possible(&rule)?;
    Ok(rule)
}

/// A rule as it would be read.
#[must_use]
pub fn json(rule: &Rule) -> Value {
    let mut shown = Map::new();
    shown.insert("match".into(), json_of_match(&rule.matches));
    if rule.after > 0 {
        shown.insert("after".into(), rule.after.into());
    }
    if let Some(times) = rule.times {
        shown.insert("times".into(), times.into());
    }
    if let Some(chance) = rule.chance {
        shown.insert("chance".into(), chance.into());
    }
    shown.insert(rule.effect.kind().as_str().into(), json_of_effect(&rule.effect));
    shown.into()
}

/// An effect as it would be read.
#[must_use]
pub fn json_of_effect(effect: &RuleEffect) -> Value {
    match effect {
        RuleEffect::Outcome(Outcome::Delivered) => json!({ "status": "delivered" }),
        RuleEffect::Outcome(Outcome::Received) => json!({ "status": "received" }),
        RuleEffect::Outcome(Outcome::Busy) => json!({ "status": "busy" }),
        RuleEffect::Outcome(Outcome::NoAnswer) => json!({ "status": "no-answer" }),
        RuleEffect::Outcome(Outcome::Failed(fault)) => {
            json!({ "status": "failed", "code": codes::code(fault.fault), "after_pages": fault.after_pages })
        }
        RuleEffect::Line(wish) => {
            let noise = wish.noise_per_mille.map(|noise| f64::from(noise) / 1_000.0);
            without_nulls(json!({ "rate_bps": wish.rate_bps, "noise": noise }))
        }
        RuleEffect::Api(fault) => {
            let (status, code) = fault.refusal.unzip();
            let delay_ms = Some(fault.delay_ms).filter(|delay| *delay > 0);
            let reset = fault.reset.then_some(true);
            without_nulls(json!({ "status": status, "code": code, "delay_ms": delay_ms, "reset": reset }))
        }
        RuleEffect::Webhook(fault) => {
            let said = |flag: bool| flag.then_some(true);
            let signature = Some(fault.signature).filter(|signature| *signature != Signature::Good);
            without_nulls(json!({
                "delay_ms": Some(fault.delay_ms).filter(|delay| *delay > 0),
                "duplicate": said(fault.duplicate),
                "reorder": said(fault.reorder),
                "drop": said(fault.drop),
                "signature": signature.map(Signature::as_str),
            }))
        }
    }
}

/// What may keep a rule from acting though it is possible, for who wrote it.
#[must_use]
pub fn warning(rule: &Rule) -> Option<String> {
    let RuleEffect::Webhook(fault) = &rule.effect else { return None };
    let single = match rule.matches.purpose {
        Some(purpose @ (Purpose::FaxUrl | Purpose::FallbackUrl | Purpose::Action)) => Some(purpose.as_str()),
        Some(Purpose::StatusCallback | Purpose::MediaUrl | Purpose::Debugger) | None => None,
    };
    let single = single.filter(|_| fault.reorder)?;
    Some(format!("a fax has one {single} request only, so there is no next one that it could come after"))
}

fn json_of_match(matches: &Match) -> Value {
    let text = |pattern: &Option<Pattern>| pattern.as_ref().map(|pattern| pattern.as_str().to_owned());
    let pages = matches.pages.map(
        |(least, most)| {
            if least == most { json!(least) } else { json!({ "min": least, "max": most }) }
        },
    );
    without_nulls(json!({
        "direction": matches.direction.map(Direction::as_str),
        "from": text(&matches.from),
        "to": text(&matches.to),
        "pages": pages,
        "method": matches.method,
        "path": text(&matches.path),
        "url": text(&matches.url),
        "purpose": matches.purpose.map(Purpose::as_str),
    }))
}

fn without_nulls(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
}

fn matches(value: &Value) -> Result<Match, RuleError> {
    let known = ["direction", "from", "to", "pages", "method", "path", "url", "purpose"];
    let own = Fields::of(value, "match", &known)?;
    let direction = own.word("direction", Direction::ALL, Direction::as_str)?;
    let pages = match own.get("pages") {
        None => None,
        Some(range @ Value::Object(_)) => {
            let range = Fields::of(range, "match.pages", &["min", "max"])?;
            let least = range.integer("min", 1, PAGES_MAX)?.unwrap_or(1);
            let most = range.integer("max", 1, PAGES_MAX)?.unwrap_or(u32::MAX);
            if least > most {
                return error("match.pages", format!("no count is at least {least} and at most {most}"));
            }
            Some((least, most))
        }
        Some(_) => own.integer("pages", 1, PAGES_MAX)?.map(|pages| (pages, pages)),
    };
    let method = own.word("method", &METHODS, |method| method)?.map(Into::into);
    let purpose = own.word("purpose", &PURPOSES, Purpose::as_str)?;
    let party = |name: &'static str| -> Result<Option<Pattern>, RuleError> {
        let pattern = own.pattern(name)?;
        if let Some(pattern) = &pattern {
            check_party(name, pattern.as_str())?;
        }
        Ok(pattern)
    };
    let path = own.pattern("path")?;
    if path.as_ref().is_some_and(|path| !path.as_str().starts_with(['/', '*'])) {
        return error("match.path", "can never match: paths begin with a slash");
    }
    let url = own.pattern("url")?;
    if url.as_ref().is_some_and(|url| !["http", "*"].iter().any(|begin| url.as_str().starts_with(begin))) {
        return error(
            "match.url",
            "can never match: webhook URLs begin with http; put an asterisk first to leave that open",
        );
    }
    Ok(Match { direction, from: party("from")?, to: party("to")?, pages, method, path, url, purpose })
}

/// Refuses a pattern that no party can fit.
fn check_party(name: &str, pattern: &str) -> Result<(), RuleError> {
    let field = format!("match.{name}");
    if pattern.len() > SIP_URI_LEN_MAX {
        return error(field, format!("at most {SIP_URI_LEN_MAX} characters"));
    }
    let is_number = pattern.starts_with('+');
    let is_digits =
        pattern.chars().all(|c| c.is_ascii_digit() || c == '*') && pattern.contains(|c: char| c.is_ascii_digit());
    if is_digits && !pattern.starts_with('*') {
        return error(field, format!("can never match: numbers begin with a plus, as +{pattern}"));
    }
    if is_number && !pattern[1..].chars().all(|c| c.is_ascii_digit() || c == '*') {
        return error(field, "can never match: after the plus a number has digits only");
    }
    // E.164 has at most fifteen digits.
    if is_number && pattern.chars().filter(char::is_ascii_digit).count() > 15 {
        return error(field, "can never match: a number has at most 15 digits");
    }
    if name == "to" && !is_number && !pattern.starts_with(['*', 's', 'S']) {
        return error(field, "can never match: a receiver is a number in E.164 or a SIP URI");
    }
    Ok(())
}

fn outcome(value: &Value) -> Result<Outcome, RuleError> {
    let own = Fields::of(value, "outcome", &["status", "code", "after_pages"])?;
    let words = [Status::Delivered, Status::Received, Status::Busy, Status::NoAnswer, Status::Failed];
    let Some(status) = own.word("status", &words, Status::as_str)? else {
        return error("outcome.status", "is required: delivered, received, busy, no-answer or failed");
    };
    let code = own.integer("code", 0, u64::from(u32::MAX))?;
    let after_pages = own.integer("after_pages", 0, PAGES_MAX)?;
    if status != Status::Failed && (code.is_some() || after_pages.is_some()) {
        return error("outcome", format!("code and after_pages go with the status failed, not with {status}"));
    }
    let code = code.unwrap_or(codes::TRANSMISSION);
    let Some(fault) = codes::line_fault(code) else {
        return error("outcome.code", format!("{} or {}, not {code}", codes::TRANSMISSION, codes::INCOMPATIBLE));
    };
    Ok(match status {
        Status::Delivered => Outcome::Delivered,
        Status::Received => Outcome::Received,
        Status::Busy => Outcome::Busy,
        Status::NoAnswer => Outcome::NoAnswer,
        Status::Failed
        | Status::Queued
        | Status::Processing
        | Status::Sending
        | Status::Receiving
        | Status::Canceled => Outcome::Failed(LineFault { fault, after_pages: after_pages.unwrap_or(0) }),
    })
}

fn line(value: &Value) -> Result<LineWish, RuleError> {
    let own = Fields::of(value, "line", &["rate_bps", "noise"])?;
    let rate_bps = own.integer("rate_bps", RATE_BPS.0, RATE_BPS.1)?;
    let noise = own.number("noise")?;
    if noise.is_some_and(|noise| !(0.0..=1.0).contains(&noise)) {
        return error("line.noise", "the damaged part of all rows, from 0 to 1");
    }
    if rate_bps.is_none() && noise.is_none() {
        return error("line", "does nothing: give rate_bps or noise");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000")]
    let noise_per_mille = noise.map(|noise| (noise * 1_000.0).round() as u16);
    Ok(LineWish { rate_bps, noise_per_mille })
}

fn api(value: &Value) -> Result<ApiFault, RuleError> {
    let own = Fields::of(value, "api", &["status", "code", "delay_ms", "reset"])?;
    let status = own.integer("status", 400, 599)?;
    let code = own.integer("code", 1, 99_999)?;
    let delay_ms = own.integer("delay_ms", 0, API_DELAY_MS_MAX)?.unwrap_or(0);
    let reset = own.boolean("reset")?;
    if code.is_some() && status.is_none() {
        return error("api.code", "goes with a status");
    }
    if reset && status.is_some() {
        return error("api", "a connection that is reset brings no status: give one of both");
    }
    if !reset && status.is_none() && delay_ms == 0 {
        return error("api", "does nothing: give status, delay_ms or reset");
    }
    let refusal = status.map(|status| {
        let status = u16::try_from(status).unwrap_or(500);
        (status, code.unwrap_or(if status == 429 { CODE_TOO_MANY } else { 20_000 + u32::from(status) }))
    });
    Ok(ApiFault { refusal, delay_ms: delay_ms.into(), reset })
}

fn webhook(value: &Value) -> Result<WebhookFault, RuleError> {
    let own = Fields::of(value, "webhook", &["delay_ms", "duplicate", "reorder", "drop", "signature"])?;
    let fault = WebhookFault {
        delay_ms: own.integer("delay_ms", 0, WEBHOOK_DELAY_MS_MAX)?.unwrap_or(0).into(),
        duplicate: own.boolean("duplicate")?,
        reorder: own.boolean("reorder")?,
        drop: own.boolean("drop")?,
        signature: own.word("signature", Signature::ALL, Signature::as_str)?.unwrap_or_default(),
    };
    if fault == WebhookFault::default() {
        return error("webhook", "does nothing: give delay_ms, duplicate, reorder, drop or signature");
    }
    if fault.drop && fault != (WebhookFault { drop: true, ..WebhookFault::default() }) {
        return error("webhook", "a request that is dropped can't be anything else besides");
    }
    Ok(fault)
}

/// Refuses a rule whose match and effect can't go together.
fn check_possible(rule: &Rule) -> Result<(), RuleError> {
    let (matches, kind) = (&rule.matches, rule.effect.kind());
    let is_of_fax = kind != RuleKind::Api;
    let said = [
        ("direction", matches.direction.is_some(), is_of_fax),
        ("from", matches.from.is_some(), is_of_fax),
        ("to", matches.to.is_some(), is_of_fax),
        ("pages", matches.pages.is_some(), matches!(kind, RuleKind::Outcome | RuleKind::Line)),
        ("method", matches.method.is_some(), kind == RuleKind::Api),
        ("path", matches.path.is_some(), kind == RuleKind::Api),
        ("url", matches.url.is_some(), kind == RuleKind::Webhook),
        ("purpose", matches.purpose.is_some(), kind == RuleKind::Webhook),
    ];
    if let Some((name, ..)) = said.iter().find(|(_, is_said, is_allowed)| *is_said && !is_allowed) {
        return error(format!("match.{name}"), format!("can never match: {kind} rules have nothing to do with it"));
    }
    if let (Some(direction), Some(only)) = (matches.direction, rule.effect.direction())
        && direction != only
    {
        let reason = format!(
            "can never match: that outcome is one of {only} faxes; how an {direction} one is taken is up to its TwiML"
        );
        return error("outcome.status", reason);
    }
    if let (RuleEffect::Webhook(fault), Some(purpose)) = (&rule.effect, matches.purpose)
        && fault.signature == Signature::Stale
        && is_question(purpose)
    {
        let reason = format!(
            "stale can never act on a {}: that request tells no status, so none before it was signed for another; \
             give bad or missing",
            purpose.as_str()
        );
        return error("webhook.signature", reason);
    }
    let inbound_only = matches!(matches.purpose, Some(Purpose::FaxUrl | Purpose::FallbackUrl | Purpose::Action));
    if inbound_only && matches.direction == Some(Direction::Outbound) {
        return error("match.purpose", "can never match: only inbound faxes have such a request");
    }
    Ok(())
}

/// The fields of a JSON object, all of them known.
struct Fields<'a> {
    name: &'static str,
    fields: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value, name: &'static str, known: &[&str]) -> Result<Self, RuleError> {
        let Value::Object(fields) = value else { return error(name, "must be an object") };
        if let Some(unknown) = fields.keys().find(|key| !known.contains(&key.as_str())) {
            let likeness = |word: &&&str| strsim::jaro_winkler(unknown, word);
            let near = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let advice = near.filter(|near| likeness(near) >= LIKENESS_MIN).map_or_else(
                || format!("the fields there are {}", known.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            return error(name, format!("unknown field {unknown:?}; {advice}"));
        }
        Ok(Self { name, fields })
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A field; null is as good as none.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn path(&self, name: &str) -> String {
        if self.name == "rule" { name.to_owned() } else { format!("{}.{name}", self.name) }
    }

    fn integer(&self, name: &str, least: u64, most: u64) -> Result<Option<u32>, RuleError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_u64().filter(|number| (least..=most).contains(number));
        match number.and_then(|number| u32::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => error(self.path(name), format!("a whole number from {least} to {most}, not {value}")),
        }
    }

    fn number(&self, name: &str) -> Result<Option<f64>, RuleError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value
            .as_f64()
            .map_or_else(|| error(self.path(name), format!("a number, not {value}")), |number| Ok(Some(number)))
    }

    fn boolean(&self, name: &str) -> Result<bool, RuleError> {
        let Some(value) = self.get(name) else { return Ok(false) };
        value.as_bool().map_or_else(|| error(self.path(name), format!("true or false, not {value}")), Ok)
    }

    fn pattern(&self, name: &str) -> Result<Option<Pattern>, RuleError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let Some(text) = value.as_str() else { return error(self.path(name), format!("a text, not {value}")) };
        Pattern::new(text).map(Some).or_else(|reason| error(self.path(name), reason))
    }

    fn word<T: Copy>(&self, name: &str, all: &[T], word: impl Fn(T) -> &'static str) -> Result<Option<T>, RuleError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let found = all.iter().copied().find(|each| value.as_str() == Some(word(*each)));
        let words = || all.iter().map(|each| word(*each)).collect::<Vec<_>>().join(", ");
        found
            .map_or_else(|| error(self.path(name), format!("one of {}, not {value}", words())), |found| Ok(Some(found)))
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
