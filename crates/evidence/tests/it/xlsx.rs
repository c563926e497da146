//! Excel workbooks: sheets, heads, dates, formulas, errors, and packages made to break the reader.

use std::io::{Cursor, Read as _, Write as _};

use backstay_evidence::{
    ImportOptions, Limits, Mapping, ReadSummary, SourceInfo, Vocabulary, read_source_within,
    trace::locate,
};
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::support::{Taken, key, options, read_bytes};

const MONTHLY: &str = r#"
    mapping = "monthly"
    title = "t"
    about = "a"
    format = "xlsx"
    [workbook]
    sheets = "SLA*"
    sheet_to = "sheet"
    [[table]]
    name = "provider_report"
    unpivot = { columns = ["* 2026", "2026-*"], name_to = "month", value_to = "figure" }
    [table.columns]
    source = { constant = "monthly" }
    report_id = { template = "{sheet}/{Level}" }
    service_level_id = "Level"
    period_start = { from = "month", formats = ["%b %Y"] }
    value = "figure"
"#;

fn monthly() -> ImportOptions {
    options(Mapping::from_text(MONTHLY).unwrap())
}

fn book(build: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    build(&mut workbook);
    workbook.save_to_buffer().unwrap()
}

fn sheet<'w>(workbook: &'w mut Workbook, name: &str) -> &'w mut Worksheet {
    workbook.add_worksheet().set_name(name).unwrap()
}

/// Writes texts from a cell on, to the right.
fn texts(sheet: &mut Worksheet, row: u32, values: &[&str]) {
    for (column, value) in values.iter().enumerate() {
        sheet.write(row, column as u16, *value).unwrap();
    }
}

/// The package with a text of one of its parts replaced.
fn patched(bytes: &[u8], part: &str, from: &str, to: &str) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut body = Vec::new();
        file.read_to_end(&mut body).unwrap();
        if name == part {
            let text = String::from_utf8(body).unwrap();
            assert!(text.contains(from), "{part} does not hold {from}: {text}");
            body = text.replace(from, to).into_bytes();
        }
        out.start_file(name, SimpleFileOptions::default()).unwrap();
        out.write_all(&body).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn refused(bytes: &[u8], options: &ImportOptions) -> String {
    match read_bytes(bytes, "x.xlsx", options) {
        Ok((taken, summary)) => panic!("taken: {taken:?} {summary:?}"),
        Err(error) => error.to_string(),
    }
}

fn team(build: impl FnOnce(&mut Worksheet)) -> (Taken, ReadSummary) {
    let bytes = book(|workbook| {
        let sheet = sheet(workbook, "Teams");
        texts(sheet, 0, &["arrangement_id", "team_id", "title"]);
        build(sheet);
    });
    read_bytes(&bytes, "team.xlsx", &ImportOptions::default()).unwrap()
}

#[test]
fn months_across_are_turned_from_every_sheet_that_fits_with_heads_as_text_or_dates() {
    let bytes = book(|workbook| {
        let first = sheet(workbook, "SLA desk");
        first.write(0, 0, "Service levels of the desk").unwrap();
        texts(first, 2, &["Level", "Jan 2026"]);
        let month = Format::new().set_num_format("mmm yyyy");
        first.write_number_with_format(2, 2, 46_054, &month).unwrap(); // 2026-02-01
        first.write(3, 0, "P1").unwrap();
        let share = Format::new().set_num_format("0.0%");
        first.write_number_with_format(3, 1, 0.958, &share).unwrap();
        first.write_number_with_format(3, 2, 0.046, &share).unwrap();
        let second = sheet(workbook, "SLA night");
        texts(second, 0, &["Level", "Mar 2026"]);
        second.write(1, 0, "P1").unwrap();
        second.write(1, 1, 0.5).unwrap();
        texts(sheet(workbook, "Notes"), 0, &["whatever"]);
        let hidden = sheet(workbook, "SLA old");
        texts(hidden, 0, &["Level", "Apr 2026"]);
        hidden.set_hidden(true);
    });
    let (taken, summary) = read_bytes(&bytes, "x.xlsx", &monthly()).unwrap();
    assert_eq!(taken.codes(), []);
    assert_eq!((summary.records, taken.rows("provider_report")), (2, 3));
    let rows = taken.tables("provider_report").next().unwrap();
    let days = rows.column_by_name("period_start").unwrap();
    let days = arrow::array::AsArray::as_primitive::<arrow::datatypes::Date32Type>(days);
    assert_eq!(days.values().to_vec(), [20_454, 20_485, 20_513]);
    let values = rows.column_by_name("value").unwrap();
    let values = arrow::array::AsArray::as_primitive::<arrow::datatypes::Decimal128Type>(values);
    assert_eq!(values.values().to_vec(), [958_000_000, 46_000_000, 500_000_000]);
    assert_eq!(taken.texts("provider_report", "report_id")[2].as_deref(), Some("SLA night/P1"));
    assert_eq!(
        summary.hints,
        [
            "the sheet `SLA old` is hidden and was read",
            "the head of the sheet `SLA desk` is its row 3"
        ]
    );
}

