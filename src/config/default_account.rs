//! The account there is where none is configured, and how it shows itself. It reads nothing.

use std::fmt;

use crate::model::sid::AccountSid;

/// The account there is where none is configured.
#[derive(Clone, PartialEq, Eq)]
pub struct DefaultAccount {
    /// `TWILIO_ACCOUNT_SID`, else `AC` and 32 zeros.
    pub sid: AccountSid,
    /// `TWILIO_AUTH_TOKEN`, else 32 zeros.
    pub auth_token: Box<str>,
    /// Whether the token is the 32 zeros, and so may be printed.
    pub has_default_token: bool,
}

impl fmt::Debug for DefaultAccount {
    /// All but the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultAccount").field("sid", &self.sid).finish_non_exhaustive()
    }
}
