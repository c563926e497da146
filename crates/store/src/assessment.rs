//! Assessments as they were made: the basis, the bytes of the result, and the files that the basis
//! names. One basis is kept once. What a basis means belongs to the engine.

use std::collections::BTreeMap;

use backstay_evidence::Digest;
use backstay_ledger::{Digest as LedgerDigest, EntryKind, EvidenceDigest, Salt};
use serde::Serialize;

use crate::{
    backend::{Append, Backend as _, Basis},
    close::CloseNote,
    error::{Result, StoreError},
    payload::{self, AssessmentPayload, ObjectNote, Role},
    workspace::{Ctx, Workspace},
};

/// An assessment to keep.
#[derive(Debug, Clone, Copy)]
pub struct NewAssessment<'a> {
    /// The basis as canonical JSON: equal bases are equal bytes.
    pub basis: &'a [u8],
    /// The result.
    pub result: &'a [u8],
    /// The files that the basis names (catalogue, vocabulary, settings), by name.
    pub files: &'a [(String, Vec<u8>)],
    /// Arrangements it is about; empty: all.
    pub arrangements: &'a [String],
}

/// Where an assessment was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AssessmentKept {
    /// Its entry, by which it is replayed.
    pub entry: u64,
    /// Whether this basis was assessed before: then no entry was written.
    pub known: bool,
    /// Whether the result equals the one kept.
    pub same_result: bool,
}

/// A kept assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Its entry.
    pub entry: u64,
    /// When it was kept, microseconds UTC.
    pub recorded_at_us: i64,
    /// The basis.
    pub basis: serde_json::Value,
    /// The bytes of the result.
    pub result: Vec<u8>,
    /// The files that the basis names.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A line in the list of assessments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssessmentSummary {
    /// Its entry.
    pub entry: u64,
    /// When it was kept, microseconds UTC.
    pub recorded_at_us: i64,
    /// Who asked for it.
    pub actor: String,
    /// Arrangements it is about; empty: all.
    pub arrangements: Vec<String>,
    /// The basis.
    pub basis: serde_json::Value,
    /// Digest of the result.
    pub result: Digest,
    /// What it closes, when it is a step of a month-end.
    pub close: Option<CloseNote>,
}

fn content_of(basis: &[u8], close: Option<&CloseNote>) -> Result<LedgerDigest> {
    let note = match close {
        Some(note) => payload::write(note)?,
        None => Vec::new(),
    };
    let word: &[u8] = if close.is_some() { b"close\n" } else { b"assessment\n" };
    Ok(LedgerDigest::of_content(&[word, &note, basis].concat()))
}

