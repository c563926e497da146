//! Which objects stand for the rows of every table as of a sequence: originals of imports, or merged
//! ones in their place; and for edits merged objects and a tail. Any choice gives the same rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use arrow::{array::AsArray as _, datatypes::Int64Type};
use backstay_evidence::{Digest, Segment, schema};

use crate::{
    backend::{Backend as _, MergedNote, TailNote},
    error::Result,
    import::existing::column,
    sqlite::SqliteBackend,
    tail::{merged_rows, write_merged},
    workspace::Workspace,
};

/// Table and arrangement.
pub(crate) type Group = (String, String);

/// Objects that were made for reading, by what they hold, so that one process makes each once.
#[derive(Debug, Default)]
pub(crate) struct HeldTails(Mutex<BTreeMap<Group, (Vec<u64>, Segment)>>);

impl HeldTails {
    /// The object that holds exactly these edits.
    pub(crate) fn recall(&self, group: &Group, seqs: &[u64]) -> Option<Segment> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(group).filter(|(known, _)| known == seqs).map(|(_, segment)| segment.clone())
    }

    /// Remembers the object that holds these edits.
    pub(crate) fn remember(&self, group: Group, seqs: Vec<u64>, segment: Segment) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(group, (seqs, segment));
    }
}

/// What stands for the edits of one table and arrangement.
pub(crate) fn chosen_edits(merged: &[&MergedNote], seq: u64) -> (Vec<Segment>, Option<Segment>) {
    let mut spans: Vec<((u64, u64), &Segment)> = merged
        .iter()
        .filter_map(|note| note.covers.edits.map(|span| (span, &note.segment)))
        .collect();
    // The widest first; of equal ones the one with the lesser name, so that the choice is settled.
    spans.sort_by_key(|((first, last), segment)| (*first, u64::MAX - last, segment.digest));
    let (mut whole, mut cut, mut covered) = (Vec::new(), None, 0);
    for ((first, last), segment) in &spans {
        if *first > covered && *last <= seq {
            whole.push((*segment).clone());
            covered = *last;
        }
    }
    // As of an instant within a merged object only its rows up to there are known.
    for ((first, last), segment) in &spans {
        let narrower = cut.as_ref().is_none_or(|other: &Segment| segment.rows < other.rows);
        if *first > covered && *first <= seq && *last > seq && narrower {
            cut = Some((*segment).clone());
        }
    }
    (whole, cut)
}

/// Merged objects that stand for imports' objects, and what they stand for.
pub(crate) fn chosen_bases(
    merged: &[&MergedNote],
    known: &BTreeSet<(u64, Digest)>,
) -> (Vec<Segment>, BTreeSet<(u64, Digest)>) {
    let mut bases: Vec<&&MergedNote> =
        merged.iter().filter(|note| !note.covers.segments.is_empty()).collect();
    bases.sort_by_key(|note| (usize::MAX - note.covers.segments.len(), note.segment.digest));
    let (mut segments, mut covered) = (Vec::new(), BTreeSet::new());
    for note in bases {
        let free = |part: &(u64, Digest)| known.contains(part) && !covered.contains(part);
        if note.covers.segments.iter().all(free) {
            covered.extend(note.covers.segments.iter().copied());
            segments.push(note.segment.clone());
        }
    }
    (segments, covered)
}

/// Merged objects by table and arrangement.
pub(crate) fn by_group(merged: &[MergedNote]) -> BTreeMap<Group, Vec<&MergedNote>> {
    let mut groups: BTreeMap<Group, Vec<&MergedNote>> = BTreeMap::new();
    for note in merged {
        let group = (note.segment.table.clone(), note.segment.arrangement_id.clone());
        groups.entry(group).or_default().push(note);
    }
    groups
}

impl Workspace {
    /// The objects that hold every row known at `seq`, those of edits among them; ordered by table,
    /// arrangement, sequence, digest. With `compact`, merged objects stand for those of imports.
    pub(crate) fn row_segments(&self, seq: u64, compact: bool) -> Result<Vec<Segment>> {
        self.row_segments_in(&self.backend, seq, compact)
    }

    /// As [`Workspace::row_segments`], by the lists of a snapshot.
    pub(crate) fn row_segments_in(
        &self,
        backend: &SqliteBackend,
        seq: u64,
        compact: bool,
    ) -> Result<Vec<Segment>> {
        let mut segments = backend.segments(seq)?;
        // The tails first: edits that another process cuts meanwhile are then seen twice, not never.
        let mut tails = backend.tails(None, seq)?;
        let merged = backend.merged()?;
        for (group, notes) in by_group(&merged) {
            let spans = || notes.iter().filter_map(|note| note.covers.edits);
            tails.retain(|tail| {
                (&tail.table, &tail.arrangement_id) != (&group.0, &group.1)
                    || !spans().any(|(first, last)| (first..=last).contains(&tail.seq))
            });
            if compact && !self.originals_only {
                let of_group = |segment: &&Segment| {
                    segment.table == group.0 && segment.arrangement_id == group.1
                };
                let known = segments.iter().filter(of_group).map(|s| (s.seq, s.digest)).collect();
                let (bases, covered) = chosen_bases(&notes, &known);
                segments.retain(|segment| {
                    !of_group(&segment) || !covered.contains(&(segment.seq, segment.digest))
                });
                segments.extend(bases);
            }
            let (whole, cut) = chosen_edits(&notes, seq);
            if self.originals_only {
                for merged in whole.iter().chain(&cut) {
                    tails.extend(self.edits_of(merged, seq)?);
                }
                continue;
            }
            segments.extend(whole);
            if let Some(cut) = cut {
                segments.extend(self.hold_part(&cut, seq)?);
            }
        }
        tails.sort_unstable();
        segments.extend(self.hold_edits(&tails)?);
        segments.sort_by(|a, b| {
            let key = |s: &Segment| (s.table.clone(), s.arrangement_id.clone(), s.seq, s.digest);
            key(a).cmp(&key(b))
        });
        Ok(segments)
    }

    /// The edits known at `seq` whose rows a merged object holds.
    fn edits_of(&self, segment: &Segment, seq: u64) -> Result<Vec<TailNote>> {
        let table = self.known_table(&segment.table)?;
        let mut rows: BTreeMap<u64, u64> = BTreeMap::new();
        for batch in merged_rows(self, segment, &table, seq)? {
            let seqs = column(&table, &batch, schema::SEQ)?.as_primitive::<Int64Type>();
            for seq in seqs.values() {
                *rows.entry(seq.unsigned_abs()).or_default() += 1;
            }
        }
        let note = |(seq, rows)| TailNote {
            table: segment.table.clone(),
            arrangement_id: segment.arrangement_id.clone(),
            seq,
            rows,
        };
        Ok(rows.into_iter().map(note).collect())
    }

    /// An object held in memory with those rows of a merged one that were known at `seq`.
    fn hold_part(&self, segment: &Segment, seq: u64) -> Result<Option<Segment>> {
        let table = self.known_table(&segment.table)?;
        let rows = merged_rows(self, segment, &table, seq)?;
        let digest = self.vocabulary().digest().to_string();
        let part = write_merged(&table, &segment.arrangement_id, &rows, &digest)?;
        Ok(part.map(|object| {
            self.backend.hold_object(object.bytes.into());
            object.segment
        }))
    }
}
