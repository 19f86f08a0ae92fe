//! Handles cases that should be impossible. A debug build panics, so that tests notice them; a release build raises an
//! alert, ends the fax or call concerned and continues.

use super::Engine;
use super::agenda::Ordinal;
use super::event::AlertLevel;
use super::phase::Ended;
use super::unanswered::Cause;
use crate::model::fault::{Failure, Fault};
use crate::model::fax::Status;
use crate::model::time::Timestamp;

/// The prefix of every alert about an impossible case.
pub(super) const FAULT: &str = "a fault in the emulator (please report it)";

/// Ends the fax or call with this ordinal and returns from an engine method that has met an impossible case.
macro_rules! never {
    ($engine:ident, $ordinal:expr, $now:expr, $what:literal) => {{
        debug_assert!(false, "fax or call {}: {}", $ordinal, $what);
        $engine.fault($ordinal, $what, $now);
        return;
    }};
}

pub(super) use never;

impl Engine {
    /// Raises an alert for an impossible case and ends the fax or call concerned.
    pub(super) fn fault(&mut self, ordinal: Ordinal, what: &str, now: Timestamp) {
        let text = format!("{FAULT}: {what}");
        let fax = self.world.tables.fax(ordinal).map(|fax| (fax.sid, fax.status(), fax.pages()));
        let sid = fax.map(|(sid, ..)| sid).or_else(|| self.world.tables.call(ordinal).map(|call| call.sid));
        self.alert(sid, (Fault::Internal, AlertLevel::Error), &text, None, now);
        match fax {
            Some((_, status, pages)) if !status.is_final() => {
                // A queued fax can be canceled but has no transition to failed.
                let status = if status == Status::Queued { Status::Canceled } else { Status::Failed };
                let failure = (status == Status::Failed).then(|| Box::new(Failure::with_detail(Fault::Internal, text)));
                self.end(ordinal, Ended { status, pages, duration_s: None, rate_bps: None, failure }, now);
            }
            // A fax that has ended keeps its outcome.
            Some(_) => {}
            None if self.world.tables.call(ordinal).is_some() => {
                self.not_answered(ordinal, Cause::of(Fault::Internal, text), now);
            }
            // Neither a fax nor a call has this ordinal, so the alert is all that reports the case.
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::EventKind;
    use crate::engine::input::CreateFax;
    use crate::engine::journal::EventFilter;
    use crate::engine::spec::plain;
    use crate::model::fax::Quality;
    use crate::model::phone::{Party, PhoneNumber};
    use crate::model::sid::FaxSid;
    use crate::model::webhook::Method;

    const NOW: Timestamp = Timestamp::from_const_seconds(1_614_592_800);

    fn send(world: &mut Engine) -> (FaxSid, Ordinal) {
        let number = |digits| Party::Number(PhoneNumber::from_digits(digits));
        let order = CreateFax {
            to: number(15_558_675_310),
            from: Some(number(15_017_122_661)),
            media_url: "http://app/fax.pdf".into(),
            quality: Quality::Fine,
            status_callback: None,
            callback_method: Method::Post,
            callback_statuses: None,
            store_media: true,
            ttl_minutes: None,
            origin: "https://fax.twilio.com".into(),
        };
        let sid = world.handle(order, NOW).expect("accepted");
        (sid, world.fax(sid).expect("it exists").ordinal)
    }

    #[test]
    fn a_fault_raises_an_alert_and_fails_only_its_own_fax() {
        let mut world = Engine::new(plain(NOW), NOW);
        let ((queued, first), (sid, second), (other, _)) = (send(&mut world), send(&mut world), send(&mut world));
        world.fault(first, "a test", NOW);
        assert_eq!(world.fax(queued).map(|fax| fax.status()), Ok(Status::Canceled));
        world.handle_timeout(NOW);
        world.fault(second, "a test", NOW);
        let fax = world.fax(sid).expect("it exists");
        assert_eq!((fax.status(), fax.failure().map(|failure| failure.fault)), (Status::Failed, Some(Fault::Internal)));
        assert_eq!(world.fax(other).map(|fax| fax.status()), Ok(Status::Processing));
        let events = world.events(&EventFilter { kind: Some("alert".into()), ..EventFilter::default() }, usize::MAX);
        let alerts = events.iter().filter_map(|event| {
            let EventKind::Alert(alert) = &event.kind else { return None };
            Some((event.fax, alert.fault, alert.message.ends_with("(please report it): a test")))
        });
        assert_eq!(
            alerts.collect::<Vec<_>>(),
            [(Some(queued), Fault::Internal, true), (Some(sid), Fault::Internal, true)]
        );
        // A fault is reported even if its fax no longer exists.
        world.fault(99, "a test", NOW);
        assert_eq!(world.pending_count(), 1);
    }
}
