//! Bundles, whole and tampered with: every change must be found, and named.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use backstay_ledger::{
    BundleWriteError, BundleWriter, Checkpoint, Digest, EntryDraft, FolderSource, Problem,
    SigningKey, VerifyError, VerifyOptions, VerifyReport, verify_bundle,
};
use tempfile::TempDir;

use crate::fixture::{Ledger, key, ledger, put};

fn written(ledger: &Ledger) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    ledger.write(folder.path());
    folder
}

fn verify(folder: &Path, since: Option<&str>) -> Result<VerifyReport, VerifyError> {
    let options = VerifyOptions { since, key: Some(key().verifier()) };
    verify_bundle(&FolderSource::new(folder), &options)
}

/// The problems of a bundle that must not verify.
fn problems(folder: &Path, since: Option<&str>) -> Vec<Problem> {
    match verify(folder, since) {
        Err(VerifyError::Refused { problems, count }) => {
            assert_eq!(problems.len() as u64, count.min(100));
            problems
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn all_files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap();
                found.insert(name.to_str().unwrap().to_owned(), path);
            }
        }
    }
    found
}

#[test]
fn a_whole_bundle_verifies_and_says_what_it_holds() {
    let ledger = ledger(600);
    let folder = written(&ledger);
    let report = verify(folder.path(), None).unwrap();
    assert_eq!(report.origin, "backstay/test");
    assert_eq!(report.size, 600);
    let kinds = [("edit", 399), ("import", 200), ("init", 1)];
    assert_eq!(report.kinds, kinds.map(|(kind, n)| (kind.to_owned(), n)).into());
    assert_eq!((report.payloads, report.payloads_erased), (600, 0));
    assert_eq!((report.objects, report.objects_erased), (200, 0));
    assert_eq!(report.earlier_checkpoints, 1);
    assert_eq!(report.since_size, None);
    // Two full leaf tiles, one partial, and one partial above them.
    assert_eq!(report.tiles, 4);
    assert!(report.unproved.is_empty() && report.erased_but_present.is_empty());
    assert!(!report.key_from_bundle);
    let names: Vec<String> =
        all_files(folder.path()).into_keys().filter(|name| name.starts_with("tile/")).collect();
    assert_eq!(
        names,
        [
            "tile/0/000",
            "tile/0/001",
            "tile/0/002.p/88",
            "tile/1/000.p/2",
            "tile/entries/000",
            "tile/entries/001",
            "tile/entries/002.p/88"
        ]
    );
}

#[test]
fn bundles_of_every_awkward_size_verify() {
    for size in [1, 2, 255, 256, 257, 512] {
        let folder = written(&ledger(size));
        assert_eq!(verify(folder.path(), None).unwrap().size, size);
    }
}

#[test]
fn an_empty_ledger_verifies() {
    let mut ledger = Ledger::default();
    ledger.checkpoint();
    let folder = written(&ledger);
    assert_eq!(verify(folder.path(), None).unwrap().size, 0);
}

#[test]
fn a_byte_flipped_in_any_file_is_found() {
    let folder = written(&ledger(9));
    for (name, path) in all_files(folder.path()) {
        let whole = fs::read(&path).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            // A line feed at the end of the key's file carries nothing.
            if name == "vkey" && at == whole.len() - 1 {
                continue;
            }
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).unwrap();
            assert!(
                verify(folder.path(), None).is_err(),
                "byte {at} of `{name}` was changed and nobody noticed"
            );
        }
        fs::write(&path, &whole).unwrap();
    }
    verify(folder.path(), None).unwrap();
}

