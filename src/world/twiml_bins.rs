//! The TwiML bins that the emulator creates when a tester names the action of an incoming fax.

use std::sync::Arc;

use super::World;
use crate::engine::input::{CreateTwimlBin, DeleteTwimlBin, ReceiveFax, Ringing};
use crate::model::refusal::Refusal;
use crate::model::sid::TwimlBinSid;

/// The name of these bins.
const NAME: &str = "receive with an action";
/// The maximum number of such bins in a world: a test may name a new action for each of thousands of faxes. If there
/// are more, the oldest is deleted; the call for which it was made has long since read it.
const OWN_BINS_MAX: usize = 100;

impl World {
    /// Makes a fax machine call a number; a bin with this TwiML answers the call instead of the number's app. `url_of`
    /// returns the bin's URL.
    ///
    /// # Errors
    /// Fails if the call is refused, or if the world has its maximum number of bins. In either case, nothing has
    /// changed.
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
            // Refused only if the tester has already deleted the bin, or the world has broken.
            let _ = self.handle(DeleteTwimlBin(bin));
        }
        called
    }
}
