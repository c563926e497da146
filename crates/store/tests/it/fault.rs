//! Every fault point of the store, broken in every way, for every kind of work: afterwards the
//! workspace verifies, has the entries it had or one more, and doing the work again ends where an
//! undisturbed run ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use backstay_access::{Grant, Scope};
use backstay_evidence::{ImportOptions, manifest::RetractTarget};
use backstay_ledger::{FolderSource, verify_bundle};
use backstay_store::fault::{Mode, Point, Step, Watch};
use backstay_store::{
    AsOf, BackupOptions, CompactOptions, Ctx, Edit, ImportRequest, InitOptions, Limits, NewAccount,
    NewAssessment, RowEdit, StoreError, VerifyOptions, Workspace, restore,
};

use crate::import::events;
use crate::support::{Fact, Home, Random, as_table, fold};

type Outcome = Result<(), StoreError>;

/// A kind of work, done on the workspace `w` of a folder.
struct Job {
    name: &'static str,
    work: fn(&Path) -> Outcome,
    /// Entries that it adds to `w`.
    entries: u64,
}

const JOBS: [Job; 15] = [
    Job { name: "import", work: import_events, entries: 1 },
    Job { name: "handed in", work: hand_in, entries: 1 },
    Job { name: "register", work: import_sites, entries: 1 },
    Job { name: "reread", work: reread, entries: 1 },
    Job { name: "retract", work: retract, entries: 1 },
    Job { name: "erase", work: erase, entries: 1 },
    Job { name: "assessment", work: assessment, entries: 1 },
    Job { name: "edit", work: edit, entries: 1 },
    Job { name: "account", work: account, entries: 1 },
    Job { name: "compact", work: compact, entries: 0 },
    Job { name: "sweep", work: sweep, entries: 0 },
    Job { name: "init", work: init, entries: 0 },
    Job { name: "backup", work: backup, entries: 0 },
    Job { name: "restore", work: restore_backup, entries: 0 },
    Job { name: "bundle", work: bundle, entries: 0 },
];

