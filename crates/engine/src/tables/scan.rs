//! Reading objects: Parquet row groups to batches in the columns of SQL, with only the columns asked
//! for, and only rows that stand. It must never hold more than a row group's batch at a time, except
//! where a caller asks for a whole table in order.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, Int16Array, Int64Array, RecordBatch, RecordBatchOptions,
    },
    compute::{
        SortColumn, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch,
    },
    datatypes::SchemaRef,
};
use backstay_evidence::{RowRef, Segment, manifest::ObjectBody, schema};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{
        ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
        ParquetRecordBatchReaderBuilder,
    },
};

use super::{
    TableRows, evolve,
    fold::SystemRow,
    standing::{RowKey, SegmentRows},
};
use crate::error::EngineError;

/// One row group of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub segment: usize,
    pub group: usize,
}

/// How a table is cut up for reading. It must not change any answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Streams read side by side.
    pub partitions: usize,
    /// Rows in a batch.
    pub batch_rows: usize,
}

pub(super) fn broken(table: &TableRows, segment: usize, message: impl ToString) -> EngineError {
    let digest = table.segments.get(segment).map(|segment| segment.digest);
    EngineError::Object {
        digest: digest.unwrap_or(backstay_evidence::Digest([0; 32])),
        table: table.definition.name.clone(),
        message: message.to_string(),
    }
}

type Builder = ParquetRecordBatchReaderBuilder<backstay_evidence::manifest::ObjectBody>;

/// The body of an object.
pub(super) fn body(table: &TableRows, segment: usize) -> Result<ObjectBody, EngineError> {
    let wrong = |message: String| broken(table, segment, message);
    let digest = table.segments.get(segment).map(|segment| segment.digest);
    let digest = digest.ok_or_else(|| wrong("no such object".to_owned()))?;
    table.source.open(digest).map_err(|error| wrong(error.to_string()))
}

/// What an object says of itself; read once.
pub(super) fn metadata(
    table: &TableRows,
    segment: usize,
) -> Result<ArrowReaderMetadata, EngineError> {
    let wrong = |message: String| broken(table, segment, message);
    let held = table.heads.get(segment).ok_or_else(|| wrong("no such object".to_owned()))?;
    if let Some(known) = held.get() {
        return Ok(known.clone());
    }
    let body = body(table, segment)?;
    let options = ArrowReaderOptions::new();
    let read =
        ArrowReaderMetadata::load(&body, options).map_err(|error| wrong(error.to_string()))?;
    Ok(held.get_or_init(|| read).clone())
}

fn open(table: &TableRows, segment: usize) -> Result<Builder, EngineError> {
    let metadata = metadata(table, segment)?;
    let body = body(table, segment)?;
    Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(body, metadata))
}

/// The row groups of every object of which something stands, in the order of the manifest.
pub(super) fn units(table: &TableRows) -> Result<Vec<Unit>, EngineError> {
    let mut found = Vec::new();
    for (segment, rows) in table.folded()?.iter().enumerate() {
        if !rows.none {
            let groups = metadata(table, segment)?.metadata().num_row_groups();
            found.extend((0..groups).map(|group| Unit { segment, group }));
        }
    }
    Ok(found)
}

/// Calls back for every row of an object with what decides about it.
pub(super) fn system_rows(
    table: &TableRows,
    segment: usize,
    mut row: impl FnMut(SystemRow),
) -> Result<(), EngineError> {
    let builder = open(table, segment)?;
    let version = table.definition.columns.iter().any(|column| column.name == "version");
    let mut names = vec![
        schema::ROW,
        schema::ITEM,
        schema::SEQ,
        schema::ENTRY,
        schema::ROOT_REF,
        schema::ROOT_ITEM,
        schema::DELETED,
    ];
    if version {
        names.push("version");
    }
    let object = builder.schema().clone();
    let places = names.iter().filter_map(|name| object.index_of(name).ok());
    let mask = ProjectionMask::roots(builder.parquet_schema(), places);
    let wrong = |message: String| broken(table, segment, message);
    let reader = builder.with_projection(mask).build().map_err(|error| wrong(error.to_string()))?;
    for batch in reader {
        let batch = batch.map_err(|error| wrong(error.to_string()))?;
        let columns = SystemColumns::new(table, segment, &batch).map_err(wrong)?;
        for n in 0..batch.num_rows() {
            row(columns.row(n).map_err(wrong)?);
        }
    }
    Ok(())
}

/// The columns of a batch that name its rows and decide about them.
pub(super) struct SystemColumns {
    record: Int64Array,
    item: Option<Int16Array>,
    /// Of a merged object, where they differ from row to row.
    seqs: Option<Int64Array>,
    entries: Option<Int64Array>,
    /// Of any other.
    seq: u64,
    entry: u32,
    root: Option<Int64Array>,
    root_item: Option<Int16Array>,
    deleted: Option<BooleanArray>,
    version: Option<Int64Array>,
}

