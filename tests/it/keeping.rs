//! Tests retention in the engine: faxes are kept for 180 days of the world's clock, media are kept within a budget, and the
//! count of media bytes stays correct when faxes are deleted while others are in progress.

use std::time::Duration;

use fauxfax::engine::event::EventKind;
use fauxfax::engine::input::{DeleteFax, DeleteMedia};
use fauxfax::model::fax::Status;
use fauxfax::model::refusal::Refusal;
use fauxfax::model::sid::FaxSid;

use crate::script::{FAR, Script, document, order, spec};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// The size of the script's documents.
const DOCUMENT_BYTES: u64 = 100;

/// Sends a one-page fax, and lets an hour pass, during which it is delivered.
fn sent(script: &mut Script) -> FaxSid {
    let sid = script.send(order(FAR));
    script.answer_document(1);
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Delivered);
    sid
}

fn has_media(script: &Script, sid: FaxSid) -> bool {
    script.engine.fax(sid).expect("the fax exists").media.is_some()
}

#[test]
fn an_ended_fax_and_its_media_are_removed_180_days_after_its_creation() {
    let mut script = Script::default();
    let old = sent(&mut script);
    script.forward(DAY);
    let young = sent(&mut script);
    // A day and two hours have passed since the first fax was created.
    script.forward(179 * DAY - 2 * HOUR - Duration::from_secs(1));
    assert!(has_media(&script, old), "kept until a second before the removal");
    script.forward(Duration::from_secs(1));
    assert_eq!(script.engine.fax(old).err(), Some(Refusal::NoFax(old)));
    assert!(has_media(&script, young));
    assert_eq!(script.engine.media_bytes(), DOCUMENT_BYTES);
    script.forward(2 * DAY);
    assert_eq!((script.engine.fax_count(), script.engine.media_bytes()), (0, 0));
    assert_eq!(script.engine.media_evicted(), 0, "media removed for their age are not counted as evicted");
}

#[test]
fn a_drain_does_not_wait_for_retention() {
    let mut script = Script::default();
    sent(&mut script);
    assert_eq!(script.engine.next_work(), None);
    assert!(script.engine.poll_timeout().is_some_and(|due| due.since(script.now) > 179 * DAY));
    assert!(script.engine.is_idle());
}

#[test]
fn a_fax_still_active_after_180_days_is_removed_when_it_ends() {
    let mut script = Script::default();
    let sid = script.send(order(FAR));
    script.forward(181 * DAY);
    assert_eq!(script.status(sid), Status::Processing, "its document has not arrived");
    script.answer_document(1);
    script.forward(HOUR);
    assert_eq!(script.engine.fax(sid).err(), Some(Refusal::NoFax(sid)));
}

#[test]
fn beyond_the_budget_the_media_of_the_oldest_ended_faxes_are_removed_and_counted() {
    let mut spec = spec();
    spec.options.media_budget_bytes = 3 * DOCUMENT_BYTES;
    let mut script = Script::new(spec);
    let faxes: Vec<FaxSid> = (0..5).map(|_| sent(&mut script)).collect();
    let kept: Vec<bool> = faxes.iter().map(|sid| has_media(&script, *sid)).collect();
    assert_eq!(kept, [false, false, true, true, true]);
    assert_eq!((script.engine.media_evicted(), script.engine.media_bytes()), (2, 3 * DOCUMENT_BYTES));
    let evicted = |sid| script.events(Some(sid)).iter().filter(|e| matches!(e.kind, EventKind::MediaEvicted)).count();
    assert_eq!((evicted(faxes[0]), evicted(faxes[4])), (1, 0));
    assert_eq!(script.status(faxes[0]), Status::Delivered, "only the media are removed, not the fax");
}

#[test]
fn media_of_a_fax_in_progress_are_never_evicted() {
    let mut spec = spec();
    spec.options.media_budget_bytes = DOCUMENT_BYTES;
    let mut script = Script::new(spec);
    let active: Vec<FaxSid> = (0..3).map(|_| script.send(order(FAR))).collect();
    for _ in &active {
        script.answer_document(1);
    }
    assert!(active.iter().all(|sid| has_media(&script, *sid)), "all three are kept, although they exceed the budget");
    script.forward(HOUR);
    assert_eq!(active.iter().filter(|sid| has_media(&script, **sid)).count(), 1);
    assert_eq!(script.engine.media_evicted(), 2);
}

#[test]
fn a_document_larger_than_the_budget_is_kept_until_its_fax_ends() {
    let mut spec = spec();
    spec.options.media_budget_bytes = DOCUMENT_BYTES - 1;
    let mut script = Script::new(spec);
    let sid = script.send(order(FAR));
    script.answer_document(1);
    assert!(has_media(&script, sid), "the fax needs its document");
    assert_eq!((script.engine.media_bytes(), script.engine.media_evicted()), (DOCUMENT_BYTES, 0));
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Delivered);
    assert!(!has_media(&script, sid));
    assert_eq!((script.engine.media_bytes(), script.engine.media_evicted()), (0, 1));
}

#[test]
fn deletions_while_other_faxes_are_in_progress_leave_the_byte_count_correct() {
    let mut script = Script::default();
    let mut left = Vec::new();
    for round in 0..200 {
        let sid = sent(&mut script);
        let going = script.send(order(FAR));
        script.answer_document(1);
        let media = script.engine.fax(sid).expect("a fax").media.as_ref().map(|media| media.sid);
        let active = script.engine.fax(going).expect("a fax").media.as_ref().map(|media| media.sid);
        let refused = script.command(DeleteMedia(going, active.expect("stored")));
        assert_eq!(refused, Err(Refusal::StillActive(going)));
        assert_eq!(script.command(DeleteFax(going)), Err(Refusal::StillActive(going)));
        match round % 3 {
            0 => assert_eq!(script.command(DeleteFax(sid)), Ok(())),
            1 => {
                let media = media.expect("stored");
                assert_eq!(script.command(DeleteMedia(sid, media)), Ok(()));
                assert_eq!(script.command(DeleteMedia(sid, media)), Err(Refusal::NoMedia(media)));
            }
            _ => left.push(sid),
        }
        script.forward(HOUR);
        assert_eq!(script.command(DeleteFax(going)), Ok(()));
    }
    let last = left.iter().filter(|sid| has_media(&script, **sid)).count() as u64;
    assert_eq!(script.engine.media_bytes(), last * DOCUMENT_BYTES);
    assert!(script.engine.media_bytes() <= spec().options.media_budget_bytes);
    assert_eq!(document(1, 100).bytes.len() as u64, DOCUMENT_BYTES);
}
