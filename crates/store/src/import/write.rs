//! Writes what is new of a group as one sorted Parquet object. Owns the bytes of typed objects:
//! equal rows give equal bytes, wherever and whenever they are written.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, mpsc::sync_channel},
    thread,
};

use arrow::{
    array::{
        Array as _, ArrayRef, AsArray as _, BooleanArray, Int16Array, Int64Array, UInt32Array,
    },
    compute::{filter_record_batch, take_record_batch},
    datatypes::{Int16Type, Int64Type, SchemaRef, TimestampMicrosecondType, UInt32Type},
    record_batch::RecordBatch,
};
use backstay_evidence::{RowRef, Segment, fingerprint::FINGERPRINT, schema, vocabulary::Table};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
    },
    schema::types::ColumnPath,
};

use super::{
    collect::{Group, ORDINAL},
    existing::{Origins, RowReader, column},
    resolve::{Decisions, OldRow, Root, Verdict},
    run::{Batches, Sorter, merge},
};
use crate::{
    backend::{Backend, Staged},
    error::{Result, StoreError},
    payload::{ObjectNote, Role},
};

/// Rows of a row group.
const ROW_GROUP: usize = 131_072;
/// Batches that wait to be encoded.
const ENCODED_LATER: usize = 8;
/// `_item`s from here on set rows apart whose record and item another fact already goes by.
const NEXT_ITEM: i16 = 16_384;

/// A typed object being written.
pub(super) struct ObjectWriter {
    writer: ArrowWriter<Staged>,
    table: String,
    occurred: Option<String>,
    rows: u64,
    later: u64,
    range: Option<(i64, i64)>,
}

impl ObjectWriter {
    pub(super) fn new(
        backend: &dyn Backend,
        table: &Table,
        vocabulary_digest: &str,
    ) -> Result<Self> {
        let level = ZstdLevel::try_new(1).map_err(StoreError::columns(&table.name, "written"))?;
        let named = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by("backstay".to_owned())
            .set_key_value_metadata(Some(vec![
                named("backstay.table", &table.name),
                named("backstay.vocabulary", vocabulary_digest),
            ]));
        for name in different_in_each_row(table) {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
        let properties = properties.build();
        let schema: SchemaRef = Arc::new(schema::object_schema(table));
        let writer = ArrowWriter::try_new(backend.stage()?, schema, Some(properties))
            .map_err(StoreError::columns(&table.name, "written"))?;
        Ok(Self {
            writer,
            table: table.name.clone(),
            occurred: table.occurred.clone(),
            rows: 0,
            later: 0,
            range: None,
        })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        if let Some(roots) = batch.column_by_name(schema::ROOT_REF) {
            self.later += (roots.len() - roots.null_count()) as u64;
        }
        let instants = self.occurred.as_deref().and_then(|name| batch.column_by_name(name));
        if let Some(instants) =
            instants.and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
        {
            for instant in instants.iter().flatten() {
                self.range = Some(match self.range {
                    Some((first, last)) => (first.min(instant), last.max(instant)),
                    None => (instant, instant),
                });
            }
        }
        self.writer.write(batch).map_err(StoreError::columns(&self.table, "written"))
    }

    /// Makes the object durable; nothing when it has no row.
    pub(super) fn finish(
        self,
        backend: &dyn Backend,
        role: Role,
        arrangement_id: &str,
    ) -> Result<Option<ObjectNote>> {
        if self.rows == 0 {
            return Ok(None);
        }
        let failed = StoreError::columns(&self.table, "written");
        let staged = self.writer.into_inner().map_err(failed)?;
        Ok(Some(ObjectNote {
            digest: backend.put_object(staged)?,
            role,
            table: self.table,
            arrangement_id: arrangement_id.to_owned(),
            rows: self.rows,
            later_versions: self.later,
            occurred_us: self.range,
        }))
    }
}

/// Columns of which hardly two rows have the same value: a dictionary of them costs time to make
/// and is no smaller than they are.
fn different_in_each_row(table: &Table) -> Vec<String> {
    let mut names = vec![schema::ROW.to_owned(), schema::CONTENT.to_owned()];
    names.extend(table.source_id.clone());
    names.extend(table.occurred.clone());
    if table.name == FINGERPRINT {
        names.extend(["wall", "relative"].map(str::to_owned));
    }
    names
}

/// What writing a group needs to know.
pub(super) struct WriteGroup<'a> {
    pub(super) backend: &'a dyn Backend,
    pub(super) group: &'a Group,
    pub(super) decisions: &'a Decisions,
    /// Segments that were scanned, for the rows that a full load withdraws.
    pub(super) segments: &'a [Segment],
    /// Entry that the file's own rows are referred to by.
    pub(super) entry: u32,
    pub(super) role: Role,
    pub(super) vocabulary_digest: &'a str,
}

