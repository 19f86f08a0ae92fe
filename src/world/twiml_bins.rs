//! Bins that the emulator makes for a tester's TwiML.

use std::sync::Arc;

use super::World;
use crate::engine::input::{CreateTwimlBin, DeleteTwimlBin, ReceiveFax, Ringing};
use crate::model::refusal::Refusal;
use crate::model::sid::TwimlBinSid;

/// The name of a bin for faxes that name their own action.
const NAME: &str = "receive with an action";
/// The most of these bins in a world: a test may name a new action for each of thousands of faxes. Beyond it the oldest
/// is deleted, which by then has been read.
const OWN_BINS_MAX: usize = 100;

impl World {
    /// Makes a fax machine call, with a bin that has this TwiML in place of the number's app. `url_of` returns the bin's
    /// URL.
    ///
    /// # Errors
    /// Fails if the call is refused, or if the world has as many bins as it may have. Nothing has changed then.
    pub(crate) fn receive_with(
        &self,
        twiml: String,
        url_of: impl FnOnce(TwimlBinSid) -> String,
        order: ReceiveFax,
    ) -> Result<Ringing, Refusal> {
        let (existing, own) = self.read(|engine| {
            // Newest first.
            let own: Vec<_> = engine.twiml_bins().filter(|bin| *bin.name == *NAME).collect();
            let existing = own.iter().find(|bin| *bin.contents == *twiml).map(|bin| bin.sid);
            (existing, own.iter().map(|bin| bin.sid).collect::<Vec<_>>())
        });
        let bin = match existing {
            Some(bin) => bin,
            None => self.handle(CreateTwimlBin { name: NAME.into(), contents: Arc::from(twiml) })?,
        };
        let called = self.handle(ReceiveFax { twiml_url: Some(url_of(bin).into()), ..order });
        let surplus = match (&called, existing) {
            (Err(_), None) => vec![bin],
            (_, None) => own.into_iter().skip(OWN_BINS_MAX - 1).collect(),
            (_, Some(_)) => Vec::new(),
        };
        for bin in surplus {
            // A tester may have deleted it meanwhile.
            let _ = self.handle(DeleteTwimlBin(bin));
        }
        called
    }
}
