//! The registry of worlds: who may enter which, founding and closing them. It knows no HTTP and no wire words.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::runtime::Handle;

use crate::clock::RealTime;
use crate::driver;
use crate::engine::input::DocumentFault;
use crate::engine::random::WorldSeed;
use crate::engine::{Founding, Rules};
use crate::io::client::Client;
use crate::io::{Performer, Signer};
use crate::model::account::{Account, Accounts, Callbacks, Dialect, PriceForm};
use crate::model::media::Document;
use crate::model::number::NumberChange;
use crate::model::phone::PhoneNumber;
use crate::model::sid::AccountSid;

pub use crate::world::World;

/// Worlds at once; each costs a few kilobytes and a task.
pub const WORLDS_MAX: usize = 10_000;

/// What holds for all worlds.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What ids and draws follow from.
    pub seed: u64,
    /// How worlds behave.
    pub rules: Rules,
    /// How `price` is written.
    pub price: PriceForm,
    /// What links are built on, instead of the request's own origin.
    pub public_url: Option<Arc<str>>,
    /// Further host names of the control API.
    pub allow_hosts: Vec<String>,
}

/// An account as configured.
#[derive(Debug, Clone, Default)]
pub struct AccountSetup {
    /// Its id; minted where none is given.
    pub sid: Option<AccountSid>,
    /// Its token; where none is given, minted or, in a founding without a client, left to the first that comes.
    pub auth_token: Option<Box<str>>,
    /// The name shown.
    pub friendly_name: Option<Box<str>>,
    /// Whose API it speaks; Twilio's by default.
    pub dialect: Option<Dialect>,
    /// Which statuses are told, where it differs from the emulator's choice.
    pub callbacks: Option<Callbacks>,
    /// Its numbers at the start.
    pub numbers: Vec<(PhoneNumber, NumberChange)>,
    /// Its verified caller ids at the start.
    pub caller_ids: Vec<PhoneNumber>,
}

/// Why nobody is let into a world.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Strict mode, and no such account.
    #[error("no account {0} is configured")]
    UnknownAccount(AccountSid),
    /// Another token was used first.
    #[error("the token is not that of account {0}")]
    WrongToken(AccountSid),
    /// There are too many worlds to found another.
    #[error("there are {limit} accounts already, the most that are kept")]
    TooManyWorlds {
        /// How many there may be.
        limit: usize,
    },
}

/// Why no world was founded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoundError {
    /// The account exists.
    #[error("account {0} exists already")]
    Exists(AccountSid),
    /// There are too many.
    #[error("there are {limit} accounts already, the most that are kept; delete some")]
    TooManyWorlds {
        /// How many there may be.
        limit: usize,
    },
}

/// A handle on the emulator; clones are the same.
#[derive(Clone)]
pub struct Emulator(Arc<Shared>);

struct Shared {
    settings: Settings,
    real: RealTime,
    performer: Arc<Performer>,
    runtime: Handle,
    worlds: RwLock<Worlds>,
    default: AccountSid,
}

#[derive(Default)]
struct Worlds {
    by_sid: BTreeMap<AccountSid, World>,
    minted: u64,
}

impl Emulator {
    /// An emulator with these accounts; the first is the default. Effects are performed on `runtime`.
    ///
    /// # Errors
    /// An account that is named twice, or too many of them.
    pub fn new(
        settings: Settings,
        client: Client,
        default: AccountSetup,
        others: Vec<AccountSetup>,
        runtime: Handle,
    ) -> Result<Self, FoundError> {
        let mut worlds = Worlds::default();
        let default_sid = default.sid.unwrap_or_else(|| worlds.mint_sid(settings.seed));
        let performer = Arc::new(Performer::new(client));
        let worlds = RwLock::new(worlds);
        let shared = Shared { settings, real: RealTime::start(), performer, runtime, worlds, default: default_sid };
        let emulator = Self(Arc::new(shared));
        emulator.found(AccountSetup { sid: Some(default_sid), ..default })?;
        for setup in others {
            emulator.found(setup)?;
        }
        Ok(emulator)
    }

    /// What holds for all worlds.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Fetches a document for a tester on behalf of a world.
    ///
    /// # Errors
    /// It can't be fetched, or can't be read.
    pub async fn fetch_document(&self, world: &World, url: &str) -> Result<Document, DocumentFault> {
        let signer = world.read(|engine| Signer::of(engine, world.signing_key()));
        self.0.performer.document(&signer, url).await
    }

    /// Real time since the start.
    #[must_use]
    pub fn uptime(&self) -> std::time::Duration {
        self.0.real.uptime()
    }

    /// The world of an account.
    #[must_use]
    pub fn world(&self, account: AccountSid) -> Option<World> {
        self.worlds_read(|worlds| worlds.by_sid.get(&account).cloned())
    }

    /// All worlds, in order of their SIDs.
    #[must_use]
    pub fn worlds(&self) -> Vec<World> {
        self.worlds_read(|worlds| worlds.by_sid.values().cloned().collect())
    }

