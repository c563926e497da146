//! Owns the writing of a bundle, entry by entry, into whatever sink the caller brings. It must never
//! write a checkpoint that the written entries do not lead to.

use std::io::{self, Read};

use super::{CHECKPOINT_PATH, MAX_PAYLOAD_BYTES, OBJECTS, PAYLOADS, VKEY_PATH, checkpoint_path};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::digest::{Digest, Salt, SaltedDigest};
use crate::entry::{Entry, MAX_ENTRY_BYTES};
use crate::note::VerifierKey;
use crate::tile::{TILE_WIDTH, TileCutter, entries_path, push_entry};
use crate::tree::Frontier;

/// Where a bundle is written to. Paths are relative, with `/`, and each comes once.
pub trait BundleSink {
    /// Writes one file from all that the reader yields.
    ///
    /// # Errors
    /// Those of reader and disk.
    fn put(&mut self, path: &str, content: &mut dyn Read) -> io::Result<()>;
}

impl<F: FnMut(&str, &mut dyn Read) -> io::Result<()>> BundleSink for F {
    fn put(&mut self, path: &str, content: &mut dyn Read) -> io::Result<()> {
        self(path, content)
    }
}

/// Why a bundle cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BundleWriteError {
    /// The sink or a reader failed.
    #[error("`{path}` of the bundle cannot be written: {source}")]
    Io {
        /// Path in the bundle.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// Entries must come in order, from 1.
    #[error("entry {found} came where entry {expected} was due: give all entries in order")]
    Order {
        /// What was due.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// An entry too long for a bundle.
    #[error("entry {sequence} is longer than {MAX_ENTRY_BYTES} bytes")]
    TooLong {
        /// Its place.
        sequence: u64,
    },
    /// A payload too long for a bundle.
    #[error(
        "a payload of {bytes} bytes is longer than the {MAX_PAYLOAD_BYTES} a bundle carries: keep it as an object"
    )]
    PayloadTooLong {
        /// Its length.
        bytes: usize,
    },
    /// An object whose bytes have another digest.
    #[error("object `{expected}` hashes to `{found}`: the stored bytes have changed")]
    Object {
        /// What it should hash to.
        expected: Digest,
        /// What it does.
        found: Digest,
    },
    /// A checkpoint that does not verify.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is not about these entries.
    #[error(
        "the checkpoint says {size} entries with root `{root}`, but {written} entries with root `{written_root}` were written"
    )]
    Root {
        /// Size in the checkpoint.
        size: u64,
        /// Root in the checkpoint.
        root: Digest,
        /// Entries written.
        written: u64,
        /// Their root.
        written_root: Digest,
    },
}

/// A payload with its salt, as a bundle keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadFile {
    /// The 32 bytes that hide it.
    pub salt: Salt,
    /// The payload: a JSON object.
    pub payload: Vec<u8>,
}

impl PayloadFile {
    /// Its salted digest, which the entry names.
    pub fn digest(&self) -> SaltedDigest {
        SaltedDigest::of(&self.salt, &self.payload)
    }

    /// Salt, then payload.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.salt.0.as_slice(), &self.payload].concat()
    }

    /// Reads [`PayloadFile::to_bytes`]; `None` when even the salt is cut short.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (salt, payload) = bytes.split_first_chunk::<32>()?;
        Some(Self { salt: Salt(*salt), payload: payload.to_vec() })
    }
}

/// Writes a bundle: all entries in order, payloads and objects at any time, then
/// [`BundleWriter::finish`]. Memory: one entry bundle and 256 hashes a level of the tree.
pub struct BundleWriter<'s> {
    sink: &'s mut dyn BundleSink,
    frontier: Frontier,
    tiles: TileCutter,
    bundle: Vec<u8>,
}

impl<'s> BundleWriter<'s> {
    /// Begins a bundle.
    pub fn new(sink: &'s mut dyn BundleSink) -> Self {
        Self { sink, frontier: Frontier::new(), tiles: TileCutter::new(), bundle: Vec::new() }
    }

