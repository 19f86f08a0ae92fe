//! The time that a fax takes on a telephone line according to T.30 and T.4: the duration of each signal, and the time
//! for the coded bits at the line's rate.
//!
//! ```text
//!  answer: silence · CED · DIS ─► TSI DCS · training · TCF ─► CFR        once per call
//!  training · the page ─► PPS-MPS or PPS-EOP ─► MCF                      once per page (without ECM: MPS or EOP)
//!  DCN                                                                   at the end
//! ```

use super::fault::Fault;
use super::page::{CodedBits, LINE_RATES_BPS};
use super::words::words;

/// Silence after the call is answered: 1.8 to 2.5 s (T.30 §4.3.3).
const ANSWER_SILENCE_MS: u64 = 2_000;
/// The tone of the called station: 2.6 to 4.0 s (T.30 §4.3.3, CED).
const CED_MS: u64 = 3_000;
/// Silence between two modulations: 75 ± 20 ms (T.30 §5, note 3).
const GAP_MS: u64 = 75;
/// Flags before binary coded signals: 1 s ± 15 % (T.30 §5.3.1).
const PREAMBLE_MS: u64 = 1_000;
/// The rate of binary coded signals (T.30 §5).
const SIGNAL_RATE_BPS: u64 = 300;
/// Flag, address, control, facsimile control field and check sequence of a frame, in octets (T.30 §5.3.2 to §5.3.7).
const FRAME_OCTETS: u64 = 7;
/// The information field of CSI and TSI (T.30 §5.3.6.2.4).
const STATION_ID_OCTETS: u64 = 20;
/// The information field of DIS and DCS, with the bits that these machines set (T.30 §5.3.6.2.1).
const CAPABILITIES_OCTETS: u64 = 8;
/// The information field of PPS: post-message command, page and block counters, frame count (T.30 §A.4.3).
const PPS_OCTETS: u64 = 4;
/// The training check: zeros for 1.5 s ± 10 % (T.30 §5.3.6.1.3).
const TCF_MS: u64 = 1_500;
/// Training before the check, V.17's long sequence (V.17 §5.1).
const TRAINING_LONG_MS: u64 = 1_393;
/// Training before each page, V.17's resynchronisation (V.17 §5.2).
const TRAINING_SHORT_MS: u64 = 142;
/// Training in V.29 and V.27 ter, which is the same each time (V.29 §8, V.27 ter §2.5.1: 253 and 708 ms; the longer one
/// is used).
const TRAINING_OLD_MS: u64 = 708;
/// The lowest rate of V.17, in bit/s; slower machines use V.29 or V.27 ter.
const V17_RATE_MIN_BPS: u32 = 7_200;
/// Flags before an ECM block: 200 ms ± 100 ms (T.4 §A.3.1).
const ECM_FLAGS_MS: u64 = 200;
/// Octets of an ECM frame's data field (T.4 §A.3.6; T.30 §A.3).
const ECM_FRAME_OCTETS: u64 = 256;
/// Frames of an ECM block (T.30 §A.3).
const ECM_BLOCK_FRAMES: u64 = 256;
/// Flag, address, control, FCD, frame number and check sequence of an ECM frame (T.4 §A.3).
const ECM_FRAME_OVERHEAD_OCTETS: u64 = 7;
/// Zeros inserted after five ones: one bit in 62 of coded pages, whose bits look random (T.4 §A.3.3).
const STUFFING_ONE_IN: u64 = 62;
/// The three RCP frames that end a block, of 6 octets each (T.4 §A.3.8).
const RCP_OCTETS: u64 = 18;

/// The coding of a page on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// MMR with error correction (T.30 annex A, T.6).
    Mmr,
    /// MR (T.4 two-dimensional), without error correction.
    Mr,
    /// MH (T.4 one-dimensional), without error correction.
    Mh,
}

impl Coding {
    /// Returns the coding's usual abbreviation, such as `MMR`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mmr => "MMR",
            Self::Mr => "MR",
            Self::Mh => "MH",
        }
    }
}

words!(
    /// A part of the time that a fax takes on the line.
    PagePart {
        /// The answer tone, and the exchange of capabilities and training before the first page.
        Handshake = "handshake",
        /// The training before each page.
        Training = "training",
        /// The coded rows of the page, with the training and the confirmations between its blocks.
        Picture = "picture",
        /// The end of the page, and the confirmation that it was received.
        Confirmation = "confirmation",
        /// The disconnection after the last page.
        Release = "release",
    }
);

