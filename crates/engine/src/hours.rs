//! Hours of teams, sites and calendars, for the doors: the overlap ahead, working time of sites, two
//! calendars side by side. What the second would do to service levels: [`crate::restate`].
//!
//! Owns the reading of these answers out of a session. It keeps nothing and judges nothing.

use std::collections::BTreeMap;

pub use backstay_calendar::{
    Calendar, CalendarSpec, DayDifference, Slot, Span, Zone, meeting_series, meeting_slots,
    parse_windows,
};
use backstay_calendar::{compare_by_day, total_us};
use jiff::civil::Date;

use crate::{
    derive::{
        overlap_day,
        register::{read_calendars, read_named},
        worktime::WorkCalendar,
    },
    error::EngineError,
    period::Period,
    rows,
    session::{Session, derived::AllTables},
};

/// One day of a pair of teams; see the derived table `overlap_day`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlapDay {
    /// Team whose civil day it is; none when nothing was agreed.
    pub team: Option<String>,
    /// The other team.
    pub other: Option<String>,
    /// The day; none for an agreement that none is needed.
    pub day: Option<Date>,
    /// `due`, `not-due`, `gap` or `none-needed`.
    pub state: String,
    /// Time both are at work, microseconds.
    pub overlap_us: Option<i64>,
    /// Time agreed, microseconds.
    pub required_us: Option<i64>,
    /// Minutes that the other team's clocks are ahead.
    pub ahead_minutes: Option<i64>,
    /// Why nothing is known, or nothing needed.
    pub reason: Option<String>,
}

/// The rows of `overlap_day` of a session, in order of pair and day.
///
/// # Errors
/// Unreadable rows.
pub fn overlap_days(session: &Session) -> Result<Vec<OverlapDay>, EngineError> {
    let table = overlap_day::NAME;
    let mut found = Vec::new();
    for batch in session.batches(table)? {
        let text = |name| rows::texts(&batch, table, name);
        let (teams, others, states, reasons) =
            (text("team_id")?, text("other_team_id")?, text("state")?, text("reason")?);
        let days = rows::dates(&batch, table, "day")?;
        let number = |name| rows::integers(&batch, table, name);
        let (overlaps, required, ahead) =
            (number("overlap_us")?, number("required_us")?, number("ahead_minutes")?);
        for row in 0..batch.num_rows() {
            let own = |array| rows::text(array, row).map(str::to_owned);
            found.push(OverlapDay {
                team: own(&teams),
                other: own(&others),
                day: rows::date(&days, row),
                state: own(&states).unwrap_or_default(),
                overlap_us: rows::integer(&overlaps, row),
                required_us: rows::integer(&required, row),
                ahead_minutes: rows::integer(&ahead, row),
                reason: own(&reasons),
            });
        }
    }
    Ok(found)
}

/// Working time of a site in an interval, in its zone; or why it is not known.
pub type SiteHours = Result<(Zone, Vec<Span>), String>;

/// Working time of sites in `[from, until)` by their calendars, in the order named.
///
/// # Errors
/// Unreadable rows.
pub fn site_hours(
    session: &Session,
    sites: &[&str],
    span: Span,
) -> Result<Vec<SiteHours>, EngineError> {
    let tables = AllTables(session);
    let input = session.derive_input(&tables)?;
    let zone = utc()?;
    let calendars = read_calendars(&input)?;
    let zones = read_named(&input, &zone, "site", "site_id", "time_zone")?;
    let calendar_of = read_named(&input, &zone, "site", "site_id", "calendar_id")?;
    let hours = |site: &str| -> SiteHours {
        let at = |named: &BTreeMap<String, crate::derive::terms::Versions<_>>| {
            named.get(site).and_then(|versions| versions.at(span.0).cloned()).flatten()
        };
        let own = at(&zones).ok_or_else(|| format!("no site `{site}`"))?;
        let own: std::sync::Arc<str> = own;
        let zone = Zone::find(&own).map_err(|error| error.to_string())?;
        let id = at(&calendar_of).ok_or_else(|| format!("site `{site}` has no calendar"))?;
        let calendar = calendars.get(&*id).ok_or_else(|| format!("no calendar `{id}`"))?;
        Ok((zone, calendar.spans(span.0, span.1).map_err(|gap| gap.to_string())?))
    };
    Ok(sites.iter().map(|site| hours(site)).collect())
}

fn utc() -> Result<Zone, EngineError> {
    Zone::find("UTC").map_err(|error| EngineError::Time(error.to_string()))
}

/// Two calendars over a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDifference {
    /// Zone whose civil days are counted: the first calendar's.
    pub zone: String,
    /// Open time of the first, microseconds.
    pub first_us: i64,
    /// Open time of the second, microseconds.
    pub second_us: i64,
    /// Days that differ, in order.
    pub days: Vec<DayDifference>,
}

/// Two calendars side by side, day by day; or why that cannot be known.
///
/// # Errors
/// Unreadable rows.
pub fn calendar_difference(
    session: &Session,
    first: &str,
    second: &str,
    period: Period,
) -> Result<Result<CalendarDifference, String>, EngineError> {
    let tables = AllTables(session);
    let calendars = read_calendars(&session.derive_input(&tables)?)?;
    Ok(difference(&calendars, first, second, period))
}

fn difference(
    calendars: &BTreeMap<String, WorkCalendar>,
    first: &str,
    second: &str,
    period: Period,
) -> Result<CalendarDifference, String> {
    let of = |id: &str| calendars.get(id).ok_or_else(|| format!("no calendar `{id}`"));
    let (own, other) = (of(first)?, of(second)?);
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let noon = period.first.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
    let noon_us = noon.map_err(|error| text(&error))?.timestamp().as_microsecond();
    let zone = own
        .zone_at(noon_us)
        .ok_or_else(|| format!("no version of calendar `{first}` in force on {}", period.first))?;
    let start = |day| zone.day_start_us(day).map_err(|error| text(&error));
    let span = (start(period.first)?, start(period.after)?);
    let open = |calendar: &WorkCalendar| calendar.spans(span.0, span.1).map_err(|gap| text(&gap));
    let (own, other) = (open(own)?, open(other)?);
    let days = compare_by_day(zone, &own, &other, (period.first, period.after));
    Ok(CalendarDifference {
        zone: zone.name().to_owned(),
        first_us: total_us(&own),
        second_us: total_us(&other),
        days: days.map_err(|error| text(&error))?,
    })
}
