//! The rows of edits as objects. Edits live in their payloads; those that came last are the tail. A
//! long tail is cut into a merged object now and then, a short one is made into an object when
//! somebody reads, and held in memory. All of this is physical: it can be thrown away, and no
//! identity knows it.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray as _, BooleanArray},
    compute::{concat_batches, filter_record_batch, take_record_batch},
    datatypes::{Int64Type, SchemaRef, TimestampMicrosecondType},
    record_batch::RecordBatch,
    row::{RowConverter, SortField},
};
use backstay_evidence::{RowRef, Segment, schema, vocabulary::Table};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
    },
};

use crate::{
    backend::{Backend as _, Covers, MergedNote, TailNote},
    error::{Result, StoreError},
    import::existing::{RowReader, column},
    index::table_of,
    payload::{self, EditPayload},
    row_text::{TextRow, texts_to_rows},
    workspace::Workspace,
};

/// Rows as one merged object: its bytes, and the segment that describes it.
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    pub(crate) segment: Segment,
}

/// Writes rows as a merged object. Equal rows give equal bytes.
pub(crate) fn write_merged(
    table: &Table,
    arrangement_id: &str,
    rows: &[RecordBatch],
    vocabulary_digest: &str,
) -> Result<Option<Object>> {
    let failed = |error| StoreError::columns(&table.name, "written")(error);
    let schema: SchemaRef = Arc::new(schema::merged_schema(table));
    let whole = concat_batches(&schema, rows).map_err(failed)?;
    if whole.num_rows() == 0 {
        return Ok(None);
    }
    let whole = sorted(table, &whole)?;
    let level = ZstdLevel::try_new(1).map_err(StoreError::columns(&table.name, "written"))?;
    let named = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(131_072))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by("backstay".to_owned())
        .set_key_value_metadata(Some(vec![
            named("backstay.table", &table.name),
            named("backstay.vocabulary", vocabulary_digest),
        ]))
        .build();
    let failed = |error| StoreError::columns(&table.name, "written")(error);
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties)).map_err(failed)?;
    writer.write(&whole).map_err(failed)?;
    let bytes = writer.into_inner().map_err(failed)?;
    let segment = describe(table, arrangement_id, &whole, &bytes)?;
    Ok(Some(Object { bytes, segment }))
}

/// The segment of a merged object.
fn describe(
    table: &Table,
    arrangement_id: &str,
    rows: &RecordBatch,
    bytes: &[u8],
) -> Result<Segment> {
    let seqs = column(table, rows, schema::SEQ)?.as_primitive::<Int64Type>();
    let (mut first, mut last) = (u64::MAX, 0);
    for seq in seqs.values() {
        (first, last) = (first.min(seq.unsigned_abs()), last.max(seq.unsigned_abs()));
    }
    let roots = column(table, rows, schema::ROOT_REF)?;
    let occurred = table.occurred.as_deref().and_then(|name| rows.column_by_name(name));
    let instants = occurred.and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
    let instants: Vec<i64> =
        instants.into_iter().flat_map(|array| array.iter().flatten()).collect();
    Ok(Segment {
        table: table.name.clone(),
        arrangement_id: arrangement_id.to_owned(),
        seq: last,
        first_seq: first,
        entry: last,
        digest: backstay_evidence::Digest::of(bytes),
        rows: rows.num_rows() as u64,
        later_versions: (roots.len() - roots.null_count()) as u64,
        occurred_us: instants.iter().min().copied().zip(instants.iter().max().copied()),
    })
}

/// Rows in the order of their table: its sort columns or its identity, then sequence, record, item.
fn sorted(table: &Table, rows: &RecordBatch) -> Result<RecordBatch> {
    let failed = |error| StoreError::columns(&table.name, "sorted")(error);
    let logical = if table.sort.is_empty() { &table.identity } else { &table.sort };
    let mut keys: Vec<ArrayRef> = Vec::new();
    for name in logical {
        let column = table.columns.iter().find(|column| &column.name == name);
        let first = column.map(schema::fields).unwrap_or_default().into_iter().next();
        keys.extend(first.and_then(|field| rows.column_by_name(field.name()).cloned()));
    }
    for name in [schema::ENTRY, schema::ROW, schema::ITEM, schema::SEQ] {
        keys.push(Arc::clone(column(table, rows, name)?));
    }
    let fields = keys.iter().map(|key| SortField::new(key.data_type().clone())).collect();
    let converter = RowConverter::new(fields).map_err(failed)?;
    let keys = converter.convert_columns(&keys).map_err(failed)?;
    let mut order: Vec<u32> = (0..u32::try_from(rows.num_rows()).unwrap_or(u32::MAX)).collect();
    order.sort_unstable_by(|a, b| keys.row(*a as usize).cmp(&keys.row(*b as usize)));
    take_record_batch(rows, &arrow::array::UInt32Array::from(order)).map_err(failed)
}

/// The rows of an edit in one table and arrangement.
pub(crate) fn edited_rows<'a>(
    seq: u64,
    payload: &'a EditPayload,
    table: &str,
    arrangement_id: &str,
) -> Result<Vec<TextRow<'a>>> {
    let mut rows = Vec::new();
    for (row, record) in payload.rows.iter().zip(1..) {
        if row.table != table || row.arrangement_id != arrangement_id {
            continue;
        }
        let root: Option<RowRef> =
            match &row.root {
                Some(text) => Some(text.parse().map_err(|error| StoreError::Payload {
                    entry: seq,
                    reason: format!("{error}"),
                })?),
                None => None,
            };
        rows.push(TextRow {
            values: &row.values,
            seq,
            entry: seq,
            record,
            item: 0,
            root: root.map(|root| (root, row.root_item)),
            deleted: row.deleted,
        });
    }
    Ok(rows)
}

