//! Telephone addresses: E.164 numbers, SIP URIs, and the free-form names that a SIP call may carry as `From`.

use std::fmt;
use std::str::FromStr;

/// The maximum number of digits of an international number (E.164 (11/2010) §6).
const DIGITS_MAX: usize = 15;
/// The fewest digits of an accepted number. The limit excludes fragments such as `+1`; every complete number is longer.
const DIGITS_MIN: usize = 5;
/// The longest SIP URI, in bytes. Twilio limits the headers in a URI to 1024 (error 21227); here, the limit applies to
/// the whole URI.
pub const SIP_URI_LEN_MAX: usize = 1_024;
/// The longest name that is accepted as the `From` of a SIP call, in bytes.
pub const SIP_NAME_LEN_MAX: usize = 256;

/// A telephone number in E.164 form, stored as its digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(u64);

/// The error for a string that is not an E.164 number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an E.164 number: + and 5 to 15 digits, the first not zero")]
pub struct NotE164;

impl PhoneNumber {
    /// Returns the digits as one integer: 15005550006 for `+15005550006`.
    #[must_use]
    pub const fn digits(self) -> u64 {
        self.0
    }

    /// Creates a number from its digits, which the caller must have validated.
    #[must_use]
    pub const fn from_digits(digits: u64) -> Self {
        Self(digits)
    }

    /// Formats the number like Twilio's friendly names: `(501) 712-2661` in North America, E.164 elsewhere.
    #[must_use]
    pub fn national_format(self) -> String {
        let text = self.0.to_string();
        match text.strip_prefix('1') {
            Some(rest) if rest.len() == 10 => format!("({}) {}-{}", &rest[..3], &rest[3..6], &rest[6..]),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PhoneNumber {
    type Err = NotE164;

    fn from_str(text: &str) -> Result<Self, NotE164> {
        let digits = text.strip_prefix('+').ok_or(NotE164)?;
        let well_formed = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if !well_formed {
            return Err(NotE164);
        }
        // Fifteen digits always fit into a `u64`.
        digits.parse().map(Self).map_err(|_| NotE164)
    }
}

impl serde::Serialize for PhoneNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PhoneNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for Party {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Party {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // A SIP caller may be any kind of party, so this reads back everything that `Display` writes.
        Self::sip_caller(&text).ok_or_else(|| serde::de::Error::custom("not an E.164 number, a SIP URI or a name"))
    }
}

/// One of the two ends of a fax.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A telephone number in E.164 form.
    Number(PhoneNumber),
    /// A SIP URI, exactly as given.
    Sip(Box<str>),
    /// A bare SIP From such as `Jack` (Fax API, create, `From`); may be empty.
    Name(Box<str>),
}

impl Party {
    /// Parses a `To`: a number or a `sip:`/`sips:` URI.
    #[must_use]
    pub fn destination(text: &str) -> Option<Self> {
        if is_sip_uri(text) {
            return Some(Self::Sip(text.into()));
        }
        text.parse().ok().map(Self::Number)
    }

    /// Parses a `From` for a SIP `To`: a number, a SIP URI, or a name of letters, digits and `+_.-`.
    #[must_use]
    pub fn sip_caller(text: &str) -> Option<Self> {
        let named =
            text.len() <= SIP_NAME_LEN_MAX && text.chars().all(|c| c.is_ascii_alphanumeric() || "+_.-".contains(c));
        Self::destination(text).or_else(|| named.then(|| Self::Name(text.into())))
    }

    /// Returns the telephone number, if the party has one.
    #[must_use]
    pub const fn number(&self) -> Option<PhoneNumber> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Sip(_) | Self::Name(_) => None,
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Sip(text) | Self::Name(text) => f.write_str(text),
        }
    }
}

fn is_sip_uri(text: &str) -> bool {
    let rest = ["sip:", "sips:"].iter().find_map(|scheme| {
        // `get` is used because the text may be shorter than the scheme, or may have a multi-byte character there.
        let head = text.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
    });
    rest.is_some_and(|rest| {
        // Parameters and headers follow the address.
        let address = rest.split(['?', ';']).next().unwrap_or_default();
        // The user before the host is optional.
        let host = address.rsplit('@').next().unwrap_or_default();
        text.len() <= SIP_URI_LEN_MAX && !host.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_strings_are_numbers() {
        assert_eq!("+15005550006".parse::<PhoneNumber>().map(PhoneNumber::digits), Ok(15_005_550_006));
        for bad in ["", "+", "15005550006", "+0123456", "+1234", "+1234567890123456", "+1 500 555", "+１５００５５５"]
        {
            assert_eq!(bad.parse::<PhoneNumber>(), Err(NotE164), "{bad}");
        }
    }

    #[test]
    fn friendly_names_use_the_national_format() {
        assert_eq!(PhoneNumber::from_digits(18_089_255_327).national_format(), "(808) 925-5327");
        assert_eq!(PhoneNumber::from_digits(442_071_838_750).national_format(), "+442071838750");
    }

    #[test]
    fn a_destination_may_be_a_sip_uri_with_headers_and_transport() {
        let uri = "sip:kate@example.com?hatchkey=4815162342;transport=TCP";
        assert_eq!(Party::destination(uri), Some(Party::Sip(uri.into())));
        assert_eq!(Party::destination("sip:"), None);
        assert_eq!(Party::destination("sip:kate@ex ample.com"), None);
        assert_eq!(Party::destination("Jack"), None);
        assert_eq!(Party::sip_caller("Jack"), Some(Party::Name("Jack".into())));
        assert_eq!(Party::sip_caller("Jack!"), None);
    }
}
