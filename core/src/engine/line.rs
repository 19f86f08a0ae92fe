//! What the far machine does and how long the line takes: the numbers that behave, and nominal times.
//! It never changes a fax.

use super::phase::Verdict;
use super::rule::{LineOverride, Outcome};
use crate::model::fault::Fault;
use crate::model::line::LineFault;
use crate::model::line::{Coding, Line};
use crate::model::media::Document;
use crate::model::phone::{Party, PhoneNumber};

/// Line time from dialling until the far machine picks up: one North American ring cycle.
pub(super) const RING_MS: u64 = 6_000;
/// Line time until a busy tone is recognised.
pub(super) const BUSY_MS: u64 = 3_000;
/// Line time after which ringing is given up; a no-answer's `duration` is 15 (captured; docs/fidelity.md, "The line").
pub(super) const NO_ANSWER_MS: u64 = 15_000;
/// Line time in which the fetched document is converted.
pub(super) const CONVERT_MS: u64 = 1_000;
/// Line time of a page whose coded bits are not known, on a line of today; on a slower one in proportion.
const PAGE_MS: u64 = 30_000;
/// Without error correction a page takes about so many per cent longer.
const UNCORRECTED_PERCENT: u64 = 133;
/// The slow, noisy line of `…0106`: V.27 ter, MH, a row in fifty damaged.
const SLOW: Line = Line { rate_bps: 4_800, coding: Coding::Mh, noise_per_mille: 20 };
/// Line time of the handshake, or of the part of a page, in which a call breaks.
pub(super) const BREAK_MS: u64 = 10_000;
/// Line time between two calls within the Ttl.
pub(super) const REDIAL_MS: u64 = 60_000;
/// Calls within one Ttl at the most, so that no pace makes them endless: one a minute for a day.
pub(super) const CALLS_MAX: u32 = 1_440;

/// Calls that `…0107` leaves busy.
const BUSY_CALLS: u32 = 2;
/// A `To` or `From` that is refused at create.
const REFUSED: PhoneNumber = PhoneNumber::from_digits(15_005_550_001);

/// Whether create refuses this number, as Twilio's magic number for it.
pub(super) fn is_refused(party: &Party) -> bool {
    party.number() == Some(REFUSED)
}

/// What the machine at a number outside this world does on the `calls`th call.
pub(super) fn verdict(to: &Party, calls: u32) -> Verdict {
    let breaks = |fault, after_pages| {
        let fault = Some(LineFault { fault, after_pages });
        Verdict::Answer { fault, line: Line::default() }
    };
    let fine = |line| Verdict::Answer { fault: None, line };
    match to.number().map(PhoneNumber::digits) {
        Some(15_005_550_101) => Verdict::Busy,
        Some(15_005_550_102) => Verdict::NoAnswer,
        Some(15_005_550_103) => breaks(Fault::Transmission, 0),
        Some(15_005_550_104) => breaks(Fault::Transmission, 1),
        Some(15_005_550_105) => breaks(Fault::Incompatible, 0),
        Some(15_005_550_106) => fine(SLOW),
        Some(15_005_550_107) if calls <= BUSY_CALLS => Verdict::Busy,
        _ => fine(Line::default()),
    }
}

/// What the machine does where a rule says how the call goes.
pub(super) fn verdict_of(outcome: Outcome) -> Verdict {
    let line = Line::default();
    match outcome {
        Outcome::Delivered | Outcome::Received => Verdict::Answer { fault: None, line },
        Outcome::Busy => Verdict::Busy,
        Outcome::NoAnswer => Verdict::NoAnswer,
        Outcome::Failed(fault) => Verdict::Answer { fault: Some(fault), line },
    }
}

/// Line time of a page, from 0, of the `pages` that are sent: with the call's set-up before the first and its release
/// after the last.
pub(super) fn page_ms(document: &Document, page: u32, line: Line) -> u64 {
    let Some(sheet) = usize::try_from(page).ok().and_then(|page| document.sheets.get(page)) else {
        let uncorrected = if line.has_error_correction() { 100 } else { UNCORRECTED_PERCENT };
        let default = u64::from(Line::default().rate_bps);
        return (PAGE_MS * default * uncorrected).div_ceil(u64::from(line.rate_bps.max(1)) * 100);
    };
    let before = if page == 0 { line.setup_ms() } else { 0 };
    let after = if page + 1 == document.pages { line.release_ms() } else { 0 };
    before + line.page_ms(&sheet.bits) + after
}

/// The verdict over a line that a rule asks for.
pub(super) fn over(verdict: Verdict, wish: LineOverride) -> Verdict {
    match verdict {
        Verdict::Answer { fault, line } => Verdict::Answer { fault, line: wish.over(line) },
        Verdict::Busy | Verdict::NoAnswer => verdict,
    }
}

/// Whether the number is called again after a busy call though no Ttl was given.
pub(super) fn redials_unasked(to: &Party, calls: u32) -> bool {
    to.number().map(PhoneNumber::digits) == Some(15_005_550_107) && calls <= BUSY_CALLS
}