fn in_context<T>(seed: u64, work: impl FnOnce(&mut Ctx<'_>) -> T) -> T {
    let mut random = Random(seed);
    let mut fill = |bytes: &mut [u8]| random.fill(bytes);
    let now_us = crate::support::START_US + 3_600_000_000;
    work(&mut Ctx { now_us, actor: "a-1", random: &mut fill })
}

/// The workspace, with so little memory that an import spills.
fn open(root: &Path) -> Result<Workspace, StoreError> {
    let workspace = Workspace::open(&root.join("w"))?;
    Ok(workspace.with_limits(Limits { row_bytes: 512, compared_rows: 3, ..Limits::default() }))
}

fn import(root: &Path, file: &str, table: &str) -> Outcome {
    let workspace = open(root)?;
    in_context(91, |ctx| {
        workspace.import(&root.join(file), &as_table(table), ctx, &mut |_| {}).map(|_| ())
    })
}

fn import_events(root: &Path) -> Outcome {
    import(root, "new.csv", "case_event")
}

/// As it comes over a connection: piece by piece, then brought in under the sender's name.
fn hand_in(root: &Path) -> Outcome {
    let workspace = open(root)?;
    let mut file = workspace.hand_in()?;
    let bytes = std::fs::read(root.join("new.csv")).unwrap();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.push(first)?;
    file.push(second)?;
    let file = file.finish()?;
    in_context(91, |ctx| {
        let request = as_table("case_event");
        workspace.import_as(file.path(), "new.csv", &request, ctx, &mut |_| {}).map(|_| ())
    })
}

fn import_sites(root: &Path) -> Outcome {
    import(root, "sites.csv", "site")
}

fn reread(root: &Path) -> Outcome {
    let options = ImportOptions {
        as_table: Some("case_event".to_owned()),
        set: [("lifecycle".to_owned(), "complete".to_owned())].into(),
        ..ImportOptions::default()
    };
    let request = ImportRequest { options, ..ImportRequest::default() };
    let workspace = open(root)?;
    in_context(92, |ctx| workspace.reread(2, &request, ctx, &mut |_| {}).map(|_| ()))
}

fn retract(root: &Path) -> Outcome {
    let workspace = open(root)?;
    let target = RetractTarget::Record(2, 1);
    let done = in_context(93, |ctx| workspace.retract(&target, "a test case", ctx));
    match done {
        Err(StoreError::AlreadyRetracted { .. }) => Ok(()),
        other => other.map(|_| ()),
    }
}

fn erase(root: &Path) -> Outcome {
    let workspace = open(root)?;
    match in_context(94, |ctx| workspace.erase_source(2, "asked for", ctx)) {
        Err(StoreError::Erased { .. }) => Ok(()),
        other => other.map(|_| ()),
    }
}

fn assessment(root: &Path) -> Outcome {
    let workspace = open(root)?;
    let files = [("catalogue/one.md".to_owned(), b"a control".to_vec())];
    let new = NewAssessment {
        basis: br#"{"period":"2026-03"}"#,
        result: b"the result",
        files: &files,
        arrangements: &[],
    };
    in_context(95, |ctx| workspace.append_assessment(new, ctx).map(|_| ()))
}

/// Two rows by hand, after which the tail is long enough to be cut into an object.
fn edit(root: &Path) -> Outcome {
    let row = |id: &str, name: &str| RowEdit {
        table: "site".to_owned(),
        values: [("site_id", id), ("name", name), ("time_zone", "Asia/Manila")]
            .map(|(column, value)| (column.to_owned(), value.to_owned()))
            .into(),
        delete: false,
        expect: None,
    };
    let rows = vec![row("manila", "Metro Manila"), row("cebu", "Cebu")];
    let edit = Edit { rows, reason: "a test case".into(), options: ImportOptions::default() };
    let workspace = open(root)?.with_limits(Limits { tail_rows: 1, ..Limits::default() });
    in_context(96, |ctx| workspace.edit(&[edit], ctx).map(|_| ()))
}

fn account(root: &Path) -> Outcome {
    let new = NewAccount {
        email: "ana@example.com".into(),
        name: "Ana".into(),
        provider: None,
        grants: vec!["executive".parse().map(|role| Grant::new(role, Scope::All)).unwrap()],
        reason: String::new(),
    };
    let workspace = open(root)?;
    match in_context(97, |ctx| workspace.accounts().add(&new, ctx)) {
        Err(StoreError::EmailTaken(_)) => Ok(()),
        other => other.map(|_| ()),
    }
}

fn compact(root: &Path) -> Outcome {
    let options = CompactOptions { prune: true, least: 2, ..CompactOptions::default() };
    open(root)?.compact(options).map(|_| ())
}

fn sweep(root: &Path) -> Outcome {
    let report = open(root)?.verify(VerifyOptions { sweep: true }, &mut |_| {})?;
    assert!(report.holds(), "{:#?}", report.problems);
    Ok(())
}

/// Does work that fills a new folder; what an interrupted run left there must be named as such.
fn anew(folder: &Path, work: impl Fn() -> Outcome) -> Outcome {
    match work() {
        Err(StoreError::Unfinished(named)) => {
            assert_eq!(named, folder);
            std::fs::remove_dir_all(folder).unwrap();
            work()
        }
        Err(StoreError::NotEmpty(_)) => {
            // It was finished, and only said not to be.
            assert!(Workspace::open(folder).is_ok());
            Ok(())
        }
        other => other,
    }
}

fn init(root: &Path) -> Outcome {
    let folder = root.join("made");
    anew(&folder, || {
        let options = InitOptions { now_us: 5, actor: "a".into(), random: [7; 144] };
        Workspace::init(&folder, options).map(|_| ())
    })
}

fn backup(root: &Path) -> Outcome {
    let folder = root.join("made");
    anew(&folder, || open(root)?.backup(&folder, BackupOptions::default()).map(|_| ()))
}

fn restore_backup(root: &Path) -> Outcome {
    let folder = root.join("made");
    anew(&folder, || restore(&root.join("backup"), &folder).map(|_| ()))
}

fn bundle(root: &Path) -> Outcome {
    let folder = root.join("bundle");
    if folder.exists() && verify_bundle(&FolderSource::new(&folder), &Default::default()).is_err() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    match open(root)?.bundle(&folder) {
        Err(StoreError::NotEmpty(_)) => Ok(()),
        other => other.map(|_| ()),
    }
}

/// What there is to be seen when the work is done.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    entries: u64,
    evidence: String,
    rows: Vec<Fact>,
    made: Option<(u64, String)>,
}

fn seen(root: &Path) -> Seen {
    let workspace = open(root).unwrap();
    let made = root.join("made");
    let of = |workspace: &Workspace| {
        let manifest = workspace.manifest(AsOf::Latest, &[]).unwrap();
        (manifest.as_of_seq, manifest.evidence_digest.to_string())
    };
    let (entries, evidence) = of(&workspace);
    let mut rows = Vec::new();
    for table in ["case_event", "site", "quarantine"] {
        rows.extend(fold(&workspace, AsOf::Latest, table));
    }
    let made = made.join("workspace.toml").is_file().then(|| {
        let made = Workspace::open(&made).unwrap();
        assert!(made.verify(VerifyOptions::default(), &mut |_| {}).unwrap().holds());
        of(&made)
    });
    Seen { entries, evidence, rows, made }
}

