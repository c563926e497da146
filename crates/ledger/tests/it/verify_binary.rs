//! The program itself: what it prints and how it exits.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::fixture::{key, ledger};

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_backstay-verify")).args(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_good_bundle_exits_0_and_reads_well() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    let ledger = ledger(9);
    ledger.write(&bundle);
    let since = folder.path().join("kept");
    fs::write(&since, &ledger.notes[0]).unwrap();
    let vkey = key().verifier().to_string();
    let (code, stdout, stderr) =
        run(&[text(&bundle), "--since", text(&since), &format!("--vkey={vkey}")]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let root = backstay_ledger::Checkpoint::unverified(&ledger.notes[1]).unwrap().root;
    assert_eq!(
        stdout,
        format!(
            "VERIFIED: backstay/test
  entries      9 (edit 5, import 3, init 1)
  recorded     2026-01-01T00:00:01Z to 2026-01-01T00:00:09Z
  root         {root}
  tiles        1
  payloads     9
  objects      3
  checkpoints  1 older ones continued
  since        continues yours of 3 entries
  key          {vkey}
"
        )
    );
}

#[test]
fn without_key_and_checkpoint_it_says_what_it_cannot_know() {
    let bundle = tempfile::tempdir().unwrap();
    ledger(9).write(bundle.path());
    let (code, stdout, _) = run(&[text(bundle.path())]);
    assert_eq!(code, 0);
    assert!(stdout.contains("taken from the bundle itself"), "{stdout}");
    assert!(stdout.contains("not asked"), "{stdout}");
}

#[test]
fn a_bad_bundle_exits_1_and_names_the_place() {
    let bundle = tempfile::tempdir().unwrap();
    let ledger = ledger(9);
    ledger.write(bundle.path());
    let digest = ledger.payloads[4].digest();
    fs::write(bundle.path().join(format!("payload/{digest}")), [0; 40]).unwrap();
    let (code, stdout, _) = run(&[text(bundle.path())]);
    assert_eq!(code, 1);
    assert!(stdout.starts_with("NOT VERIFIED"), "{stdout}");
    assert!(stdout.contains(&format!("entry 5: `payload/{digest}`")), "{stdout}");
}

#[test]
fn json_output_says_the_same() {
    let bundle = tempfile::tempdir().unwrap();
    let ledger = ledger(9);
    ledger.write(bundle.path());
    let (code, stdout, _) = run(&[text(bundle.path()), "--format", "json"]);
    let value: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, 0);
    assert_eq!(value["schema"], "backstay-verify/1");
    assert_eq!(value["verified"], true);
    assert_eq!(value["report"]["size"], 9);
    assert_eq!(value["report"]["payloads"], 9);

    fs::remove_dir_all(bundle.path().join("objects")).unwrap();
    let (code, stdout, _) = run(&["--format=json", text(bundle.path())]);
    let value: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, 1);
    assert_eq!(value["verified"], false);
    assert_eq!(value["problem_count"], 3);
    assert_eq!(value["problems"].as_array().unwrap().len(), 3);
}

#[test]
fn wrong_usage_exits_2_and_says_why() {
    let bundle = tempfile::tempdir().unwrap();
    ledger(3).write(bundle.path());
    let bundle = text(bundle.path());
    for (arguments, reason) in [
        (vec![], "no bundle given"),
        (vec!["/nowhere/bundle"], "is not a folder"),
        (vec![bundle, bundle], "give one bundle"),
        (vec![bundle, "--fast"], "unknown option `--fast`"),
        (vec![bundle, "--since"], "`--since` needs a value"),
        (vec![bundle, "--since", "/nowhere/note"], "cannot read `/nowhere/note`"),
        (vec![bundle, "--vkey", "backstay+1+x"], "is not a verifier key"),
        (vec![bundle, "--format", "xml"], "unknown format `xml`"),
        (vec![bundle, "--format=json", "--format=text"], "given twice"),
    ] {
        let (code, stdout, stderr) = run(&arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert_eq!(stdout, "", "{arguments:?}");
        assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
    }
}

#[test]
fn help_and_version_exit_0() {
    let (code, stdout, _) = run(&["--help"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("Examples:"), "{stdout}");
    let (code, stdout, _) = run(&["-V"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("backstay-verify "), "{stdout}");
}
