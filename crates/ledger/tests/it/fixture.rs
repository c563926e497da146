//! Ledgers and bundles for the tests, made from fixed seeds.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use backstay_ledger::{
    BundleWriter, Checkpoint, Digest, Entry, EntryDraft, Frontier, PayloadFile, Salt, SigningKey,
};

/// 2026-01-01T00:00:00Z.
pub const NEW_YEAR_US: i64 = 1_767_225_600_000_000;

/// The folder of real data, or a failure that says where to put it.
pub fn test_data(relative: &str) -> PathBuf {
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

pub fn key() -> SigningKey {
    SigningKey::from_seed("backstay/test", &[7; 32]).unwrap()
}

/// A ledger held in memory, with everything a bundle needs.
#[derive(Clone, Default)]
pub struct Ledger {
    pub entries: Vec<Entry>,
    pub payloads: Vec<PayloadFile>,
    pub objects: Vec<Vec<u8>>,
    pub notes: Vec<String>,
}

impl Ledger {
    /// Appends an entry of this kind with this payload.
    pub fn append(&mut self, kind: &str, payload: &str) -> u64 {
        let sequence = self.entries.len() as u64 + 1;
        let salt = Salt(Digest::of(format!("salt {sequence}").as_bytes()).0);
        let payload = PayloadFile { salt, payload: payload.as_bytes().to_vec() };
        let draft = EntryDraft {
            actor: "a-1".to_owned(),
            kind: kind.parse().unwrap(),
            arrangements: vec!["payroll".to_owned()],
            preconditions: Vec::new(),
            payload: payload.digest(),
        };
        let previous = self.entries.last().map(|entry| entry.recorded_at_us);
        let at = NEW_YEAR_US + sequence as i64 * 1_000_000;
        self.entries.push(draft.seal(sequence, at, previous).unwrap().0);
        self.payloads.push(payload);
        sequence
    }

    /// Appends an import that stands on one new object.
    pub fn import(&mut self, bytes: &[u8]) -> u64 {
        self.objects.push(bytes.to_vec());
        let digest = Digest::of(bytes);
        self.append(
            "import",
            &format!(r#"{{"objects":[{{"digest":"{digest}","rows":3}}],"rows":3}}"#),
        )
    }

    /// Signs the ledger as it is now and keeps the note.
    pub fn checkpoint(&mut self) -> String {
        let mut frontier = Frontier::new();
        for entry in &self.entries {
            frontier.append(entry.leaf_hash());
        }
        let checkpoint = Checkpoint {
            origin: "backstay/test".to_owned(),
            size: frontier.size(),
            root: frontier.root(),
        };
        let note = checkpoint.sign(&key()).unwrap();
        self.notes.push(note.clone());
        note
    }

    /// Writes a bundle into a folder; the newest checkpoint is the last note.
    pub fn write(&self, folder: &Path) {
        let (newest, older) = self.notes.split_last().unwrap();
        let mut sink = |path: &str, content: &mut dyn Read| put(folder, path, content);
        let mut writer = BundleWriter::new(&mut sink);
        for entry in &self.entries {
            writer.entry(entry).unwrap();
        }
        for payload in &self.payloads {
            writer.payload(payload).unwrap();
        }
        for object in &self.objects {
            let digest = Digest::of(object);
            writer.object(&digest, &mut object.as_slice()).unwrap();
        }
        let verifier = key().verifier();
        for note in older {
            writer.earlier_checkpoint(note, &verifier).unwrap();
        }
        writer.finish(newest, &verifier).unwrap();
    }
}

pub fn put(folder: &Path, path: &str, content: &mut dyn Read) -> io::Result<()> {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap())?;
    let mut file = fs::File::create_new(path)?;
    io::copy(content, &mut file).map(drop)
}

/// A ledger of this many entries: an opening, imports with objects, edits; checkpoints after a third
/// and at the end.
pub fn ledger(entries: u64) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.append("init", r#"{"workspace":"test"}"#);
    for n in 2..=entries {
        if n % 3 == 0 {
            ledger.import(format!("object {n}").as_bytes());
        } else {
            ledger.append("edit", &format!(r#"{{"rows":[{n}]}}"#));
        }
        if n == entries / 3 {
            ledger.checkpoint();
        }
    }
    ledger.checkpoint();
    ledger
}
