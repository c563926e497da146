//! Reading the kept bytes of an import again with other options. The former reading's rows go and
//! the new ones come, in one entry: as if the file had been read so from the start, except that
//! what other imports said since then still has the last word.

use std::io::Read;

use backstay_evidence::{Digest, manifest::RetractTarget};
use backstay_ledger::EntryKind;
use backstay_privacy::{SourceKey, decrypt_stream};

use super::{
    ImportOutcome, ImportProgress, ImportRequest, OnProgress, Phase,
    commit::{Again, Commit},
    reading,
};
use crate::{
    backend::{Backend as _, SecretKind, StoredEntry},
    error::{Result, StoreError},
    payload::{self, ErasePayload, ImportPayload, Role, reread_content},
    workspace::{Ctx, Workspace},
};

impl Workspace {
    /// Reads the kept source of an import again. The references of its rows stay those of the
    /// import. When the new reading says what the standing one says, no entry is written.
    ///
    /// # Errors
    /// [`StoreError::Kind`] when the entry is no import, [`StoreError::AlreadyRetracted`],
    /// [`StoreError::Erased`], and those of [`Workspace::import`].
    pub fn reread(
        &self,
        entry: u64,
        request: &ImportRequest,
        ctx: &mut Ctx<'_>,
        progress: OnProgress<'_>,
    ) -> Result<ImportOutcome> {
        let asked = self.import_payload(entry)?;
        let origin = asked.rereads.unwrap_or(entry);
        let first = self.import_payload(origin)?;
        let supersedes = self.standing_readings(origin)?;
        if supersedes.is_empty() {
            let by = self.retracted_by(origin)?.unwrap_or(origin);
            return Err(StoreError::AlreadyRetracted { what: format!("entry {origin}"), by });
        }
        let source = first.object(Role::Source).unwrap_or(first.plain_digest);
        // What was kept all the same when it came in is kept all the same now.
        let request = &ImportRequest {
            allow_duplicate_log: request.allow_duplicate_log || first.allow_duplicate_log,
            ..request.clone()
        };
        let options_digest = request.options.digest(&self.vocabulary, &first.file);
        let scratch = self.scratch()?;
        let bytes = first.plain_bytes;
        let progress = std::cell::RefCell::new(progress);
        let mut report = |p: backstay_evidence::sink::Progress| {
            (progress.borrow_mut())(ImportProgress {
                phase: Phase::Reading,
                bytes_read: p.bytes_read,
                bytes_total: bytes,
                records: p.records,
            });
        };
        let input = reading::Input {
            source: self.open_source(origin, source)?,
            file: &first.file,
            bytes,
            keep: false,
        };
        let reading = self.read_source(input, request, scratch.path(), &mut report)?;
        if reading.plain_digest != first.plain_digest {
            return Err(StoreError::Object {
                digest: source,
                reason: "does not hold the bytes that were imported".to_owned(),
            });
        }
        let records = reading.summary.records;
        let mut phase = |phase| {
            let at = ImportProgress { phase, bytes_read: bytes, bytes_total: bytes, records };
            (progress.borrow_mut())(at);
        };
        let said = self.stored(origin)?.content;
        let commit = Commit {
            kind: EntryKind::Reread,
            request,
            file: first.file.clone(),
            options_digest,
            content: reread_content(said, options_digest, request.allow_duplicate_log),
            rereads: Some(Again { origin, supersedes, source }),
        };
        self.commit(commit, reading, scratch.path(), ctx, &mut phase)
    }

    /// The plain bytes of a kept source.
    pub(crate) fn open_source(&self, entry: u64, source: Digest) -> Result<Box<dyn Read + Send>> {
        let name = source.to_string();
        let Some(wrapped) = self.backend.secret(SecretKind::Source, &name)? else {
            return Err(match self.erased_by(entry)? {
                Some((by, _)) => StoreError::Erased { entry, by },
                None => StoreError::Object {
                    digest: source,
                    reason: "is encrypted under a key that is not here".to_owned(),
                },
            });
        };
        let key = SourceKey::unwrap_sealed(&self.keys.wrap()?, &name, &wrapped)?;
        let body = self.backend.open_object(source).map_err(|error| StoreError::Object {
            digest: source,
            reason: format!("cannot be read ({error})"),
        })?;
        let raw: Box<dyn Read + Send> = match body {
            backstay_evidence::manifest::ObjectBody::File(file) => Box::new(file),
            backstay_evidence::manifest::ObjectBody::Bytes(bytes) => {
                Box::new(std::io::Cursor::new(bytes))
            }
        };
        Ok(Box::new(decrypt_stream(&key, raw)?))
    }

    /// The entry that erased the source of an import, and what it says.
    pub(crate) fn erased_by(&self, entry: u64) -> Result<Option<(u64, ErasePayload)>> {
        let mut found = None;
        for seq in self.backend.with_kind(&EntryKind::Erase)? {
            let payload: ErasePayload = payload::read(&self.stored(seq)?)?;
            if payload.sources.contains(&entry) {
                found = Some((seq, payload));
            }
        }
        Ok(found)
    }

    /// An entry that must be there.
    pub(crate) fn stored(&self, entry: u64) -> Result<StoredEntry> {
        match self.backend.entry(entry)? {
            Some(stored) => Ok(stored),
            None => Err(StoreError::NoEntry { entry, size: self.backend.head()?.size }),
        }
    }

    /// The payload of an import or reread.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`], [`StoreError::Kind`]; a payload that was erased.
    pub fn import_payload(&self, entry: u64) -> Result<ImportPayload> {
        let stored = self.stored(entry)?;
        match stored.entry.kind {
            EntryKind::Import | EntryKind::Reread => payload::read(&stored),
            _ => Err(StoreError::Kind {
                entry,
                kind: stored.entry.kind.to_string(),
                expected: "an import or a reread",
            }),
        }
    }

    /// All readings of an import's source: the import and its rereads, in order.
    pub(crate) fn readings(&self, origin: u64) -> Result<Vec<u64>> {
        let mut all = vec![origin];
        all.extend(self.backend.rereads(origin)?);
        Ok(all)
    }

    /// Those readings whose rows still stand.
    pub(crate) fn standing_readings(&self, origin: u64) -> Result<Vec<u64>> {
        let mut standing = Vec::new();
        for seq in self.readings(origin)? {
            if self.retracted_by(seq)?.is_none() {
                standing.push(seq);
            }
        }
        Ok(standing)
    }

    /// The entry that took away all rows of a reading: a retraction or a reread.
    pub(crate) fn retracted_by(&self, seq: u64) -> Result<Option<u64>> {
        let head = self.backend.head()?.size;
        let retractions = self.backend.retractions(head)?;
        let of_it = retractions.iter().find(|r| r.target == RetractTarget::Entry(seq));
        Ok(of_it.map(|retraction| retraction.seq))
    }

    /// The entry whose rows stand for this reading: itself, the reread that took its place, or
    /// none when it was retracted.
    pub(crate) fn standing_reading(&self, seq: u64) -> Result<Option<u64>> {
        let mut at = seq;
        while let Some(by) = self.retracted_by(at)? {
            if self.stored(by)?.entry.kind != EntryKind::Reread {
                return Ok(None);
            }
            at = by;
        }
        Ok(Some(at))
    }
}
