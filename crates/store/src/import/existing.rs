//! Reading stored rows back: typed objects of any earlier vocabulary, cut to the columns wanted and
//! brought into today's names. Nothing here decides what a row means for a new one.

use std::{
    hash::{Hash as _, Hasher as _},
    sync::Arc,
};

use arrow::{
    array::{
        Array as _, ArrayRef, AsArray as _, BooleanArray, Date32Array, Int16Array, Int64Array,
        StringArray, new_null_array,
    },
    datatypes::{Date32Type, Field, Int64Type, Schema, SchemaRef},
    record_batch::RecordBatch,
};
use backstay_evidence::{
    RowRef, Segment,
    identity::{identity_columns, identity_keys, validity_group_keys},
    manifest::{ObjectBody, RetractTarget, Retraction},
    schema,
    vocabulary::Table,
};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};

use super::resolve::OldRow;
use crate::{
    backend::Backend,
    error::{Result, StoreError},
};

/// Rows decoded at once.
const BATCH: usize = 8_192;

/// Whether any row of a segment can still stand.
pub(crate) fn visible(segment: &Segment, retractions: &[Retraction]) -> bool {
    if segment.is_merged() {
        // Its rows are of several entries: each is looked at.
        return true;
    }
    let whole = RetractTarget::Entry(segment.seq);
    !retractions.iter().any(|retraction| retraction.target == whole)
}

/// Which entry made each row of a batch known, and whose source its record counts.
pub(crate) struct Origins<'a> {
    segment: &'a Segment,
    rows: Option<(&'a Int64Array, &'a Int64Array)>,
}

impl<'a> Origins<'a> {
    /// Of a batch of this segment: what the rows say themselves, else what the segment says.
    pub(crate) fn of(segment: &'a Segment, batch: &'a RecordBatch) -> Self {
        let whole = |name: &str| {
            batch.column_by_name(name).and_then(|array| array.as_primitive_opt::<Int64Type>())
        };
        let said = |array: &&Int64Array| array.null_count() == 0;
        let seqs = whole(schema::SEQ).filter(said);
        Self { segment, rows: seqs.zip(whole(schema::ENTRY).filter(said)) }
    }

    /// Whether the rows say it: among the objects that an import is held against only those of rows
    /// that were entered by hand.
    pub(crate) fn says_itself(&self) -> bool {
        self.rows.is_some()
    }

    /// Sequence and entry of a row.
    pub(crate) fn at(&self, row: usize) -> (u64, u64) {
        match self.rows {
            Some((seqs, entries)) => {
                (seqs.value(row).unsigned_abs(), entries.value(row).unsigned_abs())
            }
            None => (self.segment.seq, self.segment.entry),
        }
    }
}

/// Batches of one object, with today's columns; those that it lacks are null.
pub(crate) struct RowReader {
    inner: ParquetRecordBatchReader,
    schema: SchemaRef,
    /// For each wanted column its place in what the object gives.
    places: Vec<Option<usize>>,
    table: String,
}

impl RowReader {
    /// Opens an object for the physical columns `wanted`, or for all.
    pub(crate) fn open(
        backend: &dyn Backend,
        segment: &Segment,
        table: &Table,
        wanted: Option<&[&str]>,
    ) -> Result<Self> {
        let body = backend
            .open_object(segment.digest)
            .map_err(|error| lost(segment, &error.to_string()))?;
        Self::over(body, segment, table, wanted)
    }

    fn over(
        body: ObjectBody,
        segment: &Segment,
        table: &Table,
        wanted: Option<&[&str]>,
    ) -> Result<Self> {
        let failed = |error: parquet::errors::ParquetError| lost(segment, &error.to_string());
        let builder = ParquetRecordBatchReaderBuilder::try_new(body).map_err(failed)?;
        let merged = builder.schema().index_of(schema::SEQ).is_ok();
        let full = match merged {
            true => schema::merged_schema(table),
            false => schema::object_schema(table),
        };
        let is_wanted = |field: &Field| {
            let name = field.name().as_str();
            // Without them a row of a merged object is of no entry.
            let always = merged && [schema::SEQ, schema::ENTRY].contains(&name);
            always || wanted.is_none_or(|names| names.contains(&name))
        };
        let fields: Vec<Field> =
            full.fields().iter().map(|f| f.as_ref().clone()).filter(is_wanted).collect();
        let stored = Arc::clone(builder.schema());
        // Where each wanted column stands in the object, under today's or an earlier name.
        let found: Vec<Option<usize>> = fields
            .iter()
            .map(|field| {
                earlier_names(table, field.name())
                    .iter()
                    .find_map(|name| stored.index_of(name).ok())
                    .filter(|at| {
                        stored.fields().get(*at).is_some_and(|f| f.data_type() == field.data_type())
                    })
            })
            .collect();
        let mut roots: Vec<usize> = found.iter().flatten().copied().collect();
        roots.sort_unstable();
        let places = found
            .iter()
            .map(|at| at.and_then(|at| roots.iter().position(|root| *root == at)))
            .collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let inner = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(failed)?;
        // Columns that an earlier vocabulary lacked are null, also where today's never are.
        let fields: Vec<Field> = fields.into_iter().map(|f| f.with_nullable(true)).collect();
        Ok(Self { inner, schema: Arc::new(Schema::new(fields)), places, table: table.name.clone() })
    }
}

