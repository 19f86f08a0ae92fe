//! Judges type: whether it has enough rows and pels to be read, and whether it is black on white.

use super::cluster::{FINDINGS_INCHES, Group, groups};
use super::dots::Dots;
use super::finding::{Measure, Severity};
use super::ground::Ground;
use super::page::{Page, Remark, per_inch};
use crate::document::gray::{SNAP_BLACK, SNAP_WHITE};
use crate::document::marks::{Letters, TEXT_CHARACTERS_MAX};
use crate::model::fax::Quality;

/// The fewest rows of an x-height that can be read. An e consists of three strokes and two gaps above each other, and
/// each of these needs a row. An x-height of a little more than 4 rows touches at least 5.
pub(super) const ROWS_FAIL: f64 = 4.0;
/// The fewest rows of an x-height that can be read with ease: it covers 5 whole rows, wherever it begins within a row.
pub(super) const ROWS_WARN: f64 = 6.0;
/// The fewest pels along the line in which an e or an o has two strokes and a gap between them.
pub(super) const PELS_FAIL: f64 = 3.0;
/// The fewest pels along the line that can be read with ease: a spare one on either side.
pub(super) const PELS_WARN: f64 = 5.0;
/// The fewest letters and digits that are judged; fewer are a footnote mark or an index.
const LETTERS_MIN: usize = 3;
/// The minimum x-height, in rows, of letters whose strokes are at least two pels thick, and so thicker than dots, which
/// are one pel. The strokes of Helvetica and Times are about a sixth of the x-height.
pub(super) const ROWS_STROKES: f64 = 12.0;
/// The minimum x-height, in rows, of type so large that it can be read even in grey.
pub(super) const ROWS_LARGE: f64 = 40.0;
/// The shares of missing pels, in percent, from which grey type with thin strokes fails, and from which any grey type
/// is a warning. Type in the usual blue of links lacks 32 % of its pels, and is read with ease.
pub(super) const MISSING_FAIL_PERCENT: f64 = 50.0;
pub(super) const MISSING_WARN_PERCENT: f64 = 35.0;
/// The shares of black pels on the ground behind type, in percent, from which type with thin strokes is a warning, and
/// from which it fails. Any other type is a warning from the second share on.
pub(super) const GROUND_WARN_PERCENT: f64 = 10.0;
pub(super) const GROUND_FAIL_PERCENT: f64 = 30.0;
/// The share of isolated pels at the place of type, in percent, from which the ground behind the type is examined: the
/// lightest tint that is not drawn white has 6 % of dots, and letters hide a third of them.
const ISOLATED_MIN_PERCENT: f64 = 3.0;
/// The share of black pels at the place of white letters, in percent, from which the letters count as standing on a
/// dark ground. With less, they are white on white paper, where nobody is meant to see them, such as the anchors of
/// services that sign documents. The line for the signature may pass through such letters, so a part of their place may
/// be black.
const REVERSED_MIN_PERCENT: f64 = 35.0;
/// Points per inch.
const POINTS: f64 = 72.0;

/// Returns the x-height of letters in rows, and the width in pels of a letter that is as wide as it is high. For lines
/// that run down the page, rows and pels change places.
fn size(letters: &Letters, quality: Quality) -> (f64, f64) {
    let (across, down) = per_inch(quality);
    let (x, y) = letters.x_height;
    ((x * across).hypot(y * down), (y * across).hypot(x * down))
}

/// Judges the size of type.
pub(super) fn type_size(page: &Page<'_>, letters: &[Letters]) -> Vec<Remark> {
    let is_judged = |letters: &&Letters| {
        letters.count >= LETTERS_MIN
            && (letters.luma < SNAP_WHITE || black_percent(page, letters) >= REVERSED_MIN_PERCENT)
    };
    let small = letters.iter().filter(is_judged).filter_map(|letters| {
        // Lengths are rounded as they are printed, so that no finding says 6.0 rows where 6 rows are enough.
        let tenths = |length: f64| (length * 10.0).round() / 10.0;
        let (high, wide) = size(letters, page.quality);
        let (high, wide) = (tenths(high), tenths(wide));
        let severity = match () {
            () if high < ROWS_FAIL || wide < PELS_FAIL => Severity::Fail,
            () if high < ROWS_WARN || wide < PELS_WARN => Severity::Warn,
            () => return None,
        };
        // Type of one size in one place is one finding, so sizes are rounded to a tenth of a point.
        Some((severity, (letters.em * POINTS * 10.0).round() as i64, letters))
    });
    by_key(small).into_iter().map(|((severity, _), group)| small_type(page, severity, &group)).collect()
}

