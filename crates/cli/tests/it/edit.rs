//! Rows entered by hand, from the door to the assessment, the trace and the replay.

use crate::{
    sandbox::{number, text},
    small::imported,
};

#[test]
fn a_row_entered_by_hand_is_queried_traced_judged_replayed_and_taken_back() {
    let sandbox = imported();
    let assess = ["assess", "--period", "2026-03", "--format", "json"];
    let before = sandbox.ws(&assess).json();
    let log = sandbox.ws(&["log", "--format", "json"]).json();
    let kept = number(log["entries"].as_array().unwrap().last().unwrap(), "entry");

    let asked = "SELECT service_level_id, target, _seq FROM service_level";
    let rows = sandbox.ws(&["query", asked, "--format", "json"]).json();
    let level = &rows.as_array().or_else(|| rows["rows"].as_array()).unwrap()[0];
    let seen = number(level, "_seq").to_string();
    let edit = |value: &str, more: &[&str]| {
        let target = format!("target={value}");
        let row = ["edit", "service_level", "arrangement_id=claims", "service_level_id=entry"];
        sandbox.ws(&[&row[..], &[&target, "--reason", "as signed"], more].concat())
    };
    let planned = edit("0.99", &["--dry-run"]).ok();
    assert!(planned.contains("Nothing was written") && planned.contains("before:"), "{planned}");
    let done = edit("0.99", &["--expect", &seen, "--format", "json"]).json();
    let entry = number(&done, "entry");
    assert_eq!(entry, kept + 1);
    let conflict = edit("0.5", &["--expect", &seen]).fails(1);
    assert!(conflict.contains("somebody else changed"), "{conflict}");
    let refused = edit("high", &[]).fails(1);
    assert!(refused.contains("column `target`"), "{refused}");

    let rows = sandbox.ws(&["query", asked, "--format", "csv"]).ok();
    assert!(rows.contains(&format!("entry,0.99,{entry}")), "{rows}");
    let after = sandbox.ws(&assess).json();
    assert_ne!(before["controls"], after["controls"], "another target is another judgement");
    let trace = sandbox.ws(&["trace", &format!("{entry}:1")]).ok();
    assert!(trace.contains("entered by hand") && trace.contains("as signed"), "{trace}");
    assert!(sandbox.ws(&["log"]).ok().contains("1 row of service_level: as signed"));
    sandbox.ws(&["verify"]).ok();

    sandbox.ws(&["compact"]).ok();
    let again = sandbox.ws(&[&assess[..], &["--as-of", &kept.to_string()]].concat()).json();
    assert_eq!(again["controls"], before["controls"]);
    sandbox.ws(&["replay", &kept.to_string()]).ok();
    sandbox.ws(&["replay", &(entry + 1).to_string()]).ok();

    sandbox.ws(&["retract", &entry.to_string(), "--reason", "not signed after all"]).ok();
    let back = sandbox.ws(&assess).json();
    assert_eq!(back["controls"], before["controls"]);
    assert!(text(&back, "schema").starts_with("backstay.assessment/"));
    sandbox.ws(&["verify"]).ok();
}
