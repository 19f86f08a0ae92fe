//! Converts shapes to runs of pels. A pel belongs to a shape if the shape covers more than a certain share of it.

use hayro::hayro_interpret::FillRule;
use hayro::kurbo::{Affine, BezPath, PathEl, Point, Rect};

use super::near::flatten_near;

/// The number of sample lines per row of pels; horizontally, coverage is exact.
const SAMPLES: u32 = 5;
/// The maximum deviation of a flattened curve from the curve itself, in pels.
const TOLERANCE: f64 = 0.1;
/// The maximum number of times that shapes may cross sample lines on one page; a page that needs more is left to the
/// full renderer.
const CROSSINGS_MAX: u64 = 20_000_000;

/// The maximum number of crossings per shape, because all of them are kept until it is painted.
const SHAPE_CROSSINGS_MAX: usize = 4_000_000;

/// The maximum number of edges per shape, because all of them are kept until it is painted.
const SHAPE_EDGES_MAX: usize = 2_000_000;

/// A run of pels in one row, given as the row, the first pel, and the pel after the last.
pub(super) type Run = (u32, u32, u32);

/// The maximum width of a shape's row that is examined pel by pel; wider rows are examined only where coverage changes.
const DENSE_PELS: usize = 96;

/// Finds the runs of shapes, reusing its buffers between shapes.
pub(super) struct Raster {
    threshold: f32,
    edges: Vec<(Point, Point)>,
    crossings: Vec<Crossing>,
    sorter: Sorter,
    /// The coverage of each pel by spans that begin or end in it. All values are zero again after each row.
    covered: Vec<f32>,
    /// For each pel, the number of sample lines that cover it fully, minus the number of those that cover the pel
    /// before it fully. All values are zero again after each row.
    steps: Vec<f32>,
    /// The pels at which `covered` or `steps` may be non-zero.
    marks: Vec<u32>,
    /// How much of `CROSSINGS_MAX` the page has used so far.
    spent: u64,
}

/// A point at which an edge crosses a sample line.
#[derive(Clone, Copy)]
struct Crossing {
    line: u32,
    x: f32,
    /// The direction of the edge: 1 if `y` increases along it, otherwise −1.
    up: i8,
}

impl Raster {
    pub(super) fn new(coverage: u8) -> Self {
        Self {
            threshold: f32::from(coverage) / 255.0,
            edges: Vec::new(),
            crossings: Vec::new(),
            sorter: Sorter::default(),
            covered: Vec::new(),
            steps: Vec::new(),
            marks: Vec::new(),
            spent: 0,
        }
    }

