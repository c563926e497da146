//! `cargo xtask shots`: the report in a real Chromium, as pictures and checked by a script.
//!
//! Owns which pages are opened at which sizes; what a page holds is made by the product, what is right
//! about it is said by `check.js`. Nothing it finds may be passed over: every problem is listed, and one
//! is enough to fail.

mod chromium;
mod pages;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use chromium::{Browser, Screen, Tab};
use pages::Page;

/// What the page is asked.
const CHECK: &str = include_str!("check.js");
/// Height of one picture; a longer page gives several.
const SLICE: u64 = 2_000;
/// Width of an A4 page without its margins, in pixels of 1/96 inch.
const A4_WIDTH: u64 = 688;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Shots {
    /// Where pictures go; none: only check.
    out: Option<PathBuf>,
    /// Whether the page of the real log is made as well, which takes minutes in a debug build.
    real: bool,
    /// Only this page, made before.
    page: Option<PathBuf>,
}

impl Shots {
    /// Reads `--out DIR`, `--quick` and `--page FILE`.
    ///
    /// # Errors
    /// Any other word.
    pub fn parse(words: &[&str], root: &Path) -> Result<Self, String> {
        let mut shots = Self { out: Some(target(root).join("shots")), real: true, page: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match (*word, words.clone().next()) {
                ("--quick", _) => shots.real = false,
                ("--out", Some(dir)) => {
                    shots.out = Some(PathBuf::from(dir));
                    words.next();
                }
                ("--page", Some(file)) => {
                    let path = Path::new(file).canonicalize();
                    shots.page = Some(path.map_err(|error| format!("{file}: {error}"))?);
                    words.next();
                }
                _ => return Err(format!("`{word}`: there are --out DIR, --quick, --page FILE")),
            }
        }
        Ok(shots)
    }
}

/// How the page is looked at.
const VIEWS: [(&str, Screen); 5] = [
    ("360-light", Screen { width: 360, dark: false, print: false }),
    ("360-dark", Screen { width: 360, dark: true, print: false }),
    ("1440-light", Screen { width: 1_440, dark: false, print: false }),
    ("1440-dark", Screen { width: 1_440, dark: true, print: false }),
    ("print", Screen { width: A4_WIDTH, dark: false, print: true }),
];

/// The quick version for `cargo xtask test`: no picture is kept. Without a Chromium that can be had it
/// says so loudly and fails nothing: that is no fault of the page.
///
/// # Errors
/// Every problem of a page.
pub fn check(root: &Path) -> Result<(), String> {
    match chromium::find() {
        Ok(browser) => run_with(root, &Shots { out: None, real: false, page: None }, &browser),
        Err(why) => {
            eprintln!("warning: PAGES WERE NOT CHECKED in a browser: {why}");
            Ok(())
        }
    }
}

/// Makes the pages, opens them, writes pictures.
///
/// # Errors
/// No Chromium, a page that cannot be made, or every problem of a page.
pub fn run(root: &Path, shots: &Shots) -> Result<(), String> {
    run_with(root, shots, &chromium::find()?)
}

fn run_with(root: &Path, shots: &Shots, program: &Path) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no folder to work in: {error}"))?;
    let made = match &shots.page {
        Some(path) => vec![Page::named(path)],
        None => pages::make(root, &target(root), scratch.path(), shots.real)?,
    };
    if let Some(out) = &shots.out {
        fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    }
    let mut browser = Browser::start(program, &scratch.path().join("profile"))?;
    let mut problems = Vec::new();
    let (mut views, mut pictures) = (0, 0);
    for page in &made {
        if let Some(out) = &shots.out {
            let copy = out.join(format!("{}.html", page.name));
            fs::copy(&page.path, &copy).map_err(|error| format!("{}: {error}", copy.display()))?;
        }
        for (name, screen) in VIEWS {
            let mut tab = browser.tab(screen)?;
            let found = look(&mut tab, page)?;
            problems.extend(found.iter().map(|what| format!("{} at {name}: {what}", page.name)));
            if let Some(out) = &shots.out {
                pictures += keep(&mut tab, out, &format!("{}-{name}", page.name), screen)?;
            }
            tab.close()?;
            views += 1;
        }
    }
    if problems.is_empty() {
        let kept =
            shots.out.as_ref().map(|out| format!("; {pictures} pictures in {}", out.display()));
        println!(
            "{} pages, {views} views: nothing to mend{}",
            made.len(),
            kept.unwrap_or_default()
        );
        return Ok(());
    }
    Err(format!("{} problems of pages\n  {}", problems.len(), problems.join("\n  ")))
}

/// Opens a page; gives what the script and the browser found.
fn look(tab: &mut Tab<'_>, page: &Page) -> Result<Vec<String>, String> {
    tab.open(&page.path)?;
    let answer = tab.ask(CHECK)?;
    let mut problems: Vec<String> = answer
        .as_array()
        .ok_or_else(|| format!("the script gave no list: {answer}"))?
        .iter()
        .map(|what| what.as_str().map_or_else(|| what.to_string(), str::to_owned))
        .collect();
    problems.extend(tab.complaints());
    let bytes = fs::metadata(&page.path).map_err(|error| error.to_string())?.len();
    if bytes > page.most_bytes {
        problems.push(format!("the page has {bytes} bytes, {} are allowed", page.most_bytes));
    }
    Ok(problems)
}

/// Writes pictures of the whole page, and for the print view the PDF and its pages.
fn keep(tab: &mut Tab<'_>, out: &Path, name: &str, screen: Screen) -> Result<u64, String> {
    let write = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    if screen.print {
        let pdf = out.join(format!("{name}.pdf"));
        write(&pdf, &tab.pdf()?)?;
        return Ok(1 + chromium::pdf_pages(&pdf, &out.join(name)));
    }
    let height = tab.ask("document.documentElement.scrollHeight")?.as_u64().unwrap_or_default();
    let slices = height.div_ceil(SLICE).max(1);
    for n in 0..slices {
        let top = n * SLICE;
        let bytes = tab.picture((top, SLICE.min(height.saturating_sub(top)).max(1)))?;
        write(&out.join(format!("{name}-{:02}.png", n + 1)), &bytes)?;
    }
    Ok(slices)
}

/// The build folder.
fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// A value of a JSON object as text.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
