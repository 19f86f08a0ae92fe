//! Finds the pels of filled shapes that are thinner than a pel. Such a shape paints every pel that it touches (ISO
//! 32000-1, 10.6.4), so that it doesn't vanish. The pels are recorded, and painted again on pages that the full
//! renderer draws.

use hayro::hayro_interpret::FillRule;
use hayro::kurbo::{Affine, BezPath, PathEl, Point, Rect};

use super::canvas::{Clip, Ink};
use super::near::flatten_near;
use super::raster::Run;
use crate::document::bitmap::{Bitmap, clear_run, each_run, fill_run};
use crate::document::gray::Gray;

/// The maximum deviation of a flattened curve from the curve itself, in pels.
const TOLERANCE: f64 = 0.1;
/// The maximum number of runs of thin shapes that are recorded per page; ruled lines never need so many.
const RUNS_MAX: usize = 1_000_000;
/// The maximum number of rows examined per part of a shape, summed over its edges.
const ROWS_MAX: u32 = 4_000_000;
/// The mean width, in pels, below which a shape is thin.
const WIDTH_PELS: f64 = 0.5;

/// Finds the pels touched by the thin parts of a path, or by all parts if `all` is true.
pub(super) fn touched(path: &BezPath, transform: Affine, rule: FillRule, size: (u32, u32), all: bool) -> Vec<Run> {
    let mut runs = Vec::new();
    let parts: Vec<&[PathEl]> = parts(path.elements()).collect();
    // A frame that is drawn as a shape with a hole may be no more than a thin line.
    let all = all
        || matches!(*parts.as_slice(), [one, two] if is_thin_ring(Extent::of(one, transform), Extent::of(two, transform), rule));
    for part in parts {
        if all || Extent::of(part, transform).is_thin() {
            trace(part, transform, size, &mut runs);
        }
    }
    runs
}

/// Splits a path into parts, each beginning with a move.
pub(super) fn parts(elements: &[PathEl]) -> impl Iterator<Item = &[PathEl]> {
    elements.chunk_by(|_, next| !matches!(next, PathEl::MoveTo(_)))
}

/// The size of a part of a path, in pels. Curves are replaced with the lines between their points and control points.
struct Extent {
    bounds: Rect,
    /// The area, whose sign depends on the direction of the outline.
    area: f64,
    /// The length of the outline, including the line that closes it.
    length: f64,
}

impl Extent {
    fn of(part: &[PathEl], transform: Affine) -> Self {
        let mut first: Option<Point> = None;
        let mut last = Point::ZERO;
        let mut extent = Self { bounds: Rect::new(f64::MAX, f64::MAX, f64::MIN, f64::MIN), area: 0.0, length: 0.0 };
        let mut add = |point: Point| {
            let point = transform * point;
            let Rect { x0, y0, x1, y1 } = extent.bounds;
            extent.bounds = Rect::new(x0.min(point.x), y0.min(point.y), x1.max(point.x), y1.max(point.y));
            if first.is_some() {
                // The shoelace formula adds up the areas of the triangles between the origin and each line.
                extent.area += (last.x * point.y - point.x * last.y) / 2.0;
                extent.length += last.distance(point);
            }
            first.get_or_insert(point);
            last = point;
        };
        for element in part {
            match *element {
                PathEl::MoveTo(point) | PathEl::LineTo(point) => add(point),
                PathEl::QuadTo(control, point) => [control, point].into_iter().for_each(&mut add),
                PathEl::CurveTo(one, two, point) => [one, two, point].into_iter().for_each(&mut add),
                PathEl::ClosePath => {}
            }
        }
        if let Some(first) = first {
            extent.area += (last.x * first.y - first.x * last.y) / 2.0;
            extent.length += last.distance(first);
        }
        extent
    }

    /// Returns whether the part is thin: less than one pel along an axis, or less than `WIDTH_PELS` on average.
    fn is_thin(&self) -> bool {
        let is_flat = self.bounds.width() < 1.0 || self.bounds.height() < 1.0;
        // The outline of a thin shape is about twice as long as the shape.
        is_flat || self.area.abs() < WIDTH_PELS * self.length / 2.0
    }
}

