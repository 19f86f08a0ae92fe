//! An account, the owner of a world, and the settings that determine how the world treats it.

use super::hex;
use super::sid::{AccountSid, IdForm};
use super::time::Timestamp;
use super::words::words;

/// The number of digits after the letters of a SignalWire token.
const SIGNALWIRE_TOKEN_DIGITS: usize = 48;

words!(
    /// The status changes of an outbound fax that trigger its StatusCallback; sources disagree (docs/fidelity.md,
    /// "Where sources conflict").
    CallbackPolicy {
        /// Every change, including the creation of the fax as `queued`.
        All = "all",
        /// The change to `queued` and the change to a final status.
        QueuedAndFinal = "queued-and-final",
        /// Only the change to a final status.
        Final = "final",
    }
);

words!(
    /// The documents that a MediaUrl may return.
    DocumentPolicy {
        /// Any document that the emulator can read.
        Lenient = "lenient",
        /// Only PDF documents, the only ones that Twilio accepts.
        Strict = "strict",
    }
);

words!(
    /// The Content-Types that are accepted for an app's TwiML.
    #[derive(Default)]
    TwimlTypes {
        #[default]
        /// Any type; a type that isn't used for TwiML raises a warning.
        Lenient = "lenient",
        /// Only text/xml, application/xml and text/html; any other type is an error.
        Strict = "strict",
    }
);

words!(
    /// The headers that contain the signature of a SignalWire account's webhooks.
    #[derive(Default)]
    SignatureHeaders {
        #[default]
        /// Only the header that SignalWire itself sends.
        SignalWire = "signalwire",
        /// SignalWire's header and Twilio's, with the same value; SignalWire's validators accept both.
        Both = "both",
    }
);

words!(
    /// The reaction to a media download without a User-Agent.
    MediaUserAgent {
        /// The media is served, and a warning is raised.
        Warn = "warn",
        /// The download is refused, as Twilio's guides state.
        Required = "required",
    }
);

words!(
    /// The form of `price`; sources disagree (docs/fidelity.md, "Where sources conflict").
    PriceForm {
        /// A decimal in a string, the only form captured from Twilio.
        Text = "string",
        /// A JSON number, as the OpenAPI document says and twilio-go needs.
        Number = "number",
        /// Null for every fax, even one that has a price.
        Absent = "none",
    }
);

words!(
    /// The sign of Twilio's `price`; sources disagree (docs/fidelity.md, "Where sources conflict").
    PriceSign {
        /// A charge is negative, as in Twilio's resources for calls and messages.
        Negative = "negative",
        /// A charge is positive, as in the one captured fax.
        Positive = "positive",
    }
);

/// The way in which Twilio worlds write `price`. SignalWire's is always a positive number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceFormat {
    /// The JSON type.
    pub form: PriceForm,
    /// The sign of a charge.
    pub sign: PriceSign,
}

impl From<PriceForm> for PriceFormat {
    /// Returns this form with the default sign.
    fn from(form: PriceForm) -> Self {
        Self { form, sign: PriceSign::Negative }
    }
}

words!(
    /// The company whose API an account uses.
    Dialect {
        /// Twilio Programmable Fax, with its v1 API.
        Twilio = "twilio",
        /// SignalWire, with its API that is compatible with Twilio's.
        SignalWire = "signalwire",
    }
);

impl Dialect {
    /// Returns the dialect of an account, which the form of its SID determines.
    #[must_use]
    pub const fn of(account: AccountSid) -> Self {
        Self::of_ids(account.form())
    }

    /// Returns the dialect that writes ids in this form.
    #[must_use]
    pub const fn of_ids(form: IdForm) -> Self {
        match form {
            IdForm::Prefixed => Self::Twilio,
            IdForm::Uuid => Self::SignalWire,
        }
    }

    /// Returns the name of the language in which apps give instructions for a call.
    #[must_use]
    pub const fn instruction_language(self) -> &'static str {
        match self {
            Self::Twilio => "TwiML",
            Self::SignalWire => "cXML",
        }
    }

    /// Describes the form of the dialect's account SIDs, for messages.
    #[must_use]
    pub const fn account_sid_form(self) -> &'static str {
        match self {
            Self::Twilio => "AC and 32 hexadecimal digits",
            Self::SignalWire => "the UUID of a SignalWire project",
        }
    }

    /// Writes random bits as a token in the dialect's usual form, which needs only some of the 256 bits.
    #[must_use]
    pub fn token(self, bits: [[u8; 16]; 2]) -> Box<str> {
        match self {
            Self::Twilio => hex::encode(bits[0]).into(),
            Self::SignalWire => {
                let digits = [hex::encode(bits[0]), hex::encode(bits[1])].concat();
                format!("PT{}", &digits[..SIGNALWIRE_TOKEN_DIGITS]).into()
            }
        }
    }

    /// Checks that accounts of the dialect can have this service.
    ///
    /// # Errors
    /// Returns the requirement for the service, worded so that it can follow "must".
    pub const fn check_service(self, service: Service) -> Result<(), &'static str> {
        match (self, service) {
            (Self::Twilio, _) | (Self::SignalWire, Service::Full) => Ok(()),
            (Self::SignalWire, Service::TestCredentials | Service::Retired) => {
                Err("be full for a SignalWire account: SignalWire hasn't retired faxes and has no test credentials")
            }
        }
    }

    /// Returns the form of the dialect's account and resource ids.
    #[must_use]
    pub const fn id_form(self) -> IdForm {
        match self {
            Self::Twilio => IdForm::Prefixed,
            Self::SignalWire => IdForm::Uuid,
        }
    }
}