impl Iterator for RowReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let failed = StoreError::columns(&self.table, "read");
        let batch = match self.inner.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(failed(error))),
        };
        let columns: Vec<ArrayRef> = self
            .places
            .iter()
            .zip(self.schema.fields())
            .map(|(place, field)| match place.and_then(|at| batch.columns().get(at)) {
                Some(column) => Arc::clone(column),
                None => new_null_array(field.data_type(), batch.num_rows()),
            })
            .collect();
        let adapted = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        Some(adapted.map_err(StoreError::columns(&self.table, "read")))
    }
}

fn lost(segment: &Segment, reason: &str) -> StoreError {
    StoreError::Object { digest: segment.digest, reason: format!("cannot be read ({reason})") }
}

/// Today's physical name, then the names it had before.
pub(crate) fn earlier_names(table: &Table, physical: &str) -> Vec<String> {
    let mut names = vec![physical.to_owned()];
    for column in &table.columns {
        for old in &column.renamed_from {
            let mut renamed = column.clone();
            renamed.name.clone_from(old);
            let (today, before) = (schema::fields(column), schema::fields(&renamed));
            let pairs = today.iter().zip(&before);
            names.extend(
                pairs.filter(|(now, _)| now.name() == physical).map(|(_, was)| was.name().clone()),
            );
        }
    }
    names
}

/// Physical columns that resolving needs of a table.
pub(super) fn resolve_columns(table: &Table) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut logical: Vec<&str> = identity_columns(table);
    logical.extend(table.source_id.as_deref());
    logical.extend(["arrangement_id", "source", "version", "valid_from", "valid_to"]);
    for name in logical {
        let fields = table.columns.iter().find(|column| column.name == name).map(schema::fields);
        names.extend(fields.into_iter().flatten().map(|field| field.name().clone()));
    }
    names.extend(
        [
            schema::ROW,
            schema::ITEM,
            schema::CONTENT,
            schema::ROOT_REF,
            schema::ROOT_ITEM,
            schema::DELETED,
        ]
        .map(str::to_owned),
    );
    names
}

/// Calls `each` with what resolving needs of every row of a segment that no retraction takes.
/// `place` is the segment's place in the caller's list.
pub(super) fn scan(
    backend: &dyn Backend,
    segment: &Segment,
    place: u32,
    table: &Table,
    retractions: &[Retraction],
    each: &mut dyn FnMut(OldRow) -> Result<()>,
) -> Result<()> {
    let names = resolve_columns(table);
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    // Few retractions concern one segment; most concern none.
    let concerned: Vec<&Retraction> = retractions
        .iter()
        .filter(|retraction| match retraction.target {
            _ if segment.is_merged() => true,
            RetractTarget::Entry(seq) => seq == segment.seq,
            RetractTarget::Record(of, _) => of == segment.entry,
        })
        .collect();
    for batch in RowReader::open(backend, segment, table, Some(&wanted))? {
        let batch = batch?;
        let rows = Described::new(table, &batch, identity_keys(table, &batch))?;
        let roots = Roots::new(table, &batch)?;
        let origins = Origins::of(segment, &batch);
        for at in 0..batch.num_rows() {
            let record = rows.record(at);
            let (seq, entry) = origins.at(at);
            let entry = u32::try_from(entry).unwrap_or(u32::MAX);
            let here = RowRef { entry, record };
            if concerned.iter().any(|retraction| retraction.takes(seq, here)) {
                continue;
            }
            let item = rows.item(at);
            let (root_ref, root_item) = roots.of(at).unwrap_or((here.pack(), item));
            each(OldRow {
                group: rows.group(at),
                key: rows.key(at),
                content: rows.content(at),
                version: rows.version(at),
                from: rows.from(at),
                to: rows.to(at),
                source: rows.source(at),
                root_ref,
                root_item,
                seq,
                entry,
                record,
                item,
                deleted: roots.deleted(at),
                edited: origins.says_itself(),
                segment: place,
            })?;
        }
    }
    Ok(())
}

