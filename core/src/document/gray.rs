//! A page in greyscale: one byte per pel, 0 for black and 255 for white.

/// A grey image, stored row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gray {
    width: u32,
    height: u32,
    pels: Vec<u8>,
}

impl Gray {
    /// Creates an image of white pels.
    #[must_use]
    pub fn white(width: u32, height: u32) -> Self {
        Self { width, height, pels: vec![u8::MAX; width as usize * height as usize] }
    }

    /// Creates an image from pels given row by row; missing pels are white.
    #[must_use]
    pub fn from_pels(width: u32, height: u32, mut pels: Vec<u8>) -> Self {
        pels.resize(width as usize * height as usize, u8::MAX);
        Self { width, height, pels }
    }

    /// Returns the width of the image in pels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height of the image in rows.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Returns all pels, row by row from the top.
    #[must_use]
    pub fn pels(&self) -> &[u8] {
        &self.pels
    }

    /// Returns all pels mutably, row by row from the top.
    pub fn pels_mut(&mut self) -> &mut [u8] {
        &mut self.pels
    }

    /// Iterates over the rows from the top.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, u8> {
        self.pels.chunks_exact(self.width.max(1) as usize)
    }

    /// Cuts off the rows below `height`, if there are any.
    pub fn truncate(&mut self, height: u32) {
        self.height = self.height.min(height);
        self.pels.truncate(self.width as usize * self.height as usize);
    }

    /// Returns the area that covers the whole image.
    #[must_use]
    pub const fn area(&self) -> Area {
        Area { left: 0, top: 0, right: self.width, bottom: self.height }
    }

    /// Makes paper white and ink black within an area if the area is scanned paper, and returns the kind of scan.
    /// Otherwise returns `None` and changes nothing.
    pub fn remove_paper(&mut self, area: Area) -> Option<Scan> {
        let histogram = self.histogram(area);
        let paper = Paper::of(&histogram)?;
        if !self.has_strokes(area, &paper) {
            return None;
        }
        let levels = paper.levels(&histogram);
        // This grey and all lighter ones become white.
        let white = levels.iter().rposition(|level| *level < u8::MAX).map_or(0, |level| level + 1);
        let columns = area.columns(self.width);
        let mut greys = 0;
        for row in
            self.pels.chunks_exact_mut(self.width.max(1) as usize).take(area.bottom as usize).skip(area.top as usize)
        {
            // Most of a scan is paper, so usually a whole chunk becomes white.
            for pels in row[columns.clone()].chunks_mut(CHUNK_PELS) {
                if usize::from(darkest(pels)) >= white {
                    pels.fill(u8::MAX);
                    continue;
                }
                for pel in pels {
                    *pel = levels[usize::from(*pel)];
                    greys += u64::from(is_gray(*pel));
                }
            }
        }
        Some(if greys * 100 < area.pels() * EDGES_PERCENT { Scan::Text } else { Scan::WithPictures })
    }

    fn rows_of(&self, area: Area) -> impl Iterator<Item = &[u8]> {
        let columns = area.columns(self.width);
        self.rows().take(area.bottom as usize).skip(area.top as usize).map(move |row| &row[columns.clone()])
    }

    fn histogram(&self, area: Area) -> [u64; 256] {
        // Neighbouring pels are often equal, and incrementing the same counter twice in a row stalls the processor.
        // With four tables, four neighbours are counted in parallel.
        let mut histograms = [[0_u32; 256]; 4];
        for row in self.rows_of(area) {
            let (fours, rest) = row.as_chunks::<4>();
            for four in fours {
                histograms.iter_mut().zip(four).for_each(|(counts, pel)| counts[usize::from(*pel)] += 1);
            }
            rest.iter().for_each(|pel| histograms[0][usize::from(*pel)] += 1);
        }
        std::array::from_fn(|level| histograms.iter().map(|counts| u64::from(counts[level])).sum())
    }

    /// Returns whether enough of the dark pels belong to thin strokes, such as those of letters or a pen. A nearly
    /// blank area has too few dark pels to tell, and is accepted if its paper is light.
    fn has_strokes(&self, area: Area, paper: &Paper) -> bool {
        let (mut dark, mut thin) = (0_u64, 0_u64);
        let thin_pels = |(length, uncounted): (u32, u32)| {
            let is_thin = length as usize <= STROKE_PELS_MAX;
            if is_thin { u64::from(uncounted) } else { 0 }
        };
        // For each column: the length of its current dark run, and how many pels of that run belong to wide runs in
        // their rows and are therefore not counted as thin yet.
        let mut columns = vec![(0_u32, 0_u32); area.columns(self.width).len()];
        // For each chunk of columns: whether the row above had no dark pel there, so that all column runs are empty.
        let mut is_light = vec![true; columns.len() / CHUNK_PELS + 1];
        for row in self.rows_of(area) {
            let (mut start, mut at) = (0, 0);
            // The loop goes one step beyond the end of the row, so that a run that reaches the end is counted too.
            while at <= row.len() {
                if at.is_multiple_of(CHUNK_PELS)
                    && let Some(pels) = row.get(at..at + CHUNK_PELS)
                {
                    let is_light_now = darkest(pels) >= paper.lowest;
                    let was_light = std::mem::replace(&mut is_light[at / CHUNK_PELS], is_light_now);
                    if was_light && is_light_now && start == at {
                        at += CHUNK_PELS;
                        start = at;
                        continue;
                    }
                }
                let end = at;
                at += 1;
                if row.get(end).is_some_and(|pel| *pel < paper.lowest) {
                    continue;
                }
                let run = end - start;
                dark += run as u64;
                let is_thin = run <= STROKE_PELS_MAX;
                thin += if is_thin { run as u64 } else { 0 };
                for (length, uncounted) in &mut columns[start..end] {
                    *length += 1;
                    *uncounted += u32::from(!is_thin);
                }
                if let Some(column) = columns.get_mut(end) {
                    thin += thin_pels(*column);
                    *column = (0, 0);
                }
                start = end + 1;
            }
        }
        // The runs that reach the bottom of the area end there.
        thin += columns.into_iter().map(thin_pels).sum::<u64>();
        let is_blank = dark * 1_000 < area.pels() * BLANK_PER_MILLE;
        if is_blank { paper.lowest >= BLANK_LOWEST } else { thin * 100 >= dark * STROKES_PERCENT }
    }
}

