//! `backstay calendar diff`: two calendars side by side, in minutes and in cases.

use std::path::Path;

use backstay_desk::evidence::Seen;
use backstay_engine::{
    Period,
    hours::{CalendarDifference, calendar_difference},
    restate::{CaseAnswer, Restatement, supposed},
    session::{CalendarSwap, View},
};
use backstay_report::{
    close::changes,
    layout::{Cell, Grid, Page, Set, Tone},
};
use serde_json::json;

use crate::{
    args::{CalendarCommand, CalendarDiffArgs, RowFormat},
    door,
    error::CliError,
};

const MINUTE_US: i64 = 60_000_000;
/// Cases shown before the rest is only counted.
const SHOWN: usize = 20;

pub fn run(command: &CalendarCommand, named: Option<&Path>) -> Result<u8, CliError> {
    match command {
        CalendarCommand::Diff(args) => diff(args, named),
    }
}

fn diff(args: &CalendarDiffArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let seen = door::see(&workspace, args.as_of.as_deref(), &[])?;
    let (period, _) = seen.period(args.period.as_deref())?;
    let difference = compare(&seen, args, period)?;
    if args.format == RowFormat::Csv {
        let line = |day: &backstay_engine::hours::DayDifference| {
            format!("{},{},{}\n", day.date, day.gained_us / MINUTE_US, day.lost_us / MINUTE_US)
        };
        let days: String = difference.days.iter().map(line).collect();
        door::print(&format!("day,minutes_gained,minutes_lost\n{days}"))?;
        return Ok(0);
    }
    let swap = CalendarSwap { named: args.first.clone(), meant: args.second.clone() };
    let mut effects = Vec::new();
    for id in seen.arrangements() {
        let Some(view) = seen.view(&id, period)? else { continue };
        let other = seen.session(view.clone())?.supposing(swap.clone());
        let effect = supposed(&seen.session(view)?, &other)?;
        effects.extend(Some(effect).filter(|effect| !effect.is_empty()));
    }
    match args.format {
        RowFormat::Json => door::print_json(&as_json(args, period, &difference, &effects))?,
        _ => door::print(&as_text(args, period, &difference, &effects))?,
    }
    Ok(0)
}

fn compare(
    seen: &Seen,
    args: &CalendarDiffArgs,
    period: Period,
) -> Result<CalendarDifference, CliError> {
    // Calendars are shared: any arrangement sees them, and so does none.
    let view = View {
        arrangement_id: String::new(),
        zone: "UTC".to_owned(),
        period,
        as_of_us: seen.now_us,
    };
    let session = seen.session(view)?;
    calendar_difference(&session, &args.first, &args.second, period)?.map_err(|reason| {
        CliError::failed_with(
            reason,
            "`backstay query 'SELECT calendar_id, covered_from, covered_until FROM calendar'` \
             lists those that are known",
        )
    })
}

fn sums(difference: &CalendarDifference) -> (i64, i64) {
    let of = |minutes: fn(&backstay_engine::hours::DayDifference) -> i64| {
        difference.days.iter().map(minutes).sum::<i64>() / MINUTE_US
    };
    (of(|day| day.gained_us), of(|day| day.lost_us))
}

fn as_json(
    args: &CalendarDiffArgs,
    period: Period,
    difference: &CalendarDifference,
    effects: &[Restatement],
) -> serde_json::Value {
    let (gained, lost) = sums(difference);
    let days = difference.days.iter().map(|day| {
        json!({
            "day": day.date.to_string(),
            "minutes_gained": day.gained_us / MINUTE_US,
            "minutes_lost": day.lost_us / MINUTE_US,
        })
    });
    json!({
        "schema": "backstay.calendar-difference/1",
        "first": args.first,
        "second": args.second,
        "period": period.to_string(),
        "time_zone": difference.zone,
        "first_minutes": difference.first_us / MINUTE_US,
        "second_minutes": difference.second_us / MINUTE_US,
        "minutes_gained": gained,
        "minutes_lost": lost,
        "days": days.collect::<Vec<_>>(),
        "effects": effects,
    })
}

fn as_text(
    args: &CalendarDiffArgs,
    period: Period,
    difference: &CalendarDifference,
    effects: &[Restatement],
) -> String {
    let mut page = Page::new(door::look());
    let (gained, lost) = sums(difference);
    page.heading(&format!("{} and {}, {period}", args.first, args.second));
    let text = format!(
        "{} is open {} min, {} {} min. On {} days they differ: {} min are open in {} alone, {} min \
         in {} alone. Days are those of {}.",
        args.first,
        difference.first_us / MINUTE_US,
        args.second,
        difference.second_us / MINUTE_US,
        difference.days.len(),
        lost,
        args.first,
        gained,
        args.second,
        difference.zone
    );
    page.paragraph(0, &text, Tone::Plain);
    if !difference.days.is_empty() {
        page.gap();
        let only = |id: &str| format!("only {id}, min");
        let (first, second) = (only(&args.first), only(&args.second));
        let columns = [("day", Set::Left), (&*first, Set::Right), (&*second, Set::Right)];
        let mut grid = Grid::new(&columns).indented(2);
        for day in &difference.days {
            grid.row(vec![
                Cell::from(day.date.strftime("%a %Y-%m-%d").to_string()),
                Cell::from((day.lost_us / MINUTE_US).to_string()),
                Cell::from((day.gained_us / MINUTE_US).to_string()),
            ]);
        }
        page.grid(&grid);
    }
    page.gap();
    if effects.is_empty() {
        let text = format!(
            "No case would come out otherwise if {} stood in the place of {}.",
            args.second, args.first
        );
        page.paragraph(0, &text, Tone::Plain);
        return page.finish();
    }
    for effect in effects {
        let text = format!(
            "{}, if {} stood in the place of {}",
            effect.arrangement_id, args.second, args.first
        );
        page.paragraph(0, &text, Tone::Strong);
        let outcome = |answer: &Option<CaseAnswer>| answer.as_ref().map(|answer| answer.outcome);
        let mut shown = effect.clone();
        shown.cases.retain(|case| outcome(&case.before) != outcome(&case.after));
        let same = effect.cases.len() - shown.cases.len();
        let more = shown.cases.len().saturating_sub(SHOWN);
        shown.cases.truncate(SHOWN);
        changes(&mut page, &shown, (&args.first, &args.second));
        let lines = [
            (more, "more cases come out otherwise"),
            (same, "cases come out the same with another working time"),
        ];
        for (count, text) in lines.into_iter().filter(|(count, _)| *count > 0) {
            let text = format!("{count} {text}: `--format json` lists them");
            page.paragraph(2, &text, Tone::Quiet);
        }
    }
    page.finish()
}
