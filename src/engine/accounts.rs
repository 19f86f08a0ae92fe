//! The account itself: its name, its status, its API keys. Who owns which account is the registry's business.

use super::Engine;
use super::input::{KeyCommand, Reply};
use super::register::Register;
use crate::model::account::{AccountChange, AccountStatus};
use crate::model::credential::ApiKey;
use crate::model::refusal::Refusal;
use crate::model::sid::KeySid;
use crate::model::time::Timestamp;

/// API keys that one account may have; far more than a test needs.
const KEYS_MAX: usize = 10_000;

/// The API keys of one account. They are credentials, as its token is: a reset leaves them.
pub(super) type Keys = Register<KeySid, ApiKey>;

impl Engine {
    /// An API key.
    ///
    /// # Errors
    /// `NoKey`.
    pub fn key(&self, sid: KeySid) -> Result<&ApiKey, Refusal> {
        self.keys.get(&sid).ok_or(Refusal::NoKey(sid))
    }

    /// The API keys, newest first.
    pub fn keys(&self) -> impl Iterator<Item = &ApiKey> {
        self.keys.newest_first()
    }

    /// Whether the secret is the key's.
    #[must_use]
    pub fn key_fits(&self, sid: KeySid, secret: &str) -> bool {
        let known = self.keys.get(&sid);
        known.is_some_and(|key| subtle::ConstantTimeEq::ct_eq(key.secret.as_bytes(), secret.as_bytes()).into())
    }

    /// A client changes an account: a status only of a subaccount.
    pub(super) fn update_account(&mut self, change: &AccountChange, now: Timestamp) -> Result<Reply, Refusal> {
        if change.status.is_some() && self.account.owner.is_none() {
            return Err(Refusal::NotASubaccount);
        }
        self.change_account(change, now)
    }

    pub(super) fn change_account(&mut self, change: &AccountChange, now: Timestamp) -> Result<Reply, Refusal> {
        if let Some(status) = change.status {
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
        self.account.updated = now;
        Ok(Reply::Done)
    }

    pub(super) fn key_command(&mut self, command: KeyCommand, now: Timestamp) -> Result<Reply, Refusal> {
        match command {
            KeyCommand::Create(friendly_name) => {
                if self.keys.len() >= KEYS_MAX {
                    return Err(Refusal::LimitReached { what: "API keys", limit: KEYS_MAX });
                }
                let ordinal = self.keys.take_ordinal();
                let sid = KeySid::from_bytes(self.ids.seed().sid_bytes("key", b"", ordinal));
                let bytes = self.ids.seed().sid_bytes("key-secret", sid.bytes(), 0);
                let secret = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
                let key = ApiKey { sid, ordinal, secret, friendly_name, created: now, updated: now };
                self.keys.insert(ordinal, sid, key);
                Ok(Reply::Key(sid))
            }
            KeyCommand::Rename(sid, name) => {
                let key = self.keys.get_mut(&sid).ok_or(Refusal::NoKey(sid))?;
                if let Some(name) = name {
                    key.friendly_name = name;
                    key.updated = now;
                }
                Ok(Reply::Key(sid))
            }
            KeyCommand::Delete(sid) => {
                self.keys.remove(&sid).ok_or(Refusal::NoKey(sid))?;
                Ok(Reply::Done)
            }
        }
    }
}