impl Workspace {
    /// Keeps an assessment. The same basis writes no new entry and gives the old one.
    ///
    /// # Errors
    /// [`StoreError::Payload`] when the basis is no JSON; those of disk and database.
    pub fn append_assessment(
        &self,
        new: NewAssessment<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Result<AssessmentKept> {
        self.keep_assessment(new, None, ctx)
    }

    /// Keeps an assessment; with a note it is a step of a month-end, and an entry of its own.
    pub(crate) fn keep_assessment(
        &self,
        new: NewAssessment<'_>,
        close: Option<&CloseNote>,
        ctx: &mut Ctx<'_>,
    ) -> Result<AssessmentKept> {
        let basis = serde_json::from_slice(new.basis)
            .map_err(|error| StoreError::Payload { entry: 0, reason: error.to_string() })?;
        let _scratch = self.scratch()?;
        let _lock = self.write_lock()?;
        let content = content_of(new.basis, close)?;
        if let Some(note) = close {
            self.check_close(note)?;
        }
        let result = Digest::of(new.result);
        for entry in self.backend.with_content(&content)? {
            let stored = self.stored(entry)?;
            if stored.entry.kind == EntryKind::Assessment {
                let kept: AssessmentPayload = payload::read(&stored)?;
                let same_result = kept.result == result;
                return Ok(AssessmentKept { entry, known: true, same_result });
            }
        }
        self.put_bytes(new.result)?;
        let mut objects = vec![ObjectNote::plain(result, Role::File, "result")];
        let mut files = BTreeMap::new();
        for (name, bytes) in new.files {
            let digest = self.put_bytes(bytes)?;
            objects.push(ObjectNote::plain(digest, Role::File, name));
            files.insert(name.clone(), digest);
        }
        let payload = AssessmentPayload {
            basis,
            basis_digest: Digest::of(new.basis),
            result,
            files,
            objects,
            close: close.cloned(),
        };
        let append = Append {
            actor: ctx.actor.to_owned(),
            kind: EntryKind::Assessment,
            arrangements: new.arrangements.to_vec(),
            expectations: Vec::new(),
            basis: Basis::Any,
            payload: payload::write(&payload)?,
            salt: Salt(ctx.bytes()),
            content,
            now_us: ctx.now_us,
        };
        let sealed = self.append(&append, &mut |_, _| Ok(()))?;
        Ok(AssessmentKept { entry: sealed.seq, known: false, same_result: true })
    }

    /// A kept assessment with its bytes.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`], [`StoreError::Kind`]; [`StoreError::Object`] when bytes are missing
    /// or have changed.
    pub fn assessment(&self, entry: u64) -> Result<Assessment> {
        let stored = self.stored(entry)?;
        if stored.entry.kind != EntryKind::Assessment {
            return Err(StoreError::Kind {
                entry,
                kind: stored.entry.kind.to_string(),
                expected: "an assessment",
            });
        }
        let payload: AssessmentPayload = payload::read(&stored)?;
        let mut files = BTreeMap::new();
        for (name, digest) in &payload.files {
            files.insert(name.clone(), self.read_object(*digest)?);
        }
        Ok(Assessment {
            entry,
            recorded_at_us: stored.entry.recorded_at_us,
            basis: payload.basis,
            result: self.read_object(payload.result)?,
            files,
        })
    }

    /// All assessments, in order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn assessments(&self) -> Result<Vec<AssessmentSummary>> {
        let mut all = Vec::new();
        for seq in self.backend.with_kind(&EntryKind::Assessment)? {
            let stored = self.stored(seq)?;
            let payload: AssessmentPayload = payload::read(&stored)?;
            all.push(AssessmentSummary {
                entry: seq,
                recorded_at_us: stored.entry.recorded_at_us,
                actor: stored.entry.actor.clone(),
                arrangements: stored.entry.arrangements.clone(),
                basis: payload.basis,
                result: payload.result,
                close: payload.close,
            });
        }
        Ok(all)
    }

    /// The last entry before this one at which the evidence had this digest.
    ///
    /// # Errors
    /// Those of the database.
    pub fn entry_with_evidence(&self, before: u64, evidence: Digest) -> Result<Option<u64>> {
        let evidence = EvidenceDigest(LedgerDigest(evidence.0));
        self.backend.evidence_before(before, &evidence)
    }

    /// The bytes of an object, checked against its name. For small ones.
    ///
    /// # Errors
    /// [`StoreError::Object`].
    pub fn read_object(&self, digest: Digest) -> Result<Vec<u8>> {
        use parquet::file::reader::{ChunkReader as _, Length as _};
        let lost = |reason: String| StoreError::Object { digest, reason };
        let body = self.backend.open_object(digest);
        let body = body.map_err(|error| lost(format!("cannot be read ({error})")))?;
        let length = usize::try_from(body.len()).unwrap_or(usize::MAX);
        let bytes =
            body.get_bytes(0, length).map_err(|error| lost(format!("cannot be read ({error})")))?;
        if Digest::of(&bytes) != digest {
            return Err(lost("has changed bytes".to_owned()));
        }
        Ok(bytes.to_vec())
    }
}
