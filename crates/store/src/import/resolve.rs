//! Decides of every new row whether it is a new fact, a later version of a known one, known
//! already, or to be rejected. Works on small fixed descriptions of rows, in buckets by key when
//! there are many, and never looks at a value beyond versions and validity.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use backstay_evidence::{
    RowRef,
    quarantine::code,
    sink::Rejection,
    vocabulary::{Table, TableKind},
};

use super::validity::{Proposal, Span, overlaps};
use crate::payload::TableCounts;

/// A row that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NewRow {
    /// Rows that must be looked at together: one key, or one key without its `valid_from`.
    pub(super) group: [u8; 16],
    /// Identity.
    pub(super) key: [u8; 16],
    pub(super) content: i64,
    pub(super) version: i64,
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) record: u32,
    pub(super) item: i16,
    /// Place in the order of arrival.
    pub(super) ordinal: u32,
}

/// A stored row that no retraction takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OldRow {
    pub(super) group: [u8; 16],
    pub(super) key: [u8; 16],
    pub(super) content: i64,
    pub(super) version: i64,
    pub(super) from: i32,
    pub(super) to: i32,
    /// Hash of the source system.
    pub(super) source: u64,
    /// The fact it is a version of: its own reference for the first version.
    pub(super) root_ref: i64,
    pub(super) root_item: i16,
    pub(super) seq: u64,
    pub(super) entry: u32,
    pub(super) record: u32,
    pub(super) item: i16,
    pub(super) deleted: bool,
    /// It was entered by hand.
    pub(super) edited: bool,
    /// Place of its segment in the list that was scanned.
    pub(super) segment: u32,
}

impl OldRow {
    fn root(&self) -> (i64, i16) {
        (self.root_ref, self.root_item)
    }

    fn rank(&self) -> (i64, u64, u32, i16) {
        (self.version, self.seq, self.record, self.item)
    }
}

/// What a later version is a version of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// A stored row.
    Stored(i64, i16),
    /// A record and item of the file itself.
    Here(u32, i16),
}

/// What the decisions rest on beside the rows.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    pub(super) table: &'a Table,
    pub(super) arrangement_id: &'a str,
    /// The file is the whole: facts that it lacks go. For events, only those of these sources.
    pub(super) full: Option<HashSet<u64>>,
    /// For a reread: the import that is read again. What later imports said stands.
    pub(super) origin: Option<u32>,
    /// Only compare with the readings at these entries: nothing is withdrawn, and facts that only
    /// they had are counted.
    pub(super) compare: Option<&'a [u64]>,
}

/// What becomes of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Insert = 0,
    Known = 1,
    Version = 2,
    Reject = 3,
}

/// What becomes of the rows of a group.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    /// By ordinal, as [`Verdict`].
    verdicts: Vec<u8>,
    /// By ordinal, for later versions.
    pub(super) roots: HashMap<u32, Root>,
    /// Facts that a full load no longer has: the version that stood.
    pub(super) withdrawn: Vec<OldRow>,
    pub(super) rejections: Vec<Rejection>,
    pub(super) counts: TableCounts,
    /// Records and items of the reread import that other imports' rows are versions of.
    pub(super) taken: BTreeSet<(u32, i16)>,
}

impl Decisions {
    pub(super) fn new(rows: u32) -> Self {
        Self { verdicts: vec![Verdict::Reject as u8; rows as usize], ..Self::default() }
    }

    pub(super) fn verdict(&self, ordinal: u32) -> Verdict {
        match self.verdicts.get(ordinal as usize) {
            Some(0) => Verdict::Insert,
            Some(1) => Verdict::Known,
            Some(2) => Verdict::Version,
            _ => Verdict::Reject,
        }
    }

    pub(super) fn set(&mut self, ordinal: u32, verdict: Verdict) {
        if let Some(place) = self.verdicts.get_mut(ordinal as usize) {
            *place = verdict as u8;
        }
        match verdict {
            Verdict::Insert => self.counts.new += 1,
            Verdict::Known => self.counts.already_known += 1,
            Verdict::Version => self.counts.corrected += 1,
            Verdict::Reject => {}
        }
    }

