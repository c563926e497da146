//! Taking back, reading again, and what stands then.

use backstay_evidence::manifest::RetractTarget;
use backstay_store::StoreError;

use crate::import::{HEADER, events};
use crate::support::{Home, as_table, values};

fn with_id(id: &str, at: &str, priority: &str) -> String {
    format!("{HEADER}desk,sys,{id},c1,New,New,2026-03-02T{at}:00Z,{priority}\n")
}

fn retract(home: &mut Home, target: RetractTarget) -> u64 {
    home.with(|workspace, ctx| workspace.retract(&target, "sent by mistake", ctx)).unwrap().entry
}

#[test]
fn a_retracted_import_is_gone_from_then_on_and_still_there_before() {
    let mut home = Home::new();
    let entry = home.import("a.csv", "case_event", &events(&[("c1", "New", 1)])).entry.unwrap();
    home.import("b.csv", "case_event", &events(&[("c2", "New", 2)]));
    let by = retract(&mut home, RetractTarget::Entry(entry));
    assert_eq!(home.rows("case_event").len(), 1);
    assert_eq!(home.rows_at(by - 1, "case_event").len(), 2);
    let error = home
        .with(|workspace, ctx| workspace.retract(&RetractTarget::Entry(entry), "again", ctx))
        .unwrap_err();
    assert!(matches!(error, StoreError::AlreadyRetracted { by: found, .. } if found == by));
    // The same file may come in again, and does so as new evidence.
    let back = home.import("a.csv", "case_event", &events(&[("c1", "New", 1)]));
    assert_eq!((back.accepted, back.already_imported), (1, None));
    assert_eq!(home.rows("case_event").len(), 2);
    home.must_hold();
}

#[test]
fn retracting_a_correction_brings_the_former_version_back() {
    let mut home = Home::new();
    home.import("a.csv", "case_event", &with_id("e1", "09:00", "3"));
    let before = home.rows("case_event");
    let correction = home.import("b.csv", "case_event", &with_id("e1", "09:30", "1"));
    assert_eq!(correction.corrected, 1);
    retract(&mut home, RetractTarget::Entry(correction.entry.unwrap()));
    assert_eq!(home.rows("case_event"), before);
    // A third statement corrects the first, not the retracted second.
    let third = home.import("c.csv", "case_event", &with_id("e1", "09:30", "2"));
    assert_eq!((third.corrected, third.accepted), (1, 0));
    assert_eq!(home.rows("case_event").len(), 1);
    home.must_hold();
}

#[test]
fn one_record_can_be_retracted_and_the_others_stay() {
    let mut home = Home::new();
    let text = events(&[("c1", "New", 1), ("c2", "New", 2), ("c3", "New", 3)]);
    let entry = home.import("a.csv", "case_event", &text).entry.unwrap();
    retract(&mut home, RetractTarget::Record(entry, 2));
    let cases: Vec<String> =
        home.rows("case_event").iter().map(|fact| fact.get("case_id").to_owned()).collect();
    assert_eq!(cases, ["c1", "c3"]);
    let none = home
        .with(|workspace, ctx| workspace.retract(&RetractTarget::Record(entry, 4), "no such", ctx));
    assert!(matches!(none, Err(StoreError::NoRecord { records: 3, .. })));
    let again = home
        .with(|workspace, ctx| workspace.retract(&RetractTarget::Record(entry, 2), "twice", ctx));
    assert!(matches!(again, Err(StoreError::AlreadyRetracted { .. })));
    home.must_hold();
}

#[test]
fn only_imports_can_be_retracted_and_only_with_a_reason() {
    let mut home = Home::new();
    let entry = home.import("a.csv", "case_event", &events(&[("c1", "New", 1)])).entry.unwrap();
    let init = home.with(|workspace, ctx| workspace.retract(&RetractTarget::Entry(1), "x", ctx));
    assert_eq!(
        init.unwrap_err().to_string(),
        "entry 1 is of kind `init`; expected an import or a reread"
    );
    let blank =
        home.with(|workspace, ctx| workspace.retract(&RetractTarget::Entry(entry), " ", ctx));
    assert!(matches!(blank, Err(StoreError::NoReason)));
    let none = home.with(|workspace, ctx| workspace.retract(&RetractTarget::Entry(99), "x", ctx));
    assert_eq!(none.unwrap_err().to_string(), "there is no entry 99: the ledger has 2");
}

const LOCAL: &str = "arrangement_id,source,event_id,case_id,activity,state,occurred_at,priority
desk,sys,,c1,New,New,2026-03-02 09:00,3
desk,sys,,c1,Done,Done,2026-03-02 10:00,3
";

