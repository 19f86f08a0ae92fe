//! Prints the results of scenarios for people.

use std::io::Write;

use anstyle::{AnsiColor, Style};

use crate::check::Verdict;
use crate::cli::check::print::shown;
use crate::cli::timeline::{Pages, Timeline};
use crate::dialect::unseen;
use crate::scenario::{Report, StepResult, Summary, total};

const HEADING: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const FAINT: Style = Style::new().dimmed();
/// The indentation of what belongs to a step.
const INDENT: &str = "              ";

/// Prints the results of several scenarios, and a summary.
pub(super) fn reports(reports: &[Report], out: &mut impl Write) -> anyhow::Result<()> {
    for report in reports {
        let (file, title) = (unseen::replaced(&report.file), unseen::replaced(&report.title));
        writeln!(out, "{HEADING}{title}{HEADING:#} · {file}\n")?;
        // Several steps may fail about one fax. Its conversation is shown again only if it has more events by then.
        let mut shown: Vec<(&str, usize)> = Vec::new();
        for result in &report.steps {
            let conversation = (result.fax.as_deref().unwrap_or_default(), result.events.len());
            let is_known = shown.contains(&conversation);
            step(result, is_known, out)?;
            shown.push(conversation);
        }
        writeln!(out)?;
    }
    let Summary { pass, fail, not_judged } = total(reports);
    let style = if fail > 0 { BAD } else { GOOD };
    let of = if reports.len() > 1 { format!(" in {} scenarios", reports.len()) } else { String::new() };
    let seconds: f64 = reports.iter().map(|report| report.duration.as_secs_f64()).sum();
    let counts = format!("{pass} passed, {fail} failed, {not_judged} not judged");
    Ok(writeln!(out, "{style}{counts}{style:#}{of} · {seconds:.1} s")?)
}

fn step(result: &StepResult, is_known: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let (style, word) = match result.verdict {
        Verdict::Pass => (GOOD, "pass"),
        Verdict::Fail => (BAD, "FAIL"),
        Verdict::Warn | Verdict::NotJudged => (FAINT, "not judged"),
    };
    writeln!(out, "  {style}{word:<10}{style:#}  {}", unseen::replaced(&result.name))?;
    if let Some(why) = &result.why {
        writeln!(out, "{INDENT}{FAINT}{why}{FAINT:#}")?;
    }
    details(result, is_known, out)
}

/// Prints what was expected and seen, the exchange in which it was seen, and the conversation unless that has been
/// printed before.
fn details(result: &StepResult, is_known: bool, out: &mut impl Write) -> anyhow::Result<()> {
    for mismatch in &result.mismatches {
        writeln!(out, "{INDENT}expected  {}\n{INDENT}seen      {}", mismatch.expected, mismatch.seen)?;
    }
    if let Some(exchange) = &result.exchange {
        shown(exchange, out)?;
    }
    if result.events.is_empty() || is_known {
        return Ok(());
    }
    let mut lines = Vec::new();
    let mut timeline = Timeline::new(&mut lines, Pages::Once);
    result.events.iter().try_for_each(|event| timeline.event(event))?;
    timeline.finish()?;
    let gap = if result.exchange.is_some() { "" } else { "\n" };
    writeln!(out, "{gap}{INDENT}{}", result.fax.as_deref().unwrap_or_default())?;
    for line in String::from_utf8_lossy(&lines).lines() {
        writeln!(out, "{INDENT}{line}")?;
    }
    Ok(writeln!(out)?)
}

/// Returns what is printed about a failed step, without colours and indentation.
pub(super) fn plain(result: &StepResult) -> String {
    let mut text = Vec::new();
    // Writing to memory never fails.
    let _ = details(result, false, &mut anstream::StripStream::new(&mut text));
    let text = String::from_utf8_lossy(&text);
    text.lines().map(|line| format!("{}\n", line.strip_prefix(INDENT).unwrap_or(line))).collect()
}