    /// Returns whether the page has used up its crossings.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.spent > CROSSINGS_MAX
    }

    /// Declares the page's crossings used up, so that the full renderer draws the page.
    pub(super) fn exhaust(&mut self) {
        self.spent = CROSSINGS_MAX + 1;
    }

    /// Starts a page, on which no crossings have been used yet.
    pub(super) fn begin_page(&mut self) {
        self.spent = 0;
    }

    /// Calls `take` for each run of a path within `width` × `height` pels, from top to bottom. Once the page has used
    /// up its crossings, only upright rectangles have runs.
    pub(super) fn fill(
        &mut self,
        path: &BezPath,
        transform: Affine,
        rule: FillRule,
        (width, height): (u32, u32),
        mut take: impl FnMut(Run),
    ) {
        if let Some(corners) = corners(path, transform) {
            self.fill_rectangle(corners, (width, height), take);
            return;
        }
        if self.is_exhausted() {
            return;
        }
        self.collect(path, transform, (width, height));
        if self.crossings.is_empty() || self.is_exhausted() {
            return;
        }
        self.sorter.sort(&mut self.crossings);
        // Marks may be just beyond the last pel.
        let pels = width as usize + 3;
        if self.covered.len() < pels {
            self.covered.resize(pels, 0.0);
            self.steps.resize(pels, 0.0);
        }
        let crossings = std::mem::take(&mut self.crossings);
        for row in crossings.chunk_by(|a, b| a.line / SAMPLES == b.line / SAMPLES) {
            self.row(row, rule, width, &mut take);
        }
        self.crossings = crossings;
    }

    /// Finds the runs of an upright rectangle, given as left, top, right, bottom.
    fn fill_rectangle(&mut self, [x0, y0, x1, y1]: [f64; 4], (width, height): (u32, u32), mut take: impl FnMut(Run)) {
        let (first, end) = sample_lines(y0, y1, height);
        let limit = width as f32;
        let (from, to) = ((x0 as f32).clamp(0.0, limit), (x1 as f32).clamp(0.0, limit));
        if first >= end || from >= to {
            return;
        }
        let needed = self.threshold * SAMPLES as f32;
        let (head, tail) = (from.floor(), to.floor());
        self.spent += u64::from((end - first) / SAMPLES);
        for row in first / SAMPLES..=(end - 1) / SAMPLES {
            let lines = (end.min((row + 1) * SAMPLES) - first.max(row * SAMPLES)) as f32;
            let start = if lines * (to.min(head + 1.0) - from) > needed { head } else { head + 1.0 };
            let stop = if lines * (to - from.max(tail)) > needed { tail + 1.0 } else { tail };
            if lines > needed && start < stop {
                take((row, start as u32, stop as u32));
            }
        }
    }

    /// Returns the pels of an upright rectangle as left, top, right, bottom; `None` for any other path.
    pub(super) fn rectangle(&self, path: &BezPath, (width, height): (u32, u32)) -> Option<[u32; 4]> {
        let [x0, y0, x1, y1] = corners(path, Affine::IDENTITY)?;
        let threshold = f64::from(self.threshold);
        // A pel at an edge belongs to the rectangle if the rectangle covers more of it than the threshold.
        let first = |at: f64, limit: u32| (at + threshold).floor().clamp(0.0, f64::from(limit)) as u32;
        let end = |at: f64, limit: u32| (at - threshold).ceil().clamp(0.0, f64::from(limit)) as u32;
        Some([first(x0, width), first(y0, height), end(x1, width), end(y1, height)])
    }

    /// Collects the crossings of a path's edges with the sample lines.
    fn collect(&mut self, path: &BezPath, transform: Affine, size: (u32, u32)) {
        self.crossings.clear();
        let (mut start, mut last) = (Point::ZERO, Point::ZERO);
        let edges = &mut self.edges;
        edges.clear();
        let page = Rect::new(0.0, 0.0, f64::from(size.0), f64::from(size.1));
        let mut add = |edge| {
            // One edge above the limit is enough to show that there are too many.
            if edges.len() <= SHAPE_EDGES_MAX {
                edges.push(edge);
            }
        };
        flatten_near(path.iter().map(|element| transform * element), page, TOLERANCE, |element| match element {
            PathEl::MoveTo(point) => {
                // Filling closes every open part (ISO 32000-1, 8.5.3.3).
                add((last, start));
                (start, last) = (point, point);
            }
            PathEl::LineTo(point) => {
                add((last, point));
                last = point;
            }
            PathEl::ClosePath => {
                add((last, start));
                last = start;
            }
            // Flattening leaves no curves.
            PathEl::QuadTo(..) | PathEl::CurveTo(..) => {}
        });
        add((last, start));
        if self.edges.len() > SHAPE_EDGES_MAX {
            self.exhaust();
            return;
        }
        for at in 0..self.edges.len() {
            let (from, to) = self.edges[at];
            self.cross(from, to, size.1);
        }
    }

    /// Records the sample lines that an edge crosses.
    fn cross(&mut self, from: Point, to: Point, height: u32) {
        if !(from.is_finite() && to.is_finite()) {
            return;
        }
        // The direction is kept, because the non-zero rule depends on it.
        let (upper, lower, up) = if from.y < to.y { (from, to, 1) } else { (to, from, -1) };
        let samples = f64::from(SAMPLES);
        let (first, end) = sample_lines(upper.y, lower.y, height);
        if first >= end {
            return;
        }
        self.spent += u64::from(end - first);
        if self.crossings.len() > SHAPE_CROSSINGS_MAX {
            self.exhaust();
        }
        if self.is_exhausted() {
            return;
        }
        let slope = (lower.x - upper.x) / (lower.y - upper.y);
        for line in first..end {
            let y = (f64::from(line) + 0.5) / samples;
            self.crossings.push(Crossing { line, x: (upper.x + (y - upper.y) * slope) as f32, up });
        }
    }

    /// Finds the runs of one row of pels.
    fn row(&mut self, crossings: &[Crossing], rule: FillRule, width: u32, take: &mut impl FnMut(Run)) {
        let limit = width as f32;
        // Only pels between the outermost crossings can be covered.
        let least = crossings.iter().fold(limit, |least, crossing| least.min(crossing.x)).clamp(0.0, limit);
        let most = crossings.iter().fold(0.0_f32, |most, crossing| most.max(crossing.x)).clamp(0.0, limit);
        let (first, end) = (least.floor() as u32, most.ceil() as u32);
        if first >= end {
            return;
        }
        self.marks.clear();
        for line in crossings.chunk_by(|a, b| a.line == b.line) {
            let mut winding = 0_i32;
            for pair in line.windows(2) {
                winding += i32::from(pair[0].up);
                let inside = match rule {
                    FillRule::NonZero => winding != 0,
                    FillRule::EvenOdd => winding & 1 != 0,
                };
                if inside {
                    self.cover(pair[0].x.clamp(0.0, limit), pair[1].x.clamp(0.0, limit));
                }
            }
        }
        let row = crossings[0].line / SAMPLES;
        // Examining a few pels one by one is faster than sorting marks.
        if (end - first) as usize <= DENSE_PELS {
            self.marks.clear();
            self.marks.extend(first..=end + 1);
        } else {
            self.marks.sort_unstable();
            self.marks.dedup();
        }
        self.runs(row, take);
    }

    /// Finds the runs of a row, which can begin and end only at marks.
    fn runs(&mut self, row: u32, take: &mut impl FnMut(Run)) {
        let needed = self.threshold * SAMPLES as f32;
        let (mut whole, mut start) = (0.0, None);
        for mark in &self.marks {
            let at = *mark as usize;
            whole += std::mem::take(&mut self.steps[at]);
            let is_in = whole + std::mem::take(&mut self.covered[at]) > needed;
            match (is_in, start) {
                (true, None) => start = Some(*mark),
                (false, Some(from)) => {
                    take((row, from, *mark));
                    start = None;
                }
                _ => {}
            }
        }
    }

    /// Adds the coverage of a span of one sample line. The span covers the pels at its ends partly, and the pels in
    /// between fully.
    fn cover(&mut self, from: f32, to: f32) {
        if to <= from {
            return;
        }
        let (head, tail) = (from.floor(), to.floor());
        let (first, last) = (head as usize, tail as usize);
        self.marks.extend([head as u32, head as u32 + 1]);
        if first == last {
            self.covered[first] += to - from;
            return;
        }
        self.covered[first] += head + 1.0 - from;
        self.steps[first + 1] += 1.0;
        self.steps[last] -= 1.0;
        self.covered[last] += to - tail;
        self.marks.extend([tail as u32, tail as u32 + 1]);
    }
}

