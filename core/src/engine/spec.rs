//! What a world begins with, and goes back to when it is reset. It is read only.

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

/// What a world is founded with and reset to.
#[derive(Debug, Clone)]
pub struct WorldSpec {
    /// Whose world it is.
    pub account: Account,
    /// The seed of all its ids and draws.
    pub seed: WorldSeed,
    /// How many worlds of this account there were before in this process: its ids are other ones than theirs.
    pub life: u64,
    /// The seed of the inventory of numbers for sale, shared by all worlds.
    pub inventory_seed: u64,
    /// Its numbers at the start.
    pub numbers: Vec<(PhoneNumber, NumberChange)>,
    /// Its verified caller ids at the start.
    pub caller_ids: Vec<PhoneNumber>,
    /// How it behaves.
    pub options: WorldOptions,
    /// How it behaves on purpose, from the start.
    pub rules: Vec<Rule>,
}

/// How a world behaves, by its configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorldOptions {
    /// How fast line time passes.
    pub pace: Pace,
    /// Which status changes fire the StatusCallback of an outbound fax.
    pub callbacks: CallbackPolicy,
    /// What a MediaUrl may lead to.
    pub documents: DocumentPolicy,
    /// Whether an unowned `From` is adopted.
    pub accounts: AccountMode,
    /// Bytes of media kept.
    pub media_budget_bytes: u64,
}

/// An account of its own with nothing in it.
#[cfg(test)]
pub(crate) fn plain(now: Timestamp) -> WorldSpec {
    let account = Account::new(AccountSid::from_bytes([0; 16]), Some("token".into()), now);
    WorldSpec {
        seed: WorldSeed::of(7, account.sid),
        account,
        life: 0,
        inventory_seed: 7,
        numbers: Vec::new(),
        caller_ids: Vec::new(),
        options: WorldOptions {
            pace: Pace::default(),
            callbacks: CallbackPolicy::All,
            documents: DocumentPolicy::Lenient,
            accounts: AccountMode::Open,
            media_budget_bytes: 1 << 30,
        },
        rules: Vec::new(),
    }
}
