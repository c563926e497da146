//! The projection of current registers: for each row key the version that stands. It serves lists
//! and preconditions, is folded row by row from the stored objects, and can be thrown away.

use arrow::{
    array::{Array as _, AsArray as _},
    datatypes::{Int16Type, Int64Type},
    record_batch::RecordBatch,
};
use backstay_evidence::{
    RowRef, Segment,
    identity::identity_columns,
    manifest::Retraction,
    schema,
    vocabulary::{Table, TableKind},
};

use crate::{
    backend::{Backend as _, IndexWriter, RegisterRow, VersionNote},
    error::{Result, StoreError},
    import::existing::{Origins, RowReader, column, visible},
    index::MemoryIndex,
    row_text::{Texts, rows_to_texts, text_columns},
    workspace::{AsOf, Workspace},
};

/// Folds the segments of every register table, or of one, into `index`.
pub(crate) fn fold_all(
    workspace: &Workspace,
    segments: &[Segment],
    retractions: &[Retraction],
    only: Option<&[String]>,
    index: &mut dyn IndexWriter,
) -> Result<()> {
    for segment in segments {
        if only.is_some_and(|tables| !tables.contains(&segment.table)) {
            continue;
        }
        fold_segment(workspace, segment, retractions, index)?;
    }
    Ok(())
}

/// Folds one segment. Order does not matter: the greater rank wins.
pub(crate) fn fold_segment(
    workspace: &Workspace,
    segment: &Segment,
    retractions: &[Retraction],
    index: &mut dyn IndexWriter,
) -> Result<()> {
    let Some(table) = workspace.vocabulary().table(&segment.table) else { return Ok(()) };
    if table.kind != TableKind::Register || !visible(segment, retractions) {
        return Ok(());
    }
    for batch in RowReader::open(workspace.backend.as_ref(), segment, table, None)? {
        fold_batch(table, segment, retractions, &batch?, index)?;
    }
    Ok(())
}

/// Folds rows of one segment, or of an edit that is described as one.
pub(crate) fn fold_batch(
    table: &Table,
    segment: &Segment,
    retractions: &[Retraction],
    batch: &RecordBatch,
    index: &mut dyn IndexWriter,
) -> Result<()> {
    let rows = column(table, batch, schema::ROW)?.as_primitive::<Int64Type>();
    let items = column(table, batch, schema::ITEM)?.as_primitive::<Int16Type>();
    let contents = column(table, batch, schema::CONTENT)?.as_primitive::<Int64Type>();
    let roots = column(table, batch, schema::ROOT_REF)?.as_primitive::<Int64Type>();
    let root_items = column(table, batch, schema::ROOT_ITEM)?.as_primitive::<Int16Type>();
    let deleted = column(table, batch, schema::DELETED)?.as_boolean();
    let versions = batch.column_by_name("version").and_then(|c| c.as_primitive_opt::<Int64Type>());
    let origins = Origins::of(segment, batch);
    let keys = text_columns(table, batch, &identity_columns(table))?;
    let values = rows_to_texts(table, batch)?;
    for (row, texts) in values.into_iter().enumerate() {
        let record = u32::try_from(rows.value(row)).unwrap_or(u32::MAX);
        let (seq, entry) = origins.at(row);
        let at = RowRef { entry: u32::try_from(entry).unwrap_or(u32::MAX), record };
        if retractions.iter().any(|retraction| retraction.takes(seq, at)) {
            continue;
        }
        let version =
            versions.filter(|array| array.is_valid(row)).map_or(0, |array| array.value(row));
        let key: Vec<Option<String>> = keys.iter().map(|column| column.text(row)).collect();
        let item = items.value(row);
        let later = roots.is_valid(row) && root_items.is_valid(row);
        let root = match later {
            true => (roots.value(row), root_items.value(row)),
            false => (at.pack(), item),
        };
        if later {
            let table = table.name.clone();
            index.put_version(&VersionNote { table, root, seq, entry, record, item })?;
        }
        let candidate = RegisterRow {
            table: table.name.clone(),
            arrangement_id: segment.arrangement_id.clone(),
            key: serde_json::json!(key).to_string(),
            version,
            seq,
            entry,
            record,
            item,
            root,
            content: contents.value(row),
            row: (!deleted.value(row)).then(|| serde_json::json!(texts).to_string()),
        };
        let current =
            index.register(&candidate.table, &candidate.arrangement_id, &candidate.key)?;
        if current.is_none_or(|current| current.rank() <= candidate.rank()) {
            index.put_register(&candidate)?;
        }
    }
    Ok(())
}

impl Workspace {
    /// The rows of a register that stood as of some entry, by arrangement and key. The latest come from
    /// the projection; earlier ones are folded anew from the objects.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`]; those of database and objects.
    pub fn registers_at(&self, table: &str, as_of: AsOf) -> Result<(u64, Vec<RegisterRow>)> {
        let backend = self.backend.snapshot()?;
        let size = backend.head()?.size;
        let seq = match as_of {
            AsOf::Latest => return Ok((size, self.registers(table)?)),
            AsOf::Seq(seq) if seq == 0 || seq > size => {
                return Err(StoreError::NoEntry { entry: seq, size });
            }
            AsOf::Seq(seq) => seq,
            AsOf::InstantUs(instant) => backend.seq_at(instant)?,
        };
        let mut segments = self.row_segments_in(&backend, seq, true)?;
        segments.retain(|segment| segment.table == table);
        let mut index = MemoryIndex::default();
        fold_all(self, &segments, &backend.retractions(seq)?, None, &mut index)?;
        let rows = index.registers.into_values().filter(|row| row.row.is_some());
        Ok((seq, rows.collect()))
    }

    /// The values of one version of a register row, as an import brought it.
    pub(crate) fn imported_values(
        &self,
        arrangement_id: &str,
        note: &VersionNote,
    ) -> Result<Option<Texts>> {
        let Some(table) = self.vocabulary().table(&note.table) else { return Ok(None) };
        let own = |segment: &&Segment| {
            segment.seq == note.seq
                && segment.table == note.table
                && segment.arrangement_id == arrangement_id
        };
        let segments = self.backend.segments(note.seq)?;
        for segment in segments.iter().filter(own) {
            for batch in RowReader::open(self.backend.as_ref(), segment, table, None)? {
                let batch = batch?;
                let rows = column(table, &batch, schema::ROW)?.as_primitive::<Int64Type>();
                let items = column(table, &batch, schema::ITEM)?.as_primitive::<Int16Type>();
                let is = |at: &usize| {
                    rows.value(*at) == i64::from(note.record) && items.value(*at) == note.item
                };
                if let Some(at) = (0..batch.num_rows()).find(is) {
                    return Ok(rows_to_texts(table, &batch.slice(at, 1))?.pop());
                }
            }
        }
        Ok(None)
    }

    /// The current rows of a register, by arrangement and key, from the projection.
    ///
    /// # Errors
    /// Those of the database.
    pub fn registers(&self, table: &str) -> Result<Vec<RegisterRow>> {
        let mut rows = Vec::new();
        self.backend.registers(Some(table), &mut |row| {
            if row.row.is_some() {
                rows.push(row);
            }
            Ok(())
        })?;
        Ok(rows)
    }
}
