//! Reads a scenario file. Everything that can be judged without an emulator is judged here, so that a mistake is reported
//! with its place before anything runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Action, App, Clock, Document, Expect, Wait};
use super::error::BadFile;
use super::hosted::Hosted;
use super::locate::located;
use super::refs::{self, Replacement, StepValue};
use super::wanted::Count;
use crate::check::list::Selection;
use crate::config::{self, Config, ConfigError, Setting, Table, read_bounded};
use crate::dialect::json::{self, FieldError};
use crate::dialect::matching::{Pattern, PatternError};
use crate::dialect::rule;
use crate::document::sample;
use crate::io::fetch::DOCUMENT_BYTES_MAX;
use crate::model::account::Dialect;
use crate::model::fax::Status;
use crate::model::field_words;
use crate::model::webhook::Purpose;

/// The size of the largest file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The maximum number of steps.
pub const STEPS_MAX: usize = 500;
/// The name of the variable with the app's address.
pub const APP_VAR: &str = "app";

/// The maximum length of a step's name, in characters.
const NAME_CHARS_MAX: usize = 200;
/// The status of a call that ended without a fax.
const NOT_ANSWERED: &str = "not-answered";
/// The settings that concern the process rather than what the emulator does. The run determines them.
const OF_PROCESS: [Setting; 11] = [
    Setting::Listen,
    Setting::TlsListen,
    Setting::PortFile,
    Setting::PublicUrl,
    Setting::State,
    Setting::ControlToken,
    Setting::CaDir,
    Setting::ProxyClients,
    Setting::LogFormat,
    Setting::LogLevel,
    Setting::AllowOrigin,
];

/// What a file is read with.
#[derive(Debug)]
pub struct Source<'a> {
    /// The path of the file.
    pub path: &'a Path,
    /// Variables that the user gave.
    pub vars: &'a BTreeMap<String, String>,
    /// The address at which the run serves documents and the sample app, such as `http://127.0.0.1:40000`.
    pub origin: &'a str,
    /// The settings of an emulator that the file says nothing about.
    pub defaults: Config,
}

/// A scenario, ready to run.
#[derive(Debug)]
pub struct Scenario {
    /// The path of the file.
    pub path: PathBuf,
    /// What the scenario shows, in one line.
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// The app under test, unless its address was given as a variable, so that nothing has to be started.
    pub app: Option<App>,
    /// Whether the file has settings.
    pub has_settings: bool,
    /// The configuration for an emulator of its own.
    pub config: Config,
    /// The documents that the steps need.
    pub hosted: Hosted,
    pub(super) steps: Vec<ReadStep>,
}

/// A step that has been read.
#[derive(Debug)]
pub(super) struct ReadStep {
    pub(super) name: String,
    pub(super) action: Action,
    /// The fields of what it does, in which values of earlier steps are still to be filled in.
    pub(super) raw: Value,
}

/// Reads a scenario file.
///
/// # Errors
/// Returns the first mistake in the file.
pub fn read(source: &Source<'_>) -> Result<Scenario, BadFile> {
    let path = source.path.to_owned();
    let unreadable = |reason| ConfigError::Unreadable { origin: None, path: path.clone(), reason };
    let bytes = read_bounded(&path, FILE_BYTES_MAX).map_err(unreadable)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| unreadable(format!("not UTF-8 after byte {}", error.utf8_error().valid_up_to())))?;
    let file = config::Source { path, text };
    let mut root = DeTable::parse(&file.text).map_err(|error| {
        let place = file.place(error.span().map_or(0, |span| span.start));
        ConfigError::Syntax { place, message: error.message().trim().to_owned() }
    })?;
    // The types are checked before the variables are filled in, since the variables are found by their types.
    let located = |root: &DeTable<'_>, error: &FieldError| located(&file, root, error);
    let json = |root: &DeTable<'_>| Table { source: &file, name: "the file", start: 0, entries: root }.json();
    json::read::<Document>(&json(root.get_ref())).map_err(|error| located(root.get_ref(), &error))?;
    let vars = variables(source, &file, root.get_ref())?;
    let names = step_names(root.get_ref());
    fill(&file, root.get_mut(), &vars, &names)?;

    let value = json(root.get_ref());
    let document: Document = json::read(&value).map_err(|error| located(root.get_ref(), &error))?;
    let mut hosted = Hosted::at(source.origin);
    let folder = source.path.parent().unwrap_or(Path::new(""));
    let (config, has_settings) = settings(&file, root.get_ref(), source.defaults.clone())?;
    let dialect = config.worlds.first().map_or(Dialect::of(config.default_account.sid), |account| account.dialect);
    let steps = steps(&document, (&value, dialect), &mut hosted, folder);
    let steps = steps.map_err(|error| located(root.get_ref(), &error))?;
    let is_elsewhere = source.vars.contains_key(APP_VAR);
    Ok(Scenario {
        path: source.path.to_owned(),
        title: document.title,
        description: document.description,
        app: document.app.filter(|_| !is_elsewhere).map(|app| App { url: vars.get(APP_VAR).cloned(), ..app }),
        has_settings,
        config,
        hosted,
        steps,
    })
}

