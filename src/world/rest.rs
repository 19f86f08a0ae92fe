//! Reads and changes a world for a REST request. The change, the view of the result and the journal's record of the
//! request are made under one lock, so that no other entry comes between them.

use super::World;
use super::requests::ApiRequest;
use crate::engine::Engine;
use crate::engine::command::Command;
use crate::model::refusal::Refusal;
use crate::model::time::Timestamp;

impl World {
    /// Gives the engine one command, passes the result to `view`, and records the corresponding REST request, all under
    /// one lock.
    pub fn handle_and_note<D, T>(
        &self,
        command: impl Command<Done = Result<D, Refusal>>,
        view: impl FnOnce(&Engine, Result<D, Refusal>, Timestamp) -> (T, ApiRequest),
    ) -> T {
        self.handle_checked_and_note(|_| Ok(()), command, view)
    }

    /// Does the same as [`World::handle_and_note`], but gives the command only if `check` accepts it. This way,
    /// conditions that only one dialect imposes are checked under the same lock.
    pub fn handle_checked_and_note<D, T>(
        &self,
        check: impl FnOnce(&Engine) -> Result<(), Refusal>,
        command: impl Command<Done = Result<D, Refusal>>,
        view: impl FnOnce(&Engine, Result<D, Refusal>, Timestamp) -> (T, ApiRequest),
    ) -> T {
        self.mutate(|core, now| {
            let done = match check(&core.engine) {
                Ok(()) => self.take(core, command, now),
                Err(refusal) => Err(refusal),
            };
            let (shown, request) = view(&core.engine, done, now);
            core.requests.note(&core.engine, request);
            shown
        })
    }

    /// Reads the engine and the clock, and records the corresponding REST request, all under one lock.
    pub fn read_and_note<T>(&self, view: impl FnOnce(&Engine, Timestamp) -> (T, ApiRequest)) -> T {
        let shown = self.within(|core| {
            let (shown, request) = view(&core.engine, core.clock.now());
            core.requests.note(&core.engine, request);
            shown
        });
        // A request makes no work for the driver, so only the tasks that watch the journal are woken.
        self.notify_waiters();
        shown
    }

    /// Records in this world's journal a request that was refused before it reached a world. The journal takes a
    /// limited number of them between two resets; beyond that, returns the request.
    pub(crate) fn note_refused(&self, request: ApiRequest) -> Option<ApiRequest> {
        let left = self.within(|core| {
            let at = core.clock.now();
            core.requests.note_refused(&core.engine, ApiRequest { at, ..request })
        });
        self.notify_waiters();
        left
    }
}
