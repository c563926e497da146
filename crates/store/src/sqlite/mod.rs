//! The backend of one machine: SQLite (write-ahead log, full sync) beside a folder of objects.
//! SQL stays in this folder; what a row means stays out of it.

mod schema;
mod writer;

use std::{
    io,
    path::Path,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use backstay_evidence::{
    Digest, Segment,
    manifest::{ImportNote, ObjectBody, RetractTarget, Retraction},
};
use backstay_ledger::{
    Digest as LedgerDigest, Entry, EntryDraft, EvidenceDigest, Frontier, NodeSource, Precondition,
    Salt, SaltedDigest, TreeError,
};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use crate::{
    backend::{
        Append, Backend, Basis, Expectation, Finish, Head, IndexWriter, RegisterRow, Sealed,
        SecretKind, Staged, StoredEntry,
    },
    error::{Result, StoreError},
    objects::Folder,
};

/// Seconds that a writer waits for another process.
const WAIT_S: u64 = 60;

/// Turns what SQLite says into ours.
pub(crate) fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            StoreError::Busy { waited_s: WAIT_S }
        }
        _ => StoreError::Database { doing, message: error.to_string() },
    }
}

/// SQLite and a folder.
#[derive(Debug)]
pub struct SqliteBackend {
    connection: Mutex<Connection>,
    folder: Folder,
}

impl SqliteBackend {
    /// Makes a new database in a file that does not exist.
    ///
    /// # Errors
    /// Those of SQLite and the disk.
    pub fn create(database: &Path, folder: Folder) -> Result<Self> {
        let backend = Self::connect(database, folder)?;
        {
            let connection = backend.connection();
            let doing = failed("making the database");
            connection.pragma_update(None, "user_version", schema::VERSION).map_err(&doing)?;
            connection.execute_batch(schema::CREATE).map_err(&doing)?;
            let empty = EvidenceDigest::empty().to_hex();
            connection
                .execute(
                    "INSERT INTO head (one, frontier, evidence, evidence_seq) VALUES (1, ?, ?, 0)",
                    params![Frontier::new().to_bytes(), empty],
                )
                .map_err(&doing)?;
        }
        Ok(backend)
    }

