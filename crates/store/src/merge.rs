//! Compaction: many small objects of one table and arrangement become one merged object. Merged
//! objects are copies. What entries name stays, so that every answer can be made and proved again;
//! this file never touches it, and removes merged objects only when asked.

use std::collections::BTreeMap;

use arrow::{array::AsArray as _, datatypes::Int64Type, record_batch::RecordBatch};
use backstay_evidence::{Digest, Segment, identity::content_hashes, schema, vocabulary::Table};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    backend::{Backend as _, Covers, MergedNote, TailNote},
    error::{Result, StoreError},
    import::existing::column,
    index::MemoryIndex,
    layout::{Group, by_group, chosen_bases},
    row_text::texts_to_rows,
    tail::{edited_rows, merged_rows, write_merged},
    workspace::Workspace,
};

/// Rows of an object up to which it counts as small.
const SMALL_ROWS: u64 = 262_144;
/// Rows that one merge holds in memory, at most.
const MERGED_ROWS: u64 = 1 << 20;

/// How to compact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactOptions {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Remove merged objects that a greater one has taken the place of. Nobody else may be reading:
    /// an answer that is being worked out may still want them.
    pub prune: bool,
    /// Small objects of one table and arrangement from which on they are merged; at least 2.
    pub least: usize,
}

impl Default for CompactOptions {
    fn default() -> Self {
        Self { dry_run: false, prune: false, least: 4 }
    }
}

/// What compaction does to one table and arrangement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompactedGroup {
    /// Table.
    pub table: String,
    /// Arrangement; empty for a shared table.
    pub arrangement_id: String,
    /// Objects that readers open now, tails among them.
    pub objects_before: u64,
    /// Objects that they open afterwards.
    pub objects_after: u64,
    /// Rows that were copied into merged objects.
    pub rows_merged: u64,
}

/// What a compaction did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct CompactReport {
    /// Tables and arrangements that change.
    pub groups: Vec<CompactedGroup>,
    /// Objects of imports: they stay, for entries name them, and proof, rereading and earlier
    /// answers stand on them.
    pub originals: u64,
    /// Merged objects that a greater one has taken the place of, and that may be removed.
    pub superseded: u64,
    /// Merged objects removed.
    pub removed: u64,
}

/// An object, and the objects of imports that it stands for: itself, when it is one.
type Part = (Segment, Vec<(u64, Digest)>);

/// What is to be merged of one table and arrangement.
struct Plan {
    /// Small objects, in order, each list one merged object.
    bases: Vec<Vec<Part>>,
    /// Merged objects of edits, in order.
    cuts: Vec<(Segment, (u64, u64))>,
    /// Edits that no object holds.
    tails: Vec<TailNote>,
    /// Objects that readers open now.
    open: u64,
}

impl Plan {
    fn merges_edits(&self) -> bool {
        self.cuts.len() + usize::from(!self.tails.is_empty()) > 1
    }

    fn report(&self, group: &Group) -> Option<CompactedGroup> {
        let mut after = self.open;
        let mut rows = 0;
        for parts in &self.bases {
            after -= parts.len() as u64 - 1;
            rows += parts.iter().map(|(segment, _)| segment.rows).sum::<u64>();
        }
        if self.merges_edits() {
            after -= self.cuts.len() as u64 + u64::from(!self.tails.is_empty()) - 1;
            rows += self.cuts.iter().map(|(segment, _)| segment.rows).sum::<u64>();
            rows += self.tails.iter().map(|tail| tail.rows).sum::<u64>();
        }
        (rows > 0).then(|| CompactedGroup {
            table: group.0.clone(),
            arrangement_id: group.1.clone(),
            objects_before: self.open,
            objects_after: after,
            rows_merged: rows,
        })
    }
}

