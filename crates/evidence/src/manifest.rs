//! The list of objects that make up every table as of one ledger sequence: the only seam between
//! where evidence is kept and where it is computed on. Nothing here knows a database, a folder or
//! SQL.

use std::{collections::BTreeMap, fs::File, io};

use parquet::file::reader::{ChunkReader, Length};
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, schema::RowRef};

/// One Parquet object of one table and arrangement. Its rows carry the columns of
/// [`crate::schema::object_schema`] for the vocabulary that it was written with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Table of the vocabulary, or a system table ([`QUARANTINE`]).
    pub table: String,
    /// Arrangement; empty for shared tables.
    pub arrangement_id: String,
    /// Ledger sequence that made its rows known: their `_seq`.
    pub seq: u64,
    /// Ledger sequence of the import whose source the rows' `_row` counts: the entry of `_ref`.
    /// Differs from `seq` after `reread`.
    pub entry: u64,
    /// Content address of the object.
    pub digest: Digest,
    /// Rows in it.
    pub rows: u64,
    /// Rows that are a later version of an earlier row, or delete it. Zero for most objects, so
    /// that reading them needs no folding.
    pub later_versions: u64,
    /// Earliest and latest `occurred` instant, in microseconds, when the table has one.
    pub occurred_us: Option<(i64, i64)>,
}

/// Name of the system table of rejected rows.
pub const QUARANTINE: &str = "quarantine";

/// What a retraction takes away from its sequence on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetractTarget {
    /// Every row that an entry made known.
    Entry(u64),
    /// Every row of one record (`entry`, `record`).
    Record(u64, u32),
}

/// A retraction in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retraction {
    /// Ledger sequence of the retraction.
    pub seq: u64,
    /// What it takes away.
    pub target: RetractTarget,
}

impl Retraction {
    /// Whether it takes away a row with this `_seq` and `_ref`.
    #[must_use]
    pub fn takes(&self, seq: u64, row: RowRef) -> bool {
        match self.target {
            RetractTarget::Entry(entry) => entry == seq,
            RetractTarget::Record(entry, record) => {
                entry == u64::from(row.entry) && record == row.record
            }
        }
    }
}

/// One import, as the manifest knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportNote {
    /// Ledger sequence.
    pub seq: u64,
    /// File name as handed in, without its folder.
    pub file: String,
    /// Arrangements it brought rows for.
    pub arrangements: Vec<String>,
    /// Tables it brought rows for.
    pub tables: Vec<String>,
    /// Entry whose log this one repeats with another clock, when it was kept all the same; the
    /// controls that read its arrangements' events are then untested.
    pub disagreeing_clock_with: Option<u64>,
}

/// All tables as of one ledger sequence, already cut to the arrangements in scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Last ledger sequence that is seen.
    pub as_of_seq: u64,
    /// Recorded-at instant of that entry, microseconds UTC.
    pub as_of_us: i64,
    /// Running hash over the evidence-bearing entries up to there.
    pub evidence_digest: Digest,
    /// Arrangements in scope; empty for all.
    pub scope: Vec<String>,
    /// The objects, ordered by table, arrangement, sequence, digest.
    pub segments: Vec<Segment>,
    /// Retractions, ordered by sequence.
    pub retractions: Vec<Retraction>,
    /// Imports, ordered by sequence.
    pub imports: Vec<ImportNote>,
}

impl Manifest {
    /// The segments of one table.
    pub fn table<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a Segment> {
        self.segments.iter().filter(move |segment| segment.table == table)
    }

    /// Digest of what this manifest says of the tables named: equal inputs, equal digest. Physical
    /// layout enters it, so it keys caches and never an identity.
    #[must_use]
    pub fn inputs_digest(&self, tables: &[String]) -> Digest {
        let mut parts = BTreeMap::new();
        for (n, segment) in self.segments.iter().enumerate() {
            if tables.contains(&segment.table) {
                parts.insert(n, (segment, segment.digest));
            }
        }
        let text = serde_json::to_vec(&(
            parts.values().map(|(segment, _)| segment).collect::<Vec<_>>(),
            &self.retractions,
            &self.imports,
        ));
        Digest::of(&text.unwrap_or_default())
    }
}

/// The bytes of an object: a file, or memory when it came over a network.
#[derive(Debug)]
pub enum ObjectBody {
    /// An open file.
    File(File),
    /// Bytes in memory.
    Bytes(bytes::Bytes),
}

impl Length for ObjectBody {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => Length::len(file),
            Self::Bytes(bytes) => Length::len(bytes),
        }
    }
}

/// Reader over either kind of body.
#[derive(Debug)]
pub enum BodyRead {
    /// Buffered file.
    File(io::BufReader<File>),
    /// Bytes.
    Bytes(io::Cursor<bytes::Bytes>),
}

impl io::Read for BodyRead {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buf),
            Self::Bytes(bytes) => bytes.read(buf),
        }
    }
}

impl ChunkReader for ObjectBody {
    type T = BodyRead;

    fn get_read(&self, start: u64) -> parquet::errors::Result<BodyRead> {
        match self {
            Self::File(file) => file.get_read(start).map(BodyRead::File),
            Self::Bytes(bytes) => {
                let mut cursor = io::Cursor::new(bytes.clone());
                cursor.set_position(start);
                Ok(BodyRead::Bytes(cursor))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<bytes::Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::Bytes(bytes) => bytes.get_bytes(start, length),
        }
    }
}

/// Where objects are read from. Whoever implements it promises that the bytes are those of the
/// digest, or an error.
pub trait ObjectSource: Send + Sync + std::fmt::Debug {
    /// Opens an object.
    ///
    /// # Errors
    /// When it is missing or cannot be read; the message names the digest.
    fn open(&self, digest: Digest) -> io::Result<ObjectBody>;
}

/// Objects in memory, for cases and tests.
#[derive(Debug, Default, Clone)]
pub struct MemoryObjects(pub BTreeMap<Digest, bytes::Bytes>);

impl ObjectSource for MemoryObjects {
    fn open(&self, digest: Digest) -> io::Result<ObjectBody> {
        let found = self.0.get(&digest).cloned().map(ObjectBody::Bytes);
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no object {digest}")))
    }
}
