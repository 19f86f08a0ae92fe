//! Flattens curves to lines only as finely as is visible on the page: the part of a curve outside it costs no more than
//! a line.

use hayro::kurbo::{CubicBez, ParamCurve, PathEl, PathSeg, Point, QuadBez, Rect, flatten};

/// How far outside the page a curve may extend before it is cut, in pels. Such a curve takes at most a few thousand
/// lines, and no letter or drawing of a real document is larger.
const FAR_PELS: f64 = 65_536.0;
/// How many times a curve is halved. Few halves of a curve of this size meet the page, and after this many halvings
/// even the largest number is within reach or indistinguishable from its neighbours.
const HALVINGS_MAX: u32 = 48;
/// The most parts that one curve is cut into: a curve meets the page at most three times, so few need more.
const PARTS_MAX: u32 = 1_000;

/// Flattens a path in pels like `kurbo::flatten`, but only `shown` needs to be exact.
pub(super) fn flatten_near(
    path: impl Iterator<Item = PathEl> + Clone,
    shown: Rect,
    tolerance: f64,
    mut take: impl FnMut(PathEl),
) {
    // The usual case, in which nothing needs to be cut.
    if is_near(path.clone(), shown) {
        flatten(path, tolerance, take);
        return;
    }
    let (mut start, mut last) = (Point::ZERO, Point::ZERO);
    for element in path {
        let mut parts = PARTS_MAX;
        match curve(last, element) {
            Some(curve) => cut(curve, shown, tolerance, HALVINGS_MAX, &mut parts, &mut take),
            None => take(element),
        }
        if let PathEl::MoveTo(point) = element {
            start = point;
        }
        last = element.end_point().unwrap_or(start);
    }
}

/// Whether all of a path is so near the visible area that it need not be cut.
pub(super) fn is_near(mut path: impl Iterator<Item = PathEl>, shown: Rect) -> bool {
    let around = shown.inflate(FAR_PELS, FAR_PELS);
    path.all(|element| points(element).all(|point| around.contains(point)))
}

/// The estimated number of lines that a renderer turns a path's curves into without cutting them; it is not finite if
/// one of the curves isn't.
pub(super) fn lines_uncut(path: impl Iterator<Item = PathEl>, shown: Rect) -> f64 {
    let (mut start, mut last, mut lines) = (Point::ZERO, Point::ZERO, 0.0);
    for element in path {
        if let Some(bounds) = curve(last, element).map(bounds)
            && (!bounds.is_finite() || bounds.overlaps(shown))
        {
            // Half a pel is visible: a curve counts as a line where it deviates by less.
            lines += 2.0 * (bounds.width() + bounds.height()).sqrt();
        }
        if let PathEl::MoveTo(point) = element {
            start = point;
        }
        last = element.end_point().unwrap_or(start);
    }
    lines
}

fn curve(from: Point, element: PathEl) -> Option<PathSeg> {
    match element {
        PathEl::QuadTo(control, end) => Some(PathSeg::Quad(QuadBez::new(from, control, end))),
        PathEl::CurveTo(one, two, end) => Some(PathSeg::Cubic(CubicBez::new(from, one, two, end))),
        PathEl::MoveTo(_) | PathEl::LineTo(_) | PathEl::ClosePath => None,
    }
}

/// The points of an element, including control points.
fn points(element: PathEl) -> impl Iterator<Item = Point> {
    let (points, count) = match element {
        PathEl::MoveTo(a) | PathEl::LineTo(a) => ([a; 3], 1),
        PathEl::QuadTo(a, b) => ([a, b, b], 2),
        PathEl::CurveTo(a, b, c) => ([a, b, c], 3),
        PathEl::ClosePath => ([Point::ZERO; 3], 0),
    };
    points.into_iter().take(count)
}