    /// Writes the next entry.
    ///
    /// # Errors
    /// [`BundleWriteError::Order`], [`BundleWriteError::TooLong`], [`BundleWriteError::Io`].
    pub fn entry(&mut self, entry: &Entry) -> Result<(), BundleWriteError> {
        let expected = self.frontier.size() + 1;
        if entry.sequence != expected {
            return Err(BundleWriteError::Order { expected, found: entry.sequence });
        }
        let bytes = entry.to_bytes();
        if !push_entry(&mut self.bundle, &bytes) {
            return Err(BundleWriteError::TooLong { sequence: entry.sequence });
        }
        let leaf = crate::leaf_hash(&bytes);
        self.frontier.append(leaf);
        for tile in self.tiles.append(leaf) {
            self.put(&tile.path(), &tile.to_bytes())?;
        }
        if expected.is_multiple_of(TILE_WIDTH as u64) {
            let full = std::mem::take(&mut self.bundle);
            self.put(&entries_path(expected / TILE_WIDTH as u64 - 1, TILE_WIDTH), &full)?;
        }
        Ok(())
    }

    /// Writes a payload; leave out erased ones.
    ///
    /// # Errors
    /// [`BundleWriteError::PayloadTooLong`], [`BundleWriteError::Io`].
    pub fn payload(&mut self, payload: &PayloadFile) -> Result<(), BundleWriteError> {
        let bytes = payload.payload.len();
        if bytes as u64 > MAX_PAYLOAD_BYTES {
            return Err(BundleWriteError::PayloadTooLong { bytes });
        }
        let path = format!("{PAYLOADS}{}", payload.digest());
        self.put(&path, &payload.to_bytes())
    }

    /// Writes an object; leave out erased ones.
    ///
    /// # Errors
    /// [`BundleWriteError::Object`] when its bytes have another digest, [`BundleWriteError::Io`].
    pub fn object(
        &mut self,
        digest: &Digest,
        content: &mut dyn Read,
    ) -> Result<(), BundleWriteError> {
        let path = format!("{OBJECTS}{digest}");
        let mut content = Hashing { inner: content, writer: crate::DigestWriter::new(io::sink()) };
        self.sink
            .put(&path, &mut content)
            .map_err(|source| BundleWriteError::Io { path, source })?;
        let found = content.writer.digest();
        if found != *digest {
            return Err(BundleWriteError::Object { expected: *digest, found });
        }
        Ok(())
    }

    /// Writes an older checkpoint, which must bear the key's signature.
    ///
    /// # Errors
    /// [`BundleWriteError::Checkpoint`], [`BundleWriteError::Io`].
    pub fn earlier_checkpoint(
        &mut self,
        note: &str,
        key: &VerifierKey,
    ) -> Result<(), BundleWriteError> {
        let checkpoint = Checkpoint::verify(note, key)?;
        self.put(&checkpoint_path(checkpoint.size), note.as_bytes())
    }

    /// Writes the partial tiles, the key and, last, the checkpoint.
    ///
    /// # Errors
    /// [`BundleWriteError::Root`] when the checkpoint is not about the written entries,
    /// [`BundleWriteError::Checkpoint`], [`BundleWriteError::Io`].
    pub fn finish(mut self, note: &str, key: &VerifierKey) -> Result<Checkpoint, BundleWriteError> {
        let checkpoint = Checkpoint::verify(note, key)?;
        let (written, written_root) = (self.frontier.size(), self.frontier.root());
        if (checkpoint.size, checkpoint.root) != (written, written_root) {
            return Err(BundleWriteError::Root {
                size: checkpoint.size,
                root: checkpoint.root,
                written,
                written_root,
            });
        }
        for tile in std::mem::take(&mut self.tiles).finish() {
            self.put(&tile.path(), &tile.to_bytes())?;
        }
        let width = (written % TILE_WIDTH as u64) as usize;
        if width > 0 {
            let partial = std::mem::take(&mut self.bundle);
            self.put(&entries_path(written / TILE_WIDTH as u64, width), &partial)?;
        }
        self.put(VKEY_PATH, format!("{key}\n").as_bytes())?;
        self.put(CHECKPOINT_PATH, note.as_bytes())?;
        Ok(checkpoint)
    }

    fn put(&mut self, path: &str, mut bytes: &[u8]) -> Result<(), BundleWriteError> {
        self.sink
            .put(path, &mut bytes)
            .map_err(|source| BundleWriteError::Io { path: path.to_owned(), source })
    }
}

/// Hashes what is read through it.
struct Hashing<'r> {
    inner: &'r mut dyn Read,
    writer: crate::DigestWriter<io::Sink>,
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(read) = buffer.get(..count) {
            io::Write::write_all(&mut self.writer, read)?;
        }
        Ok(count)
    }
}
