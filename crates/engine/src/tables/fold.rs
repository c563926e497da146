//! Which rows of which object stand, as of the manifest. Owns the fold of versions and retractions; it
//! must never look at the value of a column other than `version`.
//!
//! Rows that concern one fact form a chain: its first version (the root) and those that point to it.
//! Of a chain one row stands, the greatest by (`version`, `_seq`, entry, record, item); when that row
//! says that the fact is gone, none does. Versions made known by one entry under one key, of which one
//! deletes (a second reading that gives a record another identity), leave the one that lives. Whoever
//! writes objects promises that (entry, record, item) names one root of a table.

use std::collections::{BTreeMap, HashMap, HashSet};

use backstay_evidence::{RowRef, Segment, manifest::RetractTarget};

use super::{
    TableRows, scan,
    standing::{RowKey, SegmentRows},
};
use crate::{error::EngineError, parallel};

/// The columns of a row that decide about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemRow {
    pub key: RowKey,
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

type Chains = HashMap<(i64, i16), Best>;

/// Works out what stands of each object of a table.
pub(super) fn fold(table: &TableRows) -> Result<Vec<SegmentRows>, EngineError> {
    let mut rows = retracted(table);
    let mut chains = Chains::new();
    let later = |(n, segment): &(usize, &Segment)| {
        segment.later_versions > 0 && rows.get(*n).is_some_and(|rows| !rows.none)
    };
    let places: Vec<usize> =
        table.segments.iter().enumerate().filter(later).map(|(n, _)| n).collect();
    if places.is_empty() {
        return Ok(rows);
    }
    let found = read(table, &places, &rows, &|row| row.root.is_some())?;
    for (segment, found) in places.iter().zip(found) {
        for row in found {
            if let Some(root) = row.root {
                enter(&mut chains, &mut rows, root, candidate(*segment, &row));
            }
        }
    }
    if chains.is_empty() {
        return Ok(rows);
    }
    enter_roots(table, &mut rows, &mut chains)?;
    for best in chains.values().filter(|best| best.deleted) {
        drop_row(&mut rows, best.segment, best.key);
    }
    rows.iter_mut().for_each(SegmentRows::settle);
    Ok(rows)
}

/// The rows of some objects that were not retracted and that are asked for, object by object.
fn read(
    table: &TableRows,
    places: &[usize],
    rows: &[SegmentRows],
    wanted: &(dyn Fn(&SystemRow) -> bool + Sync),
) -> Result<Vec<Vec<SystemRow>>, EngineError> {
    let of_segment = |segment: &usize| {
        let mut found = Vec::new();
        scan::system_rows(table, *segment, |row| {
            let stands = rows.get(*segment).is_some_and(|rows| rows.stands(row.key));
            if stands && wanted(&row) {
                found.push(row);
            }
        })?;
        Ok(found)
    };
    parallel::map(places, parallel::cores(), of_segment).into_iter().collect()
}

/// Adds the first version of each chain, wherever it is stored.
fn enter_roots(
    table: &TableRows,
    rows: &mut [SegmentRows],
    chains: &mut Chains,
) -> Result<(), EngineError> {
    let beaten = beaten_unread(table, chains);
    let mut entries: HashSet<u32> = HashSet::new();
    for ((root, item), best) in chains.iter() {
        let Some(root) = RowRef::unpack(*root) else { continue };
        match beaten.get(&root.entry) {
            Some((segment, seq)) if *seq < best.rank.1 => {
                let RowRef { entry, record } = root;
                drop_row(rows, *segment, RowKey { seq: *seq, entry, record, item: *item });
            }
            _ => {
                entries.insert(root.entry);
            }
        }
    }
    let holds = |segment: &Segment| {
        segment.is_merged() && !entries.is_empty()
            || u32::try_from(segment.entry).is_ok_and(|entry| entries.contains(&entry))
    };
    let places: Vec<usize> = table
        .segments
        .iter()
        .enumerate()
        .filter(|(n, segment)| holds(segment) && rows.get(*n).is_some_and(|rows| !rows.none))
        .map(|(n, _)| n)
        .collect();
    let is_root = |row: &SystemRow| {
        row.root.is_none()
            && entries.contains(&row.key.entry)
            && chains.contains_key(&(row.key.packed(), row.key.item))
    };
    let found = read(table, &places, rows, &is_root)?;
    for (segment, found) in places.iter().zip(found) {
        for row in found {
            let root = (row.key.packed(), row.key.item);
            enter(chains, rows, root, candidate(*segment, &row));
        }
    }
    Ok(())
}

/// Entries whose first versions need not be read to know that a later one beats them: those of a
/// table without source versions that lie in one object alone. For each, that object and its
/// sequence.
fn beaten_unread(table: &TableRows, chains: &Chains) -> BTreeMap<u32, (usize, u64)> {
    let versioned = table.definition.columns.iter().any(|column| column.name == "version");
    if versioned || chains.is_empty() || table.segments.iter().any(Segment::is_merged) {
        return BTreeMap::new();
    }
    let mut found: BTreeMap<u32, Vec<(usize, u64)>> = BTreeMap::new();
    for (n, segment) in table.segments.iter().enumerate() {
        if let Ok(entry) = u32::try_from(segment.entry) {
            found.entry(entry).or_default().push((n, segment.seq));
        }
    }
    let alone = |(entry, places): (u32, Vec<(usize, u64)>)| match places.as_slice() {
        [only] => Some((entry, *only)),
        _ => None,
    };
    found.into_iter().filter_map(alone).collect()
}

fn candidate(segment: usize, row: &SystemRow) -> Best {
    let RowKey { seq, entry, record, item } = row.key;
    Best {
        rank: (row.version, seq, !row.deleted, u64::from(entry), record, item),
        segment,
        key: row.key,
        deleted: row.deleted,
    }
}

/// Enters a version into its chain and drops the one that lost.
fn enter(chains: &mut Chains, rows: &mut [SegmentRows], root: (i64, i16), new: Best) {
    match chains.entry(root) {
        std::collections::hash_map::Entry::Vacant(empty) => {
            empty.insert(new);
        }
        std::collections::hash_map::Entry::Occupied(mut held) => {
            let lost = if new.rank > held.get().rank { held.insert(new) } else { new };
            drop_row(rows, lost.segment, lost.key);
        }
    }
}

fn drop_row(rows: &mut [SegmentRows], segment: usize, key: RowKey) {
    if let Some(rows) = rows.get_mut(segment) {
        rows.drop_rows([key]);
    }
}

/// What retractions take, before any version is compared: a taken correction gives the former
/// version its place back.
fn retracted(table: &TableRows) -> Vec<SegmentRows> {
    let in_force =
        || table.manifest.retractions.iter().filter(|r| r.seq <= table.manifest.as_of_seq);
    let of_segment = |segment: &Segment| {
        let mut rows = SegmentRows::default();
        for retraction in in_force() {
            match retraction.target {
                RetractTarget::Entry(seq) if segment.is_merged() => {
                    if (segment.first_seq..=segment.seq).contains(&seq) {
                        rows.drop_seq(seq);
                    }
                }
                RetractTarget::Entry(seq) => rows.none |= seq == segment.seq,
                RetractTarget::Record(entry, record)
                    if segment.is_merged() || entry == segment.entry =>
                {
                    if let Ok(entry) = u32::try_from(entry) {
                        rows.drop_record(entry, record);
                    }
                }
                RetractTarget::Record(..) => {}
            }
        }
        rows.settle();
        rows
    };
    table.segments.iter().map(of_segment).collect()
}
