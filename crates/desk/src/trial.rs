//! A file read as an import would read it, with nothing written: what it is, what its rows would be, what
//! they would touch, and every kind of rejection with the records around it. Decides no right; it says what
//! a right must cover.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
};

use backstay_evidence::{
    Excerpts, ImportOptions, Mapping, ReadError, ReadSummary, Rejection, Sink, SourceInfo,
    TypedBatch,
    dry_run::DryRun,
    excerpts, read_source,
    recognise::{self, Fit, Layout, layout},
    sink::{Progress as ReadProgress, SinkError, TypedCell, VaultEntry, WantsCells},
};
use backstay_privacy::PseudonymKey;
use backstay_report::import::{FileImport, FromCell, ReadCell, Refusal, RejectionKind, TableRows};
use backstay_store::Workspace;

use crate::{
    error::{DeskError, because},
    import::Source,
};

/// What the rows of a file would touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Touched {
    /// Table and arrangement of every row, of every load of the whole, and of every rejected record that
    /// names an arrangement; the empty arrangement for shared tables.
    pub rows: BTreeSet<(String, String)>,
    /// Parties whose ids of people stand in it: the first thousand.
    pub parties: BTreeSet<String>,
}

/// A file that was tried.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Counts, first rows, rejections.
    pub read: FileImport,
    /// What it is.
    pub layout: Layout,
    /// Table, when its own columns are those of one.
    pub table: Option<String>,
    /// Date format that each column turned out to have, when there was a choice.
    pub date_formats: Vec<(String, String)>,
    /// Different people named.
    pub people: u64,
    /// What it would touch.
    pub touched: Touched,
    /// Records around the first of each kind of rejection.
    pub excerpts: Excerpts,
}

/// Tries a file. Pseudonyms are made with a key of this run alone, so that what is shown cannot be compared
/// with anything kept. An error of `watch` ends it.
///
/// # Errors
/// When the file cannot be read as a whole.
pub fn try_whole(
    workspace: &Workspace,
    source: &Source,
    key: [u8; 32],
    watch: &mut dyn FnMut(ReadProgress) -> Result<(), SinkError>,
) -> Result<Trial, ReadError> {
    let unread = |source| ReadError::Io { records: 0, source };
    let (summary, mut preview) = pass(workspace, source, key, watch)?;
    let layout = layout(&mut File::open(&source.path).map_err(unread)?, &source.options)?;
    let wanted: BTreeSet<u32> = preview
        .rejections
        .kinds()
        .iter()
        .filter_map(|(_, count)| count.examples.first().map(|(record, _)| *record))
        .take(KINDS_SHOWN)
        .collect();
    let excerpts = excerpts(
        &mut File::open(&source.path).map_err(unread)?,
        &info(source),
        workspace.vocabulary(),
        &source.options,
        &wanted,
    )?;
    let touched = touched(&summary, &mut preview);
    Ok(Trial {
        layout,
        table: summary.table.clone(),
        date_formats: summary.date_formats.clone(),
        people: preview.people,
        touched,
        excerpts,
        read: shown(source, summary, preview),
    })
}

/// Kinds of rejection whose first record is shown with those around it.
const KINDS_SHOWN: usize = 40;

fn touched(summary: &ReadSummary, preview: &mut DryRun) -> Touched {
    let mut rows = BTreeSet::new();
    for (table, found) in &preview.tables {
        rows.extend(found.rows.keys().map(|arrangement| (table.clone(), arrangement.clone())));
    }
    for scope in &summary.scopes {
        rows.insert((scope.table.clone(), scope.arrangement_id.clone()));
    }
    // They are kept too, under the arrangement that they name.
    let rejected = preview.rejected_of.iter().filter(|arrangement| !arrangement.is_empty());
    let quarantine = backstay_evidence::manifest::QUARANTINE;
    rows.extend(rejected.map(|arrangement| (quarantine.to_owned(), arrangement.clone())));
    Touched { rows, parties: std::mem::take(&mut preview.parties) }
}

/// What reads a file, found from its head: nothing when no table and none of these mappings does.
///
/// # Errors
/// When it can be read in no format.
pub fn found(
    workspace: &Workspace,
    source: &Source,
    mappings: &[&Mapping],
) -> Result<Option<Fit>, ReadError> {
    let mut open = || -> io::Result<Box<dyn Read>> { Ok(Box::new(File::open(&source.path)?)) };
    let info = info(source);
    let (vocabulary, options) = (workspace.vocabulary(), &source.options);
    let fits = recognise::recognise(&info, vocabulary, options, mappings, &mut open)?;
    Ok(fits.into_iter().next())
}