fn down<T: Array + Clone + 'static>(batch: &RecordBatch, name: &str) -> Option<T> {
    batch.column_by_name(name)?.as_any().downcast_ref::<T>().cloned()
}

impl SystemColumns {
    /// A column that the batch does not hold answers 0 or none.
    pub(super) fn new(
        table: &TableRows,
        segment: usize,
        batch: &RecordBatch,
    ) -> Result<Self, String> {
        let missing = |name: &str| format!("it has no column `{name}`");
        let held = table.segments.get(segment);
        let merged = held.is_some_and(Segment::is_merged);
        let (seq, entry) = held.map_or((0, 0), |held| (held.seq, held.entry));
        let entry = u32::try_from(entry).map_err(|_| format!("entry `{entry}` is out of range"))?;
        let of_rows = |name: &str| match merged {
            true => down(batch, name).ok_or_else(|| missing(name)).map(Some),
            false => Ok(None),
        };
        Ok(Self {
            record: down(batch, schema::ROW).ok_or_else(|| missing(schema::ROW))?,
            item: down(batch, schema::ITEM),
            seqs: of_rows(schema::SEQ)?,
            entries: of_rows(schema::ENTRY)?,
            seq,
            entry,
            root: down(batch, schema::ROOT_REF),
            root_item: down(batch, schema::ROOT_ITEM),
            deleted: down(batch, schema::DELETED),
            version: down(batch, "version"),
        })
    }

    fn record(&self, n: usize) -> Result<u32, String> {
        let record = self.record.value(n);
        u32::try_from(record).map_err(|_| format!("`{record}` is no record number"))
    }

    fn seq(&self, n: usize) -> Result<u64, String> {
        let Some(seqs) = &self.seqs else { return Ok(self.seq) };
        let seq = seqs.value(n);
        u64::try_from(seq).map_err(|_| format!("`{seq}` is no sequence"))
    }

    fn entry(&self, n: usize) -> Result<u32, String> {
        let Some(entries) = &self.entries else { return Ok(self.entry) };
        let entry = entries.value(n);
        u32::try_from(entry).map_err(|_| format!("entry `{entry}` is out of range"))
    }

    /// What names a row.
    pub(super) fn key(&self, n: usize) -> Result<RowKey, String> {
        let item = self.item.as_ref().map_or(0, |item| item.value(n));
        Ok(RowKey { seq: self.seq(n)?, entry: self.entry(n)?, record: self.record(n)?, item })
    }

    /// The packed reference of each row.
    pub(super) fn refs(&self) -> Result<Vec<i64>, String> {
        (0..self.record.len())
            .map(|n| Ok(RowRef { entry: self.entry(n)?, record: self.record(n)? }.pack()))
            .collect()
    }

    /// The sequence of each row.
    fn seqs(&self) -> Result<ArrayRef, String> {
        if let Some(seqs) = &self.seqs {
            return Ok(Arc::new(seqs.clone()));
        }
        let seq = i64::try_from(self.seq)
            .map_err(|_| format!("sequence `{}` is out of range", self.seq))?;
        Ok(Arc::new(Int64Array::from(vec![seq; self.record.len()])))
    }

    /// Which rows stand; none when all do.
    pub(super) fn standing(&self, rows: &SegmentRows) -> Result<Option<BooleanArray>, String> {
        if rows.all_stand() {
            return Ok(None);
        }
        let stands = (0..self.record.len()).map(|n| Ok(rows.stands(self.key(n)?)));
        let stands = stands.collect::<Result<Vec<bool>, String>>()?;
        Ok(Some(BooleanArray::from(stands)))
    }

    fn row(&self, n: usize) -> Result<SystemRow, String> {
        let root = self.root.as_ref().filter(|root| root.is_valid(n)).map(|root| {
            let item = self.root_item.as_ref().filter(|item| item.is_valid(n));
            (root.value(n), item.map_or(0, |item| item.value(n)))
        });
        Ok(SystemRow {
            key: self.key(n)?,
            root,
            deleted: self.deleted.as_ref().is_some_and(|deleted| deleted.value(n)),
            version: self.version.as_ref().filter(|v| v.is_valid(n)).map_or(0, |v| v.value(n)),
        })
    }
}

/// The system columns that reading needs: the record always, the rest where rows of the object may
/// have fallen or are named one by one.
pub(super) fn system_names(
    table: &TableRows,
    segment: usize,
    rows: &SegmentRows,
) -> Vec<&'static str> {
    let mut names = vec![schema::ROW];
    if !rows.all_stand() {
        names.push(schema::ITEM);
    }
    if table.segments.get(segment).is_some_and(Segment::is_merged) {
        names.extend([schema::SEQ, schema::ENTRY]);
    }
    names
}

/// Reads one object, or one row group of it, in the columns asked for.
pub(super) struct UnitReader {
    table: Arc<TableRows>,
    segment: usize,
    reader: ParquetRecordBatchReader,
    rows: SegmentRows,
    schema: SchemaRef,
    /// For each column asked for: what it is.
    columns: Vec<Wanted>,
    with_item: bool,
}

