//! The clock of one account, for tests: frozen, moved, let run. The moving itself is `world.rs`'s.

use std::time::Duration;

use super::Error;
use crate::clock::ClockMode;
use crate::model::time::Timestamp;
use crate::world::World;

/// The clock of an account.
#[derive(Clone)]
pub struct AccountClock(pub(super) World);

impl AccountClock {
    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// Stops it: from now on it moves only by `advance` and `drain`.
    pub fn freeze(&self) {
        self.0.set_clock_mode(ClockMode::Frozen);
    }

    /// Lets it run on from where it stands.
    pub fn run(&self) {
        self.0.set_clock_mode(ClockMode::Running);
    }

    /// Moves a frozen clock, and with it all that falls due; ready when the world has settled.
    ///
    /// # Errors
    /// The clock is running.
    pub async fn advance(&self, by: Duration) -> Result<(), Error> {
        Ok(self.0.advance(self.0.now().after(by)).await?)
    }

    /// Moves a frozen clock until no work is left.
    ///
    /// # Errors
    /// The clock is running.
    pub async fn drain(&self) -> Result<(), Error> {
        Ok(self.0.drain().await?)
    }
}
