//! Sorting rows on disk: batches are sorted into runs, runs are merged by sort key. Owns temporary
//! files and their order; never drops or changes a row.

use std::{
    fs::File,
    io::{BufReader, BufWriter},
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, new_null_array},
    compute::interleave,
    datatypes::SchemaRef,
    error::ArrowError,
    ipc::{reader::StreamReader, writer::StreamWriter},
    record_batch::RecordBatch,
    row::{Row, RowConverter, Rows, SortField},
};
use backstay_evidence::{schema, vocabulary::Table};

use crate::{
    disk,
    error::{Result, StoreError},
};

/// Rows handed out at once, from memory, from a run or by a merge.
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

    /// The rows of some batches in order. Nothing is copied before they are taken.
    pub(super) fn sort(&self, batches: Vec<RecordBatch>) -> Result<Sorted> {
        let mut rows = Vec::with_capacity(batches.len());
        for batch in &batches {
            rows.push(self.rows(batch)?);
        }
        // Most rows differ within a few bytes after those that all have in common: eight of them
        // stand beside the place, so that the rest is looked at only when these are equal.
        let shared = shared_prefix(&rows);
        let mut order = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
        for (batch, rows) in (0_u32..).zip(&rows) {
            for (at, row) in (0_u32..).zip(rows) {
                order.push((leading(row.data().get(shared..).unwrap_or_default()), batch, at));
            }
        }
        let whole = |(_, batch, at): &(u64, u32, u32)| {
            rows.get(*batch as usize).map(|rows| rows.row(*at as usize))
        };
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| whole(a).cmp(&whole(b))));
        let order = order.into_iter().map(|(_, batch, at)| (batch, at)).collect();
        Ok(Sorted { batches, order: Arc::new(order), table: self.table.clone() })
    }
}

/// How many bytes all rows begin with alike.
fn shared_prefix(rows: &[Rows]) -> usize {
    let mut all = rows.iter().flatten();
    let Some(first) = all.next() else { return 0 };
    let first = first.data();
    let alike = |other: &[u8], length: usize| {
        first.iter().zip(other).take(length).take_while(|(a, b)| a == b).count()
    };
    all.fold(first.len(), |length, row| alike(row.data(), length))
}

/// The first eight bytes as a number that sorts as they do; what is missing is zero.
fn leading(bytes: &[u8]) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(head)
}

/// Rows in memory, and their order.
#[derive(Clone)]
pub(super) struct Sorted {
    batches: Vec<RecordBatch>,
    order: Arc<Vec<(u32, u32)>>,
    table: String,
}

impl Sorted {
    /// The rows in their order, in batches of a size; only some columns, by number, when wanted.
    pub(super) fn batches(&self, columns: Option<&[usize]>) -> Result<Batches> {
        let failed = |error| StoreError::columns(&self.table, "sorted")(error);
        let mut batches = Vec::with_capacity(self.batches.len());
        for batch in &self.batches {
            batches.push(match columns {
                Some(columns) => batch.project(columns).map_err(failed)?,
                None => batch.clone(),
            });
        }
        let (order, table) = (Arc::clone(&self.order), self.table.clone());
        let starts = (0..order.len()).step_by(OUT_ROWS);
        Ok(Box::new(starts.map(move |start| {
            let held: Vec<&RecordBatch> = batches.iter().collect();
            let end = order.len().min(start + OUT_ROWS);
            let picked = order.get(start..end).unwrap_or_default();
            let places: Vec<(usize, usize)> =
                picked.iter().map(|(batch, at)| (*batch as usize, *at as usize)).collect();
            gather(&held, &places).map_err(StoreError::columns(&table, "sorted"))
        })))
    }
}

/// Picks rows out of batches. A column without any value, of which evidence has many, is not copied
/// row by row.
fn gather(
    batches: &[&RecordBatch],
    places: &[(usize, usize)],
) -> std::result::Result<RecordBatch, ArrowError> {
    let Some(schema) = batches.first().map(|batch| batch.schema()) else {
        return Err(ArrowError::InvalidArgumentError("there is no batch".to_owned()));
    };
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        let arrays: Vec<&dyn Array> =
            batches.iter().filter_map(|batch| Some(batch.columns().get(at)?.as_ref())).collect();
        columns.push(match arrays.iter().all(|array| array.null_count() == array.len()) {
            true => new_null_array(field.data_type(), places.len()),
            false => interleave(&arrays, places)?,
        });
    }
    RecordBatch::try_new(schema, columns)
}

/// Writes sorted rows to a temporary file, as they lie in memory: it lives for one import.
pub(super) fn write_run(path: &Path, sorted: &Sorted, schema: &SchemaRef) -> Result<()> {
    let failed = |error| StoreError::columns(&sorted.table, "written")(error);
    let file = disk::Output::create_new(path).map_err(StoreError::io(path))?;
    let file = BufWriter::with_capacity(1 << 20, file);
    let mut writer = StreamWriter::try_new(file, schema).map_err(failed)?;
    for batch in sorted.batches(None)? {
        writer.write(&batch?).map_err(failed)?;
    }
    writer.finish().map_err(failed)
}

