//! Estimates whether the full renderer, hayro, can draw a page. hayro 0.9 limits neither the number of dashes, pattern
//! tiles and image copies, nor the number of lines into which it flattens a curve. So with a few large numbers, a page
//! can demand more memory than any machine has. The device in this file receives everything that a page draws,
//! including the contents of patterns and masks, and adds up the cost without drawing anything.

use std::collections::{HashMap, HashSet};

use hayro::hayro_interpret::font::{Glyph, GlyphRun, OutlineGlyph};
use hayro::hayro_interpret::pattern::ShadingPattern;
use hayro::hayro_interpret::pattern::{Pattern, TilingPattern};
use hayro::hayro_interpret::shading::ShadingType;
use hayro::hayro_interpret::util::x_y_advances;
use hayro::hayro_interpret::{
    BlendMode, CacheKey, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, Paint, SoftMask, StencilImage,
    StrokeProps,
};
use hayro::kurbo::{Affine, BezPath, PathEl, Point, Rect};

use super::near::{is_near, lines_uncut};
use super::raster::is_rectangle;
use super::strokes::{DASHES_MAX, dashes, length};

/// The maximum number of bytes that hayro may keep for pictures, masks and edges until a page is drawn: two
/// thirds of a renderer's memory, or about seventy bytes for each pel of a page at fine resolution.
const BYTES_MAX: f64 = 256.0 * 1024.0 * 1024.0;
/// The bytes that hayro keeps for each pel through which an edge runs; this is a measured value.
const BYTES_PER_EDGE_PEL: f64 = 12.0;
/// The bytes that hayro keeps for each pel inside a shape; this is a measured value.
const BYTES_PER_FILLED_PEL: f64 = 1.0 / 64.0;
/// The estimated total length of a letter's edges, in ems.
const LETTER_EDGE_EMS: f64 = 5.0;
/// The maximum number of lines into which the curves of one path may be flattened; they take a quarter of a renderer's
/// memory.
const LINES_MAX: f64 = 2e6;
/// The number of lines in the outline of a stroked curve, per line into which the curve itself is flattened.
const LINES_OF_STROKE: f64 = 16.0;
/// The maximum number of copies of pattern cells per page.
const TILES_MAX: f64 = 100_000.0;
/// The maximum number of patterns per page that are measured, including nested ones.
const PATTERNS_MAX: usize = 10_000;
/// The maximum distance that a letter is assumed to extend from its origin, in ems.
const LETTER_EMS: f64 = 8.0;
/// Units per em in hayro's outlines.
const EM: f64 = 1_000.0;
/// The number of stencils per page that are assumed, without being decoded, to be painted with a pattern.
const STENCILS_TAKEN_AS_PATTERNED: u32 = 4;
/// The bytes per pel of a picture created by hayro, which has four channels.
const BYTES_PER_PEL: f64 = 4.0;
/// The bytes per pel of a mesh: an entry of a hash table, which is copied as it grows.
const BYTES_PER_MESH_PEL: f64 = 72.0;
/// The maximum number of pels in the triangles of meshes per page; drawing so many takes about ten seconds.
const MESH_PELS_MAX: f64 = 2e8;
/// The largest coefficient for which calculations in single precision, as in hayro, still yield useful results.
const COUNTABLE: f64 = 1e18;
/// The maximum width and height of a picture created by hayro, in pels.
const SIDE_PELS_MAX: f64 = 65_535.0;

/// The estimated cost of one page so far.
pub(super) struct Measure {
    /// The area that is drawn: the page, or a pattern's cell while that is being measured.
    shown: Rect,
    /// The bytes that hayro keeps: pictures, masks, edges and filled pels.
    bytes: f64,
    /// The number of copies of pattern cells.
    tiles: f64,
    /// The number of pels in the triangles of meshes.
    mesh_pels: f64,
    /// Whether a single item has exceeded a limit, so that the totals no longer matter.
    has_excess: bool,
    /// The number of stencils so far.
    stencils: u32,
    /// The masks that have been measured. hayro draws each of them only once.
    seen: HashSet<u128>,
    /// For each pattern, how many cells hayro draws each time it draws this pattern's cell: one for the cell itself,
    /// and those of all patterns nested in it. The number is infinite while the pattern is being measured, so that a
    /// pattern that contains itself exceeds the limit.
    cells: HashMap<u128, f64>,
}

