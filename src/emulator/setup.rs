//! The registry's settings, the accounts that it creates, and the errors of creating a world or signing in a client.

use std::sync::Arc;

use crate::engine::WorldOptions;
use crate::engine::rule::Rule;
use crate::model::account::CallbackPolicy;
use crate::model::account::Dialect;
use crate::model::account::MediaUserAgent;
use crate::model::account::PriceFormat;
use crate::model::account::Service;
use crate::model::number::NumberChange;
use crate::model::phone::PhoneNumber;
use crate::model::refusal::Refusal;
use crate::model::sid::AccountSid;
use crate::model::sid::KeySid;
use crate::model::twiml_bin::ConfiguredTwimlBin;

/// The settings that all worlds share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The seed that all ids and random draws are derived from.
    pub seed: u64,
    /// The options that worlds are created with.
    pub options: WorldOptions,
    /// The way in which Twilio worlds write `price`.
    pub price: PriceFormat,
    /// How much of the Fax API works, for accounts that don't set this themselves.
    pub service: Service,
    /// The base of links and media URLs, instead of the origin of each request.
    pub public_url: Option<Arc<str>>,
    /// Whether a download of media without a User-Agent header is refused or only warned about.
    pub media_user_agent: MediaUserAgent,
    /// The restrictions on who may call the emulator.
    pub guard: GuardOptions,
}

/// The options that decide who may call the emulator.
#[derive(Debug, Clone, Default)]
pub struct GuardOptions {
    /// Additional host names that requests may be addressed to, in lower case.
    pub allow_hosts: Vec<String>,
    /// Origins whose web pages may call the emulator.
    pub allow_origins: Vec<String>,
    /// The token that the control API and the console require, if any.
    pub control_token: Option<Box<str>>,
    /// Whether the stored documents of SignalWire accounts are served only with the account's credential.
    pub protect_media: bool,
}

/// An account to create. A missing value gets a default or is derived from the seed.
#[derive(Debug, Clone, Default)]
pub struct AccountSetup {
    /// The account's SID; derived from the seed if absent.
    pub sid: Option<AccountSid>,
    /// The account's token; derived from the seed by [`Registry::create`](super::Registry::create) if absent.
    pub auth_token: Option<Box<str>>,
    /// The key that signs the account's webhooks; the token if absent. Only SignalWire accounts have a separate key.
    pub signing_key: Option<Box<str>>,
    /// The friendly name; Twilio's default if absent.
    pub friendly_name: Option<Box<str>>,
    /// The dialect of the API that the account uses; that of the SID if there is one, otherwise Twilio by default.
    pub dialect: Option<Dialect>,
    /// The status changes that trigger a StatusCallback; the emulator's setting if absent.
    pub callbacks: Option<CallbackPolicy>,
    /// How much of the Fax API works for this account; the emulator's setting if absent.
    pub service: Option<Service>,
    /// Whether the account is in pedantic mode; the emulator's setting if absent.
    pub pedantic: Option<bool>,
    /// The account that owns this one, if it is a subaccount.
    pub owner: Option<AccountSid>,
    /// The webhook that each of the account's alerts is sent to.
    pub debugger_url: Option<Box<str>>,
    /// The numbers that the account initially owns, with their attributes.
    pub numbers: Vec<(PhoneNumber, NumberChange)>,
    /// The caller ids that are verified from the start.
    pub caller_ids: Vec<PhoneNumber>,
    /// The initial TwiML bins.
    pub twiml_bins: Vec<ConfiguredTwimlBin>,
    /// The initial rules, which make the account misbehave on purpose.
    pub rules: Vec<Rule>,
}

/// The reason a credential opens no world.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The emulator is in strict mode and no such account is configured.
    #[error("no account {0} is configured")]
    UnknownAccount(AccountSid),
    /// The account's world has broken because of a fault in the emulator.
    #[error("{}", Refusal::WorldBroken(Arc::clone(.0)))]
    Broken(Arc<str>),
    /// The token differs from the account's, which was configured or generated, or is the first one that was used.
    #[error("the token doesn't belong to account {0}")]
    WrongToken(AccountSid),
    /// No such API key exists, or the secret is wrong.
    #[error("there is no API key {0} with that secret")]
    WrongKey(KeySid),
    /// The account needs a new world, but there are already [`WORLDS_MAX`](super::WORLDS_MAX).
    #[error("there are already {limit} accounts, the most that the emulator keeps")]
    TooManyWorlds {
        /// The maximum number of accounts.
        limit: usize,
    },
}

/// The reason a world was not created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateWorldError {
    /// The account already has a world.
    #[error("account {0} already exists")]
    Exists(AccountSid),
    /// There are already [`WORLDS_MAX`](super::WORLDS_MAX) worlds, none of which may be dropped to make room.
    #[error("there are already {limit} accounts, the most that the emulator keeps; delete some")]
    TooManyWorlds {
        /// The maximum number of accounts.
        limit: usize,
    },
}
