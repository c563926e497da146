//! From a row's reference back to the line of the file it came from.

use std::io::Read as _;

use backstay_evidence::{
    Digest, ImportOptions, Mapping, ReadError, RowRef, SourceInfo,
    trace::{Located, locate},
};
use serde::Serialize;

use crate::{
    error::{Result, StoreError},
    payload::{ImportPayload, Role},
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
    /// File name as handed in.
    pub file: String,
    /// SHA-256 of the file as handed in.
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

impl Workspace {
    /// Finds the record that a row came from.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`], [`StoreError::Kind`], [`StoreError::NoRecord`]; those of reading the
    /// kept source.
    pub fn trace(&self, row: RowRef) -> Result<Trace> {
        let asked = u64::from(row.entry);
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
