//! Copies of a workspace: consistent while others write, and verified before they are trusted.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use backstay_evidence::Digest;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    backend::Backend as _,
    bundle::{Named, reader},
    disk,
    error::{Result, StoreError},
    index::for_each_entry,
    keys::{Keys, write_private},
    objects::Folder,
    sqlite::SqliteBackend,
    verify::VerifyOptions,
    workspace::{
        CACHE_FOLDER, DATABASE_FILE, KEYS_FOLDER, OBJECTS_FOLDER, SCRATCH_FOLDER, Workspace,
        WorkspaceFile, must_be_free,
    },
};

/// How to back up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackupOptions {
    /// Leave the keys out: the copy then opens no source, shows no name and imports nothing until
    /// they are put back. Keep them elsewhere.
    pub without_keys: bool,
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// Where it is.
    pub folder: PathBuf,
    /// Entries.
    pub entries: u64,
    /// Objects.
    pub objects: u64,
    /// Bytes of objects.
    pub bytes: u64,
    /// Whether the keys are in it.
    pub with_keys: bool,
}

/// Makes the folders of a copy. The file that makes it a workspace comes last of all, so that an
/// interrupted copy is none.
fn prepare(dest: &Path) -> Result<()> {
    must_be_free(dest)?;
    disk::create_folders(dest).map_err(StoreError::io(dest))?;
    disk::restrict(dest, 0o700).map_err(StoreError::io(dest))?;
    for name in [OBJECTS_FOLDER, CACHE_FOLDER, SCRATCH_FOLDER] {
        let path = dest.join(name);
        disk::create_folder(&path).map_err(StoreError::io(&path))?;
    }
    Ok(())
}

/// Copies a file with durable bytes; their digest and count.
fn copy_file(from: &mut dyn io::Read, to: &Path) -> io::Result<([u8; 32], u64)> {
    let mut out = disk::Output::create_new(to)?;
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        hasher.update(read);
        out.write_all(read)?;
        bytes += count as u64;
    }
    out.sync()?;
    Ok((hasher.finalize().into(), bytes))
}

/// Copies an object and checks it on the way.
fn copy_object(from: &mut dyn io::Read, to: &Path, digest: Digest) -> Result<u64> {
    if let Some(folder) = to.parent() {
        disk::create_folders(folder).map_err(StoreError::io(folder))?;
    }
    let (found, bytes) = copy_file(from, to).map_err(StoreError::io(to))?;
    if found != digest.0 {
        return Err(StoreError::Object { digest, reason: "has changed bytes".to_owned() });
    }
    Ok(bytes)
}

/// Makes the names of all objects durable.
fn sync_objects(objects: &Path) -> Result<()> {
    for entry in fs::read_dir(objects).map_err(StoreError::io(objects))? {
        let path = entry.map_err(StoreError::io(objects))?.path();
        disk::sync_folder(&path).map_err(StoreError::io(&path))?;
    }
    disk::sync_folder(objects).map_err(StoreError::io(objects))
}

fn copy_keys(from: &Keys, dest: &Path) -> Result<()> {
    let folder = dest.join(KEYS_FOLDER);
    disk::create_folder(&folder).map_err(StoreError::io(&folder))?;
    disk::restrict(&folder, 0o700).map_err(StoreError::io(&folder))?;
    for name in Keys::names() {
        let (source, copy) = (from.folder().join(name), folder.join(name));
        let key = fs::read(&source).map_err(|_| StoreError::NoKey(source))?;
        write_private(&copy, &key)?;
    }
    disk::sync_folder(&folder).map_err(StoreError::io(&folder))
}

