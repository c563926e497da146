//! What stands in files: lengths of source files, and paths that documents name.

use std::path::{Path, PathBuf};

use super::{Problems, read};

/// Lines after which a source file must say why it is so long.
const LONG: usize = 600;
/// The words with which it says so.
const EXCUSE: &str = "Longer than most because";

/// Where every change of a file is a fault point.
const DISK_OF: &str = "crates/store/src";
/// What changes files, and so belongs to `disk.rs` there.
const DISK_CALLS: &[&str] = &[
    "fs::write(",
    "fs::copy(",
    "fs::rename(",
    "fs::hard_link(",
    "fs::create_dir",
    "fs::remove_",
    "fs::set_permissions(",
    "File::create",
    "File::options(",
    "OpenOptions",
    ".sync_all(",
    ".sync_data(",
    ".set_len(",
    ".persist",
    "tempfile_in(",
    "tempdir_in(",
    "tempfile()",
    "tempdir()",
    "NamedTempFile::new",
    "TempDir::new",
];

/// Checks source files and documents.
///
/// # Errors
/// When a file cannot be read.
pub fn check(root: &Path, files: &[PathBuf]) -> Result<Problems, String> {
    let mut problems = Vec::new();
    for path in files {
        let extension = path.extension().and_then(|found| found.to_str()).unwrap_or_default();
        match extension {
            "rs" => check_source(path, &read(&root.join(path))?, &mut problems),
            // Assets are copies of documents that live elsewhere.
            "md" if path.components().any(|part| part.as_os_str() == "assets") => {}
            "md" => check_document(root, path, &read(&root.join(path))?, &mut problems),
            _ => {}
        }
    }
    Ok(problems)
}

fn check_source(path: &Path, text: &str, problems: &mut Problems) {
    let name = path.display();
    let lines = text.lines().count();
    if lines > LONG && !text.lines().take(30).any(|line| line.contains(EXCUSE)) {
        problems.push(format!("{name}: {lines} lines; split it, or say `{EXCUSE} …` at its head"));
    }
    if !text.starts_with("//!") && !text.starts_with("#!") {
        problems.push(format!("{name}: opens without saying what it owns (`//! …`)"));
    }
    if path.starts_with(DISK_OF) && !path.ends_with("disk.rs") && !path.ends_with("fault.rs") {
        check_disk(path, text, problems);
    }
}

/// Changes of files that go past the fault points.
fn check_disk(path: &Path, text: &str, problems: &mut Problems) {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or(text);
    for (number, line) in shipped.lines().enumerate() {
        if let Some(call) = DISK_CALLS.iter().find(|call| line.contains(*call)) {
            problems.push(format!(
                "{}:{}: `{call}` goes past the fault points: use `disk`",
                path.display(),
                number + 1
            ));
        }
    }
}

/// Relative links, and words in backticks that start like a path of this repository, must exist.
fn check_document(root: &Path, path: &Path, text: &str, problems: &mut Problems) {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let place = format!("{}:{}", path.display(), number + 1);
        for target in links(line) {
            if !root.join(folder).join(target).exists() {
                problems.push(format!("{place}: link to `{target}`, which does not exist"));
            }
        }
        for word in line.split('`').skip(1).step_by(2) {
            if is_path(word) && !root.join(word).exists() && !root.join(folder).join(word).exists()
            {
                problems.push(format!("{place}: names `{word}`, which does not exist"));
            }
        }
    }
}

/// Targets of Markdown links within the repository.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        (!target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
            .then_some(target)
    })
}

fn is_path(word: &str) -> bool {
    const ROOMS: &[&str] = &[
        "crates/",
        "vocabulary/",
        "mappings/",
        "catalogue/",
        "examples/",
        "docs/",
        "bench/",
        "xtask/",
        ".ci/",
    ];
    ROOMS.iter().any(|room| word.starts_with(room)) && !word.contains([' ', '<', '*', '{', '…'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_file_past_the_fault_points_is_named_but_not_in_tests() {
        let mut problems = Vec::new();
        let text = "let a = File::open(p);\nfs::write(p, b);\n#[cfg(test)]\nfs::remove_file(p);\n";
        check_disk(Path::new("crates/store/src/x.rs"), text, &mut problems);
        assert_eq!(
            problems,
            ["crates/store/src/x.rs:2: `fs::write(` goes past the fault points: use `disk`"]
        );
    }

    #[test]
    fn a_document_that_names_a_missing_path_is_reported_with_its_line() {
        let mut problems = Vec::new();
        let text = "see `docs/nowhere.md`\nand [this](nothing.md) but not `docs/<name>.md`\n";
        check_document(Path::new("/nonexistent"), Path::new("README.md"), text, &mut problems);
        assert_eq!(
            problems,
            [
                "README.md:1: names `docs/nowhere.md`, which does not exist",
                "README.md:2: link to `nothing.md`, which does not exist",
            ]
        );
    }

    #[test]
    fn a_long_file_needs_an_excuse() {
        let mut problems = Vec::new();
        let long = format!("//! Owns.\n{}", "x\n".repeat(LONG));
        check_source(Path::new("a.rs"), &long, &mut problems);
        assert_eq!(problems.len(), 1);
        let excused = format!("//! Owns.\n//! {EXCUSE} of tables.\n{}", "x\n".repeat(LONG));
        problems.clear();
        check_source(Path::new("a.rs"), &excused, &mut problems);
        assert_eq!(problems, Vec::<String>::new());
    }
}
