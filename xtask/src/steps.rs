//! The steps of `cargo xtask test`, in the order in which they fail fastest. Each step is one
//! command that can be run by hand; nothing is skipped.

use std::{path::Path, process::Command};

use crate::{shots, tidy};

/// Runs every step; stops at the first that fails.
///
/// # Errors
/// What failed, and how to mend it.
pub fn test(root: &Path) -> Result<(), String> {
    need(root, &["fmt", "--version"], "rustup component add rustfmt")?;
    need(root, &["clippy", "--version"], "rustup component add clippy")?;
    say("formatting");
    cargo(root, &["fmt", "--all", "--check"], "run `cargo fmt --all`")?;
    say("tidy");
    tidy::run(root, false)?;
    say("clippy");
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    cargo(root, &clippy, "mend what clippy names; warnings are denied")?;
    say("pages");
    shots::check(root)?;
    say("interface");
    shots::schema(root, true)?;
    say("tests");
    let data = root.join("../shared/data");
    if std::env::var_os("BACKSTAY_TEST_DATA").is_none() && !data.is_dir() {
        eprintln!(
            "note: real data is neither at {} nor at $BACKSTAY_TEST_DATA; \
             the tests that need it will fail and say so",
            data.display()
        );
    }
    // Examples in documentation first, so that the last lines are those of the tests proper.
    cargo(root, &["test", "--workspace", "--doc"], "see the failures above")?;
    cargo(root, &["test", "--workspace", "--lib", "--bins", "--tests"], "see the failures above")
}

fn say(step: &str) {
    eprintln!("== {step}");
}

fn need(root: &Path, arguments: &[&str], remedy: &str) -> Result<(), String> {
    let found = Command::new("cargo").args(arguments).current_dir(root).output();
    match found {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(format!("`cargo {}` does not run; install it: `{remedy}`", arguments.join(" "))),
    }
}

fn cargo(root: &Path, arguments: &[&str], remedy: &str) -> Result<(), String> {
    let status = Command::new("cargo")
        .args(arguments)
        .current_dir(root)
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`cargo {}` failed; {remedy}", arguments.join(" ")))
    }
}
