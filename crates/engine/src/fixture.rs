//! Evidence in memory from tables written in Markdown: what catalogue cases and tests run on. It goes
//! the same way as real evidence, Parquet objects and a manifest, so that a case tests what a user
//! gets. It must never be used for real evidence: nothing is deduplicated or quarantined here.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, BooleanArray, Int16Array, Int64Array, RecordBatch, UInt64Array},
    compute::{concat_batches, take_record_batch},
};
use backstay_evidence::{
    Digest, Manifest, Segment, Vocabulary,
    manifest::{ImportNote, MemoryObjects},
    schema,
    vocabulary::Table,
};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};

use crate::{cell::CellColumn, error::EngineError, markdown::MarkdownTable, tables::definition};

/// Tables given row by row. The n-th table given is entry n; its rows are records 1, 2, 3 … of it.
#[derive(Debug, Clone)]
pub struct Fixture<'a> {
    vocabulary: &'a Vocabulary,
    given: Vec<Given>,
    layout: Layout,
}

#[derive(Debug, Clone)]
struct Given {
    table: String,
    place: String,
    rows: MarkdownTable,
}

/// How rows are laid out in objects. It must not matter, which is what tests with it show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Rows in a row group.
    pub group_rows: usize,
    /// Into how many objects each import is split.
    pub objects: usize,
    /// Decides the order of the rows in an object; 0 keeps them as given.
    pub shuffle: u64,
}

impl Default for Layout {
    fn default() -> Self {
        Self { group_rows: 128 * 1024, objects: 1, shuffle: 0 }
    }
}

impl<'a> Fixture<'a> {
    /// No rows yet.
    #[must_use]
    pub fn new(vocabulary: &'a Vocabulary) -> Self {
        Self { vocabulary, given: Vec::new(), layout: Layout::default() }
    }

    /// Adds the rows of a Markdown table. Columns left out, and empty cells, have no value.
    ///
    /// # Errors
    /// Text that is no table; values are typed by [`Fixture::manifest_and_objects`].
    pub fn table(self, name: &str, markdown: &str) -> Result<Self, EngineError> {
        let rows = MarkdownTable::parse(markdown).map_err(|error| EngineError::Fixture {
            place: format!("table `{name}`, line {}", error.line),
            message: error.message,
        })?;
        Ok(self.given(name, rows, &format!("table `{name}`")))
    }

    /// Adds rows that are already taken apart; `place` names their file in errors.
    #[must_use]
    pub fn given(mut self, name: &str, rows: MarkdownTable, place: &str) -> Self {
        self.given.push(Given { table: name.to_owned(), place: place.to_owned(), rows });
        self
    }

    /// Lays the objects out in another way.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Types the rows and writes them as objects.
    ///
    /// # Errors
    /// An unknown table or column, or a value that does not fit its type, with its line.
    pub fn manifest_and_objects(&self) -> Result<(Manifest, MemoryObjects), EngineError> {
        let mut objects = MemoryObjects::default();
        let mut segments = Vec::new();
        let mut imports = Vec::new();
        let mut texts = Vec::new();
        for (n, given) in self.given.iter().enumerate() {
            let entry = n as u64 + 1;
            let table = definition(self.vocabulary, &given.table)?;
            let rows = typed_rows(table, given)?;
            let mut arrangements = Vec::new();
            for (arrangement, batch) in split_by_arrangement(&rows, table)? {
                arrangements.push(arrangement.clone());
                for part in self.layout.parts(&batch)? {
                    let bytes = write_object(&part, self.layout.group_rows)?;
                    let digest = Digest::of(&bytes);
                    objects.0.insert(digest, bytes.into());
                    segments.push(Segment {
                        table: given.table.clone(),
                        arrangement_id: arrangement.clone(),
                        seq: entry,
                        first_seq: entry,
                        entry,
                        digest,
                        rows: part.num_rows() as u64,
                        later_versions: 0,
                        occurred_us: None,
                    });
                }
            }
            texts.push(format!("{given:?}"));
            imports.push(ImportNote {
                seq: entry,
                file: format!("{}.md", given.table),
                arrangements,
                tables: vec![given.table.clone()],
                disagreeing_clock_with: None,
            });
        }
        segments.sort_by(|a, b| {
            (&a.table, &a.arrangement_id, a.seq, a.digest).cmp(&(
                &b.table,
                &b.arrangement_id,
                b.seq,
                b.digest,
            ))
        });
        let parts: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        let manifest = Manifest {
            as_of_seq: self.given.len() as u64,
            as_of_us: 0,
            evidence_digest: Digest::of_parts(&parts),
            scope: Vec::new(),
            segments,
            retractions: Vec::new(),
            imports,
        };
        Ok((manifest, objects))
    }
}

