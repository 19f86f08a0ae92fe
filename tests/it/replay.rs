//! Checks that the command log contains all that determines a world: another engine that replays it reaches the same
//! state and journal.

use fauxfax::dialect::canonical;
use fauxfax::engine::Engine;
use fauxfax::engine::command::Logged;
use fauxfax::engine::export::MediaForm;
use fauxfax::engine::journal::EventFilter;

use crate::script::{START, spec_like};

/// Replays an engine's log in another engine, and checks that both engines have the same state and journal. If
/// `is_written_down`, each command is written as a line of text and parsed before it is replayed.
pub(crate) fn assert_reproduces(engine: &mut Engine, is_written_down: bool) {
    let mut again = Engine::new(spec_like(engine), START);
    for logged in engine.take_log() {
        again.replay(if is_written_down { written_and_read(&logged) } else { logged });
        while again.poll_effect().is_some() {}
    }
    let state = |engine: &Engine| engine.state(false, engine.latest()).to_json(MediaForm::Hash).expect("JSON");
    assert_eq!(state(&again), state(engine), "the replay arrives at a different state");
    let projection = |engine: &Engine| canonical::projection(&engine.events(&EventFilter::default(), usize::MAX));
    assert_eq!(projection(&again), projection(engine), "the replay arrives at a different journal");
    assert_eq!(again.generation(), engine.generation());
}

/// Writes a command as a line of text, and parses the line.
fn written_and_read(logged: &Logged) -> Logged {
    let line = logged.to_line().expect("a command can be written");
    Logged::of_line(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}
