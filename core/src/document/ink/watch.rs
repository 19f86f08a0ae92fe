//! Records what a page draws, for the code that judges documents: letters, thin lines, small shapes, images and
//! colours.

use std::collections::HashMap;

use hayro::hayro_interpret::font::{Glyph, GlyphRun};
use hayro::hayro_interpret::hayro_cmap::BfString;
use hayro::hayro_interpret::{DrawMode, DrawProps, Image, Paint};
use hayro::kurbo::{Affine, BezPath, PathEl, Rect, Shape, Vec2};

use super::slivers::parts;
use super::text::size_of_em;
use crate::document::marks::{Color, Letters, Line, Marks, Place, TEXT_CHARACTERS_MAX};

/// The maximum numbers of marks that are noted per page. They are more than enough to judge a page.
const LETTERS_MAX: usize = 20_000;
const LINES_MAX: usize = 20_000;
const SHAPES_MAX: usize = 60_000;
const IMAGES_MAX: usize = 1_000;
const COLORS_MAX: usize = 64;
/// The thickest line that is noted, in inches: one row at standard resolution, and a little more.
const LINE_INCHES_MAX: f64 = 0.0105;
/// The shortest line that is noted, in inches; shorter ones are parts of drawings.
const LINE_LENGTH_INCHES_MIN: f64 = 0.1;
/// The largest shape that is noted, in inches per side, so that the bars of bar codes are noted.
const SHAPE_INCHES_MAX: f64 = 2.0;
/// The gap up to which a run continues the letters before it, in ems.
const GAP_EMS: f64 = 1.0;
/// The gap from which two runs are different words, in ems.
const SPACE_EMS: f64 = 0.15;
/// Units per em in hayro's outlines.
const EM: f64 = 1_000.0;
/// The x-height of a typical typeface, in ems, which is used for letters that can't be measured.
const X_HEIGHT_EMS: f64 = 0.5;
/// The lowest and the highest plausible x-height, in ems; if a font has another, it probably assigns the wrong
/// characters to its glyphs.
const X_HEIGHTS_EMS: (f64, f64) = (0.35, 0.75);
/// The height of an x as a fraction of the height of a capital or a digit: Helvetica has 0.73, Times 0.68. The larger
/// one is taken, since capitals and digits are easier to read than an x.
const X_HEIGHT_OF_CAPITAL: f64 = 0.73;
/// The x-height with which an ideograph is judged, in ems. The smallest usual bitmaps of ideographs are 12 to 16 rows
/// high (JIS X 9051 has 16), and those of small letters have an x-height of 4 to 5 rows, so one limit in rows fits
/// both.
const X_HEIGHT_OF_IDEOGRAPH: f64 = 5.0 / 16.0;

/// The letters whose height is the x-height.
const LOW: &str = "acemnorsuvwxz";

/// Collects the marks of one page.
#[derive(Default)]
pub(super) struct Watch {
    /// The number of pels of the drawing per inch, across and down; `None` if nothing is noted.
    per_inch: Option<(f64, f64)>,
    marks: Marks,
    known: HashMap<(u128, u32), Described>,
}

/// The beginning of the text of a run. Some programs draw no spaces, and only move the letters of the next word.
struct Beginning {
    text: String,
    characters: usize,
    /// The direction of the line: the vector, in pels, from a glyph to the next one, divided by the glyph's width in
    /// its own units.
    along: Vec2,
    em_pels: f64,
    /// Where the last glyph ends, in pels.
    end: Option<Vec2>,
}

impl Beginning {
    const fn new(along: Vec2, em_pels: f64) -> Self {
        Self { text: String::new(), characters: 0, along, em_pels, end: None }
    }

