//! The registry of worlds: creates and closes worlds, and finds the one that a credential opens. It is independent of
//! HTTP and of wire formats.

mod evictions;
mod gates;
mod registry;
mod setup;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::runtime::Handle;
use tokio::sync::watch;

pub use self::evictions::Evictions;
pub(crate) use self::gates::Gates;
use self::registry::Worlds;
use crate::clock::RealTime;
use crate::driver;
use crate::engine::Canceled;
use crate::engine::admission::Admission;
use crate::engine::event::EventKind;
use crate::engine::export::{State, StateError};
use crate::engine::input::{CreateKey, DocumentFault};
use crate::engine::random::WorldSeed;
use crate::engine::tally::Tally;
use crate::engine::{Engine, WorldOptions, WorldSpec};
use crate::io::budget::Budget;
use crate::io::client::{Client, ClientOptions};
use crate::io::own::OwnNames;
use crate::io::render::Renderer;
use crate::io::{Performer, Replay, Signer};
use crate::model::account::{Account, AccountMode, Dialect, Service};
use crate::model::media::Document;
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid, IdForm, KeySid, TwimlBinSid};
use crate::model::webhook::ExchangeRecord;

pub use self::setup::{AccountSetup, CreateWorldError, GuardOptions, Settings, SignInError};
pub(crate) use crate::world::NoWorld;
pub use crate::world::World;
use crate::world::feed::Feed;
use crate::world::journal::ApiRequest;

/// The maximum number of worlds. Each takes a task, and about 15 kilobytes while it is empty.
pub const WORLDS_MAX: usize = 10_000;

/// A handle on the registry of worlds; clones share the registry.
#[derive(Clone)]
pub struct Registry(Arc<Shared>);

struct Shared {
    settings: Settings,
    real: RealTime,
    performer: Arc<Performer>,
    runtime: Handle,
    worlds: RwLock<Worlds>,
    default: AccountSid,
    /// Becomes true when the server is about to stop.
    stopping: watch::Sender<bool>,
    /// Counts the worlds that have been created, to wake tasks that wait for a new one.
    created: watch::Sender<u64>,
    gates: Gates,
    feed: Arc<Feed>,
}

impl Registry {
    /// Creates the registry with the default account and the other accounts. Effects are performed on `runtime`.
    ///
    /// # Errors
    /// Fails if two accounts have the same SID, or if there are too many accounts.
    pub fn new(
        settings: Settings,
        client: Client,
        default: AccountSetup,
        others: Vec<AccountSetup>,
        runtime: Handle,
    ) -> Result<Self, CreateWorldError> {
        Self::with_renderer(settings, (client, Renderer::threads()), default, others, runtime)
    }

    /// Does the same as [`Registry::new`], but with the given renderer instead of the one that uses this process's
    /// threads.
    ///
    /// # Errors
    /// Fails if two accounts have the same SID, or if there are too many accounts.
    pub fn with_renderer(
        settings: Settings,
        (client, renderer): (Client, Renderer),
        default: AccountSetup,
        others: Vec<AccountSetup>,
        runtime: Handle,
    ) -> Result<Self, CreateWorldError> {
        let mut worlds = Worlds::default();
        let default_sid = default.sid.unwrap_or_else(|| worlds.mint_sid(settings.seed, form_of(&default)));
        let names = OwnNames::new(&settings.guard.allow_hosts, settings.public_url.as_deref());
        let performer = Arc::new(Performer::new(client, renderer, names));
        let worlds = RwLock::new(worlds);
        let (stopping, _) = watch::channel(false);
        let (created, _) = watch::channel(0);
        let real = RealTime::start();
        let (gates, feed) = (Gates::default(), Arc::new(Feed::new(real)));
        let (setup, default) = (AccountSetup { sid: Some(default_sid), ..default }, default_sid);
        let shared = Shared { settings, real, performer, runtime, worlds, default, stopping, created, gates, feed };
        let registry = Self(Arc::new(shared));
        registry.create(setup)?;
        for setup in others {
            registry.create(setup)?;
        }
        // These worlds are never dropped to make room for others.
        registry.worlds_write(|worlds| worlds.configured = worlds.by_sid.keys().copied().collect());
        Ok(registry)
    }

