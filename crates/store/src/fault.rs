//! Fault points. Every write, sync and rename of the store passes through [`around`], so that a
//! test can make each of them fail, stop half-way or end the process. Without the cargo feature
//! `faults`, which only tests switch on, [`around`] is nothing but the work itself; it must never
//! decide anything about that work.

/// What is done at a fault point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A file is made.
    CreateFile,
    /// A folder is made.
    CreateFolder,
    /// Bytes go into a file.
    Write,
    /// A file's bytes are made durable.
    Sync,
    /// A folder's names are made durable.
    SyncFolder,
    /// A file gets another name.
    Rename,
    /// A file or a folder goes.
    Remove,
    /// A transaction of the database begins.
    Begin,
    /// A statement of the database changes something.
    Statement,
    /// A transaction becomes durable.
    Commit,
    /// The write-ahead log goes into the database file.
    Checkpoint,
    /// The database is copied.
    CopyDatabase,
}

#[cfg(feature = "faults")]
pub use armed::{Mode, Point, Watch};
#[cfg(feature = "faults")]
pub(crate) use armed::{around, renamed, write};

/// Does the work of a fault point.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub(crate) fn around<T, E>(
    _: Step,
    _: &std::path::Path,
    _: impl FnOnce(std::io::Error) -> E,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    work()
}

/// Writes all bytes to a file.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub(crate) fn write(
    _: &std::path::Path,
    bytes: &[u8],
    mut work: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    work(bytes)
}

/// Notes that a file has another name now.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub(crate) fn renamed(_: &std::path::Path, _: &std::path::Path) {}

#[cfg(feature = "faults")]
mod armed {
    //! The seam as tests have it: counts the points under a folder and breaks those that are
    //! named. It also knows what a power cut would lose: bytes not synced, and names in folders
    //! not synced. What SQLite writes by itself is its own to keep and not looked at.

    use std::{
        collections::{BTreeMap, BTreeSet},
        fs, io,
        path::{Path, PathBuf},
        sync::{Mutex, MutexGuard, PoisonError},
    };

    use super::Step;

    /// Exit code of a process that a fault ended.
    const ENDED: i32 = 86;

