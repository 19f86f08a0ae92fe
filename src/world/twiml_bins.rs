//! Bins that the emulator makes for a tester's TwiML.

use std::sync::Arc;

use super::World;
use crate::dialect::bin_url::bin_url;
use crate::engine::input::CreateTwimlBin;
use crate::model::refusal::Refusal;

/// The name of a bin for faxes that name their own action.
const NAME: &str = "receive with an action";

impl World {
    /// Returns the URL of a bin with this TwiML, which is created unless the world already has one. `origin` is the
    /// URL's scheme and host.
    ///
    /// # Errors
    /// Fails if the world has as many bins as it may have.
    pub(crate) fn bin_with(&self, twiml: String, origin: &str) -> Result<Box<str>, Refusal> {
        // Reused, because a test may receive thousands of faxes with the same action.
        let existing = self.read(|engine| engine.twiml_bins().find(|bin| *bin.contents == *twiml).map(|bin| bin.sid));
        let sid = match existing {
            Some(sid) => sid,
            None => self.handle(CreateTwimlBin { name: NAME.into(), contents: Arc::from(twiml) })?,
        };
        Ok(bin_url(origin, sid).into())
    }
}