/// Reads a run back in its order; only some columns, by number, when wanted.
pub(super) fn read_run(path: &Path, columns: Option<&[usize]>, table: &str) -> Result<Batches> {
    let file = File::open(path).map_err(StoreError::io(path))?;
    let reader = StreamReader::try_new(BufReader::new(file), columns.map(<[usize]>::to_vec))
        .map_err(StoreError::columns(table, "read"))?;
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

    /// The row that a run stands at.
    fn head(&self, cursor: usize) -> Option<Row<'_>> {
        self.cursors.get(cursor).filter(|it| it.at < it.count).map(|it| it.rows.row(it.at))
    }

    /// Whether the row of one run goes before that of another.
    fn precedes(&self, one: usize, other: usize) -> bool {
        (self.head(one), one) < (self.head(other), other)
    }

    /// Takes the row of a run, and goes on in it; false: it was the last.
    fn take(&mut self, cursor: usize) -> Result<bool> {
        if let Some(it) = self.cursors.get_mut(cursor) {
            self.picked.push((it.held, it.at));
        }
        let more = self.step(cursor)?;
        if !more && let Some(it) = self.cursors.get_mut(cursor) {
            it.count = 0;
        }
        Ok(more)
    }

    /// Lets the first of a heap of runs sink to its place.
    fn sink(&self, heap: &mut [usize]) {
        let mut at = 0;
        loop {
            let below = [2 * at + 1, 2 * at + 2];
            let better = |best: usize, place: &usize| match (heap.get(*place), heap.get(best)) {
                (Some(one), Some(other)) if self.precedes(*one, *other) => *place,
                _ => best,
            };
            let best = below.iter().fold(at, better);
            if best == at {
                return;
            }
            heap.swap(at, best);
            at = best;
        }
    }

    /// The run whose row is next after those of the first.
    fn rival(&self, heap: &[usize]) -> Option<usize> {
        match (heap.get(1), heap.get(2)) {
            (Some(one), Some(other)) if self.precedes(*other, *one) => Some(*other),
            (one, _) => one.copied(),
        }
    }

    /// Hands out what was picked, and keeps only the batches still being read.
    fn flush(&mut self, each: &mut dyn FnMut(RecordBatch) -> Result<()>) -> Result<()> {
        if !self.picked.is_empty() {
            let held: Vec<&RecordBatch> = self.held.iter().collect();
            let batch = gather(&held, &self.picked)
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
    let mut heap: Vec<usize> = Vec::new();
    for cursor in 0..merge.cursors.len() {
        if merge.load(cursor)? {
            heap.push(cursor);
        }
    }
    heap.sort_by(|a, b| (merge.head(*a), a).cmp(&(merge.head(*b), b)));
    while let Some(first) = heap.first().copied() {
        // Neighbours mostly come from one run: it goes on until its row is beyond its rival's.
        let rival = merge.rival(&heap);
        loop {
            let more = merge.take(first)?;
            if merge.picked.len() >= OUT_ROWS {
                merge.flush(each)?;
            }
            if !more {
                heap.swap_remove(0);
                break;
            }
            if rival.is_some_and(|rival| merge.precedes(rival, first)) {
                break;
            }
        }
        merge.sink(&mut heap);
    }
    merge.flush(each)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use arrow::{
        array::{AsArray as _, RecordBatchOptions, StringArray},
        datatypes::{Int64Type, Schema},
    };
    use backstay_evidence::Vocabulary;

    use super::*;

    fn batch(schema: &SchemaRef, rows: &[(String, i64)]) -> RecordBatch {
        let columns = schema.fields().iter().map(|field| match field.name().as_str() {
            "team_id" => {
                Arc::new(StringArray::from_iter_values(rows.iter().map(|r| &r.0))) as ArrayRef
            }
            schema::ROW => {
                Arc::new(arrow::array::Int64Array::from_iter_values(rows.iter().map(|r| r.1)))
            }
            _ => new_null_array(field.data_type(), rows.len()),
        });
        let options = RecordBatchOptions::new();
        RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect(), &options).unwrap()
    }

    fn pairs(batch: &RecordBatch) -> Vec<(String, i64)> {
        let names = batch.column_by_name("team_id").unwrap().as_string::<i32>();
        let rows = batch.column_by_name(schema::ROW).unwrap().as_primitive::<Int64Type>();
        (0..batch.num_rows()).map(|at| (names.value(at).to_owned(), rows.value(at))).collect()
    }

    #[test]
    fn rows_come_out_in_order_from_memory_from_files_and_from_both_at_once() {
        let vocabulary = Vocabulary::built_in().unwrap();
        let table = vocabulary.table("team").unwrap();
        let fields = schema::object_schema(table);
        let fields: Vec<_> =
            fields.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let sorter = Sorter::new(table).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let mut state = 1_u64;
        let mut rows = Vec::new();
        for record in 0..30_000_i64 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // Equal names, names that begin alike, and one that is the beginning of another.
            rows.push((
                format!("desk-{:0width$}", state >> 52, width = 1 + (state >> 40) as usize % 12),
                record,
            ));
        }
        let mut runs = Vec::new();
        for (n, part) in rows.chunks(7_001).enumerate() {
            let batches = part.chunks(1_000).map(|rows| batch(&schema, rows)).collect();
            let sorted = sorter.sort(batches).unwrap();
            if n % 2 == 0 {
                runs.push(sorted.batches(None).unwrap());
            } else {
                let path = scratch.path().join(n.to_string());
                write_run(&path, &sorted, &schema).unwrap();
                runs.push(read_run(&path, None, "team").unwrap());
            }
        }
        let mut merged = Vec::new();
        merge(&sorter, runs, &mut |batch| {
            merged.extend(pairs(&batch));
            Ok(())
        })
        .unwrap();
        rows.sort();
        assert!(merged == rows, "rows are lost or out of order");
    }
}
