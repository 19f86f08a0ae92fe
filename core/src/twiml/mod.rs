//! TwiML for fax: reads an app's response as one verb or an error, with warnings. The engine executes the verb.

mod error;
mod parse;
mod text;
mod verb;

pub use self::error::{TWIML_BYTES_MAX, TwimlError};
pub use self::parse::{DEPTH_MAX, interpret};
pub use self::verb::{Reading, Receive, Verb, Warning};
