//! Opening, verifying, copying, bundling, tracing and forgetting.

use backstay_evidence::RowRef;
use backstay_ledger::{FolderSource, VerifyOptions as BundleOptions, verify_bundle};
use backstay_store::{
    AsOf, BackupOptions, InitOptions, NewAssessment, StoreError, TraceSource, VerifyOptions,
    Workspace, restore,
};
use std::path::{Path, PathBuf};

use crate::import::{HEADER, events};
use crate::support::{Home, values};

/// A workspace with two imports, a correction, a retraction and an assessment.
fn lived() -> Home {
    let mut home = Home::new();
    home.import("a.csv", "case_event", &events(&[("c1", "New", 1), ("c2", "New", 2)]));
    home.import("s.csv", "site", "site_id,name,time_zone\nmanila,Manila,Asia/Manila\n");
    home.import("t.csv", "site", "site_id,name,time_zone\nmanila,Metro Manila,Asia/Manila\n");
    let second = home.import("b.csv", "case_event", &events(&[("c3", "New", 3)]));
    let target = backstay_evidence::manifest::RetractTarget::Entry(second.entry.unwrap());
    home.with(|workspace, ctx| workspace.retract(&target, "test file", ctx)).unwrap();
    home
}

fn object_files(workspace: &Workspace) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(workspace.dir().join("objects")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            files.push(file.unwrap().path());
        }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
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

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_folder_that_is_no_workspace_or_too_new_or_not_empty_is_refused_in_words() {
    let home = Home::new();
    let elsewhere = home.path("elsewhere");
    let error = Workspace::open(&elsewhere).unwrap_err().to_string();
    assert!(error.contains("is not a workspace") && error.contains("backstay init"), "{error}");
    let file = home.workspace.dir().join("workspace.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("format = 1", "format = 9")).unwrap();
    let error = Workspace::open(home.workspace.dir()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 9, known: 1, .. }), "{error}");
    let options = InitOptions { now_us: 0, actor: "a".into(), random: [1; 144] };
    let error = Workspace::init(home.workspace.dir(), options).unwrap_err();
    assert!(matches!(error, StoreError::NotEmpty(_)), "{error}");
}

