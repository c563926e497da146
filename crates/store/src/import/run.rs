//! Sorting rows on disk: batches are sorted into runs, runs are merged by sort key. Owns temporary
//! files and their order; never drops or changes a row.

use std::{cmp::Reverse, collections::BinaryHeap, fs::File, io::BufWriter, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, UInt32Array},
    compute::{concat_batches, interleave_record_batch, take_record_batch},
    datatypes::SchemaRef,
    record_batch::RecordBatch,
    row::{OwnedRow, RowConverter, Rows, SortField},
};
use backstay_evidence::{schema, vocabulary::Table};
use parquet::{
    arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    file::properties::{EnabledStatistics, WriterProperties},
};

use crate::{
    disk,
    error::{Result, StoreError},
};

/// Rows read from a run at once.
const READ_ROWS: usize = 4_096;
/// Rows handed out at once by a merge.
const OUT_ROWS: usize = 8_192;

/// Batches in order.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch>>>;

/// The order of a table's rows: its sort columns, or its identity, then record and item.
pub(super) struct Sorter {
    converter: RowConverter,
    names: Vec<String>,
    table: String,
}

impl Sorter {
    pub(super) fn new(table: &Table) -> Result<Self> {
        let logical = if table.sort.is_empty() { &table.identity } else { &table.sort };
        let fields = schema::object_schema(table);
        let mut names: Vec<String> = Vec::new();
        for name in logical {
            let column = table.columns.iter().find(|column| &column.name == name);
            let first = column.map(schema::fields).unwrap_or_default().into_iter().next();
            names.extend(first.map(|field| field.name().clone()));
        }
        names.push(schema::ROW.to_owned());
        names.push(schema::ITEM.to_owned());
        let mut sort = Vec::new();
        for name in &names {
            let field =
                fields.field_with_name(name).map_err(StoreError::columns(&table.name, "sorted"))?;
            sort.push(SortField::new(field.data_type().clone()));
        }
        let converter =
            RowConverter::new(sort).map_err(StoreError::columns(&table.name, "sorted"))?;
        Ok(Self { converter, names, table: table.name.clone() })
    }

    fn rows(&self, batch: &RecordBatch) -> Result<Rows> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.names.len());
        for name in &self.names {
            let column = batch.column_by_name(name).ok_or_else(|| StoreError::Columns {
                table: self.table.clone(),
                doing: "sorted",
                message: format!("column `{name}` is missing"),
            })?;
            columns.push(Arc::clone(column));
        }
        self.converter.convert_columns(&columns).map_err(StoreError::columns(&self.table, "sorted"))
    }

    /// All rows of some batches as one, in order.
    pub(super) fn sort(&self, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch> {
        let failed = |error| StoreError::columns(&self.table, "sorted")(error);
        let whole = concat_batches(schema, batches).map_err(failed)?;
        let rows = self.rows(&whole)?;
        let mut order: Vec<u32> =
            (0..u32::try_from(whole.num_rows()).unwrap_or(u32::MAX)).collect();
        order.sort_unstable_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
        take_record_batch(&whole, &UInt32Array::from(order)).map_err(failed)
    }
}

/// Writes a sorted batch to a temporary file. Plain and fast: it lives for one import.
pub(super) fn write_run(path: &Path, batch: &RecordBatch, table: &str) -> Result<()> {
    let failed = |error| StoreError::columns(table, "written")(error);
    let file = disk::Output::create_new(path).map_err(StoreError::io(path))?;
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let mut writer = ArrowWriter::try_new(BufWriter::new(file), batch.schema(), Some(properties))
        .map_err(failed)?;
    writer.write(batch).map_err(failed)?;
    writer.close().map_err(failed)?;
    Ok(())
}

/// Reads a run back in its order; only the columns wanted, when some are named.
pub(super) fn read_run(path: &Path, wanted: Option<&[&str]>, table: &str) -> Result<Batches> {
    let file = File::open(path).map_err(StoreError::io(path))?;
    let failed = |error| StoreError::columns(table, "read")(error);
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
    if let Some(names) = wanted {
        let schema = Arc::clone(builder.schema());
        let roots = names.iter().filter_map(|name| schema.index_of(name).ok());
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        builder = builder.with_projection(mask);
    }
    let reader = builder.with_batch_size(READ_ROWS).build().map_err(failed)?;
    let table = table.to_owned();
    Ok(Box::new(reader.map(move |batch| batch.map_err(StoreError::columns(&table, "read")))))
}

