//! The worked example against its own truth, and one of another seed: what came in, every figure,
//! every missed case, every status, every part of every difference. `cargo xtask sim-trial` does the
//! same on many seeds.

use backstay_sim::{MERIDIAN_SEED, Scenario, Truth, differences, simulate};
use serde_json::Value;

use crate::sandbox::{Sandbox, repository};

/// The truth against a fresh workspace with these files; what the product answered, to ask again.
#[track_caller]
fn answers(truth: &Truth, folder: &str, sandbox: &Sandbox) -> Vec<Value> {
    let mut answers = Vec::new();
    let found = differences(truth, folder, &mut |args| {
        let answer = sandbox.ws(args).json();
        answers.push(answer.clone());
        Ok(answer)
    });
    let found = found.unwrap();
    assert!(found.is_empty(), "seed {}:\n{}", truth.seed, found.join("\n"));
    answers
}

#[test]
fn the_example_comes_out_as_its_truth_says_and_a_truth_that_says_otherwise_is_noticed() {
    let folder = repository("examples/meridian").canonicalize().unwrap();
    let mut truth: Truth =
        serde_json::from_slice(&std::fs::read(folder.join("truth.json")).unwrap()).unwrap();
    assert_eq!(truth.seed, MERIDIAN_SEED);
    let folder = folder.to_str().unwrap();
    let answers = answers(&truth, folder, &Sandbox::with_workspace());

    truth.imports[0].accepted += 1;
    truth.measures[0].numerator += 1;
    let missed = truth.measures.iter_mut().find(|row| !row.missed.is_empty()).unwrap();
    missed.missed[0].working_minutes += 1;
    truth.ladders[0].agrees = !truth.ladders[0].agrees;
    truth.controls[0].status = "stale".into();
    truth.plants.retain(|plant| plant.kind != "evidence-missing");
    let mut again = answers.into_iter();
    let found = differences(&truth, folder, &mut |_| Ok(again.next().unwrap())).unwrap();
    let parts = ["accepted of", "met and counted of", "working time", "agreement at", "status of"];
    for part in parts.iter().chain(&["findings"]) {
        assert!(found.iter().any(|line| line.starts_with(part)), "{part}: {found:?}");
    }
}

#[test]
fn an_operation_of_another_seed_comes_out_as_its_truth_says() {
    let outcome = simulate(&Scenario::trial(6, 50)).unwrap();
    assert!(!outcome.truth.plants.is_empty());
    let sandbox = Sandbox::with_workspace();
    let folder = sandbox.path("handed-in");
    outcome.write(&folder).unwrap();
    answers(&outcome.truth, folder.to_str().unwrap(), &sandbox);
}

#[test]
fn demo_needs_nothing_but_the_binary_and_says_what_to_try_next() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run_with(&["demo"], &[("COLUMNS", "80")]).ok();
    assert!(shown.contains("Assessment of 2026-10"), "{shown}");
    assert!(shown.contains("? work-visible") || shown.contains("✗ deficient"), "{shown}");
    let prose = shown.lines().filter(|line| !line.trim_start().starts_with("backstay "));
    for line in prose {
        assert!(line.chars().count() <= 80, "{line}");
    }
    // Every command that it proposes does its work.
    let mut proposed = 0;
    for line in shown.lines().filter_map(|line| line.trim_start().strip_prefix("backstay ")) {
        let words = shell_words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        sandbox.run(&words).ok();
        proposed += 1;
    }
    assert!(proposed >= 6, "{shown}");
    let again = sandbox.run(&["demo"]).ok();
    assert!(again.contains("`backstay-demo-2/handed-in`"), "{again}");
    let taken = sandbox.run(&["demo", "backstay-demo"]).fails(1);
    assert!(taken.contains("error: `backstay-demo` is not empty"), "{taken}");
}

/// Words as a shell parts them; single quotes only, which is what the product writes.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, piece) in line.split('\'').enumerate() {
        if n % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}
