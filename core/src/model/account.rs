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
        /// Every change, `queued` included.
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
        /// PDF only, as Twilio accepts.
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
        /// Only text/xml, application/xml and text/html.
        Strict = "strict",
    }
);

words!(
    /// The headers that contain the signature of a SignalWire account's webhooks.
    #[derive(Default)]
    SignatureHeaders {
        #[default]
        /// SignalWire's own.
        SignalWire = "signalwire",
        /// SignalWire's and Twilio's, with the same value; SignalWire's validators accept both.
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
        /// A JSON number, as the OpenAPI says and twilio-go needs.
        Number = "number",
        /// Always null, for every fax.
        Absent = "none",
    }
);

words!(
    /// The service whose API an account speaks.
    Dialect {
        /// Twilio Programmable Fax, with its v1 API.
        Twilio = "twilio",
        /// SignalWire's compatibility API.
        SignalWire = "signalwire",
    }
);

impl Dialect {
    /// Returns the dialect of an account, which the form of its id identifies.
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

    /// Describes the form of its account SIDs, for messages.
    #[must_use]
    pub const fn account_sid_form(self) -> &'static str {
        match self {
            Self::Twilio => "AC and 32 hexadecimal digits",
            Self::SignalWire => "the UUID of a SignalWire project",
        }
    }

    /// Writes 256 random bits as a token in the dialect's usual form.
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
    /// The text says what the service must be, to follow "must".
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
        /// Any account: a well-formed SID creates its world on first use.
        Open = "open",
        /// Only configured accounts.
        Strict = "strict",
    }
);

words!(
    /// Whether an account may use the API (Twilio docs: subaccounts).
    AccountStatus {
        /// It may use the API.
        Active = "active",
        /// It may not, until its owner reactivates it.
        Suspended = "suspended",
        /// It may not, and can't be reopened.
        Closed = "closed",
    }
);

words!(
    /// The part of the Fax API that works for an account.
    Service {
        /// All of it, as before Twilio retired the service.
        Full = "full",
        /// The part that works with test credentials: everything except buying a number and sending a message is refused
        /// (error 20008).
        TestCredentials = "test-credentials",
        /// The part that works today: every REST call about faxes is refused (error 34005).
        Retired = "retired",
    }
);

/// The most characters of a signing key; SignalWire's have 28.
pub const SIGNING_KEY_CHARS_MAX: usize = 256;

/// Checks a signing key.
///
/// # Errors
/// Returns the requirement that the key violates, to follow "must".
pub fn check_signing_key(key: &str) -> Result<(), String> {
    let is_key = (1..=SIGNING_KEY_CHARS_MAX).contains(&key.chars().count()) && !key.contains(char::is_control);
    is_key
        .then_some(())
        .ok_or_else(|| format!("have 1 to {SIGNING_KEY_CHARS_MAX} characters, none a control character"))
}

/// An account as stored by its world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's SID, which addresses its world.
    pub sid: AccountSid,
    /// The secret that authenticates its requests; `None` until someone claims the account.
    pub auth_token: Option<Box<str>>,
    /// The secret that signs its webhooks; `None` if the token signs them, as always at Twilio.
    pub signing_key: Option<Box<str>>,
    /// The name shown in the Accounts resource.
    pub friendly_name: Box<str>,
    /// The service whose API the account speaks.
    pub dialect: Dialect,
    /// The account's creation time.
    pub created: Timestamp,
    /// The time of the last change to an attribute.
    pub updated: Timestamp,
    /// Its rank among all accounts, in order of creation.
    pub ordinal: u64,
    /// The account that owns this subaccount; `None` for a main account.
    pub owner: Option<AccountSid>,
    /// Whether the account may use the API.
    pub status: AccountStatus,
    /// The part of the Fax API that works for it.
    pub service: Service,
    /// The Debugger webhook, to which every alert is posted.
    pub debugger_url: Option<Box<str>>,
}

/// A partial update of an account; `None` leaves a field unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountChange {
    /// The name shown in the Accounts resource.
    pub friendly_name: Option<Box<str>>,
    /// Whether the account may use the API.
    pub status: Option<AccountStatus>,
    /// The part of the Fax API that works for it.
    pub service: Option<Service>,
    /// The Debugger webhook; `Some(None)` removes it.
    pub debugger_url: Option<Option<Box<str>>>,
    /// The secret that signs its webhooks; `Some(None)` makes its token sign them.
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

    /// Returns the secret that signs its webhooks: its signing key, or its token if it has none.
    #[must_use]
    pub fn webhook_key(&self) -> Option<&str> {
        self.signing_key.as_deref().or(self.auth_token.as_deref())
    }
}
