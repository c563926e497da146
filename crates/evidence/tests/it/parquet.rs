//! Parquet: types of every kind, another schema than expected, and files made to break the reader.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array,
        Int64Array, ListArray, RecordBatch, StringArray, StringDictionaryBuilder, StructArray,
        TimestampMicrosecondArray, TimestampNanosecondArray,
    },
    datatypes::{DataType, Field, Int32Type},
};
use backstay_evidence::{
    ImportOptions, Limits, Mapping, SourceInfo, Vocabulary, read_source_within, trace::locate,
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, GzipLevel, ZstdLevel},
    file::properties::WriterProperties,
};

use crate::support::{Taken, key, options, read_bytes};

pub fn written(columns: Vec<(&str, ArrayRef)>, compression: Compression) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn plain(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    written(columns, Compression::UNCOMPRESSED)
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn refused(bytes: &[u8], name: &str, options: &ImportOptions) -> String {
    match read_bytes(bytes, name, options) {
        Ok((taken, summary)) => panic!("taken: {taken:?} {summary:?}"),
        Err(error) => error.to_string(),
    }
}

/// Case events whose instant is the given array.
fn events(at: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let ids: Vec<String> = (0..at.len()).map(|n| format!("c{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let one: Vec<&str> = ids.iter().map(|_| "a").collect();
    vec![
        ("arrangement_id", texts(&one)),
        ("case_id", texts(&ids)),
        ("activity", texts(&one)),
        ("occurred_at", at),
    ]
}

fn instants(bytes: &[u8], options: &ImportOptions) -> Vec<i64> {
    let (taken, _) = read_bytes(bytes, "case_event.parquet", options).unwrap();
    assert_eq!(taken.codes(), []);
    let rows = taken.tables("case_event").next().unwrap();
    let at = rows.column_by_name("occurred_at").unwrap();
    arrow::array::AsArray::as_primitive::<arrow::datatypes::TimestampMicrosecondType>(at)
        .values()
        .to_vec()
}

const MORNING: i64 = 1_772_414_100_000_000; // 2026-03-02T01:15:00Z

#[test]
fn timestamps_with_and_without_zone_and_as_text_are_instants() {
    let none = ImportOptions::default();
    let manila = ImportOptions { zone: Some("Asia/Manila".into()), ..ImportOptions::default() };
    let utc = TimestampMicrosecondArray::from(vec![MORNING]).with_timezone("UTC");
    assert_eq!(instants(&plain(events(Arc::new(utc))), &none), [MORNING]);
    let berlin = TimestampMicrosecondArray::from(vec![MORNING]).with_timezone("Europe/Berlin");
    assert_eq!(instants(&plain(events(Arc::new(berlin))), &none), [MORNING]);
    let local = MORNING + 8 * 3_600_000_000;
    let local_ns = TimestampNanosecondArray::from(vec![local * 1_000 + 999]);
    let local_us = TimestampMicrosecondArray::from(vec![local]);
    let bytes = plain(events(Arc::new(local_us)));
    assert_eq!(instants(&bytes, &manila), [MORNING]);
    assert_eq!(instants(&plain(events(Arc::new(local_ns))), &manila), [MORNING]);
    let (taken, _) = read_bytes(&bytes, "case_event.parquet", &none).unwrap();
    assert_eq!(taken.codes(), [(1, "no-offset")]);
    let text = texts(&["2026-03-02T09:15:00+08:00"]);
    assert_eq!(instants(&plain(events(text)), &none), [MORNING]);
}

#[test]
fn decimals_dictionaries_structures_and_lists_come_without_loss() {
    let mapping = r#"
        mapping = "m"
        title = "t"
        about = "a"
        format = "parquet"
        [[table]]
        name = "provider_report"
        attributes = "rest"
        [table.columns]
        source = { constant = "x" }
        report_id = "id"
        service_level_id = { constant = "p1" }
        case_id = "of.case"
        value = "share"
        period_start = "day"
    "#;
    let mapping = options(Mapping::from_text(mapping).unwrap());
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    dictionary.append_value("r1");
    dictionary.append_value("r1");
    let inner: ArrayRef = texts(&["c1", "c2"]);
    let of = StructArray::from(vec![(Arc::new(Field::new("case", DataType::Utf8, true)), inner)]);
    let share = Decimal128Array::from(vec![Some(9_580), None]).with_precision_and_scale(10, 4);
    let mut tags = arrow::array::ListBuilder::new(arrow::array::Int64Builder::new());
    tags.append_value([Some(1), None, Some(2)]);
    tags.append_null();
    let tags: ListArray = tags.finish();
    let bytes = plain(vec![
        ("id", Arc::new(dictionary.finish())),
        ("of", Arc::new(of)),
        ("share", Arc::new(share.unwrap())),
        ("day", Arc::new(Date32Array::from(vec![20_454, 20_455]))),
        ("tags", Arc::new(tags)),
        ("flag", Arc::new(BooleanArray::from(vec![true, false]))),
        ("big", Arc::new(Int64Array::from(vec![i64::MAX, 0]))),
        ("float", Arc::new(Float64Array::from(vec![0.1, f64::NAN]))),
        ("bytes", Arc::new(BinaryArray::from(vec![&b"text"[..], b"\xff"]))),
    ]);
    let (taken, summary) = read_bytes(&bytes, "x.parquet", &mapping).unwrap();
    assert_eq!((summary.records, taken.codes()), (2, vec![(2, "bad-type")]));
    assert_eq!(taken.texts("provider_report", "case_id"), [Some("c1".into())]);
    assert_eq!(taken.texts("provider_report", "report_id"), [Some("r1".into())]);
    assert_eq!(
        taken.texts("provider_report", "attributes"),
        [Some(
            r#"{"big":"9223372036854775807","bytes":"text","flag":"true","float":"0.1","tags":"1|2"}"#
                .to_owned()
        )]
    );
}

#[test]
fn every_usual_compression_is_read() {
    let at: ArrayRef = texts(&["2026-03-02T01:15:00Z"]);
    for compression in [
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let bytes = written(events(at.clone()), compression);
        assert_eq!(instants(&bytes, &ImportOptions::default()), [MORNING], "{compression:?}");
    }
}

#[test]
fn another_schema_is_refused_with_the_column_and_both_types() {
    let plain_options = ImportOptions::default();
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![MORNING]));
    assert_eq!(
        refused(&plain(events(numbers)), "case_event.parquet", &plain_options),
        "column `occurred_at`: a timestamp is expected for `case_event.occurred_at`, and the file \
         has whole numbers (Int64); have it exported as that"
    );
    let mut columns = events(texts(&["2026-03-02T01:15:00Z"]));
    columns[1].0 = "caseid";
    let named = ImportOptions { as_table: Some("case_event".into()), ..ImportOptions::default() };
    assert_eq!(
        refused(&plain(columns), "x.parquet", &named),
        "table `case_event` does not have the column `caseid` (did you mean `case_id`?): rename or \
         remove it, or use a mapping"
    );
}

#[test]
fn a_record_leads_back_to_its_row() {
    let bytes = plain(events(texts(&["2026-03-02T01:15:00Z", "2026-03-02T01:16:00Z"])));
    let found = locate(&mut bytes.as_slice(), &SourceInfo::default(), &ImportOptions::default(), 2)
        .unwrap();
    assert_eq!((found.first_line, found.cells["case_id"].as_str()), (2, "c1"));
}

#[test]
fn a_few_bytes_that_unfold_to_very_much_are_refused() {
    let long = "x".repeat(4_000);
    let values: Vec<&str> = (0..200).map(|_| long.as_str()).collect();
    let bytes = written(
        vec![
            ("arrangement_id", texts(&values.iter().map(|_| "a").collect::<Vec<_>>())),
            ("team_id", texts(&values.iter().map(|_| "t").collect::<Vec<_>>())),
            ("title", texts(&values)),
        ],
        Compression::UNCOMPRESSED,
    );
    let limits = Limits { ratio_from: 100_000, ratio_max: 10, ..Limits::default() };
    let info = SourceInfo { file_name: "team.parquet".into(), bytes_total: None };
    let (vocabulary, options) = (Vocabulary::built_in().unwrap(), ImportOptions::default());
    let mut taken = Taken::default();
    let mut source = bytes.as_slice();
    let read = |limits, taken: &mut Taken, source: &mut &[u8]| {
        read_source_within(source, &info, &vocabulary, &options, &key(), taken, limits)
    };
    let error = read(limits, &mut taken, &mut source).unwrap_err().to_string();
    assert!(error.contains("inflates to more than 10 times its size"), "{error}");
    assert!(read(Limits::default(), &mut Taken::default(), &mut bytes.as_slice()).is_ok());
}

#[test]
fn a_damaged_file_never_breaks_the_reader() {
    let whole = written(events(texts(&["2026-03-02T01:15:00Z"; 50])), Compression::SNAPPY);
    let plain = ImportOptions::default();
    let damaged = "the Parquet file is damaged, cut off or encrypted: fetch it again";
    for cut in (4..whole.len()).step_by(41) {
        assert_eq!(refused(&whole[..cut], "case_event.parquet", &plain), damaged);
    }
    let mut state = 7_u64;
    for _ in 0..400 {
        let mut bytes = whole.clone();
        for _ in 0..3 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = 4 + (state >> 33) as usize % (bytes.len() - 4);
            bytes[at] = (state >> 20) as u8;
        }
        let _ = read_bytes(&bytes, "case_event.parquet", &plain);
    }
}
