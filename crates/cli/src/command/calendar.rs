//! `backstay calendar diff`: two calendars side by side, in minutes and in cases.

use std::path::Path;

use backstay_engine::{
    Period,
    hours::{CalendarDifference, LevelEffect, calendar_difference, calendar_effect},
    session::View,
};
use backstay_report::layout::{Cell, Grid, Page, Set, Tone};
use serde_json::json;

use crate::{
    args::{CalendarCommand, CalendarDiffArgs, RowFormat},
    door,
    error::CliError,
    evidence::{self, Seen},
};

const MINUTE_US: i64 = 60_000_000;
/// Cases named before the rest is only counted.
const NAMED: usize = 5;

pub fn run(command: &CalendarCommand, named: Option<&Path>) -> Result<u8, CliError> {
    match command {
        CalendarCommand::Diff(args) => diff(args, named),
    }
}

fn diff(args: &CalendarDiffArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let seen = evidence::see(&workspace, args.as_of.as_deref(), &[])?;
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
    let mut effects = Vec::new();
    for arrangement in seen.arrangements() {
        let Some(view) = seen.view(&arrangement, period)? else { continue };
        let levels = calendar_effect(&seen.session(view)?, &args.first, &args.second)?;
        effects.extend(levels.into_iter().map(|level| (arrangement.clone(), level)));
    }
    effects.retain(|(_, level)| !level.changed.is_empty());
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
    effects: &[(String, LevelEffect)],
) -> serde_json::Value {
    let (gained, lost) = sums(difference);
    let days = difference.days.iter().map(|day| {
        json!({
            "day": day.date.to_string(),
            "minutes_gained": day.gained_us / MINUTE_US,
            "minutes_lost": day.lost_us / MINUTE_US,
        })
    });
    let levels = effects.iter().map(|(arrangement, level)| {
        let changed = level.changed.iter().map(
            |(case, before, after)| json!({"case_id": case, "before": before, "after": after}),
        );
        json!({
            "arrangement_id": arrangement,
            "service_level_id": level.service_level_id,
            "before": {"numerator": level.before.0, "denominator": level.before.1},
            "after": {"numerator": level.after.0, "denominator": level.after.1},
            "cases_changed": changed.collect::<Vec<_>>(),
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
        "service_levels": levels.collect::<Vec<_>>(),
    })
}

fn as_text(
    args: &CalendarDiffArgs,
    period: Period,
    difference: &CalendarDifference,
    effects: &[(String, LevelEffect)],
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
    let text = format!("If {} stood in the place of {}:", args.second, args.first);
    page.paragraph(0, &text, Tone::Plain);
    for (arrangement, level) in effects {
        let named: Vec<String> = level
            .changed
            .iter()
            .take(NAMED)
            .map(|(case, before, after)| format!("{case} {before} → {after}"))
            .collect();
        let more = level.changed.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let text = format!(
            "{arrangement} {}: {} of {} met instead of {} of {}; {}{more}",
            level.service_level_id,
            level.after.0,
            level.after.1,
            level.before.0,
            level.before.1,
            named.join(", ")
        );
        page.hanging(2, 4, &text, Tone::Plain);
    }
    page.finish()
}
