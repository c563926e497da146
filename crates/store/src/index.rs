//! What entries mean for the readings of the ledger: which segments, retractions and imports each
//! one brings. Appending and rebuilding go through the same function, so they cannot differ.

use std::collections::{BTreeMap, BTreeSet};

use backstay_evidence::{
    Segment, Vocabulary,
    fingerprint::fingerprint_table,
    manifest::{ImportNote, RetractTarget, Retraction},
    quarantine::quarantine_table,
    vocabulary::Table,
};
use backstay_ledger::EntryKind;

use crate::{
    account::{AccessPayload, AccountTables, Standing},
    backend::{
        Backend, IndexWriter, MergedNote, RegisterRow, SecretKind, StoredEntry, TailNote,
        VersionNote,
    },
    error::Result,
    payload::{self, EditPayload, ImportPayload, RetractPayload, Role},
    register,
    workspace::Workspace,
};

/// The table of that name: of the vocabulary, or a system table.
pub(crate) fn table_of(vocabulary: &Vocabulary, name: &str) -> Option<Table> {
    let system =
        || [quarantine_table(), fingerprint_table()].into_iter().find(|table| table.name == name);
    vocabulary.table(name).cloned().or_else(system)
}

/// The segments that an import or reread at `seq` brings.
pub(crate) fn segments(seq: u64, payload: &ImportPayload) -> Vec<Segment> {
    let holds_rows = |role: Role| matches!(role, Role::Rows | Role::Quarantine | Role::Fingerprint);
    let objects = payload.objects.iter().filter(|object| holds_rows(object.role));
    objects
        .map(|object| Segment {
            table: object.table.clone(),
            arrangement_id: object.arrangement_id.clone(),
            seq,
            first_seq: seq,
            entry: payload.rereads.unwrap_or(seq),
            digest: object.digest,
            rows: object.rows,
            later_versions: object.later_versions,
            occurred_us: object.occurred_us,
        })
        .collect()
}

/// Lists an import or reread.
pub(crate) fn put_import(
    seq: u64,
    payload: &ImportPayload,
    index: &mut dyn IndexWriter,
) -> Result<()> {
    let segments = segments(seq, payload);
    for segment in &segments {
        index.put_segment(segment)?;
    }
    for entry in &payload.supersedes {
        index.put_retraction(&Retraction { seq, target: RetractTarget::Entry(*entry) })?;
    }
    let mut arrangements: Vec<String> =
        segments.iter().map(|s| s.arrangement_id.clone()).filter(|a| !a.is_empty()).collect();
    arrangements.sort_unstable();
    arrangements.dedup();
    let rows = payload.objects.iter().filter(|object| object.role == Role::Rows);
    let mut tables: Vec<String> = rows.map(|object| object.table.clone()).collect();
    tables.sort_unstable();
    tables.dedup();
    let note = ImportNote {
        seq,
        file: payload.file.clone(),
        arrangements,
        tables,
        disagreeing_clock_with: payload.disagreeing_clock_with,
    };
    index.put_import(&note, payload.plain_bytes, payload.rereads)
}

/// Lists a retraction.
pub(crate) fn put_retract(
    seq: u64,
    payload: &RetractPayload,
    index: &mut dyn IndexWriter,
) -> Result<()> {
    for target in &payload.takes {
        index.put_retraction(&Retraction { seq, target: target.clone() })?;
    }
    Ok(())
}

/// Lists an edit.
pub(crate) fn put_edit(seq: u64, payload: &EditPayload, index: &mut dyn IndexWriter) -> Result<()> {
    let mut rows: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for row in &payload.rows {
        *rows.entry((&row.table, &row.arrangement_id)).or_default() += 1;
    }
    for ((table, arrangement_id), rows) in rows {
        let (table, arrangement_id) = (table.to_owned(), arrangement_id.to_owned());
        index.put_tail(&TailNote { table, arrangement_id, seq, rows })?;
    }
    Ok(())
}

/// Says what an account may do after this entry.
pub(crate) fn put_access(
    seq: u64,
    payload: &AccessPayload,
    index: &mut dyn IndexWriter,
) -> Result<Standing> {
    let standing = payload.apply(index.standing(&payload.account)?, seq);
    index.put_standing(&standing)?;
    Ok(standing)
}

/// Lists whatever an entry brings, registers aside.
fn put_entry(stored: &StoredEntry, index: &mut dyn IndexWriter) -> Result<()> {
    let seq = stored.entry.sequence;
    match stored.entry.kind {
        EntryKind::Import | EntryKind::Reread => put_import(seq, &payload::read(stored)?, index),
        EntryKind::Retract => put_retract(seq, &payload::read(stored)?, index),
        EntryKind::Edit => put_edit(seq, &payload::read(stored)?, index),
        EntryKind::Access => put_access(seq, &payload::read(stored)?, index).map(|_| ()),
        _ => Ok(()),
    }
}

/// Calls `each` with every entry, a few at a time.
pub(crate) fn for_each_entry(
    backend: &dyn Backend,
    each: &mut dyn FnMut(StoredEntry) -> Result<()>,
) -> Result<()> {
    let mut next = 1;
    loop {
        let entries = backend.entries(next, 256)?;
        let Some(last) = entries.last() else { return Ok(()) };
        next = last.entry.sequence + 1;
        for stored in entries {
            each(stored)?;
        }
    }
}