/// Returns whether one of two parts is a hole that leaves only a thin line of the other.
fn is_thin_ring(one: Extent, two: Extent, rule: FillRule) -> bool {
    let (outer, inner) = if one.area.abs() > two.area.abs() { (one, two) } else { (two, one) };
    let is_within = outer.bounds.contains_rect(inner.bounds);
    let is_hole = rule == FillRule::EvenOdd || outer.area * inner.area < 0.0;
    let left = outer.area.abs() - inner.area.abs();
    is_within && is_hole && left < WIDTH_PELS * (outer.length + inner.length) / 2.0
}

/// Appends the runs of pels that the outline of a part touches.
fn trace(part: &[PathEl], transform: Affine, (width, height): (u32, u32), runs: &mut Vec<Run>) {
    let mut edges: Vec<(Point, Point)> = Vec::new();
    let (mut start, mut last) = (Point::ZERO, Point::ZERO);
    let page = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    flatten_near(part.iter().map(|element| transform * *element), page, TOLERANCE, |element| match element {
        PathEl::MoveTo(point) => (start, last) = (point, point),
        PathEl::LineTo(point) => {
            edges.push((last, point));
            last = point;
        }
        PathEl::ClosePath | PathEl::QuadTo(..) | PathEl::CurveTo(..) => {}
    });
    edges.push((last, start));
    let mut sides = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
    for (from, to) in &edges {
        if !(from.is_finite() && to.is_finite()) {
            return;
        }
        sides = [
            sides[0].min(from.x).min(to.x),
            sides[1].min(from.y).min(to.y),
            sides[2].max(from.x).max(to.x),
            sides[3].max(from.y).max(to.y),
        ];
    }
    // A side exactly between two pels touches only the inner one.
    let end = |low: f64, high: f64, limit: u32| high.ceil().max(low.floor() + 1.0).clamp(0.0, f64::from(limit)) as u32;
    let (right, bottom) = (end(sides[0], sides[2], width), end(sides[1], sides[3], height));
    let mut rows_left = ROWS_MAX;
    for (from, to) in edges {
        let (upper, lower) = if from.y < to.y { (from, to) } else { (to, from) };
        let limit = f64::from(height);
        let first = upper.y.floor().clamp(0.0, limit) as u32;
        let stop = (lower.y.floor() + 1.0).clamp(0.0, limit).min(f64::from(bottom)) as u32;
        let at = |y: f64| match lower.y - upper.y {
            rise if rise > 0.0 => upper.x + (lower.x - upper.x) * ((y - upper.y) / rise).clamp(0.0, 1.0),
            _ => upper.x,
        };
        rows_left = rows_left.saturating_sub(stop.saturating_sub(first));
        if rows_left == 0 || runs.len() >= RUNS_MAX {
            return;
        }
        for row in first..stop {
            let (mut a, mut b) = (at(f64::from(row)), at(f64::from(row) + 1.0));
            // A horizontal edge has no slope, and touches all pels between its ends.
            if lower.y <= upper.y {
                (a, b) = (from.x, to.x);
            }
            let (low, high) = (a.min(b).floor().max(0.0), a.max(b).floor() + 1.0);
            let (low, high) = (low.min(f64::from(width)) as u32, high.clamp(0.0, f64::from(right)) as u32);
            if low < high && runs.len() < RUNS_MAX {
                runs.push((row, low, high));
            }
        }
    }
}

/// The pels of the thin shapes on a page, which are needed if the full renderer draws the page.
#[derive(Debug, Default)]
pub(in crate::document) struct Slivers {
    runs: Vec<(Run, Ink)>,
    /// The pels of these runs that no other shape has covered since; `None` if there are no runs.
    shown: Option<Bitmap>,
}

impl Slivers {
    /// Records the parts of a run that are inside the clip.
    pub(super) fn note(&mut self, run: Run, ink: Ink, clip: &Clip, size: (u32, u32)) {
        if self.runs.len() >= RUNS_MAX || ink.alpha == 0 {
            return;
        }
        let shown = self.shown.get_or_insert_with(|| Bitmap::white(size.0, size.1));
        clip.each(run, |(row, from, to)| {
            fill_run(shown.row_mut(row), from, to);
            self.runs.push(((row, from, to), ink));
        });
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.shown.is_none()
    }

