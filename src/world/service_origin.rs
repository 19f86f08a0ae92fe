//! The host that an app last used in a REST call, if it is one of SignalWire's own. An app that uses SignalWire's host
//! names may accept documents only from those, so the media URLs in callbacks of incoming faxes have such a host, too.

use std::sync::{Arc, Mutex, PoisonError};

use super::World;
use crate::model::account::Dialect;

/// The scheme and host of the last REST call, if the host is one of the dialect's own.
#[derive(Debug, Default)]
pub(super) struct ServiceOrigin(Mutex<Option<Arc<str>>>);

impl World {
    /// Remembers the scheme and host of a REST call if the host is one of the dialect's own, so that callbacks of
    /// incoming faxes have media URLs on the host that the app expects. Otherwise, forgets those of the call before.
    pub(crate) fn note_origin(&self, origin: &Arc<str>) {
        let own = Dialect::of(self.sid()).is_own_origin(origin).then(|| Arc::clone(origin));
        // Nothing panics while this lock is held: it guards only a string.
        *self.0.service_origin.0.lock().unwrap_or_else(PoisonError::into_inner) = own;
    }

    /// Returns the scheme and host of the app's last REST call, if the host is one of the dialect's own.
    pub(crate) fn service_origin(&self) -> Option<Arc<str>> {
        self.0.service_origin.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
