//! Damage of every kind of file: a flipped byte, a tail cut off, a file gone. `verify` finds it and
//! says what, where and what to do; what it does not find has changed no answer. Nothing panics.

use std::path::{Path, PathBuf};

use backstay_evidence::Manifest;
use backstay_store::{
    AsOf, AssessmentSummary, EntrySummary, NewAssessment, RegisterRow, VerifyOptions, Workspace,
};

use crate::fault::{copy, memory};
use crate::import::events;
use crate::support::{Home, Random};

/// A workspace with people, a correction, a quarantined record, an erasure and an assessment.
fn lived() -> Home {
    let mut home = Home::new();
    let mut log =
        "arrangement_id,source,event_id,case_id,activity,state,occurred_at,person_id\n".to_owned();
    for n in 1..=40 {
        log += &format!("desk,sys,,c{n},New,New,2026-03-02T09:{:02}:00Z,worker {}\n", n, n % 7);
    }
    home.import("people.csv", "case_event", &log);
    home.import("s.csv", "site", "site_id,name,time_zone\nmanila,Manila,Asia/Manila\n");
    home.import("t.csv", "site", "site_id,name,time_zone\nmanila,Metro Manila,Asia/Manila\n");
    let bad = events(&[("c91", "New", 1)]) + "desk,sys,,c92,New,New,never,3\n";
    let erased = home.import("bad.csv", "case_event", &bad).entry.unwrap();
    home.with(|workspace, ctx| workspace.erase_source(erased, "asked for", ctx)).unwrap();
    let new = NewAssessment {
        basis: br#"{"period":"2026-03"}"#,
        result: b"the result",
        files: &[],
        arrangements: &[],
    };
    home.with(|workspace, ctx| workspace.append_assessment(new, ctx)).unwrap();
    home
}

/// The folder of a workspace that was closed properly.
fn closed() -> tempfile::TempDir {
    let Home { folder, workspace, .. } = lived();
    drop(workspace);
    folder
}

/// What a workspace answers with.
#[derive(Debug, PartialEq)]
struct Answers {
    manifest: Manifest,
    registers: Vec<RegisterRow>,
    entries: Vec<EntrySummary>,
    assessments: Vec<AssessmentSummary>,
}

fn answers(dir: &Path) -> Answers {
    let workspace = Workspace::open(dir).unwrap();
    Answers {
        manifest: workspace.manifest(AsOf::Latest, &[]).unwrap(),
        registers: workspace.registers("site").unwrap(),
        entries: workspace.entries(1, 100).unwrap(),
        assessments: workspace.assessments().unwrap(),
    }
}

