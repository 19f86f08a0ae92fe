//! Bins that the emulator makes for a tester's TwiML.

use std::sync::Arc;

use super::World;
use crate::engine::input::CreateTwimlBin;
use crate::model::refusal::Refusal;
use crate::model::sid::TwimlBinSid;

/// The name of a bin for faxes that name their own action.
const NAME: &str = "receive with an action";

impl World {
    /// Returns a bin with this TwiML, which is created unless the world already has one.
    ///
    /// # Errors
    /// Fails if the world has as many bins as it may have.
    pub(crate) fn bin_with(&self, twiml: String) -> Result<TwimlBinSid, Refusal> {
        // Reused, because a test may receive thousands of faxes with the same action.
        let existing = self.read(|engine| engine.twiml_bins().find(|bin| *bin.contents == *twiml).map(|bin| bin.sid));
        match existing {
            Some(sid) => Ok(sid),
            None => self.handle(CreateTwimlBin { name: NAME.into(), contents: Arc::from(twiml) }),
        }
    }
}
