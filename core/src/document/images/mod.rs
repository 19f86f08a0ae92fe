//! Images of one page: PNG and JPEG, and what images of every kind share: their faults, the way up, and inflating what
//! is damaged. What is there of an image is read; what is missing is white, and said to be missing.

pub(super) mod inflate;
pub(super) mod jpeg;
pub(super) mod orientation;
pub(super) mod png;

use super::kind::Kind;
use super::picture::{PICTURE_PELS_MAX, Picture};
use crate::model::media::UnreadableDocument;

/// Bytes that decoding one picture may take.
pub(super) const DECODE_BYTES_MAX: usize = 600 * 1024 * 1024;

/// Why an image can't be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It may be sound, but nothing here reads it: what it would need.
    NotSupported(String),
    /// It breaks the rules of its format: which.
    Damaged(String),
    /// It has too many pels or none: which.
    Size(String),
}

impl Fault {
    pub(super) fn damaged(why: impl std::fmt::Display) -> Self {
        Self::Damaged(format!("{why}"))
    }

    pub(super) fn not_supported(what: impl Into<String>) -> Self {
        Self::NotSupported(what.into())
    }

    /// The reason for a person, of a document or page of this name.
    pub(super) fn reason(&self, name: &str) -> UnreadableDocument {
        UnreadableDocument::new(match self {
            Self::NotSupported(what) => format!("the {name} is not supported: {what}"),
            Self::Damaged(why) => format!("the {name} is damaged: {why}"),
            Self::Size(what) => format!("the {name} {what}"),
        })
    }
}

/// Refuses a size before a pel is decoded.
pub(super) fn check_size((width, height): (u32, u32)) -> Result<(), Fault> {
    if width == 0 || height == 0 {
        return Err(Fault::Size(format!("has no area: it is {width} × {height} pels large")));
    }
    if u64::from(width) * u64::from(height) > PICTURE_PELS_MAX {
        return Err(Fault::Size(format!("is too large: {width} × {height} pels; {PICTURE_PELS_MAX} are taken")));
    }
    Ok(())
}

/// Refuses a PNG or JPEG that can't be read, by its head.
pub(super) fn check(bytes: &[u8], kind: Kind) -> Result<(), UnreadableDocument> {
    let size = match kind {
        Kind::Png => png::size(bytes),
        Kind::Jpeg | Kind::Pdf | Kind::Tiff => jpeg::Head::read(bytes).map(|head| (head.width, head.height)),
    };
    size.and_then(check_size).map_err(|fault| fault.reason(kind.name()))
}

/// Reads a PNG or JPEG.
pub(super) fn read(bytes: &[u8], kind: Kind) -> Result<Picture, UnreadableDocument> {
    let picture = match kind {
        Kind::Png => png::read(bytes),
        Kind::Jpeg | Kind::Pdf | Kind::Tiff => jpeg::read(bytes),
    };
    picture.map_err(|fault| fault.reason(kind.name()))
}

/// What is said of an image of which rows are missing or wrong.
pub(super) fn missing(rows: u32, height: u32, why: &str) -> String {
    if rows == 0 {
        format!("the image is damaged and may be wrong in places: {why}")
    } else {
        format!("the image is incomplete: the last {rows} of its {height} rows can't be read and are white ({why})")
    }
}

#[cfg(test)]
mod tests;
