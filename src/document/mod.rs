//! Documents: recognising them by what they are, counting their pages, making sample pages. It fetches and stores nothing.

mod probe;
pub mod sample;

pub use self::probe::{PAGES_MAX, Probe, probe};