impl Measure {
    pub(super) fn new((width, height): (u32, u32)) -> Self {
        let shown = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        Self {
            shown,
            bytes: 0.0,
            tiles: 0.0,
            mesh_pels: 0.0,
            has_excess: false,
            stencils: 0,
            seen: HashSet::new(),
            cells: HashMap::new(),
        }
    }

    /// Returns whether the page demands more than the limits allow.
    pub(super) fn is_too_much(&self) -> bool {
        let fits = self.bytes <= BYTES_MAX && self.tiles <= TILES_MAX && self.mesh_pels <= MESH_PELS_MAX;
        self.has_excess || !fits
    }

    /// Adds the cost of filling and stroking a path.
    pub(super) fn path(&mut self, path: &BezPath, props: &DrawProps<'_>, mode: &DrawMode) {
        let (fill, line) = super::parts(mode);
        if fill.is_some() {
            self.fill(path, props.transform);
            let held = props.transform.transform_rect_bbox(path.control_box());
            if held.overlaps(self.shown) {
                self.bytes += held.intersect(self.shown).area() * BYTES_PER_FILLED_PEL;
            }
        }
        if let Some(line) = line {
            self.line(path, props.transform, line);
        }
        let area = if matches!(props.paint, Paint::Pattern(_)) { path.control_box() } else { Rect::ZERO };
        let reach = line.map_or(0.0, |line| f64::from(line.line_width));
        self.paint(&props.paint, props.transform.transform_rect_bbox(area.inflate(reach, reach)), fill.is_none());
        self.mask(props.soft_mask.as_ref());
    }

    /// Adds the cost of a clip.
    pub(super) fn clip(&mut self, clip: &ClipPath) {
        // Clips that are upright rectangles cost nothing, and a page may have one for each word.
        if !is_rectangle(&clip.path) {
            self.fill(&clip.path, Affine::IDENTITY);
        }
    }

    /// Adds the cost of those letters of a run that have outlines. A letter of a Type 3 font has none; the shapes that
    /// it draws are measured instead.
    pub(super) fn letters(&mut self, run: &GlyphRun<'_, '_>, props: &DrawProps<'_>, mode: &DrawMode) {
        let (fill, line) = super::parts(mode);
        for glyph in run.glyphs() {
            let Glyph::Outline(outline) = &**glyph else { continue };
            let place = props.transform * glyph.transform();
            if fill.is_some() && !self.is_small(place) {
                self.fill(&outline.outline(), place);
            } else {
                self.bytes += self.letter_edge_pels(place) * BYTES_PER_EDGE_PEL;
            }
            if let Some(line) = line {
                self.letter_line(outline, glyph.transform(), props.transform, line);
            }
        }
        self.paint(&props.paint, self.shown, fill.is_none());
        self.mask(props.soft_mask.as_ref());
    }

    /// Adds the cost of an image.
    pub(super) fn image(&mut self, image: &Image<'_, '_>, props: &ImageDrawProps<'_>) {
        self.mask(props.soft_mask.as_ref());
        let (width, height) = (f64::from(image.width()), f64::from(image.height()));
        let area = props.transform.transform_rect_bbox(Rect::new(0.0, 0.0, width, height));
        if area.is_finite() && !area.overlaps(self.shown) {
            return;
        }
        let (across, down) = x_y_advances(&props.transform);
        let (across, down) = (across.length(), down.length());
        // If the image must be reduced in one direction, hayro creates a copy that is scaled in both directions, even
        // if it is enlarged in the other.
        let (width, height) =
            if across < 1.0 || down < 1.0 { (width * across, height * down) } else { (width, height) };
        self.picture(width.ceil().min(SIDE_PELS_MAX / 2.0), height.ceil().min(SIDE_PELS_MAX / 2.0));
        if let Image::Stencil(stencil) = image
            && self.may_be_patterned(stencil)
        {
            self.picture(self.shown.width(), self.shown.height());
        }
    }

