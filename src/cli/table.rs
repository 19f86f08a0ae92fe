//! Prints responses: as tables for people, or as JSON for scripts.

use std::io::Write;

use anstyle::Style;
use serde_json::Value;

const HEAD: Style = Style::new().bold();
/// The maximum number of characters in a cell. Longer values are cut; `--json` prints them in full.
const CELL_CHARS_MAX: usize = 72;

/// Prints a JSON value, indented, for scripts.
pub(super) fn json(value: &Value) -> anyhow::Result<()> {
    Ok(writeln!(anstream::stdout(), "{value:#}")?)
}

/// Prints a table with a heading row. Each column is as wide as its widest cell.
pub(super) fn rows<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> anyhow::Result<()> {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| cut(cell))).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let mut out = anstream::stdout().lock();
    let line = |cells: [&str; N]| {
        let padded = cells.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    writeln!(out, "{HEAD}{}{HEAD:#}", line(head))?;
    for row in &rows {
        writeln!(out, "{}", line(row.each_ref().map(String::as_str)))?;
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

fn cut(text: &str) -> String {
    let text = text.replace(['\n', '\r', '\t'], " ");
    if text.chars().count() <= CELL_CHARS_MAX {
        return text;
    }
    // One character is left for the ellipsis.
    text.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect()
}
