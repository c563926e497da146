//! The system table of rejected records: its shape, its codes, and rows made from
//! [`Rejection`]s. It never holds the value that was rejected.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BooleanArray, Int16Array, Int64Array, StringArray, new_null_array},
    datatypes::{DataType, Schema},
    error::ArrowError,
    record_batch::RecordBatch,
};

use crate::{
    identity, schema,
    sink::Rejection,
    vocabulary::{Column, ColumnType, Privacy, Scope, Table, TableKind},
};

/// Codes that readers and typing give. A mapping's own filters add theirs.
pub mod code {
    /// The record has more or fewer cells than the header.
    pub const RAGGED: &str = "ragged";
    /// The record is larger than 16 MiB.
    pub const TOO_LARGE: &str = "too-large";
    /// A quote was opened and never closed.
    pub const UNCLOSED_QUOTE: &str = "unclosed-quote";
    /// An XES event names one key twice with different values, or a JSON object has one twice.
    pub const DUPLICATE_KEY: &str = "duplicate-key";
    /// An attribute of an XES event without key, or `attributes` that are no JSON object of texts.
    pub const BAD_ATTRIBUTE: &str = "bad-attribute";
    /// A line of JSON Lines that is not one whole object, or nests too deeply.
    pub const BAD_JSON: &str = "bad-json";
    /// A line of a calendar's event that is no property, or an event without end.
    pub const BAD_LINE: &str = "bad-line";
    /// A rule of recurrence that is not read, or has no bounds.
    pub const BAD_RECURRENCE: &str = "bad-recurrence";
    /// An event in UTC, whose civil day depends on a zone that nobody names.
    pub const NO_ZONE: &str = "no-zone";
    /// A value of a type that is not read.
    pub const BAD_TYPE: &str = "bad-type";
    /// A cell of a workbook that holds an error.
    pub const CELL_ERROR: &str = "cell-error";
    /// A formula of a workbook without its value.
    pub const NO_VALUE: &str = "no-value";
    /// A row of a workbook with merged cells.
    pub const MERGED_CELLS: &str = "merged-cells";
    /// No table of the mapping takes the record.
    pub const NO_TABLE: &str = "no-table";
    /// A required column is empty.
    pub const MISSING_REQUIRED: &str = "missing-required";
    /// Not a date or a time in the format expected.
    pub const BAD_DATE: &str = "bad-date";
    /// A time without offset, and no zone is named.
    pub const NO_OFFSET: &str = "no-offset";
    /// A local time that occurs twice.
    pub const AMBIGUOUS_TIME: &str = "ambiguous-time";
    /// A local time that does not exist.
    pub const SKIPPED_TIME: &str = "skipped-time";
    /// Not a number, or too large, or with too many decimals.
    pub const BAD_NUMBER: &str = "bad-number";
    /// Not a duration.
    pub const BAD_DURATION: &str = "bad-duration";
    /// Not true or false.
    pub const BAD_BOOLEAN: &str = "bad-boolean";
    /// Not one of the values allowed.
    pub const UNKNOWN_VALUE: &str = "unknown-value";
    /// Not a country, currency or language-level code.
    pub const BAD_CODE: &str = "bad-code";
    /// An id with control characters, outer blanks or more than 200 bytes.
    pub const BAD_ID: &str = "bad-id";
    /// An amount without currency.
    pub const MISSING_CURRENCY: &str = "missing-currency";
    /// More than 256 attributes, or more than 64 KiB of them.
    pub const TOO_LARGE_ATTRIBUTES: &str = "too-large-attributes";
    /// The mapping's value list does not know the value.
    pub const UNMAPPED_VALUE: &str = "unmapped-value";
    /// `valid_to` is not after `valid_from`.
    pub const EMPTY_VALIDITY: &str = "empty-validity";
    /// A register file states one key twice with different content (found by the store).
    pub const DUPLICATE_IDENTITY: &str = "duplicate-identity";
    /// The validity overlaps that of another row of the same key (found by the store).
    pub const OVERLAPPING_VALIDITY: &str = "overlapping-validity";
}

