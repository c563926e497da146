//! Old objects in the columns of today's vocabulary: a column that an object does not have yet is
//! null, a renamed one is found by its earlier name. It must never change a value: another type is
//! another column, so a mismatch means a broken object.

use arrow::{
    array::{ArrayRef, new_null_array},
    compute::cast,
    datatypes::{DataType, Field, Schema},
};
use backstay_evidence::{
    schema,
    vocabulary::{Column, Table},
};

/// Where the value columns of today's vocabulary stand in an object: one entry per value field, none
/// where the object is older than the column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnMap(pub Vec<Option<usize>>);

impl ColumnMap {
    /// Finds each column by its name or an earlier one.
    pub(super) fn new(table: &Table, object: &Schema) -> Self {
        let mut places = Vec::new();
        for column in &table.columns {
            let names = std::iter::once(&column.name).chain(&column.renamed_from);
            let candidates: Vec<Vec<Field>> =
                names.map(|name| fields_named(column, name)).collect();
            let width = candidates.first().map_or(0, Vec::len);
            for part in 0..width {
                let found = candidates
                    .iter()
                    .filter_map(|fields| fields.get(part))
                    .find_map(|field| object.index_of(field.name()).ok());
                places.push(found);
            }
        }
        Self(places)
    }
}

fn fields_named(column: &Column, name: &str) -> Vec<Field> {
    let mut renamed = column.clone();
    name.clone_into(&mut renamed.name);
    schema::fields(&renamed)
}

/// A column as read, in the type that the vocabulary gives it.
pub(super) fn present(
    found: Option<&ArrayRef>,
    field: &Field,
    rows: usize,
) -> Result<ArrayRef, String> {
    let Some(array) = found else { return Ok(new_null_array(field.data_type(), rows)) };
    if array.data_type() == field.data_type() {
        return Ok(array.clone());
    }
    if is_text(array.data_type()) && is_text(field.data_type()) {
        return cast(array, field.data_type()).map_err(|error| error.to_string());
    }
    Err(format!(
        "column `{}` is {} where the vocabulary says {}",
        field.name(),
        array.data_type(),
        field.data_type()
    ))
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}
