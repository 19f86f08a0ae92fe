//! Draws pages that consist of text, lines and flat colours. Rows of black and white are drawn directly as bits. Most
//! pages are like this, and drawing them here takes a fraction of the time that hayro, the full renderer, needs. If a
//! page contains anything else, hayro draws the whole page, with one exception: if it contains only images besides, and
//! they don't cover most of it, hayro draws just the images, so that the rest of the page looks the same with or
//! without them. A page that demands more than hayro can handle is drawn here as far as possible.
//!
//! The result matches hayro's: a pel becomes black at the same coverage, lines have the same width, and letters have
//! the same hinting.

mod canvas;
mod glyphs;
mod images;
mod measure;
mod near;
mod raster;
mod slivers;
mod strokes;
mod text;
mod watch;

use std::rc::Rc;

use hayro::hayro_interpret::font::{Glyph, GlyphRun, OutlineGlyph};
use hayro::hayro_interpret::hayro_cmap::WritingMode;
use hayro::hayro_interpret::pattern::Pattern;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, FillRule, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, Paint, RectExt, SoftMask, StrokeProps, interpret_page,
};
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{Affine, BezPath, Cap, Join, Point, Rect, Shape, Stroke};

use self::canvas::{Clip, Ink, paint, stamp};
use self::glyphs::{Glyphs, Mask};
use self::images::Images;
use self::measure::Measure;
use self::raster::Raster;
pub(super) use self::slivers::Slivers;
pub(super) use self::text::Collected;
use self::text::{Text, Window};
use self::watch::Watch;
use super::bitmap::{Bitmap, each_run, fill_run};
use super::gray::Area;
use super::marks::Marks;
use super::tones::Tones;

/// The maximum depth of nested clips and groups.
const DEPTH_MAX: usize = 500;
/// The maximum total size of the shapes of nested clips, in bytes.
const CLIP_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The tolerance with which rectangles are converted to paths. kurbo requires one, although rectangles have no curves.
const TOLERANCE: f64 = 0.1;
/// The maximum number of pattern tiles that are drawn on a page that the full renderer can't draw.
const TILES_MAX: usize = 1_000;
/// The minimum widths of a line and of a stroked letter's outline, in pels; hayro has the same minimums.
const LINE_PELS_MIN: f64 = 1.0;
const LETTER_LINE_PELS_MIN: f64 = 0.25;

/// A drawn page, without its images.
pub(super) struct Drawn {
    pub(super) page: Tones,
    /// If the page has images: the pels that they touch, and the thin shapes that are visible there.
    pub(super) images: Option<(Bitmap, Slivers)>,
}

/// The extent to which a page could be drawn.
pub(super) enum Outcome {
    /// Everything except the page's images was drawn.
    Drawn(Drawn),
    /// Something on the page can't be drawn here, or images cover most of the page, so the full renderer must draw the
    /// whole page. The slivers are the page's thin shapes, which must be painted on the result.
    Unable(Slivers),
    /// The page demands more than the full renderer can handle, so it was drawn here as far as possible.
    Partly(Tones),
}

/// Draws the pages of one document, reusing fonts and buffers.
pub(super) struct PageDrawer<'a> {
    cache: InterpreterCache<'a>,
    glyphs: Glyphs,
    raster: Raster,
    image_area: Option<Area>,
    is_too_much: bool,
    text: Collected,
    marks: Marks,
}

/// The way in which a page is drawn.
#[derive(Clone, Copy)]
pub(super) struct View {
    /// The size of the drawing in pels.
    pub(super) size: (u32, u32),
    /// The transform from the page's points to pels.
    pub(super) transform: Affine,
    /// Whether the transform turns the upright page clockwise by 90°.
    pub(super) is_turned: bool,
    /// The number of pels per inch, across and down, if the page's marks are to be noted.
    pub(super) watched: Option<(f64, f64)>,
}

impl<'a> PageDrawer<'a> {
    pub(super) fn new(coverage: u8) -> Self {
        Self {
            cache: InterpreterCache::new(),
            glyphs: Glyphs::default(),
            raster: Raster::new(coverage),
            image_area: None,
            is_too_much: false,
            text: Collected::Nothing,
            marks: Marks::default(),
        }
    }

