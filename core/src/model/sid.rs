//! Resource ids, which consist of 128 bits, a kind, and the form in which the account's dialect writes ids. An id keeps
//! its form, so that it looks the same in responses, webhooks, the log, states and tests.

use std::fmt;
use std::str::FromStr;

/// The form in which a dialect writes ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdForm {
    /// Two letters for the kind and 32 hexadecimal digits, such as `FX0123…`.
    #[default]
    Prefixed,
    /// A lower-case UUID, which doesn't reveal the kind of the resource.
    Uuid,
}

/// The error for a string that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SID of the form {prefix} + 32 hexadecimal digits, nor a UUID")]
pub struct SidError {
    /// The letters with which an id of the expected kind begins.
    pub prefix: &'static str,
}

/// An id of one kind of resource.
pub trait Id: Sized {
    /// Creates an id from 128 random bits. A UUID has version 4, so six of its bits are fixed (RFC 9562 §5.4).
    fn minted(bits: [u8; 16], form: IdForm) -> Self;
}

macro_rules! sid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            bits: [u8; 16],
            form: IdForm,
        }

        impl $name {
            /// The two letters before the digits of the prefixed form.
            pub const PREFIX: &'static str = $prefix;

            /// Creates an id in prefixed form from its 128 bits.
            #[must_use]
            pub const fn from_bytes(bits: [u8; 16]) -> Self {
                Self { bits, form: IdForm::Prefixed }
            }

            /// Returns the id's 128 bits.
            #[must_use]
            pub const fn bytes(&self) -> &[u8; 16] {
                &self.bits
            }

            /// Returns the form in which the id is written.
            #[must_use]
            pub const fn form(&self) -> IdForm {
                self.form
            }
        }

        impl Id for $name {
            fn minted(bits: [u8; 16], form: IdForm) -> Self {
                Self { bits: minted(bits, form), form }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(written($prefix, &self.bits, self.form).as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(written($prefix, &self.bits, self.form).as_str())
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

            /// Parses an id in either form; upper-case digits are accepted too, but shown in lower case.
            fn from_str(text: &str) -> Result<Self, SidError> {
                let read = read_prefixed($prefix, text).map(|bits| Self { bits, form: IdForm::Prefixed });
                let read = read.or_else(|| read_uuid(text).map(|bits| Self { bits, form: IdForm::Uuid }));
                read.ok_or(SidError { prefix: $prefix })
            }
        }
    };
}

sid!(
    /// The id of an account and of its world.
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
    /// The id of a text message.
    MessageSid, "SM"
);
sid!(
    /// The id of a phone number, bought or verified as a caller id.
    NumberSid, "PN"
);

sid!(
    /// The id of a TwiML bin.
    TwimlBinSid, "EH"
);

/// Returns a regular expression for the ids of a kind, in every form that can be parsed. It is not anchored.
#[must_use]
pub fn pattern(prefix: &str) -> String {
    let digits = "[0-9a-fA-F]";
    format!("({prefix}{digits}{{32}}|{digits}{{8}}(-{digits}{{4}}){{3}}-{digits}{{12}})")
}

/// The positions of a UUID's hyphens: the number of digits before each.
const HYPHENS: [usize; 4] = [8, 12, 16, 20];

const fn minted(mut bits: [u8; 16], form: IdForm) -> [u8; 16] {
    if matches!(form, IdForm::Uuid) {
        // The version (4) and the variant (RFC 9562 §5.4).
        bits[6] = bits[6] & 0x0f | 0x40;
        bits[8] = bits[8] & 0x3f | 0x80;
    }
    bits
}

/// The written form of an id, of at most 36 characters. It is kept on the stack, because ids are written often.
struct Written {
    text: [u8; 36],
    len: usize,
}

impl Written {
    fn push(&mut self, byte: u8) {
        self.text[self.len] = byte;
        self.len += 1;
    }

    fn as_str(&self) -> &str {
        // Only ASCII is pushed, so this can't fail.
        std::str::from_utf8(&self.text[..self.len]).unwrap_or_default()
    }
}