struct Cursor {
    batches: Batches,
    rows: Rows,
    /// Place of the current batch among those held.
    held: usize,
    at: usize,
    count: usize,
}

/// Batches from which rows are being taken; those that no row is wanted of any more go.
struct Merge<'s> {
    sorter: &'s Sorter,
    cursors: Vec<Cursor>,
    held: Vec<RecordBatch>,
    picked: Vec<(usize, usize)>,
}

impl Merge<'_> {
    /// Loads the next batch that has a row; false: the run is at its end.
    fn load(&mut self, cursor: usize) -> Result<bool> {
        let Some(it) = self.cursors.get_mut(cursor) else { return Ok(false) };
        loop {
            let Some(batch) = it.batches.next().transpose()? else { return Ok(false) };
            if batch.num_rows() == 0 {
                continue;
            }
            it.rows = self.sorter.rows(&batch)?;
            (it.held, it.at, it.count) = (self.held.len(), 0, batch.num_rows());
            self.held.push(batch);
            return Ok(true);
        }
    }

    /// Moves to the next row of a run.
    fn step(&mut self, cursor: usize) -> Result<bool> {
        if let Some(it) = self.cursors.get_mut(cursor) {
            it.at += 1;
            if it.at < it.count {
                return Ok(true);
            }
        }
        self.load(cursor)
    }

    fn head(&self, cursor: usize) -> Option<OwnedRow> {
        self.cursors.get(cursor).map(|it| it.rows.row(it.at).owned())
    }

    /// Hands out what was picked, and keeps only the batches still being read.
    fn flush(&mut self, each: &mut dyn FnMut(RecordBatch) -> Result<()>) -> Result<()> {
        if !self.picked.is_empty() {
            let held: Vec<&RecordBatch> = self.held.iter().collect();
            let batch = interleave_record_batch(&held, &self.picked)
                .map_err(StoreError::columns(&self.sorter.table, "sorted"))?;
            self.picked.clear();
            each(batch)?;
        }
        let mut kept = Vec::new();
        for it in &mut self.cursors {
            if let Some(batch) = self.held.get(it.held) {
                let place = kept.len();
                kept.push(batch.clone());
                it.held = place;
            }
        }
        self.held = kept;
        Ok(())
    }
}

/// Hands out the rows of several sorted runs in order.
pub(super) fn merge(
    sorter: &Sorter,
    mut runs: Vec<Batches>,
    each: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    if runs.len() <= 1 {
        for batch in runs.pop().into_iter().flatten() {
            each(batch?)?;
        }
        return Ok(());
    }
    let empty = || sorter.converter.empty_rows(0, 0);
    let cursors = runs
        .into_iter()
        .map(|batches| Cursor { batches, rows: empty(), held: usize::MAX, at: 0, count: 0 })
        .collect();
    let mut merge = Merge { sorter, cursors, held: Vec::new(), picked: Vec::new() };
    let mut heap: BinaryHeap<Reverse<(OwnedRow, usize)>> = BinaryHeap::new();
    for cursor in 0..merge.cursors.len() {
        if merge.load(cursor)? {
            heap.extend(merge.head(cursor).map(|row| Reverse((row, cursor))));
        }
    }
    while let Some(Reverse((_, cursor))) = heap.pop() {
        if let Some(it) = merge.cursors.get(cursor) {
            merge.picked.push((it.held, it.at));
        }
        let more = merge.step(cursor)?;
        if !more && let Some(it) = merge.cursors.get_mut(cursor) {
            it.count = 0;
        }
        if more {
            heap.extend(merge.head(cursor).map(|row| Reverse((row, cursor))));
        }
        if merge.picked.len() >= OUT_ROWS {
            merge.flush(each)?;
        }
    }
    merge.flush(each)
}
