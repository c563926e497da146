//! Files that somebody hands in over a connection, kept until they are brought in or given up. They lie
//! in this process's part of the scratch folder, readable by the owner only, under names of our own; what
//! a process leaves goes with the next one that writes. No entry of the ledger ever points here.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use backstay_evidence::Digest;
use backstay_ledger::Digest as LedgerDigest;
use tempfile::TempDir;

use crate::{
    disk,
    error::{Result, StoreError},
    scratch::Run,
    workspace::Workspace,
};

/// Name of the file in its folder; what the sender called it is never used as a path.
const NAME: &str = "handed-in";

/// A file being handed in; gone with the value unless it is [`HandingIn::finish`]ed.
#[derive(Debug)]
pub struct HandingIn {
    file: disk::Output,
    path: PathBuf,
    bytes: u64,
    folder: TempDir,
    run: Arc<Run>,
}

/// A file that was handed in as a whole; gone with the value.
#[derive(Debug)]
pub struct HandedIn {
    path: PathBuf,
    bytes: u64,
    digest: Digest,
    _folder: TempDir,
    _run: Arc<Run>,
}

impl Workspace {
    /// Removes what dead processes left of files that were handed in, as the first file does that comes.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn sweep_handed_in(&self) -> Result<()> {
        self.backend.folder().run().map(|_| ())
    }

    /// Begins a file that is handed in.
    ///
    /// # Errors
    /// Those of the disk: none left, or nothing can be written here.
    pub fn hand_in(&self) -> Result<HandingIn> {
        let run = self.backend.folder().run()?;
        let folder =
            disk::temporary_folder(run.path(), "handed-").map_err(StoreError::io(run.path()))?;
        let path = folder.path().join(NAME);
        let file = disk::Output::create_private(&path).map_err(StoreError::io(&path))?;
        Ok(HandingIn { file, path, bytes: 0, folder, run })
    }
}

impl Write for HandingIn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl HandingIn {
    /// Adds bytes.
    ///
    /// # Errors
    /// Those of the disk, a full one told apart.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(StoreError::io(&self.path))
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// All of it is here. It need not be durable: nothing rests on it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn finish(self) -> Result<HandedIn> {
        let Self { mut file, path, bytes, folder, run } = self;
        file.flush().map_err(StoreError::io(&path))?;
        drop(file);
        let mut again = std::fs::File::open(&path).map_err(StoreError::io(&path))?;
        let (digest, _) = LedgerDigest::of_reader(&mut again).map_err(StoreError::io(&path))?;
        Ok(HandedIn { path, bytes, digest: Digest(digest.0), _folder: folder, _run: run })
    }
}

impl HandedIn {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes it has.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes its bytes away before its time, whoever still holds it: for a process that ends without its
    /// threads. What is being read of it then breaks off.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn take_away(&self) -> Result<()> {
        disk::remove_file(&self.path).map_err(StoreError::io(&self.path))
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}
