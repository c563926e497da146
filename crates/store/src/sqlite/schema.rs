//! The SQL tables. Ledger tables (`entry`, `node`, `checkpoint`) hold the truth, `secret` holds
//! sealed keys and names; everything else is a reading of the ledger and can be rebuilt, but for the
//! tables of accounts: they are no facts, so they are neither in the ledger nor made from it.
//!
//! An append writes as few pages as it can: no index that an edit would touch, and of the tree only
//! one node in 256 entries (see [`super::node`]).

/// Version of these tables, in `user_version`.
pub(super) const VERSION: i64 = 3;

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

/// Makes the tables of accounts, new in version 3. `standing` is a reading of the ledger.
pub(super) const ACCOUNTS: &str = "
CREATE TABLE standing (
  account_id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  provider_id TEXT,
  disabled INTEGER NOT NULL,
  grants TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE account (
  id TEXT PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  password BLOB,
  factor BLOB,
  factor_on INTEGER NOT NULL,
  factor_step INTEGER,
  created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE recovery_code (
  account_id TEXT NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (account_id, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
  digest BLOB PRIMARY KEY,
  account_id TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  seen_us INTEGER NOT NULL,
  until_us INTEGER NOT NULL,
  second_factor INTEGER NOT NULL,
  awaits_code INTEGER NOT NULL,
  by_link INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account_id);
CREATE TABLE api_token (
  id TEXT PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  account_id TEXT NOT NULL,
  title TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  until_us INTEGER NOT NULL,
  used_us INTEGER,
  read_only INTEGER NOT NULL,
  arrangements TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX api_token_account ON api_token (account_id);
CREATE TABLE one_time_link (
  digest BLOB PRIMARY KEY,
  account_id TEXT NOT NULL,
  until_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE attempt (
  kind TEXT NOT NULL,
  name BLOB NOT NULL,
  failures INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  until_us INTEGER NOT NULL,
  known_until_us INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
";

/// Brings the tables of version 1 to version 2; readings are made anew afterwards. Foreign keys
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