    /// Adds the characters of a glyph that begins at a point, and a space if there is a gap before it.
    fn push(&mut self, glyph: &Glyph<'_>, from: Vec2) {
        if self.characters >= TEXT_CHARACTERS_MAX {
            return;
        }
        let gap = self.end.map_or(0.0, |end| (from - end).dot(self.along) / self.along.hypot());
        if gap > self.em_pels * SPACE_EMS && !self.text.ends_with(' ') {
            self.add(' ');
        }
        let advance = match glyph {
            Glyph::Outline(outline) => outline.advance_width(),
            Glyph::Type3(letter) => letter.advance_width(),
        };
        self.end = advance.map(|advance| from + self.along * f64::from(advance));
        match glyph.as_unicode() {
            Some(BfString::Char(character)) => self.add(character),
            // A ligature stands for several characters.
            Some(BfString::String(characters)) => characters.chars().for_each(|character| self.add(character)),
            None => {}
        }
    }

    fn add(&mut self, character: char) {
        if self.characters < TEXT_CHARACTERS_MAX && !character.is_control() {
            self.text.push(character);
            self.characters += 1;
        }
    }
}

/// What is known about a glyph of a font.
#[derive(Clone, Copy)]
struct Described {
    /// The bounds of the outline, in the glyph's own units; for a Type 3 glyph, an assumed square.
    bounds: Rect,
    character: Option<char>,
    /// Whether the glyph has an outline, whose bounds are known.
    is_outline: bool,
}

impl Watch {
    pub(super) fn new(per_inch: Option<(f64, f64)>) -> Self {
        Self { per_inch, ..Self::default() }
    }

    pub(super) const fn is_on(&self) -> bool {
        self.per_inch.is_some()
    }

    pub(super) fn into_marks(self) -> Marks {
        self.marks
    }

    /// Notes the parts of a path that are thin or small, and the colour of filled parts. `clip` is the area that may be
    /// painted, in pels.
    pub(super) fn path(&mut self, path: &BezPath, props: &DrawProps<'_>, mode: &DrawMode, clip: [u32; 4]) {
        let Some((across, down)) = self.per_inch else { return };
        let Some((rgb, luma)) = color_of(props) else { return };
        let (fills, line) = match mode {
            DrawMode::Fill(_) => (true, None),
            DrawMode::Stroke(line) => (false, Some(line)),
            DrawMode::FillAndStroke(_, line) => (true, Some(line)),
            DrawMode::Invisible => return,
        };
        let [a, b, c, d, ..] = props.transform.as_coeffs();
        // A round pen of one unit becomes an ellipse with this width and height.
        let pen = (a.hypot(c) / across, b.hypot(d) / down);
        for part in parts(path.elements()) {
            let Some(place) = self.seen(bounds_of(part, props.transform), clip) else { continue };
            if let Some(line) = line {
                let thickness = (f64::from(line.line_width) * pen.0, f64::from(line.line_width) * pen.1);
                self.line(Line { place, thickness, luma });
            } else {
                self.line(Line { place, thickness: (place.width(), place.height()), luma });
            }
            if fills {
                self.shape(place);
                self.color(rgb, luma, place);
            }
        }
    }

