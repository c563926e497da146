//! `backstay meet`: fair times for several sites, on the terminal or as a calendar file.

use std::path::Path;

use backstay_desk::meeting::{STEP_US, best_a_day};
use backstay_engine::{
    hours::{
        Calendar, CalendarSpec, Slot, Span, Zone, meeting_series, meeting_slots, parse_windows,
        site_hours,
    },
    session::{Session, View},
};
use backstay_report::{
    icalendar::{Appointment, icalendar},
    layout::{Cell, Grid, Page, Set, Tone},
};
use jiff::{ToSpan, civil::Date};
use serde_json::json;

use crate::{
    args::{Format, MeetArgs},
    door,
    error::CliError,
};

const MINUTE_US: i64 = 60_000_000;
/// Hours taken for a zone without a site.
const ASSUMED: &str = "09:00-17:00";

/// One side of the meeting.
struct Side {
    name: String,
    zone: Zone,
    open: Vec<Span>,
    assumed: bool,
}

pub fn run(args: &MeetArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let now_us = door::now_us();
    let sites: Vec<&str> = args.sites.iter().map(String::as_str).collect();
    let zones: Vec<Option<Zone>> = sites.iter().map(|name| zone_named(name)).collect();
    // With zones alone no workspace is needed.
    let session = match zones.iter().all(Option::is_some) {
        true => None,
        false => Some(session(named)?),
    };
    let first = first_zone(&sites, &zones, session.as_ref(), now_us)?;
    let from = from_day(args, &first, now_us)?;
    let days = args.weeks.map_or(i64::from(args.days), |weeks| i64::from(weeks) * 7);
    let until = from.saturating_add(days.days());
    let span = (start(&first, from)?, start(&first, until)?);
    let sides = sides(&sites, &zones, session.as_ref(), span, (from, until))?;
    let open: Vec<Vec<Span>> = sides.iter().map(|side| side.open.clone()).collect();
    let length_us = i64::from(args.minutes) * MINUTE_US;
    let slots = match args.weeks {
        Some(weeks) => {
            let mut occurrences = Vec::new();
            for week in 0..i64::from(weeks) {
                let day = |n: i64| from.saturating_add((7 * n).days());
                occurrences.push(vec![(start(&first, day(week))?, start(&first, day(week + 1))?)]);
            }
            meeting_series(&open, length_us, STEP_US, &occurrences).into_iter().flatten().collect()
        }
        None => best_a_day(
            &first,
            meeting_slots(&open, length_us, STEP_US, &[span]),
            usize::from(args.top),
        ),
    };
    let Some(best) = slots.first() else {
        return Err(CliError::failed("no time of that length lies in these days"));
    };
    if let Some(file) = &args.ics {
        let written =
            if args.weeks.is_some() { slots.as_slice() } else { std::slice::from_ref(best) };
        write_calendar(file, args, &first, &sides, written, now_us)?;
    }
    match args.format {
        Format::Json => door::print_json(&as_json(args, &first, &sides, &slots))?,
        Format::Text => door::print(&as_text(args, &sides, &slots))?,
    }
    Ok(0)
}

/// The zone of that name; site ids have no slash.
fn zone_named(name: &str) -> Option<Zone> {
    name.contains('/').then(|| Zone::find(name).ok()).flatten()
}

/// Sites are shared: any arrangement sees them, and so does none.
fn session(named: Option<&Path>) -> Result<Session, CliError> {
    let workspace = door::open(named)?;
    let seen = door::see(&workspace, None, &[])?;
    let view = View {
        arrangement_id: String::new(),
        zone: "UTC".to_owned(),
        period: seen.this_month()?,
        as_of_us: seen.now_us,
    };
    Ok(seen.session(view)?)
}

fn unknown(reason: String) -> CliError {
    CliError::failed_with(
        reason,
        "name sites that `backstay query 'SELECT site_id, time_zone, calendar_id FROM site'` lists, \
         or IANA time zones such as `Asia/Manila`",
    )
}

/// The zone in which days are counted: the first site's.
fn first_zone(
    sites: &[&str],
    zones: &[Option<Zone>],
    session: Option<&Session>,
    now_us: i64,
) -> Result<Zone, CliError> {
    if let Some(Some(zone)) = zones.first() {
        return Ok(zone.clone());
    }
    let (Some(session), Some(site)) = (session, sites.first()) else {
        return Err(unknown("no site is named".to_owned()));
    };
    let found = site_hours(session, &[site], (now_us, now_us))?;
    let found = found.into_iter().next().unwrap_or_else(|| Err(format!("no site `{site}`")));
    found.map(|(zone, _)| zone).map_err(unknown)
}

fn from_day(args: &MeetArgs, zone: &Zone, now_us: i64) -> Result<Date, CliError> {
    match &args.from {
        Some(text) => text.parse().map_err(|_| {
            CliError::usage(format!("`{text}` is not a date"), "write a day as `2026-11-23`")
        }),
        None => zone.date(now_us).ok_or_else(|| CliError::failed("today cannot be told")),
    }
}

fn start(zone: &Zone, day: Date) -> Result<i64, CliError> {
    zone.day_start_us(day).map_err(|error| CliError::failed(error.to_string()))
}

fn sides(
    sites: &[&str],
    zones: &[Option<Zone>],
    session: Option<&Session>,
    span: Span,
    (from, until): (Date, Date),
) -> Result<Vec<Side>, CliError> {
    let mut sides = Vec::new();
    for (name, zone) in sites.iter().zip(zones) {
        let (zone, open, assumed) = match (zone, session) {
            (Some(zone), _) => (zone.clone(), assumed_hours(zone, span, (from, until))?, true),
            (None, Some(session)) => {
                let found = site_hours(session, &[name], span)?.into_iter().next();
                let found = found.unwrap_or_else(|| Err(format!("no site `{name}`")));
                let (zone, open) = found.map_err(unknown)?;
                (zone, open, false)
            }
            (None, None) => return Err(unknown(format!("no site `{name}`"))),
        };
        sides.push(Side { name: (*name).to_owned(), zone, open, assumed });
    }
    Ok(sides)
}

