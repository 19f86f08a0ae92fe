//! References within strings: `${NAME}` is a variable, `${STEP.FIELD}` a value of an earlier step, and `$${` means `${`.

/// A piece of a string.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Escape,
    Reference(&'a str),
}

/// The reference to a value of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StepValue<'a> {
    /// The step's name, which may contain full stops.
    pub(super) step: &'a str,
    /// The field of the value.
    pub(super) field: &'a str,
}

impl<'a> StepValue<'a> {
    /// Returns the value that a name refers to; `None` if it is the name of a variable.
    pub(super) fn of(name: &'a str) -> Option<Self> {
        name.rsplit_once('.').map(|(step, field)| Self { step: step.trim(), field: field.trim() })
    }
}

/// What takes the place of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Replacement {
    /// This text.
    Text(String),
    /// The reference stays, to be replaced later.
    Later,
}

/// Replaces the references in a string. Unless `is_last`, the result is to be read for references again, so escapes
/// are kept, and inserted text is escaped.
///
/// # Errors
/// Fails if a reference doesn't end, or with the error of `lookup`.
pub(super) fn replaced(
    text: &str,
    is_last: bool,
    mut lookup: impl FnMut(&str) -> Result<Replacement, String>,
) -> Result<String, String> {
    let mut whole = String::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => whole.push_str(text),
            Piece::Escape => whole.push_str(if is_last { "${" } else { "$${" }),
            Piece::Reference(name) => match lookup(name.trim())? {
                Replacement::Text(text) if is_last => whole.push_str(&text),
                Replacement::Text(text) => whole.push_str(&text.replace("${", "$${")),
                Replacement::Later => {
                    whole.push_str("${");
                    whole.push_str(name);
                    whole.push('}');
                }
            },
        }
    }
    Ok(whole)
}

/// Returns the names that a string refers to.
pub(super) fn names(text: &str) -> Vec<&str> {
    let named = |piece| match piece {
        Piece::Reference(name) => Some(name.trim()),
        Piece::Text(_) | Piece::Escape => None,
    };
    pieces(text).unwrap_or_default().into_iter().filter_map(named).collect()
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find("${") {
        let (before, after) = (&rest[..at], &rest[at + "${".len()..]);
        if let Some(before) = before.strip_suffix('$') {
            pieces.extend([Piece::Text(before), Piece::Escape]);
            rest = after;
            continue;
        }
        let end =
            after.find('}').ok_or("a reference that begins with ${ must end with }; write $${ for the text ${")?;
        pieces.extend([Piece::Text(before), Piece::Reference(&after[..end])]);
        rest = &after[end + 1..];
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, is_last: bool) -> Result<String, String> {
        replaced(text, is_last, |name| match name {
            "app" => Ok(Replacement::Text("http://a/${x}".to_owned())),
            "the fax.sid" => Ok(Replacement::Later),
            other => Err(format!("unknown {other}")),
        })
    }

    #[test]
    fn references_are_replaced_and_what_is_inserted_is_not_read_again() {
        assert_eq!(with("${app}/fax", true).as_deref(), Ok("http://a/${x}/fax"));
        let later = with("${ app }-${the fax.sid}-$${y}", false).expect("replaced");
        assert_eq!(later, "http://a/$${x}-${the fax.sid}-$${y}");
        let last = replaced(&later, true, |_| Ok(Replacement::Text("FX1".to_owned())));
        assert_eq!(last.as_deref(), Ok("http://a/${x}-FX1-${y}"));
        assert_eq!(names("a${b}$${c}${d e.f}"), ["b", "d e.f"]);
    }

    #[test]
    fn a_reference_must_end_and_be_known() {
        assert!(with("${app", true).expect_err("open").contains("must end with }"));
        assert_eq!(with("${ap}", true), Err("unknown ap".to_owned()));
        assert_eq!(StepValue::of("a. b.sid"), Some(StepValue { step: "a. b", field: "sid" }));
        assert_eq!(StepValue::of("app"), None);
    }
}
