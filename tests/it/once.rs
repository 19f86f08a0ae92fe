//! Checks that a world never assigns a name twice. A name is the SID of a fax or of its media, or the idempotency token
//! of a webhook. A restored world has the names of its snapshot again, but a new name must never have been assigned
//! before.

use std::collections::BTreeSet;

use fauxfax::engine::effect::{Intent, Notice};

/// The names assigned in the world's current history.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    ours: BTreeSet<String>,
}

/// Every name ever assigned in a run.
#[derive(Debug, Default)]
pub(crate) struct Ever(BTreeSet<String>);

impl Names {
    /// Records the use of a name. A name that is new to this history must never have been assigned before.
    pub(crate) fn used(&mut self, name: &str, ever: &mut Ever) {
        if self.ours.insert(name.to_owned()) {
            assert!(ever.0.insert(name.to_owned()), "{name} was assigned before: a SID or token must never be reused");
        }
    }
}

/// Returns whether a notice is the second delivery of another one.
pub(crate) fn is_duplicate(notice: &Notice) -> bool {
    notice.by_rule.as_ref().is_some_and(|mark| mark.is_duplicate)
}

/// Returns the idempotency token of an effect's request. Fetches and renderings have no token: for a fetch, returns the
/// URL, and for a rendering a constant.
pub(crate) fn token(intent: &Intent) -> String {
    match intent {
        Intent::FetchDocument { url, .. } => url.to_string(),
        Intent::Render(_) => "render".to_owned(),
        Intent::AskForTwiml(request) => request.idempotency_token.to_string(),
        Intent::Deliver(notice) => notice.idempotency_token.to_string(),
        Intent::NotifyOfMessage(notice) => notice.idempotency_token.to_string(),
        Intent::Report(report) => report.idempotency_token.to_string(),
    }
}

#[test]
fn a_name_assigned_again_after_a_restore_is_detected() {
    let (mut ever, mut names) = (Ever::default(), Names::default());
    names.used("one", &mut ever);
    let snapshot = names.clone();
    names.used("two", &mut ever);
    names = snapshot;
    names.used("one", &mut ever);
    let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| names.used("two", &mut ever)));
    assert!(again.is_err());
}
