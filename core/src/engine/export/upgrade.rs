//! Upgrades documents of earlier versions, in one step per version. Each step involves only two versions.
//!
//! A new version of states takes three changes: `STATE_VERSION` is raised, a step is added to `STATE_STEPS` (without it,
//! this file does not compile), and `fixtures/state` gets a state of the new version, which the tests here and in
//! `tests/it/state.rs` list. A new version of logs takes the same with `LOG_VERSION` and `LOG_STEPS`. Earlier steps and
//! fixtures don't change.

mod faults;

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{DOCUMENTS, STATE_VERSION, StateError};

/// A function that upgrades a state or a log by one version. A state is passed without the files that were faxed. The
/// function need not change the version number.
///
/// # Errors
/// Returns the reason that the document isn't valid in its version.
pub(super) type Step = fn(&mut Map<String, Value>) -> Result<(), StateError>;

/// The steps for states, starting with version 1.
pub(super) const STATE_STEPS: [Step; STATE_VERSION as usize - 1] = [faults::name_faults];

/// The version of written log lines, and the newest that can be read.
pub const LOG_VERSION: u64 = 1;

/// The steps for log lines, starting with version 1.
pub(super) const LOG_STEPS: [Step; LOG_VERSION as usize - 1] = [];

/// Returns the version that these steps lead to.
pub(super) const fn newest(steps: &[Step]) -> u64 {
    steps.len() as u64 + 1
}

/// Upgrades a document of this version by the remaining steps.
pub(super) fn upgrade(document: &mut Map<String, Value>, version: u64, steps: &[Step]) -> Result<(), StateError> {
    let taken = usize::try_from(version.saturating_sub(1)).unwrap_or(usize::MAX);
    steps.iter().skip(taken).try_for_each(|step| step(document))
}

/// A state without its faxes' documents, which are read separately.
pub(super) struct Undocumented(pub(super) Map<String, Value>);

impl<'de> Deserialize<'de> for Undocumented {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Undocumented;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Undocumented, A::Error> {
                let mut rest = Map::new();
                while let Some(name) = fields.next_key::<String>()? {
                    // The documents have already been read, with the outline.
                    if name == DOCUMENTS {
                        fields.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    // The map would silently keep the last of several values with the same name.
                    if rest.contains_key(&name) {
                        return Err(A::Error::custom(format!("{name} is given twice; give it once")));
                    }
                    rest.insert(name, fields.next_value()?);
                }
                Ok(Undocumented(rest))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::export::{MediaForm, State};

    /// Steps for an imaginary history in which version 2 renamed a field and version 3, the current one, dropped one.
    const STEPS: [Step; 2] = [
        |document| {
            let world = document.get_mut("universe").map(Value::take).unwrap_or_default();
            document.remove("universe");
            document.insert("world".to_owned(), world);
            Ok(())
        },
        |document| {
            let mood = document.remove("mood");
            let wrong = |mood: &Value| StateError::Wrong { place: "mood".to_owned(), why: format!("is {mood}") };
            mood.filter(|mood| *mood != "good").map_or(Ok(()), |mood| Err(wrong(&mood)))
        },
    ];

    fn today() -> Value {
        serde_json::from_str(include_str!("../../../../fixtures/state/v2.json")).expect("JSON")
    }

    fn read(document: &Value) -> Result<State, StateError> {
        State::read_by(&STEPS, document.to_string().as_bytes(), &[])
    }

    /// Returns the fixture in the form of a version from 1 to 3.
    fn of_version(version: u64) -> Value {
        let mut document = today();
        document["fauxfax_state"] = json!(version);
        let fields = document.as_object_mut().expect("an object");
        if version < 3 {
            fields.insert("mood".to_owned(), json!("good"));
        }
        if version < 2 {
            let world = fields.remove("world").expect("a world");
            fields.insert("universe".to_owned(), world);
        }
        document
    }

    #[test]
    fn documents_of_each_version_take_the_remaining_steps() {
        for version in 1..=3 {
            let state = read(&of_version(version)).unwrap_or_else(|error| panic!("version {version}: {error}"));
            assert_eq!(state.to_json(MediaForm::Inline).expect("JSON"), today(), "version {version}");
        }
    }

    #[test]
    fn a_document_with_the_wrong_version_is_refused() {
        for (is, says, told) in [(1, 2, "universe"), (1, 3, "mood"), (2, 1, "world"), (2, 3, "mood"), (3, 4, "newer")] {
            let mut document = of_version(is);
            document["fauxfax_state"] = json!(says);
            let error = read(&document).expect_err("it is refused").to_string();
            assert!(error.contains(told), "{is} as {says}: {error}");
        }
    }

    #[test]
    fn errors_in_a_step_name_their_place() {
        let mut document = of_version(1);
        document["mood"] = json!("bad");
        assert_eq!(read(&document).expect_err("it is refused").to_string(), "mood: is \"bad\"");
    }
}