/// Returns the share of black pels in the place of letters, in percent.
fn black_percent(page: &Page<'_>, letters: &Letters) -> f64 {
    let area = page.area(&letters.place);
    let (right, bottom) = (page.bits.width(), page.bits.height());
    let columns = area.left.min(right)..(area.left + area.width).min(right);
    let rows = area.top.min(bottom)..(area.top + area.height).min(bottom);
    let all = columns.len() * rows.len();
    let black =
        rows.flat_map(|y| columns.clone().map(move |x| (x, y))).filter(|(x, y)| page.bits.is_black(*x, *y)).count();
    black as f64 * 100.0 / all.max(1) as f64
}

/// Groups letters by a severity and another key, and by their places.
fn by_key<'l, K: Ord + Copy>(
    items: impl Iterator<Item = (Severity, K, &'l Letters)>,
) -> Vec<((Severity, K), Group<&'l Letters>)> {
    let mut keyed: Vec<_> = items.map(|(severity, key, letters)| ((severity, key), letters)).collect();
    keyed.sort_by_key(|item| item.0);
    keyed
        .chunk_by(|a, b| a.0 == b.0)
        .flat_map(|chunk| {
            let places = chunk.iter().map(|(_, letters)| (letters.place, *letters));
            groups(places, FINDINGS_INCHES).into_iter().map(|group| (chunk[0].0, group))
        })
        .collect()
}

fn small_type(page: &Page<'_>, severity: Severity, group: &Group<&Letters>) -> Remark {
    let least =
        |letters: &&&Letters, other: &&&Letters| size(letters, page.quality).0.total_cmp(&size(other, page.quality).0);
    // A group is never empty.
    let smallest = group.members.iter().min_by(least).map_or(group.members[0], |letters| *letters);
    let (high, wide) = size(smallest, page.quality);
    let is_fail = severity == Severity::Fail;
    let (rows, pels) = if is_fail { (ROWS_FAIL, PELS_FAIL) } else { (ROWS_WARN, PELS_WARN) };
    // The direction in which the type falls further below its limit decides.
    let is_low = high / rows <= wide / pels;
    let (value, limit, unit) = if is_low { (high, rows, "rows") } else { (wide, pels, "pels") };
    let points = smallest.em * POINTS;
    let verb = if is_fail { "is too small to be read" } else { "is hard to read" };
    let seen = format!(
        "{}type of {points:.1} points {verb} at {} quality: its x-height is {value:.1} {unit}",
        quoted(smallest),
        page.quality
    );
    Remark {
        severity,
        place: Some(group.place),
        measured: Measure { value, limit: Some(limit), unit },
        seen,
        fix: larger(page.quality, smallest),
    }
}

/// Says how large the type would have to be, and at which quality it is large enough.
fn larger(quality: Quality, letters: &Letters) -> String {
    let factor = |quality: Quality| {
        let (high, wide) = size(letters, quality);
        (ROWS_WARN / high).max(PELS_WARN / wide)
    };
    // Sizes are rounded up to half a point.
    let points = (letters.em * POINTS * factor(quality) * 2.0).ceil() / 2.0;
    let finer = Quality::ALL.iter().copied().find(|finer| *finer > quality && factor(*finer) <= 1.0);
    let or_finer = finer.map(|finer| format!(", or send at {finer} quality")).unwrap_or_default();
    format!("print it in at least {points} points{or_finer}")
}

