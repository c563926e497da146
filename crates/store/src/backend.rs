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

use crate::{
    account::{AccountTables, Standing},
    disk,
    error::Result,
};

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
    /// The tree's root with it; for the last one of a transaction, since every root costs a walk
    /// over the tree's edge.
    pub root: Option<LedgerDigest>,
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
    /// First version of the fact: record (packed [`backstay_evidence::RowRef`]) and item.
    pub root: (i64, i16),
    /// Content hash, as `_content` of the stored row.
    pub content: i64,
    /// The row as a JSON object of texts; `None` when the fact no longer stands.
    pub row: Option<String>,
}

/// A later version of a register row, so that a row's history is found from its first version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionNote {
    /// Table.
    pub table: String,
    /// First version of the fact.
    pub root: (i64, i16),
    /// Entry that made this version known.
    pub seq: u64,
    /// Entry whose source holds its record.
    pub entry: u64,
    /// Record of that source.
    pub record: u32,
    /// Item within the record.
    pub item: i16,
}

/// Rows of one edit in one table and arrangement that no merged object holds yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TailNote {
    /// Table.
    pub table: String,
    /// Arrangement; empty for shared tables.
    pub arrangement_id: String,
    /// The edit.
    pub seq: u64,
    /// Its rows there.
    pub rows: u64,
}

/// What a merged object stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Covers {
    /// Objects of imports: sequence and digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<(u64, Digest)>,
    /// All edits of the table and arrangement from the first to the last of these sequences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<(u64, u64)>,
}

/// A merged object: a physical copy of rows that entries hold, which may be thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedNote {
    /// The object as a segment; what it stands for is in [`MergedNote::covers`].
    pub segment: Segment,
    /// What it stands for.
    pub covers: Covers,
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
    /// Lists an import with the length of its source and, for a reread, the import read again.
    fn put_import(
        &mut self,
        note: &ImportNote,
        plain_bytes: u64,
        rereads: Option<u64>,
    ) -> Result<()>;
    /// Lists a later version of a register row.
    fn put_version(&mut self, version: &VersionNote) -> Result<()>;
    /// Lists the rows of an edit.
    fn put_tail(&mut self, tail: &TailNote) -> Result<()>;
    /// Lists a merged object; the edits that it covers leave the tail.
    fn put_merged(&mut self, merged: &MergedNote) -> Result<()>;
    /// Strikes a merged object off the list.
    fn delete_merged(&mut self, merged: &MergedNote) -> Result<()>;
    /// The projected version of a register row.
    fn register(
        &mut self,
        table: &str,
        arrangement_id: &str,
        key: &str,
    ) -> Result<Option<RegisterRow>>;
    /// Replaces it.
    fn put_register(&mut self, row: &RegisterRow) -> Result<()>;
    /// Empties the projection of one table, with the list of its later versions.
    fn clear_register(&mut self, table: &str) -> Result<()>;
    /// Empties every reading of the ledger, to rebuild it, the lists of tails and of merged objects
    /// among them. Secrets and checkpoints stay.
    fn clear_readings(&mut self) -> Result<()>;
    /// Keeps a signed checkpoint. Of the checkpoints within [`CHECKPOINT_BLOCK`] entries only the
    /// last needs to stay.
    fn put_checkpoint(&mut self, size: u64, note: &str) -> Result<()>;
    /// Keeps a sealed secret; one that is there already stays.
    fn put_secret(&mut self, kind: SecretKind, name: &str, sealed: &[u8]) -> Result<()>;
    /// Destroys a sealed secret so that its bytes do not stay in the file; false: there was none.
    fn delete_secret(&mut self, kind: SecretKind, name: &str) -> Result<bool>;
    /// What an account may do, as far as entries were read.
    fn standing(&mut self, account: &str) -> Result<Option<Standing>>;
    /// Replaces it.
    fn put_standing(&mut self, standing: &Standing) -> Result<()>;
    /// The tables of accounts in this transaction; `None` where only readings are made.
    fn accounts(&mut self) -> Option<Box<dyn AccountTables + '_>>;
    /// Notes that the source of an import names a person.
    fn link_person(&mut self, pseudonym: &str, entry: u64) -> Result<()>;
}

/// Called inside the append transaction, after the entry has its place.
pub type Finish<'a> = &'a mut dyn FnMut(&Sealed, &mut dyn IndexWriter) -> Result<()>;

/// As [`Finish`], for each of several entries by its place among them.
pub type FinishEach<'a> = &'a mut dyn FnMut(usize, &Sealed, &mut dyn IndexWriter) -> Result<()>;

