//! `backstay report`: a kept assessment as one HTML file. What the page says is worked out at the desk.

use std::{fs, path::Path};

use backstay_desk::report;
use backstay_store::Workspace;

use crate::{
    args::ReportArgs,
    command::assess::{Question, assess},
    door,
    error::CliError,
};

pub fn run(args: &ReportArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let asked = args.period.is_some() || args.as_of.is_some() || !args.arrangement.is_empty();
    let entry = match args.entry {
        Some(entry) => entry,
        None if asked => {
            let question = Question {
                period: args.period.as_deref(),
                as_of: args.as_of.as_deref(),
                arrangements: &args.arrangement,
            };
            let kept = assess(&workspace, &question)?.frame.entry;
            kept.ok_or_else(|| CliError::failed("the assessment was not kept"))?
        }
        None => last(&workspace)?,
    };
    let said = write(&workspace, entry, &args.html)?;
    door::tell(&said)?;
    Ok(0)
}

/// The entry of the assessment that was kept last.
fn last(workspace: &Workspace) -> Result<u64, CliError> {
    let all = workspace.assessments()?;
    all.last().map(|kept| kept.entry).ok_or_else(|| {
        CliError::failed_with(
            "no assessment is kept yet, so there is none to report",
            "run `backstay assess`, or name a period: `backstay report --period 2026-03 --html FILE`",
        )
    })
}

/// Writes the page of a kept assessment; gives a sentence that says where.
///
/// # Errors
/// No assessment in that entry, unreadable evidence, a path that cannot be written.
pub fn write(workspace: &Workspace, entry: u64, path: &Path) -> Result<String, CliError> {
    let text = report::html(workspace, entry, door::now_us(), &|_| true)?;
    fs::write(path, text).map_err(|error| {
        let message = format!("`{}` cannot be written: {}", path.display(), door::because(&error));
        CliError::failed(message)
    })?;
    Ok(format!("the report of assessment {entry} is in `{}`", path.display()))
}
