//! The transitions between fax statuses; `engine/phase.rs` has a diagram of them.

use super::fax::Status;

/// The possible status changes; `None` means that the fax did not exist before.
const EDGES: &[(Option<Status>, Status)] = &[
    (None, Status::Queued),
    // An inbound fax begins as `Receiving` or, if the app's TwiML rejects it, as `Canceled`.
    (None, Status::Receiving),
    (None, Status::Canceled),
    (Some(Status::Queued), Status::Processing),
    (Some(Status::Queued), Status::Canceled),
    (Some(Status::Processing), Status::Sending),
    (Some(Status::Processing), Status::Failed),
    (Some(Status::Processing), Status::Canceled),
    (Some(Status::Sending), Status::Delivered),
    (Some(Status::Sending), Status::Failed),
    (Some(Status::Sending), Status::Busy),
    (Some(Status::Sending), Status::NoAnswer),
    (Some(Status::Receiving), Status::Received),
    (Some(Status::Receiving), Status::Failed),
];

/// Returns whether a fax can go directly from one status to the other.
#[must_use]
pub fn is_edge(old: Option<Status>, new: Status) -> bool {
    EDGES.contains(&(old, new))
}

/// Returns whether a fax can go from one status to the other, directly or through others.
#[must_use]
pub fn leads_to(old: Status, new: Status) -> bool {
    // The edges form no cycles, so the recursion ends.
    let next = EDGES.iter().filter(|(before, _)| *before == Some(old)).map(|(_, after)| *after);
    next.into_iter().any(|after| after == new || leads_to(after, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_leads_only_to_later_ones() {
        for (old, new) in [
            (Status::Queued, Status::Delivered),
            (Status::Queued, Status::Canceled),
            (Status::Sending, Status::Busy),
            (Status::Receiving, Status::Received),
        ] {
            assert!(leads_to(old, new), "{old} to {new}");
        }
        for (old, new) in [
            (Status::Sending, Status::Queued),
            (Status::Sending, Status::Canceled),
            (Status::Receiving, Status::Delivered),
            (Status::Failed, Status::Delivered),
            (Status::Queued, Status::Queued),
        ] {
            assert!(!leads_to(old, new), "{old} to {new}");
        }
    }

    #[test]
    fn final_statuses_are_last_and_every_status_is_reachable() {
        for (old, _) in EDGES {
            assert!(!old.is_some_and(Status::is_final), "{old:?}");
        }
        for status in Status::ALL {
            assert!(EDGES.iter().any(|(_, new)| new == status), "{status}");
        }
    }
}