/// Nine to five on weekdays, without holidays.
fn assumed_hours(
    zone: &Zone,
    span: Span,
    (from, until): (Date, Date),
) -> Result<Vec<Span>, CliError> {
    let wrong = |error: &dyn std::fmt::Display| CliError::failed(error.to_string());
    let cover = (from.saturating_sub(3.days()), until.saturating_add(3.days()));
    let mut spec = CalendarSpec::new(zone.name(), cover.0, cover.1);
    let windows = parse_windows(ASSUMED).map_err(|error| wrong(&error))?;
    for day in spec.week.iter_mut().take(5) {
        day.clone_from(&windows);
    }
    let calendar = Calendar::compile(&spec).map_err(|error| wrong(&error))?;
    Ok(calendar.spans(span.0, span.1).map_err(|gap| wrong(&gap))?.collect())
}

fn local(zone: &Zone, at_us: i64, form: &str) -> String {
    zone.local(at_us).map(|at| at.strftime(form).to_string()).unwrap_or_default()
}

fn as_text(args: &MeetArgs, sides: &[Side], slots: &[Slot]) -> String {
    let mut page = Page::new(door::look());
    let what = match args.weeks {
        Some(weeks) => {
            format!("{weeks} weekly meetings of {} min, the burden shared", args.minutes)
        }
        None => format!("The best times for {} min, one a day", args.minutes),
    };
    page.paragraph(0, &what, Tone::Strong);
    page.gap();
    let mut columns: Vec<(&str, Set)> =
        sides.iter().map(|side| (side.name.as_str(), Set::Left)).collect();
    columns.push(("outside working hours, min", Set::Left));
    let mut grid = Grid::new(&columns).indented(2);
    for slot in slots {
        let mut cells: Vec<Cell> = sides
            .iter()
            .zip(&slot.outside_us)
            .map(|(side, outside)| {
                let tone = if *outside > 0 { Tone::Unsure } else { Tone::Plain };
                Cell::toned(local(&side.zone, slot.start_us, "%a %Y-%m-%d %H:%M"), tone)
            })
            .collect();
        let outside: Vec<String> =
            slot.outside_us.iter().map(|us| (us / MINUTE_US).to_string()).collect();
        cells.push(Cell::from(outside.join(" + ")));
        grid.row(cells);
    }
    page.grid(&grid);
    if args.weeks.is_some() {
        let mut sums = vec![0; sides.len()];
        for slot in slots {
            sums.iter_mut().zip(&slot.outside_us).for_each(|(sum, us)| *sum += us / MINUTE_US);
        }
        let each: Vec<String> =
            sides.iter().zip(&sums).map(|(side, sum)| format!("{} {sum} min", side.name)).collect();
        page.paragraph(
            0,
            &format!("Outside working hours in all: {}.", each.join(", ")),
            Tone::Plain,
        );
    }
    let assumed: Vec<&str> =
        sides.iter().filter(|side| side.assumed).map(|side| side.name.as_str()).collect();
    if !assumed.is_empty() {
        let text = format!(
            "For {} the hours {ASSUMED} on weekdays without holidays are assumed.",
            assumed.join(", ")
        );
        page.paragraph(0, &text, Tone::Quiet);
    }
    if let Some(file) = &args.ics {
        page.paragraph(0, &format!("Written to `{}`.", file.display()), Tone::Quiet);
    }
    page.finish()
}

fn as_json(args: &MeetArgs, first: &Zone, sides: &[Side], slots: &[Slot]) -> serde_json::Value {
    let slots = slots.iter().map(|slot| {
        let instant = |us: i64| jiff::Timestamp::from_microsecond(us).map(|at| at.to_string()).ok();
        let each = sides.iter().zip(&slot.outside_us).map(|(side, outside)| {
            json!({
                "site": side.name,
                "time_zone": side.zone.name(),
                "starts_local": local(&side.zone, slot.start_us, "%Y-%m-%dT%H:%M"),
                "minutes_outside": outside / MINUTE_US,
            })
        });
        json!({
            "starts_at": instant(slot.start_us),
            "ends_at": instant(slot.end_us),
            "minutes_outside": slot.burden_us() / MINUTE_US,
            "sites": each.collect::<Vec<_>>(),
        })
    });
    json!({
        "schema": "backstay.meeting-times/1",
        "minutes": args.minutes,
        "time_zone": first.name(),
        "series": args.weeks.is_some(),
        "slots": slots.collect::<Vec<_>>(),
    })
}

fn write_calendar(
    file: &Path,
    args: &MeetArgs,
    zone: &Zone,
    sides: &[Side],
    slots: &[Slot],
    now_us: i64,
) -> Result<(), CliError> {
    let meetings: Vec<Appointment> = slots
        .iter()
        .map(|slot| Appointment { start_us: slot.start_us, end_us: slot.end_us })
        .collect();
    let names: Vec<String> =
        sides.iter().map(|side| format!("{} ({})", side.name, side.zone.name())).collect();
    let text = icalendar(&args.title, &names.join(", "), zone.name(), &meetings, now_us)
        .ok_or_else(|| CliError::failed("these times cannot be written as a calendar"))?;
    std::fs::write(file, text).map_err(|error| {
        CliError::failed(format!(
            "`{}` cannot be written: {}",
            file.display(),
            door::because(&error)
        ))
    })
}
