//! Importing a file: one pass over its bytes, then one ledger entry that makes everything known at
//! once. A crash before that entry leaves nothing visible. This file owns the order of the steps.

mod ahead;
mod bucket;
mod clock;
mod collect;
mod commit;
pub(crate) mod existing;
mod reading;
mod reread;
mod resolve;
mod resolving;
mod run;
mod sieve;
pub(crate) mod validity;
mod write;

use std::path::Path;

use backstay_evidence::{Digest, ImportOptions};
use backstay_ledger::{Digest as LedgerDigest, EntryKind};
use serde::{Deserialize, Serialize};

pub use collect::RejectionKind;

use self::commit::Commit;
use crate::{
    backend::Backend as _,
    error::{Result, StoreError},
    payload::{self, Counts, ImportPayload, TableCounts, import_content},
    workspace::{Ctx, Workspace},
};

/// How a file is to be imported.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportRequest {
    /// How its bytes become rows.
    pub options: ImportOptions,
    /// Keep a log that is here already with another clock; the controls on both stay untested.
    pub allow_duplicate_log: bool,
}

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading, hashing, encrypting, typing and sorting, side by side.
    Reading,
    /// Comparing the cases of a work log with those of earlier logs.
    Comparing,
    /// Holding every row against what is known.
    Resolving,
    /// Making the encrypted source durable.
    Syncing,
    /// Writing typed objects and making them durable.
    Writing,
    /// Appending the entry.
    Committing,
}

impl Phase {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Comparing => "comparing",
            Self::Resolving => "resolving",
            Self::Syncing => "syncing",
            Self::Writing => "writing",
            Self::Committing => "committing",
        }
    }
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportProgress {
    /// What it is doing.
    pub phase: Phase,
    /// Bytes of the file read.
    pub bytes_read: u64,
    /// Its size.
    pub bytes_total: u64,
    /// Records read.
    pub records: u64,
}

/// Told how far an import has come.
pub type OnProgress<'a> = &'a mut dyn FnMut(ImportProgress);

/// Rows of one table and arrangement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableOutcome {
    /// Table.
    pub table: String,
    /// Arrangement; empty for a shared table.
    pub arrangement_id: String,
    /// What became of its rows.
    #[serde(flatten)]
    pub counts: TableCounts,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOutcome {
    /// Records read.
    pub read: u64,
    /// Records that brought something new.
    pub accepted: u64,
    /// Records not taken.
    pub quarantined: u64,
    /// Records whose rows were all here.
    pub already_known: u64,
    /// Records that changed a row.
    pub corrected: u64,
    /// The entry that made it known; none when nothing was new.
    pub entry: Option<u64>,
    /// File name without folder.
    pub file: String,
    /// Of the accepted: valid records that the mapping takes no row from.
    pub without_rows: u64,
    /// The entry that holds this very file, read in this very way.
    pub already_imported: Option<u64>,
    /// The import whose log this one repeats with another clock.
    pub disagreeing_clock_with: Option<u64>,
    /// Rows by table and arrangement.
    pub tables: Vec<TableOutcome>,
    /// Every kind of rejection, with its first examples.
    pub rejections: Vec<RejectionKind>,
    /// What the user should know.
    pub hints: Vec<String>,
}

impl ImportOutcome {
    fn counted(file: &str, counts: Counts) -> Self {
        Self {
            read: counts.read,
            accepted: counts.accepted,
            quarantined: counts.quarantined,
            already_known: counts.already_known,
            corrected: counts.corrected,
            entry: None,
            file: file.to_owned(),
            without_rows: counts.without_rows,
            already_imported: None,
            disagreeing_clock_with: None,
            tables: Vec::new(),
            rejections: Vec::new(),
            hints: Vec::new(),
        }
    }
}

impl Workspace {
    /// Imports a file. The same file read in the same way again changes nothing and writes no
    /// entry; so does a file of which every row is known and none is rejected.
    ///
    /// # Errors
    /// [`StoreError::Read`] for a file that cannot be read as a whole, [`StoreError::DuplicateLog`]
    /// for a log that is here with another clock, [`StoreError::Changed`] when the file was written
    /// meanwhile; those of disk and database. After an error nothing has changed.
    pub fn import(
        &self,
        path: &Path,
        request: &ImportRequest,
        ctx: &mut Ctx<'_>,
        progress: OnProgress<'_>,
    ) -> Result<ImportOutcome> {
        let file = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        self.import_as(path, &file, request, ctx, progress)
    }

