//! Bytes as lower-case hexadecimal digits, the form of fingerprints, tokens and ids.

/// Encodes each byte as two digits.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    let digits = bytes.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_becomes_two_lower_case_digits() {
        assert_eq!(encode([0x00, 0x0a, 0xf0, 0xff]), "000af0ff");
        assert_eq!(encode([]), "");
    }
}
