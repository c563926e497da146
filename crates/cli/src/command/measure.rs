//! `backstay measure`: the figures of the service levels alone. Nothing is judged and nothing is kept;
//! `assess` does both.

use std::path::Path;

use backstay_desk::evidence;
use backstay_engine::{assessment::MeasureResult, measured};
use backstay_report::measures::{self, Frame};

use crate::{
    args::{MeasureArgs, RowFormat},
    door,
    error::CliError,
};

pub fn run(args: &MeasureArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let started_us = door::now_us();
    let workspace = door::open(named)?;
    let seen = door::see(&workspace, args.as_of.as_deref(), &args.arrangements)?;
    let (period, chosen) = seen.period(args.period.as_deref())?;
    let opened_us = door::now_us();
    let found = measured(&seen.evidence, period, seen.now_us, evidence::layout())?;
    let measured_us = door::now_us();
    match args.format {
        RowFormat::Table => {
            let frame = Frame { period, known_at: seen.known_at, chosen, notes: found.notes };
            door::print(&measures::text(&found.measures, &frame, door::look()))?;
        }
        RowFormat::Csv => door::print(&measures::csv(&found.measures))?,
        RowFormat::Json => door::print_json(&found.measures)?,
    }
    if args.timings {
        let segments = seen.evidence.manifest.table("case_event");
        let rows: u64 = segments.map(|segment| segment.rows).sum();
        door::remark(&timings(rows, &found.measures, [started_us, opened_us, measured_us]));
    }
    Ok(0)
}

/// One line on what was read and how long it took.
fn timings(rows: u64, measures: &[MeasureResult], [start, opened, end]: [i64; 3]) -> String {
    let cases: i64 = measures.iter().map(|measure| measure.denominator).sum();
    format!(
        "case_event rows stored: {rows}; cases counted: {cases}; figures: {}; opening: {} ms; \
         measuring: {} ms",
        measures.len(),
        (opened - start) / 1000,
        (end - opened) / 1000
    )
}