/// The columns of a batch that resolving looks at, each with its type settled.
pub(super) struct Described<'a> {
    keys: Vec<[u8; 16]>,
    groups: Option<Vec<[u8; 16]>>,
    rows: &'a Int64Array,
    items: &'a Int16Array,
    contents: &'a Int64Array,
    versions: Option<&'a Int64Array>,
    froms: Option<&'a Date32Array>,
    tos: Option<&'a Date32Array>,
    sources: Option<&'a StringArray>,
}

/// Versions and deletion marks of stored rows.
pub(super) struct Roots<'a> {
    refs: &'a Int64Array,
    items: &'a Int16Array,
    deleted: &'a BooleanArray,
}

impl<'a> Roots<'a> {
    /// Of a batch with the columns of an object.
    fn new(table: &Table, batch: &'a RecordBatch) -> Result<Self> {
        Ok(Self {
            refs: column(table, batch, schema::ROOT_REF)?.as_primitive(),
            items: column(table, batch, schema::ROOT_ITEM)?.as_primitive(),
            deleted: column(table, batch, schema::DELETED)?.as_boolean(),
        })
    }

    fn of(&self, at: usize) -> Option<(i64, i16)> {
        let valid = self.refs.is_valid(at) && self.items.is_valid(at);
        valid.then(|| (self.refs.value(at), self.items.value(at)))
    }

    fn deleted(&self, at: usize) -> bool {
        self.deleted.is_valid(at) && self.deleted.value(at)
    }
}

/// A column that every object has.
pub(crate) fn column<'a>(
    table: &Table,
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| StoreError::Columns {
        table: table.name.clone(),
        doing: "read",
        message: format!("column `{name}` is missing"),
    })
}

impl<'a> Described<'a> {
    /// Over a batch with the columns of an object and the identity keys of its rows.
    pub(super) fn new(
        table: &'a Table,
        batch: &'a RecordBatch,
        keys: Vec<[u8; 16]>,
    ) -> Result<Self> {
        let dates = |name: &str| {
            batch.column_by_name(name).and_then(|array| array.as_primitive_opt::<Date32Type>())
        };
        let mut described = Self {
            keys,
            groups: table.has_validity().then(|| validity_group_keys(table, batch)),
            rows: column(table, batch, schema::ROW)?.as_primitive(),
            items: column(table, batch, schema::ITEM)?.as_primitive(),
            contents: column(table, batch, schema::CONTENT)?.as_primitive(),
            versions: batch
                .column_by_name("version")
                .and_then(|array| array.as_primitive_opt::<Int64Type>()),
            froms: dates("valid_from"),
            tos: dates("valid_to"),
            sources: batch.column_by_name("source").and_then(|array| array.as_string_opt::<i32>()),
        };
        if table.name == backstay_evidence::manifest::QUARANTINE {
            // A rejected record is what is said of it: never a correction of another.
            for (at, key) in described.keys.iter_mut().enumerate() {
                let mut mixed = key.to_vec();
                mixed.extend_from_slice(&described.contents.value(at).to_be_bytes());
                let digest = backstay_evidence::Digest::of(&mixed);
                key.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
            }
        }
        Ok(described)
    }

    pub(super) fn key(&self, at: usize) -> [u8; 16] {
        self.keys.get(at).copied().unwrap_or_default()
    }

    pub(super) fn group(&self, at: usize) -> [u8; 16] {
        match &self.groups {
            Some(groups) => groups.get(at).copied().unwrap_or_default(),
            None => self.key(at),
        }
    }

    pub(super) fn record(&self, at: usize) -> u32 {
        u32::try_from(self.rows.value(at)).unwrap_or_default()
    }

    pub(super) fn item(&self, at: usize) -> i16 {
        self.items.value(at)
    }

    pub(super) fn content(&self, at: usize) -> i64 {
        self.contents.value(at)
    }

    pub(super) fn version(&self, at: usize) -> i64 {
        self.versions.filter(|array| array.is_valid(at)).map_or(0, |array| array.value(at))
    }

    /// First day of validity; from the beginning when not said.
    pub(super) fn from(&self, at: usize) -> i32 {
        self.froms.filter(|array| array.is_valid(at)).map_or(i32::MIN, |array| array.value(at))
    }

