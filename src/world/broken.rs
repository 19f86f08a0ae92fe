//! A world that has broken: a panic in its engine or its driver says that a rule it relies on no longer holds. Nothing
//! more is done with it until it is reset, and whoever calls it learns why.
//!
//! ```text
//!  well ── a panic under the lock, or in the driver ──► broken: calls are refused, no alarm fires, no effect begins
//!    ▲                                                      │
//!    └────────────────────── POST /reset ───────────────────┘
//! ```

use std::any::Any;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;

/// Inputs that are remembered for the report of a break.
const INPUTS_KEPT: usize = 16;
/// What is said of a panic that has no text.
const NO_MESSAGE: &str = "a panic without a message";

/// Whether a world is broken, and why.
#[derive(Debug, Default)]
pub(super) struct Breakage {
    /// Looked at by every call, so it takes no lock.
    is_broken: AtomicBool,
    why: Mutex<Option<Arc<str>>>,
}

impl Breakage {
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    pub(super) fn why(&self) -> Option<Arc<str>> {
        self.is_broken().then(|| self.reason().clone()).flatten()
    }

    /// Notes the first reason; the panics that follow from it say nothing new. Answers whether this is the first.
    pub(super) fn note(&self, why: &str) -> bool {
        self.reason().get_or_insert_with(|| why.into());
        !self.is_broken.swap(true, Ordering::AcqRel)
    }

    pub(super) fn heal(&self) {
        *self.reason() = None;
        self.is_broken.store(false, Ordering::Release);
    }

    fn reason(&self) -> std::sync::MutexGuard<'_, Option<Arc<str>>> {
        // Nothing panics with this lock held: it only guards a text.
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last inputs of a world, for the report of a break.
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

    /// The inputs, oldest first, as `create-fax at 1700000000000000; answer FX… at …`; times in microseconds.
    pub(super) fn told(&self) -> String {
        let mut told = String::new();
        for Traced { name, fax, at } in &self.0 {
            let fax = fax.map(|fax| format!(" {fax}")).unwrap_or_default();
            let separator = if told.is_empty() { "" } else { "; " };
            // Writing to a string never fails.
            let _ = write!(told, "{separator}{name}{fax} at {}", at.micros());
        }
        told
    }
}

/// What a panic said.
pub(crate) fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or(NO_MESSAGE).to_owned()
}