    /// Returns the area of the images on the page that was drawn last, if they cover most of the page.
    pub(super) const fn image_area(&self) -> Option<Area> {
        self.image_area
    }

    /// Returns whether what was drawn last demands more than the full renderer can handle, even if it could be drawn
    /// completely here.
    pub(super) const fn is_too_much(&self) -> bool {
        self.is_too_much
    }

    /// Returns the text of what was drawn last.
    pub(super) fn take_text(&mut self) -> Collected {
        std::mem::take(&mut self.text)
    }

    /// Returns the marks of what was drawn last; there are none unless its view was watched.
    pub(super) fn take_marks(&mut self) -> Marks {
        std::mem::take(&mut self.marks)
    }

    /// Draws a page, or a part of it.
    pub(super) fn draw(&mut self, page: &Page<'a>, settings: &InterpreterSettings, view: View) -> Outcome {
        let device = self.drawn(page, settings, view, false);
        let image_area = device.images.scanned();
        let is_left = device.gives_up || device.raster.is_exhausted() || device.images.are_most();
        let is_too_much = device.measure.is_too_much();
        let (tones, slivers, images) = (device.page, device.slivers, device.images.into_touched());
        // The first pass sees all text, even if the page is drawn again or by the full renderer.
        let (text, marks) = (device.text.into_collected(), device.watch.into_marks());
        (self.image_area, self.is_too_much, self.text) = (image_area, is_too_much, text);
        self.marks = Marks { is_scan: image_area.is_some(), ..marks };
        if is_too_much && (is_left || images.is_some()) {
            // The first pass stopped painting when it gave up, so the page is drawn again from the start.
            return Outcome::Partly(self.drawn(page, settings, view, true).page);
        }
        if is_left {
            return Outcome::Unable(slivers);
        }
        Outcome::Drawn(Drawn { page: tones, images: images.map(|touched| (touched, slivers)) })
    }

    /// Draws the parts of a page that can be drawn here. Painting stops at the first other part that isn't an image,
    /// unless `alone` is set, which means that the full renderer won't draw the page.
    fn drawn(
        &mut self,
        page: &Page<'a>,
        settings: &InterpreterSettings,
        View { size: (width, height), transform, is_turned, watched }: View,
        alone: bool,
    ) -> PageDevice<'_> {
        let target = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let mut context = Context::new(transform, target, &self.cache, page.xref(), settings.clone());
        self.raster.begin_page();
        let mut device = PageDevice {
            page: Tones::white(width, height),
            size: (width, height),
            clips: vec![Clip { bounds: [0, 0, width, height], shape: None }],
            groups: 0,
            effects: None,
            glyphs: &mut self.glyphs,
            raster: &mut self.raster,
            alone,
            tiles_left: TILES_MAX,
            gives_up: false,
            in_type3: false,
            slivers: Slivers::default(),
            images: Images::new((width, height)),
            measure: Measure::new((width, height)),
            text: Text::default(),
            watch: Watch::new(watched),
        };
        // A page shows only what is inside its crop box.
        let crop = page.intersected_crop_box().to_kurbo().to_path(TOLERANCE);
        device.clip(&(transform * crop), FillRule::NonZero);
        let [left, top, right, bottom] = device.current().bounds.map(f64::from);
        device.text = Text::new(Window { area: Rect::new(left, top, right, bottom), is_turned });
        interpret_page(page, &mut context, &mut device);
        device
    }
}

/// The drawing state of one page.
struct PageDevice<'d> {
    page: Tones,
    size: (u32, u32),
    /// The stack of clips. Only the last one applies, because each is already intersected with those before it.
    clips: Vec<Clip>,
    /// The number of open transparency groups.
    groups: usize,
    /// The depth, counted from 1, of the outermost open group that changes how its contents are composited.
    effects: Option<usize>,
    glyphs: &'d mut Glyphs,
    raster: &'d mut Raster,
    /// Whether the full renderer won't draw the page, so that drawing continues after something that can't be drawn.
    alone: bool,
    /// The number of pattern tiles that may still be drawn.
    tiles_left: usize,
    /// Whether the page contains something that can't be drawn here.
    gives_up: bool,
    /// Whether a letter of a Type 3 font is being drawn, whose shape is a content stream instead of an outline.
    in_type3: bool,
    slivers: Slivers,
    images: Images,
    measure: Measure,
    text: Text,
    watch: Watch,
}

