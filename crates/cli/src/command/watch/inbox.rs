//! The watched folder: what lies in it, what stands still, and where a file goes when it is done
//! with. Never deletes, never overwrites, never reads a file's content.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{door, error::CliError, sources::ORDER_FILE};

/// Held while a folder is watched, so that two watchers never move the same file.
const LOCK_FILE: &str = ".backstay-watch.lock";
/// Folder of files that went in.
pub const IMPORTED: &str = "imported";
/// Folder of files that cannot be read.
pub const REFUSED: &str = "refused";
/// End of the name of the report beside a file.
pub const NOTE: &str = ".backstay.txt";
/// How deep rules may reach into the folder.
const DEPTH_MAX: usize = 8;

/// Size and time of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub bytes: u64,
    /// Last written, as the file system says.
    pub modified: Option<SystemTime>,
}

impl Stamp {
    /// The stamp of an ordinary file; nothing for anything else.
    ///
    /// # Errors
    /// When the file cannot be looked at; gone, for one.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let metadata = fs::symlink_metadata(path)?;
        let stamp = Self { bytes: metadata.len(), modified: metadata.modified().ok() };
        Ok(metadata.is_file().then_some(stamp))
    }
}

/// A file that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Its path below the folder, with `/` between the parts.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// As it was last seen.
    pub stamp: Stamp,
}

/// The folder.
#[derive(Debug)]
pub struct Inbox {
    dir: PathBuf,
    _lock: File,
}

