//! The account that exists if none is configured, set through the environment variables of its service's helper
//! libraries, with a `Debug` that doesn't reveal its secrets.

use std::fmt;

use super::error::ConfigError;
use super::given::{Given, Origin};
use super::parse;
use crate::model::account::Dialect;
use crate::model::sid::{AccountSid, Id};

/// The environment variables for the built-in account that Twilio's helper libraries read: SID and token.
const TWILIO_VARIABLES: [&str; 2] = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"];
/// The environment variables for the built-in account that SignalWire's helper libraries read: project id and token.
const SIGNALWIRE_VARIABLES: [&str; 2] = ["SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_API_TOKEN"];
/// The environment variable for the key that SignalWire's requests are signed with.
const SIGNING_KEY_VARIABLE: &str = "SIGNALWIRE_SIGNING_KEY";
/// The built-in account's token if none is configured, in Twilio's format.
const TWILIO_TOKEN: &str = "00000000000000000000000000000000";
/// The built-in account's token if none is configured, in SignalWire's format.
const SIGNALWIRE_TOKEN: &str = "PT000000000000000000000000000000000000000000000000";

/// The account that exists if none is configured.
#[derive(Clone, PartialEq, Eq)]
pub struct DefaultAccount {
    /// The account's SID, which implies the dialect: `TWILIO_ACCOUNT_SID` or `SIGNALWIRE_PROJECT_ID`, or otherwise all
    /// zeros.
    pub sid: AccountSid,
    /// The account's token: `TWILIO_AUTH_TOKEN` or `SIGNALWIRE_API_TOKEN`, or otherwise all zeros.
    pub auth_token: Box<str>,
    /// Whether the token is all zeros, in which case it may be printed.
    pub has_default_token: bool,
    /// The key that signs the account's webhooks: `SIGNALWIRE_SIGNING_KEY`. If absent, the token is the key.
    pub signing_key: Option<Box<str>>,
}

impl DefaultAccount {
    /// Returns a dialect's built-in account in an empty environment.
    #[must_use]
    pub fn of(dialect: Dialect) -> Self {
        let token = match dialect {
            Dialect::Twilio => TWILIO_TOKEN,
            Dialect::SignalWire => SIGNALWIRE_TOKEN,
        };
        Self {
            sid: AccountSid::minted([0; 16], dialect.id_form()),
            auth_token: token.into(),
            has_default_token: true,
            signing_key: None,
        }
    }

    /// Reads the account from the variables of the dialect's helper libraries. An empty variable counts as absent.
    pub(super) fn read(dialect: Dialect, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let given = |name: &str| {
            let text = environment(name).filter(|text| !text.is_empty())?;
            Some(Given { text, origin: Origin::Environment(name.to_owned()) })
        };
        let ([sid, token], signing_key) = match dialect {
            Dialect::Twilio => (TWILIO_VARIABLES, None),
            Dialect::SignalWire => (SIGNALWIRE_VARIABLES, given(SIGNING_KEY_VARIABLE)),
        };
        let own = Self::of(dialect);
        let sid = given(sid).map(|given| given.parse(parse::sid_of(dialect))).transpose()?;
        let token = given(token).map(|given| given.parse_secret(parse::auth_token)).transpose()?;
        Ok(Self {
            sid: sid.unwrap_or(own.sid),
            has_default_token: token.is_none(),
            auth_token: token.unwrap_or(own.auth_token),
            signing_key: signing_key.map(|given| given.parse_secret(parse::signing_key)).transpose()?,
        })
    }
}

impl fmt::Debug for DefaultAccount {
    /// Omits the token and the signing key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultAccount").field("sid", &self.sid).finish_non_exhaustive()
    }
}
