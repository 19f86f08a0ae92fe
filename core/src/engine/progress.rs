//! The current step of a pending fax or call, and the time at which it ends.

use std::time::Duration;

use super::Engine;
use super::agenda::{AlarmKind, Ordinal};
use super::phase::{CallStep, Phase, Processing, ReceivingStep, Transmission};
use super::{line, transmission};
use crate::model::line::{Line, PagePart};
use crate::model::media::Document;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::words::words;

words!(
    /// The step that a pending fax or call has reached, finer than its status.
    Step {
        /// The fax is in the queue.
        Queued = "queued",
        /// The document is being fetched.
        Fetching = "fetching",
        /// The document is being converted to fax pages.
        Converting = "converting",
        /// The far end is ringing; an own number rings until the pages that it will receive have been drawn.
        Ringing = "ringing",
        /// The last call was busy or unanswered, and the fax waits for the next one.
        Redial = "redial",
        /// The called number's app is being asked for TwiML.
        Asking = "asking",
        /// The pages that are about to be received are being drawn.
        Rendering = "rendering",
        /// A page is going over the line.
        Page = "page",
    }
);

/// The progress of a pending fax or call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The step that it has reached.
    pub step: Step,
    /// The number of the current or last call of an outbound fax, from one; `None` before its first call, and for an
    /// incoming call.
    pub call: Option<u32>,
    /// The time at which the step ends; `None` if it is not known, because the step waits for a response or for pages
    /// to be drawn.
    pub ends: Option<Timestamp>,
    /// The page on the line; `None` in any other step.
    pub page: Option<PageProgress>,
}

/// The page that is on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageProgress {
    /// The number of the page, from one.
    pub page: u32,
    /// The number of pages in the whole document.
    pub pages: u32,
    /// The speed, coding and noise that the machines agreed on.
    pub line: Line,
    /// The time at which the page, or the setup of the call before the first page, began.
    pub began: Timestamp,
    /// The parts of the page's time on the line, in order, each with its end. If the call breaks during the page, the
    /// ends of later parts are after the end of the step.
    pub parts: Vec<(PagePart, Timestamp)>,
}

impl Engine {
    /// Returns the progress of a fax or call; `None` if it has ended or doesn't exist.
    #[must_use]
    pub fn progress(&self, sid: FaxSid) -> Option<Progress> {
        let ordinal = self.world.tables.ordinal(sid)?;
        let at = |step, call| Progress { step, call, ends: self.phase_ends(ordinal), page: None };
        let Some(fax) = self.world.tables.fax(ordinal) else {
            return self.world.tables.call(ordinal).map(|_| at(Step::Asking, None));
        };
        match &fax.phase {
            Phase::Queued => Some(at(Step::Queued, None)),
            Phase::Processing(Processing::Fetching) => Some(at(Step::Fetching, None)),
            Phase::Processing(Processing::Converting(_)) => Some(at(Step::Converting, None)),
            Phase::Processing(Processing::Ringing { .. }) => Some(at(Step::Ringing, Some(1))),
            Phase::Sending(sending) => Some(match &sending.step {
                CallStep::Ringing(_) | CallStep::RingingOwn => at(Step::Ringing, Some(sending.calls)),
                CallStep::Waiting => at(Step::Redial, Some(sending.calls)),
                CallStep::Talking(talk) => self.on_page(ordinal, &sending.document, talk, Some(sending.calls))?,
            }),
            Phase::Receiving(receiving) => match &receiving.step {
                ReceivingStep::Rendering(..) => Some(at(Step::Rendering, None)),
                ReceivingStep::Talking(talk) => self.on_page(ordinal, &receiving.document, talk, None),
                ReceivingStep::Fed => {
                    // Only the sending end keeps the transmission and its alarm.
                    let (sender, document, talk) = self.sender_of(ordinal)?;
                    self.on_page(sender, document, talk, None)
                }
            },
            Phase::Ended(_) => None,
        }
    }

    /// Returns the fax pages of a fax: the stored ones or, while they come in, those that will be stored.
    #[must_use]
    pub fn pages_so_far(&self, sid: FaxSid) -> Option<&Document> {
        let fax = self.fax(sid).ok()?;
        if let Some(media) = &fax.media {
            return Some(&media.document);
        }
        let Phase::Receiving(receiving) = &fax.phase else { return None };
        let is_rendered = !matches!(receiving.step, ReceivingStep::Rendering(..));
        (is_rendered && fax.stores_media()).then_some(&receiving.document)
    }

    fn phase_ends(&self, ordinal: Ordinal) -> Option<Timestamp> {
        self.world.agenda.of_phase(ordinal).map(|alarm| alarm.at)
    }

    fn on_page(&self, at: Ordinal, document: &Document, talk: &Transmission, call: Option<u32>) -> Option<Progress> {
        let ends = self.phase_ends(at)?;
        let pace = self.spec.options.pace;
        let scaled = |line_ms| pace.scale(Duration::from_millis(line_ms));
        let began = ends.before(scaled(transmission::next_page_ms(document, talk)));
        let parts = line::page_parts(document, talk.pages_done, talk.line);
        let mut line_ms = 0;
        let parts = parts.into_iter().map(|(part, part_ms)| {
            line_ms += part_ms;
            (part, began.after(scaled(line_ms)))
        });
        let parts = parts.collect();
        let page = PageProgress { page: talk.pages_done + 1, pages: document.pages, line: talk.line, began, parts };
        Some(Progress { step: Step::Page, call, ends: Some(ends), page: Some(page) })
    }

    /// Returns the fax of this world that is sending pages to the fax `far`.
    fn sender_of(&self, far: Ordinal) -> Option<(Ordinal, &Document, &Transmission)> {
        let pages = self.world.agenda.iter().filter(|alarm| alarm.kind == AlarmKind::Page);
        pages.map(|alarm| alarm.ordinal).find_map(|ordinal| {
            let Phase::Sending(sending) = &self.world.tables.fax(ordinal)?.phase else { return None };
            let CallStep::Talking(talk) = &sending.step else { return None };
            (talk.far == Some(far)).then_some((ordinal, &sending.document, talk))
        })
    }
}