    /// First day after; open when not said.
    pub(super) fn to(&self, at: usize) -> i32 {
        self.tos.filter(|array| array.is_valid(at)).map_or(i32::MAX, |array| array.value(at))
    }

    /// A hash of the source system within this run; 0 when not said.
    pub(super) fn source(&self, at: usize) -> u64 {
        let Some(array) = self.sources.filter(|array| array.is_valid(at)) else { return 0 };
        let mut hasher = std::hash::DefaultHasher::new();
        array.value(at).hash(&mut hasher);
        hasher.finish() | 1
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use backstay_evidence::{Vocabulary, schema::object_schema};

    use super::*;
    use crate::{
        import::write::ObjectWriter, objects::Folder, payload::Role, sqlite::SqliteBackend,
    };

    const BEFORE: &str = r#"
table = "price"
title = "Prices"
about = "As an earlier release knew it."
kind = "register"
scope = "shared"
identity = ["item_id"]
columns = [
  { id = 1, name = "item_id", type = "text", required = true, privacy = "open", about = "Item." },
  { id = 2, name = "cost", type = "money", privacy = "open", about = "Price." },
  { id = 3, name = "count", type = "text", privacy = "open", about = "Once a text." },
]
"#;

    const TODAY: &str = r#"
table = "price"
title = "Prices"
about = "As this release knows it."
kind = "register"
scope = "shared"
identity = ["item_id"]
columns = [
  { id = 1, name = "item_id", type = "text", required = true, privacy = "open", about = "Item." },
  { id = 2, name = "amount", type = "money", renamed_from = ["cost"], privacy = "open", about = "Price." },
  { id = 3, name = "count", type = "text", retired = true, privacy = "open", about = "Once a text." },
  { id = 4, name = "pieces", type = "integer", replaces = "count", privacy = "open", about = "How many." },
]
"#;

    fn table(text: &str) -> Table {
        Vocabulary::from_texts([("price", text)]).unwrap().table("price").unwrap().clone()
    }

    #[test]
    fn objects_of_an_earlier_vocabulary_are_read_under_todays_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["objects", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let place = Folder::new(folder.path().join("objects"), folder.path().join("tmp"));
        let backend = SqliteBackend::create(&folder.path().join("db"), place).unwrap();
        let before = table(BEFORE);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["desk"])),
            Arc::new(Int64Array::from(vec![1_250])),
            Arc::new(StringArray::from(vec!["EUR"])),
            Arc::new(StringArray::from(vec!["two"])),
            Arc::new(Int64Array::from(vec![1])),
            Arc::new(Int16Array::from(vec![0])),
            Arc::new(Int64Array::from(vec![7])),
            Arc::new(Int64Array::from(vec![None])),
            Arc::new(Int16Array::from(vec![None])),
            Arc::new(BooleanArray::from(vec![false])),
        ];
        let rows = RecordBatch::try_new(Arc::new(object_schema(&before)), columns).unwrap();
        let mut writer = ObjectWriter::new(&backend, &before, "digest").unwrap();
        writer.write(&rows).unwrap();
        let object = writer.finish(&backend, Role::Rows, "").unwrap().unwrap();
        let segment = Segment {
            table: "price".into(),
            arrangement_id: String::new(),
            seq: 2,
            first_seq: 2,
            entry: 2,
            digest: object.digest,
            rows: 1,
            later_versions: 0,
            occurred_us: None,
        };
        let today = table(TODAY);
        let batch = RowReader::open(&backend, &segment, &today, None).unwrap().next().unwrap();
        let batch = batch.unwrap();
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().value(0);
        let amounts = batch.column_by_name("amount_minor").unwrap();
        assert_eq!(amounts.as_primitive::<Int64Type>().value(0), 1_250);
        assert_eq!((text("amount_currency"), text("count")), ("EUR", "two"));
        assert!(batch.column_by_name("pieces").unwrap().is_null(0));
        assert!(batch.column_by_name("cost_minor").is_none());
        let wanted = ["amount_currency", schema::ROW];
        let cut = RowReader::open(&backend, &segment, &today, Some(&wanted)).unwrap().next();
        let cut = cut.unwrap().unwrap();
        assert_eq!(cut.num_columns(), 2);
        assert_eq!(cut.column(0).as_string::<i32>().value(0), "EUR");
        // Same row, same identity, under either vocabulary.
        assert_eq!(identity_keys(&before, &rows), identity_keys(&today, &batch));
    }
}