/// Small objects in runs that are worth merging.
fn runs(mut small: Vec<Part>, least: usize) -> Vec<Vec<Part>> {
    small.sort_by_key(|(segment, _)| (segment.first_seq, segment.seq, segment.digest));
    let (mut runs, mut run, mut rows) = (Vec::new(), Vec::new(), 0);
    for part in small {
        if rows + part.0.rows > MERGED_ROWS {
            runs.push(std::mem::take(&mut run));
            rows = 0;
        }
        rows += part.0.rows;
        run.push(part);
    }
    runs.push(run);
    runs.retain(|run: &Vec<_>| run.len() >= least.max(2));
    runs
}

impl Workspace {
    /// Merges small objects, and the edits of each table and arrangement, into greater ones. Answers,
    /// replays and proofs are the same before and after.
    ///
    /// # Errors
    /// Objects that cannot be read; those of disk and database. What was merged so far stays.
    pub fn compact(&self, options: CompactOptions) -> Result<CompactReport> {
        let mut report = CompactReport::default();
        let head = self.backend.head()?.size;
        let segments = self.backend.segments(head)?;
        report.originals = segments.len() as u64;
        let mut groups: Vec<Group> = segments
            .iter()
            .map(|segment| (&segment.table, &segment.arrangement_id))
            .map(|(table, arrangement)| (table.clone(), arrangement.clone()))
            .collect();
        let tails = self.backend.tails(None, head)?;
        groups.extend(tails.into_iter().map(|tail| (tail.table, tail.arrangement_id)));
        let merged = self.backend.merged()?;
        groups.extend(by_group(&merged).into_keys());
        groups.sort_unstable();
        groups.dedup();
        // Rejected records and fingerprints are read by the import that they are of.
        groups.retain(|(table, _)| self.vocabulary().table(table).is_some());
        for group in &groups {
            let _lock = self.write_lock()?;
            let plan = self.plan(group, options.least)?;
            let Some(done) = plan.report(group) else { continue };
            if !options.dry_run {
                self.carry_out(group, &plan)?;
            }
            report.groups.push(done);
        }
        self.prune(&mut report, options)?;
        Ok(report)
    }

    fn plan(&self, group: &Group, least: usize) -> Result<Plan> {
        let head = self.backend.head()?.size;
        let of_group =
            |segment: &Segment| (&segment.table, &segment.arrangement_id) == (&group.0, &group.1);
        let mut originals = self.backend.segments(head)?;
        originals.retain(|segment| of_group(segment));
        let merged = self.backend.merged()?;
        let notes: Vec<&MergedNote> =
            merged.iter().filter(|note| of_group(&note.segment)).collect();
        let known = originals.iter().map(|segment| (segment.seq, segment.digest)).collect();
        let (bases, covered) = chosen_bases(&notes, &known);
        let mut parts: Vec<Part> = originals
            .into_iter()
            .map(|segment| (segment.clone(), vec![(segment.seq, segment.digest)]))
            .filter(|(segment, _)| !covered.contains(&(segment.seq, segment.digest)))
            .collect();
        for base in bases {
            let note = notes.iter().find(|note| note.segment == base);
            parts.push((base, note.map(|n| n.covers.segments.clone()).unwrap_or_default()));
        }
        let mut cuts: Vec<(Segment, (u64, u64))> = Vec::new();
        for segment in crate::layout::chosen_edits(&notes, head).0 {
            let note = notes.iter().find(|note| note.segment == segment);
            cuts.extend(note.and_then(|note| note.covers.edits).map(|span| (segment, span)));
        }
        let tails = self.backend.tails(Some((&group.0, &group.1)), head)?;
        let open = parts.len() + cuts.len() + usize::from(!tails.is_empty());
        parts.retain(|(segment, _)| segment.rows <= SMALL_ROWS);
        Ok(Plan { bases: runs(parts, least), cuts, tails, open: open as u64 })
    }

