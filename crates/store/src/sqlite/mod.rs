//! The backend of one machine: SQLite (write-ahead log, full sync) beside a folder of objects.
//! SQL stays in this folder; what a row means stays out of it.

mod connect;
mod schema;
mod writer;

use std::{
    io,
    path::PathBuf,
    sync::{Mutex, MutexGuard},
};

use backstay_evidence::{
    Digest, Segment,
    manifest::{ImportNote, ObjectBody, RetractTarget, Retraction},
};
use backstay_ledger::{
    Digest as LedgerDigest, Entry, EntryDraft, Frontier, NodeSource, Precondition, Salt,
    SaltedDigest, TreeError,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

pub(crate) use self::connect::failed;
use self::connect::{Waiting, change};
use crate::{
    backend::{
        Append, Backend, Basis, Expectation, Finish, Head, IndexWriter, RegisterRow, Sealed,
        SecretKind, Staged, StoredEntry,
    },
    error::{Result, StoreError},
    objects::Folder,
};

/// SQLite and a folder.
#[derive(Debug)]
pub struct SqliteBackend {
    connection: Mutex<Connection>,
    database: PathBuf,
    folder: Folder,
    waiting: Waiting,
}

impl SqliteBackend {
    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while holding the lock leaves no half-done transaction: rusqlite rolls back.
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn query<T>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl rusqlite::Params,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(failed(doing))?;
        let rows = statement.query_map(params, |row| read(row)).map_err(failed(doing))?;
        rows.collect::<rusqlite::Result<Vec<_>>>().map_err(failed(doing))
    }
}

