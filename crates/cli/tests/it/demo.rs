//! The worked example against its own truth: what came in, every figure, every missed case, every
//! status, every part of every difference.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sandbox::{Sandbox, number, repository, text};

fn truth() -> Value {
    let path = repository("examples/meridian/truth.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("no list `{key}` in {value}"))
}

/// A workspace with the example imported, and what the import said.
fn imported() -> (Sandbox, Value) {
    let sandbox = Sandbox::with_workspace();
    let example = repository("examples/meridian").canonicalize().unwrap();
    let imports = sandbox.ws(&["import", example.to_str().unwrap(), "--format", "json"]).json();
    (sandbox, imports)
}

#[test]
fn the_example_comes_out_as_its_truth_says() {
    let truth = truth();
    let (sandbox, imports) = imported();
    check_imports(&truth, &imports, &sandbox);
    let months: Vec<String> = {
        let all = list(&truth, "measures").iter().map(|measure| text(measure, "month").to_owned());
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    };
    assert_eq!(months, ["2026-08", "2026-09", "2026-10"]);
    for month in &months {
        let assessment = sandbox.ws(&["assess", "--period", month, "--format", "json"]).json();
        check_measures(&truth, &assessment, month);
        check_missed(&truth, &sandbox, month);
        check_ladders(&truth, &sandbox, month);
        if month == text(&truth, "period") {
            check_controls(&truth, &assessment);
        }
    }
}

fn check_imports(truth: &Value, imports: &Value, sandbox: &Sandbox) {
    let expected = list(truth, "imports");
    let files = list(imports, "files");
    assert_eq!(files.len(), expected.len());
    let mut quarantined = Vec::new();
    for (file, wanted) in files.iter().zip(expected) {
        assert_eq!(text(file, "file"), text(wanted, "file"));
        for count in ["read", "accepted", "corrected", "already_known", "quarantined"] {
            assert_eq!(number(file, count), number(wanted, count), "{count} of {file}");
        }
        for record in list(wanted, "quarantined_records") {
            quarantined.push(format!("{}:{record}", number(file, "entry")));
        }
    }
    let rows =
        sandbox.ws(&["query", "SELECT DISTINCT _ref FROM quarantine", "--format", "json"]).json();
    let mut held: Vec<String> =
        rows.as_array().unwrap().iter().map(|row| text(row, "_ref").to_owned()).collect();
    held.sort();
    held.dedup();
    quarantined.sort();
    assert_eq!(held, quarantined, "every record in quarantine, with its place");
}

fn check_measures(truth: &Value, assessment: &Value, month: &str) {
    let key = |row: &Value, level: &str| {
        (text(row, "arrangement_id").to_owned(), text(row, level).to_owned())
    };
    let found: BTreeMap<_, _> =
        list(assessment, "measures").iter().map(|m| (key(m, "service_level"), m)).collect();
    let wanted: Vec<&Value> =
        list(truth, "measures").iter().filter(|measure| measure["month"] == month).collect();
    assert_eq!(found.len(), wanted.len(), "{month}");
    for measure in wanted {
        let held = found[&key(measure, "service_level_id")];
        for field in ["numerator", "denominator"] {
            assert_eq!(number(held, field), number(measure, field), "{field} in {month}: {held}");
        }
        assert_eq!(held["value"], measure["value"], "{month}: {held}");
        let excluded: i64 = held["excluded"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(reason, _)| *reason != "not done and not yet due")
            .map(|(_, count)| count.as_i64().unwrap())
            .sum();
        assert_eq!(excluded, list(measure, "excluded").len() as i64, "{month}: {held}");
    }
}

/// Every missed case with its working minutes and deadline, and no other.
fn check_missed(truth: &Value, sandbox: &Sandbox, month: &str) {
    let sql = "
        SELECT arrangement_id, service_level_id, case_id, total_us, threshold_us, due_at, closed_at
        FROM case_clock
        WHERE is_last AND outcome IN ('missed', 'overdue') AND excluded_reason IS NULL
          AND metric <> 'backlog-age'
          AND counted_at >= $period_start AND counted_at < $period_end
        UNION ALL
        SELECT arrangement_id, service_level_id, case_id, age_us, threshold_us, NULL, NULL
        FROM backlog_case
        WHERE outcome = 'missed' AND excluded_reason IS NULL";
    let rows = sandbox.ws(&["query", sql, "--period", month, "--format", "json"]).json();
    let found: BTreeMap<[String; 3], Value> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                ["arrangement_id", "service_level_id", "case_id"].map(|k| text(row, k).to_owned()),
                row.clone(),
            )
        })
        .collect();
    let mut wanted = 0;
    for measure in list(truth, "measures").iter().filter(|measure| measure["month"] == month) {
        for case in list(measure, "missed") {
            wanted += 1;
            let key = [
                text(measure, "arrangement_id"),
                text(measure, "service_level_id"),
                text(case, "case_id"),
            ];
            let held = found
                .get(&key.map(str::to_owned))
                .unwrap_or_else(|| panic!("{month}: {key:?} not missed"));
            let minutes = 60_000_000;
            assert_eq!(
                number(held, "total_us"),
                number(case, "working_minutes") * minutes,
                "{month}: {held}"
            );
            assert_eq!(
                number(held, "threshold_us"),
                number(case, "threshold_minutes") * minutes,
                "{held}"
            );
            if text(measure, "metric") != "backlog-age" {
                assert_eq!(held["due_at"], case["due_at"], "{month}: {key:?}");
                assert_eq!(held["closed_at"], case["closed_at"], "{month}: {key:?}");
            }
        }
    }
    assert_eq!(found.len(), wanted, "{month}: {found:?}");
}

