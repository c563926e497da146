//! The same rows in every format that speaks the vocabulary are the same rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, Date32Array, Decimal128Array, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use backstay_evidence::ImportOptions;
use proptest::prelude::*;
use rust_xlsxwriter::{Format, Workbook};

use crate::{parquet::written, support::read_bytes};

/// One report of a provider.
#[derive(Debug, Clone)]
struct Report {
    report_id: String,
    case_id: Option<String>,
    day: i32,
    /// In thousandths.
    value: Option<i64>,
    cases: i64,
}

const HEAD: [&str; 7] = [
    "arrangement_id",
    "service_level_id",
    "report_id",
    "case_id",
    "period_start",
    "value",
    "numerator",
];

fn decimal(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let value = thousandths.unsigned_abs();
    format!("{sign}{}.{:03}", value / 1_000, value % 1_000)
}

fn date(day: i32) -> String {
    (jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(day)).to_string()
}

fn csv(reports: &[Report]) -> Vec<u8> {
    let mut text = HEAD.join(",") + "\n";
    for report in reports {
        let case = report.case_id.clone().unwrap_or_default();
        let value = report.value.map(decimal).unwrap_or_default();
        text.push_str(&format!(
            "desk,monthly,\"{}\",\"{case}\",{},{value},{}\n",
            report.report_id.replace('"', "\"\""),
            date(report.day),
            report.cases
        ));
    }
    text.into_bytes()
}

fn json_lines(reports: &[Report]) -> Vec<u8> {
    let mut text = String::new();
    for report in reports {
        let id = serde_json::to_string(&report.report_id).unwrap();
        let case = serde_json::to_string(&report.case_id).unwrap();
        let value = report.value.map_or("null".to_owned(), decimal);
        text.push_str(&format!(
            "{{\"arrangement_id\":\"desk\",\"service_level_id\":\"monthly\",\"report_id\":{id},\
             \"case_id\":{case},\"period_start\":\"{}\",\"value\":{value},\"numerator\":{}}}\n",
            date(report.day),
            report.cases
        ));
    }
    text.into_bytes()
}

fn parquet(reports: &[Report]) -> Vec<u8> {
    let texts = |get: fn(&Report) -> Option<&str>| -> ArrayRef {
        Arc::new(reports.iter().map(get).collect::<StringArray>())
    };
    let values: Decimal128Array =
        reports.iter().map(|report| report.value.map(i128::from)).collect();
    written(
        vec![
            (HEAD[0], texts(|_| Some("desk"))),
            (HEAD[1], texts(|_| Some("monthly"))),
            (HEAD[2], texts(|report| Some(&report.report_id))),
            (HEAD[3], texts(|report| report.case_id.as_deref())),
            (HEAD[4], Arc::new(reports.iter().map(|r| Some(r.day)).collect::<Date32Array>())),
            (HEAD[5], Arc::new(values.with_precision_and_scale(18, 3).unwrap())),
            (HEAD[6], Arc::new(reports.iter().map(|r| Some(r.cases)).collect::<Int64Array>())),
        ],
        ::parquet::basic::Compression::SNAPPY,
    )
}

fn xlsx(reports: &[Report]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let day = Format::new().set_num_format("dd.mm.yyyy");
    for (column, name) in HEAD.into_iter().enumerate() {
        sheet.write(0, column as u16, name).unwrap();
    }
    for (row, report) in (1_u32..).zip(reports) {
        sheet.write(row, 0, "desk").unwrap();
        sheet.write(row, 1, "monthly").unwrap();
        sheet.write(row, 2, &report.report_id).unwrap();
        if let Some(case) = &report.case_id {
            sheet.write(row, 3, case).unwrap();
        }
        // 1970-01-01 is day 25,569 of the 1900 system.
        sheet.write_number_with_format(row, 4, report.day + 25_569, &day).unwrap();
        if let Some(value) = report.value {
            sheet.write(row, 5, value as f64 / 1_000.0).unwrap();
        }
        sheet.write(row, 6, report.cases as f64).unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

/// Content hashes of the rows, in the order of their records.
fn hashes(bytes: &[u8], name: &str) -> Vec<(i64, i64)> {
    let (taken, summary) = read_bytes(bytes, name, &ImportOptions::default()).unwrap();
    assert_eq!(summary.rejected, 0, "{name}: {:?}", taken.rejections);
    let mut hashes = Vec::new();
    for rows in taken.tables("provider_report") {
        let int = |name| rows.column_by_name(name).unwrap().as_primitive::<Int64Type>();
        let (row, content) = (int("_row"), int("_content"));
        hashes.extend((0..row.len()).map(|at| (row.value(at), content.value(at))));
    }
    hashes.sort_unstable();
    hashes
}

prop_compose! {
    fn report()(
        report_id in "[a-zA-Z0-9éß€😀 ,;\"_.-]{0,12}x",
        case_id in prop::option::of("p[0-9]{1,3}"),
        day in 10_000_i32..30_000,
        value in prop::option::of(-1_000_000_000_i64..1_000_000_000),
        cases in 0_i64..1_000_000_000,
    ) -> Report {
        let report_id = report_id.trim().to_owned();
        Report { report_id, case_id, day, value, cases }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_same_rows_are_the_same_in_every_format(reports in prop::collection::vec(report(), 1..12)) {
        let expected = hashes(&csv(&reports), "provider_report.csv");
        prop_assert_eq!(expected.len(), reports.len());
        prop_assert_eq!(&hashes(&json_lines(&reports), "provider_report.jsonl"), &expected);
        prop_assert_eq!(&hashes(&parquet(&reports), "provider_report.parquet"), &expected);
        prop_assert_eq!(&hashes(&xlsx(&reports), "provider_report.xlsx"), &expected);
    }
}
