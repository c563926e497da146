//! Holds all rows of a file against what is known: group by group, and again when a rejection
//! found on the way takes a record whose other rows were already settled.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

use arrow::array::AsArray as _;
use arrow::datatypes::{Decimal128Type, Int64Type, UInt32Type};
use backstay_evidence::{
    ReadSummary, Segment,
    fingerprint::FINGERPRINT,
    manifest::{QUARANTINE, Retraction},
    schema,
    vocabulary::{Table, TableKind},
};

use super::{
    bucket::{Buckets, count_for},
    collect::{Collector, Group, KEY, ORDINAL, Records, state},
    existing::{Described, column, resolve_columns, scan, visible},
    resolve::{Decisions, NewRow, OldRow, Rules, Verdict, resolve},
    sieve::Sieve,
};
use crate::{
    backend::Backend,
    error::{Result, StoreError},
    payload::{Counts, is_full},
};

/// Threads that read stored rows.
const SCANNERS: usize = 2;
/// Stored rows handed on together.
const SCANNED_ROWS: usize = 8_192;

/// What is known, and what this reading may replace.
pub(super) struct Known<'a> {
    pub(super) backend: &'a dyn Backend,
    pub(super) segments: &'a [Segment],
    pub(super) retractions: &'a [Retraction],
    /// For a reread: the import read again.
    pub(super) origin: Option<u32>,
    /// For a reread: only compare with the readings at these entries.
    pub(super) compare: Option<&'a [u64]>,
    pub(super) scratch: &'a Path,
    /// Rows compared at once.
    pub(super) compared_rows: u64,
}

/// What becomes of one group, with the segments it was held against.
pub(super) struct Settled {
    pub(super) decisions: Decisions,
    pub(super) segments: Vec<Segment>,
}

/// What becomes of a file.
pub(super) struct Resolved {
    pub(super) groups: BTreeMap<(String, String), Settled>,
    pub(super) counts: Counts,
    pub(super) hints: Vec<String>,
}

impl Resolved {
    /// Whether anything is new, the rejections among it.
    pub(super) fn changes(&self) -> bool {
        // A fingerprint says nothing that its rows do not say.
        self.groups
            .iter()
            .any(|((table, _), settled)| table != FINGERPRINT && settled.decisions.changes())
    }

    /// Facts that go.
    pub(super) fn withdrawn(&self) -> u64 {
        let data = self.groups.iter().filter(|((table, _), _)| table != FINGERPRINT);
        data.map(|(_, settled)| settled.decisions.counts.withdrawn).sum()
    }

    /// Whether an object will point at rows of the file itself.
    pub(super) fn points_here(&self) -> bool {
        self.groups.values().any(|settled| settled.decisions.points_here())
    }
}

/// Whether rows of this table are made by the store from the file's own.
fn is_system(table: &str) -> bool {
    table == QUARANTINE || table == FINGERPRINT
}

/// Resolves everything that was collected.
pub(super) fn resolve_all(
    collector: &mut Collector<'_>,
    summary: &ReadSummary,
    known: &Known<'_>,
) -> Result<Resolved> {
    let full: Vec<(String, String)> = summary
        .scopes
        .iter()
        .filter(|scope| is_full(scope.load))
        .map(|scope| (scope.table.clone(), scope.arrangement_id.clone()))
        .collect();
    for (table, arrangement_id) in &full {
        // A whole that holds no row still says that there is none.
        collector.group(table, arrangement_id)?;
    }
    collector.settle()?;
    let mut groups;
    let mut states;
    loop {
        groups = BTreeMap::new();
        states = collector.records.clone();
        let whole = collector.kinds.is_empty();
        let mut found = Vec::new();
        for (key, group) in collector.groups.iter().filter(|((table, _), _)| !is_system(table)) {
            let full = whole && full.contains(key);
            let mut settled = resolve_group(group, full, known, &collector.records, &mut states)?;
            found.append(&mut settled.decisions.rejections);
            groups.insert(key.clone(), settled);
        }
        let again = !found.is_empty()
            && (!full.is_empty()
                || found.iter().any(|r| collector.records.get(r.record) & state::SEVERAL != 0));
        for rejection in found {
            states.set(rejection.record, state::REJECTED);
            collector.take_rejection(rejection)?;
        }
        if !again {
            break;
        }
    }
    collector.settle()?;
    let none = Records::default();
    for (key, group) in collector.groups.iter().filter(|((table, _), _)| is_system(table)) {
        let settled = match key.0.as_str() {
            // Each file's own are kept, whatever is known.
            FINGERPRINT => all_new(group, &none, &mut Records::default())?,
            _ => resolve_group(group, false, known, &none, &mut Records::default())?,
        };
        groups.insert(key.clone(), settled);
    }
    let mut hints = Vec::new();
    if !full.is_empty() && !collector.kinds.is_empty() {
        hints.push(
            "records were quarantined, so the file is not taken as the whole: nothing was withdrawn; correct them and import again"
                .to_owned(),
        );
    }
    Ok(Resolved { groups, counts: count(summary.records, &states), hints })
}