    /// How a point breaks.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Mode {
        /// The work is not done, and an error says so.
        FailBefore,
        /// The work is done, and an error says that it was not.
        FailAfter,
        /// Half of the bytes are written, then an error; like [`Mode::FailBefore`] where nothing
        /// is written.
        FailHalf,
        /// The process ends before the work, without any cleaning up.
        End,
        /// The process ends with half of the bytes written.
        EndHalf,
        /// The power goes before the work: what was not synced is lost, and the process ends.
        PowerCut,
    }

    /// A fault point that was passed.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Point {
        /// What was done there.
        pub step: Step,
        /// To which file, below the folder that is watched.
        pub path: PathBuf,
    }

    /// What is not durable yet.
    #[derive(Debug, Default)]
    struct Loose {
        /// Files with bytes that were not synced.
        bytes: BTreeSet<PathBuf>,
        /// Files and folders whose name was not synced.
        names: BTreeSet<PathBuf>,
    }

    impl Loose {
        fn done(&mut self, step: Step, path: &Path) {
            match step {
                Step::CreateFile => {
                    self.bytes.insert(path.to_owned());
                    self.names.insert(path.to_owned());
                }
                Step::CreateFolder => {
                    self.names.insert(path.to_owned());
                }
                Step::Write => {
                    self.bytes.insert(path.to_owned());
                }
                Step::Sync => {
                    self.bytes.remove(path);
                }
                Step::SyncFolder => self.names.retain(|name| name.parent() != Some(path)),
                Step::Remove => {
                    self.bytes.retain(|name| !name.starts_with(path));
                    self.names.retain(|name| !name.starts_with(path));
                }
                _ => {}
            }
        }

        fn renamed(&mut self, from: &Path, to: &Path) {
            if self.bytes.remove(from) {
                self.bytes.insert(to.to_owned());
            }
            self.names.remove(from);
            self.names.insert(to.to_owned());
        }

        /// Does to the disk what a power cut may do at worst.
        fn lose(&self) {
            for path in &self.bytes {
                if let Ok(file) = fs::File::options().write(true).open(path) {
                    let _ = file.set_len(0);
                }
            }
            for path in &self.names {
                let _ =
                    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            }
        }
    }

    struct Plan {
        root: PathBuf,
        faults: Vec<(usize, Mode)>,
        points: Vec<Point>,
        loose: Loose,
    }

    static PLANS: Mutex<BTreeMap<u64, Plan>> = Mutex::new(BTreeMap::new());

    fn plans() -> MutexGuard<'static, BTreeMap<u64, Plan>> {
        PLANS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches the fault points below a folder, and breaks some of them, as long as it lives.
    #[derive(Debug)]
    pub struct Watch {
        id: u64,
    }

    impl Watch {
        /// Breaks the points with these numbers, counted from 0; all others only count.
        #[must_use]
        pub fn new(root: &Path, faults: &[(usize, Mode)]) -> Self {
            let mut plans = plans();
            let id = plans.last_key_value().map_or(0, |(last, _)| last + 1);
            plans.insert(
                id,
                Plan {
                    root: root.to_owned(),
                    faults: faults.to_vec(),
                    points: Vec::new(),
                    loose: Loose::default(),
                },
            );
            Self { id }
        }

        /// The points passed so far.
        #[must_use]
        pub fn points(&self) -> Vec<Point> {
            plans().get(&self.id).map_or_else(Vec::new, |plan| plan.points.clone())
        }

        /// Does to the disk what a power cut at this moment may do at worst.
        pub fn cut_power(&self) {
            if let Some(plan) = plans().get(&self.id) {
                plan.loose.lose();
            }
        }
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            plans().remove(&self.id);
        }
    }

    /// Counts a point; how it breaks, if it does. Ends the process where that is asked for.
    fn pass(step: Step, path: &Path) -> Option<Mode> {
        let mut plans = plans();
        let plan = plans.values_mut().find(|plan| path.starts_with(&plan.root))?;
        let number = plan.points.len();
        let below = path.strip_prefix(&plan.root).unwrap_or(path).to_owned();
        plan.points.push(Point { step, path: below });
        let mode = plan.faults.iter().find(|(at, _)| *at == number).map(|(_, mode)| *mode)?;
        match mode {
            Mode::End => std::process::exit(ENDED),
            Mode::EndHalf if step != Step::Write => std::process::exit(ENDED),
            Mode::PowerCut => {
                plan.loose.lose();
                std::process::exit(ENDED)
            }
            other => Some(other),
        }
    }

    fn done(step: Step, path: &Path) {
        if let Some(plan) = plans().values_mut().find(|plan| path.starts_with(&plan.root)) {
            plan.loose.done(step, path);
        }
    }

    fn injected() -> io::Error {
        io::Error::other("a fault that the test asked for")
    }

    /// Does the work of a fault point, unless a watch breaks it.
    pub(crate) fn around<T, E>(
        step: Step,
        path: &Path,
        broken: impl FnOnce(io::Error) -> E,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        match pass(step, path) {
            None => {
                let made = work()?;
                done(step, path);
                Ok(made)
            }
            Some(Mode::FailAfter) => {
                work()?;
                done(step, path);
                Err(broken(injected()))
            }
            Some(_) => Err(broken(injected())),
        }
    }

    /// Writes all bytes to a file, unless a watch breaks it.
    pub(crate) fn write(
        path: &Path,
        bytes: &[u8],
        mut work: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mode = pass(Step::Write, path);
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        let outcome = match mode {
            None => work(bytes),
            Some(Mode::FailAfter) => work(bytes).and(Err(injected())),
            Some(Mode::FailHalf) => work(half).and(Err(injected())),
            Some(Mode::EndHalf) => {
                let _ = work(half);
                std::process::exit(ENDED)
            }
            Some(_) => Err(injected()),
        };
        done(Step::Write, path);
        outcome
    }

    /// Notes that a file has another name now.
    pub(crate) fn renamed(from: &Path, to: &Path) {
        if let Some(plan) = plans().values_mut().find(|plan| to.starts_with(&plan.root)) {
            plan.loose.renamed(from, to);
        }
    }
}
