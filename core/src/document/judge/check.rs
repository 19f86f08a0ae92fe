//! The checks of a document: what each is called, why it matters, and which source its limits come from.

use crate::model::words::words;

words!(
    /// A question that the judge answers about a document.
    Check {
        /// Whether type has enough rows and pels for the quality.
        TypeSize = "type-size",
        /// Whether type is black, and stands on white.
        GreyType = "grey-type",
        /// Whether photographs, tints and shading become dots.
        Greys = "greys",
        /// Whether QR codes and bar codes can be scanned.
        Codes = "codes",
        /// Whether lines are at least half a pel thick.
        Hairlines = "hairlines",
        /// Whether the meaning of something depends on the difference between colours with the same grey.
        Colors = "colours",
        /// Whether pages keep their size and direction on the paper.
        Paper = "paper",
        /// Whether a page is blank.
        Blank = "blank",
        /// How long each page takes.
        Time = "time",
        /// Whether parts of the document are missing from the fax.
        Lost = "lost",
    }
);

/// What is said about a check wherever it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// What a good document does, as a sentence without a full stop.
    pub title: &'static str,
    /// Why it matters, in one sentence.
    pub why: &'static str,
    /// What is measured, and what the limits are.
    pub limits: &'static str,
    /// Where the limits come from.
    pub source: &'static str,
}

impl Check {
    /// Returns what is said about the check.
    #[must_use]
    pub const fn about(self) -> About {
        match self {
            Self::TypeSize => About {
                title: "Type is large enough for the quality",
                why: "The small letters are told apart by strokes and gaps, each of which needs a row of its own.",
                limits: "an x-height of fewer than 4 rows or 3 pels fails, fewer than 6 rows or 5 pels is a warning",
                source: "T.4 §2 (204 pels, and 98, 196 or 391 rows per inch); an e has three strokes and two gaps",
            },
            Self::GreyType => About {
                title: "Type is black, and stands on white",
                why: "A fax has no greys: grey letters, and the paper behind letters, become dots as fine as the \
                      letters' strokes.",
                limits: "for an x-height below 40 rows: a warning if 35 % of the pels are missing, or 30 % of the \
                         ground are dots; for strokes thinner than two pels, a warning if 10 % of the ground are \
                         dots, and a fail if 30 % are, or if half of the pels are missing",
                source: "T.4 §2 (pels are black or white)",
            },
            Self::Greys => About {
                title: "Hardly anything becomes dots",
                why: "Photographs and tints become dots, which lose detail and take many times as long to send as \
                      type, since each dot is coded by itself.",
                limits: "a warning if dots cover 5 % of the page or more, and a remark from 1 % on",
                source: "T.4 §2 (pels are black or white), T.6 §2.2 (changes are coded)",
            },
            Self::Codes => About {
                title: "QR codes and bar codes can be scanned",
                why: "A scanner misreads a code whose modules are about as small as a pel, whose modules are dots, or \
                      that has no white margin.",
                limits: "",
                source: "ISO/IEC 18004 §6.3.8 (QR: 4 modules of margin), 15417 (Code 128: 10), 15420 (EAN: 7 and 11)",
            },
            Self::Hairlines => About {
                title: "Lines are at least half a pel thick",
                why: "A line thinner than half a pel vanishes or becomes several times as thick, depending on the \
                      machine; fauxfax draws it one pel thick.",
                limits: "a warning below half a pel or a row",
                source: "T.4 §2 (204 pels, and 98, 196 or 391 rows per inch), ISO 32000-1 §8.4.3.2 (line width)",
            },
            Self::Colors => About {
                title: "Nothing is told apart by colour alone",
                why: "Colours of the same brightness become the same dots, so a chart or a legend that depends on \
                      them can't be read.",
                limits: "a remark if two strong colours differ by less than 20 of 255 levels of grey",
                source: "ITU-R BT.601 (luma)",
            },
            Self::Paper => About {
                title: "Pages fit the paper",
                why: "Pages wider than the paper are scaled down with everything on them, and pages longer than \
                      legal paper are cut.",
                limits: "a warning if a page is scaled to less than 80 % or cut; a remark if it is scaled or turned",
                source: "T.4 §2.1 (1728 pels, 215 mm)",
            },
            Self::Blank => About {
                title: "No page is blank",
                why: "A blank page takes a few seconds and a sheet of paper, and looks like a page that was lost.",
                limits: "a warning for each page without a black pel",
                source: "",
            },
            Self::Time => About {
                title: "No page takes longer than a minute",
                why: "Faxes are billed by the minute, and the longer a call takes, the likelier it is to break off.",
                limits: "a warning above 60 s per page at 14,400 bit/s with error correction",
                source: "T.30, T.4 and T.6, as `model/line.rs` applies them",
            },
            Self::Lost => About {
                title: "Nothing is lost",
                why: "The recipient can't know that a part of the document is missing.",
                limits: "each loss fails",
                source: "docs/fidelity.md, *Documents*",
            },
        }
    }
}
