//! Whether a workspace is still what its ledger says: the tree re-derived, signatures, payloads,
//! every object by its name, and every reading of the ledger compared with one made anew. Finds
//! and names; repairs nothing but what no entry names, and that only when asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use backstay_evidence::{Digest, Segment, manifest::Retraction};
use backstay_ledger::{
    Checkpoint, Digest as LedgerDigest, EntryKind, EvidenceDigest, Frontier, NodeSource,
    SaltedDigest, checkpoint::origin_of,
};
use serde::Serialize;

use crate::{
    account::Standing,
    backend::{Backend as _, SecretKind, StoredEntry},
    bundle::{Named, reader},
    error::{Result, StoreError},
    import::existing::RowReader,
    index::{for_each_entry, table_of},
    payload::{self, EditPayload, ErasePayload, ImportPayload, Role},
    scratch, witness,
    workspace::Workspace,
};

/// What to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerifyOptions {
    /// Remove objects that no entry names and files left by crashes, and make readings of the
    /// ledger anew that differ from it, when all else holds.
    pub sweep: bool,
}

/// How far a verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyProgress {
    /// What is being looked at: `entries`, `objects`, `readings`.
    pub step: &'static str,
    /// How many were.
    pub done: u64,
    /// Of how many.
    pub total: u64,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyProblem {
    /// Entry, object or file.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Entries, each held against the tree.
    pub entries: u64,
    /// Root of the tree, hexadecimal.
    pub root: String,
    /// Checkpoints whose signature and root hold.
    pub checkpoints: u64,
    /// Objects whose bytes hash to their names.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Typed rows in them.
    pub rows: u64,
    /// Sources whose key was erased on record.
    pub erased_sources: u64,
    /// Objects that no entry names.
    pub orphans: u64,
    /// Objects and files removed.
    pub swept: u64,
    /// What is wrong; empty: all holds.
    pub problems: Vec<VerifyProblem>,
    /// What could not be looked at, or is worth knowing.
    pub notes: Vec<String>,
}

impl VerifyReport {
    /// Whether all holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}

const RESTORE: &str = "restore the workspace from a backup";
const KEYS: &str = "put the workspace's `keys` folder back from a backup";
const LOST: &str = "restore the workspace from a newer backup, and import again what is missing; \
                    if it was put back from an older copy on purpose, delete this file";
const REBUILD: &str = "make the readings anew from the ledger with `backstay verify --sweep`";

/// What walking over the entries gathers.
#[derive(Default)]
struct Walk {
    frontier: Frontier,
    evidence: Option<EvidenceDigest>,
    last_us: Option<i64>,
    entries: u64,
    /// Every object named, and what it is.
    objects: BTreeMap<Digest, (u64, Role)>,
    segments: Vec<Segment>,
    /// Imports with their sources, and those erased.
    sources: Vec<(u64, Digest)>,
    erased: BTreeSet<u64>,
    erased_people: BTreeSet<String>,
    /// Roots at the sizes that checkpoints speak of.
    roots: BTreeMap<u64, LedgerDigest>,
    contents: BTreeMap<u64, LedgerDigest>,
    problems: Vec<VerifyProblem>,
    /// Nothing was wrong before the readings were looked at.
    sound: bool,
    /// Checkpoints that hold.
    held: u64,
    /// Objects that hold, and their bytes.
    good: u64,
    bytes: u64,
    rows: u64,
    erased_sources: u64,
}

impl Walk {
    fn wrong(&mut self, place: impl ToString, what: impl Into<String>, remedy: &'static str) {
        self.problems.push(VerifyProblem { place: place.to_string(), what: what.into(), remedy });
    }

    /// Compares a reading of the ledger with one made anew.
    fn reading<T: PartialEq>(&mut self, place: &str, made: &T, kept: Result<T>) {
        match kept {
            Ok(kept) if kept == *made => {}
            Ok(_) => self.wrong(place, "differs from the ledger", REBUILD),
            Err(error) => self.wrong(place, format!("cannot be read: {error}"), REBUILD),
        }
    }

    fn take_problems(&mut self) -> Vec<VerifyProblem> {
        std::mem::take(&mut self.problems)
    }

