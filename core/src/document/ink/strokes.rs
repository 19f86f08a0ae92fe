//! Computes the outlines of stroked lines within the visible area. A line that begins or ends far outside the page
//! takes no more time than a line across the page, and a line with countless dashes is drawn solid.

use hayro::kurbo::{Affine, BezPath, Line, PathEl, Point, Rect, Stroke, StrokeOpts, stroke};

use super::near::{flatten_near, is_near};

/// The maximum deviation of an outline from the exact one, in pels.
const TOLERANCE: f64 = 0.1;
/// The maximum number of dashes per path: more than a map of dotted lines contains, but few enough to fit in memory.
pub(super) const DASHES_MAX: f64 = 100_000.0;
/// The widest pen, in pels, whose outline has the usual tolerance: it is wider than any page.
const PEN_PELS: f64 = 65_536.0;
/// The tolerance of the outline of a wider pen or a distant line, as a fraction of the distance that its corners
/// extend; it is never less than the usual tolerance.
const PEN_TOLERANCE: f64 = 1e-5;
/// The maximum distance that the corners of a wide or distant line are assumed to extend, in pen widths.
const CORNER_MAX: f64 = 10.0;

/// The maximum cost of a path whose outline is computed as a whole, in lines; the outline then takes about 70 MB.
pub(super) const COST_MAX: usize = 200_000;
/// The number of lines that take as much memory as the outline of one curve.
const CURVE_COST: usize = 8;

/// Returns the cost of a path's outline: the number of lines that would take as much memory as the outline. Round
/// corners count as curves.
pub(super) fn cost(path: &[PathEl], is_round: bool) -> usize {
    let is_curve = |element: &&PathEl| matches!(element, PathEl::QuadTo(..) | PathEl::CurveTo(..));
    let curves = if is_round { path.len() } else { path.iter().filter(is_curve).count() };
    path.len() + curves * (CURVE_COST - 1)
}

/// Returns the outline of a stroked path in the path's units, each of which is at most `scale` pels.
pub(super) fn outline(path: &BezPath, style: &Stroke, transform: Affine, scale: f64, size: (u32, u32)) -> BezPath {
    let page = Rect::new(0.0, 0.0, f64::from(size.0), f64::from(size.1));
    let pen = style.width * scale;
    let in_pels = path.iter().map(|element| transform * element);
    let plain = Stroke { dash_pattern: [].as_slice().into(), ..style.clone() };
    // A path near the page needn't be cut.
    if pen < PEN_PELS && is_near(in_pels.clone(), page) {
        let style = if dashes(length(path), style) <= DASHES_MAX { style } else { &plain };
        return stroke(path.iter(), style, &StrokeOpts::default(), TOLERANCE / scale);
    }
    let back = transform.inverse();
    let reach = pen * style.miter_limit.clamp(1.0, CORNER_MAX);
    let mut outline = BezPath::new();
    if !(reach.is_finite() && back.is_finite()) {
        return outline;
    }
    let tolerance = TOLERANCE.max(reach * PEN_TOLERANCE);
    let mut left = DASHES_MAX;
    for piece in pieces(in_pels, page.inflate(reach, reach), tolerance, back) {
        left -= dashes(length(&piece.path), style);
        let moved = Stroke { dash_offset: style.dash_offset + piece.before, ..style.clone() };
        // Once there are too many dashes, the remaining pieces are drawn solid.
        let style = if left >= 0.0 && moved.is_finite() { &moved } else { &plain };
        outline.extend(stroke(piece.path.iter(), style, &StrokeOpts::default(), tolerance / scale));
    }
    outline
}

/// Returns the number of dashes in a line of this length; infinite if the pattern is invalid.
pub(super) fn dashes(length: f64, style: &Stroke) -> f64 {
    let pattern = &style.dash_pattern;
    if pattern.is_empty() {
        return 0.0;
    }
    let period: f64 = pattern.iter().sum();
    let makes_sense = period > 0.0 && period.is_finite() && pattern.iter().all(|dash| *dash >= 0.0);
    let count = length / period * pattern.len() as f64;
    if makes_sense && count.is_finite() { count } else { f64::INFINITY }
}

/// Returns an upper bound of a path's length: the length of the lines between its points and control points.
pub(super) fn length(path: &BezPath) -> f64 {
    let (mut start, mut last, mut length) = (Point::ZERO, Point::ZERO, 0.0);
    for element in path {
        if let PathEl::MoveTo(point) = element {
            (start, last) = (point, point);
        }
        let points = match element {
            PathEl::MoveTo(point) | PathEl::LineTo(point) => [point; 3],
            PathEl::QuadTo(control, point) => [control, point, point],
            PathEl::CurveTo(one, two, point) => [one, two, point],
            PathEl::ClosePath => [start; 3],
        };
        for point in points {
            length += last.distance(point);
            last = point;
        }
    }
    length
}

/// A visible part of a line.
struct Piece {
    path: BezPath,
    /// The length of the line before this part, by which its dashes are shifted.
    before: f64,
}

