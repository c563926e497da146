//! The physical shape of a table: which Arrow columns a vocabulary column becomes, and the
//! columns that every stored row carries beside them. Written once; import writes it, the store
//! keeps it, the engine reads it.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use crate::vocabulary::{Column, ColumnType, Table};

/// Precision and scale of a decimal column.
pub const DECIMAL: (u8, i8) = (38, 9);

/// 1-based record of the source that the row came from (`Int64`, at most 2³² − 1).
pub const ROW: &str = "_row";
/// Which of several rows that one record gave to this table, from 0 (`Int16`).
pub const ITEM: &str = "_item";
/// First 8 bytes of SHA-256 over the row's values, as `Int64`: equal rows are already known.
pub const CONTENT: &str = "_content";
/// Row that this one is a later version of: [`RowRef`] packed in an `Int64`; null when it is the
/// first version.
pub const ROOT_REF: &str = "_root_ref";
/// The `_item` of that row (`Int16`).
pub const ROOT_ITEM: &str = "_root_item";
/// True when this version says that the fact no longer stands (`Boolean`).
pub const DELETED: &str = "_deleted";
/// In SQL: entry and record, packed (`Int64`).
pub const REF: &str = "_ref";
/// Ledger sequence at which the version became known (`Int64`): in SQL, and in merged objects.
pub const SEQ: &str = "_seq";
/// In merged objects: the entry whose source `_row` counts, the entry of `_ref` (`Int64`).
pub const ENTRY: &str = "_entry";

/// The Arrow fields of one vocabulary column: one, or two for money and instants.
#[must_use]
pub fn fields(column: &Column) -> Vec<Field> {
    let name = column.name.as_str();
    let one = |data_type| vec![Field::new(name, data_type, true)];
    match column.kind {
        ColumnType::Integer | ColumnType::Duration => one(DataType::Int64),
        ColumnType::Decimal => one(DataType::Decimal128(DECIMAL.0, DECIMAL.1)),
        ColumnType::Money => vec![
            Field::new(format!("{name}_minor"), DataType::Int64, true),
            Field::new(format!("{name}_currency"), DataType::Utf8, true),
        ],
        ColumnType::Instant => vec![
            Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
            Field::new(format!("{name}_offset_minutes"), DataType::Int16, true),
        ],
        ColumnType::Date => one(DataType::Date32),
        ColumnType::Boolean => one(DataType::Boolean),
        ColumnType::Text
        | ColumnType::Country
        | ColumnType::Currency
        | ColumnType::LanguageLevel
        | ColumnType::Enumeration
        | ColumnType::Reference
        | ColumnType::Person
        | ColumnType::Attributes => one(DataType::Utf8),
    }
}

/// The vocabulary columns of a table, in order.
#[must_use]
pub fn value_fields(table: &Table) -> Vec<Field> {
    table.columns.iter().flat_map(fields).collect()
}

/// The schema of a typed object: value columns, then `_row`, `_item`, `_content`, `_root_ref`,
/// `_root_item`, `_deleted`.
#[must_use]
pub fn object_schema(table: &Table) -> Schema {
    let mut all = value_fields(table);
    all.extend([
        Field::new(ROW, DataType::Int64, false),
        Field::new(ITEM, DataType::Int16, false),
        Field::new(CONTENT, DataType::Int64, false),
        Field::new(ROOT_REF, DataType::Int64, true),
        Field::new(ROOT_ITEM, DataType::Int16, true),
        Field::new(DELETED, DataType::Boolean, false),
    ]);
    Schema::new(all)
}

/// The schema of a merged object, which holds rows of several entries: that of a typed object, then
/// `_seq` and `_entry`, which say per row what a segment says of all rows of another object.
#[must_use]
pub fn merged_schema(table: &Table) -> Schema {
    let mut all: Vec<Field> =
        object_schema(table).fields().iter().map(|field| field.as_ref().clone()).collect();
    all.push(Field::new(SEQ, DataType::Int64, false));
    all.push(Field::new(ENTRY, DataType::Int64, false));
    Schema::new(all)
}

/// The schema that SQL sees: value columns, then `_ref` and `_seq`.
#[must_use]
pub fn sql_schema(table: &Table) -> Schema {
    let mut all = value_fields(table);
    all.push(Field::new(REF, DataType::Int64, false));
    all.push(Field::new(SEQ, DataType::Int64, false));
    Schema::new(all)
}

/// A record of the evidence: the ledger entry that brought it and its 1-based record number.
/// Packed as `entry << 32 | record`, so that numbers sort as references do; shown `entry:record`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowRef {
    /// Ledger sequence of the import.
    pub entry: u32,
    /// 1-based record of its source.
    pub record: u32,
}

impl RowRef {
    /// As one number.
    #[must_use]
    pub fn pack(self) -> i64 {
        (i64::from(self.entry) << 32) | i64::from(self.record)
    }

    /// From one number; negative numbers are no reference.
    #[must_use]
    pub fn unpack(packed: i64) -> Option<Self> {
        let entry = u32::try_from(packed >> 32).ok()?;
        let record = u32::try_from(packed & 0xffff_ffff).ok()?;
        Some(Self { entry, record })
    }
}

impl std::fmt::Display for RowRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.entry, self.record)
    }
}

/// The text is not `entry:record`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a reference: write `<entry>:<record>`, as in `12:345`")]
pub struct RowRefError(pub String);

impl std::str::FromStr for RowRef {
    type Err = RowRefError;

    fn from_str(text: &str) -> Result<Self, RowRefError> {
        let parsed = text.split_once(':').and_then(|(entry, record)| {
            Some(Self { entry: entry.parse().ok()?, record: record.parse().ok()? })
        });
        parsed.ok_or_else(|| RowRefError(text.to_owned()))
    }
}