#[derive(Debug, Clone)]
enum Wanted {
    /// A value column, by its name in the object when it is there.
    Value(Option<String>),
    Ref,
    Seq,
}

impl UnitReader {
    /// `projection` counts in the columns of SQL. With `with_item`, batches carry `_item` last.
    pub(super) fn new(
        table: &Arc<TableRows>,
        segment: usize,
        group: Option<usize>,
        projection: &[usize],
        batch_rows: usize,
        with_item: bool,
    ) -> Result<Self, EngineError> {
        let wrong = |message: String| broken(table, segment, message);
        let builder = open(table, segment)?;
        let object = builder.schema().clone();
        let map = evolve::ColumnMap::new(&table.definition, &object);
        let mut columns = Vec::new();
        for place in projection {
            let field = table.schema.fields().get(*place);
            let name = field.map(|field| field.name().as_str());
            columns.push(match name {
                Some(schema::REF) => Wanted::Ref,
                Some(schema::SEQ) => Wanted::Seq,
                _ => {
                    let found = map.0.get(*place).copied().flatten();
                    let field = found.and_then(|found| object.fields().get(found));
                    Wanted::Value(field.map(|field| field.name().clone()))
                }
            });
        }
        let rows = table.folded()?.get(segment).cloned().unwrap_or_default();
        let mut system = system_names(table, segment, &rows);
        if with_item {
            system.push(schema::ITEM);
        }
        let mut places: Vec<usize> =
            system.iter().filter_map(|name| object.index_of(name).ok()).collect();
        for column in &columns {
            if let Wanted::Value(Some(name)) = column {
                places.extend(object.index_of(name).ok());
            }
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), places);
        let mut builder = builder.with_projection(mask).with_batch_size(batch_rows.max(1));
        if let Some(group) = group {
            builder = builder.with_row_groups(vec![group]);
        }
        let reader = builder.build().map_err(|error| wrong(error.to_string()))?;
        let mut fields = Vec::new();
        for place in projection {
            fields.extend(table.schema.fields().get(*place).cloned());
        }
        if with_item {
            let item = arrow::datatypes::Field::new(
                schema::ITEM,
                arrow::datatypes::DataType::Int16,
                false,
            );
            fields.push(Arc::new(item));
        }
        Ok(Self {
            table: table.clone(),
            segment,
            reader,
            rows,
            schema: Arc::new(arrow::datatypes::Schema::new(fields)),
            columns,
            with_item,
        })
    }

    fn present(&self, batch: &RecordBatch) -> Result<RecordBatch, String> {
        let system = SystemColumns::new(&self.table, self.segment, batch)?;
        let count = batch.num_rows();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len() + 1);
        for (wanted, field) in self.columns.iter().zip(self.schema.fields()) {
            arrays.push(match wanted {
                Wanted::Value(name) => {
                    let found = name.as_ref().and_then(|name| batch.column_by_name(name));
                    evolve::present(found, field, count)?
                }
                Wanted::Ref => Arc::new(Int64Array::from(system.refs()?)),
                Wanted::Seq => system.seqs()?,
            });
        }
        if self.with_item {
            let item = system.item.clone();
            let item = item.ok_or_else(|| format!("it has no column `{}`", schema::ITEM))?;
            arrays.push(Arc::new(item));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let rows = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
            .map_err(|error| error.to_string())?;
        match system.standing(&self.rows)? {
            None => Ok(rows),
            Some(keep) => filter_record_batch(&rows, &keep).map_err(|error| error.to_string()),
        }
    }
}

impl Iterator for UnitReader {
    type Item = Result<RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.reader.next()? {
            Ok(batch) => self.present(&batch),
            Err(error) => Err(error.to_string()),
        };
        Some(batch.map_err(|message| broken(&self.table, self.segment, message)))
    }
}

/// Every row that stands as one batch, ordered by record of the source and item. None without rows.
pub(super) fn read_in_order(table: &Arc<TableRows>) -> Result<Option<RecordBatch>, EngineError> {
    let all: Vec<usize> = (0..table.schema.fields().len()).collect();
    let mut batches = Vec::new();
    for (segment, rows) in table.folded()?.iter().enumerate() {
        if !rows.none {
            for batch in UnitReader::new(table, segment, None, &all, 64 * 1024, true)? {
                batches.push(batch?);
            }
        }
    }
    let Some(first) = batches.first() else { return Ok(None) };
    let wrong = |error: arrow::error::ArrowError| broken(table, 0, error);
    let rows = concat_batches(&first.schema(), &batches).map_err(wrong)?;
    drop(batches);
    let key = |name: &str| rows.column_by_name(name).cloned();
    let keys: Vec<SortColumn> = [schema::REF, schema::ITEM, schema::SEQ]
        .into_iter()
        .filter_map(key)
        .map(|values| SortColumn { values, options: None })
        .collect();
    let order = lexsort_to_indices(&keys, None).map_err(wrong)?;
    let rows = take_record_batch(&rows, &order).map_err(wrong)?;
    rows.project(&all).map(Some).map_err(wrong)
}
