//! axe-core, the public checker of accessibility: had from the package registry at the time of the test
//! and held against its digest. It is under MPL-2.0, so it is used here and stands nowhere in the project.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::browser::{Browser, Screen, Tab};

/// Its version.
const VERSION: &str = "4.14.1";
/// SHA-256 of its one file.
const DIGEST: &str = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c";
/// Its file within the package.
const FILE: &str = "package/axe.min.js";
/// Names a copy that somebody has already.
const NAMED: &str = "BACKSTAY_AXE";
/// What is asked: the success criteria of WCAG 2.0, 2.1 and 2.2, levels A and AA, and what the checker
/// calls good practice.
const ASK: &str = "axe.run(document, { runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', \
    'wcag21aa', 'wcag22aa', 'best-practice'] }, resultTypes: ['violations'] }).then((found) => \
    found.violations.map((v) => `axe: ${v.id}: ${v.help} (${v.nodes.length} times), first at ${v.nodes[0].html.slice(0, 160)}`))";

/// The checker.
pub struct Axe(String);

impl Axe {
    /// Out of `$BACKSTAY_AXE`, or of the build folder, or of the registry by npm.
    ///
    /// # Errors
    /// None can be had, or it is not the one that was pinned.
    pub fn fetch(target: &Path) -> Result<Self, String> {
        if let Some(named) = env::var_os(NAMED).map(PathBuf::from) {
            return read(&named);
        }
        let folder = target.join("tools").join(format!("axe-core-{VERSION}"));
        let kept = folder.join(FILE);
        if !kept.is_file() {
            pack(&folder).map_err(|why| {
                format!(
                    "axe-core {VERSION} cannot be had ({why}), so no page can be checked by it; \
                     install npm and be on a network, or put `axe.min.js` of that version somewhere and name it in ${NAMED}"
                )
            })?;
        }
        read(&kept)
    }

    /// That it finds what is wrong: a checker that runs and sees nothing would pass every page.
    ///
    /// # Errors
    /// It finds nothing wrong about a page on which much is.
    pub fn prove(&self, browser: &mut Browser, folder: &Path) -> Result<(), String> {
        let page = folder.join("wrong.html");
        let text = "<html><body><img src='x'><input><p style='color:#aaa;background:#fff'>pale";
        fs::write(&page, text).map_err(|error| format!("{}: {error}", page.display()))?;
        let mut tab = browser.tab(None, Screen { width: 1_440, dark: false, print: false })?;
        tab.open(&page)?;
        let found = self.judge(&mut tab)?;
        tab.close()?;
        for rule in ["image-alt", "label", "color-contrast", "html-has-lang"] {
            if !found.iter().any(|told| told.contains(rule)) {
                return Err(format!("axe finds no {rule} where there is one; it found {found:?}"));
            }
        }
        Ok(())
    }

    /// What it finds on the page that is open.
    ///
    /// # Errors
    /// When it does not run.
    pub fn judge(&self, tab: &mut Tab<'_>) -> Result<Vec<String>, String> {
        if tab.ask("typeof axe")?.as_str() != Some("object") {
            tab.ask(&format!("{};0", self.0))?;
        }
        let found = tab.ask(ASK)?;
        let all = found.as_array().ok_or_else(|| format!("axe gave no list: {found}"))?;
        Ok(all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }
}

fn read(path: &Path) -> Result<Axe, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let digest = hex::encode(Sha256::digest(&bytes));
    if digest != DIGEST {
        return Err(format!(
            "{} is not axe-core {VERSION}: its SHA-256 is {digest}, not {DIGEST}",
            path.display()
        ));
    }
    String::from_utf8(bytes).map(Axe).map_err(|error| error.to_string())
}

/// Fetches the package by its name and unpacks its one file.
fn pack(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let package = format!("axe-core@{VERSION}");
    let archive = format!("axe-core-{VERSION}.tgz");
    for (program, arguments) in
        [("npm", ["pack", "--silent", package.as_str()]), ("tar", ["xzf", archive.as_str(), FILE])]
    {
        let done = Command::new(program).args(arguments).current_dir(folder).output();
        let done = done.map_err(|error| format!("`{program}`: {error}"))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            return Err(format!("`{program} {}`: {}", arguments.join(" "), said.trim()));
        }
    }
    Ok(())
}
