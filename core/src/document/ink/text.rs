//! Collects the text of a page while the page is drawn: the characters of its glyphs, in reading order.
//!
//! A PDF says where each glyph is, but not which lines and words the glyphs form. Glyphs that follow each other on a
//! baseline form a fragment, fragments on the same baseline form a line, and a wide gap is a space. Invisible text
//! (rendering mode 3) counts, because that is the form in which programs add recognised text to scans. Text that is
//! clipped, covered or white counts as well.

use std::ops::Range;

use hayro::hayro_interpret::font::{Glyph, GlyphRun, PositionedGlyph};
use hayro::hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro::kurbo::{Affine, Point, Rect, Vec2};

use crate::model::page::PAGE_TEXT_BYTES_MAX;

/// The size, in bytes, beyond which no more text is collected from a page. It is larger than the limit on a page's
/// text, because the text is put in order and shortened only after it has been collected.
const COLLECTED_BYTES_MAX: usize = 4 * PAGE_TEXT_BYTES_MAX;
/// Units per em in hayro's glyphs.
const EM: f64 = 1_000.0;
/// The smallest gap between words, in ems. TeX, which writes no space characters, shrinks the space between words to
/// 0.22.
const GAP_EMS: f64 = 0.2;
/// The gap, in ems, after which a new fragment begins. There is such a gap between the columns of a table, which may be
/// drawn in any order.
const FRAGMENT_GAP_EMS: f64 = 1.0;
/// The overlap, in ems, up to which a glyph may follow the previous one. Kerning moves glyphs far less.
const OVERLAP_EMS: f64 = 0.3;
/// The distance between baselines, in ems, up to which consecutive glyphs are on the same baseline.
const BASELINE_EMS: f64 = 0.1;
/// The distance between baselines, in ems of the smaller font, up to which fragments are on the same line. Superscripts
/// are raised by about a third of an em of the larger font.
const LINE_EMS: f64 = 0.5;
/// The distance, in ems, up to which a repetition of a glyph only makes it bold or gives it a shadow.
const REPEATED_EMS: f64 = 0.15;
/// The number of baseline directions that are distinguished: one every 15 degrees.
const HEADINGS: u8 = 24;
/// The number of glyphs that are remembered while a run is read. Asking the font takes longer than everything else, and
/// letters recur within a line.
const REMEMBERED: usize = 128;
/// The plausible mean widths of the glyphs of a Type 3 font, in ems; if the mean is outside this range, the size of the
/// font says nothing about the size of its glyphs.
const TYPE3_WIDTHS_EMS: Range<f64> = 0.15..1.2;

/// The result of collecting the text of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::document) enum Collected {
    /// The page shows no glyphs.
    #[default]
    Nothing,
    /// The characters of most glyphs are unknown.
    Unknown,
    /// The text, and whether more text was left out.
    Text(String, bool),
}

/// The part of a page of which text is collected.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    /// The area in pels.
    pub(super) area: Rect,
    /// Whether the page is turned clockwise by 90°, so that its upright lines run downwards.
    pub(super) is_turned: bool,
}

/// The text of a page, as far as the page has been drawn.
#[derive(Debug, Default)]
pub(super) struct Text {
    window: Window,
    /// The text of all fragments, in the order in which they were drawn.
    characters: String,
    fragments: Vec<Fragment>,
    /// The position of the last glyph along its baseline, and its characters.
    last: Option<(f64, Range<usize>)>,
    /// The beginning, a hash of the codes, and the end of the last run.
    last_run: Option<(Point, u64, Point)>,
    known: usize,
    unknown: usize,
    is_full: bool,
    /// The number of the run, which distinguishes the codes of one font from those of another.
    run: u64,
    /// The glyphs of recent runs, each at the index that its code determines.
    described: Vec<Described>,
}