/// The slowest rate that machines agree on (V.27 ter).
pub const RATE_BPS_MIN: u32 = 2_400;
/// The fastest rate that machines agree on (V.34).
pub const RATE_BPS_MAX: u32 = 33_600;
/// The upper limit of `noise_per_mille`, at which every row is damaged.
pub const NOISE_PER_MILLE_MAX: u16 = 1_000;

/// The parameters that two machines have negotiated, and the quality of the line between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The modem rate in bits per second.
    pub rate_bps: u32,
    /// The coding of pages; MMR implies error correction, which no other coding allows.
    pub coding: Coding,
    /// The number of damaged rows per thousand; it has no effect with error correction.
    pub noise_per_mille: u16,
}

impl Default for Line {
    /// Returns a good line between two modern machines.
    fn default() -> Self {
        Self { rate_bps: LINE_RATES_BPS[0], coding: Coding::Mmr, noise_per_mille: 0 }
    }
}

impl Line {
    /// Returns whether the machines correct errors (ECM, T.30 annex A).
    #[must_use]
    pub const fn has_error_correction(self) -> bool {
        matches!(self.coding, Coding::Mmr)
    }

    /// Returns the time from the answer to the start of the first page, in milliseconds.
    #[must_use]
    pub fn setup_ms(self) -> u64 {
        let check = GAP_MS + self.training_long_ms() + TCF_MS;
        let capabilities = signal_ms(&[STATION_ID_OCTETS, CAPABILITIES_OCTETS]);
        // The terms are in the order of the diagram at the top of this file.
        ANSWER_SILENCE_MS + CED_MS + GAP_MS + capabilities + GAP_MS + capabilities + check + GAP_MS + signal_ms(&[0])
    }

    /// Returns the number of bits of a page in this line's coding or, if they were not counted, in MMR.
    #[must_use]
    pub fn bits(self, bits: &CodedBits) -> u64 {
        // Fill grows with the rate, so a rate between two counted rates uses the higher, which never makes the time too
        // short. A rate above all counted ones uses the highest.
        let at = LINE_RATES_BPS.iter().rposition(|rate| *rate >= self.rate_bps).unwrap_or(0);
        match (self.coding, &bits.filled) {
            (Coding::Mmr, _) | (_, None) => bits.mmr,
            (Coding::Mr, Some(filled)) => filled.mr[at],
            (Coding::Mh, Some(filled)) => filled.mh[at],
        }
    }

    /// Returns the time for one page, including the training before it and the confirmation after it, in milliseconds.
    #[must_use]
    pub fn page_ms(self, bits: &CodedBits) -> u64 {
        let bits = self.bits(bits);
        let rate = u64::from(self.rate_bps.max(1));
        if !self.has_error_correction() {
            let page_ms = GAP_MS + self.training_short_ms() + (bits * 1_000).div_ceil(rate);
            // The page is followed by MPS or EOP and by MCF, which have no information field.
            return page_ms + GAP_MS + signal_ms(&[0]) + GAP_MS + signal_ms(&[0]);
        }
        // Even a page without bits takes one frame.
        let frames = bits.div_ceil(8 * ECM_FRAME_OCTETS).max(1);
        let blocks = frames.div_ceil(ECM_BLOCK_FRAMES);
        let octets = bits.div_ceil(8) + frames * ECM_FRAME_OVERHEAD_OCTETS + blocks * RCP_OCTETS;
        let sent_bits = octets * 8 + octets * 8 / STUFFING_ONE_IN;
        let confirmed_ms = GAP_MS + signal_ms(&[PPS_OCTETS]) + GAP_MS + signal_ms(&[0]);
        let block_ms = GAP_MS + self.training_short_ms() + ECM_FLAGS_MS + confirmed_ms;
        (sent_bits * 1_000).div_ceil(rate) + blocks * block_ms
    }

    /// Returns the parts of a page's time, in order, in milliseconds; their sum is its `page_ms`.
    #[must_use]
    pub fn page_parts(self, bits: &CodedBits) -> [(PagePart, u64); 3] {
        let is_corrected = self.has_error_correction();
        let training_ms = GAP_MS + self.training_short_ms() + if is_corrected { ECM_FLAGS_MS } else { 0 };
        let end_ms = if is_corrected { signal_ms(&[PPS_OCTETS]) } else { signal_ms(&[0]) };
        let confirmation_ms = GAP_MS + end_ms + GAP_MS + signal_ms(&[0]);
        let picture_ms = self.page_ms(bits).saturating_sub(training_ms + confirmation_ms);
        [(PagePart::Training, training_ms), (PagePart::Picture, picture_ms), (PagePart::Confirmation, confirmation_ms)]
    }