    /// Notes the letters of a run.
    pub(super) fn letters(&mut self, run: &GlyphRun<'_, '_>, props: &DrawProps<'_>, mode: &DrawMode, clip: [u32; 4]) {
        let (Some((across, down)), Some(first)) = (self.per_inch, run.glyphs().first()) else { return };
        let is_full = self.marks.letters.len() >= LETTERS_MAX;
        if is_full || matches!(mode, DrawMode::Invisible) {
            return;
        }
        let Some((_, luma)) = color_of(props) else { return };
        let [a, b, c, d, ..] = (props.transform * first.transform()).as_coeffs();
        let em_pels = size_of_em(run, a.hypot(b), c.hypot(d) * EM);
        if !(em_pels.is_finite() && em_pels > 0.0) {
            return;
        }
        // The vector from the baseline upwards, one em long, in inches.
        let length = c.hypot(d);
        let up = (c / length * em_pels / across, d / length * em_pels / down);
        let em = up.0.hypot(up.1);
        let (mut place, mut low, mut tall, mut ideographs) = (None::<Place>, None::<f64>, None::<f64>, 0);
        let (mut count, mut text) = (0, Beginning::new(Vec2::new(a, b), em_pels));
        for glyph in run.glyphs() {
            let Described { bounds, character, is_outline } = self.described(glyph);
            let Some(character) = character else { continue };
            text.push(glyph, (props.transform * glyph.transform()).translation());
            let drawn = (props.transform * glyph.transform()).transform_rect_bbox(bounds);
            let Some(seen) = self.seen(drawn, clip) else { continue };
            place = Some(place.map_or(seen, |place| place.union(&seen)));
            // Round letters are slightly higher than an x, so the lowest top is the closest to the height of an x.
            let top = bounds.y1 / EM;
            let lowest = |known: Option<f64>| Some(known.map_or(top, |known| known.min(top)));
            count += usize::from(character.is_alphanumeric());
            match character {
                _ if !is_outline => {}
                _ if LOW.contains(character) => low = lowest(low),
                'A'..='Z' | '0'..='9' | 'b' | 'd' | 'f' | 'h' | 'k' | 'l' => tall = lowest(tall),
                _ => ideographs += usize::from(is_ideograph(character)),
            }
        }
        let (Some(place), true) = (place, count > 0) else { return };
        let ems = match (low, tall) {
            _ if ideographs > 0 => X_HEIGHT_OF_IDEOGRAPH,
            (Some(low), _) => low.clamp(X_HEIGHTS_EMS.0, X_HEIGHTS_EMS.1),
            (None, Some(tall)) => (tall * X_HEIGHT_OF_CAPITAL).clamp(X_HEIGHTS_EMS.0, X_HEIGHTS_EMS.1),
            (None, None) => X_HEIGHT_EMS,
        };
        let is_measured = low.is_some();
        let x_height = (up.0 * ems, up.1 * ems);
        self.add(Letters { place, x_height, is_measured, em, luma, count, text: text.text });
    }

    /// Notes an image.
    pub(super) fn image(&mut self, image: &Image<'_, '_>, transform: Affine, clip: [u32; 4]) {
        let corners = Rect::new(0.0, 0.0, f64::from(image.width()), f64::from(image.height()));
        if let Some(place) = self.seen(transform.transform_rect_bbox(corners), clip)
            && self.marks.images.len() < IMAGES_MAX
        {
            self.marks.images.push(place);
        }
    }

    /// Adds letters. If they continue the previous letters, appends them to those.
    fn add(&mut self, letters: Letters) {
        let is_across = letters.x_height.0.abs() <= letters.x_height.1.abs();
        let is_same = |last: &&mut Letters| {
            let ratio = last.em / letters.em;
            last.luma == letters.luma
                && (0.99..1.01).contains(&ratio)
                && last.place.is_beside(&letters.place, letters.em * GAP_EMS, is_across)
        };
        let Some(last) = self.marks.letters.last_mut().filter(is_same) else {
            self.marks.letters.push(letters);
            return;
        };
        if letters.is_measured && !last.is_measured {
            (last.x_height, last.is_measured) = (letters.x_height, true);
        }
        let is_apart = letters.place.left - last.place.right > letters.em * SPACE_EMS;
        if is_apart && is_across && !last.text.ends_with(' ') {
            last.text.push(' ');
        }
        last.place = last.place.union(&letters.place);
        last.count += letters.count;
        let left = TEXT_CHARACTERS_MAX.saturating_sub(last.text.chars().count());
        last.text.extend(letters.text.chars().take(left));
    }

    fn line(&mut self, line: Line) {
        let Place { left, top, right, bottom } = line.place;
        let thin = line.thickness.0.min(line.thickness.1);
        let is_long = (right - left).max(bottom - top) >= LINE_LENGTH_INCHES_MIN;
        if thin <= LINE_INCHES_MAX && is_long && self.marks.lines.len() < LINES_MAX {
            self.marks.lines.push(line);
        }
    }

