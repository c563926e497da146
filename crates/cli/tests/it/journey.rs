//! A small arrangement through the whole product, and back in time.

use std::fs;

use backstay_ledger::{FolderSource, VerifyOptions, verify_bundle};
use serde_json::Value;

use crate::{
    sandbox::{Sandbox, number, text},
    small::{EVENTS, hand_in, imported},
};

const MARCH: [&str; 3] = ["assess", "--period", "2026-03"];

fn assess(sandbox: &Sandbox, more: &[&str]) -> Value {
    sandbox.ws(&[&MARCH[..], &["--format", "json"], more].concat()).json()
}

/// The status of each control, by id.
fn statuses(assessment: &Value) -> Vec<(String, String)> {
    let controls = assessment["controls"].as_array().unwrap();
    controls.iter().map(|c| (text(c, "control").to_owned(), text(c, "status").to_owned())).collect()
}

/// The controls that the small arrangement has evidence for; about the others nothing was agreed.
const TESTED: [&str; 4] =
    ["provider-report-agrees", "service-levels-defined", "service-levels-met", "work-visible"];

fn all_effective(assessment: &Value) -> bool {
    let found = statuses(assessment);
    let tested = found.iter().filter(|(control, _)| TESTED.contains(&control.as_str()));
    let (tested, others): (Vec<_>, Vec<_>) =
        (tested.collect(), found.iter().filter(|(c, _)| !TESTED.contains(&c.as_str())).collect());
    tested.len() == TESTED.len()
        && tested.iter().all(|(_, status)| status == "effective")
        && others.iter().all(|(_, status)| status != "effective" && status != "deficient")
}

/// Numerator and denominator of the one service level.
fn figure(assessment: &Value) -> (i64, i64) {
    let measure = &assessment["measures"][0];
    (number(measure, "numerator"), number(measure, "denominator"))
}

#[test]
fn a_small_arrangement_is_imported_assessed_explained_and_traced() {
    let sandbox = Sandbox::with_workspace();
    hand_in(&sandbox);
    let imports = sandbox.ws(&["import", "handed-in", "--format", "json"]).json();
    assert_eq!(number(&imports["totals"], "read"), 20);
    assert_eq!(number(&imports["totals"], "accepted"), 20);
    assert_eq!(imports["files"].as_array().unwrap().len(), 10);

    let assessment = assess(&sandbox, &[]);
    assert_eq!(text(&assessment, "schema"), "backstay.assessment/1");
    assert!(all_effective(&assessment), "{:?}", statuses(&assessment));
    let measure = &assessment["measures"][0];
    assert_eq!(figure(&assessment), (3, 4));
    assert_eq!(text(measure, "value"), "0.750000");
    assert_eq!(text(measure, "service_level"), "entry");
    assert_eq!(text(measure, "period"), "2026-03-01..2026-04-01");
    // What nobody agreed on is not effective, and --strict says so.
    sandbox.ws(&[&MARCH[..], &["--strict"]].concat()).code(3);

    let told = sandbox
        .ws(&[
            "explain",
            "C-2",
            "--service-level",
            "entry",
            "--period",
            "2026-03",
            "--format",
            "json",
        ])
        .json();
    assert_eq!(text(&told, "outcome"), "missed");
    assert_eq!(number(&told["total"], "minutes"), 18 * 60);
    assert_eq!(text(&told["deadline"], "local"), "2026-03-03T17:00:00+05:30");
    let record = text(&told["segments"][0], "record").to_owned();
    let now =
        sandbox.ws(&["explain", "C-2", "--service-level", "entry", "--format", "json"]).json();
    assert_eq!(now["segments"][0], told["segments"][0]);
    assert_ne!(now["as_of"], told["as_of"], "without a period a case is looked at as of now");
    let shown =
        sandbox.ws(&["explain", "C-2", "--service-level", "entry", "--period", "2026-03"]).ok();
    assert!(
        shown.contains("✗ missed: done too late: working time 18:00:00, allowed 8:00:00"),
        "{shown}"
    );
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");

    let trace = sandbox.ws(&["trace", &record, "--format", "json"]).json();
    assert_eq!(text(&trace, "file"), "case_event.csv");
    assert_eq!(number(&trace, "first_line"), 4);
    assert_eq!(text(&trace, "text"), EVENTS.lines().nth(3).unwrap());
    assert_eq!(trace["cells"]["case_id"], "C-2");
}

