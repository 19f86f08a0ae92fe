//! Determines the orientation of an image and turns the image upright. The orientation is stated in tag 274 of TIFF or
//! EXIF, or else in XMP.

use super::super::bitmap::Bitmap;
use super::super::gray::Gray;
use super::super::picture::Pels;
use super::super::tiff_pages::directory;

/// The orientation tag, in TIFF and EXIF.
const ORIENTATION: u16 = 274;
/// The TIFF tag that contains XMP (XMP specification part 3, 3.2.7).
const XMP: u16 = 700;
/// The name of the orientation in XMP, where it may be an attribute or an element.
const XMP_PROPERTY: &[u8] = b"tiff:Orientation";

/// The orientation of an image's stored rows (TIFF 6.0, tag 274).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::document) enum Orientation {
    #[default]
    Upright,
    Mirrored,
    UpsideDown,
    MirroredUpsideDown,
    /// Mirrored across the diagonal from the top left corner.
    Transposed,
    /// A quarter turn clockwise makes the image upright.
    TurnedLeft,
    /// Mirrored across the diagonal from the top right corner.
    Transversed,
    /// A quarter turn counterclockwise makes the image upright.
    TurnedRight,
}

impl Orientation {
    /// Returns the orientation for the value of the tag; values other than 1 to 8 count as upright.
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

    /// Returns the orientation that a TIFF directory states in its tag or, if that is missing, in XMP.
    pub(in crate::document) fn of_directory(directory: &directory::Directory<'_>) -> Self {
        let value = directory.number(ORIENTATION);
        Self::of_tag(value.or_else(|| directory.bytes(XMP).and_then(xmp_value)))
    }

    /// Returns the orientation stated in EXIF or XMP data. As in other readers, XMP is used only if EXIF states none.
    pub(in crate::document) fn of_metadata(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Self {
        Self::of_tag(exif.and_then(exif_value).or_else(|| xmp.and_then(xmp_value)))
    }

    /// Returns whether rows become columns when the image is shown.
    pub(in crate::document) const fn swaps_axes(self) -> bool {
        matches!(self, Self::Transposed | Self::TurnedLeft | Self::Transversed | Self::TurnedRight)
    }

    /// Turns the image upright.
    pub(in crate::document) fn upright(self, pels: Pels) -> Pels {
        if self == Self::Upright {
            return pels;
        }
        match pels {
            Pels::Gray(gray) => {
                // Each pel of the upright image is looked up in the stored image.
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

    /// Returns the width of the upright image.
    const fn width(self, gray: &Gray) -> u32 {
        if self.swaps_axes() { gray.height() } else { gray.width() }
    }

    /// Returns the height of the upright image.
    const fn height(self, gray: &Gray) -> u32 {
        if self.swaps_axes() { gray.width() } else { gray.height() }
    }

    /// Returns where a pel of the upright image is found in the stored image, which has this size.
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

/// Reads the tag from EXIF data, which is a TIFF header and a directory, with or without `Exif\0\0` before them.
fn exif_value(data: &[u8]) -> Option<u64> {
    let data = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
    directory::first(data)?.number(ORIENTATION)
}

/// Reads the property from XMP: `tiff:Orientation="6"`, with either kind of quote, or `<tiff:Orientation>6<`.
fn xmp_value(data: &[u8]) -> Option<u64> {
    let names = data.windows(XMP_PROPERTY.len()).enumerate().filter(|(_, window)| *window == XMP_PROPERTY);
    names.map(|(place, _)| data[place + XMP_PROPERTY.len()..].trim_ascii_start()).find_map(|rest| {
        let value = match rest {
            [b'>', rest @ ..] => rest.trim_ascii_start(),
            [b'=', rest @ ..] => match rest.trim_ascii_start() {
                [b'"' | b'\'', rest @ ..] => rest,
                _ => return None,
            },
            _ => return None,
        };
        match value {
            [digit @ b'1'..=b'8', end, ..] if !end.is_ascii_digit() => Some(u64::from(digit - b'0')),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An upright image of 3 × 2 pels.
    const UPRIGHT: &str = "abc/def";
    /// The forms in which the image is stored if the tag has the values 1 to 8 (TIFF 6.0, page 36).
    const STORED: [&str; 8] =
        ["abc/def", "cba/fed", "fed/cba", "def/abc", "ad/be/cf", "cf/be/ad", "fc/eb/da", "da/eb/fc"];

    /// Creates an image whose pels are letters, from rows that are separated by slashes.
    fn gray(text: &str) -> Pels {
        let rows: Vec<&str> = text.split('/').collect();
        Pels::Gray(Gray::from_pels(rows[0].len() as u32, rows.len() as u32, rows.concat().into_bytes()))
    }

    #[test]
    fn images_in_all_eight_orientations_are_turned_upright() {
        for (value, stored) in (1..).zip(STORED) {
            let orientation = Orientation::of_tag(Some(value));
            assert_eq!(orientation.upright(gray(stored)), gray(UPRIGHT), "{value}");
            let Pels::Gray(greys) = gray(stored) else { panic!("not greys") };
            for letter in UPRIGHT.bytes().filter(|letter| *letter != b'/') {
                let mut bits = Bitmap::white(greys.width(), greys.height());
                let at = greys.pels().iter().position(|pel| *pel == letter).unwrap() as u32;
                bits.blacken(at % greys.width(), at / greys.width());
                let Pels::Bits(upright) = orientation.upright(Pels::Bits(bits)) else { panic!("not bits") };
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
        let of_exif = |data: &[u8]| Orientation::of_metadata(Some(data), None);
        let little = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let big = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0";
        assert_eq!(of_exif(little), Orientation::TurnedLeft);
        assert_eq!(of_exif(&[b"Exif\0\0", &big[..]].concat()), Orientation::TurnedRight);
        assert_eq!(of_exif(&little[..12]), Orientation::Upright);
        assert_eq!(of_exif(b""), Orientation::Upright);
    }

    #[test]
    fn xmp_is_used_if_exif_states_nothing() {
        let of_xmp = |text: &str| Orientation::of_metadata(None, Some(text.as_bytes()));
        for (text, wanted) in [
            ("<rdf:Description tiff:Orientation=\"6\" xmp:Rating='5'/>", Orientation::TurnedLeft),
            ("<rdf:Description tiff:Orientation = '3'/>", Orientation::UpsideDown),
            ("<tiff:Orientation>8</tiff:Orientation>", Orientation::TurnedRight),
            ("<tiff:Orientation>\n 2 </tiff:Orientation>", Orientation::Mirrored),
            ("<tiff:OrientationNote/><x tiff:Orientation='5'/>", Orientation::Transposed),
        ] {
            assert_eq!(of_xmp(text), wanted, "{text}");
        }
        for text in [
            "",
            "tiff:Orientation",
            "tiff:Orientation=",
            "tiff:Orientation='",
            "tiff:Orientation='6",
            "tiff:Orientation='66'",
            "tiff:Orientation='0'",
        ] {
            assert_eq!(of_xmp(text), Orientation::Upright, "{text}");
        }
        let exif = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0";
        let xmp = b"tiff:Orientation='6'".as_slice();
        assert_eq!(Orientation::of_metadata(Some(exif), Some(xmp)), Orientation::Upright);
        assert_eq!(Orientation::of_metadata(Some(b"II"), Some(xmp)), Orientation::TurnedLeft);
    }
}
