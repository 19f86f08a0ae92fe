//! Prints responses: as tables for people, or as JSON for scripts. A table in a pipe or a file has every value in full.
//! On a terminal the columns before the last may be cut to the terminal's width; the last is wrapped, never cut.

use std::io::Write;

use anstyle::Style;
use serde_json::Value;
use terminal_size::{Width, terminal_size_of};

use super::out::{self, stdout};
use crate::config;
use crate::dialect::unseen;

const HEAD: Style = Style::new().bold();
/// The spaces between two columns.
const GAP: &str = "  ";
/// The minimum width of the last column, unless all of its cells are shorter. If less room is left, its cells get lines
/// of their own.
const LAST_CHARS_MIN: usize = 32;
/// Columns up to this width are never cut, such as those of times, kinds of events and numbers.
const WHOLE_CHARS_MAX: usize = 17;
/// The width to which a longer column may be cut. Eight characters of a SID tell the faxes of a list apart, and
/// `faxes` and `open` accept them.
const CUT_CHARS_MIN: usize = 9;
/// The indentation of lines that belong to the row above.
const INDENT: &str = "    ";

/// Prints a JSON value, indented, for scripts.
pub(super) fn json(value: &Value) -> anyhow::Result<()> {
    Ok(writeln!(stdout(), "{value:#}")?)
}

/// Prints a table with a heading row. Each column is as wide as its widest cell, unless the terminal is too narrow.
pub(super) fn rows<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> anyhow::Result<()> {
    let noted = rows.iter().map(|row| (row.clone(), Vec::new()));
    with_notes(head, &noted.collect::<Vec<_>>())
}

