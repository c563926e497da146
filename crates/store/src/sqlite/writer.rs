//! What an append writes beside the ledger, inside its transaction.

use std::path::Path;

use backstay_evidence::{
    Segment,
    manifest::{ImportNote, RetractTarget, Retraction},
};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::{account::Tables, change, failed};
use crate::{
    account::{AccountTables, Standing},
    backend::{
        CHECKPOINT_BLOCK, IndexWriter, MergedNote, RegisterRow, SecretKind, TailNote, VersionNote,
    },
    error::{Result, StoreError},
};

const DOING: &str = "writing the readings of the ledger";

/// A transaction as an index writer, with the database's file.
pub(super) struct Writer<'t>(pub(super) &'t Transaction<'t>, pub(super) &'t Path);

impl Writer<'_> {
    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        change(self.0, self.1, DOING, sql, params)
    }
}

/// The columns of `register` in the order that [`register_row`] reads.
pub(super) const REGISTER: &str =
    "table_name, arrangement_id, row_key, version, seq, entry, record,
    item, root_ref, root_item, content, row";

/// One row of `register`.
pub(super) fn one_register(
    connection: &Connection,
    table: &str,
    arrangement_id: &str,
    key: &str,
) -> Result<Option<RegisterRow>> {
    connection
        .prepare_cached(&format!(
            "SELECT {REGISTER} FROM register
             WHERE table_name = ? AND arrangement_id = ? AND row_key = ?"
        ))
        .and_then(|mut statement| {
            statement.query_row([table, arrangement_id, key], register_row).optional()
        })
        .map_err(failed("reading registers"))
}

/// A row of `register`.
pub(super) fn register_row(row: &Row<'_>) -> rusqlite::Result<RegisterRow> {
    Ok(RegisterRow {
        table: row.get(0)?,
        arrangement_id: row.get(1)?,
        key: row.get(2)?,
        version: row.get(3)?,
        seq: row.get::<_, i64>(4)?.unsigned_abs(),
        entry: row.get::<_, i64>(5)?.unsigned_abs(),
        record: row.get(6)?,
        item: row.get(7)?,
        root: (row.get(8)?, row.get(9)?),
        content: row.get(10)?,
        row: row.get(11)?,
    })
}