/// Sizes of the ledger between which one checkpoint is kept: every entry is signed when it comes,
/// and older signatures are thinned, so that a long ledger is verified in bounded time.
pub const CHECKPOINT_BLOCK: u64 = 256;

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
    fn append(&self, append: &Append, finish: Finish<'_>) -> Result<Sealed> {
        let mut each =
            |_: usize, sealed: &Sealed, index: &mut dyn IndexWriter| finish(sealed, index);
        let sealed = self.append_many(std::slice::from_ref(append), &mut each)?;
        sealed.into_iter().next().ok_or(crate::StoreError::Stale { expected: 1, found: 0 })
    }
    /// Appends entries in their order, in one transaction: all of them or none. The basis of each is
    /// held against the ledger as it was before the first; its expectations see what `finish` wrote
    /// for those before it.
    fn append_many(&self, appends: &[Append], finish: FinishEach<'_>) -> Result<Vec<Sealed>>;
    /// Changes readings without an entry: rebuilding them.
    fn rebuild(&self, work: &mut dyn FnMut(&mut dyn IndexWriter) -> Result<()>) -> Result<()>;
    /// Entries from `from` on (1-based), at most `limit`, in order.
    fn entries(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>>;
    /// One entry.
    fn entry(&self, seq: u64) -> Result<Option<StoredEntry>> {
        Ok(self.entries(seq, 1)?.into_iter().find(|stored| stored.entry.sequence == seq))
    }
    /// Entries that say this, newest first. Edits, of which there are many and none is looked for
    /// so, may be left out.
    fn with_content(&self, content: &LedgerDigest) -> Result<Vec<u64>>;
    /// Entries of this kind, in order. Not for edits.
    fn with_kind(&self, kind: &EntryKind) -> Result<Vec<u64>>;
    /// The last entry before `seq` with which the evidence had this digest.
    fn evidence_before(&self, seq: u64, evidence: &EvidenceDigest) -> Result<Option<u64>>;
    /// Imports whose source has this length.
    fn with_plain_bytes(&self, bytes: u64) -> Result<Vec<u64>>;
    /// The last entry recorded at or before this instant; 0: none.
    fn seq_at(&self, instant_us: i64) -> Result<u64>;
    /// Segments of imports known at `seq`, by (table, arrangement, seq, digest).
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
    /// How many rows stand, by table and arrangement.
    fn register_counts(&self) -> Result<Vec<(String, String, u64)>>;
    /// One projected row, deleted ones too.
    fn register_row(
        &self,
        table: &str,
        arrangement_id: &str,
        key: &str,
    ) -> Result<Option<RegisterRow>>;
    /// The projected rows of one table and arrangement whose key begins so; deleted ones too.
    fn register_rows(
        &self,
        table: &str,
        arrangement_id: &str,
        key_prefix: &str,
    ) -> Result<Vec<RegisterRow>>;
    /// Rereads of an import, in order.
    fn rereads(&self, origin: u64) -> Result<Vec<u64>>;
    /// Later versions of a register row, newest first, at most `limit`; or of all of them.
    fn versions(&self, of: Option<(&str, (i64, i16))>, limit: usize) -> Result<Vec<VersionNote>>;
    /// Edits that no merged object holds, of one table and arrangement or of all, known at `seq`, in
    /// order.
    fn tails(&self, of: Option<(&str, &str)>, seq: u64) -> Result<Vec<TailNote>>;
    /// Merged objects, by (table, arrangement, sequence, digest).
    fn merged(&self) -> Result<Vec<MergedNote>>;
    /// Holds the bytes of an object for as long as the process lives, under their digest, beside
    /// those that are durable. The oldest may go when they are many.
    fn hold_object(&self, bytes: bytes::Bytes) -> Digest;
    /// Nodes of the tree, for proofs.
    fn nodes(&self) -> &dyn NodeSource;
    /// Checkpoints kept, by size.
    fn checkpoints(&self) -> Result<Vec<(u64, String)>>;
    /// A sealed secret.
    fn secret(&self, kind: SecretKind, name: &str) -> Result<Option<Vec<u8>>>;
    /// Imports whose source names this person.
    fn sources_naming(&self, pseudonym: &str) -> Result<Vec<u64>>;

    /// Reads the tables of accounts.
    fn read_accounts(&self, work: &mut dyn FnMut(&dyn AccountTables) -> Result<()>) -> Result<()>;
    /// Changes the tables of accounts, in one transaction and without an entry: none of it is a fact.
    /// An error of `work` takes all back.
    fn change_accounts(
        &self,
        work: &mut dyn FnMut(&mut dyn AccountTables) -> Result<()>,
    ) -> Result<()>;

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
