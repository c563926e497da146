//! Owns the shape of the RFC 9162 Merkle tree (2.1): leaf and node hashes, appending in O(log n),
//! roots of any earlier size. It must never know what a leaf holds.
//!
//! A *complete node* (level, index) is the root of the 2^level leaves that start at index · 2^level.
//! Complete nodes never change, so a store may keep them for ever; roots and proofs of every size
//! are made of them.

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// One complete node of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Height above the leaves; a leaf has 0.
    pub level: u8,
    /// Place among the complete nodes of its level, from 0.
    pub index: u64,
    /// Its hash.
    pub hash: Digest,
}

/// Why a root or a proof cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The source does not have a node that the tree must have.
    #[error("node {index} of level {level} is missing from the tree: rebuild it from the entries")]
    Missing {
        /// Height.
        level: u8,
        /// Place.
        index: u64,
    },
    /// The source failed.
    #[error("the tree's nodes cannot be read: {0}")]
    Source(String),
    /// A place or size beyond the tree.
    #[error("{asked} lies outside a tree of {size} entries")]
    Outside {
        /// What was asked for.
        asked: u64,
        /// The tree's size.
        size: u64,
    },
    /// Saved bytes of a frontier that are none.
    #[error("the saved edge of the tree is damaged: rebuild it from the entries")]
    Frontier,
}

/// Where complete nodes are read from.
pub trait NodeSource {
    /// The hash of a complete node.
    ///
    /// # Errors
    /// [`TreeError::Missing`] when there is none, [`TreeError::Source`] when reading failed.
    fn node(&self, level: u8, index: u64) -> Result<Digest, TreeError>;
}

/// SHA-256(0x00 ‖ entry bytes).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(entry);
    Digest(hasher.finalize().into())
}

/// SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left.0);
    hasher.update(right.0);
    Digest(hasher.finalize().into())
}

/// The root of a tree without entries: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// The right edge of a tree: all that appending needs, one hash per bit set in the size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Complete subtrees, largest first.
    edge: Vec<Digest>,
}

impl Frontier {
    /// The frontier of an empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and returns the nodes that it completes, the leaf itself first: what a store
    /// keeps to make proofs later. On average two, at most 64.
    pub fn append(&mut self, leaf: Digest) -> Vec<Node> {
        let mut node = Node { level: 0, index: self.size, hash: leaf };
        let mut completed = vec![node];
        while node.index & 1 == 1 {
            let Some(left) = self.edge.pop() else { break };
            node = Node {
                level: node.level + 1,
                index: node.index >> 1,
                hash: node_hash(&left, &node.hash),
            };
            completed.push(node);
        }
        self.edge.push(node.hash);
        self.size += 1;
        completed
    }

    /// The root of the tree so far.
    pub fn root(&self) -> Digest {
        let mut hashes = self.edge.iter().rev();
        match hashes.next() {
            None => empty_root(),
            Some(last) => hashes.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    /// Eight bytes of size (big-endian), then 32 bytes for each subtree of the edge, largest first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        for hash in &self.edge {
            bytes.extend_from_slice(&hash.0);
        }
        bytes
    }

    /// Reads [`Frontier::to_bytes`].
    ///
    /// # Errors
    /// [`TreeError::Frontier`] when the number of hashes does not fit the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TreeError> {
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(TreeError::Frontier)?;
        let size = u64::from_be_bytes(*size);
        let (hashes, tail) = rest.as_chunks::<32>();
        if !tail.is_empty() || hashes.len() != size.count_ones() as usize {
            return Err(TreeError::Frontier);
        }
        Ok(Self { size, edge: hashes.iter().map(|hash| Digest(*hash)).collect() })
    }

    /// The frontier of the first `size` leaves, from stored nodes.
    ///
    /// # Errors
    /// Those of the source.
    pub fn from_nodes(source: &dyn NodeSource, size: u64) -> Result<Self, TreeError> {
        let edge = cover(0, size)
            .into_iter()
            .map(|(level, index)| source.node(level, index))
            .collect::<Result<_, _>>()?;
        Ok(Self { size, edge })
    }
}

/// The complete nodes that cover leaves `low..high`, left to right, where `low` is a multiple of a
/// power of two not smaller than the largest node (true for 0 and for the ranges of RFC proofs).
fn cover(low: u64, high: u64) -> Vec<(u8, u64)> {
    let mut nodes = Vec::new();
    let mut at = low;
    while at < high {
        let level = (high - at).ilog2();
        let level = if at == 0 { level } else { level.min(at.trailing_zeros()) };
        nodes.push((level as u8, at >> level));
        at += 1 << level;
    }
    nodes
}

/// The RFC 9162 hash of leaves `low..high`, for ranges as [`crate::proof`] needs them.
pub(crate) fn range_root(
    source: &dyn NodeSource,
    low: u64,
    high: u64,
) -> Result<Digest, TreeError> {
    let mut hashes = Vec::new();
    for (level, index) in cover(low, high) {
        hashes.push(source.node(level, index)?);
    }
    let mut hashes = hashes.into_iter().rev();
    match hashes.next() {
        None => Ok(empty_root()),
        Some(last) => Ok(hashes.fold(last, |right, left| node_hash(&left, &right))),
    }
}

/// The root that the tree had at `size`.
///
/// # Errors
/// Those of the source.
pub fn root_at(source: &dyn NodeSource, size: u64) -> Result<Digest, TreeError> {
    range_root(source, 0, size)
}

/// A tree with all its complete nodes in memory: 64 bytes a leaf. For tests and small logs.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    frontier: Frontier,
    levels: Vec<Vec<Digest>>,
}

impl MemoryTree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf's hash.
    pub fn append(&mut self, leaf: Digest) {
        for node in self.frontier.append(leaf) {
            let level = usize::from(node.level);
            while self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            if let Some(nodes) = self.levels.get_mut(level) {
                nodes.push(node.hash);
            }
        }
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Its root.
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }
}

impl NodeSource for MemoryTree {
    fn node(&self, level: u8, index: u64) -> Result<Digest, TreeError> {
        usize::try_from(index)
            .ok()
            .and_then(|at| self.levels.get(usize::from(level))?.get(at))
            .copied()
            .ok_or(TreeError::Missing { level, index })
    }
}
