//! The same work log through the other doors, with the real binary: a workbook and JSON Lines.

use rust_xlsxwriter::Workbook;

use crate::{
    sandbox::{Sandbox, number},
    small::{EVENTS, hand_in},
};

fn cells() -> Vec<Vec<&'static str>> {
    EVENTS.lines().map(|line| line.split(',').collect()).collect()
}

fn workbook() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("March 2026").unwrap();
    for (row, cells) in (0..).zip(cells()) {
        for (column, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

fn json_lines() -> String {
    let cells = cells();
    let (head, rows) = cells.split_first().unwrap();
    let line = |row: &Vec<&str>| {
        let given = head.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let fields: serde_json::Map<_, _> =
            given.map(|(name, cell)| ((*name).to_owned(), (*cell).into())).collect();
        serde_json::Value::Object(fields).to_string()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_work_log_is_the_same_as_a_workbook_as_json_lines_and_as_csv() {
    let sandbox = Sandbox::with_workspace();
    hand_in(&sandbox);
    let order = std::fs::read_to_string(sandbox.path("handed-in/imports.toml")).unwrap();
    sandbox.write("handed-in/log.xlsx", workbook());
    sandbox.write("handed-in/imports.toml", order.replace("case_event.csv", "log.xlsx"));
    let imports = sandbox.ws(&["import", "handed-in", "--format", "json"]).json();
    assert_eq!(number(&imports["totals"], "accepted"), 20);

    let assessment = sandbox.ws(&["assess", "--period", "2026-03", "--format", "json"]).json();
    let measure = &assessment["measures"][0];
    assert_eq!((number(measure, "numerator"), number(measure, "denominator")), (3, 4));
    // The workbook is the eighth file, after the entry that made the workspace.
    let traced = sandbox.ws(&["trace", "9:3"]).ok();
    assert!(traced.contains("log.xlsx"), "{}", traced);
    assert!(traced.contains("sheet `March 2026`, row 4"), "{}", traced);

    sandbox.write("log.jsonl", json_lines());
    sandbox.write("log.csv", EVENTS);
    for file in ["log.jsonl", "log.csv"] {
        let brought =
            sandbox.ws(&["import", file, "--as", "case_event", "--format", "json"]).json();
        assert_eq!(number(&brought, "already_known"), 8, "{file}: {brought}");
        assert_eq!(number(&brought, "accepted"), 0, "{file}: {brought}");
    }
}
