//! Why a request can't be taken, in the service's own words. Knows nothing of HTTP or of error codes.

use super::phone::{Party, PhoneNumber};
use super::sid::{AccountSid, AlertSid, ApplicationSid, FaxSid, KeySid, MediaSid, NumberSid};

/// The reason a command or control was refused; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The world has broken: a fault of the emulator.
    #[error("the account's world has broken, a fault of the emulator ({0}); POST /_fauxfax/v1/reset puts it right")]
    WorldBroken(std::sync::Arc<str>),
    /// No such fax in this world.
    #[error("no fax {0}")]
    NoFax(FaxSid),
    /// No such media on that fax.
    #[error("no media {0}")]
    NoMedia(MediaSid),
    /// No such number in this world.
    #[error("no phone number {0}")]
    NoNumber(NumberSid),
    /// No such application in this world.
    #[error("no application {0}")]
    NoApplication(ApplicationSid),
    /// No such API key in this world.
    #[error("no API key {0}")]
    NoKey(KeySid),
    /// No such alert in this world.
    #[error("no alert {0}")]
    NoAlert(AlertSid),
    /// A number is to use an application that isn't the account's.
    #[error("the account has no application {0}")]
    ApplicationNotOwned(Box<str>),
    /// The number is a caller id already.
    #[error("{0} is a verified caller id of the account already")]
    CallerIdExists(PhoneNumber),
    /// A suspended or closed account does nothing.
    #[error("account {0} is not active")]
    AccountNotActive(AccountSid),
    /// The fax service has been retired for this account.
    #[error("the fax service is retired for this account")]
    ServiceRetired,
    /// Test credentials reach almost nothing.
    #[error("test credentials can only buy numbers")]
    TestCredentials,
    /// An account that has been closed stays closed.
    #[error("the account has been closed")]
    AccountClosed,
    /// Only subaccounts change their status.
    #[error("the status of an account that is nobody's subaccount can't be changed")]
    NotASubaccount,
    /// A fax that has begun to go over the line, or has ended, can't be canceled.
    #[error("{0} can no longer be canceled: only a queued or processing fax can")]
    TooLateToCancel(FaxSid),
    /// A fax must have ended before it or its media is deleted.
    #[error("{0} has not ended yet")]
    StillActive(FaxSid),
    /// A `To` that Twilio would not dial.
    #[error("{0} can't be dialled")]
    InvalidTo(Party),
    /// No `From` for a telephone call.
    #[error("a call to a telephone number needs a From")]
    FromMissing,
    /// A `From` that may not call.
    #[error("{0} is not a valid caller id")]
    InvalidFrom(Party),
    /// A `From` the account neither owns nor has verified.
    #[error("{0} is neither a number of the account nor a verified caller id")]
    FromNotOwned(PhoneNumber),
    /// The number is taken or not for sale.
    #[error("{0} is not available")]
    NumberUnavailable(PhoneNumber),
    /// Not a number that could be bought.
    #[error("{0} is not a valid number")]
    NumberInvalid(PhoneNumber),
    /// No number for sale in that area.
    #[error("no number found in area code {0}")]
    NoneInArea(u16),
    /// The number's capabilities leave out fax.
    #[error("{0} can't receive faxes")]
    CannotFax(PhoneNumber),
    /// A fallback URL needs a primary one.
    #[error("a voice fallback URL needs a voice URL")]
    FallbackWithoutUrl,
    /// The world owns no such number.
    #[error("this account has no number {0}")]
    NumberNotOwned(PhoneNumber),
    /// The number answers voice calls.
    #[error("{0} answers voice calls; set VoiceReceiveMode=fax")]
    NotAFaxNumber(PhoneNumber),
    /// `to` was left out where it can't be guessed.
    #[error("the account has {0} fax numbers; say which one is called")]
    AmbiguousNumber(usize),
    /// The SID asked for belongs to another fax.
    #[error("{0} is taken")]
    SidTaken(FaxSid),
    /// Callbacks of this account can't be signed yet.
    #[error("nobody has claimed this account, so its callbacks can't be signed")]
    Unclaimed,
    /// No rule with that id.
    #[error("there is no rule {0}")]
    NoRule(u64),
    /// No snapshot of that name.
    #[error("there is no snapshot {0:?}")]
    NoSnapshot(Box<str>),
    /// A named limit of the world is reached.
    #[error("the limit of {limit} {what} is reached")]
    LimitReached {
        /// What there would be too many of.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
}
