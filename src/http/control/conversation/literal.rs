//! Puts text from apps into Markdown in such a way that it stays text. It becomes a code span or code block whose
//! delimiter is longer than any run of backticks in the text, so markup, HTML and mentions of users have no effect.
//! Within HTML, it becomes a code element with escaped text.

use std::fmt::Write;

/// Returns the first `chars_max` characters of the text as a code span on one line.
pub(super) fn span(text: &str, chars_max: usize) -> String {
    let text = one_line(text, chars_max);
    // An empty code span would be two backticks, which are not a span.
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // Backticks at either end would join the delimiter, and the renderer removes one space at each end.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Returns the first `bytes_max` bytes of the text as a fenced block of code. If the text is longer, the last line says
/// so.
pub(super) fn block(text: &str, language: &str, bytes_max: usize) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let end = lines.floor_char_boundary(bytes_max);
    let (kept, rest) = lines.split_at(end);
    let kept = visible(kept, true);
    let fence = "`".repeat(longest_run(&kept).max(2) + 1);
    let cut = if rest.is_empty() { String::new() } else { format!("\n… {} more bytes", rest.len()) };
    format!("{fence}{language}\n{}{cut}\n{fence}\n", kept.trim_end_matches('\n'))
}

/// Returns the text as HTML, on one line and as code, for places where Markdown is not interpreted.
pub(super) fn html(text: &str, chars_max: usize) -> String {
    let text = one_line(text, chars_max).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<code>{text}</code>")
}

fn one_line(text: &str, chars_max: usize) -> String {
    let mut kept: String = text.chars().take(chars_max).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    visible(&kept, false)
}

/// Replaces the characters that a reader can't see: control characters, zero-width characters, line and paragraph
/// separators, and those that change the direction of text.
fn visible(text: &str, has_lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' if has_lines => shown.push(c),
            '\n' | '\r' | '\t' => shown.push(' '),
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                // Writing to a string never fails.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            _ if c.is_control() => {
                let _ = write!(shown, "\\x{:02x}", u32::from(c));
            }
            _ => shown.push(c),
        }
    }
    shown
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_delimited_by_more_backticks_than_it_contains() {
        assert_eq!(span("plain", 99), "`plain`");
        assert_eq!(span("a`b``c", 99), "```a`b``c```");
        assert_eq!(span("`x`", 99), "`` `x` ``");
        assert_eq!(span(" \n", 99), "(empty)");
        assert_eq!(span("<b>@all</b> | [x](y)", 99), "`<b>@all</b> | [x](y)`");
    }

    #[test]
    fn a_span_is_one_short_line() {
        assert_eq!(span("a\r\nb\tc", 99), "`a  b c`");
        assert_eq!(span("abcdef", 3), "`abc…`");
        assert_eq!(span("a\0b\u{202e}c\u{fffd}", 99), "`a\\x00b\\u{202e}c\u{fffd}`");
    }

    #[test]
    fn a_block_cannot_be_closed_by_its_text() {
        let hostile = "```\n</details>\n````\nend";
        assert_eq!(block(hostile, "text", 999), "`````text\n```\n</details>\n````\nend\n`````\n");
        assert_eq!(block("a\rb\r\nc\n\n", "", 999), "```\na\nb\nc\n```\n");
        assert_eq!(block("", "", 999), "```\n\n```\n");
    }

    #[test]
    fn a_long_block_says_how_much_is_left_out() {
        assert_eq!(block("Zoë and more", "", 3), "```\nZo\n… 11 more bytes\n```\n");
    }

    #[test]
    fn html_has_no_tags_of_its_own() {
        assert_eq!(html("</summary><img src=x>&\n", 99), "<code>&lt;/summary&gt;&lt;img src=x&gt;&amp; </code>");
    }
}
