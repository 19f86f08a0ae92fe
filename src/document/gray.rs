//! A page as greys: one byte a pel, 0 black, 255 white. It renders nothing and makes no bits.

/// A grey image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gray {
    width: u32,
    height: u32,
    pels: Vec<u8>,
}

impl Gray {
    /// A white image.
    #[must_use]
    pub fn white(width: u32, height: u32) -> Self {
        Self { width, height, pels: vec![u8::MAX; width as usize * height as usize] }
    }

    /// An image of these pels, row by row; what is missing is white.
    #[must_use]
    pub fn from_pels(width: u32, height: u32, mut pels: Vec<u8>) -> Self {
        pels.resize(width as usize * height as usize, u8::MAX);
        Self { width, height, pels }
    }

    /// Pels across.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// All pels, row by row.
    #[must_use]
    pub fn pels(&self) -> &[u8] {
        &self.pels
    }

    /// All pels, to be changed.
    pub fn pels_mut(&mut self) -> &mut [u8] {
        &mut self.pels
    }

    /// The rows from the top.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, u8> {
        self.pels.chunks_exact(self.width.max(1) as usize)
    }

    /// Cuts off what is below `height`.
    pub fn truncate(&mut self, height: u32) {
        self.height = self.height.min(height);
        self.pels.truncate(self.width as usize * self.height as usize);
    }

    /// Whether so few pels are grey that they can only be edges of letters and lines.
    #[must_use]
    pub fn has_edges_alone(&self) -> bool {
        self.pels.iter().filter(|pel| is_gray(**pel)).count() * 100 < self.pels.len() * EDGES_PERCENT
    }

    /// Makes white white and ink black where the page is scanned paper: more than half of the rows hold greys, and
    /// nearly half of all pels are as light grey as paper. Answers whether it was.
    pub fn remove_paper(&mut self) -> bool {
        let gray_rows = self.rows().filter(|row| row.iter().any(|pel| is_gray(*pel))).count();
        if gray_rows * 2 <= self.height as usize {
            return false;
        }
        let mut histogram = [0_u32; 256];
        for pel in &self.pels {
            histogram[usize::from(*pel)] += 1;
        }
        let paper: u64 = histogram[PAPER_LOW..=PAPER_HIGH].iter().map(|count| u64::from(*count)).sum();
        let all = self.pels.len() as u64;
        if paper * 100 <= all * PAPER_PERCENT {
            return false;
        }
        let levels = stretch(&histogram, all);
        for pel in &mut self.pels {
            *pel = levels[usize::from(*pel)];
        }
        true
    }
}

/// A scan whose paper is gone and of which fewer pels than this are grey has text alone: the greys are its edges.
const EDGES_PERCENT: usize = 12;
/// Light greys that scanned paper has.
const PAPER_LOW: usize = 150;
/// The lightest grey that is not white yet.
const PAPER_HIGH: usize = 250;
/// A page with more than this share of such greys is scanned paper; photographs have less.
const PAPER_PERCENT: u64 = 45;
/// The darkest pels, so many in a thousand, are ink.
const INK_PER_MILLE: u64 = 5;
/// The peak of the paper ends where the count falls to this fraction of its height.
const PEAK_FOOT: u32 = 10;

/// As light as this is white, for pels that no paper hides behind.
pub(super) const SNAP_WHITE: u8 = 240;
/// As dark as this is black.
pub(super) const SNAP_BLACK: u8 = 16;

pub(super) fn is_gray(pel: u8) -> bool {
    pel > SNAP_BLACK && pel < SNAP_WHITE
}

/// A table that maps ink to black and all paper to white.
fn stretch(histogram: &[u32; 256], all: u64) -> [u8; 256] {
    let mut sum = 0;
    let ink = histogram
        .iter()
        .position(|count| {
            sum += u64::from(*count);
            sum * 1_000 > all * INK_PER_MILLE
        })
        .unwrap_or(0);
    let (peak, height) =
        (PAPER_LOW..256).map(|level| (level, histogram[level])).max_by_key(|(_, count)| *count).unwrap_or((255, 0));
    let foot = (0..peak).rev().find(|level| histogram[*level] <= height / PEAK_FOOT).unwrap_or(0).max(ink + 1);
    let mut levels = [0; 256];
    for (level, to) in levels.iter_mut().enumerate() {
        let above = level.saturating_sub(ink) * 255 / (foot - ink);
        *to = u8::try_from(above).unwrap_or(u8::MAX);
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scanned_paper_becomes_white_and_its_ink_black() {
        let pels: Vec<u8> = (0..100 * 100).map(|at| if at % 20 == 0 { 40 } else { 205 + (at % 13) as u8 }).collect();
        let mut scan = Gray::from_pels(100, 100, pels);
        assert!(scan.remove_paper());
        assert!(scan.pels().iter().enumerate().all(|(at, pel)| *pel == if at % 20 == 0 { 0 } else { 255 }));
    }

    #[test]
    fn a_page_of_pure_black_and_white_and_a_photograph_stay_as_they_are() {
        let mut text = Gray::from_pels(64, 64, (0..64 * 64).map(|at| if at % 3 == 0 { 0 } else { 255 }).collect());
        let before = text.clone();
        assert!(!text.remove_paper());
        assert_eq!(text, before);
        let mut photograph = Gray::from_pels(256, 64, (0..256 * 64).map(|at| (at % 256) as u8).collect());
        assert!(!photograph.remove_paper());
    }
}
