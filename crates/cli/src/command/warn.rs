//! `backstay warn`: open cases with the working time left, before they are late. Nothing is kept.

use std::path::Path;

use backstay_desk::evidence;
use backstay_engine::warned;
use backstay_report::due::{self, Frame};

use crate::{
    args::{RowFormat, WarnArgs},
    door,
    error::{CliError, FOUND},
};

pub fn run(args: &WarnArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let seen = door::see(&workspace, args.as_of.as_deref(), &args.arrangements)?;
    let mut found = warned(&seen.evidence, seen.now_us, evidence::layout())?;
    let frame = Frame { now_us: seen.now_us, known_at: seen.known_at, all: args.all };
    let quiet = found.cases.iter().all(|case| case.standing == "open") && found.notes.is_empty();
    match args.format {
        RowFormat::Table => door::print(&due::text(&found, &frame, door::look()))?,
        RowFormat::Csv => door::print(&due::csv(&found, &frame))?,
        RowFormat::Json => {
            found.cases.retain(|case| args.all || case.standing != "open");
            door::print_json(&found.cases)?;
        }
    }
    Ok(if args.strict && !quiet { FOUND } else { 0 })
}