/// Writes the new rows, the later versions and the withdrawals of a group. Of rejections and
/// fingerprints it writes all: each file's own are kept, for only its record numbers lead to the
/// lines, and equal words do not make two rejected records one.
pub(super) fn write_group(work: &WriteGroup<'_>) -> Result<Option<ObjectNote>> {
    let table = &work.group.table;
    let mut writer = ObjectWriter::new(work.backend, table, work.vocabulary_digest)?;
    let schema: SchemaRef = Arc::new(schema::object_schema(table));
    let chosen = Arc::new(Chosen::of(work));
    let mut runs: Vec<Batches> = Vec::new();
    for run in work.group.runs(None)? {
        let (chosen, schema) = (Arc::clone(&chosen), Arc::clone(&schema));
        let table = table.clone();
        runs.push(Box::new(run.map(move |batch| chosen.stored(&table, &schema, &batch?))));
    }
    let withdrawn = withdrawn_rows(work, &schema)?;
    if !withdrawn.is_empty() {
        let sorter = Sorter::new(table)?;
        runs.push(sorter.sort(withdrawn)?.batches(None)?);
    }
    // Rows are merged here and encoded in a thread of their own.
    let writer = thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<RecordBatch>(ENCODED_LATER);
        let encoding = scope.spawn(move || {
            receiver.into_iter().try_for_each(|batch| writer.write(&batch)).map(|()| writer)
        });
        let merged = merge(&work.group.sorter, runs, &mut |batch| {
            // The thread takes no more when it failed, and then its error is told.
            sender.send(batch).map_err(|_| StoreError::Columns {
                table: table.name.clone(),
                doing: "written",
                message: "the writer has ended".to_owned(),
            })
        });
        drop(sender);
        match encoding.join() {
            Ok(encoded) => encoded.and_then(|writer| merged.map(|()| writer)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    writer.finish(work.backend, work.role, &work.group.arrangement_id)
}

/// Which rows are written, and as versions of what. Owned, so that runs can be read lazily.
struct Chosen {
    /// By ordinal.
    keep: Vec<bool>,
    roots: BTreeMap<u32, (i64, i16)>,
    taken: BTreeSet<(u32, i16)>,
}

impl Chosen {
    fn of(work: &WriteGroup<'_>) -> Self {
        let whole = work.role != Role::Rows;
        let keep = (0..work.group.rows)
            .map(|n| match work.decisions.verdict(n) {
                Verdict::Insert | Verdict::Version => true,
                Verdict::Known => whole,
                Verdict::Reject => false,
            })
            .collect();
        if whole {
            return Self { keep, roots: BTreeMap::new(), taken: BTreeSet::new() };
        }
        let pack = |root: &Root| match root {
            Root::Stored(row, item) => (*row, *item),
            Root::Here(record, item) => {
                let item = apart(&work.decisions.taken, *record, *item);
                (RowRef { entry: work.entry, record: *record }.pack(), item)
            }
        };
        let roots = work.decisions.roots.iter().map(|(n, root)| (*n, pack(root))).collect();
        Self { keep, roots, taken: work.decisions.taken.clone() }
    }

    /// The rows of a batch that are written, in the shape of an object.
    fn stored(
        &self,
        table: &Table,
        schema: &SchemaRef,
        batch: &RecordBatch,
    ) -> Result<RecordBatch> {
        let failed = |error| StoreError::columns(&table.name, "written")(error);
        let ordinals = column(table, batch, ORDINAL)?.as_primitive::<UInt32Type>();
        let kept = |n: &u32| self.keep.get(*n as usize).copied().unwrap_or(false);
        let first = self.roots.is_empty() && self.taken.is_empty();
        if first && ordinals.values().iter().all(kept) {
            // Nothing but new facts: the rows are written as they came.
            let columns = schema.fields().iter().map(|field| {
                let column = column(table, batch, field.name());
                column.map(Arc::clone)
            });
            let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
            return RecordBatch::try_new(Arc::clone(schema), columns).map_err(failed);
        }
        let keep: BooleanArray = ordinals.values().iter().map(|n| Some(kept(n))).collect();
        let kept = filter_record_batch(batch, &keep).map_err(failed)?;
        let ordinals = column(table, &kept, ORDINAL)?.as_primitive::<UInt32Type>();
        let records = column(table, &kept, schema::ROW)?.as_primitive::<Int64Type>();
        let items = column(table, &kept, schema::ITEM)?.as_primitive::<Int16Type>();
        let root = |n: &u32| self.roots.get(n).copied();
        let root_refs: Int64Array =
            ordinals.values().iter().map(|n| root(n).map(|(row, _)| row)).collect();
        let root_items: Int16Array =
            ordinals.values().iter().map(|n| root(n).map(|(_, item)| item)).collect();
        let set_apart: Int16Array = records
            .values()
            .iter()
            .zip(items.values())
            .zip(ordinals.values())
            .map(|((record, item), n)| {
                let record = u32::try_from(*record).unwrap_or_default();
                let first = root(n).is_none();
                Some(if first { apart(&self.taken, record, *item) } else { *item })
            })
            .collect();
        let columns: Vec<ArrayRef> = schema
            .fields()
            .iter()
            .map(|field| match field.name().as_str() {
                schema::ROOT_REF => Ok(Arc::new(root_refs.clone()) as ArrayRef),
                schema::ROOT_ITEM => Ok(Arc::new(root_items.clone()) as ArrayRef),
                schema::ITEM => Ok(Arc::new(set_apart.clone()) as ArrayRef),
                name => column(table, &kept, name).map(Arc::clone),
            })
            .collect::<Result<_>>()?;
        RecordBatch::try_new(Arc::clone(schema), columns).map_err(failed)
    }
}

/// The item that a first version goes by: its own, or the next one that no other fact goes by.
fn apart(taken: &BTreeSet<(u32, i16)>, record: u32, item: i16) -> i16 {
    if !taken.contains(&(record, item)) {
        return item;
    }
    let mut next = NEXT_ITEM.saturating_add(item);
    while taken.contains(&(record, next)) && next < i16::MAX {
        next += 1;
    }
    next
}

/// The rows that a full load withdraws: what stood, marked as deleted, with record 0 (the file as
/// a whole says so).
fn withdrawn_rows(work: &WriteGroup<'_>, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
    let table = &work.group.table;
    let failed = |error| StoreError::columns(&table.name, "written")(error);
    let mut by_segment: BTreeMap<u32, BTreeMap<(u64, u32, i16), OldRow>> = BTreeMap::new();
    for row in &work.decisions.withdrawn {
        by_segment.entry(row.segment).or_default().insert((row.seq, row.record, row.item), *row);
    }
    let mut found = Vec::new();
    for (place, rows) in by_segment {
        let Some(segment) = work.segments.get(place as usize) else { continue };
        for batch in RowReader::open(work.backend, segment, table, None)? {
            let batch = batch?;
            let records = column(table, &batch, schema::ROW)?.as_primitive::<Int64Type>();
            let items = column(table, &batch, schema::ITEM)?.as_primitive::<Int16Type>();
            let root_refs = column(table, &batch, schema::ROOT_REF)?.as_primitive::<Int64Type>();
            let root_items = column(table, &batch, schema::ROOT_ITEM)?.as_primitive::<Int16Type>();
            let origins = Origins::of(segment, &batch);
            let mut places = Vec::new();
            let mut roots = Vec::new();
            for at in 0..batch.num_rows() {
                let record = u32::try_from(records.value(at)).unwrap_or_default();
                let Some(old) = rows.get(&(origins.at(at).0, record, items.value(at))) else {
                    continue;
                };
                // Earlier withdrawals all have record 0: their root tells them apart.
                let here = if root_refs.is_valid(at) && root_items.is_valid(at) {
                    (root_refs.value(at), root_items.value(at))
                } else {
                    (old.root_ref, old.root_item)
                };
                if here == (old.root_ref, old.root_item) {
                    places.push(u32::try_from(at).unwrap_or(u32::MAX));
                    roots.push((old.root_ref, old.root_item));
                }
            }
            let taken = take_record_batch(&batch, &UInt32Array::from(places)).map_err(failed)?;
            let count = taken.num_rows();
            let columns: Vec<ArrayRef> = schema
                .fields()
                .iter()
                .map(|field| {
                    let made: ArrayRef = match field.name().as_str() {
                        schema::ROW => Arc::new(Int64Array::from(vec![0; count])),
                        schema::ITEM => Arc::new(Int16Array::from(vec![0; count])),
                        schema::ROOT_REF => {
                            Arc::new(Int64Array::from_iter_values(roots.iter().map(|r| r.0)))
                        }
                        schema::ROOT_ITEM => {
                            Arc::new(Int16Array::from_iter_values(roots.iter().map(|r| r.1)))
                        }
                        schema::DELETED => Arc::new(BooleanArray::from(vec![true; count])),
                        name => Arc::clone(column(table, &taken, name)?),
                    };
                    Ok(made)
                })
                .collect::<Result<_>>()?;
            found.push(RecordBatch::try_new(Arc::clone(schema), columns).map_err(failed)?);
        }
    }
    Ok(found)
}