#[test]
fn the_same_folder_again_changes_nothing_and_says_which_entry_holds_each_file() {
    let sandbox = imported();
    let before = sandbox.ws(&["log"]).ok();
    let again = sandbox.ws(&["import", "handed-in", "--format", "json"]).json();
    for file in again["files"].as_array().unwrap() {
        assert_eq!(file["repeated"], true, "{file}");
        assert_eq!(number(file, "accepted"), 0);
        assert_eq!(number(file, "read"), number(file, "already_known"));
        assert!(file["entry"].as_i64().is_some());
    }
    assert_eq!(sandbox.ws(&["log"]).ok(), before);
}

#[test]
fn an_overlapping_export_with_a_changed_row_adds_one_correction_and_the_old_answer_stays() {
    let sandbox = imported();
    let old_answer = sandbox.ws(&[&MARCH[..], &["--format", "json", "-o", "old.json"]].concat());
    old_answer.ok();
    let known =
        sandbox.ws(&["log", "--format", "json"]).json()["entries"].as_array().unwrap().len();
    let known_at = (known - 1).to_string();
    // The second export begins later, ends later, and says that C-2 was done a day earlier.
    let mut second = EVENTS
        .replace(
            "e4,claims,C-2,Close,Done,2026-03-04T18:00",
            "e4,claims,C-2,Close,Done,2026-03-03T16:00",
        )
        .lines()
        .filter(|line| !line.starts_with("e1,") && !line.starts_with("e2,"))
        .collect::<Vec<_>>()
        .join("\n");
    second.push_str("\ne9,claims,C-4,Note,Done,2026-03-11T10:00:00+05:30,\n");
    sandbox.write("second.csv", second);
    let outcome =
        sandbox.ws(&["import", "second.csv", "--as", "case_event", "--format", "json"]).json();
    let counts = ["read", "accepted", "corrected", "already_known", "quarantined"];
    assert_eq!(counts.map(|name| number(&outcome, name)), [7, 1, 1, 5, 0]);

    // Nine events now, eight were announced: the feed no longer adds up, and what rests on it says so.
    let now = assess(&sandbox, &[]);
    assert_eq!(figure(&now), (4, 4));
    assert!(!all_effective(&now));
    let then = assess(&sandbox, &["--as-of", &known_at]);
    assert_eq!(figure(&then), (3, 4));
    assert!(all_effective(&then), "{}", then["controls"]);
    let old: Value = serde_json::from_slice(&fs::read(sandbox.path("old.json")).unwrap()).unwrap();
    assert_eq!(old, then, "the old answer is still there, byte for byte");
}

