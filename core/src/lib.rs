//! The pure part of fauxfax: the decisions of a fax service, without I/O, a clock or threads. Depend on the package
//! `fauxfax` instead; this one promises no stability.
//!
//! Imports point down only: [`dialect`] reads and writes a service's wire format, [`engine`] decides, [`twiml`] reads
//! an app's instructions, `document` converts documents to fax pages and back, and [`model`] holds their common types.

pub mod dialect;
#[cfg(feature = "render")]
pub mod document;
pub mod engine;
pub mod model;
pub mod twiml;
