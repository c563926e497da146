//! Forgetting a person and destroying a source: shown first, done on the word, on record for good.

use std::path::Path;

use crate::{
    sandbox::{Sandbox, number, text},
    small::{EVENTS, imported},
};

/// Two files that name the same person, one of them somebody else too.
fn with_people() -> Sandbox {
    let sandbox = imported();
    let first = EVENTS
        .replace("case_id,", "person_id,case_id,")
        .replace(",claims,", ",claims,Ana Cruz-149,");
    let second =
        first
            .lines()
            .filter(|line| !line.starts_with("e1,"))
            .map(|line| line.replace("2026-03-10", "2026-03-11"))
            .map(|line| {
                if line.starts_with("e8,") {
                    line.replace("Ana Cruz-149", "Bo Lim-7")
                } else {
                    line
                }
            })
            .collect::<Vec<_>>()
            .join("\n");
    for (name, log) in [("people-1.csv", first), ("people-2.csv", second)] {
        sandbox.write(name, log);
        sandbox.ws(&["import", name, "--as", "case_event"]).ok();
    }
    sandbox
}

/// The pseudonym that most events carry, and how many of them there are.
fn most_named(sandbox: &Sandbox) -> (String, i64) {
    let sql = "SELECT person_id, count(*) AS n FROM case_event WHERE person_id IS NOT NULL \
               GROUP BY person_id ORDER BY n DESC";
    let rows = sandbox.ws(&["query", sql, "--format", "json"]).json();
    (text(&rows[0], "person_id").to_owned(), number(&rows[0], "n"))
}

