//! The two hashes of a row: which fact it is about (identity) and what it says (content). Works on
//! a fresh batch and on a stored object alike; never looks at a provenance column.

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Int16Array,
        Int64Array, StringArray, TimestampMicrosecondArray,
    },
    datatypes::{
        DataType, Date32Type, Decimal128Type, Int16Type, Int64Type, TimeUnit,
        TimestampMicrosecondType,
    },
    record_batch::RecordBatch,
};
use sha2::{Digest as _, Sha256};

use crate::{
    schema,
    vocabulary::{Column, Table, TableKind},
};

/// Identity key of each row: the first 16 bytes of SHA-256 over length-prefixed values.
///
/// For an event with the source's own id: arrangement, source, that id. Else the identity columns,
/// and for a register also `valid_from` when the table has it. A missing value differs from an
/// empty one. Of an instant only the instant counts, not the offset that it was written with.
/// A column that the batch lacks (an object of an earlier vocabulary) counts as missing.
#[must_use]
pub fn identity_keys(table: &Table, rows: &RecordBatch) -> Vec<[u8; 16]> {
    let view = |name: &str| {
        View::of(table.column(name).and_then(|column| physical(column, rows).into_iter().next()?.1))
    };
    let by_columns: Vec<View<'_>> = identity_columns(table).iter().map(|name| view(name)).collect();
    let own_id = table.source_id.as_deref().map(view);
    let by_id = [view("arrangement_id"), view("source")];
    let mut keys = Vec::with_capacity(rows.num_rows());
    // Hashed in one piece: many small updates cost more than the hash itself.
    let mut bytes = Vec::with_capacity(256);
    for row in 0..rows.num_rows() {
        bytes.clear();
        match &own_id {
            Some(id) if !id.is_null(row) => {
                bytes.push(b'i');
                by_id.iter().for_each(|column| column.write(row, &mut bytes));
                id.write(row, &mut bytes);
            }
            _ => {
                bytes.push(b'c');
                by_columns.iter().for_each(|column| column.write(row, &mut bytes));
            }
        }
        keys.push(head(&bytes));
    }
    keys
}

/// Columns of the key when the source has no id of its own.
#[must_use]
pub fn identity_columns(table: &Table) -> Vec<&str> {
    let mut names: Vec<&str> = table.identity.iter().map(String::as_str).collect();
    if table.kind == TableKind::Register && table.has_validity() && !names.contains(&"valid_from") {
        names.push("valid_from");
    }
    names
}

/// Identity columns of a register without `valid_from`: rows that share this key follow each
/// other in time.
#[must_use]
pub fn validity_group_keys(table: &Table, rows: &RecordBatch) -> Vec<[u8; 16]> {
    let mut bare = table.clone();
    bare.identity.retain(|name| name != "valid_from");
    bare.columns.retain(|column| column.name != "valid_from");
    bare.source_id = None;
    identity_keys(&bare, rows)
}

/// Content hash of each row: the first 8 bytes of SHA-256 over all value columns, big-endian.
///
/// Each value is hashed with its column's permanent id when it is there at all, so that a column
/// added to the vocabulary later, or a new name for one, leaves older hashes as they are.
#[must_use]
pub fn content_hashes(table: &Table, rows: &RecordBatch) -> Vec<i64> {
    let parts = table.columns.iter().flat_map(|column| physical(column, rows));
    let named: Vec<(u32, &ArrayRef)> = parts.filter_map(|(id, array)| Some((id, array?))).collect();
    hash_named(&named, rows.num_rows())
}

fn hash_named(columns: &[(u32, &ArrayRef)], rows: usize) -> Vec<i64> {
    let views: Vec<(u32, View<'_>)> =
        columns.iter().map(|(id, array)| (*id, View::of(Some(array)))).collect();
    let mut bytes = Vec::with_capacity(1_024);
    (0..rows)
        .map(|row| {
            bytes.clear();
            for (id, view) in &views {
                if !view.is_null(row) {
                    bytes.extend_from_slice(&id.to_be_bytes());
                    view.write(row, &mut bytes);
                }
            }
            i64::from_be_bytes(head(&bytes))
        })
        .collect()
}

/// The first bytes of the SHA-256 of some bytes.
fn head<const N: usize>(bytes: &[u8]) -> [u8; N] {
    Sha256::digest(bytes).first_chunk::<N>().copied().unwrap_or([0; N])
}

/// The physical columns of a vocabulary column in this batch, under its name or an earlier one,
/// numbered `2 × id` for the value and `2 × id + 1` for its currency or offset.
fn physical<'a>(column: &Column, rows: &'a RecordBatch) -> Vec<(u32, Option<&'a ArrayRef>)> {
    let under = |name: &str| {
        let named = Column { name: name.to_owned(), ..column.clone() };
        let fields = schema::fields(&named);
        let arrays = fields.iter().map(|field| rows.column_by_name(field.name()));
        arrays.zip(column.id << 1..).map(|(array, id)| (id, array)).collect::<Vec<_>>()
    };
    let names = std::iter::once(&column.name).chain(&column.renamed_from);
    let mut found = names.map(|name| under(name));
    let first = found.next().unwrap_or_default();
    if first.iter().any(|(_, array)| array.is_some()) {
        return first;
    }
    found.find(|parts| parts.iter().any(|(_, array)| array.is_some())).unwrap_or(first)
}

/// Presence, length and bytes of a value.
fn push_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut prefix = [1; 9];
    if let Some(length) = prefix.last_chunk_mut::<8>() {
        *length = (bytes.len() as u64).to_be_bytes();
    }
    out.extend_from_slice(&prefix);
    out.extend_from_slice(bytes);
}

/// A column with its type settled once.
enum View<'a> {
    Absent,
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    Short(&'a Int16Array),
    Decimal(&'a Decimal128Array),
    Instant(&'a TimestampMicrosecondArray),
    Date(&'a Date32Array),
    Boolean(&'a BooleanArray),
}

impl<'a> View<'a> {
    fn of(array: Option<&'a ArrayRef>) -> Self {
        let Some(array) = array else { return Self::Absent };
        match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Int64 => Self::Integer(array.as_primitive::<Int64Type>()),
            DataType::Int16 => Self::Short(array.as_primitive::<Int16Type>()),
            DataType::Decimal128(_, _) => Self::Decimal(array.as_primitive::<Decimal128Type>()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Self::Instant(array.as_primitive::<TimestampMicrosecondType>())
            }
            DataType::Date32 => Self::Date(array.as_primitive::<Date32Type>()),
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            _ => Self::Absent,
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Absent => true,
            Self::Text(array) => array.is_null(row),
            Self::Integer(array) => array.is_null(row),
            Self::Short(array) => array.is_null(row),
            Self::Decimal(array) => array.is_null(row),
            Self::Instant(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Boolean(array) => array.is_null(row),
        }
    }

    /// One byte for presence, then the value with its length.
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            out.push(0);
            return;
        }
        match self {
            Self::Absent => {}
            Self::Text(array) => push_prefixed(out, array.value(row).as_bytes()),
            Self::Integer(array) => push_prefixed(out, &array.value(row).to_be_bytes()),
            Self::Short(array) => push_prefixed(out, &array.value(row).to_be_bytes()),
            Self::Decimal(array) => push_prefixed(out, &array.value(row).to_be_bytes()),
            Self::Instant(array) => push_prefixed(out, &array.value(row).to_be_bytes()),
            Self::Date(array) => push_prefixed(out, &array.value(row).to_be_bytes()),
            Self::Boolean(array) => push_prefixed(out, &[u8::from(array.value(row))]),
        }
    }
}
