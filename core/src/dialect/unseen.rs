//! Replaces the characters that must not reach a terminal or a log. With them, an app's text could change the terminal,
//! or make a line appear to say something else.

/// Returns whether a character is a control character, or an invisible one that changes how its neighbours are shown, such
/// as U+202E, which reverses the text after it.
fn is_unseen(character: char) -> bool {
    character.is_control() || is_format(character)
}

/// Replaces control characters and invisible ones, so that the text stays on one line and shows what it contains.
#[must_use]
pub fn replaced(text: &str) -> String {
    text.chars().map(|character| if is_unseen(character) { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

/// Returns whether a character is an invisible format character (Unicode's category Cf), or a separator of lines or
/// paragraphs. The visible format characters of a few scripts are not among them.
const fn is_format(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_hide_or_reverse_text_are_replaced_and_others_are_not() {
        assert_eq!(
            replaced("/fax\u{202e}fdp.exe\u{2066}\u{200b}\u{feff}\u{1b}[2J\n"),
            "/fax\u{fffd}fdp.exe\u{fffd}\u{fffd}\u{fffd}\u{fffd}[2J\u{fffd}"
        );
        for text in ["Zoë Ärztin", "株式会社", "שלום", "مرحبا", "a b – c", "🙂"] {
            assert_eq!(replaced(text), text);
        }
    }
}
