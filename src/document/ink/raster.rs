//! Shapes to runs of pels: a pel belongs to a shape that covers more than a threshold of it. It paints nothing.

use hayro::hayro_interpret::FillRule;
use hayro::kurbo::{Affine, BezPath, PathEl, Point, flatten};

/// Lines of samples a row of pels; coverage across is exact.
const SAMPLES: u32 = 5;
/// How far a flattened curve may be off, in pels.
const TOLERANCE: f64 = 0.1;
/// Crossings of shapes with sample lines on one page; a page that needs more is left to another renderer.
const CROSSINGS_MAX: u64 = 20_000_000;

/// A run of pels of one row: row, first, end.
pub(super) type Run = (u32, u32, u32);

/// Finds the runs of shapes; keeps its memory from one to the next.
pub(super) struct Raster {
    threshold: f32,
    crossings: Vec<Crossing>,
    covered: Vec<f32>,
    steps: Vec<f32>,
    spent: u64,
}

#[derive(Clone, Copy)]
struct Crossing {
    line: u32,
    x: f32,
    up: i8,
}

impl Raster {
    pub(super) fn new(coverage: u8) -> Self {
        let threshold = f32::from(coverage) / 255.0;
        Self { threshold, crossings: Vec::new(), covered: Vec::new(), steps: Vec::new(), spent: 0 }
    }

    /// Whether more has been asked than is worth it.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.spent > CROSSINGS_MAX
    }

    /// A new page.
    pub(super) fn begin_page(&mut self) {
        self.spent = 0;
    }

    /// Hands over the runs of a path within `width` × `height` pels, from the top.
    pub(super) fn fill(
        &mut self,
        path: &BezPath,
        transform: Affine,
        rule: FillRule,
        (width, height): (u32, u32),
        mut take: impl FnMut(Run),
    ) {
        self.collect(path, transform, height);
        if self.crossings.is_empty() || self.is_exhausted() {
            return;
        }
        self.crossings.sort_unstable_by(|a, b| a.line.cmp(&b.line).then(a.x.total_cmp(&b.x)));
        let crossings = std::mem::take(&mut self.crossings);
        for row in crossings.chunk_by(|a, b| a.line / SAMPLES == b.line / SAMPLES) {
            self.row(row, rule, width, &mut take);
        }
        self.crossings = crossings;
    }

    /// The pels of a path that is an upright rectangle: left, top, right, bottom; none of any other path.
    pub(super) fn rectangle(&self, path: &BezPath, (width, height): (u32, u32)) -> Option<[u32; 4]> {
        let mut points: Vec<Point> = Vec::with_capacity(5);
        for element in path.elements() {
            match element {
                PathEl::MoveTo(point) if points.is_empty() => points.push(*point),
                PathEl::LineTo(point) if points.len() < 5 => points.push(*point),
                PathEl::ClosePath => {}
                PathEl::MoveTo(_) | PathEl::LineTo(_) | PathEl::QuadTo(..) | PathEl::CurveTo(..) => return None,
            }
        }
        if points.len() == 5 && points[0] == points[4] {
            points.pop();
        }
        let [a, b, c, d] = points.try_into().ok()?;
        let upright = |a: Point, b: Point, c: Point, d: Point| a.x == b.x && b.y == c.y && c.x == d.x && d.y == a.y;
        if !upright(a, b, c, d) && !upright(b, c, d, a) {
            return None;
        }
        let threshold = f64::from(self.threshold);
        // A pel at an edge belongs to the rectangle if more than the threshold of it lies within.
        let first = |at: f64, limit: u32| (at + threshold).floor().clamp(0.0, f64::from(limit)) as u32;
        let end = |at: f64, limit: u32| (at - threshold).ceil().clamp(0.0, f64::from(limit)) as u32;
        let (x0, x1, y0, y1) = (a.x.min(c.x), a.x.max(c.x), a.y.min(c.y), a.y.max(c.y));
        (x1.is_finite() && y1.is_finite())
            .then(|| [first(x0, width), first(y0, height), end(x1, width), end(y1, height)])
    }

    fn collect(&mut self, path: &BezPath, transform: Affine, height: u32) {
        self.crossings.clear();
        let (mut start, mut last) = (Point::ZERO, Point::ZERO);
        let mut edges: Vec<(Point, Point)> = Vec::new();
        flatten(path.iter().map(|element| transform * element), TOLERANCE, |element| match element {
            PathEl::MoveTo(point) => {
                edges.push((last, start));
                (start, last) = (point, point);
            }
            PathEl::LineTo(point) => {
                edges.push((last, point));
                last = point;
            }
            PathEl::ClosePath => {
                edges.push((last, start));
                last = start;
            }
            // Flattening leaves no curves.
            PathEl::QuadTo(..) | PathEl::CurveTo(..) => {}
        });
        edges.push((last, start));
        for (from, to) in edges {
            self.cross(from, to, height);
        }
    }

    /// The sample lines that an edge crosses.
    fn cross(&mut self, from: Point, to: Point, height: u32) {
        if !(from.is_finite() && to.is_finite()) {
            return;
        }
        let (upper, lower, up) = if from.y < to.y { (from, to, 1) } else { (to, from, -1) };
        let samples = f64::from(SAMPLES);
        let limit = f64::from(height * SAMPLES);
        let first = (upper.y * samples - 0.5).ceil().clamp(0.0, limit);
        let end = (lower.y * samples - 0.5).ceil().clamp(0.0, limit);
        if first >= end {
            return;
        }
        self.spent += (end - first) as u64;
        if self.is_exhausted() {
            return;
        }
        let slope = (lower.x - upper.x) / (lower.y - upper.y);
        for line in first as u32..end as u32 {
            let y = (f64::from(line) + 0.5) / samples;
            self.crossings.push(Crossing { line, x: (upper.x + (y - upper.y) * slope) as f32, up });
        }
    }

    /// The runs of one row of pels.
    fn row(&mut self, crossings: &[Crossing], rule: FillRule, width: u32, take: &mut impl FnMut(Run)) {
        let limit = width as f32;
        let least = crossings.iter().fold(limit, |least, crossing| least.min(crossing.x)).clamp(0.0, limit);
        let most = crossings.iter().fold(0.0_f32, |most, crossing| most.max(crossing.x)).clamp(0.0, limit);
        let (first, end) = (least.floor() as usize, most.ceil() as usize);
        if first >= end {
            return;
        }
        self.covered.clear();
        self.covered.resize(end - first + 1, 0.0);
        self.steps.clear();
        self.steps.resize(end - first + 2, 0.0);
        for line in crossings.chunk_by(|a, b| a.line == b.line) {
            let mut winding = 0_i32;
            for pair in line.windows(2) {
                winding += i32::from(pair[0].up);
                let inside = match rule {
                    FillRule::NonZero => winding != 0,
                    FillRule::EvenOdd => winding & 1 != 0,
                };
                if inside {
                    self.cover(pair[0].x.clamp(0.0, limit) - first as f32, pair[1].x.clamp(0.0, limit) - first as f32);
                }
            }
        }
        let needed = self.threshold * SAMPLES as f32;
        let row = crossings[0].line / SAMPLES;
        let (mut whole, mut start) = (0.0, None);
        for at in 0..=end - first {
            whole += self.steps[at];
            let is_in = at < end - first && whole + self.covered[at] > needed;
            match (is_in, start) {
                (true, None) => start = Some(at),
                (false, Some(from)) => {
                    take((row, (first + from) as u32, (first + at) as u32));
                    start = None;
                }
                _ => {}
            }
        }
    }

    /// Adds what a span of one sample line covers: parts of the pels at its ends, all of those between.
    fn cover(&mut self, from: f32, to: f32) {
        if to <= from {
            return;
        }
        let (head, tail) = (from.floor(), to.floor());
        let (first, last) = (head as usize, tail as usize);
        if first == last {
            self.covered[first] += to - from;
            return;
        }
        self.covered[first] += head + 1.0 - from;
        self.steps[first + 1] += 1.0;
        self.steps[last] -= 1.0;
        self.covered[last] += to - tail;
    }
}

