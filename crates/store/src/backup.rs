//! Copies of a workspace: consistent while others write, and verified before they are trusted.

use std::{
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
    error::{Result, StoreError},
    index::for_each_entry,
    keys::{Keys, restrict},
    objects::{Folder, sync_folder},
    sqlite::SqliteBackend,
    verify::VerifyOptions,
    workspace::{
        CACHE_FOLDER, DATABASE_FILE, KEYS_FOLDER, OBJECTS_FOLDER, WORKSPACE_FILE, Workspace,
        file_text, read_workspace_file, write_file,
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

fn prepare(dest: &Path) -> Result<()> {
    if dest.exists() && fs::read_dir(dest).map_err(StoreError::io(dest))?.next().is_some() {
        return Err(StoreError::NotEmpty(dest.to_owned()));
    }
    fs::create_dir_all(dest).map_err(StoreError::io(dest))?;
    restrict(dest, 0o700)?;
    for name in [OBJECTS_FOLDER, CACHE_FOLDER, "tmp"] {
        let path = dest.join(name);
        fs::create_dir_all(&path).map_err(StoreError::io(&path))?;
    }
    Ok(())
}

/// Copies an object and checks it on the way.
fn copy_object(from: &mut dyn io::Read, to: &Path, digest: Digest) -> Result<u64> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(StoreError::io(folder))?;
    }
    let mut out = fs::File::create(to).map_err(StoreError::io(to))?;
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer).map_err(StoreError::io(to))?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        hasher.update(read);
        out.write_all(read).map_err(StoreError::io(to))?;
        bytes += count as u64;
    }
    out.sync_all().map_err(StoreError::io(to))?;
    let found: [u8; 32] = hasher.finalize().into();
    if found != digest.0 {
        return Err(StoreError::Object { digest, reason: "has changed bytes".to_owned() });
    }
    Ok(bytes)
}

fn copy_keys(from: &Keys, dest: &Path) -> Result<()> {
    let folder = dest.join(KEYS_FOLDER);
    fs::create_dir_all(&folder).map_err(StoreError::io(&folder))?;
    restrict(&folder, 0o700)?;
    for name in Keys::names() {
        let (source, copy) = (from.folder().join(name), folder.join(name));
        let key = fs::read(&source).map_err(|_| StoreError::NoKey(source))?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&copy).map_err(StoreError::io(&copy))?;
        file.write_all(&key).and_then(|()| file.sync_all()).map_err(StoreError::io(&copy))?;
    }
    sync_folder(&folder)
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
        let file = read_workspace_file(self.dir())?;
        // The database first: what it names is never removed, and what comes later is not in it.
        let database = dest.join(DATABASE_FILE);
        self.backend.copy_to(&database)?;
        let folder = Folder::new(dest.join(OBJECTS_FOLDER), dest.join("tmp"));
        let copy = SqliteBackend::open(&database, folder.clone())?;
        let (mut objects, mut bytes) = (0, 0);
        for_each_entry(&copy, &mut |stored| {
            let Some((_, payload)) = &stored.payload else { return Ok(()) };
            let named: Named = serde_json::from_slice(payload).map_err(|error| {
                StoreError::Payload { entry: stored.entry.sequence, reason: error.to_string() }
            })?;
            for object in named.objects {
                if folder.has(object.digest) {
                    continue;
                }
                let body = self.backend.open_object(object.digest).map_err(|error| {
                    StoreError::Object {
                        digest: object.digest,
                        reason: format!("cannot be read ({error})"),
                    }
                })?;
                let to = folder.path(object.digest);
                bytes += copy_object(&mut reader(body), &to, object.digest)?;
                objects += 1;
            }
            Ok(())
        })?;
        if !options.without_keys {
            copy_keys(&self.keys, dest)?;
        }
        sync_folder(&dest.join(OBJECTS_FOLDER))?;
        write_file(&dest.join(WORKSPACE_FILE), &file_text(&file)?)?;
        sync_folder(dest)?;
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
    let file = read_workspace_file(src)?;
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
    let database = dest.join(DATABASE_FILE);
    fs::copy(src.join(DATABASE_FILE), &database).map_err(StoreError::io(src))?;
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
    let marker = dest.join(WORKSPACE_FILE);
    write_file(&marker, &file_text(&file)?)?;
    let workspace = Workspace::open(dest)?;
    let report = workspace.verify(VerifyOptions::default(), &mut |_| {})?;
    if let Some(first) = report.problems.first() {
        fs::remove_file(&marker).map_err(StoreError::io(&marker))?;
        return Err(StoreError::BadBackup {
            problems: report.problems.len(),
            first: format!("{}: {}", first.place, first.what),
        });
    }
    Ok(workspace)
}
