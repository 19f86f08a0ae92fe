//! Wire words: forms and queries in, JSON, dates, tokens and signatures out. Nothing here decides what a fax does.

pub mod address;
pub mod attribute;
pub mod callback;
pub mod date;
pub mod debugger;
pub mod error;
pub mod explain;
pub mod form;
mod hmac;
pub mod hosts;
pub mod json;
pub mod mask;
pub mod matching;
pub mod media_url;
pub mod paging;
pub mod parameter;
pub mod rule;
pub mod signature;
pub mod traceparent;
pub mod twilio;
