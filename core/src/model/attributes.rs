//! A macro that defines a resource's settable attributes and a partial update of them.

macro_rules! attributes {
    (
        $(#[$attributes_doc:meta])* $attributes:ident,
        $(#[$change_doc:meta])* $change:ident,
        $($(#[$doc:meta])* $field:ident: $type:ty,)+
    ) => {
        $(#[$attributes_doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $attributes { $($(#[$doc])* pub $field: $type,)+ }

        $(#[$change_doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $change { $($(#[$doc])* pub $field: Option<$type>,)+ }

        impl $attributes {
            /// The names of all attributes, in snake_case.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($field),)+];

            /// Applies the change; attributes that the change doesn't set keep their values.
            #[must_use]
            pub fn with(mut self, change: &$change) -> Self {
                $(if let Some(value) = &change.$field { self.$field = value.clone(); })+
                self
            }
        }
    };
}

pub(crate) use attributes;
