//! Building the columns of derived tables. Owns the Arrow types they share; it must never decide
//! what a value means.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, Int64Builder,
        ListBuilder, RecordBatch, StringArray, TimestampMicrosecondArray,
    },
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
};
use backstay_evidence::schema::DECIMAL;
use jiff::civil::Date;

use crate::{error::EngineError, rows::days_from_date};

/// One column of a derived table, before it is an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Decimal,
    Instant,
    Date,
    Flag,
    /// List of row references.
    Refs,
}

/// The schema of a derived table from `(name, kind)` pairs; every column may be null.
pub(super) fn schema(columns: &[(&str, Kind)]) -> SchemaRef {
    let field = |(name, kind): &(&str, Kind)| {
        let data_type = match kind {
            Kind::Text => DataType::Utf8,
            Kind::Integer => DataType::Int64,
            Kind::Decimal => DataType::Decimal128(DECIMAL.0, DECIMAL.1),
            Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Date => DataType::Date32,
            Kind::Flag => DataType::Boolean,
            Kind::Refs => DataType::List(Arc::new(Field::new("item", DataType::Int64, true))),
        };
        Field::new(*name, data_type, true)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// One batch, or none when there is no row.
pub(super) fn batch(
    name: &str,
    schema: SchemaRef,
    arrays: Vec<ArrayRef>,
) -> Result<Vec<RecordBatch>, EngineError> {
    let built = RecordBatch::try_new(schema, arrays);
    let batch = built.map_err(|error| EngineError::derivation(name, error.to_string()))?;
    Ok(if batch.num_rows() == 0 { Vec::new() } else { vec![batch] })
}

pub(super) fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

pub(super) fn integers(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

pub(super) fn instants(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

pub(super) fn flags(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

pub(super) fn dates(values: impl Iterator<Item = Option<Date>>) -> ArrayRef {
    Arc::new(values.map(|day| day.map(days_from_date)).collect::<Date32Array>())
}

/// From units of 10⁻⁹.
pub(super) fn decimals(values: impl Iterator<Item = Option<i128>>) -> ArrayRef {
    let array = values.collect::<Decimal128Array>();
    Arc::new(array.with_data_type(DataType::Decimal128(DECIMAL.0, DECIMAL.1)))
}

pub(super) fn refs<'a>(values: impl Iterator<Item = &'a [i64]>) -> ArrayRef {
    let mut builder = ListBuilder::new(Int64Builder::new());
    for list in values {
        builder.append_value(list.iter().copied().map(Some));
    }
    Arc::new(builder.finish())
}