/// Returns the parts of a path in pels that are inside `shown`, transformed by `back` to the path's own units.
fn pieces(path: impl Iterator<Item = PathEl> + Clone, shown: Rect, tolerance: f64, back: Affine) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut start, mut last, mut gone) = (Point::ZERO, Point::ZERO, 0.0);
    let mut end: Option<Point> = None;
    flatten_near(path, shown, tolerance, |element| {
        let to = match element {
            PathEl::MoveTo(point) => {
                (start, last, gone, end) = (point, point, 0.0, None);
                return;
            }
            PathEl::LineTo(point) => point,
            PathEl::ClosePath => start,
            // Flattening leaves no curves.
            PathEl::QuadTo(..) | PathEl::CurveTo(..) => return,
        };
        let line = Line::new(last, to);
        if let Some(seen) = seen(line, shown) {
            let (from, to) = (back * seen.p0, back * seen.p1);
            // A line that doesn't continue the last visible one begins a new piece.
            if end != Some(seen.p0) {
                let mut path = BezPath::new();
                path.move_to(from);
                pieces.push(Piece { path, before: gone + (back * last).distance(from) });
            }
            if let Some(piece) = pieces.last_mut() {
                piece.path.line_to(to);
            }
            end = Some(seen.p1);
        }
        gone += (back * last).distance(back * to);
        last = to;
    });
    pieces
}

/// Returns the part of a line inside a rectangle. It is cut at one side after the other, so that each cut is exactly on
/// its side, however far away the ends are.
fn seen(line: Line, shown: Rect) -> Option<Line> {
    let Line { mut p0, mut p1 } = line;
    if !(p0.is_finite() && p1.is_finite()) {
        return None;
    }
    for is_upper in [false, true] {
        for is_upright in [true, false] {
            let side = match (is_upright, is_upper) {
                (true, false) => shown.x0,
                (true, true) => shown.x1,
                (false, false) => shown.y0,
                (false, true) => shown.y1,
            };
            let along = |point: Point| if is_upright { point.x } else { point.y };
            let is_out = |point: Point| if is_upper { along(point) > side } else { along(point) < side };
            let cut = |from: Point, to: Point| {
                let part = (side - along(from)) / (along(to) - along(from));
                let Point { x, y } = from + (to - from) * part;
                if is_upright { Point::new(side, y) } else { Point::new(x, side) }
            };
            match (is_out(p0), is_out(p1)) {
                (false, false) => {}
                (true, false) => p0 = cut(p0, p1),
                (false, true) => p1 = cut(p1, p0),
                (true, true) => return None,
            }
        }
    }
    Some(Line::new(p0, p1))
}

#[cfg(test)]
mod tests {
    use hayro::kurbo::Shape;

    use super::*;

    const SIZE: (u32, u32) = (100, 100);

    /// Returns the outline of a path on a page of 100 × 100 pels.
    fn drawn(path: &str, style: &Stroke) -> BezPath {
        let path = BezPath::from_svg(path).expect("a valid path");
        outline(&path, style, Affine::IDENTITY, 1.0, SIZE)
    }

    #[test]
    fn a_line_from_afar_is_drawn_across_the_page() {
        for far in ["1e5", "1e9", "1e30", "1e300"] {
            let bounds = drawn(&format!("M-{far} 50 L{far} 50"), &Stroke::new(4.0)).bounding_box();
            assert!((bounds.y0 - 48.0).abs() < 0.1 && (bounds.y1 - 52.0).abs() < 0.1, "{far}: {bounds:?}");
            assert!(bounds.x0 <= 0.0 && bounds.x1 >= 100.0, "{far}: {bounds:?}");
        }
        assert!(drawn("M-1e9 500 L1e9 500", &Stroke::new(4.0)).elements().is_empty());
    }

    #[test]
    fn dashes_of_a_line_from_afar_keep_their_places() {
        let style = Stroke::new(2.0).with_caps(hayro::kurbo::Cap::Butt).with_dashes(0.0, [30.0, 30.0]);
        let far = drawn("M-90000 50 L90000 50", &style);
        // A dash begins 1,500 periods after the line's start, at the left edge of the page.
        assert!(far.winding((15.0, 50.0).into()) != 0 && far.winding((45.0, 50.0).into()) == 0);
        assert!(far.winding((75.0, 50.0).into()) != 0 && far.elements().len() < 1_000);
    }

    #[test]
    fn countless_dashes_and_invalid_patterns_become_a_solid_line() {
        let patterns: [&[f64]; 6] =
            [&[1e-9, 1e-9], &[-2.0, 1.0], &[f64::NAN], &[f64::INFINITY, 1.0], &[0.0, 0.0], &[1e-300]];
        for pattern in patterns {
            let line = drawn("M10 50 L90 50", &Stroke::new(2.0).with_dashes(0.0, pattern));
            assert!(line.elements().len() < 100 && line.winding((50.0, 50.0).into()) != 0, "{pattern:?}");
        }
    }

    #[test]
    fn a_pen_wider_than_any_page_covers_the_page() {
        for width in [1e6, 1e9, 1e30, 1e100] {
            let line = drawn("M-5 50 C10 60 40 60 90 50", &Stroke::new(width));
            assert!(line.elements().len() < 10_000 && line.winding((50.0, 90.0).into()) != 0, "{width}");
        }
    }
}