/// The head row, with the frontier that appending needs.
fn read_head(connection: &Connection) -> Result<(Head, Frontier)> {
    let doing = failed("reading the head of the ledger");
    let (frontier, evidence, evidence_seq, recorded_at_us): (Vec<u8>, String, i64, Option<i64>) =
        connection
            .query_row(
                "SELECT frontier, evidence, evidence_seq, recorded_at_us FROM head",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .map_err(&doing)?;
    let frontier = Frontier::from_bytes(&frontier)
        .map_err(|error| bad("reading the head of the ledger", error))?;
    let evidence = evidence
        .parse()
        .map_err(|_| bad("reading the head of the ledger", "the evidence digest is no digest"))?;
    let head = Head {
        size: frontier.size(),
        root: frontier.root(),
        recorded_at_us,
        evidence,
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
            .query_row(
                "SELECT seq, row FROM register WHERE table_name = ? AND row_key = ?
                 ORDER BY seq DESC LIMIT 1",
                [table, key],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
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

impl SqliteBackend {
    fn write_entry(&self, connection: &Connection, append: &Append) -> Result<Sealed> {
        let (head, mut frontier) = read_head(connection)?;
        check_basis(append.basis, &head)?;
        check_expectations(connection, &append.expectations)?;
        let at = head.recorded_at_us.map_or(append.now_us, |last| last.max(append.now_us));
        let draft = EntryDraft {
            actor: append.actor.clone(),
            kind: append.kind.clone(),
            arrangements: append.arrangements.clone(),
            preconditions: append.expectations.iter().map(|e| e.precondition.clone()).collect(),
            payload: SaltedDigest::of(&append.salt, &append.payload),
        };
        let entry = draft.seal(head.size + 1, at, head.recorded_at_us)?;
        let evidence = head.evidence.advance(&entry.kind, &append.content)?;
        let evidence_seq = if entry.kind.bears_evidence() == Some(true) {
            entry.sequence
        } else {
            head.evidence_seq
        };
        let doing = "appending to the ledger";
        change(
            connection,
            &self.database,
            doing,
            "INSERT INTO entry (seq, recorded_at_us, kind, bytes, salt, payload, content, evidence)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                entry.sequence.cast_signed(),
                at,
                entry.kind.as_str(),
                entry.to_bytes(),
                append.salt.0,
                append.payload,
                append.content.0,
                evidence.to_hex(),
            ],
        )?;
        for node in frontier.append(entry.leaf_hash()) {
            let sql = "INSERT INTO node (level, place, hash) VALUES (?, ?, ?)";
            let values = params![node.level, node.index.cast_signed(), node.hash.0];
            change(connection, &self.database, doing, sql, values)?;
        }
        change(
            connection,
            &self.database,
            doing,
            "UPDATE head SET frontier = ?, evidence = ?, evidence_seq = ?, recorded_at_us = ?",
            params![frontier.to_bytes(), evidence.to_hex(), evidence_seq.cast_signed(), at],
        )?;
        Ok(Sealed { seq: entry.sequence, recorded_at_us: at, root: frontier.root() })
    }
}

fn stored_entry(row: &Row<'_>) -> rusqlite::Result<(Vec<u8>, StoredEntryParts)> {
    Ok((
        row.get(0)?,
        StoredEntryParts {
            salt: row.get(1)?,
            payload: row.get(2)?,
            content: row.get(3)?,
            evidence: row.get(4)?,
            seq: row.get(5)?,
            recorded_at_us: row.get(6)?,
            kind: row.get(7)?,
        },
    ))
}

/// An error of bytes that are not what was written.
fn bad(doing: &'static str, what: impl ToString) -> StoreError {
    StoreError::BadDatabase { doing, message: what.to_string() }
}

impl SqliteBackend {
    /// Names of all sealed secrets of a kind.
    ///
    /// # Errors
    /// Those of SQLite.
    pub(crate) fn secret_names(&self, kind: SecretKind) -> Result<Vec<String>> {
        self.query(
            "reading sealed secrets",
            "SELECT name FROM secret WHERE kind = ? ORDER BY name",
            [kind.as_str()],
            |row| row.get(0),
        )
    }

    /// Pseudonyms of everybody whom a source names.
    ///
    /// # Errors
    /// Those of SQLite.
    pub(crate) fn named_people(&self) -> Result<Vec<String>> {
        self.query(
            "reading sealed secrets",
            "SELECT DISTINCT pseudonym FROM naming ORDER BY pseudonym",
            [],
            |row| row.get(0),
        )
    }
}

struct StoredEntryParts {
    salt: Option<[u8; 32]>,
    payload: Option<Vec<u8>>,
    content: [u8; 32],
    evidence: String,
    seq: i64,
    recorded_at_us: i64,
    kind: String,
}

impl Backend for SqliteBackend {
    fn head(&self) -> Result<Head> {
        Ok(read_head(&self.connection())?.0)
    }

    fn append(&self, append: &Append, finish: Finish<'_>) -> Result<Sealed> {
        let mut done = None;
        self.transaction("appending to the ledger", &mut |transaction| {
            let sealed = self.write_entry(transaction, append)?;
            finish(&sealed, &mut writer::Writer(transaction, &self.database))?;
            done = Some(sealed);
            Ok(())
        })?;
        done.ok_or(StoreError::Database {
            doing: "appending to the ledger",
            message: "nothing was appended".to_owned(),
        })
    }

    fn rebuild(&self, work: &mut dyn FnMut(&mut dyn IndexWriter) -> Result<()>) -> Result<()> {
        self.transaction("rebuilding the readings of the ledger", &mut |transaction| {
            work(&mut writer::Writer(transaction, &self.database))
        })
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>> {
        let rows = self.query(
            "reading the ledger",
            "SELECT bytes, salt, payload, content, evidence, seq, recorded_at_us, kind FROM entry
             WHERE seq >= ? ORDER BY seq LIMIT ?",
            params![from.cast_signed(), i64::try_from(limit).unwrap_or(i64::MAX)],
            stored_entry,
        )?;
        let mut entries = Vec::with_capacity(rows.len());
        for (bytes, parts) in rows {
            let doing = "reading the ledger";
            let entry = Entry::from_bytes(&bytes)
                .map_err(|error| bad(doing, format!("entry {}: {error}", parts.seq)))?;
            let evidence = parts
                .evidence
                .parse()
                .map_err(|_| bad(doing, format!("entry {}: no digest", parts.seq)))?;
            let listed = (parts.seq, parts.recorded_at_us, parts.kind.as_str());
            if listed != (entry.sequence.cast_signed(), entry.recorded_at_us, entry.kind.as_str()) {
                return Err(bad(doing, format!("entry {} is listed as another", parts.seq)));
            }
            entries.push(StoredEntry {
                entry,
                payload: parts.salt.map(Salt).zip(parts.payload),
                content: LedgerDigest(parts.content),
                evidence,
            });
        }
        Ok(entries)
    }

    fn with_content(&self, content: &LedgerDigest) -> Result<Vec<u64>> {
        self.query(
            "reading the ledger",
            "SELECT seq FROM entry WHERE content = ? ORDER BY seq DESC",
            [content.0],
            |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
        )
    }

    fn with_plain_bytes(&self, bytes: u64) -> Result<Vec<u64>> {
        self.query(
            "reading the ledger",
            "SELECT seq FROM import WHERE plain_bytes = ? ORDER BY seq",
            [bytes.cast_signed()],
            |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
        )
    }

    fn seq_at(&self, instant_us: i64) -> Result<u64> {
        let found = self.query(
            "reading the ledger",
            "SELECT COALESCE(MAX(seq), 0) FROM entry WHERE recorded_at_us <= ?",
            [instant_us],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(found.first().copied().unwrap_or(0).unsigned_abs())
    }

    fn segments(&self, seq: u64) -> Result<Vec<Segment>> {
        self.query(
            "reading the list of objects",
            "SELECT table_name, arrangement_id, seq, entry, digest, row_count, later_versions,
                    first_us, last_us
             FROM segment WHERE seq <= ? ORDER BY table_name, arrangement_id, seq, digest",
            [seq.cast_signed()],
            |row| {
                let first: Option<i64> = row.get(7)?;
                Ok(Segment {
                    table: row.get(0)?,
                    arrangement_id: row.get(1)?,
                    seq: row.get::<_, i64>(2)?.unsigned_abs(),
                    first_seq: row.get::<_, i64>(2)?.unsigned_abs(),
                    entry: row.get::<_, i64>(3)?.unsigned_abs(),
                    digest: Digest(row.get(4)?),
                    rows: row.get::<_, i64>(5)?.unsigned_abs(),
                    later_versions: row.get::<_, i64>(6)?.unsigned_abs(),
                    occurred_us: first.zip(row.get(8)?),
                })
            },
        )
    }

    fn retractions(&self, seq: u64) -> Result<Vec<Retraction>> {
        self.query(
            "reading retractions",
            "SELECT seq, entry, record FROM retraction WHERE seq <= ?
             ORDER BY seq, entry, record",
            [seq.cast_signed()],
            |row| {
                let entry = row.get::<_, i64>(1)?.unsigned_abs();
                let target = match row.get::<_, Option<u32>>(2)? {
                    Some(record) => RetractTarget::Record(entry, record),
                    None => RetractTarget::Entry(entry),
                };
                Ok(Retraction { seq: row.get::<_, i64>(0)?.unsigned_abs(), target })
            },
        )
    }

    fn imports(&self, seq: u64) -> Result<Vec<ImportNote>> {
        let notes = self.query(
            "reading imports",
            "SELECT note FROM import WHERE seq <= ? ORDER BY seq",
            [seq.cast_signed()],
            |row| row.get::<_, String>(0),
        )?;
        let read = |note: &String| {
            serde_json::from_str(note).map_err(|error| StoreError::Database {
                doing: "reading imports",
                message: error.to_string(),
            })
        };
        notes.iter().map(read).collect()
    }

    fn registers(
        &self,
        table: Option<&str>,
        each: &mut dyn FnMut(RegisterRow) -> Result<()>,
    ) -> Result<()> {
        let doing = failed("reading registers");
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached(
                "SELECT table_name, arrangement_id, row_key, version, seq, entry, record, item, row
                 FROM register WHERE ?1 IS NULL OR table_name = ?1
                 ORDER BY table_name, arrangement_id, row_key",
            )
            .map_err(&doing)?;
        let mut rows = statement.query([table]).map_err(&doing)?;
        while let Some(row) = rows.next().map_err(&doing)? {
            each(writer::register_row(row).map_err(&doing)?)?;
        }
        Ok(())
    }

    fn nodes(&self) -> &dyn NodeSource {
        self
    }

    fn checkpoints(&self) -> Result<Vec<(u64, String)>> {
        self.query(
            "reading checkpoints",
            "SELECT size, note FROM checkpoint ORDER BY size",
            [],
            |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)),
        )
    }

    fn secret(&self, kind: SecretKind, name: &str) -> Result<Option<Vec<u8>>> {
        let found = self.query(
            "reading sealed secrets",
            "SELECT sealed FROM secret WHERE kind = ? AND name = ?",
            [kind.as_str(), name],
            |row| row.get(0),
        )?;
        Ok(found.into_iter().next())
    }

    fn sources_naming(&self, pseudonym: &str) -> Result<Vec<u64>> {
        self.query(
            "reading sealed secrets",
            "SELECT entry FROM naming WHERE pseudonym = ? ORDER BY entry",
            [pseudonym],
            |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
        )
    }

    fn stage(&self) -> Result<Staged> {
        self.folder.stage()
    }

    fn put_object(&self, staged: Staged) -> Result<Digest> {
        self.folder.put(staged)
    }

    fn open_object(&self, digest: Digest) -> io::Result<ObjectBody> {
        self.folder.open(digest)
    }

    fn has_object(&self, digest: Digest) -> Result<bool> {
        Ok(self.folder.has(digest))
    }

    fn list_objects(&self, each: &mut dyn FnMut(Digest) -> Result<()>) -> Result<()> {
        self.folder.list(each)
    }

    fn remove_object(&self, digest: Digest) -> Result<()> {
        self.folder.remove(digest)
    }
}

impl NodeSource for SqliteBackend {
    fn node(&self, level: u8, index: u64) -> std::result::Result<LedgerDigest, TreeError> {
        let found = self
            .query(
                "reading the tree",
                "SELECT hash FROM node WHERE level = ? AND place = ?",
                params![level, index.cast_signed()],
                |row| row.get::<_, [u8; 32]>(0),
            )
            .map_err(|error| TreeError::Source(error.to_string()))?;
        found.first().map(|hash| LedgerDigest(*hash)).ok_or(TreeError::Missing { level, index })
    }
}
