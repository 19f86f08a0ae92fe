//! Prints the checks of a document, and their results for people.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::told::{Cost, Told, wants_change};
use crate::cli::out::stdout;
use crate::cli::table;
use crate::dialect::unseen;
use crate::document::judge::{About, Check, Finding, Judged, Summary, Verdict, limits};

const HEADING: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();
/// The heading under which the checks are listed.
const GROUP: &str = "A document before it is faxed";
/// The indentation of what belongs to a result.
const INDENT: &str = "              ";
/// The maximum number of findings of a check that are printed for people, the worst first.
const FINDINGS_SHOWN_MAX: usize = 5;
/// The maximum number of ranges of pages that are listed beside a verdict.
const RANGES_MAX: usize = 8;

/// Prints the checks under a heading, unless there are none.
pub(in crate::cli) fn list(checks: &[Check], out: &mut impl Write) -> anyhow::Result<()> {
    if !checks.is_empty() {
        writeln!(out, "{HEADING}{GROUP}{HEADING:#}")?;
    }
    for check in checks {
        let About { title, .. } = check.about();
        writeln!(out, "  {:<12}{title}", check.as_str())?;
        writeln!(out, "              {FAINT}{}{FAINT:#}", limits(*check))?;
    }
    Ok(())
}

/// Prints everything about a check.
pub(in crate::cli) fn explanation(check: Check, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return table::json(&described(check));
    }
    let About { title, why, source, .. } = check.about();
    let mut out = stdout();
    write!(out, "{check} ({GROUP}): {title}.\n\nWhy:     {why}\nLimits:  {}\n", limits(check))?;
    if !source.is_empty() {
        writeln!(out, "Source:  {source}")?;
    }
    Ok(())
}

/// Returns everything about a check as JSON.
pub(in crate::cli) fn described(check: Check) -> serde_json::Value {
    let About { title, why, source, .. } = check.about();
    json!({ "id": check, "group": GROUP, "title": title, "why": why, "limits": limits(check), "source": source })
}

/// Prints the results, and a summary.
pub(super) fn report(told: &Told<'_>, out: &mut impl Write) -> anyhow::Result<()> {
    let report = told.report;
    let (file, pages) = (told.file.display().to_string(), counted(told.pages, "page"));
    writeln!(out, "{} · {pages} · {} quality", unseen::replaced(&file), report.quality)?;
    for result in &report.results {
        one(told, result, out)?;
    }
    if report.left_out > 0 {
        let left_out = counted(report.left_out, "more finding");
        writeln!(out, "{INDENT}{FAINT}not listed: {left_out}, beyond the limit per page or document{FAINT:#}")?;
    }
    let Summary { pass, fail, warn, not_judged } = report.summary();
    let style = if fail > 0 { BAD } else { GOOD };
    let counts = format!("{pass} passed, {fail} failed, {warn} with a warning, {not_judged} not judged");
    writeln!(out, "\n{style}{counts}{style:#}")?;
    if report.results.iter().any(|result| !result.not_judged.is_empty()) {
        writeln!(
            out,
            "{FAINT}Not judged: pages whose letters and lines are not known, such as scans and pictures.{FAINT:#}"
        )?;
    }
    told.costs.iter().try_for_each(|cost| takes(cost, cost.quality == report.quality, out))
}

/// Prints what the document takes at one quality.
fn takes(cost: &Cost, is_own: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let (style, pages) = (if is_own { HEADING } else { Style::new() }, cost.pages_ms.len().max(1));
    let (seconds, dollars) = (cost.seconds(), cost.dollars());
    write!(out, "{style}{:<10}{style:#}  {seconds:>5} s, ${dollars:.3}", cost.quality.as_str())?;
    let longest = (1..).zip(&cost.pages_ms).max_by_key(|(_, ms)| **ms);
    if let Some((page, ms)) = longest.filter(|_| pages > 1) {
        let mean = cost.pages_ms.iter().sum::<u64>() as f64 / pages as f64 / 1_000.0;
        let each = dollars / pages as f64;
        let most = *ms as f64 / 1_000.0;
        write!(out, "; a page takes {mean:.0} s and ${each:.4} on average, at most {most:.0} s (page {page})")?;
    }
    Ok(writeln!(out)?)
}

