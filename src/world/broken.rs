//! Handles a world that a panic in the engine or the driver has broken: its invariants may no longer hold, so until it
//! is reset or restored, the world refuses every other command and gives the reason.
//!
//! ```text
//!  sound ── a panic under the lock, or in the driver ──► broken: calls are refused, no alarm fires, no effect starts
//!    ▲                                                       │
//!    └───────────────── POST /reset, or a restore ───────────┘
//! ```

use std::any::Any;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;

/// How many of the last inputs are reported when a world breaks.
const INPUTS_KEPT: usize = 16;
/// The reason given for a panic whose payload is not a string.
const NO_MESSAGE: &str = "a panic without a message";

/// Whether a world is broken, and why.
#[derive(Debug, Default)]
pub(super) struct Breakage {
    /// An atomic, because every call reads it.
    is_broken: AtomicBool,
    why: Mutex<Option<Arc<str>>>,
}

impl Breakage {
    pub(super) fn is_broken(&self) -> bool {
        // Paired with the swap in `note`, so that the reason is visible once the flag is.
        self.is_broken.load(Ordering::Acquire)
    }

    pub(super) fn why(&self) -> Option<Arc<str>> {
        self.is_broken().then(|| self.reason().clone()).flatten()
    }

    /// Records the reason for the first panic and returns true. Later panics are consequences of the first, so they are
    /// ignored, and this returns false.
    pub(super) fn note(&self, why: &str) -> bool {
        self.reason().get_or_insert_with(|| why.into());
        // Set after the reason, so that a thread that sees the flag also finds the reason.
        !self.is_broken.swap(true, Ordering::AcqRel)
    }

    pub(super) fn heal(&self) {
        *self.reason() = None;
        self.is_broken.store(false, Ordering::Release);
    }

    fn reason(&self) -> std::sync::MutexGuard<'_, Option<Arc<str>>> {
        // Nothing panics while this lock is held: it guards only a string.
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last inputs of a world, reported when it breaks so that the fault can be reproduced.
#[derive(Debug, Default)]
pub(super) struct Trace(VecDeque<Traced>);

#[derive(Debug)]
struct Traced {
    name: &'static str,
    fax: Option<FaxSid>,
    at: Timestamp,
}

impl Trace {
    pub(super) fn add(&mut self, name: &'static str, fax: Option<FaxSid>, at: Timestamp) {
        if self.0.len() == INPUTS_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Traced { name, fax, at });
    }

    /// Returns the inputs, oldest first, such as `create-fax at 1700000000000000; twiml-answered FX… at …`, with times
    /// in microseconds.
    pub(super) fn summary(&self) -> String {
        let mut summary = String::new();
        for Traced { name, fax, at } in &self.0 {
            let fax = fax.map(|fax| format!(" {fax}")).unwrap_or_default();
            let separator = if summary.is_empty() { "" } else { "; " };
            // Writing to a string never fails.
            let _ = write!(summary, "{separator}{name}{fax} at {}", at.micros());
        }
        summary
    }
}

/// Returns the message in a panic's payload, or a stock phrase if there is none.
pub(crate) fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or(NO_MESSAGE).to_owned()
}
