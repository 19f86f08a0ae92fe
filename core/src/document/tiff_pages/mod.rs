//! Reads the pages of a TIFF file: its directories, then each page's layout, strips or tiles, and samples. Unreadable
//! parts of a page are white and reported as missing; a page is omitted only if it is completely unreadable.

mod codecs;
pub(super) mod directory;
mod layout;
mod samples;

use self::codecs::{Unpacked, unpacked};
use self::directory::{Chain, Directory};
use self::layout::{Alpha, Colour, Compression, Layout};
use self::samples::Greys;
use super::bitmap::Bitmap;
use super::gray::Gray;
use super::images::Fault;
use super::images::orientation::Orientation;
use super::picture::{Pels, Picture};
use crate::model::media::UnreadableDocument;

/// The tags that are read (TIFF 6.0, and the technical notes).
mod tag {
    pub(super) const NEW_SUBFILE_TYPE: u16 = 254;
    pub(super) const SUBFILE_TYPE: u16 = 255;
    pub(super) const IMAGE_WIDTH: u16 = 256;
    pub(super) const IMAGE_LENGTH: u16 = 257;
    pub(super) const BITS_PER_SAMPLE: u16 = 258;
    pub(super) const COMPRESSION: u16 = 259;
    pub(super) const PHOTOMETRIC_INTERPRETATION: u16 = 262;
    pub(super) const FILL_ORDER: u16 = 266;
    pub(super) const STRIP_OFFSETS: u16 = 273;
    pub(super) const SAMPLES_PER_PIXEL: u16 = 277;
    pub(super) const ROWS_PER_STRIP: u16 = 278;
    pub(super) const STRIP_BYTE_COUNTS: u16 = 279;
    pub(super) const X_RESOLUTION: u16 = 282;
    pub(super) const Y_RESOLUTION: u16 = 283;
    pub(super) const PLANAR_CONFIGURATION: u16 = 284;
    pub(super) const T4_OPTIONS: u16 = 292;
    pub(super) const RESOLUTION_UNIT: u16 = 296;
    pub(super) const PREDICTOR: u16 = 317;
    pub(super) const COLOR_MAP: u16 = 320;
    pub(super) const TILE_WIDTH: u16 = 322;
    pub(super) const TILE_LENGTH: u16 = 323;
    pub(super) const TILE_OFFSETS: u16 = 324;
    pub(super) const TILE_BYTE_COUNTS: u16 = 325;
    pub(super) const INK_SET: u16 = 332;
    pub(super) const NUMBER_OF_INKS: u16 = 334;
    pub(super) const EXTRA_SAMPLES: u16 = 338;
    pub(super) const SAMPLE_FORMAT: u16 = 339;
    pub(super) const JPEG_TABLES: u16 = 347;
    pub(super) const YCBCR_SUBSAMPLING: u16 = 530;
    pub(super) const YCBCR_POSITIONING: u16 = 531;
}

/// The pages of a TIFF file.
pub(super) struct Pages<'a> {
    pages: Vec<Directory<'a>>,
    /// The reason why there may be more pages that can't be reached.
    fault: Option<&'static str>,
}

impl<'a> Pages<'a> {
    /// Finds the pages of a file, leaving out reduced copies and masks. Fails if there are none.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, UnreadableDocument> {
        let damaged = |why: &str| UnreadableDocument::new(format!("the TIFF is damaged: {why}"));
        let Some(Chain { mut directories, fault }) = directory::chain(bytes) else {
            return Err(damaged("its header ends too early"));
        };
        if directories.is_empty() {
            return Err(damaged(fault.unwrap_or("it has no pages")));
        }
        // If no directory is marked as a page, the marks must be wrong, so every directory counts as a page.
        if directories.iter().any(is_page) {
            directories.retain(is_page);
        }
        Ok(Self { pages: directories, fault })
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }

    /// Returns the reason why there may be more pages that can't be reached; `None` if all pages were found.
    pub(super) const fn fault(&self) -> Option<&'static str> {
        self.fault
    }

    /// Reads one page, counted from 0. Fails if nothing on it can be read.
    pub(super) fn read(&self, index: u32) -> Result<Picture, UnreadableDocument> {
        let directory = self
            .pages
            .get(index as usize)
            .ok_or_else(|| UnreadableDocument::new("there is no such page".to_owned()))?;
        page(directory).map_err(|fault| fault.reason("TIFF"))
    }
}

/// Returns whether a directory is a page rather than a reduced copy or a mask (tags 254 and 255).
fn is_page(directory: &Directory<'_>) -> bool {
    match directory.number(tag::NEW_SUBFILE_TYPE) {
        // Bit 0 marks a reduced copy, and bit 2 a mask.
        Some(bits) => bits & 0b101 == 0,
        None => directory.number(tag::SUBFILE_TYPE) != Some(2),
    }
}

