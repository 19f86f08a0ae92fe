//! Splits content streams into tokens, each with its range of bytes.

use std::ops::Range;

/// The kind of a token, with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    Name(Vec<u8>),
    Text(Vec<u8>),
    /// The beginning or end of an array or a dictionary, or a delimiter that belongs to no other token.
    Bracket,
    /// An operator; its name is the bytes at the token's place.
    Operator,
    /// The data of an inline image, from `ID` to `EI`.
    Data,
    /// A string, or the data of an inline image, that is cut off by the end of the stream.
    Open,
}

/// A token and its range of bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: Range<usize>,
}

/// Iterates over the tokens of a content stream.
pub(super) struct Lexer<'c> {
    bytes: &'c [u8],
    at: usize,
}

/// Returns whether a byte is white space (ISO 32000-1, table 1).
const fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

/// Returns whether a byte is a delimiter, which ends a word even without white space (ISO 32000-1, table 2).
const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

impl<'c> Lexer<'c> {
    pub(super) const fn new(bytes: &'c [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips white space and comments.
    fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                self.skip_while(|byte| byte != b'\n' && byte != b'\r');
            } else if is_space(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// Reads a word, which ends before white space or a delimiter.
    fn regular(&mut self) -> &'c [u8] {
        let start = self.at;
        self.skip_while(|byte| !is_space(byte) && !is_delimiter(byte));
        &self.bytes[start..self.at]
    }

    /// Reads a name, in which `#` and two hexadecimal digits stand for a byte (ISO 32000-1, 7.3.5).
    fn name(&mut self) -> Kind {
        self.at += 1;
        let raw = self.regular();
        let mut name = Vec::with_capacity(raw.len());
        let mut at = 0;
        while let Some(byte) = raw.get(at) {
            let escaped = raw.get(at + 1..at + 3).filter(|_| *byte == b'#').and_then(hex);
            name.push(escaped.unwrap_or(*byte));
            at += if escaped.is_some() { 3 } else { 1 };
        }
        Kind::Name(name)
    }

    /// Reads a string in parentheses (ISO 32000-1, 7.3.4.2).
    fn text(&mut self) -> Kind {
        let mut text = Vec::new();
        let mut depth = 1;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' => self.escape(&mut text),
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Kind::Text(text);
            }
            if byte != b'\\' {
                text.push(byte);
            }
        }
        Kind::Open
    }

    /// Reads the rest of an escape sequence, after its backslash.
    fn escape(&mut self, text: &mut Vec<u8>) {
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            // A backslash at the end of a line continues the string; CR LF counts as one end of line.
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.at += 1;
                }
            }
            b'\n' => {}
            b'0'..=b'7' => {
                let mut code = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    code = code * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                // Overflow is ignored (ISO 32000-1, 7.3.4.2).
                text.push(code as u8);
            }
            other => text.push(other),
        }
    }

    /// Reads a string in hexadecimal digits (ISO 32000-1, 7.3.4.3).
    fn hexadecimal(&mut self) -> Kind {
        self.at += 1;
        let mut digits = Vec::new();
        while let Some(byte) = self.peek() {
            self.at += 1;
            if byte == b'>' {
                // A missing last digit counts as 0.
                if digits.len() % 2 == 1 {
                    digits.push(b'0');
                }
                return Kind::Text(digits.chunks(2).filter_map(hex).collect());
            }
            if byte.is_ascii_hexdigit() {
                digits.push(byte);
            }
        }
        Kind::Open
    }

    /// Reads the data of an inline image, after `ID`. Because the data itself may contain `EI`, it ends only at an `EI`
    /// that is a separate word and is followed by text or by the end of the stream.
    fn data(&mut self) -> Kind {
        let data = &self.bytes[self.at..];
        let ends = |at: usize| {
            let before = at.checked_sub(1).and_then(|before| data.get(before)).is_none_or(|byte| is_space(*byte));
            let after = &data[at + 2..];
            let closed = after.first().is_none_or(|byte| is_space(*byte) || is_delimiter(*byte));
            let looks_like_text = after.iter().take(10).all(|byte| matches!(byte, 9 | 10 | 13 | 32..=126));
            before && closed && looks_like_text
        };
        let end = data.windows(2).enumerate().find(|(at, pair)| *pair == b"EI" && ends(*at));
        match end {
            Some((at, _)) => {
                self.at += at + 2;
                Kind::Data
            }
            None => {
                self.at = self.bytes.len();
                Kind::Open
            }
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_space();
        let start = self.at;
        let kind = match self.peek()? {
            b'/' => self.name(),
            b'(' => self.text(),
            b'<' if self.bytes.get(start + 1) != Some(&b'<') => self.hexadecimal(),
            b'<' | b'>' => {
                let double = self.bytes.get(start) == self.bytes.get(start + 1);
                self.at += if double { 2 } else { 1 };
                Kind::Bracket
            }
            b'[' | b']' | b'{' | b'}' | b')' => {
                self.at += 1;
                Kind::Bracket
            }
            _ => {
                let word = self.regular();
                match number(word) {
                    Some(number) => Kind::Number(number),
                    None if word == b"ID" => self.data(),
                    None => Kind::Operator,
                }
            }
        };
        Some(Token { kind, place: start..self.at })
    }
}

/// Returns the byte that two hexadecimal digits stand for.
fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    match digits {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    }
}

/// Parses a number, tolerating common mistakes; `None` if the word can't be read as a number.
fn number(word: &[u8]) -> Option<f64> {
    let first = *word.first()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    let text = std::str::from_utf8(word).ok()?;
    // Some programs write a second minus sign within a number; the value ends before that sign.
    let (sign, digits) = if let Some(rest) = text.strip_prefix('-') {
        (-1.0, rest.trim_start_matches('-'))
    } else {
        (1.0, text.trim_start_matches('+'))
    };
    let end = digits.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(digits.len());
    let known = digits.get(..end)?;
    // A sign or a point without digits counts as 0.
    if known.is_empty() || known == "." {
        return (end == digits.len()).then_some(0.0);
    }
    known.parse::<f64>().ok().map(|value| sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_distinguished() {
        let content = b"/A#20b 12 -.5 +3 (a\\(b\\051\\n(c)) <414> [1] % no\n0 g BI /W 1 ID \x01EI EI\nQ (open";
        let kinds: Vec<Kind> = Lexer::new(content).map(|token| token.kind).collect();
        let name = |word: &[u8]| Kind::Name(word.to_vec());
        assert_eq!(
            kinds,
            [
                name(b"A b"),
                Kind::Number(12.0),
                Kind::Number(-0.5),
                Kind::Number(3.0),
                Kind::Text(b"a(b)\n(c)".to_vec()),
                Kind::Text(b"A@".to_vec()),
                Kind::Bracket,
                Kind::Number(1.0),
                Kind::Bracket,
                Kind::Number(0.0),
                Kind::Operator,
                Kind::Operator,
                name(b"W"),
                Kind::Number(1.0),
                Kind::Data,
                Kind::Operator,
                Kind::Open,
            ]
        );
    }
}
