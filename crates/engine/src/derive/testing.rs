//! Tables written in Markdown as inputs of a derivation, without objects or SQL. For tests only.

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use backstay_evidence::{RowRef, Vocabulary, schema};

use super::{DeriveInput, TableBatches};
use crate::{
    cell::CellColumn, error::EngineError, markdown::MarkdownTable, period::Period,
    tables::definition,
};

/// Rows by table. The n-th table given is entry n, its rows records 1, 2, 3 …
pub(super) struct Given {
    vocabulary: Vocabulary,
    tables: BTreeMap<String, Vec<RecordBatch>>,
    entries: u32,
    period: Period,
    as_of_us: i64,
    zone: String,
}

impl Given {
    /// March 2026 in UTC, seen from its end.
    pub(super) fn new() -> Self {
        let period: Period = "2026-03".parse().unwrap();
        let as_of_us = period.bounds_us("UTC").unwrap().1;
        let vocabulary = Vocabulary::built_in().unwrap();
        Self {
            vocabulary,
            tables: BTreeMap::new(),
            entries: 0,
            period,
            as_of_us,
            zone: "UTC".to_owned(),
        }
    }

    pub(super) fn period(mut self, text: &str, zone: &str) -> Self {
        self.period = text.parse().unwrap();
        self.zone = zone.to_owned();
        self.as_of_us = self.period.bounds_us(zone).unwrap().1;
        self
    }

    pub(super) fn seen_at(mut self, text: &str) -> Self {
        self.as_of_us = us(text);
        self
    }

    /// Adds rows; `arrangement_id` is `a` where the table has one and the text does not.
    pub(super) fn table(mut self, name: &str, markdown: &str) -> Self {
        self.entries += 1;
        let rows = MarkdownTable::parse(markdown).unwrap();
        let table = definition(&self.vocabulary, name).unwrap();
        for heading in &rows.header {
            assert!(table.column(heading).is_some(), "table `{name}` has no column `{heading}`");
        }
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for column in &table.columns {
            let place = rows.header.iter().position(|heading| heading == &column.name);
            let mut cells = CellColumn::new(column);
            for (_, row) in &rows.rows {
                let default = if column.name == "arrangement_id" { "a" } else { "" };
                cells.push(place.map_or(default, |place| row[place].as_str())).unwrap();
            }
            arrays.extend(cells.finish().into_iter().map(|(_, array)| array));
        }
        let count = u32::try_from(rows.rows.len()).unwrap();
        let refs = (1..=count).map(|record| RowRef { entry: self.entries, record }.pack());
        arrays.push(Arc::new(Int64Array::from_iter_values(refs)));
        arrays.push(Arc::new(Int64Array::from(vec![i64::from(self.entries); rows.rows.len()])));
        let schema = Arc::new(schema::sql_schema(table));
        let batch = RecordBatch::try_new(schema, arrays).unwrap();
        self.tables.entry(name.to_owned()).or_default().push(batch);
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.tables.remove(name);
        self
    }

    pub(super) fn input(&self) -> DeriveInput<'_> {
        let (period_start_us, period_end_us) = self.period.bounds_us(&self.zone).unwrap();
        DeriveInput {
            tables: self,
            as_of_us: self.as_of_us,
            period_start_us,
            period_end_us,
            period_first: self.period.first,
            period_after: self.period.after,
            arrangement_id: "a",
            zone: &self.zone,
            supposed_calendar: None,
        }
    }
}

impl TableBatches for Given {
    fn batches(&self, table: &str) -> Result<Vec<RecordBatch>, EngineError> {
        Ok(self.tables.get(table).cloned().unwrap_or_default())
    }
}

/// Microseconds of an instant with its offset.
pub(super) fn us(text: &str) -> i64 {
    crate::cell::instant_us(text).unwrap().0
}
