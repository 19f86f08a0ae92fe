//! Finds the parts of a page that are dots: dithered photographs and tints. They are found on the page itself, as it is
//! sent, so that it doesn't matter whether a PDF, a scan or an earlier fax has them. A dot is a pel without a neighbour
//! of its colour above, below, left or right; type and lines have hardly any.

use super::finding::Area;
use super::page::{Page, per_inch};
use crate::document::bitmap::Bitmap;
use crate::document::marks::Place;

/// The width of a cell in pels, which divides the 64 pels of a word. Cells are about as high as they are wide.
const CELL_PELS: u32 = 16;
/// The minimum share of isolated pels in a cell of dots, in percent: the lightest tint that isn't drawn white has 6 %,
/// and small type at standard quality has up to 3 %.
const CELL_PERCENT: u32 = 4;
/// A cell with at least this many neighbouring cells of dots belongs to their region, whatever the cell itself
/// contains.
const WITHIN_CELLS: usize = 3;
/// The smallest region of dots that counts, in cells: an eighth of a square inch.
const REGION_CELLS_MIN: usize = 20;

/// The dots of a page.
pub(super) struct Dots {
    columns: u32,
    rows: u32,
    rows_per_cell: u32,
    /// The number of isolated pels in each cell, row by row.
    isolated: Vec<u32>,
    /// The regions of cells of dots, the largest first.
    pub(super) regions: Vec<Region>,
}

/// Neighbouring cells of dots.
pub(super) struct Region {
    pub(super) place: Place,
    cells: Vec<u32>,
}

impl Dots {
    pub(super) fn of(page: &Page<'_>) -> Self {
        let (across, down) = per_inch(page.quality);
        let rows_per_cell = (f64::from(CELL_PELS) * down / across).round() as u32;
        let columns = page.bits.width().div_ceil(CELL_PELS);
        let rows = page.bits.height().div_ceil(rows_per_cell);
        let isolated = counts(page.bits, columns, rows_per_cell);
        let mut dots = Self { columns, rows, rows_per_cell, isolated, regions: Vec::new() };
        dots.regions = dots.connected(across, down);
        dots
    }

    /// Returns the share of the page that is dots, in percent.
    pub(super) fn page_percent(&self) -> f64 {
        let cells: usize = self.regions.iter().map(|region| region.cells.len()).sum();
        cells as f64 * 100.0 / self.isolated.len().max(1) as f64
    }

    /// Returns the share of isolated pels in an area, in percent, assuming that they are spread evenly over each cell.
    pub(super) fn percent(&self, area: &Area) -> f64 {
        let (mut found, mut all) = (0.0, 0.0);
        let shared = |from: u32, length: u32, cell: u32, size: u32| {
            (from + length).min((cell + 1) * size).saturating_sub(from.max(cell * size))
        };
        for row in area.top / self.rows_per_cell..(area.top + area.height).div_ceil(self.rows_per_cell).min(self.rows) {
            let high = shared(area.top, area.height, row, self.rows_per_cell);
            for column in area.left / CELL_PELS..(area.left + area.width).div_ceil(CELL_PELS).min(self.columns) {
                let pels = f64::from(high * shared(area.left, area.width, column, CELL_PELS));
                let isolated = self.isolated[(row * self.columns + column) as usize];
                found += pels * f64::from(isolated) / f64::from(CELL_PELS * self.rows_per_cell);
                all += pels;
            }
        }
        if all > 0.0 { found * 100.0 / all } else { 0.0 }
    }

    /// Returns the page with its regions of dots made white, to measure how much of the page's time the dots take.
    pub(super) fn removed(&self, bits: &Bitmap) -> Bitmap {
        let mut without = bits.clone();
        for cell in self.regions.iter().flat_map(|region| &region.cells) {
            let (left, top) = (cell % self.columns * CELL_PELS, cell / self.columns * self.rows_per_cell);
            for y in top..(top + self.rows_per_cell).min(bits.height()) {
                crate::document::bitmap::clear_run(without.row_mut(y), left, (left + CELL_PELS).min(bits.width()));
            }
        }
        without
    }

    /// Returns the regions of cells of dots that are large enough.
    fn connected(&self, across: f64, down: f64) -> Vec<Region> {
        let limit = CELL_PELS * self.rows_per_cell * CELL_PERCENT;
        let has_dots = |cell: u32| self.isolated.get(cell as usize).is_some_and(|isolated| isolated * 100 >= limit);
        // Here and there, a cell within a tint has few isolated pels, because its dots touch each other or a letter.
        let is_within = |cell: u32| self.beside(cell).filter(|beside| has_dots(*beside)).count() >= WITHIN_CELLS;
        let cells = 0..self.isolated.len() as u32;
        let mut is_dots: Vec<bool> = cells.map(|cell| has_dots(cell) || is_within(cell)).collect();
        let mut regions = Vec::new();
        for start in 0..is_dots.len() {
            if !std::mem::take(&mut is_dots[start]) {
                continue;
            }
            let (mut cells, mut next) = (Vec::new(), vec![start as u32]);
            while let Some(cell) = next.pop() {
                cells.push(cell);
                for cell in self.beside(cell) {
                    if std::mem::take(&mut is_dots[cell as usize]) {
                        next.push(cell);
                    }
                }
            }
            if cells.len() >= REGION_CELLS_MIN {
                regions.push(Region { place: self.place(&cells, across, down), cells });
            }
        }
        regions.sort_by_key(|region| std::cmp::Reverse(region.cells.len()));
        regions
    }

