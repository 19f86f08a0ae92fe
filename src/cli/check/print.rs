//! Prints checks and their results for people.

use std::io::Write;

use anstyle::{AnsiColor, Style};

use crate::check::list::{explanation as explained, grouped};
use crate::check::report::{Report, Result as CheckResult, Summary};
use crate::check::{Check, Exchange, Verdict};
use crate::cli::out::stdout;
use crate::cli::table;
use crate::dialect::unseen;

const HEADING: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();
/// The indentation of the lines below a result.
const INDENT: &str = "              ";

/// Prints the checks, group by group.
pub(super) fn list(checks: &[&'static Check]) -> anyhow::Result<()> {
    let mut out = stdout();
    for (at, (group, checks)) in grouped(checks).iter().enumerate() {
        writeln!(out, "{}{HEADING}{group}{HEADING:#}", if at > 0 { "\n" } else { "" })?;
        for Check { id, code, severity, title, .. } in checks {
            writeln!(out, "  {code:<4}{id:<20}{severity:<8}{title}", severity = severity.as_str())?;
        }
    }
    Ok(())
}

/// Prints everything about a check.
pub(super) fn explanation(check: &Check, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return table::json(&check.json());
    }
    Ok(write!(stdout(), "{}", explained(check))?)
}

/// Prints the results, group by group, and a summary.
pub(super) fn report(report: &Report, out: &mut impl Write) -> anyhow::Result<()> {
    let checks: Vec<&'static Check> = report.results.iter().map(|result| result.check).collect();
    writeln!(out, "{} · account {}", unseen::replaced(&report.url), unseen::replaced(&report.account))?;
    for (group, _) in grouped(&checks) {
        writeln!(out, "\n{HEADING}{group}{HEADING:#}")?;
        for result in report.results.iter().filter(|result| result.check.group == group) {
            one(result, out)?;
        }
    }
    let Summary { pass, fail, warn, not_judged } = report.summary();
    let style = if fail > 0 { BAD } else { GOOD };
    let counts = format!("{pass} passed, {fail} failed, {warn} with a warning, {not_judged} not judged");
    let seconds = report.duration.as_secs_f64();
    writeln!(out, "\n{style}{counts}{style:#} · {} requests in {seconds:.1} s", report.requests)?;
    Ok(())
}

fn one(result: &CheckResult, out: &mut impl Write) -> anyhow::Result<()> {
    let CheckResult { check, verdict, seen, exchange, .. } = result;
    let (style, word) = match verdict {
        Verdict::Pass => (GOOD, "pass"),
        Verdict::Fail => (BAD, "FAIL"),
        Verdict::Warn => (DOUBTFUL, "warn"),
        Verdict::NotJudged => (FAINT, "not judged"),
    };
    writeln!(out, "  {style}{word:<10}{style:#}  {:<20}{}", check.id, check.title)?;
    match verdict {
        Verdict::Pass => {}
        Verdict::NotJudged => writeln!(out, "{INDENT}{FAINT}{seen}{FAINT:#}")?,
        Verdict::Fail | Verdict::Warn => {
            for (name, text) in
                [("seen", seen.as_str()), ("why", check.why), ("fix", check.fix), ("source", check.source)]
            {
                writeln!(out, "{INDENT}{name:<8}{text}")?;
            }
            exchange.as_ref().map_or(Ok(()), |exchange| shown(exchange, out))?;
        }
    }
    Ok(())
}

/// Prints a request as curl, and its response.
pub(in crate::cli) fn shown(exchange: &Exchange, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out)?;
    for line in exchange.curl().lines() {
        writeln!(out, "{INDENT}{FAINT}{line}{FAINT:#}")?;
    }
    writeln!(out, "\n{INDENT}{} in {} ms", exchange.outcome(), exchange.duration.as_millis())?;
    for line in exchange.excerpt().lines() {
        writeln!(out, "{INDENT}{FAINT}{line}{FAINT:#}")?;
    }
    Ok(writeln!(out)?)
}
