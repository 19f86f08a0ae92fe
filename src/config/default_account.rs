//! The account that exists if none is configured, and a `Debug` that doesn't reveal its token.

use std::fmt;

use crate::model::sid::AccountSid;

/// The account that exists if none is configured.
#[derive(Clone, PartialEq, Eq)]
pub struct DefaultAccount {
    /// Its SID: `TWILIO_ACCOUNT_SID`, or else `AC` and 32 zeros.
    pub sid: AccountSid,
    /// Its token: `TWILIO_AUTH_TOKEN`, or else 32 zeros.
    pub auth_token: Box<str>,
    /// Whether the token is the 32 zeros, which may be printed.
    pub has_default_token: bool,
}

impl fmt::Debug for DefaultAccount {
    /// Leaves out the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultAccount").field("sid", &self.sid).finish_non_exhaustive()
    }
}