/// Definition of the table.
#[must_use]
pub fn quarantine_table() -> Table {
    let text = |id, name: &str, required, privacy, about: &str| {
        system_column(id, name, ColumnType::Text, required, privacy, about)
    };
    Table {
        name: crate::manifest::QUARANTINE.to_owned(),
        title: "Quarantine".to_owned(),
        about: "Records that were read and not taken, with the reason.".to_owned(),
        kind: TableKind::Event,
        scope: Scope::Arrangement,
        identity: ["arrangement_id", "table_name", "column_name", "code", "reason"]
            .map(str::to_owned)
            .to_vec(),
        source_id: None,
        occurred: None,
        sort: vec!["table_name".to_owned(), "subject".to_owned()],
        columns: vec![
            text(1, "arrangement_id", true, Privacy::Open, "Arrangement; empty when unreadable."),
            text(2, "table_name", true, Privacy::Open, "Table that the record was meant for."),
            text(3, "subject", false, Privacy::Internal, "Case or other id, when readable."),
            text(4, "column_name", false, Privacy::Open, "Column that is wrong."),
            text(5, "code", true, Privacy::Open, "Kind of problem."),
            text(6, "reason", true, Privacy::Open, "In words, without the value."),
        ],
    }
}

/// A column of a system table.
pub(crate) fn system_column(
    id: u32,
    name: &str,
    kind: ColumnType,
    required: bool,
    privacy: Privacy,
    about: &str,
) -> Column {
    Column {
        id,
        name: name.to_owned(),
        kind,
        required,
        unit: None,
        privacy,
        about: about.to_owned(),
        values: Vec::new(),
        to: None,
        list: false,
        example: None,
        renamed_from: Vec::new(),
        retired: false,
        replaces: None,
    }
}

/// Rows of the system table, in the shape of a typed object. `_row` is the record, `_item` counts
/// the reasons of one record.
///
/// # Errors
/// Only if the columns do not fit the schema, which a test excludes.
pub fn quarantine_rows(rejections: &[Rejection]) -> Result<RecordBatch, ArrowError> {
    let required = |get: fn(&Rejection) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rejections.iter().map(get)))
    };
    let optional = |get: fn(&Rejection) -> Option<&str>| -> ArrayRef {
        Arc::new(rejections.iter().map(get).collect::<StringArray>())
    };
    let mut items = Vec::with_capacity(rejections.len());
    let mut last = None;
    let mut item = 0_i16;
    for rejection in rejections {
        item = if last == Some(rejection.record) { item.saturating_add(1) } else { 0 };
        last = Some(rejection.record);
        items.push(item);
    }
    let values: Vec<ArrayRef> = vec![
        required(|r| &r.arrangement_id),
        required(|r| &r.table),
        optional(|r| r.subject.as_deref()),
        optional(|r| r.column.as_deref()),
        required(|r| &r.code),
        Arc::new(StringArray::from_iter_values(rejections.iter().map(reason_with_cell))),
    ];
    let records = rejections.iter().map(|rejection| i64::from(rejection.record));
    stored_rows(&quarantine_table(), values, Int64Array::from_iter_values(records), items.into())
}

/// The reason, behind the workbook's cell if there is one.
fn reason_with_cell(rejection: &Rejection) -> String {
    match &rejection.cell {
        Some(cell) => format!("`{cell}`: {}", rejection.reason),
        None => rejection.reason.clone(),
    }
}

/// Adds `_row`, `_item`, `_content` and the columns of a first version to value columns.
pub(crate) fn stored_rows(
    table: &Table,
    values: Vec<ArrayRef>,
    records: Int64Array,
    items: Int16Array,
) -> Result<RecordBatch, ArrowError> {
    let rows = records.len();
    let value_schema = Arc::new(Schema::new(schema::value_fields(table)));
    let bare = RecordBatch::try_new(value_schema, values)?;
    let content = identity::content_hashes(table, &bare);
    let mut values = bare.columns().to_vec();
    values.push(Arc::new(records));
    values.push(Arc::new(items));
    values.push(Arc::new(Int64Array::from(content)));
    values.push(new_null_array(&DataType::Int64, rows));
    values.push(new_null_array(&DataType::Int16, rows));
    values.push(Arc::new(BooleanArray::from(vec![false; rows])));
    RecordBatch::try_new(Arc::new(schema::object_schema(table)), values)
}