#[test]
fn sheets_must_be_named_when_there_are_several_and_each_must_have_the_columns() {
    let bytes = book(|workbook| {
        texts(sheet(workbook, "One"), 0, &["arrangement_id", "team_id"]);
        texts(sheet(workbook, "Two"), 0, &["arrangement_id", "team_id"]);
    });
    assert_eq!(
        refused(&bytes, &ImportOptions::default()),
        "the workbook has the sheets `One`, `Two`: say in the mapping which are meant, as in \
         `[workbook]` `sheets = \"One\"`"
    );
    assert_eq!(
        refused(&bytes, &monthly()),
        "no sheet of the workbook fits `SLA*`: it has `One`, `Two`"
    );
    let bytes = book(|workbook| {
        texts(sheet(workbook, "SLA a"), 0, &["Level", "Jan 2026"]);
        texts(sheet(workbook, "SLA b"), 0, &["Lvl", "Jan 2026"]);
    });
    let error = refused(&bytes, &monthly());
    assert!(
        error.starts_with("sheet `SLA b`: the mapping `monthly` needs a column that the file"),
        "{error}"
    );
}

#[test]
fn merged_heads_are_refused_with_their_cells() {
    let bytes = book(|workbook| {
        let sheet = sheet(workbook, "SLA desk");
        sheet.write(1, 0, "Level").unwrap();
        sheet.merge_range(1, 1, 1, 3, "Jan 2026", &Format::new()).unwrap();
        texts(sheet, 2, &["P1", "1", "2", "3"]);
    });
    assert_eq!(
        refused(&bytes, &monthly()),
        "header: its cells `SLA desk!B2:D2` are merged, so it names no column for each: unmerge \
         them and give every column its own name"
    );
}

#[test]
fn rows_with_merged_cells_are_quarantined_with_their_cells() {
    let (taken, summary) = team(|sheet| {
        sheet.merge_range(1, 0, 2, 0, "a", &Format::new()).unwrap();
        sheet.write(1, 1, "t1").unwrap();
        sheet.write(2, 1, "t2").unwrap();
        texts(sheet, 3, &["a", "t3", "Three"]);
    });
    assert_eq!(summary.records, 3);
    assert_eq!(taken.codes(), [(1, "merged-cells"), (2, "merged-cells")]);
    assert!(taken.rejections[0].reason.starts_with("the cells `Teams!A2:A3` are merged"));
    assert_eq!(taken.texts("team", "team_id"), [Some("t3".into())]);
}

#[test]
fn formulas_give_their_stored_value_and_are_quarantined_with_their_cell_without_one() {
    let build = |workbook: &mut Workbook| {
        let sheet = sheet(workbook, "Teams");
        texts(sheet, 0, &["arrangement_id", "team_id", "title"]);
        for (row, id) in ["t1", "t2", "t3"].into_iter().enumerate() {
            texts(sheet, row as u32 + 1, &["a", id]);
        }
        sheet.write_formula(1, 2, Formula::new("=\"O\"&\"ne\"").set_result("One")).unwrap();
        sheet.write_formula(2, 2, Formula::new("=A1&A2").set_result("Two")).unwrap();
        sheet.write_formula(3, 2, Formula::new("=NA()").set_result("#N/A")).unwrap();
    };
    let bytes = patched(&book(build), "xl/worksheets/sheet1.xml", "<v>Two</v>", "");
    // A formula that gives a text says so in `t`, which goes with the value.
    let bytes =
        patched(&bytes, "xl/worksheets/sheet1.xml", "<c r=\"C3\" t=\"str\">", "<c r=\"C3\">");
    let (taken, _) = read_bytes(&bytes, "team.xlsx", &ImportOptions::default()).unwrap();
    assert_eq!(taken.codes(), [(2, "no-value"), (3, "cell-error")]);
    let told: Vec<_> =
        taken.rejections.iter().map(|r| (r.cell.as_deref().unwrap(), r.reason.as_str())).collect();
    assert_eq!(
        told,
        [
            (
                "Teams!C3",
                "the formula has no value stored: open the workbook in a spreadsheet program, let \
                 it calculate, and save it"
            ),
            ("Teams!C4", "the cell holds the error #N/A")
        ]
    );
    assert_eq!(taken.texts("team", "title"), [Some("One".into())]);
    let rows = backstay_evidence::quarantine::quarantine_rows(&taken.rejections).unwrap();
    let reason = arrow::array::AsArray::as_string::<i32>(rows.column_by_name("reason").unwrap());
    assert_eq!(reason.value(1), "`Teams!C4`: the cell holds the error #N/A");
}

