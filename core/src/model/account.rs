//! An account: who owns a world, and the choices made for it. Credentials are compared elsewhere.

use super::sid::AccountSid;
use super::time::Timestamp;
use super::words::words;

words!(
    /// Which status changes of an outbound fax fire its StatusCallback; sources disagree (docs/fidelity.md, "Where sources conflict").
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
    /// With which Content-Type an app's TwiML is taken.
    #[derive(Default)]
    TwimlTypes {
        #[default]
        /// Any, with a warning where it isn't one of TwiML's.
        Lenient = "lenient",
        /// text/xml, application/xml and text/html.
        Strict = "strict",
    }
);

words!(
    /// What comes of a download of media that names no User-Agent.
    MediaUserAgent {
        /// It is served, with a warning.
        Warn = "warn",
        /// It is refused.
        Required = "required",
    }
);

words!(
    /// How `price` is written; sources disagree (docs/fidelity.md, "Where sources conflict").
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
    }
);

/// Dialects that are planned, and refused until they are there.
const NOT_BUILT: [&str; 1] = ["signalwire"];

impl Dialect {
    /// The dialect of this name.
    ///
    /// # Errors
    /// What to write instead.
    pub fn named(name: &str) -> Result<Self, String> {
        let reason = if NOT_BUILT.contains(&name) { format!(" ({name} is not built yet)") } else { String::new() };
        Self::from_word(name).ok_or_else(|| format!("be {}{reason}", Self::Twilio))
    }
}

words!(
    /// Which credentials are taken.
    Accounts {
        /// Any well-formed SID founds its world on first use.
        Open = "open",
        /// Configured accounts only.
        Strict = "strict",
    }
);

words!(
    /// Whether an account may do anything (Twilio docs: subaccounts).
    AccountStatus {
        /// It may.
        Active = "active",
        /// It may not, until its owner has it active again.
        Suspended = "suspended",
        /// It may never again.
        Closed = "closed",
    }
);

words!(
    /// What the Fax API does for an account.
    Service {
        /// What it did before it was retired.
        Full = "full",
        /// What it does for test credentials: each call but buying a number is refused (error 20008).
        TestCredentials = "test-credentials",
        /// What it does today: each fax call is refused (error 34005).
        Retired = "retired",
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
    /// When its name or status last changed.
    pub updated: Timestamp,
    /// Its place in the order of founding.
    pub ordinal: u64,
    /// Whose subaccount it is.
    pub owner: Option<AccountSid>,
    /// Whether it may do anything.
    pub status: AccountStatus,
    /// What the Fax API does for it.
    pub service: Service,
    /// Its Debugger webhook, which is told of each alert.
    pub debugger_url: Option<Box<str>>,
}

/// A partial update of an account; `None` leaves a field unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountChange {
    /// The name shown.
    pub friendly_name: Option<Box<str>>,
    /// Whether it may do anything.
    pub status: Option<AccountStatus>,
    /// What the Fax API does for it.
    pub service: Option<Service>,
    /// Its Debugger webhook; an inner none takes it away.
    pub debugger_url: Option<Option<Box<str>>>,
}

impl Account {
    /// An active account that is nobody's subaccount and has the whole service.
    #[must_use]
    pub fn new(sid: AccountSid, auth_token: Option<Box<str>>, created: Timestamp) -> Self {
        Self {
            sid,
            auth_token,
            friendly_name: "fauxfax account".into(),
            dialect: Dialect::Twilio,
            created,
            updated: created,
            ordinal: 0,
            owner: None,
            status: AccountStatus::Active,
            service: Service::Full,
            debugger_url: None,
        }
    }
}
