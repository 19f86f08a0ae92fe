//! The registry of worlds: who may enter which, founding and closing them. It knows no HTTP and no wire words.

mod gates;
mod registry;
mod unassigned;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::runtime::Handle;
use tokio::sync::watch;

pub(crate) use self::gates::Gates;
use self::registry::Worlds;
pub(crate) use self::unassigned::{NoWorld, Unassigned, UnassignedLog, UnassignedRequest};
use crate::clock::RealTime;
use crate::driver;
use crate::engine::Canceled;
use crate::engine::door::Terms;
use crate::engine::event::EventKind;
use crate::engine::export::{State, StateError};
use crate::engine::input::{CreateKey, DocumentFault};
use crate::engine::random::WorldSeed;
use crate::engine::rule::Rule;
use crate::engine::tally::Tally;
use crate::engine::{Founding, Rules};
use crate::io::budget::Budget;
use crate::io::client::Client;
use crate::io::render::Renderer;
use crate::io::{Performer, Replay, Signer};
use crate::model::account::{Account, Accounts, Callbacks, Dialect, MediaUserAgent, PriceForm, Service};
use crate::model::hex;
use crate::model::media::Document;
use crate::model::number::NumberChange;
use crate::model::phone::PhoneNumber;
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid, KeySid};
use crate::model::webhook::ExchangeRecord;

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
    /// What the Fax API does where an account doesn't say otherwise.
    pub service: Service,
    /// What links are built on, instead of the request's own origin.
    pub public_url: Option<Arc<str>>,
    /// What comes of a download of media that names no User-Agent.
    pub media_user_agent: MediaUserAgent,
    /// Who may drive the emulator.
    pub guard: GuardOptions,
}

/// Who may drive the emulator, besides the programs of this machine.
#[derive(Debug, Clone, Default)]
pub struct GuardOptions {
    /// Further host names that it answers to, in lower case.
    pub allow_hosts: Vec<String>,
    /// Origins whose web pages may call it.
    pub allow_origins: Vec<String>,
    /// What guards the control API and the console.
    pub control_token: Option<Box<str>>,
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
    /// What the Fax API does for it, where it differs from the emulator's choice.
    pub service: Option<Service>,
    /// Whose subaccount it is.
    pub owner: Option<AccountSid>,
    /// Its Debugger webhook.
    pub debugger_url: Option<Box<str>>,
    /// Its numbers at the start.
    pub numbers: Vec<(PhoneNumber, NumberChange)>,
    /// Its verified caller ids at the start.
    pub caller_ids: Vec<PhoneNumber>,
    /// How it behaves on purpose, from the start.
    pub behaviour: Vec<Rule>,
}

