//! The backend of one machine: SQLite (write-ahead log, full sync) beside a folder of objects.
//! SQL stays in this folder; what a row means stays out of it.

mod account;
mod append;
mod connect;
mod node;
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
use backstay_ledger::{Digest as LedgerDigest, Entry, EntryKind, EvidenceDigest, NodeSource, Salt};
use rusqlite::{Connection, Row, params};

use self::account::Tables;
use self::append::{Tip, read_head};
pub(crate) use self::connect::failed;
use self::connect::{Waiting, change};
use crate::{
    account::AccountTables,
    backend::{
        Append, Backend, FinishEach, Head, IndexWriter, MergedNote, RegisterRow, Sealed,
        SecretKind, Staged, StoredEntry, TailNote, VersionNote,
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
    evidence: [u8; 32],
    seq: i64,
    recorded_at_us: i64,
    kind: String,
}

impl Backend for SqliteBackend {
    fn head(&self) -> Result<Head> {
        Ok(read_head(&self.connection())?.0)
    }

    fn append_many(&self, appends: &[Append], finish: FinishEach<'_>) -> Result<Vec<Sealed>> {
        let mut all = Vec::with_capacity(appends.len());
        self.transaction("appending to the ledger", &mut |transaction| {
            let mut tip = Tip::read(transaction, &self.database)?;
            for (append, place) in appends.iter().zip(0..) {
                let mut sealed = tip.append(transaction, append)?;
                if place + 1 == appends.len() {
                    sealed.root = Some(tip.root());
                }
                finish(place, &sealed, &mut writer::Writer(transaction, &self.database))?;
                all.push(sealed);
            }
            if all.is_empty() { Ok(()) } else { tip.write(transaction) }
        })?;
        Ok(all)
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
            let listed = (parts.seq, parts.recorded_at_us, parts.kind.as_str());
            if listed != (entry.sequence.cast_signed(), entry.recorded_at_us, entry.kind.as_str()) {
                return Err(bad(doing, format!("entry {} is listed as another", parts.seq)));
            }
            entries.push(StoredEntry {
                entry,
                payload: parts.salt.map(Salt).zip(parts.payload),
                content: LedgerDigest(parts.content),
                evidence: EvidenceDigest(LedgerDigest(parts.evidence)),
            });
        }
        Ok(entries)
    }

    fn with_content(&self, content: &LedgerDigest) -> Result<Vec<u64>> {
        self.query(
            "reading the ledger",
            "SELECT seq FROM entry WHERE content = ? AND kind <> 'edit' ORDER BY seq DESC",
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

    fn with_kind(&self, kind: &EntryKind) -> Result<Vec<u64>> {
        self.query(
            "reading the ledger",
            "SELECT seq FROM entry WHERE kind = ? AND kind <> 'edit' ORDER BY seq",
            [kind.as_str()],
            |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
        )
    }

    fn evidence_before(&self, seq: u64, evidence: &EvidenceDigest) -> Result<Option<u64>> {
        let found = self.query(
            "reading the ledger",
            "SELECT seq FROM entry WHERE seq < ? AND evidence = ? ORDER BY seq DESC LIMIT 1",
            params![seq.cast_signed(), evidence.0.0],
            |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
        )?;
        Ok(found.first().copied())
    }

    /// Instants never decrease, so the place is found by halving.
    fn seq_at(&self, instant_us: i64) -> Result<u64> {
        let (mut below, mut above) = (0, self.head()?.size + 1);
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            let at = self.query(
                "reading the ledger",
                "SELECT recorded_at_us FROM entry WHERE seq = ?",
                [middle.cast_signed()],
                |row| row.get::<_, i64>(0),
            )?;
            if at.first().is_some_and(|at| *at <= instant_us) {
                below = middle;
            } else {
                above = middle;
            }
        }
        Ok(below)
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
        // Two statements: with one, the rows of every other table would be looked at as well.
        let of = table.map_or("", |_| "WHERE table_name = ?1");
        let mut statement = connection
            .prepare_cached(&format!(
                "SELECT {} FROM register {of} ORDER BY table_name, arrangement_id, row_key",
                writer::REGISTER
            ))
            .map_err(&doing)?;
        let mut rows = statement.query(rusqlite::params_from_iter(table)).map_err(&doing)?;
        while let Some(row) = rows.next().map_err(&doing)? {
            each(writer::register_row(row).map_err(&doing)?)?;
        }
        Ok(())
    }

    fn register_counts(&self) -> Result<Vec<(String, String, u64)>> {
        self.query(
            "counting registers",
            "SELECT table_name, arrangement_id, count(row) FROM register
             GROUP BY table_name, arrangement_id ORDER BY table_name, arrangement_id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.unsigned_abs())),
        )
    }

    fn register_row(
        &self,
        table: &str,
        arrangement_id: &str,
        key: &str,
    ) -> Result<Option<RegisterRow>> {
        writer::one_register(&self.connection(), table, arrangement_id, key)
    }

    fn register_rows(
        &self,
        table: &str,
        arrangement_id: &str,
        key_prefix: &str,
    ) -> Result<Vec<RegisterRow>> {
        // No text sorts after U+10FFFF, so the range is all keys that begin so.
        let end = format!("{key_prefix}\u{10ffff}");
        self.query(
            "reading registers",
            &format!(
                "SELECT {} FROM register WHERE table_name = ? AND arrangement_id = ?
                   AND row_key >= ? AND row_key < ? ORDER BY row_key",
                writer::REGISTER
            ),
            [table, arrangement_id, key_prefix, &end],
            writer::register_row,
        )
    }

    fn rereads(&self, origin: u64) -> Result<Vec<u64>> {
        self.query(
            "reading imports",
            "SELECT seq FROM import WHERE rereads = ? ORDER BY seq",
            [origin.cast_signed()],
            |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
        )
    }

    fn versions(&self, of: Option<(&str, (i64, i16))>, limit: usize) -> Result<Vec<VersionNote>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = |row: &Row<'_>| {
            Ok(VersionNote {
                table: row.get(0)?,
                root: (row.get(1)?, row.get(2)?),
                seq: row.get::<_, i64>(3)?.unsigned_abs(),
                entry: row.get::<_, i64>(4)?.unsigned_abs(),
                record: row.get(5)?,
                item: row.get(6)?,
            })
        };
        let doing = "reading the history of a row";
        match of {
            Some((table, (root, item))) => self.query(
                doing,
                "SELECT table_name, root_ref, root_item, seq, entry, record, item FROM version
                 WHERE table_name = ? AND root_ref = ? AND root_item = ?
                 ORDER BY seq DESC, record DESC, item DESC LIMIT ?",
                params![table, root, item, limit],
                read,
            ),
            None => self.query(
                doing,
                "SELECT table_name, root_ref, root_item, seq, entry, record, item FROM version
                 LIMIT ?",
                [limit],
                read,
            ),
        }
    }

    fn tails(&self, of: Option<(&str, &str)>, seq: u64) -> Result<Vec<TailNote>> {
        let read = |row: &Row<'_>| {
            Ok(TailNote {
                table: row.get(0)?,
                arrangement_id: row.get(1)?,
                seq: row.get::<_, i64>(2)?.unsigned_abs(),
                rows: row.get::<_, i64>(3)?.unsigned_abs(),
            })
        };
        let (doing, last) = ("reading the list of edits", seq.cast_signed());
        match of {
            Some((table, arrangement_id)) => self.query(
                doing,
                "SELECT table_name, arrangement_id, seq, row_count FROM tail
                 WHERE table_name = ? AND arrangement_id = ? AND seq <= ? ORDER BY seq",
                params![table, arrangement_id, last],
                read,
            ),
            None => self.query(
                doing,
                "SELECT table_name, arrangement_id, seq, row_count FROM tail
                 WHERE seq <= ? ORDER BY table_name, arrangement_id, seq",
                [last],
                read,
            ),
        }
    }

    fn merged(&self) -> Result<Vec<MergedNote>> {
        let notes = self.query(
            "reading the list of objects",
            "SELECT table_name, arrangement_id, seq, first_seq, digest, row_count, later_versions,
                    first_us, last_us, covers
             FROM merged ORDER BY table_name, arrangement_id, seq, digest",
            [],
            |row| {
                let first: Option<i64> = row.get(7)?;
                let seq = row.get::<_, i64>(2)?.unsigned_abs();
                let segment = Segment {
                    table: row.get(0)?,
                    arrangement_id: row.get(1)?,
                    seq,
                    first_seq: row.get::<_, i64>(3)?.unsigned_abs(),
                    entry: seq,
                    digest: Digest(row.get(4)?),
                    rows: row.get::<_, i64>(5)?.unsigned_abs(),
                    later_versions: row.get::<_, i64>(6)?.unsigned_abs(),
                    occurred_us: first.zip(row.get(8)?),
                };
                Ok((segment, row.get::<_, String>(9)?))
            },
        )?;
        let read = |(segment, covers): (Segment, String)| match serde_json::from_str(&covers) {
            Ok(covers) => Ok(MergedNote { segment, covers }),
            Err(error) => Err(StoreError::Database {
                doing: "reading the list of objects",
                message: error.to_string(),
            }),
        };
        notes.into_iter().map(read).collect()
    }

    fn hold_object(&self, bytes: bytes::Bytes) -> Digest {
        self.folder.hold(bytes)
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

    fn read_accounts(&self, work: &mut dyn FnMut(&dyn AccountTables) -> Result<()>) -> Result<()> {
        work(&Tables(&self.connection(), &self.database))
    }

    fn change_accounts(
        &self,
        work: &mut dyn FnMut(&mut dyn AccountTables) -> Result<()>,
    ) -> Result<()> {
        self.transaction("writing accounts", &mut |transaction| {
            work(&mut Tables(transaction, &self.database))
        })
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
