//! Published vectors: 518 Merkle proofs and Wycheproof's Ed25519 signatures. Each must come out as it
//! says, and their number is pinned so that none is lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use backstay_ledger::{Digest, VerifierKey, proof};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::fixture::test_data;

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// A digest in base64. Some vectors put words where a hash belongs and ask only whether two of them
/// are equal; the hash of the words stands for them. Nothing at all stands for nothing.
fn digest(value: &Value) -> Option<Digest> {
    let bytes = STANDARD.decode(value.as_str()?).ok()?;
    let stand_in = Digest::of_content(&bytes);
    match bytes.len() {
        0 => None,
        _ => Some(bytes.try_into().map_or(stand_in, Digest)),
    }
}

/// Whether the vector's proof holds; `None` when its texts are no sizes or digests.
fn holds(kind: &str, vector: &Value) -> Option<bool> {
    let number = |name: &str| vector[name].as_u64();
    let hashes = match &vector["proof"] {
        Value::Null => Vec::new(),
        list => list.as_array()?.iter().map(digest).collect::<Option<Vec<_>>>()?,
    };
    let outcome = match kind {
        "inclusion" => proof::verify_inclusion(
            number("leafIdx")?,
            number("treeSize")?,
            &digest(&vector["leafHash"])?,
            &hashes,
            &digest(&vector["root"])?,
        ),
        "subtreeinclusion" => proof::verify_subtree_inclusion(
            number("leafIdx")?,
            number("start")?..number("end")?,
            &digest(&vector["leafHash"])?,
            &hashes,
            &digest(&vector["root"])?,
        ),
        "consistency" => proof::verify_consistency(
            number("size1")?,
            number("size2")?,
            &digest(&vector["root1"])?,
            &digest(&vector["root2"])?,
            &hashes,
        ),
        "subtreeconsistency" => proof::verify_subtree_consistency(
            number("start")?..number("end")?,
            number("size")?,
            &digest(&vector["root1"])?,
            &digest(&vector["root2"])?,
            &hashes,
        ),
        other => panic!("unknown kind of vector `{other}`"),
    };
    Some(outcome.is_ok())
}

#[test]
fn all_518_merkle_proofs_come_out_as_they_say() {
    let root = test_data("conformance/merkle");
    let mut counts: BTreeMap<(&str, bool), u32> = BTreeMap::new();
    for kind in ["inclusion", "consistency", "subtreeinclusion", "subtreeconsistency"] {
        let mut paths = Vec::new();
        files(&root.join(kind), &mut paths);
        for path in paths {
            let vector: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let expected = !vector["wantErr"].as_bool().unwrap();
            let found = holds(kind, &vector).unwrap_or(false);
            assert_eq!(found, expected, "{} ({})", path.display(), vector["desc"]);
            *counts.entry((kind, expected)).or_default() += 1;
        }
    }
    assert_eq!(counts.values().sum::<u32>(), 518);
    for (kind, held, refused) in [
        ("inclusion", 6, 92),
        ("consistency", 6, 92),
        ("subtreeinclusion", 12, 192),
        ("subtreeconsistency", 12, 106),
    ] {
        assert_eq!(counts[&(kind, true)], held, "{kind}");
        assert_eq!(counts[&(kind, false)], refused, "{kind}");
    }
}

#[test]
fn all_ed25519_signatures_come_out_as_they_say() {
    let bytes = fs::read(test_data("conformance/ed25519_test.json")).unwrap();
    let vectors: Value = serde_json::from_slice(&bytes).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in vectors["testGroups"].as_array().unwrap() {
        let key: [u8; 32] =
            hex::decode(group["publicKey"]["pk"].as_str().unwrap()).unwrap().try_into().unwrap();
        let key = VerifierKey::new("vector", &key);
        for test in group["tests"].as_array().unwrap() {
            let message = hex::decode(test["msg"].as_str().unwrap()).unwrap();
            let signature = hex::decode(test["sig"].as_str().unwrap()).unwrap();
            let held = key.as_ref().is_ok_and(|key| key.verify(&message, &signature));
            let expected = test["result"] == "valid";
            assert_eq!(held, expected, "tcId {}: {}", test["tcId"], test["comment"]);
            *(if expected { &mut valid } else { &mut invalid }) += 1;
        }
    }
    assert_eq!((valid, invalid), (88, 63));
}