/// Returns the first sample line between two heights, and the line after the last. A sample line is in the middle of
/// its part of a row.
fn sample_lines(upper: f64, lower: f64, height: u32) -> (u32, u32) {
    let limit = f64::from(height * SAMPLES);
    let line = |y: f64| (y * f64::from(SAMPLES) - 0.5).ceil().clamp(0.0, limit) as u32;
    (line(upper), line(lower))
}

/// Returns whether a path is an upright rectangle. It may begin at any corner and run in either direction.
pub(super) fn is_rectangle(path: &BezPath) -> bool {
    corners(path, Affine::IDENTITY).is_some()
}

/// Returns the sides of an upright rectangle as left, top, right, bottom; `None` for any other path.
fn corners(path: &BezPath, transform: Affine) -> Option<[f64; 4]> {
    let mut points = [Point::ZERO; 4];
    let mut count = 0;
    for element in path.elements() {
        let point = match element {
            PathEl::MoveTo(point) if count == 0 => transform * *point,
            PathEl::LineTo(point) if count > 0 => transform * *point,
            PathEl::ClosePath => continue,
            PathEl::MoveTo(_) | PathEl::LineTo(_) | PathEl::QuadTo(..) | PathEl::CurveTo(..) => return None,
        };
        // If a path returns to its first point to close itself, that isn't a fifth corner.
        let is_new = count == 0 || point != points[count - 1] && !(count == 4 && point == points[0]);
        if is_new {
            *points.get_mut(count)? = point;
            count += 1;
        }
    }
    let [a, b, c, d] = points;
    let upright = |a: Point, b: Point, c: Point, d: Point| a.x == b.x && b.y == c.y && c.x == d.x && d.y == a.y;
    let is_rectangle = count == 4 && (upright(a, b, c, d) || upright(b, c, d, a)) && a.is_finite() && c.is_finite();
    is_rectangle.then(|| [a.x.min(c.x), a.y.min(c.y), a.x.max(c.x), a.y.max(c.y)])
}

