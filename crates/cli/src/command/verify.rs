//! `backstay verify`: ledger, objects and projection hold together, or what does not.

use std::path::Path;

use backstay_report::{
    figure::counted,
    ledger::{Problem, Verification, verification_text},
};
use backstay_store::{VerifyOptions, VerifyReport};

use crate::{
    args::{Format, VerifyArgs},
    door,
    error::CliError,
    progress::Progress,
};

pub fn run(args: &VerifyArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let bar = Progress::start("verifying");
    let report = workspace.verify(VerifyOptions { sweep: args.sweep }, &mut |at| {
        bar.saying(&format!("{}: {} of {}", at.step, at.done, at.total));
    })?;
    drop(bar);
    let held = report.holds();
    let shown = shown(report);
    match args.format {
        Format::Text => door::print(&verification_text(&shown, door::look()))?,
        Format::Json => door::print_json(&shown)?,
    }
    if held {
        return Ok(0);
    }
    Err(CliError::failed("the workspace does not verify"))
}

fn shown(report: VerifyReport) -> Verification {
    let number = |figure: u64| i64::try_from(figure).unwrap_or(i64::MAX);
    let mut checked = vec![
        format!("{} re-derived into the tree", counted(number(report.entries), "ledger line")),
        format!("{} signed and true", counted(number(report.checkpoints), "checkpoint")),
        format!(
            "{} hash to their names and hold {}",
            counted(number(report.objects), "object"),
            counted(number(report.rows), "row")
        ),
        "the projection equals one made anew".to_owned(),
    ];
    if report.erased_sources > 0 {
        checked
            .push(format!("{} erased on record", counted(number(report.erased_sources), "source")));
    }
    if report.orphans > 0 {
        let swept = if report.swept > 0 { "removed" } else { "left; --sweep removes them" };
        checked.push(format!(
            "{} that no entry names: {swept}",
            counted(number(report.orphans), "object")
        ));
    }
    checked.extend(report.notes.iter().cloned());
    Verification {
        verified: report.holds(),
        entries: report.entries,
        objects: report.objects,
        bytes: report.bytes,
        root: report.root,
        checked: if report.problems.is_empty() { checked } else { report.notes },
        problems: report
            .problems
            .into_iter()
            .map(|problem| Problem {
                what: format!("{}: {}", problem.place, problem.what),
                remedy: problem.remedy.to_owned(),
            })
            .collect(),
    }
}
