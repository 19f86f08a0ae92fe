//! The basic types: ids, numbers, faxes, media, time, refusals. They make no decisions and do no I/O.

pub mod account;
pub mod application;
pub(crate) mod attributes;
pub mod credential;
pub mod fault;
pub mod fax;
pub mod field_words;
pub mod hex;
pub mod inventory;
pub mod line;
pub mod media;
pub mod message;
pub mod number;
pub mod overrides;
pub mod page;
pub mod phone;
pub mod price;
pub mod reception;
pub mod reference;
pub mod refusal;
pub mod request_edits;
pub mod sid;
pub mod time;
pub mod transition;
pub mod twiml_bin;
pub mod webhook;
#[doc(hidden)]
pub mod words;
