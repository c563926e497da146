//! Files of work in progress. Each process has a folder of its own under `tmp/`, with a lock that
//! ends with it however it ends; whoever makes such a folder first removes those of the dead. It
//! must never touch a folder whose lock is held.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    disk,
    error::{Result, StoreError},
};

/// Names of the folders of processes begin so.
const PREFIX: &str = "run-";
/// The file in such a folder that its process holds locked.
const ALIVE: &str = "alive.lock";
/// Held for the moment in which folders are made or removed.
const DOOR: &str = "in-use.lock";

/// The folder of a process.
#[derive(Debug)]
pub(crate) struct Run {
    folder: TempDir,
    _alive: File,
}

impl Run {
    /// Makes one under `tmp`, after removing what dead processes left there.
    pub(crate) fn start(tmp: &Path) -> Result<Self> {
        let failed = |source| StoreError::io(tmp)(source);
        disk::create_folders(tmp).map_err(failed)?;
        let door = disk::lock_file(&tmp.join(DOOR)).map_err(failed)?;
        door.lock().map_err(failed)?;
        remove_dead(tmp).map_err(failed)?;
        let folder = disk::temporary_folder(tmp, PREFIX).map_err(failed)?;
        let alive = disk::lock_file(&folder.path().join(ALIVE)).map_err(failed)?;
        alive.lock().map_err(failed)?;
        Ok(Self { folder, _alive: alive })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes what dead processes left; how many things went.
pub(crate) fn sweep(tmp: &Path) -> Result<u64> {
    if !tmp.is_dir() {
        return Ok(0);
    }
    let failed = |source| StoreError::io(tmp)(source);
    let door = disk::lock_file(&tmp.join(DOOR)).map_err(failed)?;
    door.lock().map_err(failed)?;
    remove_dead(tmp).map_err(failed)
}

/// What dead processes left.
fn dead(tmp: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(tmp)? {
        let path = entry?.path();
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        if !name.starts_with(PREFIX) || is_alive(&path)? {
            continue;
        }
        found.push(path);
    }
    Ok(found)
}

/// Whether the process of a folder lives. Folders are made with the door held, so one without a
/// lock was left half-made.
fn is_alive(folder: &Path) -> io::Result<bool> {
    let lock = match File::open(folder.join(ALIVE)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn remove_dead(tmp: &Path) -> io::Result<u64> {
    let mut count = 0;
    for path in dead(tmp)? {
        match disk::remove_folder(&path) {
            // Its process ended properly between the look and the removal.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_dead_process_goes_and_that_of_a_living_one_stays() {
        let home = tempfile::tempdir().unwrap();
        let tmp = home.path().join("tmp");
        let living = Run::start(&tmp).unwrap();
        fs::write(living.path().join("spill"), b"rows").unwrap();
        for name in ["run-half", "run-whole"] {
            fs::create_dir(tmp.join(name)).unwrap();
        }
        fs::write(tmp.join("run-whole").join(ALIVE), b"").unwrap();
        fs::write(tmp.join("run-whole").join("spill"), b"rows").unwrap();
        fs::write(tmp.join("kept.txt"), b"not ours").unwrap();
        let next = Run::start(&tmp).unwrap();
        assert!(!tmp.join("run-half").exists() && !tmp.join("run-whole").exists());
        assert!(living.path().join("spill").is_file() && next.path().is_dir());
        assert!(tmp.join("kept.txt").is_file());
        assert_eq!(sweep(&tmp).unwrap(), 0);
        drop(living);
        drop(next);
        assert_eq!(sweep(&tmp).unwrap(), 0, "a process that ends properly leaves nothing");
    }
}