    /// As [`Workspace::import`], of a file that was handed in under another name than it has here:
    /// `file` is that name, without folder.
    ///
    /// # Errors
    /// As [`Workspace::import`].
    pub fn import_as(
        &self,
        path: &Path,
        file: &str,
        request: &ImportRequest,
        ctx: &mut Ctx<'_>,
        progress: OnProgress<'_>,
    ) -> Result<ImportOutcome> {
        let file = file.to_owned();
        let options_digest = request.options.digest(&self.vocabulary, &file);
        let about = std::fs::metadata(path).map_err(StoreError::io(path))?;
        if !about.is_file() {
            // A device or a pipe may never end, and cannot be read twice.
            return Err(StoreError::NotAFile(path.to_owned()));
        }
        let bytes = about.len();
        if let Some(entry) = self.already_imported(path, bytes, options_digest)? {
            return self.held_outcome(&file, entry);
        }
        let scratch = self.scratch()?;
        let progress = std::cell::RefCell::new(progress);
        let mut report = |p: backstay_evidence::sink::Progress| {
            (progress.borrow_mut())(ImportProgress {
                phase: Phase::Reading,
                bytes_read: p.bytes_read,
                bytes_total: bytes,
                records: p.records,
            });
        };
        let source = std::fs::File::open(path).map_err(StoreError::io(path))?;
        let reading = self.read_source(
            reading::Input { source: Box::new(source), file: &file, bytes, keep: true },
            request,
            scratch.path(),
            &mut report,
        )?;
        if reading.plain_bytes != bytes {
            return Err(StoreError::Changed(path.to_owned()));
        }
        let records = reading.summary.records;
        let mut phase = |phase| {
            let at = ImportProgress { phase, bytes_read: bytes, bytes_total: bytes, records };
            (progress.borrow_mut())(at);
        };
        let content =
            import_content(reading.plain_digest, options_digest, request.allow_duplicate_log);
        let commit = Commit {
            kind: EntryKind::Import,
            request,
            file,
            options_digest,
            content,
            rereads: None,
        };
        self.commit(commit, reading, scratch.path(), ctx, &mut phase)
    }

    /// The entry that holds this very file read in this way, and still stands; `file` is the name that it was
    /// handed in under.
    ///
    /// # Errors
    /// Those of disk and database.
    pub fn imported_before(
        &self,
        path: &Path,
        file: &str,
        options: &ImportOptions,
    ) -> Result<Option<u64>> {
        let bytes = std::fs::metadata(path).map_err(StoreError::io(path))?.len();
        self.already_imported(path, bytes, options.digest(&self.vocabulary, file))
    }

    /// The entry that holds this file read in this way, and still stands.
    fn already_imported(&self, path: &Path, bytes: u64, options: Digest) -> Result<Option<u64>> {
        if self.backend.with_plain_bytes(bytes)?.is_empty() {
            return Ok(None);
        }
        let mut file = std::fs::File::open(path).map_err(StoreError::io(path))?;
        let (plain, _) = LedgerDigest::of_reader(&mut file).map_err(StoreError::io(path))?;
        for allow in [false, true] {
            let content = import_content(Digest(plain.0), options, allow);
            for seq in self.backend.with_content(&content)? {
                if let Some(standing) = self.standing_reading(seq)? {
                    return Ok(Some(standing));
                }
            }
        }
        Ok(None)
    }

    fn held_outcome(&self, file: &str, entry: u64) -> Result<ImportOutcome> {
        let held: ImportPayload = payload::read(&self.stored(entry)?)?;
        let counts = Counts {
            read: held.counts.read,
            already_known: held.counts.read - held.counts.quarantined,
            quarantined: held.counts.quarantined,
            ..Counts::default()
        };
        let mut outcome = ImportOutcome::counted(file, counts);
        outcome.already_imported = Some(entry);
        outcome.disagreeing_clock_with = held.disagreeing_clock_with;
        outcome.hints.push(format!(
            "entry {entry} already holds this file (`{}`), read in the same way: nothing changed",
            held.file
        ));
        Ok(outcome)
    }
}
