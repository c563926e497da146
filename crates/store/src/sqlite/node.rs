//! The tree as it is kept: of the complete nodes only those whose height is a multiple of eight, as
//! in C2SP tiles; leaves are hashes of the entries' own bytes, and what lies between is made when a
//! proof asks. An append therefore writes one node in 256 entries.

use backstay_ledger::{
    Digest as LedgerDigest, Node, NodeSource, TreeError, leaf_hash, tree::node_hash,
};
use rusqlite::params;

use super::SqliteBackend;

/// Heights between two levels that are kept.
const STEP: u8 = 8;

/// Whether a node is kept.
pub(super) fn is_kept(node: &Node) -> bool {
    node.level > 0 && node.level.is_multiple_of(STEP)
}

impl SqliteBackend {
    /// The hashes from which a node is made: kept nodes, or leaves.
    fn below(
        &self,
        level: u8,
        from: u64,
        count: u64,
    ) -> std::result::Result<Vec<LedgerDigest>, TreeError> {
        let (first, last) = (from.cast_signed(), (from + count).cast_signed());
        let read = match level {
            0 => self.query(
                "reading the tree",
                "SELECT bytes FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq",
                params![first, last],
                |row| row.get_ref(0).map(|bytes| bytes.as_blob().map(leaf_hash)),
            ),
            _ => self.query(
                "reading the tree",
                "SELECT hash FROM node WHERE level = ? AND place >= ? AND place < ? ORDER BY place",
                params![level, first, last],
                |row| Ok(Ok(LedgerDigest(row.get(0)?))),
            ),
        };
        let read = read.map_err(|error| TreeError::Source(error.to_string()))?;
        let hashes: std::result::Result<Vec<LedgerDigest>, _> = read.into_iter().collect();
        let hashes = hashes.map_err(|error| TreeError::Source(error.to_string()))?;
        if hashes.len() as u64 != count {
            return Err(TreeError::Missing { level, index: from + hashes.len() as u64 });
        }
        Ok(hashes)
    }
}

impl NodeSource for SqliteBackend {
    fn node(&self, level: u8, index: u64) -> std::result::Result<LedgerDigest, TreeError> {
        let missing = || TreeError::Missing { level, index };
        let base = level / STEP * STEP;
        let count = 1_u64 << (level - base);
        let from = index.checked_mul(count).ok_or_else(missing)?;
        let mut hashes = self.below(base, from, count)?;
        while hashes.len() > 1 {
            let (pairs, _) = hashes.as_chunks::<2>();
            hashes = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        hashes.first().copied().ok_or_else(missing)
    }
}
