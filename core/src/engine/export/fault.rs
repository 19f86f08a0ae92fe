//! Rephrases serde's errors about a state for people: where the error is, what was expected, and what was found.

use crate::model::field_words;

/// The place named in errors about a state as a whole.
const WHOLE: &str = "the state";

/// Returns the place of a parser's error, and the error rephrased for people.
pub(super) fn of(error: &serde_path_to_error::Error<serde_json::Error>) -> (String, String) {
    let is_whole = error.path().iter().next().is_none();
    let path = if is_whole { String::new() } else { error.path().to_string() };
    let text = error.inner().to_string();
    // Only errors from parsing text have a line; errors from converting a value don't.
    let (text, line) = match text.rfind(" at line ") {
        Some(at) if error.inner().line() > 0 => text.split_at(at),
        Some(_) | None => (&*text, ""),
    };
    let within = |field: &str| if is_whole { field.to_owned() } else { format!("{path}.{field}") };
    let (place, reason) = match (text.split_once(" `"), text.rsplit_once(", expected ")) {
        (Some(("missing field", field)), _) => (within(field.trim_end_matches('`')), "is missing".to_owned()),
        (Some(("duplicate field", field)), _) => {
            (within(field.trim_end_matches('`')), "is given twice; give it once".to_owned())
        }
        (Some(("unknown field", names)), _) => (path, unknown_field(names)),
        (Some(("unknown variant", names)), _) => {
            let mut names = names.split('`').step_by(2);
            let word = names.next().unwrap_or_default();
            (path, format!("must be one of {}, not {word:?}", names.collect::<Vec<_>>().join(", ")))
        }
        (_, Some((found, expected))) => match found.split_once(": ") {
            Some(("invalid type" | "invalid value", found)) => {
                (path, format!("must be {}, not {}", field_words::expected(expected), shown(found)))
            }
            _ => (path, text.to_owned()),
        },
        _ => (path, text.to_owned()),
    };
    let place = if place.is_empty() { WHOLE.to_owned() } else { place };
    (place, format!("{reason}{line}"))
}

/// Rephrases serde's message about an unknown field. `names` is the message after its first backtick: the unknown name,
/// then all valid ones.
fn unknown_field(names: &str) -> String {
    // Each name is in backticks, so every second part is a name.
    let mut names = names.split('`').step_by(2);
    let field = names.next().unwrap_or_default();
    field_words::unknown(field, &names.collect::<Vec<_>>())
}

/// Converts serde's description of a value to JSON's terms.
fn shown(found: &str) -> &str {
    match found {
        "map" => "an object",
        "sequence" => "a list",
        other => {
            let number =
                ["integer `", "floating point `", "boolean `"].iter().find_map(|kind| other.strip_prefix(kind));
            number.map_or_else(|| other.trim_start_matches("string "), |number| number.trim_end_matches('`'))
        }
    }
}
