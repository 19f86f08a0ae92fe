//! The way in which a receiving machine prints incoming pages.

use super::fax::{MediaType, PageSize};
use super::phone::Party;
use super::time::Timestamp;
use super::words::words;

words!(
    /// Whether incoming pages carry the sender's header line.
    HeaderLine {
        /// Each page carries the line above its content.
        On = "on",
        /// Pages are printed without the line.
        Off = "off",
    }
);

/// The printing and storage options for incoming pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reception {
    /// The format of the stored file.
    pub media_type: MediaType,
    /// The paper size of printed pages.
    pub page_size: PageSize,
    /// The line that the sending machine puts at the top of each page.
    pub header: Header,
    /// The damage that noise on the line does to rows; `None` on a clean line.
    pub noise: Option<Noise>,
    /// The number of pages that arrive complete before the call drops during the next; `None` if all arrive.
    pub whole_pages: Option<u32>,
}

/// The contents of the header line, which is T.30's transmit terminal identification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The start of the call, shown as date and time.
    pub at: Timestamp,
    /// The sender's station id (T.30 TSI).
    pub station_id: Box<str>,
    /// The party that sends the fax.
    pub from: Party,
    /// The party that receives the fax.
    pub to: Party,
}

/// Damage to rows, reproducible from a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noise {
    /// The seed that determines which rows are damaged, and how.
    pub seed: u64,
    /// The number of damaged rows per thousand.
    pub rows_per_mille: u16,
}