impl Inbox {
    /// Takes the folder for this process alone.
    ///
    /// # Errors
    /// When it is no folder that can be written to, or another process watches it.
    pub fn open(dir: &Path) -> Result<Self, CliError> {
        let failed = |error: &io::Error| {
            CliError::failed_with(
                format!("`{}` cannot be watched: {}", dir.display(), door::because(error)),
                "name a folder in which this user may read, write and rename: files are moved to \
                 `imported` or `refused` below it",
            )
        };
        if !fs::metadata(dir).map_err(|error| failed(&error))?.is_dir() {
            return Err(failed(&io::ErrorKind::NotADirectory.into()));
        }
        let lock = File::create(dir.join(LOCK_FILE)).map_err(|error| failed(&error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(CliError::failed_with(
                format!("`{}` is watched by another process already", dir.display()),
                "end that one, or watch another folder",
            )),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    /// The files that lie in the folder, oldest first; in folders below it only when `deep`.
    ///
    /// # Errors
    /// When the folder itself cannot be looked into. What disappears meanwhile is passed over.
    pub fn list(&self, deep: bool) -> io::Result<Vec<Arrived>> {
        let mut found = Vec::new();
        walk(&self.dir, "", if deep { DEPTH_MAX } else { 0 }, &mut found)?;
        found.sort_by(|a, b| (a.stamp.modified, &a.name).cmp(&(b.stamp.modified, &b.name)));
        Ok(found)
    }

    /// Moves a file into `imported` or `refused`, with a report beside it; gives its new name below
    /// the folder. The report is written first: a crash in between leaves the file where it is, and
    /// the next run writes the report again.
    ///
    /// # Errors
    /// Those of the disk. The file is then still where it was.
    pub fn put_away(&self, file: &Arrived, into: &str, note: &str) -> io::Result<String> {
        let (folder, name) = match file.name.rsplit_once('/') {
            Some((folder, name)) => (format!("{into}/{folder}"), name),
            None => (into.to_owned(), file.name.as_str()),
        };
        fs::create_dir_all(self.dir.join(&folder))?;
        let free = (1..)
            .map(|n| format!("{folder}/{}", numbered(name, n)))
            .find(|name| !exists(&self.dir.join(name)))
            .ok_or(io::ErrorKind::AlreadyExists)?;
        let report = self.dir.join(format!("{free}{NOTE}"));
        let draft = self.dir.join(format!("{folder}/.{}{NOTE}", numbered(name, 1)));
        fs::write(&draft, note)?;
        fs::rename(&draft, &report)?;
        fs::rename(&file.path, self.dir.join(&free))?;
        Ok(free)
    }
}

/// Whether anything bears that name, a broken link too.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// `log.csv.gz`, then `log-2.csv.gz`.
fn numbered(name: &str, n: usize) -> String {
    if n == 1 {
        return name.to_owned();
    }
    match name.char_indices().skip(1).find(|(_, symbol)| *symbol == '.') {
        Some((dot, _)) => {
            let (stem, ending) = name.split_at(dot);
            format!("{stem}-{n}{ending}")
        }
        None => format!("{name}-{n}"),
    }
}

fn walk(dir: &Path, below: &str, depth: usize, found: &mut Vec<Arrived>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let Ok(entry) = entry else { continue };
        // A name that is no text cannot be said, matched or recorded.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        let named = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        if kind.is_dir() {
            let ours = below.is_empty() && (name == IMPORTED || name == REFUSED);
            if depth > 0 && !ours && !name.starts_with('.') {
                // A folder that goes away meanwhile holds nothing to import.
                let _ = walk(&path, &named, depth - 1, found);
            }
            continue;
        }
        if is_in_the_making(&name) || (below.is_empty() && name == ORDER_FILE) {
            continue;
        }
        if let Ok(Some(stamp)) = Stamp::of(&path) {
            found.push(Arrived { name: named, path, stamp });
        }
    }
    Ok(())
}

/// Names that programs give to files they are still writing, hidden files, and our own reports.
fn is_in_the_making(name: &str) -> bool {
    let lower = name.to_lowercase();
    let ends = [
        ".tmp",
        ".temp",
        ".part",
        ".partial",
        ".crdownload",
        ".download",
        ".filepart",
        ".swp",
        ".writing",
        "~",
        NOTE,
    ];
    name.starts_with('.') || name.starts_with("~$") || ends.iter().any(|end| lower.ends_with(end))
}

/// Since when each file has stood still.
#[derive(Debug, Default)]
pub struct Stillness {
    seen: BTreeMap<PathBuf, (Stamp, i64)>,
}

impl Stillness {
    /// Takes a look at `now_us`: gives, of `files`, those that have not changed for `settle_us`, and
    /// how many still move.
    pub fn look(
        &mut self,
        files: Vec<Arrived>,
        now_us: i64,
        settle_us: i64,
    ) -> (Vec<Arrived>, usize) {
        let mut next = BTreeMap::new();
        let (mut still, mut moving) = (Vec::new(), 0);
        for file in files {
            let since = match self.seen.get(&file.path) {
                // A clock that was set back starts the wait again.
                Some((stamp, since)) if *stamp == file.stamp && *since <= now_us => *since,
                _ => now_us,
            };
            next.insert(file.path.clone(), (file.stamp, since));
            if now_us - since >= settle_us {
                still.push(file);
            } else {
                moving += 1;
            }
        }
        self.seen = next;
        (still, moving)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn arrived(name: &str, bytes: u64) -> Arrived {
        let stamp = Stamp { bytes, modified: None };
        Arrived { name: name.to_owned(), path: PathBuf::from(name), stamp }
    }

    #[test]
    fn a_file_is_taken_when_it_has_stood_still_long_enough() {
        let mut stillness = Stillness::default();
        let mut look = |bytes, now| stillness.look(vec![arrived("a", bytes)], now, 5).0.len();
        assert_eq!(look(10, 100), 0);
        assert_eq!(look(20, 104), 0, "it grew");
        assert_eq!(look(20, 108), 0);
        assert_eq!(look(20, 109), 1);
        assert_eq!(look(20, 50), 0, "the clock was set back");
        assert_eq!(look(20, 55), 1);
        let mut at_once = Stillness::default();
        assert_eq!(at_once.look(vec![arrived("a", 1)], 7, 0).0.len(), 1);
    }

    #[test]
    fn a_file_that_went_away_and_came_back_waits_again() {
        let mut stillness = Stillness::default();
        stillness.look(vec![arrived("a", 1)], 0, 5);
        stillness.look(Vec::new(), 3, 5);
        assert_eq!(stillness.look(vec![arrived("a", 1)], 6, 5), (Vec::new(), 1));
    }

    #[test]
    fn unfinished_hidden_and_own_files_are_passed_over_and_folders_only_entered_when_deep() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        for name in [
            "a.csv",
            ".b.csv",
            "c.csv.part",
            "~$d.xlsx",
            "e.TMP",
            "f~",
            "imports.toml",
            "g.csv.backstay.txt",
            "imported/h.csv",
            "refused/i.csv",
            "work/j.csv",
            ".git/k.csv",
        ] {
            put(name);
        }
        let inbox = Inbox::open(dir.path()).unwrap();
        let names = |deep| -> Vec<String> {
            let mut names: Vec<_> =
                inbox.list(deep).unwrap().into_iter().map(|file| file.name).collect();
            names.sort();
            names
        };
        assert_eq!(names(false), ["a.csv"]);
        assert_eq!(names(true), ["a.csv", "work/j.csv"]);
        assert!(Inbox::open(dir.path()).unwrap_err().to_string().contains("another process"));
    }

    #[test]
    fn nothing_is_overwritten_when_a_name_comes_again() {
        let dir = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(dir.path()).unwrap();
        for n in ["one", "two", "three"] {
            fs::write(dir.path().join("log.csv.gz"), n).unwrap();
            let file = inbox.list(false).unwrap().remove(0);
            inbox.put_away(&file, IMPORTED, n).unwrap();
        }
        for (name, content) in
            [("log.csv.gz", "one"), ("log-2.csv.gz", "two"), ("log-3.csv.gz", "three")]
        {
            let at = dir.path().join(IMPORTED).join(name);
            assert_eq!(fs::read_to_string(&at).unwrap(), content);
            let note = fs::read_to_string(format!("{}{NOTE}", at.display())).unwrap();
            assert_eq!(note, content);
        }
        assert_eq!(numbered("README", 2), "README-2");
        assert_eq!(numbered(".hidden", 2), ".hidden-2");
    }
}
