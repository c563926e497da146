//! Owns proofs over the tree: that an entry is in it (RFC 9162, 2.1.3) and that one tree begins
//! another (2.1.4). Making and checking share nothing but the hash of a node, so that an error in one
//! shows in the other; a check must never accept a proof with hashes to spare. Places are leaf indices
//! from 0: an entry's sequence less one.
//!
//! Both kinds also work for a *subtree*: leaves `start..end` where `start` is a multiple of the
//! smallest power of two that is not less than `end - start`. The whole tree is the subtree from 0.

use std::ops::Range;

use crate::digest::Digest;
use crate::tree::{NodeSource, TreeError, empty_root, node_hash, range_root};

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Index and sizes fit no tree.
    #[error("the proof is about a place or size that no such tree has")]
    Outside,
    /// Too few or too many hashes.
    #[error("the proof has the wrong number of hashes for its sizes")]
    Length,
    /// It leads to another root.
    #[error("the proof leads to another root: the entry or the history differs")]
    Root,
}

/// The hashes that lead from leaf `index` to the root of the first `size` leaves.
///
/// # Errors
/// [`TreeError::Outside`], or those of the source.
pub fn inclusion_proof(
    source: &dyn NodeSource,
    index: u64,
    size: u64,
) -> Result<Vec<Digest>, TreeError> {
    subtree_inclusion_proof(source, index, 0..size)
}

/// The hashes that lead from leaf `index` to the root of a subtree.
///
/// # Errors
/// [`TreeError::Outside`], or those of the source.
pub fn subtree_inclusion_proof(
    source: &dyn NodeSource,
    index: u64,
    subtree: Range<u64>,
) -> Result<Vec<Digest>, TreeError> {
    if !is_subtree(&subtree) || !subtree.contains(&index) {
        return Err(TreeError::Outside { asked: index, size: subtree.end });
    }
    let (mut low, mut high) = (subtree.start, subtree.end);
    let mut proof = Vec::new();
    while high - low > 1 {
        let middle = low + split_point(high - low);
        if index < middle {
            proof.push(range_root(source, middle, high)?);
            high = middle;
        } else {
            proof.push(range_root(source, low, middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that show that the first `old` leaves begin the tree of `new` leaves.
///
/// # Errors
/// [`TreeError::Outside`] unless `0 < old <= new`, or those of the source.
pub fn consistency_proof(
    source: &dyn NodeSource,
    old: u64,
    new: u64,
) -> Result<Vec<Digest>, TreeError> {
    if old == 0 {
        return Err(TreeError::Outside { asked: old, size: new });
    }
    subtree_consistency_proof(source, 0..old, new)
}

/// The hashes that show that a subtree is part of the tree of `size` leaves; none for an empty one.
///
/// # Errors
/// [`TreeError::Outside`], or those of the source.
pub fn subtree_consistency_proof(
    source: &dyn NodeSource,
    subtree: Range<u64>,
    size: u64,
) -> Result<Vec<Digest>, TreeError> {
    if !is_subtree(&subtree) || subtree.end > size {
        return Err(TreeError::Outside { asked: subtree.end, size });
    }
    let (start, end) = (subtree.start, subtree.end);
    let (mut low, mut high) = (0, size);
    // While true the verifier knows the hash of what is left; a cut through the subtree ends that.
    let mut known = true;
    let mut proof = Vec::new();
    while (start.max(low), end) != (low, high) {
        let middle = low + split_point(high - low);
        if end <= middle {
            proof.push(range_root(source, middle, high)?);
            high = middle;
        } else {
            known &= middle <= start;
            proof.push(range_root(source, low, middle)?);
            low = middle;
        }
    }
    if !known {
        proof.push(range_root(source, low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks an inclusion proof.
///
/// # Errors
/// [`ProofError`] when it does not hold.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Digest,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    verify_subtree_inclusion(index, 0..size, leaf, proof, root)
}

/// Checks an inclusion proof in a subtree.
///
/// # Errors
/// [`ProofError`] when it does not hold.
pub fn verify_subtree_inclusion(
    index: u64,
    subtree: Range<u64>,
    leaf: &Digest,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if !is_subtree(&subtree) || !subtree.contains(&index) {
        return Err(ProofError::Outside);
    }
    let mut at = index - subtree.start;
    let mut last = subtree.end - subtree.start - 1;
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            // A right edge without a sibling on this level climbs until it has one.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks a consistency proof. Two equal sizes need an empty proof and equal roots; an empty old tree
/// proves nothing and is refused.
///
/// # Errors
/// [`ProofError`] when it does not hold.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Digest,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if old == 0 {
        return Err(ProofError::Outside);
    }
    verify_subtree_consistency(0..old, new, old_root, new_root, proof)
}

/// Checks that a subtree is part of a tree. An empty subtree has the root of nothing, is part of every
/// tree that reaches its place, and so says nothing about that tree's root.
///
/// # Errors
/// [`ProofError`] when it does not hold.
pub fn verify_subtree_consistency(
    subtree: Range<u64>,
    size: u64,
    subtree_root: &Digest,
    root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if subtree.end > size {
        return Err(ProofError::Outside);
    }
    if subtree.start == subtree.end {
        return match (proof, *subtree_root == empty_root()) {
            ([], true) => Ok(()),
            ([], false) => Err(ProofError::Root),
            _ => Err(ProofError::Length),
        };
    }
    if !is_subtree(&subtree) {
        return Err(ProofError::Outside);
    }
    let mut first = subtree.start;
    let mut last = subtree.end - 1;
    let mut edge = size - 1;
    while first != last && (last == edge || last & 1 == 1) {
        first >>= 1;
        last >>= 1;
        edge >>= 1;
    }
    let mut hashes = proof.iter();
    let start =
        if first == last { *subtree_root } else { *hashes.next().ok_or(ProofError::Length)? };
    let (mut inner, mut outer) = (start, start);
    for sibling in hashes {
        if edge == 0 {
            return Err(ProofError::Length);
        }
        if last & 1 == 1 || last == edge {
            if first < last {
                inner = node_hash(sibling, &inner);
            }
            outer = node_hash(sibling, &outer);
            while last & 1 == 0 && last != 0 {
                first >>= 1;
                last >>= 1;
                edge >>= 1;
            }
        } else {
            outer = node_hash(&outer, sibling);
        }
        first >>= 1;
        last >>= 1;
        edge >>= 1;
    }
    if edge != 0 {
        return Err(ProofError::Length);
    }
    if inner == *subtree_root && outer == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Whether the range is one that a tree of any size holds as a subtree.
fn is_subtree(range: &Range<u64>) -> bool {
    range.start < range.end
        && (range.end - range.start)
            .checked_next_power_of_two()
            .is_some_and(|width| range.start & (width - 1) == 0)
}

/// The largest power of two less than `width`, which is at least 2.
fn split_point(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}