    /// Returns the settings that all worlds share.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns the TwiML bin that a URL leads to, if its host is one of the emulator's names.
    #[must_use]
    pub fn bin_at(&self, url: &str) -> Option<TwimlBinSid> {
        self.0.performer.bin_at(url)
    }

    /// Fetches and converts a document for a tester, signing the request as the world would.
    ///
    /// # Errors
    /// Fails if the document can't be fetched or read.
    pub async fn fetch_document(&self, world: &World, url: &str) -> Result<Document, DocumentFault> {
        let signer = world.read(|engine| Signer::of(engine, Arc::clone(world.signing_key())));
        self.0.performer.document(&signer, url).await
    }

    /// Sends a webhook again, with a new signature, and journals the replay. `of` is the original webhook's id.
    pub async fn replay(&self, world: &World, fax: Option<FaxSid>, of: &str, replay: Replay) -> ExchangeRecord {
        let signer = world.read(|engine| Signer::of(engine, Arc::clone(world.signing_key())));
        let record = Arc::new(self.0.performer.replay(&signer, fax, replay).await);
        world.note(fax, EventKind::WebhookReplayed { of: of.into(), record: Arc::clone(&record) });
        ExchangeRecord::clone(&record)
    }

    /// Notifies requests that are waiting for something, such as long polls, that the server is about to stop.
    pub fn announce_stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Returns whether the server is about to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    /// Completes when the server is about to stop.
    pub async fn stopping(&self) {
        // Never fails: the sender lives as long as this handle.
        let _ = self.0.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Returns the total event counts of the worlds that have been removed.
    #[must_use]
    pub fn departed_tally(&self) -> Tally {
        self.worlds_read(|worlds| worlds.departed.tally.clone())
    }

    /// Returns how much the removed worlds had dropped to keep within their limits.
    #[must_use]
    pub fn departed_evictions(&self) -> Evictions {
        self.worlds_read(|worlds| worlds.departed.evictions)
    }

    /// Sleeps in real time, for rules that delay a REST call or slow a download.
    pub async fn pause(&self, span: std::time::Duration) {
        driver::pause(span).await;
    }

    /// Returns the memory budget that bodies in flight are charged to.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        self.0.performer.budget()
    }

    /// Returns the limits on expensive control calls.
    #[must_use]
    pub(crate) fn gates(&self) -> &Gates {
        &self.0.gates
    }

