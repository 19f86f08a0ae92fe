//! Verified caller ids and API keys, which supplement an account's own numbers and token.

use super::phone::PhoneNumber;
use super::sid::{KeySid, NumberSid};
use super::time::Timestamp;

/// A number that the account doesn't own but may send faxes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerId {
    /// The caller id's SID, which has the same prefix as the SID of a number.
    pub sid: NumberSid,
    /// The caller id's rank in the order of verification, by which lists are sorted.
    pub ordinal: u64,
    /// The number that faxes may be sent from.
    pub number: PhoneNumber,
    /// A name of at most 64 characters; by default the number in national format.
    pub friendly_name: Box<str>,
    /// The time at which the number was verified.
    pub created: Timestamp,
    /// The time of the last name change.
    pub updated: Timestamp,
}

/// An API key: an additional user name and password for an account.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The key's SID, used as the user name.
    pub sid: KeySid,
    /// The key's rank in the order of creation, by which lists are sorted.
    pub ordinal: u64,
    /// The password, shown only once, when the key is created.
    pub secret: Box<str>,
    /// A name of at most 64 characters.
    pub friendly_name: Box<str>,
    /// The time at which the key was created.
    pub created: Timestamp,
    /// The time of the last name change.
    pub updated: Timestamp,
}

impl std::fmt::Debug for ApiKey {
    /// Writes the SID but not the secret, which must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKey").field("sid", &self.sid).finish_non_exhaustive()
    }
}
