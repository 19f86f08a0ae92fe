//! The pure part of fauxfax: the decisions of a fax service, without I/O, a clock or threads. Depend on the package
//! `fauxfax` instead; this one promises no stability.
//!
//! Modules import only from those named after them here: [`dialect`] reads and writes the APIs' wire formats,
//! [`engine`] decides, [`twiml`] reads an app's instructions, `document` converts documents to fax pages and back, and
//! [`model`] holds the types that they share.

pub mod dialect;
#[cfg(feature = "render")]
pub mod document;
pub mod engine;
pub mod model;
pub mod twiml;
