//! The code tables of T.4 §4.1.1 and T.6 §2.2.3, written as bit strings in the same way as in the recommendations.

/// A code word, right-aligned, and its length in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) code: u16,
    pub(super) bits: u8,
}

/// The number of terminating codes per colour, for runs of 0 to 63 (T.4 table 2).
const TERMINATING: usize = 64;
/// The number of make-up codes per colour, for runs of 64 to 1728 (T.4 table 3a).
const MAKE_UP: usize = 27;
/// The number of make-up codes that both colours share, for runs of 1792 to 2560 (T.4 table 3b).
const EXTENDED: usize = 13;
/// The longest run that one make-up code covers.
pub(super) const LONGEST_MAKE_UP: u32 = 2_560;

/// The codes for the runs of one colour.
pub(super) struct Runs {
    terminating: [Code; TERMINATING],
    /// The make-up codes for 64, 128 and so on up to 1728 pels.
    make_up: [Code; MAKE_UP],
}

impl Runs {
    /// Returns the terminating code for a run, or for the rest of a run, of fewer than 64 pels.
    pub(super) const fn terminating(&self, length: u32) -> Code {
        self.terminating[length as usize]
    }

    /// Returns the make-up code for `times` × 64 pels, at least 64 and at most `LONGEST_MAKE_UP`.
    pub(super) const fn make_up(&self, times: u32) -> Code {
        let index = times as usize - 1;
        if index < MAKE_UP { self.make_up[index] } else { EXTENDED_MAKE_UP[index - MAKE_UP] }
    }
}

/// The end-of-line code (T.4 §4.1.2).
pub(super) const EOL: Code = code("000000000001");
/// Pass mode (T.4 table 4, T.6 table 1).
pub(super) const PASS: Code = code("0001");
/// Horizontal mode (T.4 table 4, T.6 table 1).
pub(super) const HORIZONTAL: Code = code("001");
/// The vertical modes from VL(3) to VR(3) (T.4 table 4, T.6 table 1).
pub(super) const VERTICAL: [Code; 7] =
    [code("0000010"), code("000010"), code("010"), code("1"), code("011"), code("000011"), code("0000011")];

/// The make-up codes that both colours share (T.4 table 3b).
static EXTENDED_MAKE_UP: [Code; EXTENDED] = codes([
    "00000001000",
    "00000001100",
    "00000001101",
    "000000010010",
    "000000010011",
    "000000010100",
    "000000010101",
    "000000010110",
    "000000010111",
    "000000011100",
    "000000011101",
    "000000011110",
    "000000011111",
]);

/// The codes for white runs (T.4 tables 2 and 3a).
pub(super) static WHITE: Runs = Runs {
    terminating: codes([
        "00110101", "000111", "0111", "1000", "1011", "1100", "1110", "1111", "10011", "10100", "00111", "01000",
        "001000", "000011", "110100", "110101", "101010", "101011", "0100111", "0001100", "0001000", "0010111",
        "0000011", "0000100", "0101000", "0101011", "0010011", "0100100", "0011000", "00000010", "00000011",
        "00011010", "00011011", "00010010", "00010011", "00010100", "00010101", "00010110", "00010111", "00101000",
        "00101001", "00101010", "00101011", "00101100", "00101101", "00000100", "00000101", "00001010", "00001011",
        "01010010", "01010011", "01010100", "01010101", "00100100", "00100101", "01011000", "01011001", "01011010",
        "01011011", "01001010", "01001011", "00110010", "00110011", "00110100",
    ]),
    make_up: codes([
        "11011",
        "10010",
        "010111",
        "0110111",
        "00110110",
        "00110111",
        "01100100",
        "01100101",
        "01101000",
        "01100111",
        "011001100",
        "011001101",
        "011010010",
        "011010011",
        "011010100",
        "011010101",
        "011010110",
        "011010111",
        "011011000",
        "011011001",
        "011011010",
        "011011011",
        "010011000",
        "010011001",
        "010011010",
        "011000",
        "010011011",
    ]),
};

/// The codes for black runs (T.4 tables 2 and 3a).
pub(super) static BLACK: Runs = Runs {
    terminating: codes([
        "0000110111",
        "010",
        "11",
        "10",
        "011",
        "0011",
        "0010",
        "00011",
        "000101",
        "000100",
        "0000100",
        "0000101",
        "0000111",
        "00000100",
        "00000111",
        "000011000",
        "0000010111",
        "0000011000",
        "0000001000",
        "00001100111",
        "00001101000",
        "00001101100",
        "00000110111",
        "00000101000",
        "00000010111",
        "00000011000",
        "000011001010",
        "000011001011",
        "000011001100",
        "000011001101",
        "000001101000",
        "000001101001",
        "000001101010",
        "000001101011",
        "000011010010",
        "000011010011",
        "000011010100",
        "000011010101",
        "000011010110",
        "000011010111",
        "000001101100",
        "000001101101",
        "000011011010",
        "000011011011",
        "000001010100",
        "000001010101",
        "000001010110",
        "000001010111",
        "000001100100",
        "000001100101",
        "000001010010",
        "000001010011",
        "000000100100",
        "000000110111",
        "000000111000",
        "000000100111",
        "000000101000",
        "000001011000",
        "000001011001",
        "000000101011",
        "000000101100",
        "000001011010",
        "000001100110",
        "000001100111",
    ]),
    make_up: codes([
        "0000001111",
        "000011001000",
        "000011001001",
        "000001011011",
        "000000110011",
        "000000110100",
        "000000110101",
        "0000001101100",
        "0000001101101",
        "0000001001010",
        "0000001001011",
        "0000001001100",
        "0000001001101",
        "0000001110010",
        "0000001110011",
        "0000001110100",
        "0000001110101",
        "0000001110110",
        "0000001110111",
        "0000001010010",
        "0000001010011",
        "0000001010100",
        "0000001010101",
        "0000001011010",
        "0000001011011",
        "0000001100100",
        "0000001100101",
    ]),
};

const fn codes<const N: usize>(strings: [&str; N]) -> [Code; N] {
    let mut codes = [Code { code: 0, bits: 0 }; N];
    let mut index = 0;
    while index < N {
        codes[index] = code(strings[index]);
        index += 1;
    }
    codes
}

/// Parses a bit string such as `0001`.
const fn code(string: &str) -> Code {
    let bits = string.as_bytes();
    let mut code = 0;
    let mut index = 0;
    while index < bits.len() {
        code = code << 1 | (bits[index] - b'0') as u16;
        index += 1;
    }
    Code { code, bits: bits.len() as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_a_prefix_of_another_code_of_the_same_colour() {
        for runs in [&WHITE, &BLACK] {
            let mut all: Vec<Code> =
                runs.terminating.iter().chain(&runs.make_up).chain(&EXTENDED_MAKE_UP).copied().collect();
            all.push(EOL);
            for (index, short) in all.iter().enumerate() {
                for (other, long) in all.iter().enumerate() {
                    let begins = long.bits >= short.bits && long.code >> (long.bits - short.bits) == short.code;
                    assert!(index == other || !begins, "{short:?} {long:?}");
                }
            }
        }
    }
}