/// The files below a folder in which a name stands in clear.
fn naming(folder: &Path, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(naming(&path, name));
        } else if std::fs::read(&path).unwrap().windows(name.len()).any(|w| w == name.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_person_is_revealed_and_forgotten_on_record_and_every_answer_stays() {
    let sandbox = with_people();
    let march = ["assess", "--period", "2026-03", "--format", "json", "-o"];
    sandbox.ws(&[&march[..], &["before.json"]].concat()).ok();
    let log = sandbox.ws(&["log", "--format", "json"]).json();
    let assessment = log["entries"].as_array().unwrap().last().unwrap()["entry"].to_string();
    let bytes = sandbox.ws(&["replay", &assessment, "--output", "bytes"]).ok();
    let (pseudonym, events) = most_named(&sandbox);
    assert_eq!(events, 7);

    let shown =
        sandbox.ws(&["reveal", &pseudonym, "--reason", "access review", "--format", "json"]).json();
    assert_eq!(
        [text(&shown, "id"), text(&shown, "party"), text(&shown, "kind")],
        ["Ana Cruz-149", "claims", "person"]
    );
    let log = sandbox.ws(&["log"]).ok();
    assert!(log.contains("disclosure") && log.contains("access review"), "{log}");

    let plan = sandbox.ws(&["erase", "person", &pseudonym]).ok();
    for part in ["people-1.csv", "people-2.csv", "2 imports", "Nothing is erased yet", "--yes"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert_eq!(sandbox.ws(&["log"]).ok(), log, "a look writes nothing");
    let by_id = ["erase", "person", "--id", " ANA  cruz-149", "--party", "claims"];
    assert_eq!(sandbox.ws(&by_id).ok(), plan, "the id leads to the same person");
    let unseen = ["erase", "person", "--id", "-", "--party", "claims"];
    assert_eq!(sandbox.ws_with_input(&unseen, "Ana Cruz-149\n").ok(), plan);

    let done = [&by_id[..], &["--reason", "request 17", "--yes", "--format", "json"]].concat();
    let done = sandbox.ws(&done).json();
    let sources: Vec<i64> =
        done["sources"].as_array().unwrap().iter().map(|source| number(source, "entry")).collect();
    assert_eq!((done["dry_run"].as_bool(), sources.len()), (Some(false), 2));

    assert_eq!(naming(&sandbox.path("ws"), "Cruz-149"), Vec::<String>::new());
    let refused = sandbox.ws(&["reveal", &pseudonym, "--reason", "again"]).fails(1);
    assert!(refused.contains("the vault holds nobody behind"), "{refused}");
    let again = sandbox.ws(&["erase", "person", &pseudonym]).fails(1);
    assert!(again.contains("it was erased, or never came in"), "{again}");
    for source in &sources {
        let trace = sandbox.ws(&["trace", &format!("{source}:3")]).ok();
        let trace = trace.split_whitespace().collect::<Vec<_>>().join(" ");
        let entry = number(&done, "entry");
        assert!(trace.contains("The source was erased by tester on "), "{trace}");
        assert!(trace.contains(&format!("(ledger entry {entry}): request 17")), "{trace}");
    }
    let reread = sandbox.ws(&["reread", &sources[0].to_string()]).fails(1);
    assert!(reread.contains("was erased at entry"), "{reread}");

    assert_eq!(most_named(&sandbox), (pseudonym, 7), "rows stay under the pseudonym");
    sandbox.ws(&["verify"]).ok();
    sandbox.ws(&["replay", &assessment]).code(0);
    assert_eq!(sandbox.ws(&["replay", &assessment, "--output", "bytes"]).ok(), bytes);
    sandbox.ws(&["bundle", "offline"]).ok();
    sandbox.ws(&["backup", "copy"]).ok();
    for copy in ["offline", "copy"] {
        assert_eq!(naming(&sandbox.path(copy), "Cruz-149"), Vec::<String>::new());
    }
    let other =
        "SELECT DISTINCT person_id FROM case_event WHERE event_id = 'e8' AND person_id IS NOT NULL";
    let other = sandbox.ws(&["query", other, "--format", "json"]).json();
    let other = sandbox
        .ws(&[
            "reveal",
            text(&other[0], "person_id"),
            "--reason",
            "still known",
            "--format",
            "json",
        ])
        .json();
    assert_eq!(text(&other, "id"), "Bo Lim-7", "others named by the same file can be revealed");
}

#[test]
fn a_source_is_destroyed_and_its_rows_stay() {
    let sandbox = imported();
    let plan = sandbox.ws(&["erase", "source", "9", "--format", "json"]).json();
    assert_eq!(plan["dry_run"], true);
    assert_eq!(text(&plan["sources"][0], "file"), "case_event.csv");
    assert_eq!(number(&plan["sources"][0], "records"), 8);
    let done = sandbox.ws(&["erase", "source", "9", "--reason", "sent by mistake", "--yes"]).ok();
    assert!(done.contains("Erased source") && done.contains("is ledger entry 12"), "{done}");
    let again = sandbox.ws(&["erase", "source", "9"]).fails(1);
    assert!(again.contains("the source of entry 9 was erased at entry 12"), "{again}");
    let rows = sandbox.ws(&["query", "SELECT count(*) AS n FROM case_event", "--format", "json"]);
    assert_eq!(number(&rows.json()[0], "n"), 8);
    sandbox.ws(&["verify"]).ok();
}

#[test]
fn an_erasure_says_what_it_lacks_and_repeats_no_name() {
    let sandbox = imported();
    for (args, code, part) in [
        (&["erase", "person", "Ana Cruz"][..], 2, "what was written is not a pseudonym"),
        (&["reveal", "Ana Cruz", "--reason", "x"], 2, "what was written is not a pseudonym"),
        (&["erase", "source", "9", "--yes"], 2, "--reason"),
        (&["erase", "source", "9", "--yes", "--reason", " "], 1, "a reason is needed"),
        (&["erase", "source", "1"], 1, "entry 1 is of kind `init`"),
        (&["erase", "person", "--id", "Ana Cruz"], 2, "--party"),
        (
            &["erase", "person", "--id", "Ana Cruz", "--party", "claims"],
            1,
            "nothing is held of that id of `claims`, of kind `person`",
        ),
        (&["erase", "person"], 2, "--id"),
    ] {
        let said = sandbox.ws(args).fails(code);
        assert!(said.contains(part) && !said.contains("Ana Cruz"), "{args:?}: {said}");
    }
}
