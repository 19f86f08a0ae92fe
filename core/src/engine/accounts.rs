//! The account itself: its name, status, service, Debugger URL, signing key and API keys. The registry of worlds keeps
//! the lists of subaccounts.

use super::Engine;
use super::input::{ChangeAccount, CreateKey, DeleteKey, RenameKey, UpdateAccount};
use super::ordered_map::OrderedMap;
use crate::model::account::AccountStatus;
use crate::model::credential::ApiKey;
use crate::model::hex;
use crate::model::refusal::Refusal;
use crate::model::sid::KeySid;
use crate::model::time::Timestamp;

/// The maximum number of API keys per account; far more than a test needs.
const KEYS_MAX: usize = 10_000;

/// The API keys of one account. Like the account's token, they are credentials, so a reset keeps them.
pub(super) type Keys = OrderedMap<KeySid, ApiKey>;

impl Engine {
    /// Returns the API key with this SID, including its secret.
    ///
    /// # Errors
    /// Returns `NoKey` if there is no such key.
    pub fn key(&self, sid: KeySid) -> Result<&ApiKey, Refusal> {
        self.keys.get(&sid).ok_or(Refusal::NoKey(sid))
    }

    /// Returns all API keys of the account, newest first.
    pub fn keys(&self) -> impl Iterator<Item = &ApiKey> {
        self.keys.newest_first()
    }

    /// Returns whether `secret` is the secret of this key. The secrets are compared in constant time.
    #[must_use]
    pub fn key_fits(&self, sid: KeySid, secret: &str) -> bool {
        let known = self.keys.get(&sid);
        known.is_some_and(|key| subtle::ConstantTimeEq::ct_eq(key.secret.as_bytes(), secret.as_bytes()).into())
    }

    /// Changes an account on behalf of a client, who may change the status only of a subaccount.
    pub(super) fn update_account(
        &mut self,
        UpdateAccount(change): UpdateAccount,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if change.status.is_some() && self.account.owner.is_none() {
            return Err(Refusal::NotASubaccount);
        }
        self.change_account(ChangeAccount(change), now)
    }

    pub(super) fn change_account(
        &mut self,
        ChangeAccount(change): ChangeAccount,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if let Some(status) = change.status {
            // A closed account can't be reopened, not even by a tester. This is checked before anything is changed,
            // because a refused command must change nothing.
            if self.account.status == AccountStatus::Closed && status != AccountStatus::Closed {
                return Err(Refusal::AccountClosed);
            }
            self.account.status = status;
        }
        if let Some(name) = &change.friendly_name {
            self.account.friendly_name.clone_from(name);
        }
        if let Some(service) = change.service {
            self.account.service = service;
        }
        if let Some(url) = &change.debugger_url {
            self.account.debugger_url.clone_from(url);
        }
        if let Some(key) = &change.signing_key {
            self.account.signing_key.clone_from(key);
        }
        self.account.updated = now;
        Ok(())
    }

    pub(super) fn create_key(
        &mut self,
        CreateKey(friendly_name): CreateKey,
        now: Timestamp,
    ) -> Result<KeySid, Refusal> {
        if self.keys.len() >= KEYS_MAX {
            return Err(Refusal::LimitReached { what: "API keys", limit: KEYS_MAX });
        }
        let ordinal = self.keys.take_ordinal();
        let sid = self.ids.seed().mint::<KeySid>("key", b"", ordinal);
        // Derived from the seed like the SID, so that a repeated run yields the same secrets.
        let bytes = self.ids.seed().sid_bytes("key-secret", sid.bytes(), 0);
        let secret = hex::encode(bytes).into();
        let key = ApiKey { sid, ordinal, secret, friendly_name, created: now, updated: now };
        self.keys.insert(ordinal, sid, key);
        Ok(sid)
    }

    pub(super) fn rename_key(&mut self, RenameKey(sid, name): RenameKey, now: Timestamp) -> Result<(), Refusal> {
        let key = self.keys.get_mut(&sid).ok_or(Refusal::NoKey(sid))?;
        if let Some(name) = name {
            key.friendly_name = name;
            key.updated = now;
        }
        Ok(())
    }

    pub(super) fn delete_key(&mut self, DeleteKey(sid): DeleteKey, _: Timestamp) -> Result<(), Refusal> {
        self.keys.remove(&sid).ok_or(Refusal::NoKey(sid))?;
        Ok(())
    }
}
