//! The specification of a world: its initial state, to which a reset returns.

use super::random::WorldSeed;
use super::rule::Rule;
use crate::model::account::{Account, AccountMode, CallbackPolicy, DocumentPolicy};
use crate::model::number::NumberChange;
use crate::model::phone::PhoneNumber;
#[cfg(test)]
use crate::model::sid::AccountSid;
use crate::model::time::Pace;
#[cfg(test)]
use crate::model::time::Timestamp;
use crate::model::twiml_bin::ConfiguredTwimlBin;

/// Everything that a world is created with and reset to.
#[derive(Debug, Clone)]
pub struct WorldSpec {
    /// The account that owns the world.
    pub account: Account,
    /// The seed of all ids and random draws.
    pub seed: WorldSeed,
    /// The number of earlier worlds of this account in this process, which keeps the ids of all these worlds distinct.
    pub earlier_worlds: u64,
    /// The seed of the inventory of numbers for sale, shared by all worlds.
    pub inventory_seed: u64,
    /// The numbers that the account owns at the start.
    pub numbers: Vec<(PhoneNumber, NumberChange)>,
    /// The caller ids that are verified at the start.
    pub caller_ids: Vec<PhoneNumber>,
    /// The TwiML bins at the start.
    pub twiml_bins: Vec<ConfiguredTwimlBin>,
    /// The configured options of the world.
    pub options: WorldOptions,
    /// The tester's rules that apply from the start.
    pub rules: Vec<Rule>,
}

/// The configured options of a world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorldOptions {
    /// The ratio of line time to the world's clock.
    pub pace: Pace,
    /// The status changes of an outbound fax that its StatusCallback is notified of.
    pub callbacks: CallbackPolicy,
    /// The documents that a MediaUrl may return.
    pub documents: DocumentPolicy,
    /// Whether an unowned `From` is adopted as a caller id or refused.
    pub accounts: AccountMode,
    /// Whether the world is in pedantic mode, in which it deviates from its usual behaviour as the real service may.
    /// Its seed decides where.
    pub is_pedantic: bool,
    /// The media budget in bytes; media of ended faxes beyond it are dropped, oldest first.
    pub media_budget_bytes: u64,
}

/// Returns the specification of a standalone account with default options and no numbers.
#[cfg(test)]
pub(crate) fn plain(now: Timestamp) -> WorldSpec {
    let account = Account::new(AccountSid::from_bytes([0; 16]), Some("token".into()), now);
    WorldSpec {
        seed: WorldSeed::of(7, account.sid),
        account,
        earlier_worlds: 0,
        inventory_seed: 7,
        numbers: Vec::new(),
        caller_ids: Vec::new(),
        twiml_bins: Vec::new(),
        options: WorldOptions {
            pace: Pace::default(),
            callbacks: CallbackPolicy::All,
            documents: DocumentPolicy::Lenient,
            accounts: AccountMode::Open,
            is_pedantic: false,
            media_budget_bytes: 1 << 30,
        },
        rules: Vec::new(),
    }
}