    /// The SID of the default account, whose world is never removed.
    #[must_use]
    pub fn default_account(&self) -> AccountSid {
        self.0.default
    }

    /// Lets a client with a credential into its world; in open mode an unknown account's world is founded.
    ///
    /// # Errors
    /// The credential opens no world.
    pub fn sign_in(&self, account: AccountSid, token: &str) -> Result<World, SignInError> {
        let world = match (self.world(account), self.0.settings.rules.accounts) {
            (Some(world), _) => world,
            (None, Accounts::Strict) => return Err(SignInError::UnknownAccount(account)),
            (None, Accounts::Open) => self.enter_unclaimed(account)?,
        };
        if world.claim(token) { Ok(world) } else { Err(SignInError::WrongToken(account)) }
    }

    /// The world of an account, founded without a token where it doesn't exist yet: the first client claims it.
    ///
    /// # Errors
    /// In strict mode an unknown account; too many worlds.
    pub fn enter_unclaimed(&self, account: AccountSid) -> Result<World, SignInError> {
        if let Some(world) = self.world(account) {
            return Ok(world);
        }
        if self.0.settings.rules.accounts == Accounts::Strict {
            return Err(SignInError::UnknownAccount(account));
        }
        match self.found_with_token(AccountSetup { sid: Some(account), ..AccountSetup::default() }, None) {
            Ok(world) => Ok(world),
            // Another request has founded it meanwhile.
            Err(FoundError::Exists(account)) => self.world(account).ok_or(SignInError::UnknownAccount(account)),
            Err(FoundError::TooManyWorlds { limit }) => Err(SignInError::TooManyWorlds { limit }),
        }
    }

    /// Founds the world of an account; what is missing of its credential is minted.
    ///
    /// # Errors
    /// It exists, or there are too many.
    pub fn found(&self, setup: AccountSetup) -> Result<World, FoundError> {
        let sid = setup.sid.unwrap_or_else(|| self.worlds_write(|worlds| worlds.mint_sid(self.0.settings.seed)));
        let minted = || {
            let bytes = WorldSeed::of(self.0.settings.seed, sid).sid_bytes("auth-token", b"", 0);
            bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
        };
        let token = setup.auth_token.clone().unwrap_or_else(minted);
        self.found_with_token(AccountSetup { sid: Some(sid), ..setup }, Some(token))
    }

    /// Closes a world; answers whether there was one. The default world stays.
    #[must_use]
    pub fn remove(&self, account: AccountSid) -> bool {
        if account == self.0.default {
            return false;
        }
        let removed = self.worlds_write(|worlds| worlds.by_sid.remove(&account));
        if let Some(world) = &removed {
            world.close();
        }
        removed.is_some()
    }

    /// Closes all worlds: no effect is begun any more.
    pub fn close(&self) {
        for world in self.worlds() {
            world.close();
        }
    }

    fn found_with_token(&self, setup: AccountSetup, auth_token: Option<Box<str>>) -> Result<World, FoundError> {
        let sid = setup.sid.unwrap_or(self.0.default);
        let settings = &self.0.settings;
        let founding = Founding {
            account: Account {
                sid,
                auth_token,
                friendly_name: setup.friendly_name.unwrap_or_else(|| "fauxfax account".into()),
                dialect: setup.dialect.unwrap_or(Dialect::Twilio),
                created: self.0.real.now(),
            },
            seed: WorldSeed::of(settings.seed, sid),
            inventory_seed: settings.seed,
            numbers: setup.numbers,
            caller_ids: setup.caller_ids,
            rules: Rules { callbacks: setup.callbacks.unwrap_or(settings.rules.callbacks), ..settings.rules },
        };
        let world = self.worlds_write(|worlds| {
            if worlds.by_sid.contains_key(&sid) {
                return Err(FoundError::Exists(sid));
            }
            if worlds.by_sid.len() >= WORLDS_MAX {
                return Err(FoundError::TooManyWorlds { limit: WORLDS_MAX });
            }
            let world = World::found(founding, self.0.real);
            worlds.by_sid.insert(sid, world.clone());
            Ok(world)
        })?;
        driver::start(&self.0.runtime, world.clone(), Arc::clone(&self.0.performer));
        Ok(world)
    }

    fn worlds_read<T>(&self, view: impl FnOnce(&Worlds) -> T) -> T {
        view(&self.0.worlds.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn worlds_write<T>(&self, change: impl FnOnce(&mut Worlds) -> T) -> T {
        change(&mut self.0.worlds.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Worlds {
    fn mint_sid(&mut self, seed: u64) -> AccountSid {
        loop {
            self.minted += 1;
            let bytes = WorldSeed::of(seed, AccountSid::from_bytes([0; 16])).sid_bytes("account", b"", self.minted);
            let sid = AccountSid::from_bytes(bytes);
            if !self.by_sid.contains_key(&sid) {
                return sid;
            }
        }
    }
}
