//! Objects in a folder, each a file named by the SHA-256 of its bytes: `ab/cdef…`. Bytes are
//! durable before the name appears, and never change under it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use backstay_evidence::{Digest, manifest::ObjectBody};

use crate::{
    backend::Staged,
    error::{Result, StoreError},
};

/// A folder of objects and, on the same disk, one for files that are being written.
#[derive(Debug, Clone)]
pub struct Folder {
    objects: PathBuf,
    scratch: PathBuf,
}

/// Makes a folder's list of names durable.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(StoreError::io(path))
}

impl Folder {
    /// Over existing folders.
    #[must_use]
    pub fn new(objects: PathBuf, scratch: PathBuf) -> Self {
        Self { objects, scratch }
    }

    /// Path of an object, whether it is there or not.
    #[must_use]
    pub fn path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        let (head, tail) = name.split_at(2);
        self.objects.join(head).join(tail)
    }

    pub(crate) fn stage(&self) -> Result<Staged> {
        let file = tempfile::Builder::new()
            .prefix("object-")
            .tempfile_in(&self.scratch)
            .map_err(StoreError::io(&self.scratch))?;
        Ok(Staged::new(file))
    }

    pub(crate) fn put(&self, mut staged: Staged) -> Result<Digest> {
        let digest = staged.digest();
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(&self.objects).to_owned();
        if path.is_file() {
            return Ok(digest);
        }
        staged.file.flush().map_err(StoreError::io(&path))?;
        staged.file.as_file().sync_all().map_err(StoreError::io(&path))?;
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(StoreError::io(&folder))?;
            sync_folder(&self.objects)?;
        }
        staged
            .file
            .persist(&path)
            .map_err(|error| StoreError::Io { path: path.clone(), source: error.error })?;
        sync_folder(&folder)?;
        Ok(digest)
    }

    pub(crate) fn open(&self, digest: Digest) -> io::Result<ObjectBody> {
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
        fs::remove_file(&path).map_err(StoreError::io(&path))
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
