//! Takes what a reading pass hands out: rows by table and arrangement (spilled to sorted runs when
//! there are many), rejections, real ids, and what became of each record. Decides nothing about
//! what is known already.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{Array as _, AsArray as _, Decimal128Array, UInt32Array},
    datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimestampMicrosecondType},
    record_batch::RecordBatch,
};
use backstay_evidence::{
    Digest, Vocabulary,
    quarantine::{code, quarantine_rows},
    schema,
    sink::{Progress, Rejection, Sink, SinkError, TypedBatch, VaultEntry},
    vocabulary::Table,
};
use serde::{Deserialize, Serialize};

use super::run::{Batches, Sorted, Sorter, read_run, write_run};
use crate::{
    error::{Result, StoreError},
    index::table_of,
};

/// Identity key of a row while it is being imported.
pub(super) const KEY: &str = "_key";
/// Place of a row in the order of arrival within its group.
pub(super) const ORDINAL: &str = "_ordinal";
/// Rejections held before they become rows.
const REJECTIONS: usize = 4_096;
/// Examples kept of one kind of rejection.
const EXAMPLES: usize = 5;
/// Kinds of rejection told apart by their reasons.
const KINDS: usize = 200;

/// What is known of a record: bits.
pub(super) mod state {
    /// It brought a new fact.
    pub const NEW: u8 = 1;
    /// It changed a fact.
    pub const CORRECTED: u8 = 2;
    /// It brought a fact that was here.
    pub const KNOWN: u8 = 4;
    /// It was rejected.
    pub const REJECTED: u8 = 8;
    /// It gave a row.
    pub const ROW: u8 = 16;
    /// It gave rows of two or more tables.
    pub const SEVERAL: u8 = 32;
}

/// What became of each record, one byte each.
#[derive(Debug, Default, Clone)]
pub(super) struct Records(Vec<u8>);

impl Records {
    pub(super) fn get(&self, record: u32) -> u8 {
        self.0.get(place(record)).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, record: u32, bits: u8) {
        let place = place(record);
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        if let Some(state) = self.0.get_mut(place) {
            *state |= bits;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.iter().copied().skip(1)
    }
}

/// Records count from 1; place 0 stays empty.
fn place(record: u32) -> usize {
    usize::try_from(record).unwrap_or(usize::MAX)
}

/// One kind of rejection, with how often it occurred and the first that did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectionKind {
    /// Table meant.
    pub table: String,
    /// Column.
    pub column: Option<String>,
    /// Code.
    pub code: String,
    /// How often.
    pub count: u64,
    /// The first few.
    pub examples: Vec<Rejection>,
}

/// Rows of one table and arrangement.
pub(super) struct Group {
    pub(super) table: Table,
    pub(super) arrangement_id: String,
    pub(super) schema: SchemaRef,
    pub(super) sorter: Sorter,
    pub(super) rows: u32,
    /// Earliest and latest instant at which its events occurred.
    pub(super) occurred_us: Option<(i64, i64)>,
    /// Whether some row has the source's own id.
    pub(super) own_ids: bool,
    memory: Vec<RecordBatch>,
    bytes: usize,
    runs: Vec<PathBuf>,
    /// What stayed in memory, once all rows are in.
    rest: Vec<Sorted>,
}

impl Group {
    fn new(table: Table, arrangement_id: String) -> Result<Self> {
        let mut fields: Vec<Field> =
            schema::object_schema(&table).fields().iter().map(|f| f.as_ref().clone()).collect();
        // Sixteen bytes as one number, which is quicker to move than bytes are.
        fields.push(Field::new(KEY, DataType::Decimal128(38, 0), false));
        fields.push(Field::new(ORDINAL, DataType::UInt32, false));
        Ok(Self {
            sorter: Sorter::new(&table)?,
            schema: Arc::new(Schema::new(fields)),
            table,
            arrangement_id,
            rows: 0,
            occurred_us: None,
            own_ids: false,
            memory: Vec::new(),
            bytes: 0,
            runs: Vec::new(),
            rest: Vec::new(),
        })
    }

