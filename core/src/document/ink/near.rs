//! Flattens curves to lines that are exact where the page shows them. If a curve extends far beyond the page, its parts
//! outside the page become a few straight lines, however large the curve is.

use hayro::kurbo::{CubicBez, ParamCurve, PathEl, PathSeg, Point, QuadBez, Rect, flatten};

/// The distance, in pels, that a curve may extend outside the page before it is cut. A curve of this size becomes at
/// most a few thousand lines, and no letter or drawing in a real document is larger.
const FAR_PELS: f64 = 65_536.0;
/// The maximum number of times that a curve is halved. After this many halvings, even a part of the largest curve is
/// either small enough, or so short for its distance from the page that double precision can't tell its points apart.
const HALVINGS_MAX: u32 = 48;
/// The maximum number of cuts per curve. A curve crosses the page at most three times, so hardly any curve needs more.
const PARTS_MAX: u32 = 1_000;

/// Flattens a path, given in pels, like `kurbo::flatten`; the result is exact at least within `shown`.
pub(super) fn flatten_near(
    path: impl Iterator<Item = PathEl> + Clone,
    shown: Rect,
    tolerance: f64,
    mut take: impl FnMut(PathEl),
) {
    // Usually, the whole path is near the page and nothing needs to be cut.
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

/// Returns whether a whole path is so near the visible area that nothing needs to be cut.
pub(super) fn is_near(mut path: impl Iterator<Item = PathEl>, shown: Rect) -> bool {
    let around = shown.inflate(FAR_PELS, FAR_PELS);
    path.all(|element| points(element).all(|point| around.contains(point)))
}

/// Estimates the number of lines that the visible curves of a path would become without cuts. The result is not finite
/// if a curve has a coordinate that isn't.
pub(super) fn lines_uncut(path: impl Iterator<Item = PathEl>, shown: Rect) -> f64 {
    let (mut start, mut last, mut lines) = (Point::ZERO, Point::ZERO, 0.0);
    for element in path {
        if let Some(bounds) = curve(last, element).map(bounds)
            && (!bounds.is_finite() || bounds.overlaps(shown))
        {
            // For a fixed tolerance, the number of lines grows with the square root of a curve's size.
            lines += 2.0 * (bounds.width() + bounds.height()).sqrt();
        }
        if let PathEl::MoveTo(point) = element {
            start = point;
        }
        last = element.end_point().unwrap_or(start);
    }
    lines
}

/// Returns the curve that an element draws; `None` if the element isn't a curve.
fn curve(from: Point, element: PathEl) -> Option<PathSeg> {
    match element {
        PathEl::QuadTo(control, end) => Some(PathSeg::Quad(QuadBez::new(from, control, end))),
        PathEl::CurveTo(one, two, end) => Some(PathSeg::Cubic(CubicBez::new(from, one, two, end))),
        PathEl::MoveTo(_) | PathEl::LineTo(_) | PathEl::ClosePath => None,
    }
}

/// Returns the points of an element, including control points.
fn points(element: PathEl) -> impl Iterator<Item = Point> {
    let (points, count) = match element {
        PathEl::MoveTo(a) | PathEl::LineTo(a) => ([a; 3], 1),
        PathEl::QuadTo(a, b) => ([a, b, b], 2),
        PathEl::CurveTo(a, b, c) => ([a, b, c], 3),
        PathEl::ClosePath => ([Point::ZERO; 3], 0),
    };
    points.into_iter().take(count)
}

/// Flattens a curve that may extend far beyond the page. Halves outside the page become lines, which cross the same
/// rows and so leave the filled area on the page unchanged.
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

/// Flattens a curve without the move to its start, where the path already is.
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

/// Returns the bounds of a curve's points, including control points; all sides are NaN if a point isn't finite.
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

    /// Returns the ends of the lines that a path becomes, for a page of 100 × 100 pels.
    fn lines(path: &str) -> Vec<Point> {
        let path = hayro::kurbo::BezPath::from_svg(path).expect("a valid path");
        let mut ends = Vec::new();
        flatten_near(path.iter(), Rect::new(0.0, 0.0, 100.0, 100.0), 0.1, |element| {
            assert!(!matches!(element, PathEl::QuadTo(..) | PathEl::CurveTo(..)));
            ends.extend(element.end_point());
            assert!(ends.len() < 100_000);
        });
        ends
    }

    #[test]
    fn a_curve_beyond_the_page_becomes_one_line_and_a_curve_across_it_fewer_than_ten_thousand() {
        assert!(lines("M1e58 1e58 C1.1e58 1e58 1.2e58 1.1e58 1.3e58 1.3e58").len() < 3);
        assert!(lines("M-1e9 5 Q-2e9 40 -1e9 90").len() < 3);
        for size in ["1e6", "1e9", "1e12", "1e20", "1e58", "1e300"] {
            let crossing = lines(&format!("M10 10 C{size} {size} -{size} {size} 90 10"));
            assert!((2..10_000).contains(&crossing.len()), "{size}: {}", crossing.len());
            assert_eq!(crossing.last(), Some(&Point::new(90.0, 10.0)));
        }
    }

    #[test]
    fn the_visible_part_of_a_large_circle_keeps_its_place() {
        // The page shows the left end of a circle with a radius of a hundred million pels, which looks like a straight
        // line.
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