/// Whether a file has what its reading needs, as far as its head says.
///
/// # Errors
/// What is lacking.
pub fn check(workspace: &Workspace, source: &Source) -> Result<(), ReadError> {
    let unread = |source| ReadError::Io { records: 0, source };
    let mut file = File::open(&source.path).map_err(unread)?;
    recognise::check(&mut file, &info(source), workspace.vocabulary(), &source.options)
}

fn info(source: &Source) -> SourceInfo {
    let bytes_total = std::fs::metadata(&source.path).ok().map(|about| about.len());
    SourceInfo { file_name: source.file_name(), bytes_total }
}

/// One reading pass.
fn pass(
    workspace: &Workspace,
    source: &Source,
    key: [u8; 32],
    watch: &mut dyn FnMut(ReadProgress) -> Result<(), SinkError>,
) -> Result<(ReadSummary, DryRun), ReadError> {
    let mut file =
        File::open(&source.path).map_err(|source| ReadError::Io { records: 0, source })?;
    let key = PseudonymKey::new(key);
    let mut sink = Watched { preview: DryRun::default(), watch };
    let (vocabulary, options): (_, &ImportOptions) = (workspace.vocabulary(), &source.options);
    let summary = read_source(&mut file, &info(source), vocabulary, options, &key, &mut sink)?;
    Ok((summary, sink.preview))
}

fn shown(source: &Source, summary: ReadSummary, preview: DryRun) -> FileImport {
    let quarantined = preview.rejections.records();
    FileImport {
        file: source.name.clone(),
        read: summary.records,
        accepted: summary.records.saturating_sub(quarantined),
        quarantined,
        dry_run: true,
        tables: preview.tables.into_iter().map(|(table, preview)| rows(table, preview)).collect(),
        rejections: preview.rejections.kinds().into_iter().map(rejection).collect(),
        cells: preview.cells.into_iter().map(cell).collect(),
        hints: summary.hints,
        ..FileImport::default()
    }
}

/// Passes everything on to the preview, and progress to whoever watches.
struct Watched<'a> {
    preview: DryRun,
    watch: &'a mut dyn FnMut(ReadProgress) -> Result<(), SinkError>,
}

impl Sink for Watched<'_> {
    fn rows(&mut self, batch: TypedBatch) -> Result<(), SinkError> {
        self.preview.rows(batch)
    }

    fn reject(&mut self, rejection: Rejection) -> Result<(), SinkError> {
        self.preview.reject(rejection)
    }

    fn wants_cells(&self) -> Option<WantsCells> {
        self.preview.wants_cells()
    }

    fn cells(&mut self, cells: Vec<TypedCell>) -> Result<(), SinkError> {
        self.preview.cells(cells)
    }

    fn person(&mut self, entry: VaultEntry) -> Result<(), SinkError> {
        self.preview.person(entry)
    }

    fn progress(&mut self, at: ReadProgress) -> Result<(), SinkError> {
        (self.watch)(at)
    }
}

/// As [`try_whole`], for doors that show the counts and the cells alone.
///
/// # Errors
/// When the file cannot be read as a whole.
pub fn try_out(
    workspace: &Workspace,
    source: &Source,
    key: [u8; 32],
    watch: &mut dyn FnMut(ReadProgress),
) -> Result<FileImport, DeskError> {
    // Opened here once more, so that a file that is not there is told from one that cannot be read.
    File::open(&source.path).map_err(|error| {
        let place = source.path.display();
        DeskError::failed(format!("`{place}` cannot be read: {}", because(&error)))
    })?;
    let mut watch = |at| {
        watch(at);
        Ok(())
    };
    let (summary, preview) = pass(workspace, source, key, &mut watch)?;
    Ok(shown(source, summary, preview))
}

fn cell(cell: TypedCell) -> ReadCell {
    let from = cell.from.into_iter().map(|from| FromCell {
        column: from.column,
        cell: from.cell,
        written: from.written,
        personal: from.personal,
    });
    ReadCell {
        record: cell.record,
        item: cell.item,
        from: from.collect(),
        table: cell.table,
        column: cell.column,
        value: cell.value,
        refused: cell.refused.map(|(code, reason)| Refusal { code, reason }),
    }
}

fn rows(table: String, preview: backstay_evidence::dry_run::TablePreview) -> TableRows {
    let first = preview.first.into_iter().map(|row| {
        let named = preview.columns.iter().cloned().zip(row);
        named.filter(|(column, _)| !column.starts_with('_')).collect()
    });
    TableRows { table, rows: preview.rows.values().sum(), first: first.collect() }
}

fn rejection(
    (kind, found): (
        backstay_evidence::dry_run::RejectionKind,
        backstay_evidence::dry_run::RejectionCount,
    ),
) -> RejectionKind {
    RejectionKind {
        code: kind.code,
        table: kind.table,
        column: kind.column,
        reason: kind.reason,
        count: found.count,
        records: found.examples.iter().map(|(record, _)| *record).collect(),
    }
}