    fn entry(&mut self, stored: &StoredEntry, sizes: &BTreeSet<u64>, nodes: &dyn NodeSource) {
        let entry = &stored.entry;
        let place = format!("entry {}", entry.sequence);
        self.entries += 1;
        if entry.sequence != self.entries {
            let what = format!("stands where entry {} should", self.entries);
            self.wrong(&place, what, RESTORE);
        }
        if self.last_us.is_some_and(|last| entry.recorded_at_us < last) {
            self.wrong(&place, "was recorded before its predecessor", RESTORE);
        }
        self.last_us = Some(entry.recorded_at_us);
        for node in self.frontier.append(entry.leaf_hash()) {
            match nodes.node(node.level, node.index) {
                Ok(kept) if kept == node.hash => {}
                Ok(_) => self.wrong(&place, "has another hash among the tree's nodes", RESTORE),
                Err(error) => self.wrong(&place, error.to_string(), RESTORE),
            }
        }
        if sizes.contains(&entry.sequence) {
            self.roots.insert(entry.sequence, self.frontier.root());
        }
        let before = self.evidence.unwrap_or_else(EvidenceDigest::empty);
        match before.advance(&entry.kind, &stored.content) {
            Ok(after) if after == stored.evidence => {}
            Ok(_) => self.wrong(&place, "has a wrong evidence digest", RESTORE),
            Err(error) => self.wrong(&place, error.to_string(), "use the release that wrote it"),
        }
        self.evidence = Some(stored.evidence);
        let Some((salt, payload)) = &stored.payload else {
            self.wrong(&place, "has lost its payload", RESTORE);
            return;
        };
        if SaltedDigest::of(salt, payload) != entry.payload {
            self.wrong(&place, "has a payload that is not the one it was sealed with", RESTORE);
        }
        if let Err(error) = self.payload(stored) {
            self.wrong(&place, error.to_string(), RESTORE);
        }
    }

