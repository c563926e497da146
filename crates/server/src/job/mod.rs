//! Files that were handed in, and what is done with them: each is tried, and brought in when somebody says
//! so, one after the other on one thread. Owns the queue and what became of each file; it must never decide
//! a right (who asks for something is checked before it comes here), and nothing in it is a fact: a server
//! that ends forgets it, and an import is in the ledger whole or not at all.

mod right;
mod word;
mod work;

use std::{
    collections::{BTreeMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use backstay_access::Principal;
use backstay_desk::trial::Trial;
use backstay_evidence::{
    ImportOptions,
    mapping::propose::{Answers, Proposal, Sample},
    options::{Fold, TextEncoding},
};
use backstay_report::import::FileImport;
use backstay_store::HandedIn;

pub use self::{
    right::refusal,
    word::in_words_of_the_page,
    work::{offered_names, sampled},
};
use crate::server::Server;

/// How long a file waits for whoever handed it in, without being looked at.
pub const PATIENCE_US: i64 = 2 * 3_600 * 1_000_000;
/// Files that one account may have waiting.
const MOST_OF_ONE: usize = 10;
/// Files that may wait in all.
const MOST: usize = 200;
/// How often old files are looked for.
const SWEEP: Duration = Duration::from_secs(60);
/// How long the end of a running import is waited for when the server is told to stop. One that takes
/// longer is cut off, and leaves nothing behind but a file of the next process to sweep.
const FAREWELL: Duration = Duration::from_secs(20);
/// A glance at whether the worker has ended.
const GLANCE: Duration = Duration::from_millis(20);

/// How a file is to be read, as somebody said on a page. What is not said is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// What reads it.
    pub by: By,
    /// Arrangement of all its rows.
    pub arrangement: Option<String>,
    /// Arrangement to take when the file names none: the only one that its owner brings evidence for.
    pub only_arrangement: Option<String>,
    /// Columns that hold the same in every row, as they were written: `column=value`, one a line.
    pub set: String,
    /// Zone of times without offset.
    pub zone: Option<String>,
    /// Which instant a local time is that occurs twice.
    pub fold: Option<Fold>,
    /// Encoding.
    pub encoding: Option<TextEncoding>,
    /// Party that ids of people belong to.
    pub party: Option<String>,
    /// A log that repeats another one with another clock is kept.
    pub allow_duplicate_log: bool,
}

/// What reads a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum By {
    /// What fits it, found by itself.
    #[default]
    Found,
    /// Its own columns: those of this table.
    Table(String),
    /// The mapping of this name.
    Mapping(String),
    /// A mapping proposed from the file, given what was answered.
    Proposed(Box<Answers>),
    /// A mapping as it was written.
    Written(String),
}

/// What read it, once that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// Its own columns are those of this table.
    Table(String),
    /// A mapping of this release.
    OfRelease(String),
    /// A mapping of the workspace.
    OfWorkspace(String),
    /// A mapping proposed from the file.
    Proposed(String),
    /// A mapping as it was written on a page.
    Written(String),
}

/// A file that was tried, and how.
#[derive(Debug)]
pub struct Tried {
    /// What came of it.
    pub trial: Trial,
    /// How it was read, and how it would be brought in.
    pub options: ImportOptions,
    /// A log that repeats another one with another clock is kept.
    pub allow_duplicate_log: bool,
    /// What read it.
    pub reader: Reader,
    /// Nobody chose what reads it.
    pub found: bool,
    /// Arrangement that was taken because its owner has no other.
    pub only_arrangement: Option<String>,
    /// The proposal, when one read it.
    pub proposal: Option<Proposal>,
    /// What must be said before it can be brought in.
    pub open: Vec<Open>,
    /// The entry that holds this very file already, read in this way.
    pub known: Option<u64>,
}

/// What a file does not say, and nobody has said yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// The arrangement of its rows.
    Arrangement,
    /// The zone of its times.
    Zone,
}

/// Why something did not work, as its owner is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong, and where.
    pub what: String,
    /// What to do.
    pub help: Option<String>,
    /// What a mapping for it would have to say first.
    pub asks: Vec<String>,
    /// A right is lacking.
    pub refused: bool,
    /// The field of the form that says it wrongly, or could say it.
    pub field: Option<&'static str>,
    /// The whole cause, for the operator.
    pub cause: Option<String>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Read it, and write nothing.
    Try,
    /// Bring it in.
    Bring,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes read.
    pub bytes: u64,
    /// Records read.
    pub records: u64,
    /// What is being done.
    pub doing: &'static str,
}

/// Where a file stands.
#[derive(Debug, Clone)]
pub enum Stage {
    /// In the queue, behind so many others.
    Waiting(Work, usize),
    /// At work.
    Running(Work, Progress),
    /// Tried, and waiting for its owner.
    Tried,
    /// It did not work.
    Failed(Failure),
    /// Brought in.
    Brought(Arc<FileImport>),
}

impl Stage {
    /// Whether it goes on by itself.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Waiting(..) | Self::Running(..))
    }
}