    /// Whether a later version points at a row of the file itself.
    pub(super) fn points_here(&self) -> bool {
        self.roots.values().any(|root| matches!(root, Root::Here(..)))
    }

    /// Whether anything is to be written.
    pub(super) fn changes(&self) -> bool {
        self.counts.new + self.counts.corrected > 0 || !self.withdrawn.is_empty()
    }
}

/// All stored versions of one fact.
#[derive(Debug)]
struct Chain {
    root: (i64, i16),
    winner: OldRow,
    /// The last word of each source version.
    last: BTreeMap<i64, OldRow>,
    /// The last word of the sources themselves on it, what was entered by hand left out.
    last_imported: BTreeMap<i64, OldRow>,
}

/// Resolves the rows of one bucket.
pub(super) fn resolve(
    rules: &Rules<'_>,
    new: &mut [NewRow],
    old: &mut [OldRow],
    out: &mut Decisions,
) {
    new.sort_unstable_by_key(|row| (row.group, row.key, row.record, row.item, row.ordinal));
    old.sort_unstable_by_key(|row| (row.group, row.key, row.root(), row.rank()));
    let (mut new, mut old): (&[NewRow], &[OldRow]) = (new, old);
    loop {
        let group = match (new.first(), old.first()) {
            (None, None) => return,
            (Some(n), None) => n.group,
            (None, Some(o)) => o.group,
            (Some(n), Some(o)) => n.group.min(o.group),
        };
        let (here, rest) = new.split_at(new.iter().take_while(|row| row.group == group).count());
        let (there, left) = old.split_at(old.iter().take_while(|row| row.group == group).count());
        (new, old) = (rest, left);
        if let Some(origin) = rules.origin {
            note_taken(origin, there, out);
        }
        match rules.table.kind {
            TableKind::Event => events(rules, here, &chains(there), out),
            TableKind::Register => registers(rules, here, there, out),
        }
    }
}

/// Remembers facts whose first version was the reread import's and that others still speak of.
fn note_taken(origin: u32, old: &[OldRow], out: &mut Decisions) {
    for row in old {
        if let Some(root) = RowRef::unpack(row.root_ref)
            && root.entry == origin
        {
            out.taken.insert((root.record, row.root_item));
        }
    }
}

/// The facts among stored rows of one key, in order of their first version.
fn chains(old: &[OldRow]) -> Vec<Chain> {
    old.chunk_by(|a, b| a.root() == b.root())
        .filter_map(|versions| {
            let winner = *versions.iter().max_by_key(|row| row.rank())?;
            let last = versions.iter().map(|row| (row.version, *row)).collect();
            let imported = versions.iter().filter(|row| !row.edited);
            let last_imported = imported.map(|row| (row.version, *row)).collect();
            Some(Chain { root: winner.root(), winner, last, last_imported })
        })
        .collect()
}

/// Whether a later import than the reread one already had its word.
fn said_later(rules: &Rules<'_>, chain: &Chain) -> bool {
    rules.origin.is_some_and(|origin| chain.winner.entry > origin)
}

/// Marks what a full load no longer has.
fn withdraw(rules: &Rules<'_>, chain: &Chain, out: &mut Decisions) {
    if let Some(readings) = rules.compare {
        if readings.contains(&chain.winner.seq) && !chain.winner.deleted {
            out.counts.withdrawn += 1;
        }
        return;
    }
    let Some(sources) = &rules.full else { return };
    let event = rules.table.kind == TableKind::Event;
    let has_source = rules.table.column("source").is_some();
    let concerned = !event || !has_source || sources.contains(&chain.winner.source);
    if concerned && !chain.winner.deleted && !said_later(rules, chain) {
        out.counts.withdrawn += 1;
        out.withdrawn.push(chain.winner);
    }
}

