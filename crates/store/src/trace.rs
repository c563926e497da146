//! From a row's reference back to the line of the file it came from.

use std::{collections::BTreeMap, io::Read as _};

use backstay_evidence::{
    Digest, ImportOptions, Mapping, ReadError, RowRef, SourceInfo,
    trace::{Located, locate},
};
use backstay_ledger::EntryKind;
use serde::Serialize;

use crate::{
    backend::{Backend as _, StoredEntry, VersionNote},
    error::{Result, StoreError},
    payload::{self, EditPayload, ImportPayload, Role},
    workspace::Workspace,
};

/// Where a row came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The reference, `entry:record`.
    pub reference: String,
    /// The import.
    pub entry: u64,
    /// When it was recorded, microseconds UTC.
    pub recorded_at_us: i64,
    /// Who imported it.
    pub actor: String,
    /// File name as handed in; empty for a row entered by hand.
    pub file: String,
    /// SHA-256 of the file as handed in, or of the payload that holds the row.
    pub digest: Digest,
    /// How many bytes that is.
    pub bytes: u64,
    /// The reading that stands: the import, or the last reread.
    pub read_by: u64,
    /// The place in the file.
    pub source: TraceSource,
}

/// The place in a file, or why it cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TraceSource {
    /// The record itself.
    Located(Located),
    /// Record 0: the file as a whole says that a fact no longer stands, by not holding it.
    WholeFile,
    /// A row entered by hand.
    Entered {
        /// Table.
        table: String,
        /// Arrangement; empty for a shared table.
        arrangement_id: String,
        /// Values by physical column; persons as pseudonyms.
        values: BTreeMap<String, String>,
        /// It says that the fact no longer stands.
        deleted: bool,
        /// Entry of the version that its author changed; none when there was none.
        before: Option<u64>,
        /// Why; may be empty.
        reason: String,
        /// Entry of the retraction that took it away.
        retracted_by: Option<u64>,
    },
    /// The source was erased.
    Erased {
        /// Entry that erased it.
        by: u64,
        /// When, microseconds UTC.
        recorded_at_us: i64,
        /// Who.
        actor: String,
        /// Why.
        reason: String,
    },
}

/// One version of a register row, for its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastVersion {
    /// Entry that made it known.
    pub entry: u64,
    /// Reference, `entry:record`, to trace it by.
    pub reference: String,
    /// When it was recorded, microseconds UTC.
    pub recorded_at_us: i64,
    /// Who.
    pub actor: String,
    /// File that brought it; none when it was entered by hand.
    pub file: Option<String>,
    /// Why it was entered; none for a version that a file brought.
    pub reason: Option<String>,
    /// Values by physical column; of a version that says that the fact no longer stands those that it
    /// had, or none.
    pub values: Option<BTreeMap<String, String>>,
    /// It says that the fact no longer stands.
    pub deleted: bool,
    /// It was retracted since.
    pub retracted: bool,
}

impl Workspace {
    /// Finds the record that a row came from.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`], [`StoreError::Kind`], [`StoreError::NoRecord`]; those of reading the
    /// kept source.
    pub fn trace(&self, row: RowRef) -> Result<Trace> {
        let asked = u64::from(row.entry);
        let stored = self.stored(asked)?;
        if stored.entry.kind == EntryKind::Edit {
            return self.trace_edit(row, &stored);
        }
        let payload = self.import_payload(asked)?;
        let origin = payload.rereads.unwrap_or(asked);
        let first = self.import_payload(origin)?;
        let stored = self.stored(origin)?;
        let read_by = self.readings(origin)?.pop().unwrap_or(origin);
        let source = match (row.record, self.erased_by(origin)?) {
            (_, Some((by, erased))) => {
                let entry = self.stored(by)?.entry;
                TraceSource::Erased {
                    by,
                    recorded_at_us: entry.recorded_at_us,
                    actor: entry.actor,
                    reason: erased.reason,
                }
            }
            (0, None) => TraceSource::WholeFile,
            (record, None) => TraceSource::Located(self.locate(origin, &first, read_by, record)?),
        };
        Ok(Trace {
            reference: row.to_string(),
            entry: origin,
            recorded_at_us: stored.entry.recorded_at_us,
            actor: stored.entry.actor,
            file: first.file,
            digest: first.plain_digest,
            bytes: first.plain_bytes,
            read_by,
            source,
        })
    }

    /// A row that was entered by hand: who, when, what and why.
    fn trace_edit(&self, row: RowRef, stored: &StoredEntry) -> Result<Trace> {
        let entry = stored.entry.sequence;
        let payload: EditPayload = payload::read(stored)?;
        let records = payload.rows.len() as u64;
        let place = (row.record as usize).checked_sub(1);
        let found = place
            .and_then(|place| payload.rows.get(place))
            .ok_or_else(|| StoreError::NoRecord { entry, record: row.record, records })?;
        let head = self.backend.head()?.size;
        let retractions = self.backend.retractions(head)?;
        let taken = retractions.iter().find(|retraction| retraction.takes(entry, row));
        let (bytes, digest) = match &stored.payload {
            Some((_, bytes)) => (bytes.len() as u64, Digest::of(bytes)),
            None => (0, Digest::of(&[])),
        };
        Ok(Trace {
            reference: row.to_string(),
            entry,
            recorded_at_us: stored.entry.recorded_at_us,
            actor: stored.entry.actor.clone(),
            file: String::new(),
            digest,
            bytes,
            read_by: entry,
            source: TraceSource::Entered {
                table: found.table.clone(),
                arrangement_id: found.arrangement_id.clone(),
                values: found.values.clone(),
                deleted: found.deleted,
                before: found.before,
                reason: payload.reason.clone(),
                retracted_by: taken.map(|retraction| retraction.seq),
            },
        })
    }