/// Sorts crossings by line, then from left to right. The crossings of large shapes are first distributed by line,
/// because such shapes have many lines with few crossings each.
#[derive(Default)]
struct Sorter {
    starts: Vec<u32>,
    sorted: Vec<Crossing>,
}

impl Sorter {
    /// The number of crossings below which distributing them isn't worthwhile.
    const DEALT_MIN: usize = 256;

    fn sort(&mut self, crossings: &mut Vec<Crossing>) {
        let (first, last) =
            crossings.iter().fold((u32::MAX, 0), |(first, last), each| (first.min(each.line), last.max(each.line)));
        let lines = last.saturating_sub(first) as usize + 1;
        // Distributing takes time for each line, even for a line without crossings.
        if crossings.len() < Self::DEALT_MIN || lines > crossings.len() * 4 {
            crossings.sort_unstable_by(|a, b| a.line.cmp(&b.line).then(a.x.total_cmp(&b.x)));
            return;
        }
        // This is a counting sort: `starts` first has the number of crossings per line, then the start of each line.
        self.starts.clear();
        self.starts.resize(lines + 1, 0);
        for each in &*crossings {
            self.starts[(each.line - first) as usize + 1] += 1;
        }
        for line in 0..lines {
            self.starts[line + 1] += self.starts[line];
        }
        self.sorted.clear();
        self.sorted.resize(crossings.len(), Crossing { line: 0, x: 0.0, up: 0 });
        for each in &*crossings {
            let start = &mut self.starts[(each.line - first) as usize];
            self.sorted[*start as usize] = *each;
            *start += 1;
        }
        for line in self.sorted.chunk_by_mut(|a, b| a.line == b.line) {
            line.sort_unstable_by(|a, b| a.x.total_cmp(&b.x));
        }
        std::mem::swap(crossings, &mut self.sorted);
    }
}

#[cfg(test)]
mod tests {
    use hayro::kurbo::{Rect, Shape};

    use super::*;

    /// Returns the runs of a path on a page of 100 × 100 pels.
    fn runs(path: &BezPath, rule: FillRule) -> Vec<Run> {
        let mut runs = Vec::new();
        Raster::new(100).fill(path, Affine::IDENTITY, rule, (100, 100), |run| runs.push(run));
        runs
    }

