//! The difference between the provider's figure and ours, each cause planted alone and every pair:
//! alone, its part is what was planted and all others are 0; in pairs, nothing is left unexplained.

use backstay_sim::{Cause, LadderTruth, ladder_case};
use serde_json::Value;

use crate::sandbox::{Sandbox, number, text};

const SEED: u64 = 11;

/// Plants the causes, imports the files as a user would, and returns truth and ladder.
fn planted(causes: &[Cause]) -> (LadderTruth, Vec<Value>) {
    let outcome = ladder_case(SEED, causes).unwrap();
    let sandbox = Sandbox::with_workspace();
    outcome.write(&sandbox.path("handed-in")).unwrap();
    sandbox.ws(&["import", "handed-in"]).ok();
    let sql = "SELECT * FROM report_ladder ORDER BY step";
    let rows = sandbox.ws(&["query", sql, "--period", "2026-10", "--format", "json"]).json();
    let [ladder] = outcome.truth.ladders.as_slice() else { panic!("one ladder") };
    (ladder.clone(), rows.as_array().unwrap().clone())
}

/// Compares every step with the truth, exactly; returns the causes whose part is not 0.
fn compare(causes: &[Cause]) -> Vec<String> {
    let (truth, rows) = planted(causes);
    assert_eq!(rows.len(), 7, "{causes:?}");
    assert_eq!(
        rows.iter().map(|row| text(row, "cause")).collect::<Vec<_>>(),
        Cause::ALL.map(Cause::name)
    );
    let mut parts = Vec::new();
    for (row, step) in rows.iter().zip(&truth.steps) {
        assert_eq!(text(row, "cause"), step.step);
        let (numer, denom) = (number(row, "part_numerator"), number(row, "part_denominator"));
        let (left, right) = (
            i128::from(numer) * i128::from(step.part.denom),
            i128::from(step.part.numer) * i128::from(denom),
        );
        assert_eq!(left, right, "{causes:?}, {}: {row}", step.step);
        if numer != 0 {
            parts.push(step.step.clone());
        }
    }
    let last = rows.last().unwrap();
    assert_eq!(number(last, "ours_numerator"), truth.ours_numerator);
    assert_eq!(number(last, "ours_denominator"), truth.ours_denominator);
    assert_eq!(last["theirs_numerator"].as_i64(), truth.provider_numerator);
    assert_eq!(last["theirs_denominator"].as_i64(), truth.provider_denominator);
    parts
}

#[test]
fn without_a_cause_the_figures_agree() {
    assert!(compare(&[]).is_empty());
}

#[test]
fn each_cause_alone_has_its_part_and_all_others_are_nought() {
    for cause in Cause::ALL {
        assert_eq!(compare(&[cause]), [cause.name()]);
    }
}

#[test]
fn every_pair_of_stated_causes_leaves_nothing_unexplained() {
    let stated = Cause::ALL.iter().filter(|cause| **cause != Cause::Unexplained);
    let stated: Vec<Cause> = stated.copied().collect();
    for (n, first) in stated.iter().enumerate() {
        for second in &stated[n + 1..] {
            let parts = compare(&[*first, *second]);
            assert!(
                !parts.contains(&"unexplained".to_owned()),
                "{first:?} and {second:?}: {parts:?}"
            );
        }
    }
}

#[test]
fn a_cause_beside_one_that_is_not_stated_keeps_its_part() {
    for cause in Cause::ALL.into_iter().filter(|cause| *cause != Cause::Unexplained) {
        compare(&[cause, Cause::Unexplained]);
    }
}