/// Returns the darkest of some pels, or white if there are none.
fn darkest(pels: &[u8]) -> u8 {
    pels.iter().fold(u8::MAX, |darkest, pel| darkest.min(*pel))
}

/// A rectangle in an image, in pels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// The first column of the rectangle.
    pub left: u32,
    /// The first row of the rectangle.
    pub top: u32,
    /// The column after the last one of the rectangle.
    pub right: u32,
    /// The row after the last one of the rectangle.
    pub bottom: u32,
}

impl Area {
    /// Returns the columns of the rectangle that are within an image of this width.
    fn columns(&self, width: u32) -> std::ops::Range<usize> {
        let right = self.right.min(width);
        self.left.min(right) as usize..right as usize
    }

    /// Returns the number of pels in the rectangle.
    pub(super) const fn pels(&self) -> u64 {
        self.right.saturating_sub(self.left) as u64 * self.bottom.saturating_sub(self.top) as u64
    }
}

/// The kind of a scan, which is determined while its paper is made white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// Only text, or nothing: so few greys remain that they can only be the edges of letters and lines.
    Text,
    /// Text and pictures; the greys of the pictures are kept.
    WithPictures,
}

/// The paper of a scan: a narrow peak of light greys in the histogram, with hardly any pel lighter.
struct Paper {
    /// The darkest grey within the peak.
    lowest: u8,
}

impl Paper {
    /// Finds the peak of the paper, if there is one. Photographs are rejected because their peaks are too wide. Charts,
    /// tinted forms and other drawings are rejected because they have white areas that are lighter than their tints, or
    /// because the tints lack a scanner's noise.
    fn of(histogram: &[u64; 256]) -> Option<Self> {
        let all: u64 = histogram.iter().sum();
        let peak_at = |level: usize| level - PEAK_HALF..(level + PEAK_HALF + 1).min(256);
        let within = |range: std::ops::Range<usize>| histogram[range].iter().sum::<u64>();
        let level = PAPER.max_by_key(|level| within(peak_at(*level)))?;
        let (peak, lighter) = (within(peak_at(level)), within((level + PEAK_HALF + 1).min(256)..256));
        let highest = histogram[peak_at(level)].iter().max().copied().unwrap_or(0);
        let is_paper = peak * 100 >= all * PAPER_PERCENT
            && lighter * 100 <= all * LIGHTER_PERCENT
            && highest * 100 <= peak * ONE_GREY_PERCENT;
        is_paper.then_some(Self { lowest: (level - PEAK_HALF) as u8 })
    }