    /// Returns the time from the last page's confirmation to the release of the call, in milliseconds.
    #[must_use]
    pub fn release_ms(self) -> u64 {
        // DCN has no information field.
        GAP_MS + signal_ms(&[0])
    }

    const fn training_long_ms(self) -> u64 {
        if self.rate_bps >= V17_RATE_MIN_BPS { TRAINING_LONG_MS } else { TRAINING_OLD_MS }
    }

    const fn training_short_ms(self) -> u64 {
        if self.rate_bps >= V17_RATE_MIN_BPS { TRAINING_SHORT_MS } else { TRAINING_OLD_MS }
    }
}

/// Returns the time for binary coded signals sent in one transmission, each a frame with this many information octets.
fn signal_ms(information_octets: &[u64]) -> u64 {
    let octets: u64 = information_octets.iter().map(|octets| octets + FRAME_OCTETS).sum();
    PREAMBLE_MS + (octets * 8 * 1_000).div_ceil(SIGNAL_RATE_BPS)
}

/// The point at which a transmission breaks off, and the fault that causes this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// The fault that ends the call.
    pub fault: Fault,
    /// The number of pages that get through before the break.
    pub after_pages: u32,
    /// The failure's text, if a tester chose one.
    pub text: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::page::FilledBits;

    /// Returns the coded size of a page of text at fine resolution, the mean of two measured pages.
    fn text() -> CodedBits {
        let filled = FilledBits { mr: [263_500; 6], mh: [342_700; 6] };
        CodedBits { mmr: 207_400, filled: Some(filled) }
    }

    #[test]
    fn a_one_page_text_fax_takes_about_half_a_minute() {
        let line = Line::default();
        let setup_s = line.setup_ms() / 1_000;
        assert!((13..=18).contains(&setup_s), "{setup_s}");
        let page_s = line.page_ms(&text()) / 1_000;
        assert!((17..=20).contains(&page_s), "{page_s}");
        assert!((30..=42).contains(&(setup_s + page_s + line.release_ms() / 1_000)));
    }

    #[test]
    fn slower_rates_and_older_codings_take_longer() {
        let ms = |rate_bps, coding| Line { rate_bps, coding, noise_per_mille: 0 }.page_ms(&text());
        assert!(ms(14_400, Coding::Mmr) < ms(14_400, Coding::Mr) && ms(14_400, Coding::Mr) < ms(14_400, Coding::Mh));
        for rates in LINE_RATES_BPS.windows(2) {
            assert!(ms(rates[0], Coding::Mh) < ms(rates[1], Coding::Mh), "{rates:?}");
        }
    }

    #[test]
    fn long_pages_are_confirmed_block_by_block() {
        let line = Line::default();
        let block_bits = ECM_BLOCK_FRAMES * ECM_FRAME_OCTETS * 8;
        let ms = |bits| line.page_ms(&CodedBits { mmr: bits, filled: None });
        assert!(ms(block_bits + 1) > ms(block_bits) + 2_000);
    }

    #[test]
    fn the_parts_of_a_page_add_up_to_its_time() {
        for line in [Line::default(), Line { rate_bps: 4_800, coding: Coding::Mh, noise_per_mille: 20 }] {
            let parts = line.page_parts(&text());
            assert_eq!(parts.iter().map(|(_, ms)| ms).sum::<u64>(), line.page_ms(&text()));
            let [(_, training_ms), (_, picture_ms), (_, confirmation_ms)] = parts;
            assert!(training_ms < confirmation_ms && confirmation_ms < picture_ms, "{parts:?}");
            // The rows take as long as their bits at the line's rate, and a little more for frames.
            let rows_ms = line.bits(&text()) * 1_000 / u64::from(line.rate_bps);
            assert!((rows_ms..rows_ms + rows_ms / 10 + 50).contains(&picture_ms), "{picture_ms} for {rows_ms}");
        }
    }

    #[test]
    fn fill_uses_the_next_higher_counted_rate() {
        let filled = FilledBits { mr: [1, 2, 3, 4, 5, 6], mh: [10, 20, 30, 40, 50, 60] };
        let bits = CodedBits { mmr: 0, filled: Some(filled) };
        let mh = |rate_bps| Line { rate_bps, coding: Coding::Mh, noise_per_mille: 0 }.bits(&bits);
        assert_eq!([mh(33_600), mh(14_400), mh(9_600), mh(8_000), mh(300)], [10, 10, 30, 30, 60]);
    }
}
