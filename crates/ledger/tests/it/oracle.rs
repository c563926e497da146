//! Two independent judges, `tlog_tiles` and `signed_note`, must agree with us on trees, proofs, tile
//! paths and notes.

use std::collections::BTreeSet;

use backstay_ledger::{
    Checkpoint, Digest, MemoryTree, NodeSource as _, consistency_proof, inclusion_proof, leaf_hash,
    root_at, tile,
};
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::tlog;

use crate::fixture::key;

fn theirs(digest: Digest) -> tlog::Hash {
    tlog::Hash(digest.0)
}

fn tree(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for n in 0..size {
        tree.append(leaf_hash(&n.to_be_bytes()));
    }
    tree
}

#[test]
fn another_implementation_accepts_our_proofs() {
    let whole = tree(70);
    assert_eq!(theirs(leaf_hash(&[1, 2, 3])), tlog::record_hash(&[1, 2, 3]), "leaves");
    for size in 1..=70 {
        let root = root_at(&whole, size).unwrap();
        for index in 0..size {
            let proof = inclusion_proof(&whole, index, size).unwrap();
            let proof = proof.into_iter().map(theirs).collect();
            let leaf = theirs(leaf_hash(&index.to_be_bytes()));
            tlog::check_record(&proof, size, theirs(root), index, leaf).unwrap();
        }
        for old in 1..=size {
            let old_root = root_at(&whole, old).unwrap();
            let proof = consistency_proof(&whole, old, size).unwrap();
            let proof = proof.into_iter().map(theirs).collect();
            tlog::check_tree(&proof, size, theirs(root), old, theirs(old_root)).unwrap();
        }
    }
}

#[test]
fn tile_paths_are_those_of_another_implementation() {
    for index in [0, 1, 255, 999, 1000, 1_234_067, 999_999_999, 1 << 40] {
        for width in [1, 17, 255, 256] {
            for level in [0, 1, 5] {
                let their = tlog_tiles::Tile::new(8, level, index, width as u32, false);
                // They name the height of tiles first; the tlog-tiles format fixes it at 8.
                let path = their.path().replacen("tile/8/", "tile/", 1);
                assert_eq!(tile::tile_path(level, index, width), path);
            }
            let their = tlog_tiles::Tile::new(8, 0, index, width as u32, true);
            let path = their.path().replacen("tile/8/", "tile/", 1).replacen(
                "tile/data/",
                "tile/entries/",
                1,
            );
            assert_eq!(tile::entries_path(index, width), path);
        }
    }
}

#[test]
fn a_growing_tree_is_cut_into_the_tiles_of_another_implementation() {
    // Above 256 * 256 leaves the second level has a full tile and the third begins.
    for size in [1, 255, 256, 257, 65_536 + 300] {
        let whole = tree(size);
        let mut cutter = tile::TileCutter::new();
        let mut tiles = Vec::new();
        for n in 0..size {
            tiles.extend(cutter.append(leaf_hash(&n.to_be_bytes())));
        }
        tiles.extend(cutter.finish());
        let ours: BTreeSet<String> = tiles.iter().map(tile::Tile::path).collect();
        let theirs: BTreeSet<String> = tlog_tiles::Tile::new_tiles(8, 0, size)
            .iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        assert_eq!(ours, theirs, "{size} leaves");
        for tile in &tiles {
            for (n, hash) in tile.hashes.iter().enumerate() {
                let index = tile.index * 256 + n as u64;
                assert_eq!(whole.node(tile.level * 8, index), Ok(*hash));
            }
        }
    }
}

#[test]
fn another_implementation_opens_our_notes() {
    let checkpoint =
        Checkpoint { origin: "backstay/test".to_owned(), size: 70, root: tree(70).root() };
    let note = checkpoint.sign(&key()).unwrap();
    let verifier = StandardVerifier::new(&key().verifier().to_string()).unwrap();
    let opened = Note::from_bytes(note.as_bytes()).unwrap();
    let (known, unknown) = opened.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
    assert_eq!((known.len(), unknown.len()), (1, 0));
    let read = tlog_tiles::Checkpoint::from_bytes(opened.text()).unwrap();
    assert_eq!(read.origin(), checkpoint.origin);
    assert_eq!(read.size(), checkpoint.size);
    assert_eq!(*read.hash(), theirs(checkpoint.root));
}
