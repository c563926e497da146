//! Properties of the tree, of proofs, notes and entries over random input.

use backstay_ledger::proof::{
    subtree_consistency_proof, subtree_inclusion_proof, verify_subtree_consistency,
    verify_subtree_inclusion,
};
use backstay_ledger::{
    Checkpoint, Digest, Entry, EntryDraft, Frontier, MemoryTree, Precondition, SaltedDigest,
    consistency_proof, inclusion_proof, leaf_hash, node_hash, root_at, verify_consistency,
    verify_inclusion,
};
use proptest::prelude::*;

use crate::fixture::key;

/// The definition of RFC 9162, 2.1.1, word for word and slow.
fn reference_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node_hash(&reference_root(&leaves[..k]), &reference_root(&leaves[k..]))
        }
    }
}

fn leaves(count: u64) -> Vec<Digest> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

fn flip(digest: &Digest, bit: usize) -> Digest {
    let mut flipped = *digest;
    flipped.0[bit / 8 % 32] ^= 1 << (bit % 8);
    flipped
}

#[test]
fn the_root_of_every_size_follows_the_definition() {
    let leaves = leaves(300);
    let mut tree = MemoryTree::new();
    let mut frontier = Frontier::new();
    assert_eq!(tree.root(), reference_root(&[]));
    for (n, leaf) in leaves.iter().enumerate() {
        tree.append(*leaf);
        frontier.append(*leaf);
        let expected = reference_root(&leaves[..=n]);
        assert_eq!(tree.root(), expected);
        assert_eq!(frontier.root(), expected);
        assert_eq!(root_at(&tree, n as u64 + 1), Ok(expected));
    }
    for size in 0..=300 {
        let part = Frontier::from_nodes(&tree, size).unwrap();
        assert_eq!(part.root(), reference_root(&leaves[..size as usize]));
        assert_eq!(Frontier::from_bytes(&part.to_bytes()), Ok(part));
    }
}

#[test]
fn a_proof_outside_the_tree_is_refused_not_made() {
    let mut tree = MemoryTree::new();
    for leaf in leaves(7) {
        tree.append(leaf);
    }
    assert!(inclusion_proof(&tree, 7, 7).is_err());
    assert!(inclusion_proof(&tree, 0, 0).is_err());
    assert!(inclusion_proof(&tree, 6, 9).is_err());
    assert!(consistency_proof(&tree, 0, 7).is_err());
    assert!(consistency_proof(&tree, 8, 7).is_err());
    assert!(subtree_inclusion_proof(&tree, 3, 1..5).is_err());
    assert!(root_at(&tree, 8).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_inclusion_proof_holds_and_no_flipped_bit_does(size in 1_u64..200, bit in 0_usize..256) {
        let leaves = leaves(size);
        let mut tree = MemoryTree::new();
        leaves.iter().for_each(|leaf| tree.append(*leaf));
        let root = tree.root();
        for (index, leaf) in leaves.iter().enumerate() {
            let index = index as u64;
            let proof = inclusion_proof(&tree, index, size).unwrap();
            prop_assert_eq!(verify_inclusion(index, size, leaf, &proof, &root), Ok(()));
            prop_assert!(verify_inclusion(index, size, &flip(leaf, bit), &proof, &root).is_err());
            prop_assert!(verify_inclusion(index, size, leaf, &proof, &flip(&root, bit)).is_err());
            prop_assert!(verify_inclusion(index ^ 1, size, leaf, &proof, &root).is_err());
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at] = flip(&proof[at], bit);
                prop_assert!(verify_inclusion(index, size, leaf, &changed, &root).is_err());
            }
            prop_assert!(proof.is_empty() || verify_inclusion(index, size, leaf, &proof[1..], &root).is_err());
        }
    }

    #[test]
    fn every_consistency_proof_holds_and_no_flipped_bit_does(size in 1_u64..120, bit in 0_usize..256) {
        let mut tree = MemoryTree::new();
        leaves(size).into_iter().for_each(|leaf| tree.append(leaf));
        let root = tree.root();
        for old in 1..=size {
            let old_root = root_at(&tree, old).unwrap();
            let proof = consistency_proof(&tree, old, size).unwrap();
            prop_assert_eq!(verify_consistency(old, size, &old_root, &root, &proof), Ok(()));
            prop_assert!(verify_consistency(old, size, &flip(&old_root, bit), &root, &proof).is_err());
            prop_assert!(verify_consistency(old, size, &old_root, &flip(&root, bit), &proof).is_err());
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at] = flip(&proof[at], bit);
                prop_assert!(verify_consistency(old, size, &old_root, &root, &changed).is_err());
            }
            let mut longer = proof.clone();
            longer.push(root);
            prop_assert!(verify_consistency(old, size, &old_root, &root, &longer).is_err());
        }
    }

    #[test]
    fn every_subtree_can_be_proved(size in 1_u64..70) {
        let leaves = leaves(size);
        let mut tree = MemoryTree::new();
        leaves.iter().for_each(|leaf| tree.append(*leaf));
        for start in 0..size {
            for end in start + 1..=size {
                if start % (end - start).next_power_of_two() != 0 {
                    continue;
                }
                let part = reference_root(&leaves[start as usize..end as usize]);
                let proof = subtree_consistency_proof(&tree, start..end, size).unwrap();
                prop_assert_eq!(verify_subtree_consistency(start..end, size, &part, &tree.root(), &proof), Ok(()));
                for index in start..end {
                    let proof = subtree_inclusion_proof(&tree, index, start..end).unwrap();
                    prop_assert_eq!(
                        verify_subtree_inclusion(index, start..end, &leaves[index as usize], &proof, &part),
                        Ok(())
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_sealed_is_read_back_and_every_other_byte_is_noticed(
        sequence in 1_u64..,
        recorded_at_us in any::<i64>(),
        actor in ".{1,20}",
        kind in "[a-z][a-z0-9-]{0,39}",
        arrangements in proptest::collection::vec(".{1,12}", 0..4),
        rows in proptest::collection::btree_map(("[a-z_]{1,10}", "\\PC{1,12}|[\\x00-\\x1f\\\\]{1,4}"), any::<u64>(), 0..4),
        payload in any::<[u8; 32]>(),
        at in any::<proptest::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let draft = EntryDraft {
            actor,
            kind: kind.parse().unwrap(),
            arrangements,
            preconditions: rows
                .into_iter()
                .map(|((table, key), expected_seq)| Precondition { table, key, expected_seq })
                .collect(),
            payload: SaltedDigest(Digest(payload)),
        };
        let entry = draft.seal(sequence, recorded_at_us, None).unwrap().0;
        let bytes = entry.to_bytes();
        prop_assert_eq!(&Entry::from_bytes(&bytes).unwrap(), &entry);
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] ^= 1 << bit;
        // Another entry or none, never the same one by other bytes.
        if let Ok(other) = Entry::from_bytes(&changed) {
            prop_assert_ne!(other, entry);
        }
    }

    #[test]
    fn a_flipped_bit_in_a_checkpoint_is_noticed(size in any::<u64>(), root in any::<[u8; 32]>(), at in any::<proptest::sample::Index>(), bit in 0_u8..8) {
        let checkpoint = Checkpoint { origin: "backstay/test".to_owned(), size, root: Digest(root) };
        let note = checkpoint.sign(&key()).unwrap();
        let verifier = key().verifier();
        prop_assert_eq!(Checkpoint::verify(&note, &verifier).unwrap(), checkpoint);
        let mut bytes = note.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(bytes) {
            prop_assert!(Checkpoint::verify(&changed, &verifier).is_err());
        }
    }
}