#[test]
fn an_error_in_a_column_that_no_rule_takes_does_no_harm() {
    let bytes = book(|workbook| {
        let sheet = sheet(workbook, "SLA");
        texts(sheet, 0, &["Level", "Jan 2026", "Remark"]);
        texts(sheet, 1, &["P1"]);
        sheet.write(1, 1, 0.5).unwrap();
        sheet.write_formula(1, 2, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    });
    let (taken, _) = read_bytes(&bytes, "x.xlsx", &monthly()).unwrap();
    assert_eq!((taken.codes(), taken.rows("provider_report")), (vec![], 1));
}

#[test]
fn ids_keep_their_digits_and_a_number_that_may_have_lost_some_is_said() {
    let (taken, summary) = team(|sheet| {
        sheet.write(1, 0, "a").unwrap();
        sheet.write(1, 1, 123.0).unwrap();
        sheet.write(1, 2, true).unwrap();
        texts(sheet, 2, &["a", "00123", "1e5"]);
        sheet.write(3, 0, "a").unwrap();
        sheet.write(3, 1, 1_234_567_890_123_456_768.0).unwrap();
        sheet.write(4, 4, "beside").unwrap();
    });
    let ids: Vec<_> = taken.texts("team", "team_id").into_iter().flatten().collect();
    assert_eq!(&ids[..2], ["123", "00123"]);
    assert_eq!(taken.texts("team", "title")[..2], [Some("true".into()), Some("1e5".into())]);
    assert_eq!(
        summary.hints,
        [
            "1 cells stand under no name of the head and were not taken, the first at `Teams!E5`",
            "column `team_id` holds numbers beyond 2^53, the first at `Teams!B4`: a spreadsheet \
             keeps 15 digits of a number, so an id may be cut; have ids stored as text"
        ]
    );
}

/// One case event with its instant as a date cell.
fn event(serial: f64) -> Vec<u8> {
    book(|workbook| {
        let sheet = sheet(workbook, "Events");
        texts(sheet, 0, &["arrangement_id", "case_id", "activity", "occurred_at"]);
        texts(sheet, 1, &["a", "c1", "x"]);
        let format = Format::new().set_num_format("dd/mm/yyyy hh:mm");
        sheet.write_number_with_format(1, 3, serial, &format).unwrap();
    })
}

#[test]
fn dates_of_both_systems_are_read_and_need_a_zone_as_instants() {
    let manila = ImportOptions { zone: Some("Asia/Manila".into()), ..ImportOptions::default() };
    let instant = |bytes: &[u8]| {
        let (taken, _) = read_bytes(bytes, "case_event.xlsx", &manila).unwrap();
        assert_eq!(taken.codes(), []);
        let rows = taken.tables("case_event").next().unwrap();
        let at = rows.column_by_name("occurred_at").unwrap();
        arrow::array::AsArray::as_primitive::<arrow::datatypes::TimestampMicrosecondType>(at)
            .value(0)
    };
    let morning = 46_083.0 + 9.25 / 24.0;
    assert_eq!(instant(&event(morning)), 1_772_414_100_000_000); // 2026-03-02T01:15:00Z
    assert_eq!(instant(&event(46_083.0)), 1_772_380_800_000_000, "midnight is a time as well");
    let of_1904 = patched(
        &event(morning - 1_462.0),
        "xl/workbook.xml",
        "<workbookPr",
        "<workbookPr date1904=\"1\"",
    );
    assert_eq!(instant(&of_1904), 1_772_414_100_000_000);
    let plain = ImportOptions::default();
    let (taken, _) = read_bytes(&event(morning), "case_event.xlsx", &plain).unwrap();
    assert_eq!(taken.codes(), [(1, "no-offset")]);
    assert_eq!(taken.rejections[0].cell.as_deref(), Some("Events!D2"));
    let (taken, _) = read_bytes(&event(60.0), "case_event.xlsx", &manila).unwrap();
    assert_eq!(taken.codes(), [(1, "bad-date")], "29 February 1900 never was");
}

#[test]
fn days_counted_without_a_date_format_are_read_when_the_mapping_says_so() {
    let mapping = r#"
        mapping = "days"
        title = "t"
        about = "a"
        format = "xlsx"
        zone = "UTC"
        [[table]]
        name = "case_event"
        columns.case_id = "Case"
        columns.activity = { constant = "x" }
        columns.occurred_at = { from = "When", formats = ["excel", "%d/%m/%Y %H:%M"] }
    "#;
    let mapping = options(Mapping::from_text(mapping).unwrap());
    let bytes = book(|workbook| {
        let sheet = sheet(workbook, "S");
        texts(sheet, 0, &["Case", "When"]);
        texts(sheet, 1, &["c1"]);
        sheet.write(1, 1, 46_083.5).unwrap();
        texts(sheet, 2, &["c2"]);
        sheet.write(2, 1, -4).unwrap();
    });
    let (taken, summary) = read_bytes(&bytes, "x.xlsx", &mapping).unwrap();
    assert_eq!(taken.codes(), [(2, "bad-date")]);
    assert_eq!(summary.date_formats, [("occurred_at".to_owned(), "excel".to_owned())]);
}

#[test]
fn a_record_leads_back_to_its_sheet_and_row() {
    let bytes = event(46_083.0);
    let found = locate(&mut bytes.as_slice(), &SourceInfo::default(), &ImportOptions::default(), 1);
    let found = found.unwrap();
    assert_eq!((found.sheet.as_deref(), found.first_line), (Some("Events"), 2));
    assert_eq!(found.text, "sheet `Events`, row 2");
    assert_eq!(found.cells["occurred_at"], "2026-03-02T00:00:00");
}

fn within(bytes: &[u8], limits: Limits) -> Result<ReadSummary, String> {
    let info = SourceInfo { file_name: "team.xlsx".into(), bytes_total: None };
    let (vocabulary, options) = (Vocabulary::built_in().unwrap(), ImportOptions::default());
    let (mut bytes, mut taken) = (bytes, Taken::default());
    read_source_within(&mut bytes, &info, &vocabulary, &options, &key(), &mut taken, limits)
        .map_err(|error| error.to_string())
}

#[test]
fn workbooks_that_inflate_too_far_are_refused() {
    let bytes = book(|workbook| {
        let sheet = sheet(workbook, "Teams");
        texts(sheet, 0, &["arrangement_id", "team_id", "title"]);
        for row in 1..3_000 {
            texts(sheet, row, &["a", "t", "the same title over and over"]);
        }
    });
    let tight = |limits| within(&bytes, limits).unwrap_err();
    assert!(within(&bytes, Limits::default()).is_ok());
    let size = Limits { inflated_max: 64 << 10, ..Limits::default() };
    assert!(tight(size).contains("inflates to more than 64 KiB"), "{}", tight(size));
    let ratio = Limits { ratio_from: 64 << 10, ratio_max: 5, ..Limits::default() };
    assert!(tight(ratio).contains("inflates to more than 5 times its size"), "{}", tight(ratio));
}

#[test]
fn packages_that_are_no_workbook_or_damaged_are_refused() {
    let plain = ImportOptions::default();
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    out.start_file("a.csv", SimpleFileOptions::default()).unwrap();
    out.write_all(b"a,b\n").unwrap();
    assert!(
        refused(&out.finish().unwrap().into_inner(), &plain)
            .starts_with("this is a ZIP archive and no Excel workbook")
    );
    let whole = event(46_083.0);
    let sheet = "xl/worksheets/sheet1.xml";
    for (part, from, to) in [
        (sheet, "<sheetData>", "<!DOCTYPE x [<!ENTITY a \"b\">]><sheetData>"),
        (sheet, "r=\"A2\"", "r=\"AAAAAAAAAA2\""),
        (sheet, "r=\"A2\"", "r=\"D2\""),
        (sheet, "<row r=\"2\"", "<row r=\"99999999999\""),
        (sheet, "<row r=\"2\"", "<row r=\"1\""),
        (sheet, "</sheetData>", ""),
        (sheet, "<v>0</v>", "<v>99999999999999999999</v>"),
        ("xl/workbook.xml", "</workbook>", "<broken"),
        ("_rels/.rels", "officeDocument\"", "other\""),
    ] {
        let error = refused(&patched(&whole, part, from, to), &plain);
        assert!(error.starts_with("the workbook is damaged"), "{from} → {to}: {error}");
    }
    // What a file claims to hold is not believed.
    let claims =
        patched(&whole, "xl/sharedStrings.xml", "uniqueCount=\"", "uniqueCount=\"999999999999999");
    assert!(read_bytes(&claims, "case_event.xlsx", &plain).is_ok());
}

#[test]
fn a_damaged_package_never_breaks_the_reader() {
    let whole = event(46_083.0);
    let plain = ImportOptions::default();
    for cut in (0..whole.len()).step_by(37) {
        let _ = read_bytes(&whole[..cut], "case_event.xlsx", &plain);
    }
    let mut state = 1_u64;
    for _ in 0..300 {
        let mut damaged = whole.clone();
        for _ in 0..4 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % damaged.len();
            damaged[at] = (state >> 20) as u8;
        }
        let _ = read_bytes(&damaged, "case_event.xlsx", &plain);
    }
}