    fn carry_out(&self, group: &Group, plan: &Plan) -> Result<()> {
        let table = self.known_table(&group.0)?;
        for parts in &plan.bases {
            let mut rows = Vec::new();
            let mut covers = Covers::default();
            for (segment, covered) in parts {
                rows.extend(merged_rows(self, segment, &table, u64::MAX)?);
                covers.segments.extend(covered.iter().copied());
            }
            covers.segments.sort_unstable();
            self.keep_merged(group, &table, &rows, covers)?;
        }
        if plan.merges_edits() {
            let mut rows = Vec::new();
            for (segment, _) in &plan.cuts {
                rows.extend(merged_rows(self, segment, &table, u64::MAX)?);
            }
            rows.extend(self.tail_rows(&table, group, &plan.tails)?);
            let seqs = plan.cuts.iter().flat_map(|(_, (first, last))| [*first, *last]);
            let seqs: Vec<u64> = seqs.chain(plan.tails.iter().map(|tail| tail.seq)).collect();
            let edits = seqs.iter().min().copied().zip(seqs.iter().max().copied());
            self.keep_merged(group, &table, &rows, Covers { segments: Vec::new(), edits })?;
        }
        Ok(())
    }

    fn tail_rows(
        &self,
        table: &Table,
        group: &Group,
        tails: &[TailNote],
    ) -> Result<Option<RecordBatch>> {
        let mut payloads = Vec::with_capacity(tails.len());
        for tail in tails {
            payloads.push((tail.seq, self.edit_payload(tail.seq)?));
        }
        let mut rows = Vec::new();
        for (seq, payload) in &payloads {
            rows.extend(edited_rows(*seq, payload, &group.0, &group.1)?);
        }
        if rows.is_empty() { Ok(None) } else { texts_to_rows(table, &rows).map(Some) }
    }

    fn keep_merged(
        &self,
        group: &Group,
        table: &Table,
        rows: &[RecordBatch],
        covers: Covers,
    ) -> Result<()> {
        let digest = self.vocabulary().digest().to_string();
        let Some(object) = write_merged(table, &group.1, rows, &digest)? else { return Ok(()) };
        self.put_bytes(&object.bytes)?;
        let merged = MergedNote { segment: object.segment, covers };
        self.backend.rebuild(&mut |index| index.put_merged(&merged))
    }

    /// Counts merged objects that a greater one covers, and removes them when asked.
    fn prune(&self, report: &mut CompactReport, options: CompactOptions) -> Result<()> {
        let _lock = self.write_lock()?;
        let merged = self.backend.merged()?;
        let mut gone: Vec<&MergedNote> = Vec::new();
        for notes in by_group(&merged).values() {
            gone.extend(
                notes.iter().copied().filter(|note| {
                    notes.iter().any(|other| covers_more(&other.covers, &note.covers))
                }),
            );
        }
        report.superseded = gone.len() as u64;
        if options.dry_run || !options.prune {
            return Ok(());
        }
        self.backend
            .rebuild(&mut |index| gone.iter().try_for_each(|note| index.delete_merged(note)))?;
        let named = self.named_objects()?;
        for note in gone {
            let digest = note.segment.digest;
            let kept = merged.iter().any(|other| other.segment.digest == digest && other != note);
            if !kept && !named.contains(&digest) {
                self.backend.remove_object(digest)?;
                report.removed += 1;
            }
        }
        Ok(())
    }

    /// What is wrong with the list of tails and merged objects, held against the edits and objects
    /// that the ledger names.
    pub(crate) fn merged_problems(&self, derived: &MemoryIndex) -> Result<Vec<(String, String)>> {
        let head = self.backend.head()?.size;
        let mut problems = Vec::new();
        let merged = self.backend.merged()?;
        let mut uncovered: Vec<&TailNote> = derived.tails.iter().collect();
        let originals: BTreeMap<(u64, Digest), &Segment> = derived
            .segments
            .iter()
            .map(|segment| ((segment.seq, segment.digest), segment))
            .collect();
        for note in &merged {
            let place = format!("merged object {}", note.segment.digest);
            let segment = &note.segment;
            let of_group = |tail: &TailNote| {
                (&tail.table, &tail.arrangement_id) == (&segment.table, &segment.arrangement_id)
            };
            let inside = |tail: &TailNote| {
                let span = note.covers.edits;
                of_group(tail) && span.is_some_and(|(a, b)| (a..=b).contains(&tail.seq))
            };
            uncovered.retain(|tail| !inside(tail));
            let edits: Vec<TailNote> =
                derived.tails.iter().filter(|tail| inside(tail)).cloned().collect();
            let mut parts = Vec::new();
            for part in &note.covers.segments {
                match originals.get(part) {
                    Some(original) => parts.push((*original).clone()),
                    None => problems.push((
                        place.clone(),
                        "stands for an object that no entry names".to_owned(),
                    )),
                }
            }
            match self.same_rows(segment, &parts, &edits) {
                Ok(true) => {}
                Ok(false) => {
                    problems.push((place, "does not hold the rows that it stands for".to_owned()))
                }
                Err(error) => problems.push((place, error.to_string())),
            }
        }
        let kept = self.backend.tails(None, head)?;
        if !kept.iter().eq(uncovered.iter().copied()) {
            problems.push(("the list of edits".to_owned(), "differs from the ledger".to_owned()));
        }
        Ok(problems)
    }

