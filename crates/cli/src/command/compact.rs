//! `backstay compact`: many small objects into few, and what may be removed.

use std::path::Path;

use backstay_report::figure::counted;
use backstay_store::{CompactOptions, CompactReport};

use crate::{
    args::{CompactArgs, Format},
    door,
    error::CliError,
};

pub fn run(args: &CompactArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let options =
        CompactOptions { dry_run: args.dry_run, prune: args.prune, ..CompactOptions::default() };
    let report = workspace.compact(options)?;
    match args.format {
        Format::Json => door::print_json(&report)?,
        Format::Text => door::tell(&words(&report, args))?,
    }
    Ok(0)
}

fn number(count: u64, what: &str) -> String {
    counted(i64::try_from(count).unwrap_or(i64::MAX), what)
}

fn words(report: &CompactReport, args: &CompactArgs) -> String {
    let mut text = String::new();
    let done = if args.dry_run { "would be read from" } else { "are read from" };
    for group in &report.groups {
        let of = match group.arrangement_id.as_str() {
            "" => String::new(),
            arrangement => format!(" of {arrangement}"),
        };
        text += &format!(
            "{}{of}: {} {done} {} instead of {}.\n",
            group.table,
            number(group.rows_merged, "row"),
            number(group.objects_after, "object"),
            group.objects_before,
        );
    }
    if report.groups.is_empty() {
        text += "Nothing to merge: no table has many small objects.\n";
    }
    text += &format!(
        "{} of imports stay: ledger entries name them, and proof, rereading and earlier answers stand on them.\n",
        number(report.originals, "object")
    );
    if report.removed > 0 {
        text += &format!("{} removed.\n", number(report.removed, "merged object"));
    } else if report.superseded > 0 {
        text += &format!(
            "{} can be removed, as greater ones hold the same rows: `backstay compact --prune`, when nobody else uses the workspace.\n",
            number(report.superseded, "merged object")
        );
    }
    text
}