impl IndexWriter for Writer<'_> {
    fn put_segment(&mut self, segment: &Segment) -> Result<()> {
        self.run(
            "INSERT INTO segment (table_name, arrangement_id, seq, digest, entry, row_count,
                                  later_versions, first_us, last_us)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                segment.table,
                segment.arrangement_id,
                segment.seq.cast_signed(),
                segment.digest.0,
                segment.entry.cast_signed(),
                segment.rows.cast_signed(),
                segment.later_versions.cast_signed(),
                segment.occurred_us.map(|(first, _)| first),
                segment.occurred_us.map(|(_, last)| last),
            ],
        )?;
        Ok(())
    }

    fn put_retraction(&mut self, retraction: &Retraction) -> Result<()> {
        let (entry, record) = match retraction.target {
            RetractTarget::Entry(entry) => (entry, None),
            RetractTarget::Record(entry, record) => (entry, Some(record)),
        };
        self.run(
            "INSERT INTO retraction (seq, entry, record) VALUES (?, ?, ?)",
            params![retraction.seq.cast_signed(), entry.cast_signed(), record],
        )?;
        Ok(())
    }

    fn put_import(
        &mut self,
        note: &ImportNote,
        plain_bytes: u64,
        rereads: Option<u64>,
    ) -> Result<()> {
        let text = serde_json::to_string(note)
            .map_err(|error| StoreError::Database { doing: DOING, message: error.to_string() })?;
        self.run(
            "INSERT INTO import (seq, plain_bytes, rereads, note) VALUES (?, ?, ?, ?)",
            params![
                note.seq.cast_signed(),
                plain_bytes.cast_signed(),
                rereads.map(u64::cast_signed),
                text
            ],
        )?;
        Ok(())
    }

    fn put_version(&mut self, version: &VersionNote) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO version
               (table_name, root_ref, root_item, seq, record, item, entry)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                version.table,
                version.root.0,
                version.root.1,
                version.seq.cast_signed(),
                version.record,
                version.item,
                version.entry.cast_signed()
            ],
        )?;
        Ok(())
    }

    fn put_tail(&mut self, tail: &TailNote) -> Result<()> {
        self.run(
            "INSERT INTO tail (table_name, arrangement_id, seq, row_count) VALUES (?, ?, ?, ?)",
            params![
                tail.table,
                tail.arrangement_id,
                tail.seq.cast_signed(),
                tail.rows.cast_signed()
            ],
        )?;
        Ok(())
    }

    fn put_merged(&mut self, merged: &MergedNote) -> Result<()> {
        let MergedNote { segment, covers } = merged;
        let text = serde_json::to_string(covers)
            .map_err(|error| StoreError::Database { doing: DOING, message: error.to_string() })?;
        self.run(
            "INSERT OR REPLACE INTO merged
               (table_name, arrangement_id, seq, first_seq, digest, row_count, later_versions,
                first_us, last_us, covers)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                segment.table,
                segment.arrangement_id,
                segment.seq.cast_signed(),
                segment.first_seq.cast_signed(),
                segment.digest.0,
                segment.rows.cast_signed(),
                segment.later_versions.cast_signed(),
                segment.occurred_us.map(|(first, _)| first),
                segment.occurred_us.map(|(_, last)| last),
                text
            ],
        )?;
        if let Some((first, last)) = covers.edits {
            self.run(
                "DELETE FROM tail
                 WHERE table_name = ? AND arrangement_id = ? AND seq BETWEEN ? AND ?",
                params![
                    segment.table,
                    segment.arrangement_id,
                    first.cast_signed(),
                    last.cast_signed()
                ],
            )?;
        }
        Ok(())
    }

    fn delete_merged(&mut self, merged: &MergedNote) -> Result<()> {
        let segment = &merged.segment;
        self.run(
            "DELETE FROM merged
             WHERE table_name = ? AND arrangement_id = ? AND seq = ? AND digest = ?",
            params![
                segment.table,
                segment.arrangement_id,
                segment.seq.cast_signed(),
                segment.digest.0
            ],
        )?;
        Ok(())
    }

    fn register(
        &mut self,
        table: &str,
        arrangement_id: &str,
        key: &str,
    ) -> Result<Option<RegisterRow>> {
        one_register(self.0, table, arrangement_id, key)
    }

    fn put_register(&mut self, row: &RegisterRow) -> Result<()> {
        self.run(
            &format!(
                "INSERT OR REPLACE INTO register ({REGISTER})
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            ),
            params![
                row.table,
                row.arrangement_id,
                row.key,
                row.version,
                row.seq.cast_signed(),
                row.entry.cast_signed(),
                row.record,
                row.item,
                row.root.0,
                row.root.1,
                row.content,
                row.row
            ],
        )?;
        Ok(())
    }

    fn clear_register(&mut self, table: &str) -> Result<()> {
        self.run("DELETE FROM register WHERE table_name = ?", [table])?;
        self.run("DELETE FROM version WHERE table_name = ?", [table])?;
        Ok(())
    }

    fn clear_readings(&mut self) -> Result<()> {
        for sql in [
            "DELETE FROM register",
            "DELETE FROM version",
            "DELETE FROM segment",
            "DELETE FROM tail",
            "DELETE FROM merged",
            "DELETE FROM retraction",
            "DELETE FROM import",
            "DELETE FROM standing",
        ] {
            self.run(sql, [])?;
        }
        Ok(())
    }

    fn put_checkpoint(&mut self, size: u64, note: &str) -> Result<()> {
        let block = size - size % CHECKPOINT_BLOCK;
        self.run(
            "DELETE FROM checkpoint WHERE size >= ? AND size < ?",
            params![block.cast_signed(), size.cast_signed()],
        )?;
        self.run(
            "INSERT OR REPLACE INTO checkpoint (size, note) VALUES (?, ?)",
            params![size.cast_signed(), note],
        )?;
        Ok(())
    }

    fn put_secret(&mut self, kind: SecretKind, name: &str, sealed: &[u8]) -> Result<()> {
        self.run(
            "INSERT OR IGNORE INTO secret (kind, name, sealed) VALUES (?, ?, ?)",
            params![kind.as_str(), name, sealed],
        )?;
        Ok(())
    }

    fn delete_secret(&mut self, kind: SecretKind, name: &str) -> Result<bool> {
        let gone = self
            .run("DELETE FROM secret WHERE kind = ? AND name = ?", params![kind.as_str(), name])?;
        Ok(gone > 0)
    }

    fn standing(&mut self, account: &str) -> Result<Option<Standing>> {
        Tables(self.0, self.1).standing(account)
    }

    fn put_standing(&mut self, standing: &Standing) -> Result<()> {
        Tables(self.0, self.1).put_standing(standing)
    }

    fn accounts(&mut self) -> Option<Box<dyn AccountTables + '_>> {
        Some(Box::new(Tables(self.0, self.1)))
    }

    fn link_person(&mut self, pseudonym: &str, entry: u64) -> Result<()> {
        self.run(
            "INSERT OR IGNORE INTO naming (pseudonym, entry) VALUES (?, ?)",
            params![pseudonym, entry.cast_signed()],
        )?;
        Ok(())
    }
}
