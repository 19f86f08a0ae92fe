//! Stored TwiML with its own URL, which a number may use instead of an app's URL: a TwiML Bin of Twilio, or a LaML Bin
//! of SignalWire.

use std::sync::Arc;

use super::sid::TwimlBinSid;
use super::time::Timestamp;

/// The longest TwiML that a bin can hold, in bytes. Longer TwiML would be refused when it is executed
/// (docs/fidelity.md, "SignalWire").
pub const BIN_BYTES_MAX: usize = 64 * 1024;
/// The maximum number of characters of a bin's name.
pub const BIN_NAME_CHARS_MAX: usize = 255;

/// A TwiML bin of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwimlBin {
    /// The bin's id, which is the last part of its URL.
    pub sid: TwimlBinSid,
    /// The bin's rank in the order of creation, by which lists are sorted.
    pub ordinal: u64,
    /// The name that the tester chose for the bin.
    pub name: Box<str>,
    /// The TwiML with which the emulator responds to requests for the bin.
    pub contents: Arc<str>,
    /// The time at which the bin was created.
    pub created: Timestamp,
    /// The time of the last change to the name or the contents.
    pub updated: Timestamp,
    /// The number of requests for the bin.
    pub requests: u64,
    /// The time of the last request; `None` if there has been none.
    pub last_request: Option<Timestamp>,
}

/// A bin that exists from the start of a world, and again after each reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredTwimlBin {
    /// The bin's id, which stays the same after a reset.
    pub sid: TwimlBinSid,
    /// The name of the bin.
    pub name: Box<str>,
    /// The TwiML.
    pub contents: Arc<str>,
}

/// A partial update of a TwiML bin; `None` leaves a part unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TwimlBinChange {
    /// The new name of the bin.
    pub name: Option<Box<str>>,
    /// The TwiML that replaces the contents.
    pub contents: Option<Arc<str>>,
}
