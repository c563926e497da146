//! What crates may depend on: the arrows of ARCHITECTURE, the licences we accept, the crates we
//! ban, and a reason beside every outside crate.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

use super::{Problems, read};

/// The whole allowed set of arrows between our crates.
const EDGES: &[(&str, &[&str])] = &[
    ("backstay-calendar", &[]),
    ("backstay-credits", &[]),
    ("backstay-ledger", &[]),
    ("backstay-privacy", &[]),
    ("backstay-sampling", &[]),
    ("backstay-drift", &[]),
    ("backstay-access", &[]),
    ("backstay-forecast", &[]),
    ("backstay-sim", &[]),
    ("backstay-evidence", &["backstay-privacy"]),
    (
        "backstay-store",
        &["backstay-ledger", "backstay-evidence", "backstay-privacy", "backstay-access"],
    ),
    (
        "backstay-engine",
        &[
            "backstay-evidence",
            "backstay-calendar",
            "backstay-sampling",
            "backstay-drift",
            "backstay-credits",
            "backstay-forecast",
        ],
    ),
    ("backstay-report", &["backstay-engine"]),
    (
        "backstay-desk",
        &[
            "backstay-privacy",
            "backstay-evidence",
            "backstay-store",
            "backstay-engine",
            "backstay-report",
        ],
    ),
    (
        "backstay-server",
        &[
            "backstay-access",
            "backstay-desk",
            "backstay-evidence",
            "backstay-store",
            "backstay-engine",
            "backstay-report",
        ],
    ),
    (
        "backstay-cli",
        &[
            "backstay-calendar",
            "backstay-ledger",
            "backstay-privacy",
            "backstay-evidence",
            "backstay-store",
            "backstay-engine",
            "backstay-report",
            "backstay-sampling",
            "backstay-access",
            "backstay-desk",
            "backstay-server",
        ],
    ),
    ("xtask", &["backstay-sim"]),
];

/// Arrows allowed in tests only.
const TEST_EDGES: &[(&str, &str)] =
    &[("backstay-cli", "backstay-sim"), ("backstay-report", "backstay-evidence")];

/// Features that only dev-dependencies may switch on.
const TEST_FEATURES: &[&str] = &["faults"];

/// Crates that must stay in one of ours.
const KEPT_IN: &[(&str, &str)] = &[
    ("datafusion", "backstay-engine"),
    ("rusqlite", "backstay-store"),
    ("clap", "backstay-cli"),
    ("ed25519-dalek", "backstay-ledger"),
    ("cedar-policy", "backstay-access"),
    ("argon2", "backstay-access"),
    ("axum", "backstay-server"),
];

/// Crates that must not be in the tree of what we ship, and why.
const BANNED: &[(&str, &str)] = &[
    ("openssl", "needs a system library; the product is one binary"),
    ("openssl-sys", "needs a system library; the product is one binary"),
    ("native-tls", "needs a system library; the product is one binary"),
];

/// Licences we accept, as SPDX ids.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
    "0BSD",
    "bzip2-1.0.6",
];

/// Checks edges, homes, bans, licences and reasons.
///
/// # Errors
/// When cargo cannot be asked.
pub fn check(root: &Path) -> Result<Problems, String> {
    let metadata = metadata(root)?;
    let mut problems = Vec::new();
    let none = Vec::new();
    let packages = metadata.get("packages").and_then(Value::as_array).unwrap_or(&none);
    let mut used = BTreeSet::new();
    for package in packages {
        if package["source"].is_null() {
            check_ours(package, &mut problems);
            let dependencies = package["dependencies"].as_array().unwrap_or(&none);
            used.extend(dependencies.iter().filter_map(|dependency| dependency["name"].as_str()));
        } else {
            check_outside(package, &mut problems);
        }
    }
    check_reasons(&read(&root.join("Cargo.toml"))?, &used, &mut problems);
    Ok(problems)
}

fn metadata(root: &Path) -> Result<Value, String> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`cargo metadata --locked` failed: {}", said.trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