fn must_hold(root: &Path, about: &str) -> u64 {
    let report = open(root).unwrap().verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    assert!(report.holds(), "{about}: {:#?}", report.problems);
    report.entries
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A folder with a workspace that has lived, files to import, a backup and left-overs.
fn template() -> Home {
    let mut home = Home::new();
    home.import("a.csv", "case_event", &events(&[("c1", "New", 1), ("c2", "New", 2)]));
    home.import("s.csv", "site", "site_id,name,time_zone\nmanila,Manila,Asia/Manila\n");
    home.import("t.csv", "site", "site_id,name,time_zone\ngoa,Goa,Asia/Kolkata\n");
    let root = home.folder.path().to_owned();
    home.workspace.backup(&root.join("backup"), BackupOptions::default()).unwrap();
    let mut new =
        events(&[("c1", "New", 1), ("c3", "New", 3), ("c4", "Done", 4), ("c5", "New", 5)]);
    new += "desk,c6,New,not an instant\n";
    std::fs::write(root.join("new.csv"), new).unwrap();
    let sites = "site_id,name,time_zone\nmanila,Metro Manila,Asia/Manila\ncebu,Cebu,Asia/Manila\n";
    std::fs::write(root.join("sites.csv"), sites).unwrap();
    let objects = root.join("w").join("objects").join("00");
    std::fs::create_dir_all(&objects).unwrap();
    std::fs::write(objects.join("0".repeat(62)), b"named by no entry").unwrap();
    std::fs::create_dir(root.join("w").join("tmp").join("run-dead")).unwrap();
    std::fs::write(root.join("w").join("tmp").join("run-dead").join("spill"), b"x").unwrap();
    home
}

/// A folder in memory where there is such a thing: what a sync is worth is modelled by the fault
/// points, and thousands of real ones take minutes.
pub fn memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// A fresh copy of the template.
fn fresh(template: &Path) -> tempfile::TempDir {
    let folder = memory();
    copy(template, folder.path());
    folder
}

const CHILD: &str = "BACKSTAY_TEST_FAULT";

/// Runs a job in a process of its own, which a fault ends; whether it came to the fault.
fn in_child(job: usize, root: &Path, at: usize, mode: Mode) -> bool {
    let word = match mode {
        Mode::End => "end",
        Mode::EndHalf => "half",
        Mode::PowerCut => "power",
        other => panic!("{other:?} ends no process"),
    };
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fault::the_process_that_a_fault_ends", "--ignored", "--quiet"])
        .env(CHILD, format!("{job} {at} {word} {}", root.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    // A source's key is random, and with it the number of pieces that it is written in.
    let code = status.code();
    assert!(matches!(code, Some(0 | 86)), "{} at {at}: {mode:?}: {status}", JOBS[job].name);
    code == Some(86)
}

#[test]
#[ignore = "run by the tests of this file, in a process of its own"]
fn the_process_that_a_fault_ends() {
    let asked = std::env::var(CHILD).expect("only another test starts this one");
    let mut words = asked.splitn(4, ' ');
    let job: usize = words.next().unwrap().parse().unwrap();
    let at: usize = words.next().unwrap().parse().unwrap();
    let mode = match words.next().unwrap() {
        "end" => Mode::End,
        "half" => Mode::EndHalf,
        _ => Mode::PowerCut,
    };
    let root = PathBuf::from(words.next().unwrap());
    let _watch = Watch::new(&root, &[(at, mode)]);
    (JOBS[job].work)(&root).unwrap();
}

/// A job, the way it goes when nothing disturbs it, and the points on that way.
struct Trial {
    job: usize,
    template: PathBuf,
    before: u64,
    undisturbed: Seen,
    points: Vec<Point>,
}

impl Trial {
    fn of(job: usize, template: &Path) -> Self {
        let folder = fresh(template);
        let before = open(folder.path()).unwrap().backend().head().unwrap().size;
        let watch = Watch::new(folder.path(), &[]);
        (JOBS[job].work)(folder.path()).unwrap();
        let points = watch.points();
        // What was said to be done outlives a power cut.
        watch.cut_power();
        drop(watch);
        must_hold(folder.path(), JOBS[job].name);
        let undisturbed = seen(folder.path());
        assert_eq!(undisturbed.entries, before + JOBS[job].entries, "{}", JOBS[job].name);
        Self { job, template: template.to_owned(), before, undisturbed, points }
    }

    /// Breaks these points in these ways, one after the other, then does the work undisturbed; how
    /// many of the faults came about.
    fn broken(&self, faults: &[(usize, Mode)]) -> usize {
        let mut reached = 0;
        let job = &JOBS[self.job];
        let about = || {
            let named =
                faults.iter().map(|(at, mode)| format!("{mode:?} at {:?}", self.points.get(*at)));
            format!("{}: {}", job.name, named.collect::<Vec<_>>().join(", then "))
        };
        let folder = fresh(&self.template);
        let root = folder.path();
        for (at, mode) in faults {
            if matches!(mode, Mode::End | Mode::EndHalf | Mode::PowerCut) {
                reached += usize::from(in_child(self.job, root, *at, *mode));
            } else {
                let watch = Watch::new(root, &[(*at, *mode)]);
                let outcome = (job.work)(root);
                let points = watch.points();
                let came = points.len() > *at;
                drop(watch);
                // Only the witness beside the ledger may fail without a word.
                let silent = points.get(*at).is_some_and(|p| p.path.ends_with("newest.checkpoint"));
                assert_eq!(outcome.is_err(), came && !silent, "{}: who was told what?", about());
                reached += usize::from(came);
                if let Err(error) = outcome {
                    let words = error.to_string();
                    assert!(
                        words.contains("a fault that the test asked for"),
                        "{}: {words}",
                        about()
                    );
                }
            }
            let entries = must_hold(root, &about());
            let end = self.before + job.entries;
            assert!(entries == self.before || entries == end, "{}: {entries}", about());
        }
        let again = (job.work)(root);
        assert!(again.is_ok(), "{}: {:?}", about(), again);
        if job.entries > 0 {
            must_hold(root, &about());
        }
        assert_eq!(seen(root), self.undisturbed, "{}", about());
        reached
    }
}

/// Every way to break a point of a kind.
fn modes(step: Step) -> Vec<Mode> {
    let mut modes = vec![Mode::FailBefore, Mode::FailAfter, Mode::End];
    match step {
        // Inside a transaction nothing of ours waits to be synced.
        Step::Statement => {}
        Step::Write => modes.extend([Mode::PowerCut, Mode::FailHalf, Mode::EndHalf]),
        _ => modes.push(Mode::PowerCut),
    }
    modes
}

/// All points of these jobs, all ways.
fn broken_everywhere(jobs: &[&str]) {
    let template = template();
    for (job, it) in JOBS.iter().enumerate().filter(|(_, job)| jobs.contains(&job.name)) {
        let trial = Trial::of(job, template.folder.path());
        let (mut faults, mut reached) = (0, 0);
        for (at, point) in trial.points.iter().enumerate() {
            for mode in modes(point.step) {
                reached += trial.broken(&[(at, mode)]);
                faults += 1;
            }
        }
        // Which thread of an import comes to a point first is the machine's to say: a fault named by its
        // place may miss its turn, on a busy machine one in twenty.
        assert!(reached * 100 >= faults * 85, "{}: {reached} of {faults} came about", it.name);
    }
}

#[test]
fn a_second_fault_while_recovering_from_the_first_changes_nothing_about_that() {
    let template = template();
    let mut random = Random(0x5eed);
    let mut below = |limit: usize| {
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % limit as u64).unwrap()
    };
    let ways = [Mode::FailBefore, Mode::FailAfter, Mode::FailHalf, Mode::End, Mode::PowerCut];
    for name in ["import", "reread", "backup", "restore"] {
        let job = JOBS.iter().position(|job| job.name == name).unwrap();
        let trial = Trial::of(job, template.folder.path());
        for _ in 0..12 {
            let mut pick = || (below(trial.points.len()), ways[below(ways.len())]);
            trial.broken(&[pick(), pick()]);
        }
    }
}

#[test]
fn an_import_broken_anywhere_is_there_whole_or_not_at_all() {
    broken_everywhere(&["import"]);
}

#[test]
fn other_work_broken_anywhere_is_there_whole_or_not_at_all() {
    broken_everywhere(&[
        "register",
        "reread",
        "retract",
        "erase",
        "assessment",
        "account",
        "sweep",
    ]);
}

#[test]
fn an_edit_or_a_compaction_broken_anywhere_is_there_whole_or_not_at_all() {
    broken_everywhere(&["edit", "compact"]);
}

#[test]
fn a_copy_broken_anywhere_is_whole_or_no_workspace() {
    broken_everywhere(&["init", "backup", "restore", "bundle"]);
}