    /// Whether a merged object holds just the rows of its parts.
    fn same_rows(&self, merged: &Segment, parts: &[Segment], edits: &[TailNote]) -> Result<bool> {
        let bytes = self.read_object(merged.digest)?;
        drop(bytes);
        let table = self.known_table(&merged.table)?;
        let group = (merged.table.clone(), merged.arrangement_id.clone());
        let held = sum(&table, &merged_rows(self, merged, &table, u64::MAX)?)?;
        let mut rows = Vec::new();
        for part in parts {
            rows.extend(merged_rows(self, part, &table, u64::MAX)?);
        }
        rows.extend(self.tail_rows(&table, &group, edits)?);
        Ok(held == sum(&table, &rows)? && held.0 == merged.rows)
    }
}

/// Whether the first stands for all that the second does and more.
fn covers_more(more: &Covers, less: &Covers) -> bool {
    let segments = less.segments.iter().all(|part| more.segments.contains(part));
    let edits = match (less.edits, more.edits) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some((a, b)), Some((from, to))) => from <= a && b <= to,
    };
    more != less && segments && edits
}

/// How many rows there are, and a sum over them that does not depend on their order: of each, which
/// row it is, what it is a version of, and the hash of its values, made anew.
fn sum(table: &Table, batches: &[RecordBatch]) -> Result<(u64, u128)> {
    let (mut count, mut total) = (0, 0_u128);
    for batch in batches {
        let contents = content_hashes(table, batch);
        let numbers: Vec<_> = [schema::SEQ, schema::ENTRY, schema::ROW, schema::ROOT_REF]
            .iter()
            .map(|name| Ok(column(table, batch, name)?.as_primitive::<Int64Type>()))
            .collect::<Result<_>>()?;
        let items: Vec<_> = [schema::ITEM, schema::ROOT_ITEM]
            .iter()
            .map(|name| {
                Ok(column(table, batch, name)?.as_primitive::<arrow::datatypes::Int16Type>())
            })
            .collect::<Result<_>>()?;
        let deleted = column(table, batch, schema::DELETED)?.as_boolean();
        let stored = column(table, batch, schema::CONTENT)?.as_primitive::<Int64Type>();
        for (row, content) in contents.into_iter().enumerate() {
            if stored.value(row) != content {
                return Err(StoreError::Columns {
                    table: table.name.clone(),
                    doing: "read",
                    message: "a row has other values than its hash says".to_owned(),
                });
            }
            let mut hasher = Sha256::new();
            for array in &numbers {
                let value = arrow::array::Array::is_valid(array, row).then(|| array.value(row));
                hasher.update(format!("{value:?}|"));
            }
            for array in &items {
                let value = arrow::array::Array::is_valid(array, row).then(|| array.value(row));
                hasher.update(format!("{value:?}|"));
            }
            hasher.update(format!("{content}|{}", deleted.value(row)));
            let digest: [u8; 32] = hasher.finalize().into();
            let head = digest.first_chunk::<16>().copied().unwrap_or_default();
            total = total.wrapping_add(u128::from_be_bytes(head));
            count += 1;
        }
    }
    Ok((count, total))
}