fn check_ours(package: &Value, problems: &mut Problems) {
    let name = package["name"].as_str().unwrap_or_default();
    let allowed: BTreeMap<_, _> = EDGES.iter().copied().collect();
    let Some(allowed) = allowed.get(name) else {
        problems.push(format!("crate `{name}` is not in the map of xtask/src/tidy/crates.rs"));
        return;
    };
    let none = Vec::new();
    for dependency in package["dependencies"].as_array().unwrap_or(&none) {
        let to = dependency["name"].as_str().unwrap_or_default();
        let in_tests = dependency["kind"] == "dev";
        if dependency["source"].is_null() {
            // A crate may test itself with other features.
            let in_test = to == name || TEST_EDGES.contains(&(name, to));
            let fits = allowed.contains(&to) || in_tests && in_test;
            let features = dependency["features"].as_array().unwrap_or(&none);
            if !in_tests
                && features
                    .iter()
                    .any(|feature| TEST_FEATURES.contains(&feature.as_str().unwrap_or_default()))
            {
                problems.push(format!("`{name}` ships a feature of `{to}` that is for tests only"));
            }
            if !fits {
                problems.push(format!("arrow {name} → {to} is not allowed; see ARCHITECTURE.md"));
            }
        } else if let Some((_, home)) = KEPT_IN.iter().find(|(kept, _)| *kept == to)
            && *home != name
        {
            problems.push(format!("`{to}` is kept in `{home}`, but `{name}` depends on it"));
        }
    }
}

fn check_outside(package: &Value, problems: &mut Problems) {
    let name = package["name"].as_str().unwrap_or_default();
    if let Some((_, why)) = BANNED.iter().find(|(banned, _)| *banned == name) {
        problems.push(format!("`{name}` is banned: {why}"));
    }
    match package["license"].as_str() {
        Some(expression) if accepts(expression) => {}
        Some(expression) => problems.push(format!("`{name}`: licence {expression} not accepted")),
        None => problems.push(format!("`{name}` states no licence")),
    }
}

/// Whether an SPDX expression can be met with the licences we accept. `OR` needs one side, `AND`
/// both; `/` is the old way to write `OR`; an exception (`WITH …`) only adds permissions.
fn accepts(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let met = any_of(&mut rest);
    met && rest.is_empty()
}

fn any_of(rest: &mut &[&str]) -> bool {
    let mut met = all_of(rest);
    while let ["OR", tail @ ..] = *rest {
        *rest = tail;
        met |= all_of(rest);
    }
    met
}

fn all_of(rest: &mut &[&str]) -> bool {
    let mut met = one(rest);
    while let ["AND", tail @ ..] = *rest {
        *rest = tail;
        met &= one(rest);
    }
    met
}

fn one(rest: &mut &[&str]) -> bool {
    match *rest {
        ["(", tail @ ..] => {
            *rest = tail;
            let met = any_of(rest);
            if let [")", tail @ ..] = *rest {
                *rest = tail;
            }
            met
        }
        [id, "WITH", _, tail @ ..] | [id, tail @ ..] => {
            *rest = tail;
            LICENCES.contains(id)
        }
        [] => false,
    }
}

/// Every outside crate of the workspace has a comment above it, alone or with its neighbours, and one
/// of ours uses it.
fn check_reasons(manifest: &str, used: &BTreeSet<&str>, problems: &mut Problems) {
    let mut inside = false;
    let mut explained = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
        } else if inside && line.starts_with("# ---") {
            explained = false;
        } else if inside && line.starts_with('#') {
            explained = true;
        } else if inside && let Some((name, value)) = line.split_once('=') {
            let ours = value.contains("path =");
            if !used.contains(name.trim()) && !ours {
                problems.push(format!("Cargo.toml: no crate uses `{}`", name.trim()));
            }
            if !explained && !ours {
                problems.push(format!("Cargo.toml: `{}` has no reason beside it", name.trim()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_met_by_one_side_of_or_and_both_sides_of_and() {
        assert!(accepts("MIT OR Apache-2.0"));
        assert!(accepts("Unlicense/MIT"));
        assert!(accepts("(Apache-2.0 OR MIT) AND BSD-3-Clause"));
        assert!(accepts("GPL-3.0 OR MIT"));
        assert!(accepts("Apache-2.0 WITH LLVM-exception"));
        assert!(!accepts("GPL-3.0"));
        assert!(!accepts("MIT AND GPL-3.0"));
        assert!(!accepts(""));
    }

    #[test]
    fn a_dependency_without_a_reason_or_a_use_is_named() {
        let mut problems = Vec::new();
        let manifest = "[workspace.dependencies]\n# --- a\nserde = \"1\"\n# toml: people edit it.\ntoml = \"1\"\n";
        check_reasons(manifest, &BTreeSet::from(["serde"]), &mut problems);
        assert_eq!(
            problems,
            ["Cargo.toml: `serde` has no reason beside it", "Cargo.toml: no crate uses `toml`"]
        );
    }
}