    /// The versions of a register row, newest first, at most `limit`: who made it what, and when. The
    /// key is as edits and [`crate::RegisterRow`] show it.
    ///
    /// # Errors
    /// [`StoreError::NoRow`] when there never was such a row; those of the database and of objects.
    pub fn history(
        &self,
        table: &str,
        arrangement_id: &str,
        key: &str,
        limit: usize,
    ) -> Result<Vec<PastVersion>> {
        let current = self.backend.register_row(table, arrangement_id, key)?;
        let current = current
            .ok_or_else(|| StoreError::NoRow { table: table.to_owned(), key: key.to_owned() })?;
        let mut notes = self.backend.versions(Some((table, current.root)), limit)?;
        if let Some(root) = RowRef::unpack(current.root.0).filter(|_| notes.len() < limit) {
            // A first version is known to come from its own entry; after a reread from that.
            let entry = u64::from(root.entry);
            let seq = self.backend.rereads(entry)?.pop().unwrap_or(entry);
            let (table, item) = (table.to_owned(), current.root.1);
            let root = (root.pack(), item);
            let record = RowRef::unpack(root.0).map_or(0, |root| root.record);
            notes.push(VersionNote { table, root, seq, entry, record, item });
        }
        let head = self.backend.head()?.size;
        let retractions = self.backend.retractions(head)?;
        notes
            .into_iter()
            .map(|note| {
                let row = RowRef {
                    entry: u32::try_from(note.entry).unwrap_or(u32::MAX),
                    record: note.record,
                };
                let stored = self.stored(note.seq)?;
                let mut version = PastVersion {
                    entry: note.seq,
                    reference: row.to_string(),
                    recorded_at_us: stored.entry.recorded_at_us,
                    actor: stored.entry.actor.clone(),
                    file: None,
                    reason: None,
                    values: None,
                    deleted: note.record == 0,
                    retracted: retractions.iter().any(|taken| taken.takes(note.seq, row)),
                };
                if stored.entry.kind == EntryKind::Edit {
                    let payload: EditPayload = payload::read(&stored)?;
                    let place = (note.record as usize).saturating_sub(1);
                    version.reason = Some(payload.reason);
                    if let Some(row) = payload.rows.into_iter().nth(place) {
                        version.deleted = row.deleted;
                        version.values = Some(row.values);
                    }
                } else {
                    version.file = Some(payload::read::<ImportPayload>(&stored)?.file);
                    version.values = match note.seq == current.seq && note.record == current.record
                    {
                        true => current.row.as_deref().and_then(|t| serde_json::from_str(t).ok()),
                        false if version.deleted => None,
                        false => self.imported_values(arrangement_id, &note)?,
                    };
                }
                Ok(version)
            })
            .collect()
    }

    fn locate(
        &self,
        origin: u64,
        first: &ImportPayload,
        read_by: u64,
        record: u32,
    ) -> Result<Located> {
        let records = first.counts.read;
        if u64::from(record) > records {
            return Err(StoreError::NoRecord { entry: origin, record, records });
        }
        let digest = first.object(Role::Source).unwrap_or(first.plain_digest);
        let options = self.options_of(&self.import_payload(read_by)?)?;
        let mut source = self.open_source(origin, digest)?;
        let info =
            SourceInfo { file_name: first.file.clone(), bytes_total: Some(first.plain_bytes) };
        Ok(locate(&mut source, &info, &options, record)?)
    }

    /// How an import was read, its mapping put back.
    ///
    /// # Errors
    /// [`StoreError::Object`] when the mapping's text is gone.
    pub fn options_of(&self, payload: &ImportPayload) -> Result<ImportOptions> {
        let mut options = payload.options.clone();
        if let Some(digest) = payload.object(Role::Mapping) {
            let text = String::from_utf8(self.read_object(digest)?)
                .map_err(|_| StoreError::Object { digest, reason: "is no mapping".to_owned() })?;
            options.mapping = Some(
                Mapping::from_text(&text)
                    .map_err(|error| StoreError::Read(ReadError::Mapping(error)))?,
            );
        }
        Ok(options)
    }

    /// The plain bytes of the source that an import kept, streamed into `out`.
    ///
    /// # Errors
    /// [`StoreError::Erased`]; those of reading and writing.
    pub fn export_source(&self, entry: u64, out: &mut dyn std::io::Write) -> Result<u64> {
        let payload = self.import_payload(entry)?;
        let origin = payload.rereads.unwrap_or(entry);
        let digest = payload.object(Role::Source).unwrap_or(payload.plain_digest);
        let mut source = self.open_source(origin, digest)?;
        std::io::copy(&mut source.by_ref(), out).map_err(StoreError::io(&payload.file))
    }
}
