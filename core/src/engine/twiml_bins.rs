//! The account's TwiML bins: stored TwiML documents, each with its own URL.

use std::sync::Arc;

use super::Engine;
use super::input::{CreateTwimlBin, DeleteTwimlBin, ServeTwimlBin, UpdateTwimlBin};
use super::ordered_map::OrderedMap;
use crate::model::refusal::Refusal;
use crate::model::sid::TwimlBinSid;
use crate::model::time::Timestamp;
use crate::model::twiml_bin::{TwimlBin, TwimlBinChange};

/// The maximum number of TwiML bins per account. If all are full, they take 64 MiB.
const BINS_MAX: usize = 1_000;

/// The TwiML bins of one account, in the order of creation.
pub(super) type TwimlBins = OrderedMap<TwimlBinSid, TwimlBin>;

impl Engine {
    /// Returns the TwiML bin with this id.
    ///
    /// # Errors
    /// Returns `NoTwimlBin` if there is no such bin.
    pub fn twiml_bin(&self, sid: TwimlBinSid) -> Result<&TwimlBin, Refusal> {
        self.world.twiml_bins.get(&sid).ok_or(Refusal::NoTwimlBin(sid))
    }

    /// Returns all TwiML bins of the account, newest first.
    pub fn twiml_bins(&self) -> impl Iterator<Item = &TwimlBin> {
        self.world.twiml_bins.newest_first()
    }

    pub(super) fn create_twiml_bin(
        &mut self,
        CreateTwimlBin { name, contents }: CreateTwimlBin,
        now: Timestamp,
    ) -> Result<TwimlBinSid, Refusal> {
        if self.world.twiml_bins.len() >= BINS_MAX {
            return Err(Refusal::LimitReached { what: "TwiML bins", limit: BINS_MAX });
        }
        Ok(self.add_twiml_bin(None, name, contents, now))
    }

    /// Adds a bin, with an id drawn from the seed unless one is given.
    pub(super) fn add_twiml_bin(
        &mut self,
        sid: Option<TwimlBinSid>,
        name: Box<str>,
        contents: Arc<str>,
        now: Timestamp,
    ) -> TwimlBinSid {
        let ordinal = self.world.twiml_bins.take_ordinal();
        let sid = sid.unwrap_or_else(|| self.ids.seed().mint("twiml-bin", b"", ordinal));
        let (created, updated) = (now, now);
        let bin = TwimlBin { sid, ordinal, name, contents, created, updated, requests: 0, last_request: None };
        self.world.twiml_bins.insert(ordinal, sid, bin);
        sid
    }

    pub(super) fn update_twiml_bin(
        &mut self,
        UpdateTwimlBin(sid, TwimlBinChange { name, contents }): UpdateTwimlBin,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let bin = self.world.twiml_bins.get_mut(&sid).ok_or(Refusal::NoTwimlBin(sid))?;
        bin.name = name.unwrap_or_else(|| bin.name.clone());
        bin.contents = contents.unwrap_or_else(|| Arc::clone(&bin.contents));
        bin.updated = now;
        Ok(())
    }

    pub(super) fn delete_twiml_bin(
        &mut self,
        DeleteTwimlBin(sid): DeleteTwimlBin,
        _: Timestamp,
    ) -> Result<(), Refusal> {
        self.world.twiml_bins.remove(&sid).ok_or(Refusal::NoTwimlBin(sid))?;
        Ok(())
    }

    /// Counts a request for a bin, and returns its contents.
    pub(super) fn serve_twiml_bin(
        &mut self,
        ServeTwimlBin(sid): ServeTwimlBin,
        now: Timestamp,
    ) -> Result<Arc<str>, Refusal> {
        let bin = self.world.twiml_bins.get_mut(&sid).ok_or(Refusal::NoTwimlBin(sid))?;
        bin.requests = bin.requests.saturating_add(1);
        bin.last_request = Some(now);
        Ok(Arc::clone(&bin.contents))
    }
}
