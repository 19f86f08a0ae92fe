//! Which way up an image is meant to be seen: TIFF tag 274 and EXIF's of the same number. It reads no pels.

use super::super::bitmap::Bitmap;
use super::super::gray::Gray;
use super::super::picture::Pels;
use super::super::tiff_pages::directory;

/// The tag, in TIFF and EXIF.
const ORIENTATION: u16 = 274;

/// How the rows of an image lie (TIFF 6.0, tag 274).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::document) enum Orientation {
    #[default]
    Upright,
    Mirrored,
    UpsideDown,
    MirroredUpsideDown,
    Transposed,
    /// A quarter turn clockwise makes it upright.
    TurnedLeft,
    Transversed,
    /// A quarter turn counterclockwise makes it upright.
    TurnedRight,
}

impl Orientation {
    /// What the tag says; other values than 1 to 8 say nothing.
    pub(in crate::document) const fn of_tag(value: Option<u64>) -> Self {
        match value {
            Some(2) => Self::Mirrored,
            Some(3) => Self::UpsideDown,
            Some(4) => Self::MirroredUpsideDown,
            Some(5) => Self::Transposed,
            Some(6) => Self::TurnedLeft,
            Some(7) => Self::Transversed,
            Some(8) => Self::TurnedRight,
            _ => Self::Upright,
        }
    }

    /// What a directory says.
    pub(in crate::document) fn of_directory(directory: &directory::Directory<'_>) -> Self {
        Self::of_tag(directory.number(ORIENTATION))
    }

    /// What EXIF data say: a TIFF header and directory, with or without `Exif\0\0` before them.
    pub(in crate::document) fn of_exif(data: &[u8]) -> Self {
        let data = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
        directory::first(data).map_or(Self::Upright, |directory| Self::of_directory(&directory))
    }

    /// Whether rows become columns.
    pub(in crate::document) const fn swaps_axes(self) -> bool {
        matches!(self, Self::Transposed | Self::TurnedLeft | Self::Transversed | Self::TurnedRight)
    }

    /// The image upright.
    pub(in crate::document) fn upright(self, pels: Pels) -> Pels {
        if self == Self::Upright {
            return pels;
        }
        match pels {
            Pels::Gray(gray) => {
                let (source_width, width, height) = (gray.width(), self.width(&gray), self.height(&gray));
                let mut upright = Vec::with_capacity(gray.pels().len());
                for y in 0..height {
                    for x in 0..width {
                        let (x, y) = self.source((x, y), (gray.width(), gray.height()));
                        upright.push(gray.pels()[y as usize * source_width as usize + x as usize]);
                    }
                }
                Pels::Gray(Gray::from_pels(width, height, upright))
            }
            Pels::Bits(bits) => {
                let size = (bits.width(), bits.height());
                let (width, height) = if self.swaps_axes() { (size.1, size.0) } else { size };
                let mut upright = Bitmap::white(width, height);
                for y in 0..height {
                    for x in 0..width {
                        let (from_x, from_y) = self.source((x, y), size);
                        if bits.is_black(from_x, from_y) {
                            upright.blacken(x, y);
                        }
                    }
                }
                Pels::Bits(upright)
            }
        }
    }

    const fn width(self, gray: &Gray) -> u32 {
        if self.swaps_axes() { gray.height() } else { gray.width() }
    }

    const fn height(self, gray: &Gray) -> u32 {
        if self.swaps_axes() { gray.width() } else { gray.height() }
    }

    /// Where a pel of the upright image lies in an image of this size.
    const fn source(self, (x, y): (u32, u32), (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::Upright => (x, y),
            Self::Mirrored => (width - 1 - x, y),
            Self::UpsideDown => (width - 1 - x, height - 1 - y),
            Self::MirroredUpsideDown => (x, height - 1 - y),
            Self::Transposed => (y, x),
            Self::TurnedLeft => (y, height - 1 - x),
            Self::Transversed => (width - 1 - y, height - 1 - x),
            Self::TurnedRight => (width - 1 - y, x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An upright image of 3 × 2 pels, and how the tag's eight values store it (TIFF 6.0, page 36).
    const UPRIGHT: &str = "abc/def";
    const STORED: [&str; 8] =
        ["abc/def", "cba/fed", "fed/cba", "def/abc", "ad/be/cf", "cf/be/ad", "fc/eb/da", "da/eb/fc"];

    fn gray(text: &str) -> Pels {
        let rows: Vec<&str> = text.split('/').collect();
        Pels::Gray(Gray::from_pels(rows[0].len() as u32, rows.len() as u32, rows.concat().into_bytes()))
    }

    #[test]
    fn each_of_the_eight_values_comes_upright() {
        for (value, stored) in (1..).zip(STORED) {
            let orientation = Orientation::of_tag(Some(value));
            assert_eq!(orientation.upright(gray(stored)), gray(UPRIGHT), "{value}");
            let Pels::Gray(greys) = gray(stored) else { panic!("greys") };
            for letter in UPRIGHT.bytes().filter(|letter| *letter != b'/') {
                let mut bits = Bitmap::white(greys.width(), greys.height());
                let at = greys.pels().iter().position(|pel| *pel == letter).unwrap() as u32;
                bits.blacken(at % greys.width(), at / greys.width());
                let Pels::Bits(upright) = orientation.upright(Pels::Bits(bits)) else { panic!("bits") };
                let place = u32::from(letter - b'a');
                assert!(upright.is_black(place % 3, place / 3), "{value} {letter}");
            }
        }
        for value in [None, Some(0), Some(9), Some(1_000)] {
            assert_eq!(Orientation::of_tag(value), Orientation::Upright);
        }
    }

    #[test]
    fn exif_is_read_in_either_byte_order() {
        let little = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let big = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0";
        assert_eq!(Orientation::of_exif(little), Orientation::TurnedLeft);
        assert_eq!(Orientation::of_exif(&[b"Exif\0\0", &big[..]].concat()), Orientation::TurnedRight);
        assert_eq!(Orientation::of_exif(&little[..12]), Orientation::Upright);
        assert_eq!(Orientation::of_exif(b""), Orientation::Upright);
    }
}
