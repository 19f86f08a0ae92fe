//! The parts of a state that are read first: its version and its faxes' documents. They may be anywhere in the text,
//! and nothing else is kept in memory during the search.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use super::shelf::{self, ByHash};
use super::{COUNT_MAX, DOCUMENTS, VERSION};

/// The maximum number of characters of an invalid version that an error quotes.
const SHOWN_CHARS_MAX: usize = 40;

/// The path of an invalid document, and the reason that it is invalid.
type Fault = (String, String);

/// The version and the documents of a state.
pub(super) struct Outline {
    pub(super) version: Version,
    pub(super) documents: Result<ByHash, Fault>,
}

impl Outline {
    const fn of_no_state() -> Self {
        Self { version: Version::Missing, documents: Ok(ByHash::new()) }
    }
}

/// Declares a visitor's methods for values of unexpected types, which all return `$other`. The elements of a list are
/// read as `$element`, and dropped.
macro_rules! others {
    ($other:expr) => {
        others!($other, IgnoredAny);
    };
    ($other:expr, $element:ty) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($other)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($other)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($other)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($other)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            // All elements are read, because the parser reports those left unread as an error.
            while list.next_element::<$element>()?.is_some() {}
            Ok($other)
        }
    };
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Outline;
            others!(Outline::of_no_state());

            fn visit_u64<E>(self, _: u64) -> Result<Outline, E> {
                Ok(Outline::of_no_state())
            }

            fn visit_str<E>(self, _: &str) -> Result<Outline, E> {
                Ok(Outline::of_no_state())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Outline, A::Error> {
                let mut outline = Outline::of_no_state();
                while let Some(name) = fields.next_key::<String>()? {
                    if name == VERSION {
                        outline.version = fields.next_value()?;
                    } else if name == DOCUMENTS {
                        outline.documents = fields.next_value::<Documents>()?.0;
                    } else {
                        fields.next_value::<Counted>()?;
                    }
                }
                Ok(outline)
            }
        }
        deserializer.deserialize_any(Whole)
    }
}

/// A value of any kind that contains no whole number above `COUNT_MAX`; a larger number could overflow a counter.
struct Counted;

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Counted;
            others!(Counted, Counted);

            fn visit_u64<E: Error>(self, number: u64) -> Result<Counted, E> {
                let is_large = number > COUNT_MAX;
                if is_large {
                    Err(E::custom(format!("is greater than {COUNT_MAX}, the largest value that a counter can have")))
                } else {
                    Ok(Counted)
                }
            }

            fn visit_str<E>(self, _: &str) -> Result<Counted, E> {
                Ok(Counted)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Counted, A::Error> {
                while fields.next_key::<String>()?.is_some() {
                    fields.next_value::<Self::Value>()?;
                }
                Ok(Counted)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// The value of the field with the version.
pub(super) enum Version {
    /// There is no such field, or the whole document isn't even an object.
    Missing,
    Number(u64),
    /// Any other value, as errors show it.
    Other(String),
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl<'de> Visitor<'de> for Number {
            type Value = Version;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_u64<E>(self, version: u64) -> Result<Version, E> {
                Ok(Version::Number(version))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Version, E> {
                Ok(Version::Other(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Version, E> {
                Ok(Version::Other(format!("{number:?}")))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Version, E> {
                Ok(Version::Other(value.to_string()))
            }

            fn visit_unit<E>(self) -> Result<Version, E> {
                Ok(Version::Other("null".to_owned()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Version, E> {
                let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
                Ok(Version::Other(format!("{shown:?}")))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Version, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Version::Other("a list".to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Version, A::Error> {
                while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Version::Other("an object".to_owned()))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

struct Documents(Result<ByHash, Fault>);

impl Documents {
    fn no_object() -> Self {
        Self(Err((DOCUMENTS.to_owned(), "must be an object that maps SHA-256 hashes to base64".to_owned())))
    }
}

impl<'de> Deserialize<'de> for Documents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Listed;
        impl<'de> Visitor<'de> for Listed {
            type Value = Documents;
            others!(Documents::no_object());

            fn visit_u64<E>(self, _: u64) -> Result<Documents, E> {
                Ok(Documents::no_object())
            }

            fn visit_str<E>(self, _: &str) -> Result<Documents, E> {
                Ok(Documents::no_object())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Documents, A::Error> {
                let mut documents = Ok(ByHash::new());
                while let Some(name) = fields.next_key::<String>()? {
                    let bytes = fields.next_value::<Bytes>()?.0;
                    let fault = |why: &str| Err((format!("{DOCUMENTS}.{name}"), why.to_owned()));
                    // Reads on after a fault: the version may come later, and its error takes precedence.
                    documents = match (documents, bytes) {
                        (Err(fault), _) => Err(fault),
                        (Ok(_), None) => fault("is not valid base64"),
                        (Ok(_), Some(bytes)) if shelf::hash(&bytes) != name => fault("doesn't match its SHA-256"),
                        (Ok(known), Some(_)) if known.contains_key(&name) => fault("is given twice; give it once"),
                        (Ok(mut known), Some(bytes)) => {
                            known.insert(name, bytes);
                            Ok(known)
                        }
                    };
                }
                Ok(Documents(documents))
            }
        }
        deserializer.deserialize_any(Listed)
    }
}

/// The bytes of a document; `None` if they are not valid base64.
struct Bytes(Option<Arc<[u8]>>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;
        impl<'de> Visitor<'de> for Base64 {
            type Value = Bytes;
            others!(Bytes(None));

            fn visit_u64<E>(self, _: u64) -> Result<Bytes, E> {
                Ok(Bytes(None))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
                Ok(Bytes(decoded(text)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Bytes, A::Error> {
                while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Bytes(None))
            }
        }
        deserializer.deserialize_any(Base64)
    }
}

/// Decodes base64 directly into the shared allocation, so that the bytes are not copied; `None` if it is invalid.
fn decoded(text: &str) -> Option<Arc<[u8]>> {
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    // Checked, because the length would be negative for a string such as `=`.
    let length = (text.len() / 4 * 3).checked_sub(padding)?;
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, length).collect();
    // The new allocation has only one owner, so `get_mut` succeeds.
    let written = BASE64_STANDARD.decode_slice(text, Arc::get_mut(&mut bytes)?).ok()?;
    (written == length).then_some(bytes)
}

/// Documents in written form: an object that maps SHA-256 hashes to base64.
pub(super) struct Inline<'a>(pub(super) &'a ByHash);

impl Serialize for Inline<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, bytes)| (name, Encoded(bytes))))
    }
}

struct Encoded<'a>(&'a [u8]);

impl Serialize for Encoded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &BASE64_STANDARD))
    }
}