/// What opening and verifying find: each with what to do. Empty: nothing.
fn found(dir: &Path) -> Vec<String> {
    let verified =
        Workspace::open(dir).and_then(|w| w.verify(VerifyOptions::default(), &mut |_| {}));
    match verified {
        Ok(report) => {
            for problem in &report.problems {
                assert!(!problem.place.is_empty() && !problem.what.is_empty(), "{problem:?}");
                let remedies = ["restore ", "put ", "make ", "use ", "erase "];
                assert!(remedies.iter().any(|r| problem.remedy.starts_with(r)), "{problem:?}");
            }
            report.problems.into_iter().map(|p| format!("{}: {}", p.place, p.what)).collect()
        }
        Err(error) => {
            let words = error.to_string();
            let says = ["backup", "new workspace", "later release", "`backstay init`"];
            assert!(says.iter().any(|word| words.contains(word)), "no remedy: {words}");
            vec![words]
        }
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, length: u64) {
    std::fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// Does some damage to a copy; what is found.
fn after(template: &Path, damage: impl FnOnce(&Path)) -> (tempfile::TempDir, Vec<String>) {
    let folder = memory();
    copy(&template.join("w"), folder.path());
    damage(folder.path());
    let found = found(folder.path());
    (folder, found)
}

fn objects(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(dir.join("objects")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            files.push(file.unwrap().path().strip_prefix(dir).unwrap().to_owned());
        }
    }
    files.sort();
    files
}

#[test]
fn every_object_that_is_changed_cut_off_or_gone_is_named() {
    let template = closed();
    let dir = template.path().join("w");
    assert_eq!(found(&dir), Vec::<String>::new());
    let files = objects(&dir);
    assert!(files.len() >= 12, "{files:?}");
    for file in files {
        let name: String =
            file.components().skip(1).map(|c| c.as_os_str().to_str().unwrap()).collect();
        let length = std::fs::metadata(dir.join(&file)).unwrap().len();
        let last = usize::try_from(length).unwrap() - 1;
        type Damage<'a> = (&'a str, Box<dyn Fn(&Path) + 'a>);
        let damages: [Damage<'_>; 6] = [
            ("has changed bytes", Box::new(|path| flip(path, 0))),
            ("has changed bytes", Box::new(|path| flip(path, last / 2))),
            // The footer, where it is Parquet.
            ("has changed bytes", Box::new(|path| flip(path, last.saturating_sub(6)))),
            ("has changed bytes", Box::new(|path| cut(path, length - 1))),
            ("has changed bytes", Box::new(|path| cut(path, 0))),
            ("is missing", Box::new(|path| std::fs::remove_file(path).unwrap())),
        ];
        for (n, (what, damage)) in damages.iter().enumerate() {
            let (_, found) = after(template.path(), |dir| damage(&dir.join(&file)));
            let named =
                found.iter().any(|problem| problem.contains(&name) && problem.contains(what));
            assert!(named, "damage {n} of {name}: {found:?}");
        }
    }
}

#[test]
fn every_key_that_is_another_one_is_found_out() {
    let template = closed();
    for (name, said) in [
        ("signing.key", "checkpoint"),
        ("wrap.key", "the source of entry"),
        ("pseudonym.key", "the vault"),
    ] {
        let file = Path::new("keys").join(name);
        // Another digit, whatever stands there.
        let (_, found) = after(template.path(), |dir| {
            let path = dir.join(&file);
            let text = std::fs::read_to_string(&path).unwrap();
            let other = if text.starts_with('0') { "1" } else { "0" };
            std::fs::write(path, format!("{other}{}", &text[1..])).unwrap();
        });
        assert!(found.iter().any(|problem| problem.contains(said)), "{name}: {found:?}");
        let (_, found) = after(template.path(), |dir| cut(&dir.join(&file), 20));
        assert!(found[0].contains(name) && found[0].contains("64 hexadecimal"), "{found:?}");
    }
}

#[test]
fn a_damaged_workspace_file_is_refused_or_found_out() {
    let template = closed();
    let text = std::fs::read_to_string(template.path().join("w").join("workspace.toml")).unwrap();
    let id = text.find("workspace = \"").unwrap() + "workspace = \"".len();
    let (_, found) = after(template.path(), |dir| {
        let other = if text.as_bytes()[id] == b'0' { "1" } else { "0" };
        let changed = format!("{}{other}{}", &text[..id], &text[id + 1..]);
        std::fs::write(dir.join("workspace.toml"), changed).unwrap();
    });
    assert!(found.iter().any(|problem| problem.contains("checkpoint")), "{found:?}");
    for length in [0, 5, 20] {
        let (_, found) = after(template.path(), |dir| cut(&dir.join("workspace.toml"), length));
        assert!(found[0].contains("workspace.toml"), "{found:?}");
    }
}

#[test]
fn a_flipped_byte_of_the_database_is_found_or_changes_no_answer() {
    let template = closed();
    let before = answers(&template.path().join("w"));
    let database = template.path().join("w").join("backstay.sqlite");
    let bytes = std::fs::read(&database).unwrap();
    let page = 4_096;
    assert!(bytes.len() / page >= 15, "{} bytes", bytes.len());
    let mut random = Random(0xf11b);
    let (mut noticed, mut harmless) = (0, 0);
    for start in (0..bytes.len()).step_by(page) {
        for _ in 0..6 {
            let mut two = [0; 2];
            random.fill(&mut two);
            // Bytes in use, where there are some: empty space holds no answer.
            let within = usize::from(u16::from_le_bytes(two)) % page;
            let used = (0..page).map(|n| start + (within + n) % page).find(|at| bytes[*at] != 0);
            let Some(at) = used else { continue };
            let (folder, found) =
                after(template.path(), |dir| flip(&dir.join("backstay.sqlite"), at));
            if found.is_empty() {
                assert_eq!(answers(folder.path()), before, "byte {at}");
                harmless += 1;
            } else {
                noticed += 1;
            }
        }
    }
    assert!(noticed > harmless, "{noticed} noticed, {harmless} harmless");
}

#[test]
fn a_database_that_is_cut_off_or_gone_is_found_out() {
    let template = closed();
    let name = "backstay.sqlite";
    let length = std::fs::metadata(template.path().join("w").join(name)).unwrap().len();
    for rest in [length - 1, length - 4_096, length / 2, 4_096, 100, 0] {
        let (_, found) = after(template.path(), |dir| cut(&dir.join(name), rest));
        assert!(!found.is_empty(), "{rest} of {length} bytes");
    }
    let (_, found) = after(template.path(), |dir| std::fs::remove_file(dir.join(name)).unwrap());
    assert!(found[0].contains("the database is missing"), "{found:?}");
}

#[test]
fn entries_lost_with_the_tail_of_the_write_ahead_log_are_missed() {
    // Still open: the newest entries are in the log only.
    let home = lived();
    let log = home.workspace.dir().join("backstay.sqlite-wal");
    let length = std::fs::metadata(&log).unwrap().len();
    assert!(length > 10_000, "{length}");
    let root = home.folder.path();
    let (_, whole) =
        after(root, |dir| std::fs::remove_file(dir.join("backstay.sqlite-shm")).unwrap());
    assert_eq!(whole, Vec::<String>::new());
    for rest in [length - 1, length * 3 / 4, length / 2, 0] {
        let (_, found) = after(root, |dir| {
            std::fs::remove_file(dir.join("backstay.sqlite-shm")).unwrap();
            cut(&dir.join("backstay.sqlite-wal"), rest);
        });
        let missed = found.iter().any(|problem| problem.contains("the newest are lost"));
        assert!(missed, "{rest} of {length}: {found:?}");
    }
    let (_, found) = after(root, |dir| {
        std::fs::remove_file(dir.join("backstay.sqlite-shm")).unwrap();
        flip(&dir.join("backstay.sqlite-wal"), usize::try_from(length).unwrap() - 2_000);
    });
    assert!(found.iter().any(|problem| problem.contains("the newest are lost")), "{found:?}");
}
