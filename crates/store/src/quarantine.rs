//! The records of one entry that were not taken, read back with their reasons. Shows those of the
//! arrangements that the caller allows and no others; never the value that was rejected, which was never
//! kept here.

use std::collections::BTreeMap;

use arrow::{
    array::{Array as _, AsArray as _},
    datatypes::{Int16Type, Int64Type},
    record_batch::RecordBatch,
};
use backstay_evidence::{manifest::QUARANTINE, schema};
use serde::Serialize;

use crate::{
    error::Result,
    import::existing::RowReader,
    index::{segments, table_of},
    workspace::Workspace,
};

/// One reason for which a record was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantinedRecord {
    /// 1-based record of the source.
    pub record: u32,
    /// Which of its reasons, from 0.
    pub item: i16,
    /// Arrangement; empty when it could not be read.
    pub arrangement_id: String,
    /// Table that it was meant for; empty when it could not be split into cells.
    pub table: String,
    /// Case or other id, when it could be read.
    pub subject: Option<String>,
    /// Column that is wrong.
    pub column: Option<String>,
    /// Kind of problem.
    pub code: String,
    /// In words, with what to do; of a workbook with the cell's name.
    pub reason: String,
}

/// What an entry has in quarantine, as far as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Quarantined {
    /// Reasons in all.
    pub reasons: u64,
    /// How many there are of each table, column and code.
    pub kinds: BTreeMap<(String, Option<String>, String), u64>,
    /// Reasons by record, as many as were asked for.
    pub records: Vec<QuarantinedRecord>,
    /// Something is in quarantine that is not shown here.
    pub withheld: bool,
}

impl Workspace {
    /// Reasons of an entry after a record, at most `limit`, of the arrangements that are `allowed`; the
    /// empty one is that of records in which none could be read.
    ///
    /// # Errors
    /// Those of [`Workspace::import_payload`]; an object that cannot be read.
    pub fn quarantined(
        &self,
        entry: u64,
        after: u32,
        limit: usize,
        allowed: &dyn Fn(&str) -> bool,
    ) -> Result<Quarantined> {
        let payload = self.import_payload(entry)?;
        let mut found = Quarantined::default();
        let Some(table) = table_of(self.vocabulary(), QUARANTINE) else { return Ok(found) };
        let mut kept = BTreeMap::new();
        for segment in segments(entry, &payload).iter().filter(|s| s.table == QUARANTINE) {
            if !allowed(&segment.arrangement_id) {
                found.withheld = true;
                continue;
            }
            for batch in RowReader::open(self.backend(), segment, &table, None)? {
                take(&batch?, after, limit, &mut found, &mut kept);
            }
        }
        found.records = kept.into_values().collect();
        Ok(found)
    }
}

type Kept = BTreeMap<(u32, i16, String), QuarantinedRecord>;

fn take(batch: &RecordBatch, after: u32, limit: usize, found: &mut Quarantined, kept: &mut Kept) {
    let whole = |name: &str, row: usize| {
        let array = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        u32::try_from(array.value(row)).ok()
    };
    let text = |name: &str, row: usize| {
        let array = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        array.is_valid(row).then(|| array.value(row).to_owned())
    };
    let items = batch.column_by_name(schema::ITEM).and_then(|a| a.as_primitive_opt::<Int16Type>());
    for row in 0..batch.num_rows() {
        let told = QuarantinedRecord {
            record: whole(schema::ROW, row).unwrap_or_default(),
            item: items.map_or(0, |items| items.value(row)),
            arrangement_id: text("arrangement_id", row).unwrap_or_default(),
            table: text("table_name", row).unwrap_or_default(),
            subject: text("subject", row),
            column: text("column_name", row),
            code: text("code", row).unwrap_or_default(),
            reason: text("reason", row).unwrap_or_default(),
        };
        found.reasons += 1;
        let kind = (told.table.clone(), told.column.clone(), told.code.clone());
        *found.kinds.entry(kind).or_default() += 1;
        if told.record > after {
            kept.insert((told.record, told.item, told.arrangement_id.clone()), told);
            if kept.len() > limit {
                kept.pop_last();
            }
        }
    }
}