    /// Returns the feed: what has happened in all worlds, and the requests that belong to none, in one sequence.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.0.feed
    }

    /// Records a request that was refused before it reached a world, so that a tester can see why an app's requests
    /// don't arrive. The record goes into the journal of the account that the request names, if that account has a
    /// world, and otherwise into the default account's. If that journal takes no more such records, only the feed does.
    pub(crate) fn note_refused(&self, request: ApiRequest) {
        let account = request.named.unwrap_or(self.0.default);
        let world = self.world(account).or_else(|| self.world(self.0.default));
        let named = request.named;
        let left = match world {
            Some(world) => world.note_refused(request),
            None => Some(request),
        };
        if let Some(request) = left {
            self.0.feed.add_request(named, Arc::new(request));
        }
    }

    /// Returns the options of the client that reaches apps.
    #[must_use]
    pub fn client_options(&self) -> &ClientOptions {
        self.0.performer.client_options()
    }

    /// Returns the renderer that converts documents to pages.
    #[must_use]
    pub fn renderer(&self) -> &Renderer {
        self.0.performer.renderer()
    }

    /// Returns the real time since the emulator was created.
    #[must_use]
    pub fn uptime(&self) -> std::time::Duration {
        self.0.real.uptime()
    }

    /// Returns an account's world, if it has one.
    #[must_use]
    pub fn world(&self, account: AccountSid) -> Option<World> {
        self.worlds_read(|worlds| worlds.by_sid.get(&account).cloned())
    }

    /// Returns all worlds, in order of their SIDs.
    #[must_use]
    pub fn worlds(&self) -> Vec<World> {
        self.worlds_read(|worlds| worlds.by_sid.values().cloned().collect())
    }

    /// Returns the world that contains a bin. A bin's URL doesn't name the account, so each world is searched.
    #[must_use]
    pub(crate) fn owner_of_bin(&self, bin: TwimlBinSid) -> Option<World> {
        self.worlds().into_iter().find(|world| world.read(|engine| engine.twiml_bin(bin).is_ok()))
    }

    /// Returns the SID of the default account, whose world is never removed.
    #[must_use]
    pub fn default_account(&self) -> AccountSid {
        self.0.default
    }

    /// Finds the world that a credential opens. In open mode an unknown account gets a new world.
    ///
    /// # Errors
    /// Fails if the credential opens no world.
    pub fn sign_in(&self, account: AccountSid, token: &str) -> Result<World, SignInError> {
        self.sign_in_with_admission(account, token).map(|(world, _)| world)
    }

    /// Does the same as [`Registry::sign_in`], and also returns the account's admission.
    ///
    /// # Errors
    /// Fails if the credential opens no world.
    pub fn sign_in_with_admission(&self, account: AccountSid, token: &str) -> Result<(World, Admission), SignInError> {
        let world = self.enter_unclaimed(account)?;
        Self::claim(world, token)
    }

    /// Does the same as [`Registry::sign_in_with_admission`] for a read-only call: if the account has no world, returns
    /// a temporary one instead of creating one.
    ///
    /// # Errors
    /// Fails if the credential opens no world.
    pub fn look_in_with_admission(&self, account: AccountSid, token: &str) -> Result<(World, Admission), SignInError> {
        let world = self.look(account)?;
        Self::claim(world, token)
    }

    fn claim(world: World, token: &str) -> Result<(World, Admission), SignInError> {
        if let Some(why) = world.broken() {
            return Err(SignInError::Broken(why));
        }
        let admission = world.claim(token).ok_or_else(|| SignInError::WrongToken(world.sid()))?;
        Ok((world, admission))
    }

    /// Returns an account's world. If there is none, returns a temporary world that isn't registered and lives as long
    /// as its handle.
    ///
    /// # Errors
    /// Fails if the account is unknown and the mode is strict.
    pub fn look(&self, account: AccountSid) -> Result<World, SignInError> {
        if let Some(world) = self.world(account) {
            return Ok(world);
        }
        if self.0.settings.options.accounts == AccountMode::Strict {
            return Err(SignInError::UnknownAccount(account));
        }
        let setup = AccountSetup { sid: Some(account), ..AccountSetup::default() };
        // This count gives the temporary world the same ids that a world created now would have.
        let earlier_worlds = self.worlds_read(|worlds| worlds.departed.earlier_worlds(account));
        Ok(World::fresh(WorldSpec { earlier_worlds, ..self.spec(account, setup, None) }, self.0.real))
    }

    /// Waits until an account has a world, and returns it.
    pub async fn created(&self, account: AccountSid) -> World {
        let mut created = self.0.created.subscribe();
        loop {
            // Marked before the look-up, so that a world created right afterwards isn't missed.
            created.mark_unchanged();
            if let Some(world) = self.world(account) {
                return world;
            }
            // Never fails: the sender lives as long as this handle.
            let _ = created.changed().await;
        }
    }

    /// Returns the accounts whose worlds have broken because of a fault in the emulator.
    #[must_use]
    pub fn broken_accounts(&self) -> Vec<AccountSid> {
        self.worlds_read(|worlds| {
            worlds.by_sid.values().filter(|world| world.broken().is_some()).map(World::sid).collect()
        })
    }

    /// Finds the world that an API key opens: the world of the key's account.
    ///
    /// # Errors
    /// Fails if there is no such key, or if the secret is wrong.
    pub fn sign_in_with_key(&self, key: KeySid, secret: &str) -> Result<World, SignInError> {
        // Done in two steps, so that the registry isn't locked while waiting for the world's lock.
        let world = self.worlds_read(|worlds| worlds.by_sid.get(worlds.keys.get(&key)?).cloned());
        let world = world.filter(|world| world.read(|engine| engine.key_fits(key, secret)));
        world.ok_or(SignInError::WrongKey(key))
    }

    /// Creates an API key for an account and registers it, so that clients can sign in with the key.
    ///
    /// # Errors
    /// Fails if the account has too many keys.
    pub fn create_key(&self, world: &World, friendly_name: Box<str>) -> Result<KeySid, Refusal> {
        let sid = world.handle(CreateKey(friendly_name))?;
        self.worlds_write(|worlds| worlds.keys.insert(sid, world.sid()));
        Ok(sid)
    }

    /// Creates a subaccount. The SID depends only on the seed, the owner and the ordinal among the owner's subaccounts,
    /// so it is the same in each run with the same seed.
    ///
    /// # Errors
    /// Fails if there are too many accounts.
    pub fn create_subaccount(&self, owner: &World, friendly_name: &str) -> Result<World, CreateWorldError> {
        let seed = WorldSeed::of(self.0.settings.seed, owner.sid());
        let first = self.worlds_read(|worlds| worlds.subaccounts_minted.get(&owner.sid()).copied().unwrap_or(0));
        for place in first.. {
            let setup = AccountSetup {
                sid: Some(seed.mint("subaccount", b"", place)),
                owner: Some(owner.sid()),
                friendly_name: Some(friendly_name.into()),
                service: Some(owner.read(|engine| engine.account().service)),
                pedantic: Some(owner.read(Engine::is_pedantic)),
                ..AccountSetup::default()
            };
            match self.create(setup) {
                // The SID of this ordinal is taken, for example by an account from a loaded state; try the next one.
                Err(CreateWorldError::Exists(_)) => {}
                created => {
                    self.worlds_write(|worlds| {
                        let minted = worlds.subaccounts_minted.entry(owner.sid()).or_default();
                        // A concurrent call may already have taken a higher ordinal.
                        *minted = (*minted).max(place + 1);
                    });
                    return created;
                }
            }
        }
        // Reached only if all ordinals are taken, and there are far more ordinals than worlds.
        Err(CreateWorldError::TooManyWorlds { limit: WORLDS_MAX })
    }

    /// Returns the subaccounts of an account, in order of creation.
    #[must_use]
    pub fn subaccounts(&self, owner: AccountSid) -> Vec<World> {
        self.worlds_read(|worlds| {
            let owned = worlds.owned.get(&owner).into_iter().flat_map(BTreeMap::values);
            owned.filter_map(|sid| worlds.by_sid.get(sid).cloned()).collect()
        })
    }

    /// Returns an account's world. If there is none, a world without a token is created, and the first client to sign
    /// in sets the token.
    ///
    /// # Errors
    /// Fails if the account is unknown and the mode is strict, or there are too many worlds.
    pub fn enter_unclaimed(&self, account: AccountSid) -> Result<World, SignInError> {
        if let Some(world) = self.world(account) {
            return Ok(world);
        }
        if self.0.settings.options.accounts == AccountMode::Strict {
            return Err(SignInError::UnknownAccount(account));
        }
        match self.create_with_token(AccountSetup { sid: Some(account), ..AccountSetup::default() }, None) {
            Ok(world) => Ok(world),
            // A concurrent request has created the world since the check above.
            Err(CreateWorldError::Exists(account)) => self.world(account).ok_or(SignInError::UnknownAccount(account)),
            Err(CreateWorldError::TooManyWorlds { limit }) => Err(SignInError::TooManyWorlds { limit }),
        }
    }

    /// Creates an account's world. A missing SID or token is derived from the seed.
    ///
    /// # Errors
    /// Fails if the account exists, or if there are too many accounts.
    pub fn create(&self, setup: AccountSetup) -> Result<World, CreateWorldError> {
        let sid = setup
            .sid
            .unwrap_or_else(|| self.worlds_write(|worlds| worlds.mint_sid(self.0.settings.seed, form_of(&setup))));
        let minted = || {
            let seed = WorldSeed::of(self.0.settings.seed, sid);
            Dialect::of(sid).token([0, 1].map(|ordinal| seed.sid_bytes("auth-token", b"", ordinal)))
        };
        let token = setup.auth_token.clone().unwrap_or_else(minted);
        self.create_with_token(AccountSetup { sid: Some(sid), ..setup }, Some(token))
    }

    /// Replaces a world's state, including its API keys.
    ///
    /// # Errors
    /// Fails, without changing anything, if the state is from an account with a different dialect or contains a
    /// different account's API key.
    pub fn load_state(&self, world: &World, state: State) -> Result<Canceled, StateError> {
        let (theirs, own) = (Dialect::of(state.account_sid), Dialect::of(world.sid()));
        if theirs != own {
            let sid = state.account_sid;
            let why = format!(
                "{sid} is a {theirs} account, but {} is a {own} account; their ids have different forms",
                world.sid()
            );
            return Err(StateError::Wrong { place: "account_sid".to_owned(), why });
        }
        let keys: Vec<KeySid> = state.keys().collect();
        // Hold one write lock for check and change: otherwise a concurrent call could create the same key in between.
        let canceled = self.worlds_write(|worlds| {
            let foreign = |key: &KeySid| worlds.keys.get(key).is_some_and(|owner| *owner != world.sid());
            if let Some(at) = keys.iter().position(foreign) {
                let why = format!("the API key {} belongs to another account of this emulator", keys[at]);
                return Err(StateError::Wrong { place: "keys.list".to_owned(), why });
            }
            // The state replaces the account's keys, so remove the old ones.
            worlds.keys.retain(|_, owner| *owner != world.sid());
            worlds.keys.extend(keys.iter().map(|key| (*key, world.sid())));
            Ok(world.load_state(state))
        })?;
        Ok(canceled)
    }

    /// Creates a world for an account from an earlier run, with the same owner and, if it had one, the same token.
    ///
    /// # Errors
    /// Fails if the account exists, or if there are too many accounts.
    pub fn create_again(
        &self,
        sid: AccountSid,
        auth_token: Option<Box<str>>,
        owner: Option<AccountSid>,
    ) -> Result<World, CreateWorldError> {
        self.create_with_token(AccountSetup { sid: Some(sid), owner, ..AccountSetup::default() }, auth_token)
    }

    /// Closes a world and the worlds of its subaccounts. Returns false if there is no such world, or if it is the
    /// default world, which can't be removed.
    #[must_use]
    pub fn remove(&self, account: AccountSid) -> bool {
        if account == self.0.default {
            return false;
        }
        let removed = self.worlds_write(|worlds| worlds.remove(account));
        self.bury(&removed);
        !removed.is_empty()
    }

    /// Closes worlds that have been removed from the registry, and adds their counts of events and evictions to the
    /// totals.
    fn bury(&self, removed: &[World]) {
        for world in removed {
            world.close();
            let (tally, evictions) = (world.read(|engine| engine.tally().clone()), Evictions::of(world));
            self.worlds_write(|worlds| {
                worlds.departed.tally.add(&tally);
                worlds.departed.evictions += evictions;
            });
        }
    }

    /// Closes all worlds, which then start no more effects.
    pub fn close(&self) {
        for world in self.worlds() {
            world.close();
        }
    }

    fn create_with_token(&self, setup: AccountSetup, auth_token: Option<Box<str>>) -> Result<World, CreateWorldError> {
        // All callers have set the SID, so the default is never used.
        let sid = setup.sid.unwrap_or(self.0.default);
        let mut spec = self.spec(sid, setup, auth_token);
        let mut dropped = Vec::new();
        let created = self.worlds_write(|worlds| {
            if worlds.by_sid.contains_key(&sid) {
                return Err(CreateWorldError::Exists(sid));
            }
            if worlds.by_sid.len() >= WORLDS_MAX {
                // Dropping one world makes room; if none can be dropped, the next check refuses the account.
                dropped =
                    worlds.oldest_untouched(self.0.default).map(|oldest| worlds.remove(oldest)).unwrap_or_default();
            }
            if worlds.by_sid.len() >= WORLDS_MAX {
                return Err(CreateWorldError::TooManyWorlds { limit: WORLDS_MAX });
            }
            worlds.created += 1;
            spec.account.ordinal = worlds.created;
            spec.earlier_worlds = worlds.departed.earlier_worlds(sid);
            if let Some(owner) = spec.account.owner {
                worlds.owned.entry(owner).or_default().insert(worlds.created, sid);
            }
            let world = World::create(spec, self.0.real, Arc::clone(&self.0.feed));
            worlds.by_sid.insert(sid, world.clone());
            Ok(world)
        });
        // Done only after the registry's lock is released, because `bury` takes it again.
        for world in &dropped {
            let account = world.sid();
            tracing::warn!(%account, limit = WORLDS_MAX, "too many accounts; dropped the oldest one that was created but never used");
        }
        self.bury(&dropped);
        let world = created?;
        driver::start(&self.0.runtime, world.clone(), Arc::clone(&self.0.performer));
        // Only the fact of a change matters, so the count may wrap.
        self.0.created.send_modify(|count| *count = count.wrapping_add(1));
        Ok(world)
    }

    /// Returns the specification from which an account's world is created.
    fn spec(&self, sid: AccountSid, setup: AccountSetup, auth_token: Option<Box<str>>) -> WorldSpec {
        let settings = &self.0.settings;
        let mut account = Account::new(sid, auth_token, self.0.real.now());
        account.friendly_name = setup.friendly_name.unwrap_or(account.friendly_name);
        // Only a Twilio account can have a service other than the full one.
        let service = setup.service.unwrap_or(settings.service);
        account.service = account.dialect.check_service(service).map_or(Service::Full, |()| service);
        account.debugger_url = setup.debugger_url;
        // Twilio signs only with the token, so a signing key has no effect there.
        account.signing_key = setup.signing_key.filter(|_| account.dialect == Dialect::SignalWire);
        account.owner = setup.owner;
        WorldSpec {
            account,
            seed: WorldSeed::of(settings.seed, sid),
            earlier_worlds: 0,
            inventory_seed: settings.seed,
            numbers: setup.numbers,
            caller_ids: setup.caller_ids,
            twiml_bins: setup.twiml_bins,
            rules: setup.rules,
            options: WorldOptions {
                callbacks: setup.callbacks.unwrap_or(settings.options.callbacks),
                is_pedantic: setup.pedantic.unwrap_or(settings.options.is_pedantic),
                ..settings.options
            },
        }
    }

    fn worlds_read<T>(&self, view: impl FnOnce(&Worlds) -> T) -> T {
        view(&self.0.worlds.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn worlds_write<T>(&self, change: impl FnOnce(&mut Worlds) -> T) -> T {
        change(&mut self.0.worlds.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the form of the SID to generate for an account.
fn form_of(setup: &AccountSetup) -> IdForm {
    setup.dialect.unwrap_or(Dialect::Twilio).id_form()
}