impl<'a> Device<'a> for PageDevice<'_> {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, draw_mode: &DrawMode) {
        let (fill, line) = parts(draw_mode);
        // A path is measured even after giving up, because the totals decide whether the full renderer gets the page.
        self.measure.path(path, &props, draw_mode);
        if self.watch.is_on() && !self.in_type3 {
            let clip = self.current().bounds;
            self.watch.path(path, &props, draw_mode, clip);
        }
        let ink = self.ink(&props);
        if let Some(rule) = fill {
            self.fill_shape(path, &props, rule, ink);
        }
        let Some(ink) = ink else { return };
        if let Some(line) = line {
            self.stroke_parts(path, props.transform, line, ink, LINE_PELS_MIN);
        }
    }

    fn push_clip_path(&mut self, clip_path: &ClipPath) {
        self.measure.clip(clip_path);
        self.clip(&clip_path.path, clip_path.fill);
    }

    fn push_transparency_group(&mut self, opacity: f32, mask: Option<SoftMask<'a>>, blend_mode: BlendMode) {
        self.groups += 1;
        self.measure.mask(mask.as_ref());
        if opacity < 1.0 || mask.is_some() || blend_mode != BlendMode::Normal {
            self.effects.get_or_insert(self.groups);
        }
        // No program nests groups so deeply, so it doesn't matter that such pages are drawn more slowly.
        self.gives_up |= self.groups > DEPTH_MAX;
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, draw_mode: &DrawMode) {
        self.measure.letters(run, &props, draw_mode);
        // A Type 3 letter may itself draw letters, but those are part of its shape, and not text of the page.
        if !self.in_type3 {
            self.text.run(run, props.transform);
        }
        if self.watch.is_on() && !self.in_type3 {
            let clip = self.current().bounds;
            self.watch.letters(run, &props, draw_mode, clip);
        }
        let ink = self.ink(&props);
        let (fill, line) = parts(draw_mode);
        let hint = run.writing_mode() == WritingMode::Horizontal;
        for glyph in run.glyphs() {
            match &**glyph {
                Glyph::Outline(outline) => {
                    let Some(ink) = ink else { continue };
                    if fill.is_some() {
                        self.letter(outline, props.transform * glyph.transform(), hint, ink);
                    }
                    if let Some(line) = line {
                        let path = glyph.transform() * outline.outline();
                        self.stroke_parts(&path, props.transform, line, ink, LETTER_LINE_PELS_MIN);
                    }
                }
                Glyph::Type3(type3) if fill.is_some() || line.is_some() => {
                    // A stroked letter is left to the full renderer.
                    self.gives_up |= fill.is_none();
                    // Even after giving up, a letter is interpreted, so that everything that it draws is measured.
                    if ink.is_some() || !self.alone {
                        let before = std::mem::replace(&mut self.in_type3, true);
                        type3.interpret(self, props.transform, glyph.transform(), &props.paint);
                        self.in_type3 = before;
                    }
                }
                // Invisible letters draw nothing.
                Glyph::Type3(_) => {}
            }
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.measure.image(&image, &props);
        // A raster image covers the thin shapes below it, whereas a stencil paints only some pels.
        if matches!(image, Image::Raster(_)) && !self.slivers.is_empty() {
            let area = Rect::new(0.0, 0.0, f64::from(image.width()), f64::from(image.height()));
            self.cover(&area.to_path(TOLERANCE), props.transform, FillRule::NonZero);
        }
        let clip = self.current();
        if !self.in_type3 {
            self.watch.image(&image, props.transform, clip.bounds);
        }
        let is_noted = self.images.note(&image, props.transform, &clip, self.raster);
        // If the letters of a Type 3 font are images, there are many of them all over the page, so drawing the images
        // separately saves no time.
        self.gives_up |= self.in_type3 || !is_noted;
    }

    fn pop_clip(&mut self) {
        // The first clip is the page itself, which the interpreter didn't push.
        if self.clips.len() > 1 {
            self.clips.pop();
        }
    }

    fn pop_transparency_group(&mut self) {
        self.groups = self.groups.saturating_sub(1);
        self.effects = self.effects.filter(|outermost| *outermost <= self.groups);
    }
}

