//! The second half of an import: resolve, write objects, append the one entry. Holds the write
//! lock throughout, so that what a row was compared with is what it joins.

use std::{collections::BTreeMap, io::Write as _, path::Path};

use backstay_evidence::{
    Digest,
    fingerprint::FINGERPRINT,
    manifest::{QUARANTINE, RetractTarget, Retraction},
};
use backstay_ledger::{Digest as LedgerDigest, EntryKind, Salt};

use super::{
    ImportOutcome, ImportRequest, Phase, TableOutcome,
    clock::{add_fingerprints, find_duplicate},
    collect::Collector,
    reading::Reading,
    resolving::{Known, Resolved, resolve_all},
    write::{WriteGroup, write_group},
};
use crate::{
    backend::{Append, Backend as _, Basis, SecretKind},
    error::{Result, StoreError},
    index, payload,
    payload::{ImportPayload, ObjectNote, Role, TableCounts, is_full},
    register,
    workspace::{Ctx, Workspace},
};

/// Times that an import is written again because another process took its place in the ledger.
const TRIES: usize = 20;

/// A reading of an earlier import's source.
pub(super) struct Again {
    /// The import.
    pub(super) origin: u64,
    /// Its readings that still stand: their rows go.
    pub(super) supersedes: Vec<u64>,
    /// Its encrypted source.
    pub(super) source: Digest,
}

/// What is to be committed, beside the reading.
pub(super) struct Commit<'a> {
    pub(super) kind: EntryKind,
    pub(super) request: &'a ImportRequest,
    pub(super) file: String,
    pub(super) options_digest: Digest,
    pub(super) content: LedgerDigest,
    pub(super) rereads: Option<Again>,
}

/// What the door brings, and whom it wants told.
struct Door<'a, 'c> {
    ctx: &'a mut Ctx<'c>,
    phase: &'a mut dyn FnMut(Phase),
}

/// Sealed secrets that go in with the entry.
struct Secrets {
    source: Option<(Digest, Vec<u8>)>,
    people: Vec<(String, Vec<u8>)>,
}

impl Workspace {
    /// Makes a reading known.
    pub(super) fn commit(
        &self,
        commit: Commit<'_>,
        mut reading: Reading<'_>,
        scratch: &Path,
        ctx: &mut Ctx<'_>,
        phase: &mut dyn FnMut(Phase),
    ) -> Result<ImportOutcome> {
        phase(Phase::Comparing);
        let _lock = self.write_lock()?;
        let head = self.backend.head()?;
        let segments = self.row_segments(head.size, false)?;
        let mut retractions = self.backend.retractions(head.size)?;
        let standing = retractions.clone();
        let mut origin = None;
        if let Some(again) = &commit.rereads {
            origin = Some(u32::try_from(again.origin).unwrap_or(u32::MAX));
            retractions.extend(again.supersedes.iter().map(|entry| Retraction {
                seq: head.size + 1,
                target: RetractTarget::Entry(*entry),
            }));
        }
        reading.collector.settle()?;
        let fingerprints = add_fingerprints(&mut reading.collector)?;
        let duplicate = find_duplicate(self, &segments, &retractions, &fingerprints)?;
        if let Some(found) = &duplicate
            && !commit.request.allow_duplicate_log
        {
            let other = self.import_payload(found.entry)?;
            return Err(StoreError::DuplicateLog {
                file: commit.file,
                entry: found.entry,
                other: other.file,
                cases: found.disagreement.matched,
                of: found.disagreement.comparable,
                shift: found.shift(),
            });
        }
        phase(Phase::Resolving);
        let mut known = Known {
            backend: self.backend.as_ref(),
            segments: &segments,
            retractions: &retractions,
            origin,
            compare: None,
            scratch,
            compared_rows: self.limits.compared_rows,
        };
        let resolved = resolve_all(&mut reading.collector, &reading.summary, &known)?;
        let mut outcome = outcome(&commit, &reading, &resolved);
        outcome.disagreeing_clock_with = duplicate.as_ref().map(|found| found.entry);
        let changes = match &commit.rereads {
            // A rejected record is evidence too: it must stay to be looked at, with its source.
            None => resolved.changes() || outcome.quarantined > 0,
            Some(again) => {
                // Counted against the reading that goes, so that the user sees what differs.
                known.retractions = &standing;
                known.compare = Some(&again.supersedes);
                let compared = resolve_all(&mut reading.collector, &reading.summary, &known)?;
                outcome = self::outcome(&commit, &reading, &compared);
                outcome.disagreeing_clock_with = duplicate.as_ref().map(|found| found.entry);
                compared.changes() || compared.withdrawn() > 0
            }
        };
        if !changes {
            let hint = "nothing new: every row was known, and no entry was written";
            outcome.hints.push(hint.to_owned());
            return Ok(outcome);
        }
        let door = &mut Door { ctx, phase };
        outcome.entry =
            Some(self.write(&commit, reading, &resolved, &outcome, head.evidence_seq, door)?);
        Ok(outcome)
    }

