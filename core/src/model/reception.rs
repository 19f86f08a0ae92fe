//! How a receiving machine prints what comes in. Data only.

use super::fax::{MediaType, PageSize};
use super::phone::Party;
use super::time::Timestamp;
use super::words::words;

words!(
    /// Whether incoming pages carry the sender's header line.
    HeaderLine {
        /// Above each page.
        On = "on",
        /// Nowhere.
        Off = "off",
    }
);

/// How incoming pages are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reception {
    /// The file they become.
    pub media_type: MediaType,
    /// The paper they are printed on.
    pub page_size: PageSize,
    /// The line that the sending machine puts above each page.
    pub header: Header,
    /// Rows that the line damages.
    pub noise: Option<Noise>,
    /// Pages after which the call drops in the midst of the next.
    pub whole_pages: Option<u32>,
}

/// The transmit terminal identification, stamped above each page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// When the call began.
    pub at: Timestamp,
    /// The sender's station id.
    pub station_id: Box<str>,
    /// The sender.
    pub from: Party,
    /// The receiver.
    pub to: Party,
}

/// Damage of rows; the same seed damages the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noise {
    /// The seed.
    pub seed: u64,
    /// Of a thousand rows so many.
    pub rows_per_mille: u16,
}