impl PageDevice<'_> {
    /// Returns the ink for a shape. If a single ink can't paint the shape, or if drawing has been given up, sets
    /// `gives_up` and returns `None`.
    fn ink(&mut self, props: &DrawProps<'_>) -> Option<Ink> {
        match &props.paint {
            Paint::Color(color) if self.is_plain(props) && (self.alone || !self.gives_up) => Some(ink_of(color)),
            Paint::Color(_) | Paint::Pattern(_) => {
                self.gives_up = true;
                None
            }
        }
    }

    /// Returns whether a shape is painted without soft masks, blend modes or group effects, none of which are supported
    /// here. Images don't need this check, because the full renderer draws them.
    fn is_plain(&self, props: &DrawProps<'_>) -> bool {
        self.effects.is_none() && props.soft_mask.is_none() && props.blend_mode == BlendMode::Normal
    }

    /// Fills a shape. Where it is thinner than a pel, every pel that it touches is painted, except in letters of Type 3
    /// fonts.
    fn fill_shape<'a>(&mut self, path: &BezPath, props: &DrawProps<'a>, rule: FillRule, ink: Option<Ink>) {
        let clip = self.current();
        let mut shows = true;
        if let Some(ink) = ink {
            let (page, slivers) = (&mut self.page, &mut self.slivers);
            shows = false;
            self.raster.fill(path, props.transform, rule, self.size, |run| {
                shows = true;
                slivers.cover(run, &clip);
                paint(page, run, ink, &clip);
            });
        } else if !self.slivers.is_empty() {
            // Although the shape isn't painted here, it covers the thin shapes below it.
            self.cover(path, props.transform, rule);
        }
        let color = match &props.paint {
            Paint::Color(color) => color,
            Paint::Pattern(pattern) => {
                self.pattern(path, props, rule, pattern);
                return;
            }
        };
        // A raster that has used up the page's crossings finds no pels, which doesn't mean that the shape is thin.
        if self.in_type3 || self.raster.is_exhausted() {
            return;
        }
        let color = ink.unwrap_or_else(|| ink_of(color));
        for run in slivers::touched(path, props.transform, rule, self.size, !shows) {
            if ink.is_some() {
                paint(&mut self.page, run, color, &clip);
            }
            self.slivers.note(run, color, &clip, self.size);
        }
    }

    /// Fills a shape with the tiles of a pattern, one after the other. Does nothing if the pattern isn't a tiling
    /// pattern, if the shape isn't plain, or if the full renderer may still draw the page.
    fn pattern<'a>(&mut self, path: &BezPath, props: &DrawProps<'a>, rule: FillRule, pattern: &Pattern<'a>) {
        let Pattern::Tiling(pattern) = pattern else { return };
        if !self.alone || !self.is_plain(props) {
            return;
        }
        self.clip(&(props.transform * path), rule);
        let [left, top, right, bottom] = self.current().bounds.map(f64::from);
        let places = measure::places(pattern, Rect::new(left, top, right, bottom), self.tiles_left);
        for place in places.unwrap_or_default() {
            self.tiles_left = self.tiles_left.saturating_sub(1);
            pattern.interpret(self, pattern.matrix * Affine::translate(place), false);
        }
        self.clips.pop();
    }

    /// Removes the thin shapes, or parts of them, that another shape now covers.
    fn cover(&mut self, path: &BezPath, transform: Affine, rule: FillRule) {
        let clip = self.current();
        let slivers = &mut self.slivers;
        self.raster.fill(path, transform, rule, self.size, |run| slivers.cover(run, &clip));
    }

    /// Returns the clip that applies now.
    fn current(&self) -> Clip {
        self.clips.last().cloned().unwrap_or(Clip { bounds: [0; 4], shape: None })
    }

    /// Fills a shape as it is, however thin it is.
    fn fill(&mut self, path: &BezPath, transform: Affine, rule: FillRule, ink: Ink) {
        let clip = self.current();
        let page = &mut self.page;
        self.raster.fill(path, transform, rule, self.size, |run| paint(page, run, ink, &clip));
    }

    /// Strokes a path; if the outline of the whole path would take too much memory, each part is stroked separately.
    /// `least` is the minimum width of the line, in pels.
    fn stroke_parts(&mut self, path: &BezPath, transform: Affine, line: &StrokeProps, ink: Ink, least: f64) {
        let is_round = line.line_join == Join::Round || line.line_cap == Cap::Round;
        if strokes::cost(path.elements(), is_round) <= strokes::COST_MAX {
            self.stroke(path, transform, line, ink, least);
            return;
        }
        for part in slivers::parts(path.elements()) {
            if strokes::cost(part, is_round) > strokes::COST_MAX {
                // A part that is too large by itself is left to the full renderer.
                self.raster.exhaust();
            }
            self.stroke(&BezPath::from_vec(part.to_vec()), transform, line, ink, least);
        }
    }

    /// Strokes a path as a whole.
    fn stroke(&mut self, path: &BezPath, transform: Affine, line: &StrokeProps, ink: Ink, least: f64) {
        let scale = scale_of(transform);
        if !(scale.is_finite() && scale > 0.0) || self.raster.is_exhausted() {
            return;
        }
        // In PDF, a width of zero means the thinnest line possible, so it must not remain zero.
        let pels = (f64::from(line.line_width) * scale).max(0.01);
        let widened = if pels < least && !self.in_type3 { least } else { pels };
        let mut style = style(line, widened / scale);
        // At this width, round ends look like square ones, which are faster to draw.
        if pels <= 1.0 {
            style.join = if style.join == Join::Round { Join::Bevel } else { style.join };
            let cap = if line.line_cap == Cap::Round { Cap::Square } else { line.line_cap };
            (style.start_cap, style.end_cap) = (cap, cap);
        }
        let outline = strokes::outline(path, &style, transform, scale, self.size);
        self.fill(&outline, transform, FillRule::NonZero, ink);
    }

    /// Draws a letter from a cached mask, or from its outline if it has no mask.
    fn letter(&mut self, glyph: &OutlineGlyph, transform: Affine, hint: bool, ink: Ink) {
        let placed = self.glyphs.place(glyph, transform, hint, self.raster);
        let Some((mask, x, y)) = placed else {
            let (path, transform) = self.glyphs.outline(glyph, transform, hint);
            self.fill(&path, transform, FillRule::NonZero, ink);
            return;
        };
        let clip = self.current();
        if self.stamp(&mask, x, y, ink, &clip) {
            return;
        }
        // A letter may begin to the left of the page or above it.
        let place = |pel: u32| u32::try_from((x + i64::from(pel)).max(0)).unwrap_or(0);
        for (row, words) in (y..).zip(mask.words()) {
            let Ok(row) = u32::try_from(row) else { continue };
            each_run(words, 0, mask.width(), |from, to| {
                paint(&mut self.page, (row, place(from), place(to)), ink, &clip);
            });
        }
    }

    /// Stamps a black letter that is completely inside a rectangular clip, which is the common case. In all other
    /// cases, does nothing and returns false.
    fn stamp(&mut self, mask: &Mask, x: i64, y: i64, ink: Ink, clip: &Clip) -> bool {
        let [left, top, right, bottom] = clip.bounds.map(i64::from);
        let (width, height) = (i64::from(mask.width()), mask.height());
        let inside = x >= left && y >= top && x + width <= right && y + height <= bottom;
        if ink.pure() != Some(true) || clip.shape.is_some() || !inside {
            return false;
        }
        for (row, words) in (y..).zip(mask.words()) {
            let Ok(row) = u32::try_from(row) else { return false };
            for (place, word) in (x..).step_by(64).zip(words) {
                stamp(&mut self.page, row, place, *word);
            }
        }
        true
    }

    /// Pushes the intersection of the current clip with a shape, which is given in pels.
    fn clip(&mut self, path: &BezPath, rule: FillRule) {
        let outer = self.current();
        let shape_bytes = self.size.0 as usize / 8 * self.size.1 as usize;
        let shapes = || self.clips.iter().filter(|clip| clip.shape.is_some()).count();
        if self.clips.len() >= DEPTH_MAX || shapes() * shape_bytes > CLIP_BYTES_MAX {
            self.gives_up = true;
            // The interpreter will pop this clip, so an empty one is pushed instead.
            self.clips.push(Clip { bounds: [0; 4], shape: None });
            return;
        }
        if let Some(bounds) = self.raster.rectangle(path, self.size) {
            let [left, top, right, bottom] = outer.bounds;
            let [x0, y0, x1, y1] = bounds;
            let bounds = [left.max(x0), top.max(y0), right.min(x1), bottom.min(y1)];
            self.clips.push(Clip { bounds, shape: outer.shape });
            return;
        }
        let mut runs = Vec::new();
        self.raster.fill(path, Affine::IDENTITY, rule, self.size, |run| runs.push(run));
        self.clips.push(narrowed(&outer, &runs, self.size));
    }
}