fn typed_rows(table: &Table, given: &Given) -> Result<RecordBatch, EngineError> {
    let wrong = |line: usize, message: String| EngineError::Fixture {
        place: format!("{}, line {line}", given.place),
        message,
    };
    for name in &given.rows.header {
        if table.column(name).is_none() {
            let message = format!("`{name}` is not a column of table `{}`", table.name);
            return Err(wrong(given.rows.line, message));
        }
    }
    let mut columns: Vec<CellColumn<'_>> = table.columns.iter().map(CellColumn::new).collect();
    let places: Vec<Option<usize>> = table
        .columns
        .iter()
        .map(|column| {
            let names = |name: &String| table.column(name).is_some_and(|c| c.id == column.id);
            given.rows.header.iter().position(names)
        })
        .collect();
    for (line, cells) in &given.rows.rows {
        for ((column, cell), definition) in columns.iter_mut().zip(&places).zip(&table.columns) {
            let text = cell.and_then(|place| cells.get(place)).map_or("", String::as_str);
            if text.is_empty() && definition.required {
                let message =
                    format!("column `{}` of `{}` needs a value", definition.name, table.name);
                return Err(wrong(*line, message));
            }
            column.push(text).map_err(|message| wrong(*line, message))?;
        }
    }
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for column in columns {
        arrays.extend(column.finish().into_iter().map(|(_, array)| array));
    }
    let count = given.rows.rows.len();
    let numbers = || (1..=count as i64).collect::<Vec<_>>();
    let contents = given.rows.rows.iter().map(|(_, cells)| {
        let digest = Digest::of(cells.join("\u{1f}").as_bytes());
        digest.0.iter().take(8).fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte))
    });
    arrays.extend([
        Arc::new(Int64Array::from(numbers())) as ArrayRef,
        Arc::new(Int16Array::from(vec![0; count])),
        Arc::new(contents.collect::<Int64Array>()),
        Arc::new(Int64Array::new_null(count)),
        Arc::new(Int16Array::new_null(count)),
        Arc::new(BooleanArray::from(vec![false; count])),
    ]);
    let schema = Arc::new(schema::object_schema(table));
    RecordBatch::try_new(schema, arrays).map_err(|error| wrong(given.rows.line, error.to_string()))
}

fn split_by_arrangement(
    rows: &RecordBatch,
    table: &Table,
) -> Result<BTreeMap<String, RecordBatch>, EngineError> {
    let mut places: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    if table.scope == backstay_evidence::vocabulary::Scope::Shared {
        if rows.num_rows() == 0 {
            return Ok(BTreeMap::new());
        }
        return Ok(BTreeMap::from([(String::new(), rows.clone())]));
    }
    let ids = crate::rows::texts(rows, &table.name, "arrangement_id")?;
    for row in 0..ids.len() {
        let id = crate::rows::text(&ids, row).unwrap_or_default();
        places.entry(id.to_owned()).or_default().push(row as u64);
    }
    let take = |(id, rows_of): (String, Vec<u64>)| Ok((id, taken(rows, rows_of)?));
    places.into_iter().map(take).collect()
}

fn taken(rows: &RecordBatch, places: Vec<u64>) -> Result<RecordBatch, EngineError> {
    take_record_batch(rows, &UInt64Array::from(places)).map_err(|error| broken(&error.to_string()))
}

fn broken(message: &str) -> EngineError {
    EngineError::Fixture { place: "table in memory".to_owned(), message: message.to_owned() }
}

impl Layout {
    /// The rows shuffled and cut into objects.
    fn parts(self, rows: &RecordBatch) -> Result<Vec<RecordBatch>, EngineError> {
        let count = rows.num_rows();
        let mut order: Vec<u64> = (0..count as u64).collect();
        if self.shuffle != 0 {
            let turn = |place: &u64| {
                let mixed =
                    (place + 1).wrapping_mul(self.shuffle | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (mixed.rotate_left(23), *place)
            };
            order.sort_by_key(turn);
        }
        let size = count.div_ceil(self.objects.max(1)).max(1);
        order.chunks(size).map(|chunk| taken(rows, chunk.to_vec())).collect()
    }
}

/// Writes one typed object.
///
/// # Errors
/// What the writer says.
pub fn write_object(rows: &RecordBatch, group_rows: usize) -> Result<Vec<u8>, EngineError> {
    let properties =
        WriterProperties::builder().set_max_row_group_row_count(Some(group_rows.max(1))).build();
    let mut bytes = Vec::new();
    let written =
        ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties)).and_then(|mut writer| {
            writer.write(rows)?;
            writer.close()
        });
    written.map_err(|error| broken(&error.to_string()))?;
    Ok(bytes)
}

/// All rows of several batches as one.
///
/// # Errors
/// When their columns differ.
pub fn one_batch(batches: &[RecordBatch]) -> Result<Option<RecordBatch>, EngineError> {
    let Some(first) = batches.first() else { return Ok(None) };
    let all =
        concat_batches(&first.schema(), batches).map_err(|error| broken(&error.to_string()))?;
    Ok(Some(all))
}
