//! The written form of an account's TwiML bins, and of changes to them.

use std::sync::Arc;

use super::accounts::Registered;
use crate::engine::export::form::form;
use crate::model::sid::TwimlBinSid;
use crate::model::time::Timestamp;
use crate::model::twiml_bin;

impl Registered for twiml_bin::TwimlBin {
    type Id = TwimlBinSid;
    fn place(&self) -> (u64, TwimlBinSid) {
        (self.ordinal, self.sid)
    }
}

form! {
    struct TwimlBin for twiml_bin::TwimlBin {
        sid: TwimlBinSid,
        ordinal: u64,
        name: Box<str>,
        contents: Arc<str>,
        created: Timestamp,
        updated: Timestamp,
        requests: u64,
        #[serde(default)]
        last_request: Option<Timestamp>,
    }
}

form! {
    struct TwimlBinChange for twiml_bin::TwimlBinChange {
        #[serde(default)]
        name: Option<Box<str>>,
        #[serde(default)]
        contents: Option<Arc<str>>,
    }
}