/// Reduces a colour to the ink that paints it.
fn ink_of(color: &hayro::hayro_interpret::color::Color) -> Ink {
    let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
    Ink { luma: super::picture::luma(red, green, blue), alpha }
}

/// Builds the intersection of a clip with the runs of a shape. If the runs are the same in consecutive rows, the shape
/// is a rectangle, which needs no bitmap.
fn narrowed(outer: &Clip, runs: &[(u32, u32, u32)], (width, height): (u32, u32)) -> Clip {
    let [left, top, right, bottom] = outer.bounds;
    let Some((first_row, from, to)) = runs.first().copied() else {
        return Clip { bounds: [0; 4], shape: None };
    };
    let is_rectangle = (first_row..).zip(runs).all(|(row, run)| *run == (row, from, to));
    let last_row = runs.last().map_or(first_row, |run| run.0);
    if is_rectangle {
        let bounds = [left.max(from), top.max(first_row), right.min(to), bottom.min(last_row + 1)];
        return Clip { bounds, shape: outer.shape.clone() };
    }
    let mut shape = Bitmap::white(width, height);
    for (row, from, to) in runs.iter().copied() {
        match &outer.shape {
            None => fill_run(shape.row_mut(row), from, to),
            Some(within) => each_run(within.row(row), from, to, |from, to| fill_run(shape.row_mut(row), from, to)),
        }
    }
    Clip { bounds: [left, top.max(first_row), right, bottom.min(last_row + 1)], shape: Some(Rc::new(shape)) }
}

/// Returns the fill rule if a shape is filled, and the line style if it is stroked.
const fn parts(mode: &DrawMode) -> (Option<FillRule>, Option<&StrokeProps>) {
    match mode {
        DrawMode::Fill(rule) => (Some(*rule), None),
        DrawMode::Stroke(line) => (None, Some(line)),
        DrawMode::FillAndStroke(rule, line) => (Some(*rule), Some(line)),
        DrawMode::Invisible => (None, None),
    }
}

/// Returns the style of a line with this width.
fn style(line: &StrokeProps, width: f64) -> Stroke {
    Stroke {
        width,
        join: line.line_join,
        miter_limit: f64::from(line.miter_limit),
        start_cap: line.line_cap,
        end_cap: line.line_cap,
        dash_pattern: line.dash_array.iter().map(|length| f64::from(*length)).collect(),
        dash_offset: f64::from(line.dash_offset),
    }
}

/// Returns the larger of the two factors by which a transform scales the axes.
fn scale_of(transform: Affine) -> f64 {
    let [a, b, c, d, _, _] = transform.as_coeffs();
    Point::new(a, b).to_vec2().length().max(Point::new(c, d).to_vec2().length())
}
