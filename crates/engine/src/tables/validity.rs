//! The effective end of a register's rows: an empty `valid_to` means "until the next row of the key".
//! It must never shorten or stretch an end that the source stated.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, Date32Array, RecordBatch},
    row::{RowConverter, SortField},
};
use backstay_evidence::vocabulary::Table;

use crate::{error::EngineError, rows};

/// Whether the ends of a table's rows follow from its other rows. A table that has `valid_from` in
/// its stated identity says itself what an empty end means.
pub(super) fn follows(table: &Table) -> bool {
    table.has_validity()
        && table.column("valid_to").is_some()
        && !table.identity.iter().any(|column| column == "valid_from")
}

/// The rows with their `valid_to` filled in from the next `valid_from` of the key.
pub(super) fn effective(table: &Table, batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let wrong = |error: arrow::error::ArrowError| EngineError::Evidence {
        table: table.name.clone(),
        message: error.to_string(),
    };
    let from = rows::dates(batch, &table.name, "valid_from")?;
    let to = rows::dates(batch, &table.name, "valid_to")?;
    let keys: Vec<ArrayRef> =
        table.identity.iter().filter_map(|name| batch.column_by_name(name)).cloned().collect();
    let fields = keys.iter().map(|key| SortField::new(key.data_type().clone())).collect();
    let converter = RowConverter::new(fields).map_err(wrong)?;
    let keys = converter.convert_columns(&keys).map_err(wrong)?;
    let mut starts: BTreeMap<Vec<u8>, Vec<i32>> = BTreeMap::new();
    let starts_at = |row: usize| from.is_valid(row).then(|| from.value(row));
    for row in 0..batch.num_rows() {
        if let Some(day) = starts_at(row) {
            starts.entry(keys.row(row).as_ref().to_vec()).or_default().push(day);
        }
    }
    for days in starts.values_mut() {
        days.sort_unstable();
    }
    let end = |row: usize| {
        if to.is_valid(row) {
            return Some(to.value(row));
        }
        let days = starts.get(keys.row(row).as_ref())?;
        let own = starts_at(row);
        days.iter().copied().find(|day| own.is_none_or(|own| *day > own))
    };
    let ends: Date32Array = (0..batch.num_rows()).map(end).collect();
    let mut columns = batch.columns().to_vec();
    if let Ok(place) = batch.schema().index_of("valid_to")
        && let Some(column) = columns.get_mut(place)
    {
        *column = Arc::new(ends);
    }
    RecordBatch::try_new(batch.schema(), columns).map_err(wrong)
}
