//! A handle to one account's clock, for tests. The clock itself is moved by [`World`].

use std::fmt;
use std::time::Duration;

use super::Error;
use crate::clock::ClockMode;
use crate::model::time::Timestamp;
use crate::world::World;

/// The virtual clock of one account; clones are handles to the same clock.
///
/// The clock runs with real time until it is frozen. While frozen, it moves only through [`advance`](Self::advance) and
/// [`drain`](Self::drain), and the work that falls due on the way is performed: redials, retries, expiries.
#[derive(Clone)]
pub struct AccountClock(pub(super) World);

impl AccountClock {
    /// Returns the time that the clock shows, which determines dates in responses and signed links.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// Stops the clock; from now on it moves only through [`advance`](Self::advance) and [`drain`](Self::drain).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// let clock = account.clock();
    /// clock.freeze();
    /// assert_eq!(clock.now(), clock.now());
    /// # Ok(())
    /// # }
    /// ```
    pub fn freeze(&self) {
        self.0.set_clock_mode(ClockMode::Frozen);
    }

    /// Lets the clock run with real time again, from the time shown now.
    pub fn run(&self) {
        self.0.set_clock_mode(ClockMode::Running);
    }

    /// Moves a frozen clock forward and performs the work that falls due; returns when the world has settled.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// let clock = account.clock();
    /// clock.freeze();
    /// let before = clock.now();
    /// clock.advance(Duration::from_secs(90)).await?;
    /// assert_eq!(clock.now().since(before), Duration::from_secs(90));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Clock`] if the clock is running, or if the account is removed or its world breaks meanwhile.
    pub async fn advance(&self, by: Duration) -> Result<(), Error> {
        Ok(self.0.advance(self.0.now().after(by)).await?)
    }

    /// Moves a frozen clock from deadline to deadline until no work is left.
    ///
    /// ```
    /// use fauxfax::Status;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # account.number("+15017122661")?;
    /// # let document = format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url());
    /// account.clock().freeze();
    /// let fax = account.send("+15558675310", &document).queue()?;
    /// account.clock().drain().await?;
    /// assert_eq!(account.fax(fax)?.status(), Status::Delivered);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Clock`] if the clock is running, or if the account is removed or its world breaks meanwhile.
    pub async fn drain(&self) -> Result<(), Error> {
        Ok(self.0.drain().await?)
    }
}

impl fmt::Debug for AccountClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountClock").field("account", &self.0.sid()).field("now", &self.now()).finish_non_exhaustive()
    }
}
