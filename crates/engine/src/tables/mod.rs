//! Tables as of the manifest: which rows stand, in the columns of today's vocabulary. Owns folding of
//! versions and retractions, and the presentation of old objects; it must never know SQL's functions
//! or what a control asks.

mod evolve;
mod fold;
pub(crate) mod group;
mod provider;
mod scan;
mod standing;
mod validity;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, OnceLock},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_evidence::{
    Manifest, ObjectSource, Segment, Vocabulary, schema,
    vocabulary::{Table, TableKind},
};

use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use crate::error::EngineError;

pub use provider::EvidenceTable;
pub(crate) use provider::slice;
pub use scan::Layout;

/// Event tables of at most so many stored rows are kept in memory once read whole.
const KEPT_ROWS: u64 = 500_000;

static SYSTEM: LazyLock<BTreeMap<String, Table>> = LazyLock::new(|| {
    let tables = [
        backstay_evidence::quarantine::quarantine_table(),
        backstay_evidence::fingerprint::fingerprint_table(),
    ];
    tables.into_iter().map(|table| (table.name.clone(), table)).collect()
});

/// The tables that imports write beside the vocabulary's, as rejected rows.
pub fn system_tables() -> impl Iterator<Item = &'static Table> {
    SYSTEM.values()
}

/// The definition of a table of evidence.
///
/// # Errors
/// When neither the vocabulary nor the system knows it; the nearest name is offered.
pub fn definition<'a>(vocabulary: &'a Vocabulary, name: &str) -> Result<&'a Table, EngineError> {
    if let Some(table) = vocabulary.table(name) {
        return Ok(table);
    }
    if let Some(table) = SYSTEM.get(name) {
        return Ok(table);
    }
    let known = vocabulary.tables().map(|table| table.name.as_str());
    Err(EngineError::UnknownTable { table: name.to_owned(), hint: hint(name, known) })
}

/// `; did you mean …` for the nearest of some names.
pub fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known.map(|other| (distance(name, other), other)).min();
    match near {
        Some((steps, other)) if steps <= 2 + name.len() / 4 => {
            format!("; did you mean `{other}`?")
        }
        _ => "; `backstay vocabulary list` names them all".to_owned(),
    }
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        for (right, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let step = diagonal + usize::from(left != *right);
            diagonal = *cell;
            *cell = step.min(previous + 1).min(diagonal + 1);
            previous = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// All tables of evidence that one arrangement sees.
#[derive(Debug)]
pub struct EvidenceTables {
    tables: BTreeMap<String, Arc<TableRows>>,
}

/// One table: its definition, its objects, and which of their rows stand.
#[derive(Debug)]
pub struct TableRows {
    pub(crate) definition: Table,
    pub(crate) schema: SchemaRef,
    pub(crate) segments: Vec<Segment>,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) source: Arc<dyn ObjectSource>,
    /// What each object says of itself, once asked.
    heads: Vec<OnceLock<ArrowReaderMetadata>>,
    folded: OnceLock<Vec<standing::SegmentRows>>,
    all: OnceLock<Vec<RecordBatch>>,
}

impl EvidenceTables {
    /// Every table of the vocabulary and the system over a manifest that is already cut to its scope.
    #[must_use]
    pub fn new(
        vocabulary: &Vocabulary,
        manifest: &Arc<Manifest>,
        source: &Arc<dyn ObjectSource>,
    ) -> Self {
        let mut by_table: BTreeMap<String, Vec<Segment>> = BTreeMap::new();
        for segment in &manifest.segments {
            if segment.seq <= manifest.as_of_seq {
                by_table.entry(segment.table.clone()).or_default().push(segment.clone());
            }
        }
        let definitions =
            vocabulary.tables().chain(system_tables().map(|table| -> &Table { table }));
        let tables = definitions.map(|definition| {
            let segments = by_table.remove(&definition.name).unwrap_or_default();
            let rows = TableRows {
                definition: definition.clone(),
                schema: Arc::new(schema::sql_schema(definition)),
                heads: segments.iter().map(|_| OnceLock::new()).collect(),
                segments,
                manifest: manifest.clone(),
                source: source.clone(),
                folded: OnceLock::new(),
                all: OnceLock::new(),
            };
            (definition.name.clone(), Arc::new(rows))
        });
        Self { tables: tables.collect() }
    }

    /// A table by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<TableRows>> {
        self.tables.get(name)
    }

    /// All tables in order of name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<TableRows>> {
        self.tables.values()
    }
}

impl TableRows {
    /// The definition.
    #[must_use]
    pub fn definition(&self) -> &Table {
        &self.definition
    }

    /// The columns that SQL sees.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether rows are looked at one by one in memory before anybody reads them: registers, whose
    /// validity follows from the rows around.
    fn is_presented_whole(&self) -> bool {
        self.definition.kind == TableKind::Register && validity::follows(&self.definition)
    }

    /// Which rows of each object stand.
    fn folded(&self) -> Result<&[standing::SegmentRows], EngineError> {
        if let Some(done) = self.folded.get() {
            return Ok(done);
        }
        let done = fold::fold(self)?;
        Ok(self.folded.get_or_init(|| done))
    }

    /// All rows, ordered by record of the source.
    ///
    /// # Errors
    /// Objects that cannot be read.
    pub fn batches(self: &Arc<Self>) -> Result<Vec<RecordBatch>, EngineError> {
        if let Some(done) = self.all.get() {
            return Ok(done.clone());
        }
        let rows = scan::read_in_order(self)?;
        let rows = match rows {
            Some(rows) if self.is_presented_whole() => {
                vec![validity::effective(&self.definition, &rows)?]
            }
            Some(rows) => vec![rows],
            None => Vec::new(),
        };
        // Large event tables are read again rather than kept.
        let stored: u64 = self.segments.iter().map(|segment| segment.rows).sum();
        if self.definition.kind == TableKind::Register || stored <= KEPT_ROWS {
            return Ok(self.all.get_or_init(|| rows).clone());
        }
        Ok(rows)
    }

    /// Hands on every row with those of the columns named that the table has, in any order, a batch at
    /// a time.
    ///
    /// # Errors
    /// Objects that cannot be read, or an error handed back.
    pub(crate) fn each(
        self: &Arc<Self>,
        columns: &[&str],
        take: &mut dyn FnMut(&RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        if self.all.get().is_some() || self.is_presented_whole() {
            return self.batches()?.iter().try_for_each(take);
        }
        let places = columns.iter().filter_map(|name| self.schema.index_of(name).ok());
        let places: Vec<usize> = places.collect();
        for (segment, rows) in self.folded()?.iter().enumerate() {
            if !rows.none {
                for batch in scan::UnitReader::new(self, segment, None, &places, 64 * 1024, false)?
                {
                    take(&batch?)?;
                }
            }
        }
        Ok(())
    }

    /// Whether no row can stand, by the manifest alone.
    #[must_use]
    pub fn has_no_object(&self) -> bool {
        self.segments.is_empty()
    }
}
