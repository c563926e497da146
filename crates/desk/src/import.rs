//! One file that comes in: how it is to be read, and the import. Reading it without writing is in
//! [`crate::trial`].

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use backstay_evidence::{
    ImportOptions, Mapping,
    options::{Fold, TextEncoding},
};
use backstay_report::import::{FileImport, RejectionKind, TableRows};
use backstay_store::{Ctx, ImportOutcome, ImportProgress, ImportRequest, StoreError, Workspace};

use crate::error::{DeskError, because};

/// One file to import.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// How the user named it, for the report.
    pub name: String,
    /// Name without folder that it was handed in under, when it lies here under another.
    pub file: Option<String>,
    /// How it is to be read.
    pub options: ImportOptions,
    /// Whether a log that repeats another with a different clock is kept.
    pub allow_duplicate_log: bool,
}

impl Source {
    /// Name without folder that it was handed in under.
    #[must_use]
    pub fn file_name(&self) -> String {
        let here = || self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        self.file.clone().or_else(here).unwrap_or_default()
    }
}

/// How a file is to be read, as somebody wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Mapping: a name of this release, a file, or one of the workspace.
    pub mapping: Option<String>,
    /// Table of the vocabulary that the file's own columns are those of.
    pub as_table: Option<String>,
    /// Values of columns in every row, as `column=value`.
    pub set: Vec<String>,
    /// IANA time zone of times without offset.
    pub zone: Option<String>,
    /// Which instant a local time is that occurs twice.
    pub fold: Option<Fold>,
    /// Encoding, when it is not found by itself.
    pub encoding: Option<TextEncoding>,
    /// Party that the person ids belong to.
    pub party: Option<String>,
}

/// Options of one import as somebody wrote them.
///
/// # Errors
/// A `--set` that is no `column=value`, an unknown zone, a mapping that is not there or wrong.
pub fn options(reading: &Reading, workspace: Option<&Path>) -> Result<ImportOptions, DeskError> {
    let mut set = BTreeMap::new();
    for text in &reading.set {
        let (column, value) = text
            .split_once('=')
            .filter(|(column, _)| !column.trim().is_empty())
            .ok_or_else(|| {
                DeskError::usage(
                    format!("`--set {text}` names no column"),
                    "write `--set column=value`, as in `--set arrangement_id=desk`",
                )
            })?;
        if set.insert(column.trim().to_owned(), value.to_owned()).is_some() {
            return Err(DeskError::usage(
                format!("`--set` gives the column `{}` twice", column.trim()),
                "give each column once",
            ));
        }
    }
    let zone = reading.zone.as_deref().map(known_zone).transpose()?;
    let bases: Vec<PathBuf> = workspace.map(|dir| dir.join("mappings")).into_iter().collect();
    let mapping = reading.mapping.as_deref().map(|name| find_mapping(name, &bases)).transpose()?;
    Ok(ImportOptions {
        mapping,
        as_table: reading.as_table.clone(),
        set,
        zone,
        fold: reading.fold,
        encoding: reading.encoding,
        party: reading.party.clone(),
        ..ImportOptions::default()
    })
}

/// A mapping by path or name: the file as named, then a file in one of `bases` (with or without
/// `.toml`), then one that comes with this release.
///
/// # Errors
/// When there is none, or its text is wrong; the message names the file.
pub fn find_mapping(name: &str, bases: &[PathBuf]) -> Result<Mapping, DeskError> {
    let mut candidates = vec![PathBuf::from(name)];
    for base in bases {
        candidates.push(base.join(name));
        candidates.push(base.join(format!("{name}.toml")));
    }
    if let Some(path) = candidates.iter().find(|path| path.is_file()) {
        return Mapping::from_text(&read_text(path)?).map_err(|error| {
            DeskError::failed(format!("`{}`: {}", path.display(), one_line(&error.to_string())))
        });
    }
    Mapping::built_in(name).map_err(|_| {
        DeskError::usage(
            format!("`{name}` is neither a mapping of this release nor a file"),
            format!(
                "this release has {}; `backstay mapping list` says what they read",
                listed(&Mapping::names())
            ),
        )
    })
}

/// Names in backticks, with commas.
pub fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The zone of that name.
///
/// # Errors
/// When there is none.
pub fn known_zone(name: &str) -> Result<String, DeskError> {
    jiff::tz::TimeZone::get(name).map(|_| name.to_owned()).map_err(|_| {
        DeskError::usage(
            format!("`{name}` is not a time zone"),
            "write an IANA name, as in `Europe/Dublin` or `Asia/Manila`",
        )
    })
}

/// A message of several lines as one.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read_text(path: &Path) -> Result<String, DeskError> {
    std::fs::read_to_string(path).map_err(|error| {
        DeskError::failed(format!("`{}` cannot be read: {}", path.display(), because(&error)))
    })
}

/// Imports one file: one ledger entry, or none when it is there already.
///
/// # Errors
/// Those of the store; then nothing was written.
pub fn bring(
    workspace: &Workspace,
    source: &Source,
    ctx: &mut Ctx<'_>,
    watch: &mut dyn FnMut(ImportProgress),
) -> Result<FileImport, DeskError> {
    Ok(bring_in(workspace, source, ctx, watch)?)
}

/// As [`bring`], with the store's own error, for doors that tell its kinds apart.
///
/// # Errors
/// Those of the store; then nothing was written.
pub fn bring_in(
    workspace: &Workspace,
    source: &Source,
    ctx: &mut Ctx<'_>,
    watch: &mut dyn FnMut(ImportProgress),
) -> Result<FileImport, StoreError> {
    let request = ImportRequest {
        options: source.options.clone(),
        allow_duplicate_log: source.allow_duplicate_log,
    };
    let file = source.file_name();
    let outcome = workspace.import_as(&source.path, &file, &request, ctx, watch)?;
    Ok(shown(outcome, Some(&source.name)))
}

/// The outcome as a report shows it, under the name that the user gave the file.
pub fn shown(outcome: ImportOutcome, name: Option<&str>) -> FileImport {
    let mut tables: Vec<TableRows> = Vec::new();
    for table in &outcome.tables {
        let counts = &table.counts;
        let rows = counts.new + counts.corrected + counts.already_known;
        match tables.iter_mut().find(|known| known.table == table.table) {
            Some(known) => known.rows += rows,
            None => tables.push(TableRows { table: table.table.clone(), rows, first: Vec::new() }),
        }
    }
    let rejections = outcome.rejections.into_iter().map(|kind| {
        let reason = kind.examples.first().map_or_else(String::new, |first| first.reason.clone());
        RejectionKind {
            code: kind.code,
            table: kind.table,
            column: kind.column,
            reason,
            count: kind.count,
            records: kind.examples.iter().map(|example| example.record).collect(),
        }
    });
    FileImport {
        file: name.map_or(outcome.file, str::to_owned),
        read: outcome.read,
        accepted: outcome.accepted,
        quarantined: outcome.quarantined,
        already_known: outcome.already_known,
        corrected: outcome.corrected,
        entry: outcome.entry.or(outcome.already_imported),
        repeated: outcome.already_imported.is_some(),
        dry_run: false,
        tables,
        rejections: rejections.collect(),
        cells: Vec::new(),
        hints: outcome.hints,
        disagreeing_clock_with: outcome.disagreeing_clock_with,
    }
}
