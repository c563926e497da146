//! What a user is told when something is wrong: the message, what to do, and the exit code.

use std::io::Write as _;

use crate::{
    sandbox::Sandbox,
    small::{EVENTS, hand_in, imported},
};

/// A command that fails: its words, its exit code, the message and the remedy.
struct Wrong<'a> {
    args: &'a [&'a str],
    code: i32,
    error: &'a str,
    help: &'a str,
}

const fn wrong<'a>(args: &'a [&'a str], code: i32, error: &'a str, help: &'a str) -> Wrong<'a> {
    Wrong { args, code, error, help }
}

fn check(sandbox: &Sandbox, all: &[Wrong<'_>]) {
    for wrong in all {
        let said = sandbox.run(wrong.args).fails(wrong.code);
        let mut lines = said.lines();
        assert_eq!(
            lines.next(),
            Some(format!("error: {}", wrong.error).as_str()),
            "{:?}",
            wrong.args
        );
        let help = lines.next().unwrap_or_default();
        let expected =
            if wrong.help.is_empty() { String::new() } else { format!("help: {}", wrong.help) };
        assert!(
            if expected.is_empty() { help.is_empty() } else { help.starts_with(&expected) },
            "{:?}: {help}",
            wrong.args
        );
        assert_eq!(lines.next(), None, "{:?}: {said}", wrong.args);
    }
}

#[test]
fn a_wrong_command_line_says_what_to_write_instead() {
    let sandbox = imported();
    check(
        &sandbox,
        &[
            wrong(
                &["assess"],
                2,
                "no workspace is named, and the current folder is none",
                "name one with `-w DIR` or BACKSTAY_WORKSPACE, or make one with `backstay init DIR`",
            ),
            wrong(
                &["-w", "ws", "assess", "--period", "march"],
                2,
                "`march` is not a period",
                "write a month, `2026-03`",
            ),
            wrong(
                &["-w", "ws", "assess", "--period", "2026-03..2026-05"],
                2,
                "`2026-03..2026-05` is not a period",
                "whether the last of them counts is not clear; to have it counted write `2026-03-01..2026-06-01`",
            ),
            wrong(
                &["-w", "ws", "assess", "--as-of", "yesterday"],
                2,
                "`yesterday` is neither a ledger entry nor an instant",
                "write an entry, `12`, an instant with its offset",
            ),
            wrong(
                &["-w", "ws", "assess", "--arrangement", "payroll"],
                2,
                "no evidence is held of the arrangement `payroll`",
                "evidence is held of `claims`",
            ),
            wrong(
                &["-w", "ws", "trace", "12"],
                2,
                "`12` is not a reference",
                "write `entry:record`",
            ),
            wrong(
                &["-w", "ws", "retract", "x", "--reason", "y"],
                2,
                "`x` is neither a record nor a ledger entry",
                "write a record as reports show it",
            ),
            wrong(
                &["-w", "ws", "import", "handed-in", "--zone", "Etc/UTC"],
                2,
                "`handed-in` is a folder, and a folder says itself how it is read",
                "leave the options on how to read out",
            ),
            wrong(
                &["-w", "ws", "import", "handed-in/site.csv", "--set", "x"],
                2,
                "`--set x` names no column",
                "write `--set column=value`",
            ),
            wrong(
                &["-w", "ws", "import", "handed-in/site.csv", "--zone", "Dublin"],
                2,
                "`Dublin` is not a time zone",
                "write an IANA name",
            ),
            wrong(
                &["-w", "ws", "import", "handed-in/site.csv", "--mapping", "servicenow"],
                2,
                "`servicenow` is neither a mapping of this release nor a file",
                "this release has `holidays-by-date`, `icalendar-holidays`, `servicenow-incident`, `xes`",
            ),
            wrong(
                &["vocabulary", "show", "case_events"],
                2,
                "`case_events` is not a table of the vocabulary",
                "did you mean `case_event`?",
            ),
            wrong(
                &["catalogue", "show", "service-level-met"],
                2,
                "no control, metric or risk has the id `service-level-met`",
                "did you mean `service-levels-met`?",
            ),
        ],
    );
}

#[test]
fn what_cannot_be_done_says_why_and_what_to_do() {
    let sandbox = imported();
    sandbox.write("bare/site.csv", "site_id,time_zone\n");
    sandbox.write("listed/imports.toml", "[[import]]\nfile = \"gone.csv\"\nas = \"site\"\n");
    sandbox
        .write("both/imports.toml", "[[import]]\nfile = \"a\"\nas = \"site\"\nmapping = \"xes\"\n");
    sandbox
        .write("out/imports.toml", "[[import]]\nfile = \"../handed-in/site.csv\"\nas = \"site\"\n");
    sandbox.write("far/imports.toml", "[[import]]\nfile = \"a\"\nmapping = \"/etc/hostname\"\n");
    check(
        &sandbox,
        &[
            wrong(
                &["-w", "ws", "import", "out"],
                1,
                "`../handed-in/site.csv` of out/imports.toml leaves the folder",
                "name files within the folder",
            ),
            wrong(
                &["-w", "ws", "import", "far"],
                1,
                "`/etc/hostname` of far/imports.toml leaves the folder",
                "name files within the folder",
            ),
            wrong(&["init", "ws"], 1, "`ws` is not empty", "name a new or an empty folder"),
            wrong(
                &["-w", "handed-in", "assess"],
                1,
                "`handed-in` is not a workspace: it has no `workspace.toml`",
                "make one with `backstay init`",
            ),
            wrong(
                &["-w", "ws", "import", "nowhere.csv"],
                1,
                "`nowhere.csv` cannot be read: there is no such file or folder",
                "",
            ),
            wrong(
                &["-w", "ws", "import", "bare"],
                1,
                "the folder `bare` has no imports.toml",
                "write one that names its files in order: [[import]]",
            ),
            wrong(
                &["-w", "ws", "import", "listed"],
                1,
                "`gone.csv` of listed/imports.toml is not there",
                "correct its name, or take it out of the list",
            ),
            wrong(
                &["-w", "ws", "import", "both"],
                1,
                "`a` of both/imports.toml has both `as` and `mapping`",
                "`as` is for a file",
            ),
            wrong(
                &["-w", "ws", "replay", "2"],
                1,
                "entry 2 is of kind `import`; expected an assessment",
                "",
            ),
            wrong(&["-w", "ws", "replay", "99"], 1, "there is no entry 99: the ledger has 11", ""),
            wrong(&["-w", "ws", "trace", "99:1"], 1, "there is no entry 99: the ledger has 11", ""),
            wrong(
                &["-w", "ws", "trace", "2:9"],
                1,
                "entry 2 has no record 9: its source has 1",
                "",
            ),
            wrong(
                &["-w", "ws", "retract", "2", "--reason", " "],
                1,
                "a reason is needed",
                "say in a few words why",
            ),
            wrong(
                &["-w", "ws", "explain", "C-99", "--service-level", "entry", "--period", "2026-03"],
                1,
                "nothing is held of case `C-99` in arrangement `claims`",
                "check its spelling, or import its events",
            ),
            wrong(
                &["-w", "ws", "backup", "handed-in"],
                1,
                "`handed-in` is not empty",
                "name a new or an empty folder",
            ),
            wrong(
                &["-w", "ws", "bundle", "handed-in"],
                1,
                "`handed-in` is not empty",
                "name a new or an empty folder",
            ),
        ],
    );
}

#[test]
fn sql_that_would_change_or_hide_something_is_refused() {
    let sandbox = imported();
    for (sql, part) in [
        ("DELETE FROM site", "query: "),
        ("CREATE TABLE x AS SELECT 1", "query: "),
        ("SELECT now()", "query: "),
        ("SELECT random()", "query: "),
        ("SELECT * FROM nowhere", "nowhere"),
        ("SELECT site_id FROM site; SELECT 1", "query: "),
        ("COPY site TO 'x.csv'", "query: "),
    ] {
        let said = sandbox.ws(&["query", sql]).fails(1);
        assert!(said.starts_with("error: ") && said.contains(part), "{sql}: {said}");
        assert!(!sandbox.path("x.csv").exists());
    }
}

#[test]
fn a_file_that_speaks_no_known_words_is_refused_as_a_whole() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("site.csv", "site_id,time_zome\nx,Etc/UTC\n");
    let said = sandbox.ws(&["import", "site.csv", "--as", "site"]).fails(1);
    assert!(said.contains("`time_zome`") && said.contains("`time_zone`"), "{said}");
    sandbox.write("naive.csv", EVENTS.replace("+05:30", ""));
    let outcome =
        sandbox.ws(&["import", "naive.csv", "--as", "case_event", "--format", "json"]).json();
    assert_eq!(outcome["quarantined"], 8, "no time without offset is taken: {outcome}");
    assert_eq!(outcome["rejections"][0]["code"], "no-offset", "{outcome}");
}

#[test]
fn clap_answers_wrong_words_with_two() {
    let sandbox = Sandbox::new();
    for args in
        [&["frobnicate"][..], &[], &["assess", "--format", "xml"], &["import"], &["retract", "2"]]
    {
        let run = sandbox.run(args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.err);
        assert!(run.err.contains("Usage") || run.err.contains("--help"), "{args:?}: {}", run.err);
    }
}

#[test]
fn what_went_in_before_an_error_stays_in_and_is_said() {
    let sandbox = Sandbox::with_workspace();
    hand_in(&sandbox);
    sandbox.write("handed-in/site.csv", "site_id,nonsense\nx,y\n");
    let run = sandbox.ws(&["import", "handed-in"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("client.csv") && run.out.contains("calendar.csv"), "{}", run.out);
    assert!(!run.out.contains("arrangement.csv"), "{}", run.out);
    assert!(run.err.contains("`site.csv`") && run.err.contains("nonsense"), "{}", run.err);
}

#[cfg(unix)]
#[test]
fn what_never_ends_is_refused_even_on_a_dry_run() {
    let sandbox = Sandbox::with_workspace();
    for rest in [&[][..], &["--dry-run"]] {
        let args = [&["import", "/dev/zero", "--as", "site"], rest].concat();
        let said = sandbox.ws(&args).fails(1);
        assert!(said.contains("`/dev/zero` is not an ordinary file"), "{said}");
    }
}

#[test]
fn an_hour_that_occurs_twice_is_taken_as_the_user_says() {
    let sandbox = Sandbox::with_workspace();
    let text = "arrangement_id,case_id,activity,occurred_at\nclaims,C-1,Open,2026-10-25T02:30:00\n";
    sandbox.write("twice.csv", text);
    let import = |fold: &[&str]| {
        let args = ["import", "twice.csv", "--as", "case_event", "--zone", "Europe/Warsaw"];
        sandbox.ws(&[&args[..], fold, &["--format", "json"]].concat()).json()
    };
    assert_eq!(import(&["--dry-run"])["quarantined"], 1);
    assert_eq!(import(&["--fold", "later"])["accepted"], 1);
    let at = "SELECT occurred_at FROM case_event";
    let rows = sandbox.ws(&["query", at, "--format", "csv"]).ok();
    assert_eq!(rows, "occurred_at\n2026-10-25T01:30:00Z\n");
    let run = sandbox.ws(&["import", "twice.csv", "--as", "case_event", "--fold", "never"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("earlier") && run.err.contains("later"), "{}", run.err);
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = imported();
    let script = sandbox.write("pipe.sh", "\"$1\" -w ws vocabulary show case_event --format json | head -c 10\nexit ${PIPESTATUS[0]}\n");
    let output = std::process::Command::new("bash")
        .args([script.as_os_str(), env!("CARGO_BIN_EXE_backstay").as_ref()])
        .current_dir(sandbox.path("."))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn colour_and_escapes_of_the_evidence_do_not_reach_a_pipe() {
    let sandbox = Sandbox::with_workspace();
    let mut file = std::fs::File::create(sandbox.path("provider.csv")).unwrap();
    file.write_all(b"provider_id,name\np,\"name \x1b[31mred\"\n").unwrap();
    sandbox.ws(&["import", "provider.csv", "--as", "provider"]).ok();
    let shown = sandbox.ws(&["query", "SELECT name FROM provider"]).ok();
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}