/// A file that was handed in.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id, which nobody can foresee.
    pub id: String,
    /// Account that handed it in.
    pub owner: String,
    /// The provider whose person that is.
    pub provider: Option<String>,
    /// Who asked for what is queued, and how they came: what they may is asked again before rows are kept.
    pub principal: Principal,
    /// It is brought in as soon as it was tried, if nothing stands against it.
    pub at_once: bool,
    /// The file; none once it is in.
    pub file: Option<Arc<HandedIn>>,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of them.
    pub digest: String,
    /// Name as it was handed in, without folder.
    pub name: String,
    /// How it is to be read.
    pub wish: Wish,
    /// What came of the last attempt that worked.
    pub tried: Option<Arc<Tried>>,
    /// What was seen of it when a mapping was to be made.
    pub sample: Option<Arc<Sample>>,
    /// Where it stands.
    pub stage: Stage,
    /// When it was handed in, microseconds UTC.
    pub handed_us: i64,
    /// When it was last asked about.
    pub used_us: i64,
}

#[derive(Debug, Default)]
struct Held {
    jobs: BTreeMap<String, Job>,
    queue: VecDeque<(String, Work)>,
}

/// All of them, and the thread that works on them.
#[derive(Debug, Default)]
pub struct Jobs {
    held: Mutex<Held>,
    wake: Condvar,
    stop: AtomicBool,
    worker: Mutex<Option<JoinHandle<()>>>,
}

/// Why a file cannot wait here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Its owner has as many as one may have.
    Own(usize),
    /// There are too many.
    All,
}

impl Jobs {
    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing is left half-done between two steps that hold it.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more file of an account may wait.
    ///
    /// # Errors
    /// When not.
    pub fn room(&self, owner: &str, now_us: i64) -> Result<(), Full> {
        self.sweep(now_us);
        let held = self.held();
        let waiting = held.jobs.values().filter(|job| job.file.is_some());
        let (mut own, mut all) = (0, 0);
        for job in waiting {
            all += 1;
            own += usize::from(job.owner == owner);
        }
        match (own >= MOST_OF_ONE, all >= MOST) {
            (true, _) => Err(Full::Own(MOST_OF_ONE)),
            (_, true) => Err(Full::All),
            _ => Ok(()),
        }
    }

    /// Takes a file, and tries it.
    pub fn take(&self, job: Job) {
        let id = job.id.clone();
        self.held().jobs.insert(id.clone(), job);
        self.ask(&id, Work::Try);
    }

    /// A job as it stands now.
    pub fn get(&self, id: &str, now_us: i64) -> Option<Job> {
        self.sweep(now_us);
        let mut held = self.held();
        let ahead = held.queue.iter().position(|(queued, _)| queued == id);
        let job = held.jobs.get_mut(id)?;
        job.used_us = now_us;
        if let (Stage::Waiting(_, before), Some(ahead)) = (&mut job.stage, ahead) {
            *before = ahead;
        }
        Some(job.clone())
    }

    /// The jobs of an account, the newest first.
    pub fn of(&self, owner: &str, now_us: i64) -> Vec<Job> {
        self.sweep(now_us);
        let held = self.held();
        let mut own: Vec<Job> =
            held.jobs.values().filter(|job| job.owner == owner).cloned().collect();
        own.sort_by(|one, other| (other.handed_us, &other.id).cmp(&(one.handed_us, &one.id)));
        own
    }

    /// Tries a file again in another way; false when it is at work or gone.
    pub fn again(&self, id: &str, wish: Wish) -> bool {
        let changed = {
            let mut held = self.held();
            let job = held.jobs.get_mut(id).filter(|job| !job.stage.is_busy());
            let job = job.filter(|job| job.file.is_some());
            job.map(|job| job.wish = wish).is_some()
        };
        changed && self.ask(id, Work::Try)
    }

    /// Keeps what was seen of a file when a mapping was to be made.
    pub fn keep_sample(&self, id: &str, sample: &Arc<Sample>) {
        if let Some(job) = self.held().jobs.get_mut(id) {
            job.sample = Some(Arc::clone(sample));
        }
    }

    /// Has a file brought in for somebody whose rights were asked; false as with [`Jobs::ask`].
    pub fn bring(&self, id: &str, principal: Principal) -> bool {
        if let Some(job) = self.held().jobs.get_mut(id).filter(|job| !job.stage.is_busy()) {
            job.principal = principal;
        }
        self.ask(id, Work::Bring)
    }

    /// Queues work; false when the file is at work or gone, or not tried before it is brought in.
    pub fn ask(&self, id: &str, work: Work) -> bool {
        let mut held = self.held();
        let before = held.queue.len();
        let Some(job) = held.jobs.get_mut(id) else { return false };
        let ready = !job.stage.is_busy() && job.file.is_some();
        if !ready || (work == Work::Bring && job.tried.is_none()) {
            return false;
        }
        job.stage = Stage::Waiting(work, before);
        held.queue.push_back((id.to_owned(), work));
        drop(held);
        self.wake.notify_all();
        true
    }

