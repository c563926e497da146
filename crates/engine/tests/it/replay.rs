//! Replay, default period, and what an assessment says of arrangements that it cannot judge.

use backstay_engine::{
    AssessRequest, Status, assess::assess, assessment::Assessment, fixture, replay,
};

use crate::world::{assessed, march, request, statuses};

#[test]
fn a_stored_assessment_is_replayed_byte_for_byte_at_any_later_time() {
    let evidence = march().evidence(fixture::Layout::default());
    let first = assess(&AssessRequest { period: None, ..request(evidence.clone()) }).unwrap();
    assert_eq!(first.basis.period.to_string(), "2026-03-01..2026-04-01");
    assert!(first.notes[0].contains("the last complete month with events"), "{:?}", first.notes);
    let later = AssessRequest { period: None, now_us: 1_800_000_000_000_000, ..request(evidence) };
    let again = replay(&later, &first.bytes()).unwrap();
    assert!(again.identical, "{:?}", again.changes);
    assert!(again.changes.is_empty());
    assert_eq!(again.stored_digest, again.digest);
}

#[test]
fn every_figure_that_changed_is_listed_by_its_place() {
    let evidence = march().evidence(fixture::Layout::default());
    let mut stored = assessed(&march());
    stored.basis.engine = "0.0.9".to_owned();
    let measure = stored.measures.iter_mut().find(|m| m.service_level == "answer").unwrap();
    measure.numerator -= 1;
    let found = replay(&request(evidence), &stored.bytes()).unwrap();
    assert!(!found.identical);
    assert_eq!(
        (found.stored_engine.as_str(), found.engine.as_str()),
        ("0.0.9", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(found.changes.len(), 1, "{:?}", found.changes);
    assert_eq!(found.changes[0].place, "measures/desk/answer/2026-03-01..2026-04-01/numerator");
    assert_eq!(found.changes[0].before.as_deref(), Some("21"));
    assert_eq!(found.changes[0].after.as_deref(), Some("22"));
}

#[test]
fn a_replay_on_other_evidence_is_refused() {
    let stored = assessed(&march());
    let other = march().without("team").evidence(fixture::Layout::default());
    let error = replay(&request(other), &stored.bytes()).unwrap_err().to_string();
    assert!(error.contains("its basis names evidence"), "{error}");
}

#[test]
fn an_arrangement_without_its_register_row_is_said_so_and_untested() {
    let assessment = assessed(&march().without("arrangement"));
    assert!(!assessment.controls.is_empty());
    assert!(assessment.controls.iter().all(|control| control.status == Status::Untested));
    assert!(
        assessment.notes.iter().any(|note| note.contains("`desk` has no row in `arrangement`"))
    );
    assert!(assessment.measures.is_empty());
}

#[test]
fn without_evidence_there_is_no_control_and_a_note() {
    let assessment: Assessment = assessed(&crate::world::World::default());
    assert!(assessment.controls.is_empty());
    assert!(assessment.notes.iter().any(|note| note.contains("there is no evidence yet")));
}

#[test]
fn evidence_that_is_lacking_is_named() {
    let of =
        |world: &crate::world::World, control: &str| statuses(&assessed(world))[control].clone();
    let blind = march().retain("case_event", |row| !row["occurred_at"].starts_with("2026-03-10"));
    let found = of(&blind, "cases-counted");
    assert!(
        found.starts_with("untested: feed `log` of `case_event`, 2026-03-10: 3 rows sent, 0 held"),
        "{found}"
    );
    let undeclared = march()
        .retain("evidence_feed", |row| row["feed_id"] != "log" || row["entry"] != "declared");
    let found = of(&undeclared, "cases-counted");
    assert!(
        found.contains("no feed declares `case_event` from 2026-03-01 until 2026-04-01"),
        "{found}"
    );
    let found = of(&march().without("function"), "functions-owned");
    assert!(found.contains("`function` has no row"), "{found}");
    let found = of(&march().without("team"), "teams-known");
    assert!(found.contains("could not be tested"), "{found}");
    let missed = march().set("function", "critical", "false", |_| true);
    assert!(of(&missed, "functions-owned").starts_with("deficient: 1 of 1 missed"));
}

#[test]
fn a_finding_keeps_its_id_while_its_words_change() {
    let missed = march().set("function", "critical", "false", |_| true);
    let id = |world: &crate::world::World| {
        let all = assessed(world).findings;
        all.into_iter().find(|finding| finding.control == "functions-owned").unwrap()
    };
    let (one, other) = (id(&missed), id(&missed.set("function", "title", "Other words", |_| true)));
    assert_eq!(one.id, other.id);
    assert_ne!(one.explanation, other.explanation);
    assert_eq!(one.id.len(), 16);
}