/// What the font of a run says about a glyph.
#[derive(Debug, Clone, Copy, Default)]
struct Described {
    run: u64,
    code: u32,
    /// The character; `None` if the glyph stands for several.
    character: Option<char>,
    /// The advance in the glyph's own units.
    advance: f64,
}

/// Glyphs that follow each other on one baseline.
#[derive(Debug, Clone)]
struct Fragment {
    frame: Frame,
    /// The beginning and the end along the baseline.
    from: f64,
    to: f64,
    baseline: f64,
    em: f64,
    characters: Range<usize>,
}

/// A frame of reference in which text runs to the right, and lines follow each other downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Frame {
    heading: u8,
    along: Vec2,
}

/// A glyph at its position on the page.
struct Placed {
    frame: Frame,
    at: Point,
    advance: f64,
    em: f64,
}

impl Text {
    pub(super) fn new(window: Window) -> Self {
        Self { window, described: vec![Described::default(); REMEMBERED], ..Self::default() }
    }

    /// Adds the glyphs of a run.
    pub(super) fn run(&mut self, run: &GlyphRun<'_, '_>, transform: Affine) {
        let (Some(first), Some(last)) = (run.glyphs().first(), run.glyphs().last()) else { return };
        if self.is_full {
            return;
        }
        let [a, b, c, d, ..] = (transform * first.transform()).as_coeffs();
        let (across, up) = (Vec2::new(a, b), Vec2::new(c, d));
        let is_vertical = run.writing_mode() == WritingMode::Vertical;
        let direction = if is_vertical { -up } else { across };
        let em = size_of_em(run, across.hypot(), up.hypot() * EM);
        if !(em.is_finite() && em > 0.0 && direction.is_finite() && direction.hypot() > 0.0) {
            return;
        }
        let place = |glyph: &PositionedGlyph<'_>| transform * glyph.transform().translation().to_point();
        let codes = run
            .glyphs()
            .iter()
            .fold(0_u64, |codes, glyph| codes.wrapping_mul(31).wrapping_add(glyph.char_code().into()));
        let this_run = (place(first), codes, place(last));
        // Text that is both filled and stroked is drawn as two equal runs, and bold letters may be drawn twice.
        let is_repeated = self.last_run.as_ref().is_some_and(|(from, codes, to)| {
            let is_near = |a: Point, b: Point| a.distance(b) < em * REPEATED_EMS;
            *codes == this_run.1 && is_near(*from, this_run.0) && is_near(*to, this_run.2)
        });
        self.last_run = Some(this_run);
        if is_repeated {
            return;
        }
        let frame = Frame::of(direction);
        // The vector from a letter's origin, which may be just outside the page, to a point within the letter.
        let inwards = (frame.along - frame.down()) * (em / 4.0);
        let unit = across.hypot();
        self.run += 1;
        for glyph in run.glyphs() {
            let at = place(glyph);
            if !self.window.area.contains(at + inwards) {
                continue;
            }
            if self.characters.len() > COLLECTED_BYTES_MAX {
                self.is_full = true;
                return;
            }
            let described = self.described(glyph);
            // The glyphs of vertical text are an em high.
            let advance = if is_vertical { em } else { described.advance * unit };
            let placed = Placed { frame, at, advance, em };
            if let Some(character) = described.character {
                self.characters(&placed, &[character]);
            } else if let Some(BfString::String(text)) = glyph.as_unicode() {
                self.characters(&placed, &text.chars().collect::<Vec<_>>());
            }
        }
    }

    /// Returns what the font says about a glyph of the current run.
    fn described(&mut self, glyph: &Glyph<'_>) -> Described {
        let code = glyph.char_code();
        let slot = code as usize % REMEMBERED;
        if let Some(described) = self.described.get(slot).filter(|known| (known.run, known.code) == (self.run, code)) {
            return *described;
        }
        let character = match glyph.as_unicode() {
            Some(BfString::Char(character)) => Some(character),
            Some(BfString::String(_)) => None,
            None => Some(char::REPLACEMENT_CHARACTER),
        };
        let described = Described { run: self.run, code, character, advance: advance(glyph) };
        if let Some(place) = self.described.get_mut(slot) {
            *place = described;
        }
        described
    }

