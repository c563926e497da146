//! `cargo xtask shots`: the report and every page of the server in a real Chromium, as pictures and
//! checked by a script.
//!
//! Owns which pages of the report are opened at which sizes (those of the server: `web`); what a page
//! holds is made by the product, what is right about it is said by `check.js`. Nothing it finds may be passed over: every problem is listed, and one
//! is enough to fail.

mod pages;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    browser::{Browser, Screen, Tab, chromium},
    web,
};
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
    /// Which of the two: the report, the server, or both.
    only: Only,
    /// Only the picture of the README.
    readme: bool,
    /// The program as it was built before.
    as_built: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Only {
    Both,
    Report,
    Server,
}

impl Shots {
    /// Reads the options that the help names.
    ///
    /// # Errors
    /// Any other word.
    pub fn parse(words: &[&str], root: &Path) -> Result<Self, String> {
        let mut shots = Self {
            out: Some(target(root).join("shots")),
            real: true,
            page: None,
            only: Only::Both,
            readme: false,
            as_built: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match (*word, words.clone().next()) {
                ("--quick", _) => shots.real = false,
                ("--report", _) => shots.only = Only::Report,
                ("--server", _) => shots.only = Only::Server,
                ("--readme", _) => shots.readme = true,
                ("--as-built", _) => shots.as_built = true,
                ("--out", Some(dir)) => {
                    shots.out = Some(PathBuf::from(dir));
                    words.next();
                }
                ("--page", Some(file)) => {
                    let path = Path::new(file).canonicalize();
                    shots.page = Some(path.map_err(|error| format!("{file}: {error}"))?);
                    shots.only = Only::Report;
                    words.next();
                }
                _ => {
                    return Err(format!(
                        "`{word}`: there are --out DIR, --quick, --report, --server, --readme, --page FILE, --as-built"
                    ));
                }
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
        Ok(browser) => {
            let quick = Shots {
                out: None,
                real: false,
                page: None,
                only: Only::Both,
                readme: false,
                as_built: false,
            };
            run_with(root, &quick, &browser)?;
            web::journey::run(&target(root).join("debug/backstay"), &browser)
        }
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

/// Makes the journeys, and nothing else.
///
/// # Errors
/// No Chromium, or the first step that nobody could take.
pub fn journeys(root: &Path, as_built: bool) -> Result<(), String> {
    web::journey::run(&program(root, as_built)?, &chromium::find()?)
}

/// Has the interface for machines tested against its document.
///
/// # Errors
/// The tester cannot be had, or what it found.
pub fn schema(root: &Path, as_built: bool) -> Result<(), String> {
    web::schema::check(&program(root, as_built)?, &target(root))
}

fn run_with(root: &Path, shots: &Shots, browser: &Path) -> Result<(), String> {
    let program = program(root, shots.as_built)?;
    if shots.readme {
        return web::portrait(&program, browser, root);
    }
    if let Some(out) = &shots.out {
        fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    }
    if shots.only != Only::Server {
        report(root, shots, browser, &program)?;
    }
    if shots.only != Only::Report {
        let pages = web::Pages { out: shots.out.clone(), all: shots.real };
        web::pages(&program, browser, &target(root), &pages)?;
    }
    Ok(())
}

/// Builds the product as the tests build it (another selection of packages would build the
/// dependencies again), unless it is to be taken as it was built before; gives the program.
fn program(root: &Path, as_built: bool) -> Result<PathBuf, String> {
    let program = target(root).join("debug/backstay");
    if as_built {
        return Ok(program);
    }
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--workspace", "--bins", "--tests"])
        .current_dir(root)
        .status()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !built.success() {
        return Err("`cargo build --workspace --bins --tests` failed".to_owned());
    }
    Ok(program)
}

/// A workspace `hostile` below a folder, whose evidence means harm.
///
/// # Errors
/// A command that fails, with what it said.
pub fn make_hostile(program: &Path, scratch: &Path) -> Result<(), String> {
    pages::make_hostile(program, scratch)
}

fn report(root: &Path, shots: &Shots, browser: &Path, program: &Path) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no folder to work in: {error}"))?;
    let made = match &shots.page {
        Some(path) => vec![Page::named(path)],
        None => pages::make(root, program, scratch.path(), shots.real)?,
    };
    let mut browser = Browser::start(browser, &scratch.path().join("profile"))?;
    let mut problems = Vec::new();
    let (mut views, mut pictures) = (0, 0);
    for page in &made {
        if let Some(out) = &shots.out {
            let copy = out.join(format!("{}.html", page.name));
            fs::copy(&page.path, &copy).map_err(|error| format!("{}: {error}", copy.display()))?;
        }
        for (name, screen) in VIEWS {
            let mut tab = browser.tab(None, screen)?;
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
    let mut problems = ask(tab)?;
    problems.extend(tab.complaints());
    let bytes = fs::metadata(&page.path).map_err(|error| error.to_string())?.len();
    if bytes > page.most_bytes {
        problems.push(format!("the page has {bytes} bytes, {} are allowed", page.most_bytes));
    }
    Ok(problems)
}

/// What the script finds on the page that is open.
///
/// # Errors
/// When it does not run.
pub fn ask(tab: &mut Tab<'_>) -> Result<Vec<String>, String> {
    let answer = tab.ask(CHECK)?;
    let all = answer.as_array().ok_or_else(|| format!("the script gave no list: {answer}"))?;
    let told = all.iter().map(|what| what.as_str().map_or_else(|| what.to_string(), str::to_owned));
    Ok(told.collect())
}

/// Writes pictures of the whole page, and for the print view the PDF and its pages; gives how many.
///
/// # Errors
/// When the browser gives none, or they cannot be written.
pub fn keep(tab: &mut Tab<'_>, out: &Path, name: &str, screen: Screen) -> Result<u64, String> {
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