    /// Builds a lookup table that maps ink to black, paper to white, and the greys in between linearly.
    fn levels(&self, histogram: &[u64; 256]) -> [u8; 256] {
        let all: u64 = histogram.iter().sum();
        let mut sum = 0;
        let ink = histogram.iter().position(|count| {
            sum += count;
            sum * 1_000 > all * INK_PER_MILLE
        });
        let lowest = usize::from(self.lowest);
        let ink = ink.unwrap_or(0).min(lowest - 1);
        let (peak, height) =
            (lowest..256).map(|level| (level, histogram[level])).max_by_key(|(_, count)| *count).unwrap_or((255, 0));
        let foot = (0..peak).rev().find(|level| histogram[*level] <= height / PEAK_FOOT).unwrap_or(0).max(ink + 1);
        let mut levels = [0; 256];
        for (level, to) in levels.iter_mut().enumerate() {
            let above = level.saturating_sub(ink) * 255 / (foot - ink);
            *to = u8::try_from(above).unwrap_or(u8::MAX);
        }
        levels
    }
}

/// If the share of a scan's pels that are grey is below this, the scan contains only text, and the grey pels are the
/// edges of its letters.
const EDGES_PERCENT: u64 = 12;
/// The greys at which the middle of a paper's peak may lie.
const PAPER: std::ops::RangeInclusive<usize> = 150..=250;
/// The maximum deviation of paper from the middle of its peak, in grey levels; noise and uneven light cause it.
const PEAK_HALF: usize = 16;
/// The minimum share of a scan's pels that are within the paper's peak.
const PAPER_PERCENT: u64 = 50;
/// The maximum share of a scan's pels that are lighter than its paper.
const LIGHTER_PERCENT: u64 = 2;
/// The maximum share of the paper's pels that have the same grey. Real paper is noisy, whereas a flat tint has only one
/// grey.
const ONE_GREY_PERCENT: u64 = 60;
/// The maximum width of a stroke: 3 mm at 8 pels per mm.
const STROKE_PELS_MAX: usize = 24;
/// The minimum share of thin strokes among the pels darker than paper.
const STROKES_PERCENT: u64 = 30;
/// The number of pels examined together, which is efficient because most of a scan is paper.
const CHUNK_PELS: usize = 32;
/// The share of pels darker than paper below which an area is blank.
const BLANK_PER_MILLE: u64 = 3;
/// The minimum grey of paper in a blank area. A darker image that consists almost entirely of one grey is a picture.
const BLANK_LOWEST: u8 = 180;
/// The darkest pels of an area, up to this share, count as pure ink and become black.
const INK_PER_MILLE: u64 = 5;
/// The paper's peak ends, on its dark side, at the first grey that occurs this many times less often than the most
/// frequent one.
const PEAK_FOOT: u64 = 10;

/// When a page is dithered, pels at least this light become white.
pub(super) const SNAP_WHITE: u8 = 240;
/// When a page is dithered, pels at most this light become black.
pub(super) const SNAP_BLACK: u8 = 16;

