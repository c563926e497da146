//! Records of a source as they are written, with those around them: of use to show where a cell stands
//! that was not taken. Ids of people, and what the mapping leaves out, are not handed out. Types nothing.

use std::{collections::BTreeSet, io::Read};

use serde::{Deserialize, Serialize};

use crate::{
    mapping::plan::Plan,
    options::ImportOptions,
    read::{
        Limits, ReadError, SourceInfo,
        explain::personal,
        feed::Look,
        record::{ColumnSet, RawRecord},
        source::SourceReader,
    },
    vocabulary::Vocabulary,
};

/// Columns handed out at most.
const COLUMNS_MAX: usize = 200;
/// Characters of a cell handed out at most.
const CELL_MAX: usize = 200;
/// Records before and after a wanted one.
const AROUND: u32 = 1;

/// A cell as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExcerptCell {
    /// Nothing stands there.
    Empty,
    /// This, or its beginning.
    Written(String),
    /// A person's id.
    Personal,
    /// What the mapping leaves out on purpose.
    LeftOut,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcerptRecord {
    /// 1-based record.
    pub record: u32,
    /// First physical line, from 1; of a workbook the row of its sheet.
    pub line: u64,
    /// Sheet of a workbook.
    pub sheet: Option<String>,
    /// Cells, by column.
    pub cells: Vec<ExcerptCell>,
    /// The record could not be split into cells as a whole.
    pub broken: bool,
}

/// Records of a source under the names of its columns.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Excerpts {
    /// Names of the columns, in the source's order.
    pub columns: Vec<String>,
    /// Records, in order.
    pub records: Vec<ExcerptRecord>,
}

impl Excerpts {
    /// The record before, the record, and the one after, as far as there are any.
    pub fn around(&self, record: u32) -> impl Iterator<Item = &ExcerptRecord> {
        let span = record.saturating_sub(AROUND)..=record.saturating_add(AROUND);
        self.records.iter().filter(move |found| span.contains(&found.record))
    }
}

/// Reads as far as the last of the wanted records and its neighbour.
///
/// # Errors
/// As [`crate::read::read_source`].
pub fn excerpts(
    source: &mut dyn Read,
    info: &SourceInfo,
    vocabulary: &Vocabulary,
    options: &ImportOptions,
    wanted: &BTreeSet<u32>,
) -> Result<Excerpts, ReadError> {
    let Some(last) = wanted.last() else { return Ok(Excerpts::default()) };
    let span = |record: &u32| record.saturating_sub(AROUND)..=record.saturating_add(AROUND);
    let shown: BTreeSet<u32> = wanted.iter().flat_map(span).collect();
    let mut reader = SourceReader::open(source, options, Limits::default(), true)?;
    let (plan, _) = reader.plan(info, vocabulary, options)?;
    let dropped = options.mapping.iter().flat_map(|mapping| &mapping.definition().drop);
    let dropped: Vec<String> =
        dropped.map(|name| reader.columns().canonical(name).into_owned()).collect();
    let mut records = Vec::new();
    let mut record = RawRecord::default();
    while reader.next(&mut record)? {
        if shown.contains(&record.number) {
            records.push(excerpt(&record, reader.columns(), &plan, &dropped));
        }
        if record.number > last.saturating_add(AROUND) {
            break;
        }
    }
    let columns = reader.columns().names().iter().take(COLUMNS_MAX).cloned().collect();
    Ok(Excerpts { columns, records })
}

fn excerpt(
    record: &RawRecord,
    columns: &ColumnSet,
    plan: &Plan,
    dropped: &[String],
) -> ExcerptRecord {
    let people = personal(plan, Look::of(record, &plan.missing));
    let cell = |column: usize| match record.cell(column) {
        None => ExcerptCell::Empty,
        Some(text) if text.trim().is_empty() => ExcerptCell::Empty,
        Some(_) if people.contains(&column) => ExcerptCell::Personal,
        Some(_) if dropped.iter().any(|name| name == columns.name(column)) => ExcerptCell::LeftOut,
        Some(text) => ExcerptCell::Written(text.chars().take(CELL_MAX).collect()),
    };
    ExcerptRecord {
        record: record.number,
        line: record.place.first_line,
        sheet: record.place.sheet.clone(),
        cells: (0..columns.len().min(COLUMNS_MAX)).map(cell).collect(),
        broken: record.broken.is_some(),
    }
}
