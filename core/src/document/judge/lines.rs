//! Judges lines: those much thinner than a pel vanish or become much thicker.

use super::cluster::{FINDINGS_INCHES, groups};
use super::finding::{Measure, Severity};
use super::page::{Page, Remark, per_inch};
use crate::document::gray::SNAP_WHITE;
use crate::document::marks::Line;
use crate::model::fax::Quality;

/// The minimum thickness, in pels or rows, of a line that is about a pel thick on any machine. A thinner one becomes
/// more than twice as thick on some machines; on others, more than half of such lines are missing.
const THICKNESS_MIN: f64 = 0.5;
/// A line counts as horizontal or vertical if it is this many times longer in one direction than in the other.
const DIRECTED: f64 = 8.0;
/// The smallest width of a line that a finding states, in points; thinner lines are said to be of no width.
const POINTS_MIN: f64 = 0.01;

/// Judges the thickness of lines.
pub(super) fn hairlines(page: &Page<'_>, lines: &[Line]) -> Vec<Remark> {
    let thin = lines.iter().filter(|line| line.luma < SNAP_WHITE).filter_map(|line| {
        let (thickness, unit) = thickness(line, page.quality);
        (thickness < THICKNESS_MIN).then_some((line.place, (thickness, unit, line)))
    });
    groups(thin, FINDINGS_INCHES)
        .into_iter()
        .filter_map(|group| {
            let (value, unit, line) = group.members.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0))?;
            let points = |line: &Line| line.thickness.0.min(line.thickness.1) * 72.0;
            let thickest = group.members.iter().map(|(_, _, line)| points(line)).fold(0.0, f64::max);
            let (count, width) = (group.members.len(), width(points(line), thickest));
            let what = if count == 1 { format!("a line {width} is") } else { format!("{count} lines {width} are") };
            let one = if unit == "rows" { "row" } else { "pel" };
            let needed = needed_points(page.quality, unit);
            Some(Remark {
                severity: Severity::Warn,
                place: Some(group.place),
                measured: Measure { value, limit: Some(THICKNESS_MIN), unit },
                seen: format!("{what} thinner than half a {one}: {value:.2} {unit}"),
                fix: format!("draw lines at least {needed} points thick"),
            })
        })
        .collect()
}

/// Returns the thickness of a line in the direction in which it is thin.
fn thickness(line: &Line, quality: Quality) -> (f64, &'static str) {
    let (across, down) = per_inch(quality);
    let (pels, rows) = (line.thickness.0 * across, line.thickness.1 * down);
    let (width, height) = (line.place.width(), line.place.height());
    match () {
        () if width > height * DIRECTED => (rows, "rows"),
        () if height > width * DIRECTED => (pels, "pels"),
        () if rows < pels => (rows, "rows"),
        () => (pels, "pels"),
    }
}

/// Describes the widths of lines, from the thinnest to the thickest, in points.
fn width(least: f64, most: f64) -> String {
    let shown = |points: f64| format!("{points:.2}");
    match () {
        () if most < POINTS_MIN => "of no width".to_owned(),
        () if shown(least) == shown(most) => format!("of {least:.2} points"),
        () => format!("of {least:.2} to {most:.2} points"),
    }
}

/// Returns the width in points of a line that is one pel or one row thick, rounded up to a twentieth.
fn needed_points(quality: Quality, unit: &str) -> f64 {
    let (across, down) = per_inch(quality);
    let per_inch = if unit == "rows" { down } else { across };
    (72.0 / per_inch * 20.0).ceil() / 20.0
}
