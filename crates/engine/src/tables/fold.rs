//! Which rows of which object stand, as of the manifest. Owns the fold of versions and retractions; it
//! must never look at the value of a column other than `version`.
//!
//! Rows that concern one fact form a chain: its first version (the root) and those that point to it.
//! Of a chain one row stands, the greatest by (`version`, `_seq`, entry, record, item); when that row
//! says that the fact is gone, none does. Versions made known by one entry under one key, of which one
//! deletes (a second reading that gives a record another identity), leave the one that lives. Whoever
//! writes objects promises that (entry, record, item) names one root of a table.

use std::collections::{HashMap, HashSet};

use backstay_evidence::{RowRef, manifest::RetractTarget};

use super::{TableRows, scan};
use crate::error::EngineError;

/// A row within its import: record and item.
pub(super) type RowKey = (u32, i16);

/// What stands of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SegmentRows {
    /// Nothing of it stands.
    pub none: bool,
    /// Rows that do not.
    pub dropped: HashSet<RowKey>,
    /// Records of which no row does.
    pub dropped_records: HashSet<u32>,
}

impl SegmentRows {
    /// Whether every row stands, so that reading needs no look at each.
    pub(super) fn all_stand(&self) -> bool {
        !self.none && self.dropped.is_empty() && self.dropped_records.is_empty()
    }

    /// Whether a row stands.
    pub(super) fn stands(&self, record: u32, item: i16) -> bool {
        !self.none
            && !self.dropped_records.contains(&record)
            && !self.dropped.contains(&(record, item))
    }
}

/// The columns of a row that decide about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemRow {
    pub record: u32,
    pub item: i16,
    pub root: Option<(i64, i16)>,
    pub deleted: bool,
    pub version: i64,
}

/// The order of versions; the greatest stands.
type Rank = (i64, u64, bool, u64, u32, i16);

struct Best {
    rank: Rank,
    segment: usize,
    key: RowKey,
    deleted: bool,
}

/// Works out what stands of each object of a table.
pub(super) fn fold(table: &TableRows) -> Result<Vec<SegmentRows>, EngineError> {
    let mut rows = retracted(table);
    let mut chains: HashMap<(i64, i16), Best> = HashMap::new();
    for (n, segment) in table.segments.iter().enumerate() {
        if segment.later_versions == 0 {
            continue;
        }
        let Some(standing) = rows.get_mut(n) else { continue };
        if standing.none {
            continue;
        }
        let mut lost = Vec::new();
        scan::system_rows(table, n, |row| {
            if let Some(root) = row.root
                && standing.stands(row.record, row.item)
            {
                lost.extend(enter(&mut chains, root, candidate(table, n, &row)));
            }
        })?;
        drop_rows(&mut rows, lost);
    }
    if chains.is_empty() {
        return Ok(rows);
    }
    enter_roots(table, &mut rows, &mut chains)?;
    let gone: Vec<_> =
        chains.values().filter(|best| best.deleted).map(|best| (best.segment, best.key)).collect();
    drop_rows(&mut rows, gone);
    Ok(rows)
}

/// Adds the first version of each chain, wherever it is stored.
fn enter_roots(
    table: &TableRows,
    rows: &mut [SegmentRows],
    chains: &mut HashMap<(i64, i16), Best>,
) -> Result<(), EngineError> {
    let entries: HashSet<u64> = chains
        .keys()
        .filter_map(|(root, _)| RowRef::unpack(*root))
        .map(|root| u64::from(root.entry))
        .collect();
    for (n, segment) in table.segments.iter().enumerate() {
        let Some(standing) = rows.get(n) else { continue };
        if standing.none || !entries.contains(&segment.entry) {
            continue;
        }
        let Ok(entry) = u32::try_from(segment.entry) else { continue };
        let mut lost = Vec::new();
        scan::system_rows(table, n, |row| {
            let key = (RowRef { entry, record: row.record }.pack(), row.item);
            if row.root.is_none()
                && chains.contains_key(&key)
                && standing.stands(row.record, row.item)
            {
                lost.extend(enter(chains, key, candidate(table, n, &row)));
            }
        })?;
        drop_rows(rows, lost);
    }
    Ok(())
}

fn candidate(table: &TableRows, segment: usize, row: &SystemRow) -> Best {
    let (seq, entry) = table.segments.get(segment).map_or((0, 0), |s| (s.seq, s.entry));
    Best {
        rank: (row.version, seq, !row.deleted, entry, row.record, row.item),
        segment,
        key: (row.record, row.item),
        deleted: row.deleted,
    }
}

/// Enters a version into its chain and gives back the one that lost.
fn enter(
    chains: &mut HashMap<(i64, i16), Best>,
    root: (i64, i16),
    new: Best,
) -> Option<(usize, RowKey)> {
    match chains.entry(root) {
        std::collections::hash_map::Entry::Vacant(empty) => {
            empty.insert(new);
            None
        }
        std::collections::hash_map::Entry::Occupied(mut held) => {
            if new.rank > held.get().rank {
                let old = held.insert(new);
                Some((old.segment, old.key))
            } else {
                Some((new.segment, new.key))
            }
        }
    }
}

fn drop_rows(rows: &mut [SegmentRows], lost: impl IntoIterator<Item = (usize, RowKey)>) {
    for (segment, key) in lost {
        if let Some(rows) = rows.get_mut(segment) {
            rows.dropped.insert(key);
        }
    }
}

/// What retractions take, before any version is compared: a taken correction gives the former
/// version its place back.
fn retracted(table: &TableRows) -> Vec<SegmentRows> {
    let in_force =
        || table.manifest.retractions.iter().filter(|r| r.seq <= table.manifest.as_of_seq);
    let of_segment = |segment: &backstay_evidence::Segment| {
        let mut rows = SegmentRows::default();
        for retraction in in_force() {
            match retraction.target {
                RetractTarget::Entry(seq) => rows.none |= seq == segment.seq,
                RetractTarget::Record(entry, record) if entry == segment.entry => {
                    rows.dropped_records.insert(record);
                }
                RetractTarget::Record(..) => {}
            }
        }
        rows
    };
    table.segments.iter().map(of_segment).collect()
}