/// Flattens a curve that may extend far: halves that aren't visible become lines, which cross the same rows.
fn cut(curve: PathSeg, shown: Rect, tolerance: f64, halvings: u32, parts: &mut u32, take: &mut impl FnMut(PathEl)) {
    let bounds = bounds(curve);
    if !bounds.is_finite() || halvings == 0 || *parts == 0 || !bounds.overlaps(shown) {
        take(PathEl::LineTo(curve.end()));
    } else if shown.inflate(FAR_PELS, FAR_PELS).contains_rect(bounds) {
        flat(curve, tolerance, take);
    } else {
        *parts -= 1;
        for half in [curve.subsegment(0.0..0.5), curve.subsegment(0.5..1.0)] {
            cut(half, shown, tolerance, halvings - 1, parts, take);
        }
    }
}

fn flat(curve: PathSeg, tolerance: f64, take: &mut impl FnMut(PathEl)) {
    let element = match curve {
        PathSeg::Line(line) => PathEl::LineTo(line.p1),
        PathSeg::Quad(quad) => PathEl::QuadTo(quad.p1, quad.p2),
        PathSeg::Cubic(cubic) => PathEl::CurveTo(cubic.p1, cubic.p2, cubic.p3),
    };
    let mut is_first = true;
    flatten([PathEl::MoveTo(curve.start()), element], tolerance, |line| {
        if !std::mem::take(&mut is_first) {
            take(line);
        }
    });
}

/// The bounds of a curve and its control points; NaN if one of them isn't finite.
fn bounds(curve: PathSeg) -> Rect {
    let points: [Point; 4] = match curve {
        PathSeg::Line(line) => [line.p0, line.p0, line.p1, line.p1],
        PathSeg::Quad(quad) => [quad.p0, quad.p1, quad.p1, quad.p2],
        PathSeg::Cubic(cubic) => [cubic.p0, cubic.p1, cubic.p2, cubic.p3],
    };
    if points.iter().any(|point| !point.is_finite()) {
        return Rect::new(f64::NAN, f64::NAN, f64::NAN, f64::NAN);
    }
    let [a, b, c, d] = points;
    Rect::from_points(a, b).union_pt(c).union_pt(d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str) -> Vec<Point> {
        let path = hayro::kurbo::BezPath::from_svg(path).expect("a path");
        let mut ends = Vec::new();
        flatten_near(path.iter(), Rect::new(0.0, 0.0, 100.0, 100.0), 0.1, |element| {
            assert!(!matches!(element, PathEl::QuadTo(..) | PathEl::CurveTo(..)));
            ends.extend(element.end_point());
            assert!(ends.len() < 100_000);
        });
        ends
    }

    #[test]
    fn a_curve_off_the_page_becomes_one_line_and_one_across_it_a_few_thousand() {
        assert!(lines("M1e58 1e58 C1.1e58 1e58 1.2e58 1.1e58 1.3e58 1.3e58").len() < 3);
        assert!(lines("M-1e9 5 Q-2e9 40 -1e9 90").len() < 3);
        for size in ["1e6", "1e9", "1e12", "1e20", "1e58", "1e300"] {
            let crossing = lines(&format!("M10 10 C{size} {size} -{size} {size} 90 10"));
            assert!((2..10_000).contains(&crossing.len()), "{size}: {}", crossing.len());
            assert_eq!(crossing.last(), Some(&Point::new(90.0, 10.0)));
        }
    }

    #[test]
    fn the_visible_part_of_a_large_circle_stays_in_place() {
        // The left end of a circle of a hundred million pels, which is practically straight.
        let (radius, handle) = (1e8, 0.552_284_75e8);
        let path = format!(
            "M{radius} -{radius} C{} -{radius} 50 -{handle} 50 0 S{} {radius} {radius} {radius}",
            radius - handle,
            radius - handle
        );
        let shown: Vec<Point> = lines(&path).into_iter().filter(|point| (-2e4..2e4).contains(&point.y)).collect();
        assert!(shown.len() > 1 && shown.iter().all(|point| (49.0..60.0).contains(&point.x)), "{shown:?}");
    }
}
