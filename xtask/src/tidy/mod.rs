//! Checks of the repository itself. Each check returns what is wrong, with place and remedy; all
//! of them run before the first is reported.

mod crates;
mod ids;
mod text;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// One thing that is wrong.
pub type Problems = Vec<String>;

/// Runs all checks.
///
/// # Errors
/// All problems, one a line.
pub fn run(root: &Path, write: bool) -> Result<(), String> {
    let files = tracked(root)?;
    let mut problems = crates::check(root)?;
    problems.extend(ids::check(root, write)?);
    problems.extend(text::check(root, &files)?);
    if problems.is_empty() {
        eprintln!("tidy: {} files, nothing to mend", files.len());
        return Ok(());
    }
    for problem in &problems {
        eprintln!("tidy: {problem}");
    }
    Err(format!("{} things to tidy", problems.len()))
}

/// The files of the checkout, tracked or new, without ignored ones; paths relative to the root.
fn tracked(root: &Path) -> Result<Vec<PathBuf>, String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot start git: {error}"))?;
    if !output.status.success() {
        return Err("`git ls-files` failed; tidy needs a git checkout".to_owned());
    }
    let listed = String::from_utf8_lossy(&output.stdout);
    let existing = listed.lines().map(PathBuf::from).filter(|path| root.join(path).is_file());
    Ok(existing.collect())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
