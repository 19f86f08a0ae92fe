//! What the registry is created with: settings that all worlds share and accounts to create; and why a world can't be
//! created or a client signed in.

use std::sync::Arc;

use crate::engine::WorldOptions;
use crate::engine::rule::Rule;
use crate::model::account::CallbackPolicy;
use crate::model::account::Dialect;
use crate::model::account::MediaUserAgent;
use crate::model::account::PriceForm;
use crate::model::account::Service;
use crate::model::number::NumberChange;
use crate::model::phone::PhoneNumber;
use crate::model::refusal::Refusal;
use crate::model::sid::AccountSid;
use crate::model::sid::KeySid;
/// The settings that all worlds share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The seed that all ids and random draws are derived from.
    pub seed: u64,
    /// The options that worlds are created with.
    pub options: WorldOptions,
    /// How `price` is written in responses: as a string, a number or always null.
    pub price: PriceForm,
    /// The state of the Fax API for accounts that don't choose one.
    pub service: Service,
    /// The URL that links are built on, instead of the request's own origin.
    pub public_url: Option<Arc<str>>,
    /// Whether a download of media without a User-Agent header is refused or only warned about.
    pub media_user_agent: MediaUserAgent,
    /// Which hosts, origins and tokens may call the emulator.
    pub guard: GuardOptions,
}

/// What may call the emulator besides programs on this machine.
#[derive(Debug, Clone, Default)]
pub struct GuardOptions {
    /// Further host names that requests may be addressed to, in lower case.
    pub allow_hosts: Vec<String>,
    /// Origins whose web pages may call the emulator.
    pub allow_origins: Vec<String>,
    /// The token that the control API and the console require, if any.
    pub control_token: Option<Box<str>>,
    /// Whether stored documents of SignalWire's accounts are shown only with the account's credential.
    pub protect_media: bool,
}

/// An account to create. A field left out gets a default or is minted.
#[derive(Debug, Clone, Default)]
pub struct AccountSetup {
    /// Its SID; minted if absent.
    pub sid: Option<AccountSid>,
    /// Its token; minted by [`Registry::create`](super::Registry::create) if absent.
    pub auth_token: Option<Box<str>>,
    /// The key that signs its webhooks; its token if absent. Only a SignalWire account has one.
    pub signing_key: Option<Box<str>>,
    /// Its friendly name; Twilio's default if absent.
    pub friendly_name: Option<Box<str>>,
    /// The provider whose API it uses if it has no SID, from which that follows otherwise; Twilio by default.
    pub dialect: Option<Dialect>,
    /// Which statuses fire a StatusCallback; the emulator's setting if absent.
    pub callbacks: Option<CallbackPolicy>,
    /// The state of the Fax API for it; the emulator's setting if absent.
    pub service: Option<Service>,
    /// The account that owns it, if it is a subaccount.
    pub owner: Option<AccountSid>,
    /// The webhook that each of its alerts is sent to.
    pub debugger_url: Option<Box<str>>,
    /// The numbers that it has at the start, with their attributes.
    pub numbers: Vec<(PhoneNumber, NumberChange)>,
    /// The verified caller ids that it has at the start.
    pub caller_ids: Vec<PhoneNumber>,
    /// The rules that it has from the start, which make it misbehave on purpose.
    pub rules: Vec<Rule>,
}

/// Why a credential opens no world.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The emulator is in strict mode and no such account is configured.
    #[error("no account {0} is configured")]
    UnknownAccount(AccountSid),
    /// The account's world has broken because of a fault in the emulator.
    #[error("{}", Refusal::WorldBroken(Arc::clone(.0)))]
    Broken(Arc<str>),
    /// The account has another token: the configured one, or the first one used.
    #[error("the token is not that of account {0}")]
    WrongToken(AccountSid),
    /// No such API key exists, or its secret is another.
    #[error("there is no API key {0} with that secret")]
    WrongKey(KeySid),
    /// The account would need a new world, and there are already [`WORLDS_MAX`](super::WORLDS_MAX).
    #[error("there are already {limit} accounts, the most that the emulator keeps")]
    TooManyWorlds {
        /// The most accounts that there may be.
        limit: usize,
    },
}

/// Why a world was not created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateWorldError {
    /// The account already has a world.
    #[error("account {0} already exists")]
    Exists(AccountSid),
    /// There are already [`WORLDS_MAX`](super::WORLDS_MAX) worlds, all of them in use.
    #[error("there are already {limit} accounts, the most that the emulator keeps; delete some")]
    TooManyWorlds {
        /// The most accounts that there may be.
        limit: usize,
    },
}
