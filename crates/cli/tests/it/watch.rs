//! The watched folder: what arrives goes in and out of the way, and nothing is ever lost.

use std::{fs, path::Path, process::Stdio, time::Duration};

use serde_json::Value;

use crate::{
    sandbox::{Run, Sandbox, number, text},
    small::{EVENTS, ORDER, hand_in, imported},
};

/// Takes what lies in `inbox` now.
fn once(sandbox: &Sandbox, more: &[&str]) -> Run {
    let args = ["watch", "inbox", "--once", "--settle", "0", "--format", "json"];
    sandbox.ws(&[&args[..], more].concat())
}

/// The lines of JSON of a run.
fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// File, outcome and new place of each line.
fn told(out: &str) -> Vec<[String; 3]> {
    let word = |line: &Value, key: &str| line[key].as_str().unwrap_or("-").to_owned();
    lines(out)
        .iter()
        .map(|line| ["file", "outcome", "moved_to"].map(|key| word(line, key)))
        .collect()
}

/// Names in a folder, sorted; our lock is left out.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

fn events(sandbox: &Sandbox) -> i64 {
    let run = sandbox.ws(&["query", "SELECT count(*) AS n FROM case_event", "--format", "json"]);
    number(&run.json()[0], "n")
}

#[test]
fn what_arrives_is_imported_or_refused_and_moved_with_a_report() {
    let sandbox = Sandbox::with_workspace();
    hand_in(&sandbox);
    fs::rename(sandbox.path("handed-in"), sandbox.path("inbox")).unwrap();
    sandbox.write("inbox/unknown.csv", "Ticket,Wer\n1,2\n");
    sandbox.write("inbox/half.csv.part", "never looked at");
    let out = once(&sandbox, &["--strict"]).code(3);
    let order: Vec<String> = ORDER
        .lines()
        .filter_map(|line| line.strip_prefix("file = "))
        .map(|name| name.trim_matches('"').to_owned())
        .collect();
    let mut expected: Vec<[String; 3]> = order
        .iter()
        .map(|name| [name.clone(), "imported".to_owned(), format!("imported/{name}")])
        .collect();
    expected.push(["unknown.csv", "refused", "refused/unknown.csv"].map(str::to_owned));
    assert_eq!(told(&out), expected, "in the order of imports.toml, then the rest");
    assert_eq!(number(&lines(&out)[7]["import"], "accepted"), 8);
    assert_eq!(
        names(&sandbox.path("inbox")),
        ["half.csv.part", "imported", "imports.toml", "refused"]
    );
    assert_eq!(names(&sandbox.path("inbox/refused")), ["unknown.csv", "unknown.csv.backstay.txt"]);
    let note = |name: &str| fs::read_to_string(sandbox.path(&format!("inbox/{name}"))).unwrap();
    let refused = note("refused/unknown.csv.backstay.txt");
    assert!(refused.contains("error: the header is that of no table"), "{refused}");
    assert!(refused.contains("Nothing of this file was taken in."), "{refused}");
    let taken = note("imported/case_event.csv.backstay.txt");
    assert!(taken.contains("case_event.csv") && taken.contains("8"), "{taken}");
    assert_eq!(events(&sandbox), 8);
    // What nobody agreed on is not effective, and --strict says so.
    sandbox.ws(&["assess", "--period", "2026-03", "--strict"]).code(3);
    assert_eq!(once(&sandbox, &["--strict"]).ok(), "", "nothing is left to do");
}

#[test]
fn the_same_file_again_is_harmless_and_keeps_both_copies() {
    let sandbox = imported();
    sandbox.write("inbox/case_event.csv", EVENTS);
    let first = once(&sandbox, &["--as", "case_event"]).ok();
    sandbox.write("inbox/case_event.csv", EVENTS);
    let second = once(&sandbox, &["--as", "case_event"]).ok();
    assert_eq!(told(&first), [["case_event.csv", "known", "imported/case_event.csv"]]);
    assert_eq!(told(&second), [["case_event.csv", "known", "imported/case_event-2.csv"]]);
    assert_eq!(events(&sandbox), 8);
}

#[test]
fn a_run_that_died_between_import_and_move_is_taken_up_where_it_was() {
    let sandbox = imported();
    let changed = EVENTS.replace("2026-03-10T11:00", "2026-03-10T11:30");
    sandbox.write("inbox/events.csv", &changed);
    // As if the process had died after the import and after the report, before the move.
    sandbox.ws(&["import", "inbox/events.csv", "--as", "case_event"]).ok();
    sandbox.write("inbox/imported/events.csv.backstay.txt", "of the run that died");
    let out = once(&sandbox, &["--as", "case_event"]).ok();
    assert_eq!(told(&out), [["events.csv", "known", "imported/events.csv"]]);
    assert_eq!(names(&sandbox.path("inbox")), ["imported"]);
    let note = fs::read_to_string(sandbox.path("inbox/imported/events.csv.backstay.txt")).unwrap();
    assert!(note.starts_with("backstay: events.csv known"), "{note}");
}