    /// Opens the database.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a later release wrote it; those of SQLite and the disk.
    pub fn open(database: &Path, folder: Folder) -> Result<Self> {
        if !database.is_file() {
            return Err(StoreError::Damaged {
                path: database.to_owned(),
                reason: "the database is missing: restore the workspace from a backup".to_owned(),
            });
        }
        let backend = Self::connect(database, folder)?;
        let found: i64 = backend
            .connection()
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed("opening the database"))?;
        if found > schema::VERSION {
            return Err(StoreError::Newer {
                dir: database.to_owned(),
                found: u32::try_from(found).unwrap_or(u32::MAX),
                known: u32::try_from(schema::VERSION).unwrap_or(u32::MAX),
            });
        }
        if found < schema::VERSION {
            return Err(StoreError::Damaged {
                path: database.to_owned(),
                reason: "the database was never finished: start again with a new workspace".into(),
            });
        }
        Ok(backend)
    }

    fn connect(database: &Path, folder: Folder) -> Result<Self> {
        let doing = failed("opening the database");
        let connection = Connection::open(database).map_err(&doing)?;
        connection.busy_timeout(Duration::from_secs(WAIT_S)).map_err(&doing)?;
        for (name, value) in [
            ("journal_mode", "wal"),
            ("synchronous", "full"),
            ("foreign_keys", "on"),
            ("secure_delete", "on"),
        ] {
            connection.pragma_update(None, name, value).map_err(&doing)?;
        }
        Ok(Self { connection: Mutex::new(connection), folder })
    }

    /// A consistent copy into a file that does not exist, without what was deleted.
    ///
    /// # Errors
    /// Those of SQLite and the disk.
    pub fn copy_to(&self, database: &Path) -> Result<()> {
        let name = database.to_string_lossy();
        self.connection()
            .execute("VACUUM INTO ?", [name.as_ref()])
            .map_err(failed("copying the database"))?;
        Ok(())
    }

    /// Empties the write-ahead log, so that nothing deleted stays in it. Best effort while others
    /// read; SQLite does it by itself later.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn scrub(&self) -> Result<()> {
        self.connection()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(failed("emptying the write-ahead log"))
    }

    /// What SQLite's own check says: nothing when all is well.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn integrity(&self) -> Result<Vec<String>> {
        let doing = failed("checking the database");
        let connection = self.connection();
        let mut statement = connection.prepare("PRAGMA integrity_check(20)").map_err(&doing)?;
        let lines = statement
            .query_map([], |row| row.get::<_, String>(0))
            .map_err(&doing)?
            .collect::<rusqlite::Result<Vec<_>>>()
            .map_err(&doing)?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

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
    let frontier = Frontier::from_bytes(&frontier)?;
    let evidence = evidence.parse().map_err(|_| StoreError::Database {
        doing: "reading the head of the ledger",
        message: "the evidence digest is damaged".to_owned(),
    })?;
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
    fn write_entry(connection: &Connection, append: &Append) -> Result<Sealed> {
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
        let doing = failed("appending to the ledger");
        connection
            .prepare_cached(
                "INSERT INTO entry (seq, recorded_at_us, kind, bytes, salt, payload, content, evidence)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    entry.sequence.cast_signed(),
                    at,
                    entry.kind.as_str(),
                    entry.to_bytes(),
                    append.salt.0,
                    append.payload,
                    append.content.0,
                    evidence.to_hex(),
                ])
            })
            .map_err(&doing)?;
        for node in frontier.append(entry.leaf_hash()) {
            connection
                .prepare_cached("INSERT INTO node (level, place, hash) VALUES (?, ?, ?)")
                .and_then(|mut statement| {
                    statement.execute(params![node.level, node.index.cast_signed(), node.hash.0])
                })
                .map_err(&doing)?;
        }
        connection
            .prepare_cached(
                "UPDATE head SET frontier = ?, evidence = ?, evidence_seq = ?, recorded_at_us = ?",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    frontier.to_bytes(),
                    evidence.to_hex(),
                    evidence_seq.cast_signed(),
                    at
                ])
            })
            .map_err(&doing)?;
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
        },
    ))
}

struct StoredEntryParts {
    salt: Option<[u8; 32]>,
    payload: Option<Vec<u8>>,
    content: [u8; 32],
    evidence: String,
}

impl Backend for SqliteBackend {
    fn head(&self) -> Result<Head> {
        Ok(read_head(&self.connection())?.0)
    }

    fn append(&self, append: &Append, finish: Finish<'_>) -> Result<Sealed> {
        let doing = failed("appending to the ledger");
        let mut connection = self.connection();
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&doing)?;
        let sealed = Self::write_entry(&transaction, append)?;
        finish(&sealed, &mut writer::Writer(&transaction))?;
        transaction.commit().map_err(&doing)?;
        Ok(sealed)
    }

    fn rebuild(&self, work: &mut dyn FnMut(&mut dyn IndexWriter) -> Result<()>) -> Result<()> {
        let doing = failed("rebuilding the readings of the ledger");
        let mut connection = self.connection();
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&doing)?;
        work(&mut writer::Writer(&transaction))?;
        transaction.commit().map_err(&doing)
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>> {
        let rows = self.query(
            "reading the ledger",
            "SELECT bytes, salt, payload, content, evidence FROM entry WHERE seq >= ?
             ORDER BY seq LIMIT ?",
            params![from.cast_signed(), i64::try_from(limit).unwrap_or(i64::MAX)],
            stored_entry,
        )?;
        let mut entries = Vec::with_capacity(rows.len());
        for (bytes, parts) in rows {
            let evidence = parts.evidence.parse().map_err(|_| StoreError::Database {
                doing: "reading the ledger",
                message: "an evidence digest is damaged".to_owned(),
            })?;
            entries.push(StoredEntry {
                entry: Entry::from_bytes(&bytes)?,
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
