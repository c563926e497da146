//! Owns reading a bundle from a folder: the only place of this crate that touches a disk. It must
//! never follow a link out of the folder, nor write.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where a bundle is read from. Paths are relative, with `/`.
pub trait BundleSource {
    /// Opens a file; `None` when there is none.
    ///
    /// # Errors
    /// Those of the disk.
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + '_>>>;

    /// All files, sorted by path.
    ///
    /// # Errors
    /// Those of the disk.
    fn paths(&self) -> io::Result<Vec<String>>;
}

/// A bundle in a folder.
#[derive(Debug, Clone)]
pub struct FolderSource {
    folder: PathBuf,
}

impl FolderSource {
    /// The bundle in this folder. Nothing is read yet.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        Self { folder: folder.as_ref().to_owned() }
    }
}

impl BundleSource for FolderSource {
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + '_>>> {
        match File::open(self.folder.join(path)) {
            Ok(file) => Ok(Some(Box::new(io::BufReader::with_capacity(1 << 16, file)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn paths(&self) -> io::Result<Vec<String>> {
        let mut paths = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(prefix) = folders.pop() {
            for entry in fs::read_dir(self.folder.join(&prefix))? {
                let entry = entry?;
                let name = entry.file_name();
                let path = format!("{prefix}{}", name.to_string_lossy());
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(format!("{path}/"));
                } else if kind.is_file() {
                    paths.push(path);
                } else {
                    return Err(io::Error::other(format!(
                        "`{path}` is a link or a device; a bundle holds plain files only"
                    )));
                }
            }
        }
        paths.sort_unstable();
        Ok(paths)
    }
}
