//! Stamps the header line on pages. The line identifies the sender (T.30's transmit terminal identification), and
//! contains the date, the station id, the numbers of the sender and the recipient, and the page number. It is set in a
//! built-in bitmap font.

use super::bitmap::Bitmap;
use crate::model::fax::Quality;
use crate::model::reception::Header;

/// In the font, letters are five dots wide and seven dots high, with one dot between them.
const LETTER_COLUMNS: u32 = 5;
const LETTER_ROWS: u32 = 7;
/// On the page, a dot is two pels wide; `down` scales its height so that its shape is the same at each resolution.
const ACROSS: u32 = 2;
/// The number of white pels to the left of the line.
const LEFT_PELS: u32 = 48;
/// The margin above and below the line, in rows of a letter.
const MARGIN_ROWS: u32 = 2;

/// Formats the text of the header line.
#[must_use]
pub fn text(header: &Header, page: u64, pages: u64) -> String {
    let Header { at, station_id, from, to } = header;
    // A station id that is the sender's number is left out, because the line already contains that number.
    let station_id = if **station_id == from.to_string() { "" } else { station_id };
    let date = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or_default().strftime("%Y-%m-%d %H:%M");
    format!("{date} UTC   {station_id}   FROM {from}   TO {to}   PAGE {page} OF {pages}")
}

/// Returns the number of rows that the header line takes, including white rows above and below the text.
#[must_use]
pub const fn rows(quality: Quality) -> u32 {
    (LETTER_ROWS + 2 * MARGIN_ROWS) * down(quality)
}

/// Returns the number of page rows per row of a letter.
const fn down(quality: Quality) -> u32 {
    match quality {
        Quality::Standard => 1,
        Quality::Fine => 2,
        Quality::Superfine => 4,
    }
}

/// Stamps the header line on a page: within the page's top rows if they are white, otherwise above the page, which
/// moves down.
#[must_use]
pub fn stamped(page: &Bitmap, quality: Quality, text: &str) -> Bitmap {
    let (down, rows) = (down(quality), rows(quality));
    let has_margin = page.height() > rows && (0..rows).all(|y| page.is_white_row(y));
    let mut out = if has_margin {
        page.clone()
    } else {
        let mut moved = Bitmap::white(page.width(), rows);
        page.rows().take(page.height() as usize).for_each(|row| moved.push_row(row));
        moved
    };
    let mut left = LEFT_PELS;
    for letter in text.chars() {
        // An overlong line is cut off at the edge.
        if left + LETTER_COLUMNS * ACROSS > page.width() {
            break;
        }
        draw(&mut out, letter, (left, MARGIN_ROWS * down), down);
        left += (LETTER_COLUMNS + 1) * ACROSS;
    }
    out
}

/// Draws one letter with its upper left corner at this place.
fn draw(page: &mut Bitmap, letter: char, (left, top): (u32, u32), down: u32) {
    let columns = LETTERS[index(letter)];
    for (column, rows) in (0..).zip(columns) {
        for row in (0..LETTER_ROWS).filter(|row| rows >> row & 1 == 1) {
            let x = left + column * ACROSS;
            for y in top + row * down..top + (row + 1) * down {
                page.blacken_run(y, x, x + ACROSS);
            }
        }
    }
}

/// Returns a letter's index in `LETTERS`. Lower-case letters print as capitals, unknown characters as question marks.
fn index(letter: char) -> usize {
    let code = u32::from(letter.to_ascii_uppercase());
    let known = code.checked_sub(u32::from(' ')).and_then(|at| usize::try_from(at).ok());
    known.filter(|at| *at < LETTERS.len()).unwrap_or('?' as usize - ' ' as usize)
}

