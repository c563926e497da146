//! The newest signed checkpoint, kept once more in a file of its own. When the database loses its
//! newest entries (a write-ahead log cut off, an old copy put back), the database alone looks whole;
//! this file then says how far the ledger had come. Written after the commit, not synced: it may
//! lag behind, and must never be ahead of what is durable in the database's own eyes.

use std::path::Path;

use backstay_ledger::{Checkpoint, VerifierKey};

use crate::disk;

/// The file in the workspace.
pub(crate) const FILE: &str = "newest.checkpoint";
/// One sector, so that it is written whole or not at all on most disks.
const BYTES: usize = 512;

/// Writes it. What fails here costs a witness and no evidence, so nobody is stopped.
pub(crate) fn write(dir: &Path, note: &str) {
    let mut bytes = note.as_bytes().to_vec();
    if bytes.len() < BYTES {
        bytes.resize(BYTES, b'\n');
    }
    let _ = disk::overwrite(&dir.join(FILE), &bytes);
}

/// What it says; nothing when it is not there, was cut off, or is of another key.
pub(crate) fn read(dir: &Path, key: &VerifierKey) -> Option<Checkpoint> {
    let text = std::fs::read_to_string(dir.join(FILE)).ok()?;
    Checkpoint::verify(&format!("{}\n", text.trim_end_matches('\n')), key).ok()
}