    /// Returns the cells above, below, to the left and to the right of a cell.
    fn beside(&self, cell: u32) -> impl Iterator<Item = u32> + use<> {
        let (column, row) = (cell % self.columns, cell / self.columns);
        let beside = [
            (column > 0).then(|| cell - 1),
            (column + 1 < self.columns).then(|| cell + 1),
            (row > 0).then(|| cell - self.columns),
            (row + 1 < self.rows).then(|| cell + self.columns),
        ];
        beside.into_iter().flatten()
    }

    fn place(&self, cells: &[u32], across: f64, down: f64) -> Place {
        let columns = cells.iter().map(|cell| cell % self.columns);
        let rows = cells.iter().map(|cell| cell / self.columns);
        let inches = |cell: Option<u32>, pels: u32, per_inch: f64| f64::from(cell.unwrap_or(0) * pels) / per_inch;
        Place {
            left: inches(columns.clone().min(), CELL_PELS, across),
            top: inches(rows.clone().min(), self.rows_per_cell, down),
            right: inches(columns.max().map(|column| column + 1), CELL_PELS, across),
            bottom: inches(rows.max().map(|row| row + 1), self.rows_per_cell, down),
        }
    }
}

/// Counts the isolated pels of each cell.
fn counts(bits: &Bitmap, columns: u32, rows_per_cell: u32) -> Vec<u32> {
    let mut counts = vec![0; (columns * bits.height().div_ceil(rows_per_cell)) as usize];
    for y in 0..bits.height() {
        let row = bits.row(y);
        let above = if y > 0 { bits.row(y - 1) } else { &[] };
        let below = if y + 1 < bits.height() { bits.row(y + 1) } else { &[] };
        if row.iter().chain(above).all(|word| *word == 0) {
            continue;
        }
        let word = |row: &[u64], place: usize| row.get(place).copied().unwrap_or(0);
        for (place, here) in row.iter().copied().enumerate() {
            let left = here >> 1 | place.checked_sub(1).map_or(0, |before| word(row, before) << 63);
            let right = here << 1 | word(row, place + 1) >> 63;
            let (up, down) = (word(above, place), word(below, place));
            let dots = here & !(left | right | up | down) | !here & left & right & up & down;
            if dots == 0 {
                continue;
            }
            for part in 0..64 / CELL_PELS {
                let cell = place as u32 * (64 / CELL_PELS) + part;
                if cell < columns {
                    let pels = dots << (part * CELL_PELS) >> (64 - CELL_PELS);
                    counts[(y / rows_per_cell * columns + cell) as usize] += pels.count_ones();
                }
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::dither::{self, Tone};
    use crate::document::gray::Gray;
    use crate::document::original::Rgb;
    use crate::model::fax::Quality;

    fn dots(bits: &Bitmap, quality: Quality) -> Dots {
        let mut original = |_: &_| Rgb::white(1, 1);
        Dots::of(&Page { quality, bits, marks: None, original: &mut original })
    }

    #[test]
    fn every_grey_that_is_dithered_is_found_where_it_is() {
        for quality in Quality::ALL {
            for level in [17, 60, 128, 200, 238] {
                let mut greys = Gray::white(1_728, 800);
                for row in greys.pels_mut().chunks_exact_mut(1_728).skip(200).take(400) {
                    row[320..960].fill(level);
                }
                let bits = dither::bits(&greys, Tone::Dither);
                let found = dots(&bits, *quality);
                assert_eq!(found.regions.len(), 1, "{quality} {level}");
                let place = found.regions[0].place;
                let (across, down) = per_inch(*quality);
                assert!((place.left * across - 320.0).abs() <= 16.0 && (place.right * across - 960.0).abs() <= 16.0);
                assert!((place.top * down - 200.0).abs() <= 32.0 && (place.bottom * down - 600.0).abs() <= 32.0);
                // Cells at the edge may have too few dots to belong to the region.
                let without = found.removed(&bits);
                let (first, last) = (200 + found.rows_per_cell, 600 - found.rows_per_cell);
                let is_left = |y: u32| (336..944).any(|x| without.is_black(x, y));
                assert!(!(first..last).any(is_left), "{quality} {level}");
            }
        }
    }

    #[test]
    fn lines_and_blocks_have_no_dots() {
        let mut bits = Bitmap::white(1_728, 600);
        for y in 0..600 {
            if y % 3 == 0 {
                bits.blacken_run(y, 0, 800);
            }
            (900..1_728).step_by(2).for_each(|x| bits.blacken(x, y));
        }
        assert!(dots(&bits, Quality::Fine).regions.is_empty());
    }
}