    /// Writes objects and the entry; its sequence.
    fn write(
        &self,
        commit: &Commit<'_>,
        mut reading: Reading<'_>,
        resolved: &Resolved,
        outcome: &ImportOutcome,
        evidence_seq: u64,
        door: &mut Door<'_, '_>,
    ) -> Result<u64> {
        let ctx = &mut *door.ctx;
        (door.phase)(Phase::Syncing);
        let (secrets, source) = self.seal(commit, &mut reading, ctx)?;
        let mut plain = vec![ObjectNote::plain(source, Role::Source, "")];
        if let Some(mapping) = &commit.request.options.mapping {
            let digest = self.put_bytes(mapping.text().as_bytes())?;
            plain.push(ObjectNote::plain(digest, Role::Mapping, ""));
        }
        plain.push(ObjectNote::plain(self.put_vocabulary()?, Role::Vocabulary, ""));
        let salt = Salt(ctx.bytes());
        let mut tries = 0;
        loop {
            tries += 1;
            let size = self.backend.head()?.size;
            let entry = commit.rereads.as_ref().map_or(size + 1, |again| again.origin);
            (door.phase)(Phase::Writing);
            let mut objects = plain.clone();
            objects.extend(self.write_groups(&reading.collector, resolved, entry)?);
            let payload = payload_of(commit, &reading, outcome, objects);
            // Rows that point at rows of this very entry need its number.
            let basis = match resolved.points_here() && commit.rereads.is_none() {
                true => Basis::SizeIs(size),
                false => Basis::EvidenceAt(evidence_seq),
            };
            let append = Append {
                actor: ctx.actor.to_owned(),
                kind: commit.kind.clone(),
                arrangements: arrangements(&payload),
                expectations: Vec::new(),
                basis,
                payload: payload::write(&payload)?,
                salt,
                content: commit.content,
                now_us: ctx.now_us,
            };
            (door.phase)(Phase::Committing);
            match self.append_import(&append, &payload, &secrets) {
                Err(StoreError::Stale { .. }) if basis == Basis::SizeIs(size) && tries < TRIES => {}
                other => return other,
            }
        }
    }

    fn append_import(
        &self,
        append: &Append,
        payload: &ImportPayload,
        secrets: &Secrets,
    ) -> Result<u64> {
        let registers: Vec<String> = payload
            .objects
            .iter()
            .filter(|object| object.role == Role::Rows)
            .map(|object| object.table.clone())
            .collect();
        // The connection is taken while appending: what is needed of it is read before.
        let standing = self.standing(&payload.supersedes)?;
        let sealed = self.append(append, &mut |sealed, index| {
            index::put_import(sealed.seq, payload, index)?;
            if let Some((digest, key)) = &secrets.source {
                index.put_secret(SecretKind::Source, &digest.to_string(), key)?;
            }
            for (pseudonym, id) in &secrets.people {
                index.put_secret(SecretKind::Person, pseudonym, id)?;
                index.link_person(pseudonym, payload.rereads.unwrap_or(sealed.seq))?;
            }
            if payload.supersedes.is_empty() {
                // New rows on top of those that stand: no earlier retraction can take them.
                let segments = index::segments(sealed.seq, payload);
                return register::fold_all(self, &segments, &[], Some(&registers), index);
            }
            self.refold_registers(sealed.seq, payload, index, &standing)
        })?;
        Ok(sealed.seq)
    }

    /// Wraps the source's key and seals the real ids; makes the encrypted source durable.
    fn seal(
        &self,
        commit: &Commit<'_>,
        reading: &mut Reading<'_>,
        ctx: &mut Ctx<'_>,
    ) -> Result<(Secrets, Digest)> {
        let mut secrets = Secrets { source: None, people: Vec::new() };
        let source = match (reading.kept.take(), &commit.rereads) {
            (Some((staged, key)), _) => {
                let digest = self.backend.put_object(staged)?;
                let wrapped = key.wrap(&self.keys.wrap()?, &digest.to_string(), ctx.bytes())?;
                secrets.source = Some((digest, wrapped));
                digest
            }
            (None, Some(again)) => again.source,
            (None, None) => reading.plain_digest,
        };
        let vault = self.keys.vault()?;
        let mut people: Vec<_> = reading.collector.people.values().collect();
        people.sort_unstable_by(|a, b| a.pseudonym.cmp(&b.pseudonym));
        for person in people {
            let id = serde_json::json!([person.party, person.id_kind, person.id]).to_string();
            let sealed = vault.seal(&person.pseudonym, &id, ctx.bytes())?;
            secrets.people.push((person.pseudonym.clone(), sealed));
        }
        Ok((secrets, source))
    }