    /// Returns whether a stencil may be painted with a pattern, for which hayro keeps a mask as large as the page. Only
    /// decoding the stencil would show this. The first few stencils are assumed to be patterned, and only later ones
    /// are decoded. A page has at most a few large stencils, which are slow to decode, whereas a bitmap font has
    /// hundreds of small ones.
    fn may_be_patterned(&mut self, stencil: &StencilImage<'_, '_>) -> bool {
        self.stencils += 1;
        if self.stencils <= STENCILS_TAKEN_AS_PATTERNED {
            return true;
        }
        let mut is_patterned = false;
        stencil.with_stencil(|_, paint| is_patterned = matches!(paint, Paint::Pattern(_)), Some((1, 1)));
        is_patterned
    }

    /// Adds the cost of a soft mask, unless the mask has been measured already.
    pub(super) fn mask(&mut self, mask: Option<&SoftMask<'_>>) {
        let Some(mask) = mask else { return };
        if self.seen.insert(mask.cache_key()) {
            self.bytes += self.shown.area();
            self.within(|measure| mask.interpret(measure), 1.0);
        }
    }

    /// Measures something that is drawn `times` times, separately from the page, and then freed. Its bytes must not
    /// exceed the limit together with those of the page so far, but they aren't added to the total.
    fn within(&mut self, draw: impl FnOnce(&mut Self), times: f64) {
        let before = std::mem::take(&mut self.bytes);
        draw(self);
        self.has_excess |= exceeds(before + self.bytes * times, BYTES_MAX);
        self.bytes = before;
    }

    /// Adds the cost of filling a path.
    fn fill(&mut self, path: &BezPath, transform: Affine) {
        let lines = lines_uncut(path.iter().map(|element| transform * element), self.shown);
        self.has_excess |= exceeds(lines, LINES_MAX);
        self.bytes += edge_pels(path.iter().map(|element| transform * element), self.shown) * BYTES_PER_EDGE_PEL;
    }

    /// Adds the cost of stroking a path.
    fn line(&mut self, path: &BezPath, transform: Affine, line: &StrokeProps) {
        let style = super::style(line, f64::from(line.line_width));
        let extent = style.width * style.miter_limit.max(2.0);
        let area = transform.transform_rect_bbox(path.control_box().inflate(extent, extent));
        // hayro skips a line that is outside the page, but only if its bounds are finite.
        if area.is_finite() && !area.overlaps(self.shown) {
            return;
        }
        let lines = lines_uncut(
            path.iter().map(|element| transform * element),
            Rect::new(f64::MIN, f64::MIN, f64::MAX, f64::MAX),
        );
        // The outline of a line has two sides.
        let pels = 2.0 * edge_pels(path.iter().map(|element| transform * element), self.shown);
        self.bytes += pels * BYTES_PER_EDGE_PEL;
        self.has_excess |= exceeds(lines * LINES_OF_STROKE, LINES_MAX) || dashes(length(path), &style) > DASHES_MAX;
    }

    /// Adds the cost of stroking a letter; a small letter without dashes is not measured.
    fn letter_line(&mut self, letter: &OutlineGlyph, glyph: Affine, transform: Affine, line: &StrokeProps) {
        if !self.is_small(transform * glyph) || !line.dash_array.is_empty() {
            self.line(&(glyph * letter.outline()), transform, line);
        }
    }

    /// Returns whether a letter is so near the page and so small that its cost is estimated rather than measured.
    fn is_small(&self, transform: Affine) -> bool {
        let [a, b, c, d, e, f] = transform.as_coeffs();
        let reach = (a.abs() + b.abs() + c.abs() + d.abs()) * EM * LETTER_EMS;
        is_near([PathEl::MoveTo((e.abs() + reach, f.abs() + reach).into())].into_iter(), self.shown)
    }

    /// Returns the estimated length of a letter's edges on the page, in pels.
    fn letter_edge_pels(&self, transform: Affine) -> f64 {
        let [a, b, c, d, e, f] = transform.as_coeffs();
        let em = (a.abs() + b.abs()).max(c.abs() + d.abs()) * EM;
        let around = Rect::new(e - em, f - em, e + em, f + em).intersect(self.shown);
        if around.width() <= 0.0 || around.height() <= 0.0 {
            0.0
        } else {
            LETTER_EDGE_EMS * em.min(around.width() + around.height())
        }
    }

    /// Adds a picture of this size in pels.
    fn picture(&mut self, width: f64, height: f64) {
        self.bytes += width * height * BYTES_PER_PEL;
    }

