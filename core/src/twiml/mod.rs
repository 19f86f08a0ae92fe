//! TwiML for fax: the text that an app answers becomes one verb, an error, and warnings. It carries nothing out.

mod parse;
mod text;
mod verb;

pub use self::parse::{DEPTH_MAX, TWIML_BYTES_MAX, TwimlError, interpret};
pub use self::verb::{Reading, Receive, Verb, Warning};
