//! Stored TwiML with its own URL, which a number may use instead of an app's URL: a TwiML Bin of Twilio, or a LaML Bin
//! of SignalWire.

use std::sync::Arc;

use super::sid::TwimlBinSid;
use super::time::Timestamp;

/// The longest TwiML that a bin can hold. Longer TwiML would be refused on reading (docs/fidelity.md, "SignalWire").
pub const BIN_BYTES_MAX: usize = 64 * 1024;
/// The most characters of a bin's name.
pub const BIN_NAME_CHARS_MAX: usize = 255;

/// An account's bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwimlBin {
    /// The bin's id, which is the last part of its URL.
    pub sid: TwimlBinSid,
    /// Its rank in order of creation, by which lists are sorted.
    pub ordinal: u64,
    /// The name chosen by its owner.
    pub name: Box<str>,
    /// The TwiML, as stored.
    pub contents: Arc<str>,
    /// The bin's creation time.
    pub created: Timestamp,
    /// The time of the last change to its name or contents.
    pub updated: Timestamp,
    /// The number of requests for it.
    pub requests: u64,
    /// The time of the last request.
    pub last_request: Option<Timestamp>,
}

/// A bin that exists from the start of a world, and again after each reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredTwimlBin {
    /// The bin's id, which stays the same after a reset.
    pub sid: TwimlBinSid,
    /// The name chosen by its owner.
    pub name: Box<str>,
    /// The TwiML.
    pub contents: Arc<str>,
}

/// A partial update of a bin; `None` leaves a part unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TwimlBinChange {
    /// The new name.
    pub name: Option<Box<str>>,
    /// The new TwiML.
    pub contents: Option<Arc<str>>,
}