#[cfg(test)]
mod tests {
    use hayro::kurbo::{Rect, Shape};

    use super::*;

    fn runs(path: &BezPath, rule: FillRule) -> Vec<Run> {
        let mut runs = Vec::new();
        Raster::new(100).fill(path, Affine::IDENTITY, rule, (100, 100), |run| runs.push(run));
        runs
    }

    #[test]
    fn a_rectangle_has_the_pels_it_covers_enough_of() {
        let path = Rect::new(10.2, 5.0, 20.5, 8.3).to_path(0.1);
        assert_eq!(runs(&path, FillRule::NonZero), [(5, 10, 21), (6, 10, 21), (7, 10, 21)]);
        let outside = Rect::new(-50.0, -50.0, 500.0, 0.9).to_path(0.1);
        assert_eq!(runs(&outside, FillRule::NonZero), [(0, 0, 100)]);
    }

    #[test]
    fn a_line_one_pel_wide_is_never_lost() {
        for tenth in 0..10 {
            let at = f64::from(tenth) / 10.0;
            let flat = Rect::new(0.0, 5.0 + at, 50.0, 6.0 + at).to_path(0.1);
            assert!((1..=2).contains(&runs(&flat, FillRule::NonZero).len()), "{at}");
            let upright = Rect::new(5.0 + at, 0.0, 6.0 + at, 50.0).to_path(0.1);
            assert_eq!(runs(&upright, FillRule::NonZero).len(), 50, "{at}");
        }
    }

    #[test]
    fn overlaps_are_filled_or_left_out_by_the_rule() {
        let mut path = Rect::new(0.0, 0.0, 30.0, 1.0).to_path(0.1);
        path.extend(Rect::new(10.0, 0.0, 20.0, 1.0).to_path(0.1).iter());
        assert_eq!(runs(&path, FillRule::NonZero), [(0, 0, 30)]);
        assert_eq!(runs(&path, FillRule::EvenOdd), [(0, 0, 10), (0, 20, 30)]);
    }

    #[test]
    fn what_is_not_a_number_is_left_out_and_what_is_endless_stops() {
        let mut path = BezPath::new();
        path.move_to((f64::NAN, 0.0));
        path.line_to((10.0, f64::INFINITY));
        path.close_path();
        assert!(runs(&path, FillRule::NonZero).is_empty());
        let mut raster = Raster::new(100);
        let tall = Rect::new(0.0, 0.0, 1.0, 10_000.0).to_path(0.1);
        (0..1_000).for_each(|_| raster.fill(&tall, Affine::IDENTITY, FillRule::NonZero, (10, 10_000), |_| {}));
        assert!(raster.is_exhausted());
    }
}