/// The characters from space to underscore as five columns each, the top row in the lowest bit.
const LETTERS: [[u8; LETTER_COLUMNS as usize]; 64] = [
    [0x00, 0x00, 0x00, 0x00, 0x00],
    [0x00, 0x00, 0x5f, 0x00, 0x00],
    [0x00, 0x07, 0x00, 0x07, 0x00],
    [0x14, 0x7f, 0x14, 0x7f, 0x14],
    [0x24, 0x2a, 0x7f, 0x2a, 0x12],
    [0x23, 0x13, 0x08, 0x64, 0x62],
    [0x36, 0x49, 0x55, 0x22, 0x50],
    [0x00, 0x05, 0x03, 0x00, 0x00],
    [0x00, 0x1c, 0x22, 0x41, 0x00],
    [0x00, 0x41, 0x22, 0x1c, 0x00],
    [0x14, 0x08, 0x3e, 0x08, 0x14],
    [0x08, 0x08, 0x3e, 0x08, 0x08],
    [0x00, 0x50, 0x30, 0x00, 0x00],
    [0x08, 0x08, 0x08, 0x08, 0x08],
    [0x00, 0x60, 0x60, 0x00, 0x00],
    [0x20, 0x10, 0x08, 0x04, 0x02],
    [0x3e, 0x51, 0x49, 0x45, 0x3e],
    [0x00, 0x42, 0x7f, 0x40, 0x00],
    [0x42, 0x61, 0x51, 0x49, 0x46],
    [0x21, 0x41, 0x45, 0x4b, 0x31],
    [0x18, 0x14, 0x12, 0x7f, 0x10],
    [0x27, 0x45, 0x45, 0x45, 0x39],
    [0x3c, 0x4a, 0x49, 0x49, 0x30],
    [0x01, 0x71, 0x09, 0x05, 0x03],
    [0x36, 0x49, 0x49, 0x49, 0x36],
    [0x06, 0x49, 0x49, 0x29, 0x1e],
    [0x00, 0x36, 0x36, 0x00, 0x00],
    [0x00, 0x56, 0x36, 0x00, 0x00],
    [0x08, 0x14, 0x22, 0x41, 0x00],
    [0x14, 0x14, 0x14, 0x14, 0x14],
    [0x00, 0x41, 0x22, 0x14, 0x08],
    [0x02, 0x01, 0x51, 0x09, 0x06],
    [0x32, 0x49, 0x79, 0x41, 0x3e],
    [0x7e, 0x11, 0x11, 0x11, 0x7e],
    [0x7f, 0x49, 0x49, 0x49, 0x36],
    [0x3e, 0x41, 0x41, 0x41, 0x22],
    [0x7f, 0x41, 0x41, 0x22, 0x1c],
    [0x7f, 0x49, 0x49, 0x49, 0x41],
    [0x7f, 0x09, 0x09, 0x09, 0x01],
    [0x3e, 0x41, 0x49, 0x49, 0x7a],
    [0x7f, 0x08, 0x08, 0x08, 0x7f],
    [0x00, 0x41, 0x7f, 0x41, 0x00],
    [0x20, 0x40, 0x41, 0x3f, 0x01],
    [0x7f, 0x08, 0x14, 0x22, 0x41],
    [0x7f, 0x40, 0x40, 0x40, 0x40],
    [0x7f, 0x02, 0x0c, 0x02, 0x7f],
    [0x7f, 0x04, 0x08, 0x10, 0x7f],
    [0x3e, 0x41, 0x41, 0x41, 0x3e],
    [0x7f, 0x09, 0x09, 0x09, 0x06],
    [0x3e, 0x41, 0x51, 0x21, 0x5e],
    [0x7f, 0x09, 0x19, 0x29, 0x46],
    [0x46, 0x49, 0x49, 0x49, 0x31],
    [0x01, 0x01, 0x7f, 0x01, 0x01],
    [0x3f, 0x40, 0x40, 0x40, 0x3f],
    [0x1f, 0x20, 0x40, 0x20, 0x1f],
    [0x3f, 0x40, 0x38, 0x40, 0x3f],
    [0x63, 0x14, 0x08, 0x14, 0x63],
    [0x07, 0x08, 0x70, 0x08, 0x07],
    [0x61, 0x51, 0x49, 0x45, 0x43],
    [0x00, 0x7f, 0x41, 0x41, 0x00],
    [0x02, 0x04, 0x08, 0x10, 0x20],
    [0x00, 0x41, 0x41, 0x7f, 0x00],
    [0x04, 0x02, 0x01, 0x02, 0x04],
    [0x40, 0x40, 0x40, 0x40, 0x40],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn black_rows(page: &Bitmap) -> Vec<u32> {
        (0..page.height()).filter(|y| !page.is_white_row(*y)).collect()
    }

    #[test]
    fn the_header_line_uses_a_white_margin_or_moves_the_page_down() {
        let mut page = Bitmap::white(1_728, 300);
        page.blacken_run(100, 0, 1_728);
        let with_margin = stamped(&page, Quality::Fine, "A");
        assert_eq!(with_margin.height(), 300);
        assert!(black_rows(&with_margin).starts_with(&[4, 5]) && black_rows(&with_margin).ends_with(&[100]));
        page.blacken_run(3, 0, 9);
        let moved = stamped(&page, Quality::Fine, "A");
        assert_eq!(moved.height(), 322);
        assert!(black_rows(&moved).ends_with(&[25, 122]));
    }

    #[test]
    fn overlong_lines_end_at_the_edge_and_unknown_letters_become_question_marks() {
        let page = stamped(&Bitmap::white(1_728, 50), Quality::Standard, &"M".repeat(1_000));
        assert_eq!(page.width(), 1_728);
        assert_eq!((index('a'), index('é'), index('~')), (index('A'), index('?'), index('?')));
    }
}
