//! A mapping made from a file: by options, step by step, saved and used.

use std::fs;

use crate::sandbox::{Sandbox, number, text};

/// A log under heads of its own, day first.
const LOG: &str = "Ticket No;Status;Changed;Opened;Clerk;Remarks\n\
                   T-1;Open;27.02.2026 09:00;27.02.2026 09:00;Ana Cruz;call back\n\
                   T-1;Done;02.03.2026 10:00;27.02.2026 09:00;Bo Lim;\n\
                   T-2;Open;02.03.2026 11:30;02.03.2026 11:30;Ana Cruz;\n";

fn with_log() -> Sandbox {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("desk_2026-03.csv", LOG);
    sandbox
}

#[test]
fn a_mapping_is_proposed_tried_saved_and_imports_the_file() {
    let sandbox = with_log();
    let new = ["mapping", "new", "desk_2026-03.csv"];
    let shown = sandbox.ws(&new).ok();
    for part in [
        "Feeds case_event",
        "Ticket No",
        "the day first (`%d.%m.%Y %H:%M`): 1 of 3 values",
        "? in which time zone are",
        "--zone Area/City here, or at each import",
        "people, kept as pseudonyms",
        "free text may name people",
        "Nothing is saved.",
    ] {
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("Ana Cruz"), "no name in clear: {shown}");
    assert!(!sandbox.path("ws/mappings/desk.toml").exists());

    let saved = sandbox.ws(&[&new[..], &["--save", "--format", "json"]].concat()).json();
    assert_eq!(text(&saved, "schema"), "backstay.mapping-proposal/1");
    assert_eq!(text(&saved["proposal"], "table"), "case_event");
    assert_eq!(
        [number(&saved["dry_run"], "read"), number(&saved["dry_run"], "accepted")],
        [3, 3],
        "{saved}"
    );
    let command = text(&saved, "import_command");
    assert_eq!(
        command,
        "backstay -w ws import desk_2026-03.csv --mapping desk --zone AREA/CITY --set arrangement_id=ID"
    );
    assert!(sandbox.ws(&["mapping", "list"]).ok().contains("desk"));
    let file = sandbox.ws(&["mapping", "show", "desk"]).ok();
    assert_eq!(file, text(&saved["proposal"], "text"));
    assert!(
        file.contains("# zone = \"Area/City\"") && file.contains("drop = [\"Remarks\"]"),
        "{file}"
    );
    let options = ["--mapping", "desk", "--zone", "Asia/Manila", "--set", "arrangement_id=desk"];
    let done = [&["import", "desk_2026-03.csv", "--format", "json"][..], &options].concat();
    assert_eq!(number(&sandbox.ws(&done).json(), "accepted"), 3);
    assert_eq!(sandbox.ws(&["log"]).ok().lines().count(), 3, "the proposals left no entry");

    let again = sandbox.ws(&[&new[..], &["--save"]].concat());
    assert_eq!(again.code, 1);
    assert!(again.err.contains("the workspace has a mapping `desk` already"), "{}", again.err);
    let zoned = ["--zone", "Asia/Manila", "--set", "arrangement_id=desk", "--save", "--replace"];
    let zoned = sandbox.ws(&[&new[..], &zoned].concat()).ok();
    assert!(zoned.contains("backstay -w ws import desk_2026-03.csv --mapping desk\n"), "{zoned}");
    let file = fs::read_to_string(sandbox.path("ws/mappings/desk.toml")).unwrap();
    assert!(file.contains("zone = \"Asia/Manila\"\n") && !file.contains("# zone"), "{file}");
}

#[test]
fn what_is_open_in_the_mapping_itself_keeps_it_from_being_saved() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("x.csv", "Ticket,Status,Changed\nT-1,Open,01.02.2026 09:00\n");
    let new = ["mapping", "new", "x.csv", "--save"];
    let run = sandbox.ws(&new);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(run.out.contains("--date-order day-first, or month-first"), "{}", run.out);
    assert!(run.err.contains("it is not saved: what is open must be said first"), "{}", run.err);
    assert!(!sandbox.path("ws/mappings/x.toml").exists());
    sandbox.ws(&[&new[..], &["--date-order", "day-first"]].concat()).ok();
    assert!(sandbox.path("ws/mappings/x.toml").is_file());
}

#[test]
fn the_questions_are_asked_one_by_one_and_back_takes_an_answer_back() {
    let sandbox = with_log();
    let answers = [
        "?",          // explains the table
        "",           // the table as proposed
        "nonsense",   // no such column
        "back",       // to the table
        "",           // the table again
        "Ticket No",  // case_id
        "",           // activity
        "",           // occurred_at
        "opened_at=", // leave one out
        "",           // the others are all right
        "Dublin",     // no zone
        "Asia/Manila",
        "desk", // the arrangement
        "Clerk=agent",
        "", // people
        "servicenow-incident",
        "my-desk",
        "yes",
    ]
    .join("\n");
    let run =
        sandbox.ws_with_input(&["mapping", "new", "desk_2026-03.csv", "--ask"], &(answers + "\n"));
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    for part in [
        "Table that the file feeds [case_event]",
        "case_id (needed) [Ticket No]",
        "the file does not have the column `nonsense`",
        "`Dublin` is not a time zone",
        "`servicenow-incident` is a mapping of this release",
    ] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
    assert!(run.out.contains("Saved as "), "{}", run.out);
    let file = fs::read_to_string(sandbox.path("ws/mappings/my-desk.toml")).unwrap();
    assert!(file.contains("\"Clerk\" = \"agent\"") && !file.contains("opened_at"), "{file}");
    assert!(
        file.contains("zone = \"Asia/Manila\"") && file.contains("constant = \"desk\""),
        "{file}"
    );
    let ended = sandbox.ws_with_input(&["mapping", "new", "desk_2026-03.csv", "--ask"], "\n");
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("the questions ended before the last; nothing is saved"),
        "{}",
        ended.err
    );
}

#[test]
fn options_that_speak_of_what_there_is_not_are_refused() {
    let sandbox = with_log();
    sandbox.write("pdf.csv", "%PDF-1.7 x");
    for (options, code, part) in [
        (&["--table", "case_events"][..], 1, "did you mean `case_event`?"),
        (
            &["--table", "case_event", "--map", "case=Ticket No"],
            1,
            "does not have the column `case`",
        ),
        (&["--map", "case_id=Ticket"], 1, "the file does not have the column `Ticket`"),
        (&["--map", "case_id"], 2, "`--map case_id` has no `=`"),
        (&["--value", "x=y"], 2, "`--value x=y` names no column"),
        (&["--zone", "Dublin"], 2, "`Dublin` is not a time zone"),
        (&["--as", "../out"], 2, "`../out` cannot be a mapping's name"),
        (&["--as", "xes"], 2, "`xes` is a mapping of this release"),
        (&["--replace"], 2, "--save"),
    ] {
        let said =
            sandbox.ws(&[&["mapping", "new", "desk_2026-03.csv"], options].concat()).fails(code);
        assert!(said.contains(part), "{options:?}: {said}");
    }
    for (file, part) in [
        ("nowhere.csv", "`nowhere.csv` cannot be read: there is no such file or folder"),
        ("ws", "`ws` is not an ordinary file"),
        ("pdf.csv", "this is a PDF"),
    ] {
        let said = sandbox.ws(&["mapping", "new", file]).fails(1);
        assert!(said.contains(part), "{file}: {said}");
    }
}
