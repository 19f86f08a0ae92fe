//! The reasons for refusing a command or a REST call. A dialect maps each reason to an HTTP status and an error code.

use super::phone::{Party, PhoneNumber};
use super::sid::{AccountSid, AlertSid, ApplicationSid, FaxSid, KeySid, MediaSid, MessageSid, NumberSid, TwimlBinSid};

/// The reason that a command or a REST call was refused; the world is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The world has failed because of a bug in the emulator.
    #[error(
        "the account's world failed because of a bug in the emulator ({0}); POST /_fauxfax/v1/reset to start it again"
    )]
    WorldBroken(std::sync::Arc<str>),
    /// The world has no such fax.
    #[error("there is no fax {0}")]
    NoFax(FaxSid),
    /// The fax has no such media.
    #[error("there is no media {0}")]
    NoMedia(MediaSid),
    /// The account has no number or caller id with this SID.
    #[error("there is no phone number {0}")]
    NoNumber(NumberSid),
    /// The world has no such application.
    #[error("there is no application {0}")]
    NoApplication(ApplicationSid),
    /// The world has no such TwiML bin.
    #[error("there is no TwiML bin {0}")]
    NoTwimlBin(TwimlBinSid),
    /// The world has no such message.
    #[error("there is no message {0}")]
    NoMessage(MessageSid),
    /// The world has no such API key.
    #[error("there is no API key {0}")]
    NoKey(KeySid),
    /// The world has no such alert.
    #[error("there is no alert {0}")]
    NoAlert(AlertSid),
    /// A number's attributes name an application that the account doesn't own.
    #[error("the account has no application {0}")]
    ApplicationNotOwned(Box<str>),
    /// The number is already a verified caller id.
    #[error("{0} is already a verified caller id of the account")]
    CallerIdExists(PhoneNumber),
    /// The account is suspended or closed, so its clients can't use the API.
    #[error("account {0} is not active")]
    AccountNotActive(AccountSid),
    /// The fax service has been retired for this account.
    #[error("the fax service is retired for this account")]
    ServiceRetired,
    /// Test credentials can't do this.
    #[error("test credentials can only buy numbers and send messages")]
    TestCredentials,
    /// A closed account can't be reopened.
    #[error("the account has been closed")]
    AccountClosed,
    /// A client can't change the status of a main account, only that of a subaccount.
    #[error("only the status of a subaccount can be changed")]
    NotASubaccount,
    /// The fax can't be canceled, because it is inbound or has gone too far: at Twilio beyond `processing`, at
    /// SignalWire beyond `queued`.
    #[error("{0} can no longer be canceled")]
    TooLateToCancel(FaxSid),
    /// The fax must end before it or its media can be deleted.
    #[error("{0} has not ended yet")]
    StillActive(FaxSid),
    /// The message must be delivered before it can be deleted.
    #[error("{0} has not been delivered yet")]
    MessageNotDelivered(MessageSid),
    /// The `To` of a fax or a message is Twilio's magic invalid number.
    #[error("{0} can't be dialled")]
    InvalidTo(Party),
    /// A call to a telephone number has no `From`.
    #[error("a call to a telephone number needs a From")]
    FromMissing,
    /// The `From` of a fax or a message is Twilio's magic invalid number.
    #[error("{0} is not a valid caller id")]
    InvalidFrom(Party),
    /// The account neither owns nor has verified the `From`.
    #[error("{0} is neither a number of the account nor a verified caller id")]
    FromNotOwned(PhoneNumber),
    /// The account can't send messages from this number.
    #[error("the account can't send messages from {0}")]
    SenderNotOwned(PhoneNumber),
    /// The account already owns the number, or it is Twilio's magic number that can't be bought.
    #[error("{0} is not available")]
    NumberUnavailable(PhoneNumber),
    /// The number to buy is Twilio's magic invalid number.
    #[error("{0} is not a valid number")]
    NumberInvalid(PhoneNumber),
    /// No number for sale has this area code.
    #[error("no number found in area code {0}")]
    NoneInArea(u16),
    /// The number's capabilities don't include fax.
    #[error("{0} can't receive faxes")]
    CannotFax(PhoneNumber),
    /// The fallback URL is set, but the primary URL is not.
    #[error("a voice fallback URL needs a voice URL")]
    FallbackWithoutUrl,
    /// The account doesn't own the number that is called.
    #[error("this account has no number {0}")]
    NumberNotOwned(PhoneNumber),
    /// The number accepts voice calls, not faxes.
    #[error("{0} answers voice calls; set VoiceReceiveMode=fax")]
    NotAFaxNumber(PhoneNumber),
    /// `to` is missing, and the account doesn't have exactly one fax number.
    #[error("the account has {0} fax numbers; name the called number in `to`")]
    AmbiguousNumber(usize),
    /// A fax, a ringing call, or a call that ended without a fax already has the requested SID.
    #[error("another fax or call already has the SID {0}")]
    SidTaken(FaxSid),
    /// Webhooks can't be signed, because the account has no token before a client first authenticates as the account.
    #[error("nobody has claimed this account by a REST call, so its webhooks can't be signed")]
    Unclaimed,
    /// The world has no rule with this id.
    #[error("there is no rule {0}")]
    NoRule(u64),
    /// The world has no snapshot with this name.
    #[error("there is no snapshot {0:?}")]
    NoSnapshot(Box<str>),
    /// A documented limit of the world has been reached.
    #[error("the limit of {limit} {what} has been reached")]
    LimitReached {
        /// The limited things, as a plural noun such as `rules`.
        what: &'static str,
        /// The limit that has been reached.
        limit: usize,
    },
}
