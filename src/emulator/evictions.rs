//! Counts of what was dropped to keep within a limit. They never decrease, even when a world is removed.

use std::ops::AddAssign;

use crate::world::World;

/// What worlds have dropped since the start to keep within their limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evictions {
    /// The number of events dropped from journals.
    pub events: u64,
    /// The number of alerts dropped.
    pub alerts: u64,
    /// The number of documents dropped to keep within the media budget.
    pub media: u64,
}

impl Evictions {
    /// Counts what a world has dropped.
    #[must_use]
    pub fn of(world: &World) -> Self {
        world.read_journal(|journal| {
            let engine = journal.engine();
            Self { events: journal.evicted(), alerts: engine.alerts_evicted(), media: engine.media_evicted() }
        })
    }
}

impl AddAssign for Evictions {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.alerts += other.alerts;
        self.media += other.media;
    }
}
