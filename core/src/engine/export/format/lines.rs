//! The written form of what goes over a line: what machines agree on, how a call goes and how it breaks.

use crate::engine::agenda::Ordinal;
use crate::engine::export::form::form;
use crate::engine::phase;
use crate::model::fault::{self, Fault};
use crate::model::line;

form! {
    /// What two machines have agreed on.
    struct Line for line::Line {
        rate_bps: u32,
        coding: Coding,
        noise_per_mille: u16,
    }
}

form! {
    /// How a page is coded on the line.
    enum Coding for line::Coding {
        Mmr,
        Mr,
        Mh,
    }
}

form! {
    /// Why a fax has failed.
    struct Failure for fault::Failure {
        fault: Fault,
        detail: Option<Box<str>>,
    }
}

form! {
    /// A transmission that breaks.
    struct LineFault for line::LineFault {
        fault: Fault,
        after_pages: u32,
    }
}

form! {
    /// What the far machine does.
    enum Verdict for phase::Verdict {
        Answer { fault: Option<LineFault>, line: Line },
        Busy,
        NoAnswer,
    }
}

form! {
    /// Pages going over the line, in either direction.
    struct Transmission for phase::Transmission {
        far: Option<Ordinal>,
        fault: Option<LineFault>,
        line: Line,
        pages_done: u32,
        line_ms: u64,
    }
}

form! {
    /// Who calls.
    enum Caller for phase::Caller {
        Machine,
        Own(ordinal: Ordinal),
    }
}
