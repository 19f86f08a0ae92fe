//! Places a page of any size on fax paper: the page may be turned, cropped, centred, scaled, and cut into pieces.

use crate::model::fax::{PageSize, Quality};
use crate::model::page::{PELS_PER_INCH, ROW_PELS};

/// Points per inch (PDF's default user space).
const POINTS_PER_INCH: f64 = 72.0;
/// The excess width, in pels, up to which a page is cropped instead of scaled. Letter is 1734 pels wide, 6 too many,
/// and its margins are white.
const CROP_PELS_MAX: f64 = 8.0;
/// The longest page that is sent uncut: legal paper, plus some tolerance for inexact sizes.
const PAGE_INCHES_MAX: f64 = 14.2;
/// The length of the pieces that a longer page is cut into, which is the length of legal paper.
const PIECE_INCHES: f64 = 14.0;
/// The maximum number of pieces into which a page is cut; anything below the last one is reported as lost.
pub const PIECES_MAX: u32 = 10;
/// The minimum height of a page, in rows, so that even a thin strip becomes a page.
const ROWS_MIN: u32 = 8;

/// The placement of a document page on fax paper.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Whether the page is turned clockwise by 90°, so that its right edge becomes the bottom edge.
    pub turned: bool,
    /// The factor by which the page is scaled down; 1 keeps its true size.
    pub scale: f64,
    /// The number of white pels to the left of the page; negative if its sides are cropped.
    pub left_pels: f64,
    /// The pieces from the top. Each is given by its start and its length, in inches of the scaled page.
    pub pieces: Vec<(f64, f64)>,
    /// Whether anything below the last piece is lost.
    pub cut: bool,
}

/// Places a page whose size is given in points; returns `None` if the page has no area.
#[must_use]
pub fn place(width_points: f64, height_points: f64) -> Option<Placement> {
    let (width, height) = (width_points / POINTS_PER_INCH, height_points / POINTS_PER_INCH);
    let has_area = width.is_finite() && height.is_finite() && width > 0.0 && height > 0.0;
    if !has_area {
        return None;
    }
    let paper = f64::from(ROW_PELS);
    let pels = |inches: f64| inches * f64::from(PELS_PER_INCH);
    // A landscape page that already fits the paper is not turned.
    let turned = width > height && pels(width) > paper + CROP_PELS_MAX;
    let (width, height) = if turned { (height, width) } else { (width, height) };
    let scale = if pels(width) > paper + CROP_PELS_MAX { paper / pels(width) } else { 1.0 };
    let length = height * scale;
    let (pieces, cut) = if length <= PAGE_INCHES_MAX {
        (vec![(0.0, length)], false)
    } else {
        let whole = (length / PIECE_INCHES).ceil();
        let count = whole.min(f64::from(PIECES_MAX));
        let starts = (0..PIECES_MAX).map(f64::from).take_while(|number| *number < count);
        let pieces = starts.map(|number| (number * PIECE_INCHES, PIECE_INCHES.min(length - number * PIECE_INCHES)));
        (pieces.collect(), whole > count)
    };
    Some(Placement { turned, scale, left_pels: (paper - pels(width * scale)) / 2.0, pieces, cut })
}

/// Converts a length in inches to rows, at least `ROWS_MIN`.
#[must_use]
pub fn rows(inches: f64, rows_an_inch: u32) -> u32 {
    let rows = (inches * f64::from(rows_an_inch)).round();
    // Pieces are at most PAGE_INCHES_MAX long, so the number is far from overflowing u32.
    (rows as u32).max(ROWS_MIN)
}

/// Returns the height of a sheet of paper in rows.
#[must_use]
pub fn sheet_rows(size: PageSize, quality: Quality) -> u32 {
    let inches = match size {
        PageSize::Letter => 11.0,
        PageSize::Legal => 14.0,
        PageSize::A4 => 297.0 / 25.4,
    };
    rows(inches, quality.rows_an_inch())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_is_cropped_a4_centred_landscape_turned_and_wide_pages_scaled() {
        let letter = place(612.0, 792.0).unwrap();
        assert_eq!((letter.turned, letter.scale, letter.left_pels), (false, 1.0, -3.0));
        assert_eq!(rows(letter.pieces[0].1, 196), 2_156);
        let a4 = place(595.28, 841.89).unwrap();
        assert!(a4.left_pels > 20.0 && a4.left_pels < 21.0 && a4.scale.total_cmp(&1.0).is_eq());
        assert_eq!(rows(a4.pieces[0].1, 196), 2_292);
        let landscape = place(792.0, 612.0).unwrap();
        assert!(landscape.turned && landscape.pieces == letter.pieces);
        let poster = place(1_224.0, 1_584.0).unwrap();
        assert!((poster.scale - 0.498).abs() < 0.001 && poster.left_pels.abs() < 0.01);
        let ticket = place(288.0, 144.0).unwrap();
        assert!(!ticket.turned && ticket.left_pels > 400.0);
    }

    #[test]
    fn tall_pages_are_cut_into_sheets_up_to_a_limit() {
        let receipt = place(300.0, 40.0 * 72.0).unwrap();
        assert_eq!(receipt.pieces.len(), 3);
        assert_eq!(receipt.pieces.iter().map(|piece| rows(piece.1, 196)).sum::<u32>(), 40 * 196);
        assert!(!receipt.cut);
        let endless = place(612.0, 1_000_000.0).unwrap();
        assert_eq!(endless.pieces.len(), PIECES_MAX as usize);
        assert!(endless.cut);
        assert_eq!(place(612.0, 14.0 * 72.0).unwrap().pieces.len(), 1);
    }

    #[test]
    fn a_page_without_an_area_has_no_placement() {
        for (width, height) in [(0.0, 792.0), (612.0, 0.0), (-1.0, 5.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0)] {
            assert_eq!(place(width, height), None);
        }
    }

    #[test]
    fn each_sheet_has_as_many_rows_as_its_paper_needs() {
        let rows = |size| Quality::ALL.iter().map(|quality| sheet_rows(size, *quality)).collect::<Vec<_>>();
        assert_eq!(rows(PageSize::Letter), [1_078, 2_156, 4_301]);
        assert_eq!(rows(PageSize::A4), [1_146, 2_292, 4_572]);
        assert_eq!(rows(PageSize::Legal), [1_372, 2_744, 5_474]);
    }
}