    fn push(&mut self, rows: &RecordBatch, keys: &[[u8; 16]]) -> Result<()> {
        let count = u32::try_from(rows.num_rows()).unwrap_or(u32::MAX);
        let next = self.rows.checked_add(count).ok_or_else(|| StoreError::Columns {
            table: self.table.name.clone(),
            doing: "read",
            message: format!("more than {} rows in one file: split it", u32::MAX),
        })?;
        let failed = |error| StoreError::columns(&self.table.name, "read")(error);
        let mut columns = rows.columns().to_vec();
        let keys = Decimal128Array::from_iter_values(keys.iter().map(|k| i128::from_be_bytes(*k)));
        columns.push(Arc::new(keys.with_precision_and_scale(38, 0).map_err(failed)?));
        columns.push(Arc::new(UInt32Array::from_iter_values(self.rows..next)));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(failed)?;
        let own = self.table.source_id.as_deref().and_then(|name| rows.column_by_name(name));
        self.own_ids |= own.is_some_and(|ids| ids.null_count() < ids.len());
        let occurred = self.table.occurred.as_deref().and_then(|name| rows.column_by_name(name));
        let instants =
            occurred.and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
        for instant in instants.into_iter().flat_map(|array| array.iter().flatten()) {
            let (first, last) = self.occurred_us.unwrap_or((instant, instant));
            self.occurred_us = Some((first.min(instant), last.max(instant)));
        }
        self.bytes += batch.get_array_memory_size();
        self.memory.push(batch);
        self.rows = next;
        Ok(())
    }

    /// Sorts what is in memory and writes it as a run.
    fn spill(&mut self, path: PathBuf) -> Result<()> {
        let sorted = self.sorter.sort(std::mem::take(&mut self.memory))?;
        self.bytes = 0;
        write_run(&path, &sorted, &self.schema)?;
        self.runs.push(path);
        Ok(())
    }

    /// Sorts what is still in memory.
    fn settle(&mut self) -> Result<()> {
        if !self.memory.is_empty() {
            self.rest.push(self.sorter.sort(std::mem::take(&mut self.memory))?);
        }
        Ok(())
    }

    /// The sorted runs of a settled group; only some columns, when they are named.
    pub(super) fn runs(&self, wanted: Option<&[&str]>) -> Result<Vec<Batches>> {
        let chosen: Option<Vec<usize>> = wanted.map(|names| {
            let fields = self.schema.fields().iter().enumerate();
            let named = fields.filter(|(_, field)| names.contains(&field.name().as_str()));
            named.map(|(place, _)| place).collect()
        });
        let mut runs: Vec<Batches> = Vec::new();
        for path in &self.runs {
            runs.push(read_run(path, chosen.as_deref(), &self.table.name)?);
        }
        for sorted in &self.rest {
            runs.push(sorted.batches(chosen.as_deref())?);
        }
        Ok(runs)
    }
}

/// What rejections have in common that are told as one kind: table, code, column, reason.
type KindKey = (String, String, Option<String>, String);

/// The sink of an import.
pub(super) struct Collector<'a> {
    vocabulary: &'a Vocabulary,
    scratch: &'a Path,
    progress: &'a mut dyn FnMut(Progress),
    pub(super) groups: BTreeMap<(String, String), Group>,
    pub(super) records: Records,
    pub(super) kinds: BTreeMap<KindKey, RejectionKind>,
    pub(super) people: HashMap<String, VaultEntry>,
    rejections: Vec<Rejection>,
    spilled: usize,
    /// Bytes of rows held in memory before the largest group goes to disk.
    row_bytes: usize,
}

