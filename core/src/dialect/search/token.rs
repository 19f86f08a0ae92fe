//! Splits a search into its terms: at blanks, except between quotation marks.

/// One term of a search, before its value has been parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Whether a `-` precedes the term.
    pub(super) is_negated: bool,
    /// The text before the first colon outside of quotation marks, if there is one.
    pub(super) key: Option<String>,
    /// The rest of the term, without quotation marks.
    pub(super) value: String,
    /// Whether any of the term was between quotation marks.
    pub(super) is_quoted: bool,
}

impl Token {
    /// Returns whether the word may be a part of a number that is written with blanks.
    pub(super) fn may_be_continued(&self) -> bool {
        !self.is_negated && self.key.is_none() && !self.is_quoted && super::number::is_written(&self.value)
    }
}

/// Splits a search into its terms.
///
/// # Errors
/// Returns the reason if a quotation mark is missing.
pub(super) fn split(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (token, after) = first(rest)?;
        // A pair of quotation marks with nothing between them asks for nothing.
        if token.key.is_some() || !token.value.is_empty() {
            tokens.push(token);
        }
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// Reads the first term of a text that doesn't begin with a blank, and returns the text after it.
fn first(text: &str) -> Result<(Token, &str), String> {
    let mut token = Token { is_negated: false, key: None, value: String::new(), is_quoted: false };
    let body = match text.strip_prefix('-') {
        // A lone hyphen is a word.
        Some(body) if body.starts_with(|c: char| !c.is_whitespace()) => {
            token.is_negated = true;
            body
        }
        Some(_) | None => text,
    };
    let mut is_inside = false;
    for (at, character) in body.char_indices() {
        match character {
            '"' => {
                is_inside = !is_inside;
                token.is_quoted = true;
            }
            ':' if !is_inside && !token.is_quoted && token.key.is_none() && !token.value.is_empty() => {
                token.key = Some(std::mem::take(&mut token.value));
            }
            blank if blank.is_whitespace() && !is_inside => return Ok((token, &body[at..])),
            other => token.value.push(other),
        }
    }
    if is_inside {
        return Err("a quotation mark is not closed; quotation marks come in pairs, as in \"no answer\"".to_owned());
    }
    Ok((token, ""))
}
