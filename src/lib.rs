//! fauxfax: a local emulator of Twilio Programmable Fax. This file lists the layers; imports point down only.
//!
//! A pure engine decides ([`engine`], [`model`], [`twiml`]), the wire words of a service stop at [`dialect`], and a
//! thin shell performs what the engine wants done. Without the feature `server` the library is the pure part alone.

#[cfg(feature = "render")]
pub use fauxfax_core::document;
pub use fauxfax_core::{dialect, engine, model, twiml};

#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
mod driver;
#[cfg(feature = "server")]
pub mod emulator;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod io;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod testing;

#[cfg(feature = "server")]
pub mod world;

#[cfg(feature = "cli")]
pub mod cli;

#[cfg(feature = "server")]
pub use testing::{Account, Conversation, Document, Emulator, Error, Event, Outcome, rules};
