//! The commands with which clients, testers and the async shell around the engine change a world. Each has its own type
//! and result.
//!
//! Every command goes through `Engine::handle` together with the current time, so a log of [`Input`]s and their times
//! is the complete history of a world.

use std::sync::Arc;

use super::Engine;
use super::export::LoadState;
use super::input::{
    AddRule, ApiCalled, BuyNumber, CancelFax, ChangeAccount, ChangeRule, Claim, Completion, CreateApplication,
    CreateFax, CreateKey, CreateMessage, CreateTwimlBin, DeleteApplication, DeleteCallerId, DeleteEntries, DeleteFax,
    DeleteKey, DeleteMedia, DeleteMessage, DeleteTwimlBin, DeletedEntries, DropRule, DropRules, DropSnapshot,
    HandleAlarms, MediaRequested, Note, ReceiveFax, RedactMessage, ReleaseNumber, RenameCallerId, RenameKey, Reset,
    Restore, Ringing, ServeTwimlBin, TakeSnapshot, UpdateAccount, UpdateApplication, UpdateNumber, UpdateTwimlBin,
    VerifyCallerId,
};
use super::rewind::Canceled;
use super::rule::{ApiFault, DownloadFault};
use crate::model::refusal::Refusal;
use crate::model::sid::{ApplicationSid, FaxSid, KeySid, MessageSid, NumberSid, TwimlBinSid};
use crate::model::time::Timestamp;
use crate::model::webhook::ActingRule;

/// A command that changes a world.
pub trait Command: Into<Input> + Clone + std::fmt::Debug {
    /// The result of the command; a `Refusal` means that nothing has changed.
    type Done;

    /// Whether the command is a reset or a restore.
    const REWINDS: bool = false;

    /// Whether the command reports the result of an effect.
    const IS_COMPLETION: bool = false;

    /// Returns the name that identifies the command in logs, and in the report when a panic has broken the world.
    fn name(&self) -> &'static str;

    /// Returns the fax that the command names, if any.
    fn fax(&self) -> Option<FaxSid> {
        None
    }

    /// Returns the fax that the command created, if any.
    fn created(_: &Self::Done) -> Option<FaxSid> {
        None
    }

    /// Performs the command. Only `Engine::handle` calls this method.
    #[doc(hidden)]
    fn apply(self, engine: &mut Engine, now: Timestamp) -> Self::Done;
}

/// A command and the time at which it was handled.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The world's time, which never goes back.
    pub at: Timestamp,
    /// The command with all its data.
    pub input: Input,
}

impl Engine {
    /// Handles one command; if it is refused, nothing changes.
    pub fn handle<C: Command>(&mut self, command: C, now: Timestamp) -> C::Done {
        let now = self.tick(now);
        // Logged before it is applied, so that the log includes a command that panics.
        if let Some(log) = &mut self.log {
            log.push(Logged { at: now, input: command.clone().into() });
        }
        command.apply(self, now)
    }

    /// Starts a log of all commands, which grows without limit until `take_log` empties it.
    pub fn record(&mut self) {
        // A log that has already been started continues.
        self.log.get_or_insert_default();
    }

