//! Checks everything that the types of a scenario can't express: the names that steps refer to, the fields that exclude
//! each other, the patterns, and the documents to be sent.

use std::path::Path;

use serde_json::{Map, Value};

use super::document::{Action, Clock, Document, Expect, Wait};
use super::hosted::Hosted;
use super::wanted::Count;
use crate::check::list::Selection;
use crate::config::read_regular;
use crate::dialect::json::FieldError;
use crate::dialect::matching::{Pattern, PatternError, Times};
use crate::dialect::rule;
use crate::document::sample;
use crate::io::fetch::DOCUMENT_BYTES_MAX;
use crate::model::account::Dialect;
use crate::model::fax::Status;
use crate::model::field_words;
use crate::model::webhook::Purpose;

/// The maximum number of steps.
pub const STEPS_MAX: usize = 500;
/// The maximum length of a step's name, in characters.
const NAME_CHARS_MAX: usize = 200;
/// The longest time that a wait may take, in seconds.
const WAIT_SECONDS_MAX: f64 = 600.0;
/// The longest time that a move of the clock may take, in seconds. It is less than the time limit for a call to the
/// emulator.
const MOVE_SECONDS_MAX: f64 = 100.0;
/// The fields of an event in the journal.
const EVENT_FIELDS: [&str; 5] = ["seq", "at", "kind", "fax_sid", "data"];
/// The error for a pattern that everything matches.
const EXPECTS_NOTHING: &str = "it expects nothing; give a value or at least one field";
/// The status of a call that ended without a fax.
const NOT_ANSWERED: &str = "not-answered";

/// A step that has been read.
#[derive(Debug)]
pub(super) struct ReadStep {
    pub(super) name: String,
    pub(super) action: Action,
    /// The fields of its action, before the values of earlier steps are filled in.
    pub(super) raw: Value,
}

/// Checks the steps, and reads the documents that they need.
pub(super) fn steps(
    document: &Document,
    (value, dialect): (&Value, Dialect),
    hosted: &mut Hosted,
    folder: &Path,
) -> Result<Vec<ReadStep>, FieldError> {
    if document.steps.is_empty() {
        return Err(wrong("steps", "must have at least one step"));
    }
    if document.steps.len() > STEPS_MAX {
        return Err(wrong(&format!("steps[{STEPS_MAX}]"), format!("a scenario has at most {STEPS_MAX} steps")));
    }
    let mut steps: Vec<ReadStep> = Vec::new();
    for (index, step) in document.steps.iter().enumerate() {
        let at = format!("steps[{index}]");
        let name = step.name.clone();
        let length = name.chars().count();
        if !(1..=NAME_CHARS_MAX).contains(&length) {
            let reason = format!("must have 1 to {NAME_CHARS_MAX} characters, not {length}");
            return Err(wrong(&format!("{at}.name"), reason));
        }
        if steps.iter().any(|earlier| earlier.name == name) {
            return Err(wrong(&format!("{at}.name"), format!("an earlier step is called {name:?} too")));
        }
        let action = step.clone().action().ok_or_else(|| {
            let names = Action::NAMES.join(", ");
            wrong(&at, format!("a step does one thing: give exactly one of {names}"))
        })?;
        let mut raw = value["steps"][index][action.name()].clone();
        let at = format!("{at}.{}", action.name());
        check(&action, &steps).map_err(|error| error.within(&at))?;
        if matches!(action, Action::Rule) {
            rule::parse(&raw, dialect).map_err(|error| wrong(&at, error.to_string()))?;
        }
        host(&action, &mut raw, hosted, folder).map_err(|error| error.within(&at))?;
        steps.push(ReadStep { name, action, raw });
    }
    Ok(steps)
}

fn wrong(place: &str, reason: impl Into<String>) -> FieldError {
    FieldError { place: place.to_owned(), reason: reason.into(), is_unknown: false }
}

/// Checks the rules for a step that the types can't express.
fn check(action: &Action, earlier: &[ReadStep]) -> Result<(), FieldError> {
    match action {
        Action::Receive(receive) => {
            one_of(&[
                ("pages", receive.pages.is_some()),
                ("file", receive.file.is_some()),
                ("media_url", receive.media_url.is_some()),
            ])?;
            one_of(&[("fax_url", receive.fax_url.is_some()), ("fax_twiml", receive.fax_twiml.is_some())])
        }
        Action::Send(send) => one_of(&[
            ("pages", send.pages.is_some()),
            ("file", send.file.is_some()),
            ("media_url", send.media_url.is_some()),
        ]),
        Action::Request(request) => {
            one_of(&[
                ("form", request.form.is_some()),
                ("json", request.json.is_some()),
                ("body", request.body.is_some()),
            ])?;
            let wanted = [("status", &request.status), ("answer", &request.answer)];
            wanted.into_iter().try_for_each(|(name, wanted)| match wanted {
                Some(wanted) => pattern(name, &wanted.0),
                None => Ok(()),
            })
        }
        Action::Wait(wait) => check_wait(wait, earlier),
        Action::Expect(expect) => check_expect(expect, earlier),
        Action::Check(check) => {
            let selection = Selection {
                profiles: Vec::new(),
                quick: check.quick,
                only: check.only.clone(),
                skip: check.skip.clone(),
            };
            selection.checks().map(drop).map_err(|error| wrong("", error.to_string()))
        }
        Action::Clock(Clock::Move(by)) => {
            let given = [by.by.is_some(), by.seconds.is_some(), by.to.is_some()];
            let is_one = given.iter().filter(|is| **is).count() == 1;
            check_timeout(by.timeout, MOVE_SECONDS_MAX)?;
            is_one.then_some(()).ok_or_else(|| wrong("", "give one of by, seconds and to"))
        }
        Action::Rule | Action::Clock(Clock::Word(_)) => Ok(()),
    }
}