/// The readings of the ledger in memory, to compare with those that are kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct MemoryIndex {
    pub(crate) segments: Vec<Segment>,
    pub(crate) retractions: Vec<Retraction>,
    pub(crate) imports: Vec<ImportNote>,
    pub(crate) registers: BTreeMap<(String, String, String), RegisterRow>,
    pub(crate) versions: BTreeSet<VersionNote>,
    pub(crate) tails: BTreeSet<TailNote>,
    pub(crate) standings: BTreeMap<String, Standing>,
}

impl IndexWriter for MemoryIndex {
    fn put_segment(&mut self, segment: &Segment) -> Result<()> {
        self.segments.push(segment.clone());
        Ok(())
    }

    fn put_retraction(&mut self, retraction: &Retraction) -> Result<()> {
        self.retractions.push(retraction.clone());
        Ok(())
    }

    fn put_import(
        &mut self,
        note: &ImportNote,
        _plain_bytes: u64,
        _rereads: Option<u64>,
    ) -> Result<()> {
        self.imports.push(note.clone());
        Ok(())
    }

    fn put_version(&mut self, version: &VersionNote) -> Result<()> {
        self.versions.insert(version.clone());
        Ok(())
    }

    fn put_tail(&mut self, tail: &TailNote) -> Result<()> {
        self.tails.insert(tail.clone());
        Ok(())
    }

    // Merged objects are physical: what they hold is compared, not that they are there.
    fn put_merged(&mut self, _merged: &MergedNote) -> Result<()> {
        Ok(())
    }

    fn delete_merged(&mut self, _merged: &MergedNote) -> Result<()> {
        Ok(())
    }

    fn register(
        &mut self,
        table: &str,
        arrangement: &str,
        key: &str,
    ) -> Result<Option<RegisterRow>> {
        let key = (table.to_owned(), arrangement.to_owned(), key.to_owned());
        Ok(self.registers.get(&key).cloned())
    }

    fn put_register(&mut self, row: &RegisterRow) -> Result<()> {
        let key = (row.table.clone(), row.arrangement_id.clone(), row.key.clone());
        self.registers.insert(key, row.clone());
        Ok(())
    }

    fn clear_register(&mut self, table: &str) -> Result<()> {
        self.registers.retain(|(name, _, _), _| name != table);
        self.versions.retain(|version| version.table != table);
        Ok(())
    }

    fn clear_readings(&mut self) -> Result<()> {
        *self = Self::default();
        Ok(())
    }

    // Checkpoints and secrets are no readings: nothing to compare.
    fn put_checkpoint(&mut self, _size: u64, _note: &str) -> Result<()> {
        Ok(())
    }

    fn put_secret(&mut self, _kind: SecretKind, _name: &str, _sealed: &[u8]) -> Result<()> {
        Ok(())
    }

    fn delete_secret(&mut self, _kind: SecretKind, _name: &str) -> Result<bool> {
        Ok(false)
    }

    fn standing(&mut self, account: &str) -> Result<Option<Standing>> {
        Ok(self.standings.get(account).cloned())
    }

    fn put_standing(&mut self, standing: &Standing) -> Result<()> {
        self.standings.insert(standing.account.clone(), standing.clone());
        Ok(())
    }

    fn accounts(&mut self) -> Option<Box<dyn AccountTables + '_>> {
        None
    }

    fn link_person(&mut self, _pseudonym: &str, _entry: u64) -> Result<()> {
        Ok(())
    }
}

impl Workspace {
    /// Throws away every reading of the ledger (segments, retractions, imports, current registers)
    /// and makes them again from the entries and their objects.
    ///
    /// # Errors
    /// A payload or an object that cannot be read.
    pub fn rebuild_readings(&self) -> Result<()> {
        {
            let _lock = self.write_lock()?;
            let derived = self.derive_readings()?;
            let mut imports = Vec::new();
            for_each_entry(self.backend(), &mut |stored| {
                if matches!(stored.entry.kind, EntryKind::Import | EntryKind::Reread) {
                    imports.push((stored.entry.sequence, payload::read::<ImportPayload>(&stored)?));
                }
                Ok(())
            })?;
            let own: BTreeSet<u64> = imports.iter().map(|(seq, _)| *seq).collect();
            self.backend.rebuild(&mut |index| {
                index.clear_readings()?;
                for (seq, payload) in &imports {
                    put_import(*seq, payload, index)?;
                }
                for retraction in derived.retractions.iter().filter(|r| !own.contains(&r.seq)) {
                    index.put_retraction(retraction)?;
                }
                for row in derived.registers.values() {
                    index.put_register(row)?;
                }
                derived.standings.values().try_for_each(|held| index.put_standing(held))?;
                derived.versions.iter().try_for_each(|version| index.put_version(version))?;
                derived.tails.iter().try_for_each(|tail| index.put_tail(tail))
            })?;
        }
        self.cut_tails()
    }

    /// All readings, made from entries and objects alone.
    pub(crate) fn derive_readings(&self) -> Result<MemoryIndex> {
        let mut index = MemoryIndex::default();
        for_each_entry(self.backend(), &mut |stored| put_entry(&stored, &mut index))?;
        index.segments.sort_by(|a, b| {
            (&a.table, &a.arrangement_id, a.seq, a.digest).cmp(&(
                &b.table,
                &b.arrangement_id,
                b.seq,
                b.digest,
            ))
        });
        let mut segments = index.segments.clone();
        let tails: Vec<TailNote> = index.tails.iter().cloned().collect();
        segments.extend(self.hold_edits(&tails)?);
        let retractions = index.retractions.clone();
        register::fold_all(self, &segments, &retractions, None, &mut index)?;
        Ok(index)
    }
}
