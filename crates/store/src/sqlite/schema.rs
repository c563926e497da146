//! The SQL tables. Ledger tables (`entry`, `node`, `checkpoint`) hold the truth, `secret` holds
//! sealed keys and names; everything else is a reading of the ledger and can be rebuilt.

/// Version of these tables, in `user_version`.
pub(super) const VERSION: i64 = 1;

/// Makes the tables.
pub(super) const CREATE: &str = "
CREATE TABLE head (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  frontier BLOB NOT NULL,
  evidence TEXT NOT NULL,
  evidence_seq INTEGER NOT NULL,
  recorded_at_us INTEGER
) STRICT;
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY,
  recorded_at_us INTEGER NOT NULL,
  kind TEXT NOT NULL,
  bytes BLOB NOT NULL,
  salt BLOB,
  payload BLOB,
  content BLOB NOT NULL,
  evidence TEXT NOT NULL
) STRICT;
CREATE INDEX entry_content ON entry (content);
CREATE INDEX entry_recorded ON entry (recorded_at_us, seq);
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
CREATE TABLE retraction (
  seq INTEGER NOT NULL REFERENCES entry (seq),
  entry INTEGER NOT NULL,
  record INTEGER,
  UNIQUE (seq, entry, record)
) STRICT;
CREATE TABLE import (
  seq INTEGER PRIMARY KEY REFERENCES entry (seq),
  plain_bytes INTEGER NOT NULL,
  note TEXT NOT NULL
) STRICT;
CREATE INDEX import_bytes ON import (plain_bytes);
CREATE TABLE register (
  table_name TEXT NOT NULL,
  arrangement_id TEXT NOT NULL,
  row_key TEXT NOT NULL,
  version INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  record INTEGER NOT NULL,
  item INTEGER NOT NULL,
  row TEXT,
  PRIMARY KEY (table_name, arrangement_id, row_key)
) STRICT, WITHOUT ROWID;
";