/// Checks that at most one of these fields is given.
fn one_of(fields: &[(&str, bool)]) -> Result<(), FieldError> {
    let given: Vec<&str> = fields.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect();
    if given.len() <= 1 { Ok(()) } else { Err(wrong("", format!("give only one of {}", given.join(" and ")))) }
}

fn check_wait(wait: &Wait, earlier: &[ReadStep]) -> Result<(), FieldError> {
    check_fax(wait.fax.as_deref(), earlier)?;
    check_timeout(wait.timeout, WAIT_SECONDS_MAX)?;
    match (&wait.status, wait.r#for.as_deref(), &wait.r#match) {
        (Some(statuses), None, None) => statuses.split(',').try_for_each(|word| check_status(word.trim())),
        (None, Some("settled"), None) => Ok(()),
        (None, Some("idle"), None) if wait.fax.is_none() => Ok(()),
        (None, Some("idle"), None) => Err(wrong("fax", "a wait for idle is about the whole account; leave fax out")),
        (None, Some(other), None) => Err(wrong("for", format!("must be settled or idle, not {other:?}"))),
        (None, None, Some(part)) => event_pattern("match", part),
        _ => Err(wrong("", "give one of status, for and match")),
    }?;
    times(wait.times.as_ref())
}

fn check_timeout(seconds: Option<f64>, most: f64) -> Result<(), FieldError> {
    match seconds {
        Some(seconds) if !(0.0..=most).contains(&seconds) => {
            // The exponent keeps a huge number short.
            Err(wrong("timeout", format!("must be a number of seconds from 0 to {most}, not {seconds:?}")))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_expect(expect: &Expect, earlier: &[ReadStep]) -> Result<(), FieldError> {
    check_fax(expect.fax.as_deref(), earlier)?;
    let fields = expect.fields();
    for (name, wanted) in &fields {
        pattern(name, &wanted.0)?;
    }
    if let Some(status) = expect.status.as_ref().and_then(|status| status.0.as_str()) {
        check_status(status)?;
    }
    for (index, webhook) in expect.webhooks.iter().enumerate() {
        let within = |error: FieldError| error.within(&format!("webhooks[{index}]"));
        if let Some(purpose) = &webhook.purpose {
            let words: Vec<&str> = Purpose::ALL.iter().map(|purpose| purpose.as_str()).collect();
            one_word("purpose", purpose, &words).map_err(within)?;
        }
        data_pattern(&webhook.data()).map_err(within)?;
        times(webhook.times.as_ref()).map_err(within)?;
    }
    for (index, page) in expect.pages.iter().enumerate() {
        let within = |error: FieldError| error.within(&format!("pages[{index}]"));
        data_pattern(&page.data()).map_err(within)?;
        times(page.times.as_ref()).map_err(within)?;
    }
    times(expect.faxes.as_ref().map(|faxes| &faxes.times)).map_err(|error| error.within("faxes"))?;
    times(expect.times.as_ref())?;
    if let Some(part) = &expect.r#match {
        event_pattern("match", part)?;
    }
    for (index, part) in expect.in_order.iter().flatten().enumerate() {
        event_pattern(&format!("in_order[{index}]"), part)?;
    }
    let is_empty = fields.is_empty()
        && expect.webhooks.is_empty()
        && expect.pages.is_empty()
        && expect.faxes.is_none()
        && expect.r#match.is_none()
        && expect.in_order.as_ref().is_none_or(Vec::is_empty);
    if is_empty {
        return Err(wrong(
            "",
            "it expects nothing; give a field of the fax, pages, webhooks, faxes, match or in_order",
        ));
    }
    let needs_match = expect.times.is_some() && expect.r#match.is_none();
    if needs_match { Err(wrong("times", "is only of use together with match")) } else { Ok(()) }
}

fn times(count: Option<&Count>) -> Result<(), FieldError> {
    let Some(count) = count else { return Ok(()) };
    match count.times().map_err(|error| of_pattern("", &error))? {
        Times { at_least: 0, at_most: usize::MAX } => {
            Err(wrong("times", "it expects nothing, because any number is at least 0"))
        }
        Times { .. } => Ok(()),
    }
}

/// Checks a pattern. One that everything matches is refused, because an expectation with it could never fail.
fn pattern(name: &str, part: &Value) -> Result<(), FieldError> {
    Pattern::parse(part).map_err(|error| of_pattern(name, &error))?;
    empty_table(part, name).map_or(Ok(()), |path| Err(wrong(&path, EXPECTS_NOTHING)))
}

/// Checks a pattern for the data of an event whose kind is known. Without fields, it means any event of that kind.
fn data_pattern(data: &Value) -> Result<(), FieldError> {
    if data.as_object().is_some_and(Map::is_empty) { Ok(()) } else { pattern("", data) }
}

/// Checks a pattern for a whole event.
fn event_pattern(name: &str, part: &Map<String, Value>) -> Result<(), FieldError> {
    if let Some(field) = part.keys().find(|field| !EVENT_FIELDS.contains(&field.as_str())) {
        return Err(wrong(name, field_words::unknown(field, &EVENT_FIELDS)));
    }
    pattern(name, &Value::Object(part.clone()))
}

/// Returns the path of an empty table in a pattern, if there is one.
fn empty_table(part: &Value, path: &str) -> Option<String> {
    let fields = part.as_object()?;
    if fields.is_empty() {
        return Some(path.to_owned());
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    fields.iter().find_map(|(name, value)| empty_table(value, &below(name)))
}

/// Converts the error of a pattern, so that it has the path of the field in the file.
fn of_pattern(name: &str, error: &PatternError) -> FieldError {
    let text = error.to_string();
    let (path, reason) = text.split_once(": ").unwrap_or(("", &text));
    let path = path.strip_prefix("match").unwrap_or(path).trim_start_matches('.');
    let error = wrong(path, reason);
    if name.is_empty() { error } else { error.within(name) }
}

fn check_status(word: &str) -> Result<(), FieldError> {
    let words: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).chain([NOT_ANSWERED]).collect();
    if word.contains("${") { Ok(()) } else { one_word("status", word, &words) }
}

fn one_word(name: &str, word: &str, words: &[&str]) -> Result<(), FieldError> {
    if words.contains(&word) {
        return Ok(());
    }
    let near = field_words::nearest(word, words).map(|near| format!("; did you mean {near}?"));
    let words = words.join(", ");
    Err(wrong(name, format!("must be one of {words}, not {word:?}{}", near.unwrap_or_default())))
}

/// Checks that the step that `fax` names is of a kind that has a fax.
fn check_fax(name: Option<&str>, earlier: &[ReadStep]) -> Result<(), FieldError> {
    let Some(name) = name else { return Ok(()) };
    match earlier.iter().find(|step| step.name == name) {
        Some(step) if step.action.has_fax() => Ok(()),
        Some(step) => {
            let what = step.action.name();
            Err(wrong("fax", format!("the step {name:?} has no fax, because it is a step of the kind {what}")))
        }
        None => {
            let names: Vec<String> =
                earlier.iter().filter(|step| step.action.has_fax()).map(|step| step.name.clone()).collect();
            known_step(name, &names, &names).map_err(|reason| wrong("fax", reason))
        }
    }
}

/// Replaces test pages to send, and files, with the URL of a document that the run serves.
fn host(action: &Action, raw: &mut Value, hosted: &mut Hosted, folder: &Path) -> Result<(), FieldError> {
    let (pages, file) = match action {
        Action::Receive(receive) => (None, receive.file.as_deref()),
        Action::Send(send) if send.media_url.is_none() && send.file.is_none() => (Some(send.pages.unwrap_or(1)), None),
        Action::Send(send) => (None, send.file.as_deref()),
        Action::Rule
        | Action::Clock(_)
        | Action::Request(_)
        | Action::Wait(_)
        | Action::Expect(_)
        | Action::Check(_) => (None, None),
    };
    let bytes = match (pages, file) {
        (Some(pages), _) => {
            sample::document(pages).map_err(|error| wrong("pages", error.to_string()))?;
            sample::test_pages(pages)
        }
        (None, Some(name)) => read_regular(&folder.join(name), DOCUMENT_BYTES_MAX)
            .map_err(|reason| wrong("file", format!("can't read {name:?}: {reason}")))?,
        (None, None) => return Ok(()),
    };
    let fields: &mut Map<String, Value> = match raw.as_object_mut() {
        Some(fields) => fields,
        None => return Ok(()),
    };
    fields.remove("pages");
    fields.remove("file");
    fields.insert("media_url".to_owned(), hosted.add(bytes).into());
    Ok(())
}

/// Checks that a step with this name comes before the one that refers to it.
pub(super) fn known_step(name: &str, earlier: &[String], all: &[String]) -> Result<(), String> {
    if earlier.iter().any(|own| own == name) {
        return Ok(());
    }
    if all.iter().any(|own| own == name) {
        return Err(format!("the step {name:?} comes no earlier than this one, so it has no value yet"));
    }
    let known: Vec<&str> = earlier.iter().map(String::as_str).collect();
    Err(match field_words::nearest(name, &known) {
        Some(near) => format!("there is no earlier step {name:?}; did you mean {near:?}?"),
        None if known.is_empty() => format!("there is no earlier step {name:?}; this is the first"),
        None => format!("there is no earlier step {name:?}; the earlier steps are {known:?}"),
    })
}
