//! Objects in a folder, each a file named by the SHA-256 of its bytes: `ab/cdef…`. Bytes are
//! durable before the name appears, and never change under it.

use std::{
    collections::{BTreeSet, VecDeque},
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use backstay_evidence::{Digest, manifest::ObjectBody};

use crate::{
    backend::Staged,
    disk,
    error::{Result, StoreError},
    scratch::Run,
};

/// Bytes of objects that live with the process, at most; the oldest go first.
const HELD_BYTES: usize = 256 << 20;

/// A folder of objects and, on the same disk, one for files that are being written.
#[derive(Debug, Clone)]
pub struct Folder {
    objects: PathBuf,
    scratch: PathBuf,
    shared: Arc<Mutex<Shared>>,
}

/// What all clones of a folder know.
#[derive(Debug, Default)]
struct Shared {
    /// This process's place for files being written, made when it is first needed.
    run: Option<Arc<Run>>,
    /// Folders under `objects` whose names are durable for certain.
    durable: BTreeSet<PathBuf>,
    /// Objects that were made from others, to be read once or twice, and how many bytes they have.
    held: VecDeque<(Digest, Bytes)>,
    held_bytes: usize,
}

impl Folder {
    /// Over existing folders.
    #[must_use]
    pub fn new(objects: PathBuf, scratch: PathBuf) -> Self {
        Self { objects, scratch, shared: Arc::default() }
    }

    /// Holds the bytes of an object while the process lives.
    pub(crate) fn hold(&self, bytes: Bytes) -> Digest {
        let digest = Digest::of(&bytes);
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if !shared.held.iter().any(|(known, _)| *known == digest) {
            shared.held_bytes += bytes.len();
            shared.held.push_back((digest, bytes));
        }
        while shared.held_bytes > HELD_BYTES && shared.held.len() > 1 {
            let Some((_, oldest)) = shared.held.pop_front() else { break };
            shared.held_bytes -= oldest.len();
        }
        digest
    }

    /// Path of an object, whether it is there or not.
    #[must_use]
    pub fn path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        let (head, tail) = name.split_at(2);
        self.objects.join(head).join(tail)
    }

    /// This process's place for files being written.
    pub(crate) fn run(&self) -> Result<Arc<Run>> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = &shared.run {
            return Ok(Arc::clone(run));
        }
        let run = Arc::new(Run::start(&self.scratch)?);
        shared.run = Some(Arc::clone(&run));
        Ok(run)
    }

    pub(crate) fn stage(&self) -> Result<Staged> {
        let run = self.run()?;
        let file = disk::staged_file(run.path()).map_err(StoreError::io(run.path()))?;
        Ok(Staged::new(file))
    }

    /// Makes the folder of an object, with a durable name: also when a process that is gone made
    /// it and may not have come to syncing.
    fn make_folder(&self, folder: &Path) -> Result<()> {
        let known = |shared: &Mutex<Shared>| {
            shared.lock().unwrap_or_else(PoisonError::into_inner).durable.contains(folder)
        };
        if known(&self.shared) {
            return Ok(());
        }
        if folder.is_dir() {
            disk::sync_folder(&self.objects).map_err(StoreError::io(&self.objects))?;
        } else {
            disk::create_folders(folder).map_err(StoreError::io(folder))?;
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.durable.insert(folder.to_owned());
        Ok(())
    }

    pub(crate) fn put(&self, mut staged: Staged) -> Result<Digest> {
        let digest = staged.digest();
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(&self.objects).to_owned();
        self.make_folder(&folder)?;
        if !path.is_file() {
            staged.file.flush().map_err(StoreError::io(&path))?;
            disk::sync(staged.file.as_file(), staged.file.path()).map_err(StoreError::io(&path))?;
            disk::persist(staged.file, &path).map_err(StoreError::io(&path))?;
        }
        // Also when the object was there: a process that is gone may not have come to this.
        disk::sync_folder(&folder).map_err(StoreError::io(&folder))?;
        Ok(digest)
    }

    pub(crate) fn open(&self, digest: Digest) -> io::Result<ObjectBody> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = shared.held.iter().find(|(known, _)| *known == digest) {
            return Ok(ObjectBody::Bytes(bytes.clone()));
        }
        drop(shared);
        match File::open(self.path(digest)) {
            Ok(file) => Ok(ObjectBody::File(file)),
            Err(error) => Err(io::Error::new(error.kind(), format!("object `{digest}`: {error}"))),
        }
    }

    pub(crate) fn has(&self, digest: Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Every file whose place and name make a digest; others are none of ours.
    pub(crate) fn list(&self, each: &mut dyn FnMut(Digest) -> Result<()>) -> Result<()> {
        for head in names(&self.objects)? {
            let folder = self.objects.join(&head);
            if head.len() != 2 || !folder.is_dir() {
                continue;
            }
            for tail in names(&folder)? {
                if let Ok(digest) = format!("{head}{tail}").parse() {
                    each(digest)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn remove(&self, digest: Digest) -> Result<()> {
        let path = self.path(digest);
        disk::remove_file(&path).map_err(StoreError::io(&path))
    }
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(StoreError::io(folder))? {
        let entry = entry.map_err(StoreError::io(folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}