    /// Adds the characters of a glyph.
    fn characters(&mut self, placed: &Placed, characters: &[char]) {
        if characters.iter().all(|character| character.is_whitespace()) {
            self.space(placed);
            return;
        }
        let from = placed.frame.along_of(placed.at);
        if self.begins_fragment(placed, from) {
            let start = self.characters.len();
            self.fragments.push(Fragment {
                frame: placed.frame,
                from,
                to: from,
                baseline: placed.frame.baseline_of(placed.at),
                em: placed.em,
                characters: start..start,
            });
            self.last = None;
        }
        let start = self.characters.len();
        for character in characters {
            let is_known = !(character.is_control() || *character == char::REPLACEMENT_CHARACTER);
            *(if is_known { &mut self.known } else { &mut self.unknown }) += 1;
            self.characters.push(if is_known { *character } else { char::REPLACEMENT_CHARACTER });
        }
        let repeated = self.last.as_ref().is_some_and(|(before, last)| {
            (from - before).abs() < placed.em * REPEATED_EMS
                && self.characters.get(last.clone()) == self.characters.get(start..)
        });
        if repeated {
            self.characters.truncate(start);
        } else {
            self.last = Some((from, start..self.characters.len()));
        }
        if let Some(fragment) = self.fragments.last_mut() {
            fragment.to = fragment.to.max(from + placed.advance);
            fragment.characters.end = self.characters.len();
        }
    }

    /// Returns whether a glyph begins a new fragment. If it continues the last one after a gap, adds a space to that
    /// fragment.
    fn begins_fragment(&mut self, placed: &Placed, from: f64) -> bool {
        let Some(fragment) = self.fragments.last_mut() else { return true };
        let (gap, em) = (from - fragment.to, placed.em);
        let is_apart = (placed.frame.baseline_of(placed.at) - fragment.baseline).abs() > em * BASELINE_EMS;
        if placed.frame != fragment.frame || is_apart || gap > em * FRAGMENT_GAP_EMS {
            return true;
        }
        // A bold letter may be drawn twice, the second time almost where the first is.
        let is_repeated = self.last.as_ref().is_some_and(|(before, _)| (from - before).abs() < em * REPEATED_EMS);
        if gap < -em * OVERLAP_EMS && !is_repeated {
            return true;
        }
        if gap > em * GAP_EMS && !self.characters.ends_with(' ') {
            self.characters.push(' ');
        }
        false
    }

    /// Adds a glyph that shows only white space.
    fn space(&mut self, placed: &Placed) {
        let from = placed.frame.along_of(placed.at);
        // A space at the beginning of a fragment has no meaning.
        if self.fragments.is_empty() || self.begins_fragment(placed, from) {
            return;
        }
        let Some(fragment) = self.fragments.last_mut() else { return };
        if !self.characters.ends_with(' ') {
            self.characters.push(' ');
        }
        fragment.to = fragment.to.max(from + placed.advance);
        fragment.characters.end = self.characters.len();
        self.last = None;
    }

    /// Returns the text in reading order.
    pub(super) fn into_collected(self) -> Collected {
        match (self.known, self.unknown) {
            (0, 0) => Collected::Nothing,
            (known, unknown) if unknown > known => Collected::Unknown,
            _ => {
                let is_cut = self.is_full;
                Collected::Text(self.in_order(), is_cut)
            }
        }
    }

