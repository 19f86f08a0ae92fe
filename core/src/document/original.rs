//! A part of a document's page as it looks before it is faxed, in colour and at a resolution of the caller's choice.

/// The part of a fax page that is shown, and its resolution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Region {
    /// The left edge, in inches from the left edge of the fax page.
    pub(super) left: f64,
    /// The upper edge, in inches from the upper edge of the fax page.
    pub(super) top: f64,
    /// The number of pixels per inch, which is the same in both directions.
    pub(super) per_inch: f64,
    /// The width in pixels.
    pub(super) width: u16,
    /// The height in pixels.
    pub(super) height: u16,
}

/// An image in colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rgb {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Red, green and blue of each pixel, row by row.
    pub(super) pixels: Vec<[u8; 3]>,
}

impl Rgb {
    pub(super) fn white(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![[u8::MAX; 3]; width as usize * height as usize] }
    }

    /// Sets a pixel; does nothing outside the image.
    pub(super) fn set(&mut self, x: u32, y: u32, pixel: [u8; 3]) {
        if x < self.width
            && let Some(place) = self.pixels.get_mut(y as usize * self.width as usize + x as usize)
        {
            *place = pixel;
        }
    }
}
