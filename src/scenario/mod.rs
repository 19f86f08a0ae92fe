//! Scenario files: tests without code. A file lists steps, such as an incoming fax, a rule, a wait or an expectation; a
//! run performs them in order and judges them. Like `check`, it drives the emulator through its public control and REST
//! APIs only, so the emulator may be in another process.
//!
//! | file | what it does |
//! |---|---|
//! | `document.rs`, `wanted.rs` | the types of a file, from which the JSON Schema follows |
//! | `read.rs`, `checked.rs`, `locate.rs`, `refs.rs` | reads a file: its variables and references, the rules beyond the types, and the place of a mistake |
//! | `hosted.rs` | the documents that the steps send, served to the emulator |
//! | `run.rs`, `place.rs` | performs the steps in an account, and puts back what they changed |
//! | `act.rs`, `wait.rs`, `expect.rs` | the steps themselves |
//! | `report.rs`, `junit.rs` | the results, as values and as files |

mod act;
mod checked;
mod document;
mod error;
mod expect;
mod hosted;
mod junit;
mod locate;
mod place;
mod read;
mod refs;
mod report;
mod run;
mod wait;
mod wanted;

pub use self::checked::STEPS_MAX;
pub use self::document::{App, schema};
pub use self::error::BadFile;
pub use self::hosted::Hosted;
pub use self::junit::junit;
pub use self::place::Options;
pub use self::read::{APP_VAR, FILE_BYTES_MAX, Scenario, Source, is_of_process, read};
pub use self::report::{Mismatch, Report, StepResult, Summary, json, total};
pub use self::run::{RUN_TIME_MAX, run};