    fn write_groups(
        &self,
        collector: &Collector<'_>,
        resolved: &Resolved,
        entry: u64,
    ) -> Result<Vec<ObjectNote>> {
        let vocabulary_digest = self.vocabulary.digest().to_string();
        let mut objects = Vec::new();
        for (key, settled) in &resolved.groups {
            let Some(group) = collector.groups.get(key) else { continue };
            let role = match key.0.as_str() {
                QUARANTINE => Role::Quarantine,
                FINGERPRINT => Role::Fingerprint,
                _ => Role::Rows,
            };
            if role == Role::Rows && !settled.decisions.changes() {
                continue;
            }
            let object = write_group(&WriteGroup {
                backend: self.backend.as_ref(),
                group,
                decisions: &settled.decisions,
                segments: &settled.segments,
                entry: u32::try_from(entry).unwrap_or(u32::MAX),
                role,
                vocabulary_digest: &vocabulary_digest,
            })?;
            objects.extend(object);
        }
        Ok(objects)
    }

    /// Keeps bytes as an object.
    pub(crate) fn put_bytes(&self, bytes: &[u8]) -> Result<Digest> {
        let mut staged = self.backend.stage()?;
        staged.write_all(bytes).map_err(StoreError::io(self.scratch_folder()))?;
        self.backend.put_object(staged)
    }

    /// Keeps the vocabulary, so that a later release can read what was written with it.
    fn put_vocabulary(&self) -> Result<Digest> {
        let tables: Vec<_> = self.vocabulary.tables().collect();
        self.put_bytes(&payload::write(&tables)?)
    }
}

fn outcome(commit: &Commit<'_>, reading: &Reading<'_>, resolved: &Resolved) -> ImportOutcome {
    let mut outcome = ImportOutcome::counted(&commit.file, resolved.counts);
    outcome.tables = resolved
        .groups
        .iter()
        .filter(|((table, _), _)| table != QUARANTINE && table != FINGERPRINT)
        .map(|((table, arrangement_id), settled)| TableOutcome {
            table: table.clone(),
            arrangement_id: arrangement_id.clone(),
            counts: settled.decisions.counts,
        })
        .collect();
    outcome.rejections = reading.collector.kinds.values().cloned().collect();
    outcome.hints.clone_from(&reading.summary.hints);
    outcome.hints.extend(resolved.hints.iter().cloned());
    outcome
}

fn payload_of(
    commit: &Commit<'_>,
    reading: &Reading<'_>,
    outcome: &ImportOutcome,
    objects: Vec<ObjectNote>,
) -> ImportPayload {
    let mut tables: BTreeMap<String, TableCounts> = BTreeMap::new();
    for table in &outcome.tables {
        let sum = tables.entry(table.table.clone()).or_default();
        sum.new += table.counts.new;
        sum.corrected += table.counts.corrected;
        sum.already_known += table.counts.already_known;
        sum.withdrawn += table.counts.withdrawn;
    }
    let mut options = commit.request.options.clone();
    options.mapping = None;
    let whole = reading.summary.scopes.iter().filter(|scope| is_full(scope.load));
    ImportPayload {
        file: commit.file.clone(),
        plain_digest: reading.plain_digest,
        plain_bytes: reading.plain_bytes,
        options,
        options_digest: commit.options_digest,
        vocabulary_digest: reading.collector.vocabulary_digest(),
        counts: crate::payload::Counts {
            read: outcome.read,
            accepted: outcome.accepted,
            corrected: outcome.corrected,
            already_known: outcome.already_known,
            quarantined: outcome.quarantined,
            without_rows: outcome.without_rows,
        },
        tables,
        full_loads: whole.map(|s| (s.table.clone(), s.arrangement_id.clone())).collect(),
        objects,
        allow_duplicate_log: commit.request.allow_duplicate_log,
        disagreeing_clock_with: outcome.disagreeing_clock_with,
        rereads: commit.rereads.as_ref().map(|again| again.origin),
        supersedes: commit.rereads.as_ref().map_or_else(Vec::new, |a| a.supersedes.clone()),
    }
}

fn arrangements(payload: &ImportPayload) -> Vec<String> {
    let named = payload.objects.iter().map(|object| object.arrangement_id.clone());
    named.filter(|arrangement| !arrangement.is_empty()).collect()
}
