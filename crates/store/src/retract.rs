//! Taking rows away from an entry on: a whole import, or one record. Earlier answers keep them;
//! what they had replaced stands again.

use backstay_evidence::{
    RowRef,
    manifest::{RetractTarget, Retraction},
};
use backstay_ledger::{Digest as LedgerDigest, EntryKind, Salt};
use serde::Serialize;

use crate::{
    backend::{Append, Backend as _, Basis, IndexWriter},
    error::{Result, StoreError},
    index,
    payload::{self, ImportPayload, RetractPayload, Role},
    register,
    workspace::{Ctx, Workspace},
};

/// What a retraction did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retracted {
    /// Its entry.
    pub entry: u64,
    /// What it takes away: for an import also later readings of its source.
    pub takes: Vec<RetractTarget>,
}

impl Workspace {
    /// Retracts an import, or one record of it.
    ///
    /// # Errors
    /// [`StoreError::NoReason`], [`StoreError::NoEntry`], [`StoreError::Kind`] when the entry is no
    /// import, [`StoreError::NoRecord`], [`StoreError::AlreadyRetracted`].
    pub fn retract(
        &self,
        target: &RetractTarget,
        reason: &str,
        ctx: &mut Ctx<'_>,
    ) -> Result<Retracted> {
        if reason.trim().is_empty() {
            return Err(StoreError::NoReason);
        }
        let _lock = self.write_lock()?;
        let head = self.backend.head()?;
        let (takes, of) = match target {
            RetractTarget::Entry(entry) => self.whole(*entry)?,
            RetractTarget::Record(entry, record) => self.one_record(*entry, *record)?,
        };
        let payload = RetractPayload {
            target: target.clone(),
            takes: takes.clone(),
            reason: reason.trim().to_owned(),
        };
        let stored = self.stored(of)?;
        let what = match target {
            RetractTarget::Entry(_) => "all".to_owned(),
            RetractTarget::Record(_, record) => format!("record {record}"),
        };
        let append = Append {
            actor: ctx.actor.to_owned(),
            kind: EntryKind::Retract,
            arrangements: stored.entry.arrangements.clone(),
            expectations: Vec::new(),
            basis: Basis::EvidenceAt(head.evidence_seq),
            content: LedgerDigest::of_content(
                format!("retract\n{}\n{what}\n{}\n", stored.content, payload.reason).as_bytes(),
            ),
            payload: payload::write(&payload)?,
            salt: Salt(ctx.bytes()),
            now_us: ctx.now_us,
        };
        let mut retractions = self.backend.retractions(head.size)?;
        let seq = head.size + 1;
        retractions.extend(takes.iter().map(|target| Retraction { seq, target: target.clone() }));
        let touched = self.tables_of(of)?;
        let segments = self.row_segments(head.size, false)?;
        let sealed = self.append(&append, &mut |sealed, index| {
            index::put_retract(sealed.seq, &payload, index)?;
            for table in &touched {
                index.clear_register(table)?;
            }
            register::fold_all(self, &segments, &retractions, Some(&touched), index)
        })?;
        Ok(Retracted { entry: sealed.seq, takes })
    }

    /// All standing readings of an import's source, or the one reread that was named.
    fn whole(&self, entry: u64) -> Result<(Vec<RetractTarget>, u64)> {
        if self.stored(entry)?.entry.kind == EntryKind::Edit {
            return match self.retracted_by(entry)? {
                Some(by) => {
                    Err(StoreError::AlreadyRetracted { what: format!("entry {entry}"), by })
                }
                None => Ok((vec![RetractTarget::Entry(entry)], entry)),
            };
        }
        let origin = self.import_payload(entry)?.rereads.unwrap_or(entry);
        let standing = self.standing_readings(origin)?;
        if standing.is_empty() {
            let by = self.retracted_by(entry)?.unwrap_or(entry);
            return Err(StoreError::AlreadyRetracted { what: format!("entry {entry}"), by });
        }
        Ok((standing.into_iter().map(RetractTarget::Entry).collect(), origin))
    }

    fn one_record(&self, entry: u64, record: u32) -> Result<(Vec<RetractTarget>, u64)> {
        let stored = self.stored(entry)?;
        let (origin, records) = if stored.entry.kind == EntryKind::Edit {
            (entry, self.edit_payload(entry)?.rows.len() as u64)
        } else {
            let payload = self.import_payload(entry)?;
            (payload.rereads.unwrap_or(entry), payload.counts.read)
        };
        let is_row = record > 0 || stored.entry.kind != EntryKind::Edit;
        if u64::from(record) > records || !is_row {
            return Err(StoreError::NoRecord { entry, record, records });
        }
        let target = RetractTarget::Record(origin, record);
        let head = self.backend.head()?.size;
        let before = self.backend.retractions(head)?;
        if let Some(by) = before.iter().find(|retraction| retraction.target == target) {
            let row = RowRef { entry: u32::try_from(origin).unwrap_or(u32::MAX), record };
            return Err(StoreError::AlreadyRetracted { what: format!("row {row}"), by: by.seq });
        }
        if self.standing_readings(origin)?.is_empty() {
            let by = self.retracted_by(origin)?.unwrap_or(origin);
            return Err(StoreError::AlreadyRetracted { what: format!("entry {origin}"), by });
        }
        Ok((vec![target], origin))
    }

    /// Tables that any reading of an import brought rows of.
    fn tables_of(&self, origin: u64) -> Result<Vec<String>> {
        let mut tables = Vec::new();
        if self.stored(origin)?.entry.kind == EntryKind::Edit {
            tables.extend(self.edit_payload(origin)?.rows.into_iter().map(|row| row.table));
            tables.sort_unstable();
            tables.dedup();
            return Ok(tables);
        }
        for seq in self.readings(origin)? {
            tables.extend(rows_of(&self.import_payload(seq)?));
        }
        tables.sort_unstable();
        tables.dedup();
        Ok(tables)
    }

    /// Folds the registers that a reread touches anew, inside its append.
    pub(crate) fn refold_registers(
        &self,
        seq: u64,
        payload: &ImportPayload,
        index: &mut dyn IndexWriter,
        standing: &Standing,
    ) -> Result<()> {
        let mut tables = standing.touched.clone();
        tables.extend(rows_of(payload));
        tables.sort_unstable();
        tables.dedup();
        for table in &tables {
            index.clear_register(table)?;
        }
        let mut segments = standing.segments.clone();
        segments.extend(index::segments(seq, payload));
        let mut retractions = standing.retractions.clone();
        retractions.extend(
            payload
                .supersedes
                .iter()
                .map(|entry| Retraction { seq, target: RetractTarget::Entry(*entry) }),
        );
        register::fold_all(self, &segments, &retractions, Some(&tables), index)
    }

    /// What stands before a reread, read before its append holds the database.
    pub(crate) fn standing(&self, supersedes: &[u64]) -> Result<Standing> {
        let head = self.backend.head()?.size;
        let mut touched = Vec::new();
        for seq in supersedes {
            touched.extend(rows_of(&self.import_payload(*seq)?));
        }
        Ok(Standing {
            touched,
            segments: self.row_segments(head, false)?,
            retractions: self.backend.retractions(head)?,
        })
    }
}

/// What stood before an append, with the tables that it touches.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    touched: Vec<String>,
    segments: Vec<backstay_evidence::Segment>,
    retractions: Vec<Retraction>,
}

fn rows_of(payload: &ImportPayload) -> Vec<String> {
    let rows = payload.objects.iter().filter(|object| object.role == Role::Rows);
    rows.map(|object| object.table.clone()).collect()
}
