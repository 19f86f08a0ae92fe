//! Converts documents to fax pages as a fax network does, and converts fax pages to TIFF, PDF and PNG. In this
//! overview, greys, bits and `FaxPage` are data passed between steps, and paper is the step that fits pages to sheets;
//! all other names are modules or file formats.
//!
//! ```text
//!  PDF ─ mend ─ render · ink ─► greys ─ reduce ─ dither ─► bits ─ page ─► FaxPage (MMR) ─ file ─► PDF · TIFF
//!  TIFF · PNG · JPEG ─ picture ───────────────► bits                └─ receive: stamp · damage · paper ─► file
//! ```

pub mod bitmap;
pub mod ccitt;
mod changes;
mod damage;
pub mod dither;
pub mod file;
pub mod fit;
pub mod fonts;
pub mod gray;
mod images;
mod import;
mod ink;
pub mod judge;
mod kind;
pub mod loss;
mod marks;
mod mend;
mod original;
pub mod page;
mod patch;
mod pdf;
mod picture;
pub mod png;
pub mod printed;
pub mod receive;
mod reduce;
mod render;
pub mod sample;
pub mod stamp;
mod tiff;
mod tiff_pages;
mod tones;

pub use self::import::{Options, PAGES_MAX, Probe, Summary, pages, probe};
pub use self::kind::{Kind, kind};
