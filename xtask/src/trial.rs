//! `cargo xtask sim-trial`: many simulated operations through the real binary, each held against its
//! own truth. Owns the running; it must never judge: that is `backstay_sim::differences`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use backstay_sim::{Scenario, differences, simulate};
use serde_json::Value;

/// What is to be tried.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// First seed.
    pub from: u64,
    /// How many seeds.
    pub seeds: u64,
    /// Cases in per cent of the worked example's.
    pub size: i64,
}

impl Trial {
    /// Reads `--seeds N`, `--from N` and `--size PERCENT`.
    ///
    /// # Errors
    /// A word that is none of these, or no number after it.
    pub fn parse(words: &[&str]) -> Result<Self, String> {
        let mut trial = Self { from: 1, seeds: 50, size: 100 };
        for pair in words.chunks(2) {
            let (name, value) = match pair {
                [name, value] => (*name, *value),
                _ => return Err(format!("`{}` wants a number", pair.concat())),
            };
            let number: u32 =
                value.parse().map_err(|_| format!("`{name} {value}`: that is no whole number"))?;
            match name {
                "--seeds" => trial.seeds = number.into(),
                "--from" => trial.from = number.into(),
                "--size" => trial.size = number.into(),
                _ => {
                    return Err(format!(
                        "no such option: `{name}`; there are --seeds, --from, --size"
                    ));
                }
            }
        }
        Ok(trial)
    }
}

/// Builds the release binary and tries every seed, two at a time.
///
/// # Errors
/// Every difference found, with its seed.
pub fn run(root: &Path, trial: Trial) -> Result<(), String> {
    let binary = build(root)?;
    let scratch = target(root).join("sim-trial");
    fs::create_dir_all(&scratch).map_err(|cause| format!("{}: {cause}", scratch.display()))?;
    let next = AtomicU64::new(trial.from);
    let failures = Mutex::new(Vec::new());
    let end = trial.from.saturating_add(trial.seeds);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let scenario = Scenario::trial(seed, trial.size);
                    let said = one(&binary, &scratch.join(seed.to_string()), &scenario);
                    let line = match &said {
                        Ok(line) => format!("seed {seed}: {line}"),
                        Err(found) => format!("seed {seed}: FAILED\n  {}", found.join("\n  ")),
                    };
                    eprintln!("{line}");
                    if said.is_err()
                        && let Ok(mut all) = failures.lock()
                    {
                        all.push(seed);
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().map_err(|_| "a trial ended in a panic".to_owned())?;
    failures.sort_unstable();
    if failures.is_empty() {
        println!(
            "{} seeds: everything planted was found, and nothing else; every figure as simulated",
            trial.seeds
        );
        return Ok(());
    }
    Err(format!(
        "{} of {} seeds differ: {failures:?}; their folders are kept under {}",
        failures.len(),
        trial.seeds,
        scratch.display()
    ))
}

/// One seed; its folder goes when all is well.
fn one(binary: &Path, folder: &Path, scenario: &Scenario) -> Result<String, Vec<String>> {
    let alone = |cause: String| vec![cause];
    let failed = |cause: std::io::Error| vec![format!("{}: {cause}", folder.display())];
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    let outcome = simulate(scenario).map_err(|cause| alone(cause.to_string()))?;
    let handed = folder.join("handed-in");
    outcome.write(&handed).map_err(|cause| alone(cause.to_string()))?;
    let workspace = folder.join("workspace");
    let workspace = workspace.display().to_string();
    let init = Command::new(binary).args(["init", &workspace]).output().map_err(failed)?;
    if !init.status.success() {
        return Err(alone(String::from_utf8_lossy(&init.stderr).into_owned()));
    }
    let mut ask = |arguments: &[&str]| ask(binary, &workspace, arguments);
    let found = differences(&outcome.truth, &handed.display().to_string(), &mut ask);
    let found = found.map_err(alone)?;
    if !found.is_empty() {
        return Err(found);
    }
    fs::remove_dir_all(folder).map_err(failed)?;
    let missed: usize = outcome.truth.measures.iter().map(|row| row.missed.len()).sum();
    Ok(format!(
        "{} planted, {} figures, {missed} missed cases, all as simulated",
        outcome.truth.plants.len(),
        outcome.truth.measures.len()
    ))
}

fn ask(binary: &Path, workspace: &str, arguments: &[&str]) -> Result<Value, String> {
    let said = Command::new(binary)
        .args(["-w", workspace])
        .args(arguments)
        .env("BACKSTAY_ACTOR", "sim-trial")
        .output()
        .map_err(|cause| format!("cannot start {}: {cause}", binary.display()))?;
    let asked = || arguments.first().copied().unwrap_or_default();
    if !said.status.success() {
        let error = String::from_utf8_lossy(&said.stderr);
        return Err(format!("`backstay {}` failed: {}", asked(), error.trim()));
    }
    serde_json::from_slice(&said.stdout)
        .map_err(|cause| format!("`backstay {}` gave no JSON: {cause}", asked()))
}

fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// The release binary: fifty operations in a debug build take hours.
fn build(root: &Path) -> Result<PathBuf, String> {
    eprintln!("building the release binary");
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "-p", "backstay-cli"])
        .current_dir(root)
        .status()
        .map_err(|cause| format!("cannot start cargo: {cause}"))?;
    if !built.success() {
        return Err("the release build failed".into());
    }
    Ok(target(root).join("release").join(format!("backstay{}", env::consts::EXE_SUFFIX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_or_refused_by_name() {
        let read = |words: &[&str]| Trial::parse(words).map(|t| (t.from, t.seeds, t.size));
        assert_eq!(read(&[]), Ok((1, 50, 100)));
        assert_eq!(read(&["--seeds", "3", "--from", "9"]), Ok((9, 3, 100)));
        assert!(read(&["--seeds"]).is_err_and(|message| message.contains("--seeds")));
        assert!(read(&["--sedes", "3"]).is_err_and(|message| message.contains("--sedes")));
        assert!(read(&["--seeds", "x"]).is_err_and(|message| message.contains("whole number")));
    }
}