    fn payload(&mut self, stored: &StoredEntry) -> Result<()> {
        let seq = stored.entry.sequence;
        let named: Named = payload::read(stored)?;
        for object in named.objects {
            self.objects.entry(object.digest).or_insert((seq, object.role));
        }
        match stored.entry.kind {
            EntryKind::Import | EntryKind::Reread => {
                let import: ImportPayload = payload::read(stored)?;
                let counts = import.counts;
                let sum =
                    counts.accepted + counts.corrected + counts.already_known + counts.quarantined;
                if sum != counts.read {
                    let what = format!(
                        "says that {} records were read, but {sum} were accounted for",
                        counts.read
                    );
                    self.wrong(format!("entry {seq}"), what, RESTORE);
                }
                if import.rereads.is_none() {
                    self.sources.extend(import.object(Role::Source).map(|digest| (seq, digest)));
                }
                let said = import.rereads.and_then(|origin| self.contents.get(&origin));
                if import.content(said) != stored.content {
                    self.wrong(format!("entry {seq}"), "has a wrong content digest", RESTORE);
                }
                self.contents.insert(seq, stored.content);
                self.segments.extend(crate::index::segments(seq, &import));
            }
            EntryKind::Edit => {
                let edit: EditPayload = payload::read(stored)?;
                if edit.content() != stored.content {
                    self.wrong(format!("entry {seq}"), "has a wrong content digest", RESTORE);
                }
            }
            EntryKind::Erase => {
                let erase: ErasePayload = payload::read(stored)?;
                self.erased.extend(erase.sources);
                self.erased_people.extend(erase.person);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Workspace {
    /// Verifies everything, and goes on after a problem to name them all.
    ///
    /// # Errors
    /// Only when the database cannot be read at all.
    pub fn verify(
        &self,
        options: VerifyOptions,
        progress: &mut dyn FnMut(VerifyProgress),
    ) -> Result<VerifyReport> {
        let mut notes = Vec::new();
        // Before the snapshot: what others append meanwhile is not missing from it.
        let newest = self.verifier_key().ok().and_then(|key| witness::read(&self.dir, &key));
        let mut walk = self.snapshot()?.verify_seen(newest.as_ref(), &mut notes, progress)?;
        let (mut problems, sound) = (walk.take_problems(), walk.sound);
        if options.sweep && sound && !problems.is_empty() {
            self.rebuild_readings()?;
            for problem in problems {
                notes.push(format!("{}: {}; made anew", problem.place, problem.what));
            }
            self.snapshot()?.verify_readings(&mut walk)?;
            problems = walk.take_problems();
        }
        progress(VerifyProgress { step: "readings", done: 1, total: 1 });
        let (orphans, swept) = match self.orphans(options.sweep, &mut notes) {
            Err(StoreError::ReadOnly { .. }) if !options.sweep => {
                notes.push("left-over objects were not looked for: the disk is read-only".into());
                (0, 0)
            }
            other => other?,
        };
        Ok(VerifyReport {
            entries: walk.entries,
            root: walk.frontier.root().to_hex(),
            checkpoints: walk.held,
            objects: walk.good,
            bytes: walk.bytes,
            rows: walk.rows,
            erased_sources: walk.erased_sources,
            orphans,
            swept,
            problems,
            notes,
        })
    }

    /// Looks at everything, in a workspace that stands still.
    fn verify_seen(
        &self,
        newest: Option<&Checkpoint>,
        notes: &mut Vec<String>,
        progress: &mut dyn FnMut(VerifyProgress),
    ) -> Result<Walk> {
        let mut walk = Walk::default();
        for line in self.backend.integrity()? {
            walk.wrong("the database", line, RESTORE);
        }
        let head = self.backend.head()?;
        let checkpoints = self.backend.checkpoints()?;
        let sizes: BTreeSet<u64> = checkpoints.iter().map(|(size, _)| *size).collect();
        for_each_entry(self.backend(), &mut |stored| {
            walk.entry(&stored, &sizes, self.backend.nodes());
            let done = stored.entry.sequence;
            progress(VerifyProgress { step: "entries", done, total: head.size });
            Ok(())
        })?;
        if (walk.entries, walk.frontier.root()) != (head.size, head.root) {
            walk.wrong("the tree", "does not have the entries that the ledger has", RESTORE);
        }
        if let Some(newest) = newest.filter(|newest| newest.size > walk.entries) {
            let what = format!(
                "says that the ledger had {} entries; it has {}: the newest are lost",
                newest.size, walk.entries
            );
            walk.wrong(witness::FILE, what, LOST);
        }
        walk.held = self.verify_checkpoints(&checkpoints, &mut walk, notes)?;
        self.verify_vault(&mut walk, notes)?;
        walk.erased_sources = self.verify_sources(&mut walk, notes)?;
        (walk.good, walk.bytes) = self.verify_objects(&mut walk, progress);
        walk.rows = self.verify_rows(&mut walk);
        progress(VerifyProgress { step: "readings", done: 0, total: 1 });
        walk.sound = walk.problems.is_empty();
        self.verify_readings(&mut walk)?;
        Ok(walk)
    }

    fn verify_checkpoints(
        &self,
        checkpoints: &[(u64, String)],
        walk: &mut Walk,
        notes: &mut Vec<String>,
    ) -> Result<u64> {
        let key = match self.keys.signing(&origin_of(&self.id)) {
            Ok(key) => key.verifier(),
            Err(StoreError::NoKey(path)) => {
                notes
                    .push(format!("signatures were not checked: `{}` is not here", path.display()));
                return Ok(0);
            }
            Err(other) => return Err(other),
        };
        let mut held = 0;
        for (size, note) in checkpoints {
            let place = format!("checkpoint {size}");
            match Checkpoint::verify(note, &key) {
                Ok(checkpoint)
                    if checkpoint.size == *size
                        && walk.roots.get(size) == Some(&checkpoint.root) =>
                {
                    held += 1;
                }
                Ok(_) => walk.wrong(place, "is about another ledger than this one", RESTORE),
                Err(error) => walk.wrong(place, error.to_string(), RESTORE),
            }
        }
        if checkpoints.last().map(|(size, _)| *size).unwrap_or_default() < walk.entries {
            walk.wrong("the newest checkpoint", "does not cover the newest entry", RESTORE);
        }
        Ok(held)
    }

    /// The vault opens, and fits the pseudonyms.
    fn verify_vault(&self, walk: &mut Walk, notes: &mut Vec<String>) -> Result<()> {
        let check = self.check_vault(&walk.erased_people)?;
        if check.without_keys {
            notes.push("sealed names were not opened: the keys are not here".to_owned());
        }
        let people = |count: u64| if count == 1 { "name" } else { "names" };
        for (count, what, remedy) in [
            (check.closed, "cannot be opened", RESTORE),
            (check.estranged, "do not give their pseudonym with `keys/pseudonym.key`", KEYS),
            (
                check.unknown,
                "are listed as named by a source, and nothing is known of them",
                RESTORE,
            ),
        ] {
            if count > 0 {
                walk.wrong("the vault", format!("{count} {} {what}", people(count)), remedy);
            }
        }
        Ok(())
    }

    /// Every source has its key, or an entry that says why not.
    fn verify_sources(&self, walk: &mut Walk, notes: &mut Vec<String>) -> Result<u64> {
        let mut erased = 0;
        let wrap = match self.keys.wrap() {
            Ok(key) => Some(key),
            Err(StoreError::NoKey(path)) => {
                notes
                    .push(format!("source keys were not opened: `{}` is not here", path.display()));
                None
            }
            Err(other) => return Err(other),
        };
        for (entry, digest) in std::mem::take(&mut walk.sources) {
            let name = digest.to_string();
            let place = format!("the source of entry {entry}");
            match self.backend.secret(SecretKind::Source, &name)? {
                None if walk.erased.contains(&entry) => erased += 1,
                None => walk.wrong(place, "has lost its key without an erasure on record", RESTORE),
                Some(_) if walk.erased.contains(&entry) => {
                    walk.wrong(
                        place,
                        "was erased on record, but its key is here",
                        "erase it again",
                    );
                }
                Some(sealed) => {
                    if let Some(wrap) = &wrap
                        && backstay_privacy::SourceKey::unwrap_sealed(wrap, &name, &sealed).is_err()
                    {
                        walk.wrong(place, "has a key that does not open", RESTORE);
                    }
                }
            }
        }
        Ok(erased)
    }

    /// Every object named is there and hashes to its name.
    fn verify_objects(
        &self,
        walk: &mut Walk,
        progress: &mut dyn FnMut(VerifyProgress),
    ) -> (u64, u64) {
        let (mut good, mut bytes) = (0, 0);
        let named = walk.objects.clone();
        for ((digest, (entry, role)), done) in named.iter().zip(1..) {
            let place = format!("object {digest}");
            let of = || format!("{role:?} of entry {entry}").to_lowercase();
            match self.backend.open_object(*digest) {
                Ok(body) => match LedgerDigest::of_reader(&mut reader(body)) {
                    Ok((found, length)) if found.0 == digest.0 => {
                        good += 1;
                        bytes += length;
                    }
                    Ok(_) => walk.wrong(place, format!("has changed bytes ({})", of()), RESTORE),
                    Err(error) => walk.wrong(place, format!("cannot be read: {error}"), RESTORE),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    walk.wrong(place, format!("is missing ({})", of()), RESTORE);
                }
                Err(error) => walk.wrong(place, format!("cannot be read: {error}"), RESTORE),
            }
            progress(VerifyProgress { step: "objects", done, total: named.len() as u64 });
        }
        (good, bytes)
    }

    /// Every segment opens with today's vocabulary and has the rows that it was listed with.
    fn verify_rows(&self, walk: &mut Walk) -> u64 {
        let mut rows = 0;
        for segment in std::mem::take(&mut walk.segments) {
            let place = format!("object {}", segment.digest);
            let Some(table) = table_of(self.vocabulary(), &segment.table) else {
                let what = format!("holds rows of `{}`, which the vocabulary lacks", segment.table);
                walk.wrong(place, what, "use the release that wrote it");
                continue;
            };
            match self.count_rows(&segment, &table) {
                Ok(found) if found == segment.rows => rows += found,
                Ok(found) => {
                    let what = format!("has {found} rows where {} were listed", segment.rows);
                    walk.wrong(place, what, RESTORE);
                }
                // Missing and changed objects are named already.
                Err(StoreError::Object { .. } | StoreError::Columns { .. }) => {}
                Err(error) => walk.wrong(place, error.to_string(), RESTORE),
            }
        }
        rows
    }

    fn count_rows(
        &self,
        segment: &Segment,
        table: &backstay_evidence::vocabulary::Table,
    ) -> Result<u64> {
        let wanted = [backstay_evidence::schema::ROW];
        let mut rows = 0;
        for batch in RowReader::open(self.backend.as_ref(), segment, table, Some(&wanted))? {
            rows += batch?.num_rows() as u64;
        }
        Ok(rows)
    }

    /// What is kept for speed says what the ledger says.
    fn verify_readings(&self, walk: &mut Walk) -> Result<()> {
        let derived = match self.derive_readings() {
            Ok(derived) => derived,
            Err(error) => {
                walk.wrong(
                    "the readings of the ledger",
                    format!("cannot be made anew: {error}"),
                    RESTORE,
                );
                return Ok(());
            }
        };
        let head = self.backend.head()?.size;
        walk.reading("the list of objects", &derived.segments, self.backend.segments(head));
        match self.merged_problems(&derived) {
            Ok(problems) => {
                for (place, what) in problems {
                    walk.wrong(place, what, REBUILD);
                }
            }
            Err(error) => walk.wrong("merged objects", format!("cannot be read: {error}"), REBUILD),
        }
        let versions = self.backend.versions(None, usize::MAX);
        let versions = versions.map(|rows| rows.into_iter().collect::<BTreeSet<_>>());
        walk.reading("the history of registers", &derived.versions, versions);
        let ordered = |mut list: Vec<Retraction>| {
            list.sort_by_key(|retraction| (retraction.seq, format!("{:?}", retraction.target)));
            list
        };
        let kept = self.backend.retractions(head).map(ordered);
        walk.reading("the list of retractions", &ordered(derived.retractions), kept);
        walk.reading("the list of imports", &derived.imports, self.backend.imports(head));
        let standings: Vec<Standing> = derived.standings.into_values().collect();
        walk.reading("the rights of accounts", &standings, self.standings());
        let mut registers = derived.registers;
        let mut differing = 0_u64;
        let kept = self.backend.registers(None, &mut |row| {
            let key = (row.table.clone(), row.arrangement_id.clone(), row.key.clone());
            if registers.remove(&key).as_ref() != Some(&row) {
                differing += 1;
            }
            Ok(())
        });
        if let Err(error) = kept {
            walk.wrong("the current registers", format!("cannot be read: {error}"), REBUILD);
            return Ok(());
        }
        differing += registers.len() as u64;
        if differing > 0 {
            let what = format!("differ from the ledger in {differing} rows");
            walk.wrong("the current registers", what, REBUILD);
        }
        Ok(())
    }

    /// Objects that no entry names, and files that a crash left.
    fn orphans(&self, sweep: bool, notes: &mut Vec<String>) -> Result<(u64, u64)> {
        // With the lock nobody is between putting an object and naming it.
        let _lock = self.write_lock()?;
        let mut named = self.named_objects()?;
        named.extend(self.backend.merged()?.into_iter().map(|merged| merged.segment.digest));
        let mut orphans = Vec::new();
        self.backend.list_objects(&mut |digest| {
            if !named.contains(&digest) {
                orphans.push(digest);
            }
            Ok(())
        })?;
        let mut swept = 0;
        if sweep {
            for digest in &orphans {
                self.backend.remove_object(*digest)?;
                swept += 1;
            }
            swept += scratch::sweep(&self.scratch_folder())?;
        } else if !orphans.is_empty() {
            notes.push(format!(
                "{} objects are named by no entry, left by an interrupted import: `backstay verify --sweep` removes them",
                orphans.len()
            ));
        }
        Ok((orphans.len() as u64, swept))
    }

    /// Every object that an entry names.
    pub(crate) fn named_objects(&self) -> Result<BTreeSet<Digest>> {
        let mut named = BTreeSet::new();
        for_each_entry(self.backend(), &mut |stored| {
            if let Ok(names) = payload::read::<Named>(&stored) {
                named.extend(names.objects.into_iter().map(|object| object.digest));
            }
            Ok(())
        })?;
        Ok(named)
    }
}
