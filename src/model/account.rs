//! An account: who owns a world, and the choices made for it. Credentials are compared elsewhere.

use super::sid::AccountSid;
use super::time::Timestamp;
use super::words::words;

words!(
    /// Which status changes of an outbound fax fire its StatusCallback; sources disagree (contract 4.6).
    Callbacks {
        /// Every change, `queued` included.
        All = "all",
        /// `queued`, and how it ended.
        QueuedAndFinal = "queued-and-final",
        /// How it ended.
        Final = "final",
    }
);

words!(
    /// What a MediaUrl may lead to.
    Documents {
        /// Any document the emulator can read.
        Lenient = "lenient",
        /// PDF only, as Twilio.
        Strict = "strict",
    }
);

words!(
    /// How `price` is written; sources disagree (contract §13).
    PriceForm {
        /// A decimal in a string, the only form captured from Twilio.
        Text = "string",
        /// A JSON number, as the OpenAPI says and twilio-go needs.
        Number = "number",
        /// Always null.
        Absent = "none",
    }
);

words!(
    /// Whose API an account speaks.
    Dialect {
        /// Twilio.
        Twilio = "twilio",
        /// SignalWire's Twilio-compatible API.
        SignalWire = "signalwire",
    }
);

words!(
    /// Which credentials are taken.
    Accounts {
        /// Any well-formed SID founds its world on first use.
        Open = "open",
        /// Configured accounts only.
        Strict = "strict",
    }
);

/// An account, as its world knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub sid: AccountSid,
    /// Its secret; none while nobody has claimed the account.
    pub auth_token: Option<Box<str>>,
    /// The name shown in the Accounts resource.
    pub friendly_name: Box<str>,
    /// Whose API it speaks.
    pub dialect: Dialect,
    /// When it was founded.
    pub created: Timestamp,
}