impl<'a> Collector<'a> {
    pub(super) fn new(
        vocabulary: &'a Vocabulary,
        scratch: &'a Path,
        row_bytes: usize,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Self {
        Self {
            vocabulary,
            scratch,
            progress,
            groups: BTreeMap::new(),
            records: Records::default(),
            kinds: BTreeMap::new(),
            people: HashMap::new(),
            rejections: Vec::new(),
            spilled: 0,
            row_bytes,
        }
    }

    /// The group of a table and arrangement, made when it is new.
    pub(super) fn group(&mut self, table: &str, arrangement_id: &str) -> Result<&mut Group> {
        let key = (table.to_owned(), arrangement_id.to_owned());
        if !self.groups.contains_key(&key) {
            let table = table_of(self.vocabulary, table).ok_or_else(|| StoreError::Columns {
                table: table.to_owned(),
                doing: "read",
                message: "the vocabulary has no such table".to_owned(),
            })?;
            self.groups.insert(key.clone(), Group::new(table, key.1.clone())?);
        }
        self.groups.get_mut(&key).ok_or_else(|| StoreError::Columns {
            table: key.0.clone(),
            doing: "read",
            message: "its rows were lost".to_owned(),
        })
    }

    fn take_rows(&mut self, batch: &TypedBatch) -> Result<()> {
        if let Some(rows) = batch.rows.column_by_name(schema::ROW) {
            // A second row of a record, be it of this table or another: what becomes of one
            // concerns the other.
            for record in rows.as_primitive::<Int64Type>().values() {
                let record = u32::try_from(*record).unwrap_or_default();
                let again = self.records.get(record) & state::ROW != 0;
                self.records.set(record, if again { state::SEVERAL } else { state::ROW });
            }
        }
        self.group(&batch.table, &batch.arrangement_id)?.push(&batch.rows, &batch.keys)?;
        while self.groups.values().map(|group| group.bytes).sum::<usize>() > self.row_bytes {
            let path = self.scratch.join(format!("run-{}", self.spilled));
            self.spilled += 1;
            let Some(largest) = self.groups.values_mut().max_by_key(|group| group.bytes) else {
                break;
            };
            largest.spill(path)?;
        }
        Ok(())
    }

    /// Adds rows that the store made.
    pub(super) fn push_rows(
        &mut self,
        table: &str,
        arrangement_id: &str,
        rows: &RecordBatch,
        keys: &[[u8; 16]],
    ) -> Result<()> {
        let group = self.group(table, arrangement_id)?;
        group.push(rows, keys)?;
        group.settle()
    }

    /// Digest of the vocabulary that the rows were typed with.
    pub(super) fn vocabulary_digest(&self) -> Digest {
        self.vocabulary.digest()
    }

    /// Takes a rejection, from the reader or found while resolving.
    pub(super) fn take_rejection(&mut self, rejection: Rejection) -> Result<()> {
        self.records.set(rejection.record, state::REJECTED);
        // A reason may name a record or a count; such ones become one kind before they are many.
        let told_apart = self.kinds.len() < KINDS
            && !matches!(
                rejection.code.as_str(),
                code::RAGGED
                    | code::DUPLICATE_IDENTITY
                    | code::OVERLAPPING_VALIDITY
                    | code::TOO_LARGE_ATTRIBUTES
            );
        let reason = if told_apart { rejection.reason.clone() } else { String::new() };
        let (table, kind) = (rejection.table.clone(), rejection.code.clone());
        let key = (table, kind, rejection.column.clone(), reason);
        let kind = self.kinds.entry(key).or_insert_with(|| RejectionKind {
            table: rejection.table.clone(),
            column: rejection.column.clone(),
            code: rejection.code.clone(),
            count: 0,
            examples: Vec::new(),
        });
        kind.count += 1;
        if kind.examples.len() < EXAMPLES {
            kind.examples.push(rejection.clone());
        }
        self.rejections.push(rejection);
        if self.rejections.len() >= REJECTIONS { self.flush_rejections() } else { Ok(()) }
    }

    /// Makes rows of the rejections so far.
    fn flush_rejections(&mut self) -> Result<()> {
        let mut by_arrangement: BTreeMap<String, Vec<Rejection>> = BTreeMap::new();
        for rejection in std::mem::take(&mut self.rejections) {
            by_arrangement.entry(rejection.arrangement_id.clone()).or_default().push(rejection);
        }
        let name = backstay_evidence::manifest::QUARANTINE;
        for (arrangement_id, rejections) in by_arrangement {
            let rows =
                quarantine_rows(&rejections).map_err(StoreError::columns(name, "written"))?;
            let group = self.group(name, &arrangement_id)?;
            let keys = backstay_evidence::identity::identity_keys(&group.table, &rows);
            group.push(&rows, &keys)?;
        }
        Ok(())
    }

    /// Brings every group into its order, the rejections among them.
    pub(super) fn settle(&mut self) -> Result<()> {
        self.flush_rejections()?;
        self.groups.values_mut().try_for_each(Group::settle)
    }
}

impl Sink for Collector<'_> {
    fn rows(&mut self, batch: TypedBatch) -> std::result::Result<(), SinkError> {
        Ok(self.take_rows(&batch)?)
    }

    fn reject(&mut self, rejection: Rejection) -> std::result::Result<(), SinkError> {
        Ok(self.take_rejection(rejection)?)
    }

    fn person(&mut self, entry: VaultEntry) -> std::result::Result<(), SinkError> {
        if !self.people.contains_key(&entry.pseudonym) {
            self.people.insert(entry.pseudonym.clone(), entry);
        }
        Ok(())
    }

    fn progress(&mut self, progress: Progress) -> std::result::Result<(), SinkError> {
        (self.progress)(progress);
        Ok(())
    }
}