/// Why nobody is let into a world.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Strict mode, and no such account.
    #[error("no account {0} is configured")]
    UnknownAccount(AccountSid),
    /// The account's world has broken: a fault of the emulator.
    #[error("{}", Refusal::WorldBroken(Arc::clone(.0)))]
    Broken(Arc<str>),
    /// Another token was used first.
    #[error("the token is not that of account {0}")]
    WrongToken(AccountSid),
    /// No such API key, or another secret.
    #[error("there is no API key {0} with that secret")]
    WrongKey(KeySid),
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
    /// Whether the server is about to stop.
    stopping: watch::Sender<bool>,
    /// Counts the worlds that were created, for who waits for one.
    created: watch::Sender<u64>,
    gates: Gates,
    unassigned: UnassignedLog,
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
        Self::with_renderer(settings, (client, Renderer::threads()), default, others, runtime)
    }

    /// An emulator whose documents are rendered by this renderer.
    ///
    /// # Errors
    /// An account that is named twice, or too many of them.
    pub fn with_renderer(
        settings: Settings,
        (client, renderer): (Client, Renderer),
        default: AccountSetup,
        others: Vec<AccountSetup>,
        runtime: Handle,
    ) -> Result<Self, FoundError> {
        let mut worlds = Worlds::default();
        let default_sid = default.sid.unwrap_or_else(|| worlds.mint_sid(settings.seed));
        let performer = Arc::new(Performer::new(client, renderer));
        let worlds = RwLock::new(worlds);
        let (stopping, _) = watch::channel(false);
        let (created, _) = watch::channel(0);
        let real = RealTime::start();
        let (gates, unassigned) = (Gates::default(), UnassignedLog::new(real));
        let (setup, default) = (AccountSetup { sid: Some(default_sid), ..default }, default_sid);
        let shared =
            Shared { settings, real, performer, runtime, worlds, default, stopping, created, gates, unassigned };
        let emulator = Self(Arc::new(shared));
        emulator.found(setup)?;
        for setup in others {
            emulator.found(setup)?;
        }
        emulator.worlds_write(|worlds| worlds.configured = worlds.by_sid.keys().copied().collect());
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
        let signer = world.read(|engine| Signer::of(engine, Arc::clone(world.signing_key())));
        self.0.performer.document(&signer, url).await
    }

    /// Sends a webhook again, signed anew, and journals it.
    pub async fn replay(&self, world: &World, fax: Option<FaxSid>, of: &str, replay: Replay) -> ExchangeRecord {
        let signer = world.read(|engine| Signer::of(engine, Arc::clone(world.signing_key())));
        let record = Arc::new(self.0.performer.replay(&signer, fax, replay).await);
        world.note(fax, EventKind::WebhookReplayed { of: of.into(), record: Arc::clone(&record) });
        ExchangeRecord::clone(&record)
    }

    /// Tells who waits for something that the server is about to stop.
    pub fn announce_stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Whether the server is about to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    /// Ready when the server is about to stop.
    pub async fn stopping(&self) {
        // The sender lives as long as this handle.
        let _ = self.0.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// What happened in worlds that are gone.
    #[must_use]
    pub fn departed_tally(&self) -> Tally {
        self.worlds_read(|worlds| worlds.departed.tally.clone())
    }

    /// Waits in real time, as a rule has a REST call delayed.
    pub async fn pause(&self, span: std::time::Duration) {
        driver::pause(span).await;
    }

    /// What bytes in flight are taken out of.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        self.0.performer.budget()
    }

    /// The calls of which few are answered at once.
    #[must_use]
    pub(crate) fn gates(&self) -> &Gates {
        &self.0.gates
    }

    /// The requests that no world has in its journal.
    #[must_use]
    pub(crate) fn unassigned(&self) -> &UnassignedLog {
        &self.0.unassigned
    }

    /// What renders documents.
    #[must_use]
    pub fn renderer(&self) -> &Renderer {
        self.0.performer.renderer()
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
        self.sign_in_on_terms(account, token).map(|(world, _)| world)
    }

    /// As [`Emulator::sign_in`], and on what terms the account is called.
    ///
    /// # Errors
    /// The credential opens no world.
    pub fn sign_in_on_terms(&self, account: AccountSid, token: &str) -> Result<(World, Terms), SignInError> {
        let world = self.enter_unclaimed(account)?;
        Self::claim(world, token)
    }

    /// As [`Emulator::sign_in_on_terms`], for a call that changes nothing: an account without a world is shown a fresh one,
    /// and none is created.
    ///
    /// # Errors
    /// The credential opens no world.
    pub fn look_in_on_terms(&self, account: AccountSid, token: &str) -> Result<(World, Terms), SignInError> {
        let world = self.look(account)?;
        Self::claim(world, token)
    }

    fn claim(world: World, token: &str) -> Result<(World, Terms), SignInError> {
        if let Some(why) = world.broken() {
            return Err(SignInError::Broken(why));
        }
        let terms = world.claim(token).ok_or_else(|| SignInError::WrongToken(world.sid()))?;
        Ok((world, terms))
    }

    /// The world of an account as it stands; where there is none, a fresh one that nobody else sees and that goes with
    /// its handle.
    ///
    /// # Errors
    /// In strict mode an unknown account.
    pub fn look(&self, account: AccountSid) -> Result<World, SignInError> {
        if let Some(world) = self.world(account) {
            return Ok(world);
        }
        if self.0.settings.rules.accounts == Accounts::Strict {
            return Err(SignInError::UnknownAccount(account));
        }
        let setup = AccountSetup { sid: Some(account), ..AccountSetup::default() };
        let life = self.worlds_read(|worlds| worlds.departed.lives(account));
        Ok(World::fresh(Founding { life, ..self.founding(account, setup, None) }, self.0.real))
    }

    /// Ready with the world of an account once there is one.
    pub async fn created(&self, account: AccountSid) -> World {
        let mut created = self.0.created.subscribe();
        loop {
            created.mark_unchanged();
            if let Some(world) = self.world(account) {
                return world;
            }
            // The sender lives as long as this handle.
            let _ = created.changed().await;
        }
    }

    /// The accounts whose worlds have broken.
    #[must_use]
    pub fn broken_accounts(&self) -> Vec<AccountSid> {
        self.worlds_read(|worlds| {
            worlds.by_sid.values().filter(|world| world.broken().is_some()).map(World::sid).collect()
        })
    }

    /// Lets a client with an API key into the world of the key's account.
    ///
    /// # Errors
    /// There is no such key, or it has another secret.
    pub fn sign_in_with_key(&self, key: KeySid, secret: &str) -> Result<World, SignInError> {
        let world = self.worlds_read(|worlds| worlds.by_sid.get(worlds.keys.get(&key)?).cloned());
        let world = world.filter(|world| world.read(|engine| engine.key_fits(key, secret)));
        world.ok_or(SignInError::WrongKey(key))
    }

    /// Creates an API key of an account.
    ///
    /// # Errors
    /// The account has too many.
    pub fn create_key(&self, world: &World, friendly_name: Box<str>) -> Result<KeySid, Refusal> {
        let sid = world.handle(CreateKey(friendly_name))?;
        self.worlds_write(|worlds| worlds.keys.insert(sid, world.sid()));
        Ok(sid)
    }

    /// Founds a subaccount; its SID depends on its owner and its place among its owner's only.
    ///
    /// # Errors
    /// There are too many accounts.
    pub fn found_subaccount(&self, owner: &World, friendly_name: &str) -> Result<World, FoundError> {
        let seed = WorldSeed::of(self.0.settings.seed, owner.sid());
        let first = self.worlds_read(|worlds| worlds.subaccounts_minted.get(&owner.sid()).copied().unwrap_or(0));
        for place in first.. {
            let setup = AccountSetup {
                sid: Some(AccountSid::from_bytes(seed.sid_bytes("subaccount", b"", place))),
                owner: Some(owner.sid()),
                friendly_name: Some(friendly_name.into()),
                service: Some(owner.read(|engine| engine.account().service)),
                ..AccountSetup::default()
            };
            match self.found(setup) {
                Err(FoundError::Exists(_)) => {}
                founded => {
                    self.worlds_write(|worlds| {
                        let minted = worlds.subaccounts_minted.entry(owner.sid()).or_default();
                        *minted = (*minted).max(place + 1);
                    });
                    return founded;
                }
            }
        }
        Err(FoundError::TooManyWorlds { limit: WORLDS_MAX })
    }

    /// The subaccounts of an account, in order of founding.
    #[must_use]
    pub fn subaccounts(&self, owner: AccountSid) -> Vec<World> {
        self.worlds_read(|worlds| {
            let owned = worlds.owned.get(&owner).into_iter().flat_map(BTreeMap::values);
            owned.filter_map(|sid| worlds.by_sid.get(sid).cloned()).collect()
        })
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
            hex::encode(bytes).into()
        };
        let token = setup.auth_token.clone().unwrap_or_else(minted);
        self.found_with_token(AccountSetup { sid: Some(sid), ..setup }, Some(token))
    }

    /// Puts a state in a world's place, its API keys included.
    ///
    /// # Errors
    /// An API key of it is another account's; nothing has changed then.
    pub fn load_state(&self, world: &World, state: State) -> Result<Canceled, StateError> {
        let keys: Vec<KeySid> = state.keys().collect();
        let canceled = self.worlds_write(|worlds| {
            let foreign = |key: &KeySid| worlds.keys.get(key).is_some_and(|owner| *owner != world.sid());
            if let Some(at) = keys.iter().position(foreign) {
                let why = format!("{} is a key of another account of this emulator", keys[at]);
                return Err(StateError::Wrong { place: "keys.list".to_owned(), why });
            }
            worlds.keys.retain(|_, owner| *owner != world.sid());
            worlds.keys.extend(keys.iter().map(|key| (*key, world.sid())));
            Ok(world.load_state(state))
        })?;
        Ok(canceled)
    }

    /// Founds the world of an account as it was: with its token, if it had one, and its owner.
    ///
    /// # Errors
    /// It exists, or there are too many.
    pub fn found_again(
        &self,
        sid: AccountSid,
        auth_token: Option<Box<str>>,
        owner: Option<AccountSid>,
    ) -> Result<World, FoundError> {
        self.found_with_token(AccountSetup { sid: Some(sid), owner, ..AccountSetup::default() }, auth_token)
    }

    /// Closes a world and those of its subaccounts; answers whether there was one. The default world stays.
    #[must_use]
    pub fn remove(&self, account: AccountSid) -> bool {
        if account == self.0.default {
            return false;
        }
        let removed = self.worlds_write(|worlds| worlds.remove(account));
        self.bury(&removed);
        !removed.is_empty()
    }

    /// Closes worlds that have been taken out of the registry.
    fn bury(&self, removed: &[World]) {
        for world in removed {
            world.close();
            let tally = world.read(|engine| engine.tally().clone());
            self.worlds_write(|worlds| worlds.departed.tally.add(&tally));
        }
    }

    /// Closes all worlds: no effect is begun any more.
    pub fn close(&self) {
        for world in self.worlds() {
            world.close();
        }
    }

    fn found_with_token(&self, setup: AccountSetup, auth_token: Option<Box<str>>) -> Result<World, FoundError> {
        let sid = setup.sid.unwrap_or(self.0.default);
        let mut founding = self.founding(sid, setup, auth_token);
        let mut dropped = Vec::new();
        let founded = self.worlds_write(|worlds| {
            if worlds.by_sid.contains_key(&sid) {
                return Err(FoundError::Exists(sid));
            }
            if worlds.by_sid.len() >= WORLDS_MAX {
                dropped =
                    worlds.oldest_untouched(self.0.default).map(|oldest| worlds.remove(oldest)).unwrap_or_default();
            }
            if worlds.by_sid.len() >= WORLDS_MAX {
                return Err(FoundError::TooManyWorlds { limit: WORLDS_MAX });
            }
            worlds.founded += 1;
            founding.account.ordinal = worlds.founded;
            founding.life = worlds.departed.lives(sid);
            if let Some(owner) = founding.account.owner {
                worlds.owned.entry(owner).or_default().insert(worlds.founded, sid);
            }
            let world = World::found(founding, self.0.real);
            worlds.by_sid.insert(sid, world.clone());
            Ok(world)
        });
        for world in &dropped {
            let account = world.sid();
            tracing::warn!(%account, limit = WORLDS_MAX, "there are too many accounts: the oldest that nothing was done in is dropped");
        }
        self.bury(&dropped);
        let world = founded?;
        driver::start(&self.0.runtime, world.clone(), Arc::clone(&self.0.performer));
        self.0.created.send_modify(|count| *count = count.wrapping_add(1));
        Ok(world)
    }

    /// What the world of an account begins with.
    fn founding(&self, sid: AccountSid, setup: AccountSetup, auth_token: Option<Box<str>>) -> Founding {
        let settings = &self.0.settings;
        let mut account = Account::new(sid, auth_token, self.0.real.now());
        account.friendly_name = setup.friendly_name.unwrap_or(account.friendly_name);
        account.dialect = setup.dialect.unwrap_or(account.dialect);
        account.service = setup.service.unwrap_or(settings.service);
        account.debugger_url = setup.debugger_url;
        account.owner = setup.owner;
        Founding {
            account,
            seed: WorldSeed::of(settings.seed, sid),
            life: 0,
            inventory_seed: settings.seed,
            numbers: setup.numbers,
            caller_ids: setup.caller_ids,
            behaviour: setup.behaviour,
            rules: Rules { callbacks: setup.callbacks.unwrap_or(settings.rules.callbacks), ..settings.rules },
        }
    }

    fn worlds_read<T>(&self, view: impl FnOnce(&Worlds) -> T) -> T {
        view(&self.0.worlds.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn worlds_write<T>(&self, change: impl FnOnce(&mut Worlds) -> T) -> T {
        change(&mut self.0.worlds.write().unwrap_or_else(PoisonError::into_inner))
    }
}
