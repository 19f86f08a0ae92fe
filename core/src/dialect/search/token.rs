//! Splits a search into terms at spaces, except between quotation marks, and finds the words that form one number.

use super::number;

/// One term of a search, before its value has been parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Whether a `-` precedes the term.
    pub(super) is_negated: bool,
    /// The text before the first colon, if there is any; `None` if a quotation mark precedes the colon.
    pub(super) key: Option<String>,
    /// The rest of the term, without quotation marks.
    pub(super) value: String,
    /// Whether any part of the term was between quotation marks.
    pub(super) is_quoted: bool,
}

/// The keys whose value may be a number written with spaces.
const NUMBER_KEYS: [&str; 4] = ["from", "to", "number", "text"];

impl Token {
    /// Returns whether the term may be the first word of a number written with spaces.
    fn may_begin_number(&self) -> bool {
        let is_for_numbers = |key: &String| NUMBER_KEYS.contains(&key.to_lowercase().as_str());
        !self.is_quoted && self.key.as_ref().is_none_or(is_for_numbers) && number::is_written(&self.value)
    }

    /// Returns whether the term may be a later word of such a number.
    fn may_continue_number(&self) -> bool {
        !self.is_negated && self.key.is_none() && !self.is_quoted && number::is_written(&self.value)
    }
}

/// Returns the words of a term: its value and, if it may begin a number, the following words that may continue it. For
/// a term with a key or a `-`, words follow only if all of them form one complete number.
pub(super) fn number_words(token: &Token, after: &[Token]) -> Vec<String> {
    let mut words = vec![token.value.clone()];
    if !token.may_begin_number() {
        return words;
    }
    for next in after.iter().take_while(|next| next.may_continue_number()) {
        if !number::may_go_on(&words, &next.value) {
            break;
        }
        words.push(next.value.clone());
    }
    // A key or a `-` applies to the following words only if they complete a number; otherwise they are separate terms.
    if (token.key.is_some() || token.is_negated) && !number::is_one(&words) {
        words.truncate(1);
    }
    words
}

/// Splits a search into its terms.
///
/// # Errors
/// Returns a message if a quotation mark is missing.
pub(super) fn split(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (token, after) = first(rest)?;
        // An empty pair of quotation marks is ignored.
        if token.key.is_some() || !token.value.is_empty() {
            tokens.push(token);
        }
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// Reads the first term of a text that doesn't begin with a space. Returns the term and the rest of the text.
fn first(text: &str) -> Result<(Token, &str), String> {
    let mut token = Token { is_negated: false, key: None, value: String::new(), is_quoted: false };
    let body = match text.strip_prefix('-') {
        // A hyphen on its own is a word, not a negation.
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
            space if space.is_whitespace() && !is_inside => return Ok((token, &body[at..])),
            other => token.value.push(other),
        }
    }
    if is_inside {
        return Err("a quotation mark is not closed; quotation marks come in pairs, as in \"no answer\"".to_owned());
    }
    Ok((token, ""))
}