/// Returns whether a pel is a true grey, which is dithered.
pub(super) fn is_gray(pel: u8) -> bool {
    pel > SNAP_BLACK && pel < SNAP_WHITE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a generator of numbers below a limit, which are the same in each run of the tests.
    fn noise() -> impl FnMut(u32) -> u32 {
        let mut state = 1_u32;
        move |below| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        }
    }

    /// Creates an image whose pels are computed from the column, the row and a noise value below 13.
    fn image(mut pel: impl FnMut(u32, u32, u32) -> u32) -> Gray {
        let mut noise = noise();
        let pels = (0..400 * 400).map(|at| pel(at % 400, at / 400, noise(13)).min(255) as u8).collect();
        Gray::from_pels(400, 400, pels)
    }

    #[test]
    fn scanned_paper_becomes_white_and_its_ink_black() {
        for paper in [170, 205, 230, 240] {
            let ink = |x: u32, y: u32| x % 20 < 2 && y % 30 < 20;
            let mut scan = image(|x, y, noise| if ink(x, y) { 40 } else { paper + noise });
            assert_eq!(scan.remove_paper(scan.area()), Some(Scan::Text), "{paper}");
            for (at, pel) in (0..).zip(scan.pels()) {
                assert_eq!(*pel, if ink(at % 400, at / 400) { 0 } else { 255 }, "{paper}");
            }
        }
    }

    #[test]
    fn a_line_along_an_edge_is_a_stroke() {
        for (name, edge) in [("top", 0..20), ("bottom", 380..400)] {
            let mut across = image(|_, y, noise| if edge.contains(&y) { 40 } else { 215 + noise });
            assert_eq!(across.remove_paper(across.area()), Some(Scan::Text), "{name}");
            let mut along = image(|x, _, noise| if edge.contains(&x) { 40 } else { 215 + noise });
            assert_eq!(along.remove_paper(along.area()), Some(Scan::Text), "{name}, turned");
        }
    }

    #[test]
    fn blank_sheets_and_sheets_with_pictures_are_scans_too() {
        let mut blank = image(|_, _, noise| 210 + noise);
        assert_eq!(blank.remove_paper(blank.area()), Some(Scan::Text));
        assert!(blank.pels().iter().all(|pel| *pel == 255));
        let is_picture = |x: u32, y: u32| x > 250 && y > 250;
        let mut mixed = image(|x, y, noise| match () {
            () if is_picture(x, y) => 60 + x / 4,
            () if x % 10 < 3 && y % 10 < 7 => 40,
            () => 220 + noise,
        });
        assert_eq!(mixed.remove_paper(mixed.area()), Some(Scan::WithPictures));
    }

    #[test]
    fn photographs_charts_and_tinted_forms_are_not_scans() {
        let smooth = image(|x, y, noise| 150 + (x + y) / 8 + noise);
        let backdrop =
            image(|x, y, noise| if x.abs_diff(200) + y.abs_diff(200) < 120 { 90 + x / 4 } else { 215 + noise });
        let dark = image(|x, _, noise| x / 2 + noise);
        let flat = image(|_, _, noise| 160 + noise);
        let tint = image(|x, y, _| if x % 20 < 2 && y % 30 < 20 { 0 } else { 229 });
        let form = image(|x, y, noise| match () {
            () if x % 20 < 2 && y % 30 < 20 => 0,
            () if y % 50 < 35 => 220 + noise / 4,
            () => 255,
        });
        let chart = image(|x, y, noise| if y > 400 - x { 200 } else { 248 + noise });
        let pure = image(|x, _, _| if x % 3 == 0 { 0 } else { 255 });
        for (name, image) in [
            ("smooth", smooth),
            ("backdrop", backdrop),
            ("dark", dark),
            ("flat", flat),
            ("tint", tint),
            ("form", form),
            ("chart", chart),
            ("pure", pure),
        ] {
            let mut after = image.clone();
            assert_eq!(after.remove_paper(after.area()), None, "{name}");
            assert_eq!(after, image, "{name}");
        }
    }

    #[test]
    fn pels_outside_the_area_neither_count_nor_change() {
        let inside = |x: u32, y: u32| (50..350).contains(&x) && (20..380).contains(&y);
        let mut page = image(|x, y, noise| match () {
            () if !inside(x, y) => 255 * (x % 2),
            () if x % 20 < 2 => 30,
            () => 215 + noise,
        });
        let before = page.clone();
        assert_eq!(page.remove_paper(Area { left: 50, top: 20, right: 350, bottom: 380 }), Some(Scan::Text));
        for (at, (pel, old)) in (0..).zip(page.pels().iter().zip(before.pels())) {
            let (x, y) = (at % 400, at / 400);
            let expected = if !inside(x, y) {
                *old
            } else if x % 20 < 2 {
                0
            } else {
                255
            };
            assert_eq!(*pel, expected, "{x} {y}");
        }
    }
}