/// Every row of a segment with the columns of a merged object, those after `last` left out.
pub(crate) fn merged_rows(
    workspace: &Workspace,
    segment: &Segment,
    table: &Table,
    last: u64,
) -> Result<Vec<RecordBatch>> {
    let failed = |error| StoreError::columns(&table.name, "read")(error);
    let schema: SchemaRef = Arc::new(schema::merged_schema(table));
    let mut all = Vec::new();
    for batch in RowReader::open(workspace.backend.as_ref(), segment, table, None)? {
        let batch = batch?;
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let constant = |number: u64| -> ArrayRef {
            Arc::new(arrow::array::Int64Array::from(vec![whole(number); batch.num_rows()]))
        };
        let columns = schema
            .fields()
            .iter()
            .map(|field| match batch.column_by_name(field.name()) {
                Some(found) => Ok(Arc::clone(found)),
                None if field.name() == schema::SEQ => Ok(constant(segment.seq)),
                None if field.name() == schema::ENTRY => Ok(constant(segment.entry)),
                None => column(table, &batch, field.name()).cloned(),
            })
            .collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(failed)?;
        let seqs = column(table, &batch, schema::SEQ)?.as_primitive::<Int64Type>();
        let keep: BooleanArray =
            seqs.values().iter().map(|seq| Some(seq.unsigned_abs() <= last)).collect();
        all.push(filter_record_batch(&batch, &keep).map_err(failed)?);
    }
    Ok(all)
}

impl Workspace {
    /// The payload of an edit.
    pub(crate) fn edit_payload(&self, seq: u64) -> Result<EditPayload> {
        payload::read(&self.stored(seq)?)
    }

    /// The table of that name, or an error that names it.
    pub(crate) fn known_table(&self, name: &str) -> Result<Table> {
        table_of(self.vocabulary(), name).ok_or_else(|| StoreError::Columns {
            table: name.to_owned(),
            doing: "read",
            message: "the vocabulary has no such table: use the release that wrote it".to_owned(),
        })
    }

    /// Edits of one table and arrangement as one object.
    fn object_of(&self, tails: &[TailNote]) -> Result<Option<Object>> {
        let Some(first) = tails.first() else { return Ok(None) };
        let table = self.known_table(&first.table)?;
        let mut payloads = Vec::with_capacity(tails.len());
        for tail in tails {
            payloads.push((tail.seq, self.edit_payload(tail.seq)?));
        }
        let mut rows = Vec::new();
        for (seq, payload) in &payloads {
            rows.extend(edited_rows(*seq, payload, &first.table, &first.arrangement_id)?);
        }
        let batch = texts_to_rows(&table, &rows)?;
        let digest = self.vocabulary().digest().to_string();
        write_merged(&table, &first.arrangement_id, &[batch], &digest)
    }

    /// Objects held in memory with the rows of these edits, which are ordered by table, arrangement
    /// and sequence: one object for each table and arrangement.
    pub(crate) fn hold_edits(&self, tails: &[TailNote]) -> Result<Vec<Segment>> {
        let mut segments = Vec::new();
        let same = |a: &TailNote, b: &TailNote| {
            (&a.table, &a.arrangement_id) == (&b.table, &b.arrangement_id)
        };
        for tails in tails.chunk_by(same) {
            let seqs: Vec<u64> = tails.iter().map(|tail| tail.seq).collect();
            let Some(first) = tails.first() else { continue };
            let key = (first.table.clone(), first.arrangement_id.clone());
            if let Some(known) = self.held.recall(&key, &seqs)
                && self.backend.open_object(known.digest).is_ok()
            {
                segments.push(known);
                continue;
            }
            if let Some(object) = self.object_of(tails)? {
                self.backend.hold_object(object.bytes.into());
                self.held.remember(key, seqs, object.segment.clone());
                segments.push(object.segment);
            }
        }
        Ok(segments)
    }

    /// Cuts every tail that has grown long into a merged object.
    pub(crate) fn cut_tails(&self) -> Result<()> {
        let _lock = self.write_lock()?;
        self.cut_long_tails()
    }

    /// As [`Workspace::cut_tails`], for whoever holds the lock.
    pub(crate) fn cut_long_tails(&self) -> Result<()> {
        let head = self.backend.head()?.size;
        let mut by_group: BTreeMap<(String, String), Vec<TailNote>> = BTreeMap::new();
        for tail in self.backend.tails(None, head)? {
            let key = (tail.table.clone(), tail.arrangement_id.clone());
            by_group.entry(key).or_default().push(tail);
        }
        for tails in by_group.values() {
            let mut rest: &[TailNote] = tails;
            while let Some(count) = enough(rest, self.limits.tail_rows) {
                let (cut, left) = rest.split_at(count);
                rest = left;
                let Some(object) = self.object_of(cut)? else { continue };
                self.put_bytes(&object.bytes)?;
                let edits = cut.first().zip(cut.last()).map(|(a, b)| (a.seq, b.seq));
                let covers = Covers { segments: Vec::new(), edits };
                let merged = MergedNote { segment: object.segment, covers };
                self.backend.rebuild(&mut |index| index.put_merged(&merged))?;
            }
        }
        Ok(())
    }
}

/// How many edits from the first on have rows enough for an object.
fn enough(tails: &[TailNote], least: u64) -> Option<usize> {
    let mut rows = 0;
    tails
        .iter()
        .position(|tail| {
            rows += tail.rows;
            rows >= least.max(2)
        })
        .map(|last| last + 1)
}