    /// Takes the log so far, oldest first; later commands go into a new log.
    pub fn take_log(&mut self) -> Vec<Logged> {
        self.log.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

macro_rules! commands {
    ($($name:ident => $done:ty, $name_of:expr, $apply:expr $(, const $constant:ident)? $(, fax $fax:expr)? $(, creates $creates:expr)?;)+) => {
        /// Any command, as kept in a log.
        #[derive(Debug, Clone)]
        #[expect(missing_docs, reason = "each variant holds the command of the same name")]
        pub enum Input { $($name(Box<$name>),)+ }

        $(
            impl From<$name> for Input {
                fn from(command: $name) -> Self {
                    Self::$name(Box::new(command))
                }
            }

            impl Command for $name {
                type Done = $done;

                $(const $constant: bool = true;)?

                fn name(&self) -> &'static str {
                    // The declared types, here and below, let the closures in the table omit parameter types.
                    let name: fn(&Self) -> &'static str = $name_of;
                    name(self)
                }

                $(
                    fn fax(&self) -> Option<FaxSid> {
                        let of: fn(&Self) -> FaxSid = $fax;
                        Some(of(self))
                    }
                )?

                $(
                    fn created(done: &$done) -> Option<FaxSid> {
                        let of: fn(&$done) -> Option<FaxSid> = $creates;
                        of(done)
                    }
                )?

                fn apply(self, engine: &mut Engine, now: Timestamp) -> $done {
                    let apply: fn(&mut Engine, Self, Timestamp) -> $done = $apply;
                    apply(engine, self, now)
                }
            }
        )+

        impl Engine {
            /// Replays a logged command; if it was refused originally, it is refused again.
            pub fn replay(&mut self, Logged { at, input }: Logged) {
                match input { $(Input::$name(command) => drop(self.handle(*command, at)),)+ }
            }
        }
    };
}

commands! {
    CreateFax => Result<FaxSid, Refusal>, |_| "create-fax", Engine::create_fax, creates |sid| sid.as_ref().ok().copied();
    CancelFax => Result<(), Refusal>, |_| "cancel-fax", Engine::cancel_fax, fax |command| command.0;
    DeleteFax => Result<(), Refusal>, |_| "delete-fax", Engine::delete_fax, fax |command| command.0;
    DeleteEntries => Result<DeletedEntries, Refusal>, |_| "delete-entries", |engine, command, now| Ok(engine.delete_entries(command, now));
    DeleteMedia => Result<(), Refusal>, |_| "delete-media", Engine::delete_media, fax |command| command.0;
    BuyNumber => Result<NumberSid, Refusal>, |_| "buy-number", |engine, command, now| engine.buy_number(&command, now);
    UpdateNumber => Result<(), Refusal>, |_| "update-number", Engine::update_number;
    ReleaseNumber => Result<(), Refusal>, |_| "release-number", Engine::release_number;
    UpdateAccount => Result<(), Refusal>, |_| "update-account", Engine::update_account;
    CreateKey => Result<KeySid, Refusal>, |_| "create-key", Engine::create_key;
    RenameKey => Result<(), Refusal>, |_| "rename-key", Engine::rename_key;
    DeleteKey => Result<(), Refusal>, |_| "delete-key", Engine::delete_key;
    VerifyCallerId => Result<NumberSid, Refusal>, |_| "verify-caller-id", Engine::verify_caller_id;
    RenameCallerId => Result<(), Refusal>, |_| "rename-caller-id", Engine::rename_caller_id;
    DeleteCallerId => Result<(), Refusal>, |_| "delete-caller-id", Engine::delete_caller_id;
    CreateApplication => Result<ApplicationSid, Refusal>, |_| "create-application", Engine::create_application;
    UpdateApplication => Result<(), Refusal>, |_| "update-application", Engine::update_application;
    DeleteApplication => Result<(), Refusal>, |_| "delete-application", Engine::delete_application;
    CreateTwimlBin => Result<TwimlBinSid, Refusal>, |_| "create-twiml-bin", Engine::create_twiml_bin;
    UpdateTwimlBin => Result<(), Refusal>, |_| "update-twiml-bin", Engine::update_twiml_bin;
    DeleteTwimlBin => Result<(), Refusal>, |_| "delete-twiml-bin", Engine::delete_twiml_bin;
    ServeTwimlBin => Result<Arc<str>, Refusal>, |_| "serve-twiml-bin", Engine::serve_twiml_bin;
    CreateMessage => Result<MessageSid, Refusal>, |_| "create-message", Engine::create_message;
    RedactMessage => Result<(), Refusal>, |_| "redact-message", Engine::redact_message;
    DeleteMessage => Result<(), Refusal>, |_| "delete-message", Engine::delete_message;
    ReceiveFax => Result<Ringing, Refusal>, |_| "receive-fax", Engine::receive_fax;
    ChangeAccount => Result<(), Refusal>, |_| "change-account", Engine::change_account;
    Reset => Result<Canceled, Refusal>, |_| "reset", |engine, command, now| Ok(engine.reset(command, now)), const REWINDS;
    AddRule => Result<u64, Refusal>, |_| "add-rule", Engine::add_rule;
    ChangeRule => Result<(), Refusal>, |_| "change-rule", Engine::change_rule;
    DropRule => Result<(), Refusal>, |_| "drop-rule", Engine::drop_rule;
    DropRules => Result<(), Refusal>, |_| "drop-rules", |engine, _, _| { engine.drop_rules(); Ok(()) };
    ApiCalled => Result<Option<(ActingRule, ApiFault)>, Refusal>, |_| "api-called", |engine, command, now| Ok(engine.api_called(&command, now));
    MediaRequested => Result<Option<(ActingRule, DownloadFault)>, Refusal>, |_| "media-requested", |engine, command, now| Ok(engine.media_requested(&command, now)), fax |command| command.fax;
    TakeSnapshot => Result<(), Refusal>, |_| "take-snapshot", Engine::take_snapshot;
    Restore => Result<Canceled, Refusal>, |_| "restore", Engine::restore_snapshot, const REWINDS;
    Claim => bool, |_| "claim", |engine, command, _| engine.claim(&command);
    Note => (), |_| "note", |engine, command, now| engine.note(command, now);
    LoadState => Canceled, |_| "load-state", |engine, command, now| engine.load_state(command, now);
    HandleAlarms => bool, |_| "timeout", |engine, command, now| engine.handle_alarms(command, now);
    DropSnapshot => Result<(), Refusal>, |_| "drop-snapshot", Engine::drop_snapshot;
    Completion => Result<(), Refusal>, |completion| completion.outcome.name(), |engine, command, now| { engine.complete(command, now); Ok(()) }, const IS_COMPLETION;
}