    /// Marks the pels of thin shapes as covered where another shape has painted a run.
    pub(super) fn cover(&mut self, run: Run, clip: &Clip) {
        if let Some(shown) = &mut self.shown {
            clip.each(run, |(row, from, to)| clear_run(shown.row_mut(row), from, to));
        }
    }

    /// Paints the visible pels on a part of the page. `left` and `top` are the page's column and row at which the part
    /// begins.
    pub(in crate::document) fn paint(&self, part: &mut Gray, (left, top): (u32, u32)) {
        let Some(shown) = &self.shown else { return };
        let (width, right) = (part.width() as usize, left.saturating_add(part.width()));
        for ((row, from, to), ink) in &self.runs {
            // The ink is mixed with white paper. Pels of the page that are darker than the result stay unchanged.
            let luma = 255 - u32::from(255 - ink.luma) * u32::from(ink.alpha) / 255;
            let luma = u8::try_from(luma).unwrap_or(u8::MAX);
            let Some(start) = row.checked_sub(top).map(|row| row as usize * width) else { continue };
            let Some(pels) = part.pels_mut().get_mut(start..start + width) else { continue };
            each_run(shown.row(*row), (*from).max(left), (*to).min(right), |from, to| {
                for pel in pels.get_mut((from - left) as usize..(to - left) as usize).into_iter().flatten() {
                    *pel = luma.min(*pel);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use hayro::kurbo::Shape;

    use super::*;

    /// Returns the runs of the thin parts of a path, on a page of 100 × 100 pels.
    fn runs(path: &BezPath) -> Vec<Run> {
        let mut runs = touched(path, Affine::IDENTITY, FillRule::NonZero, (100, 100), false);
        runs.sort_unstable();
        runs.dedup();
        runs
    }

    #[test]
    fn only_thin_rules_paint_the_pels_that_they_touch() {
        for (thickness, top, rows) in
            [(0.0, 5.0, 5..6), (0.2, 5.1, 5..6), (0.2, 5.9, 5..7), (0.9, 5.0, 5..6), (0.01, 5.0, 5..6)]
        {
            let rule = Rect::new(10.0, top, 30.5, top + thickness).to_path(0.1);
            let covered: Vec<u32> = runs(&rule).iter().map(|run| run.0).collect();
            assert!(rows.clone().all(|row| covered.contains(&row)), "{thickness} at {top}: {covered:?}");
            assert!(covered.iter().all(|row| rows.contains(row)), "{thickness} at {top}: {covered:?}");
            assert!(runs(&rule).contains(&(5, 10, 31)), "{:?}", runs(&rule));
        }
        assert!(runs(&Rect::new(10.0, 5.0, 30.0, 6.2).to_path(0.1)).is_empty());
    }

    #[test]
    fn a_slanting_sliver_paints_every_row_and_every_small_dot_shows() {
        let sliver = BezPath::from_svg("M10 10 L60 40.5 L60 40.7 L10 10.2 Z").expect("a valid path");
        let rows: std::collections::BTreeSet<u32> = runs(&sliver).iter().map(|run| run.0).collect();
        assert!((10..=40).all(|row| rows.contains(&row)));
        let mut dots = BezPath::new();
        for dot in 0..20 {
            let x = f64::from(dot) * 4.0 + 0.3;
            dots.extend(Rect::new(x, 50.2, x + 0.3, 50.5).to_path(0.1).iter());
        }
        assert_eq!(runs(&dots).len(), 20);
    }

    #[test]
    fn runs_of_distant_shapes_stay_on_the_page_and_nan_touches_nothing() {
        let wild = BezPath::from_svg("M-1e9 5 L1e9 5.1 Z").expect("a valid path");
        assert!(runs(&wild).iter().all(|(row, from, to)| *row == 5 && *from == 0 && *to == 100));
        let mut nothing = BezPath::new();
        nothing.move_to((f64::NAN, 1.0));
        nothing.line_to((5.0, f64::INFINITY));
        assert!(touched(&nothing, Affine::IDENTITY, FillRule::NonZero, (100, 100), true).is_empty());
    }
}
