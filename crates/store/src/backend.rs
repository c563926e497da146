//! What the store asks of whatever keeps it: SQLite and a folder today, PostgreSQL and S3 later.
//! The duties stand on the trait; one conformance suite (`tests/it/conformance.rs`) runs unchanged
//! on every backend. Nothing here knows a file name or a line of SQL.

use std::{
    fmt,
    io::{self, Write},
};

use backstay_evidence::{
    Digest, Segment,
    manifest::{ImportNote, ObjectBody, Retraction},
};
use backstay_ledger::{
    Digest as LedgerDigest, Entry, EntryKind, EvidenceDigest, NodeSource, Precondition, Salt,
};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::{disk, error::Result};

/// Where the ledger stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Entries so far: the sequence of the last one.
    pub size: u64,
    /// Root of the tree.
    pub root: LedgerDigest,
    /// Instant of the last entry, microseconds UTC.
    pub recorded_at_us: Option<i64>,
    /// Running evidence digest.
    pub evidence: EvidenceDigest,
    /// Sequence of the last entry that bears evidence; 0: none.
    pub evidence_seq: u64,
}

/// A precondition together with what its author saw, so that a conflict can show both versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// What must still be true.
    pub precondition: Precondition,
    /// The row as the author saw it, as JSON; `None` when there was none.
    pub seen: Option<String>,
}

/// What must be true of the ledger itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Nothing.
    Any,
    /// The last entry that bears evidence is still this one.
    EvidenceAt(u64),
    /// The last entry of all is still this one.
    SizeIs(u64),
}

/// An entry to append.
#[derive(Debug, Clone)]
pub struct Append {
    /// Account id or pseudonym.
    pub actor: String,
    /// Kind.
    pub kind: EntryKind,
    /// Arrangements concerned.
    pub arrangements: Vec<String>,
    /// Rows that must still be what the author saw.
    pub expectations: Vec<Expectation>,
    /// What must be true of the ledger.
    pub basis: Basis,
    /// JSON.
    pub payload: Vec<u8>,
    /// Fresh random bytes that hide the payload behind its digest.
    pub salt: Salt,
    /// What the entry says, apart from physical layout: advances the evidence digest when the kind
    /// bears evidence, and finds the entry that already says the same.
    pub content: LedgerDigest,
    /// The clock. An entry is recorded at this instant or at its predecessor's, if that is later.
    pub now_us: i64,
}

/// What an append made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its place.
    pub seq: u64,
    /// Its instant.
    pub recorded_at_us: i64,
    /// The tree's root with it.
    pub root: LedgerDigest,
}

/// An entry as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// The entry.
    pub entry: Entry,
    /// Its salt and payload; `None` when erased.
    pub payload: Option<(Salt, Vec<u8>)>,
    /// Its unsalted content digest.
    pub content: LedgerDigest,
    /// The evidence digest after it.
    pub evidence: EvidenceDigest,
}

/// The current version of one register row, in the disposable projection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRow {
    /// Table.
    pub table: String,
    /// Arrangement; empty for shared tables.
    pub arrangement_id: String,
    /// Identity values (with `valid_from` where the table has it) as a JSON array of texts; what a
    /// [`Precondition`] names.
    pub key: String,
    /// The source's `version`, or 0.
    pub version: i64,
    /// Entry that made this version known.
    pub seq: u64,
    /// Entry whose source holds its record.
    pub entry: u64,
    /// Record of that source; 0: the file as a whole (a row that a full load no longer had).
    pub record: u32,
    /// Item within the record.
    pub item: i16,
    /// The row as a JSON object of texts; `None` when the fact no longer stands.
    pub row: Option<String>,
}

impl RegisterRow {
    /// What decides between two versions of one row: the greater wins.
    #[must_use]
    pub fn rank(&self) -> (i64, u64, u32, i16) {
        (self.version, self.seq, self.record, self.item)
    }
}

/// What a sealed secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// The key of a source; named by the encrypted object.
    Source,
    /// A real id; named by the pseudonym.
    Person,
}

impl SecretKind {
    /// The name it is kept under.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Person => "person",
        }
    }
}

/// What an append may change beside the ledger, in the same transaction: readings of the ledger
/// that are kept for speed, sealed secrets, and checkpoints.
pub trait IndexWriter {
    /// Lists an object under its segment.
    ///
    /// # Errors
    /// Those of the backend; so with every method here.
    fn put_segment(&mut self, segment: &Segment) -> Result<()>;
    /// Lists a retraction.
    fn put_retraction(&mut self, retraction: &Retraction) -> Result<()>;
    /// Lists an import with the length of its source.
    fn put_import(&mut self, note: &ImportNote, plain_bytes: u64) -> Result<()>;
    /// The projected version of a register row.
    fn register(
        &mut self,
        table: &str,
        arrangement_id: &str,
        key: &str,
    ) -> Result<Option<RegisterRow>>;
    /// Replaces it.
    fn put_register(&mut self, row: &RegisterRow) -> Result<()>;
    /// Empties the projection of one table.
    fn clear_register(&mut self, table: &str) -> Result<()>;
    /// Empties every reading of the ledger, to rebuild it. Secrets and checkpoints stay.
    fn clear_readings(&mut self) -> Result<()>;
    /// Keeps a signed checkpoint.
    fn put_checkpoint(&mut self, size: u64, note: &str) -> Result<()>;
    /// Keeps a sealed secret; one that is there already stays.
    fn put_secret(&mut self, kind: SecretKind, name: &str, sealed: &[u8]) -> Result<()>;
    /// Destroys a sealed secret so that its bytes do not stay in the file; false: there was none.
    fn delete_secret(&mut self, kind: SecretKind, name: &str) -> Result<bool>;
    /// Notes that the source of an import names a person.
    fn link_person(&mut self, pseudonym: &str, entry: u64) -> Result<()>;
}