/// Returns the variables with their values: those of the file, in place of which the user may give others, and the app's
/// address.
fn variables(
    source: &Source<'_>,
    file: &config::Source,
    root: &DeTable<'_>,
) -> Result<BTreeMap<String, String>, BadFile> {
    let text = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(ToOwned::to_owned);
    let own = root.get("vars").and_then(|vars| vars.get_ref().as_table()).into_iter().flatten();
    let mut vars: BTreeMap<String, String> =
        own.filter_map(|(name, value)| Some((name.get_ref().to_string(), text(value)?))).collect();
    let has_app = root.contains_key("app");
    let known: Vec<&str> = vars.keys().map(String::as_str).chain(has_app.then_some(APP_VAR)).collect();
    if let Some(name) = source.vars.keys().find(|name| !known.contains(&name.as_str())) {
        let advice = advice(name, &known, "its variables are");
        return Err(BadFile::UnknownVar { path: file.path.display().to_string(), name: name.clone(), advice });
    }
    vars.extend(source.vars.clone());
    if let Some(app) = root.get("app")
        && app.get_ref().as_table().is_some_and(|app| app.contains_key("command") && app.contains_key("sample"))
    {
        let reason = "app: give either command, which starts the app, or sample = true";
        return Err(field(file, app.span().start, reason.to_owned()));
    }
    if let Some(app) = root.get("app")
        && !vars.contains_key(APP_VAR)
    {
        let at = app.span().start;
        let table = app.get_ref().as_table();
        let is_sample = table.and_then(|app| app.get("sample")).is_some_and(|is| is.get_ref().as_bool() == Some(true));
        let url = table.and_then(|app| text(app.get("url")?));
        let url = match (is_sample, url) {
            (true, None) => source.origin.to_owned(),
            (false, Some(url)) => {
                let filled = refs::replaced(&url, true, |name| variable(name, &vars));
                filled.map_err(|reason| field(file, at, format!("app.url: {reason}")))?
            }
            (true, Some(_)) | (false, None) => {
                let reason = "app: give either url, the app's address, or sample = true";
                return Err(field(file, at, reason.to_owned()));
            }
        };
        vars.insert(APP_VAR.to_owned(), url.trim_end_matches('/').to_owned());
    }
    Ok(vars)
}

fn field(file: &config::Source, at: usize, reason: String) -> BadFile {
    BadFile::Field { place: file.place(at), reason }
}

fn advice(name: &str, known: &[&str], list: &str) -> String {
    match field_words::nearest(name, known) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => "it has none; they stand under [vars]".to_owned(),
        None => format!("{list} {}", known.join(", ")),
    }
}

fn variable(name: &str, vars: &BTreeMap<String, String>) -> Result<Replacement, String> {
    let known: Vec<&str> = vars.keys().map(String::as_str).collect();
    let missing = || format!("there is no variable {name:?}; {}", advice(name, &known, "the variables are"));
    vars.get(name).cloned().map(Replacement::Text).ok_or_else(missing)
}

/// Returns the names of the steps, in their order.
fn step_names(root: &DeTable<'_>) -> Vec<String> {
    let steps = root.get("steps").and_then(|steps| steps.get_ref().as_array()).into_iter().flatten();
    let name = |step: &Spanned<DeValue<'_>>| {
        step.get_ref().as_table().and_then(|step| step.get("name")?.get_ref().as_str().map(ToOwned::to_owned))
    };
    steps.map(|step| name(step).unwrap_or_default()).collect()
}

/// Fills in the variables everywhere except under `[vars]`.
fn fill(
    file: &config::Source,
    root: &mut DeTable<'_>,
    vars: &BTreeMap<String, String>,
    names: &[String],
) -> Result<(), BadFile> {
    for (key, value) in root.iter_mut() {
        match &**key.get_ref() {
            "vars" => {}
            "steps" => {
                let steps = if let DeValue::Array(steps) = value.get_mut() { &mut **steps } else { &mut [] };
                for (index, step) in steps.iter_mut().enumerate() {
                    let earlier = names.get(..index).unwrap_or_default();
                    fill_value(file, step, false, &mut |name| match StepValue::of(name) {
                        Some(named) => known_step(named.step, earlier, names).map(|()| Replacement::Later),
                        None => variable(name, vars),
                    })?;
                }
            }
            _ => fill_value(file, value, true, &mut |name| variable(name, vars))?,
        }
    }
    Ok(())
}

