//! Converts samples of any depth and colour to greys on white paper.

use super::codecs::whole;
use super::layout::{Alpha, Colour, Layout};
use crate::document::picture::{cmyk_luma, luma, over_white};

/// Converts rows to greys, reusing its buffer.
pub(super) struct Greys<'a> {
    layout: &'a Layout,
    /// The samples of a row. Palette indexes are unchanged; all other samples are scaled to 8 bits.
    row: Vec<u16>,
}

impl<'a> Greys<'a> {
    pub(super) const fn new(layout: &'a Layout) -> Self {
        Self { layout, row: Vec::new() }
    }

    /// Converts one row of a segment, whose planes have `samples` adjacent samples per pel.
    pub(super) fn row(&mut self, planes: &[&[u8]], samples: usize, target: &mut [u8]) {
        // These samples are already greys, as in most pages that are not bilevel.
        if let ([row], Colour::BlackIsZero | Colour::LumaFirst { .. }, 8, 1) =
            (planes, &self.layout.colour, self.layout.bits, samples)
        {
            for (to, from) in target.iter_mut().zip(*row) {
                *to = *from;
            }
            return;
        }
        let per_pel = if planes.len() > 1 { planes.len() } else { samples };
        let count = target.len() * samples;
        self.row.clear();
        self.row.resize(target.len() * per_pel, 0);
        for (plane, bytes) in planes.iter().enumerate() {
            let values = self.values(bytes).take(count);
            if planes.len() > 1 {
                self.row.iter_mut().skip(plane).step_by(per_pel).zip(values).for_each(|(to, value)| *to = value);
            } else {
                self.row.iter_mut().zip(values).for_each(|(to, value)| *to = value);
            }
        }
        for (to, pel) in target.iter_mut().zip(self.row.chunks_exact(per_pel.max(1))) {
            *to = self.gray(pel);
        }
    }

    /// Returns the samples in a row of one plane, scaled to 8 bits unless they are palette indexes.
    fn values<'b>(&self, bytes: &'b [u8]) -> Box<dyn Iterator<Item = u16> + 'b> {
        let (bits, is_big_endian) = (self.layout.bits as usize, self.layout.is_big_endian);
        let is_index = matches!(self.layout.colour, Colour::Palette(_));
        match bits {
            8 => Box::new(bytes.iter().map(|byte| u16::from(*byte))),
            16 | 24 | 32 => Box::new(bytes.chunks_exact(bits / 8).map(move |sample| {
                let value = whole(sample, is_big_endian);
                if is_index { value as u16 } else { (value >> (bits - 8)) as u16 }
            })),
            _ => {
                let most = (1_u64 << bits) - 1;
                Box::new((0..bytes.len() * 8 / bits).map(move |index| {
                    let value = packed(bytes, index * bits, bits);
                    if is_index { value as u16 } else { ((value * 255 + most / 2) / most) as u16 }
                }))
            }
        }
    }

    /// Converts the samples of one pel to a grey.
    fn gray(&self, pel: &[u16]) -> u8 {
        let sample = |index: usize| pel.get(index).copied().unwrap_or(0) as u8;
        let (gray, colours) = match &self.layout.colour {
            Colour::WhiteIsZero => (255 - sample(0), 1),
            Colour::BlackIsZero | Colour::LumaFirst { .. } => (sample(0), 1),
            Colour::Rgb => (luma(sample(0), sample(1), sample(2)), 3),
            Colour::Palette(palette) => {
                let (third, index) = (palette.len() / 3, usize::from(pel.first().copied().unwrap_or(0)));
                let part = |table: usize| {
                    let value = if index < third { palette.get(table * third + index) } else { None };
                    value.map_or(u8::MAX, |value| (value >> 8) as u8)
                };
                (luma(part(0), part(1), part(2)), 1)
            }
            Colour::Cmyk => (cmyk_luma([sample(0), sample(1), sample(2), sample(3)]), 4),
        };
        match self.layout.alpha {
            Alpha::None => gray,
            Alpha::Unassociated => over_white(gray, sample(colours)),
            // The colours have already been multiplied, so only the white paper that shows through is added.
            Alpha::Associated => gray.saturating_add(255 - sample(colours)),
        }
    }
}

/// Reads the sample that begins at a certain bit; its highest bit comes first.
fn packed(bytes: &[u8], at: usize, bits: usize) -> u64 {
    let (first, last) = (at / 8, (at + bits).div_ceil(8));
    let value = bytes[first..last].iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    value >> (last * 8 - at - bits) & ((1 << bits) - 1)
}