impl Workspace {
    /// Copies the workspace into a new or empty folder, as it is at one moment, while others may
    /// go on writing. The copy is a workspace itself.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`]; [`StoreError::Object`] when an object is missing or has changed;
    /// those of the disk.
    pub fn backup(&self, dest: &Path, options: BackupOptions) -> Result<BackupReport> {
        prepare(dest)?;
        let file = WorkspaceFile::read(self.dir())?;
        // The database first: what it names is never removed, and what comes later is not in it.
        let database = dest.join(DATABASE_FILE);
        self.backend.copy_to(&database)?;
        let folder = Folder::new(dest.join(OBJECTS_FOLDER), dest.join("tmp"));
        let (copy, _) = SqliteBackend::open(&database, folder.clone())?;
        // A session that was ended since must not come back with a copy.
        copy.change_accounts(&mut |tables| tables.clear_visits())?;
        let (mut objects, mut bytes, mut wanted) = (0, 0, BTreeSet::new());
        for_each_entry(&copy, &mut |stored| {
            let Some((_, payload)) = &stored.payload else { return Ok(()) };
            let named: Named = serde_json::from_slice(payload).map_err(|error| {
                StoreError::Payload { entry: stored.entry.sequence, reason: error.to_string() }
            })?;
            for object in named.objects {
                wanted.insert(object.digest);
            }
            Ok(())
        })?;
        wanted.extend(copy.merged()?.into_iter().map(|merged| merged.segment.digest));
        for digest in wanted {
            let body = self.backend.open_object(digest).map_err(|error| StoreError::Object {
                digest,
                reason: format!("cannot be read ({error})"),
            })?;
            bytes += copy_object(&mut reader(body), &folder.path(digest), digest)?;
            objects += 1;
        }
        if !options.without_keys {
            copy_keys(&self.keys, dest)?;
        }
        sync_objects(&dest.join(OBJECTS_FOLDER))?;
        file.write(dest)?;
        Ok(BackupReport {
            folder: dest.to_owned(),
            entries: copy.head()?.size,
            objects,
            bytes,
            with_keys: !options.without_keys,
        })
    }
}

/// Makes a workspace out of a backup, in a new or empty folder, and verifies it. The backup itself
/// is only read.
///
/// # Errors
/// [`StoreError::BadBackup`] when it does not verify: the folder is then no workspace.
/// [`StoreError::Damaged`] when `src` is in use; those of [`Workspace::open`].
pub fn restore(src: &Path, dest: &Path) -> Result<Workspace> {
    let file = WorkspaceFile::read(src)?;
    let log = src.join(format!("{DATABASE_FILE}-wal"));
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(StoreError::Damaged {
            path: src.to_owned(),
            reason: "this is a workspace in use, not a backup: make one with `backstay backup`"
                .to_owned(),
        });
    }
    prepare(dest)?;
    let from = Folder::new(src.join(OBJECTS_FOLDER), src.to_owned());
    let to = Folder::new(dest.join(OBJECTS_FOLDER), dest.join("tmp"));
    let database = src.join(DATABASE_FILE);
    let mut bytes = fs::File::open(&database).map_err(StoreError::io(&database))?;
    copy_file(&mut bytes, &dest.join(DATABASE_FILE)).map_err(StoreError::io(dest))?;
    from.list(&mut |digest| {
        let body = from.open(digest).map_err(StoreError::io(from.path(digest)))?;
        match copy_object(&mut reader(body), &to.path(digest), digest) {
            // Verification names every object that is missing or wrong, so copy on.
            Ok(_) | Err(StoreError::Object { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    })?;
    let keys = Keys::new(src.join(KEYS_FOLDER));
    if keys.folder().is_dir() {
        copy_keys(&keys, dest)?;
    }
    sync_objects(&dest.join(OBJECTS_FOLDER))?;
    let workspace = Workspace::open_as(dest, &file)?;
    let report = workspace.verify(VerifyOptions::default(), &mut |_| {})?;
    if let Some(first) = report.problems.first() {
        return Err(StoreError::BadBackup {
            problems: report.problems.len(),
            first: format!("{}: {}", first.place, first.what),
        });
    }
    file.write(dest)?;
    Ok(workspace)
}
