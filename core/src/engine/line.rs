//! The behaviour of outside machines, and the timing of the line. How the machine at one of the "numbers that behave"
//! reacts depends only on the number and on how often the fax has called it.

use super::phase::Verdict;
use super::rule::{LineOverride, Outcome};
use crate::model::fault::Fault;
use crate::model::line::LineFault;
use crate::model::line::{Coding, Line, PagePart};
use crate::model::media::Document;
use crate::model::phone::{Party, PhoneNumber};

/// The line time from dialling until the far machine picks up: one North American ring cycle.
pub(super) const RING_MS: u64 = 6_000;
/// The line time until a busy tone is recognised.
pub(super) const BUSY_MS: u64 = 3_000;
/// The line time until a ringing call is given up: a no-answer's `duration` is 15 (captured; docs/fidelity.md, "The
/// line").
pub(super) const NO_ANSWER_MS: u64 = 15_000;
/// The line time for converting the fetched document.
pub(super) const CONVERT_MS: u64 = 1_000;
/// The line time of a page whose coded size is unknown, at the default speed; other speeds scale it.
const PAGE_MS: u64 = 30_000;
/// The time that a page takes without error correction, as a percentage of the time with it.
const UNCORRECTED_PERCENT: u64 = 133;
/// The slow, noisy line of `…0106`: V.27 ter, MH, one row in fifty damaged.
const SLOW: Line = Line { rate_bps: 4_800, coding: Coding::Mh, noise_per_mille: 20 };
/// The line time until a call breaks, during the handshake or a page.
pub(super) const BREAK_MS: u64 = 10_000;
/// The line time between two calls within the Ttl.
pub(super) const REDIAL_MS: u64 = 60_000;
/// The maximum number of redials within one Ttl: one per minute for a day. Without this limit, a fast pace could allow
/// any number of calls.
pub(super) const REDIALS_MAX: u32 = 1_440;

/// The number of calls on which `…0107` is busy before it picks up.
const BUSY_CALLS: u32 = 2;
/// Twilio's magic invalid number, which the create call refuses as `To` and `From`.
const REFUSED: PhoneNumber = PhoneNumber::from_digits(15_005_550_001);

/// Returns whether the create call refuses this party because it is Twilio's magic invalid number.
pub(super) fn is_refused(party: &Party) -> bool {
    party.number() == Some(REFUSED)
}

/// Decides how the machine at a number outside this world reacts to the `calls`th call.
pub(super) fn verdict(to: &Party, calls: u32) -> Verdict {
    let breaks = |fault, after_pages| {
        let fault = Some(LineFault { fault, after_pages, text: None });
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

/// Returns the reaction of an outside machine when a rule has decided the outcome of the call.
pub(super) fn verdict_of(outcome: Outcome) -> Verdict {
    let line = Line::default();
    match outcome {
        Outcome::Delivered | Outcome::Received => Verdict::Answer { fault: None, line },
        Outcome::Busy => Verdict::Busy,
        Outcome::NoAnswer => Verdict::NoAnswer,
        Outcome::Failed(fault) => Verdict::Answer { fault: Some(fault), line },
    }
}

/// Returns the line time of the page with this index, counted from 0, in milliseconds. The time of the first page
/// includes the setup of the call, and the time of the last page includes the release.
pub(super) fn page_ms(document: &Document, page: u32, line: Line) -> u64 {
    // An unrendered document has no sheets, so all its pages are assumed to take the same time.
    let Some(sheet) = usize::try_from(page).ok().and_then(|page| document.sheets.get(page)) else {
        let uncorrected = if line.has_error_correction() { 100 } else { UNCORRECTED_PERCENT };
        let default = u64::from(Line::default().rate_bps);
        return (PAGE_MS * default * uncorrected).div_ceil(u64::from(line.rate_bps.max(1)) * 100);
    };
    // With the setup and the release, the times of all pages add up to the duration of the whole call.
    let before = if page == 0 { line.setup_ms() } else { 0 };
    let after = if page + 1 == document.pages { line.release_ms() } else { 0 };
    before + line.page_ms(&sheet.bits) + after
}

/// Returns the parts of the line time of a page, in order, in milliseconds; their sum is its `page_ms`.
pub(super) fn page_parts(document: &Document, page: u32, line: Line) -> Vec<(PagePart, u64)> {
    let Some(sheet) = usize::try_from(page).ok().and_then(|page| document.sheets.get(page)) else {
        return vec![(PagePart::Picture, page_ms(document, page, line))];
    };
    let setup = (page == 0).then(|| (PagePart::Handshake, line.setup_ms()));
    let release = (page + 1 == document.pages).then(|| (PagePart::Release, line.release_ms()));
    setup.into_iter().chain(line.page_parts(&sheet.bits)).chain(release).collect()
}

/// Applies a rule's line changes to a verdict.
pub(super) fn over(verdict: Verdict, asked: LineOverride) -> Verdict {
    match verdict {
        Verdict::Answer { fault, line } => Verdict::Answer { fault, line: asked.over(line) },
        Verdict::Busy | Verdict::NoAnswer => verdict,
    }
}

/// Returns whether the number is redialed after a busy call even without a Ttl: `…0107` is meant to succeed in the end.
pub(super) fn redials_unasked(to: &Party, calls: u32) -> bool {
    to.number().map(PhoneNumber::digits) == Some(15_005_550_107) && calls <= BUSY_CALLS
}