/// Prints a table whose rows may have notes, which are indented lines below the row.
pub(super) fn with_notes<const N: usize>(head: [&str; N], rows: &[([String; N], Vec<String>)]) -> anyhow::Result<()> {
    let cells: Vec<[String; N]> = rows.iter().map(|(row, _)| row.each_ref().map(|cell| clean(cell))).collect();
    let terminal = terminal_width();
    let layout = Layout::of(head, &cells, terminal);
    let mut out = stdout();
    writeln!(out, "{HEAD}{}{HEAD:#}", layout.heading(head))?;
    for (row, (_, notes)) in cells.iter().zip(rows) {
        layout.lines(row).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        for note in notes {
            below(&clean(note), terminal).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
    }
    Ok(())
}

/// Formats a JSON value as a cell: strings without quotes, null as an empty cell.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Returns the width of the terminal on standard output; `None` if it is not a terminal. `COLUMNS` takes precedence,
/// since a shell exports it only if the user asks for that.
pub(super) fn terminal_width() -> Option<usize> {
    if !out::is_terminal() {
        return None;
    }
    let set = config::variable("COLUMNS").and_then(|columns| columns.trim().parse().ok()).filter(|width| *width > 0);
    set.or_else(|| terminal_size_of(std::io::stdout()).map(|(Width(width), _)| width.into()))
}

/// Replaces the characters that would break a line, change the terminal or reverse the text: texts may come from an
/// app.
pub(super) fn clean(text: &str) -> String {
    let spaced: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    unseen::replaced(&spaced)
}

/// How a table is laid out.
struct Layout {
    /// The widths of the columns before the last.
    widths: Vec<usize>,
    /// The width of the last column; `None` if its cells get lines of their own.
    last: Option<usize>,
    terminal: Option<usize>,
}

impl Layout {
    /// Gives each column its natural width. If the terminal is too narrow, long columns before the last are cut.
    fn of<const N: usize>(head: [&str; N], rows: &[[String; N]], terminal: Option<usize>) -> Self {
        let natural = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([head[column].chars().count()]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..N).map(natural).collect();
        let natural_last = widths.pop().unwrap_or(0);
        let Some(width) = terminal else { return Self { widths, last: Some(natural_last), terminal } };
        let wanted = natural_last.min(LAST_CHARS_MIN);
        // The first column identifies the row, so it is cut only if there is no other way.
        shrink(&mut widths, 1, width.saturating_sub(wanted));
        let room = width.saturating_sub(taken(&widths));
        if room >= wanted {
            return Self { widths, last: Some(room), terminal };
        }
        let mut widths: Vec<usize> = (0..N - 1).map(natural).collect();
        // Nothing follows the last of these columns, so the gap after it may lie beyond the terminal's edge.
        shrink(&mut widths, 1, width + GAP.len());
        shrink(&mut widths, 0, width + GAP.len());
        Self { widths, last: None, terminal }
    }

    /// Formats the heading row. The last heading is left out if its cells get lines of their own and it doesn't fit.
    fn heading<const N: usize>(&self, head: [&str; N]) -> String {
        let begun = self.begin(&head.map(ToOwned::to_owned));
        let last = head.last().copied().unwrap_or_default();
        let fits = self.last.is_some() || self.terminal.is_none_or(|width| begun.len() + last.len() <= width);
        format!("{begun}{}", if fits { last } else { "" }).trim_end().to_owned()
    }

    /// Formats the cells before the last, each cut to its column.
    fn begin<const N: usize>(&self, row: &[String; N]) -> String {
        row.iter().zip(&self.widths).map(|(cell, width)| format!("{:<width$}{GAP}", cut(cell, *width))).collect()
    }

    /// Formats a row, whose last cell may take several lines.
    fn lines<const N: usize>(&self, row: &[String; N]) -> Vec<String> {
        let begun = self.begin(row);
        let last = row.last().map(String::as_str).unwrap_or_default();
        let Some(width) = self.last else {
            let rest = if last.is_empty() { Vec::new() } else { below(last, self.terminal) };
            return std::iter::once(begun.trim_end().to_owned()).chain(rest).collect();
        };
        let indent = " ".repeat(begun.chars().count());
        let begins = std::iter::once(begun.as_str()).chain(std::iter::repeat(indent.as_str()));
        let parts = wrapped(last, width);
        parts.iter().zip(begins).map(|(part, begin)| format!("{begin}{part}").trim_end().to_owned()).collect()
    }
}

/// Returns the total width of these columns, each with the gap that follows it.
fn taken(widths: &[usize]) -> usize {
    widths.iter().map(|width| width + GAP.len()).sum()
}

/// Cuts long columns, from the one at `first` on, until all fit in the available width or none can be cut further.
fn shrink(widths: &mut [usize], first: usize, room: usize) {
    let may_be_cut: Vec<bool> = widths.iter().map(|width| *width > WHOLE_CHARS_MAX).collect();
    while taken(widths) > room {
        let long = widths.iter_mut().zip(&may_be_cut).skip(first);
        // The longest column is cut first.
        let longest = long.filter(|(width, may)| **may && **width > CUT_CHARS_MIN).max_by_key(|(width, _)| **width);
        let Some((longest, _)) = longest else { break };
        *longest -= 1;
    }
}

/// Formats a text that belongs to the row above.
fn below(text: &str, terminal: Option<usize>) -> Vec<String> {
    let width = terminal.map_or(usize::MAX, |width| width.saturating_sub(INDENT.len()));
    wrapped(text, width).iter().map(|line| format!("{INDENT}{line}")).collect()
}

/// Cuts a text to a number of characters, the last of which is then an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Breaks a text at spaces into lines of at most this many characters. A longer word is not broken, so that URLs can be
/// copied.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    if text.chars().count() <= width {
        return vec![text.to_owned()];
    }
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "FXe58349d3a77d49da77d04c46810570e6";
    const ERROR: &str = "+15005550006 has no VoiceUrl to ask what to do with a fax: set one with --fax-url";

    fn printed(row: [&str; 3], terminal: Option<usize>) -> Vec<String> {
        let row = row.map(ToOwned::to_owned);
        Layout::of(["ONE", "TWO", "WHAT"], std::slice::from_ref(&row), terminal).lines(&row)
    }

    #[test]
    fn a_pipe_gets_every_value_in_full_and_on_one_line() {
        assert_eq!(printed(["7", SID, ERROR], None), [format!("7    {SID}  {ERROR}")]);
    }

    #[test]
    fn a_terminal_gets_the_last_column_wrapped_and_others_cut_only_if_needed() {
        assert_eq!(printed(["7", SID, ERROR], Some(200)), printed(["7", SID, ERROR], None), "it fits");
        let medium = printed(["7", SID, ERROR], Some(80));
        assert!(medium.len() > 1 && medium[0].starts_with(&format!("7    {SID}  +15005550006")), "{medium:?}");
        let narrow = printed(["7", SID, ERROR], Some(60));
        assert!(narrow[0].starts_with("7    FXe58349d3a77d49da77…  +15005550006"), "{narrow:?}");
        let tiny = printed(["7", SID, ERROR], Some(30));
        assert!(tiny[0] == "7    FXe58349d3a77d49da77d04c…" && tiny[1].starts_with("    +1500"), "{tiny:?}");
        let key = printed([SID, SID, ERROR], Some(60));
        assert!(key[0].starts_with(&format!("{SID}  FXe58349d")) && key[1].starts_with("    +1500"), "{key:?}");
        for lines in [medium, narrow, tiny, key] {
            let words = lines.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ");
            assert!(words.ends_with(ERROR), "nothing of the last column is lost: {words}");
        }
    }

    #[test]
    fn a_row_fits_the_terminal_unless_a_word_is_longer() {
        for width in [40, 60, 80, 100] {
            for line in printed([SID, SID, ERROR], Some(width)) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
        assert_eq!(wrapped("at http://localhost:3000/a/long/path now", 10).len(), 3);
    }

    #[test]
    fn an_apps_text_can_not_control_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\td"), "a [2Jb c d");
        assert_eq!(clean("gpj\u{202e}.exe"), "gpj\u{fffd}.exe", "it isn't read backwards");
    }
}
