//! `backstay import --dry-run`: the whole reading pass, with nothing written.

use std::fs::File;

use backstay_evidence::{
    Rejection, Sink, SourceInfo, TypedBatch,
    dry_run::DryRun,
    read_source,
    sink::{Progress as ReadProgress, SinkError, TypedCell, VaultEntry, WantsCells},
};
use backstay_privacy::PseudonymKey;
use backstay_report::import::{FileImport, FromCell, ReadCell, Refusal, RejectionKind, TableRows};
use backstay_store::Workspace;

use crate::{door, error::CliError, progress::Progress, sources::Source};

/// Passes everything on to the preview, and progress to the bar.
struct Watched<'a> {
    preview: DryRun,
    bar: &'a Progress,
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
        self.bar.reading(at.bytes_read, at.bytes_total, at.records);
        Ok(())
    }
}

/// Reads a file as an import would. Pseudonyms are made with a key of this run alone, so that what
/// is shown cannot be compared with anything kept.
///
/// # Errors
/// When the file cannot be read as a whole.
pub fn run(workspace: &Workspace, source: &Source) -> Result<FileImport, CliError> {
    let unreadable = |error: std::io::Error| {
        CliError::failed(format!(
            "`{}` cannot be read: {}",
            source.path.display(),
            door::because(&error)
        ))
    };
    let mut file = File::open(&source.path).map_err(unreadable)?;
    let bytes_total = file.metadata().map_err(unreadable)?.len();
    let file_name =
        source.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let info = SourceInfo { file_name, bytes_total: Some(bytes_total) };
    let key = PseudonymKey::new(door::random_bytes()?);
    let bar = Progress::start(&source.name);
    let mut sink = Watched { preview: DryRun::default(), bar: &bar };
    let vocabulary = workspace.vocabulary();
    let summary = read_source(&mut file, &info, vocabulary, &source.options, &key, &mut sink)?;
    let preview = sink.preview;
    let quarantined = preview.rejections.records();
    Ok(FileImport {
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
    })
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
