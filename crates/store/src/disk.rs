//! The only place where the store changes files: each change is a fault point, and each function
//! says what is durable when it returns. `cargo xtask tidy` refuses such calls elsewhere in this
//! crate. It must never know what a file is for.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, TempDir};

use crate::fault::{self, Step};

fn step<T>(step: Step, path: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    fault::around(step, path, |error| error, work)
}

/// The folder that a name stands in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// A file being written.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    path: PathBuf,
}

impl Output {
    /// Makes a file that is not there yet.
    pub(crate) fn create_new(path: &Path) -> io::Result<Self> {
        let file = step(Step::CreateFile, path, || File::create_new(path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Makes a file that only its owner may read, and that is not there yet.
    pub(crate) fn create_private(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = step(Step::CreateFile, path, || options.open(path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Makes what was written durable; its name is when its folder is synced.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync(&self.file, &self.path)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = &mut self.file;
        fault::write(&self.path, bytes, |bytes| file.write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes bytes to an open file.
pub(crate) fn write(file: &NamedTempFile, bytes: &[u8]) -> io::Result<()> {
    let mut open: &File = file.as_file();
    fault::write(file.path(), bytes, |bytes| open.write_all(bytes))
}

/// Makes the bytes of an open file durable.
pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    step(Step::Sync, path, || file.sync_all())
}

/// Makes a folder's list of names durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    step(Step::SyncFolder, path, || File::open(path).and_then(|folder| folder.sync_all()))
}

/// Makes a folder that is not there yet; its name is durable when its own folder is synced.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    step(Step::CreateFolder, path, || fs::create_dir(path))
}

/// Makes a folder and those above it where they are missing, with durable names.
pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = folder_of(path);
    if above != path {
        create_folders(above)?;
    }
    match create_folder(path) {
        // Another process made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        other => other?,
    }
    match sync_folder(above) {
        // A folder that is not ours to list: its names become durable in the system's own time.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

/// A file for what is not yet to be seen, gone with the value unless it is [`persist`]ed.
pub(crate) fn staged_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut file = None;
    // The name is known only when the file is there, so the point is that of the folder.
    step(Step::CreateFile, &folder.join("object"), || {
        file = Some(tempfile::Builder::new().prefix("object-").tempfile_in(folder)?);
        Ok(())
    })?;
    file.ok_or_else(|| io::Error::other("no file was made"))
}

/// Gives a staged file its name, over whatever has it; durable when its folder is synced.
pub(crate) fn persist(file: NamedTempFile, to: &Path) -> io::Result<()> {
    let from = file.path().to_owned();
    step(Step::Rename, to, || {
        file.persist(to).map_err(|error| error.error)?;
        fault::renamed(&from, to);
        Ok(())
    })
}

/// A folder for files of one piece of work, gone with the value.
pub(crate) fn temporary_folder(folder: &Path, prefix: &str) -> io::Result<TempDir> {
    step(Step::CreateFolder, &folder.join(prefix), || {
        tempfile::Builder::new().prefix(prefix).tempdir_in(folder)
    })
}

/// Opens the file that a lock is taken on; it holds nothing.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    step(Step::CreateFile, path, || {
        File::options().create(true).truncate(false).write(true).open(path)
    })
}

/// Writes a file so that it is there whole and durable, or not at all.
pub(crate) fn whole_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = staged_file(folder_of(path))?;
    write(&file, bytes)?;
    sync(file.as_file(), file.path())?;
    persist(file, path)?;
    sync_folder(folder_of(path))
}

/// Writes over the beginning of a small file, in place and without making it durable.
pub(crate) fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().create(true).truncate(false).write(true).open(path)?;
    fault::write(path, bytes, |bytes| file.write_all(bytes))
}

/// Removes a file.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    step(Step::Remove, path, || fs::remove_file(path))
}

/// Removes a folder with all that is in it.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    step(Step::Remove, path, || fs::remove_dir_all(path))
}

/// Narrows who may use a path, where the system knows such a thing.
pub(crate) fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}
