//! `backstay overlap`: how long pairs of teams are at work together, month by month, a year ahead.

use std::path::Path;

use backstay_desk::evidence;
use backstay_engine::panel::{ClockStep, OverlapPair, overlaps};
use backstay_report::layout::{Cell, Grid, Page, Set, Tone};
use jiff::ToSpan;
use serde_json::json;

use crate::{
    args::{Format, OverlapArgs},
    door,
    error::CliError,
};

const MINUTE_US: i64 = 60_000_000;

pub fn run(args: &OverlapArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let seen = door::see(&workspace, args.as_of.as_deref(), &args.arrangements)?;
    let period = match &args.period {
        Some(_) => seen.period(args.period.as_deref())?.0,
        None => seen.this_month()?,
    };
    let until = period.first.first_of_month().saturating_add(i64::from(args.months).months());
    let mut page = Page::new(door::look());
    let mut found = Vec::new();
    for arrangement in seen.arrangements() {
        let Some(view) = seen.view(&arrangement, period)? else {
            return Err(evidence::unregistered(&arrangement).into());
        };
        let (mut pairs, said) = overlaps(&seen.session(view)?)?;
        for pair in &mut pairs {
            pair.months.retain(|month| month.month < until);
            pair.clocks.retain(|step| step.from < until);
        }
        match args.format {
            Format::Text => show(&mut page, &arrangement, &said, &pairs),
            Format::Json => found.extend(pairs.iter().map(|pair| json(pair, &arrangement))),
        }
    }
    match args.format {
        Format::Text => door::print(&page.finish())?,
        Format::Json => door::print_json(&found)?,
    }
    Ok(0)
}

fn json(pair: &OverlapPair, arrangement: &str) -> serde_json::Value {
    let minutes = |us: Option<i64>| us.map(|us| us / MINUTE_US);
    let months = pair.months.iter().map(|own| {
        json!({
            "month": own.month.strftime("%Y-%m").to_string(),
            "days": own.days,
            "required_minutes": own.required_us / MINUTE_US,
            "least_minutes": minutes(own.least_us),
            "median_minutes": minutes(own.median_us),
            "days_below": own.below,
            "days_not_known": own.unknown,
        })
    });
    let clocks = pair.clocks.iter().map(
        |step| json!({"from": step.from.to_string(), "other_ahead_minutes": step.ahead_minutes}),
    );
    json!({
        "arrangement_id": arrangement,
        "team_id": pair.team,
        "other_team_id": pair.other,
        "months": months.collect::<Vec<_>>(),
        "clocks": clocks.collect::<Vec<_>>(),
    })
}

/// What the clock changes do, in words; nothing where they do nothing.
fn clocks(pair: &OverlapPair) -> Option<String> {
    let step = |two: &[ClockStep]| match two {
        [before, after] => Some(format!(
            "from {} on {} instead of {}",
            after.from,
            ahead(after.ahead_minutes),
            ahead(before.ahead_minutes)
        )),
        _ => None,
    };
    let steps: Vec<String> = pair.clocks.windows(2).filter_map(step).collect();
    (!steps.is_empty()).then(|| format!("Clock changes move {}: {}.", pair.other, steps.join("; ")))
}

/// `5 h 30 min ahead`.
fn ahead(minutes: i64) -> String {
    let (length, side) = (minutes.abs(), if minutes < 0 { "behind" } else { "ahead" });
    format!("{} {side}", length_text(length))
}

fn length_text(minutes: i64) -> String {
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

fn show(page: &mut Page, arrangement: &str, said: &[String], pairs: &[OverlapPair]) {
    page.heading(arrangement);
    for said in said {
        page.paragraph(0, said, Tone::Quiet);
    }
    for pair in pairs {
        page.gap();
        let required = pair.months.iter().map(|month| month.required_us).max().unwrap_or(0);
        let text = format!(
            "{} / {}, agreed: {} a day",
            pair.team,
            pair.other,
            length_text(required / MINUTE_US)
        );
        page.paragraph(0, &text, Tone::Strong);
        let columns = ["month", "days", "least", "median", "below", "not known"];
        let mut grid = Grid::new(&columns.map(|column| (column, Set::Right))).indented(2);
        for own in &pair.months {
            let length = |us: Option<i64>| {
                us.map_or_else(|| "–".to_owned(), |us| length_text(us / MINUTE_US))
            };
            let count = |count: u64, tone| {
                let tone = if count > 0 { tone } else { Tone::Quiet };
                Cell::toned(count.to_string(), tone)
            };
            grid.row(vec![
                Cell::from(own.month.strftime("%Y-%m").to_string()),
                Cell::from(own.days.to_string()),
                Cell::from(length(own.least_us)),
                Cell::from(length(own.median_us)),
                count(own.below, Tone::Bad),
                count(own.unknown, Tone::Unsure),
            ]);
        }
        page.grid(&grid);
        if let Some(text) = clocks(pair) {
            page.paragraph(2, &text, Tone::Plain);
        }
    }
    page.gap();
}
