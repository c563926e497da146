//! Permanent ids: tables, their columns, mappings, controls and metrics. An id that was once
//! released is in `xtask/permanent-ids.txt` and never leaves it.

use std::{collections::BTreeSet, fs, path::Path};

use super::{Problems, read};

const REGISTER: &str = "xtask/permanent-ids.txt";

/// Compares the ids in the tree with the register.
///
/// # Errors
/// When a file cannot be read or written.
pub fn check(root: &Path, write: bool) -> Result<Problems, String> {
    let present = present(root)?;
    let path = root.join(REGISTER);
    let text = if path.exists() { read(&path)? } else { String::new() };
    let registered: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let mut problems: Problems = registered
        .difference(&present)
        .map(|id| format!("permanent id `{id}` is gone; bring it back, or mark it retired"))
        .collect();
    let new: Vec<&String> = present.difference(&registered).collect();
    if write && problems.is_empty() {
        let all: Vec<&str> = present.iter().map(String::as_str).collect();
        fs::write(&path, all.join("\n") + "\n").map_err(|error| format!("{REGISTER}: {error}"))?;
    } else {
        let remedy = "run `cargo xtask tidy --write` to make it permanent";
        problems.extend(new.iter().map(|id| format!("new id `{id}`; {remedy}")));
    }
    Ok(problems)
}

fn present(root: &Path) -> Result<BTreeSet<String>, String> {
    let mut ids = BTreeSet::new();
    for (stem, text) in files(&root.join("vocabulary"), "toml")? {
        let table: toml::Table =
            text.parse().map_err(|error| format!("vocabulary/{stem}.toml: {error}"))?;
        ids.insert(format!("table {stem}"));
        let columns = table.get("columns").and_then(toml::Value::as_array);
        for column in columns.into_iter().flatten() {
            let id = column.get("id").and_then(toml::Value::as_integer).unwrap_or_default();
            let field = |key: &str| column.get(key).and_then(toml::Value::as_str).unwrap_or("?");
            ids.insert(format!("column {stem} {id} {} {}", field("name"), field("type")));
        }
    }
    for (stem, _) in files(&root.join("mappings"), "toml")? {
        ids.insert(format!("mapping {stem}"));
    }
    let catalogue = root.join("catalogue");
    let folders = fs::read_dir(&catalogue).map_err(|e| format!("{}: {e}", catalogue.display()))?;
    for folder in folders {
        let folder = folder.map_err(|error| error.to_string())?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !folder.is_dir() {
            continue;
        }
        for (stem, _) in files(&folder, "md")? {
            let kind = if name == "metrics" { "metric" } else { "control" };
            ids.insert(if stem == "risk" {
                format!("risk {name}")
            } else {
                format!("{kind} {stem}")
            });
        }
    }
    Ok(ids)
}

fn files(folder: &Path, extension: &str) -> Result<Vec<(String, String)>, String> {
    let listed = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut found = Vec::new();
    for entry in listed {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_some_and(|found| found == extension) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            found.push((stem, read(&path)?));
        }
    }
    found.sort();
    Ok(found)
}
