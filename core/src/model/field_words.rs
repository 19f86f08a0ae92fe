//! Describes field errors to people, since serde's own messages are for programmers.

/// The minimum similarity between a wrong and a valid word for the valid one to be suggested (Jaro-Winkler, 0 to 1).
const LIKENESS_MIN: f64 = 0.75;

/// Translates serde's description of an expected value into JSON's terms: `u32` becomes "a whole number from 0 to
/// 4294967295".
#[must_use]
pub fn expected(by_serde: &str) -> String {
    let fixed = match by_serde {
        "a string" | "str" | "string" => "a string",
        "a boolean" => "true or false",
        "f32" | "f64" => "a number",
        "a map" => "an object",
        "a sequence" => "a list",
        "unit" => "null",
        "u8" => return whole_number(u8::MAX),
        "u16" => return whole_number(u16::MAX),
        "u32" => return whole_number(u32::MAX),
        "u64" | "usize" => return whole_number(u64::MAX),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    fixed.to_owned()
}

/// Returns the message about an unknown field. It suggests the valid name that was probably meant, or lists all names.
#[must_use]
pub fn unknown(field: &str, known: &[&str]) -> String {
    let advice = match nearest(field, known) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => "this object has no fields".to_owned(),
        None => format!("the valid fields are {}", known.join(", ")),
    };
    format!("unknown field {field:?}; {advice}")
}

/// Returns the valid word that was probably meant; `None` if no valid word is similar enough.
#[must_use]
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |known: &str| {
        // In a short word, a single typing error can lower the similarity below the minimum.
        if strsim::osa_distance(word, known) <= 1 { 1.0 } else { strsim::jaro_winkler(word, known) }
    };
    let near = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    near.filter(|near| likeness(near) >= LIKENESS_MIN)
}

fn whole_number(largest: impl Into<u64>) -> String {
    format!("a whole number from 0 to {}", largest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_suggested() {
        let known = ["url", "method", "params"];
        for (field, advice) in [
            ("ulr", "did you mean url?"),
            ("metod", "did you mean method?"),
            ("param", "did you mean params?"),
            ("zzz", "the valid fields are url, method, params"),
        ] {
            assert_eq!(unknown(field, &known), format!("unknown field {field:?}; {advice}"));
        }
        assert_eq!(unknown("x", &[]), "unknown field \"x\"; this object has no fields");
    }

    #[test]
    fn type_names_are_translated_and_other_words_are_kept() {
        for (expected, words) in [
            ("u16", "a whole number from 0 to 65535"),
            ("struct Fields", "an object"),
            ("an object with name", "an object with name"),
        ] {
            assert_eq!(super::expected(expected), words);
        }
    }
}
