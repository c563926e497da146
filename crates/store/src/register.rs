//! The projection of current registers: for each row key the version that stands. It serves lists
//! and preconditions, is folded row by row from the stored objects, and can be thrown away.

use arrow::{
    array::{Array, AsArray as _, TimestampMicrosecondArray},
    datatypes::{Int16Type, Int64Type, TimestampMicrosecondType},
    record_batch::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use backstay_evidence::{
    RowRef, Segment,
    identity::identity_columns,
    manifest::Retraction,
    schema,
    vocabulary::{Table, TableKind},
};

use crate::{
    backend::{Backend as _, IndexWriter, RegisterRow},
    error::{Result, StoreError},
    import::existing::{RowReader, column, visible},
    workspace::Workspace,
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

fn fold_batch(
    table: &Table,
    segment: &Segment,
    retractions: &[Retraction],
    batch: &RecordBatch,
    index: &mut dyn IndexWriter,
) -> Result<()> {
    let rows = column(table, batch, schema::ROW)?.as_primitive::<Int64Type>();
    let items = column(table, batch, schema::ITEM)?.as_primitive::<Int16Type>();
    let deleted = column(table, batch, schema::DELETED)?.as_boolean();
    let versions = batch.column_by_name("version").and_then(|c| c.as_primitive_opt::<Int64Type>());
    let keys = texts(table, batch, &identity_columns(table))?;
    let names: Vec<String> =
        schema::value_fields(table).iter().map(|field| field.name().clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let values = texts(table, batch, &names)?;
    for row in 0..batch.num_rows() {
        let record = u32::try_from(rows.value(row)).unwrap_or(u32::MAX);
        let at = RowRef { entry: u32::try_from(segment.entry).unwrap_or(u32::MAX), record };
        if retractions.iter().any(|retraction| retraction.takes(segment.seq, at)) {
            continue;
        }
        let version =
            versions.filter(|array| array.is_valid(row)).map_or(0, |array| array.value(row));
        let key: Vec<Option<String>> = keys.iter().map(|column| column.text(row)).collect();
        let mut object = serde_json::Map::new();
        for (name, column) in names.iter().zip(&values) {
            if let Some(text) = column.text(row) {
                object.insert((*name).to_owned(), text.into());
            }
        }
        let candidate = RegisterRow {
            table: table.name.clone(),
            arrangement_id: segment.arrangement_id.clone(),
            key: serde_json::json!(key).to_string(),
            version,
            seq: segment.seq,
            entry: segment.entry,
            record,
            item: items.value(row),
            row: (!deleted.value(row)).then(|| serde_json::Value::Object(object).to_string()),
        };
        let current =
            index.register(&candidate.table, &candidate.arrangement_id, &candidate.key)?;
        if current.is_none_or(|current| current.rank() <= candidate.rank()) {
            index.put_register(&candidate)?;
        }
    }
    Ok(())
}

/// A column with what turns its cells into text.
enum Texts<'a> {
    Absent,
    Instants(&'a TimestampMicrosecondArray),
    Others(&'a dyn Array, ArrayFormatter<'a>),
}

impl Texts<'_> {
    fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Instants(array) if array.is_valid(row) => {
                jiff::Timestamp::from_microsecond(array.value(row)).ok().map(|at| at.to_string())
            }
            Self::Others(array, formatter) if array.is_valid(row) => {
                Some(formatter.value(row).to_string())
            }
            _ => None,
        }
    }
}

fn texts<'a>(table: &Table, batch: &'a RecordBatch, names: &[&str]) -> Result<Vec<Texts<'a>>> {
    static OPTIONS: std::sync::LazyLock<FormatOptions<'static>> =
        std::sync::LazyLock::new(FormatOptions::default);
    names
        .iter()
        .map(|name| {
            let Some(array) = batch.column_by_name(name) else { return Ok(Texts::Absent) };
            if let Some(instants) = array.as_primitive_opt::<TimestampMicrosecondType>() {
                return Ok(Texts::Instants(instants));
            }
            let formatter = ArrayFormatter::try_new(array.as_ref(), &OPTIONS)
                .map_err(StoreError::columns(&table.name, "read"))?;
            Ok(Texts::Others(array.as_ref(), formatter))
        })
        .collect()
}

impl Workspace {
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
