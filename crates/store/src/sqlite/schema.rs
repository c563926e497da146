//! The SQL tables. Ledger tables (`entry`, `node`, `checkpoint`) hold the truth, `secret` holds
//! sealed keys and names; everything else is a reading of the ledger and can be rebuilt.
//!
//! An append writes as few pages as it can: no index that an edit would touch, and of the tree only
//! one node in 256 entries (see [`super::node`]).

/// Version of these tables, in `user_version`.
pub(super) const VERSION: i64 = 2;

/// Makes the tables of the ledger.
pub(super) const LEDGER: &str = "
CREATE TABLE head (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  frontier BLOB NOT NULL,
  evidence BLOB NOT NULL,
  evidence_seq INTEGER NOT NULL,
  recorded_at_us INTEGER
) STRICT;
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY,
  recorded_at_us INTEGER NOT NULL,
  kind TEXT NOT NULL,
  evidence BLOB NOT NULL,
  content BLOB NOT NULL,
  bytes BLOB NOT NULL,
  salt BLOB,
  payload BLOB
) STRICT;
CREATE INDEX entry_content ON entry (content) WHERE kind <> 'edit';
CREATE INDEX entry_kind ON entry (kind) WHERE kind <> 'edit';
CREATE TABLE node (
  level INTEGER NOT NULL,
  place INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TABLE secret (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE naming (
  pseudonym TEXT NOT NULL,
  entry INTEGER NOT NULL REFERENCES entry (seq),
  PRIMARY KEY (pseudonym, entry)
) STRICT, WITHOUT ROWID;
";

/// Makes the tables that are readings of the ledger.
pub(super) const READINGS: &str = "
CREATE TABLE segment (
  table_name TEXT NOT NULL,
  arrangement_id TEXT NOT NULL,
  seq INTEGER NOT NULL REFERENCES entry (seq),
  digest BLOB NOT NULL,
  entry INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  later_versions INTEGER NOT NULL,
  first_us INTEGER,
  last_us INTEGER,
  PRIMARY KEY (table_name, arrangement_id, seq, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE tail (
  table_name TEXT NOT NULL,
  arrangement_id TEXT NOT NULL,
  seq INTEGER NOT NULL REFERENCES entry (seq),
  row_count INTEGER NOT NULL,
  PRIMARY KEY (table_name, arrangement_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE merged (
  table_name TEXT NOT NULL,
  arrangement_id TEXT NOT NULL,
  seq INTEGER NOT NULL REFERENCES entry (seq),
  digest BLOB NOT NULL,
  first_seq INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  later_versions INTEGER NOT NULL,
  first_us INTEGER,
  last_us INTEGER,
  covers TEXT NOT NULL,
  PRIMARY KEY (table_name, arrangement_id, seq, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE retraction (
  seq INTEGER NOT NULL REFERENCES entry (seq),
  entry INTEGER NOT NULL,
  record INTEGER,
  UNIQUE (seq, entry, record)
) STRICT;
CREATE TABLE import (
  seq INTEGER PRIMARY KEY REFERENCES entry (seq),
  plain_bytes INTEGER NOT NULL,
  rereads INTEGER,
  note TEXT NOT NULL
) STRICT;
CREATE INDEX import_bytes ON import (plain_bytes);
CREATE INDEX import_rereads ON import (rereads) WHERE rereads IS NOT NULL;
CREATE TABLE register (
  table_name TEXT NOT NULL,
  arrangement_id TEXT NOT NULL,
  row_key TEXT NOT NULL,
  version INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  record INTEGER NOT NULL,
  item INTEGER NOT NULL,
  root_ref INTEGER NOT NULL,
  root_item INTEGER NOT NULL,
  content INTEGER NOT NULL,
  row TEXT,
  PRIMARY KEY (table_name, arrangement_id, row_key)
) STRICT, WITHOUT ROWID;
CREATE TABLE version (
  table_name TEXT NOT NULL,
  root_ref INTEGER NOT NULL,
  root_item INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  record INTEGER NOT NULL,
  item INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  PRIMARY KEY (table_name, root_ref, root_item, seq, record, item)
) STRICT, WITHOUT ROWID;
";

/// Brings the tables of version 1 to this version; readings are made anew afterwards. Foreign keys
/// are off meanwhile. Version 1 kept every node of the tree and evidence digests as text.
pub(super) const FROM_1: &str = "
DROP TABLE register;
DROP TABLE import;
DROP TABLE retraction;
DROP TABLE segment;
DELETE FROM node WHERE level = 0 OR level % 8 <> 0;
CREATE TABLE head_2 (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  frontier BLOB NOT NULL,
  evidence BLOB NOT NULL,
  evidence_seq INTEGER NOT NULL,
  recorded_at_us INTEGER
) STRICT;
INSERT INTO head_2 SELECT one, frontier, unhex(evidence), evidence_seq, recorded_at_us FROM head;
DROP TABLE head;
ALTER TABLE head_2 RENAME TO head;
CREATE TABLE entry_2 (
  seq INTEGER PRIMARY KEY,
  recorded_at_us INTEGER NOT NULL,
  kind TEXT NOT NULL,
  evidence BLOB NOT NULL,
  content BLOB NOT NULL,
  bytes BLOB NOT NULL,
  salt BLOB,
  payload BLOB
) STRICT;
INSERT INTO entry_2
  SELECT seq, recorded_at_us, kind, unhex(evidence), content, bytes, salt, payload FROM entry;
DROP TABLE entry;
ALTER TABLE entry_2 RENAME TO entry;
CREATE INDEX entry_content ON entry (content) WHERE kind <> 'edit';
CREATE INDEX entry_kind ON entry (kind) WHERE kind <> 'edit';
";