    #[test]
    fn a_rectangle_contains_the_pels_that_it_covers_sufficiently() {
        let path = Rect::new(10.2, 5.0, 20.5, 8.3).to_path(0.1);
        assert_eq!(runs(&path, FillRule::NonZero), [(5, 10, 21), (6, 10, 21), (7, 10, 21)]);
        let outside = Rect::new(-50.0, -50.0, 500.0, 0.9).to_path(0.1);
        assert_eq!(runs(&outside, FillRule::NonZero), [(0, 0, 100)]);
    }

    #[test]
    fn a_rectangle_contains_the_same_pels_by_either_method() {
        for (x0, y0, x1, y1) in
            [(10.2, 5.0, 20.5, 8.3), (0.4, 0.9, 1.7, 1.1), (3.0, 3.3, 3.9, 40.55), (1.6, 2.0, 99.5, 101.0)]
        {
            let mut path = Rect::new(x0, y0, x1, y1).to_path(0.1);
            let by_its_sides = runs(&path, FillRule::NonZero);
            // A distant speck makes the path something other than a rectangle.
            path.extend(Rect::new(500.0, y0, 501.0, y0).to_path(0.1).iter());
            assert_eq!(runs(&path, FillRule::NonZero), by_its_sides);
        }
    }

    #[test]
    fn many_crossings_are_sorted_like_few() {
        let mut path = BezPath::new();
        for tooth in 0..40 {
            path.move_to((f64::from(tooth * 37 % 90), 0.0));
            path.line_to((f64::from(tooth * 53 % 90), 99.0));
            path.line_to((f64::from(tooth * 53 % 90) + 1.5, 99.0));
            path.close_path();
        }
        let mut raster = Raster::new(100);
        raster.collect(&path, Affine::IDENTITY, (100, 100));
        let mut few = raster.crossings.clone();
        few.sort_unstable_by(|a, b| a.line.cmp(&b.line).then(a.x.total_cmp(&b.x)));
        raster.sorter.sort(&mut raster.crossings);
        let plain = |crossings: &[Crossing]| crossings.iter().map(|each| (each.line, each.x)).collect::<Vec<_>>();
        assert_eq!(plain(&raster.crossings), plain(&few));
    }

    #[test]
    fn lines_one_pel_wide_are_never_lost() {
        for tenth in 0..10 {
            let at = f64::from(tenth) / 10.0;
            let flat = Rect::new(0.0, 5.0 + at, 50.0, 6.0 + at).to_path(0.1);
            assert!((1..=2).contains(&runs(&flat, FillRule::NonZero).len()), "{at}");
            let upright = Rect::new(5.0 + at, 0.0, 6.0 + at, 50.0).to_path(0.1);
            assert_eq!(runs(&upright, FillRule::NonZero).len(), 50, "{at}");
        }
    }

    #[test]
    fn overlaps_are_filled_according_to_the_rule() {
        let mut path = Rect::new(0.0, 0.0, 30.0, 1.0).to_path(0.1);
        path.extend(Rect::new(10.0, 0.0, 20.0, 1.0).to_path(0.1).iter());
        assert_eq!(runs(&path, FillRule::NonZero), [(0, 0, 30)]);
        assert_eq!(runs(&path, FillRule::EvenOdd), [(0, 0, 10), (0, 20, 30)]);
    }

    #[test]
    fn nan_coordinates_are_ignored_and_too_many_crossings_exhaust_the_raster() {
        let mut path = BezPath::new();
        path.move_to((f64::NAN, 0.0));
        path.line_to((10.0, f64::INFINITY));
        path.close_path();
        assert!(runs(&path, FillRule::NonZero).is_empty());
        let mut raster = Raster::new(100);
        let tall = BezPath::from_svg("M0 0 L1 10000 L3 0 Z").expect("a valid path");
        (0..1_000).for_each(|_| raster.fill(&tall, Affine::IDENTITY, FillRule::NonZero, (10, 10_000), |_| {}));
        assert!(raster.is_exhausted());
    }
}
