//! `backstay forecast`: what the running window of each service level will end with, and how often
//! such forecasts held. Nothing is kept.

use std::path::Path;

use backstay_desk::{evidence::Seen, forecast as desk, import::listed, period::parse_period};
use backstay_engine::{
    Period, View,
    forecast::{Trials, back_test, evidence_span, forecast, service_levels},
    period::{Window, day_of_us},
};
use backstay_report::forecast::{self as set, Frame};
use jiff::civil::Date;

use crate::{
    args::{ForecastArgs, RowFormat},
    command::nearest,
    door,
    error::CliError,
};

pub fn run(args: &ForecastArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let scope = std::slice::from_ref(&args.arrangement);
    let seen = door::see(&workspace, args.as_of.as_deref(), scope)?;
    let view = desk::view(&seen, &args.arrangement)?;
    let whole = seen.session(view.clone())?;
    check_level(args, &service_levels(&whole)?)?;
    let Some(span) = evidence_span(&whole)? else {
        return Err(CliError::failed_with(
            format!("no event of `{}` is held", args.arrangement),
            "import its work log: `backstay help import`",
        ));
    };
    if args.back_test {
        return tested(args, &seen, view, span);
    }
    let asked = args.period.as_deref().map(|text| seen.period(Some(text))).transpose()?;
    let at = args.at.as_deref().map(day).transpose()?;
    let (at_us, period) = desk::instant(&seen, &view, span.1, at, asked.map(|(period, _)| period))?;
    let session = seen.session(View { period, as_of_us: at_us, ..view })?;
    let mut found = forecast(&session)?;
    found.retain(|row| args.service_level.as_ref().is_none_or(|id| *id == row.service_level));
    let frame = Frame { arrangement: &args.arrangement, known_at: seen.known_at };
    match args.format {
        RowFormat::Table => door::print(&set::text(&found, &frame, door::look()))?,
        RowFormat::Csv => door::print(&set::csv(&found))?,
        RowFormat::Json => door::print_json(&found)?,
    }
    Ok(0)
}

fn check_level(args: &ForecastArgs, known: &[String]) -> Result<(), CliError> {
    let Some(wanted) = args.service_level.as_ref().filter(|id| !known.contains(id)) else {
        return Ok(());
    };
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let list = format!("the arrangement has {}", listed(&known));
    Err(CliError::usage(
        format!("no service level `{wanted}` of `{}` is held", args.arrangement),
        nearest(wanted, &known, &list),
    ))
}

/// The day that `--at` names.
fn day(text: &str) -> Result<Date, CliError> {
    text.parse().map_err(|_| {
        CliError::usage(
            format!("`{text}` is not a day"),
            "write it as in `2026-11-20`; only what happened before it is seen",
        )
    })
}

fn tested(
    args: &ForecastArgs,
    seen: &Seen,
    view: View,
    (oldest_us, newest_us): (i64, i64),
) -> Result<u8, CliError> {
    let month = |asked: Option<&str>, else_us: i64| match asked {
        Some(text) => {
            let (first, after) = parse_period(text)?;
            Ok::<_, CliError>(Period::new(first, after)?)
        }
        None => Ok(Window::Month.around(day_of_us(&view.zone, else_us)?)?),
    };
    let from = month(args.from.as_deref(), oldest_us)?;
    let until = month(args.until.as_deref(), newest_us)?;
    if until.after <= from.first {
        return Err(CliError::usage(
            format!("`--until` ends before `--from` begins: {until} and {from}"),
            "write the earlier month after `--from`",
        ));
    }
    let period = Period::new(from.first, until.after)?;
    let session = seen.session(View { period, ..view })?;
    let asked = Trials {
        period,
        days: &args.day,
        service_level: args.service_level.as_deref(),
        now_us: seen.now_us,
    };
    let found = back_test(&session, &asked)?;
    let frame = Frame { arrangement: &args.arrangement, known_at: seen.known_at };
    match args.format {
        RowFormat::Table => door::print(&set::back_test_text(&found, &frame, door::look()))?,
        RowFormat::Csv => door::print(&set::back_test_csv(&found))?,
        RowFormat::Json => door::print_json(&found)?,
    }
    Ok(0)
}
