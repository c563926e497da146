//! Repository chores. `test` is the one test command; `tidy` checks the repository itself;
//! `example` writes the worked example anew; `sim-trial` runs many others. Nothing here is part of the product.

mod browser;
mod example;
mod shots;
mod steps;
mod tidy;
mod trial;
mod web;

use std::{path::PathBuf, process::ExitCode};

const HELP: &str = "\
Repository chores

usage: cargo xtask <command>

  test             formatting, clippy, tidy, then all tests; what CI runs
  tidy             crate edges, licences, banned crates, permanent ids, paths in documents, file lengths
  tidy --write     the same, and adds new permanent ids to xtask/permanent-ids.txt
  example          writes examples/meridian anew from its fixed seed
  example --check  fails when examples/meridian is not what the seed gives
  sim-trial        simulated operations through the release binary, each held against its truth
                   [--seeds 50] [--from 1] [--size 100, per cent of the worked example's cases]
  shots            the HTML report and every page of the server in a real Chromium: pictures at 360
                   and 1440 px, light, dark and (the report) in print; a script checks overflow,
                   contrast, links and requests, axe-core the pages of the server
                   [--out DIR] [--quick, without the real log, an empty and a hostile workspace]
                   [--report] [--server] [--page FILE, only that one]
  shots --readme   only the picture that the README shows
                   [--as-built, here and below: the program as it was built before]
  journey          what people do in the browser from first start to export, with and without scripts
  schema-check     every route of the interface for machines, asked by schemathesis
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root();
    let outcome = match words.as_slice() {
        ["test"] => steps::test(&root),
        ["tidy"] => tidy::run(&root, false),
        ["tidy", "--write"] => tidy::run(&root, true),
        ["example"] => example::run(&root, false),
        ["example", "--check"] => example::run(&root, true),
        ["sim-trial", options @ ..] => {
            trial::Trial::parse(options).and_then(|trial| trial::run(&root, trial))
        }
        ["shots", options @ ..] => {
            shots::Shots::parse(options, &root).and_then(|asked| shots::run(&root, &asked))
        }
        ["schema-check"] => shots::schema(&root, false),
        ["schema-check", "--as-built"] => shots::schema(&root, true),
        ["journey"] => shots::journeys(&root, false),
        ["journey", "--as-built"] => shots::journeys(&root, true),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("error: no such chore: `{}`\n\n{HELP}", arguments.join(" "));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the checkout: the nearest folder above that holds this crate. A path that was compiled in
/// could be another checkout's, since a build folder may serve several.
fn root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let above = here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file());
    above.unwrap_or(&here).to_path_buf()
}