#[test]
fn rules_with_patterns_reach_into_folders_and_options_serve_the_rest() {
    let sandbox = imported();
    let naive = EVENTS.replace("+05:30", "").replace("claims,", "").replace("arrangement_id,", "");
    // The events of another month: other ids, other cases.
    let of_month = |month: &str| {
        naive
            .replace("2026-03", &format!("2026-{month}"))
            .replace("\ne", &format!("\n{month}-"))
            .replace(",C-", &format!(",C{month}-"))
    };
    sandbox.write("inbox/logs/events-04.csv", of_month("04"));
    sandbox.write("inbox/other/events-05.csv", "no rule reaches this folder");
    sandbox.write("inbox/loose.csv", of_month("05"));
    sandbox.write(
        "inbox/imports.toml",
        "[[import]]\nfile = \"logs/events-*.csv\"\nas = \"case_event\"\nzone = \"Asia/Kolkata\"\n\
         set = { arrangement_id = \"claims\" }\n",
    );
    let rest = ["--as", "case_event", "--zone", "Asia/Kolkata", "--arrangement", "claims"];
    let out = once(&sandbox, &rest).ok();
    assert_eq!(
        told(&out),
        [
            ["logs/events-04.csv", "imported", "imported/logs/events-04.csv"],
            ["loose.csv", "imported", "imported/loose.csv"],
        ]
    );
    assert!(sandbox.path("inbox/other/events-05.csv").is_file());
    assert!(sandbox.path("inbox/imported/logs/events-04.csv.backstay.txt").is_file());
    let at = "SELECT count(*) AS n FROM case_event WHERE occurred_at >= TIMESTAMP '2026-04-01 00:00:00Z'";
    let at = sandbox.ws(&["query", at, "--format", "json"]).json();
    assert_eq!(number(&at[0], "n"), 16);
    // A rule elsewhere takes the place of the one in the folder.
    sandbox.write("inbox/late.csv", of_month("06"));
    sandbox.write("rules/mine.toml", "[[import]]\nfile = \"late.csv\"\nas = \"site\"\n");
    let out = once(&sandbox, &["--rules", "rules/mine.toml"]).ok();
    assert_eq!(told(&out), [["late.csv", "refused", "refused/late.csv"]]);
    assert!(text(&lines(&out)[0]["error"], "message").contains("table `site`"), "{out}");
}

#[test]
fn a_watch_that_cannot_begin_says_why() {
    let sandbox = imported();
    sandbox.write("inbox/imports.toml", "[[import]]\nfile = \"../x\"\nas = \"site\"\n");
    sandbox.write("wrong/imports.toml", "[[import]]\nname = \"x\"\n");
    for (args, code, part) in [
        (&["watch", "nowhere", "--once"][..], 1, "there is no such file or folder"),
        (&["watch", "ws", "--once"], 2, "`ws` is the workspace itself, or lies in it"),
        (&["watch", "inbox", "--once"], 1, "`../x` of inbox/imports.toml leaves the folder"),
        (&["watch", "wrong", "--once"], 1, "`wrong/imports.toml` cannot be understood"),
        (&["watch", "handed-in/site.csv", "--once"], 1, "it is not a folder"),
        (&["watch", "handed-in", "--once", "--zone", "Dublin"], 2, "`Dublin` is not a time zone"),
        (&["watch", "handed-in", "--strict"], 2, "--once"),
        (&["watch", "handed-in", "--once", "--rules", "no.toml"], 1, "`no.toml` cannot be read"),
    ] {
        let said = sandbox.ws(args).fails(code);
        assert!(said.contains(part), "{args:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_passed_over_and_ctrl_c_ends_cleanly() {
    use std::{io::Read as _, os::unix::fs::symlink};

    let sandbox = imported();
    sandbox.write("inbox/case_event.csv", EVENTS);
    sandbox.write("outside.csv", "secret");
    symlink(sandbox.path("outside.csv"), sandbox.path("inbox/link.csv")).unwrap();
    let mut child =
        sandbox.spawn(&["watch", "inbox", "--settle", "0", "--every", "1", "--as", "case_event"]);
    let done = sandbox.path("inbox/imported/case_event.csv");
    for _ in 0..600 {
        if done.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(done.exists(), "the file was taken while the watch ran");
    // A second watch of the same folder is refused while the first one runs.
    let second = sandbox.ws(&["watch", "inbox", "--once"]).fails(1);
    assert!(second.contains("is watched by another process already"), "{second}");
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(kill.success());
    assert!(child.wait().unwrap().success(), "Ctrl-C is no failure");
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(out.contains("known     case_event.csv → imported/case_event.csv: entry 9"), "{out}");
    assert!(err.contains("ended; what was not taken yet stays in the folder"), "{err}");
    assert_eq!(fs::read_to_string(sandbox.path("outside.csv")).unwrap(), "secret");
    assert_eq!(names(&sandbox.path("inbox")), ["imported", "link.csv"]);
    sandbox.ws(&["verify"]).ok();
}
