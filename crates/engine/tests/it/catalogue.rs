//! The catalogue's own cases, and what `catalogue test` refuses.

use std::sync::Arc;

use backstay_engine::{
    Catalogue, Layout,
    catalogue::{FileReport, TrialOptions, catalogue_test, skeleton},
};
use backstay_evidence::Vocabulary;

const LAYOUT: Layout = Layout { partitions: 2, batch_rows: 8192 };

fn run(catalogue: Catalogue, mutate: bool) -> Vec<FileReport> {
    let vocabulary = Arc::new(Vocabulary::built_in().unwrap());
    let options = TrialOptions { only: None, mutate };
    catalogue_test(&vocabulary, &Arc::new(catalogue), &options, LAYOUT).unwrap()
}

/// A catalogue of the three skeletons, with pieces of the control's and the metric's text replaced.
fn skeletons(changes: &[(&str, &str)]) -> Catalogue {
    let mut files = Vec::new();
    for (kind, id) in [("risk", "quality"), ("control", "quality/my-check"), ("metric", "volume")] {
        let (file, mut text) = skeleton(kind, id).unwrap();
        for (from, to) in changes {
            text = text.replace(from, to);
        }
        files.push((file, text));
    }
    Catalogue::from_texts(files.iter().map(|(file, text)| (file.as_str(), text.as_str()))).unwrap()
}

fn explain(reports: &[FileReport]) -> String {
    let mut out = String::new();
    for report in reports {
        for case in &report.cases {
            for failure in &case.failures {
                out.push_str(&format!("{}: {}: {failure}\n", report.file, case.name));
            }
        }
        for refusal in &report.refusals {
            out.push_str(&format!("{}: {refusal}\n", report.file));
        }
        for survivor in &report.survivors {
            out.push_str(&format!("{}: nobody notices {survivor}\n", report.file));
        }
    }
    out
}

#[test]
fn every_case_of_the_catalogue_passes_and_no_file_leaves_something_out() {
    let reports = run(Catalogue::built_in().unwrap(), false);
    assert!(!reports.is_empty());
    assert!(reports.iter().all(FileReport::passed), "\n{}", explain(&reports));
}

#[test]
fn skeletons_pass_as_they_are_and_notice_every_slip() {
    let reports = run(skeletons(&[]), true);
    assert_eq!(reports.len(), 2);
    assert!(reports.iter().all(FileReport::passed), "\n{}", explain(&reports));
    assert!(reports.iter().any(|report| report.mutants > 5));
    assert_eq!(explain(&reports), "");
}

fn refusals(changes: &[(&str, &str)], id: &str) -> Vec<String> {
    let reports = run(skeletons(changes), false);
    let report = reports.into_iter().find(|report| report.id == id).unwrap();
    assert!(!report.passed());
    let failures = report.cases.into_iter().flat_map(|case| case.failures);
    report.refusals.into_iter().chain(failures).collect()
}

#[test]
fn a_file_whose_cases_leave_something_out_is_refused() {
    let gone = |from, to: &'static str| refusals(&[(from, to)], "my-check").join("; ");
    assert!(gone("expect status untested", "").contains("no case withholds evidence"));
    let says_nothing = "| desk | incidents | Incidents | |";
    let says_so = "| desk | incidents | Incidents | true |";
    let both = refusals(&[(says_nothing, says_so)], "my-check").join("; ");
    assert!(both.contains("no case shows the outcome `missed`"), "{both}");
    assert!(gone("FROM function", "FROM functions").contains("did you mean `function`?"));
    assert!(
        gone("references = []", "consults = [\"team\"]")
            .contains("it consults `team`, which its SQL does not read")
    );
    assert!(gone("function_id AS subject", "now() AS subject").contains("now"));
    let metric = refusals(&[("| opened | 0 | |", "| opened | 0 | 0 |")], "volume").join("; ");
    assert!(metric.contains("no case shows a window without cases"), "{metric}");
    assert!(metric.contains("no row is | opened | 0 | 0 |"), "{metric}");
}

#[test]
fn what_does_not_come_out_as_expected_is_named_with_its_line() {
    let failed =
        refusals(&[("| incidents | met | 2:1 |", "| incidents | met | 2:2 |")], "my-check")
            .join("; ");
    assert!(failed.contains("no row is | incidents | met | 2:2 |"), "{failed}");
    assert!(failed.contains("not expected: | incidents | met | 2:1 |"), "{failed}");
    let failed =
        refusals(&[("expect status effective", "expect status stale")], "my-check").join("; ");
    assert!(failed.contains("the status is effective: 1 of 1 met"), "{failed}");
    let failed = refusals(
        &[("desk | incidents | Incidents | true", "desk | incidents | Incidents | perhaps")],
        "my-check",
    );
    assert!(failed.join("; ").contains("neither `true` nor `false`"), "{failed:?}");
}

#[test]
fn a_slip_that_no_case_notices_is_listed_with_its_line() {
    let before = skeleton("metric", "volume").unwrap().1;
    let line = before.lines().position(|line| line.starts_with("GROUP BY")).unwrap() + 1;
    let reports = run(skeletons(&[("GROUP BY e.", "WHERE e.case_id <> 'X'\nGROUP BY e.")]), true);
    let metric = reports.iter().find(|report| report.id == "volume").unwrap();
    let expected = format!("line {line}: `WHERE e.case_id <> 'X'` dropped");
    assert!(metric.survivors.contains(&expected), "{expected}\n{:?}", metric.survivors);
}

#[test]
fn a_workspace_adds_files_of_its_own_and_cannot_take_an_id() {
    let folder = tempfile::tempdir().unwrap();
    let (file, text) = skeleton("control", "quality/my-check").unwrap();
    std::fs::create_dir(folder.path().join("quality")).unwrap();
    std::fs::write(folder.path().join(&file), &text).unwrap();
    let base = || {
        let (risk, text) = skeleton("risk", "quality").unwrap();
        Catalogue::from_texts([(risk.as_str(), text.as_str())]).unwrap()
    };
    let before = base().digest();
    let with = base().with_workspace_files(folder.path()).unwrap();
    assert_eq!(with.control("my-check").unwrap().file, file);
    assert_ne!(with.digest(), before);
    assert_eq!(with.show("my-check").unwrap(), text);
    assert!(
        with.show("other")
            .unwrap_err()
            .to_string()
            .contains("no control, metric or risk has the id `other`")
    );
    let error = with.with_workspace_files(folder.path()).unwrap_err().to_string();
    assert!(error.contains("control `my-check` exists already"), "{error}");
    let error = Catalogue::default().with_workspace_files(folder.path()).unwrap_err().to_string();
    assert!(error.contains("needs a file `quality/risk.md`"), "{error}");
}
