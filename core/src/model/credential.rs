//! What an account may call or sign in with besides its own: verified caller ids and API keys. Nothing is compared here.

use super::phone::PhoneNumber;
use super::sid::{KeySid, NumberSid};
use super::time::Timestamp;

/// A number that the account doesn't own but may send faxes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerId {
    /// Its id.
    pub sid: NumberSid,
    /// Its place in the order of verification.
    pub ordinal: u64,
    /// The number.
    pub number: PhoneNumber,
    /// At most 64 characters; by default the number in national format.
    pub friendly_name: Box<str>,
    /// When it was verified.
    pub created: Timestamp,
    /// When its name last changed.
    pub updated: Timestamp,
}

/// An API key: a user name and a password of their own for an account.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, and the user name.
    pub sid: KeySid,
    /// Its place in the order of creation.
    pub ordinal: u64,
    /// The password.
    pub secret: Box<str>,
    /// At most 64 characters.
    pub friendly_name: Box<str>,
    /// When it was created.
    pub created: Timestamp,
    /// When its name last changed.
    pub updated: Timestamp,
}

impl std::fmt::Debug for ApiKey {
    /// All but the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKey").field("sid", &self.sid).finish_non_exhaustive()
    }
}
