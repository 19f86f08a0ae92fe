//! Finds the place of a field in a file by the path of the field, such as `steps[2].receive.pages`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::BadFile;
use crate::config::Source;
use crate::dialect::json::FieldError;

/// Returns an error that says where the field is, or what would contain it if it is missing.
pub(super) fn located(source: &Source, root: &DeTable<'_>, error: &FieldError) -> BadFile {
    let (mut at, mut table, mut value): (usize, Option<&DeTable<'_>>, Option<&Spanned<DeValue<'_>>>) =
        (0, Some(root), None);
    for part in parts(&error.place) {
        let next = match part {
            Part::Key(name) => table.and_then(|table| table.get(name)),
            Part::Index(index) => value.and_then(|value| value.get_ref().as_array()).and_then(|all| all.get(index)),
        };
        let Some(next) = next else { break };
        (at, table, value) = (next.span().start, next.get_ref().as_table(), Some(next));
    }
    if error.is_unknown
        && let Some(key) = table.and_then(|table| table.keys().find(|key| is_named(error, key.get_ref())))
    {
        at = key.span().start;
    }
    BadFile::Field { place: source.place(at), reason: error.to_string() }
}

/// Returns whether an error about an unknown field is about the one with this name.
fn is_named(error: &FieldError, name: &str) -> bool {
    error.reason.starts_with(&format!("unknown field {name:?}"))
}

enum Part<'a> {
    Key(&'a str),
    Index(usize),
}

/// Splits a path at full stops and before brackets. A name that contains such characters isn't found, so the enclosing
/// field is shown instead.
fn parts(path: &str) -> impl Iterator<Item = Part<'_>> {
    path.split(['.', '[']).filter(|part| !part.is_empty()).map(|part| {
        let index = part.strip_suffix(']').and_then(|digits| digits.parse().ok());
        index.map_or(Part::Key(part), Part::Index)
    })
}
