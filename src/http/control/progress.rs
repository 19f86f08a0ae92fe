//! The progress of a pending fax as JSON, from which the console draws the page that is on the line.

use schemars::JsonSchema;
use serde::Serialize;

use super::clock::mode_word;
use super::event::moment;
use crate::clock::ClockMode;
use crate::engine::{PageProgress, Progress};
use crate::model::time::Timestamp;

/// What a pending fax or call is doing, and when that ends, by the world's clock.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Progress")]
pub(super) struct ProgressView {
    /// `queued`, `fetching`, `converting`, `ringing`, `redial`, `asking`, `rendering` or `page`.
    step: &'static str,
    /// The current time by the world's clock.
    now: String,
    /// `running` or `frozen`.
    clock: &'static str,
    /// When the step ends; left out if that isn't known, because the step waits for a response or for
    /// pages to be drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    /// Number of the current or last call; left out before the first one and for incoming faxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<u32>,
    /// Whether `pages/1.png` and so on are available yet.
    pictures: bool,
    #[serde(flatten)]
    page: Option<PageView>,
}

/// The page that is on the line.
#[derive(Serialize, JsonSchema)]
struct PageView {
    /// Number of the page, from one.
    page: u32,
    pages: u32,
    rate_bps: u32,
    /// `MMR`, `MR` or `MH`.
    coding: &'static str,
    started_at: String,
    /// The parts of the page's time on the line. If the call will break during the page, `ends_at` comes before the end
    /// of the last part.
    parts: Vec<PartView>,
}

/// One part of a page's time on the line.
#[derive(Serialize, JsonSchema)]
struct PartView {
    /// `handshake`, `training`, `picture`, `confirmation` or `release`.
    part: &'static str,
    ends_at: String,
}

impl ProgressView {
    pub(super) fn of(progress: &Progress, (now, clock): (Timestamp, ClockMode), pictures: bool) -> Self {
        Self {
            step: progress.step.as_str(),
            now: moment(now),
            clock: mode_word(clock),
            ends_at: progress.ends.map(moment),
            call: progress.call,
            pictures,
            page: progress.page.as_ref().map(PageView::of),
        }
    }
}

impl PageView {
    fn of(page: &PageProgress) -> Self {
        Self {
            page: page.page,
            pages: page.pages,
            rate_bps: page.line.rate_bps,
            coding: page.line.coding.as_str(),
            started_at: moment(page.began),
            parts: page
                .parts
                .iter()
                .map(|(part, ends)| PartView { part: part.as_str(), ends_at: moment(*ends) })
                .collect(),
        }
    }
}
