//! A stored piece of TwiML with a URL of its own, which a number may name instead of an app's: SignalWire's LaML Bin.

use std::sync::Arc;

use super::sid::TwimlBinSid;
use super::time::Timestamp;

/// The longest TwiML that a bin holds. Longer TwiML would be refused when it is read (docs/fidelity.md, "SignalWire").
pub const BIN_BYTES_MAX: usize = 64 * 1024;
/// The longest name of a bin, in characters.
pub const BIN_NAME_CHARS_MAX: usize = 255;

/// A bin of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwimlBin {
    /// The bin's id, which its URL ends with.
    pub sid: TwimlBinSid,
    /// Its rank in order of creation, by which lists are sorted.
    pub ordinal: u64,
    /// The name that its owner gave it.
    pub name: Box<str>,
    /// The TwiML, as it was stored.
    pub contents: Arc<str>,
    /// When the bin was created.
    pub created: Timestamp,
    /// When its name or contents last changed.
    pub updated: Timestamp,
    /// How many times it has been requested.
    pub requests: u64,
    /// When it was last requested.
    pub last_request: Option<Timestamp>,
}

/// A partial update of a bin; `None` leaves a part unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TwimlBinChange {
    /// The new name.
    pub name: Option<Box<str>>,
    /// The new TwiML.
    pub contents: Option<Arc<str>>,
}
