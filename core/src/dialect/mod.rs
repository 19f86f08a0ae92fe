//! The wire formats: reads and writes forms, queries, JSON, dates and page tokens, and signs requests and URLs. What
//! people read and write is here, too: sentences about events, advice about errors, and searches. The engine decides
//! what happens to a fax.

pub mod address;
pub mod advice;
pub mod attribute;
pub mod canonical;
pub mod date;
pub mod duration;
pub mod entry;
pub mod error;
pub mod explain;
mod fax_request;
pub mod form;
mod hmac;
pub mod hosts;
pub mod incoming;
pub mod json;
pub mod mask;
pub mod matching;
pub mod media_url;
pub mod paging;
pub mod parameter;
pub mod query;
pub mod recipe;
pub mod resource;
pub mod rule;
pub mod seam;
pub mod search;
pub mod sentence;
pub mod signalwire;
pub mod signature;
pub mod traceparent;
pub mod twilio;
pub mod twiml_bin;
pub mod unseen;
pub mod view;

/// Names and values in order: the parameters or headers of a request.
pub type Params = Vec<(String, String)>;
