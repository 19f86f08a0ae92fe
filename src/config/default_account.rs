//! The built-in account, which exists if no account is configured. Its credential comes from the environment variables
//! that the helper libraries of its dialect read, as far as they are set.

use std::fmt;

use super::error::ConfigError;
use super::given::{Given, Origin};
use super::parse;
use crate::model::account::Dialect;
use crate::model::sid::{AccountSid, Id};

/// The environment variables in which Twilio's helper libraries expect the SID and the token.
const TWILIO_VARIABLES: [&str; 2] = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"];
/// The environment variables in which SignalWire's helper libraries expect the project id and the token.
const SIGNALWIRE_VARIABLES: [&str; 2] = ["SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_API_TOKEN"];
/// The environment variable for the key that signs SignalWire's webhooks.
const SIGNING_KEY_VARIABLE: &str = "SIGNALWIRE_SIGNING_KEY";
/// The built-in account's token if none is configured, in Twilio's format.
const TWILIO_TOKEN: &str = "00000000000000000000000000000000";
/// The built-in account's token if none is configured, in SignalWire's format.
const SIGNALWIRE_TOKEN: &str = "PT000000000000000000000000000000000000000000000000";

/// The built-in account, which exists if no account is configured.
#[derive(Clone, PartialEq, Eq)]
pub struct DefaultAccount {
    /// The account's SID, which implies the dialect. The value of `TWILIO_ACCOUNT_SID` or `SIGNALWIRE_PROJECT_ID`, or
    /// otherwise zeros.
    pub sid: AccountSid,
    /// The account's token: the value of `TWILIO_AUTH_TOKEN` or `SIGNALWIRE_API_TOKEN`, or otherwise zeros.
    pub auth_token: Box<str>,
    /// Whether no token was configured. The default token isn't a secret, so it may be printed.
    pub has_default_token: bool,
    /// The key that signs the account's webhooks: the value of `SIGNALWIRE_SIGNING_KEY`. If absent, the token is the
    /// key.
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
    /// Formats the account, but leaves out its token and its signing key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultAccount").field("sid", &self.sid).finish_non_exhaustive()
    }
}
