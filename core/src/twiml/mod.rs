//! TwiML for fax: the text that an app answers becomes one verb, an error, and warnings. It carries nothing out.

mod error;
mod parse;
mod text;
mod verb;

pub use self::error::{TWIML_BYTES_MAX, TwimlError};
pub use self::parse::{DEPTH_MAX, interpret};
pub use self::verb::{Reading, Receive, Verb, Warning};