words!(
    /// The accounts that a request may authenticate as.
    AccountMode {
        /// Any account: the first write with a well-formed SID creates the account's world.
        Open = "open",
        /// Only the accounts in the configuration.
        Strict = "strict",
    }
);

words!(
    /// Whether an account may use the API (Twilio docs: subaccounts).
    AccountStatus {
        /// The account may use the API.
        Active = "active",
        /// The account may not use the API until its owner reactivates it.
        Suspended = "suspended",
        /// The account may not use the API, and can't be reopened.
        Closed = "closed",
    }
);

words!(
    /// The part of the Fax API that works for an account.
    Service {
        /// The whole API, as before Twilio retired the service.
        Full = "full",
        /// The part that works with test credentials: everything except buying a number and sending a message is
        /// refused (error 20008).
        TestCredentials = "test-credentials",
        /// The part that works today: every REST call about faxes is refused (error 34005).
        Retired = "retired",
    }
);

/// The maximum number of characters of a signing key; SignalWire's keys have 28.
pub const SIGNING_KEY_CHARS_MAX: usize = 256;

/// Checks a signing key.
///
/// # Errors
/// Returns the requirement that the key violates, worded so that it can follow "must".
pub fn check_signing_key(key: &str) -> Result<(), String> {
    let is_key = (1..=SIGNING_KEY_CHARS_MAX).contains(&key.chars().count()) && !key.contains(char::is_control);
    is_key
        .then_some(())
        .ok_or_else(|| format!("have 1 to {SIGNING_KEY_CHARS_MAX} characters, none of them a control character"))
}

/// An account as stored by its world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's SID, which addresses its world.
    pub sid: AccountSid,
    /// The secret that authenticates the account's requests; `None` until a client claims the account.
    pub auth_token: Option<Box<str>>,
    /// The secret that signs the account's webhooks; `None` if the token signs them, as always at Twilio.
    pub signing_key: Option<Box<str>>,
    /// The name shown in the Accounts resource.
    pub friendly_name: Box<str>,
    /// The company whose API the account uses.
    pub dialect: Dialect,
    /// The time at which the account was created.
    pub created: Timestamp,
    /// The time of the last change to an attribute.
    pub updated: Timestamp,
    /// The account's rank in the order in which all accounts were created.
    pub ordinal: u64,
    /// The account that owns this subaccount; `None` for a main account.
    pub owner: Option<AccountSid>,
    /// Whether the account may use the API.
    pub status: AccountStatus,
    /// The part of the Fax API that works for the account.
    pub service: Service,
    /// The URL of the Debugger webhook, to which every alert is posted.
    pub debugger_url: Option<Box<str>>,
}

/// A partial update of an account; `None` leaves a field unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountChange {
    /// The name shown in the Accounts resource.
    pub friendly_name: Option<Box<str>>,
    /// Whether the account may use the API.
    pub status: Option<AccountStatus>,
    /// The part of the Fax API that works for the account.
    pub service: Option<Service>,
    /// The URL of the Debugger webhook; `Some(None)` removes it.
    pub debugger_url: Option<Option<Box<str>>>,
    /// The secret that signs the account's webhooks; `Some(None)` removes it, so that the token signs them.
    pub signing_key: Option<Option<Box<str>>>,
}

impl Account {
    /// Creates an active main account with the full service.
    #[must_use]
    pub fn new(sid: AccountSid, auth_token: Option<Box<str>>, created: Timestamp) -> Self {
        Self {
            sid,
            auth_token,
            signing_key: None,
            friendly_name: "fauxfax account".into(),
            dialect: Dialect::of(sid),
            created,
            updated: created,
            ordinal: 0,
            owner: None,
            status: AccountStatus::Active,
            service: Service::Full,
            debugger_url: None,
        }
    }

    /// Returns the secret that signs the account's webhooks: the signing key, or the token if there is no such key.
    #[must_use]
    pub fn webhook_key(&self) -> Option<&str> {
        self.signing_key.as_deref().or(self.auth_token.as_deref())
    }
}