    /// Gives a file up; false while it is at work.
    pub fn discard(&self, id: &str) -> bool {
        let mut held = self.held();
        let busy = held.jobs.get(id).is_none_or(|job| matches!(job.stage, Stage::Running(..)));
        if busy {
            return false;
        }
        held.queue.retain(|(queued, _)| queued != id);
        held.jobs.remove(id).is_some()
    }

    /// Gives up what nobody asked about for long.
    pub fn sweep(&self, now_us: i64) {
        let old = |job: &Job| now_us.saturating_sub(job.used_us.max(job.handed_us)) > PATIENCE_US;
        self.held().jobs.retain(|_, job| job.stage.is_busy() || !old(job));
    }

    /// Starts the thread that works.
    pub fn start(self: &Arc<Self>, server: &Weak<Server>) {
        let (jobs, server) = (Arc::clone(self), Weak::clone(server));
        let made = thread::Builder::new().name("imports".to_owned());
        let made = made.spawn(move || jobs.work(&server));
        *self.worker.lock().unwrap_or_else(PoisonError::into_inner) = made.ok();
    }

    /// Tells the thread to end, and waits for nothing.
    pub fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake.notify_all();
    }

    /// Ends the thread: what waits is forgotten, a trial ends at once, and an import is waited for a while.
    pub fn finish(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.held().queue.clear();
        self.wake.notify_all();
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(worker) = worker else { return };
        let mut glances = FAREWELL.as_millis() / GLANCE.as_millis();
        while !worker.is_finished() && glances > 0 {
            thread::sleep(GLANCE);
            glances -= 1;
        }
        let ended = worker.is_finished();
        if ended {
            // A panic of the worker was told to its job.
            let _ = worker.join();
        }
        // What was handed in lies here unencrypted: it does not outlive the process.
        for job in std::mem::take(&mut self.held().jobs).into_values() {
            if let (Some(file), false) = (&job.file, ended) {
                // What cannot be removed now goes with the next process that writes.
                let _ = file.take_away();
            }
        }
    }

    /// Whether the server is to end.
    pub fn is_ending(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The next piece of work; none when the server ends.
    fn next(&self, server: &Weak<Server>) -> Option<(Job, Work)> {
        let mut held = self.held();
        loop {
            if self.is_ending() {
                return None;
            }
            if let Some((id, work)) = held.queue.pop_front() {
                let Some(job) = held.jobs.get_mut(&id) else { continue };
                job.stage = Stage::Running(work, Progress::default());
                return Some((job.clone(), work));
            }
            let waited = self.wake.wait_timeout(held, SWEEP);
            let (again, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            held = again;
            if timeout.timed_out() {
                drop(held);
                let now_us = (server.upgrade()?.ports.now_us)();
                self.sweep(now_us);
                held = self.held();
            }
        }
    }

    fn work(&self, server: &Weak<Server>) {
        while let Some((job, work)) = self.next(server) {
            let Some(server) = server.upgrade() else { return };
            let done = catch_unwind(AssertUnwindSafe(|| match work {
                Work::Try => work::attempt(&server, self, &job)
                    .map(|tried| (Some(Arc::new(tried)), Stage::Tried)),
                Work::Bring => work::bring(&server, self, &job)
                    .map(|brought| (job.tried.clone(), Stage::Brought(Arc::new(brought)))),
            }));
            let broken = || Failure {
                what: "It did not work. Whoever runs this server finds the cause in its log."
                    .into(),
                cause: Some("the worker ended early".to_owned()),
                ..Failure::default()
            };
            let done = done.unwrap_or_else(|_| Err(broken()));
            if let Err(Failure { cause: Some(cause), .. }) = &done {
                (server.ports.log)(cause);
            }
            let mut held = self.held();
            let Some(job) = held.jobs.get_mut(&job.id) else { continue };
            match done {
                Ok((tried, stage)) => {
                    if matches!(stage, Stage::Brought(_)) {
                        // The store keeps its own, encrypted.
                        job.file = None;
                        job.sample = None;
                    }
                    (job.tried, job.stage) = (tried, stage);
                }
                Err(failure) => {
                    if work == Work::Try {
                        job.tried = None;
                    }
                    job.stage = Stage::Failed(failure);
                }
            }
            job.used_us = (server.ports.now_us)();
            let ready = job.tried.as_ref().is_some_and(|tried| tried.open.is_empty());
            if ready && job.at_once && matches!(job.stage, Stage::Tried) {
                job.stage = Stage::Waiting(Work::Bring, 0);
                let id = job.id.clone();
                held.queue.push_back((id, Work::Bring));
            }
        }
    }

    /// Notes how far a job has come.
    fn at(&self, id: &str, work: Work, progress: Progress) {
        if let Some(job) = self.held().jobs.get_mut(id) {
            job.stage = Stage::Running(work, progress);
        }
    }
}
