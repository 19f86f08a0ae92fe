//! Resource ids: 128 bits and a kind, shown in Twilio's form. Another dialect may show the same bits differently.

use std::fmt;
use std::str::FromStr;

/// The error for text that is not a SID of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SID of the form {prefix} + 32 hexadecimal digits")]
pub struct SidError {
    /// The two letters that were expected.
    pub prefix: &'static str,
}

macro_rules! sid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The two letters before the digits.
            pub const PREFIX: &'static str = $prefix;

            /// Creates an id from its 128 bits.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 128 bits of the id.
            #[must_use]
            pub const fn bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_sid(f, $prefix, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_sid(f, $prefix, &self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let text = written($prefix, &self.0);
                serializer.serialize_str(std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl FromStr for $name {
            type Err = SidError;

            fn from_str(text: &str) -> Result<Self, SidError> {
                read_sid($prefix, text).map(Self).ok_or(SidError { prefix: $prefix })
            }
        }
    };
}

sid!(
    /// The id of an account, and so of its world.
    AccountSid, "AC"
);
sid!(
    /// The id of an alert in the Monitor list.
    AlertSid, "NO"
);
sid!(
    /// The id of a TwiML application.
    ApplicationSid, "AP"
);
sid!(
    /// The id of a fax, outbound or inbound.
    FaxSid, "FX"
);
sid!(
    /// The id of an API key.
    KeySid, "SK"
);
sid!(
    /// The id of a document stored for a fax.
    MediaSid, "ME"
);
sid!(
    /// The id of a phone number, bought or verified as a caller id.
    NumberSid, "PN"
);

fn write_sid(f: &mut fmt::Formatter<'_>, prefix: &str, bytes: &[u8; 16]) -> fmt::Result {
    f.write_str(std::str::from_utf8(&written(prefix, bytes)).map_err(|_| fmt::Error)?)
}

/// The text of a SID: two letters and 32 digits.
fn written(prefix: &str, bytes: &[u8; 16]) -> [u8; 34] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0u8; 34];
    text[..2].copy_from_slice(prefix.as_bytes());
    for (pair, byte) in text[2..].chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

fn read_sid(prefix: &str, text: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix(prefix)?.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut bytes = [0u8; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        // Upper-case digits are accepted too, and shown in lower case from then on.
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_reads_back_what_it_shows() {
        let sid = FaxSid::from_bytes(*b"0123456789abcdef");
        assert_eq!(sid.to_string().parse(), Ok(sid));
        assert_eq!(sid.to_string(), "FX30313233343536373839616263646566");
    }

    #[test]
    fn a_sid_of_another_kind_or_length_is_refused() {
        let digits = "0".repeat(32);
        assert!(format!("AC{digits}").parse::<FaxSid>().is_err());
        assert!(format!("FX{digits}0").parse::<FaxSid>().is_err());
        assert!(format!("FX{}", "g".repeat(32)).parse::<FaxSid>().is_err());
        assert!(format!("FX{}é", "0".repeat(30)).parse::<FaxSid>().is_err());
        assert!(format!("FX{}", "ABCDEF01".repeat(4)).parse::<FaxSid>().is_ok());
    }
}