#[test]
fn a_file_that_is_missing_is_named() {
    let folder = written(&ledger(9));
    for (name, path) in all_files(folder.path()) {
        // Nothing says how many older checkpoints there must be; the auditor keeps his own.
        if name.starts_with("checkpoints/") {
            continue;
        }
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let problems = problems(folder.path(), None);
        let last = name.rsplit('/').next().unwrap();
        assert!(
            problems.iter().any(|p| p.to_string().contains(last)),
            "`{name}` was removed; said only {problems:?}"
        );
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn a_missing_object_is_missing_unless_a_later_entry_erased_it() {
    let mut ledger = ledger(9);
    let gone = ledger.objects.remove(0);
    let digest = Digest::of(&gone);
    let folder = written(&ledger);
    assert_eq!(problems(folder.path(), None), [Problem::ObjectMissing { sequence: 3, digest }]);

    ledger.append("erase", &format!(r#"{{"erased":{{"objects":["{digest}"]}}}}"#));
    ledger.checkpoint();
    let folder = written(&ledger);
    let report = verify(folder.path(), None).unwrap();
    assert_eq!((report.objects, report.objects_erased), (2, 1));

    // Imported again after the erasure: now it must be there.
    ledger.import(&gone);
    ledger.checkpoint();
    ledger.objects.pop();
    let folder = written(&ledger);
    assert_eq!(problems(folder.path(), None), [Problem::ObjectMissing { sequence: 11, digest }]);
    ledger.objects.push(gone);
    let folder = written(&ledger);
    assert_eq!(verify(folder.path(), None).unwrap().objects, 3);
}

#[test]
fn a_missing_payload_is_missing_unless_a_later_entry_erased_it() {
    let mut ledger = ledger(9);
    let gone = ledger.payloads.remove(1);
    let folder = written(&ledger);
    let missing = Problem::PayloadMissing { sequence: 2, digest: gone.digest() };
    assert_eq!(problems(folder.path(), None), vec![missing.clone()]);

    let before = ledger.clone();
    ledger.append("erase", r#"{"erased":{"entries":[2]},"reason":"asked"}"#);
    ledger.checkpoint();
    let folder = written(&ledger);
    let report = verify(folder.path(), None).unwrap();
    assert_eq!((report.payloads, report.payloads_erased), (9, 1));

    // Only an erase entry erases, and only what came before it.
    for (kind, payload) in [
        ("edit", r#"{"erased":{"entries":[2]}}"#),
        ("erase", r#"{"erased":{"entries":[3]}}"#),
        ("erase", r#"{"erased":{"entries":[11]}}"#),
    ] {
        let mut ledger = before.clone();
        ledger.append(kind, payload);
        ledger.checkpoint();
        let folder = written(&ledger);
        assert_eq!(problems(folder.path(), None), vec![missing.clone()]);
    }
}

#[test]
fn what_says_what_was_erased_cannot_be_erased_itself() {
    let mut ledger = ledger(9);
    ledger.append("erase", r#"{"erased":{"entries":[2]}}"#);
    ledger.append("erase", r#"{"erased":{"entries":[2,10]}}"#);
    ledger.checkpoint();
    ledger.payloads.remove(9);
    ledger.payloads.remove(1);
    let folder = written(&ledger);
    let problems = problems(folder.path(), None);
    assert!(matches!(problems[..], [Problem::PayloadMissing { sequence: 10, .. }]));
}

#[test]
fn an_erasure_that_was_not_carried_out_is_pointed_at() {
    let mut ledger = ledger(9);
    let digest = Digest::of(&ledger.objects[1]);
    ledger.append("erase", &format!(r#"{{"erased":{{"entries":[4],"objects":["{digest}"]}}}}"#));
    ledger.checkpoint();
    let folder = written(&ledger);
    let report = verify(folder.path(), None).unwrap();
    assert_eq!(
        report.erased_but_present,
        [format!("payload/{}", ledger.payloads[3].digest()), format!("objects/{digest}")]
    );
}

#[test]
fn a_payload_that_is_no_json_object_is_named() {
    for payload in
        ["", "[]", "{", r#"{"objects":[{"name":"x"}]}"#, r#"{"objects":[{"digest":"AB"}]}"#]
    {
        let mut ledger = ledger(3);
        ledger.append("edit", payload);
        ledger.checkpoint();
        let folder = written(&ledger);
        let problems = problems(folder.path(), None);
        assert!(
            matches!(&problems[..], [Problem::Entry { sequence: 4, .. }]),
            "`{payload}` gave {problems:?}"
        );
    }
}

#[test]
fn a_tail_cut_off_is_found() {
    let mut whole = ledger(300);
    let kept = whole.notes.last().unwrap().clone();
    // Entries vanish, the checkpoint stays.
    let folder = written(&whole);
    let bundle = folder.path().join("tile/entries/001.p/44");
    let bytes = fs::read(&bundle).unwrap();
    fs::write(&bundle, &bytes[..bytes.len() - 40]).unwrap();
    assert!(matches!(problems(folder.path(), None)[..], [Problem::File { .. }, ..]));
    fs::remove_file(&bundle).unwrap();
    assert!(matches!(problems(folder.path(), None)[0], Problem::Missing { .. }));

    // The owner of the key cuts the ledger and signs the rest.
    whole.entries.truncate(200);
    whole.payloads.truncate(200);
    whole.objects.truncate(66);
    whole.notes.clear();
    whole.checkpoint();
    let folder = written(&whole);
    verify(folder.path(), None).unwrap();
    assert_eq!(
        problems(folder.path(), Some(&kept)),
        [Problem::CutOff { which: "the checkpoint you kept".to_owned(), signed: 300, size: 200 }]
    );
}

#[test]
fn swapped_entries_are_found_even_when_signed_again() {
    let mut ledger = ledger(9);
    ledger.entries.swap(3, 4);
    ledger.notes.clear();
    let note = ledger.checkpoint();
    // The writer refuses, so the forger writes the files himself, tiles and all.
    let folder = tempfile::tempdir().unwrap();
    let mut sink = |path: &str, content: &mut dyn std::io::Read| put(folder.path(), path, content);
    let mut writer = BundleWriter::new(&mut sink);
    for entry in &ledger.entries[..3] {
        writer.entry(entry).unwrap();
    }
    assert!(matches!(
        writer.entry(&ledger.entries[3]),
        Err(BundleWriteError::Order { expected: 4, found: 5 })
    ));
    drop(writer);
    let (mut entries, mut tile) = (Vec::new(), Vec::new());
    for entry in &ledger.entries {
        assert!(backstay_ledger::tile::push_entry(&mut entries, &entry.to_bytes()));
        tile.extend_from_slice(entry.leaf_hash().as_bytes());
    }
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("tile/entries/000.p/9".to_owned(), entries),
        ("tile/0/000.p/9".to_owned(), tile),
        ("vkey".to_owned(), key().verifier().to_string().into_bytes()),
        ("checkpoint".to_owned(), note.into_bytes()),
    ];
    for payload in &ledger.payloads {
        files.push((format!("payload/{}", payload.digest()), payload.to_bytes()));
    }
    for object in &ledger.objects {
        files.push((format!("objects/{}", Digest::of(object)), object.clone()));
    }
    for (path, bytes) in files {
        put(folder.path(), &path, &mut bytes.as_slice()).unwrap();
    }
    let said: Vec<String> = problems(folder.path(), None).iter().map(Problem::to_string).collect();
    assert_eq!(
        said,
        [
            "entry 4: stands here but calls itself entry 5",
            "entry 5: stands here but calls itself entry 4",
            "entry 5: was recorded before its predecessor",
        ]
    );
}

#[test]
fn swapped_entries_under_the_old_signature_are_found() {
    let folder = written(&ledger(9));
    let path = folder.path().join("tile/entries/000.p/9");
    let bytes = fs::read(&path).unwrap();
    let mut entries = backstay_ledger::tile::split_entries(&bytes).unwrap();
    entries.swap(3, 4);
    let mut swapped = Vec::new();
    for entry in entries {
        assert!(backstay_ledger::tile::push_entry(&mut swapped, entry));
    }
    fs::write(&path, swapped).unwrap();
    let problems = problems(folder.path(), None);
    assert!(problems.iter().any(|p| matches!(p, Problem::Root { .. })));
    // The older checkpoint, over three entries, still holds.
    assert!(!problems.iter().any(|p| matches!(p, Problem::Rewritten { .. })));
}

#[test]
fn history_rewritten_and_signed_again_is_caught_by_an_older_checkpoint() {
    let mut ledger = ledger(300);
    let kept = ledger.notes[0].clone();
    assert_eq!(Checkpoint::unverified(&kept).unwrap().size, 100);
    // The owner changes what entry 50 said and makes everything else fit: payload, digest, tree,
    // tiles, signature.
    ledger.payloads[49].payload = br#"{"rows":["nicer"]}"#.to_vec();
    ledger.entries[49].payload = ledger.payloads[49].digest();
    ledger.notes.clear();
    ledger.checkpoint();
    let folder = written(&ledger);
    let report = verify(folder.path(), None).unwrap();
    assert_eq!(report.size, 300);
    let problems = problems(folder.path(), Some(&kept));
    assert!(matches!(
        &problems[..],
        [Problem::Rewritten { which, size: 100, .. }] if which == "the checkpoint you kept"
    ));

    // The same when the older checkpoint lies in the bundle.
    put(folder.path(), "checkpoints/00000000000000000100", &mut kept.as_bytes()).unwrap();
    assert!(matches!(problems_of(folder.path())[..], [Problem::Rewritten { size: 100, .. }]));
}

fn problems_of(folder: &Path) -> Vec<Problem> {
    problems(folder, None)
}

#[test]
fn a_ledger_that_only_grew_continues_an_older_checkpoint() {
    let mut ledger = ledger(300);
    let kept = ledger.notes.last().unwrap().clone();
    for _ in 0..20 {
        ledger.append("edit", "{}");
    }
    ledger.checkpoint();
    let folder = written(&ledger);
    let report = verify(folder.path(), Some(&kept)).unwrap();
    assert_eq!((report.since_size, report.size), (Some(300), 320));
    assert_eq!(report.earlier_checkpoints, 2);
}

#[test]
fn a_checkpoint_by_another_key_proves_nothing() {
    let ledger = ledger(9);
    let other = SigningKey::from_seed("backstay/test", &[8; 32]).unwrap();
    let checkpoint = Checkpoint::unverified(ledger.notes.last().unwrap()).unwrap();
    let note = checkpoint.sign(&other).unwrap();
    let folder = written(&ledger);
    assert!(matches!(problems(folder.path(), Some(&note))[..], [Problem::Checkpoint { .. }]));
    // A bundle that was signed by somebody else throughout verifies in itself, not under our key.
    fs::write(folder.path().join("checkpoint"), &note).unwrap();
    fs::write(folder.path().join("vkey"), other.verifier().to_string()).unwrap();
    fs::remove_dir_all(folder.path().join("checkpoints")).unwrap();
    let source = FolderSource::new(folder.path());
    let report = verify_bundle(&source, &VerifyOptions::default()).unwrap();
    assert!(report.key_from_bundle);
    assert_eq!(problems(folder.path(), None).len(), 2);
}

#[test]
fn files_that_no_entry_speaks_of_are_listed() {
    let folder = written(&ledger(9));
    let stray = Digest::of(b"stray");
    for path in [format!("objects/{stray}"), "notes.txt".to_owned()] {
        put(folder.path(), &path, &mut b"stray".as_slice()).unwrap();
    }
    let report = verify(folder.path(), None).unwrap();
    assert_eq!(report.unproved, ["notes.txt".to_owned(), format!("objects/{stray}")]);
    // Even so a stray object must be what its name says.
    fs::write(folder.path().join(format!("objects/{stray}")), b"other").unwrap();
    assert!(matches!(problems(folder.path(), None)[..], [Problem::File { .. }]));
}

#[cfg(unix)]
#[test]
fn a_link_in_a_bundle_is_not_followed() {
    let folder = written(&ledger(3));
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("objects/link")).unwrap();
    assert!(matches!(verify(folder.path(), None), Err(VerifyError::Unreadable { .. })));
}

#[test]
fn the_writer_refuses_what_would_not_verify() {
    let ledger = ledger(9);
    let mut sink = |_: &str, content: &mut dyn std::io::Read| {
        std::io::copy(content, &mut std::io::sink()).map(drop)
    };
    let mut writer = BundleWriter::new(&mut sink);
    for entry in &ledger.entries[..8] {
        writer.entry(entry).unwrap();
    }
    let digest = Digest::of(b"what it was");
    assert!(matches!(
        writer.object(&digest, &mut b"what it is".as_slice()),
        Err(BundleWriteError::Object { expected, .. }) if expected == digest
    ));
    assert!(matches!(
        writer.finish(ledger.notes.last().unwrap(), &key().verifier()),
        Err(BundleWriteError::Root { size: 9, written: 8, .. })
    ));
}

#[test]
fn a_recording_time_that_goes_back_is_found() {
    let mut ledger = ledger(5);
    let last = ledger.entries.pop().unwrap();
    let draft = EntryDraft {
        actor: last.actor,
        kind: last.kind,
        arrangements: last.arrangements,
        preconditions: last.preconditions,
        payload: last.payload,
    };
    // Sealed without its predecessor's time, as a forger would.
    let earlier = draft.seal(5, ledger.entries[3].recorded_at_us - 1, None).unwrap().0;
    ledger.entries.push(earlier);
    ledger.notes.clear();
    ledger.checkpoint();
    let folder = written(&ledger);
    assert_eq!(
        problems(folder.path(), None),
        [Problem::Entry { sequence: 5, reason: "was recorded before its predecessor".to_owned() }]
    );
}
