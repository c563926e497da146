//! Appending entries: the checks, the entry's row, the tree. One transaction, one write of the head,
//! however many entries.

use std::path::Path;

use backstay_ledger::{
    Digest as LedgerDigest, EntryDraft, EvidenceDigest, Frontier, Precondition, SaltedDigest,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{bad, change, failed, node};
use crate::{
    backend::{Append, Basis, Expectation, Head, Sealed},
    error::{Result, StoreError},
};

const DOING: &str = "appending to the ledger";

/// The end of the ledger while entries are being appended.
pub(super) struct Tip<'d> {
    /// The database's file.
    database: &'d Path,
    /// As it was before the first of them.
    before: Head,
    frontier: Frontier,
    evidence: EvidenceDigest,
    evidence_seq: u64,
    recorded_at_us: Option<i64>,
}

/// The head row, with the frontier that appending needs.
pub(super) fn read_head(connection: &Connection) -> Result<(Head, Frontier)> {
    let doing = failed("reading the head of the ledger");
    let (frontier, evidence, evidence_seq, recorded_at_us): (Vec<u8>, [u8; 32], i64, Option<i64>) =
        connection
            .prepare_cached("SELECT frontier, evidence, evidence_seq, recorded_at_us FROM head")
            .and_then(|mut statement| {
                statement
                    .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            })
            .map_err(&doing)?;
    let frontier = Frontier::from_bytes(&frontier)
        .map_err(|error| bad("reading the head of the ledger", error))?;
    let head = Head {
        size: frontier.size(),
        root: frontier.root(),
        recorded_at_us,
        evidence: EvidenceDigest(backstay_ledger::Digest(evidence)),
        evidence_seq: evidence_seq.unsigned_abs(),
    };
    Ok((head, frontier))
}

fn check_basis(basis: Basis, head: &Head) -> Result<()> {
    let (expected, found) = match basis {
        Basis::Any => return Ok(()),
        Basis::EvidenceAt(seq) => (seq, head.evidence_seq),
        Basis::SizeIs(seq) => (seq, head.size),
    };
    if expected == found { Ok(()) } else { Err(StoreError::Stale { expected, found }) }
}

fn check_expectations(connection: &Connection, expectations: &[Expectation]) -> Result<()> {
    for Expectation { precondition, seen } in expectations {
        let Precondition { table, key, expected_seq } = precondition;
        let current: Option<(i64, Option<String>)> = connection
            .prepare_cached(
                "SELECT seq, row FROM register WHERE table_name = ? AND row_key = ?
                 ORDER BY seq DESC LIMIT 1",
            )
            .and_then(|mut statement| {
                statement.query_row([table, key], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(failed("checking preconditions"))?;
        let (found_seq, found) = match current {
            Some((seq, Some(row))) => (seq.unsigned_abs(), Some(row)),
            _ => (0, None),
        };
        if found_seq != *expected_seq {
            let words = |row: &Option<String>| row.clone().unwrap_or_else(|| "no row".to_owned());
            return Err(StoreError::Conflict {
                table: table.clone(),
                key: key.clone(),
                expected_seq: *expected_seq,
                seen: words(seen),
                found_seq,
                found: words(&found),
            });
        }
    }
    Ok(())
}

impl<'d> Tip<'d> {
    /// Where the ledger ends.
    pub(super) fn read(connection: &Connection, database: &'d Path) -> Result<Self> {
        let (before, frontier) = read_head(connection)?;
        Ok(Self {
            database,
            frontier,
            evidence: before.evidence,
            evidence_seq: before.evidence_seq,
            recorded_at_us: before.recorded_at_us,
            before,
        })
    }

    /// Appends one entry; the head row is written by [`Tip::write`].
    pub(super) fn append(&mut self, connection: &Connection, append: &Append) -> Result<Sealed> {
        check_basis(append.basis, &self.before)?;
        check_expectations(connection, &append.expectations)?;
        let at = self.recorded_at_us.map_or(append.now_us, |last| last.max(append.now_us));
        let draft = EntryDraft {
            actor: append.actor.clone(),
            kind: append.kind.clone(),
            arrangements: append.arrangements.clone(),
            preconditions: append.expectations.iter().map(|e| e.precondition.clone()).collect(),
            payload: SaltedDigest::of(&append.salt, &append.payload),
        };
        let (entry, bytes) = draft.seal(self.frontier.size() + 1, at, self.recorded_at_us)?;
        self.evidence = self.evidence.advance(&entry.kind, &append.content)?;
        if entry.kind.bears_evidence() == Some(true) {
            self.evidence_seq = entry.sequence;
        }
        self.recorded_at_us = Some(at);
        change(
            connection,
            self.database,
            DOING,
            "INSERT INTO entry (seq, recorded_at_us, kind, evidence, content, bytes, salt, payload)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                entry.sequence.cast_signed(),
                at,
                entry.kind.as_str(),
                self.evidence.0.0,
                append.content.0,
                bytes,
                append.salt.0,
                append.payload,
            ],
        )?;
        for node in self.frontier.append(backstay_ledger::leaf_hash(&bytes)) {
            if node::is_kept(&node) {
                let sql = "INSERT INTO node (level, place, hash) VALUES (?, ?, ?)";
                let values = params![node.level, node.index.cast_signed(), node.hash.0];
                change(connection, self.database, DOING, sql, values)?;
            }
        }
        Ok(Sealed { seq: entry.sequence, recorded_at_us: at, root: None })
    }

    /// The tree's root with all that was appended.
    pub(super) fn root(&self) -> LedgerDigest {
        self.frontier.root()
    }

    /// Writes the head row.
    pub(super) fn write(&self, connection: &Connection) -> Result<()> {
        change(
            connection,
            self.database,
            DOING,
            "UPDATE head SET frontier = ?, evidence = ?, evidence_seq = ?, recorded_at_us = ?",
            params![
                self.frontier.to_bytes(),
                self.evidence.0.0,
                self.evidence_seq.cast_signed(),
                self.recorded_at_us
            ],
        )?;
        Ok(())
    }
}