/// Events: what is equal is known, what is left pairs in order as corrections, and what is left
/// then happened once more.
fn events(rules: &Rules<'_>, new: &[NewRow], chains: &[Chain], out: &mut Decisions) {
    let mut equal: BTreeMap<i64, VecDeque<usize>> = BTreeMap::new();
    for (place, chain) in chains.iter().enumerate().filter(|(_, chain)| !chain.winner.deleted) {
        equal.entry(chain.winner.content).or_default().push_back(place);
    }
    let mut matched = vec![false; chains.len()];
    let mut left = Vec::new();
    for row in new {
        match equal.get_mut(&row.content).and_then(VecDeque::pop_front) {
            Some(place) => {
                matched.iter_mut().skip(place).take(1).for_each(|slot| *slot = true);
                out.set(row.ordinal, Verdict::Known);
            }
            None => left.push(row),
        }
    }
    let free = |deleted: bool, matched: &[bool]| -> Vec<usize> {
        let places = chains.iter().zip(matched).enumerate();
        places
            .filter(|(_, (chain, taken))| !**taken && chain.winner.deleted == deleted)
            .map(|(place, _)| place)
            .collect()
    };
    let mut partners: VecDeque<usize> =
        free(false, &matched).into_iter().chain(free(true, &matched)).collect();
    for row in left {
        let Some(place) = partners.pop_front() else {
            out.set(row.ordinal, Verdict::Insert);
            continue;
        };
        matched.iter_mut().skip(place).take(1).for_each(|slot| *slot = true);
        let Some(chain) = chains.get(place) else { continue };
        if said_later(rules, chain) {
            out.set(row.ordinal, Verdict::Known);
        } else {
            out.roots.insert(row.ordinal, Root::Stored(chain.root.0, chain.root.1));
            out.set(row.ordinal, Verdict::Version);
        }
    }
    for (chain, _) in chains.iter().zip(&matched).filter(|(_, taken)| !**taken) {
        withdraw(rules, chain, out);
    }
}

/// What one new row of a register would be.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    verdict: Verdict,
    root: Option<Root>,
    /// Whether it would be the version that stands.
    wins: bool,
}

