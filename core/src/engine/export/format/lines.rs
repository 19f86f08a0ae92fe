//! The written form of line data: the negotiated parameters, the progress of a call, and how it breaks off.

use crate::engine::agenda::Ordinal;
use crate::engine::export::form::form;
use crate::engine::phase;
use crate::model::fault::{self, Fault};
use crate::model::line;

form! {
    struct Line for line::Line {
        rate_bps: u32,
        coding: Coding,
        noise_per_mille: u16,
    }
}

form! {
    enum Coding for line::Coding {
        Mmr,
        Mr,
        Mh,
    }
}

form! {
    struct Failure for fault::Failure {
        fault: Fault,
        detail: Option<Box<str>>,
        #[serde(default)]
        pages_over: Option<u32>,
    }
}

form! {
    struct LineFault for line::LineFault {
        fault: Fault,
        after_pages: u32,
        #[serde(default)]
        text: Option<Box<str>>,
    }
}

form! {
    enum Verdict for phase::Verdict {
        Answer { fault: Option<LineFault>, line: Line },
        Busy,
        NoAnswer,
    }
}

form! {
    struct Transmission for phase::Transmission {
        far: Option<Ordinal>,
        fault: Option<LineFault>,
        line: Line,
        pages_done: u32,
        line_ms: u64,
    }
}

form! {
    enum Caller for phase::Caller {
        Machine,
        Own(ordinal: Ordinal),
    }
}