    fn in_order(mut self) -> String {
        let upright = if self.window.is_turned { HEADINGS / 4 } else { 0 };
        // Upright lines come first, and then those of each other direction.
        let rank = |fragment: &Fragment| (fragment.frame.heading + HEADINGS - upright) % HEADINGS;
        self.fragments.sort_by(|a, b| rank(a).cmp(&rank(b)).then(a.baseline.total_cmp(&b.baseline)));
        let mut text = String::with_capacity(self.characters.len() + self.fragments.len());
        let mut rest = self.fragments.as_mut_slice();
        while let Some(first) = rest.first().cloned() {
            let is_same = |next: &Fragment| {
                let distance = next.baseline - first.baseline;
                next.frame == first.frame && distance <= next.em.min(first.em) * LINE_EMS
            };
            let count = rest.iter().take_while(|next| is_same(next)).count().max(1);
            let (line, others) = rest.split_at_mut(count);
            line.sort_by(|a, b| a.from.total_cmp(&b.from));
            write_line(&mut text, line, &self.characters);
            rest = others;
        }
        // Newlines are between lines, not after the last one.
        text.truncate(text.trim_end().len());
        text
    }
}

impl Frame {
    /// Returns the frame for text that runs in a direction, rounded to one of the headings.
    fn of(direction: Vec2) -> Self {
        let step = std::f64::consts::TAU / f64::from(HEADINGS);
        // The rounded number is between -HEADINGS / 2 and HEADINGS / 2.
        let heading = (direction.atan2() / step).round().rem_euclid(f64::from(HEADINGS)) as u8 % HEADINGS;
        Self { heading, along: Vec2::from_angle(f64::from(heading) * step) }
    }

    /// Returns the direction in which lines follow each other.
    const fn down(self) -> Vec2 {
        Vec2::new(-self.along.y, self.along.x)
    }

    fn along_of(self, at: Point) -> f64 {
        self.along.dot(at.to_vec2())
    }

    fn baseline_of(self, at: Point) -> f64 {
        self.down().dot(at.to_vec2())
    }
}

/// Adds a line, whose fragments are sorted, to the text.
fn write_line(text: &mut String, line: &[Fragment], characters: &str) {
    let of = |fragment: &Fragment| characters.get(fragment.characters.clone()).unwrap_or_default().trim_end();
    let start = text.len();
    let mut before: Option<&Fragment> = None;
    for fragment in line {
        let shown = of(fragment);
        let gap = before.map_or(0.0, |before| fragment.from - before.to);
        let is_repeated = before.is_some_and(|before| {
            (fragment.from - before.from).abs() < fragment.em * REPEATED_EMS && of(before) == shown
        });
        if shown.is_empty() || is_repeated {
            continue;
        }
        let is_apart = gap > fragment.em * GAP_EMS || gap < -fragment.em * OVERLAP_EMS;
        let had_space = before.is_some_and(|before| characters[before.characters.clone()].ends_with(' '));
        if before.is_some() && (is_apart || had_space) {
            text.push(' ');
        }
        text.push_str(shown);
        before = Some(fragment);
    }
    if text.len() > start {
        text.push('\n');
    }
}

/// Returns the advance of a glyph, in its own units.
fn advance(glyph: &Glyph<'_>) -> f64 {
    let advance = match glyph {
        Glyph::Outline(outline) => outline.advance_width(),
        Glyph::Type3(type3) => type3.advance_width(),
    };
    advance.map_or(0.0, f64::from)
}

/// Returns the size of the font in pels: `em`, unless the font is a Type 3 font with glyphs of a quite different size.
/// Each of a glyph's own units is `unit` pels wide.
pub(super) fn size_of_em(run: &GlyphRun<'_, '_>, unit: f64, em: f64) -> f64 {
    if !run.glyphs().iter().any(|glyph| matches!(&**glyph, Glyph::Type3(_))) {
        return em;
    }
    let widths: f64 = run.glyphs().iter().map(|glyph| advance(glyph) * unit).sum();
    let mean = widths / run.glyphs().len() as f64;
    // On average, letters are half as wide as an em.
    if TYPE3_WIDTHS_EMS.contains(&(mean / em)) || mean <= 0.0 { em } else { mean * 2.0 }
}

#[cfg(test)]
mod tests;