/// Reads the page that a directory describes.
fn page(directory: &Directory<'_>) -> Result<Picture, Fault> {
    let layout = Layout::of(directory)?;
    let orientation = Orientation::of_directory(directory);
    let mut reader = Segments::of(directory, &layout);
    let (pels, losses) = reader.read()?;
    let dots_per_inch = dots_per_inch(directory).map(|(x, y)| if orientation.swaps_axes() { (y, x) } else { (x, y) });
    Ok(Picture { pels: orientation.upright(pels), dots_per_inch, is_fax_file: layout.is_bilevel(), losses })
}

/// Returns the resolution in dots per inch. The inch is the default unit; returns `None` if the file states no
/// resolution, or states that it has no unit.
fn dots_per_inch(directory: &Directory<'_>) -> Option<(f64, f64)> {
    let factor = match directory.number(tag::RESOLUTION_UNIT) {
        Some(3) => 2.54,
        Some(1) => return None,
        _ => 1.0,
    };
    Some((directory.ratio(tag::X_RESOLUTION)? * factor, directory.ratio(tag::Y_RESOLUTION)? * factor))
}

/// Reads the strips or tiles of one image.
struct Segments<'a> {
    directory: &'a Directory<'a>,
    layout: &'a Layout,
    offsets: Vec<u64>,
    counts: Vec<u64>,
    /// The JPEG tables that all segments share.
    tables: Option<&'a [u8]>,
    /// The number of pels that could not be read.
    missing: u64,
    /// Whether some of the pels may be wrong.
    is_damaged: bool,
    /// The reason why the first unreadable segment could not be read.
    fault: Option<Fault>,
}

impl<'a> Segments<'a> {
    /// Reads the offsets and lengths of the segments.
    fn of(directory: &'a Directory<'a>, layout: &'a Layout) -> Self {
        let (across, down) = layout.grid();
        let planes = if layout.is_planar { layout.samples } else { 1 };
        let most = across as usize * down as usize * planes;
        let (offsets, counts) = if layout.is_tiled {
            (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
        };
        let mut offsets = directory.numbers(offsets, most);
        if offsets.is_empty() {
            // Some programs store the offsets of tiles under the tag for strips.
            offsets = directory.numbers(tag::STRIP_OFFSETS, most);
        }
        Self {
            directory,
            layout,
            offsets,
            counts: directory.numbers(counts, most),
            tables: directory.bytes(tag::JPEG_TABLES),
            missing: 0,
            is_damaged: false,
            fault: None,
        }
    }

    /// Reads all pels and describes the missing parts; fails if no pel can be read.
    fn read(&mut self) -> Result<(Pels, Vec<String>), Fault> {
        let Layout { width, height, .. } = *self.layout;
        let pels = if self.layout.is_bilevel() {
            let mut bits = Bitmap::white(width, height);
            let white = u8::from(self.layout.colour == Colour::BlackIsZero) * u8::MAX;
            self.each(|(x, y), _, row, _| blacken(&mut bits, (x, y), row[0], white));
            Pels::Bits(bits)
        } else {
            let mut gray = Gray::white(width, height);
            let mut greys = Greys::new(self.layout);
            self.each(|(x, y), columns, row, samples| {
                let start = y as usize * width as usize + x as usize;
                greys.row(row, samples, &mut gray.pels_mut()[start..start + columns as usize]);
            });
            Pels::Gray(gray)
        };
        if self.missing >= u64::from(width) * u64::from(height) {
            let nothing = Fault::damaged("none of its pels can be read");
            return Err(self.fault.take().unwrap_or(nothing));
        }
        Ok((pels, self.losses()))
    }

    /// Describes what is missing or may be wrong, for users.
    fn losses(&self) -> Vec<String> {
        let Layout { width, height, .. } = *self.layout;
        let mut losses = Vec::new();
        if self.missing > 0 {
            let rows = self.missing.div_ceil(u64::from(width));
            let why = match &self.fault {
                Some(Fault::NotSupported(why) | Fault::Damaged(why) | Fault::Size(why)) => format!(" ({why})"),
                None => String::new(),
            };
            losses
                .push(format!("the page is incomplete: {rows} of its {height} rows can't be read and are white{why}"));
        }
        if self.is_damaged {
            losses.push("the page is damaged and may be wrong in places".to_owned());
        }
        losses
    }

    /// Calls `take` for each row of each segment that can be read. `take` receives the row's place on the page, the
    /// number of columns, the bytes of each plane, and the number of samples per pel in a plane.
    fn each(&mut self, mut take: impl FnMut((u32, u32), u32, &[&[u8]], usize)) {
        let layout = self.layout;
        let (across, down) = layout.grid();
        let planes = self.planes();
        for line in 0..down {
            let y = line * layout.segment.1;
            let in_page = (layout.height - y).min(layout.segment.1);
            // A tile always has all its rows, even if some are below the page; the last strip ends with the page.
            let rows = if layout.is_tiled { layout.segment.1 } else { in_page };
            for column in 0..across {
                let x = column * layout.segment.0;
                let columns = (layout.width - x).min(layout.segment.0);
                let read: Vec<Unpacked> = (0..planes)
                    .map(|plane| {
                        let index = (plane * down as usize + line as usize) * across as usize + column as usize;
                        self.segment(index, rows)
                    })
                    .collect();
                let row_bytes = |read: &Unpacked| {
                    (layout.segment.0 as usize * read.samples * layout.bits as usize).div_ceil(8).max(1)
                };
                let there = read.iter().map(|read| read.bytes.len() / row_bytes(read)).min().unwrap_or(0);
                let there = u32::try_from(there).unwrap_or(u32::MAX).min(in_page);
                self.missing += u64::from(in_page - there) * u64::from(columns);
                for row in 0..there {
                    let part =
                        |read: &'_ Unpacked| row as usize * row_bytes(read)..(row as usize + 1) * row_bytes(read);
                    let parts: Vec<&[u8]> = read.iter().map(|read| &read.bytes[part(read)]).collect();
                    take((x, y + row), columns, &parts, read.first().map_or(1, |read| read.samples));
                }
            }
        }
    }

    /// Returns the number of planes that are needed: one per colour and, if there is alpha, one more.
    const fn planes(&self) -> usize {
        if !self.layout.is_planar {
            return 1;
        }
        let colours = match self.layout.colour {
            Colour::WhiteIsZero | Colour::BlackIsZero | Colour::Palette(_) | Colour::LumaFirst { .. } => 1,
            Colour::Rgb => 3,
            Colour::Cmyk => 4,
        };
        match self.layout.alpha {
            Alpha::None => colours,
            Alpha::Associated | Alpha::Unassociated => colours + 1,
        }
    }

    /// Decompresses one strip or tile, as far as the file contains it, and records faults.
    fn segment(&mut self, index: usize, rows: u32) -> Unpacked {
        let data = self.data(index, rows);
        let read = match unpacked(self.layout, self.tables, data, rows) {
            Ok(read) => read,
            Err(fault) => {
                self.fault.get_or_insert(fault);
                Unpacked { bytes: Vec::new(), samples: self.layout.samples_together(), is_damaged: false }
            }
        };
        self.is_damaged |= read.is_damaged && !read.bytes.is_empty();
        read
    }

    /// Returns the bytes of a strip or tile. If the file states no length, or zero, or too small a length for a single
    /// uncompressed strip, the length is estimated.
    fn data(&self, index: usize, rows: u32) -> &'a [u8] {
        let bytes = self.directory.file.bytes;
        // The file's header is at offset 0, so no strip or tile can begin there.
        let Some(offset) = self.offsets.get(index).copied().filter(|offset| *offset > 0) else { return &[] };
        let count = self.counts.get(index).copied().unwrap_or(0);
        let plain = self.layout.row_bytes() as u64 * u64::from(rows);
        let end = offset.saturating_add(plain);
        // Uncompressed data can't extend beyond the file or across the directory.
        let has_room = end <= bytes.len() as u64 && !(offset..end).contains(&self.directory.at);
        let is_plain = self.layout.compression == Compression::None && self.offsets.len() == 1;
        let is_short = is_plain && count < plain && has_room;
        let count = if count == 0 || is_short { self.count_by_place(offset, plain) } else { count };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(usize::try_from(count).unwrap_or(usize::MAX)).min(bytes.len());
        &bytes[start..end]
    }