fn in_zone(zone: &str) -> backstay_store::ImportRequest {
    let mut request = as_table("case_event");
    request.options.zone = Some(zone.to_owned());
    request.options.date_formats = vec!["%Y-%m-%d %H:%M".to_owned()];
    request
}

#[test]
fn reading_again_replaces_the_rows_and_keeps_their_references() {
    let mut home = Home::new();
    let entry = home.try_import("a.csv", LOCAL, &in_zone("Europe/Dublin")).unwrap().entry.unwrap();
    let before = home.rows("case_event");
    let outcome = home
        .with(|workspace, ctx| workspace.reread(entry, &in_zone("Asia/Manila"), ctx, &mut |_| {}))
        .unwrap();
    assert_eq!((outcome.read, outcome.accepted), (2, 2));
    assert_eq!(outcome.tables[0].counts.withdrawn, 2);
    let after = home.rows("case_event");
    assert_eq!(after.len(), 2);
    let new = after.iter().find(|fact| fact.get("activity") == "New").unwrap();
    assert_eq!(new.get("occurred_at"), "2026-03-02T01:00:00Z");
    let references = |facts: &[crate::support::Fact]| {
        let mut all: Vec<String> = facts.iter().map(|fact| fact.row.to_string()).collect();
        all.sort();
        all
    };
    assert_eq!(references(&before), references(&after));
    assert_eq!(home.rows_at(entry, "case_event"), before);
    // Reading once more in the same way says nothing new.
    let same = home
        .with(|workspace, ctx| workspace.reread(entry, &in_zone("Asia/Manila"), ctx, &mut |_| {}))
        .unwrap();
    assert_eq!((same.already_known, same.entry), (2, None));
    // The file itself is held, by the reading that stands.
    let again = home.try_import("a.csv", LOCAL, &in_zone("Europe/Dublin")).unwrap();
    assert_eq!(again.already_imported, outcome.entry);
    // And a retraction of the import takes the later reading too.
    retract(&mut home, RetractTarget::Entry(entry));
    assert!(home.rows("case_event").is_empty());
    home.must_hold();
}

#[test]
fn reading_again_leaves_what_later_imports_said() {
    let mut home = Home::new();
    let first = with_id("e1", "09:00", "3");
    let entry = home.import("a.csv", "case_event", &first).entry.unwrap();
    home.import("b.csv", "case_event", &with_id("e1", "09:30", "1"));
    let mut request = as_table("case_event");
    request.options.set.insert("lifecycle".into(), "complete".into());
    home.with(|workspace, ctx| workspace.reread(entry, &request, ctx, &mut |_| {})).unwrap();
    let rows = home.rows("case_event");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].get("priority"), rows[0].get("lifecycle")), ("1", ""));
    home.must_hold();
}

#[test]
fn a_reread_fact_does_not_take_the_place_of_another_that_shares_its_record() {
    let mut home = Home::new();
    let text = with_id("e1", "09:00", "3");
    let entry = home.import("a.csv", "case_event", &text).entry.unwrap();
    // A later import corrects event e1, whose first version is record 1 of the first.
    home.import("b.csv", "case_event", &with_id("e1", "09:30", "1"));
    // Read again, record 1 is of another source and so another fact.
    let mut request = as_table("case_event");
    request.options.set.insert("source".into(), "archive".into());
    let outcome =
        home.with(|workspace, ctx| workspace.reread(entry, &request, ctx, &mut |_| {})).unwrap();
    assert!(outcome.entry.is_some());
    let rows = home.rows("case_event");
    let mut sources: Vec<&str> = rows.iter().map(|fact| fact.get("source")).collect();
    sources.sort_unstable();
    assert_eq!(sources, ["archive", "sys"]);
    home.must_hold();
}

#[test]
fn reading_an_import_again_with_its_own_options_changes_nothing() {
    let mut home = Home::new();
    let text = events(&[("c1", "New", 1), ("c2", "New", 2)]) + "desk,sys,,c3,New,New,never,3\n";
    let entry = home.import("a.csv", "case_event", &text).entry.unwrap();
    let before = (values(&home.rows("case_event")), home.evidence());
    let same = home
        .with(|workspace, ctx| workspace.reread(entry, &as_table("case_event"), ctx, &mut |_| {}))
        .unwrap();
    assert_eq!((same.already_known, same.quarantined, same.entry), (2, 1, None));
    assert_eq!((values(&home.rows("case_event")), home.evidence()), before);
}
