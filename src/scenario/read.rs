//! Reads a scenario file. Everything that can be judged without an emulator is judged here, so that a mistake is reported
//! with its place before anything runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use super::checked::{ReadStep, known_step, steps};
use super::document::{App, Document};
use super::error::BadFile;
use super::hosted::Hosted;
use super::locate::located;
use super::refs::{self, Replacement, StepValue};
use crate::config::{self, Config, ConfigError, Setting, Table, read_regular};
use crate::dialect::json::{self, FieldError};
use crate::model::account::Dialect;
use crate::model::field_words;

/// The size of the largest file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The name of the variable with the app's address.
pub const APP_VAR: &str = "app";

/// The settings that concern the process rather than the emulator's behaviour. The run determines them.
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

/// A file to read, and everything that is needed to read it.
#[derive(Debug)]
pub struct Source<'a> {
    /// The path of the file.
    pub path: &'a Path,
    /// Variables that the user gave.
    pub vars: &'a BTreeMap<String, String>,
    /// The address at which the run serves documents and the sample app, such as `http://127.0.0.1:40000`.
    pub origin: &'a str,
    /// The values of the settings that the file doesn't mention.
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
    /// The app under test. `None` if the file names no app, or if its address was given as a variable, so that nothing
    /// has to be started.
    pub app: Option<App>,
    /// Whether the file has settings.
    pub has_settings: bool,
    /// The configuration for an emulator of its own.
    pub config: Config,
    /// The documents that the steps need.
    pub hosted: Hosted,
    pub(super) steps: Vec<ReadStep>,
}

/// Reads a scenario file.
///
/// # Errors
/// Returns the first mistake in the file.
pub fn read(source: &Source<'_>) -> Result<Scenario, BadFile> {
    let path = source.path.to_owned();
    let unreadable = |reason| ConfigError::Unreadable { origin: None, path: path.clone(), reason };
    let bytes = read_regular(&path, FILE_BYTES_MAX).map_err(unreadable)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| unreadable(format!("not UTF-8 after byte {}", error.utf8_error().valid_up_to())))?;
    let file = config::Source { path, text };
    let mut root = DeTable::parse(&file.text).map_err(|error| {
        let place = file.place(error.span().map_or(0, |span| span.start));
        ConfigError::Syntax { place, message: error.message().trim().to_owned() }
    })?;
    let located = |root: &DeTable<'_>, error: &FieldError| located(&file, root, error);
    let json = |root: &DeTable<'_>| Table { source: &file, name: "the file", start: 0, entries: root }.json();
    // Also checked before the variables are filled in, because finding the variables relies on the right types.
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

/// Returns the variables with their values: the values of the file, unless the user has given others, and the app's
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
    if let (Some(app), Some(url)) = (root.get("app"), vars.get(APP_VAR))
        && !is_url(url)
    {
        let name = if source.vars.contains_key(APP_VAR) { "--var app" } else { "app.url" };
        let reason = format!("{name}: must be an http or https URL, such as http://localhost:3000, not {url:?}");
        return Err(field(file, app.span().start, reason));
    }
    Ok(vars)
}

fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn field(file: &config::Source, at: usize, reason: String) -> BadFile {
    BadFile::Field { place: file.place(at), reason }
}

fn advice(name: &str, known: &[&str], list: &str) -> String {
    match field_words::nearest(name, known) {
        Some(near) => format!("did you mean {near}?"),
        None if name == APP_VAR => "the app's address stands in the file, as url under [app]".to_owned(),
        None if known.is_empty() => "the file has no variables; write them under [vars]".to_owned(),
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
