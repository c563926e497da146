//! Rows of a query as aligned columns, CSV or JSON: references as `entry:record`, instants in UTC as
//! ISO 8601, decimals exact. It never rounds, cuts or reorders.

use arrow::{
    array::{Array, AsArray as _, RecordBatch},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Int64Type, SchemaRef, TimeUnit,
        TimestampMicrosecondType,
    },
    util::display::{ArrayFormatter, FormatOptions},
};
use serde_json::{Map, Value};

use crate::{
    layout::{Cell, Grid, Look, Page, Set, Tone},
    listing::{Column, Kind, Listing},
};

/// Columns that hold references, alone or in lists, whatever the query.
fn holds_references(name: &str) -> bool {
    matches!(name, "_ref" | "_root_ref" | "evidence" | "delivered") || name.ends_with("_ref")
}

/// A packed reference as `entry:record`.
fn reference(packed: i64) -> String {
    format!("{}:{}", packed >> 32, packed & 0xffff_ffff)
}

/// Two columns of one name, which a JSON object cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two columns are called `{0}`: rename one with AS")]
pub struct SameNameError(pub String);

/// One value; nothing for null.
fn value(array: &dyn Array, row: usize, references: bool) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int64 if references => {
            let packed = array.as_primitive::<Int64Type>().value(row);
            reference(packed).into()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            jiff::Timestamp::from_microsecond(micros)
                .map_or_else(|_| micros.into(), |instant| instant.to_string().into())
        }
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value_as_date(row);
            days.map_or(Value::Null, |day| day.to_string().into())
        }
        DataType::Decimal128(_, _) => {
            let text = array.as_primitive::<Decimal128Type>().value_as_string(row);
            crate::figure::trim_decimal(&text).to_owned().into()
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|n| value(&items, n, references)).collect()
        }
        _ => plain(array, row),
    }
}

/// A value of any other type: whole numbers as numbers, the rest as text.
fn plain(array: &dyn Array, row: usize) -> Value {
    let formatted = ArrayFormatter::try_new(array, &FormatOptions::default())
        .and_then(|formatter| formatter.value(row).try_to_string());
    let text = formatted.unwrap_or_else(|error| format!("unreadable: {error}"));
    if array.data_type().is_integer()
        && let Ok(number) = text.parse::<i64>()
    {
        return number.into();
    }
    text.into()
}

/// Every row as an object; of two columns of one name the last stays.
#[must_use]
pub fn objects(schema: &SchemaRef, batches: &[RecordBatch]) -> Vec<Map<String, Value>> {
    let mut rows = Vec::new();
    each_row(batches, |values| {
        let names = schema.fields().iter().map(|field| field.name().clone());
        rows.push(names.zip(values).collect());
    });
    rows
}

pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// The rows as a table of data.
#[must_use]
pub fn listing(name: &str, schema: &SchemaRef, batches: &[RecordBatch]) -> Listing {
    let columns = schema.fields().iter().map(|field| {
        let kind = match field.data_type() {
            _ if holds_references(field.name()) => Kind::List,
            DataType::Boolean => Kind::Flag,
            DataType::Timestamp(..) => Kind::Instant,
            DataType::Date32 => Kind::Day,
            DataType::Decimal128(..) => Kind::Decimal,
            DataType::List(_) => Kind::List,
            other if other.is_integer() => Kind::Whole,
            _ => Kind::Text,
        };
        Column { name: field.name().clone(), kind }
    });
    let mut made = Listing { name: name.to_owned(), columns: columns.collect(), rows: Vec::new() };
    each_row(batches, |values| made.rows.push(values));
    made
}

fn each_row(batches: &[RecordBatch], mut take: impl FnMut(Vec<Value>)) {
    for batch in batches {
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let cells = schema.fields().iter().zip(batch.columns());
            take(cells.map(|(f, array)| value(array, row, holds_references(f.name()))).collect());
        }
    }
}

/// Aligned columns, figures to the right, and the number of rows.
#[must_use]
pub fn table(schema: &SchemaRef, batches: &[RecordBatch], look: Look) -> String {
    let columns: Vec<(&str, Set)> = schema
        .fields()
        .iter()
        .map(|field| {
            let figures = field.data_type().is_numeric() && !holds_references(field.name());
            let set = match field.data_type() {
                _ if figures => Set::Right,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::List(_) => {
                    Set::Flex
                }
                _ => Set::Left,
            };
            (field.name().as_str(), set)
        })
        .collect();
    let mut grid = Grid::new(&columns);
    let mut rows = 0_i64;
    each_row(batches, |values| {
        rows += 1;
        grid.row(values.iter().map(|value| Cell::from(shown(value))).collect());
    });
    let mut page = Page::new(look);
    page.grid(&grid);
    page.gap();
    page.paragraph(0, &crate::figure::counted(rows, "row"), Tone::Quiet);
    page.finish()
}

/// Comma-separated values with a head line; a field is quoted when it must be, and an empty text is
/// quoted so that it differs from null.
#[must_use]
pub fn csv(schema: &SchemaRef, batches: &[RecordBatch]) -> String {
    let mut out = String::new();
    let names: Vec<String> = schema.fields().iter().map(|f| quoted(f.name())).collect();
    out.push_str(&names.join(","));
    out.push('\n');
    each_row(batches, |values| {
        let cells: Vec<String> = values
            .iter()
            .map(|value| if value.is_null() { String::new() } else { quoted(&shown(value)) })
            .collect();
        out.push_str(&cells.join(","));
        out.push('\n');
    });
    out
}

pub(crate) fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// An array of objects, one a line; whole numbers as numbers, decimals as texts.
///
/// # Errors
/// Two columns of one name.
pub fn json(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<String, SameNameError> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    for (n, name) in names.iter().enumerate() {
        if names.iter().take(n).any(|earlier| earlier == name) {
            return Err(SameNameError((*name).to_owned()));
        }
    }
    let rows = objects(schema, batches).into_iter();
    let lines: Vec<String> = rows.map(|row| Value::Object(row).to_string()).collect();
    if lines.is_empty() {
        return Ok("[]\n".to_owned());
    }
    Ok(format!("[\n  {}\n]\n", lines.join(",\n  ")))
}