/// Each record once, by the weightiest of its rows.
fn count(read: u64, states: &Records) -> Counts {
    let mut counts = Counts { read, ..Counts::default() };
    let mut seen = 0;
    for state in states.iter() {
        seen += 1;
        if state & state::REJECTED != 0 {
            counts.quarantined += 1;
        } else if state & state::NEW != 0 {
            counts.accepted += 1;
        } else if state & state::CORRECTED != 0 {
            counts.corrected += 1;
        } else if state & state::KNOWN != 0 {
            counts.already_known += 1;
        } else {
            counts.without_rows += 1;
        }
    }
    // Records after the last one with a row.
    counts.without_rows += read.saturating_sub(seen);
    counts.accepted += counts.without_rows;
    counts
}

/// Resolves one group; marks in `states` what became of its records.
fn resolve_group(
    group: &Group,
    full: bool,
    known: &Known<'_>,
    excluded: &Records,
    states: &mut Records,
) -> Result<Settled> {
    let segments: Vec<Segment> = known
        .segments
        .iter()
        .filter(|s| s.table == group.table.name && s.arrangement_id == group.arrangement_id)
        .filter(|segment| visible(segment, known.retractions))
        .filter(|segment| full || known.origin.is_some() || may_meet(group, segment))
        .cloned()
        .collect();
    let stored: u64 = segments.iter().map(|segment| segment.rows).sum();
    if segments.is_empty() && !full && nothing_to_compare(group, known) {
        return all_new(group, excluded, states);
    }
    let buckets = count_for(u64::from(group.rows) + stored, known.compared_rows);
    let mut new = Buckets::new(buckets, known.scratch, "new")?;
    let mut sources = HashSet::new();
    let mut sieve = Sieve::new(group.rows);
    each_new(group, &mut |row, source| {
        if full {
            sources.insert(source);
        }
        sieve.add(row.group);
        if excluded.get(row.record) & state::REJECTED == 0 { new.push(row) } else { Ok(()) }
    })?;
    // Stored rows that no new row is about matter only to what the file may withdraw or replace.
    let all = full || known.origin.is_some() || known.compare.is_some();
    let mut old = Buckets::new(buckets, known.scratch, "old")?;
    scan_all(known, &segments, &group.table, &|row| all || sieve.may_hold(row.group), &mut old)?;
    let rules = Rules {
        table: &group.table,
        arrangement_id: &group.arrangement_id,
        full: full.then_some(sources),
        origin: known.origin,
        compare: known.compare,
    };
    let mut decisions = Decisions::new(group.rows);
    for bucket in 0..buckets {
        let mut rows = new.take(bucket)?;
        resolve(&rules, &mut rows, &mut old.take(bucket)?, &mut decisions);
        for row in rows {
            states.set(
                row.record,
                match decisions.verdict(row.ordinal) {
                    Verdict::Insert => state::NEW,
                    Verdict::Version => state::CORRECTED,
                    Verdict::Known => state::KNOWN,
                    Verdict::Reject => 0,
                },
            );
        }
    }
    Ok(Settled { decisions, segments })
}

