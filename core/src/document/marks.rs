//! What a page draws, as the judge of documents needs it: letters, thin lines, images, small shapes and colours, each
//! with its place. All lengths are in inches on the fax page, whatever the resolution at which the page was drawn.

/// A rectangle in inches, from the top left corner of a fax page.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Place {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Place {
    pub(super) const fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) const fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(super) const fn area(&self) -> f64 {
        self.width() * self.height()
    }

    /// Returns the smallest place that contains this place and the other.
    pub(super) const fn union(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Returns the place extended by a margin on either side, across and down.
    pub(super) const fn grown(&self, (across, down): (f64, f64)) -> Self {
        Self { left: self.left - across, top: self.top - down, right: self.right + across, bottom: self.bottom + down }
    }

    pub(super) const fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    /// Returns the overlap of two ranges along an axis, as a share of the shorter one; negative if they are apart.
    fn shared((a0, a1): (f64, f64), (b0, b1): (f64, f64)) -> f64 {
        (a1.min(b1) - a0.max(b0)) / (a1 - a0).min(b1 - b0).max(f64::MIN_POSITIVE)
    }

    /// Returns whether another place is on the same line as this one, and at most `gap` away. `is_across` says whether
    /// lines run across the page or down.
    pub(super) fn is_beside(&self, other: &Self, gap: f64, is_across: bool) -> bool {
        let across = ((self.left, self.right), (other.left, other.right));
        let down = ((self.top, self.bottom), (other.top, other.bottom));
        let (along, (a, b)) = if is_across { (across, down) } else { (down, across) };
        let ((a0, a1), (b0, b1)) = along;
        a0 - b1 <= gap && b0 - a1 <= gap && Self::shared(a, b) >= 0.5
    }
}

/// The number of characters that are kept of each text.
pub(super) const TEXT_CHARACTERS_MAX: usize = 40;

/// Letters of one size and colour that follow each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letters {
    pub(super) place: Place,
    /// The vector from the baseline to the height of a small x.
    pub(super) x_height: (f64, f64),
    /// Whether the height was measured on letters without ascenders, rather than derived from other letters.
    pub(super) is_measured: bool,
    /// The size of the type in inches: an em.
    pub(super) em: f64,
    /// The luma, from 0 for black to 255 for white.
    pub(super) luma: u8,
    /// The number of letters and digits.
    pub(super) count: usize,
    /// The beginning of the text, at most [`TEXT_CHARACTERS_MAX`] characters.
    pub(super) text: String,
}

/// A thin line, or a thin filled shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) place: Place,
    /// The thickness as measured across the page and down the page, since pels are not square.
    pub(super) thickness: (f64, f64),
    /// The luma, from 0 for black to 255 for white.
    pub(super) luma: u8,
}

/// A colour, and how much of the page is painted with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Color {
    pub(super) rgb: [u8; 3],
    pub(super) luma: u8,
    /// The total area of the places painted with this colour, in square inches.
    pub(super) square_inches: f64,
    /// The largest of these places.
    pub(super) place: Place,
}

/// What was drawn on a fax page.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    pub(super) letters: Vec<Letters>,
    pub(super) lines: Vec<Line>,
    /// Small filled shapes, such as the modules of a QR code.
    pub(super) shapes: Vec<Place>,
    pub(super) images: Vec<Place>,
    pub(super) colors: Vec<Color>,
    /// Whether images cover most of the page, so that most of what it shows is not known.
    pub(super) is_scan: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_on_a_line_are_beside_each_other_up_to_a_gap() {
        let place = |left, top| Place { left, top, right: left + 1.0, bottom: top + 0.2 };
        assert!(place(0.0, 0.0).is_beside(&place(1.05, 0.05), 0.1, true));
        assert!(!place(0.0, 0.0).is_beside(&place(1.05, 0.15), 0.1, true));
        assert!(!place(0.0, 0.0).is_beside(&place(1.2, 0.0), 0.1, true));
        assert!(place(0.0, 0.0).is_beside(&place(0.1, 0.25), 0.1, false));
        assert!(!place(0.0, 0.0).is_beside(&place(0.1, 0.25), 0.1, true));
    }
}
