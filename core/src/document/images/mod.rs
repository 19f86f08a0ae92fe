//! Reads single-page images (PNG and JPEG), and contains the code that all kinds of images share: faults, orientation,
//! and inflating damaged data. The readable part of an image is used; the rest is white and reported as missing.

pub(super) mod inflate;
pub(super) mod jpeg;
pub(super) mod orientation;
pub(super) mod png;

use super::kind::Kind;
use super::picture::{PICTURE_PELS_MAX, Picture};
use crate::model::media::UnreadableDocument;

/// The maximum amount of memory that decoding one picture may take, in bytes.
pub(super) const DECODE_BYTES_MAX: usize = 600 * 1024 * 1024;

/// The reason that an image can't be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The name of an unsupported feature; the image may be intact.
    NotSupported(String),
    /// A violation of the format, described for users.
    Damaged(String),
    /// A size that is zero or too large, described for users.
    Size(String),
}

impl Fault {
    pub(super) fn damaged(why: impl std::fmt::Display) -> Self {
        Self::Damaged(format!("{why}"))
    }

    pub(super) fn not_supported(what: impl Into<String>) -> Self {
        Self::NotSupported(what.into())
    }

    /// Formats the reason for users; `name` is the kind of document or page.
    pub(super) fn reason(&self, name: &str) -> UnreadableDocument {
        UnreadableDocument::new(match self {
            Self::NotSupported(what) => format!("the {name} is not supported: {what}"),
            Self::Damaged(why) => format!("the {name} is damaged: {why}"),
            Self::Size(what) => format!("the {name} {what}"),
        })
    }
}

/// Rejects an impossible size before any pel is decoded, because the size determines how much memory is allocated.
pub(super) fn check_size((width, height): (u32, u32)) -> Result<(), Fault> {
    if width == 0 || height == 0 {
        return Err(Fault::Size(format!("has no area: it is {width} × {height} pels")));
    }
    if u64::from(width) * u64::from(height) > PICTURE_PELS_MAX {
        return Err(Fault::Size(format!("is too large: {width} × {height} pels; the limit is {PICTURE_PELS_MAX}")));
    }
    Ok(())
}

/// Rejects a PNG or JPEG whose header shows that it can't be read.
pub(super) fn check(bytes: &[u8], kind: Kind) -> Result<(), UnreadableDocument> {
    // Callers pass only PNG and JPEG.
    let size = match kind {
        Kind::Png => png::size(bytes),
        Kind::Jpeg | Kind::Pdf | Kind::Tiff => jpeg::Head::read(bytes).map(|head| (head.width, head.height)),
    };
    size.and_then(check_size).map_err(|fault| fault.reason(kind.name()))
}

/// Reads a PNG or JPEG as a picture.
pub(super) fn read(bytes: &[u8], kind: Kind) -> Result<Picture, UnreadableDocument> {
    let picture = match kind {
        Kind::Png => png::read(bytes),
        Kind::Jpeg | Kind::Pdf | Kind::Tiff => jpeg::read(bytes),
    };
    picture.map_err(|fault| fault.reason(kind.name()))
}

/// Describes the damage to an image for users. If no rows are missing, some rows may still be wrong.
pub(super) fn missing(rows: u32, height: u32, why: &str) -> String {
    if rows == 0 {
        format!("the image is damaged and may be wrong in places: {why}")
    } else {
        format!("the image is incomplete: the last {rows} of its {height} rows can't be read and are white ({why})")
    }
}

#[cfg(test)]
mod tests;
