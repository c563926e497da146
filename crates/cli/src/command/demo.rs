//! `backstay demo`: a workspace from the worked example, through the ordinary door, and where it
//! stands.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use backstay_report::import::{self as view, Imports};

use crate::{
    args::{DemoArgs, ReadingArgs},
    command, door,
    error::CliError,
    example, sources,
};

/// The last month that the example's files hold whole; later ones hold a few days.
const PERIOD: &str = "2026-10";

/// Folder of the demo when none is named.
const FOLDER: &str = "backstay-demo";

pub fn run(args: &DemoArgs) -> Result<u8, CliError> {
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => free_name(Path::new(FOLDER))?,
    };
    let workspace = command::init::make(&dir)?;
    let handed_in = dir.join("handed-in");
    example::unpack(&handed_in).map_err(|error| {
        let place = handed_in.display();
        CliError::failed(format!(
            "the example cannot be written to `{place}`: {}",
            door::because(&error)
        ))
    })?;
    door::tell(&format!(
        "Meridian Mutual is made up; its files are in `{}`, as a client would hand them in.",
        handed_in.display()
    ))?;
    door::print("\n")?;
    let reading = ReadingArgs::default();
    let plan = sources::plan(&[handed_in], &reading, false, Some(&dir))?;
    let mut files = Vec::new();
    for source in &plan {
        files.push(command::import::import(&workspace, source)?);
    }
    let imports = Imports::of(files);
    door::print(&view::totals_text(&imports, door::look()))?;
    door::print("\n")?;
    let question = command::assess::Question { period: Some(PERIOD), ..Default::default() };
    let mut answer = command::assess::assess(&workspace, &question)?;
    let backstay = door::command(Some(&dir));
    answer.complete(&backstay)?;
    answer.frame.next.extend(more(&backstay));
    door::print(&answer.text(door::look()))?;
    // Scripts go on; a person at a terminal wants to see it.
    let wanted = args.serve || !args.no_serve && std::io::stdout().is_terminal();
    if wanted {
        door::print("\n")?;
        command::serve::serve(workspace, args.listen, false, None)?;
    }
    Ok(0)
}

/// What else is worth trying on the example.
fn more(backstay: &str) -> Vec<(String, Option<String>)> {
    [
        (
            "See which rows could not be read, and why:",
            "query 'SELECT code, reason, _ref FROM quarantine'",
        ),
        ("List what came in, and look back with --as-of:", "log"),
        ("Write a bundle that an auditor checks offline:", "bundle audit"),
    ]
    .map(|(what, command)| (what.to_owned(), Some(format!("{backstay} {command}"))))
    .to_vec()
}

/// `name`, or the first of `name-2`, `name-3` … that is not taken.
fn free_name(name: &Path) -> Result<PathBuf, CliError> {
    let mut candidate = name.to_owned();
    let mut n = 2_u32;
    while !door::is_free(&candidate)? {
        candidate = PathBuf::from(format!("{}-{n}", name.display()));
        n += 1;
    }
    Ok(candidate)
}
