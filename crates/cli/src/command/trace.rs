//! `backstay trace`: a reference opened down to the line of its file.

use std::path::Path;

use backstay_evidence::RowRef;
use backstay_report::trace::{self as view, Place, Trace};
use backstay_store::TraceSource;

use crate::{
    args::{Format, TraceArgs},
    door,
    error::CliError,
};

pub fn run(args: &TraceArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let reference = parse(&args.reference)?;
    let found = door::open(named)?.trace(reference)?;
    let place = match found.source {
        TraceSource::Located(located) => Place::Kept {
            record: located.record,
            first_line: located.first_line,
            last_line: located.last_line,
            text: located.text,
            cells: located.cells,
        },
        TraceSource::WholeFile => Place::WholeFile,
        TraceSource::Entered {
            table,
            arrangement_id,
            values,
            deleted,
            before,
            reason,
            retracted_by,
        } => {
            Place::Entered { table, arrangement_id, values, deleted, before, reason, retracted_by }
        }
        TraceSource::Erased { by, recorded_at_us, actor, reason } => {
            Place::Erased { by_entry: by, at_us: recorded_at_us, actor, reason }
        }
    };
    let trace = Trace {
        reference: found.reference,
        entry: found.entry,
        recorded_at_us: found.recorded_at_us,
        actor: found.actor,
        file: found.file,
        file_digest: found.digest.to_string(),
        file_bytes: found.bytes,
        read_by: found.read_by,
        place,
    };
    match args.format {
        Format::Text => door::print(&view::text(&trace, door::look()))?,
        Format::Json => door::print_json(&trace)?,
    }
    Ok(0)
}

/// A reference as the user wrote it.
///
/// # Errors
/// When it is none; says how one looks.
pub fn parse(text: &str) -> Result<RowRef, CliError> {
    text.parse().map_err(|_| {
        CliError::usage(
            format!("`{text}` is not a reference"),
            "write `entry:record` as reports show it, for example `5:119`",
        )
    })
}
