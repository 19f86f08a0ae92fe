//! Makes the console's script and styles smaller without changing what they do: removes comments, and white space that
//! separates nothing. Names aren't shortened.
//!
//! It understands only the JavaScript that the console uses. For example, it takes every slash after `)`, `]` or `}`
//! for a division.

/// Characters next to which white space isn't needed, except between two pluses or two minuses, as in `a + +b`.
const CLOSED_MARKS: &str = "{}()[];,:?=&|<>*+-";
/// Characters after which a line break can't end a statement.
const OPEN_MARKS: &str = "{([;,:?=&|<>*";
/// Characters before which a line break isn't needed: if a statement ends there, the character itself ends it.
const CLOSING_MARKS: &str = "})]";
/// Words after which a slash begins a regular expression.
const WORDS_BEFORE_REGEX: [&str; 4] = ["return", "case", "of", "typeof"];

/// A part of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// White space and comments.
    Gap(&'a str),
    /// A name, keyword or number.
    Word(&'a str),
    /// A string, a regular expression, or a part of a template between code.
    Literal(&'a str),
    /// Any other character, such as one that belongs to an operator.
    Mark(char),
}

/// Removes comments and needless white space from a script.
pub(super) fn script(text: &str) -> String {
    let mut lean = String::with_capacity(text.len());
    let mut before = None;
    let mut gap = None;
    for token in Tokens::of(text) {
        if let Token::Gap(white) = token {
            gap = Some(white);
            continue;
        }
        lean.extend(gap.take().and_then(|gap| separator(before, gap, token)));
        match token {
            Token::Mark(mark) => lean.push(mark),
            Token::Word(text) | Token::Literal(text) | Token::Gap(text) => lean.push_str(text),
        }
        before = Some(token);
    }
    lean.push('\n');
    lean
}

/// Returns the character that must replace the white space between two tokens; `None` if they need no separator.
fn separator(before: Option<Token<'_>>, gap: &str, after: Token<'_>) -> Option<char> {
    let before = before?;
    let is_one_of = |token, marks: &str| matches!(token, Token::Mark(mark) if marks.contains(mark));
    if gap.contains('\n') {
        return (!is_one_of(before, OPEN_MARKS) && !is_one_of(after, CLOSING_MARKS)).then_some('\n');
    }
    let are_signs = before == after && is_one_of(after, "+-");
    (are_signs || !is_one_of(before, CLOSED_MARKS) && !is_one_of(after, CLOSED_MARKS)).then_some(' ')
}

/// The tokens of a script.
struct Tokens<'a> {
    rest: &'a str,
    /// The last token that isn't a gap.
    before: Option<Token<'a>>,
    /// For each template literal that encloses this place, the number of open braces within its current `${…}`.
    templates: Vec<usize>,
}

impl<'a> Tokens<'a> {
    fn of(text: &'a str) -> Self {
        Self { rest: text, before: None, templates: Vec::new() }
    }

    /// Returns the number of bytes of the white space and comments that come next.
    fn gap(&self) -> usize {
        let mut rest = self.rest;
        loop {
            rest = rest.trim_start();
            if rest.starts_with("//") {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            } else if rest.starts_with("/*") {
                rest = &rest[rest.find("*/").map_or(rest.len(), |end| end + 2)..];
            } else {
                return self.rest.len() - rest.len();
            }
        }
    }

    /// Returns whether a slash here begins a regular expression; otherwise it divides.
    fn takes_regex(&self) -> bool {
        match self.before {
            None => true,
            Some(Token::Mark(mark)) => !")]}".contains(mark),
            Some(Token::Word(word)) => WORDS_BEFORE_REGEX.contains(&word),
            Some(Token::Literal(text)) => text.ends_with("${"),
            Some(Token::Gap(_)) => false,
        }
    }

    /// Returns the end of the part of a template literal that begins here, with a backtick or with the brace that
    /// closes `${`. Also records whether the literal goes on with code or ends there.
    fn template(&mut self) -> usize {
        let is_new = self.rest.starts_with('`');
        let end =
            end_of(self.rest, |rest| if rest.starts_with('`') { Some(1) } else { rest.starts_with("${").then_some(2) });
        match (is_new, self.rest[..end].ends_with("${")) {
            (true, true) => self.templates.push(0),
            (false, false) => {
                self.templates.pop();
            }
            (true, false) | (false, true) => {}
        }
        end
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let first = self.rest.chars().next()?;
        let gap = self.gap();
        let is_word = |character: char| character.is_alphanumeric() || "_$#".contains(character);
        let (end, kind): (usize, fn(&'a str) -> Token<'a>) = match first {
            _ if gap > 0 => (gap, Token::Gap),
            '"' | '\'' => (end_of(self.rest, |rest| rest.starts_with(first).then_some(1)), Token::Literal),
            '`' => (self.template(), Token::Literal),
            '}' if self.templates.last() == Some(&0) => (self.template(), Token::Literal),
            '/' if self.takes_regex() => (end_of_regex(self.rest), Token::Literal),
            _ if is_word(first) => (self.rest.find(|each| !is_word(each)).unwrap_or(self.rest.len()), Token::Word),
            _ => (first.len_utf8(), |text| Token::Mark(text.chars().next().unwrap_or_default())),
        };
        let (own, rest) = self.rest.split_at(end);
        let token = kind(own);
        self.rest = rest;
        if let (Some(open), Token::Mark(mark)) = (self.templates.last_mut(), token) {
            *open = match mark {
                '{' => *open + 1,
                '}' => open.saturating_sub(1),
                _ => *open,
            };
        }
        if !matches!(token, Token::Gap(_)) {
            self.before = Some(token);
        }
        Some(token)
    }
}

/// Returns the end of a literal: finds the first place after its first character for which `closes` returns a length,
/// and adds that length. A character after a backslash never ends the literal.
fn end_of(text: &str, closes: impl Fn(&str) -> Option<usize>) -> usize {
    let mut is_escaped = false;
    for (place, character) in text.char_indices().skip(1) {
        if is_escaped {
            is_escaped = false;
        } else if let Some(length) = closes(&text[place..]) {
            return place + length;
        } else {
            is_escaped = character == '\\';
        }
    }
    text.len()
}

/// Returns the end of a regular expression without its flags. A slash within brackets doesn't end it.
fn end_of_regex(text: &str) -> usize {
    let is_within = std::cell::Cell::new(false);
    end_of(text, |rest| {
        match rest.as_bytes().first() {
            Some(b'[') => is_within.set(true),
            Some(b']') => is_within.set(false),
            _ => {}
        }
        (rest.starts_with('/') && !is_within.get()).then_some(1)
    })
}

/// Removes comments and needless white space from styles.
pub(super) fn styles(text: &str) -> String {
    let mut lean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' => end_of(rest, |rest| rest.starts_with(first).then_some(1)),
            _ if rest.starts_with("/*") => {
                rest = &rest[rest.find("*/").map_or(rest.len(), |end| end + 2)..];
                continue;
            }
            _ if first.is_whitespace() => {
                rest = rest.trim_start();
                // A space before a colon is part of a selector; one after it never is.
                let may_separate = !lean.is_empty() && !lean.ends_with(['{', '}', ';', ',', ':', ' ']);
                let is_needed = may_separate && !rest.starts_with(['{', '}', ';', ',']);
                lean.push_str(if is_needed { " " } else { "" });
                continue;
            }
            '}' => {
                lean.truncate(lean.trim_end_matches([';', ' ']).len());
                1
            }
            _ => first.len_utf8(),
        };
        lean.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    lean.push('\n');
    lean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        Tokens::of(text).filter(|token| !matches!(token, Token::Gap(_))).collect()
    }

    #[test]
    fn comments_and_needless_spaces_are_removed_from_a_script() {
        let text =
            "/** Adds.\n * Twice. */\nconst add = (a, b) => {\n  // Why.\n  return a + b; // kept\n};\nadd( 1, - 2 )\n";
        assert_eq!(script(text), "const add=(a,b)=>{return a+b;};add(1,-2)\n");
    }

    #[test]
    fn line_breaks_that_may_end_a_statement_stay() {
        assert_eq!(script("a = b\n(c)\nclass A {\n  x() {\n  }\n  y() {}\n}\n"), "a=b\n(c)\nclass A{x(){}\ny(){}}\n");
    }

    #[test]
    fn strings_templates_and_regular_expressions_stay_as_they_are() {
        for text in [
            r#"["a  , b", 'it\'s  //', "\\"]"#,
            "`a  ${b}  // ${`c  ${ {} }  `} `",
            "x.replace(/\"  [/`]  \\//g, y)",
            "`${text.replace(/[`\"]/g, \"  `  \")}  `",
        ] {
            let literals = |text| {
                let tokens = Tokens::of(text);
                tokens
                    .filter(|token| matches!(token, Token::Literal(_)))
                    .map(|token| format!("{token:?}"))
                    .collect::<Vec<_>>()
            };
            let lean = script(text);
            assert!(!literals(text).is_empty() && literals(text) == literals(&lean), "{text}: {lean}");
        }
        assert_eq!(script("a / b / (c)"), "a / b /(c)\n");
        assert_eq!(script("a + +b - -c + -d > e\n-f"), "a+ +b- -c+-d>e\n-f\n");
        assert_eq!(tokens("/[/]  \"/.test(a)")[0], Token::Literal("/[/]  \"/"));
    }

    #[test]
    fn the_consoles_scripts_keep_all_their_tokens() {
        for (path, text) in super::super::files::scripts() {
            let lean = script(text);
            assert_eq!(tokens(text), tokens(&lean), "{path}");
            assert!(lean.len() < text.len(), "{path}");
        }
    }

    #[test]
    fn each_slash_in_the_console_is_a_division_between_spaces_or_part_of_a_regular_expression() {
        for (path, text) in super::super::files::scripts() {
            let all: Vec<Token<'_>> = Tokens::of(text).collect();
            for around in all.windows(3).filter(|around| around[1] == Token::Mark('/')) {
                assert!(matches!(around, [Token::Gap(" "), _, Token::Gap(" ")]), "{path}: {around:?}");
            }
            for token in all {
                let Token::Literal(literal) = token else { continue };
                let is_regex = literal.starts_with('/');
                assert!(!is_regex || (literal.ends_with('/') && !literal.starts_with("/ ")), "{path}: {literal}");
            }
        }
    }

    #[test]
    fn no_literal_of_the_console_has_several_lines_because_modules_are_joined_line_by_line() {
        for (path, text) in super::super::files::scripts() {
            for token in tokens(text) {
                assert!(!matches!(token, Token::Literal(literal) if literal.contains('\n')), "{path}: {token:?}");
            }
        }
    }

    #[test]
    fn comments_and_needless_spaces_are_removed_from_styles() {
        let text = "/* Colours,\n twice. */\na > b, c :hover {\n  color: red;\n  font: 1px \"A  , B\";\n}\n@media (a: 1px) and (b) {\n  i { margin: calc(1px + 2px); }\n}\n";
        assert_eq!(
            styles(text),
            "a > b,c :hover{color:red;font:1px \"A  , B\"}@media (a:1px) and (b){i{margin:calc(1px + 2px)}}\n"
        );
    }
}
