//! Wire words: forms and queries in, JSON, dates, tokens and signatures out. Nothing here decides what a fax does.

pub mod address;
pub mod canonical;
pub mod date;
pub mod error;
pub mod explain;
pub mod form;
pub mod hosts;
pub mod mask;
pub mod matching;
pub mod media_url;
pub mod paging;
pub mod parameter;
pub mod rule;
pub mod seam;
pub mod signature;
pub mod traceparent;
pub mod twilio;

/// Names and values in order: the parameters or headers of a request.
pub type Params = Vec<(String, String)>;
