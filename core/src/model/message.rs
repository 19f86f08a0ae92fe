//! A text message: its parties, its text, and its status from queued to delivered. No telephone network is modelled.

use super::phone::PhoneNumber;
use super::sid::MessageSid;
use super::time::Timestamp;
use super::words::words;

/// The maximum number of characters of a message's text (Twilio's error 21617).
pub const BODY_CHARS_MAX: usize = 1_600;
/// The maximum number of media per message (Twilio's error 21623).
pub const MEDIA_MAX: usize = 10;
/// The maximum number of characters of a sender's name (Twilio docs: alphanumeric sender id).
pub const SENDER_NAME_CHARS_MAX: usize = 11;

/// The numbers of septets that fit into a message of one part, and into each part of a longer one (3GPP TS 23.038
/// §6.1.2.1.1, TS 23.040 §9.2.3.24.1).
const SEPTETS: Capacity = Capacity { alone: 160, of_several: 153 };
/// The numbers of UTF-16 code units that fit into such messages and parts.
const CODE_UNITS: Capacity = Capacity { alone: 70, of_several: 67 };
/// The characters of the GSM 7-bit default alphabet other than ASCII letters and digits (3GPP TS 23.038 §6.2.1).
const GSM_DEFAULT: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// The characters of that alphabet's extension table, each of which takes two septets.
const GSM_EXTENSION: &str = "\u{c}^{}\\[~]|€";

words!(
    /// The status of a message.
    MessageStatus {
        /// The message is waiting to be sent.
        Queued = "queued",
        /// The message has been handed to the network.
        Sent = "sent",
        /// The message has reached the phone.
        Delivered = "delivered",
    }
);

impl MessageStatus {
    /// Returns the status that follows, unless this one is final.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Queued => Some(Self::Sent),
            Self::Sent => Some(Self::Delivered),
            Self::Delivered => None,
        }
    }

    /// Returns whether no other status follows.
    #[must_use]
    pub const fn is_final(self) -> bool {
        self.next().is_none()
    }
}

/// The sender that a message shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A telephone number in E.164 form.
    Number(PhoneNumber),
    /// A short code, or a name of letters, digits and spaces.
    Name(Box<str>),
}

impl Sender {
    /// Parses the value of `From`; `None` if it is neither a number, a short code nor a valid name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse() {
            return Some(Self::Number(number));
        }
        let is_name = (1..=SENDER_NAME_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
            && text.bytes().any(|byte| byte.is_ascii_alphabetic());
        (is_name || is_short_code(text)).then(|| Self::Name(text.into()))
    }
}

/// Returns whether a string is a short code: five or six digits in North America, and as few as three elsewhere.
fn is_short_code(text: &str) -> bool {
    (3..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl std::fmt::Display for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A message of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message's SID.
    pub sid: MessageSid,
    /// The message's rank in the order of creation, by which lists are sorted.
    pub ordinal: u64,
    /// The sender; `None` if a messaging service is to choose one.
    pub from: Option<Sender>,
    /// The number that the message is sent to.
    pub to: PhoneNumber,
    /// The text; empty once redacted.
    pub body: Box<str>,
    /// The number of parts in which the text is sent; it stays the same when the text is redacted.
    pub segments: u32,
    /// The number of the message's media, which are not fetched.
    pub media: u32,
    /// The messaging service that the message names, if any.
    pub messaging_service: Option<Box<str>>,
    /// The URL that is notified of status changes.
    pub status_callback: Option<Box<str>>,
    /// The message's status.
    pub status: MessageStatus,
    /// The message's creation time.
    pub created: Timestamp,
    /// The time of the last change.
    pub updated: Timestamp,
    /// The time at which the message was sent; `None` while it is queued.
    pub sent: Option<Timestamp>,
    /// The statuses that the app has yet to be notified of, oldest first. The notification of the first is under way.
    pub owed: Vec<MessageStatus>,
}

/// The units that fit into the parts of a message.
#[derive(Debug, Clone, Copy)]
struct Capacity {
    alone: usize,
    of_several: usize,
}

impl Capacity {
    /// Returns the number of parts for characters of these widths. No character is split between two parts.
    fn parts(self, widths: impl Iterator<Item = usize> + Clone) -> u32 {
        if widths.clone().sum::<usize>() <= self.alone {
            return 1;
        }
        let (mut parts, mut used) = (1, 0);
        for width in widths {
            if used + width > self.of_several {
                parts += 1;
                used = 0;
            }
            used += width;
        }
        parts
    }
}

/// Returns the number of parts in which a text is sent: in the GSM 7-bit alphabet if that has all its characters,
/// otherwise in UCS-2.
#[must_use]
pub fn segments(body: &str) -> u32 {
    if body.chars().all(|character| septets(character).is_some()) {
        return SEPTETS.parts(body.chars().filter_map(septets));
    }
    CODE_UNITS.parts(body.chars().map(char::len_utf16))
}

fn septets(character: char) -> Option<usize> {
    if character.is_ascii_alphanumeric() || GSM_DEFAULT.contains(character) {
        Some(1)
    } else {
        GSM_EXTENSION.contains(character).then_some(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_split_according_to_the_alphabet_that_it_needs() {
        for (text, parts) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            // A character's two septets are not split: 76 of these fit into 153 septets.
            ("€".repeat(152), 2),
            ("€".repeat(153), 3),
            ("ß@Δ\n".repeat(40), 1),
            ("я".repeat(70), 1),
            ("я".repeat(71), 2),
            ("👍".repeat(35), 1),
            ("👍".repeat(36), 2),
            // Nor are a character's two surrogates: 33 of these fit into 67 code units.
            ("👍".repeat(66), 2),
            ("👍".repeat(67), 3),
            (format!("{}`", "a".repeat(69)), 1),
            (format!("{}`", "a".repeat(70)), 2),
        ] {
            assert_eq!(segments(&text), parts, "{} of {:?}", text.chars().count(), text.chars().next());
        }
    }

    #[test]
    fn a_sender_is_a_number_a_short_code_or_a_name() {
        assert_eq!(Sender::parse("+15005550006"), Some(Sender::Number(PhoneNumber::from_digits(15_005_550_006))));
        for name in ["Acme", "My Shop 24", "12345", "894546", "101"] {
            assert_eq!(Sender::parse(name), Some(Sender::Name(name.into())));
        }
        for bad in ["", "15005550006", "+1", "12", "1234567", "Acme!", "twelve chars", "whatsapp:+15005550006", " "] {
            assert_eq!(Sender::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_only_final_status_is_delivered() {
        let way: Vec<_> = std::iter::successors(Some(MessageStatus::Queued), |status| status.next()).collect();
        assert_eq!(way, MessageStatus::ALL);
        assert!(MessageStatus::Delivered.is_final() && !MessageStatus::Sent.is_final());
    }
}
