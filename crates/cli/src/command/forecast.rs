//! `backstay forecast`: what the running window of each service level will end with, and how often
//! such forecasts held. Nothing is kept.

use std::path::Path;

use backstay_desk::{
    evidence::{self, Seen},
    import::listed,
    period::parse_period,
};
use backstay_engine::{
    Period, View,
    forecast::{Trials, back_test, evidence_span, forecast, service_levels},
    period::{Window, day_of_us, day_start_us},
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
    let view = seen.view(&args.arrangement, seen.this_month()?)?;
    let Some(view) = view.map(|view| View { as_of_us: seen.now_us, ..view }) else {
        return Err(evidence::unregistered(&args.arrangement).into());
    };
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
    let (at_us, period) = instant(args, &seen, &view, span.1)?;
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

/// The instant to look from, and the window's last day.
fn instant(
    args: &ForecastArgs,
    seen: &Seen,
    view: &View,
    newest_us: i64,
) -> Result<(i64, Period), CliError> {
    let zone = &view.zone;
    let start_us = |day: Date| day_start_us(zone, day);
    let asked = args.period.as_deref().map(|text| seen.period(Some(text))).transpose()?;
    let asked = asked.map(|(period, _)| period);
    let at_us = match args.at.as_deref() {
        Some(text) => {
            let day: Date = text.parse().map_err(|_| {
                CliError::usage(
                    format!("`{text}` is not a day"),
                    "write it as in `2026-11-20`; only what happened before it is seen",
                )
            })?;
            let at_us = start_us(day)?;
            if at_us > seen.now_us {
                return Err(CliError::usage(
                    format!("{day} lies ahead, and nothing is known of the days until then"),
                    "leave `--at` out to look from now",
                ));
            }
            at_us
        }
        None => {
            let next = day_of_us(zone, newest_us)?.tomorrow().map_err(|_| {
                CliError::failed("the newest event lies beyond what a calendar can say")
            })?;
            start_us(next)?.min(seen.now_us)
        }
    };
    let period = match asked {
        Some(period) => period,
        None => Window::Month.around(day_of_us(zone, at_us)?)?,
    };
    let (first_us, after_us) = period.bounds_us(zone)?;
    if at_us < first_us {
        let from = day_of_us(zone, at_us)?;
        return Err(CliError::usage(
            format!("on {from}, which is looked from, {period} had not begun"),
            "write a later `--at`, or an earlier `--period`",
        ));
    }
    Ok((at_us.min(after_us), period))
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