#[test]
fn a_replay_gives_the_same_bytes_after_later_imports() {
    let sandbox = imported();
    assess(&sandbox, &[]);
    let entries = sandbox.ws(&["log", "--format", "json"]).json();
    let last = entries["entries"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(text(&last, "kind"), "assessment");
    let id = number(&last, "entry").to_string();
    let bytes = sandbox.ws(&["replay", &id, "--output", "bytes"]).ok();
    let late = "event_id,arrangement_id,case_id,activity,state,occurred_at\n\
                late,claims,C-1,Reopen,Open,2026-03-05T09:00:00+05:30\n";
    sandbox.write("late.csv", late);
    sandbox.ws(&["import", "late.csv", "--as", "case_event"]).ok();
    assert_eq!(sandbox.ws(&["replay", &id, "--output", "bytes"]).ok(), bytes);
    let text = sandbox.ws(&["replay", &id]).ok();
    assert!(text.contains("comes out the same, byte for byte"), "{text}");
    assert_ne!(sandbox.ws(&[&MARCH[..], &["--format", "json"]].concat()).ok(), bytes);
}

#[test]
fn the_same_question_twice_writes_one_entry() {
    let sandbox = imported();
    let first = assess(&sandbox, &[]);
    let entries = sandbox.ws(&["log"]).ok();
    assert_eq!(assess(&sandbox, &[]), first);
    assert_eq!(sandbox.ws(&["log"]).ok(), entries);
}

#[test]
fn an_as_of_may_be_an_instant_and_an_assessment_may_go_to_a_file() {
    let sandbox = imported();
    let before = assess(&sandbox, &["--as-of", "2020-01-01T00:00:00Z"]);
    assert!(before["controls"].as_array().unwrap().is_empty(), "nothing was known then");
    let now = assess(&sandbox, &["--as-of", "2999-01-01T00:00:00+08:00"]);
    assert_eq!(now, assess(&sandbox, &[]));
    let out = sandbox.ws(&[&MARCH[..], &["-o", "march.txt"]].concat()).ok();
    assert_eq!(out, "");
    let written = fs::read_to_string(sandbox.path("march.txt")).unwrap();
    assert!(written.starts_with("Assessment of 2026-03\n"), "{written}");
    assert!(!written.contains('\u{1b}'));
}

#[test]
fn a_retracted_record_leaves_later_answers_and_stays_in_earlier_ones() {
    let sandbox = imported();
    let found = sandbox.ws(&[
        "query",
        "SELECT _ref FROM case_event WHERE event_id = 'e4'",
        "--format",
        "json",
    ]);
    let reference = text(&found.json()[0], "_ref").to_owned();
    let known =
        sandbox.ws(&["log", "--format", "json"]).json()["entries"].as_array().unwrap().len();
    let said = sandbox.ws(&["retract", &reference, "--reason", "wrong day"]).ok();
    assert!(
        said.starts_with(&format!("Retracted record {reference} with ledger entry {}", known + 1)),
        "{said}"
    );
    let count = "SELECT count(*) AS n FROM case_event";
    let now = sandbox.ws(&["query", count, "--format", "csv"]).ok();
    let then = sandbox.ws(&["query", count, "--format", "csv", "--as-of", &known.to_string()]).ok();
    assert_eq!((now.as_str(), then.as_str()), ("n\n7\n", "n\n8\n"));
}

#[test]
fn kept_bytes_are_read_again_with_another_mapping() {
    let sandbox = Sandbox::with_workspace();
    let mapping = |column: &str| {
        format!(
            "mapping = \"desk\"\ntitle = \"Desk\"\nabout = \"A desk\"\nformat = \"delimited\"\n\
             [[table]]\nname = \"case_event\"\n[table.columns]\ncase_id = \"id\"\n\
             activity = \"{column}\"\nstate = \"state\"\noccurred_at = \"at\"\n"
        )
    };
    sandbox.write("first.toml", mapping("state"));
    sandbox.write("second.toml", mapping("what"));
    sandbox.write("log.csv", "id,what,state,at\nA,call,Open,2026-03-02T09:00:00Z\n");
    let options = ["--set", "arrangement_id=desk"];
    let imported =
        [&["import", "log.csv", "--mapping", "first.toml", "--format", "json"], &options[..]];
    let entry = number(&sandbox.ws(&imported.concat()).json(), "entry").to_string();
    let again = [&["reread", &entry, "--mapping", "second.toml"], &options[..]].concat();
    sandbox.ws(&again).ok();
    let rows =
        sandbox.ws(&["query", "SELECT activity, _ref FROM case_event", "--format", "csv"]).ok();
    assert_eq!(rows, format!("activity,_ref\ncall,{entry}:1\n"));
}

#[test]
fn a_backup_restores_to_the_same_answers_and_a_bundle_verifies_offline() {
    let sandbox = imported();
    let answer = sandbox.ws(&[&MARCH[..], &["--format", "json"]].concat()).ok();
    sandbox.ws(&["backup", "copy"]).ok();
    sandbox.run(&["restore", "copy", "restored"]).ok();
    let restored =
        sandbox.run(&["-w", "restored", "assess", "--period", "2026-03", "--format", "json"]);
    assert_eq!(restored.ok(), answer);
    let report = sandbox.run(&["-w", "restored", "verify", "--format", "json"]).json();
    assert_eq!(report["verified"], true);

    sandbox.ws(&["bundle", "audit"]).ok();
    let bundle = FolderSource::new(sandbox.path("audit"));
    let checked = verify_bundle(&bundle, &VerifyOptions::default()).unwrap();
    assert_eq!(checked.size, 12, "one for the workspace, ten imports, one assessment: {checked:?}");
    assert!(checked.unproved.is_empty(), "{checked:?}");
}

#[test]
fn a_damaged_object_fails_the_verification_with_what_to_do() {
    let sandbox = imported();
    sandbox.ws(&["verify"]).ok();
    let objects = sandbox.path("ws/objects");
    let folder = fs::read_dir(&objects).unwrap().next().unwrap().unwrap().path();
    let object = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mut permissions = fs::metadata(&object).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a test folder of our own")]
    permissions.set_readonly(false);
    fs::set_permissions(&object, permissions).unwrap();
    fs::write(&object, bytes).unwrap();
    let run = sandbox.ws(&["verify"]);
    assert!(run.err.contains("error: the workspace does not verify"), "{}", run.err);
    let out = run.code(1);
    assert!(out.contains("✗ not verified: ") && out.contains("help: "), "{out}");
}

#[test]
fn a_query_writes_aligned_columns_csv_and_json_with_references_and_exact_decimals() {
    let sandbox = imported();
    let sql = "SELECT service_level_id, target, threshold, _ref FROM service_level";
    let table = sandbox.ws(&["query", sql]).ok();
    assert_eq!(
        table,
        "service_level_id  target    threshold  _ref\n\
         entry               0.75  28800000000  8:1\n\n1 row\n"
    );
    assert_eq!(
        sandbox.ws(&["query", sql, "--format", "csv"]).ok(),
        "service_level_id,target,threshold,_ref\nentry,0.75,28800000000,8:1\n"
    );
    let rows = sandbox.ws(&["query", sql, "--format", "json"]).json();
    assert_eq!(rows[0]["target"], "0.75");
    assert_eq!(rows[0]["threshold"], 28_800_000_000_i64);
    let instants = "SELECT occurred_at FROM case_event WHERE event_id = 'e1'";
    assert_eq!(
        sandbox.ws(&["query", instants, "--format", "csv"]).ok(),
        "occurred_at\n2026-03-02T03:30:00Z\n"
    );
}

#[test]
fn a_withheld_import_never_makes_a_control_effective() {
    for withheld in
        ["case_event", "provider_report", "evidence_feed", "calendar", "service_level", "function"]
    {
        let sandbox = Sandbox::with_workspace();
        hand_in(&sandbox);
        let order = crate::small::ORDER
            .replace(&format!("[[import]]\nfile = \"{withheld}.csv\"\nas = \"{withheld}\"\n"), "");
        assert_ne!(order, crate::small::ORDER, "{withheld} is in the order");
        sandbox.write("handed-in/imports.toml", order);
        sandbox.ws(&["import", "handed-in"]).ok();
        let assessment = assess(&sandbox, &[]);
        assert!(!all_effective(&assessment), "without {withheld}: {:?}", statuses(&assessment));
        sandbox.ws(&[&MARCH[..], &["--strict"]].concat()).code(3);
    }
}

#[test]
fn a_dry_run_shows_counts_rows_and_rejections_and_writes_nothing() {
    let sandbox = imported();
    let before = sandbox.ws(&["log"]).ok();
    let spoilt = EVENTS.replace("2026-03-02T09:00:00+05:30,2026", "yesterday,2026");
    sandbox.write("spoilt.csv", spoilt);
    let run = sandbox.ws(&[
        "import",
        "spoilt.csv",
        "--as",
        "case_event",
        "--dry-run",
        "--format",
        "json",
    ]);
    let outcome = run.json();
    assert_eq!(["read", "accepted", "quarantined"].map(|n| number(&outcome, n)), [8, 7, 1]);
    assert_eq!(outcome["entry"], Value::Null);
    assert_eq!(outcome["rejections"][0]["code"], "bad-date");
    assert_eq!(outcome["rejections"][0]["records"][0], 1);
    assert!(!outcome["tables"][0]["first"].as_array().unwrap().is_empty());
    let shown = sandbox.ws(&["import", "spoilt.csv", "--as", "case_event", "--dry-run"]).ok();
    assert!(shown.contains("dry run") && shown.contains("first rows of case_event"), "{shown}");
    assert_eq!(sandbox.ws(&["log"]).ok(), before);
}

#[test]
fn measure_gives_the_figures_of_the_assessment_and_keeps_nothing() {
    let sandbox = imported();
    let entries = |sandbox: &Sandbox| {
        sandbox.ws(&["log", "--format", "json"]).json()["entries"].as_array().unwrap().len()
    };
    let before = entries(&sandbox);
    let measured = sandbox.ws(&["measure", "--period", "2026-03", "--format", "json"]).json();
    assert_eq!(entries(&sandbox), before);
    assert_eq!(measured, assess(&sandbox, &[])["measures"]);
    assert_eq!(number(&measured[0], "denominator"), 4);

    let csv = sandbox.ws(&["measure", "--period", "2026-03", "--format", "csv"]).ok();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert!(lines[1].contains(",entry,turnaround,2026-03-01,2026-04-01,3,4,"), "{csv}");
    let page = sandbox.ws(&["measure", "--period", "2026-03"]).ok();
    assert!(page.contains("Service levels of 2026-03") && page.contains("75.00 %"), "{page}");
    let unknown = sandbox.ws(&["measure", "nobody"]).fails(2);
    assert!(unknown.contains("no evidence is held of the arrangement `nobody`"), "{unknown}");
}