    /// Estimates the number of bytes of a strip or tile; `plain` is their number without compression.
    fn count_by_place(&self, offset: u64, plain: u64) -> u64 {
        if self.layout.compression == Compression::None {
            return plain;
        }
        // Compressed data ends where the next strip or tile begins, at the latest.
        let next = self.offsets.iter().filter(|other| **other > offset).min();
        next.map_or(u64::MAX, |next| next - offset)
    }
}

/// Blackens the pels that are not white in a row of packed bits. `white` is a byte of white pels: 0, or 255 if set bits
/// are white.
fn blacken(bits: &mut Bitmap, (x, y): (u32, u32), row: &[u8], white: u8) {
    let width = bits.width();
    // TIFF requires the width of tiles to be a multiple of 16; only tiles of other widths can begin within a byte.
    if x % 8 != 0 {
        let is_black = |at: &u32| row.get(*at as usize / 8).is_some_and(|byte| (byte ^ white) >> (7 - at % 8) & 1 == 1);
        (0..width - x).filter(is_black).for_each(|at| bits.blacken(x + at, y));
        return;
    }
    let words = bits.row_mut(y);
    for (place, byte) in (x..width).step_by(8).zip(row) {
        let outside = (place + 8).saturating_sub(width).min(8);
        // The bits beyond the right edge of the page are cleared.
        let pels = u64::from((byte ^ white) >> outside << outside);
        if let Some(word) = words.get_mut((place / 64) as usize) {
            *word |= pels << (56 - place % 64);
        }
    }
}

#[cfg(test)]
mod tests;
