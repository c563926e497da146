//! The real process killed (SIGKILL) at random moments of an import of a real log, 200 times: each
//! time the workspace verifies and has the entries that it had or one more, and in the end it holds
//! what an undisturbed run holds.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use backstay_store::{AsOf, VerifyOptions, Workspace};

use crate::sandbox::{Sandbox, data};

/// Kills in one workspace; then a new one, so that verifying it stays quick.
const KILLS: usize = 25;
/// Workspaces.
const ROUNDS: u64 = 8;
/// Records of a file.
const RECORDS: usize = 150;
/// Files at hand: more than are ever imported in a round.
const FILES: usize = 60;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The first records of the incident log, as files of equal size.
fn slices(sandbox: &Sandbox) {
    let packed =
        std::fs::File::open(data("work-logs/servicenow_incident_event_log.csv.gz")).unwrap();
    let mut lines =
        BufReader::new(flate2::read::GzDecoder::new(packed)).lines().map(Result::unwrap);
    let header = lines.next().unwrap();
    for n in 0..FILES {
        let mut text = format!("{header}\n");
        for line in lines.by_ref().take(RECORDS) {
            writeln!(text, "{line}").unwrap();
        }
        sandbox.write(&format!("slice-{n}.csv"), text);
    }
}

fn import(sandbox: &Sandbox, workspace: &str, n: usize) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backstay"));
    command
        .current_dir(sandbox.path(""))
        .args(["-w", workspace, "import", &format!("slice-{n}.csv")])
        .args(["--mapping", "servicenow-incident", "--zone", "Etc/UTC"])
        .args(["--set", "arrangement_id=desk"])
        .env("BACKSTAY_ACTOR", "tester")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Entries, evidence digest and rows by table.
fn state(dir: &Path) -> (u64, String, Vec<(String, u64)>) {
    let workspace = Workspace::open(dir).unwrap();
    let manifest = workspace.manifest(AsOf::Latest, &[]).unwrap();
    let mut rows = std::collections::BTreeMap::new();
    for segment in &manifest.segments {
        *rows.entry(segment.table.clone()).or_insert(0) += segment.rows;
    }
    (manifest.as_of_seq, manifest.evidence_digest.to_string(), rows.into_iter().collect())
}

fn must_hold(dir: &Path) {
    let report =
        Workspace::open(dir).unwrap().verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    assert!(report.holds(), "{:#?}", report.problems);
}

/// Folders that dead processes left.
fn left(dir: &Path) -> usize {
    let names = std::fs::read_dir(dir.join("tmp")).unwrap();
    names
        .filter(|name| name.as_ref().unwrap().file_name().to_string_lossy().starts_with("run-"))
        .count()
}

/// One workspace, killed again and again; how many kills came before the commit, and after it.
fn round(sandbox: &Sandbox, name: &str, seed: u64, mut whole: f64) -> (usize, usize) {
    sandbox.run(&["init", name]).ok();
    let dir = sandbox.path(name);
    let mut dice = Dice(seed);
    let (mut before, mut after, mut next) = (0, 0, 0);
    let mut entries = state(&dir).0;
    while before + after < KILLS {
        assert!(next < FILES, "no file is left to import");
        let mut process = import(sandbox, name, next).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(whole * dice.share()));
        process.kill().unwrap();
        let killed = !process.wait().unwrap().success();
        must_hold(&dir);
        let now = state(&dir).0;
        assert!(now == entries || now == entries + 1, "{entries} entries became {now}");
        assert!(killed || now == entries + 1, "it said that it was done");
        match (killed, now == entries) {
            (true, true) => before += 1,
            (true, false) => after += 1,
            // It was quicker than thought.
            (false, _) => whole *= 0.9,
        }
        if killed && now == entries {
            whole *= 1.01;
        }
        next += usize::from(now > entries);
        entries = now;
        assert!(left(&dir) <= 1, "what dead processes leave must not pile up");
    }
    assert!(import(sandbox, name, next).status().unwrap().success());
    assert_eq!(left(&dir), 0);
    must_hold(&dir);
    let calm = format!("{name}-calm");
    sandbox.run(&["init", &calm]).ok();
    for n in 0..=next {
        assert!(import(sandbox, &calm, n).status().unwrap().success());
    }
    assert_eq!(state(&dir), state(&sandbox.path(&calm)));
    (before, after)
}

#[cfg(unix)]
#[test]
fn two_hundred_kills_lose_no_entry_and_leave_no_half_one() {
    let sandbox = Sandbox::new();
    slices(&sandbox);
    sandbox.run(&["init", "measure"]).ok();
    let start = Instant::now();
    assert!(import(&sandbox, "measure", 0).status().unwrap().success());
    let whole = start.elapsed().as_secs_f64();
    let rounds: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let sandbox = &sandbox;
        let lanes = [0, 1].map(|lane| {
            scope.spawn(move || -> Vec<(usize, usize)> {
                let mine = (0..ROUNDS).filter(|n| n % 2 == lane);
                mine.map(|n| round(sandbox, &format!("ws-{n}"), 0x51_6b11 + n, whole)).collect()
            })
        });
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    let (before, after) = rounds.iter().fold((0, 0), |(b, a), round| (b + round.0, a + round.1));
    eprintln!("{before} kills before the commit, {after} after it");
    assert_eq!(before + after, 200);
    assert!(before >= 50, "{before} before the commit, {after} after it");
}