/// Registers: one fact per key; rows of one key without `valid_from` must not overlap in time.
fn registers(rules: &Rules<'_>, new: &[NewRow], old: &[OldRow], out: &mut Decisions) {
    let mut facts: BTreeMap<[u8; 16], Chain> = BTreeMap::new();
    for versions in old.chunk_by(|a, b| a.key == b.key) {
        // One key has one fact that stands; a retracted one may have left an older sibling.
        let best =
            chains(versions).into_iter().max_by_key(|c| (!c.winner.deleted, c.winner.rank()));
        if let (Some(chain), Some(row)) = (best, versions.first()) {
            facts.insert(row.key, chain);
        }
    }
    let mut rejected: BTreeMap<u32, (&'static str, String)> = BTreeMap::new();
    let outcomes = loop {
        let outcomes = register_keys(rules, new, &facts, &mut rejected);
        let checked = rules.table.has_validity() && rules.compare.is_none();
        if !checked || !reject_overlaps(new, &facts, &outcomes, &mut rejected) {
            break outcomes;
        }
    };
    let mut stated: HashSet<[u8; 16]> = HashSet::new();
    for row in new {
        stated.insert(row.key);
        if let Some((code, reason)) = rejected.remove(&row.ordinal) {
            out.rejections.push(Rejection {
                record: row.record,
                table: rules.table.name.clone(),
                arrangement_id: rules.arrangement_id.to_owned(),
                subject: None,
                column: (code == code::OVERLAPPING_VALIDITY).then(|| "valid_from".to_owned()),
                cell: None,
                code: code.to_owned(),
                reason,
            });
            out.set(row.ordinal, Verdict::Reject);
        } else if let Some(outcome) = outcomes.get(&row.ordinal) {
            if let Some(root) = outcome.root {
                out.roots.insert(row.ordinal, root);
            }
            out.set(row.ordinal, outcome.verdict);
        }
    }
    for (_, chain) in facts.iter().filter(|(key, _)| !stated.contains(*key)) {
        withdraw(rules, chain, out);
    }
}

/// Settles each key for itself, leaving out the rows rejected so far.
fn register_keys(
    rules: &Rules<'_>,
    new: &[NewRow],
    facts: &BTreeMap<[u8; 16], Chain>,
    rejected: &mut BTreeMap<u32, (&'static str, String)>,
) -> HashMap<u32, Outcome> {
    let mut outcomes = HashMap::with_capacity(new.len());
    for rows in new.chunk_by(|a, b| a.key == b.key) {
        let chain = rows.first().and_then(|row| facts.get(&row.key));
        let mut first: Option<Root> = chain.map(|c| Root::Stored(c.root.0, c.root.1));
        // Version and row of this file that stands so far; the stored one counts as before it.
        let mut best: Option<(i64, u32)> = None;
        let mut seen: BTreeMap<i64, &NewRow> = BTreeMap::new();
        for row in rows {
            if rejected.contains_key(&row.ordinal) {
                continue;
            }
            if let Some(before) = seen.get(&row.version) {
                if before.content == row.content {
                    let known = Outcome { verdict: Verdict::Known, root: None, wins: false };
                    outcomes.insert(row.ordinal, known);
                } else {
                    let reason = format!(
                        "record {} of this file states the same key with other values: keep one of them, or give them different versions",
                        before.record
                    );
                    rejected.insert(row.ordinal, (code::DUPLICATE_IDENTITY, reason));
                }
                continue;
            }
            seen.insert(row.version, row);
            if chain.is_some_and(|chain| is_known(rules, chain, row)) {
                let known = Outcome { verdict: Verdict::Known, root: None, wins: false };
                outcomes.insert(row.ordinal, known);
                continue;
            }
            let beats_stored = chain.is_none_or(|chain| row.version >= chain.winner.version);
            let beats_here = best.is_none_or(|(version, _)| row.version >= version);
            let verdict = if first.is_some() { Verdict::Version } else { Verdict::Insert };
            let wins = beats_stored && beats_here;
            outcomes.insert(row.ordinal, Outcome { verdict, root: first, wins });
            if wins
                && let Some((_, loser)) = best.replace((row.version, row.ordinal))
                && let Some(outcome) = outcomes.get_mut(&loser)
            {
                outcome.wins = false;
            }
            first.get_or_insert(Root::Here(row.record, row.item));
        }
    }
    outcomes
}

/// Whether a stored version already says what this row says, with effect.
fn is_known(rules: &Rules<'_>, chain: &Chain, row: &NewRow) -> bool {
    if said_later(rules, chain) && row.version <= chain.winner.version {
        return true;
    }
    let says_so = |last: Option<&OldRow>| {
        last.is_some_and(|last| last.content == row.content && !last.deleted)
    };
    // A source that only repeats what somebody has changed by hand since says nothing new.
    says_so(chain.last.get(&row.version)) || says_so(chain.last_imported.get(&row.version))
}

/// Rejects the newcomers whose validity overlaps that of another row; true: there were some.
fn reject_overlaps(
    new: &[NewRow],
    facts: &BTreeMap<[u8; 16], Chain>,
    outcomes: &HashMap<u32, Outcome>,
    rejected: &mut BTreeMap<u32, (&'static str, String)>,
) -> bool {
    let wins = |row: &&NewRow| outcomes.get(&row.ordinal).is_some_and(|outcome| outcome.wins);
    let mut proposals: Vec<Proposal> = new
        .iter()
        .filter(wins)
        .map(|row| Proposal {
            span: Span { from: row.from, to: row.to },
            record: row.record,
            ordinal: row.ordinal,
        })
        .collect();
    proposals.sort_unstable_by_key(|proposal| (proposal.record, proposal.ordinal));
    let replaced: HashSet<[u8; 16]> = new.iter().filter(wins).map(|row| row.key).collect();
    let standing = facts
        .iter()
        .filter(|(key, chain)| !chain.winner.deleted && !replaced.contains(*key))
        .map(|(_, chain)| {
            let row = &chain.winner;
            (Span { from: row.from, to: row.to }, RowRef { entry: row.entry, record: row.record })
        });
    let found = overlaps(standing, &proposals);
    let any = !found.is_empty();
    for (ordinal, other) in found {
        let reason = format!(
            "valid at the same time as {other} of the same key: end that row first, or correct it by the same valid_from"
        );
        rejected.insert(ordinal, (code::OVERLAPPING_VALIDITY, reason));
    }
    any
}
