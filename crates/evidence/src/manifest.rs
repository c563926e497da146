//! The list of objects that make up every table as of one ledger sequence: the only seam between
//! where evidence is kept and where it is computed on. Nothing here knows a database, a folder or
//! SQL.

use std::{collections::BTreeMap, fs::File, io};

use parquet::file::reader::{ChunkReader, Length};
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, schema::RowRef};

/// One Parquet object of one table and arrangement. Its rows carry the columns of
/// [`crate::schema::object_schema`] for the vocabulary that it was written with.
///
/// A *merged* object holds rows of several entries ([`Segment::is_merged`]). It has the columns of
/// [`crate::schema::merged_schema`], and per row `_seq` and `_entry` stand for the segment's `seq`
/// and `entry`; retractions then take rows, not objects. Within it (`_seq`, `_entry`, `_row`,
/// `_item`) names one row: after a reread (`_entry`, `_row`, `_item`) alone may name two. A
/// manifest names a merged object only when every row in it was known as of its sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SegmentRead")]
pub struct Segment {
    /// Table of the vocabulary, or a system table ([`QUARANTINE`]).
    pub table: String,
    /// Arrangement; empty for shared tables.
    pub arrangement_id: String,
    /// Ledger sequence that made its rows known: their `_seq`. Of a merged object the greatest.
    pub seq: u64,
    /// The least `_seq` of its rows: `seq` itself, unless the object is merged.
    pub first_seq: u64,
    /// Ledger sequence of the import whose source the rows' `_row` counts: the entry of `_ref`.
    /// Differs from `seq` after `reread`. Says nothing of a merged object, where it equals `seq`.
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

impl Segment {
    /// Whether its rows say themselves which entry they are of.
    #[must_use]
    pub fn is_merged(&self) -> bool {
        self.first_seq < self.seq
    }
}

/// A segment as written by any release: those before merged objects have no `first_seq`.
#[derive(Deserialize)]
struct SegmentRead {
    table: String,
    arrangement_id: String,
    seq: u64,
    first_seq: Option<u64>,
    entry: u64,
    digest: Digest,
    rows: u64,
    later_versions: u64,
    occurred_us: Option<(i64, i64)>,
}

impl From<SegmentRead> for Segment {
    fn from(read: SegmentRead) -> Self {
        Self {
            table: read.table,
            arrangement_id: read.arrangement_id,
            seq: read.seq,
            first_seq: read.first_seq.unwrap_or(read.seq),
            entry: read.entry,
            digest: read.digest,
            rows: read.rows,
            later_versions: read.later_versions,
            occurred_us: read.occurred_us,
        }
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_written_before_merged_objects_starts_where_it_ends() {
        let digest = Digest::of(b"rows");
        let old = format!(
            r#"{{"table":"rate","arrangement_id":"a","seq":7,"entry":5,"digest":"{digest}",
                "rows":3,"later_versions":0,"occurred_us":null}}"#
        );
        let read: Segment = serde_json::from_str(&old).unwrap();
        assert_eq!((read.first_seq, read.seq, read.entry), (7, 7, 5));
        assert!(!read.is_merged());
        let merged = Segment { first_seq: 2, ..read };
        let text = serde_json::to_string(&merged).unwrap();
        assert_eq!(serde_json::from_str::<Segment>(&text).unwrap(), merged);
        assert!(merged.is_merged());
    }
}
