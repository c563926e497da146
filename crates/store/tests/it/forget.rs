//! Forgetting a person in a workspace that has lived: afterwards no byte of it tells who it was.

use std::path::Path;

use backstay_store::backend::SecretKind;
use backstay_store::{BackupOptions, CompactOptions, StoreError, TraceSource, restore};

use crate::support::{Home, as_table, row_edit};

/// A name whose bytes stand nowhere by chance, as a file writes it and as it is normalised.
const NAME: &str = "Dolores Makiling-Sarmiento";

fn spellings() -> [Vec<u8>; 3] {
    [NAME.into(), NAME.to_lowercase().into(), NAME.to_uppercase().into()]
}

/// Files under a folder, whatever they are for, that hold these bytes.
fn holding(dir: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(needle.len()).any(|window| window == needle) {
                found.push(path.display().to_string());
            }
        }
    }
    assert!(files > 5, "there is something to look through");
    found
}

fn nowhere(dir: &Path, when: &str) {
    for needle in spellings() {
        assert_eq!(holding(dir, &needle), Vec::<String>::new(), "{when}");
    }
}

#[test]
fn after_forgetting_no_file_of_the_workspace_tells_the_name_or_what_opened_it() {
    let mut home = Home::new();
    let log = |rows: &str| {
        format!("arrangement_id,source,case_id,activity,occurred_at,person_id\n{rows}")
    };
    let rows = format!(
        "desk,sys,c1,Open,2026-03-02T10:00:00Z,{NAME}\ndesk,sys,c1,Close,2026-03-02T11:00:00Z,other\n"
    );
    let first = home.import("log.csv", "case_event", &log(&rows)).entry.unwrap();
    for n in 0..5 {
        let text = format!("arrangement_id,person_id\ndesk,{NAME}\ndesk,person {n}\n");
        home.import(&format!("{n}.csv"), "person", &text);
    }
    let mut request = as_table("case_event");
    request.options.set.insert("priority".into(), "1".into());
    home.with(|w, ctx| w.reread(first, &request, ctx, &mut |_| {})).unwrap();
    let edit = |pair: (&str, &str)| {
        let who = [("arrangement_id", "desk"), ("person_id", NAME), pair];
        vec![row_edit("person", &who)]
    };
    let entered = home.edit(edit(("valid_from", "2026-04-01"))).unwrap();
    home.edit(edit(("valid_from", "2026-05-01"))).unwrap();
    home.workspace.compact(CompactOptions { least: 2, ..CompactOptions::default() }).unwrap();
    let dir = home.workspace.dir().to_owned();
    nowhere(&dir, "names are sealed from the first byte on");

    let values = &entered.rows[0].after.as_ref().unwrap().values;
    let pseudonym = values["person_id"].clone();
    let sealed = |kind, name: &str| home.workspace.backend().secret(kind, name).unwrap();
    let mut opened = vec![sealed(SecretKind::Person, &pseudonym).unwrap()];
    let sources = home.workspace.backend().sources_naming(&pseudonym).unwrap();
    assert_eq!(sources.len(), 6, "every file that names the person");
    for entry in home.workspace.entries(1, 100).unwrap().iter().filter(|e| e.kind == "import") {
        let objects = entry.payload.as_ref().unwrap()["objects"].as_array().unwrap().clone();
        let source = objects.iter().find(|object| object["role"] == "source").unwrap();
        opened.push(sealed(SecretKind::Source, source["digest"].as_str().unwrap()).unwrap());
    }
    let before = (home.rows("case_event"), home.rows("person"), home.evidence());

    let by = home.with(|w, ctx| w.erase_person(&pseudonym, "asked to", ctx)).unwrap();
    nowhere(&dir, "after forgetting");
    for bytes in &opened {
        let left = holding(&dir, bytes);
        assert_eq!(left, Vec::<String>::new(), "what opened a source or a name is gone as well");
    }
    assert!(matches!(
        home.with(|w, ctx| w.reveal(&pseudonym, "who?", ctx)),
        Err(StoreError::NoPerson(_))
    ));
    let trace = home.workspace.trace(format!("{first}:1").parse().unwrap()).unwrap();
    assert!(matches!(trace.source, TraceSource::Erased { by: at, .. } if at == by), "{trace:?}");
    let reference = &entered.rows[0].after.as_ref().unwrap().reference;
    let trace = home.workspace.trace(reference.parse().unwrap()).unwrap();
    let TraceSource::Entered { values, .. } = trace.source else { panic!("{trace:?}") };
    assert_eq!(values["person_id"], pseudonym, "what was entered stays, without a name");
    assert_eq!((home.rows("case_event"), home.rows("person"), home.evidence()), before);
    home.must_hold();

    // Copies made from now on know nothing either.
    let (backup, bundle) = (home.path("backup"), home.path("bundle"));
    home.workspace.backup(&backup, BackupOptions::default()).unwrap();
    home.workspace.bundle(&bundle).unwrap();
    nowhere(&backup, "in a backup");
    nowhere(&bundle, "in a bundle");
    for bytes in &opened {
        assert_eq!(holding(&backup, bytes), Vec::<String>::new());
    }
    restore(&backup, &home.path("restored")).unwrap();
    home.workspace.rebuild_readings().unwrap();
    assert_eq!((home.rows("case_event"), home.rows("person"), home.evidence()), before);
    home.must_hold();
}
