//! The published age test vectors (C2SP testkit), 143 files. Those about X25519, stanzas, the header
//! and the stream go through our own decryption; armor, hybrid and passphrase files are of kinds that
//! sources never have, and are counted so that none is lost.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::PathBuf;

use backstay_privacy::{SourceError, SourceKey, decrypt_stream};
use sha2::{Digest as _, Sha256};

/// The folder of real data, or a failure that says where to put it.
fn test_data(relative: &str) -> PathBuf {
    let root = std::env::var_os("BACKSTAY_TEST_DATA")
        .map_or_else(|| PathBuf::from("../../../shared/data"), PathBuf::from);
    let path = root.join(relative);
    assert!(
        path.exists(),
        "test data `{}` is missing: put the shared data folder beside the project (../shared/data) or name it in BACKSTAY_TEST_DATA",
        path.display()
    );
    path
}

struct Vector {
    fields: Vec<(String, String)>,
    file: Vec<u8>,
}

impl Vector {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let fields: Vec<(String, String)> = head
            .lines()
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut file = bytes[end + 2..].to_vec();
        if let Some((_, how)) = fields.iter().find(|(name, _)| name == "compressed") {
            assert_eq!(how, "zlib");
            let mut inflated = Vec::new();
            flate2::read::ZlibDecoder::new(file.as_slice()).read_to_end(&mut inflated).unwrap();
            file = inflated;
        }
        Self { fields, file }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// What our decryption makes of it, in the words of the vectors.
    fn outcome(&self) -> (&'static str, Option<String>) {
        let key = SourceKey::from_secret_text(self.get("identity").unwrap_or(NOBODY)).unwrap();
        let mut plain = match decrypt_stream(&key, self.file.as_slice()) {
            Ok(plain) => plain,
            Err(SourceError::OtherKey) => return ("no match", None),
            Err(SourceError::Format("its header was changed")) => return ("HMAC failure", None),
            Err(SourceError::Format(_)) => return ("header failure", None),
            Err(other) => panic!("unexpected {other}"),
        };
        let mut hasher = Sha256::new();
        let mut buffer = [0; 4096];
        loop {
            match plain.read(&mut buffer) {
                Ok(0) => return ("success", Some(hex::encode(hasher.finalize()))),
                Ok(count) => hasher.update(&buffer[..count]),
                Err(_) => return ("payload failure", Some(hex::encode(hasher.finalize()))),
            }
        }
    }
}

/// For files that name no identity because their header is broken.
const NOBODY: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

#[test]
fn every_x25519_and_stream_vector_comes_out_as_it_says() {
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    let mut skipped: BTreeMap<&str, u32> = BTreeMap::new();
    for entry in fs::read_dir(test_data("conformance/age")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let vector = Vector::read(&fs::read(&path).unwrap());
        let kind = if vector.has("armored") {
            Some("armor")
        } else if name.starts_with("hybrid") {
            Some("hybrid")
        } else if vector.has("passphrase") {
            Some("passphrase")
        } else {
            None
        };
        if let Some(kind) = kind {
            *skipped.entry(kind).or_default() += 1;
            continue;
        }
        let expected = vector.get("expect").unwrap();
        let (outcome, digest) = vector.outcome();
        assert_eq!(outcome, expected, "`{name}`");
        if let Some(expected) = vector.get("payload") {
            // Also for files that break off: just the true bytes before the break, and none after.
            assert_eq!(digest.as_deref(), Some(expected), "plain bytes of `{name}`");
        }
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
    }
    assert_eq!(
        skipped.into_iter().collect::<Vec<_>>(),
        [("armor", 33), ("hybrid", 18), ("passphrase", 25)]
    );
    let outcomes: Vec<(&str, u32)> = outcomes.iter().map(|(k, n)| (k.as_str(), *n)).collect();
    assert_eq!(
        outcomes,
        [
            ("HMAC failure", 1),
            ("header failure", 31),
            ("no match", 3),
            ("payload failure", 18),
            ("success", 14)
        ]
    );
}