/// Called inside the append transaction, after the entry has its place.
pub type Finish<'a> = &'a mut dyn FnMut(&Sealed, &mut dyn IndexWriter) -> Result<()>;

/// A place where ledger, readings, secrets and objects are kept.
///
/// Duties of every backend:
/// 1. **One append, one transaction.** Place, entry, payload, tree nodes, evidence digest and all
///    that `finish` writes become visible together or not at all, and are on disk when `append`
///    returns. Two processes that append at once get two places; none is skipped.
/// 2. **Checks inside.** Basis and expectations are checked in that transaction: what does not hold
///    is refused with [`crate::StoreError::Stale`] or [`crate::StoreError::Conflict`] and changes
///    nothing; so does an error of `finish`.
/// 3. **Time never goes back**: the instant is the greater of `now_us` and the predecessor's.
/// 4. **Objects before entries.** `put_object` returns only when the bytes are durable under their
///    digest; putting the same bytes again is no error; bytes never change under a digest.
/// 5. Whatever was appended is read back byte for byte, by this process and every other.
pub trait Backend: Send + Sync + fmt::Debug {
    /// Where the ledger stands.
    ///
    /// # Errors
    /// Those of the backend; so with every method here.
    fn head(&self) -> Result<Head>;
    /// Appends one entry.
    fn append(&self, append: &Append, finish: Finish<'_>) -> Result<Sealed>;
    /// Changes readings without an entry: rebuilding them.
    fn rebuild(&self, work: &mut dyn FnMut(&mut dyn IndexWriter) -> Result<()>) -> Result<()>;
    /// Entries from `from` on (1-based), at most `limit`, in order.
    fn entries(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>>;
    /// One entry.
    fn entry(&self, seq: u64) -> Result<Option<StoredEntry>> {
        Ok(self.entries(seq, 1)?.into_iter().find(|stored| stored.entry.sequence == seq))
    }
    /// Entries that say this, newest first.
    fn with_content(&self, content: &LedgerDigest) -> Result<Vec<u64>>;
    /// Imports whose source has this length.
    fn with_plain_bytes(&self, bytes: u64) -> Result<Vec<u64>>;
    /// The last entry recorded at or before this instant; 0: none.
    fn seq_at(&self, instant_us: i64) -> Result<u64>;
    /// Segments known at `seq`, by (table, arrangement, seq, digest).
    fn segments(&self, seq: u64) -> Result<Vec<Segment>>;
    /// Retractions known at `seq`, in order.
    fn retractions(&self, seq: u64) -> Result<Vec<Retraction>>;
    /// Imports known at `seq`, in order.
    fn imports(&self, seq: u64) -> Result<Vec<ImportNote>>;
    /// The projected rows of one table, or of all, by (table, arrangement, key); deleted ones too.
    fn registers(
        &self,
        table: Option<&str>,
        each: &mut dyn FnMut(RegisterRow) -> Result<()>,
    ) -> Result<()>;
    /// Nodes of the tree, for proofs.
    fn nodes(&self) -> &dyn NodeSource;
    /// Checkpoints kept, by size.
    fn checkpoints(&self) -> Result<Vec<(u64, String)>>;
    /// A sealed secret.
    fn secret(&self, kind: SecretKind, name: &str) -> Result<Option<Vec<u8>>>;
    /// Imports whose source names this person.
    fn sources_naming(&self, pseudonym: &str) -> Result<Vec<u64>>;

    /// A temporary place to write an object to.
    fn stage(&self) -> Result<Staged>;
    /// Makes a staged object durable under its digest.
    fn put_object(&self, staged: Staged) -> Result<Digest>;
    /// Opens an object.
    fn open_object(&self, digest: Digest) -> io::Result<ObjectBody>;
    /// Whether there is such an object.
    fn has_object(&self, digest: Digest) -> Result<bool>;
    /// Every object there is.
    fn list_objects(&self, each: &mut dyn FnMut(Digest) -> Result<()>) -> Result<()>;
    /// Removes an object that no entry names.
    fn remove_object(&self, digest: Digest) -> Result<()>;
}

/// An object being written: a temporary file that hashes what passes into it.
#[derive(Debug)]
pub struct Staged {
    pub(crate) file: tempfile::NamedTempFile,
    hasher: sha2::Sha256,
    bytes: u64,
}

impl Staged {
    /// Over a temporary file.
    #[must_use]
    pub fn new(file: tempfile::NamedTempFile) -> Self {
        Self { file, hasher: sha2::Sha256::new(), bytes: 0 }
    }

    /// The digest of what was written so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(self.hasher.clone().finalize().into())
    }

    /// Bytes written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Write for Staged {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        disk::write(&self.file, buffer)?;
        self.hasher.update(buffer);
        self.bytes += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
