//! The mapping between the file format's types and the engine's, and the macro that declares the types of the format.
//!
//! No struct or enum of the engine or the model is written directly: a file must outlive the names and the shape of the
//! engine's types. So each type has a counterpart in the format, which serde reads and writes, and conversions that
//! name every field on both sides. When the engine changes, the conversions no longer compile. There are three cases:
//!
//! - A field was renamed: `name_in_the_file = name_in_the_engine: Type`.
//! - A new field is not worth writing: `not written { field = default, }` after the type. No file changes.
//! - A new field is written: it gets `#[serde(default)]`, and files without it can still be read. If no default is
//!   right, the format gets a new version and `upgrade.rs` a new step.
//!
//! Types with a textual form that users know are written in that form and need no counterpart: ids, phone numbers,
//! parties, times, rule patterns, and the enums of `words!`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::agenda::AlarmKind;
use crate::engine::event::{AlertLevel, CallResult};
use crate::engine::rule::Pattern;
use crate::model::account::{AccountStatus, DocumentPolicy, Service};
use crate::model::fault::Fault;
use crate::model::fax::{Direction, MediaType, PageSize, Quality, Status};
use crate::model::media::MediaFault;
use crate::model::message::MessageStatus;
use crate::model::number::ReceiveMode;
use crate::model::page::LINE_RATES_BPS;
use crate::model::phone::{Party, PhoneNumber};
use crate::model::sid::{AlertSid, ApplicationSid, FaxSid, KeySid, MediaSid, MessageSid, NumberSid, TwimlBinSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{Method, Purpose, Signature};

/// A type of the file format that represents an engine type.
pub(super) trait Form: Serialize + DeserializeOwned {
    /// The engine type that this type represents.
    type Of;

    /// Converts an engine value to its written form.
    fn of(value: &Self::Of) -> Self;

    /// Converts the written form back to the engine value.
    fn value(self) -> Self::Of;

    /// Returns whether a field with this value is omitted from the file.
    fn is_left_out(&self) -> bool {
        false
    }
}

/// Declares a type of the format and its conversions to and from the engine type.
macro_rules! form {
    (
        $(#[$meta:meta])*
        struct $name:ident for $engine:ty {
            $($(#[$field_meta:meta])* $field:ident $(= $member:tt)?: $type:ty,)*
        }
        $(not written { $($own:ident = $default:expr,)+ })?
    ) => {
        $(#[$meta])*
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(in crate::engine::export) struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "crate::engine::export::form::Form::is_left_out")]
                $field: $type,
            )*
        }

        impl $crate::engine::export::form::Form for $name {
            type Of = $engine;

            fn of(value: &Self::Of) -> Self {
                // An alias, because a `ty` fragment can't begin a pattern or an expression.
                type Engine = $engine;
                let Engine { $($($member:)? $field,)* $($($own: _,)+)? } = value;
                Self { $($field: $crate::engine::export::form::Form::of($field),)* }
            }

            fn value(self) -> Self::Of {
                type Engine = $engine;
                let Self { $($field,)* } = self;
                $(let $field = $crate::engine::export::form::Form::value($field);)*
                Engine { $($($member:)? $field,)* $($($own: $default,)+)? }
            }
        }
    };
    (
        $(#[$meta:meta])*
        enum $name:ident for $engine:ty {
            $(
                $(#[$variant_meta:meta])*
                $variant:ident $(($($item:ident: $item_type:ty),+))? $({ $($field:ident: $type:ty),+ $(,)? })?,
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(in crate::engine::export) enum $name {
            $(
                $(#[$variant_meta])*
                $variant $(($($item_type),+))? $({
                    $(#[serde(skip_serializing_if = "crate::engine::export::form::Form::is_left_out")] $field: $type,)+
                })?,
            )+
        }

        impl $crate::engine::export::form::Form for $name {
            type Of = $engine;

            fn of(value: &Self::Of) -> Self {
                type Engine = $engine;
                match value {
                    $(
                        Engine::$variant $(($($item),+))? $({ $($field),+ })? => Self::$variant
                            $(($($crate::engine::export::form::Form::of($item)),+))?
                            $({ $($field: $crate::engine::export::form::Form::of($field)),+ })?,
                    )+
                }
            }

            fn value(self) -> Self::Of {
                type Engine = $engine;
                match self {
                    $(
                        Self::$variant $(($($item),+))? $({ $($field),+ })? => Engine::$variant
                            $(($($crate::engine::export::form::Form::value($item)),+))?
                            $({ $($field: $crate::engine::export::form::Form::value($field)),+ })?,
                    )+
                }
            }
        }
    };
}

pub(super) use form;

/// Declares the forms of an attribute set and of a partial update to it.
macro_rules! attributes {
    (
        $(#[$attributes_meta:meta])* $attributes:ident for $engine_attributes:ty,
        $(#[$change_meta:meta])* $change:ident for $engine_change:ty,
        $($field:ident: $type:ty,)+
    ) => {
        $crate::engine::export::form::form! {
            $(#[$attributes_meta])*
            struct $attributes for $engine_attributes { $($field: $type,)+ }
        }
        $crate::engine::export::form::form! {
            $(#[$change_meta])*
            struct $change for $engine_change { $($field: Option<$type>,)+ }
        }
    };
}

pub(super) use attributes;

/// Implements `Form` for types that serde writes directly.
macro_rules! plain {
    ($($type:ty),+ $(,)?) => {
        $(
            impl Form for $type {
                type Of = Self;

                fn of(value: &Self) -> Self {
                    Self::clone(value)
                }

                fn value(self) -> Self {
                    self
                }
            }
        )+
    };
}

plain!(bool, Box<[FaxSid]>, u16, u32, u64, usize, f64, [u64; LINE_RATES_BPS.len()], String, Box<str>, Arc<str>);
plain!(
    AlertSid,
    ApplicationSid,
    FaxSid,
    KeySid,
    MediaSid,
    MessageSid,
    NumberSid,
    TwimlBinSid,
    PhoneNumber,
    Party,
    Timestamp,
    Pattern
);
plain!(
    AccountStatus,
    AlarmKind,
    AlertLevel,
    CallResult,
    Direction,
    DocumentPolicy,
    Fault,
    MediaFault,
    MediaType,
    Method,
    PageSize
);
plain!(MessageStatus, Purpose, Quality, ReceiveMode, Service, Signature, Status);

impl<F: Form> Form for Option<F> {
    type Of = Option<F::Of>;

    fn of(value: &Self::Of) -> Self {
        value.as_ref().map(F::of)
    }

    fn value(self) -> Self::Of {
        self.map(F::value)
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }
}

impl<F: Form> Form for Box<F> {
    type Of = Box<F::Of>;

    fn of(value: &Self::Of) -> Self {
        Self::new(F::of(value))
    }

    fn value(self) -> Self::Of {
        Box::new(F::value(*self))
    }
}

impl<F: Form> Form for Vec<F> {
    type Of = Vec<F::Of>;

    fn of(value: &Self::Of) -> Self {
        value.iter().map(F::of).collect()
    }

    fn value(self) -> Self::Of {
        self.into_iter().map(F::value).collect()
    }
}

impl<F: Form> Form for VecDeque<F> {
    type Of = VecDeque<F::Of>;

    fn of(value: &Self::Of) -> Self {
        value.iter().map(F::of).collect()
    }

    fn value(self) -> Self::Of {
        self.into_iter().map(F::value).collect()
    }
}

impl<A: Form, B: Form> Form for (A, B) {
    type Of = (A::Of, B::Of);

    fn of((a, b): &Self::Of) -> Self {
        (A::of(a), B::of(b))
    }

    fn value(self) -> Self::Of {
        (self.0.value(), self.1.value())
    }
}

/// A value that the engine shares through an `Arc`, written like any other. It is boxed, so that an enum with a shared
/// value isn't larger in the format than in the engine.
#[derive(Serialize, Deserialize)]
// serde need not add any bounds, since `Form` implies them.
#[serde(transparent, bound = "")]
pub(super) struct Shared<F: Form>(Box<F>);

impl<F: Form> Form for Shared<F> {
    type Of = Arc<F::Of>;

    fn of(value: &Self::Of) -> Self {
        Self(Box::new(F::of(value)))
    }

    fn value(self) -> Self::Of {
        Arc::new((*self.0).value())
    }
}

/// A list of engine values, converted one at a time while it is written or read: converting a large world all at once
/// would take many times its memory.
pub(super) struct List<F: Form>(pub(super) Vec<F::Of>);

impl<F: Form> Default for List<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Form> List<F> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<F: Form> Serialize for List<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(F::of))
    }
}

impl<'de, F: Form> Deserialize<'de> for List<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts<F>(PhantomData<F>);
        impl<'de, F: Form> Visitor<'de> for Parts<F> {
            type Value = List<F>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<List<F>, A::Error> {
                let mut list = Vec::new();
                while let Some(part) = parts.next_element::<F>()? {
                    list.push(part.value());
                }
                Ok(List(list))
            }
        }
        deserializer.deserialize_seq(Parts(PhantomData))
    }
}

/// A map of engine values, converted one at a time like those in a [`List`].
pub(super) struct ByName<K, F: Form>(pub(super) BTreeMap<K, F::Of>);

impl<K: Serialize, F: Form> Serialize for ByName<K, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, F::of(value))))
    }
}

impl<'de, K: Deserialize<'de> + Ord + fmt::Display, F: Form> Deserialize<'de> for ByName<K, F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts<K, F>(PhantomData<(K, F)>);
        impl<'de, K: Deserialize<'de> + Ord + fmt::Display, F: Form> Visitor<'de> for Parts<K, F> {
            type Value = ByName<K, F>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<ByName<K, F>, A::Error> {
                let mut map = BTreeMap::new();
                while let Some((name, part)) = parts.next_entry::<K, F>()? {
                    // The map would silently keep the last of several values with the same name.
                    if map.contains_key(&name) {
                        return Err(A::Error::custom(format!("{name} is given twice; give it once")));
                    }
                    map.insert(name, part.value());
                }
                Ok(ByName(map))
            }
        }
        deserializer.deserialize_map(Parts(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A document written with an earlier engine type.
    const WRITTEN: &str = r#"{"sid":"a","quality":"fine"}"#;

    form! {
        /// The form of that type, unchanged since `WRITTEN` was written.
        struct Fax for engine::Fax {
            sid: String,
            quality = resolution: Quality,
        }
        not written { retries = 7, }
    }

    mod engine {
        use crate::model::fax::Quality;

        /// The engine type today: one field was renamed, and one is new.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(in crate::engine::export) struct Fax {
            pub(super) sid: String,
            pub(super) resolution: Quality,
            pub(super) retries: u32,
        }
    }

    #[test]
    fn renaming_or_adding_an_engine_field_changes_no_file() {
        let read: Fax = serde_json::from_str(WRITTEN).expect("still readable");
        let fax = read.value();
        assert_eq!(fax, engine::Fax { sid: "a".to_owned(), resolution: Quality::Fine, retries: 7 });
        let changed = engine::Fax { retries: 9, ..fax };
        assert_eq!(serde_json::to_string(&Fax::of(&changed)).expect("JSON"), WRITTEN);
    }

    #[test]
    fn absent_values_are_omitted_and_unknown_fields_are_refused() {
        #[derive(Debug, PartialEq)]
        pub(in crate::engine::export) struct Unnamed(Option<u32>, u32);
        form! {
            struct Pair for Unnamed {
                first = 0: Option<u32>,
                second = 1: u32,
            }
        }
        assert_eq!(serde_json::to_value(Pair::of(&Unnamed(None, 2))).expect("JSON"), json!({ "second": 2 }));
        let read = |value| serde_json::from_value::<Pair>(value).map(Form::value);
        assert_eq!(read(json!({ "second": 2 })).expect("readable"), Unnamed(None, 2));
        for (document, told) in
            [(json!({ "first": 1 }), "missing field"), (json!({ "second": 2, "third": 3 }), "third")]
        {
            assert!(read(document).expect_err("refused").to_string().contains(told));
        }
    }
}