    fn shape(&mut self, place: Place) {
        let is_small = place.width().max(place.height()) <= SHAPE_INCHES_MAX;
        if is_small && self.marks.shapes.len() < SHAPES_MAX {
            self.marks.shapes.push(place);
        }
    }

    fn color(&mut self, rgb: [u8; 3], luma: u8, place: Place) {
        let area = place.area();
        if let Some(known) = self.marks.colors.iter_mut().find(|known| known.rgb == rgb) {
            known.square_inches += area;
            if known.place.area() < area {
                known.place = place;
            }
        } else if self.marks.colors.len() < COLORS_MAX {
            self.marks.colors.push(Color { rgb, luma, square_inches: area, place });
        }
    }

    /// Cuts bounds to the clip and converts them from pels to inches; `None` if they are outside the clip.
    fn seen(&self, bounds: Rect, [left, top, right, bottom]: [u32; 4]) -> Option<Place> {
        let (across, down) = self.per_inch?;
        let clip = Rect::new(f64::from(left), f64::from(top), f64::from(right), f64::from(bottom));
        // The condition is false for NaN.
        let overlaps = bounds.x0 <= clip.x1 && bounds.x1 >= clip.x0 && bounds.y0 <= clip.y1 && bounds.y1 >= clip.y0;
        let cut = bounds.intersect(clip);
        let place = Place { left: cut.x0 / across, top: cut.y0 / down, right: cut.x1 / across, bottom: cut.y1 / down };
        overlaps.then_some(place)
    }

    /// Returns what is known about a glyph. If the glyph has an outline, the font is asked only once.
    fn described(&mut self, glyph: &Glyph<'_>) -> Described {
        let describe = || {
            let character = match glyph.as_unicode() {
                Some(BfString::Char(character)) => Some(character),
                Some(BfString::String(text)) => text.chars().next(),
                None => None,
            };
            let (bounds, is_outline) = match glyph {
                Glyph::Outline(outline) => (outline.outline().bounding_box(), true),
                // The glyph's content isn't interpreted, so its height is assumed to be its width, as it roughly is for
                // letters.
                Glyph::Type3(letter) => {
                    let advance = letter.advance_width().map_or(0.0, f64::from);
                    (Rect::new(0.0, 0.0, advance, advance), false)
                }
            };
            Described { bounds, character, is_outline }
        };
        match glyph {
            Glyph::Outline(outline) => {
                let key = (outline.identifier().cache_key(), glyph.char_code());
                *self.known.entry(key).or_insert_with(describe)
            }
            Glyph::Type3(_) => describe(),
        }
    }
}

/// Returns the bounds of a part of a path, in pels. The bounds include the control points of curves.
fn bounds_of(part: &[PathEl], transform: Affine) -> Rect {
    let mut bounds: Option<Rect> = None;
    let mut add = |point| {
        let at = Rect::from_points(transform * point, transform * point);
        bounds = Some(bounds.map_or(at, |bounds| bounds.union(at)));
    };
    for element in part {
        match *element {
            PathEl::MoveTo(point) | PathEl::LineTo(point) => add(point),
            PathEl::QuadTo(control, point) => [control, point].into_iter().for_each(&mut add),
            PathEl::CurveTo(one, two, point) => [one, two, point].into_iter().for_each(&mut add),
            PathEl::ClosePath => {}
        }
    }
    bounds.unwrap_or(Rect::new(f64::NAN, f64::NAN, f64::NAN, f64::NAN))
}

/// Returns the colour on white paper, and its luma; `None` for a pattern.
fn color_of(props: &DrawProps<'_>) -> Option<([u8; 3], u8)> {
    let Paint::Color(color) = &props.paint else { return None };
    let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
    let [red, green, blue] = [red, green, blue].map(|channel| crate::document::picture::over_white(channel, alpha));
    Some(([red, green, blue], crate::document::picture::luma(red, green, blue)))
}

/// Returns whether a character is an ideograph, a kana or a syllable of Hangul, which needs more rows than a letter.
const fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}