fn written(prefix: &str, bits: &[u8; 16], form: IdForm) -> Written {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut written = Written { text: [0; 36], len: 0 };
    if form == IdForm::Prefixed {
        prefix.bytes().for_each(|letter| written.push(letter));
    }
    for (place, byte) in bits.iter().enumerate() {
        if form == IdForm::Uuid && HYPHENS.contains(&(2 * place)) {
            written.push(b'-');
        }
        written.push(DIGITS[usize::from(byte >> 4)]);
        written.push(DIGITS[usize::from(byte & 15)]);
    }
    written
}

fn read_prefixed(prefix: &str, text: &str) -> Option<[u8; 16]> {
    read_digits(text.strip_prefix(prefix)?.bytes())
}

fn read_uuid(text: &str) -> Option<[u8; 16]> {
    let hyphens = text.bytes().enumerate().filter(|(_, byte)| *byte == b'-').map(|(place, _)| place);
    // The position of a hyphen also counts the hyphens before it.
    if !hyphens.eq(HYPHENS.iter().enumerate().map(|(before, place)| place + before)) {
        return None;
    }
    read_digits(text.bytes().filter(|byte| *byte != b'-'))
}

/// Parses exactly 32 hexadecimal digits.
fn read_digits(mut digits: impl Iterator<Item = u8>) -> Option<[u8; 16]> {
    let mut bits = [0u8; 16];
    for byte in &mut bits {
        let high = char::from(digits.next()?).to_digit(16)?;
        let low = char::from(digits.next()?).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    digits.next().is_none().then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_displayed_sid_parses_back() {
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

    #[test]
    fn a_displayed_uuid_parses_back_and_has_version_4() {
        let sid = FaxSid::minted([0xff; 16], IdForm::Uuid);
        assert_eq!(sid.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(sid.to_string().parse(), Ok(sid));
        assert_eq!(sid.to_string().to_uppercase().parse(), Ok(sid));
        assert_ne!(sid, FaxSid::from_bytes(*sid.bytes()), "the same bits in another form are another id");
    }

    #[test]
    fn the_pattern_matches_exactly_what_is_parsed() {
        let pattern = regex_lite::Regex::new(&format!("^{}$", pattern(AccountSid::PREFIX))).expect("a valid pattern");
        let digits = "0123456789abcdef".repeat(2);
        for text in [
            format!("AC{digits}"),
            format!("AC{}", digits.to_uppercase()),
            format!("ac{digits}"),
            format!("FX{digits}"),
            format!("AC{digits}0"),
            digits.clone(),
            "831455c6-574e-4d8b-b6ee-2418140bf4cd".to_owned(),
            "831455C6-574E-4D8B-B6EE-2418140BF4CD".to_owned(),
            "AC831455c6-574e-4d8b-b6ee-2418140bf4cd".to_owned(),
        ]
        .into_iter()
        .chain(NEAR_UUIDS.map(str::to_owned))
        {
            assert_eq!(pattern.is_match(&text), text.parse::<AccountSid>().is_ok(), "{text}");
        }
    }

    /// Strings that resemble UUIDs.
    const NEAR_UUIDS: [&str; 8] = [
        "",
        "831455c6-574e-4d8b-b6ee-2418140bf4c",
        "831455c6-574e-4d8b-b6ee-2418140bf4cdd",
        "831455c6574e4d8bb6ee2418140bf4cd",
        "831455c6-574e4-d8b-b6ee-2418140bf4cd",
        "831455c6-574e-4d8b-b6ee-2418140bf4cg",
        "831455c6-574e-4d8b-b6ee-2418140bf4c\u{e9}",
        "{831455c6-574e-4d8b-b6ee-2418140bf4cd}",
    ];

    #[test]
    fn near_uuids_are_refused() {
        for bad in NEAR_UUIDS {
            assert!(bad.parse::<FaxSid>().is_err(), "{bad}");
        }
    }
}