/// Judges the colour of type, and the ground that it stands on.
pub(super) fn grey_type(page: &mut Page<'_>, letters: &[Letters], dots: &Dots) -> Vec<Remark> {
    let quality = page.quality;
    let is_judged = |letters: &&Letters| {
        letters.count >= LETTERS_MIN && letters.luma < SNAP_WHITE && size(letters, quality).0 < ROWS_LARGE
    };
    let is_thin = |letters: &Letters| size(letters, quality).0 < ROWS_STROKES;
    let (black, grey): (Vec<&Letters>, Vec<&Letters>) =
        letters.iter().filter(is_judged).partition(|letters| letters.luma <= SNAP_BLACK);
    let grey = grey.into_iter().filter_map(|letters| {
        let missing = missing_percent(letters);
        let severity = match () {
            () if missing >= MISSING_FAIL_PERCENT && is_thin(letters) => Severity::Fail,
            () if missing >= MISSING_WARN_PERCENT => Severity::Warn,
            () => return None,
        };
        Some((severity, letters.luma, letters))
    });
    let mut remarks: Vec<Remark> =
        by_key(grey).into_iter().map(|((severity, _), group)| grey_letters(severity, &group)).collect();
    let is_on_dots = |letters: &&Letters| dots.percent(&page.area(&letters.place)) >= ISOLATED_MIN_PERCENT;
    let on_dots: Vec<&Letters> = black.into_iter().filter(is_on_dots).collect();
    if on_dots.is_empty() {
        return remarks;
    }
    let ground = Ground::of(page);
    let on_dots = on_dots.into_iter().filter_map(|letters| {
        let percent = ground.percent(&letters.place);
        let severity = match () {
            () if percent < GROUND_WARN_PERCENT => return None,
            () if is_thin(letters) && percent >= GROUND_FAIL_PERCENT => Severity::Fail,
            () if is_thin(letters) || percent >= GROUND_FAIL_PERCENT => Severity::Warn,
            () => return None,
        };
        Some((severity, (), letters))
    });
    let shaded = |((severity, ()), group)| shaded(severity, &group, &ground, is_thin);
    remarks.extend(by_key(on_dots).into_iter().map(shaded));
    remarks
}

fn missing_percent(letters: &Letters) -> f64 {
    f64::from(letters.luma) * 100.0 / 255.0
}

fn grey_letters(severity: Severity, group: &Group<&Letters>) -> Remark {
    let letters = group.members[0];
    let missing = missing_percent(letters);
    let limit = if severity == Severity::Fail { MISSING_FAIL_PERCENT } else { MISSING_WARN_PERCENT };
    Remark {
        severity,
        place: Some(group.place),
        measured: Measure { value: missing, limit: Some(limit), unit: "pels missing, in percent" },
        seen: format!("{}type in grey or colour becomes dots: {missing:.0} % of its pels are missing", quoted(letters)),
        fix: "print it in black".to_owned(),
    }
}

fn shaded(severity: Severity, group: &Group<&Letters>, ground: &Ground, is_thin: impl Fn(&Letters) -> bool) -> Remark {
    let percent = |letters: &Letters| ground.percent(&letters.place);
    let darkest = group.members.iter().max_by(|one, two| percent(one).total_cmp(&percent(two)));
    // A group is never empty.
    let letters = darkest.map_or(group.members[0], |letters| *letters);
    let percent = percent(letters);
    let limit = match severity {
        Severity::Warn if is_thin(letters) => GROUND_WARN_PERCENT,
        Severity::Fail | Severity::Warn | Severity::Info => GROUND_FAIL_PERCENT,
    };
    Remark {
        severity,
        place: Some(group.place),
        measured: Measure { value: percent, limit: Some(limit), unit: "percent" },
        seen: format!("{}type stands on a grey ground, of which {percent:.0} % become black dots", quoted(letters)),
        fix: "remove the shading behind it".to_owned(),
    }
}

/// Returns the beginning of the text in quotation marks and a colon, or nothing if the text is empty.
fn quoted(letters: &Letters) -> String {
    let is_cut = letters.text.chars().count() >= TEXT_CHARACTERS_MAX;
    let (text, rest) = (letters.text.trim(), if is_cut { "…" } else { "" });
    if text.is_empty() { String::new() } else { format!("“{text}{rest}”: ") }
}