#[cfg(unix)]
#[test]
fn keys_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    for name in ["pseudonym.key", "wrap.key", "signing.key"] {
        let path = home.workspace.dir().join("keys").join(name);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_workspace_that_has_lived_verifies() {
    let home = lived();
    let report = home.workspace.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    assert!(report.holds(), "{:#?}", report.problems);
    assert_eq!((report.entries, report.checkpoints, report.orphans), (6, 1, 0));
    assert_eq!(report.objects, object_files(&home.workspace).len() as u64);
    // Three events, two versions of a site, and a fingerprint of each case.
    assert_eq!(report.rows, 8);
}

#[test]
fn a_flipped_byte_in_any_object_is_found_and_named() {
    let home = lived();
    for file in object_files(&home.workspace) {
        let whole = std::fs::read(&file).unwrap();
        flip(&file);
        let report = home.workspace.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
        let folder = file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let name = folder + &file.file_name().unwrap().to_string_lossy();
        let problem = report.problems.iter().find(|problem| problem.place.contains(&name));
        assert!(problem.unwrap().what.contains("changed bytes"), "{:?}", report.problems);
        std::fs::write(&file, whole).unwrap();
    }
    home.must_hold();
}

#[test]
fn a_missing_object_is_found_with_what_it_was_and_what_to_do() {
    let home = lived();
    let file = object_files(&home.workspace).remove(0);
    std::fs::remove_file(file).unwrap();
    let report = home.workspace.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    let problem = &report.problems[0];
    assert!(problem.what.contains("is missing"), "{problem:?}");
    assert_eq!(problem.remedy, "restore the workspace from a backup");
}

#[test]
fn a_changed_ledger_does_not_verify() {
    let home = lived();
    for (sql, expected) in [
        (
            "UPDATE entry SET payload = CAST(replace(CAST(payload AS TEXT), 'a.csv', 'z.csv') AS BLOB) WHERE seq = 2",
            "payload",
        ),
        (
            "UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), 'a-1', 'a-2') AS BLOB) WHERE seq = 3",
            "tree",
        ),
        ("UPDATE entry SET content = zeroblob(32) WHERE seq = 4", "digest"),
        ("UPDATE checkpoint SET note = replace(note, '6', '5') WHERE size = 6", "checkpoint 6"),
        ("DELETE FROM segment WHERE seq = 2", "list of objects"),
        ("DELETE FROM retraction", "list of retractions"),
        ("UPDATE register SET row = '{}'", "current registers"),
        ("DELETE FROM secret", "key"),
    ] {
        let copied = home.path("copy");
        copy(home.workspace.dir(), &copied);
        let connection = rusqlite::Connection::open(copied.join("backstay.sqlite")).unwrap();
        assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
        drop(connection);
        let workspace = Workspace::open(&copied).unwrap();
        let report = workspace.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
        assert!(
            report.problems.iter().any(|p| format!("{} {}", p.place, p.what).contains(expected)),
            "{sql}: {:#?}",
            report.problems
        );
        std::fs::remove_dir_all(&copied).unwrap();
    }
}

#[test]
fn damaged_readings_are_rebuilt_from_the_ledger() {
    let home = lived();
    let before = home.workspace.manifest(AsOf::Latest, &[]).unwrap();
    let connection =
        rusqlite::Connection::open(home.workspace.dir().join("backstay.sqlite")).unwrap();
    for table in ["segment", "retraction", "import", "register"] {
        connection.execute(&format!("DELETE FROM {table}"), []).unwrap();
    }
    drop(connection);
    let report = home.workspace.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(report.problems.len(), 4, "{:#?}", report.problems);
    let report = home.workspace.verify(VerifyOptions { sweep: true }, &mut |_| {}).unwrap();
    assert!(report.holds(), "{:#?}", report.problems);
    assert_eq!(report.notes.iter().filter(|note| note.ends_with("made anew")).count(), 4);
    assert_eq!(home.workspace.manifest(AsOf::Latest, &[]).unwrap(), before);
    home.must_hold();
}

#[test]
fn what_a_crash_leaves_is_invisible_and_swept() {
    let home = lived();
    let objects = home.workspace.dir().join("objects");
    std::fs::create_dir_all(objects.join("00")).unwrap();
    std::fs::write(objects.join("00").join("0".repeat(62)), b"half").unwrap();
    std::fs::create_dir(home.workspace.dir().join("tmp").join("run-x")).unwrap();
    let report = home.workspace.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    assert!(report.holds());
    assert_eq!((report.orphans, report.swept), (1, 0));
    let swept = home.workspace.verify(VerifyOptions { sweep: true }, &mut |_| {}).unwrap();
    assert_eq!((swept.orphans, swept.swept), (1, 2));
    let report = home.workspace.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(report.orphans, 0);
}

#[test]
fn a_backup_restores_to_the_same_ledger_and_goes_on() {
    let mut home = lived();
    let backup = home.path("backup");
    let made = home.workspace.backup(&backup, BackupOptions::default()).unwrap();
    assert_eq!((made.entries, made.with_keys), (6, true));
    let head = home.workspace.backend().head().unwrap();
    home.import("later.csv", "case_event", &events(&[("c9", "New", 9)]));
    let restored = restore(&backup, &home.path("restored")).unwrap();
    assert_eq!(restored.backend().head().unwrap(), head);
    assert_eq!(
        restored.manifest(AsOf::Latest, &[]).unwrap(),
        home.workspace.manifest(AsOf::Seq(6), &[]).unwrap()
    );
    home.workspace = restored;
    home.import("later.csv", "case_event", &events(&[("c9", "New", 9)]));
    home.must_hold();
    let trace = home.workspace.trace("2:1".parse().unwrap()).unwrap();
    assert!(matches!(trace.source, TraceSource::Located(_)));
}

#[test]
fn a_backup_without_keys_verifies_and_opens_no_source() {
    let home = lived();
    let backup = home.path("backup");
    home.workspace.backup(&backup, BackupOptions { without_keys: true }).unwrap();
    assert!(!backup.join("keys").exists());
    let restored = restore(&backup, &home.path("restored")).unwrap();
    let report = restored.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(report.checkpoints, 0);
    assert!(report.notes.iter().any(|note| note.contains("signatures were not checked")));
    let error = restored.trace("2:1".parse().unwrap()).unwrap_err();
    assert!(matches!(error, StoreError::NoKey(_)), "{error}");
}

#[test]
fn a_damaged_backup_is_not_restored_and_a_live_workspace_is_none() {
    let home = lived();
    let backup = home.path("backup");
    home.workspace.backup(&backup, BackupOptions::default()).unwrap();
    let copied = Workspace::open(&backup).unwrap();
    flip(&object_files(&copied)[0]);
    drop(copied);
    let dest = home.path("restored");
    let error = restore(&backup, &dest).unwrap_err();
    assert!(matches!(error, StoreError::BadBackup { .. }), "{error}");
    assert!(matches!(Workspace::open(&dest), Err(StoreError::NotWorkspace(_))));
    let error = restore(home.workspace.dir(), &home.path("other")).unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
}

#[test]
fn a_bundle_verifies_and_a_flipped_object_in_it_does_not() {
    let home = lived();
    let folder = home.path("bundle");
    let made = home.workspace.bundle(&folder).unwrap();
    assert_eq!(made.entries, 6);
    let report = verify_bundle(&FolderSource::new(&folder), &BundleOptions::default()).unwrap();
    assert_eq!((report.size, report.objects), (6, made.objects));
    assert_eq!(report.root, made.root);
    let object = std::fs::read_dir(folder.join("objects")).unwrap().next().unwrap().unwrap();
    flip(&object.path());
    assert!(verify_bundle(&FolderSource::new(&folder), &BundleOptions::default()).is_err());
}

#[test]
fn a_reference_leads_to_the_line_of_the_file() {
    let mut home = Home::new();
    let text = format!(
        "{HEADER}desk,sys,,c1,\"two\nlines\",New,2026-03-02T09:00:00Z,3\ndesk,sys,,c2,New,New,2026-03-02T10:00:00Z,3\n"
    );
    home.import("log.csv", "case_event", &text);
    let trace = home.workspace.trace(RowRef { entry: 2, record: 2 }).unwrap();
    assert_eq!((trace.file.as_str(), trace.entry, trace.read_by), ("log.csv", 2, 2));
    assert_eq!(trace.digest, backstay_evidence::Digest::of(text.as_bytes()));
    let TraceSource::Located(found) = trace.source else { panic!("{:?}", trace.source) };
    assert_eq!((found.first_line, found.last_line), (4, 4));
    assert_eq!(found.text, "desk,sys,,c2,New,New,2026-03-02T10:00:00Z,3");
    assert_eq!(found.cells["case_id"], "c2");
    let error = home.workspace.trace(RowRef { entry: 2, record: 3 }).unwrap_err();
    assert!(matches!(error, StoreError::NoRecord { records: 2, .. }), "{error}");
    let mut plain = Vec::new();
    home.workspace.export_source(2, &mut plain).unwrap();
    assert_eq!(plain, text.as_bytes());
}

#[test]
fn an_erased_source_leaves_rows_and_proof_and_says_who_erased_it() {
    let mut home = lived();
    let before = values(&home.rows("case_event"));
    let by = home.with(|workspace, ctx| workspace.erase_source(2, "wrong recipient", ctx)).unwrap();
    assert_eq!(values(&home.rows("case_event")), before);
    let trace = home.workspace.trace("2:1".parse().unwrap()).unwrap();
    let TraceSource::Erased { by: found, actor, reason, .. } = trace.source else {
        panic!("{:?}", trace.source)
    };
    assert_eq!((found, actor.as_str(), reason.as_str()), (by, "a-1", "wrong recipient"));
    let report = home.workspace.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    assert!(report.holds(), "{:#?}", report.problems);
    assert_eq!(report.erased_sources, 1);
    let again = home.with(|workspace, ctx| workspace.erase_source(2, "again", ctx));
    assert!(matches!(again, Err(StoreError::Erased { .. })));
    let folder = home.path("bundle");
    home.workspace.bundle(&folder).unwrap();
    verify_bundle(&FolderSource::new(&folder), &BundleOptions::default()).unwrap();
}

#[test]
fn a_real_id_is_shown_on_record_only_and_can_be_forgotten() {
    let mut home = Home::new();
    let header = HEADER.trim_end().to_owned() + ",person_id\n";
    let text = format!("{header}desk,sys,,c1,New,New,2026-03-02T09:00:00Z,3,Ana Cruz\n");
    let entry = home.import("a.csv", "case_event", &text).entry.unwrap();
    let pseudonym = home.rows("case_event")[0].get("person_id").to_owned();
    assert!(pseudonym.starts_with("p-"), "{pseudonym}");
    for file in object_files(&home.workspace) {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"Ana Cruz"));
    }
    let size = home.workspace.backend().head().unwrap().size;
    let shown =
        home.with(|workspace, ctx| workspace.reveal(&pseudonym, "payroll query", ctx)).unwrap();
    assert_eq!((shown.id.as_str(), shown.party.as_str()), ("Ana Cruz", "desk"));
    assert_eq!(shown.entry, size + 1);
    let asked = &home.workspace.entries(shown.entry, 1).unwrap()[0];
    assert_eq!(asked.kind, "disclosure");
    home.with(|workspace, ctx| workspace.erase_person(&pseudonym, "request of 3 March", ctx))
        .unwrap();
    let gone = home.with(|workspace, ctx| workspace.reveal(&pseudonym, "again", ctx));
    assert!(matches!(gone, Err(StoreError::NoPerson(_))));
    let trace = home.workspace.trace(RowRef { entry: entry as u32, record: 1 }).unwrap();
    assert!(matches!(trace.source, TraceSource::Erased { .. }));
    assert_eq!(home.rows("case_event")[0].get("person_id"), pseudonym);
    home.must_hold();
}

