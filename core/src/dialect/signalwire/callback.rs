//! Reads the parameters that set a StatusCallback's method and events (docs/fidelity.md, "SignalWire").

use crate::dialect::error::{ApiError, Reason};
use crate::dialect::form::Form;
use crate::dialect::parameter;
use crate::model::fax::{Status, StatusSet};
use crate::model::webhook::Method;
use crate::model::words::words;

const METHOD: &str = "StatusCallbackMethod";
const EVENT: &str = "StatusCallbackEvent";

words!(
    /// A call event that `StatusCallbackEvent` may name.
    CallEvent {
        /// The call is about to be placed.
        Initiated = "initiated",
        /// The far end is ringing.
        Ringing = "ringing",
        /// The far end has picked up.
        Answered = "answered",
        /// The call has ended, whether or not the fax was transmitted.
        Completed = "completed",
        /// A forwarded call rings, which never happens to a fax.
        RingingForwarded = "ringing_forwarded",
        /// A queued call rings, which never happens to a fax.
        RingingQueued = "ringing_queued",
    }
);

impl CallEvent {
    /// Returns the fax statuses that correspond to the event. SignalWire documents only call events; the corresponding
    /// statuses are inferred.
    fn statuses(self) -> StatusSet {
        match self {
            Self::Initiated | Self::Ringing => [Status::Processing].into_iter().collect(),
            Self::Answered => [Status::Sending].into_iter().collect(),
            Self::Completed => StatusSet::all_final(),
            Self::RingingForwarded | Self::RingingQueued => StatusSet::default(),
        }
    }
}

/// Reads `StatusCallbackMethod`, which is POST by default.
pub(super) fn method(form: &Form) -> Result<Method, ApiError> {
    parameter::method(form, METHOD).map(Option::unwrap_or_default)
}

/// Reads `StatusCallbackEvent`. The parameter may occur several times, and each value may contain several words; the
/// default is `completed`.
pub(super) fn statuses(form: &Form) -> Result<StatusSet, ApiError> {
    let given = form.iter().filter(|(name, value)| is_event(name) && !value.is_empty());
    let events = given.map(|(_, value)| events(value)).collect::<Result<Vec<_>, _>>()?.concat();
    let events = if events.is_empty() { vec![CallEvent::Completed] } else { events };
    Ok(events.into_iter().flat_map(|event| event.statuses().iter()).collect())
}

/// Returns whether a parameter is named `StatusCallbackEvent`, or `StatusCallbackEvent[]` or `StatusCallbackEvent[0]`,
/// as PHP and Rails name the elements of a list.
fn is_event(name: &str) -> bool {
    let Some(index) = name.strip_prefix(EVENT) else { return false };
    let digits = index.strip_prefix('[').and_then(|index| index.strip_suffix(']'));
    index.is_empty() || digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Reads the events in a value. A value that consists only of separators is refused.
fn events(value: &str) -> Result<Vec<CallEvent>, ApiError> {
    let words: Vec<_> = value.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { event(value).map(|event| vec![event]) } else { words.into_iter().map(event).collect() }
}

fn event(word: &str) -> Result<CallEvent, ApiError> {
    CallEvent::from_word(word).ok_or_else(|| {
        let all: Vec<_> = CallEvent::ALL.iter().map(|event| event.as_str()).collect();
        let word = parameter::excerpt(word);
        ApiError::new(Reason::CallbackEvent, format!("{EVENT} '{word}' is not one of {}", all.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Result<Vec<Status>, Reason> {
        let form = Form::of(values.iter().map(|value| (EVENT, *value)));
        statuses(&form).map(|set| set.iter().collect()).map_err(|error| error.reason)
    }

    #[test]
    fn events_map_to_statuses_and_completed_is_the_default() {
        let completed: Vec<_> = StatusSet::all_final().iter().collect();
        for values in [&[][..], &[""], &["completed"], &["completed,completed"]] {
            assert_eq!(of(values), Ok(completed.clone()), "{values:?}");
        }
        let all = [&[Status::Processing, Status::Sending][..], &completed].concat();
        for values in [
            &["initiated", "answered", "completed"][..],
            &["ringing,answered,completed"],
            &["initiated ringing", "answered, completed"],
        ] {
            assert_eq!(of(values), Ok(all.clone()), "{values:?}");
        }
        assert_eq!(of(&["ringing_forwarded ringing_queued"]), Ok(Vec::new()));
    }

    #[test]
    fn list_elements_named_as_in_php_and_rails_are_read() {
        for name in ["StatusCallbackEvent[]", "StatusCallbackEvent[0]", "StatusCallbackEvent[12]"] {
            let form = Form::of([(name, "initiated"), ("StatusCallbackEvent", "answered")]);
            let expected = [Status::Processing, Status::Sending].into_iter().collect();
            assert_eq!(statuses(&form).ok(), Some(expected), "{name}");
            assert!(statuses(&Form::of([(name, "done")])).is_err(), "{name}");
        }
        for name in ["StatusCallbackEvents", "StatusCallbackEvent[x]", "StatusCallbackEvent["] {
            let form = Form::of([(name, "initiated")]);
            assert_eq!(statuses(&form).ok(), Some(StatusSet::all_final()), "{name} is another parameter");
        }
    }

    #[test]
    fn unknown_events_are_refused_and_named() {
        for values in
            [&["queued"][..], &[","], &[" "], &["completed", ","], &["completed", "Answered"], &["completed;answered"]]
        {
            assert_eq!(of(values), Err(Reason::CallbackEvent), "{values:?}");
        }
        let form = Form::of([(EVENT, "completed"), (EVENT, "done")]);
        let error = statuses(&form).expect_err("an unknown event is refused");
        assert!(error.message.contains("'done'") && error.message.contains("ringing_queued"), "{}", error.message);
    }
}
