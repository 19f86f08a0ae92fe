//! Everything that changes a world, one type each: what a client, a tester or the shell asks, and what it gets.
//!
//! `Engine::handle` is the one entrance. It takes the time with each command, so a log of [`Input`]s with their times is a
//! world's whole history.

use super::Engine;
use super::input::{
    AddRule, Answer, ApiCalled, BuyNumber, CancelFax, Canceled, ChangeAccount, CreateApplication, CreateFax, CreateKey,
    DeleteApplication, DeleteCallerId, DeleteFax, DeleteKey, DeleteMedia, DropRule, DropRules, DropSnapshot,
    ReceiveFax, ReleaseNumber, RenameCallerId, RenameKey, Reset, Restore, Ringing, TakeSnapshot, UpdateAccount,
    UpdateApplication, UpdateNumber, VerifyCallerId,
};
use super::rule::ApiFault;
use crate::model::refusal::Refusal;
use crate::model::sid::{ApplicationSid, FaxSid, KeySid, NumberSid};
use crate::model::time::Timestamp;

/// Something that changes a world.
pub trait Command: Into<Input> + Clone + std::fmt::Debug {
    /// What comes of it.
    type Done;

    /// Whether it takes the world back to an earlier state of itself.
    const REWINDS: bool = false;

    /// Whether it is what came of an effect, and nobody's request.
    const IS_ANSWER: bool = false;

    /// Its name, for a report of what came last.
    fn name(&self) -> &'static str;

    /// The fax that it names, if it names one.
    fn fax(&self) -> Option<FaxSid> {
        None
    }

    /// The fax that came of it, if it creates one.
    fn created(_: &Self::Done) -> Option<FaxSid> {
        None
    }

    /// Does it.
    ///
    /// # Errors
    /// It can't be taken; nothing has changed then.
    #[doc(hidden)]
    fn apply(self, engine: &mut Engine, now: Timestamp) -> Result<Self::Done, Refusal>;
}

macro_rules! commands {
    ($($name:ident => $done:ty, $name_of:expr, $apply:expr $(, const $constant:ident)? $(, fax $fax:expr)? $(, creates $creates:expr)?;)+) => {
        /// Any command, as a log keeps it.
        #[derive(Debug, Clone)]
        #[expect(missing_docs, reason = "each variant holds the command of its name")]
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
                        let of: fn(&$done) -> FaxSid = $creates;
                        Some(of(done))
                    }
                )?

                fn apply(self, engine: &mut Engine, now: Timestamp) -> Result<$done, Refusal> {
                    let apply: fn(&mut Engine, Self, Timestamp) -> Result<$done, Refusal> = $apply;
                    apply(engine, self, now)
                }
            }
        )+

        impl Engine {
            /// Does again what a log holds.
            ///
            /// # Errors
            /// As when it was done first.
            pub fn replay(&mut self, input: Input, now: Timestamp) -> Result<(), Refusal> {
                match input { $(Input::$name(command) => self.handle(*command, now).map(drop),)+ }
            }
        }
    };
}

commands! {
    CreateFax => FaxSid, |_| "create-fax", Engine::create_fax, creates |sid| *sid;
    CancelFax => (), |_| "cancel-fax", Engine::cancel_fax, fax |command| command.0;
    DeleteFax => (), |_| "delete-fax", Engine::delete_fax, fax |command| command.0;
    DeleteMedia => (), |_| "delete-media", Engine::delete_media, fax |command| command.0;
    BuyNumber => NumberSid, |_| "buy-number", |engine, command, now| engine.buy_number(&command, now);
    UpdateNumber => (), |_| "update-number", Engine::update_number;
    ReleaseNumber => (), |_| "release-number", Engine::release_number;
    UpdateAccount => (), |_| "update-account", Engine::update_account;
    CreateKey => KeySid, |_| "create-key", Engine::create_key;
    RenameKey => (), |_| "rename-key", Engine::rename_key;
    DeleteKey => (), |_| "delete-key", Engine::delete_key;
    VerifyCallerId => NumberSid, |_| "verify-caller-id", Engine::verify_caller_id;
    RenameCallerId => (), |_| "rename-caller-id", Engine::rename_caller_id;
    DeleteCallerId => (), |_| "delete-caller-id", Engine::delete_caller_id;
    CreateApplication => ApplicationSid, |_| "create-application", Engine::create_application;
    UpdateApplication => (), |_| "update-application", Engine::update_application;
    DeleteApplication => (), |_| "delete-application", Engine::delete_application;
    ReceiveFax => Ringing, |_| "receive-fax", Engine::receive_fax;
    ChangeAccount => (), |_| "change-account", Engine::change_account;
    Reset => Canceled, |_| "reset", |engine, command, now| Ok(engine.reset(command, now)), const REWINDS;
    AddRule => u64, |_| "add-rule", Engine::add_rule;
    DropRule => (), |_| "drop-rule", Engine::drop_rule;
    DropRules => (), |_| "drop-rules", |engine, _, _| { engine.drop_rules(); Ok(()) };
    ApiCalled => Option<ApiFault>, |_| "api-called", |engine, command, now| Ok(engine.api_called(&command, now));
    TakeSnapshot => (), |_| "take-snapshot", Engine::take_snapshot;
    Restore => Canceled, |_| "restore", Engine::restore_snapshot, const REWINDS;
    DropSnapshot => (), |_| "drop-snapshot", Engine::drop_snapshot;
    Answer => (), |answer| answer.outcome.name(), |engine, command, now| { engine.answer(command, now); Ok(()) }, const IS_ANSWER;
}