#[test]
fn one_basis_is_kept_once_with_the_bytes_that_it_gave() {
    let mut home = Home::new();
    let files = [("catalogue".to_owned(), b"+++".to_vec())];
    let new = NewAssessment {
        basis: br#"{"period":"2026-03"}"#,
        result: b"{\"controls\":[]}",
        files: &files,
        arrangements: &["desk".to_owned()],
    };
    let first = home.with(|workspace, ctx| workspace.append_assessment(new, ctx)).unwrap();
    assert!(!first.known);
    let again = home.with(|workspace, ctx| workspace.append_assessment(new, ctx)).unwrap();
    assert_eq!((again.entry, again.known, again.same_result), (first.entry, true, true));
    let other = NewAssessment { result: b"{}", ..new };
    let other = home.with(|workspace, ctx| workspace.append_assessment(other, ctx)).unwrap();
    assert_eq!((other.entry, other.known, other.same_result), (first.entry, true, false));
    let kept = home.workspace.assessment(first.entry).unwrap();
    assert_eq!(kept.result, new.result);
    assert_eq!(kept.files["catalogue"], b"+++");
    assert_eq!(kept.basis["period"], "2026-03");
    assert_eq!(home.workspace.assessments().unwrap().len(), 1);
    assert!(matches!(home.workspace.assessment(1), Err(StoreError::Kind { .. })));
    home.must_hold();
}

#[test]
fn a_cached_result_comes_back_unless_its_bytes_changed() {
    let home = Home::new();
    let cache = home.workspace.cache();
    let key = backstay_evidence::Digest::of(b"inputs");
    assert_eq!(cache.get(key), None);
    cache.put(key, b"result").unwrap();
    cache.put(key, b"result").unwrap();
    assert_eq!(cache.get(key).unwrap(), b"result");
    let name = key.to_string();
    flip(&home.workspace.dir().join("cache").join(&name[..2]).join(&name[2..]));
    assert_eq!(cache.get(key), None);
    cache.clear().unwrap();
    assert_eq!(cache.get(key), None);
}
