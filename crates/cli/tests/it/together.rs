//! Several processes on one workspace at once: no entry is lost, nobody sees half of one, and who
//! waits says so.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Output, Stdio},
};

use backstay_store::{VerifyOptions, Workspace};
use serde_json::Value;

use crate::sandbox::{Sandbox, number};

/// Events in each file.
const EVENTS: usize = 40;

fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_backstay"))
        .current_dir(sandbox.path(""))
        .args(["-w", "ws"])
        .args(args)
        .env("BACKSTAY_ACTOR", "tester")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ended(child: Child, about: &str) -> Output {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{about}: {said}");
    output
}

fn log(sandbox: &Sandbox, name: &str) {
    let mut text = "arrangement_id,source,case_id,activity,state,occurred_at\n".to_owned();
    for n in 0..EVENTS {
        writeln!(text, "desk,{name},{name}-{n},New,New,2026-03-02T09:{n:02}:00Z").unwrap();
    }
    sandbox.write(&format!("{name}.csv"), text);
}

fn entries(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.ws(&["log", "--format", "json"]).json()["entries"].as_array().unwrap().clone()
}

fn must_hold(sandbox: &Sandbox) {
    let workspace = Workspace::open(&sandbox.path("ws")).unwrap();
    let report = workspace.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    assert!(report.holds(), "{:#?}", report.problems);
}

#[test]
fn imports_at_once_each_get_a_place_and_readers_see_whole_ones_only() {
    let sandbox = Sandbox::with_workspace();
    let files = ["a", "b", "c", "d"];
    let mut running = Vec::new();
    for name in files {
        log(&sandbox, name);
        let file = format!("{name}.csv");
        running.push(start(&sandbox, &["import", &file, "--as", "case_event", "--format", "json"]));
    }
    let count = "SELECT count(*) AS events FROM case_event";
    let query: &[&str] = &["query", count, "--format", "json"];
    let reading = [query, &["verify"], &["backup", "copy"], query, &["verify"], query];
    let readers = reading.map(|args| start(&sandbox, args));
    for (args, reader) in reading.into_iter().zip(readers) {
        let output = ended(reader, args[0]);
        if args == query {
            let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(number(&rows[0], "events") % EVENTS as i64, 0, "half an import was seen");
        }
    }
    let mut places = Vec::new();
    for (child, name) in running.into_iter().zip(files) {
        let output = ended(child, name);
        let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(number(&outcome, "accepted"), EVENTS as i64);
        places.push(number(&outcome, "entry"));
    }
    places.sort_unstable();
    assert_eq!(places, [2, 3, 4, 5]);
    assert_eq!(entries(&sandbox).len(), 5);
    must_hold(&sandbox);
    let copy = Workspace::open(&sandbox.path("copy")).unwrap();
    assert!(copy.verify(VerifyOptions::default(), &mut |_| {}).unwrap().holds());
}

#[test]
fn one_file_imported_by_three_processes_at_once_is_one_entry() {
    let sandbox = Sandbox::with_workspace();
    log(&sandbox, "a");
    let import = ["import", "a.csv", "--as", "case_event", "--format", "json"];
    let running = [(); 3].map(|()| start(&sandbox, &import));
    let outcomes = running.map(|child| -> Value {
        serde_json::from_slice(&ended(child, "an import").stdout).unwrap()
    });
    let accepted: i64 = outcomes.iter().map(|outcome| number(outcome, "accepted")).sum();
    let known: i64 = outcomes.iter().map(|outcome| number(outcome, "already_known")).sum();
    assert_eq!((accepted, known), (EVENTS as i64, 2 * EVENTS as i64));
    assert_eq!(entries(&sandbox).len(), 2);
    must_hold(&sandbox);
}

#[test]
fn a_process_that_waits_for_another_says_so_and_goes_on() {
    let sandbox = Sandbox::with_workspace();
    log(&sandbox, "a");
    let lock = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(sandbox.path("ws").join("write.lock"))
        .unwrap();
    lock.lock().unwrap();
    let mut child = start(&sandbox, &["import", "a.csv", "--as", "case_event"]);
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    assert_eq!(first, "waiting: another process is writing to this workspace");
    assert!(child.try_wait().unwrap().is_none(), "it must still wait");
    drop(lock);
    assert!(child.wait().unwrap().success());
    assert_eq!(entries(&sandbox).len(), 2);
}