fn fill_value(
    file: &config::Source,
    value: &mut Spanned<DeValue<'_>>,
    is_last: bool,
    lookup: &mut dyn FnMut(&str) -> Result<Replacement, String>,
) -> Result<(), BadFile> {
    let at = value.span().start;
    match value.get_mut() {
        DeValue::String(text) if text.contains("${") => {
            let filled = refs::replaced(text, is_last, &mut *lookup);
            *text = filled.map_err(|reason| field(file, at, reason))?.into();
            Ok(())
        }
        DeValue::Array(items) => items.iter_mut().try_for_each(|item| fill_value(file, item, is_last, lookup)),
        DeValue::Table(table) => table.iter_mut().try_for_each(|(_, value)| fill_value(file, value, is_last, lookup)),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            Ok(())
        }
    }
}

/// Checks that a step with this name comes before the one that refers to it.
fn known_step(name: &str, earlier: &[String], all: &[String]) -> Result<(), String> {
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

/// Reads the settings of an emulator, and whether there are any.
fn settings(file: &config::Source, root: &DeTable<'_>, defaults: Config) -> Result<(Config, bool), BadFile> {
    let empty = DeTable::new();
    let value = root.get("settings");
    let entries = value.and_then(|value| value.get_ref().as_table()).unwrap_or(&empty);
    let start = value.map_or(0, |value| value.span().start);
    let table = Table { source: file, name: "[settings]", start, entries };
    Ok((Config::of_table(defaults, &table, &OF_PROCESS)?, value.is_some()))
}

/// Returns whether a setting concerns the process, so that a scenario can't have it.
#[must_use]
pub fn is_of_process(setting: Setting) -> bool {
    OF_PROCESS.contains(&setting)
}

/// Checks the steps, and reads the documents that they need.
fn steps(
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

/// Checks what the types can't say about a step.
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
                Some(wanted) => wanted.pattern().map(drop).map_err(|error| of_pattern(name, &error)),
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
    if let Some(timeout) = wait.timeout
        && !(0.0..=600.0).contains(&timeout)
    {
        return Err(wrong("timeout", format!("must be a number of seconds from 0 to 600, not {timeout}")));
    }
    match (&wait.status, wait.r#for.as_deref(), &wait.r#match) {
        (Some(statuses), None, None) => statuses.split(',').try_for_each(|word| check_status(word.trim())),
        (None, Some("settled"), None) => Ok(()),
        (None, Some("idle"), None) if wait.fax.is_none() => Ok(()),
        (None, Some("idle"), None) => Err(wrong("fax", "a wait for idle is about the whole account; leave fax out")),
        (None, Some(other), None) => Err(wrong("for", format!("must be settled or idle, not {other:?}"))),
        (None, None, Some(part)) => pattern("match", &Value::Object(part.clone())),
        _ => Err(wrong("", "give one of status, for and match")),
    }?;
    wait.times.as_ref().map_or(Ok(()), |times| times.times().map(drop).map_err(|error| of_pattern("", &error)))
}

fn check_expect(expect: &Expect, earlier: &[ReadStep]) -> Result<(), FieldError> {
    check_fax(expect.fax.as_deref(), earlier)?;
    let fields = expect.fields();
    for (name, wanted) in &fields {
        wanted.pattern().map_err(|error| of_pattern(name, &error))?;
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
        pattern("", &webhook.data()).map_err(within)?;
        times(webhook.times.as_ref()).map_err(within)?;
    }
    for (index, page) in expect.pages.iter().enumerate() {
        let within = |error: FieldError| error.within(&format!("pages[{index}]"));
        pattern("", &page.data()).map_err(within)?;
        times(page.times.as_ref()).map_err(within)?;
    }
    times(expect.faxes.as_ref().map(|faxes| &faxes.times)).map_err(|error| error.within("faxes"))?;
    times(expect.times.as_ref())?;
    if let Some(part) = &expect.r#match {
        pattern("match", &Value::Object(part.clone()))?;
    }
    let is_empty = fields.is_empty()
        && expect.webhooks.is_empty()
        && expect.pages.is_empty()
        && expect.faxes.is_none()
        && expect.r#match.is_none()
        && expect.in_order.is_none();
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
    count.map_or(Ok(()), |count| count.times().map(drop).map_err(|error| of_pattern("", &error)))
}

fn pattern(name: &str, part: &Value) -> Result<(), FieldError> {
    Pattern::parse(part).map(drop).map_err(|error| of_pattern(name, &error))
}

/// Gives the error of a pattern the path that the file has.
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

/// Checks that a step that is named for its fax can have one.
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

/// Replaces test pages to send, and files, by the URL of a document that the run serves.
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
        (None, Some(name)) => read_bounded(&folder.join(name), DOCUMENT_BYTES_MAX)
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
