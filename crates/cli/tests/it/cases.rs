//! The table of working-time cases: every case has a test, and every test named there exists.

use std::{collections::BTreeSet, fs};

use crate::sandbox::repository;

/// Cases of the design's list.
const CASES: u32 = 30;

/// Case, test and file of each row.
fn rows(table: &str) -> Vec<(u32, String, String)> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [case, _, _, test, file] = cells.as_slice() else { return None };
        Some((case.parse().ok()?, (*test).to_owned(), (*file).to_owned()))
    };
    table.lines().filter(|line| line.starts_with('|')).filter_map(row).collect()
}

#[test]
fn every_working_time_case_names_a_test_that_exists() {
    let table = fs::read_to_string(repository("docs/working-time-cases.md")).unwrap();
    let rows = rows(&table);
    let listed: BTreeSet<u32> = rows.iter().map(|(case, ..)| *case).collect();
    assert_eq!(listed, (1..=CASES).collect::<BTreeSet<_>>(), "a case has no row, or is none");
    for (case, test, file) in rows {
        let text = fs::read_to_string(repository(&file)).unwrap();
        let is_there = if file.ends_with(".md") {
            text.lines().any(|line| line == format!("### {test}"))
        } else {
            text.contains(&format!("#[test]\nfn {test}()"))
        };
        assert!(is_there, "case {case}: `{file}` has no test `{test}`");
    }
}
