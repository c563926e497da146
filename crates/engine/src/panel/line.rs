//! One row of a table at a time, cell by cell, by the names of its columns. Owns the walk; it must
//! never put a value where there is none.

use arrow::array::RecordBatch;
use backstay_evidence::RowRef;
use jiff::civil::Date;

use crate::{error::EngineError, measure::plain_decimal, measured::refs, rows, session::Session};

/// A row.
pub(super) struct Line<'a> {
    batch: &'a RecordBatch,
    table: &'static str,
    row: usize,
}

/// The rows of a table or derived table, each as `of` makes it; those of which it makes nothing are
/// left out. Evidence whose vocabulary does not know what the table is made from yet has none.
pub(super) fn lines<T>(
    session: &Session,
    table: &'static str,
    mut of: impl FnMut(&Line<'_>) -> Result<Option<T>, EngineError>,
) -> Result<Vec<T>, EngineError> {
    let batches = match session.batches(table) {
        Err(EngineError::UnknownTable { .. }) => Vec::new(),
        read => read?,
    };
    let mut found = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            found.extend(of(&Line { batch: &batch, table, row })?);
        }
    }
    Ok(found)
}

impl Line<'_> {
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, EngineError> {
        let array = rows::texts(self.batch, self.table, name)?;
        Ok(rows::text(&array, self.row).map(str::to_owned))
    }

    /// A text that is always there.
    pub(super) fn word(&self, name: &str) -> Result<String, EngineError> {
        Ok(self.text(name)?.unwrap_or_default())
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, EngineError> {
        Ok(rows::integer(&rows::integers(self.batch, self.table, name)?, self.row))
    }

    pub(super) fn date(&self, name: &str) -> Result<Option<Date>, EngineError> {
        Ok(rows::date(&rows::dates(self.batch, self.table, name)?, self.row))
    }

    /// Microseconds UTC.
    pub(super) fn instant(&self, name: &str) -> Result<Option<i64>, EngineError> {
        Ok(rows::instant(&rows::instants(self.batch, self.table, name)?, self.row))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, EngineError> {
        Ok(rows::boolean(&rows::booleans(self.batch, self.table, name)?, self.row))
    }

    /// Units of 10⁻⁹.
    pub(super) fn nanos(&self, name: &str) -> Result<Option<i128>, EngineError> {
        Ok(rows::decimal(&rows::decimals(self.batch, self.table, name)?, self.row))
    }

    /// A decimal as text, without zeros at its end.
    pub(super) fn decimal(&self, name: &str) -> Result<Option<String>, EngineError> {
        Ok(self.nanos(name)?.map(plain_decimal))
    }

    /// The rows that it rests on, `entry:record`.
    pub(super) fn evidence(&self) -> Result<Vec<String>, EngineError> {
        let array = rows::integer_lists(self.batch, self.table, "evidence")?;
        Ok(refs(&rows::integer_list(&array, self.row)))
    }

    /// The row that it stands on, `entry:record`.
    pub(super) fn record(&self) -> Result<Option<String>, EngineError> {
        let packed = self.integer("_ref")?;
        Ok(packed.and_then(RowRef::unpack).map(|row| row.to_string()))
    }
}