fn one(told: &Told<'_>, result: &Judged, out: &mut impl Write) -> anyhow::Result<()> {
    let (style, word) = match result.verdict {
        Verdict::Pass => (GOOD, "pass"),
        Verdict::Fail => (BAD, "FAIL"),
        Verdict::Warn => (DOUBTFUL, "warn"),
        Verdict::NotJudged => (FAINT, "not judged"),
    };
    let About { title, why, source, .. } = result.check.about();
    let concerned = match result.pages().as_slice() {
        [] => String::new(),
        pages => format!(": {}", ranges(pages)),
    };
    writeln!(out, "  {style}{word:<10}{style:#}  {:<12}{title}{concerned}", result.check.as_str())?;
    if result.verdict != Verdict::NotJudged && !result.not_judged.is_empty() {
        writeln!(out, "{INDENT}{FAINT}not judged on {}{FAINT:#}", ranges(&result.not_judged))?;
    }
    if result.findings.iter().any(wants_change) {
        writeln!(out, "{INDENT}why     {why}")?;
        if !source.is_empty() {
            writeln!(out, "{INDENT}source  {source}")?;
        }
    }
    let mut findings: Vec<(usize, &Finding)> = (1..).zip(&result.findings).collect();
    findings.sort_by_key(|(_, finding)| finding.severity);
    let (shown, rest) = findings.split_at(findings.len().min(FINDINGS_SHOWN_MAX));
    shown.iter().try_for_each(|(at, finding)| self::finding(told, *at, finding, out))?;
    if rest.is_empty() {
        return Ok(());
    }
    let mut pages: Vec<u32> = rest.iter().filter_map(|(_, finding)| finding.page).collect();
    pages.sort_unstable();
    pages.dedup();
    let on = if pages.is_empty() { String::new() } else { format!(" on {}", ranges(&pages)) };
    let more = counted(rest.len(), "more finding");
    Ok(writeln!(out, "{INDENT}{FAINT}and {more}{on}; --json lists them{FAINT:#}")?)
}

/// Formats a count with its noun.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn finding(told: &Told<'_>, at: usize, finding: &Finding, out: &mut impl Write) -> anyhow::Result<()> {
    let page = finding.page.map_or_else(|| "the document".to_owned(), |page| format!("page {page}"));
    let seen = unseen::replaced(&finding.seen);
    if !wants_change(finding) {
        return Ok(writeln!(out, "{INDENT}{FAINT}{page}: {seen}{FAINT:#}")?);
    }
    let place = finding.place.map(|area| {
        let mm = told.millimetres(&area);
        format!(
            ", {:.0} mm from the left and {:.0} mm from the top, {:.0} × {:.0} mm (pel {}, row {})",
            mm.left, mm.top, mm.width, mm.height, area.left, area.top
        )
    });
    writeln!(out, "{INDENT}{HEADING}{page}{HEADING:#}{}", place.unwrap_or_default())?;
    writeln!(out, "{INDENT}  seen  {seen}")?;
    writeln!(out, "{INDENT}  fix   {}", finding.fix)?;
    if let Some(path) = told.picture(at, finding) {
        writeln!(out, "{INDENT}  see   {}", unseen::replaced(&path.display().to_string()))?;
    }
    Ok(())
}

/// Formats ascending page numbers, with ranges.
pub(super) fn ranges(pages: &[u32]) -> String {
    let runs: Vec<&[u32]> = pages.chunk_by(|a, b| a + 1 == *b).collect();
    let mut shown: Vec<String> = runs
        .iter()
        .take(RANGES_MAX)
        .map(|run| match run {
            [first, .., last] => format!("{first}–{last}"),
            _ => run[0].to_string(),
        })
        .collect();
    if runs.len() > RANGES_MAX {
        shown.push("…".to_owned());
    }
    format!("{} {}", if pages.len() == 1 { "page" } else { "pages" }, shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_listed_in_ranges() {
        assert_eq!(ranges(&[3]), "page 3");
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "pages 1–3, 5, 7–8");
        assert_eq!(ranges(&(1..40).step_by(2).collect::<Vec<_>>()), "pages 1, 3, 5, 7, 9, 11, 13, 15, …");
    }
}