/// Describes the stored rows that are wanted, in two threads. Their order does not matter: each
/// bucket is sorted.
fn scan_all(
    known: &Known<'_>,
    segments: &[Segment],
    table: &Table,
    wanted: &(dyn Fn(&OldRow) -> bool + Sync),
    old: &mut Buckets<OldRow>,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let (backend, retractions) = (known.backend, known.retractions);
    let gone = || StoreError::Columns {
        table: table.name.clone(),
        doing: "read",
        message: "nobody takes its rows".to_owned(),
    };
    let scan_some = |sender: &SyncSender<Result<Vec<OldRow>>>| -> Result<()> {
        let mut rows = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(segment) = segments.get(place) else { break };
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            scan(backend, segment, place, table, retractions, &mut |row| {
                if wanted(&row) {
                    rows.push(row);
                }
                if rows.len() < SCANNED_ROWS {
                    return Ok(());
                }
                sender.send(Ok(std::mem::take(&mut rows))).map_err(|_| gone())
            })?;
        }
        sender.send(Ok(rows)).map_err(|_| gone())
    };
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(SCANNERS);
        for _ in 0..SCANNERS.min(segments.len()) {
            let sender = sender.clone();
            let scan_some = &scan_some;
            scope.spawn(move || {
                if let Err(error) = scan_some(&sender) {
                    // When it cannot be told, another error is on its way already.
                    let _ = sender.send(Err(error));
                }
            });
        }
        drop(sender);
        for rows in receiver {
            rows?.into_iter().try_for_each(|row| old.push(row))?;
        }
        Ok(())
    })
}

/// Whether rows that meet no stored one need no comparison: an event that occurs twice in a file
/// occurred twice, and nothing of an earlier reading is held against it.
fn nothing_to_compare(group: &Group, known: &Known<'_>) -> bool {
    group.table.kind == TableKind::Event && known.origin.is_none() && known.compare.is_none()
}

/// Every row of a group is a new fact, but those of records that are rejected.
fn all_new(group: &Group, excluded: &Records, states: &mut Records) -> Result<Settled> {
    let mut decisions = Decisions::new(group.rows);
    for batch in group.runs(Some(&[schema::ROW, ORDINAL]))?.into_iter().flatten() {
        let batch = batch?;
        let records = column(&group.table, &batch, schema::ROW)?.as_primitive::<Int64Type>();
        let ordinals = column(&group.table, &batch, ORDINAL)?.as_primitive::<UInt32Type>();
        for (record, ordinal) in records.values().iter().zip(ordinals.values()) {
            let record = u32::try_from(*record).unwrap_or_default();
            if excluded.get(record) & state::REJECTED == 0 {
                decisions.set(*ordinal, Verdict::Insert);
                states.set(record, state::NEW);
            }
        }
    }
    Ok(Settled { decisions, segments: Vec::new() })
}

/// Whether a stored segment can hold a row that one of the group is the same fact as. Without ids
/// of the source's own, an event's instant is part of its identity.
fn may_meet(group: &Group, segment: &Segment) -> bool {
    let by_instant = group.table.kind == TableKind::Event
        && !group.own_ids
        && group.table.occurred.as_ref().is_some_and(|name| group.table.identity.contains(name));
    match (by_instant, group.occurred_us, segment.occurred_us) {
        (true, Some((first, last)), Some((from, to))) => first <= to && from <= last,
        _ => true,
    }
}

/// Describes every row of a group.
fn each_new(group: &Group, each: &mut dyn FnMut(NewRow, u64) -> Result<()>) -> Result<()> {
    let mut names = resolve_columns(&group.table);
    names.extend([KEY, ORDINAL].map(str::to_owned));
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    for batch in group.runs(Some(&wanted))?.into_iter().flatten() {
        let batch = batch?;
        let keys = column(&group.table, &batch, KEY)?.as_primitive::<Decimal128Type>();
        let keys = keys.values().iter().map(|key| key.to_be_bytes()).collect();
        let ordinals = column(&group.table, &batch, ORDINAL)?.as_primitive::<UInt32Type>();
        let rows = Described::new(&group.table, &batch, keys)?;
        for at in 0..batch.num_rows() {
            let row = NewRow {
                group: rows.group(at),
                key: rows.key(at),
                content: rows.content(at),
                version: rows.version(at),
                from: rows.from(at),
                to: rows.to(at),
                record: rows.record(at),
                item: rows.item(at),
                ordinal: ordinals.value(at),
            };
            each(row, rows.source(at))?;
        }
    }
    Ok(())
}