    /// Adds the cost of painting an area with a pattern.
    fn paint(&mut self, paint: &Paint<'_>, area: Rect, is_stroke: bool) {
        let Paint::Pattern(pattern) = paint else { return };
        let area = if area.is_finite() { area.intersect(self.shown) } else { self.shown };
        match &**pattern {
            Pattern::Shading(shading) => {
                self.picture(area.width(), area.height());
                self.mesh(shading);
            }
            Pattern::Tiling(tiling) => self.tiles(tiling, area, is_stroke),
        }
    }

    /// Adds the cost of a mesh. hayro draws all of its triangles, even those that are far from the page.
    fn mesh(&mut self, pattern: &ShadingPattern) {
        let mut parts = Vec::new();
        match pattern.shading.shading_type.as_ref() {
            ShadingType::TriangleMesh { triangles, .. } => {
                parts
                    .extend(triangles.iter().map(|each| held(&[each.p0.point, each.p1.point, each.p2.point], pattern)));
            }
            ShadingType::CoonsPatchMesh { patches, .. } => {
                parts.extend(patches.iter().map(|patch| held(&patch.control_points, pattern)));
            }
            ShadingType::TensorProductPatchMesh { patches, .. } => {
                parts.extend(patches.iter().map(|patch| held(&patch.control_points, pattern)));
            }
            ShadingType::FunctionBased { .. } | ShadingType::RadialAxial { .. } | ShadingType::Dummy => {}
        }
        let pels: f64 = parts.iter().map(Rect::area).sum();
        let all = parts.into_iter().reduce(|all, part| all.union(part)).map_or(0.0, |all| all.area());
        self.mesh_pels += pels;
        self.has_excess |= pels.min(all) * BYTES_PER_MESH_PEL > BYTES_MAX;
    }

    /// Adds the cost of painting an area with a tiling pattern.
    fn tiles(&mut self, pattern: &TilingPattern<'_>, area: Rect, is_stroke: bool) {
        let area = pattern.matrix.inverse().transform_rect_bbox(area);
        let (across, down) = x_y_advances(&pattern.matrix);
        let bounds = pattern.bbox;
        let x = Tiles::new(across.length(), (bounds.x0, bounds.x1), pattern.x_step, (area.x0, area.x1));
        let y = Tiles::new(down.length(), (bounds.y0, bounds.y1), pattern.y_step, (area.y0, area.y1));
        self.picture(x.pels, y.pels);
        // If the coefficients are too large for single precision, hayro would index outside the cell.
        let place = pattern.matrix * Affine::translate((x.start, y.start));
        let place = (place * Affine::scale_non_uniform(1.0 / x.scale, 1.0 / y.scale)).inverse();
        let is_countable = place.as_coeffs().iter().all(|number| number.abs() < COUNTABLE);
        self.has_excess |= !(is_countable && x.pels <= SIDE_PELS_MAX && y.pels <= SIDE_PELS_MAX);
        let copies = x.copies * y.copies;
        let key = pattern.cache_key();
        if let Some(cells) = self.cells.get(&key) {
            self.tiles += copies * cells;
            return;
        }
        // Once the page is known to demand too much, measuring more patterns would only take time.
        if self.is_too_much() || self.cells.len() > PATTERNS_MAX {
            self.has_excess = true;
            return;
        }
        self.cells.insert(key, f64::INFINITY);
        let tiles = std::mem::take(&mut self.tiles);
        let page = std::mem::replace(&mut self.shown, Rect::new(0.0, 0.0, x.pels, y.pels));
        let place = Affine::scale_non_uniform(x.scale, y.scale) * Affine::translate((-x.start, -y.start));
        let draw = |measure: &mut Self| {
            pattern.interpret(measure, place, is_stroke);
        };
        self.within(draw, copies);
        self.shown = page;
        let cells = self.tiles + 1.0;
        self.cells.insert(key, cells);
        self.tiles = tiles + copies * cells;
    }
}

/// Returns whether a number is NaN or above its limit.
fn exceeds(number: f64, most: f64) -> bool {
    number.is_nan() || number > most
}

