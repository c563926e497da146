//! Typed columns out of record batches, whatever physical form the SQL engine left them in. Owns the
//! down-casting; it must never guess: a missing column or another type is an error naming both.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, ListArray,
        RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
    },
    compute::cast,
    datatypes::{DataType, Field, Schema, TimeUnit},
};

use crate::error::EngineError;

/// The column of that name, cast to a type it can hold without loss.
fn typed(
    batch: &RecordBatch,
    table: &str,
    name: &str,
    to: &DataType,
) -> Result<ArrayRef, EngineError> {
    let wrong = |message: String| EngineError::Evidence { table: table.to_owned(), message };
    let column =
        batch.column_by_name(name).ok_or_else(|| wrong(format!("has no column `{name}`")))?;
    if column.data_type() == to {
        return Ok(column.clone());
    }
    if column.data_type() == &DataType::Null || may_cast(column.data_type(), to) {
        return cast(column, to).map_err(|error| wrong(format!("column `{name}`: {error}")));
    }
    Err(wrong(format!("column `{name}` is {}, expected {to}", column.data_type())))
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

fn may_cast(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (from, DataType::Utf8) => is_text(from),
        (from, DataType::Int64) => from.is_integer(),
        (
            DataType::Decimal128(..) | DataType::Decimal64(..) | DataType::Decimal32(..),
            DataType::Decimal128(..),
        ) => true,
        (from, DataType::Decimal128(..)) => from.is_integer(),
        (DataType::Timestamp(..), DataType::Timestamp(..)) => true,
        (DataType::List(a), DataType::List(b)) => {
            may_cast(a.data_type(), b.data_type())
                || a.data_type() == &DataType::Null
                || a.data_type() == b.data_type()
        }
        (DataType::LargeList(a), DataType::List(b)) => {
            may_cast(a.data_type(), b.data_type()) || a.data_type() == b.data_type()
        }
        _ => false,
    }
}

macro_rules! column {
    ($(#[$doc:meta])* $name:ident, $array:ty, $kind:expr) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// When the column is missing or has another type.
        pub fn $name(batch: &RecordBatch, table: &str, name: &str) -> Result<$array, EngineError> {
            let array = typed(batch, table, name, &$kind)?;
            array.as_any().downcast_ref::<$array>().cloned().ok_or_else(|| EngineError::Evidence {
                table: table.to_owned(),
                message: format!("column `{name}` is {}", array.data_type()),
            })
        }
    };
}

column!(
    /// A text column.
    texts, StringArray, DataType::Utf8
);
column!(
    /// A whole-number column.
    integers, Int64Array, DataType::Int64
);
column!(
    /// A column of instants, microseconds UTC.
    instants, TimestampMicrosecondArray, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
);
column!(
    /// A column of civil days, in days since 1970-01-01.
    dates, Date32Array, DataType::Date32
);
column!(
    /// A true-or-false column.
    booleans, BooleanArray, DataType::Boolean
);
column!(
    /// A decimal column with nine places.
    decimals, Decimal128Array, DataType::Decimal128(38, 9)
);
column!(
    /// A column of lists of whole numbers.
    integer_lists, ListArray, DataType::new_list(DataType::Int64, true)
);

/// The same rows with a column of nulls for each of these that a vocabulary kept by an earlier release
/// does not have yet.
///
/// # Errors
/// None but those of the columns' own lengths, which are equal.
pub fn with_younger(
    batch: &RecordBatch,
    table: &str,
    younger: &[(&str, DataType)],
) -> Result<RecordBatch, EngineError> {
    let schema = batch.schema();
    let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
    let mut columns = batch.columns().to_vec();
    for (name, kind) in younger.iter().filter(|(name, _)| batch.column_by_name(name).is_none()) {
        fields.push(Arc::new(Field::new(*name, kind.clone(), true)));
        columns.push(new_null_array(kind, batch.num_rows()));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| {
        EngineError::Evidence { table: table.to_owned(), message: error.to_string() }
    })
}

/// One value of a text column, when it is there.
#[must_use]
pub fn text(array: &StringArray, row: usize) -> Option<&str> {
    (row < array.len() && array.is_valid(row)).then(|| array.value(row))
}

/// One value of a whole-number column.
#[must_use]
pub fn integer(array: &Int64Array, row: usize) -> Option<i64> {
    (row < array.len() && array.is_valid(row)).then(|| array.value(row))
}

/// One instant, microseconds UTC.
#[must_use]
pub fn instant(array: &TimestampMicrosecondArray, row: usize) -> Option<i64> {
    (row < array.len() && array.is_valid(row)).then(|| array.value(row))
}

/// One civil day.
#[must_use]
pub fn date(array: &Date32Array, row: usize) -> Option<jiff::civil::Date> {
    let days = (row < array.len() && array.is_valid(row)).then(|| array.value(row))?;
    date_from_days(days)
}

/// One truth value.
#[must_use]
pub fn boolean(array: &BooleanArray, row: usize) -> Option<bool> {
    (row < array.len() && array.is_valid(row)).then(|| array.value(row))
}

/// One decimal, in units of 10⁻⁹.
#[must_use]
pub fn decimal(array: &Decimal128Array, row: usize) -> Option<i128> {
    (row < array.len() && array.is_valid(row)).then(|| array.value(row))
}

/// The whole numbers of one list; null elements are left out.
#[must_use]
pub fn integer_list(array: &ListArray, row: usize) -> Vec<i64> {
    if row >= array.len() || array.is_null(row) {
        return Vec::new();
    }
    let values = array.value(row);
    let numbers = values.as_any().downcast_ref::<Int64Array>();
    numbers.map(|numbers| numbers.iter().flatten().collect()).unwrap_or_default()
}

/// A civil day from days since 1970-01-01.
#[must_use]
pub fn date_from_days(days: i32) -> Option<jiff::civil::Date> {
    use jiff::ToSpan as _;
    jiff::civil::date(1970, 1, 1).checked_add(i64::from(days).days()).ok()
}

/// Days since 1970-01-01 of a civil day.
#[must_use]
pub fn days_from_date(day: jiff::civil::Date) -> i32 {
    let span = jiff::civil::date(1970, 1, 1).until(day);
    span.map(|span| span.get_days()).unwrap_or_default()
}
