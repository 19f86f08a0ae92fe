//! Selects, lists and explains checks by their names: those of apps and those of documents together.

use std::io::Write;
use std::process::ExitCode;

use serde_json::json;

use super::subject::Subject;
use super::{CheckFlags, print, selection};
use crate::check::Check as AppCheck;
use crate::check::list::{self, Selection, UnknownCheck};
use crate::cli::out::stdout;
use crate::cli::{check_document, table};
use crate::document::judge::Check as DocumentCheck;

/// How similar a word must be to the name of a check of documents for that check to be suggested, from 0 to 1.
const LIKENESS_MIN: f64 = 0.7;

/// The selected checks.
#[derive(Default)]
pub(super) struct Selected {
    pub(super) of_apps: Vec<&'static AppCheck>,
    pub(super) of_documents: Vec<DocumentCheck>,
}

impl Selected {
    /// Prints the checks, with a heading for each group.
    pub(super) fn list(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            let apps = self.of_apps.iter().map(|check| check.json());
            let documents = self.of_documents.iter().map(|check| check_document::described(*check));
            return table::json(&json!({ "checks": apps.chain(documents).collect::<Vec<_>>() }));
        }
        print::list(&self.of_apps)?;
        let mut out = stdout();
        if !self.of_apps.is_empty() && !self.of_documents.is_empty() {
            writeln!(out)?;
        }
        check_document::list(&self.of_documents, &mut out)
    }
}

/// Returns the checks that the flags select: those for the subject, or those of both kinds if there is no subject.
///
/// # Errors
/// Fails, and says what to do, if a name is unknown or belongs to the other kind, or if the selection leaves no checks.
pub(super) fn selected(flags: &CheckFlags, subject: Option<&Subject<'_>>) -> Result<Selected, String> {
    let selection = selection(flags);
    let names = || selection.only.iter().chain(&selection.skip);
    if let Some(unknown) = names().find_map(|name| Name::of(name).err()) {
        return Err(unknown.to_string());
    }
    let is_of_document = |name: &&String| matches!(Name::of(name), Ok(Name::OfDocuments(_)));
    let other = match subject {
        Some(Subject::App(url)) => {
            names().find(is_of_document).map(|name| (name, "documents", "an app", (*url).to_owned()))
        }
        Some(Subject::Document(path)) => names()
            .find(|name| !is_of_document(name))
            .map(|name| (name, "apps", "a document", path.display().to_string())),
        None => None,
    };
    if let Some((name, kind, wanted, subject)) = other {
        return Err(format!("{name} is a check of {kind}, and {subject} is {wanted}; leave it out"));
    }
    let mut selected = Selected::default();
    let is_only = |is_wanted: fn(&Name) -> bool| {
        selection.only.is_empty() || selection.only.iter().any(|name| Name::of(name).is_ok_and(|name| is_wanted(&name)))
    };
    if !matches!(subject, Some(Subject::Document(_))) && is_only(|name| matches!(name, Name::OfApps(_))) {
        let of_apps = |names: &[String]| names.iter().filter(|name| !is_of_document(name)).cloned().collect();
        let own = Selection { only: of_apps(&selection.only), skip: of_apps(&selection.skip), ..selection.clone() };
        selected.of_apps = own.checks().map_err(|unknown| unknown.to_string())?;
    }
    // Only checks of apps have a profile and a severity.
    let is_for_apps = flags.quick || flags.profile.is_some();
    if !matches!(subject, Some(Subject::App(_))) && !is_for_apps {
        let of = |names: &[String], check: DocumentCheck| {
            names.iter().any(|name| matches!(Name::of(name), Ok(Name::OfDocuments(own)) if own == check))
        };
        let all = DocumentCheck::ALL.iter().copied();
        let is_selected = |check: &DocumentCheck| {
            (selection.only.is_empty() || of(&selection.only, *check)) && !of(&selection.skip, *check)
        };
        selected.of_documents = all.filter(is_selected).collect();
    }
    if selected.of_apps.is_empty() && selected.of_documents.is_empty() {
        return Err("this selection leaves no checks to run".to_owned());
    }
    Ok(selected)
}

/// A check of either kind.
#[derive(Clone, Copy)]
enum Name {
    OfApps(&'static AppCheck),
    OfDocuments(DocumentCheck),
}

impl Name {
    /// Finds a check by its name, or, for a check of apps, by its code.
    fn of(name: &str) -> Result<Self, UnknownCheck> {
        let wanted = name.trim().to_ascii_lowercase();
        if let Some(check) = DocumentCheck::from_word(&wanted) {
            return Ok(Self::OfDocuments(check));
        }
        list::find(name).map(Self::OfApps).map_err(|unknown| {
            let near = DocumentCheck::ALL.iter().map(|check| check.as_str());
            let near = near.max_by(|one, other| {
                strsim::jaro_winkler(&wanted, one).total_cmp(&strsim::jaro_winkler(&wanted, other))
            });
            let likeness = |id: &str| strsim::jaro_winkler(&wanted, id);
            let is_nearer = |near: &&str| {
                likeness(near) >= LIKENESS_MIN && unknown.nearest.is_none_or(|other| likeness(near) > likeness(other))
            };
            UnknownCheck { nearest: near.filter(is_nearer).or(unknown.nearest), ..unknown }
        })
    }
}

/// Prints everything about a check.
///
/// # Errors
/// Fails if there is no such check.
pub(super) fn explain(name: &str, as_json: bool) -> Result<anyhow::Result<ExitCode>, UnknownCheck> {
    let printed = match Name::of(name)? {
        Name::OfApps(check) => print::explanation(check, as_json),
        Name::OfDocuments(check) => check_document::explanation(check, as_json),
    };
    Ok(printed.map(|()| ExitCode::SUCCESS))
}
