//! What an import would do, without keeping anything: counts by table, first rows, every kind of
//! rejection with its first examples. Takes the same pass as an import does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, AsArray as _},
    datatypes::TimestampMicrosecondType,
    record_batch::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use serde::{Deserialize, Serialize};

use crate::{
    schema,
    sink::{Progress, Rejection, Sink, SinkError, TypedBatch, TypedCell, VaultEntry, WantsCells},
};

/// First rows that are shown of each table.
const ROWS_SHOWN: usize = 5;
/// First records that are taken of which every cell is shown.
const RECORDS_SHOWN: usize = 2;
/// Kinds of rejection of which the first record is shown cell by cell.
const KINDS_SHOWN: usize = 40;
/// First examples that are shown of each kind of rejection.
const EXAMPLES_SHOWN: usize = 3;
/// Parties of ids that are kept apart; who may name few need not know more of them.
const PARTIES_KEPT: usize = 1_000;

/// One table of a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TablePreview {
    /// Rows by arrangement; the empty arrangement for a shared table.
    pub rows: BTreeMap<String, u64>,
    /// Names of the columns shown: those that have a value in the first rows.
    pub columns: Vec<String>,
    /// First rows, as text; pseudonyms where a person is named.
    pub first: Vec<Vec<String>>,
}

/// One kind of rejection: same table, column, code and reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RejectionKind {
    /// Table.
    pub table: String,
    /// Column.
    pub column: Option<String>,
    /// Code.
    pub code: String,
    /// Reason.
    pub reason: String,
}

impl RejectionKind {
    fn of(rejection: &Rejection) -> Self {
        Self {
            table: rejection.table.clone(),
            column: rejection.column.clone(),
            code: rejection.code.clone(),
            reason: rejection.reason.clone(),
        }
    }
}

/// How often a kind occurred, and where first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RejectionCount {
    /// Times.
    pub count: u64,
    /// First records, with what they are about.
    pub examples: Vec<(u32, Option<String>)>,
}

/// Counts kinds of rejections; also of use beside another sink.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RejectionTally {
    kinds: BTreeMap<RejectionKind, RejectionCount>,
    records: BTreeSet<u32>,
}

impl RejectionTally {
    /// Counts one.
    pub fn add(&mut self, rejection: &Rejection) {
        let kind = RejectionKind::of(rejection);
        let count = self.kinds.entry(kind).or_default();
        count.count += 1;
        if count.examples.len() < EXAMPLES_SHOWN {
            count.examples.push((rejection.record, rejection.subject.clone()));
        }
        self.records.insert(rejection.record);
    }

    /// Kinds, the most frequent first.
    #[must_use]
    pub fn kinds(&self) -> Vec<(RejectionKind, RejectionCount)> {
        let mut kinds: Vec<_> = self.kinds.iter().map(|(k, c)| (k.clone(), c.clone())).collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(count.count));
        kinds
    }

    /// Records with at least one rejection.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.len() as u64
    }
}

/// A sink that keeps only what a dry run shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DryRun {
    /// By table.
    pub tables: BTreeMap<String, TablePreview>,
    /// Rejections.
    pub rejections: RejectionTally,
    /// Arrangements that rejected records name; empty: one names none that can be read.
    pub rejected_of: BTreeSet<String>,
    /// Different people named.
    pub people: u64,
    /// Parties whose ids those are: the first thousand met.
    pub parties: BTreeSet<String>,
    /// Cell by cell what became of the first records that are taken, and of the first record of each
    /// kind of rejection.
    pub cells: Vec<TypedCell>,
}

impl DryRun {
    fn preview(&mut self, batch: &TypedBatch) -> Result<(), SinkError> {
        let table = self.tables.entry(batch.table.clone()).or_default();
        let rows = batch.rows.num_rows();
        *table.rows.entry(batch.arrangement_id.clone()).or_default() += rows as u64;
        if table.first.is_empty() {
            let shown = batch.rows.slice(0, rows.min(ROWS_SHOWN));
            let (columns, first) = as_text(&shown)?;
            table.columns = columns;
            table.first = first;
        }
        Ok(())
    }
}

/// Instants with UTC as an offset, which is shown without a database of zones.
fn as_offset(array: &ArrayRef) -> ArrayRef {
    match array.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(instants) => Arc::new(instants.clone().with_timezone("+00:00")),
        None => Arc::clone(array),
    }
}

/// Value columns that are not wholly empty, and their rows as text.
fn as_text(rows: &RecordBatch) -> Result<(Vec<String>, Vec<Vec<String>>), SinkError> {
    let format = FormatOptions::default().with_null("");
    let fields = rows.schema();
    let shown: Vec<ArrayRef> = rows.columns().iter().map(as_offset).collect();
    let mut names = Vec::new();
    let mut columns = Vec::new();
    for (field, array) in fields.fields().iter().zip(&shown) {
        let own = field.name().starts_with('_') && field.name() != schema::ROW;
        if own || array.null_count() == array.len() {
            continue;
        }
        names.push(field.name().clone());
        columns.push(ArrayFormatter::try_new(array.as_ref(), &format)?);
    }
    let mut first = Vec::new();
    for row in 0..rows.num_rows() {
        let mut cells = Vec::new();
        for column in &columns {
            cells.push(column.value(row).try_to_string()?);
        }
        first.push(cells);
    }
    Ok((names, first))
}

impl Sink for DryRun {
    fn rows(&mut self, batch: TypedBatch) -> Result<(), SinkError> {
        self.preview(&batch)
    }

    fn reject(&mut self, rejection: Rejection) -> Result<(), SinkError> {
        self.rejections.add(&rejection);
        if !self.rejected_of.contains(&rejection.arrangement_id) {
            self.rejected_of.insert(rejection.arrangement_id);
        }
        Ok(())
    }

    fn wants_cells(&self) -> Option<WantsCells> {
        let (mut taken, mut kinds) = (0, BTreeSet::new());
        Some(Box::new(move |_, rejections| {
            if rejections.is_empty() {
                taken += 1;
                return taken <= RECORDS_SHOWN;
            }
            let known = kinds.len();
            if known < KINDS_SHOWN {
                kinds.extend(rejections.iter().map(RejectionKind::of));
            }
            kinds.len() > known
        }))
    }

    fn cells(&mut self, cells: Vec<TypedCell>) -> Result<(), SinkError> {
        self.cells.extend(cells);
        Ok(())
    }

    fn person(&mut self, entry: VaultEntry) -> Result<(), SinkError> {
        self.people += 1;
        if self.parties.len() < PARTIES_KEPT && !self.parties.contains(&entry.party) {
            self.parties.insert(entry.party);
        }
        Ok(())
    }

    fn progress(&mut self, _: Progress) -> Result<(), SinkError> {
        Ok(())
    }
}