/// Every step of every ladder: cases after it, and its exact part.
fn check_ladders(truth: &Value, sandbox: &Sandbox, month: &str) {
    let rows = sandbox
        .ws(&["query", "SELECT * FROM report_ladder", "--period", month, "--format", "json"])
        .json();
    let rows = rows.as_array().unwrap();
    let ladders: Vec<&Value> =
        list(truth, "ladders").iter().filter(|ladder| ladder["month"] == month).collect();
    assert!(!ladders.is_empty());
    assert_eq!(rows.len(), ladders.len() * 7, "{month}");
    for ladder in ladders {
        let of_ladder = |row: &&Value| {
            row["arrangement_id"] == ladder["arrangement_id"]
                && row["service_level_id"] == ladder["service_level_id"]
        };
        for step in list(ladder, "steps") {
            let row =
                rows.iter().filter(of_ladder).find(|row| row["cause"] == step["step"]).unwrap();
            assert_eq!(row["agrees"], ladder["agrees"], "{month}: {row}");
            compare_step(row, ladder, step, month);
        }
    }
}

fn compare_step(row: &Value, ladder: &Value, step: &Value, month: &str) {
    let part = &step["part"];
    let (wanted, over) = (number(part, "numer"), number(part, "denom"));
    // A share printed without counts stands for whatever rounds to it: its unexplained rest is the
    // printed figure's, not the hidden one's.
    if ladder["listed"] == true || step["step"] != "unexplained" {
        let (held, below) = (number(row, "part_numerator"), number(row, "part_denominator"));
        assert_eq!(
            i128::from(held) * i128::from(over),
            i128::from(wanted) * i128::from(below),
            "{month} {}: {row}\n{ladder}",
            step["step"]
        );
    }
    if step["step"] != "unexplained" {
        for field in ["numerator", "denominator"] {
            assert_eq!(number(row, field), number(step, field), "{month}: {row}");
        }
    }
}

fn check_controls(truth: &Value, assessment: &Value) {
    let found: BTreeMap<(&str, &str), &str> = list(assessment, "controls")
        .iter()
        .map(|c| ((text(c, "arrangement_id"), text(c, "control")), text(c, "status")))
        .collect();
    let wanted: BTreeMap<(&str, &str), &str> = list(truth, "controls")
        .iter()
        .map(|c| ((text(c, "arrangement_id"), text(c, "control")), text(c, "status")))
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn demo_needs_nothing_but_the_binary_and_says_what_to_try_next() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run_with(&["demo"], &[("COLUMNS", "80")]).ok();
    assert!(shown.contains("Assessment of 2026-10"), "{shown}");
    assert!(shown.contains("? work-visible") || shown.contains("✗ deficient"), "{shown}");
    let prose = shown.lines().filter(|line| !line.trim_start().starts_with("backstay "));
    for line in prose {
        assert!(line.chars().count() <= 80, "{line}");
    }
    // Every command that it proposes does its work.
    let mut proposed = 0;
    for line in shown.lines().filter_map(|line| line.trim_start().strip_prefix("backstay ")) {
        let words = shell_words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        sandbox.run(&words).ok();
        proposed += 1;
    }
    assert!(proposed >= 6, "{shown}");
    let again = sandbox.run(&["demo"]).ok();
    assert!(again.contains("`backstay-demo-2/handed-in`"), "{again}");
    let taken = sandbox.run(&["demo", "backstay-demo"]).fails(1);
    assert!(taken.contains("error: `backstay-demo` is not empty"), "{taken}");
}

/// Words as a shell parts them; single quotes only, which is what the product writes.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, piece) in line.split('\'').enumerate() {
        if n % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}
