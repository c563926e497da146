//! Results kept for speed, by the digest of what they were computed from. Anything here may be
//! deleted at any time; a result whose bytes have changed counts as not there.

use std::{fs, io, path::PathBuf};

use backstay_evidence::Digest;

use crate::disk;

/// A folder of results.
#[derive(Debug, Clone)]
pub struct ResultCache {
    folder: PathBuf,
}

impl ResultCache {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, key: Digest) -> PathBuf {
        let name = key.to_string();
        let (head, tail) = name.split_at(2);
        self.folder.join(head).join(tail)
    }

    /// The result kept under this key, whole and unchanged; else nothing.
    #[must_use]
    pub fn get(&self, key: Digest) -> Option<Vec<u8>> {
        let bytes = fs::read(self.path(key)).ok()?;
        let (digest, content) = bytes.split_first_chunk::<32>()?;
        (Digest::of_parts(&[&key.0, content]).0 == *digest).then(|| content.to_vec())
    }

    /// Keeps a result.
    ///
    /// # Errors
    /// Those of the disk; whoever computes goes on without a cache then.
    pub fn put(&self, key: Digest, content: &[u8]) -> io::Result<()> {
        let path = self.path(key);
        let folder = path.parent().unwrap_or(&self.folder);
        disk::create_folders(folder)?;
        let file = disk::staged_file(folder)?;
        disk::write(&file, &Digest::of_parts(&[&key.0, content]).0)?;
        disk::write(&file, content)?;
        // Not synced: what a power cut damages counts as not there.
        disk::persist(file, &path)
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn clear(&self) -> io::Result<()> {
        disk::remove_folder(&self.folder)?;
        disk::create_folder(&self.folder)
    }
}