/// Estimates the length of a path's edges within the shown area.
fn edge_pels(path: impl Iterator<Item = PathEl>, shown: Rect) -> f64 {
    let (mut start, mut last, mut pels) = (Point::ZERO, Point::ZERO, 0.0);
    for element in path {
        let held = match element {
            PathEl::MoveTo(point) => {
                (start, last) = (point, point);
                continue;
            }
            PathEl::LineTo(point) => Rect::from_points(last, point),
            PathEl::QuadTo(control, point) => Rect::from_points(last, point).union_pt(control),
            PathEl::CurveTo(one, two, point) => Rect::from_points(last, point).union_pt(one).union_pt(two),
            PathEl::ClosePath => Rect::from_points(last, start),
        };
        last = element.end_point().unwrap_or(start);
        let seen = held.intersect(shown);
        if held.overlaps(shown) {
            pels += seen.width().hypot(seen.height());
        }
    }
    pels
}

/// Returns the area that hayro examines for a part of a mesh: the bounds of its points, limited to the largest possible
/// picture.
fn held(points: &[Point], pattern: &ShadingPattern) -> Rect {
    let inside = |value: f64| value.clamp(0.0, SIDE_PELS_MAX);
    let mut points =
        points.iter().map(|point| pattern.matrix * *point).map(|point| Point::new(inside(point.x), inside(point.y)));
    let Some(first) = points.next() else { return Rect::ZERO };
    points.fold(Rect::from_points(first, first), |held, point| held.union_pt(point))
}

/// A pattern's cell as hayro draws it, in one direction.
struct Tiles {
    /// The place at which the picture of the cell begins, in units of the pattern.
    start: f64,
    /// The number of pels per unit of the pattern.
    scale: f64,
    /// The size of the picture in pels.
    pels: f64,
    /// The number of copies of the cell in the picture.
    copies: f64,
}

impl Tiles {
    fn new(scale: f64, cell: (f64, f64), step: f32, area: (f64, f64)) -> Self {
        let step = f64::from(step.abs());
        let visible = (area.1 - area.0).max(0.0);
        // As in hayro, a step is rounded to whole pels.
        let scale = (step * scale).round().max(1.0) / step;
        // If a whole step is visible, the picture is one step long; otherwise it contains only the visible part.
        if visible >= step {
            return Self { start: cell.0, scale, pels: step * scale, copies: ((cell.1 - cell.0) / step).ceil() };
        }
        let start = cell.0 + ((area.0 - cell.0) * scale).floor() / scale;
        let pels = ((area.1 - start) * scale).ceil().max(1.0);
        let copies = ((area.1 - cell.0) / step).floor() - ((area.0 - cell.1) / step).ceil() + 1.0;
        Self { start, scale, pels, copies: copies.max(1.0) }
    }
}

/// Returns the places of a pattern's tiles that overlap an area of the page, in units of the pattern; `None` if there
/// are more than `most`.
pub(super) fn places(pattern: &TilingPattern<'_>, area: Rect, most: usize) -> Option<Vec<(f64, f64)>> {
    let area = pattern.matrix.inverse().transform_rect_bbox(area);
    let along = |cell: (f64, f64), step: f32, area: (f64, f64)| {
        let step = f64::from(step.abs());
        (((area.0 - cell.1) / step).ceil(), ((area.1 - cell.0) / step).floor(), step)
    };
    let bounds = pattern.bbox;
    let (left, right, across) = along((bounds.x0, bounds.x1), pattern.x_step, (area.x0, area.x1));
    let (top, bottom, down) = along((bounds.y0, bounds.y1), pattern.y_step, (area.y0, area.y1));
    let (columns, rows) = (right - left + 1.0, bottom - top + 1.0);
    if !(columns >= 0.0 && rows >= 0.0 && columns * rows <= most as f64) {
        return None;
    }
    let row = |y: usize| (0..columns as usize).map(move |x| ((left + x as f64) * across, (top + y as f64) * down));
    Some((0..rows as usize).flat_map(row).collect())
}

impl<'a> Device<'a> for Measure {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        self.path(path, &props, mode);
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        self.clip(clip);
    }

    fn push_transparency_group(&mut self, _: f32, mask: Option<SoftMask<'a>>, _: BlendMode) {
        self.mask(mask.as_ref());
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        self.letters(run, &props, mode);
        for glyph in run.glyphs() {
            if let Glyph::Type3(drawing) = &**glyph {
                drawing.interpret(self, props.transform, glyph.transform(), &props.paint);
            }
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.image(&image, &props);
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}
